import initGeos from "geos-wasm";
import { writeWkb } from "../src/io/wkb.ts";
import { ColumnBuilder, type FeatureTable } from "../src/model/features.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import { type DominantPolygonsResult, dominantClassPolygons } from "../src/operators/dominant-polygons.ts";
import { blobLayer, regionLayer, storedLayer } from "./layers.ts";

const CLASSES = 7;

/**
 * Area of 7 classes of polygons in many small zones and in one large one: tilth, and GEOS compiled to WebAssembly as its users know
 * how to (an STR tree over the zones, prepared zones, the intersection only of what crosses, its area). The areas of all zones and
 * classes must be equal.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const count = smoke ? 400 : 20_000;
  const stored = smoke ? null : storedLayer("polys20k");
  if (stored === null && !smoke)
    console.log("TILTH_BENCH_DATA has no polys20k.wkbs: generated polygons instead");
  const polygons = stored ?? blobLayer(count);
  const small = (smoke ? null : storedLayer("zones2k")) ?? blobLayer(smoke ? 60 : 2_000, 9);
  const large = (smoke ? null : storedLayer("roi50k")) ?? regionLayer(smoke ? 500 : 50_000);
  const runs = smoke ? 1 : 5;
  await contest(`${count} polygons in ${small.types.length} zones`, small, polygons, runs);
  await contest(`${count} polygons in one zone of ${large.xy.length / 2} vertices`, large, polygons, runs);
}

async function contest(
  title: string,
  zones: GeometryColumn,
  polygons: GeometryColumn,
  runs: number,
): Promise<void> {
  const theirs = await geosAreas(zones, polygons);
  let first = 0;
  let best = Infinity;
  let result: DominantPolygonsResult | null = null;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    result = await dominantClassPolygons(tableOf(zones, false), tableOf(polygons, true), {
      classField: "class",
    });
    const seconds = secondsSince(before);
    if (run === 0) first = seconds;
    best = Math.min(best, seconds);
  }
  const { area } = result!.areas;
  let total = 0;
  for (let zone = 0; zone < zones.types.length; zone++) {
    let size = 0;
    for (let c = 0; c < CLASSES; c++) size += theirs.areas[zone * CLASSES + c]!;
    for (const [c, { value }] of result!.classes.entries()) {
      const ours = area[zone * result!.classes.length + c]!;
      const expected = theirs.areas[zone * CLASSES + Number(value)]!;
      total += ours;
      if (Math.abs(ours - expected) > 1e-9 * size)
        throw new Error(`zone ${zone}, class ${value}: ${ours}, GEOS ${expected}`);
    }
  }
  console.log(`${title}: ${total.toFixed(9)} square units in ${CLASSES} classes, equal`);
  console.log(
    `CPU seconds: tilth ${best.toFixed(3)} (first run ${first.toFixed(3)}), geos-wasm ${theirs.seconds.toFixed(3)}; ratio ${(best / theirs.seconds).toFixed(3)}`,
  );
}

function tableOf(geometry: GeometryColumn, classes: boolean): FeatureTable {
  const count = geometry.types.length;
  const builder = new ColumnBuilder({ name: "class", type: "int32", nullable: false });
  for (let row = 0; row < count; row++) builder.pushNumber(row % CLASSES);
  return { count, geometry, columns: classes ? [builder.finish()] : [], ids: null, firstRow: 0, crs: null };
}

async function geosAreas(
  zones: GeometryColumn,
  polygons: GeometryColumn,
): Promise<{ seconds: number; areas: Float64Array }> {
  const g = (await initGeos()) as unknown as Record<string, (...args: number[]) => number> & {
    Module: {
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      HEAPU8: Uint8Array;
      getValue(pointer: number, type: "double"): number;
      addFunction(f: (...args: number[]) => void, signature: string): number;
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
  const [areas, rows, out] = [read(zones), read(polygons), Module._malloc(8)];
  const sums = new Float64Array(areas.length * CLASSES);
  const areaOf = (pointer: number): number => {
    g["GEOSArea"]!(pointer, out);
    return Module.getValue(out, "double");
  };

  const before = process.cpuUsage();
  const tree = g["GEOSSTRtree_create"]!(10);
  for (const [zone, pointer] of areas.entries()) g["GEOSSTRtree_insert"]!(tree, pointer, zone + 1);
  const prepared = areas.map((pointer) => g["GEOSPrepare"]!(pointer));
  const found: number[] = [];
  const callback = Module.addFunction((item) => {
    found.push(item! - 1);
  }, "vii");
  for (const [row, pointer] of rows.entries()) {
    found.length = 0;
    g["GEOSSTRtree_query"]!(tree, pointer, callback, 0);
    for (const zone of found) {
      if (g["GEOSPreparedIntersects"]!(prepared[zone]!, pointer) !== 1) continue;
      if (g["GEOSPreparedCovers"]!(prepared[zone]!, pointer) === 1) {
        sums[zone * CLASSES + (row % CLASSES)]! += areaOf(pointer);
        continue;
      }
      const shared = g["GEOSIntersection"]!(pointer, areas[zone]!);
      sums[zone * CLASSES + (row % CLASSES)]! += areaOf(shared);
      g["GEOSGeom_destroy"]!(shared);
    }
  }
  return { seconds: secondsSince(before), areas: sums };
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
