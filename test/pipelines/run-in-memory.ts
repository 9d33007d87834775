import type { FeatureSource, FeatureTable } from "../../src/model/features.ts";
import { readTable } from "../../src/operators/read-table.ts";
import type { Pipeline, PipelineResult } from "../../src/pipelines/define.ts";

/** What a pipeline made, its vector layers read to the end. */
export interface PipelineCall {
  readonly layers: readonly { readonly name: string; readonly table: FeatureTable }[];
  readonly summary: ReturnType<PipelineResult["summarize"]>;
  readonly warnings: readonly string[];
}

/** Run a pipeline on layers in memory, without files or a run folder. */
export async function runInMemory(
  pipeline: Pipeline,
  parameters: object,
  inputs: Readonly<Record<string, FeatureSource>>,
): Promise<PipelineCall> {
  const warnings: string[] = [];
  const result = await pipeline.run(pipeline.parameters.strict().parse(parameters), {
    inputs: {
      features: (name) => inputs[name]!,
      raster: () => {
        throw new Error("no rasters here");
      },
      rasters: () => [],
      has: (name) => name in inputs,
    },
    memory: 2 ** 26,
    onCrsMismatch: "transform",
    signal: new AbortController().signal,
    progress: () => {},
    warn: (message) => warnings.push(message),
  });
  const layers: { name: string; table: FeatureTable }[] = [];
  for (const layer of result.layers) {
    if (layer.kind !== "vector") continue;
    const table = "batches" in layer.source ? await readTable(layer.source) : layer.source;
    layers.push({ name: layer.name, table });
  }
  return { layers, summary: result.summarize(), warnings };
}
