import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type Executor, inline } from "../../src/execution/executor.ts";
import { threads } from "../../src/execution/threads.ts";
import type { Crs } from "../../src/model/crs.ts";
import { rowAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { Grid } from "../../src/model/grid.ts";
import { makeBand } from "../../src/model/raster.ts";
import { type DominantOptions, dominantClass } from "../../src/operators/dominant.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { describeShared } from "../helpers/shared.ts";
import { columnOf, type GridFact, gridOf, measure, tableOf, vectors } from "../helpers/vectors.ts";

const METRES: Crs = {
  code: "EPSG:32643",
  name: "",
  kind: "projected",
  proj4: null,
  definition: null,
  unit: { name: "metre", kind: "length", factor: 1 },
  axisOrder: "xy",
  area: null,
};

/** Cells of 100 m; top-left corner at (0, 100 * rows). */
function classes(rows: number[][], tile = 2, nodata: number | null = 0) {
  const grid: Grid = {
    width: rows[0]!.length,
    height: rows.length,
    transform: [100, 0, 0, 0, -100, 100 * rows.length],
    crs: METRES,
  };
  return memoryRaster(grid, [{ type: "uint8", nodata }], [Uint8Array.from(rows.flat())], {
    tile: { width: tile, height: tile },
  });
}

const zones = (...texts: string[]) => ({ ...tableOf(...texts), crs: METRES });

const LAND = [
  [1, 1, 2, 2],
  [1, 3, 3, 0],
  [1, 1, 3, 0],
];

describe("dominantClass by coverage", () => {
  it("gives the area of the zone that lies on each class", async () => {
    // From x = 50 to 350 and y = 50 to 300: half of the first and last column, half of the last row.
    const zone = zones("POLYGON ((50 50, 350 50, 350 300, 50 300, 50 50))");
    const { table, years } = await dominantClass(zone, classes(LAND), { pixels: "coverage", areaUnit: "m2" });
    expect(rowAt(table, 0)).toMatchObject({
      class_1_m2: 5000 + 10000 + 5000 + 2500 + 5000,
      class_2_m2: 10000 + 5000,
      class_3_m2: 20000 + 5000,
      dominant: 1,
      second: 3,
      pixels: 7.5,
      note: null,
    });
    expect(years[0]!.nodataArea[0]).toBe(5000 + 2500);
    expect(years[0]!.zoneArea[0]).toBe(75000);
  });

  it("measures a zone smaller than a pixel, and says that it is", async () => {
    const zone = zones("POLYGON ((110 110, 120 110, 120 120, 110 120, 110 110))");
    const { table, smallZones, warnings } = await dominantClass(zone, classes(LAND), {
      pixels: "coverage",
      areaUnit: "m2",
    });
    const row = rowAt(table, 0);
    expect(row).toMatchObject({ dominant: 3, dominant_share: 1, note: "smaller than a pixel" });
    expect(row["class_3_m2"]).toBeCloseTo(100, 9);
    expect(smallZones).toBe(1);
    expect(warnings.join()).toContain("1 zones are smaller than a pixel");
  });

  it("takes whole pixels that are covered to a share at least", async () => {
    const zone = zones("POLYGON ((50 50, 350 50, 350 300, 50 300, 50 50))");
    const pixels = async (pixels: DominantOptions["pixels"]) =>
      (await dominantClass(zone, classes(LAND), { pixels })).years[0]!.zonePixels[0];
    expect(await pixels("coverage:0.5")).toBe(10);
    expect(await pixels("coverage:0.51")).toBe(4);
    expect(await pixels("coverage:0.25")).toBe(12);
    await expect(pixels("coverage:0" as "coverage:1")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("weighs changes by coverage, over the union and in each zone", async () => {
    const later = LAND.map((row) => row.map((value) => (value === 2 ? 3 : value)));
    const result = await dominantClass(
      zones(
        "POLYGON ((200 200, 300 200, 300 300, 200 300, 200 200))",
        "POLYGON ((250 200, 350 200, 350 300, 250 300, 250 200))",
      ),
      [
        { label: "a", source: classes(LAND) },
        { label: "b", source: classes(later) },
      ],
      { pixels: "coverage", changes: "zones" },
    );
    // Class 2 becomes 3 on the first pixel (1 and 0.5, together 1) and on the second (0.5).
    expect([...result.changes[0]!.pixels].filter((n) => n > 0)).toEqual([1.5]);
    const [each] = result.zoneChanges;
    expect([...each!.zone]).toEqual([0, 1]);
    expect([...each!.area]).toEqual([10000, 10000]);
    const codes = result.classes.map(({ value }) => value);
    expect([codes[each!.before[0]!], codes[each!.after[0]!]]).toEqual([2, 3]);
  });

  it("makes up the area of the zone from its classes and what was not observed, whatever its shape", async () => {
    const angle = fc.double({ min: 0.05, max: 1, noNaN: true });
    // Simple as long as no two spokes are half a turn apart.
    const star = fc
      .array(fc.tuple(angle, fc.double({ min: 20, max: 380, noNaN: true })), { minLength: 4, maxLength: 30 })
      .filter((spokes) => {
        const steps = spokes.map(([step]) => step);
        return 2.1 * Math.max(...steps) < steps.reduce((sum, step) => sum + step, 0);
      });
    await fc.assert(
      fc.asyncProperty(star, fc.integer({ min: 1, max: 8 }), async (spokes, tile) => {
        const sum = spokes.reduce((total, [step]) => total + step, 0);
        let turn = 0;
        const ring = spokes.map(([step, radius]) => {
          turn += (2 * Math.PI * step) / sum;
          return `${400 + radius * Math.cos(turn)} ${400 + radius * Math.sin(turn)}`;
        });
        const text = `POLYGON ((${[...ring, ring[0]!].join(", ")}))`;
        const rows = Array.from({ length: 8 }, (_, r) =>
          Array.from({ length: 8 }, (_, c) => (r * 3 + c) % 4),
        );
        const { years } = await dominantClass(zones(text), classes(rows, tile), { pixels: "coverage" });
        const { area, nodataArea, zoneArea } = years[0]!;
        const whole = measure(columnOf(text), 2);
        const total = area.reduce((total, one) => total + one, nodataArea[0]!);
        expect(Math.abs(total - whole)).toBeLessThanOrEqual(1e-12 * whole);
        expect(Math.abs(zoneArea[0]! - whole)).toBeLessThanOrEqual(1e-12 * whole);
      }),
      { numRuns: 100 },
    );
  });

  describe("in threads", () => {
    const pool: Executor = threads(2, { patience: 0 });
    afterAll(() => pool.close());

    it("gives the same bits for any tiles, memory and number of workers", { timeout: 30_000 }, async () => {
      const side = 60;
      const grid: Grid = {
        width: side,
        height: side,
        transform: [0.01, 0, 10, 0, -0.01, 45],
        crs: GEOJSON_CRS,
      };
      const samples = Uint8Array.from({ length: side * side }, (_, i) => (i * i * 7 + i) % 5);
      const ring = (cx: number, cy: number, r: number) =>
        Array.from({ length: 24 }, (_, k) => [
          cx + r * Math.cos((k * Math.PI) / 11.5) * (1 + (k % 3) / 5),
          cy + r * Math.sin((k * Math.PI) / 11.5),
        ]);
      const zone = tableFromGeoJson(
        [ring(10.3, 44.7, 0.2), ring(10.35, 44.72, 0.22), ring(10.5, 44.5, 0.2)].map((vertices) => ({
          type: "Feature" as const,
          geometry: { type: "Polygon" as const, coordinates: [[...vertices, vertices[0]!]] } as Geometry,
          properties: {},
        })),
      );
      const run = (tile: number, memory: number, executor: Executor) => {
        const make = (shift: number) =>
          memoryRaster(grid, [{ type: "uint8", nodata: 0 }], [samples.map((value) => (value + shift) % 5)], {
            tile: { width: tile, height: tile },
          });
        return dominantClass(
          zone,
          [
            { label: "a", source: make(0) },
            { label: "b", source: make(1) },
          ],
          { pixels: "coverage", memory, executor, changes: "zones", tie: "first" },
        );
      };
      const whole = await run(side, 1 << 26, inline);
      for (const [tile, memory, executor] of [
        [7, 64, inline],
        [16, 1 << 26, pool],
        [13, 1024, pool],
      ] as const) {
        const other = await run(tile, memory, executor);
        expect(other.years).toEqual(whole.years);
        expect(other.changes).toEqual(whole.changes);
        expect(other.zoneChanges).toEqual(whole.zoneChanges);
      }
    });
  });
});

describe("names and colours that the raster gives its classes", () => {
  const grid: Grid = { width: 3, height: 1, transform: [100, 0, 0, 0, -100, 100], crs: METRES };
  const zone = zones("POLYGON ((0 0, 300 0, 300 100, 0 100, 0 0))");
  const raster = (band: Parameters<typeof makeBand>[0], metadata: Record<string, string> = {}) => ({
    ...memoryRaster(grid, [makeBand(band)], [Uint8Array.of(1, 2, 2)]),
    metadata,
  });

  it("takes colours from its table", async () => {
    const colorTable = [
      [0, 0, 0, 0],
      [255, 0, 16, 255],
      [0, 0, 0, 0],
    ] as const;
    const { classes, table } = await dominantClass(zone, raster({ type: "uint8", colorTable }));
    expect(classes).toEqual([
      { value: 1, name: "class_1", color: "#ff0010" },
      { value: 2, name: "class_2" },
    ]);
    expect(rowAt(table, 0)).not.toHaveProperty("dominant_name");
  });

  it("takes names from metadata as Earth Engine writes it, without columns for classes that are not there", async () => {
    const { table } = await dominantClass(
      zone,
      raster(
        { type: "uint8" },
        {
          lc_class_values: "[1, 2, 3]",
          lc_class_names: '["Water", "Bare land", "Snow"]',
          lc_class_palette: "0000ff, c0c0c0, ffffff",
        },
      ),
    );
    expect(rowAt(table, 0)).toMatchObject({ water_ha: 1, bare_land_ha: 2, dominant_name: "Bare land" });
    expect(rowAt(table, 0)).not.toHaveProperty("snow_ha");
  });
});

describeShared("dominantClass on the vectors of exact coverage", () => {
  interface Case {
    id: string;
    grid: GridFact;
    geometry: Geometry;
    values: (number | null)[][];
    nodata: number | null;
    expected: { histogram: [number, number][]; count: number };
  }

  it("has their histograms", async () => {
    let compared = 0;
    for (const { id, grid, geometry, values, nodata, expected } of vectors<Case>(
      "zonal",
      "generated.jsonl",
    )) {
      const samples = Float64Array.from(values.flat(), (value) => value ?? Number.NaN);
      const raster = memoryRaster(gridOf(grid), [{ type: "float64", nodata }], [samples]);
      const zone = tableFromGeoJson([{ type: "Feature", geometry, properties: {} }], { crs: null });
      const { years, classes } = await dominantClass(zone, raster, { pixels: "coverage", surface: "plane" });
      const found = new Map(classes.map(({ value }, c) => [value, years[0]!.pixels[c]!]));
      for (const [value, coverage] of expected.histogram ?? []) {
        expect(Math.abs((found.get(value) ?? 0) - coverage), `${id} ${value}`).toBeLessThanOrEqual(
          1e-9 * Math.max(1, coverage),
        );
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(500);
  });
});
