import { between, type ModeTies, type RankTable, type ReduceMethod, rankTable } from "./methods.ts";

/** What a piece of pixels gave. Arrays are as long as the piece. */
export interface Reduced {
  /** NaN where there is no value. */
  readonly value: Float64Array;
  /** Observations. */
  readonly count: Int32Array;
  /** Scene that the value is of, -1 for none; only of methods that pick one. */
  readonly scene: Int32Array;
}

/**
 * A reducer of one band over `scenes` scenes: takes observations as {@link loadPlanes} lays them out and fills `out`.
 * Keeps its scratch space, so one is made for many pieces.
 */
export function reducer(
  method: ReduceMethod,
  scenes: number,
): (values: Float64Array, count: number, out: Reduced) => void {
  const taken = new Float64Array(scenes);
  switch (method.kind) {
    case "min":
      return (values, count, out) => extreme(values, scenes, count, out, 1);
    case "max":
      return (values, count, out) => extreme(values, scenes, count, out, -1);
    case "first":
      return (values, count, out) => end(values, scenes, count, out, false);
    case "last":
      return (values, count, out) => end(values, scenes, count, out, true);
    case "count":
      return (values, count, out) => {
        counts(values, scenes, count, out.count);
        out.value.set(out.count);
      };
    case "anyNonZero":
      return (values, count, out) => anyNonZero(values, scenes, count, out);
    case "sum":
    case "mean":
      return (values, count, out) => {
        sums(values, scenes, count, out);
        if (method.kind === "mean") for (let i = 0; i < count; i++) out.value[i]! /= out.count[i]!;
      };
    case "variance":
    case "stdev":
      return (values, count, out) => {
        spread(values, scenes, count, out, method.ddof);
        if (method.kind === "stdev") for (let i = 0; i < count; i++) out.value[i] = Math.sqrt(out.value[i]!);
      };
    case "median":
      return sorted(scenes, taken, (n) =>
        // The same to the bit as half the sum of two whole numbers.
        n % 2 === 1 ? taken[n >> 1]! : middle(taken[(n >> 1) - 1]!, taken[n >> 1]!),
      );
    case "percentile": {
      const ranks = rankTable(method.q, method.rule, scenes);
      return sorted(scenes, taken, (n) => atRank(taken, n, ranks));
    }
    case "variety":
      return sorted(scenes, taken, (n) => variety(taken, n));
    case "mode":
      if (method.ties === "first") return modeFirst(scenes, taken);
      return sorted(scenes, taken, (n) => mode(taken, n, method.ties));
  }
}

/** Between two, without overflow. */
function middle(low: number, high: number): number {
  const sum = low + high;
  return Number.isFinite(sum) ? sum / 2 : low / 2 + high / 2;
}

function extreme(values: Float64Array, scenes: number, count: number, out: Reduced, sign: 1 | -1): void {
  const { value, scene } = out;
  value.fill(Number.NaN, 0, count);
  scene.fill(-1, 0, count);
  out.count.fill(0, 0, count);
  for (let k = 0; k < scenes; k++) {
    const at = k * count;
    for (let i = 0; i < count; i++) {
      const v = values[at + i]!;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone, and faster than asking
      if (v !== v) continue;
      out.count[i]!++;
      if (scene[i]! < 0 || sign * v < sign * value[i]!) {
        value[i] = v;
        scene[i] = k;
      }
    }
  }
}

function end(values: Float64Array, scenes: number, count: number, out: Reduced, last: boolean): void {
  const { value, scene } = out;
  value.fill(Number.NaN, 0, count);
  scene.fill(-1, 0, count);
  out.count.fill(0, 0, count);
  for (let k = 0; k < scenes; k++) {
    const at = k * count;
    for (let i = 0; i < count; i++) {
      const v = values[at + i]!;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
      if (v !== v) continue;
      out.count[i]!++;
      if (last || scene[i]! < 0) {
        value[i] = v;
        scene[i] = k;
      }
    }
  }
}

function counts(values: Float64Array, scenes: number, count: number, out: Int32Array): void {
  out.fill(0, 0, count);
  for (let k = 0; k < scenes; k++) {
    const at = k * count;
    for (let i = 0; i < count; i++) {
      const v = values[at + i]!;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
      if (v === v) out[i]!++;
    }
  }
}

function anyNonZero(values: Float64Array, scenes: number, count: number, out: Reduced): void {
  counts(values, scenes, count, out.count);
  for (let i = 0; i < count; i++) out.value[i] = out.count[i] === 0 ? Number.NaN : 0;
  for (let k = 0; k < scenes; k++) {
    const at = k * count;
    for (let i = 0; i < count; i++) {
      const v = values[at + i]!;
      if (v < 0 || v > 0) out.value[i] = 1;
    }
  }
}

/** Sums that keep what each addition rounds off (A. Neumaier 1974), so that large terms may cancel. NaN for no terms. */
function sums(values: Float64Array, scenes: number, count: number, out: Reduced): void {
  for (let i = 0; i < count; i++) {
    let sum = 0;
    let lost = 0;
    let n = 0;
    for (let k = 0, at = i; k < scenes; k++, at += count) {
      const v = values[at]!;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
      if (v !== v) continue;
      const next = sum + v;
      lost += Math.abs(sum) >= Math.abs(v) ? sum - next + v : v - next + sum;
      sum = next;
      n++;
    }
    out.count[i] = n;
    // An infinite sum has lost everything.
    out.value[i] = n === 0 ? Number.NaN : Number.isFinite(sum) ? sum + lost : sum;
  }
}

/** Squares of the distances to the mean, in two passes; the second term takes off what the rounded mean adds. */
function spread(values: Float64Array, scenes: number, count: number, out: Reduced, ddof: number): void {
  sums(values, scenes, count, out);
  for (let i = 0; i < count; i++) {
    const n = out.count[i]!;
    if (n - ddof <= 0) {
      out.value[i] = Number.NaN;
      continue;
    }
    const mean = out.value[i]! / n;
    let squares = 0;
    let rest = 0;
    for (let k = 0, at = i; k < scenes; k++, at += count) {
      const d = values[at]! - mean;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
      if (d !== d) continue;
      squares += d * d;
      rest += d;
    }
    out.value[i] = Math.max(0, squares - (rest * rest) / n) / (n - ddof);
  }
}

/** Pixel by pixel: the observations in `taken`, sorted, then `pick`. */
function sorted(
  scenes: number,
  taken: Float64Array,
  pick: (n: number) => number,
): (values: Float64Array, count: number, out: Reduced) => void {
  return (values, count, out) => {
    for (let i = 0; i < count; i++) {
      const n =
        scenes <= INSERTION
          ? insertSorted(values, i, count, scenes, taken)
          : takeSorted(values, i, count, scenes, taken);
      out.count[i] = n;
      out.value[i] = n === 0 ? Number.NaN : pick(n);
    }
  };
}

/** Values up to which sorting by insertion is the fastest. */
const INSERTION = 48;

function insertSorted(
  values: Float64Array,
  pixel: number,
  count: number,
  scenes: number,
  taken: Float64Array,
): number {
  let n = 0;
  for (let k = 0, at = pixel; k < scenes; k++, at += count) {
    const v = values[at]!;
    // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
    if (v !== v) continue;
    let j = n++;
    for (; j > 0 && taken[j - 1]! > v; j--) taken[j] = taken[j - 1]!;
    taken[j] = v;
  }
  return n;
}

function takeSorted(
  values: Float64Array,
  pixel: number,
  count: number,
  scenes: number,
  taken: Float64Array,
): number {
  const n = take(values, pixel, count, scenes, taken);
  taken.subarray(0, n).sort();
  return n;
}

function take(
  values: Float64Array,
  pixel: number,
  count: number,
  scenes: number,
  taken: Float64Array,
): number {
  let n = 0;
  for (let k = 0, at = pixel; k < scenes; k++, at += count) {
    const v = values[at]!;
    // biome-ignore lint/suspicious/noSelfCompare: false for NaN alone
    if (v === v) taken[n++] = v;
  }
  return n;
}

function atRank(taken: Float64Array, n: number, { lower, upper, part }: RankTable): number {
  const low = taken[lower[n]!]!;
  const high = taken[upper[n]!]!;
  if (low === high) return low;
  return part[n] === 0.5 ? middle(low, high) : between(low, high, part[n]!);
}

function variety(taken: Float64Array, n: number): number {
  let different = 1;
  for (let k = 1; k < n; k++) if (taken[k] !== taken[k - 1]) different++;
  return different;
}

function mode(taken: Float64Array, n: number, ties: ModeTies): number {
  let best = taken[0]!;
  let most = 0;
  for (let k = 0; k < n; ) {
    const v = taken[k]!;
    let to = k + 1;
    while (to < n && taken[to] === v) to++;
    if (to - k > most || (ties === "largest" && to - k === most)) {
      most = to - k;
      best = v;
    }
    k = to;
  }
  return best;
}

/** Of equally frequent values, the one that was there first. */
function modeFirst(
  scenes: number,
  taken: Float64Array,
): (values: Float64Array, count: number, out: Reduced) => void {
  const runs = new Float64Array(scenes);
  return (values, count, out) => {
    for (let i = 0; i < count; i++) {
      const n = takeSorted(values, i, count, scenes, taken);
      out.count[i] = n;
      let most = 0;
      let tied = 0;
      for (let k = 0; k < n; ) {
        const v = taken[k]!;
        let to = k + 1;
        while (to < n && taken[to] === v) to++;
        if (to - k > most) {
          most = to - k;
          tied = 0;
        }
        if (to - k === most) runs[tied++] = v;
        k = to;
      }
      out.value[i] = n === 0 ? Number.NaN : runs[0]!;
      for (let k = 0, at = i; tied > 1 && k < scenes; k++, at += count) {
        if (runs.subarray(0, tied).includes(values[at]!)) {
          out.value[i] = values[at]!;
          break;
        }
      }
    }
  };
}
