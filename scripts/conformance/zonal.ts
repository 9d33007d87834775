import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type FeatureTable,
  memoryRaster,
  openRaster,
  type RasterSource,
  readFeatures,
  rowAt,
  tableFromGeoJson,
  type Value,
  zonalStats,
} from "tilth";
import { type Family, type FileResult, Tally } from "./family.ts";
import { eachVector } from "./vectors.ts";
import { wktGeometry } from "./wkt-geojson.ts";

/** Coverage, absolute; statistics, relative. */
const TOLERANCE = 1e-9;

interface GridFact {
  width: number;
  height: number;
  x0: number;
  ytop: number;
  dx: number;
  dy: number;
}

interface Expected {
  count: number;
  n_cells: number;
  n_nodata_cells: number;
  covered_cells: number;
  mode_tied: number[] | null;
  histogram?: [number, number][];
  [name: string]: unknown;
}

/** The expected figures that are one number, and our names for them. */
const FIGURES: Readonly<Record<string, string>> = {
  count: "count",
  n_cells: "cells",
  covered_cells: "covered",
  sum: "sum",
  mean: "mean",
  min: "min",
  max: "max",
  variance: "variance",
  stdev: "stdev",
  mode: "mode",
  minority: "minority",
  variety: "variety",
  median: "median",
  p10: "p10",
  p90: "p90",
};
const STATS = [...Object.values(FIGURES), "histogram", "nodata_count"];

/** Vectors of the family: coverage of every cell, and the statistics that follow from it. */
export const family: Family = {
  name: "zonal",
  async run(dir: string): Promise<FileResult[]> {
    return [
      ...(await eachVector<GeneratedVector>("zonal", dir, "generated.jsonl", (vector, tally) =>
        tally.check(vector.id, () => generated(vector, tally)),
      )),
      ...(await eachVector<MosaicVector>("zonal", dir, "mosaic.jsonl", (vector, tally) =>
        tally.check(vector.id, () => mosaic(vector, tally)),
      )),
      ...(await eachVector<FactVector>("zonal", dir, "exactextract-facts.jsonl", async (vector, tally) => {
        if (vector.line_length) tally.skip("lines as zones have no coverage");
        else await tally.check(vector.id, () => fact(vector, tally));
      })),
      ...(await rasterstats(dir)),
    ];
  },
};

interface GeneratedVector {
  id: string;
  grid: GridFact;
  geometry: object;
  coverage: number[][];
  values: (number | null)[][];
  nodata: number | "nan" | null;
  expected: Expected;
}

async function generated(vector: GeneratedVector, tally: Tally): Promise<string | null> {
  const { grid, geometry, coverage, values, nodata, expected } = vector;
  const zones = tableOf([geometry]);
  const found = await coverageOf(zones, grid, 0);
  return (
    differ(found, coverage.flat(), tally) ??
    (await figures(zones, valuesRaster(grid, values, nodata), "coverage", expected, tally))
  );
}

interface MosaicVector {
  id: string;
  grid: GridFact;
  zones: { geometry: object; expected: Expected }[];
  values: (number | null)[][];
  nodata: number | "nan" | null;
  coverage_sum_is_one: boolean;
}

async function mosaic(vector: MosaicVector, tally: Tally): Promise<string | null> {
  const { grid, zones, values, nodata } = vector;
  const table = tableOf(zones.map(({ geometry }) => geometry));
  const sums = new Float64Array(grid.width * grid.height);
  for (let zone = 0; zone < zones.length; zone++)
    for (const [cell, share] of (await coverageOf(table, grid, zone)).entries()) sums[cell]! += share;
  if (vector.coverage_sum_is_one) {
    const why = differ(sums, new Float64Array(sums.length).fill(1), tally);
    if (why !== null) return `sum of coverages, ${why}`;
  }
  const raster = valuesRaster(grid, values, nodata);
  for (const [zone, { geometry, expected }] of zones.entries()) {
    const why = await figures(tableOf([geometry]), raster, "coverage", expected, tally);
    if (why !== null) return `zone ${zone}: ${why}`;
  }
  return null;
}

interface FactVector {
  id: string;
  extent: [number, number, number, number];
  dx: number;
  dy: number;
  geometry_wkt: string;
  expected_coverage: number[][] | null;
  full_coverage?: number[][];
  line_length: boolean;
  must_not_fail: boolean;
  must_fail?: boolean;
  expected_total: number | null;
}

async function fact(vector: FactVector, tally: Tally): Promise<string | null> {
  const { extent, dx, dy, expected_coverage, full_coverage, expected_total } = vector;
  const [x0, y0, x1, ytop] = factExtent(extent);
  const grid = { width: Math.round((x1 - x0) / dx), height: Math.round((ytop - y0) / dy), x0, ytop, dx, dy };
  const zones = tableOf([wktGeometry(vector.geometry_wkt)]);
  if (vector.must_fail) {
    // Nothing is thrown for one zone among many: its note says that it is none.
    const { table } = await zonalStats(zones, indexRaster(grid), { stats: ["count"] });
    return rowAt(table, 0)["note"] === "not a polygon" ? null : "a point was taken for a zone";
  }
  const found = await coverageOf(zones, grid, 0);
  if (found.some((share) => !(share >= 0 && share <= 1))) return "a coverage outside 0 to 1";
  if (expected_total !== null) {
    const total = found.reduce((sum, share) => sum + share, 0);
    if (Math.abs(total - expected_total) > 1e-6 * expected_total)
      return `coverage of ${total} cells, expected ${expected_total}`;
  }
  if (full_coverage !== undefined) return differ(found, full_coverage.flat(), tally);
  // The polygon's own window: the cells around everything that is covered.
  return expected_coverage === null
    ? null
    : differ(
        covered(found, grid.width),
        covered(expected_coverage.flat(), expected_coverage[0]!.length),
        tally,
      );
}

/** Extents are written west, south, east, north; the regression tests name some as west, east, south, north. */
function factExtent(extent: FactVector["extent"]): FactVector["extent"] {
  const [a, b, c, d] = extent;
  return c > 1e6 && a < 1e6 && b < 1e6 ? [a, c, b, d] : [a, b, c, d];
}

/** The shares in the rows and columns that have any. */
function covered(shares: ArrayLike<number>, width: number): number[] {
  let [minRow, maxRow, minCol, maxCol] = [Infinity, -1, Infinity, -1];
  for (let i = 0; i < shares.length; i++) {
    if (shares[i]! < TOLERANCE) continue;
    const row = Math.floor(i / width);
    minRow = Math.min(minRow, row);
    maxRow = Math.max(maxRow, row);
    minCol = Math.min(minCol, i % width);
    maxCol = Math.max(maxCol, i % width);
  }
  const out: number[] = [];
  for (let row = minRow; row <= maxRow; row++)
    for (let col = minCol; col <= maxCol; col++) out.push(shares[row * width + col]!);
  return out;
}

interface RasterstatsVector {
  id: string;
  raster: string;
  vector: string;
  feature: number;
  nodata: number | null;
  exact_coverage: Expected;
  centre: Expected;
  all_touched: Expected;
}

async function rasterstats(dir: string): Promise<FileResult[]> {
  const path = join(dir, "rasterstats.jsonl");
  if (!existsSync(path)) return [];
  const tally = new Tally("zonal", "rasterstats.jsonl");
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line.trim() === "") continue;
    const vector = JSON.parse(line) as RasterstatsVector;
    await tally.check(vector.id, async () => {
      // The .prj files say degrees where the coordinates are those of the rasters; rasterstats reads no CRS.
      const zones = { ...(await readFeatures(join(dir, "rasterstats", vector.vector))), crs: null };
      const opened = await openRaster(join(dir, "rasterstats", vector.raster));
      try {
        const nodata = vector.nodata;
        const raster: RasterSource = {
          ...opened,
          url: opened.url,
          grid: opened.grid,
          tile: opened.tile,
          hasMask: opened.hasMask,
          metadata: opened.metadata,
          bands: opened.bands.map((band) => ({ ...band, nodata: nodata ?? band.nodata })),
          read: (window, options) => opened.read(window, options),
          close: () => opened.close(),
        };
        for (const [rule, name] of [
          ["coverage", "exact_coverage"],
          ["center", "centre"],
          ["all-touched", "all_touched"],
        ] as const) {
          const expected = { ...vector[name] };
          // A zone that meets the raster along its border only, up to the rounding of coordinates: which cells it touches is
          // a tie, and all of them are nodata here.
          const tie =
            rule === "all-touched" && vector.exact_coverage.covered_cells < 1e-6 && expected.n_cells === 0;
          if (tie) expected.covered_cells = Number.NaN;
          const why = await figures(zones, raster, rule, expected, tally, vector.feature);
          if (why !== null) return `${name}: ${why}`;
        }
        return null;
      } finally {
        await opened.close();
      }
    });
  }
  return [tally.result];
}

/** Compare the figures of zone `row` with those expected. */
async function figures(
  zones: FeatureTable,
  raster: RasterSource,
  pixels: "coverage" | "center" | "all-touched",
  expected: Expected,
  tally: Tally,
  row: number = 0,
): Promise<string | null> {
  const { table } = await zonalStats(zones, raster, { stats: STATS, pixels });
  const own = new Set(zones.columns.map(({ name }) => name));
  const found: Record<string, Value> = {};
  for (const [name, value] of Object.entries(rowAt(table, row))) if (!own.has(name)) found[name] = value;
  for (const [theirs, ours] of Object.entries(FIGURES)) {
    if (!(theirs in expected) || Number.isNaN(expected[theirs])) continue;
    const want = expected[theirs] as number | null;
    const have = (own.has(ours) ? found[`${ours}_2`] : found[ours]) as number | null;
    if (theirs === "mode" && have !== null && expected.mode_tied?.includes(have)) continue;
    if (!agrees(have, want, tally)) return `${theirs} ${have}, expected ${want}`;
  }
  const { histogram } = expected;
  if (histogram === undefined) return null;
  const have = found["histogram"] as [number, number][];
  if (have.length !== histogram.length)
    return `histogram of ${have.length} values, expected ${histogram.length}`;
  for (const [k, [value, weight]] of histogram.entries()) {
    if (have[k]![0] !== value || !agrees(have[k]![1], weight, tally))
      return `histogram ${have[k]}, expected ${[value, weight]}`;
  }
  return null;
}

function agrees(have: number | null, want: number | null, tally: Tally): boolean {
  if (have === null || want === null) return have === want;
  const error = Math.abs(have - want) / Math.max(1, Math.abs(want));
  tally.error(error);
  return error <= TOLERANCE;
}

function differ(found: ArrayLike<number>, expected: ArrayLike<number>, tally: Tally): string | null {
  if (found.length !== expected.length) return `${found.length} cells, expected ${expected.length}`;
  for (let i = 0; i < found.length; i++) {
    const error = Math.abs(found[i]! - expected[i]!);
    tally.error(error);
    if (!(error <= TOLERANCE)) return `coverage of cell ${i} is ${found[i]}, expected ${expected[i]}`;
  }
  return null;
}

/** Coverage of every cell by one zone: the histogram of a raster that holds the number of each cell. */
async function coverageOf(zones: FeatureTable, grid: GridFact, zone: number): Promise<Float64Array> {
  const { table } = await zonalStats(zones, indexRaster(grid), { stats: ["histogram"] });
  const out = new Float64Array(grid.width * grid.height);
  for (const [cell, share] of rowAt(table, zone)["histogram"] as [number, number][]) out[cell] = share;
  return out;
}

function indexRaster(grid: GridFact): RasterSource {
  const cells = Float64Array.from({ length: grid.width * grid.height }, (_, k) => k);
  return memoryRaster(gridOf(grid), [{ type: "float64" }], [cells]);
}

function valuesRaster(
  grid: GridFact,
  values: (number | null)[][],
  nodata: number | "nan" | null,
): RasterSource {
  const samples = Float64Array.from(values.flat(), (value) => value ?? Number.NaN);
  const declared = nodata === "nan" ? Number.NaN : nodata;
  return memoryRaster(gridOf(grid), [{ type: "float64", nodata: declared }], [samples]);
}

function gridOf({ width, height, x0, ytop, dx, dy }: GridFact): RasterSource["grid"] {
  return { width, height, transform: [dx, 0, x0, 0, -dy, ytop], crs: null };
}

function tableOf(geometries: readonly object[]): FeatureTable {
  return tableFromGeoJson(
    geometries.map((geometry) => ({ type: "Feature", geometry: geometry as never, properties: {} })),
    { crs: null },
  );
}
