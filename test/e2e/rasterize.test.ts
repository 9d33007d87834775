import { join } from "node:path";
import { expect, it } from "vitest";
import { openRaster } from "../../src/io/open.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { callJson, scratchFolder } from "../cli/call.ts";
import { shared } from "../helpers/shared.ts";
import { checksums, describeGdal, gdal, withGdal } from "./gdal.ts";

const folder = scratchFolder("rasterize");
const at = (name: string): string => join(folder, name);

async function burn(...argv: string[]): Promise<Awaited<ReturnType<typeof callJson>>["json"]> {
  const { json } = await callJson(["rasterize", ...argv, "--overwrite"]);
  expect(json.error).toBeUndefined();
  return json;
}

async function samples(path: string): Promise<number[]> {
  const raster = await openRaster(path);
  const block = await raster.read(fullWindow(raster.grid));
  await raster.close();
  return Array.from(block.bands[0]!, Number);
}

const BASINS = shared("data", "watersheds", "neiba_derived_basins.gpkg");
const LAND_COVER = shared("data", "landcover", "neiba_lc100_2019.tif");
const STREAMS = shared("data", "drainage", "wake_streams.shp");
const FIRE_STATIONS = shared("data", "facilities", "wake_firestations.gpkg");
const DEM = shared("data", "dem", "wake_elev_ned_30m.tif");

describeGdal("burnt by tilth and by gdal_rasterize", () => {
  it(withGdal("basins by their id on the grid of a land cover map"), async () => {
    const { summary } = await burn(
      BASINS,
      at("a.tif"),
      "--like",
      LAND_COVER,
      "--field",
      "basin_id",
      "--nodata",
      "0",
    );
    expect(summary).toMatchObject({ width: 481, height: 124, features: 167, nodata: "0" });
    gdal("gdal_translate", "-q", "-ot", "Int32", "-scale", "0", "255", "0", "0", "-a_nodata", "none", LAND_COVER, at("g.tif")); // biome-ignore format: one command
    gdal("gdal_rasterize", "-q", "-a", "basin_id", BASINS, at("g.tif"));
    expect(checksums(at("a.tif"))).toEqual(checksums(at("g.tif")));
  });

  it.each([
    ["lines", STREAMS, []],
    ["every pixel of lines", STREAMS, ["--all-touched"]],
    ["points", FIRE_STATIONS, ["--add"]],
    ["polygons", shared("data", "watersheds", "wake_watersheds.gpkg"), []],
  ])(withGdal("%s at a cell size, within bounds"), async (_name, path, options) => {
    const out = at("b.tif");
    await burn(
      path,
      out,
      "--res",
      "30",
      "--bounds",
      "630000,215000,645000,228500",
      ...options,
      "--value",
      "7",
    );
    const theirs = options.map((option) => ({ "--all-touched": "-at", "--add": "-add" })[option]!);
    gdal("gdal_rasterize", "-q", "-burn", "7", "-ot", "Byte", "-tr", "30", "30", "-te", "630000", "215000", "645000", "228500", ...theirs, path, at("h.tif")); // biome-ignore format: one command
    const [ours, expected] = [await samples(out), await samples(at("h.tif"))];
    expect(ours).toHaveLength(500 * 450);
    const apart = ours.reduce((sum, value, i) => sum + (value === expected[i] ? 0 : 1), 0);
    const burnt = expected.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
    expect(burnt).toBeGreaterThan(0);
    // GDAL takes a pixel that a line only touches at a corner here and there; ours is the open pixel, exactly.
    expect(apart).toBeLessThanOrEqual(options.includes("--all-touched") ? burnt / 2000 : 0);
  });

  it(withGdal("basins in another system, on the grid of an elevation model"), async () => {
    gdal("ogr2ogr", "-q", "-t_srs", "EPSG:4326", at("w.gpkg"), shared("data", "watersheds", "wake_watersheds.gpkg")); // biome-ignore format: one command
    const json = await burn(at("w.gpkg"), at("c.tif"), "--like", DEM, "--nodata", "0");
    expect(json.warnings).toEqual(expect.arrayContaining([expect.stringMatching(/transformed from/)]));
    await burn(
      shared("data", "watersheds", "wake_watersheds.gpkg"),
      at("d.tif"),
      "--like",
      DEM,
      "--nodata",
      "0",
    );
    const [ours, expected] = [await samples(at("c.tif")), await samples(at("d.tif"))];
    const apart = ours.reduce((sum, value, i) => sum + (value === expected[i] ? 0 : 1), 0);
    expect(apart).toBeLessThanOrEqual(ours.length / 10_000);
  });
});
