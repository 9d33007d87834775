import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openGeoJson } from "../../../src/io/geojson/read.ts";
import { type KmlOptions, openKml } from "../../../src/io/kml/read.ts";
import { openFeatures } from "../../../src/io/open.ts";
import { toWkt } from "../../../src/io/wkt.ts";
import { zipFiles } from "../../../src/io/zip.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { concatTables, type FeatureSource, type FeatureTable, rowAt } from "../../../src/model/features.ts";
import { generator, mutate } from "../geojson/mutate.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-kml-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kml = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">${body}</kml>`;
const placemark = (body: string): string => `<Placemark>${body}</Placemark>`;

async function all(
  text: string | Uint8Array,
  options: KmlOptions = {},
): Promise<{ source: FeatureSource; table: FeatureTable }> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const source = await openKml(memoryBytes(bytes, "test.kml"), options);
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  return { source, table: concatTables(batches, source.schema) };
}

async function wkts(body: string): Promise<string[]> {
  const { table } = await all(kml(`<Document>${body}</Document>`));
  return Array.from({ length: table.count }, (_, row) => toWkt(table.geometry!, row));
}

const SAMPLE = kml(`<Document><name>Sample</name>
  <Schema name="wells" id="wells_id"><SimpleField type="int" name="depth"/><SimpleField type="double" name="yield"/></Schema>
  <Style id="s"><LineStyle><color>ff0000ff</color></LineStyle></Style>
  <Placemark id="p1"><name>One &amp; only</name><description><![CDATA[<b>bold</b>]]></description>
    <TimeStamp><when>2024-02-29T10:00:00Z</when></TimeStamp>
    <ExtendedData><SchemaData schemaUrl="#wells_id"><SimpleData name="depth">12</SimpleData><SimpleData name="yield">1.5</SimpleData></SchemaData>
      <Data name="owner"><displayName>Owner</displayName><value>Ann</value></Data><Data name="name"><value>inner</value></Data></ExtendedData>
    <Point><coordinates> 85.5,24.25,100 </coordinates></Point></Placemark>
  <Folder><name>Roads</name>
    <Placemark><name>R1</name><LineString><coordinates>0,0 1,1
      2,0</coordinates></LineString></Placemark>
    <Folder><Placemark><name>deep</name></Placemark></Folder>
  </Folder>
  <Placemark><name>Two</name><ExtendedData><SchemaData schemaUrl="#wells_id"><SimpleData name="depth"></SimpleData></SchemaData></ExtendedData></Placemark>
</Document>`);

describe("openKml", () => {
  test("reads attributes with their types, times, ids and altitude", async () => {
    const { source, table } = await all(SAMPLE);
    expect(source.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "name string",
      "description string",
      "timestamp datetime",
      "depth int32",
      "yield float64",
      "owner string",
      "name_2 string",
    ]);
    expect([source.schema.name, source.schema.count, source.schema.crs?.code, source.schema.hasZ]).toEqual([
      "Sample",
      2,
      "EPSG:4326",
      true,
    ]);
    expect(rowAt(table, 0)).toEqual({
      name: "One & only",
      description: "<b>bold</b>",
      timestamp: new Date("2024-02-29T10:00:00Z"),
      depth: 12,
      yield: 1.5,
      owner: "Ann",
      name_2: "inner",
    });
    expect(rowAt(table, 1)).toMatchObject({ name: "Two", depth: null, owner: null });
    expect(table.ids).toEqual(["p1", null]);
    expect([0, 1].map((row) => toWkt(table.geometry!, row))).toEqual(["POINT Z (85.5 24.25 100)", ""]);
  });

  test("documents and folders with placemarks are layers", async () => {
    const { source } = await all(SAMPLE);
    expect(source.layers).toEqual(["Sample", "Roads", "test"]);
    expect(source.warnings[0]).toContain("3 layers");
    const roads = await all(SAMPLE, { layer: "Roads" });
    expect([roads.table.count, toWkt(roads.table.geometry!, 0), roads.source.warnings]).toEqual([
      1,
      "LINESTRING (0 0,1 1,2 0)",
      [],
    ]);
    await expect(all(SAMPLE, { layer: "Rivers" })).rejects.toSatisfy((e) => isGeoError(e, "INVALID_INPUT"));
  });

  test.each([
    ["<Point><coordinates>1,2</coordinates></Point>", "POINT (1 2)"],
    ["<Point><coordinates></coordinates></Point>", "POINT EMPTY"],
    ["<LineString><coordinates>1, 2, 3 4, 5, 6</coordinates></LineString>", "LINESTRING Z (1 2 3,4 5 6)"],
    ["<LinearRing><coordinates>0,0 1,0 1,1 0,0</coordinates></LinearRing>", "LINESTRING (0 0,1 0,1 1,0 0)"],
    [
      "<Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 4,0 4,4 0,0</coordinates></LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>1,.5 2,1 2,.5</coordinates></LinearRing></innerBoundaryIs></Polygon>",
      "POLYGON ((0 0,4 0,4 4,0 0),(1 0.5,2 1,2 0.5,1 0.5))",
    ],
    [
      "<MultiGeometry><Point><coordinates>1,2</coordinates></Point><MultiGeometry><Point><coordinates>3,4</coordinates></Point></MultiGeometry></MultiGeometry>",
      "MULTIPOINT ((1 2),(3 4))",
    ],
    [
      "<MultiGeometry><Point><coordinates>1,2</coordinates></Point><LineString><coordinates>0,0 1,1</coordinates></LineString></MultiGeometry>",
      "GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (0 0,1 1))",
    ],
    ["<MultiGeometry></MultiGeometry>", "GEOMETRYCOLLECTION EMPTY"],
    [
      "<gx:Track><when>2024-01-01T00:00:00Z</when><gx:coord>1 2 3</gx:coord><gx:coord>4 5 6</gx:coord></gx:Track>",
      "LINESTRING Z (1 2 3,4 5 6)",
    ],
  ])("%s is read as %s", async (geometry, expected) => {
    expect(await wkts(placemark(geometry))).toEqual([expected]);
  });

  test("placemarks right under the root, and elements of other name spaces", async () => {
    const text = kml(
      '<k:Placemark xmlns:k="x"><k:name>n</k:name><k:ExtendedData><c:number>14</c:number></k:ExtendedData><k:Point><k:coordinates>1,2</k:coordinates></k:Point></k:Placemark>',
    );
    const { source, table } = await all(text);
    expect([source.layers, rowAt(table, 0), toWkt(table.geometry!, 0)]).toEqual([
      ["test"],
      { name: "n", number: "14" },
      "POINT (1 2)",
    ]);
  });

  test("what is not read is counted", async () => {
    const { source } = await all(kml("<Document><NetworkLink/><GroundOverlay/><NetworkLink/></Document>"));
    expect(source.warnings).toHaveLength(2);
    expect(source.warnings[0]).toContain("2 NetworkLink");
    expect(source.schema.count).toBe(0);
  });

  test("encodings other than UTF-8 are read, wrong bytes refused", async () => {
    const body = `<kml><Placemark><name>Zürich</name></Placemark></kml>`;
    const latin = `<?xml version="1.0" encoding="ISO-8859-1"?>${body}`;
    for (const bytes of [
      new Uint8Array(Buffer.from(latin, "latin1")),
      new Uint8Array(Buffer.from(`\ufeff${body}`, "utf16le")),
    ]) {
      expect(rowAt((await all(bytes)).table, 0)).toEqual({ name: "Zürich" });
    }
    await expect(all(new Uint8Array(Buffer.from(body, "latin1")))).rejects.toThrow(/not UTF-8 text/);
    const odd = `<?xml version="1.0" encoding="EBCDIC"?>${body}`;
    await expect(all(odd)).rejects.toSatisfy((e) => isGeoError(e, "UNSUPPORTED"));
  });

  test("what a Schema declares is an attribute in its order, also without a value", async () => {
    const { source, table } = await all(
      kml(`<Document>
        <Schema id="s"><SimpleField type="int" name="a"/><SimpleField type="float" name="b"/><SimpleField type="string" name="c"/></Schema>
        <Schema id="other"><SimpleField type="string" name="a"/></Schema>
        <Placemark><name>one</name><ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="c">\u2028x </SimpleData><SimpleData name="b">1.5</SimpleData></SchemaData></ExtendedData></Placemark>
        <Folder><Placemark><ExtendedData><SchemaData schemaUrl="#other"><SimpleData name="a">text</SimpleData></SchemaData></ExtendedData></Placemark></Folder>
      </Document>`),
    );
    expect(source.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "name string",
      "a int32",
      "b float64",
      "c string",
    ]);
    expect(rowAt(table, 0)).toEqual({ name: "one", a: null, b: 1.5, c: "\u2028x" });
  });

  test("a KMZ whose document only links to others in it has their layers", async () => {
    const document = (body: string): Uint8Array => new TextEncoder().encode(kml(body));
    const link = (href: string): string => `<NetworkLink><Link><href>${href}</href></Link></NetworkLink>`;
    const path = join(folder, "linked.kmz");
    await zipFiles(path, [
      {
        name: "doc.kml",
        data: document(
          `<Document>${link("layers/a.kml")}${link("layers/b.kml")}${link("http://x/c.kml")}</Document>`,
        ),
      },
      {
        name: "layers/a.kml",
        data: document(`<Document><name>a</name>${placemark("<name>1</name>")}</Document>`),
      },
      {
        name: "layers/b.kml",
        data: document(`<Document><name>b</name>${placemark("<name>2</name>").repeat(2)}</Document>`),
      },
      { name: "layers/unlinked.kml", data: document(`<Document>${placemark("<name>3</name>")}</Document>`) },
    ]);
    const first = await all(new Uint8Array(readFileSync(path)));
    expect([first.source.layers, first.table.count]).toEqual([["a", "b"], 1]);
    const second = await all(new Uint8Array(readFileSync(path)), { layer: "b" });
    expect([second.source.schema.name, second.table.count]).toEqual(["b", 2]);
    const opened = await openFeatures(path, { layer: "b" });
    expect([opened.driver, opened.schema.count]).toEqual(["KMZ", 2]);
    await opened.close();
  });

  test("a KMZ is read through its document", async () => {
    const path = join(folder, "a.kmz");
    await zipFiles(path, [
      { name: "other.kml", data: new TextEncoder().encode(kml("")) },
      { name: "doc.kml", data: new TextEncoder().encode(SAMPLE) },
    ]);
    const { source, table } = await all(new Uint8Array(readFileSync(path)));
    expect([source.driver, table.count]).toEqual(["KMZ", 2]);
    await zipFiles(path, [{ name: "readme.txt", data: new Uint8Array(3) }]);
    await expect(all(new Uint8Array(readFileSync(path)))).rejects.toThrow(/no \.kml file/);
  });

  const BOMB = `<!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>`;
  test.each([
    ["", "root element"],
    ["<gpx></gpx>", "expected <kml>"],
    [`${BOMB}<kml><Placemark><name>&b;</name></Placemark></kml>`, "entities"],
    ["<kml><Placemark><name>&undefined;</name></Placemark></kml>", "line 1"],
    ["<kml><Document></kml>", "line 1"],
    ["<kml>", "line 1"],
    [kml(placemark("<Point><coordinates>a,b</coordinates></Point>")), '"a,b"'],
    [kml(placemark("<Point><coordinates>1</coordinates></Point>")), '"1"'],
    [kml(placemark("<Point><coordinates>1e999,2</coordinates></Point>")), "expected"],
    [kml(placemark(placemark(""))), "inside a Placemark"],
    [kml("<Folder>".repeat(1000)), "nested"],
    [
      kml(
        `<Document><Schema id="s"><SimpleField name="n" type="int"/></Schema>${placemark('<ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="n">x</SimpleData></SchemaData></ExtendedData>')}</Document>`,
      ),
      'found "x" in "n"',
    ],
  ])("refuses %s", async (text, why) => {
    await expect(all(text)).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
    await expect(all(text)).rejects.toThrow(why);
  });

  test("many placemarks come in batches of the size asked for", async () => {
    const text = kml(
      `<Document>${placemark("<name>x</name><Point><coordinates>1,2</coordinates></Point>").repeat(5000)}</Document>`,
    );
    const source = await openKml(memoryBytes(new TextEncoder().encode(text)));
    const sizes: [number, number][] = [];
    for await (const { firstRow, count } of source.batches({ batchSize: 2000 }))
      sizes.push([firstRow, count]);
    expect(sizes).toEqual([
      [0, 2000],
      [2000, 2000],
      [4000, 1000],
    ]);
  });

  test("damaged files give a table or a GeoError", async () => {
    const seed = new TextEncoder().encode(SAMPLE);
    const words = [
      "<",
      ">",
      "</",
      "&",
      "&amp;",
      "]]>",
      "<![CDATA[",
      "<Placemark>",
      "</Placemark>",
      "<!--",
      "\0",
      "é",
      "1,2",
      "<Folder>",
      "<MultiGeometry>",
    ];
    const random = generator(5);
    let read = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = mutate(seed, random, words);
      try {
        await all(bytes);
        read++;
      } catch (error) {
        expect(isGeoError(error), `${Buffer.from(bytes).toString()}\n${String(error)}`).toBe(true);
      }
    }
    expect(read).toBeGreaterThan(50);
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

describe.skipIf(!hasGdal())("KML that GDAL wrote [skipped without ogr2ogr on PATH]", () => {
  test("has the geometry and attributes that went in", async () => {
    // GDAL writes the height 0 where a layer has none, so every position has one.
    const shell = [
      [0, 0, 5],
      [4, 0, 5],
      [4, 4, 5],
      [0, 0, 5],
    ];
    const hole = [
      [1, 0.5, 6],
      [2, 1, 6],
      [2, 0.5, 6],
      [1, 0.5, 6],
    ];
    const features = [
      {
        type: "Feature",
        properties: { name: "a", n: 5 },
        geometry: { type: "Polygon", coordinates: [shell, hole] },
      },
      {
        type: "Feature",
        properties: { name: "b", n: 6 },
        geometry: {
          type: "MultiPoint",
          coordinates: [
            [1, 2, 3],
            [3, 4, 5],
          ],
        },
      },
    ];
    const json = JSON.stringify({ type: "FeatureCollection", features });
    writeFileSync(join(folder, "in.geojson"), json);
    execFileSync("ogr2ogr", [join(folder, "out.kml"), join(folder, "in.geojson")]);
    const { table } = await all(new Uint8Array(readFileSync(join(folder, "out.kml"))));
    const source = await openGeoJson(memoryBytes(new TextEncoder().encode(json)));
    for await (const batch of source.batches()) {
      for (const row of [0, 1]) {
        expect(toWkt(table.geometry!, row)).toBe(toWkt(batch.geometry!, row));
        expect(rowAt(table, row)).toMatchObject(rowAt(batch, row));
      }
    }
  });
});
