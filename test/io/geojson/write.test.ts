import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { crsFromEpsg } from "../../../src/crs/parse.ts";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openCsv } from "../../../src/io/csv/read.ts";
import { pipeFeatures, type WriteSummary } from "../../../src/io/feature-sink.ts";
import { openGeoJson } from "../../../src/io/geojson/read.ts";
import { createGeoJson, createGeoJsonSeq, type GeoJsonWriteOptions } from "../../../src/io/geojson/write.ts";
import { toWkt } from "../../../src/io/wkt.ts";
import type { Crs } from "../../../src/model/crs.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import {
  ColumnBuilder,
  type FeatureTable,
  type Field,
  rowAt,
  tableSource,
  type Value,
} from "../../../src/model/features.ts";
import {
  type FeatureCollection,
  GEOJSON_CRS,
  type Geometry,
  geometryFromGeoJson,
} from "../../../src/model/geojson.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-geojson-"));
afterAll(() => rmSync(folder, { recursive: true }));

function column(field: Omit<Field, "nullable">, values: Value[]) {
  const builder = new ColumnBuilder({ ...field, nullable: true });
  for (const value of values) builder.push(value);
  return builder.finish();
}

function layer(
  geometries: (Geometry | null)[],
  columns: FeatureTable["columns"],
  crs: Crs | null = GEOJSON_CRS,
): FeatureTable {
  const builder = new GeometryBuilder();
  for (const geometry of geometries) geometryFromGeoJson(geometry, builder);
  return { count: geometries.length, geometry: builder.finish(), columns, ids: null, firstRow: 0, crs };
}

async function write(
  table: FeatureTable,
  options: GeoJsonWriteOptions & { seq?: boolean } = {},
): Promise<{ text: string; summary: WriteSummary }> {
  const path = join(folder, "out.geojson");
  const source = tableSource(table, "layer");
  const create = options.seq === true ? createGeoJsonSeq : createGeoJson;
  const summary = await pipeFeatures(source, await create(path, source.schema, options));
  return { text: readFileSync(path, "utf8"), summary };
}

const square: Geometry = {
  type: "Polygon",
  coordinates: [
    [
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 0],
      [0, 0],
    ],
  ],
};

describe("createGeoJson", () => {
  test("writes one feature a line, rings turned as RFC 7946 asks", async () => {
    const table = layer([square, null], [column({ name: 'a"b', type: "int32" }, [1, null])]);
    const { text, summary } = await write(table);
    expect(text).toBe(
      `{
"type": "FeatureCollection",
"name": "layer",
"features": [
{"type": "Feature", "properties": {"a\\"b": 1}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
{"type": "Feature", "properties": {"a\\"b": null}, "geometry": null}
]
}
`,
    );
    expect(summary).toEqual({ count: 2, warnings: [] });
    expect((await write(table, { rewind: false })).text).toContain("[[[0,0],[0,1],[1,1],[1,0],[0,0]]]");
  });

  test("every type of attribute is written as JSON", async () => {
    const table = layer(
      [null],
      [
        column({ name: "f", type: "float64" }, [5]),
        column({ name: "nan", type: "float64" }, [Number.NaN]),
        column({ name: "big", type: "int64" }, [9007199254740993n]),
        column({ name: "b", type: "boolean" }, [true]),
        column({ name: "s", type: "string" }, ['tab\t é "q" \\']),
        column({ name: "d", type: "date" }, [new Date("2024-02-29")]),
        column({ name: "t", type: "datetime" }, [new Date("2024-02-29T01:02:03.004Z")]),
        column({ name: "w", type: "datetime", zone: "local" }, [new Date("2024-02-29T01:02:03Z")]),
        column({ name: "c", type: "time" }, [3_723_000]),
        column({ name: "j", type: "json" }, [{ a: [1, null] }]),
        column({ name: "x", type: "binary" }, [Uint8Array.of(0, 255)]),
      ],
    );
    const { text, summary } = await write(table);
    expect(text).toContain(
      `{"f": 5.0, "nan": null, "big": 9007199254740993, "b": true, "s": "tab\\t é \\"q\\" \\\\", "d": "2024-02-29", "t": "2024-02-29T01:02:03.004Z", "w": "2024-02-29T01:02:03", "c": "01:02:03", "j": {"a":[1,null]}, "x": "00ff"}`,
    );
    expect(summary.warnings).toHaveLength(1);
    const parsed = JSON.parse(text) as FeatureCollection;
    expect(parsed.features[0]!.properties!["s"]).toBe('tab\t é "q" \\');
  });

  test("what is written is read back bit for bit, ids and heights too", async () => {
    const geometries: Geometry[] = [
      { type: "Point", coordinates: [0.1 + 0.2, -1e-9, 5.5] },
      {
        type: "MultiLineString",
        coordinates: [
          [
            [1e20, 2],
            [1 / 3, 85.957978333333003],
          ],
        ],
      },
      {
        type: "GeometryCollection",
        geometries: [
          { type: "Point", coordinates: [1, 2] },
          { type: "MultiPolygon", coordinates: [] },
        ],
      },
      { type: "LineString", coordinates: [] },
    ];
    const table = {
      ...layer(geometries, [column({ name: "v", type: "float64" }, [0.1, 1e300, -0, 5])]),
      ids: ["a", 2, null, "d"],
    };
    const { text } = await write(table);
    const source = await openGeoJson(memoryBytes(new TextEncoder().encode(text)));
    for await (const batch of source.batches()) {
      expect(batch.geometry).toEqual(table.geometry);
      expect(batch.ids).toEqual(table.ids);
      expect(batch.columns).toEqual(table.columns.map((c) => ({ ...c, valid: null })));
    }
  });

  test("precision rounds coordinates but not attributes", async () => {
    const table = layer(
      [{ type: "Point", coordinates: [1.23456789, 2.5, 3.999] }],
      [column({ name: "v", type: "float64" }, [1.23456789])],
    );
    const { text } = await write(table, { precision: 2 });
    expect(text).toContain(`{"v": 1.23456789}, "geometry": {"type": "Point", "coordinates": [1.23,2.5,4]}`);
    await expect(write(table, { precision: 1.5 })).rejects.toSatisfy((e) => isGeoError(e, "INVALID_INPUT"));
  });

  test("another CRS is named in the old way, with a warning, and read back", async () => {
    const { text, summary } = await write(layer([square], [], crsFromEpsg(32645)));
    expect(text).toContain(`"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}`);
    expect(summary.warnings[0]).toContain("EPSG:32645");
    const source = await openGeoJson(memoryBytes(new TextEncoder().encode(text)));
    expect(source.schema.crs?.code).toBe("EPSG:32645");
    expect((await write(layer([square], [], null))).summary.warnings[0]).toContain("no CRS");
  });

  test("measures are left out with a warning, infinite coordinates refused", async () => {
    const builder = new GeometryBuilder();
    builder.begin(1);
    builder.part();
    builder.vertex(1, 2, Number.NaN, 9);
    builder.end();
    const measured: FeatureTable = {
      count: 1,
      geometry: builder.finish(),
      columns: [],
      ids: null,
      firstRow: 0,
      crs: GEOJSON_CRS,
    };
    const { text, summary } = await write(measured);
    expect(text).toContain(`"coordinates": [1,2]`);
    expect(summary.warnings[0]).toContain("measures");
    builder.begin(1);
    builder.part();
    builder.vertex(Infinity, 2);
    builder.end();
    const broken = write({ ...measured, geometry: builder.finish() });
    await expect(broken).rejects.toSatisfy((e) => isGeoError(e, "INVALID_GEOMETRY"));
  });

  test("a layer of no features is a valid file, a sequence of none an empty one", async () => {
    const empty = layer([], []);
    expect(JSON.parse((await write(empty)).text)).toMatchObject({ type: "FeatureCollection", features: [] });
    expect((await write(empty, { seq: true })).text).toBe("");
  });

  test("a sequence has one feature a line and nothing else", async () => {
    const { text } = await write(layer([square, null], [column({ name: "i", type: "int32" }, [1, 2])]), {
      seq: true,
    });
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { properties: unknown }).properties)).toEqual([
      { i: 1 },
      { i: 2 },
    ]);
  });

  test("many batches are one collection", async () => {
    const table = layer([square], [column({ name: "s", type: "string" }, ["x".repeat(100_000)])]);
    const sink = await createGeoJson(join(folder, "many.geojson"), tableSource(table).schema);
    for (let k = 0; k < 20; k++) await sink.write(table);
    expect((await sink.close()).count).toBe(20);
    const parsed = JSON.parse(readFileSync(join(folder, "many.geojson"), "utf8")) as FeatureCollection;
    expect(parsed.features).toHaveLength(20);
  });

  test("a path that cannot be written is OUTPUT_FAILED, and an aborted file is removed", async () => {
    const { schema } = tableSource(layer([], []));
    await expect(createGeoJson(folder, schema)).rejects.toSatisfy((e) => isGeoError(e, "OUTPUT_FAILED"));
    const sink = await createGeoJson(join(folder, "gone.geojson"), schema);
    await sink.abort();
    await sink.abort();
    expect(() => readFileSync(join(folder, "gone.geojson"))).toThrow();
    expect(rowAt(layer([null], [column({ name: "a", type: "int32" }, [1])]), 0)).toEqual({ a: 1 });
  });
});

describe("pipeFeatures", () => {
  test("aborts the sink when the source fails, and passes the error on", async () => {
    const source = tableSource(layer([null], []));
    const failing = {
      ...source,
      async *batches() {
        yield layer([null], []);
        throw new Error("the disk fell out");
      },
    };
    const path = join(folder, "half.geojson");
    const sink = await createGeoJson(path, source.schema);
    await expect(pipeFeatures(failing, sink)).rejects.toThrow("the disk fell out");
    expect(() => readFileSync(path)).toThrow();
  });
});

function hasGdal(): boolean {
  try {
    execFileSync("ogr2ogr", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasGdal())("GDAL reads what was written [skipped without ogr2ogr on PATH]", () => {
  const geometries: Geometry[] = [
    square,
    {
      type: "MultiPolygon",
      coordinates: [
        [
          [
            [0, 0],
            [4, 0],
            [4, 4],
            [0, 0],
          ],
          [
            [1, 0.5],
            [2, 1],
            [2, 0.5],
            [1, 0.5],
          ],
        ],
      ],
    },
    {
      type: "LineString",
      coordinates: [
        [0.123456789, 5, 7],
        [1e-7, 2, 8],
      ],
    },
    {
      type: "GeometryCollection",
      geometries: [
        { type: "Point", coordinates: [1, 2] },
        {
          type: "LineString",
          coordinates: [
            [0, 0],
            [1, 1],
          ],
        },
      ],
    },
  ];
  const columns = [
    column({ name: "s", type: "string" }, ['a "quoted", ü', "", null, "x"]),
    column({ name: "n", type: "int64" }, [9007199254740993n, 1, null, -5]),
    column({ name: "f", type: "float64" }, [0.1, 5, null, 1e-7]),
  ];

  test.each([false, true])("geometry, texts and numbers, as a sequence: %s", async (seq) => {
    const table = layer(geometries, columns);
    await write(table, { seq, rewind: false });
    const text = execFileSync(
      "ogr2ogr",
      ["-f", "CSV", "-lco", "GEOMETRY=AS_WKT", "/vsistdout/", join(folder, "out.geojson")],
      { encoding: "utf8" },
    );
    const source = await openCsv(memoryBytes(new TextEncoder().encode(text)), {
      csvt: "WKT,String,Integer64,Real",
    });
    for await (const batch of source.batches()) {
      for (let row = 0; row < table.count; row++) {
        expect(toWkt(batch.geometry!, row)).toBe(toWkt(table.geometry!, row));
        // GDAL writes null and empty text alike.
        expect({ ...rowAt(batch, row), s: rowAt(batch, row)["s"] ?? "" }).toEqual({
          ...rowAt(table, row),
          s: rowAt(table, row)["s"] ?? "",
        });
      }
    }
  });
});
