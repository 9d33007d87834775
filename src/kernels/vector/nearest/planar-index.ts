import type { GeometryColumn } from "../../../model/geometry.ts";
import { partDimensions } from "../distance/dimensions.ts";
import { type PolygonLocator, polygonLocator } from "../distance/locate.ts";
import { hilbertOrder } from "./hilbert-order.ts";
import { type PackedTree, packTree } from "./packed-tree.ts";

/** Points, or segments, that share a leaf. */
export const LEAF = 8;

/** Single points in the order of a Hilbert curve; leaf `k` of the tree has points `8 k .. 8 k + 7`. */
export interface PointLeaves {
  readonly xy: Float64Array;
  /** Row of each point. */
  readonly rows: Int32Array;
  readonly tree: PackedTree;
}

/**
 * Lines and rings in runs of up to eight segments, each of one row, in the order of a Hilbert curve. Run `k` is leaf
 * `k` of the tree and has vertices `starts[k] .. starts[k + 1] - 1`, copied so that a leaf is one stretch of memory.
 */
export interface LineLeaves {
  readonly xy: Float64Array;
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  readonly tree: PackedTree;
  /** Length of the longest segment. */
  readonly longest: number;
}

/** Polygon parts: which of them cover a point. */
export interface AreaLeaves {
  /** Leaf `k` of the tree is the box of part `parts[k]` of row `rows[k]`. */
  readonly parts: Int32Array;
  readonly rows: Int32Array;
  readonly tree: PackedTree;
  /** Made when first asked for. */
  readonly locators: (PolygonLocator | undefined)[];
}

/** One vertex of every line and polygon part: enough to know whether a polygon that it does not cross has it inside. */
export interface Anchors {
  readonly xy: Float64Array;
  readonly rows: Int32Array;
  /** Leaf `k` is anchors `8 k .. 8 k + 7`. */
  readonly tree: PackedTree;
}

/** What a search for the nearest reads. Vertices that are not finite do not count, nor do the edges at them. */
export interface PlanarIndex {
  readonly column: GeometryColumn;
  readonly points: PointLeaves;
  readonly lines: LineLeaves;
  readonly areas: AreaLeaves;
  readonly anchors: Anchors;
}

/** Index `rows` of a column (default all). O(n log n) at the most, about 1.2 times the coordinates in memory. */
export function planarIndex(column: GeometryColumn, rows?: ArrayLike<number>): PlanarIndex {
  const { geometries, parts, rings, xy, types } = column;
  const dimensions = partDimensions(column);
  const count = rows === undefined ? types.length : rows.length;
  const pointVertices = new Ints();
  const pointRows = new Ints();
  const runFirst = new Ints();
  const runCount = new Ints();
  const runRows = new Ints();
  const anchorVertices = new Ints();
  const anchorRows = new Ints();
  const areaParts = new Ints();
  const areaRows = new Ints();
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      const dimension = dimensions[p]!;
      let anchored = dimension === 0;
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const end = rings[r + 1]!;
        for (let v = rings[r]!; v < end; ) {
          if (!isFinite2(xy, v)) {
            v++;
            continue;
          }
          let last = v + 1;
          if (dimension !== 0) while (last < end && isFinite2(xy, last)) last++;
          if (!anchored) {
            anchored = true;
            anchorVertices.push(v);
            anchorRows.push(row);
          }
          if (last === v + 1) {
            pointVertices.push(v);
            pointRows.push(row);
          } else {
            for (let first = v; first + 1 < last; first += LEAF) {
              runFirst.push(first);
              runCount.push(Math.min(LEAF + 1, last - first));
              runRows.push(row);
            }
          }
          v = last;
        }
      }
      if (dimension === 2 && anchored) {
        areaParts.push(p);
        areaRows.push(row);
      }
    }
  }
  return {
    column,
    points: pointLeaves(xy, pointVertices, pointRows),
    lines: lineLeaves(xy, runFirst, runCount, runRows),
    areas: areaLeaves(column, areaParts, areaRows),
    anchors: pointLeaves(xy, anchorVertices, anchorRows),
  };
}

function isFinite2(xy: Float64Array, v: number): boolean {
  return Number.isFinite(xy[2 * v]! + xy[2 * v + 1]!);
}

function pointLeaves(xy: Float64Array, vertices: Ints, rows: Ints): PointLeaves {
  const count = vertices.length;
  const loose = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const v = vertices.values[k]!;
    loose[2 * k] = xy[2 * v]!;
    loose[2 * k + 1] = xy[2 * v + 1]!;
  }
  const order = hilbertOrder(loose, count, 2);
  const sorted = new Float64Array(2 * count);
  const sortedRows = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    sorted[2 * k] = loose[2 * i]!;
    sorted[2 * k + 1] = loose[2 * i + 1]!;
    sortedRows[k] = rows.values[i]!;
  }
  const tree = packTree(Math.ceil(count / LEAF), (boxes) => {
    for (let leaf = 0; leaf * LEAF < count; leaf++)
      boxOf(sorted, leaf * LEAF, Math.min(count, (leaf + 1) * LEAF), boxes, leaf);
  });
  return { xy: sorted, rows: sortedRows, tree };
}

function lineLeaves(xy: Float64Array, first: Ints, counts: Ints, rows: Ints): LineLeaves {
  const count = first.length;
  const boxes = new Float64Array(4 * count);
  const centres = new Float64Array(2 * count);
  let vertices = 0;
  for (let k = 0; k < count; k++) {
    const v = first.values[k]!;
    const n = counts.values[k]!;
    boxOf(xy, v, v + n, boxes, k);
    centres[2 * k] = boxes[4 * k]! / 2 + boxes[4 * k + 2]! / 2;
    centres[2 * k + 1] = boxes[4 * k + 1]! / 2 + boxes[4 * k + 3]! / 2;
    vertices += n;
  }
  const order = hilbertOrder(centres, count, 2);
  const sorted = new Float64Array(2 * vertices);
  const starts = new Int32Array(count + 1);
  const sortedRows = new Int32Array(count);
  let to = 0;
  let longest = 0;
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    const v = first.values[i]!;
    const end = 2 * (v + counts.values[i]!);
    let previousX = xy[2 * v]!;
    let previousY = xy[2 * v + 1]!;
    for (let at = 2 * v; at < end; at += 2) {
      const x = xy[at]!;
      const y = xy[at + 1]!;
      const length = (x - previousX) * (x - previousX) + (y - previousY) * (y - previousY);
      if (length > longest) longest = length;
      sorted[to++] = x;
      sorted[to++] = y;
      previousX = x;
      previousY = y;
    }
    starts[k + 1] = to / 2;
    sortedRows[k] = rows.values[i]!;
  }
  const tree = packTree(count, (out) => {
    for (let k = 0; k < count; k++) {
      const i = 4 * order[k]!;
      out[4 * k] = boxes[i]!;
      out[4 * k + 1] = boxes[i + 1]!;
      out[4 * k + 2] = boxes[i + 2]!;
      out[4 * k + 3] = boxes[i + 3]!;
    }
  });
  return { xy: sorted, starts, rows: sortedRows, tree, longest: Math.sqrt(longest) };
}

function areaLeaves(column: GeometryColumn, parts: Ints, rows: Ints): AreaLeaves {
  const { rings, parts: firstRing, xy } = column;
  const count = parts.length;
  const boxes = new Float64Array(4 * count);
  const centres = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const part = parts.values[k]!;
    boxOf(xy, rings[firstRing[part]!]!, rings[firstRing[part + 1]!]!, boxes, k);
    centres[2 * k] = boxes[4 * k]! / 2 + boxes[4 * k + 2]! / 2;
    centres[2 * k + 1] = boxes[4 * k + 1]! / 2 + boxes[4 * k + 3]! / 2;
  }
  const order = hilbertOrder(centres, count, 2);
  return {
    parts: Int32Array.from(order, (i) => parts.values[i]!),
    rows: Int32Array.from(order, (i) => rows.values[i]!),
    tree: packTree(count, (out) => {
      for (let k = 0; k < count; k++) out.set(boxes.subarray(4 * order[k]!, 4 * order[k]! + 4), 4 * k);
    }),
    locators: new Array<PolygonLocator | undefined>(count).fill(undefined),
  };
}

/** Locator of polygon leaf `leaf`. */
export function areaLocator(index: PlanarIndex, leaf: number): PolygonLocator {
  const { locators, parts } = index.areas;
  locators[leaf] ??= polygonLocator(index.column, parts[leaf]!);
  return locators[leaf];
}

/** Box of vertices `start .. end - 1` into `boxes[4 * at]`. NaN is left out. */
function boxOf(xy: Float64Array, start: number, end: number, boxes: Float64Array, at: number): void {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = start; v < end; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  boxes[4 * at] = minX;
  boxes[4 * at + 1] = minY;
  boxes[4 * at + 2] = maxX;
  boxes[4 * at + 3] = maxY;
}

/** Whole numbers, growing. */
class Ints {
  values = new Int32Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Int32Array(2 * this.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }
}
