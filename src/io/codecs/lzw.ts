import { CodecError, tooShort } from "./codec-error.ts";

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const CODES = 4096;

/**
 * LZW as TIFF has it (TIFF 6.0, section 13): `expected` bytes; data beyond them is left unread. Streams of the
 * years before 1988, with the bits in the other order, are told by their first two bytes.
 *
 * The table holds no strings: code `k` is the string that starts at `start[k]` of the output and is `length[k]`
 * bytes long, because every string of the table has just been written when it is entered.
 *
 * @throws CodecError when the input ends before, or names a code that is not in the table.
 */
export function decodeLzw(bytes: Uint8Array, expected: number): Uint8Array {
  const old = bytes.length >= 2 && bytes[0] === 0 && (bytes[1]! & 1) === 1;
  return old ? decodeOld(bytes, expected) : decodeNew(bytes, expected);
}

function decodeNew(bytes: Uint8Array, expected: number): Uint8Array {
  const out = new Uint8Array(expected);
  const start = new Int32Array(CODES);
  const length = new Int32Array(CODES);
  const size = bytes.length;
  let at = 0;
  let to = 0;
  let bits = 0;
  let held = 0;
  let width = 9;
  let next = FIRST;
  // Where the previous code's string lies in the output; -1 just after a clear.
  let previous = -1;
  let previousLength = 0;
  while (to < expected) {
    while (held < width) {
      if (at >= size) throw tooShort("LZW", to, expected);
      bits = ((bits << 8) | bytes[at++]!) & 0xffffff;
      held += 8;
    }
    held -= width;
    const code = (bits >>> held) & ((1 << width) - 1);
    if (code < CLEAR) {
      if (previous >= 0 && next < CODES) {
        start[next] = previous;
        length[next++] = previousLength + 1;
      }
      out[to] = code;
      previous = to++;
      previousLength = 1;
    } else if (code === CLEAR) {
      width = 9;
      next = FIRST;
      previous = -1;
      continue;
    } else if (code === END) {
      throw tooShort("LZW", to, expected);
    } else {
      if (previous < 0 || code > next) throw new CodecError(`LZW code ${code} is not in the table`);
      if (next < CODES) {
        start[next] = previous;
        length[next++] = previousLength + 1;
      } else if (code >= next) throw new CodecError(`LZW code ${code} is not in the table`);
      let from = start[code]!;
      const count = length[code]!;
      previous = to;
      previousLength = count;
      // Byte by byte and forward: a code that was entered just now overlaps its own copy by one byte.
      const end = Math.min(expected, to + count);
      while (to < end) out[to++] = out[from++]!;
    }
    // "Early change": the width grows one code before the table needs it.
    if (next >= (1 << width) - 1 && width < 12) width++;
  }
  return out;
}

/** Least significant bit first, and the width grows only when the table needs it. */
function decodeOld(bytes: Uint8Array, expected: number): Uint8Array {
  const out = new Uint8Array(expected);
  const start = new Int32Array(CODES);
  const length = new Int32Array(CODES);
  let at = 0;
  let to = 0;
  let bits = 0;
  let held = 0;
  let width = 9;
  let next = FIRST;
  let previous = -1;
  let previousLength = 0;
  while (to < expected) {
    while (held < width) {
      if (at >= bytes.length) throw tooShort("LZW", to, expected);
      bits |= bytes[at++]! << held;
      held += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
    if (code === CLEAR) {
      width = 9;
      next = FIRST;
      previous = -1;
      continue;
    }
    if (code === END) throw tooShort("LZW", to, expected);
    if (previous >= 0 && next < CODES) {
      start[next] = previous;
      length[next++] = previousLength + 1;
    }
    let from = to;
    let count = 1;
    if (code < CLEAR) out[to] = code;
    else {
      if (previous < 0 || code >= next) throw new CodecError(`LZW code ${code} is not in the table`);
      from = start[code]!;
      count = length[code]!;
    }
    previous = to;
    previousLength = count;
    const end = Math.min(expected, to + count);
    if (code < CLEAR) to = end;
    while (to < end) out[to++] = out[from++]!;
    if (next > (1 << width) - 1 && width < 12) width++;
  }
  return out;
}
