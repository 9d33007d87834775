import { dominantFile } from "../../jobs/files/dominant.ts";
import type { Command } from "../command.ts";
import { oneOf } from "../main.ts";
import { fileOptions, fileResult, list, pixelRule } from "../shared.ts";

export const dominant: Command = {
  name: "dominant",
  summary:
    "Area and share of each class and the dominant class, per zone, from a class raster or class polygons",
  usage: "ZONES SOURCE OUT",
  arguments: [3, 3],
  options: {
    "class-field": {
      type: "string",
      value: "NAME",
      help: "polygons: field of SOURCE that holds the class, numbers or text",
    },
    mean: {
      type: "string",
      value: "A,B",
      help: "polygons: fields of numbers to average over each zone, weighted by area",
    },
    classes: { type: "string", value: "FILE.json", help: "names and colours: [{value, name, color}]" },
    "area-unit": { type: "string", value: "ha|km2|m2|share", help: "unit of the area columns (default ha)" },
    "min-share": {
      type: "string",
      value: "F",
      help: "no dominant class below this share of the observed area",
    },
    tie: {
      type: "string",
      value: "min|max|first",
      help: "which class wins a tie: smallest value (default), largest, first met",
    },
    pixels: { type: "string", value: "RULE", help: "rasters: center (default), all-touched" },
    surface: {
      type: "string",
      value: "plane|ellipsoid|sphere",
      help: "where areas are measured (default: plane for projected data, ellipsoid for degrees; sphere as Earth Engine)",
    },
    band: { type: "string", value: "N", help: "rasters: band of SOURCE, from 1 (default 1)" },
    layer: { type: "string", value: "NAME", help: "layer of ZONES" },
    "source-layer": { type: "string", value: "NAME", help: "polygons: layer of SOURCE" },
  },
  examples: [
    "tilth dominant basins.gpkg lc100_2019.tif out.geojson",
    "tilth dominant zones.shp landuse.tif out.csv --classes legend.json --area-unit km2",
    "tilth dominant watersheds.gpkg geology.shp out.gpkg --class-field ROCK --mean YIELD",
  ],
  async run(context) {
    const [zones, source, output] = context.positionals as [string, string, string];
    return fileResult(
      await dominantFile(zones, source, output, {
        ...fileOptions(context),
        layer: context.text("layer"),
        sourceLayer: context.text("source-layer"),
        classField: context.text("class-field"),
        meanFields: list(context.text("mean")),
        classes: context.text("classes"),
        areaUnit: oneOf("area-unit", context.text("area-unit"), ["ha", "km2", "m2", "share"] as const, "ha"),
        minShare: context.number("min-share"),
        tie: oneOf("tie", context.text("tie"), ["min", "max", "first"] as const, "min"),
        pixels: context.text("pixels") === undefined ? undefined : pixelRule(context.text("pixels")),
        surface:
          context.text("surface") === undefined
            ? undefined
            : oneOf("surface", context.text("surface"), ["plane", "ellipsoid", "sphere"] as const, "plane"),
        band: context.number("band"),
      }),
    );
  },
};
