import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseCrs } from "../../src/crs/parse.ts";
import { transformer } from "../../src/crs/transformer.ts";
import { threads } from "../../src/execution/threads.ts";
import { type Affine, fullWindow, type Grid, invertAffine, tileWindows } from "../../src/model/grid.ts";
import type { Band, RasterSource, SampleArray, SampleType } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { type Resampling, type WarpOptions, warpRaster } from "../../src/operators/warp.ts";
import { random } from "../../src/testing/random.ts";

function gridOf(crs: string | null, width: number, height: number, transform: Affine): Grid {
  return { width, height, transform, crs: crs === null ? null : parseCrs(crs) };
}

/** Two bands whose samples are the position of their pixel's centre: bilinear gives positions back, to rounding. */
function positions(grid: Grid): RasterSource {
  const x = new Float64Array(grid.width * grid.height);
  const y = x.slice();
  for (let i = 0; i < x.length; i++) {
    x[i] = (i % grid.width) + 0.5;
    y[i] = Math.floor(i / grid.width) + 0.5;
  }
  return memoryRaster(grid, [{ type: "float64" }, { type: "float64" }], [x, y]);
}

function noise(grid: Grid, type: SampleType = "int16", band: Partial<Band> = {}, seed = 1): RasterSource {
  const next = random(seed);
  const data = new Int16Array(grid.width * grid.height).map(() => Math.floor(next.next() * 200));
  const samples =
    type === "uint8" ? Uint8Array.from(data) : type === "float32" ? Float32Array.from(data) : data;
  return memoryRaster(grid, [{ type, ...band }], [samples], { tile: { width: 48, height: 32 } });
}

async function all(source: RasterSource): Promise<{ bands: SampleArray[]; mask: Uint8Array | null }> {
  const { bands, mask } = await source.read(fullWindow(source.grid));
  return { bands: [...bands], mask };
}

async function numbers(source: RasterSource, options: WarpOptions): Promise<number[]> {
  const { bands } = await all(await warpRaster(source, options));
  return Array.from(bands[0]!, Number);
}

/** Where the centre of a pixel lies in a source, straight from the transformer. */
function placeOf(target: Grid, source: Grid, col: number, row: number): [number, number] {
  const [a, b, c, d, e, f] = target.transform;
  const u = col + 0.5;
  const v = row + 0.5;
  const xy = Float64Array.of(a * u + b * v + c, d * u + e * v + f);
  transformer(target.crs!, source.crs!)(xy);
  const [ia, ib, ic, id, ie, jf] = invertAffine(source.transform);
  return [ia * xy[0]! + ib * xy[1]! + ic, id * xy[0]! + ie * xy[1]! + jf];
}

const UTM = gridOf("EPSG:32643", 300, 200, [100, 0, 450_000, 0, -100, 1_800_000]);
const small = (samples: number[], width: number, band: Partial<Band> = {}): RasterSource =>
  memoryRaster(
    gridOf("EPSG:32643", width, samples.length / width, [10, 0, 0, 0, -10, 0]),
    [{ type: "int16", ...band }],
    [Int16Array.from(samples)],
  );

describe("warpRaster", () => {
  it.each([
    ["UTM to longitude and latitude", UTM, "EPSG:4326"],
    ["a degree grid to UTM", gridOf("EPSG:4326", 200, 200, [0.01, 0, 74, 0, -0.01, 17]), "EPSG:32643"],
    ["a continent to equal areas", gridOf("EPSG:4326", 180, 140, [0.25, 0, -10, 0, -0.25, 70]), "EPSG:3035"],
    ["the world to Mercator", gridOf("EPSG:4326", 360, 170, [1, 0, -180, 0, -1, 85]), "EPSG:3857"],
    ["around the pole", gridOf("EPSG:3413", 160, 160, [50_000, 0, -4e6, 0, -50_000, 4e6]), "EPSG:4326"],
    ["across 180 degrees", gridOf("EPSG:32601", 100, 100, [1000, 0, 250_000, 0, -1000, 7e6]), "EPSG:4326"],
    ["a rotated grid", gridOf("EPSG:32643", 120, 90, [80, 60, 450_000, 60, -80, 1_800_000]), "EPSG:4326"],
  ])("places pixels as the transformer does, to a millionth of a pixel: %s", async (_, grid, to) => {
    // Not coarser than the source: a widened kernel does not give positions back.
    const warped = await warpRaster(positions(grid), { to, resampling: "bilinear", width: 700, height: 600 });
    const { bands } = await all(warped);
    let seen = 0;
    for (let i = 0; i < bands[0]!.length; i += 7) {
      const col = i % warped.grid.width;
      const [x, y] = placeOf(warped.grid, grid, col, Math.floor(i / warped.grid.width));
      const inside = x > 0.5 && y > 0.5 && x < grid.width - 0.5 && y < grid.height - 0.5;
      if (!inside) continue;
      seen++;
      // Compared one by one only when wrong: expect() is slow.
      const good = Math.abs(Number(bands[0]![i]) - x) < 1e-6 && Math.abs(Number(bands[1]![i]) - y) < 1e-6;
      if (!good) expect([bands[0]![i], bands[1]![i]]).toEqual([x, y]);
    }
    expect(seen).toBeGreaterThan(10_000);
  });

  it("takes the sample that holds each centre", async () => {
    const source = noise(UTM, "int16", { nodata: -1 });
    const warped = await warpRaster(source, { to: "EPSG:4326" });
    const [samples] = (await all(warped)).bands;
    const [given] = (await all(source)).bands;
    const expected = new Int16Array(samples!.length).fill(-1);
    for (let i = 0; i < expected.length; i++) {
      const [x, y] = placeOf(warped.grid, UTM, i % warped.grid.width, Math.floor(i / warped.grid.width));
      if (x >= 0 && y >= 0 && x < UTM.width && y < UTM.height)
        expected[i] = Number(given![Math.floor(y) * UTM.width + Math.floor(x)]);
    }
    expect(Buffer.from(samples!.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
  });

  it("keeps approximate positions within the tolerance", async () => {
    const warped = await warpRaster(positions(UTM), {
      to: "EPSG:4326",
      resampling: "bilinear",
      approximate: 0.125,
    });
    const { bands } = await all(warped);
    for (let i = 0; i < bands[0]!.length; i += 101) {
      const [x, y] = placeOf(warped.grid, UTM, i % warped.grid.width, Math.floor(i / warped.grid.width));
      if (!(x > 0.5 && y > 0.5 && x < 299.5 && y < 199.5)) continue;
      expect(Math.abs(Number(bands[0]![i]) - x)).toBeLessThan(0.125);
      expect(Math.abs(Number(bands[1]![i]) - y)).toBeLessThan(0.125);
    }
  });

  it("gives back the source on its own grid, whatever the method that keeps samples", async () => {
    const source = noise(gridOf("EPSG:32643", 70, 40, [10, 0, 0, 0, -10, 0]), "int16", { nodata: 7 });
    const [given] = (await all(source)).bands;
    for (const resampling of ["near", "bilinear", "cubic", "average", "mode", "min", "sum"] as const) {
      expect(await numbers(source, { resampling }), resampling).toEqual([...given!]);
    }
  });

  it("needs no mask where the result lies inside the source, and makes one where it does not", async () => {
    const source = small([1, 2, 3, 4], 2);
    expect((await warpRaster(source, { res: 5 })).hasMask).toBe(false);
    const wider = await warpRaster(source, { extent: [-10, -20, 20, 0], res: 10 });
    expect(wider.hasMask).toBe(true);
    const { bands, mask } = await all(wider);
    expect([...bands[0]!]).toEqual([0, 1, 2, 0, 3, 4]);
    expect([...mask!]).toEqual([0, 255, 255, 0, 255, 255]);
  });
});

describe("methods of warpRaster", () => {
  const half = { res: 20 };
  const four = small([1, 5, 2, 2, 3, 5, 9, 4], 4);

  it.each<[Resampling, number[]]>([
    // Positions fall on corners of pixels; those count for the pixel below on the right.
    ["near", [5, 4]],
    ["average", [4, 4]], // 3.5 and 4.25, halves up
    ["sum", [14, 17]],
    ["min", [1, 2]],
    ["max", [5, 9]],
    ["mode", [5, 2]],
    ["med", [3, 2]],
    ["q1", [1, 2]],
    ["q3", [5, 4]],
  ])("%s of four samples each", async (resampling, expected) => {
    expect(await numbers(four, { ...half, resampling })).toEqual(expected);
  });

  it("the first value to be met as often as the most frequent one is the mode", async () => {
    expect(await numbers(small([4, 3, 3, 4], 2), { ...half, resampling: "mode" })).toEqual([3]);
  });

  it("sums keep their total on finer, coarser and shifted grids", async () => {
    const grid = gridOf("EPSG:32643", 20, 14, [10, 0, 0, 0, -10, 0]);
    const data = new Float64Array(280).map((_, i) => (i * 37) % 101);
    const source = memoryRaster(grid, [{ type: "float64" }], [data]);
    const total = data.reduce((a, b) => a + b);
    for (const res of [3, 7, 10, 33]) {
      const got = await numbers(source, {
        extent: [-40, -177, 233, 41],
        res,
        resampling: "sum",
        snap: "tap",
      });
      const sum = got.reduce((a, b) => a + (Number.isNaN(b) ? 0 : b), 0);
      expect(sum).toBeCloseTo(total, 8);
    }
  });

  it("widens kernels when the result is coarser, so that every sample counts", async () => {
    const line = small([0, 0, 0, 0, 90, 0, 0, 0, 0], 9);
    for (const resampling of ["bilinear", "cubic", "cubicspline", "lanczos"] as const) {
      const [a, b, c] = await numbers(line, { width: 3, height: 1, resampling });
      expect(b, resampling).toBeGreaterThan(15);
      expect(b, resampling).toBeLessThan(50);
      expect(a, resampling).toBe(c);
    }
  });

  it("leaves out what is not observed and lets the other weights grow", async () => {
    const source = small([-9, 10, 20, 30], 2, { nodata: -9 });
    // Centres at (0.5, 0.5) hold nodata; those at a quarter of the others mix three samples.
    const fine = await numbers(source, { res: 5, resampling: "bilinear" });
    expect(fine.slice(0, 4)).toEqual([-9, -9, 10, 10]);
    // (1.25, 0.75): weights 3/16 of nodata, 9/16 of 10, 1/16 of 20, 3/16 of 30.
    expect(fine[6]).toBe(Math.floor((9 * 10 + 1 * 20 + 3 * 30) / 13 + 0.5));
    expect(await numbers(source, { res: 20, resampling: "average" })).toEqual([20]);
    expect(await numbers(source, { res: 20, resampling: "min" })).toEqual([10]);
  });

  it("never makes nodata out of observed samples by chance", async () => {
    const source = small([4, 6, 4, 6], 2, { nodata: 5 });
    expect(await numbers(source, { res: 20, resampling: "average" })).toEqual([4]);
  });

  it("heeds the mask, resamples alpha, and carries nodata over", async () => {
    const grid = gridOf("EPSG:32643", 2, 2, [10, 0, 0, 0, -10, 0]);
    const mask = Uint8Array.of(0, 255, 255, 255);
    const masked = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.of(200, 10, 20, 30)], { mask });
    const warped = await warpRaster(masked, { res: 20, resampling: "average" });
    expect(await all(warped)).toEqual({ bands: [Uint8Array.of(20)], mask: Uint8Array.of(255) });
    const renamed = await warpRaster(small([-9, 1, 1, 1], 2, { nodata: -9 }), { nodata: 99 });
    expect(renamed.bands[0]!.nodata).toBe(99);
    expect([...(await all(renamed)).bands[0]!]).toEqual([99, 1, 1, 1]);
    const alpha = memoryRaster(
      grid,
      [{ type: "uint8" }, { type: "uint8", colorInterpretation: "alpha" }],
      [Uint8Array.of(200, 10, 20, 30), Uint8Array.of(0, 255, 255, 255)],
      { mask },
    );
    const rgba = await all(await warpRaster(alpha, { res: 20, resampling: "average" }));
    expect(rgba.bands.map((band) => band[0])).toEqual([20, 191]);
  });

  it("keeps colours for classes and drops them, with a warning, for means", async () => {
    const band = { colorTable: [[1, 2, 3, 255]] as const, colorInterpretation: "palette" };
    const metadata = { STATISTICS_MEAN: "3", kind: "classes" };
    const source = small([1, 2, 3, 4], 2, { ...band, metadata });
    const near = await warpRaster(source, { res: 5 });
    expect(near.bands[0]).toMatchObject({ ...band, metadata: { kind: "classes" } });
    const mean = await warpRaster(source, { res: 20, resampling: "average" });
    expect(mean.bands[0]).toMatchObject({ colorTable: null, colorInterpretation: "gray" });
    expect(mean.report.warnings.join()).toContain("colour table");
  });

  it.each<[SampleType, SampleArray]>([
    ["int8", Int8Array.of(-8, 4, 4, 4)],
    ["uint16", Uint16Array.of(60000, 4, 4, 4)],
    ["uint32", Uint32Array.of(4e9, 4, 4, 4)],
    ["int64", BigInt64Array.of(-(2n ** 40n), 4n, 4n, 4n)],
    ["uint64", BigUint64Array.of(2n ** 40n, 4n, 4n, 4n)],
    ["float16", Float32Array.of(0.5, 4, 4, 4)],
    ["complex64", Float32Array.of(1, -1, 3, -3, 5, -5, 7, -7)],
    ["complexint16", Int16Array.of(1, -1, 3, -3, 5, -5, 7, -7)],
  ])("warps %s", async (type, data) => {
    const grid = gridOf("EPSG:32643", 2, 2, [10, 0, 0, 0, -10, 0]);
    const source = memoryRaster(grid, [{ type }], [data]);
    const near = await all(await warpRaster(source, { extent: [0, -10, 20, 0], res: 10 }));
    expect(near.bands[0]).toEqual(data.slice(0, data.length / 2));
    const { bands } = await all(await warpRaster(source, { res: 20, resampling: "average" }));
    const mean = type.startsWith("complex")
      ? [4, -4]
      : [Array.from(data, Number).reduce((a, b) => a + b) / 4];
    const whole = type.startsWith("float") ? mean : mean.map((value) => Math.floor(value + 0.5));
    expect(Array.from(bands[0]!, Number)).toEqual(whole);
  });
});

describe("grids of warpRaster", () => {
  const size = ({ grid }: RasterSource): number[] => [grid.width, grid.height, ...grid.transform];

  it("takes the grid of another raster as it is", async () => {
    const other = gridOf("EPSG:4326", 11, 13, [0.01, 0, 74.6, 0, -0.02, 16.2]);
    const warped = await warpRaster(noise(UTM), { like: { grid: other } });
    expect(size(warped)).toEqual([11, 13, ...other.transform]);
    await expect(warpRaster(noise(UTM), { like: { grid: other }, res: 1 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(warpRaster(noise(UTM), { like: { grid: other }, to: "EPSG:3857" })).rejects.toMatchObject({
      code: "CRS_MISMATCH",
    });
  });

  it("meets an extent exactly, or grows it to multiples of the cell size", async () => {
    const source = small(new Array<number>(100).fill(1), 10);
    const extent = [3, -77, 94, -2] as const;
    expect(size(await warpRaster(source, { extent, res: 30 }))).toEqual([3, 3, 30, 0, 3, 0, -30, -2]);
    expect(size(await warpRaster(source, { extent, res: 30, snap: "tap" }))).toEqual([
      4, 3, 30, 0, 0, 0, -30, 0,
    ]);
    expect(size(await warpRaster(source, { extent, snap: "source" }))).toEqual([10, 8, 10, 0, 0, 0, -10, 0]);
    expect(size(await warpRaster(source, { extent, width: 91 }))).toEqual([91, 75, 1, 0, 3, 0, -1, -2]);
    expect(size(await warpRaster(source, { res: [20, 50] }))).toEqual([5, 2, 20, 0, 0, 0, -50, 0]);
  });

  it("stands a rotated or south-up raster upright", async () => {
    const upsideDown = memoryRaster(
      gridOf("EPSG:32643", 1, 3, [10, 0, 0, 0, 10, 0]),
      [{ type: "uint8" }],
      [Uint8Array.of(1, 2, 3)],
    );
    const warped = await warpRaster(upsideDown, { res: 10 });
    expect(size(warped)).toEqual([1, 3, 10, 0, 0, 0, -10, 30]);
    expect([...(await all(warped)).bands[0]!]).toEqual([3, 2, 1]);
  });

  it("says what cannot be", async () => {
    const source = noise(UTM);
    await expect(warpRaster(source, { to: "EPSG:4326", extent: [10, 10, 11, 11] })).rejects.toMatchObject({
      code: "NO_OVERLAP",
    });
    await expect(warpRaster(source, { extent: [5, 5, 5, 6] })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(warpRaster(source, { res: 0 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(warpRaster(source, { res: 1, width: 5 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(warpRaster(source, { to: "EPSG:4326", res: 1e-12 })).rejects.toMatchObject({
      code: "LIMIT",
    });
    await expect(warpRaster(source, { nodata: 0.5 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(warpRaster(source, { approximate: -1 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(warpRaster(source, { resampling: "nice" as Resampling })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    const lost = noise(gridOf(null, 4, 4, [1, 0, 0, 0, -1, 0]));
    await expect(warpRaster(lost, { to: "EPSG:4326" })).rejects.toMatchObject({ code: "CRS_UNKNOWN" });
    expect((await warpRaster(lost, { res: 2 })).grid.width).toBe(2);
  });
});

describe("warpRaster across the antimeridian and around the poles", () => {
  it("goes on beyond 180 degrees instead of around the globe", async () => {
    const across = gridOf("EPSG:32601", 100, 100, [1000, 0, 250_000, 0, -1000, 7_000_000]);
    const warped = await warpRaster(positions(across), { to: "EPSG:4326", resampling: "bilinear" });
    expect(warped.report.crossesAntimeridian).toBe(true);
    expect(warped.report.warnings.join()).toContain("180");
    const [sizeX, , west] = warped.grid.transform;
    expect(west).toBeLessThan(180);
    expect(west + warped.grid.width * sizeX).toBeGreaterThan(180);
    expect(warped.grid.width * sizeX).toBeLessThan(5);
  });

  it("finds a source that lies across the antimeridian or counts from 0 to 360", async () => {
    const pacific = gridOf("EPSG:4326", 40, 20, [1, 0, 160, 0, -1, 10]);
    const east = await warpRaster(positions(pacific), { extent: [-180, -10, -160, 10], res: 1 });
    expect([...(await all(east)).bands[0]!.subarray(0, 20)]).toEqual(
      Array.from({ length: 20 }, (_, k) => 20.5 + k),
    );
    const both = await warpRaster(positions(pacific), { extent: [170, -10, -170, 10], res: 1 });
    expect([both.grid.width, both.grid.transform[2]]).toEqual([20, 170]);
    expect([...(await all(both)).bands[0]!.subarray(0, 20)]).toEqual(
      Array.from({ length: 20 }, (_, k) => 10.5 + k),
    );
    const globe = gridOf("EPSG:4326", 360, 180, [1, 0, 0, 0, -1, 90]);
    const usual = await warpRaster(positions(globe), { extent: [-180, -90, 180, 90], res: 1 });
    const [x] = (await all(usual)).bands;
    expect([x![0], x![179], x![180], x![359]]).toEqual([180.5, 359.5, 0.5, 179.5]);
  });

  it.each(["near", "average", "max", "bilinear"] as const)(
    "shows the Pacific in one piece: %s",
    async (resampling) => {
      const globe = gridOf("EPSG:4326", 360, 160, [1, 0, -180, 0, -1, 80]);
      const samples = new Float64Array(360 * 160).map((_, i) =>
        Math.abs(Math.abs((i % 360) + 0.5 - 180) - 180),
      );
      // Distance from the antimeridian in degrees: continuous across it.
      const source = memoryRaster(globe, [{ type: "float64" }], [samples]);
      const warped = await warpRaster(source, {
        to: "EPSG:3832",
        extent: [0, -5e6, 9e6, 5e6],
        res: 100_000,
        resampling,
      });
      const [out] = (await all(warped)).bands;
      const back = transformer("EPSG:3832", "EPSG:4326");
      for (let i = 0; i < out!.length; i++) {
        const xy = Float64Array.of(1e5 * ((i % 90) + 0.5), 0);
        back(xy);
        const expected = Math.abs(Math.abs(xy[0]!) - 180);
        if (!(Math.abs(Number(out![i]) - expected) <= 1.5)) expect([i, out![i]]).toEqual([i, expected]);
      }
    },
  );

  it("goes all around and up to a pole inside", async () => {
    const polar = gridOf("EPSG:3031", 80, 80, [50_000, 0, -2e6, 0, -50_000, 2e6]);
    const warped = await warpRaster(positions(polar), { to: "EPSG:4326", resampling: "near" });
    const [sizeX, , west, , sizeY, north] = warped.grid.transform;
    expect(west).toBe(-180);
    expect(west + sizeX * warped.grid.width).toBeCloseTo(180, 9);
    expect(north + sizeY * warped.grid.height).toBeCloseTo(-90, 9);
    const { bands } = await all(warped);
    // The last row goes around the pole, which lies in the middle of the source.
    for (const x of bands[0]!.subarray(-warped.grid.width)) expect(Math.abs(Number(x) - 40)).toBeLessThan(5);
  });

  it("leaves empty what a projection cannot show", async () => {
    const globe = noise(gridOf("EPSG:4326", 72, 36, [5, 0, -180, 0, -5, 90]), "int16", { nodata: -1 });
    const half = "+proj=ortho +lat_0=0 +lon_0=20 +datum=WGS84 +units=m +type=crs";
    const warped = await warpRaster(globe, { to: half, extent: [-7e6, -7e6, 7e6, 7e6], res: 2e5 });
    const samples = [...(await all(warped)).bands[0]!].map(Number);
    expect(samples[0]).toBe(-1);
    expect(samples[35 * 70 + 35]).toBeGreaterThanOrEqual(0);
    const share = samples.filter((value) => value >= 0).length / samples.length;
    expect(share).toBeCloseTo((Math.PI * 6.378137 ** 2) / 14 ** 2, 1);
  });
});

describe("bytes of warpRaster", () => {
  const executor = threads(2, { patience: 0 });
  afterAll(() => executor.close());

  const METHODS: Resampling[] = ["near", "bilinear", "cubic", "lanczos", "average", "mode", "max", "med"];

  it.each(METHODS)("%s: the same for other windows, threads and budgets", async (resampling) => {
    const grid = gridOf("EPSG:32643", 330, 270, [90, 20, 450_000, 20, -90, 1_800_000]);
    const source = noise(grid, "int16", { nodata: 17 }, 5);
    const options: WarpOptions = { to: "EPSG:4326", res: [0.0011, 0.0021], resampling };
    const warped = await warpRaster(source, options);
    const [whole] = (await all(warped)).bands;
    for (const other of [
      await warpRaster(source, { ...options, executor }),
      await warpRaster(source, { ...options, memory: 200_000 }),
    ]) {
      const pieces = new Int16Array(whole!.length).fill(99);
      const windows = [...tileWindows(other.grid, 61, 83)].reverse();
      await Promise.all(
        windows.map(async (window) => {
          const { bands } = await other.read(window);
          for (let row = 0; row < window.height; row++) {
            const part = bands[0]!.subarray(row * window.width, (row + 1) * window.width) as Int16Array;
            pieces.set(part, (window.row + row) * other.grid.width + window.col);
          }
        }),
      );
      expect(Buffer.from(pieces.buffer).equals(Buffer.from(whole!.buffer))).toBe(true);
    }
  });

  it("any window is the part of the whole, on any grid", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("EPSG:4326", "EPSG:3857", "EPSG:32644", "EPSG:3035"),
        fc.constantFrom<Resampling[]>("near", "bilinear", "average"),
        fc.integer({ min: 3, max: 90 }),
        fc.integer({ min: 0, max: 1000 }),
        async (to, resampling, width, seed) => {
          const warped = await warpRaster(noise(UTM, "uint8", {}, seed), { to, resampling, width });
          const { bands, mask } = await all(warped);
          const { grid } = warped;
          const col = seed % grid.width;
          const row = (seed * 7) % grid.height;
          const window = { col, row, width: grid.width - col, height: Math.min(3, grid.height - row) };
          const part = await warped.read(window);
          for (let r = 0; r < window.height; r++) {
            const from = (row + r) * grid.width + col;
            const line = (array: SampleArray, at: number): number[] =>
              Array.from(array.subarray(at, at + window.width), Number);
            expect(line(part.bands[0]!, r * window.width)).toEqual(line(bands[0]!, from));
            expect(line(part.mask!, r * window.width)).toEqual(line(mask!, from));
          }
        },
      ),
      { seed: 20, numRuns: 40 },
    );
  });

  it("refuses a pixel that covers more than fits in memory, and stops when asked", async () => {
    const source = noise(gridOf("EPSG:32643", 600, 600, [1, 0, 0, 0, -1, 0]));
    const one = await warpRaster(source, { width: 1, height: 1, resampling: "average", memory: 1000 });
    await expect(one.read(fullWindow(one.grid))).rejects.toMatchObject({ code: "LIMIT" });
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    await expect(one.read(fullWindow(one.grid), { signal: abort.signal })).rejects.toThrow("enough");
  });
});
