import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openGeoPackage } from "../../../src/io/geopackage/read.ts";
import {
  createSqlite,
  openSqlite,
  type SqlValue,
  sqliteDriver,
  sqliteError,
} from "../../../src/io/sqlite.ts";
import { concatTables, type FeatureTable, rowAt } from "../../../src/model/features.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-test-odd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** A bare GeoPackage with the given tables; `layers` are [table, geometry column or null, srs id]. */
async function geoPackage(
  layers: readonly (readonly [string, string | null, number])[],
  sql: string,
  rows: readonly (readonly [string, readonly SqlValue[]])[] = [],
): Promise<string> {
  const path = join(folder, `${++made}.gpkg`);
  const database = await createSqlite(path);
  database.exec(
    "CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT, min_x, min_y, max_x, max_y, srs_id);" +
      "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id, z, m);" +
      "CREATE TABLE gpkg_spatial_ref_sys (srs_name, srs_id, organization, organization_coordsys_id, definition);" +
      `${sql};`,
  );
  for (const [table, column, srs] of layers) {
    const kind = column === null ? "attributes" : "features";
    database.run("INSERT INTO gpkg_contents VALUES (?, ?, ?, NULL, NULL, NULL, NULL, ?)", [
      table,
      kind,
      table,
      srs,
    ]);
    if (column !== null)
      database.run("INSERT INTO gpkg_geometry_columns VALUES (?, ?, 'GEOMETRY', ?, 0, 0)", [
        table,
        column,
        srs,
      ]);
  }
  for (const [statement, params] of rows) database.run(statement, params);
  await database.close();
  return path;
}

async function read(
  path: string,
  layer?: string,
): Promise<{ table: FeatureTable; warnings: readonly string[] }> {
  const source = await openGeoPackage(path, { layer });
  try {
    const batches: FeatureTable[] = [];
    for await (const batch of source.batches()) batches.push(batch);
    return { table: concatTables(batches, source.schema), warnings: source.warnings };
  } finally {
    await source.close();
  }
}

/** "GP", version 0, flags, SRS id 0, then a little-endian WKB point. */
function point(x: number, y: number, flags = 1): Uint8Array {
  const bytes = new Uint8Array(29);
  bytes.set([0x47, 0x50, 0, flags]);
  const view = new DataView(bytes.buffer);
  bytes[8] = 1;
  view.setUint32(9, 1, true);
  view.setFloat64(13, x, true);
  view.setFloat64(21, y, true);
  return bytes;
}

describe("odd GeoPackages", () => {
  it("reads cells that are not of their column's type as null, and says so", async () => {
    const path = await geoPackage(
      [["t", null, 0]],
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n MEDIUMINT, d DATE, b BOOLEAN, s TEXT, j JSON, r REAL)",
      [
        ["INSERT INTO t VALUES (1, 'abc', 'yesterday', 'true', 5, '{', '1.5')", []],
        ["INSERT INTO t VALUES (2, 3000000000, '2020-02-29', 0, x'6869', '{\"a\":1}', NULL)", []],
      ],
    );
    const { table, warnings } = await read(path);
    expect(rowAt(table, 0)).toEqual({ n: null, d: null, b: true, s: "5", j: null, r: 1.5 });
    expect(rowAt(table, 1)).toEqual({
      n: null,
      d: new Date("2020-02-29"),
      b: false,
      s: "hi",
      j: { a: 1 },
      r: null,
    });
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/column "n" \(int32\).*"abc" in row with id 1/);
  });

  it("reads views, tables without row ids and tables with keys of text", async () => {
    const path = await geoPackage(
      [
        ["v", "g", 0],
        ["w", null, 0],
        ["k", null, 0],
      ],
      "CREATE TABLE t (id INTEGER PRIMARY KEY, g POINT, a INTEGER);" +
        "CREATE VIEW v AS SELECT id AS OGC_FID, g, a * 2 AS twice FROM t WHERE a > 1;" +
        "CREATE TABLE w (k TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;" +
        "CREATE TABLE k (k TEXT PRIMARY KEY, n INTEGER);",
      [
        ["INSERT INTO t VALUES (1, ?, 1), (2, ?, 2)", [point(1, 2), point(3, 4)]],
        ["INSERT INTO w VALUES ('x', 1), ('y', 2)", []],
        ["INSERT INTO k VALUES ('x', 1), ('y', 2)", []],
      ],
    );
    const view = (await read(path, "v")).table;
    expect([view.ids, [...view.geometry!.xy], rowAt(view, 0)["twice"]]).toEqual([[2], [3, 4], "4"]);
    expect((await read(path, "w")).table.ids).toEqual(["x", "y"]);
    const keyed = (await read(path, "k")).table;
    expect([keyed.ids, rowAt(keyed, 1)]).toEqual([[1, 2], { k: "y", n: 2 }]);
  });

  it("refuses a view that may never end", async () => {
    const path = await geoPackage(
      [["v", null, 0]],
      "CREATE VIEW v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c",
    );
    await expect(openGeoPackage(path)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it.each<[string, Uint8Array | string, string, RegExp]>([
    ["an extended geometry", point(1, 2, 0x21), "UNSUPPORTED", /row with id 1.*extended/],
    ["plain WKB", point(1, 2).subarray(8), "INVALID_FORMAT", /row with id 1.*"GP"/],
    ["a cut geometry", point(1, 2).subarray(0, 20), "INVALID_FORMAT", /row with id 1.*cut off/],
    ["an envelope that is not there", point(1, 2, 0x0f), "INVALID_FORMAT", /envelope code 7/],
    ["text", "POINT (1 2)", "INVALID_FORMAT", /not a blob/],
  ])("says which row has %s", async (_, blob, code, message) => {
    const path = await geoPackage([["t", "g", 0]], "CREATE TABLE t (id INTEGER PRIMARY KEY, g POINT)", [
      ["INSERT INTO t VALUES (1, ?)", [blob]],
    ]);
    await expect(read(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each<[string, string, RegExp]>([
    ["no gpkg_contents", "DROP TABLE gpkg_contents", /gpkg_contents/],
    ["no layers", "SELECT 1", /no layers/],
    [
      "a layer without a table",
      "INSERT INTO gpkg_contents VALUES ('x', 'features', 'x', 0, 0, 0, 0, 0)",
      /no layers/,
    ],
    [
      "a layer without geometry",
      "CREATE TABLE x (a); INSERT INTO gpkg_contents VALUES ('x', 'features', 'x', 0, 0, 0, 0, 0)",
      /gpkg_geometry_columns/,
    ],
    ["tiles alone", "INSERT INTO gpkg_contents VALUES ('x', 'tiles', 'x', 0, 0, 0, 0, 0)", /tiles only/],
  ])("refuses a file with %s", async (_, sql, message) => {
    await expect(openGeoPackage(await geoPackage([], sql))).rejects.toMatchObject({
      message: expect.stringMatching(message),
    });
  });

  it("reads a system of no organization from its definition", async () => {
    const wkt =
      'PROJCS["mine",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],' +
      'PROJECTION["Lambert_Azimuthal_Equal_Area"],PARAMETER["latitude_of_center",10],PARAMETER["longitude_of_center",77],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]';
    const path = await geoPackage(
      [
        ["t", "g", 100_000],
        ["u", "g", 100_001],
      ],
      "CREATE TABLE t (id INTEGER PRIMARY KEY, g POINT); CREATE TABLE u (id INTEGER PRIMARY KEY, g POINT);" +
        `INSERT INTO gpkg_spatial_ref_sys VALUES ('mine', 100000, 'NONE', 100000, '${wkt}'), ('none', 100001, 'NONE', 0, 'undefined')`,
      [
        ["INSERT INTO t VALUES (1, ?)", [point(1, 2)]],
        ["INSERT INTO u VALUES (1, ?)", [point(1, 2)]],
      ],
    );
    const { table, warnings } = await read(path, "t");
    expect([table.crs?.name, table.crs?.kind, warnings]).toEqual(["mine", "projected", []]);
    expect((await read(path, "u")).table.crs).toBeNull();
  });

  it("keeps a system that it does not understand as text, with a warning", async () => {
    const path = await geoPackage(
      [["t", "g", 77]],
      "CREATE TABLE t (id INTEGER PRIMARY KEY, g POINT);" +
        "INSERT INTO gpkg_spatial_ref_sys VALUES ('Moon base', 77, 'MOON', 77, 'GIBBERISH[1]')",
      [["INSERT INTO t VALUES (1, ?)", [point(1, 2)]]],
    );
    const { table, warnings } = await read(path);
    expect(table.crs).toMatchObject({ name: "Moon base", kind: "unknown" });
    expect(warnings[0]).toMatch(/not understood/);
  });
});

describe("openSqlite", () => {
  it("reads from a folder that cannot be written to, with either engine, and writes nothing", async () => {
    const path = await geoPackage(
      [["t", null, 0]],
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (5, 9007199254740993)",
    );
    const before = statSync(path).mtimeMs;
    chmodSync(path, 0o444);
    for (const driver of ["node-sqlite3-wasm", await sqliteDriver()] as const) {
      const database = await openSqlite(path, { driver });
      expect(database.driver).toBe(driver);
      expect(database.all("SELECT n AS n FROM t WHERE id = ?", [5])).toEqual([{ n: 9007199254740993n }]);
      expect(() => database.exec("INSERT INTO t VALUES (6, 6)")).toThrow();
      await database.close();
      await database.close();
    }
    expect(statSync(path).mtimeMs).toBe(before);
    expect(readdirSync(folder).filter((name) => !name.endsWith(".gpkg"))).toEqual([]);
  });

  it("turns what an engine throws into errors that name the file, and nothing else", () => {
    const engine = Object.assign(new Error("malformed"), { name: "SQLite3Error" });
    expect(sqliteError("x.gpkg", engine)).toMatchObject({ code: "INVALID_FORMAT", cause: engine });
    const busy = Object.assign(new Error("database is locked"), { code: "ERR_SQLITE_ERROR" });
    expect(sqliteError("x.gpkg", busy)).toMatchObject({ code: "UNREADABLE" });
    const bug = new TypeError("a bug of ours");
    expect(sqliteError("x.gpkg", bug)).toBe(bug);
  });
});
