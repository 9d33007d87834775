import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import { openFlatGeobuf } from "../../../src/io/flatgeobuf/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { describeShared, HAS_SHARED, shared } from "../../helpers/shared.ts";
import { expectedFiles, gdalValue, geometryText, readAll, wktText } from "./expected.ts";

const open = (...path: string[]) => openFlatGeobuf(memoryBytes(readFileSync(shared(...path)), path.at(-1)));

describeShared("FlatGeobuf as GDAL reads it", () => {
  const files = HAS_SHARED ? expectedFiles("flatgeobuf/") : [];

  it.each(files.filter(([, { features }]) => features !== undefined))("%s", async (path, expected) => {
    const source = await open("conformance/formats", path);
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
    for (const [row, { properties, wkt }] of expected.features!.entries()) {
      expect(geometryText(table.geometry, row), `geometry of row ${row}`).toBe(wktText(wkt));
      for (const [name, value] of Object.entries(properties)) {
        expect(gdalValue(table, name, row), `${name} of row ${row}`).toEqual(value);
      }
    }
  });

  it.each(files.filter(([, { bbox_queries }]) => bbox_queries !== undefined))(
    "%s answers bounds through its index",
    async (path, expected) => {
      const source = await open("conformance/formats", path);
      expect(source.schema.count).toBe(expected.feature_count);
      for (const { bbox, n32 } of expected.bbox_queries!) {
        const table = await readAll(source, { bounds: bbox, fields: ["n32"] });
        const column = table.columns[0]!;
        const found = column.type === "int32" ? [...column.values].sort((a, b) => a - b) : null;
        expect(found).toEqual([...n32].sort((a, b) => a - b));
      }
    },
  );

  it("reads only the nodes and features that bounds may meet", async () => {
    const file = await openBytes(shared("conformance/formats/flatgeobuf/gen_index_5000.fgb"));
    const ranges: [number, number][] = [];
    const counted: ByteSource = {
      url: file.url,
      size: file.size,
      read: (offset, length, signal) => {
        ranges.push([offset, length]);
        return file.read(offset, length, signal);
      },
      close: () => file.close(),
    };
    const source = await openFlatGeobuf(counted);
    ranges.length = 0;
    const [minX, minY] = source.schema.bounds!;
    const bounds = [minX, minY, minX + 0.5, minY + 0.5] as const;
    let found = 0;
    for await (const batch of source.batches({ bounds })) found += batch.count;
    const bytes = ranges.reduce((sum, [, length]) => sum + length, 0);

    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(20);
    expect(ranges.length).toBeLessThan(12);
    expect(bytes).toBeLessThan(0.25 * file.size);
    await source.close();
  });

  it("refuses version 2 by name", async () => {
    await expect(open("conformance/formats/flatgeobuf/topp_states.fgb")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("version 2"),
    });
  });

  it("reads or refuses every corner case of the GDAL test suite", async () => {
    const folder = shared("data/nasty/vector/flatgeobuf");
    const outcome: Record<string, string> = {};
    for (const name of readdirSync(folder)) {
      try {
        const table = await readAll(await open("data/nasty/vector/flatgeobuf", name));
        outcome[name] = String(table.count);
      } catch (error) {
        if (!isGeoError(error)) throw error;
        outcome[name] = error.code;
      }
    }
    expect(outcome).toEqual({
      "alldatatypes.fgb": "1",
      "countries.fgb": "179",
      "countries_nocrs.fgb": "179",
      "countries_nogeo.fgb": "179",
      "empty.fgb": "0",
      "heterogeneous.fgb": "3",
      "invalid_compoundcurve_non_contiguous_curves.fgb": "UNSUPPORTED",
      "invalid_curvepolygon_linestring_three_points.fgb": "UNSUPPORTED",
      "invalid_polyhedralsurface_of_curvepolygon.fgb": "INVALID_FORMAT",
      "poly00.fgb": "10",
      "test_ogr_flatgeobuf_coordinate_epoch.fgb": "0",
      "unknown_feature_count.fgb": "1",
    });
  });

  it("says so when a file is cut", async () => {
    const whole = await openBytes(shared("conformance/formats/flatgeobuf/gen_polygons.fgb"));
    const bytes = await whole.read(0, whole.size);
    for (const size of [3, 11, 60, 900, 2000, whole.size - 1]) {
      const cut = memoryBytes(bytes.slice(0, size), "cut.fgb");
      await expect(openFlatGeobuf(cut).then(readAll), `${size} bytes`).rejects.toMatchObject({
        code: "INVALID_FORMAT",
        message: expect.stringContaining("cut.fgb"),
      });
    }
    await whole.close();
  });
});
