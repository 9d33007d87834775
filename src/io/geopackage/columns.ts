import { type ColumnBuilder, type ColumnType, type Field, toJson } from "../../model/features.ts";
import type { SqlValue } from "../sqlite.ts";

// Column types: GeoPackage 1.3, table 1; other SQL types as SQLite's own rules of affinity see them.

/** Type and width of an attribute column declared as `declared`, such as `"TEXT(40)"` or `"MEDIUMINT"`. */
export function columnType(declared: string, mimeType: string | null): { type: ColumnType; width?: number } {
  const match = /^\s*([A-Z_ ]*?)\s*(?:\(\s*(\d+)[^)]*\))?\s*$/i.exec(declared);
  const name = (match?.[1] ?? declared).toUpperCase();
  const width = match?.[2] === undefined ? {} : { width: Number(match[2]) };
  if (name === "JSON" || mimeType === "application/json") return { type: "json" };
  switch (name) {
    case "BOOLEAN":
    case "BOOL":
      return { type: "boolean" };
    case "TINYINT":
    case "SMALLINT":
    case "MEDIUMINT":
    case "INT8":
    case "INT16":
    case "INT32":
      return { type: "int32" };
    case "INT":
    case "INTEGER":
    case "BIGINT":
    case "INT64":
      return { type: "int64" };
    case "FLOAT":
    case "DOUBLE":
    case "DOUBLE PRECISION":
    case "REAL":
    case "NUMERIC":
    case "DECIMAL":
      return { type: "float64" };
    case "DATE":
      return { type: "date" };
    case "DATETIME":
    case "TIMESTAMP":
      return { type: "datetime" };
    case "BLOB":
      return { type: "binary" };
  }
  if (/^(GEOMETRY|(MULTI)?(POINT|LINESTRING|POLYGON)|GEOM(ETRY)?COLLECTION)$/.test(name))
    return { type: "binary" };
  return { type: "string", ...width };
}

/** SQL type to declare for an attribute. Times of day and JSON have no type of their own and are text. */
export function declaredType(field: Field): string {
  switch (field.type) {
    case "boolean":
      return "BOOLEAN";
    case "int32":
      return "MEDIUMINT";
    case "int64":
      return "INTEGER";
    case "float64":
      return "REAL";
    case "date":
      return "DATE";
    case "datetime":
      return "DATETIME";
    case "binary":
      return "BLOB";
    case "string":
      return field.width !== undefined && field.width > 0 ? `TEXT(${field.width})` : "TEXT";
    default:
      return "TEXT";
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Append a cell. SQLite lets any column hold any value: what can be read as the declared type is (a number
 * written as text), the rest is not.
 * @returns false when the value does not fit the type; then nothing was appended.
 */
export function pushCell(builder: ColumnBuilder, type: ColumnType, value: SqlValue): boolean {
  if (value === null) {
    builder.pushNull();
    return true;
  }
  switch (type) {
    case "string":
      builder.pushText(
        typeof value === "string"
          ? value
          : value instanceof Uint8Array
            ? decoder.decode(value)
            : String(value),
      );
      return true;
    case "json":
      return pushJson(builder, value);
    case "binary":
      builder.pushBytes(value instanceof Uint8Array ? value : encoder.encode(String(value)));
      return true;
    case "int64": {
      const whole = toBigInt(value);
      if (whole === null || BigInt.asIntN(64, whole) !== whole) return false;
      builder.pushBigInt(whole);
      return true;
    }
    case "boolean": {
      const flag = value === "true" ? 1 : value === "false" ? 0 : toNumber(value);
      if (flag === null) return false;
      builder.pushNumber(flag === 0 ? 0 : 1);
      return true;
    }
    case "date":
    case "datetime": {
      const time = typeof value === "string" ? parseTime(value) : Number.NaN;
      if (Number.isNaN(time)) return false;
      builder.pushNumber(type === "date" ? Math.floor(time / 86_400_000) * 86_400_000 : time);
      return true;
    }
    default: {
      const number = toNumber(value);
      if (number === null || (type === "int32" && number !== (number | 0))) return false;
      builder.pushNumber(number);
      return true;
    }
  }
}

function pushJson(builder: ColumnBuilder, value: SqlValue): boolean {
  if (typeof value !== "string") {
    builder.pushText(toJson(value));
    return true;
  }
  try {
    JSON.parse(value);
  } catch {
    return false;
  }
  builder.pushText(value);
  return true;
}

function toNumber(value: SqlValue): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}

function toBigInt(value: SqlValue): bigint | null {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : null;
  return typeof value === "string" && /^\s*[+-]?\d+\s*$/.test(value)
    ? BigInt(value.trim().replace("+", ""))
    : null;
}

/** Milliseconds since 1970 of `2020-02-29` or `2020-02-29T12:34:56.789Z`; without a zone it is UTC. NaN otherwise. */
function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(
    text.trim(),
  );
  if (match === null) return Number.NaN;
  const [, date, minutes = "00:00", seconds = ":00", fraction = "", zone = "Z"] = match;
  return Date.parse(
    `${date}T${minutes}${seconds}${fraction.slice(0, 4)}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`,
  );
}
