import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareShapes } from "../../src/kernels/raster/shapes.ts";
import { coverageWindow } from "../../src/kernels/zonal/coverage.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import { fullWindow, tileWindows } from "../../src/model/grid.ts";
import { describeShared } from "../helpers/shared.ts";
import { columnOf, type GridFact, gridOf, unitGrid, vectors } from "../helpers/vectors.ts";

describe("coverageWindow", () => {
  it("gives the share of each cell that a polygon covers", () => {
    const grid = unitGrid(3, 2);
    const shapes = prepareShapes(
      columnOf("POLYGON ((0.5 0, 2 0, 2 1.5, 0.5 1.5, 0.5 0))"),
      grid,
      "all-touched",
    );
    expect([...coverageWindow(shapes, fullWindow(grid))]).toEqual([0.25, 0.5, 0, 0.5, 1, 0]);
  });

  it("is the same bits for every tiling, and holes count down", () => {
    const vertex = fc.tuple(
      fc.double({ min: -3, max: 12, noNaN: true }),
      fc.double({ min: -3, max: 12, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(vertex, { minLength: 3, maxLength: 9 }),
        fc.integer({ min: 1, max: 5 }),
        (ring, size) => {
          const geometry: Geometry = { type: "Polygon", coordinates: [[...ring, ring[0]!]] };
          const grid = unitGrid(9, 8);
          const shapes = prepareShapes(
            tableFromGeoJson([{ type: "Feature", geometry, properties: {} }]).geometry!,
            grid,
            "all-touched",
          );
          const whole = coverageWindow(shapes, fullWindow(grid));
          for (const window of tileWindows(grid, size)) {
            const part = coverageWindow(shapes, window);
            for (let i = 0; i < part.length; i++) {
              const row = window.row + Math.floor(i / window.width);
              const col = window.col + (i % window.width);
              expect(part[i]).toBe(whole[row * grid.width + col]);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describeShared("coverage against GEOS", () => {
  it("is within 1e-9 of the exact area in every cell", () => {
    const cases = vectors<{ id: string; grid: GridFact; geometry: Geometry; coverage: number[][] }>(
      "zonal",
      "generated.jsonl",
    );
    let worst = 0;
    for (const { grid: fact, geometry, coverage } of cases) {
      const grid = gridOf(fact);
      const column = tableFromGeoJson([{ type: "Feature", geometry, properties: {} }]).geometry!;
      const found = coverageWindow(prepareShapes(column, grid, "all-touched"), fullWindow(grid));
      for (const [i, value] of coverage.flat().entries())
        worst = Math.max(worst, Math.abs(found[i]! - value));
    }
    expect(worst).toBeLessThan(1e-9);
  });
});
