/** How coordinates are scaled so that a grid of any cell becomes one that doubles can hold exactly. */
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
