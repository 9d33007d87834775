/**
 * Radius, in metres, of the sphere on which Earth Engine measures areas: the one with the surface of WGS 84, as Earth
 * Engine rounds it.
 */
export const EARTH_ENGINE_RADIUS = 6371007.1809;

/** The mean radius (2a + b) / 3 of GRS 80 that most JavaScript code uses, in metres. */
export const MEAN_EARTH_RADIUS = 6371008.8;

const DEGREE = Math.PI / 180;

/** Great-circle distance in metres on a sphere, longitude before latitude, degrees. Good for all distances. */
export function sphericalDistance(
  lon1: number,
  lat1: number,
  lon2: number,
  lat2: number,
  radius: number,
): number {
  const phi1 = lat1 * DEGREE;
  const phi2 = lat2 * DEGREE;
  const lam = (lon2 - lon1) * DEGREE;
  const cos2 = Math.cos(phi2);
  const sin2 = Math.sin(phi2);
  const cos1 = Math.cos(phi1);
  const sin1 = Math.sin(phi1);
  const across = Math.hypot(cos2 * Math.sin(lam), cos1 * sin2 - sin1 * cos2 * Math.cos(lam));
  const along = sin1 * sin2 + cos1 * cos2 * Math.cos(lam);
  return radius * Math.atan2(across, along);
}

/** Length of vertices `start .. end - 1` along great circles, metres; `xy` in degrees. */
export function sphericalLength(xy: Float64Array, start: number, end: number, radius: number): number {
  let sum = 0;
  for (let v = start + 1; v < end; v++)
    sum += sphericalDistance(xy[2 * v - 2]!, xy[2 * v - 1]!, xy[2 * v]!, xy[2 * v + 1]!, radius);
  return sum;
}

/**
 * Area of a closed ring of great circles on a sphere, in square metres, positive against the clock. A ring around a
 * pole encloses the smaller side. Each edge adds the excess of its triangle with the pole (Bevis and Cambareri
 * 1987, in the half-angle form that holds for small ones).
 */
export function sphericalRingArea(xy: Float64Array, start: number, end: number, radius: number): number {
  let excess = 0;
  let crossings = 0;
  for (let v = start; v < end - 1; v++) {
    let width = xy[2 * v + 2]! - xy[2 * v]!;
    if (width > 180) {
      width -= 360;
      crossings++;
    } else if (width < -180) {
      width += 360;
      crossings++;
    }
    const lam = width * DEGREE;
    const phi1 = xy[2 * v + 1]! * DEGREE;
    const phi2 = xy[2 * v + 3]! * DEGREE;
    excess +=
      2 *
      Math.atan2(
        Math.sin(lam / 2) * Math.sin((phi1 + phi2) / 2),
        Math.cos(lam / 2) * Math.cos((phi1 - phi2) / 2),
      );
  }
  let area = -excess;
  // An odd number of steps over the antimeridian: the ring goes around a pole.
  if (crossings % 2 === 1) area = area < 0 ? area + 2 * Math.PI : area - 2 * Math.PI;
  if (area > 2 * Math.PI) area -= 4 * Math.PI;
  else if (area < -2 * Math.PI) area += 4 * Math.PI;
  return area * radius * radius;
}

/** The same with edges straight in longitude and latitude, taken as written: 179 to -179 runs around the globe. */
export function sphericalLonLatRingArea(
  xy: Float64Array,
  start: number,
  end: number,
  radius: number,
): number {
  const base = Math.sin(xy[2 * start + 1]! * DEGREE);
  let sum = 0;
  let around = 0;
  for (let v = start; v < end - 1; v++) {
    const width = xy[2 * v + 2]! - xy[2 * v]!;
    if (width === 0) continue;
    around += width;
    const half = ((xy[2 * v + 3]! - xy[2 * v + 1]!) * DEGREE) / 2;
    const middle = ((xy[2 * v + 3]! + xy[2 * v + 1]!) * DEGREE) / 2;
    // Mean of the sine over the latitudes of the edge.
    const mean = Math.sin(middle) * (Math.abs(half) < 1e-4 ? 1 - (half * half) / 6 : Math.sin(half) / half);
    sum += width * (mean - base);
  }
  return -(sum + around * base) * DEGREE * radius * radius;
}

/**
 * The same with edges straight in longitude and the sine of the latitude (Lambert's equal-area cylinder): what most
 * JavaScript code computes.
 */
export function sphericalEqualAreaRingArea(
  xy: Float64Array,
  start: number,
  end: number,
  radius: number,
): number {
  const base = Math.sin(xy[2 * start + 1]! * DEGREE);
  let sum = 0;
  let around = 0;
  for (let v = start; v < end - 1; v++) {
    const width = xy[2 * v + 2]! - xy[2 * v]!;
    around += width;
    sum += width * ((Math.sin(xy[2 * v + 1]! * DEGREE) + Math.sin(xy[2 * v + 3]! * DEGREE)) / 2 - base);
  }
  return -(sum + around * base) * DEGREE * radius * radius;
}

/** Signed area of a closed ring on the plane, square units of the coordinates, positive against the clock. */
export function planarRingArea(xy: Float64Array, start: number, end: number): number {
  // Counted from the first vertex, so that large coordinates do not eat the digits.
  const x0 = xy[2 * start]!;
  const y0 = xy[2 * start + 1]!;
  let sum = 0;
  for (let v = start + 1; v < end - 1; v++)
    sum += (xy[2 * v]! - x0) * (xy[2 * v + 3]! - y0) - (xy[2 * v + 2]! - x0) * (xy[2 * v + 1]! - y0);
  return sum / 2;
}

/** Length of vertices `start .. end - 1` on the plane. */
export function planarLength(xy: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let v = start + 1; v < end; v++)
    sum += Math.hypot(xy[2 * v]! - xy[2 * v - 2]!, xy[2 * v + 1]! - xy[2 * v - 1]!);
  return sum;
}
