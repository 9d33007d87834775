/**
 * Where the pixels of an output grid lie in a source grid, as a list of patches: rectangles of output pixels, each with
 * a polynomial in both directions, or with the positions themselves where no polynomial will do. Flat arrays, so that
 * a list goes to another thread as it is.
 */
export interface Patches {
  /** {@link PATCH_INTS} numbers a patch: column, row, width, height, degree, start in `values`. */
  readonly layout: Int32Array;
  /**
   * Of a patch of degree `d`: `(d + 1)^2` coefficients of the source column, then as many of the source row, that of
   * `s^i t^j` at `j (d + 1) + i`, where `s` and `t` run from -1 to 1 over the patch's columns and rows. Of an explicit
   * patch: `width * height` pairs, of the pixels' centres; or `(width + 1) * (height + 1)` pairs, of their corners.
   */
  readonly values: Float64Array;
}

/** Numbers per patch in {@link Patches.layout}. */
export const PATCH_INTS = 6;

/** Degree of a patch that holds positions instead of a polynomial. */
export const EXPLICIT = -1;

/** How positions of a patch are asked for. */
export type PatchPoints = "centers" | "corners";

/**
 * A polynomial in two variables through values at a square of nodes, and places to check it at. Nodes are Chebyshev's
 * extreme points, corners and edges of the square among them; checks lie between them, where the polynomial is
 * furthest from a smooth function.
 */
export interface PatchFit {
  readonly degree: number;
  /** Of nodes and checks in -1..1, each used in both directions. */
  readonly nodes: readonly number[];
  readonly checks: readonly number[];
  /** Nodes and checks of one patch. */
  readonly points: number;
}

const INVERSES = new Map<number, Float64Array>();

/** The fit of one degree. */
export function patchFit(degree: number): PatchFit {
  const nodes = Array.from({ length: degree + 1 }, (_, k) => -Math.cos((Math.PI * k) / degree));
  // Exactly in the middle, and exactly symmetric.
  for (let k = 0; k <= degree; k++) nodes[k] = (nodes[k]! - nodes[degree - k]!) / 2;
  const checks = Array.from({ length: degree }, (_, k) => -Math.cos((Math.PI * (k + 0.5)) / degree) * 0.99);
  if (!INVERSES.has(degree)) INVERSES.set(degree, invertVandermonde(nodes));
  return { degree, nodes, checks, points: nodes.length ** 2 + checks.length ** 2 };
}

/**
 * Output positions of the nodes and then of the checks of a patch, `(x, y)` pairs in pixels of the output.
 */
export function patchPositions(
  fit: PatchFit,
  col: number,
  row: number,
  width: number,
  height: number,
  xy: Float64Array,
  at: number,
): void {
  let k = at;
  for (const list of [fit.nodes, fit.checks]) {
    for (const t of list) {
      for (const s of list) {
        xy[k++] = col + (width * (s + 1)) / 2;
        xy[k++] = row + (height * (t + 1)) / 2;
      }
    }
  }
}

/**
 * Fit both polynomials to the source positions that the points of {@link patchPositions} have.
 *
 * @param out  Takes the coefficients, from `to` on.
 * @returns The largest error at the checks, in source pixels; NaN or Infinity when a point has no position.
 */
export function fitPatch(fit: PatchFit, xy: Float64Array, at: number, out: Float64Array, to: number): number {
  const { degree, checks } = fit;
  const side = degree + 1;
  const count = side * side;
  const inverse = INVERSES.get(degree)!;
  const half = new Float64Array(count);
  for (let axis = 0; axis < 2; axis++) {
    const base = to + axis * count;
    // Around the first node: fewer digits are lost than around the origin of the source.
    const origin = xy[at + axis]!;
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        let sum = 0;
        for (let k = 0; k < side; k++)
          sum += inverse[i * side + k]! * (xy[at + 2 * (j * side + k) + axis]! - origin);
        half[j * side + i] = sum;
      }
    }
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        let sum = 0;
        for (let k = 0; k < side; k++) sum += inverse[j * side + k]! * half[k * side + i]!;
        out[base + j * side + i] = sum;
      }
    }
    out[base] = out[base]! + origin;
  }
  let worst = 0;
  let point = at + 2 * count;
  for (const t of checks) {
    for (const s of checks) {
      for (let axis = 0; axis < 2; axis++) {
        const error = Math.abs(polynomialAt(out, to + axis * count, side, s, t) - xy[point++]!);
        if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
      }
    }
  }
  return worst;
}

function polynomialAt(coefficients: Float64Array, at: number, side: number, s: number, t: number): number {
  let sum = 0;
  for (let j = side - 1; j >= 0; j--) {
    let row = 0;
    for (let i = side - 1; i >= 0; i--) row = row * s + coefficients[at + j * side + i]!;
    sum = sum * t + row;
  }
  return sum;
}

/** Inverse of the matrix of powers of the nodes: row `i` gives the coefficient of `s^i` from the values at the nodes. */
function invertVandermonde(nodes: readonly number[]): Float64Array {
  const n = nodes.length;
  const inverse = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    // Lagrange's polynomial of node k, multiplied out.
    const product = new Float64Array(n);
    product[0] = 1;
    let length = 1;
    let scale = 1;
    for (let m = 0; m < n; m++) {
      if (m === k) continue;
      for (let i = length; i >= 0; i--)
        product[i] = (i > 0 ? product[i - 1]! : 0) - nodes[m]! * (product[i] ?? 0);
      length++;
      scale *= nodes[k]! - nodes[m]!;
    }
    for (let i = 0; i < n; i++) inverse[i * n + k] = product[i]! / scale;
  }
  return inverse;
}

/** Source positions of pixels along a row, reused from call to call. */
export interface Positions {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Room for the widest patch. */
export function makePositions(length: number): Positions {
  return { x: new Float64Array(length), y: new Float64Array(length) };
}

const rowX = new Float64Array(16);
const rowY = new Float64Array(16);

/**
 * Source positions of a run of pixel centres, or of corners, of one patch.
 *
 * @param patch   Its number in `patches`.
 * @param col     First column and the row, counted from the corner of the patch. With corners, column and row of the
 *                top left corner of the first pixel.
 * @param count   How many.
 */
export function patchRow(
  patches: Patches,
  patch: number,
  points: PatchPoints,
  col: number,
  row: number,
  count: number,
  out: Positions,
): void {
  const { layout, values } = patches;
  const width = layout[PATCH_INTS * patch + 2]!;
  const height = layout[PATCH_INTS * patch + 3]!;
  const degree = layout[PATCH_INTS * patch + 4]!;
  const start = layout[PATCH_INTS * patch + 5]!;
  const { x, y } = out;
  const corner = points === "corners";
  if (degree === EXPLICIT) {
    let k = start + 2 * (row * (corner ? width + 1 : width) + col);
    for (let i = 0; i < count; i++) {
      x[i] = values[k++]!;
      y[i] = values[k++]!;
    }
    return;
  }
  const shift = corner ? 0 : 1;
  rowPolynomials(values, start, degree, (2 * row + shift - height) / height);
  const first = 2 * col + shift - width;
  const unit = 1 / width;
  if (degree === 1) {
    const [a0, a1, b0, b1] = [rowX[0]!, rowX[1]!, rowY[0]!, rowY[1]!];
    for (let i = 0; i < count; i++) {
      const s = (first + 2 * i) * unit;
      x[i] = a1 * s + a0;
      y[i] = b1 * s + b0;
    }
  } else if (degree === 3) {
    const [a0, a1, a2, a3] = [rowX[0]!, rowX[1]!, rowX[2]!, rowX[3]!];
    const [b0, b1, b2, b3] = [rowY[0]!, rowY[1]!, rowY[2]!, rowY[3]!];
    for (let i = 0; i < count; i++) {
      const s = (first + 2 * i) * unit;
      x[i] = ((a3 * s + a2) * s + a1) * s + a0;
      y[i] = ((b3 * s + b2) * s + b1) * s + b0;
    }
  } else {
    for (let i = 0; i < count; i++) {
      const s = (first + 2 * i) * unit;
      let sx = rowX[degree]!;
      let sy = rowY[degree]!;
      for (let k = degree - 1; k >= 0; k--) {
        sx = sx * s + rowX[k]!;
        sy = sy * s + rowY[k]!;
      }
      x[i] = sx;
      y[i] = sy;
    }
  }
}

/** The polynomials of one row of a patch, in `s` alone, into `rowX` and `rowY`. */
function rowPolynomials(values: Float64Array, start: number, degree: number, t: number): void {
  const side = degree + 1;
  const square = side * side;
  for (let i = 0; i < side; i++) {
    let sx = 0;
    let sy = 0;
    for (let j = degree; j >= 0; j--) {
      const at = start + j * side + i;
      sx = sx * t + values[at]!;
      sy = sy * t + values[at + square]!;
    }
    rowX[i] = sx;
    rowY[i] = sy;
  }
}

/**
 * Index in a window of the source of the pixel that holds each centre of a run, in one go: what {@link patchRow} gives, plus
 * `edge`, rounded down. For patches of degree 3 that lie wholly in the window.
 */
export function patchIndices(
  patches: Patches,
  patch: number,
  col: number,
  row: number,
  count: number,
  window: { readonly col: number; readonly row: number; readonly width: number },
  edge: number,
  out: Int32Array,
): void {
  const { layout, values } = patches;
  const width = layout[PATCH_INTS * patch + 2]!;
  const height = layout[PATCH_INTS * patch + 3]!;
  rowPolynomials(values, layout[PATCH_INTS * patch + 5]!, 3, (2 * row + 1 - height) / height);
  const [a0, a1, a2, a3] = [rowX[0]!, rowX[1]!, rowX[2]!, rowX[3]!];
  const [b0, b1, b2, b3] = [rowY[0]!, rowY[1]!, rowY[2]!, rowY[3]!];
  const first = 2 * col + 1 - width;
  const unit = 1 / width;
  const { col: left, row: top, width: stride } = window;
  for (let i = 0; i < count; i++) {
    const s = (first + 2 * i) * unit;
    const c = (((a3 * s + a2) * s + a1) * s + a0 + edge - left) | 0;
    const r = (((b3 * s + b2) * s + b1) * s + b0 + edge - top) | 0;
    out[i] = (Math.imul(r, stride) + c) | 0;
  }
}

/**
 * Bounds of the source positions of a patch, `[minX, minY, maxX, maxY]` into `out`: never too small, and exact when
 * the polynomial is linear. Explicit positions that are NaN are left out; `minX > maxX` when there are no others.
 *
 * @returns False when some were left out.
 */
export function patchBounds(patches: Patches, patch: number, out: Float64Array): boolean {
  const { layout, values } = patches;
  const degree = layout[PATCH_INTS * patch + 4]!;
  const start = layout[PATCH_INTS * patch + 5]!;
  out[0] = Infinity;
  out[1] = Infinity;
  out[2] = -Infinity;
  out[3] = -Infinity;
  if (degree === EXPLICIT) {
    const next = PATCH_INTS * (patch + 1);
    const end = next < layout.length ? layout[next + 5]! : values.length;
    let complete = true;
    for (let k = start; k < end; k += 2) {
      const x = values[k]!;
      const y = values[k + 1]!;
      if (!(x + y > -Infinity && x + y < Infinity)) {
        complete = false;
        continue;
      }
      if (x < out[0]!) out[0] = x;
      if (x > out[2]!) out[2] = x;
      if (y < out[1]!) out[1] = y;
      if (y > out[3]!) out[3] = y;
    }
    return complete;
  }
  const square = (degree + 1) * (degree + 1);
  for (let axis = 0; axis < 2; axis++) {
    const base = start + axis * square;
    let reach = 0;
    // |s| and |t| are at most 1.
    for (let k = 1; k < square; k++) reach += Math.abs(values[base + k]!);
    out[axis] = values[base]! - reach;
    out[axis + 2] = values[base]! + reach;
  }
  return true;
}
