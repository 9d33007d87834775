/**
 * tilth/geometry: functions on GeoJSON geometries, all synchronous.
 *
 * Measures ({@link area}, {@link length}, {@link distance}) are in metres on WGS 84, from longitude and latitude in degrees,
 * unless `surface` says otherwise. All other functions take coordinates as they are, as of a plane.
 *
 * `null` counts as an empty geometry. Results are never `null`: an empty one has empty coordinates, or is a
 * GeometryCollection without members. {@link isValid} and {@link validityReason} judge what they are given; all other functions
 * first close rings that are open and leave out positions that are not two finite numbers. Arguments are never changed.
 */
import { boundaryRow } from "./kernels/vector/boundary.ts";
import { rowCentroid } from "./kernels/vector/centroid.ts";
import { withoutFaults } from "./kernels/vector/clean.ts";
import { convexHullRow } from "./kernels/vector/convex-hull.ts";
import {
  geodesicInverse,
  geodesicLength,
  geodesicRingArea,
  type LineLength,
  lonLatRingArea,
  type RingArea,
  rowAreas,
  rowLengths,
} from "./kernels/vector/geodesic.ts";
import { equalsExactRows, normalizeRow } from "./kernels/vector/normalize.ts";
import { rowPointOnSurface } from "./kernels/vector/point-on-surface.ts";
import { findNotSimple } from "./kernels/vector/simple.ts";
import {
  EARTH_ENGINE_RADIUS,
  planarLength,
  planarRingArea,
  sphericalDistance,
  sphericalEqualAreaRingArea,
  sphericalLength,
  sphericalLonLatRingArea,
  sphericalRingArea,
} from "./kernels/vector/spherical.ts";
import { findInvalid, type InvalidReason } from "./kernels/vector/validity.ts";
import {
  type Geometry,
  geometryFromGeoJson,
  geometryToGeoJson,
  type PointGeometry,
  type Position,
} from "./model/geojson.ts";
import { GEOMETRY_COLLECTION, type GeometryColumn } from "./model/geometry.ts";
import { GeometryBuilder } from "./model/geometry-builder.ts";

export type {
  Geometry,
  GeometryCollection,
  LineStringGeometry,
  MultiLineStringGeometry,
  MultiPointGeometry,
  MultiPolygonGeometry,
  PointGeometry,
  PolygonGeometry,
  Position,
} from "./model/geojson.ts";
export type { InvalidReason };
export { EARTH_ENGINE_RADIUS };

/** On what a measure is taken. */
export interface MeasureOptions {
  /**
   * `"ellipsoid"` (default): WGS 84. `"sphere"`: a sphere of `radius`. `"plane"`: coordinates as they are, results
   * in their unit.
   */
  readonly surface?: "ellipsoid" | "sphere" | "plane" | undefined;
  /** Radius of the sphere in metres; default {@link EARTH_ENGINE_RADIUS}. */
  readonly radius?: number | undefined;
}

export interface AreaOptions extends MeasureOptions {
  /**
   * What lies between two vertices. `"geodesic"` (default): the shortest way. `"lonlat"`: a straight line in
   * longitude and latitude, as GeoJSON says; longitudes are taken as written. `"equal-area"` (sphere only): a straight
   * line in longitude and the sine of the latitude, which is what most JavaScript code computes.
   */
  readonly edges?: "geodesic" | "lonlat" | "equal-area" | undefined;
}

/**
 * Area in square metres: shells less holes, whatever way the rings run; 0 for points, lines and empty geometries.
 *
 * The default is the area on WGS 84 with geodesic edges (Karney 2013). What Earth Engine gives is
 * `area(geometry, { surface: "sphere" })`.
 */
export function area(geometry: Geometry | null, options: AreaOptions = {}): number {
  return rowAreas(columnOf(geometry), ringAreaOf(options))[0]!;
}

/** Length in metres of lines, and of all rings of polygons; 0 for points and empty geometries. */
export function length(geometry: Geometry | null, options: MeasureOptions = {}): number {
  return rowLengths(columnOf(geometry), lineLengthOf(options))[0]!;
}

/** Distance in metres between two points, given as positions or as Point geometries. */
export function distance(
  a: Position | PointGeometry,
  b: Position | PointGeometry,
  options: MeasureOptions = {},
): number {
  const [x1 = Number.NaN, y1 = Number.NaN] = positionOf(a);
  const [x2 = Number.NaN, y2 = Number.NaN] = positionOf(b);
  switch (options.surface ?? "ellipsoid") {
    case "plane":
      return Math.hypot(x2 - x1, y2 - y1);
    case "sphere":
      return sphericalDistance(x1, y1, x2, y2, options.radius ?? EARTH_ENGINE_RADIUS);
    case "ellipsoid":
      return geodesicInverse(x1, y1, x2, y2).distance;
  }
}

function positionOf(point: Position | PointGeometry): Position {
  return "coordinates" in point ? point.coordinates : point;
}

/** What is wrong with a geometry, and where. */
export interface ValidityProblem {
  /** In the words of JTS and GEOS, such as `"Self-intersection"`. */
  readonly reason: InvalidReason;
  /** Where; not finite when the reason is `"Invalid Coordinate"`. */
  readonly position: Position;
}

/**
 * Whether a geometry is valid by the OGC simple features rules: finite coordinates, closed rings of four positions or
 * more that touch only in single points and do not cross, holes inside their shells and not in each other, polygons of
 * one multipolygon apart, connected interiors; lines of two different points. Empty geometries are valid, members of
 * collections judged one by one. Exact: nearly touching is not touching.
 */
export function isValid(geometry: Geometry | null): boolean {
  return findInvalid(rawColumn(geometry), 0) === null;
}

/** The first thing that makes a geometry not valid, or `null` when it is valid; see {@link isValid}. */
export function validityReason(geometry: Geometry | null): ValidityProblem | null {
  const found = findInvalid(rawColumn(geometry), 0);
  return found === null ? null : { reason: found.reason, position: [found.x, found.y] };
}

/**
 * Whether a geometry is simple by the OGC rules: no two points of a multipoint equal, lines that meet themselves and each
 * other only where both end (a closed line has no end), polygons whose rings are simple. Empty geometries are simple.
 */
export function isSimple(geometry: Geometry | null): boolean {
  return findNotSimple(rawColumn(geometry), 0) === null;
}

/** The centroid in the plane of the parts of the highest dimension; an empty point for an empty geometry. */
export function centroid(geometry: Geometry | null): PointGeometry {
  return { type: "Point", coordinates: rowCentroid(columnOf(geometry), 0) ?? [] };
}

/**
 * A point on a geometry: strictly inside a polygon, checked exactly (a vertex where a polygon has no room for a double),
 * a vertex of a line, one of the points. An empty point for an empty geometry.
 */
export function pointOnSurface(geometry: Geometry | null): PointGeometry {
  return { type: "Point", coordinates: rowPointOnSurface(columnOf(geometry), 0) ?? [] };
}

/** The smallest convex polygon around a geometry, exact; a line or a point when it has no area. */
export function convexHull(geometry: Geometry | null): Geometry {
  return resultOf((builder) => convexHullRow(columnOf(geometry), 0, builder));
}

/**
 * The boundary by the OGC rules: of polygons the rings, of lines the points in which an odd number of them end, of points
 * an empty collection.
 */
export function boundary(geometry: Geometry | null): Geometry {
  return resultOf((builder) => boundaryRow(columnOf(geometry), 0, builder));
}

/**
 * The same geometry in the one form of all that differ only in how they are written: rings from their leftmost (lowest)
 * vertex, shells counter-clockwise, lines from their smaller end, parts and members sorted.
 */
export function normalize(geometry: Geometry | null): Geometry {
  return resultOf((builder) => normalizeRow(columnOf(geometry), 0, builder));
}

/**
 * Whether two geometries have the same type and structure and the same positions in the same order, each at most
 * `tolerance` away. Heights are not compared. {@link normalize} both to compare regardless of order.
 */
export function equalsExact(a: Geometry | null, b: Geometry | null, tolerance: number = 0): boolean {
  return equalsExactRows(rawColumn(a), 0, rawColumn(b), 0, tolerance);
}

/** A column of one row; `null` becomes a collection without members. */
function rawColumn(geometry: Geometry | null): GeometryColumn {
  const builder = new GeometryBuilder();
  if (geometry === null) {
    builder.begin(GEOMETRY_COLLECTION);
    builder.end();
  } else geometryFromGeoJson(geometry, builder, false);
  return builder.finish();
}

/** The same with rings closed and positions left out that are not finite. */
function columnOf(geometry: Geometry | null): GeometryColumn {
  return withoutFaults(rawColumn(geometry));
}

function resultOf(write: (builder: GeometryBuilder) => void): Geometry {
  const builder = new GeometryBuilder();
  write(builder);
  return geometryToGeoJson(builder.finish(), 0) ?? { type: "GeometryCollection", geometries: [] };
}

function ringAreaOf({
  surface = "ellipsoid",
  edges = "geodesic",
  radius = EARTH_ENGINE_RADIUS,
}: AreaOptions): RingArea {
  if (surface === "plane") return planarRingArea;
  if (surface === "ellipsoid") {
    if (edges === "equal-area") throw new RangeError('edges "equal-area" needs surface "sphere"');
    return edges === "lonlat" ? lonLatRingArea : geodesicRingArea;
  }
  const measure =
    edges === "lonlat"
      ? sphericalLonLatRingArea
      : edges === "equal-area"
        ? sphericalEqualAreaRingArea
        : sphericalRingArea;
  return (xy, start, end) => measure(xy, start, end, radius);
}

function lineLengthOf({ surface = "ellipsoid", radius = EARTH_ENGINE_RADIUS }: MeasureOptions): LineLength {
  if (surface === "plane") return planarLength;
  if (surface === "ellipsoid") return geodesicLength;
  return (xy, start, end) => sphericalLength(xy, start, end, radius);
}
