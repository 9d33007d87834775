import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BufferOptions, bufferRow } from "../../../src/kernels/vector/buffer.ts";
import { distanceRows } from "../../../src/kernels/vector/distance/distance-rows.ts";
import { locate, preparePolygonParts } from "../../../src/kernels/vector/region.ts";
import { findInvalid } from "../../../src/kernels/vector/validity.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { columnOf, measure } from "../../helpers/vectors.ts";

function buffered(column: GeometryColumn, distance: number, options: BufferOptions = {}): GeometryColumn {
  const builder = new GeometryBuilder();
  bufferRow(column, 0, distance, builder, options);
  return builder.finish();
}

function area(wkt: string, distance: number, options: BufferOptions = {}): number {
  const result = buffered(columnOf(wkt), distance, options);
  expect(findInvalid(result, 0)).toBeNull();
  return measure(result, 2);
}

/** Area of the polygon that stands for a circle. */
function disc(radius: number, segments: number): number {
  return 2 * segments * radius * radius * Math.sin(Math.PI / (2 * segments));
}

describe("bufferRow", () => {
  it("draws circles with vertices on the circle", () => {
    expect(area("POINT (3 4)", 2)).toBeCloseTo(disc(2, 8), 12);
    expect(area("POINT (3 4)", 2, { quadrantSegments: 100 })).toBeCloseTo(disc(2, 100), 12);
  });

  it("ends lines as asked", () => {
    const line = "LINESTRING (0 0, 10 0)";
    expect(area(line, 1, { cap: "flat" })).toBeCloseTo(20, 12);
    expect(area(line, 1, { cap: "square" })).toBeCloseTo(24, 12);
    expect(area(line, 1)).toBeCloseTo(20 + disc(1, 8), 12);
    expect(area("POINT (0 0)", 1, { cap: "flat" })).toBe(0);
    expect(area("POINT (0 0)", 1, { cap: "square" })).toBe(4);
  });

  it("joins corners as asked", () => {
    const square = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))";
    expect(area(square, 1)).toBeCloseTo(140 + disc(1, 8), 12);
    expect(area(square, 1, { join: "mitre" })).toBeCloseTo(144, 12);
    expect(area(square, 1, { join: "bevel" })).toBeCloseTo(142, 12);
    // The tip of a square corner lies at the root of 2; cut off at 1.2 it loses a triangle of that height and twice its width.
    const cut = (Math.SQRT2 - 1.2) ** 2;
    expect(area(square, 1, { join: "mitre", mitreLimit: 1.2 })).toBeCloseTo(144 - 4 * cut, 12);
  });

  it("shrinks polygons, apart where they are thin, to nothing where they are thin all over", () => {
    expect(area("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", -2)).toBeCloseTo(36, 12);
    expect(area("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", -5)).toBe(0);
    const dumbbell = "POLYGON ((0 0, 6 0, 6 2, 9 2, 9 0, 15 0, 15 6, 9 6, 9 4, 6 4, 6 6, 0 6, 0 0))";
    const halves = buffered(columnOf(dumbbell), -1.5, { join: "mitre" });
    expect(halves.geometries[1]).toBe(2);
    expect(measure(halves, 2)).toBeCloseTo(18, 12);
    expect(buffered(columnOf("LINESTRING (0 0, 1 1)"), -1).geometries[1]).toBe(0);
  });

  it("fills holes up, also those much smaller than the distance", () => {
    const holed = (size: number): string =>
      `POLYGON ((0 0, 20 0, 20 20, 0 20, 0 0), (5 5, 5 ${5 + size}, ${5 + size} ${5 + size}, ${5 + size} 5, 5 5))`;
    const grown = 22 * 22;
    expect(area(holed(4), 1, { join: "mitre" })).toBeCloseTo(grown - 4, 12);
    expect(area(holed(2), 1, { join: "mitre" })).toBeCloseTo(grown, 12);
    expect(area(holed(0.1), 1, { join: "mitre" })).toBeCloseTo(grown, 12);
    expect(area(holed(4), -1, { join: "mitre" })).toBeCloseTo(18 * 18 - 36, 12);
  });

  it("draws a band along a closed line, without ends", () => {
    const ring = "LINESTRING (0 0, 10 0, 10 10, 0 10, 0 0)";
    expect(area(ring, 1, { join: "mitre", cap: "square" })).toBeCloseTo(144 - 64, 12);
    expect(area(ring, 6, { join: "mitre" })).toBeCloseTo(22 * 22, 12);
  });

  it("unites what overlaps and makes polygons valid with distance 0", () => {
    expect(area("MULTIPOINT ((0 0), (10 0))", 1)).toBeCloseTo(2 * disc(1, 8), 12);
    expect(
      area("MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((5 0, 7 0, 7 2, 5 2, 5 0)))", 2, { join: "mitre" }),
    ).toBeCloseTo(11 * 6, 12);
    expect(area("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", 0)).toBeCloseTo(2, 12);
  });

  it("gives an empty polygon for empty and null rows, and for distances that are no number", () => {
    expect(buffered(columnOf("POLYGON EMPTY"), 1).types[0]).toBe(3);
    expect(buffered(columnOf("POINT (1 1)"), Number.NaN).geometries[1]).toBe(0);
    const builder = new GeometryBuilder();
    builder.null();
    expect(buffered(builder.finish(), 1).types[0]).toBe(3);
  });
});

describe("bufferRow on wild lines and stars", () => {
  const step = fc.tuple(
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  );
  const walks = fc.array(step, { minLength: 2, maxLength: 25 });
  const distances = fc.double({ min: 0.05, max: 3, noNaN: true });

  function lineOf(steps: readonly (readonly [number, number])[]): string {
    let x = 0;
    let y = 0;
    const points = steps.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return `${x} ${y}`;
    });
    return `LINESTRING (${points.join(", ")})`;
  }

  it("holds what is near and nothing that is far, whatever the line does", () => {
    fc.assert(
      fc.property(walks, distances, fc.array(step, { minLength: 20, maxLength: 20 }), (steps, d, probes) => {
        const line = columnOf(lineOf(steps));
        const result = buffered(line, d);
        expect(findInvalid(result, 0)).toBeNull();
        const parts = Int32Array.from({ length: result.geometries[1]! }, (_, p) => p);
        const region = preparePolygonParts(result, parts);
        // The polygon of a circle keeps within this share of the radius.
        const inner = Math.cos(Math.PI / 32) * d * (1 - 1e-9);
        for (const [u, v] of probes) {
          const x = 4 * u;
          const y = 4 * v;
          const away = distanceRows(line, 0, columnOf(`POINT (${x} ${y})`), 0);
          const inside = locate(region, x, y) !== -1;
          if (away < inner) expect(inside).toBe(true);
          if (away > d * (1 + 1e-9)) expect(inside).toBe(false);
        }
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  it("of a polygon shrinks to what is far from its outline", () => {
    const radii = fc.array(fc.double({ min: 1, max: 4, noNaN: true }), { minLength: 3, maxLength: 20 });
    fc.assert(
      fc.property(radii, fc.double({ min: 0.05, max: 1.5, noNaN: true }), (lengths, d) => {
        const ring = lengths.map((radius, k) => {
          const angle = (2 * Math.PI * k) / lengths.length;
          return `${radius * Math.cos(angle)} ${radius * Math.sin(angle)}`;
        });
        const closed = [...ring, ring[0]!].join(", ");
        const polygon = columnOf(`POLYGON ((${closed}))`);
        const outline = columnOf(`LINESTRING (${closed})`);
        const result = buffered(polygon, -d);
        expect(findInvalid(result, 0)).toBeNull();
        const own = preparePolygonParts(polygon, Int32Array.of(0));
        const rest = preparePolygonParts(
          result,
          Int32Array.from({ length: result.geometries[1]! }, (_, p) => p),
        );
        for (let x = -4; x <= 4; x += 0.5) {
          for (let y = -4; y <= 4; y += 0.5) {
            const away = distanceRows(outline, 0, columnOf(`POINT (${x} ${y})`), 0);
            const inside = locate(rest, x, y) !== -1;
            const within = locate(own, x, y) !== -1;
            if (within && away > d * (1 + 1e-9)) expect(inside).toBe(true);
            if (!within || away < Math.cos(Math.PI / 32) * d * (1 - 1e-9)) expect(inside).toBe(false);
          }
        }
      }),
      { numRuns: 60, seed: 6 },
    );
  });
});
