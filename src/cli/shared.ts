import type { CogFileOptions } from "../jobs/files/cog-options.ts";
import type { FileOptions, FileResult } from "../jobs/files/result.ts";
import type { Bounds } from "../model/grid.ts";
import type { CommandContext, CommandResult, OptionSpec } from "./command.ts";
import { oneOf, wrongValue } from "./main.ts";
import { count } from "./progress.ts";

/** The options of every file-to-file call, from the options of every command. */
export function fileOptions({ common, progress, signal }: CommandContext): FileOptions {
  return {
    overwrite: common.overwrite,
    memory: common.memory,
    workers: common.workers,
    onCrsMismatch: common.onCrsMismatch,
    signal,
    onProgress: (step, done, total, unit) => progress.update(step, done, total, unit),
  };
}

/** What a person reads of a file-to-file call: what was written, then the counts. */
export function fileResult({ outputs, summary, warnings }: FileResult): CommandResult {
  const counts = Object.entries(summary)
    .filter(([, value]) => typeof value === "number" || typeof value === "string")
    .map(([name, value]) => `  ${name}: ${String(value)}`);
  return {
    outputs,
    summary,
    warnings,
    lines: [...outputs.map(({ path, bytes }) => `wrote ${path} (${count(bytes)} bytes)`), ...counts],
  };
}

/** Options of the COG writer. */
export const cogOptionSpecs: Readonly<Record<string, OptionSpec>> = {
  compress: {
    type: "string",
    value: "deflate|lzw|zstd|none",
    help: "rasters: compression (default deflate)",
  },
  level: { type: "string", value: "N", help: "rasters: compression level" },
  blocksize: { type: "string", value: "N", help: "rasters: tile side in pixels (default 512)" },
  predictor: { type: "string", value: "auto|none|2|3", help: "rasters: predictor (default auto)" },
  overviews: { type: "string", value: "auto|none|N", help: "rasters: levels of overviews (default auto)" },
  "overview-resampling": {
    type: "string",
    value: "auto|nearest|average|mode",
    help: "rasters: how overviews are made (default auto)",
  },
};

/** The options of the COG writer that were given. */
export function cogOptions(context: CommandContext): CogFileOptions {
  const { text, number } = context;
  const predictor = oneOf("predictor", text("predictor"), ["auto", "none", "1", "2", "3"] as const, "auto");
  const overviews = text("overviews");
  if (overviews !== undefined && !/^(auto|none|\d{1,2})$/.test(overviews)) {
    throw wrongValue("overviews", overviews, "auto, none or a number of levels");
  }
  return {
    compress: oneOf("compress", text("compress"), ["deflate", "lzw", "zstd", "none"] as const, "deflate"),
    level: number("level"),
    blocksize: number("blocksize"),
    predictor: predictor === "auto" ? "auto" : predictor === "2" ? 2 : predictor === "3" ? 3 : "none",
    overviews:
      overviews === undefined || overviews === "auto"
        ? "auto"
        : overviews === "none"
          ? "none"
          : Number(overviews),
    overviewResampling: oneOf(
      "overview-resampling",
      text("overview-resampling"),
      ["auto", "nearest", "average", "mode"] as const,
      "auto",
    ),
  };
}

/** `W,S,E,N`: four numbers in order; `undefined` when not given. */
export function bounds(name: string, text: string | undefined): Bounds | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(/[\s,]+/).map(Number);
  const [w, s, e, n] = numbers;
  if (numbers.length !== 4 || numbers.some(Number.isNaN) || w! > e! || s! > n!) {
    throw wrongValue(name, text, "four numbers W,S,E,N with W <= E and S <= N");
  }
  return [w!, s!, e!, n!];
}

/** A comma-separated list; `undefined` when not given. */
export function list(text: string | undefined): string[] | undefined {
  return text?.split(",").map((one) => one.trim());
}

/** `center`, `all-touched` or `coverage:F`. */
export function pixelRule(text: string | undefined): "center" | "all-touched" | `coverage:${number}` {
  if (text?.startsWith("coverage:") === true) {
    const share = Number(text.slice("coverage:".length));
    if (!(share > 0 && share <= 1))
      throw wrongValue("pixels", text, "coverage:F with F above 0 and at most 1");
    return `coverage:${share}`;
  }
  return oneOf("pixels", text, ["center", "all-touched"] as const, "center");
}
