import { type GeometryColumn, memberPartsEnd, typeDimension } from "../../../model/geometry.ts";
import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import { NO_POINTS, type PointSet, pointSet } from "./point-set.ts";
import { side } from "./side.ts";
import { type Slabs, slabsOf } from "./slabs.ts";

/** {@link Shape.elementOf} of the edges of lines. */
export const LINE = -1;

/** Edges from which an index pays, */
const INDEXED = 48;
/** and how many tests it must save in a shape that is only passing through. */
const MANY_TESTS = 30_000;

/**
 * One geometry as the predicates see it: points, and edges in chains. A chain is one line or one ring, without edges
 * of no length and without vertices that are not finite; lines and rings that are then only a point are points.
 * Polygons come as elements: a polygon is one, a multipolygon is one, a collection has one for each polygonal member.
 * Inside an element is where a ray meets its edges an odd number of times; the area is the union of the elements.
 *
 * The arrays grow and are used again by {@link loadShape}.
 */
export class Shape {
  /** `[x1, y1, x2, y2]` each, in the order of the chains. */
  edges: Float64Array = new Float64Array(256);
  /** Polygonal element of each edge, or {@link LINE}. */
  elementOf: Int32Array = new Int32Array(64);
  chainOf: Int32Array = new Int32Array(64);
  edgeCount: number = 0;
  /** Edges of lines among them. */
  lineEdges: number = 0;
  /** First edge of each chain, and the end of the last. */
  chains: Int32Array = new Int32Array(9);
  /** 1 when the inside of a ring is on its left, -1 on its right, 0 of lines and rings without area. */
  sides: Int8Array = new Int8Array(8);
  /** 1 where a chain ends where it starts. */
  closed: Uint8Array = new Uint8Array(8);
  chainCount: number = 0;
  /** Some ring has no area and therefore no inside. */
  flat: boolean = false;
  /** Number of polygons. */
  polygons: number = 0;
  /** Number of polygonal elements. */
  elements: number = 0;
  /** `[x, y]` of each point, lines of no length among them. */
  points: Float64Array = new Float64Array(8);
  pointCount: number = 0;
  /** `[x, y]` of both ends of each line that is not closed. */
  ends: Float64Array = new Float64Array(8);
  endCount: number = 0;
  minX: number = Infinity;
  minY: number = Infinity;
  maxX: number = -Infinity;
  maxY: number = -Infinity;
  /** 2 with polygons, else 1 with lines, else 0 with points, else -1. Empty members and lines of no length do not count. */
  dimension: number = -1;
  /** The same by the types of the members that are not empty, whatever has become of them. */
  nominal: number = -1;
  /** Elements may cover each other or lines, so that not every edge of a polygon is boundary. */
  layered: boolean = false;
  /** One element of several polygons: only if it is not valid do these overlap or share edges. */
  crowded: boolean = false;
  /** Whether indices may be built: the shape stays for a while. */
  kept: boolean = false;
  /** Scratch for point location, one for each element. */
  parity: Uint8Array = new Uint8Array(8);
  touched: Int32Array = new Int32Array(8);
  readonly hits: Hits = newHits();
  #tree: BoxTree | null = null;
  #slabs: Slabs | null = null;
  #boundary: PointSet | null = null;
  #sorted: PointSet | null = null;
  #inner: PointSet | null = null;

  /** Index over the edges, or `null` where it does not pay for so many searches. Built when first wanted. */
  tree(searches: number): BoxTree | null {
    if (this.#tree !== null) return this.#tree;
    if (this.edgeCount < INDEXED || (!this.kept && this.edgeCount * searches < MANY_TESTS)) return null;
    this.#tree = buildBoxTree(edgeBoxes(this));
    return this.#tree;
  }

  /** Edges by height, for point location; `null` unless the shape is kept and not small. */
  slabs(): Slabs | null {
    if (!this.kept || this.edgeCount < 16) return null;
    this.#slabs ??= slabsOf(this);
    return this.#slabs;
  }

  /** Boundary of the lines: points where an odd number of lines ends. */
  boundary(): PointSet {
    if (this.endCount === 0) return NO_POINTS;
    this.#boundary ??= pointSet(this.ends, this.endCount, true);
    return this.#boundary;
  }

  /** The points, sorted. */
  sorted(): PointSet {
    if (this.pointCount === 0) return NO_POINTS;
    this.#sorted ??= pointSet(this.points, this.pointCount, false);
    return this.#sorted;
  }

  /** Points of the boundary of the lines that lie inside of another edge of the lines. */
  innerEnds(): PointSet {
    if (this.endCount === 0) return NO_POINTS;
    this.#inner ??= innerEnds(this);
    return this.#inner;
  }

  /** Forget what was found about the geometry before. */
  clear(): void {
    this.edgeCount = 0;
    this.lineEdges = 0;
    this.chainCount = 0;
    this.flat = false;
    this.nominal = -1;
    this.polygons = 0;
    this.elements = 0;
    this.pointCount = 0;
    this.endCount = 0;
    this.minX = Infinity;
    this.minY = Infinity;
    this.maxX = -Infinity;
    this.maxY = -Infinity;
    this.#tree = null;
    this.#slabs = null;
    this.#boundary = null;
    this.#sorted = null;
    this.#inner = null;
  }
}

/** Fill `shape` with row `row`. Null rows are as empty ones. O(vertices). */
export function loadShape(shape: Shape, column: GeometryColumn, row: number): void {
  const { types, geometries, collections } = column;
  shape.clear();
  const first = collections === null ? 0 : collections.rows[row]!;
  const last = collections === null ? 0 : collections.rows[row + 1]!;
  if (first === last) {
    const dimension = typeDimension(types[row]!);
    if (dimension >= 0) addParts(shape, column, dimension, geometries[row]!, geometries[row + 1]!);
  } else {
    for (let k = first; k < last; k++) {
      const start = collections!.members[k]!;
      const end = memberPartsEnd(column, row, k);
      addParts(shape, column, typeDimension(collections!.types[k]!), start, end);
    }
  }
  shape.chains[shape.chainCount] = shape.edgeCount;
  const { elements } = shape;
  if (shape.parity.length < elements) {
    shape.parity = new Uint8Array(2 * elements);
    shape.touched = new Int32Array(2 * elements);
  }
  shape.dimension = elements > 0 ? 2 : shape.lineEdges > 0 ? 1 : shape.pointCount > 0 ? 0 : -1;
  shape.layered = elements > 1 || (elements > 0 && shape.lineEdges > 0);
  shape.crowded = elements === 1 && !shape.layered && shape.polygons > 1;
}

function addParts(shape: Shape, column: GeometryColumn, dimension: number, first: number, end: number): void {
  const { parts, rings, xy } = column;
  const element = shape.elements;
  let some = false;
  if (dimension === 2) shape.polygons += end - first;
  for (let p = first; p < end; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const from = rings[r]!;
      const to = rings[r + 1]!;
      if (dimension === 0) {
        for (let v = from; v < to; v++) if (addPoint(shape, xy[2 * v]!, xy[2 * v + 1]!)) some = true;
        continue;
      }
      const found = addChain(shape, xy, from, to, dimension === 2 ? element : LINE);
      if (found === NOTHING) continue;
      some = true;
      if (found === DOT || dimension === 1) continue;
      shape.elements = element + 1;
      const turn = ringTurn(shape, shape.chainCount - 1);
      shape.sides[shape.chainCount - 1] = r === parts[p]! ? turn : -turn;
      if (turn === 0) shape.flat = true;
    }
  }
  if (some && dimension > shape.nominal) shape.nominal = dimension;
}

function addPoint(shape: Shape, x: number, y: number): boolean {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
  if (2 * shape.pointCount === shape.points.length) shape.points = longer(shape.points);
  shape.points[2 * shape.pointCount] = x;
  shape.points[2 * shape.pointCount + 1] = y;
  shape.pointCount++;
  stretch(shape, x, y);
  return true;
}

const NOTHING = 0;
const DOT = 1;
const CHAIN = 2;

function addChain(shape: Shape, xy: Float64Array, from: number, to: number, element: number): number {
  const first = shape.edgeCount;
  const room = first + to - from + 1;
  if (room > shape.elementOf.length) {
    shape.edges = longer(shape.edges, 4 * room);
    shape.elementOf = longer(shape.elementOf, room);
    shape.chainOf = longer(shape.chainOf, room);
  }
  if (shape.chainCount + 2 > shape.chains.length) {
    shape.chains = longer(shape.chains);
    shape.sides = longer(shape.sides);
    shape.closed = longer(shape.closed);
  }
  const { edges, elementOf, chainOf, chainCount } = shape;
  let n = first;
  let startX = 0;
  let startY = 0;
  let x = 0;
  let y = 0;
  let started = false;
  for (let v = from; v < to; v++) {
    const nextX = xy[2 * v]!;
    const nextY = xy[2 * v + 1]!;
    if (!Number.isFinite(nextX) || !Number.isFinite(nextY)) continue;
    if (!started) {
      started = true;
      startX = nextX;
      startY = nextY;
    } else if (nextX === x && nextY === y) continue;
    else n = putEdge(edges, n, x, y, nextX, nextY);
    x = nextX;
    y = nextY;
    stretch(shape, x, y);
  }
  if (!started) return NOTHING;
  if (n === first) {
    addPoint(shape, startX, startY);
    return DOT;
  }
  if (element !== LINE && (x !== startX || y !== startY)) {
    n = putEdge(edges, n, x, y, startX, startY);
    x = startX;
    y = startY;
  }
  for (let e = first; e < n; e++) {
    elementOf[e] = element;
    chainOf[e] = chainCount;
  }
  const closed = x === startX && y === startY;
  shape.chains[chainCount] = first;
  shape.sides[chainCount] = 0;
  shape.closed[chainCount] = closed ? 1 : 0;
  shape.chainCount = chainCount + 1;
  shape.edgeCount = n;
  if (element === LINE) {
    shape.lineEdges += n - first;
    if (!closed) {
      addEnd(shape, startX, startY);
      addEnd(shape, x, y);
    }
  }
  return CHAIN;
}

function putEdge(edges: Float64Array, n: number, x1: number, y1: number, x2: number, y2: number): number {
  edges[4 * n] = x1;
  edges[4 * n + 1] = y1;
  edges[4 * n + 2] = x2;
  edges[4 * n + 3] = y2;
  return n + 1;
}

function addEnd(shape: Shape, x: number, y: number): void {
  if (2 * shape.endCount === shape.ends.length) shape.ends = longer(shape.ends);
  shape.ends[2 * shape.endCount] = x;
  shape.ends[2 * shape.endCount + 1] = y;
  shape.endCount++;
}

function stretch(shape: Shape, x: number, y: number): void {
  if (x < shape.minX) shape.minX = x;
  if (x > shape.maxX) shape.maxX = x;
  if (y < shape.minY) shape.minY = y;
  if (y > shape.maxY) shape.maxY = y;
}

/**
 * 1 for a ring that runs counter-clockwise, -1 for one that runs clockwise. Its leftmost, lowest vertex decides, exactly; where
 * the ring is there more than once or turns back, the sign of the area does.
 */
function ringTurn(shape: Shape, chain: number): number {
  const { edges } = shape;
  const first = shape.chains[chain]!;
  const end = shape.edgeCount;
  let corner = first;
  let visits = 0;
  for (let e = first; e < end; e++) {
    const x = edges[4 * e]!;
    const y = edges[4 * e + 1]!;
    const bestX = edges[4 * corner]!;
    const bestY = edges[4 * corner + 1]!;
    if (x < bestX || (x === bestX && y < bestY)) {
      corner = e;
      visits = 1;
    } else if (x === bestX && y === bestY) visits++;
  }
  const before = corner === first ? end - 1 : corner - 1;
  const turn = side(
    edges[4 * before]!,
    edges[4 * before + 1]!,
    edges[4 * corner]!,
    edges[4 * corner + 1]!,
    edges[4 * corner + 2]!,
    edges[4 * corner + 3]!,
  );
  if (visits === 1 && turn !== 0) return turn > 0 ? 1 : -1;
  const ox = edges[4 * corner]!;
  const oy = edges[4 * corner + 1]!;
  let twice = 0;
  for (let e = first; e < end; e++) {
    twice +=
      (edges[4 * e]! - ox) * (edges[4 * e + 3]! - oy) - (edges[4 * e + 2]! - ox) * (edges[4 * e + 1]! - oy);
  }
  return twice > 0 ? 1 : twice < 0 ? -1 : 0;
}

function edgeBoxes(shape: Shape): Float64Array {
  const { edges, edgeCount } = shape;
  const boxes = new Float64Array(4 * edgeCount);
  for (let e = 0; e < 4 * edgeCount; e += 4) {
    boxes[e] = Math.min(edges[e]!, edges[e + 2]!);
    boxes[e + 1] = Math.min(edges[e + 1]!, edges[e + 3]!);
    boxes[e + 2] = Math.max(edges[e]!, edges[e + 2]!);
    boxes[e + 3] = Math.max(edges[e + 1]!, edges[e + 3]!);
  }
  return boxes;
}

/** A copy of twice the length, or of `length` numbers if that is more. */
function longer<T extends Float64Array | Int32Array | Int8Array | Uint8Array>(from: T, length = 0): T {
  const size = Math.max(2 * from.length, length);
  const to = new (from.constructor as new (size: number) => T)(size);
  to.set(from as never);
  return to;
}

function innerEnds(shape: Shape): PointSet {
  const { edges, elementOf, edgeCount, hits } = shape;
  const boundary = shape.boundary();
  const found: number[] = [];
  const tree = shape.tree(boundary.count);
  for (let k = 0; k < boundary.count; k++) {
    const x = boundary.xy[2 * k]!;
    const y = boundary.xy[2 * k + 1]!;
    const count = tree === null ? edgeCount : searchBoxes(tree, x, y, x, y, hits);
    for (let i = 0; i < count; i++) {
      const e = tree === null ? i : hits.values[i]!;
      if (elementOf[e] !== LINE) continue;
      const x1 = edges[4 * e]!;
      const y1 = edges[4 * e + 1]!;
      const x2 = edges[4 * e + 2]!;
      const y2 = edges[4 * e + 3]!;
      if ((x === x1 && y === y1) || (x === x2 && y === y2) || !between(x, x1, x2) || !between(y, y1, y2))
        continue;
      if (side(x1, y1, x2, y2, x, y) !== 0) continue;
      found.push(x, y);
      break;
    }
  }
  return pointSet(Float64Array.from(found), found.length / 2, false);
}

function between(value: number, a: number, b: number): boolean {
  return a < b ? value >= a && value <= b : value >= b && value <= a;
}
