import { warpFile } from "../../jobs/files/warp.ts";
import type { Command } from "../command.ts";
import { oneOf, usage, wrongValue } from "../main.ts";
import { bounds, cogOptionSpecs, cogOptions, fileOptions, fileResult } from "../shared.ts";

const METHODS = [
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
] as const;

export const warp: Command = {
  name: "warp",
  summary: "Bring a raster to another CRS, resolution or extent, or onto the grid of another raster",
  usage: "IN OUT",
  arguments: [2, 2],
  options: {
    to: { type: "string", value: "CRS", help: "CRS of OUT (default: that of IN, or of --like)" },
    resampling: {
      type: "string",
      value: "METHOD",
      help: `${METHODS.join(", ")} (default near)`,
    },
    res: { type: "string", value: "X[,Y]", help: "cell size in units of the new CRS" },
    extent: {
      type: "string",
      value: "W,S,E,N",
      help: "bounds of OUT in the new CRS; W > E crosses 180 degrees",
    },
    width: { type: "string", value: "N", help: "columns of OUT" },
    height: { type: "string", value: "N", help: "rows of OUT" },
    like: { type: "string", value: "RASTER", help: "take the grid of RASTER as it is" },
    snap: {
      type: "string",
      value: "source|tap",
      help: "cell edges at multiples of the cell size: from the corner of IN, or from 0",
    },
    "source-nodata": { type: "string", value: "V", help: "sample of IN that means no observation" },
    nodata: { type: "string", value: "V", help: "sample of OUT that means no observation" },
    approximate: {
      type: "string",
      value: "PIXELS",
      help: "error that positions may have, in pixels of IN (default: exact; gdalwarp has 0.125)",
    },
    ...cogOptionSpecs,
  },
  examples: [
    "tilth warp dem.tif dem-utm.tif --to EPSG:32643 --resampling bilinear",
    "tilth warp landcover.tif out.tif --like dem.tif",
    "tilth warp ndvi.tif coarse.tif --res 250 --resampling average --snap tap",
  ],
  async run(context) {
    const [input, output] = context.positionals as [string, string];
    const like = context.text("like");
    const grid = ["to", "res", "extent", "width", "height", "snap"] as const;
    if (like === undefined && grid.every((name) => context.text(name) === undefined)) {
      throw usage("tilth warp needs a grid for OUT", "Pass --to CRS, --like RASTER, --res or --extent.");
    }
    const clash = grid.slice(1).find((name) => context.text(name) !== undefined);
    if (like !== undefined && clash !== undefined) {
      throw usage(`--like and --${clash} cannot both be given`, "--like takes the whole grid of a raster.");
    }
    const snap = context.text("snap");
    return fileResult(
      await warpFile(input, output, {
        ...fileOptions(context),
        ...cogOptions(context),
        to: context.text("to"),
        resampling: oneOf("resampling", context.text("resampling"), METHODS, "near"),
        res: sizes(context.text("res")),
        extent: extent(context.text("extent")),
        width: context.number("width"),
        height: context.number("height"),
        like,
        snap: snap === undefined ? undefined : oneOf("snap", snap, ["source", "tap"] as const, "source"),
        sourceNodata: context.number("source-nodata"),
        nodata: context.number("nodata"),
        approximate: context.number("approximate"),
      }),
    );
  },
};

/** One size or two. */
function sizes(text: string | undefined): number | readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(/[\s,]+/).map(Number);
  const [x, y] = numbers;
  if (numbers.length > 2 || !numbers.every((size) => size > 0 && Number.isFinite(size)))
    throw wrongValue("res", text, "a size above 0, or two as X,Y");
  return y === undefined ? x! : [x!, y];
}

/** Like other bounds, but W > E is across the antimeridian. */
function extent(text: string | undefined): readonly [number, number, number, number] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(/[\s,]+/).map(Number);
  const [w, s, e, n] = numbers;
  if (numbers.length === 4 && w! > e!) {
    bounds("extent", [e, s, w, n].join(","));
    return [w!, s!, e!, n!];
  }
  return bounds("extent", text);
}
