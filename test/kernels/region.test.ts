import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildBoxTree, newHits, searchBoxes } from "../../src/kernels/vector/box-tree.ts";
import { relatePolygon } from "../../src/kernels/vector/classify.ts";
import { writeNearPart } from "../../src/kernels/vector/near-part.ts";
import {
  BOUNDARY,
  INSIDE,
  locate,
  OUTSIDE,
  preparePolygonParts,
  prepareRegion,
} from "../../src/kernels/vector/region.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";
import { columnOf } from "../helpers/vectors.ts";

describe("searchBoxes", () => {
  it("finds what a look at every box finds", () => {
    const box = fc
      .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), fc.nat(9), fc.nat(9))
      .map(([x, y, w, h]) => [x, y, x + w, y + h] as const);
    fc.assert(
      fc.property(fc.array(box, { maxLength: 400 }), box, (boxes, [minX, minY, maxX, maxY]) => {
        const hits = newHits();
        const found = searchBoxes(
          buildBoxTree(Float64Array.from(boxes.flat())),
          minX,
          minY,
          maxX,
          maxY,
          hits,
        );
        const expected = boxes.flatMap(([a, b, c, d], i) =>
          a <= maxX && b <= maxY && c >= minX && d >= minY ? [i] : [],
        );
        expect([...hits.values.slice(0, found)].sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});

describe("locate", () => {
  const two = prepareRegion(
    columnOf("POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))", "POLYGON ((2 0, 4 0, 4 2, 2 2, 2 0))"),
  );

  it("tells inside, boundary and outside apart exactly", () => {
    expect(locate(two, 1, 1)).toBe(INSIDE);
    expect(locate(two, 0, 1)).toBe(BOUNDARY);
    expect(locate(two, -Number.MIN_VALUE, 1)).toBe(OUTSIDE);
    expect(locate(two, Number.MIN_VALUE, 1)).toBe(INSIDE);
    expect(locate(two, 5, 1)).toBe(OUTSIDE);
  });

  it("sees no boundary where two polygons share an edge", () => {
    expect(locate(two, 2, 1)).toBe(INSIDE);
    expect(locate(two, 2, 0)).toBe(BOUNDARY);
  });

  it("sees the inside where polygons overlap", () => {
    const overlapping = prepareRegion(
      columnOf("POLYGON ((0 0, 3 0, 3 3, 0 3, 0 0))", "POLYGON ((2 2, 5 2, 5 5, 2 5, 2 2))"),
    );
    expect(locate(overlapping, 2.5, 2.5)).toBe(INSIDE);
    expect(locate(overlapping, 3, 2.5)).toBe(INSIDE);
    expect(locate(overlapping, 3, 1)).toBe(BOUNDARY);
  });

  it("sees the inside around a corner where only shared edges meet", () => {
    const four = prepareRegion(
      columnOf(
        "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))",
        "POLYGON ((1 0, 2 0, 2 1, 1 1, 1 0))",
        "POLYGON ((0 1, 1 1, 1 2, 0 2, 0 1))",
        "POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))",
      ),
    );
    expect(locate(four, 1, 1)).toBe(INSIDE);
  });
});

describe("relatePolygon", () => {
  const region = prepareRegion(
    columnOf("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 4 6, 6 6, 6 4, 4 4))"),
  );
  it.each([
    ["POLYGON ((1 1, 2 1, 2 2, 1 1))", "inside"],
    ["POLYGON ((0 0, 10 0, 10 2, 0 2, 0 0))", "inside"],
    ["POLYGON ((20 20, 21 20, 21 21, 20 20))", "outside"],
    ["POLYGON ((10 0, 12 0, 12 2, 10 2, 10 0))", "touching"],
    ["POLYGON ((4 4, 6 4, 6 6, 4 6, 4 4))", "touching"],
    ["POLYGON ((4.5 4.5, 5.5 4.5, 5 5, 4.5 4.5))", "outside"],
    ["POLYGON ((3 3, 7 3, 7 7, 3 7, 3 3))", "crossing"],
    ["POLYGON ((9 9, 11 9, 11 11, 9 11, 9 9))", "crossing"],
    ["POLYGON ((-1 -1, 11 -1, 11 11, -1 11, -1 -1))", "crossing"],
  ])("%s is %s", (wkt, expected) => {
    expect(relatePolygon(columnOf(wkt), 0, region).relation).toBe(expected);
  });
});

describe("writeNearPart", () => {
  it("changes no point of the box from inside to outside", () => {
    const vertex = fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -20, max: 20 }));
    fc.assert(
      fc.property(fc.array(vertex, { minLength: 3, maxLength: 20 }), (ring) => {
        const geometry: Geometry = { type: "Polygon", coordinates: [[...ring, ring[0]!]] };
        const { geometry: column } = tableFromGeoJson([{ type: "Feature", geometry, properties: {} }]);
        const region = preparePolygonParts(column!, Int32Array.of(0));
        const near = new GeometryBuilder();
        const rows = writeNearPart(region, -5.1, -4.1, 6.1, 3.1, near);
        const limited = rows === 0 ? null : prepareRegion(near.finish());
        for (let x = -5; x <= 6; x += 0.5)
          for (let y = -4; y <= 3; y += 0.5)
            expect(limited === null ? OUTSIDE : locate(limited, x, y)).toBe(locate(region, x, y));
      }),
      { numRuns: 200 },
    );
  });
});
