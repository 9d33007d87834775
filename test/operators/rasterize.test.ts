import { describe, expect, it } from "vitest";
import { type BatchOptions, ColumnBuilder, tableSource } from "../../src/model/features.ts";
import { tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow } from "../../src/model/grid.ts";
import { type RasterizeOptions, rasterize } from "../../src/operators/rasterize.ts";
import { describeShared } from "../helpers/shared.ts";
import { fromWkt, type GridFact, gridOf, tableOf, unitGrid, vectors } from "../helpers/vectors.ts";

const LEFT = "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))";
const RIGHT = "POLYGON ((1 0, 3 0, 3 2, 1 2, 1 0))";

function valued(...values: (number | null)[]) {
  return tableFromGeoJson(
    values.map((value, k) => ({
      type: "Feature" as const,
      geometry: fromWkt(k === 0 ? LEFT : RIGHT),
      properties: { value, name: "x" },
    })),
    { crs: null },
  );
}

async function burn(options: RasterizeOptions, ...values: (number | null)[]) {
  const raster = await rasterize(valued(...values), { grid: unitGrid(4, 2), field: "value", ...options });
  const { bands } = await raster.read({ col: 0, row: 0, width: 4, height: 1 });
  return { samples: Array.from(bands[0]!, Number), type: raster.bands[0]!.type };
}

describe("rasterize", () => {
  it("lets later features win, or adds", async () => {
    expect((await burn({}, 5, 7)).samples).toEqual([5, 7, 7, 0]);
    expect((await burn({ merge: "add", fill: 100 }, 5, 7)).samples).toEqual([105, 112, 107, 100]);
  });

  it("chooses the smallest type that holds the values", async () => {
    expect((await burn({}, 5, 255)).type).toBe("uint8");
    expect((await burn({ merge: "add" }, 5, 255)).type).toBe("int16");
    expect((await burn({ fill: -1 }, 5, 7)).type).toBe("int16");
    expect((await burn({}, 5, 70000)).type).toBe("int32");
    expect((await burn({}, 0.5, 7)).type).toBe("float32");
    expect((await burn({}, 0.1, 7)).type).toBe("float64");
  });

  it("burns nothing for features without a value", async () => {
    expect((await burn({}, 5, null)).samples).toEqual([5, 5, 0, 0]);
  });

  it("refuses a field of text, a value that does not fit and a missing grid", async () => {
    await expect(burn({ field: "name" }, 1)).rejects.toMatchObject({ details: { path: "field" } });
    await expect(burn({ dtype: "uint8" }, 300)).rejects.toMatchObject({ details: { path: "dtype" } });
    await expect(rasterize(tableOf(LEFT))).rejects.toMatchObject({ details: { path: "like" } });
    await expect(rasterize(tableOf(LEFT), { res: 1e-9 })).rejects.toMatchObject({ code: "LIMIT" });
  });

  it("fills with nodata unless told otherwise, and counts it for the type", async () => {
    expect(await burn({ nodata: 9 }, 5, null)).toEqual({ samples: [5, 5, 9, 9], type: "uint8" });
    expect(await burn({ nodata: 9, fill: 0 }, 5, null)).toEqual({ samples: [5, 5, 0, 0], type: "uint8" });
    expect((await burn({ nodata: 65535 }, 5, 7)).type).toBe("uint16");
    await expect(burn({ nodata: -1, dtype: "uint8" }, 5)).rejects.toMatchObject({
      details: { path: "dtype" },
    });
  });

  it("cuts sums to the range of the type, and warns when they may leave it", async () => {
    const table = valued(200, 100);
    const options = { grid: unitGrid(4, 2), field: "value", merge: "add", dtype: "uint8" } as const;
    const raster = await rasterize(table, options);
    expect([...(await raster.read(fullWindow(raster.grid))).bands[0]!.subarray(0, 4)]).toEqual([
      200, 255, 100, 0,
    ]);
    expect(raster.report.warnings).toEqual([expect.stringMatching(/leave the range of uint8/)]);
    expect((await rasterize(table, { ...options, dtype: "uint16" })).report.warnings).toEqual([]);
  });

  it("keeps whole numbers that a double would round", async () => {
    const big = 2n ** 60n + 1n;
    const builder = new ColumnBuilder({ name: "big", type: "int64", nullable: true });
    builder.pushBigInt(big);
    builder.pushNull();
    const table = { ...valued(1, 2), columns: [builder.finish()] };
    const raster = await rasterize(table, { grid: unitGrid(4, 2), field: "big" });
    expect(raster.bands[0]!.type).toBe("int64");
    expect([...(await raster.read({ col: 1, row: 0, width: 2, height: 1 })).bands[0]!]).toEqual([big, 0n]);
    expect(raster.report).toEqual({ features: 2, withoutValue: 1, warnings: [] });
  });

  it("reads of a layer the one field and the part that the grid needs", async () => {
    const asked: BatchOptions[] = [];
    const source = tableSource(valued(5, 7));
    const spied = {
      ...source,
      batches: (options: BatchOptions = {}) => {
        asked.push(options);
        return source.batches(options);
      },
    };
    const raster = await rasterize(spied, { grid: unitGrid(4, 2), field: "value" });
    expect([...(await raster.read({ col: 0, row: 0, width: 4, height: 1 })).bands[0]!]).toEqual([5, 7, 7, 0]);
    expect(asked).toEqual([{ fields: ["value"], bounds: [-1, -1, 5, 3] }]);
    await expect(rasterize(spied, { grid: unitGrid(4, 2), field: "name" })).rejects.toThrow(/type string/);
    await expect(rasterize(spied, { grid: unitGrid(4, 2), value: [1] })).rejects.toThrow(/1 values for 2/);
  });

  it("finds the features of a window among many as among few", async () => {
    const squares = Array.from({ length: 400 }, (_, k) => {
      const [x, y] = [(k % 20) * 3, Math.floor(k / 20) * 3];
      return `POLYGON ((${x} ${y}, ${x + 4} ${y}, ${x + 4} ${y + 4}, ${x} ${y + 4}, ${x} ${y}))`;
    });
    const table = tableOf(...squares, "POLYGON EMPTY", "", "POLYGON ((900 0, 901 0, 901 1, 900 0))");
    const grid = unitGrid(62, 62);
    const raster = await rasterize(table, { grid, field: "id", fill: -1 });
    const whole = (await raster.read(fullWindow(grid))).bands[0]!;
    for (let row = 0; row < 62; row++) {
      for (let col = 0; col < 62; col++) {
        const y = 61 - row;
        const [right, top] = [Math.min(19, Math.floor(col / 3)), Math.min(19, Math.floor(y / 3))];
        expect(whole[row * 62 + col]).toBe(col >= 61 || y >= 61 ? -1 : top * 20 + right);
      }
    }
    const part = { col: 7, row: 30, width: 9, height: 5 };
    const cut = (await raster.read(part)).bands[0]!;
    for (let row = 0; row < 5; row++)
      expect([...cut.subarray(9 * row, 9 * row + 9)]).toEqual([
        ...whole.subarray((30 + row) * 62 + 7, (30 + row) * 62 + 16),
      ]);
  });

  it("keeps bounds as given, and holds points on the right and lower edge of the extent", async () => {
    const polygon = tableOf("POLYGON ((3 2, 12 2, 12 8, 3 8, 3 2))");
    const { grid } = await rasterize(polygon, { res: 0.1, bounds: [0.05, 0.3, 1.05, 0.9] });
    expect([grid.width, grid.height, grid.transform]).toEqual([10, 6, [0.1, 0, 0.05, 0, -0.1, 0.9]]);
    const points = await rasterize(tableOf("POINT (1 1)", "POINT (2 2)", "POINT (3 1)"), { res: 1 });
    expect([points.grid.width, points.grid.height]).toEqual([3, 2]);
    expect([...(await points.read(fullWindow(points.grid))).bands[0]!]).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("makes a grid of the cell size asked for, on multiples of it", async () => {
    const { grid, read } = await rasterize(tableOf("POLYGON ((3 2, 12 2, 12 8, 3 8, 3 2))"), { res: 5 });
    expect([grid.width, grid.height, grid.transform]).toEqual([3, 2, [5, 0, 0, 0, -5, 10]]);
    expect([...(await read(fullWindow(grid))).bands[0]!]).toEqual([0, 1, 0, 0, 1, 0]);
  });
});

describeShared("burning several polygons against rasterio", () => {
  it("equals it outside ties", async () => {
    interface Burn {
      id: string;
      grid: GridFact;
      features: { geometry: never; value: number }[];
      fill_replace: number;
      fill_add: number;
      expected_replace: number[][];
      expected_add: number[][];
      centre_ties: [number, number][];
    }
    for (const vector of vectors<Burn>("rasterize", "burn.jsonl")) {
      const table = tableFromGeoJson(
        vector.features.map(({ geometry, value }) => ({
          type: "Feature" as const,
          geometry,
          properties: { value },
        })),
        { crs: null },
      );
      const grid = gridOf(vector.grid);
      const free = new Set(vector.centre_ties.map(([row, col]) => row * grid.width + col));
      for (const [merge, fill, expected] of [
        ["replace", vector.fill_replace, vector.expected_replace],
        ["add", vector.fill_add, vector.expected_add],
      ] as const) {
        const raster = await rasterize(table, { grid, field: "value", merge, fill });
        const { bands } = await raster.read(fullWindow(grid));
        const keep = (value: number, i: number) => (free.has(i) ? 0 : value);
        expect(Array.from(bands[0]!, Number).map(keep), vector.id).toEqual(expected.flat().map(keep));
      }
    }
  });
});
