import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCrossings, side } from "../../../../src/kernels/vector/relate/side.ts";

describe("the side of a line that a point is on", () => {
  it("is positive on the left, negative on the right and 0 on the line", () => {
    expect(side(0, 0, 2, 0, 1, 1)).toBeGreaterThan(0);
    expect(side(0, 0, 2, 0, 1, -1)).toBeLessThan(0);
    expect(side(0, 0, 2, 2, 5, 5)).toBe(0);
  });

  it("is told where rounding would hide it", () => {
    // The doubles nearest to 0.95 and 0.05 have a sum a little less than 1.
    expect(side(1, 0, 0, 1, 0.95, 0.05)).toBeGreaterThan(0);
    expect(side(12, 12, 24, 24, 0.5 + 2 ** -53, 0.5)).toBeLessThan(0);
    expect(side(12, 12, 24, 24, 0.5, 0.5 + 2 ** -53)).toBeGreaterThan(0);
  });

  it("is told where products are too small or too large for doubles", () => {
    for (const unit of [5e-324, 2 ** -700, 2 ** 700, 2 ** 1020]) {
      expect(side(0, 0, 2 * unit, unit, 4 * unit, 2 * unit)).toBe(0);
      expect(side(0, 0, 2 * unit, unit, 4 * unit, 3 * unit)).toBeGreaterThan(0);
      expect(side(0, 0, 2 * unit, unit, 4 * unit, unit)).toBeLessThan(0);
    }
    const max = Number.MAX_VALUE;
    expect(side(-max, -max, max, max, max, -max)).toBeLessThan(0);
    expect(side(-max, -max, max, max, 1, 1)).toBe(0);
  });
});

describe("the order of two crossings along a segment", () => {
  it("is that of the fractions of the way, exactly", () => {
    const whole = fc.integer({ min: -50, max: 50 });
    const crossed = fc.tuple(
      whole,
      fc.integer({ min: 1, max: 50 }),
      whole,
      fc.integer({ min: -50, max: -1 }),
    );
    fc.assert(
      fc.property(crossed, crossed, ([px, py, qx, qy], [rx, ry, sx, sy]) => {
        // Both cross the x axis, at (px qy - qx py) / (qy - py).
        const first = [px * qy - qx * py, qy - py] as const;
        const second = [rx * sy - sx * ry, sy - ry] as const;
        const expected = Math.sign(first[0] * second[1] - second[0] * first[1]);
        const found = compareCrossings(-60, 0, 60, 0, px, py, qx, qy, rx, ry, sx, sy);
        expect(Math.sign(found) + 0).toBe(expected + 0);
        const back = compareCrossings(60, 0, -60, 0, px, py, qx, qy, rx, ry, sx, sy);
        expect(Math.sign(back) + 0).toBe(0 - expected);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("is told where doubles have one number for both", () => {
    const tiny = 2 ** -52;
    // Through x = 1/3 and through a point 2^-54 or so to the right of it.
    expect(compareCrossings(0, 0, 1, 0, 0, 1, 1, -2, 0, 1, 1 + tiny, -2)).toBeLessThan(0);
    expect(compareCrossings(0, 0, 1, 0, 0, 1, 1, -2, 0, 2, 2 / 3 + 1 / 3, -4)).toBe(0);
  });
});
