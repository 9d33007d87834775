import { type GeometryColumn, POINT } from "../../../model/geometry.ts";
import { locateInGridRow, type PolygonGrid, rowHoldsHalfOpen } from "./polygon-grid.ts";

/** Whether every row of a column is one point, so that row `i` is vertex `i`. */
export function allPoints({ types, geometries, parts, rings, xy }: GeometryColumn): boolean {
  const count = types.length;
  if (xy.length !== 2 * count || rings.length !== count + 1 || parts.length !== count + 1) return false;
  for (let i = 0; i < count; i++) {
    if (types[i] !== POINT || geometries[i] !== i || parts[i] !== i || rings[i] !== i) return false;
  }
  return true;
}

/** Which places in a polygon make a pair: bit 1 its boundary, bit 2 its inside. */
export const ON_BOUNDARY = 1;
export const IN_INSIDE = 2;

/**
 * Pairs of points and polygons, points in their order and polygons rising for one point. Points whose cell has an
 * answer are done in one pass; the others are taken polygon by polygon, so that its edges stay in the processor's cache.
 *
 * @param places  {@link ON_BOUNDARY}, {@link IN_INSIDE} or both.
 * @param halfOpen  Give each point to the polygon that holds it when moved by a hair; `places` is not looked at.
 */
export function pointsInGrid(
  grid: PolygonGrid,
  boxes: Float64Array,
  xy: Float64Array,
  places: number,
  halfOpen: boolean,
): { left: Int32Array; right: Int32Array } {
  const { minX, minY, maxX, maxY, scaleX, scaleY, columns, rows, cells, starts, entries } = grid;
  const count = xy.length / 2;
  const inside = halfOpen || (places & IN_INSIDE) !== 0;
  /** The polygon of each point; -1 none; `-2 - list` to be looked at; -1 again, then, with the pairs in `more`. */
  const found = new Int32Array(count);
  let pending = 0;
  for (let i = 0; i < count; i++) {
    const x = xy[2 * i]!;
    const y = xy[2 * i + 1]!;
    let value = -1;
    if (x >= minX && x <= maxX && y >= minY && y <= maxY) {
      // Not below 0, as x >= minX; the last cell holds what rounding puts beyond it.
      let column = ((x - minX) * scaleX) | 0;
      if (column >= columns) column = columns - 1;
      let row = ((y - minY) * scaleY) | 0;
      if (row >= rows) row = rows - 1;
      value = cells[row * columns + column]!;
      if (value < -1) pending++;
      else if (!inside) value = -1;
    }
    found[i] = value;
  }
  const order = byFirstPolygon(grid, found, pending);
  // Pairs of the points looked at, as they come: `next` chains those of one point from last to first.
  let morePairs = new Int32Array(2 * pending + 64);
  let total = 0;
  const firstOf = found;
  for (let k = 0; k < pending; k++) {
    const i = order[k]!;
    const list = -2 - found[i]!;
    const x = xy[2 * i]!;
    const y = xy[2 * i + 1]!;
    let chain = -1;
    // From the last to the first, so that the chain rises.
    for (let e = starts[list + 1]! - 1; e >= starts[list]!; e--) {
      const entry = entries[e]!;
      const row = entry >> 1;
      if ((entry & 1) === 1) {
        if (!inside) continue;
      } else {
        if (
          boxes[4 * row]! > x ||
          boxes[4 * row + 1]! > y ||
          boxes[4 * row + 2]! < x ||
          boxes[4 * row + 3]! < y
        )
          continue;
        if (halfOpen) {
          if (!rowHoldsHalfOpen(grid, row, x, y)) continue;
        } else {
          const where = locateInGridRow(grid, row, x, y);
          if (where < 0 || (places & (where + 1)) === 0) continue;
        }
      }
      if (2 * total + 2 > morePairs.length) {
        const grown = new Int32Array(2 * morePairs.length);
        grown.set(morePairs);
        morePairs = grown;
      }
      morePairs[2 * total] = row;
      morePairs[2 * total + 1] = chain;
      chain = total++;
    }
    firstOf[i] = chain === -1 ? -1 : -2 - chain;
  }
  let simple = 0;
  for (let i = 0; i < count; i++) if (firstOf[i]! >= 0) simple++;
  const left = new Int32Array(simple + total);
  const right = new Int32Array(simple + total);
  let n = 0;
  for (let i = 0; i < count; i++) {
    const value = firstOf[i]!;
    if (value >= 0) {
      left[n] = i;
      right[n++] = value;
      continue;
    }
    for (let chain = -2 - value; chain >= 0; chain = morePairs[2 * chain + 1]!) {
      left[n] = i;
      right[n++] = morePairs[2 * chain]!;
    }
  }
  return { left, right };
}

/** The points with more to look at, in the order of the first polygon of their cell. */
function byFirstPolygon(grid: PolygonGrid, found: Int32Array, pending: number): Int32Array {
  const { starts, entries } = grid;
  const points = new Int32Array(pending);
  const polygons = new Int32Array(pending);
  const next = new Int32Array(grid.slabs.length + 1);
  let n = 0;
  for (let i = 0; i < found.length; i++) {
    const list = -2 - found[i]!;
    if (list < 0) continue;
    const polygon = entries[starts[list]!]! >> 1;
    points[n] = i;
    polygons[n++] = polygon;
    next[polygon + 1]!++;
  }
  for (let p = 0; p + 1 < next.length; p++) next[p + 1]! += next[p]!;
  const order = new Int32Array(pending);
  for (let k = 0; k < pending; k++) order[next[polygons[k]!]!++] = points[k]!;
  return order;
}
