import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import fc from "fast-check";
import type { SchemaElement } from "hyparquet";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, it } from "vitest";
import { toProjJson } from "../../../src/crs/format.ts";
import { parseCrs } from "../../../src/crs/parse.ts";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import type { WriteSummary } from "../../../src/io/feature-sink.ts";
import { pipeFeatures } from "../../../src/io/feature-sink.ts";
import { decompressorOf } from "../../../src/io/geoparquet/compression.ts";
import { openGeoParquet } from "../../../src/io/geoparquet/read.ts";
import { createGeoParquet, type GeoParquetOptions } from "../../../src/io/geoparquet/write.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import {
  type BatchOptions,
  type Column,
  ColumnBuilder,
  concatTables,
  type FeatureTable,
  type Field,
  rowAt,
  tableSource,
  takeRows,
  type Value,
} from "../../../src/model/features.ts";
import { rowBounds } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-test-parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(folder, `${++made}.parquet`);

async function read(source: ByteSource | string, options: BatchOptions = {}): Promise<FeatureTable> {
  const opened = await openGeoParquet(typeof source === "string" ? await openBytes(source) : source);
  try {
    const batches: FeatureTable[] = [];
    for await (const batch of opened.batches(options)) batches.push(batch);
    return concatTables(batches, opened.schema);
  } finally {
    await opened.close();
  }
}

async function write(table: FeatureTable, path: string, options?: GeoParquetOptions): Promise<WriteSummary> {
  const source = tableSource(table);
  return await pipeFeatures(source, await createGeoParquet(path, source.schema, options));
}

function column(field: Omit<Field, "nullable">, values: readonly Value[]): Column {
  const builder = new ColumnBuilder({ ...field, nullable: true });
  for (const value of values) builder.push(value);
  return builder.finish();
}

/** Squares of side 1 with their lower left corners at `corners`. */
function squares(corners: readonly (readonly [number, number])[], columns: Column[] = []): FeatureTable {
  const builder = new GeometryBuilder();
  for (const [x, y] of corners) {
    builder.begin(3);
    builder.part();
    builder.ring();
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ] as const)
      builder.vertex(x + dx, y + dy);
    builder.end();
  }
  return {
    count: corners.length,
    geometry: builder.finish(),
    columns,
    ids: null,
    firstRow: 0,
    crs: parseCrs("EPSG:32645"),
  };
}

const scattered: readonly (readonly [number, number])[] = (() => {
  const next = random(3);
  return Array.from({ length: 2000 }, () => [next(1e6) / 1000, next(1e6) / 1000] as const);
})();

/** A Parquet file by another writer. */
function parquet(
  schema: SchemaElement[],
  columnData: { name: string; data: unknown[]; encoding?: "PLAIN" }[],
  options: Record<string, unknown> = {},
): ByteSource {
  const buffer = parquetWriteBuffer({ schema, columnData: columnData as never, ...options });
  return memoryBytes(new Uint8Array(buffer), "test.parquet");
}

const flat = (name: string, element: Partial<SchemaElement>): SchemaElement[] => [
  { name: "root", num_children: 1 },
  { name, repetition_type: "OPTIONAL", ...element },
];

describe("openGeoParquet", () => {
  it.each<[string, Partial<SchemaElement>, unknown[], Value[], string]>([
    ["booleans", { type: "BOOLEAN" }, [true, null, false], [true, null, false], "boolean"],
    ["32-bit numbers", { type: "INT32" }, [-1, null, 7], [-1, null, 7], "int32"],
    [
      "unsigned 32-bit numbers",
      { type: "INT32", converted_type: "UINT_32" },
      [4294967295, null],
      [4294967295, null],
      "int64",
    ],
    ["64-bit numbers", { type: "INT64" }, [9007199254740993n, null], [9007199254740993n, null], "int64"],
    ["floats", { type: "FLOAT" }, [0.5, null], [0.5, null], "float64"],
    ["doubles", { type: "DOUBLE" }, [0.1, null, -0], [0.1, null, -0], "float64"],
    [
      "dates",
      { type: "INT32", converted_type: "DATE" },
      [new Date("2020-02-29"), null],
      [new Date("2020-02-29"), null],
      "date",
    ],
    [
      "instants in microseconds",
      { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" } },
      [new Date("1969-12-31T23:59:59.500Z"), null],
      [new Date("1969-12-31T23:59:59.500Z"), null],
      "datetime",
    ],
    [
      "instants in nanoseconds",
      { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "NANOS" } },
      [new Date("2020-01-01T00:00:00.250Z")],
      [new Date("2020-01-01T00:00:00.250Z")],
      "datetime",
    ],
    [
      "decimals",
      { type: "INT64", converted_type: "DECIMAL", scale: 2, precision: 9 },
      [12.34, null],
      [12.34, null],
      "float64",
    ],
    [
      "decimals in bytes",
      { type: "FIXED_LEN_BYTE_ARRAY", type_length: 9, converted_type: "DECIMAL", scale: 1, precision: 20 },
      [-2.5, null],
      [-2.5, null],
      "float64",
    ],
    [
      "half floats",
      { type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } },
      [-1.5, null],
      [-1.5, null],
      "float64",
    ],
    [
      "identifiers",
      { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } },
      ["00112233-4455-6677-8899-aabbccddeeff", null],
      ["00112233-4455-6677-8899-aabbccddeeff", null],
      "string",
    ],
    [
      "text",
      { type: "BYTE_ARRAY", converted_type: "UTF8" },
      ["नमस्ते", null, ""],
      ["नमस्ते", null, ""],
      "string",
    ],
    ["JSON", { type: "BYTE_ARRAY", converted_type: "JSON" }, [{ a: [1] }, null], [{ a: [1] }, null], "json"],
    ["bytes", { type: "BYTE_ARRAY" }, [Uint8Array.of(1, 2), null], [Uint8Array.of(1, 2), null], "binary"],
  ])("reads %s", async (_, element, data, expected, type) => {
    const table = await read(parquet(flat("v", element), [{ name: "v", data }]));
    expect(table.columns[0]!.type).toBe(type);
    expect(expected.map((__, i) => rowAt(table, i)["v"])).toEqual(expected);
    expect(table.geometry).toBeNull();
  });

  it("tells wall-clock times from instants", async () => {
    const local = {
      type: "INT64",
      logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MILLIS" },
    } as const;
    const opened = await openGeoParquet(parquet(flat("v", local), [{ name: "v", data: [new Date(0)] }]));
    expect(opened.schema.fields).toEqual([{ name: "v", type: "datetime", nullable: true, zone: "local" }]);
  });

  it.each([
    ["INT32", "DELTA_BINARY_PACKED", Array.from({ length: 500 }, (_, i) => (i * 7919) % 1000)],
    ["INT64", "DELTA_BINARY_PACKED", Array.from({ length: 500 }, (_, i) => BigInt(i) ** 5n)],
    ["BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", Array.from({ length: 300 }, (_, i) => `text ${i % 17}`)],
    ["BYTE_ARRAY", "DELTA_BYTE_ARRAY", Array.from({ length: 300 }, (_, i) => `common beginning ${i}`)],
    ["DOUBLE", "BYTE_STREAM_SPLIT", Array.from({ length: 300 }, (_, i) => i / 7)],
    ["INT32", "RLE_DICTIONARY", Array.from({ length: 300 }, (_, i) => (i % 5 === 0 ? null : i % 3))],
    ["BYTE_ARRAY", "RLE_DICTIONARY", Array.from({ length: 300 }, (_, i) => `class ${i % 40}`)],
    ["BOOLEAN", "RLE", Array.from({ length: 300 }, (_, i) => i % 7 < 3)],
  ] as const)("reads %s in %s, page by page", async (type, encoding, data) => {
    const element = type === "BYTE_ARRAY" ? ({ type, converted_type: "UTF8" } as const) : { type };
    const source = parquet(
      flat("v", element),
      [{ name: "v", data: [...data], encoding: encoding as "PLAIN" }],
      { pageSize: 400 },
    );
    const table = await read(source, { batchSize: 64 });
    expect(data.map((_, i) => rowAt(table, i)["v"])).toEqual(
      data.map((value) =>
        typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value,
      ),
    );
  });

  it.each(["GZIP", "BROTLI"] as const)("reads pages in %s", async (codec) => {
    const compress = codec === "GZIP" ? zlib.gzipSync : zlib.brotliCompressSync;
    const data = Array.from({ length: 200 }, (_, i) => `some text ${i}`);
    const source = parquet(flat("v", { type: "BYTE_ARRAY", converted_type: "UTF8" }), [{ name: "v", data }], {
      codec,
      compressors: { [codec]: (bytes: Uint8Array) => compress(bytes) },
    });
    expect(rowAt(await read(source), 150)).toEqual({ v: "some text 150" });
  });

  it.each(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI"] as const)(
    "reads plain numbers in %s, also from a Buffer that begins anywhere",
    async (codec) => {
      // What Node's codecs return, and files read at once, are Buffers: their slices do not copy.
      const numbers = Array.from({ length: 50 }, (_, i) => i + 0.5);
      const compress = { GZIP: zlib.gzipSync, BROTLI: zlib.brotliCompressSync };
      const buffer = parquetWriteBuffer({
        schema: flat("v", { type: "DOUBLE" }),
        columnData: [{ name: "v", data: numbers, encoding: "PLAIN" }] as never,
        codec,
        compressors: compress as never,
      });
      const padded = Buffer.concat([Buffer.alloc(13), Buffer.from(buffer)]);
      const table = await read(memoryBytes(padded.subarray(13), "test.parquet"));
      expect(Array.from({ length: table.count }, (_, i) => rowAt(table, i)["v"])).toEqual(numbers);
    },
  );

  it.each(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"])(
    "takes a page of nulls alone, which holds nothing, in %s",
    async (codec) => {
      expect((await decompressorOf(codec, 1000))(new Uint8Array(0), 0)).toHaveLength(0);
    },
  );

  it("reads lists and structures as JSON", async () => {
    const schema: SchemaElement[] = [
      { name: "root", num_children: 2 },
      { name: "tags", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
      { name: "who", repetition_type: "OPTIONAL", num_children: 2 },
      { name: "name", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
      { name: "born", repetition_type: "OPTIONAL", type: "INT64" },
    ];
    const tags = [["a", "b"], null, [], ["c", null]];
    const who = [{ name: "x", born: 5n }, null, { name: null, born: 6n }, { name: "y", born: null }];
    const table = await read(
      parquet(schema, [
        { name: "tags", data: tags },
        { name: "who", data: who },
      ]),
    );
    expect(table.columns.map(({ type }) => type)).toEqual(["json", "json"]);
    expect([0, 1, 2, 3].map((i) => rowAt(table, i)["tags"])).toEqual(tags);
    expect(rowAt(table, 0)["who"]).toEqual({ name: "x", born: 5 });
    expect(rowAt(table, 1)["who"]).toBeNull();
    expect(rowAt(table, 3)["who"]).toEqual({ name: "y", born: null });
  });

  it("reads Parquet's own geometry type and its statistics", async () => {
    const schema = flat("shape", {
      type: "BYTE_ARRAY",
      logical_type: { type: "GEOMETRY", crs: "EPSG:32645" },
    });
    const data = [{ type: "Point", coordinates: [1, 2] }, null, { type: "Point", coordinates: [3, 4] }];
    const source = parquet(schema, [{ name: "shape", data }]);
    const opened = await openGeoParquet(source);
    expect(opened.schema).toMatchObject({
      crs: { code: "EPSG:32645" },
      bounds: [1, 2, 3, 4],
      geometryTypes: [1],
      fields: [],
    });
    const table = await read(source);
    expect([...table.geometry!.types]).toEqual([1, 0, 1]);
    expect((await read(source, { bounds: [2.5, 3, 9, 9] })).count).toBe(1);
    expect((await read(source, { bounds: [10, 10, 11, 11] })).count).toBe(0);
  });

  it("reads the native encodings of GeoParquet 1.1", async () => {
    const vertex: SchemaElement[] = [
      { name: "x", repetition_type: "REQUIRED", type: "DOUBLE" },
      { name: "y", repetition_type: "REQUIRED", type: "DOUBLE" },
    ];
    const list = (name: string, inner: SchemaElement[]): SchemaElement[] => [
      { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...inner,
    ];
    const struct = (name: string): SchemaElement[] => [
      { name, repetition_type: "OPTIONAL", num_children: 2 },
      ...vertex,
    ];
    const xy = (...pairs: [number, number][]): { x: number; y: number }[] =>
      pairs.map(([x, y]) => ({ x, y }));
    const ring = xy([0, 0], [4, 0], [4, 4], [0, 0]);
    const cases: [string, SchemaElement[], unknown[], number[]][] = [
      ["point", struct("geometry"), [{ x: 1, y: 2 }, null], [1, 2]],
      ["linestring", list("geometry", struct("element")), [xy([1, 2], [3, 4]), null], [1, 2, 3, 4]],
      [
        "polygon",
        list("geometry", list("element", struct("element"))),
        [[ring], null],
        [0, 0, 4, 0, 4, 4, 0, 0],
      ],
      [
        "multipolygon",
        list("geometry", list("element", list("element", struct("element")))),
        [[[ring]], null],
        [0, 0, 4, 0, 4, 4, 0, 0],
      ],
    ];
    for (const [encoding, elements, data, expected] of cases) {
      const source = parquet([{ name: "root", num_children: 1 }, ...elements], [{ name: "geometry", data }], {
        kvMetadata: [
          {
            key: "geo",
            value: JSON.stringify({
              version: "1.1.0",
              primary_column: "geometry",
              columns: { geometry: { encoding, geometry_types: [] } },
            }),
          },
        ],
      });
      const table = await read(source);
      expect([...table.geometry!.xy], encoding).toEqual(expected);
      expect(table.geometry!.types[1], encoding).toBe(0);
      expect(table.crs?.code).toBe("OGC:CRS84");
    }
  });

  it.each([
    [undefined, "OGC:CRS84"],
    [null, undefined],
    [toProjJson(parseCrs("EPSG:32643")), "EPSG:32643"],
  ])("takes the CRS from the metadata: case %#", async (crs, code) => {
    const geometry = { encoding: "WKB", geometry_types: [], ...(crs === undefined ? {} : { crs }) };
    const source = parquet(flat("geometry", { type: "BYTE_ARRAY" }), [{ name: "geometry", data: [null] }], {
      kvMetadata: [
        {
          key: "geo",
          value: JSON.stringify({ version: "1.0.0", primary_column: "geometry", columns: { geometry } }),
        },
      ],
    });
    expect((await openGeoParquet(source)).schema.crs?.code).toBe(code);
  });

  it.each<[string, string]>([
    ["metadata that is not JSON", "{"],
    ["no primary column", "{}"],
    ["a primary column that is not there", '{"primary_column":"g","columns":{"g":{"encoding":"WKB"}}}'],
    ["an unknown encoding", '{"primary_column":"v","columns":{"v":{"encoding":"WKT"}}}'],
  ])("refuses %s", async (_, value) => {
    const source = parquet(flat("v", { type: "BYTE_ARRAY" }), [{ name: "v", data: [Uint8Array.of(1)] }], {
      kvMetadata: [{ key: "geo", value }],
    });
    const error: unknown = await openGeoParquet(source).catch((reason: unknown) => reason);
    expect(isGeoError(error)).toBe(true);
    expect((error as Error).message).toContain("test.parquet");
  });
});

describe("createGeoParquet", () => {
  it("reads back every type of column and the geometry, in input order when asked", async () => {
    const columns = [
      column({ name: "i", type: "int32" }, [-5, null]),
      column({ name: "l", type: "int64" }, [2n ** 62n, null]),
      column({ name: "r", type: "float64" }, [-0, null]),
      column({ name: "b", type: "boolean" }, [true, null]),
      column({ name: "s", type: "string" }, ["नमस्ते", null]),
      column({ name: "d", type: "date" }, [new Date("1969-12-31"), null]),
      column({ name: "t", type: "time" }, [43_200_001, null]),
      column({ name: "z", type: "datetime", zone: "utc" }, [new Date("2020-02-29T12:34:56.789Z"), null]),
      column({ name: "w", type: "datetime", zone: "local" }, [new Date("1900-01-01T00:00:00Z"), null]),
      column({ name: "j", type: "json" }, [{ a: [1.5, null] }, null]),
      column({ name: "x", type: "binary" }, [Uint8Array.of(0, 255), null]),
    ];
    const table = squares(
      [
        [500, 500],
        [1, 1],
      ],
      columns,
    );
    const path = fresh();
    expect(await write(table, path, { order: "input" })).toEqual({ count: 2, warnings: [] });
    const again = await read(path);
    expect(again.geometry).toEqual(table.geometry);
    expect(again.columns.map(({ name, type, zone }) => [name, type, zone])).toEqual(
      columns.map(({ name, type, zone }) => [name, type, zone]),
    );
    expect([rowAt(again, 0), rowAt(again, 1)]).toEqual([rowAt(table, 0), rowAt(table, 1)]);
    expect(again.crs?.code).toBe("EPSG:32645");
  });

  it("obeys the rules of GeoParquet 1.1", async () => {
    const path = fresh();
    await write(squares(scattered.slice(0, 500)), path, { rowGroupSize: 100 });
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path), { geoparquet: false });
    const geo = JSON.parse(metadata.key_value_metadata!.find(({ key }) => key === "geo")!.value!) as {
      version: string;
      primary_column: string;
      columns: Record<
        string,
        {
          encoding: string;
          geometry_types: string[];
          crs: { type: string; id: unknown };
          bbox: number[];
          covering: { bbox: Record<string, string[]> };
        }
      >;
    };
    expect(geo.version).toBe("1.1.0");
    const info = geo.columns[geo.primary_column]!;
    expect(info).toMatchObject({
      encoding: "WKB",
      geometry_types: ["Polygon"],
      crs: { type: "ProjectedCRS", id: { authority: "EPSG", code: 32645 } },
      covering: {
        bbox: {
          xmin: ["bbox", "xmin"],
          ymin: ["bbox", "ymin"],
          xmax: ["bbox", "xmax"],
          ymax: ["bbox", "ymax"],
        },
      },
    });
    const element = metadata.schema.find(({ name }) => name === geo.primary_column)!;
    expect(element).toMatchObject({ type: "BYTE_ARRAY", repetition_type: "OPTIONAL" });
    expect(metadata.row_groups).toHaveLength(5);
    // Another reader finds that every covering holds its geometry, and the bbox all of them.
    const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(path) })) as {
      bbox: Record<"xmin" | "ymin" | "xmax" | "ymax", number>;
      geometry: { coordinates: [number, number][][] };
    }[];
    let slack = 0;
    for (const { bbox, geometry } of rows) {
      for (const [x, y] of geometry.coordinates[0]!) {
        expect(bbox.xmin <= x && x <= bbox.xmax && bbox.ymin <= y && y <= bbox.ymax).toBe(true);
        expect(info.bbox[0]! <= x && x <= info.bbox[2]! && info.bbox[1]! <= y && y <= info.bbox[3]!).toBe(
          true,
        );
      }
      slack = Math.max(slack, bbox.xmax - bbox.xmin - 1);
    }
    expect(slack).toBeLessThan(1e-3);
  });

  it("puts rows that are near each other into the same row group", async () => {
    const area = async (order: "hilbert" | "input"): Promise<number> => {
      const path = fresh();
      await write(squares(scattered), path, { order, rowGroupSize: 100 });
      const { row_groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
      return row_groups.reduce((sum, group) => {
        const range = (k: number): number => {
          const { min_value, max_value } = group.columns[k]!.meta_data!.statistics!;
          return Number(max_value) - Number(min_value);
        };
        // Columns: geometry, xmin, ymin, xmax, ymax.
        return sum + range(1) * range(2);
      }, 0);
    };
    expect(await area("hilbert")).toBeLessThan(0.2 * (await area("input")));
  });

  it("gives the rows that a scan gives for any bounds, reading a part of the file", async () => {
    const path = fresh();
    const table = squares(scattered, [
      column(
        { name: "n", type: "int32" },
        scattered.map((_, i) => i),
      ),
    ]);
    await write(table, path, { rowGroupSize: 100 });
    const boxes = rowBounds(table.geometry!);
    const file = await openBytes(path);
    let bytes = 0;
    const counted: ByteSource = {
      ...file,
      size: file.size,
      url: path,
      close: () => file.close(),
      read: (offset, length, signal) => {
        bytes += length;
        return file.read(offset, length, signal);
      },
    };
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(
          fc.integer({ min: -10, max: 1000 }),
          fc.integer({ min: -10, max: 1000 }),
          fc.integer({ min: 0, max: 300 }),
        ),
        async ([x, y, side]) => {
          const bounds = [x, y, x + side, y + side] as const;
          const expected = scattered.flatMap((_, i) =>
            boxes[4 * i]! <= bounds[2] &&
            boxes[4 * i + 2]! >= bounds[0] &&
            boxes[4 * i + 1]! <= bounds[3] &&
            boxes[4 * i + 3]! >= bounds[1]
              ? [i]
              : [],
          );
          const found = await readCounts(counted, bounds);
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
    bytes = 0;
    expect(await readCounts(counted, [500, 500, 560, 560])).not.toHaveLength(0);
    expect(bytes).toBeLessThan(0.5 * file.size + 70_000);
    await file.close();
  });

  it("writes the same bytes for the same rows, however they are cut into batches", async () => {
    const table = squares(scattered, [
      column(
        { name: "n", type: "int32" },
        scattered.map((_, i) => i),
      ),
    ]);
    const hashes = new Set<string>();
    for (const order of ["hilbert", "input"] as const) {
      const own = new Set<string>();
      for (const size of [2000, 700, 1]) {
        const path = fresh();
        const sink = await createGeoParquet(path, tableSource(table).schema, { rowGroupSize: 300, order });
        for (let at = 0; at < table.count; at += size) {
          const rows = Array.from({ length: Math.min(size, table.count - at) }, (_, i) => at + i);
          await sink.write(takeRows(table, rows));
        }
        expect((await sink.close()).count).toBe(2000);
        own.add(createHash("sha256").update(readFileSync(path)).digest("hex"));
        if (order === "input" && size === 1)
          expect([...(await read(path)).geometry!.xy]).toEqual([...table.geometry!.xy]);
      }
      expect(own.size).toBe(1);
      for (const hash of own) hashes.add(hash);
    }
    expect(hashes.size).toBe(2);
  });

  it("sorts a layer larger than its memory piece by piece and loses nothing", async () => {
    const table = squares(scattered, [
      column(
        { name: "n", type: "int32" },
        scattered.map((_, i) => i),
      ),
    ]);
    const path = fresh();
    const source = tableSource(table);
    const sink = await createGeoParquet(path, source.schema, { sortMemory: 60_000, rowGroupSize: 100 });
    for (let at = 0; at < 2000; at += 250)
      await sink.write(
        takeRows(
          table,
          Array.from({ length: 250 }, (_, i) => at + i),
        ),
      );
    await sink.close();
    const again = await read(path);
    const numbers = [...(again.columns[0]!.values as Int32Array)];
    expect(numbers.sort((a, b) => a - b)).toEqual(scattered.map((_, i) => i));
  });

  it("writes null and empty geometries, several types, Z, and leaves out M with a word", async () => {
    const builder = new GeometryBuilder();
    builder.null();
    builder.begin(1);
    builder.end();
    builder.begin(1);
    builder.part();
    builder.vertex(1, 2, 3, 4);
    builder.end();
    builder.begin(7);
    builder.member(1);
    builder.part();
    builder.vertex(5, 6);
    builder.end();
    const geometry = builder.finish();
    const path = fresh();
    const { warnings } = await write(
      { count: 4, geometry, columns: [], ids: null, firstRow: 0, crs: null },
      path,
      { order: "input" },
    );
    expect(warnings).toEqual(["M values are left out: GeoParquet has none"]);
    const again = await read(path);
    expect([...again.geometry!.types]).toEqual([0, 1, 1, 7]);
    expect([...again.geometry!.z!]).toEqual([3, Number.NaN]);
    expect(again.geometry!.m).toBeNull();
    expect(again.crs).toBeNull();
    const opened = await openGeoParquet(await openBytes(path));
    expect(opened.schema).toMatchObject({ geometryTypes: [7, 1], hasZ: true, bounds: [1, 2, 5, 6] });
    await opened.close();
  });

  it("writes and reads a plain table, and gives columns of the same name other names", async () => {
    const path = fresh();
    const columns = [
      column({ name: "a", type: "int32" }, [1, 2]),
      column({ name: "a", type: "string" }, ["x", "y"]),
    ];
    const summary = await write(
      { count: 2, geometry: null, columns, ids: null, firstRow: 0, crs: null },
      path,
    );
    expect(summary.renamed).toEqual({ a: "a_1" });
    const opened = await openGeoParquet(await openBytes(path));
    expect([opened.driver, opened.schema.geometryTypes, opened.schema.count]).toEqual(["Parquet", [0], 2]);
    await opened.close();
    expect(rowAt(await read(path), 1)).toEqual({ a: 2, a_1: "y" });
  });

  it("writes an empty layer", async () => {
    const path = fresh();
    expect((await write(squares([]), path)).count).toBe(0);
    expect((await read(path)).count).toBe(0);
  });
});

async function readCounts(
  source: ByteSource,
  bounds: readonly [number, number, number, number],
): Promise<number[]> {
  const opened = await openGeoParquet(source);
  const found: number[] = [];
  for await (const batch of opened.batches({ bounds, batchSize: 64 })) {
    expect(batch.count).toBeLessThanOrEqual(64);
    found.push(...(batch.columns[0]!.values as Int32Array));
  }
  return found.sort((a, b) => a - b);
}

describe("damaged Parquet files", () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["an empty file", () => new Uint8Array(0)],
    ["a few bytes", () => new TextEncoder().encode("PAR1PAR1")],
    ["half a file", (bytes) => bytes.slice(0, bytes.length / 2)],
    ["a file without its end", (bytes) => bytes.slice(0, -1)],
    ["a footer that claims 4 GB", (bytes) => bytes.slice().fill(255, bytes.length - 8, bytes.length - 4)],
    ["a footer of zeros", (bytes) => bytes.slice().fill(0, bytes.length - 200, bytes.length - 8)],
    ["pages of zeros", (bytes) => bytes.slice().fill(0, 4, 400)],
  ])("%s is refused", async (_, damage) => {
    const path = fresh();
    await write(squares(scattered.slice(0, 50)), path);
    const error: unknown = await read(
      memoryBytes(damage(new Uint8Array(readFileSync(path))), "damaged.parquet"),
    ).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "INVALID_FORMAT" });
    expect((error as Error).message).toContain("damaged.parquet");
  });

  it("are refused or read, never worse: 2,000 of them", { timeout: 60_000 }, async () => {
    const samples = await damageableFiles();
    const next = random(4711);
    let refused = 0;
    const before = process.memoryUsage();
    let most = 0;
    for (let k = 0; k < 2000; k++) {
      let bytes = samples[k % samples.length]!.slice();
      for (let c = next(5); c >= 0; c--) {
        // The footer, at the end, is where most can go wrong.
        const at = next(2) === 0 ? next(bytes.length) : bytes.length - 1 - next(Math.min(bytes.length, 1500));
        bytes[at] = next(3) === 0 ? 255 : next(256);
      }
      if (next(15) === 0) bytes = bytes.slice(next(bytes.length));
      const source = memoryBytes(bytes, "fuzz.parquet");
      const started = performance.now();
      try {
        await read(source);
        await read(source, { bounds: [0, 0, 50, 50] });
      } catch (error) {
        refused++;
        if (!isGeoError(error)) throw error;
      }
      expect(performance.now() - started).toBeLessThan(5000);
      if (k % 100 === 0) {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        most = Math.max(most, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
      }
    }
    expect(refused).toBeGreaterThan(500);
    expect(most).toBeLessThan(400e6);
  });
});

describeShared("Parquet files of others", () => {
  it("reads the example of the specification", async () => {
    const table = await read(shared("conformance", "formats", "geoparquet", "example.parquet"));
    // From example.csv beside it.
    expect(rowAt(table, 0)).toEqual({
      pop_est: 889953,
      continent: "Oceania",
      name: "Fiji",
      iso_a3: "FJI",
      gdp_md_est: 5496,
    });
    expect([...table.geometry!.xy.subarray(0, 2)]).toEqual([180, -16.067132663642447]);
  });
});

/** Small files of many kinds: pages of both versions, dictionaries, lists, native geometry, coverings. */
async function damageableFiles(): Promise<Uint8Array[]> {
  const path = fresh();
  const corners = scattered.slice(0, 40);
  const names = column(
    { name: "s", type: "string" },
    corners.map((_, i) => `name ${i % 4}`),
  );
  const numbers = column(
    { name: "n", type: "int64" },
    corners.map((_, i) => i),
  );
  await write(squares(corners, [names, numbers]), path, { rowGroupSize: 20, compression: "none" });
  const packed = fresh();
  await write(squares(corners, [names, numbers]), packed);
  const lists = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 2 },
      { name: "tags", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
      { name: "v", repetition_type: "OPTIONAL", type: "INT32" },
    ],
    columnData: [
      {
        name: "tags",
        data: Array.from({ length: 50 }, (_, i) =>
          i % 7 === 0 ? null : Array.from({ length: i % 4 }, () => `t${i}`),
        ),
      },
      { name: "v", data: Array.from({ length: 50 }, (_, i) => i), encoding: "DELTA_BINARY_PACKED" },
    ],
    codec: "UNCOMPRESSED",
  });
  const texts = parquetWriteBuffer({
    schema: flat("v", { type: "BYTE_ARRAY", converted_type: "UTF8" }),
    columnData: [
      { name: "v", data: Array.from({ length: 80 }, (_, i) => `common ${i}`), encoding: "DELTA_BYTE_ARRAY" },
    ],
    codec: "UNCOMPRESSED",
  });
  return [readFileSync(path), readFileSync(packed), new Uint8Array(lists), new Uint8Array(texts)].map(
    (bytes) => new Uint8Array(bytes),
  );
}

/** Whole numbers below `n`, the same in every run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
