import type { GeometryColumn } from "../../model/geometry.ts";
import { partRings } from "./clip-polygon.ts";
import type { Rings } from "./near-part.ts";
import { type Overlay, rebuild } from "./overlay-polyclip.ts";
import { settled } from "./settle.ts";

/**
 * Valid polygons for the polygon parts `first .. end - 1`: rings are closed, vertices that are not finite and rings
 * without area dropped, crossings resolved by {@link rebuild}. `null` when that fails; no polygon when nothing has
 * an area.
 */
export function repairPolygons(column: GeometryColumn, first: number, end: number): Overlay | null {
  const polygons: Rings[] = [];
  for (let part = first; part < end; part++) {
    const rings: Rings = [];
    for (const ring of partRings(column, part)) {
      const finite = ring.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
      const start = finite[0];
      const last = finite.at(-1);
      if (start === undefined || last === undefined) continue;
      if (start[0] !== last[0] || start[1] !== last[1]) finite.push([start[0], start[1]]);
      if (finite.length >= 4) rings.push(finite);
    }
    if (rings.length > 0) polygons.push(rings);
  }
  const rebuilt = rebuild(polygons);
  return rebuilt === null ? null : settled(rebuilt);
}
