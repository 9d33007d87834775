import type { GeometryColumn } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { nearPart, type Rings } from "./near-part.ts";
import { overlay, ringsArea } from "./overlay-polyclip.ts";
import type { PreparedRegion } from "./region.ts";
import { settled } from "./settle.ts";

/** Share of a polygon's area below which a difference is rounding. */
const NOTHING = 1e-12;

export interface ClippedPart {
  /** What is left; empty when nothing is. */
  readonly polygons: readonly Rings[];
  /** True when the region covers all of the part, so that it can be kept as it is. */
  readonly whole: boolean;
  /** Rung of the ladder that gave it; see `overlay`. -1: all failed, and the part is kept as it is. */
  readonly rung: number;
}

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

/**
 * The part of a polygon that lies in a region, for polygons that cross its outline. Only the region near
 * the polygon takes part. Parts that several polygons of the region cover together without a gap come back whole.
 *
 * @param leaves  Whether the polygon is known to reach outside.
 */
export function clipPolygonPart(
  column: GeometryColumn,
  part: number,
  region: PreparedRegion,
  leaves: boolean,
): ClippedPart {
  const rings = partRings(column, part);
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (const [x, y] of rings[0]!) {
    minX = Math.min(minX, x);
    minY = Math.min(minY, y);
    maxX = Math.max(maxX, x);
    maxY = Math.max(maxY, y);
  }
  const result = overlay("intersection", [rings], nearPart(region, minX, minY, maxX, maxY));
  if (result === null) return { polygons: [rings], whole: true, rung: -1 };
  if (!leaves && region.polygons > 1) {
    const area = ringsArea([rings]);
    if (Math.abs(ringsArea(result.polygons) - area) <= NOTHING * area)
      return { polygons: [rings], whole: true, rung: result.rung };
  }
  return { whole: false, ...settled(result) };
}

/**
 * Write polygons as parts of the row that is open. Vertices of the part they were cut from get its height
 * and measure back; new ones those of the nearest point on its outline, interpolated along the edge.
 *
 * @returns number of parts written.
 */
export function writePolygons(
  polygons: readonly Rings[],
  column: GeometryColumn,
  part: number,
  builder: GeometryBuilder,
): number {
  const { z, m } = column;
  const known = z === null && m === null ? null : vertexNumbers(column, part);
  for (const rings of polygons) {
    builder.part();
    for (const ring of rings) {
      builder.ring();
      for (const [x, y] of ring) {
        if (known === null) builder.vertex(x, y);
        else {
          const v = known.get(`${x} ${y}`);
          if (v !== undefined) builder.vertex(x, y, z?.[v], m?.[v]);
          else {
            const [at, t] = nearestEdge(column, part, x, y);
            builder.vertex(x, y, between(z, at, t), between(m, at, t));
          }
        }
      }
    }
  }
  return polygons.length;
}

function vertexNumbers({ parts, rings, xy }: GeometryColumn, part: number): Map<string, number> {
  const known = new Map<string, number>();
  const end = rings[parts[part + 1]!]!;
  for (let v = rings[parts[part]!]!; v < end; v++) known.set(`${xy[2 * v]} ${xy[2 * v + 1]}`, v);
  return known;
}

/** First vertex of the edge of a part that comes closest to a point, and how far along it. */
function nearestEdge(
  { parts, rings, xy }: GeometryColumn,
  part: number,
  x: number,
  y: number,
): [vertex: number, t: number] {
  let best = Infinity;
  let vertex = rings[parts[part]!]!;
  let along = 0;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      const dx = xy[2 * v + 2]! - xy[2 * v]!;
      const dy = xy[2 * v + 3]! - xy[2 * v + 1]!;
      const length = dx * dx + dy * dy;
      const t =
        length === 0
          ? 0
          : Math.min(1, Math.max(0, ((x - xy[2 * v]!) * dx + (y - xy[2 * v + 1]!) * dy) / length));
      const off = (xy[2 * v]! + t * dx - x) ** 2 + (xy[2 * v + 1]! + t * dy - y) ** 2;
      if (off < best) {
        best = off;
        vertex = v;
        along = t;
      }
    }
  }
  return [vertex, along];
}

function between(values: Float64Array | null, v: number, t: number): number {
  return values === null ? Number.NaN : values[v]! + t * (values[v + 1]! - values[v]!);
}
