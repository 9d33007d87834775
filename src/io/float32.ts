const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Largest 32-bit float that is not above `value`; boxes in 32 bits are rounded outward with it. */
export function floatBelow(value: number): number {
  return Math.fround(value) > value ? step(value, -1) : Math.fround(value);
}

/** Smallest 32-bit float that is not below `value`. */
export function floatAbove(value: number): number {
  return Math.fround(value) < value ? step(value, 1) : Math.fround(value);
}

/** The 32-bit float next to the one nearest to `value`, up or down. */
function step(value: number, direction: 1 | -1): number {
  float[0] = value;
  if (float[0] === 0) bits[0] = direction === 1 ? 1 : -0x7fffffff;
  else bits[0]! += float[0]! > 0 === (direction === 1) ? 1 : -1;
  return float[0]!;
}
