import type { Window } from "../../model/grid.ts";
import type { Runs } from "../raster/rasterize.ts";
import type { RowAreas } from "./class-counts.ts";
import { type ClassSamples, ClassSlots } from "./class-slots.ts";
import type { CoverageRuns } from "./coverage.ts";

/** Numbers of an entry of {@link ClassChanges}. */
export const CHANGE_NUMBERS = 6;

/** Pixels that went from one class to another. Mergeable: entries add up, exactly, in any order. */
export interface ClassChanges {
  readonly count: number;
  /** Of each entry; 0 for the union of all. */
  readonly zone: Int32Array;
  /**
   * {@link CHANGE_NUMBERS} an entry: value before and after, pixels in two parts, area in two parts, split as those of
   * `ClassCounts`.
   */
  readonly numbers: Float64Array;
}

const ROUND_HIGH = 1.5 * 2 ** 26;
const ROUND_LOW = 1.5;

/**
 * Count pairs of classes of two rasters along runs of pixels: in each zone, or over the union of the zones. In the union a
 * pixel counts once, by the sum of its shares up to 1. Pixels that either raster has not observed are left out.
 *
 * @throws RangeError as `countClasses`
 */
export function countChanges(
  runs: Runs | CoverageRuns,
  from: ClassSamples,
  to: ClassSamples,
  window: Window,
  areas: RowAreas | null,
  over: "union" | "each",
): ClassChanges {
  const before = new ClassSlots(from, window.width);
  const after = new ClassSlots(to, window.width);
  try {
    return count(runs, before, after, window, areas, over);
  } finally {
    // The second may have a table of its own, the first has the shared one.
    after.release();
    before.release();
  }
}

function count(
  runs: Runs | CoverageRuns,
  before: ClassSlots,
  after: ClassSlots,
  window: Window,
  areas: RowAreas | null,
  over: "union" | "each",
): ClassChanges {
  const { data } = runs;
  const fraction = "fraction" in runs ? runs.fraction : null;
  const taken =
    over === "union" && severalZones(runs) ? new Float64Array(window.width * window.height) : null;
  const roundHigh = areas === null ? 0 : 1.5 * 2 ** 52 * areas.unit;
  const roundLow = areas === null ? 0 : 1.5 * 2 ** 26 * areas.unit;
  const out = new Entries();
  const entries = new Map<number, number>();
  let zone = -1;
  for (let k = 0; k < runs.count; k++) {
    const feature = data[4 * k]!;
    if (over === "each" && feature !== zone) entries.clear();
    zone = over === "each" ? feature : 0;
    const row = data[4 * k + 1]! - window.row;
    const start = row * window.width + data[4 * k + 2]! - window.col;
    const length = data[4 * k + 3]! - data[4 * k + 2]!;
    const share = fraction === null ? 1 : fraction[k]!;
    const rowHigh = areas === null ? 0 : areas.high[data[4 * k + 1]!]!;
    const rowLow = areas === null ? 0 : areas.low[data[4 * k + 1]!]!;
    const atBefore = before.number(start, start + length);
    const atAfter = after.number(start, start + length);
    let lastKey = -1;
    let entry = -1;
    for (let i = 0; i < length; i++) {
      let weight = share;
      if (taken !== null) {
        const sum = taken[start + i]!;
        if (sum >= 1) continue;
        weight = Math.min(share, 1 - sum);
        taken[start + i] = sum + weight;
      }
      const key = 65536 * before.keys[atBefore + i]! + after.keys[atAfter + i]!;
      if (key !== lastKey) {
        lastKey = key;
        entry = entries.get(key) ?? -1;
        if (entry === -1) {
          const a = before.value(before.keys[atBefore + i]!);
          const b = after.value(after.keys[atAfter + i]!);
          entry = Number.isNaN(a + b) ? -2 : out.add(zone, a, b);
          entries.set(key, entry);
        }
      }
      if (entry < 0) continue;
      if (weight === 1) out.count(entry, 1, 0, rowHigh, rowLow);
      else {
        const high = weight + ROUND_HIGH - ROUND_HIGH;
        const area = weight * (rowHigh + rowLow);
        const areaHigh = area + roundHigh - roundHigh;
        out.count(
          entry,
          high,
          weight - high + ROUND_LOW - ROUND_LOW,
          areaHigh,
          area - areaHigh + roundLow - roundLow,
        );
      }
    }
  }
  return out.finish();
}

function severalZones({ data, count }: Runs): boolean {
  return count > 0 && data[0] !== data[4 * count - 4];
}

class Entries {
  #length = 0;
  #zone: Int32Array = new Int32Array(64);
  #numbers: Float64Array = new Float64Array(64 * CHANGE_NUMBERS);

  add(zone: number, from: number, to: number): number {
    if (this.#length === this.#zone.length) {
      const zones = new Int32Array(2 * this.#length);
      zones.set(this.#zone);
      this.#zone = zones;
      const numbers = new Float64Array(2 * this.#numbers.length);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    this.#zone[this.#length] = zone;
    this.#numbers[CHANGE_NUMBERS * this.#length] = from;
    this.#numbers[CHANGE_NUMBERS * this.#length + 1] = to;
    return this.#length++;
  }

  count(entry: number, pixels: number, pixelsLow: number, area: number, areaLow: number): void {
    const at = CHANGE_NUMBERS * entry;
    const numbers = this.#numbers;
    numbers[at + 2]! += pixels;
    numbers[at + 3]! += pixelsLow;
    numbers[at + 4]! += area;
    numbers[at + 5]! += areaLow;
  }

  finish(): ClassChanges {
    return {
      count: this.#length,
      zone: this.#zone.slice(0, this.#length),
      numbers: this.#numbers.slice(0, CHANGE_NUMBERS * this.#length),
    };
  }
}
