import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBytes } from "../src/io/bytes/open.ts";
import { openFlatGeobuf } from "../src/io/flatgeobuf/read.ts";
import { createFlatGeobuf } from "../src/io/flatgeobuf/write.ts";
import { plotSchema, plots } from "./polygons.ts";

const CLI = join(import.meta.dirname, "../bin/tilth.js");
/** Input and output of each conversion, by ending. */
const CHAINS: readonly (readonly [from: string, to: string])[] = [
  ["fgb", "gpkg"],
  ["fgb", "shp"],
  ["fgb", "geojson"],
  ["geojson", "fgb"],
  ["shp", "fgb"],
];

/**
 * Whole conversions, file to file, against ogr2ogr. Outputs are compared by their number of features before a time is
 * printed. Needs GDAL; says so when it is not there.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  if (spawnSync("ogr2ogr", ["--version"]).status !== 0) {
    console.log("skipped: ogr2ogr is not on the PATH");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "tilth-convert-"));
  try {
    const given = join(process.env["TILTH_BENCH_DATA"] ?? "", "io500k.fgb");
    const start = !smoke && existsSync(given) ? given : join(folder, "start.fgb");
    if (start !== given) await writePlots(start, smoke ? 5000 : 100_000);
    const count = await features(start);
    const inputs: Record<string, string> = { fgb: start };
    console.log(`${count} polygons, equal counts; CPU seconds of the whole process`);
    for (const [from, to] of CHAINS) {
      const input = inputs[from]!;
      const ours = join(folder, `tilth.${to}`);
      const theirs = join(folder, `gdal.${to}`);
      const tilth = cpuSeconds([process.execPath, CLI, "convert", input, ours, "--quiet", "--overwrite"]);
      const gdal = cpuSeconds(["ogr2ogr", theirs, input]);
      inputs[to] ??= theirs;
      for (const path of [ours, theirs]) {
        const found = gdalCount(path);
        if (found !== count) throw new Error(`${path} has ${found} features, expected ${count}`);
      }
      console.log(
        `${from} -> ${to}: tilth ${tilth.toFixed(2)}, ogr2ogr ${gdal.toFixed(2)}, ratio ${(tilth / gdal).toFixed(2)}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writePlots(path: string, count: number): Promise<void> {
  const sink = await createFlatGeobuf(path, plotSchema("plots"));
  for (const batch of plots(count)) await sink.write(batch);
  await sink.close();
}

async function features(path: string): Promise<number> {
  const source = await openFlatGeobuf(await openBytes(path));
  const { count } = source.schema;
  await source.close();
  return count ?? 0;
}

/** User and system time of a command, as bash counts them. */
function cpuSeconds(command: readonly string[]): number {
  const { status, stderr } = spawnSync(
    "bash",
    ["-c", `TIMEFORMAT='CPU %U %S'; time "$@"`, "bash", ...command],
    {
      encoding: "utf8",
    },
  );
  const times = /CPU ([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  if (status !== 0 || times === null) throw new Error(`${command.join(" ")} failed: ${stderr}`);
  return Number(times[1]) + Number(times[2]);
}

function gdalCount(path: string): number {
  const { stdout } = spawnSync("ogrinfo", ["-so", "-al", path], { encoding: "utf8" });
  return Number(/Feature Count: (\d+)/.exec(stdout)?.[1] ?? -1);
}
