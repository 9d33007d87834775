import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { openDbf, openShapefile } from "../../../src/io/shapefile/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { rowAt, valueAt } from "../../../src/model/features.ts";
import { describeShared, HAS_SHARED, shared } from "../../helpers/shared.ts";
import { expectedFiles, gdalValue, geometryText, readAll, wktText } from "../flatgeobuf/expected.ts";
import { shapefileParts } from "./files.ts";

const stemOf = (path: string): string => path.replace(/\.[a-z]+$/, "");

describeShared("Shapefiles as GDAL reads them", () => {
  const files = HAS_SHARED ? expectedFiles("shapefile/") : [];

  it.each(files)("%s", async (path, expected) => {
    const source = await openShapefile(shapefileParts(shared("conformance/formats", stemOf(path))));
    const table = await readAll(source);

    expect(table.count).toBe(expected.feature_count);
    expect(source.schema.name).toBe(expected.layer);
    expect(source.schema.crs?.code ?? null).toBe(
      expected.crs === null || expected.crs === undefined ? null : `EPSG:${expected.crs.epsg}`,
    );
    expect(source.schema.fields.map(({ name }) => name)).toEqual(
      (expected.fields ?? []).map(({ name }) => name),
    );
    if (source.schema.bounds !== null) expect(source.schema.bounds).toEqual(expected.extent);
    for (const [row, { properties, wkt }] of (expected.features ?? []).entries()) {
      expect(geometryText(table.geometry, row), `geometry of row ${row}`).toBe(wktText(wkt));
      for (const [name, value] of Object.entries(properties)) {
        const column = table.columns.find((one) => one.name === name)!;
        // GDAL 3.6 gives logical columns as their letter.
        if (column.type === "boolean") {
          const letter = { t: true, y: true, f: false, n: false }[String(value).toLowerCase()] ?? null;
          expect(valueAt(column, row), `${name} of row ${row}`).toBe(letter);
        } else expect(gdalValue(table, name, row), `${name} of row ${row}`).toEqual(value);
      }
    }
  });

  it("finds cells that are written in unusual ways", async () => {
    const row = async (name: string) => {
      const { dbf } = shapefileParts(shared("data/nasty/vector/shp", name));
      return rowAt(await readAll(await openDbf(dbf!)), 0);
    };
    expect(await row("nan")).toEqual({ real: Number.NaN });
    expect(await row("padding_after_field_defns")).toEqual({ id: "1", foo: "2" });
    expect(await row("weird_header_length")).toEqual({ NUMERO: 1 });
    expect(await row("water_main_dist")).toMatchObject({
      installe_1: new Date("1989-04-25T00:00:00Z"),
      main_length: 351.81111099999998,
      remarks: null,
      MSLINK: 5018,
    });
  });

  it("knows the system of a .prj with a byte order mark", async () => {
    const source = await openShapefile(shapefileParts(shared("data/nasty/vector/shp/prjwithutf8bom")));
    expect(source.schema.crs?.code).toBe("EPSG:4269");
  });

  it("reads or refuses every corner case of the GDAL test suite", async () => {
    const folder = shared("data/nasty/vector/shp");
    const outcome: Record<string, string> = {};
    const stems = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(shp|dbf)$/.test(name))
      .map(stemOf);
    for (const stem of new Set(stems)) {
      try {
        const parts = shapefileParts(`${folder}/${stem}`);
        const source = existsSync(`${folder}/${stem}.shp`)
          ? await openShapefile(parts)
          : await openDbf(parts.dbf!);
        const table = await readAll(source);
        const types = [...new Set(table.geometry?.types ?? [])].sort().join();
        const { hasZ, hasM } = source.schema;
        outcome[stem] = `${table.count} of type ${types}${hasZ ? " Z" : ""}${hasM ? " M" : ""}`;
      } catch (error) {
        if (!isGeoError(error)) throw error;
        outcome[stem] = error.code;
      }
    }
    expect(outcome).toEqual({
      CoHI_GCS12: "4 of type 3,6",
      Stacks: "1 of type 6",
      arcm_without_m: "2 of type 2,5",
      buggymultiline: "INVALID_FORMAT",
      buggymultipoint: "INVALID_FORMAT",
      buggymultipoly2: "INVALID_FORMAT",
      buggypoint: "1 of type 1",
      can_caps: "13 of type 1",
      cb_2022_us_county_20m_extract: "1 of type 3",
      empty: "0 of type ",
      emptymultiline: "1 of type 0",
      emptymultipoly: "1 of type 0",
      extentnan: "0 of type ",
      gjmultiline: "1 of type 5",
      gjmultipoint: "1 of type 4",
      gjpoint: "1 of type 1",
      gjpoly: "1 of type 3",
      issue_14385: "3 of type 3,6",
      multipointz_without_m: "1 of type 4 Z",
      multipolygon_as_invalid_polygon: "2 of type 3,6",
      nan: "1 of type ",
      nonconformant_shx_ticket5608: "1 of type 2",
      padding_after_field_defns: "1 of type ",
      pointz_without_m: "1 of type 1 Z",
      pointzm_with_all_nodata_m: "2 of type 1 Z",
      pointzm_with_one_valid_m: "2 of type 1 Z",
      "poly_golden/poly": "10 of type 3",
      polygonm_with_m: "2 of type 3 M",
      prjwithutf8bom: "1 of type 1",
      slightly_overlapping_polygons: "1 of type 6",
      sort_test: "40 of type ",
      testpointm: "1 of type 1 M",
      "testshp/poly": "10 of type 3",
      water_main_dist: "1 of type ",
      weird_header_length: "1 of type ",
    });
  });
});
