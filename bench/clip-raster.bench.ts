import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseCrs } from "../src/crs/parse.ts";
import { openRaster, writeRaster } from "../src/io/open.ts";
import { intersectWindows, tileWindows, type Window } from "../src/model/grid.ts";
import { makeBand, type RasterSource } from "../src/model/raster.ts";

/**
 * npm run bench -- clip-raster [--smoke]
 *
 * Cuts a class raster of 20,000 x 20,000 uint8 pixels (Deflate level 6, tiles of 512) to a region of 5,000 vertices that
 * covers two fifths of it: 547 of its 1,600 tiles lie wholly inside, 123 cross the border. `tilth clip` from start to end
 * of the process, against `gdalwarp -cutline -crop_to_cutline` with the same codec, level and tiles. gdalwarp makes no
 * overviews and no statistics; tilth makes both, so there is a row without overviews as well.
 *
 * The pixels must be equal before anything is compared: all of them, but for one centre that lies on the border to the
 * last bit. `class20k.tif` and `roi5k.fgb` are looked for in $TILTH_BENCH_DATA; without them, and with `--smoke`, smaller
 * ones are made. Goals: wall <= 0.7 of gdalwarp's, with `--crop tiles` <= 0.15. On a machine that does other work as well,
 * compare the CPU seconds: spread over two cores, half of them is what the wall time can be.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const folder = join(tmpdir(), "tilth-bench");
  mkdirSync(folder, { recursive: true });
  const { input, region } = await inputs(folder, smoke);
  console.log(
    `${input}: ${(statSync(input).size / 1e6).toFixed(1)} MB; Node ${process.version}, ` +
      `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, load before ${loadavg()[0]!.toFixed(2)}`,
  );
  const bin = fileURLToPath(new URL("../bin/tilth.js", import.meta.url));
  if (!existsSync(fileURLToPath(new URL("../dist/cli/main.js", import.meta.url))))
    throw new Error("dist/ is missing: npm run build");
  const runs = smoke ? 1 : 3;
  const theirs = join(folder, "gdalwarp.tif");
  const gdal =
    spawnSync("gdalwarp", ["--version"]).status === 0
      ? best(runs, "gdalwarp", [
          ...["-q", "-overwrite", "-cutline", region, "-crop_to_cutline"],
          ...["TILED=YES", "COMPRESS=DEFLATE", "BLOCKXSIZE=512", "BLOCKYSIZE=512"].flatMap((o) => ["-co", o]),
          ...[input, theirs],
        ])
      : null;
  if (gdal === null) console.log("gdalwarp is not on PATH: nothing to compare with");
  else report("gdalwarp", gdal, theirs, null);

  for (const [name, goal, options] of [
    ["clip", 0.7, []],
    ["clip, no overviews", 0.7, ["--overviews", "none"]],
    ["clip --crop tiles", 0.15, ["--crop", "tiles"]],
    ["the same, no overviews", 0.15, ["--crop", "tiles", "--overviews", "none"]],
  ] as const) {
    const ours = join(folder, "tilth-clip.tif");
    const outcome = best(runs, process.execPath, [
      ...[bin, "clip", input, ours, "--by", region, "--overwrite", "--quiet", "--progress", "none"],
      ...options,
    ]);
    if (gdal === null) {
      report(name, outcome, ours, null);
      continue;
    }
    const { kept, different } = await compare(ours, theirs);
    if (different > 1) throw new Error(`${name}: ${different} pixels differ from gdalwarp's`);
    report(name, outcome, ours, { gdal, goal, kept, different });
  }
}

async function inputs(folder: string, smoke: boolean): Promise<{ input: string; region: string }> {
  const given = process.env["TILTH_BENCH_DATA"] ?? folder;
  const [input, region] = [join(given, "class20k.tif"), join(given, "roi5k.fgb")];
  if (!smoke && existsSync(input) && existsSync(region)) return { input, region };
  const side = smoke ? 2048 : 8192;
  const made = { input: join(folder, `clip${side}.tif`), region: join(folder, "clip-region.geojson") };
  await writeRaster(made.input, classes(side), { overwrite: true });
  const ring = Array.from({ length: 5001 }, (_, k) => {
    const angle = (2 * Math.PI * (k % 5000)) / 5000;
    const radius =
      1.3 + 0.3 * Math.sin(3 * angle) + 0.1 * Math.sin(11 * angle) + 0.02 * Math.sin(171 * angle);
    // Off the middle, so that no vertex lies on a centre of a pixel.
    return [76.000_137 + radius * Math.cos(angle), 15.999_871 + radius * Math.sin(angle)];
  });
  const features = [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }];
  writeFileSync(made.region, JSON.stringify({ type: "FeatureCollection", features }));
  return made;
}

/** Patches of 12 classes with 2 % stray pixels, the same in every run. */
function classes(side: number): RasterSource {
  return {
    url: "made-up classes",
    grid: {
      width: side,
      height: side,
      transform: [4 / side, 0, 74, 0, -4 / side, 18],
      crs: parseCrs("EPSG:4326"),
    },
    bands: [makeBand({ type: "uint8", nodata: 0 })],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    async read(window) {
      const out = new Uint8Array(window.width * window.height);
      for (let i = 0; i < out.length; i++) {
        const x = window.col + (i % window.width);
        const y = window.row + Math.floor(i / window.width);
        const h = Math.imul(Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1), 0x85ebca6b) >>> 0;
        const patch =
          Math.sin(x / 71) + Math.sin(y / 53) + Math.sin((x + y) / 190) + Math.sin((x - 2 * y) / 37);
        out[i] = 1 + (h % 50 === 0 ? (h >>> 8) % 12 : Math.floor(((patch + 4) / 8.001) * 12));
      }
      return { window, bands: [out], mask: null };
    },
    async close() {},
  };
}

/**
 * Pixels kept, and pixels that differ where the two files lie on each other. gdalwarp leaves the outermost columns and rows
 * out when the cutline covers a part of them only, though a centre there may be inside.
 */
async function compare(ours: string, theirs: string): Promise<{ kept: number; different: number }> {
  const [a, b] = await Promise.all([openRaster(ours), openRaster(theirs)]);
  const [dx, , x] = a.grid.transform;
  const [, , , , dy, y] = a.grid.transform;
  // Where our first pixel lies in theirs.
  const col = Math.round((x - b.grid.transform[2]) / dx);
  const row = Math.round((y - b.grid.transform[5]) / dy);
  const theirWindow: Window = { col: 0, row: 0, width: b.grid.width, height: b.grid.height };
  let kept = 0;
  let different = 0;
  for (const window of tileWindows(a.grid, 2048)) {
    const mine = (await a.read(window)).bands[0] as Uint8Array;
    for (let i = 0; i < mine.length; i++) if (mine[i] !== 0) kept++;
    const at = intersectWindows({ ...window, col: window.col + col, row: window.row + row }, theirWindow);
    if (at === null) continue;
    const other = (await b.read(at)).bands[0] as Uint8Array;
    for (let r = 0; r < at.height; r++) {
      const start = (at.row - row - window.row + r) * window.width + at.col - col - window.col;
      for (let c = 0; c < at.width; c++) {
        const theirsHere = other[r * at.width + c]!;
        if (mine[start + c] !== theirsHere) different++;
      }
    }
  }
  await Promise.all([a.close(), b.close()]);
  return { kept, different };
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
  const least = (key: keyof Outcome): number => Math.min(...outcomes.map((outcome) => outcome[key]));
  return { wall: least("wall"), cpu: least("cpu"), peak: Math.max(...outcomes.map(({ peak }) => peak)) };
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

interface Against {
  readonly gdal: Outcome;
  readonly goal: number;
  readonly kept: number;
  readonly different: number;
}

function report(name: string, { wall, cpu, peak }: Outcome, file: string, against: Against | null): void {
  console.log(
    `${name.padEnd(23)} ${wall.toFixed(2).padStart(6)} s wall ${cpu.toFixed(2).padStart(6)} s CPU ` +
      `${peak.toFixed(0).padStart(5)} MiB peak ${(statSync(file).size / 1e6).toFixed(1).padStart(5)} MB` +
      (against === null
        ? ""
        : `  wall ${(wall / against.gdal.wall).toFixed(3)} (goal <= ${against.goal}), ` +
          `CPU ${(cpu / against.gdal.cpu).toFixed(3)} of gdalwarp; ` +
          `${against.kept} px, ${against.different} otherwise`),
  );
}
