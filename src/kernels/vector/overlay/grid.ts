/**
 * How coordinates are scaled so that a grid of any cell becomes one that doubles can hold exactly, and so that products of
 * very large and very small ones neither overflow nor vanish.
 */
export interface OverlayGrid {
  /** Input coordinates are multiplied by this. */
  readonly scale: number;
  /** Cell in scaled units; 0 for no grid. */
  readonly cell: number;
  /** Results are multiplied by this, or divided by `-unit` when it is negative. */
  readonly unit: number;
  /** What was asked for. */
  readonly asked: number | undefined;
}

export const NO_GRID: OverlayGrid = { scale: 1, cell: 0, unit: 1, asked: undefined };

/** Sizes up to this, and down to one over it, need no scaling. */
const PLAIN = 2 ** 200;

/**
 * The grid for coordinates of some size (the largest absolute value), as {@link gridOf}; without a cell, sizes far from 1 are
 * brought near it by a power of two, which changes no digit.
 */
export function gridFor(cell: number | undefined, size: number): OverlayGrid {
  const grid = gridOf(cell);
  if (grid !== NO_GRID || !(size > PLAIN || size < 1 / PLAIN) || size === 0 || size === Infinity) return grid;
  const exponent = Math.max(-1000, Math.min(1000, Math.round(Math.log2(size))));
  return { scale: 2 ** -exponent, cell: 0, unit: 2 ** exponent, asked: undefined };
}

/** The largest absolute value of a box; 0 for an empty one. */
export function boxSize(box: Float64Array): number {
  if (!(box[0]! <= box[2]!)) return 0;
  return Math.max(Math.abs(box[0]!), Math.abs(box[1]!), Math.abs(box[2]!), Math.abs(box[3]!));
}

/**
 * A grid of a cell in units of the coordinates; none when it is not a positive number. Cells that are a power of two need no
 * scaling, those that are one over a whole number are multiplied and divided by that number, so that 0.1 gives
 * the nearest doubles to tenths.
 */
export function gridOf(cell: number | undefined): OverlayGrid {
  if (cell === undefined || !(cell > 0) || cell === Infinity) return NO_GRID;
  if (Number.isInteger(Math.log2(cell)) && 2 ** Math.log2(cell) === cell)
    return { scale: 1, cell, unit: 1, asked: cell };
  const perUnit = Math.round(1 / cell);
  if (perUnit >= 1 && 1 / perUnit === cell) return { scale: perUnit, cell: 1, unit: -perUnit, asked: cell };
  return { scale: 1 / cell, cell: 1, unit: cell, asked: cell };
}
