import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rasterize, type SampleType, tableFromGeoJson } from "tilth";
import { type Family, type FileResult, Tally } from "./family.ts";

interface GridFact {
  width: number;
  height: number;
  x0: number;
  ytop: number;
  dx: number;
  dy: number;
}

type Geometry = object;

/**
 * Vectors of the family: cells by the centre rule and by the all-touched rule, lines and points, and several
 * polygons burnt over each other. Cells are compared exactly, except those that the vectors name as ties.
 */
export const family: Family = {
  name: "rasterize",
  async run(dir: string): Promise<FileResult[]> {
    const results: FileResult[] = [];
    for (const [file, run] of [
      ["burn.jsonl", burn],
      ["lines-points.jsonl", linesAndPoints],
      ["polygons.jsonl", polygons],
    ] as const) {
      const path = join(dir, file);
      if (!existsSync(path)) continue;
      const tally = new Tally("rasterize", file);
      for (const line of readFileSync(path, "utf8").split("\n")) {
        if (line.trim() === "") continue;
        const vector = JSON.parse(line);
        await tally.check(vector.id, () => run(vector));
      }
      results.push(tally.result);
    }
    return results;
  },
};

async function polygons(vector: {
  grid: GridFact;
  geometry: Geometry;
  centre_exact: string[];
  centre_ties: number[][];
  touched_exact: string[];
  touched_edge_only: number[][];
}): Promise<string | null> {
  const centre = await cells([{ geometry: vector.geometry }], vector.grid, { allTouched: false });
  const touched = await cells([{ geometry: vector.geometry }], vector.grid, { allTouched: true });
  return (
    differ("centre", centre, digits(vector.centre_exact), vector.centre_ties) ??
    differ("touched", touched, digits(vector.touched_exact), vector.touched_edge_only)
  );
}

async function linesAndPoints(vector: {
  grid: GridFact;
  geometry: Geometry;
  default_gdal: string[];
  touched_exact: string[];
  touched_edge_only: number[][];
}): Promise<string | null> {
  const plain = await cells([{ geometry: vector.geometry }], vector.grid, { allTouched: false });
  const touched = await cells([{ geometry: vector.geometry }], vector.grid, { allTouched: true });
  return (
    differ("default", plain, digits(vector.default_gdal), []) ??
    differ("touched", touched, digits(vector.touched_exact), vector.touched_edge_only)
  );
}

async function burn(vector: {
  grid: GridFact;
  features: { geometry: Geometry; value: number }[];
  fill_replace: number;
  fill_add: number;
  expected_replace: number[][];
  expected_add: number[][];
  centre_ties: number[][];
}): Promise<string | null> {
  const { features, grid } = vector;
  const dtype = "float64";
  const replaced = await cells(features, grid, { merge: "replace", fill: vector.fill_replace, dtype });
  const added = await cells(features, grid, { merge: "add", fill: vector.fill_add, dtype });
  return (
    differ("replace", replaced, vector.expected_replace, vector.centre_ties) ??
    differ("add", added, vector.expected_add, vector.centre_ties)
  );
}

async function cells(
  features: { geometry: Geometry; value?: number }[],
  fact: GridFact,
  options: { allTouched?: boolean; merge?: "replace" | "add"; fill?: number; dtype?: SampleType },
): Promise<number[][]> {
  const { width, height, x0, ytop, dx, dy } = fact;
  const table = tableFromGeoJson(
    features.map(({ geometry, value = 1 }) => ({
      type: "Feature" as const,
      geometry: geometry as never,
      properties: { value },
    })),
    { crs: null },
  );
  const raster = await rasterize(table, {
    grid: { width, height, transform: [dx, 0, x0, 0, -dy, ytop], crs: null },
    field: "value",
    ...options,
  });
  const { bands } = await raster.read({ col: 0, row: 0, width, height });
  const values = Array.from(bands[0]!, Number);
  return Array.from({ length: height }, (_, row) => values.slice(row * width, (row + 1) * width));
}

function digits(rows: string[]): number[][] {
  return rows.map((row) => Array.from(row, Number));
}

function differ(what: string, found: number[][], expected: number[][], free: number[][]): string | null {
  const skip = new Set(free.map(([row, col]) => `${row},${col}`));
  for (const [row, values] of expected.entries()) {
    for (const [col, value] of values.entries()) {
      if (found[row]![col] !== value && !skip.has(`${row},${col}`))
        return `${what}: row ${row}, column ${col} is ${found[row]![col]}, expected ${value}`;
    }
  }
  return null;
}
