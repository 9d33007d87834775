import {
  COUNTS,
  EXTREMES,
  SECOND_TOP,
  type SumLayout,
  sumLayout,
  type ZonalPart,
  type ZonalPlan,
} from "./accumulate.ts";
import { addBins, addTerm, BINS, binsTotal, raiseBins, topBin } from "./exact-sums.ts";
import { orderByValue } from "./order.ts";

/** Values of one zone, upward, each once. */
export interface Distribution {
  readonly value: Float64Array;
  readonly pixels: Float64Array;
  /** {@link BINS} bins each, from bin `topBin(largestArea)`. */
  readonly weight: Float64Array;
  /** Place and weight of the first pixel and of the last in row order, 4 each. */
  readonly order: Float64Array | null;
  /** Weights by the second raster, {@link BINS} bins each, from bin {@link SECOND_TOP}. */
  readonly second: Float64Array | null;
}

/** Pixels of one zone, not sorted yet. */
interface Pixels {
  value: Float64Array;
  weight: Float64Array | null;
  place: Float64Array | null;
  second: Float64Array | null;
  length: number;
}

/** Everything gathered of all zones of one band by one plan; see {@link ZonalPart} for what the numbers are. */
export class ZonalTally {
  readonly plan: ZonalPlan;
  readonly layout: SumLayout;
  readonly largestArea: number;
  readonly counts: Float64Array;
  readonly extremes: Float64Array;
  readonly sums: Float64Array;
  /** Whether sums of powers follow from the values. */
  fromValues = false;
  /** Bytes that values and pixels of zones take. */
  bytes = 0;
  readonly #distributions = new Map<number, Distribution>();
  readonly #pixels = new Map<number, Pixels>();

  constructor(zones: number, plan: ZonalPlan, largestArea: number) {
    this.plan = plan;
    this.layout = sumLayout(plan);
    this.largestArea = largestArea;
    this.counts = new Float64Array(COUNTS * zones);
    this.extremes = new Float64Array(EXTREMES * zones);
    this.sums = new Float64Array(this.layout.size * zones);
    for (let zone = 0; zone < zones; zone++) {
      this.extremes[EXTREMES * zone] = Infinity;
      this.extremes[EXTREMES * zone + 1] = -Infinity;
      this.extremes[EXTREMES * zone + 2] = -1;
      this.extremes[EXTREMES * zone + 3] = -1;
    }
  }

  add(part: ZonalPart): void {
    for (let k = 0; k < part.zones.length; k++) {
      const zone = part.zones[k]!;
      this.#addSums(part, k, zone);
      this.#addExtremes(part.extremes, EXTREMES * k, EXTREMES * zone);
      for (let i = 0; i < COUNTS; i++) this.counts[COUNTS * zone + i]! += part.counts[COUNTS * k + i]!;
      if (part.table !== null) this.#addValues(zone, sliceTable(part.table, k));
      if (part.list !== null) this.#addPixels(zone, part.list, k);
    }
    if (part.derived) this.fromValues = true;
  }

  /** Largest magnitude of the values of a zone. */
  largest(zone: number): number {
    return magnitude(this.extremes, EXTREMES * zone);
  }

  /** Number of the topmost bin of the sum of power `p`, of the second weights if `weighted`. */
  top(zone: number, p: number, weighted: boolean): number {
    return topOf(this.largestArea, this.extremes, EXTREMES * zone, p, weighted);
  }

  /** The values of a zone that no part will be added to any more, and forget them. */
  take(zone: number): Distribution | null {
    const pixels = this.#pixels.get(zone);
    const values = this.#distributions.get(zone) ?? null;
    this.#distributions.delete(zone);
    if (values !== null) this.bytes -= bytesOf(values);
    if (pixels === undefined) return values;
    this.#pixels.delete(zone);
    this.bytes -= bytesOf(pixels);
    const sorted = distributionOf(pixels, topBin(this.largestArea));
    return values === null ? sorted : merge(values, sorted);
  }

  #addSums(part: ZonalPart, k: number, zone: number): void {
    const { size, powers, weighted } = this.layout;
    const from = size * k;
    const to = size * zone;
    addBins(this.sums, to, 2 * BINS, part.sums, from);
    const groups: [readonly number[], boolean][] = [
      [powers, false],
      [weighted, true],
    ];
    for (const [places, second] of groups) {
      for (let i = 0; i < places.length; i++) {
        const p = second ? i : i + 1;
        const theirs = topOf(this.largestArea, part.extremes, EXTREMES * k, p, second);
        const ours = topOf(this.largestArea, this.extremes, EXTREMES * zone, p, second);
        const at = places[i]!;
        if (theirs > ours) raiseBins(this.sums, to + at, ours, theirs);
        else if (ours > theirs) raiseBins(part.sums, from + at, theirs, ours);
        addBins(this.sums, to + at, BINS, part.sums, from + at);
      }
    }
  }

  #addExtremes(theirs: Float64Array, from: number, to: number): void {
    const ours = this.extremes;
    if (theirs[from]! < ours[to]! || (theirs[from] === ours[to] && theirs[from + 2]! < ours[to + 2]!)) {
      ours[to] = theirs[from]!;
      ours[to + 2] = theirs[from + 2]!;
    }
    if (
      theirs[from + 1]! > ours[to + 1]! ||
      (theirs[from + 1] === ours[to + 1] && theirs[from + 3]! < ours[to + 3]!)
    ) {
      ours[to + 1] = theirs[from + 1]!;
      ours[to + 3] = theirs[from + 3]!;
    }
    if (theirs[from + 4]! > ours[to + 4]!) ours[to + 4] = theirs[from + 4]!;
  }

  #addValues(zone: number, values: Distribution): void {
    const known = this.#distributions.get(zone);
    if (values.value.length === 0) return;
    const merged = known === undefined ? values : merge(known, values);
    this.bytes += bytesOf(merged) - (known === undefined ? 0 : bytesOf(known));
    this.#distributions.set(zone, merged);
  }

  #addPixels(zone: number, list: NonNullable<ZonalPart["list"]>, k: number): void {
    const start = list.start[k]!;
    const end = list.start[k + 1]!;
    if (end === start) return;
    let pixels = this.#pixels.get(zone);
    if (pixels === undefined) {
      pixels = {
        value: new Float64Array(0),
        weight: list.weight === null ? null : new Float64Array(0),
        place: list.place === null ? null : new Float64Array(0),
        second: list.second === null ? null : new Float64Array(0),
        length: 0,
      };
      this.#pixels.set(zone, pixels);
    }
    const needed = pixels.length + end - start;
    if (needed > pixels.value.length) {
      this.bytes -= bytesOf(pixels);
      // The first part alone is kept without room to spare: most zones have no second.
      const room = pixels.length === 0 ? needed : Math.ceil(1.5 * needed);
      pixels.value = grown(pixels.value, room);
      for (const name of ["weight", "place", "second"] as const)
        if (pixels[name] !== null) pixels[name] = grown(pixels[name], room);
      this.bytes += bytesOf(pixels);
    }
    pixels.value.set(list.value.subarray(start, end), pixels.length);
    for (const name of ["weight", "place", "second"] as const)
      pixels[name]?.set(list[name]!.subarray(start, end), pixels.length);
    pixels.length = needed;
  }
}

function grown(values: Float64Array, room: number): Float64Array {
  const out = new Float64Array(room);
  out.set(values);
  return out;
}

function magnitude(extremes: Float64Array, at: number): number {
  return Math.max(0, -extremes[at]!, extremes[at + 1]!);
}

function topOf(area: number, extremes: Float64Array, at: number, p: number, weighted: boolean): number {
  return topBin((weighted ? extremes[at + 4]! : area) * magnitude(extremes, at) ** p);
}

function bytesOf(arrays: Distribution | Pixels): number {
  let bytes = 200;
  for (const array of Object.values(arrays) as unknown[])
    if (array instanceof Float64Array) bytes += array.byteLength;
  return bytes;
}

function sliceTable(table: NonNullable<ZonalPart["table"]>, k: number): Distribution {
  const start = table.start[k]!;
  const end = table.start[k + 1]!;
  return {
    value: table.value.slice(start, end),
    pixels: table.pixels.slice(start, end),
    weight: table.weight.slice(BINS * start, BINS * end),
    order: table.order === null ? null : table.order.slice(4 * start, 4 * end),
    second: table.second === null ? null : table.second.slice(BINS * start, BINS * end),
  };
}

function merge(a: Distribution, b: Distribution): Distribution {
  const total = countUnion(a.value, b.value);
  const value = new Float64Array(total);
  const pixels = new Float64Array(total);
  const weight = new Float64Array(BINS * total);
  const order = a.order === null || b.order === null ? null : new Float64Array(4 * total);
  const second = a.second === null ? null : new Float64Array(BINS * total);
  let at = 0;
  for (let i = 0, j = 0; i < a.value.length || j < b.value.length; at++) {
    const left = i < a.value.length ? a.value[i]! : Infinity;
    const right = j < b.value.length ? b.value[j]! : Infinity;
    const fromA = left <= right;
    const fromB = right <= left;
    value[at] = fromA ? left : right;
    if (fromA) {
      pixels[at] = a.pixels[i]!;
      weight.set(a.weight.subarray(BINS * i, BINS * i + BINS), BINS * at);
      second?.set(a.second!.subarray(BINS * i, BINS * i + BINS), BINS * at);
      order?.set(a.order!.subarray(4 * i, 4 * i + 4), 4 * at);
    } else order?.set(b.order!.subarray(4 * j, 4 * j + 4), 4 * at);
    if (fromB) {
      pixels[at]! += b.pixels[j]!;
      addBins(weight, BINS * at, BINS, b.weight, BINS * j);
      if (second !== null) addBins(second, BINS * at, BINS, b.second!, BINS * j);
      if (order !== null) earlierAndLater(order, 4 * at, b.order!, 4 * j);
    }
    if (fromA) i++;
    if (fromB) j++;
  }
  return { value, pixels, weight, order, second };
}

function countUnion(a: Float64Array, b: Float64Array): number {
  let count = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; count++) {
    const left = i < a.length ? a[i]! : Infinity;
    const right = j < b.length ? b[j]! : Infinity;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return count;
}

function earlierAndLater(order: Float64Array, at: number, other: Float64Array, from: number): void {
  if (other[from]! < order[at]!) {
    order[at] = other[from]!;
    order[at + 1] = other[from + 1]!;
  }
  if (other[from + 2]! > order[at + 2]!) {
    order[at + 2] = other[from + 2]!;
    order[at + 3] = other[from + 3]!;
  }
}

/** Sort the pixels of a zone by value, those of the same value together. */
function distributionOf({ value, weight, place, second, length }: Pixels, top: number): Distribution {
  const sorted = orderByValue(value.subarray(0, length));
  let distinct = 0;
  for (let k = 0; k < length; k++) if (k === 0 || value[sorted[k]!] !== value[sorted[k - 1]!]) distinct++;
  const out = {
    value: new Float64Array(distinct),
    pixels: new Float64Array(distinct),
    weight: new Float64Array(BINS * distinct),
    order: place === null ? null : new Float64Array(4 * distinct),
    second: second === null ? null : new Float64Array(BINS * distinct),
  };
  let at = -1;
  for (let k = 0; k < length; k++) {
    const pixel = sorted[k]!;
    const w = weight === null ? 1 : weight[pixel]!;
    if (k === 0 || value[pixel] !== value[sorted[k - 1]!]) {
      at++;
      out.value[at] = value[pixel]!;
      if (out.order !== null) {
        out.order[4 * at] = Infinity;
        out.order[4 * at + 2] = -Infinity;
      }
    }
    out.pixels[at]!++;
    addTerm(out.weight, BINS * at, top, w);
    if (out.second !== null) addTerm(out.second, BINS * at, SECOND_TOP, second![pixel]!);
    if (out.order === null) continue;
    const where = place![pixel]!;
    if (where < out.order[4 * at]!) {
      out.order[4 * at] = where;
      out.order[4 * at + 1] = w;
    }
    if (where > out.order[4 * at + 2]!) {
      out.order[4 * at + 2] = where;
      out.order[4 * at + 3] = w;
    }
  }
  return out;
}

/** Weight of value `k`. */
export function weightOf({ weight }: Distribution, k: number): number {
  return binsTotal(weight, BINS * k);
}
