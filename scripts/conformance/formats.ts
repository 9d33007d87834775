import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Family, type FileResult, Tally } from "./family.ts";
import { rowShape, shapeDifference, wktShape } from "./wkt-shape.ts";

type FeatureSource = import("../../src/model/features.ts").FeatureSource;
type FeatureTable = import("../../src/model/features.ts").FeatureTable;
type ColumnType = import("../../src/model/features.ts").ColumnType;
type Value = import("../../src/model/features.ts").Value;
type Row = import("../../src/model/features.ts").Row;

/** What the family needs of the package. */
export interface FormatsApi {
  openFeatures(path: string): Promise<FeatureSource>;
  rowAt(table: FeatureTable, i: number): Row;
  isGeoError(error: unknown): boolean;
}

interface ExpectedField {
  readonly name: string;
  readonly type: string;
  readonly width: number;
}

/** One entry of `expected.json`; which members there are says what is to be checked. */
interface Entry {
  readonly geometry_type?: string;
  readonly feature_count?: number;
  readonly crs?: { readonly name: string; readonly epsg: number | null } | null;
  readonly extent?: readonly [number, number, number, number];
  readonly fields?: readonly ExpectedField[];
  /** The first 400. Flat objects with `wkt` in the GeoParquet entries. */
  readonly features?: readonly ({ readonly wkt: string | null } & Readonly<Record<string, unknown>>)[];
  readonly bbox_queries?: readonly {
    readonly bbox: readonly [number, number, number, number];
    readonly n32: readonly number[];
  }[];
  /** GDAL refuses the file. */
  readonly gdal_error?: string;
  /** GeoJSON and STAC: whether a strict reader accepts it. */
  readonly valid?: boolean;
  /** GeoParquet: all rows as text, or how many there are. */
  readonly rows?: number | readonly Readonly<Record<string, string | null>>[];
  readonly geo?: {
    readonly primary_column: string;
    readonly columns: Readonly<
      Record<string, { readonly geometry_types: readonly string[]; readonly bbox?: readonly number[] }>
    >;
  };
}

/** Vector formats. A case is a file: its schema, system, extent, features, and what queries by bounds give. */
export const family: Family = {
  name: "formats",
  async run(dir) {
    return runFormats(dir, (await import("tilth")) as unknown as FormatsApi);
  },
};

/** Every entry of the family against an implementation. */
export async function runFormats(dir: string, api: FormatsApi): Promise<FileResult[]> {
  const entries = JSON.parse(readFileSync(join(dir, "expected.json"), "utf8")) as Record<string, Entry>;
  const tally = new Tally("formats", "expected.json");
  for (const [name, entry] of Object.entries(entries)) {
    if (name.startsWith("stac/")) tally.skip("STAC items are not validated yet");
    else if (hasCurves(entry)) tally.skip("circular arcs are refused by name (docs/formats.md)");
    else await tally.check(name, () => checkEntry(join(dir, name), entry, api));
  }
  return [tally.result];
}

/** Whether a file holds geometry of curved edges, which has no place in the model. */
function hasCurves({ geometry_type, features }: Entry): boolean {
  const curved = /circular|curve|multi ?surface/i;
  return (
    curved.test(geometry_type ?? "") ||
    (features ?? []).some(({ wkt }) => typeof wkt === "string" && curved.test(wkt))
  );
}

async function checkEntry(path: string, entry: Entry, api: FormatsApi): Promise<string | null> {
  if (entry.gdal_error !== undefined || entry.valid === false) return await checkRefused(path, api);
  const source = await api.openFeatures(path);
  try {
    const problems = await checkSource(source, entry, api);
    return problems.length === 0 ? null : problems.slice(0, 5).join("; ");
  } finally {
    await source.close();
  }
}

/** A file that must be refused: with an error that says so, not with any other. */
async function checkRefused(path: string, api: FormatsApi): Promise<string | null> {
  try {
    const source = await api.openFeatures(path);
    try {
      for await (const _ of source.batches()) {
        // Reading is the check.
      }
      return "was accepted, expected an error";
    } finally {
      await source.close();
    }
  } catch (error) {
    if (api.isGeoError(error)) return null;
    throw error;
  }
}

async function checkSource(source: FeatureSource, entry: Entry, api: FormatsApi): Promise<string[]> {
  const problems: string[] = [];
  const say = (problem: string | null): void => {
    if (problem !== null) problems.push(problem);
  };
  if (entry.fields !== undefined) say(fieldDifference(source, entry.fields));
  if (entry.crs !== undefined) say(crsDifference(source, entry.crs));
  if (entry.geometry_type !== undefined) say(typeDifference(source, entry.geometry_type));
  const expected = expectedFeatures(entry);
  let count = 0;
  const extent: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.count; i++, count++) {
      const feature = expected[count];
      if (feature === undefined || problems.length > 5) continue;
      say(featureDifference(batch, i, feature, api, count));
    }
    grow(extent, batch);
  }
  const wanted = entry.feature_count ?? (typeof entry.rows === "number" ? entry.rows : entry.rows?.length);
  if (wanted !== undefined && count !== wanted) say(`${count} features, expected ${wanted}`);
  if (wanted !== undefined && source.schema.count !== null && source.schema.count !== count) {
    say(`the schema counts ${source.schema.count} features, there are ${count}`);
  }
  if (entry.extent !== undefined) say(extentDifference(source, extent, entry.extent));
  for (const [name, column] of Object.entries(entry.geo?.columns ?? {})) {
    if (name !== entry.geo?.primary_column) continue;
    // Bounds with heights are minX, minY, minZ, maxX, maxY, maxZ.
    const bbox = column.bbox?.length === 6 ? column.bbox.filter((_, k) => k % 3 < 2) : column.bbox;
    if (bbox !== undefined && String(source.schema.bounds) !== String(bbox)) {
      say(`bounds ${String(source.schema.bounds)}, expected ${String(bbox)}`);
    }
    // A column that holds flat and high geometry has heights.
    const high = column.geometry_types.some((type) => type.endsWith(" Z"));
    for (const type of column.geometry_types)
      say(typeDifference(source, high && !type.endsWith(" Z") ? `${type} Z` : type));
  }
  for (const { bbox, n32 } of entry.bbox_queries ?? []) {
    const found: number[] = [];
    for await (const batch of source.batches({ bounds: bbox })) {
      for (let i = 0; i < batch.count; i++) found.push(Number(api.rowAt(batch, i)["n32"]));
    }
    const same =
      JSON.stringify(found.sort((a, b) => a - b)) === JSON.stringify([...n32].sort((a, b) => a - b));
    if (!same) say(`bounds ${bbox.join(",")} give ${found.length} features, expected ${n32.length}`);
  }
  return problems;
}

interface ExpectedFeature {
  readonly wkt: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

function expectedFeatures(entry: Entry): readonly ExpectedFeature[] {
  const rows =
    entry.features ?? (Array.isArray(entry.rows) ? (entry.rows as NonNullable<Entry["features"]>) : []);
  return rows.map(({ wkt, geometry, ...rest }) => ({
    wkt: (wkt ?? geometry ?? null) as string | null,
    properties: ("properties" in rest ? rest["properties"] : rest) as Readonly<Record<string, unknown>>,
  }));
}

/** What OGR calls each type. Booleans are whole numbers in FlatGeobuf and text of one letter in Shapefiles. */
const OGR_TYPES: Readonly<Record<ColumnType, readonly string[]>> = {
  int32: ["Integer"],
  int64: ["Integer64"],
  float64: ["Real"],
  boolean: ["Integer", "String"],
  string: ["String"],
  json: ["String"],
  date: ["Date"],
  datetime: ["DateTime"],
  time: ["Time"],
  binary: ["Binary"],
};

function fieldDifference(source: FeatureSource, expected: readonly ExpectedField[]): string | null {
  const { fields } = source.schema;
  const names = fields.map(({ name }) => name).join(",");
  const wanted = expected.map(({ name }) => name).join(",");
  if (names !== wanted) return `fields ${names}, expected ${wanted}`;
  for (const [k, field] of fields.entries()) {
    const { type, width } = expected[k]!;
    const isLetter = field.type === "boolean" && type === "String" && width !== 1;
    if (!OGR_TYPES[field.type].includes(type) || isLetter)
      return `field ${field.name} is ${field.type}, expected ${type}`;
  }
  return null;
}

function crsDifference(source: FeatureSource, expected: Entry["crs"]): string | null {
  const { crs } = source.schema;
  if (expected === null || expected === undefined) {
    return crs === null ? null : `CRS ${crs.code ?? crs.name}, expected none`;
  }
  if (crs === null) return `no CRS, expected ${expected.name}`;
  if (expected.epsg === null) return null;
  const code = crs.code === "OGC:CRS84" ? "EPSG:4326" : crs.code;
  return code === `EPSG:${expected.epsg}` ? null : `CRS ${code}, expected EPSG:${expected.epsg}`;
}

const TYPE_NAMES = [
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
];

/** Surfaces of straight edges, and what they are in the model. */
const SURFACES: Readonly<Record<string, string>> = {
  Triangle: "Polygon",
  TIN: "MultiPolygon",
  PolyhedralSurface: "MultiPolygon",
};

/** `"3D Measured Multi Polygon"`, `"Unknown (any)"`, `"Polygon Z"`. A layer may also declare its single or multi relative. */
function typeDifference(source: FeatureSource, expected: string): string | null {
  const { geometryTypes, hasZ, hasM } = source.schema;
  if (expected === "Unknown (any)") return null;
  if (hasZ !== /^3D | Z$/.test(expected)) return `Z is ${hasZ}, expected ${expected}`;
  if (hasM !== /Measured /.test(expected)) return `M is ${hasM}, expected ${expected}`;
  const plain = expected.replace(/^3D /, "").replace("Measured ", "").replace(/ Z$/, "").replaceAll(" ", "");
  const code = TYPE_NAMES.indexOf(SURFACES[plain] ?? plain) + 1;
  return geometryTypes.includes(code as 1)
    ? null
    : `geometry types ${geometryTypes.join(",")}, expected ${expected}`;
}

function extentDifference(
  source: FeatureSource,
  extent: readonly number[],
  expected: NonNullable<Entry["extent"]>,
): string | null {
  // GDAL gives zeros when there is nothing to measure.
  if (!(extent[0]! <= extent[2]!)) return null;
  for (const [what, bounds] of [
    ["of the features", extent],
    ["in the schema", source.schema.bounds],
  ] as const) {
    if (bounds !== null && String([...bounds]) !== String([...expected])) {
      return `extent ${what} ${bounds.join(",")}, expected ${expected.join(",")}`;
    }
  }
  return null;
}

function grow(extent: [number, number, number, number], { geometry }: FeatureTable): void {
  const xy = geometry?.xy ?? [];
  for (let k = 0; k < xy.length; k += 2) {
    extent[0] = Math.min(extent[0], xy[k]!);
    extent[1] = Math.min(extent[1], xy[k + 1]!);
    extent[2] = Math.max(extent[2], xy[k]!);
    extent[3] = Math.max(extent[3], xy[k + 1]!);
  }
}

function featureDifference(
  batch: FeatureTable,
  i: number,
  expected: ExpectedFeature,
  api: FormatsApi,
  position: number,
): string | null {
  const shape = batch.geometry === null ? null : rowShape(batch.geometry, i);
  const why = shapeDifference(shape, expected.wkt === null ? null : wktShape(expected.wkt));
  if (why !== null) return `feature ${position}: ${why}`;
  const row = api.rowAt(batch, i);
  for (const [name, value] of Object.entries(expected.properties)) {
    const ours = row[name];
    if (!sameValue(ours, value)) {
      return `feature ${position}: ${name} is ${show(ours)}, expected ${JSON.stringify(value)}`;
    }
  }
  return null;
}

function show(value: Value | undefined): string {
  return typeof value === "bigint" || typeof value === "number"
    ? String(value)
    : value instanceof Uint8Array
      ? toHex(value)
      : (JSON.stringify(value) ?? "missing");
}

/** Our cell against what GDAL prints: dates as text, bytes as hex, booleans as 1 and 0 or as the letters of a Shapefile. */
function sameValue(ours: Value | undefined, expected: unknown): boolean {
  if (ours === undefined) return false;
  // A letter that is neither yes nor no is what Shapefiles have for no value.
  if (ours === null && expected === "?") return true;
  if (ours === null || expected === null) return ours === expected;
  if (ours instanceof Date) return typeof expected === "string" && ours.getTime() === parseOgrTime(expected);
  if (ours instanceof Uint8Array) return toHex(ours) === String(expected).toLowerCase();
  if (typeof ours === "boolean") {
    return (
      ours === expected ||
      expected === (ours ? 1 : 0) ||
      (ours ? /^[TtYy]$/ : /^[FfNn]$/).test(String(expected))
    );
  }
  if (typeof ours === "number" || typeof ours === "bigint") {
    if (typeof expected !== "string") return Number(ours) === expected;
    // Text of a table may say 5 as 5.0.
    return String(ours) === expected || (expected.trim() !== "" && Object.is(ours, toNumber(expected)));
  }
  if (typeof ours === "string") return ours === expected;
  return typeof expected === "string" && JSON.stringify(ours) === JSON.stringify(JSON.parse(expected));
}

/** Number of a text, also of `nan`, `inf` and `-inf`. */
function toNumber(text: string): number {
  const special = /^([-+]?)inf(?:inity)?$/i.exec(text.trim());
  if (special === null) return Number(text);
  return special[1] === "-" ? -Infinity : Infinity;
}

/** `2020/02/29`, `2020/02/29 12:34:56.5`, and with a zone of hours: `+00`. Milliseconds since 1970, NaN otherwise. */
function parseOgrTime(text: string): number {
  const match = /^(\d{4})\/(\d\d)\/(\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(\d\d)?)?)?$/.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, time = "00:00:00", hours = "+00", minutes = "00"] = match;
  return Date.parse(`${year}-${month}-${day}T${time}${hours}:${minutes}`);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
