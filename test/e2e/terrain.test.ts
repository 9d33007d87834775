import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaster, writeRaster } from "../../src/io/open.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { aspect, hillshade, slope } from "../../src/operators/terrain.ts";
import { SHARED, shared } from "../helpers/shared.ts";
import { gdal, HAS_GDAL, withGdal } from "./gdal.ts";

const DEM = "data/dem/wake_elev_ned_30m.tif";
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-terrain-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!HAS_GDAL || !existsSync(join(SHARED, DEM)))("real elevations", () => {
  test.each([
    ["slope", slope, 1e-3],
    ["aspect", aspect, 1e-2],
    ["hillshade", hillshade, 1],
  ] as const)(withGdal("%s equals gdaldem's"), async (name, make, tolerance) => {
    const theirs = join(folder, `${name}.tif`);
    gdal("gdaldem", name, "-q", shared(DEM), theirs);
    const source = await openRaster(shared(DEM));
    const ours = join(folder, `${name}-ours.tif`);
    await writeRaster(ours, make(source));
    const [a, b] = [await openRaster(ours), await openRaster(theirs)];
    const [found, expected] = await Promise.all(
      [a, b].map(async (raster) => (await raster.read(fullWindow(raster.grid))).bands[0]!),
    );
    const none = b.bands[0]!.nodata;
    const steep = slope(source);
    const slopes = (await steep.read(fullWindow(steep.grid))).bands[0]!;
    let compared = 0;
    let gaps = 0;
    let worst = 0;
    for (let i = 0; i < expected!.length; i++) {
      const missing = expected![i] === none;
      const ourMissing = name === "hillshade" ? found![i] === 0 : Number.isNaN(found![i]);
      if (missing !== ourMissing) gaps++;
      // gdaldem computes in single precision, in which the direction of almost level ground is noise.
      else if (!missing && (name !== "aspect" || Number(slopes[i]) > 0.3)) {
        compared++;
        const off = Math.abs(Number(found![i]) - Number(expected![i]));
        // The circle closes: 359.99 and 0 are neighbours.
        const error = name === "aspect" ? Math.min(off, 360 - off) : off;
        worst = Math.max(worst, error);
      }
    }
    expect(compared).toBeGreaterThan(190_000);
    expect(gaps).toBe(0);
    expect(worst).toBeLessThanOrEqual(tolerance);
    await Promise.all([a.close(), b.close(), source.close()]);
  });
});
