import { describe, expect, it } from "vitest";
import { crsFromEpsg } from "../../src/crs/parse.ts";
import { openFeatures } from "../../src/io/open.ts";
import { geodesicInverse } from "../../src/kernels/vector/geodesic.ts";
import { isGeoError } from "../../src/model/errors.ts";
import {
  concatTables,
  type FeatureSource,
  type FeatureTable,
  rowAt,
  tableSource,
} from "../../src/model/features.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import {
  type NearestJoinOptions,
  type NearestReport,
  nearestJoin,
} from "../../src/operators/nearest-join.ts";
import { readTable } from "../../src/operators/read-table.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { tableOf, vectors } from "../helpers/vectors.ts";

async function join(
  left: FeatureTable | FeatureSource,
  right: FeatureTable | FeatureSource,
  options: NearestJoinOptions = {},
): Promise<{ table: FeatureTable; rows: unknown[]; report: NearestReport }> {
  const joined = await nearestJoin(left, right, options);
  const table = await readTable(joined);
  return {
    table,
    rows: Array.from({ length: table.count }, (_, i) => rowAt(table, i)),
    report: joined.report,
  };
}

function points(
  crs: number | null,
  ...all: { at: [number, number] | null; id?: string; [name: string]: unknown }[]
): FeatureTable {
  return tableFromGeoJson(
    all.map(({ at, id, ...properties }) => ({
      type: "Feature" as const,
      ...(id === undefined ? {} : { id }),
      geometry: at === null ? null : { type: "Point" as const, coordinates: at },
      properties: properties as Record<string, string | number>,
    })),
    { crs: crs === null ? null : crsFromEpsg(crs) },
  );
}

const VILLAGES = points(
  32645,
  { at: [0, 0], village: "a" },
  { at: [10, 0], village: "b" },
  { at: null, village: "c" },
);
const SCHOOLS = points(
  32645,
  { at: [3, 4], school: "s", id: "z" },
  { at: [10, 2], school: "t", id: "m" },
  { at: [10, -2], school: "u", id: "d" },
);

describe("nearestJoin", () => {
  it("adds the columns of the nearest feature and the distance, all of several equally near", async () => {
    const { rows, report } = await join(VILLAGES, SCHOOLS, { distanceColumn: "away" });
    expect(rows).toEqual([
      { village: "a", school: "s", away: 5 },
      { village: "b", school: "t", away: 2 },
      { village: "b", school: "u", away: 2 },
    ]);
    expect(report).toMatchObject({
      leftIn: 3,
      rightIn: 3,
      pairs: 3,
      matched: 2,
      unmatched: 1,
      rightMatched: 3,
      tied: 0,
      featuresOut: 3,
      leftNulls: 1,
      rightNulls: 0,
      metric: "planar",
      unit: "metre",
      warnings: [],
    });
  });

  it("settles ties by order or by id, and counts them", async () => {
    const first = await join(VILLAGES, SCHOOLS, { ties: "first" });
    expect(first.rows).toEqual([
      { village: "a", school: "s" },
      { village: "b", school: "t" },
    ]);
    expect(first.report.tied).toBe(1);
    const lowest = await join(VILLAGES, SCHOOLS, { ties: "lowest-id" });
    expect(lowest.rows[1]).toEqual({ village: "b", school: "u" });
  });

  it("gives k neighbours, nearest first, within the greatest distance", async () => {
    const { rows } = await join(VILLAGES, SCHOOLS, {
      k: 2,
      maxDistance: 8.1,
      distanceColumn: "d",
      fields: ["school"],
    });
    expect(rows).toEqual([
      { village: "a", school: "s", d: 5 },
      { village: "b", school: "t", d: 2 },
      { village: "b", school: "u", d: 2 },
    ]);
  });

  it("keeps features without a neighbour in a left join, with nulls, and gives them alone in an anti join", async () => {
    const options = { maxDistance: 3, distanceColumn: "d" };
    const { rows, table } = await join(VILLAGES, SCHOOLS, { ...options, how: "left", ties: "first" });
    expect(rows).toEqual([
      { village: "a", school: null, d: null },
      { village: "b", school: "t", d: 2 },
      { village: "c", school: null, d: null },
    ]);
    expect(table.geometry!.types[2]).toBe(0);
    expect((await join(VILLAGES, SCHOOLS, { maxDistance: 3, how: "anti" })).rows).toEqual([
      { village: "a" },
      { village: "c" },
    ]);
    expect((await join(VILLAGES, SCHOOLS, { maxDistance: 3, how: "semi" })).rows).toEqual([{ village: "b" }]);
  });

  it("leaves a feature itself out of a join with its own layer, but not another at the same place", async () => {
    const layer = points(null, { at: [0, 0], n: 0 }, { at: [1, 0], n: 1 }, { at: [1, 0], n: 2 });
    const options = { exclusive: true, prefix: "to_", ties: "first", distanceColumn: "d" } as const;
    expect((await join(layer, layer, options)).rows).toEqual([
      { n: 0, to_n: 1, d: 1 },
      { n: 1, to_n: 2, d: 0 },
      { n: 2, to_n: 1, d: 0 },
    ]);
    const copy = { ...layer };
    // Two layers: everything with the same geometry is taken for the feature itself.
    expect((await join(layer, copy, options)).rows).toEqual([
      { n: 0, to_n: 1, d: 1 },
      { n: 1, to_n: 0, d: 1 },
      { n: 2, to_n: 0, d: 1 },
    ]);
  });

  it("measures metres on the ellipsoid in longitude and latitude, and planar degrees when asked", async () => {
    const left = points(4326, { at: [179.9, -17], n: 1 });
    const right = points(4326, { at: [-179.9, -17], m: 1 }, { at: [179.5, -17], m: 2 });
    const { rows, report } = await join(left, right, { distanceColumn: "d" });
    expect(rows).toEqual([{ n: 1, m: 1, d: geodesicInverse(179.9, -17, -179.9, -17).distance }]);
    expect(report).toMatchObject({ metric: "geodesic", unit: "metre" });
    const planar = await join(left, right, { metric: "planar", distanceColumn: "d" });
    expect(planar.rows).toMatchObject([{ m: 2 }]);
    expect(planar.report).toMatchObject({ metric: "planar", unit: "degree" });
  });

  it("measures metres on the ellipsoid for projected layers when asked", async () => {
    const left = points(32645, { at: [500_000, 2_700_000], n: 1 });
    const right = points(32645, { at: [500_000, 2_701_000], m: 1 });
    const { rows } = await join(left, right, { metric: "geodesic", distanceColumn: "d" });
    // The scale on the central meridian is 0.9996.
    expect((rows[0] as { d: number }).d).toBeCloseTo(1000 / 0.9996, 3);
  });

  it("brings the right layer to the CRS of the left, and says so", async () => {
    const right = points(4326, { at: [87, 0], m: 1 });
    const { rows, report } = await join(VILLAGES, right, { distanceColumn: "d" });
    expect((rows[0] as { d: number }).d).toBeCloseTo(500_000, 3);
    expect(report.warnings.join()).toContain("EPSG:4326");
    await expect(nearestJoin(VILLAGES, right, { onCrsMismatch: "error" })).rejects.toSatisfy((error) =>
      isGeoError(error, "CRS_MISMATCH"),
    );
  });

  it("refuses names that clash, columns that are not there and options out of range", async () => {
    const refused = async (
      options: NearestJoinOptions,
      code: "INVALID_INPUT" | "CRS_UNKNOWN",
    ): Promise<string> => {
      try {
        await nearestJoin(VILLAGES, SCHOOLS, options);
      } catch (error) {
        if (isGeoError(error, code)) return error.message;
      }
      throw new Error("not refused");
    };
    expect(await refused({ distanceColumn: "village" }, "INVALID_INPUT")).toContain('"village"');
    expect(await refused({ fields: ["nothing"] }, "INVALID_INPUT")).toContain('"nothing"');
    expect(await refused({ k: 0 }, "INVALID_INPUT")).toContain("k 0");
    expect(await refused({ k: 1.5 }, "INVALID_INPUT")).toContain("k 1.5");
    expect(await refused({ maxDistance: -1 }, "INVALID_INPUT")).toContain("-1");
    expect(await refused({ maxDistance: Number.NaN }, "INVALID_INPUT")).toContain("maxDistance");
    await expect(nearestJoin(VILLAGES, VILLAGES)).rejects.toThrow('"village"');
    const loose = points(null, { at: [0, 0], x: 1 });
    await expect(nearestJoin(loose, SCHOOLS, { metric: "geodesic" })).rejects.toThrow("CRS");
  });

  it("streams: the same rows in batches of two, any number of times, and only the columns asked for", async () => {
    const left = tableOf(...Array.from({ length: 9 }, (_, k) => `POINT (${k} 0)`));
    const right = tableOf("POINT (0 0)", "LINESTRING (5 1, 9 1)", "");
    const joined = await nearestJoin(left, right, { prefix: "r_", distanceColumn: "d", ties: "first" });
    const whole = await readTable(joined);
    for (const batchSize of [2, 100]) {
      const batches: FeatureTable[] = [];
      for await (const batch of joined.batches({ batchSize })) batches.push(batch);
      const again = concatTables(batches, joined.schema);
      expect(again.columns).toEqual(whole.columns);
      expect(batches.map(({ firstRow }) => firstRow)).toEqual(batchSize === 2 ? [0, 2, 4, 6, 8] : [0]);
    }
    expect(joined.schema.fields.map(({ name }) => name)).toEqual(["id", "r_id", "d"]);
    const some = await readTable(joined, { fields: ["d", "r_id"], bounds: [4, 0, 5, 0] });
    expect(Array.from({ length: some.count }, (_, i) => rowAt(some, i))).toEqual([
      { d: Math.SQRT2, r_id: 1 },
      { d: 1, r_id: 1 },
    ]);
    expect(joined.report.rightNulls).toBe(1);
  });

  it("knows features by their place in the layer also when only a window is read", async () => {
    const layer = tableSource(tableOf("POINT (0 0)", "POINT (5 0)", "POINT (6 0)"));
    const joined = await nearestJoin(layer, layer, { exclusive: true, prefix: "r_" });
    const some = await readTable(joined, { bounds: [4, -1, 7, 1] });
    expect(Array.from({ length: some.count }, (_, i) => rowAt(some, i))).toEqual([
      { id: 1, r_id: 2 },
      { id: 2, r_id: 1 },
    ]);
  });

  it("warns of features whose coordinates are no place on the earth", async () => {
    const left = points(4326, { at: [-1.79769e308, -1.79769e308], n: 1 }, { at: [85, 24], n: 2 });
    const right = points(4326, { at: [85, 124], m: 1 }, { at: [85, 25], m: 2 });
    const { rows, report } = await join(left, right);
    expect(rows).toEqual([{ n: 2, m: 2 }]);
    expect(report.warnings.map((text) => text.slice(0, 50))).toEqual([
      "1 features of the right layer have no place (coord",
      "1 features of the left layer have no place (coordi",
    ]);
  });

  it("gives no pairs for layers without geometry", async () => {
    const plain: FeatureTable = { ...SCHOOLS, geometry: null };
    expect((await join(VILLAGES, plain)).rows).toEqual([]);
    expect((await join(plain, SCHOOLS, { how: "anti" })).rows).toHaveLength(3);
  });
});

describeShared("nearestJoin against the conformance vectors", () => {
  it("gives the pairs of join/small and the cities of join/mid, planar in the coordinates as they are", async () => {
    interface Case {
      id: string;
      left: { features: { geometry: Geometry | null }[] };
      right: { features: { geometry: Geometry | null }[] };
      nearest?: [number, number, number][];
      max_distance?: number;
      nearest_within?: [number, number, number][];
    }
    const cases = [
      ...vectors<Case>("join", "small.jsonl"),
      ...vectors<Case>("join", "mid.jsonl").slice(0, 1),
    ];
    let checked = 0;
    for (const { id, left, right, nearest, nearest_within: within, max_distance: maxDistance } of cases) {
      for (const [expected, limit] of [
        [nearest, undefined],
        [within, maxDistance],
      ] as const) {
        if (expected === undefined) continue;
        const options = { metric: "planar", prefix: "r_", distanceColumn: "d", maxDistance: limit } as const;
        const { rows } = await join(numbered(left.features), numbered(right.features), options);
        const found = (rows as { n: number; r_n: number; d: number }[]).map(
          ({ n, r_n, d }) => [n, r_n, d] as const,
        );
        found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(
          found.map(([n, m]) => [n, m]),
          id,
        ).toEqual(expected.map(([n, m]) => [n, m]));
        for (const [k, [, , d]] of expected.entries())
          expect(Math.abs(found[k]![2] - d), id).toBeLessThanOrEqual(1e-9 * d);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
  });

  function numbered(features: { geometry: Geometry | null }[]): FeatureTable {
    return tableFromGeoJson(
      features.map(({ geometry }, n) => ({
        type: "Feature" as const,
        geometry: geometry?.type === "GeometryCollection" ? null : geometry,
        properties: { n },
      })),
    );
  }
});

describeShared("nearestJoin on real layers", () => {
  it("finds for each hospital of Wake county its fire station, as measuring all pairs does", async () => {
    const [hospitals, stations] = await Promise.all([
      openFeatures(shared("data", "facilities", "wake_hospitals.gpkg")),
      openFeatures(shared("data", "facilities", "wake_firestations.gpkg")),
    ]);
    const joined = await nearestJoin(hospitals, stations, { prefix: "f_", distanceColumn: "away" });
    const table = await readTable(joined);
    const [a, b] = [await readTable(hospitals), await readTable(stations)];
    expect(joined.report).toMatchObject({ metric: "planar", unit: "metre", leftIn: a.count, pairs: a.count });
    for (let i = 0; i < a.count; i++) {
      let least = Infinity;
      for (let j = 0; j < b.count; j++)
        least = Math.min(
          least,
          Math.hypot(
            a.geometry!.xy[2 * i]! - b.geometry!.xy[2 * j]!,
            a.geometry!.xy[2 * i + 1]! - b.geometry!.xy[2 * j + 1]!,
          ),
        );
      expect(rowAt(table, i)["away"]).toBeCloseTo(least, 8);
    }
    await Promise.all([hospitals.close(), stations.close()]);
  });

  it("finds for each railway station of India the next one, in metres on the ellipsoid", async () => {
    const stations = await openFeatures(shared("data", "facilities", "india_railway_stations.geojson"));
    const joined = await nearestJoin(stations, stations, {
      prefix: "next_",
      distanceColumn: "away",
      exclusive: true,
      ties: "first",
    });
    const table = await readTable(joined);
    const all = await readTable(stations);
    expect(joined.report.metric).toBe("geodesic");
    expect(joined.report.pairs).toBe(all.count - joined.report.leftNulls);
    const { types, geometries, parts, rings, xy } = all.geometry!;
    const place = (row: number): [number, number] | null => {
      const v = rings[parts[geometries[row]!]!]!;
      return types[row] === 1 ? [xy[2 * v]!, xy[2 * v + 1]!] : null;
    };
    const withPlace = Array.from({ length: all.count }, (_, row) => row).filter((row) => place(row) !== null);
    for (let k = 0; k < table.count; k += 500) {
      let least = Infinity;
      for (const other of withPlace)
        if (other !== withPlace[k]!)
          least = Math.min(least, geodesicInverse(...place(withPlace[k]!)!, ...place(other)!).distance);
      expect(rowAt(table, k)["away"]).toBe(least);
    }
    await stations.close();
  });
});
