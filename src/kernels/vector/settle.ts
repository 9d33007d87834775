import { type GeometryColumn, MULTI_POLYGON } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Rings } from "./near-part.ts";
import { type Overlay, rebuild } from "./overlay-polyclip.ts";
import { findInvalid } from "./validity.ts";

/** Rungs that {@link settled} climbs at the most; two settle every polygon of the JTS robustness suite. */
const ROUNDS = 5;

/**
 * Polygons whose rings do not cross. The overlay computes crossings in many digits and rounds them at the end, which
 * may push an edge over a vertex that it passed closely; uniting the rounded polygons once more, if need be on a grid,
 * puts a vertex there.
 */
export function settled({ polygons, rung }: Overlay): Overlay {
  let current: Overlay = { polygons, rung };
  for (let round = 0; round < ROUNDS; round++) {
    if (current.polygons.length === 0 || findInvalid(columnOf(current.polygons), 0) === null) break;
    const again = rebuild(current.polygons, round);
    if (again === null) break;
    current = { polygons: again.polygons, rung: Math.max(rung, again.rung) };
  }
  return current;
}

function columnOf(polygons: readonly Rings[]): GeometryColumn {
  const builder = new GeometryBuilder();
  builder.begin(MULTI_POLYGON);
  for (const rings of polygons) {
    builder.part();
    for (const ring of rings) {
      builder.ring();
      for (const [x, y] of ring) builder.vertex(x, y);
    }
  }
  builder.end();
  return builder.finish();
}
