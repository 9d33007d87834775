import { readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readFeatures } from "../../src/io/open.ts";
import { callJson, scratchFolder } from "../cli/call.ts";
import { describeShared, HAS_SHARED, SHARED, shared } from "../helpers/shared.ts";
import { checksums, describeGdal, gdal, layerFacts, sqlNumber, withGdal } from "./gdal.ts";
import { rowsOf } from "./rows.ts";

const folder = scratchFolder("convert");
const at = (name: string): string => join(folder, name);

async function done(...argv: string[]): Promise<Awaited<ReturnType<typeof callJson>>["json"]> {
  const { json, status } = await callJson(argv);
  expect(json.error).toBeUndefined();
  expect(status).toBe(0);
  return json;
}

/** Everything in data/ but the corner cases and what is no document of its own. */
function realFiles(): string[] {
  if (!HAS_SHARED) return [];
  return readdirSync(shared("data"), { recursive: true, encoding: "utf8" })
    .filter((name) => !/^nasty|README\.md$|\.(dbf|shx|prj|cpg|qpj)$/.test(name))
    .map((name) => shared("data", name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

describeShared("info of real files", () => {
  it("describes every one of them: zip, csv, gpkg, shp, geojson, tif", async () => {
    const files = realFiles();
    expect(files.length).toBeGreaterThan(150);
    for (const file of files) {
      const { status, json, err } = await callJson(["info", file]);
      const where = `${relative(SHARED, file)}: ${json.error?.message}`;
      expect(err, where).toBe("");
      if (file.endsWith(".topojson")) {
        expect(status, where).toBe(3);
        expect(json.error?.code).toBe("UNSUPPORTED");
        continue;
      }
      expect(status, where).toBe(0);
      if (/\.tiff?$/i.test(file)) {
        expect(json.summary, where).toMatchObject({ kind: "raster", driver: expect.any(String) });
        expect(json.summary.width * json.summary.height, where).toBeGreaterThan(0);
      } else {
        expect(json.summary, where).toMatchObject({ kind: "vector" });
        for (const { count } of json.summary.layers) expect(count, where).toBeGreaterThan(0);
      }
    }
  });

  describeGdal(withGdal("next to GDAL"), () => {
    it("counts the same features in the same extent, and sees the same pixels", {
      timeout: 120_000,
    }, async () => {
      for (const file of realFiles().filter((path) => /\.(shp|gpkg|geojson)$/.test(path))) {
        const { json } = await callJson(["info", file, "--stats"]);
        const [layer] = json.summary.layers;
        const { count, extent } = layerFacts(file);
        const where = relative(SHARED, file);
        expect(layer.count, where).toBe(count);
        for (const [k, value] of (extent ?? []).entries()) {
          // ogrinfo prints six decimals; the bounds of a GeoPackage it takes from the R-tree, which holds float32
          const tolerance = file.endsWith(".gpkg") ? Math.abs(value) * 2 ** -23 : 1e-6;
          expect(Math.abs(layer.bbox[k] - value), where).toBeLessThanOrEqual(tolerance);
        }
      }
      const rasters = realFiles().filter((path) => /(dem|landcover|drainage)\/.*\.tif$/.test(path));
      for (const file of rasters) {
        const out = at("copy.tif");
        await done("convert", file, out, "--overwrite");
        expect(checksums(out), relative(SHARED, file)).toEqual(checksums(file));
      }
    });
  });
});

/** Names that a Shapefile gives to attributes of more than ten bytes are left to the tests of its writer. */
const LAYERS: readonly [name: string, path: readonly string[], attributes: readonly string[]][] = [
  [
    "streams",
    ["drainage", "wake_streams.shp"],
    ["cat", "FNODE_", "LENGTH", "FTYPE", "FCODE", "NAME", "RCH_CODE", "I_vs_P"],
  ],
  ["cantons", ["admin", "luxembourg_cantons.shp"], ["ID_1", "NAME_1", "ID_2", "NAME_2", "AREA", "POP"]],
  ["watersheds", ["watersheds", "extremadura_watersheds.shp"], ["sagaw", "ID", "NAME"]],
  ["hospitals", ["facilities", "wake_hospitals.gpkg"], []],
];

const CHAIN = ["fgb", "gpkg", "parquet", "geojsonl", "csv", "shp.zip", "geojson", "shp"] as const;

describeShared("a layer through every format", () => {
  it.each(LAYERS)(
    "keeps the rows, attributes and every bit of the coordinates: %s",
    async (name, path, attributes) => {
      const original = shared("data", ...path);
      const before = await rowsOf(original, attributes);
      let from = original;
      for (const ending of CHAIN) {
        const to = at(`${name}.${ending}`);
        const json = await done("convert", from, to);
        expect(json.summary.featuresOut).toBe(before.count);
        const after = await rowsOf(to, attributes);
        expect(after.count, ending).toBe(before.count);
        const k = after.texts.findIndex((text, row) => text !== before.texts[row]);
        expect(after.texts[k], `${basename(from)} to ${basename(to)}`).toBe(before.texts[k]);
        from = to;
      }
    },
  );

  it("says which CRS it has in every format that can", async () => {
    for (const ending of ["fgb", "gpkg", "parquet", "geojson", "shp", "shp.zip"]) {
      const to = at(`crs.${ending}`);
      await done("convert", shared("data", "drainage", "wake_streams.shp"), to, "--where", "FCODE = 46000");
      const { json } = await callJson(["info", to]);
      expect(json.summary.layers[0].crs, ending).toBe("EPSG:3358");
    }
  });

  it("comes back from another CRS to within 1e-8 degrees", async () => {
    const original = shared("data", "watersheds", "giridih_tisri_mws.geojson");
    await done("convert", original, at("utm.gpkg"), "--to", "EPSG:32645");
    const { json } = await callJson(["info", at("utm.gpkg")]);
    expect(json.summary.layers[0]).toMatchObject({ crs: "EPSG:32645", count: 60 });
    await done("convert", at("utm.gpkg"), at("back.geojson"), "--to", "EPSG:4326");
    // the way without a change of CRS: GeoJSON turns rings counter-clockwise
    await done("convert", original, at("still.geojson"));
    const before = (await readFeatures(at("still.geojson"))).geometry!;
    const after = (await readFeatures(at("back.geojson"))).geometry!;
    expect(after.xy.length).toBe(before.xy.length);
    let worst = 0;
    for (let i = 0; i < before.xy.length; i++)
      worst = Math.max(worst, Math.abs(after.xy[i]! - before.xy[i]!));
    expect(worst).toBeLessThan(1e-8);
    expect(worst).toBeGreaterThan(0);
  });

  it("takes attributes, conditions and bounds on the way", async () => {
    const original = shared("data", "drainage", "wake_streams.shp");
    const all = await readFeatures(original);
    const codes = Array.from(
      { length: all.count },
      (_, row) => all.columns.find(({ name }) => name === "FCODE")!.values[row as never],
    );
    const json = await done(
      "convert",
      original,
      at("some.csv"),
      "--fields",
      "FCODE,NAME",
      "--where",
      "FCODE = 46000",
    );
    expect(json.summary.featuresOut).toBe(codes.filter((code) => Number(code) === 46000).length);
    const some = await readFeatures(at("some.csv"));
    expect(some.columns.map(({ name }) => name)).toEqual(["FCODE", "NAME"]);
    const boxed = await done("convert", original, at("boxed.fgb"), "--bbox", "636000,217000,640000,220000");
    expect(boxed.summary.featuresOut).toBeGreaterThan(0);
    expect(boxed.summary.featuresOut).toBeLessThan(all.count);
  });
});

describeShared("GDAL", () => {
  describeGdal(withGdal("reads what was written"), () => {
    const source = shared("data", "drainage", "wake_streams.shp");
    let expected: ReturnType<typeof layerFacts>;
    beforeAll(() => {
      expected = layerFacts(source);
    });

    it.each(["fgb", "gpkg", "geojson", "geojsonl", "shp", "shp.zip", "csv"])(
      ".%s: as many features, in the same place, with the same numbers",
      async (ending) => {
        const to = at(`streams_gdal.${ending}`);
        await done("convert", source, to);
        const path = ending === "shp.zip" ? `/vsizip/${to}/streams_gdal.shp` : to;
        // the names of its columns are all that CSV says
        const options =
          ending === "csv" ? ["-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo", "AUTODETECT_TYPE=YES"] : [];
        const facts = layerFacts(path, ...options);
        expect(facts.count).toBe(expected.count);
        expect(facts.extent).toEqual(expected.extent);
        if (ending === "csv") return;
        const sum = "select sum(cat) from streams_gdal";
        expect(sqlNumber(path, sum)).toBe(sqlNumber(source, "select sum(cat) from wake_streams"));
      },
    );

    it("reads rasters with the same checksums, statistics and places, whatever they are packed with", async () => {
      const raster = shared("data", "landcover", "wake_landuse96_28m.tif");
      const before = checksums(raster);
      for (const options of [
        ["--compress", "deflate", "--predictor", "2", "--blocksize", "256"],
        ["--compress", "lzw"],
        ["--compress", "none", "--overviews", "none"],
        ["--compress", "zstd"],
      ]) {
        if (options[1] === "zstd" && !("zstdCompressSync" in (await import("node:zlib")))) continue;
        const to = at("packed.tif");
        await done("convert", raster, to, "--overwrite", ...options);
        expect(checksums(to), options.join(" ")).toEqual(before);
        const here = JSON.parse(gdal("gdalinfo", "-json", to)) as { geoTransform: number[]; size: number[] };
        const there = JSON.parse(gdal("gdalinfo", "-json", raster)) as {
          geoTransform: number[];
          size: number[];
        };
        expect(here.geoTransform).toEqual(there.geoTransform);
        expect(here.size).toEqual(there.size);
        expect((await callJson(["validate", to])).status, options.join(" ")).toBe(0);
      }
    });
  });
});

describe("the comparison itself", () => {
  it("sees a changed bit, attribute or vertex order, but not where a ring is drawn from the other side", async () => {
    const { rowTexts } = await import("./rows.ts");
    const { tableFromGeoJson } = await import("../../src/model/geojson.ts");
    const square = (x: number, turn: boolean): [number, number][] => {
      const ring: [number, number][] = [
        [0, 0],
        [0, 1],
        [x, 1],
        [x, 0],
        [0, 0],
      ];
      return turn ? ring.reverse() : ring;
    };
    const rows = (x: number, turn: boolean, name: string): string[] =>
      rowTexts(
        tableFromGeoJson([
          {
            type: "Feature",
            geometry: { type: "Polygon", coordinates: [square(x, turn)] },
            properties: { name },
          },
        ]),
        ["name"],
      );
    expect(rows(1, false, "a")).toEqual(rows(1, true, "a"));
    expect(rows(1, false, "a")).not.toEqual(rows(1 + Number.EPSILON, false, "a"));
    expect(rows(1, false, "a")).not.toEqual(rows(1, false, "b"));
  });
});
