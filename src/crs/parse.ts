import type { Crs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import { type CrsDefinition, definitionOfProj, definitionOfRecord, projOfDefinition } from "./definition.ts";
import { wktOfDefinition } from "./format.ts";
import { identify, readDefinition, withKnownDatum } from "./identify.ts";
import { isProjString, linearFactor, PROJ_UNITS, parseProjWords } from "./proj-string.ts";
import { type CrsRecord, findAxes, findByName, findRecord, tableKey } from "./table.ts";
import { isWkt } from "./wkt.ts";

/** The system with an EPSG code, or `null` when the table has none. */
export function crsFromEpsg(code: number): Crs | null {
  return crsFromKey(String(code));
}

/** The system with an authority code such as `"EPSG:32645"` or `"ESRI:54009"`, or `null`. */
export function crsFromCode(code: string): Crs | null {
  if (/^OGC:CRS84H?$/i.test(code)) return CRS84;
  const key = tableKey(code);
  return key === null ? null : crsFromKey(key);
}

/**
 * Reads a coordinate reference system however people write it: `EPSG:32645`, an OGC URN or URL, `OGC:CRS84`, a
 * name ("WGS 84 / UTM zone 45N", or Esri's), WKT 1 (also Esri's .prj), WKT 2, PROJJSON, or a PROJ string.
 *
 * @throws GeoError `CRS_UNKNOWN` when nothing fits.
 */
export function parseCrs(text: string): Crs {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  const found = fromText(trimmed);
  if (found !== null) return found;
  const shown = trimmed.length > 80 ? `${trimmed.slice(0, 77)}...` : trimmed;
  throw new GeoError(
    "CRS_UNKNOWN",
    `unknown coordinate reference system "${shown}"`,
    { crs: shown },
    {
      hint: 'name it by an EPSG code such as "EPSG:4326", or give WKT, PROJJSON or a PROJ string',
    },
  );
}

function fromText(text: string): Crs | null {
  const code =
    /^(?:urn:(?:x-)?ogc:def:crs:|https?:\/\/www\.opengis\.net\/def\/crs\/)?(EPSG|ESRI|OGC|CRS)[:/]+(?:[\w.]*[:/])?(\w+)$/i.exec(
      text,
    ) ?? /^https?:\/\/www\.opengis\.net\/gml\/srs\/(epsg)\.xml#(\d+)$/i.exec(text);
  if (code !== null) {
    if (/^(CRS)?84h?$/i.test(code[2]!)) return CRS84;
    const other = /^CRS(27|83)$/i.exec(code[2]!);
    if (other !== null) {
      const known = crsFromKey(other[1] === "27" ? "4267" : "4269");
      return known === null ? null : { ...known, axisOrder: "xy" };
    }
    return crsFromCode(`${code[1]!.toUpperCase()}:${code[2]}`);
  }
  const compound = /^EPSG:(\d{1,9})\+(?:EPSG:)?(\d{1,9})$/i.exec(text);
  if (compound !== null) return compoundOfCodes(compound[1]!, compound[2]!);
  const structured = isWkt(text) || text.startsWith("{");
  if (isProjString(text) && !structured) return fromProjString(text);
  if (structured) {
    const definition = readDefinition(text);
    return definition === null ? null : crsFromDefinition(definition, text);
  }
  const [key] = findByName(text);
  return key === undefined ? null : crsFromKey(key);
}

/** `EPSG:32645+5773`: a horizontal and a vertical system. */
function compoundOfCodes(horizontalKey: string, verticalKey: string): Crs | null {
  const horizontal = findRecord(horizontalKey);
  const vertical = findRecord(verticalKey);
  if (horizontal === null || vertical === null || vertical.kind !== "v") return null;
  const definition = definitionOfRecord(horizontal);
  const height = definitionOfRecord(vertical)?.vertical ?? null;
  if (definition === null || height === null || definition.vertical !== null) return null;
  const joined: CrsDefinition = {
    ...definition,
    vertical: height,
    compound: { name: `${horizontal.name} + ${vertical.name}`, code: null },
  };
  return crsFromDefinition(joined, wktOfDefinition(joined));
}

function fromProjString(text: string): Crs | null {
  const words = parseProjWords(text);
  const init = words.get("init");
  if (init !== undefined) return crsFromCode(init);
  const name = words.get("proj") ?? "";
  const geographic = /^(longlat|latlong|lonlat|latlon)$/.test(name);
  const factor = geographic ? 1 : linearFactor(words);
  const unit = words.get("units") ?? "m";
  const crs: Crs = {
    code: null,
    name: words.get("title") ?? "",
    kind: geographic ? "geographic" : name === "geocent" || name === "cart" ? "geocentric" : "projected",
    proj4: text,
    definition: text,
    unit: geographic
      ? { name: "degree", kind: "angle", factor: 1 }
      : {
          name: (PROJ_UNITS[unit]?.factor === factor ? PROJ_UNITS[unit]?.name : undefined) ?? "unknown",
          kind: "length",
          factor,
        },
    axisOrder: "xy",
    area: null,
  };
  // Longitude and latitude, UTM and the web's Mercator on well-known datums have codes beyond doubt.
  const plain = ![...words.keys()].some((key) => !PLAIN_WORDS.has(key));
  const definition = plain ? definitionOfProj(text, crs) : null;
  const key = definition === null ? null : identify(definition);
  const known = key === null ? null : crsFromKey(key);
  return known === null ? crs : { ...known, axisOrder: "xy", definition: text };
}

/** Words of PROJ strings that a listed system can have; any other makes a system of its own. */
const PLAIN_WORDS: ReadonlySet<string> = new Set(
  "proj zone south datum ellps units no_defs type wktext a b lat_ts lat_0 lon_0 x_0 y_0 k k_0 nadgrids".split(
    " ",
  ),
);

/** The system with a key of the table, or `null`. */
export function crsFromKey(key: string): Crs | null {
  const record = findRecord(key);
  return record === null ? null : crsFromRecord(record);
}

/**
 * A system from a definition: the entry of the table when it is certain which one is meant, else a custom one
 * with `definition` as its text.
 */
export function crsFromDefinition(definition: CrsDefinition, text: string): Crs {
  const key = identify(definition);
  const known = key === null ? null : crsFromKey(key);
  if (known !== null) return { ...known, definition: text };
  const { compound, unit, axes } = definition;
  const angle = unit.kind === "angle";
  return {
    code: null,
    name: compound?.name ?? definition.name,
    kind:
      compound !== null ? "compound" : definition.kind === "geographic3d" ? "geographic" : definition.kind,
    proj4: definition.kind === "vertical" ? null : projOfDefinition(withKnownDatum(definition)),
    definition: text,
    unit: { name: unit.name, kind: unit.kind, factor: angle ? degreesPer(unit.factor) : unit.factor },
    axisOrder:
      axes[0] !== undefined &&
      /^(north|south)$/i.test(axes[0].direction) &&
      !/^E/i.test(axes[0].abbreviation || axes[0].name)
        ? "yx"
        : "xy",
    area: definition.area,
  };
}

const KINDS: Readonly<Record<CrsRecord["kind"], Crs["kind"]>> = {
  g: "geographic",
  h: "geographic",
  c: "geocentric",
  p: "projected",
  v: "vertical",
  k: "compound",
};

function crsFromRecord(record: CrsRecord): Crs {
  const horizontal = record.kind === "k" ? (findRecord(record.base) ?? record) : record;
  const axes = findAxes(horizontal.axes);
  const [first, second] = axes;
  const unit = first?.unit;
  const north = (axis: typeof first): boolean =>
    axis !== undefined && (/^(north|south)$/i.test(axis.direction) || /^[NS]/i.test(axis.name));
  const angle = unit?.kind === "angle";
  return {
    code: record.code,
    name: record.name,
    kind: KINDS[record.kind],
    proj4: record.kind === "v" || horizontal.proj === "" ? null : horizontal.proj,
    definition: null,
    unit:
      unit === undefined
        ? { name: "metre", kind: "length", factor: 1 }
        : {
            name: unit.name.startsWith("degree") ? "degree" : unit.name,
            kind: unit.kind,
            factor: angle ? degreesPer(unit.factor) : unit.factor,
          },
    axisOrder:
      first !== undefined && second !== undefined && isNorthing(first) && !isNorthing(second) ? "yx" : "xy",
    area: record.area,
  };

  function isNorthing(axis: typeof first & object): boolean {
    // At the poles both axes point north or south; there the name tells.
    if (/northing|southing|latitude/i.test(axis.name)) return true;
    if (/easting|westing|longitude/i.test(axis.name)) return false;
    return north(axis);
  }
}

function degreesPer(radians: number): number {
  const degrees = (radians * 180) / Math.PI;
  return Math.abs(degrees - 1) < 1e-9 ? 1 : Math.abs(degrees - 0.9) < 1e-9 ? 0.9 : degrees;
}

const CRS84: Crs = {
  code: "OGC:CRS84",
  name: "WGS 84 (CRS84)",
  kind: "geographic",
  proj4: "+proj=longlat +datum=WGS84 +no_defs",
  definition: null,
  unit: { name: "degree", kind: "angle", factor: 1 },
  axisOrder: "xy",
  area: [-180, -90, 180, 90],
};
