import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GeoTiffSource } from "../../src/io/geotiff/read.ts";
import { openRaster } from "../../src/io/open.ts";
import type { Affine } from "../../src/model/grid.ts";
import type { RasterBlock } from "../../src/model/raster.ts";
import { callJson, scratchFolder } from "../cli/call.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { checksums, describeGdal, gdal, withGdal } from "./gdal.ts";

const folder = scratchFolder("clip-raster");
const at = (name: string): string => join(folder, name);

type Done = Awaited<ReturnType<typeof callJson>>["json"];

async function done(...argv: string[]): Promise<Done> {
  const { json, status } = await callJson([...argv, "--overwrite"]);
  expect(json.error).toBeUndefined();
  expect(status).toBe(0);
  return json;
}

async function opened<T>(path: string, use: (source: GeoTiffSource) => Promise<T>): Promise<T> {
  const source = await openRaster(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** All pixels of a file. */
const all = (path: string): Promise<RasterBlock & { transform: Affine; nodata: unknown }> =>
  opened(path, async (source) => {
    const { width, height, transform } = source.grid;
    const block = await source.read({ col: 0, row: 0, width, height });
    return { ...block, transform, nodata: source.bands[0]!.nodata };
  });

const LAND_USE = ["data", "landcover", "wake_landuse_10m.tif"] as const;
const WATERSHEDS = ["data", "watersheds", "wake_watersheds.gpkg"] as const;
const BASINS = ["data", "watersheds", "neiba_derived_basins.gpkg"] as const;
const COARSE = ["data", "watersheds", "extremadura_watersheds_coarse.shp"] as const;

/** A ring in the coordinates of the Wake land use, 15 x 13.5 km at 10 m, that leaves its corners out. */
function writeRegion(name: string): string {
  const ring = [
    [632_000, 216_000],
    [644_000, 217_500],
    [643_000, 226_900],
    [638_000, 224_000],
    [633_100, 227_000],
    [632_000, 216_000],
  ];
  const crs = { type: "name", properties: { name: "urn:ogc:def:crs:EPSG::3358" } };
  const features = [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }];
  writeFileSync(at(name), JSON.stringify({ type: "FeatureCollection", crs, features }));
  return at(name);
}

describeShared("rasters clipped to basins", () => {
  describeGdal(withGdal("next to gdalwarp -cutline"), () => {
    it.each([
      ...[2015, 2016, 2017, 2018, 2019].map((year) => [`landcover/neiba_lc100_${year}.tif`, BASINS] as const),
      ["drainage/neiba_stream_order.tif", BASINS],
      ["drainage/extremadura_flow_accumulation.tif", COARSE],
      ["drainage/extremadura_stream_order.tif", COARSE],
      ["drainage/wake_flow_accumulation.tif", WATERSHEDS],
    ] as const)("%s is the same pixel for pixel", async (raster, region) => {
      const from = shared("data", ...raster.split("/"));
      const by = shared(...region);
      const { summary } = await done("clip", from, at("ours.tif"), "--by", by);
      const { transform, nodata } = await all(at("ours.tif"));
      const [a, , c, , e, f] = transform;
      const extent = [c, f + summary.height * e, c + summary.width * a, f].map(String);
      gdal(
        "gdalwarp",
        ...["-q", "-overwrite", "-cutline", by, "-dstnodata", String(nodata), "-te", ...extent],
        ...["-ts", String(summary.width), String(summary.height), from, at("theirs.tif")],
      );
      expect(checksums(at("ours.tif"))).toEqual(checksums(at("theirs.tif")));
      expect(summary.pixelsInside).toBeGreaterThan(40_000);
    });
  });
});

describeShared("clip --crop tiles", () => {
  const cog = async (name: string, ...options: string[]): Promise<string> => {
    await done("convert", shared(...LAND_USE), at(name), "--blocksize", "128", ...options);
    return at(name);
  };

  it("copies the tiles inside, byte for byte, and holds the pixels of a crop to pixels", async () => {
    const input = await cog("input.tif");
    const by = writeRegion("region.geojson");
    const tight = await done("clip", input, at("tight.tif"), "--by", by);
    const wide = await done("clip", input, at("wide.tif"), "--by", by, "--crop", "tiles");
    expect(wide.summary.pixelsInside).toBe(tight.summary.pixelsInside);
    const [col, row, width, height] = wide.summary.window as [number, number, number, number];
    // Whole tiles of the first overview, which is copied too.
    expect([col % 256, row % 256]).toEqual([0, 0]);
    const [left, top] = tight.summary.window as [number, number];
    const [small, large] = await Promise.all([all(at("tight.tif")), all(at("wide.tif"))]);
    // Both on the grid of the input, with the nodata value where they have no pixel.
    const [first, second] = (
      [
        [small, left, top],
        [large, col, row],
      ] as const
    ).map(([{ window, bands, nodata }, x, y]) => {
      const values = new Uint8Array(1500 * 1350).fill(Number(nodata));
      for (let r = 0; r < window.height; r++) {
        const line = (bands[0] as Uint8Array).subarray(r * window.width, (r + 1) * window.width);
        values.set(line, (y + r) * 1500 + x);
      }
      return values;
    });
    expect(Buffer.compare(first!, second!)).toBe(0);
    const copied = await opened(input, (source) =>
      opened(at("wide.tif"), async (output) => {
        let same = 0;
        for (let r = 0; r * 128 < height; r++) {
          for (let c = 0; c * 128 < width; c++) {
            const ours = await output.tileBytes(0, 0, c, r);
            const theirs = await source.tileBytes(0, 0, c + col / 128, r + row / 128);
            if (Buffer.compare(ours!, theirs!) === 0) same++;
          }
        }
        return same;
      }),
    );
    expect(copied).toBeGreaterThan(20);
    expect(wide.summary.tilesCopied).toBeGreaterThan(copied);
    expect((await done("validate", at("wide.tif"))).ok).toBe(true);
  });

  it("keeps the compression and predictor of the input, and cuts to single tiles without overviews", async () => {
    const input = await cog("lzw.tif", "--compress", "lzw", "--predictor", "2");
    const by = writeRegion("region.geojson");
    const { summary, warnings } = await done(
      ...["clip", input, at("wide.tif"), "--by", by, "--crop", "tiles", "--overviews", "none"],
    );
    expect(warnings!.join()).not.toContain("copied");
    expect(summary.tilesCopied).toBeGreaterThan(20);
    expect(summary.window).toEqual([128, 128, 1280, 1152]);
    const info = await opened(at("wide.tif"), async (source) => source.info);
    expect(info).toMatchObject({ compression: "LZW", predictor: 2, blockSize: [128, 128] });
  });

  it("says why nothing was copied, and gives the pixels all the same", async () => {
    const by = writeRegion("region.geojson");
    const { summary, warnings } = await done(
      ...["clip", shared(...LAND_USE), at("strips.tif"), "--by", by, "--crop", "tiles"],
    );
    expect(summary.tilesCopied).toBe(0);
    expect(warnings!.join()).toMatch(/no tile was copied.*strips/);
    const input = await cog("input.tif");
    const other = await done(
      ...["clip", input, at("zip.tif"), "--by", by, "--crop", "tiles", "--compress", "none"],
    );
    expect(other.warnings!.join()).toMatch(/compressed by DEFLATE, the output by NONE/);
    expect(other.summary.pixelsInside).toBe(summary.pixelsInside);
  });

  describeGdal(withGdal("next to gdalwarp -cutline"), () => {
    it("is the same pixel for pixel on the window of tiles", async () => {
      const input = await cog("input.tif");
      const by = writeRegion("region.geojson");
      const { summary } = await done("clip", input, at("wide.tif"), "--by", by, "--crop", "tiles");
      const [a, , c, , e, f] = (await all(at("wide.tif"))).transform;
      const extent = [c, f + summary.height * e, c + summary.width * a, f].map(String);
      gdal("gdalwarp", ...["-q", "-overwrite", "-cutline", by, "-te", ...extent], input, at("theirs.tif"));
      expect(checksums(at("wide.tif"))).toEqual(checksums(at("theirs.tif")));
    });
  });
});

describe("clip of a raster on the command line", () => {
  /** 40 x 30 pixels of 10 m, whole numbers without nodata, with colours. */
  const source = async (): Promise<string> => {
    const { writeRaster } = await import("../../src/io/open.ts");
    const { memoryRaster } = await import("../../src/operators/memory-raster.ts");
    const grid = { width: 40, height: 30, transform: [10, 0, 0, 0, -10, 300] as Affine, crs: null };
    const data = Uint8Array.from({ length: 1200 }, (_, i) => i % 4);
    const colorTable = [0, 1, 2, 3].map((k) => [60 * k, 80, 90, 255] as const);
    const bands = [{ type: "uint8" as const, colorTable, description: "classes" }];
    await writeRaster(at("made.tif"), memoryRaster(grid, bands, [data], { metadata: { season: "rabi" } }), {
      overwrite: true,
    });
    return at("made.tif");
  };

  it("gives whole numbers without nodata a mask, or the fill that is asked for; colours and metadata stay", async () => {
    const input = await source();
    const box = ["--bbox", "14,101,86,199"];
    const masked = await done("clip", input, at("masked.tif"), ...box);
    expect(masked.summary.window).toEqual([1, 10, 8, 10]);
    // Centres of columns 1 to 8 at 15 to 85, of rows 10 to 19 at 195 to 105.
    expect(masked.summary.pixelsInside).toBe(80);
    await opened(at("masked.tif"), async ({ bands, metadata, hasMask }) => {
      expect(hasMask).toBe(true);
      expect(bands[0]!.nodata).toBeNull();
      expect(bands[0]!.description).toBe("classes");
      expect(bands[0]!.colorTable!.slice(0, 4).map((color) => color[0])).toEqual([0, 60, 120, 180]);
      expect(metadata["season"]).toBe("rabi");
    });
    await done("clip", input, at("filled.tif"), ...box, "--no-crop", "--fill", "9");
    const { bands, mask, nodata } = await all(at("filled.tif"));
    expect([mask, nodata]).toEqual([null, 9]);
    expect([...(bands[0] as Uint8Array)].filter((value) => value !== 9)).toHaveLength(80);
  });

  it("gives one pixel for a region smaller than one, and says that nothing is inside", async () => {
    const { summary, warnings } = await done(
      ...["clip", await source(), at("one.tif"), "--bbox", "111,111,112,112"],
    );
    expect(summary).toMatchObject({ width: 1, height: 1, pixelsInside: 0, noCenterInside: true });
    expect(warnings!.join()).toContain("all-touched");
    const touched = await done(
      ...["clip", await source(), at("one.tif"), "--bbox", "111,111,112,112", "--pixels", "all-touched"],
    );
    expect(touched.summary).toMatchObject({ width: 1, height: 1, pixelsInside: 1, noCenterInside: false });
  });

  it("refuses what contradicts itself", async () => {
    const argv = ["clip", await source(), at("no.tif"), "--bbox", "0,0,90,90"];
    expect((await callJson([...argv, "--no-crop", "--crop", "tiles"])).status).toBe(2);
    expect((await callJson([...argv, "--crop", "some"])).status).toBe(2);
    expect((await callJson([...argv, "--fill", "300"])).json.error).toMatchObject({ code: "INVALID_INPUT" });
  });
});
