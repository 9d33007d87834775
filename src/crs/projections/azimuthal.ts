import { createRequire } from "node:module";
import {
  acos,
  asin,
  authalicInverse,
  authalicQ,
  fail,
  HALF_PI,
  invertNumerically,
  meridianArc,
  type ProjectionFactory,
  type ProjectionParameters,
  QUARTER_PI,
  type UnitPoint,
  type UnitProjection,
} from "./unit.ts";

// Formulas by Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395), unless said otherwise.

const TINY = 1e-10;

/** Lambert azimuthal equal area. */
export const laea: ProjectionFactory = ({ es, e, lat0 }) => {
  if (!(Math.abs(lat0) <= HALF_PI + TINY)) throw new RangeError("laea needs +lat_0 within 90 degrees");
  const qPole = authalicQ(1, e);
  const latitude = authalicInverse(es);
  if (Math.abs(Math.abs(lat0) - HALF_PI) < TINY) {
    const south = lat0 < 0;
    return {
      forward(p) {
        const { x: lam, y: phi } = p;
        // The opposite pole is a circle on the map.
        if (Math.abs(phi + lat0) < TINY) return fail(p);
        const q = authalicQ(Math.sin(phi), e);
        const left = south ? qPole + q : qPole - q;
        const rho = left > 1e-15 ? Math.sqrt(left) : 0;
        p.x = rho * Math.sin(lam);
        p.y = (south ? rho : -rho) * Math.cos(lam);
      },
      inverse(p) {
        const { x } = p;
        const y = south ? p.y : -p.y;
        const q = x * x + y * y;
        const sine = asin(1 - q / qPole);
        if (Number.isNaN(sine)) return fail(p);
        p.x = q === 0 ? 0 : Math.atan2(x, y);
        p.y = south ? -latitude(sine) : latitude(sine);
      },
    };
  }
  const rq = Math.sqrt(0.5 * qPole);
  const sin0 = Math.sin(lat0);
  const sinB1 = authalicQ(sin0, e) / qPole;
  const cosB1 = Math.sqrt(1 - sinB1 * sinB1);
  const dd = Math.cos(lat0) / (Math.sqrt(1 - es * sin0 * sin0) * rq * cosB1);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const sinB = authalicQ(Math.sin(phi), e) / qPole;
      const square = 1 - sinB * sinB;
      const cosB = square > 0 ? Math.sqrt(square) : 0;
      const cosLam = Math.cos(lam);
      const b = 1 + sinB1 * sinB + cosB1 * cosB * cosLam;
      if (Math.abs(b) < TINY) return fail(p);
      const reach = rq * Math.sqrt(2 / b);
      p.x = reach * dd * cosB * Math.sin(lam);
      p.y = (reach / dd) * (cosB1 * sinB - sinB1 * cosB * cosLam);
    },
    inverse(p) {
      const x = p.x / dd;
      const y = p.y * dd;
      const rho = Math.hypot(x, y);
      if (rho < TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      const half = (0.5 * rho) / rq;
      if (!(half <= 1 + 1e-12)) return fail(p);
      const c = 2 * asin(half);
      const sinC = Math.sin(c);
      const cosC = Math.cos(c);
      const sine = cosC * sinB1 + (y * sinC * cosB1) / rho;
      p.x = Math.atan2(x * sinC, rho * cosB1 * cosC - y * sinB1 * sinC);
      p.y = latitude(asin(sine));
    },
  };
};

/** Azimuthal equidistant: geodesics from the centre on an ellipsoid; `+guam` for the projection of Guam. */
export const aeqd: ProjectionFactory = (parameters) => {
  if (parameters.words.has("guam")) return guam(parameters);
  return parameters.es === 0 ? sphericalEquidistant(parameters) : geodesicEquidistant(parameters);
};

function guam({ es, e, lat0 }: ProjectionParameters): UnitProjection {
  const arc = meridianArc(es);
  const m0 = arc.of(lat0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const cos = Math.cos(phi);
      const sin = Math.sin(phi);
      const t = 1 / Math.sqrt(1 - es * sin * sin);
      p.x = lam * cos * t;
      p.y = arc.of(phi) - m0 + 0.5 * lam * lam * cos * sin * t;
    },
    inverse(p) {
      const half = 0.5 * p.x * p.x;
      let phi = lat0;
      let t = 1;
      // The definition stops after three rounds.
      for (let k = 0; k < 3; k++) {
        const sin = e * Math.sin(phi);
        t = Math.sqrt(1 - sin * sin);
        phi = arc.latitude(m0 + p.y - half * Math.tan(phi) * t);
      }
      p.x = (p.x * t) / Math.cos(phi);
      p.y = phi;
    },
  };
}

function sphericalEquidistant({ lat0 }: ProjectionParameters): UnitProjection {
  const sin0 = Math.sin(lat0);
  const cos0 = Math.cos(lat0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const cosLam = Math.cos(lam);
      const east = cos * Math.sin(lam);
      const north = cos0 * sin - sin0 * cos * cosLam;
      const across = Math.hypot(east, north);
      const along = sin0 * sin + cos0 * cos * cosLam;
      if (across < 1e-14) {
        // The point opposite the centre is a circle on the map.
        if (along < 0) return fail(p);
        p.x = 0;
        p.y = 0;
        return;
      }
      const k = Math.atan2(across, along) / across;
      p.x = k * east;
      p.y = k * north;
    },
    inverse(p) {
      const { x, y } = p;
      const c = Math.hypot(x, y);
      if (!(c <= Math.PI + 1e-9)) return fail(p);
      if (c < TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      const reach = Math.min(c, Math.PI);
      const sinC = Math.sin(reach);
      const cosC = Math.cos(reach);
      p.y = asin(cosC * sin0 + (y * sinC * cos0) / c);
      p.x =
        Math.abs(Math.abs(lat0) - HALF_PI) < TINY
          ? Math.atan2(x, lat0 < 0 ? y : -y)
          : Math.atan2(x * sinC, c * cos0 * cosC - y * sin0 * sinC);
    },
  };
}

interface GeodesicModule {
  Geodesic: {
    Geodesic: new (a: number, f: number) => GeodesicSolver;
  };
}

interface GeodesicSolver {
  Inverse(lat1: number, lon1: number, lat2: number, lon2: number): { s12?: number; azi1?: number };
  Direct(lat1: number, lon1: number, azi1: number, s12: number): { lat2?: number; lon2?: number };
}

function geodesicEquidistant({ es, lat0 }: ProjectionParameters): UnitProjection {
  const polar = Math.abs(Math.abs(lat0) - HALF_PI) < TINY;
  if (polar) {
    const arc = meridianArc(es);
    const south = lat0 < 0;
    const pole = arc.of(HALF_PI);
    return {
      forward(p) {
        const { x: lam, y: phi } = p;
        const rho = pole - (south ? -arc.of(phi) : arc.of(phi));
        if (Math.abs(phi + lat0) < TINY) return fail(p);
        p.x = rho * Math.sin(lam);
        p.y = (south ? rho : -rho) * Math.cos(lam);
      },
      inverse(p) {
        const { x, y } = p;
        const rho = Math.hypot(x, y);
        if (!(rho <= 2 * pole + 1e-9)) return fail(p);
        p.y = arc.latitude(south ? rho - pole : pole - rho);
        p.x = rho === 0 ? 0 : Math.atan2(x, south ? y : -y);
      },
    };
  }
  const { Geodesic } = createRequire(import.meta.url)("geographiclib-geodesic") as GeodesicModule;
  const solver = new Geodesic.Geodesic(1, 1 - Math.sqrt(1 - es));
  const degree = Math.PI / 180;
  const lat1 = lat0 / degree;
  return {
    forward(p) {
      const { s12 = Number.NaN, azi1 = Number.NaN } = solver.Inverse(lat1, 0, p.y / degree, p.x / degree);
      p.x = s12 * Math.sin(azi1 * degree);
      p.y = s12 * Math.cos(azi1 * degree);
    },
    inverse(p) {
      const s12 = Math.hypot(p.x, p.y);
      if (s12 < TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      const { lat2 = Number.NaN, lon2 = Number.NaN } = solver.Direct(
        lat1,
        0,
        Math.atan2(p.x, p.y) / degree,
        s12,
      );
      p.x = lon2 * degree;
      p.y = lat2 * degree;
    },
  };
}

/** Double stereographic (Gauss' conformal sphere, then a stereographic projection of it). */
export const sterea: ProjectionFactory = ({ es, e, lat0, k0 }) => {
  const sin0 = Math.sin(lat0);
  const cos0 = Math.cos(lat0);
  const power = Math.sqrt(1 + (es * cos0 ** 4) / (1 - es));
  const radius = Math.sqrt(1 - es) / (1 - es * sin0 * sin0);
  const chi0 = Math.asin(sin0 / power);
  const exponent = 0.5 * power * e;
  const ratio = (sine: number, exp: number): number => ((1 - sine) / (1 + sine)) ** exp;
  const start = Math.tan(0.5 * lat0 + QUARTER_PI) ** power * ratio(e * sin0, exponent);
  // At the south pole both sides vanish; their quotient does not.
  const k =
    0.5 * lat0 + QUARTER_PI < TINY
      ? 1 / ratio(e * sin0, exponent)
      : Math.tan(0.5 * chi0 + QUARTER_PI) / start;
  const sinC0 = Math.sin(chi0);
  const cosC0 = Math.cos(chi0);
  const r2 = 2 * radius;
  return {
    forward(p) {
      const phi = p.y;
      const chi =
        2 * Math.atan(k * Math.tan(0.5 * phi + QUARTER_PI) ** power * ratio(e * Math.sin(phi), exponent)) -
        HALF_PI;
      const lam = power * p.x;
      const sinC = Math.sin(chi);
      const cosC = Math.cos(chi);
      const cosLam = Math.cos(lam);
      const bottom = 1 + sinC0 * sinC + cosC0 * cosC * cosLam;
      if (!(Math.abs(bottom) > 1e-15)) return fail(p);
      const scale = (k0 * r2) / bottom;
      p.x = scale * cosC * Math.sin(lam);
      p.y = scale * (cosC0 * sinC - sinC0 * cosC * cosLam);
    },
    inverse(p) {
      const x = p.x / k0;
      const y = p.y / k0;
      const rho = Math.hypot(x, y);
      let chi = chi0;
      let lam = 0;
      if (rho !== 0) {
        const c = 2 * Math.atan2(rho, r2);
        const sinC = Math.sin(c);
        const cosC = Math.cos(c);
        chi = asin(cosC * sinC0 + (y * sinC * cosC0) / rho);
        lam = Math.atan2(x * sinC, rho * cosC0 * cosC - y * sinC0 * sinC);
      }
      p.x = lam / power;
      const number = (Math.tan(0.5 * chi + QUARTER_PI) / k) ** (1 / power);
      let phi = chi;
      for (let round = 0; round < 30; round++) {
        const next = 2 * Math.atan(number * ratio(e * Math.sin(phi), -0.5 * e)) - HALF_PI;
        const step = Math.abs(next - phi);
        phi = next;
        if (step < 1e-14) break;
      }
      p.y = phi;
    },
  };
};

/** Perspective from a height above the point below: `+h` in metres, on a sphere of the semi-major axis. */
export const nsper: ProjectionFactory = ({ words, a, lat0 }) => {
  const height = Number(words.get("h") ?? 0) / a;
  if (!(height > 0 && height < 1e10)) throw new RangeError("nsper needs +h above 0");
  const p1 = 1 + height;
  const factor = (p1 + 1) / height;
  const sin0 = Math.sin(lat0);
  const cos0 = Math.cos(lat0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const cosLam = Math.cos(lam);
      const cosC = sin0 * sin + cos0 * cos * cosLam;
      // Beyond the horizon.
      if (!(cosC >= 1 / p1)) return fail(p);
      const k = height / (p1 - cosC);
      p.x = k * cos * Math.sin(lam);
      p.y = k * (cos0 * sin - sin0 * cos * cosLam);
    },
    inverse(p) {
      const { x, y } = p;
      const rho = Math.hypot(x, y);
      if (rho <= TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      const under = 1 - rho * rho * factor;
      if (!(under >= 0)) return fail(p);
      const sinZ = (p1 - Math.sqrt(under)) / (height / rho + rho / height);
      const cosZ = Math.sqrt(1 - sinZ * sinZ);
      const sinPhi = cosZ * sin0 + (y * sinZ * cos0) / rho;
      p.y = asin(sinPhi);
      p.x = Math.atan2(x * sinZ * cos0, (cosZ - sin0 * sinPhi) * rho);
    },
  };
};

/** Gnomonic, on a sphere of the semi-major axis: great circles are straight. Half the globe. */
export const gnom: ProjectionFactory = ({ lat0 }) => {
  const sin0 = Math.sin(lat0);
  const cos0 = Math.cos(lat0);
  return {
    forward(p) {
      const { x: lam, y: phi } = p;
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const cosLam = Math.cos(lam);
      const cosC = sin0 * sin + cos0 * cos * cosLam;
      if (!(cosC > TINY)) return fail(p);
      p.x = (cos * Math.sin(lam)) / cosC;
      p.y = (cos0 * sin - sin0 * cos * cosLam) / cosC;
    },
    inverse(p) {
      const { x, y } = p;
      const rho = Math.hypot(x, y);
      if (rho <= TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      const c = Math.atan(rho);
      const sinC = Math.sin(c);
      const cosC = Math.cos(c);
      p.y = asin(cosC * sin0 + (y * sinC * cos0) / rho);
      p.x = Math.atan2(x * sinC, rho * cos0 * cosC - y * sin0 * sinC);
    },
  };
};

/** Orthographic: the Earth from infinitely far, on the ellipsoid (EPSG Guidance Note 7-2, method 9840). Half the globe. */
export const ortho: ProjectionFactory = ({ es, lat0 }) => {
  const sin0 = Math.sin(lat0);
  const cos0 = Math.cos(lat0);
  const nu0 = 1 / Math.sqrt(1 - es * sin0 * sin0);
  const forward = (p: UnitPoint): void => {
    const { x: lam, y: phi } = p;
    const sin = Math.sin(phi);
    const cos = Math.cos(phi);
    const cosLam = Math.cos(lam);
    if (!(sin0 * sin + cos0 * cos * cosLam >= -TINY)) {
      fail(p);
      return;
    }
    const nu = 1 / Math.sqrt(1 - es * sin * sin);
    p.x = nu * cos * Math.sin(lam);
    p.y = nu * (cos0 * sin - sin0 * cos * cosLam) + es * (nu0 * sin0 - nu * sin) * cos0;
  };
  return {
    forward,
    inverse(p) {
      const { x, y } = p;
      const rho = Math.hypot(x, y);
      if (!(rho <= 1 + TINY)) return fail(p);
      if (rho <= TINY) {
        p.x = 0;
        p.y = lat0;
        return;
      }
      // The sphere's answer, exact when there is no flattening.
      const sinC = Math.min(1, rho);
      const cosC = Math.sqrt(1 - sinC * sinC);
      p.y = asin(cosC * sin0 + (y * sinC * cos0) / rho);
      p.x = Math.atan2(x * sinC, rho * cos0 * cosC - y * sin0 * sinC);
      if (es > 0) invertNumerically(forward, x, y, p);
    },
  };
};

/** Two points, `+lat_1 +lon_1` and `+lat_2 +lon_2`, from which distances are true. */
export const tpeqd: ProjectionFactory = ({ words }) => {
  const angle = (key: string): number => (Number(words.get(key) ?? 0) * Math.PI) / 180;
  const [phi1, lam1, phi2, lam2] = [angle("lat_1"), angle("lon_1"), angle("lat_2"), angle("lon_2")];
  if (phi1 === phi2 && lam1 === lam2) throw new RangeError("tpeqd needs two different points");
  const wrap = (v: number): number => v - 2 * Math.PI * Math.round(v / (2 * Math.PI));
  const middle = wrap(0.5 * (lam1 + lam2));
  const apart = wrap(lam2 - lam1);
  const cos1 = Math.cos(phi1);
  const cos2 = Math.cos(phi2);
  const sin1 = Math.sin(phi1);
  const sin2 = Math.sin(phi2);
  const distance = acos(sin1 * sin2 + cos1 * cos2 * Math.cos(apart));
  const half = 0.5 * distance;
  const azimuth = Math.atan2(cos2 * Math.sin(apart), cos1 * sin2 - sin1 * cos2 * Math.cos(apart));
  const tilt = asin(cos1 * Math.sin(azimuth));
  const turn = wrap(Math.atan2(cos1 * Math.cos(azimuth), sin1) - half);
  const cosTilt = Math.cos(tilt);
  const sinTilt = Math.sin(tilt);
  const halfApart = 0.5 * apart;
  const lamC = HALF_PI - Math.atan2(Math.sin(azimuth) * sin1, Math.cos(azimuth)) - halfApart;
  const tanHalf = Math.tan(half);
  const square = distance * distance;
  return {
    centralMeridian: middle,
    forward(p) {
      const { x: lam, y: phi } = p;
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const d1 = lam + halfApart;
      const d2 = lam - halfApart;
      const z1 = acos(sin1 * sin + cos1 * cos * Math.cos(d1)) ** 2;
      const z2 = acos(sin2 * sin + cos2 * cos * Math.cos(d2)) ** 2;
      const t = z1 - z2;
      p.x = (0.5 / distance) * t;
      const rest = square - t;
      p.y = (0.5 / distance) * Math.sqrt(Math.max(0, 4 * square * z2 - rest * rest));
      const side =
        cos1 * cos2 * Math.sin(apart) * sin - cos * (cos1 * sin2 * Math.sin(d1) - sin1 * cos2 * Math.sin(d2));
      if (side < 0) p.y = -p.y;
    },
    inverse(p) {
      const cz1 = Math.cos(Math.hypot(p.y, p.x + half));
      const cz2 = Math.cos(Math.hypot(p.y, p.x - half));
      const sum = cz1 + cz2;
      const difference = cz1 - cz2;
      const lam = -Math.atan2(difference, sum * tanHalf);
      let phi = acos((0.5 / Math.sin(half)) * Math.hypot(tanHalf * sum, difference));
      if (p.y < 0) phi = -phi;
      const sin = Math.sin(phi);
      const cos = Math.cos(phi);
      const cosTurn = Math.cos(lam - turn);
      p.y = asin(sinTilt * sin + cosTilt * cos * cosTurn);
      p.x = wrap(Math.atan2(cos * Math.sin(lam - turn), sinTilt * cos * cosTurn - cosTilt * sin) + lamC);
    },
  };
};
