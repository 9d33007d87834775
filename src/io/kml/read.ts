import { GeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  ColumnBuilder,
  type FeatureSource,
  type FeatureTable,
  type Field,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { fieldOf, GEOJSON_CRS, parseIso, SEEN_TEXT, textKind } from "../../model/geojson.ts";
import type { GeometryType } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { memoryBytes } from "../bytes/memory.ts";
import type { ByteSource } from "../bytes/source.ts";
import { readError } from "../read-errors.ts";
import { checkCells } from "../text/cells.ts";
import { fileName } from "../text/file-name.ts";
import { UniqueNames } from "../text/names.ts";
import { fromWindows1252 } from "../text/windows-1252.ts";
import { openZip } from "../zip.ts";
import { placemarkType, pushPlacemark } from "./geometry.ts";
import { KmlParser, OWN, type Placemark } from "./parse.ts";

const BLOCK_BYTES = 1 << 16;
const MAX_FIELDS = 10_000;
const TIMES = new Set(["timestamp", "begin", "end"]);

export interface KmlOptions {
  /** Layer to read: the name of a Document or Folder; default the first that has placemarks. */
  readonly layer?: string | undefined;
}

interface LayerFacts {
  name: string;
  count: number;
  types: number;
  hasZ: boolean;
  hasIds: boolean;
  /** Bits seen of each attribute, in order of appearance. */
  readonly seen: Map<string, number>;
  /** Types of the attributes that its schemas declare. */
  readonly declared: Map<string, string>;
  readonly schemas: Set<string>;
}

/** A KML document with layers; a KMZ may have several. */
interface KmlDocument {
  readonly bytes: ByteSource;
  readonly encoding: Encoding;
  readonly layers: readonly LayerFacts[];
  readonly parser: KmlParser;
}

/**
 * Open KML, or the KML document inside a KMZ. Each Document or Folder with placemarks of its own is a layer. The file is read
 * through once here to learn the layers and again by {@link FeatureSource.batches}. Memory: a batch and the longest text
 * between two tags; a KMZ is unpacked into memory.
 *
 * - Geometry: Point, LineString, LinearRing (as a line), Polygon, MultiGeometry (of one kind as that multi-type, else as a
 *   collection), gx:Track and gx:MultiTrack (as lines). Altitude is Z. Rings that are not closed are closed, with a warning.
 * - Attributes: `name`, `description`, `timestamp`, `begin`, `end`, and all of ExtendedData; SimpleData has the type of
 *   its Schema, Data is text. The `id` of a placemark is the id of the feature.
 * - CRS: EPSG:4326 (KML knows no other). Linked files, overlays and models are not read, with a warning.
 *
 * @throws GeoError `INVALID_FORMAT` with line and column for XML that is not well-formed, documents that declare entities and
 * coordinates that are not numbers; `INVALID_INPUT` for a layer that is not there.
 */
export async function openKml(bytes: ByteSource, options: KmlOptions = {}): Promise<FeatureSource> {
  try {
    const head = await bytes.read(0, 4);
    const zipped = head[0] === 0x50 && head[1] === 0x4b;
    const documents = zipped ? await zippedDocuments(bytes) : [await learn(bytes, bytes.url)];
    nameLayers(documents, fileName(bytes.url));
    return new KmlSource(bytes, documents, zipped ? "KMZ" : "KML", options);
  } catch (error) {
    throw readError(bytes.url, error);
  }
}

/** Read a document through, to learn its layers. */
async function learn(bytes: ByteSource, url: string): Promise<KmlDocument> {
  const encoding = await encodingOf(bytes);
  const layers: LayerFacts[] = [];
  const parser: KmlParser = new KmlParser(url, (placemark) => note(layers, placemark, parser, url));
  for await (const text of textOf(bytes, encoding)) parser.write(text);
  parser.end();
  for (const { count, seen } of layers) checkCells(url, count, seen.size, bytes.size);
  return { bytes, encoding, layers, parser };
}

/**
 * The KML of a KMZ: `doc.kml` or else the first .kml in it; and where that has no placemarks of its own, the documents in
 * the archive that it links to (GDAL puts each layer into one).
 */
async function zippedDocuments(bytes: ByteSource): Promise<readonly KmlDocument[]> {
  const archive = await openZip(bytes);
  const names = archive.entries
    .map(({ name }) => name)
    .filter((one) => /\.kml$/i.test(one) && !one.startsWith("__MACOSX/"));
  const name = names.find((one) => /(^|\/)doc\.kml$/i.test(one)) ?? names[0];
  if (name === undefined) {
    throw new GeoError(
      "INVALID_FORMAT",
      `${bytes.url} holds no .kml file, expected one as in any KMZ`,
      { format: "KMZ", path: bytes.url },
      { hint: "Check that this is the file you mean." },
    );
  }
  const first = await learn(memoryBytes(await archive.read(name), bytes.url), bytes.url);
  if (first.layers.length > 0) return [first];
  const linked: KmlDocument[] = [];
  for (const link of new Set(first.parser.links)) {
    if (!names.includes(link) || link === name) continue;
    linked.push(await learn(memoryBytes(await archive.read(link), bytes.url), `${bytes.url}/${link}`));
  }
  return linked.length > 0 ? linked : [first];
}

type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

async function encodingOf(bytes: ByteSource): Promise<Encoding> {
  const head = await bytes.read(0, 256);
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const declared = /^[^>]*encoding\s*=\s*["']([\w-]+)["']/.exec(new TextDecoder().decode(head))?.[1];
  switch (declared?.toLowerCase()) {
    case undefined:
    case "utf-8":
    case "utf8":
    case "us-ascii":
    case "ascii":
      return "utf-8";
    case "iso-8859-1":
    case "latin1":
    case "windows-1252":
    case "cp1252":
      return "windows-1252";
    default:
      throw new GeoError(
        "UNSUPPORTED",
        `${bytes.url} is in the encoding ${declared}, expected UTF-8, UTF-16 or Windows-1252`,
        { feature: `KML in ${declared}`, path: bytes.url },
        { hint: "Save it as UTF-8." },
      );
  }
}

async function* textOf(bytes: ByteSource, encoding: Encoding): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding === "windows-1252" ? "utf-8" : encoding, { fatal: true });
  for (let at = 0; at < bytes.size; at += BLOCK_BYTES) {
    const block = await bytes.read(at, BLOCK_BYTES);
    const last = at + BLOCK_BYTES >= bytes.size;
    let text: string;
    try {
      text = decoder.decode(encoding === "windows-1252" ? fromWindows1252(block) : block, { stream: !last });
    } catch (error) {
      throw new GeoError(
        "INVALID_FORMAT",
        `${bytes.url} has bytes near ${at} that are not ${encoding.toUpperCase()} text, which its first line promises`,
        { format: "KML", path: bytes.url, offset: at },
        {
          cause: error,
          hint: 'Write the true encoding into the first line, as in <?xml version="1.0" encoding="ISO-8859-1"?>.',
        },
      );
    }
    yield text;
  }
}

function note(layers: LayerFacts[], placemark: Placemark, parser: KmlParser, url: string): void {
  let facts = layers[placemark.layer];
  if (facts === undefined) {
    facts = {
      name: "",
      count: 0,
      types: 0,
      hasZ: false,
      hasIds: false,
      seen: new Map(),
      declared: new Map(),
      schemas: new Set(),
    };
    layers[placemark.layer] = facts;
  }
  facts.count++;
  facts.hasIds ||= placemark.id !== null;
  facts.types |= 1 << placemarkType(placemark.parts, placemark.multi);
  for (const { rings } of placemark.parts) {
    for (const ring of rings)
      for (let k = 2; k < ring.length; k += 3) if (!Number.isNaN(ring[k]!)) facts.hasZ = true;
  }
  const { values, schemas } = placemark;
  const isNew = schemas.some((schema) => !facts.schemas.has(schema));
  if (isNew) {
    // KML's own attributes first, then those of the schema in its order, with a value or without.
    for (const name of values.keys()) if (OWN.has(name)) facts.seen.set(name, facts.seen.get(name) ?? 0);
    for (const schema of schemas) {
      if (facts.schemas.has(schema)) continue;
      facts.schemas.add(schema);
      for (const [name, type] of parser.fieldsOf(schema)) {
        facts.seen.set(name, facts.seen.get(name) ?? 0);
        facts.declared.set(name, type);
      }
    }
  }
  for (const [name, text] of values) {
    const kind = TIMES.has(name) ? textKind(text) : SEEN_TEXT;
    facts.seen.set(name, (facts.seen.get(name) ?? 0) | kind);
  }
  if (facts.seen.size > MAX_FIELDS) {
    throw new GeoError(
      "LIMIT",
      `${url} has placemarks with more than ${MAX_FIELDS} different attributes`,
      { what: "attributes", needed: facts.seen.size, allowed: MAX_FIELDS, path: url },
      { hint: "Put values into one attribute instead of making each value a name of its own." },
    );
  }
}

/** Names as the file gives them; missing ones after the file, repeated ones with a number. */
function nameLayers(documents: readonly KmlDocument[], fallback: string): void {
  const unique = new UniqueNames();
  for (const { layers, parser } of documents) {
    for (const [k, facts] of layers.entries()) {
      const given = parser.layers[k]!.name;
      const base = given === null || given === "" ? fallback : given;
      facts.name = unique.take(base);
    }
  }
}

/** Type of a SimpleField in the schema of the file; `null` for one that KML does not know. */
function schemaType(type: string): Field["type"] | null {
  switch (type.toLowerCase().replace(/^xsd:/, "")) {
    case "int":
    case "short":
    case "ushort":
      return "int32";
    case "uint":
      return "int64";
    case "float":
    case "double":
      return "float64";
    case "bool":
    case "boolean":
      return "boolean";
    case "string":
      return "string";
    default:
      return null;
  }
}

class KmlSource implements FeatureSource {
  readonly url: string;
  readonly driver: string;
  readonly schema: LayerSchema;
  readonly layers: readonly string[];
  readonly warnings: readonly string[];
  readonly #bytes: ByteSource;
  readonly #document: KmlDocument;
  readonly #layer: number;
  readonly #hasIds: boolean;

  constructor(
    bytes: ByteSource,
    documents: readonly KmlDocument[],
    driver: "KML" | "KMZ",
    { layer: wanted }: KmlOptions,
  ) {
    this.url = bytes.url;
    this.driver = driver;
    this.#bytes = bytes;
    const layers = documents.flatMap((document) =>
      document.layers.map((facts, k) => ({ document, facts, k })),
    );
    this.layers = layers.length === 0 ? [fileName(bytes.url)] : layers.map(({ facts }) => facts.name);
    const position = wanted === undefined ? 0 : this.layers.indexOf(wanted);
    if (position < 0) {
      throw new GeoError(
        "INVALID_INPUT",
        `${bytes.url} has no layer "${wanted}"`,
        { path: "layer", expected: this.layers.join(", ") },
        { hint: `It has: ${this.layers.join(", ")}.` },
      );
    }
    const layer = layers[position];
    const facts = layer?.facts;
    this.#document = layer?.document ?? documents[0]!;
    this.#layer = layer?.k ?? 0;
    this.#hasIds = facts?.hasIds === true;
    const types: GeometryType[] = [];
    for (let type = 1; type <= 7; type++)
      if (facts !== undefined && (facts.types & (1 << type)) !== 0) types.push(type as GeometryType);
    this.schema = {
      name: this.layers[position]!,
      crs: GEOJSON_CRS,
      geometryTypes: types,
      hasZ: facts?.hasZ === true,
      hasM: false,
      fields: [...(facts?.seen ?? [])].map(([name, seen]) => {
        const declared = facts?.declared.get(name);
        const type = declared === undefined ? null : schemaType(declared);
        return type === null ? fieldOf(name, seen) : { name, type, nullable: true };
      }),
      count: facts?.count ?? 0,
      bounds: null,
    };
    const warnings: string[] = [];
    const { parser } = this.#document;
    if (parser.closedRings > 0)
      warnings.push(`${parser.closedRings} rings were not closed and have been closed`);
    for (const [name, count] of parser.skipped)
      warnings.push(`${count} ${name} elements hold no vector data here and were left out`);
    if (this.layers.length > 1 && wanted === undefined)
      warnings.push(
        `the file has ${this.layers.length} layers (${this.layers.slice(0, 10).join(", ")}); this is "${this.schema.name}"`,
      );
    this.warnings = warnings;
  }

  async *batches(options: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    const { signal, fields: names, batchSize = 8192 } = options;
    const all = this.schema.fields;
    const fields =
      names === undefined ? all : names.flatMap((name) => all.find((f) => f.name === name) ?? []);
    const ready: FeatureTable[] = [];
    const rows = new PlacemarkRows(fields, this.#hasIds, this.url);
    let firstRow = 0;
    const finish = (): void => {
      const batch = rows.finish(firstRow);
      firstRow += batch.count;
      ready.push(selectBatch(batch, { bounds: options.bounds }));
    };
    const parser = new KmlParser(this.url, (placemark) => {
      if (placemark.layer !== this.#layer) return;
      rows.push(placemark);
      if (rows.count >= batchSize) finish();
    });
    for await (const text of textOf(this.#document.bytes, this.#document.encoding)) {
      signal?.throwIfAborted();
      parser.write(text);
      yield* ready.splice(0);
    }
    parser.end();
    if (rows.count > 0) finish();
    yield* ready;
  }

  async close(): Promise<void> {
    await this.#bytes.close();
  }
}

class PlacemarkRows {
  readonly #columns: readonly ColumnBuilder[];
  readonly #builder = new GeometryBuilder();
  readonly #hasIds: boolean;
  readonly #url: string;
  #ids: (string | null)[] = [];
  count = 0;

  constructor(fields: readonly Field[], hasIds: boolean, url: string) {
    this.#columns = fields.map((field) => new ColumnBuilder(field));
    this.#hasIds = hasIds;
    this.#url = url;
  }

  push({ id, values, parts, multi }: Placemark): void {
    this.count++;
    this.#ids.push(id);
    pushPlacemark(this.#builder, parts, multi);
    for (const column of this.#columns) {
      const text = values.get(column.field.name);
      if (text === undefined || (text === "" && column.field.type !== "string")) column.pushNull();
      else this.#cell(column, text);
    }
  }

  #cell(column: ColumnBuilder, text: string): void {
    const { name, type } = column.field;
    switch (type) {
      case "string":
        column.pushText(text);
        return;
      case "boolean":
        if (/^(true|false|1|0)$/i.test(text)) {
          column.pushNumber(/^(true|1)$/i.test(text) ? 1 : 0);
          return;
        }
        break;
      case "int32":
      case "int64": {
        if (!/^[-+]?\d{1,18}$/.test(text)) break;
        const value = Number(text);
        if (type === "int64") column.pushBigInt(BigInt(text.replace("+", "")));
        else if (value === (value | 0)) column.pushNumber(value);
        else break;
        return;
      }
      case "float64": {
        const value = Number(text);
        if (Number.isNaN(value) && !/^nan$/i.test(text)) break;
        column.pushNumber(value);
        return;
      }
      default: {
        const ms = parseIso(text);
        if (Number.isNaN(ms)) break;
        column.pushNumber(ms);
        return;
      }
    }
    throw new GeoError(
      "INVALID_FORMAT",
      `${this.#url}: found ${JSON.stringify(text.slice(0, 40))} in "${name}", expected ${type} as the Schema says`,
      { format: "KML", path: this.#url },
      { hint: `Correct the value, or declare "${name}" as string in the Schema.` },
    );
  }

  finish(firstRow: number): FeatureTable {
    const { count } = this;
    const ids = this.#hasIds ? this.#ids : null;
    this.count = 0;
    this.#ids = [];
    return {
      count,
      geometry: this.#builder.finish(),
      columns: this.#columns.map((column) => column.finish()),
      ids,
      firstRow,
      crs: GEOJSON_CRS,
    };
  }
}
