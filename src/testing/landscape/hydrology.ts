import { hash } from "../random.ts";

/**
 * Flow over the made-up terrain: just enough to make layers that agree with each other. The library's own
 * hydrology stands apart and is tested against other tools, not against this.
 */

/** Column and row steps to the eight neighbours, and how far away they are in cells. */
const STEP_COL = [1, 1, 0, -1, -1, -1, 0, 1] as const;
const STEP_ROW = [0, 1, 1, 1, 0, -1, -1, -1] as const;
const STEP_LENGTH = [1, Math.SQRT2, 1, Math.SQRT2, 1, Math.SQRT2, 1, Math.SQRT2] as const;

/** Where water goes. All arrays are row-major, length = width * height. */
export interface Flow {
  /** Cell that each cell drains to, or -1 where water leaves the raster. */
  readonly receiver: Int32Array;
  /** Cells from low to high: a receiver always comes before its donors. */
  readonly order: Int32Array;
}

/**
 * Raise every cell that cannot drain until it can, so that each is at least `step` above the neighbour that
 * it drains to (priority flood from the edge, Barnes et al. 2014). Changes `z`.
 *
 * @returns cells from low to high.
 */
export function fill(z: Float64Array, width: number, height: number, step: number): Int32Array {
  const length = width * height;
  const heap = new Int32Array(length);
  const seen = new Uint8Array(length);
  const order = new Int32Array(length);
  let size = 0;
  const push = (cell: number): void => {
    let at = size++;
    const value = z[cell]!;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (z[above]! <= value) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = cell;
  };
  for (let cell = 0; cell < length; cell++) {
    const col = cell % width;
    if (col === 0 || col === width - 1 || cell < width || cell >= length - width) {
      seen[cell] = 1;
      push(cell);
    }
  }
  let done = 0;
  while (size > 0) {
    const cell = heap[0]!;
    order[done++] = cell;
    const last = heap[--size]!;
    const value = z[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && z[heap[child + 1]!]! < z[heap[child]!]!) child++;
      if (z[heap[child]!]! >= value) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    const col = cell % width;
    const row = (cell - col) / width;
    for (let k = 0; k < 8; k++) {
      const c = col + STEP_COL[k]!;
      const r = row + STEP_ROW[k]!;
      if (c < 0 || r < 0 || c >= width || r >= height) continue;
      const next = r * width + c;
      if (seen[next] === 1) continue;
      seen[next] = 1;
      if (z[next]! < z[cell]! + step) z[next] = z[cell]! + step;
      push(next);
    }
  }
  return order;
}

/**
 * Receiver of every cell: its steepest lower neighbour, the first of equals counting clockwise from east.
 *
 * @param sway  With a seed, slopes count with a random weight between 0.4 and 1.6, so that valleys carved over
 *              several rounds do not keep to the eight directions.
 */
export function steepest(z: Float64Array, width: number, height: number, sway?: number): Int32Array {
  const receiver = new Int32Array(width * height).fill(-1);
  for (let row = 0, cell = 0; row < height; row++) {
    for (let col = 0; col < width; col++, cell++) {
      let best = 0;
      for (let k = 0; k < 8; k++) {
        const c = col + STEP_COL[k]!;
        const r = row + STEP_ROW[k]!;
        if (c < 0 || r < 0 || c >= width || r >= height) continue;
        let slope = (z[cell]! - z[r * width + c]!) / STEP_LENGTH[k]!;
        if (slope <= 0) continue;
        if (sway !== undefined) slope *= 0.4 + 1.2 * hash(sway, 8 * cell + k, 0);
        if (slope > best) {
          best = slope;
          receiver[cell] = r * width + c;
        }
      }
    }
  }
  return receiver;
}

/** Cells that drain through each cell, itself included. */
export function accumulate({ receiver, order }: Flow): Float64Array {
  const area = new Float64Array(receiver.length).fill(1);
  for (let i = order.length - 1; i >= 0; i--) {
    const cell = order[i]!;
    const to = receiver[cell]!;
    if (to >= 0) area[to]! += area[cell]!;
  }
  return area;
}

/**
 * Strahler order of every cell that drains at least `threshold` cells, 0 elsewhere: headwaters are 1, and
 * two streams of equal order make one of the next.
 */
export function strahler({ receiver, order }: Flow, area: Float64Array, threshold: number): Uint8Array {
  const highest = new Uint8Array(receiver.length);
  const twice = new Uint8Array(receiver.length);
  const result = new Uint8Array(receiver.length);
  for (let i = order.length - 1; i >= 0; i--) {
    const cell = order[i]!;
    if (area[cell]! < threshold) continue;
    const own = highest[cell] === 0 ? 1 : highest[cell]! + twice[cell]!;
    result[cell] = own;
    const to = receiver[cell]!;
    if (to < 0) continue;
    if (own > highest[to]!) {
      highest[to] = own;
      twice[to] = 0;
    } else if (own === highest[to]) twice[to] = 1;
  }
  return result;
}

export interface ErosionOptions {
  readonly seed: number;
  /** How strongly water cuts, per step. */
  readonly power: number;
  /** Share of the difference to the neighbours' mean that is levelled in one step. */
  readonly creep: number;
  readonly steps: number;
}

/**
 * Wear the terrain down by running water (stream-power law with exponents 1/2 and 1, implicit in time after
 * Braun and Willett 2013) and by creep. Changes `z`, in metres; edge cells stay where they are.
 *
 * @param uplift    Metres that each cell rises in one step.
 * @param hardness  Of the rock; 1 is plain.
 */
export function erode(
  z: Float64Array,
  width: number,
  height: number,
  uplift: Float64Array,
  hardness: Float64Array,
  { seed, power, creep, steps }: ErosionOptions,
): void {
  const before = new Float64Array(z.length);
  for (let step = 0; step < steps; step++) {
    const order = fill(z, width, height, 1e-3);
    const receiver = steepest(z, width, height, seed + step);
    const area = accumulate({ receiver, order });
    for (let i = 0; i < order.length; i++) {
      const cell = order[i]!;
      const col = cell % width;
      if (col === 0 || col === width - 1 || cell < width || cell >= z.length - width) continue;
      const to = receiver[cell]!;
      const cut = (power / hardness[cell]!) * Math.sqrt(area[cell]!);
      z[cell] = (z[cell]! + uplift[cell]! + cut * z[to]!) / (1 + cut);
    }
    before.set(z);
    for (let row = 1; row < height - 1; row++) {
      for (let col = 1; col < width - 1; col++) {
        const cell = row * width + col;
        const mean =
          (before[cell - 1]! + before[cell + 1]! + before[cell - width]! + before[cell + width]!) / 4;
        z[cell]! += creep * (mean - before[cell]!);
      }
    }
  }
}

/** Twice the cells each way, blended linearly: the start of the next finer round of {@link erode}. */
export function refine(z: Float64Array, width: number, height: number): Float64Array {
  const out = new Float64Array(4 * width * height);
  for (let row = 0; row < 2 * height; row++) {
    const y = Math.min(height - 1, Math.max(0, (row - 0.5) / 2));
    const r = Math.min(height - 2, Math.floor(y));
    for (let col = 0; col < 2 * width; col++) {
      const x = Math.min(width - 1, Math.max(0, (col - 0.5) / 2));
      const c = Math.min(width - 2, Math.floor(x));
      const i = r * width + c;
      const top = z[i]! * (c + 1 - x) + z[i + 1]! * (x - c);
      const bottom = z[i + width]! * (c + 1 - x) + z[i + width + 1]! * (x - c);
      out[row * 2 * width + col] = top * (r + 1 - y) + bottom * (y - r);
    }
  }
  return out;
}
