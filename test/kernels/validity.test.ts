import { describe, expect, it } from "vitest";
import { findInvalid } from "../../src/kernels/vector/validity.ts";
import { describeShared } from "../helpers/shared.ts";
import { columnOf, vectors } from "../helpers/vectors.ts";

function reason(wkt: string): string | null {
  return findInvalid(columnOf(wkt), 0)?.reason ?? null;
}

describe("findInvalid", () => {
  it("finds nothing wrong with valid geometries", () => {
    expect(reason("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))")).toBeNull();
    expect(reason("POLYGON EMPTY")).toBeNull();
    expect(reason("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((1 1, 2 1, 2 2, 1 1)))")).toBeNull();
    // A hole may touch its shell in one point.
    expect(reason("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (0 0, 2 1, 1 2, 0 0))")).toBeNull();
  });

  it("says where a bowtie crosses itself", () => {
    expect(findInvalid(columnOf("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"), 0)).toEqual({
      reason: "Self-intersection",
      x: 1,
      y: 1,
    });
  });

  it.each([
    ["POLYGON ((0 0, 1 0, 0 0, 0 0))", "Too few points in geometry component"],
    ["LINESTRING (1 1, 1 1)", "Too few points in geometry component"],
    ["POLYGON ((0 0, 4 0, 4 4, 2 0, 0 4, 0 0))", "Ring Self-intersection"],
    ["POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 5))", "Hole lies outside shell"],
    [
      "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1), (2 2, 3 2, 3 3, 2 2))",
      "Holes are nested",
    ],
    ["MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0)), ((1 1, 2 1, 2 2, 1 1)))", "Nested shells"],
    ["MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((2 0, 4 0, 4 2, 2 2, 2 0)))", "Self-intersection"],
    ["POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (0 2, 2 1, 4 2, 2 3, 0 2))", "Interior is disconnected"],
  ])("%s: %s", (wkt, expected) => {
    expect(reason(wkt)).toBe(expected);
  });
});

describeShared("validity against the JTS and GEOS suites", () => {
  it.each(["overlay-jts", "overlay-generated"])(
    "agrees in every case of %s that the reader takes",
    (family) => {
      const wrong: string[] = [];
      let asked = 0;
      for (const { id, op, a, expected } of vectors<{ id: string; op: string; a: string; expected: boolean }>(
        family,
        "validity.jsonl",
      )) {
        // NaN is no number of WKT, and a lone ring no geometry of the model.
        if (op !== "isValid" || /NaN|LINEARRING/.test(a)) continue;
        asked++;
        if ((findInvalid(columnOf(a), 0) === null) !== expected) wrong.push(id);
      }
      expect(asked).toBeGreaterThan(0);
      expect(wrong).toEqual([]);
    },
  );
});
