import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanRuns } from "../../../src/kernels/raster/rasterize.ts";
import { prepareShapes } from "../../../src/kernels/raster/shapes.ts";
import { countChanges } from "../../../src/kernels/zonal/class-changes.ts";
import { COUNT_NUMBERS, countClasses, type RowAreas } from "../../../src/kernels/zonal/class-counts.ts";
import type { ClassSamples } from "../../../src/kernels/zonal/class-slots.ts";
import { coverageRuns } from "../../../src/kernels/zonal/coverage.ts";
import { mayMeet, zoneRuns } from "../../../src/kernels/zonal/zone-runs.ts";
import { columnOf, unitGrid } from "../../helpers/vectors.ts";

const WIDTH = 90;
const HEIGHT = 7;
const WINDOW = { col: 0, row: 0, width: WIDTH, height: HEIGHT };

/** Runs of several zones, some long enough for a table and some not. */
const runs = fc
  .array(
    fc.record({
      zone: fc.integer({ min: 0, max: 2 }),
      row: fc.integer({ min: 0, max: HEIGHT - 1 }),
      col: fc.integer({ min: 0, max: WIDTH - 1 }),
      length: fc.integer({ min: 1, max: WIDTH }),
      share: fc.oneof(fc.constant(1), fc.double({ min: 1e-6, max: 1, noNaN: true })),
    }),
    { maxLength: 12 },
  )
  .map((list) => {
    const sorted = list.toSorted((a, b) => a.zone - b.zone || a.row - b.row || a.col - b.col);
    return {
      count: sorted.length,
      data: Int32Array.from(
        sorted.flatMap(({ zone, row, col, length }) => [zone, row, col, Math.min(WIDTH, col + length)]),
      ),
      fraction: Float64Array.from(sorted, ({ share }) => share),
    };
  });

const kinds: readonly ((values: readonly number[]) => ClassSamples["samples"])[] = [
  (values) => Uint8Array.from(values),
  (values) => Int16Array.from(values, (value) => value * 97 - 3000),
  (values) => Uint32Array.from(values, (value) => value * 70_001),
  (values) => Float32Array.from(values, (value) => (value === 5 ? Number.NaN : value / 4)),
];

const AREAS: RowAreas = {
  high: Float64Array.from({ length: HEIGHT }, (_, row) => 3 + row),
  low: Float64Array.from({ length: HEIGHT }, (_, row) => row * 2 ** -30),
  unit: 2 ** -20,
};

describe("countClasses", () => {
  it("counts what counting pixel by pixel gives, for every kind of sample, with a mask and without", () => {
    fc.assert(
      fc.property(
        runs,
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: WIDTH * HEIGHT, maxLength: WIDTH * HEIGHT }),
        fc.integer({ min: 0, max: kinds.length - 1 }),
        fc.option(fc.integer({ min: 2, max: 5 }), { nil: null }),
        (found, values, kind, masked) => {
          const samples = kinds[kind]!(values);
          const mask =
            masked === null ? null : Uint8Array.from(values, (_, i) => (i % masked === 0 ? 0 : 255));
          const nodata = Number(samples[0]);
          const { count, zone, numbers } = countClasses(
            found,
            { samples, nodata, mask },
            WINDOW,
            AREAS,
            WIDTH,
          );
          const expected = new Map<string, { pixels: number; area: number; first: number }>();
          for (let k = 0; k < found.count; k++) {
            const [f, row, start, end] = found.data.subarray(4 * k, 4 * k + 4);
            for (let col = start!; col < end!; col++) {
              const i = row! * WIDTH + col;
              const value = Number(samples[i]);
              const observed = value !== nodata && (mask === null || mask[i] !== 0);
              const key = `${f} ${observed ? value : Number.NaN}`;
              const entry = expected.get(key) ?? { pixels: 0, area: 0, first: i };
              entry.pixels += found.fraction[k]!;
              entry.area += found.fraction[k]! * (AREAS.high[row!]! + AREAS.low[row!]!);
              expected.set(key, entry);
            }
          }
          expect(count).toBe(expected.size);
          for (let k = 0; k < count; k++) {
            const [value, high, low, areaHigh, areaLow, first] = numbers.subarray(COUNT_NUMBERS * k);
            const entry = expected.get(`${zone[k]} ${value}`)!;
            expect(high! + low!).toBeCloseTo(entry.pixels, 10);
            expect(areaHigh! + areaLow!).toBeCloseTo(entry.area, 9);
            expect(first).toBe(entry.first);
            // Parts are multiples of their units, so that their sums are exact.
            expect(Number.isInteger(high! * 2 ** 26)).toBe(true);
            expect(Number.isInteger(low! * 2 ** 52)).toBe(true);
            expect(Number.isInteger(areaHigh! / AREAS.unit)).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("refuses more values than there are classes, and counts on afterwards", () => {
    const line = { count: 1, data: Int32Array.of(0, 0, 0, 5000) };
    const window = { col: 0, row: 0, width: 5000, height: 1 };
    const many = { samples: Uint16Array.from({ length: 5000 }, (_, i) => i), nodata: Number.NaN, mask: null };
    expect(() => countClasses(line, many, window, null, 5000)).toThrow(RangeError);
    const few = { ...many, samples: new Uint16Array(5000).fill(4999) };
    expect([...countClasses(line, few, window, null, 5000).numbers]).toEqual([4999, 5000, 0, 0, 0, 0]);
  });
});

describe("countChanges", () => {
  const input = (...values: number[]): ClassSamples => ({
    samples: Uint8Array.from(values),
    nodata: 0,
    mask: null,
  });
  const window = { col: 0, row: 0, width: 4, height: 1 };

  it("counts pairs in each zone, and in the union every pixel once", () => {
    const two = { count: 2, data: Int32Array.of(0, 0, 0, 3, 5, 0, 1, 4) };
    const from = input(1, 1, 2, 0);
    const to = input(1, 3, 3, 3);
    const each = countChanges(two, from, to, window, null, "each");
    expect([...each.zone]).toEqual([0, 0, 0, 5, 5]);
    expect([...each.numbers.filter((_, i) => i % 6 < 3)]).toEqual([
      1, 1, 1, 1, 3, 1, 2, 3, 1, 1, 3, 1, 2, 3, 1,
    ]);
    const union = countChanges(two, from, to, window, null, "union");
    expect([...union.numbers.filter((_, i) => i % 6 < 3)]).toEqual([1, 1, 1, 1, 3, 1, 2, 3, 1]);
  });

  it("adds shares of a pixel up to the whole of it", () => {
    const two = {
      count: 2,
      data: Int32Array.of(0, 0, 0, 1, 1, 0, 0, 1),
      fraction: Float64Array.of(0.75, 0.5),
    };
    const pixels = (over: "each" | "union"): number[] => {
      const { numbers } = countChanges(two, input(1, 1, 1, 1), input(2, 2, 2, 2), window, null, over);
      return [...numbers.filter((_, i) => i % 6 === 2)];
    };
    expect(pixels("each")).toEqual([0.75, 0.5]);
    expect(pixels("union")).toEqual([1]);
  });
});

describe("zone runs", () => {
  it("take pixels that are covered to a share, as whole ones", () => {
    const shapes = prepareShapes(
      columnOf("POLYGON ((0.5 0, 3.25 0, 3.25 1, 0.5 1, 0.5 0))"),
      unitGrid(5, 1),
      "all-touched",
    );
    const window = { col: 0, row: 0, width: 5, height: 1 };
    const of = (share: number): number[] => {
      const { count, data } = zoneRuns(shapes, { kind: "at-least", share }, window, [0]);
      return [...data.subarray(0, 4 * count)];
    };
    expect(of(0.5)).toEqual([0, 0, 0, 3]);
    expect(of(0.51)).toEqual([0, 0, 1, 3]);
    expect(of(0.25)).toEqual([0, 0, 0, 4]);
  });

  it("are never found where a zone was said not to be", () => {
    const vertex = fc.tuple(
      fc.double({ min: -10, max: 50, noNaN: true }),
      fc.double({ min: -10, max: 50, noNaN: true }),
    );
    let empty = 0;
    fc.assert(
      fc.property(fc.array(vertex, { minLength: 3, maxLength: 7 }), (ring) => {
        const text = [...ring, ring[0]!].map(([x, y]) => `${x} ${y}`).join(", ");
        for (const rule of ["center", "all-touched"] as const) {
          const shapes = prepareShapes(columnOf(`POLYGON ((${text}))`), unitGrid(40, 40), rule);
          for (let row = 0; row < 40; row += 8) {
            for (let col = 0; col < 40; col += 8) {
              const window = { col, row, width: 8, height: 8 };
              if (mayMeet(shapes, 0, window)) continue;
              empty++;
              expect(scanRuns(shapes, window).count).toBe(0);
              if (rule === "all-touched") expect(coverageRuns(shapes, window).count).toBe(0);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(empty).toBeGreaterThan(1000);
  });
});
