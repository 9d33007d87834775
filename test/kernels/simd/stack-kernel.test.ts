import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Comparator, selectionNetwork, sortingNetwork } from "../../../src/kernels/simd/network.ts";
import { MOST_SCENES, PIECE, type StackOp, stackKernel } from "../../../src/kernels/simd/stack-kernel.ts";

function through(network: readonly Comparator[], values: readonly number[]): number[] {
  const out = [...values];
  for (const { low, high, keepLow, keepHigh } of network) {
    const [a, b] = [out[low]!, out[high]!];
    // What is not kept may be anything: make sure that nobody looks.
    out[low] = keepLow ? Math.min(a, b) : Number.NaN;
    out[high] = keepHigh ? Math.max(a, b) : Number.NaN;
  }
  return out;
}

describe("networks", () => {
  test("sort every list of zeros and ones up to 12 long, so (0-1 principle) everything", () => {
    for (let size = 1; size <= 12; size++) {
      const network = sortingNetwork(size);
      for (let bits = 0; bits < 2 ** size; bits++) {
        const values = Array.from({ length: size }, (_, k) => (bits >> k) & 1);
        expect(through(network, values)).toEqual([...values].sort());
      }
    }
  });

  test("sort long lists, and put chosen places right with fewer comparisons", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 2, maxLength: MOST_SCENES }),
        fc.nat(),
        (values, at) => {
          const sorted = [...values].sort((a, b) => a - b);
          expect(through(sortingNetwork(values.length), values)).toEqual(sorted);
          const place = at % values.length;
          const selection = selectionNetwork(values.length, [place]);
          expect(through(selection, values)[place]).toBe(sorted[place]);
          expect(selection.length).toBeLessThanOrEqual(sortingNetwork(values.length).length);
        },
      ),
      { seed: 11, numRuns: 100 },
    );
  });
});

describe("kernels", () => {
  test("give the two middle samples of what is not missing, for every number of scenes and of missing ones", () => {
    for (const scenes of [1, 2, 3, 4, 5, 8, 24, 25]) {
      const kernel = stackKernel("median", "i16", scenes, "nodata")!;
      // Pixel p misses its first p scenes; samples fall over time.
      for (let k = 0; k < scenes; k++)
        for (let p = 0; p <= scenes; p++) kernel.planes[k]![p] = k < p ? -999 : 100 * (scenes - k);
      kernel.run(scenes + 1, -999);
      for (let p = 0; p <= scenes; p++) {
        const left = scenes - p;
        expect(kernel.counts[p]).toBe(left);
        if (left === 0) continue;
        expect([kernel.first[p], kernel.second[p]]).toEqual([
          100 * ((left + 1) >> 1),
          100 * ((left >> 1) + 1),
        ]);
      }
    }
  });

  test("are made once for a case, and not for what they cannot do", () => {
    expect(stackKernel("min", "u8", 3, "all")).toBe(stackKernel("min", "u8", 3, "all"));
    expect(stackKernel("sum", "f32", 3, "all")).toBeNull();
    expect(stackKernel("median", "i16", MOST_SCENES + 1, "all")).toBeNull();
    expect(stackKernel("median", "i16", 0, "all")).toBeNull();
  });

  test("hold samples at the ends of their types apart from missing ones", () => {
    const cases: [StackOp, number][] = [
      ["min", 32_767],
      ["max", 32_767],
      ["mode-smallest", 32_767],
      ["mode-largest", 32_767],
    ];
    for (const [op, expected] of cases) {
      const kernel = stackKernel(op, "i16", 4, "nodata")!;
      kernel.planes.forEach((plane, k) => {
        plane[0] = k < 2 ? 32_767 : 7;
      });
      kernel.run(1, 7);
      expect([kernel.first[0], kernel.counts[0]]).toEqual([expected, 2]);
    }
  });

  test("work on whole pieces", () => {
    const kernel = stackKernel("sum", "u8", 2, "all")!;
    kernel.planes[0]!.fill(255);
    kernel.planes[1]!.fill(200);
    kernel.run(PIECE, 0);
    expect(kernel.sums.every((sum) => sum === 455)).toBe(true);
  });
});
