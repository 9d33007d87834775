import { GeoError } from "../../model/errors.ts";
import {
  BytesBuilder,
  type Column,
  type FeatureTable,
  type Field,
  takeRows,
  type Validity,
  type VariableBytes,
} from "../../model/features.ts";

/** Which attributes a join takes from the right layer, and what they are called. */
export interface RightNames {
  /** Names in the right layer, in this order. */
  readonly from: readonly string[];
  /** Names in the result. */
  readonly to: readonly string[];
}

/**
 * Names of the right layer's attributes in the result: `prefix` before each, or none. Without a prefix two equal names
 * are an error: nothing is renamed silently.
 *
 * @param taken  Names of the left layer, and others that the result has already.
 * @param wanted  Attributes asked for; default all of the right layer.
 * @throws GeoError `INVALID_INPUT` for an attribute that is not there, and for names that clash
 */
export function rightNames(
  fields: readonly Field[],
  wanted: readonly string[] | undefined,
  prefix: string,
  taken: readonly string[],
  right: string,
): RightNames {
  const from = wanted ?? fields.map(({ name }) => name);
  for (const name of from) requireField(fields, name, "fields", right);
  const to = from.map((name) => prefix + name);
  requireFree(to, taken);
  return { from, to };
}

/** @throws GeoError `INVALID_INPUT` when two columns of the result would have one name */
export function requireFree(names: readonly string[], taken: readonly string[]): void {
  const seen = new Set(taken);
  const clashes = names.filter((name) => seen.has(name) || !seen.add(name));
  if (clashes.length === 0) return;
  const found = [...new Set(clashes)].map((name) => `"${name}"`).join(", ");
  throw new GeoError(
    "INVALID_INPUT",
    `two columns of the join would be called ${found}`,
    { path: "prefix", expected: "names that differ" },
    {
      hint: "Put something before the names of the right layer with --prefix, or pick its columns with --fields.",
    },
  );
}

/**
 * The field of a layer with this name.
 * @throws GeoError `INVALID_INPUT` naming what there is
 */
export function requireField(fields: readonly Field[], name: string, option: string, layer: string): Field {
  const field = fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  const known = fields.map((one) => one.name).join(", ");
  throw new GeoError(
    "INVALID_INPUT",
    `${layer} has no column "${name}"; it has ${known === "" ? "none" : known}`,
    {
      path: option,
      expected: "a column of the layer",
    },
  );
}

/**
 * Rows of a column, in the order of `rows`; -1 gives a null. Types, zones and widths stay; values are copied as they
 * are.
 */
export function takeOptional(column: Column, rows: Int32Array, name: string): Column {
  const count = rows.length;
  let valid: Uint8Array | null = null;
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    if (row >= 0 && (column.valid === null || column.valid[row] !== 0)) continue;
    valid ??= new Uint8Array(count).fill(1);
    valid[i] = 0;
  }
  const head = { ...column, name, nullable: column.nullable || valid !== null, valid: valid as Validity };
  const { values } = column;
  if ("offsets" in values) return { ...head, values: takeBytes(values, rows) } as Column;
  const out =
    values instanceof BigInt64Array
      ? new BigInt64Array(count)
      : values instanceof Int32Array
        ? new Int32Array(count)
        : values instanceof Uint8Array
          ? new Uint8Array(count)
          : new Float64Array(count);
  for (let i = 0; i < count; i++) if (rows[i]! >= 0) out[i] = values[rows[i]!]! as never;
  return { ...head, values: out } as Column;
}

function takeBytes({ offsets, bytes }: VariableBytes, rows: Int32Array): VariableBytes {
  const builder = new BytesBuilder();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row < 0) builder.pushEmpty();
    else builder.pushBytes(bytes, offsets[row]!, offsets[row + 1]!);
  }
  return builder.finish();
}

/** Columns of the right layer for rows of the result; -1 is a left row without a partner. */
export function takeRight(right: FeatureTable, names: RightNames, rows: Int32Array): Column[] {
  return names.from.map((name, k) => {
    const column = right.columns.find((one) => one.name === name)!;
    return takeOptional(column, rows, names.to[k]!);
  });
}

/** Rows of the left batch; the batch itself when they are all its rows in order. */
export function takeLeft(batch: FeatureTable, rows: Int32Array): FeatureTable {
  if (rows.length === batch.count && rows.every((row, i) => row === i)) return batch;
  return takeRows(batch, rows);
}

/** Fields of the right layer as they are in the result. */
export function rightFields(fields: readonly Field[], names: RightNames, nullable: boolean): Field[] {
  return names.from.map((name, k) => {
    const field = fields.find((one) => one.name === name)!;
    return { ...field, name: names.to[k]!, nullable: field.nullable || nullable };
  });
}
