import type { GeometryColumn } from "../../../model/geometry.ts";
import {
  BB,
  BE,
  BI,
  EB,
  EI,
  type Goal,
  IB,
  IE,
  II,
  type Matrix,
  newMatrix,
  resetMatrix,
  WHOLE,
} from "./matrix.ts";
import { quickTest, UNKNOWN } from "./quick.ts";
import { relateShapes, shapesApart } from "./relate.ts";
import { loadShape, Shape } from "./shape.ts";

/** What can be asked of geometries A and B. */
export type Predicate =
  /** They have a point in common. */
  | "intersects"
  /** They have none. */
  | "disjoint"
  /** No point of B is outside of A, and the interiors meet. */
  | "contains"
  /** B contains A. */
  | "within"
  /** No point of B is outside of A, and there is one; contact with the boundary alone will do. */
  | "covers"
  /** B covers A. */
  | "coveredBy"
  /** They meet, but not with their interiors. */
  | "touches"
  /** The interiors meet in something of lower dimension than the larger one, and neither covers the other. */
  | "crosses"
  /** Same dimension, interiors that meet in that dimension, and each has some that the other has not. */
  | "overlaps"
  /** The same points, of geometries of one dimension: a line of no length is no point here. */
  | "equals"
  /** No point of B is outside of A or on its boundary. */
  | "containsProperly";

export const PREDICATES: readonly Predicate[] = [
  "intersects",
  "disjoint",
  "contains",
  "within",
  "covers",
  "coveredBy",
  "touches",
  "crosses",
  "overlaps",
  "equals",
  "containsProperly",
];

const left: Shape = new Shape();
const right: Shape = new Shape();
const matrix: Matrix = newMatrix();

/**
 * Whether `predicate` holds of row `rowA` of `a` and row `rowB` of `b`. Says the same as the matrix of `relateRows` would, and stops
 * as soon as the answer is known: boxes first, then a point in a polygon or the first edges that meet, and only then
 * the walk along all edges. Nothing is allocated where the answer is that near.
 *
 * Null and empty geometries are disjoint from everything; two of them are equal.
 */
export function testRows(
  predicate: Predicate,
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): boolean {
  const quick = quickTest(predicate, a, rowA, b, rowB);
  if (quick !== UNKNOWN) return quick === 1;
  loadShape(left, a, rowA);
  loadShape(right, b, rowB);
  return testShapes(predicate, left, right, matrix);
}

/** {@link testRows} of shapes. */
export function testShapes(predicate: Predicate, a: Shape, b: Shape, matrix: Matrix): boolean {
  if (a.dimension < 0 || b.dimension < 0)
    return predicate === "disjoint" || (predicate === "equals" && a.dimension === b.dimension);
  if (shapesApart(a, b)) return predicate === "disjoint";
  if (refused(predicate, a, b)) return false;
  resetMatrix(matrix, goalOf(predicate, a.dimension, b.dimension));
  const secondFirst =
    predicate === "contains" ||
    predicate === "covers" ||
    predicate === "containsProperly" ||
    (predicate !== "within" && predicate !== "coveredBy" && b.edgeCount < a.edgeCount);
  relateShapes(a, b, matrix, secondFirst);
  return holds(predicate, matrix, a.dimension, b.dimension);
}

/** What dimensions and boxes of geometries that are not empty already exclude. */
function refused(predicate: Predicate, a: Shape, b: Shape): boolean {
  switch (predicate) {
    case "contains":
    case "covers":
    case "containsProperly":
      return !boxInside(b, a);
    case "within":
    case "coveredBy":
      return !boxInside(a, b);
    case "equals":
      return a.nominal !== b.nominal || !boxInside(a, b) || !boxInside(b, a);
    case "crosses":
      return a.dimension === b.dimension && a.dimension !== 1;
    case "overlaps":
      return a.dimension !== b.dimension;
    case "touches":
      return a.dimension === 0 && b.dimension === 0;
    default:
      return false;
  }
}

function boxInside(a: Shape, b: Shape): boolean {
  return a.minX >= b.minX && a.maxX <= b.maxX && a.minY >= b.minY && a.maxY <= b.maxY;
}

function goal(any: number, anyLine = 0, all = 0, allLine = 0): Goal {
  return { any, anyLine, all, allLine };
}

const MEETS = goal((1 << II) | (1 << IB) | (1 << BI) | (1 << BB));
const CONTAINS = goal((1 << EI) | (1 << EB));
const WITHIN = goal((1 << IE) | (1 << BE));
const PROPERLY = goal((1 << BI) | (1 << BB) | (1 << EI) | (1 << EB));
const EQUALS = goal((1 << IE) | (1 << BE) | (1 << EI) | (1 << EB));
const TOUCHES = goal(1 << II);
const CROSSES_UP = goal(0, 0, (1 << II) | (1 << IE));
const CROSSES_DOWN = goal(0, 0, (1 << II) | (1 << EI));
const CROSSES_LINES = goal(0, 1 << II);
const OVERLAPS = goal(0, 0, (1 << II) | (1 << IE) | (1 << EI));
const OVERLAPS_LINES = goal(0, 0, (1 << II) | (1 << IE) | (1 << EI), 1 << II);

/** The facts that settle a predicate of geometries of these dimensions. */
function goalOf(predicate: Predicate, a: number, b: number): Goal {
  switch (predicate) {
    case "intersects":
    case "disjoint":
      return MEETS;
    case "contains":
    case "covers":
      return CONTAINS;
    case "within":
    case "coveredBy":
      return WITHIN;
    case "containsProperly":
      return PROPERLY;
    case "equals":
      return EQUALS;
    case "touches":
      return TOUCHES;
    case "crosses":
      return a < b ? CROSSES_UP : a > b ? CROSSES_DOWN : CROSSES_LINES;
    case "overlaps":
      return a === 1 ? OVERLAPS_LINES : OVERLAPS;
    default:
      return WHOLE;
  }
}

/** What a matrix says of a predicate, of geometries of these dimensions (-1 for empty). */
export function holds(predicate: Predicate, { values }: Matrix, a: number, b: number): boolean {
  const meets = values[II]! >= 0 || values[IB]! >= 0 || values[BI]! >= 0 || values[BB]! >= 0;
  switch (predicate) {
    case "intersects":
      return meets;
    case "disjoint":
      return !meets;
    case "contains":
      return values[II]! >= 0 && values[EI]! < 0 && values[EB]! < 0;
    case "within":
      return values[II]! >= 0 && values[IE]! < 0 && values[BE]! < 0;
    case "covers":
      return meets && values[EI]! < 0 && values[EB]! < 0;
    case "coveredBy":
      return meets && values[IE]! < 0 && values[BE]! < 0;
    case "containsProperly":
      return values[II]! >= 0 && values[BI]! < 0 && values[BB]! < 0 && values[EI]! < 0 && values[EB]! < 0;
    case "touches":
      return meets && values[II]! < 0;
    case "equals":
      if (a < 0 && b < 0) return true;
      return values[II]! >= 0 && values[IE]! < 0 && values[BE]! < 0 && values[EI]! < 0 && values[EB]! < 0;
    case "crosses":
      if (a < b) return values[II]! >= 0 && values[IE]! >= 0;
      if (a > b) return values[II]! >= 0 && values[EI]! >= 0;
      return a === 1 && values[II] === 0;
    case "overlaps":
      return a === b && values[II]! >= (a === 1 ? 1 : 0) && values[IE]! >= 0 && values[EI]! >= 0;
  }
}
