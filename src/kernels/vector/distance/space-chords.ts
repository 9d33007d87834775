/** Straight distance in space from vertex `p` of one array to the segment between vertices `v` and `w` of another. */
export function chordToPiece(a: Float64Array, p: number, b: Float64Array, v: number, w: number): number {
  const ux = b[3 * w]! - b[3 * v]!;
  const uy = b[3 * w + 1]! - b[3 * v + 1]!;
  const uz = b[3 * w + 2]! - b[3 * v + 2]!;
  const ex = a[3 * p]! - b[3 * v]!;
  const ey = a[3 * p + 1]! - b[3 * v + 1]!;
  const ez = a[3 * p + 2]! - b[3 * v + 2]!;
  const length = ux * ux + uy * uy + uz * uz;
  const along = ex * ux + ey * uy + ez * uz;
  const t = length > 0 ? Math.min(1, Math.max(0, along / length)) : 0;
  const x = ex - t * ux;
  const y = ey - t * uy;
  const z = ez - t * uz;
  return Math.sqrt(x * x + y * y + z * z);
}

/**
 * Straight distance in space of two segments, from below into `out[at]` and from above into `out[at + 1]`. The one from
 * above is that of two points of the segments, the nearest ones to rounding. The one from below follows from it, because
 * the square is convex in the two places along the segments: it lies nowhere below its tangent at those points.
 */
export function chordBetween(
  a: Float64Array,
  v: number,
  w: number,
  b: Float64Array,
  p: number,
  q: number,
  out: Float64Array,
  at: number,
): void {
  const ux = a[3 * w]! - a[3 * v]!;
  const uy = a[3 * w + 1]! - a[3 * v + 1]!;
  const uz = a[3 * w + 2]! - a[3 * v + 2]!;
  const vx = b[3 * q]! - b[3 * p]!;
  const vy = b[3 * q + 1]! - b[3 * p + 1]!;
  const vz = b[3 * q + 2]! - b[3 * p + 2]!;
  const rx = a[3 * v]! - b[3 * p]!;
  const ry = a[3 * v + 1]! - b[3 * p + 1]!;
  const rz = a[3 * v + 2]! - b[3 * p + 2]!;
  const uu = ux * ux + uy * uy + uz * uz;
  const vv = vx * vx + vy * vy + vz * vz;
  const uv = ux * vx + uy * vy + uz * vz;
  const ur = ux * rx + uy * ry + uz * rz;
  const vr = vx * rx + vy * ry + vz * rz;
  const det = uu * vv - uv * uv;
  let s = det > 0 ? clamp((uv * vr - ur * vv) / det) : 0;
  const t = vv > 0 ? clamp((uv * s + vr) / vv) : 0;
  s = uu > 0 ? clamp((uv * t - ur) / uu) : 0;
  const x = rx + s * ux - t * vx;
  const y = ry + s * uy - t * vy;
  const z = rz + s * uz - t * vz;
  const square = x * x + y * y + z * z;
  const slopeS = 2 * (x * ux + y * uy + z * uz);
  const slopeT = -2 * (x * vx + y * vy + z * vz);
  const gain = Math.max(s * slopeS, (s - 1) * slopeS) + Math.max(t * slopeT, (t - 1) * slopeT);
  out[at] = Math.sqrt(Math.max(0, square - Math.max(0, gain)));
  out[at + 1] = Math.sqrt(square);
}

function clamp(t: number): number {
  return t > 0 ? Math.min(1, t) : 0;
}
