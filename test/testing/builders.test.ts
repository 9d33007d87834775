import { describe, expect, it } from "vitest";
import { transformer } from "../../src/crs/transformer.ts";
import { rowAt } from "../../src/model/features.ts";
import { MULTI_POLYGON, POLYGON, rowBounds } from "../../src/model/geometry.ts";
import { makeLines, makeMultiPolygons, makePoints, makePolygons } from "../../src/testing/features.ts";
import { toLonLat, toUtm } from "../../src/testing/places.ts";
import { makeRaster, makeScene, makeStack } from "../../src/testing/rasters.ts";

describe("makeRaster", () => {
  it("shows its pixels and remembers its reads", async () => {
    const raster = makeRaster(
      "uint8",
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { nodata: 0 },
    );
    const block = await raster.read({ col: 1, row: 0, width: 2, height: 2 });
    expect([...block.bands[0]!]).toEqual([2, 3, 5, 6]);
    expect(raster.reads).toEqual([{ col: 1, row: 0, width: 2, height: 2 }]);
    expect(raster.bands[0]).toMatchObject({ type: "uint8", nodata: 0 });
  });

  it("takes several bands, 64-bit integers and a mask", async () => {
    const mask = Uint8Array.of(255, 0);
    const raster = makeRaster("int64", [[[1, 2]], [[3, 4]]], { mask });
    const block = await raster.read({ col: 0, row: 0, width: 2, height: 1 }, { bands: [1] });
    expect(block.bands).toEqual([BigInt64Array.of(3n, 4n)]);
    expect(block.mask).toEqual(mask);
  });

  it("refuses windows that reach outside", async () => {
    await expect(makeRaster("uint8", [[1]]).read({ col: 0, row: 0, width: 2, height: 1 })).rejects.toThrow(
      RangeError,
    );
  });
});

describe("makeScene and makeStack", () => {
  it("are the same for the same options and keep to their range", async () => {
    const whole = { col: 0, row: 0, width: 40, height: 30 };
    const options = { seed: 3, width: 40, height: 30, range: [-50, 50], gaps: 0.2, nodata: -999 } as const;
    const [a, b] = await Promise.all([makeScene(options).read(whole), makeScene(options).read(whole)]);
    expect(a.bands).toEqual(b.bands);
    const samples = [...(a.bands[0] as Int16Array)];
    const missing = samples.filter((value) => value === -999).length;
    expect(missing / samples.length).toBeCloseTo(0.2, 1);
    for (const value of samples) if (value !== -999) expect(Math.abs(value)).toBeLessThanOrEqual(50);
  });

  it("date a stack", () => {
    const dates = makeStack({ count: 3, start: "2024-02-20" }).map(({ date }) => date);
    expect(dates).toEqual(["2024-02-20", "2024-03-07", "2024-03-23"]);
  });
});

describe("feature builders", () => {
  it("close rings, type columns and keep nulls", () => {
    const table = makePolygons(
      [
        [
          [
            [0, 0],
            [4, 0],
            [4, 4],
          ],
        ],
      ],
      { columns: { name: ["a"], size: [1.5], left: [null] } },
    );
    expect([...table.geometry!.xy]).toEqual([0, 0, 4, 0, 4, 4, 0, 0]);
    expect(table.columns.map(({ name, type }) => [name, type])).toEqual([
      ["name", "string"],
      ["size", "float64"],
      ["left", "int32"],
    ]);
    expect(rowAt(table, 0)).toEqual({ name: "a", size: 1.5, left: null });
  });

  it("tile a square with as many polygons as asked for", () => {
    const { count, geometry } = makePolygons(7);
    expect(count).toBe(7);
    expect([...rowBounds(geometry!)].every((value) => value >= 0 && value <= 1000)).toBe(true);
  });

  it("make MultiPolygons only of several parts", () => {
    const square = [
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    ] as const;
    expect([...makeMultiPolygons([[square], [square, square]]).geometry!.types]).toEqual([
      POLYGON,
      MULTI_POLYGON,
    ]);
  });

  it("scatter the same points and lines for the same seed", () => {
    expect(makePoints(5, { seed: 2 })).toEqual(makePoints(5, { seed: 2 }));
    expect(makeLines(5, { seed: 2 }).geometry!.xy).not.toEqual(makeLines(5, { seed: 3 }).geometry!.xy);
  });
});

describe("UTM of the sample", () => {
  it("agrees with the library's transformer to a tenth of a millimetre and comes back", () => {
    const move = transformer("EPSG:4326", "EPSG:32645");
    for (const [lon, lat] of [
      [86.1, 23.4],
      [84.2, -12],
      [89.9, 65],
      [87, 0],
    ] as const) {
      const xy = Float64Array.of(lon, lat);
      move(xy);
      const [x, y] = toUtm(lon, lat);
      expect(Math.abs(x - xy[0]!)).toBeLessThan(1e-4);
      // The library counts southern latitudes below zero in a northern zone, as PROJ does.
      expect(Math.abs(y - xy[1]!)).toBeLessThan(1e-4);
      const [backLon, backLat] = toLonLat(x, y);
      expect(Math.abs(backLon - lon)).toBeLessThan(1e-9);
      expect(Math.abs(backLat - lat)).toBeLessThan(1e-9);
    }
  });
});
