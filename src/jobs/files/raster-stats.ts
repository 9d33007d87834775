import { createHash, type Hash } from "node:crypto";
import type { Window } from "../../model/grid.ts";
import {
  type Band,
  isComplex,
  type RasterBlock,
  type RasterSource,
  SAMPLE_BYTES,
  type SampleArray,
} from "../../model/raster.ts";

import { DEFAULT_MEMORY } from "./result.ts";

/** Statistics of the observed pixels of one band. All `null` but `valid` when there are none. */
export interface BandStats {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly stdev: number | null;
  /** Pixels that are neither nodata, nor NaN, nor masked. */
  readonly valid: number;
}

export interface BandFacts {
  readonly stats?: BandStats;
  /** Over the samples in their stored type, little-endian, row by row; hexadecimal. */
  readonly sha256?: string;
}

/**
 * Statistics and checksums of every band, reading each tile once, a row of tiles at a time. Sums are compensated
 * (Neumaier), so that the mean does not depend on the size of the raster. Complex bands have no statistics.
 */
export async function readBandFacts(
  source: RasterSource,
  options: {
    stats: boolean;
    checksum: boolean;
    /** Budget for pixels in flight, bytes; default 512 MiB. */
    memory?: number | undefined;
    signal?: AbortSignal | undefined;
    onProgress?: ((done: number, total: number) => void) | undefined;
  },
): Promise<BandFacts[]> {
  const { width, height } = source.grid;
  const moments = source.bands.map(() => new Moments());
  const tallies = source.bands.map(() => new Float64Array(256));
  const hashes = source.bands.map(() => createHash("sha256"));
  for (const window of rowsOfTiles(source, options.memory ?? DEFAULT_MEMORY)) {
    options.signal?.throwIfAborted();
    const block = await source.read(window, { signal: options.signal });
    for (const [k, band] of source.bands.entries()) {
      if (options.checksum) hashSamples(hashes[k]!, block.bands[k]!, band);
      if (!options.stats || isComplex(band.type)) continue;
      const samples = block.bands[k]!;
      const tally = tallies[k]!;
      if (samples instanceof Uint8Array || samples instanceof Int8Array)
        countSamples(tally, samples, block.mask);
      else moments[k]!.add(block, k, band);
    }
    options.onProgress?.((window.row + window.height) * width, width * height);
  }
  return source.bands.map((band, k) => ({
    ...(options.stats && !isComplex(band.type)
      ? { stats: isByte(band) ? statsOfTally(tallies[k]!, band) : moments[k]!.finish() }
      : {}),
    ...(options.checksum ? { sha256: hashes[k]!.digest("hex") } : {}),
  }));
}

/**
 * Windows of the whole width and the height of a tile, since checksums go row by row; a strip file is read many strips
 * at a time. Lower when half of the memory does not hold that.
 */
function* rowsOfTiles(source: RasterSource, memory: number): Generator<Window> {
  const { width, height } = source.grid;
  const least = Math.max(1, Math.floor((1 << 20) / width));
  const rows = Math.ceil(Math.max(1, least / source.tile.height)) * source.tile.height;
  const bytesOfRow = width * source.bands.reduce((sum, { type }) => sum + SAMPLE_BYTES[type], 1);
  const most = Math.max(1, Math.floor(memory / 2 / bytesOfRow));
  const whole = Math.floor(most / source.tile.height) * source.tile.height;
  const step = Math.min(rows, Math.max(source.tile.height, 1024), whole > 0 ? whole : most);
  for (let row = 0; row < height; row += step)
    yield { col: 0, row, width, height: Math.min(step, height - row) };
}

function isByte({ type }: Band): boolean {
  return type === "uint8" || type === "int8";
}

/** Add how often each byte comes to `tally`; int8 counts as its two's complement. */
function countSamples(tally: Float64Array, samples: Uint8Array | Int8Array, mask: Uint8Array | null): void {
  if (mask === null) for (let i = 0; i < samples.length; i++) tally[samples[i]! & 255]! += 1;
  else for (let i = 0; i < samples.length; i++) if (mask[i] !== 0) tally[samples[i]! & 255]! += 1;
}

function statsOfTally(tally: Float64Array, { type, nodata }: Band): BandStats {
  let valid = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  const sampleOf = (byte: number): number => (type === "int8" && byte > 127 ? byte - 256 : byte);
  const seen = (byte: number): number =>
    nodata !== null && Number(nodata) === sampleOf(byte) ? 0 : tally[byte]!;
  for (let byte = 0; byte < 256; byte++) {
    const count = seen(byte);
    if (count === 0) continue;
    valid += count;
    sum += count * sampleOf(byte);
    min = Math.min(min, sampleOf(byte));
    max = Math.max(max, sampleOf(byte));
  }
  if (valid === 0) return { min: null, max: null, mean: null, stdev: null, valid };
  const mean = sum / valid;
  let m2 = 0;
  for (let byte = 0; byte < 256; byte++) m2 += seen(byte) * (sampleOf(byte) - mean) ** 2;
  return { min, max, mean, stdev: Math.sqrt(m2 / valid), valid };
}

class Moments {
  #valid = 0;
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;
  #low = 0;
  #mean = 0;
  #m2 = 0;

  add(block: RasterBlock, k: number, band: Band): void {
    const samples = block.bands[k]!;
    const values =
      samples instanceof BigInt64Array || samples instanceof BigUint64Array
        ? Float64Array.from(samples, Number)
        : samples;
    const nodata = band.nodata === null ? Number.NaN : Number(band.nodata);
    const mask = block.mask;
    let count = 0;
    let min = this.#min;
    let max = this.#max;
    let sum = 0;
    let low = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === nodata || Number.isNaN(value) || (mask !== null && mask[i] === 0)) continue;
      count++;
      if (value < min) min = value;
      if (value > max) max = value;
      const next = sum + value;
      low += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
    }
    if (count === 0) return;
    const mean = (sum + low) / count;
    let m2 = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === nodata || Number.isNaN(value) || (mask !== null && mask[i] === 0)) continue;
      m2 += (value - mean) * (value - mean);
    }
    // Chan, Golub, LeVeque (1983): moments of parts into moments of the whole
    const total = this.#valid + count;
    const delta = mean - this.#mean;
    this.#m2 += m2 + (delta * delta * this.#valid * count) / total;
    this.#mean += (delta * count) / total;
    this.#valid = total;
    this.#min = min;
    this.#max = max;
    const next = this.#sum + sum;
    this.#low +=
      (Math.abs(this.#sum) >= Math.abs(sum) ? this.#sum - next + sum : sum - next + this.#sum) + low;
    this.#sum = next;
  }

  finish(): BandStats {
    const valid = this.#valid;
    if (valid === 0) return { min: null, max: null, mean: null, stdev: null, valid };
    return {
      min: this.#min,
      max: this.#max,
      mean: (this.#sum + this.#low) / valid,
      stdev: Math.sqrt(this.#m2 / valid),
      valid,
    };
  }
}

function hashSamples(hash: Hash, samples: SampleArray, band: Band): void {
  if (band.type !== "float16") {
    hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    return;
  }
  const halves = new Uint8Array(SAMPLE_BYTES.float16 * samples.length);
  const view = new DataView(halves.buffer);
  for (let i = 0; i < samples.length; i++) view.setUint16(2 * i, toHalf(samples[i] as number), true);
  hash.update(halves);
}

/** Bits of the half-precision number that a sample read from one has: exact, since every half fits a float32. */
function toHalf(value: number): number {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  const power = size < 2 ** exponent ? exponent - 1 : exponent;
  return (sign | ((power + 15) << 10)) + Math.round((size / 2 ** power - 1) * 1024);
}
