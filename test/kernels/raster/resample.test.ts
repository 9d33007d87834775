import { describe, expect, it } from "vitest";
import { observedOf, type SourceBlock, storeValues } from "../../../src/kernels/raster/resample/block.ts";
import {
  footprintRow,
  footprintScratch,
  footprintsOf,
} from "../../../src/kernels/raster/resample/footprint.ts";
import { filterRadius, filterWeight } from "../../../src/kernels/raster/resample/methods.ts";
import { filterRow, filterScratch, nearestIndices } from "../../../src/kernels/raster/resample/point.ts";
import {
  fitPatch,
  makePositions,
  type Patches,
  patchBounds,
  patchFit,
  patchIndices,
  patchPositions,
  patchRow,
} from "../../../src/kernels/raster/warp/patches.ts";
import { random } from "../../../src/testing/random.ts";

/** 12 x 9 samples of a block that starts at column 5, row 7 of its source. */
const block: SourceBlock = {
  window: { col: 5, row: 7, width: 12, height: 9 },
  samples: Float64Array.from({ length: 108 }, (_, i) => ((i * 53) % 97) - 20),
  valid: null,
};

describe("filterWeight", () => {
  it.each(["bilinear", "cubic", "cubicspline", "lanczos"] as const)(
    "%s is even and ends at its radius",
    (method) => {
      const radius = filterRadius(method);
      for (const d of [0, 0.3, 1, 1.7, 2.5]) expect(filterWeight(method, d)).toBe(filterWeight(method, -d));
      expect(filterWeight(method, radius)).toBeCloseTo(0, 12);
      expect(filterWeight(method, radius + 0.1)).toBe(0);
    },
  );

  it.each(["bilinear", "cubic", "cubicspline"] as const)(
    "weights of %s sum to 1 wherever the position lies",
    (method) => {
      for (const f of [0, 0.1, 0.5, 0.93]) {
        let sum = 0;
        for (let k = -3; k <= 3; k++) sum += filterWeight(method, k - f);
        expect(sum).toBeCloseTo(1, 12);
      }
    },
  );
});

describe("filterRow", () => {
  it.each(["bilinear", "cubic"] as const)("the fast ways of %s are the sum over weights", (method) => {
    const next = random(3);
    const count = 200;
    const x = new Float64Array(count).map(() => 5 + 3 + next.next() * 6);
    const y = new Float64Array(count).map(() => 7 + 3 + next.next() * 3);
    const nearest = new Int32Array(count);
    nearestIndices(x, y, count, block.window, false, nearest);
    const scratch = filterScratch(method, 1, 1);
    const careful = { ...block, valid: new Uint8Array(108).fill(1) };
    const [fast, slow] = [new Float64Array(count), new Float64Array(count)];
    filterRow(method, 1, 1, block, x, y, nearest, count, true, scratch, fast);
    filterRow(method, 1, 1, careful, x, y, nearest, count, false, scratch, slow);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let r = 0; r < 9; r++) {
        for (let c = 0; c < 12; c++) {
          const weight = filterWeight(method, c + 5.5 - x[i]!) * filterWeight(method, r + 7.5 - y[i]!);
          sum += weight * block.samples[r * 12 + c]!;
        }
      }
      expect(fast[i]).toBeCloseTo(sum, 9);
      expect(slow[i]).toBeCloseTo(sum, 9);
    }
  });
});

describe("nearestIndices", () => {
  it("a hair before an edge is on it; outside and NaN are nowhere", () => {
    const x = Float64Array.of(5, 6 - 1e-12, 6, 17, 17.1, 4.99, Number.NaN);
    const y = new Float64Array(7).fill(8.5);
    const out = new Int32Array(7);
    nearestIndices(x, y, 7, block.window, false, out);
    expect([...out]).toEqual([12, 13, 13, -1, -1, -1, -1]);
  });
});

describe("footprintRow", () => {
  const row = (
    method: Parameters<typeof footprintRow>[0],
    box: number[],
    of: SourceBlock = block,
  ): number => {
    const out = new Float64Array(1);
    footprintRow(method, of, Float64Array.from(box), 1, false, footprintScratch(), out);
    return out[0]!;
  };

  it("weights what a footprint cuts by the part that is covered", () => {
    const [a, b] = [block.samples[0]!, block.samples[1]!];
    expect(row("average", [5.75, 7, 6.5, 8])).toBeCloseTo((0.25 * a + 0.5 * b) / 0.75, 12);
    expect(row("sum", [5.75, 7, 6.5, 7.5])).toBeCloseTo((0.25 * a + 0.5 * b) / 2, 12);
    // Beyond the edge there is nothing to cover.
    expect(row("average", [3, 6, 6, 8])).toBe(a);
    expect(row("average", [0, 0, 5, 7])).toBeNaN();
    expect(row("max", [Number.NaN, 0, 9, 9])).toBeNaN();
  });

  it("takes corners on both sides of a break for what they are", () => {
    const box = new Float64Array(4);
    const [top, below] = [Float64Array.of(359.5, 0.5), Float64Array.of(359.5, 0.5)];
    const [above, under] = [Float64Array.of(1, 1), Float64Array.of(2, 2)];
    const scale = [1, 1] as const;
    footprintsOf(top, above, below, under, 1, { period: 360, limit: [180, 90], scale }, box);
    expect([...box]).toEqual([359.5, 1, 360.5, 2]);
    footprintsOf(top, above, below, under, 1, { period: 0, limit: [180, 90], scale }, box);
    expect([...box]).toEqual([359.5, 1, 360.5, 2]);
  });
});

describe("observedOf and storeValues", () => {
  it("masks, nodata and NaN are not observed", () => {
    expect(observedOf(Int16Array.of(1, 2, 3), "int16", 2, null)).toEqual(Uint8Array.of(1, 0, 1));
    expect(observedOf(Int16Array.of(1, 2, 3), "int16", 9, Uint8Array.of(255, 255, 255))).toBeNull();
    expect(observedOf(Int16Array.of(1, 2, 3), "int16", 2, Uint8Array.of(0, 1, 1))).toEqual(
      Uint8Array.of(0, 0, 1),
    );
    expect(observedOf(Float32Array.of(0.1, Number.NaN, 5), "float32", 0.1, null)).toEqual(
      Uint8Array.of(0, 0, 1),
    );
    expect(observedOf(BigInt64Array.of(7n, 8n), "int64", 7, null)).toEqual(Uint8Array.of(0, 1));
  });

  it("rounds halves up, cuts to the type and keeps clear of nodata", () => {
    const out = new Int16Array(8);
    const values = Float64Array.of(1.5, -1.5, 40_000, -40_000, Number.NaN, 6.6, -0.5, 32_767.4);
    storeValues(values, 8, out, 0, { range: [-32_768, 32_767], fill: -1, nodata: 7 });
    expect([...out]).toEqual([2, -1, 32_767, -32_768, -1, 6, 0, 32_767]);
    const bytes = new Uint8Array(3);
    storeValues(Float64Array.of(-0.2, 255.4, 300), 3, bytes, 0, { range: [0, 255], fill: 0, nodata: 0 });
    expect([...bytes]).toEqual([1, 255, 255]);
    const floats = new Float32Array(2);
    storeValues(Float64Array.of(-9999, 1), 2, floats, 0, { range: null, fill: -9999, nodata: -9999 });
    expect(floats[0]).not.toBe(-9999);
    expect(floats[0]).toBeCloseTo(-9999, 2);
  });
});

describe("patches", () => {
  it.each([3, 6])(
    "degree %i gives a polynomial of that degree back, and says how wrong it is about others",
    (degree) => {
      const fit = patchFit(degree);
      const xy = new Float64Array(2 * fit.points);
      patchPositions(fit, 64, 128, 48, 64, xy, 0);
      const curve = (u: number, power: number): number => 1000 + u + ((u - 80) / 40) ** power;
      const bent = xy.map((value, k) => (k % 2 === 0 ? curve(value, degree) : 3 * value));
      const values = new Float64Array(2 * (degree + 1) ** 2);
      expect(fitPatch(fit, bent, 0, values, 0)).toBeLessThan(1e-10);
      const patches: Patches = { layout: Int32Array.of(64, 128, 48, 64, degree, 0), values };
      const positions = makePositions(48);
      patchRow(patches, 0, "centers", 3, 10, 45, positions);
      for (let i = 0; i < 45; i++) {
        expect(positions.x[i]).toBeCloseTo(curve(64 + 3 + i + 0.5, degree), 9);
        expect(positions.y[i]).toBeCloseTo(3 * 138.5, 9);
      }
      patchRow(patches, 0, "corners", 0, 64, 1, positions);
      expect(positions.x[0]).toBeCloseTo(curve(64, degree), 9);
      expect(positions.y[0]).toBeCloseTo(3 * 192, 9);
      const bounds = new Float64Array(4);
      expect(patchBounds(patches, 0, bounds)).toBe(true);
      expect(bounds[1]).toBeCloseTo(3 * 128, 9);
      expect(bounds[3]).toBeCloseTo(3 * 192, 9);
      const rough = xy.map((value, k) => (k % 2 === 0 ? curve(value, degree + 1) : value));
      expect(fitPatch(fit, rough, 0, values, 0)).toBeGreaterThan(1e-6);
      rough[0] = Number.NaN;
      expect(fitPatch(fit, rough, 0, values, 0)).toBe(Infinity);
    },
  );

  it("finds indices in one go as by positions", () => {
    const fit = patchFit(3);
    const xy = new Float64Array(2 * fit.points);
    patchPositions(fit, 0, 0, 50, 40, xy, 0);
    const bent = xy.map((value, k) =>
      k % 2 === 0 ? 7 + value * 1.01 : 9 + value * 0.97 + (value / 90) ** 3,
    );
    const values = new Float64Array(32);
    fitPatch(fit, bent, 0, values, 0);
    const patches: Patches = { layout: Int32Array.of(0, 0, 50, 40, 3, 0), values };
    const window = { col: 2, row: 3, width: 70, height: 60 };
    const [a, b] = [new Int32Array(50), new Int32Array(50)];
    const positions = makePositions(50);
    for (let row = 0; row < 40; row++) {
      patchIndices(patches, 0, 0, row, 50, window, 1e-10, a);
      patchRow(patches, 0, "centers", 0, row, 50, positions);
      nearestIndices(positions.x, positions.y, 50, window, false, b);
      expect(a).toEqual(b);
    }
  });

  it("says when positions are missing", () => {
    const values = Float64Array.of(1, 2, Number.NaN, Number.NaN, 5, 1, 3, 4);
    const patches: Patches = { layout: Int32Array.of(0, 0, 2, 2, -1, 0), values };
    const bounds = new Float64Array(4);
    expect(patchBounds(patches, 0, bounds)).toBe(false);
    expect([...bounds]).toEqual([1, 1, 5, 4]);
  });
});
