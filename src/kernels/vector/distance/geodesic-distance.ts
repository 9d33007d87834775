import { type GeometryColumn, POINT } from "../../../model/geometry.ts";
import { geodesicIndex } from "../nearest/geodesic-index.ts";
import { GeodesicSearch } from "../nearest/geodesic-search.ts";
import { NearestSet } from "../nearest/nearest-set.ts";
import { geodesicPoints } from "./geodesic-segments.ts";

/**
 * Distance of two geometries of any types along the ellipsoid WGS 84, in metres; coordinates are longitudes and latitudes
 * in degrees. What lies between two vertices is the geodesic, the shortest line, not a straight line in longitude and
 * latitude. 0 when they meet, polygons with their inside. `Infinity` when either is null or empty; vertices that are not
 * finite do not count. Right across the antimeridian and at the poles.
 *
 * Good to some nanometres; to 0.1 mm where a point is a quarter around the earth from an edge.
 */
export function geodesicDistanceRows(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): number {
  return measure(a, rowA, b, rowB, -1, Infinity);
}

/** Whether two geometries are no farther apart than `metres` on WGS 84, the distance itself included. False when either
 * is null or empty, and for a negative or NaN distance. */
export function withinGeodesicDistance(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  metres: number,
): boolean {
  if (!(metres >= 0)) return false;
  const found = measure(a, rowA, b, rowB, metres, metres);
  return found <= metres && found < Infinity;
}

/** A geometry made ready for many distances on the earth. */
export interface PreparedGeodesic {
  readonly search: GeodesicSearch;
}

/** Index row `row` for {@link geodesicToPrepared} and {@link withinPreparedGeodesic}. */
export function prepareGeodesic(column: GeometryColumn, row: number): PreparedGeodesic {
  return { search: new GeodesicSearch(geodesicIndex(column, [row])) };
}

/** {@link geodesicDistanceRows} of a prepared geometry and a row. */
export function geodesicToPrepared(prepared: PreparedGeodesic, column: GeometryColumn, row: number): number {
  return searched(prepared.search, column, row, -1, Infinity);
}

/** {@link withinGeodesicDistance} of a prepared geometry and a row. */
export function withinPreparedGeodesic(
  prepared: PreparedGeodesic,
  column: GeometryColumn,
  row: number,
  metres: number,
): boolean {
  if (!(metres >= 0)) return false;
  const found = searched(prepared.search, column, row, metres, metres);
  return found <= metres && found < Infinity;
}

function measure(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  enough: number,
  limit: number,
): number {
  const startA = firstVertex(a, rowA);
  const endA = firstVertex(a, rowA + 1);
  const startB = firstVertex(b, rowB);
  const endB = firstVertex(b, rowB + 1);
  if (startA === endA || startB === endB) return Infinity;
  if (a.types[rowA] === POINT && b.types[rowB] === POINT) {
    const apart = geodesicPoints(
      a.xy[2 * startA]!,
      a.xy[2 * startA + 1]!,
      b.xy[2 * startB]!,
      b.xy[2 * startB + 1]!,
    );
    return Number.isNaN(apart) ? Infinity : apart;
  }
  // The larger one is indexed, the smaller one asks.
  return endA - startA > endB - startB
    ? searched(new GeodesicSearch(geodesicIndex(a, [rowA])), b, rowB, enough, limit)
    : searched(new GeodesicSearch(geodesicIndex(b, [rowB])), a, rowA, enough, limit);
}

function searched(
  search: GeodesicSearch,
  column: GeometryColumn,
  row: number,
  enough: number,
  limit: number,
): number {
  const set = new NearestSet(1, limit, "first", null, 1);
  if (enough >= 0) set.enough = enough * enough;
  search.forget();
  search.row(column, row, set, true);
  return search.leastDistance;
}

function firstVertex({ geometries, parts, rings }: GeometryColumn, row: number): number {
  return rings[parts[geometries[row]!]!]!;
}
