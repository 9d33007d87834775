import type { Column, FeatureTable } from "../../model/features.ts";
import { isNull } from "../../model/features.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  MULTI_LINE_STRING,
  MULTI_POLYGON,
  memberPartsEnd,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import { isoDate, isoDateTime, isoTime } from "../text/iso-time.ts";

const encoder = new TextEncoder();

/** Bytes of a feature before its geometry: size, root offset, list of fields, table. */
const FEATURE_HEAD = 28;

/**
 * Writes features one behind the other as FlatGeobuf stores them: size, then a FlatBuffer. Everything an offset refers
 * to lies behind it. Each feature is a multiple of 8 bytes long and its coordinates lie on multiples of 8.
 */
export class FeatureEncoder {
  bytes: Uint8Array = new Uint8Array(1 << 16);
  length: number = 0;
  #view = new DataView(this.bytes.buffer);
  readonly #hasZ: boolean;
  readonly #hasM: boolean;
  #filled = false;
  /** Rows that had to be given the height 0 because others have heights. */
  heightless: number = 0;

  /**
   * @param hasZ  Whether every geometry carries heights: 0 where it has none, for a ring whose first and last height
   *              are NaN would not count as closed.
   * @param hasM  Whether every geometry carries measures, NaN where it has none.
   */
  constructor(hasZ: boolean, hasM: boolean) {
    this.#hasZ = hasZ;
    this.#hasM = hasM;
  }

  /** The bytes so far; valid until the next feature. */
  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /**
   * Append row `row`.
   *
   * @param columns  Those of the file in its order; `null` for one that the batch does not have.
   * @returns Bytes appended.
   */
  feature(batch: FeatureTable, columns: readonly (Column | null)[], row: number): number {
    const start = this.length;
    this.#reserve(FEATURE_HEAD);
    const view = this.#view;
    const { geometry } = batch;
    const hasGeometry = geometry !== null && geometry.types[row] !== 0;
    view.setUint32(start + 4, 12, true);
    view.setUint16(start + 8, 8, true);
    view.setUint16(start + 10, 12, true);
    view.setUint16(start + 12, hasGeometry ? 4 : 0, true);
    view.setUint16(start + 14, 8, true);
    view.setInt32(start + 16, 8, true);
    view.setUint32(start + 20, 0, true);
    this.length += FEATURE_HEAD;
    if (hasGeometry) {
      this.#filled = false;
      const table = this.#geometry(geometry, row);
      if (this.#filled) this.heightless++;
      this.#view.setUint32(start + 20, table - (start + 20), true);
    }
    const properties = this.#properties(columns, row);
    if (properties === 0) this.#view.setUint16(start + 14, 0, true);
    else this.#view.setUint32(start + 24, properties - (start + 24), true);
    this.#pad(8, 0);
    this.#view.setUint32(start, this.length - start - 4, true);
    return this.length - start;
  }

  #geometry(column: GeometryColumn, row: number): number {
    const { types, geometries, collections } = column;
    const type = types[row]!;
    const first = geometries[row]!;
    const end = geometries[row + 1]!;
    if (type !== GEOMETRY_COLLECTION) return this.#parts(column, type, first, end);
    const memberStart = collections!.rows[row]!;
    const members = collections!.rows[row + 1]! - memberStart;
    const table = this.#table(type, PARTS);
    const vector = this.#vector(slotOf(table, PARTS, PARTS), members, 4);
    for (let k = 0; k < members; k++) {
      const member = memberStart + k;
      const part = this.#parts(
        column,
        collections!.types[member]!,
        collections!.members[member]!,
        memberPartsEnd(column, row, member),
      );
      this.#view.setUint32(vector + 4 * k, part - (vector + 4 * k), true);
    }
    return table;
  }

  /** A geometry that is no collection, of the parts `first .. end - 1` of the column. */
  #parts(column: GeometryColumn, type: number, first: number, end: number): number {
    const { parts, rings } = column;
    if (type === MULTI_POLYGON) {
      const table = this.#table(type, PARTS);
      const vector = this.#vector(slotOf(table, PARTS, PARTS), end - first, 4);
      for (let p = first; p < end; p++) {
        const part = this.#parts(column, POLYGON, p, p + 1);
        const slot = vector + 4 * (p - first);
        this.#view.setUint32(slot, part - slot, true);
      }
      return table;
    }
    const firstRing = parts[first]!;
    const ringEnd = parts[end]!;
    const firstVertex = rings[firstRing]!;
    const vertices = rings[ringEnd]! - firstVertex;
    let fields = XY;
    // GDAL asks for the ends of a multi-line even when there is but one.
    if (type === MULTI_LINE_STRING || (type === POLYGON && ringEnd - firstRing > 1)) fields |= ENDS;
    if (this.#hasZ) fields |= Z;
    if (this.#hasM) fields |= M;
    const table = this.#table(type, fields);
    if ((fields & ENDS) !== 0) {
      const count = ringEnd - firstRing;
      const vector = this.#vector(slotOf(table, fields, ENDS), count, 4);
      for (let r = 0; r < count; r++) {
        this.#view.setUint32(vector + 4 * r, rings[firstRing + r + 1]! - firstVertex, true);
      }
    }
    if (type === POINT && vertices === 0) {
      // As in WKB: GDAL refuses a point without coordinates.
      this.#doubles(slotOf(table, fields, XY), null, 0, 2);
      if (this.#hasZ) this.#doubles(slotOf(table, fields, Z), null, 0, 1);
      if (this.#hasM) this.#doubles(slotOf(table, fields, M), null, 0, 1);
      return table;
    }
    this.#doubles(slotOf(table, fields, XY), column.xy, 2 * firstVertex, 2 * vertices);
    if (this.#hasZ) this.#heights(slotOf(table, fields, Z), column.z, firstVertex, vertices);
    if (this.#hasM) this.#doubles(slotOf(table, fields, M), column.m, firstVertex, vertices);
    return table;
  }

  /**
   * A geometry's list of fields and its table: one offset for each bit of `fields`, to be filled in later, then the
   * type. Returns the table's position.
   */
  #table(type: number, fields: number): number {
    this.#reserve(56);
    this.#pad(4, 0);
    const view = this.#view;
    const list = this.length;
    const entries = fields === PARTS ? 8 : 7;
    let at = list + 4;
    let offset = 4;
    for (let field = 0; field < entries; field++) {
      if (field === TYPE_FIELD) view.setUint16(at, 0, true);
      else if (((fields >> field) & 1) === 0) view.setUint16(at, 0, true);
      else {
        view.setUint16(at, offset, true);
        offset += 4;
      }
      at += 2;
    }
    view.setUint16(list + 4 + 2 * TYPE_FIELD, offset, true);
    view.setUint16(list, 4 + 2 * entries, true);
    view.setUint16(list + 2, offset + 1, true);
    this.length = at;
    this.#pad(4, 0);
    const table = this.length;
    view.setInt32(table, table - list, true);
    view.setUint8(table + offset, type);
    this.length = table + offset + 1;
    return table;
  }

  /** Room for a vector that the offset at `slot` refers to. Returns the position of its first item. */
  #vector(slot: number, count: number, itemBytes: number): number {
    this.#reserve(16 + count * itemBytes);
    this.#pad(itemBytes, 4);
    this.#view.setUint32(slot, this.length - slot, true);
    this.#view.setUint32(this.length, count, true);
    const items = this.length + 4;
    this.length = items + count * itemBytes;
    return items;
  }

  /** A vector of doubles that the offset at `slot` refers to; NaN when there is nothing to take them from. */
  #doubles(slot: number, from: Float64Array | null, start: number, count: number): void {
    const at = this.#vector(slot, count, 8);
    const view = this.#view;
    if (from === null) for (let i = 0; i < count; i++) view.setFloat64(at + 8 * i, Number.NaN, true);
    else for (let i = 0; i < count; i++) view.setFloat64(at + 8 * i, from[start + i]!, true);
  }

  #heights(slot: number, from: Float64Array | null, start: number, count: number): void {
    const at = this.#vector(slot, count, 8);
    const view = this.#view;
    for (let i = 0; i < count; i++) {
      let z = from === null ? Number.NaN : from[start + i]!;
      if (Number.isNaN(z)) {
        z = 0;
        this.#filled = true;
      }
      view.setFloat64(at + 8 * i, z, true);
    }
  }

  /** The vector of attributes; 0 when all are null. */
  #properties(columns: readonly (Column | null)[], row: number): number {
    this.#reserve(16);
    this.#pad(4, 0);
    const vector = this.length;
    this.length += 4;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k]!;
      if (column === null || isNull(column, row)) continue;
      this.#reserve(32);
      this.#view.setUint16(this.length, k, true);
      this.length += 2;
      this.#value(column, row);
    }
    const bytes = this.length - vector - 4;
    if (bytes === 0) {
      this.length = vector;
      return 0;
    }
    this.#view.setUint32(vector, bytes, true);
    return vector;
  }

  #value(column: Column, row: number): void {
    const view = this.#view;
    switch (column.type) {
      case "int32":
        view.setInt32(this.length, column.values[row]!, true);
        this.length += 4;
        return;
      case "int64":
        view.setBigInt64(this.length, column.values[row]!, true);
        this.length += 8;
        return;
      case "float64":
        view.setFloat64(this.length, column.values[row]!, true);
        this.length += 8;
        return;
      case "boolean":
        view.setUint8(this.length, column.values[row]!);
        this.length += 1;
        return;
      case "date":
        this.#text(isoDate(column.values[row]!));
        return;
      case "time":
        this.#text(isoTime(column.values[row]!));
        return;
      case "datetime":
        this.#text(isoDateTime(column.values[row]!, column.zone ?? "utc"));
        return;
      default: {
        const { offsets, bytes } = column.values;
        this.#cell(bytes, offsets[row]!, offsets[row + 1]!);
      }
    }
  }

  #text(text: string): void {
    const bytes = encoder.encode(text);
    this.#cell(bytes, 0, bytes.length);
  }

  #cell(from: Uint8Array, start: number, end: number): void {
    this.#reserve(4 + end - start);
    this.#view.setUint32(this.length, end - start, true);
    this.length += 4;
    if (end - start < 32) {
      const out = this.bytes;
      let at = this.length;
      for (let i = start; i < end; i++) out[at++] = from[i]!;
    } else this.bytes.set(from.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Zeros until the byte `shift` further on lies on a multiple of `size`. Room for them has been reserved. */
  #pad(size: number, shift: number): void {
    while ((this.length + shift) % size !== 0) this.bytes[this.length++] = 0;
  }

  /** Room for `extra` bytes and some padding. */
  #reserve(extra: number): void {
    const needed = this.length + extra + 16;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, needed));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Fields of a geometry as bits. */
const ENDS = 1;
const XY = 2;
const Z = 4;
const M = 8;
const PARTS = 128;
/** Number of the field that holds the type. */
const TYPE_FIELD = 6;

/** Where the offset of a field lies in a table that has the fields `fields`. */
function slotOf(table: number, fields: number, field: number): number {
  let slot = table + 4;
  for (let lower = fields & (field - 1); lower !== 0; lower &= lower - 1) slot += 4;
  return slot;
}
