import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readFeatures, writeFeatures } from "../../src/io/open.ts";
import { rowAt, type Value } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { fromWkt } from "../helpers/vectors.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("dominant");
const path = (name: string): string => join(folder, name);
const box = (w: number, s: number, e: number, n: number): string =>
  `POLYGON ((${w} ${s}, ${e} ${s}, ${e} ${n}, ${w} ${n}, ${w} ${s}))`;

async function write(
  name: string,
  rows: readonly (readonly [string, { [name: string]: Value }])[],
): Promise<void> {
  const features = rows.map(([text, properties]) => ({
    type: "Feature" as const,
    geometry: fromWkt(text) as Geometry,
    properties,
  }));
  await writeFeatures(path(name), tableFromGeoJson(features as never, { crs: GEOJSON_CRS }));
}

beforeAll(async () => {
  await write("zones.geojson", [
    [box(77, 20, 77.2, 20.2), { uid: "a" }],
    [box(77.2, 20, 77.4, 20.2), { uid: "b" }],
    [box(79, 20, 79.1, 20.1), { uid: "c" }],
  ]);
  await write("soils.fgb", [
    [box(77, 20, 77.15, 20.2), { soil: "clay", ph: 5.5 }],
    [box(77.15, 20, 77.5, 20.2), { soil: "sand", ph: 7 }],
  ]);
});

describe("tilth dominant with class polygons", () => {
  it("writes shares and the dominant class, told from rasters by the bytes", async () => {
    const out = path("out.geojson");
    const { status, json } = await callJson([
      "dominant",
      path("zones.geojson"),
      path("soils.fgb"),
      out,
      "--class-field",
      "soil",
      "--mean",
      "ph",
      "--area-unit",
      "share",
    ]);
    expect(status).toBe(0);
    expect(json.summary).toEqual({
      zones: 3,
      classes: 2,
      emptyZones: 1,
      polygons: 2,
      unclassed: 0,
      overlappingZones: 0,
    });
    expect(json.warnings).toEqual(["1 zones have no class polygon: see the column note"]);
    const table = await readFeatures(out);
    expect(rowAt(table, 0)).toMatchObject({
      uid: "a",
      dominant: "clay",
      second: "sand",
      note: null,
      polygons: 2,
    });
    expect(rowAt(table, 0)["clay_share"]).toBeCloseTo(0.75, 12);
    expect(rowAt(table, 0)["ph_mean"]).toBeCloseTo(5.875, 12);
    expect(rowAt(table, 1)).toMatchObject({ dominant: "sand", dominant_share: 1, clay_share: 0 });
    expect(rowAt(table, 2)).toMatchObject({ dominant: null, clay_share: null, note: "no class polygon" });
  });

  it("names classes from a file, text values too", async () => {
    writeFileSync(
      path("classes.json"),
      JSON.stringify([
        { value: "sand", name: "Sandy" },
        { value: "clay", name: "Clayey" },
      ]),
    );
    const out = path("named.csv");
    const args = [
      path("zones.geojson"),
      path("soils.fgb"),
      out,
      "--class-field",
      "soil",
      "--classes",
      path("classes.json"),
    ];
    expect((await call(["dominant", ...args])).status).toBe(0);
    expect(readFileSync(out, "utf8").split("\n")[0]).toMatch(
      /^uid,sandy_ha,clayey_ha,dominant,dominant_name,/,
    );
  });

  it.each([
    [
      "without a class field",
      [],
      2,
      /which field holds their class\?/,
      /Pass --class-field with one of: soil, ph/,
    ],
    ["with one that is not there", ["--class-field", "rock"], 2, /has no field "rock"/, /It has: soil, ph/],
    [
      "with a mean of text",
      ["--class-field", "soil", "--mean", "soil"],
      2,
      /is string, expected numbers/,
      /./,
    ],
    [
      "with an option for rasters",
      ["--class-field", "soil", "--band", "1"],
      2,
      /--band is for rasters/,
      /Leave/,
    ],
  ])("ends with a plain error %s", async (_, options, status, message, hint) => {
    const result = await callJson([
      "dominant",
      path("zones.geojson"),
      path("soils.fgb"),
      path("no.csv"),
      ...options,
    ]);
    expect(result.status).toBe(status);
    expect(result.json.error!.message).toMatch(message);
    if (result.json.error!.hint !== undefined) expect(result.json.error!.hint).toMatch(hint);
  });
});

describeShared("tilth dominant on the real data", () => {
  it("measures Wake's rocks by watershed", async () => {
    const out = path("wake.gpkg");
    const { status, json } = await callJson([
      "dominant",
      shared("data", "watersheds", "wake_watersheds.gpkg"),
      shared("data", "admin", "wake_geology.shp"),
      out,
      "--class-field",
      "GEO_NAME",
    ]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({ zones: 15, classes: 7, emptyZones: 0, overlappingZones: 0 });
    const table = await readFeatures(out);
    for (let row = 0; row < table.count; row++) {
      // The map of rocks is cut along the county and ends centimetres before some watersheds do.
      const cover = rowAt(table, row)["covered_share"] as number;
      expect(cover).toBeGreaterThan(0.9999);
      expect(cover).toBeLessThan(1 + 1e-12);
    }
    // As GEOS has it when both layers are taken to be in one system.
    expect(rowAt(table, 3)).toMatchObject({ basin_id: 8, dominant: "CZig", second: "CZlg", polygons: 3 });
    expect(rowAt(table, 3)["dominant_share"]).toBeCloseTo(0.518857, 3);
  });

  it("goes through broken and null geometries without a crash", async () => {
    for (const [zones, polygons, field] of [
      ["bahraich_error_uttarpradesh_districts.geojson", "flatgeobuf/countries.fgb", "id"],
      ["flatgeobuf/countries_nocrs.fgb", "jharkhand_assembly_S27_AC.shp", "AC_NO"],
    ] as const) {
      const { status, err } = await call([
        "dominant",
        shared("data", "nasty", "vector", zones),
        shared("data", "nasty", "vector", polygons),
        path("nasty.csv"),
        "--class-field",
        field,
        "--overwrite",
      ]);
      expect(status, err).toBe(0);
    }
  });
});
