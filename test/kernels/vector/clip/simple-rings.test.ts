import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { segmentsMeet } from "../../../../src/kernels/vector/classify.ts";
import { insideRings, ringsMeet } from "../../../../src/kernels/vector/clip/simple-rings.ts";

type Ring = readonly (readonly [number, number])[];

function flat(rings: readonly Ring[]): [Float64Array, Int32Array] {
  const starts = [0];
  for (const ring of rings) starts.push(starts.at(-1)! + ring.length);
  return [Float64Array.from(rings.flat(2)), Int32Array.from(starts)];
}

/** By looking at all pairs of edges. */
function meetSlowly(rings: readonly Ring[]): boolean {
  const edges = rings.flatMap((ring, r) =>
    ring.map((from, k) => ({ from, to: ring[(k + 1) % ring.length]!, r, k, n: ring.length })),
  );
  return edges.some((a, i) =>
    edges.some((b, j) => {
      if (j <= i) return false;
      const [ax, ay, bx, by] = [...a.from, ...a.to] as [number, number, number, number];
      const [cx, cy, dx, dy] = [...b.from, ...b.to] as [number, number, number, number];
      if (
        Math.max(ax, bx) < Math.min(cx, dx) ||
        Math.min(ax, bx) > Math.max(cx, dx) ||
        Math.max(ay, by) < Math.min(cy, dy) ||
        Math.min(ay, by) > Math.max(cy, dy)
      )
        return false;
      const follows = a.r === b.r && (b.k === (a.k + 1) % a.n || a.k === (b.k + 1) % a.n);
      if (!follows) return segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy);
      // Two that share an end meet elsewhere, too, when one's other end is on the other.
      const [p, q] = b.k === (a.k + 1) % a.n ? [a.from, b.to] : [a.to, b.from];
      const shared = b.k === (a.k + 1) % a.n ? a.to : a.from;
      const cross = (p[0] - shared[0]) * (q[1] - shared[1]) - (p[1] - shared[1]) * (q[0] - shared[0]);
      const along = (p[0] - shared[0]) * (q[0] - shared[0]) + (p[1] - shared[1]) * (q[1] - shared[1]);
      return cross === 0 && along >= 0;
    }),
  );
}

describe("ringsMeet", () => {
  it("finds what a look at every pair of edges finds", () => {
    const vertex = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }));
    const ring = fc
      .array(vertex, { minLength: 3, maxLength: 7 })
      .filter((r) =>
        r.every(([x, y], k) => x !== r[(k + 1) % r.length]![0] || y !== r[(k + 1) % r.length]![1]),
      );
    let met = 0;
    let runs = 0;
    fc.assert(
      fc.property(fc.array(ring, { minLength: 1, maxLength: 3 }), (rings) => {
        const [xy, starts] = flat(rings);
        const expected = meetSlowly(rings);
        runs++;
        if (expected) met++;
        expect(ringsMeet(xy, starts, 0, rings.length)).toBe(expected);
      }),
      { numRuns: 2000, seed: 21 },
    );
    expect(met).toBeGreaterThan(100);
    expect(runs - met).toBeGreaterThan(100);
  });

  it("sees crossings of edges that are far apart in a long ring, with and without an index", () => {
    for (const size of [200, 6000]) {
      const circle = Array.from({ length: size }, (_, k): [number, number] => [
        Math.cos((2 * Math.PI * k) / size),
        Math.sin((2 * Math.PI * k) / size),
      ]);
      const [xy, starts] = flat([circle]);
      expect(ringsMeet(xy, starts, 0, 1)).toBe(false);
      xy[2 * (size >> 1)] = 1.5;
      expect(ringsMeet(xy, starts, 0, 1)).toBe(true);
    }
  });

  it("looks only at the rings asked for", () => {
    const [xy, starts] = flat([
      [
        [0, 0],
        [2, 2],
        [2, 0],
        [0, 2],
      ],
      [
        [5, 5],
        [6, 5],
        [6, 6],
      ],
      [
        [5.5, 5.2],
        [9, 5],
        [9, 6],
      ],
    ]);
    expect(ringsMeet(xy, starts, 1, 2)).toBe(false);
    expect(ringsMeet(xy, starts, 1, 3)).toBe(true);
    expect(ringsMeet(xy, starts, 0, 1)).toBe(true);
  });
});

describe("insideRings", () => {
  it("takes holes out by the even-odd rule", () => {
    const [xy, starts] = flat([
      [
        [0, 0],
        [10, 0],
        [10, 10],
        [0, 10],
      ],
      [
        [4, 4],
        [4, 6],
        [6, 6],
        [6, 4],
      ],
    ]);
    expect(insideRings(xy, starts, 0, 2, 1, 1)).toBe(true);
    expect(insideRings(xy, starts, 0, 2, 5, 5)).toBe(false);
    expect(insideRings(xy, starts, 0, 2, 11, 5)).toBe(false);
    // Level with vertices: each counts once.
    expect(insideRings(xy, starts, 0, 2, 1, 4)).toBe(true);
    expect(insideRings(xy, starts, 0, 2, -1, 10)).toBe(false);
  });
});
