import { expect, test } from "vitest";
import { fullWindow } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { bandMath } from "../../src/operators/band-math.ts";
import { focalStatistic } from "../../src/operators/focal.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { reclassify } from "../../src/operators/reclassify.ts";

function raster(
  rows: readonly (readonly number[])[],
  nodata: number | null = null,
  type: "int16" | "float32" = "int16",
): RasterSource {
  const [width, height] = [rows[0]!.length, rows.length];
  const array = type === "int16" ? Int16Array.from(rows.flat()) : Float32Array.from(rows.flat());
  return memoryRaster(
    { width, height, transform: [1, 0, 0, 0, -1, height], crs: null },
    [{ type, nodata }],
    [array],
  );
}

async function rows(source: RasterSource): Promise<number[][]> {
  const { width, height } = source.grid;
  const block = await source.read(fullWindow(source.grid));
  const flat = Array.from(block.bands[0]!, Number);
  return Array.from({ length: height }, (_, r) => flat.slice(r * width, (r + 1) * width));
}

const example = raster(
  [
    [1, 1, 2],
    [3, -1, 2],
    [3, 3, 9],
  ],
  -1,
);

test("a focal mean leaves out what is missing and what lies beyond the edge", async () => {
  const mean = await rows(focalStatistic(example));
  expect(mean[0]![0]).toBeCloseTo(5 / 3, 6);
  expect(mean[1]![1]).toBeNaN();
  const filled = await rows(focalStatistic(example, { keepGaps: false }));
  expect(filled[1]![1]).toBe(3);
});

test("a focal majority takes the smaller of two that tie and keeps the type of classes", async () => {
  const majority = focalStatistic(example, { statistic: "majority", keepGaps: false });
  expect(majority.bands[0]).toMatchObject({ type: "int16", nodata: -1 });
  expect(await rows(majority)).toEqual([
    [1, 1, 2],
    [3, 3, 2],
    [3, 3, 2],
  ]);
});

test("a circle holds the cells whose centres are near enough", async () => {
  const ones = raster(Array.from({ length: 5 }, () => [1, 1, 1, 1, 1]));
  const count = async (options: object): Promise<number> =>
    (await rows(focalStatistic(ones, { statistic: "count", ...options })))[2]![2]!;
  expect(await count({})).toBe(9);
  expect(await count({ shape: "circle" })).toBe(5);
  expect(await count({ shape: "circle", radius: 1.5 })).toBe(9);
  expect(await count({ shape: "circle", radius: 2 })).toBe(13);
  expect(() => focalStatistic(ones, { radius: 0 })).toThrow(/radius/);
});

test("classes: the first rule that holds decides, intervals are open above", async () => {
  const heights = raster([[-1, 0, 10, 19, 20, 35]], -1);
  const classes = reclassify(heights, [
    { from: 10, value: 7 },
    { from: 0, to: 20, value: 1 },
    { from: 20, to: Infinity, value: 2 },
  ]);
  const out = await rows(classes);
  expect(out).toEqual([[Number(classes.bands[0]!.nodata), 1, 7, 1, 2, 2]]);
  expect(
    await rows(reclassify(heights, [{ from: 35, value: null }], { others: null, type: "uint8" })),
  ).toEqual([[255, 255, 255, 255, 255, 255]]);
  expect(() => reclassify(heights, [{ from: 3, to: 3, value: 1 }])).toThrow(/holds no value/);
});

test("a formula gives no value where a band has none or the divisor is 0", async () => {
  const red = raster([[1, 2, -1, 0]], -1);
  const nir = raster([[3, 2, 5, 0]], -1);
  const index = bandMath("(nir - red) / (nir + red)", { red, nir });
  expect(await rows(index)).toEqual([[0.5, 0, Number.NaN, Number.NaN]]);
  expect(await rows(bandMath("observed(red) ? red : 0 - nir", { red, nir }))).toEqual([[1, 2, -5, 0]]);
});

test("formulas that are none say where", () => {
  const red = raster([[1]]);
  expect(() => bandMath("red +", { red })).toThrow(/character 6: the formula ends/);
  expect(() => bandMath("red + blue", { red })).toThrow(/nothing is called "blue"/);
  expect(() => bandMath("1 + 2", { red })).toThrow(/names no band/);
  const other = memoryRaster(
    { width: 1, height: 1, transform: [2, 0, 0, 0, -2, 1], crs: null },
    [{ type: "int16" }],
    [Int16Array.of(1)],
  );
  expect(() => bandMath("red + other", { red, other })).toThrow(/not on the grid/);
});
