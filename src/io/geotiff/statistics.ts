import { isComplex, type SampleArray, type SampleType, type SampleValue } from "../../model/raster.ts";

/** Statistics of the observed pixels of one band, in sample units (scale and offset not applied). */
export interface BandStatistics {
  /** Observed pixels. */
  readonly valid: number;
  /** All pixels. */
  readonly total: number;
  /** `null` when nothing was observed; likewise the others. */
  readonly min: SampleValue | null;
  readonly max: SampleValue | null;
  readonly mean: number | null;
  /** Of the population (divided by the count), as GDAL's STATISTICS_STDDEV. */
  readonly stdev: number | null;
}

/** Adds up one band, tile by tile. */
export interface StatisticsCollector {
  /**
   * Add the top-left `width` x `height` pixels of `samples`, whose rows are `stride` pixels apart. `mask` has
   * the same layout; 0 = not observed.
   */
  add(samples: SampleArray, stride: number, width: number, height: number, mask: Uint8Array | null): void;
  result(): BandStatistics;
}

/**
 * A collector for one sample type; `null` for complex types, which have no order. Nodata and NaN are not observed.
 *
 * Whole numbers of 8 and 16 bits are exact. Others carry a compensated sum (Neumaier 1974) for the mean, and
 * squared deviations per row merged as in Chan, Golub and LeVeque (1983), so that neither a large offset nor many
 * pixels cost digits. The result depends on the order of tiles only in the last digits; the writer's order is fixed.
 */
export function statisticsCollector(
  type: SampleType,
  nodata: number | bigint | null,
): StatisticsCollector | null {
  if (isComplex(type)) return null;
  if (type === "uint8" || type === "int8") return new ByteStatistics(type === "int8", nodata);
  if (type === "int64" || type === "uint64") return new BigStatistics(nodata);
  if (type === "int16" || type === "uint16")
    return new ShortStatistics(nodata === null ? NaN : Number(nodata));
  return new NumberStatistics(nodata === null ? NaN : Number(nodata));
}

/** Everything follows from how often each of 256 values is met. */
class ByteStatistics implements StatisticsCollector {
  readonly #signed: boolean;
  readonly #nodata: number;
  readonly #counts = new Float64Array(256);
  #total = 0;

  constructor(signed: boolean, nodata: number | bigint | null) {
    this.#signed = signed;
    this.#nodata = nodata === null ? NaN : Number(nodata);
  }

  add(samples: SampleArray, stride: number, width: number, height: number, mask: Uint8Array | null): void {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.length);
    const counts = this.#counts;
    // Words of four samples start at every row, or none does.
    const quads = mask === null && stride % 4 === 0 && samples.byteOffset % 4 === 0 ? width >>> 2 : 0;
    if (quads > 0) {
      pairCounts.take(this.#counts);
      const words = new Uint32Array(samples.buffer, samples.byteOffset, samples.length >>> 2);
      const { low, high } = pairCounts;
      for (let y = 0; y < height; y++) {
        const start = (y * stride) >>> 2;
        for (let i = start; i < start + quads; i++) {
          const word = words[i]!;
          low[word & 0xffff]!++;
          high[word >>> 16]!++;
        }
      }
      pairCounts.added(2 * quads * height);
    }
    for (let y = 0; y < height; y++) {
      const end = y * stride + width;
      for (let i = y * stride + 4 * quads; i < end; i++)
        if (mask === null || mask[i] !== 0) counts[bytes[i]!]!++;
    }
    this.#total += width * height;
  }

  result(): BandStatistics {
    pairCounts.release(this.#counts);
    let valid = 0;
    let sum = 0n;
    let squares = 0n;
    let min = Infinity;
    let max = -Infinity;
    for (let byte = 0; byte < 256; byte++) {
      const value = this.#signed && byte > 127 ? byte - 256 : byte;
      const count = this.#counts[byte]!;
      if (count === 0 || value === this.#nodata) continue;
      valid += count;
      sum += BigInt(count) * BigInt(value);
      squares += BigInt(count) * BigInt(value * value);
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    return exactResult(valid, this.#total, min, max, sum, squares);
  }
}

/**
 * How often each pair of neighbouring bytes is met: half the increments of counting bytes, and equal neighbours, common
 * in class rasters, do not make each increment wait for the one before. Half a megabyte, which the collectors of all
 * bands share: who counts takes them, and whoever had them before gets what they hold.
 */
class PairCounts {
  readonly low: Uint32Array = new Uint32Array(65_536);
  readonly high: Uint32Array = new Uint32Array(65_536);
  #owner: Float64Array | null = null;
  /** Pairs since the tables were empty; an entry holds 2^32. */
  #pairs = 0;

  /** From here on `low` and `high` count for `counts`, the number of each byte. */
  take(counts: Float64Array): void {
    if (this.#owner === counts) return;
    if (this.#owner !== null) this.release(this.#owner);
    this.#owner = counts;
  }

  added(pairs: number): void {
    this.#pairs += pairs;
    if (this.#pairs > 2 ** 31) this.#pour();
  }

  /** Give `counts` what was counted for it. */
  release(counts: Float64Array): void {
    if (this.#owner !== counts) return;
    this.#pour();
    this.#owner = null;
  }

  #pour(): void {
    const counts = this.#owner!;
    for (const table of [this.low, this.high]) {
      for (let pair = 0; pair < table.length; pair++) {
        const times = table[pair]!;
        if (times === 0) continue;
        counts[pair & 0xff]! += times;
        counts[pair >>> 8]! += times;
        table[pair] = 0;
      }
    }
    this.#pairs = 0;
  }
}

const pairCounts = new PairCounts();

/** Sums of one chunk are exact in a double (2^18 squares of 16 bits < 2^53); totals are kept as big integers. */
class ShortStatistics implements StatisticsCollector {
  readonly #nodata: number;
  #row = new Float64Array(0);
  #valid = 0;
  #total = 0;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0n;
  #squares = 0n;

  constructor(nodata: number) {
    this.#nodata = nodata;
  }

  add(samples: SampleArray, stride: number, width: number, height: number, mask: Uint8Array | null): void {
    if (this.#row.length < width) this.#row = new Float64Array(width);
    const row = this.#row;
    const rowsPerChunk = Math.max(1, Math.floor(2 ** 18 / width));
    let { sum, squares, valid, min, max } = { sum: 0, squares: 0, valid: 0, min: this.#min, max: this.#max };
    for (let y = 0; y < height; y++) {
      widenRow(samples as Int16Array, y * stride, width, mask, this.#nodata, row);
      for (let x = 0; x < width; x++) {
        const value = row[x]!;
        if (Number.isNaN(value)) continue;
        valid++;
        sum += value;
        squares += value * value;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      if ((y + 1) % rowsPerChunk === 0 || y === height - 1) {
        this.#sum += BigInt(sum);
        this.#squares += BigInt(squares);
        sum = 0;
        squares = 0;
      }
    }
    this.#valid += valid;
    this.#total += width * height;
    this.#min = min;
    this.#max = max;
  }

  result(): BandStatistics {
    return exactResult(this.#valid, this.#total, this.#min, this.#max, this.#sum, this.#squares);
  }
}

class NumberStatistics implements StatisticsCollector {
  readonly #nodata: number;
  #row = new Float64Array(0);
  #valid = 0;
  #total = 0;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;
  #lost = 0;
  #deviations = 0;

  constructor(nodata: number) {
    this.#nodata = nodata;
  }

  add(samples: SampleArray, stride: number, width: number, height: number, mask: Uint8Array | null): void {
    if (this.#row.length < width) this.#row = new Float64Array(width);
    const row = this.#row;
    for (let y = 0; y < height; y++) {
      widenRow(samples as Float32Array, y * stride, width, mask, this.#nodata, row);
      this.#addRow(row, width);
    }
    this.#total += width * height;
  }

  #addRow(row: Float64Array, width: number): void {
    let count = 0;
    let sum = 0;
    let lost = 0;
    let min = this.#min;
    let max = this.#max;
    for (let x = 0; x < width; x++) {
      const value = row[x]!;
      if (Number.isNaN(value)) continue;
      count++;
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (count === 0) return;
    const mean = (sum + lost) / count;
    let deviations = 0;
    for (let x = 0; x < width; x++) {
      const deviation = row[x]! - mean;
      if (!Number.isNaN(deviation)) deviations += deviation * deviation;
    }
    if (this.#valid > 0) {
      const apart = mean - (this.#sum + this.#lost) / this.#valid;
      deviations += apart * apart * ((this.#valid * count) / (this.#valid + count));
    }
    this.#deviations += deviations;
    this.#valid += count;
    const next = this.#sum + sum;
    this.#lost +=
      lost + (Math.abs(this.#sum) >= Math.abs(sum) ? this.#sum - next + sum : sum - next + this.#sum);
    this.#sum = next;
    this.#min = min;
    this.#max = max;
  }

  result(): BandStatistics {
    if (this.#valid === 0) return nothing(this.#total);
    return {
      valid: this.#valid,
      total: this.#total,
      min: this.#min,
      max: this.#max,
      // Infinities leave NaN in the part that was lost to rounding.
      mean: (!Number.isNaN(this.#lost) ? this.#sum + this.#lost : this.#sum) / this.#valid,
      stdev: Math.sqrt(this.#deviations / this.#valid),
    };
  }
}

/** 64-bit integers: exact and slow. */
class BigStatistics implements StatisticsCollector {
  readonly #nodata: bigint | null;
  #valid = 0;
  #total = 0;
  #min: bigint | null = null;
  #max: bigint | null = null;
  #sum = 0n;
  #squares = 0n;

  constructor(nodata: number | bigint | null) {
    this.#nodata = nodata === null ? null : BigInt(nodata);
  }

  add(samples: SampleArray, stride: number, width: number, height: number, mask: Uint8Array | null): void {
    const values = samples as BigInt64Array;
    for (let y = 0; y < height; y++) {
      for (let i = y * stride; i < y * stride + width; i++) {
        const value = values[i]!;
        if (value === this.#nodata || (mask !== null && mask[i] === 0)) continue;
        this.#valid++;
        this.#sum += value;
        this.#squares += value * value;
        if (this.#min === null || value < this.#min) this.#min = value;
        if (this.#max === null || value > this.#max) this.#max = value;
      }
    }
    this.#total += width * height;
  }

  result(): BandStatistics {
    return exactResult(this.#valid, this.#total, this.#min, this.#max, this.#sum, this.#squares);
  }
}

function widenRow(
  samples: Int16Array | Uint16Array | Float32Array,
  start: number,
  width: number,
  mask: Uint8Array | null,
  nodata: number,
  row: Float64Array,
): void {
  row.set(samples.subarray(start, start + width));
  if (!Number.isNaN(nodata)) for (let x = 0; x < width; x++) if (row[x] === nodata) row[x] = NaN;
  if (mask !== null) for (let x = 0; x < width; x++) if (mask[start + x] === 0) row[x] = NaN;
}

function exactResult(
  valid: number,
  total: number,
  min: SampleValue | null,
  max: SampleValue | null,
  sum: bigint,
  squares: bigint,
): BandStatistics {
  if (valid === 0) return nothing(total);
  const count = BigInt(valid);
  const variance = ratio(count * squares - sum * sum, count * count);
  return { valid, total, min, max, mean: ratio(sum, count), stdev: Math.sqrt(variance) };
}

/** `a / b` to the last digit or so, however long both are. */
function ratio(a: bigint, b: bigint): number {
  const whole = a / b;
  const scaled = ((a - whole * b) << 64n) / b;
  return Number(whole) + Number(scaled) / 2 ** 64;
}

function nothing(total: number): BandStatistics {
  return { valid: 0, total, min: null, max: null, mean: null, stdev: null };
}
