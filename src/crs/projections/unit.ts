import { type ProjWords, parseAngle } from "../proj-string.ts";

/** A point that goes through a projection and comes back changed: angles in radians, lengths in semi-major axes. */
export interface UnitPoint {
  x: number;
  y: number;
}

/**
 * A projection on an ellipsoid with semi-major axis 1: longitude counted from the central meridian in `x`, latitude
 * in `y`, both in radians, against x and y without false origin. Points outside the domain become NaN.
 */
export interface UnitProjection {
  forward(p: UnitPoint): void;
  inverse(p: UnitPoint): void;
  /** Central meridian in radians where it is not `+lon_0`. */
  readonly centralMeridian?: number;
  /**
   * Semi-major axis in metres of a projection that is tied to one ellipsoid. PROJ applies it on the way to the
   * map only, so that a definition with another ellipsoid does not return to where it started; so does this.
   */
  readonly semiMajor?: number;
}

/** What a projection needs to know to be made. */
export interface ProjectionParameters {
  readonly words: ProjWords;
  /** Semi-major axis in metres. */
  readonly a: number;
  /** Square of the first eccentricity, 0 for a sphere, and the eccentricity. */
  readonly es: number;
  readonly e: number;
  /** `+lat_0` in radians. */
  readonly lat0: number;
  /** `+k_0` or `+k`, default 1. */
  readonly k0: number;
}

export type ProjectionFactory = (parameters: ProjectionParameters) => UnitProjection;

export const HALF_PI: number = Math.PI / 2;
export const QUARTER_PI: number = Math.PI / 4;

/** An angle of the PROJ string in radians; `fallback` (radians) when it is not given. */
export function angleOf(words: ProjWords, key: string, fallback: number = 0): number {
  const text = words.get(key);
  return text === undefined ? fallback : (parseAngle(text) * Math.PI) / 180;
}

/** A plain number of the PROJ string. */
export function numberOf(words: ProjWords, key: string, fallback: number): number {
  const text = words.get(key);
  return text === undefined || text === "" ? fallback : Number(text);
}

/** Marks a point as outside the domain. */
export function fail(p: UnitPoint): void {
  p.x = Number.NaN;
  p.y = Number.NaN;
}

/** Brings a longitude into -pi..pi; values that are there already stay as they are. */
export function adjustLon(lon: number): number {
  if (Math.abs(lon) <= Math.PI) return lon;
  const turned = lon - 2 * Math.PI * Math.floor((lon + Math.PI) / (2 * Math.PI));
  return Math.abs(turned) < 1e-15 ? 0 : turned;
}

/** Arc sine and cosine that forgive a rounding error beyond 1. NaN further out. */
export function asin(v: number): number {
  if (Math.abs(v) <= 1) return Math.asin(v);
  return Math.abs(v) <= 1 + 1e-14 * 100 ? (v < 0 ? -HALF_PI : HALF_PI) : Number.NaN;
}

export function acos(v: number): number {
  if (Math.abs(v) <= 1) return Math.acos(v);
  return Math.abs(v) <= 1 + 1e-14 * 100 ? (v < 0 ? Math.PI : 0) : Number.NaN;
}

/** Snyder's m (14-15): radius of the parallel. */
export function parallelRadius(sinPhi: number, cosPhi: number, es: number): number {
  return cosPhi / Math.sqrt(1 - es * sinPhi * sinPhi);
}

/** Snyder's t (15-9), written with exponentials so that it holds at the poles. */
export function conformalT(phi: number, sinPhi: number, e: number): number {
  const cosPhi = Math.cos(phi);
  const tangent = sinPhi > 0 ? cosPhi / (1 + sinPhi) : (1 - sinPhi) / cosPhi;
  return tangent * Math.exp(e * Math.atanh(e * sinPhi));
}

/** Latitude from Snyder's t, by Newton on the tangent (Karney 2011). NaN for values without one. */
export function latitudeOfT(t: number, e: number): number {
  // sinh of the isometric latitude.
  return Math.atan(tangentOfPsi((1 / t - t) / 2, e));
}

/** Tangent of the latitude from the hyperbolic sine of the isometric latitude. */
export function tangentOfPsi(taup: number, e: number): number {
  if (e === 0 || !Number.isFinite(taup)) return taup;
  const one = 1 - e * e;
  const limit = 70;
  let tau = Math.abs(taup) > limit ? taup * Math.exp(e * Math.atanh(e)) : taup / one;
  for (let k = 0; k < 6; k++) {
    const root = Math.hypot(1, tau);
    const sigma = Math.sinh(e * Math.atanh((e * tau) / root));
    const reached = Math.hypot(1, sigma) * tau - sigma * root;
    const step = ((taup - reached) * (1 + one * tau * tau)) / (one * root * Math.hypot(1, reached));
    tau += step;
    if (!(Math.abs(step) > 1e-15 * Math.max(1, Math.abs(tau)))) break;
  }
  return tau;
}

/** Length of the meridian from the equator, in semi-major axes, and back. Series in the third flattening to n^6. */
export interface MeridianArc {
  of(phi: number): number;
  latitude(m: number): number;
}

export function meridianArc(es: number): MeridianArc {
  const root = Math.sqrt(1 - es);
  const n = (1 - root) / (1 + root);
  const n2 = n * n;
  const n3 = n2 * n;
  const n4 = n2 * n2;
  const n5 = n4 * n;
  const n6 = n4 * n2;
  const radius = (1 + n2 / 4 + n4 / 64 + n6 / 256) / (1 + n);
  const forth = [
    -1.5 * n + (9 / 16) * n3 - (3 / 32) * n5,
    (15 / 16) * n2 - (15 / 32) * n4 + (135 / 2048) * n6,
    (-35 / 48) * n3 + (105 / 256) * n5,
    (315 / 512) * n4 - (189 / 512) * n6,
    (-693 / 1280) * n5,
    (1001 / 2048) * n6,
  ];
  const back = [
    1.5 * n - (27 / 32) * n3 + (269 / 512) * n5,
    (21 / 16) * n2 - (55 / 32) * n4 + (6759 / 4096) * n6,
    (151 / 96) * n3 - (417 / 128) * n5,
    (1097 / 512) * n4 - (15543 / 2560) * n6,
    (8011 / 2560) * n5,
    (293393 / 61440) * n6,
  ];
  return {
    of: (phi) => radius * (phi + sineSeries(forth, 2 * phi)),
    latitude: (m) => {
      const mu = m / radius;
      return mu + sineSeries(back, 2 * mu);
    },
  };
}

/** Sum of `c[k] * sin((k + 1) * angle)` by Clenshaw's recurrence. */
export function sineSeries(c: readonly number[], angle: number): number {
  const twice = 2 * Math.cos(angle);
  let a = 0;
  let b = 0;
  for (let k = c.length - 1; k >= 0; k--) {
    const next = twice * a - b + c[k]!;
    b = a;
    a = next;
  }
  return a * Math.sin(angle);
}

/** Snyder's q (3-12), from the sine of the latitude. */
export function authalicQ(sinPhi: number, e: number): number {
  if (e < 1e-7) return 2 * sinPhi;
  const con = e * sinPhi;
  return (1 - e * e) * (sinPhi / (1 - con * con) - (0.5 / e) * Math.log((1 - con) / (1 + con)));
}

/**
 * Latitude from the authalic latitude by Snyder's series (3-18), which ends at e^6: up to 1.5e-8 degrees off on
 * the Earth. PROJ 9.1 uses the same, and agreeing with it is worth more here than the last millimetre.
 */
export function authalicInverse(es: number): (beta: number) => number {
  const es2 = es * es;
  const es3 = es2 * es;
  const a = es / 3 + (es2 * 31) / 180 + (es3 * 517) / 5040;
  const b = (es2 * 23) / 360 + (es3 * 251) / 3780;
  const c = (es3 * 761) / 45360;
  return (beta) => {
    const t = beta + beta;
    return beta + a * Math.sin(t) + b * Math.sin(t + t) + c * Math.sin(t + t + t);
  };
}

/**
 * Inverse by Newton's method on the forward formulas with numerical derivatives, for projections without a closed
 * one. Starts at `p` (already a guess in radians); NaN when it does not settle.
 */
export function invertNumerically(forward: (p: UnitPoint) => void, x: number, y: number, p: UnitPoint): void {
  const probe = { x: 0, y: 0 };
  let lon = Math.max(-Math.PI, Math.min(Math.PI, p.x));
  let lat = Math.max(-HALF_PI, Math.min(HALF_PI, p.y));
  for (let k = 0; k < 40; k++) {
    probe.x = lon;
    probe.y = lat;
    forward(probe);
    const dx = probe.x - x;
    const dy = probe.y - y;
    if (Math.abs(dx) < 1e-13 && Math.abs(dy) < 1e-13) {
      p.x = lon;
      p.y = lat;
      return;
    }
    if (Number.isNaN(dx)) break;
    // Step away from the edge of the map, so that the derivative stays inside.
    const h = 1e-6;
    const hx = lon > 0 ? -h : h;
    const hy = lat > 0 ? -h : h;
    const fx = probe.x;
    const fy = probe.y;
    probe.x = lon + hx;
    probe.y = lat;
    forward(probe);
    const xLon = (probe.x - fx) / hx;
    const yLon = (probe.y - fy) / hx;
    probe.x = lon;
    probe.y = lat + hy;
    forward(probe);
    const xLat = (probe.x - fx) / hy;
    const yLat = (probe.y - fy) / hy;
    const det = xLon * yLat - xLat * yLon;
    if (det === 0 || Number.isNaN(det)) break;
    const stepLon = (dx * yLat - dy * xLat) / det;
    const stepLat = (xLon * dy - yLon * dx) / det;
    lon = Math.max(-Math.PI, Math.min(Math.PI, lon - Math.max(-0.3, Math.min(0.3, stepLon))));
    lat = Math.max(-HALF_PI, Math.min(HALF_PI, lat - Math.max(-0.3, Math.min(0.3, stepLat))));
  }
  probe.x = lon;
  probe.y = lat;
  forward(probe);
  if (Math.hypot(probe.x - x, probe.y - y) < 1e-10) {
    p.x = lon;
    p.y = lat;
  } else fail(p);
}
