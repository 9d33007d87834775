import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { uniquePoints } from "./input.ts";
import type { OverlayResult } from "./result.ts";

/** Height of a new vertex; NaN for none. */
export interface Heights {
  at(x: number, y: number): number;
}

/**
 * Write a result as one row, so that equal results have equal bytes: shells counter-clockwise and holes clockwise
 * (RFC 7946), each starting with its smallest vertex by x, then y, holes and polygons and lines in order of
 * their vertices, points in order. One part gives the simple type, several of a dimension the multi type, parts of
 * several dimensions a collection of simple ones: polygons, lines, points.
 *
 * @param dimension  Of an empty result: -1 gives an empty collection.
 * @param unit  Coordinates are multiplied by this, or divided by `-unit` when it is negative.
 */
export function writeResult(
  result: OverlayResult,
  builder: GeometryBuilder,
  dimension: number,
  unit: number,
  heights: Heights | null,
): void {
  const shells: number[] = [];
  for (let r = 0; r < result.rings; r++) if (result.shell[r] === -1) shells.push(r);
  const lines: number[] = [];
  for (let l = 0; l < result.lines; l++) lines.push(l);
  const { xy, ringStart, ringEnd, lineStart, lineEnd } = result;
  if (shells.length > 1)
    shells.sort((r, s) => compareRuns(xy, ringStart[r]!, ringEnd[r]!, ringStart[s]!, ringEnd[s]!));
  if (lines.length > 1)
    lines.sort((k, l) => compareRuns(xy, lineStart[k]!, lineEnd[k]!, lineStart[l]!, lineEnd[l]!));
  const points = result.points.length > 2 ? uniquePoints(result.points) : result.points;
  const kinds = (shells.length > 0 ? 1 : 0) + (lines.length > 0 ? 1 : 0) + (points.length > 0 ? 1 : 0);
  if (kinds === 0) {
    builder.begin(dimension < 0 ? GEOMETRY_COLLECTION : ((dimension + 1) as GeometryType));
    builder.end();
    return;
  }
  if (kinds > 1) builder.begin(GEOMETRY_COLLECTION);
  else if (shells.length > 0) builder.begin(shells.length > 1 ? MULTI_POLYGON : POLYGON);
  else if (lines.length > 0) builder.begin(lines.length > 1 ? MULTI_LINE_STRING : LINE_STRING);
  else builder.begin(points.length > 2 ? MULTI_POINT : POINT);
  if (shells.length > 0) {
    const holes = result.rings > shells.length ? holesOf(result) : null;
    for (const shell of shells) {
      if (kinds > 1) builder.member(POLYGON);
      builder.part();
      writeRing(result, shell, builder, unit, heights);
      if (holes === null) continue;
      const own = holes.get(shell);
      if (own === undefined) continue;
      own.sort((r, s) => compareRuns(xy, ringStart[r]!, ringEnd[r]!, ringStart[s]!, ringEnd[s]!));
      for (const hole of own) writeRing(result, hole, builder, unit, heights);
    }
  }
  for (const line of lines) {
    if (kinds > 1) builder.member(LINE_STRING);
    builder.part();
    builder.ring();
    writeRun(xy, lineStart[line]!, lineEnd[line]!, builder, unit, heights);
  }
  for (let k = 0; k < points.length; k += 2) {
    if (kinds > 1) builder.member(POINT);
    builder.part();
    writeRun(points, k / 2, k / 2 + 1, builder, unit, heights);
  }
  builder.end();
}

/** Write the polygons of a result as rows of one polygon each, in no order. */
export function writePolygonRows(
  result: OverlayResult,
  builder: GeometryBuilder,
  unit: number,
  heights: Heights | null,
): void {
  const holes = holesOf(result);
  for (let r = 0; r < result.rings; r++) {
    if (result.shell[r] !== -1) continue;
    builder.begin(POLYGON);
    builder.part();
    writeRing(result, r, builder, unit, heights);
    for (const hole of holes.get(r) ?? []) writeRing(result, hole, builder, unit, heights);
    builder.end();
  }
}

/** Take over the polygons of rows that {@link writePolygonRows} wrote. */
export function readPolygonRow(
  result: OverlayResult,
  column: GeometryColumn,
  row: number,
  scale: number,
): void {
  const { geometries, parts, rings, xy } = column;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    let shell = -1;
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const start = result.vertices;
      const count = rings[r + 1]! - rings[r]! - 1;
      result.room(count);
      for (let i = 0; i < 2 * count; i++) result.xy[2 * start + i] = xy[2 * rings[r]! + i]! * scale;
      result.vertices += count;
      const number = result.addRing(start, shell);
      if (shell === -1) shell = number;
    }
  }
}

function holesOf({ rings, shell }: OverlayResult): Map<number, number[]> {
  const holes = new Map<number, number[]>();
  for (let r = 0; r < rings; r++) {
    const owner = shell[r]!;
    if (owner < 0) continue;
    const own = holes.get(owner);
    if (own === undefined) holes.set(owner, [r]);
    else own.push(r);
  }
  return holes;
}

function writeRing(
  { xy, ringStart, ringEnd }: OverlayResult,
  ring: number,
  builder: GeometryBuilder,
  unit: number,
  heights: Heights | null,
): void {
  builder.ring();
  const start = ringStart[ring]!;
  writeRun(xy, start, ringEnd[ring]!, builder, unit, heights);
  writeRun(xy, start, start + 1, builder, unit, heights);
}

function writeRun(
  xy: ArrayLike<number>,
  start: number,
  end: number,
  builder: GeometryBuilder,
  unit: number,
  heights: Heights | null,
): void {
  if (unit === 1 && heights === null) {
    builder.vertices2d(xy, start, end - start);
    return;
  }
  for (let v = start; v < end; v++) {
    const x = unit > 0 ? xy[2 * v]! * unit : xy[2 * v]! / -unit;
    const y = unit > 0 ? xy[2 * v + 1]! * unit : xy[2 * v + 1]! / -unit;
    if (heights === null) builder.vertex(x + 0, y + 0);
    else builder.vertex(x + 0, y + 0, heights.at(x, y));
  }
}

/** Order of two runs of vertices, vertex by vertex; the shorter first where one starts as the other. */
function compareRuns(xy: Float64Array, a: number, aEnd: number, b: number, bEnd: number): number {
  for (; a < aEnd && b < bEnd; a++, b++) {
    if (xy[2 * a] !== xy[2 * b]) return xy[2 * a]! - xy[2 * b]!;
    if (xy[2 * a + 1] !== xy[2 * b + 1]) return xy[2 * a + 1]! - xy[2 * b + 1]!;
  }
  return aEnd - a - (bEnd - b);
}
