import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  NULL_GEOMETRY,
  typeDimension,
} from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { writeResult } from "./canonical.ts";
import { type Pieces, resolveAreas } from "./cascade.ts";
import { boxSize, gridFor, type OverlayGrid } from "./grid.ts";
import { rowHeights } from "./heights.ts";
import { AREAS, LINES, POINTS, rowBox, rowDimension } from "./input.ts";
import { acquire, type Engine, FLOATING, type OverlayReport, release, worseReport } from "./ladder.ts";
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

const EVERYTHING = POINTS | LINES | AREAS;
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
 * Areas that are not valid: each ring is all that it winds around; of rings that meet, the shell less the holes; rings
 * that meet no other are holes or islands by where they lie; several polygons are their union. Vertices that are
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
  rowBox(a, rowA, boxA);
  rowBox(b, rowB, boxB);
  const grid = gridFor(options.grid, Math.max(boxSize(boxA), boxSize(boxB)));
  const engine = acquire();
  const { input } = engine;
  input.scale = grid.scale;
  // On a grid things move, also towards each other.
  const meet =
    grid.cell > 0 ||
    (boxA[0]! <= boxB[2]! && boxB[0]! <= boxA[2]! && boxA[1]! <= boxB[3]! && boxB[1]! <= boxA[3]!);
  let report = FLOATING;
  if (meet || operation !== "intersection") {
    const edges = needsEdges(operation, dimensionA, dimensionB);
    // What is nowhere near the other geometry changes nothing, but on a grid, where things move.
    const nearA = operation === "intersection" && grid.scale === 1 && grid.cell === 0 ? boxB : null;
    const nearB =
      (operation === "intersection" || operation === "difference") && grid.scale === 1 && grid.cell === 0
        ? boxA
        : null;
    let oddA = overlappingMembers(a, rowA);
    let oddB = overlappingMembers(b, rowB);
    for (;;) {
      report = oddA ? addResolved(engine, a, rowA, 0, grid) : FLOATING;
      input.add(a, rowA, 0, oddA ? POINTS | LINES : EVERYTHING, nearA);
      if (meet || operation !== "difference") {
        if (oddB) report = worseReport(report, addResolved(engine, b, rowB, 1, grid));
        input.add(b, rowB, 1, oddB ? POINTS | LINES : EVERYTHING, nearB);
      }
      report = worseReport(report, engine.run(operation, "positive", edges, grid.cell));
      if ((oddA || !engine.odd[0]) && (oddB || !engine.odd[1])) break;
      oddA ||= engine.odd[0];
      oddB ||= engine.odd[1];
      input.reset();
      input.scale = grid.scale;
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

/** Whether a row is a collection of several members with areas, which may overlap. */
function overlappingMembers(column: GeometryColumn, row: number): boolean {
  if (column.types[row] !== GEOMETRY_COLLECTION) return false;
  const { rows, types } = column.collections!;
  let areas = 0;
  for (let k = rows[row]!; k < rows[row + 1]!; k++) if (typeDimension(types[k]!) === 2) areas++;
  return areas > 1;
}

function resultDimension(operation: OverlayOperation, a: number, b: number): number {
  if (operation === "intersection") return Math.min(a, b);
  return operation === "difference" ? a : Math.max(a, b);
}

/** Whether a result can have lines or areas. */
function needsEdges(operation: OverlayOperation, a: number, b: number): boolean {
  return resultDimension(operation, a, b) > 0;
}
