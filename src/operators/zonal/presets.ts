import type { MajorityTie, QuantileMethod } from "../../kernels/zonal/statistics.ts";
import { GeoError } from "../../model/errors.ts";

/** Other tools whose rules can be taken as a whole. */
export type ZonalPreset = "gdal" | "exactextract" | "gee" | "rasterstats" | "qgis";

/** Which pixels count for a zone, and how much; see {@link ZonalOptions.pixels}. */
export type ZonalPixels = "coverage" | "center" | "all-touched" | `coverage:${number}`;

/** The rules that decide results. */
export interface ZonalRules {
  readonly pixels: ZonalPixels;
  readonly tie: MajorityTie;
  readonly quantiles: QuantileMethod;
  /** Weights in 255ths, and counts, extremes and the variety by pixel centres: Earth Engine's. */
  readonly bytes: boolean;
  /** Zones with one pixel centre or none are taken by coverage: QGIS's. */
  readonly fallback: boolean;
}

const DEFAULTS: ZonalRules = {
  pixels: "coverage",
  tie: "max",
  quantiles: "weighted",
  bytes: false,
  fallback: false,
};

const PRESETS: Readonly<Record<ZonalPreset, ZonalRules>> = {
  exactextract: DEFAULTS,
  gdal: { ...DEFAULTS, pixels: "center", tie: "first", quantiles: "hf7" },
  rasterstats: { ...DEFAULTS, pixels: "center", tie: "min", quantiles: "hf7" },
  gee: { ...DEFAULTS, tie: "min", bytes: true },
  qgis: { ...DEFAULTS, pixels: "center", tie: "min", quantiles: "hf7", fallback: true },
};

/**
 * The rules of a preset with those given put in their place.
 * @throws GeoError `INVALID_INPUT` for what is not known, and for `pixels` with a preset that has two rules.
 */
export function rulesOf(options: {
  readonly preset?: ZonalPreset | undefined;
  readonly pixels?: ZonalPixels | undefined;
  readonly tie?: MajorityTie | undefined;
  readonly quantiles?: QuantileMethod | undefined;
}): ZonalRules {
  const { preset, pixels, tie, quantiles } = options;
  if (preset !== undefined && !Object.hasOwn(PRESETS, preset))
    throw wrong("preset", preset, Object.keys(PRESETS).join(", "));
  const rules = preset === undefined ? DEFAULTS : PRESETS[preset];
  if (pixels !== undefined && (rules.bytes || rules.fallback)) {
    throw new GeoError(
      "INVALID_INPUT",
      `the preset ${preset} has its own rule of pixels, ${pixels} cannot be combined with it`,
      { path: "pixels", expected: "no pixel rule with this preset" },
      { hint: "Leave out either the preset or the pixel rule." },
    );
  }
  if (pixels !== undefined) pixelPlan(pixels);
  if (tie !== undefined && tie !== "min" && tie !== "max" && tie !== "first")
    throw wrong("tie", tie, "min, max or first");
  if (quantiles !== undefined && quantiles !== "weighted" && quantiles !== "hf7")
    throw wrong("quantiles", quantiles, "weighted or hf7");
  return {
    ...rules,
    pixels: pixels ?? rules.pixels,
    tie: tie ?? rules.tie,
    quantiles: quantiles ?? rules.quantiles,
  };
}

/** A pixel rule as kernels know it: `share` is the F of `coverage:F`, else 0. */
export function pixelPlan(pixels: ZonalPixels): {
  readonly rule: "center" | "all-touched" | "coverage";
  readonly share: number;
} {
  if (pixels === "center" || pixels === "all-touched" || pixels === "coverage")
    return { rule: pixels, share: 0 };
  const text = /^coverage:(.+)$/.exec(pixels)?.[1];
  const share = text === undefined ? Number.NaN : Number(text);
  if (share > 0 && share <= 1) return { rule: "coverage", share };
  throw wrong("pixels", pixels, "coverage, center, all-touched or coverage:F with 0 < F <= 1");
}

function wrong(path: string, found: string, expected: string): GeoError<"INVALID_INPUT"> {
  return new GeoError("INVALID_INPUT", `${path}: expected ${expected}, found ${JSON.stringify(found)}`, {
    path,
    expected,
  });
}
