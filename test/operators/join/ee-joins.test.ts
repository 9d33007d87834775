import { describe, expect, it } from "vitest";
import { type Row, rowAt } from "../../../src/model/features.ts";
import { type Feature, type Geometry, tableFromGeoJson } from "../../../src/model/geojson.ts";
import { inner, inverted, saveAll, saveBest, saveFirst, simple } from "../../../src/operators/ee-joins.ts";
import type { JoinedFeatures } from "../../../src/operators/spatial-join.ts";

/** Scenes of two sensors over one place, and a fourth elsewhere. */
const PRIMARY = tableFromGeoJson(
  [
    feature(square(0, 0, 2), { image: "P1", time: 100 }, "p1"),
    feature(square(0, 0, 2), { image: "P2", time: 200 }, "p2"),
    feature(square(8, 8, 1), { image: "P3", time: 100 }, "p3"),
  ],
  { crs: null },
);
const SECONDARY = tableFromGeoJson(
  [
    feature(square(1, 1, 2), { image: "S1", time: 190, cloud: 9 }, "s1"),
    feature(square(1, 0, 2), { image: "S2", time: 95, cloud: 2 }, "s2"),
    feature(square(0, 1, 2), { image: "S3", time: 105, cloud: null }, "s3"),
    feature(square(0, 0, 1), { image: "S4", time: 150, cloud: 2 }, "s4"),
  ],
  { crs: null },
);
const MEET = { type: "intersects" } as const;
const NEAR = { type: "maxDifference", difference: 20, leftField: "time", rightField: "time" } as const;

describe("saveAll", () => {
  it("keeps primary order and, without an ordering, that of the secondary layer", async () => {
    const { rows } = await collect(await saveAll(PRIMARY, SECONDARY, MEET, { matchesKey: "matches" }));
    expect(rows.map(({ image }) => image)).toEqual(["P1", "P2"]);
    expect(images(rows[0]!["matches"])).toEqual(["S1", "S2", "S3", "S4"]);
  });

  it("orders the matches, nulls last and equal ones as the secondary layer has them", async () => {
    const up = await collect(await saveAll(PRIMARY, SECONDARY, MEET, { matchesKey: "m", ordering: "cloud" }));
    expect(images(up.rows[0]!["m"])).toEqual(["S2", "S4", "S1", "S3"]);
    const down = await collect(
      await saveAll(PRIMARY, SECONDARY, MEET, { matchesKey: "m", ordering: "cloud", ascending: false }),
    );
    expect(images(down.rows[0]!["m"])).toEqual(["S1", "S2", "S4", "S3"]);
  });

  it("needs every filter, and gives the measure to each match", async () => {
    const { rows } = await collect(
      await saveAll(PRIMARY, SECONDARY, [MEET, NEAR], { matchesKey: "m", measureKey: "difference" }),
    );
    expect(rows.map((row) => measures(row["m"], "difference"))).toEqual([
      [
        ["S2", 5],
        ["S3", 5],
      ],
      [["S1", 10]],
    ]);
  });

  it("keeps primary features without a match as null when outer", async () => {
    const { rows, report } = await collect(
      await saveAll(PRIMARY, SECONDARY, MEET, { matchesKey: "m", outer: true }),
    );
    expect(rows[2]).toEqual({ image: "P3", time: 100, m: null });
    expect(report).toMatchObject({ leftIn: 3, rightIn: 4, matched: 2, unmatched: 1, pairs: 8 });
  });

  it("gives matches as GeoJSON features, with their geometry only when asked", async () => {
    const plain = await collect(await saveAll(PRIMARY, SECONDARY, NEAR, { matchesKey: "m" }));
    expect((plain.rows[1]!["m"] as object[])[0]).toEqual({
      type: "Feature",
      id: "s1",
      geometry: null,
      properties: { image: "S1", time: 190, cloud: 9 },
    });
    const whole = await collect(await saveAll(PRIMARY, SECONDARY, NEAR, { matchesKey: "m", geometry: true }));
    expect((whole.rows[1]!["m"] as { geometry: object }[])[0]!.geometry).toEqual(square(1, 1, 2));
  });
});

describe("saveFirst", () => {
  it("takes the first of the secondary layer, or the first by the ordering", async () => {
    const first = await collect(await saveFirst(PRIMARY, SECONDARY, MEET, { matchKey: "m" }));
    expect(first.rows.map(({ m }) => images([m])[0])).toEqual(["S1", "S1"]);
    const latest = await collect(
      await saveFirst(PRIMARY, SECONDARY, MEET, { matchKey: "m", ordering: "time", ascending: false }),
    );
    expect(images([latest.rows[0]!["m"]])).toEqual(["S1"]);
    const clear = await collect(
      await saveFirst(PRIMARY, SECONDARY, MEET, { matchKey: "m", ordering: "cloud" }),
    );
    expect(images([clear.rows[0]!["m"]])).toEqual(["S2"]);
  });
});

describe("saveBest", () => {
  it("takes the smallest measure, the first of equal ones", async () => {
    const { rows } = await collect(
      await saveBest(PRIMARY, SECONDARY, [MEET, NEAR], { matchKey: "m", measureKey: "difference" }),
    );
    expect(rows.map(({ m }) => measures([m], "difference")[0])).toEqual([
      ["S2", 5],
      ["S1", 10],
    ]);
  });

  it("measures distances too", async () => {
    const { rows } = await collect(
      await saveBest(
        PRIMARY,
        SECONDARY,
        { type: "withinDistance", distance: 8 },
        { matchKey: "m", measureKey: "d" },
      ),
    );
    // From (8, 8) to (3, 3).
    expect(measures([rows[2]!["m"]], "d")[0]).toEqual(["S1", Math.hypot(5, 5)]);
  });

  it("refuses a condition that measures nothing, or two things", async () => {
    const options = { matchKey: "m", measureKey: "d" };
    await expect(saveBest(PRIMARY, SECONDARY, MEET, options)).rejects.toThrow(
      /exactly one distance or difference/,
    );
    const both = [NEAR, { type: "withinDistance", distance: 1 }] as const;
    await expect(saveBest(PRIMARY, SECONDARY, both, options)).rejects.toThrow(/found 2/);
  });
});

describe("inner, simple and inverted", () => {
  it("give pairs, primary features with a match, and those without", async () => {
    const pairs = await collect(await inner(PRIMARY, SECONDARY, NEAR));
    expect(pairs.rows.map(({ primary, secondary }) => images([primary, secondary]))).toEqual([
      ["P1", "S2"],
      ["P1", "S3"],
      ["P2", "S1"],
      ["P3", "S2"],
      ["P3", "S3"],
    ]);
    const matched = await collect(await simple(PRIMARY, SECONDARY, MEET));
    expect(matched.rows.map(({ image }) => image)).toEqual(["P1", "P2"]);
    const rest = await collect(await inverted(PRIMARY, SECONDARY, MEET));
    expect(rest.rows).toEqual([{ image: "P3", time: 100 }]);
  });

  it("compare properties, null with nothing", async () => {
    const later = { type: "greaterThan", leftField: "time", rightField: "cloud" } as const;
    const { rows } = await collect(await inner(PRIMARY, SECONDARY, [MEET, later]));
    expect(rows.map(({ secondary }) => images([secondary])[0])).toEqual(["S1", "S2", "S4", "S1", "S2", "S4"]);
    const equal = { type: "equals", leftField: "image", rightField: "image" } as const;
    expect((await collect(await simple(PRIMARY, SECONDARY, equal))).rows).toEqual([]);
    const other = { type: "notEquals", leftField: "time", rightField: "time" } as const;
    expect((await collect(await inner(PRIMARY, SECONDARY, other))).rows).toHaveLength(12);
  });

  it("read contains and isContained from the primary to the secondary", async () => {
    const big = await collect(await simple(PRIMARY, SECONDARY, { type: "contains" }));
    expect(big.rows.map(({ image }) => image)).toEqual(["P1", "P2"]);
    const small = await collect(await simple(SECONDARY, PRIMARY, { type: "isContained" }));
    expect(small.rows.map(({ image }) => image)).toEqual(["S4"]);
  });

  it("refuse an empty condition and a name that is taken", async () => {
    await expect(simple(PRIMARY, SECONDARY, [])).rejects.toThrow(/condition of the join is empty/);
    await expect(saveAll(PRIMARY, SECONDARY, MEET, { matchesKey: "image" })).rejects.toThrow(
      /called "image"/,
    );
  });
});

async function collect(joined: JoinedFeatures): Promise<{ rows: Row[]; report: JoinedFeatures["report"] }> {
  const rows: Row[] = [];
  for await (const batch of joined.batches({ batchSize: 2 }))
    for (let row = 0; row < batch.count; row++) rows.push(rowAt(batch, row));
  return { rows, report: joined.report };
}

function images(matches: unknown): unknown[] {
  return (matches as { properties: Row }[]).map(({ properties }) => properties["image"]);
}

function measures(matches: unknown, key: string): unknown[][] {
  return (matches as { properties: Row }[]).map(({ properties }) => [properties["image"], properties[key]]);
}

function feature(geometry: Geometry, properties: Row, id: string): Feature {
  return { type: "Feature", id, geometry, properties: properties as never };
}

function square(x: number, y: number, size: number): Geometry {
  return {
    type: "Polygon",
    coordinates: [
      [
        [x, y],
        [x + size, y],
        [x + size, y + size],
        [x, y + size],
        [x, y],
      ],
    ],
  };
}
