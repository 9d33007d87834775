import type { RowGroup } from "hyparquet";
import { GeoError, isGeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  ColumnBuilder,
  type FeatureSource,
  type FeatureTable,
  type JsonValue,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { type GeometryType, POINT } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Bounds } from "../../model/grid.ts";
import type { ByteSource } from "../bytes/source.ts";
import { readError } from "../read-errors.ts";
import { WkbReader } from "../wkb.ts";
import { type CellType, cellType } from "./columns.ts";
import { type Decompressor, decompressorOf } from "./compression.ts";
import { DamagedPage, UnsupportedPage } from "./damaged.ts";
import type { Values } from "./encodings.ts";
import { chunkOf, memoryLimit, type ParquetColumn, type ParquetFile, readFooter } from "./footer.ts";
import { type GeoColumn, geoColumn, NATIVE_ENCODINGS } from "./geo.ts";
import { readNested } from "./nested.ts";
import { type Page, PageReader } from "./pages.ts";

/** Rows per batch unless asked otherwise. */
const BATCH_ROWS = 8192;
/** A batch ends early when it has this many vertices. */
const BATCH_VERTICES = 1 << 20;
/** Memory of one value inside lists while they are put together, by estimate. */
const NESTED_VALUE_BYTES = 64;

/**
 * Open a GeoParquet file (1.0, 1.1, or with Parquet's own GEOMETRY and GEOGRAPHY types), or a plain Parquet table.
 * Reads the footer only. Row groups, then pages, are decoded as batches ask for them, and only the columns that
 * are wanted; memory is one batch and one page of each column (lists and structures: one row group).
 *
 * With `bounds`, row groups whose statistics miss them are not read (bbox covering of 1.1, or geospatial
 * statistics), and rows whose covering misses them are not decoded.
 *
 * Geometry: WKB, and the native encodings of 1.1 ("point" to "multipolygon"). Columns: whole numbers of 8 to 32
 * bits are `int32`, 64 `int64` (unsigned 64 `float64`), decimals and half floats `float64`, timestamps `datetime`
 * (`utc` or `local`), lists, maps and structures `json`. The column of the covering is left out. Rows have no ids.
 *
 * @throws GeoError `INVALID_FORMAT`, `UNSUPPORTED` (encryption, other encodings), `LIMIT`
 */
export async function openGeoParquet(bytes: ByteSource): Promise<FeatureSource> {
  const { url } = bytes;
  const { file, geo } = await guarded(url, async () => {
    const file = await readFooter(bytes);
    return { file, geo: geoColumn(file, url) };
  });
  const hidden = new Set<string>(geo === null ? [] : [geo.column.name]);
  // The covering is about geometry, not an attribute.
  if (geo?.covering)
    for (const path of geo.covering) if (path.includes(".")) hidden.add(path.slice(0, path.indexOf(".")));
  const columns = file.columns
    .filter(({ name }) => !hidden.has(name))
    .map((column) => ({ column, type: cellType(column) }));
  const warnings = new Set([
    ...(geo?.warnings ?? []),
    ...columns.flatMap(({ type }) => (type.warning === null ? [] : [type.warning])),
  ]);
  const schema: LayerSchema = {
    name: url.replace(/^.*[/\\]/, "").replace(/\.[^.]*$/, ""),
    crs: geo?.crs ?? null,
    geometryTypes: geo === null ? [0] : geo.geometryTypes,
    hasZ: geo?.hasZ ?? false,
    hasM: geo?.hasM ?? false,
    fields: columns.map(({ type }) => type.field),
    count: file.rows,
    bounds: geo === null ? null : (geo.bounds ?? coveringBounds(file, geo)),
  };
  return {
    url,
    driver: geo === null ? "Parquet" : "GeoParquet",
    schema,
    layers: [schema.name],
    get warnings() {
      return [...warnings];
    },
    batches: (options = {}) => {
      const wanted =
        options.fields === undefined
          ? columns
          : options.fields.flatMap((name) => columns.find(({ type }) => type.field.name === name) ?? []);
      return new BatchReader(bytes, file, geo, wanted, schema, (warning) => warnings.add(warning)).batches(
        options,
      );
    },
    close: () => bytes.close(),
  };
}

/** Runs `body`, turning what decoding throws into errors that name the file. */
async function guarded<T>(url: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw decodeError(url, error);
  }
}

function decodeError(url: string, error: unknown): unknown {
  const known = readError(url, error);
  if (isGeoError(known) || !(known instanceof Error) || known.name === "AbortError") return known;
  if (known instanceof UnsupportedPage) {
    return new GeoError(
      "UNSUPPORTED",
      `${url}: ${known.message} is not read`,
      { feature: known.message, path: url },
      { hint: "Write the file again with common settings: WKB geometry, SNAPPY or ZSTD, default encodings." },
    );
  }
  // hyparquet and the decompressors throw errors of many kinds at bytes they do not understand.
  const finding = known instanceof DamagedPage ? known.message : `it cannot be decoded (${known.message})`;
  return new GeoError(
    "INVALID_FORMAT",
    `${url} is not a whole Parquet file: ${finding}`,
    { format: "GeoParquet", path: url },
    { cause: known, hint: "Copy or download the file again, or write it again from its source." },
  );
}

/** Smallest and largest value of a leaf in a row group, from its statistics. */
function leafRange(
  file: ParquetFile,
  group: RowGroup,
  path: string,
): readonly [min: number, max: number] | null {
  for (const { leaves } of file.columns) {
    for (const { leaf, index } of leaves) {
      if (leaf.path.join(".") !== path) continue;
      const stats = group.columns[index]!.meta_data?.statistics;
      const min = stats?.min_value ?? stats?.min;
      const max = stats?.max_value ?? stats?.max;
      return typeof min === "number" && typeof max === "number" && min <= max ? [min, max] : null;
    }
  }
  return null;
}

/** Bounds of a row group as far as its statistics tell. */
function groupBounds(file: ParquetFile, geo: GeoColumn, group: RowGroup): Bounds | null {
  if (geo.covering !== null) {
    const [xmin, ymin, xmax, ymax] = geo.covering.map((path) => leafRange(file, group, path));
    if (xmin && ymin && xmax && ymax) return [xmin[0], ymin[0], xmax[1], ymax[1]];
  }
  if (geo.encoding !== "WKB") return null;
  const box = group.columns[geo.column.leaves[0]!.index]!.meta_data?.geospatial_statistics?.bbox;
  // A box from east to west goes over the antimeridian and says nothing in plain numbers.
  return box !== undefined && box.xmin <= box.xmax && box.ymin <= box.ymax
    ? [box.xmin, box.ymin, box.xmax, box.ymax]
    : null;
}

/** Bounds of the layer from the statistics of all row groups, when all have them in full precision. */
function coveringBounds(file: ParquetFile, geo: GeoColumn): Bounds | null {
  // Coverings of 32-bit floats are rounded outward: not the bounds of the layer.
  const exact = geo.covering?.every((path) =>
    file.columns.some(({ leaves }) =>
      leaves.some(({ leaf }) => leaf.path.join(".") === path && leaf.type === "DOUBLE"),
    ),
  );
  if (exact !== true) return null;
  let bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const group of file.metadata.row_groups) {
    const box = groupBounds(file, geo, group);
    if (box === null) return null;
    bounds = [
      Math.min(bounds[0], box[0]),
      Math.min(bounds[1], box[1]),
      Math.max(bounds[2], box[2]),
      Math.max(bounds[3], box[3]),
    ];
  }
  return bounds[0] <= bounds[2] ? bounds : null;
}

/** Takes the cells of a column, one after the other. */
interface CellSink {
  null(): void;
  value(values: Values, i: number): void;
}

/** A column of one row group that is being read. */
interface ColumnCursor {
  /** Fetch what the first rows need. */
  prepare(signal: AbortSignal | undefined): Promise<void>;
  /**
   * Pass over the next rows, giving those with `keep[i] !== 0` (all without it) to the sink; ends early when
   * `full` says so.
   * @returns rows passed over; `count` unless it ended early.
   */
  pass(
    count: number,
    keep: Uint8Array | null,
    sink: CellSink,
    full: (() => boolean) | null,
    signal: AbortSignal | undefined,
  ): Promise<number>;
}

/** One leaf outside lists: pages are decoded as rows are passed. */
class FlatCursor implements ColumnCursor {
  readonly #reader: PageReader;
  readonly #maxDefinition: number;
  #page: Page | null = null;
  #row = 0;
  #value = 0;

  constructor(reader: PageReader, maxDefinition: number) {
    this.#reader = reader;
    this.#maxDefinition = maxDefinition;
  }

  async prepare(signal: AbortSignal | undefined): Promise<void> {
    this.#page ??= await this.#reader.next(signal);
  }

  async pass(
    count: number,
    keep: Uint8Array | null,
    sink: CellSink,
    full: (() => boolean) | null,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let passed = 0;
    while (passed < count) {
      if (this.#page === null || this.#row === this.#page.count) {
        this.#page = await this.#reader.next(signal);
        if (this.#page === null) throw new DamagedPage("a column ends before its rows do");
        this.#row = 0;
        this.#value = 0;
        continue;
      }
      const { count: rows, definitions, values } = this.#page;
      const end = Math.min(rows, this.#row + count - passed);
      let row = this.#row;
      let value = this.#value;
      for (; row < end; row++, passed++) {
        const present = definitions === null || definitions[row] === this.#maxDefinition;
        if (keep === null || keep[passed] === 1) {
          if (present) sink.value(values, value);
          else sink.null();
        }
        if (present) value++;
        if (full?.() === true) {
          row++;
          passed++;
          break;
        }
      }
      this.#row = row;
      this.#value = value;
      if (full?.() === true) return passed;
    }
    return passed;
  }
}

/** A column of lists, maps or structures: a whole row group at once. */
class NestedCursor {
  readonly #read: (signal: AbortSignal | undefined) => Promise<unknown[]>;
  #values: unknown[] | null = null;
  #row = 0;

  constructor(read: (signal: AbortSignal | undefined) => Promise<unknown[]>) {
    this.#read = read;
  }

  async prepare(signal: AbortSignal | undefined): Promise<void> {
    this.#values ??= await this.#read(signal);
  }

  pass(
    count: number,
    keep: Uint8Array | null,
    put: (value: unknown) => void,
    full: (() => boolean) | null,
  ): number {
    for (let i = 0; i < count; i++) {
      if (keep === null || keep[i] === 1) put(this.#values![this.#row]);
      this.#row++;
      if (full?.() === true) return i + 1;
    }
    return count;
  }
}

class BatchReader {
  readonly #source: ByteSource;
  readonly #file: ParquetFile;
  readonly #geo: GeoColumn | null;
  readonly #columns: readonly { column: ParquetColumn; type: CellType; builder: ColumnBuilder }[];
  readonly #schema: LayerSchema;
  readonly #warn: (warning: string) => void;
  readonly #geometry = new GeometryBuilder();
  readonly #wkb = new WkbReader(this.#geometry);
  readonly #decompressors = new Map<string, Decompressor>();
  /** Rows of the layer before the one that is being decoded; for messages. */
  #row = 0;
  #pending = 0;

  constructor(
    source: ByteSource,
    file: ParquetFile,
    geo: GeoColumn | null,
    columns: readonly { column: ParquetColumn; type: CellType }[],
    schema: LayerSchema,
    warn: (warning: string) => void,
  ) {
    this.#source = source;
    this.#file = file;
    this.#geo = geo;
    this.#columns = columns.map(({ column, type }) => ({
      column,
      type,
      builder: new ColumnBuilder(type.field),
    }));
    this.#schema = schema;
    this.#warn = warn;
  }

  async *batches(options: BatchOptions): AsyncGenerator<FeatureTable> {
    const { bounds, signal } = options;
    const limit = Math.max(1, options.batchSize ?? BATCH_ROWS);
    let groupStart = 0;
    let firstRow = 0;
    for (const group of this.#file.metadata.row_groups) {
      const rows = Number(group.num_rows);
      const start = groupStart;
      groupStart += rows;
      if (rows === 0 || (bounds !== undefined && this.#misses(group, bounds))) continue;
      const cursors = await guarded(this.#source.url, () => this.#open(group, bounds, signal));
      for (let at = 0; at < rows; ) {
        signal?.throwIfAborted();
        if (this.#pending === 0) firstRow = start + at;
        const block = Math.min(limit - this.#pending, rows - at);
        const keep =
          bounds === undefined ? null : await guarded(this.#source.url, () => cursors.keep(block, bounds));
        for (let done = 0; done < block; ) {
          this.#row = start + at + done;
          done += await guarded(this.#source.url, () =>
            cursors.pass(block - done, keep === null ? null : keep.subarray(done)),
          );
          // Few rows of each block may be wanted: they wait for more, so that batches are not tiny.
          if (
            bounds === undefined ||
            this.#pending > 0.75 * limit ||
            this.#geometry.vertices >= BATCH_VERTICES
          ) {
            const batch = this.#finish(firstRow, bounds);
            firstRow = start + at + done;
            if (bounds === undefined || batch.count > 0) yield batch;
          }
        }
        at += block;
      }
    }
    if (this.#pending > 0) {
      const batch = this.#finish(firstRow, bounds);
      if (batch.count > 0) yield batch;
    }
  }

  #misses(group: RowGroup, bounds: Bounds): boolean {
    if (this.#geo === null) return false;
    const box = groupBounds(this.#file, this.#geo, group);
    return (
      box !== null && (box[0] > bounds[2] || box[2] < bounds[0] || box[1] > bounds[3] || box[3] < bounds[1])
    );
  }

  #finish(firstRow: number, bounds: Bounds | undefined): FeatureTable {
    if (this.#wkb.closedRings > 0) this.#warn("rings that were not closed have been closed");
    const table: FeatureTable = {
      count: this.#pending,
      geometry: this.#geo === null ? null : this.#geometry.finish(),
      columns: this.#columns.map(({ builder }) => builder.finish()),
      ids: null,
      firstRow,
      crs: this.#schema.crs,
    };
    this.#pending = 0;
    return bounds === undefined ? table : selectBatch(table, { bounds });
  }

  /** Cursors over the wanted columns of a row group. */
  async #open(
    group: RowGroup,
    bounds: Bounds | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{
    keep(count: number, bounds: Bounds): Promise<Uint8Array | null>;
    pass(count: number, keep: Uint8Array | null): Promise<number>;
  }> {
    const rows = Number(group.num_rows);
    const flat = async (column: ParquetColumn, k: number): Promise<FlatCursor> =>
      new FlatCursor(await this.#pages(group, column, k), column.leaves[k]!.leaf.maxDefinition);
    const nested = (column: ParquetColumn): NestedCursor =>
      new NestedCursor(async (abort) => {
        const readers = await Promise.all(column.leaves.map((_, k) => this.#pages(group, column, k)));
        return await readNested(column, readers, rows, abort);
      });
    const geo = this.#geo;
    const native = geo !== null && geo.encoding !== "WKB";
    const geometry = geo === null ? null : native ? nested(geo.column) : await flat(geo.column, 0);
    const covering =
      bounds === undefined || !geo?.covering
        ? null
        : await Promise.all(geo.covering.map((path) => this.#leafCursor(group, path)));
    const attributes = await Promise.all(
      this.#columns.map(async (column) => ({
        ...column,
        cursor: isNested(column.column) ? nested(column.column) : await flat(column.column, 0),
      })),
    );
    // All first pages at once: over a network, one wait instead of many.
    await Promise.all([
      geometry?.prepare(signal),
      ...attributes.map(({ cursor }) => cursor.prepare(signal)),
      ...(covering ?? []).map((cursor) => cursor.prepare(signal)),
    ]);
    const full = (): boolean => this.#geometry.vertices >= BATCH_VERTICES;
    const wkbSink: CellSink = {
      null: () => {
        this.#geometry.null();
        this.#row++;
      },
      value: (values, i) => this.#readWkb(values, i),
    };
    return {
      keep: async (count, box) =>
        covering === null ? null : await coveringMask(covering, count, box, signal),
      pass: async (count, keep) => {
        let passed = count;
        if (geometry instanceof FlatCursor) passed = await geometry.pass(count, keep, wkbSink, full, signal);
        else if (geometry !== null) {
          const type = NATIVE_ENCODINGS[geo!.encoding]!;
          passed = geometry.pass(count, keep, (value) => this.#native(type, value), full);
        }
        for (const { cursor, type, builder } of attributes) {
          if (cursor instanceof NestedCursor) {
            cursor.pass(
              passed,
              keep,
              (value) =>
                value === null || value === undefined ? builder.pushNull() : builder.push(value as JsonValue),
              null,
            );
          } else {
            const sink: CellSink = {
              null: () => builder.pushNull(),
              value: (values, i) => type.push(builder, values, i),
            };
            await cursor.pass(passed, keep, sink, null, signal);
          }
        }
        this.#pending += keep === null ? passed : keep.subarray(0, passed).reduce((sum, one) => sum + one, 0);
        return passed;
      },
    };
  }

  async #pages(group: RowGroup, column: ParquetColumn, k: number): Promise<PageReader> {
    const { leaf, index } = column.leaves[k]!;
    const { chunk, info } = chunkOf(group, index, leaf, this.#source);
    const limit = memoryLimit(this.#source.size);
    if (isNested(column) && chunk.values > limit / NESTED_VALUE_BYTES) {
      throw new GeoError(
        "LIMIT",
        `${this.#source.url}: column "${column.name}" holds ${chunk.values} values in one row group, too many for a file of its size`,
        {
          what: `column "${column.name}"`,
          needed: chunk.values * NESTED_VALUE_BYTES,
          allowed: limit,
          path: this.#source.url,
        },
        { hint: "Leave the column out, or write the file with smaller row groups." },
      );
    }
    let decompress = this.#decompressors.get(info.codec);
    if (decompress === undefined) {
      decompress = await decompressorOf(info.codec, limit);
      this.#decompressors.set(info.codec, decompress);
    }
    return new PageReader(this.#source, leaf, chunk, decompress, limit);
  }

  async #leafCursor(group: RowGroup, path: string): Promise<FlatCursor> {
    for (const column of this.#file.columns) {
      const k = column.leaves.findIndex(({ leaf }) => leaf.path.join(".") === path);
      if (k >= 0)
        return new FlatCursor(await this.#pages(group, column, k), column.leaves[k]!.leaf.maxDefinition);
    }
    throw new DamagedPage(`the covering column ${path} is not there`);
  }

  #readWkb(values: Values, i: number): void {
    if (values.kind !== "bytes") throw new DamagedPage("its geometry is not bytes");
    const start = values.starts[i]!;
    try {
      this.#wkb.read(values.bytes, start, values.ends[i]! - start);
    } catch (error) {
      if (!isGeoError(error)) throw error;
      const where = `${this.#source.url}, near row ${this.#row}`;
      if (error.code === "UNSUPPORTED") {
        const { feature } = error.details as { feature: string };
        throw new GeoError(
          "UNSUPPORTED",
          `${where}: ${error.message}`,
          { feature, path: this.#source.url },
          { hint: error.hint },
        );
      }
      throw new GeoError(
        "INVALID_FORMAT",
        `${where}: ${error.message}`,
        { format: "GeoParquet", path: this.#source.url },
        { cause: error, hint: "Write the file again from its source." },
      );
    }
    this.#row++;
  }

  /** A row in a native encoding: lists of `{x, y, z, m}`, as deep as the type asks. */
  #native(type: GeometryType, value: unknown): void {
    const builder = this.#geometry;
    if (value === null || value === undefined) {
      builder.null();
      return;
    }
    builder.begin(type);
    const dimension = (type - 1) % 3;
    const parts = type > 3 ? asList(value) : [value];
    for (const part of parts) {
      const rings = dimension === 2 ? asList(part) : [part];
      if (dimension > 0 && rings.every((ring) => asList(ring).length === 0)) continue;
      if (dimension === 0 && isEmptyPoint(part)) continue;
      builder.part();
      for (const ring of rings) {
        builder.ring();
        for (const vertex of type === POINT || dimension === 0 ? [ring] : asList(ring)) {
          const { x, y, z, m } = vertex as {
            x?: number | null;
            y?: number | null;
            z?: number | null;
            m?: number | null;
          };
          builder.vertex(x ?? Number.NaN, y ?? Number.NaN, z ?? Number.NaN, m ?? Number.NaN);
        }
      }
    }
    builder.end();
  }
}

function isNested(column: ParquetColumn): boolean {
  return column.tree.children.length > 0 || column.tree.element.repetition_type === "REPEATED";
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new DamagedPage("its geometry is not made of lists as its encoding says");
  return value;
}

function isEmptyPoint(value: unknown): boolean {
  const { x, y } = value as { x?: number | null; y?: number | null };
  return (
    (x === null || x === undefined || Number.isNaN(x)) && (y === null || y === undefined || Number.isNaN(y))
  );
}

/** 1 for rows whose covering meets `bounds`; rows without a covering have no geometry. */
async function coveringMask(
  cursors: readonly FlatCursor[],
  count: number,
  bounds: Bounds,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const keep = new Uint8Array(count).fill(1);
  for (let k = 0; k < 4; k++) {
    let row = 0;
    const sink: CellSink = {
      null: () => {
        keep[row++] = 0;
      },
      value: (values, i) => {
        const value = (values as { array: Float64Array }).array[i]!;
        if (k < 2 ? !(value <= bounds[k + 2]!) : !(value >= bounds[k - 2]!)) keep[row] = 0;
        row++;
      },
    };
    await cursors[k]!.pass(count, null, sink, null, signal);
  }
  return keep;
}
