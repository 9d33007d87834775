import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lonLatRingArea, rowAreas } from "../../src/kernels/vector/geodesic.ts";
import type { Crs } from "../../src/model/crs.ts";
import { type FeatureTable, rowAt, tableSource, takeRows, type Value } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { dominantClass } from "../../src/operators/dominant.ts";
import {
  type DominantPolygonsOptions,
  dominantClassPolygons,
} from "../../src/operators/dominant-polygons.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { fromWkt, tableOf } from "../helpers/vectors.ts";

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

/** Squares of 100 m, so that areas are hectares. */
function square(x: number, y: number, width: number = 1, height: number = width): string {
  const [a, b, c, d] = [100 * x, 100 * y, 100 * (x + width), 100 * (y + height)];
  return `POLYGON ((${a} ${b}, ${c} ${b}, ${c} ${d}, ${a} ${d}, ${a} ${b}))`;
}

function zones(...texts: string[]): FeatureTable {
  return { ...tableOf(...texts), crs: METRES };
}

function polygons(...rows: readonly (readonly [string, { [name: string]: Value }])[]): FeatureTable {
  return tableFromGeoJson(
    rows.map(([text, properties]) => ({
      type: "Feature" as const,
      geometry: fromWkt(text),
      properties,
    })) as never,
    { crs: METRES },
  );
}

const SOILS = polygons(
  [square(0, 0, 2, 2), { soil: "clay", ph: 5 }],
  [square(2, 0, 1, 2), { soil: "sand", ph: 7 }],
  [square(0, 2, 1, 1), { soil: "clay", ph: 6 }],
  [square(9, 9), { soil: "peat", ph: 4 }],
);
const WHOLE = square(0, 0, 3, 3);
const SOIL: DominantPolygonsOptions = { classField: "soil" };

describe("dominantClassPolygons", () => {
  it("gives the area of each class, the dominant one, the runner-up and what has none", async () => {
    const { table, classes, emptyZones, warnings } = await dominantClassPolygons(zones(WHOLE), SOILS, SOIL);
    expect(rowAt(table, 0)).toEqual({
      id: 0,
      clay_ha: 5,
      sand_ha: 2,
      dominant: "clay",
      dominant_share: 5 / 7,
      second: "sand",
      second_share: 2 / 7,
      margin: 5 / 7 - 2 / 7,
      covered_share: 7 / 9,
      uncovered_share: 1 - 7 / 9,
      polygons: 3,
      note: null,
    });
    expect(classes).toEqual([
      { value: "clay", name: "clay" },
      { value: "sand", name: "sand" },
    ]);
    expect({ emptyZones, warnings }).toEqual({ emptyZones: 0, warnings: [] });
  });

  it("is what dominantClass does with polygons", async () => {
    const { table } = await dominantClass(zones(WHOLE), tableSource(SOILS), SOIL);
    const direct = await dominantClassPolygons(zones(WHOLE), SOILS, SOIL);
    expect(rowAt(table, 0)).toEqual(rowAt(direct.table, 0));
  });

  it("keeps zones in order, with those that touch a class only, meet none or have no geometry", async () => {
    const builder = zones(square(8, 8, 3), square(3, 0, 2), square(20, 20), square(0, 0));
    const { table, emptyZones } = await dominantClassPolygons(builder, SOILS, SOIL);
    const rows = Array.from({ length: 4 }, (_, row) => rowAt(table, row));
    expect(rows.map(({ id, dominant, note, polygons: count }) => [id, dominant, note, count])).toEqual([
      [0, "peat", null, 1],
      [1, null, "no class polygon", 0],
      [2, null, "no class polygon", 0],
      [3, "clay", null, 1],
    ]);
    expect(rows[1]).toMatchObject({
      clay_ha: 0,
      dominant_share: null,
      second: null,
      margin: null,
      covered_share: 0,
    });
    expect(emptyZones).toBe(2);
    const none = tableFromGeoJson([{ type: "Feature", geometry: null, properties: { id: 1 } }], {
      crs: METRES,
    });
    const empty = await dominantClassPolygons(none, SOILS, SOIL);
    expect(rowAt(empty.table, 0)).toMatchObject({ dominant: null, covered_share: null, note: "no geometry" });
  });

  it.each([
    ["min", "a"],
    ["max", "b"],
    ["first", "b"],
  ] as const)("settles a tie by %s", async (tie, winner) => {
    const halves = polygons([square(0, 0, 1, 2), { k: "b" }], [square(1, 0, 1, 2), { k: "a" }]);
    const { table } = await dominantClassPolygons(zones(square(0, 0, 2)), halves, { classField: "k", tie });
    expect(rowAt(table, 0)).toMatchObject({
      dominant: winner,
      second: winner === "a" ? "b" : "a",
      margin: 0,
    });
  });

  it("takes classes as numbers, with names, and in other units", async () => {
    const numbered = polygons(
      [square(0, 0), { code: 2 }],
      [square(1, 0, 2, 1), { code: 10 }],
      [square(0, 1), { code: 7 }],
    );
    const plain = await dominantClassPolygons(zones(square(0, 0, 3, 2)), numbered, {
      classField: "code",
      areaUnit: "km2",
    });
    expect(rowAt(plain.table, 0)).toMatchObject({
      class_2_km2: 0.01,
      class_7_km2: 0.01,
      class_10_km2: 0.02,
      dominant: 10,
    });
    const classes = [
      { value: 10, name: "Wet Rice" },
      { value: 3, name: "Absent" },
      { value: 2, name: "Tea" },
    ];
    const named = await dominantClassPolygons(zones(square(0, 0, 3, 2)), numbered, {
      classField: "code",
      areaUnit: "share",
      classes,
      others: "ignore",
    });
    expect(rowAt(named.table, 0)).toMatchObject({
      wet_rice_share: 2 / 3,
      absent_share: 0,
      tea_share: 1 / 3,
      dominant: 10,
      dominant_name: "Wet Rice",
      second_name: "Tea",
      covered_share: 0.5,
    });
    const kept = await dominantClassPolygons(zones(square(0, 0, 3, 2)), numbered, {
      classField: "code",
      classes,
    });
    expect(kept.warnings).toEqual(["values that no class is named for were kept: 7"]);
    expect(kept.classes.map(({ name }) => name)).toEqual(["Wet Rice", "Absent", "Tea", "class_7"]);
  });

  it("leaves the dominant class out below a share", async () => {
    const { table } = await dominantClassPolygons(zones(WHOLE), SOILS, { ...SOIL, minShare: 0.72 });
    expect(rowAt(table, 0)).toMatchObject({ clay_ha: 5, dominant: null, dominant_share: null, second: null });
  });

  it("averages numbers by area, over the polygons that have one", async () => {
    const { table } = await dominantClassPolygons(zones(WHOLE, square(9, 9), square(30, 30)), SOILS, {
      ...SOIL,
      meanFields: ["ph"],
    });
    expect(rowAt(table, 0)["ph_mean"]).toBeCloseTo((4 * 5 + 2 * 7 + 6) / 7, 12);
    expect(rowAt(table, 1)["ph_mean"]).toBe(4);
    expect(rowAt(table, 2)["ph_mean"]).toBeNull();
    const gaps = polygons([square(0, 0), { k: "a", v: 3 }], [square(1, 0), { k: "a", v: null }]);
    const some = await dominantClassPolygons(zones(square(0, 0, 2, 1)), gaps, {
      classField: "k",
      meanFields: ["v"],
    });
    expect(rowAt(some.table, 0)).toMatchObject({ a_ha: 2, v_mean: 3 });
  });

  it("counts polygons without a class as not there, and says so", async () => {
    const some = polygons(
      [square(0, 0), { k: "a" }],
      [square(1, 0, 2), { k: null }],
      [square(50, 0), { k: null }],
    );
    const { table, unclassed, warnings } = await dominantClassPolygons(zones(WHOLE, WHOLE), some, {
      classField: "k",
    });
    expect(rowAt(table, 0)).toMatchObject({ a_ha: 1, polygons: 1, covered_share: 1 / 9 });
    expect(unclassed).toBe(1);
    expect(warnings).toEqual(["1 polygons have no k: they count as not there"]);
  });

  it("warns where class polygons overlap each other, and counts such ground for each", async () => {
    const twice = polygons([square(0, 0, 2, 1), { k: "a" }], [square(1, 0, 1, 1), { k: "b" }]);
    const { table, overlappingZones, warnings } = await dominantClassPolygons(
      zones(square(0, 0, 2, 1)),
      twice,
      {
        classField: "k",
      },
    );
    expect(rowAt(table, 0)).toMatchObject({
      a_ha: 2,
      b_ha: 1,
      dominant: "a",
      dominant_share: 2 / 3,
      covered_share: 1.5,
      uncovered_share: 0,
    });
    expect(overlappingZones).toBe(1);
    expect(warnings[0]).toMatch(/overlap each other in 1 zones, whose cover reaches 150\.00 %/);
  });

  it("reads zones and polygons that break the rules by even-odd, and counts them", async () => {
    const bowtie = "POLYGON ((0 0, 400 400, 400 0, 0 400, 0 0))";
    const { table, warnings } = await dominantClassPolygons(
      zones(bowtie),
      polygons([square(0, 0, 4), { k: "a" }], [bowtie, { k: "b" }]),
      { classField: "k" },
    );
    expect(rowAt(table, 0)).toMatchObject({ a_ha: 8, b_ha: 8, covered_share: 2 });
    expect(warnings).toContain("1 class polygons are not valid: counted by the even-odd rule");
    expect(warnings).toContain("1 zones are not valid: counted by the even-odd rule");
  });

  it("measures zones in degrees on WGS 84, and all classes of a partition add up to the zone", async () => {
    const degrees = (text: string) => ({ type: "Feature" as const, geometry: fromWkt(text) as Geometry });
    const zone = "POLYGON ((77.1 20.05, 77.83 20.2, 77.7 20.9, 77.2 20.8, 77.1 20.05))";
    const table = tableFromGeoJson([{ ...degrees(zone), properties: {} }]);
    const cells: { type: "Feature"; geometry: Geometry; properties: { k: string } }[] = [];
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 12; j++) {
        const [x, y] = [77 + i / 12, 20 + j / 12];
        const [X, Y] = [77 + (i + 1) / 12, 20 + (j + 1) / 12];
        cells.push({
          ...degrees(`POLYGON ((${x} ${y}, ${X} ${y}, ${X} ${Y}, ${x} ${Y}, ${x} ${y}))`),
          properties: { k: `k${(i * 5 + j) % 3}` },
        });
      }
    }
    const { areas } = await dominantClassPolygons(table, tableFromGeoJson(cells), { classField: "k" });
    const whole = rowAreas(table.geometry!, lonLatRingArea)[0]!;
    expect(areas.zoneArea[0]! / whole).toBeCloseTo(1, 11);
    expect(areas.area.reduce((sum, one) => sum + one, 0) / areas.zoneArea[0]!).toBeCloseTo(1, 13);
    expect(areas.coveredShare[0]).toBeCloseTo(1, 13);
    const sphere = await dominantClassPolygons(table, tableFromGeoJson(cells), {
      classField: "k",
      surface: "sphere",
    });
    expect(sphere.areas.zoneArea[0]! / whole).toBeCloseTo(1, 2);
    expect(sphere.areas.zoneArea[0]).not.toBe(areas.zoneArea[0]);
  });

  it("agrees with the raster of the same classes, whose cells are the polygons", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 12 }),
        async (cells) => {
          const grid = { width: 4, height: 3, transform: [100, 0, 0, 0, -100, 300] as const, crs: METRES };
          const raster = memoryRaster(
            grid as never,
            [{ type: "uint8", nodata: 0 }],
            [Uint8Array.from(cells)],
          );
          const rows = cells.flatMap((value, k) =>
            value === 0 ? [] : [[square(k % 4, 2 - Math.floor(k / 4)), { value }] as const],
          );
          if (rows.length === 0) return;
          const table = zones(square(0, 0, 2, 3), square(1, 1, 3, 2));
          const a = (await dominantClass(table, raster)).table;
          const b = (await dominantClass(table, polygons(...rows), { classField: "value" })).table;
          for (let row = 0; row < 2; row++) {
            const { pixels: _, nodata_share: __, note: ___, ...expected } = rowAt(a, row);
            for (const [name, value] of Object.entries(expected)) {
              const found = rowAt(b, row)[name] ?? (name.startsWith("class_") ? 0 : null);
              if (typeof value === "number") expect(found, name).toBeCloseTo(value, 12);
              else expect(found, name).toEqual(value);
            }
          }
        },
      ),
      { seed: 8, numRuns: 150 },
    );
  });

  it("does not depend on how the polygons come: batches, and CRS of the layer", async () => {
    const whole = await dominantClassPolygons(zones(WHOLE), SOILS, SOIL);
    const source = tableSource(SOILS);
    const slow = { ...source, batches: (o = {}) => source.batches({ ...o, batchSize: 1 }) };
    const piecewise = await dominantClassPolygons(zones(WHOLE), slow, SOIL);
    expect(rowAt(piecewise.table, 0)).toEqual(rowAt(whole.table, 0));
    await expect(
      dominantClassPolygons(
        zones(WHOLE),
        { ...SOILS, crs: GEOJSON_CRS },
        { ...SOIL, onCrsMismatch: "error" },
      ),
    ).rejects.toMatchObject({ code: "CRS_MISMATCH" });
    const nameless = await dominantClassPolygons(zones(WHOLE), { ...SOILS, crs: null }, SOIL);
    expect(nameless.warnings[0]).toMatch(/coordinates taken to be in the same system/);
  });

  it("says which fields there are when one is missing, no number, or too many values", async () => {
    await expect(dominantClassPolygons(zones(WHOLE), SOILS, { classField: "rock" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      hint: "It has: soil, ph.",
    });
    await expect(
      dominantClassPolygons(zones(WHOLE), SOILS, { ...SOIL, meanFields: ["soil"] }),
    ).rejects.toThrow(/"soil" of .* is string, expected numbers/);
    await expect(dominantClass(zones(WHOLE), SOILS, {} as never)).rejects.toThrow(/needs the field/);
    const key = polygons(
      ...Array.from(
        { length: 4100 },
        (_, k) => [square((k % 90) / 40, Math.floor(k / 90) / 40, 1 / 80), { k }] as const,
      ),
    );
    await expect(dominantClassPolygons(zones(WHOLE), key, { classField: "k" })).rejects.toThrow(
      /more than 4096/,
    );
  });

  it("says so when a new column would take the name of one of the zones, or of another class", async () => {
    const table = { ...zones(WHOLE), columns: takeRows(polygons([WHOLE, { dominant: 1 }]), [0]).columns };
    const same = polygons([square(0, 0), { k: "A b" }], [square(1, 0), { k: "a-b" }]);
    const { table: out, warnings } = await dominantClassPolygons(table, same, { classField: "k" });
    expect(out.columns.map(({ name }) => name).slice(0, 4)).toEqual([
      "dominant",
      "a_b_ha",
      "a_b_ha_2",
      "dominant_2",
    ]);
    expect(warnings).toEqual([
      "two classes would have the column a_b_ha: the second is a_b_ha_2",
      "the zones have a column dominant already: the new one is dominant_2",
    ]);
  });
});
