import { addHeading, coveredAround, type Fan } from "./fan.ts";
import { BOUNDARY, EXTERIOR, INTERIOR, type Location } from "./matrix.ts";
import { hasPoint } from "./point-set.ts";
import { side } from "./side.ts";
import { LINE_OF_OTHER, LINE_OF_OWN, state, type Walker } from "./walker.ts";

/** State a meeting of edges at a point that is no vertex: events `start .. end - 1` in order. */
export function nodeAtCrossing(w: Walker, start: number, end: number): void {
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
export function node(
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
  // Marks are 32-bit: begin anew long before stamps no longer fit.
  if (w.stamp > 2 ** 30) {
    mark.fill(0);
    w.stamp = 0;
  }
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
