import {
  angleOf,
  conformalT,
  fail,
  HALF_PI,
  latitudeOfT,
  meridianArc,
  type ProjectionFactory,
  parallelRadius,
} from "./unit.ts";

// Formulas by Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395).

const TINY = 1e-10;

/** Lambert conformal conic with one or two standard parallels. */
export const lcc: ProjectionFactory = ({ words, es, e, lat0, k0 }) => {
  const phi1 = angleOf(words, "lat_1");
  const phi2 = words.has("lat_2") ? angleOf(words, "lat_2") : phi1;
  const origin = words.has("lat_2") || words.has("lat_0") ? lat0 : phi1;
  if (Math.abs(phi1 + phi2) < TINY || Math.abs(phi1) >= HALF_PI || Math.abs(phi2) >= HALF_PI)
    throw new RangeError("lcc needs standard parallels that are not opposite and not a pole");
  const sin1 = Math.sin(phi1);
  const m1 = parallelRadius(sin1, Math.cos(phi1), es);
  const t1 = conformalT(phi1, sin1, e);
  let n = sin1;
  if (Math.abs(phi1 - phi2) >= TINY) {
    const sin2 = Math.sin(phi2);
    n = Math.log(m1 / parallelRadius(sin2, Math.cos(phi2), es)) / Math.log(t1 / conformalT(phi2, sin2, e));
  }
  const c = (m1 * t1 ** -n) / n;
  const rho0 =
    Math.abs(Math.abs(origin) - HALF_PI) < TINY ? 0 : c * conformalT(origin, Math.sin(origin), e) ** n;
  return {
    forward(p) {
      const phi = p.y;
      let rho = 0;
      if (Math.abs(Math.abs(phi) - HALF_PI) < TINY) {
        if (phi * n <= 0) return fail(p);
      } else rho = c * conformalT(phi, Math.sin(phi), e) ** n;
      const theta = p.x * n;
      p.x = k0 * rho * Math.sin(theta);
      p.y = k0 * (rho0 - rho * Math.cos(theta));
    },
    inverse(p) {
      let x = p.x / k0;
      let y = rho0 - p.y / k0;
      let rho = Math.hypot(x, y);
      if (rho === 0) {
        p.x = 0;
        p.y = n > 0 ? HALF_PI : -HALF_PI;
        return;
      }
      if (n < 0) {
        rho = -rho;
        x = -x;
        y = -y;
      }
      p.y = latitudeOfT((rho / c) ** (1 / n), e);
      p.x = Math.atan2(x, y) / n;
    },
  };
};

/** Equidistant conic. */
export const eqdc: ProjectionFactory = ({ words, es, lat0 }) => {
  const phi1 = angleOf(words, "lat_1");
  const phi2 = words.has("lat_2") ? angleOf(words, "lat_2") : phi1;
  if (Math.abs(phi1 + phi2) < TINY)
    throw new RangeError("eqdc needs standard parallels that are not opposite");
  const arc = meridianArc(es);
  const sin1 = Math.sin(phi1);
  const m1 = parallelRadius(sin1, Math.cos(phi1), es);
  const arc1 = arc.of(phi1);
  const n =
    Math.abs(phi1 - phi2) < TINY
      ? sin1
      : (m1 - parallelRadius(Math.sin(phi2), Math.cos(phi2), es)) / (arc.of(phi2) - arc1);
  const c = arc1 + m1 / n;
  const rho0 = c - arc.of(lat0);
  return {
    forward(p) {
      const rho = c - arc.of(p.y);
      const theta = p.x * n;
      p.x = rho * Math.sin(theta);
      p.y = rho0 - rho * Math.cos(theta);
    },
    inverse(p) {
      let x = p.x;
      let y = rho0 - p.y;
      let rho = Math.hypot(x, y);
      if (rho === 0) {
        p.x = 0;
        p.y = n > 0 ? HALF_PI : -HALF_PI;
        return;
      }
      if (n < 0) {
        rho = -rho;
        x = -x;
        y = -y;
      }
      p.y = arc.latitude(c - rho);
      p.x = Math.atan2(x, y) / n;
    },
  };
};

/** American polyconic. */
export const poly: ProjectionFactory = ({ es, lat0 }) => {
  const arc = meridianArc(es);
  const m0 = arc.of(lat0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      if (Math.abs(phi) <= TINY) {
        p.y = -m0;
        return;
      }
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const ms = Math.abs(cos) > TINY ? parallelRadius(sin, cos, es) / sin : 0;
      const angle = lam * sin;
      p.x = ms * Math.sin(angle);
      p.y = arc.of(phi) - m0 + ms * (1 - Math.cos(angle));
    },
    inverse(p) {
      const { x } = p;
      const y = p.y + m0;
      if (Math.abs(y) <= TINY) {
        p.y = 0;
        return;
      }
      const r = y * y + x * x;
      let phi = y;
      let settled = false;
      for (let k = 0; k < 20 && !settled; k++) {
        const sin = Math.sin(phi);
        const cos = Math.cos(phi);
        if (Math.abs(cos) < 1e-12) break;
        const root = Math.sqrt(1 - es * sin * sin);
        const c = (sin * root) / cos;
        const m = arc.of(phi);
        const slope = (1 - es) / (root * root * root);
        const mb = m * m + r;
        const bend = es === 0 ? 0 : (es * sin * cos * (mb - 2 * y * m)) / c;
        const step =
          (m + m + c * mb - 2 * y * (c * m + 1)) /
          (bend + 2 * (y - m) * (c * slope - 1 / (sin * cos)) - slope - slope);
        phi += step;
        settled = Math.abs(step) <= 1e-12;
      }
      if (!settled) return fail(p);
      const sin = Math.sin(phi);
      p.x = Math.asin(x * Math.tan(phi) * Math.sqrt(1 - es * sin * sin)) / sin;
      p.y = phi;
    },
  };
};

/**
 * Krovak's oblique conformal conic, south and west counted negative (EPSG Guidance Note 7-2, method 1041). It is
 * defined on Bessel's ellipsoid, whatever else a definition says.
 */
export const krovak: ProjectionFactory = ({ words, k0, lat0: given }) => {
  const es = 0.006674372230614;
  const e = Math.sqrt(es);
  const lat0 = words.has("lat_0") ? given : (49.5 * Math.PI) / 180;
  if (Math.abs(lat0) >= HALF_PI - TINY)
    throw new RangeError("krovak needs a latitude of origin that is not a pole");
  const scale = words.has("k") || words.has("k_0") ? k0 : 0.9999;
  const coLatitude = angleOf(words, "alpha", HALF_PI - 1.04216856380474);
  const s0 = 1.37008346281555; // 78.5 degrees, the pseudo standard parallel
  const sin0 = Math.sin(lat0);
  const alpha = Math.sqrt(1 + (es * Math.cos(lat0) ** 4) / (1 - es));
  const u0 = Math.asin(sin0 / alpha);
  const g = ((1 + e * sin0) / (1 - e * sin0)) ** ((alpha * e) / 2);
  const k = (Math.tan(u0 / 2 + Math.PI / 4) / Math.tan(lat0 / 2 + Math.PI / 4) ** alpha) * g;
  const n0 = Math.sqrt(1 - es) / (1 - es * sin0 * sin0);
  const n = Math.sin(s0);
  const rho0 = (scale * n0) / Math.tan(s0);
  const tan0 = Math.tan(s0 / 2 + Math.PI / 4);
  const sinAd = Math.sin(coLatitude);
  const cosAd = Math.cos(coLatitude);
  return {
    semiMajor: 6377397.155,
    centralMeridian: angleOf(words, "lon_0", ((24 + 50 / 60) * Math.PI) / 180),
    forward(p) {
      const { x: lam, y: phi } = p;
      const sin = Math.sin(phi);
      const gfi = ((1 + e * sin) / (1 - e * sin)) ** ((alpha * e) / 2);
      const u = 2 * (Math.atan((k * Math.tan(phi / 2 + Math.PI / 4) ** alpha) / gfi) - Math.PI / 4);
      const delta = -lam * alpha;
      const sinS = cosAd * Math.sin(u) + sinAd * Math.cos(u) * Math.cos(delta);
      const s = Math.asin(Math.max(-1, Math.min(1, sinS)));
      const cosS = Math.cos(s);
      if (cosS < 1e-12) {
        p.x = 0;
        p.y = 0;
        return;
      }
      const d = Math.asin(Math.max(-1, Math.min(1, (Math.cos(u) * Math.sin(delta)) / cosS)));
      const eps = n * d;
      const rho = (rho0 * tan0 ** n) / Math.tan(s / 2 + Math.PI / 4) ** n;
      p.x = -rho * Math.sin(eps);
      p.y = -rho * Math.cos(eps);
    },
    inverse(p) {
      const x = -p.x;
      const y = -p.y;
      const rho = Math.hypot(x, y);
      const d = Math.atan2(x, y) / Math.sin(s0);
      const s = rho === 0 ? HALF_PI : 2 * (Math.atan((rho0 / rho) ** (1 / n) * tan0) - Math.PI / 4);
      const u = Math.asin(cosAd * Math.sin(s) - sinAd * Math.cos(s) * Math.cos(d));
      const delta = Math.asin(Math.max(-1, Math.min(1, (Math.cos(s) * Math.sin(d)) / Math.cos(u))));
      p.x = -delta / alpha;
      const start = (Math.tan(u / 2 + Math.PI / 4) / k) ** (1 / alpha);
      let phi = u;
      for (let round = 0; round < 100; round++) {
        const sin = e * Math.sin(phi);
        const next = 2 * (Math.atan(start * ((1 + sin) / (1 - sin)) ** (e / 2)) - Math.PI / 4);
        const step = Math.abs(next - phi);
        phi = next;
        if (step < 1e-12) break;
      }
      p.y = phi;
    },
  };
};
