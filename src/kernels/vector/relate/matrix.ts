/** Where a point lies to a geometry; the rows and columns of a {@link Matrix}. */
export const INTERIOR = 0;
export const BOUNDARY = 1;
export const EXTERIOR = 2;

export type Location = 0 | 1 | 2;

/** Positions in {@link Matrix.values}, first letter the place in A, second in B. */
export const II = 0;
export const IB = 1;
export const IE = 2;
export const BI = 3;
export const BB = 4;
export const BE = 5;
export const EI = 6;
export const EB = 7;
export const EE = 8;

/**
 * A matrix being found: the dimension of what the interiors, boundaries and exteriors of two geometries have in common,
 * -1 for nothing. Facts only ever raise it. A {@link Goal} says which facts settle the question asked, so that
 * the search can end early.
 */
export interface Matrix {
  /** Nine dimensions, -1 to 2: II IB IE BI BB BE EI EB EE. */
  readonly values: Int8Array;
  /** Bit k: `values[k] >= 0`. */
  seen: number;
  /** Bit k: `values[k] >= 1`. */
  seenLines: number;
  goal: Goal;
  /** What is asked for is settled; further facts do not change the answer. */
  done: boolean;
}

/** Bits of matrix positions that settle a question. */
export interface Goal {
  /** Any of these having points ends the search. */
  readonly any: number;
  /** Any of these having dimension 1 or more ends it. */
  readonly anyLine: number;
  /** All of these having points ends it; 0 for never. */
  readonly all: number;
  /** All of `all` having points, and these dimension 1 or more. */
  readonly allLine: number;
}

/** Never ends early: the whole matrix is wanted. */
export const WHOLE: Goal = { any: 0, anyLine: 0, all: 0, allLine: 0 };

export function newMatrix(): Matrix {
  return { values: new Int8Array(9), seen: 0, seenLines: 0, goal: WHOLE, done: false };
}

/** Forget all facts but that two bounded geometries leave some of the plane to both exteriors. */
export function resetMatrix(matrix: Matrix, goal: Goal): void {
  matrix.values.fill(-1);
  matrix.values[EE] = 2;
  matrix.seen = 1 << EE;
  matrix.seenLines = 1 << EE;
  matrix.goal = goal;
  matrix.done = false;
}

/** State a fact: points of dimension `dimension` are at `position`. */
export function raise(matrix: Matrix, position: number, dimension: number): void {
  if (dimension <= matrix.values[position]!) return;
  matrix.values[position] = dimension;
  const bit = 1 << position;
  matrix.seen |= bit;
  const { goal } = matrix;
  if (dimension > 0) {
    matrix.seenLines |= bit;
    if ((goal.anyLine & bit) !== 0) matrix.done = true;
  }
  if ((goal.any & bit) !== 0) matrix.done = true;
  else if (
    goal.all !== 0 &&
    (matrix.seen & goal.all) === goal.all &&
    (matrix.seenLines & goal.allLine) === goal.allLine
  )
    matrix.done = true;
}

/** The nine characters, `F`, `0`, `1` or `2` each, row by row: `"212101212"`. */
export function matrixText(matrix: Matrix): string {
  let text = "";
  for (let k = 0; k < 9; k++) text += matrix.values[k]! < 0 ? "F" : String(matrix.values[k]!);
  return text;
}
