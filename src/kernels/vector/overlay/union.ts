import { type GeometryColumn, NULL_GEOMETRY } from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { readPolygonRow, writeResult } from "./canonical.ts";
import { type Pieces, unitePieces, validAreas } from "./cascade.ts";
import { boxSize, gridFor } from "./grid.ts";
import { type RowOf, rowHeights } from "./heights.ts";
import { AREAS, LINES, POINTS, rowBox, rowDimension } from "./input.ts";
import { acquire, FLOATING, type OverlayReport, release, worseReport } from "./ladder.ts";
import type { OverlayOptions } from "./overlay.ts";

const box = new Float64Array(4);

/**
 * The union of many rows, written as one row: areas dissolved, lines noded where they meet, each stretch once,
 * points each once; what areas cover is left out of the lines, and what lines or areas cover out of the points.
 *
 * Null rows count as empty; no rows, or only null ones, give null. An empty result has the highest dimension of the rows. Else
 * as `overlayRows`: valid, canonical, deterministic, never throws, whatever the areas of the input are like.
 * Areas are united two by two along a Hilbert curve, so that each step is small and meets only what is near.
 */
export function unionRows(
  column: GeometryColumn,
  rows: ArrayLike<number>,
  builder: GeometryBuilder,
  options: OverlayOptions = {},
): OverlayReport {
  let size = 0;
  for (let k = 0; k < rows.length; k++) {
    rowBox(column, rows[k]!, box);
    size = Math.max(size, boxSize(box));
  }
  const grid = gridFor(options.grid, size);
  const sets: Pieces[] = [];
  let dimension = -1;
  let onlyNulls = true;
  let others = false;
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k]!;
    if (column.types[row] !== NULL_GEOMETRY) onlyNulls = false;
    const own = rowDimension(column, row);
    dimension = Math.max(dimension, own);
    const set = validAreas(column, row, grid);
    if (set.pieces.length > 0) sets.push(set);
  }
  if (onlyNulls) {
    builder.null();
    return FLOATING;
  }
  const areas = unitePieces(sets, grid);
  const engine = acquire();
  const { input, result } = engine;
  input.scale = grid.scale;
  for (let k = 0; k < rows.length; k++) input.add(column, rows[k]!, 1, LINES | POINTS, null);
  others = input.dimensions[1] >= 0;
  let report = areas.report;
  if (others) {
    for (const piece of areas.pieces) input.add(piece.column, piece.row, 0, AREAS, null);
    report = worseReport(report, engine.run("union", "positive", true, grid.cell));
  } else {
    result.reset();
    for (const piece of areas.pieces) readPolygonRow(result, piece.column, piece.row, grid.scale);
  }
  let heights = null;
  if (column.z !== null) {
    const sources: RowOf[] = [];
    for (let k = 0; k < rows.length; k++) sources.push({ column, row: rows[k]! });
    heights = rowHeights(sources);
  }
  writeResult(result, builder, dimension, grid.unit, heights);
  release(engine);
  return report;
}
