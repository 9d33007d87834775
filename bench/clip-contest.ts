import initGeos from "geos-wasm";
import { writeWkb } from "../src/io/wkb.ts";
import type { FeatureTable } from "../src/model/features.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import { type ClipReport, clipFeatures } from "../src/operators/clip-features.ts";

/** What a clip gave: equal for all contestants. */
interface Clipped {
  readonly seconds: number;
  readonly features: number;
  /** Planar area of polygons, length of lines. */
  readonly measure: number;
}

/**
 * Clip a layer by a region of one polygon with tilth and with GEOS compiled to WebAssembly, see that features and
 * area or length are equal, and print CPU times of one thread and their ratio. Both begin with columns or geometries in memory
 * and end with such; preparing the region counts. GEOS is used as its users know how to: a prepared region, features inside are kept
 * as they are and only those across the boundary are overlaid.
 *
 * @param goal  What the ratio to GEOS in C++ should be, which takes a third to a whole of the time of GEOS in WebAssembly.
 */
export async function clipContest(
  title: string,
  layer: GeometryColumn,
  region: GeometryColumn,
  { dimension, runs, goal }: { dimension: 1 | 2; runs: number; goal: string },
): Promise<void> {
  const theirs = await clipWithGeos(layer, region, dimension, Math.min(2, runs));
  let first = 0;
  let best = Infinity;
  let report: ClipReport | null = null;
  for (let run = 0; run < runs; run++) {
    const ours = await clipWithTilth(layer, region, dimension);
    report = ours.report;
    if (run === 0) first = ours.seconds;
    best = Math.min(best, ours.seconds);
    const same =
      ours.features === theirs.features &&
      Math.abs(ours.measure - theirs.measure) <= 1e-9 * Math.abs(theirs.measure);
    if (!same)
      throw new Error(
        `the results differ: ${ours.features} features, ${ours.measure}; GEOS ${theirs.features}, ${theirs.measure}`,
      );
  }
  const { cut, untouched } = report!;
  const what = dimension === 2 ? "area" : "length";
  console.log(
    `${title}: ${theirs.features} features kept (${untouched} untouched, ${cut} cut), ${what} ${theirs.measure.toFixed(9)}, equal`,
  );
  console.log(
    `CPU seconds: tilth ${best.toFixed(3)} (first run ${first.toFixed(3)}), geos-wasm ${theirs.seconds.toFixed(3)}; ratio ${(best / theirs.seconds).toFixed(3)} (goal ${goal})`,
  );
}

async function clipWithTilth(
  layer: GeometryColumn,
  region: GeometryColumn,
  dimension: 1 | 2,
): Promise<Clipped & { report: ClipReport }> {
  const before = process.cpuUsage();
  const clipped = await clipFeatures(tableOf(layer), tableOf(region));
  const batches: FeatureTable[] = [];
  for await (const batch of clipped.batches()) batches.push(batch);
  const seconds = secondsSince(before);
  let features = 0;
  let measure = 0;
  for (const { count, geometry } of batches) {
    features += count;
    measure += measureOf(geometry!, dimension);
  }
  return { seconds, features, measure, report: clipped.report };
}

function tableOf(geometry: GeometryColumn): FeatureTable {
  return { count: geometry.types.length, geometry, columns: [], ids: null, firstRow: 0, crs: null };
}

async function clipWithGeos(
  layer: GeometryColumn,
  region: GeometryColumn,
  dimension: 1 | 2,
  runs: number,
): Promise<Clipped> {
  const g = (await initGeos()) as unknown as Record<string, (...args: number[]) => number> & {
    Module: {
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      HEAPU8: Uint8Array;
      getValue(pointer: number, type: "double"): number;
    };
  };
  const { Module } = g;
  const reader = g["GEOSWKBReader_create"]!();
  const read = (column: GeometryColumn, row: number): number => {
    const bytes = writeWkb(column, row);
    const at = Module._malloc(bytes.length);
    Module.HEAPU8.set(bytes, at);
    const pointer = g["GEOSWKBReader_read"]!(reader, at, bytes.length);
    Module._free(at);
    return pointer;
  };
  const by = read(region, 0);
  const rows = Array.from(layer.types, (_, row) => read(layer, row));
  const out = Module._malloc(8);
  let best: Clipped | null = null;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const prepared = g["GEOSPrepare"]!(by);
    const results: number[] = [];
    for (const row of rows) {
      if (g["GEOSPreparedIntersects"]!(prepared, row) !== 1) continue;
      results.push(g["GEOSPreparedCovers"]!(prepared, row) === 1 ? row : g["GEOSIntersection"]!(row, by));
    }
    const seconds = secondsSince(before);
    let features = 0;
    let measure = 0;
    for (const result of results) {
      g[dimension === 2 ? "GEOSArea" : "GEOSLength"]!(result, out);
      const size = Module.getValue(out, "double");
      // A feature of which only a point or line is left is none.
      if (size === 0) continue;
      features++;
      measure += size;
    }
    if (best === null || seconds < best.seconds) best = { seconds, features, measure };
  }
  return best!;
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Planar area of all polygons, or length of all lines. */
function measureOf({ parts, rings, xy }: GeometryColumn, dimension: 1 | 2): number {
  let sum = 0;
  for (let p = 0; p + 1 < parts.length; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const first = rings[r]!;
      let twice = 0;
      for (let v = first; v + 1 < rings[r + 1]!; v++) {
        const dx = xy[2 * v + 2]! - xy[2 * v]!;
        const dy = xy[2 * v + 3]! - xy[2 * v + 1]!;
        if (dimension === 1) sum += Math.hypot(dx, dy);
        else twice += (xy[2 * v]! - xy[2 * first]!) * dy - (xy[2 * v + 1]! - xy[2 * first + 1]!) * dx;
      }
      if (dimension === 2) sum += (r === parts[p]! ? 1 : -1) * Math.abs(twice / 2);
    }
  }
  return sum;
}
