import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openRaster, writeRaster } from "../../src/io/open.ts";
import { dateInName } from "../../src/jobs/files/stack-files.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { formatInstant } from "../../src/model/time.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("composite");
const at = (name: string): string => join(folder, name);
const GRID = { width: 40, height: 30, transform: [10, 0, 500_000, 0, -10, 2_000_000] as const, crs: null };

async function write(
  name: string,
  values: readonly number[],
  descriptions: readonly string[] = [],
): Promise<void> {
  const bands = values.map((value) => new Int16Array(1200).map((_, i) => (i === 7 ? -1 : value + (i % 3))));
  const described = values.map((_, k) => ({
    type: "int16" as const,
    nodata: -1,
    description: descriptions[k] ?? "",
  }));
  await writeRaster(at(name), memoryRaster(GRID, described, bands), {});
}

async function pixels(name: string): Promise<{ values: number[]; names: string[]; types: string[] }> {
  const source = await openRaster(at(name));
  const { bands } = await source.read(fullWindow(source.grid));
  await source.close();
  return {
    values: bands.map((band) => Number(band[0])),
    names: source.bands.map(({ description }) => description),
    types: source.bands.map(({ type }) => type),
  };
}

beforeAll(async () => {
  mkdirSync(at("scenes"));
  await write("scenes/ndvi_20200105.tif", [10]);
  await write("scenes/ndvi_20200120.tif", [20]);
  await write("scenes/ndvi_20200320.tif", [60]);
  mkdirSync(at("landsat"));
  for (const [date, red, qa] of [
    ["20200105", 10, 0],
    ["20200121", 30, 16],
  ] as const) {
    await write(`landsat/LC08_${date}_B4.TIF`, [red]);
    await write(`landsat/LC08_${date}_B5.TIF`, [red + 100]);
    await write(`landsat/LC08_${date}_BQA.TIF`, [qa]);
  }
  await write("dated.tif", [1, 5, 9], ["2020-01-01", "2020-01-02", "2020-02-01"]);
  await write("plain.tif", [1, 5, 9]);
});

describe("tilth composite", () => {
  it("makes a band per period from a folder of dated rasters; one without scenes is empty", async () => {
    const { status, json } = await callJson(["composite", at("m.tif"), at("scenes"), "--period", "month"]);
    expect(status).toBe(0);
    expect(json.summary).toMatchObject({
      kind: "raster",
      scenes: 3,
      periods: 3,
      emptyPeriods: 1,
      pixels: 1200,
      method: "median",
    });
    expect(json.summary.list[1]).toEqual({
      name: "2020-02",
      start: "2020-02-01",
      end: "2020-03-01",
      scenes: 0,
    });
    expect(await pixels("m.tif")).toEqual({
      values: [15, Number.NaN, 60],
      names: ["2020-01", "2020-02", "2020-03"],
      types: ["float32", "float32", "float32"],
    });
    const valid = await call(["validate", at("m.tif")]);
    expect(valid.status).toBe(0);
  });

  it("makes a file per period when the name says where the period goes", async () => {
    const { json } = await callJson([
      ...["composite", at("p_{period}.tif"), at("scenes"), "--period", "P30D", "--start", "2020-01-01"],
      ...["--end", "2020-03-01", "--method", "max", "--provenance", "count,date"],
    ]);
    expect(json.outputs!.map(({ path }) => path)).toEqual([at("p_2020-01-01.tif"), at("p_2020-01-31.tif")]);
    expect(await pixels("p_2020-01-01.tif")).toEqual({
      values: [20, 2, 18_281],
      names: ["b1", "n_valid", "date"],
      types: ["int32", "int32", "int32"],
    });
  });

  it("puts files of several bands together, and masks by bits of the quality band", async () => {
    const { json } = await callJson([
      ...["composite", at("l.tif"), at("landsat"), "--bands", "B4,B5", "--quality", "BQA"],
      ...["--qa", "landsat-bqa", "--method", "mean", "--type", "int16"],
    ]);
    expect(json.summary).toMatchObject({ scenes: 2, bands: 2 });
    expect(await pixels("l.tif")).toMatchObject({ values: [10, 110], names: ["B4", "B5"] });
  });

  it("takes the bands of one raster as dates, by their names or a table", async () => {
    await callJson(["composite", at("d.tif"), at("dated.tif"), "--method", "max", "--period", "month"]);
    expect(await pixels("d.tif")).toMatchObject({ values: [5, 9], names: ["2020-01", "2020-02"] });
    writeFileSync(at("dates.csv"), "band,date\n1,2020-01-01\n2,2020-02-01T10:00:08\n3,2020-03-01\n");
    await callJson([
      "composite",
      at("t.tif"),
      at("plain.tif"),
      "--dates",
      at("dates.csv"),
      "--end",
      "2020-02-15",
      "--method",
      "sum",
    ]);
    expect(await pixels("t.tif")).toMatchObject({ values: [6] });
  });

  it("reads manifests and STAC items, and leaves cloudy ones out", async () => {
    writeFileSync(
      at("stack.yaml"),
      [
        "items:",
        "  - { datetime: 2020-01-05T05:00:00Z, cloud_cover: 10, bands: { red: landsat/LC08_20200105_B4.TIF }, quality: landsat/LC08_20200105_BQA.TIF }",
        "  - { datetime: '2020-01-21', cloud_cover: 80, bands: { red: { file: dated.tif, band: 3 } }, quality: landsat/LC08_20200105_BQA.TIF }",
      ].join("\n"),
    );
    const all = await callJson([
      "composite",
      at("y.tif"),
      "--stack",
      at("stack.yaml"),
      "--method",
      "min",
      "--qa",
      "keep:0",
    ]);
    expect(all.json.summary).toMatchObject({ scenes: 2 });
    expect(await pixels("y.tif")).toMatchObject({ values: [9], names: ["red"] });
    const items = ["20200105", "20200121"].map((date, k) => ({
      type: "Feature",
      id: date,
      properties: { datetime: `2020-01-${k === 0 ? "05" : "21"}T00:00:00Z`, "eo:cloud_cover": 90 * k },
      assets: { B4: { href: `./landsat/LC08_${date}_B4.TIF` }, thumbnail: { href: "thumb.png" } },
    }));
    writeFileSync(at("items.json"), JSON.stringify({ type: "FeatureCollection", features: items }));
    const clear = await callJson([
      "composite",
      at("s.tif"),
      "--stack",
      at("items.json"),
      "--method",
      "last",
      "--max-cloud",
      "50",
    ]);
    expect(clear.json.summary).toMatchObject({ scenes: 1 });
    expect(await pixels("s.tif")).toMatchObject({ values: [10] });
  });

  it("gives the same bytes for any number of workers and any memory", async () => {
    for (const method of ["median", "medoid"]) {
      const sums = new Set<string>();
      for (const more of [[], ["--workers", "1"], ["--workers", "3"], ["--memory", "1MB"]]) {
        const { json } = await callJson([
          "composite",
          at("w.tif"),
          at("scenes"),
          "--method",
          method,
          "--overwrite",
          ...more,
        ]);
        sums.add(json.outputs![0]!.sha256);
      }
      expect(sums.size).toBe(1);
    }
  });

  it("says what is wrong: no date, no rasters, both kinds of input, a method or manifest that is none", async () => {
    const nothing = await callJson(["composite", at("e.tif"), at("plain.tif")]);
    expect(nothing.status).toBe(2);
    expect(nothing.json.error).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("has no date"),
    });
    expect(nothing.json.error!.hint).toContain("--date-pattern");
    expect((await call(["composite", at("e.tif")])).status).toBe(2);
    expect((await call(["composite", at("e.tif"), at("scenes"), "--stack", at("stack.yaml")])).status).toBe(
      2,
    );
    const method = await callJson(["composite", at("e.tif"), at("scenes"), "--method", "medain"]);
    expect(method.json.error!.message).toContain("percentile:Q");
    expect((await callJson(["composite", at("e.tif"), at("absent")])).status).toBe(3);
    writeFileSync(at("bad.json"), "{}");
    expect(
      (await callJson(["composite", at("e.tif"), "--stack", at("bad.json")])).json.error!.message,
    ).toContain("has no items");
  });
});

describe("dates in file names", () => {
  it.each([
    ["LC08_L1TP_013032_20180131_20180207_01_T1_B4", "2018-01-31"],
    ["S2A_MSIL2A_20190701T053641_N0212", "2019-07-01T05:36:41Z"],
    ["MOD13Q1_NDVI_2013-09-14", "2013-09-14"],
    ["MOD11B3_LST_Day_A2015032", "2015-02-01"],
    ["HLS.S30.T43QGU.2020366T052159.v2.0", "2020-12-31T05:21:59Z"],
    ["ndvi_2019_07_16", "2019-07-16"],
    ["ndvi_201907", "2019-07-01"],
    ["ppp_2015_1km", "2015-01-01"],
  ])("%s is of %s", (name, expected) => {
    expect(formatInstant(dateInName(name))).toBe(expected);
  });

  it.each(["ndvi_07", "b12345678", "tile_013032", "scene_20191340"])("%s has none", (name) => {
    expect(dateInName(name)).toBeNaN();
  });
});
