import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crsFromEpsg } from "../src/crs/parse.ts";
import { openRaster, writeRaster } from "../src/io/open.ts";
import { warpFile } from "../src/jobs/files/warp.ts";
import { tileWindows } from "../src/model/grid.ts";
import { makeBand, type RasterSource } from "../src/model/raster.ts";

/**
 * npm run bench -- warp [--smoke]
 *
 * Brings 10,000 x 10,000 int16 pixels from UTM to longitude and latitude, nearest and bilinear, whole processes from file to
 * file, both to Deflate without overviews; against gdalwarp with two threads, once as it comes (positions to an eighth of a
 * pixel) for the time, and once with exact positions for the samples, which must agree first. The file is `utm10k.tif` in
 * $TILTH_BENCH_DATA, or a smaller one made here. Goal: wall time at most gdalwarp's.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const folder = join(tmpdir(), "tilth-bench");
  mkdirSync(folder, { recursive: true });
  const given = join(process.env["TILTH_BENCH_DATA"] ?? folder, "utm10k.tif");
  const input = !smoke && existsSync(given) ? given : join(folder, "utm1k.tif");
  if (!existsSync(input)) await writeRaster(input, hills(1000), { overviews: "none" });
  console.log(
    `${input}; Node ${process.version}, ${cpus().length} cores, load before ${loadavg()[0]!.toFixed(2)}`,
  );
  const runs = smoke ? 1 : 3;
  const hasGdal = spawnSync("gdalwarp", ["--version"]).status === 0;
  for (const resampling of ["near", "bilinear"] as const) {
    const ours = join(folder, `warp-${resampling}.tif`);
    const mine = best(runs, process.execPath, [
      ...["--import", "tsx", fileURLToPath(import.meta.url), "--child", input, ours, resampling],
    ]);
    report(`tilth ${resampling}`, mine);
    if (!hasGdal) {
      console.log("gdalwarp is not on PATH: nothing to compare with");
      continue;
    }
    const [theirs, exact] = [join(folder, "gdal.tif"), join(folder, "gdal-exact.tif")];
    const common = ["-q", "-overwrite", "-ovr", "NONE", "-t_srs", "EPSG:4326", "-r", resampling];
    const threads = ["-multi", "-wo", "NUM_THREADS=2", "-wm", "500", "-co", "NUM_THREADS=2"];
    const create = ["TILED=YES", "COMPRESS=DEFLATE", "BLOCKXSIZE=512", "BLOCKYSIZE=512"].flatMap((o) => [
      "-co",
      o,
    ]);
    execFileSync("gdalwarp", [...common, ...threads, "-et", "0", ...create, input, exact]);
    await check(ours, exact, resampling);
    const gdal = best(runs, "gdalwarp", [...common, ...threads, ...create, input, theirs]);
    report(`gdalwarp ${resampling}`, gdal);
    console.log(
      `wall ${(mine.wall / gdal.wall).toFixed(2)} (goal <= 1.00), CPU ${(mine.cpu / gdal.cpu).toFixed(2)} of gdalwarp`,
    );
  }
}

/** @throws when fewer than 99.99 % of the nearest samples are the same, or a bilinear one is more than a unit off. */
async function check(left: string, right: string, resampling: string): Promise<void> {
  const [a, b] = [await openRaster(left), await openRaster(right)];
  if (a.grid.width !== b.grid.width || a.grid.height !== b.grid.height) throw new Error("the sizes differ");
  let [same, near, pixels] = [0, 0, 0];
  for (const window of tileWindows(a.grid, 4096, 512)) {
    const x = (await a.read(window)).bands[0]! as Int16Array;
    const y = (await b.read(window)).bands[0]! as Int16Array;
    pixels += x.length;
    for (let i = 0; i < x.length; i++) {
      const apart = Math.abs(x[i]! - y[i]!);
      if (apart === 0) same++;
      if (apart <= 1) near++;
    }
  }
  await a.close();
  await b.close();
  console.log(
    `${resampling}: ${pixels - same} of ${pixels} samples differ, ${pixels - near} by more than a unit`,
  );
  if (same / pixels < 0.9999 && resampling === "near") throw new Error("the nearest samples differ");
  if (near < pixels && resampling === "bilinear") throw new Error("bilinear samples differ");
}

interface Outcome {
  /** Seconds from start to end of the process. */
  readonly wall: number;
  /** User and system seconds of all its threads. */
  readonly cpu: number;
  /** Peak of resident memory, MiB. */
  readonly peak: number;
}

function best(runs: number, command: string, args: readonly string[]): Outcome {
  const outcomes = Array.from({ length: runs }, () => once(command, args));
  return outcomes.reduce((a, b) => (a.wall < b.wall ? a : b));
}

/** Python's wait4 tells CPU and memory of a child whatever it is; Node does not. */
function once(command: string, args: readonly string[]): Outcome {
  const script = `
import json, os, sys, time
start = time.monotonic()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(json.dumps({"status": status, "wall": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}))
`;
  const out = execFileSync("python3", ["-c", script, command, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const outcome = JSON.parse(out.trim().split("\n").at(-1)!) as Outcome & { status: number };
  if (outcome.status !== 0) throw new Error(`${command} failed`);
  return outcome;
}

function report(name: string, { wall, cpu, peak }: Outcome): void {
  console.log(
    `${name.padEnd(18)} ${wall.toFixed(2).padStart(6)} s wall ${cpu.toFixed(2).padStart(6)} s CPU ${peak.toFixed(0).padStart(5)} MiB peak`,
  );
}

/** Rolling hills with noise, the same in every run. */
function hills(side: number): RasterSource {
  return {
    url: "made-up hills",
    grid: {
      width: side,
      height: side,
      transform: [10, 0, 450_000, 0, -10, 1_800_000],
      crs: crsFromEpsg(32643),
    },
    bands: [makeBand({ type: "int16", nodata: -32_768 })],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    async read(window) {
      const { col, row, width, height } = window;
      const samples = new Int16Array(width * height);
      for (let i = 0; i < samples.length; i++) {
        const [x, y] = [col + (i % width), row + Math.floor(i / width)];
        const grain =
          (Math.imul(Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1), 0x85ebca6b) >>> 25) - 64;
        samples[i] = 4000 + 900 * Math.sin(x / 90) + 500 * Math.cos(y / 70) + grain;
      }
      return { window, bands: [samples], mask: null };
    },
    close: () => Promise.resolve(),
  };
}

if (process.argv[2] === "--child") {
  const [input, output, resampling] = process.argv.slice(3) as [string, string, "near" | "bilinear"];
  await warpFile(input, output, {
    to: "EPSG:4326",
    resampling,
    workers: 2,
    overviews: "none",
    overwrite: true,
  });
}
