import type { Geometry } from "tilth/geometry";
import { type ByDimension, byDimension, type Geos } from "./geos.ts";

/**
 * Whether an overlay result is the expected one, per dimension, as the vectors' READMEs say; `null` or why not.
 *
 * Polygons: area of the symmetric difference (by GEOS) at most 1e-7 of the area, or the length of the rings times the
 * larger of 1e-9 of the extent and 1e-13 of the largest coordinate. Lines and points: Hausdorff distance at most 1e-8
 * of the extent.
 *
 * @param inputs  Geometries that the extent and the largest coordinate are taken of, with the expectation.
 */
export function differs(
  geos: Geos,
  found: Geometry,
  expected: Geometry,
  inputs: readonly Geometry[],
): string | null {
  const a = byDimension(found);
  const b = byDimension(expected);
  const { extent, largest } = size([...inputs, expected]);
  if (a.polygons.length + b.polygons.length > 0) {
    const why = invalidity(geos, a);
    if (why !== null) return why;
    const off = geos.differenceArea(a.polygons, b.polygons);
    const limit = Math.max(
      1e-7 * geos.area(b.polygons),
      Math.max(geos.perimeter(a.polygons), geos.perimeter(b.polygons)) *
        Math.max(1e-9 * extent, 1e-13 * largest),
    );
    if (!(off <= limit)) return `polygons differ by an area of ${off}, allowed ${limit}`;
  }
  for (const dimension of ["lines", "points"] as const) {
    const far = hausdorff(a, b, dimension);
    if (!(far <= 1e-8 * extent))
      return `${dimension} lie ${far} apart, allowed ${1e-8 * extent} (${a[dimension].length} parts, expected ${b[dimension].length})`;
  }
  return null;
}

function invalidity(geos: Geos, { polygons }: ByDimension): string | null {
  if (polygons.length === 0) return null;
  const why = geos.invalid(polygons);
  return why === null ? null : `the result is not valid: ${why}`;
}

export function size(geometries: readonly Geometry[]): { extent: number; largest: number } {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  let largest = 0;
  for (const geometry of geometries) {
    const { points, lines, polygons } = byDimension(geometry);
    for (const [x, y] of [...points, ...lines.flat(), ...polygons.flat(2)] as [number, number][]) {
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
      largest = Math.max(largest, Math.abs(x), Math.abs(y));
    }
  }
  return { extent: minX > maxX ? 0 : Math.max(maxX - minX, maxY - minY), largest };
}

/**
 * Largest distance from a point of one set to the other, both ways; 0 when both are empty, Infinity when one is. For
 * lines the points are the vertices and ten more on each segment.
 */
export function hausdorff(a: ByDimension, b: ByDimension, dimension: "lines" | "points"): number {
  const from = segments(a, dimension);
  const to = segments(b, dimension);
  if (from.length === 0 && to.length === 0) return 0;
  if (from.length === 0 || to.length === 0) return Infinity;
  return Math.max(furthest(from, to), furthest(to, from));
}

type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

function segments(parts: ByDimension, dimension: "lines" | "points"): Segment[] {
  if (dimension === "points") return parts.points.map(([x, y]) => [x!, y!, x!, y!]);
  return parts.lines.flatMap((line) =>
    line.slice(1).map((end, k): Segment => [line[k]![0]!, line[k]![1]!, end[0]!, end[1]!]),
  );
}

const SAMPLES = 11;

function furthest(from: readonly Segment[], to: readonly Segment[]): number {
  let furthest = 0;
  for (const [x1, y1, x2, y2] of from) {
    for (let k = 0; k <= SAMPLES; k++) {
      const t = k / SAMPLES;
      const x = k === SAMPLES ? x2 : x1 + t * (x2 - x1);
      const y = k === SAMPLES ? y2 : y1 + t * (y2 - y1);
      let nearest = Infinity;
      for (const segment of to) nearest = Math.min(nearest, distance(segment, x, y));
      furthest = Math.max(furthest, nearest);
    }
  }
  return furthest;
}

function distance([x1, y1, x2, y2]: Segment, x: number, y: number): number {
  const dx = x2 - x1;
  const dy = y2 - y1;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x1 + t * dx - x, y1 + t * dy - y);
}
