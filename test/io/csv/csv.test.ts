import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { crsFromEpsg } from "../../../src/crs/parse.ts";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { type CsvOptions, openCsv } from "../../../src/io/csv/read.ts";
import { scanCsv } from "../../../src/io/csv/scan.ts";
import { type CsvWriteOptions, createCsv } from "../../../src/io/csv/write.ts";
import { pipeFeatures, type WriteSummary } from "../../../src/io/feature-sink.ts";
import { toWkt } from "../../../src/io/wkt.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import {
  concatTables,
  type FeatureSource,
  type FeatureTable,
  rowAt,
  tableSource,
} from "../../../src/model/features.ts";
import { GEOJSON_CRS, tableFromGeoJson } from "../../../src/model/geojson.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { generator, mutate } from "../geojson/mutate.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-csv-"));
afterAll(() => rmSync(folder, { recursive: true }));

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

async function all(
  text: string | Uint8Array,
  options: CsvOptions = {},
): Promise<{ source: FeatureSource; table: FeatureTable }> {
  const source = await openCsv(memoryBytes(bytesOf(text), "test.csv"), options);
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  return { source, table: concatTables(batches, source.schema) };
}

const types = ({ schema }: FeatureSource): string =>
  schema.fields.map(({ name, type }) => `${name} ${type}`).join(", ");
const rows = (table: FeatureTable) => Array.from({ length: table.count }, (_, i) => rowAt(table, i));

describe("openCsv", () => {
  test("quotes hold delimiters, line ends and doubled quotes; other quotes are letters", async () => {
    const { table, source } = await all(
      'a,b\r\n"x, ""y""",1\r\n"two\nlines",2\r\nin"side,3\r\n"tail"ed,\r\n',
    );
    expect(rows(table)).toEqual([
      { a: 'x, "y"', b: 1 },
      { a: "two\nlines", b: 2 },
      { a: 'in"side', b: 3 },
      { a: "tailed", b: null },
    ]);
    expect(table.geometry).toBe(null);
    expect(source.schema.geometryTypes).toEqual([0]);
  });

  test("types are detected, codes stay text", async () => {
    const { source, table } = await all(
      "i,n,f,code,plus,huge,b,d,t,w,h,e,inf,m,q\n" +
        '1,3000000000,.5,007,+49,99999999999999999999,TRUE,2024-02-29,2024-02-29T10:00Z,2024-02-29 10:00:00,10:30:00,,inf,1,"1"\n' +
        '-2,1, 1e3 ,12,50,1,false,2024/03/01,2024-02-29T10:00:00+05:30,2024-02-29,00:00:01,,nan,a,"2"\n',
    );
    expect(types(source)).toBe(
      "i int32, n int64, f float64, code string, plus string, huge string, b boolean, d date, t datetime, w datetime, h time, e string, inf float64, m string, q int32",
    );
    expect(rowAt(table, 1)).toMatchObject({
      f: 1000,
      code: "12",
      b: false,
      d: new Date("2024-03-01"),
      inf: Number.NaN,
    });
    expect(rowAt(table, 1)).toMatchObject({ t: new Date("2024-02-29T04:30:00Z"), h: 1000, e: null });
    expect((await all("a\n1\n", { detectTypes: false })).table.columns[0]!.type).toBe("string");
  });

  test("an empty field is null, an empty field in quotes is empty text", async () => {
    const { table } = await all('s,n\n"",\nx,""\n,5\n');
    expect(rows(table)).toEqual([
      { s: "", n: null },
      { s: "x", n: null },
      { s: null, n: 5 },
    ]);
  });

  test.each([
    ["a;b\n1,5;2\n3;4\n", "a string, b int32"],
    ["a\tb\n1\t2\n", "a int32, b int32"],
    ["a|b,c\n1|2\n", "a int32, b,c int32"],
    ["a,b\n1;2,3\n", "a string, b int32"],
    ["only\n1\n2\n", "only int32"],
    ['"a;b",c\n"1;2",3\n', "a;b string, c int32"],
  ])("the delimiter of %j is found", async (text, expected) => {
    expect(types((await all(text)).source)).toBe(expected);
  });

  test("a first line with a bare number is data, unless told otherwise", async () => {
    expect(rows((await all("1,x\n2,y\n")).table)).toEqual([
      { field_1: 1, field_2: "x" },
      { field_1: 2, field_2: "y" },
    ]);
    expect(rows((await all("id,2001\n1,5\n", { header: true })).table)).toEqual([{ id: 1, "2001": 5 }]);
    expect(rows((await all("a,b\n", { header: false })).table)).toEqual([{ field_1: "a", field_2: "b" }]);
  });

  test("missing and repeated names are made up, long and short lines counted", async () => {
    const { source, table } = await all("a,,a\n1,2,3,4\n5\n");
    expect(rows(table)).toEqual([
      { a: 1, field_2: 2, a_2: 3 },
      { a: 5, field_2: null, a_2: null },
    ]);
    expect(source.warnings).toHaveLength(2);
    expect(source.warnings[0]).toContain("line 2");
  });

  test.each([
    ["LON,lat\n85.5,24.25\n,\n", "EPSG:4326"],
    ["Longitude;Latitude\n85.5;24.25\n;\n", "EPSG:4326"],
    ["y,x\n24.25,85.5\n,\n", undefined],
  ])("columns of coordinates in %j give points", async (text, code) => {
    const { source, table } = await all(text);
    expect([source.schema.crs?.code, source.schema.geometryTypes]).toEqual([code, [1]]);
    expect(table.geometry!.types).toEqual(Uint8Array.of(1, 0));
    expect(table.geometry!.xy).toEqual(Float64Array.of(85.5, 24.25));
    expect(table.columns).toHaveLength(2);
  });

  test("columns of coordinates that hold text make a plain table, with a warning", async () => {
    const { source, table } = await all("lon,lat\n85°E,24\n");
    expect(table.geometry).toBe(null);
    expect(source.warnings[0]).toContain("more than numbers");
  });

  test("well-known text is the geometry and no attribute, its SRID the CRS", async () => {
    const { source, table } = await all(
      'id,the_geom\n1,"SRID=32645;POLYGON Z((0 0 1,1 0 1,1 1 1,0 0 1))"\n2,\n3,POINT EMPTY\n',
    );
    expect([types(source), source.schema.crs?.code, source.schema.geometryTypes, source.schema.hasZ]).toEqual(
      ["id int32", "EPSG:32645", [1, 3], true],
    );
    expect([0, 1, 2].map((row) => toWkt(table.geometry!, row))).toEqual([
      "POLYGON Z ((0 0 1,1 0 1,1 1 1,0 0 1))",
      "",
      "POINT EMPTY",
    ]);
  });

  test("a column called geometry that holds something else is an attribute", async () => {
    const { source } = await all("geometry,x,y\nround,1,2\n");
    expect(types(source)).toBe("geometry string, x int32, y int32");
    expect(source.schema.geometryTypes).toEqual([1]);
  });

  test("columns and CRS can be named, wrong names are refused", async () => {
    const { source, table } = await all("e,n\n500000,10\n", {
      geometry: { x: "E", y: "n" },
      crs: "EPSG:32645",
    });
    expect([source.schema.crs?.code, table.geometry!.xy]).toEqual([
      "EPSG:32645",
      Float64Array.of(500000, 10),
    ]);
    expect((await all("lon,lat\n1,2\n", { geometry: "none" })).table.geometry).toBe(null);
    await expect(all("a,b\n1,2\n", { geometry: { wkt: "c" } })).rejects.toSatisfy((e) =>
      isGeoError(e, "INVALID_INPUT"),
    );
  });

  test("a .csvt declares types and widens what the values say", async () => {
    const csvt = '"Integer","Real(10.3)","String","Date","Integer64"';
    const { source } = await all("a,b,c,d,e\n1,2,3,,x\n", { csvt });
    expect(types(source)).toBe("a int32, b float64, c string, d date, e string");
    expect(source.warnings[0]).toContain("declared Integer64");
  });

  test("a .csvt makes booleans of numbers, as GDAL writes them", async () => {
    const { source, table } = await all("a,b\n1,0\n0,1\n,true\n", {
      csvt: "Integer(Boolean),Integer(Boolean)",
    });
    expect(types(source)).toBe("a boolean, b string");
    expect(rows(table).map(({ a }) => a)).toEqual([true, false, null]);
  });

  test("a .prj says the system of geometry that does not say it; one that is not understood is left out", async () => {
    const text = "wkt\nPOINT (1 2)\n";
    const named = async (csv: string, prj: string) => (await all(csv, { prj })).source;
    expect((await named(text, "EPSG:32643")).schema.crs?.code).toBe("EPSG:32643");
    expect((await named("wkt\nSRID=3857;POINT (1 2)\n", "EPSG:32643")).schema.crs?.code).toBe("EPSG:3857");
    expect((await named("a,b\n1,2\n", "EPSG:32643")).schema.crs).toBeNull();
    const wrong = await named("lon,lat\n1,2\n", "GIBBERISH[1]");
    expect([wrong.schema.crs?.code, wrong.warnings.length]).toEqual(["EPSG:4326", 1]);
  });

  test("columns behind the last delimiter, without name and values, are none", async () => {
    const { source, table } = await all("a,,b,,\n1,,2,,\n3,,4,,\n");
    expect(rows(table)).toEqual([
      { a: 1, field_2: null, b: 2 },
      { a: 3, field_2: null, b: 4 },
    ]);
    expect(source.warnings).toEqual([]);
    expect(types((await all("a,\n1,\n3,4\n")).source)).toBe("a int32, field_2 int32");
  });

  test("times of the first century keep their hours", async () => {
    const { table } = await all("t\n0001-12-21 02:51:00-01\n0099-02-28 12:00:00Z\n");
    expect(rows(table).map(({ t }) => (t as Date).toISOString())).toEqual([
      "0001-12-21T03:51:00.000Z",
      "0099-02-28T12:00:00.000Z",
    ]);
  });

  test("encodings: UTF-8 with and without mark, UTF-16, Windows-1252 with a warning", async () => {
    const text = "né,x\nÜber €,1\n";
    const utf16 = new Uint8Array(Buffer.from(`\ufeff${text}`, "utf16le"));
    const bigEndian = new Uint8Array(Buffer.from(utf16).swap16());
    for (const bytes of [bytesOf(text), bytesOf(`\ufeff${text}`), utf16, bigEndian]) {
      const { source, table } = await all(bytes);
      expect([rows(table), source.warnings]).toEqual([[{ né: "Über €", x: 1 }], []]);
    }
    const windows = new Uint8Array(Buffer.from(text.replace("€", "\x80"), "latin1"));
    const { source, table } = await all(windows);
    expect(rows(table)).toEqual([{ né: "Über €", x: 1 }]);
    expect(source.warnings[0]).toContain("Windows-1252");
  });

  test("mistakes are refused with their line", async () => {
    await expect(all('a,b\n1,2\n"x\ny,"3\n"z')).rejects.toThrow(/line \d opens a quote that is never closed/);
    await expect(all("wkt\nPOINT (1 2)\nPOINT (1)\n")).rejects.toThrow(/line 3: found bad geometry/);
    await expect(all("")).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
    await expect(all("\n\n")).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
    await expect(all("a,b\0\n")).rejects.toThrow(/binary/);
    const sparse = `a${",b".repeat(9000)}\n${"1\n".repeat(9000)}`;
    await expect(all(sparse)).rejects.toSatisfy((e) => isGeoError(e, "LIMIT"));
    await expect(all(",".repeat(20_001))).rejects.toSatisfy((e) => isGeoError(e, "LIMIT"));
  });

  test("a header alone is a layer of no rows", async () => {
    const { source, table } = await all("lon,lat,name\n");
    expect([source.schema.count, source.schema.geometryTypes, table.count]).toEqual([0, [1], 0]);
  });

  test("the scan does not depend on where its blocks end", async () => {
    const text = bytesOf(
      '\ufeffid,né,wkt\r\n1,"a\r\n""b""","POINT (1 2)"\r\n\r\n2,é€😀,\n3,"x"y,"LINESTRING (0 0,1 1)"\r4,,POINT EMPTY',
    );
    const whole = await scanCsv(memoryBytes(text), {});
    expect(whole).toMatchObject({
      count: 4,
      names: ["id", "né", "wkt"],
      types: (1 << 1) | (1 << 2),
      latin: false,
    });
    // The delimiter is found in the first block, so that is given here.
    for (let blockBytes = 24; blockBytes < 60; blockBytes++) {
      const scan = await scanCsv(memoryBytes(text), { blockBytes, keepBytes: 0, delimiter: "," });
      expect({ ...scan, whole: null }).toEqual({ ...whole, whole: null });
    }
  });

  test("a file larger than what is kept is read in pieces", async () => {
    const lines = ["id,text"];
    for (let i = 0; i < 400_000; i++) lines.push(`${i},"some text\n${i}"`);
    const source = await openCsv(memoryBytes(bytesOf(lines.join("\n"))));
    let row = 0;
    for await (const batch of source.batches({ fields: ["text"] })) {
      const last = batch.count - 1;
      expect(batch.firstRow).toBe(row);
      expect(rowAt(batch, last)).toEqual({ text: `some text\n${row + last}` });
      row += batch.count;
    }
    expect(row).toBe(400_000);
  });

  test("damaged files give a table or a GeoError", async () => {
    const seeds = [
      'id,name,wkt\n1,"a ""b""","POLYGON ((0 0,1 0,1 1,0 0))"\n2,2024-01-01,"POINT (1 2)"\n',
      "lon;lat;v\n1.5;2;true\n-3;4e1;false\n",
    ].map(bytesOf);
    const words = ['"', '""', ",", ";", "\n", "\r", "\t", "\0", "é", "-", "1e999", "POINT(", "inf"];
    const random = generator(3);
    for (let round = 0; round < 2000; round++) {
      const bytes = mutate(seeds[round % 2]!, random, words);
      try {
        await all(bytes);
      } catch (error) {
        expect(isGeoError(error), `${Buffer.from(bytes).toString()}\n${String(error)}`).toBe(true);
      }
    }
  });
});

describe("createCsv", () => {
  async function write(
    table: FeatureTable,
    options: CsvWriteOptions = {},
  ): Promise<{ text: string; summary: WriteSummary }> {
    const path = join(folder, "out.csv");
    const source = tableSource(table);
    const summary = await pipeFeatures(source, await createCsv(path, source.schema, options));
    return { text: readFileSync(path, "utf8"), summary };
  }
  const point = (x: number, y: number) => ({ type: "Point" as const, coordinates: [x, y] });

  test("points get columns of coordinates, nulls are empty, text is quoted when it must be", async () => {
    const table = tableFromGeoJson([
      { type: "Feature", geometry: point(85.5, 24), properties: { s: 'a,"b"\n', n: 1, f: 2.5, j: null } },
      { type: "Feature", geometry: null, properties: { s: "", n: null, f: 3, j: { k: [1] } } },
    ]);
    const { text, summary } = await write(table);
    expect(text).toBe('s,n,f,j,lon,lat\n"a,""b""\n",1,2.5,,85.5,24\n"",,3.0,"{""k"":[1]}",,\n');
    expect(summary).toEqual({ count: 2, warnings: [] });
    expect((await write(table, { geometry: "wkt", delimiter: ";" })).text).toContain('"POINT (85.5 24)"');
    expect((await write(table, { geometry: "none" })).text.split("\n", 1)[0]).toBe("s,n,f,j");
    expect((await write({ ...table, crs: crsFromEpsg(32645) })).text.split("\n", 1)[0]).toBe("s,n,f,j,x,y");
  });

  test("columns of coordinates that are there are written from the geometry", async () => {
    const { table } = await all("id,LON,LAT\n1,10,20\n2,,\n");
    const { text } = await write({ ...table, crs: GEOJSON_CRS });
    expect(text).toBe("id,LON,LAT\n1,10,20\n2,,\n");
  });

  test("other geometry is well-known text", async () => {
    const line = {
      type: "LineString" as const,
      coordinates: [
        [0, 0, 1],
        [1, 1, 2],
      ],
    };
    const { text } = await write(
      tableFromGeoJson([{ type: "Feature", geometry: line, properties: { wkt: 1 } }]),
    );
    expect(text).toBe('wkt,wkt_2\n1,"LINESTRING Z (0 0 1,1 1 2)"\n');
  });

  test("what is written is read back", async () => {
    const cell = fc.oneof(fc.string({ unit: "grapheme" }), fc.constant(null));
    const record = fc.record({
      s: cell,
      n: fc.oneof(fc.integer(), fc.constant(null)),
      f: fc.double({ noDefaultInfinity: true, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(",", ";", "\t", "|"),
        async (records, delimiter) => {
          const table = tableFromGeoJson(
            records.map((properties) => ({ type: "Feature", geometry: point(1, 2), properties })),
          );
          const { text } = await write(table, { delimiter });
          const back = await all(text, { delimiter, header: true });
          const column = back.table.columns[0]!;
          // A column of text that looks like something else is read as that; text itself comes back letter by letter.
          for (const [row, { s, n, f }] of records.entries()) {
            const read = rowAt(back.table, row);
            if (column.type === "string") expect(read["s"]).toBe(s);
            expect(read["n"]).toBe(n);
            expect(read["f"]).toBe(f);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a shape that does not fit two columns is refused", async () => {
    const line = {
      type: "LineString" as const,
      coordinates: [
        [0, 0],
        [1, 1],
      ],
    };
    const table = tableFromGeoJson([{ type: "Feature", geometry: line, properties: {} }]);
    await expect(write(table, { geometry: "xy" })).rejects.toSatisfy((e) =>
      isGeoError(e, "INVALID_GEOMETRY"),
    );
    await expect(write(table, { delimiter: "::" })).rejects.toSatisfy((e) => isGeoError(e, "INVALID_INPUT"));
  });
});

describeShared("CSV files of others", () => {
  // What GDAL 3.6 counts; the two it cannot open hold one record each.
  const counts: Record<string, number> = {
    "csv_with_utf8_bom.csv": 2,
    "double_quotes_in_middle_of_field_bis.csv": 2,
    "inf_nan.csv": 4,
    "more_than_100_geom_fields.csv": 1,
    "oddname.csv": 2,
    "single_column.csv": 1,
    "test_eurostat.tsv": 1,
    "testcsvt.csv": 2,
    "testnumheader1.csv": 1,
    "testnumheader2.csv": 2,
    "testquoteheader1.csv": 1,
    "testquoteheader2.csv": 2,
    "testtypeautodetect.csv": 9,
    "testtypeautodetectboolean.csv": 2,
    "testtypeautodetectinteger64.csv": 2,
  };
  test.each(readdirSync(shared("data/nasty/vector/csv")))(
    "%s has the records that GDAL counts",
    async (file) => {
      const { source, table } = await all(
        new Uint8Array(readFileSync(shared("data/nasty/vector/csv", file))),
      );
      expect([file, table.count, source.schema.count]).toEqual([file, counts[file], counts[file]]);
    },
  );

  test.each([
    ["tisri_facilities.csv", 322],
    ["tisri_habitations.csv", 926],
  ])("%s gives %i points on WGS 84", async (file, count) => {
    const { source, table } = await all(new Uint8Array(readFileSync(shared("data/facilities", file))));
    expect([table.count, source.schema.crs?.code, source.schema.geometryTypes]).toEqual([
      count,
      "EPSG:4326",
      [1],
    ]);
    expect(table.geometry!.xy.every((value) => value > 24 && value < 87)).toBe(true);
  });
});
