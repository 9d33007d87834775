import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { openBytes } from "../src/io/bytes/open.ts";
import { openGeoJson } from "../src/io/geojson/read.ts";
import type { FeatureTable } from "../src/model/features.ts";
import { type FeatureCollection, tableFromGeoJson } from "../src/model/geojson.ts";

/**
 * npm run bench -- geojson-read [--smoke]
 *
 * Reads 500,000 polygons (6 to 14 vertices, four attributes, about 200 MB) into columns, against JSON.parse of the
 * whole file and the same conversion, each in a process of its own. The file is `io500k.geojson` in
 * $TILTH_BENCH_DATA, or else one made from a fixed seed in the folder for temporary files. Counts and sums must agree
 * before anything is printed. Goals: CPU at most that of JSON.parse with conversion, a tenth of its memory.
 */
interface Result {
  readonly count: number;
  readonly vertices: number;
  readonly sum: number;
  readonly text: number;
  readonly cpu: number;
  readonly wall: number;
  /** Peak of resident memory, and what it was before the file was touched, MiB. */
  readonly peak: number;
  readonly before: number;
}

const RUNS: Record<string, (file: string) => Promise<Omit<Result, "cpu" | "wall" | "peak" | "before">>> = {
  async tilth(file) {
    const source = await openGeoJson(await openBytes(file));
    const total = { count: 0, vertices: 0, sum: 0, text: 0 };
    for await (const batch of source.batches()) add(total, batch);
    await source.close();
    return total;
  },
  async "JSON.parse + conversion"(file) {
    const total = { count: 0, vertices: 0, sum: 0, text: 0 };
    add(total, tableFromGeoJson(JSON.parse(readFileSync(file, "utf8")) as FeatureCollection));
    return total;
  },
  async "JSON.parse alone"(file) {
    const { features } = JSON.parse(readFileSync(file, "utf8")) as FeatureCollection;
    return { count: features.length, vertices: 0, sum: 0, text: 0 };
  },
};

function add(
  total: { count: number; vertices: number; sum: number; text: number },
  table: FeatureTable,
): void {
  const { xy } = table.geometry!;
  total.count += table.count;
  total.vertices += xy.length / 2;
  // Whole units of 1e-7 degrees, so that the order of additions does not matter.
  for (let i = 0; i < xy.length; i++) total.sum += Math.round(xy[i]! * 1e7);
  for (const column of table.columns) if (column.type === "string") total.text += column.values.bytes.length;
}

if (process.argv[2] === "--run") await child(process.argv[3]!, process.argv[4]!);

export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const given = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "io500k.geojson");
  compare(!smoke && existsSync(given) ? given : makeInput(smoke ? 5_000 : 500_000), smoke ? 1 : 3);
}

async function child(name: string, file: string): Promise<void> {
  const before = process.memoryUsage.rss() / 2 ** 20;
  const started = performance.now();
  const cpu = process.cpuUsage();
  const total = await RUNS[name]!(file);
  const used = process.cpuUsage(cpu);
  const result: Result = {
    ...total,
    cpu: (used.user + used.system) / 1e6,
    wall: (performance.now() - started) / 1e3,
    peak: process.resourceUsage().maxRSS / 1024,
    before,
  };
  console.log(JSON.stringify(result));
}

function compare(file: string, repeats: number): void {
  const megabytes = statSync(file).size / 1e6;
  console.log(
    `${megabytes.toFixed(0)} MB GeoJSON, best of ${repeats} by CPU; node ${process.version}, ${cpus()[0]?.model ?? "?"}, ${new Date().toISOString().slice(0, 10)}`,
  );
  const results = new Map<string, Result>();
  for (const name of Object.keys(RUNS)) {
    const tries = Array.from({ length: repeats }, () => {
      const args = [
        "--import",
        "tsx",
        "--max-old-space-size=8192",
        import.meta.filename,
        "--run",
        name,
        file,
      ];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as Result;
    });
    results.set(name, tries.sort((a, b) => a.cpu - b.cpu)[0]!);
  }
  const ours = results.get("tilth")!;
  const peer = results.get("JSON.parse + conversion")!;
  for (const key of ["count", "vertices", "sum", "text"] as const) {
    if (ours[key] !== peer[key]) throw new Error(`results differ: ${key} ${ours[key]} against ${peer[key]}`);
  }
  console.log(
    "name                      CPU s   wall s   peak MiB   above start MiB   CPU / tilth   memory / tilth",
  );
  for (const [name, { cpu, wall, peak, before }] of results) {
    console.log(
      `${name.padEnd(24)}${cpu.toFixed(2).padStart(7)}${wall.toFixed(2).padStart(9)}${peak.toFixed(0).padStart(11)}${(peak - before).toFixed(0).padStart(18)}${(cpu / ours.cpu).toFixed(2).padStart(14)}${((peak - before) / (ours.peak - ours.before)).toFixed(1).padStart(17)}`,
    );
  }
}

/** Star-shaped polygons from a fixed seed, coordinates with seven decimals. */
function makeInput(count: number): string {
  const file = join(tmpdir(), `tilth-bench-${count}.geojson`);
  if (existsSync(file)) return file;
  let state = 61;
  const random = (): number => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const classes = ["forest", "crop", "water", "built-up", "barren"];
  const out = openSync(file, "w");
  writeSync(out, '{"type":"FeatureCollection","name":"plots","features":[\n');
  let lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const corners = 6 + Math.floor(random() * 9);
    const x = 74 + 4 * random();
    const y = 14 + 4 * random();
    const radius = 0.0005 + 0.0015 * random();
    const ring: string[] = [];
    for (let k = 0; k < corners; k++) {
      const angle = (2 * Math.PI * (k + 0.8 * random())) / corners;
      ring.push(
        `[${(x + radius * Math.cos(angle)).toFixed(7)},${(y + radius * Math.sin(angle)).toFixed(7)}]`,
      );
    }
    ring.push(ring[0]!);
    lines.push(
      `${i === 0 ? "" : ","}{"type":"Feature","properties":{"id":${i},"name":"plot ${i}","class":"${classes[i % 5]}","area":${(0.1 * (i % 977)).toFixed(1)}},"geometry":{"type":"Polygon","coordinates":[[${ring.join(",")}]]}}\n`,
    );
    if (lines.length === 10_000 || i === count - 1) {
      writeSync(out, lines.join(""));
      lines = [];
    }
  }
  writeSync(out, "]}\n");
  closeSync(out);
  return file;
}
