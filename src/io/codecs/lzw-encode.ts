const CLEAR = 256;
const END = 257;
const FIRST_FREE = 258;
/** The table is given up one entry before 12 bits are used up, as libtiff does; readers count on it. */
const TABLE_FULL = 4094;
const HASH_BITS = 14;
const HASH_SIZE = 1 << HASH_BITS;

/**
 * LZW as TIFF 6.0 section 13 wants it: most significant bit first, codes of 9 to 12 bits, width changed one
 * code early, starting with a clear code and closed by an end code. Returns a fresh array.
 */
export function lzwBytes(bytes: Uint8Array): Uint8Array {
  // Longest output: 12 bits a byte, a clear code every 3,836 of them, and the two codes at the ends.
  const out = new Uint8Array(Math.ceil((bytes.length * 3) / 2) + (bytes.length >>> 10) + 16);
  // Open addressing; an entry is (prefix code << 8 | byte) << 12 | code, 0 = empty (code 0 is never stored).
  const table = new Uint32Array(HASH_SIZE);
  let at = 0;
  let bits = 0;
  let held = 0;
  let width = 9;
  let widest = 511;
  let free = FIRST_FREE;

  held = CLEAR;
  bits = 9;

  const length = bytes.length;
  if (length > 0) {
    let prefix = bytes[0]!;
    for (let i = 1; i < length; i++) {
      const byte = bytes[i]!;
      const key = (prefix << 8) | byte;
      let slot = (Math.imul(key, 0x9e3779b1) >>> (32 - HASH_BITS)) & (HASH_SIZE - 1);
      let entry = table[slot]!;
      while (entry !== 0 && entry >>> 12 !== key) {
        slot = (slot + 1) & (HASH_SIZE - 1);
        entry = table[slot]!;
      }
      if (entry !== 0) {
        prefix = entry & 0xfff;
        continue;
      }
      held = (held << width) | prefix;
      bits += width;
      while (bits >= 8) {
        bits -= 8;
        out[at++] = held >>> bits;
      }
      held &= (1 << bits) - 1;
      table[slot] = ((key << 12) | free) >>> 0;
      free++;
      prefix = byte;
      if (free === TABLE_FULL) {
        held = (held << width) | CLEAR;
        bits += width;
        while (bits >= 8) {
          bits -= 8;
          out[at++] = held >>> bits;
        }
        held &= (1 << bits) - 1;
        table.fill(0);
        free = FIRST_FREE;
        width = 9;
        widest = 511;
      } else if (free > widest) {
        width++;
        widest = (1 << width) - 1;
      }
    }
    held = (held << width) | prefix;
    bits += width;
    while (bits >= 8) {
      bits -= 8;
      out[at++] = held >>> bits;
    }
    held &= (1 << bits) - 1;
    free++;
    // The reader adds an entry for the last code too, and may widen its codes before it meets the end code.
    if (free === TABLE_FULL) {
      held = (held << width) | CLEAR;
      bits += width;
      while (bits >= 8) {
        bits -= 8;
        out[at++] = held >>> bits;
      }
      held &= (1 << bits) - 1;
      width = 9;
    } else if (free > widest) width++;
  }
  held = (held << width) | END;
  bits += width;
  while (bits >= 8) {
    bits -= 8;
    out[at++] = held >>> bits;
  }
  if (bits > 0) out[at++] = held << (8 - bits);
  return out.slice(0, at);
}
