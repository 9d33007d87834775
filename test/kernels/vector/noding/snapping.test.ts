import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeSnapping } from "../../../../src/kernels/vector/noding/snapping.ts";
import { HARD_LINES, isNoded, show, strings } from "./lines.ts";

describe("nodeSnapping", () => {
  it("makes vertices within the tolerance one, the first of them", () => {
    const noded = nodeSnapping(strings([0, 0, 5, 5], [5.01, 5, 9, 0], [4.99, 5, 9, 9]), 0.1);
    expect(show(noded)).toEqual(["0: 0 0, 5 5", "1: 5 5, 9 0", "2: 5 5, 9 9"]);
    expect(noded.clean).toBe(true);
  });

  it("leads a line through a vertex within the tolerance of it", () => {
    const noded = nodeSnapping(strings([0, 0, 10, 0], [5, 0.01, 5, 8]), 0.1);
    expect(show(noded)).toEqual(["0: 0 0, 5 0.01", "0: 5 0.01, 10 0", "1: 5 0.01, 5 8"]);
  });

  it("snaps a crossing to a vertex within the tolerance", () => {
    const noded = nodeSnapping(strings([0, 0, 10, 0], [5, -0.01, 5, 8]), 0.1);
    expect(show(noded)).toEqual(["0: 0 0, 5 -0.01", "0: 5 -0.01, 10 0", "1: 5 -0.01, 5 8"]);
  });

  it("leaves what is farther apart as it was", () => {
    const noded = nodeSnapping(strings([0, 0, 4, 4], [0, 4, 4, 0]), 0.1);
    expect(show(noded)).toEqual(["0: 0 0, 2 2", "0: 2 2, 4 4", "1: 0 4, 2 2", "1: 2 2, 4 0"]);
  });

  it("closes the narrow tip of a line that turns nearly straight back", () => {
    const noded = nodeSnapping(strings([0, 0, 10, 0, 5, 0.01]), 0.1);
    expect(show(noded)).toEqual(["0: 0 0, 5 0.01", "0: 5 0.01, 10 0", "0: 10 0, 5 0.01"]);
  });

  it("passes over what is not finite, and lets nothing of a line shorter than the tolerance", () => {
    expect(nodeSnapping(strings([0, 0, 0.01, 0], [NaN, 1, 2, Infinity]), 0.1).tags).toHaveLength(0);
  });

  it("refuses a tolerance that is not a positive number", () => {
    for (const tolerance of [0, -1, NaN, Infinity]) {
      expect(() => nodeSnapping(strings([0, 0, 1, 1]), tolerance)).toThrow(RangeError);
    }
  });

  for (const [kind, lines] of Object.entries(HARD_LINES)) {
    it(`is deterministic, says truly whether all is noded, and moves vertices by the tolerance at most: ${kind}`, () => {
      let clean = 0;
      let runs = 0;
      fc.assert(
        fc.property(lines, (input) => {
          const given = strings(...input);
          const tolerance = 1e-12 * Math.max(1, ...given.xy.map(Math.abs));
          const noded = nodeSnapping(given, tolerance);
          expect(noded.clean).toBe(isNoded(noded));
          expect(nodeSnapping(given, tolerance)).toEqual(noded);
          runs++;
          if (noded.clean) clean++;
          for (let i = 0; i < given.xy.length; i += 2) {
            if (isLost(input, given.xy, i, tolerance)) continue;
            expect(distanceToNearest(noded.xy, given.xy[i]!, given.xy[i + 1]!)).toBeLessThanOrEqual(
              tolerance,
            );
          }
        }),
        { seed: 31, numRuns: 150 },
      );
      expect(clean / runs).toBeGreaterThan(0.95);
    });
  }
});

/** Whether the vertex at `at` is of a string so short that nothing may be left of it. */
function isLost(input: readonly number[][], xy: Float64Array, at: number, tolerance: number): boolean {
  let first = 0;
  for (const line of input) {
    if (at < first + line.length) {
      return line.every((c, i) => Math.abs(c - xy[at - (at % 2) + (i % 2)]!) <= 2 * tolerance);
    }
    first += line.length;
  }
  return false;
}

function distanceToNearest(xy: Float64Array, x: number, y: number): number {
  let best = Infinity;
  for (let i = 0; i < xy.length; i += 2) best = Math.min(best, Math.hypot(xy[i]! - x, xy[i + 1]! - y));
  return best;
}
