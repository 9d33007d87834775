import type { Crs } from "../model/crs.ts";
import {
  type CrsDefinition,
  DEGREE,
  type DefinitionGeodetic,
  type DefinitionUnit,
  type DefinitionVertical,
  definitionOfRecord,
  GREENWICH,
  geodeticOfRecord,
  METRE,
} from "./definition.ts";
import { definitionFor, toWkt1, wktOfDefinition } from "./format.ts";
import { readDefinition } from "./identify.ts";
import { type Method, methodByCode, methodsByName } from "./methods.ts";
import { crsFromDefinition, crsFromKey } from "./parse.ts";
import { makeConversion, type NamedValue } from "./read-definition.ts";
import { findLine, findRecord, findUnit, geodeticOfDatum, keyCode, tableKey } from "./table.ts";

/** GeoKey id to SHORT value, ASCII text (without the closing `|`) or doubles (a single one as `[v]`). */
export type GeoKeys = ReadonlyMap<number, number | string | readonly number[]>;

// GeoTIFF 1.1 (OGC 19-008), annex B.
const MODEL_TYPE = 1024;
const CITATION = 1026;
const GEOGRAPHIC_TYPE = 2048;
const GEOG_CITATION = 2049;
const GEOG_DATUM = 2050;
const PRIME_MERIDIAN = 2051;
const GEOG_LINEAR_UNITS = 2052;
const GEOG_ANGULAR_UNITS = 2054;
const GEOG_ANGULAR_UNIT_SIZE = 2055;
const ELLIPSOID = 2056;
const SEMI_MAJOR = 2057;
const SEMI_MINOR = 2058;
const INVERSE_FLATTENING = 2059;
const PRIME_MERIDIAN_LONGITUDE = 2061;
const TOWGS84 = 2062;
const PROJECTED_TYPE = 3072;
const PROJECTED_CITATION = 3073;
const PROJECTION = 3074;
const PROJ_METHOD = 3075;
const PROJ_LINEAR_UNITS = 3076;
const PROJ_LINEAR_UNIT_SIZE = 3077;
const STANDARD_PARALLEL_1 = 3078;
const STANDARD_PARALLEL_2 = 3079;
const ORIGIN_LON = 3080;
const ORIGIN_LAT = 3081;
const FALSE_EASTING = 3082;
const FALSE_NORTHING = 3083;
const FALSE_ORIGIN_LON = 3084;
const FALSE_ORIGIN_LAT = 3085;
const FALSE_ORIGIN_EASTING = 3086;
const FALSE_ORIGIN_NORTHING = 3087;
const CENTER_LON = 3088;
const CENTER_LAT = 3089;
const CENTER_EASTING = 3090;
const CENTER_NORTHING = 3091;
const SCALE_AT_ORIGIN = 3092;
const SCALE_AT_CENTER = 3093;
const AZIMUTH = 3094;
const POLE_LON = 3095;
const RECTIFIED_ANGLE = 3096;
const VERTICAL_TYPE = 4096;
const VERTICAL_CITATION = 4097;
const VERTICAL_DATUM = 4098;
const VERTICAL_UNITS = 4099;
const USER_DEFINED = 32767;
/** Heights above the ellipsoid of WGS 84, in the first GeoTIFF standard. */
const WGS84_ELLIPSOID = 5030;
/** Method of the oblique Mercator about its centre, an EPSG code by custom. */
const HOTINE_CENTER = 9815;

/**
 * The system that GeoTIFF keys describe, or `null` when they describe none (or one nobody can compute or name).
 * An EPSG code is believed before anything that stands beside it, except a linear unit that contradicts it: that
 * makes a custom system, as in GDAL. A vertical key makes a compound system; a geographic system whose vertical
 * key repeats it in three dimensions is that system.
 */
export function crsFromGeoKeys(keys: GeoKeys): Crs | null {
  const horizontal = readHorizontal(keys);
  if (horizontal === null) return null;
  const definition = withVertical(horizontal, keys);
  if (definition.code !== null && definition.compound === null) {
    const key = tableKey(definition.code);
    const known = key === null ? null : crsFromKey(key);
    if (known !== null) return known;
  }
  const bare = crsFromDefinition(definition, "");
  if (bare.code !== null) return { ...bare, definition: null };
  // Its own text, so that datum and method are still known when only the system is left.
  return { ...bare, definition: definitionText(definition) };
}

function definitionText(definition: CrsDefinition): string | null {
  try {
    return wktOfDefinition(definition);
  } catch {
    return null;
  }
}

function short(keys: GeoKeys, id: number): number | null {
  const value = keys.get(id);
  const number = typeof value === "number" ? value : Array.isArray(value) ? value[0] : undefined;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

function text(keys: GeoKeys, id: number): string {
  const value = keys.get(id);
  return typeof value === "string" ? value.replace(/[|\0\s]+$/, "") : "";
}

/** A code that means something: neither 0 nor user-defined. */
function code(keys: GeoKeys, id: number): number | null {
  const value = short(keys, id);
  return value === null || value === 0 || value === USER_DEFINED ? null : value;
}

function readHorizontal(keys: GeoKeys): CrsDefinition | null {
  const model = short(keys, MODEL_TYPE);
  const projected = code(keys, PROJECTED_TYPE);
  const record = projected === null ? null : findRecord(String(projected));
  if (record !== null && (record.kind === "p" || record.kind === "k"))
    return withUnit(definitionOfRecord(record), keys);
  const esri = esriText(keys);
  if (esri !== null) return esri;
  if (
    model === 1 ||
    (model === null && keys.has(PROJ_METHOD)) ||
    (model === USER_DEFINED && keys.has(PROJ_METHOD)) ||
    (model === USER_DEFINED && keys.has(PROJECTION))
  )
    return readProjected(keys);
  // Without a model, and unless something projected is meant, a datum is enough.
  const datum = keys.has(GEOGRAPHIC_TYPE) || keys.has(SEMI_MAJOR) || keys.has(GEOG_DATUM);
  if (model === 2 || model === 3 || (datum && !keys.has(PROJECTED_TYPE)))
    return readGeographic(keys, model === 3);
  return local(keys);
}

/** A system with a name and nothing else, as engineers' grids have; keys without even a name say nothing. */
function local(keys: GeoKeys): CrsDefinition | null {
  const name = text(keys, CITATION).replaceAll('"', "'");
  if (name === "") return null;
  const { name: unit, factor } = linearUnit(keys);
  return readDefinition(`LOCAL_CS["${name}",UNIT["${unit}",${factor}]]`);
}

/** Esri and GDAL put systems that the keys cannot express as WKT into a citation. */
function esriText(keys: GeoKeys): CrsDefinition | null {
  const wkt = esriWkt(keys);
  if (wkt === null) return null;
  try {
    return readDefinition(wkt);
  } catch {
    return null;
  }
}

function esriWkt(keys: GeoKeys): string | null {
  for (const id of [PROJECTED_CITATION, CITATION]) {
    const match = /^\s*ESRI PE String\s*=\s*(.*)$/s.exec(text(keys, id));
    if (match !== null) return match[1]!;
  }
  return null;
}

/** A linear unit beside a code counts when it differs from the unit of the code. */
function withUnit(definition: CrsDefinition | null, keys: GeoKeys): CrsDefinition | null {
  if (definition === null) return null;
  const given =
    code(keys, PROJ_LINEAR_UNITS) === null &&
    short(keys, PROJ_LINEAR_UNIT_SIZE) === null &&
    imagineUnit(keys) === null
      ? null
      : linearUnit(keys);
  if (given === null || Math.abs(given.factor / definition.unit.factor - 1) < 1e-7) return definition;
  return {
    ...definition,
    code: null,
    unit: given,
    axes: definition.axes.map((axis) => ({ ...axis, unit: given })),
  };
}

function readGeographic(keys: GeoKeys, geocentric: boolean): CrsDefinition | null {
  const geographic = code(keys, GEOGRAPHIC_TYPE);
  const record = geographic === null ? null : findRecord(String(geographic));
  if (record !== null && (geocentric ? record.kind === "c" : /^[ghc]$/.test(record.kind))) {
    const found = definitionOfRecord(record);
    if (found !== null) return found;
  }
  const geodetic = readGeodetic(keys);
  if (geodetic === null) return null;
  return {
    kind: geocentric ? "geocentric" : "geographic",
    name: geodetic.name,
    code: null,
    geodetic,
    conversion: null,
    axes: [],
    unit: geocentric ? METRE : geodetic.unit,
    area: null,
    projExtension: null,
    vertical: null,
    compound: null,
  };
}

function readGeodetic(keys: GeoKeys): DefinitionGeodetic | null {
  const geographic = code(keys, GEOGRAPHIC_TYPE);
  const record = geographic === null ? null : findRecord(String(geographic));
  const shift = keys.get(TOWGS84);
  const toWgs84 =
    Array.isArray(shift) && (shift.length === 3 || shift.length === 7)
      ? [...shift, ...new Array<number>(7 - shift.length).fill(0)].map(Number)
      : null;
  const unit = angularUnit(keys);
  const citation = citationParts(text(keys, GEOG_CITATION));
  if (record !== null && /^[gh]$/.test(record.kind)) {
    const known = geodeticOfRecord(record);
    if (known !== null) return toWgs84 === null ? known : { ...known, toWgs84 };
  }
  // A known datum: the system people mean by it, if its ellipsoid is not overridden.
  const datumCode = code(keys, GEOG_DATUM);
  if (datumCode !== null) {
    for (const key of geodeticOfDatum(String(datumCode))) {
      const base = findRecord(key);
      const known = base === null ? null : geodeticOfRecord(base);
      if (known !== null) return { ...known, unit, toWgs84 };
    }
  }
  const ellipsoidCode = code(keys, ELLIPSOID);
  const line = ellipsoidCode === null ? null : findLine(`S${ellipsoidCode}`);
  const linear = code(keys, GEOG_LINEAR_UNITS);
  const metres = linear === null ? 1 : (findUnit(String(linear))?.factor ?? 1);
  const semiMajor = short(keys, SEMI_MAJOR);
  const semiMinor = short(keys, SEMI_MINOR);
  let a = line === null ? Number.NaN : Number(line[2]);
  let rf = line === null ? Number.NaN : Number(line[3]);
  if (line === null && semiMajor !== null) {
    a = semiMajor * metres;
    const given = short(keys, INVERSE_FLATTENING);
    rf =
      given !== null
        ? given
        : semiMinor !== null && semiMinor !== semiMajor
          ? semiMajor / (semiMajor - semiMinor)
          : 0;
  }
  if (!(a > 0) || !Number.isFinite(a) || !(rf >= 0) || !Number.isFinite(rf)) return null;
  const meridianCode = code(keys, PRIME_MERIDIAN);
  const meridian = meridianCode === null ? null : findLine(`M${meridianCode}`);
  const longitude = short(keys, PRIME_MERIDIAN_LONGITUDE) ?? 0;
  return {
    name: citation.get("gcs name") ?? citation.get("") ?? "unknown",
    code: null,
    datum: {
      name: citation.get("datum") ?? "unknown",
      code: null,
      ensemble: null,
      ellipsoid: {
        name: line?.[1] ?? citation.get("ellipsoid") ?? "unknown",
        a,
        rf,
        code: line === null ? null : keyCode(String(ellipsoidCode)),
      },
      primeMeridian:
        meridian !== null
          ? { name: meridian[1]!, degrees: Number(meridian[2]), code: keyCode(String(meridianCode)) }
          : longitude === 0
            ? GREENWICH
            : {
                name: citation.get("primem") ?? "unknown",
                degrees: (longitude * unit.factor) / DEGREE.factor,
                code: null,
              },
    },
    unit,
    toWgs84,
  };
}

/** `"GCS Name = a|Datum = b"` by lower-case name; text without such parts under `""`. */
function citationParts(citation: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of citation.split("|")) {
    const match = /^\s*([A-Za-z ]+?)\s*=\s*(.*?)\s*$/.exec(part);
    if (match !== null) parts.set(match[1]!.toLowerCase(), match[2]!);
    else if (part.trim() !== "" && !parts.has("")) parts.set("", part.trim());
  }
  return parts;
}

function angularUnit(keys: GeoKeys): DefinitionUnit {
  const unit = code(keys, GEOG_ANGULAR_UNITS);
  const size = short(keys, GEOG_ANGULAR_UNIT_SIZE);
  const known = unit === null ? null : findUnit(String(unit));
  if (known !== null && known.kind === "angle" && Math.abs(known.factor - DEGREE.factor) > 1e-12)
    return { name: known.name, kind: "angle", factor: known.factor, code: keyCode(known.key) };
  if (unit === null && size !== null && size > 0)
    return { name: "unknown", kind: "angle", factor: size, code: null };
  return DEGREE;
}

function linearUnit(keys: GeoKeys): DefinitionUnit {
  const unit = code(keys, PROJ_LINEAR_UNITS) ?? imagineUnit(keys);
  const size = short(keys, PROJ_LINEAR_UNIT_SIZE);
  const known = unit === null ? null : findUnit(String(unit));
  if (known !== null && known.kind === "length")
    return known.factor === 1
      ? METRE
      : { name: known.name, kind: "length", factor: known.factor, code: keyCode(known.key) };
  if (unit === null && size !== null && size > 0 && size !== 1)
    return { name: "unknown", kind: "length", factor: size, code: null };
  return METRE;
}

/** IMAGINE of the 1990s and 2000s names its unit in the citation and in no key. */
function imagineUnit(keys: GeoKeys): number | null {
  if (keys.has(PROJ_LINEAR_UNITS) || keys.has(PROJ_LINEAR_UNIT_SIZE)) return null;
  const unit = /^IMAGINE GeoTIFF Support.*\bUnits = (\w+)/s.exec(text(keys, CITATION))?.[1]?.toLowerCase();
  return unit === undefined ? null : (IMAGINE_UNITS[unit] ?? null);
}

const IMAGINE_UNITS: Readonly<Record<string, number>> = {
  meters: 9001,
  feet: 9003,
  us_survey_feet: 9003,
  international_feet: 9002,
};

/** Keys that may hold each meaning, best first: writers differ in which they choose. */
const SOURCES: Readonly<Record<string, readonly number[]>> = {
  latitude_of_origin: [ORIGIN_LAT, FALSE_ORIGIN_LAT, CENTER_LAT],
  central_meridian: [ORIGIN_LON, FALSE_ORIGIN_LON, CENTER_LON, POLE_LON],
  standard_parallel_1: [STANDARD_PARALLEL_1],
  standard_parallel_2: [STANDARD_PARALLEL_2],
  false_easting: [FALSE_EASTING, FALSE_ORIGIN_EASTING, CENTER_EASTING],
  false_northing: [FALSE_NORTHING, FALSE_ORIGIN_NORTHING, CENTER_NORTHING],
  scale_factor: [SCALE_AT_ORIGIN, SCALE_AT_CENTER],
  azimuth: [AZIMUTH],
  rectified_grid_angle: [RECTIFIED_ANGLE],
};

function readProjected(keys: GeoKeys): CrsDefinition | null {
  const geodetic = readGeodetic(keys);
  if (geodetic === null) return null;
  const unit = linearUnit(keys);
  const conversion = readConversion(keys, geodetic, unit);
  if (conversion === null) return null;
  const named = citationParts(text(keys, PROJECTED_CITATION));
  const general = citationParts(text(keys, CITATION));
  const name =
    named.get("pcs name") ?? named.get("") ?? general.get("pcs name") ?? general.get("") ?? "unnamed";
  return {
    kind: "projected",
    name,
    code: null,
    geodetic,
    conversion,
    axes: [],
    unit,
    area: null,
    projExtension: null,
    vertical: null,
    compound: null,
  };
}

function readConversion(
  keys: GeoKeys,
  geodetic: DefinitionGeodetic,
  unit: DefinitionUnit,
): CrsDefinition["conversion"] {
  const projection = code(keys, PROJECTION);
  if (projection !== null) {
    // EPSG numbers the UTM zones 16001..16060 and 16101..16160.
    const zone = projection % 100;
    const south = projection > 16100;
    if (projection >= 16001 && projection <= 16160 && zone >= 1 && zone <= 60) {
      return {
        name: `UTM zone ${zone}${south ? "S" : "N"}`,
        method: methodByCode(9807),
        methodName: "Transverse Mercator",
        values: new Map([
          [8801, 0],
          [8802, 6 * zone - 183],
          [8805, 0.9996],
          [8806, 500000],
          [8807, south ? 10000000 : 0],
        ]),
      };
    }
  }
  const number = short(keys, PROJ_METHOD);
  const method = number === null ? null : methodOfKey(number, keys);
  if (method === null) return null;
  const values: NamedValue[] = [];
  for (const [name, ids] of Object.entries(SOURCES)) {
    // A polar projection has its straight meridian before all others.
    const order = number === 15 && name === "central_meridian" ? [POLE_LON, ...ids] : ids;
    const id = order.find((candidate) => short(keys, candidate) !== null);
    if (id !== undefined) values.push({ name, code: null, value: short(keys, id)!, unit: null });
  }
  return makeConversion("unnamed", method, null, values, geodetic.unit, unit, []);
}

/** WKT name of the method for a `ProjCoordTrans` code; names are told apart further by their parameters. */
function methodOfKey(number: number, keys: GeoKeys): string | null {
  switch (number) {
    case 7:
      return short(keys, STANDARD_PARALLEL_1) !== null ? "Mercator_2SP" : "Mercator_1SP";
    case 5:
      return "Hotine_Oblique_Mercator_Azimuth_Center";
    case HOTINE_CENTER:
      return "Hotine_Oblique_Mercator_Azimuth_Center";
    case 4:
      return "Laborde_Oblique_Mercator";
    case 15:
      return "Polar_Stereographic";
    default: {
      const found = METHOD_NAMES[number];
      return found ?? null;
    }
  }
}

const METHOD_NAMES: Readonly<Record<number, string>> = {
  1: "Transverse_Mercator",
  3: "Hotine_Oblique_Mercator",
  8: "Lambert_Conformal_Conic_2SP",
  9: "Lambert_Conformal_Conic_1SP",
  10: "Lambert_Azimuthal_Equal_Area",
  11: "Albers_Conic_Equal_Area",
  12: "Azimuthal_Equidistant",
  13: "Equidistant_Conic",
  14: "Stereographic",
  16: "Oblique_Stereographic",
  17: "Equirectangular",
  18: "Cassini_Soldner",
  19: "Gnomonic",
  20: "Miller_Cylindrical",
  21: "Orthographic",
  22: "Polyconic",
  23: "Robinson",
  24: "Sinusoidal",
  25: "VanDerGrinten",
  26: "New_Zealand_Map_Grid",
  27: "Transverse_Mercator_South_Orientated",
  28: "Cylindrical_Equal_Area",
};

/** Adds the vertical system that the keys name. */
function withVertical(definition: CrsDefinition, keys: GeoKeys): CrsDefinition {
  const vertical = code(keys, VERTICAL_TYPE);
  const citation = text(keys, VERTICAL_CITATION);
  const said = [VERTICAL_TYPE, VERTICAL_DATUM, VERTICAL_UNITS].some((id) => code(keys, id) !== null);
  if (!said && citation === "") return definition;
  if (definition.kind !== "geographic" && definition.kind !== "projected") return definition;
  const record = vertical === null ? null : findRecord(String(vertical));
  if (record !== null && (record.kind === "h" || record.kind === "c" || record.kind === "g")) {
    // "Vertical system 4979": heights on the ellipsoid of the same datum.
    const three = definitionOfRecord(record);
    const same = three?.geodetic?.datum.code === definition.geodetic?.datum.code;
    return record.kind === "h" && definition.kind === "geographic" && same && three !== null
      ? three
      : definition;
  }
  const unitCode = code(keys, VERTICAL_UNITS);
  const unit = unitCode === null ? null : findUnit(String(unitCode));
  const known = record?.kind === "v" ? definitionOfRecord(record)?.vertical : null;
  const found: DefinitionVertical = {
    ...(known ?? {
      name: citation === "" ? "unknown" : citation,
      code: null,
      datumName: "unknown",
      datumCode: null,
      down: false,
    }),
    unit:
      unit === null || unit.kind !== "length" || unit.factor === 1
        ? (known?.unit ?? METRE)
        : { name: unit.name, kind: "length", factor: unit.factor, code: keyCode(unit.key) },
  };
  // Values 5001..5033 of the first GeoTIFF standard are ellipsoids, not vertical systems.
  if (known == null && vertical === WGS84_ELLIPSOID && definition.code === "EPSG:4326")
    return definitionOfRecord(findRecord("4979")!) ?? definition;
  if (known == null && vertical !== null && vertical >= 5001 && vertical <= 5033) return definition;
  return {
    ...definition,
    vertical: found,
    compound: { name: `${definition.name} + ${found.name}`, code: null },
  };
}

/**
 * Keys for a system, without `GTRasterTypeGeoKey`: by EPSG code where there is one, else spelled out. What the
 * keys have no method for is written as WKT in the citation, as GDAL and Esri do, beside a user-defined type.
 */
export function crsToGeoKeys(crs: Crs): GeoKeys {
  const keys = new Map<number, number | string | readonly number[]>();
  let definition: CrsDefinition;
  try {
    definition = definitionFor(crs);
  } catch {
    keys.set(MODEL_TYPE, USER_DEFINED);
    keys.set(CITATION, citationText(crs.name === "" ? "unknown" : crs.name));
    // Somebody may understand what we do not.
    if (crs.definition !== null && /^(PROJCS|GEOGCS)\[/.test(crs.definition))
      keys.set(PROJECTED_CITATION, `ESRI PE String = ${citationText(crs.definition)}`);
    return keys;
  }
  const { kind, geodetic } = definition;
  const flat = kind === "geographic3d" ? flatCode(definition) : null;
  if (flat !== null) {
    // As GDAL does it: the system in two dimensions, and the one in three in the place of the heights.
    keys.set(MODEL_TYPE, 2);
    keys.set(GEOGRAPHIC_TYPE, flat);
    keys.set(VERTICAL_TYPE, epsgOf(definition.code)!);
  } else if (kind === "geographic" || kind === "geographic3d" || kind === "geocentric") {
    keys.set(MODEL_TYPE, kind === "geocentric" ? 3 : 2);
    writeGeodetic(keys, geodetic!, epsgOf(definition.code), kind !== "geocentric");
  } else if (kind === "projected") writeProjected(keys, definition, crs);
  else {
    keys.set(MODEL_TYPE, USER_DEFINED);
    keys.set(CITATION, citationText(definition.name));
  }
  if (definition.vertical !== null && definition.compound !== null) {
    writeVertical(keys, definition.vertical);
    // Beside heights GDAL takes the ellipsoid for another one than that of the code, for the last digits.
    if (kind === "geographic" && epsgOf(definition.code) !== null)
      for (const key of [SEMI_MAJOR, SEMI_MINOR, INVERSE_FLATTENING]) keys.delete(key);
  }
  return new Map([...keys].sort(([a], [b]) => a - b));
}

/** Code of the two-dimensional system of the same datum; `null` when there is none, or no code at all. */
function flatCode({ code: name, geodetic }: CrsDefinition): number | null {
  const datum = geodetic?.datum.code ?? null;
  if (epsgOf(name) === null || datum === null) return null;
  for (const key of geodeticOfDatum(datum.replace("EPSG:", ""))) {
    if (findRecord(key)?.kind === "g") return epsgOf(keyCode(key));
  }
  return null;
}

/** EPSG code as a number that fits a SHORT, or `null`. */
function epsgOf(name: string | null): number | null {
  const plain = name !== null && /^OGC:CRS84H?$/.test(name) ? "EPSG:4326" : name;
  const match = /^EPSG:(\d+)$/.exec(plain ?? "");
  const number = match === null ? 0 : Number(match[1]);
  return number > 0 && number < USER_DEFINED ? number : null;
}

/** Keys hold ASCII, and a bar would end them. */
function citationText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, "?").replaceAll("|", "/");
}

function writeGeodetic(
  keys: Map<number, number | string | readonly number[]>,
  geodetic: DefinitionGeodetic,
  epsg: number | null,
  withUnits: boolean,
): void {
  const { datum, unit } = geodetic;
  keys.set(GEOGRAPHIC_TYPE, epsg ?? USER_DEFINED);
  if (withUnits) {
    const unitCode = unit.factor === DEGREE.factor ? 9102 : epsgOf(unit.code);
    keys.set(GEOG_ANGULAR_UNITS, unitCode ?? USER_DEFINED);
    if (unitCode === null) keys.set(GEOG_ANGULAR_UNIT_SIZE, [unit.factor]);
  }
  keys.set(SEMI_MAJOR, [datum.ellipsoid.a]);
  if (datum.ellipsoid.rf === 0) keys.set(SEMI_MINOR, [datum.ellipsoid.a]);
  else keys.set(INVERSE_FLATTENING, [datum.ellipsoid.rf]);
  if (geodetic.toWgs84 !== null) {
    const values = geodetic.toWgs84;
    keys.set(TOWGS84, values.slice(3).every((value) => value === 0) ? values.slice(0, 3) : [...values]);
  }
  if (epsg !== null) {
    keys.set(GEOG_CITATION, citationText(geodetic.name));
    return;
  }
  keys.set(
    GEOG_CITATION,
    // The bars between the parts are what makes it four texts.
    [
      `GCS Name = ${citationText(geodetic.name)}`,
      `Datum = ${citationText(datum.name)}`,
      `Ellipsoid = ${citationText(datum.ellipsoid.name)}`,
      `Primem = ${citationText(datum.primeMeridian.name)}`,
    ].join("|"),
  );
  keys.set(GEOG_DATUM, epsgOf(datum.code) ?? USER_DEFINED);
  keys.set(ELLIPSOID, epsgOf(datum.ellipsoid.code) ?? USER_DEFINED);
  keys.set(PRIME_MERIDIAN_LONGITUDE, [(datum.primeMeridian.degrees * DEGREE.factor) / unit.factor]);
}

function writeProjected(
  keys: Map<number, number | string | readonly number[]>,
  definition: CrsDefinition,
  crs: Crs,
): void {
  const { geodetic, conversion, unit, name } = definition;
  const unitCode = unit.factor === 1 ? 9001 : epsgOf(unit.code);
  keys.set(PROJ_LINEAR_UNITS, unitCode ?? USER_DEFINED);
  if (unitCode === null) keys.set(PROJ_LINEAR_UNIT_SIZE, [unit.factor]);
  keys.set(CITATION, citationText(name));
  const epsg = epsgOf(definition.code);
  if (epsg !== null) {
    keys.set(MODEL_TYPE, 1);
    keys.set(PROJECTED_TYPE, epsg);
    keys.set(GEOG_CITATION, citationText(geodetic!.name));
    keys.set(GEOG_ANGULAR_UNITS, 9102);
    return;
  }
  writeGeodetic(keys, geodetic!, epsgOf(geodetic!.code), true);
  const method = conversion?.method ?? null;
  const written = method === null ? null : methodKeys(method, conversion!.values, geodetic!.unit, unit);
  if (written !== null) {
    keys.set(MODEL_TYPE, 1);
    keys.set(PROJECTED_TYPE, USER_DEFINED);
    keys.set(PROJECTION, USER_DEFINED);
    for (const [key, value] of written) keys.set(key, value);
    return;
  }
  keys.set(MODEL_TYPE, USER_DEFINED);
  keys.set(PROJECTED_CITATION, `ESRI PE String = ${wktCitation(crs)}`);
}

function wktCitation(crs: Crs): string {
  try {
    return citationText(toWkt1(crs, { esri: true }));
  } catch {
    return citationText(toWkt1(crs));
  }
}

/** The parameter keys of a method, or `null` when GeoTIFF has no number for it. */
function methodKeys(
  method: Method,
  values: ReadonlyMap<number, number>,
  angle: DefinitionUnit,
  length: DefinitionUnit,
): [number, number | readonly number[]][] | null {
  const number = METHOD_NUMBERS.get(method) ?? 0;
  if (number === 0) return null;
  const rows: [number, number | readonly number[]][] = [[PROJ_METHOD, number]];
  for (const { parameter, fallback } of method.parameters) {
    const key = keyOfParameter(method, parameter.code);
    if (key === null) continue;
    const value = values.get(parameter.code) ?? fallback;
    const scaled =
      parameter.kind === "angle"
        ? angle.factor === DEGREE.factor
          ? value
          : (value * DEGREE.factor) / angle.factor
        : parameter.kind === "length"
          ? value / length.factor
          : value;
    rows.push([key, [scaled]]);
  }
  // Polar stereographic, variant B, keeps its scale, which is 1.
  if (method.code === 9829) rows.push([SCALE_AT_ORIGIN, [1]]);
  return rows;
}

/** Variant B of Mercator and the azimuth-centre Hotine share numbers with others and are told by parameters. */
const METHOD_NUMBERS: ReadonlyMap<Method, number> = new Map(
  Object.entries({
    9807: 1,
    9808: 27,
    9802: 8,
    9801: 9,
    9804: 7,
    9805: 7,
    9810: 15,
    9829: 15,
    9809: 16,
    9822: 11,
    9820: 10,
    9832: 12,
    9835: 28,
    1028: 17,
    1029: 17,
    9806: 18,
    9818: 22,
    9811: 26,
    9812: 3,
    9815: HOTINE_CENTER,
    9840: 21,
  })
    .map(([epsg, number]): [Method | null, number] => [methodByCode(Number(epsg)), number])
    .concat(
      [
        "Stereographic",
        "Equidistant Conic",
        "Gnomonic",
        "Miller Cylindrical",
        "Sinusoidal",
        "Robinson",
        "Van Der Grinten",
      ].map((name): [Method | null, number] => {
        const method = methodsByName(name).find((entry) => entry.code === 0) ?? null;
        return [method, method?.geotiff ?? 0];
      }),
    )
    .filter((entry): entry is [Method, number] => entry[0] !== null),
);

/** Which key carries a parameter, as GDAL writes it. */
function keyOfParameter(method: Method, parameter: number): number | null {
  const centred =
    [10, 12, 17, 21, 22, 23, 24, 25, 20, 19].includes(method.geotiff) &&
    method.geotiff !== 22 &&
    method.geotiff !== 19;
  switch (parameter) {
    case 8801:
      if (method.code === 9801) return ORIGIN_LAT;
      return centred ? CENTER_LAT : ORIGIN_LAT;
    case 8802:
      if (method.code === 9810) return POLE_LON;
      return centred ? CENTER_LON : ORIGIN_LON;
    case 8805:
      return SCALE_AT_ORIGIN;
    case 8806:
      return FALSE_EASTING;
    case 8807:
      return FALSE_NORTHING;
    case 8811:
      return CENTER_LAT;
    case 8812:
      return CENTER_LON;
    case 8813:
      return AZIMUTH;
    case 8814:
      return RECTIFIED_ANGLE;
    case 8815:
      return SCALE_AT_CENTER;
    case 8816:
      return FALSE_EASTING;
    case 8817:
      return FALSE_NORTHING;
    case 8821:
      return method.code === 9822 ? ORIGIN_LAT : FALSE_ORIGIN_LAT;
    case 8822:
      return method.code === 9822 ? ORIGIN_LON : FALSE_ORIGIN_LON;
    case 8823:
      return STANDARD_PARALLEL_1;
    case 8824:
      return STANDARD_PARALLEL_2;
    case 8826:
      return method.code === 9822 ? FALSE_EASTING : FALSE_ORIGIN_EASTING;
    case 8827:
      return method.code === 9822 ? FALSE_NORTHING : FALSE_ORIGIN_NORTHING;
    case 8832:
      return ORIGIN_LAT;
    case 8833:
      return POLE_LON;
    default:
      return null;
  }
}

function writeVertical(
  keys: Map<number, number | string | readonly number[]>,
  vertical: DefinitionVertical,
): void {
  keys.set(VERTICAL_TYPE, epsgOf(vertical.code) ?? USER_DEFINED);
  keys.set(VERTICAL_CITATION, citationText(vertical.name));
  keys.set(VERTICAL_DATUM, epsgOf(vertical.datumCode) ?? USER_DEFINED);
  keys.set(VERTICAL_UNITS, vertical.unit.factor === 1 ? 9001 : (epsgOf(vertical.unit.code) ?? USER_DEFINED));
}
