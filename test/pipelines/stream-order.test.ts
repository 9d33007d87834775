import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFeatures, openRaster, readFeatures } from "../../src/io/open.ts";
import type { Config } from "../../src/jobs/config.ts";
import { type RunRecord, runPipeline } from "../../src/jobs/run.ts";
import { cellArea } from "../../src/kernels/raster/cell-area.ts";
import { columnNamed, type FeatureTable, rowAt, valueAt } from "../../src/model/features.ts";
import { tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { streamOrderPipeline } from "../../src/pipelines/stream-order.ts";
import { scratchFolder } from "../cli/call.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { runWithRasters } from "./run-with-rasters.ts";

const AREA = { state: "Meadowland", district: "Tilth pur", block: "Up lands" };
const grid: Grid = { width: 4, height: 3, transform: [100, 0, 0, 0, -100, 300], crs: null };

function raster(values: readonly number[], nodata: number | null = 0): RasterSource {
  return memoryRaster(grid, [{ type: "uint8", nodata }], [Uint8Array.from(values)], { url: "r.tif" });
}

function units(...boxes: readonly (readonly [number, number, number, number])[]): FeatureTable {
  return {
    ...tableFromGeoJson(
      boxes.map(([x, y, X, Y], k) => ({
        type: "Feature" as const,
        geometry: {
          type: "Polygon" as const,
          coordinates: [
            [
              [x, y],
              [X, y],
              [X, Y],
              [x, Y],
              [x, y],
            ],
          ],
        },
        properties: { uid: String.fromCharCode(97 + k) },
      })) as never,
    ),
    crs: null,
  };
}

describe("the stream-order pipeline", () => {
  // Two columns each; the last unit hangs out of the raster by half.
  const UNITS = units([0, 0, 200, 300], [200, 0, 400, 300], [300, 0, 500, 300]);
  const READY = [0, 1, 1, 0, 0, 2, 2, 3, 0, 1, 0, 0];

  it("gives the share of each order per unit, in the columns of the original", async () => {
    const { tables, rasters, summary, warnings } = await runWithRasters(
      streamOrderPipeline,
      { area: AREA },
      UNITS,
      { raster: raster(READY) },
    );
    const table = tables["stream_order_tilth_pur_up_lands_vector"]!;
    expect(table.columns.map(({ name }) => name)).toEqual([
      "uid",
      ..."1 2 3 4 5 6 7 8 9 10 11".split(" "),
      "stream_percent",
      "highest_order",
      "raster_percent",
    ]);
    const a = rowAt(table, 0);
    expect(a["1"]).toBeCloseTo(200 / 6, 12);
    expect(a["2"]).toBeCloseTo(100 / 6, 12);
    expect(a["3"]).toBe(0);
    expect(a["stream_percent"]).toBeCloseTo(50, 12);
    expect(a).toMatchObject({ uid: "a", highest_order: 2, raster_percent: 100 });
    // One pixel of order 3 in a unit of six pixels' area, three of them beyond the raster.
    const c = rowAt(table, 2);
    expect(c["3"]).toBeCloseTo(100 / 6, 12);
    expect(c["raster_percent"]).toBeCloseTo(50, 12);
    expect(rasters["stream_order_tilth_pur_up_lands_raster"]!.rows).toEqual([
      [0, 1, 1, 0],
      [0, 2, 2, 3],
      [0, 1, 0, 0],
    ]);
    expect(summary.figures).toContainEqual({ label: "Area of stream pixels", value: 7, unit: "ha" });
    expect(summary.charts[0]).toMatchObject({ categories: ["1", "2", "3"], series: [{ values: [3, 2, 2] }] });
    expect(warnings).toEqual(["the raster has no CRS: its unit is taken to be the metre"]);
  });

  it("does the same for rasters that have 0 instead of nodata", async () => {
    const run = (nodata: number | null) =>
      runWithRasters(streamOrderPipeline, { area: AREA }, UNITS, { raster: raster(READY, nodata) });
    const [with0, without] = [await run(0), await run(null)];
    expect(without.tables).toEqual(with0.tables);
  });

  it("keeps units without streams and beside the raster, with 0", async () => {
    const { tables } = await runWithRasters(
      streamOrderPipeline,
      { area: AREA },
      units([0, 200, 100, 300], [900, 900, 1000, 1000], [0, 0, 400, 300]),
      { raster: raster(READY) },
    );
    const table = tables["stream_order_tilth_pur_up_lands_vector"]!;
    expect(rowAt(table, 0)).toMatchObject({
      "1": 0,
      stream_percent: 0,
      highest_order: null,
      raster_percent: 100,
    });
    expect(rowAt(table, 1)).toMatchObject({
      "1": 0,
      stream_percent: 0,
      highest_order: null,
      raster_percent: 0,
    });
  });

  it("gives orders beyond 11 a column, and refuses what is no order", async () => {
    const high = await runWithRasters(streamOrderPipeline, { area: AREA }, UNITS, {
      raster: raster([...READY.slice(0, 11), 12]),
    });
    expect(rowAt(high.tables["stream_order_tilth_pur_up_lands_vector"]!, 1)["12"]).toBeCloseTo(100 / 6, 12);
    await expect(
      runWithRasters(streamOrderPipeline, { area: AREA }, UNITS, {
        raster: raster([...READY.slice(0, 11), 200]),
      }),
    ).rejects.toThrow("r.tif holds 200, which is no stream order");
  });

  it("derives orders from heights, with the lines on the map", async () => {
    const dem = memoryRaster(
      { ...grid, width: 5, height: 4 },
      [{ type: "int16" }],
      [Int16Array.from([9, 5, 9, 5, 9, 9, 4, 9, 4, 9, 9, 9, 3, 9, 9, 9, 9, 2, 9, 9])],
    );
    const { tables, rasters, context, summary } = await runWithRasters(
      streamOrderPipeline,
      { area: AREA, threshold: 2, thresholdUnit: "cells" },
      units([0, -100, 500, 300]),
      { dem },
    );
    expect(rasters["stream_order_tilth_pur_up_lands_raster"]!.rows).toEqual([
      [0, 1, 0, 1, 0],
      [0, 1, 0, 1, 0],
      [0, 0, 2, 0, 0],
      [0, 0, 2, 0, 0],
    ]);
    expect(rowAt(tables["stream_order_tilth_pur_up_lands_vector"]!, 0)).toMatchObject({ "1": 20, "2": 10 });
    expect(context).toEqual(["stream_lines"]);
    expect(summary.counts["lines"]).toBe(3);
  });
});

describeShared("stream-order on real data", () => {
  const folder = scratchFolder("stream-order");
  const area = { state: "Independencia", district: "Neiba", block: "Sierra" };
  const units = shared("data", "watersheds", "neiba_derived_basins.gpkg");

  it("shares of the basins of Neiba add up to the streams of the raster", async () => {
    const out = join(folder, "ready");
    const raster = shared("data", "drainage", "neiba_stream_order.tif");
    const record = await run({ area, units, raster, idColumn: "basin_id" }, out);
    expect(record.outputs.map(({ path }) => path).sort()).toEqual([
      "stream_order_neiba_sierra_raster.tif",
      "stream_order_neiba_sierra_vector.geojson",
    ]);
    const table = await readFeatures(join(out, "stream_order_neiba_sierra_vector.geojson"));
    expect(table.count).toBe(167);
    // Basins were polygonised from cells, so each pixel belongs to one: what the raster holds is what the basins add up to.
    const made = await openRaster(join(out, "stream_order_neiba_sierra_raster.tif"));
    const { grid } = made;
    const orders = (await made.read(fullWindow(grid))).bands[0]!;
    const [a, , , , e, f] = grid.transform;
    const expected = new Float64Array(4);
    let found = 0;
    for (let i = 0; i < orders.length; i++) {
      const row = Math.floor(i / grid.width);
      if (orders[i] === 0) continue;
      found++;
      expected[Number(orders[i])]! += cellArea(f + row * e, f + (row + 1) * e, a, "ellipsoid");
    }
    expect(found).toBeGreaterThan(1700);
    await made.close();
    const basins = await openFeatures(units);
    const whole = await areasOfBasins(basins.url);
    await basins.close();
    for (const order of [1, 2, 3]) {
      const column = columnNamed(table, String(order))!;
      let sum = 0;
      for (let row = 0; row < table.count; row++) sum += (Number(valueAt(column, row)) / 100) * whole[row]!;
      expect(sum / expected[order]!).toBeCloseTo(1, 6);
    }
  });

  it("orders from NASADEM: the same files again", async () => {
    const dem = shared("data", "dem", "neiba_nasadem.tif");
    const config = {
      area,
      units,
      dem,
      idColumn: "basin_id",
      threshold: 100,
      thresholdUnit: "cells",
      format: "fgb",
    };
    const first = await run(config, join(folder, "dem"));
    const second = await run(config, join(folder, "again"));
    expect(second.outputs.map(({ sha256 }) => sha256)).toEqual(first.outputs.map(({ sha256 }) => sha256));
    expect(first.counts["lines"]).toBeGreaterThan(100);
    expect(first.figures).toContainEqual({ label: "Units", value: 167 });
  });

  /** Area of each basin in square metres: that of its cells, which the raster of class 0 everywhere counts. */
  async function areasOfBasins(path: string): Promise<Float64Array> {
    const { dominantClass } = await import("../../src/operators/dominant.ts");
    const order = await openRaster(shared("data", "drainage", "neiba_stream_order.tif"));
    const { grid } = order;
    const flat = memoryRaster(grid, [{ type: "uint8" }], [new Uint8Array(grid.width * grid.height)]);
    await order.close();
    const result = await dominantClass(await readFeatures(path), flat);
    return result.years[0]!.area;
  }

  async function run(config: Config, out: string): Promise<RunRecord> {
    await runPipeline("stream-order", config, { out });
    return JSON.parse(readFileSync(join(out, "run.json"), "utf8")) as RunRecord;
  }
});
