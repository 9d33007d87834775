import { breachDepressions } from "../../kernels/hydrology/breach-depressions.ts";
import { codeTable, type DirectionCodes } from "../../kernels/hydrology/direction-codes.ts";
import {
  fillDepressions as fillHeights,
  fillWithGradient,
} from "../../kernels/hydrology/fill-depressions.ts";
import { flowDirections } from "../../kernels/hydrology/flow-direction.ts";
import type { Heights } from "../../kernels/hydrology/frame.ts";
import { GeoError } from "../../model/errors.ts";
import type { Grid } from "../../model/grid.ts";
import { isFloat, makeBand, type RasterSource } from "../../model/raster.ts";
import { cellSizes } from "./cell-sizes.ts";
import { bandOf, CODES, mirrored } from "./directions.ts";
import { framedSource, readHeights, type WholeRasterOptions } from "./framed.ts";

export interface FillOptions extends WholeRasterOptions {
  /**
   * `"fill"` (default): raise depressions to where they overflow. `"breach"`: cut a channel out of each at the level of its
   * bottom, and fill only those that need a channel longer than `maxLength`.
   */
  readonly method?: "fill" | "breach" | undefined;
  /** Cells of a channel at the most. Default: no limit. */
  readonly maxLength?: number | undefined;
  /**
   * Least rise, in the unit of the heights, of a cell above the one that it drains to, so that no level ground is left; heights
   * of whole numbers become fractions. `Number.MIN_VALUE`: the least that the number type can hold. Default 0: filled
   * depressions are level, and directions over them are found from their shape, which follows the ground better.
   */
  readonly gradient?: number | undefined;
}

/** A lazy raster of heights that drain. */
export interface FilledRaster extends RasterSource {
  /** Complete when the first pixels have been read. */
  readonly report: {
    /** Cells that are higher than before. */
    raised: number;
    /** Cells that are lower: channels. */
    lowered: number;
    /** Depressions that needed too long a channel. */
    unbreached: number;
  };
}

/**
 * Heights in which every cell drains: a way that never climbs leads to the edge or to a cell without a height. The band keeps
 * its type and its nodata (float32 or float64 with `gradient`). Nothing is computed until pixels are read; then the whole
 * raster is, once, and kept until the source is closed.
 *
 * Method: priority flood (Barnes, Lehman and Mulla 2014; Zhou, Sun and Fu 2016); breaching after Soille (2004).
 *
 * @throws GeoError `INVALID_INPUT`, `UNSUPPORTED` rotated grids; when read, `LIMIT` beyond `maxCells`
 */
export function fillDepressions(source: RasterSource, options: FillOptions = {}): FilledRaster {
  const { band = 0, gradient = 0 } = options;
  if (!(gradient >= 0 && Number.isFinite(gradient))) throw badOption("gradient", gradient, "0 or more");
  const description = bandOf(source, band);
  const single = ["int8", "uint8", "int16", "uint16", "float16", "float32"].includes(description.type);
  const type = gradient > 0 ? (single ? "float32" : "float64") : description.type;
  const nodata = description.nodata ?? (isFloat(type) ? Number.NaN : null);
  const report = { raised: 0, lowered: 0, unbreached: 0 };
  const metadata = withoutStatistics(description.metadata);
  const hasMask = nodata === null && source.hasMask;
  const filled = framedSource(
    source,
    { ...description, type, nodata, metadata },
    async (signal) => {
      const heights = await readHeights(source, { ...options, signal: signal ?? options.signal });
      Object.assign(report, drain(heights, source.grid, options));
      const mask = hasMask ? new Uint8Array(heights.length).fill(255) : null;
      const missing = Number(nodata ?? 0);
      for (let i = 0; i < heights.length; i++) {
        if (!Number.isNaN(heights[i]!)) continue;
        heights[i] = missing;
        if (mask !== null) mask[i] = 0;
      }
      return { values: heights, mask };
    },
    hasMask,
  );
  return { ...filled, report };
}

function drain(
  heights: Heights,
  grid: Grid,
  { method = "fill", maxLength = Infinity, gradient = 0 }: FillOptions,
): FilledRaster["report"] {
  const { lowered, left } =
    method === "breach" ? breachDepressions(heights, grid, maxLength) : { lowered: 0, left: 0 };
  const raised = gradient > 0 ? fillWithGradient(heights, grid, gradient) : fillHeights(heights, grid);
  return { raised, lowered, unbreached: left };
}

export interface FlowDirectionOptions extends WholeRasterOptions {
  /** Default `"fill"`. `"keep"`: cells of depressions whose water has no way out get the code 0. */
  readonly depressions?: "fill" | "breach" | "keep" | undefined;
  /** With `"breach"`: see {@link FillOptions}. */
  readonly maxLength?: number | undefined;
  /** Default `"esri"`. */
  readonly codes?: DirectionCodes | undefined;
  /**
   * Cells at the edge and beside missing heights: `"steepest"` (default) drain out only when no neighbour is lower;
   * `"outward"`: always.
   */
  readonly edges?: "steepest" | "outward" | undefined;
}

/**
 * Where the water of each cell goes, to one of its eight neighbours (D8), from a raster of heights. Steepest way down by true
 * distances (in degrees: on WGS 84), the first of equals clockwise from east; level ground drains away from higher ground and
 * towards its outlets (Garbrecht and Martz 1997; Barnes, Lehman and Mulla 2014). Following the directions never leads in a
 * circle.
 *
 * Codes `"esri"`: uint8, 1 east, 2 south-east, 4, 8, 16, 32, 64, 128 clockwise, 0 a pit, nodata 255. Codes `"grass"`: int16, 1
 * north-east, 2 north .. 8 east counter-clockwise, negative where water leaves, 0 a pit, nodata -9999. Lazy, see
 * {@link fillDepressions}.
 *
 * @throws GeoError `INVALID_INPUT`, `UNSUPPORTED` rotated grids; when read, `LIMIT` beyond `maxCells`
 */
export function flowDirection(source: RasterSource, options: FlowDirectionOptions = {}): RasterSource {
  const { codes = "esri", depressions = "fill", edges = "steepest" } = options;
  bandOf(source, options.band ?? 0);
  const nodata = codes === "esri" ? 255 : -9999;
  const band = makeBand({
    type: codes === "esri" ? "uint8" : "int16",
    nodata,
    description: "flow direction",
    metadata: { [CODES]: codes },
  });
  return framedSource(source, band, async (signal) => {
    const heights = await readHeights(source, { ...options, signal: signal ?? options.signal });
    if (depressions !== "keep")
      drain(heights, source.grid, { method: depressions, maxLength: options.maxLength });
    const directions = flowDirections(heights, source.grid, cellSizes(source.grid), edges === "outward");
    const table = codeTable(codes, mirrored(source.grid), nodata);
    const values = codes === "esri" ? directions : new Int16Array(directions.length);
    for (let i = 0; i < directions.length; i++) values[i] = table[directions[i]!]!;
    return { values };
  });
}

function withoutStatistics(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !key.startsWith("STATISTICS_")));
}

function badOption(name: string, found: unknown, expected: string): GeoError<"INVALID_INPUT"> {
  return new GeoError("INVALID_INPUT", `${name} is ${found}, expected ${expected}`, { path: name, expected });
}
