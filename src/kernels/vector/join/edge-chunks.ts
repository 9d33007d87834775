import { orient2d } from "robust-predicates";
import { type GeometryColumn, memberPartsEnd, rowBounds, typeDimension } from "../../../model/geometry.ts";

/** Edges to a chunk; measured, 8 is best for polygons of some tens of vertices. */
export const CHUNK = 8;
/** Chunks to a group: a ring of 50,000 vertices has 400 groups. */
const GROUP = 16;

/**
 * Boxes around runs of eight edges along every ring and line of a column. The filter that lets a test of two features
 * look only at the edges near each other, without an index per feature: an eighth of a box to a vertex.
 */
export interface EdgeChunks {
  readonly column: GeometryColumn;
  /** First chunk of each ring; length = rings + 1. Chunk `c` of ring `r` begins at vertex `rings[r] + 8 (c - starts[r])`. */
  readonly starts: Int32Array;
  /** `[minX, minY, maxX, maxY]` of each chunk. */
  readonly boxes: Float64Array;
  /** First group of each ring, and the boxes of the groups: sixteen chunks of one ring each. */
  readonly groupStarts: Int32Array;
  readonly groupBoxes: Float64Array;
  /** Dimension of each part: 0 point, 1 line, 2 polygon. */
  readonly dimensions: Uint8Array;
}

/** Where a point lies. */
export const OUTSIDE = -1;
export const BOUNDARY = 0;
export const INSIDE = 1;

/** Boxes of the edges of a whole column. A point is a chunk of its own. O(vertices). */
export function edgeChunks(column: GeometryColumn): EdgeChunks {
  const { parts, rings, xy } = column;
  const ringCount = rings.length - 1;
  const starts = new Int32Array(ringCount + 1);
  for (let r = 0; r < ringCount; r++) {
    const edges = rings[r + 1]! - rings[r]! - 1;
    starts[r + 1] = starts[r]! + (edges < 0 ? 0 : edges === 0 ? 1 : Math.ceil(edges / CHUNK));
  }
  const boxes = new Float64Array(4 * starts[ringCount]!);
  for (let r = 0; r < ringCount; r++) {
    const end = rings[r + 1]!;
    let first = rings[r]!;
    for (let c = starts[r]!; c < starts[r + 1]!; c++) {
      // Math.min and Math.max have no branches to guess, and make NaN show.
      let minX = Infinity;
      let minY = Infinity;
      let maxX = -Infinity;
      let maxY = -Infinity;
      const last = 2 * Math.min(first + CHUNK + 1, end);
      for (let i = 2 * first; i < last; i += 2) {
        const x = xy[i]!;
        const y = xy[i + 1]!;
        minX = Math.min(minX, x);
        maxX = Math.max(maxX, x);
        minY = Math.min(minY, y);
        maxY = Math.max(maxY, y);
      }
      boxes[4 * c] = minX;
      boxes[4 * c + 1] = minY;
      boxes[4 * c + 2] = maxX;
      boxes[4 * c + 3] = maxY;
      first += CHUNK;
    }
  }
  const groupStarts = new Int32Array(ringCount + 1);
  for (let r = 0; r < ringCount; r++)
    groupStarts[r + 1] = groupStarts[r]! + Math.ceil((starts[r + 1]! - starts[r]!) / GROUP);
  const groupBoxes = new Float64Array(4 * groupStarts[ringCount]!);
  for (let r = 0; r < ringCount; r++) {
    for (let g = groupStarts[r]!, c = starts[r]!; g < groupStarts[r + 1]!; g++, c += GROUP)
      boxOf(boxes, c, Math.min(c + GROUP, starts[r + 1]!), groupBoxes, g);
  }
  const dimensions = partDimensions(column, parts.length - 1);
  return { column, starts, boxes, groupStarts, groupBoxes, dimensions };
}

/** Box of boxes `first .. end - 1`. */
function boxOf(boxes: Float64Array, first: number, end: number, out: Float64Array, at: number): void {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let c = first; c < end; c++) {
    minX = Math.min(minX, boxes[4 * c]!);
    minY = Math.min(minY, boxes[4 * c + 1]!);
    maxX = Math.max(maxX, boxes[4 * c + 2]!);
    maxY = Math.max(maxY, boxes[4 * c + 3]!);
  }
  out[4 * at] = minX;
  out[4 * at + 1] = minY;
  out[4 * at + 2] = maxX;
  out[4 * at + 3] = maxY;
}

/** Boxes of rows, and which rows are not for the tests of this file. */
export interface RowBoxes {
  /** As `rowBounds` gives them. */
  readonly boxes: Float64Array;
  /**
   * 1 for rows with a vertex that is not a finite number; `null` when there is none. The tests here take coordinates as they
   * are, the general ones pass such vertices over.
   */
  readonly irregular: Uint8Array | null;
}

/** Boxes of all rows from those of their groups: an eighth of the work that their vertices would be. */
export function rowBoxes({ column, groupStarts, groupBoxes }: EdgeChunks): RowBoxes {
  const { types, geometries, parts } = column;
  const boxes = new Float64Array(4 * types.length);
  let irregular: Uint8Array | null = null;
  for (let row = 0; row < types.length; row++) {
    const first = groupStarts[parts[geometries[row]!]!]!;
    const end = groupStarts[parts[geometries[row + 1]!]!]!;
    boxOf(groupBoxes, first, end, boxes, row);
    if (
      first === end ||
      Number.isFinite(boxes[4 * row]! + boxes[4 * row + 1]! + boxes[4 * row + 2]! + boxes[4 * row + 3]!)
    )
      continue;
    irregular ??= new Uint8Array(types.length);
    irregular[row] = 1;
  }
  // Boxes of what is finite or infinite, without NaN.
  return { boxes: irregular === null ? boxes : rowBounds(column), irregular };
}

function partDimensions(column: GeometryColumn, count: number): Uint8Array {
  const { types, geometries, collections } = column;
  const dimensions = new Uint8Array(count);
  for (let row = 0; row < types.length; row++) {
    const dimension = typeDimension(types[row]!);
    if (dimension >= 0) dimensions.fill(dimension, geometries[row]!, geometries[row + 1]!);
    else if (collections !== null) {
      for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
        dimensions.fill(
          typeDimension(collections.types[k]!),
          collections.members[k]!,
          memberPartsEnd(column, row, k),
        );
      }
    }
  }
  return dimensions;
}

/** Scratch of {@link chunksMeet}, reused from call to call. */
export interface ChunkScratch {
  near: Int32Array;
}

export function newChunkScratch(): ChunkScratch {
  return { near: new Int32Array(64) };
}

/**
 * Whether two features have a point in common; boundaries belong to them. Exact. Nothing is built: chunks away from
 * the box that the features share are left out, then edges of near chunks are compared, and only when none meet, one
 * vertex of each part is located in the other's polygons. In a feature of several polygons a point is inside when it
 * is inside one of them.
 *
 * @param minX  With the next three: what the boxes of the two rows have in common; not empty.
 */
export function chunksMeet(
  a: EdgeChunks,
  rowA: number,
  b: EdgeChunks,
  rowB: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  scratch: ChunkScratch,
): boolean {
  const { geometries: rowsB, parts: partsB, rings: ringsB } = b.column;
  const boxes = b.boxes;
  const groups = b.groupBoxes;
  let { near } = scratch;
  let count = 0;
  // Chunks of B near the common box: chunk, first vertex, vertex after the last edge's start, step to an edge's end.
  for (let r = partsB[rowsB[rowB]!]!; r < partsB[rowsB[rowB + 1]!]!; r++) {
    const start = ringsB[r]!;
    const step = ringsB[r + 1]! - start === 1 ? 0 : 1;
    const end = ringsB[r + 1]! - step;
    const firstGroup = b.groupStarts[r]!;
    for (let g = firstGroup; g < b.groupStarts[r + 1]!; g++) {
      if (
        groups[4 * g]! > maxX ||
        groups[4 * g + 1]! > maxY ||
        groups[4 * g + 2]! < minX ||
        groups[4 * g + 3]! < minY
      )
        continue;
      const firstChunk = b.starts[r]! + GROUP * (g - firstGroup);
      const lastChunk = Math.min(firstChunk + GROUP, b.starts[r + 1]!);
      let first = start + CHUNK * GROUP * (g - firstGroup);
      for (let c = firstChunk; c < lastChunk; c++, first += CHUNK) {
        if (
          boxes[4 * c]! > maxX ||
          boxes[4 * c + 1]! > maxY ||
          boxes[4 * c + 2]! < minX ||
          boxes[4 * c + 3]! < minY
        )
          continue;
        if (count + 4 > near.length) {
          const grown = new Int32Array(2 * near.length);
          grown.set(near);
          near = scratch.near = grown;
        }
        near[count] = c;
        near[count + 1] = first;
        near[count + 2] = Math.min(first + CHUNK, end);
        near[count + 3] = step;
        count += 4;
      }
    }
  }
  if (count > 0 && edgesMeetNear(a, rowA, b, near, count, minX, minY, maxX, maxY)) return true;
  return (
    someStartInside(a.column, rowA, b, rowB, minX, minY, maxX, maxY) ||
    someStartInside(b.column, rowB, a, rowA, minX, minY, maxX, maxY)
  );
}

function edgesMeetNear(
  a: EdgeChunks,
  rowA: number,
  b: EdgeChunks,
  near: Int32Array,
  count: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  const { geometries, parts, rings, xy } = a.column;
  const boxesA = a.boxes;
  const groups = a.groupBoxes;
  const boxesB = b.boxes;
  const xyB = b.column.xy;
  for (let r = parts[geometries[rowA]!]!; r < parts[geometries[rowA + 1]!]!; r++) {
    const start = rings[r]!;
    const step = rings[r + 1]! - start === 1 ? 0 : 1;
    const end = rings[r + 1]! - step;
    const firstGroup = a.groupStarts[r]!;
    for (let g = firstGroup; g < a.groupStarts[r + 1]!; g++) {
      if (
        groups[4 * g]! > maxX ||
        groups[4 * g + 1]! > maxY ||
        groups[4 * g + 2]! < minX ||
        groups[4 * g + 3]! < minY
      )
        continue;
      const firstChunk = a.starts[r]! + GROUP * (g - firstGroup);
      const lastChunk = Math.min(firstChunk + GROUP, a.starts[r + 1]!);
      let first = start + CHUNK * GROUP * (g - firstGroup);
      for (let c = firstChunk; c < lastChunk; c++, first += CHUNK) {
        const x0 = boxesA[4 * c]!;
        const y0 = boxesA[4 * c + 1]!;
        const x1 = boxesA[4 * c + 2]!;
        const y1 = boxesA[4 * c + 3]!;
        if (x0 > maxX || y0 > maxY || x1 < minX || y1 < minY) continue;
        const last = Math.min(first + CHUNK, end);
        for (let k = 0; k < count; k += 4) {
          const d = near[k]!;
          if (
            boxesB[4 * d]! > x1 ||
            boxesB[4 * d + 1]! > y1 ||
            boxesB[4 * d + 2]! < x0 ||
            boxesB[4 * d + 3]! < y0
          )
            continue;
          const meet = runsMeet(
            xy,
            first,
            last,
            step,
            xyB,
            near[k + 1]!,
            near[k + 2]!,
            near[k + 3]!,
            boxesB[4 * d]!,
            boxesB[4 * d + 1]!,
            boxesB[4 * d + 2]!,
            boxesB[4 * d + 3]!,
          );
          if (meet) return true;
        }
      }
    }
  }
  return false;
}

/** Whether an edge of one run meets an edge of another, whose box is given. Closed segments, exact. */
function runsMeet(
  a: Float64Array,
  firstA: number,
  endA: number,
  stepA: number,
  b: Float64Array,
  firstB: number,
  endB: number,
  stepB: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  for (let v = firstA; v < endA; v++) {
    const ax = a[2 * v]!;
    const ay = a[2 * v + 1]!;
    const bx = a[2 * (v + stepA)]!;
    const by = a[2 * (v + stepA) + 1]!;
    const x0 = ax < bx ? ax : bx;
    const x1 = ax < bx ? bx : ax;
    const y0 = ay < by ? ay : by;
    const y1 = ay < by ? by : ay;
    if (x0 > maxX || y0 > maxY || x1 < minX || y1 < minY) continue;
    for (let w = firstB; w < endB; w++) {
      const cx = b[2 * w]!;
      const cy = b[2 * w + 1]!;
      const dx = b[2 * (w + stepB)]!;
      const dy = b[2 * (w + stepB) + 1]!;
      if ((cx > x1 && dx > x1) || (cx < x0 && dx < x0) || (cy > y1 && dy > y1) || (cy < y0 && dy < y0))
        continue;
      // Boxes meet, and neither segment lies strictly on one side of the other's line: the segments meet.
      const c = orient2d(ax, ay, bx, by, cx, cy);
      const d = orient2d(ax, ay, bx, by, dx, dy);
      if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
      const e = orient2d(cx, cy, dx, dy, ax, ay);
      const f = orient2d(cx, cy, dx, dy, bx, by);
      if ((e > 0 && f > 0) || (e < 0 && f < 0)) continue;
      return true;
    }
  }
  return false;
}

/** Whether the first vertex of a part of a row lies in the polygons of another row. */
function someStartInside(
  { geometries, parts, rings, xy }: GeometryColumn,
  row: number,
  other: EdgeChunks,
  otherRow: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    const v = rings[parts[p]!]!;
    if (v === rings[parts[p + 1]!]!) continue;
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    // Outside what the boxes have in common it is outside the other row.
    if (x < minX || x > maxX || y < minY || y > maxY) continue;
    if (locateInRow(other, otherRow, x, y) !== OUTSIDE) return true;
  }
  return false;
}

/**
 * Where a point lies in the polygons of a row: {@link INSIDE} one of them, else on the {@link BOUNDARY} of one, else
 * {@link OUTSIDE}. Points and lines of the row do not count. Exact; the cost is a box test for eight edges.
 */
export function locateInRow(chunks: EdgeChunks, row: number, x: number, y: number): -1 | 0 | 1 {
  const { geometries } = chunks.column;
  let found: -1 | 0 = OUTSIDE;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    if (chunks.dimensions[p] !== 2) continue;
    const where = locateInPart(chunks, p, x, y);
    if (where === INSIDE) return INSIDE;
    if (where === BOUNDARY) found = BOUNDARY;
  }
  return found;
}

function locateInPart(chunks: EdgeChunks, part: number, x: number, y: number): -1 | 0 | 1 {
  const { starts, boxes, groupStarts, groupBoxes } = chunks;
  const { parts, rings, xy } = chunks.column;
  let inside = false;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    const last = rings[r + 1]! - 1;
    const firstGroup = groupStarts[r]!;
    for (let g = firstGroup; g < groupStarts[r + 1]!; g++) {
      if (!(groupBoxes[4 * g + 1]! <= y && groupBoxes[4 * g + 3]! >= y && groupBoxes[4 * g + 2]! >= x))
        continue;
      const firstChunk = starts[r]! + GROUP * (g - firstGroup);
      const lastChunk = Math.min(firstChunk + GROUP, starts[r + 1]!);
      let first = rings[r]! + CHUNK * GROUP * (g - firstGroup);
      for (let c = firstChunk; c < lastChunk; c++, first += CHUNK) {
        if (!(boxes[4 * c + 1]! <= y && boxes[4 * c + 3]! >= y && boxes[4 * c + 2]! >= x)) continue;
        const end = Math.min(first + CHUNK, last);
        for (let v = first; v < end; v++) {
          const x1 = xy[2 * v]!;
          const y1 = xy[2 * v + 1]!;
          const x2 = xy[2 * v + 2]!;
          const y2 = xy[2 * v + 3]!;
          const crossed = crossing(x1, y1, x2, y2, x, y);
          if (crossed === ON_EDGE) return BOUNDARY;
          if (crossed === 1) inside = !inside;
        }
      }
    }
  }
  return inside ? INSIDE : OUTSIDE;
}

/**
 * Whether the point moved by a symbolic hair, far less up than to the right, lies in one of the row's polygons. The moved
 * point is on no edge, so that of polygons that share an edge or a corner exactly one holds it. Exact.
 */
export function holdsHalfOpen(chunks: EdgeChunks, row: number, x: number, y: number): boolean {
  const { starts, boxes, groupStarts, groupBoxes, dimensions } = chunks;
  const { geometries, parts, rings, xy } = chunks.column;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    if (dimensions[p] !== 2) continue;
    let inside = false;
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const last = rings[r + 1]! - 1;
      const firstGroup = groupStarts[r]!;
      for (let g = firstGroup; g < groupStarts[r + 1]!; g++) {
        if (!(groupBoxes[4 * g + 1]! <= y && groupBoxes[4 * g + 3]! >= y && groupBoxes[4 * g + 2]! >= x))
          continue;
        const firstChunk = starts[r]! + GROUP * (g - firstGroup);
        const lastChunk = Math.min(firstChunk + GROUP, starts[r + 1]!);
        let first = rings[r]! + CHUNK * GROUP * (g - firstGroup);
        for (let c = firstChunk; c < lastChunk; c++, first += CHUNK) {
          if (!(boxes[4 * c + 1]! <= y && boxes[4 * c + 3]! >= y && boxes[4 * c + 2]! >= x)) continue;
          const end = Math.min(first + CHUNK, last);
          for (let v = first; v < end; v++) {
            // An edge that holds the point lies, once it is moved, on its left: the ray does not cross it.
            if (crossing(xy[2 * v]!, xy[2 * v + 1]!, xy[2 * v + 2]!, xy[2 * v + 3]!, x, y) === 1)
              inside = !inside;
          }
        }
      }
    }
    if (inside) return true;
  }
  return false;
}

/** What {@link crossing} says of a point on the edge. */
export const ON_EDGE = 2;

/**
 * Whether the ray from (x, y) to the right crosses an edge: 1 or 0, or {@link ON_EDGE} when the point is on it. An edge
 * owns its lower end and not its upper one, so that a ray through a vertex is counted once. Exact.
 */
export function crossing(x1: number, y1: number, x2: number, y2: number, x: number, y: number): 0 | 1 | 2 {
  if (x1 < x && x2 < x) return 0;
  if (y1 <= y === y2 <= y) {
    // No crossing; but the point may be a vertex or on a level edge.
    if (y1 === y && y2 === y) return (x1 <= x || x2 <= x) && (x1 >= x || x2 >= x) ? 2 : 0;
    return (x1 === x && y1 === y) || (x2 === x && y2 === y) ? 2 : 0;
  }
  if (x1 > x && x2 > x) return 1;
  const side = orient2d(x1, y1, x2, y2, x, y);
  if (side === 0) return 2;
  // robust-predicates gives a negative number for a counter-clockwise turn: y grows upward here.
  return side < 0 === y2 > y1 ? 1 : 0;
}
