import { describe, expect, it } from "vitest";
import { geodesicInverse } from "../../src/kernels/vector/geodesic.ts";
import { sphericalDistance } from "../../src/kernels/vector/spherical.ts";
import { type FeatureTable, rowAt, tableSource, type Value } from "../../src/model/features.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { facilitiesProximity } from "../../src/pipelines/facilities-proximity.ts";
import { fromWkt, measure } from "../helpers/vectors.ts";
import { type PipelineCall, runInMemory } from "./run-in-memory.ts";

const AREA = { state: "Meadowland", district: "Tilthpur", block: "Uplands" };

function layer(...rows: readonly (readonly [string, { [name: string]: Value }])[]): FeatureTable {
  return tableFromGeoJson(
    rows.map(([text, properties]) => ({
      type: "Feature" as const,
      geometry: fromWkt(text) as Geometry | null,
      properties,
    })) as never,
  );
}

function square(x: number, y: number): string {
  const [a, b, c, d] = [x / 100, y / 100, (x + 1) / 100, (y + 1) / 100];
  return `POLYGON ((${a} ${b}, ${c} ${b}, ${c} ${d}, ${a} ${d}, ${a} ${b}))`;
}

const PLACE = { state: "S", district: "D", tehsil: "T" };
const VILLAGES = layer(
  [square(0, 0), { ...PLACE, vill_ID: 101, vill_name: "Kalpur", TOT_P: 5 }],
  [square(4, 4), { ...PLACE, vill_ID: 205, vill_name: "Amgram", TOT_P: 7 }],
  [square(1, 0), { ...PLACE, vill_ID: 101, vill_name: "Kalpur", TOT_P: 6 }],
  [square(8, 8), { ...PLACE, vill_ID: 300, vill_name: "Surdih", TOT_P: 8 }],
);
const TABLE = layer(
  ["", { censuscode2011: "00205", core_admin_uid: "u2", other: 9, school_distance: 2.5, bank_distance: 4 }],
  ["", { censuscode2011: "999", core_admin_uid: "u9", other: 9, school_distance: 9, bank_distance: 9 }],
  ["", { censuscode2011: "101", core_admin_uid: "u1", other: 9, school_distance: 1.5, bank_distance: null }],
  ["", { censuscode2011: "101", core_admin_uid: "u1b", other: 9, school_distance: 8, bank_distance: 8 }],
);
const FACILITIES = layer(
  ["POINT (0.01 0.02)", { facility: "Primary School", name: "a" }],
  ["POINT (0.06 0.07)", { facility: "Primary School", name: "b" }],
  ["POINT (0.5 0.5)", { facility: "bank", name: "c" }],
  ["POINT (0 0)", { facility: null, name: "d" }],
);

async function run(
  inputs: Readonly<Record<string, FeatureTable>>,
  parameters: object = {},
): Promise<PipelineCall> {
  return runInMemory(
    facilitiesProximity,
    { area: AREA, ...parameters },
    Object.fromEntries(Object.entries(inputs).map(([name, table]) => [name, tableSource(table, name)])),
  );
}

describe("the facilities-proximity pipeline", () => {
  it("unites split villages and attaches the table by code, however the code is stored", async () => {
    const { layers, warnings, summary } = await run({
      villages: VILLAGES,
      distances: { ...TABLE, geometry: null },
    });
    expect(layers.map(({ name }) => name)).toEqual(["facilities_proximity_tilthpur_uplands"]);
    const { table } = layers[0]!;
    expect([0, 1, 2].map((row) => rowAt(table, row))).toEqual([
      {
        ...PLACE,
        censuscode2011: 101,
        censusname: "Kalpur",
        core_admin_uid: "u1",
        school_distance: 1.5,
        bank_distance: null,
      },
      {
        ...PLACE,
        censuscode2011: 205,
        censusname: "Amgram",
        core_admin_uid: "u2",
        school_distance: 2.5,
        bank_distance: 4,
      },
      {
        ...PLACE,
        censuscode2011: 300,
        censusname: "Surdih",
        core_admin_uid: null,
        school_distance: null,
        bank_distance: null,
      },
    ]);
    expect(measure(table.geometry!, 2)).toBeCloseTo(4e-4, 12);
    expect(warnings).toEqual([
      "1 villages were put together from 2 rows",
      "1 rows of the distance table repeat a code: the first row counts",
      "1 villages have no row in the distance table: their distances are null",
    ]);
    expect(summary.counts).toMatchObject({ rowsIn: 4, villages: 3, unmatched: 1, duplicates: 1 });
  });

  it("takes only rows of a table with geometry that meet the villages", async () => {
    const there = layer(
      [square(40, 40), { censuscode2011: 101, school_distance: 99 }],
      [square(0, 0), { censuscode2011: 101, school_distance: 1 }],
    );
    const { layers, summary } = await run({ villages: VILLAGES, distances: there });
    expect(rowAt(layers[0]!.table, 0)["school_distance"]).toBe(1);
    expect(summary.counts).toMatchObject({ tableRows: 1, duplicates: 0 });
  });

  it("computes distances on WGS 84 from the middle of a village to the nearest of each kind, in km", async () => {
    const { layers, warnings } = await run({ villages: VILLAGES, facilities: FACILITIES });
    const { table } = layers[0]!;
    expect(table.columns.map(({ name }) => name).slice(5)).toEqual([
      "primary_school_distance",
      "bank_distance",
    ]);
    const expected = (x: number, y: number, lon: number, lat: number) =>
      geodesicInverse(x, y, lon, lat).distance / 1000;
    // Kalpur's two squares have their middle on their border.
    expect(rowAt(table, 0)["primary_school_distance"]).toBeCloseTo(expected(0.01, 0.005, 0.01, 0.02), 9);
    expect(rowAt(table, 1)["primary_school_distance"]).toBeCloseTo(expected(0.045, 0.045, 0.06, 0.07), 9);
    expect(rowAt(table, 2)["bank_distance"]).toBeCloseTo(expected(0.085, 0.085, 0.5, 0.5), 9);
    expect(warnings).toContain("1 facilities have no kind: they count as not there");
  });

  it("computes them along great circles of 6371 km on request, as the original's table was made", async () => {
    const { layers } = await run(
      { villages: VILLAGES, facilities: FACILITIES },
      { distance: "great-circle" },
    );
    const found = rowAt(layers[0]!.table, 2)["bank_distance"];
    expect(found).toBeCloseTo(sphericalDistance(0.085, 0.085, 0.5, 0.5, 6371), 9);
  });

  it("takes the table's column before a computed one of the same name", async () => {
    const { layers } = await run({
      villages: VILLAGES,
      distances: { ...TABLE, geometry: null },
      facilities: FACILITIES,
    });
    expect(rowAt(layers[0]!.table, 1)).toMatchObject({ bank_distance: 4, school_distance: 2.5 });
    expect(rowAt(layers[0]!.table, 1)["primary_school_distance"]).toBeGreaterThan(0);
  });

  it("says what is missing: both inputs, the code, the kinds, the distances", async () => {
    await expect(run({ villages: VILLAGES })).rejects.toThrow(/needs distances or facilities/);
    await expect(
      run({ villages: VILLAGES, facilities: FACILITIES }, { villageKey: "code" }),
    ).rejects.toMatchObject({
      code: "INVALID_INPUT",
      hint: expect.stringMatching(/vill_ID/),
    });
    await expect(run({ villages: VILLAGES, facilities: FACILITIES }, { kindColumn: "type" })).rejects.toThrow(
      /no column "type" with the kind/,
    );
    await expect(run({ villages: VILLAGES, distances: FACILITIES })).rejects.toThrow(
      /no column "censuscode2011"/,
    );
  });

  it("warns of villages without a code and of a code with two names", async () => {
    const some = layer(
      [square(0, 0), { vill_ID: 0, vill_name: "x" }],
      [square(2, 0), { vill_ID: 5, vill_name: "y" }],
      [square(4, 0), { vill_ID: 5, vill_name: "z" }],
    );
    const { warnings, layers } = await run({ villages: some, facilities: FACILITIES });
    expect(layers[0]!.table.columns[0]!.name).toBe("censuscode2011");
    expect(warnings.slice(0, 2)).toEqual([
      "1 villages have no code, or 0",
      "1 villages have the code of another one, with another name or place",
    ]);
  });
});
