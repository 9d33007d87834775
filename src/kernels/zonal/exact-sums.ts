/**
 * Sums that do not depend on the order of their terms, to the bit, so that a zone has the same sum however its raster
 * was cut into tiles and whoever added them.
 *
 * A term is cut into parts that are multiples of 2^(26 j) for a few neighbouring `j`; parts of the same `j` add up exactly in
 * double precision, for up to 2^27 terms. The topmost `j` follows from the largest possible term (see {@link topBin}),
 * and what lies below the lowest is rounded off each term by itself. (The idea is that of Demmel and Nguyen's reproducible
 * summation, with bins at fixed places.)
 */

/** Bits from one bin to the next. */
const BITS = 26;
/** Bins go from `-LOWEST` upward. */
const LOWEST = 41;
const HIGHEST = 37;

/** `UNIT[j + LOWEST]` is 2^(26 j). */
const UNIT: Float64Array = Float64Array.from(
  { length: LOWEST + HIGHEST + 1 },
  (_, k) => 2 ** (BITS * (k - LOWEST)),
);
/** Adding and subtracting this rounds to a multiple of the unit. */
const ROUND: Float64Array = Float64Array.from(UNIT, (unit) => 1.5 * 2 ** 52 * unit);

/** Number of the topmost bin for terms up to `largest` in magnitude; terms of 0 alone have the lowest. */
export function topBin(largest: number): number {
  if (!(largest > 0)) return 4 - LOWEST;
  return Math.min(HIGHEST, Math.max(4 - LOWEST, Math.floor(Math.log2(largest) / BITS)));
}

/** What to add and subtract to round to a multiple of the unit of bin `j`. */
export function rounder(j: number): number {
  return ROUND[j + LOWEST]!;
}

/** Bins of every sum: at least 78 bits below the largest term. */
export const BINS = 4;

/** Add `x` to the bins at `sums[at ..]`, the first of which is number `top`. */
export function addTerm(sums: Float64Array, at: number, top: number, x: number): void {
  const first = top + LOWEST;
  const r0 = ROUND[first]!;
  const p0 = x + r0 - r0;
  let rest = x - p0;
  sums[at]! += p0;
  if (rest === 0) return;
  const r1 = ROUND[first - 1]!;
  const p1 = rest + r1 - r1;
  rest -= p1;
  sums[at + 1]! += p1;
  const r2 = ROUND[first - 2]!;
  const p2 = rest + r2 - r2;
  rest -= p2;
  sums[at + 2]! += p2;
  if (rest === 0) return;
  const r3 = ROUND[first - 3]!;
  sums[at + 3]! += rest + r3 - r3;
}

/** Make bins start at number `to`, at least `from`, where they start now: parts that fall off the end are forgotten. */
export function raiseBins(sums: Float64Array, at: number, from: number, to: number): void {
  const by = to - from;
  if (by === 0) return;
  for (let k = BINS - 1; k >= 0; k--) sums[at + k] = k >= by ? sums[at + k - by]! : 0;
}

/** Add bins of the same number of the topmost. */
export function addBins(
  sums: Float64Array,
  at: number,
  bins: number,
  from: Float64Array,
  start: number,
): void {
  for (let k = 0; k < bins; k++) sums[at + k]! += from[start + k]!;
}

/** The sum as one double. */
export function binsTotal(sums: Float64Array, at: number): number {
  // From the smallest: each is a rounding of the sum of those before at the most.
  let high = 0;
  let low = 0;
  for (let k = BINS - 1; k >= 0; k--) {
    const part = sums[at + k]!;
    const sum = high + part;
    const back = sum - high;
    low += high - (sum - back) + (part - back);
    high = sum;
  }
  return high + low;
}

/** The sum as a whole number of units of the lowest bin, exact. NaN and infinite sums give `null`. */
export function binsInteger(sums: Float64Array, at: number, top: number): bigint | null {
  let total = 0n;
  for (let k = 0; k < BINS; k++) {
    const count = sums[at + k]! / UNIT[top - k + LOWEST]!;
    if (!Number.isFinite(count)) return null;
    total = (total << 26n) + BigInt(count);
  }
  return total;
}

/** Exponent of two of the unit that {@link binsInteger} counts in. */
export function lowestExponent(top: number): number {
  return BITS * (top - BINS + 1);
}

/** `value * 2^exponent` of a whole number of any length, rounded to double. */
export function scaled(value: bigint, exponent: number): number {
  const negative = value < 0n;
  let magnitude = negative ? -value : value;
  const length = magnitude.toString(16).length * 4;
  let shift = 0;
  if (length > 120) {
    // Bits far below the last of a double only decide ties: one that says whether there were any is enough.
    shift = length - 120;
    const cut = magnitude >> BigInt(shift);
    magnitude = cut << BigInt(shift) === magnitude ? cut : cut | 1n;
  }
  const number = Number(magnitude);
  const power = exponent + shift;
  // In two steps, so that neither is beyond the range.
  const half = Math.trunc(power / 2);
  const result = number * 2 ** half * 2 ** (power - half);
  return negative ? -result : result;
}

/** `a / b * 2^exponent`, correctly rounded to within one unit in the last place; NaN when `b` is 0. */
export function ratio(a: bigint, b: bigint, exponent: number): number {
  if (b === 0n) return Number.NaN;
  if (a === 0n) return 0;
  const lengthA = (a < 0n ? -a : a).toString(16).length * 4;
  const lengthB = (b < 0n ? -b : b).toString(16).length * 4;
  const shift = Math.max(0, 80 + lengthB - lengthA);
  return scaled((a << BigInt(shift)) / b, exponent - shift);
}

/** `[a * b rounded, what was rounded off]`: the second of the pair; the first is `a * b`. */
export function productError(a: number, b: number, product: number): number {
  // Veltkamp's splitting and Dekker's product.
  const ca = 134217729 * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = 134217729 * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  const error = al * bl - (product - ah * bh - al * bh - ah * bl);
  // The splitting overflows for numbers near the end of the range.
  return Number.isNaN(error) ? 0 : error;
}
