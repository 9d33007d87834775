import geographiclib from "geographiclib-geodesic";
import { bulge, normalLon, SPACE_ROUNDING, toSpace } from "./geodesic-bounds.ts";

const { Geodesic } = geographiclib;
const solver = Geodesic.WGS84;
const DEGREE = Math.PI / 180;
const DIRECTIONS = Geodesic.DISTANCE | Geodesic.AZIMUTH;
const PLACE = Geodesic.LATITUDE | Geodesic.LONGITUDE | Geodesic.AZIMUTH;

/** Mean radius, for first guesses only. */
const RADIUS = 6371008.8;

/**
 * Up to here the distance to a point is convex along a geodesic, from {@link CONCAVE} on it is concave: a quarter of the
 * way around, less and more what the ellipsoid's curvature allows (Sturm), rounded outwards. In between it is neither, but
 * all but straight.
 */
const CONVEX = 9_980_000;
const CONCAVE = 10_058_000;

/** Greatest second derivative of the distance along a geodesic in the band between, and within 1,000 km of it, per metre. */
const BAND_BEND = 1.8e-9;
const NEAR_BAND_BEND = 3e-8;

/** In the band between, pieces as short as this are taken for straight: an error of 0.06 mm at the most. */
const STRAIGHT = 500;

/** Distance in metres on WGS 84, degrees. 0 for the same point, also when it is written with other longitudes. */
export function geodesicPoints(lon1: number, lat1: number, lon2: number, lat2: number): number {
  return solver.Inverse(lat1, lon1, lat2, lon2, Geodesic.DISTANCE).s12 ?? Number.NaN;
}

/**
 * Distance in metres on WGS 84 from point `p` to the geodesic from `a` to `b`, the shortest line between them. Good to
 * 0.1 mm where `p` is about a quarter around the earth from the line, and to the nanometres of the solver elsewhere.
 *
 * Where the distance is convex along the line, the foot of the perpendicular is found by the right spherical triangle at
 * the current point, which converges in two or three steps, kept between brackets. Where it is concave, an end is nearest.
 */
export function geodesicPointSegment(
  lonP: number,
  latP: number,
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
): number {
  const toA = solver.Inverse(latA, lonA, latP, lonP, DIRECTIONS);
  const distanceA = toA.s12 ?? Number.NaN;
  if (lonA === lonB && latA === latB) return distanceA;
  if (distanceA === 0) return 0;
  const edge = solver.Inverse(latA, lonA, latB, lonB, DIRECTIONS);
  const length = edge.s12 ?? Number.NaN;
  if (!(length > 0)) return distanceA;
  const toB = solver.Inverse(latB, lonB, latP, lonP, DIRECTIONS);
  const distanceB = toB.s12 ?? Number.NaN;
  if (distanceB === 0) return 0;
  // Towards the other end the distance grows: with a convex distance this end is nearest.
  if ((distanceA + distanceB + length) / 2 < CONVEX) {
    if (cosine(toA.azi1!, edge.azi1!) <= 0) return distanceA;
    if (cosine(toB.azi1!, edge.azi2!) >= 0) return distanceB;
  }
  const line = solver.DirectLine(latA, lonA, edge.azi1!, edge.s12!, PLACE | Geodesic.DISTANCE_IN);
  const guess = footFrom(distanceA, cosine(toA.azi1!, edge.azi1!));
  if ((distanceA + distanceB + length) / 2 < CONVEX)
    return foot(line, lonP, latP, 0, length, guess, Math.min(distanceA, distanceB));
  return nearestFar(line, lonP, latP, length, distanceA, distanceB);
}

type Line = ReturnType<typeof solver.DirectLine>;

function cosine(azimuth: number, other: number): number {
  return Math.cos((azimuth - other) * DEGREE);
}

/** Along the edge from a point at `distance` to the foot of the perpendicular, on a sphere. */
function footFrom(distance: number, cos: number): number {
  return RADIUS * Math.atan(cos * Math.tan(Math.min(distance / RADIUS, Math.PI / 2)));
}

/** Least distance between `low` and `high` metres along a line where it is convex. */
function foot(
  line: Line,
  lonP: number,
  latP: number,
  low: number,
  high: number,
  guess: number,
  known: number,
): number {
  let from = low;
  let to = high;
  let t = guess > from && guess < to ? guess : (from + to) / 2;
  let least = known;
  for (let step = 0; step < 60; step++) {
    const at = line.Position(t, PLACE);
    const there = solver.Inverse(at.lat2!, at.lon2!, latP, lonP, DIRECTIONS);
    const distance = there.s12!;
    if (distance < least) least = distance;
    if (distance === 0) return 0;
    const cos = cosine(there.azi1!, at.azi2!);
    if (cos > 0) from = t;
    else to = t;
    const move = footFrom(distance, cos);
    // What is left changes the distance by the square of it over twice the distance: less than 1e-12 of it.
    if (Math.abs(move) <= 1e-6 * distance + 1e-9 || to - from <= 1e-9) return least;
    const next = t + move;
    t = next > from && next < to ? next : (from + to) / 2;
  }
  return least;
}

/** Least distance of a line that is about a quarter around the earth or more away, by halving it where need be. */
function nearestFar(
  line: Line,
  lonP: number,
  latP: number,
  length: number,
  distanceA: number,
  distanceB: number,
): number {
  let least = Math.min(distanceA, distanceB);
  const stack: number[] = [0, distanceA, length, distanceB];
  while (stack.length > 0) {
    const end = stack.pop()!;
    const t2 = stack.pop()!;
    const start = stack.pop()!;
    const t1 = stack.pop()!;
    const width = t2 - t1;
    const lowest = (start + end - width) / 2;
    const highest = (start + end + width) / 2;
    if (lowest >= least || lowest > CONCAVE) continue;
    if (highest < CONVEX) {
      least = Math.min(least, foot(line, lonP, latP, t1, t2, (t1 + t2) / 2, Math.min(start, end)));
      continue;
    }
    if (width <= STRAIGHT) continue;
    if (lowest > 9e6 && highest < 11e6) {
      const bend = lowest > CONVEX && highest < CONCAVE ? BAND_BEND : NEAR_BAND_BEND;
      if (Math.min(start, end) - (bend * width * width) / 8 >= least) continue;
    }
    const middle = (t1 + t2) / 2;
    const at = line.Position(middle, PLACE);
    const distance = geodesicPoints(at.lon2!, at.lat2!, lonP, latP);
    if (distance < least) least = distance;
    stack.push(t1, start, middle, distance, middle, distance, t2, end);
  }
  return least;
}

const corners = new Float64Array(12);

/**
 * On which side of the geodesic from `a` to `b` a point lies: below 0 left, above 0 right, seen along the way; 0 when the
 * ends are one point. Settled in space where the point is clear of the line, by directions at `a` (good to nanometres)
 * else.
 */
export function sideOfGeodesic(
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
  lonP: number,
  latP: number,
): number {
  const c = corners;
  toSpace(lonA, latA, c, 0);
  toSpace(lonB, latB, c, 3);
  toSpace(lonP, latP, c, 6);
  const nx = c[1]! * c[5]! - c[2]! * c[4]!;
  const ny = c[2]! * c[3]! - c[0]! * c[5]!;
  const nz = c[0]! * c[4]! - c[1]! * c[3]!;
  const size = Math.hypot(nx, ny, nz);
  if (size > 0) {
    const height = (nx * c[6]! + ny * c[7]! + nz * c[8]!) / size;
    const chord = Math.hypot(c[3]! - c[0]!, c[4]! - c[1]!, c[5]! - c[2]!);
    // The normal of a short chord is known less well.
    if (Math.abs(height) > bulge(chord) + SPACE_ROUNDING * (1 + 1e7 / (chord + 1e-9))) return -height;
  }
  const edge = solver.Inverse(latA, lonA, latB, lonB, DIRECTIONS);
  if (!(edge.s12! > 0)) return 0;
  const toP = solver.Inverse(latA, lonA, latP, lonP, DIRECTIONS);
  return Math.sin(normalLon(toP.azi1! - edge.azi1!) * DEGREE);
}

/** Whether two geodesics, each much shorter than a quarter around the earth and near each other, cross inside both. */
function geodesicsCross(
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
  lonC: number,
  latC: number,
  lonD: number,
  latD: number,
): boolean {
  const c = sideOfGeodesic(lonA, latA, lonB, latB, lonC, latC);
  const d = sideOfGeodesic(lonA, latA, lonB, latB, lonD, latD);
  if ((c < 0 && d < 0) || (c > 0 && d > 0) || (c === 0 && d === 0)) return false;
  const a = sideOfGeodesic(lonC, latC, lonD, latD, lonA, latA);
  const b = sideOfGeodesic(lonC, latC, lonD, latD, lonB, latB);
  return !((a < 0 && b < 0) || (a > 0 && b > 0) || (a === 0 && b === 0));
}

/**
 * Distance in metres of two geodesics, 0 where they cross. Meant for pieces of up to some hundred kilometres: with
 * positive curvature two lines that do not cross are nearest at an end of one.
 *
 * @param apart  Whether they are known not to cross.
 */
export function geodesicSegments(
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
  lonC: number,
  latC: number,
  lonD: number,
  latD: number,
  apart: boolean,
): number {
  const pointA = lonA === lonB && latA === latB;
  const pointC = lonC === lonD && latC === latD;
  if (pointA && pointC) return geodesicPoints(lonA, latA, lonC, latC);
  if (pointA) return geodesicPointSegment(lonA, latA, lonC, latC, lonD, latD);
  if (pointC) return geodesicPointSegment(lonC, latC, lonA, latA, lonB, latB);
  if (!apart && geodesicsCross(lonA, latA, lonB, latB, lonC, latC, lonD, latD)) return 0;
  return Math.min(
    geodesicPointSegment(lonA, latA, lonC, latC, lonD, latD),
    geodesicPointSegment(lonB, latB, lonC, latC, lonD, latD),
    geodesicPointSegment(lonC, latC, lonA, latA, lonB, latB),
    geodesicPointSegment(lonD, latD, lonA, latA, lonB, latB),
  );
}

/** Points on the geodesic from `a` to `b` that cut it into `pieces` equal ones, `[lon, lat, ...]` without the ends. */
export function betweenGeodesic(
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
  pieces: number,
): Float64Array {
  const out = new Float64Array(2 * (pieces - 1));
  const edge = solver.Inverse(latA, lonA, latB, lonB, DIRECTIONS);
  const line = solver.DirectLine(latA, lonA, edge.azi1!, edge.s12!, PLACE | Geodesic.DISTANCE_IN);
  for (let k = 1; k < pieces; k++) {
    const at = line.Position((edge.s12! * k) / pieces, PLACE);
    out[2 * k - 2] = at.lon2!;
    out[2 * k - 1] = at.lat2!;
  }
  return out;
}
