import type { Crs } from "../model/crs.ts";
import { conversionFromProj, conversionToProj, type Method, methodByCode, methodsByName } from "./methods.ts";
import {
  type EllipsoidShape,
  ellipsoidOf,
  linearFactor,
  PROJ_DATUMS,
  PROJ_ELLIPSOIDS,
  PROJ_UNITS,
  parseProjWords,
  primeMeridianOf,
} from "./proj-string.ts";
import {
  type CrsRecord,
  findAxes,
  findLine,
  findRecord,
  keyCode,
  type TableAxis,
  tableKey,
} from "./table.ts";

/** A unit of a definition; `factor` is metres or radians per unit. */
export interface DefinitionUnit {
  readonly name: string;
  readonly kind: "length" | "angle";
  readonly factor: number;
  /** `"EPSG:9001"`, or `null`. */
  readonly code: string | null;
}

export interface DefinitionAxis {
  readonly name: string;
  readonly abbreviation: string;
  /** As WKT 2 writes it: `north`, `east`, `south`, `west`, `up`, `down`, `geocentricX`... */
  readonly direction: string;
  readonly unit: DefinitionUnit | null;
  /** Meridian of axes that point along one (polar systems), degrees; else `null`. */
  readonly meridian: number | null;
}

/** Datum with ellipsoid and prime meridian. */
export interface DefinitionDatum {
  readonly name: string;
  readonly code: string | null;
  /** Accuracy in metres when the datum is an ensemble of realisations, else `null`. */
  readonly ensemble: number | null;
  readonly ellipsoid: EllipsoidShape & { readonly name: string; readonly code: string | null };
  readonly primeMeridian: { readonly name: string; readonly degrees: number; readonly code: string | null };
}

/** A geodetic system as it stands in a definition. */
export interface DefinitionGeodetic {
  readonly name: string;
  readonly code: string | null;
  readonly datum: DefinitionDatum;
  readonly unit: DefinitionUnit;
  /** Shift to WGS 84 that the definition brings along, position vector. */
  readonly toWgs84: readonly number[] | null;
}

export interface DefinitionConversion {
  readonly name: string;
  /** `null` for a method this library does not know. */
  readonly method: Method | null;
  readonly methodName: string;
  /** By parameter code; degrees, metres, plain numbers. */
  readonly values: ReadonlyMap<number, number>;
}

/** A vertical system, the second part of a compound one. */
export interface DefinitionVertical {
  readonly name: string;
  readonly code: string | null;
  readonly datumName: string;
  readonly datumCode: string | null;
  readonly unit: DefinitionUnit;
  readonly down: boolean;
}

/** A system taken apart, the middle between WKT, PROJJSON, GeoTIFF keys and the table. */
export interface CrsDefinition {
  readonly kind: "geographic" | "geographic3d" | "geocentric" | "projected" | "vertical" | "engineering";
  readonly name: string;
  readonly code: string | null;
  readonly geodetic: DefinitionGeodetic | null;
  readonly conversion: DefinitionConversion | null;
  readonly axes: readonly DefinitionAxis[];
  /** Unit of the axes. */
  readonly unit: DefinitionUnit;
  readonly area: Crs["area"];
  /** A PROJ string that the definition insists on (`EXTENSION["PROJ4", ...]`), else `null`. */
  readonly projExtension: string | null;
  readonly vertical: DefinitionVertical | null;
  /** Name and code of the compound system, when there is a vertical part. */
  readonly compound: { readonly name: string; readonly code: string | null } | null;
}

export const METRE: DefinitionUnit = { name: "metre", kind: "length", factor: 1, code: "EPSG:9001" };
export const DEGREE: DefinitionUnit = {
  name: "degree",
  kind: "angle",
  factor: Math.PI / 180,
  code: "EPSG:9122",
};
export const GREENWICH = { name: "Greenwich", degrees: 0, code: "EPSG:8901" } as const;

/** Takes a {@link Crs} apart; `null` when there is nothing to take apart (no code, no formula). */
export function definitionOf(crs: Crs): CrsDefinition | null {
  const code = crs.code !== null && /^OGC:CRS84H?$/.test(crs.code) ? "EPSG:4326" : crs.code;
  const key = code === null ? null : tableKey(code);
  const record = key === null ? null : findRecord(key);
  if (record !== null) {
    const found = definitionOfRecord(record);
    if (found !== null && crs.code !== code) {
      return { ...found, name: "WGS 84 (CRS84)", code: crs.code, axes: [...found.axes].reverse() };
    }
    return found;
  }
  return crs.proj4 === null ? null : definitionOfProj(crs.proj4, crs);
}

/** From a record of the table. */
export function definitionOfRecord(record: CrsRecord): CrsDefinition | null {
  if (record.kind === "k") {
    const horizontal = findRecord(record.base);
    const vertical = findRecord(record.proj);
    const found = horizontal === null ? null : definitionOfRecord(horizontal);
    if (found === null || vertical === null) return found;
    return {
      ...found,
      vertical: verticalOfRecord(vertical),
      compound: { name: record.name, code: record.code },
      area: record.area,
    };
  }
  const axes = findAxes(record.axes).map(axisOf);
  const unit = axes[0]?.unit ?? (record.kind === "p" ? METRE : DEGREE);
  const rest = { area: record.area, projExtension: null, vertical: null, compound: null };
  if (record.kind === "v") {
    return {
      kind: "vertical",
      name: record.name,
      code: record.code,
      geodetic: null,
      conversion: null,
      axes,
      unit,
      ...rest,
      vertical: verticalOfRecord(record),
    };
  }
  if (record.kind !== "p") {
    const kind = record.kind === "g" ? "geographic" : record.kind === "h" ? "geographic3d" : "geocentric";
    const geodetic = geodeticOfRecord(record);
    return geodetic === null
      ? null
      : { kind, name: record.name, code: record.code, geodetic, conversion: null, axes, unit, ...rest };
  }
  const base = findRecord(record.base);
  const geodetic = base === null ? null : geodeticOfRecord(base);
  if (geodetic === null) return null;
  const code = Number(record.method);
  const known =
    Number.isInteger(code) && code > 0 ? methodByCode(code) : (methodsByName(record.method)[0] ?? null);
  const words = parseProjWords(record.proj);
  const found = record.proj === "" ? null : conversionFromProj(words, known);
  return {
    kind: "projected",
    name: record.name,
    code: record.code,
    geodetic,
    conversion: {
      name: record.conversion,
      method: found?.method ?? null,
      methodName: found?.method.name ?? record.method,
      values: found?.values ?? new Map(),
    },
    axes,
    unit,
    ...rest,
    projExtension: words.get("nadgrids") === "@null" ? record.proj : null,
  };
}

/** A geodetic system of the table with its datum. */
export function geodeticOfRecord(record: CrsRecord): DefinitionGeodetic | null {
  const line = findLine(`D${record.base}`);
  const ellipsoid = line === null ? null : findLine(`S${line[2]}`);
  if (line === null || ellipsoid === null) return null;
  const meridian = findLine(`M${line[3]}`);
  const [axis] = findAxes(record.axes);
  const ensemble = Number(line[5] ?? 0);
  return {
    name: record.name,
    code: record.code,
    datum: {
      name: line[1]!,
      code: keyCode(record.base),
      ensemble: ensemble > 0 ? ensemble : null,
      ellipsoid: {
        name: ellipsoid[1]!,
        a: Number(ellipsoid[2]),
        rf: Number(ellipsoid[3]),
        code: keyCode(line[2]!),
      },
      primeMeridian:
        meridian === null
          ? GREENWICH
          : { name: meridian[1]!, degrees: Number(meridian[2]), code: keyCode(line[3]!) },
    },
    unit: axis?.unit.kind === "angle" ? unitOf(axis) : DEGREE,
    toWgs84: null,
  };
}

function verticalOfRecord(record: CrsRecord): DefinitionVertical {
  const [axis] = findAxes(record.axes);
  return {
    name: record.name,
    code: record.code,
    datumName: record.proj === "" ? "unknown" : record.proj,
    datumCode: record.base === "" ? null : keyCode(record.base),
    unit: axis === undefined ? METRE : unitOf(axis),
    down: axis?.direction === "down",
  };
}

function unitOf(axis: TableAxis): DefinitionUnit {
  const { key, name, kind, factor } = axis.unit;
  // Degrees of every notation (9122, 9102, 9108...) are written as plain degrees.
  if (kind === "angle" && Math.abs(factor - DEGREE.factor) < 1e-12) return DEGREE;
  return { name, kind, factor, code: keyCode(key) };
}

function axisOf(axis: TableAxis): DefinitionAxis {
  const along = /^(north|south) along (\d+(?:\.\d+)?)\s*(?:deg|°)\s*(east|west|e|w)?$/i.exec(
    axis.direction.trim(),
  );
  const geocentric = /^Geocentric ([XYZ])/i.exec(axis.name)?.[1]?.toUpperCase();
  return {
    name: axis.name,
    abbreviation: axis.abbreviation,
    direction:
      geocentric === undefined ? (along?.[1] ?? axis.direction).toLowerCase() : `geocentric${geocentric}`,
    unit: unitOf(axis),
    meridian: along === null ? null : Number(along[2]) * (/^w/i.test(along[3] ?? "") ? -1 : 1),
  };
}

/** From a PROJ string; names are taken from `crs` where it has any. */
export function definitionOfProj(text: string, crs: Crs): CrsDefinition | null {
  const words = parseProjWords(text);
  const geographic = /^(longlat|latlong|lonlat|latlon)$/.test(words.get("proj") ?? "");
  const geodetic = geodeticOfProj(text);
  const name = crs.name === "" ? "unknown" : crs.name;
  const rest = {
    name,
    code: null,
    geodetic,
    area: crs.area,
    vertical: null,
    compound: null,
    axes: [],
  };
  if (geographic)
    return { ...rest, kind: "geographic", conversion: null, unit: geodetic.unit, projExtension: null };
  if (words.get("proj") === "geocent")
    return { ...rest, kind: "geocentric", conversion: null, unit: METRE, projExtension: null };
  const found = conversionFromProj(words);
  const factor = linearFactor(words);
  const named =
    PROJ_UNITS[words.get("units") ?? "m"] ?? Object.values(PROJ_UNITS).find((u) => u.factor === factor);
  return {
    ...rest,
    axes: axesOfWord(words.get("axis")),
    kind: "projected",
    conversion: {
      name: "unknown",
      method: found?.method ?? null,
      methodName: found?.method.name ?? `PROJ ${words.get("proj")}`,
      values: found?.values ?? new Map(),
    },
    unit:
      named !== undefined && named.factor === factor
        ? { name: named.name, kind: "length", factor, code: named.key === "" ? null : keyCode(named.key) }
        : { name: "unknown", kind: "length", factor, code: null },
    projExtension: words.get("nadgrids") === "@null" || found === null ? text : null,
  };
}

/** Axes of `+axis=wsu` and the like; none for the usual east and north. */
function axesOfWord(word: string | undefined): DefinitionAxis[] {
  if (word === undefined || word.startsWith("en")) return [];
  const names: Readonly<Record<string, readonly [string, string, string]>> = {
    e: ["Easting", "E", "east"],
    w: ["Westing", "W", "west"],
    n: ["Northing", "N", "north"],
    s: ["Southing", "S", "south"],
  };
  return [...word.slice(0, 2)].flatMap((letter) => {
    const found = names[letter];
    if (found === undefined) return [];
    const [name, abbreviation, direction] = found;
    return [{ name, abbreviation, direction, unit: null, meridian: null }];
  });
}

function geodeticOfProj(text: string): DefinitionGeodetic {
  const words = parseProjWords(text);
  const datum = PROJ_DATUMS[words.get("datum") ?? (words.get("nadgrids") === "@null" ? "WGS84" : "")];
  const record = datum === undefined ? null : findRecord(datum.base);
  const known = record === null ? null : geodeticOfRecord(record);
  if (known !== null) return known;
  const shape = ellipsoidOf(words);
  const degrees = primeMeridianOf(words);
  const named = words.get("ellps");
  const shift = words.get("towgs84")?.split(",").map(Number);
  const label = named === undefined ? "unknown" : `Unknown based on ${ellipsoidTitle(named)} ellipsoid`;
  return {
    name: "unknown",
    code: null,
    datum: {
      name: label,
      code: null,
      ensemble: null,
      ellipsoid: {
        ...shape,
        name: named === undefined ? "unknown" : ellipsoidTitle(named),
        code: ellipsoidCode(named),
      },
      primeMeridian: degrees === 0 ? GREENWICH : { name: words.get("pm") ?? "unknown", degrees, code: null },
    },
    unit: DEGREE,
    toWgs84: shift === undefined ? null : shift.length === 7 ? shift : [...shift.slice(0, 3), 0, 0, 0, 0],
  };
}

const ELLIPSOID_TITLES: Readonly<Record<string, readonly [string, string]>> = {
  WGS84: ["WGS 84", "7030"],
  GRS80: ["GRS 1980", "7019"],
  bessel: ["Bessel 1841", "7004"],
  airy: ["Airy 1830", "7001"],
  clrk66: ["Clarke 1866", "7008"],
  intl: ["International 1924", "7022"],
  krass: ["Krassowsky 1940", "7024"],
  WGS72: ["WGS 72", "7043"],
  evrst30: ["Everest 1830 (1937 Adjustment)", "7015"],
};

function ellipsoidTitle(name: string): string {
  return ELLIPSOID_TITLES[name]?.[0] ?? name;
}

function ellipsoidCode(name: string | undefined): string | null {
  const key = name === undefined ? undefined : ELLIPSOID_TITLES[name]?.[1];
  return key === undefined ? null : `EPSG:${key}`;
}

/** The PROJ string of a definition, or `null` when there is no formula for its method. */
export function projOfDefinition(definition: CrsDefinition): string | null {
  if (definition.projExtension !== null) {
    const words = definition.projExtension
      .split(/\s+/)
      .filter((word) => !/^\+?(wktext|no_defs|type=crs)$/.test(word));
    return `${words.join(" ")} +no_defs`;
  }
  const { geodetic, conversion } = definition;
  if (geodetic === null) return null;
  const words: string[] = [];
  if (definition.kind === "projected") {
    if (conversion === null || conversion.method === null) return null;
    if (conversion.method.proj === "webmerc")
      return "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs";
    words.push(...conversionToProj(conversion.method, conversion.values));
  } else words.push(definition.kind === "geocentric" ? "proj=geocent" : "proj=longlat");
  words.push(...datumWords(geodetic));
  if (definition.kind === "projected" || definition.kind === "geocentric")
    words.push(unitWord(definition.unit.factor));
  return `${words.map((word) => `+${word}`).join(" ")} +no_defs`;
}

function datumWords({ datum, toWgs84 }: DefinitionGeodetic): string[] {
  const words: string[] = [];
  const { a, rf } = datum.ellipsoid;
  const named =
    toWgs84 === null
      ? { "EPSG:6326": "WGS84", "EPSG:6269": "NAD83", "EPSG:6267": "NAD27" }[datum.code ?? ""]
      : undefined;
  if (named !== undefined) words.push(`datum=${named}`);
  else {
    const ellps = Object.entries(PROJ_ELLIPSOIDS).find(
      ([, shape]) => Math.abs(shape.a - a) < 1e-4 && Math.abs(shape.rf - rf) < 1e-9 * Math.max(1, rf),
    )?.[0];
    if (ellps !== undefined) words.push(`ellps=${ellps}`);
    else if (rf === 0) words.push(`R=${a}`);
    else words.push(`a=${a}`, `rf=${Number(rf.toPrecision(15))}`);
  }
  if (toWgs84 !== null) words.push(`towgs84=${toWgs84.join(",")}`);
  const { degrees, name } = datum.primeMeridian;
  if (degrees !== 0) {
    const simple = name.toLowerCase();
    words.push(
      `pm=${/^(paris|lisbon|bogota|madrid|rome|bern|jakarta|ferro|brussels|stockholm|athens|oslo|copenhagen)$/.test(simple) ? simple : Number(degrees.toPrecision(15))}`,
    );
  }
  return words;
}

function unitWord(factor: number): string {
  const found = Object.entries(PROJ_UNITS).find(([, unit]) => Math.abs(unit.factor / factor - 1) < 1e-10);
  return found === undefined ? `to_meter=${Number(factor.toPrecision(15))}` : `units=${found[0]}`;
}
