import { type ClippedRows, Clipper, type ClipRules } from "../kernels/vector/clip/clipper.ts";
import { countChanges, countClasses } from "../kernels/zonal/class-counts.ts";
import type { GeometryColumn } from "../model/geometry.ts";
import { type Kept, prepareOnce } from "./kept.ts";

/** Kernels that may run away from the caller, by name: pure, synchronous, cloneable arguments. */
export interface Tasks {
  countClasses: typeof countClasses;
  countChanges: typeof countChanges;
  clipRows: typeof clipRows;
}

export const tasks: Tasks = { countClasses, countChanges, clipRows };

/** Rows cut to a region that the thread prepares once. */
function clipRows(
  kept: Kept<{ readonly region: GeometryColumn; readonly rules: ClipRules }>,
  column: GeometryColumn,
  firstRow: number,
): ClippedRows {
  const clipper = prepareOnce(kept, ({ region, rules }) => new Clipper(region, rules));
  return clipper.clip(column, firstRow);
}
