import { clipFile } from "../../jobs/files/clip.ts";
import type { Command } from "../command.ts";
import { oneOf, usage } from "../main.ts";
import { bounds, cogOptionSpecs, cogOptions, fileOptions, fileResult, pixelRule } from "../shared.ts";

export const clip: Command = {
  name: "clip",
  summary: "Clip a layer or a raster to a region; which of the two is seen from IN",
  usage: "IN OUT",
  arguments: [2, 2],
  options: {
    by: { type: "string", value: "ROI", help: "polygons to clip by, any vector format" },
    bbox: { type: "string", value: "W,S,E,N", help: "bounds to clip by instead, in the CRS of IN" },
    layer: { type: "string", value: "NAME", help: "layer of IN" },
    "by-layer": { type: "string", value: "NAME", help: "layer of ROI" },
    keep: {
      type: "string",
      value: "cut|whole|inside",
      help: "vectors: cut features, keep those that meet the region whole, or only those inside (default cut)",
    },
    "min-area": {
      type: "string",
      value: "A",
      help: "vectors: remove cut parts of a smaller area, in units of the CRS squared, and list them",
    },
    "min-width": {
      type: "string",
      value: "W",
      help: "vectors: remove cut parts of a smaller mean width, in units of the CRS, and list them",
    },
    "min-compactness": {
      type: "string",
      value: "C",
      help: "vectors: remove cut parts less compact than C (0 to 1, a circle is 1); with several limits, those below all",
    },
    pixels: {
      type: "string",
      value: "RULE",
      help: "rasters: center (default), all-touched, or coverage:F (at least the share F of the pixel)",
    },
    crop: {
      type: "string",
      value: "pixels|tiles",
      help: "rasters: cut to the pixels of the region (default), or to whole tiles of IN, and copy its compressed tiles inside",
    },
    "no-crop": { type: "boolean", help: "rasters: keep the size of IN" },
    invert: { type: "boolean", help: "rasters: keep what is outside" },
    fill: {
      type: "string",
      value: "V",
      help: "rasters: sample for pixels outside, and nodata of OUT (default: nodata of IN, else a mask)",
    },
    ...cogOptionSpecs,
  },
  examples: [
    "tilth clip lines.fgb out.geojson --by units.geojson",
    "tilth clip rivers.shp out.gpkg --by units.geojson --keep whole",
    "tilth clip landcover.tif out.tif --by units.geojson --pixels all-touched",
    "tilth clip landcover.tif out.tif --bbox -71.8,18.6,-71.5,18.7",
  ],
  async run(context) {
    const [input, output] = context.positionals as [string, string];
    const by = context.text("by");
    const box = bounds("bbox", context.text("bbox"));
    if ((by === undefined) === (box === undefined)) {
      throw usage("tilth clip needs one region", "Pass --by ROI, or --bbox W,S,E,N.");
    }
    const crop = oneOf("crop", context.text("crop"), ["pixels", "tiles"] as const, "pixels");
    if (context.flag("no-crop") && context.text("crop") !== undefined) {
      throw usage("--crop and --no-crop contradict each other", "Pass one of them.");
    }
    const cog = cogOptions(context);
    // Copied tiles stay as they are: what is not asked for is that of IN.
    const asStored = {
      ...(context.text("compress") === undefined ? { compress: undefined } : {}),
      ...(context.text("predictor") === undefined ? { predictor: undefined } : {}),
    };
    return fileResult(
      await clipFile(input, output, by ?? box!, {
        ...fileOptions(context),
        ...cog,
        ...(crop === "tiles" ? asStored : {}),
        layer: context.text("layer"),
        regionLayer: context.text("by-layer"),
        keep: oneOf("keep", context.text("keep"), ["cut", "whole", "inside"] as const, "cut"),
        slivers: {
          minArea: context.number("min-area"),
          minWidth: context.number("min-width"),
          compactness: context.number("min-compactness"),
        },
        pixels: pixelRule(context.text("pixels")),
        crop: crop === "tiles" ? crop : !context.flag("no-crop"),
        invert: context.flag("invert"),
        fill: context.number("fill"),
      }),
    );
  },
};
