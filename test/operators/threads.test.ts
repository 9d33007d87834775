import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/execution/executor.ts";
import { threads } from "../../src/execution/threads.ts";
import {
  columnNamed,
  concatTables,
  type FeatureSource,
  type FeatureTable,
  tableSource,
  valueAt,
} from "../../src/model/features.ts";
import { type Feature, type Position, tableFromGeoJson } from "../../src/model/geojson.ts";
import {
  type DominantPolygonsOptions,
  dominantClassPolygons,
} from "../../src/operators/dominant-polygons.ts";
import { type NearestJoinOptions, nearestJoin } from "../../src/operators/nearest-join.ts";
import { polygonOverlaps } from "../../src/operators/polygon-overlaps.ts";
import { type SpatialJoinOptions, spatialJoin } from "../../src/operators/spatial-join.ts";
import { checkFeatures, repairFeatures } from "../../src/operators/validity.ts";
import { random } from "../../src/testing/random.ts";

/** Polygons of 9 or 100 vertices in a square of 10 degrees, every 13th a bowtie, every 17th without geometry. */
function blobs(count: number, seed: number): FeatureTable {
  const next = random(seed);
  const features: Feature[] = Array.from({ length: count }, (_, id) => {
    const [x, y, r] = [next.next() * 10, next.next() * 10, 0.1 + next.next()];
    const vertices = id % 10 === 0 ? 100 : 9;
    const ring: Position[] = Array.from({ length: vertices }, (_, k) => {
      const angle = (2 * Math.PI * k) / vertices;
      return [x + r * Math.cos(angle) * (0.5 + next.next() / 2), y + r * Math.sin(angle)];
    });
    if (id % 13 === 12) ring.splice(0, ring.length, [x, y], [x + r, y + r], [x + r, y], [x, y + r]);
    const geometry = { type: "Polygon" as const, coordinates: [[...ring, ring[0]!]] };
    return {
      type: "Feature",
      id,
      properties: { id, kind: `k${id % 4}`, height: next.next(), day: new Date(86_400_000 * (id % 90)) },
      geometry: id % 17 === 16 ? null : geometry,
    };
  });
  return tableFromGeoJson(features);
}

const left = blobs(160, 11);
const right = blobs(60, 12);

/** Every batch of a lazy result, 40 rows read at a time, with the report that it then has. */
async function whole<R>(source: FeatureSource & { readonly report: R }): Promise<unknown> {
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches({ batchSize: 40 })) batches.push(batch);
  return { rows: concatTables(batches, source.schema), report: structuredClone(source.report) };
}

/** A layer that is read 40 rows at a time, whatever the reader would like. */
function inSmallBatches(table: FeatureTable): FeatureSource {
  const source = tableSource(table, "layer");
  return { ...source, batches: (options) => source.batches({ ...options, batchSize: 40 }) };
}

describe("threads give what the caller's own thread gives, to the bit and in the same order", () => {
  let pools: Executor[] = [];
  beforeAll(() => {
    pools = [1, 2, 3].map((workers) => threads(workers, { patience: 0 }));
  });
  afterAll(async () => {
    for (const pool of pools) await pool.close();
  });

  async function sameForAll<T>(run: (executor: Executor) => Promise<T>): Promise<T> {
    const results: T[] = [];
    for (const pool of pools) results.push(await run(pool));
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    return results[0]!;
  }

  const JOINS: readonly (readonly [string, SpatialJoinOptions, number])[] = [
    ["pairs that overlap", { predicate: "overlaps", prefix: "r_" }, 200],
    [
      "the largest overlap on the ellipsoid",
      { largestOverlap: true, overlapColumn: "m2", prefix: "r_" },
      100,
    ],
    ["shares of the smaller", { minOverlapShare: 0.3, shareOf: "smaller", how: "left", prefix: "r_" }, 160],
    ["equal attributes besides", { on: [{ left: "kind", right: "kind" }], how: "left", prefix: "r_" }, 160],
    [
      "times besides, measured after them",
      {
        asOf: { left: "day", right: "day", maxDifference: 9 },
        overlapColumn: "m2",
        differenceColumn: "days",
        prefix: "r_",
      },
      30,
    ],
    ["aggregates", { aggregate: [{ operation: "extensive", field: "height", name: "sum" }] }, 160],
    ["distances on the ellipsoid", { predicate: "dwithin", distance: 20_000, how: "semi" }, 100],
    ["features away from all", { how: "anti" }, 1],
  ];
  it.each(JOINS)("spatial join: %s", async (_, options, atLeast) => {
    const joined = (await sameForAll(async (executor) =>
      whole(await spatialJoin(left, right, { ...options, executor })),
    )) as { rows: FeatureTable };
    expect(joined.rows.count).toBeGreaterThanOrEqual(atLeast);
  });

  const NEAREST: readonly (readonly [string, NearestJoinOptions])[] = [
    ["in the plane", { metric: "planar", k: 3, distanceColumn: "far", ties: "lowest-id", prefix: "r_" }],
    ["on the ellipsoid", { distanceColumn: "far", maxDistance: 50_000, how: "left", prefix: "r_" }],
  ];
  it.each(NEAREST)("nearest join %s", async (_, options) => {
    const joined = (await sameForAll(async (executor) =>
      whole(await nearestJoin(left, right, { ...options, executor })),
    )) as { rows: FeatureTable };
    expect(joined.rows.count).toBeGreaterThan(120);
  });

  it("nearest join of a layer with itself, no feature its own neighbour, batch after batch", async () => {
    const nearest = { metric: "planar", exclusive: true, fields: ["id"], prefix: "r_" } as const;
    const { rows } = (await sameForAll(async (executor) =>
      whole(await nearestJoin(left, left, { ...nearest, executor })),
    )) as { rows: FeatureTable };
    const [own, other] = ["id", "r_id"].map((name) => columnNamed(rows, name));
    expect(rows.count).toBeGreaterThan(145);
    for (let row = 0; row < rows.count; row++) expect(valueAt(other!, row)).not.toBe(valueAt(own!, row));
    // another object with the same geometries: known by those
    const { rows: equal } = (await sameForAll(async (executor) =>
      whole(await nearestJoin(left, { ...left }, { ...nearest, executor })),
    )) as { rows: FeatureTable };
    expect(equal.columns).toEqual(rows.columns);
  });

  it("areas of classes in zones, which are summed in the order of the polygons", async () => {
    const options: DominantPolygonsOptions = { classField: "kind", meanFields: ["height"], tie: "first" };
    const found = await sameForAll((executor) =>
      dominantClassPolygons(right, inSmallBatches(left), { ...options, executor }),
    );
    expect(found.areas.dominant.filter((dominant) => dominant >= 0).length).toBeGreaterThan(45);
  });

  it("overlaps of polygons with zones, in their order", async () => {
    const visits = await sameForAll(async (executor) => {
      const seen: [number, number, number][] = [];
      const options = { fields: [], touching: true, executor };
      const counts = await polygonOverlaps(right, inSmallBatches(left), options, (batch, row, zone, area) =>
        seen.push([batch.firstRow + row, zone, area]),
      );
      expect(counts.invalidPolygons).toBeGreaterThan(5);
      return { seen, counts };
    });
    expect(visits.seen.length).toBeGreaterThan(200);
  });

  it("checks and repairs", async () => {
    const report = await sameForAll((executor) =>
      checkFeatures(inSmallBatches(left), { limit: 5, executor }),
    );
    expect(report).toMatchObject({ features: 160, nulls: 9, problems: { length: 5 } });
    const { report: repaired } = (await sameForAll((executor) =>
      whole(repairFeatures(inSmallBatches(left), { executor })),
    )) as { report: { repaired: number } };
    expect(repaired.repaired).toBe(report.invalid);
  });
});

it("what is wrong with the input is said by the same error", async () => {
  const executor = threads(2, { patience: 0 });
  const joined = await spatialJoin(left, right, { assign: "half-open", prefix: "r_", executor });
  await expect(whole(joined)).rejects.toMatchObject({ code: "INVALID_GEOMETRY" });
  await executor.close();
});
