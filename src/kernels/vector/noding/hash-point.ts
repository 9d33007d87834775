const point = new Float64Array(2);
const bits = new Int32Array(point.buffer);

/** A hash of two doubles by their bits (so 0 and -0 differ): 31 bits, never negative. */
export function hashPoint(x: number, y: number): number {
  point[0] = x;
  point[1] = y;
  let h = Math.imul(bits[0]! ^ Math.imul(bits[1]!, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ bits[2]! ^ Math.imul(bits[3]!, 0xc2b2ae35), 0x27d4eb2f);
  return (h ^ (h >>> 13)) & 0x7fffffff;
}
