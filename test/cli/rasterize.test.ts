import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { openRaster, readFeatures, writeFeatures } from "../../src/io/open.ts";
import { rowAt } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { fromWkt } from "../helpers/vectors.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("rasterize");
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  const feature = (text: string, properties: Record<string, number | string | null>) => ({
    type: "Feature" as const,
    geometry: fromWkt(text) as Geometry,
    properties,
  });
  const table = tableFromGeoJson(
    [
      feature("POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))", { id: 300, kind: "a" }),
      feature("POLYGON ((1 0, 3 0, 3 2, 1 2, 1 0))", { id: 7, kind: "b" }),
      feature("POLYGON ((3 1, 4 1, 4 2, 3 2, 3 1))", { id: null, kind: "b" }),
    ],
    { crs: GEOJSON_CRS },
  );
  await writeFeatures(path("in.geojson"), table);
});

async function samples(name: string): Promise<number[]> {
  const raster = await openRaster(path(name));
  const { bands } = await raster.read(fullWindow(raster.grid));
  await raster.close();
  return Array.from(bands[0]!, Number);
}

it("burns an attribute, and says what it did", async () => {
  const argv = [
    "rasterize",
    path("in.geojson"),
    path("a.tif"),
    "--res",
    "1",
    "--field",
    "id",
    "--nodata",
    "0",
  ];
  const { status, json } = await callJson(argv);
  expect(status).toBe(0);
  expect(json).toMatchObject({
    command: "rasterize",
    warnings: [],
    outputs: [{ path: path("a.tif"), kind: "raster" }],
    summary: {
      kind: "raster",
      width: 4,
      height: 2,
      pixels: 8,
      features: 3,
      withoutValue: 1,
      type: "int16",
      nodata: "0",
      transform: [1, 0, 0, 0, -1, 2],
    },
  });
  expect(await samples("a.tif")).toEqual([300, 7, 7, 0, 300, 7, 7, 0]);
});

it("adds, selects, and takes the grid of another raster", async () => {
  await call(["rasterize", path("in.geojson"), path("b.tif"), "--res", "1,2", "--add", "--init", "10"]);
  expect(await samples("b.tif")).toEqual([11, 12, 11, 11]);
  const out = path("c.tif");
  await call([
    "rasterize",
    path("in.geojson"),
    out,
    "--like",
    path("a.tif"),
    "--where",
    "kind = 'b'",
    "--value",
    "-5",
  ]);
  expect(await samples("c.tif")).toEqual([0, -5, -5, -5, 0, -5, -5, 0]);
});

it("comes back from polygons", async () => {
  const { status, json } = await callJson(["polygonize", path("a.tif"), path("a.gpkg"), "--pixels", "n"]);
  expect(status).toBe(0);
  expect(json.summary).toMatchObject({ kind: "vector", featuresOut: 2, connectivity: 4, pixels: 8 });
  const table = await readFeatures(path("a.gpkg"));
  expect([rowAt(table, 0), rowAt(table, 1)]).toEqual([
    { value: 300, n: 2 },
    { value: 7, n: 4 },
  ]);
});

it.each([
  [["rasterize", "in.geojson", "x.tif"], 2, /needs one grid/, /--like RASTER, or --res/],
  [["rasterize", "in.geojson", "x.tif", "--res", "1", "--like", "a.tif"], 2, /needs one grid/, /--like/],
  [
    ["rasterize", "in.geojson", "x.tif", "--like", "a.tif", "--bounds", "0,0,1,1"],
    2,
    /--bounds cannot/,
    /whole grid/,
  ],
  [
    ["rasterize", "in.geojson", "x.tif", "--res", "1", "--field", "id", "--value", "2"],
    2,
    /cannot both/,
    /one value/,
  ],
  [["rasterize", "in.geojson", "x.tif", "--res", "-1"], 2, /res/, /above 0/],
  [["rasterize", "in.geojson", "x.tif", "--res", "1", "--type", "complex64"], 2, /type/, /uint8/],
  [
    ["rasterize", "in.geojson", "x.tif", "--res", "1", "--field", "kind"],
    2,
    /"kind": it is of type string/,
    /id/,
  ],
  [
    ["rasterize", "in.geojson", "x.tif", "--res", "1", "--field", "id", "--type", "uint8"],
    2,
    /300 does not fit a raster of uint8/,
    /0 to 255/,
  ],
  [["rasterize", "a.tif", "x.tif", "--res", "1"], 3, /a vector layer/, /other kind/],
  [["rasterize", "in.geojson", "x.tif", "--like", "none.tif"], 3, /none\.tif/, /./],
  [["polygonize", "in.geojson", "x.fgb"], 3, /a raster/, /other kind/],
  [["polygonize", "a.tif", "x.fgb", "--band", "2"], 2, /has no band 2/, /from 1 to 1/],
  [["polygonize", "a.tif", "x.fgb", "--connectivity", "6"], 2, /connectivity/, /4 or 8|4, 8/],
  [["polygonize", "a.tif", "x.fgb", "--mask", "b.tif"], 1, /not on the grid/, /grid of the raster/],
  [["polygonize", "a.tif", "x.tif"], 2, /x\.tif/, /./],
] as const)("refuses %j", async (argv, status, message, hint) => {
  const named = argv.map((arg) => (/\.(tif|geojson|fgb)$/.test(arg) ? path(arg) : arg));
  const result = await callJson(named);
  expect(result.json.ok).toBe(false);
  expect([result.status, result.json.error!.message]).toEqual([status, expect.stringMatching(message)]);
  expect(`${result.json.error!.hint ?? ""} ${result.json.error!.message}`).toMatch(hint);
});
