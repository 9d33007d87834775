import { describe, expect, it } from "vitest";
import {
  type OverlayOperation,
  type OverlayReport,
  overlayRows,
} from "../../../../src/kernels/vector/overlay/overlay.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import { built, rowsOf } from "./wkt.ts";

function overlay(operation: OverlayOperation, a: string, b: string, grid?: number): string {
  const rows = rowsOf(a, b);
  return built((builder) => overlayRows(operation, rows, 0, rows, 1, builder, { grid }));
}

function reportOf(operation: OverlayOperation, a: string, b: string): OverlayReport {
  const rows = rowsOf(a, b);
  return overlayRows(operation, rows, 0, rows, 1, new GeometryBuilder());
}

const A = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))";
const B = "POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))";

describe("overlay of polygons", () => {
  it("gives shells counter-clockwise from their smallest vertex", () => {
    expect(overlay("intersection", A, B)).toBe("POLYGON ((2 2,4 2,4 4,2 4,2 2))");
    expect(overlay("union", A, B)).toBe("POLYGON ((0 0,4 0,4 2,6 2,6 6,2 6,2 4,0 4,0 0))");
    expect(overlay("difference", A, B)).toBe("POLYGON ((0 0,4 0,4 2,2 2,2 4,0 4,0 0))");
    expect(overlay("symmetric-difference", A, B)).toBe(
      "MULTIPOLYGON (((0 0,4 0,4 2,2 2,2 4,0 4,0 0)),((2 4,4 4,4 2,6 2,6 6,2 6,2 4)))",
    );
  });

  it("gives holes clockwise, and an island in a hole as a polygon of its own", () => {
    const ring = overlay(
      "difference",
      "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))",
      "POLYGON ((2 2, 7 2, 7 7, 2 7, 2 2))",
    );
    expect(ring).toBe("POLYGON ((0 0,9 0,9 9,0 9,0 0),(2 2,2 7,7 7,7 2,2 2))");
    expect(overlay("union", ring, "POLYGON ((4 4, 5 4, 5 5, 4 5, 4 4))")).toBe(
      "MULTIPOLYGON (((0 0,9 0,9 9,0 9,0 0),(2 2,2 7,7 7,7 2,2 2)),((4 4,5 4,5 5,4 5,4 4)))",
    );
  });

  it("makes a hole that touches its shell in one point a ring of its own", () => {
    expect(overlay("difference", A, "POLYGON ((0 0, 2 1, 1 2, 0 0))")).toBe(
      "POLYGON ((0 0,4 0,4 4,0 4,0 0),(0 0,1 2,2 1,0 0))",
    );
  });

  it("takes polygons apart that a hole from side to side parts", () => {
    expect(overlay("difference", A, "POLYGON ((0 2, 2 1, 4 2, 2 3, 0 2))")).toBe(
      "MULTIPOLYGON (((0 0,4 0,4 2,2 1,0 2,0 0)),((0 2,2 3,4 2,4 4,0 4,0 2)))",
    );
  });

  it("joins neighbours whose border has vertices on one side only", () => {
    expect(overlay("union", A, "POLYGON ((4 0, 8 0, 8 4, 4 4, 4 3, 4 0))")).toBe(
      "POLYGON ((0 0,4 0,8 0,8 4,4 4,0 4,0 0))",
    );
  });

  it("gives the border that polygons share as a line, the corner as a point", () => {
    expect(overlay("intersection", A, "POLYGON ((4 1, 8 1, 8 3, 4 3, 4 1))")).toBe("LINESTRING (4 1,4 3)");
    expect(overlay("intersection", A, "POLYGON ((4 4, 8 4, 8 8, 4 8, 4 4))")).toBe("POINT (4 4)");
    expect(
      overlay(
        "intersection",
        A,
        "MULTIPOLYGON (((3 0, 4 -1, 5 -1, 4 1, 3 0)), ((4 2, 8 2, 8 3, 4 3, 4 2)), ((4 4, 5 4, 5 5, 4 4)))",
      ),
    ).toBe("GEOMETRYCOLLECTION (POLYGON ((3 0,4 0,4 1,3 0)),LINESTRING (4 2,4 3),POINT (4 4))");
  });
});

describe("overlay of lines and points", () => {
  it("cuts lines at areas, keeps their direction, and joins what was one line", () => {
    expect(overlay("intersection", "LINESTRING (9 1, 3 1, -5 1)", A)).toBe("LINESTRING (4 1,3 1,0 1)");
    expect(overlay("difference", "LINESTRING (9 1, 3 1, -5 1)", A)).toBe(
      "MULTILINESTRING ((0 1,-5 1),(9 1,4 1))",
    );
    expect(overlay("difference", "LINESTRING (0 0, 4 4)", "LINESTRING (0 4, 4 0)")).toBe(
      "LINESTRING (0 0,2 2,4 4)",
    );
  });

  it("nodes lines where they cross in a union", () => {
    expect(overlay("union", "LINESTRING (0 0, 4 4)", "LINESTRING (0 4, 4 0)")).toBe(
      "MULTILINESTRING ((0 0,2 2),(0 4,2 2),(2 2,4 0),(2 2,4 4))",
    );
  });

  it("gives shared stretches and crossings of lines", () => {
    expect(overlay("intersection", "LINESTRING (0 0, 4 0, 4 4)", "LINESTRING (1 0, 2 0, 2 2, 5 2)")).toBe(
      "GEOMETRYCOLLECTION (LINESTRING (1 0,2 0),POINT (4 2))",
    );
  });

  it("keeps lines and points in a union that no area covers", () => {
    expect(overlay("union", "LINESTRING (2 2, 8 2)", A)).toBe(
      "GEOMETRYCOLLECTION (POLYGON ((0 0,4 0,4 2,4 4,0 4,0 0)),LINESTRING (4 2,8 2))",
    );
    expect(overlay("union", "MULTIPOINT (9 9, 4 1, 2 2)", A)).toBe(
      "GEOMETRYCOLLECTION (POLYGON ((0 0,4 0,4 4,0 4,0 0)),POINT (9 9))",
    );
  });

  it("counts points on a border as inside", () => {
    expect(overlay("intersection", "MULTIPOINT (4 1, 2 2, 5 5)", A)).toBe("MULTIPOINT ((2 2),(4 1))");
    expect(overlay("difference", "MULTIPOINT (4 1, 2 2, 5 5)", A)).toBe("POINT (5 5)");
  });

  it("unites the members of a collection first", () => {
    const members =
      "GEOMETRYCOLLECTION (POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0)), POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2)), LINESTRING (0 1, 9 1))";
    expect(overlay("difference", members, "POINT EMPTY")).toBe(
      "GEOMETRYCOLLECTION (POLYGON ((0 0,4 0,4 1,4 2,6 2,6 6,2 6,2 4,0 4,0 1,0 0)),LINESTRING (4 1,9 1))",
    );
  });
});

describe("empty results", () => {
  it("have the type that the operation asks for", () => {
    expect(overlay("intersection", A, "LINESTRING (9 9, 8 8)")).toBe("LINESTRING EMPTY");
    expect(overlay("difference", A, A)).toBe("POLYGON EMPTY");
    expect(overlay("difference", "POINT (1 1)", A)).toBe("POINT EMPTY");
    expect(overlay("symmetric-difference", "POINT EMPTY", "MULTIPOLYGON EMPTY")).toBe("POLYGON EMPTY");
    expect(overlay("intersection", "GEOMETRYCOLLECTION EMPTY", A)).toBe("GEOMETRYCOLLECTION EMPTY");
  });

  it("count a null as empty, and give null for two", () => {
    expect(overlay("union", "NULL", A)).toBe("POLYGON ((0 0,4 0,4 4,0 4,0 0))");
    expect(overlay("intersection", A, "NULL")).toBe("GEOMETRYCOLLECTION EMPTY");
    expect(overlay("union", "NULL", "NULL")).toBe("NULL");
  });
});

describe("input that is not valid", () => {
  const nothing = "POINT EMPTY";

  it("takes all that a ring winds around", () => {
    expect(overlay("union", "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))", nothing)).toBe(
      "MULTIPOLYGON (((0 0,2 2,0 4,0 0)),((2 2,4 0,4 4,2 2)))",
    );
    expect(overlay("union", "POLYGON ((0 0, 6 0, 6 4, 2 4, 2 2, 4 2, 4 6, 0 6, 0 0))", nothing)).toBe(
      "POLYGON ((0 0,6 0,6 4,4 4,4 6,0 6,0 0))",
    );
  });

  it("takes holes that overlap together, and what they have outside of the shell for nothing", () => {
    expect(
      overlay(
        "union",
        "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 3 1, 3 3, 1 3, 1 1), (2 1, 4 1, 4 3, 2 3, 2 1), (8 4, 12 4, 12 5, 8 5, 8 4))",
        nothing,
      ),
    ).toBe("POLYGON ((0 0,9 0,9 4,8 4,8 5,9 5,9 9,0 9,0 0),(1 1,1 3,2 3,3 3,4 3,4 1,3 1,2 1,1 1))");
  });

  it("takes a hole that lies apart for an island", () => {
    expect(overlay("union", "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0), (5 5, 6 5, 6 6, 5 6, 5 5))", nothing)).toBe(
      "MULTIPOLYGON (((0 0,2 0,2 2,0 2,0 0)),((5 5,6 5,6 6,5 6,5 5)))",
    );
  });

  it("unites polygons that overlap", () => {
    const both = "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 4, 0 0)), ((2 2, 6 2, 6 6, 2 6, 2 2)))";
    expect(overlay("union", both, nothing)).toBe(overlay("union", A, B));
    expect(reportOf("union", "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))", nothing).repaired).toBe(true);
    expect(reportOf("union", A, B)).toEqual({ rung: 0, method: "floating", cell: 0, repaired: false });
  });

  it("passes over spikes, repeated vertices, rings and lines of no extent, and vertices that are not finite", () => {
    expect(overlay("union", "POLYGON ((0 0, 4 0, 8 0, 4 0, 4 4, 4 4, 0 4, 0 0))", nothing)).toBe(
      "POLYGON ((0 0,4 0,4 4,0 4,0 0))",
    );
    expect(overlay("union", "POLYGON ((0 0, 4 0, 0 0))", nothing)).toBe("POLYGON EMPTY");
    expect(overlay("union", "LINESTRING (1 1, 1 1)", nothing)).toBe("LINESTRING EMPTY");
    const builder = new GeometryBuilder();
    builder.begin(3);
    builder.part();
    for (const [x, y] of [
      [0, 0],
      [4, 0],
      [Number.NaN, 7],
      [4, 4],
      [Infinity, 4],
      [0, 4],
      [0, 0],
    ])
      builder.vertex(x!, y!);
    builder.end();
    builder.begin(1);
    builder.end();
    const rows = builder.finish();
    expect(built((out) => overlayRows("union", rows, 0, rows, 1, out))).toBe(
      "POLYGON ((0 0,4 0,4 4,0 4,0 0))",
    );
  });
});

describe("what rounding leaves", () => {
  it("is left out: a third of a polygon erased by its mask", () => {
    const mask = "POLYGON ((-1 -1, 7.3 -0.7, 0.1 8.9, -1 -1))";
    const clipped = overlay("intersection", "POLYGON ((0.3 0.1, 5.9 0.7, 5.2 6.1, 0.4 5.7, 0.3 0.1))", mask);
    expect(overlay("difference", clipped, mask)).toBe("POLYGON EMPTY");
  });
});

describe("a grid", () => {
  it("puts all vertices on it, and keeps parts narrower than a cell as lines", () => {
    expect(
      overlay(
        "intersection",
        "POLYGON ((0 0, 10 0, 10 0.3, 0 0))",
        "POLYGON ((5 -1, 9 -1, 9 1, 5 1, 5 -1))",
        1,
      ),
    ).toBe("LINESTRING (5 0,9 0)");
    expect(overlay("union", A, "POLYGON ((1.13 1.17, 5.21 1.19, 5.27 3.11, 1.13 1.17))", 0.1)).toBe(
      "POLYGON ((0 0,4 0,4 1.2,5.2 1.2,5.3 3.1,4 2.5,4 4,0 4,0 0))",
    );
  });

  it("brings points together that round to one", () => {
    expect(overlay("intersection", "POINT (10.1 10)", "POINT (10 10.1)", 1)).toBe("POINT (10 10)");
  });
});

describe("heights", () => {
  it("stay at vertices and are interpolated along the nearest edge that has some at others, A's first", () => {
    expect(
      overlay(
        "intersection",
        "LINESTRING Z (0 1 0, 8 1 8)",
        "POLYGON Z ((2 0 50, 4 0 50, 4 2 50, 2 2 50, 2 0 50))",
      ),
    ).toBe("LINESTRING Z (2 1 2,4 1 4)");
    expect(overlay("intersection", A, "POLYGON Z ((2 2 10, 6 2 10, 6 6 20, 2 6 20, 2 2 10))")).toBe(
      "POLYGON Z ((2 2 10,4 2 10,4 4 10,2 4 15,2 2 10))",
    );
  });
});
