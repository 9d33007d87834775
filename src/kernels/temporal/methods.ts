/** How one value is made of the observations of a pixel. All leave out what is not observed. */
export type ReduceMethod =
  | { readonly kind: "min" | "max" }
  /** Number of observations; 0 where there are none. */
  | { readonly kind: "count" }
  | { readonly kind: "sum" | "mean" | "median" }
  /** Divided by the number of observations less `ddof`; no value when that is not above 0. */
  | { readonly kind: "variance" | "stdev"; readonly ddof: number }
  /** Number of different values. */
  | { readonly kind: "variety" }
  /** The most frequent value; `ties` says which of several. */
  | { readonly kind: "mode"; readonly ties: ModeTies }
  /** In order of time. */
  | { readonly kind: "first" | "last" }
  /** `q` from 0 to 100. */
  | { readonly kind: "percentile"; readonly q: number; readonly rule: PercentileRule }
  /** 1 when a value is not 0, else 0. */
  | { readonly kind: "anyNonZero" };

/** How all bands of one scene are chosen per pixel, or one point is made of all bands. */
export type PixelMethod =
  /** The scene with the largest (or smallest) value of a quality band; of equal ones the first or last in time. */
  | { readonly kind: "best"; readonly largest: boolean; readonly ties: "first" | "last" }
  /** The scene whose values are nearest to those of all others, by the sum of Euclidean distances; ties: the first. */
  | { readonly kind: "medoid" }
  /** The point with the least sum of Euclidean distances to the observations. */
  | { readonly kind: "geomedian"; readonly tolerance: number; readonly iterations: number };

export type CompositeMethod = ReduceMethod | PixelMethod;

export type ModeTies = "smallest" | "largest" | "first";

/**
 * How a percentile is read off `n` sorted values. With `h = (n - 1) q / 100`, counted from 0:
 *
 * - `"linear"`: between the neighbours of `h` (Hyndman and Fan's type 7, numpy's default);
 * - `"lower"`, `"higher"`, `"nearest"`: one of the neighbours; `nearest` at a half takes the even one, as numpy does;
 * - `"nearest-rank"`: the value of rank `ceil(n q / 100)`, counted from 1 (type 1);
 * - `"earth-engine"`: the same, but where `n q / 100` is a whole number the mean of that value and the next (type 2), so
 *   that 50 is the median, as Earth Engine's reference promises; it documents no more.
 */
export type PercentileRule = "linear" | "lower" | "higher" | "nearest" | "nearest-rank" | "earth-engine";

export const PERCENTILE_RULES: readonly PercentileRule[] = [
  "linear",
  "lower",
  "higher",
  "nearest",
  "nearest-rank",
  "earth-engine",
];

/** Whether a method chooses all bands of a scene together, or makes one point of all bands. */
export function isPixelMethod(method: CompositeMethod): method is PixelMethod {
  return method.kind === "best" || method.kind === "medoid" || method.kind === "geomedian";
}

/** Whether the value of a pixel is that of one scene, so that its date can be told. */
export function picksScene({ kind }: CompositeMethod): boolean {
  return PICKS.has(kind);
}

const PICKS = new Set(["min", "max", "first", "last", "best", "medoid"]);

/** Where a percentile of sorted values lies: between `lower` and `upper`, `part` of the way. */
export interface RankTable {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly part: Float64Array;
}

/** Ranks of a percentile for every number of values up to `most`; the entry of 0 is not used. */
export function rankTable(q: number, rule: PercentileRule, most: number): RankTable {
  const lower = new Int32Array(most + 1);
  const upper = new Int32Array(most + 1);
  const part = new Float64Array(most + 1);
  const share = q / 100;
  for (let n = 1; n <= most; n++) {
    const h = (n - 1) * share;
    const below = Math.min(n - 1, Math.floor(h));
    const above = Math.min(n - 1, Math.ceil(h));
    const rank = Math.min(n, Math.max(1, Math.ceil(n * share)));
    switch (rule) {
      case "linear":
        lower[n] = below;
        upper[n] = above;
        part[n] = h - below;
        break;
      case "lower":
        lower[n] = upper[n] = below;
        break;
      case "higher":
        lower[n] = upper[n] = above;
        break;
      case "nearest": {
        const up = h - below > 0.5 || (h - below === 0.5 && below % 2 === 1);
        lower[n] = upper[n] = up ? above : below;
        break;
      }
      case "nearest-rank":
        lower[n] = upper[n] = rank - 1;
        break;
      case "earth-engine":
        lower[n] = rank - 1;
        upper[n] = n * share === rank && rank < n ? rank : rank - 1;
        part[n] = 0.5;
        break;
    }
  }
  return { lower, upper, part };
}

/** Between two values, from the nearer one, so that the ends are exact. */
export function between(low: number, high: number, part: number): number {
  const step = high - low;
  return part < 0.5 ? low + step * part : high - step * (1 - part);
}
