import fc from "fast-check";
import { expect, test } from "vitest";
import { breachDepressions } from "../../../src/kernels/hydrology/breach-depressions.ts";
import { fillDepressions, fillWithGradient } from "../../../src/kernels/hydrology/fill-depressions.ts";
import { type Frame, neighbourOffsets } from "../../../src/kernels/hydrology/frame.ts";
import { framed, rowsOf } from "./grids.ts";

const _ = Number.NaN;

test("a pit fills to its lowest pass, which may be a corner", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9],
    [9, 1, 2, 9, 9],
    [9, 2, 9, 9, 9],
    [9, 9, 9, 6, 9],
    [9, 9, 9, 9, 5],
  ]);
  heights[3 * 7 + 3] = 4; // the middle: joins the pit to the pass by corners
  expect(fillDepressions(heights, frame)).toBe(4);
  expect(rowsOf(frame, heights)).toEqual([
    [9, 9, 9, 9, 9],
    [9, 6, 6, 9, 9],
    [9, 6, 6, 9, 9],
    [9, 9, 9, 6, 9],
    [9, 9, 9, 9, 5],
  ]);
});

test("a depression beside missing heights drains into them", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9],
    [9, 1, 9, 9],
    [9, 9, _, 9],
    [9, 9, 9, 9],
  ]);
  expect(fillDepressions(heights, frame)).toBe(0);
});

test("a depression in a depression fills to the outer pass", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9, 9],
    [9, 1, 5, 2, 7, 3],
    [9, 9, 9, 9, 9, 9],
  ]);
  fillDepressions(heights, frame);
  expect(rowsOf(frame, heights)[1]).toEqual([9, 7, 7, 7, 7, 3]);
});

test("with a gradient every raised cell is above the one that it drains to", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9],
    [9, 1, 1, 1, 4],
    [9, 9, 9, 9, 9],
  ]);
  expect(fillWithGradient(heights, frame, 0.25)).toBe(3);
  expect(rowsOf(frame, heights)[1]).toEqual([9, 4.75, 4.5, 4.25, 4]);
  const single = Float32Array.from(
    framed([
      [9, 9, 9, 9, 9],
      [9, 1, 1, 1, 4],
      [9, 9, 9, 9, 9],
    ]).heights,
  );
  fillWithGradient(single, frame, Number.MIN_VALUE);
  expect(rowsOf(frame, single)[1]!.map((z) => (z - 4) * 2 ** 21)).toEqual([5 * 2 ** 21, 3, 2, 1, 0]);
});

test("the least rise works below, at and above 0", () => {
  for (const level of [-4, 0, 4]) {
    const rows = [
      [9, 9, 9],
      [9, -9, level],
      [9, 9, 9],
    ];
    const { frame, heights } = framed(rows);
    fillWithGradient(heights, frame, Number.MIN_VALUE);
    const risen = heights[2 * 5 + 2]!;
    expect(risen).toBeGreaterThan(level);
    expect((risen + level) / 2 === risen || (risen + level) / 2 === level).toBe(true);
    const single = Float32Array.from(framed(rows).heights);
    fillWithGradient(single, frame, Number.MIN_VALUE);
    expect(single[2 * 5 + 2]).toBeGreaterThan(level);
    expect(Math.fround((single[2 * 5 + 2]! + level) / 2) - level).toBeOneOf([0, single[2 * 5 + 2]! - level]);
  }
});

test("breaching cuts a level channel through a dam and raises nothing", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9, 9],
    [9, 3, 4, 8, 2, 1],
    [9, 9, 9, 9, 9, 9],
  ]);
  expect(breachDepressions(heights, frame, Infinity)).toEqual({ lowered: 2, left: 0 });
  expect(rowsOf(frame, heights)[1]).toEqual([9, 3, 3, 3, 2, 1]);
});

test("a depression that needs too long a channel is left", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9, 9],
    [9, 3, 4, 8, 2, 1],
    [9, 9, 9, 9, 9, 9],
  ]);
  const before = heights.slice();
  expect(breachDepressions(heights, frame, 1)).toEqual({ lowered: 0, left: 1 });
  expect(heights).toEqual(before);
});

test("a level bottom gets one channel, however wide it is", () => {
  const { frame, heights } = framed([
    [9, 9, 9, 9, 9, 9],
    [9, 1, 1, 1, 1, 9],
    [9, 1, 1, 1, 1, 9],
    [9, 9, 9, 7, 9, 9],
    [9, 9, 9, 0, 9, 9],
  ]);
  expect(breachDepressions(heights, frame, Infinity)).toEqual({ lowered: 1, left: 0 });
  expect(heights[4 * 8 + 4]).toBe(1);
});

const anyRaster = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) =>
    fc.array(
      fc.array(
        fc.oneof(
          { weight: 12, arbitrary: fc.integer({ min: -3, max: 6 }) },
          { weight: 1, arbitrary: fc.constant(Number.NaN) },
        ),
        {
          minLength: width,
          maxLength: width,
        },
      ),
      { minLength: height, maxLength: height },
    ),
  );

/** The slow way (Planchon and Darboux 2002): start from a flood over everything and let it run off until nothing changes. */
function slowFill(heights: Float64Array, frame: Frame): Float64Array {
  const offsets = neighbourOffsets(frame);
  const level = heights.map((z) => (Number.isNaN(z) ? z : Infinity));
  for (let changed = true; changed; ) {
    changed = false;
    for (let cell = 0; cell < level.length; cell++) {
      if (Number.isNaN(level[cell]!)) continue;
      let lowest = Infinity;
      for (const offset of offsets) {
        const there = level[cell + offset]!;
        lowest = Math.min(lowest, Number.isNaN(there) ? -Infinity : there);
      }
      const next = Math.max(heights[cell]!, lowest);
      if (next < level[cell]!) {
        level[cell] = next;
        changed = true;
      }
    }
  }
  return level;
}

test("filling equals the slow way on any raster", () => {
  fc.assert(
    fc.property(anyRaster, (rows) => {
      const { frame, heights } = framed(rows);
      const expected = slowFill(heights, frame);
      fillDepressions(heights, frame);
      expect(heights).toEqual(expected);
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("with a gradient every cell that is no outlet has a lower neighbour, and lies on or above the filled surface", () => {
  fc.assert(
    fc.property(anyRaster, fc.constantFrom(Number.MIN_VALUE, 0.125), (rows, rise) => {
      const { frame, heights } = framed(rows);
      const level = slowFill(heights, frame);
      fillWithGradient(heights, frame, rise);
      const offsets = Array.from(neighbourOffsets(frame));
      for (let cell = 0; cell < heights.length; cell++) {
        const here = heights[cell]!;
        if (Number.isNaN(here)) continue;
        expect(here).toBeGreaterThanOrEqual(level[cell]!);
        const around = offsets.map((offset) => heights[cell + offset]!);
        if (!around.some(Number.isNaN)) expect(Math.min(...around)).toBeLessThan(here);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});

test("after breaching nothing is left to fill, on any raster", () => {
  fc.assert(
    fc.property(anyRaster, (rows) => {
      const { frame, heights } = framed(rows);
      const before = heights.slice();
      expect(breachDepressions(heights, frame, Infinity).left).toBe(0);
      for (let cell = 0; cell < heights.length; cell++)
        if (!Number.isNaN(before[cell]!)) expect(heights[cell]).toBeLessThanOrEqual(before[cell]!);
      expect(fillDepressions(heights, frame)).toBe(0);
    }),
    { seed: 6, numRuns: 500 },
  );
});
