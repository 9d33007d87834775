import type { Executor } from "../execution/executor.ts";
import type { Surface } from "../kernels/raster/cell-area.ts";
import { GeoError } from "../model/errors.ts";
import {
  asSource,
  type Column,
  ColumnBuilder,
  type ColumnType,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  isNull,
  type Value,
  valueAt,
} from "../model/features.ts";
import { NULL_GEOMETRY } from "../model/geometry.ts";
import { type AreaUnit, columnName, type Tie } from "./dominant.ts";
import { polygonOverlaps, requireField } from "./polygon-overlaps.ts";
import { readTable } from "./read-table.ts";
import type { OnCrsMismatch } from "./region.ts";

/** One class of class polygons. */
export interface PolygonClass {
  /** As in the class field; booleans and dates as text. */
  readonly value: number | string;
  readonly name: string;
  /** As in `"#1f6fb4"`. */
  readonly color?: string | undefined;
}

export interface DominantPolygonsOptions {
  /** Column of the polygons that holds their class, numbers or text. */
  readonly classField: string;
  /** Unit of the class columns; `"share"` is of the area under class polygons. Default `"ha"`. */
  readonly areaUnit?: AreaUnit | undefined;
  /**
   * Where areas are measured. Default: `"plane"` for projected zones, `"ellipsoid"` (WGS 84) for zones in degrees; `"sphere"` is
   * that of Earth Engine. On both, edges are straight in longitude and latitude.
   */
  readonly surface?: Surface | undefined;
  /** Names and colours, in the order of the columns. Default: values found, upward, text after numbers. */
  readonly classes?: readonly PolygonClass[] | undefined;
  /** Values that `classes` does not list: counted under their own name, or left out as if no polygon was there. Default `"keep"`. */
  readonly others?: "keep" | "ignore" | undefined;
  /** On equal areas the smallest (default) or largest value wins, or the class of the first polygon in the layer's order. */
  readonly tie?: Tie | undefined;
  /** No dominant class below this share of the area under class polygons. Default 0. */
  readonly minShare?: number | undefined;
  /** Number columns of the polygons to average over each zone, weighted by area. */
  readonly meanFields?: readonly string[] | undefined;
  /** Default `"transform"`: polygons are brought to the CRS of the zones, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Where overlaps are measured. Default: here. They are always added up here, in the order of the polygons. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the polygons done and, when the layer says, how many there are. */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/** Class areas in all zones; arrays of zones, or zones x classes row by row. */
export interface PolygonClassAreas {
  /** Square metres, `zones * classes`. */
  readonly area: Float64Array;
  /** Square metres. */
  readonly zoneArea: Float64Array;
  /** Polygons of any listed class that share an area with the zone. */
  readonly polygons: Float64Array;
  /** Number of the dominant class in {@link DominantPolygonsResult.classes}, -1 for none; likewise the runner-up. */
  readonly dominant: Int32Array;
  readonly runnerUp: Int32Array;
  /** Share of the area under class polygons; NaN where there is no such class. */
  readonly dominantShare: Float64Array;
  readonly runnerUpShare: Float64Array;
  /** Area under class polygons over that of the zone: above 1 where class polygons overlap. NaN for zones without area. */
  readonly coveredShare: Float64Array;
  /** Area-weighted means in the order of `meanFields`; NaN where no polygon has a value. */
  readonly means: readonly Float64Array[];
}

export interface DominantPolygonsResult {
  /** The zones, in their order, with the columns listed at {@link dominantClassPolygons}. */
  readonly table: FeatureTable;
  readonly classes: readonly PolygonClass[];
  readonly areas: PolygonClassAreas;
  /** Zones that no class polygon shares an area with. */
  readonly emptyZones: number;
  /** Polygons near the zones. */
  readonly polygons: number;
  /** Polygons that share an area with a zone and have no class; they count as not there. */
  readonly unclassed: number;
  /** Zones whose class polygons overlap each other. */
  readonly overlappingZones: number;
  readonly warnings: readonly string[];
}

const SQUARE_METRES: Readonly<Record<Exclude<AreaUnit, "share">, number>> = { m2: 1, ha: 1e4, km2: 1e6 };
const MAX_CLASSES = 4096;
/** Cover beyond 1 by more than rounding. */
const OVERLAPPING = 1 + 1e-9;

/**
 * Area of each class in each zone, the dominant class and the runner-up, from polygons with a class. What {@link dominantClass} is
 * for rasters, without their pixels: areas are those of the exact intersections. All polygons of a class are added up.
 * Zones may overlap, each counts for itself. Polygons are streamed, only zones are in memory.
 *
 * Where class polygons overlap each other, ground counts for each of them: areas are right for each class, the shares are of the
 * sum, and `covered_share` can exceed 1; a warning says in how many zones. Polygons without a class count as not there.
 *
 * Columns added to the zones:
 *
 * - `<class>_<unit>` for every class, `<class>` being its name in small letters with `_` between words;
 * - `dominant` (value), `dominant_name` when `classes` was given, `dominant_share`, `second`, `second_name`, `second_share`,
 *   `margin` (difference of the shares); null where there is no class;
 * - `covered_share`, `uncovered_share` (of the zone; never below 0), `polygons` (how many share an area with the zone);
 * - `<field>_mean` for every mean field;
 * - `note`: `"no class polygon"`, `"no geometry"`, else null.
 *
 * A column whose name is taken gets `_2` and so on, with a warning.
 *
 * @throws GeoError `CRS_MISMATCH`; `INVALID_INPUT` for a field that is not there, is no class or no number
 */
export async function dominantClassPolygons(
  zones: FeatureTable | FeatureSource,
  polygons: FeatureTable | FeatureSource,
  options: DominantPolygonsOptions,
): Promise<DominantPolygonsResult> {
  const { classField, classes: listed, others = "keep", meanFields = [], signal, onProgress } = options;
  if (typeof classField !== "string") {
    throw new GeoError(
      "INVALID_INPUT",
      "dominantClass of polygons needs the field that holds their class",
      { path: "classField", expected: "the name of a field" },
      { hint: "Pass { classField: NAME }." },
    );
  }
  const table = "batches" in zones ? await readTable(zones, { signal }) : zones;
  const source = asSource(polygons, "class polygons");
  requireField(source, classField, "classField");
  for (const name of meanFields) requireNumbers(source, name);
  const known = listed === undefined || others === "keep" ? null : new Set(listed.map(({ value }) => value));

  const tally = new Tally(table.count, meanFields.length);
  let unclassed = 0;
  let current: FeatureTable | null = null;
  let column!: Column;
  let means: readonly Column[] = [];
  let lastRow = -1;
  let slot = -1;
  const found = await polygonOverlaps(
    table,
    source,
    {
      surface: options.surface,
      fields: [...new Set([classField, ...meanFields])],
      onCrsMismatch: options.onCrsMismatch,
      executor: options.executor,
      signal,
      onProgress,
    },
    (batch, row, zone, area) => {
      if (batch !== current) {
        current = batch;
        lastRow = -1;
        column = columnNamed(batch, classField)!;
        means = meanFields.map((name) => columnNamed(batch, name)!);
      }
      if (row !== lastRow) {
        lastRow = row;
        const value = classValue(valueAt(column, row));
        if (value === null) unclassed++;
        slot = value === null || (known !== null && !known.has(value)) ? -1 : tally.slot(value);
        if (slot >= MAX_CLASSES) throw notClasses(source, classField);
      }
      if (slot < 0) return;
      tally.add(slot, zone, area);
      for (let k = 0; k < means.length; k++) {
        if (isNull(means[k]!, row)) continue;
        const value = Number(valueAt(means[k]!, row));
        if (!Number.isNaN(value)) tally.addMean(k, zone, area, value);
      }
    },
  );

  const warnings = new Set(found.warnings);
  const classes = classList(tally, options, warnings);
  const areas = summarize(tally, found.zoneAreas, classes, options);
  let emptyZones = 0;
  let overlappingZones = 0;
  let most = 0;
  for (let zone = 0; zone < table.count; zone++) {
    if (areas.polygons[zone] === 0) emptyZones++;
    const cover = areas.coveredShare[zone]!;
    if (cover > OVERLAPPING) overlappingZones++;
    if (cover > most) most = cover;
  }
  if (emptyZones > 0) warnings.add(`${emptyZones} zones have no class polygon: see the column note`);
  if (overlappingZones > 0)
    warnings.add(
      `class polygons overlap each other in ${overlappingZones} zones, whose cover reaches ${(100 * most).toFixed(2)} %: such ground counts for each of them`,
    );
  if (unclassed > 0) warnings.add(`${unclassed} polygons have no ${classField}: they count as not there`);
  return {
    table: withColumns(table, areas, classes, options, warnings),
    classes,
    areas,
    emptyZones,
    polygons: found.polygons,
    unclassed,
    overlappingZones,
    warnings: [...warnings],
  };
}

/** A class as a number or text; `null` for a missing one. */
function classValue(value: Value): number | string | null {
  if (value === null) return null;
  if (typeof value === "number") return Number.isNaN(value) ? null : value;
  if (typeof value === "string") return value;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function requireNumbers(source: FeatureSource, name: string): void {
  requireField(source, name, "meanFields");
  const { type } = source.schema.fields.find((field) => field.name === name)!;
  if (type === "int32" || type === "int64" || type === "float64") return;
  throw new GeoError("INVALID_INPUT", `the field "${name}" of ${source.url} is ${type}, expected numbers`, {
    path: "meanFields",
    expected: "a column of numbers",
  });
}

function notClasses(source: FeatureSource, field: string): GeoError<"INVALID_INPUT"> {
  return new GeoError(
    "INVALID_INPUT",
    `the field "${field}" of ${source.url} holds more than ${MAX_CLASSES} different values: it is a measurement or a key, not classes`,
    { path: "classField", expected: "a field of classes" },
  );
}

/** Sums of all classes in all zones, with what rounding takes from them (Neumaier 1974). */
class Tally {
  readonly zones: number;
  readonly slots = new Map<number | string, number>();
  readonly areas: Float64Array[] = [];
  readonly rests: Float64Array[] = [];
  /** Order in which a class was met, per slot and zone; 0 for not met. */
  readonly first: Float64Array[] = [];
  readonly polygons: Float64Array;
  readonly meanSums: Float64Array[] = [];
  readonly meanAreas: Float64Array[] = [];
  #met = 0;

  constructor(zones: number, means: number) {
    this.zones = zones;
    this.polygons = new Float64Array(zones);
    for (let k = 0; k < means; k++) {
      this.meanSums.push(new Float64Array(zones));
      this.meanAreas.push(new Float64Array(zones));
    }
  }

  slot(value: number | string): number {
    let slot = this.slots.get(value);
    if (slot === undefined) {
      slot = this.slots.size;
      this.slots.set(value, slot);
      this.areas.push(new Float64Array(this.zones));
      this.rests.push(new Float64Array(this.zones));
      this.first.push(new Float64Array(this.zones));
    }
    return slot;
  }

  add(slot: number, zone: number, area: number): void {
    const areas = this.areas[slot]!;
    const before = areas[zone]!;
    const sum = before + area;
    this.rests[slot]![zone]! += before >= area ? before - sum + area : area - sum + before;
    areas[zone] = sum;
    if (before === 0) this.first[slot]![zone] = ++this.#met;
    this.polygons[zone]!++;
  }

  addMean(k: number, zone: number, area: number, value: number): void {
    this.meanSums[k]![zone]! += area * value;
    this.meanAreas[k]![zone]! += area;
  }
}

function classList(
  { slots }: Tally,
  { classes, others = "keep" }: DominantPolygonsOptions,
  warnings: Set<string>,
): PolygonClass[] {
  const list: PolygonClass[] = [...(classes ?? [])];
  const listed = new Set(list.map(({ value }) => value));
  const rest = [...slots.keys()].filter((value) => !listed.has(value)).sort(compareValues);
  if (classes !== undefined && rest.length > 0)
    warnings.add(`values that no class is named for were kept: ${rest.join(", ")}`);
  if (classes === undefined || others === "keep")
    for (const value of rest)
      list.push({ value, name: typeof value === "number" ? `class_${value}` : value });
  return list;
}

/** Numbers upward, then text by its UTF-16 code units, so that no locale changes the order. */
function compareValues(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function summarize(
  tally: Tally,
  zoneArea: Float64Array,
  classes: readonly PolygonClass[],
  { tie = "min", minShare = 0 }: DominantPolygonsOptions,
): PolygonClassAreas {
  const { zones } = tally;
  const n = classes.length;
  const area = new Float64Array(zones * n);
  const dominant = new Int32Array(zones).fill(-1);
  const runnerUp = new Int32Array(zones).fill(-1);
  const dominantShare = new Float64Array(zones).fill(Number.NaN);
  const runnerUpShare = new Float64Array(zones).fill(Number.NaN);
  const coveredShare = new Float64Array(zones).fill(Number.NaN);
  const slots = classes.map(({ value }) => tally.slots.get(value));
  for (let zone = 0; zone < zones; zone++) {
    let covered = 0;
    let best = -1;
    let second = -1;
    for (let c = 0; c < n; c++) {
      const slot = slots[c];
      if (slot === undefined || tally.first[slot]![zone] === 0) continue;
      area[zone * n + c] = tally.areas[slot]![zone]! + tally.rests[slot]![zone]!;
      covered += area[zone * n + c]!;
      if (best === -1 || before(c, best)) {
        second = best;
        best = c;
      } else if (second === -1 || before(c, second)) second = c;
    }
    const share = best === -1 ? 0 : area[zone * n + best]! / covered;
    if (best !== -1 && share >= minShare) {
      dominant[zone] = best;
      dominantShare[zone] = share;
      if (second !== -1) {
        runnerUp[zone] = second;
        runnerUpShare[zone] = area[zone * n + second]! / covered;
      }
    }
    if (zoneArea[zone]! > 0) coveredShare[zone] = covered / zoneArea[zone]!;

    function before(a: number, b: number): boolean {
      const left = area[zone * n + a]!;
      const right = area[zone * n + b]!;
      if (left !== right) return left > right;
      if (tie === "first") return tally.first[slots[a]!]![zone]! < tally.first[slots[b]!]![zone]!;
      const order = compareValues(classes[a]!.value, classes[b]!.value);
      return tie === "min" ? order < 0 : order > 0;
    }
  }
  const means = tally.meanSums.map((sums, k) => sums.map((sum, zone) => sum / tally.meanAreas[k]![zone]!));
  return {
    area,
    zoneArea,
    polygons: tally.polygons,
    dominant,
    runnerUp,
    dominantShare,
    runnerUpShare,
    coveredShare,
    means,
  };
}

function withColumns(
  table: FeatureTable,
  areas: PolygonClassAreas,
  classes: readonly PolygonClass[],
  options: DominantPolygonsOptions,
  warnings: Set<string>,
): FeatureTable {
  const { areaUnit: unit = "ha", meanFields = [] } = options;
  const own = new Set(table.columns.map(({ name }) => name));
  const taken = new Set(own);
  const columns: Column[] = [...table.columns];
  const n = classes.length;
  const type = valueType(classes);

  function add<T extends number | string>(
    name: string,
    type: ColumnType,
    value: (zone: number) => T | null,
  ): void {
    let free = name;
    for (let k = 2; taken.has(free); k++) free = `${name}_${k}`;
    if (free !== name)
      warnings.add(
        own.has(name)
          ? `the zones have a column ${name} already: the new one is ${free}`
          : `two classes would have the column ${name}: the second is ${free}`,
      );
    taken.add(free);
    const builder = new ColumnBuilder({ name: free, type, nullable: true });
    for (let zone = 0; zone < table.count; zone++) builder.push(value(zone));
    columns.push(builder.finish());
  }

  const numberOrNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const covered = Float64Array.from({ length: table.count }, (_, zone) =>
    areas.area.subarray(zone * n, zone * n + n).reduce((sum, area) => sum + area, 0),
  );
  for (const [c, info] of classes.entries()) {
    add(`${columnName(info.name)}_${unit}`, "float64", (zone) => {
      const area = areas.area[zone * n + c]!;
      if (unit !== "share") return area / SQUARE_METRES[unit];
      return covered[zone] === 0 ? null : area / covered[zone]!;
    });
  }
  const value =
    (numbers: Int32Array) =>
    (zone: number): number | string | null => {
      const one = classes[numbers[zone]!]?.value;
      return one === undefined ? null : type === "string" ? String(one) : one;
    };
  const name = (numbers: Int32Array) => (zone: number) => classes[numbers[zone]!]?.name ?? null;
  const named = options.classes !== undefined;
  add("dominant", type, value(areas.dominant));
  if (named) add("dominant_name", "string", name(areas.dominant));
  add("dominant_share", "float64", (zone) => numberOrNull(areas.dominantShare[zone]!));
  add("second", type, value(areas.runnerUp));
  if (named) add("second_name", "string", name(areas.runnerUp));
  add("second_share", "float64", (zone) => numberOrNull(areas.runnerUpShare[zone]!));
  add("margin", "float64", (zone) => {
    const share = areas.dominantShare[zone]!;
    if (Number.isNaN(share)) return null;
    return areas.runnerUp[zone] === -1 ? share : share - areas.runnerUpShare[zone]!;
  });
  add("covered_share", "float64", (zone) => numberOrNull(areas.coveredShare[zone]!));
  add("uncovered_share", "float64", (zone) => numberOrNull(Math.max(0, 1 - areas.coveredShare[zone]!)));
  add("polygons", "float64", (zone) => areas.polygons[zone]!);
  for (const [k, field] of meanFields.entries())
    add(`${field}_mean`, "float64", (zone) => numberOrNull(areas.means[k]![zone]!));
  add("note", "string", (zone) => {
    if (table.geometry === null || table.geometry.types[zone] === NULL_GEOMETRY) return "no geometry";
    return areas.polygons[zone] === 0 ? "no class polygon" : null;
  });
  return { ...table, columns };
}

function valueType(classes: readonly PolygonClass[]): ColumnType {
  if (!classes.every(({ value }) => typeof value === "number")) return "string";
  return classes.every(({ value }) => (value as number) === ((value as number) | 0)) ? "int32" : "float64";
}
