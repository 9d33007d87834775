import { GeoError } from "../model/errors.ts";
import type { FeatureTable } from "../model/features.ts";
import {
  type Bounds,
  boundsWindow,
  fullWindow,
  gridBounds,
  intersectWindows,
  type Window,
  windowGrid,
} from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  type RasterSource,
  type SampleArray,
  type SampleValue,
} from "../model/raster.ts";
import { type PixelMask, type Pixels, pixelMask } from "./pixel-mask.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";
import { tileReader } from "./tile-reader.ts";

export interface ClipRasterOptions {
  /** Which pixels count as inside. Default `"center"`. */
  readonly pixels?: Pixels | undefined;
  /**
   * Cut the grid to the region's bounds. Default true, false with `invert`. `"tiles"`: to the tiles of the source that
   * the bounds meet, so that a writer may copy the tiles that lie wholly inside instead of encoding them again.
   */
  readonly crop?: boolean | "tiles" | undefined;
  /** With crop `"tiles"`: the tiles to cut to, in pixels; default those of the source. */
  readonly tile?: { readonly width: number; readonly height: number } | undefined;
  /** Keep what lies outside the region instead. Default false. */
  readonly invert?: boolean | undefined;
  /**
   * Value of the pixels that are cut away. Default: the nodata value of the band; NaN for bands of fractions
   * without one; for whole numbers without one pixels are 0 and a mask says that they are not observed. A band
   * without nodata takes `fill` as its nodata value.
   */
  readonly fill?: SampleValue | undefined;
  /** Default `"transform"`: the region is brought to the raster's CRS, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Bytes of tiles to keep for neighbouring windows. Default 32 MB. */
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClipRasterReport {
  /** Pixels kept. */
  readonly pixelsInside: number;
  /** Pixels of the result. */
  readonly pixels: number;
  /** Where the result lies in the source. */
  readonly window: Window;
  /** True when the region meets the raster but no pixel is inside by the rule. */
  readonly noCenterInside: boolean;
  readonly warnings: readonly string[];
}

/** A lazy view of a raster cut to a region. */
export interface ClippedRaster extends RasterSource {
  readonly report: ClipRasterReport;
}

/**
 * Pixels by which the region may pass a cell edge and still count as ending on it: rounding of coordinates only.
 * The thousandth of a pixel that GDAL allows would cut off pixels that the region does touch.
 */
const EDGE_TOLERANCE = 1e-6;

/** Size of the windows in which pixels are counted. */
const COUNT_ROWS = 512;
const COUNT_COLUMNS = 8192;

/**
 * Cut a raster to a region. The result lies on the grid of the source: a whole number of columns and rows
 * off its origin, same cells, never resampled. Nothing is read until the result is; tiles that the region does not
 * meet are never read.
 *
 * The window is the region's bounds rounded outward to whole pixels (with crop `"tiles"` to whole tiles), cut to the
 * raster, at least one pixel.
 * Sources' masks are kept and cut too; statistics of the whole raster are dropped from the bands' metadata. Edges
 * of a region in another CRS are followed to a thousandth of a pixel.
 *
 * Cost of the call: the region's edges. Cost of reading: the tiles met, one pass.
 *
 * @param region  Polygons (or lines and points, by the rules of {@link PixelRule}), several count as their union;
 *                or bounds in the raster's CRS.
 * @throws GeoError `NO_OVERLAP`, `CRS_MISMATCH`, `INVALID_INPUT`
 */
export async function clipRaster(
  source: RasterSource,
  region: FeatureTable | Bounds,
  options: ClipRasterOptions = {},
): Promise<ClippedRaster> {
  const { pixels = "center", invert = false, fill, signal } = options;
  const crop = options.crop ?? !invert;
  const [a, b, , d, e] = source.grid.transform;
  const cell = Math.min(Math.hypot(a, d), Math.hypot(b, e));
  const { geometry, bounds, warnings } = regionIn(region, source.grid.crs, {
    onCrsMismatch: options.onCrsMismatch,
    tolerance: cell / 1000,
  });
  const met = boundsMeet(bounds, gridBounds(source.grid))
    ? boundsWindow(source.grid, bounds, EDGE_TOLERANCE)
    : null;
  if (met === null && crop) throw noOverlap(source, bounds);
  const tile = options.tile ?? source.tile;
  const window = !crop ? fullWindow(source.grid) : crop === "tiles" ? wholeTiles(source, met!, tile) : met!;
  const mask = pixelMask(geometry, source.grid, pixels);
  const bands = source.bands.map((band, k) => clippedBand(band, k, fill));
  const outside = bands.map(({ outside }) => outside);
  const needsMask = bands.some(({ masked }) => masked);
  const inside = met === null ? 0 : countInside(mask, met, signal);
  const total = window.width * window.height;
  const noted = [...warnings];
  if (inside === 0) {
    noted.push(
      met === null
        ? "the region misses the raster"
        : `no pixel is inside by the rule ${JSON.stringify(pixels)}: the region is narrower than the pixels; try "all-touched"`,
    );
  }
  const tiles = tileReader(source, options.memory);
  const masked = source.hasMask || needsMask;
  const types = source.bands.map(({ type }) => type);
  const met0 = met;
  const inSource = ({ col, row, width, height }: Window): Window => ({
    col: col + window.col,
    row: row + window.row,
    width,
    height,
  });
  // A mask that the result has and the source has not says "observed" there.
  const unchanged = (wanted: Window): boolean => {
    const at = inSource(wanted);
    const some = met0 !== null && intersectWindows(at, met0) !== null;
    return invert ? !some || mask.count(at) === 0 : some && mask.covers(at);
  };

  return {
    url: source.url,
    grid: windowGrid(source.grid, window),
    bands: bands.map(({ band }) => band),
    tile: source.tile,
    hasMask: masked,
    metadata: source.metadata,
    ...(crop === "tiles" ? { origin: { source, col: window.col, row: window.row, unchanged } } : {}),
    report: {
      pixelsInside: invert ? total - inside : inside,
      pixels: total,
      window,
      noCenterInside: inside === 0 && met !== null,
      warnings: noted,
    },
    async read(wanted, read = {}) {
      read.signal?.throwIfAborted();
      const at = inSource(wanted);
      const keep = keepOf(mask, at, met0, invert);
      const numbers = read.bands ?? types.map((_, k) => k);
      if (keep === "all") {
        const { bands, mask } = await tiles.view(at, read);
        return { window: wanted, bands, mask: masked ? (mask ?? combine(null, keep, at)) : null };
      }
      const block = await tiles.read(
        at,
        read,
        (tile) => keep !== "none" && someInside(keep, at, intersectWindows(tile, at)!),
      );
      for (const [k, band] of numbers.entries())
        blank(block.bands[k]!, keep, outside[band]!, isComplex(types[band]!) ? 2 : 1);
      return { window: wanted, bands: block.bands, mask: masked ? combine(block.mask, keep, at) : null };
    },
    close: () => source.close(),
  };
}

/** What to keep of a window: `met` is the part of the raster outside which no pixel can be inside. */
function keepOf(
  mask: PixelMask,
  window: Window,
  met: Window | null,
  invert: boolean,
): Uint8Array | "all" | "none" {
  const inside = met === null || intersectWindows(window, met) === null ? "none" : mask.window(window);
  if (!invert) return inside;
  if (inside === "all") return "none";
  if (inside === "none") return "all";
  for (let i = 0; i < inside.length; i++) inside[i] = 1 - inside[i]!;
  return inside;
}

/** The window that the tiles which `met` meets make up. */
function wholeTiles(
  { grid }: RasterSource,
  met: Window,
  tile: { readonly width: number; readonly height: number },
): Window {
  const col = met.col - (met.col % tile.width);
  const row = met.row - (met.row % tile.height);
  const right = Math.ceil((met.col + met.width) / tile.width) * tile.width;
  const bottom = Math.ceil((met.row + met.height) / tile.height) * tile.height;
  return {
    col,
    row,
    width: Math.min(right, grid.width) - col,
    height: Math.min(bottom, grid.height) - row,
  };
}

function countInside(mask: PixelMask, met: Window, signal: AbortSignal | undefined): number {
  let count = 0;
  for (let row = met.row; row < met.row + met.height; row += COUNT_ROWS) {
    signal?.throwIfAborted();
    const height = Math.min(COUNT_ROWS, met.row + met.height - row);
    // Windows of limited width bound the memory, whatever the raster's.
    for (let col = met.col; col < met.col + met.width; col += COUNT_COLUMNS) {
      const width = Math.min(COUNT_COLUMNS, met.col + met.width - col);
      count += mask.count({ col, row, width, height });
    }
  }
  return count;
}

function someInside(keep: Uint8Array, window: Window, part: Window): boolean {
  const left = part.col - window.col;
  const bottom = part.row + part.height - window.row;
  for (let row = part.row - window.row; row < bottom; ) {
    const start = row * window.width + left;
    const at = keep.indexOf(1, start);
    if (at === -1) return false;
    if (at < start + part.width) return true;
    // Rows that the search has passed hold none of the part.
    const found = Math.floor(at / window.width);
    row = at - found * window.width < left + part.width ? Math.max(found, row + 1) : found + 1;
  }
  return false;
}

function blank(samples: SampleArray, keep: Uint8Array | "none", value: SampleValue, pair: number): void {
  if (keep === "none") {
    samples.fill(value as never);
    return;
  }
  let i = 0;
  while (i < keep.length) {
    const start = keep.indexOf(0, i);
    if (start === -1) return;
    let end = keep.indexOf(1, start);
    if (end === -1) end = keep.length;
    samples.fill(value as never, pair * start, pair * end);
    i = end;
  }
}

function combine(mask: Uint8Array | null, keep: Uint8Array | "all" | "none", window: Window): Uint8Array {
  const out = mask ?? new Uint8Array(window.width * window.height).fill(255);
  if (keep === "none") out.fill(0);
  else if (keep !== "all") {
    for (let i = 0; i < out.length; i++) if (keep[i] === 0) out[i] = 0;
  }
  return out;
}

/** A band of the result, the value of its pixels outside, and whether only a mask can say that they are. */
function clippedBand(
  band: Band,
  k: number,
  fill: SampleValue | undefined,
): { band: Band; outside: SampleValue; masked: boolean } {
  const metadata = Object.fromEntries(
    Object.entries(band.metadata).filter(([key]) => !key.startsWith("STATISTICS_")),
  );
  const clean = { ...band, metadata };
  const nodata = band.nodata === null ? null : sampleOf(band.nodata, band);
  if (fill !== undefined) {
    const outside = sampleOf(fill, band);
    if (outside === null) {
      const range = integerRange(band.type);
      throw new GeoError(
        "INVALID_INPUT",
        `fill ${fill} does not fit band ${k + 1}, which holds ${band.type}`,
        {
          path: "fill",
          expected: range === null ? "a number" : `a whole number from ${range[0]} to ${range[1]}`,
        },
      );
    }
    return { band: band.nodata === null ? { ...clean, nodata: fill } : clean, outside, masked: false };
  }
  if (nodata !== null) return { band: clean, outside: nodata, masked: false };
  if (isFloat(band.type) && !isComplex(band.type)) {
    return { band: { ...clean, nodata: Number.NaN }, outside: Number.NaN, masked: false };
  }
  return { band: clean, outside: sampleOf(0, band)!, masked: true };
}

/** A value as the array of a band holds it; `null` when it cannot. */
function sampleOf(value: SampleValue, { type }: Band): SampleValue | null {
  const range = integerRange(type);
  if (range === null)
    return type.startsWith("complexint") && !Number.isInteger(Number(value)) ? null : Number(value);
  if (typeof value === "number" && !Number.isInteger(value)) return null;
  const whole = BigInt(value);
  if (whole < range[0] || whole > range[1]) return null;
  return type === "int64" || type === "uint64" ? whole : Number(whole);
}

function boundsMeet(a: Bounds, b: Bounds): boolean {
  return a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1]
    ? true
    : // A region of no width or height may still lie inside.
      a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1] && (a[0] === a[2] || a[1] === a[3]);
}

function noOverlap(source: RasterSource, bounds: Bounds): GeoError<"NO_OVERLAP"> {
  const left = gridBounds(source.grid).join(", ");
  const right = bounds.join(", ");
  return new GeoError(
    "NO_OVERLAP",
    `${source.url}: the region [${right}] misses the raster [${left}]`,
    { left, right },
    { hint: "Check that both are in the CRS they say they are in." },
  );
}
