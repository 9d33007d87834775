import type { ColumnMetaData, FileMetaData, RowGroup, SchemaElement, SchemaTree } from "hyparquet";
import { parquetMetadata } from "hyparquet";
import { GeoError } from "../../model/errors.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { DamagedPage } from "./damaged.ts";
import type { PhysicalType } from "./encodings.ts";
import type { Chunk, Leaf } from "./pages.ts";
import { skipStruct } from "./thrift.ts";

/** What a reader may take for a file: ten times its size and a little more, the bound for all formats. */
export function memoryLimit(fileBytes: number): number {
  return 10 * fileBytes + (64 << 20);
}

/** Rows that a file may claim: runs can hold many in a few bytes, but not without end. */
function rowLimit(fileBytes: number): number {
  return 64 * fileBytes + (1 << 22);
}

/** Memory of one structure of the footer once decoded, by estimate. */
const STRUCT_BYTES = 200;
/** Schemas are not nested deeper. */
const MAX_SCHEMA_DEPTH = 32;
/** First read at the end of the file: most footers fit. */
const FOOTER_GUESS = 1 << 16;

/** A column at the top of the schema, with its leaves. */
export interface ParquetColumn {
  readonly name: string;
  readonly tree: SchemaTree;
  readonly leaves: readonly {
    readonly leaf: Leaf;
    readonly schemaPath: readonly SchemaTree[];
    readonly index: number;
  }[];
}

export interface ParquetFile {
  readonly metadata: FileMetaData;
  readonly columns: readonly ParquetColumn[];
  readonly rows: number;
  readonly keyValues: ReadonlyMap<string, string>;
}

/**
 * Footer of a Parquet file, checked: sizes against the file, nesting, and that every row group has every column.
 * @throws GeoError `INVALID_FORMAT`, `UNSUPPORTED` (encrypted), `LIMIT`
 */
export async function readFooter(source: ByteSource): Promise<ParquetFile> {
  const { url, size } = source;
  if (size < 12) throw new DamagedPage(`it has ${size} bytes, fewer than the shortest Parquet file`);
  let tail = await readExactly(
    source,
    Math.max(0, size - FOOTER_GUESS),
    Math.min(size, FOOTER_GUESS),
    "the footer",
  );
  const magic = String.fromCharCode(...tail.subarray(tail.length - 4));
  if (magic === "PARE") {
    throw new GeoError("UNSUPPORTED", `${url} is an encrypted Parquet file`, {
      feature: "encrypted Parquet",
      path: url,
    });
  }
  if (magic !== "PAR1") {
    throw new DamagedPage('it does not end with the letters "PAR1"; it may have been cut off');
  }
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - 8, 4).getUint32(0, true);
  if (length > size - 12) throw new DamagedPage(`its footer claims ${length} bytes of ${size}`);
  if (length + 8 > tail.length) tail = await readExactly(source, size - length - 8, length + 8, "the footer");
  else tail = tail.subarray(tail.length - length - 8);
  const { end, structs } = skipStruct(tail.subarray(0, length), 0);
  if (end < 0) throw new DamagedPage("its footer is damaged");
  const needed = structs * STRUCT_BYTES;
  if (needed > memoryLimit(size)) throw tooMuch(url, "the footer", needed, memoryLimit(size));
  // Bytes stay bytes: hyparquet would turn geometry into GeoJSON and statistics into text.
  const metadata = parquetMetadata(tail, {
    geoparquet: false,
    parsers: { stringFromBytes: (bytes) => bytes as unknown as string },
  });
  const rows = Number(metadata.num_rows);
  const tree = schemaTree(metadata.schema);
  const columns = columnsOf(tree);
  const total = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (!(rows >= 0) || total !== rows)
    throw new DamagedPage(`it claims ${rows} rows, its row groups ${total}`);
  if (rows > rowLimit(size)) throw tooMuch(url, `${rows} rows`, rows, rowLimit(size));
  const leafCount = columns.reduce((sum, column) => sum + column.leaves.length, 0);
  for (const group of metadata.row_groups) {
    if (group.columns.length !== leafCount) {
      throw new DamagedPage(`a row group has ${group.columns.length} columns, the schema ${leafCount}`);
    }
    if (!(Number(group.num_rows) >= 0)) throw new DamagedPage("a row group has fewer than 0 rows");
  }
  const keyValues = new Map<string, string>();
  for (const { key, value } of metadata.key_value_metadata ?? [])
    if (value !== undefined) keyValues.set(key, value);
  return { metadata, columns, rows, keyValues };
}

/**
 * Where leaf `index` of a row group lies in the file.
 * @throws DamagedPage when that is not inside it, or does not have a value for every row.
 */
export function chunkOf(
  group: RowGroup,
  index: number,
  leaf: Leaf,
  source: ByteSource,
): { chunk: Chunk; info: ColumnMetaData } {
  const column = group.columns[index]!;
  const info = column.meta_data;
  if (info === undefined || (column.file_path !== undefined && column.file_path !== "")) {
    throw new DamagedPage("columns in other files are not read");
  }
  if (info.type !== leaf.type)
    throw new DamagedPage(`a column of type ${leaf.type} is stored as ${info.type}`);
  const data = Number(info.data_page_offset);
  const dictionary = Number(info.dictionary_page_offset ?? 0);
  const start = dictionary > 0 && dictionary < data ? dictionary : data;
  const length = Number(info.total_compressed_size);
  if (!(start >= 4 && length >= 0 && start + length <= source.size)) {
    throw new DamagedPage(`a column claims bytes ${start} to ${start + length} of ${source.size}`);
  }
  const values = Number(info.num_values);
  if (leaf.maxRepetition === 0 && values !== Number(group.num_rows)) {
    throw new DamagedPage(`a column holds ${values} values for ${group.num_rows} rows`);
  }
  if (!(values >= 0 && values <= rowLimit(source.size))) {
    throw tooMuch(source.url, `${values} values`, values, rowLimit(source.size));
  }
  return { chunk: { start, length, values }, info };
}

function tooMuch(url: string, what: string, needed: number, allowed: number): GeoError {
  return new GeoError(
    "LIMIT",
    `${url} claims more than a file of its size can mean: ${what}`,
    { what, needed, allowed, path: url },
    { hint: "The file is damaged, or was made to do harm; get it again from its source." },
  );
}

/** The flat list of elements as a tree, without trusting its counts. */
function schemaTree(elements: readonly SchemaElement[]): SchemaTree {
  let next = 0;
  const build = (path: string[], depth: number): SchemaTree => {
    const element = elements[next++];
    if (element === undefined) throw new DamagedPage("its schema ends too early");
    if (depth > MAX_SCHEMA_DEPTH)
      throw new DamagedPage(`its schema is nested more than ${MAX_SCHEMA_DEPTH} deep`);
    const first = next;
    const children: SchemaTree[] = [];
    const wanted = element.num_children ?? 0;
    if (wanted < 0 || wanted > elements.length)
      throw new DamagedPage(`an element of its schema has ${wanted} children`);
    const own = depth === 0 ? [] : [...path, element.name];
    for (let i = 0; i < wanted; i++) children.push(build(own, depth + 1));
    return { element, children, path: own, count: next - first + 1 };
  };
  const root = build([], 0);
  if (next !== elements.length) throw new DamagedPage("its schema has elements that belong to nothing");
  return root;
}

function columnsOf(root: SchemaTree): ParquetColumn[] {
  let index = 0;
  const names = new Set<string>();
  return root.children.map((tree) => {
    const name = tree.element.name;
    if (names.has(name)) throw new DamagedPage(`two columns are called "${name}"`);
    names.add(name);
    const leaves: { leaf: Leaf; schemaPath: SchemaTree[]; index: number }[] = [];
    const visit = (
      node: SchemaTree,
      schemaPath: SchemaTree[],
      definition: number,
      repetition: number,
    ): void => {
      const kind = node.element.repetition_type;
      if (kind === undefined)
        throw new DamagedPage(`the column "${name}" does not say whether it may be null`);
      const maxDefinition = definition + (kind === "REQUIRED" ? 0 : 1);
      const maxRepetition = repetition + (kind === "REPEATED" ? 1 : 0);
      const path = [...schemaPath, node];
      if (node.children.length > 0) {
        for (const child of node.children) visit(child, path, maxDefinition, maxRepetition);
        return;
      }
      const { type, type_length } = node.element;
      if (type === undefined) {
        // A group without children: it has no values at all.
        throw new DamagedPage(`the column "${node.path.join(".")}" has no type`);
      }
      const typeLength = type_length ?? 0;
      if (type === "FIXED_LEN_BYTE_ARRAY" && !(typeLength > 0))
        throw new DamagedPage(`"${name}" has no length`);
      leaves.push({
        leaf: { path: node.path, type: type as PhysicalType, typeLength, maxDefinition, maxRepetition },
        schemaPath: path,
        index: index++,
      });
    };
    visit(tree, [root], 0, 0);
    return { name, tree, leaves };
  });
}
