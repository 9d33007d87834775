import { searchBoxes } from "../box-tree.ts";
import {
  addEdge,
  addHeading,
  coveredAround,
  type Fan,
  fromEast,
  inTurn,
  newFan,
  sameHeading,
} from "./fan.ts";
import { castRay } from "./locate.ts";
import { BOUNDARY, EXTERIOR, INTERIOR, type Location, type Matrix, raise } from "./matrix.ts";
import { hasPoint } from "./point-set.ts";
import { LINE, type Shape } from "./shape.ts";
import { compareCrossings, side } from "./side.ts";

/** Owners of edges: elements of `other`, then those of `own` if it is layered, or lines of either. */
const LINE_OF_OTHER = -1;
const LINE_OF_OWN = -2;

/** What an event on an edge is: a vertex there with an edge going off to the other end, or a proper crossing. */
const FIRST_END = 0;
const SECOND_END = 1;
const CROSSING = 2;

/**
 * Walk along every edge of `own` past the edges of `other`, and state in `matrix` what the pieces between their meetings, the
 * two sides of each piece and the meetings themselves are to both. Together with the walk the other way around, and
 * the points, that is the whole matrix.
 *
 * How: on the left of the path, every polygonal element either covers or not, and that flips wherever an edge of it leaves to the
 * left. Which edges leave to the left is told by orientation tests on vertices, also where edges cross at a point that no double
 * holds; no point is ever computed. Edges along the path tell the left side from the right. Meetings are put in order
 * along an edge exactly. So it is right for any finite input; of polygons that are not valid each is what the
 * even-odd rule makes of it.
 *
 * If `own` is layered its own edges are looked at too, as its polygons may cover each other. Cost: edges of `own` near `other`
 * times the edges of `other` near them, by an index where that pays.
 *
 * @param swapped `own` is B of the matrix, not A.
 */
export function walkEdges(own: Shape, other: Shape, swapped: boolean, matrix: Matrix): void {
  const w = walker;
  w.own = own;
  w.other = other;
  w.swapped = swapped;
  w.matrix = matrix;
  w.both = own.layered || own.crowded;
  const total = other.elements + (w.both ? own.elements : 0);
  if (total > w.parity.length) {
    w.parity = new Uint8Array(2 * total);
    w.state = new Uint8Array(2 * total);
    w.cover = new Int32Array(2 * total);
    w.covered = new Int32Array(2 * total);
    w.mark = new Int32Array(2 * total);
    w.stamp = 0;
  }
  w.parity.fill(0, 0, total);
  w.cover.fill(0, 0, total);
  w.coveredCount = 0;
  w.total = total;
  w.coverOther = 0;
  w.coverOwn = 0;
  w.lineOther = 0;
  w.lineOwn = 0;
  listNear(w);
  if (!own.layered && !own.flat && own.edgeCount > 256) {
    const tree = own.tree(other.edgeCount);
    if (tree !== null) {
      walkFew(w, tree);
      return;
    }
  }
  for (let chain = 0; chain < own.chainCount; chain++) {
    startChain(w, chain);
    walkRun(w, chain, own.chains[chain]!, own.chains[chain + 1]!);
    if (matrix.done) return;
  }
}

interface Walker {
  own: Shape;
  other: Shape;
  swapped: boolean;
  matrix: Matrix;
  /** Own edges are looked at too. */
  both: boolean;
  /** Elements that are kept account of. */
  total: number;
  /** Whether each element covers the left side of the path here; afterwards how many do, of either geometry. */
  parity: Uint8Array;
  coverOther: number;
  coverOwn: number;
  /** Edges of each element along the path here, and which elements have had some. */
  cover: Int32Array;
  covered: Int32Array;
  coveredCount: number;
  /** Lines along the path here. */
  lineOther: number;
  lineOwn: number;
  /** Of the chain, when `own` is not layered: its own place, and of its sides. */
  ownOn: Location;
  ownLeft: Location;
  ownRight: Location;
  isLine: boolean;
  /** Something changed since the last piece was stated. */
  dirty: boolean;
  /** The path left the box of `other`, and that was stated. */
  apart: boolean;
  /** Edges of `other` near `own`; unused where there is an index. */
  near: Int32Array;
  nearCount: number;
  indexed: boolean;
  /** Edges near the one that is walked: `[cx, cy, dx, dy]`, owner, sides of c and d. */
  edges: Float64Array;
  owner: Int32Array;
  sideC: Float64Array;
  sideD: Float64Array;
  count: number;
  /** Events in the edge. */
  kind: Uint8Array;
  edge: Int32Array;
  order: Int32Array;
  events: number;
  readonly fan: Fan;
  /** The edge. */
  ax: number;
  ay: number;
  bx: number;
  by: number;
  mark: Int32Array;
  stamp: number;
  state: Uint8Array;
  /** Result of {@link label}. */
  on: Location;
  left: Location;
  right: Location;
}

const none = null as unknown as Shape;
const walker: Walker = {
  own: none,
  other: none,
  swapped: false,
  both: false,
  matrix: null as unknown as Matrix,
  total: 0,
  parity: new Uint8Array(16),
  coverOther: 0,
  coverOwn: 0,
  cover: new Int32Array(16),
  covered: new Int32Array(16),
  coveredCount: 0,
  lineOther: 0,
  lineOwn: 0,
  ownOn: INTERIOR,
  ownLeft: EXTERIOR,
  ownRight: EXTERIOR,
  isLine: false,
  dirty: true,
  apart: false,
  near: new Int32Array(64),
  nearCount: 0,
  indexed: false,
  edges: new Float64Array(64),
  owner: new Int32Array(16),
  sideC: new Float64Array(16),
  sideD: new Float64Array(16),
  count: 0,
  kind: new Uint8Array(16),
  edge: new Int32Array(16),
  order: new Int32Array(16),
  events: 0,
  fan: newFan(),
  ax: 0,
  ay: 0,
  bx: 0,
  by: 0,
  mark: new Int32Array(16),
  stamp: 0,
  state: new Uint8Array(16),
  on: EXTERIOR,
  left: EXTERIOR,
  right: EXTERIOR,
};

/** Edges of `other` whose boxes meet that of `own`, unless an index finds them. */
function listNear(w: Walker): void {
  const { own, other } = w;
  w.indexed = other.tree(own.edgeCount) !== null;
  w.nearCount = 0;
  if (w.indexed) return;
  if (w.near.length < other.edgeCount) w.near = new Int32Array(2 * other.edgeCount);
  const { edges, edgeCount } = other;
  for (let e = 0; e < edgeCount; e++) {
    if (edgeMeetsBox(edges, e, own)) w.near[w.nearCount++] = e;
  }
}

function edgeMeetsBox(edges: Float64Array, e: number, shape: Shape): boolean {
  const x1 = edges[4 * e]!;
  const y1 = edges[4 * e + 1]!;
  const x2 = edges[4 * e + 2]!;
  const y2 = edges[4 * e + 3]!;
  return !(
    (x1 < shape.minX && x2 < shape.minX) ||
    (x1 > shape.maxX && x2 > shape.maxX) ||
    (y1 < shape.minY && y2 < shape.minY) ||
    (y1 > shape.maxY && y2 > shape.maxY)
  );
}

function startChain(w: Walker, chain: number): void {
  const { own } = w;
  const turn = own.sides[chain]!;
  w.isLine = own.elementOf[own.chains[chain]!] === LINE;
  w.ownOn = w.isLine ? INTERIOR : BOUNDARY;
  w.ownLeft = turn > 0 ? INTERIOR : EXTERIOR;
  w.ownRight = turn < 0 ? INTERIOR : EXTERIOR;
  w.apart = false;
  w.dirty = true;
}

/** Of a large `own` only what is in the box of `other`; all the rest is outside, and one of each kind says so. */
function walkFew(w: Walker, tree: Parameters<typeof searchBoxes>[0]): void {
  const { own, other, matrix } = w;
  const count = searchBoxes(tree, other.minX, other.minY, other.maxX, other.maxY, own.hits);
  const few = own.hits.values.slice(0, count).sort();
  let lines = 0;
  for (let k = 0; k < count; k++) if (own.elementOf[few[k]!] === LINE) lines++;
  if (own.edgeCount - own.lineEdges > count - lines) {
    state(w, BOUNDARY, EXTERIOR, 1);
    state(w, INTERIOR, EXTERIOR, 2);
  }
  if (own.lineEdges > lines) {
    state(w, INTERIOR, EXTERIOR, 1);
    const { xy, count: ends } = own.boundary();
    for (let k = 0; k < ends; k++) {
      const x = xy[2 * k]!;
      const y = xy[2 * k + 1]!;
      if (x >= other.minX && x <= other.maxX && y >= other.minY && y <= other.maxY) continue;
      state(w, BOUNDARY, EXTERIOR, 0);
      break;
    }
  }
  for (let k = 0; k < count && !matrix.done; ) {
    const first = few[k]!;
    const chain = own.chainOf[first]!;
    const start = k;
    do k++;
    while (k < count && few[k] === first + k - start && own.chainOf[few[k]!] === chain);
    startChain(w, chain);
    walkRun(w, chain, first, first + k - start);
  }
}

/** Walk edges `first .. end - 1`, which follow each other in one chain. */
function walkRun(w: Walker, chain: number, first: number, end: number): void {
  const { own, other, matrix, fan } = w;
  const { edges, layered } = own;
  const chainFirst = own.chains[chain]!;
  const chainEnd = own.chains[chain + 1]!;
  const open = own.closed[chain] === 0;
  /** The state is that of the end of the edge before. */
  let live = false;
  for (let e = first; e < end; e++) {
    if (matrix.done) return;
    const ax = edges[4 * e]!;
    const ay = edges[4 * e + 1]!;
    const bx = edges[4 * e + 2]!;
    const by = edges[4 * e + 3]!;
    if (!layered && !edgeMeetsBox(edges, e, other)) {
      live = false;
      if (!w.apart) {
        w.apart = true;
        state(w, w.ownOn, EXTERIOR, 1);
        state(w, w.ownLeft, EXTERIOR, 2);
        state(w, w.ownRight, EXTERIOR, 2);
      }
      if (open && e === chainFirst && hasPoint(own.boundary(), ax, ay)) state(w, BOUNDARY, EXTERIOR, 0);
      if (open && e + 1 === chainEnd && hasPoint(own.boundary(), bx, by)) state(w, BOUNDARY, EXTERIOR, 0);
      continue;
    }
    w.ax = ax;
    w.ay = ay;
    w.bx = bx;
    w.by = by;
    gather(w);
    fanAt(w, ax, ay);
    clearCover(w);
    if (live) {
      const ux = edges[4 * e - 4]!;
      const uy = edges[4 * e - 3]!;
      for (let k = 0; k < fan.count; k++) {
        if (fan.owner[k]! >= 0 && inTurn(fan, k, ax, ay, bx, by, ux, uy)) flip(w, fan.owner[k]!);
      }
    } else begin(w);
    for (let k = 0; k < fan.count; k++) {
      const tx = fan.tx[k]!;
      const ty = fan.ty[k]!;
      if (side(ax, ay, bx, by, tx, ty) === 0 && sameHeading(ax, ay, bx, by, ax, ay, tx, ty))
        addCover(w, fan.owner[k]!, 1);
    }
    if (fan.count > 0 || (open && e === chainFirst)) node(w, true, ax, ay, ax, ay, bx, by, false);
    statePiece(w);
    passEvents(w);
    live = true;
    if (open && e + 1 === chainEnd) {
      fanAt(w, bx, by);
      node(w, true, bx, by, bx, by, ax, ay, true);
    }
  }
}

/** Put what is on the left of the first edge of a run into the state. */
function begin(w: Walker): void {
  const { own, other, parity, total, fan, ax, ay, bx, by } = w;
  parity.fill(0, 0, total);
  castRay(other, ax, ay, parity, 0);
  if (w.both) castRay(own, ax, ay, parity, other.elements);
  for (let k = 0; k < fan.count; k++) {
    const owner = fan.owner[k]!;
    if (owner >= 0 && fromEast(fan, k, ax, ay, bx, by)) parity[owner] = parity[owner]! ^ 1;
  }
  w.coverOther = 0;
  w.coverOwn = 0;
  for (let k = 0; k < other.elements; k++) w.coverOther += parity[k]!;
  for (let k = other.elements; k < total; k++) w.coverOwn += parity[k]!;
  w.dirty = true;
}

function flip(w: Walker, element: number): void {
  const now = w.parity[element]! ^ 1;
  w.parity[element] = now;
  if (element < w.other.elements) w.coverOther += now === 1 ? 1 : -1;
  else w.coverOwn += now === 1 ? 1 : -1;
  w.dirty = true;
}

function addCover(w: Walker, owner: number, change: number): void {
  w.dirty = true;
  if (owner === LINE_OF_OTHER) w.lineOther += change;
  else if (owner === LINE_OF_OWN) w.lineOwn += change;
  else {
    if (w.cover[owner] === 0 && !isCovered(w, owner)) w.covered[w.coveredCount++] = owner;
    w.cover[owner]! += change;
  }
}

function isCovered(w: Walker, owner: number): boolean {
  for (let k = 0; k < w.coveredCount; k++) if (w.covered[k] === owner) return true;
  return false;
}

function clearCover(w: Walker): void {
  if (w.coveredCount === 0 && w.lineOther === 0 && w.lineOwn === 0) return;
  for (let k = 0; k < w.coveredCount; k++) w.cover[w.covered[k]!] = 0;
  w.coveredCount = 0;
  w.lineOther = 0;
  w.lineOwn = 0;
  w.dirty = true;
}

/** Find the edges that may meet the edge that is walked, by boxes and then by the sides of their ends. */
function gather(w: Walker): void {
  const { own, other, ax, ay, bx, by } = w;
  const minX = Math.min(ax, bx);
  const maxX = Math.max(ax, bx);
  const minY = Math.min(ay, by);
  const maxY = Math.max(ay, by);
  w.count = 0;
  gatherFrom(w, other, w.indexed ? null : w.near, w.nearCount, 0, minX, minY, maxX, maxY);
  if (w.both) {
    const all = own.tree(own.edgeCount) === null;
    gatherFrom(w, own, all ? EVERY : null, own.edgeCount, other.elements, minX, minY, maxX, maxY);
  }
}

/** Stands for the list 0, 1, 2 ... */
const EVERY = new Int32Array(0);

function gatherFrom(
  w: Walker,
  shape: Shape,
  list: Int32Array | null,
  listed: number,
  offset: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): void {
  const { edges, elementOf } = shape;
  const line = shape === w.other ? LINE_OF_OTHER : LINE_OF_OWN;
  let values = list;
  let count = listed;
  if (list === null) {
    count = searchBoxes(shape.tree(Infinity)!, minX, minY, maxX, maxY, shape.hits);
    values = shape.hits.values;
  }
  const { ax, ay, bx, by } = w;
  for (let k = 0; k < count; k++) {
    const e = list === EVERY ? k : values![k]!;
    const cx = edges[4 * e]!;
    const cy = edges[4 * e + 1]!;
    const dx = edges[4 * e + 2]!;
    const dy = edges[4 * e + 3]!;
    if (
      (cx < minX && dx < minX) ||
      (cx > maxX && dx > maxX) ||
      (cy < minY && dy < minY) ||
      (cy > maxY && dy > maxY)
    )
      continue;
    const c = side(ax, ay, bx, by, cx, cy);
    const d = side(ax, ay, bx, by, dx, dy);
    if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
    if (w.count === w.owner.length) growNear(w);
    const n = w.count++;
    w.edges[4 * n] = cx;
    w.edges[4 * n + 1] = cy;
    w.edges[4 * n + 2] = dx;
    w.edges[4 * n + 3] = dy;
    w.sideC[n] = c;
    w.sideD[n] = d;
    w.owner[n] = elementOf[e] === LINE ? line : offset + elementOf[e]!;
  }
}

function growNear(w: Walker): void {
  const size = 2 * w.count;
  const grown = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
    to.set(from);
    return to;
  };
  w.edges = grown(w.edges, new Float64Array(4 * size));
  w.sideC = grown(w.sideC, new Float64Array(size));
  w.sideD = grown(w.sideD, new Float64Array(size));
  w.owner = grown(w.owner, new Int32Array(size));
}

/** The edges near that go through (x, y), an end of the edge or a vertex on it. */
function fanAt(w: Walker, x: number, y: number): void {
  const { fan, edges, owner, count } = w;
  fan.count = 0;
  for (let k = 0; k < count; k++)
    addEdge(fan, x, y, edges[4 * k]!, edges[4 * k + 1]!, edges[4 * k + 2]!, edges[4 * k + 3]!, owner[k]!);
}

/** Meet what there is strictly inside of the edge, in order. */
function passEvents(w: Walker): void {
  findEvents(w);
  if (w.events === 0) return;
  const { events, order, matrix } = w;
  sortEvents(w);
  for (let k = 0; k < events && !matrix.done; ) {
    const start = k;
    /** A vertex among the events gives the coordinates. */
    let exact = -1;
    do {
      const i = order[k++]!;
      meet(w, i);
      if (w.kind[i] !== CROSSING) exact = i;
    } while (k < events && compareEvents(w, order[start]!, order[k]!) === 0);
    if (exact >= 0) {
      const at = 4 * w.edge[exact]! + (w.kind[exact] === FIRST_END ? 0 : 2);
      const x = w.edges[at]!;
      const y = w.edges[at + 1]!;
      fanAt(w, x, y);
      node(w, true, x, y, x, y, w.bx, w.by, false);
    } else nodeAtCrossing(w, start, k);
    statePiece(w);
  }
}

function findEvents(w: Walker): void {
  const { count, edges, sideC, sideD, ax, ay, bx, by } = w;
  w.events = 0;
  for (let n = 0; n < count; n++) {
    const c = sideC[n]!;
    const d = sideD[n]!;
    const cx = edges[4 * n]!;
    const cy = edges[4 * n + 1]!;
    const dx = edges[4 * n + 2]!;
    const dy = edges[4 * n + 3]!;
    if (c === 0 && strictlyBetween(cx, cy, ax, ay, bx, by)) addEvent(w, n, FIRST_END);
    if (d === 0 && strictlyBetween(dx, dy, ax, ay, bx, by)) addEvent(w, n, SECOND_END);
    if (c !== 0 && d !== 0) {
      const a = side(cx, cy, dx, dy, ax, ay);
      const b = side(cx, cy, dx, dy, bx, by);
      if ((a > 0 && b < 0) || (a < 0 && b > 0)) addEvent(w, n, CROSSING);
    }
  }
}

/** Of a point on the line through a and b. */
function strictlyBetween(x: number, y: number, ax: number, ay: number, bx: number, by: number): boolean {
  if (ax !== bx) return ax < bx ? ax < x && x < bx : bx < x && x < ax;
  return ay < by ? ay < y && y < by : by < y && y < ay;
}

function addEvent(w: Walker, edge: number, kind: number): void {
  const n = w.events++;
  if (n === w.kind.length) {
    const kinds = new Uint8Array(2 * n);
    kinds.set(w.kind);
    w.kind = kinds;
    const edges = new Int32Array(2 * n);
    edges.set(w.edge);
    w.edge = edges;
    w.order = new Int32Array(2 * n);
  }
  w.kind[n] = kind;
  w.edge[n] = edge;
}

function sortEvents(w: Walker): void {
  const { events, order } = w;
  for (let k = 0; k < events; k++) order[k] = k;
  if (events > 24) {
    order.subarray(0, events).sort((i, j) => compareEvents(w, i, j));
    return;
  }
  for (let k = 1; k < events; k++) {
    const event = order[k]!;
    let i = k;
    for (; i > 0 && compareEvents(w, order[i - 1]!, event) > 0; i--) order[i] = order[i - 1]!;
    order[i] = event;
  }
}

/** Order of two events on the way from a to b, 0 when they are at the same point. Exact. */
function compareEvents(w: Walker, i: number, j: number): number {
  const { kind, edge, edges, ax, ay, bx, by } = w;
  const e = 4 * edge[i]!;
  const f = 4 * edge[j]!;
  if (kind[i] === CROSSING) {
    if (kind[j] === CROSSING) {
      if (e === f) return 0;
      return compareCrossings(
        ax,
        ay,
        bx,
        by,
        edges[e]!,
        edges[e + 1]!,
        edges[e + 2]!,
        edges[e + 3]!,
        edges[f]!,
        edges[f + 1]!,
        edges[f + 2]!,
        edges[f + 3]!,
      );
    }
    return -vertexBefore(w, f + (kind[j] === FIRST_END ? 0 : 2), e);
  }
  const p = e + (kind[i] === FIRST_END ? 0 : 2);
  if (kind[j] === CROSSING) return vertexBefore(w, p, f);
  const q = f + (kind[j] === FIRST_END ? 0 : 2);
  if (ax !== bx) return bx > ax ? edges[p]! - edges[q]! : edges[q]! - edges[p]!;
  return by > ay ? edges[p + 1]! - edges[q + 1]! : edges[q + 1]! - edges[p + 1]!;
}

/** Negative when the vertex at `p` comes before the crossing with edge `f`: when it is on the same side of that as a. */
function vertexBefore(w: Walker, p: number, f: number): number {
  const { edges, ax, ay } = w;
  const cx = edges[f]!;
  const cy = edges[f + 1]!;
  const dx = edges[f + 2]!;
  const dy = edges[f + 3]!;
  const vertex = side(cx, cy, dx, dy, edges[p]!, edges[p + 1]!);
  if (vertex === 0) return 0;
  return vertex > 0 === side(cx, cy, dx, dy, ax, ay) > 0 ? -1 : 1;
}

/** Change the state as event `i` says. */
function meet(w: Walker, i: number): void {
  const { edges, ax, ay, bx, by } = w;
  const n = w.edge[i]!;
  const owner = w.owner[n]!;
  if (w.kind[i] === CROSSING) {
    if (owner >= 0) flip(w, owner);
    return;
  }
  const first = w.kind[i] === FIRST_END;
  const to = first ? w.sideD[n]! : w.sideC[n]!;
  if (to > 0) {
    if (owner >= 0) flip(w, owner);
  } else if (to === 0) {
    const p = 4 * n + (first ? 0 : 2);
    const t = 4 * n + (first ? 2 : 0);
    const on = sameHeading(edges[p]!, edges[p + 1]!, edges[t]!, edges[t + 1]!, ax, ay, bx, by);
    addCover(w, owner, on ? 1 : -1);
  }
}

/** State a meeting of edges at a point that is no vertex: events `start .. end - 1` in order. */
function nodeAtCrossing(w: Walker, start: number, end: number): void {
  const { fan, edges, owner, order, own, ax, ay, bx, by } = w;
  fan.count = 0;
  for (let k = start; k < end; k++) {
    const n = w.edge[order[k]!]!;
    addThrough(fan, edges[4 * n]!, edges[4 * n + 1]!, edges[4 * n + 2]!, edges[4 * n + 3]!, owner[n]!);
  }
  for (let k = 0; k < w.coveredCount; k++) {
    const element = w.covered[k]!;
    for (let i = 0; i < w.cover[element]!; i++) addThrough(fan, ax, ay, bx, by, element);
  }
  if (w.lineOther > 0) addHeading(fan, ax, ay, bx, by, LINE_OF_OTHER);
  if (w.lineOwn > 0) addHeading(fan, ax, ay, bx, by, LINE_OF_OWN);
  if (w.isLine && !w.both) {
    // Another line of the same geometry may end here, which makes this point one of the boundary.
    const { xy, count } = own.innerEnds();
    const n = 4 * w.edge[order[start]!]!;
    for (let k = 0; k < count; k++) {
      const x = xy[2 * k]!;
      const y = xy[2 * k + 1]!;
      if (side(ax, ay, bx, by, x, y) !== 0) continue;
      if (side(edges[n]!, edges[n + 1]!, edges[n + 2]!, edges[n + 3]!, x, y) !== 0) continue;
      node(w, true, x, y, ax, ay, bx, by, false);
      return;
    }
  }
  node(w, false, 0, 0, ax, ay, bx, by, false);
}

function addThrough(fan: Fan, cx: number, cy: number, dx: number, dy: number, owner: number): void {
  addHeading(fan, cx, cy, dx, dy, owner);
  addHeading(fan, dx, dy, cx, cy, owner);
}

/**
 * State where the point lies whose edges are in the fan, one of which runs from r0 to r1. The state is that of the left side
 * of r0 -> r1, or with `before` of the right side of r1 -> r0.
 */
function node(
  w: Walker,
  exact: boolean,
  x: number,
  y: number,
  r0x: number,
  r0y: number,
  r1x: number,
  r1y: number,
  before: boolean,
): void {
  const { own, other, fan, parity, mark } = w;
  const stamp = ++w.stamp;
  let strictOther = w.coverOther;
  let strictOwn = w.coverOwn;
  let touchedOther = false;
  let touchedOwn = false;
  // An area with no more than one edge through the point has an outside there.
  let headingsOther = 0;
  let headingsOwn = 0;
  let lineOther = false;
  for (let k = 0; k < fan.count; k++) {
    const owner = fan.owner[k]!;
    if (owner === LINE_OF_OTHER) lineOther = true;
    if (owner < 0) continue;
    if (owner < other.elements) headingsOther++;
    else headingsOwn++;
    if (mark[owner] === stamp) continue;
    mark[owner] = stamp;
    if (owner < other.elements) {
      touchedOther = true;
      strictOther -= parity[owner]!;
    } else {
      touchedOwn = true;
      strictOwn -= parity[owner]!;
    }
  }
  let there: Location;
  if (strictOther > 0) there = INTERIOR;
  else if (touchedOther)
    there =
      headingsOther > 3 && closed(w, 0, other.elements, w.coverOther, r0x, r0y, r1x, r1y, before)
        ? INTERIOR
        : BOUNDARY;
  else if (lineOther) there = exact && hasPoint(other.boundary(), x, y) ? BOUNDARY : INTERIOR;
  else there = exact && other.pointCount > 0 && hasPoint(other.sorted(), x, y) ? INTERIOR : EXTERIOR;
  let here: Location;
  if (!w.both && !w.isLine) here = BOUNDARY;
  else if (strictOwn > 0) here = INTERIOR;
  else if (touchedOwn)
    here =
      headingsOwn > 3 && closed(w, other.elements, w.total, w.coverOwn, r0x, r0y, r1x, r1y, before)
        ? INTERIOR
        : BOUNDARY;
  else here = exact && hasPoint(own.boundary(), x, y) ? BOUNDARY : INTERIOR;
  state(w, here, there, 0);
}

/** Whether elements `first .. end - 1` leave no gap around the point of the fan. */
function closed(
  w: Walker,
  first: number,
  end: number,
  covering: number,
  r0x: number,
  r0y: number,
  r1x: number,
  r1y: number,
  before: boolean,
): boolean {
  const { state, parity } = w;
  for (let k = first; k < end; k++) state[k] = parity[k]!;
  let count = covering;
  if (before) {
    // From the left of the way here to its right: across the edges along it, all at once.
    if (count === 0) return false;
    for (let k = 0; k < w.coveredCount; k++) {
      const element = w.covered[k]!;
      if (element < first || element >= end || w.cover[element]! % 2 === 0) continue;
      state[element] = state[element]! ^ 1;
      count += state[element] === 1 ? 1 : -1;
    }
  }
  return coveredAround(w.fan, r0x, r0y, r1x, r1y, first, end, state, count);
}

/** State the piece of the path here and its two sides. */
function statePiece(w: Walker): void {
  if (!w.dirty) return;
  w.dirty = false;
  label(w, 0, w.other.elements, w.coverOther, w.lineOther);
  const { on, left, right } = w;
  if (w.both) label(w, w.other.elements, w.total, w.coverOwn, w.lineOwn);
  else {
    w.on = w.ownOn;
    w.left = w.ownLeft;
    w.right = w.ownRight;
  }
  state(w, w.on, on, 1);
  state(w, w.left, left, 2);
  state(w, w.right, right, 2);
}

function label(w: Walker, first: number, end: number, covering: number, lines: number): void {
  let strict = covering;
  let right = covering;
  let along = false;
  for (let k = 0; k < w.coveredCount; k++) {
    const element = w.covered[k]!;
    if (element < first || element >= end || w.cover[element]! <= 0) continue;
    along = true;
    const inside = w.parity[element]!;
    strict -= inside;
    if (w.cover[element]! % 2 === 1) right += inside === 1 ? -1 : 1;
  }
  w.left = covering > 0 ? INTERIOR : EXTERIOR;
  w.right = right > 0 ? INTERIOR : EXTERIOR;
  if (strict > 0) w.on = INTERIOR;
  else if (along) w.on = covering > 0 && right > 0 ? INTERIOR : BOUNDARY;
  else w.on = lines > 0 ? INTERIOR : EXTERIOR;
}

function state(w: Walker, here: Location, there: Location, dimension: number): void {
  raise(w.matrix, w.swapped ? 3 * there + here : 3 * here + there, dimension);
}
