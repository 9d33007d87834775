const word = new Float32Array(1);
const wordBits = new Uint32Array(word.buffer);

/**
 * Bits of IEEE 754 half-precision numbers, rounded to nearest, ties to even. Values beyond 65504 become
 * infinity; NaN becomes the quiet NaN 0x7e00. Fills `out[0 .. values.length - 1]`.
 */
export function encodeFloat16(values: Float32Array, out: Uint16Array): void {
  for (let i = 0; i < values.length; i++) {
    word[0] = values[i]!;
    const bits = wordBits[0]!;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) out[i] = 0x7e00;
    else if (magnitude >= 0x477ff000) out[i] = sign | 0x7c00;
    else if (magnitude >= 0x38800000) {
      // Normal: rebias the exponent from 127 to 15, drop 13 bits, round half to even.
      const kept = (magnitude - 0x38000000) >>> 13;
      const dropped = magnitude & 0x1fff;
      out[i] = sign | (kept + (dropped > 0x1000 || (dropped === 0x1000 && (kept & 1) === 1) ? 1 : 0));
    } else if (magnitude < 0x33000000) out[i] = sign;
    else {
      // Subnormal: the significand with its hidden bit, shifted to units of 2^-24.
      const shift = 126 - (magnitude >>> 23);
      const significand = (magnitude & 0x7fffff) | 0x800000;
      const kept = significand >>> shift;
      const dropped = significand & ((1 << shift) - 1);
      const half = 1 << (shift - 1);
      out[i] = sign | (kept + (dropped > half || (dropped === half && (kept & 1) === 1) ? 1 : 0));
    }
  }
}
