import type { Window } from "../../model/grid.ts";
import type { SplitNumbers } from "../raster/cell-area.ts";
import type { Runs } from "../raster/rasterize.ts";
import type { PreparedShapes } from "../raster/shapes.ts";
import { type ClassChanges, countChanges } from "./class-changes.ts";
import { type ClassSamples, ClassSlots } from "./class-slots.ts";
import type { CoverageRuns } from "./coverage.ts";
import { type ZoneRule, zoneRuns } from "./zone-runs.ts";

/** Area of a pixel in each row of the raster; `high` and `low` are multiples of `unit` and of `unit * 2^-26`. */
export interface RowAreas extends SplitNumbers {
  readonly unit: number;
}

/** Numbers of an entry of {@link ClassCounts}. */
export const COUNT_NUMBERS = 6;

/** Pixels of each class in each zone of one window. Mergeable: entries add up, exactly, in any order. */
export interface ClassCounts {
  /** Entries, one per zone and class met. */
  readonly count: number;
  readonly zone: Int32Array;
  /**
   * {@link COUNT_NUMBERS} an entry: the class (its sample value; NaN: not observed), pixels in two parts, area in two
   * parts (0 when areas were not asked for), position in the raster of the first pixel (`row * width + col`). The first part
   * of pixels is a multiple of 2^-26, the second of 2^-52; parts of areas as {@link RowAreas} has them.
   */
  readonly numbers: Float64Array;
}

/** Shares of pixels are split at 2^-26 and 2^-52: adding and taking away one of these rounds to a multiple. */
const ROUND_HIGH = 1.5 * 2 ** 26;
const ROUND_LOW = 1.5;

/** Runs shorter than this are counted pixel by pixel. */
const SHORT = 24;

interface Scratch {
  /** Four counts per slot, taken in turn: neighbouring pixels of one class would wait for each other at a single one. */
  readonly table: Int32Array;
  readonly met: Uint8Array;
  /** Per slot: pixels high and low, area high and low, first. */
  readonly sums: Float64Array;
  /** Slots that the zone at hand has met. */
  readonly list: Int32Array;
  /** Zone and numbers of the entries so far. */
  zone: Int32Array;
  numbers: Float64Array;
}

let kept: Scratch | null = null;

/** Table, flags and sums are all zero, and kept so between calls. */
function scratchFor(size: number): Scratch {
  if (kept === null || kept.met.length < size)
    kept = {
      table: new Int32Array(4 * size),
      met: new Uint8Array(size),
      sums: new Float64Array(5 * size),
      list: new Int32Array(size),
      zone: new Int32Array(1024),
      numbers: new Float64Array(1024 * COUNT_NUMBERS),
    };
  return kept;
}

/**
 * Count classes along runs of pixels, in one pass. Pixels of one run count alike: 1, or the share of the run. Pixels that
 * are nodata, NaN or masked are counted under NaN.
 *
 * @param runs   Sorted by zone, as `zoneRuns` gives them; pixels inside `window`.
 * @param areas  `null` when only pixels matter.
 * @param width  Columns of the whole raster, for the position of the first pixel.
 * @throws RangeError when there are more than `MAX_CLASSES` values.
 */
export function countClasses(
  runs: Runs | CoverageRuns,
  input: ClassSamples,
  window: Window,
  areas: RowAreas | null,
  width: number,
): ClassCounts {
  const slots = new ClassSlots(input, window.width);
  const scratch = scratchFor(slots.size);
  const counter = new Counter(slots, scratch);
  let done = false;
  try {
    counter.count(runs, window, areas, width);
    done = true;
  } finally {
    slots.release();
    if (!done) kept = null;
  }
  return counter.finish();
}

class Counter {
  readonly #slots: ClassSlots;
  readonly #scratch: Scratch;
  readonly #table: Int32Array;
  readonly #met: Uint8Array;
  readonly #sums: Float64Array;
  readonly #list: Int32Array;
  #listed = 0;
  #count = 0;

  constructor(slots: ClassSlots, scratch: Scratch) {
    this.#slots = slots;
    this.#scratch = scratch;
    this.#table = scratch.table;
    this.#met = scratch.met;
    this.#sums = scratch.sums;
    this.#list = scratch.list;
  }

  count(runs: Runs | CoverageRuns, window: Window, areas: RowAreas | null, width: number): void {
    const { data, count } = runs;
    const fraction = "fraction" in runs ? runs.fraction : null;
    const slots = this.#slots;
    const met = this.#met;
    const sums = this.#sums;
    const roundHigh = areas === null ? 0 : 1.5 * 2 ** 52 * areas.unit;
    const roundLow = areas === null ? 0 : 1.5 * 2 ** 26 * areas.unit;
    let zone = -1;
    for (let k = 0; k < count; k++) {
      if (data[4 * k] !== zone) {
        this.#flush(zone);
        zone = data[4 * k]!;
      }
      const row = data[4 * k + 1]!;
      const startCol = data[4 * k + 2]!;
      const length = data[4 * k + 3]! - startCol;
      const start = (row - window.row) * window.width + startCol - window.col;
      let pixelHigh = 1;
      let pixelLow = 0;
      let areaHigh = areas === null ? 0 : areas.high[row]!;
      let areaLow = areas === null ? 0 : areas.low[row]!;
      if (fraction !== null && fraction[k] !== 1) {
        const share = fraction[k]!;
        pixelHigh = share + ROUND_HIGH - ROUND_HIGH;
        pixelLow = share - pixelHigh + ROUND_LOW - ROUND_LOW;
        if (areas !== null) {
          const area = share * (areaHigh + areaLow);
          areaHigh = area + roundHigh - roundHigh;
          areaLow = area - areaHigh + roundLow - roundLow;
        }
      }
      const at = slots.number(start, start + length);
      const first = row * width + startCol;
      if (length === 1) {
        // What edges of zones are made of.
        const slot = slots.keys[at]!;
        const s = 5 * slot;
        if (met[slot] === 0) this.#meet(slot, first);
        sums[s]! += pixelHigh;
        sums[s + 1]! += pixelLow;
        sums[s + 2]! += areaHigh;
        sums[s + 3]! += areaLow;
      } else if (length < SHORT || length < 2 * this.#listed)
        this.#each(at, length, first, pixelHigh, pixelLow, areaHigh, areaLow);
      else this.#many(at, length, first, pixelHigh, pixelLow, areaHigh, areaLow);
    }
    this.#flush(zone);
  }

  #each(
    at: number,
    length: number,
    first: number,
    pixelHigh: number,
    pixelLow: number,
    areaHigh: number,
    areaLow: number,
  ): void {
    const { keys } = this.#slots;
    const met = this.#met;
    const sums = this.#sums;
    for (let i = 0; i < length; i++) {
      const slot = keys[at + i]!;
      const s = 5 * slot;
      if (met[slot] === 0) this.#meet(slot, first + i);
      sums[s]! += pixelHigh;
      sums[s + 1]! += pixelLow;
      sums[s + 2]! += areaHigh;
      sums[s + 3]! += areaLow;
    }
  }

  #many(
    at: number,
    length: number,
    first: number,
    pixelHigh: number,
    pixelLow: number,
    areaHigh: number,
    areaLow: number,
  ): void {
    const { keys, words } = this.#slots;
    const table = this.#table;
    const end = at + length;
    if (words !== null) countWords(keys as Uint8Array, words, at, end, table);
    else if (keys instanceof Uint8Array) countBytes(keys, at, end, table);
    else countShorts(keys, at, end, table);
    const sums = this.#sums;
    const list = this.#list;
    let left = length;
    for (let k = 0; k < this.#listed; k++) {
      const slot = list[k]!;
      const t = 4 * slot;
      const n = table[t]! + table[t + 1]! + table[t + 2]! + table[t + 3]!;
      if (n === 0) continue;
      table[t] = 0;
      table[t + 1] = 0;
      table[t + 2] = 0;
      table[t + 3] = 0;
      const s = 5 * slot;
      sums[s]! += n * pixelHigh;
      if (pixelLow !== 0) sums[s + 1]! += n * pixelLow;
      sums[s + 2]! += n * areaHigh;
      sums[s + 3]! += n * areaLow;
      left -= n;
    }
    // What is left is of classes that the zone meets for the first time.
    for (let i = 0; left > 0; i++) {
      const slot = keys[at + i]!;
      const t = 4 * slot;
      const n = table[t]! + table[t + 1]! + table[t + 2]! + table[t + 3]!;
      if (n === 0) continue;
      table.fill(0, t, t + 4);
      this.#meet(slot, first + i);
      const s = 5 * slot;
      sums[s] = n * pixelHigh;
      sums[s + 1] = n * pixelLow;
      sums[s + 2] = n * areaHigh;
      sums[s + 3] = n * areaLow;
      left -= n;
    }
  }

  #meet(slot: number, first: number): void {
    this.#met[slot] = 1;
    this.#list[this.#listed++] = slot;
    this.#sums[5 * slot + 4] = first;
  }

  #flush(zone: number): void {
    const scratch = this.#scratch;
    const sums = this.#sums;
    for (let k = 0; k < this.#listed; k++) {
      const slot = this.#list[k]!;
      if (this.#count === scratch.zone.length) {
        scratch.zone = doubledInts(scratch.zone);
        scratch.numbers = doubled(scratch.numbers);
      }
      scratch.zone[this.#count] = zone;
      const { numbers } = scratch;
      const at = COUNT_NUMBERS * this.#count++;
      numbers[at] = this.#slots.value(slot);
      for (let i = 0; i < 5; i++) {
        numbers[at + 1 + i] = sums[5 * slot + i]!;
        sums[5 * slot + i] = 0;
      }
      this.#met[slot] = 0;
    }
    this.#listed = 0;
  }

  finish(): ClassCounts {
    const { zone, numbers } = this.#scratch;
    return {
      count: this.#count,
      zone: zone.slice(0, this.#count),
      numbers: numbers.slice(0, COUNT_NUMBERS * this.#count),
    };
  }
}

/** Count bytes, read four at a time. */
function countWords(
  keys: Uint8Array,
  words: Int32Array,
  start: number,
  end: number,
  table: Int32Array,
): void {
  let i = start;
  for (; i < end && (i & 3) !== 0; i++) table[4 * keys[i]!]!++;
  const last = end >> 2;
  let w = i >> 2;
  for (; w < last; w++) {
    const word = words[w]!;
    table[(word << 2) & 1020]!++;
    table[((word >>> 6) & 1020) | 1]!++;
    table[((word >>> 14) & 1020) | 2]!++;
    table[((word >>> 22) & 1020) | 3]!++;
  }
  for (i = Math.max(i, 4 * w); i < end; i++) table[4 * keys[i]!]!++;
}

// Twice the same, so that each sees one kind of array.

function countBytes(keys: Uint8Array, start: number, end: number, table: Int32Array): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    table[4 * keys[i]!]!++;
    table[4 * keys[i + 1]! + 1]!++;
    table[4 * keys[i + 2]! + 2]!++;
    table[4 * keys[i + 3]! + 3]!++;
  }
  for (; i < end; i++) table[4 * keys[i]!]!++;
}

function countShorts(keys: Uint16Array, start: number, end: number, table: Int32Array): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    table[4 * keys[i]!]!++;
    table[4 * keys[i + 1]! + 1]!++;
    table[4 * keys[i + 2]! + 2]!++;
    table[4 * keys[i + 3]! + 3]!++;
  }
  for (; i < end; i++) table[4 * keys[i]!]!++;
}

function doubled(values: Float64Array): Float64Array {
  const grown = new Float64Array(2 * values.length);
  grown.set(values);
  return grown;
}

function doubledInts(values: Int32Array): Int32Array {
  const grown = new Int32Array(2 * values.length);
  grown.set(values);
  return grown;
}

/** What to count in one window of several rasters of one grid. */
export interface ZoneRequest {
  readonly rule: ZoneRule;
  /** Zones to look at, upward. */
  readonly features: Int32Array;
  readonly window: Window;
  /** Columns of the whole raster. */
  readonly width: number;
  /** As for {@link countClasses}. */
  readonly areas: RowAreas | null;
  /** Pairs of rasters of which changes are counted: numbers, two a pair. */
  readonly pairs: readonly number[];
  /** Changes over the union of the zones, and in each zone. */
  readonly union: boolean;
  readonly each: boolean;
}

/** What there is in one window. */
export interface ZoneCounts {
  /** Of each raster. */
  readonly counts: readonly ClassCounts[];
  /** Of each pair, when asked for. */
  readonly union: readonly ClassChanges[];
  readonly each: readonly ClassChanges[];
  /** Number of a raster that has more than `MAX_CLASSES` values here, else -1; then nothing else is here. */
  readonly tooMany: number;
}

/** Find the pixels of the zones in one window, count their classes in every raster, and their changes between rasters. */
export function countZones(
  shapes: PreparedShapes,
  request: ZoneRequest,
  inputs: readonly ClassSamples[],
): ZoneCounts {
  const { rule, window, features, areas, width, pairs } = request;
  const counts: ClassCounts[] = [];
  const union: ClassChanges[] = [];
  const each: ClassChanges[] = [];
  const runs = zoneRuns(shapes, rule, window, features);
  if (runs.count === 0) return { counts, union, each, tooMany: -1 };
  for (const [k, input] of inputs.entries()) {
    try {
      counts.push(countClasses(runs, input, window, areas, width));
    } catch (error) {
      if (error instanceof RangeError) return { counts: [], union, each, tooMany: k };
      throw error;
    }
  }
  for (let p = 0; p < pairs.length; p += 2) {
    const from = inputs[pairs[p]!]!;
    const to = inputs[pairs[p + 1]!]!;
    if (request.union) union.push(countChanges(runs, from, to, window, areas, "union"));
    if (request.each) each.push(countChanges(runs, from, to, window, areas, "each"));
  }
  return { counts, union, each, tooMany: -1 };
}
