import { type CompositeFileOptions, compositeFile } from "../../jobs/files/composite.ts";
import type { Command } from "../command.ts";
import { oneOf, wrongValue } from "../main.ts";
import { cogOptionSpecs, cogOptions, fileOptions, fileResult, list } from "../shared.ts";

export const composite: Command = {
  name: "composite",
  summary: "Composite a dated stack of rasters, one band or file per period",
  usage: "OUT IN...",
  arguments: [1, Number.POSITIVE_INFINITY],
  options: {
    method: {
      type: "string",
      value: "METHOD",
      help: "median (default), mean, min, max, mode, sum, count, variety, stdev, variance, first, last, mosaic, anyNonZero, percentile:Q, medoid, geomedian, best:BAND, best:BAND:min",
    },
    period: {
      type: "string",
      value: "PERIOD",
      help: "all (default), month, dekad, week, season, year, agri-year, crop-season, kharif, rabi, zaid, or steps such as P16D, P1M",
    },
    start: { type: "string", value: "DATE", help: "scenes from this date on (default: the first)" },
    end: { type: "string", value: "DATE", help: "scenes before this date (default: to the last)" },
    anchor: {
      type: "string",
      value: "start|year|agri-year",
      help: "where steps such as P16D are counted from (default start)",
    },
    stack: {
      type: "string",
      value: "FILE",
      help: "manifest (JSON, YAML, STAC ItemCollection) instead of IN",
    },
    bands: { type: "string", value: "A,B", help: "bands to take, by name, number (b1) or file suffix" },
    quality: { type: "string", value: "NAME", help: "quality band, by name or file suffix" },
    qa: {
      type: "string",
      value: "RULE",
      help: "what the quality band must say: landsat-qa-pixel, landsat-bqa, hls-fmask, modis-summary-qa, s2-scl, or conditions such as bits:3;bits:8-9=2,3 or keep:4,5",
    },
    dilate: { type: "string", value: "PIXELS", help: "mask so many pixels around refused ones" },
    "valid-range": { type: "string", value: "MIN,MAX", help: "samples outside are no observations" },
    physical: { type: "boolean", help: "apply the scale and offset of the bands" },
    "date-pattern": { type: "string", value: "TEXT", help: "date in file names, such as {YYYY}{MM}{DD}" },
    dates: { type: "string", value: "FILE.csv", help: "dates of bands or files: band,date or file,date" },
    duplicates: {
      type: "string",
      value: "keep|first|last|error",
      help: "scenes of one instant (default keep)",
    },
    "max-cloud": {
      type: "string",
      value: "PERCENT",
      help: "leave out scenes with more cloud by the manifest",
    },
    resampling: { type: "string", value: "METHOD", help: "bring scenes on other grids to that of the first" },
    like: {
      type: "string",
      value: "RASTER",
      help: "take the grid of RASTER instead of that of the first scene",
    },
    percentiles: {
      type: "string",
      value: "RULE",
      help: "linear (default), lower, higher, nearest, nearest-rank, earth-engine",
    },
    tie: { type: "string", value: "smallest|largest|first", help: "mode: of equally frequent values" },
    sample: { type: "boolean", help: "stdev, variance: of a sample (divide by n - 1)" },
    order: {
      type: "string",
      value: "last|first|given",
      help: "mosaic: which scene is on top (default last)",
    },
    provenance: { type: "string", value: "LIST", help: "bands to add: count, date, index" },
    type: { type: "string", value: "TYPE", help: "sample type of OUT, such as int16 or float32" },
    nodata: { type: "string", value: "V", help: "sample of OUT that means no value" },
    ...cogOptionSpecs,
  },
  examples: [
    "tilth composite ndvi_median.tif scenes/ --period month",
    "tilth composite max.tif ndvi_stack.tif --method max --provenance count,date",
    "tilth composite red_nir_{period}.tif landsat/ --bands B4,B5 --quality BQA --qa landsat-bqa --period season",
    "tilth composite ndvi.tif --stack scenes.yaml --period P16D --anchor agri-year --start 2019-07-01 --end 2020-07-01",
  ],
  async run(context) {
    const [output, ...inputs] = context.positionals as [string, ...string[]];
    const { text, number } = context;
    const choose = <T extends string>(name: string, words: readonly T[]): T | undefined =>
      text(name) === undefined ? undefined : oneOf(name, text(name), words, words[0]!);
    const range = text("valid-range")
      ?.split(/[\s,]+/)
      .map(Number);
    if (range !== undefined && (range.length !== 2 || range.some(Number.isNaN)))
      throw wrongValue("valid-range", text("valid-range")!, "two numbers MIN,MAX");
    const given = <K extends keyof CompositeFileOptions>(
      value: string | undefined,
    ): CompositeFileOptions[K] => value as CompositeFileOptions[K];
    return fileResult(
      await compositeFile(output, inputs, {
        ...fileOptions(context),
        ...cogOptions(context),
        // Looked at where they are used, with a message that lists the choices.
        method: given<"method">(text("method")),
        period: given<"period">(text("period")),
        percentileRule: given<"percentileRule">(text("percentiles")),
        start: text("start"),
        end: text("end"),
        anchor: choose("anchor", ["start", "year", "agri-year"] as const),
        stack: text("stack"),
        bands: list(text("bands")),
        quality: text("quality"),
        qa: text("qa"),
        dilate: number("dilate"),
        validRange: range === undefined ? undefined : [range[0]!, range[1]!],
        physical: context.flag("physical"),
        datePattern: text("date-pattern"),
        dates: text("dates"),
        duplicates: choose("duplicates", ["keep", "first", "last", "error"] as const),
        maxCloud: number("max-cloud"),
        like: text("like"),
        resampling: choose("resampling", [
          "near",
          "bilinear",
          "cubic",
          "cubicspline",
          "lanczos",
          "average",
          "mode",
          "min",
          "max",
          "med",
          "q1",
          "q3",
          "sum",
        ] as const),
        modeTies: choose("tie", ["smallest", "largest", "first"] as const),
        ddof: context.flag("sample") ? 1 : 0,
        order: choose("order", ["last", "first", "given"] as const),
        provenance: list(text("provenance"))?.map((one) =>
          oneOf("provenance", one, ["count", "date", "index"] as const, "count"),
        ),
        type: choose("type", [
          "uint8",
          "int8",
          "uint16",
          "int16",
          "uint32",
          "int32",
          "float32",
          "float64",
        ] as const),
        nodata: number("nodata"),
      }),
    );
  },
};
