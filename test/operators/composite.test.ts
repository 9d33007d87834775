import { describe, expect, test } from "vitest";
import { threads } from "../../src/execution/threads.ts";
import { openRaster } from "../../src/io/open.ts";
import { openStackFiles } from "../../src/jobs/files/stack-files.ts";
import { fullWindow, type Window } from "../../src/model/grid.ts";
import type { RasterSource, SampleArray, SampleType } from "../../src/model/raster.ts";
import { type CompositeOptions, composite } from "../../src/operators/composite.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { periodBands } from "../../src/operators/period-bands.ts";
import type { SceneInput } from "../../src/operators/stack.ts";
import { describeShared, shared } from "../helpers/shared.ts";

const GRID = { width: 3, height: 2, transform: [10, 0, 0, 0, -10, 20] as const, crs: null };

function raster(
  values: readonly number[],
  type: SampleType = "int16",
  nodata: number | null = -1,
  mask?: Uint8Array,
): RasterSource {
  const data = (
    type === "uint8"
      ? Uint8Array
      : type === "uint16"
        ? Uint16Array
        : type === "float32"
          ? Float32Array
          : Int16Array
  ).from(values);
  return memoryRaster(GRID, [{ type, nodata }], [data], { mask: mask ?? null });
}

/** One value everywhere. */
const flat = (value: number): RasterSource => raster(new Array<number>(6).fill(value));

async function values(
  source: RasterSource,
  band = 0,
  window: Window = fullWindow(source.grid),
): Promise<number[]> {
  return Array.from((await source.read(window, { bands: [band] })).bands[0]!, Number);
}

async function only(scenes: readonly SceneInput[], options: CompositeOptions): Promise<RasterSource> {
  const [one, ...rest] = await composite(scenes, options);
  expect(rest).toEqual([]);
  return one!.source;
}

describe("periods", () => {
  const scenes: SceneInput[] = [
    { date: "2019-07-31T23:59:59.999Z", source: flat(1) },
    { date: "2019-08-01", source: flat(2) },
    { date: "2019-10-10", source: flat(9) },
  ];

  test("begin with their first instant and end before the next; one without scenes keeps its place, empty", async () => {
    const months = await composite(scenes, { period: "month", method: "sum" });
    expect(months.map(({ period, scenes: in_ }) => [period.name, in_.length])).toEqual([
      ["2019-07", 1],
      ["2019-08", 1],
      ["2019-09", 0],
      ["2019-10", 1],
    ]);
    const [, , september, october] = await Promise.all(months.map(({ source }) => values(source)));
    expect(september).toEqual(new Array(6).fill(-(2 ** 31)));
    expect(october).toEqual(new Array(6).fill(9));
  });

  test("scenes at the end of the range are not part of it", async () => {
    const source = await only(scenes, { method: "sum", start: "2019-08-01", end: "2019-10-10" });
    expect(await values(source)).toEqual(new Array(6).fill(2));
  });

  test("as one raster have a band each, named by the period", async () => {
    const bands = periodBands(await composite(scenes, { period: "month", method: "max" }));
    expect(bands.bands.map(({ description }) => description)).toEqual([
      "2019-07",
      "2019-08",
      "2019-09",
      "2019-10",
    ]);
    const block = await bands.read({ col: 1, row: 1, width: 1, height: 1 }, { bands: [3, 0, 2] });
    expect(block.bands.map(([value]) => value)).toEqual([9, 1, -1]);
  });
});

describe("types of results", () => {
  const scenes: SceneInput[] = [
    { date: "2020-01-01", source: raster([1, 2, -1, 4, 5, 6]) },
    { date: "2020-01-02", source: raster([2, 2, -1, -1, 5, 7]) },
  ];

  test("samples keep their type and nodata, fractions become floats, counts are counts", async () => {
    const max = await only(scenes, { method: "max" });
    expect(max.bands[0]).toMatchObject({ type: "int16", nodata: -1 });
    expect(await values(max)).toEqual([2, 2, -1, 4, 5, 7]);
    const median = await only(scenes, {});
    expect(median.bands[0]).toMatchObject({ type: "float32", nodata: Number.NaN });
    expect(await values(median)).toEqual([1.5, 2, Number.NaN, 4, 5, 6.5]);
    const count = await only(scenes, { method: "count" });
    expect(count.bands[0]).toMatchObject({ type: "uint16", nodata: null });
    expect(await values(count)).toEqual([2, 2, 0, 1, 2, 2]);
  });

  test("a type that no value is left of gets a mask", async () => {
    const mask = Uint8Array.of(255, 0, 255, 255, 255, 255);
    const bytes = [0, 1].map(
      (k): SceneInput => ({ date: k, source: raster([0, 1, 2, 3, 254, 255], "uint8", null, mask) }),
    );
    const source = await only(bytes, { method: "mode" });
    expect(source.hasMask).toBe(true);
    const block = await source.read(fullWindow(GRID));
    expect([...block.mask!]).toEqual([255, 0, 255, 255, 255, 255]);
    expect(() =>
      periodBands([
        { period: { name: "a", start: 0, end: 1 }, scenes: [], source },
        { period: { name: "b", start: 1, end: 2 }, scenes: [], source },
      ]),
    ).toThrow(/nodata/);
  });

  test("scale and offset are carried on, or applied when asked", async () => {
    const scaled = (value: number, scale: number): RasterSource =>
      memoryRaster(GRID, [{ type: "int16", scale, offset: 1 }], [new Int16Array(6).fill(value)]);
    const same = [3, 5].map((value, date): SceneInput => ({ date, source: scaled(value, 0.5) }));
    expect((await only(same, { method: "max" })).bands[0]).toMatchObject({
      type: "int16",
      scale: 0.5,
      offset: 1,
    });
    const applied = await only(same, { method: "max", physical: true });
    expect(applied.bands[0]).toMatchObject({ type: "float32", scale: 1, offset: 0 });
    expect((await values(applied))[0]).toBe(3.5);
    const mixed = [...same, { date: 2, source: scaled(7, 0.25) }];
    await expect(composite(mixed, {})).rejects.toThrow(/different scales/);
    expect((await values(await only(mixed, { method: "max", physical: true })))[0]).toBe(3.5);
  });

  test("provenance follows the values, and only of methods that pick a scene", async () => {
    const source = await only(scenes, { method: "max", provenance: ["date", "index", "count"] });
    expect(source.bands.map(({ description }) => description)).toEqual(["b1", "date", "index", "n_valid"]);
    const none = -(2 ** 31);
    expect(await values(source, 1)).toEqual([18_263, 18_262, none, 18_262, 18_262, 18_263]);
    expect(await values(source, 2)).toEqual([1, 0, none, 0, 0, 1]);
    expect(await values(source, 3)).toEqual([2, 2, 0, 1, 2, 2]);
    await expect(composite(scenes, { method: "mean", provenance: ["date"] })).rejects.toThrow(/one scene/);
  });
});

describe("quality", () => {
  const scenes: SceneInput[] = [
    { date: "2020-01-01", source: flat(10), quality: raster([0, 8, 0, 0, 0, 0], "uint16", null) },
    { date: "2020-01-02", source: flat(20), quality: raster([0, 0, 0, 0, 0, 1], "uint16", null) },
  ];

  test("a rule leaves out what it refuses; masks grow by rows and columns", async () => {
    const plain = await only(scenes, { method: "sum", qa: "landsat-qa-pixel" });
    expect(await values(plain)).toEqual([30, 20, 30, 30, 30, 10]);
    const grown = await only(scenes, { method: "sum", qa: "bits:3;reject:1", dilate: 1 });
    const none = -(2 ** 31);
    expect(await values(grown)).toEqual([20, none, none, 20, none, none]);
  });

  test("the same in windows of any size, the mask growing across their edges", async () => {
    const grown = await only(scenes, { method: "sum", qa: "bits:3;reject:1", dilate: 1 });
    const whole = await values(grown);
    for (let row = 0; row < 2; row++)
      for (let col = 0; col < 3; col++)
        expect(await values(grown, 0, { col, row, width: 1, height: 1 })).toEqual([whole[3 * row + col]]);
  });

  test("the scene with the best quality", async () => {
    const source = await only(scenes, { method: "best:quality", provenance: ["index"] });
    expect(await values(source, 1)).toEqual([0, 0, 0, 0, 0, 1]);
  });

  test("a rule without a quality band, and a rule that is none, are errors", async () => {
    await expect(composite([{ date: 0, source: flat(1) }], { qa: "s2-scl" })).rejects.toThrow(
      /no quality band/,
    );
    await expect(composite(scenes, { qa: "cloudy" })).rejects.toThrow(/not known/);
    await expect(composite(scenes, { qa: "bits:3=2" })).rejects.toThrow(/cannot be 2/);
  });
});

test("mosaics have the last scene on top, the first, or the last of the list", async () => {
  const scenes: SceneInput[] = [
    { date: 3, source: raster([3, -1, 3, 3, 3, 3]) },
    { date: 1, source: raster([1, 1, 1, 1, 1, 1]) },
    { date: 2, source: raster([2, 2, -1, 2, 2, 2]) },
  ];
  const top = async (options: CompositeOptions): Promise<number[]> =>
    (await values(await only(scenes, { method: "mosaic", ...options }))).slice(0, 3);
  expect(await top({})).toEqual([3, 2, 3]);
  expect(await top({ order: "first" })).toEqual([1, 1, 1]);
  expect(await top({ preset: "gee" })).toEqual([2, 2, 1]);
});

test("wrong methods and options say what there is", async () => {
  const scenes = [{ date: 0, source: flat(1) }];
  for (const options of [
    { method: "medain" },
    { method: "percentile:101" },
    { method: "best:cloud" },
    { period: "fortnight" },
    { start: "yesterday" },
    { dilate: -1 },
    { type: "int16", nodata: 0.5 },
    { validRange: [2, 1] },
    { end: "1969-01-01" },
  ]) {
    await expect(composite(scenes, options as CompositeOptions)).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  }
  await expect(composite([], {})).rejects.toThrow(/needs a scene/);
});

describe("windows, memory and threads", () => {
  const size = { width: 70, height: 50, transform: [1, 0, 0, 0, -1, 0] as const, crs: null };
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const scenes = Array.from(
    { length: 13 },
    (_, date): SceneInput => ({
      date,
      source: memoryRaster(
        size,
        [
          { type: "int16", nodata: -9 },
          { type: "int16", nodata: -9 },
        ],
        [0, 1].map(() =>
          Int16Array.from({ length: 3500 }, () => (random() < 0.3 ? -9 : Math.floor(random() * 50))),
        ),
      ),
    }),
  );

  test.each(["median", "mode", "medoid", "geomedian", "stdev"] as const)(
    "%s does not depend on them",
    async (method) => {
      const expected = await (await only(scenes, { method })).read(fullWindow(size));
      const executor = threads(2);
      try {
        for (const options of [{ memory: 3000 }, { executor }, { memory: 200_000, vectors: false }]) {
          const source = await only(scenes, { method, ...options });
          expect((await source.read(fullWindow(size))).bands).toEqual(expected.bands);
          const part = await source.read({ col: 33, row: 21, width: 3, height: 1 }, { bands: [1] });
          const at = 21 * 70 + 33;
          expect(part.bands).toEqual([(expected.bands[1] as SampleArray).slice(at, at + 3)]);
        }
      } finally {
        await executor.close();
      }
    },
  );
});

describeShared("real stacks", () => {
  async function read(path: string): Promise<{ bands: number[][]; pixels: number }> {
    const source = await openRaster(path);
    try {
      const { bands } = await source.read(fullWindow(source.grid));
      return { bands: bands.map((band) => Array.from(band, Number)), pixels: bands[0]!.length };
    } finally {
      await source.close();
    }
  }

  test("the maximum over 68 dates is the published one, as far as the stored numbers tell", async () => {
    const stack = await openStackFiles([shared("data/ndvi/slovenia_ndvi_stack.tif")]);
    expect(stack.scenes).toHaveLength(68);
    const source = await only2(stack, { method: "max" });
    const found = await values(source);
    const published = await read(shared("data/ndvi/slovenia_max_ndvi.tif"));
    // The stack holds NDVI times 10,000 rounded; the published value is a 32-bit fraction: its last bit is 6e-8.
    const off = found.map((value, i) => Math.abs(value / 10_000 - published.bands[0]![i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(5e-5 + 6e-8);
    await stack.close();
  });

  test("the summed validity is the published count", async () => {
    const stack = await openStackFiles([shared("data/ndvi/slovenia_isvalid_stack.tif")], {
      dates: shared("data/ndvi/slovenia_dates.csv"),
    });
    const found = await values(await only2(stack, { method: "sum" }));
    expect(found).toEqual((await read(shared("data/ndvi/slovenia_valid_count.tif"))).bands[0]);
    await stack.close();
  });

  async function only2(
    stack: Awaited<ReturnType<typeof openStackFiles>>,
    options: CompositeOptions,
  ): Promise<RasterSource> {
    return (await composite(stack, options))[0]!.source;
  }

  test("Landsat scenes with bits of quality: the median of what is clear, pixel by pixel", async () => {
    const stack = await openStackFiles([shared("data/ndvi/newyork_landsat8")], {
      bands: ["B4", "B5"],
      quality: "BQA",
      resampling: "near",
    });
    expect(stack.scenes).toHaveLength(19);
    const source = await only2(stack, { qa: "landsat-bqa", type: "float64" });
    const window = { col: 10, row: 12, width: 40, height: 30 };
    const found = await source.read(window);
    const scenes = await Promise.all(
      stack.scenes.map(async ({ bands, quality }) =>
        Promise.all(
          [bands[1]!, quality!].map(({ source: one, band }) => one.read(window, { bands: [band] })),
        ),
      ),
    );
    for (let i = 0; i < 1200; i++) {
      const clear = scenes
        .filter(([nir, bqa]) => {
          const q = Number(bqa!.bands[0]![i]);
          const inside = nir!.mask === null || nir!.mask[i] !== 0;
          const cloud =
            (q & 1) |
            (q & 16) |
            Number(((q >> 5) & 3) === 3) |
            Number(((q >> 7) & 3) === 3) |
            Number(((q >> 11) & 3) === 3);
          return inside && (bqa!.mask === null || bqa!.mask[i] !== 0) && cloud === 0;
        })
        .map(([nir]) => Number(nir!.bands[0]![i]))
        .sort((a, b) => a - b);
      const n = clear.length;
      const median = n === 0 ? Number.NaN : (clear[(n - 1) >> 1]! + clear[n >> 1]!) / 2;
      expect(Number(found.bands[1]![i])).toBe(median);
    }
    await stack.close();
  });
});
