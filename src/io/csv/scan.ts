import { isUtf8 } from "node:buffer";
import { GeoError } from "../../model/errors.ts";
import { POINT } from "../../model/geometry.ts";
import type { ByteSource } from "../bytes/source.ts";
import { checkCells } from "../text/cells.ts";
import { UniqueNames } from "../text/names.ts";
import { NumberReader } from "../text/number.ts";
import { fromWindows1252 } from "../text/windows-1252.ts";
import { wktHead } from "../wkt.ts";
import { cellKind, isSpace } from "./cell.ts";
import { coordinateColumns, type GeometryColumns, wktColumns } from "./geometry-columns.ts";
import { RecordReader } from "./record.ts";

const KEEP_BYTES = 1 << 23;
const BLOCK_BYTES = 1 << 20;
const RUN_BYTES = 1 << 19;
/** Longest record; a quote that is never closed must not pull a whole file into memory. */
const MAX_RECORD_BYTES = 1 << 28;

/** SEEN_INT32 | SEEN_INT64 | SEEN_FLOAT | SEEN_NULL */
const NUMERIC = 4 | 8 | 16 | 1;

export interface CsvScanOptions {
  readonly delimiter?: string | undefined;
  readonly header?: boolean | undefined;
  /** `none`, or names of the columns that hold the geometry; default by their usual names. */
  readonly geometry?:
    | "none"
    | { readonly wkt: string }
    | { readonly x: string; readonly y: string }
    | undefined;
  readonly blockBytes?: number | undefined;
  readonly keepBytes?: number | undefined;
}

/** What the first pass over a file learns. */
export interface CsvScan {
  readonly delimiter: number;
  readonly header: boolean;
  readonly names: readonly string[];
  /** Bits seen in each column; see `columnTypeOf`. */
  readonly seen: readonly number[];
  readonly count: number;
  readonly geometry: GeometryColumns;
  /** Bit `t` is set when a geometry of type `t` was met. */
  readonly types: number;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  /** `SRID=` of the first geometry, or 0. */
  readonly srid: number;
  /** Whole records in runs: offset, bytes, rows and first line, four numbers a run. */
  readonly runs: readonly number[];
  readonly whole: Uint8Array | null;
  /** The text is not UTF-8 and is read as Windows-1252. */
  readonly latin: boolean;
  readonly warnings: readonly string[];
}

/**
 * Read a file once to learn its columns, their types and where its records lie. Memory: one block, or the longest record.
 * @throws GeoError `INVALID_FORMAT` for an empty or binary file and for a quote that is never closed.
 */
export async function scanCsv(bytes: ByteSource, options: CsvScanOptions): Promise<CsvScan> {
  const { blockBytes = BLOCK_BYTES, keepBytes = KEEP_BYTES } = options;
  const keep = bytes.size <= keepBytes;
  const head = await bytes.read(0, keep ? bytes.size : blockBytes);
  const start = head.length >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  checkHead(bytes.url, head, start);
  const delimiter = delimiterByte(options.delimiter) ?? sniffDelimiter(head, start);
  const scan = new Scan(bytes.url, delimiter, options);
  const { records } = scan;
  records.bytes = head;
  records.at = start;
  records.end = head.length;
  records.final = keep || head.length >= bytes.size;
  scan.checkText();
  for (;;) {
    scan.run();
    if (records.final) break;
    const rest = records.end - records.at;
    const offset = scan.base + records.end;
    const wanted = Math.min(Math.max(blockBytes, rest), bytes.size - offset);
    if (rest > MAX_RECORD_BYTES) {
      throw new GeoError(
        "LIMIT",
        `${bytes.url}: the record on line ${records.line} is longer than ${MAX_RECORD_BYTES} bytes`,
        { what: "one CSV record", needed: rest, allowed: MAX_RECORD_BYTES, path: bytes.url },
        { hint: `Check line ${records.line} for a quote that is never closed.` },
      );
    }
    const next = wanted > 0 ? await bytes.read(offset, wanted) : new Uint8Array(0);
    const joined = new Uint8Array(rest + next.length);
    joined.set(records.bytes.subarray(records.at, records.end));
    joined.set(next, rest);
    scan.base += records.at;
    records.bytes = joined;
    records.at = 0;
    records.end = joined.length;
    records.final = offset + next.length >= bytes.size || next.length === 0;
    scan.checkText();
  }
  const result = scan.result(keep ? head : null);
  checkCells(bytes.url, result.count, result.names.length, bytes.size);
  return result;
}

function checkHead(url: string, head: Uint8Array, start: number): void {
  const binary = head.subarray(0, 4096).includes(0);
  if (!binary && head.length > start) return;
  throw new GeoError(
    "INVALID_FORMAT",
    binary
      ? `${url} holds binary data, expected CSV text`
      : `${url} is empty, expected CSV with a line of names`,
    { format: "CSV", path: url, offset: binary ? head.indexOf(0) : 0 },
    { hint: "Check that this is the file you mean." },
  );
}

function delimiterByte(delimiter: string | undefined): number | null {
  if (delimiter === undefined) return null;
  const code = delimiter.charCodeAt(0);
  if (delimiter.length === 1 && code < 128 && code !== 34 && code !== 10 && code !== 13) return code;
  throw new GeoError("INVALID_INPUT", `the delimiter ${JSON.stringify(delimiter)} is not one ASCII letter`, {
    path: "delimiter",
    expected: "one ASCII letter other than the quote",
  });
}

/**
 * The likeliest of comma, semicolon, tab and bar: the one that splits the first records into the same number of fields
 * most often, then into most fields. Comma when none splits them.
 */
export function sniffDelimiter(head: Uint8Array, start: number): number {
  let best = 44;
  let bestScore = 0;
  for (const delimiter of [44, 59, 9, 124]) {
    const records = new RecordReader("", delimiter);
    records.bytes = head.subarray(0, Math.min(head.length, start + (1 << 16)));
    records.at = start;
    records.end = records.bytes.length;
    records.final = false;
    const counts: number[] = [];
    try {
      while (counts.length < 20 && records.next()) counts.push(records.count);
      if (counts.length < 20 && records.end === head.length) {
        records.final = true;
        if (records.next()) counts.push(records.count);
      }
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
    }
    const first = counts[0] ?? 1;
    if (first < 2) continue;
    const alike = counts.filter((count) => count === first).length / counts.length;
    const score = alike * 1e6 + first;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

class Scan {
  readonly records: RecordReader;
  /** Offset of the buffer in the file. */
  base = 0;
  readonly #options: CsvScanOptions;
  readonly #numbers = new NumberReader();
  /** Bytes of each name of the header; decoded when the encoding is known. */
  #header: Uint8Array[] | null = null;
  #started = false;
  readonly #seen: number[] = [];
  #candidates: number[] = [];
  #wkt = -1;
  #types = 0;
  #hasZ = false;
  #hasM = false;
  #srid = 0;
  #count = 0;
  #width = 0;
  #longer = 0;
  #shorter = 0;
  #firstLonger = 0;
  readonly #runs: number[] = [];
  #runStart = -1;
  #runEnd = 0;
  #runRows = 0;
  #runLine = 0;
  #checked = 0;
  #latin = false;

  constructor(url: string, delimiter: number, options: CsvScanOptions) {
    this.records = new RecordReader(url, delimiter);
    this.#options = options;
  }

  /** Check that the bytes read so far are UTF-8; a letter cut by the end of the block waits for the next one. */
  checkText(): void {
    if (this.#latin) return;
    const { bytes, end, final } = this.records;
    let stop = end;
    for (let back = 1; !final && back <= 3 && back <= end; back++) {
      const byte = bytes[end - back]!;
      if (byte < 0x80) break;
      if (byte >= 0xc0) {
        stop = end - back;
        break;
      }
    }
    const from = Math.max(0, this.#checked - this.base);
    if (stop <= from) return;
    this.#latin = !isUtf8(bytes.subarray(from, stop));
    this.#checked = this.base + stop;
  }

  /** Take all whole records of the buffer. */
  run(): void {
    const { records } = this;
    while (records.next()) {
      if (this.#started) this.#row();
      else this.#first();
    }
    if (records.final) this.#endRun();
  }

  #first(): void {
    const { records } = this;
    this.#started = true;
    const { count } = records;
    this.#width = count;
    let header = this.#options.header;
    if (header === undefined) {
      header = true;
      for (let k = 0; k < count; k++) if (records.quotes[k] === 0 && this.#isNumber(k)) header = false;
    }
    for (let k = 0; k < count; k++) this.#seen.push(0);
    if (header) {
      this.#header = [];
      for (let k = 0; k < count; k++) {
        const { bytes, starts, stops } = records;
        const raw =
          records.quotes[k] === 2
            ? new TextEncoder().encode(records.text(k))
            : bytes.slice(starts[k]!, stops[k]!);
        this.#header.push(raw);
      }
      this.#candidates = this.#wktCandidates();
    } else this.#row();
  }

  /** Whether a field is a number and nothing else: `2010 ` with a space behind it is a name (Eurostat's tables). */
  #isNumber(k: number): boolean {
    const { bytes, starts, stops, quotes } = this.records;
    const first = bytes[starts[k]!]!;
    if (isSpace(first) || first > 57 || isSpace(bytes[stops[k]! - 1]!)) return false;
    const kind = cellKind(bytes, starts[k]!, stops[k]!, quotes[k]!, this.#numbers);
    return (kind & NUMERIC & ~1) !== 0;
  }

  #wktCandidates(): number[] {
    const { geometry } = this.#options;
    if (geometry === "none") return [];
    const names = this.#names();
    if (geometry === undefined) return wktColumns(names);
    return "wkt" in geometry ? [columnOf(this.records.url, names, geometry.wkt)] : [];
  }

  #row(): void {
    const { records } = this;
    const seen = this.#seen;
    const { bytes, starts, stops, quotes, count } = records;
    if (count > this.#width) {
      this.#longer++;
      if (this.#firstLonger === 0) this.#firstLonger = records.recordLine;
    }
    const width = Math.min(count, this.#width);
    for (let k = 0; k < width; k++) {
      // Once a column has text there is nothing more to learn, unless it may hold geometry.
      if ((seen[k]! & 32) !== 0 && !this.#candidates.includes(k)) continue;
      const kind = cellKind(bytes, starts[k]!, stops[k]!, quotes[k]!, this.#numbers);
      seen[k]! |= kind;
      if (kind > 1 && this.#candidates.includes(k)) this.#wktCell(k);
    }
    if (count < this.#width) {
      this.#shorter++;
      for (let k = count; k < this.#width; k++) seen[k]! |= 1;
    }
    if (this.#runStart < 0) {
      this.#runStart = this.base + starts[0]! - (quotes[0] === 0 ? 0 : 1);
      this.#runLine = records.recordLine;
    }
    this.#runEnd = this.base + records.at;
    this.#runRows++;
    this.#count++;
    if (this.#runEnd - this.#runStart >= RUN_BYTES) this.#endRun();
  }

  #wktCell(k: number): void {
    const head = wktHead(this.records.bytes, this.records.starts[k]!, this.records.stops[k]!);
    if (head === null) {
      // The first cell of a column tells whether it is geometry; a later wrong one is an error of the reader.
      if (this.#wkt !== k) this.#candidates = this.#candidates.filter((other) => other !== k);
      return;
    }
    if (this.#wkt < 0) {
      this.#wkt = k;
      this.#candidates = [k];
      this.#srid = head.srid;
    }
    if (this.#wkt !== k) return;
    this.#types |= 1 << head.type;
    this.#hasZ ||= head.hasZ;
    this.#hasM ||= head.hasM;
  }

  #endRun(): void {
    if (this.#runRows > 0)
      this.#runs.push(this.#runStart, this.#runEnd - this.#runStart, this.#runRows, this.#runLine);
    this.#runStart = -1;
    this.#runRows = 0;
  }

  #names(): string[] {
    const decoder = new TextDecoder();
    const decode = (raw: Uint8Array): string => decoder.decode(this.#latin ? fromWindows1252(raw) : raw);
    const names: string[] = [];
    const unique = new UniqueNames();
    for (let k = 0; k < this.#width; k++) {
      const given = this.#header === null ? "" : decode(this.#header[k]!).trim();
      const base = given === "" ? `field_${k + 1}` : given;
      names.push(unique.take(base));
    }
    return names;
  }

  /** Take away last columns without a name and without a value: lines that end with the delimiter. */
  #dropBlankColumns(names: string[]): void {
    for (let k = names.length - 1; k > 0; k--) {
      const name = this.#header?.[k];
      if (name === undefined || (this.#seen[k]! & ~1) !== 0 || !name.every(isSpace)) return;
      names.pop();
    }
  }

  result(whole: Uint8Array | null): CsvScan {
    const { records } = this;
    if (!this.#started) checkHead(records.url, new Uint8Array(0), 0);
    const names = this.#names();
    this.#dropBlankColumns(names);
    const warnings: string[] = [];
    if (this.#latin) warnings.push("the text is not UTF-8 and was read as Windows-1252");
    if (this.#longer > 0) {
      warnings.push(
        `${this.#longer} lines have more fields than the header (first on line ${this.#firstLonger}); the extra fields were left out`,
      );
    }
    if (this.#shorter > 0)
      warnings.push(`${this.#shorter} lines have fewer fields than the header; the missing ones are null`);
    const geometry = this.#geometry(names, warnings);
    return {
      delimiter: records.delimiter,
      header: this.#header !== null,
      names,
      seen: this.#seen,
      count: this.#count,
      geometry,
      types: geometry.kind === "wkt" ? this.#types : geometry.kind === "xy" ? 1 << POINT : 0,
      hasZ: this.#hasZ,
      hasM: this.#hasM,
      srid: this.#srid,
      runs: this.#runs,
      whole,
      latin: this.#latin,
      warnings,
    };
  }

  #geometry(names: readonly string[], warnings: string[]): GeometryColumns {
    const wanted = this.#options.geometry;
    const { url } = this.records;
    if (wanted === "none") return { kind: "none" };
    if (wanted !== undefined) {
      if ("wkt" in wanted) return { kind: "wkt", column: columnOf(url, names, wanted.wkt) };
      const x = columnOf(url, names, wanted.x);
      const y = columnOf(url, names, wanted.y);
      return { kind: "xy", x, y, geographic: coordinateColumns([wanted.x, wanted.y])?.geographic === true };
    }
    if (this.#wkt >= 0) return { kind: "wkt", column: this.#wkt };
    if (this.#header === null) return { kind: "none" };
    // A layer whose cells are all empty still has its geometry column.
    if (this.#count > 0) {
      for (const k of this.#candidates)
        if ((this.#seen[k]! & ~1) === 0 && names[k]!.toLowerCase() !== "shape")
          return { kind: "wkt", column: k };
    } else if (this.#candidates.length > 0) return { kind: "wkt", column: this.#candidates[0]! };
    const pair = coordinateColumns(names);
    if (pair === null) return { kind: "none" };
    if (((this.#seen[pair.x]! | this.#seen[pair.y]!) & ~NUMERIC) !== 0) {
      warnings.push(
        `columns "${names[pair.x]}" and "${names[pair.y]}" hold more than numbers; the file is read as a plain table`,
      );
      return { kind: "none" };
    }
    return { kind: "xy", ...pair };
  }
}

function columnOf(url: string, names: readonly string[], name: string): number {
  const exact = names.indexOf(name);
  const found = exact >= 0 ? exact : names.findIndex((other) => other.toLowerCase() === name.toLowerCase());
  if (found >= 0) return found;
  throw new GeoError(
    "INVALID_INPUT",
    `${url} has no column "${name}"; it has ${names.slice(0, 20).join(", ")}`,
    { path: name, expected: `one of ${names.slice(0, 20).join(", ")}` },
  );
}
