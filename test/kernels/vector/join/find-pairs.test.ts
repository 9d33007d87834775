import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withinGeodesicDistance } from "../../../../src/kernels/vector/distance/geodesic-distance.ts";
import { findPairs, PairFinder, type PairPredicate } from "../../../../src/kernels/vector/join/find-pairs.ts";
import { PREDICATES, testRows } from "../../../../src/kernels/vector/relate/predicates.ts";
import { type Geometry, tableFromGeoJson } from "../../../../src/model/geojson.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";

describe("findPairs", () => {
  it("reads the predicate from left to right and keeps both orders", () => {
    const points = column([point(5, 5), point(1, 1), point(2, 1)]);
    const squares = column([square(0, 0, 2), square(4, 4, 2), square(0, 0, 9)]);
    expect(pairs("within", points, squares)).toEqual([
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 2],
    ]);
    expect(pairs("touches", points, squares)).toEqual([[2, 0]]);
    expect(pairs("contains", squares, points)).toEqual([
      [0, 1],
      [1, 0],
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect(pairs("within", squares, points)).toEqual([]);
  });

  it("leaves null and empty geometries without a partner, for disjoint too", () => {
    const left = column([null, { type: "Polygon", coordinates: [] }, point(0, 0)]);
    const right = column([point(0, 0), null, { type: "MultiPoint", coordinates: [] }, point(3, 3)]);
    expect(pairs("intersects", left, right)).toEqual([[2, 0]]);
    expect(pairs("disjoint", left, right)).toEqual([[2, 3]]);
  });

  it("finds what lies inside a hole only with the island in it", () => {
    const ring: Geometry = {
      type: "Polygon",
      coordinates: [box(0, 0, 10), box(2, 2, 6)],
    };
    const island = square(4, 4, 1);
    const beside = square(2, 2, 1);
    expect(pairs("intersects", column([ring]), column([island, beside]))).toEqual([[0, 1]]);
    expect(pairs("disjoint", column([ring]), column([island, beside]))).toEqual([[0, 0]]);
  });

  it("keeps rows of other numbers apart", () => {
    const left = column([point(1, 1), point(1, 1), point(1, 1)]);
    const right = column([square(0, 0, 2), square(0, 0, 3), square(0, 0, 4)]);
    const finder = new PairFinder("within", right, { keys: Int32Array.of(0, 1, 0) });
    const { left: rows, right: others } = finder.find(left, Int32Array.of(1, -1, 0));
    expect([...rows]).toEqual([0, 2, 2]);
    expect([...others]).toEqual([1, 0, 2]);
  });

  it("takes points with numbers that are not finite for empty, and polygons with such vertices without them", () => {
    const points = column([point(9, 9), point(1, 1)]);
    points.xy[0] = Number.NaN;
    const squares = column([
      { type: "Polygon", coordinates: [[...box(0, 0, 2).slice(0, 2), [7, 7], ...box(0, 0, 2).slice(2)]] },
    ]);
    squares.xy[4] = Infinity;
    expect(pairs("intersects", points, squares)).toEqual([[1, 0]]);
    expect(pairs("intersects", squares, points)).toEqual([[0, 1]]);
  });

  it("finds pairs within a distance, the distance itself included", () => {
    const left = column([point(0, 0)]);
    const right = column([point(3, 4), point(3, 4.000001), square(-6, -1, 1)]);
    expect(pairs("dwithin", left, right, { distance: 5 })).toEqual([
      [0, 0],
      [0, 2],
    ]);
  });

  it("finds pairs within metres on the ellipsoid: over the pole, across the antimeridian, beside lines that bend north", () => {
    const left = column([point(10, 89.999), point(179.9995, -10), point(45, 67.3)]);
    const right = column([
      point(-170, 89.999),
      point(-179.9995, -10),
      {
        type: "LineString",
        coordinates: [
          [0, 60],
          [90, 60],
        ],
      },
      point(0, 0),
    ]);
    const found = pairs("dwithin", left, right, { distance: 60_000, geodesic: true });
    expect(found).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    fc.assert(
      fc.property(
        fc.array(place, { maxLength: 5 }),
        fc.array(place, { maxLength: 5 }),
        distances,
        (a, b, distance) => {
          const [from, to] = [column(a), column(b)];
          const expected: [number, number][] = [];
          for (let i = 0; i < a.length; i++)
            for (let j = 0; j < b.length; j++)
              if (withinGeodesicDistance(from, i, to, j, distance)) expected.push([i, j]);
          expect(pairs("dwithin", from, to, { distance, geodesic: true })).toEqual(expected);
        },
      ),
      { numRuns: 10, seed: 10 },
    );
  });

  it.each(PREDICATES)("agrees with testing every pair of shapes on a small lattice: %s", (predicate) => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 12 }), fc.array(shape, { maxLength: 12 }), (a, b) => {
        const left = column(a);
        const right = column(b);
        expect(pairs(predicate, left, right)).toEqual(brute(predicate, left, right));
      }),
      { numRuns: 60, seed: 6 },
    );
  });

  it.each(["intersects", "within", "touches"] as const)(
    "agrees for many points among polygons: %s",
    (predicate) => {
      fc.assert(
        fc.property(fc.array(polygon, { minLength: 1, maxLength: 8 }), (polygons) => {
          const points: Geometry[] = [];
          for (let x = -1; x <= 9; x += 0.5) for (let y = -1; y <= 9; y += 0.5) points.push(point(x, y));
          const left = column(points);
          const right = column(polygons);
          expect(pairs(predicate, left, right)).toEqual(brute(predicate, left, right));
        }),
        { numRuns: 40, seed: 7 },
      );
    },
  );

  it("agrees for larger shapes with rough outlines, where edges run through many cells", () => {
    fc.assert(
      fc.property(
        fc.array(rough, { minLength: 1, maxLength: 5 }),
        fc.array(rough, { minLength: 1, maxLength: 5 }),
        (a, b) => {
          const left = column(a);
          const right = column(b);
          expect(pairs("intersects", left, right)).toEqual(brute("intersects", left, right));
          const vertices = column(
            a.flatMap(({ coordinates }) => coordinates[0]!.map(([x, y]) => point(x!, y!))),
          );
          expect(pairs("within", vertices, right)).toEqual(brute("within", vertices, right));
        },
      ),
      { numRuns: 60, seed: 8 },
    );
  });
});

describe("half-open assignment", () => {
  it("gives a point on a border to the polygon on its right, on a level border to the one above", () => {
    const cells = column([square(0, 0, 1), square(1, 0, 1), square(0, 1, 1), square(1, 1, 1)]);
    const points = column([point(1, 0.5), point(0.5, 1), point(1, 1), point(0, 0)]);
    expect(pairs("intersects", points, cells, { halfOpen: true })).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ]);
  });

  it("gives points on the outer edge to the first polygon that they touch", () => {
    const cells = column([square(0, 0, 1), square(1, 0, 1)]);
    const points = column([point(2, 0.5), point(1, 1), point(2, 1), point(3, 3)]);
    expect(pairs("intersects", points, cells, { halfOpen: true })).toEqual([
      [0, 1],
      [1, 0],
      [2, 1],
    ]);
  });

  it("gives every point of a partition, its vertices and edges included, to exactly one polygon", () => {
    fc.assert(
      fc.property(partition, ({ polygons, points }) => {
        const found = pairs("intersects", column(points), column(polygons), { halfOpen: true });
        expect(found.map(([left]) => left)).toEqual(points.map((_, k) => k));
        // And to one that has it.
        const touched = new Set(pairs("intersects", column(points), column(polygons)).map(String));
        for (const pair of found) expect(touched.has(String(pair))).toBe(true);
      }),
      { numRuns: 100, seed: 9 },
    );
  });
});

function pairs(
  predicate: PairPredicate,
  left: GeometryColumn,
  right: GeometryColumn,
  options: object = {},
): [number, number][] {
  const found = findPairs(predicate, left, right, options);
  return [...found.left].map((row, k) => [row, found.right[k]!]);
}

function brute(
  predicate: (typeof PREDICATES)[number],
  left: GeometryColumn,
  right: GeometryColumn,
): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < left.types.length; i++) {
    for (let j = 0; j < right.types.length; j++) {
      const empty =
        left.geometries[i] === left.geometries[i + 1] || right.geometries[j] === right.geometries[j + 1];
      if (!empty && testRows(predicate, left, i, right, j)) found.push([i, j]);
    }
  }
  return found;
}

function column(geometries: readonly (Geometry | null)[]): GeometryColumn {
  return tableFromGeoJson(geometries.map((geometry) => ({ type: "Feature", geometry, properties: {} })))
    .geometry!;
}

function point(x: number, y: number): Geometry {
  return { type: "Point", coordinates: [x, y] };
}

function box(x: number, y: number, size: number): [number, number][] {
  return [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
    [x, y],
  ];
}

function square(x: number, y: number, size: number): Geometry {
  return { type: "Polygon", coordinates: [box(x, y, size)] };
}

const at = fc.integer({ min: 0, max: 8 });
const position = fc.tuple(at, at);
const polygon: fc.Arbitrary<Geometry> = fc.oneof(
  fc.tuple(at, at, fc.integer({ min: 1, max: 4 })).map(([x, y, size]) => square(x, y, size)),
  fc
    .tuple(position, position, position)
    .filter(([a, b, c]) => (b[0] - a[0]) * (c[1] - a[1]) !== (b[1] - a[1]) * (c[0] - a[0]))
    .map(([a, b, c]): Geometry => ({ type: "Polygon", coordinates: [[a, b, c, a]] })),
  fc
    .tuple(at, at)
    .map(([x, y]): Geometry => ({ type: "MultiPolygon", coordinates: [[box(x, y, 1)], [box(x + 2, y, 2)]] })),
  fc
    .tuple(at, at)
    .map(([x, y]): Geometry => ({ type: "Polygon", coordinates: [box(x, y, 4), box(x + 1, y + 1, 2)] })),
);
const shape: fc.Arbitrary<Geometry> = fc.oneof(
  polygon,
  position.map(([x, y]) => point(x, y)),
  fc
    .uniqueArray(position, { minLength: 2, maxLength: 4, selector: String })
    .map((coordinates): Geometry => ({ type: "LineString", coordinates })),
  fc
    .uniqueArray(position, { minLength: 1, maxLength: 3, selector: String })
    .map((coordinates): Geometry => ({ type: "MultiPoint", coordinates })),
  fc
    .tuple(polygon, position)
    .map(([a, [x, y]]): Geometry => ({ type: "GeometryCollection", geometries: [a, point(x, y)] })),
);

/** Points and lines anywhere on the earth, many near the poles and the antimeridian. */
const lonLat = fc.tuple(
  fc.constantFrom(-180, -179, -60, 0, 90, 179, 180),
  fc.constantFrom(-90, -89, -20, 0, 60, 89, 90),
);
const place: fc.Arbitrary<Geometry> = fc.oneof(
  lonLat.map(([lon, lat]) => point(lon, lat)),
  fc
    .uniqueArray(lonLat, { minLength: 2, maxLength: 3, selector: String })
    .map((coordinates): Geometry => ({ type: "LineString", coordinates })),
);
const distances = fc.constantFrom(1, 120_000, 5_000_000);

/** A star-shaped outline of many vertices around a random centre. */
const rough = fc
  .record({
    x: fc.integer({ min: 0, max: 20 }),
    y: fc.integer({ min: 0, max: 20 }),
    radii: fc.array(fc.integer({ min: 2, max: 12 }), { minLength: 9, maxLength: 90 }),
  })
  .map(({ x, y, radii }) => {
    const ring = radii.map((radius, k) => {
      const angle = (2 * Math.PI * k) / radii.length;
      return [
        Math.round(8 * (x + radius * Math.cos(angle))) / 8,
        Math.round(8 * (y + radius * Math.sin(angle))) / 8,
      ];
    });
    return { type: "Polygon" as const, coordinates: [[...ring, ring[0]!]] };
  });

/** Triangles of a square lattice with moved corners, and points on its corners, edges and faces. */
const partition = fc
  .record({
    moves: fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 })), {
      minLength: 25,
      maxLength: 25,
    }),
    turn: fc.boolean(),
    places: fc.array(fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 24 })), { maxLength: 30 }),
  })
  .map(({ moves, turn, places }) => {
    const corner = (col: number, row: number): [number, number] => {
      const [dx, dy] = moves[5 * row + col]!;
      return [10 * col + dx, 10 * row + dy];
    };
    const polygons: Geometry[] = [];
    for (let row = 0; row < 4; row++) {
      for (let col = 0; col < 4; col++) {
        const [a, b, c, d] = [
          corner(col, row),
          corner(col + 1, row),
          corner(col + 1, row + 1),
          corner(col, row + 1),
        ];
        // Either diagonal stays inside: corners move less than a third of a side.
        const halves = turn
          ? [
              [a, b, c, a],
              [a, c, d, a],
            ]
          : [
              [a, b, d, a],
              [b, c, d, b],
            ];
        for (const ring of halves)
          polygons.push({ type: "Polygon", coordinates: [ring as [number, number][]] });
      }
    }
    const points: Geometry[] = [];
    for (let k = 0; k < 25; k++) points.push(point(...corner(k % 5, Math.floor(k / 5))));
    for (const [a, b] of places) {
      // Halfway between neighbours: on an edge, exactly.
      const [col, row] = [a % 4, Math.floor(b / 5)];
      const [p, q] = [corner(col, row), corner(col + 1, row)];
      points.push(point((p[0] + q[0]) / 2, (p[1] + q[1]) / 2));
      points.push(point(20 + a / 4, 20 + b / 4));
    }
    return { polygons, points };
  });
