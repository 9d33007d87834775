import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWkt } from "../../../../src/io/wkt.ts";
import { BoxCutter, rectangleOf } from "../../../../src/kernels/vector/clip/cut-box.ts";
import { PolygonCutter } from "../../../../src/kernels/vector/clip/cut-polygon.ts";
import { overlayRows } from "../../../../src/kernels/vector/overlay/overlay.ts";
import { prepareRegion } from "../../../../src/kernels/vector/region.ts";
import { MULTI_POLYGON } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { columnOf } from "../../../helpers/vectors.ts";

type Box = readonly [number, number, number, number];

function boxWkt([x1, y1, x2, y2]: Box): string {
  return `POLYGON ((${x1} ${y1}, ${x2} ${y1}, ${x2} ${y2}, ${x1} ${y2}, ${x1} ${y1}))`;
}

/** WKT of a polygon within a box, `null` where the cutter passes. */
function cut(polygon: string, box: Box): string | null {
  const column = columnOf(polygon);
  const loader = new PolygonCutter(prepareRegion(columnOf(boxWkt(box))));
  loader.cut(column, 0);
  if (!loader.simple) {
    // Not looked at where nothing crossed: its rings are loaded all the same.
    if (!loader.loaded) return null;
  }
  loader.result.clear();
  if (!new BoxCutter(box).cut(loader.polygon, loader.result)) return null;
  const builder = new GeometryBuilder();
  builder.begin(MULTI_POLYGON);
  loader.result.write(column, 0, builder);
  builder.end();
  return toWkt(builder.finish(), 0).replace("MULTIPOLYGON ", "");
}

const BOX: Box = [0, 0, 10, 10];

describe("BoxCutter", () => {
  it("makes no bridge along the rectangle", () => {
    expect(cut("POLYGON ((2 -5, 4 -5, 4 5, 8 5, 8 -5, 9 -5, 9 7, 2 7, 2 -5))", BOX)).toBe(
      "(((2 0,4 0,4 5,8 5,8 0,9 0,9 7,2 7,2 0)))",
    );
    expect(cut("POLYGON ((-5 2, 5 2, 5 4, -2 4, -2 6, 5 6, 5 8, -5 8, -5 2))", BOX)).toBe(
      "(((0 2,5 2,5 4,0 4,0 2)),((0 6,5 6,5 8,0 8,0 6)))",
    );
  });

  it("takes edges along the rectangle by the side that the polygon lies on", () => {
    expect(cut("POLYGON ((0 2, 5 2, 5 5, 0 5, 0 3, 0 2))", BOX)).toBe("(((0 2,5 2,5 5,0 5,0 3,0 2)))");
    expect(cut("POLYGON ((10 2, 15 2, 15 5, 10 5, 10 2))", BOX)).toBe("EMPTY");
    expect(cut("POLYGON ((0 0, 20 0, 20 5, 0 5, 0 0))", BOX)).toBe("(((0 0,10 0,10 5,0 5,0 0)))");
  });

  it("puts corners in where the polygon goes around them, and itself where it covers all", () => {
    expect(cut("POLYGON ((5 -5, 15 -5, 15 15, 5 15, 5 -5))", BOX)).toBe("(((5 0,10 0,10 10,5 10,5 0)))");
    expect(cut("POLYGON ((-5 -5, 15 -5, 15 15, -5 15, -5 -5))", BOX)).toBe("(((0 0,10 0,10 10,0 10,0 0)))");
    expect(cut("POLYGON ((-5 -5, 15 -5, 15 15, -5 15, -5 -5), (3 3, 3 4, 4 4, 4 3, 3 3))", BOX)).toBe(
      "(((0 0,10 0,10 10,0 10,0 0),(3 3,3 4,4 4,4 3,3 3)))",
    );
  });

  it("runs through corners and touches sides", () => {
    expect(cut("POLYGON ((-5 -5, 5 5, 5 20, -5 -5))", BOX)).toBe("(((0 0,5 5,5 10,1 10,0 7.5,0 0)))");
    expect(cut("POLYGON ((5 0, 7 5, 3 5, 5 0))", BOX)).toBe("(((3 5,5 0,7 5,3 5)))");
    expect(cut("POLYGON ((-2 5, 5 -2, 5 -5, -5 -5, -2 5))", BOX)).toBe("(((0 0,3 0,0 3,0 0)))");
  });

  it("passes on results that would touch themselves", () => {
    expect(cut("POLYGON ((-5 -5, 15 -5, 15 15, -5 15, -5 -5), (0 5, 3 6, 3 4, 0 5))", BOX)).toBe(null);
  });

  it("gives what the general overlay gives, vertex by vertex", () => {
    const polygon = fc
      .tuple(
        fc.integer({ min: -2, max: 12 }),
        fc.integer({ min: -2, max: 12 }),
        fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 3, maxLength: 14 }),
        fc.boolean(),
      )
      .map(([x, y, radii, grid]) => {
        const points = radii.map((r, k) => {
          const angle = (2 * Math.PI * k) / radii.length;
          const place = [x + r * Math.cos(angle), y + r * Math.sin(angle)];
          return (grid ? place.map((value) => Math.round(value) + 0) : place).join(" ");
        });
        return `POLYGON ((${[...points, points[0]].join(", ")}))`;
      });
    const side = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 6 }));
    let compared = 0;
    fc.assert(
      fc.property(polygon, side, side, (wkt, [x, w], [y, h]) => {
        const box: Box = [x, y, x + w, y + h];
        const loader = new PolygonCutter(prepareRegion(columnOf(boxWkt(box))));
        // Only for rings that do not meet, which the cutter for any region finds out.
        if (loader.cut(columnOf(wkt), 0) !== "special" || !loader.simple) return;
        const found = cut(wkt, box);
        if (found === null) return;
        compared++;
        const builder = new GeometryBuilder();
        overlayRows("intersection", columnOf(wkt), 0, columnOf(boxWkt(box)), 0, builder);
        const expected = toWkt(builder.finish(), 0);
        if (found === "EMPTY") expect(expected).not.toMatch(/POLYGON \(/);
        else if (/^(MULTI)?POLYGON/.test(expected))
          expect(found).toBe(expected.replace(/^POLYGON (.*)$/, "($1)").replace("MULTIPOLYGON ", ""));
      }),
      { numRuns: 2500, seed: 41 },
    );
    expect(compared).toBeGreaterThan(300);
  });
});

describe("rectangleOf", () => {
  it("knows rectangles along the axes, and nothing else", () => {
    const of = (wkt: string) => rectangleOf(prepareRegion(columnOf(wkt)));
    expect(of(boxWkt(BOX))).toEqual([0, 0, 10, 10]);
    expect(of("POLYGON ((0 0, 0 10, 10 10, 10 0, 0 0))")).toEqual([0, 0, 10, 10]);
    expect(of("POLYGON ((0 0, 10 0, 10 10, 0 9, 0 0))")).toBe(null);
    expect(of("POLYGON ((0 0, 10 0, 0 0, 10 0, 0 0))")).toBe(null);
    expect(of("POLYGON ((0 0, 5 0, 10 0, 10 10, 0 10, 0 0))")).toBe(null);
  });
});
