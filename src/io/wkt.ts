import { GeoError } from "../model/errors.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  memberPartsEnd,
  NULL_GEOMETRY,
  POINT,
  POLYGON,
} from "../model/geometry.ts";
import type { GeometryBuilder } from "../model/geometry-builder.ts";
import { ByteBuffer } from "./text/byte-buffer.ts";
import { asciiText, NumberReader } from "./text/number.ts";

/** Deepest nesting of collections that is read; deeper ones are refused so that no text can exhaust the stack. */
const MAX_DEPTH = 64;

/** Words of WKT and what they are here. The straight-edged relatives become one of the seven types. */
const TYPES: ReadonlyMap<string, GeometryType> = new Map([
  ["POINT", POINT],
  ["LINESTRING", LINE_STRING],
  ["LINEARRING", LINE_STRING],
  ["POLYGON", POLYGON],
  ["TRIANGLE", POLYGON],
  ["MULTIPOINT", MULTI_POINT],
  ["MULTILINESTRING", MULTI_LINE_STRING],
  ["MULTIPOLYGON", MULTI_POLYGON],
  ["POLYHEDRALSURFACE", MULTI_POLYGON],
  ["TIN", MULTI_POLYGON],
  ["GEOMETRYCOLLECTION", GEOMETRY_COLLECTION],
]);

const CURVES: ReadonlySet<string> = new Set([
  "CIRCULARSTRING",
  "COMPOUNDCURVE",
  "CURVEPOLYGON",
  "MULTICURVE",
  "MULTISURFACE",
  "CURVE",
  "SURFACE",
]);

const NAMES = [
  "",
  "POINT",
  "LINESTRING",
  "POLYGON",
  "MULTIPOINT",
  "MULTILINESTRING",
  "MULTIPOLYGON",
  "GEOMETRYCOLLECTION",
] as const;

/**
 * Append one geometry written as well-known text to `builder` as a row. For many geometries keep one
 * {@link WktReader}, which this wraps.
 *
 * @returns how many polygon rings were not closed and have been closed.
 * @throws GeoError as {@link WktReader.read}.
 */
export function parseWkt(text: string, builder: GeometryBuilder): number {
  const bytes = new TextEncoder().encode(text);
  const reader = new WktReader(builder);
  reader.read(bytes, 0, bytes.length);
  return reader.closedRings;
}

/**
 * Reads well-known text (OGC 06-103r4, section 7) from UTF-8 bytes into a {@link GeometryBuilder}: any case and
 * spacing, `Z`, `M`, `ZM` apart from or joined to the type, the older style where three or four numbers say so
 * themselves, `EMPTY` anywhere, `MULTIPOINT` with and without inner parentheses, and PostGIS' `SRID=4326;` in front
 * (skipped). Triangles become polygons, TINs and polyhedral surfaces multi-polygons. Empty members of a multi-geometry
 * are left out and nested collections flattened to one level. Numbers are read exactly.
 */
export class WktReader {
  /** Polygon rings closed since the reader was made. */
  closedRings: number = 0;
  readonly #builder: GeometryBuilder;
  readonly #numbers = new NumberReader();
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #at = 0;
  #end = 0;
  /** Numbers of a position: 0 = as the first position says. */
  #size = 0;
  #hasM = false;
  #position = new Float64Array(4);
  #first = new Float64Array(4);

  constructor(builder: GeometryBuilder) {
    this.#builder = builder;
  }

  /**
   * Append the geometry in `bytes[start .. end - 1]` as one row.
   * @throws GeoError `INVALID_FORMAT` with the place, `UNSUPPORTED` for curves. The row is then unfinished and
   * the builder must be thrown away.
   */
  read(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#skipSrid();
    const type = this.#tag();
    this.#builder.begin(type);
    if (type === GEOMETRY_COLLECTION) this.#members(0);
    else this.#parts(type);
    this.#builder.end();
    this.#space();
    if (this.#at < end) throw this.#error("end of text");
  }

  #skipSrid(): void {
    this.#space();
    const start = this.#at;
    if (this.#word() !== "SRID") {
      this.#at = start;
      return;
    }
    while (this.#at < this.#end && this.#bytes[this.#at] !== 59) this.#at++;
    if (this.#at < this.#end) this.#at++;
  }

  /** Type word and dimension words; leaves the position before `EMPTY` or the parenthesis. */
  #tag(): GeometryType {
    this.#space();
    const start = this.#at;
    let word = this.#word();
    let dimensions = "";
    if (!TYPES.has(word) && /(?:Z|M|ZM)$/.test(word)) {
      const bare = word.replace(/(?:ZM|Z|M)$/, "");
      if (TYPES.has(bare)) {
        dimensions = word.slice(bare.length);
        word = bare;
      }
    }
    const type = TYPES.get(word);
    if (type === undefined) {
      this.#at = start;
      if (CURVES.has(word)) {
        throw new GeoError(
          "UNSUPPORTED",
          `WKT ${word} has curved edges, which this library does not read`,
          { feature: word },
          {
            hint: "Turn curves into straight segments first, for example with ogr2ogr -nlt CONVERT_TO_LINEAR.",
          },
        );
      }
      throw this.#error("a geometry type such as POINT or MULTIPOLYGON");
    }
    if (dimensions === "") {
      this.#space();
      const before = this.#at;
      dimensions = this.#word();
      if (dimensions !== "Z" && dimensions !== "M" && dimensions !== "ZM") {
        this.#at = before;
        dimensions = "";
      }
    }
    this.#size = dimensions === "" ? 0 : dimensions === "ZM" ? 4 : 3;
    this.#hasM = dimensions === "M" || dimensions === "ZM";
    return type;
  }

  #members(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#error(`collections nested at most ${MAX_DEPTH} deep`);
    if (!this.#open()) return;
    do {
      const type = this.#tag();
      if (type === GEOMETRY_COLLECTION) this.#members(depth + 1);
      else {
        this.#builder.member(type);
        this.#parts(type);
      }
    } while (this.#more());
  }

  #parts(type: GeometryType): void {
    if (!this.#open()) return;
    switch (type) {
      case POINT:
        this.#builder.part();
        this.#vertex();
        this.#close();
        return;
      case LINE_STRING:
        this.#builder.part();
        this.#vertices();
        return;
      case POLYGON:
        this.#rings();
        return;
      case MULTI_POINT:
        do this.#memberPoint();
        while (this.#more());
        return;
      case MULTI_LINE_STRING:
        do {
          if (!this.#open()) continue;
          this.#builder.part();
          this.#vertices();
        } while (this.#more());
        return;
      default:
        do {
          if (this.#open()) this.#rings();
        } while (this.#more());
    }
  }

  #memberPoint(): void {
    this.#space();
    if (this.#bytes[this.#at] === 40 || this.#isWord()) {
      if (!this.#open()) return;
      this.#builder.part();
      this.#vertex();
      this.#close();
    } else {
      this.#builder.part();
      this.#vertex();
    }
  }

  /** Rings behind an open parenthesis, through its close. */
  #rings(): void {
    let part = false;
    do {
      if (!this.#open()) continue;
      if (!part) this.#builder.part();
      part = true;
      this.#builder.ring();
      this.#vertex();
      this.#first.set(this.#position);
      let count = 1;
      while (this.#more()) {
        this.#vertex();
        count++;
      }
      const [x, y] = this.#first;
      if (count > 1 && (this.#position[0] !== x || this.#position[1] !== y)) {
        this.#builder.vertex(x!, y!, this.#first[2]!, this.#first[3]!);
        this.closedRings++;
      }
    } while (this.#more());
  }

  /** Positions behind an open parenthesis, through its close. */
  #vertices(): void {
    this.#builder.ring();
    do this.#vertex();
    while (this.#more());
  }

  #vertex(): void {
    const position = this.#position;
    position[2] = Number.NaN;
    position[3] = Number.NaN;
    let size = 0;
    for (; size < 4; size++) {
      this.#space();
      const value = this.#numbers.read(this.#bytes, this.#at, this.#end);
      if (this.#numbers.end === this.#at) break;
      if (!Number.isFinite(value)) throw this.#error("a number that a double can hold");
      this.#at = this.#numbers.end;
      position[size] = value;
    }
    if (this.#size === 0 && size >= 2) {
      this.#size = size;
      this.#hasM = size === 4;
    }
    if (size !== this.#size || size < 2) {
      throw this.#error(this.#size === 0 ? "at least two numbers" : `${this.#size} numbers in a position`);
    }
    if (this.#hasM && size === 3) {
      position[3] = position[2]!;
      position[2] = Number.NaN;
    }
    this.#builder.vertex(position[0]!, position[1]!, position[2]!, position[3]!);
  }

  /** True behind `(`, false behind `EMPTY`. */
  #open(): boolean {
    this.#space();
    if (this.#bytes[this.#at] === 40 && this.#at < this.#end) {
      this.#at++;
      return true;
    }
    const start = this.#at;
    if (this.#word() === "EMPTY") return false;
    this.#at = start;
    throw this.#error("( or EMPTY");
  }

  /** True behind `,`, false behind `)`. */
  #more(): boolean {
    this.#space();
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : 0;
    if (byte !== 44 && byte !== 41) throw this.#error(", or )");
    this.#at++;
    return byte === 44;
  }

  #close(): void {
    if (this.#more()) {
      this.#at--;
      throw this.#error(")");
    }
  }

  #space(): void {
    const bytes = this.#bytes;
    while (
      this.#at < this.#end &&
      (bytes[this.#at] === 32 || (bytes[this.#at]! >= 9 && bytes[this.#at]! <= 13))
    )
      this.#at++;
  }

  #isWord(): boolean {
    const letter = this.#bytes[this.#at]! | 32;
    return this.#at < this.#end && letter >= 97 && letter <= 122;
  }

  /** Letters from here on, in capitals; empty when there are none. */
  #word(): string {
    const start = this.#at;
    while (this.#isWord() && this.#at - start < 32) this.#at++;
    return asciiText(this.#bytes, start, this.#at).toUpperCase();
  }

  #error(expected: string): GeoError<"INVALID_FORMAT"> {
    const at = Math.min(this.#at, this.#end);
    const found =
      at >= this.#end
        ? "the end"
        : `"${new TextDecoder().decode(this.#bytes.subarray(at, Math.min(at + 20, this.#end)))}"`;
    return new GeoError(
      "INVALID_FORMAT",
      `WKT at character ${at - this.#start + 1}: found ${found}, expected ${expected}`,
      { format: "WKT", path: "", offset: at - this.#start },
    );
  }
}

/** What the begin of a well-known text says, without reading the rest. */
export interface WktHead {
  readonly type: GeometryType;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  /** Number of a PostGIS prefix `SRID=4326;`, or 0. */
  readonly srid: number;
}

/** Type and dimensions of the text in `bytes[start .. end - 1]`, or `null` when it does not begin like well-known text. */
export function wktHead(bytes: Uint8Array, start: number, end: number): WktHead | null {
  const head = asciiText(bytes, start, Math.min(end, start + 200));
  const match = HEAD.exec(head);
  if (match === null) return null;
  const [, srid = "0", word = "", dimensions = "", rest = ""] = match;
  const type = TYPES.get(word.toUpperCase());
  if (type === undefined) return null;
  let numbers = 0;
  if (dimensions === "") numbers = (/[-+\d.][^,()]*/.exec(rest)?.[0] ?? "").trim().split(/\s+/).length;
  return {
    type,
    hasZ: /z/i.test(dimensions) || numbers >= 3,
    hasM: /m/i.test(dimensions) || numbers >= 4,
    srid: Number(srid),
  };
}

const HEAD = /^\s*(?:SRID\s*=\s*(\d{1,9})\s*;)?\s*([A-Z]+?)\s*(ZM|Z|M)?\s*(\(.*|EMPTY\b.*)$/is;

export interface WktOptions {
  /** Digits after the point at the most; default as many as it takes to read the same doubles back. */
  readonly precision?: number | undefined;
}

/**
 * Row `row` of a column as well-known text in the form GDAL prints: `POLYGON Z ((0 0 1,1 0 1,1 1 1,0 0 1))`,
 * `MULTIPOINT ((1 2),(3 4))`, `POINT EMPTY`. Heights and measures are written when any vertex of the row has one (then 0 for
 * the vertices that have none). Empty text for a null geometry. Ring direction is kept.
 */
export function toWkt(column: GeometryColumn, row: number, options: WktOptions = {}): string {
  const out = new ByteBuffer(256);
  writeWkt(out, column, row, options);
  return new TextDecoder().decode(out.taken());
}

/** {@link toWkt}, appended to a buffer. */
export function writeWkt(
  out: ByteBuffer,
  column: GeometryColumn,
  row: number,
  options: WktOptions = {},
): void {
  const type = column.types[row]!;
  if (type === NULL_GEOMETRY) return;
  const start = column.geometries[row]!;
  const end = column.geometries[row + 1]!;
  const from = column.rings[column.parts[start]!]!;
  const to = column.rings[column.parts[end]!]!;
  const z = someNumber(column.z, from, to) ? column.z : null;
  const m = someNumber(column.m, from, to) ? column.m : null;
  const writer: Writer = { out, column, z, m, precision: options.precision };
  if (type !== GEOMETRY_COLLECTION) {
    writeTagged(writer, type, start, end);
    return;
  }
  writeTag(writer, type);
  const { collections } = column;
  const first = collections === null ? 0 : collections.rows[row]!;
  const last = collections === null ? 0 : collections.rows[row + 1]!;
  if (collections === null || first === last) {
    out.text("EMPTY");
    return;
  }
  for (let k = first; k < last; k++) {
    out.byte(k === first ? 40 : 44);
    writeTagged(writer, collections.types[k]!, collections.members[k]!, memberPartsEnd(column, row, k));
  }
  out.byte(41);
}

interface Writer {
  readonly out: ByteBuffer;
  readonly column: GeometryColumn;
  readonly z: Float64Array | null;
  readonly m: Float64Array | null;
  readonly precision: number | undefined;
}

function someNumber(values: Float64Array | null, start: number, end: number): boolean {
  if (values === null) return false;
  for (let v = start; v < end; v++) if (!Number.isNaN(values[v]!)) return true;
  return false;
}

function writeTag({ out, z, m }: Writer, type: number): void {
  out.text(NAMES[type]!);
  out.text(z === null ? (m === null ? " " : " M ") : m === null ? " Z " : " ZM ");
}

function writeTagged(writer: Writer, type: number, start: number, end: number): void {
  const { out } = writer;
  const { parts } = writer.column;
  writeTag(writer, type);
  if (start === end) {
    out.text("EMPTY");
    return;
  }
  if (type === POINT || type === LINE_STRING) {
    writeRing(writer, parts[start]!);
    return;
  }
  if (type === POLYGON) {
    writeRings(writer, start);
    return;
  }
  for (let part = start; part < end; part++) {
    out.byte(part === start ? 40 : 44);
    if (type === MULTI_POLYGON) writeRings(writer, part);
    else writeRing(writer, parts[part]!);
  }
  out.byte(41);
}

function writeRings(writer: Writer, part: number): void {
  const { parts } = writer.column;
  for (let ring = parts[part]!; ring < parts[part + 1]!; ring++) {
    writer.out.byte(ring === parts[part]! ? 40 : 44);
    writeRing(writer, ring);
  }
  writer.out.byte(41);
}

function writeRing(writer: Writer, ring: number): void {
  const { out, column, z, m } = writer;
  const { rings, xy } = column;
  const start = rings[ring]!;
  if (start === rings[ring + 1]!) {
    out.text("EMPTY");
    return;
  }
  for (let v = start; v < rings[ring + 1]!; v++) {
    out.byte(v === start ? 40 : 44);
    writeNumber(writer, xy[2 * v]!);
    out.byte(32);
    writeNumber(writer, xy[2 * v + 1]!);
    if (z !== null) {
      out.byte(32);
      writeNumber(writer, Number.isNaN(z[v]!) ? 0 : z[v]!);
    }
    if (m !== null) {
      out.byte(32);
      writeNumber(writer, Number.isNaN(m[v]!) ? 0 : m[v]!);
    }
  }
  out.byte(41);
}

function writeNumber({ out, precision }: Writer, value: number): void {
  if (precision === undefined || !Number.isFinite(value)) out.number(value);
  else out.rounded(value, precision);
}
