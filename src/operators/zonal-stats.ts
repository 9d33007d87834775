import { type Executor, inline } from "../execution/executor.ts";
import type { PreparedShapes } from "../kernels/raster/shapes.ts";
import { buildBoxTree, newHits, searchBoxes } from "../kernels/vector/box-tree.ts";
import { COUNTS, type ZonalBand, type ZonalGroup } from "../kernels/zonal/accumulate.ts";
import type { MajorityTie, QuantileMethod } from "../kernels/zonal/statistics.ts";
import { ZonalTally } from "../kernels/zonal/tally.ts";
import { GeoError } from "../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../model/features.ts";
import type { Window } from "../model/grid.ts";
import type { RasterSource, SampleType } from "../model/raster.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { readTable } from "./read-table.ts";
import { DEFAULT_MEMORY, readWindows, toWorking } from "./read-windows.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";
import { crossingZones, noteOf } from "./zonal/checks.ts";
import { passesOf, Shapes } from "./zonal/passes.ts";
import { rulesOf, type ZonalPixels, type ZonalPreset } from "./zonal/presets.ts";
import { Results } from "./zonal/results.ts";
import { type AreaSurface, rowAreas } from "./zonal/row-areas.ts";
import { needsWeights, parseStatistics, type Statistic } from "./zonal/statistics.ts";
import { type WeightsReader, weightsReader } from "./zonal/weights.ts";

export type { ZonalPixels, ZonalPreset } from "./zonal/presets.ts";
export type { AreaSurface } from "./zonal/row-areas.ts";

export interface ZonalOptions {
  /**
   * Statistics, in the order of their columns; default `count, sum, mean, min, max`. See `docs/zonal.md` for all of them:
   * `"mean"`, `"stdev"`, `"quantile:0.9"`, `"majority"`, `"histogram"` and so on.
   */
  readonly stats?: readonly string[] | undefined;
  /** Bands, 0-based. Default all. */
  readonly bands?: readonly number[] | undefined;
  /**
   * Which pixels count for a zone: `"coverage"` (default) each by the share of it that the zone covers, `"center"`
   * and `"all-touched"` as a whole or not at all, `"coverage:F"` as a whole when at least the share F is covered.
   */
  readonly pixels?: ZonalPixels | undefined;
  /** Pixels covered less than this share are left out; for `"coverage"`. Default 0. */
  readonly minCoverage?: number | undefined;
  /** The rules of another tool; options given beside it win. */
  readonly preset?: ZonalPreset | undefined;
  /** Which of several values of the same weight is the majority: the largest (default), the smallest, the first met. */
  readonly tie?: MajorityTie | undefined;
  /** Default `"weighted"`. The two differ only where pixels have different weights. */
  readonly quantiles?: QuantileMethod | undefined;
  /** Weigh every pixel by its area in square metres too. */
  readonly area?: AreaSurface | undefined;
  /** Raster of the weights of `weighted_mean` and its like; pixels must fall together with those of the raster. */
  readonly weights?: RasterSource | undefined;
  /** Its band, 0-based. Default 0. */
  readonly weightsBand?: number | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Bytes of pixels in flight, and of values that medians and majorities need. Default 256 MB. */
  readonly memory?: number | undefined;
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the pixels done and those of all windows that zones meet. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ZonalReport {
  readonly zones: number;
  /** Pixels that belong to zones, one by one for each zone, of the first band. */
  readonly pixels: number;
  /** Pixels of the windows that were read. */
  readonly pixelsRead: number;
  /** Zones that no pixel belongs to. */
  readonly emptyZones: number;
  readonly warnings: readonly string[];
}

export interface ZonalResult {
  /** The zones, in their order, with a column per statistic and band and the column `note`. */
  readonly table: FeatureTable;
  readonly report: ZonalReport;
}

const DEFAULT_STATS: readonly string[] = ["count", "sum", "mean", "min", "max"];

/**
 * Statistics of the pixels of a raster in each zone. Zones may overlap; each counts for itself. One pass over the tiles that
 * zones meet, whatever their number. Results do not depend on tiles, memory or threads, to the bit.
 *
 * Columns added to the zones: one per statistic, `b<band>_` before it when there are several bands, then `note`, which says
 * why a zone has no statistics: `"no pixel centre inside"`, `"no pixel covered"`, `"outside the raster"`, `"no data"`,
 * `"no geometry"`, `"not a polygon"`, else null. A column whose name the zones have already gets `_2` and so on, with a
 * warning. Samples are taken as stored: scale and offset of bands are not applied.
 *
 * @throws GeoError `INVALID_INPUT` for options; `CRS_MISMATCH`; `GRID_MISMATCH` for weights; `LIMIT` when medians, majorities or
 * histograms need more memory than allowed
 */
export async function zonalStats(
  zones: FeatureTable | FeatureSource,
  source: RasterSource,
  options: ZonalOptions = {},
): Promise<ZonalResult> {
  const { executor = inline, memory = DEFAULT_MEMORY, minCoverage = 0, signal, onProgress } = options;
  const rules = rulesOf(options);
  const statistics = parseStatistics(options.stats ?? DEFAULT_STATS);
  const bands = options.bands ?? source.bands.map((_, k) => k);
  checkBands(source, bands, "band");
  if (!(minCoverage >= 0 && minCoverage <= 1)) {
    throw new GeoError("INVALID_INPUT", `minCoverage: expected a share from 0 to 1, found ${minCoverage}`, {
      path: "minCoverage",
      expected: "0 to 1",
    });
  }
  const warnings = new Set<string>();
  const weights = weightsOf(statistics, source, options);
  const table = "batches" in zones ? await readTable(zones, { signal }) : zones;
  for (const band of bands) {
    const { scale, offset } = source.bands[band]!;
    if (scale !== 1 || offset !== 0)
      warnings.add(`band ${band + 1} has a scale of ${scale} and an offset of ${offset}: not applied`);
  }
  const { grid } = source;
  const passes = passesOf(statistics, rules, minCoverage, options.area);
  const areas =
    options.area !== undefined || passes.some(({ areas }) => areas)
      ? rowAreas(grid, options.area, warnings)
      : null;
  const results = new Results(table, statistics, bands, passes, rules, grid);
  const empty = table.geometry === null || table.geometry.xy.length === 0;
  const placed = empty
    ? null
    : regionIn(table, grid.crs, {
        onCrsMismatch: options.onCrsMismatch,
        tolerance: Math.sqrt(Math.abs(determinant(grid.transform))) / 1000,
      });
  for (const warning of placed?.warnings ?? [])
    warnings.add(warning.replace("the region was", "the zones were").replace("the region", "the zones"));

  const tallies = passes.map(({ plan, areas: weighed }) =>
    bands.map(() => new ZonalTally(table.count, plan, weighed ? areas!.largest : 1)),
  );
  let pixelsRead = 0;
  let shapes: Shapes | null = null;
  if (placed !== null) {
    shapes = new Shapes(placed.geometry, source, passes);
    await gather(shapes);
  }
  // Zones that no window met.
  for (let zone = 0; zone < table.count; zone++) results.finish(zone, tallies);

  const notes: (string | null)[] = [];
  let pixels = 0;
  let emptyZones = 0;
  for (let zone = 0; zone < table.count; zone++) {
    const counts = tallies[0]!.map((tally) => tally.counts.subarray(COUNTS * zone, COUNTS * zone + 2));
    const within = counts[0]![0]! + counts[0]![1]!;
    pixels += within;
    if (within === 0) emptyZones++;
    const observed = counts.some(([seen]) => seen! > 0);
    notes.push(noteOf(table.geometry, shapes?.first ?? null, zone, passes[0]!.plan, within, observed));
  }
  if (emptyZones > 0) warnings.add(`${emptyZones} zones have no pixel: see the column note`);
  const missing = tallies.flat().reduce((sum, { counts }) => sum + every(counts, COUNTS, 2), 0);
  if (missing > 0) warnings.add(`${missing} pixels have no weight and were left out of weighted statistics`);
  const crossing = placed === null ? [] : crossingZones(passes, tallies, shapes!);
  if (crossing.length > 0) {
    warnings.add(
      `${crossing.length} zones have rings that cross or overlap (the first is number ${crossing[0]! + 1}): what they wind around counts once; tilth validate --repair mends them`,
    );
  }
  return {
    table: results.table(notes, warnings),
    report: { zones: table.count, pixels, pixelsRead, emptyZones, warnings: [...warnings] },
  };

  async function gather(shapes: Shapes): Promise<void> {
    const { windows, total } = windowsOf(source, shapes, bands.length, memory, executor.concurrency, signal);
    const remaining = new Int32Array(table.count);
    for (const { features } of windows) for (const zone of features) remaining[zone]!++;
    const kept = new Map<PreparedShapes, { readonly value: PreparedShapes }>();
    for (const { prepared } of shapes.passes)
      if (!kept.has(prepared)) kept.set(prepared, executor.keep(prepared));
    const parts = mapConcurrent(windows, executor.concurrency, async ({ window, features }) => {
      signal?.throwIfAborted();
      const [block, weight] = await Promise.all([
        source.read(window, { bands, signal }),
        weights === null ? null : weights(window, signal),
      ]);
      const groups: ZonalGroup[] = shapes.passes.map(({ pass, prepared }) => ({
        plan: pass.plan,
        shapes: kept.get(prepared)!,
        areas: pass.areas ? areas!.rows.slice(window.row, window.row + window.height) : null,
        largestArea: pass.areas ? areas!.largest : 1,
      }));
      const samples = block.bands.map((values, k): ZonalBand => {
        const band = source.bands[bands[k]!]!;
        const working = toWorking(values);
        const nodata = band.nodata === null ? Number.NaN : Number(band.nodata);
        return {
          samples: working,
          // A nodata value that single precision cannot hold is kept as the file holds it.
          nodata: working instanceof Float32Array ? Math.fround(nodata) : nodata,
          range: RANGES[band.type] ?? null,
        };
      });
      const found = await executor.call("accumulateZones", groups, features, samples, {
        window,
        width: grid.width,
        mask: block.mask,
        weights: weight,
      });
      return { found, features, size: window.width * window.height };
    });
    for await (const { found, features, size } of parts) {
      signal?.throwIfAborted();
      let bytes = 0;
      for (const [p, perBand] of found.entries()) {
        for (const [b, part] of perBand.entries()) {
          tallies[p]![b]!.add(part);
          bytes += tallies[p]![b]!.bytes;
        }
      }
      for (const zone of features) if (--remaining[zone]! === 0) results.finish(zone, tallies);
      if (bytes > Math.max(memory, 16 * 2 ** 20)) throw tooMuch(bytes, memory, source);
      pixelsRead += size;
      onProgress?.(pixelsRead, total);
    }
  }
}

/** Zones in a window beyond which it is not asked whether one really meets it: with that many, one does. */
const FEW = 4;

/** Windows that zones meet, cut to the tiles around them, and the zones of each. */
function windowsOf(
  source: RasterSource,
  shapes: Shapes,
  bands: number,
  memory: number,
  inFlight: number,
  signal: AbortSignal | undefined,
): { windows: { window: Window; features: Int32Array }[]; total: number } {
  const { bounds } = shapes.first;
  const tree = buildBoxTree(bounds);
  const hits = newHits();
  const windows: { window: Window; features: Int32Array }[] = [];
  let total = 0;
  for (const whole of readWindows(source, bands, memory, inFlight)) {
    signal?.throwIfAborted();
    const { col, row, width, height } = whole;
    const found = searchBoxes(tree, col, row, col + width, row + height, hits);
    if (found === 0) continue;
    const features = Int32Array.from(hits.values.subarray(0, found)).sort();
    const window = tilesAround(whole, bounds, features, source.tile);
    if (found <= FEW && !shapes.meets(window, features)) continue;
    windows.push({ window, features });
    total += window.width * window.height;
  }
  return { windows, total };
}

/** The part of `window` that holds its features, in whole tiles. */
function tilesAround(
  window: Window,
  bounds: Float64Array,
  features: Int32Array,
  tile: { readonly width: number; readonly height: number },
): Window {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const f of features) {
    minX = Math.min(minX, bounds[4 * f]!);
    minY = Math.min(minY, bounds[4 * f + 1]!);
    maxX = Math.max(maxX, bounds[4 * f + 2]!);
    maxY = Math.max(maxY, bounds[4 * f + 3]!);
  }
  // A pixel more, for what lies on the last border.
  const [col, width] = span(minX, maxX + 1, window.col, window.width, tile.width);
  const [row, height] = span(minY, maxY + 1, window.row, window.height, tile.height);
  return { col, row, width, height };
}

function span(min: number, max: number, start: number, length: number, tile: number): [number, number] {
  const first = Math.max(start, Math.floor(min / tile) * tile);
  const last = Math.min(start + length, Math.ceil(max / tile) * tile);
  return first < last ? [first, last - first] : [start, length];
}

/** Values that samples of small types can have. */
const RANGES: Partial<Record<SampleType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

function weightsOf(
  statistics: readonly Statistic[],
  source: RasterSource,
  { weights, weightsBand = 0 }: ZonalOptions,
): WeightsReader | null {
  const first = statistics.find(needsWeights);
  if (first === undefined) return null;
  if (weights === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `${first.column} needs a raster of weights`,
      { path: "weights", expected: "a raster" },
      { hint: "Pass one with --weights." },
    );
  }
  checkBands(weights, [weightsBand], "weightsBand");
  return weightsReader(weights, weightsBand, source.grid);
}

function checkBands(source: RasterSource, bands: readonly number[], path: string): void {
  for (const band of bands) {
    if (Number.isInteger(band) && band >= 0 && band < source.bands.length) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} has ${source.bands.length} bands, none with number ${band + 1}`,
      { path, expected: `1 to ${source.bands.length}` },
    );
  }
  if (bands.length > 0 && source.bands.length > 0) return;
  throw new GeoError("INVALID_INPUT", `${source.url}: no band was asked for`, {
    path,
    expected: "at least one band",
  });
}

function tooMuch(needed: number, allowed: number, source: RasterSource): GeoError<"LIMIT"> {
  return new GeoError(
    "LIMIT",
    `the values of zones of ${source.url} need more than the ${Math.round(allowed / 2 ** 20)} MB allowed: medians, majorities and histograms of measurements keep every pixel of the zones under way`,
    { what: "values of zones", needed, allowed, path: source.url },
    { hint: "Allow more with --memory, leave out those statistics, or take smaller zones." },
  );
}

function every(values: Float64Array, step: number, from: number): number {
  let sum = 0;
  for (let k = from; k < values.length; k += step) sum += values[k]!;
  return sum;
}

function determinant([a, b, , d, e]: readonly number[]): number {
  return a! * e! - b! * d!;
}
