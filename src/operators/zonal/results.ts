import { COUNTS } from "../../kernels/zonal/accumulate.ts";
import {
  extremesOf,
  type Moments,
  majority,
  minority,
  missingWeight,
  momentsOf,
  quantile,
  secondWeightOf,
  weightedMomentsOf,
} from "../../kernels/zonal/statistics.ts";
import { type Distribution, weightOf, type ZonalTally } from "../../kernels/zonal/tally.ts";
import { GeoError } from "../../model/errors.ts";
import { type Column, ColumnBuilder, type ColumnType, type FeatureTable } from "../../model/features.ts";
import { type Grid, pixelToWorld } from "../../model/grid.ts";
import { type Pass, UNWEIGHTED } from "./passes.ts";
import type { ZonalRules } from "./presets.ts";
import type { Statistic } from "./statistics.ts";

/** Columns of shares that a table may have: more values are no classes. */
const MAX_SHARES = 1024;

/** Statistics of the zones that are finished, cell by cell of the table to come. */
export class Results {
  readonly #zones: FeatureTable;
  readonly #statistics: readonly Statistic[];
  readonly #bands: readonly number[];
  readonly #passes: readonly Pass[];
  readonly #rules: ZonalRules;
  readonly #grid: Grid;
  readonly #done: Uint8Array;
  /** Numbers by band and statistic; NaN is null. */
  readonly #numbers: Float64Array[][];
  /** Text by band and statistic. */
  readonly #texts: Map<number, string>[][];
  /** Shares by band and statistic: value, then zone. */
  readonly #shares: Map<number, Map<number, number>>[][];

  constructor(
    zones: FeatureTable,
    statistics: readonly Statistic[],
    bands: readonly number[],
    passes: readonly Pass[],
    rules: ZonalRules,
    grid: Grid,
  ) {
    this.#zones = zones;
    this.#statistics = statistics;
    this.#bands = bands;
    this.#passes = passes;
    this.#rules = rules;
    this.#grid = grid;
    this.#done = new Uint8Array(zones.count);
    this.#numbers = bands.map(() =>
      statistics.map(({ name }) => new Float64Array(KINDS[name] === undefined ? zones.count : 0)),
    );
    this.#texts = bands.map(() => statistics.map(() => new Map()));
    this.#shares = bands.map(() => statistics.map(() => new Map()));
  }

  /** Compute the statistics of a zone that no pixels will be added to, unless that was done before. */
  finish(zone: number, tallies: readonly (readonly ZonalTally[])[]): void {
    if (this.#done[zone] === 1) return;
    this.#done[zone] = 1;
    for (let b = 0; b < this.#bands.length; b++) {
      const views = this.#passes.map(({ role }, p) => ({ role, view: new ZoneView(tallies[p]![b]!, zone) }));
      const main = views[0]!.view;
      const centers = views.find(({ role }) => role === "centers")?.view;
      const fallback = views.find(({ role }) => role === "fallback")?.view;
      const area = views.find(({ role }) => role === "area")?.view ?? main;
      const chosen = fallback !== undefined && main.pixels <= 1 ? fallback : main;
      for (const [s, statistic] of this.#statistics.entries()) {
        const view = centers !== undefined && UNWEIGHTED.has(statistic.name) ? centers : chosen;
        this.#fill(b, s, zone, statistic.name === "area" ? area : view);
      }
    }
  }

  #fill(b: number, s: number, zone: number, view: ZoneView): void {
    const statistic = this.#statistics[s]!;
    const { name } = statistic;
    const kind = KINDS[name];
    if (kind === undefined) {
      this.#numbers[b]![s]![zone] = this.#number(statistic, view) ?? Number.NaN;
      return;
    }
    const { values } = view;
    if (kind === "text") {
      const list =
        values === null
          ? []
          : Array.from(values.value, (value, k) =>
              name === "values" ? value : [value, weightOf(values, k)],
            );
      this.#texts[b]![s]!.set(zone, JSON.stringify(list));
      return;
    }
    if (values === null) return;
    const second = name === "weighted_frac";
    let total = 0;
    const weigh = (k: number) => (second ? secondWeightOf(values, k) : weightOf(values, k));
    for (let k = 0; k < values.value.length; k++) total += weigh(k);
    const shares = this.#shares[b]![s]!;
    for (let k = 0; k < values.value.length; k++) {
      let zones = shares.get(values.value[k]!);
      if (zones === undefined) {
        if (shares.size === MAX_SHARES) throw tooManyValues(statistic.column);
        zones = new Map();
        shares.set(values.value[k]!, zones);
      }
      zones.set(zone, weigh(k) / total);
    }
  }

  #number({ name, quantile: q }: Statistic, view: ZoneView): number | null {
    const { extremes, moments } = view;
    switch (name) {
      case "count":
        return moments.weight;
      case "cells":
        return view.observed;
      case "covered":
        return moments.weight + view.missingWeight;
      case "nodata_count":
        return view.missingWeight;
      case "nodata_share": {
        const all = moments.weight + view.missingWeight;
        return all === 0 ? null : view.missingWeight / all;
      }
      case "area":
        return moments.weight;
      case "sum":
        return moments.sum;
      case "mean":
        return moments.mean;
      case "variance":
        return moments.variance;
      case "stdev":
        return root(moments.variance);
      case "sample_variance":
        return this.#sampleVariance(view);
      case "sample_stdev":
        return root(this.#sampleVariance(view));
      case "cv": {
        const { mean } = moments;
        const stdev = root(moments.variance);
        return mean === null || stdev === null || mean === 0 ? null : stdev / mean;
      }
      case "skew":
        return moments.skew;
      case "kurtosis":
        return moments.kurtosis;
      case "min":
        return extremes === null ? null : extremes.min;
      case "max":
        return extremes === null ? null : extremes.max;
      case "range":
        return extremes === null ? null : extremes.max - extremes.min;
      case "min_x":
        return extremes === null ? null : this.#center(extremes.minPlace)[0];
      case "min_y":
        return extremes === null ? null : this.#center(extremes.minPlace)[1];
      case "max_x":
        return extremes === null ? null : this.#center(extremes.maxPlace)[0];
      case "max_y":
        return extremes === null ? null : this.#center(extremes.maxPlace)[1];
      case "median":
      case "quantile":
        return view.values === null ? null : quantile(view.values, q, this.#quantiles(view));
      case "majority":
        return view.values === null ? null : majority(view.values, this.#rules.tie, view.tally.largestArea);
      case "minority":
        return view.values === null ? null : minority(view.values, view.tally.largestArea);
      case "variety":
        return view.values === null ? 0 : view.values.value.length;
      case "weights":
        return view.weighted.weight;
      case "weighted_sum":
        return view.weighted.sum;
      case "weighted_mean":
        return view.weighted.mean;
      case "weighted_variance":
        return view.weighted.variance;
      case "weighted_stdev":
        return root(view.weighted.variance);
      default:
        return null;
    }
  }

  #quantiles({ tally }: ZoneView): "weighted" | "hf7" {
    return tally.plan.order ? this.#rules.quantiles : "hf7";
  }

  /** With the number of pixels, or the sum of their coverage, less one. */
  #sampleVariance(view: ZoneView): number | null {
    const { variance } = view.moments;
    const n = this.#passes[0]!.areas ? view.observed : view.moments.weight;
    return variance === null || n <= 1 ? null : (variance * n) / (n - 1);
  }

  /** Centre of the pixel at a place. */
  #center(place: number): [number, number] {
    const { width, transform } = this.#grid;
    return pixelToWorld(transform, (place % width) + 0.5, Math.floor(place / width) + 0.5);
  }

  /** The zones with their statistics. */
  table(notes: readonly (string | null)[], warnings: Set<string>): FeatureTable {
    const taken = new Set(this.#zones.columns.map(({ name }) => name));
    const columns: Column[] = [...this.#zones.columns];
    const rows = this.#zones.count;
    const add = (name: string, type: ColumnType, fill: (builder: ColumnBuilder, zone: number) => void) => {
      let free = name;
      for (let k = 2; taken.has(free); k++) free = `${name}_${k}`;
      if (free !== name) warnings.add(`the zones have a column ${name} already: the new one is ${free}`);
      taken.add(free);
      const builder = new ColumnBuilder({ name: free, type, nullable: true });
      for (let zone = 0; zone < rows; zone++) fill(builder, zone);
      columns.push(builder.finish());
    };
    for (const [b, band] of this.#bands.entries()) {
      const prefix = this.#bands.length === 1 ? "" : `b${band + 1}_`;
      for (const [s, { column, name }] of this.#statistics.entries()) {
        const kind = KINDS[name];
        if (kind === "shares") {
          const shares = this.#shares[b]![s]!;
          for (const value of [...shares.keys()].sort((x, y) => x - y)) {
            const zones = shares.get(value)!;
            add(`${prefix}${column}_${value}`, "float64", (builder, zone) =>
              builder.pushNumber(zones.get(zone) ?? 0),
            );
          }
        } else if (kind === "text") {
          const texts = this.#texts[b]![s]!;
          add(prefix + column, "json", (builder, zone) => builder.pushText(texts.get(zone) ?? "[]"));
        } else {
          const numbers = this.#numbers[b]![s]!;
          add(prefix + column, "float64", (builder, zone) => {
            const number = numbers[zone]!;
            if (Number.isNaN(number)) builder.pushNull();
            else builder.pushNumber(number);
          });
        }
      }
    }
    add("note", "string", (builder, zone) => builder.push(notes[zone] ?? null));
    return { ...this.#zones, columns };
  }
}

/** Statistics that are not one number. */
const KINDS: Readonly<Record<string, "text" | "shares">> = {
  histogram: "text",
  values: "text",
  frac: "shares",
  weighted_frac: "shares",
};

/** What was gathered of one zone, worked out once. */
class ZoneView {
  readonly tally: ZonalTally;
  readonly observed: number;
  /** Observed or not. */
  readonly pixels: number;
  readonly values: Distribution | null;
  readonly moments: Moments;
  readonly missingWeight: number;
  readonly extremes: ReturnType<typeof extremesOf>;
  readonly #zone: number;
  #weighted: Moments | null = null;

  constructor(tally: ZonalTally, zone: number) {
    this.tally = tally;
    this.#zone = zone;
    this.observed = tally.counts[COUNTS * zone]!;
    this.pixels = this.observed + tally.counts[COUNTS * zone + 1]!;
    this.values = tally.take(zone);
    this.moments = momentsOf(tally, zone, this.values);
    this.missingWeight = missingWeight(tally, zone);
    this.extremes = extremesOf(tally, zone);
  }

  get weighted(): Moments {
    this.#weighted ??= weightedMomentsOf(this.tally, this.#zone);
    return this.#weighted;
  }
}

function root(variance: number | null): number | null {
  return variance === null ? null : Math.sqrt(variance);
}

function tooManyValues(column: string): GeoError<"INVALID_INPUT"> {
  return new GeoError(
    "INVALID_INPUT",
    `${column} makes a column per value, and the raster has more than ${MAX_SHARES}: it is a measurement, not classes`,
    { path: "stats", expected: "a raster of classes" },
    { hint: "Ask for histogram instead, which is one column." },
  );
}
