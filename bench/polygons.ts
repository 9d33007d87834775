import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeatureSink } from "../src/io/feature-sink.ts";
import { ColumnBuilder, type FeatureTable, type Field, type LayerSchema } from "../src/model/features.ts";
import { POLYGON } from "../src/model/geometry.ts";
import { GeometryBuilder } from "../src/model/geometry-builder.ts";
import { WGS84 } from "../src/testing/places.ts";
import { random } from "../src/testing/random.ts";

const FIELDS: readonly Field[] = [
  { name: "id", type: "int32", nullable: false },
  { name: "name", type: "string", nullable: false },
  { name: "class", type: "string", nullable: false },
  { name: "area", type: "float64", nullable: false },
];
const CLASSES = ["forest", "crop", "water", "built-up", "barren"];
const BATCH = 8192;

/** The layer of plots that the readers are timed on: 6 to 14 vertices and four attributes each. */
export function plotSchema(name: string): LayerSchema {
  return {
    name,
    crs: WGS84,
    geometryTypes: [POLYGON],
    hasZ: false,
    hasM: false,
    fields: FIELDS,
    count: null,
    bounds: null,
  };
}

/** `count` round plots scattered over four degrees by four, the same in every run. */
export function* plots(count: number): Generator<FeatureTable> {
  const next = random(61);
  for (let first = 0; first < count; first += BATCH) {
    const rows = Math.min(BATCH, count - first);
    const geometry = new GeometryBuilder();
    const [id, name, kind, area] = FIELDS.map((field) => new ColumnBuilder(field));
    for (let i = first; i < first + rows; i++) {
      const corners = 5 + Math.floor(9 * next.next());
      const radius = 0.0005 + 0.0015 * next.next();
      const x = 74.04 + 3.92 * next.next();
      const y = 14.04 + 3.92 * next.next();
      geometry.begin(POLYGON);
      geometry.part();
      // Clockwise, as a Shapefile wants it, and to seven decimals, as such data comes.
      for (let k = corners; k >= 0; k--) {
        const angle = (2 * Math.PI * (k % corners)) / corners;
        const round = (value: number): number => Math.round(value * 1e7) / 1e7;
        geometry.vertex(round(x + radius * Math.cos(angle)), round(y + radius * Math.sin(angle)));
      }
      geometry.end();
      id!.pushNumber(i);
      name!.pushText(`plot ${i}`);
      kind!.pushText(CLASSES[i % CLASSES.length]!);
      area!.pushNumber(Math.round(i % 977) / 10);
    }
    yield {
      count: rows,
      geometry: geometry.finish(),
      columns: [id!.finish(), name!.finish(), kind!.finish(), area!.finish()],
      ids: null,
      firstRow: first,
      crs: WGS84,
    };
  }
}

/** Write the plots with one of our writers into a folder of their own and call `use` with the file. */
export async function withPlots(
  name: string,
  count: number,
  create: (path: string, schema: LayerSchema) => Promise<FeatureSink>,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tilth-bench-"));
  try {
    const path = join(folder, name);
    const sink = await create(path, plotSchema("plots"));
    for (const batch of plots(count)) await sink.write(batch);
    await sink.close();
    await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a reader saw: equal for all readers of a file. */
export interface Seen {
  features: number;
  /** Sum of all x and y. */
  coordinates: number;
  /** Sum of the column "area". */
  area: number;
}

/** Count and sums of a batch, added up. */
export function lookAt(seen: Seen, { count, geometry, columns }: FeatureTable): void {
  seen.features += count;
  const { xy } = geometry!;
  for (let i = 0; i < xy.length; i++) seen.coordinates += xy[i]!;
  for (const column of columns) {
    if (column.name !== "area" || column.type !== "float64") continue;
    for (let i = 0; i < count; i++) seen.area += column.values[i]!;
  }
}

/** The same of a GeoJSON polygon. */
export function lookAtFeature(seen: Seen, feature: GeoJSON.Feature): void {
  seen.features++;
  seen.area += feature.properties?.["area"] as number;
  for (const ring of (feature.geometry as GeoJSON.Polygon).coordinates)
    for (let i = 0; i < ring.length; i++) seen.coordinates += ring[i]![0]! + ring[i]![1]!;
}

/**
 * Let two readers read the same file, see that they saw the same, and print the best CPU time of each and the ratio.
 *
 * @param goal  The ratio to stay below.
 */
export async function contest(
  ours: () => Promise<Seen>,
  theirs: () => Promise<Seen>,
  { peer, goal, runs, megabytes }: { peer: string; goal: number; runs: number; megabytes: number },
): Promise<void> {
  const [ourSeconds, ourSeen] = await best(ours, Math.max(3, runs));
  const [theirSeconds, theirSeen] = await best(theirs, runs);
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.abs(b);
  if (
    ourSeen.features !== theirSeen.features ||
    !close(ourSeen.coordinates, theirSeen.coordinates) ||
    !close(ourSeen.area, theirSeen.area)
  ) {
    throw new Error(`the results differ: ${JSON.stringify(ourSeen)}, ${peer} ${JSON.stringify(theirSeen)}`);
  }
  console.log(`${ourSeen.features} polygons, ${megabytes.toFixed(0)} MB, equal results; CPU seconds`);
  console.log(`tilth ${ourSeconds.toFixed(2)}, ${peer} ${theirSeconds.toFixed(2)}`);
  console.log(`ratio ${(ourSeconds / theirSeconds).toFixed(2)} (goal at most ${goal})`);
}

async function best(read: () => Promise<Seen>, runs: number): Promise<[seconds: number, seen: Seen]> {
  let seconds = Infinity;
  let seen: Seen | null = null;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    seen = await read();
    const { user, system } = process.cpuUsage(before);
    seconds = Math.min(seconds, (user + system) / 1e6);
  }
  return [seconds, seen!];
}
