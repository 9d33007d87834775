import { join } from "node:path";
import { transformBounds } from "../../crs/bounds.ts";
import { openFeatures, openRaster } from "../../io/open.ts";
import { type Crs, sameCrs } from "../../model/crs.ts";
import {
  type Column,
  concatTables,
  type FeatureSource,
  type FeatureTable,
  valueAt,
} from "../../model/features.ts";
import { type Bounds, gridBounds } from "../../model/grid.ts";
import type { RasterSource, Rgba } from "../../model/raster.ts";
import type { Chart, LayerOutput, Pipeline, PipelineResult } from "../../pipelines/define.ts";
import type { RunRecord } from "../run.ts";
import { parseColor, rampColor, SERIES, WATER } from "./colors.ts";
import { renderReport } from "./page.ts";
import { renderPreview } from "./preview.ts";
import { rasterLayer } from "./raster-layer.ts";
import type { ChartSpec, Provenance, ReportInput, ReportLayer, ReportTable } from "./types.ts";
import { columnKeys, orderColumn, tableBounds, textOf, vectorLayer } from "./vector-layer.ts";

/** Features of one layer that a page shows, and rows of its table. */
const MOST_FEATURES = 50_000;
const MOST_ROWS = 2000;
/** Cells of the table, so that wide tables do not make the page heavy. */
const MOST_CELLS = 60_000;

/** Land that only has an outline, on a map without a raster. */
const LAND: Rgba = [255, 255, 255, 170];

type Drawn = Extract<LayerOutput, { kind: "vector" | "raster" }>;
type Opened =
  | {
      readonly layer: Drawn;
      readonly output: boolean;
      readonly kind: "vector";
      readonly table: FeatureTable;
      readonly total: number | null;
    }
  | {
      readonly layer: Drawn;
      readonly output: boolean;
      readonly kind: "raster";
      readonly raster: RasterSource;
    };

/** The page and the picture of a run, from the layers that it left in `folder` and those that give context. */
export async function renderRun(
  pipeline: Pipeline,
  record: RunRecord,
  result: PipelineResult,
  folder: string,
  _format: string,
): Promise<{ html: string; png: Uint8Array }> {
  const opened: Opened[] = [];
  try {
    for (const layer of result.context ?? []) opened.push(await openContext(layer));
    for (const layer of result.layers) {
      if (layer.kind === "table") continue;
      const written = record.outputs.find(({ name }) => name === layer.name);
      if (written !== undefined) opened.push(await openWritten(layer, join(folder, written.path)));
    }
    const input = await reportInput(pipeline, record, result, folder, opened);
    return { html: renderReport(input), png: renderPreview(input) };
  } finally {
    for (const one of opened) if (one.kind === "raster" && one.output) await one.raster.close();
  }
}

async function openContext(layer: Drawn): Promise<Opened> {
  if (layer.kind === "raster") return { layer, output: false, kind: "raster", raster: layer.source };
  const { source } = layer;
  if (!("batches" in source))
    return { layer, output: false, kind: "vector", table: source, total: source.count };
  return { layer, output: false, kind: "vector", ...(await firstFeatures(source)) };
}

async function openWritten(layer: Drawn, path: string): Promise<Opened> {
  if (layer.kind === "raster") return { layer, output: true, kind: "raster", raster: await openRaster(path) };
  const source = await openFeatures(path);
  try {
    return { layer, output: true, kind: "vector", ...(await firstFeatures(source)) };
  } finally {
    await source.close();
  }
}

async function firstFeatures(source: FeatureSource): Promise<{ table: FeatureTable; total: number | null }> {
  const batches: FeatureTable[] = [];
  let count = 0;
  let cut = false;
  for await (const batch of source.batches()) {
    batches.push(batch);
    count += batch.count;
    if (count >= MOST_FEATURES) {
      cut = true;
      break;
    }
  }
  return { table: concatTables(batches, source.schema), total: cut ? source.schema.count : count };
}

async function reportInput(
  pipeline: Pipeline,
  record: RunRecord,
  result: PipelineResult,
  folder: string,
  opened: readonly Opened[],
): Promise<ReportInput> {
  const crs = mapCrs(opened);
  // Output layers say where to look; context that reaches far beyond them does not.
  const bounds = unite(
    opened.filter(({ output }) => output),
    crs,
  ) ??
    unite(opened, crs) ?? [0, 0, 1, 1];
  const context = unite(opened, crs) ?? bounds;
  const map = { crs, bounds: muchLarger(context, bounds) ? bounds : context };
  const keyColumn = opened.map(({ layer }) => layer.style?.idColumn).find((name) => name !== undefined);
  const notes: string[] = [];
  const tables = opened.filter((one) => one.kind === "vector" && one.output) as Extract<
    Opened,
    { kind: "vector" }
  >[];
  const csv = await tableOnly(result, record, folder);
  const main = tables[0] ?? csv;
  const keys = main === undefined ? null : keysOf(main.table, keyColumn);
  const layers = await drawLayers(opened, map, { keyColumn, table: main?.table, keys }, notes);
  for (const { layer, table, total } of tables) {
    if (total !== null && total > table.count)
      notes.push(`The map shows the first ${table.count} of ${total} features of ${layer.title}.`);
  }
  const area = record.parameters["area"] as { [key: string]: string } | undefined;
  const charts = record.charts.map(toSpec);
  const own = charts.length > 0 || main === undefined ? charts : derivedCharts(main.table);
  return {
    title: pipeline.title,
    ...(area === undefined ? {} : { subtitle: placeName(area) }),
    question: pipeline.question,
    createdBy: `tilth ${record.tilth}`,
    createdAt: record.startedAt,
    summary: record.figures,
    map,
    layers,
    table: main === undefined ? null : tableOf(main.layer.title, main.table, main.total, keys),
    charts: own,
    warnings: [...record.warnings, ...notes],
    provenance: provenanceOf(record),
  };
}

/** From the small to the large: block, district, state; or the project and its id. */
function placeName(area: { readonly [key: string]: string }): string {
  const { project, id, block, district, state } = area;
  return (project === undefined ? [block, district, state] : [project, id]).filter(Boolean).join(", ");
}

/** How rows of the table and shapes of the map know each other. */
interface Links {
  readonly keyColumn: string | undefined;
  /** The table that is shown, and the key of each of its rows. */
  readonly table: FeatureTable | undefined;
  readonly keys: readonly string[] | null;
}

/** Units are known by their id, so that all layers of them are linked; other features by their position. */
function keysOf(table: FeatureTable, keyColumn: string | undefined): readonly string[] {
  const column = table.columns.find(({ name }) => name === keyColumn);
  return column === undefined
    ? Array.from({ length: table.count }, (_, i) => `row ${table.firstRow + i + 1}`)
    : columnKeys(column, table.count);
}

/** Layers from the bottom: rasters, then polygons, then lines and points, each in the order they came. */
async function drawLayers(
  opened: readonly Opened[],
  map: ReportInput["map"],
  links: Links,
  notes: string[],
): Promise<ReportLayer[]> {
  const drawn: ReportLayer[] = [];
  const rasters = opened.filter((one) => one.kind === "raster");
  const covered = opened.some(({ layer }) => layer.kind === "vector" && layer.style?.by !== undefined);
  for (const [k, { layer, raster }] of rasters.entries()) {
    const made = await rasterLayer(raster, {
      id: `raster-${k}`,
      title: layer.title,
      map,
      classes: layer.style?.classes,
      ...(layer.kind === "raster" && layer.classes === true ? { categorical: true } : {}),
      // One raster hides the others, and coloured polygons hide them all: what is on top is shown first.
      visible: k === rasters.length - 1 && !covered,
    });
    if (made === null) notes.push(`${layer.title} does not reach the map.`);
    else drawn.push(made);
  }
  const vectors = opened.filter((one) => one.kind === "vector");
  const made = vectors.flatMap(({ layer, table }, k) => {
    const one = vectorLayer(table, {
      id: `vector-${k}`,
      title: layer.title,
      map,
      style: layer.style,
      keyColumn: links.keyColumn,
      ...(table === links.table && links.keys !== null ? { keys: links.keys } : {}),
      ...(rasters.length === 0 ? { ground: LAND } : { casing: LAND }),
    });
    return one === null ? [] : [one];
  });
  const rank = (layer: (typeof made)[number]): number =>
    layer.legend.kind === "symbols" ? { polygon: 0, line: 1, point: 2 }[layer.legend.shape] : 0;
  made.sort((a, b) => rank(a) - rank(b));
  return [...drawn, ...made];
}

function mapCrs(opened: readonly Opened[]): Crs | null {
  const all = opened.map((one) => (one.kind === "vector" ? one.table.crs : one.raster.grid.crs));
  return (
    all.find((crs) => crs !== null && crs.kind === "projected") ?? all.find((crs) => crs !== null) ?? null
  );
}

function unite(opened: readonly Opened[], crs: Crs | null): Bounds | null {
  let all: Bounds | null = null;
  for (const one of opened) {
    const next = one.kind === "vector" ? tableBounds(one.table, crs) : rasterBounds(one.raster, crs);
    if (next === null || !next.every(Number.isFinite)) continue;
    all =
      all === null
        ? next
        : [
            Math.min(all[0], next[0]),
            Math.min(all[1], next[1]),
            Math.max(all[2], next[2]),
            Math.max(all[3], next[3]),
          ];
  }
  return all;
}

function rasterBounds({ grid }: RasterSource, crs: Crs | null): Bounds {
  const own = gridBounds(grid);
  if (grid.crs === null || crs === null || sameCrs(grid.crs, crs)) return own;
  return transformBounds(own, grid.crs, crs);
}

function muchLarger(context: Bounds, bounds: Bounds): boolean {
  const area = ([minX, minY, maxX, maxY]: Bounds): number => (maxX - minX) * (maxY - minY);
  return area(bounds) > 0 && area(context) > 6 * area(bounds);
}

/** The first plain table of a run, when it has one. */
async function tableOnly(
  result: PipelineResult,
  record: RunRecord,
  folder: string,
): Promise<{ layer: LayerOutput; table: FeatureTable; total: number | null } | undefined> {
  const layer = result.layers.find(({ kind }) => kind === "table");
  const written = record.outputs.find(({ name }) => name === layer?.name);
  if (layer === undefined || written === undefined) return undefined;
  const source = await openFeatures(join(folder, written.path));
  try {
    return { layer, ...(await firstFeatures(source)) };
  } finally {
    await source.close();
  }
}

function tableOf(
  title: string,
  table: FeatureTable,
  total: number | null,
  keys: readonly string[] | null,
): ReportTable {
  const columns = table.columns.filter(({ type }) => type !== "binary");
  const count = Math.min(
    table.count,
    MOST_ROWS,
    Math.max(50, Math.floor(MOST_CELLS / Math.max(1, columns.length))),
  );
  return {
    title,
    columns: columns.map(({ name, type }) => ({
      name,
      numeric: type === "int32" || type === "int64" || type === "float64",
    })),
    rows: Array.from({ length: count }, (_, i) => columns.map((column) => cellOf(column, i))),
    keys: keys === null ? null : keys.slice(0, count),
    total: Math.max(table.count, total ?? 0),
  };
}

function cellOf(column: Column, i: number): string | number | boolean | null {
  const value = valueAt(column, i);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number")
    return Number.isFinite(value) ? Number(value.toPrecision(10)) : String(value);
  const text = textOf(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

/** Many coloured series are shares of one bar; few are bars of their own. */
function toSpec({ title, unit, categories, series }: Chart): ChartSpec {
  return {
    title,
    unit,
    categories,
    stacked: series.length >= 4,
    series: series.map(({ name, color, values }, k) => ({
      name,
      color: parseColor(color, null) ?? SERIES[k % SERIES.length]!,
      values,
    })),
  };
}

/**
 * A chart for runs that bring none: how many features there are of each stream order, else of each value of the
 * first attribute that has only a few.
 */
function derivedCharts(table: FeatureTable): ChartSpec[] {
  const orders = orderColumn(table);
  if (orders !== null) {
    const names = Array.from(orders.values, (order) => (order === 0 ? "none" : `${orders.name} ${order}`));
    return [countChart("Lines by stream order", names, rampColor(WATER, 0.6))];
  }
  for (const column of table.columns) {
    if (!["string", "int32", "boolean"].includes(column.type)) continue;
    const names = Array.from({ length: table.count }, (_, i) => textOf(valueAt(column, i)) || "none");
    const distinct = new Set(names).size;
    if (distinct < 2 || distinct > 12 || 2 * distinct > table.count) continue;
    return [countChart(`Features by ${column.name}`, names, SERIES[0]!)];
  }
  return [];
}

function countChart(title: string, names: readonly string[], color: Rgba): ChartSpec {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const categories = [...counts.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const values = categories.map((name) => counts.get(name)!);
  return {
    title,
    unit: "features",
    stacked: false,
    categories,
    series: [{ name: "features", color, values }],
  };
}

function provenanceOf(record: RunRecord): Provenance {
  const { parameters, inputs, outputs, steps, counts, sources, machine, pipeline } = record;
  return {
    parameters,
    inputs: inputs.map(({ input, label, path, bytes, sha256 }) => ({
      name: label === undefined ? input : `${input} ${label}`,
      path,
      bytes,
      sha256,
    })),
    outputs: outputs.map(({ title, path, bytes, sha256 }) => ({ name: title, path, bytes, sha256 })),
    steps,
    counts,
    sources,
    machine: `Pipeline ${pipeline.name} ${pipeline.version}; Node ${machine.node} on ${machine.platform}, ${machine.cpus} processors`,
  };
}
