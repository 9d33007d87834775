import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findInvalid } from "../../src/kernels/vector/validity.ts";
import { concatTables, type FeatureTable, rowAt } from "../../src/model/features.ts";
import { geometryToGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { Band, RasterSource, SampleArray, SampleType } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { type PolygonizeOptions, polygonize } from "../../src/operators/polygonize.ts";
import { rasterize } from "../../src/operators/rasterize.ts";
import { measure, unitGrid } from "../helpers/vectors.ts";

/** A raster of digits; `.` is nodata. */
function digits(...rows: string[]): RasterSource {
  const data = Uint8Array.from(rows.join(""), (one) => (one === "." ? 255 : Number(one)));
  const grid = unitGrid(rows[0]!.length, rows.length);
  return memoryRaster(grid, [{ type: "uint8", nodata: 255 }], [data]);
}

async function polygons(source: RasterSource, options: PolygonizeOptions = {}): Promise<FeatureTable> {
  const features = polygonize(source, options);
  const batches: FeatureTable[] = [];
  for await (const batch of features.batches()) batches.push(batch);
  return concatTables(batches, features.schema);
}

function coordinates(table: FeatureTable, row: number): unknown {
  return (geometryToGeoJson(table.geometry!, row) as { coordinates: unknown }).coordinates;
}

const values = (table: FeatureTable, field = "value") =>
  Array.from({ length: table.count }, (_, row) => rowAt(table, row)[field]);

describe("polygonize", () => {
  it("follows cell edges, with vertices where the boundary turns", async () => {
    const table = await polygons(digits("112", "122"));
    expect(values(table)).toEqual([1, 2]);
    expect(coordinates(table, 0)).toEqual([[[0, 2], [0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [0, 2]]]); // biome-ignore format: one ring
    expect(coordinates(table, 1)).toEqual([[[2, 2], [2, 1], [1, 1], [1, 0], [3, 0], [3, 2], [2, 2]]]); // biome-ignore format: one ring
  });

  it("leaves out nodata, NaN and masked pixels", async () => {
    expect(values(await polygons(digits("1.", ".2")))).toEqual([1, 2]);
    const grid = unitGrid(3, 1);
    const floats = memoryRaster(grid, [{ type: "float32" }], [Float32Array.of(1.5, Number.NaN, 2)]);
    expect(values(await polygons(floats))).toEqual([1.5, 2]);
    const masked = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.of(7, 7, 7)], {
      mask: Uint8Array.of(255, 0, 255),
    });
    expect(values(await polygons(masked, { pixels: "n" }), "n")).toEqual([1, 1]);
    const mask = memoryRaster(grid, [{ type: "int16", nodata: -1 }], [Int16Array.of(0, 5, -1)]);
    expect(values(await polygons(masked, { mask }))).toEqual([]);
    const whole = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.of(7, 8, 9)]);
    expect(values(await polygons(whole, { mask }))).toEqual([8]);
  });

  it("gives holes to the polygon around them, also holes that touch the shell or each other", async () => {
    const ring = await polygons(digits("1112", "1211", "1121", "1111"));
    expect(values(ring)).toEqual([1, 2, 2, 2]);
    // The corner at (3, 3) belongs to shell and first hole, that at (2, 2) to both holes.
    expect(coordinates(ring, 0)).toHaveLength(3);
    expect(findInvalid(ring.geometry!, 0)).toBeNull();
    const touching = await polygons(digits("1113", "1121", "1111"));
    expect(coordinates(touching, 0)).toEqual([
      [[0, 3], [0, 0], [4, 0], [4, 2], [3, 2], [3, 3], [0, 3]], // biome-ignore format: one ring
      [[2, 2], [3, 2], [3, 1], [2, 1], [2, 2]], // biome-ignore format: one ring
    ]);
  });

  it("joins corners into multipolygons with 8 neighbours", async () => {
    const raster = digits("10", "01");
    expect(values(await polygons(raster))).toEqual([1, 0, 0, 1]);
    const eight = await polygons(raster, { connectivity: 8, pixels: "pixels" });
    expect(values(eight)).toEqual([1, 0]);
    expect(values(eight, "pixels")).toEqual([2, 2]);
    expect(coordinates(eight, 0)).toEqual([
      [[[0, 2], [0, 1], [1, 1], [1, 2], [0, 2]]], // biome-ignore format: one ring
      [[[1, 1], [1, 0], [2, 0], [2, 1], [1, 1]]], // biome-ignore format: one ring
    ]);
  });

  it("orders by first pixel, or as regions end", async () => {
    const raster = digits("3333", "3123", "3333");
    expect(values(await polygons(raster))).toEqual([3, 1, 2]);
    expect(values(await polygons(raster, { order: "finished" }))).toEqual([1, 2, 3]);
  });

  it("keeps 64-bit values that a double would round", async () => {
    const big = 2n ** 60n;
    const data = BigInt64Array.of(big, big, big + 1n, 5n);
    const raster = memoryRaster(unitGrid(4, 1), [{ type: "int64", nodata: 5n }], [data]);
    expect(values(await polygons(raster))).toEqual([big, big + 1n]);
    const huge = memoryRaster(unitGrid(1, 1), [{ type: "uint64" }], [BigUint64Array.of(2n ** 63n)]);
    await expect(polygons(huge)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("refuses a band that is not there, another connectivity, and a mask on another grid", () => {
    const raster = digits("12");
    expect(() => polygonize(raster, { band: 1 })).toThrow(/has no band 2/);
    expect(() => polygonize(raster, { connectivity: 6 as never })).toThrow(/connectivity is 6/);
    expect(() => polygonize(raster, { mask: digits("1") })).toThrow(/not on the grid/);
    expect(() => polygonize(raster, { pixels: "value" })).toThrow(/cannot name the value/);
  });

  it("hands out batches of the size asked for, and only the rows and fields asked for", async () => {
    const features = polygonize(digits("0123456789"));
    const counts: number[] = [];
    for await (const batch of features.batches({ batchSize: 4 })) counts.push(batch.count);
    expect(counts).toEqual([4, 4, 2]);
    for await (const batch of features.batches({ bounds: [0.2, 0, 1.5, 1], fields: [] })) {
      expect([batch.count, batch.columns.length]).toEqual([2, 0]);
    }
  });
});

/** Rasters of few values, so that regions with holes and touching corners are many. */
const rasters = fc
  .record({ width: fc.integer({ min: 1, max: 14 }), height: fc.integer({ min: 1, max: 14 }) })
  .chain(({ width, height }) =>
    fc.record({
      width: fc.constant(width),
      data: fc
        .array(fc.integer({ min: 0, max: 2 }), { minLength: width * height, maxLength: width * height })
        .map((list) => Uint8Array.from(list)),
      connectivity: fc.constantFrom(4 as const, 8 as const),
      order: fc.constantFrom("first-pixel" as const, "finished" as const),
      south: fc.boolean(),
    }),
  );

/** Numbers of the regions of every pixel, 0 for nodata (value 0), by flooding one after the other. */
function flood(data: Uint8Array, width: number, connectivity: 4 | 8): { labels: Int32Array; count: number } {
  const labels = new Int32Array(data.length);
  const height = data.length / width;
  let count = 0;
  for (let seed = 0; seed < data.length; seed++) {
    if (data[seed] === 0 || labels[seed] !== 0) continue;
    labels[seed] = ++count;
    const stack = [seed];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (connectivity === 4 && dx !== 0 && dy !== 0) continue;
          const col: number = (at % width) + dx;
          const row: number = Math.floor(at / width) + dy;
          const next: number = row * width + col;
          if (col < 0 || col >= width || row < 0 || row >= height) continue;
          if (labels[next] !== 0 || data[next] !== data[seed]) continue;
          labels[next] = count;
          stack.push(next);
        }
      }
    }
  }
  return { labels, count };
}

describe("polygonize on arbitrary rasters", () => {
  it("gives valid polygons, one a region, that burn to the raster they came from", async () => {
    await fc.assert(
      fc.asyncProperty(rasters, async ({ width, data, connectivity, order, south }) => {
        const height = data.length / width;
        const grid: Grid = south
          ? { width, height, transform: [2, 0, 10, 0, 3, -5], crs: null }
          : { width, height, transform: [2, 0, 10, 0, -3, 40], crs: null };
        const source = memoryRaster(grid, [{ type: "uint8", nodata: 0 }], [data]);
        const table = await polygons(source, { connectivity, order, pixels: "n" });
        const { labels, count } = flood(data, width, connectivity);
        expect(table.count).toBe(count);
        const geometry = table.geometry!;
        for (let row = 0; row < count; row++) expect(findInvalid(geometry, row)).toBeNull();
        expect(measure(geometry, 2)).toBe(6 * data.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0));
        const counts = values(table, "n") as number[];
        expect(counts.reduce((sum, n) => sum + n, 0)).toBe(
          data.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0),
        );
        const numbers = Array.from({ length: count }, (_, row) => row + 1);
        const burnt = async (field?: string): Promise<SampleArray> => {
          const raster = await rasterize(table, {
            grid,
            ...(field === undefined ? { value: numbers } : { field }),
          });
          return (await raster.read(fullWindow(grid))).bands[0]!;
        };
        expect(Array.from(await burnt("value"), Number)).toEqual([...data]);
        // By first pixel: features are numbered as flooding from pixel to pixel numbers them.
        if (order === "first-pixel") expect(Array.from(await burnt(), Number)).toEqual([...labels]);
      }),
      { numRuns: 400, seed: 7 },
    );
  });

  it("does not depend on how the raster is stored", async () => {
    await fc.assert(
      fc.asyncProperty(rasters, fc.integer({ min: 1, max: 5 }), async (raster, side) => {
        const { width, data, connectivity, order } = raster;
        const grid = unitGrid(width, data.length / width);
        const of = (tile: number, memory?: number) =>
          polygons(memoryRaster(grid, [{ type: "uint8" }], [data], { tile: { width: tile, height: tile } }), {
            connectivity,
            order,
            memory,
          });
        expect(await of(side, 1)).toEqual(await of(64));
      }),
      { numRuns: 100, seed: 11 },
    );
  });

  it("takes every sample type", async () => {
    const types: SampleType[] = [
      "int8",
      "uint16",
      "int16",
      "uint32",
      "int32",
      "float16",
      "float32",
      "float64",
    ];
    for (const type of types) {
      const band: Partial<Band> & { type: SampleType } = { type, nodata: 0 };
      const array = (
        await rasterize(await polygons(digits("12", "1.")), {
          grid: unitGrid(2, 2),
          field: "value",
          dtype: type,
        })
      ).read;
      const { bands } = await array({ col: 0, row: 0, width: 2, height: 2 });
      expect(values(await polygons(memoryRaster(unitGrid(2, 2), [band], [bands[0]!])))).toEqual([1, 2]);
    }
  });
});
