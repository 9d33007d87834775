import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/** One line of the table, split at its tabs; field 0 is the key. */
export type TableLine = readonly string[];

/** Kinds of records: geographic 2D and 3D, geocentric, projected, vertical, compound (German *k*). */
export type RecordKind = "g" | "h" | "c" | "p" | "v" | "k";

/** A system of the EPSG or Esri list, fields as in docs/crs.md. Absent text is `""`. */
export interface CrsRecord {
  /** `"EPSG:32645"` or `"ESRI:54009"`. */
  readonly code: string;
  readonly kind: RecordKind;
  readonly name: string;
  readonly deprecated: boolean;
  /** West, south, east, north in degrees. */
  readonly area: readonly [number, number, number, number] | null;
  /** Key of the coordinate system (axes and units). */
  readonly axes: string;
  /** Key of the datum (geodetic), of the base system (projected), of the horizontal system (compound). */
  readonly base: string;
  /** PROJ string, with `+no_defs`; `""` when PROJ has no formula. Key of the vertical system for compound. */
  readonly proj: string;
  /** Esri's name, where it differs. */
  readonly alias: string;
  /** Name of the conversion (projected). */
  readonly conversion: string;
  /** EPSG code or PROJ's name of the method (projected). */
  readonly method: string;
  /** Key of the datum operations to WGS 84 (geodetic). */
  readonly operations: string;
}

/** An axis of a coordinate system. */
export interface TableAxis {
  readonly name: string;
  readonly abbreviation: string;
  /** `"north"`, `"east"`, `"South along 90 deg East"`... */
  readonly direction: string;
  readonly unit: TableUnit;
}

/** A unit: metres (length) or radians (angle) per unit. */
export interface TableUnit {
  /** Bare EPSG code, or Esri's with an E in front. */
  readonly key: string;
  readonly name: string;
  readonly kind: "length" | "angle";
  readonly factor: number;
}

/** Key of a code as the table writes it: `EPSG:n` is `n`, `ESRI:n` is `En`. `null` for other authorities. */
export function tableKey(code: string): string | null {
  const match = /^(EPSG|ESRI):(\d{1,9})$/i.exec(code);
  if (match === null) return null;
  return match[1]!.toUpperCase() === "EPSG" ? String(Number(match[2])) : `E${Number(match[2])}`;
}

/** The other way round. */
export function keyCode(key: string): string {
  return key.startsWith("E") ? `ESRI:${key.slice(1)}` : `EPSG:${key}`;
}

/** The record of a system by its key, or `null`. One search of the unpacked text, about a tenth of a millisecond. */
export function findRecord(key: string): CrsRecord | null {
  let record = records.get(key);
  if (record === undefined) {
    const line = findLine(key);
    if (line === null) return null;
    record = toRecord(line);
    records.set(key, record);
  }
  return record;
}

/** A line by key: systems by bare code, others by a letter (D datum, S ellipsoid, M meridian, C axes, U unit, O operations). */
export function findLine(key: string): TableLine | null {
  if (!/^\w+$/.test(key)) return null;
  let line = lines.get(key);
  if (line === undefined) {
    const bytes = tableBytes();
    const at = bytes.indexOf(`\n${key}\t`, 0, "latin1");
    if (at < 0) return null;
    line = bytes.toString("utf8", at + 1, bytes.indexOf(10, at + 1)).split("\t");
    lines.set(key, line);
  }
  return line;
}

/** Axes of a coordinate system by key. */
export function findAxes(key: string): TableAxis[] {
  const line = findLine(`C${key}`);
  const axes: TableAxis[] = [];
  for (let k = 2; line !== null && k + 3 < line.length; k += 4) {
    const unit = findUnit(line[k + 3]!);
    if (unit === null) return [];
    axes.push({ name: line[k]!, abbreviation: line[k + 1]!, direction: line[k + 2]!, unit });
  }
  return axes;
}

/** A unit by key. */
export function findUnit(key: string): TableUnit | null {
  const line = findLine(`U${key}`);
  if (line === null) return null;
  return { key, name: line[1]!, kind: line[2] === "angle" ? "angle" : "length", factor: Number(line[3]) };
}

/**
 * Keys of all systems that carry a name or an Esri alias, whatever the case and the punctuation, current ones
 * before deprecated ones, EPSG before Esri. The first call reads the whole table (about 20 ms).
 */
export function findByName(name: string): readonly string[] {
  if (names === null) {
    const exact = findExactName(name);
    if (exact.length > 0) return exact;
    names = indexNames();
  }
  return names.get(plainName(name)) ?? [];
}

/** Systems whose name or alias is exactly this, by searching the bytes: most names are written as they are listed. */
function findExactName(name: string): string[] {
  if (name === "" || /[\t\n]/.test(name)) return [];
  const bytes = tableBytes();
  const wanted = Buffer.from(`\t${name}`, "utf8");
  const found: { key: string; rank: number }[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
    const after = bytes[at + wanted.length];
    if (after !== 9 && after !== 10) continue;
    const start = bytes.lastIndexOf(10, at) + 1;
    const line = bytes.toString("utf8", start, bytes.indexOf(10, at)).split("\t");
    const [key = ""] = line;
    if (!/^E?\d/.test(key)) continue;
    const field = line[2] === name ? 0 : line[8] === name ? 1 : -1;
    if (field >= 0 && !found.some((entry) => entry.key === key))
      found.push({ key, rank: line[3] === "d" ? 3 : key.startsWith("E") ? 2 : field });
  }
  return found.sort((a, b) => a.rank - b.rank).map((entry) => entry.key);
}

/** Keys of the datums with a name: EPSG's, or Esri's with or without `D_`. The first call reads the whole table. */
export function findByDatumName(name: string): readonly string[] {
  names ??= indexNames();
  return names.get(`datum ${plainDatum(name)}`) ?? [];
}

/** Keys of the geographic systems (2D, current ones first) on a datum. */
export function geodeticOfDatum(datum: string): readonly string[] {
  names ??= indexNames();
  return names.get(`systems of ${datum}`) ?? [];
}

/** Keys of the compound systems with a horizontal and a vertical part. */
export function compoundOf(horizontal: string, vertical: string): readonly string[] {
  names ??= indexNames();
  return names.get(`compound of ${horizontal} and ${vertical}`) ?? [];
}

/** Walks every system; for tools and tests. */
export function* allRecords(): Generator<CrsRecord> {
  for (const line of tableBytes().toString("utf8").split("\n")) {
    if (!/^E?\d/.test(line)) continue;
    yield toRecord(line.split("\t"));
  }
}

/** Versions of the data sets: EPSG, Esri, PROJ. */
export function tableVersions(): readonly string[] {
  const bytes = tableBytes();
  return bytes.toString("utf8", 1, bytes.indexOf(10, 1)).split("\t").slice(1);
}

/** A name without case, spaces and punctuation, for comparing. */
export function plainName(name: string): string {
  // Letters beyond ASCII count; the class is written out because it is applied to every name there is.
  return name.toLowerCase().replace(/[^a-z0-9+\u00c0-\uffff]+/g, "");
}

// The table never changes while the program runs, so it is kept once it has been read.
let table: Buffer | null = null;
let names: Map<string, string[]> | null = null;
// What has been looked up once; no more than the table has lines.
const lines = new Map<string, TableLine>();
const records = new Map<string, CrsRecord>();

function tableBytes(): Buffer {
  // From src/crs and from dist/crs alike.
  table ??= brotliDecompressSync(
    readFileSync(fileURLToPath(new URL("../../assets/epsg.txt.br", import.meta.url))),
  );
  return table;
}

function toRecord(line: TableLine): CrsRecord {
  const [key = "", kind = "", name = "", flags = "", area = "", axes = "", base = "", proj = "", alias = ""] =
    line;
  const box = area === "" ? null : area.split(",").map(Number);
  const projected = kind === "p";
  return {
    code: keyCode(key),
    kind: kind as RecordKind,
    name,
    deprecated: flags === "d",
    area: box === null ? null : [box[0]!, box[1]!, box[2]!, box[3]!],
    axes,
    base,
    proj: proj === "" || kind === "k" || kind === "v" ? proj : `+${proj.replaceAll(" ", " +")} +no_defs`,
    alias,
    conversion: projected
      ? (line[9] ?? "") || name.slice(name.indexOf(" / ") < 0 ? 0 : name.indexOf(" / ") + 3)
      : "",
    method: projected ? (line[10] ?? "") : "",
    operations: projected ? "" : (line[9] ?? ""),
  };
}

function plainDatum(name: string): string {
  return plainName(name.replace(/^D_/i, "")).replace(/ensemble$/, "");
}

function indexNames(): Map<string, string[]> {
  const index = new Map<string, string[]>();
  const add = (plain: string, key: string): void => {
    const keys = index.get(plain);
    if (keys === undefined) index.set(plain, [key]);
    else if (!keys.includes(key)) keys.push(key);
  };
  // Names before aliases, current systems before deprecated ones.
  const later: [string, string][] = [];
  const last: [string, string][] = [];
  for (const line of tableBytes().toString("utf8").split("\n")) {
    const fields = line.split("\t");
    const [key = "", kind = "", name = ""] = fields;
    if (/^DE?\d/.test(key)) {
      const datum = key.slice(1);
      for (const alias of [kind, fields[4] ?? ""]) if (alias !== "") add(`datum ${plainDatum(alias)}`, datum);
    }
    if (!/^E?\d/.test(key)) continue;
    const alias = fields[8] ?? "";
    const old = fields[3] === "d";
    if (old) last.push([plainName(name), key]);
    else add(plainName(name), key);
    if (alias !== "") (old ? last : later).push([plainName(alias), key]);
    if (kind === "g") (old ? last : later).push([`systems of ${fields[6]}`, key]);
    if (kind === "k") (old ? last : later).push([`compound of ${fields[6]} and ${fields[7]}`, key]);
  }
  for (const [plain, key] of later) add(plain, key);
  for (const [plain, key] of last) add(plain, key);
  // Names that GDAL writes and nobody lists.
  for (const [alias, datum] of [
    ["WGS_1984", "6326"],
    ["North_American_Datum_1983", "6269"],
    ["North_American_Datum_1927", "6267"],
  ])
    add(`datum ${plainDatum(alias!)}`, datum!);
  return index;
}
