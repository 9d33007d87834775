import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWkt } from "../../../../src/io/wkt.ts";
import {
  distanceRows,
  distanceToPrepared,
  nearestPointsRows,
  prepareDistance,
  withinDistance,
  withinPrepared,
} from "../../../../src/kernels/vector/distance/distance-rows.ts";
import { pointSegmentSquared } from "../../../../src/kernels/vector/distance/segments.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { describeShared } from "../../../helpers/shared.ts";
import { columnOf, vectors } from "../../../helpers/vectors.ts";

function distance(a: string, b: string): number {
  const column = columnOf(a, b);
  const there = distanceRows(column, 0, column, 1);
  expect(distanceRows(column, 1, column, 0)).toBe(there);
  return there;
}

describe("distanceRows", () => {
  it.each([
    ["POINT (1 2)", "POINT (4 6)", 5],
    ["POINT (5 3)", "LINESTRING (0 0, 10 0)", 3],
    ["POINT (13 4)", "LINESTRING (0 0, 10 0)", 5],
    ["LINESTRING (0 0, 10 0)", "LINESTRING (5 2, 5 9)", 2],
    ["LINESTRING (0 0, 10 10)", "LINESTRING (0 10, 10 0)", 0],
    ["MULTIPOINT ((100 100), (12 5))", "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", 2],
    ["POINT (5 5)", "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", 0],
    ["POINT (5 5)", "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 4 7, 7 7, 7 4, 4 4))", 1],
    ["LINESTRING (3 3, 4 3)", "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", 0],
    ["POLYGON ((4 4, 5 4, 5 5, 4 4))", "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))", 0],
    ["GEOMETRYCOLLECTION (POINT (50 50), POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0)))", "POINT (3 3)", 0],
    ["GEOMETRYCOLLECTION (LINESTRING (0 0, 1 0), POINT (5 5))", "POINT (5 7)", 2],
    ["LINESTRING (2 2, 2 2)", "POINT (5 6)", 5],
  ])("from %s to %s is %d", (a, b, expected) => {
    expect(distance(a, b)).toBe(expected);
  });

  it("is infinite to an empty or null geometry", () => {
    const column = columnOf("POINT (1 1)", "POLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY");
    expect(distanceRows(column, 0, column, 1)).toBe(Infinity);
    expect(distanceRows(column, 2, column, 0)).toBe(Infinity);
    expect(withinDistance(column, 0, column, 1, Infinity)).toBe(false);
    const builder = new GeometryBuilder();
    builder.null();
    expect(distanceRows(builder.finish(), 0, column, 0)).toBe(Infinity);
  });

  it("is zero for a point on a slanted segment and above zero for its neighbours in the number grid", () => {
    const column = columnOf("LINESTRING (0 0, 3 1)", "POINT (1.5 0.5)");
    expect(distanceRows(column, 0, column, 1)).toBe(0);
    for (const y of [0.5 + 2 ** -53, 0.5 - 2 ** -54]) {
      const near = columnOf("LINESTRING (0 0, 3 1)", `POINT (1.5 ${y})`);
      const expected = Math.abs(y - 0.5) * (3 / Math.sqrt(10));
      expect(Math.abs(distanceRows(near, 0, near, 1) / expected - 1)).toBeLessThan(1e-14);
    }
  });

  it("keeps its digits for a point very near a long segment", () => {
    // Exact by whole numbers: cross product 1, length sqrt(2 * 94906265^2 ...).
    const p = 94906265;
    const square = pointSegmentSquared(p - 1, p, 0, 0, 2 * p - 1, 2 * p + 1);
    const cross = BigInt(p - 1) * BigInt(2 * p + 1) - BigInt(p) * BigInt(2 * p - 1);
    const length = Number(BigInt(2 * p - 1) ** 2n + BigInt(2 * p + 1) ** 2n);
    expect(Math.abs(square / (Number(cross * cross) / length) - 1)).toBeLessThan(1e-14);
  });

  it("does not overflow or vanish with very large or very small coordinates", () => {
    for (const size of [1e300, 1e-300, 1e200, 2 ** -1060]) {
      const column = columnOf(`POINT (${3 * size} 0)`, `LINESTRING (${-size} ${4 * size}, 0 ${4 * size})`);
      expect(distanceRows(column, 0, column, 1) / size).toBeCloseTo(5, 12);
    }
  });

  it("leaves out vertices that are not finite, and the edges at them", () => {
    const column = withVertices([0, 0, Number.NaN, 1, 4, 0, 6, 0], [2, 1]);
    expect(distanceRows(column, 0, column, 1)).toBeCloseTo(Math.sqrt(5), 14);
    const infinite = withVertices([0, 0, Infinity, 0, 10, 0], [5, 1]);
    expect(distanceRows(infinite, 0, infinite, 1)).toBeCloseTo(Math.sqrt(26), 14);
  });

  it("is the same through the index of a prepared geometry and edge by edge", () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        const column = columnOf(a, b);
        const plain = distanceRows(column, 0, column, 1);
        for (const prepared of [0, 1]) {
          const found = distanceToPrepared(prepareDistance(column, prepared), column, 1 - prepared);
          // Edges in another order: equal to the last digit or two, and zero when the other is zero.
          expect(Math.abs(found - plain)).toBeLessThanOrEqual(4e-16 * plain + 1e-160);
          for (const limit of [0, found / 2, found, 2 * found])
            expect(withinPrepared(prepareDistance(column, prepared), column, 1 - prepared, limit)).toBe(
              found <= limit,
            );
        }
        for (const limit of [0, plain / 2, plain, 2 * plain])
          expect(withinDistance(column, 0, column, 1, limit)).toBe(plain <= limit);
        const points = nearestPointsRows(column, 0, column, 1)!;
        const apart = Math.hypot(points.a[0] - points.b[0], points.a[1] - points.b[1]);
        expect(Math.abs(apart - plain)).toBeLessThan(1e-12);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it("finds the nearest of long lines without comparing every edge with every other", () => {
    const line = (offset: number): string =>
      `LINESTRING (${Array.from({ length: 50_000 }, (_, k) => `${k} ${offset + Math.sin(k / 100)}`).join(", ")})`;
    const column = columnOf(line(0), line(7.5));
    const start = process.cpuUsage();
    const apart = distanceRows(column, 0, column, 1);
    const { user } = process.cpuUsage(start);
    // Steepest stretches, of slope near 1/100, bring the curves a little nearer than straight up.
    expect(apart).toBeGreaterThan(7.499);
    expect(apart).toBeLessThan(7.5);
    expect(user / 1e6).toBeLessThan(3);
  });
});

describe("withinDistance", () => {
  it("takes the distance itself as within, and nothing within a negative or NaN one", () => {
    const column = columnOf("POINT (0 0)", "POINT (3 4)");
    expect(withinDistance(column, 0, column, 1, 5)).toBe(true);
    expect(withinDistance(column, 0, column, 1, 4.999999999999999)).toBe(false);
    expect(withinDistance(column, 0, column, 0, 0)).toBe(true);
    expect(withinDistance(column, 0, column, 0, -1)).toBe(false);
    expect(withinDistance(column, 0, column, 0, Number.NaN)).toBe(false);
    expect(withinDistance(column, 0, column, 1, Infinity)).toBe(true);
  });
});

describe("nearestPointsRows", () => {
  it("gives the foot on the edge, and the crossing of lines that cross", () => {
    const column = columnOf(
      "POINT (4 3)",
      "LINESTRING (0 0, 10 0)",
      "LINESTRING (5 -5, 5 5)",
      "POLYGON ((3 2, 9 2, 9 9, 3 2))",
      "POINT EMPTY",
    );
    expect(nearestPointsRows(column, 0, column, 1)).toEqual({ distance: 3, a: [4, 3], b: [4, 0] });
    expect(nearestPointsRows(column, 1, column, 2)).toEqual({ distance: 0, a: [5, 0], b: [5, 0] });
    expect(nearestPointsRows(column, 1, column, 3)!.distance).toBe(2);
    expect(nearestPointsRows(column, 0, column, 4)).toBeNull();
  });
});

describeShared("distance against the conformance vectors", () => {
  it("agrees with GEOS on all generated pairs, to 1e-9", () => {
    const cases = vectors<{ id: string; a: string; b: string; expected?: unknown; distance: number }>(
      "overlay-generated",
      "pairs.jsonl",
    );
    expect(cases.length).toBeGreaterThan(300);
    const wrong = cases.filter(({ a, b, distance: expected }) => {
      const found = distance(a, b);
      return !(Math.abs(found - expected) <= 1e-9 * Math.abs(expected));
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it("agrees with the suites of JTS and GEOS", () => {
    const cases = vectors<SuiteCase>("overlay-jts", "measures.jsonl").filter(({ op }) => op === "distance");
    expect(cases.length).toBeGreaterThan(30);
    const wrong = cases.filter(({ a, b, args, expected, alt = [] }) => {
      const [left, right] = args[0] === "A" ? [a, b] : [b, a];
      const found = distance(left, right);
      return ![expected, ...alt.map((other) => other.expected)].some((value) => {
        const number = value === "inf" || emptyIsZero(a, b, value) ? Infinity : Number(value);
        return found === number || Math.abs(found - number) <= 1e-9 * number;
      });
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it("answers isWithinDistance as the suites do", () => {
    const cases = vectors<SuiteCase>("overlay-jts", "predicates.jsonl").filter(
      ({ op }) => op === "isWithinDistance",
    );
    expect(cases.length).toBeGreaterThan(30);
    const wrong = cases.filter(({ a, b, args, expected }) => {
      const column = columnOf(args[0] === "A" ? a : b, args[1] === "A" ? a : b);
      return withinDistance(column, 0, column, 1, Number(args[2])) !== expected;
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });
});

/** The suites say 0 for the distance to an empty geometry, newer versions of GEOS infinity; so do we. */
function emptyIsZero(a: string, b: string, expected: unknown): boolean {
  return expected === 0 && (/^\w+ EMPTY$/.test(a.trim()) || /^\w+ EMPTY$/.test(b.trim()));
}

interface SuiteCase {
  id: string;
  a: string;
  b: string;
  op: string;
  args: string[];
  expected: unknown;
  alt?: { expected: unknown }[];
}

function withVertices(...lines: number[][]): GeometryColumn {
  const builder = new GeometryBuilder();
  for (const line of lines) {
    builder.begin(line.length > 2 ? 2 : 1);
    builder.part();
    for (let i = 0; i < line.length; i += 2) builder.vertex(line[i]!, line[i + 1]!);
    builder.end();
  }
  return builder.finish();
}

const coordinate = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.double({ min: 0, max: 12, noNaN: true }));
const position = fc.tuple(coordinate, coordinate).map(([x, y]) => `${x} ${y}`);
const shapes = fc.oneof(
  position.map((at) => `POINT (${at})`),
  fc.array(position, { minLength: 2, maxLength: 30 }).map((all) => `LINESTRING (${all.join(", ")})`),
  fc.array(position, { minLength: 1, maxLength: 20 }).map((all) => `MULTIPOINT (${all.join(", ")})`),
  fc
    .array(position, { minLength: 3, maxLength: 12 })
    .map((all) => `POLYGON ((${[...all, all[0]!].join(", ")}))`),
);

it("reads the WKT it is given", () => {
  // The shapes above must be what they say, or the properties would prove nothing.
  const builder = new GeometryBuilder();
  for (const shape of fc.sample(shapes, { seed: 1, numRuns: 20 })) parseWkt(shape, builder);
  expect(builder.finish().types).toHaveLength(20);
});
