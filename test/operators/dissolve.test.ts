import { describe, expect, it } from "vitest";
import { findInvalid } from "../../src/kernels/vector/validity.ts";
import { type FeatureTable, rowAt } from "../../src/model/features.ts";
import { type Geometry, geometryToGeoJson, tableFromGeoJson } from "../../src/model/geojson.ts";
import { centroids } from "../../src/operators/centroids.ts";
import { dissolve } from "../../src/operators/dissolve.ts";
import { fromWkt, measure } from "../helpers/vectors.ts";

function table(...rows: readonly (readonly [string, { [name: string]: unknown }])[]): FeatureTable {
  return tableFromGeoJson(
    rows.map(([text, properties], k) => ({
      type: "Feature" as const,
      id: k + 10,
      geometry: fromWkt(text) as Geometry,
      properties,
    })) as never,
  );
}

const square = (x: number, y: number): string =>
  `POLYGON ((${x} ${y}, ${x + 1} ${y}, ${x + 1} ${y + 1}, ${x} ${y + 1}, ${x} ${y}))`;

const VILLAGES = table(
  [square(0, 0), { code: 7, name: "Kalpur", people: 10 }],
  [square(5, 5), { code: 3, name: "Amgram", people: 20 }],
  [square(1, 0), { code: 7, name: "Kalpur", people: 5 }],
  [square(9, 9), { code: 3, name: "Amgram", people: null }],
  [square(3, 3), { code: 7, name: "Other", people: 1 }],
);

describe("dissolve", () => {
  it("unites rows with the same attributes, in order of first appearance", async () => {
    const { table: out, featuresIn, united, rung } = await dissolve(VILLAGES, { by: ["code", "name"] });
    expect([0, 1, 2].map((row) => rowAt(out, row))).toEqual([
      { code: 7, name: "Kalpur" },
      { code: 3, name: "Amgram" },
      { code: 7, name: "Other" },
    ]);
    expect({ featuresIn, united, rung }).toEqual({ featuresIn: 5, united: 2, rung: 0 });
    // The border between the two squares is gone.
    const first = geometryToGeoJson(out.geometry!, 0) as { type: string; coordinates: number[][][] };
    expect(first.type).toBe("Polygon");
    expect(first.coordinates).toHaveLength(1);
    expect(measure(out.geometry!, 2)).toBe(5);
    expect(geometryToGeoJson(out.geometry!, 1)!.type).toBe("MultiPolygon");
    for (let row = 0; row < out.count; row++) expect(findInvalid(out.geometry!, row)).toBeNull();
  });

  it("keeps a feature that is alone as it is, with its id", async () => {
    const { table: out } = await dissolve(VILLAGES, { by: ["code", "name"] });
    expect(geometryToGeoJson(out.geometry!, 2)).toEqual(fromWkt(square(3, 3)));
    expect(out.ids).toEqual([null, null, 14]);
  });

  it("makes one feature of all without columns, and one of those without a value", async () => {
    const { table: all } = await dissolve(VILLAGES);
    expect(all.count).toBe(1);
    expect(measure(all.geometry!, 2)).toBe(5);
    const gaps = table([square(0, 0), { k: null }], [square(1, 0), { k: "" }], [square(2, 0), { k: null }]);
    const { table: groups } = await dissolve(gaps, { by: "k" });
    expect([rowAt(groups, 0), rowAt(groups, 1)]).toEqual([{ k: null }, { k: "" }]);
    expect((await dissolve(table(), { by: [] })).table.count).toBe(0);
  });

  it("adds aggregates of the rows of each group", async () => {
    const { table: out } = await dissolve(VILLAGES, {
      by: "code",
      aggregates: [
        { operation: "count" },
        { operation: "sum", field: "people" },
        { operation: "first", field: "name", name: "name" },
      ],
    });
    expect(rowAt(out, 0)).toEqual({ code: 7, count: 3, people_sum: 16, name: "Kalpur" });
    expect(rowAt(out, 1)).toEqual({ code: 3, count: 2, people_sum: 20, name: "Amgram" });
  });

  it("unites overlapping and invalid areas, and lines and points", async () => {
    const bowtie = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))";
    const {
      table: out,
      repaired,
      warnings,
    } = await dissolve(table([bowtie, { k: 1 }], [square(0, 0), { k: 1 }]));
    // Of the bowtie's 2, half a unit is in the square.
    expect(measure(out.geometry!, 2)).toBeCloseTo(2.5, 12);
    expect(repaired).toBe(1);
    expect(warnings).toEqual(["1 groups hold areas that are not valid: they were read by the even-odd rule"]);
    const lines = await dissolve(table(["LINESTRING (0 0, 2 0)", {}], ["LINESTRING (1 0, 3 0)", {}]));
    expect(measure(lines.table.geometry!, 1)).toBe(3);
  });

  it("refuses columns that are not there and names that clash", async () => {
    await expect(dissolve(VILLAGES, { by: "block" })).rejects.toThrow(
      /no column "block"; it has code, name, people/,
    );
    await expect(
      dissolve(VILLAGES, { by: "code", aggregates: [{ operation: "first", field: "name", name: "code" }] }),
    ).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("centroids", () => {
  it("are the middles of areas, with the attributes of their rows", () => {
    const out = centroids(VILLAGES);
    expect(geometryToGeoJson(out.geometry!, 0)).toEqual({ type: "Point", coordinates: [0.5, 0.5] });
    expect(rowAt(out, 4)["name"]).toBe("Other");
    expect(geometryToGeoJson(centroids(table(["POLYGON EMPTY", {}])).geometry!, 0)).toBeNull();
  });
});
