import type { GeometryColumn } from "../../model/geometry.ts";
import { rowCentroid } from "./centroid.ts";
import { side } from "./relate/side.ts";
import { type Member, rowDimension, rowMembers } from "./row-members.ts";

/** Lines of scan tried for a polygon so thin that the first point found is not inside it. */
const TRIES = 24;

/**
 * A point of a row, `[x, y]`, or `null` for a null or empty geometry. Only parts of the highest dimension count.
 *
 * - Polygons: strictly inside one of them, checked exactly: the middle of the widest stretch along a horizontal line
 *   half-way between the vertices next above and below the middle of the polygon, as JTS does. Where a polygon is so
 *   thin that no double was found inside, or has no area, a vertex.
 * - Lines: of the vertices between the ends the one nearest to the centroid, if there is none the nearest end.
 * - Points: the one nearest to the centroid.
 *
 * Of several as good the first. Cost: a pass or two, a sort of the crossings of the line.
 */
export function rowPointOnSurface(column: GeometryColumn, row: number): [x: number, y: number] | null {
  const members = rowMembers(column, row);
  const dimension = rowDimension(column, members);
  if (dimension < 0) return null;
  if (dimension === 2) return pointInside(column, members);
  const centroid = rowCentroid(column, row)!;
  if (dimension === 0) return nearest(column, members, 0, 0, centroid);
  return (
    nearest(column, members, 1, INNER, centroid) ??
    // Of equal distances the first: the centroid of one segment is as near to its two ends but for rounding.
    nearest(column, members, 1, ENDS, firstEndBias(column, members, centroid))
  );
}

const INNER = 1;
const ENDS = 2;

/** Vertex of the members of a dimension that is nearest to a point; `which` of a line's. */
function nearest(
  { parts, rings, xy }: GeometryColumn,
  members: readonly Member[],
  wanted: number,
  which: number,
  [cx, cy]: readonly [number, number],
): [number, number] | null {
  let best = -1;
  let least = Infinity;
  for (const { dimension, first, end } of members) {
    if (dimension !== wanted) continue;
    for (let r = parts[first]!; r < parts[end]!; r++) {
      const last = rings[r + 1]! - 1;
      for (let v = rings[r]!; v <= last; v++) {
        const isEnd = v === rings[r] || v === last;
        if ((which === INNER && isEnd) || (which === ENDS && !isEnd)) continue;
        const distance = Math.hypot(xy[2 * v]! - cx, xy[2 * v + 1]! - cy);
        if (distance < least || (best < 0 && Number.isNaN(distance))) {
          best = v;
          least = Number.isNaN(distance) ? Infinity : distance;
        }
      }
    }
  }
  return best < 0 ? null : [xy[2 * best]!, xy[2 * best + 1]!];
}

/** The centroid; for one segment its first end, as both are equally near. */
function firstEndBias(
  { parts, rings, xy }: GeometryColumn,
  members: readonly Member[],
  centroid: readonly [number, number],
): readonly [number, number] {
  let only = -1;
  for (const { dimension, first, end } of members) {
    if (dimension !== 1) continue;
    for (let r = parts[first]!; r < parts[end]!; r++) {
      if (rings[r] === rings[r + 1]) continue;
      if (only >= 0) return centroid;
      only = rings[r]!;
    }
  }
  return only < 0 ? centroid : [xy[2 * only]!, xy[2 * only + 1]!];
}

function pointInside(column: GeometryColumn, members: readonly Member[]): [number, number] | null {
  let fallback: [number, number] | null = null;
  let best: [number, number] | null = null;
  let widest = 0;
  for (const { dimension, first, end } of members) {
    if (dimension !== 2) continue;
    for (let part = first; part < end; part++) {
      const v = column.rings[column.parts[part]!]!;
      if (v === column.rings[column.parts[part + 1]!]) continue;
      fallback ??= [column.xy[2 * v]!, column.xy[2 * v + 1]!];
      const found = widestStretch(column, part, middleLevel(column, part));
      if (found.width > widest && strictlyInside(column, part, found.x, found.y)) {
        widest = found.width;
        best = [found.x, found.y];
      }
    }
  }
  if (best !== null) return best;
  for (const { dimension, first, end } of members) {
    if (dimension !== 2) continue;
    for (let part = first; part < end; part++) {
      const found = thinInside(column, part);
      if (found !== null) return found;
    }
  }
  return fallback;
}

/** A height at which few vertices lie: half-way between the vertices next above and below the middle of a polygon. */
function middleLevel({ parts, rings, xy }: GeometryColumn, part: number): number {
  const start = rings[parts[part]!]!;
  const end = rings[parts[part + 1]!]!;
  let minY = Infinity;
  let maxY = -Infinity;
  for (let v = start; v < end; v++) {
    const y = xy[2 * v + 1]!;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  const middle = minY / 2 + maxY / 2;
  let below = minY;
  let above = maxY;
  for (let v = start; v < end; v++) {
    const y = xy[2 * v + 1]!;
    if (y <= middle && y > below) below = y;
    else if (y > middle && y < above) above = y;
  }
  return below / 2 + above / 2;
}

/** The widest stretch inside a polygon along the horizontal line at `y`: its middle, and how wide. */
function widestStretch(
  { parts, rings, xy }: GeometryColumn,
  part: number,
  y: number,
): { x: number; y: number; width: number } {
  const crossings: number[] = [];
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      const y1 = xy[2 * v + 1]!;
      const y2 = xy[2 * v + 3]!;
      if (y1 <= y === y2 <= y) continue;
      const x1 = xy[2 * v]!;
      const x2 = xy[2 * v + 2]!;
      const t = (y - y1) / (y2 - y1);
      crossings.push(t <= 0.5 ? x1 + t * (x2 - x1) : x2 - (1 - t) * (x2 - x1));
    }
  }
  const sorted = Float64Array.from(crossings).sort();
  let x = Number.NaN;
  let width = 0;
  for (let k = 0; k + 1 < sorted.length; k += 2) {
    if (sorted[k + 1]! - sorted[k]! > width) {
      width = sorted[k + 1]! - sorted[k]!;
      x = sorted[k]! / 2 + sorted[k + 1]! / 2;
    }
  }
  return { x, y, width };
}

/** A point strictly inside a polygon that is thin at its middle: the widest gaps between vertices are tried in turn. */
function thinInside(column: GeometryColumn, part: number): [number, number] | null {
  const { parts, rings, xy } = column;
  const start = rings[parts[part]!]!;
  const end = rings[parts[part + 1]!]!;
  const levels = Float64Array.from({ length: end - start }, (_, k) => xy[2 * (start + k) + 1]!).sort();
  const gaps: [gap: number, y: number][] = [];
  for (let k = 1; k < levels.length; k++) {
    const gap = levels[k]! - levels[k - 1]!;
    if (gap > 0) gaps.push([gap, levels[k - 1]! / 2 + levels[k]! / 2]);
  }
  gaps.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (const [, y] of gaps.slice(0, TRIES)) {
    const found = widestStretch(column, part, y);
    if (found.width > 0 && strictlyInside(column, part, found.x, found.y)) return [found.x, found.y];
  }
  // Between two vertices: the middle of a diagonal may be inside where no level is.
  const shellEnd = rings[parts[part]! + 1]!;
  for (let v = start, tries = 0; v + 2 < shellEnd && tries < TRIES; v++, tries++) {
    const x = (xy[2 * v]! + xy[2 * v + 2]! + xy[2 * v + 4]!) / 3;
    const y = (xy[2 * v + 1]! + xy[2 * v + 3]! + xy[2 * v + 5]!) / 3;
    if (strictlyInside(column, part, x, y)) return [x, y];
  }
  return null;
}

/** Exact, by the even-odd rule over all rings of the part. */
function strictlyInside({ parts, rings, xy }: GeometryColumn, part: number, x: number, y: number): boolean {
  let inside = false;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      const x1 = xy[2 * v]!;
      const y1 = xy[2 * v + 1]!;
      const x2 = xy[2 * v + 2]!;
      const y2 = xy[2 * v + 3]!;
      if ((y1 < y && y2 < y) || (y1 > y && y2 > y) || (x1 < x && x2 < x)) continue;
      const left = side(x1, y1, x2, y2, x, y);
      if (left === 0 && (x1 <= x || x2 <= x) && (x1 >= x || x2 >= x)) return false;
      if (y1 <= y !== y2 <= y && left > 0 === y2 > y1) inside = !inside;
    }
  }
  return inside;
}
