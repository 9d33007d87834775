import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFeatures } from "../src/io/open.ts";
import { ColumnBuilder } from "../src/model/features.ts";
import { GEOJSON_CRS } from "../src/model/geojson.ts";
import { best, compare, hasProgram, tilth } from "./commands.ts";
import { blobLayer } from "./layers.ts";

/**
 * Burns 2,000 polygons by their id into a raster of 20,000 x 20,000 cells (16 and 32 bits, Deflate, tiles of 512, no overviews), file
 * to file, against gdal_rasterize, which holds the whole raster in memory. GDAL's checksums of both must agree. The
 * polygons are `zones2k.fgb` in $TILTH_BENCH_DATA, or made up. Goal: at most the time of gdal_rasterize.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  if (!hasProgram("gdal_rasterize")) {
    console.log("skipped: gdal_rasterize is not on the PATH");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "tilth-rasterize-"));
  try {
    const given = join(process.env["TILTH_BENCH_DATA"] ?? "", "zones2k.fgb");
    const zones = !smoke && existsSync(given) ? given : join(folder, "zones.fgb");
    if (zones !== given) await madeUp(zones, smoke ? 200 : 2_000);
    const cell = smoke ? "0.004" : "0.0002";
    for (const [type, name] of smoke
      ? ([["uint16", "UInt16"]] as const)
      : ([
          ["uint16", "UInt16"],
          ["int32", "Int32"],
        ] as const)) {
      const [ours, theirs] = [join(folder, "tilth.tif"), join(folder, "gdal.tif")];
      const us = tilth(smoke ? 1 : 3, "rasterize", zones, ours, "--field", "id", "--type", type, "--nodata", "65535", "--res", cell, "--bounds", "74,14,78,18", "--overviews", "none"); // biome-ignore format: one command
      const create = ["TILED=YES", "COMPRESS=DEFLATE", "BLOCKXSIZE=512", "BLOCKYSIZE=512"];
      // Into a file that is there gdal_rasterize would burn on top.
      const gdal = best(smoke ? 1 : 3, "sh", ["-c", 'rm -f "$0"; exec gdal_rasterize "$@" "$0"', theirs, "-q", "-a", "id", "-ot", name, "-a_nodata", "65535", "-init", "65535", "-tr", cell, cell, "-te", "74", "14", "78", "18", ...create.flatMap((one) => ["-co", one]), zones]); // biome-ignore format: one command
      const [left, right] = [ours, theirs].map((path) =>
        /Checksum=(\d+)/.exec(execFileSync("gdalinfo", ["-checksum", path], { encoding: "utf8" })),
      );
      if (left![1] !== right![1]) throw new Error(`the results differ: ${left![1]} against ${right![1]}`);
      compare(`${type}, checksum ${left![1]} of both`, us, "gdal_rasterize", gdal);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function madeUp(path: string, count: number): Promise<void> {
  const id = new ColumnBuilder({ name: "id", type: "int32", nullable: false });
  for (let row = 0; row < count; row++) id.pushNumber(row);
  await writeFeatures(path, {
    count,
    geometry: blobLayer(count, 9),
    columns: [id.finish()],
    ids: null,
    firstRow: 0,
    crs: GEOJSON_CRS,
  });
}
