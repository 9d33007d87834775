import geographiclib from "geographiclib-geodesic";
import type { GeometryColumn } from "../../model/geometry.ts";

/** The shortest way between two points. Angles in degrees, azimuths clockwise from north. */
export interface GeodesicInverse {
  /** Metres. */
  readonly distance: number;
  /** Direction at the first point, -180..180. */
  readonly azimuth: number;
  /** Direction at the second point back to the first one, -180..180. */
  readonly backAzimuth: number;
}

/** Where a geodesic leads. Degrees. */
export interface GeodesicDirect {
  readonly lon: number;
  readonly lat: number;
  /** Direction at the end back to the start, -180..180. */
  readonly backAzimuth: number;
}

/** WGS 84. */
const A = 6378137;
const F = 1 / 298.257223563;
const ES = F * (2 - F);
const E = Math.sqrt(ES);
const DEGREE = Math.PI / 180;

const { Geodesic } = geographiclib;
const solver = Geodesic.WGS84;

/**
 * Distance and directions between two points on WGS 84, longitude before latitude, degrees. Karney (2013), good to
 * 15 nanometres, also for points nearly opposite each other. NaN in, NaN out; latitudes beyond 90 degrees are NaN.
 */
export function geodesicInverse(lon1: number, lat1: number, lon2: number, lat2: number): GeodesicInverse {
  const { s12 = Number.NaN, azi1 = Number.NaN, azi2 = Number.NaN } = solver.Inverse(lat1, lon1, lat2, lon2);
  return { distance: s12, azimuth: azi1, backAzimuth: turnAround(azi2) };
}

/** The point `distance` metres from another one in a direction, on WGS 84. */
export function geodesicDirect(lon: number, lat: number, azimuth: number, distance: number): GeodesicDirect {
  const {
    lat2 = Number.NaN,
    lon2 = Number.NaN,
    azi2 = Number.NaN,
  } = solver.Direct(lat, lon, azimuth, distance);
  return { lon: lon2, lat: lat2, backAzimuth: turnAround(azi2) };
}

function turnAround(azimuth: number): number {
  return azimuth > 0 ? azimuth - 180 : azimuth + 180;
}

/** Length of vertices `start .. end - 1` in metres, edges geodesics on WGS 84; `xy` in degrees. Fewer than 2: 0. */
export function geodesicLength(xy: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let v = start + 1; v < end; v++) {
    const { s12 = Number.NaN } = solver.Inverse(
      xy[2 * v - 1]!,
      xy[2 * v - 2]!,
      xy[2 * v + 1]!,
      xy[2 * v]!,
      Geodesic.DISTANCE,
    );
    sum += s12;
  }
  return sum;
}

/**
 * Area that the closed ring of vertices `start .. end - 1` encloses on WGS 84, in square metres, edges geodesics.
 * Positive when the ring runs against the clock. A ring around a pole encloses the smaller side.
 */
export function geodesicRingArea(xy: Float64Array, start: number, end: number): number {
  const polygon = solver.Polygon(false);
  // The closing vertex repeats the first one.
  for (let v = start; v < end - 1; v++) polygon.AddPoint(xy[2 * v + 1]!, xy[2 * v]!);
  if (polygon.num < 3) return 0;
  return polygon.Compute(false, true).area ?? Number.NaN;
}

/**
 * The same with edges that are straight in longitude and latitude, as GeoJSON has them (RFC 7946, section 3.1.1).
 * Exact to rounding: the area under an edge is the mean of the authalic q over its latitudes times its longitudes,
 * by Gauss quadrature. Longitudes are taken as written: an edge from 179 to -179 runs around the globe.
 */
export function lonLatRingArea(xy: Float64Array, start: number, end: number): number {
  // q of the first vertex is taken off everywhere: it cancels around the ring, and with it the rounding.
  const base = authalicQ(Math.sin(xy[2 * start + 1]! * DEGREE));
  let sum = 0;
  let around = 0;
  for (let v = start; v < end - 1; v++) {
    const width = xy[2 * v + 2]! - xy[2 * v]!;
    if (width === 0) continue;
    around += width;
    sum += width * (meanQ(xy[2 * v + 1]! * DEGREE, xy[2 * v + 3]! * DEGREE) - base);
  }
  // Rings that do not return to their longitude keep what was taken off.
  return -((sum + around * base) * DEGREE * A * A) / 2;
}

/** Snyder's q (3-12) on WGS 84; half of it times a^2 is the area per radian of longitude up to a latitude. */
function authalicQ(sinPhi: number): number {
  const con = E * sinPhi;
  return (1 - ES) * (sinPhi / (1 - con * con) + Math.atanh(con) / E);
}

/** Nodes and weights of Gauss-Legendre quadrature with 4 points. */
const NODE_1 = 0.3399810435848563;
const NODE_2 = 0.8611363115940526;
const WEIGHT_1 = 0.6521451548625461 / 2;
const WEIGHT_2 = 0.3478548451374538 / 2;

/** Mean of q over the latitudes between two, radians. */
function meanQ(phi1: number, phi2: number): number {
  const span = phi2 - phi1;
  // 4 points are exact to 1e-16 over an eighth of a radian.
  const pieces = Math.max(1, Math.ceil(Math.abs(span) / 0.125));
  const half = span / pieces / 2;
  let sum = 0;
  for (let k = 0; k < pieces; k++) {
    const middle = phi1 + half * (2 * k + 1);
    sum +=
      WEIGHT_1 * (authalicQ(Math.sin(middle - NODE_1 * half)) + authalicQ(Math.sin(middle + NODE_1 * half))) +
      WEIGHT_2 * (authalicQ(Math.sin(middle - NODE_2 * half)) + authalicQ(Math.sin(middle + NODE_2 * half)));
  }
  return sum / pieces;
}

/** Signed area of one closed ring, positive against the clock. */
export type RingArea = (xy: Float64Array, start: number, end: number) => number;

/**
 * Area of every row: shells less their holes, whatever way the rings run. 0 for null and empty rows, points and
 * lines. Parts that overlap count twice. Length = rows; unit of `ringArea`.
 */
export function rowAreas(column: GeometryColumn, ringArea: RingArea): Float64Array {
  const { types, geometries, parts, rings, xy } = column;
  const out = new Float64Array(types.length);
  for (let i = 0; i < types.length; i++) {
    let area = 0;
    for (let p = geometries[i]!; p < geometries[i + 1]!; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const start = rings[r]!;
        const end = rings[r + 1]!;
        if (end - start < 4 || !isClosed(xy, start, end)) continue;
        if (!isPolygonPart(column, i, p)) break;
        const size = Math.abs(ringArea(xy, start, end));
        area += r === parts[p]! ? size : -size;
      }
    }
    out[i] = area;
  }
  return out;
}

/** Length of one line of vertices. */
export type LineLength = (xy: Float64Array, start: number, end: number) => number;

/** Length of every row: of lines, and of all rings of polygons. 0 for null and empty rows and points. */
export function rowLengths(column: GeometryColumn, lineLength: LineLength): Float64Array {
  const { types, geometries, parts, rings, xy } = column;
  const out = new Float64Array(types.length);
  for (let i = 0; i < types.length; i++) {
    const end = parts[geometries[i + 1]!]!;
    for (let r = parts[geometries[i]!]!; r < end; r++) out[i]! += lineLength(xy, rings[r]!, rings[r + 1]!);
  }
  return out;
}

function isClosed(xy: Float64Array, start: number, end: number): boolean {
  return xy[2 * start] === xy[2 * end - 2] && xy[2 * start + 1] === xy[2 * end - 1];
}

/** Whether part `p` of row `i` is a polygon; in collections the member that owns it says so. */
function isPolygonPart({ types, collections }: GeometryColumn, i: number, p: number): boolean {
  const type = types[i]!;
  if (type !== 7) return type === 3 || type === 6;
  if (collections === null) return false;
  for (let k = collections.rows[i]!; k < collections.rows[i + 1]!; k++) {
    if (p >= collections.members[k]! && p < collections.members[k + 1]!) {
      const member = collections.types[k]!;
      return member === 3 || member === 6;
    }
  }
  return false;
}
