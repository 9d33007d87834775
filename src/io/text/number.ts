/** Powers of ten that a double holds exactly. */
const EXACT_POWERS = Float64Array.from([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  1e20, 1e21, 1e22,
]);

/** Dekker's constant, 2^27 + 1: splits a double into two halves of 26 bits. */
const SPLIT = 134217729;

/**
 * Reads decimal numbers straight from UTF-8 bytes, always to the nearest double (ties to even), as `Number(text)`
 * would. Fields describe the number read last; one reader is kept per parser so that reading allocates nothing.
 *
 * Up to 15 digits with a power of ten up to 22 are one exact division (W. D. Clinger, "How to read floating point
 * numbers accurately", 1990). Up to 22 digits are divided with twice the precision, and the result is taken when the
 * error bound shows that no other double can be nearer. The rest, a few in a million, goes through `Number`.
 */
export class NumberReader {
  /** Offset behind the last byte of the number; the start when there was none. */
  end: number = 0;
  /** Whether it was written without point and exponent. */
  integer: boolean = false;
  /** Whether JSON's grammar allows the way it was written (RFC 8259, section 6). */
  json: boolean = false;

  /**
   * The number that begins at `start` (sign, digits with or without a point, exponent), reading to before `end` at the
   * most. NaN when no number begins there; no words such as `nan` or `inf` are read.
   */
  read(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let negative = false;
    let json = true;
    this.end = start;
    if (at < end) {
      if (bytes[at] === 45) {
        negative = true;
        at++;
      } else if (bytes[at] === 43) {
        json = false;
        at++;
      }
    }
    const first = at;
    let high = 0;
    let low = 0;
    let significant = 0;
    let power = 0;
    let byte = 0;
    while (at < end) {
      byte = bytes[at]! - 48;
      if (byte < 0 || byte > 9) break;
      if (significant < 15) {
        high = 10 * high + byte;
        if (high !== 0) significant++;
      } else {
        if (significant < 22) low = 10 * low + byte;
        significant++;
      }
      at++;
    }
    let digits = at - first;
    if (digits === 0 || (digits > 1 && bytes[first] === 48)) json = false;
    let integer = true;
    if (at < end && bytes[at] === 46) {
      integer = false;
      at++;
      const point = at;
      while (at < end) {
        byte = bytes[at]! - 48;
        if (byte < 0 || byte > 9) break;
        if (significant < 15) {
          high = 10 * high + byte;
          if (high !== 0) significant++;
        } else {
          if (significant < 22) low = 10 * low + byte;
          significant++;
        }
        at++;
      }
      power = point - at;
      digits -= power;
      if (at === point) json = false;
    }
    if (digits === 0) return Number.NaN;
    if (at < end && (bytes[at]! | 32) === 101) {
      let mark = at + 1;
      let down = false;
      if (mark < end && (bytes[mark] === 45 || bytes[mark] === 43)) {
        down = bytes[mark] === 45;
        mark++;
      }
      const exponentStart = mark;
      let exponent = 0;
      while (mark < end) {
        byte = bytes[mark]! - 48;
        if (byte < 0 || byte > 9) break;
        if (exponent < 100_000) exponent = 10 * exponent + byte;
        mark++;
      }
      if (mark > exponentStart) {
        integer = false;
        power += down ? -exponent : exponent;
        at = mark;
      } else json = false;
    }
    this.end = at;
    this.integer = integer;
    this.json = json;
    if (significant <= 15 && power <= 22 && power >= -22) {
      const value = power < 0 ? high / EXACT_POWERS[-power]! : high * EXACT_POWERS[power]!;
      return negative ? -value : value;
    }
    if (significant > 15 && significant <= 22 && power <= 0 && power >= -22) {
      const value = longQuotient(high, low, EXACT_POWERS[significant - 15]!, EXACT_POWERS[-power]!);
      if (!Number.isNaN(value)) return negative ? -value : value;
    }
    return Number(asciiText(bytes, start, at));
  }
}

/**
 * `(high * scale + low) / divisor` to the nearest double, or NaN when the error bound leaves a doubt. All four are
 * whole numbers that doubles hold exactly, `high` below 1e15, `low` below `scale`, `scale` at most 1e7.
 */
function longQuotient(high: number, low: number, scale: number, divisor: number): number {
  // high * scale + low = sum + rest, without error (Dekker's product, Knuth's sum).
  const product = high * scale;
  const error = productError(high, scale, product);
  const sum = product + low;
  const back = sum - product;
  const rest = product - (sum - back) + (low - back) + error;
  // One step of long division: exact remainder of the first quotient, then the second.
  const first = sum / divisor;
  const times = first * divisor;
  const remainder = sum - times - productError(first, divisor, times) + rest;
  const second = remainder / divisor;
  const value = first + second;
  const tail = second - (value - first);
  // All roundings together stay below 2^-96 of the value; far more doubt than that is allowed for.
  const doubt = value * 2e-28;
  return value + (tail + doubt) === value && value + (tail - doubt) === value ? value : Number.NaN;
}

/** Exact `a * b - product` where `product` is the rounded `a * b`. */
function productError(a: number, b: number, product: number): number {
  const as = SPLIT * a;
  const ah = as - (as - a);
  const al = a - ah;
  const bs = SPLIT * b;
  const bh = bs - (bs - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/** Text of bytes that are known to be ASCII. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
