import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wktGeometry } from "../../../scripts/conformance/wkt-geojson.ts";
import { toWkt } from "../../../src/io/wkt.ts";
import { type MakeValidOptions, makeValidRow } from "../../../src/kernels/vector/make-valid.ts";
import { findInvalid } from "../../../src/kernels/vector/validity.ts";
import { type Geometry, geometryFromGeoJson } from "../../../src/model/geojson.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";

function columnOf(geometry: Geometry): GeometryColumn {
  const builder = new GeometryBuilder();
  geometryFromGeoJson(geometry, builder, false);
  return builder.finish();
}

function repaired(column: GeometryColumn, options: MakeValidOptions = {}): GeometryColumn {
  const builder = new GeometryBuilder();
  makeValidRow(column, 0, builder, options);
  return builder.finish();
}

function made(wkt: string, options: MakeValidOptions = {}): string {
  return toWkt(repaired(columnOf(wktGeometry(wkt)), options), 0);
}

const structure = { method: "structure" } as const;
const collapsed = { keepCollapsed: true } as const;

describe("makeValidRow", () => {
  it.each([
    // A bowtie has two lobes by either method.
    ["POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", {}, "MULTIPOLYGON (((0 0,1 1,0 2,0 0)),((1 1,2 0,2 2,1 1)))"],
    [
      "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))",
      structure,
      "MULTIPOLYGON (((0 0,1 1,0 2,0 0)),((1 1,2 0,2 2,1 1)))",
    ],
    // A ring wound twice around its middle: a hole by lines, none by structure.
    [
      "POLYGON ((0 0, 6 0, 6 6, 2 6, 2 2, 4 2, 4 4, 0 4, 0 0))",
      {},
      "POLYGON ((0 0,6 0,6 6,2 6,2 4,0 4,0 0),(2 2,2 4,4 4,4 2,2 2))",
    ],
    [
      "POLYGON ((0 0, 6 0, 6 6, 2 6, 2 2, 4 2, 4 4, 0 4, 0 0))",
      structure,
      "POLYGON ((0 0,6 0,6 6,2 6,2 4,0 4,0 0))",
    ],
    // A hole across its shell.
    [
      "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (3 1, 5 1, 5 2, 3 2, 3 1))",
      structure,
      "POLYGON ((0 0,4 0,4 1,3 1,3 2,4 2,4 4,0 4,0 0))",
    ],
    [
      "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (3 1, 5 1, 5 2, 3 2, 3 1))",
      {},
      "MULTIPOLYGON (((0 0,4 0,4 1,3 1,3 2,4 2,4 4,0 4,0 0)),((4 1,5 1,5 2,4 2,4 1)))",
    ],
    // A hole that its shell does not meet stands for a polygon.
    [
      "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0), (5 5, 6 5, 6 6, 5 5))",
      structure,
      "MULTIPOLYGON (((0 0,1 0,1 1,0 1,0 0)),((5 5,6 5,6 6,5 5)))",
    ],
    // The same hole twice, the same polygon twice.
    [
      "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 1), (2 2, 1 1, 2 1, 2 2))",
      {},
      "POLYGON ((0 0,9 0,9 9,0 9,0 0),(1 1,2 2,2 1,1 1))",
    ],
    [
      "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((1 1, 0 0, 1 0, 1 1)))",
      {},
      "MULTIPOLYGON (((0 0,1 0,1 1,0 0)))",
    ],
    // Spikes and flat rings go, or stay as lines and points.
    ["POLYGON ((0 0, 4 0, 4 4, 6 6, 4 4, 0 4, 0 0))", {}, "POLYGON ((0 0,4 0,4 4,0 4,0 0))"],
    [
      "POLYGON ((0 0, 4 0, 4 4, 6 6, 4 4, 0 4, 0 0))",
      collapsed,
      "GEOMETRYCOLLECTION (POLYGON ((0 0,4 0,4 4,0 4,0 0)),LINESTRING (4 4,6 6))",
    ],
    ["POLYGON ((0 0, 1 1, 2 2, 0 0))", {}, "POLYGON EMPTY"],
    ["POLYGON ((0 0, 1 1, 2 2, 0 0))", collapsed, "LINESTRING (0 0,1 1,2 2)"],
    ["POLYGON ((3 3, 3 3, 3 3, 3 3))", collapsed, "POINT (3 3)"],
    ["LINESTRING (1 1, 1 1)", {}, "LINESTRING EMPTY"],
    ["LINESTRING (1 1, 1 1)", collapsed, "POINT (1 1)"],
    ["MULTILINESTRING ((1 1, 1 1), (2 2, 3 3))", {}, "MULTILINESTRING ((2 2,3 3))"],
    ["LINESTRING (1 1, NaN 2, 3 3)", {}, "LINESTRING (1 1,3 3)"],
    ["POINT (NaN 2)", {}, "POINT EMPTY"],
    [
      "GEOMETRYCOLLECTION (POINT (9 9), POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0)))",
      {},
      "GEOMETRYCOLLECTION (POINT (9 9),MULTIPOLYGON (((0 0,1 1,0 2,0 0)),((1 1,2 0,2 2,1 1))))",
    ],
  ])("%s with %o becomes %s", (wkt, options, expected) => {
    expect(made(wkt, options as MakeValidOptions)).toBe(expected);
  });

  it("copies a valid row bit for bit", () => {
    const wkt = "POLYGON ((4 0,4 4,0 4,-0.1 0,4 0))";
    expect(made(wkt)).toBe(wkt);
  });

  it("keeps heights and interpolates those of new vertices", () => {
    const bowtie: Geometry = {
      type: "Polygon",
      coordinates: [
        [
          [0, 0, 10],
          [2, 2, 20],
          [2, 0, 10],
          [0, 2, 20],
          [0, 0, 10],
        ],
      ],
    };
    expect(toWkt(repaired(columnOf(bowtie)), 0)).toBe(
      "MULTIPOLYGON Z (((0 0 10,1 1 15,0 2 20,0 0 10)),((1 1 15,2 0 10,2 2 20,1 1 15)))",
    );
  });
});

describe("makeValidRow on any input", () => {
  const small = fc.integer({ min: 0, max: 5 });
  const near = fc.oneof(
    small,
    small.map((x) => x + 2 ** -50),
    fc.double({ min: 0, max: 5, noNaN: true }),
  );
  const any = fc.oneof(fc.double(), small);

  function geometries(ordinate: fc.Arbitrary<number>): fc.Arbitrary<Geometry> {
    const position = fc.tuple(ordinate, ordinate);
    const line = fc.array(position, { minLength: 1, maxLength: 10 });
    const ring = line.map((positions) => [...positions, positions[0]!]);
    const polygon = fc.array(ring, { minLength: 1, maxLength: 3 });
    return fc.oneof(
      polygon.map((coordinates): Geometry => ({ type: "Polygon", coordinates })),
      fc
        .array(polygon, { maxLength: 3 })
        .map((coordinates): Geometry => ({ type: "MultiPolygon", coordinates })),
      fc
        .array(line, { maxLength: 3 })
        .map((coordinates): Geometry => ({ type: "MultiLineString", coordinates })),
    );
  }

  it.each([
    ["a lattice", small, 400],
    ["nearly equal points", near, 60],
    ["any doubles", any, 150],
  ] as const)("gives something valid that stays as it is: %s", (_, ordinate, numRuns) => {
    fc.assert(
      fc.property(
        geometries(ordinate),
        fc.constantFrom("linework" as const, "structure" as const),
        fc.boolean(),
        (geometry, method, keepCollapsed) => {
          const result = repaired(columnOf(geometry), { method, keepCollapsed });
          expect(findInvalid(result, 0)).toBeNull();
          expect(repaired(result, { method, keepCollapsed })).toEqual(result);
          expect(repaired(columnOf(geometry), { method, keepCollapsed })).toEqual(result);
        },
      ),
      { numRuns, seed: 1 },
    );
  });
});
