import { describe, expect, it } from "vitest";
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
