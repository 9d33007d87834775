import { GeoError } from "../model/errors.ts";
import type { Column, FeatureTable, Field } from "../model/features.ts";

/**
 * Columns of a batch in the order of the fields that a writer declared; `null` for those that it does not have.
 *
 * @throws GeoError `INVALID_INPUT` when a column has another type than declared.
 */
export function columnsOf(batch: FeatureTable, fields: readonly Field[]): (Column | null)[] {
  return fields.map((field, k) => {
    const same = batch.columns[k];
    const column = same?.name === field.name ? same : batch.columns.find(({ name }) => name === field.name);
    if (column === undefined) return null;
    if (column.type !== field.type) {
      throw new GeoError(
        "INVALID_INPUT",
        `column "${field.name}" is ${column.type} in a batch, but the layer declares ${field.type}`,
        { path: field.name, expected: `a column of type ${field.type} in every batch` },
      );
    }
    return column;
  });
}
