import { GeoError } from "../model/errors.ts";

/** Words of a PROJ string: `+lat_0=24` is `lat_0 -> "24"`, a bare `+south` is `south -> ""`. The first one counts. */
export type ProjWords = ReadonlyMap<string, string>;

/** Semi-major axis in metres and inverse flattening; 0 for a sphere. */
export interface EllipsoidShape {
  readonly a: number;
  readonly rf: number;
}

/** Splits a PROJ string; plus signs are optional, as PROJ allows. */
export function parseProjWords(text: string): Map<string, string> {
  const words = new Map<string, string>();
  for (const word of text.trim().split(/\s+/)) {
    const bare = word.startsWith("+") ? word.slice(1) : word;
    const equals = bare.indexOf("=");
    const key = equals < 0 ? bare : bare.slice(0, equals);
    if (key !== "" && !words.has(key)) words.set(key, equals < 0 ? "" : bare.slice(equals + 1));
  }
  return words;
}

/** Whether a text looks like a PROJ string. */
export function isProjString(text: string): boolean {
  return /(^|\s)\+?(proj|init)=\S/.test(text);
}

/**
 * A number or an angle of a PROJ string: `2.5`, `80d30'15"E`, `1/298.25`-free. NaN when it is neither.
 */
export function parseAngle(text: string): number {
  const plain = Number(text);
  if (text !== "" && !Number.isNaN(plain)) return plain;
  const match =
    /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[dD°](?:(\d+(?:\.\d*)?)(?:'(?:(\d+(?:\.\d*)?)"?)?|m)?)?)?([NSEWnsew]?)$/.exec(
      text,
    );
  if (match === null) {
    const radians = /^([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)r$/.exec(text);
    return radians === null ? Number.NaN : (Number(radians[1]) * 180) / Math.PI;
  }
  const value = Number(match[2]) + Number(match[3] ?? 0) / 60 + Number(match[4] ?? 0) / 3600;
  const south = /[SWsw]/.test(match[5] ?? "");
  return (match[1] === "-") !== south ? -value : value;
}

/**
 * The ellipsoid that a PROJ string names, in PROJ's order of preference: `R`, then `a` with `b`, `rf`, `f` or
 * `es`, then `ellps`, then `datum`. GRS 80 when it says nothing, as PROJ does since version 6.
 */
export function ellipsoidOf(words: ProjWords): EllipsoidShape {
  const shape = rawEllipsoid(words);
  // Replace the ellipsoid by a sphere made from it.
  const b = shape.rf === 0 ? shape.a : shape.a * (1 - 1 / shape.rf);
  const es = 1 - (b * b) / (shape.a * shape.a);
  if (words.has("R_A"))
    return { a: shape.a * (1 - es * (1 / 6 + es * (17 / 360 + (es * 67) / 3024))), rf: 0 };
  if (words.has("R_V")) return { a: shape.a * (1 - es * (1 / 6 + es * (5 / 72 + (es * 55) / 1296))), rf: 0 };
  if (words.has("R_a")) return { a: (shape.a + b) / 2, rf: 0 };
  if (words.has("R_g")) return { a: Math.sqrt(shape.a * b), rf: 0 };
  if (words.has("R_h")) return { a: (2 * shape.a * b) / (shape.a + b), rf: 0 };
  const latitude = words.get("R_lat_a") ?? words.get("R_lat_g");
  if (latitude !== undefined) {
    const sine = Math.sin((parseAngle(latitude) * Math.PI) / 180);
    const t = 1 - es * sine * sine;
    const a = words.has("R_lat_a")
      ? (shape.a * 0.5 * (1 - es + t)) / (t * Math.sqrt(t))
      : (shape.a * Math.sqrt(1 - es)) / t;
    return { a, rf: 0 };
  }
  return shape;
}

function rawEllipsoid(words: ProjWords): EllipsoidShape {
  const radius = words.get("R");
  if (radius !== undefined) return { a: positive("R", radius), rf: 0 };
  const named = words.get("ellps") ?? PROJ_DATUMS[words.get("datum") ?? ""]?.ellps;
  const base: EllipsoidShape | undefined =
    named === undefined ? PROJ_ELLIPSOIDS["GRS80"] : PROJ_ELLIPSOIDS[named];
  if (base === undefined) {
    throw new GeoError("CRS_UNKNOWN", `unknown ellipsoid "${named}" in a PROJ string`, {
      crs: `+ellps=${named}`,
    });
  }
  const major = words.get("a");
  const a = major === undefined ? base.a : positive("a", major);
  const b = words.get("b");
  if (b !== undefined) {
    const minor = positive("b", b);
    return { a, rf: minor === a ? 0 : a / (a - minor) };
  }
  const rf = words.get("rf");
  if (rf !== undefined) return { a, rf: Number(rf) };
  const f = words.get("f");
  if (f !== undefined) return { a, rf: Number(f) === 0 ? 0 : 1 / fraction(f) };
  const es = words.get("es") ?? (words.has("e") ? String(Number(words.get("e")) ** 2) : undefined);
  if (es !== undefined) {
    const flattening = 1 - Math.sqrt(1 - Number(es));
    return { a, rf: flattening === 0 ? 0 : 1 / flattening };
  }
  // A bare semi-major axis without a named ellipsoid is a sphere.
  return { a, rf: major !== undefined && named === undefined ? 0 : base.rf };
}

function fraction(text: string): number {
  const [top, bottom] = text.split("/");
  return bottom === undefined ? Number(top) : Number(top) / Number(bottom);
}

function positive(key: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new GeoError("CRS_UNKNOWN", `+${key}=${text} in a PROJ string is not a length above 0`, {
      crs: `+${key}=${text}`,
    });
  return value;
}

/** Metres per unit of a projected PROJ string (`+to_meter`, `+units`), default 1. */
export function linearFactor(words: ProjWords): number {
  const factor = words.get("to_meter");
  if (factor !== undefined) {
    const value = fraction(factor);
    if (value > 0 && Number.isFinite(value)) return value;
    throw new GeoError("CRS_UNKNOWN", `+to_meter=${factor} in a PROJ string is not a length above 0`, {
      crs: `+to_meter=${factor}`,
    });
  }
  const units = words.get("units");
  if (units === undefined) return 1;
  const unit = PROJ_UNITS[units];
  if (unit === undefined)
    throw new GeoError("CRS_UNKNOWN", `unknown unit "${units}" in a PROJ string`, { crs: `+units=${units}` });
  return unit.factor;
}

/** Degrees east of Greenwich of the prime meridian (`+pm`), default 0. */
export function primeMeridianOf(words: ProjWords): number {
  const text = words.get("pm");
  if (text === undefined) return 0;
  const value = PROJ_MERIDIANS[text] ?? parseAngle(text);
  if (Number.isNaN(value))
    throw new GeoError("CRS_UNKNOWN", `unknown prime meridian "${text}" in a PROJ string`, {
      crs: `+pm=${text}`,
    });
  return value;
}

/** Prime meridians that PROJ knows by name, degrees. */
export const PROJ_MERIDIANS: Readonly<Record<string, number>> = {
  greenwich: 0,
  lisbon: -9.131906111111112,
  paris: 2.337229166666667,
  bogota: -74.08091666666667,
  madrid: -3.687938888888889,
  rome: 12.452333333333332,
  bern: 7.439583333333333,
  jakarta: 106.80771944444444,
  ferro: -17.666666666666668,
  brussels: 4.367975,
  stockholm: 18.05827777777778,
  athens: 23.716337499999998,
  oslo: 10.722916666666666,
  copenhagen: 12.57788,
};

/** Units that PROJ knows by name, metres each, with the EPSG or Esri key and the long name. */
export const PROJ_UNITS: Readonly<Record<string, { factor: number; key: string; name: string }>> = {
  m: { factor: 1, key: "9001", name: "metre" },
  km: { factor: 1000, key: "9036", name: "kilometre" },
  dm: { factor: 0.1, key: "E109005", name: "Decimeter" },
  cm: { factor: 0.01, key: "1033", name: "centimetre" },
  mm: { factor: 0.001, key: "1025", name: "millimetre" },
  kmi: { factor: 1852, key: "9030", name: "nautical mile" },
  in: { factor: 0.0254, key: "E109008", name: "Inch" },
  ft: { factor: 0.3048, key: "9002", name: "foot" },
  yd: { factor: 0.9144, key: "9096", name: "yard" },
  mi: { factor: 1609.344, key: "9093", name: "Statute mile" },
  fath: { factor: 1.8288, key: "9014", name: "fathom" },
  ch: { factor: 20.1168, key: "9097", name: "chain" },
  link: { factor: 0.201168, key: "9098", name: "link" },
  "us-in": { factor: 100 / 3937, key: "E109009", name: "Inch_US" },
  "us-ft": { factor: 1200 / 3937, key: "9003", name: "US survey foot" },
  "us-yd": { factor: 3600 / 3937, key: "E109002", name: "Yard_US" },
  "us-ch": { factor: 79200 / 3937, key: "9033", name: "US survey chain" },
  "us-mi": { factor: 6336000 / 3937, key: "9035", name: "US survey mile" },
  "ind-yd": { factor: 0.91439523, key: "9085", name: "Indian yard (1937)" },
  "ind-ft": { factor: 0.30479841, key: "9081", name: "Indian foot (1937)" },
  "ind-ch": { factor: 20.11669506, key: "", name: "Indian chain" },
};

/** Datums that PROJ strings may name: ellipsoid, and the shift to WGS 84 where it needs no grid. */
export const PROJ_DATUMS: Readonly<
  Record<string, { ellps: string; base: string; towgs84?: string; grids?: readonly string[]; pm?: string }>
> = {
  WGS84: { ellps: "WGS84", base: "4326", towgs84: "0,0,0" },
  NAD83: { ellps: "GRS80", base: "4269", towgs84: "0,0,0" },
  NAD27: { ellps: "clrk66", base: "4267", grids: ["conus", "alaska", "ntv2_0.gsb", "ntv1_can.dat"] },
  GGRS87: { ellps: "GRS80", base: "4121", towgs84: "-199.87,74.79,246.62" },
  potsdam: { ellps: "bessel", base: "4314", towgs84: "598.1,73.7,418.2,0.202,0.045,-2.455,6.7" },
  carthage: { ellps: "clrk80ign", base: "4223", towgs84: "-263.0,6.0,431.0" },
  hermannskogel: {
    ellps: "bessel",
    base: "4312",
    towgs84: "577.326,90.129,463.919,5.137,1.474,5.297,2.4232",
  },
  ire65: { ellps: "mod_airy", base: "4299", towgs84: "482.530,-130.596,564.557,-1.042,-0.214,-0.631,8.15" },
  nzgd49: { ellps: "intl", base: "4272", towgs84: "59.47,-5.04,187.44,0.47,-0.1,1.024,-4.5993" },
  OSGB36: { ellps: "airy", base: "4277", towgs84: "446.448,-125.157,542.060,0.1502,0.2470,0.8421,-20.4894" },
};

const s = (a: number, rf: number): EllipsoidShape => ({ a, rf });
const ab = (a: number, b: number): EllipsoidShape => ({ a, rf: a === b ? 0 : a / (a - b) });

/** Ellipsoids that PROJ knows by name. */
export const PROJ_ELLIPSOIDS: Readonly<Record<string, EllipsoidShape>> = {
  MERIT: s(6378137, 298.257),
  SGS85: s(6378136, 298.257),
  GRS80: s(6378137, 298.257222101),
  IAU76: s(6378140, 298.257),
  airy: s(6377563.396, 299.3249646),
  APL4_9: s(6378137, 298.25),
  "APL4.9": s(6378137, 298.25),
  NWL9D: s(6378145, 298.25),
  mod_airy: ab(6377340.189, 6356034.446),
  andrae: s(6377104.43, 300),
  danish: s(6377019.2563, 300),
  aust_SA: s(6378160, 298.25),
  GRS67: s(6378160, 298.247167427),
  GSK2011: s(6378136.5, 298.2564151),
  bessel: s(6377397.155, 299.1528128),
  bess_nam: s(6377483.865, 299.1528128),
  clrk66: ab(6378206.4, 6356583.8),
  clrk80: s(6378249.145, 293.4663),
  clrk80ign: s(6378249.2, 293.4660212936269),
  CPM: s(6375738.7, 334.29),
  delmbr: s(6376428, 311.5),
  engelis: s(6378136.05, 298.2566),
  evrst30: s(6377276.345, 300.8017),
  evrst48: s(6377304.063, 300.8017),
  evrst56: s(6377301.243, 300.8017),
  evrst69: s(6377295.664, 300.8017),
  evrstSS: s(6377298.556, 300.8017),
  fschr60: s(6378166, 298.3),
  fschr60m: s(6378155, 298.3),
  fschr68: s(6378150, 298.3),
  helmert: s(6378200, 298.3),
  hough: s(6378270, 297),
  intl: s(6378388, 297),
  krass: s(6378245, 298.3),
  kaula: s(6378163, 298.24),
  lerch: s(6378139, 298.257),
  mprts: s(6397300, 191),
  new_intl: ab(6378157.5, 6356772.2),
  plessis: ab(6376523, 6355863),
  PZ90: s(6378136, 298.25784),
  SEasia: ab(6378155, 6356773.3205),
  walbeck: ab(6376896, 6355834.8467),
  WGS60: s(6378165, 298.3),
  WGS66: s(6378145, 298.25),
  WGS72: s(6378135, 298.26),
  WGS84: s(6378137, 298.257223563),
  sphere: s(6370997, 0),
};
