import { circleAt } from "./flow-accumulation.ts";
import { type Frame, flowSteps, LEAVES, PIT } from "./frame.ts";

/**
 * Streams cut into stretches between their heads, confluences and ends, each in the direction of the water. Stretches are
 * numbered from 0 in row order of the cells that they start at; every head and every confluence starts one.
 */
export interface StreamStretches {
  readonly count: number;
  /** Stretch `i` runs through `cells[starts[i]] .. cells[starts[i + 1] - 1]`, framed positions; up to the confluence, included. */
  readonly starts: Int32Array;
  readonly cells: Int32Array;
  /** Stretch that begins where this one ends, or -1. */
  readonly next: Int32Array;
  /** Where next is -1: neighbour towards which the water goes on from the last cell, or -1 in a pit. */
  readonly exit: Int8Array;
}

/**
 * @param streams  Framed, not 0 at stream cells.
 * @throws RangeError when water runs in a circle.
 */
export function streamStretches(directions: Uint8Array, frame: Frame, streams: Uint8Array): StreamStretches {
  const steps = flowSteps(frame);
  const donors = new Uint8Array(directions.length);
  let cellCount = 0;
  for (let cell = 0; cell < directions.length; cell++) {
    if (streams[cell] === 0) continue;
    cellCount++;
    const step = steps[directions[cell]!]!;
    if (step !== 0 && streams[cell + step] !== 0) donors[cell + step]!++;
  }
  const heads: number[] = [];
  for (let cell = 0; cell < directions.length; cell++)
    if (streams[cell] !== 0 && donors[cell] !== 1) heads.push(cell);
  const count = heads.length;
  const starts = new Int32Array(count + 1);
  // Every cell is in one stretch, and every confluence ends two or more besides: one more cell a stretch at the most.
  const cells = new Int32Array(cellCount + count);
  const next = new Int32Array(count).fill(-1);
  const exit = new Int8Array(count).fill(-1);
  let at = 0;
  let seen = 0;
  for (let i = 0; i < count; i++) {
    let cell = heads[i]!;
    cells[at++] = cell;
    seen++;
    for (;;) {
      const direction = directions[cell]!;
      const step = steps[direction]!;
      if (step === 0 || streams[cell + step] === 0) {
        if (direction < PIT) exit[i] = direction >= LEAVES ? direction - LEAVES : direction;
        break;
      }
      cell += step;
      cells[at++] = cell;
      if (donors[cell] !== 1) {
        next[i] = positionOf(heads, cell);
        break;
      }
      seen++;
    }
    starts[i + 1] = at;
  }
  // A circle has no head: what no stretch ran through.
  if (seen < cellCount) {
    const visited = new Uint8Array(directions.length);
    for (let i = 0; i < at; i++) visited[cells[i]!] = 1;
    throw circleAt(
      streams.findIndex((value, cell) => value !== 0 && visited[cell] === 0),
      frame,
    );
  }
  return { count, starts, cells: cells.slice(0, at), next, exit };
}

function positionOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
