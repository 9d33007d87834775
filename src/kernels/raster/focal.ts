import type { Window } from "../../model/grid.ts";

/** What is made of the values around a pixel. */
export type FocalStatistic = "mean" | "sum" | "min" | "max" | "stdev" | "count" | "majority" | "median";

/** Cells of a neighbourhood: column and row offsets from the middle, row by row. */
export interface Neighbourhood {
  readonly radius: number;
  readonly dx: Int32Array;
  readonly dy: Int32Array;
}

/** A square of `2 radius + 1` cells, or the cells whose centres lie within `radius` cells of the middle's. */
export function neighbourhood(shape: "square" | "circle", radius: number): Neighbourhood {
  const dx: number[] = [];
  const dy: number[] = [];
  const reach = Math.floor(radius);
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      if (shape === "circle" && x * x + y * y > radius * radius) continue;
      dx.push(x);
      dy.push(y);
    }
  }
  return { radius: reach, dx: Int32Array.from(dx), dy: Int32Array.from(dy) };
}

/**
 * A statistic of the observed values around each pixel; missing ones are left out, NaN where none is observed
 * (`count`: 0). `stdev` is that of the population. `majority`: ties go to the smallest value. `median`: the mean of the
 * middle two of an even number. Cost: pixels times cells of the neighbourhood; `majority` and `median` sort them.
 *
 * @param values  The window enlarged by the radius on all sides; NaN where nothing is observed.
 * @param keepGaps  Pixels that are not observed themselves get no value.
 */
export function focal(
  statistic: FocalStatistic,
  values: Float64Array,
  window: Window,
  { radius, dx, dy }: Neighbourhood,
  keepGaps: boolean,
  out: Float64Array,
): void {
  const { width, height } = window;
  const stride = width + 2 * radius;
  const cells = dx.length;
  const offsets = new Int32Array(cells);
  for (let k = 0; k < cells; k++) offsets[k] = dy[k]! * stride + dx[k]!;
  const found = new Float64Array(cells);
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const at = (row + radius) * stride + col + radius;
      const i = row * width + col;
      if (keepGaps && Number.isNaN(values[at]!)) {
        out[i] = Number.NaN;
        continue;
      }
      let count = 0;
      for (let k = 0; k < cells; k++) {
        const value = values[at + offsets[k]!]!;
        if (!Number.isNaN(value)) found[count++] = value;
      }
      out[i] = count === 0 && statistic !== "count" ? Number.NaN : reduce(statistic, found, count);
    }
  }
}

function reduce(statistic: FocalStatistic, found: Float64Array, count: number): number {
  switch (statistic) {
    case "count":
      return count;
    case "min": {
      let least = Infinity;
      for (let k = 0; k < count; k++) if (found[k]! < least) least = found[k]!;
      return least;
    }
    case "max": {
      let most = -Infinity;
      for (let k = 0; k < count; k++) if (found[k]! > most) most = found[k]!;
      return most;
    }
    case "sum":
      return sum(found, count);
    case "mean":
      return sum(found, count) / count;
    case "stdev": {
      const mean = sum(found, count) / count;
      let squares = 0;
      for (let k = 0; k < count; k++) squares += (found[k]! - mean) ** 2;
      return Math.sqrt(squares / count);
    }
    case "median": {
      sort(found, count);
      const half = count >> 1;
      return count % 2 === 1 ? found[half]! : (found[half - 1]! + found[half]!) / 2;
    }
    case "majority":
      sort(found, count);
      return longestRun(found, count);
  }
}

function sum(found: Float64Array, count: number): number {
  let total = 0;
  for (let k = 0; k < count; k++) total += found[k]!;
  return total;
}

function sort(found: Float64Array, count: number): void {
  if (count > 64) {
    found.subarray(0, count).sort();
    return;
  }
  for (let k = 1; k < count; k++) {
    const value = found[k]!;
    let at = k - 1;
    while (at >= 0 && found[at]! > value) {
      found[at + 1] = found[at]!;
      at--;
    }
    found[at + 1] = value;
  }
}

/** Value that occurs most in sorted values; of several the smallest. */
function longestRun(sorted: Float64Array, count: number): number {
  let best = sorted[0]!;
  let bestLength = 0;
  let start = 0;
  for (let k = 1; k <= count; k++) {
    if (k < count && sorted[k] === sorted[start]) continue;
    if (k - start > bestLength) {
      bestLength = k - start;
      best = sorted[start]!;
    }
    start = k;
  }
  return best;
}
