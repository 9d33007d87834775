/**
 * tilth/geometry: measures of GeoJSON geometries. Coordinates are longitude and latitude in degrees, unless the
 * surface is the plane.
 */
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
import { type Geometry, geometryFromGeoJson, type PointGeometry, type Position } from "./model/geojson.ts";
import type { GeometryColumn } from "./model/geometry.ts";
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
export function area(geometry: Geometry, options: AreaOptions = {}): number {
  return rowAreas(columnOf(geometry), ringAreaOf(options))[0]!;
}

/** Length in metres of lines, and of all rings of polygons; 0 for points and empty geometries. */
export function length(geometry: Geometry, options: MeasureOptions = {}): number {
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

function columnOf(geometry: Geometry): GeometryColumn {
  const builder = new GeometryBuilder();
  geometryFromGeoJson(geometry, builder);
  return builder.finish();
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
