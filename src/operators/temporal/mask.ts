import { fullWindow, type Grid, intersectWindows, type Window } from "../../model/grid.ts";
import { isNodata, type RasterSource } from "../../model/raster.ts";
import type { InputBand } from "../computed-raster.ts";
import { checkedRule, isTaken, type QualityRule, qualityTable } from "./quality.ts";

/** Says from a quality band which pixels are usable. */
export interface QualityChecker {
  /** 255 usable, 0 not, of one window. */
  read(quality: InputBand, grid: Grid, window: Window, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

/**
 * A checker for one rule. What the quality band itself does not know (its mask, its nodata value unless the rule keeps it)
 * is not usable either.
 *
 * @param reach  Pixels within so many rows and columns of one that the rule refuses are refused too; what the band does
 *               not know does not spread.
 */
export function qualityChecker(rule: QualityRule, reach: number): QualityChecker {
  checkedRule(rule);
  const table = qualityTable(rule);
  return {
    async read({ source, band }, grid, window, signal) {
      const around = intersectWindows(
        {
          col: window.col - reach,
          row: window.row - reach,
          width: window.width + 2 * reach,
          height: window.height + 2 * reach,
        },
        fullWindow(grid),
      )!;
      const block = await source.read(around, { bands: [band], signal });
      const samples = block.bands[0]!;
      const taken = new Uint8Array(around.width * around.height);
      const narrow = samples.BYTES_PER_ELEMENT <= 2 && !(samples instanceof Float32Array);
      if (narrow) for (let i = 0; i < taken.length; i++) taken[i] = table[(samples[i] as number) + 32_768]!;
      else for (let i = 0; i < taken.length; i++) taken[i] = isTaken(rule, Number(samples[i]!)) ? 255 : 0;
      const near = reach === 0 ? taken : eroded(taken, around, window, reach);
      blankUnknown(near, block.mask, samples, nodataOf(source, band, rule), around, window);
      return near;
    },
  };
}

/** The nodata value of the quality band, unless the rule says that it is good. */
function nodataOf(source: RasterSource, band: number, { keep }: QualityRule): number | bigint | null {
  const { nodata } = source.bands[band]!;
  return nodata !== null && keep?.includes(Number(nodata)) === true ? null : nodata;
}

function blankUnknown(
  out: Uint8Array,
  mask: Uint8Array | null,
  samples: { readonly [index: number]: number | bigint },
  nodata: number | bigint | null,
  around: Window,
  window: Window,
): void {
  if (mask === null && nodata === null) return;
  for (let row = 0; row < window.height; row++) {
    const from = (row + window.row - around.row) * around.width + window.col - around.col;
    for (let col = 0; col < window.width; col++) {
      const unknown = (mask !== null && mask[from + col] === 0) || isNodata(samples[from + col]!, nodata);
      if (unknown) out[row * window.width + col] = 0;
    }
  }
}

/** The smallest value within `reach` rows and columns, for the pixels of `window`: along rows first, then along columns. */
function eroded(values: Uint8Array, around: Window, window: Window, reach: number): Uint8Array {
  const { width, height } = around;
  const rows = new Uint8Array(values.length);
  for (let row = 0; row < height; row++) {
    // Steps since the last refused pixel on the left, then the same from the right.
    spread(values, rows, row * width, 1, width, reach);
  }
  const columns = new Uint8Array(values.length);
  for (let col = 0; col < width; col++) spread(rows, columns, col, width, height, reach);
  const out = new Uint8Array(window.width * window.height);
  for (let row = 0; row < window.height; row++) {
    const from = (row + window.row - around.row) * width + window.col - around.col;
    out.set(columns.subarray(from, from + window.width), row * window.width);
  }
  return out;
}

function spread(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  step: number,
  count: number,
  reach: number,
): void {
  let since = reach + 1;
  for (let i = 0, at = start; i < count; i++, at += step) {
    since = from[at] === 0 ? 0 : since + 1;
    to[at] = since <= reach ? 0 : 255;
  }
  since = reach + 1;
  for (let i = count - 1, at = start + step * (count - 1); i >= 0; i--, at -= step) {
    since = from[at] === 0 ? 0 : since + 1;
    if (since <= reach) to[at] = 0;
  }
}
