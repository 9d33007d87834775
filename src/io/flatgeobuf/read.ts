import { GeoError } from "../../model/errors.ts";
import type { BatchOptions, FeatureSource, FeatureTable, LayerSchema } from "../../model/features.ts";
import type { GeometryType } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { ByteWindow } from "../bytes/window.ts";
import { checkCells } from "../text/cells.ts";
import { IsoTimeReader } from "../text/iso-time.ts";
import { FeatureDecoder, unsupportedType } from "./decode.ts";
import { DamagedBuffer } from "./flatbuffer.ts";
import { DATE_TIME, damaged, type FgbColumn, type FgbHeader, modelType, readHeader } from "./header.ts";
import { indexBytes, searchIndex } from "./packed-rtree.ts";

/** Rows per batch unless asked otherwise. */
const BATCH_ROWS = 8192;
/** A batch ends early when it has this many vertices. */
const BATCH_VERTICES = 1 << 20;
/** And when it has this many cells: nulls take no room in the file, but they do in a column. */
const BATCH_CELLS = 1 << 21;
/** Features that an index found are read together when not more than this many bytes lie between them. */
const GAP_BYTES = 65_536;
/** A run of such features is cut at this length. */
const MAX_RUN_BYTES = 1 << 21;
/** Read for a feature whose length is not known. */
const GUESS_BYTES = 4096;
/** Bytes looked at when opening, to learn whether times have zones. */
const PEEK_BYTES = 65_536;
/** Bytes of the smallest feature: size, root offset, list of fields, table. */
const MIN_FEATURE_BYTES = 16;

/**
 * Open a FlatGeobuf file, version 3. Reads the header only (and a first piece of the features when there are columns
 * of times). With an index, `bounds` read the nodes and features that may meet them and nothing else; without one the
 * file is read through. Batches come in file order and hold at most `batchSize` rows; memory is about one batch.
 *
 * Attributes: 8 to 32-bit integers are `int32`, unsigned 32-bit and 64-bit ones `int64`, unsigned 64-bit ones
 * `float64` as in GDAL, `datetime` columns are UTC or local as their first value is. Times of vertices are dropped.
 * Triangles are read as polygons; curves and other surfaces are refused.
 *
 * @throws GeoError `INVALID_FORMAT`; `UNSUPPORTED` for other versions and for curves; `CRS_UNKNOWN` never: a system
 * that is not understood is kept as text, with a warning.
 */
export async function openFlatGeobuf(bytes: ByteSource): Promise<FeatureSource> {
  const header = await readHeader(bytes);
  const { url, size } = bytes;
  if (modelType(header.geometryType) < 0) throw unsupportedType(url, header.geometryType);
  const { featuresCount: count, nodeSize } = header;
  // Before any arithmetic on the index: each feature takes a few bytes at least.
  if (count > size / MIN_FEATURE_BYTES) {
    throw damaged(url, 12, `the header claims ${count} features, more than ${size} bytes can hold`);
  }
  const start = header.end + (nodeSize === 0 ? 0 : indexBytes(count, nodeSize));
  if (start > size || (count > 0 && start + MIN_FEATURE_BYTES * count > size)) {
    throw damaged(url, header.end, `an index over ${count} features does not fit in ${size} bytes`);
  }
  const warnings = new Set(header.warnings);
  if (header.hasT) warnings.add("times of vertices are not read");
  const columns = await withZones(bytes, header, start);
  const schema: LayerSchema = {
    name: header.name === "" ? stem(url) : header.name,
    crs: header.crs,
    geometryTypes: declaredTypes(header.geometryType),
    hasZ: header.hasZ,
    hasM: header.hasM,
    fields: columns.map(({ field }) => field),
    count: count > 0 ? count : start === size ? 0 : null,
    bounds: header.bounds ?? (await rootBounds(bytes, header)),
  };
  return {
    url,
    driver: "FlatGeobuf",
    schema,
    layers: [schema.name],
    get warnings() {
      return [...warnings];
    },
    batches: (options = {}) =>
      readBatches(bytes, header, columns, start, options, (warning) => warnings.add(warning)),
    close: () => bytes.close(),
  };
}

function declaredTypes(type: number): readonly GeometryType[] {
  return type === 0 ? [] : [modelType(type) as GeometryType];
}

function stem(url: string): string {
  return url.replace(/^.*[/\\]/, "").replace(/\.[^.]*$/, "");
}

/** Bounds of the layer from the root of the index, for writers that leave the envelope out. */
async function rootBounds(source: ByteSource, header: FgbHeader): Promise<Bounds | null> {
  if (header.nodeSize === 0) return null;
  const bytes = await readExactly(source, header.end, 32, "the index");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  const bounds = [0, 8, 16, 24].map((at) => view.getFloat64(at, true)) as [number, number, number, number];
  return bounds.every(Number.isFinite) && bounds[0] <= bounds[2] && bounds[1] <= bounds[3] ? bounds : null;
}

/** The columns, those of times with their zone: that of the first value within the first bytes; UTC if there is none. */
async function withZones(
  source: ByteSource,
  header: FgbHeader,
  start: number,
): Promise<readonly FgbColumn[]> {
  const { columns } = header;
  if (!columns.some(({ field }) => field.type === "datetime")) return columns;
  const length = Math.min(PEEK_BYTES, source.size - start);
  const window = new ByteWindow(source);
  await window.move(start, length, "the first features", undefined, length);
  // Read as text first: what the text means is what is to be found out.
  const asText = columns.map(({ type, field }): FgbColumn => {
    const { name } = field;
    return { type, field: type === DATE_TIME ? { name, type: "string", nullable: true } : field };
  });
  const decoder = new FeatureDecoder(source.url, header, asText, undefined, () => {});
  try {
    for (let at = 0; at + 4 <= length; ) {
      const size = window.view.getUint32(at, true);
      if (size < 8 || at + 4 + size > length) break;
      decoder.decode(window, start + at + 4, size, undefined);
      at += 4 + size;
    }
  } catch (error) {
    // Found again, and reported, when the features are read.
    if (!(error instanceof DamagedBuffer || error instanceof GeoError)) throw error;
  }
  const cells = decoder.finish(0).columns;
  const time = new IsoTimeReader();
  return columns.map((column, i) => {
    const cell = cells[i]!;
    if (column.field.type !== "datetime" || cell.type !== "string") return column;
    const { offsets, bytes } = cell.values;
    let zone: "utc" | "local" = "utc";
    for (let row = 0; row + 1 < offsets.length; row++) {
      if (Number.isNaN(time.read(bytes, offsets[row]!, offsets[row + 1]!))) continue;
      if (!time.zoned) zone = "local";
      break;
    }
    return { ...column, field: { ...column.field, zone } };
  });
}

async function* readBatches(
  source: ByteSource,
  header: FgbHeader,
  columns: readonly FgbColumn[],
  start: number,
  options: BatchOptions,
  note: (warning: string) => void,
): AsyncGenerator<FeatureTable> {
  const { bounds, fields, signal, batchSize = BATCH_ROWS } = options;
  const decoder = new FeatureDecoder(source.url, header, columns, fields, note);
  const window = new ByteWindow(source);
  const mostRows = Math.max(1, Math.min(batchSize, Math.floor(BATCH_CELLS / Math.max(1, columns.length))));
  const full = (): boolean => decoder.rows >= mostRows || decoder.geometry.vertices >= BATCH_VERTICES;
  let firstRow = 0;
  // Features name the columns that they have a value for, so few bytes may stand for very many nulls.
  const wide = (fields ?? columns).length;
  if (bounds === undefined) checkCells(source.url, header.featuresCount, wide, source.size);
  let rows = 0;

  function finish(): FeatureTable {
    rows += decoder.rows;
    checkCells(source.url, rows, wide, source.size);
    return decoder.finish(firstRow);
  }

  /** Size of the feature at `offset`, which is then in the window; `ahead` bytes from there will be wanted. */
  async function load(offset: number, row: number, ahead?: number): Promise<number> {
    if (!window.has(offset, 4)) await window.move(offset, 4, `feature ${row}`, signal, ahead);
    const size = window.view.getUint32(offset - window.start, true);
    if (size < 8 || offset + 4 + size > source.size) {
      throw damaged(source.url, offset, `feature ${row} claims ${size} bytes`);
    }
    if (!window.has(offset, 4 + size)) await window.move(offset, 4 + size, `feature ${row}`, signal, ahead);
    return size;
  }

  function decode(offset: number, size: number, row: number): void {
    try {
      if (decoder.rows === 0) firstRow = row;
      decoder.decode(window, offset + 4, size, bounds);
    } catch (error) {
      if (error instanceof DamagedBuffer)
        throw damaged(source.url, offset, `in feature ${row}, ${error.message}`);
      throw error;
    }
  }

  signal?.throwIfAborted();
  if (bounds !== undefined && header.nodeSize > 0) {
    const { featuresCount, nodeSize } = header;
    const groups = searchIndex(source, header.end, featuresCount, nodeSize, bounds, signal);
    for await (const { offsets, ends, rows } of groups) {
      let runEnd = 0;
      for (let i = 0; i < offsets.length; i++) {
        const offset = start + offsets[i]!;
        if (offset + MIN_FEATURE_BYTES > source.size)
          throw damaged(source.url, header.end, `its index puts feature ${rows[i]} at byte ${offset}`);
        if (offset >= runEnd) runEnd = endOfRun(source, start, offsets, ends, i);
        const size = await load(offset, rows[i]!, Math.max(4, runEnd - offset));
        decode(offset, size, rows[i]!);
        if (full()) yield finish();
      }
    }
  } else {
    const { featuresCount } = header;
    const until = featuresCount > 0 ? featuresCount : Number.POSITIVE_INFINITY;
    let offset = start;
    for (let row = 0; row < until; row++) {
      if (featuresCount === 0 && offset === source.size) break;
      if (offset + 4 > source.size)
        throw damaged(source.url, offset, `it ends after ${row} of ${featuresCount || "?"} features`);
      // Whole features in the window are the common case and need no waiting.
      let size = window.has(offset, 4) ? window.view.getUint32(offset - window.start, true) : 0;
      if (size < 8 || !window.has(offset, 4 + size)) size = await load(offset, row);
      decode(offset, size, row);
      offset += 4 + size;
      if (full()) yield finish();
    }
  }
  if (decoder.rows > 0) yield finish();
}

/** Where to stop reading for hit `i` and those that lie close behind it, a few chunks at the most. */
function endOfRun(
  source: ByteSource,
  start: number,
  offsets: readonly number[],
  ends: readonly number[],
  i: number,
): number {
  const first = offsets[i]!;
  let end = first;
  for (let k = i; k < offsets.length; k++) {
    if (offsets[k]! > end + GAP_BYTES || offsets[k]! - first > MAX_RUN_BYTES) break;
    // A feature whose end is not known is read with a guess, and again should it be longer.
    end = ends[k]! > offsets[k]! ? ends[k]! : offsets[k]! + GUESS_BYTES;
  }
  return Math.min(source.size, start + Math.min(end, first + 2 * MAX_RUN_BYTES));
}
