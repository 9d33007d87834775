import type { SchemaElement } from "hyparquet";
import type { ColumnBuilder, Field } from "../../model/features.ts";
import type { ByteValues, Values } from "./encodings.ts";
import type { ParquetColumn } from "./footer.ts";

// Types of Parquet: https://parquet.apache.org/docs/file-format/types/logicaltypes/

/** How the cells of a column become values of the model. */
export interface CellType {
  readonly field: Field;
  /** Append value `i` to a column of that field. */
  readonly push: (builder: ColumnBuilder, values: Values, i: number) => void;
  /** Value `i` as JSON can hold it, for columns inside lists and structures. */
  readonly toJson: (values: Values, i: number) => unknown;
  /** What is lost, one sentence; `null` when nothing. */
  readonly warning: string | null;
}

const DAY = 86_400_000;
const decoder = new TextDecoder();

/** The field of a column at the top. Lists, maps and structures are JSON. */
export function cellType(column: ParquetColumn): CellType {
  const { element, children } = column.tree;
  const nullable = element.repetition_type !== "REQUIRED";
  if (children.length > 0 || element.repetition_type === "REPEATED") {
    return {
      field: { name: column.name, type: "json", nullable },
      push: (builder) => builder.pushNull(),
      toJson: () => null,
      warning: null,
    };
  }
  return leafType(column.name, element, nullable);
}

/** The field of one leaf. */
export function leafType(name: string, element: SchemaElement, nullable: boolean): CellType {
  const { type, converted_type: converted, logical_type: logical, scale = 0 } = element;
  const factor = 10 ** (logical?.type === "DECIMAL" ? logical.scale : scale);
  const isDecimal = converted === "DECIMAL" || logical?.type === "DECIMAL";
  switch (type) {
    case "BOOLEAN":
      return number(name, "boolean", nullable, numberAt, (value) => value === 1);
    case "INT32":
      if (isDecimal) return number(name, "float64", nullable, (values, i) => numberAt(values, i) / factor);
      if (converted === "DATE" || logical?.type === "DATE") {
        return number(name, "date", nullable, (values, i) => DAY * numberAt(values, i), isoDay);
      }
      if (converted === "TIME_MILLIS" || logical?.type === "TIME")
        return number(name, "time", nullable, numberAt);
      if (
        converted === "UINT_32" ||
        (logical?.type === "INTEGER" && !logical.isSigned && logical.bitWidth === 32)
      ) {
        return {
          field: { name, type: "int64", nullable },
          push: (builder, values, i) => builder.pushBigInt(BigInt(numberAt(values, i) >>> 0)),
          toJson: (values, i) => numberAt(values, i) >>> 0,
          warning: null,
        };
      }
      return number(name, "int32", nullable, numberAt);
    case "INT64": {
      if (isDecimal) return number(name, "float64", nullable, (values, i) => numberAt(values, i) / factor);
      const unit = timeUnit(element);
      if (unit !== null && (logical?.type === "TIME" || converted === "TIME_MICROS")) {
        return number(name, "time", nullable, (values, i) => numberAt(values, i) / unit);
      }
      if (unit !== null) {
        const zone = logical?.type === "TIMESTAMP" && !logical.isAdjustedToUTC ? "local" : "utc";
        const millis = (values: Values, i: number): number => bigOf(values, i, unit);
        return {
          ...number(name, "datetime", nullable, millis, isoTime),
          field: { name, type: "datetime", nullable, zone },
        };
      }
      if (converted === "UINT_64" || (logical?.type === "INTEGER" && !logical.isSigned)) {
        return {
          ...number(name, "float64", nullable, (values, i) => Number(BigInt.asUintN(64, bigAt(values, i)))),
          warning: `column "${name}" holds unsigned 64-bit numbers; they are read as float64, exact up to 2^53`,
        };
      }
      return {
        field: { name, type: "int64", nullable },
        push: (builder, values, i) => builder.pushBigInt(bigAt(values, i)),
        toJson: (values, i) => {
          const whole = bigAt(values, i);
          const plain = Number(whole);
          return Number.isSafeInteger(plain) ? plain : whole.toString();
        },
        warning: null,
      };
    }
    case "INT96":
      return number(name, "datetime", nullable, int96, isoTime);
    case "FLOAT":
    case "DOUBLE":
      return number(name, "float64", nullable, numberAt);
    default: {
      if (isDecimal)
        return number(name, "float64", nullable, (values, i) => decimal(values as ByteValues, i) / factor);
      if (logical?.type === "FLOAT16")
        return number(name, "float64", nullable, (values, i) => float16(values as ByteValues, i));
      if (logical?.type === "UUID") {
        return {
          field: { name, type: "string", nullable },
          push: (builder, values, i) => builder.pushText(uuid(values as ByteValues, i)),
          toJson: (values, i) => uuid(values as ByteValues, i),
          warning: null,
        };
      }
      if (converted === "JSON" || logical?.type === "JSON") {
        return {
          field: { name, type: "json", nullable },
          push: (builder, values, i) => builder.pushText(checkedJson(textOf(values as ByteValues, i))),
          toJson: (values, i) => JSON.parse(checkedJson(textOf(values as ByteValues, i))) as unknown,
          warning: null,
        };
      }
      const isText =
        converted === "UTF8" ||
        converted === "ENUM" ||
        logical?.type === "STRING" ||
        logical?.type === "ENUM";
      return {
        field: { name, type: isText ? "string" : "binary", nullable },
        push: (builder, values, i) => {
          const { bytes, starts, ends } = values as ByteValues;
          builder.pushBytes(bytes, starts[i]!, ends[i]!);
        },
        toJson: (values, i) => (isText ? textOf(values as ByteValues, i) : hexOf(values as ByteValues, i)),
        warning: null,
      };
    }
  }
}

function number(
  name: string,
  type: "int32" | "float64" | "boolean" | "date" | "time" | "datetime",
  nullable: boolean,
  read: (values: Values, i: number) => number,
  toJson: (value: number) => unknown = (value) => value,
): CellType {
  return {
    field: { name, type, nullable },
    push: (builder, values, i) => builder.pushNumber(read(values, i)),
    toJson: (values, i) => toJson(read(values, i)),
    warning: null,
  };
}

function numberAt(values: Values, i: number): number {
  return values.kind === "bytes" ? Number.NaN : Number(values.array[i]!);
}

function bigAt(values: Values, i: number): bigint {
  return values.kind === "int64" ? values.array[i]! : BigInt(numberAt(values, i));
}

/** Counts of a millisecond, for types that count time; else `null`. */
function timeUnit({ logical_type: logical, converted_type: converted }: SchemaElement): number | null {
  if (logical?.type === "TIMESTAMP" || logical?.type === "TIME") {
    return logical.unit === "MILLIS" ? 1 : logical.unit === "MICROS" ? 1000 : 1_000_000;
  }
  if (converted === "TIMESTAMP_MILLIS") return 1;
  return converted === "TIMESTAMP_MICROS" || converted === "TIME_MICROS" ? 1000 : null;
}

/** Whole milliseconds exactly, their fraction as a double. */
function bigOf(values: Values, i: number, unit: number): number {
  const whole = bigAt(values, i);
  if (unit === 1) return Number(whole);
  const count = BigInt(unit);
  return Number(whole / count) + Number(whole % count) / unit;
}

/** Nanoseconds of the day (8 bytes) and the Julian day (4). 2440588 is 1970-01-01. */
function int96(values: Values, i: number): number {
  const { bytes, starts } = values as ByteValues;
  const view = new DataView(bytes.buffer, bytes.byteOffset + starts[i]!, 12);
  return DAY * (view.getInt32(8, true) - 2_440_588) + Number(view.getBigInt64(0, true)) / 1e6;
}

/** Big-endian two's complement of any length. */
function decimal({ bytes, starts, ends }: ByteValues, i: number): number {
  const start = starts[i]!;
  const end = ends[i]!;
  if (end === start) return 0;
  let value = 0n;
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(bytes[at]!);
  return Number(BigInt.asIntN(8 * (end - start), value));
}

function float16({ bytes, starts }: ByteValues, i: number): number {
  const bits = bytes[starts[i]!]! | (bytes[starts[i]! + 1]! << 8);
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

function uuid(values: ByteValues, i: number): string {
  return hexOf(values, i).replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, "$1-$2-$3-$4-$5");
}

function textOf({ bytes, starts, ends }: ByteValues, i: number): string {
  return decoder.decode(bytes.subarray(starts[i]!, ends[i]!));
}

function hexOf({ bytes, starts, ends }: ByteValues, i: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + starts[i]!, ends[i]! - starts[i]!).toString("hex");
}

/** Text that says it is JSON and is not becomes a JSON string. */
function checkedJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function isoDay(millis: number): string | null {
  return Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString().slice(0, -14) : null;
}

function isoTime(millis: number): string | null {
  return Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString() : null;
}
