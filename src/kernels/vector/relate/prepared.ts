import { type GeometryColumn, POINT } from "../../../model/geometry.ts";
import { locate } from "./locate.ts";
import { type Matrix, matrixText, newMatrix, resetMatrix, WHOLE } from "./matrix.ts";
import { type Predicate, testShapes } from "./predicates.ts";
import { pointAnswer, UNKNOWN } from "./quick.ts";
import { relateShapes } from "./relate.ts";
import { loadShape, Shape } from "./shape.ts";

/** One geometry, A, that many others are tested against. Indices over its edges are built when first of use. */
export interface PreparedRelate {
  readonly shape: Shape;
}

const other: Shape = new Shape();
const matrix: Matrix = newMatrix();

/** Prepare row `row`. It copies what it needs of the column. O(vertices), and `n log n` later for the indices. */
export function prepareRelate(column: GeometryColumn, row: number): PreparedRelate {
  const shape = new Shape();
  shape.kept = true;
  loadShape(shape, column, row);
  return { shape };
}

/** {@link testRows} with the prepared geometry as A. Cost: about the size of B and of what is near it in A. */
export function testPrepared(
  prepared: PreparedRelate,
  predicate: Predicate,
  column: GeometryColumn,
  row: number,
): boolean {
  const { shape } = prepared;
  if (column.types[row] === POINT && shape.dimension === 2) {
    const { geometries, parts, rings, xy } = column;
    const part = geometries[row]!;
    if (part < geometries[row + 1]!) {
      const v = rings[parts[part]!]!;
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (Number.isFinite(x) && Number.isFinite(y)) {
        const answer = pointAnswer(predicate, locate(shape, x, y), false);
        if (answer !== UNKNOWN) return answer === 1;
      }
    }
  }
  loadShape(other, column, row);
  return testShapes(predicate, shape, other, matrix);
}

/** {@link relateRows} with the prepared geometry as A. */
export function relatePrepared(prepared: PreparedRelate, column: GeometryColumn, row: number): string {
  loadShape(other, column, row);
  resetMatrix(matrix, WHOLE);
  relateShapes(prepared.shape, other, matrix, false);
  return matrixText(matrix);
}

/**
 * Where a point lies to the prepared geometry: 1 in its interior, 0 on its boundary, -1 outside (also when a coordinate is not
 * finite). Exact. Cost for polygons: the edges at the height of the point, found at once by bands of height, of which there are
 * few unless very many edges lie side by side.
 */
export function locatePoint(prepared: PreparedRelate, x: number, y: number): -1 | 0 | 1 {
  return locate(prepared.shape, x, y);
}
