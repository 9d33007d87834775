import type { Window } from "../../model/grid.ts";
import type { WorkingArray } from "../../model/raster.ts";
import { scanRuns } from "../raster/rasterize.ts";
import type { PreparedShapes } from "../raster/shapes.ts";
import { type CoverageRuns, coverageRuns, RunBuffer } from "./coverage.ts";
import { addTerm, BINS, productError, raiseBins, rounder, topBin } from "./exact-sums.ts";

/** What to gather of the pixels of each zone. */
export interface ZonalPlan {
  /** Which pixels belong to a zone. */
  readonly rule: "center" | "all-touched" | "coverage";
  /** `coverage` only: above 0, pixels of which at least this share is covered belong wholly, others not at all. */
  readonly share: number;
  /** `coverage` only: pixels covered less than this are left out. */
  readonly minCoverage: number;
  /** Weights in 255ths, at most the mask: Earth Engine's. */
  readonly bytes: boolean;
  /** Sums of weight times value to the power of 1 .. `powers` (at most 4). */
  readonly powers: number;
  /** Keep every distinct value with its weight. */
  readonly values: boolean;
  /** With `values`: keep first and last pixel of each value in row order. */
  readonly order: boolean;
  /** Places of the least and the greatest value. */
  readonly places: boolean;
  /** Sums with the weights of the second raster, to that power (at most 2); -1: there are none. */
  readonly weighted: number;
  /** With `values`: also their weights by the second raster. */
  readonly weightedValues: boolean;
}

/** Samples of one band of a window. */
export interface ZonalBand {
  readonly samples: WorkingArray;
  /** NaN when there is none. */
  readonly nodata: number;
  /** Least and greatest sample that the type can hold, when values are few enough to be counted in a table. */
  readonly range: readonly [number, number] | null;
}

/** Everything else that a window has. */
export interface ZonalWindow {
  readonly window: Window;
  /** Columns of the raster, for places. */
  readonly width: number;
  readonly mask: Uint8Array | null;
  /** Samples of the weights, NaN where not observed. */
  readonly weights: Float64Array | null;
}

/** Where sums lie among those of a zone. */
export interface SumLayout {
  /** Numbers of a zone. */
  readonly size: number;
  /** Weights observed and not observed: {@link BINS} bins each, from bin `topBin(largestArea)`. */
  readonly observed: number;
  readonly missing: number;
  /** `powers[p - 1]`: {@link BINS} bins, from bin `topBin(largestArea * largest value ** p)`. */
  readonly powers: readonly number[];
  /** The same with weights of the second raster, power 0 first, from bin `topBin(largest weight * largest value ** p)`. */
  readonly weighted: readonly number[];
}

export function sumLayout({ powers, weighted }: ZonalPlan): SumLayout {
  let size = 2 * BINS;
  const take = () => {
    const at = size;
    size += BINS;
    return at;
  };
  const plain = Array.from({ length: powers }, take);
  const second = Array.from({ length: weighted + 1 }, take);
  return { size, observed: 0, missing: BINS, powers: plain, weighted: second };
}

/** Counts of {@link ZonalPart.counts}. */
export const COUNTS = 3;
/** Numbers of {@link ZonalPart.extremes}. */
export const EXTREMES = 5;

/** What one window gives for each zone that has pixels in it. Mergeable. */
export interface ZonalPart {
  /** Zones, upward. */
  readonly zones: Int32Array;
  /** Per zone: pixels observed, not observed, observed without a weight in the second raster. */
  readonly counts: Float64Array;
  /** Per zone: least and greatest value, their places (`row * width + col` of the first), largest weight by the second raster. */
  readonly extremes: Float64Array;
  /** Per zone: as {@link SumLayout} says. Sums of powers stay 0 when they follow from the table. */
  readonly sums: Float64Array;
  /** Distinct values of the zones, when they are few. */
  readonly table: ValueTable | null;
  /** Whether the sums of powers follow from the table. The same for all windows of a band. */
  readonly derived: boolean;
  /** Every pixel observed, when they are not. */
  readonly list: ValueList | null;
}

/** Distinct values, upward in each zone; zone `k` of the part owns `start[k] .. start[k + 1] - 1`. */
export interface ValueTable {
  readonly start: Int32Array;
  readonly value: Float64Array;
  readonly pixels: Float64Array;
  /** {@link BINS} bins each, as those of weights. */
  readonly weight: Float64Array;
  /** Place and weight of the first pixel and of the last; 4 each, `null` unless asked for. */
  readonly order: Float64Array | null;
  /** Weights by the second raster, {@link BINS} bins each, from bin 1. */
  readonly second: Float64Array | null;
}

/** Pixels in row order of the window; zone `k` of the part owns `start[k] .. start[k + 1] - 1`. */
export interface ValueList {
  readonly start: Int32Array;
  readonly value: Float64Array;
  /** `null` when all are 1. */
  readonly weight: Float64Array | null;
  /** Places; `null` when weights are, unless asked for. */
  readonly place: Float64Array | null;
  readonly second: Float64Array | null;
}

/** A plan with what it needs of the zones and of the raster. */
export interface ZonalGroup {
  readonly plan: ZonalPlan;
  /** Shapes prepared for the plan's rule, `"all-touched"` for `"coverage"`; kept data of an executor. */
  readonly shapes: { readonly value: PreparedShapes };
  /** Area of a pixel in each row of the window. Weights are multiplied by it. */
  readonly areas: Float64Array | null;
  /** Largest area of a pixel of the raster; 1 without areas. */
  readonly largestArea: number;
}

/**
 * Gather what each group asks of the pixels that belong to `features`: for each group one part per band. Every number is
 * a count, an extreme or an exact sum (see `exact-sums.ts`), so that parts of any tiling merge to the same bits.
 *
 * @param features  Zones to look at, upward.
 */
export function accumulateZones(
  groups: readonly ZonalGroup[],
  features: Int32Array,
  bands: readonly ZonalBand[],
  place: ZonalWindow,
): ZonalPart[][] {
  return groups.map((group) => {
    const runs = runsOf(group.shapes.value, features, group.plan, place.window);
    return bands.map((band) => gatherBand(runs, group, band, place));
  });
}

function gatherBand(runs: Weighted, group: ZonalGroup, band: ZonalBand, place: ZonalWindow): ZonalPart {
  const gather = new Gather(group, band, place);
  const { data, fraction } = runs;
  const { col, row, width } = place.window;
  let zone = -1;
  for (let k = 0; k < runs.count; k++) {
    const at = 4 * k;
    if (data[at] !== zone) {
      if (zone !== -1) gather.finishZone(zone);
      zone = data[at]!;
    }
    const r = data[at + 1]! - row;
    const start = r * width - col;
    gather.run(r, start + data[at + 2]!, start + data[at + 3]!, fraction === null ? 1 : fraction[k]!);
  }
  if (zone !== -1) gather.finishZone(zone);
  return gather.finish();
}

interface Weighted {
  readonly count: number;
  readonly data: Int32Array;
  /** `null`: all 1. */
  readonly fraction: Float64Array | null;
}

/** Runs of the window at hand: a window seldom has many more than the one before. */
const buffer = new RunBuffer();

function runsOf(shapes: PreparedShapes, features: Int32Array, plan: ZonalPlan, window: Window): Weighted {
  if (plan.rule !== "coverage") return { ...scanRuns(shapes, window, features), fraction: null };
  const runs = coverageRuns(shapes, window, features, buffer);
  const { share, minCoverage, bytes } = plan;
  const least = Math.max(share, minCoverage, bytes ? 1 / 256 : 0);
  if (least === 0) return runs;
  return selected(runs, least, share > 0, bytes);
}

/** The runs with at least `least` covered, in place; their weights 1 when `whole`, or in 255ths. */
function selected(
  { count, data, fraction }: CoverageRuns,
  least: number,
  whole: boolean,
  bytes: boolean,
): Weighted {
  let n = 0;
  for (let k = 0; k < count; k++) {
    const covered = fraction[k]!;
    if (covered < least) continue;
    data.copyWithin(4 * n, 4 * k, 4 * k + 4);
    fraction[n++] = whole ? 1 : bytes ? Math.min(255, Math.floor(covered * 256)) / 255 : covered;
  }
  return { count: n, data, fraction };
}

/** Collects the pixels of one zone after the other. */
class Gather {
  readonly #plan: ZonalPlan;
  readonly #samples: WorkingArray;
  readonly #nodata: number;
  readonly #place: ZonalWindow;
  readonly #areas: Float64Array | null;
  readonly #largestArea: number;
  readonly #layout: SumLayout;
  readonly #weightTop: number;
  /** Pixels count 1 each and none is masked: runs can be added up at once. */
  readonly #plain: boolean;
  /** Nothing is asked for but weights by value. */
  readonly #countsOnly: boolean;
  /** Sums and extremes follow from the table, which is there for every window. */
  readonly #derived: boolean;
  // The zone at hand.
  readonly #sums: Float64Array;
  #observed = 0;
  #missing = 0;
  /** Of `#observed` and `#missing`, those of weight 1, not in `#sums` yet. */
  #observedWhole = 0;
  #missingWhole = 0;
  #unweighted = 0;
  #min = Infinity;
  #max = -Infinity;
  #minPlace = -1;
  #maxPlace = -1;
  #largest = 0;
  #largestWeight = 0;
  readonly #tops: Int32Array;
  readonly #secondTops: Int32Array;
  // Tables by value.
  readonly #table: Table | null;
  readonly #list: List | null;
  // Zones done.
  readonly #zones: Numbers = new Numbers();
  readonly #counts: Numbers = new Numbers();
  readonly #extremes: Numbers = new Numbers();
  readonly #allSums: Numbers = new Numbers();

  constructor({ plan, areas, largestArea }: ZonalGroup, band: ZonalBand, place: ZonalWindow) {
    this.#plan = plan;
    this.#areas = areas;
    this.#largestArea = largestArea;
    this.#samples = band.samples;
    this.#nodata = band.nodata;
    this.#place = place;
    this.#layout = sumLayout(plan);
    this.#sums = new Float64Array(this.#layout.size);
    this.#weightTop = topBin(largestArea);
    this.#plain = place.mask === null && areas === null && place.weights === null;
    this.#tops = new Int32Array(plan.powers + 1).fill(topBin(0));
    this.#secondTops = new Int32Array(plan.weighted + 1).fill(topBin(0));
    this.#derived = band.range !== null && (plan.values || band.range[1] - band.range[0] < 256);
    const range = this.#derived ? band.range : plan.values ? narrowRange(band) : null;
    this.#table = range === null ? null : new Table(range[0], range[1], plan, this.#weightTop);
    this.#countsOnly = this.#plain && this.#derived && !plan.order && !plan.places;
    const uniform = plan.rule !== "coverage" && areas === null && !plan.bytes;
    this.#list = plan.values && range === null ? new List(!uniform, plan.order, plan.weightedValues) : null;
  }

  /** Pixels `start .. end - 1` of the window, all in row `r` of it and covered to the share `fraction`. */
  run(r: number, start: number, end: number, fraction: number): void {
    const table = this.#table;
    if (this.#countsOnly) {
      // Classes: whole runs at once, and the pixels on the border of the zone without asking for more.
      if (fraction === 1) table!.addRun(this.#samples, start, end);
      else for (let i = start; i < end; i++) this.#count(this.#samples[i]!, fraction);
      return;
    }
    if (this.#plain && fraction === 1 && table === null && this.#list === null) {
      if (this.#moments(r, start, end)) return;
    }
    this.#cells(r, start, end, fraction);
  }

  #count(value: number, weight: number): void {
    if (value === this.#nodata) {
      this.#missing++;
      addTerm(this.#sums, BINS, this.#weightTop, weight);
      return;
    }
    this.#observed++;
    this.#table!.addWeight(value, weight);
  }

  /** Pixels one by one. */
  #cells(r: number, start: number, end: number, fraction: number): void {
    const table = this.#table;
    const { window, width, mask, weights } = this.#place;
    const areas = this.#areas;
    const samples = this.#samples;
    const nodata = this.#nodata;
    const area = areas === null ? 1 : areas[r]!;
    // Position in the raster of pixel `i` of the window.
    const shift = (r + window.row) * width + window.col - r * window.width;
    for (let i = start; i < end; i++) {
      const value = samples[i]!;
      let share = fraction;
      if (mask !== null) {
        const valid = mask[i]!;
        if (this.#plan.bytes) share = Math.min(share, valid / 255);
        if (valid === 0) share = fraction;
      }
      const weight = share * area;
      if (value === nodata || Number.isNaN(value) || (mask !== null && mask[i] === 0)) {
        this.#missing++;
        addTerm(this.#sums, BINS, this.#weightTop, weight);
        continue;
      }
      this.#observed++;
      const at = i + shift;
      const second = weights === null ? Number.NaN : weights[i]!;
      const unweighted = Number.isNaN(second);
      const secondWeight = unweighted ? 0 : weight * second;
      if (table !== null) table.add(value, weight, at, secondWeight);
      if (!this.#derived) {
        addTerm(this.#sums, 0, this.#weightTop, weight);
        this.#seeValue(value, at);
        if (this.#list !== null) this.#list.push(value, weight, at, secondWeight);
        if (this.#plan.powers > 0) this.#addPowers(value, weight);
      }
      if (this.#plan.weighted >= 0) {
        if (unweighted) this.#unweighted++;
        else this.#addWeighted(value, secondWeight, Math.abs(second) * this.#largestArea);
      }
    }
  }

  /**
   * Whole pixels without weights, all at once. `false` when they must be looked at one by one: for powers above 2, and for
   * squares that double precision does not hold.
   */
  #moments(r: number, start: number, end: number): boolean {
    const samples = this.#samples;
    const nodata = this.#nodata;
    const { powers } = this.#plan;
    if (powers > 2) return false;
    const whole = samples instanceof Int32Array || samples instanceof Uint8Array;
    if (powers === 2 && !whole && !(samples instanceof Float32Array)) return false;
    let min = Infinity;
    let max = -Infinity;
    let observed = 0;
    for (let i = start; i < end; i++) {
      const value = samples[i]!;
      if (value === nodata || Number.isNaN(value)) continue;
      observed++;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    // Squares of numbers of up to 17 bits add up exactly, of larger ones not.
    if (powers === 2 && whole && (min < -65536 || max > 65536)) return false;
    const missing = end - start - observed;
    this.#missing += missing;
    this.#missingWhole += missing;
    if (observed === 0) return true;
    this.#observed += observed;
    this.#observedWhole += observed;
    this.#seeRange(min, max, r, start, end);
    if (whole) {
      if (powers > 0) this.#sumIntegers(start, end, missing > 0);
    } else {
      if (powers > 0) this.#sumRun(samples, start, end, missing > 0);
      if (powers > 1) this.#squareRun(samples, start, end, missing > 0);
    }
    return true;
  }

  #sumIntegers(start: number, end: number, gaps: boolean): void {
    const samples = this.#samples;
    const nodata = gaps ? this.#nodata : Number.NaN;
    let sum = 0;
    let squares = 0;
    for (let i = start; i < end; i++) {
      const value = samples[i]!;
      if (value === nodata) continue;
      sum += value;
      squares += value * value;
    }
    addTerm(this.#sums, this.#layout.powers[0]!, this.#tops[1]!, sum);
    if (this.#plan.powers > 1) addTerm(this.#sums, this.#layout.powers[1]!, this.#tops[2]!, squares);
  }

  #sumRun(samples: WorkingArray, start: number, end: number, gaps: boolean): void {
    const nodata = this.#nodata;
    const top = this.#tops[1]!;
    const [r0, r1, r2, r3] = [rounder(top), rounder(top - 1), rounder(top - 2), rounder(top - 3)];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = start; i < end; i++) {
      let rest = samples[i]!;
      if (gaps && (rest === nodata || Number.isNaN(rest))) continue;
      const p0 = rest + r0 - r0;
      rest -= p0;
      const p1 = rest + r1 - r1;
      rest -= p1;
      s0 += p0;
      s1 += p1;
      if (rest === 0) continue;
      const p2 = rest + r2 - r2;
      s2 += p2;
      rest -= p2;
      s3 += rest + r3 - r3;
    }
    const at = this.#layout.powers[0]!;
    this.#sums[at]! += s0;
    this.#sums[at + 1]! += s1;
    this.#sums[at + 2]! += s2;
    this.#sums[at + 3]! += s3;
  }

  /** Squares of single-precision numbers are exact in double precision. */
  #squareRun(samples: WorkingArray, start: number, end: number, gaps: boolean): void {
    const nodata = this.#nodata;
    const top = this.#tops[2]!;
    const [r0, r1, r2, r3] = [rounder(top), rounder(top - 1), rounder(top - 2), rounder(top - 3)];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = start; i < end; i++) {
      const value = samples[i]!;
      if (gaps && (value === nodata || Number.isNaN(value))) continue;
      let rest = value * value;
      const p0 = rest + r0 - r0;
      rest -= p0;
      const p1 = rest + r1 - r1;
      rest -= p1;
      const p2 = rest + r2 - r2;
      rest -= p2;
      s0 += p0;
      s1 += p1;
      s2 += p2;
      s3 += rest + r3 - r3;
    }
    const at = this.#layout.powers[1]!;
    this.#sums[at]! += s0;
    this.#sums[at + 1]! += s1;
    this.#sums[at + 2]! += s2;
    this.#sums[at + 3]! += s3;
  }

  #seeRange(min: number, max: number, r: number, start: number, end: number): void {
    if (min < this.#min) {
      this.#min = min;
      if (this.#plan.places) this.#minPlace = this.#placeOf(min, r, start, end);
    }
    if (max > this.#max) {
      this.#max = max;
      if (this.#plan.places) this.#maxPlace = this.#placeOf(max, r, start, end);
    }
    this.#see(Math.max(-min, max));
  }

  #placeOf(value: number, r: number, start: number, end: number): number {
    const { window, width } = this.#place;
    let i = start;
    while (i < end && this.#samples[i] !== value) i++;
    return (r + window.row) * width + window.col + i - r * window.width;
  }

  #seeValue(value: number, at: number): void {
    if (value < this.#min) {
      this.#min = value;
      this.#minPlace = at;
    }
    if (value > this.#max) {
      this.#max = value;
      this.#maxPlace = at;
    }
    this.#see(value < 0 ? -value : value);
  }

  /** Make room for values of that magnitude. */
  #see(magnitude: number): void {
    if (!(magnitude > this.#largest)) return;
    this.#largest = magnitude;
    const { powers } = this.#layout;
    for (let p = 1; p <= powers.length; p++) {
      const top = topBin(this.#largestArea * magnitude ** p);
      raiseBins(this.#sums, powers[p - 1]!, this.#tops[p]!, top);
      this.#tops[p] = top;
    }
    this.#raiseWeighted();
  }

  #raiseWeighted(): void {
    const { weighted } = this.#layout;
    for (let p = 0; p < weighted.length; p++) {
      const top = topBin(this.#largestWeight * this.#largest ** p);
      raiseBins(this.#sums, weighted[p]!, this.#secondTops[p]!, top);
      this.#secondTops[p] = top;
    }
  }

  #addPowers(value: number, weight: number): void {
    const { powers } = this.#layout;
    let high = weight;
    let low = 0;
    for (let p = 1; p <= powers.length; p++) {
      const product = high * value;
      low = low * value + productError(high, value, product);
      high = product;
      addTerm(this.#sums, powers[p - 1]!, this.#tops[p]!, high);
      if (low !== 0) addTerm(this.#sums, powers[p - 1]!, this.#tops[p]!, low);
    }
  }

  #addWeighted(value: number, weight: number, magnitude: number): void {
    if (magnitude > this.#largestWeight) {
      this.#largestWeight = magnitude;
      this.#raiseWeighted();
    }
    // Otherwise the value has been looked at.
    if (this.#derived) this.#see(value < 0 ? -value : value);
    const { weighted } = this.#layout;
    let high = weight;
    let low = 0;
    addTerm(this.#sums, weighted[0]!, this.#secondTops[0]!, high);
    for (let p = 1; p < weighted.length; p++) {
      const product = high * value;
      low = low * value + productError(high, value, product);
      high = product;
      addTerm(this.#sums, weighted[p]!, this.#secondTops[p]!, high);
      if (low !== 0) addTerm(this.#sums, weighted[p]!, this.#secondTops[p]!, low);
    }
  }

  finishZone(zone: number): void {
    const table = this.#table;
    table?.finishZone(this.#nodata);
    if (table !== null && this.#derived) {
      this.#observed += table.whole;
      this.#missing += table.wholeMissing;
      this.#missingWhole += table.wholeMissing;
      this.#min = table.min;
      this.#max = table.max;
      this.#minPlace = table.minPlace;
      this.#maxPlace = table.maxPlace;
      this.#see(Math.max(-table.min, table.max));
      for (let k = 0; k < BINS; k++) this.#sums[k]! += table.sums[k]!;
    } else addTerm(this.#sums, 0, this.#weightTop, this.#observedWhole);
    addTerm(this.#sums, BINS, this.#weightTop, this.#missingWhole);
    this.#zones.push(zone);
    this.#counts.push(this.#observed);
    this.#counts.push(this.#missing);
    this.#counts.push(this.#unweighted);
    this.#extremes.push(this.#min);
    this.#extremes.push(this.#max);
    this.#extremes.push(this.#minPlace);
    this.#extremes.push(this.#maxPlace);
    this.#extremes.push(this.#largestWeight);
    for (let k = 0; k < this.#sums.length; k++) this.#allSums.push(this.#sums[k]!);
    this.#list?.finishZone();
    this.#sums.fill(0);
    this.#observed = 0;
    this.#missing = 0;
    this.#observedWhole = 0;
    this.#missingWhole = 0;
    this.#unweighted = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
    this.#minPlace = -1;
    this.#maxPlace = -1;
    this.#largest = 0;
    this.#largestWeight = 0;
    this.#tops.fill(topBin(0));
    this.#secondTops.fill(topBin(0));
  }

  finish(): ZonalPart {
    return {
      zones: Int32Array.from(this.#zones.finish()),
      counts: this.#counts.finish(),
      extremes: this.#extremes.finish(),
      sums: this.#allSums.finish(),
      table: this.#table?.finish() ?? null,
      derived: this.#derived,
      list: this.#list?.finish() ?? null,
    };
  }
}

/** Values that are few enough for a table, although the type may hold more: whole numbers close together. */
function narrowRange({ samples, nodata }: ZonalBand): readonly [number, number] | null {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    if (value === nodata || Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    if (max - min > 65535 || value !== Math.floor(value)) return null;
  }
  return min <= max && Math.abs(min) <= 2 ** 52 && Math.abs(max) <= 2 ** 52 ? [min, max] : null;
}

/** Weights of the values of one zone, by value. */
class Table {
  readonly #first: number;
  readonly #top: number;
  /** Whole pixels of runs; four tables in one when values are few. */
  readonly #whole: Int32Array;
  readonly #size: number;
  /** Pixels added one by one. */
  readonly #single: Int32Array;
  readonly #weight: Float64Array;
  readonly #order: Float64Array | null;
  readonly #second: Float64Array | null;
  #low: number;
  #high: number;
  readonly #narrow: boolean;
  // Of the zone that ended.
  whole = 0;
  wholeMissing = 0;
  min = Infinity;
  max = -Infinity;
  minPlace = -1;
  maxPlace = -1;
  readonly sums: Float64Array = new Float64Array(BINS);
  readonly keepsOrder: boolean;
  readonly #start: Numbers = new Numbers();
  readonly #outValue: Numbers = new Numbers();
  readonly #outPixels: Numbers = new Numbers();
  readonly #outWeight: Numbers = new Numbers();
  readonly #outOrder: Numbers = new Numbers();
  readonly #outSecond: Numbers = new Numbers();

  constructor(first: number, last: number, plan: ZonalPlan, top: number) {
    const size = last - first + 1;
    this.#first = first;
    this.#top = top;
    this.#size = size;
    this.#narrow = size <= 256;
    this.#whole = new Int32Array(this.#narrow ? 1024 : size);
    this.#single = new Int32Array(size);
    this.#weight = new Float64Array(BINS * size);
    this.keepsOrder = plan.order || plan.places;
    this.#order = this.keepsOrder ? new Float64Array(4 * size) : null;
    this.#second = plan.weightedValues ? new Float64Array(BINS * size) : null;
    this.#low = size;
    this.#high = -1;
    this.#start.push(0);
  }

  addRun(samples: WorkingArray, start: number, end: number): void {
    if (this.#narrow) {
      this.#low = 0;
      this.#high = this.#size - 1;
      if (samples instanceof Uint8Array) countBytes(this.#whole, samples, start, end);
      else countNarrow(this.#whole, samples, start, end, this.#first);
      return;
    }
    let low = this.#low + this.#first;
    let high = this.#high + this.#first;
    for (let i = start; i < end; i++) {
      const value = samples[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.#low = low - this.#first;
    this.#high = high - this.#first;
    countWide(this.#whole, samples, start, end, this.#first);
  }

  /** One pixel, where neither order nor places are asked for. */
  addWeight(value: number, weight: number): void {
    const slot = value - this.#first;
    if (slot < this.#low) this.#low = slot;
    if (slot > this.#high) this.#high = slot;
    this.#single[slot]!++;
    addTerm(this.#weight, BINS * slot, this.#top, weight);
  }

  add(value: number, weight: number, place: number, second: number): void {
    const slot = value - this.#first;
    if (slot < this.#low) this.#low = slot;
    if (slot > this.#high) this.#high = slot;
    const order = this.#order;
    if (order !== null) {
      if (this.#single[slot] === 0) {
        order[4 * slot] = place;
        order[4 * slot + 1] = weight;
      }
      order[4 * slot + 2] = place;
      order[4 * slot + 3] = weight;
    }
    this.#single[slot]!++;
    addTerm(this.#weight, BINS * slot, this.#top, weight);
    if (this.#second !== null) addTerm(this.#second, BINS * slot, SECOND_TOP, second);
  }

  finishZone(nodata: number): void {
    this.whole = 0;
    this.wholeMissing = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.sums.fill(0);
    const order = this.#order;
    for (let slot = this.#low; slot <= this.#high; slot++) {
      const whole = this.#takeWhole(slot);
      const pixels = whole + this.#single[slot]!;
      if (pixels === 0) continue;
      const value = slot + this.#first;
      if (value === nodata) {
        this.wholeMissing += whole;
        continue;
      }
      this.whole += whole;
      if (whole > 0) addTerm(this.#weight, BINS * slot, this.#top, whole);
      if (value < this.min) {
        this.min = value;
        this.minPlace = order === null ? -1 : order[4 * slot]!;
      }
      if (value > this.max) {
        this.max = value;
        this.maxPlace = order === null ? -1 : order[4 * slot]!;
      }
      this.#outValue.push(value);
      this.#outPixels.push(pixels);
      for (let k = BINS * slot; k < BINS * slot + BINS; k++) {
        this.sums[k & (BINS - 1)]! += this.#weight[k]!;
        this.#outWeight.push(this.#weight[k]!);
        this.#weight[k] = 0;
        if (this.#second === null) continue;
        this.#outSecond.push(this.#second[k]!);
        this.#second[k] = 0;
      }
      if (order !== null) for (let k = 4 * slot; k < 4 * slot + 4; k++) this.#outOrder.push(order[k]!);
      this.#single[slot] = 0;
    }
    this.#low = this.#size;
    this.#high = -1;
    this.#start.push(this.#outValue.length);
  }

  #takeWhole(slot: number): number {
    const whole = this.#whole;
    let count = whole[slot]!;
    whole[slot] = 0;
    if (!this.#narrow) return count;
    for (let k = slot + 256; k < 1024; k += 256) {
      count += whole[k]!;
      whole[k] = 0;
    }
    return count;
  }

  finish(): ValueTable {
    return {
      start: Int32Array.from(this.#start.finish()),
      value: this.#outValue.finish(),
      pixels: this.#outPixels.finish(),
      weight: this.#outWeight.finish(),
      order: this.#order === null ? null : this.#outOrder.finish(),
      second: this.#second === null ? null : this.#outSecond.finish(),
    };
  }
}

/**
 * Count samples from `first` to `first + 255` in four tables in turn: neighbours are often equal, and counting in one
 * place over and over waits for itself.
 */
function countNarrow(
  counts: Int32Array,
  samples: WorkingArray,
  start: number,
  end: number,
  first: number,
): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    counts[samples[i]! - first]!++;
    counts[256 + samples[i + 1]! - first]!++;
    counts[512 + samples[i + 2]! - first]!++;
    counts[768 + samples[i + 3]! - first]!++;
  }
  for (; i < end; i++) counts[samples[i]! - first]!++;
}

/** The same from 0, for bytes. */
function countBytes(counts: Int32Array, samples: Uint8Array, start: number, end: number): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    counts[samples[i]!]!++;
    counts[256 + samples[i + 1]!]!++;
    counts[512 + samples[i + 2]!]!++;
    counts[768 + samples[i + 3]!]!++;
  }
  for (; i < end; i++) counts[samples[i]!]!++;
}

function countWide(
  counts: Int32Array,
  samples: WorkingArray,
  start: number,
  end: number,
  first: number,
): void {
  for (let i = start; i < end; i++) counts[samples[i]! - first]!++;
}

/** Topmost bin of weights by the second raster in {@link ValueTable.second}: they may reach 2^52. */
export const SECOND_TOP = 1;

/** Every pixel of the zones. */
class List {
  readonly #start: Numbers = new Numbers();
  readonly #value: Numbers = new Numbers();
  readonly #weight: Numbers | null;
  readonly #place: Numbers | null;
  readonly #second: Numbers | null;

  constructor(weights: boolean, places: boolean, second: boolean) {
    this.#weight = weights ? new Numbers() : null;
    this.#place = places ? new Numbers() : null;
    this.#second = second ? new Numbers() : null;
    this.#start.push(0);
  }

  push(value: number, weight: number, place: number, second: number): void {
    // A negative zero is the same value as a zero.
    this.#value.push(value + 0);
    this.#weight?.push(weight);
    this.#place?.push(place);
    this.#second?.push(second);
  }

  finishZone(): void {
    this.#start.push(this.#value.length);
  }

  finish(): ValueList {
    return {
      start: Int32Array.from(this.#start.finish()),
      value: this.#value.finish(),
      weight: this.#weight?.finish() ?? null,
      place: this.#place?.finish() ?? null,
      second: this.#second?.finish() ?? null,
    };
  }
}

/** A growing list of numbers. */
class Numbers {
  #values: Float64Array = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Float64Array(2 * this.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.length++] = value;
  }

  finish(): Float64Array {
    return this.#values.slice(0, this.length);
  }
}
