import type { SampleArray } from "../../src/model/raster.ts";

const PRIMES = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
const INT_MAX = 2147483647;

/**
 * The 16-bit checksum that `gdalinfo -checksum` prints: each sample as a 32-bit integer (clamped, floats rounded
 * half up, NaN and infinities as the smallest), modulo eleven primes in turn. Complex samples count as two.
 */
export function gdalChecksum(samples: SampleArray): number {
  const float = samples instanceof Float32Array || samples instanceof Float64Array;
  if (samples instanceof Uint8Array || samples instanceof Int16Array || samples instanceof Uint16Array)
    return integers(samples);
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    let value = Number(samples[i]);
    if (!Number.isFinite(value)) value = -INT_MAX - 1;
    else {
      if (float) value = Math.floor(value + 0.5);
      value = Math.max(float ? -INT_MAX : -INT_MAX - 1, Math.min(INT_MAX, value));
    }
    sum = (sum + (value % PRIMES[i % 11]!)) & 0xffff;
  }
  return sum;
}

/** The same where nothing needs clamping or rounding. */
function integers(samples: Uint8Array | Int16Array | Uint16Array): number {
  let sum = 0;
  for (let i = 0, k = 0; i < samples.length; i++) {
    sum = (sum + (samples[i]! % PRIMES[k]!)) & 0xffff;
    if (++k === 11) k = 0;
  }
  return sum;
}
