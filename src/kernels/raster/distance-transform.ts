/** In {@link columnDistances}: no target in the column. */
export const NO_TARGET: number = 0x7fffffff;

/**
 * First half of the exact Euclidean distance transform: for every pixel of a block of whole rows, the number of rows to the
 * nearest target in its column.
 *
 * @param targets  1 at targets, `width * height`, row-major.
 * @param above    Per column: rows from the first row of the block up to the last target before it, {@link NO_TARGET} when there is none.
 * @param below    Per column: rows from the last row of the block down to the first target after it.
 * @param out      Takes the result, `width * height`; {@link NO_TARGET} in columns without any.
 */
export function columnDistances(
  targets: Uint8Array,
  width: number,
  height: number,
  above: Int32Array,
  below: Int32Array,
  out: Int32Array,
): void {
  for (let row = 0; row < height; row++) {
    const at = row * width;
    for (let col = 0; col < width; col++) {
      if (targets[at + col] !== 0) out[at + col] = 0;
      else {
        const before = row === 0 ? above[col]! - 1 : out[at - width + col]!;
        out[at + col] = before >= NO_TARGET - 1 ? NO_TARGET : before + 1;
      }
    }
  }
  for (let row = height - 1; row >= 0; row--) {
    const at = row * width;
    for (let col = 0; col < width; col++) {
      const after = row === height - 1 ? below[col]! - 1 : out[at + width + col]!;
      if (after < out[at + col]! - 1) out[at + col] = after + 1;
    }
  }
}

/** Room that {@link rowDistances} works in; one serves any number of calls for rows of this width. */
export interface EnvelopeRoom {
  readonly vertex: Int32Array;
  readonly from: Float64Array;
  readonly height: Float64Array;
}

export function envelopeRoom(width: number): EnvelopeRoom {
  return {
    vertex: new Int32Array(width),
    from: new Float64Array(width + 1),
    height: new Float64Array(width),
  };
}

/**
 * Second half: distances from the column distances of one row. The squared distance at column `x` is the least of
 * `(x - q)^2 + (g(q) * ratio)^2` over all columns `q`; the lower envelope of these parabolas is built from left to right and read
 * off (Meijster, Roerdink and Hesselink 2000; Felzenszwalb and Huttenlocher 2012). Exact: with square cells all numbers that are
 * compared are whole.
 *
 * @param columns  Of {@link columnDistances}; `width` numbers from `offset` on.
 * @param cellWidth   Distance of two columns, in the unit of the result.
 * @param cellHeight  Distance of two rows.
 * @param most     Distances above it become `none`.
 * @param out      Takes `width` distances from `offset` on, `none` where there is no target.
 */
export function rowDistances(
  columns: Int32Array,
  offset: number,
  width: number,
  cellWidth: number,
  cellHeight: number,
  most: number,
  none: number,
  room: EnvelopeRoom,
  out: Float32Array | Float64Array,
): void {
  const { vertex, from, height } = room;
  const ratio = cellHeight / cellWidth;
  const square = ratio === 1;
  let count = 0;
  for (let q = 0; q < width; q++) {
    const g = columns[offset + q]!;
    if (g === NO_TARGET) continue;
    const tall = square ? g * g : g * ratio * (g * ratio);
    let start = -Infinity;
    while (count > 0) {
      const v = vertex[count - 1]!;
      // The new parabola is the lower one right of here.
      start = ((q - v) * (q + v) + tall - height[count - 1]!) / (2 * (q - v));
      if (start > from[count - 1]!) break;
      count--;
      start = -Infinity;
    }
    // What begins beyond the last column is never the lowest.
    if (start >= width) continue;
    vertex[count] = q;
    height[count] = tall;
    from[count++] = start;
  }
  if (count === 0) {
    out.fill(none, offset, offset + width);
    return;
  }
  let k = 0;
  for (let x = 0; x < width; x++) {
    while (k + 1 < count && from[k + 1]! <= x) k++;
    const apart = x - vertex[k]!;
    const distance = Math.sqrt(apart * apart + height[k]!) * cellWidth;
    out[offset + x] = distance > most ? none : distance;
  }
}
