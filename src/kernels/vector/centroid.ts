import type { GeometryColumn } from "../../model/geometry.ts";
import { type Member, rowDimension, rowMembers } from "./row-members.ts";

/**
 * Centroid of a row in the plane, `[x, y]`, or `null` for a null or empty geometry. Only parts of the highest dimension
 * count, as in GEOS: polygons by area, lines by length, points each alike. Polygons without area count by the length
 * of their rings, lines without length as points. Holes are subtracted whatever way the rings run; parts that overlap
 * count twice. Cost: one pass.
 */
export function rowCentroid(column: GeometryColumn, row: number): [x: number, y: number] | null {
  const members = rowMembers(column, row);
  const dimension = rowDimension(column, members);
  if (dimension < 0) return null;
  if (dimension === 2) {
    const found = areaCentroid(column, members);
    if (found !== null) return found;
  }
  if (dimension >= 1) {
    const found = lengthCentroid(column, members);
    if (found !== null) return found;
  }
  return pointCentroid(column, members);
}

function areaCentroid(column: GeometryColumn, members: readonly Member[]): [number, number] | null {
  const { parts, rings, xy } = column;
  let baseX = Number.NaN;
  let baseY = Number.NaN;
  let area = 0;
  let sumX = 0;
  let sumY = 0;
  for (const { dimension, first, end } of members) {
    if (dimension !== 2) continue;
    for (let p = first; p < end; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const start = rings[r]!;
        const stop = rings[r + 1]!;
        if (start === stop) continue;
        if (Number.isNaN(baseX)) {
          baseX = xy[2 * start]!;
          baseY = xy[2 * start + 1]!;
        }
        // Triangles fanned from a vertex of the ring itself keep their digits far from the origin.
        const ox = xy[2 * start]! - baseX;
        const oy = xy[2 * start + 1]! - baseY;
        let twice = 0;
        let x = 0;
        let y = 0;
        for (let v = start + 1; v + 1 < stop; v++) {
          const ax = xy[2 * v]! - xy[2 * start]!;
          const ay = xy[2 * v + 1]! - xy[2 * start + 1]!;
          const bx = xy[2 * v + 2]! - xy[2 * start]!;
          const by = xy[2 * v + 3]! - xy[2 * start + 1]!;
          const cross = ax * by - ay * bx;
          twice += cross;
          x += cross * (ax + bx);
          y += cross * (ay + by);
        }
        const sign = twice < 0 === (r === parts[p]!) ? -1 : 1;
        area += sign * twice;
        sumX += sign * (x / 3 + ox * twice);
        sumY += sign * (y / 3 + oy * twice);
      }
    }
  }
  return area === 0 || !Number.isFinite(sumX / area) || !Number.isFinite(sumY / area)
    ? null
    : [baseX + sumX / area, baseY + sumY / area];
}

function lengthCentroid(column: GeometryColumn, members: readonly Member[]): [number, number] | null {
  const { parts, rings, xy } = column;
  let length = 0;
  let sumX = 0;
  let sumY = 0;
  for (const { dimension, first, end } of members) {
    if (dimension < 1) continue;
    for (let r = parts[first]!; r < parts[end]!; r++) {
      for (let v = rings[r]! + 1; v < rings[r + 1]!; v++) {
        const l = Math.hypot(xy[2 * v]! - xy[2 * v - 2]!, xy[2 * v + 1]! - xy[2 * v - 1]!);
        length += l;
        sumX += l * (xy[2 * v]! / 2 + xy[2 * v - 2]! / 2);
        sumY += l * (xy[2 * v + 1]! / 2 + xy[2 * v - 1]! / 2);
      }
    }
  }
  return length === 0 ? null : [sumX / length, sumY / length];
}

/** Points, and of lines and rings, which have no length here, the first point. */
function pointCentroid(column: GeometryColumn, members: readonly Member[]): [number, number] | null {
  const { parts, rings, xy } = column;
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  for (const { dimension, first, end } of members) {
    for (let p = first; p < end; p++) {
      // Holes of a polygon without length lie where its shell does.
      const lastRing = dimension === 2 ? Math.min(parts[p]! + 1, parts[p + 1]!) : parts[p + 1]!;
      for (let r = parts[p]!; r < lastRing; r++) {
        if (rings[r] === rings[r + 1]) continue;
        count++;
        sumX += xy[2 * rings[r]!]!;
        sumY += xy[2 * rings[r]! + 1]!;
      }
    }
  }
  return count === 0 ? null : [sumX / count, sumY / count];
}
