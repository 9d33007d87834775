import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readFeatures, writeFeatures, writeRaster } from "../../src/io/open.ts";
import { rowAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { fromWkt } from "../helpers/vectors.ts";
import { callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("zonal");
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  const box = (w: number, s: number, e: number, n: number) =>
    fromWkt(`POLYGON ((${w} ${s}, ${e} ${s}, ${e} ${n}, ${w} ${n}, ${w} ${s}))`) as Geometry;
  await writeFeatures(
    path("zones.geojson"),
    tableFromGeoJson(
      [
        { type: "Feature", geometry: box(10, 50, 10.15, 50.2), properties: { uid: "a", code: 1 } },
        { type: "Feature", geometry: box(10.21, 50.01, 10.22, 50.02), properties: { uid: "b", code: 2 } },
      ] as never,
      { crs: GEOJSON_CRS },
    ),
  );
  const source = memoryRaster(
    { width: 4, height: 2, transform: [0.1, 0, 10, 0, -0.1, 50.2], crs: GEOJSON_CRS },
    [{ type: "uint8" }, { type: "uint8" }],
    [Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])],
  );
  await writeRaster(path("raster.tif"), source);
});

describe("tilth zonal", () => {
  it("writes the zones with their statistics and says how many were empty", async () => {
    const out = path("out.csv");
    const { status, json } = await callJson([
      "zonal",
      path("raster.tif"),
      path("zones.geojson"),
      out,
      "--stats",
      "count,mean,quantile:0.9",
      "--pixels",
      "center",
      "--band",
      "1",
      "--fields",
      "uid",
    ]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({ zones: 2, pixels: 4, emptyZones: 1, bands: 1 });
    expect(json.warnings).toContain("1 zones have no pixel: see the column note");
    const table = await readFeatures(out);
    expect(rowAt(table, 0)).toMatchObject({ uid: "a", count: 4, mean: 3.5, p90: 5.7 });
    expect(rowAt(table, 1)).toMatchObject({ uid: "b", count: 0, mean: null, note: "no pixel centre inside" });
    expect(Object.keys(rowAt(table, 0))).not.toContain("code");
  });

  it("gives every band columns, in any format, the same bytes for any number of workers", async () => {
    const bytes: string[] = [];
    for (const workers of ["1", "2", "4"]) {
      const { status } = await callJson([
        "zonal",
        path("raster.tif"),
        path("zones.geojson"),
        path("bands.fgb"),
        "--overwrite",
        "--stats",
        "mean,histogram",
        "--workers",
        workers,
      ]);
      expect(status).toBe(0);
      bytes.push(readFileSync(path("bands.fgb")).toString("base64"));
    }
    expect(new Set(bytes).size).toBe(1);
    const table = await readFeatures(path("bands.fgb"));
    const rows = [rowAt(table, 0), rowAt(table, 1)].find(({ uid }) => uid === "a")!;
    expect(rows["b1_mean"]).toBeCloseTo(10 / 3, 9);
    expect(rows["b2_mean"]).toBeCloseTo(10 / 3, 9);
  });

  it("refuses what it does not know, with what there is", async () => {
    const run = (...more: string[]) =>
      callJson(["zonal", path("raster.tif"), path("zones.geojson"), path("none.csv"), ...more]);
    expect((await run("--stats", "avg")).json.error!.message).toContain('"avg"');
    expect((await run("--preset", "arcgis")).status).toBe(2);
    expect((await run("--pixels", "coverage:7")).status).toBe(2);
    expect((await run("--band", "0")).status).toBe(2);
    expect((await run("--band", "3")).json.error!.message).toContain("none with number 3");
    expect((await run("--stats", "weighted_mean")).json.error!.hint).toContain("--weights");
    expect((await run("--fields", "nope")).json.error!.message).toContain("no field nope");
  });
});

describeShared("tilth zonal on real data", () => {
  it("gives the figures that rasterio's masks and numpy give for the basins of Neiba", async () => {
    const out = path("neiba.geojson");
    const { json } = await callJson([
      "zonal",
      shared("data/landcover/neiba_lc100_2019.tif"),
      shared("data/watersheds/neiba_derived_basins.gpkg"),
      out,
      "--preset",
      "rasterstats",
      "--stats",
      "count,sum,majority,variety",
    ]);
    expect(json.summary).toMatchObject({ zones: 167, pixels: 54319, emptyZones: 0 });
    const table = await readFeatures(out);
    const sums = [0, 0, 0, 0];
    for (let row = 0; row < table.count; row++)
      for (const [k, name] of ["count", "sum", "majority", "variety"].entries())
        sums[k]! += Number(rowAt(table, row)[name]);
    expect(sums).toEqual(NEIBA);
  });
});

/** Sums over all basins: counts, sums, majorities, varieties. From rasterio 1.3.5 and numpy 1.24. */
const NEIBA = [54319, 5738582, 18751, 967];
