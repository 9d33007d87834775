import { parseCrs } from "../../crs/parse.ts";
import { type Crs, describeCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { ColumnType, Field } from "../../model/features.ts";
import { type GeometryType, MULTI_POLYGON, POLYGON } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { DamagedBuffer, FlatBuffer } from "./flatbuffer.ts";

/** "fgb", version 3, "fgb", patch 0. Readers look at the version only. */
export const MAGIC: Uint8Array = Uint8Array.from([0x66, 0x67, 0x62, 3, 0x66, 0x67, 0x62, 0]);

/** Codes of column types in the file. */
export const COLUMN_TYPES = [
  "byte",
  "ubyte",
  "bool",
  "short",
  "ushort",
  "int",
  "uint",
  "long",
  "ulong",
  "float",
  "double",
  "string",
  "json",
  "datetime",
  "binary",
] as const;
export const BYTE = 0;
export const UBYTE = 1;
export const BOOL = 2;
export const SHORT = 3;
export const USHORT = 4;
export const INT = 5;
export const UINT = 6;
export const LONG = 7;
export const ULONG = 8;
export const FLOAT = 9;
export const DOUBLE = 10;
export const STRING = 11;
export const JSON_TEXT = 12;
export const DATE_TIME = 13;
export const BINARY = 14;

/** Names of the geometry types in the file by code. 1 to 7 are those of the model. */
export const GEOMETRY_TYPES = [
  "Unknown",
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
  "CircularString",
  "CompoundCurve",
  "CurvePolygon",
  "MultiCurve",
  "MultiSurface",
  "Curve",
  "Surface",
  "PolyhedralSurface",
  "TIN",
  "Triangle",
] as const;
/** Stored as a multi-polygon and read as one. */
export const POLYHEDRAL_SURFACE = 15;
/** Stored as a list of rings, each a triangle; read as a multi-polygon. */
export const TIN = 16;
/** Stored as a polygon of one ring and read as one. */
export const TRIANGLE = 17;

/** Type in the model of a type in the file; 0 for the unknown type, -1 for curves and what contains them. */
export function modelType(type: number): GeometryType | -1 {
  if (type <= 7) return type as GeometryType;
  if (type === TRIANGLE) return POLYGON;
  return type === POLYHEDRAL_SURFACE || type === TIN ? MULTI_POLYGON : -1;
}

/** A column as the header declares it. */
export interface FgbColumn {
  /** Code, see {@link COLUMN_TYPES}. */
  readonly type: number;
  readonly field: Field;
}

/** Offset, list of fields, table and name of a column. */
const COLUMN_BYTES = 24;

/** The header of a FlatGeobuf file. */
export interface FgbHeader {
  /** Empty when the file does not say. */
  readonly name: string;
  readonly bounds: Bounds | null;
  /** Code, see {@link GEOMETRY_TYPES}; 0: every feature says its own. */
  readonly geometryType: number;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  /** Vertices carry times, which are not read. */
  readonly hasT: boolean;
  readonly columns: readonly FgbColumn[];
  /** 0 when the file does not say (or holds none). */
  readonly featuresCount: number;
  /** Children of a node of the index; 0 when there is none. */
  readonly nodeSize: number;
  readonly crs: Crs | null;
  /** Offset of the index, or of the first feature when there is none. */
  readonly end: number;
  readonly warnings: readonly string[];
}

/**
 * Read the header of a FlatGeobuf file (version 3).
 *
 * @throws GeoError `INVALID_FORMAT`; `UNSUPPORTED` for other versions.
 */
export async function readHeader(source: ByteSource): Promise<FgbHeader> {
  const start = await readExactly(source, 0, Math.min(12, source.size), "the header");
  if (start.length < 12 || start[0] !== 0x66 || start[1] !== 0x67 || start[2] !== 0x62) {
    throw damaged(source.url, 0, "it does not begin with the mark of FlatGeobuf");
  }
  if (start[3] !== MAGIC[3]) {
    throw new GeoError(
      "UNSUPPORTED",
      `${source.url} is FlatGeobuf version ${start[3]}, expected version 3`,
      { feature: `FlatGeobuf version ${start[3]}`, path: source.url },
      { hint: "Write it again with a current GDAL (ogr2ogr -f FlatGeobuf), from the data it was made from." },
    );
  }
  if (start[4] !== MAGIC[4] || start[5] !== MAGIC[5] || start[6] !== MAGIC[6]) {
    throw damaged(source.url, 4, "the mark of FlatGeobuf is incomplete");
  }
  const size = new DataView(start.buffer, start.byteOffset).getUint32(8, true);
  if (size < 8 || 12 + size > source.size) {
    throw damaged(source.url, 8, `the header claims ${size} bytes, but the file has ${source.size}`);
  }
  const bytes = await readExactly(source, 12, size, "the header");
  try {
    return parseHeader(bytes, source.url);
  } catch (error) {
    if (error instanceof DamagedBuffer) throw damaged(source.url, 12, `in the header, ${error.message}`);
    throw error;
  }
}

function parseHeader(bytes: Uint8Array, url: string): FgbHeader {
  const warnings: string[] = [];
  const buffer = new FlatBuffer(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const { view } = buffer;
  const header = buffer.root();
  const fields = buffer.fields(header);
  const flag = (field: number): boolean => {
    const slot = buffer.slot(header, fields, field, 1);
    return slot !== 0 && view.getUint8(slot) !== 0;
  };
  const typeSlot = buffer.slot(header, fields, 2, 1);
  const countSlot = buffer.slot(header, fields, 8, 8);
  const nodeSlot = buffer.slot(header, fields, 9, 2);
  const count = countSlot === 0 ? 0 : Number(view.getBigUint64(countSlot, true));
  const nodeSize = nodeSlot === 0 ? 16 : view.getUint16(nodeSlot, true);
  if (nodeSize === 1) throw damaged(url, 12, "its index has nodes of one child");
  const list = buffer.vector(header, fields, 7, 4);
  const length = buffer.length(list);
  // A column takes this much at the least; a damaged header may name the same one again and again.
  if (length > 65535 || COLUMN_BYTES * length > bytes.length)
    throw damaged(url, 12, `it claims ${length} columns in ${bytes.length} bytes`);
  const columns: FgbColumn[] = [];
  for (let i = 0; i < length; i++) columns.push(parseColumn(buffer, buffer.item(list, i), i, url, warnings));
  return {
    name: buffer.text(header, fields, 0) ?? "",
    bounds: parseEnvelope(buffer, buffer.vector(header, fields, 1, 8)),
    geometryType: typeSlot === 0 ? 0 : view.getUint8(typeSlot),
    hasZ: flag(3),
    hasM: flag(4),
    hasT: flag(5) || flag(6),
    columns,
    featuresCount: count,
    nodeSize: count === 0 ? 0 : nodeSize,
    crs: parseFgbCrs(buffer, buffer.table(header, fields, 10), url, warnings),
    end: 12 + bytes.length,
    warnings,
  };
}

function parseEnvelope(buffer: FlatBuffer, vector: number): Bounds | null {
  if (buffer.length(vector) < 4) return null;
  const at = (i: number): number => buffer.view.getFloat64(vector + 4 + 8 * i, true);
  const bounds = [at(0), at(1), at(2), at(3)] as const;
  return bounds.every(Number.isFinite) && bounds[0] <= bounds[2] && bounds[1] <= bounds[3] ? bounds : null;
}

function parseColumn(
  buffer: FlatBuffer,
  table: number,
  index: number,
  url: string,
  warnings: string[],
): FgbColumn {
  const { view } = buffer;
  const fields = buffer.fields(table);
  const typeSlot = buffer.slot(table, fields, 1, 1);
  const type = typeSlot === 0 ? BYTE : view.getUint8(typeSlot);
  const stored = COLUMN_TYPES[type];
  const name = buffer.text(table, fields, 0) ?? `column${index}`;
  if (stored === undefined) throw damaged(url, 12, `column "${name}" has the unknown type ${type}`);
  if (type === ULONG)
    warnings.push(
      `column "${name}" holds unsigned 64-bit numbers; they are read as float64, exact up to 2^53`,
    );
  const number = (field: number): number => {
    const slot = buffer.slot(table, fields, field, 4);
    return slot === 0 ? -1 : view.getInt32(slot, true);
  };
  const nullableSlot = buffer.slot(table, fields, 7, 1);
  const meant = columnMeaning(buffer.text(table, fields, 10));
  const width = number(4);
  const precision = number(5);
  return {
    type,
    field: {
      name,
      type: meant !== null && canMean(type, meant) ? meant : MODEL_TYPES[stored],
      nullable: nullableSlot === 0 || view.getUint8(nullableSlot) !== 0,
      ...(width > 0 ? { width } : {}),
      ...(precision > 0 ? { precision } : {}),
    },
  };
}

const MODEL_TYPES: Readonly<Record<(typeof COLUMN_TYPES)[number], ColumnType>> = {
  byte: "int32",
  ubyte: "int32",
  bool: "boolean",
  short: "int32",
  ushort: "int32",
  int: "int32",
  uint: "int64",
  long: "int64",
  // As GDAL reads it: int64 cannot hold the upper half.
  ulong: "float64",
  float: "float64",
  double: "float64",
  string: "string",
  json: "json",
  datetime: "datetime",
  binary: "binary",
};

/** FlatGeobuf has no dates and times of day. Our writer says in a column's metadata what the text means. */
function columnMeaning(metadata: string | null): ColumnType | null {
  return metadata === DATE_MEANING ? "date" : metadata === TIME_MEANING ? "time" : null;
}
/** Metadata of a column of dates, stored as times. */
export const DATE_MEANING = '{"type":"date"}';
/** Metadata of a column of times of day, stored as text. */
export const TIME_MEANING = '{"type":"time"}';

function canMean(type: number, meant: ColumnType): boolean {
  return type === (meant === "date" ? DATE_TIME : STRING);
}

function parseFgbCrs(buffer: FlatBuffer, table: number, url: string, warnings: string[]): Crs | null {
  if (table === 0) return null;
  const fields = buffer.fields(table);
  const codeSlot = buffer.slot(table, fields, 1, 4);
  const number = codeSlot === 0 ? 0 : buffer.view.getInt32(codeSlot, true);
  const org = buffer.text(table, fields, 0) ?? "EPSG";
  const code = buffer.text(table, fields, 5) ?? (number > 0 ? String(number) : null);
  const name = buffer.text(table, fields, 2) ?? "";
  const wkt = buffer.text(table, fields, 4) ?? "";
  let reason = "";
  for (const text of [code === null ? "" : `${org === "" ? "EPSG" : org}:${code}`, wkt]) {
    if (text === "") continue;
    try {
      return parseCrs(text);
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      if (reason === "") reason = error.message;
    }
  }
  if (code === null && wkt === "") return null;
  const crs: Crs = {
    code: code === null ? null : `${org === "" ? "EPSG" : org}:${code}`,
    name,
    kind: "unknown",
    proj4: null,
    definition: wkt === "" ? null : wkt,
    unit: { name: "unknown", kind: "length", factor: 1 },
    axisOrder: "xy",
    area: null,
  };
  warnings.push(`${url} is in ${describeCrs(crs)}, which is not understood: ${reason}`);
  return crs;
}

/** The error for a file that breaks the rules of the format. */
export function damaged(url: string, offset: number, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${url} is not a whole FlatGeobuf file: ${what} (byte ${offset})`,
    { format: "FlatGeobuf", path: url, offset },
    { hint: "Copy or download the file again, or write it again from its source." },
  );
}
