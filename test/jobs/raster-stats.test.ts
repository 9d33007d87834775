import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readBandFacts } from "../../src/jobs/files/raster-stats.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";

const ARRAYS = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, float64: Float64Array } as const;

function rasterOf(
  type: keyof typeof ARRAYS,
  values: readonly number[],
  width: number,
  nodata: number | null,
): RasterSource {
  const height = values.length / width;
  const grid = { width, height, transform: [1, 0, 0, 0, -1, height], crs: null } as const;
  return memoryRaster(grid, [{ type, nodata }], [ARRAYS[type].from(values)]);
}

it("agrees with the textbook for every kind of sample, nodata left out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("uint8", "int8", "int16", "float64" as const),
      fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 12, maxLength: 12 }),
      fc.option(fc.integer({ min: 0, max: 127 })),
      async (type, drawn, nodata) => {
        const values = type === "uint8" ? drawn.map((value) => value + 128) : drawn;
        const [facts] = await readBandFacts(rasterOf(type, values, 4, nodata), {
          stats: true,
          checksum: true,
        });
        const seen = values.filter((value) => value !== nodata);
        const mean = seen.reduce((a, b) => a + b, 0) / seen.length;
        const variance = seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / seen.length;
        expect(facts!.stats!.valid).toBe(seen.length);
        if (seen.length === 0) expect(facts!.stats!.min).toBeNull();
        else {
          expect(facts!.stats!.min).toBe(Math.min(...seen));
          expect(facts!.stats!.max).toBe(Math.max(...seen));
          expect(facts!.stats!.mean).toBeCloseTo(mean, 10);
          expect(facts!.stats!.stdev).toBeCloseTo(Math.sqrt(variance), 10);
        }
        const bytes = new Uint8Array(ARRAYS[type].from(values).buffer);
        expect(facts!.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      },
    ),
    { numRuns: 200 },
  );
});

it("reads no more rows at a time than half of the memory holds, and says the same", async () => {
  const values = Array.from({ length: 1 << 20 }, (_, i) => (i * 7919) % 30_000);
  const source = rasterOf("int16", values, 1 << 18, null);
  const sizes: number[] = [];
  const counting: RasterSource = {
    url: source.url,
    grid: source.grid,
    bands: source.bands,
    tile: source.tile,
    hasMask: source.hasMask,
    metadata: source.metadata,
    close: () => source.close(),
    read: (window, options) => {
      sizes.push(window.width * window.height);
      return source.read(window, options);
    },
  };
  const large = await readBandFacts(source, { stats: true, checksum: true });
  const small = await readBandFacts(counting, { stats: true, checksum: true, memory: 1 << 21 });
  expect(Math.max(...sizes) * 2).toBeLessThanOrEqual(1 << 20);
  // the squares are summed block by block: the last digits may differ
  const { stdev, ...others } = small[0]!.stats!;
  expect(large[0]).toMatchObject({ sha256: small[0]!.sha256, stats: others });
  expect(Math.abs(stdev! / large[0]!.stats!.stdev! - 1)).toBeLessThan(1e-12);
});
