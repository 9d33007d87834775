import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullWindow, tileWindows, type Window } from "../../src/model/grid.ts";
import { makeBand, type RasterSource, type Rgba } from "../../src/model/raster.ts";
import { type ClipRasterOptions, clipRaster } from "../../src/operators/clip-raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { tileReader } from "../../src/operators/tile-reader.ts";
import { tableOf, unitGrid } from "../helpers/vectors.ts";

/** 10 x 9 pixels that count from 1, in tiles of 4 x 4; nodata 0. */
function counted(more: { mask?: Uint8Array; nodata?: number | null } = {}): RasterSource {
  const { mask, nodata = 0 } = more;
  const data = Uint8Array.from({ length: 90 }, (_, i) => i + 1);
  return memoryRaster(unitGrid(10, 9), [{ type: "uint8", nodata }], [data], {
    tile: { width: 4, height: 4 },
    mask,
  });
}

/** Counts what is read of a source. */
function watched(source: RasterSource): { source: RasterSource; reads: Window[] } {
  const reads: Window[] = [];
  return {
    reads,
    source: {
      ...source,
      read: (window, options) => {
        reads.push(window);
        return source.read(window, options);
      },
    },
  };
}

/** Centres of columns 3 to 8 and rows 3 to 7: all of the tile at column 4, row 4, parts of others. */
const BOX = [3.2, 0.6, 8.9, 6] as const;

describe("clipRaster to tiles", () => {
  it("grows the window outward to whole tiles of the source, not past its edges", async () => {
    const clipped = await clipRaster(counted(), [5, 2, 6, 3], { crop: "tiles" });
    expect(clipped.report.window).toEqual({ col: 4, row: 4, width: 4, height: 4 });
    const corner = await clipRaster(counted(), [8.5, 0.2, 9.5, 4.5], { crop: "tiles" });
    expect(corner.report.window).toEqual({ col: 8, row: 4, width: 2, height: 5 });
    expect(corner.grid.transform).toEqual([1, 0, 8, 0, -1, 5]);
  });

  it("grows to other tiles when told to", async () => {
    const clipped = await clipRaster(counted(), [5, 2, 6, 3], {
      crop: "tiles",
      tile: { width: 8, height: 8 },
    });
    expect(clipped.report.window).toEqual({ col: 0, row: 0, width: 8, height: 8 });
  });

  it("keeps the same pixels as a crop to pixels, and fills the rest", async () => {
    const region = tableOf("POLYGON ((1 1, 8.2 2.7, 6 8.4, 1 1))");
    for (const options of [{}, { pixels: "all-touched" }, { pixels: "coverage:0.3" }] as const) {
      const tight = await clipRaster(counted(), region, options);
      const wide = await clipRaster(counted(), region, { ...options, crop: "tiles" });
      expect(wide.report.pixelsInside).toBe(tight.report.pixelsInside);
      const observed = async (source: RasterSource): Promise<number[]> =>
        [...((await source.read(fullWindow(source.grid))).bands[0] as Uint8Array)].filter((v) => v !== 0);
      expect(await observed(wide)).toEqual(await observed(tight));
    }
  });

  it("says which tiles are those of the source", async () => {
    const clipped = await clipRaster(counted(), BOX, { crop: "tiles" });
    const origin = clipped.origin!;
    const tiles = [...tileWindows(clipped.grid, 4)].filter((window) => origin.unchanged(window));
    expect(tiles.map(({ col, row }) => [col + origin.col, row + origin.row])).toEqual([[4, 4]]);
    const outside = await clipRaster(counted(), BOX, { crop: "tiles", invert: true });
    const kept = [...tileWindows(outside.grid, 4)].filter((window) => outside.origin!.unchanged(window));
    // The last row of tiles is one pixel high, and its centres lie below the box.
    expect(kept.map(({ col, row }) => [col, row])).toEqual([
      [0, 8],
      [4, 8],
      [8, 8],
    ]);
    const all = await clipRaster(counted(), BOX, { crop: false, invert: true });
    expect(all.origin).toBeUndefined();
  });

  it("is true to its word: unchanged windows hold the samples of the source", async () => {
    const vertex = fc.tuple(
      fc.double({ min: -1, max: 11, noNaN: true }),
      fc.double({ min: -1, max: 10, noNaN: true }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(vertex, { minLength: 3, maxLength: 6 }),
        fc.constantFrom<ClipRasterOptions>(
          {},
          { pixels: "all-touched" },
          { invert: true },
          { pixels: "coverage:0.2" },
        ),
        fc.boolean(),
        async (ring, options, hasMask) => {
          const mask = hasMask
            ? Uint8Array.from({ length: 90 }, (_, i) => (i % 5 === 0 ? 0 : 255))
            : undefined;
          const source = counted({ nodata: null, ...(mask === undefined ? {} : { mask }) });
          const text = `POLYGON ((${[...ring, ring[0]!].map((p) => p.join(" ")).join(", ")}))`;
          let clipped: Awaited<ReturnType<typeof clipRaster>>;
          try {
            clipped = await clipRaster(source, tableOf(text), { ...options, crop: "tiles" });
          } catch {
            return; // beside the raster
          }
          const { col, row, unchanged } = clipped.origin!;
          for (const window of tileWindows(clipped.grid, 2)) {
            const ours = await clipped.read(window);
            const theirs = await source.read({ ...window, col: col + window.col, row: row + window.row });
            const valid = ours.mask ?? new Uint8Array(0);
            const expected = theirs.mask ?? new Uint8Array(valid.length).fill(255);
            const same =
              Buffer.compare(ours.bands[0] as Uint8Array, theirs.bands[0] as Uint8Array) === 0 &&
              Buffer.compare(valid, expected) === 0;
            // Samples here are never 0, so what is cut away always differs.
            expect(unchanged(window)).toBe(same);
          }
        },
      ),
      { numRuns: 150, seed: 7 },
    );
  });

  it("reads a tile that is kept whole once, and none that is outside", async () => {
    const { source, reads } = watched(counted());
    const region = tableOf(
      "POLYGON ((0 5, 4 5, 4 9, 0 9, 0 5))",
      "POLYGON ((8.1 0.1, 9 0.1, 9 0.9, 8.1 0.9, 8.1 0.1))",
    );
    const clipped = await clipRaster(source, region, { crop: "tiles", pixels: "all-touched" });
    expect(reads).toEqual([]);
    for (const window of tileWindows(clipped.grid, 4)) await clipped.read(window);
    expect(reads.map(({ col, row }) => `${col},${row}`).sort()).toEqual(["0,0", "8,8"]);
  });
});

describe("clipRaster, what is kept of a raster", () => {
  const colors: Rgba[] = [
    [0, 0, 0, 0],
    [10, 120, 20, 255],
  ];
  const source = memoryRaster(
    unitGrid(2, 2),
    [
      makeBand({ type: "int16", nodata: -1, description: "red", scale: 0.1, offset: 5, unit: "K" }),
      makeBand({ type: "int16", nodata: -1, description: "classes", colorTable: colors }),
    ],
    [Int16Array.of(1, 2, 3, 4), Int16Array.of(5, 6, 7, 8)],
    { metadata: { season: "rabi" } },
  );

  it("keeps all bands with their descriptions, scales and colours, and the metadata", async () => {
    const clipped = await clipRaster(source, [0, 1, 1, 2]);
    expect(clipped.bands).toEqual(source.bands);
    expect(clipped.metadata).toEqual({ season: "rabi" });
    const { bands } = await clipped.read(fullWindow(clipped.grid));
    expect(bands.map((band) => [...(band as Int16Array)])).toEqual([[1], [5]]);
  });

  it("cuts the bands that are asked for, in that order", async () => {
    const clipped = await clipRaster(source, tableOf("POLYGON ((0 0, 2 2, 0 2, 0 0))"), { crop: false });
    const { bands } = await clipped.read(fullWindow(clipped.grid), { bands: [1, 0] });
    expect(bands.map((band) => [...(band as Int16Array)])).toEqual(
      [
        [5, 6, 7, -1],
        [1, 2, 3, -1],
      ].map((row) => row.map((value, i) => (INSIDE[i] === 1 ? value : -1))),
    );
  });
});

/** Pixels of the 2 x 2 raster whose centre is in the triangle above the diagonal: a centre on its right edge is inside. */
const INSIDE = [1, 1, 1, 0];

describe("tileReader", () => {
  it("hands a window that is one tile on as the source gave it, and others copied", async () => {
    const source = counted();
    const block = {
      window: { col: 0, row: 0, width: 10, height: 9 },
      bands: [new Uint8Array(90)],
      mask: null,
    };
    const reader = tileReader({ ...source, tile: { width: 10, height: 9 }, read: async () => block });
    expect((await reader.view(block.window)).bands[0]).toBe(block.bands[0]);
    expect((await reader.read(block.window)).bands[0]).not.toBe(block.bands[0]);
    expect((await reader.view({ ...block.window, width: 4 })).bands[0]).toHaveLength(36);
  });
});
