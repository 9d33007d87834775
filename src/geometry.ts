/**
 * tilth/geometry: functions on GeoJSON geometries, all synchronous.
 *
 * Measures ({@link area}, {@link length}, {@link distance}) are in metres on WGS 84, from longitude and latitude in degrees,
 * unless `surface` says otherwise. All other functions take coordinates as they are, as of a plane.
 *
 * `null` counts as an empty geometry. Results are never `null`: an empty one has empty coordinates, or is a
 * GeometryCollection without members. {@link isValid} and {@link validityReason} judge what they are given; all other functions
 * first close rings that are open and leave out positions that are not two finite numbers, and rings of fewer than four
 * positions, with their holes. Polygons that are not valid are read by the even-odd rule. Arguments are never changed.
 */
import { boundaryRow } from "./kernels/vector/boundary.ts";
import { type BufferOptions, bufferRow } from "./kernels/vector/buffer.ts";
import { rowCentroid } from "./kernels/vector/centroid.ts";
import { withoutFaults } from "./kernels/vector/clean.ts";
import { convexHullRow } from "./kernels/vector/convex-hull.ts";
import { distanceRows, nearestPointsRows, withinDistance } from "./kernels/vector/distance/distance-rows.ts";
import { geodesicDistanceRows, withinGeodesicDistance } from "./kernels/vector/distance/geodesic-distance.ts";
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
import { type MakeValidOptions, makeValidRow, type RepairMethod } from "./kernels/vector/make-valid.ts";
import { equalsExactRows, normalizeRow } from "./kernels/vector/normalize.ts";
import { type OverlayOperation, type OverlayOptions, overlayRows } from "./kernels/vector/overlay/overlay.ts";
import { unionRows } from "./kernels/vector/overlay/union.ts";
import { rowPointOnSurface } from "./kernels/vector/point-on-surface.ts";
import { matchesPattern } from "./kernels/vector/relate/patterns.ts";
import { type Predicate, testRows } from "./kernels/vector/relate/predicates.ts";
import { prepareRelate, relatePrepared, testPrepared } from "./kernels/vector/relate/prepared.ts";
import { relateRows } from "./kernels/vector/relate/relate.ts";
import { findNotSimple } from "./kernels/vector/simple.ts";
import {
  type SimplifyOptions as SimplifyRowOptions,
  simplifyRow,
} from "./kernels/vector/simplify/simplify.ts";
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
import { isGeoError } from "./model/errors.ts";
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
export type { BufferOptions, InvalidReason, MakeValidOptions, OverlayOptions, Predicate, RepairMethod };
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

/** A geometry, or a position standing for a point. */
export type Place = Position | Geometry;

/**
 * The shortest distance between two geometries of any types, in metres (on the plane in the unit of the coordinates): 0
 * where they meet, polygons with their inside; `Infinity` when either is empty. Positions may stand for points; one
 * without two numbers gives NaN.
 *
 * On the ellipsoid edges are geodesics. On the sphere both must be points.
 *
 * @throws RangeError for lines or polygons on the sphere
 */
export function distance(a: Place | null, b: Place | null, options: MeasureOptions = {}): number {
  const surface = options.surface ?? "ellipsoid";
  if (isIncomplete(a) || isIncomplete(b)) return Number.NaN;
  const from = pointOf(a);
  const to = pointOf(b);
  if (from !== null && to !== null) {
    const [x1, y1] = from;
    const [x2, y2] = to;
    if (surface === "plane") return Math.hypot(x2! - x1!, y2! - y1!);
    if (surface === "sphere")
      return sphericalDistance(x1!, y1!, x2!, y2!, options.radius ?? EARTH_ENGINE_RADIUS);
    return geodesicInverse(x1!, y1!, x2!, y2!).distance;
  }
  const column = pairColumn(geometryOf(a), geometryOf(b));
  if (surface === "sphere") throw onSphere("distance");
  return surface === "plane"
    ? distanceRows(column, 0, column, 1)
    : geodesicDistanceRows(column, 0, column, 1);
}

/**
 * Whether two geometries are at most `limit` apart, the limit itself included; metres on the ellipsoid (default), the
 * unit of the coordinates on the plane. False when either is empty. Stops at the first edges that are near enough.
 *
 * @throws RangeError for lines or polygons on the sphere
 */
export function dwithin(
  a: Place | null,
  b: Place | null,
  limit: number,
  options: MeasureOptions = {},
): boolean {
  const surface = options.surface ?? "ellipsoid";
  if (surface === "sphere") return distance(a, b, options) <= limit;
  const column = pairColumn(geometryOf(a), geometryOf(b));
  return surface === "plane"
    ? withinDistance(column, 0, column, 1, limit)
    : withinGeodesicDistance(column, 0, column, 1, limit);
}

/** The points of two geometries that are nearest to each other on the plane: on `a`, then on `b`; `null` when either is empty. */
export function nearestPoints(a: Place | null, b: Place | null): [PointGeometry, PointGeometry] | null {
  const column = pairColumn(geometryOf(a), geometryOf(b));
  const found = nearestPointsRows(column, 0, column, 1);
  if (found === null) return null;
  return [
    { type: "Point", coordinates: [...found.a] },
    { type: "Point", coordinates: [...found.b] },
  ];
}

/** The position of a point, `null` for everything else. */
function pointOf(place: Place | null): Position | null {
  if (place === null) return null;
  const position = isPosition(place) ? place : place.type === "Point" ? place.coordinates : null;
  return position === null || position.length < 2 ? null : position;
}

function isIncomplete(place: Place | null): boolean {
  return place !== null && isPosition(place) && place.length < 2;
}

function geometryOf(place: Place | null): Geometry | null {
  return place !== null && isPosition(place) ? { type: "Point", coordinates: place } : place;
}

function isPosition(place: Place): place is Position {
  return Array.isArray(place);
}

function onSphere(what: string): RangeError {
  return new RangeError(
    `${what} on the sphere is between points; for lines and polygons use the ellipsoid or the plane`,
  );
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
 * collections judged one by one. Exact: nearly touching is not touching. What is no GeoJSON geometry is not valid.
 */
export function isValid(geometry: Geometry | null): boolean {
  try {
    return findInvalid(rawColumn(geometry), 0) === null;
  } catch (error) {
    if (isGeoError(error, "INVALID_GEOMETRY")) return false;
    throw error;
  }
}

/**
 * The first thing that makes a geometry not valid, or `null` when it is valid; see {@link isValid}.
 * @throws GeoError `INVALID_GEOMETRY` for what is no GeoJSON geometry, as all functions but `isValid` do
 */
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

/**
 * The same geometry made valid; a valid one comes back with the same coordinates. See {@link MakeValidOptions} for the two
 * methods. The type stays, but a Polygon may become a MultiPolygon; nothing left gives an empty geometry. The result is
 * valid, and making it valid again changes nothing.
 */
export function makeValid(geometry: Geometry | null, options: MakeValidOptions = {}): Geometry {
  return resultOf((builder) => makeValidRow(rawColumn(geometry), 0, builder, options));
}

/** What two geometries have in common, with lines and points where they meet in less than an area. */
export function intersection(a: Geometry | null, b: Geometry | null, options: OverlayOptions = {}): Geometry {
  return overlay("intersection", a, b, options);
}

/**
 * All that lies in one of the geometries: areas merged, lines noded and merged where they are not covered by areas.
 * Takes two geometries, or a list of any number.
 */
export function union(a: Geometry | null, b: Geometry | null, options?: OverlayOptions): Geometry;
export function union(geometries: readonly (Geometry | null)[], options?: OverlayOptions): Geometry;
export function union(
  a: Geometry | null | readonly (Geometry | null)[],
  b?: Geometry | null | OverlayOptions,
  options: OverlayOptions = {},
): Geometry {
  if (isList(a)) return unionOf(a, (b ?? {}) as OverlayOptions);
  return overlay("union", a, (b ?? null) as Geometry | null, options);
}

/** The union of the parts of one geometry: {@link union} of a list of one. */
export function unaryUnion(geometry: Geometry | null, options: OverlayOptions = {}): Geometry {
  return unionOf([geometry], options);
}

/** What of `a` does not lie in `b`. */
export function difference(a: Geometry | null, b: Geometry | null, options: OverlayOptions = {}): Geometry {
  return overlay("difference", a, b, options);
}

/** What lies in one of two geometries, not in both. */
export function symmetricDifference(
  a: Geometry | null,
  b: Geometry | null,
  options: OverlayOptions = {},
): Geometry {
  return overlay("symmetric-difference", a, b, options);
}

/** Whether the geometries have a point in common. */
export function intersects(a: Geometry | null, b: Geometry | null): boolean {
  return test("intersects", a, b);
}

/** Whether the geometries have no point in common. */
export function disjoint(a: Geometry | null, b: Geometry | null): boolean {
  return test("disjoint", a, b);
}

/** Whether no point of `b` lies outside `a`, and their interiors meet. A polygon does not contain its boundary; it {@link covers} it. */
export function contains(a: Geometry | null, b: Geometry | null): boolean {
  return test("contains", a, b);
}

/** {@link contains} the other way round. */
export function within(a: Geometry | null, b: Geometry | null): boolean {
  return test("within", a, b);
}

/** Whether no point of `b` lies outside `a`. */
export function covers(a: Geometry | null, b: Geometry | null): boolean {
  return test("covers", a, b);
}

/** {@link covers} the other way round. */
export function coveredBy(a: Geometry | null, b: Geometry | null): boolean {
  return test("coveredBy", a, b);
}

/** Whether the geometries meet, but not with their interiors. */
export function touches(a: Geometry | null, b: Geometry | null): boolean {
  return test("touches", a, b);
}

/** Whether the interiors meet in something of a lower dimension than the larger one, and neither covers the other. */
export function crosses(a: Geometry | null, b: Geometry | null): boolean {
  return test("crosses", a, b);
}

/** Whether geometries of the same dimension share some of their interiors, and each has some that the other has not. */
export function overlaps(a: Geometry | null, b: Geometry | null): boolean {
  return test("overlaps", a, b);
}

/** Whether the geometries are the same set of points, however they are written. {@link equalsExact} compares the writing. */
export function equals(a: Geometry | null, b: Geometry | null): boolean {
  return test("equals", a, b);
}

/** Whether every point of `b` lies in the interior of `a`. */
export function containsProperly(a: Geometry | null, b: Geometry | null): boolean {
  return test("containsProperly", a, b);
}

/**
 * The DE-9IM matrix of two geometries, such as `"212101212"`, exact; or whether it matches a pattern of `T F * 0 1 2`,
 * such as `"T*****FF*"`.
 */
export function relate(a: Geometry | null, b: Geometry | null): string;
export function relate(a: Geometry | null, b: Geometry | null, pattern: string): boolean;
export function relate(a: Geometry | null, b: Geometry | null, pattern?: string): string | boolean {
  const column = pairColumn(a, b);
  const matrix = relateRows(column, 0, column, 1);
  return pattern === undefined ? matrix : matchesPattern(matrix, pattern);
}

/** One geometry made ready to be compared with many others; it is the first argument of every predicate. */
export interface PreparedGeometry {
  intersects(other: Geometry | null): boolean;
  disjoint(other: Geometry | null): boolean;
  contains(other: Geometry | null): boolean;
  within(other: Geometry | null): boolean;
  covers(other: Geometry | null): boolean;
  coveredBy(other: Geometry | null): boolean;
  touches(other: Geometry | null): boolean;
  crosses(other: Geometry | null): boolean;
  overlaps(other: Geometry | null): boolean;
  equals(other: Geometry | null): boolean;
  containsProperly(other: Geometry | null): boolean;
  relate(other: Geometry | null): string;
}

/**
 * Prepare a geometry for many comparisons: its edges are indexed once, then each costs about the size of the other
 * geometry.
 */
export function prepare(geometry: Geometry | null): PreparedGeometry {
  const prepared = prepareRelate(columnOf(geometry), 0);
  const ask =
    (predicate: Predicate) =>
    (other: Geometry | null): boolean =>
      testPrepared(prepared, predicate, columnOf(other), 0);
  return {
    intersects: ask("intersects"),
    disjoint: ask("disjoint"),
    contains: ask("contains"),
    within: ask("within"),
    covers: ask("covers"),
    coveredBy: ask("coveredBy"),
    touches: ask("touches"),
    crosses: ask("crosses"),
    overlaps: ask("overlaps"),
    equals: ask("equals"),
    containsProperly: ask("containsProperly"),
    relate: (other) => relatePrepared(prepared, columnOf(other), 0),
  };
}

export interface SimplifyOptions {
  /**
   * Lines and rings keep their sides and no part vanishes; valid input stays valid. Default true. Without it every line is
   * simplified alone, small rings vanish, and polygons are then made valid by their structure.
   */
  readonly preserveTopology?: boolean | undefined;
  /** `"douglas-peucker"` (default) or `"visvalingam"`, by the area of triangles: smaller than the tolerance squared. */
  readonly method?: SimplifyRowOptions["method"];
}

/** A geometry with fewer positions, none of the others moved; `tolerance` is in the unit of the coordinates. */
export function simplify(
  geometry: Geometry | null,
  tolerance: number,
  options: SimplifyOptions = {},
): Geometry {
  return resultOf((builder) => {
    const simplified = new GeometryBuilder();
    simplifyRow(columnOf(geometry), 0, simplified, { ...options, tolerance });
    const column = simplified.finish();
    if (options.preserveTopology === false) makeValidRow(column, 0, builder, { method: "structure" });
    else builder.copy(column, 0);
  });
}

/**
 * All that lies within `distance` of a geometry, in the unit of its coordinates (bring longitude and latitude to a projected
 * system first); a negative distance takes a border off polygons. A Polygon or MultiPolygon, perhaps empty.
 */
export function buffer(geometry: Geometry | null, distance: number, options: BufferOptions = {}): Geometry {
  if (!Number.isFinite(distance))
    throw new RangeError(`buffer distance is ${distance}, expected a finite number`);
  return resultOf((builder) => bufferRow(columnOf(geometry), 0, distance, builder, options));
}

function overlay(
  operation: OverlayOperation,
  a: Geometry | null,
  b: Geometry | null,
  options: OverlayOptions,
): Geometry {
  const column = pairColumn(a, b);
  return resultOf((builder) => overlayRows(operation, column, 0, column, 1, builder, options));
}

function unionOf(geometries: readonly (Geometry | null)[], options: OverlayOptions): Geometry {
  const builder = new GeometryBuilder();
  for (const geometry of geometries) pushRow(geometry, builder);
  const column = withoutFaults(builder.finish(), true);
  const rows = Int32Array.from(geometries, (_, row) => row);
  return resultOf((out) => unionRows(column, rows, out, options));
}

function isList(
  value: Geometry | null | readonly (Geometry | null)[],
): value is readonly (Geometry | null)[] {
  return Array.isArray(value);
}

function test(predicate: Predicate, a: Geometry | null, b: Geometry | null): boolean {
  const column = pairColumn(a, b);
  return testRows(predicate, column, 0, column, 1);
}

/** A column of one row; `null` becomes a collection without members. */
function rawColumn(geometry: Geometry | null): GeometryColumn {
  const builder = new GeometryBuilder();
  pushRow(geometry, builder);
  return builder.finish();
}

function pushRow(geometry: Geometry | null, builder: GeometryBuilder): void {
  if (geometry !== null) {
    geometryFromGeoJson(geometry, builder, false);
    return;
  }
  builder.begin(GEOMETRY_COLLECTION);
  builder.end();
}

/** The same with rings closed and positions left out that are not finite. */
function columnOf(geometry: Geometry | null): GeometryColumn {
  return withoutFaults(rawColumn(geometry), true);
}

/** Two rows, as {@link columnOf}. */
function pairColumn(a: Geometry | null, b: Geometry | null): GeometryColumn {
  const builder = new GeometryBuilder();
  pushRow(a, builder);
  pushRow(b, builder);
  return withoutFaults(builder.finish(), true);
}

/** One row as GeoJSON; the row of a builder that wrote a null geometry is an empty collection. */
function resultOf(write: (builder: GeometryBuilder) => unknown): Geometry {
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
