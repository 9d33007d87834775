import { type FileHandle, open } from "node:fs/promises";
import * as zlib from "node:zlib";
import type { KeyValue, SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { toProjJson } from "../../crs/format.ts";
import type { Crs } from "../../model/crs.ts";
import { GeoError, isGeoError } from "../../model/errors.ts";
import {
  type Column,
  type FeatureTable,
  type Field,
  isNull,
  type LayerSchema,
} from "../../model/features.ts";
import { GEOMETRY_NAMES, type GeometryColumn, rowBounds } from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { floatAbove, floatBelow } from "../float32.ts";
import { hilbertOrder } from "../hilbert.ts";
import { wkbLength, writeWkb } from "../wkb.ts";

export interface GeoParquetOptions {
  /**
   * Order of the rows. `"hilbert"` (default when there is geometry): along a Hilbert curve, so that row groups
   * are compact on the ground and readers can skip most of them. `"input"`: as they come.
   */
  readonly order?: "hilbert" | "input" | undefined;
  /** Default `"snappy"`. `"zstd"` needs Node 22.15. */
  readonly compression?: "snappy" | "gzip" | "zstd" | "none" | undefined;
  /** Rows of a row group at the most; default 32768. */
  readonly rowGroupSize?: number | undefined;
  /**
   * Bytes of features held for sorting; default 256 MiB. A larger layer is sorted piece by piece, each of about
   * this size: every row group stays compact, but those of different pieces overlap.
   */
  readonly sortMemory?: number | undefined;
}

const ROW_GROUP_ROWS = 32_768;
/** A row group ends early at this much geometry. */
const ROW_GROUP_BYTES = 64 << 20;
const SORT_BYTES = 256 << 20;

/**
 * Create a GeoParquet 1.1 file: WKB, bounds of every row in a `bbox` column declared as its covering, PROJJSON,
 * row groups along a Hilbert curve. Batches without geometry make a plain Parquet table in input order. Columns
 * are those of the first batch. The same batches give the same bytes.
 *
 * Rows have no ids in Parquet: ids are not written. M is left out, with a warning (GeoParquet has none). Names that
 * come twice are changed (`renamed`).
 *
 * Memory: `sortMemory` and one row group.
 *
 * @throws GeoError `OUTPUT_FAILED`, `UNSUPPORTED` (ZSTD on an old Node)
 */
export async function createGeoParquet(
  path: string,
  schema: LayerSchema,
  options: GeoParquetOptions = {},
): Promise<FeatureSink> {
  const compressors = compressorsOf(options.compression ?? "snappy");
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (error) {
    throw outputError(path, error);
  }
  let layer: LayerWriter | null = null;
  let closed = false;
  const release = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await file.close().catch(() => {});
  };
  const attempt = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      await release();
      throw outputError(path, error);
    }
  };
  return {
    write: (batch) =>
      attempt(async () => {
        layer ??= new LayerWriter(
          path,
          file,
          batch.columns,
          batch.geometry !== null,
          batch.crs ?? schema.crs,
          options,
          compressors,
        );
        await layer.write(batch);
      }),
    close: () =>
      attempt(async () => {
        const hasGeometry = !(schema.geometryTypes.length === 1 && schema.geometryTypes[0] === 0);
        layer ??= new LayerWriter(path, file, schema.fields, hasGeometry, schema.crs, options, compressors);
        const summary = await layer.finish();
        await release();
        return summary;
      }),
    abort: release,
  };
}

type Compress = (input: Uint8Array) => Uint8Array;
interface Codec {
  readonly codec: "SNAPPY" | "GZIP" | "ZSTD" | "UNCOMPRESSED";
  readonly compressors: Partial<Record<"GZIP" | "ZSTD", Compress>>;
}

function compressorsOf(compression: NonNullable<GeoParquetOptions["compression"]>): Codec {
  switch (compression) {
    case "snappy":
      return { codec: "SNAPPY", compressors: {} };
    case "none":
      return { codec: "UNCOMPRESSED", compressors: {} };
    case "gzip":
      return { codec: "GZIP", compressors: { GZIP: (input) => zlib.gzipSync(input) } };
    case "zstd": {
      const compress = (zlib as { zstdCompressSync?: Compress }).zstdCompressSync;
      if (compress === undefined) {
        throw new GeoError(
          "UNSUPPORTED",
          `ZSTD cannot be written on Node ${process.versions.node}`,
          { feature: "ZSTD compression" },
          { hint: "Use Node 22.15 or newer, or another compression." },
        );
      }
      return { codec: "ZSTD", compressors: { ZSTD: compress } };
    }
  }
}

/** A growing buffer that goes to the file after every row group. */
class FileWriter extends ByteWriter {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    super(1 << 20);
    this.#file = file;
  }

  async flush(): Promise<void> {
    const bytes = this.getBytes();
    for (let at = 0; at < bytes.length; )
      at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
    this.index = 0;
  }

  override async finish(): Promise<void> {
    await this.flush();
  }
}

interface Attribute {
  readonly field: Field;
  readonly name: string;
}

class LayerWriter {
  readonly #parquet: ParquetWriter;
  readonly #attributes: readonly Attribute[];
  readonly #geometryName: string | null;
  readonly #coveringName: string;
  readonly #crs: Crs | null;
  readonly #sorted: boolean;
  readonly #groupRows: number;
  readonly #sortBytes: number;
  readonly #warnings: string[] = [];
  readonly #renamed: Record<string, string> = {};
  readonly #typeNames = new Set<string>();
  readonly #extent: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  #pending: FeatureTable[] = [];
  #pendingRows = 0;
  #pendingBytes = 0;
  #droppedM = false;
  #count = 0;

  constructor(
    path: string,
    file: FileHandle,
    fields: readonly Field[],
    hasGeometry: boolean,
    crs: Crs | null,
    options: GeoParquetOptions,
    { codec, compressors }: Codec,
  ) {
    this.#crs = crs;
    this.#sorted = hasGeometry && (options.order ?? "hilbert") === "hilbert";
    this.#groupRows = Math.max(1, Math.floor(options.rowGroupSize ?? ROW_GROUP_ROWS));
    this.#sortBytes = options.sortMemory ?? SORT_BYTES;
    const taken = new Set<string>();
    this.#attributes = fields.map((field) => {
      const base = field.name === "" ? "column" : field.name;
      const name = freeName(base, taken);
      taken.add(name);
      if (name !== field.name) this.#renamed[field.name] = name;
      return { field, name };
    });
    if (fields.length === 0 && !hasGeometry) {
      throw new GeoError(
        "UNSUPPORTED",
        `${path}: the table has no columns, but a Parquet file needs one`,
        { feature: "Parquet without columns", path },
        { hint: "Keep an attribute or the geometry." },
      );
    }
    this.#geometryName = hasGeometry ? freeName("geometry", taken) : null;
    this.#coveringName = freeName("bbox", taken);
    this.#parquet = new ParquetWriter({
      writer: new FileWriter(file),
      schema: this.#schema(),
      codec,
      compressors,
      createdBy: "tilth",
    });
  }

  async write(batch: FeatureTable): Promise<void> {
    this.#pending.push(batch);
    this.#pendingRows += batch.count;
    this.#pendingBytes += bytesOf(batch);
    if (this.#sorted ? this.#pendingBytes >= this.#sortBytes : this.#pendingRows >= this.#groupRows) {
      await this.#flush(false);
    }
  }

  async finish(): Promise<WriteSummary> {
    await this.#flush(true);
    const metadata: KeyValue[] = [];
    if (this.#geometryName !== null)
      metadata.push({ key: "geo", value: JSON.stringify(this.#geoMetadata(this.#geometryName)) });
    this.#parquet.kvMetadata = metadata.length > 0 ? metadata : undefined;
    await this.#parquet.finish();
    if (this.#droppedM) this.#warnings.push("M values are left out: GeoParquet has none");
    return {
      count: this.#count,
      ...(Object.keys(this.#renamed).length === 0 ? {} : { renamed: this.#renamed }),
      warnings: this.#warnings,
    };
  }

  /** Write what is pending; in input order the last rows wait until a row group is full, unless `all`. */
  async #flush(all: boolean): Promise<void> {
    const tables = this.#pending;
    const rows = this.#pendingRows;
    const tableOf = new Uint32Array(rows);
    const rowOf = new Uint32Array(rows);
    const boxes = this.#geometryName === null ? null : new Float64Array(4 * rows);
    let at = 0;
    for (const [t, table] of tables.entries()) {
      if (boxes !== null) {
        if (table.geometry === null) boxes.set(emptyBoxes(table.count), 4 * at);
        else boxes.set(rowBounds(table.geometry), 4 * at);
      }
      for (let i = 0; i < table.count; i++, at++) {
        tableOf[at] = t;
        rowOf[at] = i;
      }
    }
    const order =
      this.#sorted && boxes !== null ? hilbertOrder(boxes, rows) : Uint32Array.from(tableOf.keys());
    let start = 0;
    while (start < rows && (all || this.#sorted || rows - start >= this.#groupRows)) {
      const end = this.#groupEnd(tables, tableOf, rowOf, order, start);
      await this.#writeGroup(tables, tableOf, rowOf, boxes, order.subarray(start, end));
      start = end;
    }
    // What is left is less than a row group, and in the last table or two.
    const left = start < rows ? tables.slice(tableOf[start]!) : [];
    if (left.length > 0 && rowOf[start]! > 0) left[0] = tailOf(left[0]!, rowOf[start]!);
    this.#pending = left;
    this.#pendingRows = rows - start;
    this.#pendingBytes = left.reduce((sum, table) => sum + bytesOf(table), 0);
  }

  #groupEnd(
    tables: readonly FeatureTable[],
    tableOf: Uint32Array,
    rowOf: Uint32Array,
    order: Uint32Array,
    start: number,
  ): number {
    const most = Math.min(order.length, start + this.#groupRows);
    if (this.#geometryName === null) return most;
    let bytes = 0;
    for (let k = start; k < most; k++) {
      const { geometry } = tables[tableOf[order[k]!]!]!;
      if (geometry !== null) bytes += wkbLength(geometry, rowOf[order[k]!]!);
      if (bytes > ROW_GROUP_BYTES) return k + 1;
    }
    return most;
  }

  async #writeGroup(
    tables: readonly FeatureTable[],
    tableOf: Uint32Array,
    rowOf: Uint32Array,
    boxes: Float64Array | null,
    rows: Uint32Array,
  ): Promise<void> {
    const columnData: { name: string; data: unknown[]; encoding?: "PLAIN"; statistics?: boolean }[] = [];
    for (const [c, { field, name }] of this.#attributes.entries()) {
      const data = new Array<unknown>(rows.length);
      for (let k = 0; k < rows.length; k++) {
        const row = rows[k]!;
        data[k] = cell(tables[tableOf[row]!]!.columns[c]!, rowOf[row]!);
      }
      // A dictionary of numbers would take -0 and 0 for one.
      columnData.push(field.type === "float64" ? { name, data, encoding: "PLAIN" } : { name, data });
    }
    if (this.#geometryName !== null && boxes !== null) {
      const geometry = new Array<unknown>(rows.length);
      const covering = new Array<unknown>(rows.length);
      for (let k = 0; k < rows.length; k++) {
        const row = rows[k]!;
        const column = tables[tableOf[row]!]!.geometry;
        geometry[k] = column === null ? null : this.#wkb(column, rowOf[row]!);
        covering[k] = this.#covering(boxes, 4 * row);
      }
      columnData.push({ name: this.#geometryName, data: geometry, encoding: "PLAIN", statistics: false });
      columnData.push({ name: this.#coveringName, data: covering, encoding: "PLAIN" });
    }
    await this.#parquet.write({ columnData, rowGroupSize: rows.length });
    this.#count += rows.length;
  }

  #wkb(column: GeometryColumn, row: number): Uint8Array | null {
    const type = column.types[row]!;
    if (type === 0) return null;
    const bytes = writeWkb(column, row, { m: false });
    const hasZ = new DataView(bytes.buffer).getUint32(1, true) >= 1000;
    this.#typeNames.add(`${GEOMETRY_NAMES[type]}${hasZ ? " Z" : ""}`);
    if (column.m !== null) this.#droppedM = true;
    return bytes;
  }

  /** Bounds of a row in 32-bit floats, rounded outward. */
  #covering(
    boxes: Float64Array,
    at: number,
  ): { xmin: number; ymin: number; xmax: number; ymax: number } | null {
    const [minX, minY, maxX, maxY] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
    if (!(minX <= maxX && minY <= maxY)) return null;
    const extent = this.#extent;
    if (minX < extent[0]) extent[0] = minX;
    if (minY < extent[1]) extent[1] = minY;
    if (maxX > extent[2]) extent[2] = maxX;
    if (maxY > extent[3]) extent[3] = maxY;
    return { xmin: floatBelow(minX), ymin: floatBelow(minY), xmax: floatAbove(maxX), ymax: floatAbove(maxY) };
  }

  #schema(): SchemaElement[] {
    const hasGeometry = this.#geometryName !== null;
    const elements: SchemaElement[] = [
      { name: "schema", num_children: this.#attributes.length + (hasGeometry ? 2 : 0) },
      ...this.#attributes.map(({ field, name }) => ({
        name,
        repetition_type: "OPTIONAL" as const,
        ...physical(field),
      })),
    ];
    if (this.#geometryName !== null) {
      elements.push({ name: this.#geometryName, type: "BYTE_ARRAY", repetition_type: "OPTIONAL" });
      elements.push({ name: this.#coveringName, repetition_type: "OPTIONAL", num_children: 4 });
      for (const name of ["xmin", "ymin", "xmax", "ymax"]) {
        elements.push({ name, type: "FLOAT", repetition_type: "REQUIRED" });
      }
    }
    return elements;
  }

  /** GeoParquet 1.1, section "Column metadata". */
  #geoMetadata(geometry: string): object {
    const path = (name: string): string[] => [this.#coveringName, name];
    return {
      version: "1.1.0",
      primary_column: geometry,
      columns: {
        [geometry]: {
          encoding: "WKB",
          geometry_types: [...this.#typeNames].sort(),
          ...this.#crsMetadata(),
          ...(this.#extent[0] <= this.#extent[2] ? { bbox: this.#extent } : {}),
          covering: {
            bbox: { xmin: path("xmin"), ymin: path("ymin"), xmax: path("xmax"), ymax: path("ymax") },
          },
        },
      },
    };
  }

  /** Without `crs` a file is in longitude and latitude on WGS 84; `null` means that it is not known. */
  #crsMetadata(): { crs?: object | null } {
    if (this.#crs === null) return { crs: null };
    if (this.#crs.code === "OGC:CRS84") return {};
    try {
      return { crs: toProjJson(this.#crs) };
    } catch (error) {
      if (!isGeoError(error)) throw error;
      this.#warnings.push(
        `the coordinate reference system cannot be written (${error.message}); the file says that it is not known`,
      );
      return { crs: null };
    }
  }
}

/** How a field is stored: https://parquet.apache.org/docs/file-format/types/logicaltypes/ */
function physical(field: Field): Partial<SchemaElement> {
  switch (field.type) {
    case "int32":
      return { type: "INT32" };
    case "int64":
      return { type: "INT64" };
    case "float64":
      return { type: "DOUBLE" };
    case "boolean":
      return { type: "BOOLEAN" };
    case "string":
      return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    // Without the older mark: with it, the writer would format the JSON anew.
    case "json":
      return { type: "BYTE_ARRAY", logical_type: { type: "JSON" } };
    case "binary":
      return { type: "BYTE_ARRAY" };
    case "date":
      return { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "time":
      return { type: "INT64", logical_type: { type: "TIME", isAdjustedToUTC: false, unit: "MICROS" } };
    case "datetime": {
      const isAdjustedToUTC = field.zone !== "local";
      return {
        type: "INT64",
        ...(isAdjustedToUTC ? { converted_type: "TIMESTAMP_MICROS" as const } : {}),
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC, unit: "MICROS" },
      };
    }
  }
}

/** Cell `i` as the writer wants it: bytes for text, counts for times. */
function cell(column: Column, i: number): unknown {
  if (isNull(column, i)) return null;
  switch (column.type) {
    case "int32":
    case "float64":
    case "int64":
      return column.values[i]!;
    case "boolean":
      return column.values[i] !== 0;
    case "date":
      return Math.floor(column.values[i]! / 86_400_000);
    case "time":
    case "datetime":
      return microseconds(column.values[i]!);
    default:
      return column.values.bytes.subarray(column.values.offsets[i]!, column.values.offsets[i + 1]!);
  }
}

/** NaN, a time that could not be read, is null. */
function microseconds(millis: number): bigint | null {
  if (!Number.isFinite(millis)) return null;
  const whole = Math.floor(millis);
  return BigInt(whole) * 1000n + BigInt(Math.round((millis - whole) * 1000));
}

/** Rows `start` and on of a table, sharing what can be shared. */
function tailOf(table: FeatureTable, start: number): FeatureTable {
  const slice = (column: Column): Column => {
    const valid = column.valid === null ? null : column.valid.subarray(start);
    if (column.type === "string" || column.type === "json" || column.type === "binary") {
      return {
        ...column,
        valid,
        values: { offsets: column.values.offsets.subarray(start), bytes: column.values.bytes },
      };
    }
    return { ...column, valid, values: (column.values as Float64Array).subarray(start) } as Column;
  };
  const { geometry } = table;
  return {
    ...table,
    count: table.count - start,
    columns: table.columns.map(slice),
    geometry:
      geometry === null
        ? null
        : {
            ...geometry,
            types: geometry.types.subarray(start),
            geometries: geometry.geometries.subarray(start),
            collections:
              geometry.collections === null
                ? null
                : { ...geometry.collections, rows: geometry.collections.rows.subarray(start) },
          },
    ids: null,
    firstRow: table.firstRow + start,
  };
}

function bytesOf(table: FeatureTable): number {
  let bytes = 0;
  if (table.geometry !== null) {
    const { xy, rings, parts, geometries, z } = table.geometry;
    bytes +=
      xy.byteLength + rings.byteLength + parts.byteLength + geometries.byteLength + (z?.byteLength ?? 0);
  }
  for (const { values } of table.columns) {
    bytes += "offsets" in values ? values.offsets.byteLength + values.bytes.byteLength : values.byteLength;
  }
  return bytes;
}

function emptyBoxes(count: number): Float64Array {
  const boxes = new Float64Array(4 * count);
  for (let i = 0; i < count; i++) boxes.set([Infinity, Infinity, -Infinity, -Infinity], 4 * i);
  return boxes;
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let k = 1; taken.has(name); k++) name = `${base}_${k}`;
  return name;
}
