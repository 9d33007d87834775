import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { threads } from "../../src/execution/threads.ts";
import { cellArea } from "../../src/kernels/raster/cell-area.ts";
import { type Row, rowAt, type Value } from "../../src/model/features.ts";
import { GEOJSON_CRS } from "../../src/model/geojson.ts";
import type { Grid } from "../../src/model/grid.ts";
import type { Band, RasterSource, SampleType } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { type ZonalOptions, zonalStats } from "../../src/operators/zonal-stats.ts";
import { tableOf } from "../helpers/vectors.ts";

const ARRAYS = {
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** Cells of side 1, the lower left corner at 0, 0. */
function raster(
  rows: readonly (readonly number[])[],
  band: Partial<Band> & { type: SampleType } = { type: "float64" },
  options: { tile?: number; mask?: number[]; grid?: Partial<Grid> } = {},
): RasterSource {
  const grid: Grid = {
    width: rows[0]!.length,
    height: rows.length,
    transform: [1, 0, 0, 0, -1, rows.length],
    crs: null,
    ...options.grid,
  };
  const { tile = 256, mask } = options;
  return memoryRaster(grid, [band], [ARRAYS[band.type as keyof typeof ARRAYS].from(rows.flat())], {
    tile: { width: tile, height: tile },
    mask: mask === undefined ? null : Uint8Array.from(mask),
  });
}

const box = (w: number, s: number, e: number, n: number): string =>
  `POLYGON ((${w} ${s}, ${e} ${s}, ${e} ${n}, ${w} ${n}, ${w} ${s}))`;

async function one(zone: string, source: RasterSource, options: ZonalOptions): Promise<Row> {
  const { table } = await zonalStats(tableOf(zone), source, options);
  return rowAt(table, 0);
}

const NINE = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
/** Covers the middle column whole and a half of the one to its right, in the upper two rows. */
const ZONE = box(1, 1, 2.5, 3);

describe("statistics weighted by coverage", () => {
  it("are those of the covered shares", async () => {
    // 2 and 5 whole, 3 and 6 half.
    const found = await one(ZONE, raster(NINE), {
      stats: ["count", "cells", "covered", "sum", "mean", "min", "max", "range", "variance", "stdev", "cv"],
    });
    expect(found).toMatchObject({ count: 3, cells: 4, covered: 3, sum: 11.5, min: 2, max: 6, range: 4 });
    expect(found["mean"]).toBeCloseTo(11.5 / 3, 14);
    const variance = (4 + 25 + 0.5 * (9 + 36)) / 3 - (11.5 / 3) ** 2;
    expect(found["variance"]).toBeCloseTo(variance, 13);
    expect(found["stdev"]).toBeCloseTo(Math.sqrt(variance), 13);
    expect(found["cv"]).toBeCloseTo(Math.sqrt(variance) / (11.5 / 3), 13);
  });

  it("name the places of the least and the greatest value by pixel centres, the first in row order", async () => {
    const source = raster([
      [7, 2, 2],
      [9, 2, 9],
    ]);
    const found = await one(box(0, 0, 3, 2), source, { stats: ["min_x", "min_y", "max_x", "max_y"] });
    expect(found).toMatchObject({ min_x: 1.5, min_y: 1.5, max_x: 0.5, max_y: 0.5 });
  });

  it("find values by their weight: majority, minority, variety, shares and histogram", async () => {
    const source = raster(
      [
        [1, 1, 2],
        [3, 2, 2],
      ],
      { type: "uint8" },
    );
    const found = await one(box(0, 0, 2.5, 2), source, {
      stats: ["majority", "minority", "variety", "values", "frac", "histogram"],
    });
    // 1: two cells, 2: one cell and two halves, 3: one cell.
    expect(found).toMatchObject({
      majority: 2,
      minority: 3,
      variety: 3,
      values: [1, 2, 3],
      frac_1: 0.4,
      frac_2: 0.4,
      frac_3: 0.2,
      histogram: [
        [1, 2],
        [2, 2],
        [3, 1],
      ],
    });
  });

  it("break ties of the majority by the largest, the smallest or the first value", async () => {
    const source = raster([[5, 9, 1, 9, 5, 1]], { type: "int16" });
    for (const [tie, value] of [
      ["max", 9],
      ["min", 1],
      ["first", 5],
    ] as const) {
      expect(await one(box(0, 0, 6, 1), source, { stats: ["majority"], tie })).toMatchObject({
        majority: value,
      });
    }
  });

  it("take weights as equal that differ by rounding only", async () => {
    // 0.1 + 0.2 of a cell against 0.3 of one.
    const zone = `MULTIPOLYGON (((0 0, 0.1 0, 0.1 1, 0 1, 0 0)), ((1 0, 1.2 0, 1.2 1, 1 1, 1 0)), ((2 0, 2.3 0, 2.3 1, 2 1, 2 0)))`;
    expect(await one(zone, raster([[7, 7, 4]]), { stats: ["minority", "majority"] })).toMatchObject({
      minority: 4,
      majority: 7,
    });
  });

  it("interpolate quantiles between weighted values, or count each pixel once", async () => {
    const source = raster([[10, 20, 30]]);
    const zone = box(0, 0, 2.5, 1);
    // s = 0, 1 + 2 = 3, 2 * 0.5 + 2 * 2 = 5; the median lies at 0.5 * 2 * 2.5 = 2.5.
    expect((await one(zone, source, { stats: ["median"] }))["median"]).toBeCloseTo(10 + (10 * 2.5) / 3, 12);
    const hf7 = await one(zone, source, { stats: ["median", "quantile:0.25", "p90"], quantiles: "hf7" });
    expect(hf7).toMatchObject({ median: 20, p25: 15, p90: 28 });
  });

  it("tell skew and kurtosis of large values with small differences without cancelling", async () => {
    const values = [0, 1, 1, 2, 6].map((value) => 1e5 + value);
    const found = await one(box(0, 0, 5, 1), raster([values]), {
      stats: ["variance", "skew", "kurtosis", "sample_variance"],
    });
    // Of 0, 1, 1, 2, 6: mean 2, moments 22/5, 54/5, 274/5.
    expect(found["variance"]).toBe(4.4);
    expect(found["sample_variance"]).toBeCloseTo(5.5, 14);
    expect(found["skew"]).toBeCloseTo(10.8 / 4.4 ** 1.5, 13);
    expect(found["kurtosis"]).toBeCloseTo(54.8 / 4.4 ** 2 - 3, 13);
  });

  it("leave out what is nodata, NaN or masked, and say how much it was", async () => {
    const source = raster(
      [[1, -9, Number.NaN, 4]],
      { type: "float32", nodata: -9 },
      { mask: [255, 255, 255, 0] },
    );
    expect(
      await one(box(0, 0, 4, 1), source, {
        stats: ["count", "sum", "nodata_count", "nodata_share", "covered"],
      }),
    ).toMatchObject({ count: 1, sum: 1, nodata_count: 3, nodata_share: 0.75, covered: 4, note: null });
  });

  it("count overlapping zones each for itself, in the order of the zones", async () => {
    const { table } = await zonalStats(tableOf(box(1, 0, 3, 3), box(0, 0, 3, 3)), raster(NINE), {
      stats: ["sum"],
    });
    expect([rowAt(table, 0)["sum"], rowAt(table, 1)["sum"]]).toEqual([33, 45]);
  });

  it("read several bands at once, each with columns of its own", async () => {
    const grid: Grid = { width: 2, height: 1, transform: [1, 0, 0, 0, -1, 1], crs: null };
    const source = memoryRaster(
      grid,
      [{ type: "uint8" }, { type: "float32" }],
      [Uint8Array.from([1, 2]), Float32Array.from([0.5, 0.25])],
    );
    expect(await one(box(0, 0, 2, 1), source, { stats: ["sum"] })).toMatchObject({ b1_sum: 3, b2_sum: 0.75 });
    expect(await one(box(0, 0, 2, 1), source, { stats: ["sum"], bands: [1] })).toMatchObject({ sum: 0.75 });
  });
});

describe("pixel rules", () => {
  const source = raster([[1, 2, 3, 4]]);
  const zone = box(0.25, 0, 2.75, 1);

  it("center, all-touched and coverage:F take pixels whole", async () => {
    for (const [pixels, cells, sum] of [
      ["center", 3, 6],
      ["all-touched", 3, 6],
      ["coverage:0.8", 1, 2],
      ["coverage", 3, 0.75 + 2 + 0.75 * 3],
    ] as const) {
      expect(await one(zone, source, { stats: ["cells", "sum"], pixels })).toMatchObject({ cells, sum });
    }
  });

  it("minCoverage leaves pixels out and weighs the others", async () => {
    expect(await one(box(0.9, 0, 3, 1), source, { stats: ["count"], minCoverage: 0.2 })).toMatchObject({
      count: 2,
    });
  });

  it("flag zones without pixels, never a silent null", async () => {
    const zones = tableOf(
      box(1.6, 0.1, 1.8, 0.3),
      box(100, 0, 101, 1),
      "POINT (1 1)",
      "POLYGON EMPTY",
      box(0, 0, 1, 1),
    );
    const small = await zonalStats(zones, source, { pixels: "center", stats: ["mean", "count"] });
    expect(small.report).toMatchObject({ zones: 5, emptyZones: 3 });
    expect([0, 1, 2, 3, 4].map((row) => rowAt(small.table, row)["note"])).toEqual([
      "no pixel centre inside",
      "outside the raster",
      null,
      "no geometry",
      null,
    ]);
    expect(rowAt(small.table, 0)).toMatchObject({ mean: null, count: 0 });
    const exact = await zonalStats(zones, source, { stats: ["mean"] });
    expect(rowAt(exact.table, 0)).toMatchObject({ mean: 2, note: null });
    expect(rowAt(exact.table, 2)["note"]).toBe("not a polygon");
    const blank = await zonalStats(zones, raster([[0, 0, 0, 0]], { type: "uint8", nodata: 0 }), {});
    expect(rowAt(blank.table, 4)["note"]).toBe("no data");
    expect(small.report.warnings).toContain("3 zones have no pixel: see the column note");
  });

  it("warns of rings that cross themselves", async () => {
    const bow = "POLYGON ((0 0, 4 1, 4 0, 0 1, 0 0))";
    const { report } = await zonalStats(tableOf(box(0, 0, 1, 1), bow), source, {});
    expect(report.warnings.join()).toContain(
      "1 zones have rings that cross or overlap (the first is number 2)",
    );
  });
});

describe("presets", () => {
  const source = raster([[1, 1, 2, 2, 5]], { type: "uint8" });
  const zone = box(0.4, 0, 4.3, 1);
  const stats = ["count", "sum", "majority", "median"];

  it("rasterstats: centres, the smallest of tied values, numpy's quantiles", async () => {
    expect(await one(zone, source, { preset: "rasterstats", stats })).toMatchObject({
      count: 4,
      sum: 6,
      majority: 1,
      median: 1.5,
    });
  });

  it("gdal: centres, the first of tied values", async () => {
    const other = raster([[2, 1, 1, 2]], { type: "uint8" });
    expect(await one(box(0, 0, 4, 1), other, { preset: "gdal", stats: ["majority"] })).toMatchObject({
      majority: 2,
    });
  });

  it("exactextract: coverage, the largest of tied values, weighted quantiles", async () => {
    const found = await one(box(1, 0, 3, 1), source, { preset: "exactextract", stats });
    expect(found).toMatchObject({ count: 2, majority: 2, median: 1.5 });
  });

  it("gee: weights in 255ths, counts by centres, nothing below 1/256", async () => {
    const found = await one(zone, source, { preset: "gee", stats: ["count", "sum", "mean", "max"] });
    // 0.6 of the first pixel is 153 / 255, 0.3 of the last 76 / 255.
    const weights = [153 / 255, 1, 1, 1, 76 / 255];
    const sum = weights[0]! + 1 + 2 + 2 + 5 * weights[4]!;
    expect(found).toMatchObject({ count: 4, max: 2 });
    expect(found["sum"]).toBeCloseTo(sum, 14);
    expect(found["mean"]).toBeCloseTo(sum / weights.reduce((a, b) => a + b), 14);
    const sliver = await one(box(0.999, 0, 2, 1), source, { preset: "gee", stats: ["sum"] });
    expect(sliver["sum"]).toBe(1);
  });

  it("gee: a mask of bytes weighs too, when it is less than the covered share", async () => {
    const masked = raster([[4, 4]], { type: "uint8" }, { mask: [51, 255] });
    expect((await one(box(0, 0, 1.5, 1), masked, { preset: "gee", stats: ["sum"] }))["sum"]).toBeCloseTo(
      4 * (51 / 255 + 128 / 255),
      14,
    );
  });

  it("qgis: coverage for zones with one centre or none, centres for all others", async () => {
    const { table } = await zonalStats(tableOf(box(0.6, 0, 2.2, 1), zone), source, {
      preset: "qgis",
      stats: ["count", "sum"],
    });
    expect(rowAt(table, 0)["count"]).toBeCloseTo(1.6, 14);
    expect(rowAt(table, 1)).toMatchObject({ count: 4, sum: 6 });
  });

  it("that have two rules take no other", async () => {
    await expect(one(zone, source, { preset: "gee", pixels: "center" })).rejects.toThrow(
      "has its own rule of pixels",
    );
  });
});

describe("weights", () => {
  it("by a second raster on the same cells, those without a weight left out", async () => {
    const weights = raster([[1, 3, -1]], { type: "float32", nodata: -1 });
    const { table, report } = await zonalStats(tableOf(box(0, 0, 3, 1)), raster([[10, 20, 30]]), {
      stats: ["weights", "weighted_sum", "weighted_mean", "weighted_variance", "mean", "weighted_frac"],
      weights,
    });
    expect(rowAt(table, 0)).toMatchObject({
      weights: 4,
      weighted_sum: 70,
      weighted_mean: 17.5,
      weighted_variance: 18.75,
      mean: 20,
      weighted_frac_10: 0.25,
      weighted_frac_20: 0.75,
      weighted_frac_30: 0,
    });
    expect(report.warnings.join()).toContain("1 pixels have no weight");
  });

  it("by a coarser raster whose pixels hold whole ones", async () => {
    const weights = raster([[1, 5]], { type: "uint8" }, { grid: { transform: [2, 0, 0, 0, -1, 1] } });
    expect(
      await one(box(0, 0, 4, 1), raster([[1, 2, 3, 4]], { type: "uint8" }), {
        stats: ["weighted_sum"],
        weights,
      }),
    ).toMatchObject({ weighted_sum: 3 + 35 });
  });

  it("are refused on cells that do not fall together", async () => {
    const weights = raster([[1, 5]], { type: "uint8" }, { grid: { transform: [1, 0, 0.5, 0, -1, 1] } });
    await expect(
      one(box(0, 0, 1, 1), raster([[1, 2]]), { stats: ["weighted_mean"], weights }),
    ).rejects.toMatchObject({
      code: "GRID_MISMATCH",
    });
    await expect(one(box(0, 0, 1, 1), raster([[1, 2]]), { stats: ["weighted_mean"] })).rejects.toThrow(
      "weighted_mean needs a raster of weights",
    );
  });

  it("by area on the globe: the sum of a mask is the area under it", async () => {
    const grid = { transform: [0.1, 0, 10, 0, -0.1, 50.2] as const, crs: GEOJSON_CRS };
    const source = raster(
      [
        [1, 0],
        [1, 1],
      ],
      { type: "uint8" },
      { grid },
    );
    const zone = { ...tableOf(box(10, 50, 10.15, 50.2)), crs: GEOJSON_CRS };
    for (const [area, globe] of [
      ["sphere", "sphere"],
      ["geodesic", "ellipsoid"],
    ] as const) {
      const { table } = await zonalStats(zone, source, { stats: ["sum", "count", "area", "mean"], area });
      const upper = cellArea(50.1, 50.2, 0.1, globe);
      const lower = cellArea(50, 50.1, 0.1, globe);
      const found = rowAt(table, 0) as Record<string, number>;
      expect(found["sum"]! / (upper + 1.5 * lower)).toBeCloseTo(1, 12);
      expect(found["count"]! / (1.5 * (upper + lower))).toBeCloseTo(1, 12);
      expect(found["area"]).toBe(found["count"]);
    }
    const { table } = await zonalStats(zone, source, { stats: ["count", "area"] });
    const plain = rowAt(table, 0) as Record<string, number>;
    expect(plain["count"]).toBeCloseTo(3, 9);
    expect(
      plain["area"]! /
        (1.5 * (cellArea(50.1, 50.2, 0.1, "ellipsoid") + cellArea(50, 50.1, 0.1, "ellipsoid"))),
    ).toBeCloseTo(1, 12);
  });
});

describe("limits and errors", () => {
  it("names a statistic that is not known, and those that are", async () => {
    await expect(one(ZONE, raster(NINE), { stats: ["avg"] })).rejects.toThrow('there is no statistic "avg"');
    await expect(one(ZONE, raster(NINE), { stats: ["quantile:1.5"] })).rejects.toThrow("Q from 0 to 1");
    await expect(one(ZONE, raster(NINE), { bands: [1] })).rejects.toThrow("none with number 2");
    await expect(one(ZONE, raster(NINE), { pixels: "coverage:2" as never })).rejects.toThrow("coverage:F");
  });

  it("stops when medians of measurements need more than allowed", async () => {
    const n = 1100;
    const values = Float64Array.from({ length: n * n }, (_, k) => k + 0.5);
    const grid: Grid = { width: n, height: n, transform: [1, 0, 0, 0, -1, n], crs: null };
    const source = memoryRaster(grid, [{ type: "float64" }], [values]);
    await expect(one(box(0, 0, n, n), source, { stats: ["median"], memory: 2 ** 20 })).rejects.toMatchObject({
      code: "LIMIT",
    });
    expect(await one(box(0, 0, n, n), source, { stats: ["mean"], memory: 2 ** 20 })).toMatchObject({
      mean: (n * n) / 2,
    });
  });

  it("reads only the tiles that zones meet", async () => {
    const read: string[] = [];
    const source = raster(
      Array.from({ length: 64 }, (_, r) => Array.from({ length: 64 }, (_, c) => r * 64 + c)),
      { type: "float64" },
      { tile: 8 },
    );
    const watched: RasterSource = {
      ...source,
      read: (window, options) => {
        read.push(`${window.col},${window.row},${window.width},${window.height}`);
        return source.read(window, options);
      },
    };
    await one(box(9, 49, 15, 55), watched, { stats: ["mean"] });
    expect(read).toEqual(["8,8,8,8"]);
  });

  it("stops at the caller's signal", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(one(ZONE, raster(NINE), { signal })).rejects.toThrow("enough");
  });
});

describe("the same bits", () => {
  const pool = threads(2, { patience: 0 });
  afterAll(() => pool.close());
  const STATS = [
    "count",
    "sum",
    "mean",
    "variance",
    "skew",
    "kurtosis",
    "median",
    "p10",
    "majority",
    "minority",
    "histogram",
    "min_x",
    "max_y",
    "nodata_share",
    "weighted_mean",
    "weighted_stdev",
    "area",
  ];
  const vertex = fc.tuple(
    fc.double({ min: -3, max: 15, noNaN: true }),
    fc.double({ min: -3, max: 15, noNaN: true }),
  );
  const zone = fc
    .array(vertex, { minLength: 3, maxLength: 7 })
    .map((ring) => `POLYGON ((${[...ring, ring[0]!].map(([x, y]) => `${x} ${y}`).join(", ")}))`);

  async function all(
    type: SampleType,
    values: readonly number[],
    texts: readonly string[],
    tile: number,
    options: ZonalOptions,
  ): Promise<string> {
    const rows = Array.from({ length: 12 }, (_, r) => values.slice(12 * r, 12 * r + 12));
    const weights = raster([...rows].reverse(), { type, nodata: 3 });
    const { table } = await zonalStats(tableOf(...texts), raster(rows, { type, nodata: 0 }, { tile }), {
      stats: STATS,
      weights,
      ...options,
    });
    return JSON.stringify(texts.map((_, row) => Object.values(rowAt(table, row)) as Value[]));
  }

  for (const [type, value] of [
    ["uint8", fc.integer({ min: 0, max: 9 })],
    ["int16", fc.integer({ min: -300, max: 300 })],
    ["int32", fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
    [
      "float32",
      fc.float({ noNaN: false, noDefaultInfinity: true, min: Math.fround(-1e20), max: Math.fround(1e20) }),
    ],
    ["float64", fc.double({ noNaN: false, noDefaultInfinity: true, min: -1e60, max: 1e60 })],
  ] as const) {
    it(`of ${type} for every tiling and for worker threads`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(value as fc.Arbitrary<number>, { minLength: 144, maxLength: 144 }),
          fc.array(zone, { minLength: 1, maxLength: 3 }),
          fc.integer({ min: 1, max: 7 }),
          fc.constantFrom<ZonalOptions>(
            {},
            { pixels: "center" },
            { tie: "first" },
            { quantiles: "hf7" },
            { area: "plane" },
          ),
          async (values, texts, tile, options) => {
            const expected = await all(type, values, texts, 256, options);
            expect(await all(type, values, texts, tile, { ...options, memory: 1 })).toBe(expected);
            expect(await all(type, values, texts, tile, { ...options, memory: 1, executor: pool })).toBe(
              expected,
            );
          },
        ),
        { seed: 7, numRuns: 12 },
      );
    });
  }
});
