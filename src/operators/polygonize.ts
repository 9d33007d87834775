import { type Connectivity, Polygonizer, type RegionOrder } from "../kernels/raster/polygonize.ts";
import { GeoError } from "../model/errors.ts";
import {
  type BatchOptions,
  ColumnBuilder,
  type ColumnType,
  type FeatureSource,
  type FeatureTable,
  type Field,
  selectBatch,
} from "../model/features.ts";
import { MULTI_POLYGON, POLYGON } from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";
import { gridBounds, gridsAlign, type Window } from "../model/grid.ts";
import {
  isComplex,
  isFloat,
  isNodata,
  type RasterBlock,
  type RasterSource,
  SAMPLE_BYTES,
  type SampleType,
} from "../model/raster.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { DEFAULT_MEMORY } from "./read-windows.ts";

export type { Connectivity, RegionOrder } from "../kernels/raster/polygonize.ts";

export interface PolygonizeOptions {
  /** Band, from 0. Default 0. */
  readonly band?: number | undefined;
  /**
   * Pixels of equal value that share an edge are one region (4), or a corner too (8). Default 4. With 4 every feature is a
   * Polygon; with 8 a MultiPolygon of the polygons that touch at corners only.
   */
  readonly connectivity?: Connectivity | undefined;
  /** Attribute that gets the value. Default `"value"`. Band scale and offset are not applied. */
  readonly field?: string | undefined;
  /** Attribute that gets the number of pixels; default none. */
  readonly pixels?: string | undefined;
  /** A raster on the same grid whose pixels must not be 0 or nodata where regions are wanted: its first band. */
  readonly mask?: RasterSource | undefined;
  /**
   * `"first-pixel"` (default): by the first pixel of the region in reading order; a region waits for those that began before it,
   * so that memory may grow with the result. `"finished"`: by the row in which the region ends; memory holds the regions that
   * are open. Both are the same however the raster is stored.
   */
  readonly order?: RegionOrder | undefined;
  /** Budget for pixels in flight, bytes. Default 256 MiB. */
  readonly memory?: number | undefined;
  /** Called with rows done and rows in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Vertices after which a batch ends. */
const BATCH_VERTICES = 1 << 20;
/** Rows of pixels worth reading at once. */
const FEW_ROWS = 64;

/**
 * Polygons of the regions of equal value of a raster, along the cell edges, without vertices on straight edges. Pixels that
 * are nodata, NaN or masked belong to no region. Polygons are valid, neighbours share their vertices, shells run
 * counter-clockwise in the CRS; burning them gives the raster again, and their areas add up to that of its pixels. Values are compared
 * as stored: give a raster of classes ({@link reclassify} makes one of a raster of measurements).
 *
 * Lazy and streaming: every `batches()` reads the raster once, from top to bottom. Memory: a row of tiles, two rows of runs, and the
 * boundaries of regions that have not been handed out (see `order`). Time: a scan of the pixels, and the boundaries.
 *
 * @throws GeoError `INVALID_INPUT` for a band that is not there, `UNSUPPORTED` for complex samples, `GRID_MISMATCH` for a mask on
 * another grid; when read, `UNSUPPORTED` for a value beyond what 64-bit signed integers hold
 */
export function polygonize(source: RasterSource, options: PolygonizeOptions = {}): FeatureSource {
  const { band = 0, connectivity = 4, field = "value", pixels, mask } = options;
  const { grid } = source;
  const described = source.bands[band];
  if (described === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} has no band ${band + 1}`,
      { path: "band", expected: `1 to ${source.bands.length}` },
      { hint: `Its bands count from 1 to ${source.bands.length}.` },
    );
  }
  if (isComplex(described.type)) {
    throw new GeoError("UNSUPPORTED", `${source.url} holds complex samples, which have no regions`, {
      feature: `polygonize ${described.type}`,
      path: source.url,
    });
  }
  if (connectivity !== 4 && connectivity !== 8) {
    throw new GeoError("INVALID_INPUT", `connectivity is ${String(connectivity)}`, {
      path: "connectivity",
      expected: "4 or 8",
    });
  }
  if (mask !== undefined) requireSameGrid(source, mask);
  if (field === "" || field === pixels) {
    throw new GeoError("INVALID_INPUT", `field: ${JSON.stringify(field)} cannot name the value`, {
      path: "field",
      expected: "a name, and another than that of the pixel count",
    });
  }
  const type = columnType(described.type);
  const fields: Field[] = [{ name: field, type, nullable: false }];
  if (pixels !== undefined) fields.push({ name: pixels, type: "float64", nullable: false });
  const name = "polygons";
  return {
    url: source.url,
    driver: "Raster",
    schema: {
      name,
      crs: grid.crs,
      geometryTypes: [connectivity === 8 ? MULTI_POLYGON : POLYGON],
      hasZ: false,
      hasM: false,
      fields,
      count: null,
      bounds: gridBounds(grid),
    },
    layers: [name],
    warnings: [],
    batches: (batchOptions = {}) => traced(source, band, fields, options, batchOptions),
    close: () => source.close(),
  };
}

async function* traced(
  source: RasterSource,
  band: number,
  fields: readonly Field[],
  options: PolygonizeOptions,
  batchOptions: BatchOptions,
): AsyncGenerator<FeatureTable> {
  const { connectivity = 4, order = "first-pixel", mask, onProgress } = options;
  const { batchSize = 8192, signal } = batchOptions;
  const { grid } = source;
  const { nodata } = source.bands[band]!;
  const polygonizer = new Polygonizer(grid.width, connectivity, order);
  const builder = new GeometryBuilder();
  const keys = new Keys();
  const [value, count] = fields.map((field) => new ColumnBuilder(field));
  const wide = fields[0]!.type === "int64";
  const big = /64$/.test(source.bands[band]!.type) && wide;
  const attributes = (key: number, pixels: number): void => {
    if (!wide) value!.pushNumber(key);
    else value!.pushBigInt(big ? keys.sample(key, source.url) : BigInt(key));
    count?.pushNumber(pixels);
  };
  let firstRow = 0;
  const batch = (): FeatureTable => {
    const rows = builder.rows;
    const columns = count === undefined ? [value!.finish()] : [value!.finish(), count.finish()];
    const table = { count: rows, geometry: builder.finish(), columns, ids: null, firstRow, crs: grid.crs };
    firstRow += rows;
    return selectBatch(table, batchOptions);
  };

  const key = (sample: bigint): number => keys.of(sample);
  const read = async (window: Window): Promise<{ block: RasterBlock; valid: Uint8Array | null }> => {
    const [block, other] = await Promise.all([
      source.read(window, { bands: [band], signal }),
      mask?.read(window, { bands: [0], signal }),
    ]);
    return { block, valid: validity(block, other, mask) };
  };
  for await (const { block, valid } of mapConcurrent(bandsOfRows(source, band, options.memory), 2, read)) {
    signal?.throwIfAborted();
    const { window, bands } = block;
    for (let row = 0; row < window.height; row++) {
      polygonizer.nextRow.fill(bands[0]!, row * grid.width, nodata, valid, key);
      polygonizer.addRow();
      while (polygonizer.take(builder, attributes, grid.transform, batchSize, BATCH_VERTICES)) yield batch();
    }
    onProgress?.(window.row + window.height, grid.height);
  }
  polygonizer.finish();
  while (polygonizer.take(builder, attributes, grid.transform, batchSize, BATCH_VERTICES)) {
    signal?.throwIfAborted();
    yield batch();
  }
  if (builder.rows > 0) yield batch();
}

/** Windows of whole rows, along the tiles of the source as far as memory allows. */
function* bandsOfRows(
  source: RasterSource,
  band: number,
  memory: number = DEFAULT_MEMORY,
): Generator<Window> {
  const { grid, tile } = source;
  const rowBytes = grid.width * (SAMPLE_BYTES[source.bands[band]!.type] + 2);
  // Two in flight, and one being looked at.
  const allowed = Math.max(1, Math.floor(memory / 3 / rowBytes));
  const tiles = tile.height * Math.max(1, Math.floor(Math.min(allowed, FEW_ROWS) / tile.height));
  const height = Math.min(tiles, allowed);
  for (let row = 0; row < grid.height; row += height) {
    yield { col: 0, row, width: grid.width, height: Math.min(height, grid.height - row) };
  }
}

/** Where pixels count: 0 not. The mask of the block, that of a mask raster, or both; `null` when all do. */
function validity(
  block: RasterBlock,
  other: RasterBlock | undefined,
  mask: RasterSource | undefined,
): Uint8Array | null {
  if (other === undefined) return block.mask;
  const { nodata } = mask!.bands[0]!;
  const samples = other.bands[0]!;
  const out = new Uint8Array(samples.length);
  for (let i = 0; i < out.length; i++) {
    const sample = samples[i]!;
    // biome-ignore lint/suspicious/noDoubleEquals: 0n is 0 as well
    const none = sample == 0 || Number.isNaN(sample) || isNodata(sample, nodata);
    const masked = other.mask?.[i] === 0 || block.mask?.[i] === 0;
    out[i] = none || masked ? 0 : 1;
  }
  return out;
}

function requireSameGrid(source: RasterSource, mask: RasterSource): void {
  const { grid } = source;
  const [, , c, , , f] = grid.transform;
  const [, , mc, , , mf] = mask.grid.transform;
  const cell = Math.abs(grid.transform[0]) + Math.abs(grid.transform[1]);
  const same =
    grid.width === mask.grid.width &&
    grid.height === mask.grid.height &&
    gridsAlign(grid, mask.grid) &&
    Math.max(Math.abs(c - mc), Math.abs(f - mf)) < cell / 2;
  if (same) return;
  throw new GeoError(
    "GRID_MISMATCH",
    `the mask ${mask.url} (${mask.grid.width} x ${mask.grid.height}) is not on the grid of ${source.url} (${grid.width} x ${grid.height})`,
    { left: source.url, right: mask.url },
    { hint: "Make the mask on the grid of the raster, for instance with tilth warp --like." },
  );
}

function columnType(type: SampleType): ColumnType {
  if (isFloat(type)) return "float64";
  return type === "uint32" || type === "int64" || type === "uint64" ? "int64" : "int32";
}

/** 64-bit samples as numbers that tell them apart: themselves where a double holds them, else a number of their own. */
class Keys {
  readonly #keys = new Map<bigint, number>();
  readonly #samples: bigint[] = [];

  of(sample: bigint): number {
    const number = Number(sample);
    if (Number.isSafeInteger(number)) return number;
    let key = this.#keys.get(sample);
    if (key === undefined) {
      key = this.#samples.length + 0.5;
      this.#keys.set(sample, key);
      this.#samples.push(sample);
    }
    return key;
  }

  sample(key: number, path: string): bigint {
    const sample = Number.isInteger(key) ? BigInt(key) : this.#samples[Math.floor(key)]!;
    if (BigInt.asIntN(64, sample) === sample) return sample;
    throw new GeoError(
      "UNSUPPORTED",
      `${path} holds ${sample}, more than a column of signed 64-bit integers can`,
      { feature: "values of 2^63 and more", path },
    );
  }
}
