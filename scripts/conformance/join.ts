import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Family, type FileResult, Tally } from "./family.ts";

interface Layer {
  type?: string;
  features?: { type: "Feature"; geometry: { type: string } | null }[];
  /** Lines of features in another file of the vectors. */
  file?: string;
}

interface JoinVector {
  id: string;
  left: Layer;
  right: Layer;
  expected: Record<string, { inner: [left: number, right: number][]; left_unmatched: number[] }>;
  nearest?: [left: number, right: number, distance: number][];
  max_distance?: number;
  nearest_within?: [left: number, right: number, distance: number][];
}

/** A table as the runner looks at it. */
interface Table {
  readonly count: number;
  readonly columns: readonly { readonly name: string; readonly values: unknown }[];
}

interface Source {
  batches(): AsyncIterable<Table>;
}

/** The calls as the package exports them. */
export interface JoinApi {
  tableFromGeoJson(features: object[], options: object): Table;
  spatialJoin(left: Table, right: Table, options: object): Promise<Source>;
  nearestJoin(left: Table, right: Table, options: object): Promise<Source>;
}

/** Relative tolerance of distances; pairs are exact. */
const TOLERANCE = 1e-9;

/** Vectors of the family: two layers, and the pairs of several predicates and of the nearest. */
export const family: Family = {
  name: "join",
  run: async (dir) => runJoin(dir, (await import("tilth")) as unknown as JoinApi),
};

/** Run the vectors with an implementation. A vector passes when all its predicates and nearest pairs agree. */
export async function runJoin(dir: string, api: JoinApi): Promise<FileResult[]> {
  const results: FileResult[] = [];
  for (const file of ["small.jsonl", "mid.jsonl"]) {
    const path = join(dir, file);
    if (!existsSync(path)) continue;
    const tally = new Tally("join", file);
    for (const line of readFileSync(path, "utf8").split("\n")) {
      if (line.trim() === "") continue;
      const vector = JSON.parse(line) as JoinVector;
      await tally.check(vector.id, async () => {
        const left = readLayer(vector.left, dir, api);
        const right = readLayer(vector.right, dir, api);
        for (const [predicate, expected] of Object.entries(vector.expected)) {
          const why = await comparePairs(left, right, predicate, expected, api);
          if (why !== null) return `${predicate}: ${why}`;
        }
        for (const [expected, maxDistance] of [
          [vector.nearest, undefined],
          [vector.nearest_within, vector.max_distance],
        ] as const) {
          if (expected === undefined) continue;
          const why = await compareNearest(left, right, expected, maxDistance, tally, api);
          if (why !== null)
            return `nearest${maxDistance === undefined ? "" : ` within ${maxDistance}`}: ${why}`;
        }
        return null;
      });
    }
    results.push(tally.result);
  }
  return results;
}

/** Each feature with its number in the column `k`. */
function readLayer(layer: Layer, dir: string, api: JoinApi): Table {
  let geometries: (object | null)[];
  if (layer.file === undefined) geometries = layer.features!.map(({ geometry }) => emptied(geometry));
  else {
    geometries = readFileSync(join(dir, "..", layer.file), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => (JSON.parse(line) as { geometry: object | null }).geometry);
  }
  const features = geometries.map((geometry, k) => ({
    type: "Feature" as const,
    geometry,
    properties: { k },
  }));
  return api.tableFromGeoJson(features, { crs: null });
}

/** The vectors write an empty collection with `coordinates`; GeoJSON has `geometries` there. */
function emptied(geometry: { type: string } | null): object | null {
  return geometry?.type === "GeometryCollection" && !("geometries" in geometry)
    ? { type: "GeometryCollection", geometries: [] }
    : geometry;
}

async function comparePairs(
  left: Table,
  right: Table,
  predicate: string,
  expected: { inner: [number, number][]; left_unmatched: number[] },
  api: JoinApi,
): Promise<string | null> {
  const options = { predicate, prefix: "right_" };
  const inner = await api.spatialJoin(left, right, { ...options, how: "inner" });
  const pairs: string[] = [];
  for await (const batch of inner.batches()) {
    for (let row = 0; row < batch.count; row++)
      pairs.push(`${numberAt(batch, "k", row)},${numberAt(batch, "right_k", row)}`);
  }
  const difference = firstDifference(pairs, expected.inner.map(String));
  if (difference !== null) return difference;
  const anti = await api.spatialJoin(left, right, { ...options, how: "anti" });
  const unmatched: string[] = [];
  for await (const batch of anti.batches())
    for (let row = 0; row < batch.count; row++) unmatched.push(String(numberAt(batch, "k", row)));
  const missing = firstDifference(unmatched, expected.left_unmatched.map(String));
  return missing === null ? null : `without a partner: ${missing}`;
}

async function compareNearest(
  left: Table,
  right: Table,
  expected: [number, number, number][],
  maxDistance: number | undefined,
  tally: Tally,
  api: JoinApi,
): Promise<string | null> {
  const nearest = await api.nearestJoin(left, right, {
    maxDistance,
    ties: "all",
    prefix: "right_",
    distanceColumn: "distance",
  });
  const found: [string, number][] = [];
  for await (const batch of nearest.batches()) {
    for (let row = 0; row < batch.count; row++) {
      const pair = `${numberAt(batch, "k", row)},${numberAt(batch, "right_k", row)}`;
      found.push([pair, numberAt(batch, "distance", row)]);
    }
  }
  const difference = firstDifference(
    found.map(([pair]) => pair),
    expected.map(([a, b]) => `${a},${b}`),
  );
  if (difference !== null) return difference;
  for (const [k, [pair, distance]] of found.entries()) {
    const wanted = expected[k]![2];
    const error = Math.abs(distance - wanted) / (wanted === 0 ? 1 : wanted);
    tally.error(error);
    if (!(error <= TOLERANCE)) return `${pair} is ${distance} apart, expected ${wanted}`;
  }
  return null;
}

function numberAt(batch: Table, name: string, row: number): number {
  const column = batch.columns.find((one) => one.name === name);
  if (column === undefined) throw new Error(`the result has no column "${name}"`);
  return Number((column.values as Float64Array)[row]);
}

function firstDifference(found: readonly string[], expected: readonly string[]): string | null {
  for (let k = 0; k < Math.max(found.length, expected.length); k++) {
    if (found[k] !== expected[k])
      return `${found.length} of ${expected.length}, the first that differs is ${found[k] ?? "none"}, expected ${expected[k] ?? "none"}`;
  }
  return null;
}
