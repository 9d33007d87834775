import { type DominantFileOptions, dominantFile } from "../../jobs/files/dominant.ts";
import type { Command } from "../command.ts";
import { oneOf } from "../main.ts";
import { fileOptions, fileResult, list, pixelRule } from "../shared.ts";

export const dominant: Command = {
  name: "dominant",
  summary:
    "Area and share of each class and the dominant class, per zone, from a class raster or class polygons",
  usage: "ZONES SOURCE... OUT",
  arguments: [3, Number.POSITIVE_INFINITY],
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
    pixels: {
      type: "string",
      value: "RULE",
      help: "rasters: center (default), all-touched, coverage (exact shares), coverage:F (at least F)",
    },
    others: {
      type: "string",
      value: "keep|ignore",
      help: "rasters: values that --classes does not list (default keep)",
    },
    changes: {
      type: "string",
      value: "FILE",
      help: "several rasters: table of what became what, over all zones",
    },
    "zone-changes": { type: "string", value: "FILE", help: "the same for each zone" },
    "zone-id": { type: "string", value: "NAME", help: "field that names the zones in --zone-changes" },
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
    "tilth dominant basins.gpkg lc_2015.tif lc_2019.tif out.csv --pixels coverage --changes change.csv",
    "tilth dominant watersheds.gpkg geology.shp out.gpkg --class-field ROCK --mean YIELD",
  ],
  async run(context) {
    const zones = context.positionals[0]!;
    const sources = context.positionals.slice(1, -1);
    const output = context.positionals.at(-1)!;
    const others = context.text("others");
    return fileResult(
      await dominantFile(zones, sources, output, {
        ...fileOptions(context),
        layer: context.text("layer"),
        sourceLayer: context.text("source-layer"),
        classField: context.text("class-field"),
        meanFields: list(context.text("mean")),
        classes: context.text("classes"),
        areaUnit: oneOf("area-unit", context.text("area-unit"), ["ha", "km2", "m2", "share"] as const, "ha"),
        minShare: context.number("min-share"),
        tie: oneOf("tie", context.text("tie"), ["min", "max", "first"] as const, "min"),
        pixels: zonePixels(context.text("pixels")),
        others:
          others === undefined ? undefined : oneOf("others", others, ["keep", "ignore"] as const, "keep"),
        changes: context.text("changes"),
        zoneChanges: context.text("zone-changes"),
        zoneId: context.text("zone-id"),
        surface:
          context.text("surface") === undefined
            ? undefined
            : oneOf("surface", context.text("surface"), ["plane", "ellipsoid", "sphere"] as const, "plane"),
        band: context.number("band"),
      }),
    );
  },
};

/** As {@link pixelRule}, and `coverage`. */
function zonePixels(text: string | undefined): DominantFileOptions["pixels"] {
  return text === undefined || text === "coverage" ? text : pixelRule(text);
}
