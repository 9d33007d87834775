import { POLYGON } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { PreparedRegion } from "./region.ts";

/**
 * The polygons of a region as they are near a box, with few vertices elsewhere, written as rows of one polygon each. Edges
 * that meet the box keep their bits. Stretches wholly on one side of it are replaced by straight lines on that side, which
 * moves no edge into the box and changes no point of it from inside to outside. Not meant to be read outside the
 * box, where rings may cross. O(vertices of the polygons whose boxes meet it).
 *
 * @returns number of rows written
 */
export function writeNearPart(
  region: PreparedRegion,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  builder: GeometryBuilder,
): number {
  const { bounds, column } = region;
  let written = 0;
  for (let k = 0; k < region.polygons; k++) {
    if (
      bounds[4 * k]! > maxX ||
      bounds[4 * k + 1]! > maxY ||
      bounds[4 * k + 2]! < minX ||
      bounds[4 * k + 3]! < minY
    )
      continue;
    const part = region.parts[k]!;
    const first = column.parts[part]!;
    for (let r = first; r < column.parts[part + 1]!; r++) {
      const ring = nearRing(column.xy, column.rings[r]!, column.rings[r + 1]!, minX, minY, maxX, maxY);
      // Without the shell near, no hole matters either.
      if (ring === null && r === first) break;
      if (ring === null) continue;
      if (r === first) {
        builder.begin(POLYGON);
        builder.part();
        written++;
      }
      builder.ring();
      builder.vertices2d(ring, 0, ring.length / 2);
    }
    if (written > builder.rows) builder.end();
  }
  return written;
}

const LEFT = 1;
const RIGHT = 2;
const BELOW = 4;
const ABOVE = 8;

function nearRing(
  xy: Float64Array,
  start: number,
  end: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): number[] | null {
  const ring: number[] = [];
  /** Sides that the last kept vertex and all dropped since share. */
  let shared = 0;
  let pending = -1;
  let pendingCode = 0;
  for (let v = start; v < end; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    const code = (x < minX ? LEFT : x > maxX ? RIGHT : 0) | (y < minY ? BELOW : y > maxY ? ABOVE : 0);
    if (ring.length === 0) {
      ring.push(x, y);
      shared = code;
      continue;
    }
    if ((shared & code) !== 0) {
      shared &= code;
      pending = v;
      pendingCode = code;
      continue;
    }
    if (pending !== -1) {
      ring.push(xy[2 * pending]!, xy[2 * pending + 1]!);
      shared = pendingCode;
      pending = -1;
      if ((shared & code) !== 0) {
        shared &= code;
        pending = v;
        pendingCode = code;
        continue;
      }
    }
    ring.push(x, y);
    shared = code;
  }
  if (pending !== -1) ring.push(xy[2 * pending]!, xy[2 * pending + 1]!);
  return ring.length < 8 ? null : ring;
}
