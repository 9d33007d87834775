import { crsFromEpsg, parseCrs } from "../../crs/parse.ts";
import type { Crs } from "../../model/crs.ts";
import { GeoError, isGeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  ColumnBuilder,
  type FeatureSource,
  type FeatureTable,
  type Field,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { columnTypeOf, fieldOf, GEOJSON_CRS, parseIso } from "../../model/geojson.ts";
import { type GeometryType, POINT } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { memoryBytes } from "../bytes/memory.ts";
import type { ByteSource } from "../bytes/source.ts";
import { readError } from "../read-errors.ts";
import { fileName } from "../text/file-name.ts";
import { asciiText, NumberReader } from "../text/number.ts";
import { fromWindows1252 } from "../text/windows-1252.ts";
import { WktReader } from "../wkt.ts";
import { isSpace, specialNumber } from "./cell.ts";
import { RecordReader } from "./record.ts";
import { type CsvScan, type CsvScanOptions, scanCsv } from "./scan.ts";

/** Largest UTF-16 file, which is turned into UTF-8 in memory. */
const MAX_UTF16_BYTES = 1 << 28;
const MAX_BATCH_VERTICES = 1 << 15;
const MAX_BATCH_CELLS = 1 << 21;

export interface CsvOptions {
  /** One letter; default the likeliest of comma, semicolon, tab and bar. */
  readonly delimiter?: string | undefined;
  /** Whether the first line holds names; default yes unless it holds a number that is not in quotes (as GDAL does). */
  readonly header?: boolean | undefined;
  /**
   * Where the geometry is: `"none"`, a column of well-known text, or two columns of numbers. Default by the usual names
   * (wkt, geom, geometry, the_geom; lon, longitude, lng, x with lat, latitude, y, in any case), else none.
   */
  readonly geometry?: CsvScanOptions["geometry"];
  /**
   * CRS of the geometry; default `SRID=` in the text, what {@link CsvOptions.prj} says, EPSG:4326 for columns named as
   * longitude and latitude, else none.
   */
  readonly crs?: Crs | string | null | undefined;
  /** False reads every column as text. Default true. */
  readonly detectTypes?: boolean | undefined;
  /** Text of a .csvt file, which declares the type of each column (GDAL). */
  readonly csvt?: string | undefined;
  /** Text of a .prj file: the CRS of geometry that says none itself (GDAL). */
  readonly prj?: string | undefined;
  /** Name of the layer; default the name of the file. */
  readonly name?: string | undefined;
}

/**
 * Open CSV and the like: a layer of points or of well-known text, or a plain table (`geometry` of its batches is then null).
 * The file is read through once here to learn its columns and again by {@link FeatureSource.batches}, in pieces; files up to
 * 8 MiB are kept instead. Memory: about a megabyte and a batch, or the longest record.
 *
 * - Columns of numbers are `int32`, `int64` or `float64`; of `true` and `false` `boolean`; of ISO dates and times `date`,
 *   `datetime`, `time`; everything else is `string`: also numbers with leading zeros and whole numbers beyond 64 bits.
 * - An empty field is null, an empty field in quotes is empty text (null in other columns).
 * - Columns of coordinates stay attributes, the column of well-known text does not. A row without coordinates has a null
 *   geometry.
 * - UTF-8, UTF-16 with a byte order mark, else Windows-1252 with a warning.
 *
 * @throws GeoError `INVALID_FORMAT` for an empty or binary file, a quote that is never closed and (from `batches`)
 * a geometry that cannot be read, each with its line; `INVALID_INPUT` for a column that is not there.
 */
export async function openCsv(bytes: ByteSource, options: CsvOptions = {}): Promise<FeatureSource> {
  try {
    const text = await asUtf8(bytes);
    const { delimiter, header, geometry } = options;
    return new CsvSource(text, await scanCsv(text, { delimiter, header, geometry }), options);
  } catch (error) {
    throw readError(bytes.url, error);
  }
}

/** The source itself, or its text in UTF-8 when it begins with the byte order mark of UTF-16. */
async function asUtf8(bytes: ByteSource): Promise<ByteSource> {
  const mark = await bytes.read(0, 2);
  const little = mark[0] === 0xff && mark[1] === 0xfe;
  if (mark.length < 2 || !(little || (mark[0] === 0xfe && mark[1] === 0xff))) return bytes;
  if (bytes.size > MAX_UTF16_BYTES) {
    throw new GeoError(
      "LIMIT",
      `${bytes.url} is UTF-16 text of ${bytes.size} bytes, expected at most ${MAX_UTF16_BYTES}`,
      { what: "UTF-16 text", needed: bytes.size, allowed: MAX_UTF16_BYTES, path: bytes.url },
      { hint: "Save it as UTF-8, for example with: iconv -f UTF-16 -t UTF-8 in.csv > out.csv" },
    );
  }
  const raw = await bytes.read(0, bytes.size);
  const text = new TextDecoder(little ? "utf-16le" : "utf-16be").decode(raw);
  const utf8 = memoryBytes(new TextEncoder().encode(text), bytes.url);
  return { ...utf8, close: () => bytes.close() };
}

class CsvSource implements FeatureSource {
  readonly url: string;
  readonly driver: string = "CSV";
  readonly schema: LayerSchema;
  readonly layers: readonly string[];
  readonly #bytes: ByteSource;
  readonly #scan: CsvScan;
  /** Column of the file of each field of the schema. */
  readonly #columns: readonly number[];
  readonly #warnings: string[];
  #closedRings = 0;

  constructor(bytes: ByteSource, scan: CsvScan, options: CsvOptions) {
    this.url = bytes.url;
    this.#bytes = bytes;
    this.#scan = scan;
    this.#warnings = [...scan.warnings];
    const name = options.name ?? fileName(bytes.url);
    this.layers = [name];
    const declared = options.csvt === undefined ? [] : parseCsvt(options.csvt);
    const columns: number[] = [];
    const fields: Field[] = [];
    for (const [k, column] of scan.names.entries()) {
      if (scan.geometry.kind === "wkt" && scan.geometry.column === k) continue;
      columns.push(k);
      fields.push(this.#field(column, scan.seen[k]!, declared[k], options.detectTypes !== false));
    }
    this.#columns = columns;
    const types: GeometryType[] = [];
    for (let type = 1; type <= 7; type++)
      if ((scan.types & (1 << type)) !== 0) types.push(type as GeometryType);
    const { geometry } = scan;
    this.schema = {
      name,
      crs: geometry.kind === "none" ? null : this.#crs(options.crs, options.prj),
      geometryTypes: geometry.kind === "none" ? [0] : types,
      hasZ: scan.hasZ,
      hasM: scan.hasM,
      fields,
      count: scan.count,
      bounds: null,
    };
  }

  get warnings(): readonly string[] {
    if (this.#closedRings === 0) return this.#warnings;
    return [...this.#warnings, `${this.#closedRings} rings were not closed and have been closed`];
  }

  #crs(wanted: Crs | string | null | undefined, prj: string | undefined): Crs | null {
    if (typeof wanted === "string") return parseCrs(wanted);
    if (wanted !== undefined) return wanted;
    const { geometry, srid } = this.#scan;
    if (srid > 0) return crsFromEpsg(srid);
    if (prj !== undefined && prj.trim() !== "") {
      try {
        return parseCrs(prj);
      } catch (error) {
        if (!isGeoError(error)) throw error;
        this.#warnings.push(`the .prj beside it was left out: ${error.message}`);
      }
    }
    return geometry.kind === "xy" && geometry.geographic ? GEOJSON_CRS : null;
  }

  #field(name: string, seen: number, declared: string | undefined, detect: boolean): Field {
    if (!detect) return { name, type: "string", nullable: true };
    const found = fieldOf(name, seen);
    if (declared === undefined) return found;
    const empty = (seen & ~1) === 0;
    const wide = declaredField(name, declared);
    if (wide === null) return found;
    // A declaration may widen what the values say, or say it where there are no values.
    const holds =
      wide.type === "string" ||
      empty ||
      wide.type === found.type ||
      (wide.type === "float64" && (found.type === "int32" || found.type === "int64")) ||
      (wide.type === "int64" && found.type === "int32") ||
      (wide.type === "datetime" && found.type === "date") ||
      (wide.type === "boolean" && found.type === "int32");
    if (holds) return wide.type === found.type ? found : wide;
    this.#warnings.push(
      `column "${name}" is declared ${declared} but holds ${columnTypeOf(seen)}; read as that`,
    );
    return found;
  }

  async *batches(options: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    const { runs, delimiter, latin } = this.#scan;
    const all = this.schema.fields;
    const { fields: names, signal } = options;
    const wanted =
      names === undefined
        ? all.map((_, k) => k)
        : names.flatMap((name) => {
            const k = all.findIndex((field) => field.name === name);
            return k < 0 ? [] : [k];
          });
    const rows = new RowReader(
      new RecordReader(this.url, delimiter),
      wanted.map((k) => all[k]!),
      wanted.map((k) => this.#columns[k]!),
      this.#scan,
    );
    const cells = Math.max(1, Math.floor(MAX_BATCH_CELLS / Math.max(1, wanted.length)));
    const batchSize = Math.max(1, Math.min(options.batchSize ?? 8192, cells));
    const rest: BatchOptions = { bounds: options.bounds };
    const { crs } = this.schema;
    let firstRow = 0;
    for (let run = 0; run < runs.length; run += 4) {
      signal?.throwIfAborted();
      const bytes = await this.#read(runs[run]!, runs[run + 1]!, signal);
      rows.begin(latin ? fromWindows1252(bytes) : bytes, runs[run + 3]!);
      for (let row = 0; row < runs[run + 2]!; row++) {
        rows.read();
        if (rows.rows >= batchSize || rows.vertices >= MAX_BATCH_VERTICES) {
          const batch = rows.finish(firstRow, crs);
          firstRow += batch.count;
          yield selectBatch(batch, rest);
        }
      }
    }
    this.#closedRings = Math.max(this.#closedRings, rows.closedRings);
    if (rows.rows > 0) yield selectBatch(rows.finish(firstRow, crs), rest);
  }

  async close(): Promise<void> {
    await this.#bytes.close();
  }

  async #read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { whole } = this.#scan;
    if (whole !== null) return whole.subarray(offset, offset + length);
    try {
      const bytes = await this.#bytes.read(offset, length, signal);
      if (bytes.length === length) return bytes;
    } catch (error) {
      throw readError(this.url, error);
    }
    throw new GeoError(
      "INVALID_FORMAT",
      `${this.url} ends before byte ${offset + length}, where it ended when it was opened`,
      { format: "CSV", path: this.url, offset },
      { hint: "Something writes to the file while it is read; read it again when that is done." },
    );
  }
}

/** Types of a .csvt file: one line of words such as `"Integer","Real(10.3)","WKT"`. */
function parseCsvt(text: string): string[] {
  const line = text.replace(/^\ufeff/, "").split(/\r?\n/, 1)[0]!;
  return line.split(/,(?![^(]*\))/).map((word) => word.trim().replace(/^"|"$/g, "").trim());
}

function declaredField(name: string, word: string): Field | null {
  const type = /^[A-Za-z0-9]+(?:\([A-Za-z]+\))?/.exec(word)?.[0].toLowerCase() ?? "";
  switch (type) {
    case "integer":
      return { name, type: "int32", nullable: true };
    case "integer64":
      return { name, type: "int64", nullable: true };
    case "integer(boolean)":
      return { name, type: "boolean", nullable: true };
    case "real":
    case "real(float32)":
    case "coordx":
    case "coordy":
    case "coordz":
      return { name, type: "float64", nullable: true };
    case "string":
      return { name, type: "string", nullable: true };
    case "date":
      return { name, type: "date", nullable: true };
    case "time":
      return { name, type: "time", nullable: true };
    case "datetime":
      return { name, type: "datetime", nullable: true, zone: "local" };
    default:
      return null;
  }
}

/** Turns records into rows of columns. */
class RowReader {
  readonly #records: RecordReader;
  readonly #builders: readonly ColumnBuilder[];
  readonly #columns: readonly number[];
  readonly #geometry: CsvScan["geometry"];
  readonly #numbers = new NumberReader();
  readonly #builder = new GeometryBuilder();
  readonly #wkt: WktReader;
  #rows = 0;

  constructor(records: RecordReader, fields: readonly Field[], columns: readonly number[], scan: CsvScan) {
    this.#records = records;
    this.#builders = fields.map((field) => new ColumnBuilder(field));
    this.#columns = columns;
    this.#geometry = scan.geometry;
    this.#wkt = new WktReader(this.#builder);
  }

  get rows(): number {
    return this.#rows;
  }

  get vertices(): number {
    return this.#builder.vertices;
  }

  get closedRings(): number {
    return this.#wkt.closedRings;
  }

  /** Go on with the records in `bytes`, the first of which is on line `line` of the file. */
  begin(bytes: Uint8Array, line: number): void {
    const records = this.#records;
    records.bytes = bytes;
    records.at = 0;
    records.end = bytes.length;
    records.line = line;
  }

  finish(firstRow: number, crs: Crs | null): FeatureTable {
    const count = this.#rows;
    this.#rows = 0;
    return {
      count,
      geometry: this.#geometry.kind === "none" ? null : this.#builder.finish(),
      columns: this.#builders.map((builder) => builder.finish()),
      ids: null,
      firstRow,
      crs,
    };
  }

  read(): void {
    const records = this.#records;
    if (!records.next()) {
      throw new GeoError("INVALID_FORMAT", `${records.url} has fewer records than when it was opened`, {
        format: "CSV",
        path: records.url,
      });
    }
    const builders = this.#builders;
    for (let c = 0; c < builders.length; c++) {
      const k = this.#columns[c]!;
      if (k >= records.count || (records.starts[k] === records.stops[k] && records.quotes[k] === 0))
        builders[c]!.pushNull();
      else this.#cell(builders[c]!, k);
    }
    if (this.#geometry.kind === "wkt") this.#wktCell(this.#geometry.column);
    else if (this.#geometry.kind === "xy") this.#point(this.#geometry.x, this.#geometry.y);
    this.#rows++;
  }

  #cell(builder: ColumnBuilder, k: number): void {
    const records = this.#records;
    const { bytes } = records;
    if (builder.field.type === "string") {
      if (records.quotes[k] === 2) builder.pushText(records.text(k));
      else builder.pushBytes(bytes, records.starts[k]!, records.stops[k]!);
      return;
    }
    let start = records.starts[k]!;
    let stop = records.stops[k]!;
    while (start < stop && isSpace(bytes[start]!)) start++;
    while (stop > start && isSpace(bytes[stop - 1]!)) stop--;
    if (start === stop) {
      builder.pushNull();
      return;
    }
    switch (builder.field.type) {
      case "int32":
      case "float64": {
        const value = this.#number(start, stop);
        if (value === null) builder.pushNull();
        else builder.pushNumber(value);
        return;
      }
      case "int64": {
        const value = this.#numbers.read(bytes, start, stop);
        if (Number.isSafeInteger(value)) builder.pushBigInt(BigInt(value));
        else builder.pushBigInt(BigInt(asciiText(bytes, start, stop)));
        return;
      }
      case "boolean":
        // Numbers where a .csvt declares them so: any but 0 is true, as in GDAL.
        if (bytes[start]! <= 57) builder.pushNumber(this.#number(start, stop) === 0 ? 0 : 1);
        else builder.pushNumber((bytes[start]! | 32) === 116 ? 1 : 0);
        return;
      default: {
        const ms = parseIso(asciiText(bytes, start, stop));
        if (Number.isNaN(ms)) builder.pushNull();
        else builder.pushNumber(ms);
      }
    }
  }

  #number(start: number, stop: number): number | null {
    const { bytes } = this.#records;
    const value = this.#numbers.read(bytes, start, stop);
    return this.#numbers.end === stop ? value : specialNumber(bytes, start, stop);
  }

  #point(x: number, y: number): void {
    const east = this.#coordinate(x);
    const north = this.#coordinate(y);
    if (Number.isFinite(east) && Number.isFinite(north)) {
      this.#builder.begin(POINT);
      this.#builder.part();
      this.#builder.vertex(east, north);
      this.#builder.end();
    } else this.#builder.null();
  }

  /** NaN for an empty cell. */
  #coordinate(k: number): number {
    const { bytes, count, starts, stops } = this.#records;
    if (k >= count) return Number.NaN;
    let start = starts[k]!;
    let stop = stops[k]!;
    while (start < stop && isSpace(bytes[start]!)) start++;
    while (stop > start && isSpace(bytes[stop - 1]!)) stop--;
    if (start === stop) return Number.NaN;
    const value = this.#number(start, stop);
    if (value !== null) return value;
    throw this.#refuse(
      `"${asciiText(bytes, start, Math.min(stop, start + 40))}" as a coordinate, expected a number`,
    );
  }

  #wktCell(k: number): void {
    const records = this.#records;
    if (k >= records.count || records.starts[k] === records.stops[k]) {
      this.#builder.null();
      return;
    }
    try {
      this.#wkt.read(records.bytes, records.starts[k]!, records.stops[k]!);
    } catch (error) {
      if (isGeoError(error, "INVALID_FORMAT")) throw this.#refuse(`bad geometry: ${error.message}`);
      throw error;
    }
  }

  #refuse(found: string): GeoError<"INVALID_FORMAT"> {
    const { url, recordLine } = this.#records;
    return new GeoError(
      "INVALID_FORMAT",
      `${url}: line ${recordLine}: found ${found}`,
      { format: "CSV", path: url },
      { hint: `Correct line ${recordLine}, or read the file as a plain table without geometry.` },
    );
  }
}
