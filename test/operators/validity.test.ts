import { describe, expect, it } from "vitest";
import { toWkt } from "../../src/io/wkt.ts";
import { tableSource } from "../../src/model/features.ts";
import { checkFeatures, countInvalid, repairFeatures } from "../../src/operators/validity.ts";
import { measure, tableOf } from "../helpers/vectors.ts";

const BOWTIE = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))";
const FINE = "POLYGON ((5 5, 6 5, 6 6, 5 5))";

describe("checkFeatures", () => {
  it("lists what is wrong, where and in which row", async () => {
    const source = tableSource(tableOf(FINE, BOWTIE, "", "POINT EMPTY", BOWTIE));
    expect(await checkFeatures(source, { limit: 1 })).toEqual({
      features: 5,
      invalid: 2,
      nulls: 1,
      empty: 1,
      problems: [{ row: 1, id: null, reason: "Self-intersection", x: 1, y: 1 }],
    });
  });
});

describe("repairFeatures", () => {
  async function repair(...texts: string[]) {
    const source = repairFeatures(tableSource(tableOf(...texts)));
    for await (const batch of source.batches()) return { table: batch, report: source.report };
    throw new Error("no batch");
  }

  it("rebuilds invalid polygons and leaves the others untouched", async () => {
    const { table, report } = await repair(FINE, BOWTIE, "LINESTRING (1 1, 1 1)");
    expect(report).toEqual({ repaired: 1, emptied: 0, unrepaired: 1 });
    expect(countInvalid(table.geometry!)).toBe(1);
    expect(toWkt(table.geometry!, 0)).toBe(toWkt(tableOf(FINE).geometry!, 0));
    expect(toWkt(table.geometry!, 1).startsWith("MULTIPOLYGON")).toBe(true);
    expect(measure(tableOf(toWkt(table.geometry!, 1)).geometry!, 2)).toBe(2);
  });

  it("unites polygons that overlap, takes holes out and drops what has no area", async () => {
    const { table, report } = await repair(
      "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((2 2, 6 2, 6 6, 2 6, 2 2)))",
      "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (3 1, 5 1, 5 2, 3 2, 3 1))",
      "POLYGON ((0 0, 1 1, 2 2, 0 0))",
    );
    const area = (row: number) => measure(tableOf(toWkt(table.geometry!, row)).geometry!, 2);
    expect([area(0), area(1)]).toEqual([28, 16]);
    expect(table.geometry!.types[2]).toBe(0);
    expect(report).toEqual({ repaired: 2, emptied: 1, unrepaired: 0 });
    expect(countInvalid(table.geometry!)).toBe(0);
  });
});
