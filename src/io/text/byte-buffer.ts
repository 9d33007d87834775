const encoder = new TextEncoder();

/** Largest whole number that fifteen digits can say: decimals below it name exactly one double. */
const FIFTEEN_DIGITS = 1e15;

/** Room for one number or any other small thing that is appended without asking first. */
const SLACK = 64;

/**
 * Text under construction as UTF-8 bytes: writers append to it and hand {@link ByteBuffer.taken} to the file. Faster than
 * joining strings, and its memory is what was appended since the last {@link ByteBuffer.clear}.
 */
export class ByteBuffer {
  bytes: Uint8Array;
  length: number = 0;

  constructor(capacity: number = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
  }

  /** The bytes so far; valid until the next append. */
  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** Make room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra + SLACK;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(2 * this.bytes.length, needed));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Any text; lone surrogates become U+FFFD. */
  text(text: string): void {
    this.reserve(3 * text.length);
    if (text.length < 24) {
      const start = this.length;
      const { bytes } = this;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) {
          this.length = start + encoder.encodeInto(text, bytes.subarray(start)).written;
          return;
        }
        bytes[start + i] = code;
      }
      this.length = start + text.length;
    } else this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** Bytes `start .. end - 1` of another buffer. */
  append(from: Uint8Array, start: number = 0, end: number = from.length): void {
    this.reserve(end - start);
    if (end - start < 32) {
      const out = this.bytes;
      let at = this.length;
      for (let i = start; i < end; i++) out[at++] = from[i]!;
    } else this.bytes.set(from.subarray(start, end), this.length);
    this.length += end - start;
  }

  /**
   * A finite number in the fewest digits that read back as the same double. Numbers with up to seven decimals, which
   * coordinates mostly are, are printed by hand and the others by `String`; negative zero keeps its sign.
   */
  number(value: number): void {
    const scaled = Math.round(value * 1e7);
    // Below fifteen digits two decimals never share a double, so equality proves that these are the fewest digits.
    if (scaled / 1e7 === value && scaled < FIFTEEN_DIGITS && scaled > -FIFTEEN_DIGITS)
      this.#decimal(scaled, 7, Object.is(value, -0));
    else this.text(String(value));
  }

  /** A finite number rounded to at most `decimals` (0 to 15) digits after the point, without trailing zeros. */
  rounded(value: number, decimals: number): void {
    const scaled = Math.round(value * 10 ** decimals);
    if (scaled < FIFTEEN_DIGITS && scaled > -FIFTEEN_DIGITS) {
      this.#decimal(scaled, decimals, scaled === 0 && Object.is(value, -0));
      return;
    }
    const text = value.toFixed(decimals);
    this.text(text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text);
  }

  /** `scaled / 10^decimals`, `scaled` a whole number of at most fifteen digits. */
  #decimal(scaled: number, decimals: number, minusZero: boolean): void {
    this.reserve(SLACK);
    const { bytes } = this;
    let at = this.length;
    if (scaled < 0 || minusZero) {
      bytes[at++] = 45;
      scaled = -scaled;
    }
    const scale = 10 ** decimals;
    let whole = Math.floor(scaled / scale);
    let fraction = scaled - whole * scale;
    // Digits come out last first.
    let width = 1;
    for (let rest = whole; rest >= 10; rest = Math.floor(rest / 10)) width++;
    for (let k = at + width - 1; k >= at; k--) {
      const next = Math.floor(whole / 10);
      bytes[k] = 48 + whole - 10 * next;
      whole = next;
    }
    at += width;
    if (fraction > 0) {
      let places = decimals;
      while (fraction % 10 === 0) {
        fraction /= 10;
        places--;
      }
      bytes[at] = 46;
      for (let k = at + places; k > at; k--) {
        const next = Math.floor(fraction / 10);
        bytes[k] = 48 + fraction - 10 * next;
        fraction = next;
      }
      at += places + 1;
    }
    this.length = at;
  }
}
