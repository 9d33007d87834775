import type { Crs } from "../model/crs.ts";
import type { CrsDefinition, DefinitionGeodetic } from "./definition.ts";
import { definitionOfRecord, geodeticOfRecord, projOfDefinition } from "./definition.ts";
import { linearFactor, parseAngle, parseProjWords } from "./proj-string.ts";
import { definitionOfProjJson, definitionOfWkt } from "./read-definition.ts";
import {
  type CrsRecord,
  compoundOf,
  findByDatumName,
  findByName,
  findRecord,
  geodeticOfDatum,
  keyCode,
  tableKey,
} from "./table.ts";
import { isWkt } from "./wkt.ts";

/**
 * Table key of the geodetic system a CRS stands on, or `null` when the table does not have it, or when the
 * definition brings its own shift to WGS 84.
 */
export function geodeticBaseOf(crs: Crs): string | null {
  if (crs.code !== null) {
    const key = tableKey(/^OGC:CRS84H?$/.test(crs.code) ? "EPSG:4326" : crs.code);
    let record = key === null ? null : findRecord(key);
    if (record?.kind === "k") record = findRecord(record.base);
    if (record?.kind === "p") record = findRecord(record.base);
    return record === null || record.kind === "v" || record.kind === "k" ? null : tableKey(record.code);
  }
  const definition = crs.definition === null ? null : readDefinition(crs.definition);
  const geodetic = definition?.geodetic ?? null;
  if (geodetic === null || geodetic.toWgs84 !== null || definition?.projExtension?.includes("towgs84"))
    return null;
  return identifyGeodetic(geodetic);
}

/** WKT or PROJJSON taken apart; `null` when the text is neither. */
export function readDefinition(text: string): CrsDefinition | null {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (trimmed.startsWith("{")) {
    let json: unknown;
    try {
      json = JSON.parse(trimmed);
    } catch {
      return null;
    }
    return definitionOfProjJson(json);
  }
  return isWkt(trimmed) ? definitionOfWkt(trimmed) : null;
}

/** Key of the record that a definition describes, or `null` when that is not certain. */
export function identify(definition: CrsDefinition): string | null {
  if (definition.compound !== null) {
    const { code, name } = definition.compound;
    if (code !== null)
      for (const key of candidates(code, name)) if (findRecord(key)?.kind === "k") return key;
    const horizontal = identify({ ...definition, compound: null, vertical: null });
    const vertical = definition.vertical;
    if (horizontal === null || vertical === null) return null;
    for (const part of candidates(vertical.code, vertical.name)) {
      const [key] = findRecord(part)?.kind === "v" ? compoundOf(horizontal, part) : [];
      if (key !== undefined) return key;
    }
    return null;
  }
  for (const key of candidates(definition.code, definition.name)) {
    const record = findRecord(key);
    if (record !== null && fits(record, definition)) return key;
  }
  if (definition.kind === "geographic" && definition.geodetic !== null) {
    // The name says nothing: the datum may, where degrees from Greenwich are meant.
    const base = identifyGeodetic(definition.geodetic);
    const record = base === null ? null : findRecord(base);
    return record !== null && fits(record, definition) && /^(4326|4269|4267)$/.test(base ?? "") ? base : null;
  }
  return definition.kind === "projected"
    ? (identifyWebMercator(definition) ?? identifyUtm(definition))
    : null;
}

/** Keys to try, the code first: only a name that is needed is looked for. */
function* candidates(code: string | null, name: string): Generator<string> {
  const key = code === null ? null : tableKey(code);
  if (key !== null) yield key;
  for (const named of findByName(name)) if (named !== key) yield named;
  if (/^GCS_/i.test(name)) yield* findByName(name.slice(4));
}

/** Whether a record of the table and a definition are the same system. */
function fits(record: CrsRecord, definition: CrsDefinition): boolean {
  const kinds = { g: "geographic", h: "geographic3d", c: "geocentric", p: "projected", v: "vertical", k: "" };
  // WKT 1 has no words for three dimensions, only the code.
  const flat = record.kind === "h" && definition.kind === "geographic" && record.code === definition.code;
  if (kinds[record.kind] !== definition.kind && !flat) return false;
  if (record.kind === "v") return true;
  const other = definitionOfRecord(record);
  if (other === null || other.geodetic === null || definition.geodetic === null) return false;
  if (!sameGeodetic(other.geodetic, definition.geodetic)) return false;
  if (Math.abs(other.unit.factor / definition.unit.factor - 1) > 1e-7) return false;
  if (definition.kind !== "projected") return true;
  const left = projOfDefinition(other) ?? record.proj;
  const right = projOfDefinition(definition);
  // A method without a formula can only be compared by name.
  if (right === null || left === "")
    return record.code === definition.code && (left === "" || definition.conversion?.method === null);
  return sameFormula(left, right);
}

function sameGeodetic(left: DefinitionGeodetic, right: DefinitionGeodetic): boolean {
  const a = left.datum.ellipsoid;
  const b = right.datum.ellipsoid;
  return (
    Math.abs(a.a - b.a) < 0.01 &&
    Math.abs(a.rf - b.rf) < 1e-4 * Math.max(1, a.rf / 300) &&
    Math.abs(left.datum.primeMeridian.degrees - right.datum.primeMeridian.degrees) < 1e-6 &&
    sameDatumName(left, right)
  );
}

/** Names of datums agree when both lead to the same entry, or when one of them leads nowhere. */
function sameDatumName(left: DefinitionGeodetic, right: DefinitionGeodetic): boolean {
  // Systems that count from other meridians share their datum's name with the one from Greenwich.
  if (left.datum.primeMeridian.degrees !== 0) return true;
  const known = tableKey(left.datum.code ?? "");
  const other =
    right.datum.code === null ? findByDatumName(right.datum.name) : [tableKey(right.datum.code) ?? ""];
  return known === null || other.length === 0 || other.includes(known);
}

/** Whether two PROJ strings have the same projection, to 0.1 mm and 1e-9 of a degree or so. */
function sameFormula(left: string, right: string): boolean {
  const a = canonical(left);
  const b = canonical(right);
  if (a.name !== b.name) return false;
  const keys = new Set([...a.numbers.keys(), ...b.numbers.keys()]);
  for (const key of keys) {
    const fallback = key === "k" || key === "factor" ? 1 : 0;
    const x = a.numbers.get(key) ?? fallback;
    const y = b.numbers.get(key) ?? fallback;
    const tolerance = key === "x_0" || key === "y_0" ? 2e-3 : key === "h" ? 1 : 2e-8;
    const apart = Math.abs(x - y);
    const turned = /^(lon|alpha|gamma|azi)/.test(key) ? Math.abs(apart - 360) : apart;
    if (!(Math.min(apart, turned) <= tolerance)) return false;
  }
  return true;
}

function canonical(text: string): { name: string; numbers: Map<string, number> } {
  const words = parseProjWords(text);
  const numbers = new Map<string, number>([["factor", linearFactor(words)]]);
  let name = words.get("proj") ?? "";
  if (name === "utm") {
    name = "tmerc";
    numbers.set("lon_0", 6 * Number(words.get("zone")) - 183);
    numbers.set("k", 0.9996).set("x_0", 500000);
    if (words.has("south")) numbers.set("y_0", 10000000);
  }
  for (const key of [
    "lat_0",
    "lon_0",
    "lonc",
    "lat_1",
    "lat_2",
    "lon_1",
    "lon_2",
    "lat_ts",
    "alpha",
    "gamma",
    "k",
    "k_0",
    "x_0",
    "y_0",
    "h",
    "h_0",
    "azi",
  ]) {
    const value = words.get(key);
    if (value !== undefined) numbers.set(key === "k_0" ? "k" : key, parseAngle(value));
  }
  const axis = words.get("axis");
  if (axis !== undefined) name += ` ${axis}`;
  if (words.get("nadgrids") === "@null") name += " sphere";
  if (words.has("no_uoff")) name += " no_uoff";
  // One standard parallel, written twice.
  if (name === "lcc" && numbers.get("lat_1") === numbers.get("lat_2")) numbers.delete("lat_2");
  if (name === "lcc" && !numbers.has("lat_2")) numbers.set("lat_2", numbers.get("lat_1") ?? 0);
  // The two parallels are interchangeable, and writers do interchange them.
  const [first = 0, second = 0] = [numbers.get("lat_1"), numbers.get("lat_2")];
  if (/^(lcc|aea|eqdc)$/.test(name) && first > second) numbers.set("lat_1", second).set("lat_2", first);
  return { name, numbers };
}

/** The web's Mercator, by its PROJ string or its method, around Greenwich. */
function identifyWebMercator(definition: CrsDefinition): string | null {
  const { conversion, geodetic } = definition;
  if (conversion?.method?.proj !== "webmerc" || geodetic === null || identifyGeodetic(geodetic) !== "4326")
    return null;
  const record = findRecord("3857");
  return record !== null && fits(record, definition) ? "3857" : null;
}

/** UTM on one of the three datums that everybody means by their name, whatever the system calls itself. */
function identifyUtm(definition: CrsDefinition): string | null {
  const base = definition.geodetic === null ? null : identifyGeodetic(definition.geodetic);
  const first = { "4326": 32600, "4269": 26900, "4267": 26700 }[base ?? ""];
  const text = first === undefined ? null : projOfDefinition(definition);
  if (text === null || first === undefined || definition.geodetic?.toWgs84 != null) return null;
  const words = parseProjWords(text);
  if (words.get("proj") !== "utm" || linearFactor(words) !== 1) return null;
  const key = String(first + (words.has("south") ? 100 : 0) + Number(words.get("zone")));
  const record = findRecord(key);
  return record !== null && fits(record, definition) ? key : null;
}

/** Key of a geodetic system (2D) that a definition stands on, by its code, its name or its datum. */
export function identifyGeodetic(geodetic: DefinitionGeodetic): string | null {
  for (const key of geodeticCandidates(geodetic)) {
    const record = findRecord(key);
    if (record === null || !/^[ghc]$/.test(record.kind)) continue;
    const other = geodeticOfRecord(record);
    if (other !== null && sameGeodetic(other, geodetic)) return key;
  }
  return null;
}

function* geodeticCandidates({ code, name, datum }: DefinitionGeodetic): Generator<string> {
  yield* candidates(code, name);
  if (datum.code !== null) yield* geodeticOfDatum(tableKey(datum.code) ?? "");
  for (const key of findByDatumName(datum.name)) yield* geodeticOfDatum(key);
}

/** The definition with the code of its datum, where its name or that of the system tells. */
export function withKnownDatum(definition: CrsDefinition): CrsDefinition {
  const { geodetic } = definition;
  if (geodetic === null || geodetic.datum.code !== null || geodetic.toWgs84 !== null) return definition;
  const base = identifyGeodetic(geodetic);
  const record = base === null ? null : findRecord(base);
  if (record === null) return definition;
  return {
    ...definition,
    geodetic: { ...geodetic, datum: { ...geodetic.datum, code: keyCode(record.base) } },
  };
}

/** `"EPSG:n"` of {@link identify}, or `null`. */
export function identifyCode(definition: CrsDefinition): string | null {
  const key = identify(definition);
  return key === null ? null : keyCode(key);
}
