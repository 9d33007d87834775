import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { segmentsMeet } from "../../../../src/kernels/vector/classify.ts";
import { stateOfBox } from "../../../../src/kernels/vector/clip/grid.ts";
import {
  gridOf,
  INSIDE,
  locate,
  OUTSIDE,
  type PreparedRegion,
  prepareRegion,
} from "../../../../src/kernels/vector/region.ts";
import { columnOf } from "../../../helpers/vectors.ts";

const whole = fc.integer({ min: -12, max: 12 });
const vertex = fc.oneof(
  fc.tuple(whole, whole),
  fc.tuple(fc.double({ min: -12, max: 12, noNaN: true }), fc.double({ min: -12, max: 12, noNaN: true })),
);
const ring = fc.array(vertex, { minLength: 3, maxLength: 14 });
/** Polygons of any kind: rings may cross, polygons overlap. */
const polygons = fc
  .array(ring, { minLength: 1, maxLength: 4 })
  .map((rings) => rings.map((r) => `POLYGON ((${[...r, r[0]!].map(([x, y]) => `${x} ${y}`).join(", ")}))`));

/** Whether the outline has a point in a box, from the edges alone. */
function outlineMeets(
  { edges, inner }: PreparedRegion,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): boolean {
  for (let i = 0; i < inner.length; i++) {
    if (inner[i] === 1) continue;
    const [ax, ay, bx, by] = edges.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    if (Math.min(ax, bx) > x2 || Math.max(ax, bx) < x1 || Math.min(ay, by) > y2 || Math.max(ay, by) < y1)
      continue;
    if (ax >= x1 && ax <= x2 && ay >= y1 && ay <= y2) return true;
    if (segmentsMeet(ax, ay, bx, by, x1, y1, x2, y2) || segmentsMeet(ax, ay, bx, by, x1, y2, x2, y1))
      return true;
  }
  return false;
}

describe("the grid of a region", () => {
  it("settles no box that the outline meets, and the others as a ray does", () => {
    let settled = 0;
    fc.assert(
      fc.property(
        polygons,
        fc.array(fc.tuple(vertex, fc.nat(3), fc.nat(3)), { maxLength: 40 }),
        (wkt, boxes) => {
          const plain = prepareRegion(columnOf(...wkt));
          const grid = gridOf(prepareRegion(columnOf(...wkt)));
          for (const [[x, y], w, h] of boxes) {
            const state = stateOfBox(grid, x, y, x + w / 4, y + h / 4);
            if (state === 0) continue;
            settled++;
            expect(outlineMeets(plain, x, y, x + w / 4, y + h / 4)).toBe(false);
            expect(state).toBe(locate(plain, x, y));
          }
        },
      ),
      { numRuns: 300, seed: 11 },
    );
    expect(settled).toBeGreaterThan(500);
  });

  it("locates points as the edges alone do, on vertices and edges too", () => {
    fc.assert(
      fc.property(polygons, fc.array(vertex, { maxLength: 30 }), (wkt, points) => {
        const plain = prepareRegion(columnOf(...wkt));
        const drawn = prepareRegion(columnOf(...wkt));
        gridOf(drawn);
        const { edges } = plain;
        for (let e = 0; e < edges.length; e += 4) {
          points.push([edges[e]!, edges[e + 1]!]);
          points.push([(edges[e]! + edges[e + 2]!) / 2, (edges[e + 1]! + edges[e + 3]!) / 2]);
        }
        for (const [x, y] of points) expect(locate(drawn, x, y)).toBe(locate(plain, x, y));
      }),
      { numRuns: 300, seed: 12 },
    );
  });

  it("settles boxes across an edge that two polygons share", () => {
    const region = prepareRegion(
      columnOf("POLYGON ((0 0, 5 0, 5 10, 0 10, 0 0))", "POLYGON ((5 0, 10 0, 10 10, 5 10, 5 0))"),
    );
    expect(stateOfBox(gridOf(region), 3, 3, 7, 7)).toBe(INSIDE);
  });

  it("takes what is beyond the bounds for outside, and settles nothing without an extent", () => {
    const region = prepareRegion(columnOf("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))"));
    expect(stateOfBox(gridOf(region), 1e300, -5, Infinity, 5)).toBe(OUTSIDE);
    expect(locate(region, -1e300, 5)).toBe(OUTSIDE);
    const flat = prepareRegion(columnOf("POLYGON ((0 0, 10 0, 5 0, 0 0))"));
    expect(stateOfBox(gridOf(flat), 20, 20, 30, 30)).toBe(0);
    expect(locate(flat, 5, 0)).toBe(0);
  });

  it("stays exact far from the origin, where cells would be no wider than rounding", () => {
    const x = 2 ** 52;
    const region = prepareRegion(
      columnOf(`POLYGON ((${x} ${x}, ${x + 8} ${x}, ${x + 8} ${x + 8}, ${x} ${x + 8}, ${x} ${x}))`),
    );
    gridOf(region);
    expect(locate(region, x + 1, x + 1)).toBe(INSIDE);
    expect(locate(region, x + 9, x + 1)).toBe(OUTSIDE);
    expect(locate(region, x + 8, x + 1)).toBe(0);
  });
});
