import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Affine,
  boundsWindow,
  type Grid,
  gridBounds,
  gridsAlign,
  intersectWindows,
  invertAffine,
  pixelToWorld,
  tileWindows,
  windowGrid,
} from "../../src/model/grid.ts";

const northUp: Grid = { width: 10, height: 8, transform: [30, 0, 500000, 0, -30, 2000000], crs: null };
const southUp: Grid = { width: 10, height: 8, transform: [30, 0, 500000, 0, 30, 2000000], crs: null };

describe("affine", () => {
  it("comes back from its inverse, rotated or not", () => {
    const cell = fc.double({ min: -100, max: 100, noNaN: true }).filter((v) => Math.abs(v) > 1e-3);
    fc.assert(
      fc.property(
        cell,
        cell,
        fc.integer({ min: -500, max: 500 }),
        fc.integer({ min: -500, max: 500 }),
        (a, b, col, row) => {
          const transform: Affine = [a, b, 1e5, -b, a, 2e6];
          const [x, y] = pixelToWorld(transform, col, row);
          const [backCol, backRow] = pixelToWorld(invertAffine(transform), x, y);
          expect(backCol).toBeCloseTo(col, 2);
          expect(backRow).toBeCloseTo(row, 2);
        },
      ),
    );
  });

  it("refuses a transform that flattens the plane", () => {
    expect(() => invertAffine([1, 2, 0, 2, 4, 0])).toThrow(RangeError);
  });
});

describe("gridBounds", () => {
  it("orders the corners of north-up, south-up and rotated grids", () => {
    expect(gridBounds(northUp)).toEqual([500000, 1999760, 500300, 2000000]);
    expect(gridBounds(southUp)).toEqual([500000, 2000000, 500300, 2000240]);
    expect(gridBounds({ width: 2, height: 1, transform: [0, 1, 0, 1, 0, 0], crs: null })).toEqual([
      0, 0, 1, 2,
    ]);
  });
});

describe("boundsWindow", () => {
  it("rounds outward to whole pixels", () => {
    expect(boundsWindow(northUp, [500031, 1999821, 500089, 1999959])).toEqual({
      col: 1,
      row: 1,
      width: 2,
      height: 5,
    });
  });

  it("does not add a row for noise at a cell edge", () => {
    expect(boundsWindow(northUp, [500030 - 1e-7, 1999910, 500060 + 1e-7, 1999970])).toEqual({
      col: 1,
      row: 1,
      width: 1,
      height: 2,
    });
  });

  it("gives one pixel to bounds smaller than a pixel", () => {
    expect(boundsWindow(northUp, [500005, 1999990, 500005, 1999990])).toEqual({
      col: 0,
      row: 0,
      width: 1,
      height: 1,
    });
  });

  it("counts rows from the first stored row of a south-up grid", () => {
    expect(boundsWindow(southUp, [500000, 2000000, 500030, 2000030])).toEqual({
      col: 0,
      row: 0,
      width: 1,
      height: 1,
    });
  });

  it("is null when they miss the grid", () => {
    expect(boundsWindow(northUp, [0, 0, 10, 10])).toBeNull();
  });
});

describe("windows", () => {
  it("cut a grid without gap or overlap", () => {
    const seen = new Uint8Array(80);
    for (const { col, row, width, height } of tileWindows(northUp, 4, 3)) {
      for (let r = row; r < row + height; r++) for (let c = col; c < col + width; c++) seen[r * 10 + c]!++;
    }
    expect([...seen].every((times) => times === 1)).toBe(true);
  });

  it("move the origin of the grid", () => {
    expect(windowGrid(northUp, { col: 2, row: 3, width: 1, height: 1 }).transform).toEqual([
      30, 0, 500060, 0, -30, 1999910,
    ]);
  });

  it("share what both hold", () => {
    const left = { col: 0, row: 0, width: 5, height: 5 };
    expect(intersectWindows(left, { col: 3, row: 4, width: 9, height: 9 })).toEqual({
      col: 3,
      row: 4,
      width: 2,
      height: 1,
    });
    expect(intersectWindows(left, { col: 5, row: 0, width: 1, height: 1 })).toBeNull();
  });
});

describe("gridsAlign", () => {
  it("accepts whole-pixel shifts and refuses part ones and other cell sizes", () => {
    const shifted = (dx: number, size = 30): Grid => ({
      ...northUp,
      transform: [size, 0, 500000 + dx, 0, -size, 2000000],
    });
    expect(gridsAlign(northUp, shifted(300))).toBe(true);
    expect(gridsAlign(northUp, shifted(310))).toBe(false);
    expect(gridsAlign(northUp, shifted(0, 30.01))).toBe(false);
  });
});
