import type { Crs } from "../../model/crs.ts";
import { type Column, ColumnBuilder, type FeatureTable, type Field } from "../../model/features.ts";
import { geometryTypeCode, parseIso } from "../../model/geojson.ts";
import {
  GEOMETRY_COLLECTION,
  GEOMETRY_NAMES,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { FALSE, type JsonCursor, MAX_DEPTH, NESTED, NULL, NUMBER, STRING, TRUE } from "./json-cursor.ts";
import { KeyTable } from "./keys.ts";

/** Leniencies taken, for the warnings of the source. */
export interface Repairs {
  closedRings: number;
  shortLines: number;
}

/**
 * Builds batches from features one after the other. Attributes of a feature are first noted and then pushed in the order
 * of the columns, so that members in any order, missing ones and repeated names (the last counts) all work.
 */
export class BatchReader {
  readonly repairs: Repairs = { closedRings: 0, shortLines: 0 };
  readonly #lenient: boolean;
  readonly #hasIds: boolean;
  readonly #keys: KeyTable;
  /** Builder of the attribute with each key, or `null` when it is not asked for. */
  readonly #byKey: readonly (ColumnBuilder | null)[];
  readonly #columns: readonly ColumnBuilder[];
  readonly #keyOf: Int32Array;
  readonly #row: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #starts: Int32Array;
  readonly #stops: Int32Array;
  readonly #escaped: Uint8Array;
  readonly #numbers: Float64Array;
  #serial = 0;
  #builder = new GeometryBuilder();
  #ids: (string | number | null)[] = [];
  #cursor!: JsonCursor;
  #firstX = 0;
  #firstY = 0;
  #firstZ = 0;
  #lastX = 0;
  #lastY = 0;
  #lastZ = 0;

  /** `keys`: all attribute names of the layer; `fields`: those to read. */
  constructor(keys: readonly string[], fields: readonly Field[], hasIds: boolean, lenient: boolean) {
    this.#lenient = lenient;
    this.#hasIds = hasIds;
    this.#keys = new KeyTable(keys);
    this.#columns = fields.map((field) => new ColumnBuilder(field));
    this.#byKey = keys.map((key) => this.#columns.find(({ field }) => field.name === key) ?? null);
    this.#keyOf = Int32Array.from(fields, ({ name }) => keys.indexOf(name));
    this.#row = new Int32Array(keys.length);
    this.#kinds = new Uint8Array(keys.length);
    this.#starts = new Int32Array(keys.length);
    this.#stops = new Int32Array(keys.length);
    this.#escaped = new Uint8Array(keys.length);
    this.#numbers = new Float64Array(keys.length);
  }

  /** Features in the batch so far. */
  get rows(): number {
    return this.#builder.rows;
  }

  /** Vertices in the batch so far. */
  get vertices(): number {
    return this.#builder.vertices;
  }

  /** The batch; the next one begins empty. */
  finish(firstRow: number, crs: Crs | null): FeatureTable {
    const columns: Column[] = this.#columns.map((column) => column.finish());
    const ids = this.#hasIds ? this.#ids : null;
    const count = this.#builder.rows;
    this.#ids = [];
    return { count, geometry: this.#builder.finish(), columns, ids, firstRow, crs };
  }

  /** Read the next feature or bare geometry; the cursor stands before it, or before what separates it. */
  read(cursor: JsonCursor): void {
    this.#cursor = cursor;
    for (let byte = cursor.peek(); byte === 44 || byte === 0x1e; byte = cursor.peek()) cursor.at++;
    if (cursor.bytes[cursor.at] !== 123) cursor.fail("a feature");
    const start = cursor.at;
    cursor.at++;
    this.#serial++;
    let feature = false;
    let geometry = false;
    let properties = false;
    let id: string | number | null = null;
    for (let first = true; cursor.key(first); first = false) {
      if (cursor.is("geometry")) {
        if (geometry) throw cursor.failure(`found "geometry" a second time`, cursor.start);
        geometry = true;
        if (cursor.peek() === 110) {
          cursor.value();
          this.#builder.null();
        } else this.#geometry(0);
      } else if (cursor.is("properties")) {
        if (properties) throw cursor.failure(`found "properties" a second time`, cursor.start);
        properties = true;
        this.#properties();
      } else if (cursor.is("type")) {
        if (cursor.value() === STRING && cursor.is("Feature")) feature = true;
        else if (!feature && !geometry && !properties) {
          // The scan let this record through, so it is a bare geometry.
          cursor.at = start;
          this.#geometry(0);
          geometry = true;
          break;
        } else cursor.fail(`type "Feature"`);
      } else if (cursor.is("id")) id = this.#id();
      else cursor.value();
    }
    if (!geometry) this.#builder.null();
    if (this.#hasIds) this.#ids.push(id);
    this.#pushRow();
  }

  #id(): string | number | null {
    const cursor = this.#cursor;
    switch (cursor.value()) {
      case STRING:
        return cursor.text();
      case NUMBER:
        // Beyond 2^53 two ids would become one.
        if (cursor.numbers.integer && !Number.isSafeInteger(cursor.number)) return cursor.text();
        return cursor.number;
      case NULL:
        return null;
      default:
        return cursor.fail(`a text or a number as "id"`);
    }
  }

  #properties(): void {
    const cursor = this.#cursor;
    const keys = this.#keys;
    if (cursor.peek() === 110) {
      cursor.value();
      return;
    }
    cursor.expect(123);
    keys.rewind();
    for (let first = true; cursor.key(first); first = false) {
      const k = keys.find(cursor);
      if (k < 0 || this.#byKey[k] === null) {
        cursor.attribute();
        continue;
      }
      cursor.peek();
      const start = cursor.at;
      const kind = cursor.attribute();
      this.#row[k] = this.#serial;
      this.#kinds[k] = kind;
      if (kind === STRING) {
        this.#starts[k] = cursor.start;
        this.#stops[k] = cursor.stop;
        this.#escaped[k] = cursor.escaped ? 1 : 0;
      } else {
        this.#starts[k] = start;
        this.#stops[k] = cursor.at;
        this.#escaped[k] = 0;
        if (kind === NUMBER) this.#numbers[k] = cursor.number;
      }
    }
  }

  #pushRow(): void {
    const columns = this.#columns;
    for (let c = 0; c < columns.length; c++) {
      const k = this.#keyOf[c]!;
      const column = columns[c]!;
      if (k < 0 || this.#row[k] !== this.#serial || this.#kinds[k] === NULL) column.pushNull();
      else this.#pushCell(column, k, this.#kinds[k]!);
    }
  }

  #pushCell(column: ColumnBuilder, k: number, kind: number): void {
    const cursor = this.#cursor;
    const start = this.#starts[k]!;
    const stop = this.#stops[k]!;
    switch (column.field.type) {
      case "int32":
      case "float64":
        if (kind === NUMBER) {
          column.pushNumber(this.#numbers[k]!);
          return;
        }
        break;
      case "int64":
        if (kind === NUMBER) {
          const number = this.#numbers[k]!;
          column.pushBigInt(Number.isSafeInteger(number) ? BigInt(number) : BigInt(this.#text(k)));
          return;
        }
        break;
      case "boolean":
        if (kind === TRUE || kind === FALSE) {
          column.pushNumber(kind === TRUE ? 1 : 0);
          return;
        }
        break;
      case "string":
        if (kind === NESTED) break;
        if (this.#escaped[k] === 1) column.pushText(this.#text(k));
        else column.pushBytes(cursor.bytes, start, stop);
        return;
      case "json":
        if (kind === STRING) column.pushBytes(cursor.bytes, start - 1, stop + 1);
        else if (kind === NESTED) this.#pushCompact(column, start, stop);
        else if (kind === NUMBER && !Number.isFinite(this.#numbers[k]!)) column.pushNull();
        else column.pushBytes(cursor.bytes, start, stop);
        return;
      default: {
        const ms = kind === STRING ? parseIso(this.#text(k)) : Number.NaN;
        if (Number.isNaN(ms)) break;
        column.pushNumber(ms);
        return;
      }
    }
    throw cursor.failure(
      `"${column.field.name}" is not ${column.field.type} as it was when the file was opened`,
      start,
      "Something writes to the file while it is read; read it again when that is done.",
    );
  }

  #text(k: number): string {
    const cursor = this.#cursor;
    cursor.start = this.#starts[k]!;
    cursor.stop = this.#stops[k]!;
    cursor.escaped = this.#escaped[k] === 1;
    return cursor.text();
  }

  /** Push JSON without the white space between its tokens. */
  #pushCompact(column: ColumnBuilder, start: number, stop: number): void {
    const { bytes } = this.#cursor;
    let spaces = 0;
    let quoted = false;
    for (let at = start; at < stop; at++) {
      const byte = bytes[at]!;
      if (byte === 34) quoted = !quoted;
      else if (byte === 92) at++;
      else if (byte <= 32 && !quoted) spaces++;
    }
    if (spaces === 0) {
      column.pushBytes(bytes, start, stop);
      return;
    }
    const compact = new Uint8Array(stop - start - spaces);
    let to = 0;
    quoted = false;
    for (let at = start; at < stop; at++) {
      const byte = bytes[at]!;
      if (byte === 34) quoted = !quoted;
      if (byte <= 32 && !quoted) continue;
      compact[to++] = byte;
      if (byte === 92) compact[to++] = bytes[++at]!;
    }
    column.pushBytes(compact);
  }

  /** A geometry object as the row, or (`depth > 0`) as a member of the collection that is open. */
  #geometry(depth: number): void {
    const cursor = this.#cursor;
    if (cursor.peek() !== 123) cursor.fail("a geometry or null");
    if (depth > MAX_DEPTH) cursor.fail(`at most ${MAX_DEPTH} levels of nesting`);
    const start = cursor.at;
    cursor.at++;
    let type = 0 as GeometryType;
    let coordinates = -1;
    let members = -1;
    let done = false;
    for (let first = true; cursor.key(first); first = false) {
      if (cursor.is("type")) {
        if (type !== 0) throw cursor.failure(`found "type" a second time`, cursor.start);
        type = cursor.value() === STRING ? geometryTypeCode(cursor.text()) : 0;
        if (type === 0) throw cursor.failure("found an unknown geometry type", start);
      } else if (cursor.is("coordinates")) {
        if (coordinates >= 0) throw cursor.failure(`found "coordinates" a second time`, cursor.start);
        cursor.peek();
        coordinates = cursor.at;
        if (type !== 0 && type !== GEOMETRY_COLLECTION) {
          this.#open(type, depth);
          this.#parts(type);
          done = true;
        } else cursor.coordinates();
      } else if (cursor.is("geometries")) {
        if (members >= 0) throw cursor.failure(`found "geometries" a second time`, cursor.start);
        cursor.peek();
        members = cursor.at;
        if (type === GEOMETRY_COLLECTION) {
          this.#open(type, depth);
          this.#members(depth);
          done = true;
        } else cursor.value();
      } else cursor.value();
    }
    if (type === 0) throw cursor.failure(`found a geometry without "type"`, start);
    if (!done) {
      const from = type === GEOMETRY_COLLECTION ? members : coordinates;
      if (from < 0) {
        const wanted = type === GEOMETRY_COLLECTION ? "geometries" : "coordinates";
        throw cursor.failure(`found a ${GEOMETRY_NAMES[type]} without "${wanted}"`, start);
      }
      // The type came last; now that it is known, go back for the rest.
      const back = cursor.at;
      cursor.at = from;
      this.#open(type, depth);
      if (type === GEOMETRY_COLLECTION) this.#members(depth);
      else this.#parts(type);
      cursor.at = back;
    }
    if (depth === 0) this.#builder.end();
  }

  #open(type: GeometryType, depth: number): void {
    if (depth === 0) this.#builder.begin(type);
    else if (type !== GEOMETRY_COLLECTION) this.#builder.member(type);
  }

  #members(depth: number): void {
    const cursor = this.#cursor;
    if (cursor.peek() !== 91) cursor.fail("an array of geometries");
    cursor.at++;
    for (let first = true; cursor.item(first); first = false) this.#geometry(depth + 1);
  }

  #parts(type: GeometryType): void {
    const cursor = this.#cursor;
    const builder = this.#builder;
    if (cursor.peek() !== 91) cursor.fail(`an array of "coordinates"`);
    switch (type) {
      case POINT: {
        const start = cursor.at;
        cursor.at++;
        if (cursor.peek() === 93) {
          cursor.at++;
          return;
        }
        cursor.at = start;
        builder.part();
        builder.ring();
        this.#position();
        return;
      }
      case LINE_STRING:
        this.#line();
        return;
      case POLYGON:
        this.#polygon();
        return;
      case MULTI_POINT:
        cursor.at++;
        for (let first = true; cursor.item(first); first = false) {
          builder.part();
          builder.ring();
          this.#position();
        }
        return;
      case MULTI_LINE_STRING:
        cursor.at++;
        for (let first = true; cursor.item(first); first = false) this.#line();
        return;
      case MULTI_POLYGON:
        cursor.at++;
        for (let first = true; cursor.item(first); first = false) this.#polygon();
    }
  }

  #line(): void {
    const cursor = this.#cursor;
    const builder = this.#builder;
    if (cursor.peek() !== 91) cursor.fail("an array of positions");
    const start = cursor.at;
    cursor.at++;
    if (cursor.peek() === 93) {
      cursor.at++;
      return;
    }
    builder.part();
    builder.ring();
    const count = this.#positions();
    if (count < 2) {
      this.repairs.shortLines++;
      if (!this.#lenient) {
        throw cursor.failure(
          `found a line of ${count} position, expected two or more`,
          start,
          "Drop the line or make it a Point; lenient: true reads it as it is.",
        );
      }
    }
  }

  #polygon(): void {
    const cursor = this.#cursor;
    const builder = this.#builder;
    if (cursor.peek() !== 91) cursor.fail("an array of rings");
    cursor.at++;
    let open = false;
    for (let first = true; cursor.item(first); first = false) {
      if (cursor.peek() !== 91) cursor.fail("a ring");
      const start = cursor.at;
      cursor.at++;
      if (!open) builder.part();
      open = true;
      builder.ring();
      let count = cursor.peek() === 93 ? this.#none() : this.#positions();
      if (count > 0 && (this.#firstX !== this.#lastX || this.#firstY !== this.#lastY)) {
        if (!this.#lenient) {
          throw cursor.failure(
            `found a ring that starts at ${this.#firstX} ${this.#firstY} and ends at ${this.#lastX} ${this.#lastY}, expected it to close`,
            start,
            "Repeat the first position at the end of the ring, or read with lenient: true, which closes it.",
          );
        }
        builder.vertex(this.#firstX, this.#firstY, this.#firstZ);
        this.repairs.closedRings++;
        count++;
      }
      if (count < 4 && !this.#lenient) {
        throw cursor.failure(
          `found a ring of ${count} positions, expected four or more`,
          start,
          "A ring needs three corners and its first position again at the end.",
        );
      }
    }
  }

  #none(): number {
    this.#cursor.at++;
    return 0;
  }

  /** Positions up to `]`, of which there is at least one; their number. */
  #positions(): number {
    const cursor = this.#cursor;
    let count = 0;
    for (;;) {
      this.#position();
      if (count === 0) {
        this.#firstX = this.#lastX;
        this.#firstY = this.#lastY;
        this.#firstZ = this.#lastZ;
      }
      count++;
      // The usual case has no white space here.
      let byte = cursor.bytes[cursor.at]!;
      if (byte !== 44 && byte !== 93) byte = cursor.peek();
      if (byte === 93) {
        cursor.at++;
        return count;
      }
      if (byte !== 44) cursor.fail(`"," or "]"`);
      cursor.at++;
    }
  }

  #position(): void {
    const cursor = this.#cursor;
    const { bytes } = cursor;
    if (bytes[cursor.at] !== 91 && cursor.peek() !== 91) cursor.fail("a position");
    cursor.at++;
    const x = this.#coordinate();
    if (bytes[cursor.at] !== 44 && cursor.peek() !== 44) cursor.fail(`"," and a second number`);
    cursor.at++;
    const y = this.#coordinate();
    let byte = bytes[cursor.at]!;
    if (byte !== 93 && byte !== 44) byte = cursor.peek();
    this.#lastX = x;
    this.#lastY = y;
    if (byte === 93) {
      cursor.at++;
      this.#lastZ = Number.NaN;
      this.#builder.vertex(x, y);
      return;
    }
    if (byte !== 44) cursor.fail(`"," or "]"`);
    cursor.at++;
    this.#lastZ = this.#coordinate();
    this.#builder.vertex(x, y, this.#lastZ);
    // RFC 7946, section 3.1.1: numbers beyond the third have no meaning.
    while (cursor.peek() === 44) {
      cursor.at++;
      this.#coordinate();
    }
    cursor.expect(93);
  }

  #coordinate(): number {
    const cursor = this.#cursor;
    const { numbers } = cursor;
    let { at } = cursor;
    if (cursor.bytes[at]! <= 32) {
      cursor.peek();
      at = cursor.at;
    }
    const value = numbers.read(cursor.bytes, at, cursor.end);
    if (!numbers.json || numbers.end === at) cursor.fail("a number");
    if (value === Infinity || value === -Infinity) cursor.fail("a number that a double can hold");
    cursor.at = numbers.end;
    return value;
  }
}
