import { GeoError } from "../../model/errors.ts";
import { NumberReader } from "../text/number.ts";

/** Deepest nesting of objects and arrays that is read; a valid file stays below ten. */
export const MAX_DEPTH = 256;

/** Thrown by a cursor that needs bytes beyond its buffer; the caller refills and tries that value again. */
export const MORE: unique symbol = Symbol("more bytes");

/** What {@link JsonCursor.value} found. */
export const NULL = 0;
export const TRUE = 1;
export const FALSE = 2;
export const NUMBER = 3;
export const STRING = 4;
export const NESTED = 5;

const decoder = new TextDecoder();

/**
 * A place in JSON text held as UTF-8 bytes, with the steps that a reader of a known structure needs. Strict as RFC 8259
 * is. Nothing is allocated for a value that is stepped over.
 */
export class JsonCursor {
  bytes: Uint8Array;
  /** Offset of the next byte in `bytes`. */
  at: number = 0;
  end: number;
  /** Offset of `bytes[0]` in the file, for messages. */
  base: number;
  /** Whether the file ends where the bytes end; otherwise running out of them throws {@link MORE}. */
  final: boolean;
  readonly url: string;
  readonly numbers: NumberReader = new NumberReader();
  /** Text of the string read last, without its quotes: `start .. stop - 1`. */
  start: number = 0;
  stop: number = 0;
  /** Whether that string has escapes. */
  escaped: boolean = false;
  /** Whether {@link attribute} found a word that JSON does not have. */
  notJson: boolean = false;
  /** The number read last by {@link value}. */
  number: number = 0;

  constructor(url: string, bytes: Uint8Array, base: number, final: boolean) {
    this.url = url;
    this.bytes = bytes;
    this.end = bytes.length;
    this.base = base;
    this.final = final;
  }

  /** Step over white space; the next byte (not consumed), or -1 at the end of the file. */
  peek(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    if (!this.final) throw MORE;
    return -1;
  }

  /** Step over white space and one byte that must be there. */
  expect(byte: number): void {
    if (this.peek() !== byte) this.fail(`"${String.fromCharCode(byte)}"`);
    this.at++;
  }

  /** Behind `{` or `,`: true and `start .. stop - 1` is the next key, behind its colon; false behind `}`. */
  key(first: boolean): boolean {
    let byte = this.peek();
    if (first) {
      if (byte === 125) {
        this.at++;
        return false;
      }
    } else {
      if (byte === 125) {
        this.at++;
        return false;
      }
      if (byte !== 44) this.fail(`"," or "}"`);
      this.at++;
      byte = this.peek();
    }
    if (byte !== 34) this.fail("a member name in quotes");
    this.string();
    const { start, stop } = this;
    this.expect(58);
    this.start = start;
    this.stop = stop;
    return true;
  }

  /** Behind `[` (first) or an item: true when an item follows, false behind `]`. */
  item(first: boolean): boolean {
    const byte = this.peek();
    if (byte === 93) {
      this.at++;
      return false;
    }
    if (first) return true;
    if (byte !== 44) this.fail(`"," or "]"`);
    this.at++;
    if (this.peek() === 93) this.fail("a value behind the comma");
    return true;
  }

  /** Read a string whose opening quote is the next byte. */
  string(): void {
    const { bytes, end } = this;
    let at = this.at + 1;
    this.start = at;
    this.escaped = false;
    for (;;) {
      if (at >= end) {
        if (!this.final) throw MORE;
        this.at = end;
        this.fail("the closing quote of a text");
      }
      const byte = bytes[at]!;
      if (byte === 34) break;
      if (byte < 32) {
        this.at = at;
        this.fail("an escape: control characters may not stand in a text as they are");
      }
      if (byte === 92) {
        this.escaped = true;
        at = this.#escape(at);
      } else at++;
    }
    this.stop = at;
    this.at = at + 1;
  }

  /** Offset behind the escape that begins at `at`. */
  #escape(at: number): number {
    const { bytes, end } = this;
    if (at + 1 >= end || (bytes[at + 1] === 117 && at + 5 >= end)) {
      if (!this.final) throw MORE;
      this.at = end;
      this.fail("the rest of an escape");
    }
    switch (bytes[at + 1]) {
      case 34:
      case 92:
      case 47:
      case 98:
      case 102:
      case 110:
      case 114:
      case 116:
        return at + 2;
      case 117:
        for (let k = at + 2; k < at + 6; k++) {
          const byte = bytes[k]!;
          const letter = byte | 32;
          if (!((byte >= 48 && byte <= 57) || (letter >= 97 && letter <= 102))) {
            this.at = k;
            this.fail("four hexadecimal digits");
          }
        }
        return at + 6;
      default:
        this.at = at;
        this.fail("one of the escapes of JSON");
    }
  }

  /** Whether the string read last is the ASCII word `word`, escapes and all. */
  is(word: string): boolean {
    const { bytes, start, stop } = this;
    if (this.escaped) return this.text() === word;
    if (stop - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false;
    return true;
  }

  /** The string read last, escapes resolved. Lone surrogates stay as they are. */
  text(): string {
    const { bytes, start, stop } = this;
    const raw = decoder.decode(bytes.subarray(start, stop));
    return this.escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** Step over any value and say what it was; `number`, or `start` and `stop`, hold its content. */
  value(depth: number = 0): number {
    const byte = this.peek();
    switch (byte) {
      case 34:
        this.string();
        return STRING;
      case 123: {
        if (depth >= MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} levels of nesting`);
        this.at++;
        for (let first = true; this.key(first); first = false) this.value(depth + 1);
        return NESTED;
      }
      case 91: {
        if (depth >= MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} levels of nesting`);
        this.at++;
        for (let first = true; this.item(first); first = false) this.value(depth + 1);
        return NESTED;
      }
      case 116:
        this.#word("true");
        return TRUE;
      case 102:
        this.#word("false");
        return FALSE;
      case 110:
        this.#word("null");
        return NULL;
      default:
        if (byte !== 45 && (byte < 48 || byte > 57)) this.fail("a value");
        this.start = this.at;
        this.number = this.readNumber();
        this.stop = this.at;
        return NUMBER;
    }
  }

  /**
   * {@link value} of an attribute, which may also be what Python writes and JSON does not have: `NaN` (a null here),
   * `Infinity` and `-Infinity` (numbers). Those set {@link notJson}.
   */
  attribute(): number {
    const byte = this.peek();
    this.notJson = false;
    if (byte === 78) {
      this.#word("NaN");
      this.notJson = true;
      return NULL;
    }
    const sign = byte === 45 ? 1 : 0;
    if (sign === 1 && this.at + 1 >= this.end && !this.final) throw MORE;
    if (this.bytes[this.at + sign] !== 73) return this.value(1);
    this.start = this.at;
    this.#word(sign === 1 ? "-Infinity" : "Infinity");
    this.stop = this.at;
    this.number = sign === 1 ? -Infinity : Infinity;
    this.numbers.integer = false;
    this.notJson = true;
    return NUMBER;
  }

  /** Read the number that begins at the next byte. */
  readNumber(): number {
    const { numbers } = this;
    const value = numbers.read(this.bytes, this.at, this.end);
    if (numbers.end === this.end && !this.final) throw MORE;
    if (!numbers.json || numbers.end === this.at) this.fail("a number");
    this.at = numbers.end;
    return value;
  }

  #word(word: string): void {
    const { bytes, at, end } = this;
    for (let i = 0; i < word.length; i++) {
      if (at + i >= end && !this.final) throw MORE;
      if (at + i >= end || bytes[at + i] !== word.charCodeAt(i)) this.fail("a value");
    }
    this.at = at + word.length;
  }

  /**
   * Step over the arrays of numbers of a `coordinates` member without reading the numbers, which is several times
   * faster. True when a position has more than two.
   */
  coordinates(): boolean {
    if (this.peek() !== 91) this.fail(`an array of "coordinates"`);
    const { bytes, end } = this;
    let at = this.at;
    let depth = 0;
    let commas = 0;
    let third = false;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      // Digits, minus and point, which most bytes are.
      if (byte > 44 && byte < 58) continue;
      if (byte === 44) commas++;
      else if (byte === 91) {
        commas = 0;
        if (++depth > 4) {
          this.at = at;
          this.fail("coordinates nested at most four deep");
        }
      } else if (byte === 93) {
        if (commas >= 2) third = true;
        commas = 0;
        if (--depth === 0) {
          this.at = at + 1;
          return third;
        }
      } else if (byte > 32 && byte !== 69 && byte !== 101 && byte !== 43) {
        this.at = at;
        this.fail("a number");
      }
    }
    if (!this.final) throw MORE;
    this.at = end;
    this.fail(`"]"`);
  }

  /** @throws GeoError `INVALID_FORMAT` naming file, place, what is there and what should be. */
  fail(expected: string, hint?: string): never {
    throw this.failure(`found ${this.found()}, expected ${expected}`, this.at, hint);
  }

  /** An error of the file at `at` (in `bytes`). */
  failure(finding: string, at: number, hint?: string): GeoError<"INVALID_FORMAT"> {
    const offset = this.base + at;
    return new GeoError(
      "INVALID_FORMAT",
      `${this.url}: GeoJSON at byte ${offset}: ${finding}`,
      { format: "GeoJSON", path: this.url, offset },
      { hint: hint ?? "Write the file again with a tool that makes valid GeoJSON (RFC 7946)." },
    );
  }

  /** What is at the cursor, for messages. */
  found(): string {
    if (this.at >= this.end) return "the end of the file";
    let text = decoder.decode(this.bytes.subarray(this.at, Math.min(this.at + 24, this.end)));
    const cut = text.search(/[\s,\]}]/);
    if (cut > 0) text = text.slice(0, cut);
    return JSON.stringify(text.replace(/\uFFFD+$/, ""));
  }
}
