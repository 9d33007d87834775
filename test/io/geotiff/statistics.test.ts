import { expect, it } from "vitest";
import { statisticsCollector } from "../../../src/io/geotiff/statistics.ts";
import { randoms } from "./write-helpers.ts";

/** Count, extremes and exact sums the long way. */
function slowly(values: readonly number[]): { valid: number; min: number; max: number; mean: number } {
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    valid: values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    mean: sum / values.length,
  };
}

it("counts bytes of several bands in turn, whatever the width and the distance of rows", () => {
  const next = randoms(11);
  const bands = ["uint8", "int8", "uint8"] as const;
  const collectors = bands.map((type, b) => statisticsCollector(type, b === 2 ? 7 : null)!);
  const seen: number[][] = [[], [], []];
  for (const [stride, width, height] of [
    [64, 64, 16],
    [64, 37, 9],
    [30, 30, 5],
    [64, 3, 16],
    [128, 64, 2],
  ] as const) {
    for (const [b, type] of bands.entries()) {
      const bytes = Uint8Array.from({ length: stride * height }, () => next() % 256);
      const samples = type === "int8" ? new Int8Array(bytes.buffer) : bytes;
      const mask = width === 37 ? Uint8Array.from(bytes, (_, i) => (i % 3 === 0 ? 0 : 255)) : null;
      collectors[b]!.add(samples, stride, width, height, mask);
      for (let y = 0; y < height; y++)
        for (let i = y * stride; i < y * stride + width; i++)
          if (mask?.[i] !== 0 && !(b === 2 && samples[i] === 7)) seen[b]!.push(samples[i]!);
    }
  }
  for (const [b, collector] of collectors.entries()) {
    const found = collector.result();
    expect(found).toMatchObject(slowly(seen[b]!));
    // Asked again, the same.
    expect(collector.result()).toEqual(found);
  }
});
