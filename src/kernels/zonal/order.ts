/**
 * Positions of `values` from the least to the greatest value; which of two equal ones comes first is not said. No NaN.
 * Radix sort on the bits of the numbers, in time proportional to their count.
 */
export function orderByValue(values: Float64Array): Uint32Array {
  const n = values.length;
  const order = Uint32Array.from({ length: n }, (_, k) => k);
  if (n < 256) return order.sort((a, b) => values[a]! - values[b]!);
  const keys = keysOf(values);
  let from = order;
  let to: Uint32Array<ArrayBuffer> = new Uint32Array(n);
  const starts = new Uint32Array(65537);
  for (let digit = 0; digit < 4; digit++) {
    starts.fill(0);
    for (let k = 0; k < n; k++) starts[keys[4 * k + digit]! + 1]!++;
    // All alike in this digit: nothing to do.
    if (starts[keys[digit]! + 1] === n) continue;
    for (let k = 0; k < 65536; k++) starts[k + 1]! += starts[k]!;
    for (let k = 0; k < n; k++) {
      const item = from[k]!;
      to[starts[keys[4 * item + digit]!]!++] = item;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Bits of the numbers such that they sort as whole numbers; 4 digits of 16 bits each, the lowest first. */
function keysOf(values: Float64Array): Uint16Array {
  const keys = new Uint16Array(values.slice().buffer);
  for (let k = 0; k < keys.length; k += 4) {
    if (keys[k + 3]! < 0x8000) keys[k + 3]! ^= 0x8000;
    else for (let digit = 0; digit < 4; digit++) keys[k + digit]! ^= 0xffff;
  }
  return keys;
}
