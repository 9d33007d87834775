import type { Window } from "../../../model/grid.ts";
import { isFloat, type SampleArray, type SampleType, type SampleValue } from "../../../model/raster.ts";

/** Arrays of numbers, as opposed to big integers. */
export type NumberArray = Exclude<SampleArray, BigInt64Array | BigUint64Array>;

/** Samples of one band of a source in memory, as far as they are needed. */
export interface SourceBlock {
  /** Where they lie in the source. What is outside is taken to be beyond the edge of the source. */
  readonly window: Window;
  readonly samples: NumberArray;
  /** 1 where a sample is observed, 0 where not; `null` when all are. */
  readonly valid: Uint8Array | null;
}

/**
 * Which samples are observed: the mask is not 0, the sample is not nodata and not NaN. `null` when all are. For complex
 * samples only the mask counts.
 */
export function observedOf(
  samples: SampleArray,
  type: SampleType,
  nodata: SampleValue | null,
  mask: Uint8Array | null,
): Uint8Array | null {
  const complex = type.startsWith("complex");
  const length = complex ? samples.length / 2 : samples.length;
  let valid: Uint8Array | null = null;
  if (mask?.includes(0)) {
    valid = new Uint8Array(length);
    for (let i = 0; i < length; i++) valid[i] = mask[i] === 0 ? 0 : 1;
  }
  if (complex) return valid;
  if (isFloat(type)) {
    // A nodata value that single precision cannot hold is kept as the file holds it.
    const single = samples instanceof Float32Array ? Math.fround(Number(nodata)) : Number(nodata);
    const value = nodata === null ? Number.NaN : single;
    const floats = samples as Float32Array | Float64Array;
    for (let i = 0; i < length; i++) {
      const sample = floats[i]!;
      if (sample !== value && !Number.isNaN(sample)) continue;
      valid ??= new Uint8Array(length).fill(1);
      valid[i] = 0;
    }
    return valid;
  }
  if (nodata === null || (typeof nodata === "number" && !Number.isInteger(nodata))) return valid;
  const big = samples instanceof BigInt64Array || samples instanceof BigUint64Array;
  const value = (big ? BigInt(nodata) : Number(nodata)) as never;
  let at = (samples as Int32Array).indexOf(value);
  if (at === -1) return valid;
  valid ??= new Uint8Array(length).fill(1);
  for (; at !== -1; at = (samples as Int32Array).indexOf(value, at + 1)) valid[at] = 0;
  return valid;
}

/** How numbers become samples. */
export interface StoreRule {
  /** Smallest and largest sample of an integer type; `null` for fractions. */
  readonly range: readonly [low: number, high: number] | null;
  /** Sample where nothing is observed. */
  readonly fill: number;
  /** Sample that stands for "not observed" and that a value must not become by chance; `null`: none. */
  readonly nodata: number | null;
}

/**
 * Store values as samples, NaN as {@link StoreRule.fill}. Whole numbers are rounded to the nearest, halves up, and cut
 * to the range of the type. A value that would read as nodata becomes the sample beside it.
 */
export function storeValues(
  values: Float64Array,
  count: number,
  out: NumberArray,
  at: number,
  rule: StoreRule,
): void {
  const { range, fill, nodata } = rule;
  if (range === null) {
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      out[at + i] = Number.isNaN(value) ? fill : value;
      // Only an exact hit is a chance hit: sums and means of fractions.
      if (nodata !== null && !Number.isNaN(value) && out[at + i] === nodata)
        out[at + i] = beside(nodata, out);
    }
    return;
  }
  const [low, high] = range;
  // Most values need no care; NaN fails the first comparison.
  const small = high - low < 65536;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value >= low && value <= high) {
      const whole = small ? ((value + 32768.5) | 0) - 32768 : Math.floor(value + 0.5);
      if (whole !== nodata && whole <= high) {
        out[at + i] = whole;
        continue;
      }
    }
    out[at + i] = Number.isNaN(value) ? fill : storedWhole(value, low, high, nodata);
  }
}

function storedWhole(value: number, low: number, high: number, nodata: number | null): number {
  const whole = Math.max(low, Math.min(high, Math.floor(value + 0.5)));
  if (whole !== nodata) return whole;
  return whole === low ? low + 1 : whole - 1;
}

/** The next larger number that the array can hold. */
function beside(value: number, out: NumberArray): number {
  if (out instanceof Float32Array) {
    const step = Math.max(Math.abs(value) * 2 ** -23, 2 ** -149);
    return Math.fround(value + step);
  }
  return value + Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);
}
