import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import { canZstd } from "../../../src/io/codecs/zstd-encode.ts";
import { openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { type CogReport, validateCog } from "../../../src/io/geotiff/validate-cog.ts";
import { type CogOptions, writeGeoTiff } from "../../../src/io/geotiff/write.ts";
import { isComplex, isFloat, SAMPLE_BYTES, type SampleType, sampleArray } from "../../../src/model/raster.ts";
import {
  bytesOf,
  GDAL_PYTHON,
  gdalFacts,
  gdalInfo,
  gdalOverviews,
  HAS_GDAL,
  type PixelsOptions,
  pixels,
  randoms,
  scratch,
  terrain,
} from "./write-helpers.ts";

const at = scratch();
const gdal = HAS_GDAL ? describe : describe.skip;
const gdalNote = HAS_GDAL ? "" : " [skipped: gdalinfo is not on PATH]";

/** Write, open with our own reader, and hand back every pixel. */
async function readBack(path: string): Promise<{ bands: Buffer[]; mask: Uint8Array | null }> {
  const source = await openGeoTiff(await openBytes(path));
  try {
    const { width, height } = source.grid;
    const block = await source.read({ col: 0, row: 0, width, height });
    return { bands: block.bands.map(bytesOf), mask: block.mask };
  } finally {
    await source.close();
  }
}

async function check(path: string): Promise<CogReport> {
  const bytes = await openBytes(path);
  try {
    return await validateCog(bytes);
  } finally {
    await bytes.close();
  }
}

function blobs(width: number, height: number): Uint8Array {
  return new Uint8Array(width * height).map((_, i) =>
    (((i % width) >> 4) + ((i / width) >> 5)) % 3 === 0 ? 0 : 255,
  );
}

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const TYPES = Object.keys(SAMPLE_BYTES) as SampleType[];

interface Case {
  readonly name: string;
  readonly path: string;
  readonly arrays: ReturnType<typeof terrain>[];
  readonly source: PixelsOptions;
  readonly options: CogOptions;
}

/** Every type with every compression and predictor it allows; bands, mask, nodata and size go round. */
function matrix(): Case[] {
  const sizes = [
    [1, 1],
    [127, 129],
    [128, 128],
    [300, 170],
  ] as const;
  const cases: Case[] = [];
  for (const type of TYPES) {
    for (const compress of canZstd()
      ? (["none", "lzw", "deflate", "zstd"] as const)
      : (["none", "lzw", "deflate"] as const)) {
      const float = isFloat(type) && !isComplex(type);
      const predictors =
        compress === "none" || isComplex(type) ? ["none"] : float ? ["none", 2, 3] : ["none", 2];
      for (const predictor of predictors as ("none" | 2 | 3)[]) {
        const n = cases.length;
        const [width, height] = sizes[n % sizes.length]!;
        const bands = 1 + (n % 3);
        const masked = n % 4 === 1;
        const nodata = masked || n % 2 === 0 || isComplex(type) ? null : 7;
        cases.push({
          name: `${type} ${compress} predictor ${predictor}, ${bands} bands, ${width} x ${height}${masked ? ", mask" : ""}${nodata === null ? "" : ", nodata"}`,
          path: at(`matrix-${n}.tif`),
          arrays: Array.from({ length: bands }, (_, b) => terrain(type, width, height, n + b)),
          source: { type, width, height, nodata, mask: masked ? blobs(width, height) : null },
          options: { blocksize: 128, compress, predictor },
        });
      }
    }
  }
  return cases;
}

describe("writeGeoTiff", () => {
  const cases = matrix();

  it.each(cases)("reads back every pixel: $name", async ({ path, arrays, source, options }) => {
    const result = await writeGeoTiff(path, pixels(arrays, source), options);
    const { bands, mask } = await readBack(path);
    expect(bands.map(sha)).toEqual(arrays.map(bytesOf).map(sha));
    expect(mask).toEqual(source.mask ?? null);
    const report = await check(path);
    expect(report.problems).toEqual([]);
    expect(report.overviews).toEqual(result.overviews);
    expect(result.bytes).toBe(statSync(path).size);
    expect(result.sha256).toBe(sha(readFileSync(path)));
  });

  it.runIf(GDAL_PYTHON !== null)(
    "GDAL reads every pixel of the same files and finds nothing to complain of",
    () => {
      const facts = gdalFacts(
        GDAL_PYTHON!,
        cases.map(({ path }) => path),
      );
      for (const { name, path, arrays, source } of cases) {
        const { problems, levels } = facts[path]!;
        // GDAL 3.6 recommends overviews from 512 pixels on; these are smaller.
        expect(problems, name).toEqual([]);
        expect(levels[0]!.bands, name).toEqual(arrays.map(bytesOf).map(sha));
        if (source.mask) expect(levels[0]!.mask, name).toBe(sha(source.mask));
      }
    },
  );

  describe.each([
    [1, 1],
    [511, 511],
    [512, 512],
    [513, 513],
    [1300, 700],
    [2049, 3],
  ])("with the usual tiles of 512, an image of %d x %d", (width, height) => {
    const path = at(`size-${width}-${height}.tif`);
    const arrays = [terrain("int16", width, height, 3)];
    const mask = blobs(width, height);

    it("has tiles, and overviews until both sides fit in one", async () => {
      const { overviews, tiles } = await writeGeoTiff(
        path,
        pixels(arrays, { type: "int16", width, height, mask }),
      );
      const expected: [number, number][] = [];
      let [w, h] = [width, height];
      while (w > 512 || h > 512) {
        [w, h] = [Math.ceil(w / 2), Math.ceil(h / 2)];
        expected.push([w, h]);
      }
      expect(overviews).toEqual(expected);
      const count = (w: number, h: number): number => Math.ceil(w / 512) * Math.ceil(h / 512);
      expect(tiles).toBe([[width, height], ...expected].reduce((sum, [w, h]) => sum + count(w!, h!), 0));
      expect((await check(path)).problems).toEqual([]);
      const read = await readBack(path);
      expect(read.bands.map(sha)).toEqual([sha(bytesOf(arrays[0]!))]);
      expect(sha(read.mask!)).toBe(sha(mask));
    });

    it.runIf(GDAL_PYTHON !== null)("satisfies GDAL", () => {
      const { problems, levels } = gdalFacts(GDAL_PYTHON!, [path])[path]!;
      expect(problems).toEqual([]);
      expect(levels[0]!.bands).toEqual([sha(bytesOf(arrays[0]!))]);
      expect(levels[0]!.mask).toBe(sha(mask));
    });
  });

  it("gives the same bytes whatever the concurrency and however the source is cut", async () => {
    const width = 900;
    const height = 700;
    const arrays = [terrain("uint16", width, height, 1), terrain("uint16", width, height, 2)];
    const mask = blobs(width, height);
    const options = { type: "uint16", width, height, mask, nodata: 7 } as const;
    const hashes = new Set<string>();
    for (const [concurrency, memory, tile] of [
      [1, undefined, { width: 128, height: 128 }],
      [8, undefined, { width: 128, height: 128 }],
      [8, undefined, { width, height: 1 }],
      [3, 1000, { width: 200, height: 200 }],
    ] as const) {
      const result = await writeGeoTiff(at("same.tif"), pixels(arrays, { ...options, tile }), {
        blocksize: 128,
        concurrency,
        memory,
        overwrite: true,
      });
      hashes.add(result.sha256);
    }
    expect(hashes.size).toBe(1);
  });

  it("spills to disk what does not fit in memory, and leaves nothing beside the output", async () => {
    const width = 2600;
    const height = 2100;
    const array = new Uint8Array(width * height);
    const next = randoms(5);
    for (let i = 0; i < array.length; i++) array[i] = next(); // noise: 5 MB compressed, more than stays in memory
    const path = at("spill/out.tif");
    await writeGeoTiff(path, pixels([array], { type: "uint8", width, height }), { memory: 2 ** 16 });
    expect(readdirSync(dirname(path))).toEqual(["out.tif"]);
    expect((await readBack(path)).bands.map(sha)).toEqual([sha(array)]);
    expect((await check(path)).problems).toEqual([]);
  });

  it("reads each pixel of the source once, tile by tile", async () => {
    const source = pixels([terrain("uint8", 300, 200, 1)], {
      type: "uint8",
      width: 300,
      height: 200,
      tile: { width: 64, height: 64 },
    });
    const reads: string[] = [];
    const watched = {
      ...source,
      read: (window: Parameters<typeof source.read>[0]) => {
        reads.push(`${window.col},${window.row} ${window.width}x${window.height}`);
        return source.read(window);
      },
    };
    await writeGeoTiff(at("reads.tif"), watched, { blocksize: 128 });
    expect(reads).toEqual([
      "0,0 128x128",
      "128,0 128x128",
      "256,0 44x128",
      "0,128 128x72",
      "128,128 128x72",
      "256,128 44x72",
    ]);
  });

  it("reads whole rows of tiles from a source in strips", async () => {
    const source = pixels([terrain("uint8", 300, 200, 1)], {
      type: "uint8",
      width: 300,
      height: 200,
      tile: { width: 300, height: 8 },
    });
    const reads: string[] = [];
    const watched = {
      ...source,
      read: (window: Parameters<typeof source.read>[0]) => {
        reads.push(`${window.col},${window.row} ${window.width}x${window.height}`);
        return source.read(window);
      },
    };
    await writeGeoTiff(at("strips.tif"), watched, { blocksize: 128 });
    expect(reads).toEqual(["0,0 300x128", "0,128 300x72"]);
  });

  it("tells how far it is", async () => {
    const seen: number[][] = [];
    await writeGeoTiff(
      at("progress.tif"),
      pixels([terrain("uint8", 200, 100, 1)], { type: "uint8", width: 200, height: 100 }),
      {
        blocksize: 128,
        onProgress: (done, total) => seen.push([done, total]),
      },
    );
    expect(seen).toEqual([
      [12800, 20000],
      [20000, 20000],
    ]);
  });

  it("reads back any small raster", async () => {
    const raster = fc.record({
      type: fc.constantFrom(...TYPES),
      width: fc.integer({ min: 1, max: 150 }),
      height: fc.integer({ min: 1, max: 150 }),
      bands: fc.integer({ min: 1, max: 4 }),
      masked: fc.boolean(),
      seed: fc.nat(1000),
      compress: fc.constantFrom("deflate" as const, "lzw" as const, "none" as const),
      sparse: fc.boolean(),
      bigtiff: fc.constantFrom("yes" as const, "auto" as const),
      blocksize: fc.constantFrom(64, 80, 128),
    });
    await fc.assert(
      fc.asyncProperty(raster, async ({ type, width, height, bands, masked, seed, ...options }) => {
        const arrays = Array.from({ length: bands }, (_, b) => terrain(type, width, height, seed + b));
        // A sparse file may forget masked pixels; here those that are masked are all 0.
        const mask = masked ? blobs(width, height) : null;
        const step = isComplex(type) ? 2 : 1;
        for (const array of mask === null ? [] : arrays) {
          for (let i = 0; i < array.length; i++) {
            if (mask![Math.floor(i / step)] === 0)
              array[i] = (typeof array[i] === "bigint" ? 0n : 0) as never;
          }
        }
        const path = at("property.tif");
        await writeGeoTiff(path, pixels(arrays, { type, width, height, mask }), {
          ...options,
          overwrite: true,
        });
        const read = await readBack(path);
        expect(read.bands.map(sha)).toEqual(arrays.map(bytesOf).map(sha));
        expect(read.mask).toEqual(mask);
        expect((await check(path)).problems).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("what a written file says about itself", () => {
  it("keeps names, scale, offset, unit, key-values and nodata", async () => {
    const path = at("facts.tif");
    const source = pixels([terrain("int16", 20, 10, 1), terrain("int16", 20, 10, 2)], {
      type: "int16",
      width: 20,
      height: 10,
      nodata: -32768,
      metadata: { TITLE: 'Fields + "rivers" <1>', YEAR: "2020", AREA_OR_POINT: "Point" },
      bands: [{ description: "réd", scale: 0.0001, offset: -5, unit: "m", metadata: { SENSOR: "MSI" } }, {}],
    });
    await writeGeoTiff(path, source, {
      metadata: { YEAR: null, BLOCK: "Angul" },
      bands: [undefined, { description: "nir" }],
    });
    const read = await openGeoTiff(await openBytes(path));
    expect(read.metadata).toEqual({ TITLE: 'Fields + "rivers" <1>', BLOCK: "Angul" });
    const [first, second] = read.bands;
    expect(first).toMatchObject({ description: "réd", scale: 0.0001, offset: -5, unit: "m", nodata: -32768 });
    expect(second).toMatchObject({ description: "nir", scale: 1, offset: 0, unit: "", nodata: -32768 });
    expect(read.info.areaOrPoint).toBe("Area");
    await read.close();
  });

  it("keeps the colour table of classes and takes the nearest pixel for their overviews", async () => {
    const path = at("palette.tif");
    const array = terrain("uint8", 300, 200, 4);
    const colorTable = [
      [0, 0, 0, 255],
      [10, 200, 30, 255],
      [255, 0, 128, 255],
    ] as const;
    const options: PixelsOptions = {
      type: "uint8",
      width: 300,
      height: 200,
      bands: [{ colorTable, colorInterpretation: "palette" }],
    };
    await writeGeoTiff(path, pixels([array], options), { blocksize: 128 });
    const read = await openGeoTiff(await openBytes(path));
    expect(read.bands[0]!.colorInterpretation).toBe("palette");
    expect(read.bands[0]!.colorTable!.slice(0, 3).map(([r, g, b]) => [r, g, b])).toEqual(
      colorTable.map(([r, g, b]) => [r, g, b]),
    );
    const overview = read.overview(0);
    const block = await overview.read({ col: 0, row: 0, width: 150, height: 100 });
    for (const [col, row] of [
      [0, 0],
      [149, 99],
      [70, 31],
    ] as const) {
      expect(block.bands[0]![row * 150 + col]).toBe(array[2 * row * 300 + 2 * col]);
    }
    await read.close();
  });

  it("marks colours and alpha, and makes alpha 0 where the mask was", async () => {
    const path = at("rgba.tif");
    const [width, height] = [40, 30];
    const mask = blobs(width, height);
    const alpha = new Uint8Array(width * height).fill(200);
    const bands = ["red", "green", "blue", "alpha"].map((colorInterpretation) => ({ colorInterpretation }));
    const colours = [1, 2, 3].map((seed) => terrain("uint8", width, height, seed));
    await writeGeoTiff(path, pixels([...colours, alpha], { type: "uint8", width, height, mask, bands }));
    const read = await openGeoTiff(await openBytes(path));
    expect(read.hasMask).toBe(false);
    expect(read.bands.map((band) => band.colorInterpretation)).toEqual(["red", "green", "blue", "alpha"]);
    const block = await read.read({ col: 0, row: 0, width, height });
    expect([...block.bands[3]!]).toEqual([...mask].map((value) => (value === 0 ? 0 : 200)));
    await read.close();
  });

  it("writes a scale and a tie point for north-up, a matrix for anything else, nothing for a raster without a place", async () => {
    const placed = async (transform: PixelsOptions["transform"], crs?: null): Promise<Set<number>> => {
      const path = at("transform.tif");
      const array = terrain("uint8", 4, 3, 1);
      await writeGeoTiff(path, pixels([array], { type: "uint8", width: 4, height: 3, transform, crs }), {
        overwrite: true,
      });
      const read = await openGeoTiff(await openBytes(path));
      expect(read.grid.transform).toEqual(transform);
      const tags = new Set(read.info.tags.keys());
      await read.close();
      return tags;
    };
    const geo = (tags: Set<number>): number[] => [33550, 33922, 34264, 34735].filter((tag) => tags.has(tag));
    expect(geo(await placed([10, 0, 5e5, 0, -10, 2e6]))).toEqual([33550, 33922, 34735]);
    expect(geo(await placed([10, 0, 5e5, 0, 10, 2e6]))).toEqual([34264, 34735]);
    expect(geo(await placed([10, 2, 5e5, -2, -10, 2e6]))).toEqual([34264, 34735]);
    expect(geo(await placed([1, 0, 0, 0, 1, 0], null))).toEqual([]);
  });

  it("counts statistics over the observed pixels only, exactly", async () => {
    const values = Int16Array.of(5, -3, -999, 8, 20000, 4);
    const mask = Uint8Array.of(255, 255, 255, 255, 0, 255);
    const source = pixels([values], { type: "int16", width: 3, height: 2, nodata: -999, mask });
    const { statistics } = await writeGeoTiff(at("stats.tif"), source);
    // 5, -3, 8, 4: mean 3.5, squared deviations 2.25 + 42.25 + 20.25 + 0.25 = 65
    expect(statistics).toEqual([
      { valid: 4, total: 6, min: -3, max: 8, mean: 3.5, stdev: Math.sqrt(65 / 4) },
    ]);
    const read = await openGeoTiff(await openBytes(at("stats.tif")));
    expect(read.bands[0]!.metadata).toEqual({
      STATISTICS_MAXIMUM: "8",
      STATISTICS_MEAN: "3.5",
      STATISTICS_MINIMUM: "-3",
      STATISTICS_STDDEV: String(Math.sqrt(65 / 4)),
      STATISTICS_VALID_PERCENT: "66.67",
    });
    await read.close();
  });

  it("keeps the digits of statistics under a large offset", async () => {
    const base = 1e9;
    const values = Float64Array.from({ length: 10_000 }, (_, i) => base + (i % 2 === 0 ? 0.25 : -0.25));
    const source = pixels([values], { type: "float64", width: 100, height: 100 });
    const { statistics } = await writeGeoTiff(at("offset.tif"), source);
    expect(statistics[0]).toMatchObject({ mean: base, stdev: 0.25, min: base - 0.25, max: base + 0.25 });
  });

  it("says only how much was observed when nothing was, and drops statistics of the source", async () => {
    const values = Float32Array.of(NaN, NaN);
    const source = pixels([values], {
      type: "float32",
      width: 2,
      height: 1,
      bands: [{ metadata: { STATISTICS_MEAN: "3" } }],
    });
    await writeGeoTiff(at("none.tif"), source);
    const read = await openGeoTiff(await openBytes(at("none.tif")));
    expect(read.bands[0]!.metadata).toEqual({ STATISTICS_VALID_PERCENT: "0" });
    await read.close();
    await writeGeoTiff(at("off.tif"), source, { statistics: false });
    const without = await openGeoTiff(await openBytes(at("off.tif")));
    expect(without.bands[0]!.metadata).toEqual({});
    await without.close();
  });

  it("uses 64-bit offsets when asked to", async () => {
    const array = terrain("uint8", 700, 600, 1);
    const { bigTiff } = await writeGeoTiff(
      at("big.tif"),
      pixels([array], { type: "uint8", width: 700, height: 600 }),
      { bigtiff: "yes" },
    );
    expect(bigTiff).toBe(true);
    expect([...readFileSync(at("big.tif")).subarray(0, 4)]).toEqual([0x49, 0x49, 43, 0]);
    expect((await readBack(at("big.tif"))).bands.map(sha)).toEqual([sha(array as Uint8Array)]);
  });
});

describe("sparse files", () => {
  const [width, height] = [300, 260];
  /** Nodata but for one tile of 64 x 64. */
  const array = new Uint8Array(width * height).fill(9);
  for (let y = 70; y < 120; y++) for (let x = 70; x < 120; x++) array[y * width + x] = (x * y) & 7;

  it("leaves out tiles that hold only nodata, and reads them back as nodata", async () => {
    const path = at("sparse.tif");
    const source = pixels([array], { type: "uint8", width, height, nodata: 9 });
    const result = await writeGeoTiff(path, source, { blocksize: 64, sparse: true });
    expect(result.sparseTiles).toBe(5 * 5 - 1 + (3 * 3 - 1) + (2 * 2 - 1) + 0);
    expect((await readBack(path)).bands.map(sha)).toEqual([sha(array)]);
    const report = await check(path);
    expect(report).toMatchObject({ problems: [], sparseTiles: result.sparseTiles });
    const dense = await writeGeoTiff(at("dense.tif"), source, { blocksize: 64 });
    expect(dense.sparseTiles).toBe(0);
  });

  it("leaves out tiles that are masked altogether", async () => {
    const path = at("sparse-mask.tif");
    const mask = new Uint8Array(width * height);
    for (let y = 80; y < 100; y++) mask.fill(255, y * width + 80, y * width + 110);
    const source = pixels([array], { type: "uint8", width, height, mask });
    const { sparseTiles } = await writeGeoTiff(path, source, { blocksize: 64, sparse: true });
    expect(sparseTiles).toBeGreaterThan(20);
    const read = await readBack(path);
    expect(read.mask).toEqual(mask);
    for (let i = 0; i < array.length; i++) if (mask[i] !== 0) expect(read.bands[0]![i]).toBe(array[i]);
    expect((await check(path)).problems).toEqual([]);
  });

  it.runIf(GDAL_PYTHON !== null)("GDAL reads both and finds nothing to complain of", () => {
    const facts = gdalFacts(GDAL_PYTHON!, [at("sparse.tif"), at("sparse-mask.tif")]);
    expect(Object.values(facts).flatMap(({ problems }) => problems)).toEqual([]);
    expect(facts[at("sparse.tif")]!.levels[0]!.bands).toEqual([sha(array)]);
  });
});

describe("overviews", () => {
  const overviewOf = async (
    type: SampleType,
    rows: readonly (readonly number[])[],
    options: Partial<PixelsOptions> & CogOptions,
  ): Promise<{ values: (number | bigint)[]; mask: number[] | null }> => {
    const path = at("overview.tif");
    const width = rows[0]!.length;
    const height = rows.length;
    const array = sampleArray(type, width * height);
    rows.flat().forEach((value, i) => {
      array[i] = (array instanceof BigInt64Array ? BigInt(value) : value) as never;
    });
    await writeGeoTiff(path, pixels([array], { type, width, height, ...options }), {
      blocksize: 64,
      overviews: 1,
      overwrite: true,
      ...options,
    });
    const read = await openGeoTiff(await openBytes(path));
    const overview = read.overview(0);
    const block = await overview.read({
      col: 0,
      row: 0,
      width: overview.grid.width,
      height: overview.grid.height,
    });
    await read.close();
    return { values: [...block.bands[0]!], mask: block.mask === null ? null : [...block.mask] };
  };

  it("average: mean of the observed pixels, whole numbers rounded half away from zero", async () => {
    const average = { overviewResampling: "average" } as const;
    expect(
      (
        await overviewOf(
          "uint8",
          [
            [1, 2, 9],
            [2, 1, 10],
          ],
          average,
        )
      ).values,
    ).toEqual([2, 10]);
    expect(
      (
        await overviewOf(
          "int16",
          [
            [-1, -2, 5],
            [-2, -1, 5],
          ],
          average,
        )
      ).values,
    ).toEqual([-2, 5]);
    expect(
      (
        await overviewOf(
          "float32",
          [
            [1, NaN, NaN],
            [2, 4.5, NaN],
          ],
          average,
        )
      ).values,
    ).toEqual([2.5, NaN]);
    expect(
      (
        await overviewOf(
          "int16",
          [
            [0, 8, 0],
            [0, 4, 0],
          ],
          { ...average, nodata: 0 },
        )
      ).values,
    ).toEqual([6, 0]);
    expect(
      (
        await overviewOf(
          "int64",
          [
            [-1, -2],
            [-2, -1],
          ],
          average,
        )
      ).values,
    ).toEqual([-2n]);
  });

  it("average: data never become nodata by chance", async () => {
    const average = { overviewResampling: "average" } as const;
    expect(
      (
        await overviewOf(
          "uint8",
          [
            [4, 6],
            [5, 5],
          ],
          { ...average, nodata: 5 },
        )
      ).values,
    ).toEqual([6]);
    expect(
      (
        await overviewOf(
          "uint8",
          [
            [5, 5],
            [5, 4],
          ],
          { ...average, nodata: 255 },
        )
      ).values,
    ).toEqual([5]);
    expect(
      (
        await overviewOf(
          "int16",
          [
            [-1, 1],
            [0, 0],
          ],
          { ...average, nodata: 0 },
        )
      ).values,
    ).toEqual([1]);
    const [near] = (
      await overviewOf(
        "float32",
        [
          [-1, 1],
          [0, 0],
        ],
        { ...average, nodata: 0 },
      )
    ).values;
    expect(near).toBe(2 ** -149);
  });

  it("mode: the most frequent observed pixel, the smallest of equals", async () => {
    const mode = { overviewResampling: "mode" } as const;
    const rows = [
      [3, 3, 1, 2, 9, 7],
      [1, 2, 2, 1, 8, 6],
    ];
    expect((await overviewOf("uint8", rows, mode)).values).toEqual([3, 1, 6]);
    expect((await overviewOf("uint8", rows, { ...mode, nodata: 3 })).values).toEqual([1, 1, 6]);
    expect((await overviewOf("int64", rows, mode)).values).toEqual([3n, 1n, 6n]);
  });

  it("masked pixels do not count, and what has none observed stays masked", async () => {
    const mask = Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 0);
    const rows = [
      [10, 99, 50, 50],
      [99, 20, 50, 50],
    ];
    const average = await overviewOf("uint8", rows, { overviewResampling: "average", mask });
    expect(average).toEqual({ values: [15, 0], mask: [255, 0] });
    const nearest = await overviewOf("uint8", rows, { overviewResampling: "nearest", mask });
    expect(nearest).toEqual({ values: [10, 50], mask: [255, 0] });
  });

  it("auto: nearest for single 8-bit bands and classes, average for the rest", async () => {
    const rows = [
      [1, 3],
      [3, 3],
    ];
    expect((await overviewOf("uint8", rows, {})).values).toEqual([1]);
    expect((await overviewOf("uint8", rows, { classes: false })).values).toEqual([3]);
    expect((await overviewOf("int16", rows, {})).values).toEqual([3]);
    expect((await overviewOf("int16", rows, { classes: true })).values).toEqual([1]);
  });

  it("none, or as many as asked for, down to one pixel", async () => {
    const sizes = async (overviews: CogOptions["overviews"]): Promise<unknown> => {
      const source = pixels([terrain("uint8", 200, 70, 1)], { type: "uint8", width: 200, height: 70 });
      return (await writeGeoTiff(at("levels.tif"), source, { blocksize: 64, overviews, overwrite: true }))
        .overviews;
    };
    expect(await sizes("none")).toEqual([]);
    expect(await sizes("auto")).toEqual([
      [100, 35],
      [50, 18],
    ]);
    expect(await sizes(1)).toEqual([[100, 35]]);
    expect(await sizes(20)).toHaveLength(8);
  });
});

gdal(`against GDAL${gdalNote}`, () => {
  it("gdalinfo -checksum of every level equals that of the same pixels written by GDAL", async () => {
    const [width, height] = [1024, 640];
    for (const type of ["uint8", "int16", "float32"] as const) {
      for (const method of ["nearest", "average"] as const) {
        const path = at(`gdal-${type}-${method}.tif`);
        // Steps of an eighth: GDAL averages in single precision, and so everything stays exact.
        const array = terrain(type, width, height, 6);
        if (type === "float32")
          for (let i = 0; i < array.length; i++) array[i] = Math.round((array[i] as number) % 4096);
        await writeGeoTiff(path, pixels([array], { type, width, height }), {
          blocksize: 128,
          overviewResampling: method,
        });
        const made = `${path}.cog.tif`;
        const create = [
          "BLOCKSIZE=128",
          `OVERVIEW_RESAMPLING=${method}`,
          "OVERVIEWS=IGNORE_EXISTING",
        ].flatMap((co) => ["-co", co]);
        execFileSync("gdal_translate", ["-q", "-of", "COG", ...create, path, made]);
        const [ours, theirs] = [gdalInfo(path).bands[0]!, gdalInfo(made).bands[0]!];
        expect(ours.checksum).toBe(theirs.checksum);
        expect(ours.overviews, `${type} ${method}`).toEqual(theirs.overviews);
        expect(ours.overviews!.length).toBe(3);
      }
    }
  });

  it("overviews under a mask equal GDAL's", async () => {
    const [width, height] = [1024, 512];
    const mask = new Uint8Array(width * height).map((_, i) =>
      ((i * 7919) >>> 5) % 5 === 0 || (i % width) % 90 < 31 ? 0 : 255,
    );
    for (const method of ["nearest", "average"] as const) {
      const path = at(`gdal-mask-${method}.tif`);
      const source = pixels([terrain("uint8", width, height, 8)], { type: "uint8", width, height, mask });
      await writeGeoTiff(path, source, { overviewResampling: method });
      const read = await openGeoTiff(await openBytes(path));
      const overview = await read.overview(0).read({ col: 0, row: 0, width: 512, height: 256 });
      const [theirs] = gdalOverviews(path, method);
      expect(sha(overview.mask!)).toBe(sha(theirs!.mask));
      expect(sha(bytesOf(overview.bands[0]!))).toBe(sha(theirs!.values));
      await read.close();
    }
  });

  it("GDAL understands what the file says about itself", async () => {
    const path = at("gdal-facts.tif");
    const source = pixels([terrain("int16", 600, 600, 1), terrain("int16", 600, 600, 2)], {
      type: "int16",
      width: 600,
      height: 600,
      nodata: -9999,
      metadata: { TITLE: 'été & "co" <1>', ESCAPED: "a &amp; b" },
      bands: [
        { description: "first", scale: 0.1, offset: 2, unit: "m" },
        { description: "second", colorInterpretation: "alpha" },
      ],
    });
    await writeGeoTiff(path, source);
    const info = gdalInfo(path);
    expect(info.geoTransform).toEqual([500000, 10, 0, 2000000, 0, -10]);
    expect(info.coordinateSystem!.wkt).toContain('ID["EPSG",32643]');
    expect(info.metadata[""]).toEqual({
      AREA_OR_POINT: "Area",
      TITLE: 'été & "co" <1>',
      ESCAPED: "a &amp; b",
    });
    expect(info.metadata["IMAGE_STRUCTURE"]).toMatchObject({
      LAYOUT: "COG",
      COMPRESSION: "DEFLATE",
      INTERLEAVE: "PIXEL",
    });
    const [first, second] = info.bands;
    expect(first).toMatchObject({
      noDataValue: -9999,
      description: "first",
      scale: 0.1,
      offset: 2,
      unit: "m",
      block: [512, 512],
    });
    expect(second).toMatchObject({ description: "second", colorInterpretation: "Alpha" });
  });

  it("GDAL's own statistics equal ours", async () => {
    const path = at("gdal-stats.tif");
    const mask = blobs(300, 200);
    const source = pixels([terrain("float32", 300, 200, 3)], {
      type: "float32",
      width: 300,
      height: 200,
      mask,
    });
    const { statistics } = await writeGeoTiff(path, source, { statistics: true });
    execFileSync("gdal_translate", [
      "-q",
      "-of",
      "GTiff",
      "-co",
      "COPY_SRC_OVERVIEWS=NO",
      path,
      `${path}.copy.tif`,
    ]);
    const info = JSON.parse(
      execFileSync("gdalinfo", [
        "-json",
        "-stats",
        "--config",
        "GDAL_PAM_ENABLED",
        "NO",
        `${path}.copy.tif`,
      ]).toString(),
    ) as { bands: { minimum: number; maximum: number; mean: number; stdDev: number }[] };
    const theirs = info.bands[0]!;
    const ours = statistics[0]!;
    expect(theirs.minimum).toBeCloseTo(ours.min as number, 3);
    expect(theirs.maximum).toBeCloseTo(ours.max as number, 3);
    expect(theirs.mean).toBeCloseTo(ours.mean!, 3);
    expect(theirs.stdDev).toBeCloseTo(ours.stdev!, 3);
  });
});

describe("refusals", () => {
  const small = (extra: Partial<PixelsOptions> = {}): ReturnType<typeof pixels> =>
    pixels([terrain("uint8", 4, 3, 1)], { type: "uint8", width: 4, height: 3, ...extra });

  it("an output that is there, unless it may be replaced", async () => {
    const path = at("there.tif");
    await writeFile(path, "something");
    await expect(writeGeoTiff(path, small())).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
    expect(readFileSync(path, "utf8")).toBe("something");
    await writeGeoTiff(path, small(), { overwrite: true });
    expect((await readBack(path)).bands).toHaveLength(1);
  });

  it.each([
    ["blocksize", { blocksize: 100 }],
    ["level", { level: 10 }],
    ["overviews", { overviews: -1 }],
    ["predictor", { predictor: 3 as const }],
  ])("a %s that cannot be", async (path, options) => {
    await expect(writeGeoTiff(at("bad.tif"), small(), options)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      details: { path },
    });
    expect(existsSync(at("bad.tif"))).toBe(false);
  });

  it.runIf(!canZstd())("ZSTD where Node has none", async () => {
    await expect(writeGeoTiff(at("zstd.tif"), small(), { compress: "zstd" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });

  it("sizes that no file can hold, before anything is read or allocated", async () => {
    const huge = { ...small(), grid: { ...small().grid, width: 2_000_000_000, height: 2_000_000_000 } };
    await expect(writeGeoTiff(at("huge.tif"), huge)).rejects.toMatchObject({ code: "LIMIT" });
    const beyond = { ...small(), grid: { ...small().grid, width: 2 ** 33, height: 1 } };
    await expect(writeGeoTiff(at("huge.tif"), beyond)).rejects.toMatchObject({ code: "LIMIT" });
    const none = { ...small(), grid: { ...small().grid, width: 0 } };
    await expect(writeGeoTiff(at("huge.tif"), none)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("bands of different types or nodata values", async () => {
    const one = small().bands[0]!;
    const types = { ...small(), bands: [one, { ...one, type: "int16" as const }] };
    await expect(writeGeoTiff(at("mixed.tif"), types)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const nodata = { ...small(), bands: [one, { ...one, nodata: 4 }] };
    await expect(writeGeoTiff(at("mixed.tif"), nodata)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("a block that is not what the source promised", async () => {
    const source = small();
    const wrong = {
      ...source,
      read: async (...args: Parameters<typeof source.read>) => ({
        ...(await source.read(...args)),
        bands: [new Uint8Array(5)],
      }),
    };
    await expect(writeGeoTiff(at("wrong.tif"), wrong)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("a write that does not finish", () => {
  const [width, height] = [700, 600];
  const source = pixels([terrain("uint8", width, height, 1)], {
    type: "uint8",
    width,
    height,
    tile: { width: 64, height: 64 },
  });

  it("leaves nothing when the source throws midway, and passes the error on", async () => {
    const folder = at("throws");
    await mkdir(folder);
    let reads = 0;
    const failing = {
      ...source,
      read: async (...args: Parameters<typeof source.read>) => {
        if (++reads > 5) throw new Error("the disk is on fire");
        return await source.read(...args);
      },
    };
    await expect(writeGeoTiff(`${folder}/out.tif`, failing, { blocksize: 128 })).rejects.toThrow(
      "the disk is on fire",
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves the old file when it was to be replaced", async () => {
    const folder = at("keeps");
    await mkdir(folder);
    await writeFile(`${folder}/out.tif`, "old");
    const failing = { ...source, read: () => Promise.reject(new Error("no")) };
    await expect(writeGeoTiff(`${folder}/out.tif`, failing, { overwrite: true })).rejects.toThrow("no");
    expect(readdirSync(folder)).toEqual(["out.tif"]);
    expect(readFileSync(`${folder}/out.tif`, "utf8")).toBe("old");
  });

  it("stops at the caller's signal", async () => {
    const folder = at("stopped");
    await mkdir(folder);
    const controller = new AbortController();
    const options = {
      blocksize: 128,
      signal: controller.signal,
      onProgress: (done: number) => {
        if (done > 100_000) controller.abort(new Error("enough"));
      },
    };
    await expect(writeGeoTiff(`${folder}/out.tif`, source, options)).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves nothing when the process is killed while pixels come in", async () => {
    const folder = at("killed");
    await mkdir(folder);
    const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    // Noise, so that compressed tiles overflow into temporary files; the source stops half-way and waits for the end.
    const script = `
      import { writeGeoTiff } from ${url("../../../src/io/geotiff/write.ts")};
      import { makeBand } from ${url("../../../src/model/raster.ts")};
      let reads = 0;
      await writeGeoTiff(${JSON.stringify(`${folder}/out.tif`)}, {
        url: "endless", grid: { width: 4096, height: 8192, transform: [1, 0, 0, 0, -1, 0], crs: null },
        bands: [makeBand({ type: "uint8" })], tile: { width: 512, height: 512 }, hasMask: false, metadata: {},
        async read(window) {
          if (++reads > 64) { console.log("waiting"); await new Promise((resolve) => setTimeout(resolve, 60_000)); }
          const noise = new Uint8Array(window.width * window.height);
          for (let i = 0; i < noise.length; i++) noise[i] = Math.imul(i + reads, 0x9e3779b1) >>> 13;
          return { window, bands: [noise], mask: null };
        },
        async close() {},
      }, { level: 1, memory: 100_000 });
    `;
    await writeFile(at("endless.mts"), script);
    const child = spawn(process.execPath, ["--import", "tsx", at("endless.mts")], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: join(import.meta.dirname, "../../.."),
    });
    const exit = once(child, "exit");
    const early = exit.then(([code]) => Promise.reject(new Error(`the writer ended by itself with ${code}`)));
    await Promise.race([once(child.stdout, "data"), early]);
    early.catch(() => {});
    child.kill("SIGKILL");
    await exit;
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says so when the folder cannot be written to", async () => {
    await writeFile(at("a-file"), "");
    await expect(writeGeoTiff(at("a-file/out.tif"), source)).rejects.toMatchObject({ code: "OUTPUT_FAILED" });
  });
});

describe("a file in memory", () => {
  it("is the same as the one on disk to the validator", async () => {
    await writeGeoTiff(
      at("memory.tif"),
      pixels([terrain("uint8", 700, 600, 1)], { type: "uint8", width: 700, height: 600 }),
    );
    const bytes = memoryBytes(readFileSync(at("memory.tif")));
    expect((await validateCog(bytes)).strict).toBe(true);
  });
});
