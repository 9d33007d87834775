import { GEOMETRY_COLLECTION, type GeometryColumn, POLYGON } from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { writeNearPart } from "../near-part.ts";
import { type OverlayReport, overlayRows } from "../overlay/overlay.ts";
import { unionRows } from "../overlay/union.ts";
import type { PreparedRegion } from "../region.ts";
import { writeBetween } from "./ring-set.ts";

/** What an overlay left of a polygon. */
export interface OverlaidPart {
  /** One row: polygons, and lines and points where only boundaries meet. */
  readonly result: GeometryColumn;
  /** Number of polygons in it. */
  readonly polygons: number;
  /** Whether there is anything else in it. */
  readonly more: boolean;
  readonly report: OverlayReport;
}

/** Share of a polygon's area below which a difference is rounding. */
const NOTHING = 1e-12;

/**
 * The part of a polygon that lies in a region, by a general overlay with what of the region is near it. For polygons whose
 * outlines touch the region's or run along it, and for ones that are not valid: they are read by the even-odd rule.
 */
export function overlayPart(column: GeometryColumn, part: number, region: PreparedRegion): OverlaidPart {
  const polygon = partAlone(column, part);
  const near = new GeometryBuilder();
  const [minX, minY, maxX, maxY] = boxOf(polygon);
  const count = writeNearPart(region, minX, minY, maxX, maxY, near);
  let by = near.finish();
  if (count > 1) {
    const united = new GeometryBuilder();
    unionRows(
      by,
      Array.from({ length: count }, (_, row) => row),
      united,
    );
    by = united.finish();
  }
  if (count === 0) {
    near.begin(POLYGON);
    near.end();
    by = near.finish();
  }
  const builder = new GeometryBuilder();
  const report = overlayRows("intersection", polygon, 0, by, 0, builder);
  const result = builder.finish();
  const { geometries, collections, types } = result;
  const parts = geometries[1]!;
  let polygons = 0;
  if (types[0] === GEOMETRY_COLLECTION) {
    for (let k = collections!.rows[0]!; k < collections!.rows[1]!; k++)
      if (collections!.types[k] === POLYGON) polygons++;
  } else if (types[0] === POLYGON || types[0] === POLYGON + 3) polygons = parts;
  return { result, polygons, more: parts > polygons, report };
}

/** Whether a result has all the area of the part it was cut from, up to rounding. */
export function isAll(column: GeometryColumn, part: number, { result, polygons }: OverlaidPart): boolean {
  const before = partsArea(column, part, part + 1);
  return Math.abs(partsArea(result, 0, polygons) - before) <= NOTHING * before;
}

/** Write the polygons of a result as parts of the row that is open, with heights and measures of the part. */
export function writeOverlaid(
  { result, polygons }: OverlaidPart,
  column: GeometryColumn,
  part: number,
  builder: GeometryBuilder,
): void {
  const { parts, rings, xy } = result;
  const flat = column.z === null && column.m === null;
  // Polygons come first in a collection.
  for (let p = 0; p < polygons; p++) {
    builder.part();
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      builder.ring();
      if (flat) builder.vertices2d(xy, rings[r]!, rings[r + 1]! - rings[r]!);
      else {
        for (let v = rings[r]!; v < rings[r + 1]!; v++)
          writeBetween(column, part, xy[2 * v]!, xy[2 * v + 1]!, builder);
      }
    }
  }
}

/** A polygon part as a column of one row, without a copy and without heights. */
function partAlone({ parts, rings, xy }: GeometryColumn, part: number): GeometryColumn {
  return {
    types: Uint8Array.of(POLYGON),
    geometries: Int32Array.of(part, part + 1),
    parts,
    rings,
    xy,
    z: null,
    m: null,
    collections: null,
  };
}

function boxOf({ geometries, parts, rings, xy }: GeometryColumn): [number, number, number, number] {
  const part = geometries[0]!;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = rings[parts[part]!]!; v < rings[parts[part + 1]!]!; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  return [minX, minY, maxX, maxY];
}

/** Planar area of polygon parts `first .. end - 1`, holes taken off. */
export function partsArea({ parts, rings, xy }: GeometryColumn, first: number, end: number): number {
  let area = 0;
  for (let p = first; p < end; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const start = rings[r]!;
      let twice = 0;
      for (let v = start + 1; v + 1 < rings[r + 1]!; v++) {
        twice +=
          (xy[2 * v]! - xy[2 * start]!) * (xy[2 * v + 3]! - xy[2 * start + 1]!) -
          (xy[2 * v + 1]! - xy[2 * start + 1]!) * (xy[2 * v + 2]! - xy[2 * start]!);
      }
      area += (r === parts[p]! ? 1 : -1) * Math.abs(twice / 2);
    }
  }
  return area;
}
