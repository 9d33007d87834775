import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readFeatures, writeFeatures, writeRaster } from "../../src/io/open.ts";
import { columnNamed, rowAt, valueAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { Grid } from "../../src/model/grid.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { fromWkt } from "../helpers/vectors.ts";
import { callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("dominant-raster");
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  const grid: Grid = { width: 4, height: 2, transform: [0.001, 0, 0, 0, -0.001, 0.002], crs: GEOJSON_CRS };
  for (const [year, ...samples] of [
    [2015, 1, 1, 2, 2, 1, 1, 2, 2],
    [2019, 1, 2, 2, 2, 1, 2, 2, 2],
  ]) {
    await writeRaster(
      path(`lc_${year}.tif`),
      memoryRaster(grid, [{ type: "uint8", nodata: 0 }], [Uint8Array.from(samples)]),
    );
  }
  const geometry = fromWkt("POLYGON ((0 0, 0.0025 0, 0.0025 0.002, 0 0.002, 0 0))") as Geometry;
  await writeFeatures(
    path("zones.geojson"),
    tableFromGeoJson([{ type: "Feature", geometry, properties: { uid: "a" } }]),
  );
});

describe("tilth dominant with class rasters", () => {
  it("sets years side by side by exact coverage, and writes what became what", async () => {
    writeFileSync(
      path("lc_2015.tif.aux.xml"),
      `<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category/><Category>Wood</Category><Category>Field</Category>
      </CategoryNames></PAMRasterBand></PAMDataset>`,
    );
    const { status, json } = await callJson([
      "dominant",
      path("zones.geojson"),
      path("lc_2015.tif"),
      path("lc_2019.tif"),
      path("out.csv"),
      "--pixels",
      "coverage",
      "--changes",
      path("changes.csv"),
      "--zone-changes",
      path("zone-changes.csv"),
      "--zone-id",
      "uid",
    ]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({
      zones: 1,
      classes: 2,
      emptyZones: 0,
      smallZones: 0,
      rasters: 2,
      legend: [
        { value: 1, name: "Wood" },
        { value: 2, name: "Field" },
      ],
    });
    expect(json.outputs!.map(({ path }) => path)).toEqual(
      ["out.csv", "changes.csv", "zone-changes.csv"].map(path),
    );
    const row = rowAt(await readFeatures(path("out.csv")), 0);
    expect(row["wood_ha_2015"]).toBeCloseTo(4 * 1.2309, 2);
    expect(row).toMatchObject({ dominant_name_2015: "Wood", dominant_name_2019: "Field" });
    const lines = readFileSync(path("zone-changes.csv"), "utf8").trim().split("\n");
    expect(lines[0]).toBe("uid,from,to,from_class,to_class,from_name,to_name,pixels,area_ha");
    expect(lines.slice(1).map((line) => line.split(",").slice(0, 7).join())).toEqual([
      "a,2015,2019,1,1,Wood,Wood",
      "a,2015,2019,1,2,Wood,Field",
      "a,2015,2019,2,2,Field,Field",
    ]);
  });

  it.each([
    ["changes of one raster", ["lc_2015.tif"], ["--changes", "c.csv"], /there is one only/],
    ["two rasters of one name", ["lc_2015.tif", "lc_2015.tif"], [], /two rasters are named "lc_2015"/],
    ["a zone id that is not there", ["lc_2015.tif"], ["--zone-id", "name"], /has no field "name"/],
    ["a rule that is none", ["lc_2015.tif"], ["--pixels", "coverage:2"], /coverage:F/],
  ])("refuses %s", async (_, rasters, options, message) => {
    const { status, json } = await callJson([
      "dominant",
      path("zones.geojson"),
      ...rasters.map(path),
      path("none.csv"),
      ...options,
    ]);
    expect(status).toBe(2);
    expect(json.error!.message).toMatch(message);
  });
});

describeShared("tilth dominant on real rasters", () => {
  it("makes up the area of Wake's basins from their classes, by coverage", async () => {
    const out = path("wake.csv");
    const { status, json } = await callJson([
      "dominant",
      shared("data", "watersheds", "wake_basins.gpkg"),
      shared("data", "landcover", "wake_landuse_10m.tif"),
      out,
      "--pixels",
      "coverage",
      "--area-unit",
      "share",
    ]);
    expect(status, JSON.stringify(json.error)).toBe(0);
    const table = await readFeatures(out);
    const names = table.columns.map(({ name }) => name).filter((name) => name.endsWith("_share"));
    const classes = names.filter((name) => !/^(dominant|second|covered|nodata)_share$/.test(name));
    expect(classes.length).toBe(json.summary!["classes"]);
    for (let row = 0; row < table.count; row++) {
      const values = rowAt(table, row);
      if (values["dominant"] === null) continue;
      const sum = classes.reduce((total, name) => total + (values[name] as number), 0);
      expect(sum).toBeCloseTo(1, 12);
      expect(valueAt(columnNamed(table, "margin")!, row)).toBeGreaterThanOrEqual(0);
    }
  });
});
