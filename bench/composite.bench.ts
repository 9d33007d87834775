import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openRaster } from "../src/io/open.ts";
import { type CompositeJob, compositeBlock } from "../src/kernels/temporal/composite-block.ts";
import type { CompositeMethod } from "../src/kernels/temporal/methods.ts";
import { tileWindows } from "../src/model/grid.ts";
import { DAY } from "../src/model/time.ts";
import { composite } from "../src/operators/composite.ts";
import { openStack, type RasterStack } from "../src/operators/stack.ts";

/** Sum of the median raster of the published inputs, halves cut off, as numpy and bottleneck have it. */
const MEDIAN_SUM = 54_553_791_716;
const SIDE = 512;

const METHODS: readonly (readonly [string, CompositeMethod])[] = [
  ["median", { kind: "median" }],
  ["percentile 10", { kind: "percentile", q: 10, rule: "linear" }],
  ["mode", { kind: "mode", ties: "smallest" }],
  ["max", { kind: "max" }],
  ["mean", { kind: "mean" }],
];

/**
 * Composites of 24 dates of int16 with 30 % gaps: vectors against the same in plain TypeScript, then the whole of reading and
 * compositing. The two must agree to the bit; on the published inputs the sum of the median must be that of numpy.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const folder = process.env["TILTH_BENCH_DATA"] ?? "";
  const names = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /^ndvi_\d\d\.tif$/.test(name))
        .sort()
    : [];
  const published = !smoke && names.length === 24;
  const samples = madeSamples(SIDE * SIDE);
  for (const [name, method] of METHODS) {
    const [fast, value] = kernel(method, samples, true, smoke ? 1 : 10);
    const [plain, same] = kernel(method, samples, false, smoke ? 1 : 2);
    if (value.some((one, i) => !Object.is(one, same[i]))) throw new Error(`${name}: results differ`);
    console.log(
      `${name}: vectors ${fast.toFixed(1)} ns a pixel, plain ${plain.toFixed(0)}, ratio ${(fast / plain).toFixed(2)} (equal bits)`,
    );
  }
  if (!published) {
    console.log("files: skipped, TILTH_BENCH_DATA has no ndvi_00.tif to ndvi_23.tif");
    return;
  }
  // Their names tell no dates; any will do.
  const sources = await Promise.all(
    names.map((name) => openRaster(join(folder, name), { cacheBytes: 2 ** 20 })),
  );
  const stack = await openStack(sources.map((source, day) => ({ date: day * DAY, source })));
  const [seconds, sum] = await time(stack);
  if (sum !== MEDIAN_SUM) throw new Error(`the median adds up to ${sum}, expected ${MEDIAN_SUM}`);
  console.log(
    `24 files of 4,000 x 4,000, median, read and composited: ${seconds.toFixed(2)} CPU seconds (sum as numpy)`,
  );
  await stack.close();
}

/** Planes of 24 dates, the same every time. */
function madeSamples(pixels: number): Int16Array[] {
  let state = 1;
  return Array.from({ length: 24 }, () => {
    const samples = new Int16Array(pixels);
    for (let i = 0; i < pixels; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      samples[i] = state < 0.3 * 2 ** 32 ? -32_768 : (state >>> 8) % 10_000;
    }
    return samples;
  });
}

/** CPU nanoseconds a pixel, warm, and the values. */
function kernel(
  method: CompositeMethod,
  samples: readonly Int16Array[],
  vectors: boolean,
  repeats: number,
): [number, Float32Array] {
  const pixels = samples[0]!.length;
  const job: CompositeJob = {
    pixels,
    method,
    bands: [
      {
        samples,
        nodata: samples.map(() => -32_768),
        masks: samples.map(() => null),
        range: null,
        scaling: null,
      },
    ],
    quality: null,
    days: new Int32Array(samples.length),
    indexes: new Int32Array(samples.length),
    provenance: [],
    type: "float32",
    nodata: Number.NaN,
    masked: false,
    vectors,
  };
  const values = compositeBlock(job).bands[0] as Float32Array;
  const start = process.cpuUsage();
  for (let k = 0; k < repeats; k++) compositeBlock(job);
  const { user, system } = process.cpuUsage(start);
  return [((user + system) * 1000) / repeats / pixels, values];
}

/** CPU seconds and the sum of the values, their fractions cut off. */
async function time(stack: RasterStack): Promise<[number, number]> {
  const [one] = await composite(stack, {});
  let sum = 0;
  const start = process.cpuUsage();
  for (const window of tileWindows(stack.grid, SIDE)) {
    const { bands } = await one!.source.read(window);
    const values = bands[0] as Float32Array;
    for (let i = 0; i < values.length; i++) if (values[i]! > -Infinity) sum += Math.trunc(values[i]!);
  }
  const { user, system } = process.cpuUsage(start);
  return [(user + system) / 1e6, sum];
}
