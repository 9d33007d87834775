import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellArea } from "../../src/kernels/raster/cell-area.ts";
import type { Crs } from "../../src/model/crs.ts";
import { rowAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { Grid } from "../../src/model/grid.ts";
import { type DominantOptions, dominantClass } from "../../src/operators/dominant.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { tableOf, unitGrid } from "../helpers/vectors.ts";

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

/** Cells of 100 m, so that each is a hectare; top-left corner at (0, 100 * rows). */
function classes(rows: number[][], nodata: number | null = 0, tile = 2) {
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

function zones(...texts: string[]) {
  return { ...tableOf(...texts), crs: METRES };
}

const LAND = [
  [1, 1, 2, 2],
  [1, 3, 3, 0],
  [1, 1, 3, 0],
];
const WHOLE = "POLYGON ((0 0, 400 0, 400 300, 0 300, 0 0))";

describe("dominantClass", () => {
  it("gives the area of each class, the dominant one, the runner-up and what was not observed", async () => {
    const { table } = await dominantClass(zones(WHOLE), classes(LAND));
    expect(rowAt(table, 0)).toEqual({
      id: 0,
      class_1_ha: 5,
      class_2_ha: 2,
      class_3_ha: 3,
      dominant: 1,
      dominant_share: 0.5,
      second: 3,
      second_share: 0.3,
      margin: 0.2,
      covered_share: 1 - 2 / 12,
      nodata_share: 1 - 10 / 12,
      pixels: 12,
      note: null,
    });
  });

  it("names classes and gives other units", async () => {
    const legend = [
      { value: 3, name: "Tree / forest" },
      { value: 1, name: "Water" },
      { value: 9, name: "Snow" },
    ];
    const options: DominantOptions = { classes: legend, others: "ignore", areaUnit: "share" };
    const { table, warnings } = await dominantClass(zones(WHOLE), classes(LAND), options);
    expect(rowAt(table, 0)).toMatchObject({
      tree_forest_share: 3 / 8,
      water_share: 5 / 8,
      snow_share: 0,
      dominant_name: "Water",
      second_name: "Tree / forest",
    });
    expect(warnings.join()).toContain("left out: 2");
  });

  it("breaks ties as asked", async () => {
    const raster = classes([[7, 4, 5, 5, 4, 7]]);
    const zone = zones("POLYGON ((0 0, 600 0, 600 100, 0 100, 0 0))");
    const winner = async (tie: "min" | "max" | "first") =>
      rowAt((await dominantClass(zone, raster, { tie })).table, 0)["dominant"];
    expect([await winner("min"), await winner("max"), await winner("first")]).toEqual([4, 7, 7]);
  });

  it("names no class below the least share", async () => {
    const { table } = await dominantClass(zones(WHOLE), classes(LAND), { minShare: 0.6 });
    expect(rowAt(table, 0)).toMatchObject({ dominant: null, dominant_share: null, margin: null });
  });

  it("notes zones without pixels, outside, without data or without geometry", async () => {
    const { table, emptyZones } = await dominantClass(
      zones(
        "POLYGON ((10 10, 20 10, 20 20, 10 10))",
        "POLYGON ((9000 0, 9100 0, 9100 100, 9000 0))",
        "POLYGON ((300 0, 400 0, 400 200, 300 200, 300 0))",
        "",
      ),
      classes(LAND),
    );
    expect([0, 1, 2, 3].map((row) => rowAt(table, row)["note"])).toEqual([
      "no pixel centre inside",
      "outside the raster",
      "no data",
      "no geometry",
    ]);
    expect(emptyZones).toBe(3);
  });

  it("counts the part of a zone beyond the raster as not covered", async () => {
    const { table } = await dominantClass(
      zones("POLYGON ((-100 100, 100 100, 100 300, -100 300, -100 100))"),
      classes(LAND),
    );
    expect(rowAt(table, 0)).toMatchObject({ class_1_ha: 2, covered_share: 0.5, nodata_share: 0 });
  });

  it("leaves masked pixels and NaN out", async () => {
    const grid: Grid = { width: 3, height: 1, transform: [100, 0, 0, 0, -100, 100], crs: METRES };
    const raster = memoryRaster(grid, [{ type: "float32" }], [Float32Array.of(1, Number.NaN, 1)], {
      mask: Uint8Array.of(255, 255, 0),
    });
    const { table } = await dominantClass(zones("POLYGON ((0 0, 300 0, 300 100, 0 100, 0 0))"), raster);
    expect(rowAt(table, 0)).toMatchObject({ class_1_ha: 1, pixels: 3, nodata_share: 1 - 1 / 3 });
  });

  it("sets several dates side by side and says what became what", async () => {
    const later = LAND.map((row) => row.map((value) => (value === 2 ? 3 : value)));
    const result = await dominantClass(zones(WHOLE, WHOLE), [
      { label: "2015", source: classes(LAND) },
      { label: "2016", source: classes(later) },
    ]);
    expect(rowAt(result.table, 1)).toMatchObject({
      class_3_ha_2015: 3,
      class_3_ha_2016: 5,
      dominant_2016: 1,
    });
    const [change] = result.changes;
    // Zones that overlap count once: 5 stay 1, 2 become 3, 3 stay 3.
    expect([...change!.pixels]).toEqual([5, 0, 0, 0, 0, 2, 0, 0, 3]);
    expect(change!.area[5]).toBe(20000);
  });

  it("measures cells in degrees on the ellipsoid, or on the sphere of Earth Engine", async () => {
    const grid: Grid = { width: 2, height: 2, transform: [0.5, 0, 77, 0, -0.5, 13], crs: GEOJSON_CRS };
    const raster = memoryRaster(grid, [{ type: "uint8" }], [Uint8Array.of(1, 1, 1, 1)]);
    const geometry: Geometry = {
      type: "Polygon",
      coordinates: [
        [
          [77, 12],
          [78, 12],
          [78, 13],
          [77, 13],
          [77, 12],
        ],
      ],
    };
    const zone = tableFromGeoJson([{ type: "Feature", geometry, properties: {} }]);
    const area = async (options: DominantOptions) =>
      (await dominantClass(zone, raster, options)).years[0]!.area[0]!;
    // Between parallels the cell of one degree is exact on both.
    expect(await area({})).toBeCloseTo(cellArea(12, 13, 1, "ellipsoid"), 2);
    expect(await area({ surface: "sphere" })).toBeCloseTo(
      6371007.1809 ** 2 * (Math.PI / 180) * (Math.sin((13 * Math.PI) / 180) - Math.sin((12 * Math.PI) / 180)),
      1,
    );
  });

  it("refuses a measurement and a band that is not there", async () => {
    const grid = { ...unitGrid(100, 100), crs: METRES };
    const values = Float32Array.from({ length: 10000 }, (_, i) => i / 7);
    const raster = memoryRaster(grid, [{ type: "float32" }], [values]);
    const zone = zones("POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0))");
    await expect(dominantClass(zone, raster)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(dominantClass(zone, raster, { band: 1 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("keeps a column of the zones whose name is taken, and says so", async () => {
    const table = tableFromGeoJson([{ type: "Feature", geometry: null, properties: { dominant: "mine" } }], {
      crs: METRES,
    });
    const result = await dominantClass(table, classes(LAND));
    expect(rowAt(result.table, 0)).toMatchObject({ dominant: "mine", dominant_2: null });
    expect(result.warnings.join()).toContain("dominant_2");
  });

  it("gives the same bits for any tiles and any memory", async () => {
    const vertex = fc.tuple(
      fc.double({ min: -1, max: 9, noNaN: true }),
      fc.double({ min: 5, max: 13, noNaN: true }),
    );
    const zone = fc.array(vertex, { minLength: 3, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(zone, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 64, maxLength: 64 }),
        async (rings, tile, samples) => {
          const table = tableFromGeoJson(
            rings.map((ring) => ({
              type: "Feature" as const,
              geometry: { type: "Polygon" as const, coordinates: [[...ring, ring[0]!]] },
              properties: {},
            })),
          );
          const grid: Grid = { width: 8, height: 8, transform: [1, 0, 0, 0, -1, 12], crs: GEOJSON_CRS };
          const make = (size: number) =>
            memoryRaster(grid, [{ type: "uint8", nodata: 0 }], [Uint8Array.from(samples)], {
              tile: { width: size, height: size },
            });
          const whole = await dominantClass(table, make(8));
          const tiled = await dominantClass(table, make(tile), { memory: 64 });
          expect(tiled.years).toEqual(whole.years);
          expect(tiled.table).toEqual(whole.table);
        },
      ),
      { numRuns: 60 },
    );
  });
});
