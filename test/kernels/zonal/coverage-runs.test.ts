import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareShapes } from "../../../src/kernels/raster/shapes.ts";
import { coverageRuns, coverageWindow } from "../../../src/kernels/zonal/coverage.ts";
import { tableFromGeoJson } from "../../../src/model/geojson.ts";
import { type Affine, tileWindows, type Window } from "../../../src/model/grid.ts";

type Ring = readonly (readonly [number, number])[];

const DOWN: Affine = [1, 0, 0, 0, 1, 0];
const whole = (width: number, height: number): Window => ({ col: 0, row: 0, width, height });

/** Polygons given in columns and rows, one feature each. */
function shapesOf(polygons: readonly (readonly Ring[])[], width: number, height: number) {
  const table = tableFromGeoJson(
    polygons.map((coordinates) => ({
      type: "Feature",
      geometry: { type: "Polygon", coordinates } as never,
      properties: {},
    })),
    { crs: null },
  );
  return prepareShapes(table.geometry!, { width, height, transform: DOWN }, "all-touched");
}

function runsOf(polygons: readonly (readonly Ring[])[], width: number, height: number): number[][] {
  const { count, data, fraction } = coverageRuns(shapesOf(polygons, width, height), whole(width, height));
  return Array.from({ length: count }, (_, k) => [...data.subarray(4 * k, 4 * k + 4), fraction[k]!]);
}

const box = (x0: number, y0: number, x1: number, y1: number): Ring => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
  [x0, y0],
];

/** Area of a ring in exact arithmetic on the fractions that doubles are, then rounded. */
function exactArea(ring: Ring): number {
  const scale = 2 ** 60;
  const whole = (value: number) => BigInt(Math.trunc(value)) * BigInt(scale) + BigInt((value % 1) * scale);
  let twice = 0n;
  for (let k = 0; k + 1 < ring.length; k++)
    twice += whole(ring[k]![0]) * whole(ring[k + 1]![1]) - whole(ring[k + 1]![0]) * whole(ring[k]![1]);
  if (twice < 0n) twice = -twice;
  return Number(twice >> 20n) / 2 ** 101;
}

/** A polygon around a middle: its corners in the order of their angles. */
const star = fc
  .record({
    x: fc.double({ min: 4, max: 16, noNaN: true }),
    y: fc.double({ min: 4, max: 16, noNaN: true }),
    radii: fc.array(fc.double({ min: 0.01, max: 3.9, noNaN: true }), { minLength: 3, maxLength: 12 }),
  })
  .map(({ x, y, radii }): Ring => {
    const ring = radii.map((r, k): [number, number] => {
      const angle = (2 * Math.PI * (k + 0.1)) / radii.length;
      return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
    });
    return [...ring, ring[0]!];
  });

describe("runs of covered cells", () => {
  it("joins whole cells and keeps each share of the others apart", () => {
    expect(runsOf([[box(0.5, 0, 4, 1)]], 5, 1)).toEqual([
      [0, 0, 0, 1, 0.5],
      [0, 0, 1, 4, 1],
    ]);
  });

  it("makes one run of cells that a horizontal edge cuts alike", () => {
    expect(runsOf([[box(1, 0.25, 4, 1)]], 5, 1)).toEqual([
      [0, 0, 1, 2, 0.75],
      [0, 0, 2, 4, 0.75],
    ]);
  });

  it("takes holes out, to nothing when they fill their cells", () => {
    expect(runsOf([[box(0, 0, 3, 1), box(1, 0, 2, 1)]], 3, 1)).toEqual([
      [0, 0, 0, 1, 1],
      [0, 0, 2, 3, 1],
    ]);
  });

  it("covers cells by several parts smaller than a cell", () => {
    const table = tableFromGeoJson(
      [
        {
          type: "Feature",
          geometry: {
            type: "MultiPolygon",
            coordinates: [[box(0.125, 0.125, 0.375, 0.375)], [box(0.5, 0.5, 0.75, 0.75)]],
          } as never,
          properties: {},
        },
      ],
      { crs: null },
    );
    const shapes = prepareShapes(table.geometry!, { width: 2, height: 2, transform: DOWN }, "all-touched");
    expect([...coverageWindow(shapes, whole(2, 2))]).toEqual([0.125, 0, 0, 0]);
  });

  it("passes through cell corners without touching the cells beside", () => {
    const diamond: Ring = [
      [1, 0],
      [2, 1],
      [1, 2],
      [0, 1],
      [1, 0],
    ];
    expect(runsOf([[diamond]], 3, 3)).toEqual([
      [0, 0, 0, 1, 0.5],
      [0, 0, 1, 2, 0.5],
      [0, 1, 0, 1, 0.5],
      [0, 1, 1, 2, 0.5],
    ]);
  });

  it("is whole everywhere inside a polygon far larger than the grid", () => {
    expect(runsOf([[box(-1e9, -1e9, 1e9, 1e9)]], 4, 2)).toEqual([
      [0, 0, 0, 4, 1],
      [0, 1, 0, 4, 1],
    ]);
  });

  it("covers nothing by rings without area", () => {
    expect(
      runsOf(
        [
          [
            [
              [0, 0],
              [3, 3],
              [0, 0],
            ],
          ],
        ],
        3,
        3,
      ),
    ).toEqual([]);
  });

  it("counts both lobes of a ring that crosses itself, and overlapping parts once", () => {
    const bow: Ring = [
      [0, 0],
      [4, 2],
      [4, 0],
      [0, 2],
      [0, 0],
    ];
    const shares = coverageWindow(shapesOf([[bow]], 4, 2), whole(4, 2));
    expect([shares[0], shares[3], shares[4], shares[7]]).toEqual([0.75, 0.75, 0.75, 0.75]);
    const twice: Ring = [...box(0, 0, 2, 1), ...box(1, 0, 3, 1), [0, 0]];
    expect(Math.max(...coverageWindow(shapesOf([[twice]], 4, 1), whole(4, 1)))).toBe(1);
  });

  it("survives coordinates that are none, and hostile ones", () => {
    const table = tableFromGeoJson(
      [{ type: "Feature", geometry: { type: "Polygon", coordinates: [box(0, 0, 1, 1)] }, properties: {} }],
      { crs: null },
    );
    table.geometry!.xy.set([0, 0, Number.NaN, 1, 1e300, -1e300, 2, Infinity, -1e300, 1e300]);
    const shapes = prepareShapes(table.geometry!, { width: 3, height: 3, transform: DOWN }, "all-touched");
    const shares = coverageWindow(shapes, whole(3, 3));
    for (const share of shares) expect(share >= 0 && share <= 1).toBe(true);
  });

  it("adds up to the area of the polygon to 1e-12", () => {
    fc.assert(
      fc.property(star, (ring) => {
        const sum = coverageWindow(shapesOf([[ring]], 20, 20), whole(20, 20)).reduce((a, b) => a + b, 0);
        const area = exactArea(ring);
        expect(Math.abs(sum - area)).toBeLessThanOrEqual(1e-12 * Math.max(area, 1e-3));
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it("has the same bits for every window", () => {
    fc.assert(
      fc.property(star, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (ring, w, h) => {
        const shapes = shapesOf([[ring]], 20, 20);
        const all = coverageWindow(shapes, whole(20, 20));
        for (const window of tileWindows({ width: 20, height: 20 }, w, h)) {
          const part = coverageWindow(shapes, window);
          for (let i = 0; i < part.length; i++) {
            const at = (window.row + Math.floor(i / window.width)) * 20 + window.col + (i % window.width);
            expect(Object.is(part[i], all[at])).toBe(true);
          }
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it("adds up to 1 where polygons share their edges", () => {
    fc.assert(
      fc.property(star, (ring) => {
        const outer = box(0, 0, 20, 20);
        const sums = coverageWindow(
          shapesOf([[outer, ring], [ring]], 20, 20),
          whole(20, 20),
          undefined,
          false,
        );
        for (const sum of sums) expect(Math.abs(sum - 1)).toBeLessThan(1e-13);
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});
