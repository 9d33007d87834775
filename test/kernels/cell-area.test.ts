import { describe, expect, it } from "vitest";
import { cellArea, SPHERE_RADIUS, splitNumbers } from "../../src/kernels/raster/cell-area.ts";

describe("cellArea", () => {
  it("adds up to the surface of the whole earth", () => {
    // Surface of the WGS 84 ellipsoid as NIMA TR8350.2 gives it.
    expect(cellArea(-90, 90, 360, "ellipsoid") / 510065621724088.44).toBeCloseTo(1, 14);
    expect(cellArea(-90, 90, 360, "sphere") / (4 * Math.PI * SPHERE_RADIUS ** 2)).toBeCloseTo(1, 14);
  });

  it("keeps its digits in small cells: cells of a column add up to the column", () => {
    for (const surface of ["ellipsoid", "sphere"] as const) {
      let sum = 0;
      const step = 1 / 40000;
      for (let k = 0; k < 40000; k++) sum += cellArea(23 + k * step, 23 + (k + 1) * step, step, surface);
      expect(sum / cellArea(23, 24, step, surface)).toBeCloseTo(1, 11);
    }
  });
});

describe("splitNumbers", () => {
  it("splits into two parts that give the number back and add exactly", () => {
    const values = Float64Array.of(913.123456789, 912.987654321, 0);
    const { high, low } = splitNumbers(values, 913.123456789);
    for (let i = 0; i < values.length; i++) expect(high[i]! + low[i]!).toBeCloseTo(values[i]!, 10);
    let forward = 0;
    for (let k = 0; k < 100_000; k++) forward += high[0]!;
    expect(forward).toBe(100_000 * high[0]!);
  });
});
