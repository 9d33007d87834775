import { describe, expect, it } from "vitest";
import { toWkt } from "../../src/io/wkt.ts";
import { tableSource } from "../../src/model/features.ts";
import {
  checkFeatures,
  countInvalid,
  type RepairOptions,
  repairFeatures,
} from "../../src/operators/validity.ts";
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
  async function repair(texts: readonly string[], options: RepairOptions = {}) {
    const source = repairFeatures(tableSource(tableOf(...texts)), options);
    for await (const batch of source.batches()) return { table: batch, report: source.report };
    throw new Error("no batch");
  }

  const OVERLAPPING = "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((2 2, 6 2, 6 6, 2 6, 2 2)))";
  const HOLE_ACROSS = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (3 1, 5 1, 5 2, 3 2, 3 1))";

  it("rebuilds invalid geometries and leaves the others untouched", async () => {
    const { table, report } = await repair([FINE, BOWTIE, "LINESTRING (1 1, 1 1)"]);
    expect(report).toEqual({ repaired: 1, emptied: 1 });
    expect(countInvalid(table.geometry!)).toBe(0);
    expect(toWkt(table.geometry!, 0)).toBe(toWkt(tableOf(FINE).geometry!, 0));
    expect(toWkt(table.geometry!, 1)).toBe("MULTIPOLYGON (((0 0,1 1,0 2,0 0)),((1 1,2 0,2 2,1 1)))");
    expect(table.geometry!.types[2]).toBe(0);
  });

  it("by lines: overlaps open and what of a hole lies outside becomes a polygon", async () => {
    const { table, report } = await repair([OVERLAPPING, HOLE_ACROSS, "POLYGON ((0 0, 1 1, 2 2, 0 0))"]);
    const area = (row: number) => measure(tableOf(toWkt(table.geometry!, row)).geometry!, 2);
    expect([area(0), area(1)]).toEqual([24, 16]);
    expect(table.geometry!.types[2]).toBe(0);
    expect(report).toEqual({ repaired: 2, emptied: 1 });
    expect(countInvalid(table.geometry!)).toBe(0);
  });

  it("by structure: parts are united and holes taken out", async () => {
    const { table } = await repair([OVERLAPPING, HOLE_ACROSS], { method: "structure" });
    const area = (row: number) => measure(tableOf(toWkt(table.geometry!, row)).geometry!, 2);
    expect([area(0), area(1)]).toEqual([28, 15]);
    expect(countInvalid(table.geometry!)).toBe(0);
  });

  it("keeps what collapses as lines and points when asked to", async () => {
    const { table, report } = await repair(["POLYGON ((0 0, 1 1, 2 2, 0 0))", "LINESTRING (1 1, 1 1)"], {
      keepCollapsed: true,
    });
    expect(toWkt(table.geometry!, 0)).toBe("LINESTRING (0 0,1 1,2 2)");
    expect(toWkt(table.geometry!, 1)).toBe("POINT (1 1)");
    expect(report).toEqual({ repaired: 2, emptied: 0 });
  });
});
