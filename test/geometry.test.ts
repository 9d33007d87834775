import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wktGeometry as g } from "../scripts/conformance/wkt-geojson.ts";
import * as geometry from "../src/geometry.ts";

const SQUARE = g("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))");
const SHIFTED = g("POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))");
const plane = { surface: "plane" } as const;

describe("overlays", () => {
  it("of two squares", () => {
    expect(geometry.intersection(SQUARE, SHIFTED)).toEqual(g("POLYGON ((2 2, 4 2, 4 4, 2 4, 2 2))"));
    expect(geometry.area(geometry.union(SQUARE, SHIFTED), plane)).toBe(28);
    expect(geometry.area(geometry.difference(SQUARE, SHIFTED), plane)).toBe(12);
    expect(geometry.symmetricDifference(SQUARE, SHIFTED).type).toBe("MultiPolygon");
  });

  it("meet in lines and points, too", () => {
    expect(geometry.intersection(SQUARE, g("POLYGON ((4 0, 8 0, 8 4, 4 4, 4 0))"))).toEqual(
      g("LINESTRING (4 0, 4 4)"),
    );
    expect(geometry.intersection(SQUARE, g("POINT (4 4)"))).toEqual(g("POINT (4 4)"));
  });

  it("unite a list and the parts of one geometry", () => {
    expect(geometry.area(geometry.union([SQUARE, SHIFTED, null, g("POINT (1 1)")]), plane)).toBe(28);
    expect(geometry.union([])).toEqual({ type: "GeometryCollection", geometries: [] });
    expect(geometry.unaryUnion(g("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((0 0, 1 0, 1 1, 0 0)))"))).toEqual(
      g("POLYGON ((0 0, 1 0, 1 1, 0 0))"),
    );
  });

  it("are empty geometries of the type asked for where nothing is left, and take null for nothing", () => {
    expect(geometry.intersection(SQUARE, g("POLYGON ((9 9, 10 9, 10 10, 9 9))"))).toEqual(g("POLYGON EMPTY"));
    expect(geometry.difference(SQUARE, SQUARE)).toEqual(g("POLYGON EMPTY"));
    expect(geometry.union(SQUARE, null)).toEqual(SQUARE);
    expect(geometry.union(null, null)).toEqual({ type: "GeometryCollection", geometries: [] });
  });

  it("come out on a grid when asked to", () => {
    const triangle = g("POLYGON ((0 0, 3 1, 1 3, 0 0))");
    const { coordinates } = geometry.intersection(triangle, g("POLYGON ((1 0, 5 0, 5 5, 1 0))"), {
      grid: 0.25,
    }) as geometry.PolygonGeometry;
    expect(coordinates.flat(2).every((value) => Number.isInteger(value * 4))).toBe(true);
  });
});

describe("predicates", () => {
  it("answer for geometries of any types", () => {
    const inner = g("POLYGON ((1 1, 2 1, 2 2, 1 1))");
    expect(geometry.contains(SQUARE, inner)).toBe(true);
    expect(geometry.within(inner, SQUARE)).toBe(true);
    expect(geometry.containsProperly(SQUARE, inner)).toBe(true);
    expect(geometry.covers(SQUARE, g("LINESTRING (0 0, 4 0)"))).toBe(true);
    expect(geometry.contains(SQUARE, g("LINESTRING (0 0, 4 0)"))).toBe(false);
    expect(geometry.coveredBy(g("POINT (0 0)"), SQUARE)).toBe(true);
    expect(geometry.overlaps(SQUARE, SHIFTED)).toBe(true);
    expect(geometry.crosses(SQUARE, g("LINESTRING (-1 1, 5 1)"))).toBe(true);
    expect(geometry.touches(SQUARE, g("POINT (4 2)"))).toBe(true);
    expect(geometry.disjoint(SQUARE, g("POINT (5 5)"))).toBe(true);
    expect(geometry.intersects(SQUARE, g("POINT (4 4)"))).toBe(true);
    expect(geometry.equals(SQUARE, g("POLYGON ((4 4, 4 0, 2 0, 0 0, 0 4, 4 4))"))).toBe(true);
    expect(geometry.intersects(SQUARE, null)).toBe(false);
  });

  it("give the matrix, or match a pattern", () => {
    expect(geometry.relate(SQUARE, SHIFTED)).toBe("212101212");
    expect(geometry.relate(SQUARE, SHIFTED, "T*T***T**")).toBe(true);
    expect(geometry.relate(SQUARE, SHIFTED, "F********")).toBe(false);
  });

  it("answer the same of a prepared geometry", () => {
    const prepared = geometry.prepare(SQUARE);
    for (const other of [SQUARE, SHIFTED, g("POINT (4 4)"), g("LINESTRING (-1 1, 5 1)"), null]) {
      expect(prepared.relate(other)).toBe(geometry.relate(SQUARE, other));
      expect(prepared.intersects(other)).toBe(geometry.intersects(SQUARE, other));
      expect(prepared.covers(other)).toBe(geometry.covers(SQUARE, other));
      expect(prepared.containsProperly(other)).toBe(geometry.containsProperly(SQUARE, other));
    }
  });
});

describe("distances", () => {
  it("are between geometries of any types, on the plane and in metres", () => {
    expect(geometry.distance(SQUARE, g("POINT (7 8)"), plane)).toBe(5);
    expect(geometry.distance(SQUARE, [2, 2], plane)).toBe(0);
    expect(geometry.distance(SQUARE, null, plane)).toBe(Infinity);
    // A degree of the equator.
    expect(geometry.distance(g("LINESTRING (0 0, 10 0)"), [11, 0])).toBeCloseTo(111319.4907932, 6);
    expect(() => geometry.distance(SQUARE, [9, 9], { surface: "sphere" })).toThrow(RangeError);
  });

  it("are compared with a limit that counts as near enough", () => {
    expect(geometry.dwithin(SQUARE, g("POINT (7 8)"), 5, plane)).toBe(true);
    expect(geometry.dwithin(SQUARE, g("POINT (7 8)"), 4.999, plane)).toBe(false);
    expect(geometry.dwithin([0, 0], [1, 0], 111_320)).toBe(true);
    expect(geometry.dwithin([0, 0], [1, 0], 111_319)).toBe(false);
    expect(geometry.dwithin(SQUARE, null, 1e9, plane)).toBe(false);
  });

  it("are taken at the nearest points", () => {
    expect(geometry.nearestPoints(SQUARE, g("POINT (2 7)"))).toEqual([g("POINT (2 4)"), g("POINT (2 7)")]);
    expect(geometry.nearestPoints(SQUARE, null)).toBeNull();
  });
});

describe("validity", () => {
  it("says what is wrong and where", () => {
    expect(geometry.validityReason(g("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))).toEqual({
      reason: "Self-intersection",
      position: [1, 1],
    });
    expect(geometry.validityReason(SQUARE)).toBeNull();
  });

  it("judges what other functions put right before they begin", () => {
    const open = g("POLYGON ((0 0, 4 0, 4 4, 0 4))");
    expect(geometry.validityReason(open)?.reason).toBe("Ring is not closed");
    expect(geometry.area(geometry.union(open, null), plane)).toBe(16);
    const nan = g("POLYGON ((0 0, 4 0, NaN 3, 4 4, 0 4, 0 0))");
    expect(geometry.isValid(nan)).toBe(false);
    expect(geometry.area(geometry.intersection(nan, SHIFTED), plane)).toBe(4);
  });

  it("calls empty geometries valid and what is no geometry not", () => {
    expect(geometry.isValid(null)).toBe(true);
    expect(geometry.isValid(g("GEOMETRYCOLLECTION (POINT EMPTY)"))).toBe(true);
    expect(geometry.isValid({ type: "Circle" } as never)).toBe(false);
  });

  it("makes valid by lines or by structure", () => {
    const across = g("MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((2 2, 6 2, 6 6, 2 6, 2 2)))");
    expect(geometry.area(geometry.makeValid(across), plane)).toBe(24);
    expect(geometry.area(geometry.makeValid(across, { method: "structure" }), plane)).toBe(28);
    expect(geometry.makeValid(SQUARE)).toEqual(SQUARE);
    expect(geometry.makeValid(null)).toEqual({ type: "GeometryCollection", geometries: [] });
  });
});

describe("points, hulls and boundaries", () => {
  it("a centroid is of the parts of the highest dimension", () => {
    expect(geometry.centroid(SQUARE)).toEqual(g("POINT (2 2)"));
    expect(geometry.centroid(g("GEOMETRYCOLLECTION (POINT (9 9), LINESTRING (0 0, 4 0))"))).toEqual(
      g("POINT (2 0)"),
    );
    expect(geometry.centroid(g("POLYGON ((1 1, 3 1, 1 1))"))).toEqual(g("POINT EMPTY"));
    expect(geometry.centroid(g("POLYGON ((1 1, 3 1, 1 1, 1 1))"))).toEqual(g("POINT (2 1)"));
    expect(geometry.centroid(null)).toEqual(g("POINT EMPTY"));
  });

  it("a centroid keeps its digits far from the origin", () => {
    const far = 2 ** 40;
    const [x, y] = geometry.centroid(
      g(
        `POLYGON ((${far} ${far}, ${far + 1} ${far}, ${far + 1} ${far + 1}, ${far} ${far + 1}, ${far} ${far}))`,
      ),
    ).coordinates;
    expect([x! - far, y! - far]).toEqual([0.5, 0.5]);
  });

  it("a point on a surface is strictly inside", () => {
    const bent = g("POLYGON ((0 0, 10 0, 10 10, 9 10, 9 1, 1 1, 1 10, 0 10, 0 0))");
    expect(geometry.containsProperly(bent, geometry.pointOnSurface(bent))).toBe(true);
    expect(geometry.pointOnSurface(g("LINESTRING (0 0, 3 1, 9 9)"))).toEqual(g("POINT (3 1)"));
    expect(geometry.pointOnSurface(g("POLYGON EMPTY"))).toEqual(g("POINT EMPTY"));
  });

  it("a point on a surface is inside of polygons as thin as doubles are", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 20 }),
        fc.integer({ min: 0, max: 60 }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (width, exponent, slope) => {
          const thin = width * 2 ** -exponent * 2 ** -12;
          const ring = [
            [0, 0],
            [1, slope],
            [1, slope + thin],
            [0, 0],
          ];
          const polygon = { type: "Polygon", coordinates: [ring] } as const;
          if (!geometry.isValid(polygon)) return;
          expect(geometry.covers(polygon, geometry.pointOnSurface(polygon))).toBe(true);
        },
      ),
      { numRuns: 200, seed: 9 },
    );
  });

  it("a hull is convex and around all positions", () => {
    expect(geometry.convexHull(g("MULTIPOINT ((0 0), (2 1), (4 0), (4 4), (2 2), (0 4), (2 0))"))).toEqual(
      g("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"),
    );
    expect(geometry.convexHull(g("LINESTRING (0 0, 1 1, 3 3, 2 2)"))).toEqual(g("LINESTRING (0 0, 3 3)"));
    expect(geometry.convexHull(g("MULTIPOINT ((1 1), (1 1))"))).toEqual(g("POINT (1 1)"));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 3 }),
        (coordinates) => {
          const points = { type: "MultiPoint", coordinates } as const;
          const hull = geometry.convexHull(points);
          expect(geometry.isValid(hull)).toBe(true);
          expect(geometry.covers(hull, points)).toBe(true);
          expect(geometry.equalsExact(geometry.convexHull(hull), hull)).toBe(true);
        },
      ),
      { numRuns: 100, seed: 4 },
    );
  });

  it("a boundary has the ends that an odd number of lines share, and rings", () => {
    expect(geometry.boundary(SQUARE)).toEqual(g("LINESTRING (0 0, 4 0, 4 4, 0 4, 0 0)"));
    expect(geometry.boundary(g("MULTILINESTRING ((0 0, 1 1), (1 1, 2 2))"))).toEqual(
      g("MULTIPOINT ((0 0), (2 2))"),
    );
    expect(geometry.boundary(g("POINT (1 1)"))).toEqual({ type: "GeometryCollection", geometries: [] });
  });

  it("a normal form does not depend on how a geometry is written", () => {
    const one = g("MULTIPOLYGON (((4 4, 4 0, 0 0, 0 4, 4 4), (1 1, 2 1, 2 2, 1 1)), ((9 9, 8 9, 9 8, 9 9)))");
    const other = g(
      "MULTIPOLYGON (((9 8, 9 9, 8 9, 9 8)), ((0 0, 4 0, 4 4, 0 4, 0 0), (2 2, 2 1, 1 1, 2 2)))",
    );
    expect(geometry.equalsExact(one, other)).toBe(false);
    expect(geometry.normalize(one)).toEqual(geometry.normalize(other));
  });
});

describe("simplify and buffer", () => {
  it("keep topology by default", () => {
    const small = g("POLYGON ((0 0, 1 0, 1 1, 0 0))");
    expect(geometry.isValid(geometry.simplify(small, 5))).toBe(true);
    expect(geometry.simplify(small, 5, { preserveTopology: false })).toEqual(g("POLYGON EMPTY"));
  });

  it("refuse distances that are no number", () => {
    expect(() => geometry.buffer(SQUARE, Number.NaN)).toThrow(RangeError);
    expect(geometry.area(geometry.buffer(SQUARE, 1, { join: "mitre" }), plane)).toBeCloseTo(36, 12);
  });
});

describe("all functions", () => {
  const all: readonly ((a: geometry.Geometry | null, b: geometry.Geometry | null) => unknown)[] = [
    geometry.intersection,
    (a, b) => geometry.union(a, b),
    geometry.difference,
    geometry.symmetricDifference,
    geometry.intersects,
    (a, b) => geometry.relate(a, b),
    (a) => geometry.makeValid(a),
    (a) => geometry.isSimple(a),
    (a) => geometry.validityReason(a),
    (a) => geometry.centroid(a),
    (a) => geometry.pointOnSurface(a),
    (a) => geometry.convexHull(a),
    (a) => geometry.boundary(a),
    (a) => geometry.normalize(a),
    (a) => geometry.simplify(a, 1),
    (a) => geometry.buffer(a, 1),
    (a) => geometry.area(a, plane),
    (a) => geometry.length(a, plane),
    (a, b) => geometry.distance(a, b, plane),
    (a, b) => geometry.dwithin(a, b, 1),
  ];
  const odd = [
    "POINT EMPTY",
    "GEOMETRYCOLLECTION EMPTY",
    "MULTIPOLYGON EMPTY",
    "POINT (NaN NaN)",
    "LINESTRING (1 1)",
    "LINESTRING (1 1, 1 1)",
    "POLYGON ((1 1))",
    "POLYGON ((1 1, 2 2))",
    "POLYGON ((0 0, 2 2, 2 0, 0 2))",
    "GEOMETRYCOLLECTION (POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0)), POINT (1 1), LINESTRING EMPTY)",
    "POLYGON ((0 0, 1e308 0, 1e308 1e308, -1e308 1e308, 0 0))",
    "POLYGON ((0 0, 1e-320 0, 1e-320 1e-320, 0 0))",
  ].map((text) => g(text));

  it("take empty and broken geometries", () => {
    for (const a of [...odd, null])
      for (const b of [...odd, SQUARE, null]) for (const run of all) expect(run(a, b)).not.toBeUndefined();
  });

  it("leave their arguments alone", () => {
    const before = JSON.stringify([odd, SQUARE]);
    for (const a of odd) for (const run of all) run(a, SQUARE);
    expect(JSON.stringify([odd, SQUARE])).toBe(before);
  });
});
