/** WGS 84: equatorial radius in metres and eccentricity squared. */
const WGS84_A = 6378137;
const WGS84_F = 1 / 298.257223563;
const WGS84_E2 = WGS84_F * (2 - WGS84_F);

/** Radius in metres of the sphere of the same area as WGS 84, which Earth Engine uses for areas. */
export const SPHERE_RADIUS = 6371007.1809;

/** Where areas are measured: on WGS 84, on the sphere of {@link SPHERE_RADIUS}, or in the plane of the projection. */
export type Surface = "plane" | "ellipsoid" | "sphere";

/**
 * Area in square metres of the cell between two parallels and two meridians, exact for the surface (Snyder,
 * Map Projections, 3-12, as differences so that small cells keep all digits).
 *
 * @param south  Latitude in degrees, as `north`; the order does not matter.
 * @param span   Width in degrees of longitude.
 */
export function cellArea(
  south: number,
  north: number,
  span: number,
  surface: "ellipsoid" | "sphere",
): number {
  const radians = Math.PI / 180;
  const a = clampLatitude(south) * radians;
  const b = clampLatitude(north) * radians;
  const width = Math.abs(span) * radians;
  // sin b - sin a without cancellation.
  const difference = Math.abs(2 * Math.cos((a + b) / 2) * Math.sin((b - a) / 2));
  if (surface === "sphere") return SPHERE_RADIUS * SPHERE_RADIUS * width * difference;
  const e2 = WGS84_E2;
  const e = Math.sqrt(e2);
  const sa = Math.sin(a);
  const sb = Math.sin(b);
  const product = e2 * sa * sb;
  const rational = (difference * (1 + product)) / ((1 - e2 * sa * sa) * (1 - e2 * sb * sb));
  const logarithm = Math.atanh((e * difference) / (1 - product)) / e;
  return ((WGS84_A * WGS84_A * (1 - e2) * width) / 2) * (rational + logarithm);
}

function clampLatitude(latitude: number): number {
  return Math.min(90, Math.max(-90, latitude));
}

/**
 * Numbers split into two whose sums stay exact: `high` keeps 26 bits of the largest, `low` the rest. Adding
 * `count * high` and `count * low` apart gives, for up to 2^27 pixels, the same total in every order, so that a
 * sum does not depend on how a raster was cut into tiles.
 */
export interface SplitNumbers {
  readonly high: Float64Array;
  readonly low: Float64Array;
}

export function splitNumbers(values: Float64Array, largest: number): SplitNumbers {
  const unit = 2 ** (Math.ceil(Math.log2(largest || 1)) - 26);
  const fine = unit * 2 ** -26;
  const high = new Float64Array(values.length);
  const low = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    high[i] = Math.round(values[i]! / unit) * unit;
    low[i] = Math.round((values[i]! - high[i]!) / fine) * fine;
  }
  return { high, low };
}
