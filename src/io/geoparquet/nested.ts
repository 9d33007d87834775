import type { ParquetParsers, SchemaTree } from "hyparquet";
import { assembleLists, assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { leafType } from "./columns.ts";
import { DamagedPage } from "./damaged.ts";
import type { ParquetColumn } from "./footer.ts";
import type { PageReader } from "./pages.ts";

/**
 * One column of lists, maps or structures of a whole row group, as JavaScript values that JSON can hold. The
 * values of all leaves are in memory at once.
 *
 * @param readers  Of the leaves, in their order.
 */
export async function readNested(
  column: ParquetColumn,
  readers: readonly PageReader[],
  rows: number,
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  const assembled = new Map<string, unknown[]>();
  for (const [k, { leaf, schemaPath }] of column.leaves.entries()) {
    const type = leafType(leaf.path.join("."), schemaPath.at(-1)!.element, true);
    let output: unknown[] = [];
    for (;;) {
      const page = await readers[k]!.next(signal);
      if (page === null) break;
      const { values, definitions, repetitions } = page;
      const count = values.kind === "bytes" ? values.starts.length : values.array.length;
      const cells = new Array<unknown>(count);
      for (let i = 0; i < count; i++) cells[i] = type.toJson(values, i);
      // Without levels all values are there; hyparquet then wants to know how many levels deep they lie.
      const levels = definitions ?? new Uint8Array(page.count).fill(leaf.maxDefinition);
      output = assembleLists(
        output as never[],
        levels as unknown as number[],
        (repetitions ?? []) as unknown as number[],
        cells,
        schemaPath as SchemaTree[],
      ) as unknown[];
    }
    assembled.set(leaf.path.join("."), output);
  }
  assembleNested(assembled as never, column.tree, DEFAULT_PARSERS as ParquetParsers);
  const values = assembled.get(column.name);
  if (values === undefined || values.length !== rows) {
    throw new DamagedPage(`the column "${column.name}" holds ${values?.length ?? 0} rows, expected ${rows}`);
  }
  return values;
}
