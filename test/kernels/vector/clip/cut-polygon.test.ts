import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWkt } from "../../../../src/io/wkt.ts";
import { type CutOutcome, PolygonCutter } from "../../../../src/kernels/vector/clip/cut-polygon.ts";
import { overlayRows } from "../../../../src/kernels/vector/overlay/overlay.ts";
import { prepareRegion } from "../../../../src/kernels/vector/region.ts";
import { MULTI_POLYGON } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { columnOf } from "../../../helpers/vectors.ts";

function cut(polygon: string, ...region: string[]): { outcome: CutOutcome; wkt: string } {
  const column = columnOf(polygon);
  const cutter = new PolygonCutter(prepareRegion(columnOf(...region)));
  const outcome = cutter.cut(column, 0);
  const builder = new GeometryBuilder();
  builder.begin(MULTI_POLYGON);
  if (outcome === "cut") cutter.result.write(column, 0, builder);
  builder.end();
  return { outcome, wkt: toWkt(builder.finish(), 0) };
}

const SQUARE = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))";

describe("PolygonCutter", () => {
  it.each([
    ["POLYGON ((1 1, 2 1, 2 2, 1 1))", "inside"],
    ["POLYGON ((20 20, 21 20, 21 21, 20 20))", "outside"],
    ["POLYGON ((5 5, 15 4, 15 6, 5 5))", "cut"],
    ["POLYGON ((10 0, 12 0, 12 2, 10 2, 10 0))", "special"],
    ["POLYGON ((-5 5, 15 5, 15 5.5, -5 4, -5 5))", "special"],
    ["POLYGON ((5 5, 10 5, 15 9, 5 8, 5 5))", "special"],
  ])("%s is %s", (wkt, expected) => {
    expect(cut(wkt, SQUARE).outcome).toBe(expected);
  });

  it("begins rings with their smallest vertex, shells against the clock, and keeps vertices on straight edges", () => {
    expect(cut("POLYGON ((5 5, 5 7, 15 7, 15 3, 5 3, 5 5))", SQUARE).wkt).toBe(
      "MULTIPOLYGON (((5 3,10 3,10 7,5 7,5 5,5 3)))",
    );
  });

  it("makes islands and holes of the region's rings inside", () => {
    const { wkt } = cut(
      "POLYGON ((-1 -1, 8 -1, 8 8, -1 8, -1 -1))",
      "POLYGON ((0 0, 6 0, 6 6, 0 6, 0 0), (1 1, 1 5, 5 5, 5 1, 1 1))",
      "POLYGON ((2 2, 4 2, 4 4, 2 4, 2 2))",
    );
    expect(wkt).toBe("MULTIPOLYGON (((0 0,6 0,6 6,0 6,0 0),(1 1,1 5,5 5,5 1,1 1)),((2 2,4 2,4 4,2 4,2 2)))");
  });

  it("lets a hole that reaches outside become part of the outline", () => {
    const { wkt } = cut("POLYGON ((2 2, 12 2, 12 8, 2 8, 2 2), (8 4, 8 6, 11 6, 11 4, 8 4))", SQUARE);
    expect(wkt).toBe("MULTIPOLYGON (((2 2,10 2,10 4,8 4,8 6,10 6,10 8,2 8,2 2)))");
  });

  it("sees no seam where polygons of the region share an edge, and goes on around their corners", () => {
    const halves = ["POLYGON ((0 0, 5 0, 5 10, 0 10, 0 0))", "POLYGON ((5 0, 10 0, 10 12, 5 10, 5 0))"];
    expect(cut("POLYGON ((3 -2, 7 -2, 7 20, 3 20, 3 -2))", ...halves).wkt).toBe(
      "MULTIPOLYGON (((3 0,5 0,7 0,7 10.8,5 10,3 10,3 0)))",
    );
  });

  it("leaves polygons of the region that lie upon each other to an overlay", () => {
    const overlapping = ["POLYGON ((0 0, 6 0, 6 10, 0 10, 0 0))", "POLYGON ((4 1, 12 1, 12 9, 4 9, 4 1))"];
    expect(cut("POLYGON ((2 3, 7 3, 7 4, 2 4, 2 3))", ...overlapping).outcome).toBe("special");
    expect(cut("POLYGON ((-2 3, 3 3, 3 4, -2 4, -2 3))", ...overlapping).outcome).toBe("cut");
    expect(cut("POLYGON ((1 1, 20 20, 19 20, 1 1))", SQUARE, SQUARE).outcome).toBe("special");
  });

  it("gives what the general overlay gives, vertex by vertex", () => {
    const star = (grid: boolean) =>
      fc
        .tuple(
          fc.integer({ min: -4, max: 14 }),
          fc.integer({ min: -4, max: 14 }),
          fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 3, maxLength: 16 }),
        )
        .map(([x, y, radii]) => {
          const points = radii.map((r, k) => {
            const angle = 0.3 + (2 * Math.PI * k) / radii.length;
            const place = [x + r * Math.cos(angle), y + r * Math.sin(angle)];
            return (grid ? place.map((value) => Math.round(value) + 0) : place).join(" ");
          });
          return `POLYGON ((${[...points, points[0]].join(", ")}))`;
        });
    const seen = { inside: 0, outside: 0, cut: 0, special: 0 };
    fc.assert(
      fc.property(
        fc.boolean().chain((grid) => fc.tuple(star(grid), star(grid))),
        ([a, b]) => {
          const { outcome, wkt } = cut(a, b);
          seen[outcome]++;
          const builder = new GeometryBuilder();
          overlayRows("intersection", columnOf(a), 0, columnOf(b), 0, builder);
          const expected = toWkt(builder.finish(), 0);
          if (outcome === "outside") expect(expected).toMatch(/EMPTY/);
          if (outcome === "cut")
            expect(wkt.replace("MULTIPOLYGON ", "")).toBe(
              expected.replace(/^POLYGON (.*)$/, "($1)").replace("MULTIPOLYGON ", ""),
            );
        },
      ),
      { numRuns: 1500, seed: 31 },
    );
    expect(seen.cut).toBeGreaterThan(300);
    expect(seen.outside).toBeGreaterThan(50);
  });
});
