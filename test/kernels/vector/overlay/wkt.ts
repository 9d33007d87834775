import { parseWkt, toWkt } from "../../../../src/io/wkt.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";

/** A column of rows from WKT; `NULL` is a null row. */
export function rowsOf(...texts: readonly string[]): GeometryColumn {
  const builder = new GeometryBuilder();
  for (const text of texts) {
    if (text === "NULL") builder.null();
    else parseWkt(text, builder);
  }
  return builder.finish();
}

/** The first row of what is built. */
export function built(build: (builder: GeometryBuilder) => void): string {
  const builder = new GeometryBuilder();
  build(builder);
  const column = builder.finish();
  if (column.types.length !== 1) throw new Error(`${column.types.length} rows were written, expected one`);
  return column.types[0] === 0 ? "NULL" : toWkt(column, 0);
}
