import type { Window } from "../../model/grid.ts";
import type { WorkingArray } from "../../model/raster.ts";
import type { SplitNumbers } from "../raster/cell-area.ts";
import type { Runs } from "../raster/rasterize.ts";

/** Pixels of each class in each zone of one window. Mergeable: entries add up. */
export interface ClassCounts {
  /** Entries, one per zone and class met. */
  readonly count: number;
  readonly zone: Int32Array;
  /** The class: its sample value. */
  readonly value: Float64Array;
  readonly pixels: Float64Array;
  /** Area in the unit of `rowAreas`, in two parts that add up exactly; see {@link SplitNumbers}. */
  readonly areaHigh: Float64Array;
  readonly areaLow: Float64Array;
  /** Position in the raster of the first pixel of the class, `row * width + col`. */
  readonly first: Float64Array;
  /** Zones of the window and their pixels, observed or not; as long as each other. */
  readonly zones: Int32Array;
  readonly zonePixels: Float64Array;
}

/** Classes more than this in one window are no classes but a measurement. */
export const MAX_CLASSES = 4096;

/**
 * Count classes along runs of pixels, in one pass. Neighbouring equal samples are counted together, which is what
 * class rasters are made of. Nodata, NaN and pixels whose mask is 0 belong to no class.
 *
 * @param runs      Sorted by zone, as `scanRuns` gives them.
 * @param values    Samples of the window, row-major.
 * @param nodata    NaN when there is none.
 * @param rowAreas  Area of a pixel in each row of the window.
 * @param width     Columns of the whole raster, for `first`.
 * @throws RangeError when there are more than {@link MAX_CLASSES} values.
 */
export function countClasses(
  runs: Runs,
  values: WorkingArray,
  nodata: number,
  mask: Uint8Array | null,
  window: Window,
  rowAreas: SplitNumbers,
  width: number,
): ClassCounts {
  const { data } = runs;
  const out = new Entries();
  const slots = new Map<number, number>();
  const slotValues: number[] = [];
  let pixels = new Float64Array(64);
  let high = new Float64Array(64);
  let low = new Float64Array(64);
  let first = new Float64Array(64);
  const zones: number[] = [];
  const zonePixels: number[] = [];
  /** Slots that the zone at hand has met. */
  const met: number[] = [];
  let lastValue = Number.NaN;
  let lastSlot = -1;
  for (let k = 0; k < 4 * runs.count; k += 4) {
    const zone = data[k]!;
    if (zones.at(-1) !== zone) {
      flush();
      zones.push(zone);
      zonePixels.push(0);
    }
    const row = data[k + 1]! - window.row;
    const start = row * window.width + data[k + 2]! - window.col;
    const end = start + data[k + 3]! - data[k + 2]!;
    zonePixels[zonePixels.length - 1]! += end - start;
    const areaHigh = rowAreas.high[row]!;
    const areaLow = rowAreas.low[row]!;
    for (let i = start; i < end; ) {
      const value = values[i]!;
      const from = i++;
      let n = 1;
      if (mask === null) {
        while (i < end && values[i] === value) i++;
        n = i - from;
      } else n = mask[from] === 0 ? 0 : 1;
      if (n === 0 || value === nodata || Number.isNaN(value)) continue;
      let slot = lastSlot;
      if (value !== lastValue) {
        slot = slotOf(value);
        lastValue = value;
        lastSlot = slot;
      }
      if (pixels[slot] === 0) {
        met.push(slot);
        first[slot] = (row + window.row) * width + window.col + (from - row * window.width);
      }
      pixels[slot]! += n;
      high[slot]! += n * areaHigh;
      low[slot]! += n * areaLow;
    }
  }
  flush();
  return { ...out.finish(), zones: Int32Array.from(zones), zonePixels: Float64Array.from(zonePixels) };

  function slotOf(value: number): number {
    let slot = slots.get(value);
    if (slot === undefined) {
      slot = slots.size;
      if (slot === MAX_CLASSES) throw new RangeError(`more than ${MAX_CLASSES} values`);
      slots.set(value, slot);
      slotValues.push(value);
      if (slot === pixels.length) {
        pixels = doubled(pixels);
        high = doubled(high);
        low = doubled(low);
        first = doubled(first);
      }
    }
    return slot;
  }

  function flush(): void {
    const zone = zones.at(-1);
    if (zone === undefined) return;
    for (const slot of met) {
      out.push(zone, slotValues[slot]!, pixels[slot]!, high[slot]!, low[slot]!, first[slot]!);
      pixels[slot] = 0;
      high[slot] = 0;
      low[slot] = 0;
    }
    met.length = 0;
  }
}

/** Pixels that went from one class to another. */
export interface ClassChanges {
  /** Entries `[from, to]`, two numbers each. */
  readonly pairs: Float64Array;
  readonly pixels: Float64Array;
  readonly areaHigh: Float64Array;
  readonly areaLow: Float64Array;
}

/**
 * Count pairs of classes of two blocks of the same window, over the pixels of `inside` (1 counted, 0 not). Pixels that
 * either block has not observed are left out.
 */
export function countChanges(
  from: WorkingArray,
  fromNodata: number,
  fromMask: Uint8Array | null,
  to: WorkingArray,
  toNodata: number,
  toMask: Uint8Array | null,
  inside: Uint8Array | "all",
  window: Window,
  rowAreas: SplitNumbers,
): ClassChanges {
  const slots = new Map<number, Map<number, number>>();
  const pairs: number[] = [];
  const pixels: number[] = [];
  const high: number[] = [];
  const low: number[] = [];
  let lastA = Number.NaN;
  let lastB = Number.NaN;
  let slot = -1;
  for (let row = 0; row < window.height; row++) {
    const areaHigh = rowAreas.high[row]!;
    const areaLow = rowAreas.low[row]!;
    const end = (row + 1) * window.width;
    for (let i = row * window.width; i < end; i++) {
      if (inside !== "all" && inside[i] === 0) continue;
      const a = from[i]!;
      const b = to[i]!;
      if (a === fromNodata || b === toNodata || Number.isNaN(a) || Number.isNaN(b)) continue;
      if ((fromMask !== null && fromMask[i] === 0) || (toMask !== null && toMask[i] === 0)) continue;
      if (a !== lastA || b !== lastB) {
        slot = slotOf(a, b);
        lastA = a;
        lastB = b;
      }
      pixels[slot]! += 1;
      high[slot]! += areaHigh;
      low[slot]! += areaLow;
    }
  }
  return {
    pairs: Float64Array.from(pairs),
    pixels: Float64Array.from(pixels),
    areaHigh: Float64Array.from(high),
    areaLow: Float64Array.from(low),
  };

  function slotOf(a: number, b: number): number {
    let targets = slots.get(a);
    if (targets === undefined) {
      targets = new Map();
      slots.set(a, targets);
    }
    let found = targets.get(b);
    if (found === undefined) {
      found = pixels.length;
      targets.set(b, found);
      pairs.push(a, b);
      pixels.push(0);
      high.push(0);
      low.push(0);
    }
    return found;
  }
}

/** Growing columns of {@link ClassCounts}. */
class Entries {
  #count = 0;
  #zone: Int32Array = new Int32Array(64);
  /** value, pixels, high, low, first. */
  #numbers: Float64Array = new Float64Array(320);

  push(zone: number, value: number, pixels: number, high: number, low: number, first: number): void {
    if (this.#count === this.#zone.length) {
      const grown = new Int32Array(2 * this.#count);
      grown.set(this.#zone);
      this.#zone = grown;
      this.#numbers = doubled(this.#numbers);
    }
    this.#zone[this.#count] = zone;
    this.#numbers.set([value, pixels, high, low, first], 5 * this.#count);
    this.#count++;
  }

  finish(): Pick<ClassCounts, "count" | "zone" | "value" | "pixels" | "areaHigh" | "areaLow" | "first"> {
    const count = this.#count;
    const pick = (k: number) => Float64Array.from({ length: count }, (_, i) => this.#numbers[5 * i + k]!);
    return {
      count,
      zone: this.#zone.slice(0, count),
      value: pick(0),
      pixels: pick(1),
      areaHigh: pick(2),
      areaLow: pick(3),
      first: pick(4),
    };
  }
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(2 * values.length);
  grown.set(values);
  return grown;
}
