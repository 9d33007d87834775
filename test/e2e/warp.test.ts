import { join } from "node:path";
import { expect, it } from "vitest";
import { openRaster } from "../../src/io/open.ts";
import { type WarpFileOptions, warpFile } from "../../src/jobs/files/warp.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { scratchFolder } from "../cli/call.ts";
import { HAS_SHARED, shared } from "../helpers/shared.ts";
import { describeGdal, gdal, withGdal } from "./gdal.ts";

const folder = scratchFolder("warp");

interface Case {
  readonly file: string;
  readonly to: string;
  readonly options: WarpFileOptions;
  /** The same for gdalwarp. */
  readonly args: readonly string[];
  /** Rows run in all directions. */
  readonly turning?: boolean;
}

const CASES: readonly Case[] = [
  { file: "landcover/neiba_lc100_2019.tif", to: "EPSG:32619", options: {}, args: [] },
  { file: "landcover/wake_landuse96_28m.tif", to: "EPSG:4326", options: {}, args: [] },
  {
    file: "landcover/neiba_treecover2000.tif",
    to: "EPSG:3857",
    options: { res: 90, snap: "tap" },
    args: ["-tr", "90", "90", "-tap"],
  },
  {
    file: "landcover/world_cropland_10km.tif",
    to: "ESRI:54009",
    options: { res: 40_000 },
    args: ["-tr", "40000", "40000"],
  },
  {
    file: "landcover/world_cropland_10km.tif",
    to: "EPSG:3413",
    options: { extent: [-4e6, -4e6, 4e6, 4e6], res: 10_000 },
    args: ["-te", "-4000000", "-4000000", "4000000", "4000000", "-tr", "10000", "10000"],
    turning: true,
  },
  { file: "dem/extremadura_dem25.tif", to: "EPSG:25830", options: {}, args: [] },
  { file: "dem/luxembourg_elev.tif", to: "EPSG:3035", options: { res: 300 }, args: ["-tr", "300", "300"] },
  { file: "dem/neiba_nasadem.tif", to: "EPSG:32619", options: { width: 200 }, args: ["-ts", "200", "0"] },
  { file: "ndvi/sinop/MOD13Q1_NDVI_2014-08-29.tif", to: "EPSG:4326", options: {}, args: [] },
  { file: "ndvi/nc_lst_monthly/MOD11B3_LST_Day_A2015244.tif", to: "EPSG:4326", options: {}, args: [] },
  { file: "ndvi/luxembourg_sentinel2_2024-08-24.tif", to: "EPSG:32632", options: {}, args: [] },
];

/** Shares of the samples of all bands that are the same, and that are within a unit of each other. */
async function compare(
  here: string,
  there: string,
): Promise<{ same: number; near: number; samples: number }> {
  const [a, b] = [await openRaster(here), await openRaster(there)];
  try {
    expect([a.grid.width, a.grid.height]).toEqual([b.grid.width, b.grid.height]);
    const cell = Math.abs(b.grid.transform[0]);
    a.grid.transform.forEach((value, k) => {
      expect(Math.abs(value - b.grid.transform[k]!) / cell).toBeLessThan(1e-5);
    });
    const [mine, theirs] = [await a.read(fullWindow(a.grid)), await b.read(fullWindow(b.grid))];
    let [same, near, samples] = [0, 0, 0];
    mine.bands.forEach((band, k) => {
      const [x, y] = [band as Float64Array, theirs.bands[k]! as Float64Array];
      const { nodata } = b.bands[k]!;
      for (let i = 0; i < x.length; i++) {
        samples++;
        // Without a nodata value GDAL leaves 0 where this makes a mask, or NaN among fractions.
        const none = (value: number): boolean => Number.isNaN(value) || value === nodata;
        const [left, right] = [x[i]!, y[i]!];
        const mineNone = none(left) || mine.mask?.[i] === 0;
        const theirsNone = none(right) || (nodata === null && mineNone && right === 0);
        if (mineNone || theirsNone ? mineNone && theirsNone : left === right) same++;
        if (mineNone || theirsNone ? mineNone && theirsNone : Math.abs(left - right) <= 1) near++;
      }
    });
    return { same: same / samples, near: near / samples, samples };
  } finally {
    await a.close();
    await b.close();
  }
}

const METHODS = ["near", "bilinear", "cubic", "average", "mode"] as const;

const describeBoth = HAS_SHARED ? describeGdal : describeGdal.skip;

describeBoth(withGdal("warp beside gdalwarp with exact positions"), () => {
  for (const { file, to, options, args, turning } of CASES) {
    // The world takes GDAL a while.
    const methods = file.includes("world") ? (["near", "bilinear"] as const) : METHODS;
    for (const resampling of methods) {
      it(`${file} to ${to} ${args.join(" ")}: ${resampling}`, async () => {
        const input = shared("data", file);
        const [mine, theirs] = [join(folder, "mine.tif"), join(folder, "theirs.tif")];
        gdal(
          "gdalwarp",
          "-q",
          "-overwrite",
          "-et",
          "0",
          "-ovr",
          "NONE",
          "-t_srs",
          to,
          "-r",
          resampling,
          ...args,
          input,
          theirs,
        );
        await warpFile(input, mine, { ...options, to, resampling, overwrite: true, workers: 1 });
        const { same, near, samples } = await compare(mine, theirs);
        expect(samples).toBeGreaterThan(1000);
        if (resampling === "near") expect(same).toBeGreaterThanOrEqual(0.9999);
        else if (resampling === "bilinear" || resampling === "cubic") {
          // At the antimeridian the sample on the other side is missing, and which side that is, is a matter of rounding.
          expect(near).toBeGreaterThanOrEqual(turning ? 0.99999 : 1);
        }
        // GDAL gives pixels along the outer edge that cover no sample the nearest one; here they have none.
        else expect(near).toBeGreaterThan(0.98);
      });
    }
  }
});
