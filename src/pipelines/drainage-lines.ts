import { z } from "zod";
import { clipFeatures } from "../operators/clip-features.ts";
import { readTable } from "../operators/read-table.ts";
import { definePipeline, type Pipeline } from "./define.ts";
import { layerName } from "./naming.ts";
import { area, format, idColumn } from "./parameters.ts";

const parameters = z.object({
  area,
  idColumn,
  format,
  keep: z
    .enum(["whole", "cut", "inside"])
    .default("whole")
    .describe(
      "whole: lines that meet the units, uncut, as the original does; cut: only their parts inside; inside: only lines wholly inside",
    ),
});

const pipeline = definePipeline({
  name: "drainage-lines",
  version: "1.0.0",
  title: "Drainage lines",
  question: "Which mapped drainage lines concern this area?",
  shape: "vector clip",
  parameters,
  inputs: {
    lines: {
      kind: "features",
      title: "Drainage lines",
      expects: "lines, any columns (stream order in ORDER is kept)",
    },
    units: { kind: "features", title: "Units", expects: "polygons with an id column" },
  },
  outputs: [
    {
      name: "drainage_lines_<district>_<block>",
      kind: "vector",
      title: "Lines that meet the units, every column of the source",
    },
  ],
  sources: [
    "CoRE Stack, generate_drainage_layer: lines that intersect the merged units, whole, no new column",
  ],
  async run({ area, keep, idColumn }, context) {
    const lines = context.inputs.features("lines");
    const units = await readTable(context.inputs.features("units"), { signal: context.signal });
    const name = layerName("drainage_lines", area);
    const clipped = await clipFeatures(lines, units, {
      keep,
      onCrsMismatch: context.onCrsMismatch,
      signal: context.signal,
    });
    return {
      layers: [
        {
          kind: "vector",
          name,
          title: "Drainage lines",
          source: clipped,
          style: { color: "#1f6fb4", width: 1.2 },
        },
      ],
      context: [
        {
          kind: "vector",
          name: "units",
          title: "Units",
          source: units,
          style: { color: "#6b6b6b", fill: "none", width: 1, idColumn },
        },
      ],
      summarize: () => {
        const { report } = clipped;
        for (const warning of report.warnings) context.warn(warning);
        if (report.featuresOut === 0) context.warn("no line meets the units: the layer is empty");
        return {
          figures: [
            { label: "Lines in", value: report.featuresIn },
            {
              label: keep === "cut" ? "Lines kept, cut to the units" : "Lines kept",
              value: report.featuresOut,
            },
            { label: "Units", value: units.count },
          ],
          charts: [],
          counts: { ...report, warnings: report.warnings.length },
        };
      },
    };
  },
});

/** Which mapped drainage lines concern an area: the lines that meet its units. */
export const drainageLines: Pipeline = pipeline;
