import { describe, expect, it } from "vitest";
import { type FeatureTable, rowAt, tableSource, type Value } from "../../src/model/features.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { aquifer } from "../../src/pipelines/aquifer.ts";
import { PRINCIPAL_AQUIFERS, yieldFraction } from "../../src/pipelines/aquifer-yields.ts";
import { fromWkt } from "../helpers/vectors.ts";
import { type PipelineCall, runInMemory } from "./run-in-memory.ts";

const AREA = { state: "Meadowland", district: "Tilth pur", block: "Up lands" };

/** Near the equator, so that shares are those of the plane to five digits. */
function rectangle(x: number, y: number, width: number, height: number): string {
  const [a, b, c, d] = [x / 1000, y / 1000, (x + width) / 1000, (y + height) / 1000];
  return `POLYGON ((${a} ${b}, ${c} ${b}, ${c} ${d}, ${a} ${d}, ${a} ${b}))`;
}

function layer(...rows: readonly (readonly [string, { [name: string]: Value }])[]): FeatureTable {
  return tableFromGeoJson(
    rows.map(([text, properties]) => ({
      type: "Feature" as const,
      geometry: fromWkt(text) as Geometry,
      properties,
    })) as never,
  );
}

const UNITS = layer(
  [rectangle(0, 0, 10, 10), { uid: "a" }],
  [rectangle(10, 0, 10, 10), { uid: "b" }],
  [rectangle(50, 50, 1, 1), { uid: "c" }],
);
const ROCKS = layer(
  [rectangle(0, 0, 3, 10), { Principal_: "Basalt", yeild__: "Upto 2%", Age: "old", Lithology_: 4 }],
  [rectangle(3, 0, 3, 10), { Principal_: "Basalt", yeild__: "1-2%", Age: "older", Lithology_: 5 }],
  [rectangle(6, 0, 3.5, 10), { Principal_: "Alluvium", yeild__: "8 - 12%", Age: "new", Lithology_: 1 }],
  [
    rectangle(9.5, 0, 0.5, 10),
    { Principal_: "Gneiss", yeild__: "Not Explored", Age: "oldest", Lithology_: 9 },
  ],
  [rectangle(10, 0, 4, 10), { Principal_: "", yeild__: "Upto 5%", Age: null, Lithology_: null }],
  [rectangle(14, 0, 1, 10), { Principal_: "Marble", yeild__: "Upto 5%", Age: null, Lithology_: 2 }],
);

async function run(parameters: object = {}, units = UNITS, rocks = ROCKS): Promise<PipelineCall> {
  return runInMemory(
    aquifer,
    { area: AREA, ...parameters },
    { units: tableSource(units, "units"), aquifers: tableSource(rocks, "rocks") },
  );
}

describe("the aquifer pipeline", () => {
  it("gives shares, yield and the attributes of the largest polygon, as the original does", async () => {
    const { layers, warnings } = await run();
    expect(layers.map(({ name }) => name)).toEqual(["aquifer_vector_tilth_pur_up_lands"]);
    const a = rowAt(layers[0]!.table, 0);
    expect(a["principle_aq_Basalt_percent"]).toBeCloseTo(60, 4);
    expect(a["principle_aq_Alluvium_percent"]).toBeCloseTo(35, 4);
    expect(a["principle_aq_Gneiss_percent"]).toBe(0);
    expect(a["principle_aq_None_percent"]).toBeCloseTo(5, 4);
    expect(a["total_weighted_yield"]).toBeCloseTo(0.6 * 0.02 + 0.35 * 0.12, 7);
    expect(a["mean_yield"]).toBeCloseTo((0.6 * 0.02 + 0.35 * 0.12) / 0.95, 7);
    // Two pieces of basalt are more than the alluvium, but the largest polygon is the alluvium.
    expect(a).toMatchObject({
      uid: "a",
      aquifer_class: "Alluvium",
      dominant_aquifer: "Basalt",
      runner_up_aquifer: "Alluvium",
      Principal_: "Alluvium",
      yeild__: "8 - 12%",
      Age: "new",
      Lithology_: 1,
      y_value: 0.12,
    });
    expect(a["%_area_aquifer"]).toBeCloseTo(35, 4);
    expect(a["dominant_percent"]).toBeCloseTo(60, 4);
    // Three of its own, and the nameless one that touches it; the one without a yield is not there.
    expect(a["aquifer_count"]).toBe(4);
    expect(warnings).toEqual(["1 aquifer polygons have no known yield: they count as not there"]);
  });

  it("puts blank and unlisted names under None, and counts their yield", async () => {
    const { layers } = await run();
    const b = rowAt(layers[0]!.table, 1);
    expect(PRINCIPAL_AQUIFERS.map((name) => b[`principle_aq_${name}_percent`])).toEqual(Array(14).fill(0));
    expect(b["principle_aq_None_percent"]).toBe(100);
    expect(b["total_weighted_yield"]).toBeCloseTo(0.5 * 0.05, 7);
    expect(b["uncovered_percent"]).toBeCloseTo(50, 4);
    expect(b).toMatchObject({
      aquifer_class: "Hard-Rock",
      dominant_aquifer: "None",
      runner_up_aquifer: "Marble",
    });
  });

  it("keeps units without any aquifer, with nulls for what is not known", async () => {
    const { layers, summary } = await run();
    expect(rowAt(layers[0]!.table, 2)).toMatchObject({
      uid: "c",
      total_weighted_yield: 0,
      mean_yield: null,
      "%_area_aquifer": 0,
      aquifer_count: 0,
      aquifer_class: "None",
      principle_aq_None_percent: 100,
      dominant_aquifer: "None",
      dominant_percent: null,
      uncovered_percent: 100,
      Principal_: null,
      y_value: null,
    });
    expect(summary.counts).toMatchObject({ units: 3, polygons: 5, withoutYield: 1, unitsWithout: 1 });
  });

  it("takes other class polygons: any name, a number as the attribute, or none", async () => {
    const soils = layer(
      [rectangle(0, 0, 5, 10), { soil: "clay", k: 2 }],
      [rectangle(5, 0, 5, 10), { soil: "sand", k: 6 }],
    );
    const { layers } = await run({ classField: "soil", yieldField: "k", classes: "found" }, UNITS, soils);
    const a = rowAt(layers[0]!.table, 0);
    expect(a["principle_aq_clay_percent"]).toBeCloseTo(50, 4);
    expect(a["mean_yield"]).toBeCloseTo(4, 4);
    expect(a["aquifer_class"]).toBeUndefined();
    expect(a["y_value"]).toBeDefined();
    const without = await run({ classField: "soil", classes: "found" }, UNITS, soils);
    expect(rowAt(without.layers[0]!.table, 0)["total_weighted_yield"]).toBeUndefined();
    expect(without.warnings).toEqual([
      'the aquifers have no column "yeild__": no yields, and every polygon counts',
    ]);
    await expect(run({ classField: "rock" })).rejects.toThrow(/has no field "rock"/);
  });
});

describe("yieldFraction", () => {
  it("reads the texts of the national map to the letter", () => {
    expect(["Upto 1.2%", "8 - 20%", "0.08", "Upto 5-2%", "1-2.5"].map(yieldFraction)).toEqual([
      0.012, 0.2, 0.08, 0.05, 0.025,
    ]);
    expect(["", "-", "Not Explored", "upto 2%", "Upto 2% ", null].map(yieldFraction)).toEqual(
      Array(6).fill(null),
    );
    expect(yieldFraction(0.07)).toBe(0.07);
  });
});
