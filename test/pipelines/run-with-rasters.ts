import type { FeatureTable } from "../../src/model/features.ts";
import { tableSource } from "../../src/model/features.ts";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import type { Pipeline, PipelineResult } from "../../src/pipelines/define.ts";

/** What a pipeline made from rasters in memory, everything read to the end. */
export interface RasterRun {
  readonly rasters: Readonly<
    Record<string, { readonly grid: Grid; readonly rows: number[][]; readonly source: RasterSource }>
  >;
  readonly tables: Readonly<Record<string, FeatureTable>>;
  readonly context: readonly string[];
  readonly summary: ReturnType<PipelineResult["summarize"]>;
  readonly warnings: readonly string[];
}

/** Run a pipeline on units and rasters in memory. Masked pixels are NaN. */
export async function runWithRasters(
  pipeline: Pipeline,
  parameters: object,
  units: FeatureTable,
  rasters: Readonly<Record<string, RasterSource>>,
): Promise<RasterRun> {
  const warnings: string[] = [];
  const result = await pipeline.run(pipeline.parameters.strict().parse(parameters), {
    inputs: {
      features: () => tableSource(units, "units"),
      raster: (name) => rasters[name]!,
      rasters: () => [],
      has: (name) => name === "units" || name in rasters,
    },
    memory: 2 ** 26,
    onCrsMismatch: "transform",
    signal: new AbortController().signal,
    progress: () => {},
    warn: (message) => warnings.push(message),
  });
  const made: Record<string, RasterRun["rasters"][string]> = {};
  const tables: Record<string, FeatureTable> = {};
  for (const layer of result.layers) {
    if (layer.kind === "raster") {
      const { source } = layer;
      const { grid } = source;
      const { bands, mask } = await source.read(fullWindow(grid));
      const all = Array.from(bands[0] as ArrayLike<number | bigint>, (value, i) =>
        mask !== null && mask[i] === 0 ? Number.NaN : Number(value),
      );
      const rows = Array.from({ length: grid.height }, (_, row) =>
        all.slice(row * grid.width, (row + 1) * grid.width),
      );
      made[layer.name] = { grid, rows, source };
    } else if (!("batches" in layer.source)) tables[layer.name] = layer.source;
  }
  return {
    rasters: made,
    tables,
    context: (result.context ?? []).map(({ name }) => name),
    summary: result.summarize(),
    warnings,
  };
}
