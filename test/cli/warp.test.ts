import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { crsFromEpsg } from "../../src/crs/parse.ts";
import { openRaster, writeRaster } from "../../src/io/open.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("warp");
const input = join(folder, "in.tif");
const out = (name: string): string => join(folder, name);

beforeAll(async () => {
  const grid = {
    width: 90,
    height: 60,
    transform: [100, 0, 450_000, 0, -100, 1_800_000] as const,
    crs: crsFromEpsg(32643),
  };
  const samples = new Int16Array(90 * 60).map((_, i) => (i * 7) % 1000);
  await writeRaster(input, memoryRaster(grid, [{ type: "int16", nodata: -1 }], [samples]), {});
});

describe("tilth warp", () => {
  it("writes a COG in the new CRS and says what it made", async () => {
    const { status, json } = await callJson(["warp", input, out("ll.tif"), "--to", "EPSG:4326"]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({ kind: "raster", bands: 1, crs: "EPSG:4326", resampling: "near" });
    const { width, height, pixels } = json.summary;
    expect(pixels).toBe(width * height);
    const info = await callJson(["info", out("ll.tif")]);
    expect(info.json.summary).toMatchObject({ width, height, crs: "EPSG:4326", cog: true });
    expect(info.json.summary.bands[0]).toMatchObject({ dtype: "int16", nodata: -1 });
  });

  it("gives the same bytes for any number of workers", async () => {
    const sums: unknown[] = [];
    for (const workers of ["1", "2", "4"]) {
      const { json } = await callJson([
        ...["warp", input, out("w.tif"), "--to", "EPSG:4326", "--resampling", "bilinear"],
        ...["--workers", workers, "--overwrite"],
      ]);
      sums.push(json.outputs![0]!.sha256);
    }
    expect(new Set(sums).size).toBe(1);
  });

  it("takes resolution, extent, snap, size, nodata, another raster's grid and the options of the writer", async () => {
    const coarse = await callJson([
      ...["warp", input, out("coarse.tif"), "--res", "700", "--snap", "tap", "--resampling", "average"],
      ...["--blocksize", "128", "--compress", "lzw", "--nodata", "-5"],
    ]);
    expect(coarse.json.summary.transform).toEqual([700, 0, 449_400, 0, -700, 1_800_400]);
    const read = await openRaster(out("coarse.tif"));
    expect(read.bands[0]!.nodata).toBe(-5);
    expect(read.tile).toEqual({ width: 128, height: 128 });
    await read.close();
    const part = await callJson([
      ...[
        "warp",
        input,
        out("part.tif"),
        "--to",
        "EPSG:4326",
        "--extent",
        "74.55,16.25,74.6,16.27",
        "--width",
        "50",
      ],
    ]);
    expect([part.json.summary.width, part.json.summary.height]).toEqual([50, 20]);
    const like = await callJson(["warp", input, out("like.tif"), "--like", out("coarse.tif")]);
    expect(like.json.summary.transform).toEqual(coarse.json.summary.transform);
    const source = await openRaster(out("like.tif"));
    const { bands } = await source.read(fullWindow(source.grid));
    await source.close();
    expect([...bands[0]!].some((value) => value === -1)).toBe(true);
  });

  it.each([
    [["--res", "0"], 2],
    [["--resampling", "best", "--to", "EPSG:4326"], 2],
    [["--snap", "near", "--res", "5"], 2],
    [[], 2],
    [["--like", "x.tif", "--res", "5"], 2],
    [["--to", "EPSG:4326", "--extent", "1,2,3"], 2],
    [["--to", "EPSG:4326", "--extent", "0,0,1,1"], 1],
    [["--to", "EPSG:99999"], 3],
    [["--like", "missing.tif"], 3],
  ])("refuses %j with status %i", async (options, status) => {
    const result = await call(["warp", input, out("no.tif"), ...options]);
    expect(result.status).toBe(status);
    expect(result.err).toMatch(/^error: .+\n *\S+/);
    await expect(openRaster(out("no.tif"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
