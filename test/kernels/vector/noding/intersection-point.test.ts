import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intersectionPoint } from "../../../../src/kernels/vector/noding/intersection-point.ts";
import { whole } from "./lines.ts";

type Segments = [number, number, number, number, number, number, number, number];

function point(segments: Segments): [number, number] {
  const out = new Float64Array(2);
  intersectionPoint(...segments, out);
  return [out[0]!, out[1]!];
}

/** The crossing in whole numbers: `x / d` and `y / d` of 2 ** -1074; null when the segments do not cross properly. */
function exactly(segments: Segments): { x: bigint; y: bigint; d: bigint } | null {
  const [ax, ay, bx, by, cx, cy, dx, dy] = segments.map(whole) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const d = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx);
  const t = (cx - ax) * (dy - cy) - (cy - ay) * (dx - cx);
  const u = (cx - ax) * (by - ay) - (cy - ay) * (bx - ax);
  if (d === 0n || t * d <= 0n || u * d <= 0n || t * t >= t * d || u * u >= u * d) return null;
  return d > 0n
    ? { x: ax * d + t * (bx - ax), y: ay * d + t * (by - ay), d }
    : { x: -(ax * d + t * (bx - ax)), y: -(ay * d + t * (by - ay)), d: -d };
}

/** Whether no double lies between `value` and the true `n / d`: it is the nearest or the one on the other side. */
function isNextTo(value: number, n: bigint, d: bigint): boolean {
  const at = whole(value) * d;
  if (at === n) return true;
  const next = neighbour(value, at < n ? 1 : -1);
  return at < n ? whole(next) * d > n : whole(next) * d < n;
}

function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 === direction > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

const unit = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => n * 2 ** -31);
const KINDS: Record<string, fc.Arbitrary<Segments>> = {
  "of any shape": fc.array(unit, { minLength: 8, maxLength: 8 }).map((n) => n as Segments),
  "far from the origin": fc
    .array(unit, { minLength: 8, maxLength: 8 })
    .map((n) => n.map((c, i) => (i % 2 === 0 ? 500_000 : 4_200_000) + 30 * c) as Segments),
  "nearly parallel": fc
    .tuple(fc.array(unit, { minLength: 8, maxLength: 8 }), fc.integer({ min: -53, max: -10 }))
    .map(([n, e]) => n.map((c, i) => (i < 4 ? c : n[i - 4]! + c * 2 ** e)) as Segments),
  "on a lattice": fc
    .array(fc.integer({ min: -9, max: 9 }), { minLength: 8, maxLength: 8 })
    .map((n) => n as Segments),
  "of any size": fc
    .array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 8, maxLength: 8 })
    .map((n) => n as Segments),
};

describe("intersectionPoint", () => {
  it("is exact where the point is a double", () => {
    expect(point([0, 0, 4, 4, 0, 2, 2, 0])).toEqual([1, 1]);
    expect(point([-1, -1, 1, 1, -1, 1, 1, -1])).toEqual([0, 0]);
    expect(point([500_000, 0, 500_000, 9, 499_999, 4.25, 500_003, 4.25])).toEqual([500_000, 4.25]);
  });

  it("rounds thirds as division does", () => {
    expect(point([0, 0, 1, 1, 0, 1, 0.5, 0])).toEqual([1 / 3, 1 / 3]);
  });

  it("finds the point of segments that part by one unit in the last place over their length", () => {
    // Worked out in whole numbers.
    const crossing = point([
      0.22806840832534264, 0.8034325666447301, 0.8289536007132123, 0.22830881746092987, 0.22806840832534273,
      0.80343256664473, 0.8289536007132122, 0.22830881746092999,
    ]);
    expect(crossing).toEqual([0.7496941706504388, 0.304170198558917]);
  });

  it("never gives a negative zero", () => {
    const [x, y] = point([-1, 0, 2, 0, 0, -3, 0, 5]);
    expect(Object.is(x, 0) && Object.is(y, 0)).toBe(true);
  });

  for (const [kind, segments] of Object.entries(KINDS)) {
    it(`is next to the true point, in both boxes, and the same in any order: segments ${kind}`, () => {
      let crossings = 0;
      fc.assert(
        fc.property(segments, (s) => {
          const truth = exactly(s);
          if (truth === null) return;
          crossings++;
          const [x, y] = point(s);
          expect(isNextTo(x, truth.x, truth.d)).toBe(true);
          expect(isNextTo(y, truth.y, truth.d)).toBe(true);
          const [ax, ay, bx, by, cx, cy, dx, dy] = s;
          expect(x).toBeGreaterThanOrEqual(Math.max(Math.min(ax, bx), Math.min(cx, dx)));
          expect(x).toBeLessThanOrEqual(Math.min(Math.max(ax, bx), Math.max(cx, dx)));
          expect(y).toBeGreaterThanOrEqual(Math.max(Math.min(ay, by), Math.min(cy, dy)));
          expect(y).toBeLessThanOrEqual(Math.min(Math.max(ay, by), Math.max(cy, dy)));
          expect(point([bx, by, ax, ay, cx, cy, dx, dy])).toEqual([x, y]);
          expect(point([ax, ay, bx, by, dx, dy, cx, cy])).toEqual([x, y]);
          expect(point([dx, dy, cx, cy, ax, ay, bx, by])).toEqual([x, y]);
        }),
        { seed: 3, numRuns: 4000 },
      );
      expect(crossings).toBeGreaterThan(100);
    });
  }
});
