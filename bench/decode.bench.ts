import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { openBytes } from "../src/io/bytes/open.ts";
import { openGeoTiff } from "../src/io/geotiff/read.ts";
import { tileWindows } from "../src/model/grid.ts";
import { makeBand, type RasterSource } from "../src/model/raster.ts";

/**
 * node --import tsx bench/decode.bench.ts [FILE.tif]
 *
 * Decodes all of a tiled Deflate raster of one uint8 band: a bare loop of `node:zlib` over the compressed tiles in
 * memory (the floor, no file, no pixels put in place), our reader, and the `geotiff` package; each in a process of its
 * own. Without FILE, `class20k.tif` of $TILTH_BENCH_DATA, else one of 20,000 x 20,000 pixels is made in the folder for
 * temporary files. Sums of all pixels must agree before anything is printed. Goal: at most 1.3 times the bare loop.
 */
interface Result {
  readonly sum: number;
  /** Seconds of user and system time, and of the clock. */
  readonly cpu: number;
  readonly wall: number;
  /** MiB, the process with Node. */
  readonly peak: number;
}

type Decoder = (file: string, use: (pixels: Uint8Array) => void) => Promise<void>;

const BARE = "bare inflateSync loop";
const TUNED = "the same, sized output";

const DECODERS: Record<string, Decoder> = {
  [BARE]: async () => {},
  [TUNED]: async () => {},
  "tilth, tile by tile": async (file, use) => {
    const source = await openGeoTiff(await openBytes(file));
    for (const window of tileWindows(source.grid, source.tile.width, source.tile.height))
      use((await source.read(window)).bands[0] as Uint8Array);
    await source.close();
  },
  "tilth, rows of tiles": async (file, use) => {
    const source = await openGeoTiff(await openBytes(file));
    for (const window of tileWindows(source.grid, source.grid.width, source.tile.height))
      use((await source.read(window)).bands[0] as Uint8Array);
    await source.close();
  },
  "tilth, one window": async (file, use) => {
    const source = await openGeoTiff(await openBytes(file));
    const { width, height } = source.grid;
    use((await source.read({ col: 0, row: 0, width, height })).bands[0] as Uint8Array);
    await source.close();
  },
  "geotiff package": async (file, use) => {
    const { fromFile } = await import("geotiff");
    const tiff = await fromFile(file);
    const image = await tiff.getImage();
    const [width, height, step] = [image.getWidth(), image.getHeight(), image.getTileHeight()];
    for (let row = 0; row < height; row += step) {
      const window = [0, row, width, Math.min(height, row + step)];
      use((await image.readRasters({ window, interleave: true })) as unknown as Uint8Array);
    }
    await tiff.close();
  },
};

if (process.argv[2] === "--run") await child(process.argv[3]!, process.argv[4]!);
else if (process.argv[1] === import.meta.filename) await compare(process.argv[2] ?? (await input(20_000)), 3);

export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  await compare(await input(smoke ? 2_000 : 20_000), smoke ? 1 : 3);
}

async function compare(file: string, repeats: number): Promise<void> {
  const { grid, tile } = await openGeoTiff(await openBytes(file));
  console.log(
    `${grid.width} x ${grid.height} uint8, tiles of ${tile.width}, ${(statSync(file).size / 1e6).toFixed(0)} MB; best of ` +
      `${repeats} by CPU; node ${process.version}, ${cpus()[0]?.model ?? "?"}, ${new Date().toISOString().slice(0, 10)}`,
  );
  const results = new Map<string, Result>();
  for (const name of Object.keys(DECODERS)) {
    const tries = Array.from({ length: repeats }, () => {
      const args = ["--import", "tsx", import.meta.filename, "--run", name, file];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      return JSON.parse(stdout) as Result;
    });
    results.set(name, tries.sort((a, b) => a.cpu - b.cpu)[0]!);
  }
  const floor = results.get(BARE)!;
  for (const [name, { sum }] of results) {
    if (sum !== floor.sum) throw new Error(`results differ: ${name} sums to ${sum}, ${BARE} to ${floor.sum}`);
  }
  console.log("name                      CPU s   wall s   peak MiB   CPU / bare loop   wall / bare loop");
  for (const [name, { cpu, wall, peak }] of results) {
    console.log(
      name.padEnd(24) +
        cpu.toFixed(2).padStart(7) +
        wall.toFixed(2).padStart(9) +
        peak.toFixed(0).padStart(11) +
        (cpu / floor.cpu).toFixed(2).padStart(18) +
        (wall / floor.wall).toFixed(2).padStart(19),
    );
  }
}

/** Twice: the first pass sums, the second is timed and does not look at the pixels. */
async function child(name: string, file: string): Promise<void> {
  let sum = 0;
  const add = (pixels: Uint8Array): void => {
    for (let i = 0; i < pixels.length; i++) sum += pixels[i]!;
  };
  const decoder = name === BARE || name === TUNED ? await bareLoop(file, name === TUNED) : DECODERS[name]!;
  await decoder(file, add);
  const started = performance.now();
  const cpu = process.cpuUsage();
  await decoder(file, () => {});
  const used = process.cpuUsage(cpu);
  const result: Result = {
    sum,
    cpu: (used.user + used.system) / 1e6,
    wall: (performance.now() - started) / 1e3,
    peak: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(result));
}

/** Compressed tiles read beforehand; what lies beyond the image in the last tiles is not handed on for the sum. */
async function bareLoop(file: string, sized: boolean): Promise<Decoder> {
  const source = await openGeoTiff(await openBytes(file));
  const { width, height } = source.tile;
  const tiles: { bytes: Uint8Array; columns: number; rows: number }[] = [];
  for (const window of tileWindows(source.grid, width, height)) {
    const bytes = await source.tileBytes(0, 0, window.col / width, window.row / height);
    if (bytes !== null) tiles.push({ bytes, columns: window.width, rows: window.height });
  }
  await source.close();
  const options = sized ? { chunkSize: width * height + 64 } : {};
  let first = true;
  return async (_, use) => {
    for (const { bytes, columns, rows } of tiles) {
      const pixels = inflateSync(bytes, options);
      if (!first) continue;
      for (let row = 0; row < rows; row++) use(pixels.subarray(row * width, row * width + columns));
    }
    first = false;
  };
}

async function input(side: number): Promise<string> {
  const given = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "class20k.tif");
  if (side === 20_000 && existsSync(given)) return given;
  const file = join(tmpdir(), `tilth-bench-class-${side}.tif`);
  if (existsSync(file)) return file;
  const { writeGeoTiff } = await import("../src/io/geotiff/write.ts");
  await writeGeoTiff(file, classes(side), { compress: "deflate", overwrite: true });
  return file;
}

/** Twelve classes in smooth patches, one pixel in fifty at random, from a fixed seed. */
function classes(side: number): RasterSource {
  const noise = (a: number, b: number): number => {
    let h = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
    return (h ^ (h >>> 15)) >>> 0;
  };
  return {
    url: "made up",
    grid: { width: side, height: side, transform: [0.0002, 0, 74, 0, -0.0002, 18], crs: null },
    bands: [makeBand({ type: "uint8", nodata: 0 })],
    tile: { width: 512, height: 512 },
    hasMask: false,
    metadata: {},
    async read(window) {
      const pixels = new Uint8Array(window.width * window.height);
      let i = 0;
      for (let row = window.row; row < window.row + window.height; row++) {
        const slow = 4 * Math.sin(row / 173) + 2 * Math.sin(row / 41);
        for (let col = window.col; col < window.col + window.width; col++, i++) {
          const h = noise(col, row);
          const patch = slow + 4 * Math.sin((col + 0.3 * row) / 157) + (noise(col >> 3, row >> 3) & 3) / 2;
          pixels[i] = h % 50 === 0 ? 1 + ((h >>> 8) % 12) : 1 + (Math.floor((patch + 12) / 2.2) % 12);
        }
      }
      return { window, bands: [pixels], mask: null };
    },
    async close() {},
  };
}
