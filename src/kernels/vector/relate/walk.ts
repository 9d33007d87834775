import { type BoxTree, searchBoxes } from "../box-tree.ts";
import { CROSSING, compareEvents, FIRST_END, fanAt, findEvents, gather, meet, sortEvents } from "./events.ts";
import { fromEast, inTurn, sameHeading } from "./fan.ts";
import { castRay } from "./locate.ts";
import { BOUNDARY, EXTERIOR, INTERIOR, type Matrix } from "./matrix.ts";
import { node, nodeAtCrossing } from "./nodes.ts";
import { hasPoint } from "./point-set.ts";
import { LINE, type Shape } from "./shape.ts";
import { side } from "./side.ts";
import { addCover, clearCover, flip, state, type Walker, walker } from "./walker.ts";

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
function walkFew(w: Walker, tree: BoxTree): void {
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
