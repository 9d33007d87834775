import { burnRuns, type Merge } from "../kernels/raster/burn.ts";
import { scanRuns } from "../kernels/raster/rasterize.ts";
import { prepareShapes } from "../kernels/raster/shapes.ts";
import { GeoError } from "../model/errors.ts";
import {
  type Column,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  isNull,
  valueAt,
} from "../model/features.ts";
import { rowBounds } from "../model/geometry.ts";
import type { Bounds, Grid } from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterSource,
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
  /** Cell size in units of the features' CRS, `[x, y]` or one number; cells start at multiples of it. */
  readonly res?: number | readonly [x: number, y: number] | undefined;
  /** With `res`: extent, default that of the features. */
  readonly bounds?: Bounds | undefined;
  /** Attribute to burn: numbers or booleans; features without a value burn nothing. Default: `value`. */
  readonly field?: string | undefined;
  /** The same value for every feature, or one each. Default 1. */
  readonly value?: number | ArrayLike<number> | undefined;
  /** Every pixel a shape meets, not only those whose centre it holds. Default false. */
  readonly allTouched?: boolean | undefined;
  /** Later features over earlier ones, or sums. Default `"replace"`. */
  readonly merge?: Merge | undefined;
  /** Value of pixels that no feature takes. Default 0. */
  readonly fill?: number | undefined;
  /** Nodata value that the result declares. Default none. */
  readonly nodata?: SampleValue | null | undefined;
  /** Default: the smallest of uint8, int16, int32, float32, float64 that holds every value (float64 for sums of fractions). */
  readonly dtype?: SampleType | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Largest grid that `res` may lead to: more is nearly always degrees taken for metres. */
const MAX_CELLS = 1e12;

/**
 * Burn features into a raster. Lazy: pixels are made window by window when they are read, from the
 * features, which are held in memory. See {@link PixelRule} for which pixels a shape takes.
 *
 * @throws GeoError `INVALID_INPUT` for a missing grid, field or value that does not fit `dtype`; `CRS_MISMATCH`
 */
export async function rasterize(
  features: FeatureTable | FeatureSource,
  options: RasterizeOptions = {},
): Promise<RasterSource> {
  const { allTouched = false, merge = "replace", fill = 0, nodata = null } = options;
  const url = "batches" in features ? features.url : "features";
  const table = "batches" in features ? await readTable(features, { signal: options.signal }) : features;
  const grid = targetGrid(table, options);
  const geometry =
    table.geometry === null || table.geometry.xy.length === 0
      ? null
      : regionIn(table, grid.crs, { onCrsMismatch: options.onCrsMismatch, tolerance: cellSize(grid) / 1000 })
          .geometry;
  const { values, rows } = burnValues(table, options);
  const type = options.dtype ?? smallestType(values, fill, merge);
  if (isComplex(type)) {
    throw new GeoError("UNSUPPORTED", `rasterize cannot write ${type}`, { feature: `rasterize to ${type}` });
  }
  checkFits(type, values, fill);
  const band: Band = makeBand({ type, nodata, description: options.field ?? "" });
  const rule = allTouched ? "all-touched" : "center";
  const shapes = geometry === null ? null : prepareShapes(geometry, grid, rule, rows);
  return {
    url,
    grid,
    bands: [band],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    async read(window, { bands = [0], signal } = {}) {
      signal?.throwIfAborted();
      const pixels = new Float64Array(window.width * window.height);
      if (fill !== 0) pixels.fill(fill);
      if (shapes !== null) burnRuns(scanRuns(shapes, window), values, window, merge, pixels);
      const out = sampleArray(type, pixels.length);
      if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
        for (let i = 0; i < pixels.length; i++) out[i] = BigInt(Math.round(pixels[i]!));
      } else out.set(pixels);
      return { window, bands: bands.map(() => out), mask: null };
    },
    close: () => Promise.resolve(),
  };
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
  const left = Math.floor(minX / width);
  const bottom = Math.floor(minY / height);
  const columns = Math.max(1, Math.ceil(maxX / width) - left);
  const rows = Math.max(1, Math.ceil(maxY / height) - bottom);
  if (!(columns * rows <= MAX_CELLS)) {
    throw new GeoError(
      "LIMIT",
      `cells of ${width} x ${height} make a grid of ${columns} x ${rows}`,
      { what: "cells", needed: columns * rows, allowed: MAX_CELLS },
      { hint: "Give the cell size in units of the features' CRS." },
    );
  }
  const top = (bottom + rows) * height;
  return {
    width: columns,
    height: rows,
    transform: [width, 0, left * width, 0, -height, top],
    crs: table.crs,
  };
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

/** Value of each feature that burns, and the rows of those. */
function burnValues(
  table: FeatureTable,
  { field, value = 1 }: RasterizeOptions,
): { values: Float64Array; rows: Int32Array } {
  const rows: number[] = [];
  const values: number[] = [];
  const column = field === undefined ? null : numericColumn(table, field);
  for (let i = 0; i < table.count; i++) {
    if (column !== null) {
      if (isNull(column, i)) continue;
      values.push(Number(valueAt(column, i)));
    } else values.push(typeof value === "number" ? value : value[i]!);
    rows.push(i);
  }
  return { values: Float64Array.from(values), rows: Int32Array.from(rows) };
}

function numericColumn(table: FeatureTable, name: string): Column {
  const column = columnNamed(table, name);
  const numeric = ["int32", "int64", "float64", "boolean"];
  if (column === undefined || !numeric.includes(column.type)) {
    const found = column === undefined ? "no such attribute" : `text of type ${column.type}`;
    const names = table.columns.filter(({ type }) => numeric.includes(type)).map((c) => c.name);
    throw new GeoError(
      "INVALID_INPUT",
      `field ${JSON.stringify(name)}: ${found}, expected an attribute of numbers`,
      {
        path: "field",
        expected: names.length > 0 ? `one of ${names.join(", ")}` : "an attribute of numbers",
      },
    );
  }
  return column;
}

function smallestType(values: Float64Array, fill: number, merge: Merge): SampleType {
  let min = fill;
  let max = fill;
  let whole = Number.isInteger(fill);
  let single = Math.fround(fill) === fill || Number.isNaN(fill);
  let sumMin = fill;
  let sumMax = fill;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    if (value < 0) sumMin += value;
    else sumMax += value;
    whole &&= Number.isInteger(value);
    single &&= Math.fround(value) === value || Number.isNaN(value);
  }
  if (merge === "add") {
    min = sumMin;
    max = sumMax;
    single = false;
  }
  if (whole) {
    for (const type of ["uint8", "int16", "int32"] as const) {
      const [low, high] = integerRange(type)!;
      if (min >= Number(low) && max <= Number(high)) return type;
    }
  }
  return single ? "float32" : "float64";
}

function checkFits(type: SampleType, values: Float64Array, fill: number): void {
  if (isFloat(type)) return;
  const [low, high] = integerRange(type)!;
  for (const value of [fill, ...values]) {
    if (Number.isInteger(value) && value >= Number(low) && value <= Number(high)) continue;
    throw new GeoError("INVALID_INPUT", `${value} does not fit a raster of ${type}`, {
      path: "dtype",
      expected: `whole numbers from ${low} to ${high}`,
    });
  }
}
