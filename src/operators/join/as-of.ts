import { GeoError } from "../../model/errors.ts";
import {
  type Column,
  columnNamed,
  type FeatureTable,
  type Field,
  isNull,
  textAt,
} from "../../model/features.ts";
import { requireField } from "./columns.ts";

/** A condition in time between a left and a right attribute. */
export interface AsOfCondition {
  readonly left: string;
  readonly right: string;
  /** Days that the two may lie apart, the limit included; fractions count. Default no limit. */
  readonly maxDifference?: number | undefined;
  /**
   * Where the right one lies: at the same time or before (`"backward"`), at the same time or after (`"forward"`), or on
   * either side (`"nearest"`). Default `"nearest"`.
   */
  readonly direction?: "backward" | "forward" | "nearest" | undefined;
  /** Only the right features closest in time, or all within the limit. Default `"closest"`. */
  readonly keep?: "closest" | "all" | undefined;
}

/** Milliseconds in a day. */
export const DAY_MS = 86_400_000;

/**
 * Check the columns of a condition.
 * @throws GeoError `INVALID_INPUT` for a column that is not there or holds no times
 */
export function checkAsOf(
  { left, right, maxDifference }: AsOfCondition,
  leftFields: readonly Field[],
  rightFields: readonly Field[],
  names: readonly [left: string, right: string],
): void {
  for (const [field, layer] of [
    [requireField(leftFields, left, "as-of", names[0]), names[0]],
    [requireField(rightFields, right, "as-of", names[1]), names[1]],
  ] as const) {
    if (TIMES.has(field.type)) continue;
    throw new GeoError("INVALID_INPUT", `"${field.name}" of ${layer} is ${field.type}, expected dates`, {
      path: "as-of",
      expected: "a column of dates or instants, ISO 8601 text, or milliseconds since 1970",
    });
  }
  if (maxDifference !== undefined && !(maxDifference >= 0)) {
    throw new GeoError(
      "INVALID_INPUT",
      `a difference of ${maxDifference} days is not usable, expected 0 or more`,
      {
        path: "max-difference",
        expected: "a number of days, 0 or more",
      },
    );
  }
}

const TIMES: ReadonlySet<Field["type"]> = new Set(["date", "datetime", "string", "int64", "float64"]);

/**
 * Milliseconds since 1970 of every row of a column, NaN for null and for text that is no date. Numbers are taken as
 * milliseconds; text without a zone is read as UTC.
 */
export function timesOf(table: FeatureTable, name: string): Float64Array {
  const column = columnNamed(table, name)!;
  const times = new Float64Array(table.count);
  for (let row = 0; row < table.count; row++)
    times[row] = isNull(column, row) ? Number.NaN : timeAt(column, row);
  return times;
}

function timeAt(column: Column, row: number): number {
  switch (column.type) {
    case "date":
    case "datetime":
    case "float64":
      return column.values[row]!;
    case "int64":
      return Number(column.values[row]!);
    case "string": {
      const text = textAt(column.values, row).trim().replace(" ", "T");
      return ISO.test(text)
        ? Date.parse(text.length > 10 && !ZONE.test(text) ? `${text}Z` : text)
        : Number.NaN;
    }
    default:
      return Number.NaN;
  }
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/;

/** Days between two times when the condition allows them, else NaN. */
export function daysApart(
  left: number,
  right: number,
  { maxDifference, direction = "nearest" }: AsOfCondition,
): number {
  if (direction === "backward" && right > left) return Number.NaN;
  if (direction === "forward" && right < left) return Number.NaN;
  const days = Math.abs(left - right) / DAY_MS;
  return days <= (maxDifference ?? Infinity) ? days : Number.NaN;
}
