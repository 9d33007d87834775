import { orient2d } from "robust-predicates";

/** Relative error of the plain determinant, (3 + 16 eps) eps with eps = 2^-53. */
const ERROR = 3.3306690738754716e-16;
/** Below this products of differences lose bits to underflow, above {@link LARGE} they may overflow. */
const SMALL = 1e-200;
const LARGE = 1e300;

/**
 * On which side of the line from a to b point c lies: positive on the left, negative on the right, 0 on the line. The sign
 * is exact for all finite doubles, also where products under- or overflow.
 */
export function side(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  const left = (ax - cx) * (by - cy);
  const right = (bx - cx) * (ay - cy);
  const determinant = left - right;
  const size = Math.abs(left) + Math.abs(right);
  const bound = ERROR * size;
  if ((determinant > bound || determinant < -bound) && size > SMALL) return determinant;
  return carefulSide(ax, ay, bx, by, cx, cy, left, right);
}

function carefulSide(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  left: number,
  right: number,
): number {
  // Differences of doubles have the right sign and are 0 for equal ones only.
  const leftSign = Math.sign(ax - cx) * Math.sign(by - cy);
  const rightSign = Math.sign(bx - cx) * Math.sign(ay - cy);
  if (leftSign !== rightSign) return leftSign > rightSign ? 1 : -1;
  if (leftSign === 0) return 0;
  const size = Math.abs(left) + Math.abs(right);
  if (size > SMALL && size < LARGE) return -orient2d(ax, ay, bx, by, cx, cy);
  const [Ax, Ay, Bx, By, Cx, Cy] = integers([ax, ay, bx, by, cx, cy]) as Six;
  const exact = (Ax - Cx) * (By - Cy) - (Bx - Cx) * (Ay - Cy);
  return exact > 0n ? 1 : exact < 0n ? -1 : 0;
}

type Six = [bigint, bigint, bigint, bigint, bigint, bigint];

/**
 * Which of two lines the segment from a to b meets first, both of which it crosses properly: negative for the line c1 d1,
 * positive for c2 d2, 0 when all three go through one point. Exact; nothing is rounded.
 */
export function compareCrossings(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  c1x: number,
  c1y: number,
  d1x: number,
  d1y: number,
  c2x: number,
  c2y: number,
  d2x: number,
  d2y: number,
): number {
  // A crossing lies at n / (n + m) of the way, with n and m the distances of a and b from the other line.
  const n1 = twice(c1x, c1y, d1x, d1y, ax, ay);
  const e1 = twiceError(c1x, c1y, d1x, d1y, ax, ay);
  const m1 = twice(c1x, c1y, d1x, d1y, bx, by);
  const f1 = twiceError(c1x, c1y, d1x, d1y, bx, by);
  const n2 = twice(c2x, c2y, d2x, d2y, ax, ay);
  const e2 = twiceError(c2x, c2y, d2x, d2y, ax, ay);
  const m2 = twice(c2x, c2y, d2x, d2y, bx, by);
  const f2 = twiceError(c2x, c2y, d2x, d2y, bx, by);
  const first = n1 * m2;
  const second = n2 * m1;
  const error = n1 * f2 + m2 * e1 + e1 * f2 + n2 * f1 + m1 * e2 + e2 * f1 + 4e-16 * (first + second);
  const difference = first - second;
  if (error > SMALL && (difference > 2 * error || difference < -2 * error)) return difference;
  const [Ax, Ay, Bx, By, C1x, C1y, D1x, D1y, C2x, C2y, D2x, D2y] = integers([
    ax,
    ay,
    bx,
    by,
    c1x,
    c1y,
    d1x,
    d1y,
    c2x,
    c2y,
    d2x,
    d2y,
  ]) as [...Six, ...Six];
  const exact =
    bigTwice(C1x, C1y, D1x, D1y, Ax, Ay) * bigTwice(C2x, C2y, D2x, D2y, Bx, By) -
    bigTwice(C2x, C2y, D2x, D2y, Ax, Ay) * bigTwice(C1x, C1y, D1x, D1y, Bx, By);
  return exact > 0n ? 1 : exact < 0n ? -1 : 0;
}

function twice(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return Math.abs((ax - cx) * (by - cy) - (bx - cx) * (ay - cy));
}

function twiceError(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return ERROR * (Math.abs((ax - cx) * (by - cy)) + Math.abs((bx - cx) * (ay - cy)));
}

function bigTwice(ax: bigint, ay: bigint, bx: bigint, by: bigint, cx: bigint, cy: bigint): bigint {
  const value = (ax - cx) * (by - cy) - (bx - cx) * (ay - cy);
  return value < 0n ? -value : value;
}

const word = new DataView(new ArrayBuffer(8));

/** Finite doubles as integers, all times the same power of two. */
function integers(values: readonly number[]): bigint[] {
  const mantissas: bigint[] = [];
  const exponents: number[] = [];
  let least = Infinity;
  for (const value of values) {
    word.setFloat64(0, value);
    const bits = word.getBigUint64(0);
    const exponent = Number((bits >> 52n) & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const mantissa = exponent === 0 ? fraction : fraction | 0x10000000000000n;
    mantissas.push(value < 0 ? -mantissa : mantissa);
    exponents.push(Math.max(exponent, 1));
    if (mantissa !== 0n) least = Math.min(least, Math.max(exponent, 1));
  }
  return mantissas.map((mantissa, k) => (mantissa === 0n ? 0n : mantissa << BigInt(exponents[k]! - least)));
}
