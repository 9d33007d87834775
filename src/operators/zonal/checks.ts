import type { PreparedShapes } from "../../kernels/raster/shapes.ts";
import type { ZonalPlan } from "../../kernels/zonal/accumulate.ts";
import { binsTotal } from "../../kernels/zonal/exact-sums.ts";
import { missingWeight } from "../../kernels/zonal/statistics.ts";
import type { ZonalTally } from "../../kernels/zonal/tally.ts";
import { type GeometryColumn, NULL_GEOMETRY, typeDimension } from "../../model/geometry.ts";
import type { Pass, Shapes } from "./passes.ts";

/** Why a zone has no statistics; `null` when it has. */
export function noteOf(
  geometry: GeometryColumn | null,
  shapes: PreparedShapes | null,
  zone: number,
  { rule }: ZonalPlan,
  pixels: number,
  observed: boolean,
): string | null {
  if (
    geometry === null ||
    shapes === null ||
    geometry.types[zone] === NULL_GEOMETRY ||
    !(shapes.bounds[4 * zone]! <= shapes.bounds[4 * zone + 2]!)
  )
    return "no geometry";
  if (pixels > 0) return observed ? null : "no data";
  const dimension = typeDimension(geometry.types[zone]!);
  if (rule === "coverage" && (dimension === 0 || dimension === 1)) return "not a polygon";
  const { bounds, width, height } = shapes;
  const outside =
    bounds[4 * zone]! >= width ||
    bounds[4 * zone + 1]! >= height ||
    bounds[4 * zone + 2]! <= 0 ||
    bounds[4 * zone + 3]! <= 0;
  if (outside) return "outside the raster";
  if (rule === "center") return "no pixel centre inside";
  return "no pixel covered";
}

/**
 * Zones wholly on the raster that do not cover what the areas of their rings add up to, so that rings cross, overlap or
 * lie outside their shells. Only coverage tells.
 */
export function crossingZones(
  passes: readonly Pass[],
  tallies: readonly (readonly ZonalTally[])[],
  shapes: Shapes,
): number[] {
  const at = passes.findIndex(
    ({ plan, areas }) =>
      plan.rule === "coverage" && plan.share === 0 && plan.minCoverage === 0 && !plan.bytes && !areas,
  );
  if (at === -1) return [];
  const tally = tallies[at]![0]!;
  const { bounds, count, width, height, edges, edgeSigns, edgeStart } = shapes.passes[at]!.prepared;
  const found: number[] = [];
  for (let zone = 0; zone < count; zone++) {
    const [minX, minY, maxX, maxY] = bounds.subarray(4 * zone, 4 * zone + 4) as unknown as number[];
    if (!(minX! >= 0 && minY! >= 0 && maxX! <= width && maxY! <= height)) continue;
    let area = 0;
    for (let e = edgeStart[zone]!; e < edgeStart[zone + 1]!; e++) {
      const high = edges[4 * e + 3]! - edges[4 * e + 1]!;
      area -= edgeSigns[e]! * high * (edges[4 * e]! - minX! + (edges[4 * e + 2]! - minX!)) * 0.5;
    }
    const covered =
      binsTotal(tally.sums, tally.layout.size * zone + tally.layout.observed) + missingWeight(tally, zone);
    if (Math.abs(covered - area) > 1e-6 * Math.max(Math.abs(area), 1e-3)) found.push(zone);
  }
  return found;
}
