import { isAscii } from "node:buffer";
import { GeoError } from "../../model/errors.ts";
import { type Column, ColumnBuilder, type ColumnType, type Field } from "../../model/features.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { daysFromCivil } from "../text/iso-time.ts";
import { NumberReader } from "../text/number.ts";
import { dbfEncoding, type TextEncoding } from "./encoding.ts";

/** A column of a .dbf and where it lies in a record. */
export interface DbfColumn {
  readonly field: Field;
  /** Type letter in the file. */
  readonly letter: string;
  /** In bytes from the begin of the record, whose first byte is the deletion mark. */
  readonly offset: number;
  /** In bytes. */
  readonly width: number;
}

/** The header of a .dbf. */
export interface DbfHeader {
  /** Records, deleted ones included. */
  readonly count: number;
  /** Offset of the first record. */
  readonly start: number;
  /** Bytes of a record. */
  readonly recordBytes: number;
  readonly columns: readonly DbfColumn[];
  readonly encoding: TextEncoding;
  readonly warnings: readonly string[];
}

const DAY = 86_400_000;
/** Julian day of 1970-01-01. */
const JULIAN_EPOCH = 2_440_588;

/**
 * Read the header of a .dbf (dBASE III to V, FoxPro).
 *
 * Numbers without decimals become `int32` below 10 digits, `int64` below 19, else `float64`, as in GDAL; `L` is
 * boolean, `D` a date. Memo columns are left out, with a warning.
 *
 * @param cpg  Text of the .cpg, or `null`.
 * @throws GeoError `INVALID_FORMAT`; `UNSUPPORTED` for dBASE 7.
 */
export async function readDbfHeader(source: ByteSource, cpg: string | null): Promise<DbfHeader> {
  const head = await readExactly(source, 0, Math.min(32, source.size), "the header");
  if (head.length < 32) throw damagedDbf(source.url, 0, `it has ${source.size} bytes, a header has 32`);
  const view = new DataView(head.buffer, head.byteOffset, 32);
  const version = head[0]!;
  if ((version & 7) === 4 && version !== 0xf5) {
    throw new GeoError(
      "UNSUPPORTED",
      `${source.url} is a dBASE 7 table, expected dBASE III, IV or V`,
      { feature: "dBASE 7", path: source.url },
      { hint: "Save it as dBASE IV." },
    );
  }
  const claimed = view.getUint32(4, true);
  const start = view.getUint16(8, true);
  const recordBytes = view.getUint16(10, true);
  if (start < 32 || start > source.size) throw damagedDbf(source.url, 8, `its header claims ${start} bytes`);
  const warnings: string[] = [];
  const encoding = dbfEncoding(cpg, head[29]!);
  const descriptors = await readExactly(source, 32, start - 32, "the list of columns");
  const columns: DbfColumn[] = [];
  let offset = 1;
  for (let at = 0; at + 32 <= descriptors.length && descriptors[at] !== 0x0d; at += 32) {
    const column = parseColumn(descriptors.subarray(at, at + 32), offset, version, encoding);
    offset += column.width;
    if (offset > recordBytes) {
      warnings.push(
        `column "${column.field.name}" lies outside the records of ${recordBytes} bytes; it is left out`,
      );
      break;
    }
    if (MEMO.has(column.letter) && !isDouble(column)) {
      warnings.push(`column "${column.field.name}" refers to a memo file; it is left out`);
    } else if (column.width > 0 && column.letter !== "0") columns.push(column);
  }
  // A last record that is cut is read as far as it goes.
  const fits = recordBytes === 0 ? 0 : (source.size - start) / recordBytes;
  const count = Math.min(claimed, Math.ceil(fits));
  if (claimed > fits)
    warnings.push(
      `${source.url} claims ${claimed} records, but its ${source.size} bytes hold ${Math.floor(fits)}`,
    );
  return { count, start, recordBytes, columns, encoding, warnings };
}

const MEMO = new Set(["M", "G", "P", "B"]);

function parseColumn(bytes: Uint8Array, offset: number, version: number, encoding: TextEncoding): DbfColumn {
  let nameEnd = 0;
  while (nameEnd < 11 && bytes[nameEnd] !== 0) nameEnd++;
  const name = encoding.decode(bytes.subarray(0, nameEnd)).trim();
  const letter = String.fromCharCode(bytes[11]!).toUpperCase();
  const width = bytes[16]!;
  const decimals = bytes[17]!;
  const visual = version >= 0x30 && version <= 0x32;
  const type = columnType(letter, width, decimals, visual);
  return {
    letter,
    offset,
    width,
    field: {
      name,
      type,
      nullable: true,
      ...(type === "datetime" ? { zone: "local" as const } : {}),
      ...(letter === "C" || letter === "N" || letter === "F" ? { width } : {}),
      ...((letter === "N" || letter === "F") && decimals > 0 ? { precision: decimals } : {}),
    },
  };
}

function isDouble({ letter, field }: DbfColumn): boolean {
  return letter === "B" && field.type === "float64";
}

function columnType(letter: string, width: number, decimals: number, visual: boolean): ColumnType {
  switch (letter) {
    case "N":
    case "F":
      if (decimals > 0 || width >= 19) return "float64";
      return width < 10 ? "int32" : "int64";
    case "D":
      return "date";
    case "L":
      return "boolean";
    case "I":
    case "+":
      return width === 4 ? "int32" : "string";
    case "O":
    case "Y":
      return width === 8 ? "float64" : "string";
    case "B":
      return visual && width === 8 ? "float64" : "string";
    case "T":
    case "@":
      return width === 8 ? "datetime" : "string";
    default:
      return "string";
  }
}

/** Turns records into cells of columns. */
export class DbfDecoder {
  readonly columns: readonly DbfColumn[];
  readonly #builders: readonly ColumnBuilder[];
  readonly #encoding: TextEncoding;
  readonly #note: (warning: string) => void;
  readonly #number = new NumberReader();

  /**
   * @param fields  Names wanted, in this order; default all.
   * @param note    Called with findings, which may repeat.
   */
  constructor(header: DbfHeader, fields: readonly string[] | undefined, note: (warning: string) => void) {
    this.columns =
      fields === undefined
        ? header.columns
        : fields.flatMap((name) => header.columns.find(({ field }) => field.name === name) ?? []);
    this.#builders = this.columns.map(({ field }) => new ColumnBuilder(field));
    this.#encoding = header.encoding;
    this.#note = note;
  }

  /** Add the record that begins at `at`. `end`: where the bytes at hand end, for a last record that is cut. */
  record(bytes: Uint8Array, view: DataView, at: number, end: number): void {
    const { columns } = this;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k]!;
      const builder = this.#builders[k]!;
      const start = at + column.offset;
      const stop = Math.min(end, start + column.width);
      if (stop <= start) builder.pushNull();
      else this.#cell(builder, column, bytes, view, start, stop);
    }
  }

  /** A record that is not there: all null. */
  missing(): void {
    for (const builder of this.#builders) builder.pushNull();
  }

  finish(): Column[] {
    return this.#builders.map((builder, k) => {
      const column = builder.finish();
      if (column.type !== "string") return column;
      const { warning } = this.#encoding;
      if (warning !== null && !isAscii(column.values.bytes)) this.#note(warning);
      return { ...column, values: this.#encoding.convert(column.values, this.columns[k]!.width) };
    });
  }

  #cell(
    builder: ColumnBuilder,
    column: DbfColumn,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    stop: number,
  ): void {
    switch (column.letter) {
      case "N":
      case "F":
        this.#decimal(builder, bytes, start, stop);
        return;
      case "D":
        this.#date(builder, bytes, start, stop);
        return;
      case "L": {
        const flag = bytes[start]! | 32;
        // t, y and f, n; anything else is unknown.
        if (flag === 116 || flag === 121) builder.pushNumber(1);
        else if (flag === 102 || flag === 110) builder.pushNumber(0);
        else builder.pushNull();
        return;
      }
      default:
        if (builder.field.type === "string") this.#text(builder, bytes, start, stop);
        else if (stop - start < column.width) builder.pushNull();
        else this.#binary(builder, column.letter, view, start);
    }
  }

  #text(builder: ColumnBuilder, bytes: Uint8Array, start: number, stop: number): void {
    // Blanks and zero bytes around the text are padding; a zero byte inside ends it.
    while (start < stop && bytes[start] === 32) start++;
    while (stop > start && (bytes[stop - 1] === 32 || bytes[stop - 1] === 0)) stop--;
    for (let at = start; at < stop; at++) if (bytes[at] === 0) stop = at;
    while (stop > start && bytes[stop - 1] === 32) stop--;
    if (stop === start) builder.pushNull();
    else builder.pushBytes(bytes, start, stop);
  }

  #decimal(builder: ColumnBuilder, bytes: Uint8Array, start: number, stop: number): void {
    while (start < stop && (bytes[start]! <= 32 || bytes[start] === 42)) {
      // A field of asterisks: no value, or one too long for the field.
      if (bytes[start] === 42) {
        builder.pushNull();
        return;
      }
      start++;
    }
    while (stop > start && bytes[stop - 1]! <= 32) stop--;
    if (start === stop) {
      builder.pushNull();
      return;
    }
    const { type } = builder.field;
    if (type === "int64" && stop - start > 15) {
      this.#long(builder, bytes, start, stop);
      return;
    }
    const reader = this.#number;
    const value = reader.read(bytes, start, stop);
    if (reader.end !== stop) {
      this.#word(builder, bytes, start, stop);
      return;
    }
    if (type === "float64") {
      builder.pushNumber(value);
      return;
    }
    const whole = Math.trunc(value);
    if (whole !== value)
      this.#note(`column "${builder.field.name}" has fractions, but declares none; they are cut off`);
    if (type === "int64") builder.pushBigInt(BigInt(whole));
    else builder.pushNumber(whole);
  }

  #long(builder: ColumnBuilder, bytes: Uint8Array, start: number, stop: number): void {
    let at = start;
    const negative = bytes[at] === 45;
    if (negative || bytes[at] === 43) at++;
    let high = 0;
    let low = 0;
    let scale = 1;
    let digits = 0;
    for (; at < stop; at++) {
      const digit = bytes[at]! - 48;
      if (digit < 0 || digit > 9) {
        this.#word(builder, bytes, start, stop);
        return;
      }
      if (++digits <= 15) high = 10 * high + digit;
      else {
        low = 10 * low + digit;
        scale *= 10;
      }
    }
    const value = BigInt(high) * BigInt(scale) + BigInt(low);
    builder.pushBigInt(negative ? -value : value);
  }

  /** `nan` and `inf`, which some write; anything else that is no number is null. */
  #word(builder: ColumnBuilder, bytes: Uint8Array, start: number, stop: number): void {
    const text = String.fromCharCode(...bytes.subarray(start, Math.min(stop, start + 24))).toLowerCase();
    if (builder.field.type === "float64") {
      if (/^[-+]?(1\.#(qnan|ind|snan).*|nan)$/.test(text)) {
        builder.pushNumber(Number.NaN);
        return;
      }
      if (/^[-+]?(inf|infinity|1\.#inf0*)$/.test(text)) {
        builder.pushNumber(text.startsWith("-") ? -Infinity : Infinity);
        return;
      }
    }
    this.#note(`column "${builder.field.name}" has values that are no numbers; they are read as null`);
    builder.pushNull();
  }

  /** `YYYYMMDD`, `YYYY/MM/DD`, `YYYY-MM-DD`, `MM/DD/YYYY`; zeros and blanks are null. */
  #date(builder: ColumnBuilder, bytes: Uint8Array, start: number, stop: number): void {
    while (start < stop && bytes[start]! <= 32) start++;
    while (stop > start && bytes[stop - 1]! <= 32) stop--;
    const part = (from: number, digits: number): number => {
      let value = 0;
      for (let at = start + from; at < start + from + digits; at++) {
        const digit = at < stop ? bytes[at]! - 48 : -1;
        if (digit < 0 || digit > 9) return Number.NaN;
        value = 10 * value + digit;
      }
      return value;
    };
    const mark = (at: number): boolean => bytes[start + at] === 47 || bytes[start + at] === 45;
    let year = part(0, 4);
    let month: number;
    let day: number;
    if (stop - start === 10 && mark(4) && mark(7)) {
      month = part(5, 2);
      day = part(8, 2);
    } else if (stop - start === 10 && mark(2) && mark(5)) {
      year = part(6, 4);
      month = part(0, 2);
      day = part(3, 2);
    } else {
      // Years below 1000 may be written without their zeros, `   10101` (GDAL).
      const missing = Math.max(0, 8 - (stop - start));
      if (missing > 0) year = missing < 4 ? part(0, 4 - missing) : Number.NaN;
      month = part(4 - missing, 2);
      day = part(6 - missing, 2);
    }
    if (month >= 1 && month <= 12 && day >= 1 && day <= 31 && year >= 0) {
      builder.pushNumber(DAY * daysFromCivil(year, month, day));
      return;
    }
    for (let at = start; at < stop; at++) {
      if (bytes[at] === 48 || bytes[at] === 0) continue;
      this.#note(`column "${builder.field.name}" has values that are no dates; they are read as null`);
      break;
    }
    builder.pushNull();
  }

  #binary(builder: ColumnBuilder, letter: string, view: DataView, at: number): void {
    if (letter === "I" || letter === "+") builder.pushNumber(view.getInt32(at, true));
    else if (letter === "Y") builder.pushNumber(Number(view.getBigInt64(at, true)) / 10_000);
    else if (letter === "O" || letter === "B") builder.pushNumber(view.getFloat64(at, true));
    else {
      const day = view.getInt32(at, true);
      if (day === 0) builder.pushNull();
      else builder.pushNumber(DAY * (day - JULIAN_EPOCH) + view.getInt32(at + 4, true));
    }
  }
}

/** The error for a .dbf that breaks the rules of the format. */
export function damagedDbf(url: string, offset: number, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${url} is not a whole dBASE table: ${what} (byte ${offset})`,
    { format: "dBASE", path: url, offset },
    { hint: "Copy the file again, or take the .dbf away to read the geometry alone." },
  );
}
