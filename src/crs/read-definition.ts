import {
  type CrsDefinition,
  DEGREE,
  type DefinitionAxis,
  type DefinitionConversion,
  type DefinitionDatum,
  type DefinitionGeodetic,
  type DefinitionUnit,
  type DefinitionVertical,
  GREENWICH,
  METRE,
} from "./definition.ts";
import { type Method, type MethodParameter, methodByCode, methodsByName } from "./methods.ts";
import { PROJ_MERIDIANS } from "./proj-string.ts";
import { child, children, idOf, numberAt, parseWktNodes, textAt, type WktNode } from "./wkt.ts";

/** A parameter as a definition gives it: in SI (degrees, metres) when `unit` is applied. */
export interface NamedValue {
  readonly name: string;
  /** EPSG code of the parameter, or `null`. */
  readonly code: number | null;
  readonly value: number;
  /** Unit given beside it; `null` takes the unit of the system. */
  readonly unit: DefinitionUnit | null;
}

/** Reads WKT 1 (GDAL's and Esri's) or WKT 2. `null` when the keyword is not that of a system. */
export function definitionOfWkt(text: string): CrsDefinition | null {
  const [root, second] = parseWktNodes(text);
  const definition = readNode(root!, 0);
  if (definition === null || second === undefined || definition.vertical !== null) return definition;
  // Esri writes the vertical system behind the horizontal one.
  const vertical = readNode(second, 0)?.vertical ?? null;
  return vertical === null
    ? definition
    : { ...definition, vertical, compound: { name: `${definition.name} + ${vertical.name}`, code: null } };
}

function readNode(node: WktNode, depth: number): CrsDefinition | null {
  if (depth > 4) return null;
  switch (node.keyword) {
    case "GEOGCS":
    case "GEOCCS":
    case "GEOGCRS":
    case "GEODCRS":
    case "GEODETICCRS":
    case "GEOGRAPHICCRS":
      return readGeodetic(node);
    case "PROJCS":
      return readProjected1(node);
    case "PROJCRS":
    case "PROJECTEDCRS":
      return readProjected2(node);
    case "COMPD_CS":
    case "COMPOUNDCRS":
      return readCompound(node, depth);
    case "VERT_CS":
    case "VERTCS":
    case "VERTCRS":
    case "VERTICALCRS":
      return readVertical(node);
    case "BOUNDCRS":
      return readBound(node, depth);
    case "LOCAL_CS":
    case "ENGCRS":
    case "ENGINEERINGCRS":
      return {
        ...blank(textAt(node, 0), idOf(node)),
        kind: "engineering",
        axes: axesOf(node, null),
        unit: unitOf(node, "length") ?? METRE,
      };
    default:
      return null;
  }
}

function blank(name: string, code: string | null): Omit<CrsDefinition, "kind"> {
  return {
    name,
    code,
    geodetic: null,
    conversion: null,
    axes: [],
    unit: METRE,
    area: null,
    projExtension: null,
    vertical: null,
    compound: null,
  };
}

function readGeodetic(node: WktNode): CrsDefinition | null {
  const geodetic = geodeticOf(node);
  if (geodetic === null) return null;
  const cs = child(node, "CS");
  const cartesian = cs !== null && /^cartesian$/i.test(textAt(cs, 0));
  const geocentric = node.keyword === "GEOCCS" || cartesian;
  const dimensions = cs === null ? 2 : numberAt(cs, 1);
  const axes = axesOf(node, geocentric ? METRE : geodetic.unit);
  return {
    ...blank(textAt(node, 0), idOf(node)),
    kind: geocentric ? "geocentric" : dimensions === 3 || axes.length === 3 ? "geographic3d" : "geographic",
    geodetic,
    axes,
    unit: geocentric ? (unitOf(node, "length") ?? METRE) : geodetic.unit,
    area: areaOf(node),
    projExtension: extensionOf(node),
  };
}

/** The datum side of a geographic node, also of `BASEGEOGCRS`. */
function geodeticOf(node: WktNode): DefinitionGeodetic | null {
  const datumNode = child(node, "DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE");
  const ellipsoidNode = datumNode === null ? null : child(datumNode, "SPHEROID", "ELLIPSOID");
  if (datumNode === null || ellipsoidNode === null) return null;
  // Before the unit of the axes: WKT 2 puts it on the axis, WKT 1 and the base of a projected system beside them.
  const [axis] = children(node, "AXIS");
  const unit = unitOf(node, "angle") ?? (axis === undefined ? null : unitOf(axis, "angle")) ?? DEGREE;
  const lengthUnit = unitOf(ellipsoidNode, "length");
  const a = numberAt(ellipsoidNode, 1) * (lengthUnit?.factor ?? 1);
  const rf = numberAt(ellipsoidNode, 2);
  if (!(a > 0) || !Number.isFinite(a) || !(rf >= 0)) return null;
  const shift = child(datumNode, "TOWGS84");
  const ensemble = child(datumNode, "ENSEMBLEACCURACY");
  return {
    name: textAt(node, 0),
    code: idOf(node),
    datum: {
      name: textAt(datumNode, 0),
      code: idOf(datumNode),
      ensemble: ensemble === null ? null : numberAt(ensemble, 0),
      ellipsoid: { name: textAt(ellipsoidNode, 0), a, rf, code: idOf(ellipsoidNode) },
      primeMeridian: primeMeridianOf(child(node, "PRIMEM", "PRIMEMERIDIAN"), unit),
    },
    unit,
    toWgs84: shift === null ? null : shiftOf(shift.values.map(Number)),
  };
}

function primeMeridianOf(node: WktNode | null, unit: DefinitionUnit): DefinitionDatum["primeMeridian"] {
  if (node === null) return GREENWICH;
  const name = textAt(node, 0);
  const value = numberAt(node, 1);
  if (!Number.isFinite(value) || value === 0) return { ...GREENWICH, name: name === "" ? "Greenwich" : name };
  const own = unitOf(node, "angle");
  if (own !== null) return { name, degrees: (value * own.factor) / DEGREE.factor, code: idOf(node) };
  // WKT 1 should have the unit of the system here; GDAL and Esri write degrees. The known meridians tell.
  const known = PROJ_MERIDIANS[name.toLowerCase()];
  const scaled = (value * unit.factor) / DEGREE.factor;
  const inUnit = known !== undefined && Math.abs(scaled - known) < Math.abs(value - known);
  return { name, degrees: inUnit ? scaled : value, code: idOf(node) };
}

function shiftOf(values: readonly number[]): number[] | null {
  if (values.some((value) => !Number.isFinite(value))) return null;
  if (values.length === 3) return [...values, 0, 0, 0, 0];
  return values.length === 7 ? [...values] : null;
}

function readProjected1(node: WktNode): CrsDefinition | null {
  const base = child(node, "GEOGCS");
  const geodetic = base === null ? null : geodeticOf(base);
  if (geodetic === null) return null;
  const unit = unitOf(node, "length") ?? METRE;
  const projection = child(node, "PROJECTION");
  const axes = axesOf(node, unit);
  const values = children(node, "PARAMETER").map(
    (parameter): NamedValue => ({
      name: textAt(parameter, 0),
      code: null,
      value: numberAt(parameter, 1),
      unit: null,
    }),
  );
  const methodName = projection === null ? "" : textAt(projection, 0);
  const extension = extensionOf(node);
  return {
    ...blank(textAt(node, 0), idOf(node)),
    kind: "projected",
    geodetic,
    conversion: makeConversion("unnamed", methodName, null, values, geodetic.unit, unit, axes),
    axes,
    unit,
    projExtension: extension,
  };
}

function readProjected2(node: WktNode): CrsDefinition | null {
  const base = child(node, "BASEGEOGCRS", "BASEGEODCRS");
  const geodetic = base === null ? null : geodeticOf(base);
  const conversion = child(node, "CONVERSION", "DERIVINGCONVERSION");
  if (geodetic === null || conversion === null) return null;
  const method = child(conversion, "METHOD", "PROJECTION");
  const [axis] = children(node, "AXIS");
  const unit = unitOf(node, "length") ?? (axis === undefined ? null : unitOf(axis, "length")) ?? METRE;
  const values = children(conversion, "PARAMETER").map((parameter): NamedValue => {
    const code = /^EPSG:(\d+)$/.exec(idOf(parameter) ?? "");
    return {
      name: textAt(parameter, 0),
      code: code === null ? null : Number(code[1]),
      value: numberAt(parameter, 1),
      unit: unitOf(parameter, null),
    };
  });
  const methodCode = method === null ? null : /^EPSG:(\d+)$/.exec(idOf(method) ?? "");
  const axes = axesOf(node, unit);
  return {
    ...blank(textAt(node, 0), idOf(node)),
    kind: "projected",
    geodetic,
    conversion: makeConversion(
      textAt(conversion, 0),
      method === null ? "" : textAt(method, 0),
      methodCode === null ? null : Number(methodCode[1]),
      values,
      geodetic.unit,
      unit,
      axes,
    ),
    axes,
    unit,
    area: areaOf(node),
  };
}

function readCompound(node: WktNode, depth: number): CrsDefinition | null {
  const parts = node.values.filter((value): value is WktNode => typeof value === "object");
  let horizontal: CrsDefinition | null = null;
  let vertical: DefinitionVertical | null = null;
  for (const part of parts) {
    const found = readNode(part, depth + 1);
    if (found === null) continue;
    if (found.kind === "vertical") vertical = found.vertical;
    else horizontal ??= found;
  }
  if (horizontal === null) return null;
  return { ...horizontal, vertical, compound: { name: textAt(node, 0), code: idOf(node) } };
}

function readVertical(node: WktNode): CrsDefinition {
  const datum = child(node, "VERT_DATUM", "VDATUM", "VERTDATUM", "VERTICALDATUM", "VRF", "DATUM");
  const [axis] = children(node, "AXIS");
  const unit = unitOf(node, "length") ?? (axis === undefined ? null : unitOf(axis, "length")) ?? METRE;
  const parameter = children(node, "PARAMETER").find((p) => /^direction$/i.test(textAt(p, 0)));
  const down =
    (axis !== undefined && /down/i.test(textAt(axis, 1))) ||
    (parameter !== undefined && numberAt(parameter, 1) < 0);
  const vertical: DefinitionVertical = {
    name: textAt(node, 0),
    code: idOf(node),
    datumName: datum === null ? "unknown" : textAt(datum, 0),
    datumCode: datum === null ? null : idOf(datum),
    unit,
    down,
  };
  return {
    ...blank(vertical.name, vertical.code),
    kind: "vertical",
    unit,
    axes: axesOf(node, unit),
    vertical,
  };
}

function readBound(node: WktNode, depth: number): CrsDefinition | null {
  const source = child(node, "SOURCECRS");
  const inner = source?.values.find((value): value is WktNode => typeof value === "object");
  const found = inner === undefined ? null : readNode(inner, depth + 1);
  const shift = child(node, "ABRIDGEDTRANSFORMATION");
  if (found === null || found.geodetic === null || shift === null) return found;
  const values = children(shift, "PARAMETER").map(
    (parameter): NamedValue => ({
      name: textAt(parameter, 0),
      code: Number(/^EPSG:(\d+)$/.exec(idOf(parameter) ?? "")?.[1] ?? Number.NaN),
      value: numberAt(parameter, 1),
      unit: null,
    }),
  );
  const method = child(shift, "METHOD");
  const toWgs84 = boundShift(values, method === null ? "" : textAt(method, 0));
  return toWgs84 === null ? found : { ...found, geodetic: { ...found.geodetic, toWgs84 } };
}

/** Seven parameters (position vector) from those of an abridged transformation. */
export function boundShift(values: readonly NamedValue[], methodName: string): number[] | null {
  const names = [
    "x-axis translation",
    "y-axis translation",
    "z-axis translation",
    "x-axis rotation",
    "y-axis rotation",
    "z-axis rotation",
    "scale difference",
  ];
  const result = names.map((name, k) => {
    const value = values.find((v) => v.code === 8605 + k || v.name.toLowerCase() === name)?.value ?? 0;
    // Abridged transformations write the scale as a factor, 1.0000021 for 2.1 ppm.
    return k === 6 && Math.abs(value - 1) < 0.01 ? (value - 1) * 1e6 : value;
  });
  if (result.some((value) => !Number.isFinite(value))) return null;
  if (/coordinate frame/i.test(methodName))
    for (let k = 3; k < 6; k++) result[k] = result[k] === 0 ? 0 : -result[k]!;
  return result;
}

const UNIT_WORDS = ["UNIT", "LENGTHUNIT", "ANGLEUNIT", "SCALEUNIT"];

/** The unit inside a node; `kind` says what a plain `UNIT` means. Scale units give `null`. */
function unitOf(node: WktNode, kind: "length" | "angle" | null): DefinitionUnit | null {
  const unit = child(node, ...UNIT_WORDS);
  if (unit === null || unit.keyword === "SCALEUNIT") return null;
  const factor = numberAt(unit, 1);
  if (!(factor > 0) || !Number.isFinite(factor)) return null;
  const found =
    unit.keyword === "LENGTHUNIT"
      ? "length"
      : unit.keyword === "ANGLEUNIT"
        ? "angle"
        : (kind ?? (factor < 0.1 && /deg|rad|grad|gon/i.test(textAt(unit, 0)) ? "angle" : "length"));
  return plainUnit(textAt(unit, 0), found, factor, idOf(unit));
}

/** Degrees and metres of every spelling become the one unit. */
export function plainUnit(
  name: string,
  kind: "length" | "angle",
  factor: number,
  code: string | null,
): DefinitionUnit {
  if (kind === "angle" && Math.abs(factor / DEGREE.factor - 1) < 1e-9) return DEGREE;
  if (kind === "length" && factor === 1) return METRE;
  const known = [
    { name: "US survey foot", factor: 1200 / 3937, code: "EPSG:9003" },
    { name: "foot", factor: 0.3048, code: "EPSG:9002" },
    { name: "kilometre", factor: 1000, code: "EPSG:9036" },
  ].find((unit) => kind === "length" && Math.abs(unit.factor / factor - 1) < 1e-9);
  if (known !== undefined) return { ...known, kind };
  if (kind === "angle" && Math.abs(factor / (Math.PI / 200) - 1) < 1e-9)
    return { name: "grad", kind, factor: Math.PI / 200, code: "EPSG:9105" };
  return { name, kind, factor, code };
}

function axesOf(node: WktNode, fallback: DefinitionUnit | null): DefinitionAxis[] {
  return children(node, "AXIS").map((axis) => {
    const label = textAt(axis, 0);
    const parts = /^(.*?)\s*\(([^)]*)\)$/.exec(label);
    const meridian = child(axis, "MERIDIAN");
    return {
      name: parts === null ? label : parts[1]!,
      abbreviation: parts?.[2] ?? "",
      direction: textAt(axis, 1).replace(/^[A-Z_]+$/, (word) => word.toLowerCase()),
      unit: unitOf(axis, null) ?? fallback,
      meridian: meridian === null ? null : numberAt(meridian, 0),
    };
  });
}

function areaOf(node: WktNode): CrsDefinition["area"] {
  const scope = child(node, "USAGE") ?? node;
  const box = child(scope, "BBOX");
  if (box === null) return null;
  const [south, west, north, east] = [0, 1, 2, 3].map((k) => numberAt(box, k));
  return [south, west, north, east].every(Number.isFinite) ? [west!, south!, east!, north!] : null;
}

function extensionOf(node: WktNode): string | null {
  for (const extension of children(node, "EXTENSION"))
    if (/^PROJ4$/i.test(textAt(extension, 0)) && textAt(extension, 1) !== "") return textAt(extension, 1);
  return null;
}

type Meaning =
  | "lat0"
  | "lon0"
  | "k"
  | "fe"
  | "fn"
  | "azimuth"
  | "gamma"
  | "sp1"
  | "sp2"
  | "p1lat"
  | "p1lon"
  | "p2lat"
  | "p2lon"
  | "height"
  | "k2"
  | "psp"
  | "option"
  | "";

/** What a parameter means, whatever it is called. */
function meaningOf(name: string): Meaning {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "");
  if (
    /^(latitudeof(natural|false)?origin|latitudeof(projection)?cent(er|re)|centralparallel|latitudeoftopocentricorigin)$/.test(
      plain,
    )
  )
    return "lat0";
  if (
    /^(centralmeridian|longitudeof(natural|false)?origin|longitudeof(projection)?cent(er|re)|longitudeoftopocentricorigin)$/.test(
      plain,
    )
  )
    return "lon0";
  if (
    /^scalefactor(atnaturalorigin|atprojectioncent(er|re)|oninitialline|onpseudostandardparallel)?$/.test(
      plain,
    )
  )
    return "k";
  if (/^(falseeasting|easting.*)$/.test(plain)) return "fe";
  if (/^(falsenorthing|northing.*)$/.test(plain)) return "fn";
  if (/^(azimuth.*|colatitudeofconeaxis)$/.test(plain)) return "azimuth";
  if (/^(rectifiedgridangle|anglefromrectifiedtoskewgrid|xyplanerotation)$/.test(plain)) return "gamma";
  if (
    /^(standardparallel1?|latitudeof1ststandardparallel|latitudeofstandardparallel|latitudeoftruescale)$/.test(
      plain,
    )
  )
    return "sp1";
  if (/^(standardparallel2|latitudeof2ndstandardparallel)$/.test(plain)) return "sp2";
  if (/^(latitudeof(point1|1stpoint|1st))$/.test(plain)) return "p1lat";
  if (/^(longitudeof(point1|1stpoint|1st))$/.test(plain)) return "p1lon";
  if (/^(latitudeof(point2|2ndpoint|2nd))$/.test(plain)) return "p2lat";
  if (/^(longitudeof(point2|2ndpoint|2nd))$/.test(plain)) return "p2lon";
  if (/height$/.test(plain)) return "height";
  if (/^ellipsoidscalingfactor$/.test(plain)) return "k2";
  if (/^(pseudostandardparallel1|latitudeofpseudostandardparallel)$/.test(plain)) return "psp";
  return "";
}

function meaningOfRow({ parameter }: MethodParameter): Meaning {
  if (parameter.code === 8832) return "sp1";
  return meaningOf(parameter.name);
}

/** A conversion from the names and parameters of a definition; values become degrees, metres and plain numbers. */
export function makeConversion(
  name: string,
  methodName: string,
  methodCode: number | null,
  given: readonly NamedValue[],
  angleUnit: DefinitionUnit,
  lengthUnit: DefinitionUnit,
  axes: readonly DefinitionAxis[],
): DefinitionConversion {
  const byMeaning = new Map<Meaning, NamedValue>();
  for (const value of given) {
    const meaning = meaningOf(value.name);
    if (meaning !== "" && !byMeaning.has(meaning)) byMeaning.set(meaning, value);
  }
  const degrees = (value: NamedValue | undefined): number =>
    value === undefined ? Number.NaN : (value.value * (value.unit ?? angleUnit).factor) / DEGREE.factor;
  const found =
    (methodCode === null ? null : methodByCode(methodCode)) ??
    decide(methodName, (meaning) => degrees(byMeaning.get(meaning)), axes);
  const values = new Map<number, number>();
  if (found !== null) {
    for (const row of found.parameters) {
      let value = given.find((v) => v.code === row.parameter.code) ?? byMeaning.get(meaningOfRow(row));
      if (found.code === 9829 && row.parameter.code === 8832) value ??= byMeaning.get("lat0");
      // A cylinder or cone whose only parallel is the origin.
      if (value === undefined && row.parameter.code === 8824) value = byMeaning.get("sp1");
      if (value === undefined && row.parameter.code === 8814) value = byMeaning.get("azimuth");
      if (value === undefined && found.proj === "bonne") value = byMeaning.get("sp1");
      if (value === undefined) {
        values.set(row.parameter.code, row.parameter.code === 8818 ? 78.5 : row.fallback);
        continue;
      }
      if (row.parameter.kind === "angle") values.set(row.parameter.code, round(degrees(value)));
      else if (row.parameter.kind === "length")
        values.set(row.parameter.code, round(value.value * (value.unit ?? lengthUnit).factor));
      else values.set(row.parameter.code, value.value);
    }
    for (const [code, value] of values) if (!Number.isFinite(value)) values.set(code, 0);
  }
  return { name, method: found, methodName, values };
}

/** Undoes what multiplying by a unit left in the last digits. */
function round(value: number): number {
  return Number(value.toPrecision(15));
}

/** Which method a name means, where names are shared, by the parameters that came with it. */
function decide(
  name: string,
  degrees: (meaning: Meaning) => number,
  axes: readonly DefinitionAxis[],
): Method | null {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "");
  const latitude = degrees("lat0");
  const polar = Math.abs(Math.abs(latitude) - 90) < 1e-8;
  switch (plain) {
    case "polarstereographic":
      return methodByCode(polar ? 9810 : 9829);
    case "stereographic":
      if (polar) return methodByCode(9810);
      break;
    case "lambertconformalconic":
      if (!Number.isNaN(degrees("sp2"))) return methodByCode(9802);
      return methodByCode(
        Number.isNaN(degrees("sp1")) || Math.abs(degrees("sp1") - latitude) < 1e-9 ? 9801 : 9802,
      );
    case "mercator":
      return methodByCode(Number.isNaN(degrees("sp1")) ? 9804 : 9805);
    case "krovak":
      return methodByCode(axes[0] !== undefined && /south/i.test(axes[0].direction) ? 9819 : 1041);
    case "rectifiedskeworthomorphicnaturalorigin":
      return methodByCode(9812);
    case "geostationarysatellite":
      return methodsByName("Geostationary Satellite (Sweep Y)")[0] ?? null;
  }
  return methodsByName(name)[0] ?? null;
}

/** Reads PROJJSON. `null` when the type is not that of a system. */
export function definitionOfProjJson(value: unknown): CrsDefinition | null {
  return readJson(value, 0);
}

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function string(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  const inner = object(value);
  if (inner !== null) return number(inner["value"]);
  return typeof value === "number" ? value : Number.NaN;
}

function jsonId(value: Json | null): string | null {
  const first = value?.["id"] ?? (Array.isArray(value?.["ids"]) ? (value["ids"] as unknown[])[0] : undefined);
  const id = object(first);
  const code = id?.["code"];
  if (id === null || (typeof code !== "number" && typeof code !== "string")) return null;
  return `${string(id["authority"]).toUpperCase()}:${code}`;
}

function readJson(value: unknown, depth: number): CrsDefinition | null {
  const json = object(value);
  if (json === null || depth > 4) return null;
  const name = string(json["name"]);
  const code = jsonId(json);
  const area = jsonArea(json);
  switch (string(json["type"])) {
    case "GeographicCRS":
    case "GeodeticCRS": {
      const geodetic = jsonGeodetic(json);
      if (geodetic === null) return null;
      const cs = object(json["coordinate_system"]);
      const geocentric = /^cartesian$/i.test(string(cs?.["subtype"]));
      const axes = jsonAxes(json);
      return {
        ...blank(name, code),
        kind: geocentric ? "geocentric" : axes.length === 3 ? "geographic3d" : "geographic",
        geodetic,
        axes,
        unit: geocentric ? (axes[0]?.unit ?? METRE) : geodetic.unit,
        area,
      };
    }
    case "ProjectedCRS": {
      const base = object(json["base_crs"]);
      const geodetic = base === null ? null : jsonGeodetic(base);
      const conversion = object(json["conversion"]);
      if (geodetic === null || conversion === null) return null;
      const axes = jsonAxes(json);
      const unit = axes[0]?.unit ?? METRE;
      const method = object(conversion["method"]);
      const methodCode = /^EPSG:(\d+)$/.exec(jsonId(method) ?? "");
      return {
        ...blank(name, code),
        kind: "projected",
        geodetic,
        conversion: makeConversion(
          string(conversion["name"]),
          string(method?.["name"]),
          methodCode === null ? null : Number(methodCode[1]),
          jsonParameters(conversion["parameters"]),
          geodetic.unit,
          METRE,
          axes,
        ),
        axes,
        unit,
        area,
      };
    }
    case "CompoundCRS": {
      let horizontal: CrsDefinition | null = null;
      let vertical: DefinitionVertical | null = null;
      for (const part of Array.isArray(json["components"]) ? (json["components"] as unknown[]) : []) {
        const found = readJson(part, depth + 1);
        if (found?.kind === "vertical") vertical = found.vertical;
        else horizontal ??= found;
      }
      return horizontal === null
        ? null
        : { ...horizontal, vertical, compound: { name, code }, area: area ?? horizontal.area };
    }
    case "VerticalCRS": {
      const datum = object(json["datum"]) ?? object(json["datum_ensemble"]);
      const axes = jsonAxes(json);
      const unit = axes[0]?.unit ?? METRE;
      return {
        ...blank(name, code),
        kind: "vertical",
        axes,
        unit,
        area,
        vertical: {
          name,
          code,
          datumName: string(datum?.["name"]),
          datumCode: jsonId(datum),
          unit,
          down: axes[0]?.direction === "down",
        },
      };
    }
    case "BoundCRS": {
      const found = readJson(json["source_crs"], depth + 1);
      const shift = object(json["transformation"]);
      if (found === null || found.geodetic === null || shift === null) return found;
      const toWgs84 = boundShift(
        jsonParameters(shift["parameters"]),
        string(object(shift["method"])?.["name"]),
      );
      return toWgs84 === null ? found : { ...found, geodetic: { ...found.geodetic, toWgs84 } };
    }
    case "EngineeringCRS":
      return {
        ...blank(name, code),
        kind: "engineering",
        axes: jsonAxes(json),
        unit: jsonAxes(json)[0]?.unit ?? METRE,
      };
    default:
      return null;
  }
}

function jsonGeodetic(json: Json): DefinitionGeodetic | null {
  const ensemble = object(json["datum_ensemble"]);
  const datum = object(json["datum"]) ?? ensemble;
  const ellipsoid = object(datum?.["ellipsoid"]);
  if (datum === null || ellipsoid === null) return null;
  const a = jsonLength(ellipsoid["semi_major_axis"] ?? ellipsoid["radius"]);
  const b = jsonLength(ellipsoid["semi_minor_axis"]);
  const given = number(ellipsoid["inverse_flattening"]);
  const rf = Number.isFinite(given) ? given : Number.isFinite(b) && b !== a ? a / (a - b) : 0;
  if (!(a > 0) || !Number.isFinite(a) || !(rf >= 0)) return null;
  const [axis] = jsonAxes(json);
  const meridian = object(datum["prime_meridian"]);
  const longitude = object(meridian?.["longitude"]);
  const meridianUnit = longitude === null ? null : jsonUnit(longitude["unit"]);
  const degrees =
    meridian === null ? 0 : (number(meridian["longitude"]) * (meridianUnit ?? DEGREE).factor) / DEGREE.factor;
  return {
    name: string(json["name"]),
    code: jsonId(json),
    datum: {
      name: string(datum["name"]),
      code: jsonId(datum),
      ensemble: ensemble === null ? null : Number(ensemble["accuracy"] ?? 0) || null,
      ellipsoid: { name: string(ellipsoid["name"]), a, rf, code: jsonId(ellipsoid) },
      primeMeridian:
        !Number.isFinite(degrees) || degrees === 0
          ? GREENWICH
          : { name: string(meridian?.["name"]), degrees, code: jsonId(meridian) },
    },
    unit: axis?.unit?.kind === "angle" ? axis.unit : DEGREE,
    toWgs84: null,
  };
}

function jsonLength(value: unknown): number {
  const inner = object(value);
  return inner === null ? number(value) : number(value) * (jsonUnit(inner["unit"])?.factor ?? 1);
}

/** `"metre"`, `"degree"`, `"unity"` or an object. `null` for plain numbers. */
function jsonUnit(value: unknown): DefinitionUnit | null {
  if (value === "metre") return METRE;
  if (value === "degree") return DEGREE;
  const unit = object(value);
  const factor = number(unit?.["conversion_factor"]);
  if (unit === null || !(factor > 0) || !Number.isFinite(factor)) return null;
  const kind = string(unit["type"]);
  if (kind !== "LinearUnit" && kind !== "AngularUnit") return null;
  return plainUnit(string(unit["name"]), kind === "LinearUnit" ? "length" : "angle", factor, jsonId(unit));
}

function jsonAxes(json: Json): DefinitionAxis[] {
  const list = object(json["coordinate_system"])?.["axis"];
  if (!Array.isArray(list)) return [];
  return list.slice(0, 3).map((entry: unknown) => {
    const axis = object(entry) ?? {};
    const meridian = object(axis["meridian"]);
    return {
      name: string(axis["name"]),
      abbreviation: string(axis["abbreviation"]),
      direction: string(axis["direction"]),
      unit: jsonUnit(axis["unit"]),
      meridian: meridian === null ? null : number(meridian["longitude"]),
    };
  });
}

function jsonParameters(value: unknown): NamedValue[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, 40).map((entry: unknown) => {
    const json = object(entry) ?? {};
    const code = /^EPSG:(\d+)$/.exec(jsonId(json) ?? "");
    return {
      name: string(json["name"]),
      code: code === null ? null : Number(code[1]),
      value: number(json["value"]),
      unit: jsonUnit(json["unit"]),
    };
  });
}

function jsonArea(json: Json): CrsDefinition["area"] {
  const usages = json["usages"];
  const box = object(json["bbox"]) ?? object(Array.isArray(usages) ? object(usages[0])?.["bbox"] : null);
  if (box === null) return null;
  const found = ["west_longitude", "south_latitude", "east_longitude", "north_latitude"].map((key) =>
    number(box[key]),
  );
  return found.every(Number.isFinite) ? [found[0]!, found[1]!, found[2]!, found[3]!] : null;
}
