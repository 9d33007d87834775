import type { OverlayReport } from "../kernels/vector/overlay/ladder.ts";
import { unionRows } from "../kernels/vector/overlay/union.ts";
import {
  asSource,
  type Column,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  isNull,
  takeRows,
  toJson,
  valueAt,
} from "../model/features.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";
import { aggregateColumns, aggregateFields, aggregateName, type JoinAggregate } from "./join/aggregate.ts";
import { requireField, requireFree } from "./join/columns.ts";
import { readTable } from "./read-table.ts";

export interface DissolveOptions {
  /** Columns whose values make a group; they are kept. Default none: everything becomes one feature. */
  readonly by?: string | readonly string[] | undefined;
  /**
   * Columns to add, from the rows of each group, as in a spatial join but for `extensive`, `intensive` and a weighted mean
   * without a weight. Other columns are left out.
   */
  readonly aggregates?: readonly JoinAggregate[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the groups done and all groups. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface DissolveResult {
  /** One row a group, in the order in which the groups are first met. */
  readonly table: FeatureTable;
  /** Rows that were read. */
  readonly featuresIn: number;
  /** Groups of more than one row. */
  readonly united: number;
  /** Groups with a row that is not valid: its area was read by the even-odd rule. */
  readonly repaired: number;
  /** Worst rung of the robustness ladder that a union needed; 0 is plain floating point. */
  readonly rung: number;
  readonly warnings: readonly string[];
}

/**
 * Unite the features that have the same attributes: one row a group, its geometry the union of theirs, so that borders between
 * them vanish. Groups come in the order in which they are first met; nulls are equal to each other here, so that they make a
 * group too. A group of one row keeps its geometry as it is, to the bit, and its id.
 *
 * The layer is read into memory. A union costs about `n log n` for the `n` vertices of its group.
 *
 * @throws GeoError `INVALID_INPUT` for a column that is not there, and for aggregates that cannot be or clash with one
 */
export async function dissolve(
  features: FeatureTable | FeatureSource,
  options: DissolveOptions = {},
): Promise<DissolveResult> {
  const { aggregates = [], signal, onProgress } = options;
  const by = typeof options.by === "string" ? [options.by] : (options.by ?? []);
  const source = asSource(features, "the layer");
  const { fields } = source.schema;
  for (const name of by) requireField(fields, name, "by", source.url);
  const added = aggregateFields(aggregates, fields, "", source.url);
  requireFree(aggregates.map(aggregateName), by);
  const table = "batches" in features ? await readTable(features, { signal }) : features;
  const { starts, rows, first } = groupRows(table, by);
  const groups = first.length;

  let rung = 0;
  let united = 0;
  let repaired = 0;
  const { geometry } = table;
  const builder = new GeometryBuilder();
  for (let k = 0; geometry !== null && k < groups; k++) {
    signal?.throwIfAborted();
    const start = starts[k]!;
    const end = starts[k + 1]!;
    if (end - start === 1) builder.copy(geometry, rows[start]!);
    else {
      const report: OverlayReport = unionRows(geometry, rows.subarray(start, end), builder);
      united++;
      if (report.rung > rung) rung = report.rung;
      if (report.repaired) repaired++;
    }
    onProgress?.(k + 1, groups);
  }
  const taken = takeRows(table, first, geometry === null ? null : builder.finish());
  const columns: Column[] = [
    ...by.map((name) => columnNamed(taken, name)!),
    ...aggregateColumns(aggregates, added, table, { starts, rows, overlaps: null, shares: null }),
  ];
  const ids = taken.ids?.map((id, k) => (starts[k + 1]! - starts[k]! === 1 ? id : null)) ?? null;
  return {
    table: { ...taken, columns, ids: ids?.every((id) => id === null) === true ? null : ids, firstRow: 0 },
    featuresIn: table.count,
    united,
    repaired,
    rung,
    warnings:
      repaired === 0
        ? []
        : [`${repaired} groups hold areas that are not valid: they were read by the even-odd rule`],
  };
}

/** Rows by group, groups in the order of their first row; group `k` has `rows[starts[k] .. starts[k + 1] - 1]`. */
function groupRows(
  table: FeatureTable,
  by: readonly string[],
): { starts: Int32Array; rows: Int32Array; first: Int32Array } {
  const { count } = table;
  let numbers = new Int32Array(count);
  let groups = Math.min(count, 1);
  for (const name of by) {
    const column = columnNamed(table, name)!;
    const known = new Map<string, number>();
    const next = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      const value = isNull(column, row) ? "" : toJson(valueAt(column, row));
      const key = `${numbers[row]} ${value}`;
      let number = known.get(key);
      if (number === undefined) {
        number = known.size;
        known.set(key, number);
      }
      next[row] = number;
    }
    numbers = next;
    groups = known.size;
  }
  // Numbers are given in the order in which groups are met, so this is it.
  const starts = new Int32Array(groups + 1);
  for (let row = 0; row < count; row++) starts[numbers[row]! + 1]!++;
  for (let k = 0; k < groups; k++) starts[k + 1]! += starts[k]!;
  const rows = new Int32Array(count);
  const at = starts.slice(0, groups);
  for (let row = 0; row < count; row++) rows[at[numbers[row]!]!++] = row;
  return { starts, rows, first: Int32Array.from({ length: groups }, (_, k) => rows[starts[k]!]!) };
}
