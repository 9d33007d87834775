import { type Crs, describeCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type CrsDefinition,
  DEGREE,
  type DefinitionAxis,
  type DefinitionGeodetic,
  type DefinitionUnit,
  type DefinitionVertical,
  definitionOf,
  METRE,
  projOfDefinition,
} from "./definition.ts";
import { readDefinition } from "./identify.ts";
import type { Method, ParameterKind } from "./methods.ts";
import { findLine, findRecord, tableKey } from "./table.ts";

/**
 * WKT 1 as GDAL writes it, or with `esri` as it stands in a `.prj`: Esri's names, no codes. A system that was
 * given as WKT 1 and is not in the table keeps its own text (without `esri`).
 *
 * @throws GeoError `UNSUPPORTED` when WKT 1 has no words for the projection.
 */
export function toWkt1(crs: Crs, options: { readonly esri?: boolean } = {}): string {
  const definition = definitionFor(crs);
  return options.esri === true ? esriWkt(definition, crs) : gdalWkt(definition, crs);
}

/** WKT 2 (ISO 19162:2019), on one line. @throws GeoError `UNSUPPORTED` for a system that cannot be described. */
export function toWkt2(crs: Crs): string {
  return wkt2(definitionFor(crs), crs);
}

/** WKT 2 of a definition; a method that WKT 2 cannot name is kept as WKT 1 with a PROJ string. */
export function wktOfDefinition(definition: CrsDefinition): string {
  const crs: Crs = {
    code: definition.code,
    name: definition.name,
    kind: "unknown",
    proj4: projOfDefinition(definition),
    definition: null,
    unit: definition.unit,
    axisOrder: "xy",
    area: definition.area,
  };
  return definition.projExtension === null ? wkt2(definition, crs) : gdalWkt(definition, crs);
}

/** PROJJSON (schema 0.5), with the code as `id` where there is one. @throws GeoError `UNSUPPORTED`. */
export function toProjJson(crs: Crs): object {
  return {
    $schema: "https://proj.org/schemas/v0.5/projjson.schema.json",
    ...projJson(definitionFor(crs), crs),
  };
}

/** Definition of a system, from the table or from its text. */
export function definitionFor(crs: Crs): CrsDefinition {
  const known = crs.code === null ? null : definitionOf(crs);
  const found =
    known ?? (crs.definition === null ? null : readDefinition(crs.definition)) ?? definitionOf(crs);
  if (found !== null) return found;
  throw new GeoError("UNSUPPORTED", `${describeCrs(crs)} cannot be written as WKT or PROJJSON`, {
    feature: `describing ${describeCrs(crs)}`,
  });
}

function unwritable(crs: Crs, language: string, methodName: string): GeoError {
  return new GeoError(
    "UNSUPPORTED",
    `${describeCrs(crs)} cannot be written as ${language}: no name for the projection "${methodName}"`,
    { feature: `${methodName} in ${language}` },
  );
}

// Numbers as PROJ writes them: 15 digits, no exponent for the usual sizes.
function num(value: number): string {
  return String(Number(value.toPrecision(15)));
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** `,AUTHORITY["EPSG","4326"]` or nothing. */
function authority(code: string | null): string {
  const match = /^(\w+):(\S+)$/.exec(code ?? "");
  return match === null ? "" : `,AUTHORITY["${match[1]}","${match[2]}"]`;
}

/** `,ID["EPSG",4326]` or nothing. */
function id(code: string | null): string {
  const match = /^(\w+):(\S+)$/.exec(code ?? "");
  if (match === null) return "";
  return `,ID["${match[1]}",${/^\d+$/.test(match[2]!) ? match[2] : quote(match[2]!)}]`;
}

// ---- WKT 1 as GDAL has it ------------------------------------------------------------------------

/** Datum names that WKT 1 spells its own way. */
const WKT1_DATUMS: Readonly<Record<string, string>> = {
  "EPSG:6326": "WGS_1984",
  "EPSG:6269": "North_American_Datum_1983",
  "EPSG:6267": "North_American_Datum_1927",
  "EPSG:6258": "European_Terrestrial_Reference_System_1989",
};

function wkt1Name(name: string): string {
  return name
    .replace(/ ensemble$/, "")
    .replace(/[^A-Za-z0-9+]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

function gdalWkt(definition: CrsDefinition, crs: Crs): string {
  if (definition.compound !== null && definition.vertical !== null) {
    const { name, code } = definition.compound;
    const horizontal = gdalWkt({ ...definition, compound: null, vertical: null }, crs);
    return `COMPD_CS[${quote(name)},${horizontal},${gdalVertical(definition.vertical)}${authority(code)}]`;
  }
  const { name, code, geodetic } = definition;
  const ending = authority(code?.startsWith("OGC:") ? null : code);
  switch (definition.kind) {
    case "vertical":
      return gdalVertical(definition.vertical!);
    case "engineering":
      return `LOCAL_CS[${quote(name)},UNIT[${quote(definition.unit.name)},${num(definition.unit.factor)}]${ending}]`;
    case "geocentric":
      return `GEOCCS[${quote(name)},${gdalDatum(geodetic!)},${gdalUnit(definition.unit)},AXIS["Geocentric X",OTHER],AXIS["Geocentric Y",OTHER],AXIS["Geocentric Z",NORTH]${ending}]`;
    case "geographic":
    case "geographic3d":
      return `GEOGCS[${quote(name)},${gdalDatum(geodetic!)},${gdalUnit(geodetic!.unit)}${gdalAxes(definition)}${ending}]`;
    case "projected":
      return gdalProjected(definition, crs, ending);
  }
}

function gdalDatum({ datum, toWgs84 }: DefinitionGeodetic): string {
  const { ellipsoid, primeMeridian } = datum;
  const name = WKT1_DATUMS[datum.code ?? ""] ?? wkt1Name(datum.name);
  const shift = toWgs84 === null ? "" : `,TOWGS84[${toWgs84.map(num).join(",")}]`;
  return (
    `DATUM[${quote(name)},SPHEROID[${quote(ellipsoid.name)},${num(ellipsoid.a)},${num(ellipsoid.rf)}${authority(ellipsoid.code)}]${shift}${authority(datum.code)}]` +
    `,PRIMEM[${quote(primeMeridian.name)},${num(primeMeridian.degrees)}${authority(primeMeridian.code)}]`
  );
}

function gdalUnit(unit: DefinitionUnit): string {
  return `UNIT[${quote(unit.name)},${num(unit.factor)}${authority(unit.code)}]`;
}

/** Axes other than those everybody expects: WKT 1 leaves out latitude, longitude of geographic systems. */
function gdalAxes(definition: CrsDefinition): string {
  if (definition.kind !== "projected") {
    const [first] = definition.axes;
    return first !== undefined && first.direction === "east"
      ? ',AXIS["Longitude",EAST],AXIS["Latitude",NORTH]'
      : "";
  }
  const axes =
    definition.axes.length >= 2
      ? definition.axes.slice(0, 2)
      : [
          { name: "Easting", direction: "east", meridian: null },
          { name: "Northing", direction: "north", meridian: null },
        ];
  return axes
    .map((axis) => {
      // WKT 1 cannot say "along a meridian"; GDAL writes plain north and south there.
      const direction = axis.direction.toUpperCase().replace(/[^A-Z]/g, "");
      return `,AXIS[${quote(axis.name === "" ? direction : axis.name)},${/^(NORTH|SOUTH|EAST|WEST|UP|DOWN)$/.test(direction) ? direction : "OTHER"}]`;
    })
    .join("");
}

function gdalProjected(definition: CrsDefinition, crs: Crs, ending: string): string {
  const { geodetic, conversion, unit } = definition;
  const method = conversion?.method ?? null;
  if (geodetic === null || conversion === null) throw unwritable(crs, "WKT 1", "unknown");
  const base = `GEOGCS[${quote(geodetic.name)},${gdalDatum(geodetic)},${gdalUnit(geodetic.unit)}${authority(geodetic.code)}]`;
  const tail = `,${gdalUnit(unit)}${gdalAxes(definition)}`;
  if (method?.proj === "webmerc") {
    const proj = projOfDefinition(definition)?.replace(" +no_defs", " +wktext +no_defs") ?? "";
    return `PROJCS[${quote(definition.name)},${base},PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0]${tail},EXTENSION["PROJ4",${quote(proj)}]${ending}]`;
  }
  const name =
    method === null
      ? conversion.methodName
      : method.wkt1 === ""
        ? (WKT1_STAND_INS[method.code] ?? "")
        : method.wkt1;
  if (method === null || name === "") {
    const proj = crs.proj4;
    if (proj === null) throw unwritable(crs, "WKT 1", conversion.methodName);
    // What WKT 1 has no word for, GDAL keeps as a PROJ string.
    return `PROJCS[${quote(definition.name)},${base},PROJECTION["custom_proj4"]${tail},EXTENSION["PROJ4",${quote(proj.includes("+wktext") ? proj : `${proj} +wktext`)}]${ending}]`;
  }
  const parameters = wkt1Parameters(method, conversion.values)
    .map(([key, value, kind]) => `,PARAMETER["${key}",${num(inUnit(value, kind, geodetic.unit, unit))}]`)
    .join("");
  // Sweep axis and the like have no parameter in WKT 1.
  const exact =
    definition.projExtension ?? (method.words.includes("sweep=") ? projOfDefinition(definition) : null);
  const extension = exact === null ? "" : `,EXTENSION["PROJ4",${quote(exact)}]`;
  return `PROJCS[${quote(definition.name)},${base},PROJECTION["${name}"]${parameters}${tail}${extension}${ending}]`;
}

/** Spherical and other variants that WKT 1 writes as the ordinary one. */
const WKT1_STAND_INS: Readonly<Record<number, string>> = {
  1027: "Lambert_Azimuthal_Equal_Area",
  9834: "Cylindrical_Equal_Area",
  1029: "Equirectangular",
  1041: "Krovak",
};

function wkt1Parameters(
  method: Method,
  values: ReadonlyMap<number, number>,
): [name: string, value: number, kind: ParameterKind][] {
  const rows: [string, number, ParameterKind][] = method.parameters.map(({ parameter, wkt1, fallback }) => [
    wkt1,
    values.get(parameter.code) ?? fallback,
    parameter.kind,
  ]);
  // Polar stereographic, variant B, needs a scale that is always 1.
  if (method.code === 9829) rows.splice(2, 0, ["scale_factor", 1, "scale"]);
  if (method.code === 1028 || method.code === 1029) {
    const latitude = rows.findIndex(([name]) => name === "latitude_of_origin");
    rows.unshift(...rows.splice(latitude, 1));
  }
  return rows;
}

function inUnit(value: number, kind: ParameterKind, angle: DefinitionUnit, length: DefinitionUnit): number {
  if (kind === "angle")
    return angle.factor === DEGREE.factor ? value : (value * DEGREE.factor) / angle.factor;
  return kind === "length" && length.factor !== 1 ? value / length.factor : value;
}

function gdalVertical(vertical: DefinitionVertical): string {
  const direction = vertical.down ? 'AXIS["Depth",DOWN]' : 'AXIS["Gravity-related height",UP]';
  return `VERT_CS[${quote(vertical.name)},VERT_DATUM[${quote(vertical.datumName)},2005${authority(vertical.datumCode)}],${gdalUnit(vertical.unit)},${direction}${authority(vertical.code)}]`;
}

// ---- Esri's .prj -----------------------------------------------------------------------------------

function esriWkt(definition: CrsDefinition, crs: Crs): string {
  const { geodetic, conversion, unit } = definition;
  if (geodetic === null) throw unwritable(crs, "Esri WKT", definition.kind);
  const base = `GEOGCS[${quote(esriGeodeticName(geodetic))},${esriDatum(geodetic)},UNIT[${quote(esriUnit(geodetic.unit))},${num(geodetic.unit.factor)}]]`;
  if (definition.kind !== "projected") return base;
  const method = conversion?.method ?? null;
  const found = method === null ? null : esriMethod(method, conversion!.values);
  if (found === null) throw unwritable(crs, "Esri WKT", conversion?.methodName ?? "unknown");
  const record = recordOf(definition.code);
  const name = record === null || record.alias === "" ? esriName(definition.name) : record.alias;
  const parameters = found.parameters
    .map(([key, value, kind]) => `,PARAMETER["${key}",${decimal(inUnit(value, kind, geodetic.unit, unit))}]`)
    .join("");
  return `PROJCS[${quote(name)},${base},PROJECTION["${found.name}"]${parameters},UNIT[${quote(esriUnit(unit))},${decimal(unit.factor)}]]`;
}

function recordOf(code: string | null): ReturnType<typeof findRecord> {
  const key = code === null ? null : tableKey(code);
  return key === null ? null : findRecord(key);
}

/** Esri always writes a decimal point. */
function decimal(value: number): string {
  const text = num(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function esriName(name: string): string {
  return wkt1Name(name.replace(/ \/ /g, "_"));
}

function esriGeodeticName({ name, code }: DefinitionGeodetic): string {
  const record = recordOf(code);
  if (record !== null && record.alias !== "") return record.alias;
  const plain = esriName(name);
  return plain.startsWith("GCS_") ? plain : `GCS_${plain}`;
}

function esriDatum({ datum }: DefinitionGeodetic): string {
  const { ellipsoid, primeMeridian } = datum;
  const key = datum.code === null ? null : tableKey(datum.code);
  const line = key === null ? null : findLine(`D${key}`);
  const alias = line?.[4] ?? "";
  const plain = esriName(datum.name);
  const name = alias !== "" ? alias : plain.startsWith("D_") ? plain : `D_${plain}`;
  const ellipsoidKey = ellipsoid.code === null ? null : tableKey(ellipsoid.code);
  const ellipsoidAlias = ellipsoidKey === null ? "" : (findLine(`S${ellipsoidKey}`)?.[4] ?? "");
  return (
    `DATUM[${quote(name)},SPHEROID[${quote(ellipsoidAlias === "" ? esriName(ellipsoid.name) : ellipsoidAlias)},${decimal(ellipsoid.a)},${decimal(ellipsoid.rf)}]]` +
    `,PRIMEM[${quote(primeMeridian.name)},${decimal(primeMeridian.degrees)}]`
  );
}

function esriUnit({ name, kind, factor }: DefinitionUnit): string {
  if (kind === "angle")
    return factor === DEGREE.factor ? "Degree" : name === "grad" ? "Grad" : esriName(name);
  if (factor === 1) return "Meter";
  if (Math.abs(factor - 0.3048) < 1e-12) return "Foot";
  if (Math.abs(factor - 1200 / 3937) < 1e-12) return "Foot_US";
  return esriName(name);
}

type EsriParameter = [name: string, value: number, kind: ParameterKind];

/** Esri's name and parameters, in the order it writes them: false origin first. */
function esriMethod(
  method: Method,
  values: ReadonlyMap<number, number>,
): { name: string; parameters: EsriParameter[] } | null {
  const get = (code: number): number =>
    values.get(code) ?? method.parameters.find((row) => row.parameter.code === code)?.fallback ?? 0;
  const origin = (east: number, north: number): EsriParameter[] => [
    ["False_Easting", get(east), "length"],
    ["False_Northing", get(north), "length"],
  ];
  switch (method.code) {
    case 9801:
      return {
        name: "Lambert_Conformal_Conic",
        parameters: [
          ...origin(8806, 8807),
          ["Central_Meridian", get(8802), "angle"],
          ["Standard_Parallel_1", get(8801), "angle"],
          ["Scale_Factor", get(8805), "scale"],
          ["Latitude_Of_Origin", get(8801), "angle"],
        ],
      };
    case 9802:
    case 9822:
      return {
        name: method.esri,
        parameters: [
          ...origin(8826, 8827),
          ["Central_Meridian", get(8822), "angle"],
          ["Standard_Parallel_1", get(8823), "angle"],
          ["Standard_Parallel_2", get(8824), "angle"],
          ["Latitude_Of_Origin", get(8821), "angle"],
        ],
      };
    case 9804:
      // Esri knows Mercator by its parallel of true scale only.
      if (get(8805) !== 1) return null;
      return {
        name: "Mercator",
        parameters: [
          ...origin(8806, 8807),
          ["Central_Meridian", get(8802), "angle"],
          ["Standard_Parallel_1", 0, "angle"],
        ],
      };
    case 1024:
      return {
        name: method.esri,
        parameters: [
          ...origin(8806, 8807),
          ["Central_Meridian", get(8802), "angle"],
          ["Standard_Parallel_1", 0, "angle"],
          ["Auxiliary_Sphere_Type", 0, "scale"],
        ],
      };
    case 9810:
      return {
        name: "Stereographic",
        parameters: [
          ...origin(8806, 8807),
          ["Central_Meridian", get(8802), "angle"],
          ["Scale_Factor", get(8805), "scale"],
          ["Latitude_Of_Origin", get(8801), "angle"],
        ],
      };
    case 9829:
      return {
        name: get(8832) < 0 ? "Stereographic_South_Pole" : "Stereographic_North_Pole",
        parameters: [
          ...origin(8806, 8807),
          ["Central_Meridian", get(8833), "angle"],
          ["Standard_Parallel_1", get(8832), "angle"],
        ],
      };
    case 1027:
    case 9834:
    case 1029: {
      const name = {
        1027: "Lambert_Azimuthal_Equal_Area",
        9834: "Cylindrical_Equal_Area",
        1029: "Equidistant_Cylindrical",
      }[method.code];
      return { name, parameters: esriParameters(method, values) };
    }
    case 1041:
      return {
        name: "Krovak",
        parameters: [
          ...origin(8806, 8807),
          ["Pseudo_Standard_Parallel_1", get(8818), "angle"],
          ["Scale_Factor", get(8819), "scale"],
          ["Azimuth", get(1036), "angle"],
          ["Longitude_Of_Center", get(8833), "angle"],
          ["Latitude_Of_Center", get(8811), "angle"],
          ["X_Scale", -1, "scale"],
          ["Y_Scale", 1, "scale"],
          ["XY_Plane_Rotation", 90, "angle"],
        ],
      };
    default: {
      if (method.esri === "") return null;
      const parameters = esriParameters(method, values);
      // Esri has one name for the whole homolosine and for both ways to cut it.
      if (method.proj === "igh") parameters.push(["Option", 1, "scale"]);
      return { name: method.esri, parameters };
    }
  }
}

const ESRI_NAMES: Readonly<Record<number, string>> = {
  8801: "Latitude_Of_Origin",
  8802: "Central_Meridian",
};

function esriParameters(method: Method, values: ReadonlyMap<number, number>): EsriParameter[] {
  const length: EsriParameter[] = [];
  const rest: EsriParameter[] = [];
  for (const { parameter, esri, fallback, wkt1 } of method.parameters) {
    // The rectified angle of Esri's methods is always the azimuth.
    if (parameter.code === 8814) continue;
    const name =
      wkt1 === parameter.wkt1 || /^(Latitude|Longitude)_Of_Center$/.test(esri)
        ? (ESRI_NAMES[parameter.code] ?? esri)
        : esri;
    const row: EsriParameter = [name, values.get(parameter.code) ?? fallback, parameter.kind];
    (parameter.kind === "length" && /^False/.test(name) ? length : rest).push(row);
  }
  rest.sort((a, b) => esriRank(a[0]) - esriRank(b[0]));
  return [...length, ...rest];
}

/** Esri starts with the central meridian and ends with the latitude of origin. */
function esriRank(name: string): number {
  return name === "Central_Meridian" ? 0 : name === "Latitude_Of_Origin" ? 2 : 1;
}

// ---- WKT 2 -----------------------------------------------------------------------------------------

function wkt2(definition: CrsDefinition, crs: Crs): string {
  if (definition.compound !== null && definition.vertical !== null) {
    const { name, code } = definition.compound;
    const horizontal = wkt2({ ...definition, compound: null, vertical: null, area: null }, crs);
    return `COMPOUNDCRS[${quote(name)},${horizontal},${wkt2Vertical(definition.vertical)}${bbox(definition)}${id(code)}]`;
  }
  const { name, code, geodetic } = definition;
  const ending = `${bbox(definition)}${id(code)}]`;
  const shift = geodetic?.toWgs84 ?? null;
  let text: string;
  switch (definition.kind) {
    case "vertical":
      return wkt2Vertical(definition.vertical!);
    case "engineering":
      return `ENGCRS[${quote(name)},EDATUM["unknown"],CS[Cartesian,2]${wkt2Axes(definition, "length")}${ending}`;
    case "geocentric":
      text = `GEODCRS[${quote(name)},${wkt2Datum(geodetic!)},CS[Cartesian,3]${wkt2Axes(definition, "length")}${ending}`;
      break;
    case "geographic":
    case "geographic3d":
      text = `GEOGCRS[${quote(name)},${wkt2Datum(geodetic!)},CS[ellipsoidal,${definition.kind === "geographic" ? 2 : 3}]${wkt2Axes(definition, "angle")}${ending}`;
      break;
    case "projected":
      text = wkt2Projected(definition, crs, ending);
  }
  return shift === null ? text : wkt2Bound(text, shift);
}

function bbox({ area, kind, compound }: CrsDefinition): string {
  if (area === null || (kind === "vertical" && compound === null)) return "";
  const [west, south, east, north] = area;
  return `,USAGE[SCOPE["unknown"],AREA["area of use"],BBOX[${num(south)},${num(west)},${num(north)},${num(east)}]]`;
}

function wkt2Datum({ datum }: DefinitionGeodetic): string {
  const { ellipsoid, primeMeridian } = datum;
  const shape = `ELLIPSOID[${quote(ellipsoid.name)},${num(ellipsoid.a)},${num(ellipsoid.rf)},LENGTHUNIT["metre",1]${id(ellipsoid.code)}]`;
  // The members of an ensemble are not in the table; a plain datum with the code of the ensemble says the same.
  const meridian =
    primeMeridian.degrees === 0
      ? `PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]]`
      : `PRIMEM[${quote(primeMeridian.name)},${num(primeMeridian.degrees)},ANGLEUNIT["degree",0.0174532925199433]${id(primeMeridian.code)}]`;
  return `DATUM[${quote(datum.name.replace(/ ensemble$/, ""))},${shape}${id(datum.ensemble === null ? datum.code : null)}],${meridian}`;
}

function wkt2Unit(unit: DefinitionUnit): string {
  return `${unit.kind === "angle" ? "ANGLEUNIT" : "LENGTHUNIT"}[${quote(unit.name)},${num(unit.factor)}${id(unit.code)}]`;
}

/** Axes of a definition, or the usual ones when it names none. */
function axesFor(definition: CrsDefinition): readonly DefinitionAxis[] {
  if (definition.axes.length > 0) return definition.axes;
  const axis = (name: string, abbreviation: string, direction: string): DefinitionAxis => ({
    name,
    abbreviation,
    direction,
    unit: definition.unit,
    meridian: null,
  });
  switch (definition.kind) {
    case "geocentric":
      return ["X", "Y", "Z"].map((letter) => axis(`Geocentric ${letter}`, letter, `geocentric${letter}`));
    case "geographic":
      return [axis("Longitude", "lon", "east"), axis("Latitude", "lat", "north")];
    case "geographic3d":
      return [
        axis("Longitude", "lon", "east"),
        axis("Latitude", "lat", "north"),
        { ...axis("Ellipsoidal height", "h", "up"), unit: METRE },
      ];
    default:
      return [axis("Easting", "E", "east"), axis("Northing", "N", "north")];
  }
}

function wkt2Axes(definition: CrsDefinition, kind: "length" | "angle"): string {
  return axesFor(definition)
    .map((axis, k) => {
      const plainName = axis.name === "" ? axis.direction : axis.name;
      const lower = /^(Easting|Northing|Westing|Southing|Longitude|Latitude)$/.test(plainName)
        ? plainName.toLowerCase()
        : plainName;
      const label = axis.abbreviation === "" ? lower : `${lower} (${axis.abbreviation})`;
      const meridian =
        axis.meridian === null
          ? ""
          : `,MERIDIAN[${num(axis.meridian)},ANGLEUNIT["degree",0.0174532925199433]]`;
      const unit = axis.unit ?? (kind === "angle" ? DEGREE : METRE);
      return `,AXIS[${quote(label)},${axis.direction}${meridian},ORDER[${k + 1}],${wkt2Unit(unit)}]`;
    })
    .join("");
}

function wkt2Projected(definition: CrsDefinition, crs: Crs, ending: string): string {
  const { geodetic, conversion } = definition;
  if (geodetic === null || conversion === null) throw unwritable(crs, "WKT 2", "unknown");
  const base = `BASEGEOGCRS[${quote(geodetic.name)},${wkt2Datum(geodetic)}${geodetic.unit.factor === DEGREE.factor ? "" : `,${wkt2Unit(geodetic.unit)}`}${id(geodetic.code)}]`;
  const { method } = conversion;
  if (method === null) throw unwritable(crs, "WKT 2", conversion.methodName);
  const parameters = method.parameters
    .map(({ parameter, fallback }) => {
      const value = conversion.values.get(parameter.code) ?? fallback;
      const unit =
        parameter.kind === "angle"
          ? `ANGLEUNIT["degree",0.0174532925199433]`
          : parameter.kind === "length"
            ? `LENGTHUNIT["metre",1]`
            : `SCALEUNIT["unity",1]`;
      return `,PARAMETER[${quote(parameter.name)},${num(value)},${unit}${parameter.code > 0 ? id(`EPSG:${parameter.code}`) : ""}]`;
    })
    .join("");
  const head = `METHOD[${quote(method.name)}${method.code > 0 ? id(`EPSG:${method.code}`) : ""}]`;
  return `PROJCRS[${quote(definition.name)},${base},CONVERSION[${quote(conversion.name === "" ? "unnamed" : conversion.name)},${head}${parameters}],CS[Cartesian,2]${wkt2Axes(definition, "length")}${ending}`;
}

function wkt2Bound(source: string, shift: readonly number[]): string {
  const names = [
    "X-axis translation",
    "Y-axis translation",
    "Z-axis translation",
    "X-axis rotation",
    "Y-axis rotation",
    "Z-axis rotation",
    "Scale difference",
  ];
  const parameters = shift
    .map(
      (value, k) =>
        `,PARAMETER["${names[k]}",${k === 6 ? num(1 + value * 1e-6) : num(value)},ID["EPSG",${8605 + k}]]`,
    )
    .join("");
  const target = `GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],AXIS["latitude",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],AXIS["longitude",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]]`;
  return `BOUNDCRS[SOURCECRS[${source}],TARGETCRS[${target}],ABRIDGEDTRANSFORMATION["Transformation to WGS84",METHOD["Position Vector transformation (geog2D domain)",ID["EPSG",9606]]${parameters}]]`;
}

function wkt2Vertical(vertical: DefinitionVertical): string {
  const axis = vertical.down ? `AXIS["depth (D)",down,` : `AXIS["gravity-related height (H)",up,`;
  return `VERTCRS[${quote(vertical.name)},VDATUM[${quote(vertical.datumName)}${id(vertical.datumCode)}],CS[vertical,1],${axis}${wkt2Unit(vertical.unit)}]${id(vertical.code)}]`;
}

// ---- PROJJSON --------------------------------------------------------------------------------------

type JsonObject = Record<string, unknown>;

function jsonId(code: string | null): JsonObject {
  const match = /^(\w+):(\S+)$/.exec(code ?? "");
  if (match === null) return {};
  return { id: { authority: match[1], code: /^\d+$/.test(match[2]!) ? Number(match[2]) : match[2] } };
}

function projJson(definition: CrsDefinition, crs: Crs): JsonObject {
  if (definition.compound !== null && definition.vertical !== null) {
    const { name, code } = definition.compound;
    return {
      type: "CompoundCRS",
      name,
      components: [
        projJson({ ...definition, compound: null, vertical: null, area: null }, crs),
        jsonVertical(definition.vertical),
      ],
      ...jsonArea(definition),
      ...jsonId(code),
    };
  }
  const { name, code, geodetic } = definition;
  const ending = { ...jsonArea(definition), ...jsonId(code) };
  let json: JsonObject;
  switch (definition.kind) {
    case "vertical":
      return jsonVertical(definition.vertical!);
    case "engineering":
      return {
        type: "EngineeringCRS",
        name,
        datum: { name: "unknown" },
        coordinate_system: jsonAxes(definition, "Cartesian"),
        ...ending,
      };
    case "geocentric":
      json = {
        type: "GeodeticCRS",
        name,
        ...jsonDatum(geodetic!),
        coordinate_system: jsonAxes(definition, "Cartesian"),
        ...ending,
      };
      break;
    case "geographic":
    case "geographic3d":
      json = {
        type: "GeographicCRS",
        name,
        ...jsonDatum(geodetic!),
        coordinate_system: jsonAxes(definition, "ellipsoidal"),
        ...ending,
      };
      break;
    case "projected":
      json = { ...jsonProjected(definition, crs), ...ending };
  }
  const shift = geodetic?.toWgs84 ?? null;
  return shift === null ? json : jsonBound(json, shift);
}

function jsonArea({ area }: CrsDefinition): JsonObject {
  if (area === null) return {};
  const [west, south, east, north] = area;
  return {
    bbox: { south_latitude: south, west_longitude: west, north_latitude: north, east_longitude: east },
  };
}

function jsonDatum({ datum }: DefinitionGeodetic): JsonObject {
  const { ellipsoid, primeMeridian } = datum;
  return {
    datum: {
      type: "GeodeticReferenceFrame",
      name: datum.name.replace(/ ensemble$/, ""),
      ellipsoid:
        ellipsoid.rf === 0
          ? { name: ellipsoid.name, radius: ellipsoid.a, ...jsonId(ellipsoid.code) }
          : {
              name: ellipsoid.name,
              semi_major_axis: ellipsoid.a,
              inverse_flattening: ellipsoid.rf,
              ...jsonId(ellipsoid.code),
            },
      ...(primeMeridian.degrees === 0
        ? {}
        : {
            prime_meridian: {
              name: primeMeridian.name,
              longitude: primeMeridian.degrees,
              ...jsonId(primeMeridian.code),
            },
          }),
      ...jsonId(datum.ensemble === null ? datum.code : null),
    },
  };
}

function jsonUnit(unit: DefinitionUnit): unknown {
  if (unit.kind === "length" && unit.factor === 1) return "metre";
  if (unit.kind === "angle" && unit.factor === DEGREE.factor) return "degree";
  return {
    type: unit.kind === "length" ? "LinearUnit" : "AngularUnit",
    name: unit.name,
    conversion_factor: unit.factor,
    ...jsonId(unit.code),
  };
}

function jsonAxes(definition: CrsDefinition, subtype: string): JsonObject {
  return {
    subtype,
    axis: axesFor(definition).map((axis) => ({
      name: axis.name === "" ? axis.direction : axis.name,
      abbreviation: axis.abbreviation,
      direction: axis.direction,
      ...(axis.meridian === null ? {} : { meridian: { longitude: axis.meridian } }),
      unit: jsonUnit(axis.unit ?? definition.unit),
    })),
  };
}

function jsonProjected(definition: CrsDefinition, crs: Crs): JsonObject {
  const { geodetic, conversion } = definition;
  if (geodetic === null || conversion === null || conversion.method === null)
    throw unwritable(crs, "PROJJSON", conversion?.methodName ?? "unknown");
  const { method } = conversion;
  const latLon: CrsDefinition = {
    ...definition,
    kind: "geographic",
    unit: geodetic.unit,
    axes: [
      {
        name: "Geodetic latitude",
        abbreviation: "Lat",
        direction: "north",
        unit: geodetic.unit,
        meridian: null,
      },
      {
        name: "Geodetic longitude",
        abbreviation: "Lon",
        direction: "east",
        unit: geodetic.unit,
        meridian: null,
      },
    ],
  };
  return {
    type: "ProjectedCRS",
    name: definition.name,
    base_crs: {
      name: geodetic.name,
      ...jsonDatum(geodetic),
      coordinate_system: jsonAxes(latLon, "ellipsoidal"),
      ...jsonId(geodetic.code),
    },
    conversion: {
      name: conversion.name === "" ? "unnamed" : conversion.name,
      method: { name: method.name, ...(method.code > 0 ? jsonId(`EPSG:${method.code}`) : {}) },
      parameters: method.parameters.map(({ parameter, fallback }) => ({
        name: parameter.name,
        value: conversion.values.get(parameter.code) ?? fallback,
        unit: parameter.kind === "angle" ? "degree" : parameter.kind === "length" ? "metre" : "unity",
        ...(parameter.code > 0 ? jsonId(`EPSG:${parameter.code}`) : {}),
      })),
    },
    coordinate_system: jsonAxes(definition, "Cartesian"),
  };
}

function jsonVertical(vertical: DefinitionVertical): JsonObject {
  return {
    type: "VerticalCRS",
    name: vertical.name,
    datum: { type: "VerticalReferenceFrame", name: vertical.datumName, ...jsonId(vertical.datumCode) },
    coordinate_system: {
      subtype: "vertical",
      axis: [
        vertical.down
          ? { name: "Depth", abbreviation: "D", direction: "down", unit: jsonUnit(vertical.unit) }
          : {
              name: "Gravity-related height",
              abbreviation: "H",
              direction: "up",
              unit: jsonUnit(vertical.unit),
            },
      ],
    },
    ...jsonId(vertical.code),
  };
}

function jsonBound(source: JsonObject, shift: readonly number[]): JsonObject {
  const names = [
    "X-axis translation",
    "Y-axis translation",
    "Z-axis translation",
    "X-axis rotation",
    "Y-axis rotation",
    "Z-axis rotation",
    "Scale difference",
  ];
  const wgs84 = {
    type: "GeographicCRS",
    name: "WGS 84",
    datum: {
      type: "GeodeticReferenceFrame",
      name: "World Geodetic System 1984",
      ellipsoid: { name: "WGS 84", semi_major_axis: 6378137, inverse_flattening: 298.257223563 },
    },
    coordinate_system: {
      subtype: "ellipsoidal",
      axis: [
        { name: "Latitude", abbreviation: "lat", direction: "north", unit: "degree" },
        { name: "Longitude", abbreviation: "lon", direction: "east", unit: "degree" },
      ],
    },
    id: { authority: "EPSG", code: 4326 },
  };
  const arcSecond = { type: "AngularUnit", name: "arc-second", conversion_factor: 4.84813681109536e-6 };
  return {
    type: "BoundCRS",
    source_crs: source,
    target_crs: wgs84,
    transformation: {
      name: "Transformation to WGS84",
      method: {
        name: "Position Vector transformation (geog2D domain)",
        id: { authority: "EPSG", code: 9606 },
      },
      parameters: shift.map((value, k) => ({
        name: names[k],
        value: k === 6 ? 1 + value * 1e-6 : value,
        unit: k < 3 ? "metre" : k < 6 ? arcSecond : "unity",
        id: { authority: "EPSG", code: 8605 + k },
      })),
    },
  };
}
