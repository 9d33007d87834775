import type { GeometryColumn } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { type MakeValidOptions, makeValidRow } from "./make-valid.ts";
import { findInvalid } from "./validity.ts";

/** A column whose rows are all valid. */
export interface RepairedRows {
  /** `null` when all rows were valid before. */
  readonly geometry: GeometryColumn | null;
  /** Rows that were rebuilt. */
  readonly repaired: number;
  /** Rows that nothing was left of: they became null. */
  readonly emptied: number;
}

/** Make the rows of a column valid, see {@link makeValidRow}; valid ones stay as they are, bit for bit. */
export function repairRows(column: GeometryColumn, options: MakeValidOptions): RepairedRows {
  const count = column.types.length;
  const broken = new Uint8Array(count);
  let any = false;
  for (let row = 0; row < count; row++) {
    if (findInvalid(column, row) === null) continue;
    broken[row] = 1;
    any = true;
  }
  if (!any) return { geometry: null, repaired: 0, emptied: 0 };
  const builder = new GeometryBuilder();
  const one = new GeometryBuilder();
  let repaired = 0;
  let emptied = 0;
  for (let row = 0; row < count; row++) {
    if (broken[row] === 0) {
      builder.copy(column, row);
      continue;
    }
    makeValidRow(column, row, one, options);
    const made = one.finish();
    if (made.geometries[1] === 0) {
      emptied++;
      builder.null();
    } else {
      repaired++;
      builder.copy(made, 0);
    }
  }
  return { geometry: builder.finish(), repaired, emptied };
}
