import type { ProjWords } from "./proj-string.ts";
import { parseAngle } from "./proj-string.ts";

/** Kinds of parameters: degrees, metres, or a plain number. */
export type ParameterKind = "angle" | "length" | "scale";

/** A parameter as the EPSG dataset, WKT 1 and Esri name it. */
export interface Parameter {
  readonly code: number;
  readonly name: string;
  readonly kind: ParameterKind;
  /** Name in WKT 1 as GDAL writes it. */
  readonly wkt1: string;
}

/** One parameter of a method: its PROJ word, and its WKT 1 name where it differs from the usual. */
export interface MethodParameter {
  readonly parameter: Parameter;
  /** Words of the PROJ string that carry it; none for parameters that PROJ fixes. */
  readonly proj: readonly string[];
  readonly wkt1: string;
  readonly esri: string;
  readonly fallback: number;
}

/** A map projection method in all the tongues that people write it in. */
export interface Method {
  /** EPSG code, or 0 for methods that have none. */
  readonly code: number;
  /** EPSG's name, else PROJ's. */
  readonly name: string;
  /** PROJ's name. */
  readonly proj: string;
  /** Fixed words of the PROJ string. */
  readonly words: string;
  /** GDAL's WKT 1 name; `""` when WKT 1 has none. */
  readonly wkt1: string;
  /** Esri's name; `""` when it has none. */
  readonly esri: string;
  /** Other names that files use. */
  readonly aliases: readonly string[];
  /** GeoTIFF `ProjCoordTrans` code, or 0. */
  readonly geotiff: number;
  readonly parameters: readonly MethodParameter[];
}

function define(code: number, name: string, kind: ParameterKind, wkt1: string): Parameter {
  return { code, name, kind, wkt1 };
}

/** Parameters by EPSG code; those below 0 have none. */
export const PARAMETERS: Readonly<Record<number, Parameter>> = Object.fromEntries(
  [
    define(8801, "Latitude of natural origin", "angle", "latitude_of_origin"),
    define(8802, "Longitude of natural origin", "angle", "central_meridian"),
    define(8805, "Scale factor at natural origin", "scale", "scale_factor"),
    define(8806, "False easting", "length", "false_easting"),
    define(8807, "False northing", "length", "false_northing"),
    define(8811, "Latitude of projection centre", "angle", "latitude_of_center"),
    define(8812, "Longitude of projection centre", "angle", "longitude_of_center"),
    define(8813, "Azimuth at projection centre", "angle", "azimuth"),
    define(8814, "Angle from Rectified to Skew Grid", "angle", "rectified_grid_angle"),
    define(8815, "Scale factor at projection centre", "scale", "scale_factor"),
    define(8816, "Easting at projection centre", "length", "false_easting"),
    define(8817, "Northing at projection centre", "length", "false_northing"),
    define(8818, "Latitude of pseudo standard parallel", "angle", "pseudo_standard_parallel_1"),
    define(8819, "Scale factor on pseudo standard parallel", "scale", "scale_factor"),
    define(8821, "Latitude of false origin", "angle", "latitude_of_origin"),
    define(8822, "Longitude of false origin", "angle", "central_meridian"),
    define(8823, "Latitude of 1st standard parallel", "angle", "standard_parallel_1"),
    define(8824, "Latitude of 2nd standard parallel", "angle", "standard_parallel_2"),
    define(8826, "Easting at false origin", "length", "false_easting"),
    define(8827, "Northing at false origin", "length", "false_northing"),
    define(8832, "Latitude of standard parallel", "angle", "latitude_of_origin"),
    define(8833, "Longitude of origin", "angle", "central_meridian"),
    define(8834, "Latitude of topocentric origin", "angle", "latitude_of_center"),
    define(8835, "Longitude of topocentric origin", "angle", "longitude_of_center"),
    define(8840, "Viewpoint height", "length", "viewpoint_height"),
    define(1036, "Co-latitude of cone axis", "angle", "azimuth"),
    define(1038, "Ellipsoid scaling factor", "scale", "ellipsoid_scaling_factor"),
    define(1039, "Projection plane origin height", "length", "projection_plane_origin_height"),
    define(-1, "Latitude of 1st point", "angle", "latitude_of_point_1"),
    define(-2, "Longitude of 1st point", "angle", "longitude_of_point_1"),
    define(-3, "Latitude of 2nd point", "angle", "latitude_of_point_2"),
    define(-4, "Longitude of 2nd point", "angle", "longitude_of_point_2"),
    define(-5, "Satellite Height", "length", "satellite_height"),
  ].map((parameter) => [parameter.code, parameter]),
);

type Row = readonly [code: number, proj: string, wkt1?: string, fallback?: number];

function method(
  code: number,
  name: string,
  proj: string,
  wkt1: string,
  esri: string,
  geotiff: number,
  rows: readonly Row[],
  aliases: readonly string[] = [],
): Method {
  const [head = "", ...words] = proj.split(" ");
  return {
    code,
    name,
    proj: head,
    words: words.join(" "),
    wkt1,
    esri,
    aliases,
    geotiff,
    parameters: rows.map(([parameterCode, words, wkt1Name, fallback]) => {
      const parameter = PARAMETERS[parameterCode]!;
      return {
        parameter,
        proj: words === "" ? [] : words.split(","),
        wkt1: wkt1Name ?? parameter.wkt1,
        esri: esriName(wkt1Name ?? parameter.wkt1),
        fallback: fallback ?? (parameter.kind === "scale" ? 1 : 0),
      };
    }),
  };
}

function esriName(wkt1: string): string {
  return wkt1.replace(/(^|_)([a-z])/g, (_, bar: string, letter: string) => bar + letter.toUpperCase());
}

const LAT: Row = [8801, "lat_0"];
const LON: Row = [8802, "lon_0"];
const SCALE: Row = [8805, "k"];
const FE: Row = [8806, "x_0"];
const FN: Row = [8807, "y_0"];
const FALSE_ORIGIN: readonly Row[] = [
  [8821, "lat_0"],
  [8822, "lon_0"],
  [8823, "lat_1"],
  [8824, "lat_2"],
  [8826, "x_0"],
  [8827, "y_0"],
];
const CENTRE_LAT: Row = [8801, "lat_0", "latitude_of_center"];
const CENTRE_LON: Row = [8802, "lon_0", "longitude_of_center"];
const WORLD: readonly Row[] = [LON, FE, FN];
const SKEW: readonly Row[] = [
  [8811, "lat_0"],
  [8812, "lonc"],
  [8813, "alpha"],
  [8814, "gamma"],
  [8815, "k"],
];

/** A projection of the whole world with nothing to choose but its middle. */
function world(name: string, proj: string, wkt1: string, esri: string = wkt1, geotiff: number = 0): Method {
  return method(0, name, proj, wkt1, esri, geotiff, WORLD, []);
}

/**
 * All methods that can be read or written. Where names collide (Esri's "Stereographic", WKT 1's
 * "Polar_Stereographic"), the reader decides by the parameters; see {@link findMethod}.
 */
export const METHODS: readonly Method[] = [
  method(
    9807,
    "Transverse Mercator",
    "tmerc",
    "Transverse_Mercator",
    "Transverse_Mercator",
    1,
    [LAT, LON, SCALE, FE, FN],
    ["Gauss_Kruger", "Transverse_Mercator_Complex"],
  ),
  method(
    9808,
    "Transverse Mercator (South Orientated)",
    "tmerc axis=wsu",
    "Transverse_Mercator_South_Orientated",
    "",
    27,
    [LAT, LON, SCALE, FE, FN],
  ),
  method(
    9802,
    "Lambert Conic Conformal (2SP)",
    "lcc",
    "Lambert_Conformal_Conic_2SP",
    "Lambert_Conformal_Conic",
    8,
    FALSE_ORIGIN,
  ),
  method(9801, "Lambert Conic Conformal (1SP)", "lcc", "Lambert_Conformal_Conic_1SP", "", 9, [
    [8801, "lat_1,lat_0"],
    LON,
    [8805, "k_0"],
    FE,
    FN,
  ]),
  method(
    9803,
    "Lambert Conic Conformal (2SP Belgium)",
    "lcc",
    "Lambert_Conformal_Conic_2SP_Belgium",
    "",
    0,
    FALSE_ORIGIN,
  ),
  method(1051, "Lambert Conic Conformal (2SP Michigan)", "lcc", "", "", 0, [...FALSE_ORIGIN, [1038, "k_0"]]),
  method(9804, "Mercator (variant A)", "merc", "Mercator_1SP", "", 7, [
    [8801, "", "latitude_of_origin"],
    LON,
    SCALE,
    FE,
    FN,
  ]),
  method(9805, "Mercator (variant B)", "merc", "Mercator_2SP", "Mercator", 7, [
    [8823, "lat_ts"],
    LON,
    FE,
    FN,
  ]),
  method(1024, "Popular Visualisation Pseudo Mercator", "webmerc", "", "Mercator_Auxiliary_Sphere", 0, [
    [8801, ""],
    LON,
    FE,
    FN,
  ]),
  method(1026, "Mercator (Spherical)", "merc R_A", "", "", 0, [[8801, ""], LON, FE, FN]),
  method(9810, "Polar Stereographic (variant A)", "stere", "Polar_Stereographic", "", 15, [
    LAT,
    LON,
    SCALE,
    FE,
    FN,
  ]),
  method(
    9829,
    "Polar Stereographic (variant B)",
    "stere",
    "Polar_Stereographic",
    "Stereographic_North_Pole",
    15,
    [[8832, "lat_ts"], [8833, "lon_0"], FE, FN],
    ["Stereographic_South_Pole"],
  ),
  method(9809, "Oblique Stereographic", "sterea", "Oblique_Stereographic", "Double_Stereographic", 16, [
    LAT,
    LON,
    SCALE,
    FE,
    FN,
  ]),
  method(0, "Stereographic", "stere", "Stereographic", "Stereographic", 14, [LAT, LON, SCALE, FE, FN]),
  method(9822, "Albers Equal Area", "aea", "Albers_Conic_Equal_Area", "Albers", 11, [
    [8821, "lat_0", "latitude_of_center"],
    [8822, "lon_0", "longitude_of_center"],
    [8823, "lat_1"],
    [8824, "lat_2"],
    [8826, "x_0"],
    [8827, "y_0"],
  ]),
  method(
    9820,
    "Lambert Azimuthal Equal Area",
    "laea",
    "Lambert_Azimuthal_Equal_Area",
    "Lambert_Azimuthal_Equal_Area",
    10,
    [CENTRE_LAT, CENTRE_LON, FE, FN],
  ),
  method(1027, "Lambert Azimuthal Equal Area (Spherical)", "laea", "", "", 0, [
    CENTRE_LAT,
    CENTRE_LON,
    FE,
    FN,
  ]),
  method(
    9832,
    "Modified Azimuthal Equidistant",
    "aeqd",
    "Azimuthal_Equidistant",
    "Azimuthal_Equidistant",
    12,
    [CENTRE_LAT, CENTRE_LON, FE, FN],
    ["Azimuthal Equidistant"],
  ),
  method(9831, "Guam Projection", "aeqd guam", "", "", 0, [CENTRE_LAT, CENTRE_LON, FE, FN]),
  method(
    9835,
    "Lambert Cylindrical Equal Area",
    "cea",
    "Cylindrical_Equal_Area",
    "Cylindrical_Equal_Area",
    28,
    [[8823, "lat_ts"], LON, FE, FN],
    ["Behrmann"],
  ),
  method(9834, "Lambert Cylindrical Equal Area (Spherical)", "cea", "", "", 0, [
    [8823, "lat_ts"],
    LON,
    FE,
    FN,
  ]),
  method(
    1028,
    "Equidistant Cylindrical",
    "eqc",
    "Equirectangular",
    "Equidistant_Cylindrical",
    17,
    [[8823, "lat_ts"], LAT, LON, FE, FN],
    ["Plate_Carree", "Equidistant Cylindrical (ellipsoidal)"],
  ),
  method(1029, "Equidistant Cylindrical (Spherical)", "eqc", "", "", 0, [[8823, "lat_ts"], LAT, LON, FE, FN]),
  method(9806, "Cassini-Soldner", "cass", "Cassini_Soldner", "Cassini", 18, [LAT, LON, FE, FN]),
  method(9833, "Hyperbolic Cassini-Soldner", "cass hyperbolic", "", "", 0, [LAT, LON, FE, FN]),
  method(9818, "American Polyconic", "poly", "Polyconic", "Polyconic", 22, [LAT, LON, FE, FN]),
  method(9819, "Krovak", "krovak axis=swu", "Krovak", "", 0, [
    [8811, "lat_0"],
    [8833, "lon_0", "longitude_of_center"],
    [1036, "alpha"],
    [8818, ""],
    [8819, "k"],
    FE,
    FN,
  ]),
  method(1041, "Krovak (North Orientated)", "krovak", "", "", 0, [
    [8811, "lat_0"],
    [8833, "lon_0", "longitude_of_center"],
    [1036, "alpha"],
    [8818, ""],
    [8819, "k"],
    FE,
    FN,
  ]),
  method(9811, "New Zealand Map Grid", "nzmg", "New_Zealand_Map_Grid", "New_Zealand_Map_Grid", 26, [
    LAT,
    LON,
    FE,
    FN,
  ]),
  method(
    9812,
    "Hotine Oblique Mercator (variant A)",
    "omerc no_uoff",
    "Hotine_Oblique_Mercator",
    "Hotine_Oblique_Mercator_Azimuth_Natural_Origin",
    3,
    [...SKEW, FE, FN],
  ),
  method(
    9815,
    "Hotine Oblique Mercator (variant B)",
    "omerc",
    "Hotine_Oblique_Mercator_Azimuth_Center",
    "Hotine_Oblique_Mercator_Azimuth_Center",
    3,
    [...SKEW, [8816, "x_0"], [8817, "y_0"]],
    [
      "Rectified_Skew_Orthomorphic_Center",
      "Oblique_Mercator",
      "Swiss_Oblique_Cylindrical",
      "Swiss_Oblique_Mercator",
    ],
  ),
  method(
    0,
    "Hotine Oblique Mercator Two Point Natural Origin",
    "omerc",
    "Hotine_Oblique_Mercator_Two_Point_Natural_Origin",
    "Hotine_Oblique_Mercator_Two_Point_Natural_Origin",
    0,
    [
      [8811, "lat_0"],
      [-1, "lat_1"],
      [-2, "lon_1"],
      [-3, "lat_2"],
      [-4, "lon_2"],
      [8815, "k"],
      [8816, "x_0"],
      [8817, "y_0"],
    ],
  ),
  method(9813, "Laborde Oblique Mercator", "labrd", "Laborde_Oblique_Mercator", "", 0, [
    [8811, "lat_0"],
    [8812, "lon_0"],
    [8813, "azi"],
    [8815, "k"],
    FE,
    FN,
  ]),
  method(9827, "Bonne", "bonne", "Bonne", "Bonne", 0, [[8801, "lat_1", "standard_parallel_1"], LON, FE, FN]),
  method(0, "Equidistant Conic", "eqdc", "Equidistant_Conic", "Equidistant_Conic", 13, [
    [8801, "lat_0", "latitude_of_center"],
    [8802, "lon_0", "longitude_of_center"],
    [8823, "lat_1"],
    [8824, "lat_2"],
    FE,
    FN,
  ]),
  method(1078, "Equal Earth", "eqearth", "Equal_Earth", "Equal_Earth", 0, WORLD),
  method(9840, "Orthographic", "ortho", "Orthographic", "Orthographic", 21, [LAT, LON, FE, FN]),
  method(0, "Orthographic (Spherical)", "ortho f=0", "", "", 0, [LAT, LON, FE, FN]),
  method(0, "Gnomonic", "gnom", "Gnomonic", "Gnomonic", 19, [LAT, LON, FE, FN]),
  method(9838, "Vertical Perspective", "nsper", "", "Vertical_Near_Side_Perspective", 0, [
    [8834, "lat_0"],
    [8835, "lon_0"],
    [8840, "h"],
    FE,
    FN,
  ]),
  method(1052, "Colombia Urban", "col_urban", "", "", 0, [LAT, LON, FE, FN, [1039, "h_0"]]),
  method(0, "Geostationary Satellite (Sweep Y)", "geos", "Geostationary_Satellite", "", 0, [
    LON,
    [-5, "h"],
    FE,
    FN,
  ]),
  method(0, "Geostationary Satellite (Sweep X)", "geos sweep=x", "", "", 0, [LON, [-5, "h"], FE, FN]),
  method(0, "Two Point Equidistant", "tpeqd", "Two_Point_Equidistant", "Two_Point_Equidistant", 0, [
    [-1, "lat_1"],
    [-2, "lon_1"],
    [-3, "lat_2"],
    [-4, "lon_2"],
    FE,
    FN,
  ]),
  method(0, "Loximuthal", "loxim", "Loximuthal", "Loximuthal", 0, [
    [8801, "lat_1", "central_parallel"],
    LON,
    FE,
    FN,
  ]),
  method(0, "Winkel I", "wink1", "Winkel_I", "Winkel_I", 0, [LON, [8823, "lat_ts"], FE, FN]),
  method(0, "Winkel II", "wink2", "Winkel_II", "Winkel_II", 0, [LON, [8823, "lat_1"], FE, FN]),
  method(0, "Winkel Tripel", "wintri", "Winkel_Tripel", "Winkel_Tripel", 0, [LON, [8823, "lat_1"], FE, FN]),
  method(0, "Miller Cylindrical", "mill R_A", "Miller_Cylindrical", "Miller_Cylindrical", 20, [LON, FE, FN]),
  method(0, "Van Der Grinten", "vandg R_A", "VanDerGrinten", "Van_der_Grinten_I", 25, WORLD),
  world("Sinusoidal", "sinu", "Sinusoidal", "Sinusoidal", 24),
  world("Robinson", "robin", "Robinson", "Robinson", 23),
  world("Mollweide", "moll", "Mollweide"),
  world("Eckert I", "eck1", "Eckert_I"),
  world("Eckert II", "eck2", "Eckert_II"),
  world("Eckert III", "eck3", "Eckert_III"),
  world("Eckert IV", "eck4", "Eckert_IV"),
  world("Eckert V", "eck5", "Eckert_V"),
  world("Eckert VI", "eck6", "Eckert_VI"),
  world("Gall Stereographic", "gall", "Gall_Stereographic"),
  world("Interrupted Goode Homolosine", "igh", "Interrupted_Goode_Homolosine", "Goode_Homolosine"),
  world("Interrupted Goode Homolosine Ocean", "igh_o", "", ""),
  world("Wagner I", "wag1", "Wagner_I"),
  world("Wagner II", "wag2", "Wagner_II"),
  world("Wagner IV", "wag4", "Wagner_IV"),
  world("Wagner V", "wag5", "Wagner_V"),
  world("Wagner VI", "wag6", "Wagner_VI"),
  world("Wagner VII", "wag7", "Wagner_VII"),
  world("Quartic Authalic", "qua_aut", "Quartic_Authalic"),
  world("Flat Polar Quartic", "mbtfpq", "", "Flat_Polar_Quartic"),
  world("Craster Parabolic", "crast", "Craster_Parabolic"),
  world("Aitoff", "aitoff", "Aitoff"),
  world("Hammer / Eckert-Greifendorff", "hammer", "", "Hammer_Aitoff"),
  world("Natural Earth", "natearth", "", "Natural_Earth"),
  world("Natural Earth II", "natearth2", "", "Natural_Earth_II"),
  world("Patterson", "patterson", "", "Patterson"),
  world("Times", "times", "", "Times"),
  world("Compact Miller", "comill", "", "Compact_Miller"),
];

/** A name without case and punctuation. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

const BY_NAME: ReadonlyMap<string, readonly Method[]> = (() => {
  const index = new Map<string, Method[]>();
  for (const entry of METHODS) {
    for (const name of new Set([entry.name, entry.wkt1, entry.esri, ...entry.aliases].map(plain))) {
      if (name === "") continue;
      const list = index.get(name);
      if (list === undefined) index.set(name, [entry]);
      else list.push(entry);
    }
  }
  return index;
})();

/** Methods by any of their names (usually one). */
export function methodsByName(name: string): readonly Method[] {
  return BY_NAME.get(plain(name)) ?? [];
}

/** The method with an EPSG code, or `null`. */
export function methodByCode(code: number): Method | null {
  return code === 0 ? null : (METHODS.find((entry) => entry.code === code) ?? null);
}

/** Values of a method's parameters by parameter code: degrees, metres or plain numbers. */
export type ParameterValues = ReadonlyMap<number, number>;

/** PROJ words of a method with values, without datum and units. UTM is written as such. */
export function conversionToProj(entry: Method, values: ParameterValues): string[] {
  const get = (code: number): number =>
    values.get(code) ?? entry.parameters.find((row) => row.parameter.code === code)?.fallback ?? 0;
  if (entry.code === 9807) {
    const zone = (get(8802) + 183) / 6;
    const south = get(8807) === 10000000;
    if (
      get(8801) === 0 &&
      get(8805) === 0.9996 &&
      get(8806) === 500000 &&
      (south || get(8807) === 0) &&
      Number.isInteger(zone) &&
      zone >= 1 &&
      zone <= 60
    )
      return ["proj=utm", `zone=${zone}`, ...(south ? ["south"] : [])];
  }
  if (entry.code === 9815 && Math.abs(get(8813) - 90) < 1e-4 && Math.abs(get(8814) - 90) < 1e-4) {
    return [
      "proj=somerc",
      `lat_0=${text(get(8811))}`,
      `lon_0=${text(get(8812))}`,
      `k_0=${text(get(8815))}`,
      `x_0=${text(get(8816))}`,
      `y_0=${text(get(8817))}`,
    ];
  }
  const words = [`proj=${entry.proj}`, ...(entry.words === "" ? [] : entry.words.split(" "))];
  if (entry.code === 9829) words.push(`lat_0=${get(8832) < 0 ? -90 : 90}`);
  for (const row of entry.parameters) {
    // Mercator with a scale of 1 and a latitude of true scale are the same thing said twice.
    for (const word of row.proj) words.push(`${word}=${text(get(row.parameter.code))}`);
  }
  return words;
}

/** 15 significant digits, which is what PROJ writes. */
function text(value: number): string {
  return String(Number(value.toPrecision(15)));
}

/** Which method a PROJ string means, with its parameters; `null` when WKT has no words for it. */
export function conversionFromProj(
  words: ProjWords,
  known: Method | null = null,
): { method: Method; values: Map<number, number> } | null {
  const name = words.get("proj") ?? "";
  const value = (key: string): number => parseAngle(words.get(key) ?? "");
  const given = (key: string): boolean => words.has(key);
  if (name === "utm") {
    const zone = Number(words.get("zone"));
    return {
      method: methodByCode(9807)!,
      values: new Map([
        [8801, 0],
        [8802, 6 * zone - 183],
        [8805, 0.9996],
        [8806, 500000],
        [8807, given("south") ? 10000000 : 0],
      ]),
    };
  }
  if (name === "somerc") {
    const scale = given("k_0") ? value("k_0") : given("k") ? value("k") : 1;
    return {
      method: methodByCode(9815)!,
      values: new Map([
        [8811, value("lat_0") || 0],
        [8812, value("lon_0") || 0],
        [8813, 90],
        [8814, 90],
        [8815, scale],
        [8816, value("x_0") || 0],
        [8817, value("y_0") || 0],
      ]),
    };
  }
  const found = known ?? guess(name, words);
  if (found === null) return null;
  const values = new Map<number, number>();
  for (const row of found.parameters) {
    let number = row.fallback;
    const candidates = row.proj.flatMap((word) =>
      word === "k" ? ["k", "k_0"] : word === "k_0" ? ["k_0", "k"] : [word],
    );
    const key = candidates.find(given);
    if (key !== undefined) number = value(key);
    else if (row.parameter.code === 8818) number = 78.5;
    else if (row.parameter.code === 1036) number = 30.28813975277778;
    else if (row.parameter.code === 8814 && given("alpha")) number = value("alpha");
    values.set(row.parameter.code, number);
  }
  if (found.code === 9829 && !given("lat_ts")) values.set(8832, value("lat_0"));
  return { method: found, values };
}

function guess(name: string, words: ProjWords): Method | null {
  const number = (key: string): number => parseAngle(words.get(key) ?? "");
  const given = (key: string): boolean => words.has(key);
  const byCode = (code: number): Method | null => methodByCode(code);
  switch (name) {
    case "tmerc":
    case "etmerc":
      return byCode(words.get("axis") === "wsu" ? 9808 : 9807);
    case "webmerc":
      return byCode(1024);
    case "merc":
      if (words.get("nadgrids") === "@null") return byCode(1024);
      return byCode(given("lat_ts") && number("lat_ts") !== 0 ? 9805 : 9804);
    case "lcc":
      if (given("lat_2") && number("k_0") > 0 && number("k_0") !== 1) return byCode(1051);
      return byCode(
        given("lat_2") && number("lat_2") !== number("lat_1")
          ? 9802
          : number("lat_1") === (number("lat_0") || 0) || !given("lat_0")
            ? 9801
            : 9802,
      );
    case "stere": {
      const latitude = Math.abs(number("lat_0"));
      if (Math.abs(latitude - 90) < 1e-9)
        return byCode(given("lat_ts") && Math.abs(number("lat_ts")) < 90 ? 9829 : 9810);
      return METHODS.find((entry) => entry.name === "Stereographic") ?? null;
    }
    case "ups":
      return byCode(9810);
    case "omerc":
      if (given("lat_1"))
        return METHODS.find((entry) => entry.name.startsWith("Hotine Oblique Mercator Two")) ?? null;
      return byCode(given("no_uoff") || given("no_off") ? 9812 : 9815);
    case "krovak":
      return byCode(words.get("axis") === "swu" ? 9819 : 1041);
    case "aeqd":
      return byCode(given("guam") ? 9831 : 9832);
    case "cass":
      return byCode(given("hyperbolic") ? 9833 : 9806);
    case "geos":
      return (
        METHODS.find(
          (entry) =>
            entry.name === `Geostationary Satellite (Sweep ${words.get("sweep") === "x" ? "X" : "Y"})`,
        ) ?? null
      );
    default:
      return METHODS.find((entry) => entry.proj === name) ?? null;
  }
}
