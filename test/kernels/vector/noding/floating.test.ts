import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeFloating } from "../../../../src/kernels/vector/noding/floating.ts";
import type { SegmentStrings } from "../../../../src/kernels/vector/noding/strings.ts";
import { findUnnoded } from "../../../../src/kernels/vector/noding/validate.ts";
import { ANY_LINES, HARD_LINES, isNoded, segmentSet, show, strings, totalLength } from "./lines.ts";

describe("nodeFloating", () => {
  it("splits two lines that cross, and keeps their tags", () => {
    const noded = nodeFloating(strings([0, 0, 4, 4], [0, 4, 4, 0]));
    expect(show(noded)).toEqual(["0: 0 0, 2 2", "0: 2 2, 4 4", "1: 0 4, 2 2", "1: 2 2, 4 0"]);
    expect(noded.clean).toBe(true);
  });

  it("splits a line where another ends on it, exactly there", () => {
    const noded = nodeFloating(strings([0, 0, 9, 3], [3, 1, 3, 7]));
    expect(show(noded)).toEqual(["0: 0 0, 3 1", "0: 3 1, 9 3", "1: 3 1, 3 7"]);
  });

  it("splits both lines at a vertex they share", () => {
    const noded = nodeFloating(strings([0, 0, 1, 1, 2, 0], [0, 2, 1, 1, 2, 2]));
    expect(show(noded)).toEqual(["0: 0 0, 1 1", "0: 1 1, 2 0", "1: 0 2, 1 1", "1: 1 1, 2 2"]);
  });

  it("gives lines that run together pieces that are complete duplicates", () => {
    const noded = nodeFloating(strings([0, 0, 8, 0], [6, 0, 2, 0]));
    expect(show(noded)).toEqual(["0: 0 0, 2 0", "0: 2 0, 6 0", "0: 6 0, 8 0", "1: 6 0, 2 0"]);
  });

  it("leaves a ring that meets nothing one closed string", () => {
    const ring = [0, 0, 4, 0, 4, 4, 0, 0];
    expect(show(nodeFloating(strings(ring)))).toEqual(["0: 0 0, 4 0, 4 4, 0 0"]);
  });

  it("splits a line where it comes back to itself: a loop, a spike, a figure of eight", () => {
    expect(show(nodeFloating(strings([0, 0, 2, 0, 2, 2, 1, 2, 2, 0, 3, 0])))).toEqual([
      "0: 0 0, 2 0",
      "0: 2 0, 2 2, 1 2, 2 0",
      "0: 2 0, 3 0",
    ]);
    expect(show(nodeFloating(strings([0, 0, 5, 0, 3, 0, 3, 1])))).toEqual([
      "0: 0 0, 3 0",
      "0: 3 0, 5 0",
      "0: 5 0, 3 0",
      "0: 3 0, 3 1",
    ]);
    expect(show(nodeFloating(strings([0, 0, 2, 2, 2, 0, 0, 2, 0, 0])))).toEqual([
      "0: 0 0, 1 1",
      "0: 1 1, 2 2, 2 0, 1 1",
      "0: 1 1, 0 2, 0 0",
    ]);
  });

  it("passes over repeated vertices, vertices that are not finite, and strings without two points", () => {
    const noded = nodeFloating(
      strings([1, 1], [], [0, 0, 0, 0], [0, 0, NaN, 2, -0, 0, 3, 0, 3, 0, Infinity, 9]),
    );
    expect(show(noded)).toEqual(["3: 0 0, 3 0"]);
    expect(nodeFloating(strings()).tags).toHaveLength(0);
  });

  it("knows the nodes of many lines along one in their order", () => {
    const comb = Array.from({ length: 40 }, (_, i) => [37 * i - 41 * Math.floor((37 * i) / 41), -1, 1, 1]);
    const noded = nodeFloating(strings([41, 0, -1, 0], ...comb));
    const xs = show(noded)
      .filter((line) => line.startsWith("0:"))
      .map((line) => Number(line.slice(3).split(" ")[0]));
    expect(xs).toEqual(xs.slice().sort((a, b) => b - a));
    expect(findUnnoded(noded)).toBe(-1);
  });

  it("says when rounding has made lines meet anew", () => {
    // Three lines of nearly the same direction, crossing within a few units in the last place.
    const noded = nodeFloating(
      strings([0, 0, 1, 1 / 3], [0, 2 ** -54, 1, 1 / 3 - 2 ** -54], [0.1, 0, 0.7, 0.7 / 3 + 2 ** -55]),
    );
    expect(noded.clean).toBe(isNoded(noded));
  });

  for (const [kind, lines] of Object.entries(HARD_LINES)) {
    it(`knows whether its result is noded, and keeps vertices and length: ${kind}`, () => {
      fc.assert(
        fc.property(lines, (input) => {
          const given = strings(...input);
          const noded = nodeFloating(given);
          const truth = isNoded(noded);
          expect(noded.clean).toBe(truth);
          expect(findUnnoded(noded) === -1).toBe(truth);
          const length = totalLength(given);
          const ulp = 2 ** -52 * Math.max(...given.xy.map(Math.abs));
          expect(Math.abs(totalLength(noded) - length)).toBeLessThanOrEqual(
            1e-13 * length + 4 * ulp * noded.tags.length,
          );
          const vertices = verticesOf(noded);
          for (let s = 0; s < given.tags.length; s++) {
            const line = input[s]!;
            const points = new Set(
              line.map((_, i) => `${line[i - (i % 2)]! + 0} ${line[i - (i % 2) + 1]! + 0}`),
            );
            if (points.size > 1) for (const point of points) expect(vertices.has(point)).toBe(true);
          }
        }),
        { seed: 11, numRuns: 250 },
      );
    });
  }

  it("covers the same segments whichever way round the strings come, and the same bits each time", () => {
    fc.assert(
      fc.property(fc.oneof(...Object.values(HARD_LINES)), (input) => {
        const noded = nodeFloating(strings(...input));
        const reversed = input
          .map((line) => line.map((_, i) => line[line.length - 2 - i + 2 * (i % 2)]!))
          .reverse();
        expect(segmentSet(nodeFloating(strings(...reversed)))).toEqual(segmentSet(noded));
        expect(nodeFloating(strings(...input))).toEqual(noded);
      }),
      { seed: 12, numRuns: 400 },
    );
  });

  it("gives the translated result for lines translated exactly", () => {
    const lines = fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 4, maxLength: 14 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(lines, (input) => {
        const even = input.map((line) => line.slice(0, line.length - (line.length % 2)));
        const noded = nodeFloating(strings(...even));
        const moved = nodeFloating(strings(...even.map((line) => line.map((c) => c + 1024))));
        expect(moved.starts).toEqual(noded.starts);
        expect(moved.tags).toEqual(noded.tags);
        for (let i = 0; i < noded.xy.length; i++) expect(moved.xy[i]! - 1024).toBeCloseTo(noded.xy[i]!, 11);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it("neither throws nor lies on any finite numbers", () => {
    fc.assert(
      fc.property(ANY_LINES, (input) => {
        const noded = nodeFloating(strings(...input));
        expect(noded.clean).toBe(isNoded(noded));
      }),
      { seed: 14, numRuns: 400 },
    );
  });

  it("finds in many segments what comparing all would, through its index", () => {
    // 900 segments, some long: enough for the index, few enough for the slow check.
    const random = sequence(5);
    const lines = Array.from({ length: 180 }, (_, i) => {
      const x = 1000 * random();
      const y = 1000 * random();
      const size = i % 30 === 0 ? 900 : 40;
      return Array.from({ length: 12 }, (_, k) => (k % 2 === 0 ? x : y) + size * random());
    });
    const noded = nodeFloating(strings(...lines));
    expect(noded.clean).toBe(true);
    expect(isNoded(noded)).toBe(true);
    expect(noded.tags.length).toBeGreaterThan(1000);
  });

  it("nodes a grid of long lines without comparing all pieces with all", () => {
    const n = 150;
    const across = Array.from({ length: n }, (_, i) => [-1, i, n, i + 1 / 3]);
    const up = Array.from({ length: n }, (_, i) => [i, -1, i + 1 / 3, n]);
    const noded = nodeFloating(strings(...across, ...up));
    expect(noded.tags).toHaveLength(2 * n * (n + 1));
    expect(noded.clean).toBe(true);
    expect(findUnnoded(noded)).toBe(-1);
  });
});

function verticesOf({ xy }: SegmentStrings): Set<string> {
  const set = new Set<string>();
  for (let i = 0; i < xy.length; i += 2) set.add(`${xy[i]} ${xy[i + 1]}`);
  return set;
}

/** Numbers in [0, 1) that are the same every time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
