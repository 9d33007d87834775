import { describe, expect, it } from "vitest";
import { matchesPattern } from "../../../../src/kernels/vector/relate/patterns.ts";
import { testRows } from "../../../../src/kernels/vector/relate/predicates.ts";
import {
  prepareRelate,
  relatePrepared,
  testPrepared,
} from "../../../../src/kernels/vector/relate/prepared.ts";
import { relateRows } from "../../../../src/kernels/vector/relate/relate.ts";
import { columnOf } from "../../../helpers/vectors.ts";

function relate(a: string, b: string): string {
  const columns = columnOf(a, b);
  return relateRows(columns, 0, columns, 1);
}

const SQUARE = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))";

describe("the matrix of", () => {
  it("polygons that overlap, touch along an edge, touch at a corner and are apart", () => {
    expect(relate(SQUARE, "POLYGON ((5 5, 15 5, 15 15, 5 15, 5 5))")).toBe("212101212");
    expect(relate(SQUARE, "POLYGON ((10 0, 20 0, 20 10, 10 10, 10 0))")).toBe("FF2F11212");
    expect(relate(SQUARE, "POLYGON ((10 10, 20 10, 20 20, 10 10))")).toBe("FF2F01212");
    expect(relate(SQUARE, "POLYGON ((20 20, 30 20, 30 30, 20 20))")).toBe("FF2FF1212");
  });

  it("a polygon and one in its hole, filling it", () => {
    const frame = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 8 2, 8 8, 2 8, 2 2))";
    expect(relate(frame, "POLYGON ((2 2, 8 2, 8 8, 2 8, 2 2))")).toBe("FF2F112F2");
  });

  it("lines that cross, overlap and share an end", () => {
    expect(relate("LINESTRING (0 0, 2 2)", "LINESTRING (0 2, 2 0)")).toBe("0F1FF0102");
    expect(relate("LINESTRING (0 0, 2 0)", "LINESTRING (1 0, 3 0)")).toBe("1010F0102");
    expect(relate("LINESTRING (0 0, 2 0)", "LINESTRING (2 0, 3 3)")).toBe("FF1F00102");
  });

  it("a line that crosses where another line of the same geometry ends: the boundary, not the inside", () => {
    expect(relate("MULTILINESTRING ((0 0, 2 0), (1 0, 1 1))", "LINESTRING (0 -1, 2 1)")).toBe("FF10F0102");
  });

  it("points and the places they are in", () => {
    const points = "MULTIPOINT (5 5, 10 5, 20 5)";
    expect(relate(points, SQUARE)).toBe("000FFF212");
    expect(relate("POINT (1 1)", "LINESTRING (0 0, 2 2)")).toBe("0FFFFF102");
    expect(relate("POINT (2 2)", "LINESTRING (0 0, 2 2)")).toBe("F0FFFF102");
    expect(relate("POINT (1 1)", "POINT (1 1)")).toBe("0FFFFFFF2");
  });

  it("a collection is that of its union: edges that its polygons share are inside", () => {
    const halves =
      "GEOMETRYCOLLECTION (POLYGON ((0 0, 5 0, 5 10, 0 10, 0 0)), POLYGON ((5 0, 10 0, 10 10, 5 10, 5 0)))";
    expect(relate(halves, SQUARE)).toBe("2FFF1FFF2");
    expect(relate("POINT (5 5)", halves)).toBe("0FFFFF212");
    expect(relate("POINT (5 0)", halves)).toBe("F0FFFF212");
    expect(relate("LINESTRING (5 2, 5 8)", halves)).toBe("1FF0FF212");
    expect(relate("LINESTRING (5 8, 5 2)", halves)).toBe("1FF0FF212");
  });

  it("a collection whose polygons overlap, past a corner that is at no coordinates of theirs", () => {
    // The outlines cross at (10/3, 5), where there is a gap above: the line touches it on its way from one into the other.
    const two = "GEOMETRYCOLLECTION (POLYGON ((0 0, 5 0, 0 15, 0 0)), POLYGON ((10 0, 10 15, 0 0, 10 0)))";
    expect(relate("LINESTRING (3 1, 3 2)", two)).toBe("1FF0FF212");
    expect(relate("LINESTRING (0 10, 10 -5)", two)).toBe("101F00212");
    const three = two.replace(/\)$/, ", POLYGON ((1 4, 1 9, 8 9, 8 4, 1 4)))");
    expect(relate("LINESTRING (1 8.5, 4 4)", three)).toBe("1FF0FF212");
  });

  it("lines of no length, empty and null geometries", () => {
    expect(relate("LINESTRING (1 1, 1 1)", "POINT (1 1)")).toBe("0FFFFFFF2");
    expect(relate("LINESTRING (5 5, 5 5)", SQUARE)).toBe("0FFFFF212");
    expect(relate("POINT EMPTY", SQUARE)).toBe("FFFFFF212");
    expect(relate(SQUARE, "GEOMETRYCOLLECTION EMPTY")).toBe("FF2FF1FF2");
    expect(relate("LINESTRING EMPTY", "POLYGON EMPTY")).toBe("FFFFFFFF2");
    expect(relate("LINESTRING (0 0, 1 0, 0 1, 0 0)", "POINT EMPTY")).toBe("FF1FFFFF2");
  });
});

describe("predicates", () => {
  it("of points in polygons tell the boundary from the inside", () => {
    const columns = columnOf("POINT (10 5)", "POINT (5 5)", SQUARE);
    expect(testRows("within", columns, 0, columns, 2)).toBe(false);
    expect(testRows("coveredBy", columns, 0, columns, 2)).toBe(true);
    expect(testRows("touches", columns, 0, columns, 2)).toBe(true);
    expect(testRows("within", columns, 1, columns, 2)).toBe(true);
    expect(testRows("containsProperly", columns, 2, columns, 1)).toBe(true);
    expect(testRows("containsProperly", columns, 2, columns, 0)).toBe(false);
  });

  it("of empty and null geometries are false, but for disjoint and for two that are equally empty", () => {
    const columns = columnOf("POLYGON EMPTY", SQUARE, "POINT EMPTY");
    const nothing = { ...columnOf(SQUARE), types: new Uint8Array(1), geometries: new Int32Array(2) };
    for (const predicate of ["intersects", "contains", "covers", "touches", "equals"] as const) {
      expect(testRows(predicate, columns, 1, columns, 0)).toBe(false);
      expect(testRows(predicate, nothing, 0, columns, 1)).toBe(false);
    }
    expect(testRows("disjoint", columns, 0, columns, 1)).toBe(true);
    expect(testRows("disjoint", nothing, 0, columns, 1)).toBe(true);
    expect(testRows("equals", columns, 0, columns, 2)).toBe(true);
  });

  it("do not depend on where a ring begins, how it turns or whether vertices repeat", () => {
    const columns = columnOf(SQUARE, "POLYGON ((10 10, 10 4, 10 0, 10 0, 0 0, 0 10, 10 10))");
    expect(testRows("equals", columns, 0, columns, 1)).toBe(true);
    expect(testPrepared(prepareRelate(columns, 0), "equals", columns, 1)).toBe(true);
  });
});

describe("a prepared geometry", () => {
  it("keeps its answers when its column is written over", () => {
    const columns = columnOf(SQUARE);
    const prepared = prepareRelate(columns, 0);
    columns.xy.fill(99);
    expect(relatePrepared(prepared, columnOf("POINT (5 5)"), 0)).toBe("0F2FF1FF2");
  });
});

describe("patterns", () => {
  it("compare dimensions, T with any and F with none", () => {
    expect(matchesPattern("212101212", "T*T***T**")).toBe(true);
    expect(matchesPattern("212101212", "t*t***t**")).toBe(true);
    expect(matchesPattern("FF2F11212", "T********")).toBe(false);
    expect(matchesPattern("FF2F11212", "FF2F11212")).toBe(true);
    expect(matchesPattern("0F1FF0102", "1********")).toBe(false);
  });

  it("that are none are refused", () => {
    expect(() => matchesPattern("FF2F11212", "T*F")).toThrow(/expected nine characters/);
    expect(() => matchesPattern("FF2F11212", "X********")).toThrow(/"X\*{8}"/);
  });
});
