import Flatbush from "flatbush";
import initGeos from "geos-wasm";
import { writeWkb } from "../src/io/wkb.ts";
import { geodesicInverse } from "../src/kernels/vector/geodesic.ts";
import { geodesicFinder } from "../src/kernels/vector/nearest/geodesic-finder.ts";
import { type NearestFinder, planarFinder } from "../src/kernels/vector/nearest/nearest-rows.ts";
import { type GeometryColumn, POINT } from "../src/model/geometry.ts";
import { GeometryBuilder } from "../src/model/geometry-builder.ts";
import { random } from "../src/testing/random.ts";
import { riverLayer, storedLayer } from "./layers.ts";

/** Queries that GEOS is given against lines: all would take it a quarter of a minute and more. */
const SAMPLE = 20_000;

/**
 * The nearest of 50,000 points, and of 20,000 lines, for each of 200,000 points: building the index and asking. The
 * sum of the distances must be that of flatbush, and of GEOS. Then the same for points in metres on the ellipsoid, where the
 * witness measures all pairs for a few.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const few = smoke ? 50 : 1;
  const stored = smoke ? null : storedLayer("q200k");
  if (!smoke && stored === null)
    console.log("TILTH_BENCH_DATA has no q200k.wkbs: generated points and lines of the same numbers");
  const queries = stored ?? pointLayer(200_000 / few, 51);
  const points = (smoke ? null : storedLayer("t50k")) ?? pointLayer(50_000 / few, 52);
  const lines = (smoke ? null : storedLayer("lines20k")) ?? riverLayer(20_000 / few, 53);
  const runs = smoke ? 1 : 3;

  const flatbush = best(runs, () => flatbushSum(queries, points));
  const toPoints = best(runs, () => ourSum(planarFinder(points), queries));
  same(toPoints.sum, flatbush.sum, "flatbush");
  console.log(
    `${queries.types.length} points to ${points.types.length} points: sum ${toPoints.sum}, equal; CPU seconds: tilth ${told(toPoints)}, flatbush ${told(flatbush)}; ratio ${(toPoints.seconds / flatbush.seconds).toFixed(3)} (goal 0.5)`,
  );

  const toLines = best(runs, () => ourSum(planarFinder(lines), queries));
  const count = Math.min(SAMPLE, queries.types.length);
  const sample = firstRows(queries, count);
  const geos = await geosSum(sample, lines);
  same(ourSum(planarFinder(lines), sample), geos.sum, "GEOS");
  const all = (geos.seconds * queries.types.length) / count;
  console.log(
    `${queries.types.length} points to ${lines.types.length} lines: sum ${toLines.sum}, equal for ${count}; CPU seconds: tilth ${told(toLines)}, geos-wasm ${all.toFixed(1)} (${count} points timed); ratio ${(toLines.seconds / all).toFixed(4)} (goal 0.1 of GEOS in C++)`,
  );

  const geodesic = best(1, () => ourSum(geodesicFinder(points), queries));
  const checked = firstRows(queries, smoke ? 20 : 40);
  same(ourSum(geodesicFinder(points), checked), allPairsSum(checked, points), "all pairs");
  console.log(
    `${queries.types.length} points to ${points.types.length} points on the ellipsoid: sum ${geodesic.sum.toFixed(3)} m, equal for ${checked.types.length}; CPU seconds: tilth ${told(geodesic)}`,
  );
}

interface Timed {
  readonly seconds: number;
  readonly first: number;
  readonly sum: number;
}

function best(runs: number, work: () => number): Timed {
  let seconds = Infinity;
  let first = 0;
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    sum = work();
    const used = secondsSince(before);
    if (run === 0) first = used;
    seconds = Math.min(seconds, used);
  }
  return { seconds, first, sum };
}

function told({ seconds, first }: Timed): string {
  return `${seconds.toFixed(3)} (first run ${first.toFixed(3)})`;
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function same(ours: number, theirs: number, whose: string): void {
  if (!(Math.abs(ours - theirs) <= 1e-9 * theirs))
    throw new Error(`the results differ: sum ${ours}, ${whose} ${theirs}`);
}

/** Points over the area of {@link riverLayer}. */
function pointLayer(count: number, seed: number): GeometryColumn {
  const next = random(seed);
  const builder = new GeometryBuilder();
  for (let i = 0; i < count; i++) {
    builder.begin(POINT);
    builder.part();
    builder.vertex(next.between(74, 78), next.between(14, 18));
    builder.end();
  }
  return builder.finish();
}

function firstRows(points: GeometryColumn, count: number): GeometryColumn {
  const builder = new GeometryBuilder();
  for (let row = 0; row < count; row++) builder.copy(points, row);
  return builder.finish();
}

function ourSum(finder: NearestFinder, queries: GeometryColumn): number {
  const { distances } = finder.find(queries, { ties: "first" });
  let sum = 0;
  for (const distance of distances) sum += distance;
  return sum;
}

function flatbushSum({ xy: from }: GeometryColumn, { xy: to, types }: GeometryColumn): number {
  const index = new Flatbush(types.length);
  for (let i = 0; i < to.length; i += 2) index.add(to[i]!, to[i + 1]!);
  index.finish();
  let sum = 0;
  for (let i = 0; i < from.length; i += 2) {
    const [found] = index.neighbors(from[i]!, from[i + 1]!, 1);
    sum += Math.hypot(to[2 * found!]! - from[i]!, to[2 * found! + 1]! - from[i + 1]!);
  }
  return sum;
}

function allPairsSum({ xy: from }: GeometryColumn, { xy: to }: GeometryColumn): number {
  let sum = 0;
  for (let i = 0; i < from.length; i += 2) {
    let least = Infinity;
    for (let k = 0; k < to.length; k += 2)
      least = Math.min(least, geodesicInverse(from[i]!, from[i + 1]!, to[k]!, to[k + 1]!).distance);
    sum += least;
  }
  return sum;
}

/** GEOS as its users know how to: an STR tree with the distance as a callback. */
async function geosSum(queries: GeometryColumn, lines: GeometryColumn): Promise<Timed> {
  const g = (await initGeos()) as unknown as Record<string, (...args: number[]) => number> & {
    Module: {
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      HEAPU8: Uint8Array;
      getValue(pointer: number, type: "double"): number;
      addFunction(f: (...args: number[]) => number, signature: string): number;
    };
  };
  const { Module } = g;
  const reader = g["GEOSWKBReader_create"]!();
  const read = (column: GeometryColumn): number[] =>
    Array.from(column.types, (_, row) => {
      const bytes = writeWkb(column, row);
      const at = Module._malloc(bytes.length);
      Module.HEAPU8.set(bytes, at);
      const pointer = g["GEOSWKBReader_read"]!(reader, at, bytes.length);
      Module._free(at);
      return pointer;
    });
  const [from, to] = [read(queries), read(lines)];
  const out = Module._malloc(8);
  const measure = Module.addFunction((a, b, at) => g["GEOSDistance"]!(a!, b!, at!), "iiiii");
  const before = process.cpuUsage();
  const tree = g["GEOSSTRtree_create"]!(10);
  for (const line of to) g["GEOSSTRtree_insert"]!(tree, line, line);
  let sum = 0;
  for (const point of from) {
    g["GEOSDistance"]!(point, g["GEOSSTRtree_nearest_generic"]!(tree, point, point, measure, 0), out);
    sum += Module.getValue(out, "double");
  }
  const seconds = secondsSince(before);
  return { seconds, first: seconds, sum };
}
