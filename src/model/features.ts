import type { Crs } from "./crs.ts";
import { GeoError } from "./errors.ts";
import { type GeometryColumn, type GeometryType, geometryCount, rowBounds } from "./geometry.ts";
import { GeometryBuilder } from "./geometry-builder.ts";
import type { Bounds } from "./grid.ts";

/**
 * Types of attribute columns.
 *
 * - `int64`: whole numbers beyond 32 bits; `bigint` in memory, safe integers come out as `number`.
 * - `date`: whole days; `datetime`: instants, or wall-clock times where the source names no zone
 *   (`Field.zone`). Both in milliseconds since 1970-01-01T00:00:00 (UTC, or on that wall clock).
 * - `time`: milliseconds since midnight.
 * - `json`: any JSON value. `binary`: bytes.
 */
export type ColumnType =
  | "int32"
  | "int64"
  | "float64"
  | "boolean"
  | "string"
  | "date"
  | "time"
  | "datetime"
  | "json"
  | "binary";

/** Name and type of an attribute. */
export interface Field {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** For `datetime`: `"utc"` instants, or `"local"` wall-clock times without a zone. Default `"utc"`. */
  readonly zone?: "utc" | "local";
  /** Declared text width or number of digits, and digits after the point, where the source says (Shapefile). */
  readonly width?: number;
  readonly precision?: number;
}

/** 1 = has a value, 0 = null; length = rows. `null` when every row has a value. */
export type Validity = Uint8Array | null;

/** Text or bytes of all rows in one buffer. Row `i` owns `bytes[offsets[i] .. offsets[i + 1] - 1]`. */
export interface VariableBytes {
  /** In bytes; length = rows + 1. */
  readonly offsets: Int32Array;
  /** UTF-8 for text. */
  readonly bytes: Uint8Array;
}

/** One attribute of all rows. Null rows hold 0 or nothing in `values`. */
export type Column = Field & { readonly valid: Validity } & (
    | { readonly type: "int32"; readonly values: Int32Array }
    | { readonly type: "int64"; readonly values: BigInt64Array }
    | { readonly type: "float64" | "date" | "time" | "datetime"; readonly values: Float64Array }
    | { readonly type: "boolean"; readonly values: Uint8Array }
    | { readonly type: "string" | "json" | "binary"; readonly values: VariableBytes }
  );

/** A cell as JavaScript sees it: dates as `Date`, JSON parsed, `int64` as `number` when safe. */
export type Value = number | bigint | boolean | string | Date | Uint8Array | null | JsonValue;
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Features in columns: geometry and attributes, one row each. A table is a whole small layer or one batch of
 * a large one. Row order is the order of the source and is kept by every operator.
 */
export interface FeatureTable {
  /** Rows. */
  readonly count: number;
  /** `null` for a plain table. */
  readonly geometry: GeometryColumn | null;
  readonly columns: readonly Column[];
  /**
   * Stable feature ids of the source (GeoJSON `id`, FID), length = rows; `null` when it has none, then a
   * feature is known by its position. A single missing id is `null`.
   */
  readonly ids: readonly (string | number | null)[] | null;
  /** Position of row 0 in the whole layer. */
  readonly firstRow: number;
  readonly crs: Crs | null;
}

/** What a layer is, before its rows are read. */
export interface LayerSchema {
  readonly name: string;
  readonly crs: Crs | null;
  /** Types the layer declares; empty when it does not say. A `GeometryType` of 0 alone: no geometry. */
  readonly geometryTypes: readonly GeometryType[];
  readonly hasZ: boolean;
  readonly hasM: boolean;
  readonly fields: readonly Field[];
  /** Rows, when the header says; else `null`. */
  readonly count: number | null;
  /** Bounds in the CRS of the layer, when the header says; else `null`. */
  readonly bounds: Bounds | null;
}

export interface BatchOptions {
  /** Only rows whose own bounds meet these (CRS of the layer; touching counts). Null and empty geometries never do. */
  readonly bounds?: Bounds | undefined;
  /** Only these attributes, in this order; default all. */
  readonly fields?: readonly string[] | undefined;
  /** Rows per batch at the most; default 8192. Batches also end early when their vertices get many. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A layer that can be read batch by batch, any number of times. */
export interface FeatureSource {
  /** Path or address, for messages. */
  readonly url: string;
  /** Format, as in `"FlatGeobuf"`. */
  readonly driver: string;
  readonly schema: LayerSchema;
  /** Names of all layers in the file; this source is the first unless asked otherwise. */
  readonly layers: readonly string[];
  /** Findings of the reader that did not stop it (an unclosed ring it closed, a missing .prj). */
  readonly warnings: readonly string[];
  batches(options?: BatchOptions): AsyncIterable<FeatureTable>;
  close(): Promise<void>;
}

/** Attributes of one row. */
export type Row = { readonly [name: string]: Value };

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Whether row `i` of a column is null. */
export function isNull(column: Column, i: number): boolean {
  return column.valid !== null && column.valid[i] === 0;
}

/** Cell `i` of a column as a JavaScript value. Slow by nature: kernels read `values`. */
export function valueAt(column: Column, i: number): Value {
  if (isNull(column, i)) return null;
  switch (column.type) {
    case "int32":
    case "float64":
    case "time":
      return column.values[i]!;
    case "int64": {
      const value = column.values[i]!;
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case "boolean":
      return column.values[i] !== 0;
    case "date":
    case "datetime":
      return new Date(column.values[i]!);
    case "string":
      return textAt(column.values, i);
    case "json":
      return JSON.parse(textAt(column.values, i)) as JsonValue;
    case "binary":
      return column.values.bytes.slice(column.values.offsets[i]!, column.values.offsets[i + 1]!);
  }
}

/** Text of row `i`. Short ASCII is decoded by hand, which is several times faster than `TextDecoder`. */
export function textAt(values: VariableBytes, i: number): string {
  const { offsets, bytes } = values;
  const start = offsets[i]!;
  const end = offsets[i + 1]!;
  if (end - start < 24) {
    let text = "";
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 127) return decoder.decode(bytes.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** Column by name, or `undefined`. */
export function columnNamed(table: FeatureTable, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

/** Attributes of row `i` as an object. For edges and tests. */
export function rowAt(table: FeatureTable, i: number): Row {
  const row: Record<string, Value> = {};
  for (const column of table.columns) row[column.name] = valueAt(column, i);
  return row;
}

/** Grows variable-width cells (text, JSON text, bytes) row by row. */
export class BytesBuilder {
  #offsets = new Int32Array(65);
  #bytes = new Uint8Array(1024);
  #rows = 0;
  #length = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  pushBytes(from: Uint8Array, start: number = 0, end: number = from.length): void {
    this.#reserve(end - start);
    if (end - start < 32) {
      const out = this.#bytes;
      let at = this.#length;
      for (let i = start; i < end; i++) out[at++] = from[i]!;
    } else this.#bytes.set(from.subarray(start, end), this.#length);
    this.#length += end - start;
    this.#endRow();
  }

  pushText(text: string): void {
    this.#reserve(3 * text.length);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    this.#endRow();
  }

  /** A null or empty cell. */
  pushEmpty(): void {
    this.#endRow();
  }

  finish(): VariableBytes {
    const values = {
      offsets: this.#offsets.slice(0, this.#rows + 1),
      bytes: this.#bytes.slice(0, this.#length),
    };
    this.#rows = 0;
    this.#length = 0;
    return values;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(2 * this.#bytes.length, needed));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  #endRow(): void {
    this.#rows++;
    if (this.#rows === this.#offsets.length) {
      const offsets = new Int32Array(2 * this.#rows);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[this.#rows] = this.#length;
  }
}

/** Builds a column of a known type cell by cell. Cells are coerced as {@link ColumnBuilder.push} says. */
export class ColumnBuilder {
  readonly field: Field;
  #numbers: Float64Array | Int32Array | BigInt64Array | Uint8Array;
  readonly #text: BytesBuilder | null;
  #valid: Uint8Array | null = null;
  #rows = 0;

  constructor(field: Field) {
    this.field = field;
    this.#text =
      field.type === "string" || field.type === "json" || field.type === "binary" ? new BytesBuilder() : null;
    this.#numbers = newNumbers(field.type, this.#text === null ? 64 : 0);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Fast path for `int32`, `float64`, `boolean` (0 or 1), `date`, `time` and `datetime` (milliseconds). */
  pushNumber(value: number): void {
    if (this.#rows === this.#numbers.length) this.#grow();
    (this.#numbers as Float64Array)[this.#rows] = value;
    this.#mark(1);
  }

  /** Fast path for `int64`. */
  pushBigInt(value: bigint): void {
    if (this.#rows === this.#numbers.length) this.#grow();
    (this.#numbers as BigInt64Array)[this.#rows] = value;
    this.#mark(1);
  }

  /** Fast path for `string` and `json` (UTF-8) and `binary`. */
  pushBytes(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    this.#text!.pushBytes(bytes, start, end);
    this.#mark(1);
  }

  /** Fast path for `string`; for `json` the text must be JSON. */
  pushText(text: string): void {
    this.#text!.pushText(text);
    this.#mark(1);
  }

  pushNull(): void {
    if (this.#text !== null) this.#text.pushEmpty();
    else if (this.#rows === this.#numbers.length) this.#grow();
    if (this.#text === null) this.#numbers[this.#rows] = this.field.type === "int64" ? 0n : 0;
    this.#mark(0);
  }

  /**
   * Any value: `null` and `undefined` are null; numbers, bigints, booleans, `Date`s and text are put into the
   * column's type.
   * @throws TypeError when the value does not fit the type.
   */
  push(value: Value | undefined): void {
    if (value === null || value === undefined) {
      this.pushNull();
      return;
    }
    switch (this.field.type) {
      case "string":
        this.pushText(
          typeof value === "string" ? value : value instanceof Date ? value.toISOString() : toJson(value),
        );
        return;
      case "json":
        this.pushText(toJson(value));
        return;
      case "binary":
        if (!(value instanceof Uint8Array))
          throw new TypeError(`${this.field.name}: ${typeof value} is not bytes`);
        this.pushBytes(value);
        return;
      case "int64":
        this.pushBigInt(BigInt(value as number | bigint));
        return;
      case "boolean":
        this.pushNumber(value === true || value === 1 || value === "true" ? 1 : 0);
        return;
      case "date":
      case "datetime":
        this.pushNumber(
          value instanceof Date
            ? value.getTime()
            : typeof value === "number"
              ? value
              : Date.parse(String(value)),
        );
        return;
      default: {
        const number = Number(value);
        if (this.field.type === "int32" && number !== (number | 0)) {
          throw new TypeError(`${this.field.name}: ${String(value)} is not a 32-bit integer`);
        }
        this.pushNumber(number);
      }
    }
  }

  /** The column; the builder is empty afterwards. */
  finish(): Column {
    const rows = this.#rows;
    const valid = this.#valid === null ? null : this.#valid.slice(0, rows);
    const values = this.#text === null ? this.#numbers.slice(0, rows) : this.#text.finish();
    this.#rows = 0;
    this.#valid = null;
    return { ...this.field, nullable: this.field.nullable || valid !== null, valid, values } as Column;
  }

  #grow(): void {
    const grown = newNumbers(this.field.type, Math.max(64, 2 * this.#numbers.length));
    grown.set(this.#numbers as never);
    this.#numbers = grown;
  }

  #mark(valid: 0 | 1): void {
    const row = this.#rows++;
    if (this.#valid === null) {
      if (valid === 1) return;
      this.#valid = new Uint8Array(Math.max(64, 2 * this.#rows)).fill(1, 0, row);
    } else if (row >= this.#valid.length) {
      const grown = new Uint8Array(2 * this.#valid.length);
      grown.set(this.#valid);
      this.#valid = grown;
    }
    this.#valid[row] = valid;
  }
}

function newNumbers(
  type: ColumnType,
  length: number,
): Float64Array | Int32Array | BigInt64Array | Uint8Array {
  switch (type) {
    case "int32":
      return new Int32Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "boolean":
      return new Uint8Array(length);
    default:
      return new Float64Array(length);
  }
}

/** JSON text of a value; bigints become numbers in full, dates ISO text, bytes hexadecimal text. */
export function toJson(value: Value): string {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(toHex(value));
  return JSON.stringify(value) ?? "null";
}

function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/**
 * Rows of a table, in the order of `rows` (positions in the table; repeats allowed). Geometry is copied bit
 * for bit. Pass `geometry` to replace it (length = rows).
 */
export function takeRows(
  table: FeatureTable,
  rows: ArrayLike<number>,
  geometry?: GeometryColumn | null,
): FeatureTable {
  let taken = geometry;
  if (taken === undefined) {
    if (table.geometry === null) taken = null;
    else {
      const builder = new GeometryBuilder();
      for (let i = 0; i < rows.length; i++) builder.copy(table.geometry, rows[i]!);
      taken = builder.finish();
    }
  }
  let ids: (string | number | null)[] | null = null;
  if (table.ids !== null) {
    ids = [];
    for (let i = 0; i < rows.length; i++) ids.push(table.ids[rows[i]!]!);
  }
  return {
    count: rows.length,
    geometry: taken,
    columns: table.columns.map((column) => takeCells(column, rows)),
    ids,
    firstRow: table.firstRow,
    crs: table.crs,
  };
}

function takeCells(column: Column, rows: ArrayLike<number>): Column {
  const valid = column.valid === null ? null : Uint8Array.from(rows, (row) => column.valid![row]!);
  switch (column.type) {
    case "int32":
      return { ...column, valid, values: Int32Array.from(rows, (row) => column.values[row]!) };
    case "int64":
      return { ...column, valid, values: BigInt64Array.from(Array.from(rows, (row) => column.values[row]!)) };
    case "boolean":
      return { ...column, valid, values: Uint8Array.from(rows, (row) => column.values[row]!) };
    case "string":
    case "json":
    case "binary": {
      const builder = new BytesBuilder();
      const { offsets, bytes } = column.values;
      for (let i = 0; i < rows.length; i++)
        builder.pushBytes(bytes, offsets[rows[i]!]!, offsets[rows[i]! + 1]!);
      return { ...column, valid, values: builder.finish() };
    }
    default:
      return { ...column, valid, values: Float64Array.from(rows, (row) => column.values[row]!) };
  }
}

/**
 * One table from batches of one layer, in their order. No batches: an empty table with `schema`'s columns.
 * @throws GeoError `INVALID_INPUT` when the batches have different columns.
 */
export function concatTables(batches: readonly FeatureTable[], schema: LayerSchema): FeatureTable {
  if (batches.length === 1) return batches[0]!;
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const first = batches[0];
  const fields: readonly Field[] = first === undefined ? schema.fields : first.columns;
  const columns = fields.map((field, k) => {
    const builder = new ColumnBuilder({
      name: field.name,
      type: field.type,
      nullable: field.nullable,
      ...optional(field),
    });
    for (const batch of batches) appendColumn(builder, batch.columns[k], field);
    return builder.finish();
  });
  let geometry: GeometryColumn | null = null;
  if (
    first === undefined
      ? !(schema.geometryTypes.length === 1 && schema.geometryTypes[0] === 0)
      : first.geometry !== null
  ) {
    geometry = concatGeometry(batches.map((batch) => batch.geometry!));
  }
  const ids = first !== undefined && first.ids !== null ? batches.flatMap((batch) => batch.ids ?? []) : null;
  return { count, geometry, columns, ids, firstRow: first?.firstRow ?? 0, crs: first?.crs ?? schema.crs };
}

function optional(field: Field): Pick<Field, "zone" | "width" | "precision"> {
  const { zone, width, precision } = field;
  return {
    ...(zone === undefined ? {} : { zone }),
    ...(width === undefined ? {} : { width }),
    ...(precision === undefined ? {} : { precision }),
  };
}

function appendColumn(builder: ColumnBuilder, column: Column | undefined, field: Field): void {
  if (column === undefined || column.name !== field.name || column.type !== field.type) {
    throw new GeoError("INVALID_INPUT", `batches differ in column "${field.name}"`, {
      path: field.name,
      expected: `a column of type ${field.type} in every batch`,
    });
  }
  const { valid, values } = column;
  if (values instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) {
      if (valid !== null && valid[i] === 0) builder.pushNull();
      else builder.pushBigInt(values[i]!);
    }
  } else if ("offsets" in values) {
    const { offsets, bytes } = values;
    for (let i = 0; i + 1 < offsets.length; i++) {
      if (valid !== null && valid[i] === 0) builder.pushNull();
      else builder.pushBytes(bytes, offsets[i]!, offsets[i + 1]!);
    }
  } else {
    for (let i = 0; i < values.length; i++) {
      if (valid !== null && valid[i] === 0) builder.pushNull();
      else builder.pushNumber(values[i]!);
    }
  }
}

/** One column from several, in their order. */
export function concatGeometry(columns: readonly GeometryColumn[]): GeometryColumn {
  if (columns.length === 1) return columns[0]!;
  if (columns.some((column) => column.collections !== null)) {
    const builder = new GeometryBuilder();
    for (const column of columns) for (let i = 0; i < geometryCount(column); i++) builder.copy(column, i);
    return builder.finish();
  }
  const sum = (length: (column: GeometryColumn) => number): number =>
    columns.reduce((total, column) => total + length(column), 0);
  const rows = sum((column) => column.types.length);
  const vertices = sum((column) => column.xy.length) / 2;
  const types = new Uint8Array(rows);
  const geometries = new Int32Array(rows + 1);
  const parts = new Int32Array(sum((column) => column.parts.length - 1) + 1);
  const rings = new Int32Array(sum((column) => column.rings.length - 1) + 1);
  const xy = new Float64Array(2 * vertices);
  const z = columns.some((column) => column.z !== null) ? new Float64Array(vertices).fill(Number.NaN) : null;
  const m = columns.some((column) => column.m !== null) ? new Float64Array(vertices).fill(Number.NaN) : null;
  let row = 0;
  let part = 0;
  let ring = 0;
  let vertex = 0;
  for (const column of columns) {
    types.set(column.types, row);
    for (let i = 0; i < column.geometries.length; i++) geometries[row + i] = part + column.geometries[i]!;
    for (let i = 0; i < column.parts.length; i++) parts[part + i] = ring + column.parts[i]!;
    for (let i = 0; i < column.rings.length; i++) rings[ring + i] = vertex + column.rings[i]!;
    xy.set(column.xy, 2 * vertex);
    if (z !== null && column.z !== null) z.set(column.z, vertex);
    if (m !== null && column.m !== null) m.set(column.m, vertex);
    row += column.types.length;
    part += column.parts.length - 1;
    ring += column.rings.length - 1;
    vertex += column.xy.length / 2;
  }
  return { types, geometries, parts, rings, xy, z, m, collections: null };
}

/** A table as a source, so that operators have one kind of input. Sources are given back as they are. */
export function asSource(features: FeatureTable | FeatureSource, name: string = "memory"): FeatureSource {
  return "batches" in features ? features : tableSource(features, name);
}

/** A source over a table in memory. Its one batch is the table itself when nothing is left out and it is not long. */
export function tableSource(table: FeatureTable, name: string = "memory"): FeatureSource {
  const { geometry } = table;
  const types: GeometryType[] =
    geometry === null ? [0] : ([...new Set(geometry.types)].filter((type) => type !== 0) as GeometryType[]);
  return {
    url: name,
    driver: "Memory",
    schema: {
      name,
      crs: table.crs,
      geometryTypes: types,
      hasZ: geometry !== null && geometry.z !== null,
      hasM: geometry !== null && geometry.m !== null,
      fields: table.columns.map((column) => ({
        name: column.name,
        type: column.type,
        nullable: column.nullable,
        ...optional(column),
      })),
      count: table.count,
      bounds: null,
    },
    layers: [name],
    warnings: [],
    batches: (options = {}) => slices(table, options),
    close: () => Promise.resolve(),
  };
}

async function* slices(table: FeatureTable, options: BatchOptions): AsyncGenerator<FeatureTable> {
  const { batchSize = 8192, signal } = options;
  const selected = selectBatch(table, options);
  if (selected.count <= batchSize) {
    signal?.throwIfAborted();
    yield selected;
    return;
  }
  for (let first = 0; first < selected.count; first += batchSize) {
    signal?.throwIfAborted();
    const length = Math.min(batchSize, selected.count - first);
    const rows = Int32Array.from({ length }, (_, k) => first + k);
    yield { ...takeRows(selected, rows), firstRow: selected.firstRow + first };
  }
}

/**
 * Apply the `bounds` and `fields` of {@link BatchOptions} to one batch: the fallback of readers without pushdown. The
 * table itself when nothing is left out.
 */
export function selectBatch(table: FeatureTable, options: BatchOptions): FeatureTable {
  const { bounds, fields } = options;
  let selected = table;
  if (fields !== undefined) {
    const columns = fields.flatMap((name) => columnNamed(table, name) ?? []);
    selected = { ...selected, columns };
  }
  if (bounds === undefined || table.geometry === null) return selected;
  const rows = rowsMeeting(table, bounds);
  return rows.length === table.count ? selected : takeRows(selected, rows);
}

/** Rows whose bounds meet a box, touching included. Null and empty geometries never do. */
export function rowsMeeting(table: FeatureTable, [minX, minY, maxX, maxY]: Bounds): number[] {
  if (table.geometry === null) return [];
  const boxes = rowBounds(table.geometry);
  const rows: number[] = [];
  for (let i = 0; i < table.count; i++) {
    const meets =
      boxes[4 * i]! <= maxX &&
      boxes[4 * i + 1]! <= maxY &&
      boxes[4 * i + 2]! >= minX &&
      boxes[4 * i + 3]! >= minY;
    if (meets) rows.push(i);
  }
  return rows;
}
