import { type Frame, flowSteps, NO_GROUND, STEP_COL, STEP_ROW } from "./frame.ts";

/**
 * What drains through each cell, itself included: the sum of the weights of all cells from which water comes to it.
 *
 * @param directions  Framed bytes, see `LEAVES`.
 * @param weights     Of the cells of each row of the raster; all 1 to count cells.
 * @returns framed; NaN where there is no ground. Sums of whole numbers are exact up to 2^53.
 * @throws RangeError with the words of {@link circleAt} when water runs in a circle.
 */
export function flowAccumulation(directions: Uint8Array, frame: Frame, weights: Float64Array): Float64Array {
  const { width, height } = frame;
  const stride = width + 2;
  const sums = new Float64Array(directions.length).fill(Number.NaN);
  for (let row = 1; row <= height; row++)
    for (let cell = row * stride + 1, end = cell + width; cell < end; cell++)
      if (directions[cell] !== NO_GROUND) sums[cell] = weights[row - 1]!;
  walkDownstream(directions, frame, (cell, to) => {
    sums[to]! += sums[cell]!;
  });
  return sums;
}

/**
 * Cells whose catchment may reach beyond the ground: those at the edge or beside cells without ground, and all that water
 * from them runs through. Framed, 1 or 0.
 */
export function openCatchments(directions: Uint8Array, frame: Frame): Uint8Array {
  const { width, height } = frame;
  const stride = width + 2;
  const open = new Uint8Array(directions.length);
  for (let row = 1; row <= height; row++) {
    for (let cell = row * stride + 1, end = cell + width; cell < end; cell++) {
      if (directions[cell] === NO_GROUND) continue;
      for (let k = 0; k < 8; k++)
        if (directions[cell + STEP_ROW[k]! * stride + STEP_COL[k]!] === NO_GROUND) open[cell] = 1;
    }
  }
  walkDownstream(directions, frame, (cell, to) => {
    open[to]! |= open[cell]!;
  });
  return open;
}

/**
 * Call `visit` for every cell from which water goes to another, donors before receivers: a cell's turn comes when all that
 * drain to it had theirs. The order is fixed by the directions alone.
 *
 * @param among  Framed; only cells where it is not 0 take part. Default: all.
 * @throws RangeError when water runs in a circle.
 */
export function walkDownstream(
  directions: Uint8Array,
  frame: Frame,
  visit: (cell: number, to: number) => void,
  among?: Uint8Array,
): void {
  const steps = flowSteps(frame);
  /** Donors that have not had their turn; 255 once the cell has had its own. */
  const waiting = new Uint8Array(directions.length);
  let links = 0;
  for (let cell = 0; cell < directions.length; cell++) {
    const step = steps[directions[cell]!]!;
    if (step === 0) continue;
    if (among !== undefined && (among[cell] === 0 || among[cell + step] === 0)) continue;
    waiting[cell + step]!++;
    links++;
  }
  for (let start = 0; start < directions.length; start++) {
    if (waiting[start] !== 0) continue;
    let cell = start;
    for (;;) {
      waiting[cell] = 255;
      const step = steps[directions[cell]!]!;
      if (step === 0) break;
      const to = cell + step;
      if (among !== undefined && (among[cell] === 0 || among[to] === 0)) break;
      visit(cell, to);
      links--;
      if (--waiting[to]! > 0) break;
      cell = to;
    }
  }
  if (links > 0) {
    const cell = waiting.findIndex((count) => count > 0 && count < 255);
    throw circleAt(cell, frame);
  }
}

/** What messages of {@link circleAt} begin with. */
export const CIRCLE = "water runs in a circle";

/** Water in a circle. Not an error of ours: only directions from outside can do that. */
export function circleAt(cell: number, { width }: Frame): RangeError {
  const stride = width + 2;
  return new RangeError(
    `${CIRCLE} upstream of column ${(cell % stride) - 1}, row ${Math.floor(cell / stride) - 1}`,
  );
}
