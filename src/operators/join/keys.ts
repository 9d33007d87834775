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

/** Equality of an attribute on either side. */
export interface OnCondition {
  readonly left: string;
  readonly right: string;
}

/**
 * Attribute equality as whole numbers: right rows with equal values have the same number, a left row gets the number of
 * the right rows that it equals, or -1.
 *
 * Numbers are equal across integer and floating columns when their values are (2 and 2.0; 2^53 + 1 in an `int64` column
 * equals no floating number). Text is equal when it is the same text, dates and instants when they are the same
 * moment. Null equals nothing, NaN neither. Columns of different kinds (text and number) are refused, not converted.
 */
export interface KeyIndex {
  /** Number of each right row; -1 for one with a null. */
  readonly right: Int32Array;
  /** Numbers of the rows of a left batch. */
  of(left: FeatureTable): Int32Array;
}

/**
 * Check that conditions can be compared, before any row is read.
 * @throws GeoError `INVALID_INPUT` for a column that is not there or kinds that are never equal
 */
export function checkOn(
  on: readonly OnCondition[],
  left: readonly Field[],
  right: readonly Field[],
  names: readonly [left: string, right: string],
): void {
  for (const { left: leftName, right: rightName } of on) {
    const a = requireField(left, leftName, "on", names[0]);
    const b = requireField(right, rightName, "on", names[1]);
    const [leftKind, rightKind] = [KINDS[a.type], KINDS[b.type]];
    if (leftKind === rightKind && leftKind !== null) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `"${leftName}" of ${names[0]} is ${a.type} and "${rightName}" of ${names[1]} is ${b.type}: they cannot be compared`,
      { path: "on", expected: "two numbers, two texts, two booleans, two times or two dates" },
      { hint: "Convert one of the columns first, so that both are of one kind." },
    );
  }
}

/** Types that are compared with each other; `null` for those that are not compared. */
const KINDS: Readonly<Record<Field["type"], string | null>> = {
  int32: "number",
  int64: "number",
  float64: "number",
  boolean: "boolean",
  string: "text",
  date: "moment",
  datetime: "moment",
  time: "time",
  json: null,
  binary: null,
};

/** Hash the values of the right side. O(rows). */
export function keyIndex(right: FeatureTable, on: readonly OnCondition[]): KeyIndex {
  const steps = on.map(({ left, right: name }) => {
    const values = new Map<KeyValue, number>();
    return { left, own: numberValues(columnNamed(right, name)!, right.count, values, true), values };
  });
  // Several conditions become one, two at a time: the pair of numbers gets a number.
  const pairs = steps.map(() => new Map<number, number>());
  let numbers = new Int32Array(right.count);
  for (const [k, { own, values }] of steps.entries())
    numbers = k === 0 ? own : merge(numbers, own, values.size, pairs[k]!, true);
  return {
    right: numbers,
    of(left) {
      let found = new Int32Array(left.count);
      for (const [k, step] of steps.entries()) {
        const own = numberValues(columnNamed(left, step.left)!, left.count, step.values, false);
        found = k === 0 ? own : merge(found, own, step.values.size, pairs[k]!, false);
      }
      return found;
    },
  };
}

type KeyValue = number | bigint | string;

/** The number of each value: known ones from the map, new ones added to it or -1. */
function numberValues(
  column: Column,
  count: number,
  known: Map<KeyValue, number>,
  add: boolean,
): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const value = isNull(column, row) ? null : keyValue(column, row);
    let number = -1;
    // NaN is not equal to itself.
    if (value !== null && !Number.isNaN(value)) {
      number = known.get(value) ?? -1;
      if (number === -1 && add) {
        number = known.size;
        known.set(value, number);
      }
    }
    numbers[row] = number;
  }
  return numbers;
}

/** Whole numbers beyond 2^53 are bigints, from whatever column, so that equal values are one key. */
function keyValue(column: Column, row: number): KeyValue {
  switch (column.type) {
    case "int64": {
      const value = column.values[row]!;
      const near = Number(value);
      return Number.isSafeInteger(near) ? near : value;
    }
    case "float64": {
      const value = column.values[row]!;
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
    }
    case "string":
    case "json":
    case "binary":
      return textAt(column.values, row);
    default:
      return column.values[row]!;
  }
}

function merge(
  first: Int32Array,
  second: Int32Array,
  size: number,
  known: Map<number, number>,
  add: boolean,
): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(first.length);
  for (let row = 0; row < first.length; row++) {
    if (first[row]! < 0 || second[row]! < 0) {
      numbers[row] = -1;
      continue;
    }
    const pair = first[row]! * size + second[row]!;
    let number = known.get(pair) ?? -1;
    if (number === -1 && add) {
      number = known.size;
      known.set(pair, number);
    }
    numbers[row] = number;
  }
  return numbers;
}
