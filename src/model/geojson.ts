import type { Crs } from "./crs.ts";
import { GeoError } from "./errors.ts";
import {
  type Column,
  ColumnBuilder,
  type ColumnType,
  type FeatureTable,
  type Field,
  type JsonValue,
  type Value,
  valueAt,
} from "./features.ts";
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
} from "./geometry.ts";
import { GeometryBuilder } from "./geometry-builder.ts";

/** `[x, y]` or `[x, y, z]`, longitude first. Further numbers are ignored (RFC 7946, section 3.1.1). */
export type Position = readonly number[];

export interface PointGeometry {
  readonly type: "Point";
  /** Empty for an empty point. */
  readonly coordinates: Position;
}
export interface LineStringGeometry {
  readonly type: "LineString";
  readonly coordinates: readonly Position[];
}
export interface PolygonGeometry {
  readonly type: "Polygon";
  /** Shell first, then holes; every ring closed. */
  readonly coordinates: readonly (readonly Position[])[];
}
export interface MultiPointGeometry {
  readonly type: "MultiPoint";
  readonly coordinates: readonly Position[];
}
export interface MultiLineStringGeometry {
  readonly type: "MultiLineString";
  readonly coordinates: readonly (readonly Position[])[];
}
export interface MultiPolygonGeometry {
  readonly type: "MultiPolygon";
  readonly coordinates: readonly (readonly (readonly Position[])[])[];
}
export interface GeometryCollection {
  readonly type: "GeometryCollection";
  readonly geometries: readonly Geometry[];
}

/** A GeoJSON geometry object. `@types/geojson` objects fit. */
export type Geometry =
  | PointGeometry
  | LineStringGeometry
  | PolygonGeometry
  | MultiPointGeometry
  | MultiLineStringGeometry
  | MultiPolygonGeometry
  | GeometryCollection;

export interface Feature {
  readonly type: "Feature";
  readonly id?: string | number | undefined;
  readonly geometry: Geometry | null;
  readonly properties: { readonly [name: string]: unknown } | null;
}

export interface FeatureCollection {
  readonly type: "FeatureCollection";
  readonly features: readonly Feature[];
}

/** The system of GeoJSON coordinates that name no other: WGS 84 longitude and latitude (RFC 7946, section 4). */
export const GEOJSON_CRS: Crs = {
  code: "EPSG:4326",
  name: "WGS 84",
  kind: "geographic",
  proj4: "+proj=longlat +datum=WGS84 +no_defs",
  definition: null,
  unit: { name: "degree", kind: "angle", factor: 1 },
  axisOrder: "yx",
  area: [-180, -90, 180, 90],
};

/** How deep collections of collections may go before a geometry is refused. */
export const MAX_COLLECTION_DEPTH = 128;

/** Code of a GeoJSON geometry type name; 0 for every other word, also in another case. */
export function geometryTypeCode(name: unknown): GeometryType {
  switch (name) {
    case "Point":
      return POINT;
    case "LineString":
      return LINE_STRING;
    case "Polygon":
      return POLYGON;
    case "MultiPoint":
      return MULTI_POINT;
    case "MultiLineString":
      return MULTI_LINE_STRING;
    case "MultiPolygon":
      return MULTI_POLYGON;
    case "GeometryCollection":
      return GEOMETRY_COLLECTION;
    default:
      return NULL_GEOMETRY;
  }
}

/**
 * Append one GeoJSON geometry as a row. `null` and `undefined` give a null geometry, empty coordinates an empty
 * one. Collections inside collections are flattened to one level. Ring direction is kept. Only the structure is
 * checked: a ring of two positions or one that crosses itself goes through, as validity is the kernels' subject.
 *
 * @throws GeoError `INVALID_GEOMETRY` for an unknown type, a position without two finite numbers or a ring that is
 * not closed. The row is then unfinished and the builder must be thrown away.
 * @param checked  `false` lets rings that are not closed and coordinates that are no finite numbers (as NaN) through,
 * for the functions that judge and repair geometries. Default true.
 */
export function geometryFromGeoJson(
  geometry: Geometry | null | undefined,
  builder: GeometryBuilder,
  checked: boolean = true,
): void {
  if (geometry === null || geometry === undefined) {
    builder.null();
    return;
  }
  const type = geometryTypeCode(geometry.type);
  if (type === NULL_GEOMETRY) throw broken(`${describe(geometry.type)} is not a GeoJSON geometry type`);
  builder.begin(type);
  if (geometry.type === "GeometryCollection") pushMembers(geometry, builder, 0, checked);
  else pushParts(geometry, builder, checked);
  builder.end();
}

function pushMembers(
  collection: GeometryCollection,
  builder: GeometryBuilder,
  depth: number,
  checked: boolean,
): void {
  if (depth > MAX_COLLECTION_DEPTH)
    throw broken(`collections are nested deeper than ${MAX_COLLECTION_DEPTH}`);
  for (const member of list(collection.geometries, "geometries")) {
    const type = geometryTypeCode((member as Geometry | null)?.type);
    if (type === NULL_GEOMETRY) throw broken("a member of a collection is not a GeoJSON geometry");
    if (type === GEOMETRY_COLLECTION) pushMembers(member as GeometryCollection, builder, depth + 1, checked);
    else {
      builder.member(type);
      pushParts(member as Exclude<Geometry, GeometryCollection>, builder, checked);
    }
  }
}

function pushParts(
  geometry: Exclude<Geometry, GeometryCollection>,
  builder: GeometryBuilder,
  checked: boolean,
): void {
  const coordinates = list(geometry.coordinates, "coordinates");
  switch (geometry.type) {
    case "Point":
      if (coordinates.length === 0) return;
      builder.part();
      pushPosition(coordinates, builder, checked);
      return;
    case "LineString":
      pushLine(coordinates, builder, checked);
      return;
    case "Polygon":
      pushPolygon(coordinates, builder, checked);
      return;
    case "MultiPoint":
      for (const point of coordinates) {
        if (list(point, "a position").length === 0) continue;
        builder.part();
        pushPosition(point, builder, checked);
      }
      return;
    case "MultiLineString":
      for (const line of coordinates) pushLine(list(line, "a line"), builder, checked);
      return;
    case "MultiPolygon":
      for (const polygon of coordinates) pushPolygon(list(polygon, "a polygon"), builder, checked);
  }
}

function pushLine(positions: readonly unknown[], builder: GeometryBuilder, checked: boolean): void {
  if (positions.length === 0) return;
  builder.part();
  builder.ring();
  for (const position of positions) pushPosition(position, builder, checked);
}

function pushPolygon(rings: readonly unknown[], builder: GeometryBuilder, checked: boolean): void {
  let open = false;
  for (const ring of rings) {
    const positions = list(ring, "a ring");
    if (positions.length === 0) continue;
    if (!open) builder.part();
    open = true;
    builder.ring();
    for (const position of positions) pushPosition(position, builder, checked);
    const [x, y] = positions[0] as Position;
    const [lastX, lastY] = positions[positions.length - 1] as Position;
    if (checked && (x !== lastX || y !== lastY))
      throw broken(`a ring is not closed: it starts at ${x} ${y} and ends at ${lastX} ${lastY}`, x, y);
  }
}

function pushPosition(position: unknown, builder: GeometryBuilder, checked: boolean): void {
  const [x, y, z] = list(position, "a position");
  if (typeof x !== "number" || typeof y !== "number" || !Number.isFinite(x) || !Number.isFinite(y)) {
    if (checked) throw broken(`a position is [${describe(x)}, ${describe(y)}], expected two finite numbers`);
    builder.vertex(typeof x === "number" ? x : Number.NaN, typeof y === "number" ? y : Number.NaN);
    return;
  }
  builder.vertex(x, y, typeof z === "number" ? z : Number.NaN);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw broken(`${what} is ${describe(value)}, expected an array`);
  return value as readonly unknown[];
}

function describe(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : String(value).slice(0, 40);
}

function broken(reason: string, x?: number, y?: number): GeoError<"INVALID_GEOMETRY"> {
  return new GeoError("INVALID_GEOMETRY", reason, {
    reason,
    ...(x === undefined || y === undefined ? {} : { x, y }),
  });
}

export interface ToGeoJsonOptions {
  /** Turn shells counter-clockwise and holes clockwise (RFC 7946, section 3.1.6). Default true. */
  readonly rewind?: boolean | undefined;
}

/**
 * Row `row` of a column as a GeoJSON geometry; `null` for a null geometry. Empty geometries have empty
 * coordinates. A height is written where the vertex has one; measures are left out, GeoJSON has none.
 */
export function geometryToGeoJson(
  column: GeometryColumn,
  row: number,
  options: ToGeoJsonOptions = {},
): Geometry | null {
  const type = column.types[row]!;
  const start = column.geometries[row]!;
  const end = column.geometries[row + 1]!;
  const rewind = options.rewind !== false;
  if (type === NULL_GEOMETRY) return null;
  if (type !== GEOMETRY_COLLECTION) return simpleGeometry(column, type, start, end, rewind);
  const geometries: Geometry[] = [];
  const { collections } = column;
  if (collections !== null) {
    for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
      const { types, members } = collections;
      geometries.push(simpleGeometry(column, types[k]!, members[k]!, memberPartsEnd(column, row, k), rewind));
    }
  }
  return { type: "GeometryCollection", geometries };
}

function simpleGeometry(
  column: GeometryColumn,
  type: number,
  start: number,
  end: number,
  rewind: boolean,
): Geometry {
  switch (type) {
    case POINT:
      return { type: "Point", coordinates: start === end ? [] : pointAt(column, start) };
    case LINE_STRING:
      return { type: "LineString", coordinates: start === end ? [] : lineAt(column, start) };
    case POLYGON:
      return { type: "Polygon", coordinates: start === end ? [] : polygonAt(column, start, rewind) };
    case MULTI_POINT:
      return { type: "MultiPoint", coordinates: each(start, end, (part) => pointAt(column, part)) };
    case MULTI_LINE_STRING:
      return { type: "MultiLineString", coordinates: each(start, end, (part) => lineAt(column, part)) };
    default:
      return {
        type: "MultiPolygon",
        coordinates: each(start, end, (part) => polygonAt(column, part, rewind)),
      };
  }
}

function each<T>(start: number, end: number, make: (part: number) => T): T[] {
  const made: T[] = [];
  for (let part = start; part < end; part++) made.push(make(part));
  return made;
}

function pointAt(column: GeometryColumn, part: number): number[] {
  return positionAt(column, column.rings[column.parts[part]!]!);
}

function lineAt(column: GeometryColumn, part: number): number[][] {
  return ringAt(column, column.parts[part]!, false);
}

function polygonAt(column: GeometryColumn, part: number, rewind: boolean): number[][][] {
  const first = column.parts[part]!;
  return each(first, column.parts[part + 1]!, (ring) => {
    const turn = rewind && wrongWay(column.xy, column.rings[ring]!, column.rings[ring + 1]!, ring === first);
    return ringAt(column, ring, turn);
  });
}

function ringAt(column: GeometryColumn, ring: number, backwards: boolean): number[][] {
  const start = column.rings[ring]!;
  const end = column.rings[ring + 1]!;
  const positions: number[][] = [];
  if (backwards) for (let v = end - 1; v >= start; v--) positions.push(positionAt(column, v));
  else for (let v = start; v < end; v++) positions.push(positionAt(column, v));
  return positions;
}

function positionAt({ xy, z }: GeometryColumn, v: number): number[] {
  const height = z === null ? Number.NaN : z[v]!;
  return Number.isNaN(height) ? [xy[2 * v]!, xy[2 * v + 1]!] : [xy[2 * v]!, xy[2 * v + 1]!, height];
}

/**
 * Whether a ring (vertices `start .. end - 1`) turns against RFC 7946: clockwise shells and counter-clockwise
 * holes do, rings without area never.
 */
export function wrongWay(xy: Float64Array, start: number, end: number, shell: boolean): boolean {
  // Shoelace about the first vertex, so that far-away coordinates lose no digits.
  const ox = xy[2 * start]!;
  const oy = xy[2 * start + 1]!;
  let twice = 0;
  for (let v = start + 1; v < end - 1; v++) {
    twice += (xy[2 * v]! - ox) * (xy[2 * v + 3]! - oy) - (xy[2 * v + 2]! - ox) * (xy[2 * v + 1]! - oy);
  }
  return shell ? twice < 0 : twice > 0;
}

export interface FromGeoJsonOptions {
  /** CRS of the coordinates; default {@link GEOJSON_CRS}. */
  readonly crs?: Crs | null | undefined;
  /** Make `date` and `datetime` columns of attributes whose every text is an ISO date or instant. Default false. */
  readonly dates?: boolean | undefined;
}

/**
 * A table from GeoJSON features, a collection or a bare list. Columns are the union of the properties, in order
 * of appearance; a missing property is null. Types follow {@link columnTypeOf}. Ids are kept.
 *
 * @throws GeoError `INVALID_GEOMETRY` with the row of a geometry that is malformed.
 */
export function tableFromGeoJson(
  input: FeatureCollection | readonly Feature[],
  options: FromGeoJsonOptions = {},
): FeatureTable {
  const features = "features" in input ? input.features : input;
  const builder = new GeometryBuilder();
  const kinds = new Map<string, number>();
  const ids: (string | number | null)[] = [];
  let anyId = false;
  for (const [row, feature] of features.entries()) {
    try {
      geometryFromGeoJson(feature.geometry, builder);
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      const details = { ...(error.details as { reason: string }), row };
      throw new GeoError("INVALID_GEOMETRY", `feature ${row}: ${error.message}`, details);
    }
    ids.push(feature.id ?? null);
    if (feature.id !== undefined && feature.id !== null) anyId = true;
    for (const [name, value] of Object.entries(feature.properties ?? {})) {
      kinds.set(name, (kinds.get(name) ?? 0) | valueKind(value, options.dates === true));
    }
  }
  const columns: Column[] = [];
  for (const [name, kind] of kinds) {
    const column = new ColumnBuilder(fieldOf(name, kind));
    for (const { properties } of features) {
      const value = properties !== null && Object.hasOwn(properties, name) ? properties[name] : null;
      pushCell(column, value);
    }
    columns.push(column.finish());
  }
  const crs = options.crs === undefined ? GEOJSON_CRS : options.crs;
  return {
    count: features.length,
    geometry: builder.finish(),
    columns,
    ids: anyId ? ids : null,
    firstRow: 0,
    crs,
  };
}

/** Bits for what was seen in a column of untyped values; see {@link columnTypeOf}. */
export const SEEN_NULL = 1;
export const SEEN_BOOLEAN = 2;
export const SEEN_INT32 = 4;
export const SEEN_INT64 = 8;
/** Fractions, exponents, integers beyond 64 bits, negative zero. */
export const SEEN_FLOAT = 16;
export const SEEN_TEXT = 32;
/** Objects and arrays. */
export const SEEN_NESTED = 64;
/** Text that is an ISO date, date-time with zone, date-time without, time; only set where dates are asked for. */
export const SEEN_DATE = 128;
export const SEEN_INSTANT = 256;
export const SEEN_LOCAL_TIME = 512;
export const SEEN_TIME = 1024;

/**
 * Column type for what was seen: numbers widen `int32` -> `int64` -> `float64`; booleans alone are `boolean`; dates
 * with date-times are `datetime`; any object or array makes `json`; every other mixture, and nothing but nulls, is
 * `string` (numbers as they are written, booleans as `true` and `false`).
 */
export function columnTypeOf(seen: number): ColumnType {
  const kind = seen & ~SEEN_NULL;
  const only = (bits: number): boolean => kind !== 0 && (kind & ~bits) === 0;
  if ((kind & SEEN_NESTED) !== 0) return "json";
  if (only(SEEN_BOOLEAN)) return "boolean";
  if (only(SEEN_INT32)) return "int32";
  if (only(SEEN_INT32 | SEEN_INT64)) return "int64";
  if (only(SEEN_INT32 | SEEN_INT64 | SEEN_FLOAT)) return "float64";
  if (only(SEEN_DATE)) return "date";
  if (only(SEEN_TIME)) return "time";
  if (only(SEEN_DATE | SEEN_INSTANT) || only(SEEN_DATE | SEEN_LOCAL_TIME)) return "datetime";
  return "string";
}

/** {@link columnTypeOf} as a nullable field. */
export function fieldOf(name: string, seen: number): Field {
  const type = columnTypeOf(seen);
  const local = type === "datetime" && (seen & SEEN_LOCAL_TIME) !== 0;
  return { name, type, nullable: true, ...(local ? { zone: "local" as const } : {}) };
}

function valueKind(value: unknown, dates: boolean): number {
  switch (typeof value) {
    case "boolean":
      return SEEN_BOOLEAN;
    case "bigint":
      return value === BigInt.asIntN(64, value) ? SEEN_INT64 : SEEN_FLOAT;
    case "number":
      if (!Number.isFinite(value)) return SEEN_NULL;
      if (value === (value | 0)) return Object.is(value, -0) ? SEEN_FLOAT : SEEN_INT32;
      return Number.isSafeInteger(value) ? SEEN_INT64 : SEEN_FLOAT;
    case "string":
      return dates ? textKind(value) : SEEN_TEXT;
    case "object":
      if (value === null) return SEEN_NULL;
      return value instanceof Date ? SEEN_INSTANT : SEEN_NESTED;
    default:
      return SEEN_NULL;
  }
}

/** What kind of date a text is, or {@link SEEN_TEXT}. Dates need four-digit years and real days of the month. */
export function textKind(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return ISO_TIME.test(text) ? SEEN_TIME : SEEN_TEXT;
  const [, year, month, day, clock, zone] = match;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return SEEN_TEXT;
  if (clock === undefined) return SEEN_DATE;
  return zone === undefined ? SEEN_LOCAL_TIME : SEEN_INSTANT;
}

const CLOCK = String.raw`(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?`;
const ISO = new RegExp(
  String.raw`^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](${CLOCK}) ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$`,
);
const ISO_TIME = new RegExp(`^${CLOCK}$`);

/**
 * Milliseconds of a text that {@link textKind} knows as a date, date-time or time: since 1970 in UTC, since 1970 on
 * the wall clock when it names no zone, or since midnight. `NaN` for any other text.
 */
export function parseIso(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return ISO_TIME.test(text) ? clockMs(text) : Number.NaN;
  const [, year, month, day, clock, zone] = match;
  // Date.UTC takes years below 100 for those of the 20th century.
  const midnight = new Date(0).setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return midnight + (clock === undefined ? 0 : clockMs(clock)) - zoneMs(zone);
}

function clockMs(text: string): number {
  const [hours, minutes, seconds = "0"] = text.split(":");
  return (
    3_600_000 * Number(hours) +
    60_000 * Number(minutes) +
    Math.round(1000 * Number(seconds.replace(",", ".")))
  );
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const minutes = 60 * Number(zone.slice(1, 3)) + Number(zone.slice(3).replace(":", "") || "0");
  return (zone[0] === "-" ? -60_000 : 60_000) * minutes;
}

function pushCell(column: ColumnBuilder, value: unknown): void {
  if (value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value))) {
    column.pushNull();
    return;
  }
  if (typeof value === "string") {
    const { type } = column.field;
    if (type === "date" || type === "datetime" || type === "time") {
      column.pushNumber(parseIso(value));
      return;
    }
  }
  column.push(value as Value);
}

/**
 * A table as a GeoJSON collection. Dates become ISO text, bytes hexadecimal text, integers beyond 2^53 text (GeoJSON
 * readers would round them), nulls `null`. The CRS is not written: project to {@link GEOJSON_CRS} first.
 */
export function tableToGeoJson(table: FeatureTable, options: ToGeoJsonOptions = {}): FeatureCollection {
  const features: Feature[] = [];
  for (let row = 0; row < table.count; row++) {
    const properties: Record<string, JsonValue> = {};
    for (const column of table.columns) setOwn(properties, column.name, cellToJson(column, row));
    const id = table.ids === null ? null : table.ids[row]!;
    const geometry = table.geometry === null ? null : geometryToGeoJson(table.geometry, row, options);
    features.push({ type: "Feature", ...(id === null ? {} : { id }), properties, geometry });
  }
  return { type: "FeatureCollection", features };
}

/** An attribute may be called `__proto__`. */
function setOwn(target: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name === "__proto__")
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

function cellToJson(column: Column, row: number): JsonValue {
  const value = valueAt(column, row);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Date) return isoText(column, value.getTime());
  if (value instanceof Uint8Array) return hex(value);
  if (column.type === "time" && value !== null) return isoText(column, value as number);
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return value;
}

/**
 * ISO text of a cell of a `date` (`2024-02-29`), `datetime` (with `Z`, or without where the column holds wall-clock
 * times) or `time` column, from its milliseconds. Fractions of a second only where there are some. Empty text when
 * the number is outside what a calendar can say.
 */
export function isoText(field: Field, ms: number): string {
  if (!(Math.abs(ms) <= 8.64e15)) return "";
  const [day, rest] = new Date(ms).toISOString().split("T") as [string, string];
  if (field.type === "date") return day;
  const clock = rest.replace(/(\.000)?Z$/, "");
  if (field.type === "time") return clock;
  return `${day}T${clock}${field.zone === "local" ? "" : "Z"}`;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
