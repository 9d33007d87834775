import { side } from "./side.ts";

/**
 * Edges around one point, each as a heading away from it: from (ox, oy) to (tx, ty), where the point itself lies on that line,
 * at (ox, oy) or, where two edges cross at a point that no double may hold, between the two. So headings are compared by
 * orientation tests on input vertices only.
 */
export interface Fan {
  count: number;
  ox: Float64Array;
  oy: Float64Array;
  tx: Float64Array;
  ty: Float64Array;
  /** Whose edge it is; what the numbers mean is the user's business. */
  owner: Int32Array;
  /** Scratch of {@link coveredAround}. */
  order: Int32Array;
  turn: Int8Array;
}

export function newFan(): Fan {
  const size = 16;
  return {
    count: 0,
    ox: new Float64Array(size),
    oy: new Float64Array(size),
    tx: new Float64Array(size),
    ty: new Float64Array(size),
    owner: new Int32Array(size),
    order: new Int32Array(size),
    turn: new Int8Array(size),
  };
}

export function addHeading(fan: Fan, ox: number, oy: number, tx: number, ty: number, owner: number): void {
  if (fan.count === fan.owner.length) growFan(fan);
  const k = fan.count++;
  fan.ox[k] = ox;
  fan.oy[k] = oy;
  fan.tx[k] = tx;
  fan.ty[k] = ty;
  fan.owner[k] = owner;
}

function growFan(fan: Fan): void {
  const size = 2 * fan.count;
  for (const key of ["ox", "oy", "tx", "ty"] as const) {
    const to = new Float64Array(size);
    to.set(fan[key]);
    fan[key] = to;
  }
  const owner = new Int32Array(size);
  owner.set(fan.owner);
  fan.owner = owner;
  fan.order = new Int32Array(size);
  fan.turn = new Int8Array(size);
}

/** Add the headings of the edge from c to d at (x, y): none, one when that is an end of it, two when it passes through. */
export function addEdge(
  fan: Fan,
  x: number,
  y: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  owner: number,
): void {
  if (cx === x && cy === y) addHeading(fan, x, y, dx, dy, owner);
  else if (dx === x && dy === y) addHeading(fan, x, y, cx, cy, owner);
  else if (
    (cx < x ? x < dx || x === dx : cx === x ? true : dx <= x) &&
    (cy < y ? y < dy || y === dy : cy === y ? true : dy <= y) &&
    side(cx, cy, dx, dy, x, y) === 0
  ) {
    addHeading(fan, x, y, cx, cy, owner);
    addHeading(fan, x, y, dx, dy, owner);
  }
}

/** Whether the headings o -> t and p -> u, known to be along one line, are the same and not opposite. */
export function sameHeading(
  ox: number,
  oy: number,
  tx: number,
  ty: number,
  px: number,
  py: number,
  ux: number,
  uy: number,
): boolean {
  return tx !== ox || ux !== px
    ? tx > ox === ux > px && tx < ox === ux < px
    : ty > oy === uy > py && ty < oy === uy < py;
}

/** Whether heading `k` lies on the way from just after east, counter-clockwise, up to and with v -> s. Exact. */
export function fromEast(fan: Fan, k: number, vx: number, vy: number, sx: number, sy: number): boolean {
  const hx = fan.tx[k]!;
  const hy = fan.ty[k]!;
  const h = quarter(vx, vy, hx, hy);
  const s = quarter(vx, vy, sx, sy);
  // East itself is where the way begins.
  if (h === 0 || h > s) return false;
  return h < s || side(vx, vy, hx, hy, sx, sy) >= 0;
}

/** 0 east, 1 north of it, 2 west, 3 south. */
function quarter(vx: number, vy: number, tx: number, ty: number): number {
  if (ty > vy) return 1;
  if (ty < vy) return 3;
  return tx > vx ? 0 : 2;
}

/** Whether heading `k` lies strictly inside of the turn counter-clockwise from v -> w to v -> u. Exact. */
export function inTurn(
  fan: Fan,
  k: number,
  vx: number,
  vy: number,
  wx: number,
  wy: number,
  ux: number,
  uy: number,
): boolean {
  const hx = fan.tx[k]!;
  const hy = fan.ty[k]!;
  const whole = side(vx, vy, wx, wy, ux, uy);
  const fromW = side(vx, vy, wx, wy, hx, hy);
  if (whole > 0) return fromW > 0 && side(vx, vy, hx, hy, ux, uy) > 0;
  // More than half a turn: all but what lies from u counter-clockwise to w.
  if (whole < 0) return !(fromW <= 0 && side(vx, vy, ux, uy, hx, hy) >= 0);
  // Straight on, or straight back: then once around.
  if (!sameHeading(vx, vy, wx, wy, vx, vy, ux, uy)) return fromW > 0;
  return fromW !== 0 || !sameHeading(vx, vy, wx, wy, vx, vy, hx, hy);
}

/**
 * Whether every direction around the point is covered, headings themselves apart: going once around counter-clockwise
 * from just after r0 -> r1, the number of covering owners never falls to 0. `first <= owner < end` are looked at;
 * `state` says which of them cover the start and is changed; `covering` is their number.
 */
export function coveredAround(
  fan: Fan,
  r0x: number,
  r0y: number,
  r1x: number,
  r1y: number,
  first: number,
  end: number,
  state: Uint8Array,
  covering: number,
): boolean {
  if (covering === 0) return false;
  const { owner, ox, oy, tx, ty, order, turn } = fan;
  let n = 0;
  for (let k = 0; k < fan.count; k++) {
    if (owner[k]! < first || owner[k]! >= end) continue;
    const to = side(r0x, r0y, r1x, r1y, tx[k]!, ty[k]!);
    // The heading of the start itself ends the way around and changes nothing any more.
    if (to === 0 && sameHeading(ox[k]!, oy[k]!, tx[k]!, ty[k]!, r0x, r0y, r1x, r1y)) continue;
    turn[k] = to > 0 ? 0 : to === 0 ? 1 : 2;
    order[n++] = k;
  }
  sortAround(fan, n);
  for (let i = 0; i < n; i++) {
    const k = order[i]!;
    state[owner[k]!] = state[owner[k]!]! ^ 1;
    covering += state[owner[k]!] === 1 ? 1 : -1;
    if (covering === 0 && (i + 1 === n || compare(fan, k, order[i + 1]!) !== 0)) return false;
  }
  return true;
}

/** Sort the first `count` of `order`, of which there are few nearly always. */
function sortAround(fan: Fan, count: number): void {
  const { order } = fan;
  if (count > 24) {
    order.subarray(0, count).sort((i, j) => compare(fan, i, j));
    return;
  }
  for (let n = 1; n < count; n++) {
    const k = order[n]!;
    let i = n;
    for (; i > 0 && compare(fan, order[i - 1]!, k) > 0; i--) order[i] = order[i - 1]!;
    order[i] = k;
  }
}

function compare(fan: Fan, i: number, j: number): number {
  const { ox, oy, tx, ty, turn } = fan;
  if (turn[i] !== turn[j]) return turn[i]! - turn[j]!;
  return turn[i] === 1 ? 0 : -side(ox[i]!, oy[i]!, tx[i]!, ty[i]!, tx[j]!, ty[j]!);
}
