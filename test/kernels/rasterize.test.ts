import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskWindow, scanRuns } from "../../src/kernels/raster/rasterize.ts";
import { type PixelRule, prepareShapes } from "../../src/kernels/raster/shapes.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { GeometryColumn } from "../../src/model/geometry.ts";
import { fullWindow, type Grid, tileWindows } from "../../src/model/grid.ts";
import { describeShared } from "../helpers/shared.ts";
import { columnOf, type GridFact, gridOf, unitGrid, vectors } from "../helpers/vectors.ts";

function rows(column: GeometryColumn, grid: Grid, rule: PixelRule): string[] {
  const mask = maskWindow(prepareShapes(column, grid, rule), fullWindow(grid));
  const at = (i: number) => (mask === "all" ? 1 : mask === "none" ? 0 : mask[i]!);
  return Array.from({ length: grid.height }, (_, row) =>
    Array.from({ length: grid.width }, (_, col) => at(row * grid.width + col)).join(""),
  );
}

describe("the centre rule", () => {
  it("takes the pixels whose centre a polygon holds", () => {
    const column = columnOf("POLYGON ((0.6 0.4, 3.4 0.4, 3.4 2.6, 0.6 2.6, 0.6 0.4))");
    expect(rows(column, unitGrid(4, 3), "center")).toEqual(["0110", "0110", "0110"]);
  });

  it("gives a centre on a right edge to the polygon and one on a left edge not", () => {
    const column = columnOf("POLYGON ((0.5 0, 2.5 0, 2.5 2, 0.5 2, 0.5 0))");
    expect(rows(column, unitGrid(4, 2), "center")).toEqual(["0110", "0110"]);
  });

  it("gives a centre on a horizontal edge to the polygons on both sides", () => {
    const above = columnOf("POLYGON ((0 1.5, 3 1.5, 3 3, 0 3, 0 1.5))");
    const below = columnOf("POLYGON ((0 0, 3 0, 3 1.5, 0 1.5, 0 0))");
    expect(rows(above, unitGrid(3, 3), "center")).toEqual(["111", "111", "000"]);
    expect(rows(below, unitGrid(3, 3), "center")).toEqual(["000", "111", "111"]);
  });

  it("leaves holes out and puts islands in them in", () => {
    const column = columnOf(
      "MULTIPOLYGON (((0 0, 5 0, 5 5, 0 5, 0 0), (1 1, 1 4, 4 4, 4 1, 1 1)), ((2 2, 3 2, 3 3, 2 3, 2 2)))",
    );
    expect(rows(column, unitGrid(5, 5), "center")).toEqual(["11111", "10001", "10101", "10001", "11111"]);
  });

  it("decides exactly when an edge passes a centre by less than rounding", () => {
    // From (0, 0) to (3, 1 + tiny): the centre (1.5, 0.5) lies on one side or the other by 1e-16 of a pixel.
    const above = 1 + Number.EPSILON;
    const below = 1 - Number.EPSILON / 2;
    expect(rows(columnOf(`POLYGON ((0 0, 3 0, 3 ${above}, 0 0))`), unitGrid(3, 1), "center")).toEqual([
      "011",
    ]);
    expect(rows(columnOf(`POLYGON ((0 0, 3 0, 3 ${below}, 0 0))`), unitGrid(3, 1), "center")).toEqual([
      "001",
    ]);
  });

  it("works on grids that run south up or are rotated", () => {
    const column = columnOf("POLYGON ((0 0, 2 0, 2 1, 0 1, 0 0))");
    const southUp: Grid = { width: 3, height: 2, transform: [1, 0, 0, 0, 1, 0], crs: null };
    expect(rows(column, southUp, "center")).toEqual(["110", "000"]);
    // Columns run north, rows run east.
    const turned: Grid = { width: 2, height: 3, transform: [0, 1, 0, 1, 0, 0], crs: null };
    expect(rows(column, turned, "center")).toEqual(["10", "10", "00"]);
  });

  it("survives coordinates that are not finite or far away", () => {
    const column = columnOf(
      "POLYGON ((-1e300 -1e300, 1e300 -1e300, 1e300 1e300, -1e300 1e300, -1e300 -1e300))",
      "LINESTRING (-1e15 0.5, 1e15 0.5)",
    );
    expect(rows(column, unitGrid(3, 1), "center")).toEqual(["111"]);
  });
});

describe("the all-touched rule", () => {
  it("takes pixels that the interior meets, not those met along an edge or at a corner", () => {
    const square = columnOf("POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))");
    expect(rows(square, unitGrid(3, 3), "all-touched")).toEqual(["000", "010", "000"]);
    const sliver = columnOf("POLYGON ((0.9 1.1, 2.1 1.1, 2.1 1.2, 0.9 1.2, 0.9 1.1))");
    expect(rows(sliver, unitGrid(3, 3), "all-touched")).toEqual(["000", "111", "000"]);
  });

  it("follows a line through corners exactly", () => {
    expect(rows(columnOf("LINESTRING (0 0, 3 3)"), unitGrid(3, 3), "all-touched")).toEqual([
      "001",
      "010",
      "100",
    ]);
  });
});

describe("scanRuns", () => {
  it("does not depend on how the grid is cut into windows", () => {
    const coordinate = fc.oneof(
      fc.integer({ min: -4, max: 40 }).map((n) => n / 2),
      fc.double({ min: -2, max: 20, noNaN: true }),
    );
    const ring = fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(ring, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom<PixelRule>("center", "all-touched"),
        fc.constantFrom("Polygon", "MultiLineString"),
        (shells, size, rule, type) => {
          const closed = shells.map((shell) => [...shell, shell[0]!]);
          const column = tableFromGeoJson(
            closed.map((shell) => ({
              type: "Feature" as const,
              geometry: { type, coordinates: [shell] } as unknown as Geometry,
              properties: {},
            })),
          ).geometry!;
          const grid = unitGrid(16, 13);
          const shapes = prepareShapes(column, grid, rule);
          const cells = (window: Parameters<typeof scanRuns>[1]) => {
            const { count, data } = scanRuns(shapes, window);
            const out: string[] = [];
            for (let k = 0; k < 4 * count; k += 4)
              for (let col = data[k + 2]!; col < data[k + 3]!; col++)
                out.push(`${data[k]} ${data[k + 1]} ${col}`);
            return out;
          };
          const whole = cells(fullWindow(grid)).sort();
          const tiles = [...tileWindows(grid, size)].flatMap(cells).sort();
          expect(tiles).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface PolygonVector {
  id: string;
  grid: GridFact;
  geometry: Geometry;
  centre_exact: string[];
  centre_ties: [number, number][];
  centre_gdal: string[];
  touched_exact: string[];
  touched_edge_only: [number, number][];
}

describeShared("rasterising against exact geometry and GDAL", () => {
  const column = (geometry: Geometry) =>
    tableFromGeoJson([{ type: "Feature", geometry, properties: {} }]).geometry!;
  const without = (mask: string[], free: [number, number][]) =>
    mask.map((row, r) =>
      [...row].map((cell, c) => (free.some(([y, x]) => y === r && x === c) ? "." : cell)).join(""),
    );

  it("equals GDAL's centre rule in every cell, ties too", () => {
    for (const { id, grid, geometry, centre_gdal } of vectors<PolygonVector>("rasterize", "polygons.jsonl"))
      expect(rows(column(geometry), gridOf(grid), "center"), id).toEqual(centre_gdal);
  });

  it("equals exact geometry for all touched pixels", () => {
    for (const { id, grid, geometry, touched_exact, touched_edge_only } of vectors<PolygonVector>(
      "rasterize",
      "polygons.jsonl",
    )) {
      const mask = rows(column(geometry), gridOf(grid), "all-touched");
      expect(without(mask, touched_edge_only), id).toEqual(without(touched_exact, touched_edge_only));
    }
  });

  it("draws lines and points as GDAL does by default", () => {
    for (const { id, grid, geometry, default_gdal } of vectors<PolygonVector & { default_gdal: string[] }>(
      "rasterize",
      "lines-points.jsonl",
    ))
      expect(rows(column(geometry), gridOf(grid), "center"), id).toEqual(default_gdal);
  });
});
