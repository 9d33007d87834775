import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geojson } from "flatgeobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { FlatBuffer } from "../../../src/io/flatgeobuf/flatbuffer.ts";
import { openFlatGeobuf } from "../../../src/io/flatgeobuf/read.ts";
import { createFlatGeobuf } from "../../../src/io/flatgeobuf/write.ts";
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
import { random } from "../../../src/testing/random.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { geometryText, readAll, wktText } from "./expected.ts";

const HAS_GDAL = spawnSync("ogrinfo", ["--version"]).status === 0;
let folder = "";
/** Those of the last file written. */
let warnings: readonly string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-fgb-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A table from WKT (`null`: no geometry) and columns of cells. */
function tableOf(
  wkts: readonly (string | null)[],
  fields: readonly Field[] = [],
  cells: readonly (readonly Value[])[] = [],
  crs = WGS84,
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
    crs,
  };
}

async function write(name: string, ...tables: FeatureTable[]): Promise<string> {
  const path = join(folder, name);
  const sink = await createFlatGeobuf(path, {
    ...tableSource(tables[0]!, name.replace(/\..*/, "")).schema,
    geometryTypes: [],
    hasZ: false,
    hasM: false,
  });
  for (const table of tables) await sink.write(table);
  warnings = (await sink.close()).warnings;
  return path;
}

const open = (path: string) => openFlatGeobuf(memoryBytes(readFileSync(path), path));

/** Points scattered over a square of 1000, every other one doubled in place. */
function scatter(count: number, seed: number): FeatureTable {
  const next = random(seed);
  const wkts = Array.from({ length: count }, () => `POINT (${next.next() * 1000} ${next.next() * 1000})`);
  const field = { name: "id", type: "int32", nullable: false } as const;
  return tableOf(wkts, [field], [wkts.map((_, i) => i)], UTM_45N);
}

const EVERY_TYPE = [
  "POINT (1 2)",
  "LINESTRING (0 0,1 1,2 0)",
  "POLYGON ((0 0,10 0,10 10,0 10,0 0),(2 2,2 4,4 4,4 2,2 2),(6 6,6 8,8 8,6 6))",
  "MULTIPOINT ((1 1),(2 2))",
  "MULTILINESTRING ((0 0,1 1))",
  "MULTILINESTRING ((0 0,1 1),(2 2,3 3,4 2))",
  "MULTIPOLYGON (((0 0,1 0,1 1,0 0)),((5 5,9 5,9 9,5 5),(6 5.5,7 5.5,7 6,6 5.5)))",
  "GEOMETRYCOLLECTION (POINT (3 3),POLYGON ((0 0,1 0,1 1,0 0)),MULTIPOLYGON (((0 0,1 0,1 1,0 0))))",
  null,
  "POINT EMPTY",
  "LINESTRING EMPTY",
  "POLYGON EMPTY",
  "MULTIPOINT EMPTY",
  "MULTILINESTRING EMPTY",
  "MULTIPOLYGON EMPTY",
  "GEOMETRYCOLLECTION EMPTY",
];

describe("surfaces of straight edges", () => {
  // A polyhedral surface is stored as a multi-polygon is, a TIN as the rings of its triangles; only the code differs.
  it.each([
    [
      "PolyhedralSurface",
      15,
      "MULTIPOLYGON (((0 0,9 0,9 9,0 0),(5 1,6 1,6 2,5 1)),((0 0,0 9,9 9,0 0)))",
      null,
    ],
    [
      "TIN",
      16,
      "MULTILINESTRING ((0 0,9 0,9 9,0 0),(0 0,0 9,9 9,0 0))",
      "MULTIPOLYGON (((0 0,9 0,9 9,0 0)),((0 0,0 9,9 9,0 0)))",
    ],
    ["Triangle", 17, "POLYGON ((0 0,9 0,9 9,0 0))", null],
  ])("%s is read as polygons", async (_, code, stored, expected) => {
    const path = await write("surface.fgb", tableOf([stored]));
    const bytes = new Uint8Array(readFileSync(path));
    const header = new FlatBuffer(new DataView(bytes.buffer), 12);
    const root = header.root();
    bytes[header.slot(root, header.fields(root), 2, 1)] = code;
    const source = await openFlatGeobuf(memoryBytes(bytes, path));
    const { geometry } = await readAll(source);
    expect(geometryText(geometry, 0)).toBe(wktText(expected ?? stored));
    expect(source.schema.geometryTypes).toEqual([code === 17 ? 3 : 6]);
  });
});

describe("createFlatGeobuf", () => {
  it("writes every type of geometry so that it reads back, nulls and empties last", async () => {
    const source = await open(await write("types.fgb", tableOf(EVERY_TYPE)));
    const table = await readAll(source);

    const back = Array.from({ length: table.count }, (_, row) => geometryText(table.geometry, row));
    expect([...back].sort()).toEqual(EVERY_TYPE.map((wkt) => wktText(wkt)).sort());
    expect(back.slice(8)).toEqual(EVERY_TYPE.slice(8).map((wkt) => wktText(wkt)));
    expect(source.schema).toMatchObject({ count: 16, geometryTypes: [], bounds: [0, 0, 10, 10] });
    expect(source.schema.crs?.code).toBe("EPSG:4326");
  });

  it("names the type that all features have, and only that", async () => {
    const one = await open(await write("one.fgb", tableOf(["POLYGON ((0 0,1 0,1 1,0 0))", null])));
    const two = await open(await write("two.fgb", tableOf(["POINT (0 0)", "MULTIPOINT ((1 1))"])));
    expect(one.schema.geometryTypes).toEqual([3]);
    expect(two.schema.geometryTypes).toEqual([]);
  });

  it("writes every type of column so that it reads back", async () => {
    const nullable = true;
    const fields: Field[] = [
      { name: "int", type: "int32", nullable },
      { name: "long", type: "int64", nullable },
      { name: "real", type: "float64", nullable, width: 24, precision: 15 },
      { name: "flag", type: "boolean", nullable },
      { name: "text", type: "string", nullable },
      { name: "day", type: "date", nullable },
      { name: "hour", type: "time", nullable },
      { name: "instant", type: "datetime", nullable, zone: "utc" },
      { name: "clock", type: "datetime", nullable, zone: "local" },
      { name: "json", type: "json", nullable },
      { name: "bytes", type: "binary", nullable: false },
    ];
    const cells: Value[][] = [
      [-2147483648, null],
      [9223372036854775807n, null],
      [0.1 + 0.2, null],
      [true, null],
      ["ग्राम 🌾", null],
      [new Date("2024-02-29T00:00:00Z"), null],
      [45_296_789, null],
      [new Date("1969-12-31T23:59:59.250Z"), null],
      [new Date("2020-07-10T00:23:26Z"), null],
      [{ a: [1, null, "x"] }, null],
      [Uint8Array.of(0, 255), Uint8Array.of()],
    ];
    const table = tableOf(["POINT (0 0)", "POINT (0 0)"], fields, cells);
    const source = await open(await write("columns.fgb", table));
    const back = await readAll(source);

    expect(source.schema.fields).toEqual(fields);
    expect([rowAt(back, 0), rowAt(back, 1)]).toEqual([rowAt(table, 0), rowAt(table, 1)]);
    const some = await readAll(source, { fields: ["json", "int"] });
    expect(some.columns.map(({ name }) => name)).toEqual(["json", "int"]);
    expect(rowAt(some, 0)).toEqual({ json: { a: [1, null, "x"] }, int: -2147483648 });
  });

  it("keeps coordinates bit for bit", async () => {
    const values = [0.1 + 0.2, -0, 5e-324, 1.7976931348623157e308, Math.PI];
    const builder = new GeometryBuilder();
    builder.begin(2);
    builder.part();
    for (const value of values) builder.vertex(value, -value, value / 3, 2 * value);
    builder.end();
    const geometry = builder.finish();
    const back = await readAll(await open(await write("bits.fgb", { ...tableOf([null]), geometry })));
    expect(back.geometry!.xy).toEqual(geometry.xy);
    expect(back.geometry!.z).toEqual(geometry.z);
    expect(back.geometry!.m).toEqual(geometry.m);
  });

  it("gives heights to all when they only turn up in a later batch", async () => {
    const path = await write(
      "late.fgb",
      tableOf(["LINESTRING (0 0,1 1)", "MULTIPOLYGON (((0 0,1 0,1 1,0 0)))", null]),
      tableOf(["POINT ZM (5 5 3 4)"]),
    );
    expect(warnings).toEqual([expect.stringContaining("2 features without heights")]);
    const table = await readAll(await open(path));
    const last = [...table.geometry!.types].indexOf(1);
    const vertex = table.geometry!.rings[table.geometry!.parts[table.geometry!.geometries[last]!]!]!;
    expect(table.count).toBe(4);
    expect([table.geometry!.z![vertex], table.geometry!.m![vertex]]).toEqual([3, 4]);
    expect(table.geometry!.z!.filter((z) => z !== 0).length).toBe(1);
    expect(table.geometry!.m!.filter((m) => !Number.isNaN(m)).length).toBe(1);
    if (HAS_GDAL) {
      const text = execFileSync("ogrinfo", ["-al", path], { encoding: "utf8" });
      expect(text).toContain("POINT ZM (5 5 3 4)");
      expect(text.match(/OGRFeature/g)?.length).toBe(4);
    }
  });

  it("writes a layer without features or without vertices, with no index", async () => {
    const none = await open(await write("none.fgb", tableOf([])));
    expect(none.schema).toMatchObject({ count: 0, bounds: null });
    expect((await readAll(none)).count).toBe(0);
    const empty = await open(await write("empty.fgb", tableOf([null, "POLYGON EMPTY"])));
    expect(empty.schema).toMatchObject({ count: 2, bounds: null });
    expect((await readAll(empty)).count).toBe(2);
    expect((await readAll(empty, { bounds: [-1, -1, 1, 1] })).count).toBe(0);
  });

  it("gives the same bytes however the rows are batched, and leaves nothing beside them", async () => {
    const table = scatter(3000, 7);
    const half = (from: number, to: number): FeatureTable => {
      const { xy } = table.geometry!;
      const wkts = Array.from(
        { length: to - from },
        (_, i) => `POINT (${xy[2 * (from + i)]} ${xy[2 * (from + i) + 1]})`,
      );
      const [field] = tableSource(table).schema.fields;
      return tableOf(wkts, [field!], [wkts.map((_, i) => from + i)], UTM_45N);
    };
    const whole = readFileSync(await write("a.fgb", table));
    rmSync(join(folder, "a.fgb"));
    const parts = readFileSync(await write("a.fgb", half(0, 1), half(1, 1700), half(1700, 3000)));
    expect(parts.equals(whole)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("finds by its index what a scan of all features finds", async () => {
    const table = scatter(3000, 11);
    const source = await open(await write("index.fgb", table));
    const { xy } = table.geometry!;
    const next = random(3);
    for (let query = 0; query < 30; query++) {
      const x = next.next() * 1000;
      const y = next.next() * 1000;
      const size = 10 ** (3 * next.next());
      const bounds = [x, y, x + size, y + size] as const;
      const found = await readAll(source, { bounds });
      const expected = Array.from({ length: 3000 }, (_, i) => i).filter(
        (i) => xy[2 * i]! >= x && xy[2 * i]! <= x + size && xy[2 * i + 1]! >= y && xy[2 * i + 1]! <= y + size,
      );
      const column = found.columns[0]!;
      expect(column.type === "int32" && [...column.values].sort((a, b) => a - b)).toEqual(expected);
    }
  });

  it("is read by the flatgeobuf package", async () => {
    const wkts = EVERY_TYPE.slice(0, 8);
    const field = { name: "name", type: "string", nullable: true } as const;
    const path = await write("peer.fgb", tableOf(wkts, [field], [wkts.map((_, i) => `row ${i}`)]));
    const names: unknown[] = [];
    const kinds: string[] = [];
    for await (const feature of geojson.deserialize(new Uint8Array(readFileSync(path)))) {
      names.push(feature.properties?.["name"]);
      kinds.push(feature.geometry.type);
    }
    expect(names.sort()).toEqual(wkts.map((_, i) => `row ${i}`));
    expect(kinds.sort()).toEqual(
      [
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
      ].sort(),
    );
  });

  it("removes what it put aside when it is given up", async () => {
    const sink = await createFlatGeobuf(join(folder, "given-up.fgb"), tableSource(scatter(1, 1)).schema);
    await sink.write(scatter(100, 1));
    await sink.abort();
    await sink.abort();
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("is refused by the reader when its few bytes stand for very many nulls", async () => {
    const rows = 8000;
    const points = tableOf(Array.from({ length: rows }, () => "POINT (1 2)"));
    const values = new Int32Array(rows);
    const valid = new Uint8Array(rows);
    const columns = Array.from(
      { length: 4000 },
      (_, k) => ({ name: `c${k}`, type: "int32", nullable: true, values, valid }) as const,
    );
    const source = await open(await write("wide.fgb", { ...points, columns }));
    await expect(readAll(source)).rejects.toMatchObject({ code: "LIMIT" });
    // A few columns of it can be read.
    let count = 0;
    for await (const batch of source.batches({ fields: ["c5", "c1999"] })) count += batch.count;
    expect(count).toBe(rows);
  });

  it("refuses a batch whose column has another type", async () => {
    const sink = await createFlatGeobuf(join(folder, "mixed.fgb"), tableSource(scatter(1, 1)).schema);
    const field = { name: "id", type: "string", nullable: true } as const;
    await expect(sink.write(tableOf(["POINT (0 0)"], [field], [["a"]]))).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await sink.abort();
  });

  describe.skipIf(!HAS_GDAL)(
    `with GDAL as witness${HAS_GDAL ? "" : " [skipped: no ogrinfo on PATH]"}`,
    () => {
      it("is read by GDAL, also with a spatial filter", async () => {
        const table = scatter(3000, 5);
        const path = await write("gdal.fgb", table);
        const all = execFileSync("ogrinfo", ["-so", "-al", path], { encoding: "utf8" });
        expect(all).toContain("Feature Count: 3000");
        expect(all).toContain("Geometry: Point");
        expect(all).toContain("WGS 84 / UTM zone 45N");
        const filtered = execFileSync("ogrinfo", ["-so", "-al", "-spat", "100", "100", "200", "300", path], {
          encoding: "utf8",
        });
        const found = await readAll(await open(path), { bounds: [100, 100, 200, 300] });
        expect(found.count).toBeGreaterThan(10);
        expect(filtered).toContain(`Feature Count: ${found.count}\n`);
      });
    },
  );
});

describeShared("order of features", () => {
  it("is the order in which GDAL writes the same features", async () => {
    const path = shared("conformance/formats/flatgeobuf/gen_index_5000.fgb");
    const source = await open(path);
    const table = await readAll(source);
    const again = await readAll(await open(await write("again.fgb", table)));
    expect(again.geometry!.xy).toEqual(table.geometry!.xy);
    expect(again.columns).toEqual(table.columns);
  });
});
