import { countPixels, maskWindow } from "../kernels/raster/rasterize.ts";
import { type PixelRule, type PreparedShapes, prepareShapes } from "../kernels/raster/shapes.ts";
import { type CoverageRuns, coverageRuns, coverageWindow } from "../kernels/zonal/coverage.ts";
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
  return {
    window: (window) => coveredWindow(shapes, window, share),
    count(window) {
      const runs = coverageRuns(shapes, window);
      return severalFeatures(runs)
        ? countOf(coveredWindow(shapes, window, share), window)
        : coveredPixels(runs, share);
    },
    covers(window) {
      const runs = coverageRuns(shapes, window);
      const pixels = window.width * window.height;
      // Shares of several features add up, and may be less than wanted each.
      return severalFeatures(runs)
        ? coveredWindow(shapes, window, share) === "all"
        : coveredPixels(runs, share) === pixels;
    },
  };
}

/** Pixels covered to at least `share`. Windows of one feature, nearly all, need no number for each pixel. */
function coveredWindow(shapes: PreparedShapes, window: Window, share: number): Uint8Array | "all" | "none" {
  const runs = coverageRuns(shapes, window);
  const { count, data, fraction } = runs;
  const { col, row, width, height } = window;
  if (severalFeatures(runs)) {
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
  }
  const inside = coveredPixels(runs, share);
  if (inside === 0) return "none";
  if (inside === width * height) return "all";
  const out = new Uint8Array(width * height);
  for (let k = 0; k < count; k++) {
    if (fraction[k]! < share) continue;
    const at = (data[4 * k + 1]! - row) * width - col;
    out.fill(1, at + data[4 * k + 2]!, at + data[4 * k + 3]!);
  }
  return out;
}

function severalFeatures({ count, data }: CoverageRuns): boolean {
  return count > 0 && data[0] !== data[4 * (count - 1)];
}

/** Pixels of runs of one feature that are covered to at least `share`. */
function coveredPixels({ count, data, fraction }: CoverageRuns, share: number): number {
  let pixels = 0;
  for (let k = 0; k < count; k++) if (fraction[k]! >= share) pixels += data[4 * k + 3]! - data[4 * k + 2]!;
  return pixels;
}

function countOf(mask: Uint8Array | "all" | "none", { width, height }: Window): number {
  if (typeof mask === "string") return mask === "all" ? width * height : 0;
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i]!;
  return count;
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
