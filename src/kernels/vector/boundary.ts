import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
} from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { rowMembers } from "./row-members.ts";

/**
 * Append the boundary of a row by the OGC rules. Points have none (an empty collection). Lines: the points that an odd
 * number of lines end in (the mod-2 rule; a closed line has none), from left to right, as a multipoint. Polygons: their
 * rings as a line or multiline, in their order and direction. A collection: the boundary of its lines and that of its
 * polygons, as a collection when it has both; the mod-2 rule goes over all its lines. Null stays null.
 */
export function boundaryRow(column: GeometryColumn, row: number, builder: GeometryBuilder): void {
  const { types, parts, rings, xy } = column;
  if (types[row] === 0) {
    builder.null();
    return;
  }
  const members = rowMembers(column, row);
  const lines: number[] = [];
  const outlines: number[] = [];
  let dimensions = 0;
  for (const { dimension, first, end } of members) {
    dimensions |= dimension < 0 ? 0 : 1 << dimension;
    for (let r = parts[first]!; r < parts[end]!; r++) {
      if (rings[r] === rings[r + 1]) continue;
      if (dimension === 1) lines.push(r);
      else if (dimension === 2) outlines.push(r);
    }
  }
  const ends = oddEnds(column, lines);
  if ((dimensions & 6) === 0) {
    builder.begin(GEOMETRY_COLLECTION);
    builder.end();
    return;
  }
  const both = (dimensions & 6) === 6;
  builder.begin(both ? GEOMETRY_COLLECTION : (dimensions & 2) !== 0 ? MULTI_POINT : outlineType(outlines));
  if ((dimensions & 2) !== 0) {
    if (both) builder.member(MULTI_POINT);
    for (const v of ends) {
      builder.part();
      builder.vertex(xy[2 * v]!, xy[2 * v + 1]!);
    }
  }
  if ((dimensions & 4) !== 0) {
    if (both) builder.member(outlineType(outlines));
    for (const r of outlines) {
      builder.part();
      builder.ring();
      builder.vertices2d(xy, rings[r]!, rings[r + 1]! - rings[r]!);
    }
  }
  builder.end();
}

function outlineType(outlines: readonly number[]): typeof LINE_STRING | typeof MULTI_LINE_STRING {
  return outlines.length === 1 ? LINE_STRING : MULTI_LINE_STRING;
}

/** Vertices, one for each point that an odd number of lines end in, from left to right and from below. */
function oddEnds({ rings, xy }: GeometryColumn, lines: readonly number[]): number[] {
  const ends = new Int32Array(2 * lines.length);
  for (const [k, r] of lines.entries()) {
    ends[2 * k] = rings[r]!;
    ends[2 * k + 1] = rings[r + 1]! - 1;
  }
  ends.sort((a, b) => xy[2 * a]! - xy[2 * b]! || xy[2 * a + 1]! - xy[2 * b + 1]! || a - b);
  const odd: number[] = [];
  for (let k = 0; k < ends.length; ) {
    const v = ends[k]!;
    let next = k + 1;
    while (
      next < ends.length &&
      xy[2 * ends[next]!] === xy[2 * v] &&
      xy[2 * ends[next]! + 1] === xy[2 * v + 1]
    )
      next++;
    if (((next - k) & 1) === 1) odd.push(v);
    k = next;
  }
  return odd;
}
