import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { zipFiles } from "../../src/io/zip.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("cli");
const at = (name: string): string => join(folder, name);

const POINTS = `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[-71.5,18.5]},"properties":{"name":"a","n":1}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[77.25,23.125]},"properties":{"name":"b","n":2}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[77.5,23.25]},"properties":{"name":"c","n":null}}]}`;
const points = at("points.geojson");
writeFileSync(points, POINTS);

let count = 0;
let out: string;
beforeEach(() => {
  out = at(`out${count++}`);
});

describe("an input that cannot be used", () => {
  // the smallest file that carries the mark of JPEG 2000
  const jp2 = Buffer.concat([
    Buffer.from([0, 0, 0, 12]),
    Buffer.from("jP  \r\n\x87\n", "latin1"),
    Buffer.alloc(64),
  ]);
  const cases: [what: string, name: string, content: Uint8Array | string | null, message: RegExp][] = [
    ["missing", "none.shp", null, /none\.shp does not exist/],
    ["empty", "empty.geojson", "", /empty\.geojson is empty \(0 bytes\)/],
    ["only blanks", "blank.csv", " \n\n ", /blank\.csv/],
    ["JPEG 2000 named .tif", "image.tif", jp2, /image\.tif is a JPEG 2000 image/],
    ["GeoJSON cut off", "cut.geojson", POINTS.slice(0, 150), /cut\.geojson: GeoJSON at byte \d+/],
    [
      "a web page named .geojson",
      "page.geojson",
      "<!DOCTYPE html><html><body>404</body></html>",
      /page\.geojson is an HTML page/,
    ],
    ["text named .fgb", "text.fgb", "hello, world\n", /text\.fgb is not the \.fgb file that its name says/],
    [
      "a GeoTIFF of which only the header came",
      "head.tif",
      Buffer.from([0x49, 0x49, 42, 0, 0xff, 0xff, 0, 0]),
      /head\.tif is damaged/,
    ],
    [
      "a FlatGeobuf of which only the header came",
      "head.fgb",
      Buffer.from("fgb\x03fgb\0\xff\xff\xff\x7f", "latin1"),
      /head\.fgb/,
    ],
    [
      "a database that is no GeoPackage",
      "other.gpkg",
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4080)]),
      /other\.gpkg/,
    ],
    ["a Parquet file of which only the mark came", "head.parquet", "PAR1", /head\.parquet/],
    [
      "the index of a Shapefile",
      "lines.shx",
      Buffer.from([0, 0, 0x27, 0x0a, ...Buffer.alloc(96)]),
      /index of a Shapefile, expected its \.shp/,
    ],
    [
      "a deeply nested document",
      "deep.geojson",
      `{"type":"Feature","properties":{"a":${"[".repeat(200_000)}`,
      /deep\.geojson/,
    ],
  ];

  it.each(cases)("exits with 3 when it is %s", async (_, name, content, message) => {
    if (content !== null) writeFileSync(at(name), content);
    for (const argv of [
      ["info", at(name), "--stats"],
      ["convert", at(name), `${out}.geojson`],
      ["clip", at(name), `${out}.geojson`, "--bbox", "0,0,1,1"],
      ["validate", at(name)],
    ]) {
      const { status, json, err } = await callJson(argv);
      expect(json.ok).toBe(false);
      expect(json.error?.message).toMatch(message);
      expect(json.error?.message).toContain(at(name));
      expect(json.error?.hint, "says what to do").toBeTruthy();
      expect(json.error?.code).not.toBe("INTERNAL");
      expect(status).toBe(3);
      expect(err).toBe("");
    }
    expect(readdirSync(folder).filter((one) => one.includes("out"))).toEqual([]);
  });

  it("exits with 3 when it is a folder", async () => {
    const { status, err } = await call(["info", folder]);
    expect(err).toContain(`${folder} cannot be read: it is a folder, expected a file`);
    expect(status).toBe(3);
  });

  it("refuses GeoJSON named .shp and says what was found", async () => {
    writeFileSync(at("lines.shp"), POINTS);
    const { status, err } = await call(["info", at("lines.shp")]);
    expect(status).toBe(3);
    expect(err).toMatch(/lines\.shp is not the \.shp file that its name says \(first bytes 7b 22 74 79/);
  });

  it("reads a GeoTIFF by its bytes whatever it is called", async () => {
    writeFileSync(at("tiny.dat"), tinyTiff());
    const { status, json } = await callJson(["info", at("tiny.dat")]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({ kind: "raster", width: 2, height: 1 });
  });

  it("refuses an archive with names that leave its folder", async () => {
    writeFileSync(at("inside.geojson"), POINTS);
    await zipFiles(at("good.zip"), [{ name: "xx/inside.geojson", path: at("inside.geojson") }]);
    const bytes = readFileSync(at("good.zip")).toString("latin1").replaceAll("xx/inside", "../inside");
    writeFileSync(at("slip.zip"), Buffer.from(bytes, "latin1"));
    expect((await call(["info", at("good.zip")])).status).toBe(0);
    const { status, err } = await call(["info", at("slip.zip")]);
    expect(status).toBe(3);
    expect(err).toContain(at("slip.zip"));
  });

  it("says what an archive without a layer holds", async () => {
    await zipFiles(at("notes.zip"), [{ name: "notes.pdf", path: points }]);
    const { status, err } = await call(["info", at("notes.zip")]);
    expect(status).toBe(3);
    expect(err).toMatch(/notes\.zip is a zip archive without a layer \(it holds notes\.pdf\)/);
  });

  it("names the layers when the one asked for is not there", async () => {
    await call(["convert", points, `${out}.gpkg`]);
    const { status, err } = await call(["convert", `${out}.gpkg`, `${out}.csv`, "--layer", "rivers"]);
    expect(status).toBe(2);
    expect(err).toMatch(/has no layer "rivers"/);
    expect(err).toContain("out");
  });

  it("names the attributes when the one asked for is not there", async () => {
    for (const option of [
      ["--fields", "name,population"],
      ["--where", "population > 3"],
    ]) {
      const { status, err } = await call(["convert", points, `${out}.csv`, ...option]);
      expect(status).toBe(2);
      expect(err).toMatch(/population/);
      expect(err).toMatch(/name, n/);
    }
  });

  it("explains a condition or a CRS that cannot be read", async () => {
    expect((await call(["convert", points, `${out}.csv`, "--where", "n >"])).status).toBe(2);
    const { status, err } = await call(["convert", points, `${out}.csv`, "--to", "EPSG:99999999"]);
    expect(status).toBe(3);
    expect(err).toMatch(/EPSG:99999999/);
  });
});

describe("a region or zones of the wrong kind", () => {
  const table = at("table.csv");
  writeFileSync(table, "a,b\n1,2\n");
  const raster = at("grid.tif");
  writeFileSync(raster, tinyTiff());

  it.each([
    [["clip", points, "OUT.fgb", "--by", table], /table\.csv has no geometry, expected polygons to clip by/],
    [
      ["clip", points, "OUT.fgb", "--by", points],
      /points\.geojson has no polygon, expected polygons to clip by/,
    ],
    [["clip", raster, "OUT.tif", "--by", table], /table\.csv has no geometry/],
    [["dominant", table, raster, "OUT.csv"], /table\.csv has no geometry, expected polygons as zones/],
    [
      ["dominant", raster, points, "OUT.csv"],
      /points\.geojson has no polygon, expected polygons as class polygons/,
    ],
    [["clip", points, "OUT.fgb", "--by", raster], /grid\.tif is a GeoTIFF raster, expected a vector layer/],
  ])("exits with 3 and names the file: %j", async (argv, message) => {
    const { status, json } = await callJson(argv.map((one) => one.replace("OUT", out)));
    expect(json.error?.message).toMatch(message);
    expect(json.error?.hint).toBeTruthy();
    expect(status).toBe(3);
  });

  it.each([
    [
      ["dominant", points, raster, "OUT.csv", "--min-share", "5"],
      /min-share 5 is not usable, expected a share from 0 to 1/,
    ],
    [["dominant", points, raster, "OUT.csv", "--band", "2"], /grid\.tif has 1 bands, none with number 2/],
    [["dominant", points, raster, "OUT.csv", "--band", "0"], /band 0 is not usable/],
    [
      ["convert", raster, "OUT.tif", "--level", "99"],
      /level is 99, expected a whole number from 1 to 9 for deflate/,
    ],
    [["convert", raster, "OUT.tif", "--blocksize", "100"], /blocksize is 100, expected a multiple of 16/],
    [["convert", raster, "OUT.tif", "--predictor", "3"], /predictor 3 cannot be used with uint8 samples/],
    [["convert", raster, "OUT.tif", "--where", "a > 1"], /--where is for vectors; .*grid\.tif is a raster/],
    [
      ["clip", raster, "OUT.tif", "--bbox", "0,0,2,1", "--fill", "300"],
      /fill 300 does not fit band 1, which holds uint8/,
    ],
    [["validate", raster, "--repair", "OUT.tif"], /--repair is for vectors; .*grid\.tif is a raster/],
  ])("an option that does not fit exits with 2 and says where to read on: %j", async (argv, message) => {
    const { status, json } = await callJson(argv.map((one) => one.replace("OUT", out)));
    expect(json.error?.message).toMatch(message);
    expect(json.error?.hint).toBeTruthy();
    expect(status).toBe(2);
  });
});

describe("an output", () => {
  it("that exists is left as it is without --overwrite, and replaced with it", async () => {
    for (const ending of ["geojson", "geojsonl", "fgb", "gpkg", "parquet", "csv", "shp", "shp.zip"]) {
      const path = `${out}.${ending}`;
      writeFileSync(path, "mine");
      const refused = await callJson(["convert", points, path]);
      expect(refused.status).toBe(1);
      expect(refused.json.error).toMatchObject({
        code: "OUTPUT_EXISTS",
        path,
        message: `${path} is already there`,
      });
      expect(refused.json.error?.hint).toContain("--overwrite");
      expect(readFileSync(path, "utf8")).toBe("mine");
      const { status, json } = await callJson(["convert", points, path, "--overwrite"]);
      expect(status).toBe(0);
      expect(json.outputs?.[0]).toMatchObject({ path, bytes: statSync(path).size });
    }
  });

  it("does not take the files of another layer for parts of a Shapefile, and leaves no stale .prj", async () => {
    writeFileSync(`${out}.dbf`, "a table of mine");
    const refused = await call(["convert", points, `${out}.shp`]);
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(/\.dbf is already there and would become a part of/);
    expect(readFileSync(`${out}.dbf`, "utf8")).toBe("a table of mine");
    for (const ending of ["prj", "qix"]) writeFileSync(`${out}.${ending}`, "of the old one");
    writeFileSync(at("plain.csv"), "lon,lat,v\n1,2,3\n");
    await call(["convert", points, `${out}.shp`, "--overwrite"]);
    expect(readFileSync(`${out}.prj`, "utf8")).toMatch(/^GEOGCS/);
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith(`${out.slice(folder.length + 1)}.`))
        .sort(),
    ).toEqual(
      ["cpg", "dbf", "prj", "shp", "shx"].map((ending) => `${out.slice(folder.length + 1)}.${ending}`),
    );
  });

  it("goes into a folder that is made for it", async () => {
    const { status } = await call(["convert", points, join(out, "a", "b.geojson")]);
    expect(status).toBe(0);
    expect(statSync(join(out, "a", "b.geojson")).size).toBeGreaterThan(0);
  });

  it("behind a file cannot be written, and the message says why", async () => {
    const { status, json } = await callJson(["convert", points, join(points, "b.geojson")]);
    expect(status).toBe(1);
    expect(json.error?.code).toBe("OUTPUT_FAILED");
    expect(json.error?.message).toMatch(/cannot be written: a part of the path is/);
    expect(json.error?.hint).toBeTruthy();
  });

  it("that is a folder cannot be replaced", async () => {
    mkdirSync(`${out}.geojson`);
    expect((await call(["convert", points, `${out}.geojson`])).status).toBe(1);
    const { status, json } = await callJson(["convert", points, `${out}.geojson`, "--overwrite"]);
    expect(status).toBe(1);
    expect(json.error?.code).toBe("OUTPUT_FAILED");
    expect(readdirSync(`${out}.geojson`)).toEqual([]);
  });

  it.each([["xyz"], ["tif"], ["kml"], ["gml"]])(
    "ending in .%s is refused for vectors with the list of endings",
    async (ending) => {
      const { status, json } = await callJson(["convert", points, `${out}.${ending}`]);
      expect(status).toBe(2);
      expect(json.error?.hint).toMatch(
        /\.geojson, \.geojsonl, \.fgb, \.shp, \.shp\.zip, \.parquet, \.gpkg or \.csv/,
      );
    },
  );

  it("of a raster must end in .tif", async () => {
    writeFileSync(at("tiny.tif"), tinyTiff());
    const { status, json } = await callJson(["convert", at("tiny.tif"), `${out}.png`]);
    expect(status).toBe(2);
    expect(json.error?.message).toMatch(/\.png: cannot tell a format to write a raster in/);
    expect(json.error?.hint).toMatch(/\.tif/);
  });

  it("is called by the name that was given, not by that of a temporary file", async () => {
    const mixed = POINTS.replace(
      '"type":"Point","coordinates":[77.25,23.125]',
      '"type":"LineString","coordinates":[[0,0],[1,1]]',
    );
    writeFileSync(at("mixed.geojson"), mixed);
    const { status, json } = await callJson(["convert", at("mixed.geojson"), `${out}.shp`]);
    expect(status).toBe(3);
    expect(json.error?.message).toMatch(
      /^\S+\.shp: feature 1 is a LineString, but the file holds shapes of the type Point$/,
    );
    expect(json.error?.message).toContain(`${out}.shp`);
    expect(json.error?.path).toBe(`${out}.shp`);
  });

  it("is not left behind, whole or half, when the input turns out to be damaged on the way", async () => {
    const broken = POINTS.replace("23.25", "oops");
    writeFileSync(at("broken.geojson"), broken);
    writeFileSync(
      at("broken.geojsonl"),
      broken
        .split("\n")
        .slice(1)
        .join("\n")
        .replaceAll(/,\n|\]\}$/g, "\n"),
    );
    for (const input of ["broken.geojson", "broken.geojsonl"]) {
      for (const ending of ["geojson", "fgb", "gpkg", "parquet", "csv", "shp", "shp.zip"]) {
        const { status } = await call(["convert", at(input), `${out}.${ending}`]);
        expect(status).toBe(3);
      }
    }
    expect(
      readdirSync(folder).filter(
        (name) => name.includes(".part.") || name.startsWith(out.slice(folder.length + 1)),
      ),
    ).toEqual([]);
  });
});

describe("--json", () => {
  it("prints exactly the members of the contract, for success and for failure", async () => {
    const done = await callJson(["convert", points, `${out}.fgb`]);
    expect(Object.keys(done.json)).toEqual(["ok", "command", "outputs", "summary", "warnings", "elapsedMs"]);
    expect(done.json).toMatchObject({
      ok: true,
      command: "convert",
      outputs: [{ path: `${out}.fgb`, kind: "vector", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      summary: { featuresOut: 3 },
      warnings: [],
      elapsedMs: expect.any(Number),
    });
    expect(Object.keys(done.json.outputs?.[0] ?? {})).toEqual(["path", "kind", "bytes", "sha256"]);
    const failed = await callJson(["info", at("none.tif")]);
    expect(failed.json).toEqual({
      ok: false,
      error: {
        code: "NOT_FOUND",
        message: `${at("none.tif")} does not exist`,
        path: at("none.tif"),
        hint: expect.any(String),
      },
    });
  });

  it("tells layers and rasters as the contract says", async () => {
    const { json } = await callJson(["info", points, "--stats"]);
    expect(json.summary).toEqual({
      kind: "vector",
      driver: "GeoJSON",
      layers: [
        {
          name: "points",
          count: 3,
          geometryTypes: ["Point"],
          crs: "EPSG:4326",
          bbox: [-71.5, 18.5, 77.5, 23.25],
          fields: [
            { name: "name", type: "string", nullable: expect.any(Boolean) },
            { name: "n", type: "int32", nullable: true },
          ],
          nulls: 0,
          invalid: 0,
        },
      ],
    });
    writeFileSync(at("tiny.tif"), tinyTiff());
    const raster = (await callJson(["info", at("tiny.tif"), "--stats", "--checksum"])).json.summary;
    expect(raster).toMatchObject({
      kind: "raster",
      driver: "GTiff",
      width: 2,
      height: 1,
      crs: null,
      transform: expect.any(Array),
      bbox: expect.any(Array),
      blockSize: [2, 1],
      compression: "NONE",
      predictor: 1,
      interleave: expect.any(String),
      overviews: [],
      cog: expect.any(Boolean),
      bands: [
        {
          index: 1,
          dtype: "uint8",
          nodata: null,
          mask: expect.any(String),
          description: "",
          scale: 1,
          offset: 0,
          stats: { min: 7, max: 9, mean: 8, stdev: 1, valid: 2 },
          // SHA-256 of the bytes 07 09
          sha256: "13e645db6ab5483ac7a1529f1bf99d8a93a4319956e280262f4d663fc634ec45",
        },
      ],
    });
  });

  it("lists what a check finds, with positions, and exits with 1", async () => {
    const bow = {
      type: "Polygon",
      coordinates: [
        [
          [0, 0],
          [2, 2],
          [2, 0],
          [0, 2],
          [0, 0],
        ],
      ],
    };
    writeFileSync(
      at("bow.geojson"),
      JSON.stringify({ type: "Feature", id: "x7", geometry: bow, properties: {} }),
    );
    const { status, json } = await callJson(["validate", at("bow.geojson")]);
    expect(status).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      command: "validate",
      summary: { features: 1, invalid: 1, problems: [{ level: "error", row: 0, id: "x7", x: 1, y: 1 }] },
      error: { code: "CHECK_FAILED" },
    });
    const text = await call(["validate", at("bow.geojson")]);
    expect(text.status).toBe(1);
    expect(text.out).toMatch(/error: feature x7 at 1, 1: /);
    const repaired = await callJson(["validate", at("bow.geojson"), "--repair", `${out}.geojson`]);
    expect(repaired.json.outputs).toHaveLength(1);
    expect((await call(["validate", `${out}.geojson`])).status).toBe(0);
  });
});

describe("what goes where", () => {
  const utm = at("utm.csv");
  writeFileSync(utm, 'WKT,n\n"POINT (1 2)",1\n');

  it("keeps results alone on standard output; warnings go to standard error unless --quiet", async () => {
    const loud = await call(["convert", utm, `${out}.geojson`]);
    expect(loud.out.split("\n")[0]).toMatch(/^wrote .*\.geojson \(\d+ bytes\)$/);
    expect(loud.err).toMatch(/^warning: the layer has no CRS/);
    const quiet = await call(["convert", utm, `${out}.geojson`, "--quiet", "--overwrite"]);
    expect(quiet.err).toBe("");
    expect(quiet.out).toBe(loud.out);
    const json = await callJson(["convert", utm, `${out}.geojson`, "--overwrite"]);
    expect(json.err).toBe("");
    expect(json.json.warnings).toHaveLength(1);
  });

  it("shows a stack only with --verbose", async () => {
    const plain = await call(["info", at("none.tif")]);
    expect(plain.err).not.toMatch(/\n\s+at /);
    expect(plain.out).toBe("");
    const verbose = await call(["info", at("none.tif"), "--verbose"]);
    expect(verbose.err).toMatch(/\n\s+at /);
    expect((await callJson(["info", at("none.tif"), "-v"])).err).toMatch(/\n\s+at /);
  });

  it("takes option values that begin with a minus", async () => {
    const { status, json } = await callJson(["convert", points, `${out}.geojson`, "--bbox", "-72,18,-71,19"]);
    expect(status).toBe(0);
    expect(json.summary.featuresOut).toBe(1);
    const joined = await callJson(["clip", points, `${out}b.geojson`, "--bbox=-72,18,-71,19"]);
    expect(joined.json.summary.featuresOut).toBe(1);
  });

  it("stops with 130 when interrupted and leaves nothing", async () => {
    const abort = new AbortController();
    abort.abort();
    for (const ending of ["geojson", "gpkg", "shp"]) {
      const { status, err } = await call(["convert", points, `${out}.${ending}`], { signal: abort.signal });
      expect(status).toBe(130);
      expect(err).toBe("error: interrupted\n");
    }
    expect(readdirSync(folder).filter((name) => name.includes(out.slice(folder.length + 1)))).toEqual([]);
  });
});

/** Two pixels, 7 and 9, in one strip. */
function tinyTiff(): Uint8Array {
  const tags: [tag: number, type: number, count: number, value: number][] = [
    [256, 3, 1, 2],
    [257, 3, 1, 1],
    [258, 3, 1, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [273, 4, 1, 8 + 2 + 9 * 12 + 4],
    [277, 3, 1, 1],
    [278, 3, 1, 1],
    [279, 4, 1, 2],
  ];
  const bytes = new Uint8Array(8 + 2 + tags.length * 12 + 4 + 2);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, 8, true);
  view.setUint16(8, tags.length, true);
  for (const [k, [tag, type, size, value]] of tags.entries()) {
    view.setUint16(10 + 12 * k, tag, true);
    view.setUint16(12 + 12 * k, type, true);
    view.setUint32(14 + 12 * k, size, true);
    view.setUint32(18 + 12 * k, value, true);
  }
  bytes.set([7, 9], bytes.length - 2);
  return bytes;
}
