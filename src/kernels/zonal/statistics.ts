import { COUNTS, EXTREMES } from "./accumulate.ts";
import { BINS, binsInteger, binsTotal, lowestExponent, ratio, scaled, topBin } from "./exact-sums.ts";
import { type Distribution, weightOf, type ZonalTally } from "./tally.ts";

/** How a quantile is read off weighted values. */
export type QuantileMethod = "weighted" | "hf7";

/** Which of several values of the same weight is the majority. */
export type MajorityTie = "min" | "max" | "first";

/** A number that is a whole number times a power of two, exact. */
interface Exact {
  readonly value: bigint;
  readonly exponent: number;
}

/**
 * Sums of weight times value to the powers 0 .. `powers` of one zone, exact, with everything that follows from them. `null`
 * results where the zone has no pixel, and where values are infinite.
 */
export class Moments {
  readonly #sums: readonly (Exact | null)[];

  constructor(sums: readonly (Exact | null)[]) {
    this.#sums = sums;
  }

  /** Sum of weights; 0 without pixels. */
  get weight(): number {
    const weight = this.#sums[0];
    return weight == null ? 0 : scaled(weight.value, weight.exponent);
  }

  /** Sum of weight times value; 0 without pixels. */
  get sum(): number | null {
    const sum = this.#sums[1];
    return sum == null ? null : scaled(sum.value, sum.exponent);
  }

  get mean(): number | null {
    const [weight, sum] = this.#sums;
    if (weight == null || sum == null || weight.value === 0n) return null;
    return ratio(sum.value, weight.value, sum.exponent - weight.exponent);
  }

  /** Mean of the squares of the differences from the mean. */
  get variance(): number | null {
    return this.#central(2);
  }

  /** Third moment about the mean by the power 1.5 of the variance; `null` when all values are equal. */
  get skew(): number | null {
    const variance = this.variance;
    const third = this.#central(3);
    return variance === null || third === null || variance === 0 ? null : third / variance ** 1.5;
  }

  /** Fourth moment about the mean by the square of the variance, less 3: 0 for a normal distribution. */
  get kurtosis(): number | null {
    const variance = this.variance;
    const fourth = this.#central(4);
    return variance === null || fourth === null || variance === 0 ? null : fourth / (variance * variance) - 3;
  }

  /** Moment about the mean, from whole numbers, so that nothing cancels. */
  #central(power: 2 | 3 | 4): number | null {
    const taken = this.#sums.slice(0, power + 1);
    if (taken.length <= power || taken.some((sum) => sum == null)) return null;
    const exact = taken as Exact[];
    if (exact[0]!.value === 0n) return null;
    // Sum p is counted in units of 2^(weights + p * values): all terms of the formulas below then have the same unit.
    const weights = exact[0]!.exponent;
    let values = Infinity;
    for (let p = 1; p <= power; p++)
      values = Math.min(values, Math.floor((exact[p]!.exponent - weights) / p));
    const [n, s1, s2, s3, s4] = exact.map(
      ({ value, exponent }, p) => value << BigInt(p === 0 ? 0 : exponent - weights - p * values),
    ) as [bigint, bigint, bigint, bigint, bigint];
    if (power === 2) return Math.max(0, ratio(s2 * n - s1 * s1, n * n, 2 * values));
    if (power === 3) return ratio(s3 * n * n - 3n * s1 * s2 * n + 2n * s1 ** 3n, n ** 3n, 3 * values);
    return ratio(
      s4 * n ** 3n - 4n * s1 * s3 * n * n + 6n * s1 * s1 * s2 * n - 3n * s1 ** 4n,
      n ** 4n,
      4 * values,
    );
  }
}

/** Moments of one zone, from its sums or from its values when those were counted in a table. */
export function momentsOf(tally: ZonalTally, zone: number, distribution: Distribution | null): Moments {
  const { layout, sums, largestArea } = tally;
  const base = layout.size * zone;
  const top = topBin(largestArea);
  const weight = exact(sums, base + layout.observed, top);
  if (tally.counts[COUNTS * zone] === 0) return new Moments([ZERO, ZERO]);
  if (!tally.fromValues) {
    const powers = layout.powers.map((at, k) => exact(sums, base + at, tally.top(zone, k + 1, false)));
    return new Moments([weight, ...powers]);
  }
  const totals = layout.powers.map(() => 0n);
  for (let k = 0; k < (distribution?.value.length ?? 0); k++) {
    const value = BigInt(distribution!.value[k]!);
    let product = binsInteger(distribution!.weight, BINS * k, top)!;
    for (let p = 0; p < totals.length; p++) {
      product *= value;
      totals[p]! += product;
    }
  }
  const exponent = lowestExponent(top);
  return new Moments([weight, ...totals.map((value) => ({ value, exponent }))]);
}

/** Moments of one zone with the weights of the second raster. */
export function weightedMomentsOf(tally: ZonalTally, zone: number): Moments {
  const { layout, sums } = tally;
  if (tally.counts[COUNTS * zone]! - tally.counts[COUNTS * zone + 2]! === 0) return new Moments([ZERO, ZERO]);
  return new Moments(
    layout.weighted.map((at, p) => exact(sums, layout.size * zone + at, tally.top(zone, p, true))),
  );
}

/** Weight of the pixels of a zone that are not observed. */
export function missingWeight(tally: ZonalTally, zone: number): number {
  return binsTotal(tally.sums, tally.layout.size * zone + tally.layout.missing);
}

/** Least and greatest value and their places; `null` without pixels. */
export function extremesOf(
  tally: ZonalTally,
  zone: number,
): { min: number; max: number; minPlace: number; maxPlace: number } | null {
  if (tally.counts[COUNTS * zone] === 0) return null;
  const [min, max, minPlace, maxPlace] = tally.extremes.subarray(EXTREMES * zone, EXTREMES * zone + 4);
  return { min: min!, max: max!, minPlace: minPlace!, maxPlace: maxPlace! };
}

const ZERO: Exact = { value: 0n, exponent: 0 };

function exact(sums: Float64Array, at: number, top: number): Exact | null {
  const value = binsInteger(sums, at, top);
  return value === null ? null : { value, exponent: lowestExponent(top) };
}

/**
 * Weights that differ by no more than coordinates and coverage are rounded are the same: by 1e-9 of themselves, or 1e-11
 * of a whole pixel.
 */
function tolerance(weight: number, whole: number): number {
  return 1e-9 * weight + 1e-11 * whole;
}

/**
 * The value of the largest weight; `null` when there is none.
 *
 * @param whole  Weight of a whole pixel.
 */
export function majority(values: Distribution, tie: MajorityTie, whole: number): number | null {
  const weights = Float64Array.from(values.value, (_, k) => weightOf(values, k));
  let largest = -Infinity;
  for (const weight of weights) if (weight > largest) largest = weight;
  const least = largest - tolerance(largest, whole);
  let best = -1;
  for (let k = 0; k < weights.length; k++) {
    if (weights[k]! < least) continue;
    if (best !== -1) {
      if (tie === "min") break;
      if (tie === "first" && values.order![4 * k]! > values.order![4 * best]!) continue;
    }
    best = k;
  }
  return best === -1 ? null : values.value[best]!;
}

/** The value of the least weight, the smallest such; `null` when there is none. */
export function minority(values: Distribution, whole: number): number | null {
  const weights = Float64Array.from(values.value, (_, k) => weightOf(values, k));
  let least = Infinity;
  for (const weight of weights) if (weight < least) least = weight;
  const most = least + tolerance(least, whole);
  for (let k = 0; k < weights.length; k++) if (weights[k]! <= most) return values.value[k]!;
  return null;
}

/** Weight of value `k` by the second raster. */
export function secondWeightOf(values: Distribution, k: number): number {
  return binsTotal(values.second!, BINS * k);
}

/**
 * Quantile `q` (0..1) of a zone; `null` without values.
 *
 * - `"hf7"`: each pixel counts once; linear between neighbours at `q (n - 1)`, the default of numpy and R.
 * - `"weighted"`: pixel `i` of the `n` sorted ones, of weight `w_i`, lies at `i w_i + (n - 1) (w_0 + ... + w_(i-1))`; linear
 *   between neighbours at `q (n - 1)` times the sum of all weights. Pixels of the same value are in row order. With equal
 *   weights it is hf7. That is exactextract's formula.
 */
export function quantile(values: Distribution, q: number, method: QuantileMethod): number | null {
  const { value, pixels, order } = values;
  const groups = value.length;
  if (groups === 0) return null;
  let n = 0;
  for (let k = 0; k < groups; k++) n += pixels[k]!;
  if (n === 1 || groups === 1) return value[0]!;
  if (method === "hf7" || order === null) {
    const at = q * (n - 1);
    const lower = Math.floor(at);
    let before = 0;
    for (let k = 0; k < groups; k++) {
      before += pixels[k]!;
      if (lower > before - 1) continue;
      const next = lower + 1 <= before - 1 || k + 1 === groups ? value[k]! : value[k + 1]!;
      return between(value[k]!, next, at - lower);
    }
    return value[groups - 1]!;
  }
  let total = 0;
  for (let k = 0; k < groups; k++) total += weightOf(values, k);
  const target = q * (n - 1) * total;
  let rank = 0;
  let before = 0;
  let lastPlace = 0;
  for (let k = 0; k < groups; k++) {
    const weight = weightOf(values, k);
    const first = rank * order[4 * k + 1]! + (n - 1) * before;
    if (target <= first)
      return k === 0
        ? value[0]!
        : between(value[k - 1]!, value[k]!, (target - lastPlace) / (first - lastPlace));
    rank += pixels[k]!;
    before += weight;
    const lastWeight = order[4 * k + 3]!;
    lastPlace = (rank - 1) * lastWeight + (n - 1) * (before - lastWeight);
    if (target <= lastPlace) return value[k]!;
  }
  return value[groups - 1]!;
}

function between(a: number, b: number, share: number): number {
  return share === 0 || a === b ? a : share === 1 ? b : a + share * (b - a);
}
