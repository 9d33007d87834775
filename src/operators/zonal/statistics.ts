import type { ZonalPlan } from "../../kernels/zonal/accumulate.ts";
import { GeoError } from "../../model/errors.ts";

/** Statistics by their usual names, and the names that other tools have for them. */
const ALIASES: Readonly<Record<string, string>> = {
  mode: "majority",
  std: "stdev",
  unique: "variety",
  coefficient_of_variation: "cv",
  coverage: "count",
  nodata: "nodata_count",
  min_center_x: "min_x",
  min_center_y: "min_y",
  max_center_x: "max_x",
  max_center_y: "max_y",
  weighted_std: "weighted_stdev",
  sample_std: "sample_stdev",
};

interface Needs {
  readonly powers?: number;
  readonly values?: boolean;
  readonly order?: "quantile" | "first";
  readonly places?: boolean;
  readonly weighted?: number;
  readonly weightedValues?: boolean;
}

/** What each statistic needs to be gathered. */
const NEEDS: Readonly<Record<string, Needs>> = {
  count: {},
  cells: {},
  covered: {},
  nodata_count: {},
  nodata_share: {},
  area: {},
  sum: { powers: 1 },
  mean: { powers: 1 },
  variance: { powers: 2 },
  stdev: { powers: 2 },
  sample_variance: { powers: 2 },
  sample_stdev: { powers: 2 },
  cv: { powers: 2 },
  skew: { powers: 3 },
  kurtosis: { powers: 4 },
  min: {},
  max: {},
  range: {},
  min_x: { places: true },
  min_y: { places: true },
  max_x: { places: true },
  max_y: { places: true },
  median: { values: true, order: "quantile" },
  quantile: { values: true, order: "quantile" },
  majority: { values: true, order: "first" },
  minority: { values: true },
  variety: { values: true },
  values: { values: true },
  frac: { values: true },
  histogram: { values: true },
  weights: { weighted: 0 },
  weighted_sum: { weighted: 1 },
  weighted_mean: { weighted: 1 },
  weighted_variance: { weighted: 2 },
  weighted_stdev: { weighted: 2 },
  weighted_frac: { weighted: 0, values: true, weightedValues: true },
};

/** One statistic asked for. */
export interface Statistic {
  /** Name of its column, as in `"mean"`, `"p90"`. */
  readonly column: string;
  /** Its usual name. */
  readonly name: string;
  /** Of `"quantile"`, 0..1. */
  readonly quantile: number;
}

/** Names of all statistics, as messages list them. */
export const STATISTIC_NAMES: readonly string[] = Object.keys(NEEDS).map((name) =>
  name === "quantile" ? "quantile:Q" : name,
);

/**
 * Statistics by name. `quantile:0.9` and `p90` are the same and give the column `p90`.
 * @throws GeoError `INVALID_INPUT` for a name that is not known.
 */
export function parseStatistics(names: readonly string[]): Statistic[] {
  const found: Statistic[] = [];
  for (const text of names) {
    const statistic = parseOne(text.trim());
    if (!found.some(({ column }) => column === statistic.column)) found.push(statistic);
  }
  return found;
}

function parseOne(text: string): Statistic {
  const lower = text.toLowerCase();
  const match = /^(?:quantile[:=](.+)|p(?:ercentile)?_?(\d+(?:\.\d+)?))$/.exec(lower);
  if (match !== null) {
    const q = match[1] === undefined ? Number(match[2]) / 100 : Number(match[1]);
    if (!(q >= 0 && q <= 1)) throw unknown(text, "quantile:Q with Q from 0 to 1");
    const percent = Number((100 * q).toFixed(6));
    return { column: `p${String(percent).replace(".", "_")}`, name: "quantile", quantile: q };
  }
  const name = ALIASES[lower] ?? lower;
  if (!Object.hasOwn(NEEDS, name) || name === "quantile")
    throw unknown(text, `some of ${STATISTIC_NAMES.join(", ")}`);
  return { column: lower, name, quantile: 0.5 };
}

function unknown(text: string, expected: string): GeoError<"INVALID_INPUT"> {
  return new GeoError(
    "INVALID_INPUT",
    `there is no statistic ${JSON.stringify(text)}, expected ${expected}`,
    {
      path: "stats",
      expected,
    },
  );
}

/** The part of a plan that follows from the statistics. */
export function needsOf(
  statistics: readonly Statistic[],
  tie: "min" | "max" | "first",
  weightedQuantiles: boolean,
): Pick<ZonalPlan, "powers" | "values" | "order" | "places" | "weighted" | "weightedValues"> {
  const all = statistics.map(({ name }) => NEEDS[name]!);
  return {
    powers: Math.max(0, ...all.map(({ powers = 0 }) => powers)),
    values: all.some(({ values = false }) => values),
    order: all.some(
      ({ order }) => (order === "quantile" && weightedQuantiles) || (order === "first" && tie === "first"),
    ),
    places: all.some(({ places = false }) => places),
    weighted: Math.max(-1, ...all.map(({ weighted = -1 }) => weighted)),
    weightedValues: all.some(({ weightedValues = false }) => weightedValues),
  };
}

/** Whether a statistic needs the raster of weights. */
export function needsWeights({ name }: Statistic): boolean {
  return NEEDS[name]!.weighted !== undefined;
}
