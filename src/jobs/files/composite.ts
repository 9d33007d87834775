import { threads } from "../../execution/threads.ts";
import { type OutputFile, writeRaster } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import type { RasterSource } from "../../model/raster.ts";
import { formatInstant } from "../../model/time.ts";
import { type CompositeOptions, composite, type PeriodComposite } from "../../operators/composite.ts";
import { periodBands } from "../../operators/period-bands.ts";
import { type CogFileOptions, cogOptionsOf, readBudget } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";
import { openStackFiles, type StackFileOptions } from "./stack-files.ts";

export interface CompositeFileOptions
  extends FileOptions,
    CogFileOptions,
    Omit<StackFileOptions, "executor" | "memory" | "cacheBytes" | "signal">,
    Omit<CompositeOptions, "executor" | "memory" | "signal"> {}

/**
 * Composite dated rasters, files to file; `tilth composite`. The result is a COG with a band per period (for several bands,
 * period after period); with `{period}` in its name, one COG per period.
 *
 * @param inputs  Rasters or folders; none when `options.stack` names a manifest. See {@link openStackFiles}.
 * @throws GeoError those of {@link openStackFiles} and {@link composite}
 */
export async function compositeFile(
  output: string,
  inputs: readonly string[],
  options: CompositeFileOptions = {},
): Promise<FileResult> {
  if ((inputs.length === 0) === (options.stack === undefined)) {
    throw new GeoError(
      "INVALID_INPUT",
      inputs.length === 0 ? "no rasters to composite" : "rasters and a manifest cannot both be given",
      { path: "inputs", expected: "rasters, a folder, or a manifest" },
      { hint: "Name rasters or a folder after OUT, or a manifest with --stack." },
    );
  }
  const { signal, onProgress, overwrite, memory, workers } = options;
  const budget = readBudget(memory);
  const executor = threads(workers);
  try {
    const stack = await openStackFiles(inputs, {
      ...options,
      cacheBytes: budget / 2,
      memory: budget / 4,
      executor,
    });
    try {
      const composites = await composite(stack, { ...options, memory: 2 * budget, executor });
      const targets: [path: string, source: RasterSource][] = output.includes("{period}")
        ? composites.map((one) => [output.replaceAll("{period}", one.period.name), one.source])
        : [[output, periodBands(composites)]];
      const outputs: OutputFile[] = [];
      const pixels = stack.grid.width * stack.grid.height;
      for (const [k, [path, source]] of targets.entries()) {
        const { result: _, ...written } = await writeRaster(path, source, {
          ...cogOptionsOf(options),
          overwrite,
          signal,
          onProgress: (done: number) =>
            onProgress?.("compositing", k * pixels + done, targets.length * pixels, "pixels"),
        });
        outputs.push(written);
      }
      const used = new Set(composites.flatMap(({ scenes }) => scenes));
      return {
        outputs,
        summary: {
          kind: "raster",
          width: stack.grid.width,
          height: stack.grid.height,
          pixels,
          method: options.method ?? "median",
          scenes: used.size,
          periods: composites.length,
          emptyPeriods: composites.filter(({ scenes }) => scenes.length === 0).length,
          bands: targets[0]![1].bands.length,
          list: composites.map(describe),
        },
        warnings: [...stack.warnings],
      };
    } finally {
      await stack.close();
    }
  } finally {
    await executor.close();
  }
}

function describe({ period, scenes }: PeriodComposite): { [key: string]: string | number } {
  return {
    name: period.name,
    start: formatInstant(period.start),
    end: formatInstant(period.end),
    scenes: scenes.length,
  };
}
