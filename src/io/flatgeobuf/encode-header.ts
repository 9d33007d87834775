import { toWkt2 } from "../../crs/format.ts";
import type { Crs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { ColumnType, Field } from "../../model/features.ts";
import type { Bounds } from "../../model/grid.ts";
import { FlatBufferWriter, type FlatValue } from "./flatbuffer.ts";
import {
  BINARY,
  BOOL,
  DATE_MEANING,
  DATE_TIME,
  DOUBLE,
  INT,
  JSON_TEXT,
  LONG,
  MAGIC,
  STRING,
  TIME_MEANING,
} from "./header.ts";

/** What the writer knows at the end. */
export interface HeaderFacts {
  readonly name: string;
  /** `null` when there is no vertex. */
  readonly bounds: Bounds | null;
  readonly geometryType: number;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  readonly fields: readonly Field[];
  readonly featuresCount: number;
  readonly nodeSize: number;
  readonly crs: Crs | null;
}

/** The header as bytes: mark, size and FlatBuffer. */
export function encodeHeader(facts: HeaderFacts): Uint8Array {
  const { name, bounds, geometryType, hasZ, hasM, fields, featuresCount, nodeSize, crs } = facts;
  const writer = new FlatBufferWriter();
  writer.root([
    { kind: "text", value: name },
    bounds === null ? null : { kind: "doubles", value: bounds },
    geometryType === 0 ? null : { kind: "u8", value: geometryType },
    hasZ ? { kind: "u8", value: 1 } : null,
    hasM ? { kind: "u8", value: 1 } : null,
    null,
    null,
    fields.length === 0 ? null : { kind: "tables", value: fields.map(columnTable) },
    { kind: "u64", value: featuresCount },
    { kind: "u16", value: nodeSize },
    crs === null ? null : { kind: "table", value: crsTable(crs) },
  ]);
  const body = writer.finish();
  const bytes = new Uint8Array(12 + body.length);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(8, body.length, true);
  bytes.set(body, 12);
  return bytes;
}

/** Code of the type that a field is stored in. */
export function storedType(type: ColumnType): number {
  return STORED_TYPES[type];
}

const STORED_TYPES: Readonly<Record<ColumnType, number>> = {
  int32: INT,
  int64: LONG,
  float64: DOUBLE,
  boolean: BOOL,
  string: STRING,
  date: DATE_TIME,
  time: STRING,
  datetime: DATE_TIME,
  json: JSON_TEXT,
  binary: BINARY,
};

function columnTable(field: Field): (FlatValue | null)[] {
  const { name, type, nullable, width, precision } = field;
  const meaning = type === "date" ? DATE_MEANING : type === "time" ? TIME_MEANING : null;
  return [
    { kind: "text", value: name },
    { kind: "u8", value: storedType(type) },
    null,
    null,
    width === undefined ? null : { kind: "i32", value: width },
    precision === undefined ? null : { kind: "i32", value: precision },
    null,
    nullable ? null : { kind: "u8", value: 0 },
    null,
    null,
    meaning === null ? null : { kind: "text", value: meaning },
  ];
}

function crsTable(crs: Crs): (FlatValue | null)[] {
  const [org, code] = crs.code === null ? [null, null] : splitCode(crs.code);
  const number = code !== null && /^\d{1,9}$/.test(code) ? Number(code) : null;
  const wkt = wktOf(crs);
  return [
    org === null ? null : { kind: "text", value: org },
    number === null ? null : { kind: "i32", value: number },
    crs.name === "" ? null : { kind: "text", value: crs.name },
    null,
    wkt === null ? null : { kind: "text", value: wkt },
    code === null || number !== null ? null : { kind: "text", value: code },
  ];
}

function splitCode(code: string): [org: string, code: string] {
  const colon = code.indexOf(":");
  return colon < 0 ? ["EPSG", code] : [code.slice(0, colon), code.slice(colon + 1)];
}

/** WKT of a system; `null` when there is no way to write it, as for one known by its code alone. */
function wktOf(crs: Crs): string | null {
  if (crs.definition !== null && /^[A-Z_]+\[/i.test(crs.definition)) return crs.definition;
  try {
    return toWkt2(crs);
  } catch (error) {
    if (error instanceof GeoError) return null;
    throw error;
  }
}
