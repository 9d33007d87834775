import { type GeometryColumn, NULL_GEOMETRY } from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { writeResult } from "./canonical.ts";
import { type Pieces, resolveAreas } from "./cascade.ts";
import { gridOf, type OverlayGrid } from "./grid.ts";
import { rowHeights } from "./heights.ts";
import { AREAS, LINES, POINTS, rowBox, rowDimension } from "./input.ts";
import {
  acquire,
  type Engine,
  FLOATING,
  type OverlayReport,
  release,
  repairedReport,
  worseReport,
} from "./ladder.ts";
import type { OverlayOperation } from "./select.ts";

export type { OverlayReport } from "./ladder.ts";
export type { OverlayOperation } from "./select.ts";

export interface OverlayOptions {
  /**
   * Cell of a grid for all vertices of the result, in units of the coordinates: parts narrower than a cell
   * vanish, or become lines. Default: no grid, vertices stay where they are.
   */
  readonly grid?: number | undefined;
}

const boxA = new Float64Array(4);
const boxB = new Float64Array(4);

/**
 * Overlay two rows and write the result as one row.
 *
 * Rows may be of any types, collections too. Geometries are closed sets of points: where they meet in less
 * than an area, an intersection has lines and points; in other operations what areas or lines cover goes into them. The result is
 * valid and canonical (see `writeResult`); the same input gives the same bytes. An empty result has the type that its
 * operation asks for: the lower dimension of both for an intersection, that of A for a difference, else the higher. A null
 * row counts as empty, without a dimension; two nulls give null.
 *
 * Areas that are not valid are read by the even-odd rule, each polygon by itself, then united. Vertices that are
 * not finite are passed over, rings and lines without extent are nothing. Lines of the result run as those they come from,
 * A's first; vertices keep their heights, new ones get heights along their edge.
 *
 * Never throws. O((n + k) log n) for n segments and k crossings.
 */
export function overlayRows(
  operation: OverlayOperation,
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  builder: GeometryBuilder,
  options: OverlayOptions = {},
): OverlayReport {
  if (a.types[rowA] === NULL_GEOMETRY && b.types[rowB] === NULL_GEOMETRY) {
    builder.null();
    return FLOATING;
  }
  const dimensionA = rowDimension(a, rowA);
  const dimensionB = rowDimension(b, rowB);
  const dimension = resultDimension(operation, dimensionA, dimensionB);
  const grid = gridOf(options.grid);
  const engine = acquire();
  const { input } = engine;
  input.scale = grid.scale;
  rowBox(a, rowA, boxA);
  rowBox(b, rowB, boxB);
  const meet = boxA[0]! <= boxB[2]! && boxB[0]! <= boxA[2]! && boxA[1]! <= boxB[3]! && boxB[1]! <= boxA[3]!;
  let report = FLOATING;
  if (meet || operation !== "intersection") {
    const edges = needsEdges(operation, dimensionA, dimensionB);
    // What is nowhere near the other geometry changes nothing.
    const nearA = operation === "intersection" && grid.cell === 0 ? scaled(boxB, grid) : null;
    const nearB =
      (operation === "intersection" || operation === "difference") && grid.cell === 0
        ? scaled(boxA, grid)
        : null;
    const everything = POINTS | LINES | AREAS;
    input.add(a, rowA, 0, everything, nearA);
    if (meet || operation !== "difference") input.add(b, rowB, 1, everything, nearB);
    report = engine.run(operation, "positive", edges, grid.cell);
    if (engine.odd[0] || engine.odd[1]) {
      const oddA = engine.odd[0];
      const oddB = engine.odd[1];
      input.reset();
      input.scale = grid.scale;
      report = FLOATING;
      if (oddA) report = worseReport(report, addResolved(engine, a, rowA, 0, grid));
      input.add(a, rowA, 0, oddA ? POINTS | LINES : everything, nearA);
      if (oddB) report = worseReport(report, addResolved(engine, b, rowB, 1, grid));
      input.add(b, rowB, 1, oddB ? POINTS | LINES : everything, nearB);
      report = repairedReport(worseReport(report, engine.run(operation, "positive", edges, grid.cell)));
    }
  }
  const withHeights = a.z !== null || b.z !== null;
  const heights = withHeights
    ? rowHeights([
        { column: a, row: rowA },
        { column: b, row: rowB },
      ])
    : null;
  writeResult(engine.result, builder, dimension, grid.unit, heights);
  release(engine);
  return report;
}

function addResolved(
  engine: Engine,
  column: GeometryColumn,
  row: number,
  source: 0 | 1,
  grid: OverlayGrid,
): OverlayReport {
  const { pieces, report }: Pieces = resolveAreas(column, row, grid);
  for (const piece of pieces) engine.input.add(piece.column, piece.row, source, AREAS, null);
  return report;
}

function scaled(box: Float64Array, { scale }: OverlayGrid): Float64Array {
  return scale === 1 ? box : box.map((value) => value * scale);
}

function resultDimension(operation: OverlayOperation, a: number, b: number): number {
  if (operation === "intersection") return Math.min(a, b);
  return operation === "difference" ? a : Math.max(a, b);
}

/** Whether a result can have lines or areas. */
function needsEdges(operation: OverlayOperation, a: number, b: number): boolean {
  return resultDimension(operation, a, b) > 0;
}
