import type { GeometryColumn } from "../../../model/geometry.ts";
import { locate } from "./locate.ts";
import {
  BE,
  EB,
  EI,
  IE,
  INTERIOR,
  type Matrix,
  matrixText,
  newMatrix,
  raise,
  resetMatrix,
  WHOLE,
} from "./matrix.ts";
import { loadShape, Shape } from "./shape.ts";
import { walkEdges } from "./walk.ts";

const left: Shape = new Shape();
const right: Shape = new Shape();
const matrix: Matrix = newMatrix();

/**
 * The DE-9IM matrix of two geometries, nine characters `F`, `0`, `1` or `2`: what interior, boundary and exterior of A
 * have in common with those of B, row by row, such as `"212101212"`.
 *
 * Any types. Collections count as the union of their members: polygons cover lines and points, lines cover points. The
 * boundary of lines is where an odd number of them ends. Lines of no length are points. Null is as empty, and vertices that are not
 * finite are passed over. Polygons that are not valid are taken by the even-odd rule. Exact: decided by the signs of
 * orientation tests on the coordinates given.
 *
 * Cost: `n log n` for large geometries, and for small ones the pairs of edges near each other.
 */
export function relateRows(a: GeometryColumn, rowA: number, b: GeometryColumn, rowB: number): string {
  loadShape(left, a, rowA);
  loadShape(right, b, rowB);
  resetMatrix(matrix, WHOLE);
  relateShapes(left, right, matrix, false);
  return matrixText(matrix);
}

/**
 * State what there is to state about two shapes in `matrix`, until its goal is reached.
 * @param secondFirst walk B before A, where that settles the question sooner.
 */
export function relateShapes(a: Shape, b: Shape, matrix: Matrix, secondFirst: boolean): void {
  if (shapesApart(a, b)) {
    if (a.dimension >= 0) raise(matrix, IE, a.dimension);
    if (b.dimension >= 0) raise(matrix, EI, b.dimension);
    const boundaryA = boundaryDimension(a);
    const boundaryB = boundaryDimension(b);
    if (boundaryA >= 0) raise(matrix, BE, boundaryA);
    if (boundaryB >= 0) raise(matrix, EB, boundaryB);
    return;
  }
  if (secondFirst) {
    walkEdges(b, a, true, matrix);
    if (!matrix.done) placePoints(b, a, true, matrix);
  }
  if (!matrix.done) walkEdges(a, b, false, matrix);
  if (!matrix.done) placePoints(a, b, false, matrix);
  if (secondFirst) return;
  if (!matrix.done) walkEdges(b, a, true, matrix);
  if (!matrix.done) placePoints(b, a, true, matrix);
}

/** Whether the boxes of two shapes have nothing in common, or one is empty. */
export function shapesApart(a: Shape, b: Shape): boolean {
  return !(a.minX <= b.maxX && a.maxX >= b.minX && a.minY <= b.maxY && a.maxY >= b.minY);
}

/** Dimension of the boundary of a shape, -1 for none. */
function boundaryDimension(shape: Shape): number {
  if (shape.elements > 0) return 1;
  return shape.boundary().count > 0 ? 0 : -1;
}

/** State where the points of `own` lie. */
function placePoints(own: Shape, other: Shape, swapped: boolean, matrix: Matrix): void {
  const { points, pointCount } = own;
  for (let k = 0; k < pointCount && !matrix.done; k++) {
    const x = points[2 * k]!;
    const y = points[2 * k + 1]!;
    const here = own.edgeCount === 0 ? INTERIOR : 1 - locate(own, x, y);
    const there = 1 - locate(other, x, y);
    raise(matrix, swapped ? 3 * there + here : 3 * here + there, 0);
  }
}
