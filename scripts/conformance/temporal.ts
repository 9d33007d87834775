import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CompositeOptions, composite, memoryRaster, type SampleType, type SceneInput } from "tilth";
import { type Family, type FileResult, Tally } from "./family.ts";

/** Rows of pixels, one number each. */
type Plane = (number | null)[][];

interface CalendarVector {
  id: string;
  dates: string[];
  values: Plane[];
  expected: Record<string, Record<string, Plane>>;
}

interface StackVector {
  id: string;
  dtype: "float64" | "float32" | "int16" | "int32" | "uint8";
  nodata: number | string | null;
  dates: string[];
  values: Plane[];
  quality: Plane[];
  expected: Record<string, unknown>;
}

/** Relative tolerance of fractions; counts, indexes, modes, minima and maxima are exact. */
const TOLERANCE = 1e-9;

/** Vectors of the family: stacks reduced over time, and dated series grouped by calendar periods. */
export const family: Family = {
  name: "temporal",
  async run(dir: string): Promise<FileResult[]> {
    const results: FileResult[] = [];
    for (const [file, run] of [
      ["calendar.jsonl", calendar],
      ["stacks.jsonl", stacks],
    ] as const) {
      const path = join(dir, file);
      if (!existsSync(path)) continue;
      const tally = new Tally("temporal", file);
      for (const line of readFileSync(path, "utf8").split("\n")) {
        if (line.trim() !== "") await run(JSON.parse(line) as never, tally);
      }
      results.push(tally.result);
    }
    return results;
  },
};

const PERIODS = { month: "month", hydroyear: "agri-year", season: "crop-season" } as const;

/** A vector passes when every period of every grouping agrees and the others are empty. */
async function calendar(vector: CalendarVector, tally: Tally): Promise<void> {
  await tally.check(vector.id, async () => {
    const scenes = scenesOf(vector.values, vector.dates, "float64", Number.NaN);
    for (const [name, periods] of Object.entries(vector.expected)) {
      const [grouping, method] = name.split("_") as [keyof typeof PERIODS, "mean"];
      if (PERIODS[grouping] === undefined) return `${name}: not a grouping that is known`;
      const found = await composite(scenes, { period: PERIODS[grouping], method, type: "float64" });
      const names = new Set(found.map(({ period }) => period.name));
      const lost = Object.keys(periods).find((period) => !names.has(period));
      if (lost !== undefined) return `${name}: no period ${lost}, there are ${[...names].join(", ")}`;
      for (const { period, source } of found) {
        const values = await pixels(source);
        const expected = periods[period.name]?.flat() ?? values.map(() => null);
        const why = different(
          values,
          expected,
          method !== "mean" && method !== "sum",
          tally,
          method === ("count" as string),
        );
        if (why !== null) return `${name} ${period.name}: ${why}`;
      }
    }
    return null;
  });
}

const EXACT = new Set(["count", "min", "max", "mode", "variety", "first", "last"]);

/** A vector is several cases: values over time, percentiles, the best pixel, and what belongs to series. */
async function stacks(vector: StackVector, tally: Tally): Promise<void> {
  const { expected, id } = vector;
  const nodata = vector.nodata === null ? null : Number(vector.nodata);
  const scenes = scenesOf(vector.values, vector.dates, vector.dtype, nodata);
  const compare = async (
    what: string,
    options: CompositeOptions,
    wanted: unknown,
    band = 0,
  ): Promise<string | null> => {
    for (const vectors of [true, false]) {
      const [only] = await composite(scenes, { type: "float64", vectors, ...options });
      const values = await pixels(only!.source, band);
      const method = String(options.method).split(":")[0]!;
      const exact = EXACT.has(method) || band > 0;
      const empty = method === "count" || method === "variety";
      const why = different(values, (wanted as Plane).flat(), exact, tally, empty);
      if (why !== null) return `${what}${vectors ? "" : ", without vectors"}: ${why}`;
    }
    return null;
  };
  const all = async (
    checks: readonly (readonly [string, CompositeOptions, unknown, number?])[],
  ): Promise<string | null> => {
    for (const [what, options, wanted, band] of checks) {
      const why = await compare(what, options, wanted, band);
      if (why !== null) return why;
    }
    return null;
  };
  await tally.check(`${id} values`, async () => {
    const why = await all([
      ...(["count", "sum", "mean", "min", "max", "median", "variety", "first", "last"] as const).map(
        (method) => [method, { method }, expected[method]] as const,
      ),
      ["variance_pop", { method: "variance" }, expected["variance_pop"]],
      ["stdev_pop", { method: "stdev" }, expected["stdev_pop"]],
      ["stdev_sample", { method: "stdev", ddof: 1 }, expected["stdev_sample"]],
      ["mode_smallest", { method: "mode" }, expected["mode_smallest"]],
      ["mode_largest", { method: "mode", modeTies: "largest" }, expected["mode_largest"]],
      ["argmax", { method: "max", provenance: ["index"] }, expected["argmax"], 1],
      ["argmin", { method: "min", provenance: ["index"] }, expected["argmin"], 1],
      ["count of max", { method: "max", provenance: ["index", "count"] }, expected["count"], 2],
    ]);
    return why;
  });
  await tally.check(`${id} percentiles`, () =>
    all(
      (["linear", "lower", "higher", "nearest"] as const).flatMap((percentileRule) =>
        Object.entries(expected[`percentile_${percentileRule}`] as Record<string, Plane>).map(
          ([q, wanted]) =>
            [
              `${percentileRule} ${q}`,
              { method: `percentile:${Number(q)}`, percentileRule },
              wanted,
            ] as const,
        ),
      ),
    ),
  );
  await tally.check(`${id} best pixel`, async () => {
    const best = expected["quality_mosaic"] as Record<string, Plane>;
    const judged = scenesOf(vector.quality, vector.dates, "float64", Number.NaN);
    const both = scenes.map(
      (scene, k): SceneInput => ({
        date: scene.date,
        bands: { value: scene.source!, quality: judged[k]!.source! },
      }),
    );
    for (const bestTies of ["first", "last"] as const) {
      const [only] = await composite(both, {
        method: "best:quality",
        bestTies,
        type: "float64",
        provenance: ["index"],
      });
      const why =
        different(await pixels(only!.source, 0), best[`value_${bestTies}`]!.flat(), true, tally) ??
        different(await pixels(only!.source, 2), best[`index_${bestTies}`]!.flat(), true, tally);
      if (why !== null) return `${bestTies}: ${why}`;
    }
    return null;
  });
  for (const part of ["linear_fit_days", "interpolated", "at_regular"])
    if (Object.keys(expected).some((name) => name.startsWith(part))) tally.skip(`series per pixel: ${part}`);
}

function scenesOf(
  planes: readonly Plane[],
  dates: readonly string[],
  type: SampleType,
  nodata: number | null,
): SceneInput[] {
  return planes.map((plane, k) => {
    const height = plane.length;
    const width = plane[0]!.length;
    const samples = ARRAYS[type as keyof typeof ARRAYS].from(
      plane.flat().map((value) => value ?? nodata ?? Number.NaN),
    );
    const grid = { width, height, transform: [1, 0, 0, 0, -1, height] as const, crs: null };
    return { date: dates[k]!, source: memoryRaster(grid, [{ type, nodata }], [samples]) };
  });
}

const ARRAYS = {
  float64: Float64Array,
  float32: Float32Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
};

/** A band, `null` where it has no value. */
async function pixels(
  source: Awaited<ReturnType<typeof composite>>[number]["source"],
  band = 0,
): Promise<(number | null)[]> {
  const { width, height } = source.grid;
  const block = await source.read({ col: 0, row: 0, width, height }, { bands: [band] });
  const { nodata } = source.bands[band]!;
  return Array.from(block.bands[0] as Float64Array, (value) => (Object.is(value, nodata) ? null : value));
}

/** @param emptyIsZero  An expected `null` may be 0, and the other way round: nothing was counted. */
function different(
  found: readonly (number | null)[],
  expected: readonly (number | null)[],
  exact: boolean,
  tally: Tally,
  emptyIsZero = false,
): string | null {
  for (const [i, value] of found.entries()) {
    const wanted = expected[i]!;
    if (value === wanted || (emptyIsZero && (value ?? 0) === (wanted ?? 0))) continue;
    if (value === null || wanted === null) return `pixel ${i} is ${value}, expected ${wanted}`;
    const error = Math.abs(value - wanted) / Math.max(Math.abs(wanted), Number.MIN_VALUE);
    tally.error(error);
    if (exact || !(error <= TOLERANCE)) return `pixel ${i} is ${value}, expected ${wanted}`;
  }
  return null;
}
