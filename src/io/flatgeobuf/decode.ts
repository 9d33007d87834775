import { isUtf8 } from "node:buffer";
import { GeoError } from "../../model/errors.ts";
import { BytesBuilder, type Column, ColumnBuilder, type FeatureTable, textAt } from "../../model/features.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryType,
  LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Bounds } from "../../model/grid.ts";
import type { ByteWindow } from "../bytes/window.ts";
import { IsoTimeReader } from "../text/iso-time.ts";
import { DamagedBuffer, FlatBuffer } from "./flatbuffer.ts";
import {
  BINARY,
  BOOL,
  BYTE,
  DATE_TIME,
  DOUBLE,
  type FgbColumn,
  type FgbHeader,
  FLOAT,
  GEOMETRY_TYPES,
  INT,
  JSON_TEXT,
  LONG,
  modelType,
  POLYHEDRAL_SURFACE,
  SHORT,
  STRING,
  TIN,
  TRIANGLE,
  UBYTE,
  UINT,
  ULONG,
  USHORT,
} from "./header.ts";

/** Bytes of a value by type code; 0: a 32-bit length and that many bytes. */
const VALUE_BYTES = [1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 0, 0, 0] as const;
/** Collections inside collections, at the most. */
const MAX_DEPTH = 16;
/** Typed arrays read the file's numbers only where the machine keeps them in the file's order. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns features into the rows of a batch. One decoder serves a whole pass over a file. */
export class FeatureDecoder {
  readonly geometry: GeometryBuilder = new GeometryBuilder();
  /** Rows of the batch so far. */
  rows: number = 0;
  readonly #header: FgbHeader;
  readonly #url: string;
  readonly #note: (warning: string) => void;
  readonly #builders: (ColumnBuilder | null)[];
  readonly #wanted: readonly ColumnBuilder[];
  readonly #buffer = new FlatBuffer(new DataView(new ArrayBuffer(0)));
  readonly #time = new IsoTimeReader();
  #bytes: Uint8Array = new Uint8Array(0);
  /** The window as doubles, from its first byte and from its ninth: a vertex begins a pair in one of them. */
  #even: Float64Array = new Float64Array(0);
  #odd: Float64Array = new Float64Array(0);
  #verticesLeft = 0;
  #partsLeft = 0;
  #minX = 0;
  #minY = 0;
  #maxX = 0;
  #maxY = 0;

  /**
   * @param columns  Those of the header, with the zones of times filled in.
   * @param fields   Names wanted, in this order; default all.
   * @param note     Called with findings, which may repeat.
   */
  constructor(
    url: string,
    header: FgbHeader,
    columns: readonly FgbColumn[],
    fields: readonly string[] | undefined,
    note: (warning: string) => void,
  ) {
    this.#url = url;
    this.#header = header;
    this.#note = note;
    this.#builders = columns.map(() => null);
    const wanted: ColumnBuilder[] = [];
    for (const name of fields ?? columns.keys()) {
      const index = typeof name === "number" ? name : columns.findIndex(({ field }) => field.name === name);
      if (index < 0 || this.#builders[index] !== null) continue;
      const builder = new ColumnBuilder(columns[index]!.field);
      this.#builders[index] = builder;
      wanted.push(builder);
    }
    this.#wanted = wanted;
  }

  /**
   * Decode the feature whose FlatBuffer lies at file offset `offset`; the window holds it. Adds a row unless `bounds`
   * are given and the feature's own bounds do not meet them.
   *
   * @throws GeoError `UNSUPPORTED` for curves and surfaces; DamagedBuffer
   */
  decode(window: ByteWindow, offset: number, size: number, bounds: Bounds | undefined): boolean {
    const buffer = this.#buffer;
    if (this.#bytes !== window.bytes) this.#take(window);
    buffer.start = offset - window.start;
    buffer.end = buffer.start + size;
    // A damaged file may point at the same bytes again and again; honest geometry has no more than fits.
    this.#verticesLeft = size >> 4;
    this.#partsLeft = size >> 2;
    const feature = buffer.root();
    const fields = buffer.fields(feature);
    const geometry = buffer.table(feature, fields, 0);
    if (bounds !== undefined) {
      if (geometry === 0 || !this.#meets(geometry, bounds)) return false;
      this.#partsLeft = size >> 2;
    }
    if (geometry === 0) this.geometry.null();
    else this.#geometry(geometry);
    if (this.#wanted.length > 0) {
      const properties = buffer.vector(feature, fields, 1, 1);
      if (properties !== 0) this.#properties(properties + 4, properties + 4 + buffer.length(properties));
      const rows = this.rows + 1;
      for (const builder of this.#wanted) if (builder.rows < rows) builder.pushNull();
    }
    this.rows++;
    return true;
  }

  /** The rows so far as a table; the decoder is empty afterwards. */
  finish(firstRow: number): FeatureTable {
    const count = this.rows;
    this.rows = 0;
    return {
      count,
      geometry: this.geometry.finish(),
      columns: this.#wanted.map((builder) => this.#checked(builder.finish())),
      ids: null,
      firstRow,
      crs: this.#header.crs,
    };
  }

  #take(window: ByteWindow): void {
    this.#bytes = window.bytes;
    this.#buffer.view = window.view;
    const { buffer, byteOffset, length } = window.bytes;
    this.#even = new Float64Array(buffer, byteOffset, length >> 3);
    this.#odd = length < 8 ? this.#even : new Float64Array(buffer, byteOffset + 8, (length - 8) >> 3);
  }

  #geometry(table: number): void {
    const type = this.#typeOf(table, this.#header.geometryType);
    this.geometry.begin(modelType(type) as GeometryType);
    this.#body(table, type, 0);
    this.geometry.end();
  }

  /** Type of a geometry in the file: what the header says for all, else what it says itself. */
  #typeOf(table: number, declared: number): number {
    const buffer = this.#buffer;
    let type = declared;
    if (type === 0) {
      const slot = buffer.slot(table, buffer.fields(table), 6, 1);
      if (slot !== 0) type = buffer.view.getUint8(slot);
    }
    if (type === 0) throw new DamagedBuffer("a geometry does not say its type");
    if (modelType(type) < 0) throw unsupportedType(this.#url, type);
    return type;
  }

  #body(table: number, type: number, depth: number): void {
    const buffer = this.#buffer;
    const fields = buffer.fields(table);
    const isCollection = type === GEOMETRY_COLLECTION;
    if (type === MULTI_POLYGON || type === POLYHEDRAL_SURFACE || isCollection) {
      if (depth > MAX_DEPTH) throw new DamagedBuffer("collections are nested too deeply");
      const parts = buffer.vector(table, fields, 7, 4);
      const count = buffer.length(parts);
      this.#partsLeft -= count;
      if (this.#partsLeft < 0) throw new DamagedBuffer("a geometry has more parts than bytes");
      for (let i = 0; i < count; i++) {
        const part = buffer.item(parts, i);
        if (!isCollection) this.#body(part, POLYGON, depth + 1);
        else {
          const member = this.#typeOf(part, 0);
          // The model keeps collections one level deep: members of inner ones join the outer.
          if (member !== GEOMETRY_COLLECTION) this.geometry.member(modelType(member) as GeometryType);
          this.#body(part, member, depth + 1);
        }
      }
      return;
    }
    const xy = buffer.vector(table, fields, 1, 8);
    const count = buffer.length(xy) >> 1;
    if (count === 0) return;
    this.#verticesLeft -= count;
    if (this.#verticesLeft < 0) throw new DamagedBuffer("a geometry has more vertices than bytes");
    const z = this.#header.hasZ ? this.#measures(table, fields, 2, count) : 0;
    const m = this.#header.hasM ? this.#measures(table, fields, 3, count) : 0;
    if (type === POINT) {
      const x = buffer.view.getFloat64(xy + 4, true);
      const y = buffer.view.getFloat64(xy + 12, true);
      // POINT EMPTY is written as NaN by some.
      if (Number.isNaN(x) && Number.isNaN(y)) return;
      this.geometry.part();
      this.#vertices(xy + 4, z, m, 0, 1);
      return;
    }
    if (type === MULTI_POINT) {
      for (let i = 0; i < count; i++) {
        this.geometry.part();
        this.#vertices(xy + 4, z, m, i, i + 1);
      }
      return;
    }
    if (type === LINE_STRING) {
      this.geometry.part();
      this.#vertices(xy + 4, z, m, 0, count);
      return;
    }
    const ends = buffer.vector(table, fields, 0, 4);
    const rings = Math.max(1, buffer.length(ends));
    this.#partsLeft -= rings;
    if (this.#partsLeft < 0) throw new DamagedBuffer("a geometry has more rings than bytes");
    const isPolygon = type === POLYGON || type === TRIANGLE;
    if (isPolygon) this.geometry.part();
    let start = 0;
    for (let i = 0; i < rings; i++) {
      const end =
        ends === 0 || buffer.length(ends) === 0 ? count : buffer.view.getUint32(ends + 4 + 4 * i, true);
      if (end < start || end > count)
        throw new DamagedBuffer(`ring ${i} of a geometry ends at vertex ${end} of ${count}`);
      if (!isPolygon) this.geometry.part();
      this.geometry.ring();
      this.#vertices(xy + 4, z, m, start, end);
      if (isPolygon || type === TIN) this.#close(xy + 4, z, m, start, end);
      start = end;
    }
  }

  /** Position of the first of `count` heights or measures; 0 when there are none. */
  #measures(table: number, fields: number, field: number, count: number): number {
    const vector = this.#buffer.vector(table, fields, field, 8);
    if (vector === 0) return 0;
    if (this.#buffer.length(vector) < count)
      throw new DamagedBuffer("a geometry has fewer heights than vertices");
    return vector + 4;
  }

  /** Add vertices `start .. end - 1` of a list of coordinates. */
  #vertices(xy: number, z: number, m: number, start: number, end: number): void {
    if (end === start) return;
    const first = xy + 16 * start;
    if (z === 0 && m === 0 && (first & 7) === 0 && LITTLE_ENDIAN) {
      if ((first & 8) === 0) this.geometry.vertices2d(this.#even, first >> 4, end - start);
      else this.geometry.vertices2d(this.#odd, (first - 8) >> 4, end - start);
      return;
    }
    const { view } = this.#buffer;
    for (let i = start; i < end; i++) {
      this.geometry.vertex(
        view.getFloat64(xy + 16 * i, true),
        view.getFloat64(xy + 16 * i + 8, true),
        z === 0 ? Number.NaN : view.getFloat64(z + 8 * i, true),
        m === 0 ? Number.NaN : view.getFloat64(m + 8 * i, true),
      );
    }
  }

  /** Repeat the first vertex of a ring when the file left it out: rings are closed in the model. */
  #close(xy: number, z: number, m: number, start: number, end: number): void {
    const { view } = this.#buffer;
    const first = xy + 16 * start;
    const last = xy + 16 * (end - 1);
    if (
      end === start ||
      (view.getFloat64(first, true) === view.getFloat64(last, true) &&
        view.getFloat64(first + 8, true) === view.getFloat64(last + 8, true))
    ) {
      return;
    }
    this.#vertices(xy, z, m, start, start + 1);
    this.#note("rings that were not closed have been closed");
  }

  #meets(geometry: number, bounds: Bounds): boolean {
    this.#minX = Infinity;
    this.#minY = Infinity;
    this.#maxX = -Infinity;
    this.#maxY = -Infinity;
    this.#extend(geometry, 0);
    return (
      this.#minX <= bounds[2] && this.#maxX >= bounds[0] && this.#minY <= bounds[3] && this.#maxY >= bounds[1]
    );
  }

  #extend(table: number, depth: number): void {
    const buffer = this.#buffer;
    const { view } = buffer;
    const fields = buffer.fields(table);
    const xy = buffer.vector(table, fields, 1, 8);
    const end = xy + 4 + 16 * (buffer.length(xy) >> 1);
    if (xy !== 0) {
      for (let at = xy + 4; at < end; at += 16) {
        const x = view.getFloat64(at, true);
        const y = view.getFloat64(at + 8, true);
        if (x < this.#minX) this.#minX = x;
        if (x > this.#maxX) this.#maxX = x;
        if (y < this.#minY) this.#minY = y;
        if (y > this.#maxY) this.#maxY = y;
      }
    }
    const parts = buffer.vector(table, fields, 7, 4);
    const count = buffer.length(parts);
    this.#partsLeft -= count;
    if (this.#partsLeft < 0) throw new DamagedBuffer("a geometry has more parts than bytes");
    if (depth > MAX_DEPTH) throw new DamagedBuffer("collections are nested too deeply");
    for (let i = 0; i < count; i++) this.#extend(buffer.item(parts, i), depth + 1);
  }

  /** Values between two positions: column number, value, column number, value... */
  #properties(start: number, end: number): void {
    const { view } = this.#buffer;
    const columns = this.#header.columns;
    const row = this.rows;
    let at = start;
    // Early writers left a stray byte behind the last value.
    while (at + 1 < end) {
      const index = view.getUint16(at, true);
      at += 2;
      if (index >= columns.length)
        throw new DamagedBuffer(`a value belongs to column ${index} of ${columns.length}`);
      const { type } = columns[index]!;
      let size: number = VALUE_BYTES[type]!;
      if (size === 0) {
        if (at + 4 > end) throw new DamagedBuffer("attributes are cut off");
        size = view.getUint32(at, true);
        at += 4;
      }
      if (at + size > end)
        throw new DamagedBuffer(`a value of column "${columns[index]!.field.name}" is cut off`);
      const builder = this.#builders[index]!;
      // A column named twice keeps its first value.
      if (builder !== null && builder.rows === row) this.#value(builder, type, at, size);
      at += size;
    }
  }

  #value(builder: ColumnBuilder, type: number, at: number, size: number): void {
    const { view } = this.#buffer;
    switch (type) {
      case INT:
        builder.pushNumber(view.getInt32(at, true));
        return;
      case DOUBLE:
        builder.pushNumber(view.getFloat64(at, true));
        return;
      case STRING:
        if (builder.field.type === "time") this.#moment(builder, at, at + size);
        else builder.pushBytes(this.#bytes, at, at + size);
        return;
      case LONG:
        builder.pushBigInt(view.getBigInt64(at, true));
        return;
      case BOOL:
        builder.pushNumber(view.getUint8(at) === 0 ? 0 : 1);
        return;
      case DATE_TIME:
        if (builder.field.type === "string") builder.pushBytes(this.#bytes, at, at + size);
        else this.#moment(builder, at, at + size);
        return;
      case BINARY:
        builder.pushBytes(this.#bytes, at, at + size);
        return;
      case JSON_TEXT:
        this.#json(builder, at, at + size);
        return;
      case BYTE:
        builder.pushNumber(view.getInt8(at));
        return;
      case UBYTE:
        builder.pushNumber(view.getUint8(at));
        return;
      case SHORT:
        builder.pushNumber(view.getInt16(at, true));
        return;
      case USHORT:
        builder.pushNumber(view.getUint16(at, true));
        return;
      case UINT:
        builder.pushBigInt(BigInt(view.getUint32(at, true)));
        return;
      case ULONG:
        builder.pushNumber(Number(view.getBigUint64(at, true)));
        return;
      case FLOAT:
        builder.pushNumber(view.getFloat32(at, true));
    }
  }

  #moment(builder: ColumnBuilder, start: number, end: number): void {
    const { name, type, zone } = builder.field;
    const time = this.#time;
    const millis =
      type === "time" ? time.readTime(this.#bytes, start, end) : time.read(this.#bytes, start, end);
    if (Number.isNaN(millis)) {
      this.#note(`column "${name}" has values that are no dates or times; they are read as null`);
      builder.pushNull();
      return;
    }
    if (type === "datetime" && time.zoned !== (zone !== "local"))
      this.#note(`column "${name}" has times with and without a zone; those without are taken for UTC`);
    builder.pushNumber(millis);
  }

  #json(builder: ColumnBuilder, start: number, end: number): void {
    const text = decoder.decode(this.#bytes.subarray(start, end));
    try {
      JSON.parse(text);
      builder.pushBytes(this.#bytes, start, end);
    } catch {
      this.#note(`column "${builder.field.name}" has values that are not JSON; they are read as text`);
      builder.pushText(JSON.stringify(text));
    }
  }

  /** Text that is not UTF-8 gets U+FFFD for the bytes that cannot be read, here once and for all. */
  #checked(column: Column): Column {
    if ((column.type !== "string" && column.type !== "json") || isUtf8(column.values.bytes)) return column;
    this.#note(`column "${column.name}" has text that is not UTF-8; wrong bytes are read as U+FFFD`);
    const cells = new BytesBuilder();
    for (let i = 0; i + 1 < column.values.offsets.length; i++) cells.pushText(textAt(column.values, i));
    return { ...column, values: cells.finish() };
  }
}

const decoder = new TextDecoder();

/** The error for curves and surfaces. */
export function unsupportedType(url: string, type: number): GeoError {
  const name = (GEOMETRY_TYPES as readonly string[])[type] ?? `type ${type}`;
  return new GeoError(
    "UNSUPPORTED",
    `${url} holds geometry of the type ${name}; points, lines, polygons and their collections are read`,
    { feature: `FlatGeobuf ${name}`, path: url },
    { hint: "Turn it into lines or polygons first: ogr2ogr -nlt CONVERT_TO_LINEAR." },
  );
}
