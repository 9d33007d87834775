import { GeoError } from "../../model/errors.ts";

/** Most fields a line may have. */
export const MAX_FIELDS = 10_000;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Splits CSV into records (RFC 4180): fields in quotes may hold delimiters, line ends and doubled quotes; a quote inside an
 * unquoted field is a letter like any other; lines end with LF, CRLF or CR. Nothing is copied: fields are places
 * in `bytes`.
 */
export class RecordReader {
  bytes: Uint8Array = new Uint8Array(0);
  at: number = 0;
  end: number = 0;
  /** Whether the file ends where the bytes end. */
  final: boolean = true;
  /** Line of the file at `at`, from 1. */
  line: number = 1;
  readonly delimiter: number;
  readonly url: string;

  /** Fields of the record read last. */
  count: number = 0;
  /** Field `k` is `bytes[starts[k] .. stops[k] - 1]`, without its quotes. */
  starts: Int32Array = new Int32Array(64);
  stops: Int32Array = new Int32Array(64);
  /** 0 as it stands, 1 in quotes, 2 in quotes with doubled quotes or letters behind them. */
  quotes: Uint8Array = new Uint8Array(64);
  /** Line on which that record began. */
  recordLine: number = 1;

  constructor(url: string, delimiter: number) {
    this.url = url;
    this.delimiter = delimiter;
  }

  /**
   * Read the next record that is not an empty line. False when more bytes are needed first (`at` then stays at the begin of
   * the record) or, when `final`, at the end of the file.
   * @throws GeoError `INVALID_FORMAT` for a quote that is never closed, `LIMIT` for too many fields.
   */
  next(): boolean {
    const { bytes, end, delimiter } = this;
    let at = this.at;
    let line = this.line;
    // Empty lines hold no record.
    while (at < end && (bytes[at] === 10 || bytes[at] === 13)) {
      if (bytes[at] === 10) line++;
      else if (at + 1 < end ? bytes[at + 1] !== 10 : this.final) line++;
      at++;
    }
    this.at = at;
    this.line = line;
    if (at >= end) return false;
    this.recordLine = line;
    let count = 0;
    for (;;) {
      if (count === this.starts.length) this.#grow();
      let byte = at < end ? bytes[at]! : -1;
      if (byte === 34) {
        const opened = line;
        let kind = 1;
        const start = ++at;
        for (;;) {
          while (at < end && bytes[at] !== 34) {
            if (bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] !== 10)) line++;
            at++;
          }
          if (at >= end) {
            if (!this.final) return false;
            throw new GeoError(
              "INVALID_FORMAT",
              `${this.url}: line ${opened} opens a quote that is never closed, expected a closing quote before the end of the file`,
              { format: "CSV", path: this.url, offset: start - 1 },
              { hint: `Add the missing " on line ${opened}, or double the quote if it is part of the text.` },
            );
          }
          if (at + 1 >= end && !this.final) return false;
          if (bytes[at + 1] !== 34 || at + 1 >= end) break;
          kind = 2;
          at += 2;
        }
        let stop = at++;
        byte = at < end ? bytes[at]! : -1;
        if (byte !== delimiter && byte !== 10 && byte !== 13 && byte !== -1) {
          // Letters behind the closing quote belong to the field, the quotes among them too.
          kind = 2;
          while (at < end && bytes[at] !== delimiter && bytes[at] !== 10 && bytes[at] !== 13) at++;
          stop = at;
          byte = at < end ? bytes[at]! : -1;
        }
        this.starts[count] = start;
        this.stops[count] = stop;
        this.quotes[count] = kind;
      } else {
        const start = at;
        while (byte !== delimiter && byte !== 10 && byte !== 13 && byte !== -1) {
          at++;
          byte = at < end ? bytes[at]! : -1;
        }
        this.starts[count] = start;
        this.stops[count] = at;
        this.quotes[count] = 0;
      }
      count++;
      if (byte === delimiter) {
        at++;
        continue;
      }
      if (byte === -1 && !this.final) return false;
      if (byte === 13) {
        if (at + 1 >= end && !this.final) return false;
        at += bytes[at + 1] === 10 && at + 1 < end ? 2 : 1;
        line++;
      } else if (byte === 10) {
        at++;
        line++;
      }
      this.at = at;
      this.line = line;
      this.count = count;
      return true;
    }
  }

  /** Text of field `k` of the record. */
  text(k: number): string {
    const text = decoder.decode(this.bytes.subarray(this.starts[k]!, this.stops[k]!));
    return this.quotes[k] === 2 ? unquote(text) : text;
  }

  #grow(): void {
    const size = this.starts.length * 2;
    if (size > 2 * MAX_FIELDS) {
      throw new GeoError(
        "LIMIT",
        `${this.url}: line ${this.recordLine} has more than ${MAX_FIELDS} fields`,
        { what: "fields of a line", needed: size, allowed: MAX_FIELDS, path: this.url },
        { hint: "Check the delimiter and the quotes of the file." },
      );
    }
    const starts = new Int32Array(size);
    const stops = new Int32Array(size);
    const quotes = new Uint8Array(size);
    starts.set(this.starts);
    stops.set(this.stops);
    quotes.set(this.quotes);
    this.starts = starts;
    this.stops = stops;
    this.quotes = quotes;
  }
}

/** Doubled quotes become one, the closing quote before trailing letters goes away. */
function unquote(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '"') out += text[at];
    else if (text[at + 1] === '"') {
      out += '"';
      at++;
    } else return out + text.slice(at + 1);
  }
  return out;
}
