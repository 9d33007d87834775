import type { SampleArray } from "../../model/raster.ts";

/**
 * One row of a raster as runs of equal value. The first run lies left of the raster and, like a last one right of it
 * and all that is not observed, has the value NaN and belongs to no region; neighbouring runs differ.
 */
export class RowRuns {
  readonly width: number;
  count = 1;
  /** First column; `starts[count]` ends the last run. */
  readonly starts: Int32Array;
  readonly values: Float64Array;
  /** Part each run belongs to, -1: none yet. */
  readonly parts: Int32Array;
  /** Open ends of the boundaries along the left edge of a run: of the region west of it, and of the run's own. */
  readonly west: Int32Array;
  readonly east: Int32Array;

  constructor(width: number) {
    this.width = width;
    this.starts = new Int32Array(width + 3);
    this.values = new Float64Array(width + 2);
    this.parts = new Int32Array(width + 2);
    this.west = new Int32Array(width + 2);
    this.east = new Int32Array(width + 2);
    this.clear();
  }

  /** A row without pixels. */
  clear(): void {
    this.count = 1;
    this.starts[0] = -1;
    this.starts[1] = this.width + 1;
    this.values[0] = Number.NaN;
    this.parts[0] = -1;
  }

  /**
   * The pixels from `offset` on. `nodata` and NaN are not observed, nor is where `mask` (same layout) is 0.
   * Samples that are `bigint` become numbers by `key`.
   */
  fill(
    samples: SampleArray,
    offset: number,
    nodata: number | bigint | null,
    mask: Uint8Array | null,
    key: (sample: bigint) => number,
  ): void {
    if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) {
      this.#fillBig(samples, offset, nodata === null ? null : BigInt(nodata), mask, key);
      return;
    }
    // A value that is no nodata value of any type, so that the loop need not ask whether there is one.
    const none = nodata === null ? Number.NaN : Number(nodata);
    const single = samples instanceof Float32Array ? Math.fround(none) : none;
    if (mask === null) this.#fillPlain(samples, offset, single);
    else this.#fillMasked(samples, offset, single, mask);
  }

  #fillPlain(
    samples: Exclude<SampleArray, BigInt64Array | BigUint64Array>,
    offset: number,
    nodata: number,
  ): void {
    const { starts, values, parts, width } = this;
    let n = 0;
    let last = Number.NaN;
    let i = offset;
    const end = offset + width;
    while (i < end) {
      const sample = samples[i]!;
      const start = i++;
      while (i < end && samples[i] === sample) i++;
      const value = sample === nodata ? Number.NaN : sample;
      // Two runs of nothing are one: NaN never equals its neighbour.
      if (Number.isNaN(value) && Number.isNaN(last)) continue;
      n++;
      starts[n] = start - offset;
      values[n] = value;
      parts[n] = -1;
      last = value;
    }
    this.#end(n, last);
  }

  #fillMasked(
    samples: Exclude<SampleArray, BigInt64Array | BigUint64Array>,
    offset: number,
    nodata: number,
    mask: Uint8Array,
  ): void {
    const { starts, values, parts, width } = this;
    let n = 0;
    let last = Number.NaN;
    for (let col = 0; col < width; col++) {
      const sample = samples[offset + col]!;
      const value = mask[offset + col] === 0 || sample === nodata ? Number.NaN : sample;
      if (value === last || (Number.isNaN(value) && Number.isNaN(last))) continue;
      n++;
      starts[n] = col;
      values[n] = value;
      parts[n] = -1;
      last = value;
    }
    this.#end(n, last);
  }

  #fillBig(
    samples: BigInt64Array | BigUint64Array,
    offset: number,
    nodata: bigint | null,
    mask: Uint8Array | null,
    key: (sample: bigint) => number,
  ): void {
    const { starts, values, parts, width } = this;
    let n = 0;
    let last = Number.NaN;
    for (let col = 0; col < width; col++) {
      const sample = samples[offset + col]!;
      const none = sample === nodata || (mask !== null && mask[offset + col] === 0);
      const value = none ? Number.NaN : key(sample);
      if (value === last || (Number.isNaN(value) && Number.isNaN(last))) continue;
      n++;
      starts[n] = col;
      values[n] = value;
      parts[n] = -1;
      last = value;
    }
    this.#end(n, last);
  }

  #end(n: number, last: number): void {
    this.values[0] = Number.NaN;
    this.parts[0] = -1;
    this.starts[0] = -1;
    if (!Number.isNaN(last)) {
      n++;
      this.starts[n] = this.width;
      this.values[n] = Number.NaN;
      this.parts[n] = -1;
    }
    this.count = n + 1;
    this.starts[n + 1] = this.width + 1;
  }
}
