import type { Window } from "../../model/grid.ts";
import { type Runs, scanRuns } from "../raster/rasterize.ts";
import type { PreparedShapes } from "../raster/shapes.ts";
import { type CoverageRuns, coverageRuns } from "./coverage.ts";

/** Which pixels belong to a zone, and whether by their share. */
export type ZoneRule =
  /** Whole pixels, by the rule that the shapes were prepared for. */
  | { readonly kind: "pixels" }
  /** By the share that is covered; shapes prepared for `"all-touched"`. */
  | { readonly kind: "coverage" }
  /** Whole pixels that are covered to at least `share`; shapes prepared for `"all-touched"`. */
  | { readonly kind: "at-least"; readonly share: number };

/** Runs of the pixels of zones in a window; with the share of each run when pixels count by it. */
export function zoneRuns(
  shapes: PreparedShapes,
  rule: ZoneRule,
  window: Window,
  features: ArrayLike<number>,
): Runs | CoverageRuns {
  if (rule.kind === "pixels") return scanRuns(shapes, window, features);
  const runs = coverageRuns(shapes, window, features);
  return rule.kind === "coverage" ? runs : wholePixels(runs, rule.share);
}

/** Runs covered to at least `share`, those that touch made one. In place. */
function wholePixels({ count, data, fraction }: CoverageRuns, share: number): Runs {
  let kept = 0;
  for (let k = 0; k < count; k++) {
    if (fraction[k]! < share) continue;
    const from = 4 * k;
    const to = 4 * kept;
    if (
      kept > 0 &&
      data[to - 1] === data[from + 2] &&
      data[to - 3] === data[from + 1] &&
      data[to - 4] === data[from]
    ) {
      data[to - 1] = data[from + 3]!;
      continue;
    }
    for (let i = 0; i < 4; i++) data[to + i] = data[from + i]!;
    kept++;
  }
  return { count: kept, data };
}

/**
 * Whether a feature may have pixels in a window: its interior meets the window, or an edge comes near it. Never false when
 * it has, seldom true when it has none; much cheaper than its runs, so that windows that no zone meets need not be read.
 */
export function mayMeet(shapes: PreparedShapes, f: number, window: Window): boolean {
  const { bounds, edges, edgeStart, segmentStart, pointStart } = shapes;
  const left = window.col;
  const top = window.row;
  const right = left + window.width;
  const bottom = top + window.height;
  const minX = bounds[4 * f]!;
  const minY = bounds[4 * f + 1]!;
  const maxX = bounds[4 * f + 2]!;
  const maxY = bounds[4 * f + 3]!;
  if (!(minX <= right && maxX >= left && minY <= bottom && maxY >= top)) return false;
  if (minX >= left && maxX <= right && minY >= top && maxY <= bottom) return true;
  if (segmentStart[f + 1]! > segmentStart[f]! || pointStart[f + 1]! > pointStart[f]!) return true;
  if (edgeStart[f + 1] === edgeStart[f]) return false;
  const { bandStart, bandFirst, bandRows, bandOffsets, bandEdges } = shapes;
  const bands = bandStart[f + 1]! - bandStart[f]!;
  const first = bandFirst[f]!;
  const high = bandRows[f]!;
  const b0 = Math.max(0, Math.floor((top - 1 - first) / high));
  const b1 = Math.min(bands - 1, Math.floor((bottom - first) / high));
  const x = (left + right) / 2;
  const y = (top + bottom) / 2;
  let winding = 0;
  let crossings = 0;
  for (let b = b0; b <= b1; b++) {
    const middle = y >= first + b * high && y < first + (b + 1) * high;
    const end = bandOffsets[bandStart[f]! + b + 1]!;
    for (let k = bandOffsets[bandStart[f]! + b]!; k < end; k++) {
      const edge = bandEdges[k]!;
      const x1 = edges[4 * edge]!;
      const y1 = edges[4 * edge + 1]!;
      const x2 = edges[4 * edge + 2]!;
      const y2 = edges[4 * edge + 3]!;
      if (y1 > bottom || y2 < top) continue;
      const near = Math.min(x1, x2) <= right && Math.max(x1, x2) >= left;
      if (near && crossesBox(x1, y1, x2, y2, left, top, right, bottom)) return true;
      // No edge meets the window: it is wholly inside or outside, like its middle.
      if (middle && y1 <= y && y < y2 && x1 + ((y - y1) / (y2 - y1)) * (x2 - x1) < x) {
        winding += shapes.edgeSigns[edge]!;
        crossings++;
      }
    }
  }
  return winding !== 0 || crossings % 2 === 1;
}

/** Whether a segment whose bounds meet a box comes within a pixel of the box. */
function crossesBox(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): boolean {
  // The corners all lie on one side of the line, a pixel away at least.
  const dx = x2 - x1;
  const dy = y2 - y1;
  const reach = Math.abs(dx) + Math.abs(dy);
  const middle = dx * ((top + bottom) / 2 - y1) - dy * ((left + right) / 2 - x1);
  const half = (Math.abs(dx) * (bottom - top) + Math.abs(dy) * (right - left)) / 2;
  return Math.abs(middle) <= half + reach;
}
