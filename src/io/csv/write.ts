import { type FileHandle, open, rm } from "node:fs/promises";
import { isGeographic } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { Column, FeatureTable, LayerSchema } from "../../model/features.ts";
import { isoText } from "../../model/geojson.ts";
import { POINT } from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { ByteBuffer } from "../text/byte-buffer.ts";
import { writeWkt } from "../wkt.ts";
import { coordinateColumns } from "./geometry-columns.ts";

const FLUSH_BYTES = 1 << 19;

export interface CsvWriteOptions {
  /** One letter; default a comma. */
  readonly delimiter?: string | undefined;
  /**
   * How geometry is written: `"xy"` two columns (points only), `"wkt"` one column of well-known text, `"none"`. Default `"xy"`
   * for layers of points, else `"wkt"`.
   */
  readonly geometry?: "xy" | "wkt" | "none" | undefined;
  /** Digits behind the point of coordinates at the most; default as many as it takes to read the same doubles back. */
  readonly precision?: number | undefined;
}

/**
 * Write CSV (RFC 4180, UTF-8, lines end with LF) with a line of names. Memory: about a megabyte.
 *
 * - Points go to columns `lon` and `lat` (`x` and `y` unless the CRS is geographic). If the layer already has a pair of
 *   such columns, as layers read from CSV have, those are written from the geometry instead of two more. Other
 *   geometry goes to a column `wkt`.
 * - Null is an empty field, empty text is `""`. Numbers are written in the fewest digits that read back as the same
 *   double, dates in ISO 8601, booleans as `true` and `false`, JSON as JSON, bytes as hexadecimal text.
 * - CSV cannot name a CRS: one other than WGS 84 gives a warning. Heights and measures of points are lost in `"xy"`, with
 *   a warning.
 *
 * @throws GeoError `OUTPUT_FAILED`; `INVALID_GEOMETRY` for a row that is not a point where `"xy"` was asked for.
 */
export async function createCsv(
  path: string,
  schema: LayerSchema,
  options: CsvWriteOptions = {},
): Promise<FeatureSink> {
  const { delimiter = "," } = options;
  if (delimiter.length !== 1 || delimiter.charCodeAt(0) > 127 || /["\r\n]/.test(delimiter)) {
    throw new GeoError(
      "INVALID_INPUT",
      `the delimiter ${JSON.stringify(delimiter)} is not one ASCII letter`,
      {
        path: "delimiter",
        expected: "one ASCII letter other than the quote",
      },
    );
  }
  try {
    return new CsvSink(path, await open(path, "w"), schema, options);
  } catch (error) {
    throw outputError(path, error);
  }
}

class CsvSink implements FeatureSink {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #out = new ByteBuffer(FLUSH_BYTES + (1 << 16));
  readonly #delimiter: number;
  readonly #mode: "xy" | "wkt" | "none";
  readonly #precision: number | undefined;
  /** Names of the columns that get x and y from the geometry; `null` when two columns are added for them. */
  readonly #pair: { readonly x: string; readonly y: string } | null;
  readonly #warnings: string[] = [];
  #lostHeights = false;
  #count = 0;
  #closed = false;

  constructor(path: string, file: FileHandle, schema: LayerSchema, options: CsvWriteOptions) {
    const { crs, geometryTypes, fields } = schema;
    this.#path = path;
    this.#file = file;
    this.#delimiter = (options.delimiter ?? ",").charCodeAt(0);
    this.#precision = options.precision;
    const plain = geometryTypes.length === 1 && geometryTypes[0] === 0;
    const points = geometryTypes.length === 1 && geometryTypes[0] === POINT;
    this.#mode = plain ? "none" : (options.geometry ?? (points ? "xy" : "wkt"));
    const names = fields.map(({ name }) => name);
    const geographic = isGeographic(crs);
    let pair: { x: string; y: string } | null = null;
    if (this.#mode === "xy") {
      const found = coordinateColumns(names);
      const numeric = (k: number): boolean => /^(?:float64|int32|int64)$/.test(fields[k]!.type);
      if (found !== null && found.geographic === geographic && numeric(found.x) && numeric(found.y))
        pair = { x: names[found.x]!, y: names[found.y]! };
    }
    this.#pair = pair;
    if (this.#mode !== "none" && crs !== null && crs.code !== "EPSG:4326" && crs.code !== "OGC:CRS84")
      this.#warnings.push(`coordinates are in ${crs.code ?? crs.name}, which CSV cannot say`);
    const header: string[] = [...names];
    const add = (name: string): void => {
      let unique = name;
      for (let n = 2; names.some((other) => other.toLowerCase() === unique.toLowerCase()); n++)
        unique = `${name}_${n}`;
      header.push(unique);
    };
    if (this.#mode === "xy" && pair === null) {
      add(geographic ? "lon" : "x");
      add(geographic ? "lat" : "y");
    } else if (this.#mode === "wkt") add("wkt");
    for (const [k, name] of header.entries()) {
      if (k > 0) this.#out.byte(this.#delimiter);
      this.#text(name, true);
    }
    this.#out.byte(10);
  }

  async write(batch: FeatureTable): Promise<void> {
    const out = this.#out;
    const { geometry, columns } = batch;
    if (this.#mode === "xy" && geometry !== null && (geometry.z !== null || geometry.m !== null))
      this.#lostHeights = true;
    const pair = this.#pair;
    for (let row = 0; row < batch.count; row++) {
      const v = this.#mode === "xy" && geometry !== null ? this.#vertexOf(batch, row) : -1;
      for (let k = 0; k < columns.length; k++) {
        const column = columns[k]!;
        if (k > 0) out.byte(this.#delimiter);
        if (pair !== null && column.name === pair.x) this.#coordinate(geometry!.xy, 2 * v);
        else if (pair !== null && column.name === pair.y) this.#coordinate(geometry!.xy, 2 * v + 1);
        else if (column.valid === null || column.valid[row] !== 0) this.#cell(column, row);
      }
      if (this.#mode === "xy" && pair === null) {
        if (columns.length > 0) out.byte(this.#delimiter);
        if (v >= 0) this.#coordinate(geometry!.xy, 2 * v);
        out.byte(this.#delimiter);
        if (v >= 0) this.#coordinate(geometry!.xy, 2 * v + 1);
      } else if (this.#mode === "wkt") {
        if (columns.length > 0) out.byte(this.#delimiter);
        if (geometry !== null && geometry.types[row] !== 0) {
          out.byte(34);
          writeWkt(out, geometry, row, { precision: this.#precision });
          out.byte(34);
        } else if (columns.length === 0) out.text('""');
      } else if (columns.length === 1 && isEmpty(columns[0]!, row)) out.text('""');
      out.byte(10);
      this.#count++;
      if (out.length >= FLUSH_BYTES) await this.#flush();
    }
  }

  async close(): Promise<WriteSummary> {
    await this.#flush();
    this.#closed = true;
    try {
      await this.#file.close();
    } catch (error) {
      throw outputError(this.#path, error);
    }
    const lost = this.#lostHeights ? ["heights and measures were left out; geometry: wkt keeps them"] : [];
    return { count: this.#count, warnings: [...this.#warnings, ...lost] };
  }

  async abort(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  /** The vertex of a point, -1 for a null or empty one. */
  #vertexOf({ geometry }: FeatureTable, row: number): number {
    const { types, geometries, parts, rings } = geometry!;
    const start = geometries[row]!;
    const count = geometries[row + 1]! - start;
    if (count === 0) return -1;
    if (types[row] === POINT) return rings[parts[start]!]!;
    const number = this.#count;
    throw new GeoError(
      "INVALID_GEOMETRY",
      `feature ${number} is not a point, expected points for columns of coordinates`,
      { row: number, reason: "not a point" },
      { hint: "Write the geometry as well-known text (geometry: wkt)." },
    );
  }

  #coordinate(xy: Float64Array, k: number): void {
    if (k < 0) return;
    const value = xy[k]!;
    if (this.#precision === undefined || !Number.isFinite(value)) this.#out.number(value);
    else this.#out.rounded(value, this.#precision);
  }

  #cell(column: Column, row: number): void {
    const out = this.#out;
    switch (column.type) {
      case "int32":
        out.number(column.values[row]!);
        return;
      case "float64": {
        const value = column.values[row]!;
        out.number(value);
        // Whole numbers keep a point, so that the column is read back as floating point.
        if (Number.isInteger(value) && Math.abs(value) < 1e21) out.text(".0");
        return;
      }
      case "int64":
        out.text(String(column.values[row]!));
        return;
      case "boolean":
        out.text(column.values[row] === 0 ? "false" : "true");
        return;
      case "string":
      case "json": {
        const { offsets, bytes } = column.values;
        this.#bytes(bytes, offsets[row]!, offsets[row + 1]!);
        return;
      }
      case "binary": {
        const { offsets, bytes } = column.values;
        for (let at = offsets[row]!; at < offsets[row + 1]!; at++)
          out.text(bytes[at]!.toString(16).padStart(2, "0"));
        return;
      }
      default:
        out.text(isoText(column, column.values[row]!));
    }
  }

  #text(text: string, name: boolean): void {
    const bytes = new TextEncoder().encode(text);
    // A name that is a number would make readers take the line for data.
    if (name && /^\s*[-+.\d]/.test(text)) {
      this.#quoted(bytes, 0, bytes.length);
      return;
    }
    this.#bytes(bytes, 0, bytes.length);
  }

  /** Text, in quotes when it must be: delimiters, quotes, line ends, spaces at the ends, empty. */
  #bytes(bytes: Uint8Array, start: number, end: number): void {
    let quote = start === end || bytes[start] === 32 || bytes[end - 1] === 32;
    for (let at = start; at < end && !quote; at++) {
      const byte = bytes[at]!;
      quote = byte === this.#delimiter || byte === 34 || byte === 10 || byte === 13;
    }
    if (quote) this.#quoted(bytes, start, end);
    else this.#out.append(bytes, start, end);
  }

  #quoted(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    out.reserve(2 * (end - start) + 2);
    out.byte(34);
    for (let at = start; at < end; at++) {
      if (bytes[at] === 34) out.byte(34);
      out.byte(bytes[at]!);
    }
    out.byte(34);
  }

  async #flush(): Promise<void> {
    const bytes = this.#out.taken();
    try {
      for (let at = 0; at < bytes.length; )
        at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
    } catch (error) {
      throw outputError(this.#path, error);
    }
    this.#out.clear();
  }
}

/** A line that would be empty is skipped by readers. */
function isEmpty(column: Column, row: number): boolean {
  return column.valid !== null && column.valid[row] === 0;
}
