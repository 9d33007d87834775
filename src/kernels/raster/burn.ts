import type { Window } from "../../model/grid.ts";
import type { Runs } from "./rasterize.ts";

/** What a pixel gets that several features take: the last of them, or their sum. */
export type Merge = "replace" | "add";

/**
 * Write the value of each feature into its pixels, in the order of the runs, so that later features win.
 *
 * @param values  One per feature.
 * @param out     Pixels of `window`, already filled with what lies beneath; changed in place.
 */
export function burnRuns(
  runs: Runs,
  values: Float64Array,
  window: Window,
  merge: Merge,
  out: Float64Array,
): void {
  const { count, data } = runs;
  const { col, row, width } = window;
  for (let k = 0; k < 4 * count; k += 4) {
    const value = values[data[k]!]!;
    const at = (data[k + 1]! - row) * width - col;
    const start = at + data[k + 2]!;
    const end = at + data[k + 3]!;
    if (merge === "replace") out.fill(value, start, end);
    else for (let i = start; i < end; i++) out[i]! += value;
  }
}
