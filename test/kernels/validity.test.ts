import { describe, expect, it } from "vitest";
import { wktGeometry } from "../../scripts/conformance/wkt-geojson.ts";
import { isSimple, isValid } from "../../src/geometry.ts";
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

describe("findInvalid where rings touch", () => {
  it.each([
    // Every vertex of the hole lies on its shell, which it does not cross.
    ["POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (2 0, 4 2, 2 4, 0 2, 2 0))", "Interior is disconnected"],
    // A hole outside that touches its shell with its first vertex.
    ["POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (4 2, 6 1, 6 3, 4 2))", "Hole lies outside shell"],
    ["MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((4 2, 3 3, 3 1, 4 2)))", "Nested shells"],
    ["MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((4 2, 6 1, 6 3, 4 2)))", null],
    ["MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0), (2 2, 7 2, 7 7, 2 7, 2 2)), ((2 4, 4 3, 4 5, 2 4)))", null],
    [
      "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1), (1 1, 3 2, 2 3, 1 1))",
      "Holes are nested",
    ],
  ])("%s: %s", (wkt, expected) => {
    expect(reason(wkt)).toBe(expected);
  });

  it("judges many holes by one ray each", () => {
    const side = 80;
    const holes: string[] = [];
    for (let x = 0; x < side; x++)
      for (let y = 0; y < side; y++)
        holes.push(
          `(${2 * x} ${2 * y}, ${2 * x + 1} ${2 * y}, ${2 * x + 1} ${2 * y + 1}, ${2 * x} ${2 * y})`,
        );
    const size = 2 * side;
    const shell = `(-1 -1, ${size} -1, ${size} ${size}, -1 ${size}, -1 -1)`;
    expect(reason(`POLYGON (${shell}, ${holes.join(", ")})`)).toBeNull();
    expect(reason(`POLYGON (${shell}, ${holes.join(", ")}, (0.6 0.2, 0.8 0.2, 0.8 0.3, 0.6 0.2))`)).toBe(
      "Holes are nested",
    );
  });

  it("decides exactly where products of coordinates underflow", () => {
    const tiny = 1e-170;
    expect(reason(`POLYGON ((0 0, ${2 * tiny} 0, ${2 * tiny} ${2 * tiny}, 0 ${2 * tiny}, 0 0))`)).toBeNull();
    expect(reason(`POLYGON ((0 0, ${2 * tiny} ${2 * tiny}, ${2 * tiny} 0, 0 ${2 * tiny}, 0 0))`)).toBe(
      "Self-intersection",
    );
  });
});

describeShared("validity against the JTS and GEOS suites", () => {
  it.each(["overlay-jts", "overlay-generated"])("agrees in every case of %s", (family) => {
    const wrong: string[] = [];
    let asked = 0;
    for (const { id, op, a, expected } of vectors<{ id: string; op: string; a: string; expected: boolean }>(
      family,
      "validity.jsonl",
    )) {
      asked++;
      // GeoJSON has no lone rings: they are judged as the shell of a polygon.
      const found = op === "isSimple" ? isSimple(wktGeometry(a)) : isValid(wktGeometry(a, "polygon"));
      if (found !== expected) wrong.push(id);
    }
    expect(asked).toBeGreaterThan(90);
    expect(wrong).toEqual([]);
  });
});
