import { type FileHandle, open, rm } from "node:fs/promises";
import { type Crs, describeCrs, sameCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { Column, FeatureTable, LayerSchema } from "../../model/features.ts";
import { GEOJSON_CRS, isoText, wrongWay } from "../../model/geojson.ts";
import {
  GEOMETRY_COLLECTION,
  GEOMETRY_NAMES,
  type GeometryColumn,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  memberPartsEnd,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { ByteBuffer } from "../text/byte-buffer.ts";
import { writeJsonText } from "../text/json.ts";

/** Bytes that are collected before they go to the file. */
const FLUSH_BYTES = 1 << 19;

export interface GeoJsonWriteOptions {
  /** Digits behind the point of coordinates at the most; default as many as it takes to read the same doubles back. */
  readonly precision?: number | undefined;
  /** Turn shells counter-clockwise and holes clockwise (RFC 7946, section 3.1.6). Default true. */
  readonly rewind?: boolean | undefined;
}

/**
 * Write a FeatureCollection, one feature a line. The same features give the same bytes. Memory: about a megabyte.
 *
 * - Numbers are written in the fewest digits that read back as the same double; `int64` beyond 2^53 in full.
 * - Dates and times are ISO 8601 text, bytes hexadecimal text, NaN and infinities `null` (with a warning).
 * - Heights are kept, measures are left out with a warning. Null geometry is `null`, empty ones have empty coordinates.
 * - Coordinates are written as they are. RFC 7946 knows only WGS 84 longitude and latitude: for another CRS the `crs`
 *   member of the older specification is written, which GDAL, QGIS and this library read, with a warning.
 *
 * @throws GeoError `OUTPUT_FAILED`; `INVALID_GEOMETRY` for a coordinate that is not a finite number.
 */
export async function createGeoJson(
  path: string,
  schema: LayerSchema,
  options: GeoJsonWriteOptions = {},
): Promise<FeatureSink> {
  const sink = await GeoJsonSink.open(path, options, false);
  sink.begin(schema);
  return sink;
}

/**
 * {@link createGeoJson} as a newline-delimited text sequence: one feature a line and nothing else, so that files can be cut
 * and joined by line. There is no place for a CRS: the warning for another one than WGS 84 says so.
 */
export async function createGeoJsonSeq(
  path: string,
  schema: LayerSchema,
  options: GeoJsonWriteOptions = {},
): Promise<FeatureSink> {
  const sink = await GeoJsonSink.open(path, options, true);
  sink.begin(schema);
  return sink;
}

class GeoJsonSink implements FeatureSink {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #writer: FeatureWriter;
  readonly #sequence: boolean;
  readonly #out = new ByteBuffer(FLUSH_BYTES + (1 << 16));
  readonly #warnings: string[] = [];
  #count = 0;
  #closed = false;

  static async open(path: string, options: GeoJsonWriteOptions, sequence: boolean): Promise<GeoJsonSink> {
    const { precision } = options;
    if (precision !== undefined && !(Number.isInteger(precision) && precision >= 0 && precision <= 15)) {
      throw new GeoError("INVALID_INPUT", `precision is ${precision}, expected a whole number from 0 to 15`, {
        path: "precision",
        expected: "a whole number from 0 to 15",
      });
    }
    try {
      return new GeoJsonSink(path, await open(path, "w"), options, sequence);
    } catch (error) {
      throw outputError(path, error);
    }
  }

  private constructor(path: string, file: FileHandle, options: GeoJsonWriteOptions, sequence: boolean) {
    this.#path = path;
    this.#file = file;
    this.#sequence = sequence;
    this.#writer = new FeatureWriter(this.#out, options);
  }

  begin({ name, crs, geometryTypes }: LayerSchema): void {
    const plainTable = geometryTypes.length === 1 && geometryTypes[0] === 0;
    const other = crs !== null && !sameCrs(crs, GEOJSON_CRS);
    if (other) {
      this.#warnings.push(
        this.#sequence
          ? `coordinates are in ${describeCrs(crs)}, which a GeoJSON sequence cannot say; readers will take them for longitude and latitude`
          : `coordinates are in ${describeCrs(crs)}; RFC 7946 readers that ignore the "crs" member will take them for longitude and latitude`,
      );
    }
    if (crs === null && !plainTable)
      this.#warnings.push(
        "the layer has no CRS; readers will take the coordinates for longitude and latitude",
      );
    if (this.#sequence) return;
    const out = this.#out;
    out.text('{\n"type": "FeatureCollection",\n');
    if (name !== "") {
      out.text('"name": ');
      writeJsonText(out, name);
      out.text(",\n");
    }
    if (other) {
      out.text('"crs": {"type": "name", "properties": {"name": ');
      writeJsonText(out, crsName(crs));
      out.text("}},\n");
    }
    out.text('"features": [');
  }

  async write(batch: FeatureTable): Promise<void> {
    const out = this.#out;
    const writer = this.#writer;
    writer.begin(batch);
    for (let row = 0; row < batch.count; row++) {
      if (!this.#sequence) out.text(this.#count === 0 ? "\n" : ",\n");
      writer.row(row, this.#count);
      if (this.#sequence) out.byte(10);
      this.#count++;
      if (out.length >= FLUSH_BYTES) await this.#flush();
    }
  }

  async close(): Promise<WriteSummary> {
    if (!this.#sequence) this.#out.text(this.#count === 0 ? "]\n}\n" : "\n]\n}\n");
    await this.#flush();
    this.#closed = true;
    try {
      await this.#file.close();
    } catch (error) {
      throw outputError(this.#path, error);
    }
    return { count: this.#count, warnings: [...this.#warnings, ...this.#writer.warnings()] };
  }

  async abort(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const bytes = this.#out.taken();
    try {
      for (let at = 0; at < bytes.length; ) {
        at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
      }
    } catch (error) {
      throw outputError(this.#path, error);
    }
    this.#out.clear();
  }
}

/** A CRS as the `crs` member names it: an OGC URN for codes, else the text that defines it. */
function crsName(crs: Crs): string {
  const code = /^([A-Za-z]+):(\w+)$/.exec(crs.code ?? "");
  if (code !== null) return `urn:ogc:def:crs:${code[1]!.toUpperCase()}::${code[2]}`;
  return crs.definition ?? crs.proj4 ?? crs.name;
}

/** Writes single features into a buffer. */
export class FeatureWriter {
  readonly #out: ByteBuffer;
  readonly #precision: number | undefined;
  readonly #rewind: boolean;
  #table!: FeatureTable;
  /** `"name": ` of each column, quoted and escaped. */
  #keys: Uint8Array[] = [];
  #measures = false;
  #notFinite = 0;

  constructor(out: ByteBuffer, options: GeoJsonWriteOptions = {}) {
    this.#out = out;
    this.#precision = options.precision;
    this.#rewind = options.rewind !== false;
  }

  begin(table: FeatureTable): void {
    this.#table = table;
    this.#measures ||= table.geometry !== null && table.geometry.m !== null;
    this.#keys = table.columns.map(({ name }, k) => {
      const key = new ByteBuffer(name.length + 16);
      if (k > 0) key.text(", ");
      writeJsonText(key, name);
      key.text(": ");
      return key.taken().slice();
    });
  }

  warnings(): readonly string[] {
    const found: string[] = [];
    if (this.#measures) found.push("measures (M) were left out, GeoJSON has none");
    if (this.#notFinite > 0)
      found.push(`${this.#notFinite} attribute values are not finite numbers and were written as null`);
    return found;
  }

  /** Row `row` of the batch as a Feature. `number`: its position in the output, for errors. */
  row(row: number, number: number = row): void {
    const out = this.#out;
    const { ids, geometry } = this.#table;
    out.text('{"type": "Feature", ');
    const id = ids === null ? null : ids[row]!;
    if (id !== null) {
      out.text('"id": ');
      if (typeof id === "number") out.text(String(id));
      else writeJsonText(out, id);
      out.text(", ");
    }
    out.text('"properties": {');
    this.#properties(row);
    out.text('}, "geometry": ');
    if (geometry === null || geometry.types[row] === 0) out.text("null}");
    else {
      try {
        this.#geometry(geometry, row);
      } catch (error) {
        if (!(error instanceof NotFinite)) throw error;
        throw new GeoError(
          "INVALID_GEOMETRY",
          `feature ${number} has the position ${error.x} ${error.y}, expected finite numbers`,
          { row: number, x: error.x, y: error.y, reason: "a coordinate is not a finite number" },
          { hint: "Drop or repair the feature; a failed reprojection often leaves such positions." },
        );
      }
      out.byte(125);
    }
  }

  #properties(row: number): void {
    const out = this.#out;
    const { columns } = this.#table;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k]!;
      out.append(this.#keys[k]!);
      if (column.valid !== null && column.valid[row] === 0) out.text("null");
      else this.#cell(column, row);
    }
  }

  #cell(column: Column, row: number): void {
    const out = this.#out;
    switch (column.type) {
      case "int32":
        out.number(column.values[row]!);
        return;
      case "float64": {
        const value = column.values[row]!;
        if (Number.isFinite(value)) this.#float(value);
        else {
          this.#notFinite++;
          out.text("null");
        }
        return;
      }
      case "int64":
        out.text(String(column.values[row]!));
        return;
      case "boolean":
        out.text(column.values[row] === 0 ? "false" : "true");
        return;
      case "string": {
        const { offsets, bytes } = column.values;
        writeJsonBytes(out, bytes, offsets[row]!, offsets[row + 1]!);
        return;
      }
      case "json": {
        const { offsets, bytes } = column.values;
        out.append(bytes, offsets[row]!, offsets[row + 1]!);
        return;
      }
      case "binary": {
        const { offsets, bytes } = column.values;
        out.byte(34);
        for (let at = offsets[row]!; at < offsets[row + 1]!; at++) out.text(HEX[bytes[at]!]!);
        out.byte(34);
        return;
      }
      default: {
        const text = isoText(column, column.values[row]!);
        if (text === "") {
          this.#notFinite++;
          out.text("null");
        } else writeJsonText(out, text);
      }
    }
  }

  /** Whole numbers keep a `.0`, so that the column is read back as floating point. */
  #float(value: number): void {
    const out = this.#out;
    const before = out.length;
    out.number(value);
    if (Number.isInteger(value) && !out.bytes.subarray(before, out.length).includes(101)) out.text(".0");
  }

  #geometry(column: GeometryColumn, row: number): void {
    const type = column.types[row]!;
    const start = column.geometries[row]!;
    const end = column.geometries[row + 1]!;
    if (type !== GEOMETRY_COLLECTION) {
      this.#simple(column, type, start, end);
      return;
    }
    const out = this.#out;
    out.text('{"type": "GeometryCollection", "geometries": [');
    const { collections } = column;
    if (collections !== null) {
      const first = collections.rows[row]!;
      for (let k = first; k < collections.rows[row + 1]!; k++) {
        if (k > first) out.text(", ");
        this.#simple(column, collections.types[k]!, collections.members[k]!, memberPartsEnd(column, row, k));
      }
    }
    out.text("]}");
  }

  #simple(column: GeometryColumn, type: number, start: number, end: number): void {
    const out = this.#out;
    const { parts, rings } = column;
    out.text('{"type": "');
    out.text(GEOMETRY_NAMES[type]!);
    out.text('", "coordinates": ');
    if (type === POINT && start < end) this.#position(column, rings[parts[start]!]!);
    else if (type === LINE_STRING && start < end) this.#ring(column, parts[start]!, false);
    else if (type === POLYGON && start < end) this.#polygon(column, start);
    else {
      out.byte(91);
      for (let part = start; part < end; part++) {
        if (part > start) out.byte(44);
        if (type === MULTI_POINT) this.#position(column, rings[parts[part]!]!);
        else if (type === MULTI_LINE_STRING) this.#ring(column, parts[part]!, false);
        else this.#polygon(column, part);
      }
      out.byte(93);
    }
    out.byte(125);
  }

  #polygon(column: GeometryColumn, part: number): void {
    const out = this.#out;
    const first = column.parts[part]!;
    out.byte(91);
    for (let ring = first; ring < column.parts[part + 1]!; ring++) {
      if (ring > first) out.byte(44);
      const { rings, xy } = column;
      this.#ring(column, ring, this.#rewind && wrongWay(xy, rings[ring]!, rings[ring + 1]!, ring === first));
    }
    out.byte(93);
  }

  #ring(column: GeometryColumn, ring: number, backwards: boolean): void {
    const out = this.#out;
    const start = column.rings[ring]!;
    const end = column.rings[ring + 1]!;
    out.byte(91);
    for (let k = start; k < end; k++) {
      if (k > start) out.byte(44);
      this.#position(column, backwards ? start + end - 1 - k : k);
    }
    out.byte(93);
  }

  #position({ xy, z }: GeometryColumn, v: number): void {
    const out = this.#out;
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    // The difference is NaN also for infinities.
    if (Number.isNaN(x - x) || Number.isNaN(y - y)) throw new NotFinite(x, y);
    const height = z === null ? Number.NaN : z[v]!;
    out.byte(91);
    if (this.#precision === undefined) {
      out.number(x);
      out.byte(44);
      out.number(y);
    } else {
      out.rounded(x, this.#precision);
      out.byte(44);
      out.rounded(y, this.#precision);
    }
    if (Number.isFinite(height)) {
      out.byte(44);
      if (this.#precision === undefined) out.number(height);
      else out.rounded(height, this.#precision);
    }
    out.byte(93);
  }
}

class NotFinite extends Error {
  readonly x: number;
  readonly y: number;

  constructor(x: number, y: number) {
    super("not finite");
    this.x = x;
    this.y = y;
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** UTF-8 text as a JSON string. */
function writeJsonBytes(out: ByteBuffer, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 32 || byte === 34 || byte === 92) {
      writeJsonText(out, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end)));
      return;
    }
  }
  out.byte(34);
  out.append(bytes, start, end);
  out.byte(34);
}
