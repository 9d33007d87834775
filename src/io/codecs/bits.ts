/** Each byte with its bits in the other order: TIFF's FillOrder 2. */
export function reverseBits(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    let b = bytes[i]!;
    b = ((b & 0xf0) >> 4) | ((b & 0x0f) << 4);
    b = ((b & 0xcc) >> 2) | ((b & 0x33) << 2);
    out[i] = ((b & 0xaa) >> 1) | ((b & 0x55) << 1);
  }
  return out;
}

/**
 * Unpack samples of 1 to 31 bits, most significant bit first, each row starting at a whole byte.
 *
 * @param out One element per sample, `rows * rowSamples` long; written in place.
 * @param signed Whether the highest bit is a sign.
 */
export function unpackBits(
  bytes: Uint8Array,
  bits: number,
  rowSamples: number,
  rows: number,
  signed: boolean,
  out: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array,
): void {
  const rowBytes = Math.ceil((rowSamples * bits) / 8);
  if (bits === 1 && !signed) {
    unpackSingle(bytes, rowSamples, rows, rowBytes, out as Uint8Array);
    return;
  }
  const top = 2 ** (bits - 1);
  const span = 2 ** bits;
  for (let row = 0; row < rows; row++) {
    let at = row * rowBytes;
    let to = row * rowSamples;
    // Held bits stay below 8 + 31, which a double holds exactly; 32-bit operators would not.
    let held = 0;
    let value = 0;
    for (let i = 0; i < rowSamples; i++) {
      while (held < bits) {
        value = value * 256 + bytes[at++]!;
        held += 8;
      }
      held -= bits;
      const rest = 2 ** held;
      const sample = Math.floor(value / rest);
      value -= sample * rest;
      out[to++] = signed && sample >= top ? sample - span : sample;
    }
  }
}

function unpackSingle(
  bytes: Uint8Array,
  rowSamples: number,
  rows: number,
  rowBytes: number,
  out: Uint8Array,
): void {
  for (let row = 0; row < rows; row++) {
    const from = row * rowBytes;
    const to = row * rowSamples;
    for (let i = 0; i < rowSamples; i++) out[to + i] = (bytes[from + (i >> 3)]! >> (7 - (i & 7))) & 1;
  }
}

/** IEEE 754 half precision to single, exactly, NaN payloads kept. `out` holds the bits of the floats. */
export function widenHalf(halves: Uint16Array, out: Uint32Array): void {
  for (let i = 0; i < halves.length; i++) {
    const h = halves[i]!;
    const sign = (h & 0x8000) << 16;
    let exponent = (h >> 10) & 0x1f;
    let mantissa = h & 0x3ff;
    if (exponent === 31) {
      out[i] = sign | 0x7f800000 | (mantissa << 13);
      continue;
    }
    if (exponent === 0) {
      if (mantissa === 0) {
        out[i] = sign;
        continue;
      }
      exponent = 1;
      while ((mantissa & 0x400) === 0) {
        mantissa <<= 1;
        exponent--;
      }
      mantissa &= 0x3ff;
    }
    out[i] = sign | ((exponent + 112) << 23) | (mantissa << 13);
  }
}

/**
 * 24-bit floats (1 sign, 7 exponent, 16 mantissa bits; excess 63) to single, exactly.
 *
 * @param bytes Three per sample. `out` holds the bits of the floats.
 */
export function widenTriple(bytes: Uint8Array, littleEndian: boolean, out: Uint32Array): void {
  for (let i = 0; i < out.length; i++) {
    const a = bytes[3 * i]!;
    const b = bytes[3 * i + 1]!;
    const c = bytes[3 * i + 2]!;
    const t = littleEndian ? a | (b << 8) | (c << 16) : c | (b << 8) | (a << 16);
    const sign = (t & 0x800000) << 8;
    let exponent = (t >> 16) & 0x7f;
    let mantissa = t & 0xffff;
    if (exponent === 127) {
      out[i] = sign | 0x7f800000 | (mantissa << 7);
      continue;
    }
    if (exponent === 0) {
      if (mantissa === 0) {
        out[i] = sign;
        continue;
      }
      exponent = 1;
      while ((mantissa & 0x10000) === 0) {
        mantissa <<= 1;
        exponent--;
      }
      mantissa &= 0xffff;
    }
    out[i] = sign | ((exponent + 64) << 23) | (mantissa << 7);
  }
}
