import {
  adjustLon,
  fail,
  HALF_PI,
  type MeridianArc,
  meridianArc,
  type ProjectionFactory,
  type ProjectionParameters,
  sineSeries,
  type UnitProjection,
} from "./unit.ts";

/**
 * Transverse Mercator. On an ellipsoid Krueger's series to n^6 (Karney 2011; Poder and Engsager 1998), good to a
 * nanometre within 3900 km of the central meridian and usable to 80 degrees; with `+approx` or
 * `+algo=evenden_snyder` the shorter series of Snyder (8-9 ff.).
 */
export const tmerc: ProjectionFactory = (parameters) => {
  const { words, es } = parameters;
  if (es === 0) return spherical(parameters);
  if (words.has("approx") || words.get("algo") === "evenden_snyder") return snyder(parameters);
  return krueger(parameters);
};

function krueger({ es, lat0, k0 }: ProjectionParameters): UnitProjection {
  const root = Math.sqrt(1 - es);
  const n = (1 - root) / (1 + root);
  const poly = (power: number, ...c: readonly number[]): number => {
    let sum = 0;
    for (let k = c.length - 1; k >= 0; k--) sum = sum * n + c[k]!;
    return sum * n ** power;
  };
  // Geographic latitude to conformal latitude, and back.
  const toConformal = [
    poly(1, -2, 2 / 3, 4 / 3, -82 / 45, 32 / 45, 4642 / 4725),
    poly(2, 5 / 3, -16 / 15, -13 / 9, 904 / 315, -1522 / 945),
    poly(3, -26 / 15, 34 / 21, 8 / 5, -12686 / 2835),
    poly(4, 1237 / 630, -12 / 5, -24832 / 14175),
    poly(5, -734 / 315, 109598 / 31185),
    poly(6, 444337 / 155925),
  ];
  const toGeographic = [
    poly(1, 2, -2 / 3, -2, 116 / 45, 26 / 45, -2854 / 675),
    poly(2, 7 / 3, -8 / 5, -227 / 45, 2704 / 315, 2323 / 945),
    poly(3, 56 / 15, -136 / 35, -1262 / 105, 73814 / 2835),
    poly(4, 4279 / 630, -332 / 35, -399572 / 14175),
    poly(5, 4174 / 315, -144838 / 6237),
    poly(6, 601676 / 22275),
  ];
  // Spherical transverse Mercator to the ellipsoidal one, and back.
  const alpha = [
    poly(1, 1 / 2, -2 / 3, 5 / 16, 41 / 180, -127 / 288, 7891 / 37800),
    poly(2, 13 / 48, -3 / 5, 557 / 1440, 281 / 630, -1983433 / 1935360),
    poly(3, 61 / 240, -103 / 140, 15061 / 26880, 167603 / 181440),
    poly(4, 49561 / 161280, -179 / 168, 6601661 / 7257600),
    poly(5, 34729 / 80640, -3418889 / 1995840),
    poly(6, 212378941 / 319334400),
  ];
  const beta = [
    poly(1, -1 / 2, 2 / 3, -37 / 96, 1 / 360, 81 / 512, -96199 / 604800),
    poly(2, -1 / 48, -1 / 15, 437 / 1440, -46 / 105, 1118711 / 3870720),
    poly(3, -17 / 480, 37 / 840, 209 / 4480, -5569 / 90720),
    poly(4, -4397 / 161280, 11 / 504, 830251 / 7257600),
    poly(5, -4583 / 161280, 108847 / 3991680),
    poly(6, -20648693 / 638668800),
  ];
  const n2 = n * n;
  const scale = (k0 / (1 + n)) * (1 + n2 * (1 / 4 + n2 * (1 / 64 + n2 / 256)));
  const z = lat0 + sineSeries(toConformal, 2 * lat0);
  const origin = scale * (z + sineSeries(alpha, 2 * z));
  // Beyond this the series has lost its meaning.
  const limit = 2.623395162778;
  const [c1, c2, c3, c4, c5, c6] = toConformal as unknown as Six;
  const [g1, g2, g3, g4, g5, g6] = toGeographic as unknown as Six;
  return {
    forward(p) {
      const lat = p.y;
      // Clenshaw with everything in locals: this is the projection of most data there is.
      let twice = 2 * Math.cos(2 * lat);
      let b2 = c6;
      let b1 = twice * b2 + c5;
      let b0 = twice * b1 - b2 + c4;
      b2 = twice * b0 - b1 + c3;
      b1 = twice * b2 - b0 + c2;
      b0 = twice * b1 - b2 + c1;
      const chi = lat + b0 * Math.sin(2 * lat);
      const sinChi = Math.sin(chi);
      const cosChi = Math.cos(chi);
      const sinLon = Math.sin(p.x);
      const cosLon = Math.cos(p.x);
      let xi = Math.atan2(sinChi, cosLon * cosChi);
      let eta = Math.asinh((sinLon * cosChi) / Math.hypot(sinChi, cosChi * cosLon));
      // Complex Clenshaw sum of alpha[k] * sin(2 (k + 1) (xi + i eta)).
      const sin2 = Math.sin(2 * xi);
      const cos2 = Math.cos(2 * xi);
      const grow = Math.exp(2 * eta);
      const cosh2 = (grow + 1 / grow) / 2;
      const sinh2 = Math.abs(eta) < 1e-3 ? Math.sinh(2 * eta) : (grow - 1 / grow) / 2;
      twice = 2 * cos2 * cosh2;
      const turn = -2 * sin2 * sinh2;
      let r1 = 0;
      let i1 = 0;
      let r0 = 0;
      let i0 = 0;
      for (let k = 5; k >= 0; k--) {
        const r = twice * r0 - turn * i0 - r1 + alpha[k]!;
        const i = turn * r0 + twice * i0 - i1;
        r1 = r0;
        i1 = i0;
        r0 = r;
        i0 = i;
      }
      const re = sin2 * cosh2;
      const im = cos2 * sinh2;
      xi += re * r0 - im * i0;
      eta += re * i0 + im * r0;
      if (!(Math.abs(eta) <= limit)) return fail(p);
      p.x = scale * eta;
      p.y = scale * xi - origin;
    },
    inverse(p) {
      let xi = (p.y + origin) / scale;
      let eta = p.x / scale;
      if (!(Math.abs(eta) <= limit)) return fail(p);
      const sin2 = Math.sin(2 * xi);
      const cos2 = Math.cos(2 * xi);
      const grow = Math.exp(2 * eta);
      const cosh2 = (grow + 1 / grow) / 2;
      const sinh2 = Math.abs(eta) < 1e-3 ? Math.sinh(2 * eta) : (grow - 1 / grow) / 2;
      let twice = 2 * cos2 * cosh2;
      const turn = -2 * sin2 * sinh2;
      let r1 = 0;
      let i1 = 0;
      let r0 = 0;
      let i0 = 0;
      for (let k = 5; k >= 0; k--) {
        const r = twice * r0 - turn * i0 - r1 + beta[k]!;
        const i = turn * r0 + twice * i0 - i1;
        r1 = r0;
        i1 = i0;
        r0 = r;
        i0 = i;
      }
      const re = sin2 * cosh2;
      const im = cos2 * sinh2;
      xi += re * r0 - im * i0;
      eta += re * i0 + im * r0;
      const sinh = Math.sinh(eta);
      const cosXi = Math.cos(xi);
      p.x = Math.atan2(sinh, cosXi);
      const chi = Math.atan2(Math.sin(xi), Math.hypot(sinh, cosXi));
      twice = 2 * Math.cos(2 * chi);
      let b2 = g6;
      let b1 = twice * b2 + g5;
      let b0 = twice * b1 - b2 + g4;
      b2 = twice * b0 - b1 + g3;
      b1 = twice * b2 - b0 + g2;
      b0 = twice * b1 - b2 + g1;
      p.y = chi + b0 * Math.sin(2 * chi);
    },
  };
}

type Six = readonly [number, number, number, number, number, number];

function snyder({ es, lat0, k0 }: ProjectionParameters): UnitProjection {
  const arc = evendenArc(es);
  const m0 = arc.of(lat0);
  const ep2 = es / (1 - es);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      // More than a quarter of the globe away the series folds back.
      if (!(Math.abs(lam) <= HALF_PI)) return fail(p);
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const tan = Math.abs(cos) > 1e-10 ? sin / cos : 0;
      const t = tan * tan;
      let al = cos * lam;
      const als = al * al;
      al /= Math.sqrt(1 - es * sin * sin);
      const n = ep2 * cos * cos;
      p.x =
        k0 *
        al *
        (1 +
          (als / 6) *
            (1 -
              t +
              n +
              (als / 20) *
                (5 + t * (t - 18) + n * (14 - 58 * t) + (als / 42) * (61 + t * (t * (179 - t) - 479)))));
      p.y =
        k0 *
        (arc.of(phi) -
          m0 +
          (sin *
            al *
            lam *
            (1 +
              (als / 12) *
                (5 -
                  t +
                  n * (9 + 4 * n) +
                  (als / 30) *
                    (61 +
                      t * (t - 58) +
                      n * (270 - 330 * t) +
                      (als / 56) * (1385 + t * (t * (543 - t) - 3111)))))) /
            2);
    },
    inverse(p) {
      const phi = arc.latitude(m0 + p.y / k0);
      if (!(Math.abs(phi) < HALF_PI)) {
        p.y = p.y < 0 ? -HALF_PI : HALF_PI;
        p.x = 0;
        return;
      }
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const tan = Math.abs(cos) > 1e-10 ? sin / cos : 0;
      const n = ep2 * cos * cos;
      const w = 1 - es * sin * sin;
      const d = (p.x * Math.sqrt(w)) / k0;
      const con = w * tan;
      const t = tan * tan;
      const ds = d * d;
      p.y =
        phi -
        ((con * ds) / (1 - es) / 2) *
          (1 -
            (ds / 12) *
              (5 +
                t * (3 - 9 * n) +
                n * (1 - 4 * n) -
                (ds / 30) *
                  (61 +
                    t * (90 - 252 * n + 45 * t) +
                    46 * n -
                    (ds / 56) * (1385 + t * (3633 + t * (4095 + 1575 * t))))));
      p.x =
        (d *
          (1 -
            (ds / 6) *
              (1 +
                2 * t +
                n -
                (ds / 20) *
                  (5 +
                    t * (28 + 24 * t + 8 * n) +
                    6 * n -
                    (ds / 42) * (61 + t * (662 + t * (1320 + 720 * t))))))) /
        cos;
    },
  };
}

/** The shorter meridian arc that goes with this series: micrometres off, as everybody's who uses it. */
function evendenArc(es: number): MeridianArc {
  const c0 = 1 - es * (1 / 4 + es * (3 / 64 + es * (5 / 256 + (es * 175) / 16384)));
  const c1 = es * (3 / 4 - es * (3 / 64 + es * (5 / 256 + (es * 175) / 16384)));
  const c2 = es * es * (15 / 32 - es * (5 / 384 + (es * 175) / 24576));
  const c3 = es * es * es * (35 / 96 - (es * 175) / 30720);
  const c4 = (es * es * es * es * 315) / 1024;
  const exact = meridianArc(es);
  const of = (phi: number): number => {
    const sin = Math.sin(phi);
    const s2 = sin * sin;
    return c0 * phi - Math.cos(phi) * sin * (c1 + s2 * (c2 + s2 * (c3 + s2 * c4)));
  };
  return {
    of,
    latitude: (m) => {
      const phi = exact.latitude(m);
      const sin = Math.sin(phi);
      const w = 1 - es * sin * sin;
      return phi - ((of(phi) - m) * w * Math.sqrt(w)) / (1 - es);
    },
  };
}

function spherical({ lat0, k0 }: ProjectionParameters): UnitProjection {
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const cos = Math.cos(phi);
      const b = cos * Math.sin(lam);
      if (Math.abs(Math.abs(b) - 1) <= 1e-10) return fail(p);
      p.x = k0 * Math.atanh(b);
      p.y = k0 * (Math.atan2(Math.sin(phi), cos * Math.cos(lam)) - lat0);
    },
    inverse(p) {
      const g = Math.sinh(p.x / k0);
      const d = lat0 + p.y / k0;
      const h = Math.cos(d);
      p.x = adjustLon(Math.atan2(g, h));
      p.y = Math.atan2(Math.sin(d), Math.hypot(g, h));
    },
  };
}
