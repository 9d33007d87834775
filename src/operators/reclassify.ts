import { GeoError } from "../model/errors.ts";
import type { RasterSource } from "../model/raster.ts";
import { type ComputedBand, computedRaster } from "./computed-raster.ts";

/** Values `from <= value < to` become `value`; `to` left out: exactly `from`. */
export interface ClassRule {
  readonly from: number;
  readonly to?: number | undefined;
  /** `null`: no value. */
  readonly value: number | null;
}

export interface ReclassifyOptions extends ComputedBand {
  /** What becomes of values that no rule names. Default `"keep"`; `null`: no value; or a number. */
  readonly others?: "keep" | number | null | undefined;
  /** 0-based. Default 0. */
  readonly band?: number | undefined;
}

/**
 * Classes of values. Rules are tried in order, the first that holds decides; intervals hold their lower end and not their
 * upper one. Missing pixels stay missing. The type is by default the smallest of uint8, int16, int32 and float32 that
 * holds the new values, float64 when old ones are kept that it would not.
 *
 * @throws GeoError `INVALID_INPUT` for no rules, an empty interval or a band that is not there
 */
export function reclassify(
  source: RasterSource,
  rules: readonly ClassRule[],
  options: ReclassifyOptions = {},
): RasterSource {
  const { others = "keep", band = 0, ...output } = options;
  const input = source.bands[band];
  if (input === undefined) {
    throw new GeoError("INVALID_INPUT", `${source.url} has no band ${band + 1}`, {
      path: "band",
      expected: `0 to ${source.bands.length - 1}`,
    });
  }
  for (const [k, { from, to }] of rules.entries()) {
    if (Number.isNaN(from) || (to !== undefined && !(to > from))) {
      throw new GeoError("INVALID_INPUT", `rule ${k + 1} holds no value: from ${from} to ${to}`, {
        path: `rules[${k}]`,
        expected: "from below to",
      });
    }
  }
  if (rules.length === 0) {
    throw new GeoError("INVALID_INPUT", "there are no rules", { path: "rules", expected: "one or more" });
  }
  const type =
    output.type ?? (others === "keep" ? keptType(rules, input.type) : smallest(valuesOf(rules, others)));
  const exact = new Map<number, number>();
  let intervals = false;
  for (const { from, to, value } of rules) {
    if (to !== undefined) intervals = true;
    else if (!exact.has(from)) exact.set(from, value ?? Number.NaN);
  }
  const from = Float64Array.from(rules, (rule) => rule.from);
  const to = Float64Array.from(rules, (rule) => rule.to ?? Number.NaN);
  const becomes = Float64Array.from(rules, (rule) => rule.value ?? Number.NaN);
  const rest = others === null ? Number.NaN : others;
  return computedRaster([{ source, band }], 0, { ...output, type }, ([values], _, out) => {
    for (let i = 0; i < out.length; i++) {
      const value = values![i]!;
      let found: number | undefined;
      if (Number.isNaN(value)) found = Number.NaN;
      else if (!intervals) found = exact.get(value);
      else {
        for (let k = 0; k < from.length; k++) {
          if (Number.isNaN(to[k]!) ? value === from[k] : value >= from[k]! && value < to[k]!) {
            found = becomes[k]!;
            break;
          }
        }
      }
      out[i] = found ?? (rest === "keep" ? value : rest);
    }
  });
}

function valuesOf(rules: readonly ClassRule[], others: number | null): number[] {
  return [...rules.map(({ value }) => value), others].filter((value) => value !== null);
}

function smallest(values: readonly number[]): "uint8" | "int16" | "int32" | "float32" | "float64" {
  const whole = values.every(Number.isInteger);
  // The last number of each type is left for nodata.
  if (whole && values.every((value) => value >= 0 && value < 255)) return "uint8";
  if (whole && values.every((value) => value > -32768 && value < 32768)) return "int16";
  if (whole && values.every((value) => value > -2147483648 && value < 2147483648)) return "int32";
  return values.every((value) => Math.fround(value) === value) ? "float32" : "float64";
}

/** A type that holds old values beside the new ones, and a nodata value beside both. */
function keptType(
  rules: readonly ClassRule[],
  input: RasterSource["bands"][number]["type"],
): "int16" | "int32" | "float32" | "float64" {
  const type = smallest(valuesOf(rules, null));
  const widened = { uint8: "int16", int8: "int16", int16: "int32", uint16: "int32" } as const;
  const own =
    (widened as Record<string, "int16" | "int32">)[input] ??
    (input === "float32" || input === "float16" ? "float32" : "float64");
  const order = ["uint8", "int16", "int32", "float32", "float64"] as const;
  if (own === "int32" && type === "float32") return "float64";
  const larger = order[Math.max(order.indexOf(own), order.indexOf(type))]!;
  return larger === "uint8" ? "int16" : larger;
}
