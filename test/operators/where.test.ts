import { describe, expect, it } from "vitest";
import { rowAt, tableSource } from "../../src/model/features.ts";
import { tableFromGeoJson } from "../../src/model/geojson.ts";
import { filterFeatures, parseWhere } from "../../src/operators/where.ts";

const table = tableFromGeoJson(
  [
    { name: "San Juan", pop: 1200, kind: "city", open: true, since: "2019-05-01", "two words": 1 },
    { name: "O'Hara", pop: 40, kind: "village", open: false, since: "2020-01-01", "two words": 2 },
    { name: null, pop: null, kind: "town", open: null, since: null, "two words": 3 },
    {
      name: "Sankt 100%",
      pop: 9007199254740990,
      kind: "city",
      open: true,
      since: "2021-12-31",
      "two words": 4,
    },
  ].map((properties) => ({ type: "Feature" as const, geometry: null, properties })),
  { dates: true },
);

function rows(text: string): number[] {
  return [...parseWhere(text, table.columns).rows(table)];
}

describe("parseWhere", () => {
  it.each([
    ["pop > 100", [0, 3]],
    ["pop <= 40 or kind = 'town'", [1, 2]],
    ["not (pop > 100)", [1]],
    ["name like 'San%'", [0, 3]],
    ["name ilike 'SAN%' and not name like '%!%'", [0, 3]],
    ["name like '_''Hara'", [1]],
    ["kind in ('city', 'town')", [0, 2, 3]],
    ["kind not in ('city', 'town')", [1]],
    ["pop is null", [2]],
    ["pop is not null and open", [0, 3]],
    ["pop between 40 and 1200", [0, 1]],
    ["pop * 2 + 1 = 81", [1]],
    ["pop / 0 > 1", []],
    ["-pop < -1000", [0, 3]],
    ["pop % 2 = 0 and pop < 100", [1]],
    ["kind || '!' = 'town!'", [2]],
    ['"two words" >= 3', [2, 3]],
    ["since >= '2020-01-01'", [1, 3]],
    ["pop = null", []],
    ["name <> 'x'", [0, 1, 3]],
    ["open = false", [1]],
    ["1 = 1", [0, 1, 2, 3]],
  ])("%s keeps rows %j", (text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  it.each([
    ["", "ends too early"],
    ["pop >", "ends too early"],
    ["pop", "not something true or false"],
    ["population > 1", "there are name, pop"],
    ["pop = 'many'", "text goes in 'single quotes'"],
    ['kind = "city"', "single quotes"],
    ["pop > 1 pop", "should end"],
    ["since > 'soon'", "not a date"],
    ["pop > 1; drop table x", "not understood"],
    ["name + 1 > 2", "arithmetic needs numbers"],
    [`${"(".repeat(5000)}1=1${")".repeat(5000)}`, "nested"],
  ])("%s is refused: %s", (text, expected) => {
    expect(() => rows(text)).toThrow(expected);
  });
});

describe("filterFeatures", () => {
  it("gives the rows that fit, reading attributes that the caller did not ask for", async () => {
    const source = filterFeatures(tableSource(table), "pop > 100");
    const found: unknown[] = [];
    for await (const batch of source.batches({ fields: ["kind"], batchSize: 2 }))
      for (let row = 0; row < batch.count; row++)
        found.push({ ...rowAt(batch, row), at: batch.firstRow + row });
    expect(found).toEqual([
      { kind: "city", at: 0 },
      { kind: "city", at: 1 },
    ]);
  });
});
