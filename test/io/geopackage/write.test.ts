import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseCrs } from "../../../src/crs/parse.ts";
import { pipeFeatures } from "../../../src/io/feature-sink.ts";
import { openGeoPackage } from "../../../src/io/geopackage/read.ts";
import { createGeoPackage } from "../../../src/io/geopackage/write.ts";
import { openSqlite } from "../../../src/io/sqlite.ts";
import type { Crs } from "../../../src/model/crs.ts";
import {
  type Column,
  ColumnBuilder,
  concatTables,
  type FeatureTable,
  type Field,
  rowAt,
  tableSource,
  type Value,
} from "../../../src/model/features.ts";
import { rowBounds } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-test-gpkg-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(folder, `${++made}.gpkg`);

function column(field: Omit<Field, "nullable">, values: readonly Value[]): Column {
  const builder = new ColumnBuilder({ ...field, nullable: true });
  for (const value of values) builder.push(value);
  return builder.finish();
}

/** Points on a line, one every unit. */
function points(
  count: number,
  options: { columns?: Column[]; ids?: FeatureTable["ids"]; crs?: Crs } = {},
): FeatureTable {
  const builder = new GeometryBuilder();
  for (let i = 0; i < count; i++) {
    builder.begin(1);
    builder.part();
    builder.vertex(i, 2 * i);
    builder.end();
  }
  return {
    count,
    geometry: builder.finish(),
    columns: options.columns ?? [],
    ids: options.ids ?? null,
    firstRow: 0,
    crs: options.crs ?? null,
  };
}

async function write(
  table: FeatureTable,
  path: string,
  name = "layer1",
): Promise<Awaited<ReturnType<typeof pipeFeatures>>> {
  const source = tableSource(table, name);
  return await pipeFeatures(source, await createGeoPackage(path, source.schema));
}

async function read(path: string): Promise<FeatureTable> {
  const source = await openGeoPackage(path);
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  const table = concatTables(batches, source.schema);
  await source.close();
  return table;
}

describe("createGeoPackage", () => {
  it("reads back every type of column", async () => {
    const columns = [
      column({ name: "whole", type: "int32" }, [-5, null]),
      column({ name: "big", type: "int64" }, [9007199254740993n, null]),
      column({ name: "real", type: "float64" }, [0.1, null]),
      column({ name: "flag", type: "boolean" }, [true, null]),
      column({ name: "text", type: "string", width: 20 }, ["a 'quote' \"and\" नमस्ते", null]),
      column({ name: "day", type: "date" }, [new Date("2020-02-29"), null]),
      column({ name: "stamp", type: "datetime" }, [new Date("2020-02-29T12:34:56.789Z"), null]),
      column({ name: "doc", type: "json" }, [{ a: [1, null] }, null]),
      column({ name: "blob", type: "binary" }, [Uint8Array.of(0, 255), null]),
    ];
    const path = fresh();
    expect(await write(points(2, { columns }), path)).toEqual({ count: 2, warnings: [] });
    const table = await read(path);
    expect(table.columns.map(({ name, type }) => [name, type])).toEqual(
      columns.map(({ name, type }) => [name, type]),
    );
    expect(rowAt(table, 0)).toEqual({
      whole: -5,
      big: 9007199254740993n,
      real: 0.1,
      flag: true,
      text: "a 'quote' \"and\" नमस्ते",
      day: new Date("2020-02-29"),
      stamp: new Date("2020-02-29T12:34:56.789Z"),
      doc: { a: [1, null] },
      blob: Uint8Array.of(0, 255),
    });
    expect(Object.values(rowAt(table, 1)).every((value) => value === null)).toBe(true);
    expect(table.columns[4]!.width).toBe(20);
  });

  it("writes the same bytes for the same features", async () => {
    const hashes = await Promise.all(
      [fresh(), fresh()].map(async (path) => {
        await write(
          points(300, {
            columns: [
              column(
                { name: "n", type: "int32" },
                Array.from({ length: 300 }, (_, i) => i),
              ),
            ],
          }),
          path,
        );
        return createHash("sha256").update(readFileSync(path)).digest("hex");
      }),
    );
    expect(hashes[0]).toBe(hashes[1]);
    expect(readdirSync(folder).filter((name) => name.includes(".lock") || name.includes("-journal"))).toEqual(
      [],
    );
  });

  it("keeps ids that are rising whole numbers and says when it cannot", async () => {
    const kept = fresh();
    expect((await write(points(3, { ids: [4, 7, 20] }), kept)).warnings).toEqual([]);
    expect((await read(kept)).ids).toEqual([4, 7, 20]);
    const changed = fresh();
    expect((await write(points(3, { ids: [7, "x", 4] }), changed)).warnings[0]).toMatch(
      /^2 of 3 features got a new id/,
    );
    expect((await read(changed)).ids).toEqual([7, 8, 9]);
  });

  it("changes names that SQL cannot tell apart, and keeps clear of names of its own", async () => {
    const path = fresh();
    const columns = [
      column({ name: "Fid", type: "int32" }, [1]),
      column({ name: "geom", type: "string" }, ["a"]),
      column({ name: "A", type: "int32" }, [2]),
      column({ name: "a", type: "int32" }, [3]),
    ];
    const summary = await write(points(1, { columns }), path, "gpkg_mine");
    expect(summary.renamed).toEqual({ a: "a_1" });
    expect(summary.warnings[0]).toMatch(/layer_gpkg_mine/);
    expect(rowAt(await read(path), 0)).toEqual({ Fid: 1, geom: "a", A: 2, a_1: 3 });
  });

  it("declares the type that the rows have, or GEOMETRY when they differ", async () => {
    const one = fresh();
    const source = tableSource(points(2));
    await pipeFeatures(source, await createGeoPackage(one, { ...source.schema, geometryTypes: [] }));
    const opened = await openGeoPackage(one);
    expect(opened.schema).toMatchObject({ geometryTypes: [1], bounds: [0, 0, 1, 2], count: 2, hasZ: false });
    await opened.close();
    const builder = new GeometryBuilder();
    builder.copy(points(1).geometry!, 0);
    builder.begin(2);
    builder.part();
    builder.ring();
    builder.vertex(0, 0, 5);
    builder.vertex(1, 1, 6);
    builder.end();
    builder.null();
    builder.begin(3);
    builder.end();
    const table: FeatureTable = { ...points(4), geometry: builder.finish() };
    const mixed = fresh();
    await write(table, mixed);
    expect((await read(mixed)).geometry).toEqual(table.geometry);
    const database = await openSqlite(mixed);
    expect(
      database
        .all("SELECT geometry_type_name AS t, z AS z, m AS m FROM gpkg_geometry_columns")
        .map((row) => ({ ...row, z: Number(row["z"]), m: Number(row["m"]) })),
    ).toEqual([{ t: "GEOMETRY", z: 2, m: 0 }]);
    await database.close();
  });

  it("finds through its index what a scan finds", async () => {
    const random = fc.sample(
      fc.tuple(
        fc.double({ min: -180, max: 180, noNaN: true }),
        fc.double({ min: -90, max: 90, noNaN: true }),
      ),
      { numRuns: 3000, seed: 5 },
    );
    const builder = new GeometryBuilder();
    for (const [x, y] of random) {
      builder.begin(2);
      builder.part();
      builder.ring();
      builder.vertex(x, y);
      builder.vertex(x + 0.5, y + 0.25);
      builder.end();
    }
    const geometry = builder.finish();
    const path = fresh();
    await write({ ...points(0), count: random.length, geometry }, path);
    const boxes = rowBounds(geometry);
    const source = await openGeoPackage(path);
    for (const bounds of [
      [0, 0, 30, 20],
      [-180, -90, 180, 90],
      [random[7]![0], random[7]![1], random[7]![0], random[7]![1]],
      [200, 0, 201, 1],
    ] as const) {
      const expected = random.flatMap((_, i) =>
        boxes[4 * i]! <= bounds[2] &&
        boxes[4 * i + 2]! >= bounds[0] &&
        boxes[4 * i + 1]! <= bounds[3] &&
        boxes[4 * i + 3]! >= bounds[1]
          ? [i + 1]
          : [],
      );
      const found: unknown[] = [];
      for await (const batch of source.batches({ bounds })) found.push(...batch.ids!);
      expect(found).toEqual(expected);
    }
    await source.close();
  });

  it("writes a table without geometry as attributes", async () => {
    const path = fresh();
    await write(
      {
        ...points(0),
        count: 2,
        geometry: null,
        columns: [column({ name: "a", type: "string" }, ["x", "y"])],
      },
      path,
    );
    const source = await openGeoPackage(path);
    expect(source.schema.geometryTypes).toEqual([0]);
    expect(source.schema.bounds).toBeNull();
    await source.close();
    const table = await read(path);
    expect(table.geometry).toBeNull();
    expect(rowAt(table, 1)).toEqual({ a: "y" });
  });

  it("keeps the type, heights and measures that an empty layer has by its schema", async () => {
    const path = fresh();
    const { schema } = tableSource(points(0), "layer1");
    const sink = await createGeoPackage(path, { ...schema, geometryTypes: [2], hasZ: true, hasM: true });
    await sink.close();
    const source = await openGeoPackage(path);
    expect(source.schema).toMatchObject({ geometryTypes: [2], hasZ: true, hasM: true, count: 0 });
    await source.close();
  });

  it("writes an empty layer, and warns of what it cannot hold", async () => {
    const empty = fresh();
    expect(await write(points(0), empty)).toMatchObject({ count: 0 });
    expect((await read(empty)).count).toBe(0);
    const lossy = fresh();
    const columns = [
      column({ name: "x", type: "float64" }, [Number.NaN]),
      column({ name: "t", type: "time" }, [1000]),
      column({ name: "l", type: "datetime", zone: "local" }, [new Date(0)]),
      column({ name: "s", type: "string" }, ["ab\0c"]),
    ];
    const { warnings } = await write(points(1, { columns }), lossy);
    expect(warnings).toHaveLength(4);
    expect(rowAt(await read(lossy), 0)).toEqual({ x: null, t: "00:00:01", l: new Date(0), s: "ab" });
  });

  it.each(["EPSG:4326", "EPSG:32645", "OGC:CRS84", "+proj=laea +lat_0=20 +lon_0=80 +datum=WGS84 +units=m"])(
    "keeps the CRS %s",
    async (text) => {
      const path = fresh();
      const crs = parseCrs(text);
      await write(points(2, { crs }), path);
      const source = await openGeoPackage(path);
      if (crs.code === null) expect(source.schema.crs?.proj4).toContain("+proj=laea");
      else expect(source.schema.crs?.code).toBe(crs.code === "OGC:CRS84" ? "EPSG:4326" : crs.code);
      expect(source.warnings).toEqual([]);
      await source.close();
    },
  );

  it("leaves nothing behind when aborted", async () => {
    const path = fresh();
    const sink = await createGeoPackage(path, tableSource(points(1)).schema);
    await sink.write(points(1));
    await sink.abort();
    await sink.abort();
    expect(readdirSync(folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });
});

describeShared("a GeoPackage that was read and written again", () => {
  const real = [
    "data/watersheds/wake_basins.gpkg",
    "data/facilities/wake_poi_names.gpkg",
    "data/nasty/vector/gpkg/3d_envelope.gpkg",
  ];

  it.skipIf(!has("ogrinfo", "--version")).each(real)("is the same to GDAL: %s", async (name) => {
    const path = join(folder, "again.gpkg");
    rmSync(path, { force: true });
    const source = await openGeoPackage(shared(...name.split("/")));
    await pipeFeatures(source, await createGeoPackage(path, source.schema));
    await source.close();
    const list = (file: string): string =>
      execFileSync("ogrinfo", ["-ro", "-al", file], {
        encoding: "utf8",
        maxBuffer: 1 << 28,
        stdio: ["ignore", "pipe", "ignore"],
      })
        .split("\n")
        .filter(
          (line) =>
            !/^INFO|using driver|^Geometry Column|^FID Column|^Metadata|DESCRIPTION|IDENTIFIER|^\s*$/.test(
              line,
            ),
        )
        .join("\n")
        .replace(/Layer SRS WKT:[\s\S]*?Data axis/, "Data axis");
    expect(list(path)).toBe(list(shared(...name.split("/"))));
  });

  it.skipIf(!has("python3", "--version"))("is sound to SQLite, its index too", async () => {
    const path = join(folder, "sound.gpkg");
    const source = await openGeoPackage(shared("data/facilities/wake_poi_names.gpkg"));
    await pipeFeatures(source, await createGeoPackage(path, source.schema));
    await source.close();
    const script = [
      "import sqlite3, sys",
      "d = sqlite3.connect(sys.argv[1])",
      "t = [n for (n,) in d.execute(\"select name from sqlite_master where sql like 'CREATE VIRTUAL%'\")]",
      "print(d.execute('pragma integrity_check').fetchall(), d.execute('pragma foreign_key_check').fetchall(), [d.execute('select rtreecheck(?)', (n,)).fetchall() for n in t])",
      "print(d.execute('pragma application_id').fetchone()[0], d.execute('pragma user_version').fetchone()[0])",
    ].join("\n");
    const out = execFileSync("python3", ["-c", script, path], { encoding: "utf8" });
    expect(out.trim().split("\n")).toEqual(["[('ok',)] [] [[('ok',)]]", "1196444487 10300"]);
  });
});

function has(tool: string, argument: string): boolean {
  try {
    execFileSync(tool, [argument], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
