import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFeatures, writeRaster } from "../src/io/open.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";
import { memoryRaster } from "../src/operators/memory-raster.ts";
import { random } from "../src/testing/random.ts";
import { best, compare, hasProgram, tilth } from "./commands.ts";

/**
 * Polygons of a class raster of 4,000 x 4,000 cells, with 4 and 8 neighbours, file to file, against gdal_polygonize. Number of
 * polygons and total area must agree. The raster is a part of `class20k.tif` in $TILTH_BENCH_DATA, or made up.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  if (!hasProgram("gdal_polygonize.py")) {
    console.log("skipped: gdal_polygonize.py is not on the PATH");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "tilth-polygonize-"));
  try {
    const raster = join(folder, "classes.tif");
    const given = join(process.env["TILTH_BENCH_DATA"] ?? "", "class20k.tif");
    if (!smoke && existsSync(given))
      execFileSync("gdal_translate", ["-q", "-srcwin", "0", "0", "4000", "4000", given, raster]);
    else await madeUp(raster, smoke ? 300 : 4_000);
    for (const neighbours of ["4", "8"]) {
      const [ours, theirs] = [join(folder, "tilth.fgb"), join(folder, "gdal.fgb")];
      const us = tilth(smoke ? 1 : 2, "polygonize", raster, ours, "--connectivity", neighbours);
      const flag = neighbours === "8" ? ["-8"] : [];
      rmSync(theirs, { force: true });
      const gdal = best(1, "gdal_polygonize.py", ["-q", ...flag, raster, "-f", "FlatGeobuf", theirs]);
      const [left, right] = [await readFeatures(ours), await readFeatures(theirs)];
      const [mine, other] = [areaOf(left.geometry!), areaOf(right.geometry!)];
      if (left.count !== right.count) throw new Error(`${left.count} polygons, GDAL ${right.count}`);
      if (Math.abs(mine - other) > 1e-9 * other) throw new Error(`area ${mine}, GDAL ${other}`);
      compare(`${neighbours} neighbours, ${left.count} polygons of both`, us, "gdal_polygonize", gdal);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Area of all polygons, whichever way their rings run: the first ring of a part is its shell. */
function areaOf({ parts, rings, xy }: GeometryColumn): number {
  let sum = 0;
  for (let p = 0; p + 1 < parts.length; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      let twice = 0;
      for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++)
        twice += xy[2 * v]! * xy[2 * v + 3]! - xy[2 * v + 2]! * xy[2 * v + 1]!;
      sum += (r === parts[p] ? 1 : -1) * Math.abs(twice / 2);
    }
  }
  return sum;
}

/** Patches of 12 classes with stray pixels. */
async function madeUp(path: string, side: number): Promise<void> {
  const next = random(4);
  const data = new Uint8Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let col = 0; col < side; col++) {
      const patch = Math.sin(col / 37) + Math.sin(row / 23) + Math.sin((col + 2 * row) / 71);
      data[row * side + col] = next.int(50) === 0 ? 1 + next.int(12) : 1 + Math.floor((patch + 3) * 1.9);
    }
  }
  const grid = { width: side, height: side, transform: [1, 0, 0, 0, -1, side], crs: null } as const;
  await writeRaster(path, memoryRaster(grid, [{ type: "uint8" }], [data]));
}
