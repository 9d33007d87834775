import { parseCrs } from "../../crs/parse.ts";
import { type Crs, describeCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  type FeatureSource,
  type FeatureTable,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Bounds } from "../../model/grid.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { ByteWindow } from "../bytes/window.ts";
import { DbfDecoder, type DbfHeader, damagedDbf, readDbfHeader } from "./dbf.ts";
import { MAX_STEPS, TooManyRings } from "./rings.ts";
import { DamagedShape, damagedShp, MULTI_PATCH, NULL_SHAPE, ShapeDecoder, typesOfShape } from "./shapes.ts";

/** The files of a Shapefile. */
export interface ShapefileParts {
  readonly shp: ByteSource;
  readonly shx?: ByteSource | undefined;
  readonly dbf?: ByteSource | undefined;
  readonly prj?: ByteSource | undefined;
  readonly cpg?: ByteSource | undefined;
}

export interface ShapefileOptions {
  /** Encoding of the attributes, as a .cpg would name it; default what the files say. */
  readonly encoding?: string | undefined;
}

/** Rows per batch unless asked otherwise. */
const BATCH_ROWS = 8192;
/** A batch ends early when it has this many vertices. */
const BATCH_VERTICES = 1 << 20;
/** Read at once where shapes are scattered. */
const SCATTERED_BYTES = 65_536;
/** Largest .prj and .cpg that are looked at. */
const MAX_TEXT_BYTES = 1 << 20;
const HEADER_BYTES = 100;
const FILE_CODE = 9994;
const VERSION = 1000;

/**
 * Open a Shapefile. Reads the headers, the .prj and .cpg, and once through the .shx. Batches come in the order of the
 * records; memory is about one batch. `bounds` skip records by their boxes before anything of them is decoded.
 *
 * Lines and polygons of several parts become multi-geometries; rings are grouped into shells and holes by direction
 * and containment. Measures below -1e38 are NaN. Records that the .dbf marks as deleted are left out. Without .dbf there
 * are no attributes, without .prj no CRS, without .shx (or when it does not fit) records are read one after the
 * other; each is said in `warnings`.
 *
 * @throws GeoError `INVALID_FORMAT`; `UNSUPPORTED` for MultiPatch.
 */
export async function openShapefile(
  parts: ShapefileParts,
  options: ShapefileOptions = {},
): Promise<FeatureSource> {
  const { shp } = parts;
  const warnings = new Set<string>();
  const header = await readShpHeader(shp);
  if (header.type === MULTI_PATCH) {
    throw new GeoError(
      "UNSUPPORTED",
      `${shp.url} holds surfaces (MultiPatch); points, lines and polygons are read`,
      { feature: "Shapefile MultiPatch", path: shp.url },
      { hint: "Convert it to polygons with the program that made it." },
    );
  }
  const index = await readShx(parts.shx, shp, warnings);
  const cpg = options.encoding ?? (await textOf(parts.cpg));
  const dbf =
    parts.dbf === undefined ? null : { source: parts.dbf, header: await readDbfHeader(parts.dbf, cpg) };
  for (const warning of dbf?.header.warnings ?? []) warnings.add(warning);
  if (dbf === null) warnings.add(`${shp.url} has no .dbf: there are no attributes`);
  const count = index?.count ?? dbf?.header.count ?? null;
  if (dbf !== null && index !== null && dbf.header.count !== index.count) {
    warnings.add(`${shp.url} has ${index.count} shapes, its .dbf ${dbf.header.count} records`);
  }
  const schema: LayerSchema = {
    name: stem(shp.url),
    crs: await readPrj(parts.prj, shp.url, warnings),
    geometryTypes: typesOfShape(header.type),
    hasZ: header.type > 10 && header.type < 20,
    hasM: await measured(shp, header),
    fields: dbf?.header.columns.map(({ field }) => field) ?? [],
    count,
    bounds: count === 0 ? null : header.bounds,
  };
  return {
    url: shp.url,
    driver: "ESRI Shapefile",
    schema,
    layers: [schema.name],
    get warnings() {
      return [...warnings];
    },
    batches: (batchOptions = {}) =>
      readBatches(shp, header, index, dbf, schema.crs, batchOptions, (warning) => warnings.add(warning)),
    async close() {
      await Promise.all(Object.values(parts).map((part: ByteSource | undefined) => part?.close()));
    },
  };
}

/**
 * Open a .dbf alone, as a table without geometry.
 *
 * @throws GeoError `INVALID_FORMAT`, `UNSUPPORTED`
 */
export async function openDbf(bytes: ByteSource, options: ShapefileOptions = {}): Promise<FeatureSource> {
  const header = await readDbfHeader(bytes, options.encoding ?? null);
  const warnings = new Set(header.warnings);
  const name = stem(bytes.url);
  return {
    url: bytes.url,
    driver: "dBASE",
    schema: {
      name,
      crs: null,
      geometryTypes: [0],
      hasZ: false,
      hasM: false,
      fields: header.columns.map(({ field }) => field),
      count: header.count,
      bounds: null,
    },
    layers: [name],
    get warnings() {
      return [...warnings];
    },
    async *batches({ fields, signal, batchSize = BATCH_ROWS } = {}) {
      const decoder = new DbfDecoder(header, fields, (warning) => warnings.add(warning));
      const records = new Records(bytes, header, signal);
      const table = (rows: number, firstRow: number): FeatureTable => ({
        count: rows,
        geometry: null,
        columns: decoder.finish(),
        ids: null,
        firstRow,
        crs: null,
      });
      let rows = 0;
      let firstRow = 0;
      for (let row = 0; row < header.count; row++) {
        if (!records.has(row)) await records.load(row);
        if (records.deleted(row)) continue;
        if (rows === 0) firstRow = row;
        records.decode(row, decoder);
        if (++rows < batchSize) continue;
        yield table(rows, firstRow);
        rows = 0;
      }
      if (rows > 0) yield table(rows, firstRow);
    },
    close: () => bytes.close(),
  };
}

interface ShpHeader {
  readonly type: number;
  readonly bounds: Bounds | null;
  /** Offset behind the last record. */
  readonly end: number;
}

async function readShpHeader(shp: ByteSource): Promise<ShpHeader> {
  const bytes = await readExactly(shp, 0, Math.min(HEADER_BYTES, shp.size), "the header");
  if (bytes.length < HEADER_BYTES) throw damagedShp(shp.url, 0, `it has ${shp.size} bytes, a header has 100`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const code = view.getInt32(0);
  const version = view.getInt32(28, true);
  if (code !== FILE_CODE) throw damagedShp(shp.url, 0, `it begins with ${code}, expected ${FILE_CODE}`);
  if (version !== VERSION) throw damagedShp(shp.url, 28, `it is of version ${version}, expected ${VERSION}`);
  const type = view.getInt32(32, true);
  if (![0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28, MULTI_PATCH].includes(type))
    throw damagedShp(shp.url, 32, `it holds shapes of the unknown type ${type}`);
  const bounds = [36, 44, 52, 60].map((at) => view.getFloat64(at, true)) as [number, number, number, number];
  const claimed = 2 * view.getUint32(24);
  return {
    type,
    bounds: bounds.every(Number.isFinite) && bounds[0] <= bounds[2] && bounds[1] <= bounds[3] ? bounds : null,
    end: claimed >= HEADER_BYTES && claimed <= shp.size ? claimed : shp.size,
  };
}

/** Where records lie. */
interface ShxIndex {
  readonly count: number;
  /** Offsets in bytes; `null` when the records follow one another, as nearly always. */
  readonly offsets: Float64Array | null;
}

/** The .shx, or `null` when there is none or when it does not fit the .shp. */
async function readShx(
  shx: ByteSource | undefined,
  shp: ByteSource,
  warnings: Set<string>,
): Promise<ShxIndex | null> {
  if (shx === undefined) {
    warnings.add(`${shp.url} has no .shx: its shapes are read one after the other`);
    return null;
  }
  const broken = (what: string): null => {
    warnings.add(`${shx.url} does not fit: ${what}; the shapes are read one after the other`);
    return null;
  };
  if (shx.size < HEADER_BYTES) return broken(`it has ${shx.size} bytes`);
  const head = await readExactly(shx, 0, HEADER_BYTES, "the header");
  if (new DataView(head.buffer, head.byteOffset).getInt32(0) !== FILE_CODE)
    return broken("it is no index of a Shapefile");
  const count = Math.floor((shx.size - HEADER_BYTES) / 8);
  const window = new ByteWindow(shx);
  let offsets: Float64Array | null = null;
  let next = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + 8 * i;
    if (!window.has(at, 8)) await window.move(at, 8, "the index");
    const offset = 2 * window.view.getUint32(at - window.start);
    const length = 2 * window.view.getUint32(at - window.start + 4);
    if (offset < HEADER_BYTES || offset + 12 > shp.size)
      return broken(`it puts shape ${i} at byte ${offset} of ${shp.size}`);
    if (offsets === null && offset !== next) {
      // Shapes that were changed in place lie elsewhere. From here on every offset is kept.
      offsets = new Float64Array(count);
      for (let k = 0; k < i; k++) offsets[k] = await offsetOf(shx, k);
    }
    if (offsets !== null) offsets[i] = offset;
    next = offset + 8 + length;
  }
  // Records that do not end where the index says are found by their own lengths.
  if (offsets === null && count > 0 && next > shp.size)
    return broken("it reaches beyond the end of the .shp");
  return { count, offsets };
}

async function offsetOf(shx: ByteSource, i: number): Promise<number> {
  const bytes = await readExactly(shx, HEADER_BYTES + 8 * i, 4, "the index");
  return 2 * new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Whether measures are to be expected: whether the first shape that is not null has one. */
async function measured(shp: ByteSource, header: ShpHeader): Promise<boolean> {
  if (header.type < 10) return false;
  const window = new ByteWindow(shp, 65_536);
  const decoder = new ShapeDecoder(new GeometryBuilder(), () => {});
  for (let at = HEADER_BYTES; at + 12 <= header.end; ) {
    if (!window.has(at, 12)) await window.move(at, 12, "a shape");
    const length = 2 * window.view.getUint32(at - window.start + 4);
    if (length < 4 || at + 8 + length > shp.size) return false;
    if (window.view.getInt32(at - window.start + 8, true) !== NULL_SHAPE) {
      if (!window.has(at, 8 + length)) await window.move(at, 8 + length, "a shape");
      return decoder.hasMeasure(window.view, at - window.start + 8, length);
    }
    at += 8 + length;
  }
  return header.type > 20;
}

async function readPrj(prj: ByteSource | undefined, url: string, warnings: Set<string>): Promise<Crs | null> {
  const text = await textOf(prj);
  if (text === null || text.trim() === "") {
    warnings.add(`${url} has no .prj: its coordinate reference system is not known`);
    return null;
  }
  try {
    return parseCrs(text);
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    const crs: Crs = {
      code: null,
      name: /^\s*\w+\s*\[\s*"([^"]*)"/.exec(text)?.[1] ?? "",
      kind: "unknown",
      proj4: null,
      definition: text.trim(),
      unit: { name: "unknown", kind: "length", factor: 1 },
      axisOrder: "xy",
      area: null,
    };
    warnings.add(`${url} is in ${describeCrs(crs)}, which is not understood: ${error.message}`);
    return crs;
  }
}

async function textOf(source: ByteSource | undefined): Promise<string | null> {
  if (source === undefined) return null;
  const bytes = await source.read(0, Math.min(source.size, MAX_TEXT_BYTES));
  return new TextDecoder().decode(bytes);
}

function stem(url: string): string {
  return url.replace(/^.*[/\\]/, "").replace(/\.[^.]*$/, "");
}

/** Records of a .dbf, a chunk at a time. */
class Records {
  readonly #source: ByteSource;
  readonly #header: DbfHeader;
  readonly #signal: AbortSignal | undefined;
  readonly #window: ByteWindow;

  constructor(source: ByteSource, header: DbfHeader, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#header = header;
    this.#signal = signal;
    this.#window = new ByteWindow(source);
  }

  has(row: number): boolean {
    const { start, recordBytes } = this.#header;
    return this.#window.has(start + row * recordBytes, recordBytes);
  }

  /** Move to a record; the last one may be cut. */
  async load(row: number): Promise<void> {
    const { start, recordBytes } = this.#header;
    const at = start + row * recordBytes;
    if (at >= this.#source.size) throw damagedDbf(this.#source.url, at, `record ${row} is missing`);
    const length = Math.min(recordBytes, this.#source.size - at);
    if (!this.#window.has(at, length)) await this.#window.move(at, length, `record ${row}`, this.#signal);
  }

  /** Whether the record bears the mark of deletion. */
  deleted(row: number): boolean {
    return this.#window.bytes[this.#at(row)] === 42;
  }

  decode(row: number, decoder: DbfDecoder): void {
    const { bytes, view } = this.#window;
    decoder.record(bytes, view, this.#at(row), bytes.length);
  }

  #at(row: number): number {
    return this.#header.start + row * this.#header.recordBytes - this.#window.start;
  }
}

async function* readBatches(
  shp: ByteSource,
  header: ShpHeader,
  index: ShxIndex | null,
  dbf: { readonly source: ByteSource; readonly header: DbfHeader } | null,
  crs: Crs | null,
  options: BatchOptions,
  note: (warning: string) => void,
): AsyncGenerator<FeatureTable> {
  const { bounds, fields, signal, batchSize = BATCH_ROWS } = options;
  signal?.throwIfAborted();
  const geometry = new GeometryBuilder();
  const shapes = new ShapeDecoder(geometry, note);
  const decoder = dbf === null ? null : new DbfDecoder(dbf.header, fields, note);
  const records = dbf === null ? null : new Records(dbf.source, dbf.header, signal);
  const recordCount = dbf === null ? 0 : dbf.header.count;
  const window = new ByteWindow(shp);
  const offsets = index?.offsets ?? null;
  const count = index?.count ?? Number.POSITIVE_INFINITY;
  const finish = (): FeatureTable => {
    const rows = geometry.rows;
    const table: FeatureTable = {
      count: rows,
      geometry: geometry.finish(),
      columns: decoder?.finish() ?? [],
      ids: null,
      firstRow,
      crs,
    };
    // Boxes in the file may be larger than what they hold.
    return bounds === undefined ? table : selectBatch(table, { bounds });
  };
  let firstRow = 0;
  let offset = HEADER_BYTES;
  let bytesRead = 0;
  // Shapes that are not in the order of the file are fetched with less around them.
  const ahead = offsets === null ? undefined : SCATTERED_BYTES;
  for (let row = 0; row < count; row++) {
    if (offsets !== null) offset = offsets[row]!;
    else if (index === null && offset + 8 > header.end) break;
    if (offset + 8 > shp.size) throw damagedShp(shp.url, offset, `shape ${row} of ${count} is missing`);
    if (!window.has(offset, 8)) await window.move(offset, 8, `shape ${row}`, signal, ahead);
    const length = 2 * window.view.getUint32(offset - window.start + 4);
    if (length < 4 || offset + 8 + length > shp.size) {
      throw damagedShp(shp.url, offset, `shape ${row} claims ${length} bytes`);
    }
    if (!window.has(offset, 8 + length)) await window.move(offset, 8 + length, `shape ${row}`, signal, ahead);
    bytesRead += length;
    if (bytesRead > 2 * shp.size)
      throw damagedShp(shp.url, offset, "its .shx names the same shapes again and again");
    const at = offset - window.start + 8;
    offset += 8 + length;
    if (bounds !== undefined && !shapes.meets(window.view, at, length, bounds)) continue;
    if (records !== null && row < recordCount) {
      if (!records.has(row)) await records.load(row);
      if (records.deleted(row)) continue;
    }
    if (geometry.rows === 0) firstRow = row;
    try {
      shapes.decode(window.view, at, length);
    } catch (error) {
      if (error instanceof TooManyRings) {
        throw new GeoError(
          "LIMIT",
          `${shp.url}: shape ${row}: ${error.message}`,
          { what: "steps to sort out rings", needed: MAX_STEPS + 1, allowed: MAX_STEPS, path: shp.url },
          { hint: "Split the shape, or write it as GeoPackage or GeoJSON, which say what holds what." },
        );
      }
      if (!(error instanceof DamagedShape)) throw error;
      throw damagedShp(shp.url, window.start + at - 8, `shape ${row}: ${error.message}`);
    }
    if (decoder !== null) {
      if (row < recordCount) records!.decode(row, decoder);
      else decoder.missing();
    }
    if (geometry.rows >= batchSize || geometry.vertices >= BATCH_VERTICES) {
      const batch = finish();
      if (batch.count > 0) yield batch;
    }
  }
  if (geometry.rows > 0) {
    const batch = finish();
    if (batch.count > 0) yield batch;
  }
}
