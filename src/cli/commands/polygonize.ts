import { polygonizeFile } from "../../jobs/files/polygonize.ts";
import type { Command } from "../command.ts";
import { oneOf } from "../main.ts";
import { fileOptions, fileResult } from "../shared.ts";

export const polygonize: Command = {
  name: "polygonize",
  summary: "Polygons of the regions of equal value of a raster, along the edges of its cells",
  usage: "IN OUT",
  arguments: [2, 2],
  options: {
    connectivity: {
      type: "string",
      value: "4|8",
      help: "regions join at edges (4, default), or at corners too (8, multipolygons)",
    },
    field: { type: "string", value: "NAME", help: "attribute that gets the value (default value)" },
    pixels: { type: "string", value: "NAME", help: "attribute that gets the number of pixels" },
    band: { type: "string", value: "N", help: "band of IN, from 1 (default 1)" },
    mask: {
      type: "string",
      value: "RASTER",
      help: "only where this raster on the same grid is neither 0 nor nodata",
    },
    order: {
      type: "string",
      value: "first-pixel|finished",
      help: "order of OUT: by the first pixel of a region (default), or as regions end, in bounded memory",
    },
  },
  examples: [
    "tilth polygonize landcover.tif landcover.fgb",
    "tilth polygonize classes.tif out.gpkg --connectivity 8 --field class --pixels n",
  ],
  async run(context) {
    const [input, output] = context.positionals as [string, string];
    return fileResult(
      await polygonizeFile(input, output, {
        ...fileOptions(context),
        connectivity:
          oneOf("connectivity", context.text("connectivity"), ["4", "8"] as const, "4") === "8" ? 8 : 4,
        field: context.text("field"),
        pixels: context.text("pixels"),
        band: context.number("band"),
        mask: context.text("mask"),
        order: oneOf("order", context.text("order"), ["first-pixel", "finished"] as const, "first-pixel"),
      }),
    );
  },
};
