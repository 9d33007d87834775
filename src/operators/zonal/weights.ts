import { describeCrs, sameCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import { type Grid, invertAffine, isAxisAligned, SNAP_TOLERANCE, type Window } from "../../model/grid.ts";
import type { RasterSource } from "../../model/raster.ts";
import { readObserved } from "../observed.ts";
import { tileReader } from "../tile-reader.ts";

/** Reads the weights of the pixels of a window of another grid. */
export type WeightsReader = (window: Window, signal?: AbortSignal) => Promise<Float64Array>;

/**
 * Weights for the pixels of `grid` from a raster whose pixels are the same or hold a whole number of them across and
 * down. NaN where the weights are not observed or end.
 *
 * @throws GeoError `GRID_MISMATCH` when the cell borders do not fall together.
 */
export function weightsReader(source: RasterSource, band: number, grid: Grid): WeightsReader {
  const { col, row, across, down } = fit(source, grid);
  const reader = tileReader(source);
  return async (window, signal) => {
    const col0 = Math.floor((window.col - col) / across);
    const row0 = Math.floor((window.row - row) / down);
    const part: Window = {
      col: col0,
      row: row0,
      width: Math.floor((window.col + window.width - 1 - col) / across) - col0 + 1,
      height: Math.floor((window.row + window.height - 1 - row) / down) - row0 + 1,
    };
    const values = await readObserved(reader, source, band, part, signal);
    if (across === 1 && down === 1) return values;
    const out = new Float64Array(window.width * window.height);
    for (let r = 0; r < window.height; r++) {
      const from = (Math.floor((window.row + r - row) / down) - row0) * part.width - col0;
      for (let c = 0; c < window.width; c++)
        out[r * window.width + c] = values[from + Math.floor((window.col + c - col) / across)]!;
    }
    return out;
  };
}

/** Where the first pixel of the weights lies in `grid`, and how many of its pixels each holds. */
function fit(
  source: RasterSource,
  grid: Grid,
): { readonly col: number; readonly row: number; readonly across: number; readonly down: number } {
  const theirs = source.grid;
  const [ia, , ic, , ie, jf] = invertAffine(grid.transform);
  const [a, , c, , e, f] = theirs.transform;
  const across = Math.round(a * ia);
  const down = Math.round(e * ie);
  const col = Math.round(c * ia + ic);
  const row = Math.round(f * ie + jf);
  const aligned =
    isAxisAligned(grid.transform) &&
    isAxisAligned(theirs.transform) &&
    (theirs.crs === null || grid.crs === null || sameCrs(theirs.crs, grid.crs)) &&
    across >= 1 &&
    down >= 1 &&
    Math.abs(c * ia + ic - col) <= SNAP_TOLERANCE &&
    Math.abs(f * ie + jf - row) <= SNAP_TOLERANCE &&
    Math.abs(a * ia - across) * theirs.width <= SNAP_TOLERANCE &&
    Math.abs(e * ie - down) * theirs.height <= SNAP_TOLERANCE;
  if (!aligned) {
    throw new GeoError(
      "GRID_MISMATCH",
      `the pixels of the weights ${source.url} (${describe(theirs)}) do not fall together with those of the raster (${describe(grid)})`,
      { left: describe(grid), right: describe(theirs) },
      { hint: "Warp the weights to the grid of the raster first: tilth warp WEIGHTS OUT --like RASTER." },
    );
  }
  return { col, row, across, down };
}

function describe({ transform: [a, , c, , e, f], crs }: Grid): string {
  return `pixels of ${a} x ${e} from ${c}, ${f}, ${describeCrs(crs)}`;
}
