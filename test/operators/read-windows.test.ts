import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RasterSource } from "../../src/model/raster.ts";
import { makeBand } from "../../src/model/raster.ts";
import { mapConcurrent } from "../../src/operators/map-concurrent.ts";
import { readWindows } from "../../src/operators/read-windows.ts";
import { unitGrid } from "../helpers/vectors.ts";

function source(width: number, height: number, tile: { width: number; height: number }): RasterSource {
  return {
    url: "test",
    grid: unitGrid(width, height),
    bands: [makeBand({ type: "float64" })],
    tile,
    hasMask: false,
    metadata: {},
    read: () => Promise.reject(new Error("not read here")),
    close: () => Promise.resolve(),
  };
}

describe("readWindows", () => {
  it("covers every pixel once, within the memory given", () => {
    const side = fc.integer({ min: 1, max: 3000 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.integer({ min: 20_000, max: 1e8 }),
        (width, height, across, down, memory) => {
          const windows = [...readWindows(source(width, height, { width: across, height: down }), 1, memory)];
          expect(windows.reduce((sum, w) => sum + w.width * w.height, 0)).toBe(width * height);
          const corners = new Set(windows.map(({ col, row }) => `${col},${row}`));
          expect(corners.size).toBe(windows.length);
          for (const { col, row, width: w, height: h } of windows) {
            expect(col + w <= width && row + h <= height).toBe(true);
            // A window is one tile at the least, as long as a tile is no more than four megapixels.
            expect(w * h <= Math.max(memory / 2 / 8, Math.min(across * down, 4 * 1024 * 1024))).toBe(true);
          }
        },
      ),
    );
  });

  it("follows tiles: no tile is in two windows", () => {
    for (const { col, row } of readWindows(source(2000, 1500, { width: 256, height: 256 }), 1, 2e6)) {
      expect(col % 256).toBe(0);
      expect(row % 256).toBe(0);
    }
  });
});

describe("mapConcurrent", () => {
  it("gives results in the order of the items, with no more than the limit running", async () => {
    let running = 0;
    let most = 0;
    const results: number[] = [];
    const task = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, (7 * item) % 5));
      running--;
      return 10 * item;
    };
    for await (const result of mapConcurrent([1, 2, 3, 4, 5, 6], 3, task)) results.push(result);
    expect(results).toEqual([10, 20, 30, 40, 50, 60]);
    expect(most).toBe(3);
  });

  it("passes a failure on when its turn comes", async () => {
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      const task = (item: number): Promise<number> =>
        item === 3 ? Promise.reject(new Error("third")) : Promise.resolve(item);
      for await (const result of mapConcurrent([1, 2, 3, 4], 4, task)) seen.push(result);
    };
    await expect(run()).rejects.toThrow("third");
    expect(seen).toEqual([1, 2]);
  });
});
