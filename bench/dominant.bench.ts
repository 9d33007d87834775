import { existsSync } from "node:fs";
import { join } from "node:path";
import { openBytes } from "../src/io/bytes/open.ts";
import { openGeoTiff } from "../src/io/geotiff/read.ts";
import { scanRuns } from "../src/kernels/raster/rasterize.ts";
import { prepareShapes } from "../src/kernels/raster/shapes.ts";
import { ringArea } from "../src/kernels/vector/region.ts";
import type { FeatureTable } from "../src/model/features.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import { tileWindows } from "../src/model/grid.ts";
import { makeBand, type RasterSource } from "../src/model/raster.ts";
import { type DominantResult, dominantClass } from "../src/operators/dominant.ts";
import { memoryRaster } from "../src/operators/memory-raster.ts";
import { blobLayer, storedLayer } from "./layers.ts";

/**
 * Area of each class in 2,000 zones of a class raster of 20,000 x 20,000: tilth by pixel centres and by exact coverage, what reading
 * the raster costs alone, and what users write themselves (zone numbers burnt into an array, a table of counts). Counts by
 * centre must be equal to theirs; by coverage, the classes of a zone must make up its area. `TILTH_BENCH_DATA` holds
 * `class20k.tif` and `zones2k.wkbs`; without them a raster in memory of 1,500 x 1,500 and 60 zones are taken.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const file = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "class20k.tif");
  const stored = smoke || !existsSync(file) ? null : storedLayer("zones2k");
  if (stored === null && !smoke) console.log("TILTH_BENCH_DATA has no class20k.tif: a small raster instead");
  const geometry = stored ?? blobLayer(60, 9);
  const source = stored === null ? made(geometry) : await openGeoTiff(await openBytes(file));
  const zones: FeatureTable = {
    count: geometry.types.length,
    geometry,
    columns: [],
    ids: null,
    firstRow: 0,
    crs: source.grid.crs,
  };
  const repeats = stored === null ? 1 : 3;
  const { width, height } = source.grid;
  console.log(`${width} x ${height}, ${zones.count} zones; best CPU seconds of ${repeats}`);

  const [read] = await best(repeats, async () => {
    for (const window of tileWindows(source.grid, 1024)) await source.read(window);
  });
  const [burnt, counts] = await best(repeats, () => bincount(geometry, source));
  const [centre, byCentre] = await best(repeats, () => dominantClass(zones, source));
  const [coverage, byCoverage] = await best(repeats, () =>
    dominantClass(zones, source, { pixels: "coverage", surface: "plane" }),
  );
  compareCounts(byCentre, counts);
  compareAreas(byCoverage, geometry);
  for (const [name, seconds] of [
    ["reading alone", read],
    ["burnt zones and a table", burnt],
    ["tilth, centres", centre],
    ["tilth, exact coverage", coverage],
  ] as const)
    console.log(
      `${name.padEnd(26)}${seconds.toFixed(2).padStart(7)}  ${(seconds / read).toFixed(2)} x reading`,
    );
  await source.close();
}

const CLASSES = 256;

/** Zone numbers in an array as large as the raster, then a table of zone and class. Zones must not overlap. */
async function bincount(geometry: GeometryColumn, source: RasterSource): Promise<Int32Array> {
  const { width, height } = source.grid;
  const zone = new Uint16Array(width * height);
  const { count, data } = scanRuns(prepareShapes(geometry, source.grid, "center"), {
    col: 0,
    row: 0,
    width,
    height,
  });
  for (let k = 0; k < 4 * count; k += 4)
    zone.fill(data[k]! + 1, data[k + 1]! * width + data[k + 2]!, data[k + 1]! * width + data[k + 3]!);
  const table = new Int32Array((geometry.types.length + 1) * CLASSES);
  for (const window of tileWindows(source.grid, width, 512)) {
    const samples = (await source.read(window)).bands[0] as Uint8Array;
    const at = window.row * width;
    for (let i = 0; i < samples.length; i++) table[zone[at + i]! * CLASSES + samples[i]!]!++;
  }
  return table;
}

function compareCounts({ classes, years }: DominantResult, counts: Int32Array): void {
  const { pixels } = years[0]!;
  let compared = 0;
  for (let k = 0; k < pixels.length; k++) {
    const zone = Math.floor(k / classes.length);
    const expected = counts[(zone + 1) * CLASSES + classes[k % classes.length]!.value]!;
    if (pixels[k] !== expected) throw new Error(`zone ${zone}: ${pixels[k]} pixels, expected ${expected}`);
    compared += expected;
  }
  console.log(`${compared} pixels counted, equal in every zone and class`);
}

function compareAreas({ classes, years }: DominantResult, column: GeometryColumn): void {
  const { area, nodataArea } = years[0]!;
  const { geometries, parts, rings, xy } = column;
  for (let zone = 0; zone < nodataArea.length; zone++) {
    let whole = 0;
    for (let p = geometries[zone]!; p < geometries[zone + 1]!; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const ring = Math.abs(ringArea(xy, rings[r]!, rings[r + 1]!)) / 2;
        whole += r === parts[p] ? ring : -ring;
      }
    }
    let sum = nodataArea[zone]!;
    for (let c = 0; c < classes.length; c++) sum += area[zone * classes.length + c]!;
    if (!(Math.abs(sum - whole) <= 1e-10 * whole)) throw new Error(`zone ${zone}: ${sum}, area ${whole}`);
  }
}

/** The least user and system time of some runs, with the result of the last. */
async function best<T>(repeats: number, task: () => Promise<T>): Promise<[seconds: number, result: T]> {
  let least = Infinity;
  let result: T | null = null;
  for (let k = 0; k < repeats; k++) {
    const before = process.cpuUsage();
    result = await task();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1e6);
  }
  return [least, result as T];
}

/** Twelve classes over the bounds of some zones. */
function made({ xy }: GeometryColumn): RasterSource {
  const side = 1500;
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    minX = Math.min(minX, xy[i]!);
    maxX = Math.max(maxX, xy[i]!);
    minY = Math.min(minY, xy[i + 1]!);
    maxY = Math.max(maxY, xy[i + 1]!);
  }
  const pixels = Uint8Array.from({ length: side * side }, (_, i) => {
    const patch = 6 + 5 * Math.sin((i % side) / 57) * Math.cos(Math.floor(i / side) / 43);
    return 1 + (Math.floor(patch) % 12);
  });
  return memoryRaster(
    {
      width: side,
      height: side,
      transform: [(maxX - minX) / side, 0, minX, 0, -(maxY - minY) / side, maxY],
      crs: null,
    },
    [makeBand({ type: "uint8", nodata: 0 })],
    [pixels],
    { tile: { width: 512, height: 512 } },
  );
}
