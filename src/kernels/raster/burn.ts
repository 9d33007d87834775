import type { Window } from "../../model/grid.ts";
import type { SampleArray } from "../../model/raster.ts";
import type { Runs } from "./rasterize.ts";

/** What a pixel gets that several features take: the last of them, or their sum. */
export type Merge = "replace" | "add";

/** Below this length a loop writes a run faster than the built-in `fill` starts. */
const SHORT_RUN = 12;

/**
 * Write the value of each feature into its pixels, in the order of the runs, so that later features win. A run is a piece of
 * memory: whole rows of a tile inside one feature cost what filling memory costs.
 *
 * @param values  One per feature, as `out` stores them. Not of a complex type.
 * @param out     Pixels of `window`, already filled with what lies beneath, an array of the same type; changed in place.
 *                `"add"` adds in this type, in the order of the features: the caller sees to it that sums fit.
 */
export function burnRuns(
  runs: Runs,
  values: SampleArray,
  window: Window,
  merge: Merge,
  out: SampleArray,
): void {
  if (merge === "replace") replaceRuns(runs, values as Float64Array, window, out as Float64Array);
  else addRuns(runs, values as Float64Array, window, out as Float64Array);
}

function replaceRuns(
  { count, data }: Runs,
  values: Float64Array,
  { col, row, width }: Window,
  out: Float64Array,
): void {
  for (let k = 0; k < 4 * count; k += 4) {
    const value = values[data[k]!]!;
    const at = (data[k + 1]! - row) * width - col;
    const end = at + data[k + 3]!;
    let i = at + data[k + 2]!;
    if (end - i > SHORT_RUN) out.fill(value, i, end);
    else for (; i < end; i++) out[i] = value;
  }
}

function addRuns(
  { count, data }: Runs,
  values: Float64Array,
  { col, row, width }: Window,
  out: Float64Array,
): void {
  for (let k = 0; k < 4 * count; k += 4) {
    const value = values[data[k]!]!;
    const at = (data[k + 1]! - row) * width - col;
    const end = at + data[k + 3]!;
    for (let i = at + data[k + 2]!; i < end; i++) out[i]! += value;
  }
}
