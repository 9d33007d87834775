import { expect, it } from "vitest";
import { runFormats } from "../../../scripts/conformance/formats.ts";
import { rowShape, shapeDifference, wktShape } from "../../../scripts/conformance/wkt-shape.ts";
import { openFeatures } from "../../../src/io/open.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { rowAt, tableSource } from "../../../src/model/features.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

describeShared("the vectors of the vector formats", () => {
  const dir = shared("conformance", "formats");

  it("all pass", { timeout: 60_000 }, async () => {
    const [result] = await runFormats(dir, { openFeatures, rowAt, isGeoError });
    expect(result!.failures).toEqual([]);
    expect(result!.passed).toBeGreaterThan(80);
    expect(result!.passed + result!.notCovered).toBe(result!.cases);
  });

  it("fail when a reader gives other features", async () => {
    const point = new GeometryBuilder();
    point.begin(1);
    point.part();
    point.vertex(1, 2);
    point.end();
    const table = { count: 1, geometry: point.finish(), columns: [], ids: null, firstRow: 0, crs: null };
    const [result] = await runFormats(dir, {
      openFeatures: async () => tableSource(table),
      rowAt,
      isGeoError,
    });
    // Some GeoJSON files need only be accepted.
    expect(result!.failed).toBeGreaterThan(70);
  });
});

it("compares geometries member by member", () => {
  const builder = new GeometryBuilder();
  builder.begin(4);
  for (const x of [1, 3]) {
    builder.part();
    builder.vertex(x, x + 1);
  }
  builder.end();
  const shape = rowShape(builder.finish(), 0);
  expect(shapeDifference(shape, wktShape("MULTIPOINT ((1 2),(3 4))"))).toBeNull();
  expect(shapeDifference(shape, wktShape("MULTIPOINT (1 2, 3 4)"))).toBeNull();
  expect(shapeDifference(shape, wktShape("MULTIPOINT (1 2, 3 4.0000001)"))).toMatch(/expected 4.0000001/);
  expect(shapeDifference(shape, wktShape("MULTIPOINT (1 2)"))).toMatch(/2 items, expected 1/);
  expect(shapeDifference(shape, wktShape("LINESTRING (1 2, 3 4)"))).toMatch(
    /MULTIPOINT, expected LINESTRING/,
  );
  expect(shapeDifference(null, wktShape("POINT EMPTY"))).toMatch(/null, expected POINT/);
});

it("takes surfaces for polygons and collections in collections for one, as the model does", () => {
  expect(wktShape("TIN Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)))")).toEqual(
    wktShape("MULTIPOLYGON Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)))"),
  );
  expect(wktShape("GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (POINT (1 2), POINT (3 4)), POINT (5 6))")).toEqual(
    wktShape("GEOMETRYCOLLECTION (POINT (1 2), POINT (3 4), POINT (5 6))"),
  );
});
