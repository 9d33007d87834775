import type { SampleArray } from "../../model/raster.ts";

/** One band of a stack in one window: a plane of samples per scene, in order of time. */
export interface StackPlanes {
  /** One array per scene, all of one window, of any sample types but complex ones. */
  readonly samples: readonly SampleArray[];
  /** Sample of each scene that means "no observation", or `null`. */
  readonly nodata: readonly (number | bigint | null)[];
  /** Samples below and above are no observations; `null`: all are. Before scale and offset. */
  readonly range: readonly [min: number, max: number] | null;
  /** Value = sample * scale + offset, per scene; `null`: as stored. */
  readonly scaling: readonly (readonly [scale: number, offset: number])[] | null;
  /** Per scene, 0 where it is not valid; `null`: all is. */
  readonly masks: readonly (Uint8Array | null)[];
}

/** Samples of one pixel after another are read in pieces of so many pixels that all scenes of a piece stay in the cache. */
export function pieceSize(scenes: number): number {
  return Math.max(64, Math.min(1024, Math.floor(2 ** 17 / scenes)));
}

/**
 * Observations of pixels `from` to `from + count` as doubles, scene after scene (`out[scene * count + pixel]`), NaN where
 * nothing is observed: masked, nodata, NaN or out of range. 64-bit integers lose what lies beyond 2^53.
 */
export function loadPlanes(planes: StackPlanes, from: number, count: number, out: Float64Array): void {
  for (let k = 0; k < planes.samples.length; k++) {
    const part = out.subarray(k * count, (k + 1) * count);
    const samples = planes.samples[k]!;
    if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) {
      for (let i = 0; i < count; i++) part[i] = Number(samples[from + i]!);
    } else part.set(samples.subarray(from, from + count));
    const nodata = planes.nodata[k]!;
    if (nodata !== null) {
      const value = Number(nodata);
      // A nodata value that single precision cannot hold is kept as the file holds it.
      const single = samples instanceof Float32Array ? Math.fround(value) : value;
      for (let i = 0; i < count; i++) if (part[i] === single || part[i] === value) part[i] = Number.NaN;
    }
    if (planes.range !== null) {
      const [min, max] = planes.range;
      for (let i = 0; i < count; i++) if (!(part[i]! >= min && part[i]! <= max)) part[i] = Number.NaN;
    }
    const mask = planes.masks[k]!;
    if (mask !== null) for (let i = 0; i < count; i++) if (mask[from + i] === 0) part[i] = Number.NaN;
    const scaling = planes.scaling?.[k];
    if (scaling !== undefined && (scaling[0] !== 1 || scaling[1] !== 0)) {
      const [scale, offset] = scaling;
      for (let i = 0; i < count; i++) part[i] = part[i]! * scale + offset;
    }
  }
}
