import {
  angleOf,
  asin,
  authalicInverse,
  authalicQ,
  fail,
  HALF_PI,
  invertNumerically,
  meridianArc,
  type ProjectionFactory,
  type ProjectionParameters,
  parallelRadius,
  tangentOfPsi,
  type UnitPoint,
  type UnitProjection,
} from "./unit.ts";

// Formulas by Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395), unless said otherwise.

/** Scale from `+lat_ts`, else `+k_0`. */
function trueScale({ words, es, k0 }: ProjectionParameters): number {
  if (!words.has("lat_ts")) return k0;
  const phi = Math.abs(angleOf(words, "lat_ts"));
  return es === 0 ? Math.cos(phi) : parallelRadius(Math.sin(phi), Math.cos(phi), es);
}

/** Mercator. The poles are outside. */
export const merc: ProjectionFactory = (parameters) => {
  const { e } = parameters;
  const k0 = trueScale(parameters);
  return {
    forward(p) {
      const phi = p.y;
      if (!(Math.abs(phi) < HALF_PI - 1e-10)) return fail(p);
      const psi = Math.asinh(Math.tan(phi));
      p.y = k0 * (e === 0 ? psi : psi - e * Math.atanh(e * Math.sin(phi)));
      p.x *= k0;
    },
    inverse(p) {
      p.y = Math.atan(tangentOfPsi(Math.sinh(p.y / k0), e));
      p.x /= k0;
    },
  };
};

/** Mercator's spherical formulas with the ellipsoid's latitude: the web's maps. */
export const webmerc: ProjectionFactory = (parameters) => merc({ ...parameters, es: 0, e: 0 });

/** Cylindrical equal area. */
export const cea: ProjectionFactory = (parameters) => {
  const { es, e } = parameters;
  const k0 = trueScale(parameters);
  if (es === 0) {
    return {
      forward(p) {
        p.y = Math.sin(p.y) / k0;
        p.x *= k0;
      },
      inverse(p) {
        const y = p.y * k0;
        if (!(Math.abs(y) <= 1 + 1e-10)) return fail(p);
        p.y = Math.abs(y) >= 1 ? (y < 0 ? -HALF_PI : HALF_PI) : Math.asin(y);
        p.x /= k0;
      },
    };
  }
  const qPole = authalicQ(1, e);
  const latitude = authalicInverse(es);
  return {
    forward(p) {
      p.y = (0.5 * authalicQ(Math.sin(p.y), e)) / k0;
      p.x *= k0;
    },
    inverse(p) {
      p.y = latitude(asin((2 * p.y * k0) / qPole));
      if (Number.isNaN(p.y)) return fail(p);
      p.x /= k0;
    },
  };
};

/** Cassini-Soldner, also the hyperbolic variant of Vanua Levu (EPSG Guidance Note 7-2). */
export const cass: ProjectionFactory = ({ words, es, lat0 }) => {
  if (es === 0) {
    return {
      forward(p) {
        const { x: lam, y: phi } = p;
        p.x = Math.asin(Math.cos(phi) * Math.sin(lam));
        p.y = Math.atan2(Math.tan(phi), Math.cos(lam)) - lat0;
      },
      inverse(p) {
        const d = p.y + lat0;
        const x = p.x;
        p.y = Math.asin(Math.sin(d) * Math.cos(x));
        p.x = Math.atan2(Math.tan(x), Math.cos(d));
      },
    };
  }
  const arc = meridianArc(es);
  const m0 = arc.of(lat0);
  const hyperbolic = words.has("hyperbolic");
  const forward = (p: UnitPoint): void => {
    const { x: lam, y: phi } = p;
    const sinPhi = Math.sin(phi);
    const cosPhi = Math.cos(phi);
    const nuSquared = 1 / (1 - es * sinPhi * sinPhi);
    const nu = Math.sqrt(nuSquared);
    const tan = Math.tan(phi);
    const t = tan * tan;
    const a = lam * cosPhi;
    const c = (es * cosPhi * cosPhi) / (1 - es);
    const a2 = a * a;
    p.x = nu * a * (1 - a2 * t * (1 / 6 + ((8 - t + 8 * c) * a2) / 120));
    p.y = arc.of(phi) - m0 + nu * tan * a2 * (0.5 + ((5 - t + 6 * c) * a2) / 24);
    if (hyperbolic) {
      const rho = nuSquared * (1 - es) * nu;
      p.y -= (p.y * p.y * p.y) / (6 * rho * nu);
    }
  };
  return {
    forward,
    inverse(p) {
      const { x, y } = p;
      const phi1 = arc.latitude(m0 + y);
      const sin = Math.sin(phi1);
      const tan = Math.tan(phi1);
      const t1 = tan * tan;
      const nuSquared = 1 / (1 - es * sin * sin);
      const nu = Math.sqrt(nuSquared);
      const rho = nuSquared * (1 - es) * nu;
      const d = x / nu;
      const d2 = d * d;
      p.y = phi1 - ((nu * tan) / rho) * d2 * (0.5 - ((1 + 3 * t1) * d2) / 24);
      p.x = (d * (1 + t1 * d2 * (-1 / 3 + ((1 + 3 * t1) * d2) / 15))) / Math.cos(phi1);
      if (hyperbolic) invertNumerically(forward, x, y, p);
    },
  };
};

/** Gall's stereographic. */
export const gall: ProjectionFactory = () => {
  const yScale = 1 + Math.SQRT1_2;
  return {
    forward(p) {
      p.x *= Math.SQRT1_2;
      p.y = yScale * Math.tan(0.5 * p.y);
    },
    inverse(p) {
      p.x /= Math.SQRT1_2;
      p.y = 2 * Math.atan(p.y / yScale);
    },
  };
};

/** Longitude times `xScale`, and y an odd polynomial of the latitude with coefficients c[k] at phi^(2k+1). */
function polynomialCylinder(xScale: number, c: readonly number[]): UnitProjection {
  const value = (phi: number): number => {
    const square = phi * phi;
    let sum = 0;
    for (let k = c.length - 1; k >= 0; k--) sum = sum * square + c[k]!;
    return sum * phi;
  };
  const slope = (phi: number): number => {
    const square = phi * phi;
    let sum = 0;
    for (let k = c.length - 1; k >= 0; k--) sum = sum * square + (2 * k + 1) * c[k]!;
    return sum;
  };
  const limit = value(HALF_PI);
  return {
    forward(p) {
      p.x *= xScale;
      p.y = value(p.y);
    },
    inverse(p) {
      const y = Math.max(-limit, Math.min(limit, p.y));
      let phi = y;
      for (let k = 0; k < 100; k++) {
        const step = (value(phi) - y) / slope(phi);
        phi -= step;
        if (Math.abs(step) < 1e-12) break;
      }
      p.y = phi;
      p.x /= xScale;
    },
  };
}

/** Patterson (Patterson, Savric and Jenny 2014). */
export const patterson: ProjectionFactory = () =>
  polynomialCylinder(1, [1.0148, 0, 0.23185, -0.14499, 0.02406]);

/** Compact Miller (Jenny, Savric and Patterson 2015). */
export const comill: ProjectionFactory = () => polynomialCylinder(1, [0.9902, 0.1604, -0.03054]);

/** Colombia Urban (EPSG method 1052). */
export const col_urban: ProjectionFactory = ({ words, a, es, lat0 }) => {
  const h0 = Number(words.get("h_0") ?? 0) / a;
  const sin0 = Math.sin(lat0);
  const w0 = 1 - es * sin0 * sin0;
  const rho0 = (1 - es) / (w0 * Math.sqrt(w0));
  const nu0 = 1 / Math.sqrt(w0);
  const factorX = 1 + h0 / nu0;
  const factorY = Math.tan(lat0) / (2 * rho0 * nu0);
  const c = 1 + h0;
  const d = rho0 * (1 + h0 / (1 - es));
  return {
    forward(p) {
      const phi = p.y;
      const sinPhi = Math.sin(phi);
      const reach = (p.x * Math.cos(phi)) / Math.sqrt(1 - es * sinPhi * sinPhi);
      const sinMiddle = Math.sin(0.5 * (phi + lat0));
      const w = 1 - es * sinMiddle * sinMiddle;
      const g = 1 + (h0 * w * Math.sqrt(w)) / (1 - es);
      p.x = factorX * reach;
      p.y = g * rho0 * (phi - lat0 + factorY * reach * reach);
    },
    inverse(p) {
      const x = p.x / c;
      const phi = lat0 + p.y / d - factorY * x * x;
      const sinPhi = Math.sin(phi);
      p.x = (x * Math.sqrt(1 - es * sinPhi * sinPhi)) / Math.cos(phi);
      p.y = phi;
    },
  };
};
