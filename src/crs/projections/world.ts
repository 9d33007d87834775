import {
  angleOf,
  asin,
  authalicInverse,
  authalicQ,
  fail,
  HALF_PI,
  invertNumerically,
  type ProjectionFactory,
  type UnitPoint,
  type UnitProjection,
} from "./unit.ts";

// Projections for maps of the world. Constants by Snyder, Flattening the Earth, and by their authors.

/** Equal Earth (Savric, Patterson and Jenny 2018). */
export const eqearth: ProjectionFactory = ({ es, e }) => {
  const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
  const m = Math.sqrt(3) / 2;
  const maxY = 1.3173627591574;
  const qPole = authalicQ(1, e);
  const radius = Math.sqrt(0.5 * qPole);
  const latitude = authalicInverse(es);
  return {
    forward(p) {
      const sine = authalicQ(Math.sin(p.y), e) / qPole;
      const psi = Math.asin(m * Math.max(-1, Math.min(1, sine)));
      const psi2 = psi * psi;
      const psi6 = psi2 * psi2 * psi2;
      p.x = (radius * p.x * Math.cos(psi)) / (m * (a1 + 3 * a2 * psi2 + psi6 * (7 * a3 + 9 * a4 * psi2)));
      p.y = radius * psi * (a1 + a2 * psi2 + psi6 * (a3 + a4 * psi2));
    },
    inverse(p) {
      const y = Math.max(-maxY, Math.min(maxY, p.y / radius));
      const x = p.x / radius;
      let psi = y;
      for (let k = 0; k < 12; k++) {
        const psi2 = psi * psi;
        const psi6 = psi2 * psi2 * psi2;
        const step =
          (psi * (a1 + a2 * psi2 + psi6 * (a3 + a4 * psi2)) - y) /
          (a1 + 3 * a2 * psi2 + psi6 * (7 * a3 + 9 * a4 * psi2));
        psi -= step;
        if (Math.abs(step) < 1e-11) break;
      }
      const psi2 = psi * psi;
      const psi6 = psi2 * psi2 * psi2;
      p.x = (m * x * (a1 + 3 * a2 * psi2 + psi6 * (7 * a3 + 9 * a4 * psi2))) / Math.cos(psi);
      p.y = latitude(asin(Math.sin(psi) / m));
    },
  };
};

/** Eckert I. */
export const eck1: ProjectionFactory = () => {
  const c = 0.9213177319235613;
  return {
    forward(p) {
      p.x = c * p.x * (1 - Math.abs(p.y) / Math.PI);
      p.y *= c;
    },
    inverse(p) {
      p.y /= c;
      p.x /= c * (1 - Math.abs(p.y) / Math.PI);
    },
  };
};

/** Eckert II. */
export const eck2: ProjectionFactory = () => {
  const xScale = 0.4606588659617806;
  const yScale = 1.4472025091165353;
  return {
    forward(p) {
      const root = Math.sqrt(4 - 3 * Math.sin(Math.abs(p.y)));
      p.x *= xScale * root;
      p.y = p.y < 0 ? -yScale * (2 - root) : yScale * (2 - root);
    },
    inverse(p) {
      const root = 2 - Math.abs(p.y) / yScale;
      p.x /= xScale * root;
      const sine = asin((4 - root * root) / 3);
      p.y = p.y < 0 ? -sine : sine;
    },
  };
};

/** x = cx * lon * (a + sqrt(1 - b * lat^2)), y = cy * lat. */
function putninsLike(cx: number, cy: number, a: number, b: number): ProjectionFactory {
  return () => ({
    forward(p) {
      p.x *= cx * (a + Math.sqrt(Math.max(0, 1 - b * p.y * p.y)));
      p.y *= cy;
    },
    inverse(p) {
      p.y /= cy;
      p.x /= cx * (a + Math.sqrt(Math.max(0, 1 - b * p.y * p.y)));
    },
  });
}

export const eck3: ProjectionFactory = putninsLike(
  0.4222382003157712,
  0.844476400631542,
  1,
  4 / Math.PI ** 2,
);
export const wag6: ProjectionFactory = putninsLike(0.94745, 0.94745, 0, 3 / Math.PI ** 2);
export const kav7: ProjectionFactory = putninsLike(0.8660254037844, 1, 0, 3 / Math.PI ** 2);

/** Eckert IV. */
export const eck4: ProjectionFactory = () => {
  const cx = 0.4222382003157712;
  const cy = 1.3265004281770023;
  const cp = 3.5707963267948966;
  return {
    forward(p) {
      const k = cp * Math.sin(p.y);
      const square = p.y * p.y;
      let theta = p.y * (0.895168 + square * (0.0218849 + square * 0.00826809));
      let settled = false;
      for (let round = 0; round < 10 && !settled; round++) {
        const c = Math.cos(theta);
        const s = Math.sin(theta);
        const step = (theta + s * (c + 2) - k) / (1 + c * (c + 2) - s * s);
        theta -= step;
        settled = Math.abs(step) < 1e-12;
      }
      if (!settled && Math.abs(Math.abs(theta) - HALF_PI) < 1e-3) theta = theta < 0 ? -HALF_PI : HALF_PI;
      p.x *= cx * (1 + Math.cos(theta));
      p.y = cy * Math.sin(theta);
    },
    inverse(p) {
      const theta = asin(p.y / cy);
      const c = Math.cos(theta);
      p.x /= cx * (1 + c);
      p.y = asin((theta + Math.sin(theta) * (c + 2)) / cp);
      if (Number.isNaN(p.y)) fail(p);
    },
  };
};

/** Eckert V. */
export const eck5: ProjectionFactory = () => {
  const cx = 0.4410127717245515;
  return {
    forward(p) {
      p.x *= cx * (1 + Math.cos(p.y));
      p.y *= 2 * cx;
    },
    inverse(p) {
      p.y /= 2 * cx;
      p.x /= cx * (1 + Math.cos(p.y));
    },
  };
};

/** Mollweide's scheme: 2 theta + sin 2 theta = cp * sin lat. */
function mollweideLike(cx: number, cy: number, cp: number): UnitProjection {
  return {
    forward(p) {
      const k = cp * Math.sin(p.y);
      let theta = p.y;
      let settled = false;
      for (let round = 0; round < 30 && !settled; round++) {
        const step = (theta + Math.sin(theta) - k) / (1 + Math.cos(theta));
        theta -= step;
        settled = Math.abs(step) < 1e-9;
      }
      theta = settled ? theta / 2 : theta < 0 ? -HALF_PI : HALF_PI;
      p.x *= cx * Math.cos(theta);
      p.y = cy * Math.sin(theta);
    },
    inverse(p) {
      const theta = asin(p.y / cy);
      if (Number.isNaN(theta)) return fail(p);
      const x = p.x / (cx * Math.cos(theta));
      if (!(Math.abs(x) <= Math.PI + 1e-9)) return fail(p);
      p.x = x;
      p.y = asin((2 * theta + Math.sin(2 * theta)) / cp);
      if (Number.isNaN(p.y)) fail(p);
    },
  };
}

function mollweideFor(parallel: number): UnitProjection {
  const double = 2 * parallel;
  const sin = Math.sin(parallel);
  const sum = double + Math.sin(double);
  const r = Math.sqrt((2 * Math.PI * sin) / sum);
  return mollweideLike((2 * r) / Math.PI, r / sin, sum);
}

export const moll: ProjectionFactory = () => mollweideFor(HALF_PI);
export const wag4: ProjectionFactory = () => mollweideFor(Math.PI / 3);
export const wag5: ProjectionFactory = () => mollweideLike(0.90977, 1.65014, 3.00896);

/** Sinusoidal on a sphere. */
const sinusoidal: UnitProjection = {
  forward(p) {
    p.x *= Math.cos(p.y);
  },
  inverse(p) {
    const cos = Math.cos(p.y);
    p.x = Math.abs(cos) < 1e-12 ? 0 : p.x / cos;
  },
};

/** Wagner I and II. */
export const wag1: ProjectionFactory = () => urmaev(0.8660254037844386);
function urmaev(n: number): UnitProjection {
  const cx = 0.8773826753;
  const cy = 1.139753528477 / n;
  return {
    forward(p) {
      const phi = Math.asin(n * Math.sin(p.y));
      p.x *= cx * Math.cos(phi);
      p.y = cy * phi;
    },
    inverse(p) {
      const phi = p.y / cy;
      p.y = asin(Math.sin(phi) / n);
      p.x /= cx * Math.cos(phi);
    },
  };
}
export const wag2: ProjectionFactory = () => ({
  forward(p) {
    const phi = asin(0.88022 * Math.sin(0.8855 * p.y));
    p.x *= 0.92483 * Math.cos(phi);
    p.y = 1.38725 * phi;
  },
  inverse(p) {
    const phi = p.y / 1.38725;
    p.x /= 0.92483 * Math.cos(phi);
    p.y = asin(Math.sin(phi) / 0.88022) / 0.8855;
  },
});

/** A projection whose inverse is found by Newton's method. */
function numeric(forward: (p: UnitPoint) => void, cx: number, cy: number): UnitProjection {
  return {
    forward,
    inverse(p) {
      const { x, y } = p;
      p.x = x / cx;
      p.y = y / cy;
      invertNumerically(forward, x, y, p);
    },
  };
}

/** Wagner VII. */
export const wag7: ProjectionFactory = () =>
  numeric(
    (p) => {
      const sin = 0.90630778703665 * Math.sin(p.y);
      const cos = Math.sqrt(1 - sin * sin);
      const lam = p.x / 3;
      const d = 1 / Math.sqrt(0.5 * (1 + cos * Math.cos(lam)));
      p.x = 2.66723 * cos * Math.sin(lam) * d;
      p.y = 1.24104 * sin * d;
    },
    0.89,
    1.125,
  );

/** Aitoff. */
export const aitoff: ProjectionFactory = () => numeric(aitoffForward, 1, 1);
function aitoffForward(p: UnitPoint): void {
  const half = 0.5 * p.x;
  const cos = Math.cos(p.y);
  const d = Math.acos(cos * Math.cos(half));
  if (d === 0) {
    p.x = 0;
    p.y = 0;
    return;
  }
  const k = d / Math.sin(d);
  p.x = 2 * k * cos * Math.sin(half);
  p.y = k * Math.sin(p.y);
}

/** Winkel's tripel with the standard parallel `+lat_1`. */
export const wintri: ProjectionFactory = ({ words }) => {
  const cos1 = Math.cos(angleOf(words, "lat_1"));
  return numeric(
    (p) => {
      const { x: lam, y: phi } = p;
      aitoffForward(p);
      p.x = 0.5 * (p.x + lam * cos1);
      p.y = 0.5 * (p.y + phi);
    },
    0.8,
    1,
  );
};

/** Hammer, with Eckert-Greifendorff (`+W=0.25`). */
export const hammer: ProjectionFactory = ({ words }) => {
  const w = Math.abs(Number(words.get("W") ?? 0.5));
  const m = Math.abs(Number(words.get("M") ?? 1));
  const xScale = m / w;
  return {
    forward(p) {
      const lam = p.x * w;
      const cos = Math.cos(p.y);
      const d = Math.sqrt(2 / (1 + cos * Math.cos(lam)));
      p.x = xScale * d * cos * Math.sin(lam);
      p.y = (d * Math.sin(p.y)) / m;
    },
    inverse(p) {
      const x = p.x / (2 * xScale);
      const y = (p.y * m) / 2;
      const under = 1 - x * x - y * y;
      if (!(under >= 0)) return fail(p);
      const z = Math.sqrt(under);
      p.x = Math.atan2(2 * x * z, 2 * z * z - 1) / w;
      p.y = asin(2 * y * z);
    },
  };
};

/** x = lon * value of one polynomial of the latitude, y = the other; `dy` is the slope of y. */
function polynomialWorld(
  x: (phi: number) => number,
  y: (phi: number) => number,
  dy: (phi: number) => number,
): UnitProjection {
  const limit = y(HALF_PI);
  return {
    forward(p) {
      p.x *= x(p.y);
      p.y = y(p.y);
    },
    inverse(p) {
      const target = Math.max(-limit, Math.min(limit, p.y));
      let phi = target;
      for (let round = 0; round < 100; round++) {
        const step = (y(phi) - target) / dy(phi);
        phi -= step;
        if (Math.abs(step) < 1e-11) break;
      }
      p.x /= x(phi);
      p.y = phi;
    },
  };
}

/** Natural Earth (Jenny et al. 2011). */
export const natearth: ProjectionFactory = () =>
  polynomialWorld(
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      return 0.8707 + p2 * (-0.131979 + p2 * (-0.013791 + p4 * p2 * (0.003971 - 0.001529 * p2)));
    },
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      return phi * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4)));
    },
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      return 1.007226 + p2 * (3 * 0.015085 + p4 * (-7 * 0.044475 + 9 * 0.028874 * p2 - 11 * 0.005916 * p4));
    },
  );

/** Natural Earth II (Savric et al. 2015). */
export const natearth2: ProjectionFactory = () =>
  polynomialWorld(
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      const p6 = p2 * p4;
      return 0.84719 - 0.13063 * p2 + p6 * p6 * (-0.04515 + 0.05494 * p2 - 0.02326 * p4 + 0.00331 * p6);
    },
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      return phi * (1.01183 + p4 * p4 * (-0.02625 + 0.01926 * p2 - 0.00396 * p4));
    },
    (phi) => {
      const p2 = phi * phi;
      const p4 = p2 * p2;
      return 1.01183 + p4 * p4 * (-9 * 0.02625 + 11 * 0.01926 * p2 - 13 * 0.00396 * p4);
    },
  );

/** Loximuthal. */
export const loxim: ProjectionFactory = ({ words }) => {
  const phi1 = angleOf(words, "lat_1");
  const cos1 = Math.cos(phi1);
  const tan1 = Math.tan(Math.PI / 4 + 0.5 * phi1);
  const stretch = (phi: number): number => {
    const half = Math.PI / 4 + 0.5 * phi;
    if (Math.abs(half) < 1e-8 || Math.abs(Math.abs(half) - HALF_PI) < 1e-8) return 0;
    return (phi - phi1) / Math.log(Math.tan(half) / tan1);
  };
  return {
    forward(p) {
      p.x *= Math.abs(p.y - phi1) < 1e-8 ? cos1 : stretch(p.y);
      p.y -= phi1;
    },
    inverse(p) {
      p.y += phi1;
      const k = Math.abs(p.y - phi1) < 1e-8 ? cos1 : stretch(p.y);
      p.x = k === 0 ? 0 : p.x / k;
    },
  };
};

/** Craster's parabolic. */
export const crast: ProjectionFactory = () => {
  const cx = 0.9772050238058398;
  const cy = 3.069980123839465;
  return {
    forward(p) {
      const third = p.y / 3;
      p.x *= cx * (2 * Math.cos(2 * third) - 1);
      p.y = cy * Math.sin(third);
    },
    inverse(p) {
      p.y = 3 * asin(p.y / cy);
      p.x /= cx * (2 * Math.cos((2 * p.y) / 3) - 1);
    },
  };
};

/** Sine series projections: quartic authalic, Kavrayskiy V and others. */
function sineTangent(p0: number, q: number, tangent: boolean): ProjectionFactory {
  const cx = q / p0;
  const cy = p0;
  return () => ({
    forward(p) {
      const lat = p.y / q;
      const c = Math.cos(lat);
      p.x *= cx * Math.cos(p.y);
      if (tangent) {
        p.x *= c * c;
        p.y = cy * Math.tan(lat);
      } else {
        p.x /= c;
        p.y = cy * Math.sin(lat);
      }
    },
    inverse(p) {
      const lat = tangent ? Math.atan(p.y / cy) : asin(p.y / cy);
      const c = Math.cos(lat);
      const phi = lat * q;
      const x = p.x / (cx * Math.cos(phi));
      p.x = tangent ? x / (c * c) : x * c;
      p.y = phi;
    },
  });
}

export const qua_aut: ProjectionFactory = sineTangent(2, 2, false);
export const kav5: ProjectionFactory = sineTangent(1.50488, 1.35439, false);
export const fouc: ProjectionFactory = sineTangent(2, 2, true);

/** McBryde and Thomas' flat-polar quartic. */
export const mbtfpq: ProjectionFactory = () => {
  const c = 1.7071067811865475;
  const cx = 0.3124597141037825;
  const cy = 1.874758284622695;
  return {
    forward(p) {
      const k = c * Math.sin(p.y);
      let theta = p.y;
      for (let round = 0; round < 20; round++) {
        const step =
          (Math.sin(0.5 * theta) + Math.sin(theta) - k) / (0.5 * Math.cos(0.5 * theta) + Math.cos(theta));
        theta -= step;
        if (Math.abs(step) < 1e-12) break;
      }
      p.x *= cx * (1 + (2 * Math.cos(theta)) / Math.cos(0.5 * theta));
      p.y = cy * Math.sin(0.5 * theta);
    },
    inverse(p) {
      const sine = p.y / cy;
      const theta = 2 * asin(sine);
      p.x /= cx * (1 + (2 * Math.cos(theta)) / Math.cos(0.5 * theta));
      p.y = asin((sine + Math.sin(theta)) / c);
      if (Number.isNaN(p.y)) fail(p);
    },
  };
};

/** The Times (Moir 1965). */
export const times: ProjectionFactory = () => ({
  forward(p) {
    const t = Math.tan(p.y / 2);
    const s = Math.sin((Math.PI / 4) * t);
    p.x *= 0.74482 - 0.34588 * s * s;
    p.y = 1.70711 * t;
  },
  inverse(p) {
    const t = p.y / 1.70711;
    const s = Math.sin((Math.PI / 4) * t);
    p.x /= 0.74482 - 0.34588 * s * s;
    p.y = 2 * Math.atan(t);
  },
});

/** Winkel I. */
export const wink1: ProjectionFactory = ({ words }) => {
  const cos1 = Math.cos(angleOf(words, "lat_ts"));
  return {
    forward(p) {
      p.x *= 0.5 * (cos1 + Math.cos(p.y));
    },
    inverse(p) {
      p.x /= 0.5 * (cos1 + Math.cos(p.y));
    },
  };
};

/** Winkel II. */
export const wink2: ProjectionFactory = ({ words }) => {
  const cos1 = Math.cos(angleOf(words, "lat_1"));
  return numeric(
    (p) => {
      const y = (p.y * 2) / Math.PI;
      const k = Math.PI * Math.sin(p.y);
      let theta = p.y * 1.8;
      let settled = false;
      for (let round = 0; round < 10 && !settled; round++) {
        const step = (theta + Math.sin(theta) - k) / (1 + Math.cos(theta));
        theta -= step;
        settled = Math.abs(step) < 1e-7;
      }
      theta = settled ? theta * 0.5 : theta < 0 ? -HALF_PI : HALF_PI;
      p.x *= 0.5 * (Math.cos(theta) + cos1);
      p.y = (Math.PI / 4) * (Math.sin(theta) + y);
    },
    0.8,
    1,
  );
};

// Robinson's table, a cubic in each 5 degrees. The coefficients are single precision everywhere else too.
// biome-ignore-start lint/suspicious/noApproximativeNumericConstant: 0.434 is a height on the map, not a logarithm
const ROBINSON_X = [
  [1, 2.2199e-17, -7.15515e-5, 3.1103e-6],
  [0.9986, -0.000482243, -2.4897e-5, -1.3309e-6],
  [0.9954, -0.00083103, -4.48605e-5, -9.86701e-7],
  [0.99, -0.00135364, -5.9661e-5, 3.6777e-6],
  [0.9822, -0.00167442, -4.49547e-6, -5.72411e-6],
  [0.973, -0.00214868, -9.03571e-5, 1.8736e-8],
  [0.96, -0.00305085, -9.00761e-5, 1.64917e-6],
  [0.9427, -0.00382792, -6.53386e-5, -2.6154e-6],
  [0.9216, -0.00467746, -0.00010457, 4.81243e-6],
  [0.8962, -0.00536223, -3.23831e-5, -5.43432e-6],
  [0.8679, -0.00609363, -0.000113898, 3.32484e-6],
  [0.835, -0.00698325, -6.40253e-5, 9.34959e-7],
  [0.7986, -0.00755338, -5.00009e-5, 9.35324e-7],
  [0.7597, -0.00798324, -3.5971e-5, -2.27626e-6],
  [0.7186, -0.00851367, -7.01149e-5, -8.6303e-6],
  [0.6732, -0.00986209, -0.000199569, 1.91974e-5],
  [0.6213, -0.010418, 8.83923e-5, 6.24051e-6],
  [0.5722, -0.00906601, 0.000182, 6.24051e-6],
  [0.5322, -0.00677797, 0.000275608, 6.24051e-6],
].map((row) => row.map(Math.fround));
const ROBINSON_Y = [
  [-5.20417e-18, 0.0124, 1.21431e-18, -8.45284e-11],
  [0.062, 0.0124, -1.26793e-9, 4.22642e-10],
  [0.124, 0.0124, 5.07171e-9, -1.60604e-9],
  [0.186, 0.0123999, -1.90189e-8, 6.00152e-9],
  [0.248, 0.0124002, 7.10039e-8, -2.24e-8],
  [0.31, 0.0123992, -2.64997e-7, 8.35986e-8],
  [0.372, 0.0124029, 9.88983e-7, -3.11994e-7],
  [0.434, 0.0123893, -3.69093e-6, -4.35621e-7],
  [0.4958, 0.0123198, -1.02252e-5, -3.45523e-7],
  [0.5571, 0.0121916, -1.54081e-5, -5.82288e-7],
  [0.6176, 0.0119938, -2.41424e-5, -5.25327e-7],
  [0.6769, 0.011713, -3.20223e-5, -5.16405e-7],
  [0.7346, 0.0113541, -3.97684e-5, -6.09052e-7],
  [0.7903, 0.0109107, -4.89042e-5, -1.04739e-6],
  [0.8435, 0.0103431, -6.4615e-5, -1.40374e-9],
  [0.8936, 0.00969686, -6.4636e-5, -8.547e-6],
  [0.9394, 0.00840947, -0.000192841, -4.2106e-6],
  [0.9761, 0.00616527, -0.000256, -4.2106e-6],
  [1, 0.00328947, -0.000319159, -4.2106e-6],
].map((row) => row.map(Math.fround));

// biome-ignore-end lint/suspicious/noApproximativeNumericConstant: the table ends here

function cubic(c: readonly number[], t: number): number {
  return c[0]! + t * (c[1]! + t * (c[2]! + t * c[3]!));
}

/** Robinson. */
export const robin: ProjectionFactory = () => {
  const cx = 0.8487;
  const cy = 1.3523;
  const step = (5 * Math.PI) / 180;
  const degree = Math.PI / 180;
  return {
    forward(p) {
      const size = Math.abs(p.y);
      const node = Math.min(18, Math.floor(size / step + 1e-15));
      const t = (size - node * step) / degree;
      const y = cy * cubic(ROBINSON_Y[node]!, t);
      p.x *= cx * cubic(ROBINSON_X[node]!, t);
      p.y = p.y < 0 ? -y : y;
    },
    inverse(p) {
      const lam = p.x / cx;
      let size = Math.abs(p.y / cy);
      if (size >= 1) {
        if (!(size <= 1.000001)) return fail(p);
        p.x = lam / ROBINSON_X[18]![0]!;
        p.y = p.y < 0 ? -HALF_PI : HALF_PI;
        return;
      }
      let node = Math.floor(size * 18);
      while (node > 0 && ROBINSON_Y[node]![0]! > size) node--;
      while (node < 17 && ROBINSON_Y[node + 1]![0]! <= size) node++;
      const c = ROBINSON_Y[node]!;
      // Linear guess, then Newton within the node.
      let t = (5 * (size - c[0]!)) / (ROBINSON_Y[node + 1]![0]! - c[0]!);
      for (let round = 0; round < 100; round++) {
        const change = (cubic(c, t) - size) / (c[1]! + t * (2 * c[2]! + 3 * t * c[3]!));
        t -= change;
        if (Math.abs(change) < 1e-10) break;
      }
      size = (5 * node + t) * degree;
      p.x = lam / cubic(ROBINSON_X[node]!, t);
      p.y = p.y < 0 ? -size : size;
      if (!(Math.abs(p.x) <= Math.PI + 1e-9)) fail(p);
    },
  };
};

/** A lobe of an interrupted map: longitudes it holds, its own meridian, north or south. */
interface Lobe {
  readonly west: number;
  readonly east: number;
  readonly middle: number;
}

/** Goode's homolosine: sinusoidal up to 40 deg 44' 11.8", Mollweide beyond, cut along meridians. */
function homolosine(northLobes: readonly Lobe[], southLobes: readonly Lobe[]): UnitProjection {
  const degree = Math.PI / 180;
  const seam = (40 + 44 / 60 + 11.8 / 3600) * degree;
  const polar = mollweideFor(HALF_PI);
  const probe: UnitPoint = { x: 0, y: seam };
  polar.forward(probe);
  // Mollweide is moved to meet the sinusoidal at the seam.
  const shift = seam - probe.y;
  const top = Math.SQRT2 + shift;
  const lobeAt = (lobes: readonly Lobe[], lon: number): Lobe =>
    lobes.find((lobe) => lon <= lobe.east * degree) ?? lobes.at(-1)!;
  return {
    forward(p) {
      const { y: phi } = p;
      const lobe = lobeAt(phi >= 0 ? northLobes : southLobes, p.x);
      const middle = lobe.middle * degree;
      p.x -= middle;
      if (Math.abs(phi) <= seam) sinusoidal.forward(p);
      else {
        polar.forward(p);
        p.y += phi >= 0 ? shift : -shift;
      }
      p.x += middle;
    },
    inverse(p) {
      const { x, y } = p;
      if (!(Math.abs(y) <= top + 1e-10)) return fail(p);
      const lobe = lobeAt(y >= 0 ? northLobes : southLobes, x);
      const middle = lobe.middle * degree;
      p.x = x - middle;
      if (Math.abs(y) <= seam) sinusoidal.inverse(p);
      else {
        p.y = y - (y >= 0 ? shift : -shift);
        polar.inverse(p);
      }
      p.x += middle;
      // Between the lobes there is no Earth.
      if (!(p.x >= lobe.west * degree - 1e-10 && p.x <= lobe.east * degree + 1e-10)) fail(p);
    },
  };
}

/** Interrupted over the oceans, for the continents. */
export const igh: ProjectionFactory = () =>
  homolosine(
    [
      { west: -180, east: -40, middle: -100 },
      { west: -40, east: 180, middle: 30 },
    ],
    [
      { west: -180, east: -100, middle: -160 },
      { west: -100, east: -20, middle: -60 },
      { west: -20, east: 80, middle: 20 },
      { west: 80, east: 180, middle: 140 },
    ],
  );

/** Interrupted over the continents, for the oceans. */
export const igh_o: ProjectionFactory = () =>
  homolosine(
    [
      { west: -180, east: -90, middle: -140 },
      { west: -90, east: 60, middle: -10 },
      { west: 60, east: 180, middle: 130 },
    ],
    [
      { west: -180, east: -60, middle: -110 },
      { west: -60, east: 90, middle: 20 },
      { west: 90, east: 180, middle: 150 },
    ],
  );
