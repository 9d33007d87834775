import { describe, expect, test } from "vitest";
import { crsFromEpsg } from "../../src/crs/parse.ts";
import { openFeatures, openRaster } from "../../src/io/open.ts";
import { cellArea } from "../../src/kernels/raster/cell-area.ts";
import { type FeatureTable, rowAt } from "../../src/model/features.ts";
import { geometryToGeoJson, tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, type Grid, invertAffine } from "../../src/model/grid.ts";
import type { RasterSource, SampleType } from "../../src/model/raster.ts";
import {
  fillDepressions,
  flowAccumulation,
  flowDirection,
  streamLines,
  streamOrder,
  watersheds,
} from "../../src/operators/hydrology.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { readTable } from "../../src/operators/read-table.ts";
import { makeTerrain } from "../../src/testing/landscape/terrain.ts";
import { describeShared, shared } from "../helpers/shared.ts";

function raster(
  rows: readonly (readonly number[])[],
  {
    type = "int16",
    nodata = null,
    grid = {},
    mask = null,
    url = "dem.tif",
    metadata = {},
  }: {
    type?: SampleType;
    nodata?: number | null;
    grid?: Partial<Grid>;
    mask?: number[] | null;
    url?: string;
    metadata?: Record<string, string>;
  } = {},
): RasterSource {
  const data = type === "float32" ? Float32Array.from(rows.flat()) : Int16Array.from(rows.flat());
  return memoryRaster(
    { width: rows[0]!.length, height: rows.length, transform: [10, 0, 500, 0, -10, 900], crs: null, ...grid },
    [{ type, nodata, metadata }],
    [data],
    { url, mask: mask === null ? null : Uint8Array.from(mask) },
  );
}

async function values(source: RasterSource): Promise<number[]> {
  return Array.from((await source.read(fullWindow(source.grid))).bands[0]!, Number);
}

async function rows(source: RasterSource): Promise<number[][]> {
  const all = await values(source);
  const { width, height } = source.grid;
  return Array.from({ length: height }, (_, row) => all.slice(row * width, (row + 1) * width));
}

function points(...places: readonly (readonly [number, number] | null)[]): FeatureTable {
  return {
    ...tableFromGeoJson(
      places.map((coordinates) => ({
        type: "Feature" as const,
        geometry: coordinates === null ? null : { type: "Point" as const, coordinates: [...coordinates] },
        properties: {},
      })) as never,
    ),
    crs: null,
  };
}

describe("fillDepressions", () => {
  const pit = [
    [9, 9, 9, 9],
    [9, 1, 6, 9],
    [9, 9, 9, -1],
  ];

  test("keeps type and nodata, and counts", async () => {
    const filled = fillDepressions(raster(pit, { nodata: -1 }));
    expect(filled.bands[0]).toMatchObject({ type: "int16", nodata: -1 });
    expect(await rows(filled)).toEqual([
      [9, 9, 9, 9],
      [9, 6, 6, 9],
      [9, 9, 9, -1],
    ]);
    expect(filled.report).toEqual({ raised: 1, lowered: 0, unbreached: 0 });
  });

  test("masked cells are missing heights, and stay masked", async () => {
    const filled = fillDepressions(raster(pit, { mask: [...Array<number>(11).fill(255), 0] }));
    const { bands, mask } = await filled.read({ col: 1, row: 1, width: 3, height: 2 });
    expect(Array.from(bands[0] as Int16Array)).toEqual([6, 6, 9, 9, 9, 0]);
    expect(Array.from(mask!)).toEqual([255, 255, 255, 255, 255, 0]);
  });

  test("with a gradient whole numbers become fractions", async () => {
    const filled = fillDepressions(raster(pit, { nodata: -1 }), { gradient: 0.5 });
    expect(filled.bands[0]!.type).toBe("float32");
    expect((await rows(filled))[1]).toEqual([9, 6.5, 6, 9]);
    expect(() => fillDepressions(raster(pit), { gradient: -1 })).toThrow(
      "gradient is -1, expected 0 or more",
    );
  });

  test("breaches, and fills what needs too long a channel", async () => {
    const dam = [[9, 3, 4, 8, 2, 1].map(() => 9), [9, 3, 4, 8, 2, 1], [9, 9, 9, 9, 9, 9]];
    const breached = fillDepressions(raster(dam), { method: "breach" });
    expect((await rows(breached))[1]).toEqual([9, 3, 3, 3, 2, 1]);
    expect(breached.report).toEqual({ raised: 0, lowered: 2, unbreached: 0 });
    const short = fillDepressions(raster(dam), { method: "breach", maxLength: 1 });
    expect((await rows(short))[1]).toEqual([9, 8, 8, 8, 2, 1]);
    expect(short.report).toEqual({ raised: 2, lowered: 0, unbreached: 1 });
  });

  test("infinite heights are missing ones", async () => {
    const source = raster(
      [
        [5, 5, 5],
        [5, 1, 5],
        [5, 5, Infinity],
      ],
      { type: "float32" },
    );
    expect((await rows(fillDepressions(source)))[2]![2]).toBeNaN();
    expect((await rows(fillDepressions(source)))[1]![1]).toBe(1);
  });
});

describe("flowDirection", () => {
  const slope = [
    [3, 2, 1],
    [3, 9, 1],
    [3, 2, -9],
  ];

  test("writes ESRI's codes or those of GRASS", async () => {
    const source = raster(slope, { nodata: -9 });
    const esri = flowDirection(source);
    expect(esri.bands[0]).toMatchObject({ type: "uint8", nodata: 255 });
    expect(await rows(esri)).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [1, 128, 255],
    ]);
    const grass = flowDirection(source, { codes: "grass" });
    expect(grass.bands[0]).toMatchObject({ type: "int16", nodata: -9999 });
    expect(await rows(grass)).toEqual([
      [8, 8, -8],
      [7, 8, -8],
      [8, 1, -9999],
    ]);
    expect(await values(flowAccumulation(grass))).toEqual(await values(flowAccumulation(esri)));
  });

  test("a south-up raster has the compass codes of the same ground", async () => {
    const ground = [
      [9, 4, 1],
      [8, 5, 2],
      [7, 3, -9],
    ];
    const codes = [
      [1, 1, 1],
      [2, 1, 64],
      [1, 128, 255],
    ];
    expect(await rows(flowDirection(raster(ground, { nodata: -9 })))).toEqual(codes);
    const up = { transform: [10, 0, 500, 0, 10, 870] as const };
    const flipped = flowDirection(raster([...ground].reverse(), { nodata: -9, grid: up }));
    expect((await rows(flipped)).reverse()).toEqual(codes);
    expect((await rows(flowAccumulation(flipped))).reverse()).toEqual(
      await rows(flowAccumulation(flowDirection(raster(ground, { nodata: -9 })))),
    );
  });

  test("kept depressions are 0", async () => {
    const pit = raster([
      [9, 9, 9],
      [9, 1, 9],
      [9, 9, 9],
    ]);
    expect((await rows(flowDirection(pit, { depressions: "keep" })))[1]![1]).toBe(0);
    expect((await rows(flowDirection(pit)))[1]![1]).toBe(1);
  });

  test("distances in degrees are those on the ground", async () => {
    // At 60 degrees north a degree of longitude is half as long: the fall of 3 to the east is steeper than 4 to the south.
    const grid = { transform: [0.1, 0, 10, 0, -0.1, 60.15] as const, crs: crsFromEpsg(4326) };
    const falling = [
      [9, 9, 9],
      [9, 7, 4],
      [9, 3, 9],
    ];
    expect((await rows(flowDirection(raster(falling, { grid }))))[1]![1]).toBe(1);
    expect((await rows(flowDirection(raster(falling))))[1]![1]).toBe(4);
  });
});

describe("flowAccumulation", () => {
  test("areas are those of the projection, or of the ellipsoid", async () => {
    const slope = [[3, 2, 1]];
    expect(await values(flowAccumulation(flowDirection(raster(slope)), { unit: "m2" }))).toEqual([
      100, 200, 300,
    ]);
    expect(await values(flowAccumulation(flowDirection(raster(slope)), { unit: "ha" }))).toEqual([
      0.01, 0.02, 0.03,
    ]);
    const grid = { transform: [0.5, 0, 10, 0, -0.5, 60] as const, crs: crsFromEpsg(4326) };
    const column = raster([[3], [2], [1]], { grid });
    const areas = await values(flowAccumulation(flowDirection(column), { unit: "km2" }));
    expect(areas[2]).toBeCloseTo(cellArea(60, 58.5, 0.5, "ellipsoid") / 1e6, 6);
    expect(areas[0]).toBe(cellArea(60, 59.5, 0.5, "ellipsoid") / 1e6);
  });

  test("incomplete catchments can be negative, missing cells stay missing", async () => {
    const source = raster(
      [
        [9, 9, 9, 9],
        [9, 5, 5, 4],
        [9, 9, 9, -1],
      ],
      { nodata: -1 },
    );
    const plain = flowAccumulation(flowDirection(source));
    expect(plain.bands[0]).toMatchObject({ type: "int32", nodata: 0, unit: "cells" });
    expect((await rows(plain))[2]![3]).toBe(0);
    const marked = await values(flowAccumulation(flowDirection(source), { incomplete: "negative" }));
    expect(marked.every((value) => value <= 0)).toBe(true);
    expect(marked.map(Math.abs)).toEqual(await values(plain));
  });

  test("GRASS codes taken for ESRI's are refused, with what to do", async () => {
    const source = raster([[8, 7, 6]], { url: "flow.tif" });
    await expect(values(flowAccumulation(source))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "flow.tif holds 7 at column 1, row 0, which is no ESRI code",
      hint: 'Directions of GRASS (1 to 8) need codes: "grass".',
    });
    await expect(values(flowAccumulation(raster([[16, 1]]), { codes: "grass" }))).rejects.toMatchObject({
      hint: 'Directions of ESRI (1, 2, 4 to 128) need codes: "esri".',
    });
  });

  test("directions in a circle are refused", async () => {
    await expect(values(flowAccumulation(raster([[1, 16]], { url: "flow.tif" })))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "flow.tif: water runs in a circle upstream of column 0, row 0",
    });
  });

  test("rasters that are too large, rotated or without the band are refused", async () => {
    const slope = raster([[3, 2, 1]]);
    await expect(values(flowDirection(slope, { maxCells: 2 }))).rejects.toMatchObject({
      code: "LIMIT",
      message: "dem.tif: 3 x 1 cells are more than the 2 that are held in memory at once",
    });
    const rotated = raster([[3, 2, 1]], { grid: { transform: [10, 1, 0, 1, -10, 0] } });
    await expect(values(flowDirection(rotated))).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(() => flowDirection(slope, { band: 1 })).toThrow("dem.tif has no band 2");
  });
});

describe("watersheds", () => {
  // A valley to the east; x from 500, y from 900 downward, cells of 10.
  const valley = flowDirection(
    raster([
      [9, 8, 7, 6, 5],
      [5, 4, 3, 2, 1],
      [9, 8, 7, 6, 5],
    ]),
  );

  test("of pour points: the first downstream has the cell", async () => {
    const made = await watersheds(valley, points([515, 885], [545, 885]));
    expect(await rows(made)).toEqual([
      [1, 1, 2, 2, 2],
      [1, 1, 2, 2, 2],
      [1, 1, 2, 2, 2],
    ]);
    expect(made.report).toMatchObject({ count: 2, outside: [], shared: [], warnings: [] });
  });

  test("points move to where most water is, within a distance in metres", async () => {
    const made = await watersheds(valley, points([521, 899]), { snap: 15 });
    expect(Array.from(made.report.pourPoints)).toEqual([525, 885]);
    const near = await watersheds(valley, points([521, 899]), { snap: 5 });
    expect(Array.from(near.report.pourPoints)).toEqual([525, 895]);
  });

  test("points off the ground and points that share a cell are named", async () => {
    const made = await watersheds(valley, points([515, 885], [100, 100], null, [516, 886]));
    expect(made.report).toMatchObject({
      count: 1,
      outside: [1, 2],
      shared: [3],
      warnings: [
        "2 pour points do not lie on the ground of the raster",
        "1 pour points share a cell with an earlier one and have no watershed",
      ],
    });
    expect(Array.from(made.report.pourPoints.subarray(2, 6))).toEqual([NaN, NaN, NaN, NaN]);
  });

  test("whole basins, without points", async () => {
    const made = await watersheds(flowDirection(raster([[1, 2, 3, 2, 1]])), null);
    expect(await rows(made)).toEqual([[1, 1, 2, 2, 2]]);
    expect(made.report.count).toBe(2);
  });

  test("lines are no pour points", async () => {
    const line = tableFromGeoJson([
      {
        type: "Feature",
        geometry: {
          type: "LineString",
          coordinates: [
            [505, 885],
            [515, 885],
          ],
        },
        properties: {},
      },
    ] as never);
    await expect(watersheds(valley, { ...line, crs: null })).rejects.toThrow("pour point 0 is no point");
  });
});

describe("streams", () => {
  const slopes = flowDirection(
    raster([
      [9, 5, 9, 5, 9],
      [9, 4, 9, 4, 9],
      [9, 9, 3, 9, 9],
      [9, 9, 2, 9, 9],
    ]),
  );

  test("orders from a threshold in cells or in area", async () => {
    const order = streamOrder(slopes, { threshold: 2 });
    expect(order.bands[0]).toMatchObject({ type: "uint8", nodata: 0 });
    expect(await rows(order)).toEqual([
      [0, 1, 0, 1, 0],
      [0, 1, 0, 1, 0],
      [0, 0, 2, 0, 0],
      [0, 0, 2, 0, 0],
    ]);
    expect(await values(streamOrder(slopes, { threshold: 200, unit: "m2" }))).toEqual(await values(order));
  });

  test("lines between confluences, in the direction of the water, with length and nodes", async () => {
    const lines = await streamLines(slopes, { threshold: 2 });
    expect(lines.count).toBe(3);
    const step = Math.hypot(10, 10);
    expect(rowAt(lines, 0)).toMatchObject({ id: 1, order: 1, from_node: 1, to_node: 3, to: 3 });
    expect(rowAt(lines, 0)["length_m"]).toBeCloseTo(10 + step, 12);
    expect(rowAt(lines, 2)).toMatchObject({
      id: 3,
      order: 2,
      length_m: 15,
      from_node: 3,
      to_node: 4,
      to: null,
    });
    expect(geometryToGeoJson(lines.geometry!, 2)).toEqual({
      type: "LineString",
      coordinates: [
        [525, 875],
        [525, 865],
        [525, 860],
      ],
    });
    expect(geometryToGeoJson(lines.geometry!, 1)).toMatchObject({
      coordinates: [
        [535, 895],
        [535, 885],
        [525, 875],
      ],
    });
    // What drains through the last cell before the confluence, and through the outlet.
    expect([0, 1, 2].map((row) => rowAt(lines, row)["upstream"])).toEqual([5, 6, 18]);
  });

  test("need a threshold or a raster on the same grid", async () => {
    expect(() => streamOrder(slopes, {})).toThrow("either a threshold or a raster of stream cells");
    await expect(streamLines(slopes, { threshold: 0 })).rejects.toThrow("threshold is 0");
    expect(() => streamOrder(slopes, { streams: raster([[1, 2]], { url: "other.tif" }) })).toThrow(
      "other.tif (2 x 1 from 500, 900) is not on the grid of the directions",
    );
  });
});

test("what is read does not depend on the windows asked for", async () => {
  const terrain = makeTerrain(5, 60, 20);
  const grid: Grid = { width: 60, height: 60, transform: [30, 0, 0, 0, -30, 0], crs: null };
  const dem = memoryRaster(grid, [{ type: "float32" }], [terrain.elevation]);
  const whole = await values(flowAccumulation(flowDirection(dem)));
  const other = flowAccumulation(flowDirection(dem));
  const corner = await other.read({ col: 41, row: 17, width: 13, height: 5 });
  for (let row = 0; row < 5; row++)
    expect(Array.from((corner.bands[0] as Int32Array).subarray(13 * row, 13 * row + 13))).toEqual(
      whole.slice((17 + row) * 60 + 41, (17 + row) * 60 + 54),
    );
});

test("the sample's terrain, made by other code, has the same flow, to the cell", async () => {
  const side = 120;
  const terrain = makeTerrain(2, side, 60);
  const grid: Grid = { width: side, height: side, transform: [30, 0, 0, 0, -30, 0], crs: null };
  const dem = memoryRaster(grid, [{ type: "float32" }], [terrain.elevation]);
  const directions = flowDirection(dem);
  expect(await values(flowAccumulation(directions))).toEqual(Array.from(terrain.area));
  expect(await values(streamOrder(directions, { threshold: 60 }))).toEqual(Array.from(terrain.streamOrder));
  const filled = fillDepressions(dem);
  expect(await values(filled)).toEqual(Array.from(terrain.elevation));
  expect(filled.report.raised).toBe(0);
});

const STEPS: Readonly<Record<string, number>> = {
  "1,-1": 1,
  "0,-1": 2,
  "-1,-1": 3,
  "-1,0": 4,
  "-1,1": 5,
  "0,1": 6,
  "1,1": 7,
  "1,0": 8,
};

describeShared("against GRASS", () => {
  for (const [name, changes, lineCount] of [
    ["neiba", 15, 141],
    ["extremadura", 6, 202],
    ["wake", 35, 383],
  ] as const) {
    test(`${name}: Strahler orders from its directions equal its orders, cell by cell`, async () => {
      const directions = await openRaster(shared(`data/drainage/${name}_flow_direction.tif`));
      const orders = await openRaster(shared(`data/drainage/${name}_stream_order.tif`));
      const lines = await openFeatures(shared(`data/drainage/${name}_derived_streams.gpkg`));
      const table = await readTable(lines);
      const { grid } = directions;
      // r.stream.extract turns the directions of r.watershed in a few stream cells; its lines say where.
      const codes = Int16Array.from(await values(directions));
      const turned = turnAlong(table, grid, codes);
      expect(turned).toBe(changes);
      const used = memoryRaster(grid, [{ type: "int16", nodata: -9999 }], [codes]);
      const ours = await values(streamOrder(used, { streams: orders, codes: "grass" }));
      expect(ours).toEqual(await values(orders));
      const made = await streamLines(used, { streams: orders, codes: "grass" });
      // One stream of Neiba is a single cell at the edge, which GRASS draws no line for.
      expect(made.count).toBe(name === "neiba" ? lineCount + 1 : lineCount);
      for (const source of [directions, orders, lines]) await source.close();
    });
  }

  function turnAlong({ geometry }: FeatureTable, { width, transform }: Grid, codes: Int16Array): number {
    const inverse = invertAffine(transform);
    const { rings, xy } = geometry!;
    let turned = 0;
    for (let ring = 0; ring + 1 < rings.length; ring++) {
      for (let v = rings[ring]!; v + 1 < rings[ring + 1]!; v++) {
        const [col, row, nextCol, nextRow] = [v, v + 1].flatMap((k) => [
          Math.floor(inverse[0] * xy[2 * k]! + inverse[2]),
          Math.floor(inverse[4] * xy[2 * k + 1]! + inverse[5]),
        ]) as [number, number, number, number];
        const code = STEPS[`${nextCol - col},${nextRow - row}`]!;
        const cell = row * width + col;
        if (Math.abs(codes[cell]!) === code) continue;
        codes[cell] = code;
        turned++;
      }
    }
    return turned;
  }

  // r.watershed follows least-cost paths through depressions and does not take the steepest way: directions differ in
  // half of all cells, main streams in few. Shares as measured, rounded down.
  for (const [name, dem, depressions, found, right, near] of [
    ["neiba", "neiba_nasadem", "fill", 0.9, 0.91, 0.97],
    ["neiba", "neiba_nasadem", "breach", 0.92, 0.93, 0.97],
    ["extremadura", "extremadura_dem25", "fill", 0.91, 0.92, 0.97],
    ["wake", "wake_elev_ned_30m", "fill", 0.82, 0.82, 0.94],
    ["wake", "wake_elev_ned_30m", "breach", 0.96, 0.95, 0.99],
  ] as const) {
    test(`${name}, ${depressions}: streams of 1,000 cells are those of its directions, but for a share`, async () => {
      const heights = await openRaster(shared(`data/dem/${dem}.tif`));
      const directions = await openRaster(shared(`data/drainage/${name}_flow_direction.tif`));
      const ours = await values(flowAccumulation(flowDirection(heights, { depressions })));
      const theirs = await values(flowAccumulation(directions, { codes: "grass" }));
      const { width } = heights.grid;
      let [both, mine, other, close] = [0, 0, 0, 0];
      for (let i = 0; i < ours.length; i++) {
        if (ours[i]! >= 1000) mine++;
        if (theirs[i]! < 1000) continue;
        other++;
        if (ours[i]! >= 1000) both++;
        for (let k = 0; k < 9; k++) {
          if (!(ours[i + width * (Math.floor(k / 3) - 1) + (k % 3) - 1]! >= 1000)) continue;
          close++;
          break;
        }
      }
      expect(both / other).toBeGreaterThan(found);
      expect(both / mine).toBeGreaterThan(right);
      expect(close / other).toBeGreaterThan(near);
      await heights.close();
      await directions.close();
    });
  }

  test("an accumulation published for a part of Extremadura is the same in three of four cells", async () => {
    const heights = await openRaster(shared("data/dem/extremadura_dem25.tif"));
    const published = await openRaster(shared("data/drainage/extremadura_accflow_part.tif"));
    const accumulation = flowAccumulation(flowDirection(heights), { unit: "m2" });
    const { width, height } = published.grid;
    const block = await accumulation.read({ col: 143, row: 7, width, height });
    const theirs = await values(published);
    let [equal, cells] = [0, 0];
    for (let i = 0; i < theirs.length; i++) {
      if (theirs[i] === Number(published.bands[0]!.nodata)) continue;
      cells++;
      if (theirs[i] === block.bands[0]![i]) equal++;
    }
    expect(cells).toBe(23521);
    expect(equal / cells).toBeGreaterThan(0.77);
    await heights.close();
    await published.close();
  });
});
