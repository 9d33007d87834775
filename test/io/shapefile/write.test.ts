import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WriteSummary } from "../../../src/io/feature-sink.ts";
import { dbfNames } from "../../../src/io/shapefile/field-names.ts";
import { openShapefile } from "../../../src/io/shapefile/read.ts";
import { createShapefile } from "../../../src/io/shapefile/write.ts";
import { parseWkt } from "../../../src/io/wkt.ts";
import {
  ColumnBuilder,
  type FeatureTable,
  type Field,
  rowAt,
  tableSource,
  type Value,
} from "../../../src/model/features.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { UTM_45N, WGS84 } from "../../../src/testing/places.ts";
import { geometryText, readAll, wktText } from "../flatgeobuf/expected.ts";
import { shapefileParts } from "./files.ts";

/** The `shapefile` package has no types of its own. */
const { open: openPeer } = createRequire(import.meta.url)("shapefile") as {
  open(
    shp: string,
    dbf: string,
    options: { encoding: string },
  ): Promise<{ read(): Promise<{ value: GeoJSON.Feature }> }>;
};
const HAS_GDAL = spawnSync("ogrinfo", ["--version"]).status === 0;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-shp-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A table from WKT (`null`: no geometry) and columns of cells. */
function tableOf(
  wkts: readonly (string | null)[],
  fields: readonly Field[] = [],
  cells: readonly (readonly Value[])[] = [],
): FeatureTable {
  const builder = new GeometryBuilder();
  for (const wkt of wkts) {
    if (wkt === null) builder.null();
    else parseWkt(wkt, builder);
  }
  return {
    count: wkts.length,
    geometry: builder.finish(),
    columns: fields.map((field, k) => {
      const column = new ColumnBuilder(field);
      for (const cell of cells[k]!) column.push(cell);
      return column.finish();
    }),
    ids: null,
    firstRow: 0,
    crs: WGS84,
  };
}

let summary: WriteSummary = { count: 0, warnings: [] };

async function write(name: string, ...tables: FeatureTable[]): Promise<string> {
  const { schema } = tableSource(tables[0]!, name);
  const sink = await createShapefile(join(folder, `${name}.shp`), {
    ...schema,
    geometryTypes: [],
    hasZ: false,
    hasM: false,
  });
  try {
    for (const table of tables) await sink.write(table);
    summary = await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return join(folder, name);
}

const open = (stem: string) => openShapefile(shapefileParts(stem));

const texts = (table: FeatureTable) =>
  Array.from({ length: table.count }, (_, row) => geometryText(table.geometry, row));

const text = (name: string): Field => ({ name, type: "string", nullable: true });

const FAMILIES: Readonly<Record<string, readonly (string | null)[]>> = {
  points: ["POINT (1 2)", null, "POINT (-3 4.5)"],
  "points-z": ["POINT Z (1 2 3)", null],
  "points-zm": ["POINT ZM (1 2 3 4)"],
  "points-m": ["POINT M (1 2 4)"],
  multipoints: ["MULTIPOINT ((1 2),(3 4))", "MULTIPOINT ((5 6))"],
  "multipoints-z": ["MULTIPOINT Z ((1 2 7),(3 4 8))"],
  lines: ["LINESTRING (0 0,1 1)", "MULTILINESTRING ((0 0,1 1),(2 2,3 3,4 2))"],
  "lines-m": ["MULTILINESTRING M ((0 0 1,1 1 2),(2 2 3,3 3 4,4 2 5))"],
  polygons: [
    "POLYGON ((0 0,0 10,10 10,10 0,0 0),(2 2,4 2,4 4,2 4,2 2))",
    "MULTIPOLYGON (((0 0,0 9,9 9,9 0,0 0),(1 1,8 1,8 8,1 8,1 1)),((2 2,2 7,7 7,7 2,2 2),(3 3,4 3,4 4,3 4,3 3)),((20 0,20 1,21 1,20 0)))",
  ],
  "polygons-zm": ["POLYGON ZM ((0 0 1 5,0 1 2 6,1 1 3 7,0 0 1 5))"],
};

describe("createShapefile", () => {
  it.each(Object.entries(FAMILIES))("writes %s so that they read back", async (name, wkts) => {
    const stem = await write(name, tableOf(wkts, [text("id")], [wkts.map((_, i) => `row ${i}`)]));
    const source = await open(stem);
    const table = await readAll(source);
    expect(texts(table)).toEqual(wkts.map(wktText));
    expect(rowAt(table, 0)).toEqual({ id: "row 0" });
    expect(source.schema).toMatchObject({
      hasZ: /-zm?$/.test(name),
      hasM: /-z?m$/.test(name),
      count: wkts.length,
    });
    expect(source.schema.crs?.code).toBe("EPSG:4326");
    expect(source.warnings).toEqual([]);
    expect(summary).toEqual({ count: wkts.length, warnings: [] });
    expect(readdirSync(folder).filter((file) => file.startsWith("."))).toEqual([]);
  });

  it("turns shells clockwise and holes against the clock, heights with them", async () => {
    const wkt = "POLYGON Z ((0 0 1,10 0 2,10 10 3,0 0 1),(2 1 5,3 2 6,3 1 7,2 1 5))";
    const table = await readAll(await open(await write("turned", tableOf([wkt]))));
    expect(texts(table)).toEqual([
      wktText("POLYGON Z ((0 0 1,10 10 3,10 0 2,0 0 1),(2 1 5,3 1 7,3 2 6,2 1 5))"),
    ]);
  });

  it("writes every type of column so that a Shapefile can tell", async () => {
    const nullable = true;
    const fields: Field[] = [
      { name: "small", type: "int32", nullable },
      { name: "int", type: "int32", nullable },
      { name: "long", type: "int64", nullable },
      { name: "real", type: "float64", nullable },
      { name: "flag", type: "boolean", nullable },
      text("text"),
      { name: "day", type: "date", nullable },
      { name: "hour", type: "time", nullable },
      { name: "instant", type: "datetime", nullable, zone: "utc" },
      { name: "clock", type: "datetime", nullable, zone: "local" },
      { name: "json", type: "json", nullable },
      { name: "bytes", type: "binary", nullable },
    ];
    const cells: Value[][] = [
      [-1, null],
      [-2147483648, null],
      [-99999999999999999n, null],
      [0.1 + 0.2, null],
      [true, null],
      ["ग्राम 🌾", null],
      [new Date("2024-02-29T00:00:00Z"), null],
      [45_296_789, null],
      [new Date("1969-12-31T23:59:59.250Z"), null],
      [new Date("2020-07-10T00:23:26Z"), null],
      [{ a: [1, null] }, null],
      [Uint8Array.of(0, 255), null],
    ];
    const table = await readAll(
      await open(await write("columns", tableOf(["POINT (0 0)", null], fields, cells))),
    );
    expect(table.columns.map(({ type }) => type).join()).toBe(
      "int32,int64,int64,float64,boolean,string,date,string,string,string,string,string",
    );
    expect(rowAt(table, 0)).toEqual({
      small: -1,
      int: -2147483648,
      long: -99999999999999999n,
      real: 0.1 + 0.2,
      flag: true,
      text: "ग्राम 🌾",
      day: new Date("2024-02-29T00:00:00Z"),
      hour: "12:34:56.789",
      instant: "1969-12-31T23:59:59.250Z",
      clock: "2020-07-10T00:23:26",
      json: '{"a":[1,null]}',
      bytes: "00ff",
    });
    expect(Object.values(rowAt(table, 1)).every((value) => value === null)).toBe(true);
  });

  it("keeps numbers bit for bit, with exponents only where nothing else fits", async () => {
    const values = [
      0.1 + 0.2,
      -0,
      5e-324,
      -1.7976931348623157e308,
      Math.PI,
      1e-7,
      1.5e21,
      123456789.125,
      1e22 / 3,
    ];
    const field: Field = { name: "v", type: "float64", nullable: true };
    const stem = await write(
      "bits",
      tableOf(
        values.map(() => "POINT (0 0)"),
        [field],
        [values],
      ),
    );
    const column = (await readAll(await open(stem))).columns[0]!;
    expect([...(column.values as Float64Array)]).toEqual(values);
    const dbf = readFileSync(`${stem}.dbf`, "latin1");
    expect(dbf).toContain(" 0.0000001 ");
    expect(dbf).toContain(" 1500000000000000000000 ");
    expect(dbf).toContain("-1.7976931348623157e+308");
  });

  it("keeps coordinates and measures bit for bit", async () => {
    const builder = new GeometryBuilder();
    builder.begin(2);
    builder.part();
    for (const value of [0.1 + 0.2, -0, 5e-324, Math.PI]) builder.vertex(value, -value, value / 3, 2 * value);
    builder.end();
    const geometry = builder.finish();
    const back = await readAll(await open(await write("coordinates", { ...tableOf([null]), geometry })));
    expect([back.geometry!.xy, back.geometry!.z, back.geometry!.m]).toEqual([
      geometry.xy,
      geometry.z,
      geometry.m,
    ]);
  });

  it("says what it renamed and cut", async () => {
    const names = ["water_main_district", "water_main_diameter", "गाँव का नाम", "ok"];
    const cells = [["a"], ["b"], ["é".repeat(200)], ["c"]];
    const stem = await write("renamed", tableOf(["POINT (0 0)"], names.map(text), cells));
    const source = await open(stem);
    expect(source.schema.fields.map(({ name }) => name)).toEqual(["water_main", "water_ma_1", "गाँ", "ok"]);
    expect(summary.renamed).toEqual({
      water_main_district: "water_main",
      water_main_diameter: "water_ma_1",
      "गाँव का नाम": "गाँ",
    });
    expect(summary.warnings).toEqual([
      expect.stringContaining('1 values of "गाँव का नाम" were cut to 254 bytes'),
    ]);
    expect(rowAt(await readAll(source), 0)["गाँ"]).toBe("é".repeat(127));
  });

  it("makes columns as wide as their longest text", async () => {
    const stem = await write(
      "widths",
      tableOf(
        [null, null],
        [text("a"), text("b")],
        [
          ["xyz", "x"],
          [null, null],
        ],
      ),
    );
    expect((await open(stem)).schema.fields.map(({ width }) => width)).toEqual([3, 1]);
  });

  it("refuses a second kind of geometry and a collection, with a way out", async () => {
    const mixed = write("mixed", tableOf(["POINT (0 0)", "LINESTRING (0 0,1 1)"]));
    await expect(mixed).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining(
        "feature 1 is a LineString, but the file holds shapes of the type Point",
      ),
      hint: expect.stringContaining("GeoPackage"),
    });
    await expect(write("collection", tableOf(["GEOMETRYCOLLECTION (POINT (0 0))"]))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("feature 0 is a GeometryCollection"),
    });
  });

  it("writes empty geometries as null shapes, and a layer of nulls", async () => {
    const stem = await write("empties", tableOf(["POLYGON EMPTY", null, "POLYGON ((0 0,0 1,1 1,0 0))"]));
    expect([...(await readAll(await open(stem))).geometry!.types]).toEqual([0, 0, 3]);
    expect(summary.warnings[0]).toContain("1 empty geometries");
    const nulls = await open(await write("nulls", tableOf([null, null], [text("a")], [["x", "y"]])));
    expect((await readAll(nulls)).count).toBe(2);
  });

  it("mixes points among multi-points", async () => {
    const stem = await write("both", tableOf(["POINT (1 2)", "MULTIPOINT ((3 4),(5 6))"]));
    expect(texts(await readAll(await open(stem)))).toEqual([
      wktText("MULTIPOINT ((1 2))"),
      wktText("MULTIPOINT ((3 4),(5 6))"),
    ]);
  });

  it("adds a column where there is none, and no .prj where there is no CRS", async () => {
    const stem = await write("bare", { ...tableOf(["POINT (1 2)", "POINT (3 4)"]), crs: null });
    const source = await open(stem);
    const table = await readAll(source);
    expect([rowAt(table, 0), rowAt(table, 1)]).toEqual([{ FID: 0 }, { FID: 1 }]);
    expect(summary.warnings.length).toBe(2);
    expect(existsSync(`${stem}.prj`)).toBe(false);
    expect(source.warnings).toEqual([expect.stringContaining("no .prj")]);
  });

  it("gives the same bytes however the rows are batched", async () => {
    const wkts = Array.from({ length: 500 }, (_, i) => `POLYGON ((${i} 0,${i} 1,${i + 1} 1,${i} 0))`);
    const cells = wkts.map((_, i) => "x".repeat(i % 40));
    const whole = await write("whole", tableOf(wkts, [text("t")], [cells]));
    const parts = await write(
      "parts",
      tableOf(wkts.slice(0, 1), [text("t")], [cells.slice(0, 1)]),
      tableOf(wkts.slice(1), [text("t")], [cells.slice(1)]),
    );
    for (const ending of ["shp", "shx", "dbf", "prj", "cpg"]) {
      expect(readFileSync(`${parts}.${ending}`).equals(readFileSync(`${whole}.${ending}`)), ending).toBe(
        true,
      );
    }
  });

  it("is read by the shapefile package", async () => {
    const wkts = FAMILIES["polygons"]!;
    const stem = await write("peer", tableOf(wkts, [text("name")], [["a", "ü"]]));
    const source = await openPeer(`${stem}.shp`, `${stem}.dbf`, { encoding: "utf-8" });
    const features = [await source.read(), await source.read()].map(({ value }) => value);
    expect(features.map((feature) => feature.properties?.["name"])).toEqual(["a", "ü"]);
    const [polygon, multi] = features.map(
      ({ geometry }) => geometry as { type: string; coordinates: unknown[] },
    );
    expect([polygon!.type, polygon!.coordinates.length]).toEqual(["Polygon", 2]);
    expect([multi!.type, multi!.coordinates.length]).toEqual(["MultiPolygon", 3]);
  });

  describe.skipIf(!HAS_GDAL)(
    `with GDAL as witness${HAS_GDAL ? "" : " [skipped: no ogrinfo on PATH]"}`,
    () => {
      it.each(Object.entries(FAMILIES))("%s are read by GDAL", async (name, wkts) => {
        const stem = await write(
          `gdal-${name}`,
          tableOf(wkts, [text("name")], [wkts.map((_, i) => `é ${i}`)]),
        );
        const options = ["-lco", "GEOMETRY=AS_WKT", "-lco", "SEPARATOR=TAB"];
        const csv = execFileSync("ogr2ogr", ["-f", "CSV", "/vsistdout/", `${stem}.shp`, ...options], {
          encoding: "utf8",
        });
        const rows = csv.trimEnd().split("\n").slice(1);
        expect(rows.map((row) => wktText(row.split("\t")[0]!.replaceAll('"', "") || null))).toEqual(
          wkts.map(wktText),
        );
        expect(rows.map((row) => row.split("\t")[1]!.replaceAll('"', ""))).toEqual(
          wkts.map((_, i) => `é ${i}`),
        );
      });

      it("names columns as GDAL does", async () => {
        const names = [
          "cropland_area",
          "cropland_2017",
          "CROPLAND_A",
          "crop",
          ...Array.from({ length: 12 }, (_, i) => `cropland_a${i}`),
        ];
        const stem = await write("gdal-names", {
          ...tableOf(
            [null],
            names.map(text),
            names.map(() => ["x"]),
          ),
          crs: UTM_45N,
        });
        // GDAL's own choice: it reads our GeoJSON and writes a Shapefile.
        const properties = Object.fromEntries(names.map((name) => [name, "x"]));
        const feature = { type: "Feature", properties, geometry: { type: "Point", coordinates: [0, 0] } };
        const input = JSON.stringify({ type: "FeatureCollection", features: [feature] });
        execFileSync("ogr2ogr", ["-f", "ESRI Shapefile", join(folder, "theirs.shp"), "/vsistdin/"], {
          input,
          stdio: ["pipe", "pipe", "ignore"],
        });
        const theirs = await open(join(folder, "theirs"));
        const ours = await open(stem);
        expect(ours.schema.fields.map(({ name }) => name)).toEqual(
          theirs.schema.fields.map(({ name }) => name),
        );
        const info = execFileSync("ogrinfo", ["-so", "-al", `${stem}.shp`], { encoding: "utf8" });
        expect(info).toContain("WGS 84 / UTM zone 45N");
      });
    },
  );
});

describe("dbfNames", () => {
  it("counts on past ninety-nine clashes", () => {
    const names = dbfNames(Array.from({ length: 1200 }, (_, i) => `population_${i}`));
    expect(new Set(names.map((name) => name.toUpperCase())).size).toBe(1200);
    expect(names.every((name) => Buffer.byteLength(name) <= 10)).toBe(true);
    expect([names[0], names[1], names[9], names[10], names[99], names[100]]).toEqual([
      "population",
      "populati_1",
      "populati_9",
      "populati10",
      "populati99",
      "populat100",
    ]);
  });

  it("keeps characters whole and gives an empty name a name", () => {
    expect(dbfNames(["é".repeat(6), "", " "])).toEqual(["é".repeat(5), "FIELD", "FIELD_1"]);
  });
});
