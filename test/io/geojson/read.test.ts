import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { type GeoJsonOptions, openGeoJson, openGeoJsonSeq } from "../../../src/io/geojson/read.ts";
import { scanGeoJson } from "../../../src/io/geojson/scan.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { concatTables, type FeatureTable, type Row, rowAt } from "../../../src/model/features.ts";
import { type FeatureCollection, tableFromGeoJson, tableToGeoJson } from "../../../src/model/geojson.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { generator, mutate } from "./mutate.ts";

const encoder = new TextEncoder();

async function readAll(text: string | Uint8Array, options: GeoJsonOptions = {}): Promise<FeatureTable> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const source = await openGeoJson(memoryBytes(bytes, "test.geojson"), options);
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  return concatTables(batches, source.schema);
}

/** Whole numbers beyond 2^53 are int64 in a file; in an object they are doubles, rounded already. */
function doubles(row: Row): Record<string, unknown> {
  const entries = Object.entries(row).map(([k, v]) => [k, typeof v === "bigint" ? Number(v) : v]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

const collection = (features: string): string => `{"type":"FeatureCollection","features":[${features}]}`;
const withGeometry = (geometry: string): string =>
  collection(`{"type":"Feature","properties":{},"geometry":${geometry}}`);
const withProperties = (properties: string): string =>
  collection(`{"type":"Feature","properties":${properties},"geometry":null}`);

describe("openGeoJson", () => {
  test("reads what JSON.parse and the model read, whatever the layout of the text", async () => {
    const position = fc.tuple(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.double({ min: -9, max: 9, noNaN: true }),
    );
    const ring = fc
      .array(position, { minLength: 3, maxLength: 6 })
      .map((positions) => [...positions, positions[0]!].map((p) => [...p]));
    const geometry = fc.oneof(
      position.map((coordinates) => ({ type: "Point" as const, coordinates: coordinates.slice(0, 2) })),
      fc
        .array(position, { minLength: 2, maxLength: 5 })
        .map((coordinates) => ({ type: "LineString" as const, coordinates })),
      fc.array(ring, { maxLength: 2 }).map((coordinates) => ({ type: "Polygon" as const, coordinates })),
      fc.array(fc.array(ring, { minLength: 1, maxLength: 2 }), { maxLength: 2 }).map((coordinates) => ({
        coordinates,
        type: "MultiPolygon" as const,
      })),
      position.map((coordinates) => ({
        type: "GeometryCollection" as const,
        geometries: [
          { type: "MultiPoint" as const, coordinates: [coordinates] },
          { coordinates: [coordinates, coordinates], type: "LineString" as const },
        ],
      })),
      fc.constant(null),
    );
    const properties = fc.dictionary(
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.oneof(
        fc.integer(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string({ unit: "grapheme" }),
        fc.boolean(),
        fc.constant(null),
        fc.jsonValue({ maxDepth: 3 }),
      ),
      { maxKeys: 5 },
    );
    const feature = fc.record({
      type: fc.constant("Feature" as const),
      id: fc.oneof(fc.integer(), fc.string()),
      properties,
      geometry,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(feature, { maxLength: 6 }),
        fc.constantFrom(0, 1, "\t"),
        fc.boolean(),
        async (features, indent, typeLast) => {
          const object = typeLast
            ? { features, type: "FeatureCollection" as const }
            : { type: "FeatureCollection" as const, features };
          const text = JSON.stringify(object, null, indent);
          const parsed = JSON.parse(text) as FeatureCollection;
          const expected = tableFromGeoJson(parsed);
          const table = await readAll(text);
          expect(table.geometry).toEqual(expected.geometry);
          expect(table.ids).toEqual(expected.ids);
          expect(table.columns.map(({ name }) => name)).toEqual(expected.columns.map(({ name }) => name));
          for (let row = 0; row < table.count; row++)
            expect(doubles(rowAt(table, row))).toEqual(rowAt(expected, row));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("members may come in any order, the type last, and escaped", async () => {
    const text = `{"features":[{"geometry":{"coordinates":[[0,0],[1,1]],"type":"LineString"},"properties":{"a":1},"type":"Feature"}],"\\u0074ype":"FeatureCollection"}`;
    expect(tableToGeoJson(await readAll(text)).features).toEqual([
      {
        type: "Feature",
        properties: { a: 1 },
        geometry: {
          type: "LineString",
          coordinates: [
            [0, 0],
            [1, 1],
          ],
        },
      },
    ]);
  });

  test("types of attributes follow how they are written", async () => {
    const table = await readAll(
      collection(
        `{"type":"Feature","geometry":null,"properties":{"i":1,"n":2147483648,"big":9223372036854775807,"huge":1,"f":1.0,"e":1e2,"z":-0,"m":1.50,"t":true}},` +
          `{"type":"Feature","geometry":null,"properties":{"i":-2147483648,"n":1,"big":null,"huge":9223372036854775808,"f":2,"m":"x","t":{"k" : [1, "a b"]},"last":1,"last":2}}`,
      ),
    );
    expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "i int32",
      "n int64",
      "big int64",
      "huge float64",
      "f float64",
      "e float64",
      "z float64",
      "m string",
      "t json",
      "last int32",
    ]);
    expect(rowAt(table, 0)).toMatchObject({ big: 9223372036854775807n, huge: 1, e: 100, m: "1.50", t: true });
    expect(rowAt(table, 1)).toMatchObject({ i: -2147483648, huge: 2 ** 63, t: { k: [1, "a b"] }, last: 2 });
    const json = table.columns[8]!;
    expect(new TextDecoder().decode((json.values as { bytes: Uint8Array }).bytes)).toBe(
      'true{"k":[1,"a b"]}',
    );
  });

  test("lone surrogates become the replacement character, escapes their letters", async () => {
    const table = await readAll(withProperties(`{"a":"\\ud800x","b":"\\ud83d\\ude00\\n\\/","c\\u00e9":"é"}`));
    expect(rowAt(table, 0)).toEqual({ a: "\ufffdx", b: "😀\n/", cé: "é" });
  });

  test("NaN of an attribute is null, Infinity a number, with a warning; inside JSON they are refused", async () => {
    const text = withProperties(`{"a":NaN,"b":Infinity,"c":-Infinity,"d":NaN}`);
    const source = await openGeoJson(memoryBytes(encoder.encode(text)));
    expect(source.warnings[0]).toContain("4 attributes are NaN or Infinity");
    expect(rowAt(await readAll(text), 0)).toEqual({ a: null, b: Infinity, c: -Infinity, d: null });
    await expect(readAll(withProperties(`{"a":[NaN]}`))).rejects.toSatisfy((e) =>
      isGeoError(e, "INVALID_FORMAT"),
    );
  });

  test("ids are kept: texts, numbers, none, and whole numbers that a double cannot hold as text", async () => {
    const one = (id: string): string => `{"type":"Feature"${id},"properties":null,"geometry":null}`;
    const ids = [`,"id":"a"`, `,"id":5`, "", `,"id":null`, `,"id":9007199254740993`].map(one).join(",");
    expect((await readAll(collection(ids))).ids).toEqual(["a", 5, null, null, "9007199254740993"]);
    expect((await readAll(withProperties("{}"))).ids).toBe(null);
  });

  test.each([
    [`"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32645"}}`, "EPSG:32645"],
    [`"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}`, "EPSG:4326"],
    [`"crs":{"type":"name","properties":{"name":"EPSG:3857"}}`, "EPSG:3857"],
    [`"crs":{"type":"EPSG","properties":{"code":27700}}`, "EPSG:27700"],
    [`"crs":null`, undefined],
    [`"bbox":[0,0,1,1]`, "EPSG:4326"],
  ])("%s gives the CRS %s, also behind the features", async (member, code) => {
    for (const text of [
      `{"type":"FeatureCollection",${member},"features":[]}`,
      `{"features":[],${member},"type":"FeatureCollection"}`,
    ]) {
      const source = await openGeoJson(memoryBytes(encoder.encode(text)));
      expect(source.schema.crs?.code).toBe(code);
      expect(source.warnings).toEqual([]);
    }
  });

  test.each([
    `{"type":"name","properties":{"name":"urn:nobody:knows"}}`,
    `{"type":"link","properties":{"href":"x"}}`,
    "5",
  ])("a CRS that is not understood (%s) gives none and a warning", async (member) => {
    const text = `{"type":"FeatureCollection","crs":${member},"features":[]}`;
    const source = await openGeoJson(memoryBytes(encoder.encode(text)));
    expect(source.schema.crs).toBe(null);
    expect(source.warnings).toHaveLength(1);
  });

  test("sequences: newline-delimited, with record separators, of geometries, and of one line", async () => {
    const f = (i: number): string => `{"type":"Feature","properties":{"i":${i}},"geometry":null}`;
    for (const text of [`${f(1)}\n${f(2)}\n`, `\x1e${f(1)}\n\x1e${f(2)}\n`, `\ufeff${f(1)}\r\n\r\n${f(2)}`]) {
      const source = await openGeoJsonSeq(memoryBytes(encoder.encode(text), "x.geojsonl"));
      expect([source.driver, source.schema.count, source.schema.name]).toEqual(["GeoJSONSeq", 2, "x"]);
      expect((await readAll(text)).columns[0]!.values).toEqual(Int32Array.of(1, 2));
    }
    const points = await readAll(
      `{"type":"Point","coordinates":[1,2]}\n{"coordinates":[3,4,5],"type":"Point"}`,
    );
    expect(points.geometry!.xy).toEqual(Float64Array.of(1, 2, 3, 4));
    expect(points.geometry!.z).toEqual(Float64Array.of(Number.NaN, 5));
    expect((await readAll(f(1))).count).toBe(1);
  });

  test("numbers beyond the third of a position are left out, empty coordinates are empty geometries", async () => {
    const table = await readAll(
      collection(
        [
          `{"type":"Point","coordinates":[1, 2 ,3,4,5]}`,
          `{"type":"Point","coordinates":[ ]}`,
          `{"type":"Polygon","coordinates":[]}`,
          `{"type":"GeometryCollection","geometries":[]}`,
        ]
          .map((geometry) => `{"type":"Feature","properties":{},"geometry":${geometry}}`)
          .join(),
      ),
    );
    expect(tableToGeoJson(table).features.map(({ geometry }) => geometry)).toEqual([
      { type: "Point", coordinates: [1, 2, 3] },
      { type: "Point", coordinates: [] },
      { type: "Polygon", coordinates: [] },
      { type: "GeometryCollection", geometries: [] },
    ]);
  });

  test.each([
    ["", "a GeoJSON object"],
    ["[]", "a GeoJSON object"],
    ["5", "a GeoJSON object"],
    ["{}", 'without "type"'],
    [`{"type":"FeatureCollection"}`, 'without "features"'],
    [`{"type":"FeatureCollection","features":{}}`, "an array of features"],
    [`{"type":"Collection","features":[]}`, "FeatureCollection"],
    [`{"features":[]}`, 'no "type"'],
    [`${collection("")} x`, "the end of the file"],
    [collection("").slice(0, -1), "the end of the file"],
    [collection("5"), "a feature"],
    [collection(`{"type":"Feature","properties":{},"geometry":null},`), "a value behind the comma"],
    [collection(`{"type":"Feature","properties":{}}`), 'without "geometry"'],
    [collection(`{"type":"Feature","geometry":null}`), 'without "properties"'],
    [collection(`{"type":"Point","coordinates":[0,0]}`), 'expected type "Feature"'],
    [collection(`{"attributes":{},"geometry":{"x":1,"y":2}}`), "without"],
    [withGeometry("5"), "a geometry or null"],
    [withGeometry(`{"type":"point","coordinates":[0,0]}`), '"point"'],
    [withGeometry(`{"coordinates":[0,0]}`), 'without "type"'],
    [withGeometry(`{"type":"Point"}`), 'a Point without "coordinates"'],
    [withGeometry(`{"type":"GeometryCollection"}`), 'without "geometries"'],
    [withGeometry(`{"type":"Point","coordinates":[0]}`), "a second number"],
    [withGeometry(`{"type":"Point","coordinates":["0",1]}`), "a number"],
    [withGeometry(`{"type":"Point","coordinates":[01,1]}`), "a number"],
    [withGeometry(`{"type":"Point","coordinates":[.5,1]}`), "a number"],
    [withGeometry(`{"type":"Point","coordinates":[1.,1]}`), "a number"],
    [withGeometry(`{"type":"Point","coordinates":[1e400,1]}`), "a double"],
    [withGeometry(`{"type":"Point","coordinates":[[0,1]]}`), "a number"],
    [withGeometry(`{"type":"Point","coordinates":[0,1],"coordinates":[0,1]}`), "a second time"],
    [withGeometry(`{"type":"LineString","coordinates":[[0,1]]}`), "a line of 1 position"],
    [withGeometry(`{"type":"LineString","coordinates":[0,1]}`), "a position"],
    [withGeometry(`{"type":"Polygon","coordinates":[[]]}`), "a ring of 0 positions"],
    [withGeometry(`{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}`), "a ring of 3 positions"],
    [withGeometry(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}`), "starts at 0 0 and ends at 1 1"],
    [withGeometry(`{"type":"Polygon","coordinates":[[[[[0,0]]]]]}`), "four deep"],
    [withProperties(`[]`), `an object of "properties"`],
    [withProperties(`{"a":Nan}`), "a value"],
    [withProperties(`{"a":nul}`), "a value"],
    [withProperties(`{a:1}`), "a member name"],
    [withProperties(`{"a":1,}`), "a member name"],
    [withProperties(`{"a":"\n"}`), "an escape"],
    [withProperties(`{"a":"\\x"}`), "escapes of JSON"],
    [withProperties(`{"a":"\\u12g4"}`), "hexadecimal"],
    [withProperties(`{"a":${"[".repeat(100_000)}`), "levels of nesting"],
    [`{"x":${'{"x":'.repeat(100_000)}`, "levels of nesting"],
    [collection(`{"type":"Feature","id":{},"properties":{},"geometry":null}`), "a text or a number"],
  ])("refuses %s", async (text, why) => {
    const error = await readAll(text).then(
      () => null,
      (e: unknown) => e,
    );
    if (!isGeoError(error, "INVALID_FORMAT")) throw error ?? new Error("was read");
    expect(error.message).toMatch(/^test\.geojson: GeoJSON at byte \d+: found .*/);
    expect(error.message).toContain(why);
    expect(error.details.offset).toBeLessThanOrEqual(text.length);
  });

  test("lenient reads old writers' faults, counts them and says so", async () => {
    const text = collection(
      `{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0,7],[1,0,8],[1,1,9]]]}},` +
        `{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[0,0]]}}`,
    );
    const source = await openGeoJson(memoryBytes(encoder.encode(text)), { lenient: true });
    const batches: FeatureTable[] = [];
    for await (const batch of source.batches()) batches.push(batch);
    expect(tableToGeoJson(batches[0]!).features[0]!.geometry).toEqual({
      type: "Polygon",
      coordinates: [
        [
          [0, 0, 7],
          [1, 0, 8],
          [1, 1, 9],
          [0, 0, 7],
        ],
      ],
    });
    expect(source.warnings).toHaveLength(3);
  });

  test("text that is not UTF-8 is refused at its first wrong byte", async () => {
    const latin1 = new Uint8Array(Buffer.from(withProperties(`{"a":"é"}`), "latin1"));
    await expect(readAll(latin1)).rejects.toThrow(
      `at byte ${latin1.indexOf(0xe9)}: found byte 0xe9, expected UTF-8`,
    );
    await expect(readAll(new Uint8Array(Buffer.from("\ufeff{}", "utf16le")))).rejects.toThrow(/UTF-8/);
  });

  test("TopoJSON is named and refused", async () => {
    const topology = `{"arcs":[],"objects":{},"type":"Topology"}`;
    await expect(readAll(topology)).rejects.toSatisfy((e) => isGeoError(e, "UNSUPPORTED"));
  });

  test("too many attributes are refused", async () => {
    const keys = Array.from({ length: 10_001 }, (_, k) => `"k${k}":1`).join();
    await expect(readAll(withProperties(`{${keys}}`))).rejects.toSatisfy((e) => isGeoError(e, "LIMIT"));
  });

  test("rows that each name a column of their own are refused before they fill the memory", async () => {
    const rows = Array.from(
      { length: 6000 },
      (_, k) => `{"type":"Feature","geometry":null,"properties":{"k${k}":1}}`,
    );
    await expect(readAll(collection(rows.join()))).rejects.toSatisfy((e) => isGeoError(e, "LIMIT"));
  });

  test("fields, bounds and batch size are honoured", async () => {
    const features = Array.from(
      { length: 10 },
      (_, i) =>
        `{"type":"Feature","id":${i},"properties":{"a":${i},"b":"x${i}"},"geometry":{"type":"Point","coordinates":[${i},0]}}`,
    );
    const source = await openGeoJson(memoryBytes(encoder.encode(collection(features.join()))));
    const seen: [number, number, unknown][] = [];
    for await (const batch of source.batches({ batchSize: 4, fields: ["b"], bounds: [3, -1, 5, 1] })) {
      expect(batch.columns.map(({ name }) => name)).toEqual(["b"]);
      seen.push([batch.firstRow, batch.count, batch.ids]);
    }
    expect(seen).toEqual([
      [0, 1, [3]],
      [4, 2, [4, 5]],
      [8, 0, []],
    ]);
  });

  test("a file larger than what is kept is read in pieces, to the same table", async () => {
    const features: string[] = [];
    for (let i = 0; i < 60_000; i++) {
      features.push(
        `{ "type": "Feature", "properties": { "name": "plot é ${i}", "n": ${i} }, "geometry": { "type": "LineString", "coordinates": [ [ ${i / 7}, ${i} ], [ 1, 2 ] ] } }`,
      );
    }
    const text = encoder.encode(`{"type":"FeatureCollection","features":[\n${features.join(",\n")}\n]}\n`);
    expect(text.length).toBeGreaterThan(8.5e6);
    const source = await openGeoJson(memoryBytes(text));
    expect(source.schema.count).toBe(60_000);
    let row = 0;
    for await (const batch of source.batches()) {
      expect(batch.firstRow).toBe(row);
      const last = batch.count - 1;
      expect(rowAt(batch, last)).toEqual({ name: `plot é ${row + last}`, n: row + last });
      expect(batch.geometry!.xy[4 * last]).toBe((row + last) / 7);
      row += batch.count;
    }
    expect(row).toBe(60_000);
  });

  test("the scan does not depend on where its blocks end", async () => {
    const text = encoder.encode(
      `\ufeff{"name":"n\\u00e9","crs":{"type":"name","properties":{"name":"EPSG:3857"}},"features":[{"type":"Feature","id":"ü","properties":{"ключ":"значение😀","n":12345,"x":NaN,"y":-Infinity,"j":[1,{"a":null}]},"geometry":{"type":"Point","coordinates":[1.25e2,2,3]}},\n{"type":"Feature","properties":null,"geometry":null}],"type":"FeatureCollection","x":true} `,
    );
    const whole = await scanGeoJson(memoryBytes(text), { dates: false, lenient: false });
    expect(whole).toMatchObject({
      count: 2,
      name: "né",
      hasZ: true,
      hasIds: true,
      keys: ["ключ", "n", "x", "y", "j"],
      notJson: 2,
    });
    for (let blockBytes = 3; blockBytes < 40; blockBytes++) {
      const scan = await scanGeoJson(memoryBytes(text), {
        dates: false,
        lenient: false,
        blockBytes,
        keepBytes: 0,
      });
      expect({ ...scan, whole: null }).toEqual({ ...whole, whole: null });
    }
  });

  test("damaged files give a table or a GeoError", async () => {
    const seed = encoder.encode(
      `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:4326"}},"features":[` +
        `{"type":"Feature","id":1,"properties":{"a":1,"b":"té\\u00e9","c":[1,{"d":null}],"e":1.5e3},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]]]}},` +
        `{"geometry":{"coordinates":[[0,0,1],[1,1,2]],"type":"LineString"},"properties":{"a":-2,"b":null},"type":"Feature"},` +
        `{"type":"Feature","properties":null,"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}}]}`,
    );
    const words = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "null",
      "-1e999",
      '"type"',
      "9".repeat(30),
      "\\u",
      "\u001e",
      '"features":[',
      "é",
    ];
    const random = generator(11);
    let read = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = mutate(seed, random, words);
      const started = performance.now();
      try {
        await readAll(bytes, { lenient: round % 2 === 0, dates: round % 3 === 0 });
        read++;
      } catch (error) {
        expect(isGeoError(error), `${Buffer.from(bytes).toString()}\n${String(error)}`).toBe(true);
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }
    expect(read).toBeGreaterThan(50);
  });
});

describeShared("GeoJSON vectors", () => {
  const folder = shared("conformance/formats");
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<
    string,
    { valid?: boolean }
  >;
  const files = Object.entries(expected).filter(([file]) => file.startsWith("geojson/"));

  test.each(files)("%s is read or refused as marked", async (file, { valid }) => {
    const reading = readAll(new Uint8Array(readFileSync(join(folder, file))));
    if (valid === true) await reading;
    else await expect(reading).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
  });

  const counts: Record<string, [number, string]> = {
    "feature_with_type_Topology_property.json": [1, "EPSG:27700"],
    "featurecollection_point.json": [1, "EPSG:4326"],
    "geometrycollection.geojson": [1, "EPSG:4326"],
    "grenada.geojson": [1, "EPSG:4326"],
    "ids_0_1_null_1_null.json": [5, "EPSG:4326"],
    "ids_0_1_null_unset.json": [4, "EPSG:4326"],
    "linestring.geojson": [1, "EPSG:4326"],
    "multipoint.geojson": [1, "EPSG:4326"],
    "point.geojson": [1, "EPSG:4326"],
    "pointz.json": [1, "EPSG:4326"],
    "polygon.geojson": [1, "EPSG:4326"],
    "srs_name.geojson": [1, "EPSG:26915"],
  };
  test.each(readdirSync(shared("data/nasty/vector/geojson")))(
    "%s has the features and CRS that GDAL finds",
    async (file) => {
      const table = await readAll(new Uint8Array(readFileSync(shared("data/nasty/vector/geojson", file))));
      expect([table.count, table.crs?.code]).toEqual(counts[file]);
    },
  );

  test("the facilities of Tisri are read like JSON.parse does", async () => {
    const bytes = new Uint8Array(readFileSync(shared("data/facilities/tisri_facilities.geojson")));
    const table = await readAll(bytes);
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as FeatureCollection;
    expect(table.count).toBe(322);
    expect(tableToGeoJson(table).features).toEqual(parsed.features);
  });
});
