import { join } from "node:path";
import { expect, it } from "vitest";
import { readFeatures } from "../../src/io/open.ts";
import { columnNamed, type FeatureTable, valueAt } from "../../src/model/features.ts";
import { callJson, scratchFolder } from "../cli/call.ts";
import { shared } from "../helpers/shared.ts";
import { measure } from "../helpers/vectors.ts";
import { checksums, describeGdal, gdal, layerFacts, sqlNumber, withGdal } from "./gdal.ts";

const folder = scratchFolder("polygonize");
const at = (name: string): string => join(folder, name);

const RASTERS = {
  "land cover": shared("data", "landcover", "neiba_lc100_2019.tif"),
  "land use": shared("data", "landcover", "wake_landuse96_28m.tif"),
  "stream order": shared("data", "drainage", "extremadura_stream_order.tif"),
};

async function trace(...argv: string[]): Promise<Awaited<ReturnType<typeof callJson>>["json"]> {
  const { json } = await callJson(["polygonize", ...argv, "--overwrite"]);
  expect(json.error).toBeUndefined();
  return json;
}

/** Number of polygons of each value. */
function counts(table: FeatureTable, field: string): Record<string, number> {
  const column = columnNamed(table, field)!;
  const found: Record<string, number> = {};
  for (let row = 0; row < table.count; row++) {
    const value = String(valueAt(column, row));
    found[value] = (found[value] ?? 0) + 1;
  }
  return found;
}

describeGdal("traced by tilth and by gdal_polygonize", () => {
  it.each([
    ["land cover", "4"],
    ["land cover", "8"],
    ["land use", "4"],
    ["land use", "8"],
    ["stream order", "4"],
    ["stream order", "8"],
  ] as const)(
    withGdal("%s, %s neighbours: as many regions of every value, and areas"),
    async (name, neighbours) => {
      const out = at(`${name}${neighbours}.gpkg`);
      const theirs = at(`g-${name}${neighbours}.gpkg`);
      const { summary } = await trace(RASTERS[name], out, "--connectivity", neighbours, "--field", "DN");
      gdal("gdal_polygonize.py", "-q", ...(neighbours === "8" ? ["-8"] : []), RASTERS[name], "-f", "GPKG", theirs, "p", "DN"); // biome-ignore format: one command
      expect(summary.featuresOut).toBe(layerFacts(theirs).count);
      const [ours, expected] = [await readFeatures(out), await readFeatures(theirs)];
      expect(counts(ours, "DN")).toEqual(counts(expected, "DN"));
      const area = measure(expected.geometry!, 2);
      expect(Math.abs(measure(ours.geometry!, 2) - area)).toBeLessThanOrEqual(1e-12 * area);
      // GEOS, which stands behind this function, finds none invalid.
      const layer = `${name}${neighbours}`;
      expect(sqlNumber(out, `select sum(st_isvalid(geom)) from "${layer}"`)).toBe(ours.count);
    },
  );

  it(withGdal("burnt again, gives the land cover"), async () => {
    const raster = RASTERS["land cover"];
    await trace(raster, at("again.fgb"), "--order", "finished", "--pixels", "n");
    const { json } = await callJson(["rasterize", at("again.fgb"), at("again.tif"), "--like", raster, "--field", "value", "--nodata", "255", "--type", "uint8"]); // biome-ignore format: one command
    expect(json.error).toBeUndefined();
    expect(checksums(at("again.tif"))).toEqual(checksums(raster));
  });
});
