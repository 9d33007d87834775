import type { Executor } from "../execution/executor.ts";
import type { Surface } from "../kernels/raster/cell-area.ts";
import type { PixelRule } from "../kernels/raster/shapes.ts";
import type { ZoneRule } from "../kernels/zonal/zone-runs.ts";
import { describeCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../model/features.ts";
import type { Grid } from "../model/grid.ts";
import type { RasterSource } from "../model/raster.ts";
import { pixelAreas } from "./dominant/areas.ts";
import { withColumns } from "./dominant/columns.ts";
import { countClassesOf } from "./dominant/count.ts";
import { type ClassLook, classList, fileClasses } from "./dominant/legend.ts";
import { notesOf, smallerThan, summarize } from "./dominant/summarize.ts";
import { type ChangeTally, Tally } from "./dominant/tally.ts";
import type { DominantPolygonsOptions, DominantPolygonsResult } from "./dominant-polygons.ts";
import { coverageShare } from "./pixel-mask.ts";
import { readTable } from "./read-table.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";

export { columnName } from "./dominant/columns.ts";

/** One class of a class raster. */
export interface ClassInfo {
  /** Sample value. */
  readonly value: number;
  readonly name: string;
  /** As in `"#1f6fb4"`. */
  readonly color?: string | undefined;
}

/** A raster of one date among several. */
export interface LabelledRaster {
  /** As in `"2019"`; goes into column names. */
  readonly label: string;
  readonly source: RasterSource;
}

export type AreaUnit = "ha" | "km2" | "m2" | "share";

/** Which of several classes of the same area is dominant. */
export type Tie = "min" | "max" | "first";

/**
 * Which pixels belong to a zone:
 *
 * - `"center"` and `"all-touched"`: whole pixels, see {@link PixelRule};
 * - `"coverage"`: every pixel by the exact share of it that the zone covers; the area of a class is the area of the zone
 *   that lies on it;
 * - `"coverage:0.5"`: whole pixels of which the zone covers at least that share (0 < share <= 1).
 */
export type ZonePixels = PixelRule | "coverage" | `coverage:${number}`;

export interface DominantOptions {
  /** Band of every raster, 0-based. Default 0. */
  readonly band?: number | undefined;
  /** Which pixels belong to a zone, and by how much. Default `"center"`. */
  readonly pixels?: ZonePixels | undefined;
  /** Unit of the class columns; `"share"` is of the observed area. Default `"ha"`. */
  readonly areaUnit?: AreaUnit | undefined;
  /**
   * How the area of a pixel is measured. Default: `"plane"` for projected rasters, `"ellipsoid"` (WGS 84) for rasters in
   * degrees; `"sphere"` is that of Earth Engine.
   */
  readonly surface?: Surface | undefined;
  /**
   * Names and colours, in the order of the columns. Default: values found, upward, with the names and colours that the first
   * raster gives them (see `fileClasses`), else named `class_<value>`.
   */
  readonly classes?: readonly ClassInfo[] | undefined;
  /** Names and colours of values, should they be found; they go before those of the raster. Adds no columns. */
  readonly looks?: ReadonlyMap<number, ClassLook> | undefined;
  /** Values that `classes` does not list: counted under `class_<value>`, or left out as if not observed. Default `"keep"`. */
  readonly others?: "keep" | "ignore" | undefined;
  /** Smallest (default) or largest value wins, or the class met first in row order. */
  readonly tie?: Tie | undefined;
  /** No dominant class below this share of the observed area. Default 0. */
  readonly minShare?: number | undefined;
  /**
   * With several rasters of one grid: count what became what over the union of the zones (default), in each zone as well, or
   * not at all.
   */
  readonly changes?: "union" | "zones" | "none" | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Bytes of pixels in flight. Default 256 MB. */
  readonly memory?: number | undefined;
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the pixels done and those of all windows. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Class areas of one raster in all zones; arrays of zones, or zones x classes row by row. */
export interface ClassAreas {
  /** `""` for a single raster. */
  readonly label: string;
  /** Pixels, `zones * classes`; with `"coverage"` sums of shares of pixels. */
  readonly pixels: Float64Array;
  /** Square metres, `zones * classes`. */
  readonly area: Float64Array;
  /** Pixels of the zone on the raster, observed or not. */
  readonly zonePixels: Float64Array;
  /** Their area in square metres: with `"coverage"` that of the part of the zone on the raster. */
  readonly zoneArea: Float64Array;
  /** Square metres of them that belong to no class: with the areas of the classes they make up `zoneArea`. */
  readonly nodataArea: Float64Array;
  /** Number of the dominant class in {@link DominantResult.classes}, -1 for none; likewise the runner-up. */
  readonly dominant: Int32Array;
  readonly runnerUp: Int32Array;
  /** Share of the observed area; NaN where there is no such class. */
  readonly dominantShare: Float64Array;
  readonly runnerUpShare: Float64Array;
  /** Share of the zone that was observed: neither nodata nor outside the raster. 0..1. */
  readonly coveredShare: Float64Array;
  /** Share of the zone's pixels on the raster without observation; NaN when it has none there. */
  readonly nodataShare: Float64Array;
}

/** What became what, over the union of all zones. */
export interface ChangeMatrix {
  readonly from: string;
  readonly to: string;
  /**
   * `classes * classes`, row = class before, column = class after. A pixel that several zones share counts once; with
   * `"coverage"` by the sum of its shares, up to 1.
   */
  readonly pixels: Float64Array;
  /** Square metres. */
  readonly area: Float64Array;
}

/** What became what, zone by zone: only what there is, sorted by zone, class before, class after. */
export interface ZoneChanges {
  readonly from: string;
  readonly to: string;
  /** Rows of the zones. */
  readonly zone: Int32Array;
  /** Numbers in {@link DominantResult.classes}. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly pixels: Float64Array;
  /** Square metres. */
  readonly area: Float64Array;
}

export interface DominantResult {
  /** The zones, in their order, with the columns listed at {@link dominantClass}. */
  readonly table: FeatureTable;
  readonly classes: readonly ClassInfo[];
  readonly years: readonly ClassAreas[];
  /** Consecutive rasters, then first to last when there are more than two; only for rasters of one grid. */
  readonly changes: readonly ChangeMatrix[];
  /** The same in each zone, with `changes: "zones"`. */
  readonly zoneChanges: readonly ZoneChanges[];
  /** Zones that no pixel belongs to on the first raster. */
  readonly emptyZones: number;
  /** Zones smaller than a pixel of the first raster, with a pixel or without. */
  readonly smallZones: number;
  readonly warnings: readonly string[];
}

/**
 * Area of each class in each zone, the dominant class and the runner-up, from one class raster or from several
 * dates. Zones may overlap; each counts for itself. One pass over the tiles that zones meet, whatever the
 * number of zones; the result does not depend on tiles, memory or the number of threads, to the bit. Sums are exact until
 * they are rounded at the end.
 *
 * Columns added to the zones, each with `_<label>` when rasters are labelled:
 *
 * - `<class>_<unit>` for every class, `<class>` being its name in small letters with `_` between words;
 * - `dominant` (value), `dominant_name` when classes have names, `dominant_share`, `second`, `second_name`,
 *   `second_share`, `margin` (difference of the shares);
 * - `covered_share`, `nodata_share`, `pixels`;
 * - `note`: `"no geometry"`, `"outside the raster"`, `"no pixel centre inside"` (or what the rule asks for), `"no data"`,
 *   `"smaller than a pixel"` (an area of pixels says little about it, unless counted by coverage), else null.
 *
 * A column whose name the zones have already gets `_2` and so on, with a warning.
 *
 * @throws GeoError `CRS_MISMATCH`; `INVALID_INPUT` for a raster that holds a measurement rather than classes; `UNSUPPORTED`
 * for areas on the earth of rasters that are not in degrees or are turned
 */
export async function dominantClass(
  zones: FeatureTable | FeatureSource,
  source: RasterSource | readonly LabelledRaster[],
  options?: DominantOptions,
): Promise<DominantResult>;
/** The same from polygons with a class; see {@link dominantClassPolygons}. */
export async function dominantClass(
  zones: FeatureTable | FeatureSource,
  source: FeatureTable | FeatureSource,
  options: DominantPolygonsOptions,
): Promise<DominantPolygonsResult>;
export async function dominantClass(
  zones: FeatureTable | FeatureSource,
  source: RasterSource | readonly LabelledRaster[] | FeatureTable | FeatureSource,
  options: DominantOptions | DominantPolygonsOptions = {},
): Promise<DominantResult | DominantPolygonsResult> {
  if ("batches" in source || "columns" in source) {
    const { dominantClassPolygons } = await import("./dominant-polygons.ts");
    return dominantClassPolygons(zones, source, options as DominantPolygonsOptions);
  }
  return dominantClassRaster(zones, source, options as DominantOptions);
}

async function dominantClassRaster(
  zones: FeatureTable | FeatureSource,
  source: RasterSource | readonly LabelledRaster[],
  options: DominantOptions,
): Promise<DominantResult> {
  const { band = 0, pixels = "center", areaUnit = "ha", tie = "min", changes = "union", signal } = options;
  const rule = ruleOf(pixels);
  const table = "batches" in zones ? await readTable(zones, { signal }) : zones;
  const { count, geometry } = table;
  const rasters = Array.isArray(source)
    ? (source as readonly LabelledRaster[])
    : [{ label: "", source: source as RasterSource }];
  requireBand(rasters, band);
  const warnings = new Set<string>();
  const groups = sameGrids(rasters);
  if (groups.length > 1 && changes !== "none")
    warnings.add("the rasters are on different grids: no change matrix");
  const tallies: Tally[] = [];
  const onGrid: Float64Array[] = [];
  const small: Uint8Array[] = [];
  const union: ChangeTally[] = [];
  const each: ChangeTally[] = [];
  const progress = progressOf(groups.length, options.onProgress);
  for (const [g, members] of groups.entries()) {
    const { grid } = rasters[members[0]!]!.source;
    const [a, b, , d, e] = grid.transform;
    const cell = Math.abs(a * e - b * d);
    const areas = pixelAreas(grid, options.surface, warnings);
    if (geometry === null || geometry.xy.length === 0) {
      for (const k of members) {
        tallies[k] = new Tally(count, areas, false);
        onGrid[k] = new Float64Array(count);
        small[k] = new Uint8Array(count);
      }
      continue;
    }
    const region = regionIn(table, grid.crs, {
      onCrsMismatch: options.onCrsMismatch,
      tolerance: Math.sqrt(cell) / 1000,
    });
    for (const warning of region.warnings) warnings.add(warning.replace("the region", "the zones"));
    const counted = await countClassesOf({
      rasters: members.map((k) => rasters[k]!),
      band,
      geometry: region.geometry,
      rule,
      prepare: pixels === "center" ? "center" : "all-touched",
      areas,
      order: tie === "first",
      pairs: groups.length > 1 || changes === "none" ? [] : changePairs(members.length),
      union: true,
      each: changes === "zones",
      memory: options.memory,
      executor: options.executor,
      signal,
      onProgress: (done, total) => progress(g, done, total),
    });
    const tiny = smallerThan(region.geometry, cell);
    for (const [m, k] of members.entries()) {
      tallies[k] = counted.tallies[m]!;
      onGrid[k] = counted.onGrid;
      small[k] = tiny;
    }
    union.push(...counted.union);
    each.push(...counted.each);
  }

  const found = new Set<number>();
  for (const tally of tallies)
    for (const value of tally.classes.keys()) if (!Number.isNaN(value)) found.add(value);
  const looks = new Map([...fileClasses(rasters[0]!.source, band), ...(options.looks ?? [])]);
  const classes = classList(found, options.classes, looks, options.others ?? "keep", warnings);
  const named =
    options.classes !== undefined || classes.some(({ value }) => looks.get(value)?.name !== undefined);
  const years = rasters.map(({ label }, k) =>
    summarize(label, tallies[k]!, onGrid[k]!, classes, tie, options.minShare ?? 0),
  );
  let emptyZones = 0;
  let smallZones = 0;
  for (let zone = 0; zone < count; zone++) {
    if (years[0]!.zonePixels[zone] === 0) emptyZones++;
    smallZones += small[0]![zone]!;
  }
  if (emptyZones > 0) warnings.add(`${emptyZones} zones have no pixel: see the column note`);
  if (smallZones > 0) warnings.add(`${smallZones} zones are smaller than a pixel: see the column note`);
  const notes = years.map((year, k) =>
    notesOf(year, geometry, onGrid[k]!, small[k]!, pixels === "center" ? NO_CENTRE : NO_PIXEL),
  );
  return {
    table: withColumns(table, years, classes, areaUnit, named, notes, warnings),
    classes,
    years,
    changes: union.map((change) => change.matrix(classes)),
    zoneChanges: each.map((change) => change.list(classes)),
    emptyZones,
    smallZones,
    warnings: [...warnings],
  };
}

const NO_CENTRE = "no pixel centre inside";
const NO_PIXEL = "no pixel by this rule";

/** @throws GeoError `INVALID_INPUT` for a rule that is not known */
function ruleOf(pixels: ZonePixels): ZoneRule {
  if (pixels === "center" || pixels === "all-touched") return { kind: "pixels" };
  if (pixels === "coverage") return { kind: "coverage" };
  return { kind: "at-least", share: coverageShare(pixels) };
}

function requireBand(rasters: readonly LabelledRaster[], band: number): void {
  if (rasters.length === 0) {
    throw new GeoError("INVALID_INPUT", "dominantClass needs at least one raster", {
      path: "source",
      expected: "a raster or a list of labelled rasters",
    });
  }
  for (const { source } of rasters) {
    if (source.bands[band] !== undefined) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} has ${source.bands.length} bands, none with number ${band + 1}`,
      { path: "band", expected: `1 to ${source.bands.length}` },
    );
  }
}

/** Consecutive rasters, and first to last. */
function changePairs(count: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let k = 0; k + 1 < count; k++) pairs.push([k, k + 1]);
  if (count > 2) pairs.push([0, count - 1]);
  return pairs;
}

/** Progress of groups one after the other, as one: each is taken to be as long as the one at hand. */
function progressOf(
  groups: number,
  tell: ((done: number, total: number) => void) | undefined,
): (group: number, done: number, total: number) => void {
  let before = 0;
  return (group, done, total) => {
    tell?.(before + done, before + (groups - group) * total);
    if (done === total) before += total;
  };
}

/** Numbers of rasters with the very same grid, together. */
function sameGrids(rasters: readonly LabelledRaster[]): number[][] {
  const groups: number[][] = [];
  for (const [k, { source }] of rasters.entries()) {
    const group = groups.find(([first]) => sameGrid(rasters[first!]!.source.grid, source.grid));
    if (group === undefined) groups.push([k]);
    else group.push(k);
  }
  return groups;
}

function sameGrid(a: Grid, b: Grid): boolean {
  if (a.width !== b.width || a.height !== b.height) return false;
  if (describeCrs(a.crs) !== describeCrs(b.crs)) return false;
  // A thousandth of a pixel over the whole raster.
  const cell = Math.max(...[0, 1, 3, 4].map((k) => Math.abs(a.transform[k]!)));
  const reach = Math.max(a.width, a.height);
  return a.transform.every(
    (value, k) => Math.abs(value - b.transform[k]!) * (k === 2 || k === 5 ? 1 : reach) <= cell / 1000,
  );
}
