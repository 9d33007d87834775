import type { GeometryColumn } from "../../model/geometry.ts";
import { findInvalid, type Invalidity } from "./validity.ts";

/** A row that is not valid, and why. */
export interface InvalidRow extends Invalidity {
  readonly row: number;
}

/** The rows of a column that are not valid, rising; see {@link findInvalid}. */
export function invalidRows(column: GeometryColumn): InvalidRow[] {
  const out: InvalidRow[] = [];
  for (let row = 0; row < column.types.length; row++) {
    const found = findInvalid(column, row);
    if (found !== null) out.push({ row, ...found });
  }
  return out;
}
