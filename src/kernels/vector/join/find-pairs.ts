import { type GeometryColumn, POINT } from "../../../model/geometry.ts";
import { type BoxTree, buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import { withinDistance } from "../distance/distance-rows.ts";
import { geodesicFinder } from "../nearest/geodesic-finder.ts";
import type { NearestFinder } from "../nearest/nearest-rows.ts";
import { type Predicate, testRows } from "../relate/predicates.ts";
import { type PreparedRelate, prepareRelate, testPrepared } from "../relate/prepared.ts";
import {
  chunksMeet,
  type EdgeChunks,
  edgeChunks,
  holdsHalfOpen,
  locateInRow,
  newChunkScratch,
  rowBoxes,
} from "./edge-chunks.ts";
import { allPoints, IN_INSIDE, ON_BOUNDARY, pointsInGrid } from "./points-in-grid.ts";
import {
  cellAt,
  isPolygonal,
  locateInGridRow,
  type PolygonGrid,
  polygonGrid,
  rowHoldsHalfOpen,
} from "./polygon-grid.ts";
import { locateInSlabs, type RowSlabs, rowSlabs } from "./row-slabs.ts";

/** Conditions between two geometries, read from left to right: left `within` right. */
export type PairPredicate = Predicate | "dwithin";

export interface PairOptions {
  /** For `dwithin`: in units of the coordinates, or metres when `geodesic`. */
  readonly distance?: number | undefined;
  /** `dwithin` on the WGS 84 ellipsoid; coordinates are degrees of longitude and latitude. Default false. */
  readonly geodesic?: boolean | undefined;
  /**
   * Points are given to the polygon that holds them once moved by a hair to the right and far less up, so that every
   * point of a partition belongs to exactly one. A point that no polygon holds then (it is on the outer edge) goes to
   * the first polygon in order on whose boundary it lies. `predicate` is not looked at. Default false.
   */
  readonly halfOpen?: boolean | undefined;
  /**
   * A number for each right row; only left rows of the same number are paired with it, and a negative one pairs with
   * nothing.
   */
  readonly keys?: Int32Array | undefined;
}

/** Pairs of rows, in the order of the left rows and, for one left row, of the right ones. */
export interface Pairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/**
 * Every pair of rows of two columns for which the predicate holds. Null and empty geometries are in no pair. Exact.
 * Cost: an index over `right`, then what lies near each left row; see {@link PairFinder}.
 */
export function findPairs(
  predicate: PairPredicate,
  left: GeometryColumn,
  right: GeometryColumn,
  options: PairOptions = {},
): Pairs {
  return new PairFinder(predicate, right, options).find(left);
}

/** Points worth a grid of cells: this many for each polygon. */
const POINTS_PER_POLYGON = 0.5;
/** A bucket of equal keys this small is walked through rather than searched in space. */
const SMALL_BUCKET = 16;
/** Left rows worth putting into an order in space. */
const HILBERT_ROWS = 256;
/** Points against one polygon that are worth strips. */
const STRIP_POINTS = 32;
/** A right row with this many vertices is prepared and kept when it meets a smaller left one. */
const PREPARE_VERTICES = 64;
/** Vertices of prepared right rows kept at a time. */
const PREPARED_BUDGET = 4_000_000;
/**
 * The right side of a join, indexed once; left columns are then joined one by one. Built as they are needed: a packed
 * tree of the rows' boxes; boxes of runs of edges ({@link EdgeChunks}); for points among polygons a grid of cells
 * ({@link PolygonGrid}). Serves one caller at a time.
 */
export class PairFinder {
  readonly #predicate: PairPredicate;
  readonly #right: GeometryColumn;
  readonly #boxes: Float64Array;
  readonly #distance: number;
  readonly #geodesic: boolean;
  readonly #halfOpen: boolean;
  readonly #keys: Int32Array | null;
  readonly #buckets: Buckets | null;
  /** 1 for rows that only the general tests may judge; see {@link rowBoxes}. */
  readonly #irregular: Uint8Array | null;
  /** Rows for the grid, and all others that have a box. */
  readonly #gridRows: Uint8Array;
  readonly #polygons: number;
  readonly #others: number;
  #tree: BoxTree | null = null;
  #otherTree: BoxTree | null = null;
  #around: NearestFinder | null = null;
  readonly #chunks: EdgeChunks;
  #grid: PolygonGrid | null = null;
  #pointsSeen = 0;
  readonly #hits = newHits();
  readonly #scratch = newChunkScratch();
  readonly #prepared = new Map<number, PreparedRelate>();
  #preparedVertices = 0;
  #out: PairList = new PairList();

  constructor(predicate: PairPredicate, right: GeometryColumn, options: PairOptions = {}) {
    this.#predicate = predicate;
    this.#right = right;
    this.#chunks = edgeChunks(right);
    const { boxes, irregular } = rowBoxes(this.#chunks);
    this.#boxes = boxes;
    this.#irregular = irregular;
    this.#distance = options.distance ?? 0;
    this.#geodesic = options.geodesic ?? false;
    this.#halfOpen = options.halfOpen ?? false;
    this.#keys = options.keys ?? null;
    this.#buckets = options.keys === undefined ? null : bucketsOf(options.keys);
    this.#gridRows = new Uint8Array(right.types.length);
    let polygons = 0;
    let others = 0;
    for (let row = 0; row < right.types.length; row++) {
      if (!(this.#boxes[4 * row]! <= this.#boxes[4 * row + 2]!)) continue;
      if (isPolygonal(right.types[row]!) && this.#irregular?.[row] !== 1) {
        polygons++;
        this.#gridRows[row] = 1;
      } else others++;
    }
    this.#polygons = polygons;
    this.#others = others;
  }

  /**
   * Pairs of a left column.
   *
   * @param keys  Number of each left row, when the right rows have some.
   */
  find(left: GeometryColumn, keys: Int32Array | null = null): Pairs {
    const { types } = left;
    if (this.#predicate === "dwithin" && this.#geodesic) return this.#findAround(left, keys);
    const locates = this.#halfOpen || LOCATED.has(this.#predicate);
    if (locates && this.#grid === null && this.#polygons > 0) this.#decideOnGrid(types);
    if (locates && this.#grid !== null && this.#keys === null && this.#others === 0 && allPoints(left)) {
      const places = placesInRight(this.#predicate);
      const pairs = pointsInGrid(this.#grid, this.#boxes, left.xy, places, this.#halfOpen);
      return this.#halfOpen ? this.#withOuterEdge(pairs, left.xy) : pairs;
    }
    const side = new LeftSide(left);
    const { boxes } = side;
    const out = this.#out;
    out.count = 0;
    // Neighbours one after the other meet the same right rows while those are in the processor's cache.
    const order = types.length >= HILBERT_ROWS ? buildBoxTree(boxes).items : null;
    const starts = order === null ? null : new Int32Array(types.length);
    const ends = order === null ? null : new Int32Array(types.length);
    for (let k = 0; k < types.length; k++) {
      const row = order === null ? k : order[k]!;
      if (!(boxes[4 * row]! <= boxes[4 * row + 2]!)) continue;
      const key = keys === null ? 0 : keys[row]!;
      if (key < 0) continue;
      const first = out.count;
      if (locates && types[row] === POINT) this.#pairPoint(side, row, key);
      else if (this.#predicate === "disjoint") this.#pairDisjoint(side, row, key);
      else this.#pairRow(side, row, key);
      if (out.count - first > 1) out.sortRight(first);
      if (starts !== null) {
        starts[row] = first;
        ends![row] = out.count;
      }
    }
    if (starts !== null) return out.takeInOrder(starts, ends!);
    return out.take();
  }

  #decideOnGrid(types: Uint8Array): void {
    for (let row = 0; row < types.length; row++) if (types[row] === POINT) this.#pointsSeen++;
    if (this.#pointsSeen < POINTS_PER_POLYGON * this.#polygons) return;
    this.#grid = polygonGrid(this.#chunks, this.#boxes, this.#gridRows);
  }

  /** A point against polygons by the grid, against anything else by the tree of the others. */
  #pairPoint(side: LeftSide, row: number, key: number): void {
    const x = side.boxes[4 * row]!;
    const y = side.boxes[4 * row + 1]!;
    const first = this.#out.count;
    const bucket = this.#buckets === null ? -1 : this.#buckets.size(key);
    if (this.#grid === null || (bucket >= 0 && bucket <= SMALL_BUCKET)) {
      this.#pairRow(side, row, key);
    } else {
      this.#pairInGrid(this.#grid, row, x, y, key);
      if (this.#others > 0 && !this.#halfOpen) {
        this.#otherTree ??= buildBoxTree(this.#boxesOfOthers());
        const count = searchBoxes(this.#otherTree, x, y, x, y, this.#hits);
        const { values } = this.#hits;
        for (let k = 0; k < count; k++) this.#consider(side, row, values[k]!, key, count);
      }
    }
    if (this.#halfOpen && this.#out.count === first) this.#pairOnOuterEdge(row, x, y, key);
  }

  #pairInGrid(grid: PolygonGrid, row: number, x: number, y: number, key: number): void {
    const out = this.#out;
    const keys = this.#keys;
    const boxes = this.#boxes;
    const wantsInside = this.#halfOpen || acceptsInRight(this.#predicate, 1);
    const cell = cellAt(grid, x, y);
    if (cell === -1) return;
    if (cell >= 0) {
      if (wantsInside && (keys === null || keys[cell] === key)) out.push(row, cell);
      return;
    }
    for (let k = grid.starts[-2 - cell]!; k < grid.starts[-1 - cell]!; k++) {
      const entry = grid.entries[k]!;
      const other = entry >> 1;
      if (keys !== null && keys[other] !== key) continue;
      if ((entry & 1) === 1) {
        if (wantsInside) out.push(row, other);
        continue;
      }
      if (
        boxes[4 * other]! > x ||
        boxes[4 * other + 1]! > y ||
        boxes[4 * other + 2]! < x ||
        boxes[4 * other + 3]! < y
      )
        continue;
      const holds = this.#halfOpen
        ? rowHoldsHalfOpen(grid, other, x, y)
        : acceptsInRight(this.#predicate, locateInGridRow(grid, other, x, y));
      if (holds) out.push(row, other);
    }
  }

  /** Pairs of points with those added that no polygon holds when moved, in the order of the points. */
  #withOuterEdge(pairs: Pairs, xy: Float64Array): Pairs {
    const { left, right } = pairs;
    const out = this.#out;
    out.count = 0;
    let k = 0;
    for (let i = 0; 2 * i < xy.length; i++) {
      const first = out.count;
      while (k < left.length && left[k] === i) out.push(i, right[k++]!);
      if (out.count === first) this.#pairOnOuterEdge(i, xy[2 * i]!, xy[2 * i + 1]!, 0);
    }
    return out.take();
  }

  /** The first polygon on whose boundary a point lies that no polygon holds when moved. */
  #pairOnOuterEdge(row: number, x: number, y: number, key: number): void {
    const tree = this.#rightTree();
    const count = searchBoxes(tree, x, y, x, y, this.#hits);
    let lowest = -1;
    for (let k = 0; k < count; k++) {
      const other = this.#hits.values[k]!;
      if (this.#keys !== null && this.#keys[other] !== key) continue;
      if (lowest !== -1 && other > lowest) continue;
      if (this.#gridRows[other] === 0) continue;
      if (locateInRow(this.#chunks, other, x, y) >= 0) lowest = other;
    }
    if (lowest !== -1) this.#out.push(row, lowest);
  }

  #pairRow(side: LeftSide, row: number, key: number): void {
    const { boxes } = side;
    const bucket = this.#buckets === null ? -1 : this.#buckets.size(key);
    if (bucket >= 0 && bucket <= SMALL_BUCKET && this.#predicate !== "dwithin") {
      const { starts, rows } = this.#buckets!;
      for (let k = starts[key]!; k < starts[key + 1]!; k++) {
        const other = rows[k]!;
        if (boxesMeet(boxes, row, this.#boxes, other)) this.#consider(side, row, other, key, bucket);
      }
      return;
    }
    const count =
      this.#predicate === "dwithin"
        ? this.#searchAround(boxes, row)
        : searchBoxes(
            this.#rightTree(),
            boxes[4 * row]!,
            boxes[4 * row + 1]!,
            boxes[4 * row + 2]!,
            boxes[4 * row + 3]!,
            this.#hits,
          );
    const { values } = this.#hits;
    for (let k = 0; k < count; k++) this.#consider(side, row, values[k]!, key, count);
  }

  #pairDisjoint(side: LeftSide, row: number, key: number): void {
    const out = this.#out;
    const keys = this.#keys;
    for (let other = 0; other < this.#right.types.length; other++) {
      if (keys !== null && keys[other] !== key) continue;
      if (!(this.#boxes[4 * other]! <= this.#boxes[4 * other + 2]!)) continue;
      if (!boxesMeet(side.boxes, row, this.#boxes, other) || !this.#meets(side, row, other, 1))
        out.push(row, other);
    }
  }

  /** Rows that may be within the distance in the plane. */
  #searchAround(boxes: Float64Array, row: number): number {
    const minX = boxes[4 * row]!;
    const minY = boxes[4 * row + 1]!;
    const maxX = boxes[4 * row + 2]!;
    const maxY = boxes[4 * row + 3]!;
    // A hair wider than the sums, which are rounded.
    const largest = Math.max(Math.abs(minX), Math.abs(minY), Math.abs(maxX), Math.abs(maxY));
    const wide = (this.#distance + largest * 2 ** -40) * (1 + 2 ** -40);
    return searchBoxes(this.#rightTree(), minX - wide, minY - wide, maxX + wide, maxY + wide, this.#hits);
  }

  /** Pairs within the distance on the ellipsoid: all that are nearest up to there. */
  #findAround(left: GeometryColumn, keys: Int32Array | null): Pairs {
    this.#around ??= geodesicFinder(this.#right);
    const { starts, rows } = this.#around.find(left, {
      k: Math.max(1, this.#right.types.length),
      maxDistance: this.#distance,
    });
    const out = this.#out;
    out.count = 0;
    for (let row = 0; row < left.types.length; row++) {
      const key = keys === null ? 0 : keys[row]!;
      if (key < 0) continue;
      const first = out.count;
      for (let k = starts[row]!; k < starts[row + 1]!; k++)
        if (this.#keys === null || this.#keys[rows[k]!] === key) out.push(row, rows[k]!);
      if (out.count - first > 1) out.sortRight(first);
    }
    return out.take();
  }

  /** Test a pair whose boxes are near, and keep it. */
  #consider(side: LeftSide, row: number, other: number, key: number, candidates: number): void {
    if (this.#keys !== null && this.#keys[other] !== key) return;
    if (this.#holds(side, row, other, candidates)) this.#out.push(row, other);
  }

  #holds(side: LeftSide, row: number, other: number, candidates: number): boolean {
    const { column, boxes } = side;
    const right = this.#right;
    const predicate = this.#predicate;
    if (predicate === "dwithin") return withinDistance(column, row, right, other, this.#distance);
    if (side.irregular?.[row] === 1 || this.#irregular?.[other] === 1)
      return !this.#halfOpen && testRows(predicate, column, row, right, other);
    if (column.types[row] === POINT && isPolygonal(right.types[other]!)) {
      const x = boxes[4 * row]!;
      const y = boxes[4 * row + 1]!;
      if (this.#halfOpen) return holdsHalfOpen(this.#chunks, other, x, y);
      return acceptsInRight(predicate, locateInRow(this.#chunks, other, x, y));
    }
    if (this.#halfOpen) return false;
    if (right.types[other] === POINT && isPolygonal(column.types[row]!)) {
      const where = side.locate(row, this.#boxes[4 * other]!, this.#boxes[4 * other + 1]!, candidates);
      return acceptsInLeft(predicate, where);
    }
    if (predicate === "intersects") return this.#meets(side, row, other, candidates);
    if (!boxesAllow(predicate, boxes, row, this.#boxes, other)) return false;
    return this.#test(predicate, side, row, other, candidates);
  }

  #meets(side: LeftSide, row: number, other: number, candidates: number): boolean {
    if (side.irregular?.[row] === 1 || this.#irregular?.[other] === 1)
      return testRows("intersects", side.column, row, this.#right, other);
    const a = side.boxes;
    const b = this.#boxes;
    if (side.column.types[row] === POINT && isPolygonal(this.#right.types[other]!))
      return locateInRow(this.#chunks, other, a[4 * row]!, a[4 * row + 1]!) >= 0;
    if (this.#right.types[other] === POINT && isPolygonal(side.column.types[row]!))
      return side.locate(row, b[4 * other]!, b[4 * other + 1]!, candidates) >= 0;
    return chunksMeet(
      side.chunks,
      row,
      this.#chunks,
      other,
      Math.max(a[4 * row]!, b[4 * other]!),
      Math.max(a[4 * row + 1]!, b[4 * other + 1]!),
      Math.min(a[4 * row + 2]!, b[4 * other + 2]!),
      Math.min(a[4 * row + 3]!, b[4 * other + 3]!),
      this.#scratch,
    );
  }

  /** The larger of the two is prepared, once, when it is tested more than once. */
  #test(predicate: Predicate, side: LeftSide, row: number, other: number, candidates: number): boolean {
    const { column } = side;
    const right = this.#right;
    const turned = CONVERSE[predicate];
    const leftSize = verticesOf(column, row);
    const rightSize = verticesOf(right, other);
    if (turned !== undefined && rightSize >= PREPARE_VERTICES && rightSize > leftSize) {
      let prepared = this.#prepared.get(other);
      if (prepared === undefined) {
        if (this.#preparedVertices + rightSize > PREPARED_BUDGET) {
          this.#prepared.clear();
          this.#preparedVertices = 0;
        }
        prepared = prepareRelate(right, other);
        this.#prepared.set(other, prepared);
        this.#preparedVertices += rightSize;
      }
      return testPrepared(prepared, turned, column, row);
    }
    if (candidates > 1) return testPrepared(side.prepare(row), predicate, right, other);
    return testRows(predicate, column, row, right, other);
  }

  #rightTree(): BoxTree {
    this.#tree ??= buildBoxTree(this.#boxes);
    return this.#tree;
  }

  /** Boxes of all rows, those in the grid emptied. */
  #boxesOfOthers(): Float64Array {
    const boxes = this.#boxes.slice();
    for (let row = 0; row < this.#gridRows.length; row++) {
      if (this.#gridRows[row] === 0) continue;
      boxes.fill(Infinity, 4 * row, 4 * row + 2);
      boxes.fill(-Infinity, 4 * row + 2, 4 * row + 4);
    }
    return boxes;
  }
}

/** Predicates that the place of a point in a polygon decides. */
const LOCATED: ReadonlySet<PairPredicate> = new Set<PairPredicate>([
  "intersects",
  "within",
  "coveredBy",
  "touches",
  "contains",
  "covers",
  "crosses",
  "overlaps",
  "equals",
  "containsProperly",
]);

/** The places in a right polygon where a left point makes a pair. */
function placesInRight(predicate: PairPredicate): number {
  return (acceptsInRight(predicate, 1) ? IN_INSIDE : 0) | (acceptsInRight(predicate, 0) ? ON_BOUNDARY : 0);
}

/** Whether a left point at this place (1 inside, 0 boundary, -1 outside) of a right polygon is a pair. */
function acceptsInRight(predicate: PairPredicate, where: number): boolean {
  switch (predicate) {
    case "intersects":
    case "coveredBy":
      return where >= 0;
    case "within":
      return where === 1;
    case "touches":
      return where === 0;
    default:
      return false;
  }
}

/** Whether a right point at this place of a left polygon is a pair. */
function acceptsInLeft(predicate: PairPredicate, where: number): boolean {
  switch (predicate) {
    case "intersects":
    case "covers":
      return where >= 0;
    case "contains":
    case "containsProperly":
      return where === 1;
    case "touches":
      return where === 0;
    default:
      return false;
  }
}

/** What holds from right to left when the predicate holds from left to right. */
const CONVERSE: Readonly<Partial<Record<Predicate, Predicate>>> = {
  contains: "within",
  within: "contains",
  covers: "coveredBy",
  coveredBy: "covers",
  touches: "touches",
  crosses: "crosses",
  overlaps: "overlaps",
  equals: "equals",
};

/** Whether the boxes leave the predicate possible. */
function boxesAllow(
  predicate: PairPredicate,
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
): boolean {
  switch (predicate) {
    case "contains":
    case "covers":
    case "containsProperly":
      return boxCovers(a, i, b, j);
    case "within":
    case "coveredBy":
      return boxCovers(b, j, a, i);
    case "equals":
      return boxCovers(a, i, b, j) && boxCovers(b, j, a, i);
    default:
      return true;
  }
}

function boxCovers(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  return (
    a[4 * i]! <= b[4 * j]! &&
    a[4 * i + 1]! <= b[4 * j + 1]! &&
    a[4 * i + 2]! >= b[4 * j + 2]! &&
    a[4 * i + 3]! >= b[4 * j + 3]!
  );
}

function boxesMeet(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  return (
    a[4 * i]! <= b[4 * j + 2]! &&
    a[4 * i + 1]! <= b[4 * j + 3]! &&
    a[4 * i + 2]! >= b[4 * j]! &&
    a[4 * i + 3]! >= b[4 * j + 1]!
  );
}

function verticesOf({ geometries, parts, rings }: GeometryColumn, row: number): number {
  return rings[parts[geometries[row + 1]!]!]! - rings[parts[geometries[row]!]!]!;
}

/** The left column of one search, and what was made of its rows. */
class LeftSide {
  readonly column: GeometryColumn;
  readonly chunks: EdgeChunks;
  readonly boxes: Float64Array;
  /** As of the right side. */
  readonly irregular: Uint8Array | null;
  #slabs: RowSlabs | null = null;
  #slabsOf = -1;
  #prepared: PreparedRelate | null = null;
  #preparedOf = -1;

  constructor(column: GeometryColumn) {
    this.column = column;
    this.chunks = edgeChunks(column);
    const { boxes, irregular } = rowBoxes(this.chunks);
    this.boxes = boxes;
    this.irregular = irregular;
  }

  prepare(row: number): PreparedRelate {
    if (this.#preparedOf !== row || this.#prepared === null) {
      this.#prepared = prepareRelate(this.column, row);
      this.#preparedOf = row;
    }
    return this.#prepared;
  }

  /** Where a point lies in the polygons of a row; strips are made when many points will be asked for. */
  locate(row: number, x: number, y: number, candidates: number): -1 | 0 | 1 {
    if (candidates >= STRIP_POINTS && this.#slabsOf !== row) {
      this.#slabs = rowSlabs(this.chunks, row);
      this.#slabsOf = row;
    }
    if (this.#slabsOf === row && this.#slabs !== null) return locateInSlabs(this.#slabs, x, y);
    return locateInRow(this.chunks, row, x, y);
  }
}

/** Right rows by key: key `k` has rows `rows[starts[k] .. starts[k + 1] - 1]`, rising. */
interface Buckets {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  size(key: number): number;
}

function bucketsOf(keys: Int32Array): Buckets {
  let most = -1;
  for (let row = 0; row < keys.length; row++) if (keys[row]! > most) most = keys[row]!;
  const starts = new Int32Array(most + 2);
  for (let row = 0; row < keys.length; row++) if (keys[row]! >= 0) starts[keys[row]! + 1]!++;
  for (let key = 0; key <= most; key++) starts[key + 1]! += starts[key]!;
  const next = starts.slice();
  const rows = new Int32Array(starts[most + 1]!);
  for (let row = 0; row < keys.length; row++) if (keys[row]! >= 0) rows[next[keys[row]!]!++] = row;
  return { starts, rows, size: (key) => (key <= most ? starts[key + 1]! - starts[key]! : 0) };
}

/** Pairs while they are found. */
class PairList {
  #left = new Int32Array(1024);
  #right = new Int32Array(1024);
  count = 0;

  push(left: number, right: number): void {
    if (this.count === this.#left.length) {
      const grownLeft = new Int32Array(2 * this.count);
      grownLeft.set(this.#left);
      this.#left = grownLeft;
      const grownRight = new Int32Array(2 * this.count);
      grownRight.set(this.#right);
      this.#right = grownRight;
    }
    this.#left[this.count] = left;
    this.#right[this.count++] = right;
  }

  /** Put the right rows from `first` on, all of one left row, into rising order. */
  sortRight(first: number): void {
    const right = this.#right;
    if (this.count - first > 32) {
      right.subarray(first, this.count).sort();
      return;
    }
    for (let k = first + 1; k < this.count; k++) {
      const value = right[k]!;
      let at = k;
      while (at > first && right[at - 1]! > value) {
        right[at] = right[at - 1]!;
        at--;
      }
      right[at] = value;
    }
  }

  /** The pairs of each left row, which stand at `starts .. ends - 1`, in the order of the left rows. */
  takeInOrder(starts: Int32Array, ends: Int32Array): Pairs {
    const left = new Int32Array(this.count);
    const right = new Int32Array(this.count);
    let n = 0;
    for (let row = 0; row < starts.length; row++) {
      for (let k = starts[row]!; k < ends[row]!; k++) {
        left[n] = row;
        right[n++] = this.#right[k]!;
      }
    }
    return { left, right };
  }

  take(): Pairs {
    return { left: this.#left.slice(0, this.count), right: this.#right.slice(0, this.count) };
  }
}
