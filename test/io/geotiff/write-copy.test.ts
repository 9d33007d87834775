import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import { canZstd } from "../../../src/io/codecs/zstd-encode.ts";
import { type GeoTiffSource, openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { validateCog } from "../../../src/io/geotiff/validate-cog.ts";
import { type CogOptions, type WriteResult, writeGeoTiff } from "../../../src/io/geotiff/write.ts";
import { storedLike } from "../../../src/io/geotiff/write-copy.ts";
import type { Window } from "../../../src/model/grid.ts";
import { makeBand, type RasterSource, type SampleType } from "../../../src/model/raster.ts";
import { bytesOf, type PixelsOptions, pixels, scratch, terrain } from "./write-helpers.ts";

const at = scratch();
const SIDE = 64;

/** 5 x 4 tiles and a bit more at the right and lower edge. */
const WIDTH = 5 * SIDE + 20;
const HEIGHT = 4 * SIDE + 9;

/** A file to copy from, and its source. */
async function stored(
  name: string,
  type: SampleType,
  options: CogOptions,
  more: Partial<PixelsOptions> & { count?: number } = {},
): Promise<GeoTiffSource> {
  const arrays = Array.from({ length: more.count ?? 1 }, (_, seed) => terrain(type, WIDTH, HEIGHT, seed + 1));
  const source = pixels(arrays, { type, width: WIDTH, height: HEIGHT, ...more });
  await writeGeoTiff(at(name), source, { blocksize: SIDE, overwrite: true, ...options });
  return await openGeoTiff(await openBytes(at(name)));
}

/**
 * The window of a source in which only whole tiles of `kept` (columns and rows of tiles, from the window's corner) are what
 * they were; in the others the first pixel of each row is 1.
 */
function view(
  source: GeoTiffSource,
  window: Window,
  kept: (col: number, row: number) => boolean,
): RasterSource {
  const [a, , c, , e, f] = source.grid.transform;
  const unchanged = ({ col, row, width, height }: Window): boolean => {
    for (let y = Math.floor(row / SIDE); y * SIDE < row + height; y++)
      for (let x = Math.floor(col / SIDE); x * SIDE < col + width; x++) if (!kept(x, y)) return false;
    return true;
  };
  return {
    url: "view",
    grid: {
      width: window.width,
      height: window.height,
      transform: [a, 0, c + a * window.col, 0, e, f + e * window.row],
      crs: source.grid.crs,
    },
    bands: source.bands.map((band) => makeBand({ type: band.type, nodata: band.nodata })),
    tile: source.tile,
    hasMask: source.hasMask,
    metadata: {},
    origin: { source, col: window.col, row: window.row, unchanged },
    async read(wanted) {
      const block = await source.read({
        ...wanted,
        col: wanted.col + window.col,
        row: wanted.row + window.row,
      });
      if (!unchanged(wanted)) {
        for (const band of block.bands)
          for (let i = 0; i < band.length; i += wanted.width)
            band[i] = typeof band[0] === "bigint" ? 1n : (1 as never);
      }
      return { ...block, window: wanted };
    },
    close: () => Promise.resolve(),
  };
}

/** Everything that a reader sees of a file: samples and masks of all levels, statistics. */
async function seen(path: string): Promise<{ valid: boolean; levels: unknown; metadata: unknown }> {
  const source = await openGeoTiff(await openBytes(path));
  const levels = [source, ...source.info.overviews.map((_, k) => source.overview(k))];
  const read = await Promise.all(
    levels.map(async ({ grid: { width, height }, read }, k) => {
      const { bands, mask } = await read.call(levels[k]!, { col: 0, row: 0, width, height });
      return { width, height, bands: bands.map((band) => bytesOf(band).toString("base64")), mask };
    }),
  );
  const { metadata } = source.bands[0]!;
  await source.close();
  return { levels: read, metadata, valid: (await validateCog(memoryBytes(readFileSync(path)))).valid };
}

/** Write a view with and without copying. Both must look the same; gives what the first did. */
async function both(source: RasterSource, options: CogOptions): Promise<WriteResult> {
  const all = { blocksize: SIDE, overwrite: true, ...options };
  const result = await writeGeoTiff(at("copied.tif"), source, all);
  await writeGeoTiff(at("encoded.tif"), { ...source, origin: undefined }, all);
  const copied = await seen(at("copied.tif"));
  expect(copied.valid).toBe(true);
  expect(copied).toEqual(await seen(at("encoded.tif")));
  return result;
}

const WINDOW: Window = { col: 2 * SIDE, row: 2 * SIDE, width: WIDTH - 2 * SIDE, height: HEIGHT - 2 * SIDE };
/** All but the second tile of the first row. */
const ALL_BUT_ONE = (col: number, row: number): boolean => col !== 1 || row !== 0;

it.each<[string, SampleType, CogOptions, (Partial<PixelsOptions> & { count?: number })?]>([
  ["bytes", "uint8", { predictor: "none" }],
  ["bytes with nodata", "uint8", { predictor: 2 }, { nodata: 3 }],
  ["16 bits and differences", "int16", { predictor: 2 }],
  ["floats and byte planes", "float32", { predictor: 3 }, { nodata: -9999 }],
  ["doubles", "float64", { predictor: "none" }],
  ["three bands", "uint16", { predictor: 2 }, { count: 3 }],
  ["LZW", "uint8", { compress: "lzw", predictor: "none" }],
  ["no compression", "int32", { compress: "none" }],
  ["complex samples", "complex64", {}],
  ...(canZstd()
    ? [["Zstandard", "uint8", { compress: "zstd", predictor: "none" }] as [string, SampleType, CogOptions]]
    : []),
])(
  "copies unchanged tiles of %s to the byte, and readers see no difference",
  async (_, type, options, more) => {
    const source = await stored("from.tif", type, options, more);
    const result = await both(view(source, WINDOW, ALL_BUT_ONE), options);
    expect(result.copyObstacle).toBeNull();
    const written = await openGeoTiff(await openBytes(at("copied.tif")));
    const same: string[] = [];
    for (let row = 0; row < 3; row++) {
      for (let col = 0; col < 4; col++) {
        const [ours, theirs] = await Promise.all([
          written.tileBytes(0, 0, col, row),
          source.tileBytes(0, 0, col + 2, row + 2),
        ]);
        if (Buffer.compare(ours!, theirs!) === 0) same.push(`${col},${row}`);
      }
    }
    expect(same).toHaveLength(11);
    expect(same).not.toContain("1,0");
    // 11 of the full resolution, and those overviews whose four tiles are unchanged, up to the corner's alignment.
    expect(result.copiedTiles).toBeGreaterThan(11);
    await written.close();
    await source.close();
  },
);

it("copies masks' image tiles and writes the masks themselves", async () => {
  const mask = new Uint8Array(WIDTH * HEIGHT).map((_, i) => (i % 7 === 0 || i % WIDTH > 200 ? 0 : 255));
  const source = await stored("masked.tif", "uint8", {}, { mask });
  const result = await both(view(source, WINDOW, ALL_BUT_ONE), {});
  expect(result.copiedTiles).toBeGreaterThanOrEqual(11);
  await source.close();
});

it("makes overviews anew when those of the file were made in another way", async () => {
  const source = await stored("average.tif", "uint8", { overviewResampling: "average" });
  const all = { predictor: "none", classes: true } as const;
  const nearest = await both(
    view(source, WINDOW, () => true),
    { ...all, overviewResampling: "nearest" },
  );
  expect(nearest.copiedTiles).toBe(12);
  const average = await both(
    view(source, WINDOW, () => true),
    { ...all, overviewResampling: "average" },
  );
  expect(average.copiedTiles).toBeGreaterThan(12);
  await source.close();
});

it("copies no overview that starts between tiles of the file's overviews", async () => {
  const source = await stored("odd.tif", "uint8", {});
  const window = { ...WINDOW, col: SIDE, width: WIDTH - SIDE };
  const result = await both(
    view(source, window, () => true),
    {},
  );
  expect(result.copiedTiles).toBe(5 * 3);
  await source.close();
});

it.each<[string, CogOptions, CogOptions, RegExp]>([
  ["another compression", { compress: "lzw" }, {}, /compressed by LZW, the output by DEFLATE/],
  ["another predictor", { predictor: 2 }, { predictor: "none" }, /has predictor 2, the output 1/],
  ["other tiles", {}, { blocksize: 128 }, /tiles of 64 x 64 pixels, the output of 128 x 128/],
])("encodes everything and says why: %s", async (_, from, to, why) => {
  const source = await stored("other.tif", "uint8", from);
  const result = await both(
    view(source, WINDOW, () => true),
    to,
  );
  expect(result.copiedTiles).toBe(0);
  expect(result.copyObstacle).toMatch(why);
  await source.close();
});

it("copies nothing for a view that starts between tiles", async () => {
  const source = await stored("between.tif", "uint8", {});
  const result = await both(
    view(source, { ...WINDOW, col: 100, width: 100 }, () => true),
    {},
  );
  expect(result.copiedTiles).toBe(0);
  expect(result.copyObstacle).toContain("does not start at a tile");
  await source.close();
});

it("leaves sources that say nothing of where they come from as they are", async () => {
  const source = await stored("plain.tif", "uint8", {});
  const result = await writeGeoTiff(at("again.tif"), source, { blocksize: SIDE });
  expect(result).toMatchObject({ copiedTiles: 0, copyObstacle: null });
  await source.close();
});

it("tells the options under which tiles of a file can be copied", async () => {
  const source = await stored("like.tif", "float32", { compress: "lzw", predictor: 3 });
  expect(storedLike(source)).toEqual({ blocksize: SIDE, compress: "lzw", predictor: 3 });
  await source.close();
});

it("gives the same bytes for any concurrency and memory", async () => {
  const source = await stored("steady.tif", "int16", { predictor: 2 });
  const hashes = new Set<string>();
  for (const concurrency of [1, 3, 16]) {
    for (const memory of [1, 2 ** 28]) {
      const { sha256 } = await writeGeoTiff(at("steady-copy.tif"), view(source, WINDOW, ALL_BUT_ONE), {
        ...{ blocksize: SIDE, overwrite: true, predictor: 2, concurrency, memory },
      });
      hashes.add(sha256);
    }
  }
  expect(hashes.size).toBe(1);
  await source.close();
});
