import { countPixels, maskWindow, scanRuns } from "../kernels/raster/rasterize.ts";
import { type PixelRule, prepareShapes } from "../kernels/raster/shapes.ts";
import { coverageWindow } from "../kernels/zonal/coverage.ts";
import { GeoError } from "../model/errors.ts";
import type { GeometryColumn } from "../model/geometry.ts";
import type { Grid, Window } from "../model/grid.ts";

/**
 * Which pixels belong to a region: {@link PixelRule}, or `"coverage:0.5"` for the pixels of which it covers at
 * least that share (0 < share <= 1).
 */
export type Pixels = PixelRule | `coverage:${number}`;

/** The pixels of one region on one grid, asked window by window. */
export interface PixelMask {
  /** 1 inside, 0 outside, row-major; one word when the whole window is one of them. */
  window(window: Window): Uint8Array | "all" | "none";
  /** Pixels inside. */
  count(window: Window): number;
  /** Whether all pixels are inside. */
  covers(window: Window): boolean;
}

/**
 * @throws GeoError `INVALID_INPUT` for a rule that is not known.
 */
export function pixelMask(geometry: GeometryColumn, grid: Grid, pixels: Pixels): PixelMask {
  if (pixels === "center" || pixels === "all-touched") {
    const shapes = prepareShapes(geometry, grid, pixels);
    return {
      window: (window) => maskWindow(shapes, window),
      count: (window) => countPixels(shapes, window),
      covers: (window) => countPixels(shapes, window) === window.width * window.height,
    };
  }
  const share = coverageShare(pixels);
  const shapes = prepareShapes(geometry, grid, "all-touched");
  const mask: PixelMask = {
    window(window) {
      // Most windows of a large raster lie wholly outside or inside; runs tell without a number per pixel.
      if (scanRuns(shapes, window).count === 0) return "none";
      const coverage = coverageWindow(shapes, window);
      const out = new Uint8Array(coverage.length);
      let inside = 0;
      for (let i = 0; i < out.length; i++) {
        if (coverage[i]! >= share) {
          out[i] = 1;
          inside++;
        }
      }
      return inside === 0 ? "none" : inside === out.length ? "all" : out;
    },
    count(window) {
      const part = mask.window(window);
      if (typeof part === "string") return part === "all" ? window.width * window.height : 0;
      let count = 0;
      for (let i = 0; i < part.length; i++) count += part[i]!;
      return count;
    },
    covers: (window) =>
      countPixels(shapes, window) === window.width * window.height && mask.window(window) === "all",
  };
  return mask;
}

/** The number in `"coverage:F"`. */
export function coverageShare(pixels: string): number {
  const text = /^coverage:(.+)$/.exec(pixels)?.[1];
  const share = text === undefined ? Number.NaN : Number(text);
  if (share > 0 && share <= 1) return share;
  const expected = "center, all-touched or coverage:F with 0 < F <= 1";
  throw new GeoError("INVALID_INPUT", `pixels: expected ${expected}, found ${JSON.stringify(pixels)}`, {
    path: "pixels",
    expected,
  });
}
