import { existsSync } from "node:fs";
import { join } from "node:path";
import { openRaster } from "../src/io/open.ts";
import { type FeatureTable, rowAt } from "../src/model/features.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import type { Grid } from "../src/model/grid.ts";
import { isNodata, type RasterSource } from "../src/model/raster.ts";
import { memoryRaster } from "../src/operators/memory-raster.ts";
import { readWindows } from "../src/operators/read-windows.ts";
import { zonalStats } from "../src/operators/zonal-stats.ts";
import { blobLayer, storedLayer } from "./layers.ts";

/** CPU seconds of exactextract 0.3 on the stored inputs, measured on the machine of the published figures. */
const EXACTEXTRACT = { classes: 16.6, floats: 7.5 };

/**
 * Zonal statistics with exact coverage: mode and histogram of a class raster, mean, sum and count of a raster of floats.
 * Beside each, what decoding the raster alone costs. A sample of the zones is checked against clipping the polygon to every
 * cell, one by one.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const zones = (smoke ? null : storedLayer("zones2k")) ?? blobLayer(smoke ? 40 : 2_000, 9);
  const stored = (name: string): string | null => {
    const path = join(process.env["TILTH_BENCH_DATA"] ?? "", name);
    return smoke || process.env["TILTH_BENCH_DATA"] === undefined || !existsSync(path) ? null : path;
  };
  await contest(
    "mode, histogram",
    ["mode", "histogram"],
    stored("class20k.tif"),
    zones,
    EXACTEXTRACT.classes,
    "uint8",
  );
  await contest(
    "mean, sum, count",
    ["mean", "sum", "count"],
    stored("float10k.tif"),
    zones,
    EXACTEXTRACT.floats,
    "float32",
  );
}

async function contest(
  title: string,
  stats: readonly string[],
  path: string | null,
  geometry: GeometryColumn,
  theirs: number,
  type: "uint8" | "float32",
): Promise<void> {
  const source = path === null ? made(geometry, type) : await openRaster(path);
  if (path === null) console.log("TILTH_BENCH_DATA has no such raster: generated one instead");
  const zones: FeatureTable = {
    count: geometry.types.length,
    geometry,
    columns: [],
    ids: null,
    firstRow: 0,
    crs: source.grid.crs,
  };
  const before = process.cpuUsage();
  const { table, report } = await zonalStats(zones, source, { stats });
  const ours = secondsSince(before);
  let worst = 0;
  for (let k = 0; k < 3; k++) {
    const zone = Math.floor(((k + 0.5) * zones.count) / 3);
    worst = Math.max(worst, await difference(source, geometry, zone, rowAt(table, zone)));
  }
  if (!(worst <= 1e-9)) throw new Error(`${title}: differs by ${worst} from clipping cell by cell`);
  const start = process.cpuUsage();
  for (const window of readWindows(source, 1)) await source.read(window, { bands: [0] });
  const decode = secondsSince(start);
  await source.close();
  console.log(
    `${title} of ${source.grid.width} x ${source.grid.height} ${type}, ${zones.count} zones, ${report.pixels} pixels: equal to 1e-9`,
  );
  console.log(
    `CPU seconds: tilth ${ours.toFixed(3)}, of which decoding alone takes ${decode.toFixed(3)}${path === null ? "" : `; exactextract ${theirs}, ratio ${(ours / theirs).toFixed(3)}`}`,
  );
}

/** Largest relative difference of the figures of one zone from those of cells clipped one by one. */
async function difference(
  source: RasterSource,
  geometry: GeometryColumn,
  zone: number,
  found: Readonly<Record<string, unknown>>,
): Promise<number> {
  const [a, , c, , e, f] = source.grid.transform;
  const rings: [number, number][][] = [];
  for (let p = geometry.geometries[zone]!; p < geometry.geometries[zone + 1]!; p++) {
    for (let r = geometry.parts[p]!; r < geometry.parts[p + 1]!; r++) {
      const ring: [number, number][] = [];
      for (let v = geometry.rings[r]!; v < geometry.rings[r + 1]! - 1; v++)
        ring.push([(geometry.xy[2 * v]! - c) / a, (geometry.xy[2 * v + 1]! - f) / e]);
      rings.push(ring);
    }
  }
  const xs = rings.flat().map(([x]) => x);
  const ys = rings.flat().map(([, y]) => y);
  const col = Math.max(0, Math.floor(Math.min(...xs)));
  const row = Math.max(0, Math.floor(Math.min(...ys)));
  const width = Math.min(source.grid.width, Math.ceil(Math.max(...xs))) - col;
  const height = Math.min(source.grid.height, Math.ceil(Math.max(...ys))) - row;
  const block = await source.read({ col, row, width, height }, { bands: [0] });
  const samples = block.bands[0]!;
  const { nodata } = source.bands[0]!;
  const weights = new Map<number, number>();
  let count = 0;
  let sum = 0;
  for (let r = 0; r < height; r++) {
    const strips = rings.map((ring) => cut(cut(ring, 1, row + r, 1), 1, row + r + 1, -1));
    if (strips.every((strip) => strip.length < 3)) continue;
    for (let k = 0; k < width; k++) {
      const value = samples[r * width + k]!;
      if (isNodata(value, nodata) || Number.isNaN(value)) continue;
      let share = 0;
      for (const strip of strips) {
        const cell = cut(cut(strip, 0, col + k, 1), 0, col + k + 1, -1);
        share += twiceArea(cell, col + k, row + r) / 2;
      }
      share = Math.abs(share);
      if (share < 1e-12) continue;
      count += share;
      sum += share * Number(value);
      weights.set(Number(value), (weights.get(Number(value)) ?? 0) + share);
    }
  }
  const pairs: [number, number][] = [];
  if (typeof found["count"] === "number") {
    pairs.push(
      [found["count"], count],
      [found["sum"] as number, sum],
      [found["mean"] as number, sum / count],
    );
  } else {
    const histogram = found["histogram"] as [number, number][];
    if (histogram.length !== weights.size) return Infinity;
    for (const [value, weight] of histogram) pairs.push([weight, weights.get(value) ?? 0]);
    const [mode] = [...weights].reduce((best, one) => (one[1] > best[1] ? one : best));
    if (mode !== found["mode"]) return Infinity;
  }
  return Math.max(...pairs.map(([have, want]) => Math.abs(have - want) / Math.max(1, Math.abs(want))));
}

/** The part of a ring on one side of a line along an axis (Sutherland and Hodgman). */
function cut(ring: readonly [number, number][], axis: 0 | 1, at: number, side: 1 | -1): [number, number][] {
  const out: [number, number][] = [];
  for (let k = 0; k < ring.length; k++) {
    const p = ring[k]!;
    const q = ring[(k + 1) % ring.length]!;
    const inP = side * (p[axis] - at) >= 0;
    const inQ = side * (q[axis] - at) >= 0;
    if (inP) out.push(p);
    if (inP !== inQ) {
      const t = (at - p[axis]) / (q[axis] - p[axis]);
      const other = p[1 - axis]! + t * (q[1 - axis]! - p[1 - axis]!);
      out.push(axis === 0 ? [at, other] : [other, at]);
    }
  }
  return out;
}

function twiceArea(ring: readonly [number, number][], x0: number, y0: number): number {
  let twice = 0;
  for (let k = 0; k < ring.length; k++) {
    const [x1, y1] = ring[k]!;
    const [x2, y2] = ring[(k + 1) % ring.length]!;
    twice += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  }
  return twice;
}

/** A raster in memory under the zones: classes in patches, or a smooth field. */
function made(geometry: GeometryColumn, type: "uint8" | "float32"): RasterSource {
  const [minX, minY, maxX, maxY] = extent(geometry);
  const size = 1000;
  const cell = Math.max(maxX - minX, maxY - minY) / size;
  const grid: Grid = { width: size, height: size, transform: [cell, 0, minX, 0, -cell, maxY], crs: null };
  const data = type === "uint8" ? new Uint8Array(size * size) : new Float32Array(size * size);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % size, Math.floor(i / size)];
    data[i] =
      type === "uint8"
        ? 1 + (((x >> 3) * 7 + (y >> 3) * 13) % 11)
        : 100 * Math.sin(x / 90) * Math.cos(y / 70);
  }
  return memoryRaster(grid, [{ type, nodata: type === "uint8" ? 0 : -9999 }], [data]);
}

function extent({ xy }: GeometryColumn): [number, number, number, number] {
  const out: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    out[0] = Math.min(out[0], xy[i]!);
    out[1] = Math.min(out[1], xy[i + 1]!);
    out[2] = Math.max(out[2], xy[i]!);
    out[3] = Math.max(out[3], xy[i + 1]!);
  }
  return out;
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
