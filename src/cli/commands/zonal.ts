import { zonalFile } from "../../jobs/files/zonal.ts";
import type { Command } from "../command.ts";
import { oneOf, wrongValue } from "../main.ts";
import { fileOptions, fileResult, list } from "../shared.ts";

export const zonal: Command = {
  name: "zonal",
  summary: "Statistics of the pixels of a raster in each zone, with exact coverage",
  usage: "RASTER ZONES OUT",
  arguments: [3, 3],
  options: {
    stats: {
      type: "string",
      value: "A,B",
      help: "count, sum, mean, min, max (default); cells, covered, range, variance, stdev, sample_variance, sample_stdev, cv, median, quantile:Q, majority, minority, variety, values, frac, histogram, skew, kurtosis, area, nodata_count, nodata_share, min_x, min_y, max_x, max_y, weights, weighted_sum, weighted_mean, weighted_variance, weighted_stdev, weighted_frac",
    },
    pixels: {
      type: "string",
      value: "RULE",
      help: "coverage (default: pixels weigh what the zone covers of them), center, all-touched, or coverage:F: whole pixels covered at least F",
    },
    "min-coverage": { type: "string", value: "F", help: "leave out pixels covered less than this share" },
    preset: {
      type: "string",
      value: "gdal|exactextract|gee|rasterstats|qgis",
      help: "pixels, ties and quantiles as another tool has them",
    },
    tie: {
      type: "string",
      value: "min|max|first",
      help: "majority of several values with the same weight (default max)",
    },
    quantiles: {
      type: "string",
      value: "weighted|hf7",
      help: "weigh pixels by coverage in quantiles (default), or count each once",
    },
    area: {
      type: "string",
      value: "plane|geodesic|sphere",
      help: "weigh pixels by their area in square metres too; sphere as Earth Engine",
    },
    weights: { type: "string", value: "RASTER", help: "weights of the weighted statistics" },
    "weights-band": { type: "string", value: "N", help: "band of the weights, from 1 (default 1)" },
    band: { type: "string", value: "N,M", help: "bands of RASTER, from 1 (default all)" },
    layer: { type: "string", value: "NAME", help: "layer of ZONES" },
    fields: { type: "string", value: "A,B", help: "attributes of ZONES to keep (default all)" },
  },
  examples: [
    "tilth zonal dem.tif basins.gpkg out.gpkg --stats mean,stdev,min,max",
    "tilth zonal landcover.tif districts.shp out.csv --stats majority,frac --pixels center",
    "tilth zonal mask.tif units.geojson out.parquet --stats sum --area sphere",
    "tilth zonal ndvi.tif fields.fgb out.geojson --stats weighted_mean --weights population.tif",
  ],
  async run(context) {
    const { text, number } = context;
    const [raster, zones, output] = context.positionals as [string, string, string];
    const weightsBand = number("weights-band");
    const chosen = <T extends string>(name: string, values: readonly [T, ...T[]]): T | undefined =>
      text(name) === undefined ? undefined : oneOf(name, text(name), values, values[0]);
    return fileResult(
      await zonalFile(raster, zones, output, {
        ...fileOptions(context),
        stats: list(text("stats")),
        pixels: zonalPixels(text("pixels")),
        minCoverage: number("min-coverage"),
        preset: chosen("preset", ["gdal", "exactextract", "gee", "rasterstats", "qgis"]),
        tie: chosen("tie", ["min", "max", "first"]),
        quantiles: chosen("quantiles", ["weighted", "hf7"]),
        area: chosen("area", ["plane", "geodesic", "sphere"]),
        weights: text("weights"),
        weightsBand: weightsBand === undefined ? undefined : weightsBand - 1,
        bands: bandNumbers(text("band")),
        layer: text("layer"),
        fields: list(text("fields")),
      }),
    );
  },
};

function zonalPixels(
  text: string | undefined,
): "coverage" | "center" | "all-touched" | `coverage:${number}` | undefined {
  if (text === undefined) return undefined;
  if (text.startsWith("coverage:")) {
    const share = Number(text.slice("coverage:".length));
    if (!(share > 0 && share <= 1))
      throw wrongValue("pixels", text, "coverage:F with F above 0 and at most 1");
    return `coverage:${share}`;
  }
  return oneOf("pixels", text, ["coverage", "center", "all-touched"] as const, "coverage");
}

/** `1,3` as `[0, 2]`. */
function bandNumbers(text: string | undefined): number[] | undefined {
  return list(text)?.map((one) => {
    const band = Number(one);
    if (!Number.isInteger(band) || band < 1) throw wrongValue("band", text!, "whole numbers from 1");
    return band - 1;
  });
}
