import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openFeatures, readFeatures, writeFeatures } from "../../src/io/open.ts";
import { parseWkt, toWkt } from "../../src/io/wkt.ts";
import { findInvalid } from "../../src/kernels/vector/validity.ts";
import { ColumnBuilder, type FeatureTable, rowAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, geometryToGeoJson } from "../../src/model/geojson.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-collections-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Collections with other rows between them: the parts of those are no parts of any member. */
const ROWS = [
  "POINT (9 9)",
  "GEOMETRYCOLLECTION (POINT (1 1),MULTIPOINT ((2 2),(3 3)))",
  "MULTIPOINT ((4 4),(5 5))",
  "POLYGON ((0 0,2 2,2 0,0 2,0 0))",
  "GEOMETRYCOLLECTION (LINESTRING (0 0,1 1),MULTIPOLYGON (((0 0,1 0,1 1,0 0))))",
  "GEOMETRYCOLLECTION EMPTY",
  "MULTIPOLYGON (((5 5,6 5,6 6,5 5)))",
  "GEOMETRYCOLLECTION (POLYGON ((0 0,1 0,1 1,0 0)),MULTILINESTRING EMPTY)",
  "MULTILINESTRING ((0 0,1 1),(2 2,3 3))",
] as const;

function table(): FeatureTable {
  const builder = new GeometryBuilder();
  const ids = new ColumnBuilder({ name: "n", type: "int32", nullable: false });
  for (const [n, wkt] of ROWS.entries()) {
    parseWkt(wkt, builder);
    ids.pushNumber(n);
  }
  return {
    count: ROWS.length,
    geometry: builder.finish(),
    columns: [ids.finish()],
    ids: null,
    firstRow: 0,
    crs: GEOJSON_CRS,
  };
}

describe("collections between other rows", () => {
  test("have their own parts in well-known text and as GeoJSON", () => {
    const { geometry } = table();
    expect(ROWS.map((_, row) => toWkt(geometry!, row))).toEqual(ROWS);
    const { geometries } = geometryToGeoJson(geometry!, 1) as Extract<Geometry, { geometries: unknown }>;
    expect(geometries).toEqual([
      { type: "Point", coordinates: [1, 1] },
      {
        type: "MultiPoint",
        coordinates: [
          [2, 2],
          [3, 3],
        ],
      },
    ]);
  });

  test("are judged by their own parts: the bowtie behind one is not its own", () => {
    const builder = new GeometryBuilder();
    parseWkt("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))", builder);
    parseWkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", builder);
    parseWkt("GEOMETRYCOLLECTION (POINT (0 0))", builder);
    const column = builder.finish();
    expect([0, 1, 2].map((row) => findInvalid(column, row)?.reason)).toEqual([
      undefined,
      "Self-intersection",
      undefined,
    ]);
  });

  test.each(["geojson", "geojsonl", "fgb", "gpkg", "parquet", "csv"])(
    "come back from .%s",
    async (ending) => {
      const path = join(folder, `out.${ending}`);
      await writeFeatures(path, table());
      const { geometry, ...rest } = await readFeatures(path);
      const read = ROWS.map(
        (_, row) => [rowAt({ ...rest, geometry }, row)["n"], toWkt(geometry!, row)] as const,
      );
      // FlatGeobuf and GeoParquet put rows along a curve.
      expect(new Map(read)).toEqual(new Map(ROWS.entries()));
      const source = await openFeatures(path);
      expect(source.schema.count).toBe(ROWS.length);
      await source.close();
    },
  );
});
