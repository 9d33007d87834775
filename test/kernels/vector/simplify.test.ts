import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWkt } from "../../../src/io/wkt.ts";
import { type SimplifyOptions, simplifyRow } from "../../../src/kernels/vector/simplify/simplify.ts";
import { findInvalid } from "../../../src/kernels/vector/validity.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { columnOf } from "../../helpers/vectors.ts";

function simplified(column: GeometryColumn, options: SimplifyOptions): GeometryColumn {
  const builder = new GeometryBuilder();
  simplifyRow(column, 0, builder, options);
  return builder.finish();
}

function simple(wkt: string, tolerance: number, options: Omit<SimplifyOptions, "tolerance"> = {}): string {
  return toWkt(simplified(columnOf(wkt), { ...options, tolerance }), 0);
}

const alone = { preserveTopology: false } as const;

describe("simplifyRow", () => {
  it("leaves out what is within the tolerance of the segment in its place", () => {
    expect(simple("LINESTRING (0 0, 1 0.5, 2 0, 3 1, 4 0)", 0.5, alone)).toBe("LINESTRING (0 0,2 0,3 1,4 0)");
    expect(simple("LINESTRING (0 0, 1 0.5, 2 0, 3 1, 4 0)", 0.4, alone)).toBe(
      "LINESTRING (0 0,1 0.5,2 0,3 1,4 0)",
    );
  });

  it("measures from the segment, not from the line through it", () => {
    expect(simple("LINESTRING (0 0, 5 0, 1 0.1)", 1, alone)).toBe("LINESTRING (0 0,5 0,1 0.1)");
  });

  it("keeps a closed line from becoming a point", () => {
    expect(simple("LINESTRING (0 0, 1 0, 1 1, 0 0)", 9, alone)).toBe("LINESTRING (0 0,1 1,0 0)");
  });

  it("takes the start of a ring for a vertex like others", () => {
    expect(simple("POLYGON ((5 1, 9 1, 9 9, 1 9, 1 1, 5 1))", 1)).toBe("POLYGON ((9 1,9 9,1 9,1 1,9 1))");
  });

  it("drops small rings when lines are simplified alone, keeps them when topology is preserved", () => {
    const wkt = "POLYGON ((0 0, 50 0, 50 50, 0 50, 0 0), (10 10, 11 10, 11 11, 10 11, 10 10))";
    expect(simple(wkt, 5, alone)).toBe("POLYGON ((0 0,50 0,50 50,0 50,0 0))");
    expect(simple(wkt, 5)).toBe("POLYGON ((0 0,50 0,50 50,0 50,0 0),(11 10,11 11,10 11,11 10))");
  });

  it("does not straighten a shell across its hole, nor past a neighbour that it encloses", () => {
    const hole = "POLYGON ((0 0, 10 0, 10 10, 5 14, 0 10, 0 0), (5 13, 7 11, 3 11, 5 13))";
    expect(simple(hole, 5)).toBe("POLYGON ((0 0,10 0,10 10,5 14,0 10,0 0),(5 13,7 11,3 11,5 13))");
    const inBay = "MULTIPOLYGON (((0 0, 20 0, 20 10, 10 4, 0 10, 0 0)), ((9 6, 11 6, 10 8, 9 6)))";
    expect(simple(inBay, 7)).toContain("10 4");
  });

  it("keeps heights with their vertices", () => {
    expect(simple("LINESTRING Z (0 0 1, 1 0 2, 2 0 3)", 1)).toBe("LINESTRING Z (0 0 1,2 0 3)");
  });

  it("by areas of triangles, the least first", () => {
    const wkt = "LINESTRING (0 0, 1 0.1, 2 0, 3 2, 4 0)";
    expect(simple(wkt, 0.5, { ...alone, method: "visvalingam" })).toBe("LINESTRING (0 0,2 0,3 2,4 0)");
    expect(simple(wkt, 1.9, { ...alone, method: "visvalingam" })).toBe("LINESTRING (0 0,3 2,4 0)");
  });

  it("leaves points, empty and null rows alone", () => {
    expect(simple("MULTIPOINT ((0 0), (0 0.1))", 5)).toBe("MULTIPOINT ((0 0),(0 0.1))");
    expect(simple("POLYGON EMPTY", 5)).toBe("POLYGON EMPTY");
    const builder = new GeometryBuilder();
    builder.null();
    expect(simplified(builder.finish(), { tolerance: 1 }).types[0]).toBe(0);
  });

  it("goes through a line that splits one vertex at a time without a deep stack", () => {
    const points = Array.from({ length: 3000 }, (_, k) => `${k} ${(k % 2) * 2 ** (k / 100)}`);
    expect(simple(`LINESTRING (${points.join(",")})`, 0.1, alone).split(",").length).toBeGreaterThan(2000);
  });
});

describe("simplifyRow with topology, on stars with a hole each", () => {
  /** A star around (cx, cy) whose hole is a smaller copy of it, so that both stay valid. */
  function star(cx: number, cy: number, radii: readonly number[]): string {
    const ring = (factor: number): string => {
      const points = radii.map((radius, k) => {
        const angle = (2 * Math.PI * k) / radii.length;
        return `${cx + factor * radius * Math.cos(angle)} ${cy + factor * radius * Math.sin(angle)}`;
      });
      return `(${[...points, points[0]!].join(", ")})`;
    };
    return `(${ring(1)}, ${ring(0.9)})`;
  }

  const radii = fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 3, maxLength: 40 });

  it("stays valid and keeps every ring", () => {
    fc.assert(
      fc.property(
        radii,
        radii,
        fc.double({ min: 0.01, max: 20, noNaN: true }),
        fc.constantFrom("douglas-peucker" as const, "visvalingam" as const),
        (a, b, tolerance, method) => {
          const column = columnOf(`MULTIPOLYGON (${star(0, 0, a)}, ${star(18.5, 0, b)})`);
          expect(findInvalid(column, 0)).toBeNull();
          const result = simplified(column, { tolerance, method });
          expect(findInvalid(result, 0)).toBeNull();
          expect(result.rings.length).toBe(column.rings.length);
          expect(result.xy.length).toBeLessThanOrEqual(column.xy.length);
        },
      ),
      { numRuns: 400, seed: 3 },
    );
  });
});
