import { type CellLengths, type Light, type TerrainMeasure, terrain } from "../kernels/raster/terrain.ts";
import { isGeographic } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import { type Grid, isAxisAligned } from "../model/grid.ts";
import type { RasterSource } from "../model/raster.ts";
import { computedRaster } from "./computed-raster.ts";
import { cellSizes } from "./hydrology/cell-sizes.ts";

export interface TerrainOptions {
  /** Band of heights, 0-based. Default 0. */
  readonly band?: number | undefined;
  /**
   * Length of a unit of the CRS in the unit of the heights, as `-s` of gdaldem: 111120 for degrees over metres, say.
   * Default: 1 for projected systems; for degrees the true lengths on WGS 84 at the latitude of each row.
   */
  readonly scale?: number | undefined;
  /** Compute pixels at the edge and beside missing heights too. Default false, as gdaldem. */
  readonly computeEdges?: boolean | undefined;
}

export interface SlopeOptions extends TerrainOptions {
  /** Default `"degrees"`. `"percent"`: 100 times rise over run. */
  readonly unit?: "degrees" | "percent" | undefined;
}

export interface HillshadeOptions extends TerrainOptions {
  /** Direction the light comes from, degrees clockwise from north. Default 315. */
  readonly azimuth?: number | undefined;
  /** Of the light above the horizon, degrees. Default 45. */
  readonly altitude?: number | undefined;
  /** Vertical exaggeration. Default 1. */
  readonly exaggeration?: number | undefined;
}

/**
 * Slope of a raster of heights, Horn's method (1981), float32, NaN where it is unknown: beside missing heights and at the
 * edge. Equals `gdaldem slope`.
 *
 * @throws GeoError `UNSUPPORTED` for a rotated grid, `INVALID_INPUT`
 */
export function slope(source: RasterSource, options: SlopeOptions = {}): RasterSource {
  const percent = options.unit === "percent";
  return make(source, percent ? "slope-percent" : "slope-degrees", options, {
    description: "slope",
    unit: percent ? "%" : "degree",
  });
}

/**
 * Direction that the slope faces, degrees clockwise from north, 0 up to 360; NaN on level ground and where it is
 * unknown. Equals `gdaldem aspect` where cells are square; where they are not gdaldem takes them to be.
 *
 * @throws GeoError `UNSUPPORTED` for a rotated grid, `INVALID_INPUT`
 */
export function aspect(source: RasterSource, options: TerrainOptions = {}): RasterSource {
  return make(source, "aspect", options, { description: "aspect", unit: "degree" });
}

/**
 * Shading of the ground, 1 (dark) .. 255 in uint8, nodata 0. Equals `gdaldem hillshade`.
 *
 * @throws GeoError `UNSUPPORTED` for a rotated grid, `INVALID_INPUT`
 */
export function hillshade(source: RasterSource, options: HillshadeOptions = {}): RasterSource {
  const light = {
    azimuth: options.azimuth ?? 315,
    altitude: options.altitude ?? 45,
    exaggeration: options.exaggeration ?? 1,
  };
  return make(source, "hillshade", options, { type: "uint8", nodata: 0, description: "hillshade" }, light);
}

function make(
  source: RasterSource,
  measure: TerrainMeasure,
  { band = 0, scale, computeEdges = false }: TerrainOptions,
  output: Parameters<typeof computedRaster>[2],
  light: Light = { azimuth: 315, altitude: 45, exaggeration: 1 },
): RasterSource {
  const { grid } = source;
  if (!isAxisAligned(grid.transform)) {
    throw new GeoError(
      "UNSUPPORTED",
      `${source.url}: the grid is rotated, ${measure} needs rows and columns along the axes`,
      { feature: `${measure} of a rotated grid` },
      { hint: "Warp the raster to a north-up grid first." },
    );
  }
  if (source.bands[band] === undefined) {
    throw new GeoError("INVALID_INPUT", `${source.url} has no band ${band + 1}`, {
      path: "band",
      expected: `0 to ${source.bands.length - 1}`,
    });
  }
  if (scale !== undefined && !(scale > 0)) {
    throw new GeoError("INVALID_INPUT", `scale ${scale} is not above 0`, {
      path: "scale",
      expected: "above 0",
    });
  }
  const north = grid.transform[4] < 0;
  const lengths = cellLengths(grid, scale);
  return computedRaster([{ source, band }], 1, output, ([heights], window, out) => {
    const end = window.row + window.height;
    const cells = { x: lengths.x.subarray(window.row, end), y: lengths.y.subarray(window.row, end) };
    terrain(measure, heights!, window, cells, north, light, computeEdges, out);
  });
}

/** Lengths of the cells of each row: of degrees on WGS 84, else in units of the CRS times the scale. */
function cellLengths(grid: Grid, scale: number | undefined): CellLengths {
  if (scale === undefined && grid.crs !== null && isGeographic(grid.crs)) return cellSizes(grid);
  const [a, , , , e] = grid.transform;
  return {
    x: new Float64Array(grid.height).fill(Math.abs(a) * (scale ?? 1)),
    y: new Float64Array(grid.height).fill(Math.abs(e) * (scale ?? 1)),
  };
}
