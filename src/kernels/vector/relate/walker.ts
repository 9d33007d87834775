import { type Fan, newFan } from "./fan.ts";
import { EXTERIOR, INTERIOR, type Location, type Matrix, raise } from "./matrix.ts";
import type { Shape } from "./shape.ts";

/** Owners of edges: elements of `other`, then those of `own` if it is layered, or lines of either. */
export const LINE_OF_OTHER = -1;
export const LINE_OF_OWN = -2;

/** State of a walk along the edges of one shape past those of another. One is used for all walks, one after the other. */
export interface Walker {
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
  /** Where the piece and its sides lie to one of the two, the last that was looked at. */
  on: Location;
  left: Location;
  right: Location;
}

const none = null as unknown as Shape;
export const walker: Walker = {
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

/** An edge of `element` leaves the path to the left: on that side it now covers, or no longer does. */
export function flip(w: Walker, element: number): void {
  const now = w.parity[element]! ^ 1;
  w.parity[element] = now;
  if (element < w.other.elements) w.coverOther += now === 1 ? 1 : -1;
  else w.coverOwn += now === 1 ? 1 : -1;
  w.dirty = true;
}

/** Edges of `owner` begin (1) or end (-1) to run along the path. */
export function addCover(w: Walker, owner: number, change: number): void {
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

export function clearCover(w: Walker): void {
  if (w.coveredCount === 0 && w.lineOther === 0 && w.lineOwn === 0) return;
  for (let k = 0; k < w.coveredCount; k++) w.cover[w.covered[k]!] = 0;
  w.coveredCount = 0;
  w.lineOther = 0;
  w.lineOwn = 0;
  w.dirty = true;
}

/** State in the matrix that points of the given dimension lie `here` to own and `there` to other. */
export function state(w: Walker, here: Location, there: Location, dimension: number): void {
  raise(w.matrix, w.swapped ? 3 * there + here : 3 * here + there, dimension);
}
