import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { type ProximityOptions, proximity } from "../../src/operators/proximity.ts";
import { rasterize } from "../../src/operators/rasterize.ts";
import { tableOf, unitGrid } from "../helpers/vectors.ts";

async function distances(source: RasterSource, options: ProximityOptions = {}): Promise<number[]> {
  const result = proximity(source, options);
  return Array.from((await result.read(fullWindow(result.grid))).bands[0]!, Number);
}

function bytes(width: number, ...samples: number[]): RasterSource {
  const grid = unitGrid(width, samples.length / width);
  return memoryRaster(grid, [{ type: "uint8", nodata: 255 }], [Uint8Array.from(samples)]);
}

describe("proximity", () => {
  it("measures from centre to centre, to what is not 0 and not nodata", async () => {
    expect(await distances(bytes(4, 0, 0, 0, 7, 0, 255, 0, 0), { dtype: "float64" })).toEqual([
      3,
      2,
      1,
      0,
      Math.sqrt(10),
      Math.sqrt(5),
      Math.sqrt(2),
      1,
    ]);
  });

  it("measures to the values asked for", async () => {
    expect(await distances(bytes(4, 1, 2, 3, 0), { targets: [1, 3] })).toEqual([0, 1, 0, 1]);
    expect(await distances(bytes(3, 0, 1, 1), { targets: [0] })).toEqual([0, 1, 2]);
  });

  it("has no value beyond the limit, and none anywhere without a target", async () => {
    expect(await distances(bytes(4, 9, 0, 0, 0), { maxDistance: 2 })).toEqual([0, 1, 2, Number.NaN]);
    expect(await distances(bytes(2, 0, 255))).toEqual([Number.NaN, Number.NaN]);
  });

  it("takes cells as they are in the CRS, or counts them", async () => {
    const grid: Grid = { width: 2, height: 2, transform: [3, 0, 0, 0, -4, 0], crs: null };
    const source = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.of(1, 0, 0, 0)]);
    expect(await distances(source)).toEqual([0, 3, 4, 5]);
    expect(await distances(source, { unit: "cells", dtype: "float64" })).toEqual([0, 1, 1, Math.sqrt(2)]);
    const turned: Grid = { ...grid, transform: [0, 4, 0, 3, 0, 0] };
    const rotated = memoryRaster(turned, [{ type: "uint8" }], [Uint8Array.of(1, 0, 0, 0)]);
    expect(await distances(rotated)).toEqual([0, 3, 4, 5]);
    const sheared: Grid = { ...grid, transform: [3, 1, 0, 0, -4, 0] };
    expect(() => proximity(memoryRaster(sheared, [{ type: "uint8" }], [new Uint8Array(4)]))).toThrow(
      /right angles/,
    );
  });

  it("measures to features that were burnt", async () => {
    const roads = await rasterize(tableOf("LINESTRING (0.5 0.5, 2.5 0.5)"), { grid: unitGrid(3, 3) });
    expect(await distances(roads)).toEqual([2, 2, 2, 1, 1, 1, 0, 0, 0]);
  });

  it("refuses a band that is not there and a limit that is none", () => {
    expect(() => proximity(bytes(1, 0), { band: 1 })).toThrow(/has no band 2/);
    expect(() => proximity(bytes(1, 0), { maxDistance: Number.NaN })).toThrow(/maxDistance is NaN/);
  });

  it("equals the distances to all targets one by one, however the raster is stored and read", async () => {
    const size = fc.integer({ min: 1, max: 24 });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(size, size).chain(([width, height]) =>
          fc.record({
            width: fc.constant(width),
            // Few targets, as in life.
            data: fc.array(
              fc.integer({ min: 0, max: 9 }).map((n) => (n === 9 ? 1 : 0)),
              { minLength: width * height, maxLength: width * height },
            ),
          }),
        ),
        fc.constantFrom([1, 1], [2.5, 1], [0.3, 0.7]),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async ({ width, data }, [dx, dy], tile, tight) => {
          const height = data.length / width;
          const grid: Grid = { width, height, transform: [dx!, 0, 0, 0, -dy!, 0], crs: null };
          const source = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.from(data)], {
            tile: { width: tile, height: tile },
          });
          const options = { dtype: "float64", memory: tight ? 1 : undefined } as const;
          const expected = data.map((_, i) => {
            let least = Infinity;
            for (let t = 0; t < data.length; t++) {
              if (data[t] === 0) continue;
              const across = ((i % width) - (t % width)) * dx!;
              const down = (Math.floor(i / width) - Math.floor(t / width)) * dy!;
              least = Math.min(least, Math.hypot(across, down));
            }
            return least === Infinity ? Number.NaN : least;
          });
          const found = await distances(source, options);
          for (let i = 0; i < found.length; i++) {
            if (Number.isNaN(expected[i]!)) expect(found[i]).toBeNaN();
            else expect(Math.abs(found[i]! - expected[i]!)).toBeLessThanOrEqual(4e-15 * expected[i]!);
          }
          const result = proximity(source, options);
          const part = { col: width >> 1, row: height >> 1, width: width - (width >> 1), height: 1 };
          const row = (await result.read(part)).bands[0]!;
          const from = part.row * width + part.col;
          expect(Array.from(row, Number)).toEqual(found.slice(from, from + part.width));
        },
      ),
      { numRuns: 300, seed: 3 },
    );
  });
});
