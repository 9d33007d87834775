import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWkt } from "../../../../src/io/wkt.ts";
import { lonLatRingArea, rowAreas } from "../../../../src/kernels/vector/geodesic.ts";
import {
  overlapArea,
  overlapOf,
  PreparedPolygons,
  UnderEdge,
} from "../../../../src/kernels/vector/overlap-area.ts";
import { planarRingArea, sphericalLonLatRingArea } from "../../../../src/kernels/vector/spherical.ts";
import { type GeometryColumn, rowBounds } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { describeShared } from "../../../helpers/shared.ts";
import { vectors } from "../../../helpers/vectors.ts";

function column(...texts: string[]): GeometryColumn {
  const builder = new GeometryBuilder();
  for (const text of texts) parseWkt(text, builder);
  return builder.finish();
}

/** Both ways round, which must be the same to rounding. */
function shared(a: string, b: string): number {
  const both = column(a, b);
  const there = overlapArea(both, 0, both, 1);
  const back = overlapArea(both, 1, both, 0);
  expect(back).toBeCloseTo(there, 12);
  return there;
}

const SQUARE = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))";

describe("overlapArea", () => {
  it("is the area of squares that cross, contain each other, or are the same", () => {
    expect(shared(SQUARE, "POLYGON ((2 1, 6 1, 6 3, 2 3, 2 1))")).toBe(4);
    expect(shared(SQUARE, "POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))")).toBe(4);
    expect(shared(SQUARE, "POLYGON ((-9 -9, 9 -9, 9 9, -9 9, -9 -9))")).toBe(16);
    expect(shared(SQUARE, SQUARE)).toBe(16);
    expect(shared(SQUARE, "POLYGON ((4 4, 0 4, 0 0, 4 0, 4 4))")).toBe(16);
  });

  it("is exactly 0 for what only touches, along an edge, in a vertex or not at all", () => {
    expect(shared(SQUARE, "POLYGON ((4 1, 7 0.3, 7 5.1, 4 3, 4 1))")).toBe(0);
    expect(shared(SQUARE, "POLYGON ((4 4, 7 4.7, 5 9, 4 4))")).toBe(0);
    expect(shared(SQUARE, "POLYGON ((1 4, 2.3 9, 0.1 7, 1 4))")).toBe(0);
    expect(shared(SQUARE, "POLYGON ((20 20, 21 20, 21 21, 20 20))")).toBe(0);
  });

  it("counts ground under shared edges and through vertices once", () => {
    expect(shared(SQUARE, "POLYGON ((0 0, 4 0, 4 2, 0 2, 0 0))")).toBe(8);
    expect(shared(SQUARE, "POLYGON ((0 0, 4 4, 0 4, 0 0))")).toBe(8);
    expect(shared(SQUARE, "POLYGON ((2 2, 6 -2, 6 6, 2 2))")).toBe(4);
    expect(shared(SQUARE, "POLYGON ((-2 2, 2 -2, 6 2, 2 6, -2 2))")).toBe(16);
  });

  it("knows holes, on either side, and parts", () => {
    const ring = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 3, 3 3, 3 1, 1 1))";
    expect(shared(ring, SQUARE)).toBe(12);
    expect(shared(ring, "POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))")).toBe(0);
    expect(shared(ring, "POLYGON ((2 -1, 5 -1, 5 5, 2 5, 2 -1))")).toBe(6);
    const two = "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 1, 0 0)), ((3 3, 5 3, 5 5, 3 5, 3 3)))";
    expect(shared(two, SQUARE)).toBe(2);
    expect(shared(two, ring)).toBe(2);
  });

  it("takes the polygons of collections, and nothing from lines, points, nulls and empty rows", () => {
    expect(
      shared(
        "GEOMETRYCOLLECTION (LINESTRING (0 0, 9 9), POINT (1 1), POLYGON ((1 1, 3 1, 3 2, 1 2, 1 1)))",
        SQUARE,
      ),
    ).toBe(2);
    for (const text of ["LINESTRING (0 0, 4 4)", "POINT (1 1)", "POLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY"])
      expect(shared(text, SQUARE)).toBe(0);
    const builder = new GeometryBuilder();
    builder.null();
    expect(overlapArea(builder.finish(), 0, column(SQUARE), 0)).toBe(0);
  });

  it("goes by the even-odd rule where a polygon breaks the rules", () => {
    const bowtie = "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))";
    expect(shared(bowtie, "POLYGON ((-1 -1, 9 -1, 9 9, -1 9, -1 -1))")).toBe(8);
    expect(shared(bowtie, "POLYGON ((0 0, 4 0, 4 2, 0 2, 0 0))")).toBe(4);
    const twice = "MULTIPOLYGON (((0 0, 3 0, 3 4, 0 4, 0 0)), ((1 0, 4 0, 4 4, 1 4, 1 0)))";
    expect(shared(twice, SQUARE)).toBe(8);
    expect(shared("POLYGON ((0 0, 2 0, 5 0, 2 0, 2 2, 0 2, 0 0))", SQUARE)).toBe(4);
    expect(shared("POLYGON ((1 1, 2 2, 1 1))", SQUARE)).toBe(0);
  });

  it("passes over vertices that are not finite", () => {
    const builder = new GeometryBuilder();
    builder.begin(3);
    builder.part();
    builder.ring();
    for (const [x, y] of [
      [1, 1],
      [3, 1],
      [Number.NaN, 2],
      [3, 3],
      [1, Infinity],
      [1, 3],
      [1, 1],
    ] as const)
      builder.vertex(x, y);
    builder.end();
    expect(overlapArea(builder.finish(), 0, column(SQUARE), 0)).toBe(4);
  });

  it("is the same whichever way it is indexed: large outlines against small ones", () => {
    const next = numbers(3);
    const large = column(wavy(0, 0, 10, 900, next), wavy(4, 1, 9, 1100, next));
    const small = column(
      ...Array.from({ length: 60 }, () => wavy(20 * next() - 10, 20 * next() - 10, 3, 9, next)),
    );
    const under = new UnderEdge("plane");
    const prepared = new PreparedPolygons(large, under);
    for (let row = 0; row < small.types.length; row++) {
      for (const zone of [0, 1]) {
        const many = overlapOf(new PreparedPolygons(small, under), row, prepared, zone);
        expect(many).toBeCloseTo(slabs(small, row, large, zone), 9);
      }
    }
    expect(overlapOf(prepared, 0, prepared, 1)).toBeCloseTo(slabs(large, 0, large, 1), 8);
  });

  it("agrees with slabs of trapezoids on any rings, lattice ones that share edges and vertices among them", () => {
    const coordinate = fc.integer({ min: 0, max: 6 });
    const ring = fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 });
    const polygon = ring.map(
      (points) => `POLYGON ((${[...points, points[0]!].map((p) => p.join(" ")).join(", ")}))`,
    );
    fc.assert(
      fc.property(polygon, polygon, (a, b) => {
        const both = column(a, b);
        const area = overlapArea(both, 0, both, 1);
        expect(Math.abs(area - slabs(both, 0, both, 1))).toBeLessThan(1e-12 * 36);
        expect(Math.abs(area - overlapArea(both, 1, both, 0))).toBeLessThan(1e-13 * 36);
      }),
      { seed: 20, numRuns: 3000 },
    );
  });

  it("does not care where on the plane it happens", () => {
    const a = "POLYGON ((0 0, 7 1, 5 6, 3 2, 1 7, 0 0))";
    const b = "POLYGON ((1 -2, 6 3, 2 5, -1 4, 1 -2))";
    const here = shared(a, b);
    // Whole numbers move exactly.
    const move = (text: string): string =>
      text.replace(/(-?\d+) (-?\d+)/g, (_, x, y) => `${Number(x) + 2 ** 30} ${Number(y) - 2 ** 31}`);
    expect(shared(move(a), move(b))).toBeCloseTo(here, 6);
  });
});

describe("areas on WGS 84 and on the sphere", () => {
  const REGION = "POLYGON ((60 -10, 100.3 -12.2, 98 37, 61 44.4, 60 -10), (70 0, 72 12, 80 3, 70 0))";

  it.each([
    ["ellipsoid", lonLatRingArea],
    ["sphere", (xy: Float64Array, s: number, e: number) => sphericalLonLatRingArea(xy, s, e, 6371007.1809)],
    ["plane", planarRingArea],
  ] as const)("a row by itself has the area of its rings: %s", (surface, ringArea) => {
    const next = numbers(9);
    const rows = column(
      REGION,
      ...Array.from({ length: 40 }, (_, k) =>
        wavy(360 * next() - 180, 170 * next() - 85, 10 ** -(k % 3) * 4, 40, next),
      ),
    );
    const prepared = new PreparedPolygons(rows, new UnderEdge(surface));
    const expected = rowAreas(rows, ringArea);
    for (let row = 0; row < rows.types.length; row++) {
      expect(Math.abs(prepared.area(row) / expected[row]! - 1)).toBeLessThan(2e-12);
      expect(overlapOf(prepared, row, prepared, row) / prepared.area(row)).toBeCloseTo(1, 13);
    }
  });

  it.each(["ellipsoid", "sphere", "plane"] as const)(
    "the parts of a partition add up to the whole, over edges of a continent: %s",
    (surface) => {
      const under = new UnderEdge(surface);
      const zone = new PreparedPolygons(column(REGION), under);
      const cells = new PreparedPolygons(partition(55, -15, 105, 50, 40, numbers(4)), under);
      let sum = 0;
      for (let row = 0; row < cells.rows; row++) sum += overlapOf(cells, row, zone, 0);
      expect(Math.abs(sum / zone.area(0) - 1)).toBeLessThan(1e-13);
    },
  );

  it("a small field at the edge of a continent keeps its digits", () => {
    const under = new UnderEdge("ellipsoid");
    const zone = new PreparedPolygons(column("POLYGON ((60 -40, 60.5 44, 100 44, 100 -40, 60 -40))"), under);
    // About 110 m across, half in the zone.
    const x = 60.25 + 2 / 168;
    const field = column(
      `POLYGON ((${x - 0.0005} 4, ${x + 0.0005} 4, ${x + 0.0005} 4.001, ${x - 0.0005} 4.001, ${x - 0.0005} 4))`,
    );
    const inside = overlapOf(new PreparedPolygons(field, under), 0, zone, 0);
    const cut = column(
      `POLYGON ((60.261904761904759 4, ${x + 0.0005} 4, ${x + 0.0005} 4.001, 60.261910714285712 4.001, 60.261904761904759 4))`,
    );
    // The crossings by hand: 60 + 44 / 168 and 60 + 44.001 / 168, rounded to 1e-14 degrees.
    expect(Math.abs(inside / rowAreas(cut, lonLatRingArea)[0]! - 1)).toBeLessThan(1e-10);
  });
});

describeShared("conformance", () => {
  interface Pair {
    id: string;
    a: string;
    b: string;
    expected: { intersection: { area: number } };
  }

  it("overlay-generated: areas of all pairs of polygons", () => {
    let polygons = 0;
    for (const { id, a, b, expected } of vectors<Pair>("overlay-generated", "pairs.jsonl")) {
      if (!/POLYGON/.test(a) || !/POLYGON/.test(b)) continue;
      const both = column(a, b);
      const area = overlapArea(both, 0, both, 1);
      const size = Math.max(...rowAreas(both, planarRingArea));
      const [minX, minY, maxX, maxY] = rowBounds(both) as unknown as [number, number, number, number];
      // GEOS rounds crossings to doubles: half a unit in the last place of the coordinates, all around.
      const rounding = 1e-16 * Math.max(Math.abs(minX), Math.abs(maxY)) * 4 * (maxX - minX + (maxY - minY));
      expect(Math.abs(area - expected.intersection.area), id).toBeLessThan(1e-12 * size + rounding);
      polygons++;
    }
    expect(polygons).toBeGreaterThan(200);
  });

  interface Robust {
    id: string;
    a: string;
    b: string;
    areas: { a: number; b: number; intersection: number };
  }

  it("overlay-jts: areas of the pairs that broke overlay code", () => {
    let cases = 0;
    for (const { id, a, b, areas } of vectors<Robust>("overlay-jts", "robust-area.jsonl")) {
      const both = column(a, b);
      const area = overlapArea(both, 0, both, 1);
      expect(Math.abs(area - areas.intersection), id).toBeLessThanOrEqual(1e-6 * (areas.a + areas.b));
      cases++;
    }
    expect(cases).toBeGreaterThan(600);
  });
});

/** A small generator, the same numbers every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

function wavy(x: number, y: number, radius: number, corners: number, next: () => number): string {
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    const r = radius * (0.6 + 0.4 * next());
    return `${x + r * Math.cos(angle)} ${y + r * Math.sin(angle)}`;
  });
  return `POLYGON ((${[...points, points[0]].join(", ")}))`;
}

/** `n * n` quadrilaterals with crooked sides that tile a box. */
function partition(
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  n: number,
  next: () => number,
): GeometryColumn {
  const nodes: (readonly [number, number])[] = [];
  for (let j = 0; j <= n; j++) {
    for (let i = 0; i <= n; i++) {
      const inner = i > 0 && i < n && j > 0 && j < n ? 0.4 : 0;
      const u = (i + inner * (next() - 0.5)) / n;
      const v = (j + inner * (next() - 0.5)) / n;
      nodes.push([minX + u * (maxX - minX), minY + v * (maxY - minY)]);
    }
  }
  const builder = new GeometryBuilder();
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const first = j * (n + 1) + i;
      builder.begin(3);
      builder.part();
      builder.ring();
      for (const k of [first, first + 1, first + n + 2, first + n + 1, first])
        builder.vertex(nodes[k]![0], nodes[k]![1]);
      builder.end();
    }
  }
  return builder.finish();
}

/**
 * The same area another way, by the even-odd rule and without geometry: between the heights of all vertices and all crossings of
 * all edges no two edges cross, so that the overlap is trapezoids, by the order of the edges at middle height.
 */
function slabs(a: GeometryColumn, rowA: number, b: GeometryColumn, rowB: number): number {
  const edges: { x1: number; y1: number; x2: number; y2: number; of: 0 | 1 }[] = [];
  for (const [of, c, row] of [
    [0, a, rowA],
    [1, b, rowB],
  ] as const) {
    for (let r = c.parts[c.geometries[row]!]!; r < c.parts[c.geometries[row + 1]!]!; r++) {
      for (let v = c.rings[r]!; v < c.rings[r + 1]! - 1; v++) {
        const [x1, y1, x2, y2] = c.xy.subarray(2 * v, 2 * v + 4) as unknown as [
          number,
          number,
          number,
          number,
        ];
        if (y1 < y2) edges.push({ x1, y1, x2, y2, of });
        else if (y2 < y1) edges.push({ x1: x2, y1: y2, x2: x1, y2: y1, of });
      }
    }
  }
  const heights = new Set<number>(edges.flatMap(({ y1, y2 }) => [y1, y2]));
  edges.sort((s, t) => s.y1 - t.y1);
  for (const [k, s] of edges.entries()) {
    for (let j = k + 1; j < edges.length && edges[j]!.y1 < s.y2; j++) {
      const t = edges[j]!;
      if (Math.max(s.x1, s.x2) < Math.min(t.x1, t.x2) || Math.max(t.x1, t.x2) < Math.min(s.x1, s.x2))
        continue;
      const slope = (s.x2 - s.x1) / (s.y2 - s.y1) - (t.x2 - t.x1) / (t.y2 - t.y1);
      const y = t.y1 + (at(t, t.y1) - at(s, t.y1)) / slope;
      if (y > t.y1 && y < Math.min(s.y2, t.y2)) heights.add(y);
    }
  }
  const levels = [...heights].sort((p, q) => p - q);
  let area = 0;
  let active: typeof edges = [];
  let next = 0;
  for (let k = 0; k + 1 < levels.length; k++) {
    const low = levels[k]!;
    const high = levels[k + 1]!;
    active = active.filter(({ y2 }) => y2 >= high);
    for (; next < edges.length && edges[next]!.y1 <= low; next++)
      if (edges[next]!.y2 >= high) active.push(edges[next]!);
    const middle = (low + high) / 2;
    const across = active.map((edge) => ({ edge, x: at(edge, middle) })).sort((s, t) => s.x - t.x);
    const inside = [false, false];
    let from: (typeof edges)[number] | null = null;
    for (const { edge } of across) {
      inside[edge.of] = !inside[edge.of];
      if (inside[0] && inside[1]) from = edge;
      else if (from !== null) {
        area += ((at(edge, low) - at(from, low) + at(edge, high) - at(from, high)) / 2) * (high - low);
        from = null;
      }
    }
  }
  return area;
}

function at({ x1, y1, x2, y2 }: { x1: number; y1: number; x2: number; y2: number }, y: number): number {
  return x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
}
