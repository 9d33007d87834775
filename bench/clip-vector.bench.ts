import { featureCollection, intersect, polygon } from "@turf/turf";
import { concatTables, type FeatureTable, takeRows } from "../src/model/features.ts";
import { type Geometry, geometryToGeoJson, tableFromGeoJson } from "../src/model/geojson.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import { clipFeatures } from "../src/operators/clip-features.ts";
import { random } from "../src/testing/random.ts";
import { plotSchema, plots } from "./polygons.ts";

/** Plots that `turf` is given: it needs about a second for each at the full size. */
const SAMPLE = 12;

/**
 * Clip small polygons by one large region with a wavy border and a hole, in memory, against `turf.intersect` plot by
 * plot. Most plots lie wholly inside or outside; the figure that matters is plots per second of the whole layer. turf
 * runs on the first few plots that meet the region's box, and its areas must be ours.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const count = smoke ? 2_000 : 200_000;
  const corners = smoke ? 500 : 50_000;
  const layer = concatTables([...plots(count)], plotSchema("plots"));
  const region = blob(corners);
  const table = tableFromGeoJson([{ type: "Feature", geometry: region, properties: {} }]);

  const before = process.cpuUsage();
  const clipped = await clipFeatures(layer, table);
  let area = 0;
  for await (const batch of clipped.batches()) area += areaOf(batch.geometry!);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const { report } = clipped;

  const rows = Array.from({ length: smoke ? 4 : SAMPLE }, (_, k) => k * 97);
  const sample = takeRows(layer, rows);
  const start = process.cpuUsage();
  let theirs = 0;
  for (const row of rows.keys()) theirs += turfArea(geometryToGeoJson(sample.geometry!, row)!, region);
  const used = process.cpuUsage(start);
  const each = (used.user + used.system) / 1e6 / rows.length;
  const ours = await areaClipped(sample, table);
  if (Math.abs(ours - theirs) > 1e-9 * theirs) throw new Error(`the results differ: ${ours}, turf ${theirs}`);

  console.log(`${count} plots by a region of ${corners} corners, equal areas on a sample; CPU seconds`);
  console.log(
    `tilth ${seconds.toFixed(2)} (${Math.round(count / seconds)} plots/s; ${report.untouched} untouched, ${report.cut} cut, area ${area.toFixed(8)})`,
  );
  console.log(
    `turf about ${(each * count).toFixed(0)} (${each.toFixed(3)} a plot, ${rows.length} plots timed)`,
  );
}

/** A region over about 40 % of the plots, with a hole. */
function blob(corners: number): Geometry {
  const next = random(7);
  const waves = Array.from({ length: 40 }, (_, k) => ({
    size: (0.5 * next.next()) / (k + 1) ** 1.3,
    phase: 2 * Math.PI * next.next(),
  }));
  const ring = (radius: number, count: number): number[][] => {
    const positions = Array.from({ length: count }, (_, i) => {
      const angle = (2 * Math.PI * i) / count;
      const r =
        radius *
        (1 + waves.reduce((sum, { size, phase }, k) => sum + size * Math.cos(k * angle + phase), 0) / 4);
      return [76 + r * Math.cos(angle), 16 + r * Math.sin(angle)];
    });
    return [...positions, positions[0]!];
  };
  return { type: "Polygon", coordinates: [ring(1.4, corners), ring(0.3, Math.ceil(corners / 5)).reverse()] };
}

function turfArea(plot: Geometry, region: Geometry): number {
  const left = polygon(positions(plot));
  const right = polygon(positions(region));
  const result = intersect(featureCollection([left, right]));
  return result === null
    ? 0
    : areaOf(
        tableFromGeoJson([{ type: "Feature", geometry: result.geometry as Geometry, properties: {} }])
          .geometry!,
      );
}

function positions(geometry: Geometry): number[][][] {
  if (geometry.type !== "Polygon") throw new Error(`${geometry.type} is no polygon`);
  return geometry.coordinates as number[][][];
}

async function areaClipped(sample: FeatureTable, region: FeatureTable): Promise<number> {
  let area = 0;
  for await (const batch of (await clipFeatures(sample, region)).batches()) area += areaOf(batch.geometry!);
  return area;
}

/** Planar area in square degrees. */
function areaOf({ parts, rings, xy }: GeometryColumn): number {
  let sum = 0;
  for (let p = 0; p + 1 < parts.length; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      let twice = 0;
      const first = rings[r]!;
      for (let v = first + 1; v + 1 < rings[r + 1]!; v++) {
        twice +=
          (xy[2 * v]! - xy[2 * first]!) * (xy[2 * v + 3]! - xy[2 * first + 1]!) -
          (xy[2 * v + 1]! - xy[2 * first + 1]!) * (xy[2 * v + 2]! - xy[2 * first]!);
      }
      sum += (r === parts[p]! ? 1 : -1) * Math.abs(twice / 2);
    }
  }
  return sum;
}
