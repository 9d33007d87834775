import type { GeometryColumn } from "../../model/geometry.ts";
import type { Rings } from "./near-part.ts";

/** One polygon part of a column as rings of pairs. */
export function partRings(column: GeometryColumn, part: number): Rings {
  const { parts, rings, xy } = column;
  const out: Rings = [];
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    const ring: [number, number][] = [];
    for (let v = rings[r]!; v < rings[r + 1]!; v++) ring.push([xy[2 * v]!, xy[2 * v + 1]!]);
    out.push(ring);
  }
  return out;
}
