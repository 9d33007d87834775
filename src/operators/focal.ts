import { type FocalStatistic, focal, neighbourhood } from "../kernels/raster/focal.ts";
import { GeoError } from "../model/errors.ts";
import type { RasterSource } from "../model/raster.ts";
import { type ComputedBand, computedRaster } from "./computed-raster.ts";

export interface FocalOptions extends ComputedBand {
  /** Default `"mean"`. */
  readonly statistic?: FocalStatistic | undefined;
  /** In pixels; 1 with a square is the 3 x 3 around the pixel. Default 1. */
  readonly radius?: number | undefined;
  /** Default `"square"`. `"circle"`: cells whose centres lie within the radius. */
  readonly shape?: "square" | "circle" | undefined;
  /** Pixels that are not observed stay so. Default true; false fills gaps from around them. */
  readonly keepGaps?: boolean | undefined;
  /** 0-based. Default 0. */
  readonly band?: number | undefined;
}

/** Largest radius; a neighbourhood has up to 40,000 cells then. */
const MAX_RADIUS = 100;

/**
 * A statistic of the pixels around each pixel: smoothing, majority filters, local variation. Missing pixels and those
 * beyond the edge are left out. By default float32 with NaN for none; `min`, `max`, `majority` and `median` keep the
 * type and nodata value of the band where it has one.
 *
 * @throws GeoError `INVALID_INPUT` for a radius that is not from 1 to 100 or a band that is not there
 */
export function focalStatistic(source: RasterSource, options: FocalOptions = {}): RasterSource {
  const { statistic = "mean", radius = 1, shape = "square", keepGaps = true, band = 0, ...output } = options;
  if (!(radius >= 1 && radius <= MAX_RADIUS)) {
    throw new GeoError("INVALID_INPUT", `radius ${radius} is not from 1 to ${MAX_RADIUS} pixels`, {
      path: "radius",
      expected: `1 to ${MAX_RADIUS}`,
    });
  }
  const input = source.bands[band];
  if (input === undefined) {
    throw new GeoError("INVALID_INPUT", `${source.url} has no band ${band + 1}`, {
      path: "band",
      expected: `0 to ${source.bands.length - 1}`,
    });
  }
  const around = neighbourhood(shape, radius);
  const chooses = ["min", "max", "majority"].includes(statistic);
  const kept =
    chooses && output.type === undefined && input.nodata !== null && typeof input.nodata === "number"
      ? { type: input.type, nodata: input.nodata }
      : {};
  return computedRaster(
    [{ source, band }],
    around.radius,
    { description: `${statistic} of ${shape} ${radius}`, ...kept, ...output },
    ([values], window, out) => focal(statistic, values!, window, around, keepGaps, out),
  );
}
