import type { PixelMethod } from "./methods.ts";
import type { Reduced } from "./reduce.ts";

/**
 * Which scene each pixel is taken from, by the values of a quality band. A scene counts where all bands and the quality
 * are observed.
 *
 * @param bands    Observations of each band, as `loadPlanes` lays them out.
 * @param quality  The same of the quality band.
 * @param out      `count` and `scene` are filled.
 */
export function chooseBest(
  bands: readonly Float64Array[],
  quality: Float64Array,
  scenes: number,
  count: number,
  { largest, ties }: Extract<PixelMethod, { kind: "best" }>,
  out: Reduced,
): void {
  const { value, scene } = out;
  scene.fill(-1, 0, count);
  out.count.fill(0, 0, count);
  const sign = largest ? 1 : -1;
  for (let k = 0; k < scenes; k++) {
    const at = k * count;
    for (let i = 0; i < count; i++) {
      const q = sign * quality[at + i]!;
      if (Number.isNaN(q) || !observed(bands, at + i)) continue;
      out.count[i]!++;
      if (scene[i]! < 0 || q > value[i]! || (ties === "last" && q === value[i])) {
        value[i] = q;
        scene[i] = k;
      }
    }
  }
}

function observed(bands: readonly Float64Array[], at: number): boolean {
  for (let b = 0; b < bands.length; b++) if (Number.isNaN(bands[b]![at]!)) return false;
  return true;
}

/**
 * Which scene each pixel is taken from: the one with the least sum of Euclidean distances to the others (the medoid;
 * N. Flood 2013, "Seasonal composite Landsat TM/ETM+ images using the medoid"), the first of equal ones. A scene counts where
 * all bands are observed. The cost grows with the square of the scenes.
 *
 * @param out  `count` and `scene` are filled.
 */
export function chooseMedoid(
  bands: readonly Float64Array[],
  scenes: number,
  count: number,
  out: Reduced,
): void {
  const taken = new Int32Array(scenes);
  const sums = new Float64Array(scenes);
  for (let i = 0; i < count; i++) {
    let n = 0;
    for (let k = 0; k < scenes; k++) if (observed(bands, k * count + i)) taken[n++] = k;
    out.count[i] = n;
    sums.fill(0, 0, n);
    for (let a = 0; a < n; a++) {
      const atA = taken[a]! * count + i;
      for (let b = a + 1; b < n; b++) {
        const atB = taken[b]! * count + i;
        let squares = 0;
        for (let m = 0; m < bands.length; m++) {
          const d = bands[m]![atA]! - bands[m]![atB]!;
          squares += d * d;
        }
        const distance = Math.sqrt(squares);
        sums[a]! += distance;
        sums[b]! += distance;
      }
    }
    let best = 0;
    for (let a = 1; a < n; a++) if (sums[a]! < sums[best]!) best = a;
    out.scene[i] = n === 0 ? -1 : taken[best]!;
  }
}

/**
 * The geometric median of each pixel over all bands, by Weiszfeld's iteration with Vardi and Zhang's rule for steps that
 * land on an observation (PNAS 97(4), 2000). It ends when a step is shorter than `tolerance` times the mean distance from
 * the start, or after `iterations` steps. A scene counts where all bands are observed.
 *
 * @param values  One array per band: receives the point, NaN where nothing is observed.
 */
export function geometricMedian(
  bands: readonly Float64Array[],
  scenes: number,
  count: number,
  { tolerance, iterations }: Extract<PixelMethod, { kind: "geomedian" }>,
  values: readonly Float64Array[],
  out: Reduced,
): void {
  const dimensions = bands.length;
  const taken = new Float64Array(scenes * dimensions);
  const point = new Float64Array(dimensions);
  const next = new Float64Array(dimensions);
  for (let i = 0; i < count; i++) {
    let n = 0;
    point.fill(0);
    for (let k = 0; k < scenes; k++) {
      const at = k * count + i;
      if (!observed(bands, at)) continue;
      for (let m = 0; m < dimensions; m++) {
        const v = bands[m]![at]!;
        taken[n * dimensions + m] = v;
        point[m]! += v;
      }
      n++;
    }
    out.count[i] = n;
    out.scene[i] = -1;
    if (n > 0) {
      for (let m = 0; m < dimensions; m++) point[m]! /= n;
      if (n > 2) {
        let scale = 0;
        for (let k = 0; k < n; k++) scale += distanceTo(taken, k, dimensions, point);
        const least = (tolerance * scale) / n;
        for (let step = 0; step < iterations && scale > 0; step++) {
          if (stepTowards(taken, n, dimensions, point, next) <= least) break;
        }
      }
    }
    for (let m = 0; m < dimensions; m++) values[m]![i] = n === 0 ? Number.NaN : point[m]!;
  }
}

function distanceTo(taken: Float64Array, k: number, dimensions: number, point: Float64Array): number {
  let squares = 0;
  for (let m = 0; m < dimensions; m++) {
    const d = taken[k * dimensions + m]! - point[m]!;
    squares += d * d;
  }
  return Math.sqrt(squares);
}

/** Moves `point` one step; returns how far it went. */
function stepTowards(
  taken: Float64Array,
  n: number,
  dimensions: number,
  point: Float64Array,
  next: Float64Array,
): number {
  next.fill(0);
  let weights = 0;
  let here = 0;
  for (let k = 0; k < n; k++) {
    const distance = distanceTo(taken, k, dimensions, point);
    if (distance === 0) {
      here++;
      continue;
    }
    const weight = 1 / distance;
    weights += weight;
    for (let m = 0; m < dimensions; m++) next[m]! += weight * taken[k * dimensions + m]!;
  }
  if (weights === 0) return 0;
  let pull = 0;
  for (let m = 0; m < dimensions; m++) {
    next[m]! /= weights;
    const d = weights * (next[m]! - point[m]!);
    pull += d * d;
  }
  // On an observation: it stays when the others pull less than its own weight.
  const stay = here === 0 || pull === 0 ? 0 : Math.min(1, here / Math.sqrt(pull));
  if (here > 0 && pull === 0) return 0;
  let moved = 0;
  for (let m = 0; m < dimensions; m++) {
    const to = (1 - stay) * next[m]! + stay * point[m]!;
    const d = to - point[m]!;
    moved += d * d;
    point[m] = to;
  }
  return Math.sqrt(moved);
}
