import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRaster } from "../../src/io/open.ts";
import type { Config } from "../../src/jobs/config.ts";
import { type RunRecord, runPipeline } from "../../src/jobs/run.ts";
import type { FeatureTable } from "../../src/model/features.ts";
import { tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { catchmentArea } from "../../src/pipelines/catchment-area.ts";
import { scratchFolder } from "../cli/call.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { runWithRasters } from "./run-with-rasters.ts";

const AREA = { state: "Meadowland", district: "Tilth pur", block: "Up lands" };
const LAYER = "catchment_area_tilth_pur_up_lands_raster";
const grid: Grid = { width: 4, height: 3, transform: [100, 0, 0, 0, -100, 300], crs: null };

function raster(values: readonly number[], nodata: number | null = null): RasterSource {
  return memoryRaster(grid, [{ type: "float32", nodata }], [Float32Array.from(values)], { url: "r.tif" });
}

/** One unit: columns 1 to 2 of all rows. */
const UNITS: FeatureTable = {
  ...tableFromGeoJson([
    {
      type: "Feature",
      geometry: {
        type: "Polygon",
        coordinates: [
          [
            [100, 0],
            [300, 0],
            [300, 300],
            [100, 300],
            [100, 0],
          ],
        ],
      },
      properties: { uid: "a" },
    },
  ] as never),
  crs: null,
};

describe("the catchment-area pipeline", () => {
  it("cuts a ready raster to the units, value for value, on its grid", async () => {
    const ready = raster([1, 2, 3, 4, 1, 5, 12, 1, 1, 2, 3, 4]);
    const { rasters, summary, warnings, context } = await runWithRasters(
      catchmentArea,
      { area: AREA },
      UNITS,
      { raster: ready },
    );
    expect(rasters[LAYER]!.rows).toEqual([
      [2, 3],
      [5, 12],
      [2, 3],
    ]);
    expect(rasters[LAYER]!.grid.transform).toEqual([100, 0, 100, 0, -100, 300]);
    expect(summary.figures).toContainEqual({ label: "Largest catchment", value: 12 });
    expect(summary.counts).toEqual({ units: 1, pixels: 6, pixelsInside: 6 });
    expect(warnings).toEqual([]);
    expect(context).toEqual(["powers_of_ten", "units"]);
  });

  it("derives catchments from heights, in hectares unless told otherwise, and says where they may be larger", async () => {
    const dem = raster([9, 9, 9, 9, 9, 5, 4, 3, 9, 9, 9, 9]);
    const { rasters, summary, warnings } = await runWithRasters(catchmentArea, { area: AREA }, UNITS, {
      dem,
    });
    // Cells of a hectare; all of them drain to the middle row, and along it.
    expect(rasters[LAYER]!.rows).toEqual([
      [1, 1],
      [6, 9],
      [1, 1],
    ]);
    expect(rasters[LAYER]!.source.bands[0]).toMatchObject({ unit: "ha", type: "float64" });
    expect(summary.counts["incomplete"]).toBe(6);
    expect(warnings).toEqual([
      "the catchments of 6 of 6 pixels may reach beyond the DEM: their areas are lower bounds",
    ]);
    const cells = await runWithRasters(catchmentArea, { area: AREA, unit: "cells" }, UNITS, { dem });
    expect(cells.rasters[LAYER]!.rows).toEqual(rasters[LAYER]!.rows);
  });

  it("keeps the negative values that GRASS marks with, and says so", async () => {
    const ready = raster([1, 2, 3, 4, 1, -50, 12, 1, 1, 2, 3, 4]);
    const { rasters, summary, warnings } = await runWithRasters(catchmentArea, { area: AREA }, UNITS, {
      raster: ready,
    });
    expect(rasters[LAYER]!.rows[1]).toEqual([-50, 12]);
    expect(summary.figures).toContainEqual({ label: "Largest catchment", value: 50 });
    expect(warnings).toEqual([
      "the raster holds negative values, kept as they are: GRASS marks so what may have catchments beyond it",
    ]);
  });

  it("wants either a raster or a DEM", async () => {
    await expect(runWithRasters(catchmentArea, { area: AREA }, UNITS, {})).rejects.toThrow(
      "neither raster nor dem is given",
    );
    const ready = raster(Array<number>(12).fill(1));
    await expect(
      runWithRasters(catchmentArea, { area: AREA }, UNITS, { raster: ready, dem: ready }),
    ).rejects.toThrow("raster and dem are both given");
  });
});

describeShared("catchment-area on real data", () => {
  const folder = scratchFolder("catchment-area");
  const area = { state: "Independencia", district: "Neiba", block: "Sierra" };
  const units = shared("data", "watersheds", "neiba_derived_basins.gpkg");

  it("cuts the accumulation of the Sierra de Neiba to its basins, bit for bit", async () => {
    const out = join(folder, "ready");
    const raster = shared("data", "drainage", "neiba_flow_accumulation.tif");
    const config = { area, units, raster, idColumn: "basin_id" };
    const record = await run(config, out);
    expect(record.outputs.map(({ path }) => path)).toEqual(["catchment_area_neiba_sierra_raster.tif"]);
    const before = await openRaster(raster);
    const after = await openRaster(join(out, record.outputs[0]!.path));
    const col = Math.round((after.grid.transform[2] - before.grid.transform[2]) / before.grid.transform[0]);
    const row = Math.round((after.grid.transform[5] - before.grid.transform[5]) / before.grid.transform[4]);
    const ours = (await after.read(fullWindow(after.grid))).bands[0]!;
    const theirs = (await before.read({ ...fullWindow(after.grid), col, row })).bands[0]!;
    let kept = 0;
    for (let i = 0; i < ours.length; i++) {
      if (ours[i] === -9999) continue;
      kept++;
      if (ours[i] !== theirs[i]) throw new Error(`pixel ${i}: ${ours[i]}, in the source ${theirs[i]}`);
    }
    expect(kept).toBe(record.counts["pixelsInside"]);
    await before.close();
    await after.close();
  });

  it("derives it from NASADEM: the same file again, and the figure is its largest value", async () => {
    const dem = shared("data", "dem", "neiba_nasadem.tif");
    const config = { area, units, dem, idColumn: "basin_id", unit: "cells" };
    const first = await run(config, join(folder, "dem"));
    const second = await run(config, join(folder, "again"));
    expect(second.outputs[0]!.sha256).toBe(first.outputs[0]!.sha256);
    expect(first.warnings[0]).toMatch(/^the catchments of \d+ of 43316 pixels may reach beyond the DEM/);
    const made = await openRaster(join(folder, "dem", first.outputs[0]!.path));
    const cells = (await made.read(fullWindow(made.grid))).bands[0]!;
    const figure = first.figures.find(({ label }) => label === "Largest catchment")!;
    expect(Array.from(cells, Number).reduce((a, b) => Math.max(a, b), 0)).toBe(figure.value);
    await made.close();
  });

  async function run(config: Config, out: string): Promise<RunRecord> {
    await runPipeline("catchment-area", config, { out });
    return JSON.parse(readFileSync(join(out, "run.json"), "utf8")) as RunRecord;
  }
});
