import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBytes } from "../src/io/bytes/open.ts";
import { openGeoTiff } from "../src/io/geotiff/read.ts";
import { writeGeoTiff } from "../src/io/geotiff/write.ts";
import { makeBand, type RasterSource } from "../src/model/raster.ts";

/**
 * npm run bench -- cog-write [--smoke]
 *
 * Encodes a class raster of 20,000 x 20,000 uint8 pixels (12 classes, 2 % stray pixels) as a Cloud Optimized GeoTIFF:
 * Deflate level 6, tiles of 512, overviews by the nearest pixel; against gdal_translate with the same codec, level, tiles
 * and overviews and two threads. Each runs in a process of its own, twice, the faster counts; both decode the same
 * file first. The file is `class20k.tif` in $TILTH_BENCH_DATA, or one made from a fixed seed in the folder for
 * temporary files. GDAL's checksums of the results must agree before anything is compared. Goal: wall time at most
 * GDAL's.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const side = smoke ? 2000 : 20_000;
  const folder = join(tmpdir(), "tilth-bench");
  mkdirSync(folder, { recursive: true });
  const given = join(process.env["TILTH_BENCH_DATA"] ?? folder, "class20k.tif");
  const input = !smoke && existsSync(given) ? given : join(folder, `class${side / 1000}k.tif`);
  if (!existsSync(input)) await writeGeoTiff(input, classRaster(side), { overviews: "none" });
  console.log(
    `${input}: ${(statSync(input).size / 1e6).toFixed(1)} MB; Node ${process.version}, ` +
      `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, load before ${loadavg()[0]!.toFixed(2)}`,
  );
  const megapixels = (side * side) / 1e6;
  const runs = smoke ? 1 : 2;

  const ours = join(folder, "tilth.tif");
  const us = best(runs, process.execPath, [
    ...["--import", "tsx", fileURLToPath(import.meta.url), "--child", input, ours],
  ]);
  report("tilth", us, ours, megapixels);
  if (spawnSync("gdal_translate", ["--version"]).status !== 0) {
    console.log("gdal_translate is not on PATH: nothing to compare with");
    return;
  }

  const theirs = join(folder, "gdal.tif");
  const create = [
    "COMPRESS=DEFLATE",
    "LEVEL=6",
    "BLOCKSIZE=512",
    "NUM_THREADS=2",
    "OVERVIEW_RESAMPLING=NEAREST",
    "OVERVIEWS=IGNORE_EXISTING",
  ].flatMap((option) => ["-co", option]);
  const gdal = best(runs, "gdal_translate", [
    ...["-q", "-of", "COG", "--config", "GDAL_NUM_THREADS", "2"],
    ...create,
    input,
    theirs,
  ]);
  report("gdal_translate", gdal, theirs, megapixels);

  const [left, right] = [ours, theirs].map(checksums);
  // The last overview may differ by a row: GDAL's COG driver halves odd sizes down, tilth and gdaladdo up.
  const levels = Math.min(left!.length, right!.length) - 1;
  const equal = left!.slice(0, levels).every((checksum, i) => checksum === right![i]);
  if (!equal) throw new Error(`the results differ: ${left!.join(" ")} against ${right!.join(" ")}`);
  console.log(`same checksums of the full resolution and ${levels - 1} overviews`);
  console.log(
    `wall ${(us.wall / gdal.wall).toFixed(2)} (goal <= 1.00), CPU ${(us.cpu / gdal.cpu).toFixed(2)}, ` +
      `size ${(statSync(ours).size / statSync(theirs).size).toFixed(3)} of gdal_translate`,
  );
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

function report(name: string, { wall, cpu, peak }: Outcome, file: string, megapixels: number): void {
  console.log(
    `${name.padEnd(15)} ${wall.toFixed(2).padStart(6)} s wall ${cpu.toFixed(2).padStart(6)} s CPU ` +
      `${peak.toFixed(0).padStart(5)} MiB peak ${(megapixels / wall).toFixed(0).padStart(4)} Mpx/s ` +
      `${(statSync(file).size / 1e6).toFixed(1)} MB`,
  );
}

/** GDAL's checksum of the full resolution and of each overview. */
function checksums(file: string): string[] {
  const text = execFileSync("gdalinfo", ["-checksum", file], { encoding: "utf8" });
  const full = /^ {2}Checksum=(\d+)/m.exec(text)?.[1] ?? "none";
  return [full, ...(/Overviews checksum: (.*)/.exec(text)?.[1]?.split(", ") ?? [])];
}

/** Patches of 12 classes of very different size, with 2 % stray pixels; made tile by tile, the same in every run. */
function classRaster(side: number): RasterSource {
  const octaves = [
    [side / 12, 1],
    [side / 60, 0.8],
    [side / 250, 0.6],
    [side / 1000, 0.4],
    [5, 0.25],
  ] as const;
  const hash = (x: number, y: number, seed: number): number => {
    let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  return {
    url: "made-up classes",
    grid: { width: side, height: side, transform: [4 / side, 0, 74, 0, -4 / side, 18], crs: null },
    bands: [makeBand({ type: "uint8", nodata: 0 })],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    async read(window) {
      const { col, row, width, height } = window;
      const sums = new Float64Array(width * height);
      octaves.forEach(([cell, weight], seed) => {
        for (let y = 0; y < height; y++) {
          const v = (row + y) / cell;
          const top = Math.floor(v);
          let left = -1;
          let [a, b] = [0, 0];
          for (let x = 0; x < width; x++) {
            const u = (col + x) / cell;
            const at = Math.floor(u);
            if (at !== left) {
              left = at;
              const mix = (c: number): number =>
                (hash(c, top, seed) * (top + 1 - v) + hash(c, top + 1, seed) * (v - top)) / 2 ** 32;
              [a, b] = [mix(at), mix(at + 1)];
            }
            sums[y * width + x]! += weight * (a + (b - a) * (u - at));
          }
        }
      });
      const classes = new Uint8Array(width * height);
      for (let i = 0; i < classes.length; i++) {
        const stray = hash(col + (i % width), row + Math.floor(i / width), 99);
        const share = (sums[i]! / 3.05 - 0.25) * 2;
        classes[i] =
          stray % 50 === 0 ? 1 + ((stray >>> 8) % 12) : 1 + Math.max(0, Math.min(11, Math.floor(share * 12)));
      }
      return { window, bands: [classes], mask: null };
    },
    async close() {},
  };
}

const [, , mode, from, to] = process.argv;
if (mode === "--child") {
  const source = await openGeoTiff(await openBytes(from!));
  await writeGeoTiff(to!, source, { overviewResampling: "nearest", statistics: false, overwrite: true });
  await source.close();
}
