import { spawnSync } from "node:child_process";
import { existsSync, renameSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * npm run bench -- geoparquet-read [--smoke]
 *
 * Reads 500,000 polygons (6 to 26 vertices, four attributes, WKB, Snappy, row groups of 122,880 rows) into columns,
 * against hyparquet's own objects, with geometry as GeoJSON, each in a process of its own, three times; the fastest
 * counts. The file is `io500k.parquet` in $TILTH_BENCH_DATA, or else one made from a fixed seed in the folder for
 * temporary files. Counts and sums must agree before anything is printed.
 */
interface Result {
  readonly count: number;
  readonly vertices: number;
  /** Of all x and y, in whole units of 1e-7, so that the order of additions does not matter. */
  readonly sum: number;
  readonly text: number;
  readonly cpu: number;
  readonly wall: number;
  /** Peak of resident memory, MiB. */
  readonly peak: number;
}
type Totals = Pick<Result, "count" | "vertices" | "sum" | "text">;

const RUNS: Record<string, (file: string) => Promise<Totals>> = {
  async tilth(file) {
    const { openGeoParquet } = await import("../src/io/geoparquet/read.ts");
    const { openBytes } = await import("../src/io/bytes/open.ts");
    const source = await openGeoParquet(await openBytes(file));
    const total = { count: 0, vertices: 0, sum: 0, text: 0 };
    for await (const { count, geometry, columns } of source.batches()) {
      const { xy } = geometry!;
      total.count += count;
      total.vertices += xy.length / 2;
      for (let i = 0; i < xy.length; i++) total.sum += Math.round(xy[i]! * 1e7);
      for (const column of columns) if (column.type === "string") total.text += column.values.bytes.length;
    }
    await source.close();
    return total;
  },
  async hyparquet(file) {
    const { asyncBufferFromFile, parquetReadObjects } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors });
    const total = { count: rows.length, vertices: 0, sum: 0, text: 0 };
    for (const { geometry, ...attributes } of rows) {
      for (const ring of (geometry as { coordinates: number[][][] }).coordinates) {
        total.vertices += ring.length;
        for (const [x, y] of ring) total.sum += Math.round(x! * 1e7) + Math.round(y! * 1e7);
      }
      for (const value of Object.values(attributes)) {
        if (typeof value === "string") total.text += Buffer.byteLength(value);
      }
    }
    return total;
  },
};

if (process.argv[2] === "--run") await child(process.argv[3]!, process.argv[4]!);

export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const given = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "io500k.parquet");
  const file = !smoke && existsSync(given) ? given : await makeInput(smoke ? 5_000 : 500_000);
  console.log(
    `${(statSync(file).size / 1e6).toFixed(0)} MB; Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}`,
  );
  const results = new Map<string, Result>();
  for (const name of Object.keys(RUNS)) {
    const runs = Array.from({ length: smoke ? 1 : 3 }, () => inChild(name, file));
    results.set(
      name,
      runs.reduce((a, b) => (a.cpu < b.cpu ? a : b)),
    );
  }
  const [ours, theirs] = [results.get("tilth")!, results.get("hyparquet")!];
  for (const key of ["count", "vertices", "sum", "text"] as const) {
    if (ours[key] !== theirs[key])
      throw new Error(`the results differ: ${key} is ${ours[key]} and ${theirs[key]}`);
  }
  console.log(`same ${ours.count} polygons, ${ours.vertices} vertices`);
  for (const [name, { cpu, wall, peak }] of results) {
    console.log(
      `${name.padEnd(10)} ${cpu.toFixed(2)} s CPU, ${wall.toFixed(2)} s, peak ${peak.toFixed(0)} MiB`,
    );
  }
  console.log(
    `CPU ratio ${(ours.cpu / theirs.cpu).toFixed(2)}, memory ratio ${(ours.peak / theirs.peak).toFixed(2)}`,
  );
}

function inChild(name: string, file: string): Result {
  const child = spawnSync(
    process.execPath,
    ["--import", "tsx", fileURLToPath(import.meta.url), "--run", name, file],
    { encoding: "utf8" },
  );
  if (child.status !== 0) throw new Error(`${name} failed: ${child.stderr}`);
  return JSON.parse(child.stdout) as Result;
}

async function child(name: string, file: string): Promise<void> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const total = await RUNS[name]!(file);
  const used = process.cpuUsage(cpu);
  const result: Result = {
    ...total,
    cpu: (used.user + used.system) / 1e6,
    wall: (performance.now() - started) / 1e3,
    peak: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(result));
}

/** The input, by another writer than ours, GeoParquet 1.0 without a covering. Made once. */
async function makeInput(count: number): Promise<string> {
  const file = join(tmpdir(), `tilth-bench-${count}.parquet`);
  if (existsSync(file)) return file;
  const { fileWriter, ParquetWriter } = await import("hyparquet-writer");
  const geo = {
    version: "1.0.0",
    primary_column: "geometry",
    columns: { geometry: { encoding: "WKB", geometry_types: ["Polygon"] } },
  };
  const parquet = new ParquetWriter({
    writer: fileWriter(`${file}.part`),
    schema: [
      { name: "root", num_children: 5 },
      { name: "id", type: "INT64", repetition_type: "OPTIONAL" },
      { name: "name", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "class", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "area", type: "DOUBLE", repetition_type: "OPTIONAL" },
      { name: "geometry", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
    ],
    kvMetadata: [{ key: "geo", value: JSON.stringify(geo) }],
  });
  const uniform = uniforms(42);
  const classes = ["forest", "crop", "water", "built-up", "barren"];
  for (let start = 0; start < count; start += 122_880) {
    const rows = Array.from({ length: Math.min(122_880, count - start) }, (_, i) => start + i);
    const column = (name: string, data: unknown[]): { name: string; data: unknown[] } => ({ name, data });
    await parquet.write({
      columnData: [
        column("id", rows.map(BigInt)),
        column(
          "name",
          rows.map((i) => `plot ${i}`),
        ),
        column(
          "class",
          rows.map((i) => classes[i % 5]),
        ),
        column(
          "area",
          rows.map((i) => (i % 977) / 10),
        ),
        {
          ...column(
            "geometry",
            rows.map(() => polygon(uniform)),
          ),
          encoding: "PLAIN" as const,
          statistics: false,
        } as never,
      ] as never,
      rowGroupSize: rows.length,
    });
  }
  await parquet.finish();
  renameSync(`${file}.part`, file);
  return file;
}

/** A star-shaped ring of 5 to 25 corners as WKB, coordinates rounded to 1e-7 degrees. */
function polygon(uniform: () => number): Uint8Array {
  const corners = 5 + Math.floor(21 * uniform());
  const bytes = new Uint8Array(13 + 16 * (corners + 1));
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setUint32(1, 3, true);
  view.setUint32(5, 1, true);
  view.setUint32(9, corners + 1, true);
  const [x, y, radius] = [74 + 4 * uniform(), 14 + 4 * uniform(), 0.001 + 0.004 * uniform()];
  for (let k = 0; k < corners; k++) {
    const [angle, reach] = [(2 * Math.PI * k) / corners, radius * (0.7 + 0.3 * uniform())];
    view.setFloat64(13 + 16 * k, Math.round((x + reach * Math.cos(angle)) * 1e7) / 1e7, true);
    view.setFloat64(21 + 16 * k, Math.round((y + reach * Math.sin(angle)) * 1e7) / 1e7, true);
  }
  bytes.copyWithin(13 + 16 * corners, 13, 29);
  return bytes;
}

/** Uniform numbers in [0, 1), the same in every run (xorshift32). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
