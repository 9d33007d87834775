import { rasterizeFile } from "../../jobs/files/rasterize.ts";
import type { Command } from "../command.ts";
import { oneOf, usage, wrongValue } from "../main.ts";
import { bounds, cogOptionSpecs, cogOptions, fileOptions, fileResult } from "../shared.ts";

const TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "float32",
  "float64",
] as const;

export const rasterize: Command = {
  name: "rasterize",
  summary: "Burn points, lines or polygons into a raster, by an attribute or with one value",
  usage: "IN OUT",
  arguments: [2, 2],
  options: {
    like: { type: "string", value: "RASTER", help: "take the grid of RASTER as it is" },
    res: { type: "string", value: "X[,Y]", help: "cell size in units of the CRS of IN" },
    bounds: {
      type: "string",
      value: "W,S,E,N",
      help: "with --res: extent of OUT (default: that of IN, outward to multiples of the cell size)",
    },
    field: { type: "string", value: "NAME", help: "attribute of numbers to burn" },
    value: { type: "string", value: "V", help: "burn V for every feature instead (default 1)" },
    "all-touched": {
      type: "boolean",
      help: "every pixel that a feature meets (default: polygons those whose centre they hold, lines Bresenham's)",
    },
    add: { type: "boolean", help: "add where features overlap (default: the later one wins)" },
    init: {
      type: "string",
      value: "V",
      help: "pixels that no feature takes, and what --add starts from (default: nodata, else 0)",
    },
    nodata: { type: "string", value: "V", help: "sample of OUT that means no observation (default: none)" },
    type: {
      type: "string",
      value: "TYPE",
      help: `${TYPES.join(", ")} (default: the smallest that holds the values)`,
    },
    where: { type: "string", value: "EXPR", help: "only features for which EXPR is true" },
    layer: { type: "string", value: "NAME", help: "layer of IN" },
    ...cogOptionSpecs,
  },
  examples: [
    "tilth rasterize units.geojson units.tif --like landcover.tif --field uid --nodata 0",
    "tilth rasterize roads.gpkg roads.tif --res 30 --all-touched",
    "tilth rasterize wells.csv count.tif --res 0.01 --bounds 74,14,78,18 --add",
  ],
  async run(context) {
    const [input, output] = context.positionals as [string, string];
    const like = context.text("like");
    const res = context.text("res");
    const box = bounds("bounds", context.text("bounds"));
    if ((like === undefined) === (res === undefined))
      throw usage("tilth rasterize needs one grid for OUT", "Pass --like RASTER, or --res SIZE.");
    if (like !== undefined && box !== undefined)
      throw usage("--like and --bounds cannot both be given", "--like takes the whole grid of a raster.");
    if (context.text("field") !== undefined && context.text("value") !== undefined)
      throw usage("--field and --value cannot both be given", "Pass the attribute to burn, or one value.");
    const type = context.text("type");
    return fileResult(
      await rasterizeFile(input, output, {
        ...fileOptions(context),
        ...cogOptions(context),
        like,
        res: cellSize(res),
        bounds: box,
        field: context.text("field"),
        value: context.number("value"),
        allTouched: context.flag("all-touched"),
        merge: context.flag("add") ? "add" : "replace",
        fill: context.number("init"),
        nodata: context.number("nodata"),
        dtype: type === undefined ? undefined : oneOf("type", type, TYPES, "uint8"),
        where: context.text("where"),
        layer: context.text("layer"),
      }),
    );
  },
};

function cellSize(text: string | undefined): number | readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(/[\s,]+/).map(Number);
  const [x, y] = numbers;
  if (numbers.length > 2 || !numbers.every((size) => size > 0 && Number.isFinite(size)))
    throw wrongValue("res", text, "a size above 0, or two as X,Y");
  return y === undefined ? x! : [x!, y];
}
