import { describe, expect, it } from "vitest";
import { coverageUnionRows } from "../../../../src/kernels/vector/overlay/coverage-union.ts";
import { fillRings } from "../../../../src/kernels/vector/overlay/fill.ts";
import type { FillRule } from "../../../../src/kernels/vector/overlay/select.ts";
import { unionRows } from "../../../../src/kernels/vector/overlay/union.ts";
import { findInvalid } from "../../../../src/kernels/vector/validity.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { built, rowsOf } from "./wkt.ts";

function union(...texts: readonly string[]): string {
  const rows = rowsOf(...texts);
  return built((builder) => unionRows(rows, [...texts.keys()], builder));
}

function coverageUnion(...texts: readonly string[]): string {
  const rows = rowsOf(...texts);
  return built((builder) => coverageUnionRows(rows, [...texts.keys()], builder));
}

/** Cells of a square lattice whose inner vertices are off the lattice, so that no two cells are alike. */
function cells(side: number): string[] {
  const at = (i: number, j: number): string => {
    const inner = i > 0 && j > 0 && i < side && j < side ? 0.3 : 0;
    return `${i + inner * Math.sin(7 * i + 3 * j)} ${j + inner * Math.cos(5 * i + j)}`;
  };
  const out: string[] = [];
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++)
      out.push(
        `POLYGON ((${[at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1), at(i, j)].join(", ")}))`,
      );
  }
  return out;
}

describe("union of many rows", () => {
  it("dissolves areas, whatever overlaps or touches", () => {
    expect(
      union(
        "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))",
        "NULL",
        "POLYGON ((9 9, 10 9, 10 10, 9 9))",
        "MULTIPOLYGON (((1 1, 3 1, 3 3, 1 3, 1 1)), ((2 2, 4 2, 4 4, 2 4, 2 2)))",
        "POLYGON ((4 0, 5 0, 5 4, 4 4, 4 0))",
      ),
    ).toBe(
      "MULTIPOLYGON (((0 0,2 0,2 1,3 1,3 2,4 2,4 0,5 0,5 4,4 4,2 4,2 3,1 3,1 2,0 2,0 0)),((9 9,10 9,10 10,9 9)))",
    );
  });

  it("nodes and dissolves lines, drops what areas and lines cover", () => {
    expect(
      union(
        "LINESTRING (0 0, 4 4)",
        "MULTILINESTRING ((0 4, 4 0), (2 2, 3 3))",
        "MULTIPOINT (1 1, 7 7, 7 7)",
        "POLYGON ((3 -1, 5 -1, 5 1, 3 1, 3 -1))",
      ),
    ).toBe(
      "GEOMETRYCOLLECTION (POLYGON ((3 -1,5 -1,5 1,3 1,3 -1)),LINESTRING (0 0,2 2),LINESTRING (0 4,2 2),LINESTRING (2 2,3 1),LINESTRING (2 2,3 3),LINESTRING (3 3,4 4),POINT (7 7))",
    );
  });

  it("dissolves a coverage of 900 cells into its outline", () => {
    const outline = union(...cells(30));
    expect(outline.startsWith("POLYGON ((0 0,1 0,2 0,")).toBe(true);
    expect(outline.split(",").length).toBe(121);
    expect(coverageUnion(...cells(30))).toBe(outline);
  });

  it("gives null for nulls and for no rows, empty for empty ones", () => {
    expect(union()).toBe("NULL");
    expect(union("NULL", "NULL")).toBe("NULL");
    expect(union("POINT EMPTY", "MULTIPOLYGON EMPTY")).toBe("POLYGON EMPTY");
  });
});

describe("union of a coverage", () => {
  it("keeps gaps as holes, and polygons that touch in a point apart", () => {
    expect(
      coverageUnion(
        "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))",
        "POLYGON ((1 0, 2 0, 2 1, 1 1, 1 0))",
        "POLYGON ((2 1, 3 1, 3 2, 2 2, 2 1))",
      ),
    ).toBe("MULTIPOLYGON (((0 0,1 0,2 0,2 1,1 1,0 1,0 0)),((2 1,3 1,3 2,2 2,2 1)))");
    const ring = cells(3).filter((_, k) => k !== 4);
    expect(coverageUnion(...ring)).toBe(union(...ring));
    expect(coverageUnion(...ring)).toContain("),(");
  });

  it("finds rows that overlap, and unites them as others", () => {
    expect(
      coverageUnion(
        "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))",
        "POLYGON ((0 0, 2 0, 2 3, 0 3, 0 0))",
        "LINESTRING (0 0, 5 0)",
      ),
    ).toBe("GEOMETRYCOLLECTION (POLYGON ((0 0,2 0,2 2,2 3,0 3,0 2,0 0)),LINESTRING (2 0,5 0))");
  });
});

describe("filling of rings", () => {
  /** A ring around twice, and one the other way around in it. */
  const xy = Float64Array.of(
    0,
    0,
    6,
    0,
    6,
    6,
    0,
    6,
    0,
    0,
    1,
    1,
    5,
    1,
    5,
    5,
    1,
    5,
    1,
    1,
    2,
    2,
    2,
    4,
    4,
    4,
    4,
    2,
  );
  const starts = [0, 5, 10, 14];

  function fill(rule: FillRule): string {
    return built((builder) => fillRings({ xy, starts }, rule, builder));
  }

  it("counts how often and which way rings wind", () => {
    expect(fill("non-zero")).toBe("POLYGON ((0 0,6 0,6 6,0 6,0 0))");
    expect(fill("positive")).toBe("POLYGON ((0 0,6 0,6 6,0 6,0 0))");
    expect(fill("even-odd")).toBe(
      "MULTIPOLYGON (((0 0,6 0,6 6,0 6,0 0),(1 1,1 5,5 5,5 1,1 1)),((2 2,4 2,4 4,2 4,2 2)))",
    );
    expect(fill("negative")).toBe("POLYGON EMPTY");
  });

  it("gives valid polygons for a star drawn in one go", () => {
    const star: number[] = [];
    for (let k = 0; k < 7; k++) star.push(Math.cos((6 * Math.PI * k) / 7), Math.sin((6 * Math.PI * k) / 7));
    for (const rule of ["even-odd", "non-zero"] as const) {
      const builder = new GeometryBuilder();
      fillRings({ xy: Float64Array.from(star), starts: [0, 7] }, rule, builder);
      const column = builder.finish();
      expect(findInvalid(column, 0)).toBeNull();
      expect(column.geometries[1]).toBe(rule === "even-odd" ? 8 : 1);
    }
  });
});
