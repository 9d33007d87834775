import { z } from "zod";
import { describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type Column,
  ColumnBuilder,
  columnNamed,
  concatTables,
  type FeatureSource,
  type FeatureTable,
  tableSource,
  takeRows,
  type Value,
  valueAt,
} from "../model/features.ts";
import { GEOJSON_CRS } from "../model/geojson.ts";
import { centroids } from "../operators/centroids.ts";
import { dissolve } from "../operators/dissolve.ts";
import { nearestJoin } from "../operators/nearest-join.ts";
import { readTable } from "../operators/read-table.ts";
import { reprojectFeatures } from "../operators/reproject-features.ts";
import { spatialJoin } from "../operators/spatial-join.ts";
import { definePipeline, type Pipeline, type PipelineContext } from "./define.ts";
import { greatCircleNearest } from "./great-circle.ts";
import { layerName, validName } from "./naming.ts";
import { area, format } from "./parameters.ts";

/** Kilometres, as in the original's preparation. */
const EARTH_RADIUS = 6371;
const SUFFIX = "_distance";
const CODE = "censuscode2011";
const NAME = "censusname";
/** Columns of the table that are handed on besides the distances, where it has them. */
const IDENTIFIERS = ["core_admin_uid", "shrid2"];

const parameters = z.object({
  area,
  format,
  villageKey: z.string().default("vill_ID").describe("column of the villages with their code"),
  villageName: z.string().default("vill_name").describe("column of the villages with their name"),
  places: z
    .array(z.string())
    .default(["state", "district", "tehsil"])
    .describe(
      "columns of the villages to keep; rows that agree in these, the code and the name are one village. Those that the layer lacks are left out",
    ),
  tableKey: z.string().default(CODE).describe("column of the distance table with the village's code"),
  kindColumn: z
    .string()
    .default("facility")
    .describe("column of the facilities with their kind: each gives a column <kind>_distance"),
  distance: z
    .enum(["geodesic", "great-circle"])
    .default("geodesic")
    .describe(
      "how distances to facilities are measured; geodesic: on WGS 84; great-circle: on a sphere of 6371 km, as the original's table was made (up to 0.6 % off)",
    ),
});

const pipeline = definePipeline({
  name: "facilities-proximity",
  version: "1.0.0",
  title: "Facilities near the villages",
  question: "For each village, how far is the nearest facility of each kind?",
  shape: "join and enrichment",
  parameters,
  inputs: {
    villages: {
      kind: "features",
      title: "Villages",
      expects:
        "polygons (or points) with a code and a name; a village may be split into several rows with the same code",
    },
    distances: {
      kind: "features",
      title: "Distance table",
      expects:
        "a row for each village with its code and columns ending in _distance, in km; with geometry, only rows that meet the villages count",
      optional: true,
    },
    facilities: {
      kind: "features",
      title: "Facilities",
      expects: "points with a column of their kind; distances are computed from the middle of each village",
      optional: true,
    },
  },
  outputs: [
    {
      name: "facilities_proximity_<district>_<block>",
      kind: "vector",
      title: "Villages, one row each, with the distance to the nearest facility of each kind",
      columns: [
        { name: "state, district, tehsil", unit: "text", meaning: "as in the villages" },
        { name: CODE, unit: "code", meaning: "code of the village" },
        { name: NAME, unit: "text", meaning: "name of the village" },
        {
          name: "core_admin_uid, shrid2",
          unit: "text",
          meaning: "from the distance table, where it has them",
        },
        {
          name: "<kind>_distance",
          unit: "km",
          meaning:
            "to the nearest facility of that kind; null where the table has no row or there is no facility",
        },
      ],
    },
  ],
  sources: [
    "CoRE Stack, generate_facilities_proximity: rows with the same five columns united, in order of first appearance; table rows that meet the villages, joined by code, the first on a tie",
    "CoRE Stack, preparation of that table: centroid of the village to the nearest facility, great circle with R = 6371 km",
    "C. F. F. Karney (2013), Algorithms for geodesics, for distances on WGS 84",
  ],
  async run(parameters, context) {
    const { inputs } = context;
    if (!inputs.has("distances") && !inputs.has("facilities")) {
      throw new GeoError(
        "INVALID_INPUT",
        "facilities-proximity needs distances or facilities, neither was given",
        { path: "distances", expected: "a table of distances or a layer of facilities" },
        { hint: "Put the path of one into the configuration, or pass --set facilities=PATH." },
      );
    }
    const rows = await readTable(inputs.features("villages"), { signal: context.signal });
    const villages = await oneRowEach(rows, inputs.features("villages").url, parameters, context);
    const columns: Column[] = [];
    const counts: Counts = { unmatched: 0, duplicates: 0, tableRows: 0, facilities: 0 };
    if (inputs.has("distances"))
      columns.push(...(await fromTable(villages, inputs.features("distances"), parameters, context, counts)));
    if (inputs.has("facilities")) {
      const known = new Set(columns.map(({ name }) => name));
      const computed = await fromPoints(villages, inputs.features("facilities"), parameters, context, counts);
      columns.push(...computed.filter(({ name }) => !known.has(name)));
    }
    const table: FeatureTable = { ...villages, columns: [...villages.columns, ...columns] };
    const distances = columns.filter(({ name }) => name.endsWith(SUFFIX));
    return {
      layers: [
        {
          kind: "vector",
          name: layerName("facilities_proximity", parameters.area),
          title: "Villages",
          source: table,
          style: { color: "#6b6b6b", fill: "#d9e6d2", width: 0.8, idColumn: CODE },
        },
      ],
      context: inputs.has("facilities")
        ? [
            {
              kind: "vector",
              name: "facilities",
              title: "Facilities",
              source: inputs.features("facilities"),
              style: { color: "#b4421f", width: 1 },
            },
          ]
        : [],
      summarize: () => ({
        figures: [
          { label: "Rows in", value: rows.count },
          { label: "Villages", value: villages.count },
          { label: "Kinds of facility", value: distances.length },
          ...(inputs.has("distances")
            ? [{ label: "Villages without a row in the table", value: counts.unmatched }]
            : []),
          ...(inputs.has("facilities") ? [{ label: "Facilities", value: counts.facilities }] : []),
        ],
        charts: [
          {
            title: "Distance to the nearest facility",
            unit: "km",
            categories: distances.map(({ name }) => name.slice(0, -SUFFIX.length).replaceAll("_", " ")),
            series: [
              { name: "middle village", values: distances.map((column) => median(column)) },
              { name: "farthest village", values: distances.map((column) => largest(column)) },
            ],
          },
        ],
        counts: { rowsIn: rows.count, villages: villages.count, ...counts },
      }),
    };
  },
});

/** Distance from each village to the nearest facility of each kind. */
export const facilitiesProximity: Pipeline = pipeline;

type Parameters = z.output<typeof parameters>;

interface Counts {
  /** Villages without a row in the table. */
  unmatched: number;
  /** Rows of the table left out, as an earlier one has the same code. */
  duplicates: number;
  /** Rows of the table near the villages. */
  tableRows: number;
  facilities: number;
  readonly [key: string]: number;
}

/** The villages with rows of the same code, name and place united, and their columns named as the layer will have them. */
async function oneRowEach(
  rows: FeatureTable,
  url: string,
  { villageKey, villageName, places }: Parameters,
  context: PipelineContext,
): Promise<FeatureTable> {
  if (columnNamed(rows, villageKey) === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `${url} has no column "${villageKey}" with the villages' codes`,
      { path: "villageKey", expected: rows.columns.map(({ name }) => name).join(", ") },
      { hint: `Pass --set villageKey=NAME; it has: ${rows.columns.map(({ name }) => name).join(", ")}.` },
    );
  }
  const by = [...new Set([...places, villageKey, villageName])].filter(
    (name) => columnNamed(rows, name) !== undefined,
  );
  if (!by.includes(villageName))
    context.warn(`the villages have no column "${villageName}": they stay nameless`);
  const { table, united, warnings } = await dissolve(rows, {
    by,
    signal: context.signal,
    onProgress: (done, total) => context.progress("uniting villages", done, total, "villages"),
  });
  for (const warning of warnings) context.warn(warning);
  const key = columnNamed(table, villageKey)!;
  const codes = new Set<string>();
  let blank = 0;
  let repeated = 0;
  for (let row = 0; row < table.count; row++) {
    const code = codeOf(valueAt(key, row));
    if (code === null || code === "0") blank++;
    else if (codes.has(code)) repeated++;
    else codes.add(code);
  }
  if (blank > 0) context.warn(`${blank} villages have no code, or 0`);
  if (repeated > 0)
    context.warn(`${repeated} villages have the code of another one, with another name or place`);
  if (united > 0)
    context.warn(`${united} villages were put together from ${rows.count - table.count + united} rows`);
  const renamed = table.columns.map((column): Column => {
    const name = column.name === villageKey ? CODE : column.name === villageName ? NAME : column.name;
    return { ...column, name };
  });
  return { ...table, columns: renamed };
}

/** Columns of the distance table for each village, by code. */
async function fromTable(
  villages: FeatureTable,
  table: FeatureSource,
  { tableKey }: Parameters,
  context: PipelineContext,
  counts: Counts,
): Promise<Column[]> {
  const names = table.schema.fields.map(({ name }) => name);
  const distances = names.filter((name) => name.endsWith(SUFFIX));
  if (!names.includes(tableKey) || distances.length === 0) {
    throw new GeoError(
      "INVALID_INPUT",
      `${table.url} has no ${names.includes(tableKey) ? "column ending in _distance" : `column "${tableKey}"`}`,
      { path: "distances", expected: `${tableKey} and columns ending in _distance` },
      { hint: `It has: ${names.join(", ")}. Name the code with --set tableKey=NAME.` },
    );
  }
  const fields = [...IDENTIFIERS.filter((name) => names.includes(name)), ...distances];
  const key = columnNamed(villages, CODE)!;
  const codes = Array.from({ length: villages.count }, (_, row) => codeOf(valueAt(key, row)));
  const rowOf = new Map<string, number>();
  for (const code of codes) if (code !== null) rowOf.set(code, -1);

  const { geometryTypes } = table.schema;
  const plain = geometryTypes.length === 1 && geometryTypes[0] === 0;
  const near = plain
    ? table
    : await spatialJoin(table, villages, {
        how: "semi",
        predicate: "intersects",
        onCrsMismatch: context.onCrsMismatch,
        signal: context.signal,
      });
  const kept: FeatureTable[] = [];
  let keptRows = 0;
  for await (const batch of near.batches({
    fields: [...new Set([tableKey, ...fields])],
    signal: context.signal,
  })) {
    counts.tableRows += batch.count;
    const rows: number[] = [];
    const column = columnNamed(batch, tableKey)!;
    for (let row = 0; row < batch.count; row++) {
      const code = codeOf(valueAt(column, row));
      const known = code === null ? undefined : rowOf.get(code);
      if (code === null || known === undefined) continue;
      if (known >= 0) {
        counts.duplicates++;
        continue;
      }
      rowOf.set(code, keptRows++);
      rows.push(row);
    }
    if (rows.length > 0) kept.push({ ...takeRows({ ...batch, geometry: null, ids: null }, rows) });
  }
  counts.unmatched = codes.reduce((sum, code) => sum + (code === null || rowOf.get(code)! < 0 ? 1 : 0), 0);
  if (counts.duplicates > 0)
    context.warn(`${counts.duplicates} rows of the distance table repeat a code: the first row counts`);
  if (counts.unmatched > 0)
    context.warn(`${counts.unmatched} villages have no row in the distance table: their distances are null`);
  const found = kept.length === 0 ? null : concatTables(kept, table.schema);
  return fields.map((name) => {
    const type = table.schema.fields.find((field) => field.name === name)!.type;
    const builder = new ColumnBuilder({ name, type, nullable: true });
    const column = found === null ? undefined : columnNamed(found, name);
    for (const code of codes) {
      const row = code === null ? -1 : rowOf.get(code)!;
      builder.push(row < 0 || column === undefined ? null : valueAt(column, row));
    }
    return builder.finish();
  });
}

/** Distances from the middle of each village to the nearest facility of each kind, kilometres. */
async function fromPoints(
  villages: FeatureTable,
  facilities: FeatureSource,
  { kindColumn, distance }: Parameters,
  context: PipelineContext,
  counts: Counts,
): Promise<Column[]> {
  const names = facilities.schema.fields.map(({ name }) => name);
  if (!names.includes(kindColumn)) {
    throw new GeoError(
      "INVALID_INPUT",
      `${facilities.url} has no column "${kindColumn}" with the kind of a facility`,
      { path: "kindColumn", expected: names.join(", ") },
      { hint: `Pass --set kindColumn=NAME; it has: ${names.join(", ")}.` },
    );
  }
  const middles = await inDegrees(tableSource(centroids(villages), "the villages"), [], context);
  const points = await inDegrees(facilities, [kindColumn], context);
  const kinds = new Map<string, number[]>();
  const column = columnNamed(points, kindColumn)!;
  let nameless = 0;
  for (let row = 0; row < points.count; row++) {
    const kind = valueAt(column, row);
    if (kind === null || kind === "") {
      nameless++;
      continue;
    }
    const name = `${validName(String(kind))}${SUFFIX}`;
    const rows = kinds.get(name);
    if (rows === undefined) kinds.set(name, [row]);
    else rows.push(row);
  }
  counts.facilities = points.count;
  if (nameless > 0) context.warn(`${nameless} facilities have no kind: they count as not there`);
  const columns: Column[] = [];
  for (const [name, rows] of kinds) {
    const there = takeRows({ ...points, columns: [], ids: null }, rows);
    const kilometres =
      distance === "great-circle"
        ? greatCircleNearest(middles.geometry!, there.geometry!, EARTH_RADIUS)
        : await geodesicNearest(middles, there, context);
    const builder = new ColumnBuilder({ name, type: "float64", nullable: true });
    for (const one of kilometres) {
      if (Number.isFinite(one)) builder.pushNumber(one);
      else builder.pushNull();
    }
    columns.push(builder.finish());
    context.progress("measuring distances", columns.length, kinds.size, "kinds");
  }
  return columns;
}

async function geodesicNearest(
  middles: FeatureTable,
  there: FeatureTable,
  context: PipelineContext,
): Promise<Float64Array> {
  const nearest = await nearestJoin(middles, there, {
    k: 1,
    how: "left",
    ties: "first",
    metric: "geodesic",
    distanceColumn: "metres",
    signal: context.signal,
  });
  const out = new Float64Array(middles.count).fill(Number.NaN);
  let at = 0;
  for await (const batch of nearest.batches({ signal: context.signal })) {
    const column = columnNamed(batch, "metres")!;
    for (let row = 0; row < batch.count; row++) {
      const value = valueAt(column, row);
      out[at++] = typeof value === "number" ? value / 1000 : Number.NaN;
    }
  }
  return out;
}

/** A layer in longitude and latitude with some of its columns. */
async function inDegrees(
  source: FeatureSource,
  fields: readonly string[],
  context: PipelineContext,
): Promise<FeatureTable> {
  const { crs } = source.schema;
  const { signal } = context;
  if (crs === null) context.warn(`${source.url} has no CRS: its coordinates are taken to be degrees`);
  if (crs === null || sameCrs(crs, GEOJSON_CRS))
    return { ...(await readTable(source, { fields, signal })), crs: GEOJSON_CRS };
  const moved = reprojectFeatures(source, GEOJSON_CRS);
  const table = await readTable(moved, { fields, signal });
  for (const warning of moved.report.warnings) context.warn(warning);
  if (moved.report.lost > 0)
    context.warn(`${moved.report.lost} features of ${source.url} have no place outside ${describeCrs(crs)}`);
  return table;
}

/**
 * A code as text that is the same however a file stores it: numbers in full, text without blanks around it and, when it is a whole
 * number, without zeros before it. `null` for nothing.
 */
function codeOf(value: Value): string | null {
  if (value === null) return null;
  const text = String(value).trim();
  if (text === "" || text === "NaN") return null;
  return /^\d+(\.0+)?$/.test(text) ? text.replace(/\.0+$/, "").replace(/^0+(?=\d)/, "") : text;
}

function numbersOf(column: Column): number[] {
  const values: number[] = [];
  const count = "offsets" in column.values ? column.values.offsets.length - 1 : column.values.length;
  for (let row = 0; row < count; row++) {
    const value = valueAt(column, row);
    if (typeof value === "number" && !Number.isNaN(value)) values.push(value);
  }
  return values.sort((a, b) => a - b);
}

function median(column: Column): number {
  const values = numbersOf(column);
  if (values.length === 0) return 0;
  return round((values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2);
}

function largest(column: Column): number {
  return round(numbersOf(column).at(-1) ?? 0);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
