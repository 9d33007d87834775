import { expect, it } from "vitest";
import { prepareShapes } from "../../src/kernels/raster/shapes.ts";
import { coverageWindow } from "../../src/kernels/zonal/coverage.ts";
import { tileWindows, type Window } from "../../src/model/grid.ts";
import { pixelMask } from "../../src/operators/pixel-mask.ts";
import { columnOf, unitGrid } from "../helpers/vectors.ts";

const grid = unitGrid(20, 16);
const windows = (side: number): Window[] => [...tileWindows(grid, side)];

it.each([
  [
    "one polygon with a hole",
    ["POLYGON ((1.3 1, 18.6 2, 17 14.2, 3 15, 1.3 1), (9.2 7.1, 9.8 7.1, 9.5 7.8, 9.2 7.1))"],
  ],
  [
    "two polygons that share an edge",
    ["POLYGON ((1 1, 9.5 1, 9.5 15, 1 15, 1 1))", "POLYGON ((9.5 1, 19 1, 19 15, 9.5 15, 9.5 1))"],
  ],
  [
    "polygons that overlap, and one apart",
    [
      "POLYGON ((1 1, 9.7 1, 9.7 9, 1 1))",
      "POLYGON ((4 1, 14 2, 8 9, 4 1))",
      "POLYGON ((15.2 12.2, 17.7 12.2, 17.7 14.7, 15.2 12.2))",
    ],
  ],
])("says of every window what the coverage of each pixel says: %s", (_, texts) => {
  const column = columnOf(...texts);
  const shapes = prepareShapes(column, grid, "all-touched");
  for (const share of [0.1, 0.5, 1]) {
    const mask = pixelMask(column, grid, `coverage:${share}`);
    const words = new Set<string>();
    for (const window of [...windows(20), ...windows(5), ...windows(1)]) {
      const expected = Array.from(coverageWindow(shapes, window), (covered) => (covered >= share ? 1 : 0));
      const found = mask.window(window);
      if (typeof found === "string") words.add(found);
      const pixels =
        found === "all" ? expected.map(() => 1) : found === "none" ? expected.map(() => 0) : [...found];
      expect(pixels).toEqual(expected);
      const inside = expected.filter((one) => one === 1).length;
      expect(mask.count(window)).toBe(inside);
      expect(mask.covers(window)).toBe(inside === expected.length);
      // A word is said whenever it holds.
      if (inside === 0) expect(found).toBe("none");
      if (inside === expected.length) expect(found).toBe("all");
    }
    expect([...words].sort()).toEqual(["all", "none"]);
  }
});

it("covers by centres and by touching too", () => {
  const column = columnOf("POLYGON ((2 2, 10 2, 10 10, 2 10, 2 2))");
  const inside = { col: 2, row: 6, width: 8, height: 8 };
  for (const rule of ["center", "all-touched"] as const) {
    const mask = pixelMask(column, grid, rule);
    expect(mask.covers(inside)).toBe(true);
    expect(mask.covers({ ...inside, width: 9 })).toBe(false);
  }
});
