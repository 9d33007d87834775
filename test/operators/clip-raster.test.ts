import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, tileWindows, type Window } from "../../src/model/grid.ts";
import type { RasterSource, SampleArray, SampleType } from "../../src/model/raster.ts";
import { type ClipRasterOptions, clipRaster } from "../../src/operators/clip-raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { describeShared } from "../helpers/shared.ts";
import { type GridFact, gridOf, tableOf, unitGrid, vectors } from "../helpers/vectors.ts";

/** A 4 x 4 raster whose samples count from 1, in tiles of 2 x 2. */
function counted(type: "uint8" | "float32" = "uint8", nodata: number | null = null): RasterSource {
  const samples = Array.from({ length: 16 }, (_, i) => i + 1);
  const data = type === "uint8" ? Uint8Array.from(samples) : Float32Array.from(samples);
  return memoryRaster(unitGrid(4, 4), [{ type, nodata }], [data], { tile: { width: 2, height: 2 } });
}

async function all(source: RasterSource): Promise<{ samples: number[]; mask: number[] | null }> {
  const { bands, mask } = await source.read(fullWindow(source.grid));
  return { samples: Array.from(bands[0]!, Number), mask: mask === null ? null : [...mask] };
}

/** Upper left corner: pixels (1, 1) and (2, 1), the first two of the second row. */
const CORNER = "POLYGON ((1 2, 3 2, 3 3, 1 3, 1 2))";

describe("clipRaster", () => {
  it("cuts to a whole number of pixels of the source", async () => {
    const clipped = await clipRaster(
      counted("uint8", 0),
      tableOf("POLYGON ((1.2 1.1, 2.9 1.1, 2.9 3.8, 1.2 1.1))"),
    );
    expect(clipped.report.window).toEqual({ col: 1, row: 0, width: 2, height: 3 });
    expect(clipped.grid.transform).toEqual([1, 0, 1, 0, -1, 4]);
    expect(await all(clipped)).toEqual({ samples: [0, 0, 0, 7, 10, 11], mask: null });
    expect(clipped.report.pixelsInside).toBe(3);
  });

  it("gives whole numbers without nodata a mask rather than a silent 0", async () => {
    const clipped = await clipRaster(counted(), tableOf(CORNER), { crop: false });
    expect(clipped.hasMask).toBe(true);
    expect(clipped.bands[0]!.nodata).toBeNull();
    const { samples, mask } = await all(clipped);
    expect(samples).toEqual([0, 0, 0, 0, 0, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(mask).toEqual([0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("gives fractions without nodata NaN", async () => {
    const clipped = await clipRaster(counted("float32"), tableOf("POLYGON ((0 0, 1.9 0, 0 1.9, 0 0))"));
    expect(clipped.bands[0]!.nodata).toBeNaN();
    expect((await all(clipped)).samples).toEqual([Number.NaN, Number.NaN, 13, Number.NaN]);
  });

  it("fills with the value asked for, and refuses one that does not fit", async () => {
    const clipped = await clipRaster(counted(), tableOf(CORNER), { crop: false, fill: 99 });
    expect(clipped.bands[0]!.nodata).toBe(99);
    expect((await all(clipped)).samples.slice(4, 8)).toEqual([99, 6, 7, 99]);
    await expect(clipRaster(counted(), tableOf(CORNER), { fill: 256 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      details: { path: "fill" },
    });
  });

  it("keeps what is outside when inverted", async () => {
    const { samples } = await all(await clipRaster(counted("uint8", 0), tableOf(CORNER), { invert: true }));
    expect(samples).toEqual([1, 2, 3, 4, 5, 0, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it("keeps pixels by the share that the region covers", async () => {
    const region = tableOf("POLYGON ((0 0, 1.4 0, 1.4 4, 0 4, 0 0))");
    const half = await clipRaster(counted("uint8", 0), region, { pixels: "coverage:0.5" });
    expect(half.report.pixelsInside).toBe(4);
    const third = await clipRaster(counted("uint8", 0), region, { pixels: "coverage:0.3" });
    expect(third.report.pixelsInside).toBe(8);
    await expect(clipRaster(counted(), region, { pixels: "coverage:2" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  it("combines the mask of the source with the region", async () => {
    const mask = Uint8Array.from([255, 255, 0, 255]);
    const source = memoryRaster(unitGrid(2, 2), [{ type: "uint8" }], [Uint8Array.of(1, 2, 3, 4)], { mask });
    const clipped = await clipRaster(source, tableOf("POLYGON ((0 0, 1 0, 1 2, 0 2, 0 0))"), { crop: false });
    expect(await all(clipped)).toEqual({ samples: [1, 0, 3, 0], mask: [255, 0, 0, 0] });
  });

  it("gives at least one pixel for a region smaller than one, and says that no centre is inside", async () => {
    const clipped = await clipRaster(
      counted("uint8", 0),
      tableOf("POLYGON ((1.1 1.1, 1.2 1.1, 1.2 1.2, 1.1 1.1))"),
    );
    expect([clipped.grid.width, clipped.grid.height]).toEqual([1, 1]);
    expect(clipped.report.noCenterInside).toBe(true);
    expect(clipped.report.warnings.join()).toContain("all-touched");
  });

  it("counts pixels of overlapping polygons once", async () => {
    const region = tableOf(
      "POLYGON ((0 0, 3 0, 3 3, 0 3, 0 0))",
      "POLYGON ((1 1, 4 1, 4 4, 1 4, 1 1))",
      "POLYGON ((1 2, 2 2, 2 4, 1 4, 1 2))",
    );
    expect((await clipRaster(counted("uint8", 0), region)).report.pixelsInside).toBe(14);
  });

  it("refuses a region beside the raster", async () => {
    const beside = tableOf("POLYGON ((10 10, 11 10, 11 11, 10 10))");
    await expect(clipRaster(counted(), beside)).rejects.toMatchObject({ code: "NO_OVERLAP" });
  });

  it("drops statistics, which were those of the whole raster, and keeps other metadata", async () => {
    const metadata = { STATISTICS_MEAN: "8", season: "kharif" };
    const source = memoryRaster(unitGrid(1, 1), [{ type: "uint8", nodata: 0, metadata }], [Uint8Array.of(1)]);
    const clipped = await clipRaster(source, [0, 0, 1, 1]);
    expect(clipped.bands[0]!.metadata).toEqual({ season: "kharif" });
  });

  it("reads only the tiles that the region meets, each once", async () => {
    const source = memoryRaster(
      unitGrid(512, 512),
      [{ type: "uint8", nodata: 0 }],
      [new Uint8Array(512 * 512)],
    );
    const reads: Window[] = [];
    const counting: RasterSource = {
      ...source,
      read: (window, options) => {
        reads.push(window);
        return source.read(window, options);
      },
    };
    // An L along the left and lower border; the upper right tile is outside.
    const region = tableOf("POLYGON ((20 20, 380 20, 380 100, 100 100, 100 380, 20 380, 20 20))");
    const clipped = await clipRaster(counting, region);
    for (const window of tileWindows(clipped.grid, 100)) await clipped.read(window);
    expect(reads.map(({ col, row }) => `${col},${row}`).sort()).toEqual(["0,0", "0,256", "256,256"]);
  });

  it("gives the same pixels for any tiles and windows", async () => {
    const vertex = fc.tuple(
      fc.double({ min: -2, max: 12, noNaN: true }),
      fc.double({ min: -2, max: 12, noNaN: true }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(vertex, { minLength: 3, maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom<ClipRasterOptions>(
          {},
          { pixels: "all-touched" },
          { invert: true },
          { crop: false, pixels: "coverage:0.4" },
        ),
        async (ring, tile, step, options) => {
          const region = tableFromGeoJson(
            [
              {
                type: "Feature",
                geometry: { type: "Polygon", coordinates: [[...ring, ring[0]!]] },
                properties: {},
              },
            ],
            { crs: null },
          );
          const data = Int16Array.from({ length: 90 }, (_, i) => i);
          const grid = unitGrid(10, 9);
          const make = (size: number) =>
            memoryRaster(grid, [{ type: "int16", nodata: -1 }], [data], {
              tile: { width: size, height: size },
            });
          let whole: Awaited<ReturnType<typeof clipRaster>>;
          try {
            whole = await clipRaster(make(10), region, options);
          } catch {
            return; // beside the raster
          }
          const tiled = await clipRaster(make(tile), region, { ...options, memory: 100 });
          const expected = (await whole.read(fullWindow(whole.grid))).bands[0]!;
          const kept = [...(expected as Int16Array)].filter((value) => value !== -1).length;
          expect(whole.report.pixelsInside).toBe(kept);
          for (const window of tileWindows(tiled.grid, step)) {
            const { bands } = await tiled.read(window);
            for (let i = 0; i < window.width * window.height; i++) {
              const at =
                (window.row + Math.floor(i / window.width)) * whole.grid.width +
                window.col +
                (i % window.width);
              expect(bands[0]![i]).toBe(expected[at]);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describeShared("clipping rasters against rasterio", () => {
  type Expected = { shape: number[]; transform: number[]; data: number[][][] } | { error: string };
  interface MaskVector {
    id: string;
    grid: GridFact;
    dtype: SampleType;
    nodata: number;
    bands: number[][][];
    geometry: Geometry;
    expected: Record<"crop" | "full" | "crop_touched" | "invert", Expected>;
    centre_ties: number[][];
    touched_edge_only: number[][];
  }
  const ways = {
    crop: {},
    full: { crop: false },
    crop_touched: { pixels: "all-touched" },
    invert: { invert: true },
  } as const;
  const arrays: Partial<Record<SampleType, { from(values: number[]): SampleArray }>> = {
    uint8: Uint8Array,
    int16: Int16Array,
    float32: Float32Array,
  };

  it.each(["crop", "full", "crop_touched", "invert"] as const)("%s", async (way) => {
    for (const vector of vectors<MaskVector>("raster-mask", "mask.jsonl")) {
      const { id, dtype: type, nodata, grid, geometry } = vector;
      const expected = vector.expected[way];
      const data = vector.bands.map((rows) => arrays[type]!.from(rows.flat()));
      const source = memoryRaster(
        gridOf(grid),
        data.map(() => ({ type, nodata })),
        data,
      );
      const region = tableFromGeoJson([{ type: "Feature", geometry, properties: {} }], { crs: null });
      if ("error" in expected) {
        await expect(clipRaster(source, region, ways[way]), id).rejects.toMatchObject({ code: "NO_OVERLAP" });
        continue;
      }
      const clipped = await clipRaster(source, region, ways[way]);
      expect([clipped.bands.length, clipped.grid.height, clipped.grid.width], id).toEqual(expected.shape);
      for (const [k, value] of expected.transform.entries())
        expect(Math.abs(clipped.grid.transform[k]! - value), id).toBeLessThanOrEqual(
          1e-9 * Math.max(1, Math.abs(value)),
        );
      const free = new Set(
        (way === "crop_touched" ? vector.touched_edge_only : vector.centre_ties).map(
          ([row, col]) =>
            (row! - clipped.report.window.row) * clipped.grid.width + col! - clipped.report.window.col,
        ),
      );
      const block = await clipped.read(fullWindow(clipped.grid));
      for (const [b, rows] of expected.data.entries()) {
        const found = Array.from(block.bands[b] as Float32Array, (value, i) => (free.has(i) ? 0 : value));
        expect(found, id).toEqual(rows.flat().map((value, i) => (free.has(i) ? 0 : value)));
      }
    }
  });
});
