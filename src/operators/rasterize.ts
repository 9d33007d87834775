import { burnRuns, type Merge } from "../kernels/raster/burn.ts";
import { scanRuns } from "../kernels/raster/rasterize.ts";
import { shapeIndex } from "../kernels/raster/rasterize-index.ts";
import { prepareShapes } from "../kernels/raster/shapes.ts";
import { sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type Column,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  type Field,
  isNull,
  valueAt,
} from "../model/features.ts";
import { type GeometryColumn, rowBounds, typeDimension } from "../model/geometry.ts";
import { type Bounds, type Grid, gridBounds, SNAP_TOLERANCE } from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterSource,
  type SampleArray,
  type SampleType,
  type SampleValue,
  sampleArray,
} from "../model/raster.ts";
import { readTable } from "./read-table.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";

export interface RasterizeOptions {
  /** Grid of the result: that of a raster, or one given. Either this or `res`. */
  readonly like?: { readonly grid: Grid } | undefined;
  readonly grid?: Grid | undefined;
  /** Cell size in units of the features' CRS, `[x, y]` or one number. */
  readonly res?: number | readonly [x: number, y: number] | undefined;
  /**
   * With `res`: extent, kept as given; the last column and row are whole cells. Default: that of the features, outward to
   * multiples of the cell size.
   */
  readonly bounds?: Bounds | undefined;
  /** Attribute to burn: numbers or booleans; features without a value burn nothing. Default: `value`. */
  readonly field?: string | undefined;
  /** The same value for every feature, or one each. Default 1. */
  readonly value?: number | ArrayLike<number> | undefined;
  /** Every pixel a shape meets, not only those whose centre it holds. Default false. */
  readonly allTouched?: boolean | undefined;
  /** Later features over earlier ones, or sums. Default `"replace"`. */
  readonly merge?: Merge | undefined;
  /** Value of pixels that no feature takes, and what sums start from. Default: `nodata`, or 0 where there is none. */
  readonly fill?: number | undefined;
  /** Nodata value that the result declares. Default none. */
  readonly nodata?: SampleValue | null | undefined;
  /**
   * Default: the smallest of uint8, int16, uint16, int32, uint32, float32, float64 that holds every value and nodata
   * (float64 for sums of fractions; int64 for whole numbers that float64 would round).
   */
  readonly dtype?: SampleType | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What went into a raster. */
export interface RasterizeReport {
  /** Features that were read: those of the layer, or of the part of it that meets the grid. */
  readonly features: number;
  /** Features without a value of the field; they burn nothing. */
  readonly withoutValue: number;
  readonly warnings: readonly string[];
}

/** Largest grid that `res` may lead to: more is nearly always degrees taken for metres. */
const MAX_CELLS = 1e12;

/**
 * Burn features into a raster. Lazy: pixels are made window by window when they are read, from the
 * features, which are held in memory (of a layer: their geometry and one attribute, and only of those that meet the grid).
 * See {@link PixelRule} for which pixels a shape takes. Sums that do not fit the type are cut to its range, with a warning
 * when that can happen.
 *
 * Cost of a window: the rows of the edges in it, and a piece of memory to fill for each run of pixels.
 *
 * @throws GeoError `INVALID_INPUT` for a missing grid, field or value that does not fit `dtype`; `CRS_MISMATCH`
 */
export async function rasterize(
  features: FeatureTable | FeatureSource,
  options: RasterizeOptions = {},
): Promise<RasterSource & { readonly report: RasterizeReport }> {
  const { allTouched = false, merge = "replace", nodata = null } = options;
  const url = "batches" in features ? features.url : "features";
  const table = "batches" in features ? await readNeeded(features, options) : features;
  const grid = targetGrid(table, options);
  const warnings: string[] = [];
  const geometry = placed(table, grid, options, warnings);
  const { values, exact, rows } = burnValues(table, options);
  const fill = options.fill ?? (nodata === null ? 0 : Number(nodata));
  const type = options.dtype ?? smallestType(values, exact, fill, nodata, merge);
  if (isComplex(type)) {
    throw new GeoError("UNSUPPORTED", `rasterize cannot write ${type}`, { feature: `rasterize to ${type}` });
  }
  const filling = fillOf(options.fill, nodata, type);
  checkFits(type, exact === null ? values : exact, fill, nodata);
  const band: Band = makeBand({ type, nodata, description: options.field ?? "" });
  const shapes =
    geometry === null ? null : prepareShapes(geometry, grid, allTouched ? "all-touched" : "center", rows);
  const near = shapes === null ? null : shapeIndex(shapes);
  const wide = merge === "add" && !sumsFit(type, values, fill);
  if (wide && !isFloat(type)) {
    warnings.push(`sums may leave the range of ${type}, and are cut to it where they do`);
  }
  const stored = wide ? values : storedValues(type, values, exact);
  return {
    url,
    grid,
    bands: [band],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    report: { features: table.count, withoutValue: table.count - rows.length, warnings },
    async read(window, { bands = [0], signal } = {}) {
      signal?.throwIfAborted();
      const pixels = window.width * window.height;
      const burnt = wide ? new Float64Array(pixels) : sampleArray(type, pixels);
      if (filling !== 0 && filling !== 0n) burnt.fill((wide ? fill : filling) as never);
      if (shapes !== null) burnRuns(scanRuns(shapes, window, near!(window)), stored, window, merge, burnt);
      const out = wide ? narrowed(burnt as Float64Array, type) : burnt;
      return { window, bands: bands.map(() => out), mask: null };
    },
    close: () => Promise.resolve(),
  };
}

/** The one attribute and the geometries that a grid needs, as far as they are known before reading. */
async function readNeeded(source: FeatureSource, options: RasterizeOptions): Promise<FeatureTable> {
  const { field, value, signal, res } = options;
  if (field !== undefined) {
    requireNumbers(
      source.schema.fields.find(({ name }) => name === field),
      field,
      source.schema.fields,
    );
  }
  const grid = options.like?.grid ?? options.grid ?? null;
  const near =
    grid !== null
      ? sameCrs(source.schema.crs, grid.crs)
        ? enlarged(gridBounds(grid), cellSize(grid))
        : undefined
      : res !== undefined && options.bounds !== undefined
        ? enlarged(options.bounds, typeof res === "number" ? res : Math.max(...res))
        : undefined;
  return await readTable(source, {
    signal,
    fields: field === undefined ? [] : [field],
    // A list of values goes by the position of the feature in the layer.
    ...(near === undefined || typeof value === "object" ? {} : { bounds: near }),
  });
}

function enlarged([minX, minY, maxX, maxY]: Bounds, by: number): Bounds {
  return [minX - by, minY - by, maxX + by, maxY + by];
}

/** The geometries in the CRS of the grid; `null` when there are none. */
function placed(
  table: FeatureTable,
  grid: Grid,
  { onCrsMismatch }: RasterizeOptions,
  warnings: string[],
): GeometryColumn | null {
  if (table.geometry === null || table.geometry.xy.length === 0) return null;
  const region = regionIn(table, grid.crs, { onCrsMismatch, tolerance: cellSize(grid) / 1000 });
  for (const warning of region.warnings) warnings.push(warning.replace("the region", "the layer"));
  return region.geometry;
}

function targetGrid(table: FeatureTable, { like, grid, res, bounds }: RasterizeOptions): Grid {
  if (like !== undefined) return like.grid;
  if (grid !== undefined) return grid;
  if (res === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      "rasterize needs a grid: like, grid or res",
      { path: "like", expected: "a raster, a grid or a cell size" },
      { hint: "Pass --like RASTER or --res SIZE." },
    );
  }
  const [width, height] = typeof res === "number" ? [res, res] : res;
  if (!(width > 0 && height > 0 && Number.isFinite(width + height))) {
    throw new GeoError("INVALID_INPUT", `cell size ${res} is not above 0`, {
      path: "res",
      expected: "above 0",
    });
  }
  const [minX, minY, maxX, maxY] = bounds ?? extent(table);
  if (!(minX <= maxX && minY <= maxY)) {
    throw new GeoError(
      "INVALID_INPUT",
      "there is nothing to take the extent from: no feature has a geometry",
      {
        path: "bounds",
        expected: "bounds, or features with geometries",
      },
    );
  }
  const left = bounds === undefined ? Math.floor(minX / width + SNAP_TOLERANCE) * width : minX;
  const top = bounds === undefined ? Math.ceil(maxY / height - SNAP_TOLERANCE) * height : maxY;
  // Points and ends of lines on the right or lower edge of a cell belong to the next one, which must be there.
  const next = bounds === undefined && holdsLessThanPolygons(table);
  const cells = (length: number): number =>
    next ? Math.floor(length) + 1 : Math.max(1, Math.ceil(length - SNAP_TOLERANCE));
  const columns = cells((maxX - left) / width);
  const rows = cells((top - minY) / height);
  if (!(columns * rows <= MAX_CELLS)) {
    throw new GeoError(
      "LIMIT",
      `cells of ${width} x ${height} make a grid of ${columns} x ${rows}`,
      { what: "cells", needed: columns * rows, allowed: MAX_CELLS },
      { hint: "Give the cell size in units of the features' CRS." },
    );
  }
  return {
    width: columns,
    height: rows,
    transform: [width, 0, left, 0, -height, top],
    crs: table.crs,
  };
}

function holdsLessThanPolygons({ geometry }: FeatureTable): boolean {
  return geometry?.types.some((type) => type !== 0 && typeDimension(type) !== 2) ?? false;
}

function extent(table: FeatureTable): Bounds {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  const boxes = table.geometry === null ? new Float64Array() : rowBounds(table.geometry);
  for (let i = 0; i < boxes.length; i += 4) {
    minX = Math.min(minX, boxes[i]!);
    minY = Math.min(minY, boxes[i + 1]!);
    maxX = Math.max(maxX, boxes[i + 2]!);
    maxY = Math.max(maxY, boxes[i + 3]!);
  }
  return [minX, minY, maxX, maxY];
}

function cellSize({ transform: [a, b, , d, e] }: Grid): number {
  return Math.min(Math.hypot(a, d), Math.hypot(b, e));
}

interface BurnValues {
  /** One per feature that burns. */
  readonly values: Float64Array;
  /** The same to the last digit, of a field of 64-bit whole numbers. */
  readonly exact: BigInt64Array | null;
  /** Rows of the features that burn. */
  readonly rows: Int32Array;
}

function burnValues(table: FeatureTable, { field, value = 1 }: RasterizeOptions): BurnValues {
  const { count } = table;
  if (field === undefined) {
    if (typeof value !== "number" && value.length !== count) {
      throw new GeoError("INVALID_INPUT", `${value.length} values for ${count} features`, {
        path: "value",
        expected: "a number, or one for each feature",
      });
    }
    const values = typeof value === "number" ? new Float64Array(count).fill(value) : Float64Array.from(value);
    return { values, exact: null, rows: Int32Array.from({ length: count }, (_, i) => i) };
  }
  const column = columnNamed(table, field);
  requireNumbers(column, field, table.columns);
  const rows = new Int32Array(count);
  const values = new Float64Array(count);
  const exact = column!.type === "int64" ? new BigInt64Array(count) : null;
  let burning = 0;
  for (let i = 0; i < count; i++) {
    if (isNull(column as Column, i)) continue;
    rows[burning] = i;
    values[burning] = Number(valueAt(column as Column, i));
    if (exact !== null) exact[burning] = (column as Column & { values: BigInt64Array }).values[i]!;
    burning++;
  }
  return {
    values: values.subarray(0, burning),
    exact: exact?.subarray(0, burning) ?? null,
    rows: rows.subarray(0, burning),
  };
}

const NUMERIC: readonly string[] = ["int32", "int64", "float64", "boolean"];

function requireNumbers(field: Field | undefined, name: string, fields: readonly Field[]): void {
  if (field !== undefined && NUMERIC.includes(field.type)) return;
  const found = field === undefined ? "no such attribute" : `it is of type ${field.type}`;
  const names = fields.filter(({ type }) => NUMERIC.includes(type)).map((one) => one.name);
  throw new GeoError(
    "INVALID_INPUT",
    `field ${JSON.stringify(name)}: ${found}, expected an attribute of numbers`,
    { path: "field", expected: names.length > 0 ? `one of ${names.join(", ")}` : "an attribute of numbers" },
    {
      hint:
        names.length > 0 ? `Attributes of numbers: ${names.join(", ")}.` : "It has no attribute of numbers.",
    },
  );
}

function smallestType(
  values: Float64Array,
  exact: BigInt64Array | null,
  fill: number,
  nodata: SampleValue | null,
  merge: Merge,
): SampleType {
  let min = fill;
  let max = fill;
  let whole = true;
  let single = true;
  let sumMin = fill;
  let sumMax = fill;
  for (let i = -2; i < values.length; i++) {
    const value = i === -2 ? fill : i === -1 ? Number(nodata ?? fill) : values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    if (i >= 0 && value < 0) sumMin += value;
    else if (i >= 0) sumMax += value;
    whole &&= Number.isInteger(value);
    single &&= Math.fround(value) === value || Number.isNaN(value);
  }
  if (merge === "add") {
    min = Math.min(min, sumMin);
    max = Math.max(max, sumMax);
    single = false;
  }
  if (whole) {
    for (const type of ["uint8", "int16", "uint16", "int32", "uint32"] as const) {
      const [low, high] = integerRange(type)!;
      if (min >= Number(low) && max <= Number(high)) return type;
    }
    if (exact !== null && (max > Number.MAX_SAFE_INTEGER || min < -Number.MAX_SAFE_INTEGER)) return "int64";
  }
  return single ? "float32" : "float64";
}

/** Whether no sum of values can leave what `type` holds without rounding. */
function sumsFit(type: SampleType, values: Float64Array, fill: number): boolean {
  if (type === "float64") return true;
  if (isFloat(type)) return false;
  let min = fill;
  let max = fill;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < 0) min += values[i]!;
    else max += values[i]!;
  }
  const [low, high] = integerRange(type)!;
  // What a double would round cannot be vouched for.
  const exact = Number.MAX_SAFE_INTEGER;
  return min >= Math.max(Number(low), -exact) && max <= Math.min(Number(high), exact);
}

/** Values as `type` stores them. */
function storedValues(type: SampleType, values: Float64Array, exact: BigInt64Array | null): SampleArray {
  if (type === "float64") return values;
  const out = sampleArray(type, values.length);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = exact === null ? BigInt(values[i]!) : exact[i]!;
  } else out.set(values);
  return out;
}

/** The fill as `type` stores it: a nodata value beyond 2^53 keeps its digits. */
function fillOf(fill: number | undefined, nodata: SampleValue | null, type: SampleType): SampleValue {
  const value = fill ?? nodata ?? 0;
  if (type !== "int64" && type !== "uint64") return Number(value);
  return typeof value === "bigint" ? value : Number.isInteger(value) ? BigInt(value) : 0n;
}

/** Sums as `type` stores them: whole numbers are cut to its range. */
function narrowed(sums: Float64Array, type: SampleType): SampleArray {
  const out = sampleArray(type, sums.length);
  const range = integerRange(type);
  if (range === null) out.set(sums as never);
  else if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const [low, high] = range;
    for (let i = 0; i < sums.length; i++) {
      const sum = BigInt(sums[i]!);
      out[i] = sum < low ? low : sum > high ? high : sum;
    }
  } else {
    const low = Number(range[0]);
    const high = Number(range[1]);
    for (let i = 0; i < sums.length; i++) out[i] = Math.min(high, Math.max(low, sums[i]!));
  }
  return out;
}

function checkFits(
  type: SampleType,
  values: ArrayLike<number | bigint>,
  fill: number,
  nodata: SampleValue | null,
): void {
  if (isFloat(type)) return;
  const [low, high] = integerRange(type)!;
  for (let i = -2; i < values.length; i++) {
    const value = i === -2 ? fill : i === -1 ? (nodata ?? fill) : values[i]!;
    if ((typeof value === "bigint" || Number.isInteger(value)) && value >= low && value <= high) continue;
    const what = i === -2 ? "fill " : i === -1 ? "nodata " : "";
    throw new GeoError(
      "INVALID_INPUT",
      `${what}${value} does not fit a raster of ${type}`,
      { path: "dtype", expected: `whole numbers from ${low} to ${high}` },
      { hint: `${type} holds whole numbers from ${low} to ${high}: choose a wider type, or leave it out.` },
    );
  }
}
