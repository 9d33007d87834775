import { type FileHandle, open } from "node:fs/promises";
import { GeoError } from "../../model/errors.ts";
import { type Column, type Field, isNull } from "../../model/features.ts";
import { outputError } from "../atomic.ts";
import { Spill, writeAll } from "../spill.ts";
import { isoDate, isoDateTime, isoTime } from "../text/iso-time.ts";
import { dbfNames } from "./field-names.ts";

/** Text of a cell, at the most. */
const MAX_TEXT = 254;
/** Numbers with decimals: width and decimals as GDAL declares them. */
const REAL_WIDTH = 24;
const REAL_DECIMALS = 15;
/** Length of a spilled cell that means null. */
const NULL_CELL = 255;
/** Bytes of rows put aside, read back and written at once. */
const CHUNK_BYTES = 1 << 20;
/** Lengths in a .dbf and a .shp are signed 32-bit numbers for many readers. */
export const MAX_BYTES: number = 2 ** 31 - 1;

const encoder = new TextEncoder();

/**
 * Writes a .dbf (dBASE III, UTF-8). How wide a column must be is known only at the end: rows wait as text, in memory
 * while they are few, else in a temporary file beside the output.
 *
 * Whole numbers become `N` of 9 or 18 digits (more where needed), other numbers `N` 24.15 in the fewest digits that read
 * back as the same double, booleans `L`, dates `D`; text, times, JSON and bytes (as hexadecimal) `C` as wide as the
 * longest, at most 254 bytes.
 */
export class DbfWriter {
  readonly names: readonly string[];
  count: number = 0;
  readonly #path: string;
  readonly #fields: readonly Field[];
  readonly #widths: number[];
  /** Cells that were cut, by column. */
  readonly #cut: number[];
  /** Numbers that a .dbf cannot hold (NaN, infinite), by column. */
  readonly #lost: number[];
  readonly #spill: Spill;
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  /** @param fields  At least one. */
  constructor(path: string, fields: readonly Field[]) {
    this.#path = path;
    this.#fields = fields;
    this.names = dbfNames(fields.map(({ name }) => name));
    this.#widths = fields.map(({ type }) => MIN_WIDTHS[type] ?? 1);
    this.#cut = fields.map(() => 0);
    this.#lost = fields.map(() => 0);
    this.#spill = new Spill(path);
  }

  /** Append a row. */
  row(columns: readonly (Column | null)[], row: number): void {
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k]!;
      if (this.#length + MAX_TEXT + 1 > this.#bytes.length) this.#grow();
      if (column === null || isNull(column, row)) this.#bytes[this.#length++] = NULL_CELL;
      else this.#cell(k, column, row);
    }
    this.count++;
  }

  /** Append a row of one number, for a table that has no columns of its own. */
  numberRow(value: number): void {
    if (this.#length + MAX_TEXT + 1 > this.#bytes.length) this.#grow();
    this.#ascii(0, String(value));
    this.count++;
  }

  /** Hand on what has gathered. To be awaited now and then. */
  async flush(force: boolean = false): Promise<void> {
    if (this.#length < CHUNK_BYTES && !force) return;
    await this.#spill.append(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }

  /**
   * Write the file.
   *
   * @returns What did not fit, one sentence each.
   * @throws GeoError `LIMIT` above 2 GB or 65,535 bytes a row; `OUTPUT_FAILED`
   */
  async close(): Promise<string[]> {
    let handle: FileHandle | undefined;
    try {
      await this.flush(true);
      const rowBytes = 1 + this.#widths.reduce((sum, width) => sum + width, 0);
      const headerBytes = 33 + 32 * this.#fields.length;
      this.#checkLimits(rowBytes, headerBytes);
      handle = await open(this.#path, "w");
      await writeAll(handle, this.#header(headerBytes, rowBytes));
      await this.#rows(handle, rowBytes);
      await handle.close();
      handle = undefined;
    } catch (error) {
      throw outputError(this.#path, error);
    } finally {
      await handle?.close().catch(() => {});
      await this.#spill.close();
    }
    return this.#findings();
  }

  async abort(): Promise<void> {
    await this.#spill.close();
  }

  #cell(k: number, column: Column, row: number): void {
    switch (column.type) {
      case "int32":
      case "int64":
        this.#ascii(k, String(column.values[row]!));
        return;
      case "float64":
        this.#real(k, column.values[row]!);
        return;
      case "boolean":
        this.#ascii(k, column.values[row] === 0 ? "F" : "T");
        return;
      case "date":
        this.#date(k, column.values[row]!);
        return;
      case "time":
        this.#ascii(k, isoTime(column.values[row]!));
        return;
      case "datetime":
        this.#ascii(k, isoDateTime(column.values[row]!, column.zone ?? "utc"));
        return;
      case "string":
      case "json": {
        const { offsets, bytes } = column.values;
        this.#text(k, bytes, offsets[row]!, offsets[row + 1]!);
        return;
      }
      case "binary": {
        const { offsets, bytes } = column.values;
        const hex = Buffer.from(
          bytes.buffer,
          bytes.byteOffset + offsets[row]!,
          offsets[row + 1]! - offsets[row]!,
        );
        const text = encoder.encode(hex.subarray(0, MAX_TEXT).toString("hex"));
        this.#text(k, text, 0, text.length);
      }
    }
  }

  #real(k: number, value: number): void {
    if (!Number.isFinite(value)) {
      this.#lost[k]!++;
      this.#bytes[this.#length++] = NULL_CELL;
      return;
    }
    const text = String(value);
    if (!text.includes("e")) {
      this.#ascii(k, Object.is(value, -0) ? "-0" : text);
      return;
    }
    // Written out where there is room: not every program reads exponents.
    const plain = plainDecimal(text);
    this.#ascii(k, plain.length <= REAL_WIDTH ? plain : text);
  }

  #date(k: number, millis: number): void {
    const text = isoDate(millis);
    if (text.length === 10) this.#ascii(k, text.replaceAll("-", ""));
    else {
      // A year before 0 or after 9999.
      this.#lost[k]!++;
      this.#bytes[this.#length++] = NULL_CELL;
    }
  }

  #ascii(k: number, text: string): void {
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = text.length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
    if (text.length > this.#widths[k]!) this.#widths[k] = text.length;
  }

  #text(k: number, from: Uint8Array, start: number, end: number): void {
    let stop = end;
    if (end - start > MAX_TEXT) {
      stop = start + MAX_TEXT;
      // Not in the middle of a character.
      while (stop > start && (from[stop]! & 0xc0) === 0x80) stop--;
      this.#cut[k]!++;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = stop - start;
    for (let i = start; i < stop; i++) bytes[at++] = from[i]!;
    this.#length = at;
    if (stop - start > this.#widths[k]!) this.#widths[k] = stop - start;
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#bytes.length);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #checkLimits(rowBytes: number, headerBytes: number): void {
    const path = this.#path;
    if (rowBytes > 65535 || headerBytes > 65535) {
      const needed = Math.max(rowBytes, headerBytes);
      throw new GeoError(
        "LIMIT",
        `${path}: ${this.#fields.length} columns need ${rowBytes} bytes a row, a .dbf holds 65535`,
        { what: "bytes of a row of a .dbf", needed, allowed: 65535, path },
        { hint: "Write fewer columns (--fields), or a GeoPackage or FlatGeobuf." },
      );
    }
    const needed = headerBytes + this.count * rowBytes + 1;
    if (needed > MAX_BYTES) throw tooLarge(path, needed);
  }

  #header(headerBytes: number, rowBytes: number): Uint8Array {
    const bytes = new Uint8Array(headerBytes);
    const view = new DataView(bytes.buffer);
    bytes[0] = 3;
    // The date of the last change is always the same, so that equal input gives equal bytes.
    bytes.set([100, 1, 1], 1);
    view.setUint32(4, this.count, true);
    view.setUint16(8, headerBytes, true);
    view.setUint16(10, rowBytes, true);
    for (const [k, { type }] of this.#fields.entries()) {
      const at = 32 + 32 * k;
      encoder.encodeInto(this.names[k]!, bytes.subarray(at, at + 10));
      bytes[at + 11] = (LETTERS[type] ?? "C").charCodeAt(0);
      bytes[at + 16] = this.#widths[k]!;
      bytes[at + 17] = type === "float64" ? REAL_DECIMALS : 0;
    }
    bytes[headerBytes - 1] = 0x0d;
    return bytes;
  }

  async #rows(handle: FileHandle, rowBytes: number): Promise<void> {
    const fields = this.#fields;
    const right = fields.map(({ type }) => LETTERS[type] === "N");
    const out = new Uint8Array(rowBytes * Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)));
    const worst = (MAX_TEXT + 1) * fields.length;
    let used = 0;
    let chunk = new Uint8Array(0);
    let chunkStart = 0;
    let at = 0;
    for (let row = 0; row < this.count; row++) {
      if (at - chunkStart + worst > chunk.length && chunkStart + chunk.length < this.#spill.length) {
        const length = Math.min(Math.max(CHUNK_BYTES, worst), this.#spill.length - at);
        chunk = new Uint8Array(await this.#spill.read(at, length));
        chunkStart = at;
      }
      out.fill(32, used, used + rowBytes);
      let to = used + 1;
      for (let k = 0; k < fields.length; k++) {
        const from = at - chunkStart;
        const length = chunk[from]!;
        const width = this.#widths[k]!;
        at++;
        if (length === NULL_CELL) {
          // Blanks mean null for text and numbers; a flag that is not known is a question mark.
          if (fields[k]!.type === "boolean") out[to] = 63;
        } else {
          const start = right[k] === true ? to + width - length : to;
          for (let i = 0; i < length; i++) out[start + i] = chunk[from + 1 + i]!;
          at += length;
        }
        to += width;
      }
      used += rowBytes;
      if (used === out.length) {
        await writeAll(handle, out);
        used = 0;
      }
    }
    out[used] = 0x1a;
    await writeAll(handle, used < out.length ? out.subarray(0, used + 1) : Uint8Array.of(0x1a));
  }

  #findings(): string[] {
    const warnings: string[] = [];
    for (const [k, { name, type }] of this.#fields.entries()) {
      if (this.#cut[k]! > 0) {
        warnings.push(
          `${this.#cut[k]} values of "${name}" were cut to ${MAX_TEXT} bytes, the most that a Shapefile holds`,
        );
      }
      if (this.#lost[k]! > 0) {
        warnings.push(
          `${this.#lost[k]} values of "${name}" were written as null: a Shapefile cannot hold them`,
        );
      }
      if (type === "int64" && this.#widths[k]! > 18) {
        warnings.push(`"${name}" has whole numbers of more than 18 digits, which most programs read rounded`);
      }
    }
    if (this.#fields.length > 255) {
      warnings.push(`${this.#fields.length} columns were written; many programs read 255 at the most`);
    }
    return warnings;
  }
}

const LETTERS: Readonly<Partial<Record<Field["type"], string>>> = {
  int32: "N",
  int64: "N",
  float64: "N",
  boolean: "L",
  date: "D",
};

const MIN_WIDTHS: Readonly<Partial<Record<Field["type"], number>>> = {
  int32: 9,
  int64: 18,
  float64: REAL_WIDTH,
  date: 8,
};

/** `"1.5e-7"` as `"0.00000015"`. */
function plainDecimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?e([-+]\d+)$/.exec(text) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return point >= digits.length
    ? `${sign}${digits}${"0".repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The error for a file above 2 GB. */
export function tooLarge(path: string, needed: number): GeoError {
  return new GeoError(
    "LIMIT",
    `${path} would have ${needed} bytes, a file of a Shapefile has 2 GB at the most`,
    { what: "bytes of a file of a Shapefile", needed, allowed: MAX_BYTES, path },
    { hint: "Write a FlatGeobuf, GeoPackage or GeoParquet instead, or split the layer." },
  );
}
