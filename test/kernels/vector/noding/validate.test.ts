import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findUnnoded } from "../../../../src/kernels/vector/noding/validate.ts";
import { ANY_LINES, HARD_LINES, isNoded, strings } from "./lines.ts";

describe("findUnnoded", () => {
  it("accepts strings that meet at their ends, and complete duplicates either way round", () => {
    expect(findUnnoded(strings([0, 0, 1, 1], [1, 1, 2, 0], [1, 1, 1, 5]))).toBe(-1);
    expect(findUnnoded(strings([0, 0, 1, 1, 2, 1], [0, 0, 1, 1, 2, 1], [2, 1, 1, 1, 0, 0]))).toBe(-1);
    expect(findUnnoded(strings([0, 0, 4, 0, 4, 4, 0, 0]))).toBe(-1);
    expect(findUnnoded(strings())).toBe(-1);
  });

  it("names a string that crosses another, touches its inside, or runs along a part of it", () => {
    const apart = [100, 100, 101, 101];
    expect(findUnnoded(strings(apart, [0, 0, 2, 2], [0, 2, 2, 0]))).toBe(1);
    expect(findUnnoded(strings(apart, [0, 0, 2, 0], [1, 0, 1, 2]))).toBe(1);
    expect(findUnnoded(strings(apart, [0, 0, 2, 0], [1, 0, 3, 0]))).toBe(1);
    expect(findUnnoded(strings(apart, [0, 0, 2, 0], [0, 0, 1, 0]))).toBe(1);
  });

  it("names a string with another's end at an inner vertex, or with a vertex twice", () => {
    expect(findUnnoded(strings([0, 0, 1, 1, 2, 0], [1, 1, 1, 5]))).toBe(0);
    expect(findUnnoded(strings([0, 0, 1, 1, 2, 0], [0, 2, 1, 1, 2, 2]))).toBe(0);
    expect(findUnnoded(strings([0, 0, 2, 0, 2, 2, 1, 2, 2, 0, 3, 0]))).toBe(0);
  });

  it("names a string that turns straight back", () => {
    expect(findUnnoded(strings([0, 0, 5, 0, 3, 0]))).toBe(0);
    expect(findUnnoded(strings([9, 9, 8, 8], [0, 0, 5, 0, 0, 0]))).toBe(1);
  });

  it("sees a touch that only exact arithmetic sees", () => {
    // (0.3, 0.1) is on no line through doubles near it but this one.
    expect(findUnnoded(strings([0, 0, 0.6, 0.2], [0.3, 0.1, 5, 9]))).toBe(0);
    expect(findUnnoded(strings([0, 0, 0.6, 0.2], [0.3, 0.1 + 2 ** -56, 5, 9]))).toBe(-1);
  });

  it("agrees with comparing every two segments in whole numbers", () => {
    fc.assert(
      fc.property(fc.oneof(ANY_LINES, ...Object.values(HARD_LINES)), (input) => {
        const given = strings(...input.map(withoutRepeats));
        expect(findUnnoded(given) === -1).toBe(isNoded(given));
      }),
      { seed: 21, numRuns: 1500 },
    );
  });

  it("agrees on single segments, most of which do not meet", () => {
    const coordinate = fc.integer({ min: 0, max: 9 });
    const lines = fc.array(fc.array(coordinate, { minLength: 4, maxLength: 4 }), {
      minLength: 2,
      maxLength: 3,
    });
    let noded = 0;
    fc.assert(
      fc.property(lines, (input) => {
        const given = strings(...input.map(withoutRepeats));
        const truth = isNoded(given);
        if (truth) noded++;
        expect(findUnnoded(given) === -1).toBe(truth);
      }),
      { seed: 22, numRuns: 2000 },
    );
    expect(noded).toBeGreaterThan(500);
  });
});

function withoutRepeats(line: number[]): number[] {
  const out: number[] = [];
  for (let i = 0; i + 1 < line.length; i += 2) {
    if (out.length === 0 || out.at(-2) !== line[i] || out.at(-1) !== line[i + 1])
      out.push(line[i]!, line[i + 1]!);
  }
  return out;
}
