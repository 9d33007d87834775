import type { Position } from "../features.ts";
import { OUTSIDE } from "./outlines.ts";
import type { Terrain } from "./terrain.ts";

/** Micro-watersheds: pieces of the basin, each with one outlet. */
export interface Units {
  /** Unit of each cell, or OUTSIDE; row-major. */
  readonly labels: Int32Array;
  /** Unit that each unit drains to, or -1 for the last. */
  readonly downstream: Int32Array;
  /** Cells of each unit. */
  readonly cells: Int32Array;
}

/**
 * Cut the basin into units of roughly `target` cells: going downstream, a unit ends above the confluence where
 * it would become too large. Numbered from north to south.
 */
export function makeUnits({ flow, basin }: Terrain, side: number, target: number): Units {
  const { receiver, order } = flow;
  const pending = new Float64Array(receiver.length);
  const outlet = new Uint8Array(receiver.length);
  const donors = donorLists(receiver);
  for (let i = order.length - 1; i >= 0; i--) {
    const cell = order[i]!;
    if (basin[cell] === 0) continue;
    pending[cell]! += 1;
    if (pending[cell]! >= target) {
      for (let d = donors.start[cell]!; d < donors.start[cell + 1]!; d++) {
        const donor = donors.cells[d]!;
        if (pending[donor]! < 0.4 * target) continue;
        outlet[donor] = 1;
        pending[cell]! -= pending[donor]!;
      }
    }
    const to = receiver[cell]!;
    if (to < 0) outlet[cell] = 1;
    else pending[to]! += pending[cell]!;
  }
  const raw = new Int32Array(receiver.length).fill(OUTSIDE);
  const outlets: number[] = [];
  for (const cell of order) {
    if (basin[cell] === 0) continue;
    if (outlet[cell] === 1) {
      raw[cell] = outlets.length;
      outlets.push(cell);
    } else raw[cell] = raw[receiver[cell]!]!;
  }
  if (pending[outlets[0]!]! < 0.3 * target) joinLast(raw, outlets, receiver, pending);
  return renumber(raw, outlets, receiver, side);
}

/** Give the unit at the mouth of the basin, when it is small, to the largest of those that drain into it. */
function joinLast(raw: Int32Array, outlets: number[], receiver: Int32Array, pending: Float64Array): void {
  let joined = 0;
  for (let unit = 1; unit < outlets.length; unit++) {
    if (raw[receiver[outlets[unit]!]!] !== 0) continue;
    if (joined === 0 || pending[outlets[unit]!]! > pending[outlets[joined]!]!) joined = unit;
  }
  if (joined === 0) return;
  outlets.splice(joined, 1);
  for (let cell = 0; cell < raw.length; cell++) {
    if (raw[cell] === joined) raw[cell] = 0;
    else if (raw[cell]! > joined) raw[cell]!--;
  }
}

function donorLists(receiver: Int32Array): { start: Int32Array; cells: Int32Array } {
  const start = new Int32Array(receiver.length + 1);
  for (const to of receiver) if (to >= 0) start[to + 1]!++;
  for (let i = 0; i < receiver.length; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const cells = new Int32Array(start[receiver.length]!);
  for (let cell = 0; cell < receiver.length; cell++) {
    const to = receiver[cell]!;
    if (to >= 0) cells[next[to]!++] = cell;
  }
  return { start, cells };
}

function renumber(raw: Int32Array, outlets: readonly number[], receiver: Int32Array, side: number): Units {
  const rows = new Float64Array(outlets.length);
  const cells = new Int32Array(outlets.length);
  for (let cell = 0; cell < raw.length; cell++) {
    const unit = raw[cell]!;
    if (unit === OUTSIDE) continue;
    cells[unit]!++;
    rows[unit]! += Math.floor(cell / side);
  }
  const ranked = outlets.map((_, unit) => unit).sort((a, b) => rows[a]! / cells[a]! - rows[b]! / cells[b]!);
  const rank = new Int32Array(outlets.length);
  for (const [position, unit] of ranked.entries()) rank[unit] = position;
  return {
    labels: raw.map((unit) => (unit === OUTSIDE ? OUTSIDE : rank[unit]!)),
    downstream: Int32Array.from(ranked, (unit) => {
      const to = receiver[outlets[unit]!]!;
      return to < 0 ? -1 : rank[raw[to]!]!;
    }),
    cells: Int32Array.from(ranked, (unit) => cells[unit]!),
  };
}

/** One stream between two confluences, from its upper to its lower end. */
export interface Reach {
  readonly order: number;
  /** Cell centres in cells from the top-left corner, collinear ones left out. */
  readonly path: readonly Position[];
  /** Reach that it flows into, or -1. */
  readonly to: number;
  /** Cells, ends included. */
  readonly cells: number;
}

/** Streams as lines along the cells that carry them. A reach ends in the first cell of the next. */
export function makeReaches({ flow, streamOrder }: Terrain, side: number): Reach[] {
  const { receiver, order } = flow;
  const inflows = new Uint8Array(receiver.length);
  for (let cell = 0; cell < receiver.length; cell++) {
    const to = receiver[cell]!;
    if (streamOrder[cell]! > 0 && to >= 0) inflows[to]!++;
  }
  const startOf = new Int32Array(receiver.length).fill(-1);
  const starts: number[] = [];
  for (let i = order.length - 1; i >= 0; i--) {
    const cell = order[i]!;
    if (streamOrder[cell] === 0 || inflows[cell] === 1 || receiver[cell]! < 0) continue;
    startOf[cell] = starts.length;
    starts.push(cell);
  }
  const reaches: Reach[] = [];
  for (const start of starts) {
    const cells = [start];
    let cell = receiver[start]!;
    while (cell >= 0) {
      cells.push(cell);
      if (inflows[cell] !== 1) break;
      cell = receiver[cell]!;
    }
    const path = cells.map((one): Position => [(one % side) + 0.5, Math.floor(one / side) + 0.5]);
    const to =
      cells.length > 1 && inflows[cells[cells.length - 1]!] !== 1 ? startOf[cells[cells.length - 1]!]! : -1;
    reaches.push({ order: streamOrder[start]!, path: straight(path), to, cells: cells.length });
  }
  return reaches;
}

function straight(path: readonly Position[]): Position[] {
  return path.filter(([x, y], i) => {
    const before = path[i - 1];
    const after = path[i + 1];
    if (before === undefined || after === undefined) return true;
    return (x - before[0]) * (after[1] - y) !== (y - before[1]) * (after[0] - x);
  });
}
