import { join } from "node:path";
import { expect, it } from "vitest";
import { openRaster, readFeatures, writeFeatures } from "../../src/io/open.ts";
import { columnNamed, type FeatureTable, takeRows, valueAt } from "../../src/model/features.ts";
import { geometryToGeoJson, type Position } from "../../src/model/geojson.ts";
import type { Affine } from "../../src/model/grid.ts";
import { callJson, scratchFolder } from "../cli/call.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { measure } from "../helpers/vectors.ts";
import { checksums, describeGdal, gdal, layerFacts, withGdal } from "./gdal.ts";

const folder = scratchFolder("clip");
const at = (name: string): string => join(folder, name);

const STREAMS = ["data", "drainage", "wake_streams.shp"] as const;
const WATERSHEDS = ["data", "watersheds", "wake_watersheds.gpkg"] as const;
const BASINS = ["data", "watersheds", "neiba_derived_basins.gpkg"] as const;
const LAND_COVER = ["data", "landcover", "neiba_lc100_2019.tif"] as const;

async function done(...argv: string[]): Promise<Awaited<ReturnType<typeof callJson>>["json"]> {
  const { json, status } = await callJson(argv);
  expect(json.error).toBeUndefined();
  expect(status).toBe(0);
  return json;
}

describeShared("streams clipped by watersheds", () => {
  const clip = (out: string, ...options: string[]): ReturnType<typeof done> =>
    done("clip", shared(...STREAMS), out, "--by", shared(...WATERSHEDS), ...options);

  it("keeps 6,831 of 8,294 whole, as they were", async () => {
    const { summary } = await clip(at("whole.gpkg"), "--keep", "whole");
    expect(summary).toMatchObject({ featuresIn: 8294, featuresOut: 6831, dropped: 1463, cut: 0 });
    const before = await readFeatures(shared(...STREAMS));
    const after = await readFeatures(at("whole.gpkg"));
    // no line without a twin in the source
    const texts = new Set(Array.from({ length: before.count }, (_, row) => rowText(before, row)));
    for (let row = 0; row < after.count; row++) expect(texts.has(rowText(after, row))).toBe(true);
  });

  it("keeps fewer when only those inside are asked for, and the rest is what was cut", async () => {
    const inside = await clip(at("inside.fgb"), "--keep", "inside");
    const cut = await clip(at("cut.fgb"));
    expect(cut.summary.featuresOut).toBe(6831);
    expect(inside.summary.featuresOut).toBe(cut.summary.untouched);
    expect(cut.summary.cut + cut.summary.untouched).toBe(6831);
  });

  it("gives the same rows in the same order whatever the threads and the memory", async () => {
    const [a] = (await clip(at("one.fgb"), "--workers", "1")).outputs!;
    const [b] = (await clip(at("two.fgb"), "--workers", "3", "--memory", "16MB")).outputs!;
    expect(a!.bytes).toBe(b!.bytes);
    // the layer is named after the file, so the files differ in that name
    const rows = (table: FeatureTable): string[] =>
      Array.from({ length: table.count }, (_, row) => rowText(table, row));
    expect(rows(await readFeatures(at("one.fgb")))).toEqual(rows(await readFeatures(at("two.fgb"))));
  });

  it("asks for the same CRS when told to, and brings the region over otherwise, saying so", async () => {
    await done("convert", shared(...WATERSHEDS), at("degrees.geojson"), "--to", "EPSG:4326");
    const argv = [
      "clip",
      shared(...STREAMS),
      at("mixed.fgb"),
      "--by",
      at("degrees.geojson"),
      "--keep",
      "whole",
    ];
    const refused = await callJson([...argv, "--on-crs-mismatch", "error"]);
    expect(refused.status).toBe(1);
    expect(refused.json.error).toMatchObject({ code: "CRS_MISMATCH" });
    expect(refused.json.error?.hint).toBeTruthy();
    const { summary, warnings } = await done(...argv);
    expect(warnings!.join("\n")).toMatch(/EPSG:4326/);
    // a shift of millimetres moves no line across the border here
    expect(summary.featuresOut).toBe(6831);
  });

  describeGdal(withGdal("next to ogr2ogr -clipsrc"), () => {
    it("has the same total length to 1e-6 m", async () => {
      // ogr2ogr takes half a minute for all: those that cross the border, and one in forty of the others
      await clip(at("inside.gpkg"), "--keep", "inside");
      const cats = (table: FeatureTable): number[] =>
        Array.from({ length: table.count }, (_, row) => Number(valueAt(columnNamed(table, "cat")!, row)));
      const inside = new Set(cats(await readFeatures(at("inside.gpkg"))));
      const all = await readFeatures(shared(...STREAMS));
      const rows = cats(all).flatMap((cat, row) => (!inside.has(cat) || row % 40 === 0 ? [row] : []));
      await writeFeatures(at("some.gpkg"), takeRows(all, rows));
      const some = await done("clip", at("some.gpkg"), at("cut.gpkg"), "--by", shared(...WATERSHEDS));
      expect(some.summary.cut).toBe(34);
      gdal(
        "ogr2ogr",
        "-q",
        "-f",
        "GPKG",
        at("ogr.gpkg"),
        at("some.gpkg"),
        "-clipsrc",
        shared(...WATERSHEDS),
        "-nlt",
        "PROMOTE_TO_MULTI",
      );
      const ours = measure((await readFeatures(at("cut.gpkg"))).geometry!, 1);
      const theirs = measure((await readFeatures(at("ogr.gpkg"))).geometry!, 1);
      expect(ours).toBeGreaterThan(10_000);
      expect(Math.abs(ours - theirs)).toBeLessThan(1e-6);
      expect(layerFacts(at("cut.gpkg")).count).toBe(some.summary.featuresOut);
    });
  });
});

describeShared("land cover clipped by basins", () => {
  it("keeps the whole grid with --no-crop, and all of it is there when inverted as well", async () => {
    const source = shared(...LAND_COVER);
    await done("clip", source, at("in.tif"), "--by", shared(...BASINS), "--no-crop", "--fill", "255");
    await done(
      "clip",
      source,
      at("out.tif"),
      "--by",
      shared(...BASINS),
      "--no-crop",
      "--fill",
      "255",
      "--invert",
    );
    const whole = await samples(source);
    const inside = await samples(at("in.tif"));
    const outside = await samples(at("out.tif"));
    expect(inside.values.length).toBe(whole.values.length);
    let kept = 0;
    for (let i = 0; i < whole.values.length; i++) {
      const [a, b] = [inside.values[i]!, outside.values[i]!];
      expect(a === 255 ? b : a).toBe(whole.values[i]);
      if (a !== 255) kept++;
    }
    expect(kept).toBeGreaterThan(50_000);
  });

  describeGdal(withGdal("next to gdal_rasterize and gdalwarp -cutline"), () => {
    it.each([
      ["classes in degrees", LAND_COVER, BASINS, [], true],
      // Eight centres lie on the border to the last bit. gdalwarp shifts them a little and leaves them out.
      ["classes in metres", ["data", "landcover", "wake_landuse96_28m.tif"], WATERSHEDS, [], false],
      [
        "elevation",
        ["data", "dem", "extremadura_dem25.tif"],
        ["data", "watersheds", "extremadura_watersheds_coarse.shp"],
        [],
        true,
      ],
      ["every pixel that is touched", LAND_COVER, BASINS, ["--pixels", "all-touched"], true],
    ] as const)("is the same pixel for pixel: %s", async (_, raster, region, options, warped) => {
      const [ours, mask, all, theirs] = ["ours.tif", "mask.tif", "all.tif", "theirs.tif"].map(at) as [
        string,
        string,
        string,
        string,
      ];
      const by = shared(...region);
      const { summary } = await done(
        "clip",
        shared(...raster),
        ours,
        "--by",
        by,
        "--fill",
        "222",
        "--overwrite",
        ...options,
      );
      const [col, row, width, height] = summary.window as [number, number, number, number];
      const source = await samples(shared(...raster));
      const [a, , c, , e, f] = source.transform;
      const grid = [
        "-te",
        ...[c + col * a, f + (row + height) * e, c + (col + width) * a, f + row * e].map(String),
      ];
      grid.push("-ts", String(width), String(height));
      gdal(
        "gdal_rasterize",
        "-q",
        "-burn",
        "1",
        "-init",
        "0",
        "-ot",
        "Byte",
        ...(options.length > 0 ? ["-at"] : []),
        ...grid,
        by,
        mask,
      );
      const { values: inside } = await samples(mask);
      const expected = Array.from({ length: width * height }, (_, i) =>
        inside[i] === 1
          ? source.values[(row + Math.floor(i / width)) * source.width + col + (i % width)]
          : 222,
      );
      expect(Array.from((await samples(ours)).values)).toEqual(expected);
      if (!warped) return;
      gdal("gdal_translate", "-q", shared(...raster), all, "-a_nodata", "none");
      const touched = options.length > 0 ? ["-wo", "CUTLINE_ALL_TOUCHED=TRUE"] : [];
      gdal(
        "gdalwarp",
        "-q",
        "-overwrite",
        "-cutline",
        by,
        ...grid,
        "-dstnodata",
        "222",
        ...touched,
        all,
        theirs,
      );
      expect(checksums(ours)).toEqual(checksums(theirs));
    });
  });
});

describeShared("dominant class per basin", () => {
  it("is what counting pixel centres one by one gives", { timeout: 60_000 }, async () => {
    await done(
      "dominant",
      shared(...BASINS),
      shared(...LAND_COVER),
      at("dominant.geojson"),
      "--area-unit",
      "m2",
    );
    const result = await readFeatures(at("dominant.geojson"));
    const { values, width, height, transform } = await samples(shared(...LAND_COVER));
    const basins = await readFeatures(shared(...BASINS));
    expect(result.count).toBe(basins.count);
    const [a, , c, , e, f] = transform;
    const area = Float64Array.from({ length: height }, (_, row) =>
      cellArea(f + row * e, f + (row + 1) * e, a),
    );
    const classes = result.columns
      .map(({ name }) => /^class_(\d+)_m2$/.exec(name)?.[1])
      .filter((one) => one !== undefined);
    for (let zone = 0; zone < basins.count; zone++) {
      const rings = ringsOf(basins, zone);
      const sums = new Map<number, number>();
      let pixels = 0;
      for (let row = 0; row < height; row++) {
        const crossings = crossingsAt(rings, f + (row + 0.5) * e);
        for (let col = 0; col < width; col++) {
          const x = c + (col + 0.5) * a;
          if (crossings.filter((one) => one <= x).length % 2 === 0) continue;
          const value = values[row * width + col]!;
          if (value === 255) continue;
          pixels++;
          sums.set(value, (sums.get(value) ?? 0) + area[row]!);
        }
      }
      const value = (name: string): number => Number(valueAt(columnNamed(result, name)!, zone));
      expect(value("basin_id")).toBe(Number(valueAt(columnNamed(basins, "basin_id")!, zone)));
      expect(value("pixels"), `zone ${zone}`).toBe(pixels);
      for (const name of classes) {
        const expected = sums.get(Number(name)) ?? 0;
        expect(
          Math.abs(value(`class_${name}_m2`) - expected),
          `zone ${zone}, class ${name}`,
        ).toBeLessThanOrEqual(1e-9 * expected);
      }
      const [[most]] = [...sums].sort(([left, first], [right, second]) => second - first || left - right) as [
        [number, number],
      ];
      expect(value("dominant"), `zone ${zone}`).toBe(most);
    }
  });
});

async function samples(
  path: string,
): Promise<{ values: ArrayLike<number>; width: number; height: number; transform: Affine }> {
  const source = await openRaster(path);
  try {
    const { width, height, transform } = source.grid;
    const block = await source.read({ col: 0, row: 0, width, height });
    return { values: block.bands[0] as ArrayLike<number>, width, height, transform };
  } finally {
    await source.close();
  }
}

/** A row with every bit of its line; a line alone counts the same as a collection of one. */
function rowText(table: FeatureTable, row: number): string {
  const values = table.columns.map((column) => String(valueAt(column, row)));
  const geometry = geometryToGeoJson(table.geometry!, row);
  if (geometry?.type === "LineString") return JSON.stringify([values, [geometry.coordinates]]);
  if (geometry?.type === "MultiLineString") return JSON.stringify([values, geometry.coordinates]);
  if (geometry === null) return JSON.stringify([values, null]);
  throw new Error(`row ${row} is a ${geometry.type}`);
}

function ringsOf(table: FeatureTable, row: number): Position[][] {
  const geometry = geometryToGeoJson(table.geometry!, row)!;
  if (geometry.type === "Polygon") return geometry.coordinates as Position[][];
  if (geometry.type === "MultiPolygon") return geometry.coordinates.flat() as Position[][];
  throw new Error(`zone ${row} is a ${geometry.type}`);
}

/** Where the edges of rings cross a horizontal line. */
function crossingsAt(rings: readonly (readonly Position[])[], y: number): number[] {
  const found: number[] = [];
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i++) {
      const [ax, ay] = ring[i] as unknown as [number, number];
      const [bx, by] = ring[i + 1] as unknown as [number, number];
      if (ay <= y !== by <= y) found.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
    }
  }
  return found;
}

/** Area on WGS 84 of a cell between two parallels, square metres: the zone of an ellipsoid in closed form. */
function cellArea(north: number, south: number, degrees: number): number {
  const [A, F] = [6_378_137, 1 / 298.257223563];
  const e = Math.sqrt(F * (2 - F));
  const b = A * (1 - F);
  const q = (latitude: number): number => {
    const s = Math.sin((latitude * Math.PI) / 180);
    return Math.atanh(e * s) / e + s / (1 - e * e * s * s);
  };
  return (((b * b) / 2) * (q(north) - q(south)) * (degrees * Math.PI)) / 180;
}
