/** WGS 84: half axes in metres. */
export const EQUATOR = 6378137;
const F = 1 / 298.257223563;
export const POLE: number = EQUATOR * (1 - F);
const E2 = F * (2 - F);
const DEGREE = Math.PI / 180;

/** Least radius of curvature of the ellipsoid, that of the meridian at the equator. */
const LEAST_RADIUS = (POLE * POLE) / EQUATOR;

/** No two points are farther apart: half a meridian. Metres, rounded up. */
const FARTHEST = 20003932;

/** Metres by which coordinates in space and what follows from them may be off. */
export const SPACE_ROUNDING = 1e-6;

/** Place in space of a longitude and latitude, metres from the centre of the earth, at `out[at]` and the next two. */
export function toSpace(lon: number, lat: number, out: Float64Array, at: number): void {
  // Near the poles by the other angle, so that the cosine keeps its digits.
  const sin = Math.sin(lat * DEGREE);
  const cos = Math.abs(lat) > 45 ? Math.sin((90 - Math.abs(lat)) * DEGREE) : Math.cos(lat * DEGREE);
  const normal = EQUATOR / Math.sqrt(1 - E2 * sin * sin);
  out[at] = normal * cos * Math.cos(lon * DEGREE);
  out[at + 1] = normal * cos * Math.sin(lon * DEGREE);
  out[at + 2] = normal * (1 - E2) * sin;
}

/**
 * The longest geodesic between two points whose straight distance through the earth is `chord`. A shortest line on the
 * ellipsoid is nowhere bent more than a circle of the least radius of curvature, and of two curves of one length the less
 * bent one has the longer chord (Schur).
 */
export function longestGeodesic(chord: number): number {
  const ratio = chord / (2 * LEAST_RADIUS);
  return ratio < 1 ? Math.min(FARTHEST, 2 * LEAST_RADIUS * Math.asin(ratio)) : FARTHEST;
}

/**
 * The longest chord between two points on the ellipsoid that a geodesic of `distance` joins. Not longer than itself; and
 * its angle at the centre is not more than over the sphere inside the ellipsoid, while both ends lie between that sphere
 * and the one around it.
 */
export function longestChord(distance: number): number {
  const half = distance / (2 * POLE);
  if (!(half < Math.PI / 2)) return 2 * EQUATOR;
  const across = 2 * EQUATOR * Math.sin(half);
  return Math.min(distance, Math.sqrt(across * across + (EQUATOR - POLE) * (EQUATOR - POLE)));
}

/**
 * How far a geodesic may run from its chord at the most. With its two parts to any of its points it makes a bent string
 * between the ends, so it stays in an ellipsoid of revolution about the chord.
 */
export function bulge(chord: number): number {
  const length = longestGeodesic(chord);
  // For short chords the difference of length and chord would be rounding; the series bounds it.
  const extra =
    chord < 1e5 ? (1.01 * chord * chord * chord) / (24 * LEAST_RADIUS * LEAST_RADIUS) : length - chord;
  return Math.sqrt(extra * (2 * chord + extra)) / 2 + 1e-9;
}

/** Longitude in -180 <= lon < 180. */
export function normalLon(lon: number): number {
  const turned = lon - 360 * Math.floor((lon + 180) / 360);
  return turned < 180 ? turned : -180;
}
