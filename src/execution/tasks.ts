import { warpBlock } from "../kernels/raster/warp/warp-block.ts";
import { compositeBlock } from "../kernels/temporal/composite-block.ts";
import { type ClippedRows, Clipper, type ClipRules } from "../kernels/vector/clip/clipper.ts";
import type { Pairs } from "../kernels/vector/join/find-pairs.ts";
import { type MeasuredPairs, PairJoiner, type RightSide } from "../kernels/vector/join/pair-joiner.ts";
import type { PairSizes } from "../kernels/vector/join/shared-sizes.ts";
import type { NearestPairs } from "../kernels/vector/nearest/nearest-rows.ts";
import { type NearestSide, Neighbours } from "../kernels/vector/nearest/neighbours.ts";
import { type OverlapRows, ZoneOverlaps, type ZoneSide } from "../kernels/vector/overlap/zone-overlaps.ts";
import { repairRows } from "../kernels/vector/repair-rows.ts";
import { invalidRows } from "../kernels/vector/valid-rows.ts";
import { accumulateZones } from "../kernels/zonal/accumulate.ts";
import { countClasses, countZones } from "../kernels/zonal/class-counts.ts";
import type { GeometryColumn } from "../model/geometry.ts";
import { type Kept, prepareOnce } from "./kept.ts";

/** Kernels that may run away from the caller, by name: pure, synchronous, cloneable arguments. */
export interface Tasks {
  countClasses: typeof countClasses;
  countZones: typeof countZones;
  accumulateZones: typeof accumulateZones;
  warpBlock: typeof warpBlock;
  compositeBlock: typeof compositeBlock;
  clipRows: typeof clipRows;
  joinPairs: typeof joinPairs;
  measurePairs: typeof measurePairs;
  nearestRows: typeof nearestRows;
  overlapRows: typeof overlapRows;
  invalidRows: typeof invalidRows;
  repairRows: typeof repairRows;
}

export const tasks: Tasks = {
  countClasses,
  countZones,
  accumulateZones,
  warpBlock,
  compositeBlock,
  clipRows,
  joinPairs,
  measurePairs,
  nearestRows,
  overlapRows,
  invalidRows,
  repairRows,
};

/** Rows cut to a region that the thread prepares once. */
function clipRows(
  kept: Kept<{ readonly region: GeometryColumn; readonly rules: ClipRules }>,
  column: GeometryColumn,
  firstRow: number,
): ClippedRows {
  const clipper = prepareOnce(kept, ({ region, rules }) => new Clipper(region, rules));
  return clipper.clip(column, firstRow);
}

/** Pairs of left rows with the rows of a right side that the thread prepares once. */
function joinPairs(
  kept: Kept<RightSide>,
  left: GeometryColumn,
  keys: Int32Array | null,
  measure: boolean,
): MeasuredPairs {
  return prepareOnce(kept, (side) => new PairJoiner(side)).find(left, keys, measure);
}

/** What given pairs of them share. */
function measurePairs(kept: Kept<RightSide>, left: GeometryColumn, pairs: Pairs): PairSizes {
  return prepareOnce(kept, (side) => new PairJoiner(side)).measure(left, pairs);
}

/** Neighbours of rows among those of a side that the thread prepares once. */
function nearestRows(
  kept: Kept<NearestSide>,
  column: GeometryColumn,
  own: GeometryColumn | null,
  position: number,
): NearestPairs {
  return prepareOnce(kept, (side) => new Neighbours(side)).find(column, own, position);
}

/** Areas that polygons share with zones that the thread prepares once. */
function overlapRows(kept: Kept<ZoneSide>, column: GeometryColumn): OverlapRows {
  return prepareOnce(kept, (side) => new ZoneOverlaps(side)).find(column);
}
