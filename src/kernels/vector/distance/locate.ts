import { orient2d } from "robust-predicates";
import type { GeometryColumn } from "../../../model/geometry.ts";

/** Edges whose bounds are kept together. */
const BLOCK = 16;

/**
 * Tells which points a polygon covers. Edges are in blocks of 16 with their bounds, so that a point far from most of
 * the outline reads a sixteenth of it. Made once for a polygon that is asked often.
 */
export interface PolygonLocator {
  readonly xy: Float64Array;
  /** Rings of the polygon, first vertex and vertex after the last, two numbers each. */
  readonly rings: Int32Array;
  /** `[minY, maxY, maxX]` of each block of edges, ring after ring. */
  readonly blocks: Float64Array;
}

/** A locator for polygon part `part`. */
export function polygonLocator(column: GeometryColumn, part: number): PolygonLocator {
  const { xy, rings, parts } = column;
  const first = parts[part]!;
  const count = parts[part + 1]! - first;
  const ranges = new Int32Array(2 * count);
  let blocks = 0;
  for (let k = 0; k < count; k++) {
    ranges[2 * k] = rings[first + k]!;
    ranges[2 * k + 1] = rings[first + k + 1]!;
    blocks += blocksOf(ranges[2 * k + 1]! - ranges[2 * k]!);
  }
  const bounds = new Float64Array(3 * blocks);
  let b = 0;
  for (let k = 0; k < count; k++) {
    const end = ranges[2 * k + 1]!;
    for (let v = ranges[2 * k]!; v + 1 < end; v += BLOCK) {
      let minY = Infinity;
      let maxY = -Infinity;
      let maxX = -Infinity;
      const last = Math.min(v + BLOCK, end - 1);
      for (let w = v; w <= last; w++) {
        const x = xy[2 * w]!;
        const y = xy[2 * w + 1]!;
        if (y < minY) minY = y;
        if (y > maxY) maxY = y;
        if (x > maxX) maxX = x;
      }
      bounds[3 * b] = minY;
      bounds[3 * b + 1] = maxY;
      bounds[3 * b + 2] = maxX;
      b++;
    }
  }
  return { xy, rings: ranges, blocks: bounds };
}

function blocksOf(vertices: number): number {
  return vertices < 2 ? 0 : Math.ceil((vertices - 1) / BLOCK);
}

/** Whether a polygon covers a point, boundary included. Even-odd over all its rings; exact. */
export function polygonCovers(locator: PolygonLocator, x: number, y: number): boolean {
  const { xy, rings, blocks } = locator;
  let inside = false;
  let b = 0;
  for (let k = 0; k < rings.length; k += 2) {
    const end = rings[k + 1]! - 1;
    for (let v = rings[k]!; v < end; v += BLOCK, b++) {
      if (blocks[3 * b]! > y || blocks[3 * b + 1]! < y || blocks[3 * b + 2]! < x) continue;
      const last = Math.min(v + BLOCK, end);
      let ax = xy[2 * v]!;
      let ay = xy[2 * v + 1]!;
      for (let w = v + 1; w <= last; w++) {
        const bx = xy[2 * w]!;
        const by = xy[2 * w + 1]!;
        if (ay > y !== by > y) {
          if (ax > x && bx > x) inside = !inside;
          else if (ax >= x || bx >= x) {
            const side = orient2d(ax, ay, bx, by, x, y);
            if (side === 0) return true;
            // An upward edge that has the point on its left crosses to the right of it; orient2d is below 0 there.
            if (by > ay === side < 0) inside = !inside;
          }
        } else if (ay === y && by === y) {
          if ((ax <= x && x <= bx) || (bx <= x && x <= ax)) return true;
        } else if ((ax === x && ay === y) || (bx === x && by === y)) return true;
        ax = bx;
        ay = by;
      }
    }
  }
  return inside;
}
