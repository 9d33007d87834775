import type { Crs } from "../model/crs.ts";

/** WGS 84 degrees, longitude first. */
export const WGS84: Crs = {
  code: "EPSG:4326",
  name: "WGS 84",
  kind: "geographic",
  proj4: "+proj=longlat +datum=WGS84 +no_defs +type=crs",
  definition: null,
  unit: { name: "degree", kind: "angle", factor: 1 },
  axisOrder: "yx",
  area: [-180, -90, 180, 90],
};

/** WGS 84 / UTM zone 45N, metres: the zone of the sample landscape. */
export const UTM_45N: Crs = {
  code: "EPSG:32645",
  name: "WGS 84 / UTM zone 45N",
  kind: "projected",
  proj4: "+proj=utm +zone=45 +datum=WGS84 +units=m +no_defs +type=crs",
  definition: null,
  unit: { name: "metre", kind: "length", factor: 1 },
  axisOrder: "xy",
  area: [84, 0, 90, 84],
};

// WGS 84 and its transverse Mercator series to the fourth power of the third flattening (Krüger 1912, as in
// Karney 2011, equations 35 and 36): better than a micrometre within a zone.
const FLATTENING = 1 / 298.257223563;
const N = FLATTENING / (2 - FLATTENING);
const ECCENTRICITY = Math.sqrt(FLATTENING * (2 - FLATTENING));
const RADIUS = (6378137 / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
const ALPHA = [
  N / 2 - (2 / 3) * N ** 2 + (5 / 16) * N ** 3 + (41 / 180) * N ** 4,
  (13 / 48) * N ** 2 - (3 / 5) * N ** 3 + (557 / 1440) * N ** 4,
  (61 / 240) * N ** 3 - (103 / 140) * N ** 4,
  (49561 / 161280) * N ** 4,
] as const;
const BETA = [
  N / 2 - (2 / 3) * N ** 2 + (37 / 96) * N ** 3 - (1 / 360) * N ** 4,
  (1 / 48) * N ** 2 + (1 / 15) * N ** 3 - (437 / 1440) * N ** 4,
  (17 / 480) * N ** 3 - (37 / 840) * N ** 4,
  (4397 / 161280) * N ** 4,
] as const;
const SCALE = 0.9996;
const MERIDIAN = 87;
const RADIANS = Math.PI / 180;

/** Longitude and latitude in degrees to metres of {@link UTM_45N}. */
export function toUtm(lon: number, lat: number): [x: number, y: number] {
  const lambda = (lon - MERIDIAN) * RADIANS;
  const sine = Math.sin(lat * RADIANS);
  const conformal = Math.sinh(Math.atanh(sine) - ECCENTRICITY * Math.atanh(ECCENTRICITY * sine));
  const xi = Math.atan2(conformal, Math.cos(lambda));
  const eta = Math.atanh(Math.sin(lambda) / Math.sqrt(1 + conformal * conformal));
  let x = eta;
  let y = xi;
  for (let k = 0; k < 4; k++) {
    x += ALPHA[k]! * Math.cos(2 * (k + 1) * xi) * Math.sinh(2 * (k + 1) * eta);
    y += ALPHA[k]! * Math.sin(2 * (k + 1) * xi) * Math.cosh(2 * (k + 1) * eta);
  }
  return [500_000 + SCALE * RADIUS * x, SCALE * RADIUS * y];
}

/** Metres of {@link UTM_45N} to longitude and latitude in degrees. */
export function toLonLat(x: number, y: number): [lon: number, lat: number] {
  const eta = (x - 500_000) / (SCALE * RADIUS);
  const xi = y / (SCALE * RADIUS);
  let e = eta;
  let p = xi;
  for (let k = 0; k < 4; k++) {
    e -= BETA[k]! * Math.cos(2 * (k + 1) * xi) * Math.sinh(2 * (k + 1) * eta);
    p -= BETA[k]! * Math.sin(2 * (k + 1) * xi) * Math.cosh(2 * (k + 1) * eta);
  }
  const sinh = Math.sinh(e);
  const target = Math.sin(p) / Math.sqrt(sinh * sinh + Math.cos(p) ** 2);
  // Newton's method from conformal to geographic latitude (Karney 2011, equations 19 to 21).
  let tangent = target;
  for (let k = 0; k < 5; k++) {
    const root = Math.sqrt(1 + tangent * tangent);
    const sigma = Math.sinh(ECCENTRICITY * Math.atanh((ECCENTRICITY * tangent) / root));
    const now = tangent * Math.sqrt(1 + sigma * sigma) - sigma * root;
    const squeeze = 1 - ECCENTRICITY ** 2;
    tangent +=
      ((target - now) / Math.sqrt(1 + now * now)) * ((1 + squeeze * tangent * tangent) / (squeeze * root));
  }
  const lambda = Math.atan2(sinh, Math.cos(p));
  return [MERIDIAN + lambda / RADIANS, Math.atan(tangent) / RADIANS];
}
