import { tooShort } from "./codec-error.ts";

/**
 * PackBits (TIFF 6.0, section 9): `expected` bytes; data beyond them is left unread.
 *
 * @throws CodecError when the input ends before.
 */
export function decodePackBits(bytes: Uint8Array, expected: number): Uint8Array {
  const out = new Uint8Array(expected);
  let at = 0;
  let to = 0;
  while (to < expected) {
    if (at >= bytes.length) throw tooShort("PackBits", to, expected);
    const code = bytes[at++]!;
    if (code < 128) {
      const length = Math.min(code + 1, expected - to);
      if (at + length > bytes.length) throw tooShort("PackBits", to + bytes.length - at, expected);
      out.set(bytes.subarray(at, at + length), to);
      at += code + 1;
      to += length;
    } else if (code > 128) {
      if (at >= bytes.length) throw tooShort("PackBits", to, expected);
      const end = Math.min(expected, to + 257 - code);
      out.fill(bytes[at++]!, to, end);
      to = end;
    }
  }
  return out;
}
