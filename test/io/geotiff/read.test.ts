import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runGeoTiff } from "../../../scripts/conformance/geotiff.ts";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import { type GeoTiffSource, openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import type { Window } from "../../../src/model/grid.ts";
import { gdalChecksum } from "../../helpers/gdal-checksum.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { basicTags, buildTiff, type RawImage, type RawTag } from "./tiff-builder.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function open(image: RawImage | RawImage[], options = {}): Promise<GeoTiffSource> {
  return await openGeoTiff(memoryBytes(buildTiff([image].flat(), options), "made.tif"));
}

function whole({ grid }: GeoTiffSource): Window {
  return { col: 0, row: 0, width: grid.width, height: grid.height };
}

async function firstBand(source: GeoTiffSource): Promise<number[]> {
  return Array.from((await source.read(whole(source))).bands[0]!, Number);
}

/** The same bytes, noting what is read. */
function recording(inner: ByteSource): ByteSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    url: inner.url,
    size: inner.size,
    close: () => inner.close(),
    reads,
    read(offset, length, signal) {
      reads.push([offset, length]);
      return inner.read(offset, length, signal);
    },
  };
}

describeShared("the GeoTIFF vectors", () => {
  test("are read as GDAL reads them", async () => {
    const openRaster = async (path: string): Promise<GeoTiffSource> => openGeoTiff(await openBytes(path));
    const entry = new URL("../../../src/io/open.ts", import.meta.url).pathname;
    const [result] = await runGeoTiff(shared("conformance/geotiff"), { openRaster }, entry);
    expect(result!.failures).toEqual([]);
    expect(result!.worst ?? 0).toBe(0); // JPEG too: the same arithmetic as the reference decoder
    for (const why of Object.keys(result!.notCoveredWhy))
      expect(why).toMatch(/^(LZMA|CCITT\w*|WEBP|JXL) compression, refused by name$/);
  });
});

/** What GDAL 3.6.2 reads: size and `gdalinfo -checksum` of each band, or that it fails. */
interface Witness {
  readonly fails?: boolean;
  readonly size: readonly [number, number];
  readonly bands: readonly { readonly type: string; readonly checksum: number }[];
}

describeShared("GDAL's own corner cases", () => {
  const folder = shared("data/nasty/tiff");
  const witnesses = JSON.parse(
    readFileSync(new URL("../../fixtures/nasty-tiff-checksums.json", import.meta.url), "utf8"),
  ) as Record<string, Witness>;
  const names = readdirSync(folder).filter((name) => name.endsWith(".tif"));

  test("all have a witness", () => {
    expect(names.filter((name) => witnesses[name] === undefined)).toEqual([]);
  });

  test.each(names)("%s", async (name) => {
    const witness = witnesses[name]!;
    const source = await openBytes(`${folder}/${name}`);
    try {
      const tiff = await openGeoTiff(source);
      const { width, height } = tiff.grid;
      // Sizes that GDAL refuses as a whole are asked for in part.
      const window =
        witness.fails === true
          ? { col: 0, row: 0, width: Math.min(width, 256), height: Math.min(height, 256) }
          : whole(tiff);
      const { bands } = await tiff.read(window);
      if (witness.fails === true) return;
      expect([width, height]).toEqual(witness.size);
      // GDAL 3.6 shows signed bytes as unsigned ones.
      const sums = bands.map((band) =>
        gdalChecksum(
          band instanceof Int8Array ? new Uint8Array(band.buffer, band.byteOffset, band.length) : band,
        ),
      );
      expect(sums).toEqual(witness.bands.map(({ checksum }) => checksum));
    } catch (error) {
      if (!isGeoError(error)) throw error;
      if (witness.fails !== true) {
        expect(error.code).toBe("UNSUPPORTED");
        expect(error.message).toMatch(
          /(LZMA|WEBP|JXL|NEXT|SGILOG|OJPEG|CCITT\w+) compression|CMYK images|L\*a\*b\*/,
        );
      }
    } finally {
      await source.close();
    }
  });
});

describe("windows", () => {
  const width = 53;
  const height = 41;
  const value = (band: number, col: number, row: number): number => (col * 7 + row * 13 + band * 101) & 255;

  /** The image above with three bands, in each way of cutting it. */
  function image(layout: "tiles" | "strips", planar: 1 | 2, compression: number): RawImage {
    const [w, h] = layout === "tiles" ? [16, 16] : [width, 7];
    const blocks: Uint8Array[] = [];
    for (const plane of planar === 1 ? [0] : [0, 1, 2]) {
      for (let top = 0; top < height; top += h) {
        for (let left = 0; left < width; left += w) {
          const rows = layout === "tiles" ? h : Math.min(h, height - top);
          const bands = planar === 1 ? [0, 1, 2] : [plane];
          const block = new Uint8Array(w * rows * bands.length);
          let i = 0;
          for (let row = top; row < top + rows; row++)
            for (let col = left; col < left + w; col++)
              for (const band of bands) block[i++] = value(band, col, row);
          blocks.push(compression === 8 ? deflateSync(block) : block);
        }
      }
    }
    const cut: RawTag[] =
      layout === "tiles"
        ? [
            [322, 3, [w]],
            [323, 3, [h]],
          ]
        : [[278, 3, [h]]];
    return {
      tags: [...basicTags(width, height, { bits: [8, 8, 8], compression, planar, photometric: 2 }), ...cut],
      blocks,
    };
  }

  const layouts = (["tiles", "strips"] as const).flatMap((layout) =>
    ([1, 2] as const).flatMap((planar) =>
      [1, 8].map((compression) => [layout, planar, compression] as const),
    ),
  );
  test.each(layouts)(
    "of %s, planar %i, compression %i hold the pixels of any bands",
    async (layout, planar, compression) => {
      const source = await open(image(layout, planar, compression));
      const span = (most: number): fc.Arbitrary<[number, number]> =>
        fc.tuple(fc.nat(most - 1), fc.nat(most - 1)).map(([a, b]) => [Math.min(a, b), Math.abs(a - b) + 1]);
      await fc.assert(
        fc.asyncProperty(
          span(width),
          span(height),
          fc.uniqueArray(fc.nat(2), { minLength: 1 }),
          async ([col, w], [row, h], bands) => {
            const block = await source.read({ col, row, width: w, height: h }, { bands });
            expect(block.mask).toBeNull();
            bands.forEach((band, k) => {
              const expected = Uint8Array.from({ length: w * h }, (_, i) =>
                value(band, col + (i % w), row + Math.floor(i / w)),
              );
              expect(Buffer.compare(block.bands[k] as Uint8Array, expected)).toBe(0);
            });
          },
        ),
        { numRuns: 60, seed: 11 },
      );
    },
  );

  test("read side by side give the same pixels", async () => {
    const source = await open(image("tiles", 1, 8));
    const windows = Array.from({ length: 30 }, (_, i) => ({ col: i, row: i, width: 20, height: 10 }));
    const blocks = await Promise.all(windows.map((window) => source.read(window)));
    for (const { window, bands } of blocks)
      expect(bands[1]![25]).toBe(value(1, window.col + 5, window.row + 1));
  });

  test("row by row decode each tile once, and neighbouring tiles come with one read", async () => {
    const counted = recording(memoryBytes(buildTiff([image("tiles", 1, 8)]), "made.tif"));
    const source = await openGeoTiff(counted);
    counted.reads.length = 0;
    for (let row = 0; row < 16; row++) await source.read({ col: 0, row, width, height: 1 });
    expect(counted.reads).toHaveLength(1);
  });

  test("outside the image, and bands that are not there, are errors of the caller", async () => {
    const source = await open(image("tiles", 1, 1));
    const inside = { col: 0, row: 0, width: 1, height: 1 };
    await expect(source.read({ ...inside, col: 53 })).rejects.toThrow(RangeError);
    await expect(source.read({ ...inside, width: 0 })).rejects.toThrow(RangeError);
    await expect(source.read({ ...inside, row: 0.5 })).rejects.toThrow(RangeError);
    await expect(source.read(inside, { bands: [3] })).rejects.toThrow(/band 3/);
  });

  test("stop when the signal fires", async () => {
    const source = await open(image("tiles", 1, 8));
    await expect(
      source.read(whole(source), { signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
  });

  test("never give a view of memory that is not theirs", async () => {
    const file = buildTiff([{ tags: basicTags(2, 1), blocks: [bytes(5, 6)] }]);
    const source = await openGeoTiff(memoryBytes(file, "made.tif"));
    const { bands } = await source.read(whole(source));
    (bands[0] as Uint8Array).fill(0);
    expect(await firstBand(source)).toEqual([5, 6]);
  });
});

describe("blocks", () => {
  test("that are not stored read as nodata, as near as the type can say it, or 0", async () => {
    const tags: RawTag[] = [...basicTags(4, 2), [278, 3, [1]]];
    expect(await firstBand(await open({ tags, blocks: [bytes(), bytes(1, 2, 3, 4)] }))).toEqual([
      0, 0, 0, 0, 1, 2, 3, 4,
    ]);
    for (const [text, fill] of [
      ["7", 7],
      ["-9999", 0],
      ["300", 255],
      ["nan", 0],
    ] as const) {
      const source = await open({ tags: [...tags, [42113, 2, text]], blocks: [bytes(), bytes(1, 2, 3, 4)] });
      expect(await firstBand(source)).toEqual([fill, fill, fill, fill, 1, 2, 3, 4]);
      expect(source.bands[0]!.nodata).toEqual(Number(text));
    }
  });

  test("of both byte orders and both sizes of offsets", async () => {
    for (const littleEndian of [true, false]) {
      for (const big of [false, true]) {
        const sample = littleEndian ? bytes(1, 2, 255, 0) : bytes(2, 1, 0, 255);
        const source = await open(
          { tags: basicTags(2, 1, { bits: [16] }), blocks: [sample] },
          { littleEndian, big },
        );
        expect(await firstBand(source)).toEqual([513, 255]);
        expect(source.info).toMatchObject({ littleEndian, bigTiff: big });
      }
    }
  });

  test("with bits in reverse", async () => {
    const source = await open({ tags: [...basicTags(2, 1), [266, 3, [2]]], blocks: [bytes(0x80, 0x03)] });
    expect(await firstBand(source)).toEqual([1, 0xc0]);
  });

  test("without byte counts, or with wrong ones, as libtiff takes them", async () => {
    const tags = basicTags(3, 2);
    expect(await firstBand(await open({ tags, blocks: [bytes(1, 2, 3, 4, 5, 6)], noCounts: true }))).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    const packed = deflateSync(bytes(1, 2, 3, 4, 5, 6));
    const deflated = basicTags(3, 2, { compression: 8 });
    expect(await firstBand(await open({ tags: deflated, blocks: [packed], noCounts: true }))).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  test("of a large uncompressed strip are read in part", async () => {
    const [width, height] = [1000, 900];
    const strip = Uint8Array.from({ length: width * height }, (_, i) => (i % width) ^ Math.floor(i / width));
    const counted = recording(
      memoryBytes(buildTiff([{ tags: basicTags(width, height), blocks: [strip] }]), "made.tif"),
    );
    const source = await openGeoTiff(counted);
    expect(source.info.blockSize).toEqual([1000, 900]);
    counted.reads.length = 0;
    const { bands } = await source.read({ col: 3, row: 500, width: 2, height: 2 });
    expect(Array.from(bands[0]!, Number)).toEqual(
      [3, 4, 3, 4].map((col, i) => (col ^ (500 + (i >> 1))) & 255),
    );
    expect(counted.reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(300_000);
  });

  test("come compressed for copying", async () => {
    const packed = deflateSync(bytes(1, 2));
    const source = await open({
      tags: [...basicTags(2, 2, { compression: 8 }), [278, 3, [1]]],
      blocks: [packed, bytes()],
    });
    expect(Buffer.compare((await source.tileBytes(0, 0, 0, 0))!, packed)).toBe(0);
    expect(await source.tileBytes(0, 0, 0, 1)).toBeNull();
    await expect(source.tileBytes(0, 0, 0, 2)).rejects.toThrow(RangeError);
    await expect(source.tileBytes(1, 0, 0, 0)).rejects.toThrow(RangeError);
  });

  test("that claim more than their bytes can hold are refused before anything is allocated", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const tags: RawTag[] = [...basicTags(30_000, 30_000, { compression: 8 }), [278, 3, [30_000]]];
    const source = await open({ tags, blocks: [deflateSync(bytes(1))] });
    await expect(source.read({ col: 0, row: 0, width: 10, height: 10 })).rejects.toMatchObject({
      code: "LIMIT",
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test("that the table does not list are refused", async () => {
    const source = await open({
      tags: [...basicTags(60_000, 60_000), [278, 3, [1]]],
      blocks: [new Uint8Array(60_000)],
    });
    await expect(source.read(whole(source))).rejects.toThrow(/60000 blocks, but it lists 1/);
  });

  test("in a compression that is not read are refused by name, after the header was shown", async () => {
    const source = await open({ tags: basicTags(1, 1, { compression: 34925 }), blocks: [bytes(1)] });
    expect(source.info.compression).toBe("LZMA");
    await expect(source.read(whole(source))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      details: { feature: "LZMA compression" },
    });
  });
});

describe("georeference", () => {
  const image = (...tags: RawTag[]): RawImage => ({
    tags: [...basicTags(2, 2), ...tags],
    blocks: [bytes(1, 2, 3, 4)],
  });
  const keys = (rasterType: number): RawTag => [
    34735,
    3,
    [1, 1, 0, 2, 1024, 0, 1, 2, 1025, 0, 1, rasterType],
  ];

  test("is that of pixel corners, also when the file speaks of pixel centres", async () => {
    const scale: RawTag = [33550, 12, [10, 20, 0]];
    const tie: RawTag = [33922, 12, [0, 0, 0, 100, 200, 0]];
    expect((await open(image(scale, tie, keys(1)))).grid.transform).toEqual([10, 0, 100, 0, -20, 200]);
    const point = await open(image(scale, tie, keys(2)));
    expect(point.grid.transform).toEqual([10, 0, 95, 0, -20, 210]);
    expect(point.info.areaOrPoint).toBe("Point");
    const inside: RawTag = [33922, 12, [1, 1, 0, 100, 200, 0]];
    expect((await open(image(scale, inside))).grid.transform).toEqual([10, 0, 90, 0, -20, 220]);
  });

  test("may be a matrix: rotated, south-up", async () => {
    const matrix: RawTag = [34264, 12, [1, 2, 0, 100, 3, 4, 0, 200, 0, 0, 0, 0, 0, 0, 0, 1]];
    expect((await open(image(matrix))).grid.transform).toEqual([1, 2, 100, 3, 4, 200]);
    expect((await open(image(matrix, keys(2)))).grid.transform).toEqual([1, 2, 98.5, 3, 4, 196.5]);
  });

  test("may be control points, or nothing", async () => {
    const tie: RawTag = [33922, 12, [0, 0, 0, 77, 13, 0, 2, 0, 0, 78, 13, 5]];
    const source = await open(image(tie));
    expect(source.grid.transform).toEqual([1, 0, 0, 0, 1, 0]);
    expect(source.info.gcps).toEqual([
      { col: 0, row: 0, x: 77, y: 13, z: 0 },
      { col: 2, row: 0, x: 78, y: 13, z: 5 },
    ]);
    expect((await open(image(tie, keys(2)))).info.gcps[0]).toMatchObject({ col: 0.5, row: 0.5 });
    expect((await open(image())).grid).toMatchObject({ transform: [1, 0, 0, 0, 1, 0], crs: null });
  });
});

describe("metadata", () => {
  test("of bands and of the whole", async () => {
    const xml = `<GDALMetadata>
      <Item name="DATE">2019-06-15</Item>
      <Item name="AUTHOR">M&amp;amp;N &lt;x&gt; &#233;</Item>
      <Item name="OFFSET" sample="1" role="offset">-0.5</Item>
      <Item name="SCALE" sample="1" role="scale">0.0002</Item>
      <Item name="DESCRIPTION" sample="0" role="description">B02</Item>
      <Item name="UNITTYPE" sample="0" role="unittype">m</Item>
      <Item name="STATISTICS_MEAN" sample="0">12.5</Item>
      <Item name="RPC" domain="RPC">1</Item><Item name="EMPTY"/>
    </GDALMetadata>`;
    const source = await open({
      tags: [...basicTags(1, 1, { bits: [8, 8] }), [42112, 2, xml]],
      blocks: [bytes(1, 2)],
    });
    expect(source.metadata).toEqual({ DATE: "2019-06-15", AUTHOR: "M&N <x> é", EMPTY: "" });
    expect(source.bands[0]).toMatchObject({
      description: "B02",
      unit: "m",
      scale: 1,
      metadata: { STATISTICS_MEAN: "12.5" },
    });
    expect(source.bands[1]).toMatchObject({ description: "", scale: 0.0002, offset: -0.5, metadata: {} });
    expect(source.info.domains).toEqual({ RPC: { RPC: "1" } });
  });

  test.each([
    ["-9999", 16, 2, -9999],
    [" 3.5 ", 32, 3, 3.5],
    ["nan", 32, 3, Number.NaN],
    ["-nan", 8, 1, Number.NaN],
    ["-1.#IND", 32, 3, Number.NaN],
    ["-inf", 32, 3, -Infinity],
    ["1.#INF", 32, 3, Infinity],
    ["3.40282347e+38", 32, 3, 3.4028234663852886e38],
    ["-3.4028235e+38", 32, 3, -3.4028234663852886e38],
    ["-9999.9", 32, 3, Math.fround(-9999.9)],
    ["-9999.9", 64, 3, -9999.9],
    ["1e10", 8, 1, 1e10],
    ["9223372036854775807", 64, 2, 9223372036854775807n],
    ["18446744073709551615", 64, 1, 18446744073709551615n],
    ["-1", 64, 1, -1],
    ["", 8, 1, null],
    ["none", 8, 1, null],
  ])("nodata %s of %i bits, format %i", async (text, bits, format, expected) => {
    const tags: RawTag[] = [...basicTags(1, 1, { bits: [bits] }), [339, 3, [format]], [42113, 2, text]];
    const source = await open({ tags, blocks: [new Uint8Array(bits / 8)] });
    expect(source.bands[0]!.nodata).toBe(expected);
  });

  test("colours of palettes, of 1-bit images and where 0 is white", async () => {
    const map = Array.from({ length: 48 }, (_, i) => (i % 16) * 0x1111);
    const palette = await open({
      tags: [...basicTags(2, 1, { bits: [4], photometric: 3 }), [320, 3, map]],
      blocks: [bytes(0x5f)],
    });
    expect(palette.bands[0]!.colorTable!.slice(0, 2)).toEqual([
      [0, 0, 0, 255],
      [17, 17, 17, 255],
    ]);
    expect(palette.bands[0]!.colorInterpretation).toBe("palette");
    expect(await firstBand(palette)).toEqual([5, 15]);
    const inverted = await open({
      tags: basicTags(8, 1, { bits: [1], photometric: 0 }),
      blocks: [bytes(0xa0)],
    });
    expect(inverted.bands[0]!.colorTable).toEqual([
      [255, 255, 255, 255],
      [0, 0, 0, 255],
    ]);
    expect(await firstBand(inverted)).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
  });

  test("of alpha bands", async () => {
    const tags: RawTag[] = [...basicTags(1, 1, { bits: [8, 8, 8, 8], photometric: 2 }), [338, 3, [2]]];
    const source = await open({ tags, blocks: [bytes(1, 2, 3, 255)] });
    expect(source.bands.map(({ colorInterpretation }) => colorInterpretation)).toEqual([
      "red",
      "green",
      "blue",
      "alpha",
    ]);
    expect(source.info.mask).toBe("alpha");
    expect(source.hasMask).toBe(false);
  });
});

describe("files of several images", () => {
  const main: RawImage = {
    tags: [...basicTags(4, 2), [33550, 12, [1, 1, 0]], [33922, 12, [0, 0, 0, 10, 20, 0]]],
    blocks: [bytes(1, 2, 3, 4, 5, 6, 7, 8)],
  };
  const overview: RawImage = { tags: [[254, 4, [1]], ...basicTags(2, 1)], blocks: [bytes(9, 8)] };
  const mask: RawImage = {
    tags: [[254, 4, [4]], ...basicTags(4, 2, { bits: [1], photometric: 4 })],
    blocks: [bytes(0b1010_0000, 0b0110_0000)],
  };
  const overviewMask: RawImage = {
    tags: [[254, 4, [5]], ...basicTags(2, 1, { photometric: 4 })],
    blocks: [bytes(0, 3)],
  };
  const page: RawImage = { tags: basicTags(1, 1), blocks: [bytes(42)] };

  test("have overviews on request, masks as validity, and pages", async () => {
    const source = await open([main, mask, overview, overviewMask, page]);
    expect(source.info).toMatchObject({ overviews: [[2, 1]], mask: "per_dataset", imageCount: 2 });
    const block = await source.read(whole(source));
    expect(block.bands[0]).toEqual(bytes(1, 2, 3, 4, 5, 6, 7, 8));
    expect(block.mask).toEqual(bytes(255, 0, 255, 0, 0, 255, 255, 0));
    const small = source.overview(0);
    expect(small.grid).toMatchObject({ width: 2, height: 1, transform: [2, 0, 10, 0, -2, 20] });
    const read = await small.read(whole(small));
    expect(read.bands[0]).toEqual(bytes(9, 8));
    expect(read.mask).toEqual(bytes(0, 255));
    expect(await firstBand(source.page(1))).toEqual([42]);
    expect(() => source.overview(1)).toThrow(RangeError);
    expect(() => source.page(2)).toThrow(RangeError);
  });

  test("go on without an overview or a mask that does not fit", async () => {
    const odd: RawImage = {
      tags: [[254, 4, [1]], ...basicTags(2, 1, { bits: [8, 8] })],
      blocks: [bytes(1, 2, 3, 4)],
    };
    const source = await open([main, odd, overviewMask]);
    expect(source.info).toMatchObject({ overviews: [], mask: "all_valid" });
    expect(source.warnings).toHaveLength(2);
  });
});

describe("headers", () => {
  const say = async (file: Uint8Array): Promise<string> => {
    try {
      await openGeoTiff(memoryBytes(file, "odd.tif"));
      return "opened";
    } catch (error) {
      if (!isGeoError(error)) throw error;
      expect(error.hint).toBeDefined();
      return `${error.code}: ${error.message}`;
    }
  };
  const good = buildTiff([{ tags: basicTags(1, 1), blocks: [bytes(1)] }]);

  test("name the file, what was found and what was expected", async () => {
    expect(await say(bytes())).toBe(
      "INVALID_FORMAT: odd.tif is not a TIFF: it has 0 bytes, a header alone needs 8",
    );
    expect(await say(bytes(1, 2, 3, 4, 5, 6, 7, 8))).toMatch(/does not start with "II" or "MM"/);
    const version = Uint8Array.from(good);
    version[2] = 44;
    expect(await say(version)).toMatch(/its version is 44, expected 42 or 43/);
    const far = Uint8Array.from(good);
    far[7] = 1;
    expect(await say(far)).toMatch(/directory should be at byte 167\d+, but it has \d+ bytes/);
    expect(await say(buildTiff([{ tags: basicTags(0, 1), blocks: [bytes(1)] }]))).toMatch(/its width is 0/);
    expect(await say(buildTiff([{ tags: basicTags(1, 1, { bits: [77] }), blocks: [bytes(1)] }]))).toMatch(
      /UNSUPPORTED.*77-bit/,
    );
    expect(await say(buildTiff([{ tags: basicTags(1, 1, { bits: [8, 16] }), blocks: [bytes(1)] }]))).toMatch(
      /different sample types/,
    );
  });

  test("that go round in a circle end", async () => {
    const file = Uint8Array.from(good);
    const view = new DataView(file.buffer);
    view.setUint32(file.length - 4, view.getUint32(4, true), true);
    const source = await openGeoTiff(memoryBytes(file, "odd.tif"));
    expect(source.warnings).toEqual([expect.stringMatching(/linked twice/)]);
  });
});

describeShared("a COG", () => {
  test("opens with few reads: what the header needs, nothing of the pixels", async () => {
    const counted = recording(await openBytes(shared("conformance/geotiff/files/cog_deflate.tif")));
    const source = await openGeoTiff(counted);
    expect(counted.reads.length).toBeLessThanOrEqual(2);
    expect(source.info).toMatchObject({
      layout: "COG",
      tiled: true,
      overviews: [
        [350, 265],
        [175, 132],
        [87, 66],
      ],
    });
    expect(source.info.structure).toMatchObject({ LAYOUT: "IFDS_BEFORE_DATA", BLOCK_ORDER: "ROW_MAJOR" });
    counted.reads.length = 0;
    await source.read({ col: 0, row: 0, width: 128, height: 128 });
    expect(counted.reads.length).toBeLessThanOrEqual(2);
    await source.close();
  });
});
