import { GeoError } from "../../model/errors.ts";
import {
  type Column,
  ColumnBuilder,
  columnNamed,
  type FeatureTable,
  type Field,
  isNull,
  type JsonValue,
  textAt,
  valueAt,
} from "../../model/features.ts";
import { requireField, takeOptional } from "./columns.ts";

/**
 * What is made of the partners of one left feature. Nulls are skipped; without any value the result is null, a count 0.
 *
 * - `count`: partners, or values of a field that are not null. Never null.
 * - `sum`: whole numbers stay whole (`int64`), others are added with compensation.
 * - `mean`, `median`: of numbers; the median of an even number of values is the mean of the middle two.
 * - `min`, `max`: of numbers, dates, text (by code units) and booleans.
 * - `mode`: the most frequent value; of equally frequent ones the one met first in the order of the right layer.
 * - `first`, `last`: in the order of the right layer, nulls skipped.
 * - `collect`: all values, in the order of the right layer, as a JSON list.
 * - `weighted-mean`: the weight is the field `weight`, else the area or length that the two features share.
 * - `extensive`: areal interpolation of a quantity that adds up (people, tonnes): each partner's value times the share
 *   of the partner that lies in the left feature, summed.
 * - `intensive`: areal interpolation of a rate or density: the mean of the partners' values weighted by what they share
 *   with the left feature; the same as `weighted-mean` without a weight field.
 */
export type AggregateOperation =
  | "count"
  | "sum"
  | "mean"
  | "min"
  | "max"
  | "median"
  | "mode"
  | "first"
  | "last"
  | "collect"
  | "weighted-mean"
  | "extensive"
  | "intensive";

export interface JoinAggregate {
  readonly operation: AggregateOperation;
  /** Attribute of the right layer; only `count` does without. */
  readonly field?: string | undefined;
  /** For `weighted-mean`: attribute of the right layer with the weights. */
  readonly weight?: string | undefined;
  /** Name of the column; default `field_operation` (with `_` for `-`), `count` for a count of partners. */
  readonly name?: string | undefined;
}

const OPERATIONS: ReadonlySet<string> = new Set<AggregateOperation>([
  "count",
  "sum",
  "mean",
  "min",
  "max",
  "median",
  "mode",
  "first",
  "last",
  "collect",
  "weighted-mean",
  "extensive",
  "intensive",
]);

/**
 * Read `sum:population,mean:height,count,weighted-mean:rate:people`: operation, field, and for a weighted mean the
 * field of the weights.
 * @throws GeoError `INVALID_INPUT` for an operation that there is not, or one without its field
 */
export function parseAggregates(text: string): JoinAggregate[] {
  return text.split(",").map((item) => {
    const [operation = "", field, weight, ...more] = item.trim().split(":");
    const wrong =
      !OPERATIONS.has(operation) ||
      more.length > 0 ||
      (weight !== undefined && operation !== "weighted-mean");
    if (wrong || (operation !== "count" && (field === undefined || field === ""))) {
      throw new GeoError("INVALID_INPUT", `"${item.trim()}" is no aggregate`, {
        path: "aggregate",
        expected: `OPERATION:FIELD, such as sum:population; operations are ${[...OPERATIONS].join(", ")}`,
      });
    }
    return {
      operation: operation as AggregateOperation,
      ...(field === undefined || field === "" ? {} : { field }),
      ...(weight === undefined ? {} : { weight }),
    };
  });
}

/** Whether an aggregate needs to know how much two features share. */
export function needsOverlap({ operation, weight }: JoinAggregate): boolean {
  return (
    operation === "extensive" ||
    operation === "intensive" ||
    (operation === "weighted-mean" && weight === undefined)
  );
}

/** Name of the column of an aggregate. */
export function aggregateName({ operation, field, name }: JoinAggregate): string {
  return name ?? (field === undefined ? operation : `${field}_${operation.replaceAll("-", "_")}`);
}

/**
 * The columns that aggregates make, as a schema says them.
 * @throws GeoError `INVALID_INPUT` for a field that is not there, or whose type the operation cannot work with
 */
export function aggregateFields(
  aggregates: readonly JoinAggregate[],
  fields: readonly Field[],
  prefix: string,
  right: string,
): Field[] {
  return aggregates.map((aggregate) => {
    const { operation, field: name, weight } = aggregate;
    const to = prefix + aggregateName(aggregate);
    if (weight !== undefined)
      requireNumbers(requireField(fields, weight, "aggregate", right), operation, right);
    if (name === undefined) {
      if (operation === "count") return { name: to, type: "int32", nullable: false };
      throw new GeoError("INVALID_INPUT", `the aggregate ${operation} has no field`, {
        path: "aggregate",
        expected: `a column of ${right}`,
      });
    }
    const field = requireField(fields, name, "aggregate", right);
    switch (operation) {
      case "count":
        return { name: to, type: "int32", nullable: false };
      case "collect":
        return { name: to, type: "json", nullable: true };
      case "first":
      case "last":
      case "mode":
        return { ...field, name: to, nullable: true };
      case "min":
      case "max":
        if (field.type === "json" || field.type === "binary") throw wrongType(field, operation, right);
        return { ...field, name: to, nullable: true };
      case "sum":
        requireNumbers(field, operation, right);
        return { name: to, type: field.type === "float64" ? "float64" : "int64", nullable: true };
      default:
        requireNumbers(field, operation, right);
        return { name: to, type: "float64", nullable: true };
    }
  });
}

function requireNumbers(field: Field, operation: string, right: string): void {
  if (field.type !== "int32" && field.type !== "int64" && field.type !== "float64")
    throw wrongType(field, operation, right);
}

function wrongType(field: Field, operation: string, right: string): GeoError {
  return new GeoError(
    "INVALID_INPUT",
    `"${field.name}" of ${right} is ${field.type}: there is no ${operation} of it`,
    {
      path: "aggregate",
      expected: operation === "min" || operation === "max" ? "numbers, dates or text" : "a column of numbers",
    },
  );
}

/** The partners of each left row: row `i` has `rows[starts[i] .. starts[i + 1] - 1]`, in the order of the right layer. */
export interface Partners {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  /** What each pair shares; `null` when no aggregate asks. */
  readonly overlaps: Float64Array | null;
  /** The part of the right feature that each pair shares, for `extensive`; `null` when none asks. */
  readonly shares: Float64Array | null;
}

/** The columns of the aggregates, one row for each left row. */
export function aggregateColumns(
  aggregates: readonly JoinAggregate[],
  fields: readonly Field[],
  right: FeatureTable,
  partners: Partners,
): Column[] {
  return aggregates.map((aggregate, k) => {
    const column = aggregate.field === undefined ? null : columnNamed(right, aggregate.field)!;
    const weights = aggregate.weight === undefined ? null : columnNamed(right, aggregate.weight)!;
    return aggregateColumn(aggregate.operation, fields[k]!, column, weights, partners);
  });
}

function aggregateColumn(
  operation: AggregateOperation,
  field: Field,
  column: Column | null,
  weights: Column | null,
  partners: Partners,
): Column {
  const { starts, rows } = partners;
  const count = starts.length - 1;
  if (column !== null && PICKS.has(operation)) {
    const picked = new Int32Array(count);
    const pick =
      operation === "mode" ? modeRow : operation === "min" || operation === "max" ? extremeRow : endRow;
    for (let i = 0; i < count; i++) picked[i] = pick(column, rows, starts[i]!, starts[i + 1]!, operation);
    return { ...takeOptional(column, picked, field.name), nullable: true };
  }
  const builder = new ColumnBuilder(field);
  for (let i = 0; i < count; i++) {
    const start = starts[i]!;
    const end = starts[i + 1]!;
    if (column === null) builder.pushNumber(end - start);
    else if (operation === "count") {
      let values = 0;
      for (let k = start; k < end; k++) if (!isNull(column, rows[k]!)) values++;
      builder.pushNumber(values);
    } else if (operation === "collect") pushList(builder, column, rows, start, end);
    else if (operation === "sum" && field.type === "int64") pushWholeSum(builder, column, rows, start, end);
    else pushNumber(builder, numberOf(operation, column, weights, partners, start, end));
  }
  return builder.finish();
}

const PICKS: ReadonlySet<AggregateOperation> = new Set<AggregateOperation>([
  "first",
  "last",
  "mode",
  "min",
  "max",
]);

function pushNumber(builder: ColumnBuilder, value: number): void {
  if (Number.isNaN(value)) builder.pushNull();
  else builder.pushNumber(value);
}

/** A number, NaN when there is no value. */
function numberOf(
  operation: AggregateOperation,
  column: Column,
  weights: Column | null,
  { rows, overlaps, shares }: Partners,
  start: number,
  end: number,
): number {
  if (operation === "median") return median(column, rows, start, end);
  let values = 0;
  let sum = 0;
  let low = 0;
  let total = 0;
  for (let k = start; k < end; k++) {
    const row = rows[k]!;
    if (isNull(column, row)) continue;
    let weight = 1;
    if (operation === "extensive") {
      weight = shares![k]!;
      // A partner without extent has no share anywhere.
      if (Number.isNaN(weight)) continue;
    } else if (weights !== null) {
      if (isNull(weights, row)) continue;
      weight = cellNumber(weights, row);
    } else if (operation === "intensive" || operation === "weighted-mean") weight = overlaps![k]!;
    const value = cellNumber(column, row) * weight;
    values++;
    total += weight;
    // Neumaier's compensated sum.
    const next = sum + value;
    low += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  if (values === 0) return Number.NaN;
  // Beyond the range of numbers the compensation is no number.
  const whole = Number.isNaN(low) ? sum : sum + low;
  if (operation === "sum" || operation === "extensive") return whole;
  if (operation === "mean") return whole / values;
  return total === 0 ? Number.NaN : whole / total;
}

function cellNumber(column: Column, row: number): number {
  return Number((column.values as Float64Array)[row]!);
}

function median(column: Column, rows: Int32Array, start: number, end: number): number {
  const values = new Float64Array(end - start);
  let n = 0;
  for (let k = start; k < end; k++) if (!isNull(column, rows[k]!)) values[n++] = cellNumber(column, rows[k]!);
  if (n === 0) return Number.NaN;
  const sorted = values.subarray(0, n).sort();
  const middle = n >> 1;
  if (n % 2 === 1) return sorted[middle]!;
  return sorted[middle - 1]! + (sorted[middle]! - sorted[middle - 1]!) / 2;
}

function pushWholeSum(
  builder: ColumnBuilder,
  column: Column,
  rows: Int32Array,
  start: number,
  end: number,
): void {
  let sum = 0n;
  let small = 0;
  let values = 0;
  for (let k = start; k < end; k++) {
    const row = rows[k]!;
    if (isNull(column, row)) continue;
    values++;
    if (column.type === "int64") sum += column.values[row]!;
    // Below 2^53 for as many 32-bit numbers as fit in memory.
    else small += (column.values as Int32Array)[row]!;
  }
  if (values === 0) builder.pushNull();
  else builder.pushBigInt(sum + BigInt(small));
}

function pushList(
  builder: ColumnBuilder,
  column: Column,
  rows: Int32Array,
  start: number,
  end: number,
): void {
  const list: JsonValue[] = [];
  for (let k = start; k < end; k++) {
    const value = valueAt(column, rows[k]!);
    if (value === null) continue;
    list.push(jsonOf(value));
  }
  if (list.length === 0) builder.pushNull();
  else builder.push(list);
}

/** Dates as ISO text, bytes as hexadecimal text, whole numbers beyond 2^53 as text. */
export function jsonOf(value: ReturnType<typeof valueAt>): JsonValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array)
    return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return value;
}

function endRow(column: Column, rows: Int32Array, start: number, end: number, operation: string): number {
  if (operation === "first") {
    for (let k = start; k < end; k++) if (!isNull(column, rows[k]!)) return rows[k]!;
  } else {
    for (let k = end - 1; k >= start; k--) if (!isNull(column, rows[k]!)) return rows[k]!;
  }
  return -1;
}

function extremeRow(column: Column, rows: Int32Array, start: number, end: number, operation: string): number {
  let best = -1;
  for (let k = start; k < end; k++) {
    const row = rows[k]!;
    if (isNull(column, row) || isNaNCell(column, row)) continue;
    if (best === -1 || (operation === "min" ? less(column, row, best) : less(column, best, row))) best = row;
  }
  return best;
}

function isNaNCell(column: Column, row: number): boolean {
  return column.type === "float64" && Number.isNaN(column.values[row]!);
}

function less(column: Column, a: number, b: number): boolean {
  if (column.type === "string") return textAt(column.values, a) < textAt(column.values, b);
  const values = column.values as Float64Array;
  return values[a]! < values[b]!;
}

function modeRow(column: Column, rows: Int32Array, start: number, end: number): number {
  const counts = new Map<unknown, [times: number, row: number]>();
  let best = -1;
  let most = 0;
  for (let k = start; k < end; k++) {
    const row = rows[k]!;
    if (isNull(column, row)) continue;
    const value = "offsets" in column.values ? textAt(column.values, row) : column.values[row]!;
    const seen = counts.get(value);
    if (seen === undefined) counts.set(value, [1, row]);
    else seen[0]++;
  }
  // In the order of first appearance.
  for (const [times, row] of counts.values()) {
    if (times <= most) continue;
    most = times;
    best = row;
  }
  return best;
}
