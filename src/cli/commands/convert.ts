import { convertFile } from "../../jobs/files/convert.ts";
import type { Command } from "../command.ts";
import { bounds, cogOptionSpecs, cogOptions, fileOptions, fileResult, list } from "../shared.ts";

export const convert: Command = {
  name: "convert",
  summary: "Convert format and CRS; rasters become Cloud Optimized GeoTIFFs",
  usage: "IN OUT",
  arguments: [2, 2],
  options: {
    to: { type: "string", value: "CRS", help: "CRS of the output: EPSG:n, WKT, PROJ (vectors)" },
    layer: { type: "string", value: "NAME", help: "layer of a file that holds several" },
    fields: { type: "string", value: "A,B", help: "only these attributes, in this order (vectors)" },
    where: {
      type: "string",
      value: "EXPR",
      help: 'only features that meet a condition, as in "ORDER >= 3" (vectors)',
    },
    bbox: { type: "string", value: "W,S,E,N", help: "only what meets these bounds, in the CRS of IN" },
    ...cogOptionSpecs,
  },
  examples: [
    "tilth convert in.shp out.fgb --to EPSG:32645",
    "tilth convert dem.tif dem_cog.tif --compress deflate --predictor 2",
    'tilth convert villages.gpkg big.csv --fields name,pop --where "pop > 1000"',
  ],
  async run(context) {
    const [input, output] = context.positionals as [string, string];
    return fileResult(
      await convertFile(input, output, {
        ...fileOptions(context),
        ...cogOptions(context),
        to: context.text("to"),
        layer: context.text("layer"),
        fields: list(context.text("fields")),
        where: context.text("where"),
        bounds: bounds("bbox", context.text("bbox")),
      }),
    );
  },
};
