import { searchBoxes } from "../box-tree.ts";
import { addEdge, sameHeading } from "./fan.ts";
import { LINE, type Shape } from "./shape.ts";
import { compareCrossings, side } from "./side.ts";
import { addCover, flip, LINE_OF_OTHER, LINE_OF_OWN, type Walker } from "./walker.ts";

/** What an event on an edge is: a vertex there with an edge going off to the other end, or a proper crossing. */
export const FIRST_END = 0;
export const SECOND_END = 1;
export const CROSSING = 2;

/** Find the edges that may meet the edge that is walked, by boxes and then by the sides of their ends. */
export function gather(w: Walker): void {
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
export function fanAt(w: Walker, x: number, y: number): void {
  const { fan, edges, owner, count } = w;
  fan.count = 0;
  for (let k = 0; k < count; k++)
    addEdge(fan, x, y, edges[4 * k]!, edges[4 * k + 1]!, edges[4 * k + 2]!, edges[4 * k + 3]!, owner[k]!);
}

/** Find what there is strictly inside of the edge: vertices of edges near it, and proper crossings. */
export function findEvents(w: Walker): void {
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

/** Put the events in the order in which the way from a to b meets them. */
export function sortEvents(w: Walker): void {
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
export function compareEvents(w: Walker, i: number, j: number): number {
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
export function meet(w: Walker, i: number): void {
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
