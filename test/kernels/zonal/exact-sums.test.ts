import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addBins,
  addTerm,
  BINS,
  binsInteger,
  binsTotal,
  lowestExponent,
  productError,
  raiseBins,
  ratio,
  scaled,
  topBin,
} from "../../../src/kernels/zonal/exact-sums.ts";

/** Add terms, making room as larger ones come. */
function sumOf(terms: readonly number[]): { sums: Float64Array; top: number } {
  const sums = new Float64Array(BINS);
  let largest = 0;
  let top = topBin(0);
  for (const term of terms) {
    if (Math.abs(term) > largest) {
      largest = Math.abs(term);
      raiseBins(sums, 0, top, topBin(largest));
      top = topBin(largest);
    }
    addTerm(sums, 0, top, term);
  }
  return { sums, top };
}

function total(terms: readonly number[]): number {
  const { sums, top } = sumOf(terms);
  return scaled(binsInteger(sums, 0, top)!, lowestExponent(top));
}

const magnitudes = fc
  .tuple(fc.maxSafeInteger(), fc.integer({ min: -140, max: 40 }))
  .map(([value, exponent]) => value * 2 ** exponent);

describe("sums that do not depend on order", () => {
  it("keeps what a plain sum loses", () => {
    expect(total([1e16, 1, -1e16, 1])).toBe(2);
    expect(total(Array.from({ length: 10 }, () => 0.1))).toBe(1);
  });

  it("has the same bits for every order of the terms and every way to cut them", () => {
    fc.assert(
      fc.property(
        fc.array(magnitudes, { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (terms, cut, keys) => {
          const expected = total(terms);
          const shuffled = terms
            .map((term) => ({ term, key: keys.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ term }) => term);
          expect(Object.is(total(shuffled), expected)).toBe(true);
          const at = cut % terms.length;
          const left = sumOf(terms.slice(0, at));
          const right = sumOf(terms.slice(at));
          const top = Math.max(left.top, right.top);
          raiseBins(left.sums, 0, left.top, top);
          raiseBins(right.sums, 0, right.top, top);
          addBins(left.sums, 0, BINS, right.sums, 0);
          expect(Object.is(scaled(binsInteger(left.sums, 0, top)!, lowestExponent(top)), expected)).toBe(
            true,
          );
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it("is within 78 bits of the largest term of the exact sum", () => {
    fc.assert(
      fc.property(fc.array(magnitudes, { minLength: 1, maxLength: 40 }), (terms) => {
        const exact = terms.reduce((sum, term) => sum + BigInt(term * 2 ** 140), 0n);
        const largest = Math.max(...terms.map(Math.abs));
        const error = Math.abs(total(terms) - scaled(exact, -140));
        expect(error).toBeLessThanOrEqual(
          terms.length * largest * 2 ** -78 + Math.abs(total(terms)) * 2 ** -52,
        );
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("reads bins as one double", () => {
    const { sums } = sumOf([0.1, 0.2, 0.3]);
    expect(binsTotal(sums, 0)).toBeCloseTo(0.6, 15);
  });

  it("gives null for sums that are not finite", () => {
    const { sums, top } = sumOf([1, Infinity]);
    expect(binsInteger(sums, 0, top)).toBeNull();
  });
});

describe("quotients of whole numbers", () => {
  it("rounds once", () => {
    expect(ratio(1n, 3n, 0)).toBe(1 / 3);
    expect(ratio(-2n, 3n, 1)).toBe(-4 / 3);
    expect(ratio(10n ** 40n, 10n ** 20n, 0)).toBe(1e20);
    expect(ratio(1n, 0n, 0)).toBeNaN();
  });

  it("scales beyond the range of doubles on the way", () => {
    expect(scaled(1n << 2000n, -2000)).toBe(1);
    expect(scaled(-3n, -1)).toBe(-1.5);
  });
});

it("the error of a product is what rounding took", () => {
  const a = 1 + 2 ** -30;
  expect(productError(a, a, a * a)).toBe(2 ** -60);
});
