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
  POINT,
  POLYGON,
} from "../model/geometry.ts";
import type { GeometryBuilder } from "../model/geometry-builder.ts";

/** Deepest nesting of collections that is read; deeper ones are refused so that no file can exhaust the stack. */
const MAX_DEPTH = 64;

/** True where typed arrays have the byte order of nearly all WKB. */
const LITTLE_ENDIAN_HOST = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Geometry types beyond the seven, by WKB code (OGC 06-103r4, table 7), for messages. */
const EXTENDED_TYPES: Readonly<Record<number, string>> = {
  8: "CircularString",
  9: "CompoundCurve",
  10: "CurvePolygon",
  13: "Curve",
  14: "Surface",
};

/**
 * Straight-edged relatives of the seven types and what they are here: MultiCurve and MultiSurface (read when
 * their members are straight), PolyhedralSurface and TIN as MultiPolygon, Triangle as Polygon.
 */
const STRAIGHT_TYPES: Readonly<Record<number, GeometryType>> = {
  11: MULTI_LINE_STRING,
  12: MULTI_POLYGON,
  15: MULTI_POLYGON,
  16: MULTI_POLYGON,
  17: POLYGON,
};

/**
 * Append the geometry in `bytes[offset .. offset + length - 1]` to `builder` as one row. For many geometries
 * keep one {@link WkbReader}, which this wraps.
 *
 * @returns how many polygon rings were not closed and have been closed.
 * @throws GeoError as {@link WkbReader.read}.
 */
export function readWkb(bytes: Uint8Array, offset: number, length: number, builder: GeometryBuilder): number {
  const reader = new WkbReader(builder);
  reader.read(bytes, offset, length);
  return reader.closedRings;
}

/**
 * Reads well-known binary into a {@link GeometryBuilder}: both byte orders, ISO codes (1001 = Z, 2001 = M,
 * 3001 = ZM) and the flags of EWKB with its SRID (skipped). No object is made for a geometry.
 *
 * Empty points (NaN coordinates) and rows without vertices become their type without parts; empty members of
 * a multi-geometry and empty rings are left out. Nested collections are flattened to one level. Bytes after
 * the geometry are ignored.
 */
export class WkbReader {
  /** Polygon rings that were not closed and have been closed, so far. */
  closedRings = 0;

  readonly #builder: GeometryBuilder;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #start = 0;
  #at = 0;
  #end = 0;
  #scratch = new Float64Array(512);
  #scratchBytes = new Uint8Array(this.#scratch.buffer);

  // Header of the geometry that is being read.
  #little = true;
  #type = 0;
  #hasZ = false;
  #hasM = false;

  constructor(builder: GeometryBuilder) {
    this.#builder = builder;
  }

  /**
   * Append the geometry in `bytes[offset .. offset + length - 1]` as one row. Every count is checked against
   * `length` before anything is made room for.
   *
   * @throws GeoError `INVALID_FORMAT` (`format: "WKB"`, `offset` from the geometry's first byte) and
   * `UNSUPPORTED` for curves; then the builder holds half a row and is of no further use.
   */
  read(bytes: Uint8Array, offset: number, length: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#start = offset;
    this.#at = offset;
    this.#end = Math.min(offset + length, bytes.length);
    this.#header();
    const type = this.#type as GeometryType;
    this.#builder.begin(type);
    if (type === GEOMETRY_COLLECTION) this.#collection(1);
    else this.#simple(type);
    this.#builder.end();
  }

  /** Parts of a geometry of types 1 to 6 whose header has just been read. */
  #simple(type: GeometryType): void {
    switch (type) {
      case POINT:
        this.#point();
        return;
      case LINE_STRING:
        this.#line();
        return;
      case POLYGON:
        this.#polygon();
        return;
    }
    const count = this.#count(9, "members");
    for (let i = 0; i < count; i++) {
      this.#header();
      const member = this.#type;
      if (member !== type - 3) {
        throw this.#invalid(`a member of type ${member} in a multi-geometry of type ${type}`);
      }
      if (type === MULTI_POINT) this.#point();
      else if (type === MULTI_LINE_STRING) this.#line();
      else this.#polygon();
    }
  }

  #collection(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#invalid(`collections nested more than ${MAX_DEPTH} deep`);
    const count = this.#count(9, "members");
    for (let i = 0; i < count; i++) {
      this.#header();
      const type = this.#type as GeometryType;
      if (type === GEOMETRY_COLLECTION) this.#collection(depth + 1);
      else {
        this.#builder.member(type);
        this.#simple(type);
      }
    }
  }

  #header(): void {
    if (this.#at + 5 > this.#end) throw this.#truncated("a geometry header");
    const order = this.#bytes[this.#at]!;
    if (order > 1) throw this.#invalid(`byte order ${order}, expected 0 or 1`);
    this.#little = order === 1;
    let code = this.#view.getUint32(this.#at + 1, this.#little);
    this.#at += 5;
    if (code < 8) {
      this.#hasZ = false;
      this.#hasM = false;
    } else {
      // EWKB: flags in the top bits; ISO: thousands.
      this.#hasZ = (code & 0x80000000) !== 0;
      this.#hasM = (code & 0x40000000) !== 0;
      if ((code & 0x20000000) !== 0) {
        if (this.#at + 4 > this.#end) throw this.#truncated("an SRID");
        this.#at += 4;
      }
      code &= 0x1fffffff;
      const thousands = Math.floor(code / 1000);
      if (thousands > 3) throw this.#invalid(`geometry type ${code}`);
      code -= 1000 * thousands;
      this.#hasZ ||= (thousands & 1) !== 0;
      this.#hasM ||= (thousands & 2) !== 0;
    }
    if (code >= 1 && code <= 7) this.#type = code;
    else {
      const name = EXTENDED_TYPES[code];
      if (name !== undefined) {
        throw new GeoError(
          "UNSUPPORTED",
          `geometry of type ${name}: curves are not read`,
          { feature: `${name} geometry` },
          { hint: "Make the curves straight first: ogr2ogr -nlt CONVERT_TO_LINEAR OUT IN." },
        );
      }
      const straight = STRAIGHT_TYPES[code];
      if (straight === undefined) throw this.#invalid(`geometry type ${code}`);
      this.#type = straight;
    }
  }

  #count(itemBytes: number, what: string): number {
    if (this.#at + 4 > this.#end) throw this.#truncated(`a count of ${what}`);
    const count = this.#view.getUint32(this.#at, this.#little);
    this.#at += 4;
    if (count * itemBytes > this.#end - this.#at) {
      throw this.#invalid(
        `${count} ${what} need at least ${count * itemBytes} bytes, ${this.#end - this.#at} are left`,
      );
    }
    return count;
  }

  #point(): void {
    const stride = this.#stride();
    if (this.#at + 8 * stride > this.#end) throw this.#truncated("a point");
    const view = this.#view;
    const x = view.getFloat64(this.#at, this.#little);
    const y = view.getFloat64(this.#at + 8, this.#little);
    if (!(Number.isNaN(x) && Number.isNaN(y))) {
      const z = this.#hasZ ? view.getFloat64(this.#at + 16, this.#little) : Number.NaN;
      const m = this.#hasM ? view.getFloat64(this.#at + 8 * (stride - 1), this.#little) : Number.NaN;
      this.#builder.part();
      this.#builder.vertex(x, y, z, m);
    }
    this.#at += 8 * stride;
  }

  #line(): void {
    const count = this.#count(8 * this.#stride(), "points");
    if (count === 0) return;
    this.#builder.part();
    this.#builder.ring();
    this.#vertices(count);
  }

  #polygon(): void {
    const rings = this.#count(4, "rings");
    const ringBytes = 8 * this.#stride();
    let opened = false;
    for (let r = 0; r < rings; r++) {
      const count = this.#count(ringBytes, "points");
      if (count === 0) continue;
      if (!opened) {
        this.#builder.part();
        opened = true;
      }
      this.#builder.ring();
      const first = this.#at;
      this.#vertices(count);
      this.#close(first, first + (count - 1) * ringBytes);
    }
  }

  /** Add the first vertex of a ring again when its last one differs. */
  #close(first: number, last: number): void {
    const view = this.#view;
    const x = view.getFloat64(first, this.#little);
    const y = view.getFloat64(first + 8, this.#little);
    if (x === view.getFloat64(last, this.#little) && y === view.getFloat64(last + 8, this.#little)) return;
    const z = this.#hasZ ? view.getFloat64(first + 16, this.#little) : Number.NaN;
    const m = this.#hasM ? view.getFloat64(first + 8 * (this.#stride() - 1), this.#little) : Number.NaN;
    this.#builder.vertex(x, y, z, m);
    this.closedRings++;
  }

  /** Move `count` vertices, whose bytes are known to be there, into the ring that is open. */
  #vertices(count: number): void {
    const view = this.#view;
    const little = this.#little;
    let at = this.#at;
    if (this.#hasZ || this.#hasM) {
      const stride = 8 * this.#stride();
      for (let i = 0; i < count; i++) {
        const z = this.#hasZ ? view.getFloat64(at + 16, little) : Number.NaN;
        const m = this.#hasM ? view.getFloat64(at + stride - 8, little) : Number.NaN;
        this.#builder.vertex(view.getFloat64(at, little), view.getFloat64(at + 8, little), z, m);
        at += stride;
      }
      this.#at = at;
      return;
    }
    if (2 * count > this.#scratch.length) {
      this.#scratch = new Float64Array(4 * count);
      this.#scratchBytes = new Uint8Array(this.#scratch.buffer);
    }
    const scratch = this.#scratch;
    // Coordinates in WKB are rarely aligned. Copying the bytes as a block beats reading doubles one by one
    // from about a dozen vertices on.
    if (count > 12 && little && LITTLE_ENDIAN_HOST) {
      this.#scratchBytes.set(this.#bytes.subarray(at, at + 16 * count));
    } else {
      for (let i = 0; i < 2 * count; i++) scratch[i] = view.getFloat64(at + 8 * i, little);
    }
    this.#builder.vertices2d(scratch, 0, count);
    at += 16 * count;
    this.#at = at;
  }

  #stride(): number {
    return 2 + (this.#hasZ ? 1 : 0) + (this.#hasM ? 1 : 0);
  }

  #truncated(what: string): GeoError {
    return this.#invalid(`${what} is cut off`);
  }

  #invalid(finding: string): GeoError {
    const offset = this.#at - this.#start;
    return new GeoError("INVALID_FORMAT", `well-known binary is damaged at byte ${offset}: ${finding}`, {
      format: "WKB",
      path: "",
      offset,
    });
  }
}

export interface WkbOptions {
  /** Write Z: `true` always (NaN where absent), `false` never, default when the row has any. */
  readonly z?: boolean | undefined;
  /** Write M; as for `z`. */
  readonly m?: boolean | undefined;
}

/**
 * Row `row` as little-endian ISO WKB in an array of its own. Empty points are NaN. A null geometry has no WKB
 * and gives 0 bytes.
 */
export function writeWkb(column: GeometryColumn, row: number, options: WkbOptions = {}): Uint8Array {
  const bytes = new Uint8Array(wkbLength(column, row, options));
  if (bytes.length > 0) new WkbWriter(bytes).put(column, row, 0, options);
  return bytes;
}

/** Bytes that {@link writeWkb} gives for a row; 0 for a null geometry. */
export function wkbLength(column: GeometryColumn, row: number, options: WkbOptions = {}): number {
  const { types, geometries, parts, rings } = column;
  const type = types[row]!;
  if (type === 0) return 0;
  const stride =
    8 *
    (2 +
      (rowHas(column.z, column, row, options.z) ? 1 : 0) +
      (rowHas(column.m, column, row, options.m) ? 1 : 0));
  const firstPart = geometries[row]!;
  const endPart = geometries[row + 1]!;
  const firstRing = parts[firstPart]!;
  const endRing = parts[endPart]!;
  const vertices = rings[endRing]! - rings[firstRing]!;
  const partCount = endPart - firstPart;
  switch (type) {
    case POINT:
      return 5 + stride;
    case LINE_STRING:
      return 9 + stride * vertices;
    case POLYGON:
      return 9 + 4 * (endRing - firstRing) + stride * vertices;
    case MULTI_POINT:
      return 9 + partCount * (5 + stride);
    case MULTI_LINE_STRING:
      return 9 + 9 * partCount + stride * vertices;
    case MULTI_POLYGON:
      return 9 + 9 * partCount + 4 * (endRing - firstRing) + stride * vertices;
    default: {
      const { rows, types: memberTypes, members } = column.collections!;
      let length = 9;
      for (let k = rows[row]!; k < rows[row + 1]!; k++) {
        const memberType = memberTypes[k]!;
        const first = members[k]!;
        const end = memberPartsEnd(column, row, k);
        const vertexCount = rings[parts[end]!]! - rings[parts[first]!]!;
        const ringCount = parts[end]! - parts[first]!;
        if (memberType === POINT) length += 5 + stride;
        else if (memberType === LINE_STRING) length += 9 + stride * vertexCount;
        else if (memberType === POLYGON) length += 9 + 4 * ringCount + stride * vertexCount;
        else if (memberType === MULTI_POINT) length += 9 + (end - first) * (5 + stride);
        else
          length +=
            9 + 9 * (end - first) + stride * vertexCount + (memberType === MULTI_POLYGON ? 4 * ringCount : 0);
      }
      return length;
    }
  }
}

/** Puts WKB into one buffer, row after row. */
export class WkbWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #code = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Put a row that is not null at `offset`; returns the offset after it. Room must be there: {@link wkbLength}. */
  put(column: GeometryColumn, row: number, offset: number, options: WkbOptions = {}): number {
    this.#at = offset;
    const z = rowHas(column.z, column, row, options.z);
    const m = rowHas(column.m, column, row, options.m);
    this.#code = (z ? 1000 : 0) + (m ? 2000 : 0);
    const type = column.types[row]!;
    const first = column.geometries[row]!;
    const end = column.geometries[row + 1]!;
    if (type !== GEOMETRY_COLLECTION) this.#geometry(column, type, first, end, z, m);
    else {
      const { rows, types, members } = column.collections!;
      this.#header(GEOMETRY_COLLECTION);
      this.#uint32(rows[row + 1]! - rows[row]!);
      for (let k = rows[row]!; k < rows[row + 1]!; k++) {
        this.#geometry(column, types[k]!, members[k]!, memberPartsEnd(column, row, k), z, m);
      }
    }
    return this.#at;
  }

  #geometry(column: GeometryColumn, type: number, first: number, end: number, z: boolean, m: boolean): void {
    if (type >= MULTI_POINT) {
      this.#header(type);
      this.#uint32(end - first);
      for (let p = first; p < end; p++) this.#geometry(column, type - 3, p, p + 1, z, m);
      return;
    }
    this.#header(type);
    const { parts, rings } = column;
    if (type === POINT) {
      if (first === end) {
        for (let k = 2 + (z ? 1 : 0) + (m ? 1 : 0); k > 0; k--) this.#double(Number.NaN);
      } else {
        const v = rings[parts[first]!]!;
        this.#vertices(column, v, v + 1, z, m);
      }
      return;
    }
    const firstRing = parts[first]!;
    const endRing = parts[end]!;
    if (type === LINE_STRING) {
      this.#uint32(rings[endRing]! - rings[firstRing]!);
      this.#vertices(column, rings[firstRing]!, rings[endRing]!, z, m);
      return;
    }
    this.#uint32(endRing - firstRing);
    for (let r = firstRing; r < endRing; r++) {
      this.#uint32(rings[r + 1]! - rings[r]!);
      this.#vertices(column, rings[r]!, rings[r + 1]!, z, m);
    }
  }

  #header(type: number): void {
    this.#view.setUint8(this.#at, 1);
    this.#view.setUint32(this.#at + 1, this.#code + type, true);
    this.#at += 5;
  }

  #uint32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  #double(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  #vertices(column: GeometryColumn, start: number, end: number, withZ: boolean, withM: boolean): void {
    const view = this.#view;
    const { xy, z, m } = column;
    let at = this.#at;
    if (!withZ && !withM && end - start > 12 && LITTLE_ENDIAN_HOST) {
      const from = new Uint8Array(xy.buffer, xy.byteOffset + 16 * start, 16 * (end - start));
      this.#bytes.set(from, at);
      this.#at = at + from.length;
      return;
    }
    for (let v = start; v < end; v++) {
      view.setFloat64(at, xy[2 * v]!, true);
      view.setFloat64(at + 8, xy[2 * v + 1]!, true);
      at += 16;
      if (withZ) {
        view.setFloat64(at, z === null ? Number.NaN : z[v]!, true);
        at += 8;
      }
      if (withM) {
        view.setFloat64(at, m === null ? Number.NaN : m[v]!, true);
        at += 8;
      }
    }
    this.#at = at;
  }
}

/** Whether a row is written with an ordinate: as asked, else when any of its vertices has one. */
function rowHas(
  values: Float64Array | null,
  column: GeometryColumn,
  row: number,
  asked: boolean | undefined,
): boolean {
  if (asked !== undefined) return asked;
  if (values === null) return false;
  const { geometries, parts, rings } = column;
  const end = rings[parts[geometries[row + 1]!]!]!;
  for (let v = rings[parts[geometries[row]!]!]!; v < end; v++) if (!Number.isNaN(values[v]!)) return true;
  return false;
}
