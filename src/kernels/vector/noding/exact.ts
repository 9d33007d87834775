import { orient2d } from "robust-predicates";

/**
 * Side of `c` on the line from `a` to `b`: negative left (y up), positive right, 0 exactly on it. The sign is right
 * for every finite input: where products overflow or underflow, whole numbers of any length take over.
 */
export function side(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  const left = (ay - cy) * (bx - cx);
  const right = (ax - cx) * (by - cy);
  const det = left - right;
  const size = Math.abs(det);
  if (size > 3.3306690738754716e-16 * Math.abs(left + right) && size > 1e-280 && size < Infinity) return det;
  return closeSide(ax, ay, bx, by, cx, cy);
}

function closeSide(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  if ((ay === cy || bx === cx) && (ax === cx || by === cy)) return 0;
  if (inRange(ax) && inRange(ay) && inRange(bx) && inRange(by) && inRange(cx) && inRange(cy))
    return orient2d(ax, ay, bx, by, cx, cy);
  const [x0, y0, x1, y1, x2, y2] = wholeNumbers([ax, ay, bx, by, cx, cy]).values as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const det = (y0 - y2) * (x1 - x2) - (x0 - x2) * (y1 - y2);
  return det > 0n ? 1 : det < 0n ? -1 : 0;
}

/** Whether no product of differences of such numbers, or of what rounding took from them, overflows or underflows. */
function inRange(value: number): boolean {
  const size = Math.abs(value);
  return (size > 1e-130 && size < 1e145) || size === 0;
}

const bits = new DataView(new ArrayBuffer(8));

/** Finite doubles as whole numbers times one power of two, exactly. */
export function wholeNumbers(numbers: readonly number[]): { values: bigint[]; exponent: number } {
  const mantissas: bigint[] = [];
  const exponents: number[] = [];
  let exponent = Infinity;
  for (const value of numbers) {
    bits.setFloat64(0, value);
    const raw = bits.getBigUint64(0);
    const field = Number((raw >> 52n) & 0x7ffn);
    const fraction = raw & 0xfffffffffffffn;
    const mantissa = field === 0 ? fraction : fraction | 0x10000000000000n;
    mantissas.push(raw >> 63n === 1n ? -mantissa : mantissa);
    exponents.push(field === 0 ? -1074 : field - 1075);
    if (mantissa !== 0n) exponent = Math.min(exponent, exponents.at(-1)!);
  }
  if (exponent === Infinity) exponent = 0;
  const values = mantissas.map((m, i) => (m === 0n ? 0n : m << BigInt(exponents[i]! - exponent)));
  return { values, exponent };
}

/** The double nearest to `numerator / denominator * 2 ** exponent`, ties to even; the denominator is not 0. */
export function nearestDouble(numerator: bigint, denominator: bigint, exponent: number): number {
  if (numerator === 0n) return 0;
  const negative = numerator < 0n !== denominator < 0n;
  let n = numerator < 0n ? -numerator : numerator;
  let d = denominator < 0n ? -denominator : denominator;
  // 66 to 71 bits of quotient, and one more that says whether anything is left over: rounding is then right.
  const shift = 68 - (bitLength(n) - bitLength(d));
  if (shift > 0) n <<= BigInt(shift);
  else d <<= BigInt(-shift);
  let quotient = (n / d) << 1n;
  if (n % d !== 0n) quotient |= 1n;
  const value = scaled(Number(quotient), exponent - shift - 1);
  return negative ? -value : value;
}

/** Whole part of `numerator / denominator * 2 ** exponent + 1/2`, rounded down: halves go up. Exact. */
export function nearestWhole(numerator: bigint, denominator: bigint, exponent: number): bigint {
  let n = numerator;
  let d = denominator;
  if (d < 0n) {
    n = -n;
    d = -d;
  }
  if (exponent > 0) n <<= BigInt(exponent);
  else d <<= BigInt(-exponent);
  n = 2n * n + d;
  d *= 2n;
  const quotient = n / d;
  return n < 0n && quotient * d !== n ? quotient - 1n : quotient;
}

function bitLength(value: bigint): number {
  return 4 * value.toString(16).length;
}

/** `value * 2 ** exponent`, in steps that neither overflow nor underflow before the result does. */
function scaled(value: number, exponent: number): number {
  let result = value;
  let e = exponent;
  while (e > 1000) {
    result *= 2 ** 1000;
    e -= 1000;
  }
  while (e < -1000) {
    result *= 2 ** -1000;
    e += 1000;
  }
  return result * 2 ** e;
}
