import { type Executor, inline } from "../execution/executor.ts";
import { cellArea, type SplitNumbers, type Surface, splitNumbers } from "../kernels/raster/cell-area.ts";
import { maskWindow, scanRuns } from "../kernels/raster/rasterize.ts";
import { type PixelRule, prepareShapes } from "../kernels/raster/shapes.ts";
import { buildBoxTree, newHits, searchBoxes } from "../kernels/vector/box-tree.ts";
import type { ClassChanges, ClassCounts } from "../kernels/zonal/class-counts.ts";
import { shareOnGrid } from "../kernels/zonal/on-grid.ts";
import { describeCrs, isGeographic } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type Column,
  ColumnBuilder,
  type ColumnType,
  type FeatureSource,
  type FeatureTable,
} from "../model/features.ts";
import { type GeometryColumn, NULL_GEOMETRY } from "../model/geometry.ts";
import { type Grid, isAxisAligned, type Window } from "../model/grid.ts";
import type { RasterBlock, RasterSource } from "../model/raster.ts";
import type { DominantPolygonsOptions, DominantPolygonsResult } from "./dominant-polygons.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { readTable } from "./read-table.ts";
import { readWindows, toWorking } from "./read-windows.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";

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

export interface DominantOptions {
  /** Band of every raster, 0-based. Default 0. */
  readonly band?: number | undefined;
  /** Which pixels belong to a zone. Default `"center"`. */
  readonly pixels?: PixelRule | undefined;
  /** Unit of the class columns; `"share"` is of the observed area. Default `"ha"`. */
  readonly areaUnit?: AreaUnit | undefined;
  /**
   * How the area of a pixel is measured. Default: `"plane"` for projected rasters, `"ellipsoid"` (WGS 84) for rasters in
   * degrees; `"sphere"` is that of Earth Engine.
   */
  readonly surface?: Surface | undefined;
  /** Names and colours, in the order of the columns. Default: values found, upward, named `class_<value>`. */
  readonly classes?: readonly ClassInfo[] | undefined;
  /** Values that `classes` does not list: counted under `class_<value>`, or left out as if not observed. Default `"keep"`. */
  readonly others?: "keep" | "ignore" | undefined;
  /** Smallest (default) or largest value wins, or the class met first in row order. */
  readonly tie?: Tie | undefined;
  /** No dominant class below this share of the observed area. Default 0. */
  readonly minShare?: number | undefined;
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
  /** Pixels, `zones * classes`. */
  readonly pixels: Float64Array;
  /** Square metres, `zones * classes`. */
  readonly area: Float64Array;
  /** Pixels of the zone on the raster, observed or not. */
  readonly zonePixels: Float64Array;
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
  /** `classes * classes`, row = class before, column = class after. */
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
  /** Zones that no pixel belongs to on the first raster. */
  readonly emptyZones: number;
  readonly warnings: readonly string[];
}

const SQUARE_METRES: Readonly<Record<Exclude<AreaUnit, "share">, number>> = { m2: 1, ha: 1e4, km2: 1e6 };

/**
 * Area of each class in each zone, the dominant class and the runner-up, from one class raster or from several
 * dates. Zones may overlap; each counts for itself. One pass over the tiles that zones meet, whatever the
 * number of zones; the result does not depend on tiles or memory, to the bit.
 *
 * Columns added to the zones, each with `_<label>` when rasters are labelled:
 *
 * - `<class>_<unit>` for every class, `<class>` being its name in small letters with `_` between words;
 * - `dominant` (value), `dominant_name` when `classes` was given, `dominant_share`, `second`, `second_name`,
 *   `second_share`, `margin` (difference of the shares);
 * - `covered_share`, `nodata_share`, `pixels`;
 * - `note`: `"no pixel centre inside"`, `"outside the raster"`, `"no data"`, `"no geometry"`, else null.
 *
 * A column whose name the zones have already gets `_2` and so on, with a warning.
 *
 * @throws GeoError `CRS_MISMATCH`; `INVALID_INPUT` for a raster that holds a measurement rather than classes
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
  const { band = 0, pixels = "center", areaUnit = "ha", signal } = options;
  const table = "batches" in zones ? await readTable(zones, { signal }) : zones;
  const rasters = Array.isArray(source)
    ? (source as readonly LabelledRaster[])
    : [{ label: "", source: source as RasterSource }];
  if (rasters.length === 0) {
    throw new GeoError("INVALID_INPUT", "dominantClass needs at least one raster", {
      path: "source",
      expected: "a raster or a list of labelled rasters",
    });
  }
  for (const { source } of rasters) {
    if (band < source.bands.length && band >= 0) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} has ${source.bands.length} bands, none with number ${band + 1}`,
      {
        path: "band",
        expected: `1 to ${source.bands.length}`,
      },
    );
  }
  const warnings = new Set<string>();
  const groups = sameGrids(rasters);
  if (groups.length > 1) warnings.add("the rasters are on different grids: no change matrix");
  const tallies = rasters.map(() => new Tally(table.count));
  const inRaster = rasters.map(() => new Float64Array(table.count));
  const changes = new Map<string, ChangeTally>();
  for (const members of groups) {
    await countGroup(members);
  }

  const classes = classList(tallies, changes, options, warnings);
  const years = rasters.map(({ label }, k) => summarize(label, tallies[k]!, inRaster[k]!, classes, options));
  const matrices = [...changes.values()].map((change) => change.finish(classes));
  const first = years[0]!;
  let emptyZones = 0;
  for (let zone = 0; zone < table.count; zone++) if (first.zonePixels[zone] === 0) emptyZones++;
  if (emptyZones > 0) warnings.add(`${emptyZones} zones have no pixel: see the column note`);
  const notes = years.map((year, k) => notesOf(year, table.geometry, inRaster[k]!));
  return {
    table: withColumns(table, years, classes, areaUnit, notes, options, warnings),
    classes,
    years,
    changes: matrices,
    emptyZones,
    warnings: [...warnings],
  };

  async function countGroup(members: readonly number[]): Promise<void> {
    const { executor = inline, memory, onProgress } = options;
    const sources = members.map((k) => rasters[k]!.source);
    const lead = sources[0]!;
    const { grid } = lead;
    if (table.geometry === null || table.geometry.xy.length === 0) return;
    const region = regionIn(table, grid.crs, {
      onCrsMismatch: options.onCrsMismatch,
      tolerance:
        Math.sqrt(Math.abs(grid.transform[0] * grid.transform[4] - grid.transform[1] * grid.transform[3])) /
        1000,
    });
    for (const warning of region.warnings) warnings.add(warning.replace("the region", "the zones"));
    const shapes = prepareShapes(region.geometry, grid, pixels);
    const shares = shareOnGrid(shapes, region.geometry, grid.transform);
    for (const k of members) inRaster[k]!.set(shares);
    const areas = rowAreas(grid, options.surface, warnings);
    const tree = buildBoxTree(shapes.bounds);
    const hits = newHits();
    const windows: { window: Window; features: Int32Array }[] = [];
    let total = 0;
    for (const window of readWindows(lead, sources.length, memory, executor.concurrency)) {
      const { col, row, width, height } = window;
      const found = searchBoxes(tree, col, row, col + width, row + height, hits);
      if (found === 0) continue;
      windows.push({ window, features: hits.values.slice(0, found).sort() });
      total += width * height;
    }
    let done = 0;
    const pairs = changePairs(members);
    const parts = mapConcurrent(windows, executor.concurrency, async ({ window, features }) => {
      signal?.throwIfAborted();
      const runs = scanRuns(shapes, window, features);
      const counts: ClassCounts[] = [];
      const moved: ClassChanges[] = [];
      if (runs.count > 0) {
        const rows = {
          high: areas.high.slice(window.row, window.row + window.height),
          low: areas.low.slice(window.row, window.row + window.height),
        };
        const blocks = await Promise.all(
          sources.map((source) => source.read(window, { bands: [band], signal })),
        );
        const samples = blocks.map(({ bands }) => toWorking(bands[0]!));
        for (const [k, block] of blocks.entries()) {
          try {
            counts.push(
              await executor.call(
                "countClasses",
                { count: runs.count, data: runs.data.subarray(0, 4 * runs.count) },
                samples[k]!,
                nodataOf(sources[k]!, band),
                block.mask,
                window,
                rows,
                grid.width,
              ),
            );
          } catch (error) {
            throw error instanceof RangeError ? notClasses(sources[k]!, error) : error;
          }
        }
        for (const [a, b] of pairs) moved.push(await countPair(a, b, window, blocks, samples, rows));
      }
      return { counts, moved, size: window.width * window.height };
    });
    for await (const { counts, moved, size } of parts) {
      for (const [k, part] of counts.entries()) {
        tallies[members[k]!]!.add(part);
        if (tallies[members[k]!]!.classes.size > MAX_CLASSES)
          throw notClasses(sources[k]!, new RangeError(`more than ${MAX_CLASSES} values`));
      }
      for (const [k, part] of moved.entries()) {
        const from = rasters[members[pairs[k]![0]]!]!.label;
        const to = rasters[members[pairs[k]![1]]!]!.label;
        const key = `${pairs[k]!.join(">")}`;
        let tally = changes.get(key);
        if (tally === undefined) {
          tally = new ChangeTally(from, to);
          changes.set(key, tally);
        }
        tally.add(part);
      }
      done += size;
      onProgress?.(done, total);
    }

    async function countPair(
      a: number,
      b: number,
      window: Window,
      blocks: readonly RasterBlock[],
      samples: readonly ReturnType<typeof toWorking>[],
      rows: SplitNumbers,
    ): Promise<ClassChanges> {
      const inside = maskWindow(shapes, window);
      return executor.call(
        "countChanges",
        samples[a]!,
        nodataOf(sources[a]!, band),
        blocks[a]!.mask,
        samples[b]!,
        nodataOf(sources[b]!, band),
        blocks[b]!.mask,
        inside === "none" ? new Uint8Array(window.width * window.height) : inside,
        window,
        rows,
      );
    }
  }

  /** Consecutive members, and first to last. Only when all rasters share one grid. */
  function changePairs(members: readonly number[]): [number, number][] {
    if (groups.length > 1) return [];
    const pairs: [number, number][] = [];
    for (let k = 0; k + 1 < members.length; k++) pairs.push([k, k + 1]);
    if (members.length > 2) pairs.push([0, members.length - 1]);
    return pairs;
  }
}

const MAX_CLASSES = 4096;

function notClasses(source: RasterSource, cause: unknown): GeoError<"INVALID_INPUT"> {
  return new GeoError(
    "INVALID_INPUT",
    `${source.url} holds more than ${MAX_CLASSES} different values: it is a measurement, not classes`,
    { path: "source", expected: "a raster of classes" },
    { cause },
  );
}

function nodataOf(source: RasterSource, band: number): number {
  const { nodata } = source.bands[band]!;
  return nodata === null ? Number.NaN : Number(nodata);
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

/** Area of a pixel of each row, in square metres. */
function rowAreas(grid: Grid, surface: Surface | undefined, warnings: Set<string>): SplitNumbers {
  const { transform, height, crs } = grid;
  const [a, b, , d, e, f] = transform;
  const values = new Float64Array(height);
  const geographic = isGeographic(crs);
  const chosen = surface ?? (geographic ? "ellipsoid" : "plane");
  if (chosen !== "plane" && !geographic) {
    throw new GeoError(
      "UNSUPPORTED",
      `areas on the ${chosen} need a raster in degrees, this one is in ${describeCrs(crs)}`,
      { feature: `${chosen} areas of projected rasters` },
      { hint: "Use the plane, preferably of an equal-area projection." },
    );
  }
  if (chosen === "plane") {
    if (crs === null) warnings.add("the raster has no CRS: its unit is taken to be the metre");
    if (geographic)
      warnings.add("areas in the plane of a raster in degrees are square degrees, not square metres");
    const metres = crs === null || geographic ? 1 : crs.unit.factor;
    values.fill(Math.abs(a * e - b * d) * metres * metres);
  } else {
    if (!isAxisAligned(transform)) {
      throw new GeoError("UNSUPPORTED", "areas of a rotated raster in degrees cannot be computed", {
        feature: "areas of rotated geographic rasters",
      });
    }
    const degrees = crs!.unit.kind === "angle" ? crs!.unit.factor : 1;
    for (let row = 0; row < height; row++)
      values[row] = cellArea((f + row * e) * degrees, (f + (row + 1) * e) * degrees, a * degrees, chosen);
  }
  let largest = 0;
  for (let row = 0; row < height; row++) if (values[row]! > largest) largest = values[row]!;
  return splitNumbers(values, largest);
}

/** Counts of one raster, by class value. */
class Tally {
  readonly zones: number;
  readonly zonePixels: Float64Array;
  readonly classes = new Map<
    number,
    { pixels: Float64Array; high: Float64Array; low: Float64Array; first: Float64Array }
  >();

  constructor(zones: number) {
    this.zones = zones;
    this.zonePixels = new Float64Array(zones);
  }

  add(part: ClassCounts): void {
    for (let k = 0; k < part.zones.length; k++) this.zonePixels[part.zones[k]!]! += part.zonePixels[k]!;
    for (let k = 0; k < part.count; k++) {
      const value = part.value[k]!;
      let slot = this.classes.get(value);
      if (slot === undefined) {
        slot = {
          pixels: new Float64Array(this.zones),
          high: new Float64Array(this.zones),
          low: new Float64Array(this.zones),
          first: new Float64Array(this.zones).fill(Infinity),
        };
        this.classes.set(value, slot);
      }
      const zone = part.zone[k]!;
      slot.pixels[zone]! += part.pixels[k]!;
      slot.high[zone]! += part.areaHigh[k]!;
      slot.low[zone]! += part.areaLow[k]!;
      if (part.first[k]! < slot.first[zone]!) slot.first[zone] = part.first[k]!;
    }
  }
}

/** Counts of one pair of rasters. */
class ChangeTally {
  readonly from: string;
  readonly to: string;
  readonly entries = new Map<
    string,
    { from: number; to: number; pixels: number; high: number; low: number }
  >();

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  add(part: ClassChanges): void {
    for (let k = 0; k < part.pixels.length; k++) {
      const from = part.pairs[2 * k]!;
      const to = part.pairs[2 * k + 1]!;
      const key = `${from}>${to}`;
      let entry = this.entries.get(key);
      if (entry === undefined) {
        entry = { from, to, pixels: 0, high: 0, low: 0 };
        this.entries.set(key, entry);
      }
      entry.pixels += part.pixels[k]!;
      entry.high += part.areaHigh[k]!;
      entry.low += part.areaLow[k]!;
    }
  }

  finish(classes: readonly ClassInfo[]): ChangeMatrix {
    const numbers = new Map(classes.map(({ value }, k) => [value, k]));
    const n = classes.length;
    const pixels = new Float64Array(n * n);
    const area = new Float64Array(n * n);
    for (const entry of this.entries.values()) {
      const from = numbers.get(entry.from);
      const to = numbers.get(entry.to);
      if (from === undefined || to === undefined) continue;
      pixels[from * n + to] = entry.pixels;
      area[from * n + to] = entry.high + entry.low;
    }
    return { from: this.from, to: this.to, pixels, area };
  }
}

function classList(
  tallies: readonly Tally[],
  changes: ReadonlyMap<string, ChangeTally>,
  { classes, others = "keep" }: DominantOptions,
  warnings: Set<string>,
): ClassInfo[] {
  const found = new Set<number>();
  for (const tally of tallies) for (const value of tally.classes.keys()) found.add(value);
  for (const change of changes.values()) {
    for (const { from, to } of change.entries.values()) {
      found.add(from);
      found.add(to);
    }
  }
  const list: ClassInfo[] = [...(classes ?? [])];
  for (const { value } of list) found.delete(value);
  const rest = [...found].sort((a, b) => a - b);
  if (classes !== undefined && rest.length > 0)
    warnings.add(
      `values that no class is named for were ${others === "keep" ? "kept" : "left out"}: ${rest.join(", ")}`,
    );
  if (classes === undefined || others === "keep")
    for (const value of rest) list.push({ value, name: `class_${value}` });
  return list;
}

function summarize(
  label: string,
  tally: Tally,
  inRaster: Float64Array,
  classes: readonly ClassInfo[],
  { tie = "min", minShare = 0 }: DominantOptions,
): ClassAreas {
  const { zones, zonePixels } = tally;
  const n = classes.length;
  const pixels = new Float64Array(zones * n);
  const area = new Float64Array(zones * n);
  const dominant = new Int32Array(zones).fill(-1);
  const runnerUp = new Int32Array(zones).fill(-1);
  const dominantShare = new Float64Array(zones).fill(Number.NaN);
  const runnerUpShare = new Float64Array(zones).fill(Number.NaN);
  const coveredShare = new Float64Array(zones);
  const nodataShare = new Float64Array(zones).fill(Number.NaN);
  const slots = classes.map(({ value }) => tally.classes.get(value));
  for (let zone = 0; zone < zones; zone++) {
    let observed = 0;
    let observedPixels = 0;
    let best = -1;
    let second = -1;
    for (let c = 0; c < n; c++) {
      const slot = slots[c];
      if (slot === undefined || slot.pixels[zone] === 0) continue;
      pixels[zone * n + c] = slot.pixels[zone]!;
      area[zone * n + c] = slot.high[zone]! + slot.low[zone]!;
      observed += area[zone * n + c]!;
      observedPixels += slot.pixels[zone]!;
      if (best === -1 || before(c, best)) {
        second = best;
        best = c;
      } else if (second === -1 || before(c, second)) second = c;
    }
    const share = best === -1 ? 0 : area[zone * n + best]! / observed;
    if (best !== -1 && share >= minShare) {
      dominant[zone] = best;
      dominantShare[zone] = share;
      if (second !== -1) {
        runnerUp[zone] = second;
        runnerUpShare[zone] = area[zone * n + second]! / observed;
      }
    }
    if (zonePixels[zone]! > 0) {
      nodataShare[zone] = 1 - observedPixels / zonePixels[zone]!;
      coveredShare[zone] = inRaster[zone]! * (observedPixels / zonePixels[zone]!);
    }

    function before(a: number, b: number): boolean {
      const left = area[zone * n + a]!;
      const right = area[zone * n + b]!;
      if (left !== right) return left > right;
      if (tie === "first") return slots[a]!.first[zone]! < slots[b]!.first[zone]!;
      return tie === "min" ? classes[a]!.value < classes[b]!.value : classes[a]!.value > classes[b]!.value;
    }
  }
  return {
    label,
    pixels,
    area,
    zonePixels,
    dominant,
    runnerUp,
    dominantShare,
    runnerUpShare,
    coveredShare,
    nodataShare,
  };
}

function notesOf(
  year: ClassAreas,
  geometry: GeometryColumn | null,
  inRaster: Float64Array,
): (string | null)[] {
  return Array.from(year.zonePixels, (count, zone) => {
    if (geometry === null || geometry.types[zone] === NULL_GEOMETRY) return "no geometry";
    if (inRaster[zone] === 0) return "outside the raster";
    if (count === 0) return "no pixel centre inside";
    return year.nodataShare[zone] === 1 ? "no data" : null;
  });
}

function withColumns(
  table: FeatureTable,
  years: readonly ClassAreas[],
  classes: readonly ClassInfo[],
  unit: AreaUnit,
  notes: readonly (readonly (string | null)[])[],
  options: DominantOptions,
  warnings: Set<string>,
): FeatureTable {
  const taken = new Set(table.columns.map(({ name }) => name));
  const columns: Column[] = [...table.columns];
  const n = classes.length;
  const whole = classes.every(({ value }) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  const named = options.classes !== undefined;
  const rows = table.count;

  function add<T extends number | string>(
    name: string,
    type: ColumnType,
    value: (zone: number) => T | null,
  ): void {
    let free = name;
    for (let k = 2; taken.has(free); k++) free = `${name}_${k}`;
    if (free !== name) warnings.add(`the zones have a column ${name} already: the new one is ${free}`);
    taken.add(free);
    const builder = new ColumnBuilder({ name: free, type, nullable: true });
    for (let zone = 0; zone < rows; zone++) builder.push(value(zone));
    columns.push(builder.finish());
  }

  for (const [k, year] of years.entries()) {
    const suffix = year.label === "" ? "" : `_${year.label}`;
    const numberOrNull = (value: number) => (Number.isNaN(value) ? null : value);
    for (const [c, info] of classes.entries()) {
      add(`${columnName(info.name)}_${unit}${suffix}`, "float64", (zone) => {
        const area = year.area[zone * n + c]!;
        if (unit !== "share") return area / SQUARE_METRES[unit];
        let observed = 0;
        for (let i = 0; i < n; i++) observed += year.area[zone * n + i]!;
        return observed === 0 ? null : area / observed;
      });
    }
    const value = (numbers: Int32Array) => (zone: number) => classes[numbers[zone]!]?.value ?? null;
    const name = (numbers: Int32Array) => (zone: number) => classes[numbers[zone]!]?.name ?? null;
    add(`dominant${suffix}`, whole ? "int32" : "float64", value(year.dominant));
    if (named) add(`dominant_name${suffix}`, "string", name(year.dominant));
    add(`dominant_share${suffix}`, "float64", (zone) => numberOrNull(year.dominantShare[zone]!));
    add(`second${suffix}`, whole ? "int32" : "float64", value(year.runnerUp));
    if (named) add(`second_name${suffix}`, "string", name(year.runnerUp));
    add(`second_share${suffix}`, "float64", (zone) => numberOrNull(year.runnerUpShare[zone]!));
    add(`margin${suffix}`, "float64", (zone) => {
      const share = year.dominantShare[zone]!;
      if (Number.isNaN(share)) return null;
      return year.runnerUp[zone] === -1 ? share : share - year.runnerUpShare[zone]!;
    });
    add(`covered_share${suffix}`, "float64", (zone) => year.coveredShare[zone]!);
    add(`nodata_share${suffix}`, "float64", (zone) => numberOrNull(year.nodataShare[zone]!));
    add(`pixels${suffix}`, "float64", (zone) => year.zonePixels[zone]!);
    add(`note${suffix}`, "string", (zone) => notes[k]![zone]!);
  }
  return { ...table, columns };
}

/** A class name as part of a column name: small letters and digits, `_` for everything else. */
export function columnName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  return plain === "" ? "class" : plain;
}
