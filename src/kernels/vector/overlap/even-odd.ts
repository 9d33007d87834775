import { type GeometryColumn, typeDimension } from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { fillRings } from "../overlay/fill.ts";

/** Rings that enclose an area, shells against the clock and holes with it: ring `r` is `rings[r] .. rings[r + 1] - 1`, closed. */
export interface ClosedRings {
  readonly xy: Float64Array;
  readonly rings: Int32Array;
}

/**
 * What the polygon rings of a row enclose an odd number of times, as rings that do not cross. For rows that are not valid; vertices
 * that are not finite are passed over.
 */
export function resolveEvenOdd(column: GeometryColumn, row: number): ClosedRings {
  const { parts, rings, geometries, types, collections } = column;
  const starts: number[] = [];
  const xy: number[] = [];
  let member = collections === null ? 0 : collections.rows[row]!;
  const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
  let dimension = typeDimension(types[row]!);
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    while (member < memberEnd && collections!.members[member]! <= p)
      dimension = typeDimension(collections!.types[member++]!);
    if (dimension !== 2) continue;
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      starts.push(xy.length / 2);
      for (let i = 2 * rings[r]!; i < 2 * rings[r + 1]!; i++) xy.push(column.xy[i]!);
    }
  }
  starts.push(xy.length / 2);
  const builder = new GeometryBuilder();
  fillRings({ xy: Float64Array.from(xy), starts }, "even-odd", builder);
  const filled = builder.finish();
  return { xy: filled.xy, rings: filled.rings };
}
