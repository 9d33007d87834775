import { fullWindow, intersectWindows, type Window } from "../model/grid.ts";
import { isNodata, type RasterSource, type SampleArray } from "../model/raster.ts";
import type { TileReader } from "./tile-reader.ts";

/**
 * Samples of one band as doubles, NaN where nothing is observed: the mask is 0, the sample is nodata or NaN. Band
 * scale and offset are not applied. 64-bit integers lose what lies beyond 2^53.
 *
 * @param window  May reach beyond the grid; pixels outside are NaN.
 */
export async function readObserved(
  reader: TileReader,
  source: RasterSource,
  band: number,
  window: Window,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const out = new Float64Array(window.width * window.height);
  const part = intersectWindows(window, fullWindow(source.grid));
  if (part === null) return out.fill(Number.NaN);
  if (part.width !== window.width || part.height !== window.height) out.fill(Number.NaN);
  const block = await reader.read(part, { bands: [band], signal });
  const samples = block.bands[0]!;
  const { nodata } = source.bands[band]!;
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width;
    const to = (row + part.row - window.row) * window.width + part.col - window.col;
    for (let col = 0; col < part.width; col++) out[to + col] = Number(samples[from + col]!);
  }
  if (nodata !== null && !Number.isNaN(nodata)) blankNodata(samples, nodata, out, part, window);
  if (block.mask !== null) blankMasked(block.mask, out, part, window);
  return out;
}

function blankNodata(
  samples: SampleArray,
  nodata: number | bigint,
  out: Float64Array,
  part: Window,
  window: Window,
): void {
  // A nodata value that single precision cannot hold is kept as the file holds it.
  const single = samples instanceof Float32Array ? Math.fround(Number(nodata)) : nodata;
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width;
    const to = (row + part.row - window.row) * window.width + part.col - window.col;
    for (let col = 0; col < part.width; col++) {
      const sample = samples[from + col]!;
      if (sample === single || isNodata(sample, nodata)) out[to + col] = Number.NaN;
    }
  }
}

function blankMasked(mask: Uint8Array, out: Float64Array, part: Window, window: Window): void {
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width;
    const to = (row + part.row - window.row) * window.width + part.col - window.col;
    for (let col = 0; col < part.width; col++) if (mask[from + col] === 0) out[to + col] = Number.NaN;
  }
}
