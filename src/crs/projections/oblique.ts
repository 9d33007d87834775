import {
  adjustLon,
  angleOf,
  asin,
  conformalT,
  fail,
  HALF_PI,
  latitudeOfT,
  type ProjectionFactory,
  QUARTER_PI,
} from "./unit.ts";

// Formulas by Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395), unless said otherwise.

const TINY = 1e-10;

/** Hotine's oblique Mercator, by azimuth (`+alpha`, `+gamma`, `+lonc`) or by two points. */
export const omerc: ProjectionFactory = ({ words, es, e, lat0, k0 }) => {
  const byAzimuth = words.has("alpha") || words.has("gamma");
  const noRotation = words.has("no_rot");
  const noOffset = words.has("no_off") || words.has("no_uoff");
  const root = Math.sqrt(1 - es);
  let a = k0;
  let b = 1 / root;
  let d = 1;
  let f = 1;
  let big = 1;
  if (Math.abs(lat0) > TINY) {
    const sin0 = Math.sin(lat0);
    const cos0 = Math.cos(lat0);
    const con = 1 - es * sin0 * sin0;
    b = Math.sqrt(1 + (es * cos0 ** 4) / (1 - es));
    a = (b * k0 * root) / con;
    d = (b * root) / (cos0 * Math.sqrt(con));
    const square = d * d - 1;
    f = square <= 0 ? 0 : Math.sqrt(square);
    if (lat0 < 0) f = -f;
    f += d;
    big = f * conformalT(lat0, sin0, e) ** b;
  }
  let gamma0: number;
  let gamma: number;
  let alpha: number;
  let lam0: number;
  if (byAzimuth) {
    if (words.has("alpha")) {
      alpha = angleOf(words, "alpha");
      gamma0 = asin(Math.sin(alpha) / d);
      gamma = words.has("gamma") ? angleOf(words, "gamma") : alpha;
    } else {
      gamma = angleOf(words, "gamma");
      gamma0 = gamma;
      alpha = asin(d * Math.sin(gamma0));
    }
    if (Math.abs(Math.abs(lat0) - HALF_PI) <= TINY)
      throw new RangeError("omerc needs +lat_0 that is not a pole");
    lam0 = angleOf(words, "lonc") - asin(0.5 * (f - 1 / f) * Math.tan(gamma0)) / b;
  } else {
    const lam1 = angleOf(words, "lon_1");
    let lam2 = angleOf(words, "lon_2");
    const phi1 = angleOf(words, "lat_1");
    const phi2 = angleOf(words, "lat_2");
    if (Math.abs(phi1 - phi2) <= 1e-7 || Math.abs(phi1) <= 1e-7 || Math.abs(Math.abs(phi1) - HALF_PI) <= 1e-7)
      throw new RangeError(
        "omerc needs two points on different latitudes, the first neither on the equator nor a pole",
      );
    const h = conformalT(phi1, Math.sin(phi1), e) ** b;
    const l = conformalT(phi2, Math.sin(phi2), e) ** b;
    const ratio = big / h;
    const p = (l - h) / (l + h);
    let j = big * big;
    j = (j - l * h) / (j + l * h);
    if (lam1 - lam2 < -Math.PI) lam2 -= 2 * Math.PI;
    else if (lam1 - lam2 > Math.PI) lam2 += 2 * Math.PI;
    lam0 = adjustLon(0.5 * (lam1 + lam2) - Math.atan((j * Math.tan(0.5 * b * (lam1 - lam2))) / p) / b);
    gamma0 = Math.atan((2 * Math.sin(b * adjustLon(lam1 - lam0))) / (ratio - 1 / ratio));
    alpha = asin(d * Math.sin(gamma0));
    gamma = alpha;
  }
  const sinG = Math.sin(gamma0);
  const cosG = Math.cos(gamma0);
  const sinRotation = Math.sin(gamma);
  const cosRotation = Math.cos(gamma);
  const rB = 1 / b;
  const arB = a * rB;
  const brA = 1 / arB;
  let u0 = 0;
  if (!noOffset) {
    u0 = Math.abs(arB * Math.atan(Math.sqrt(Math.max(0, d * d - 1)) / Math.cos(alpha)));
    if (lat0 < 0) u0 = -u0;
  }
  const poleNorth = arB * Math.log(Math.tan(QUARTER_PI - 0.5 * gamma0));
  const poleSouth = arB * Math.log(Math.tan(QUARTER_PI + 0.5 * gamma0));
  return {
    centralMeridian: lam0,
    forward(p) {
      const { x: lam, y: phi } = p;
      let u: number;
      let v: number;
      if (Math.abs(Math.abs(phi) - HALF_PI) > TINY) {
        const w = big / conformalT(phi, Math.sin(phi), e) ** b;
        const s = 0.5 * (w - 1 / w);
        const t = 0.5 * (w + 1 / w);
        const sinB = Math.sin(b * lam);
        const ratio = (s * sinG - sinB * cosG) / t;
        if (Math.abs(Math.abs(ratio) - 1) < TINY) return fail(p);
        v = 0.5 * arB * Math.log((1 - ratio) / (1 + ratio));
        const cosB = Math.cos(b * lam);
        u = Math.abs(cosB) < 1e-7 ? a * lam : arB * Math.atan2(s * cosG + sinB * sinG, cosB);
      } else {
        v = phi > 0 ? poleNorth : poleSouth;
        u = arB * phi;
      }
      if (noRotation) {
        p.x = u;
        p.y = v;
        return;
      }
      u -= u0;
      p.x = v * cosRotation + u * sinRotation;
      p.y = u * cosRotation - v * sinRotation;
    },
    inverse(p) {
      const u = noRotation ? p.x : p.y * cosRotation + p.x * sinRotation + u0;
      const v = noRotation ? p.y : p.x * cosRotation - p.y * sinRotation;
      const q = Math.exp(-brA * v);
      if (q === 0) return fail(p);
      const s = 0.5 * (q - 1 / q);
      const t = 0.5 * (q + 1 / q);
      const sinV = Math.sin(brA * u);
      const ratio = (sinV * cosG + s * sinG) / t;
      if (Math.abs(Math.abs(ratio) - 1) < TINY) {
        p.x = 0;
        p.y = ratio < 0 ? -HALF_PI : HALF_PI;
        return;
      }
      p.y = latitudeOfT((big / Math.sqrt((1 + ratio) / (1 - ratio))) ** rB, e);
      p.x = -rB * Math.atan2(s * cosG - sinV * sinG, Math.cos(brA * u));
    },
  };
};

/** Swiss oblique Mercator (swisstopo, Formulas and constants, 2016). */
export const somerc: ProjectionFactory = ({ es, e, lat0, k0 }) => {
  const halfE = 0.5 * e;
  const cos2 = Math.cos(lat0) ** 2;
  const c = Math.sqrt(1 + (es * cos2 * cos2) / (1 - es));
  const sin0 = Math.sin(lat0);
  const sinB0 = sin0 / c;
  const b0 = asin(sinB0);
  const cosB0 = Math.cos(b0);
  const spread = (sine: number): number => halfE * Math.log((1 + sine) / (1 - sine));
  const k =
    Math.log(Math.tan(QUARTER_PI + 0.5 * b0)) -
    c * (Math.log(Math.tan(QUARTER_PI + 0.5 * lat0)) - spread(e * sin0));
  const radius = (k0 * Math.sqrt(1 - es)) / (1 - es * sin0 * sin0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const b =
        2 *
          Math.atan(
            Math.exp(c * (Math.log(Math.tan(QUARTER_PI + 0.5 * phi)) - spread(e * Math.sin(phi))) + k),
          ) -
        HALF_PI;
      const l = c * lam;
      const cosB = Math.cos(b);
      const turned = asin(cosB0 * Math.sin(b) - sinB0 * cosB * Math.cos(l));
      p.x = radius * asin((cosB * Math.sin(l)) / Math.cos(turned));
      p.y = radius * Math.log(Math.tan(QUARTER_PI + 0.5 * turned));
    },
    inverse(p) {
      const turned = 2 * (Math.atan(Math.exp(p.y / radius)) - QUARTER_PI);
      const l = p.x / radius;
      const cosT = Math.cos(turned);
      let phi = asin(cosB0 * Math.sin(turned) + sinB0 * cosT * Math.cos(l));
      const lam = asin((cosT * Math.sin(l)) / Math.cos(phi));
      const con = (k - Math.log(Math.tan(QUARTER_PI + 0.5 * phi))) / c;
      for (let round = 0; round < 12; round++) {
        const sine = e * Math.sin(phi);
        const step =
          ((con + Math.log(Math.tan(QUARTER_PI + 0.5 * phi)) - spread(sine)) *
            (1 - sine * sine) *
            Math.cos(phi)) /
          (1 - es);
        phi -= step;
        if (Math.abs(step) < 1e-13) break;
      }
      p.y = phi;
      p.x = lam / c;
    },
  };
};

/** Laborde's projection of Madagascar, in the approximation that PROJ uses. */
export const labrd: ProjectionFactory = ({ words, es, e, lat0, k0 }) => {
  if (lat0 === 0) throw new RangeError("labrd needs +lat_0");
  const azimuth = angleOf(words, "azi");
  const sin0 = Math.sin(lat0);
  const w = 1 - es * sin0 * sin0;
  const nu = 1 / Math.sqrt(w);
  const rho = ((1 - es) * nu) / w;
  const radius = k0 * Math.sqrt(nu * rho);
  const sphere0 = Math.atan(Math.sqrt(rho / nu) * Math.tan(lat0));
  const a = sin0 / Math.sin(sphere0);
  const spread = (phi: number): number => {
    const t = e * Math.sin(phi);
    return 0.5 * e * a * Math.log((1 + t) / (1 - t));
  };
  const isometric = (phi: number): number => Math.log(Math.tan(QUARTER_PI + 0.5 * phi));
  const c = spread(lat0) - a * isometric(lat0) + isometric(sphere0);
  const twelfth = 1 / (12 * radius * radius);
  const ca = (1 - Math.cos(2 * azimuth)) * twelfth;
  const cb = Math.sin(2 * azimuth) * twelfth;
  const cc = 3 * (ca * ca - cb * cb);
  const cd = 6 * ca * cb;
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const sphere = 2 * (Math.atan(Math.exp(a * isometric(phi) - spread(phi) + c)) - QUARTER_PI);
      const cos = Math.cos(sphere);
      const cosSq = cos * cos;
      const sin = Math.sin(sphere);
      const sinSq = sin * sin;
      const i4 = a * cos;
      const i2 = 0.5 * a * i4 * sin;
      const i3 = (i2 * a * a * (5 * cosSq - sinSq)) / 12;
      const i5 = (i4 * a * a * (cosSq - sinSq)) / 6;
      const i6 = (i4 * a * a * a * a * (5 * cosSq * cosSq + sinSq * (sinSq - 18 * cosSq))) / 120;
      const t = lam * lam;
      const x = radius * lam * (i4 + t * (i5 + t * i6));
      const y = radius * (sphere - sphere0 + t * (i2 + t * i3));
      const v1 = 3 * x * y * y - x * x * x;
      const v2 = y * y * y - 3 * x * x * y;
      p.x = x + ca * v1 + cb * v2;
      p.y = y + ca * v2 - cb * v1;
    },
    inverse(p) {
      const x2 = p.x * p.x;
      const y2 = p.y * p.y;
      const v1 = 3 * p.x * y2 - p.x * x2;
      const v2 = p.y * y2 - 3 * x2 * p.y;
      const v3 = p.x * (5 * y2 * y2 + x2 * (-10 * y2 + x2));
      const v4 = p.y * (5 * x2 * x2 + y2 * (-10 * x2 + y2));
      const x = p.x - ca * v1 - cb * v2 + cc * v3 + cd * v4;
      const y = p.y + cb * v1 - ca * v2 - cd * v3 + cc * v4;
      const sphere = sphere0 + y / radius;
      let phi = sphere + lat0 - sphere0;
      for (let round = 0; round < 20; round++) {
        const step = sphere - 2 * (Math.atan(Math.exp(a * isometric(phi) - spread(phi) + c)) - QUARTER_PI);
        phi += step;
        if (Math.abs(step) < TINY) break;
      }
      const sine = e * Math.sin(phi);
      const under = 1 - sine * sine;
      const re = (1 - es) / (under * Math.sqrt(under));
      const tan = Math.tan(sphere);
      const t2 = tan * tan;
      const s = radius * radius;
      const d1 = re * k0 * radius;
      const i7 = tan / (2 * d1);
      const i8 = (tan * (5 + 3 * t2)) / (24 * d1 * s);
      const d2 = Math.cos(sphere) * radius * a;
      const i9 = 1 / d2;
      const i10 = (1 + 2 * t2) / (6 * d2 * s);
      const i11 = (5 + t2 * (28 + 24 * t2)) / (120 * d2 * s * s);
      const xx = x * x;
      p.y = phi + xx * (-i7 + i8 * xx);
      p.x = x * (i9 + xx * (-i10 + xx * i11));
    },
  };
};
