import { parseCrs } from "../../crs/parse.ts";
import type { Crs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  type FeatureSource,
  type FeatureTable,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { fieldOf, GEOJSON_CRS } from "../../model/geojson.ts";
import type { GeometryType } from "../../model/geometry.ts";
import type { ByteSource } from "../bytes/source.ts";
import { readError } from "../read-errors.ts";
import { fileName } from "../text/file-name.ts";
import { BatchReader } from "./batch.ts";
import { JsonCursor } from "./json-cursor.ts";
import { type GeoJsonScan, scanGeoJson } from "./scan.ts";

/**
 * Vertices after which a batch ends early. Measured by bench/geojson-read: batches of half a megabyte are freed while they
 * are young, larger ones pile up to 50 MB more before the collector comes.
 */
const MAX_BATCH_VERTICES = 1 << 15;
/** Cells after which a batch ends early: rows times attributes. */
const MAX_BATCH_CELLS = 1 << 21;

export interface GeoJsonOptions {
  /** Make `date`, `time` and `datetime` columns of attributes whose every text is an ISO 8601 one. Default false. */
  readonly dates?: boolean | undefined;
  /**
   * Also read what RFC 7946 does not allow but old writers made: rings that are not closed (they are closed), lines
   * and rings with too few positions, features without `geometry` or `properties`. Each is counted in the warnings,
   * of geometry once it has been read. Default false: the file is refused with the place of the fault.
   */
  readonly lenient?: boolean | undefined;
  /** Name of the layer; default its `name` member, else the name of the file. */
  readonly name?: string | undefined;
}

/**
 * Open GeoJSON: a FeatureCollection, a single Feature or geometry, or a sequence of them (newline-delimited, or with the
 * record separators of RFC 8142). The file is read through once here to learn attributes, types and count
 * (without building geometry), and again by {@link FeatureSource.batches}, in pieces; files up to 8 MiB are kept
 * instead. Memory: about a megabyte and a batch, or the largest single feature.
 *
 * - Attribute types: whole numbers `int32` or `int64`, other numbers `float64`, `boolean`, `string`; objects, arrays
 *   and mixtures with them `json`; other mixtures `string`. Missing members and null are null. Of a name that a feature
 *   gives twice the last counts. `NaN`, which Python writes, is null, `Infinity` and `-Infinity` are numbers, both with
 *   a warning; in coordinates they are refused.
 * - CRS: EPSG:4326 in longitude, latitude order as RFC 7946 says; a `crs` member of older files is honoured, and
 *   `"crs": null` gives none. One that is not understood gives none and a warning.
 * - Ids are kept; whole numbers beyond 2^53 as text. `bbox` and foreign members are left out.
 *
 * @throws GeoError `INVALID_FORMAT` with the byte where the file stops being valid UTF-8, JSON or GeoJSON (geometry and
 * ids are checked by `batches`), `UNSUPPORTED` for TopoJSON, `LIMIT` for a feature beyond 2 GB.
 */
export async function openGeoJson(bytes: ByteSource, options: GeoJsonOptions = {}): Promise<FeatureSource> {
  let scan: GeoJsonScan;
  try {
    scan = await scanGeoJson(bytes, { dates: options.dates === true, lenient: options.lenient === true });
  } catch (error) {
    throw readError(bytes.url, error);
  }
  return new GeoJsonSource(bytes, scan, options);
}

/** {@link openGeoJson} for text sequences, which it knows from their content; here for the sake of the name. */
export function openGeoJsonSeq(bytes: ByteSource, options: GeoJsonOptions = {}): Promise<FeatureSource> {
  return openGeoJson(bytes, options);
}

class GeoJsonSource implements FeatureSource {
  readonly url: string;
  readonly driver: string;
  readonly schema: LayerSchema;
  readonly layers: readonly string[];
  readonly #bytes: ByteSource;
  readonly #scan: GeoJsonScan;
  readonly #lenient: boolean;
  readonly #warnings: string[] = [];
  #closedRings = 0;
  #shortLines = 0;

  constructor(bytes: ByteSource, scan: GeoJsonScan, options: GeoJsonOptions) {
    this.url = bytes.url;
    this.driver = scan.layout === "sequence" ? "GeoJSONSeq" : "GeoJSON";
    this.#bytes = bytes;
    this.#scan = scan;
    this.#lenient = options.lenient === true;
    const name = options.name ?? (scan.name === null || scan.name === "" ? fileName(bytes.url) : scan.name);
    const types: GeometryType[] = [];
    for (let type = 1; type <= 7; type++)
      if ((scan.types & (1 << type)) !== 0) types.push(type as GeometryType);
    this.schema = {
      name,
      crs: this.#crs(scan.crs),
      geometryTypes: types,
      hasZ: scan.hasZ,
      hasM: false,
      fields: scan.keys.map((key, k) => fieldOf(key, scan.seen[k]!)),
      count: scan.count,
      bounds: null,
    };
    this.layers = [name];
    if (scan.incomplete > 0)
      this.#warnings.push(`${scan.incomplete} features lack "geometry" or "properties"; read as null`);
    if (scan.notJson > 0) {
      this.#warnings.push(
        `${scan.notJson} attributes are NaN or Infinity, which JSON does not have; NaN was read as null`,
      );
    }
  }

  get warnings(): readonly string[] {
    const found = [...this.#warnings];
    if (this.#closedRings > 0) found.push(`${this.#closedRings} rings were not closed and have been closed`);
    if (this.#shortLines > 0) found.push(`${this.#shortLines} lines have a single position`);
    return found;
  }

  async *batches(options: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    const { runs, keys, hasIds } = this.#scan;
    const all = this.schema.fields;
    const { fields: names, signal } = options;
    const fields =
      names === undefined ? all : names.flatMap((name) => all.find((f) => f.name === name) ?? []);
    const reader = new BatchReader(keys, fields, hasIds, this.#lenient);
    const cells = Math.max(1, Math.floor(MAX_BATCH_CELLS / Math.max(1, fields.length)));
    const batchSize = Math.max(1, Math.min(options.batchSize ?? 8192, cells));
    const rest: BatchOptions = { bounds: options.bounds };
    let firstRow = 0;
    let next = this.#read(runs, 0);
    for (let run = 0; run < runs.length; run += 3) {
      signal?.throwIfAborted();
      const bytes = await next;
      // The bytes of the next run arrive while this one is parsed.
      next = this.#read(runs, run + 3);
      const cursor = new JsonCursor(this.url, bytes, runs[run]!, true);
      for (let row = 0; row < runs[run + 2]!; row++) {
        reader.read(cursor);
        if (reader.rows >= batchSize || reader.vertices >= MAX_BATCH_VERTICES) {
          const batch = reader.finish(firstRow, this.schema.crs);
          firstRow += batch.count;
          yield selectBatch(batch, rest);
        }
      }
    }
    if (this.#lenient) {
      this.#closedRings = Math.max(this.#closedRings, reader.repairs.closedRings);
      this.#shortLines = Math.max(this.#shortLines, reader.repairs.shortLines);
    }
    if (reader.rows > 0) yield selectBatch(reader.finish(firstRow, this.schema.crs), rest);
  }

  async close(): Promise<void> {
    await this.#bytes.close();
  }

  #read(runs: readonly number[], run: number): Promise<Uint8Array> {
    if (run >= runs.length) return Promise.resolve(new Uint8Array(0));
    const offset = runs[run]!;
    const length = runs[run + 1]!;
    const { whole } = this.#scan;
    if (whole !== null) return Promise.resolve(whole.subarray(offset, offset + length));
    const reading = this.#bytes.read(offset, length).then(
      (bytes) => {
        if (bytes.length === length) return bytes;
        throw new GeoError(
          "INVALID_FORMAT",
          `${this.url} ends at byte ${offset + bytes.length}, expected ${offset + length} as when it was opened`,
          { format: "GeoJSON", path: this.url, offset: offset + bytes.length },
          { hint: "Something writes to the file while it is read; read it again when that is done." },
        );
      },
      (error: unknown) => {
        throw readError(this.url, error);
      },
    );
    // Nobody waits for it when the caller stops early.
    reading.catch(() => undefined);
    return reading;
  }

  /** The `crs` member of the specification of 2008. */
  #crs(member: unknown): Crs | null {
    if (member === undefined) return GEOJSON_CRS;
    if (member === null) return null;
    const { type, properties } = member as { type?: unknown; properties?: unknown };
    const { name, code } = (properties ?? {}) as { name?: unknown; code?: unknown };
    const text =
      typeof name === "string"
        ? name
        : type === "EPSG" && (typeof code === "number" || typeof code === "string")
          ? `EPSG:${code}`
          : null;
    if (text === null) {
      this.#warnings.push(
        `the "crs" member is not understood (${JSON.stringify(member).slice(0, 80)}); no CRS is assumed`,
      );
      return null;
    }
    try {
      const crs = parseCrs(text);
      return crs.code === "OGC:CRS84" ? GEOJSON_CRS : crs;
    } catch {
      this.#warnings.push(`the CRS "${text.slice(0, 80)}" is not known; no CRS is assumed`);
      return null;
    }
  }
}
