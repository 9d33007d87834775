import { describe, expect, it } from "vitest";
import { rasterLayer } from "../../../src/jobs/report/raster-layer.ts";
import { orderColumn, vectorLayer } from "../../../src/jobs/report/vector-layer.ts";
import { makeLines, makePoints, makePolygons } from "../../../src/testing/features.ts";
import { toUtm, UTM_45N, WGS84 } from "../../../src/testing/places.ts";
import { makeRaster, makeScene, rasterOf } from "../../../src/testing/rasters.ts";

const CLASSES = [
  { value: 1, name: "one", color: [255, 0, 0, 255] },
  { value: 2, name: "two", color: [0, 255, 0, 255] },
] as const;

describe("rasterLayer", () => {
  it("copies small class rasters pixel by pixel; nodata and masked pixels are clear", async () => {
    const mask = Uint8Array.of(255, 255, 255, 255, 255, 0);
    const source = makeRaster(
      "uint8",
      [
        [1, 2, 1],
        [0, 2, 2],
      ],
      { nodata: 0, mask },
    );
    const layer = (await rasterLayer(source, {
      id: "a",
      title: "A",
      map: { crs: UTM_45N, bounds: [0, -20, 30, 0] },
      classes: CLASSES,
    }))!;
    expect(layer.bounds).toEqual([0, -20, 30, 0]);
    const { width, height, rgba } = layer.picture;
    expect([width, height]).toEqual([3, 2]);
    const red = [255, 0, 0, 255];
    const green = [0, 255, 0, 255];
    const clear = [0, 0, 0, 0];
    expect([...rgba]).toEqual([red, green, red, clear, green, clear].flat());
    expect(layer.legend).toEqual({
      kind: "classes",
      items: CLASSES.map(({ name, color }) => ({ name, color })),
    });
    expect(layer.smooth).toBe(false);
  });

  it("shrinks large rasters: classes by the nearest pixel, values by the average, each tile read once", async () => {
    const checks = Uint8Array.from({ length: 4096 * 8 }, (_, i) => 1 + (i & 1));
    const source = rasterOf("uint8", 4096, 8, [checks], { tileSize: 256 });
    const map = { crs: UTM_45N, bounds: [0, -80, 40_960, 0] } as const;
    const classes = (await rasterLayer(source, {
      id: "a",
      title: "A",
      map,
      classes: CLASSES,
      maxPixels: 512,
    }))!;
    expect(classes.picture.width).toBe(512);
    for (let i = 0; i < 512; i++)
      expect(classes.picture.rgba[4 * i]! + classes.picture.rgba[4 * i + 1]!).toBe(255);
    const pixels = source.reads.reduce((sum, { width, height }) => sum + width * height, 0);
    expect(pixels).toBe(4096 * 8);
    const values = (await rasterLayer(source, { id: "a", title: "A", map, maxPixels: 512 }))!;
    expect(values.legend).toMatchObject({ kind: "ramp" });
    if (values.legend.kind === "ramp") expect(values.legend.max).toBeLessThan(2);
  });

  it("moves a raster into the system of the map", async () => {
    // A raster in degrees with one marked pixel; the marker must appear where UTM says it is.
    const marked = new Uint8Array(100 * 100).fill(1);
    marked[30 * 100 + 60] = 2;
    const source = rasterOf("uint8", 100, 100, [marked], {
      crs: WGS84,
      transform: [0.001, 0, 86.1, 0, -0.001, 23.6],
    });
    const [x, y] = toUtm(86.1 + 60.5 * 0.001, 23.6 - 30.5 * 0.001);
    const map = { crs: UTM_45N, bounds: [x - 4000, y - 4000, x + 5000, y + 3000] } as const;
    const layer = (await rasterLayer(source, { id: "a", title: "A", map, classes: CLASSES }))!;
    const { picture, bounds } = layer;
    const col = Math.floor(((x - bounds[0]) / (bounds[2] - bounds[0])) * picture.width);
    const row = Math.floor(((bounds[3] - y) / (bounds[3] - bounds[1])) * picture.height);
    const at = 4 * (row * picture.width + col);
    expect([...picture.rgba.subarray(at, at + 4)]).toEqual([0, 255, 0, 255]);
    const greens = picture.rgba.filter((value, i) => i % 4 === 1 && value === 255).length;
    expect(greens).toBeLessThanOrEqual(4);
  });

  it("applies scale and offset to the legend only", async () => {
    const source = makeScene({
      range: [0, 10_000],
      bandCount: 1,
      bands: [{ scale: 1e-4, offset: 1, unit: "x" }],
    });
    const layer = (await rasterLayer(source, {
      id: "a",
      title: "A",
      map: { crs: UTM_45N, bounds: [0, -640, 640, 0] },
    }))!;
    expect(layer.legend).toMatchObject({ kind: "ramp", unit: "x" });
    if (layer.legend.kind === "ramp") {
      expect(layer.legend.min).toBeGreaterThanOrEqual(1);
      expect(layer.legend.max).toBeLessThanOrEqual(2);
    }
  });

  it("is nothing where raster and map do not meet", async () => {
    const map = { crs: UTM_45N, bounds: [1e6, 1e6, 1e6 + 10, 1e6 + 10] } as const;
    expect(await rasterLayer(makeRaster("uint8", [[1]]), { id: "a", title: "A", map })).toBeNull();
  });

  it("draws rasters without a single observation", async () => {
    const source = makeRaster("float32", [[Number.NaN, Number.NaN]]);
    const layer = await rasterLayer(source, {
      id: "a",
      title: "A",
      map: { crs: UTM_45N, bounds: [0, -10, 20, 0] },
    });
    expect(layer!.picture.rgba.every((value) => value === 0)).toBe(true);
  });
});

describe("vectorLayer", () => {
  const map = { crs: UTM_45N, bounds: [0, 0, 1000, 1000] } as const;

  it("colours features by the classes of a column and lists those that occur", () => {
    const table = makePolygons(3, { columns: { uid: ["a", "b", "c"], kind: [2, 1, 7] } });
    const classes = [...CLASSES, { value: 3, name: "three", color: [0, 0, 255, 255] as const }];
    const layer = vectorLayer(table, {
      id: "u",
      title: "U",
      map,
      style: { by: "kind", classes, idColumn: "uid" },
    })!;
    expect([...layer.classes!]).toEqual([1, 0, 3]);
    expect(layer.keys).toEqual(["a", "b", "c"]);
    expect(layer.legend.kind === "symbols" && layer.legend.items.map(({ name }) => name)).toEqual([
      "one",
      "two",
      "other or none",
    ]);
    expect(layer.labels![0]).toBe("uid: a\nkind: two");
  });

  it("draws streams of higher order wider", () => {
    const table = makeLines(3, { columns: { ORDER: [1, 3, 1] } });
    const layer = vectorLayer(table, { id: "s", title: "S", map })!;
    const width = (row: number): number => layer.styles[layer.classes![row]!]!.width;
    expect(width(0)).toBe(width(2));
    expect(width(1)).toBeGreaterThan(width(0));
    expect(orderColumn(makeLines(1, { columns: { ORDER: ["x"] } }))).toBeNull();
  });

  it("moves coordinates into the system of the map and leaves the table as it is", () => {
    const table = makePoints([[86.2, 23.5]], { crs: WGS84 });
    const layer = vectorLayer(table, { id: "p", title: "P", map })!;
    const [x, y] = toUtm(86.2, 23.5);
    expect(Math.abs(layer.geometry.xy[0]! - x) + Math.abs(layer.geometry.xy[1]! - y)).toBeLessThan(1e-3);
    expect([...table.geometry!.xy]).toEqual([86.2, 23.5]);
  });

  it("takes no colour that CSS might misread", () => {
    const style = { color: "red;} body{display:none", fill: "url(http://x)" };
    const layer = vectorLayer(makePolygons(1), { id: "p", title: "P", map, style })!;
    expect(layer.styles[0]!.stroke).toEqual([0, 114, 178, 255]);
  });
});
