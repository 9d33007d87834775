import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CompositeJob, compositeBlock } from "../../../src/kernels/temporal/composite-block.ts";
import type { CompositeMethod } from "../../../src/kernels/temporal/methods.ts";
import type { StackPlanes } from "../../../src/kernels/temporal/planes.ts";
import type { SampleArray } from "../../../src/model/raster.ts";

function planes(samples: readonly SampleArray[], more: Partial<StackPlanes> = {}): StackPlanes {
  return {
    samples,
    nodata: samples.map(() => null),
    masks: samples.map(() => null),
    range: null,
    scaling: null,
    ...more,
  };
}

function job(
  method: CompositeMethod,
  bands: readonly StackPlanes[],
  more: Partial<CompositeJob> = {},
): CompositeJob {
  const { samples } = bands[0]!;
  return {
    pixels: samples[0]!.length,
    method,
    bands,
    quality: null,
    days: Int32Array.from(samples, (_, k) => 100 + k),
    indexes: Int32Array.from(samples, (_, k) => 10 + k),
    provenance: [],
    type: "float64",
    nodata: Number.NaN,
    masked: false,
    ...more,
  };
}

/** One pixel over time. */
function pixel(
  method: CompositeMethod,
  values: readonly number[],
  more: Partial<CompositeJob> = {},
): number[] {
  const { bands } = compositeBlock(
    job(method, [planes(values.map((value) => Float64Array.of(value)))], more),
  );
  return bands.map((band) => Number(band[0]));
}

const NOTHING = Number.NaN;

describe("one band", () => {
  test.each<[CompositeMethod, number]>([
    [{ kind: "min" }, 1],
    [{ kind: "max" }, 9],
    [{ kind: "sum" }, 19],
    [{ kind: "mean" }, 4.75],
    [{ kind: "median" }, 4.5],
    [{ kind: "count" }, 4],
    [{ kind: "variety" }, 4],
    [{ kind: "first" }, 4],
    [{ kind: "last" }, 5],
    [{ kind: "variance", ddof: 0 }, 8.1875],
    [{ kind: "stdev", ddof: 1 }, Math.sqrt(32.75 / 3)],
    [{ kind: "percentile", q: 25, rule: "linear" }, 3.25],
    [{ kind: "percentile", q: 25, rule: "nearest-rank" }, 1],
    [{ kind: "percentile", q: 25, rule: "earth-engine" }, 2.5],
    [{ kind: "anyNonZero" }, 1],
  ])("%j of 4, nothing, 1, 9, 5 is %d", (method, expected) => {
    expect(pixel(method, [4, NOTHING, 1, 9, 5])[0]).toBeCloseTo(expected, 12);
  });

  test("of nothing is nothing, but a count of 0", () => {
    for (const kind of [
      "min",
      "max",
      "sum",
      "mean",
      "median",
      "first",
      "last",
      "variety",
      "anyNonZero",
    ] as const)
      expect(pixel({ kind }, [NOTHING, NOTHING])).toEqual([NOTHING]);
    expect(pixel({ kind: "count" }, [NOTHING, NOTHING])).toEqual([0]);
    expect(pixel({ kind: "variance", ddof: 1 }, [3])).toEqual([NOTHING]);
  });

  test("the most frequent value of several is the smallest, the largest, or the first there was", () => {
    const values = [5, 2, 9, 9, 2, 5, 7];
    expect(pixel({ kind: "mode", ties: "smallest" }, values)).toEqual([2]);
    expect(pixel({ kind: "mode", ties: "largest" }, values)).toEqual([9]);
    expect(pixel({ kind: "mode", ties: "first" }, values)).toEqual([5]);
  });

  test("of equal extremes the first in time is told, with its day and its number", () => {
    expect(pixel({ kind: "max" }, [3, 8, NOTHING, 8], { provenance: ["count", "date", "index"] })).toEqual([
      8, 3, 101, 11,
    ]);
    expect(pixel({ kind: "min" }, [NOTHING], { provenance: ["count", "date"] })).toEqual([
      NOTHING,
      0,
      NOTHING,
    ]);
  });

  test("large terms may cancel", () => {
    expect(pixel({ kind: "sum" }, [1e15, 0.1, 1e-9, -1e15])[0]).toBe(0.100000001);
  });

  test("masks, nodata, ranges and scales apply in that order of sense: the range is of samples", () => {
    const samples = [Int16Array.of(10, 10), Int16Array.of(20, -1), Int16Array.of(500, 30)];
    const band = planes(samples, {
      nodata: [null, -1, null],
      masks: [Uint8Array.of(255, 0), null, null],
      range: [0, 100],
      scaling: [
        [0.5, 1],
        [0.5, 1],
        [0.5, 1],
      ],
    });
    const { bands } = compositeBlock(job({ kind: "mean" }, [band]));
    expect([...(bands[0] as Float64Array)]).toEqual([8.5, 16]);
  });

  test("whole numbers are rounded halves up and cut to their range", () => {
    const options = { type: "int8", nodata: -128 } as const;
    expect(pixel({ kind: "mean" }, [2, 3], options)).toEqual([3]);
    expect(pixel({ kind: "mean" }, [-2, -3], options)).toEqual([-2]);
    expect(pixel({ kind: "sum" }, [100, 100], options)).toEqual([127]);
    expect(pixel({ kind: "sum" }, [NOTHING], options)).toEqual([-128]);
  });

  test("a mask says where nothing is when no sample can", () => {
    const { bands, mask } = compositeBlock(
      job(
        { kind: "max" },
        [
          planes([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], {
            masks: [Uint8Array.of(255, 0), Uint8Array.of(255, 0)],
          }),
        ],
        {
          type: "uint8",
          nodata: 0,
          masked: true,
        },
      ),
    );
    expect([...(bands[0] as Uint8Array)]).toEqual([3, 0]);
    expect([...mask!]).toEqual([255, 0]);
  });
});

describe("several bands", () => {
  const red = [1, 5, 6, 100].map((v) => Float64Array.of(v));
  const nir = [2, 6, 7, 100].map((v) => Float64Array.of(v));

  test("the medoid is the scene nearest to all others", () => {
    const { bands } = compositeBlock(
      job({ kind: "medoid" }, [planes(red), planes(nir)], { provenance: ["index", "count"] }),
    );
    expect(bands.map((band) => Number(band[0]))).toEqual([5, 6, 11, 4]);
  });

  test("a scene with one band missing does not count", () => {
    const gaps = [Float64Array.of(1), Float64Array.of(NOTHING), Float64Array.of(6), Float64Array.of(100)];
    const { bands } = compositeBlock(
      job({ kind: "medoid" }, [planes(gaps), planes(nir)], { provenance: ["index", "count"] }),
    );
    expect(bands.map((band) => Number(band[0]))).toEqual([6, 7, 12, 3]);
  });

  test("the best pixel brings all bands of its scene, of equal ones the first or the last", () => {
    const quality = planes([3, 9, 9, NOTHING].map((v) => Float64Array.of(v)));
    const run = (ties: "first" | "last", largest = true): number[] =>
      compositeBlock(
        job({ kind: "best", largest, ties }, [planes(red), planes(nir)], { quality, provenance: ["index"] }),
      ).bands.map((band) => Number(band[0]));
    expect(run("first")).toEqual([5, 6, 11]);
    expect(run("last")).toEqual([6, 7, 12]);
    expect(run("last", false)).toEqual([1, 2, 10]);
  });

  test("the geometric median of the corners of a triangle is its Fermat point", () => {
    // Angles below 120 degrees: the point sees every side under 120 degrees. Of this one: (0, 1/sqrt 3).
    const x = planes([-1, 1, 0].map((v) => Float64Array.of(v)));
    const y = planes([0, 0, 2].map((v) => Float64Array.of(v)));
    const { bands } = compositeBlock(
      job({ kind: "geomedian", tolerance: 1e-12, iterations: 10_000 }, [x, y]),
    );
    expect(Number(bands[0]![0])).toBeCloseTo(0, 9);
    expect(Number(bands[1]![0])).toBeCloseTo(1 / Math.sqrt(3), 9);
  });

  test("the geometric median stays on an observation that outweighs the others", () => {
    const x = planes([0, 0, 0, 10, -3].map((v) => Float64Array.of(v)));
    const y = planes([0, 0, 0, 1, 4].map((v) => Float64Array.of(v)));
    const { bands } = compositeBlock(
      job({ kind: "geomedian", tolerance: 1e-12, iterations: 10_000 }, [x, y]),
    );
    expect(Number(bands[0]![0])).toBeCloseTo(0, 6);
    expect(Number(bands[1]![0])).toBeCloseTo(0, 6);
  });
});

describe("vectors", () => {
  const METHODS: readonly CompositeMethod[] = [
    { kind: "min" },
    { kind: "max" },
    { kind: "median" },
    { kind: "mean" },
    { kind: "sum" },
    { kind: "count" },
    { kind: "mode", ties: "smallest" },
    { kind: "mode", ties: "largest" },
    { kind: "percentile", q: 10, rule: "linear" },
    { kind: "percentile", q: 75, rule: "earth-engine" },
    { kind: "percentile", q: 50, rule: "nearest" },
  ];
  const ARRAYS = [Uint8Array, Int8Array, Uint16Array, Int16Array, Float32Array] as const;

  test("give the same bits as the plain way, for every sample type, depth and kind of gap", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ARRAYS),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(127, 128, 255, 256)),
        fc.constantFrom("none", "nodata", "mixed", "masks", "range"),
        fc.constantFrom("float64", "int16", "uint8"),
        fc.integer({ min: 1, max: 2 ** 31 }),
        (array, scenes, gaps, type, seed) => {
          let state = seed;
          const random = (): number => {
            state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
            return state / 2 ** 32;
          };
          const size = 37;
          const samples = Array.from({ length: scenes }, () => {
            const one = new array(size);
            for (let i = 0; i < size; i++) {
              const wide = array === Float32Array ? random() * 9 - 4 : Math.floor(random() * 65_536) - 32_768;
              one[i] = random() < 0.3 ? 3 : i % 3 === 0 ? Math.floor(random() * 5) : wide;
              if (array === Float32Array && random() < 0.2) one[i] = random() < 0.5 ? Number.NaN : -0;
            }
            return one;
          });
          const band = planes(samples, {
            nodata: samples.map((_, k) => (gaps === "none" ? null : gaps === "mixed" && k % 2 === 1 ? 4 : 3)),
            masks: samples.map((_, k) =>
              gaps === "masks" && k % 3 !== 1
                ? Uint8Array.from({ length: size }, () => (random() < 0.6 ? 255 : 0))
                : null,
            ),
            range: gaps === "range" ? [-20, 100] : null,
          });
          for (const method of METHODS) {
            const work = job(method, [band], {
              type,
              nodata: type === "float64" ? Number.NaN : 0,
              provenance: ["count"],
            });
            expect(compositeBlock(work)).toEqual(compositeBlock({ ...work, vectors: false }));
          }
        },
      ),
      { seed: 3, numRuns: 25 },
    );
  });
});
