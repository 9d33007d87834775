import { CHANGE_NUMBERS, type ClassChanges } from "../../kernels/zonal/class-changes.ts";
import { type ClassCounts, COUNT_NUMBERS } from "../../kernels/zonal/class-counts.ts";
import type { ChangeMatrix, ClassInfo, ZoneChanges } from "../dominant.ts";
import type { PixelAreas } from "./areas.ts";
import { ExactColumn } from "./exact-column.ts";

/** Unit of shares of pixels: see `ClassCounts`. */
const PIXEL_UNIT = 2 ** -26;

/** Pixels and area of many things. */
class Sums {
  readonly #pixels: ExactColumn;
  readonly #area: ExactColumn | null;
  readonly #each: number;

  constructor(length: number, { each, rows }: PixelAreas) {
    this.#pixels = new ExactColumn(length, PIXEL_UNIT);
    this.#area = rows === null ? null : new ExactColumn(length, rows.unit);
    this.#each = each;
  }

  /** Add four numbers that start at `at`: pixels in two parts, area in two parts. */
  add(i: number, numbers: Float64Array, at: number): void {
    this.#pixels.add(i, numbers[at]!, numbers[at + 1]!);
    this.#area?.add(i, numbers[at + 2]!, numbers[at + 3]!);
  }

  pixels(i: number): number {
    return this.#pixels.value(i);
  }

  area(i: number): number {
    return this.#area === null ? this.#pixels.value(i) * this.#each : this.#area.value(i);
  }
}

/** One class in all zones. */
export interface ClassTally {
  readonly sums: Sums;
  /** Position of the first pixel, when asked for. */
  readonly first: Float64Array | null;
}

/** Counts of one raster, by class value; NaN: what was not observed. */
export class Tally {
  readonly zones: number;
  /** All pixels of the zones, observed or not. */
  readonly total: Sums;
  readonly classes: Map<number, ClassTally> = new Map();
  readonly #areas: PixelAreas;
  readonly #order: boolean;

  /** @param order  Whether the first pixel of each class matters. */
  constructor(zones: number, areas: PixelAreas, order: boolean) {
    this.zones = zones;
    this.#areas = areas;
    this.#order = order;
    this.total = new Sums(zones, areas);
  }

  add({ count, zone, numbers }: ClassCounts): void {
    for (let k = 0; k < count; k++) {
      const at = COUNT_NUMBERS * k;
      const i = zone[k]!;
      const value = numbers[at]!;
      let found = this.classes.get(value);
      if (found === undefined) {
        found = {
          sums: new Sums(this.zones, this.#areas),
          first: this.#order ? new Float64Array(this.zones).fill(Infinity) : null,
        };
        this.classes.set(value, found);
      }
      found.sums.add(i, numbers, at + 1);
      this.total.add(i, numbers, at + 1);
      if (found.first !== null && numbers[at + 5]! < found.first[i]!) found.first[i] = numbers[at + 5]!;
    }
  }
}

/** Counts of one pair of rasters, over the union of the zones or in each. */
export class ChangeTally {
  readonly from: string;
  readonly to: string;
  readonly #areas: PixelAreas;
  readonly #entries = new Map<string, { zone: number; before: number; after: number; sums: Sums }>();

  constructor(from: string, to: string, areas: PixelAreas) {
    this.from = from;
    this.to = to;
    this.#areas = areas;
  }

  add({ count, zone, numbers }: ClassChanges): void {
    for (let k = 0; k < count; k++) {
      const at = CHANGE_NUMBERS * k;
      const before = numbers[at]!;
      const after = numbers[at + 1]!;
      const key = `${zone[k]!}:${before}>${after}`;
      let entry = this.#entries.get(key);
      if (entry === undefined) {
        entry = { zone: zone[k]!, before, after, sums: new Sums(1, this.#areas) };
        this.#entries.set(key, entry);
      }
      entry.sums.add(0, numbers, at + 2);
    }
  }

  /** As a matrix of the classes; entries of other values are left out. */
  matrix(classes: readonly ClassInfo[]): ChangeMatrix {
    const numbers = numbersOf(classes);
    const n = classes.length;
    const pixels = new Float64Array(n * n);
    const area = new Float64Array(n * n);
    for (const { before, after, sums } of this.#entries.values()) {
      const from = numbers.get(before);
      const to = numbers.get(after);
      if (from === undefined || to === undefined) continue;
      pixels[from * n + to] = sums.pixels(0);
      area[from * n + to] = sums.area(0);
    }
    return { from: this.from, to: this.to, pixels, area };
  }

  /** As a list by zone, class before and class after. */
  list(classes: readonly ClassInfo[]): ZoneChanges {
    const numbers = numbersOf(classes);
    const rows = [...this.#entries.values()]
      .map(({ zone, before, after, sums }) => ({
        zone,
        before: numbers.get(before) ?? -1,
        after: numbers.get(after) ?? -1,
        sums,
      }))
      .filter(({ before, after }) => before >= 0 && after >= 0)
      .sort((a, b) => a.zone - b.zone || a.before - b.before || a.after - b.after);
    return {
      from: this.from,
      to: this.to,
      zone: Int32Array.from(rows, ({ zone }) => zone),
      before: Int32Array.from(rows, ({ before }) => before),
      after: Int32Array.from(rows, ({ after }) => after),
      pixels: Float64Array.from(rows, ({ sums }) => sums.pixels(0)),
      area: Float64Array.from(rows, ({ sums }) => sums.area(0)),
    };
  }
}

function numbersOf(classes: readonly ClassInfo[]): Map<number, number> {
  return new Map(classes.map(({ value }, k) => [value, k]));
}
