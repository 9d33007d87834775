import { describeTransform, transformer } from "../crs/transformer.ts";
import { type Crs, describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import type { FeatureTable } from "../model/features.ts";
import { type GeometryColumn, type GeometryType, POLYGON } from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";
import type { Bounds } from "../model/grid.ts";

/** What to do when region and data are in different systems. Never silent. */
export type OnCrsMismatch = "error" | "transform";

/** A region in the coordinates of the data it will cut. */
export interface Region {
  readonly geometry: GeometryColumn;
  /** `[minX, minY, maxX, maxY]` of everything. */
  readonly bounds: Bounds;
  /** What was done to bring it there. */
  readonly warnings: readonly string[];
}

export interface RegionOptions {
  /** Default `"transform"`. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /**
   * How far, in units of the target, a transformed edge may lie from the true curve. Edges are cut in halves until
   * they are that close. Default: a millionth of the region's extent.
   */
  readonly tolerance?: number | undefined;
}

/**
 * The geometries of a region in CRS `crs`. Bounds are taken to be in it already; a table in another CRS is
 * transformed with its edges followed, or refused.
 *
 * @throws GeoError `CRS_MISMATCH`; `INVALID_INPUT` for an empty region or wrong bounds; `INVALID_GEOMETRY` when a
 * vertex has no place in the target system.
 */
export function regionIn(
  region: FeatureTable | Bounds,
  crs: Crs | null,
  options: RegionOptions = {},
): Region {
  if (isBounds(region)) return { geometry: rectangle(region), bounds: region, warnings: [] };
  const { geometry } = region;
  if (geometry === null || geometry.xy.length === 0) {
    throw new GeoError("INVALID_INPUT", "the region has no geometry", {
      path: "region",
      expected: "at least one polygon",
    });
  }
  const warnings: string[] = [];
  let placed = geometry;
  if (!sameCrs(region.crs, crs)) {
    if (region.crs === null || crs === null) {
      warnings.push(
        `the region has ${describeCrs(region.crs)} and the data ${describeCrs(crs)}: coordinates taken to be in the same system`,
      );
    } else if (options.onCrsMismatch === "error") {
      throw new GeoError(
        "CRS_MISMATCH",
        `the region is in ${describeCrs(region.crs)}, the data in ${describeCrs(crs)}`,
        { left: describeCrs(region.crs), right: describeCrs(crs) },
        { hint: "Reproject one of them, or allow it with --on-crs-mismatch transform." },
      );
    } else {
      placed = transformGeometry(geometry, region.crs, crs, options.tolerance);
      warnings.push(
        `the region was transformed from ${describeCrs(region.crs)} to ${describeCrs(crs)}, edges followed`,
        ...describeTransform(region.crs, crs).warnings,
      );
    }
  }
  return { geometry: placed, bounds: boundsOf(placed), warnings };
}

/** Whether a region was given as four numbers. */
export function isBounds(region: FeatureTable | Bounds): region is Bounds {
  return Array.isArray(region);
}

/** Bounds as one polygon, counter-clockwise. */
export function rectangle([minX, minY, maxX, maxY]: Bounds): GeometryColumn {
  if (!(minX <= maxX && minY <= maxY) || ![minX, minY, maxX, maxY].every(Number.isFinite)) {
    throw new GeoError(
      "INVALID_INPUT",
      `bounds ${minX}, ${minY}, ${maxX}, ${maxY} are not west, south, east, north`,
      { path: "bounds", expected: "minX <= maxX and minY <= maxY" },
    );
  }
  const builder = new GeometryBuilder();
  builder.begin(POLYGON);
  builder.part();
  builder.ring();
  builder.vertex(minX, minY);
  builder.vertex(maxX, minY);
  builder.vertex(maxX, maxY);
  builder.vertex(minX, maxY);
  builder.vertex(minX, minY);
  builder.end();
  return builder.finish();
}

function boundsOf({ xy }: GeometryColumn): Bounds {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  return [minX, minY, maxX, maxY];
}

/** Halvings of an edge at the most. */
const MAX_DEPTH = 10;

/**
 * Geometries in another system, with vertices added on edges so that the straight lines between transformed
 * vertices stay within `tolerance` of the true curves. Halves are always taken at the middle, so an edge shared
 * by two polygons gets the same vertices in both.
 */
function transformGeometry(
  column: GeometryColumn,
  from: Crs,
  to: Crs,
  tolerance: number | undefined,
): GeometryColumn {
  const move = transformer(from, to);
  const { types, geometries, parts, rings, xy } = column;
  const moved = xy.slice();
  move(moved);
  for (let i = 0; i < moved.length; i += 2) {
    if (!Number.isFinite(moved[i]! + moved[i + 1]!) && Number.isFinite(xy[i]! + xy[i + 1]!)) {
      throw new GeoError(
        "INVALID_GEOMETRY",
        `the region's vertex (${xy[i]}, ${xy[i + 1]}) in ${describeCrs(from)} has no place in ${describeCrs(to)}`,
        { x: xy[i]!, y: xy[i + 1]!, reason: "cannot be transformed" },
        { hint: "Cut the region to the area of use of both systems first." },
      );
    }
  }
  const [minX, minY, maxX, maxY] = boundsOf({ ...column, xy: moved });
  const limit = tolerance ?? 1e-6 * Math.max(maxX - minX, maxY - minY);
  const builder = new GeometryBuilder();
  const point = new Float64Array(2);
  for (let row = 0; row < types.length; row++) {
    builder.begin(types[row] as GeometryType);
    let member = column.collections === null ? 0 : column.collections.rows[row]!;
    const memberEnd = column.collections === null ? 0 : column.collections.rows[row + 1]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      while (member < memberEnd && column.collections!.members[member]! <= p)
        builder.member(column.collections!.types[member++] as GeometryType);
      builder.part();
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        builder.ring();
        for (let v = rings[r]!; v < rings[r + 1]!; v++) {
          if (v > rings[r]!) {
            const a = 2 * v - 2;
            const b = 2 * v;
            follow(
              xy[a]!,
              xy[a + 1]!,
              moved[a]!,
              moved[a + 1]!,
              xy[b]!,
              xy[b + 1]!,
              moved[b]!,
              moved[b + 1]!,
              0,
            );
          }
          builder.vertex(moved[2 * v]!, moved[2 * v + 1]!);
        }
      }
    }
    while (member < memberEnd) builder.member(column.collections!.types[member++] as GeometryType);
    builder.end();
  }
  return builder.finish();

  function follow(
    ax: number,
    ay: number,
    movedAx: number,
    movedAy: number,
    bx: number,
    by: number,
    movedBx: number,
    movedBy: number,
    depth: number,
  ): void {
    if (depth === MAX_DEPTH) return;
    const mx = (ax + bx) / 2;
    const my = (ay + by) / 2;
    point[0] = mx;
    point[1] = my;
    move(point);
    const x = point[0]!;
    const y = point[1]!;
    const off = Math.hypot(x - (movedAx + movedBx) / 2, y - (movedAy + movedBy) / 2);
    // Not finite: leave the edge straight, its ends are known.
    if (!(off > limit)) return;
    follow(ax, ay, movedAx, movedAy, mx, my, x, y, depth + 1);
    builder.vertex(x, y);
    follow(mx, my, x, y, bx, by, movedBx, movedBy, depth + 1);
  }
}
