import { type Executor, inline } from "../execution/executor.ts";
import {
  type CompositeBlock,
  type CompositeJob,
  compositeBlock,
  type Provenance,
} from "../kernels/temporal/composite-block.ts";
import {
  type CompositeMethod,
  isPixelMethod,
  type ModeTies,
  PERCENTILE_RULES,
  type PercentileRule,
  picksScene,
} from "../kernels/temporal/methods.ts";
import type { StackPlanes } from "../kernels/temporal/planes.ts";
import { GeoError } from "../model/errors.ts";
import type { Window } from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  SAMPLE_BYTES,
  type SampleArray,
  type SampleType,
  sampleArray,
} from "../model/raster.ts";
import {
  dayNumber,
  formatInstant,
  type Instant,
  type Period,
  type PeriodOptions,
  type PeriodRule,
  parseInstant,
  periodsBetween,
} from "../model/time.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { DEFAULT_MEMORY } from "./read-windows.ts";
import { openStack, type RasterStack, type Scene, type SceneInput } from "./stack.ts";
import { type QualityChecker, qualityChecker } from "./temporal/mask.ts";
import { parseQualityRule, type QualityRule } from "./temporal/quality.ts";

export type { Provenance } from "../kernels/temporal/composite-block.ts";
export type { ModeTies, PercentileRule } from "../kernels/temporal/methods.ts";

/** How one value is made of many; see {@link CompositeOptions} for what else belongs to each. */
export type CompositeMethodName =
  | "min"
  | "max"
  | "mean"
  | "median"
  | "mode"
  | "sum"
  | "count"
  | "variety"
  | "stdev"
  | "variance"
  | "first"
  | "last"
  | "mosaic"
  | "anyNonZero"
  | "medoid"
  | "geomedian"
  | `percentile:${number}`
  | `best:${string}`;

export interface CompositeOptions extends PeriodOptions {
  /**
   * Default `"median"`. Band by band, so that bands of one pixel may come from several scenes, except `best:BAND` (the scene with
   * the largest value of a band; `best:BAND:min` the smallest), `medoid` and `geomedian`, which look at all bands of a
   * scene together and need all of them observed. `mosaic` is the topmost scene, see `order`.
   */
  readonly method?: CompositeMethodName | undefined;
  /** Default `"all"`. */
  readonly period?: PeriodRule | undefined;
  /** Scenes from here on; default the first scene. */
  readonly start?: Instant | Date | string | undefined;
  /** Scenes before this; default all. A date without a time is its midnight, so that day itself is not part of it. */
  readonly end?: Instant | Date | string | undefined;
  /** Which pixels the quality band of each scene leaves: a preset or conditions, see `parseQualityRule`. */
  readonly qa?: string | QualityRule | undefined;
  /** Pixels within so many rows and columns of a refused one are refused too. Default 0. */
  readonly dilate?: number | undefined;
  /** Samples below and above are no observations; before scale and offset. */
  readonly validRange?: readonly [min: number, max: number] | undefined;
  /** Work on `sample * scale + offset` instead of samples. Default: samples, whose scale and offset the result carries. */
  readonly physical?: boolean | undefined;
  /** Of several most frequent values; default `"smallest"`. */
  readonly modeTies?: ModeTies | undefined;
  /** Default `"linear"`. */
  readonly percentileRule?: PercentileRule | undefined;
  /** Taken off the number of observations in variances: 0 (default) of a population, 1 of a sample. */
  readonly ddof?: number | undefined;
  /** Of scenes that are equally good, for `best`; default `"first"` in time. */
  readonly bestTies?: "first" | "last" | undefined;
  /** For `mosaic`: which scene is on top, by time, or the last of the list that the stack was made of (`"given"`). Default `"last"`. */
  readonly order?: "last" | "first" | "given" | undefined;
  /** `"gee"`: defaults as Earth Engine documents them: percentiles by its rule, mosaics in the order given. */
  readonly preset?: "gee" | undefined;
  /** For `geomedian`: smallest step, as a share of the mean distance; default 1e-6. */
  readonly tolerance?: number | undefined;
  /** For `geomedian`: most steps; default 1,000. */
  readonly iterations?: number | undefined;
  /**
   * Type of the result. Default: that of the bands where the value is one of them; 32-bit fractions for what is computed of up
   * to 16-bit samples or of them, else 64-bit; 16-bit counts.
   */
  readonly type?: SampleType | undefined;
  /** Sample that means "no value"; default that of the bands where results are samples (and no provenance is told), else NaN or an end of the type. */
  readonly nodata?: number | undefined;
  /**
   * Bands that follow the values: `"count"` of observations, and of methods that pick a scene its `"date"` (days since 1970)
   * and `"index"` (its place in the list that the stack was made of).
   */
  readonly provenance?: readonly Provenance[] | undefined;
  /** Budget for samples in flight, bytes; default 256 MiB. What does not fit is read in parts. */
  readonly memory?: number | undefined;
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether vector instructions may be used; results are the same. Default true. */
  readonly vectors?: boolean | undefined;
}

/** The composite of one period. */
export interface PeriodComposite {
  readonly period: Period;
  /** Scenes in it; none gives a raster without values. */
  readonly scenes: readonly Scene[];
  /** Lazy: computed window by window when read. Closing it does nothing; the stack is closed by whoever opened it. */
  readonly source: RasterSource;
}

/**
 * Composites of a dated stack, one per period from `start` to `end`; periods without scenes keep their place. Nothing is
 * read before a window of a result is asked for, and then the scenes of that period only; memory does not grow with the
 * number of scenes.
 *
 * @throws GeoError `INVALID_INPUT` for options that are wrong or do not go together; those of {@link openStack}
 */
export async function composite(
  stack: RasterStack | Iterable<SceneInput>,
  options: CompositeOptions = {},
): Promise<PeriodComposite[]> {
  const opened = "scenes" in stack ? stack : await openStack(stack);
  const plan = makePlan(opened, options);
  const { scenes } = opened;
  const start = options.start === undefined ? scenes[0]!.date : instant(options.start, "start");
  const end = options.end === undefined ? scenes.at(-1)!.date + 1 : instant(options.end, "end");
  const within = scenes.filter(({ date }) => date >= start && date < end);
  return periodsBetween(options.period ?? "all", start, end, options).map((period) => {
    const chosen = within.filter(({ date }) => date >= period.start && date < period.end);
    return { period, scenes: chosen, source: periodRaster(opened, plan, chosen, period) };
  });
}

/** What all periods of a composite share. */
interface Plan {
  readonly method: CompositeMethod;
  /** Band of the stack that `best` goes by; -1: the quality band. */
  readonly best: number;
  readonly bands: readonly Band[];
  readonly provenance: readonly Provenance[];
  readonly type: SampleType;
  readonly nodata: number;
  readonly masked: boolean;
  readonly range: readonly [min: number, max: number] | null;
  readonly physical: boolean;
  readonly checker: QualityChecker | null;
  readonly order: "last" | "first" | "given" | null;
  readonly memory: number;
  readonly gate: ByteGate;
  /** Cheap methods run here: handing the samples to a thread would cost more than the work. */
  readonly compute: (job: CompositeJob) => Promise<CompositeBlock>;
  readonly vectors: boolean;
  readonly signal: AbortSignal | undefined;
}

const CHEAP = new Set(["min", "max", "count", "sum", "mean", "first", "last", "anyNonZero", "best"]);
const BY_VECTORS = new Set(["median", "mode", "percentile"]);
const NARROW = new Set<SampleType>(["uint8", "int8", "uint16", "int16"]);

function makePlan(stack: RasterStack, options: CompositeOptions): Plan {
  const { method, best } = parseMethod(stack, options);
  const { provenance = [], physical = false, executor = inline, memory = DEFAULT_MEMORY } = options;
  const told = provenance.find((what) => what !== "count");
  if (told !== undefined && !picksScene(method)) {
    throw new GeoError(
      "INVALID_INPUT",
      `provenance ${told}: the values of ${options.method ?? "median"} are not of one scene`,
      {
        path: "provenance",
        expected: "count, or a method that picks a scene: min, max, first, last, mosaic, best, medoid",
      },
    );
  }
  const range = options.validRange ?? null;
  if (range !== null && !(range[0] <= range[1])) {
    throw new GeoError("INVALID_INPUT", `validRange is ${range.join(" to ")}`, {
      path: "validRange",
      expected: "the smallest and the largest valid sample",
    });
  }
  const result = resultBands(stack, method, options);
  const narrow = stack.bands.every(({ type }) => NARROW.has(type) || type === "float32");
  const here = CHEAP.has(method.kind) || (narrow && BY_VECTORS.has(method.kind) && options.vectors !== false);
  return {
    method,
    best,
    ...result,
    provenance,
    range,
    physical,
    checker: checkerOf(stack, options),
    order:
      options.method === "mosaic" ? (options.order ?? (options.preset === "gee" ? "given" : "last")) : null,
    memory,
    gate: new ByteGate(memory),
    compute: here ? async (job) => compositeBlock(job) : (job) => executor.call("compositeBlock", job),
    vectors: options.vectors ?? true,
    signal: options.signal,
  };
}

function checkerOf(stack: RasterStack, { qa, dilate = 0 }: CompositeOptions): QualityChecker | null {
  if (!(Number.isInteger(dilate) && dilate >= 0 && dilate <= 1000)) {
    throw new GeoError("INVALID_INPUT", `dilate is ${dilate}`, {
      path: "dilate",
      expected: "a whole number of pixels from 0 to 1000",
    });
  }
  if (qa === undefined) return null;
  const without = stack.scenes.find(({ quality }) => quality === null);
  if (without !== undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `a quality rule is given, and ${without.id} has no quality band`,
      { path: "qa", expected: "a quality band in every scene" },
      { hint: "Name the quality band of each scene, for example in the manifest." },
    );
  }
  return qualityChecker(typeof qa === "string" ? parseQualityRule(qa) : qa, dilate);
}

function parseMethod(
  stack: RasterStack,
  options: CompositeOptions,
): { method: CompositeMethod; best: number } {
  const { method: name = "median", preset, modeTies = "smallest", ddof = 0 } = options;
  const { percentileRule = preset === "gee" ? "earth-engine" : "linear" } = options;
  const plain = (method: CompositeMethod): { method: CompositeMethod; best: number } => ({
    method,
    best: -1,
  });
  switch (name) {
    case "min":
    case "max":
    case "mean":
    case "median":
    case "sum":
    case "count":
    case "variety":
    case "first":
    case "last":
    case "anyNonZero":
    case "medoid":
      return plain({ kind: name });
    case "mode":
      if (!["smallest", "largest", "first"].includes(modeTies))
        throw wrong("modeTies", String(modeTies), "smallest, largest or first");
      return plain({ kind: name, ties: modeTies });
    case "stdev":
    case "variance":
      if (!(ddof >= 0)) throw wrong("ddof", String(ddof), "0 or above");
      return plain({ kind: name, ddof });
    case "mosaic":
      return plain({ kind: options.order === "first" ? "first" : "last" });
    case "geomedian":
      return plain({
        kind: name,
        tolerance: options.tolerance ?? 1e-6,
        iterations: options.iterations ?? 1000,
      });
    default:
      break;
  }
  const percentile = /^percentile:(\d+(?:\.\d+)?)$/.exec(name);
  if (percentile !== null) {
    const q = Number(percentile[1]);
    if (!PERCENTILE_RULES.includes(percentileRule))
      throw wrong("percentileRule", String(percentileRule), PERCENTILE_RULES.join(", "));
    if (q <= 100) return plain({ kind: "percentile", q, rule: percentileRule });
  }
  const chosen = /^best:(.+?)(:min|:max)?$/.exec(name);
  if (chosen !== null) {
    const [, band, end] = chosen as unknown as [string, string, string | undefined];
    const best = stack.bandNames.indexOf(band);
    if (best < 0 && !(band === "quality" && stack.scenes.every(({ quality }) => quality !== null)))
      throw wrong("method", name, `best:BAND with one of ${stack.bandNames.join(", ")}`);
    return { method: { kind: "best", largest: end !== ":min", ties: options.bestTies ?? "first" }, best };
  }
  throw wrong(
    "method",
    String(name),
    "min, max, mean, median, mode, sum, count, variety, stdev, variance, first, last, mosaic, anyNonZero, medoid, geomedian, percentile:Q (0 to 100) or best:BAND",
  );
}

function wrong(path: string, found: string, expected: string): GeoError {
  return new GeoError("INVALID_INPUT", `${path} is ${JSON.stringify(found)}, expected ${expected}`, {
    path,
    expected,
  });
}

function instant(date: Instant | Date | string, path: string): Instant {
  const found = typeof date === "string" ? parseInstant(date) : Number(date);
  if (Math.abs(found) <= 8.64e15) return found;
  throw wrong(path, String(date), "an ISO 8601 date such as 2019-07-01 or 2019-07-01T05:30:00Z");
}

/** Bands of the result and how they are stored. */
function resultBands(
  stack: RasterStack,
  method: CompositeMethod,
  options: CompositeOptions,
): Pick<Plan, "bands" | "type" | "nodata" | "masked"> {
  const { physical = false, provenance = [] } = options;
  const widest = commonType(
    stack.scenes.flatMap((scene) => scene.bands.map(({ source, band }) => source.bands[band]!.type)),
  );
  const keeps = !physical && keepsValues(method);
  let type = options.type ?? resultType(method, widest, physical, stack.scenes.length);
  if (options.type === undefined && provenance.length > 0)
    type = isFloat(type) ? (type === "float64" ? type : "float32") : "int32";
  if (isComplex(type) || type === "int64" || type === "uint64" || type === "float16") {
    throw new GeoError("UNSUPPORTED", `composites cannot be stored as ${type}`, {
      feature: `composite ${type}`,
    });
  }
  const range = integerRange(type);
  const own = stack.bands[0]!.nodata;
  const sameNodata = stack.bands.every(({ nodata }) =>
    Object.is(Number(nodata ?? Number.NaN), Number(own ?? Number.NaN)),
  );
  // Provenance has values of its own, which the nodata value of the samples may be one of.
  const inherited =
    keeps && provenance.length === 0 && own !== null && sameNodata && fits(Number(own), type)
      ? Number(own)
      : undefined;
  const neverEmpty = method.kind === "count";
  const bare = keeps && own === null && range !== null && type === widest && provenance.length === 0;
  const masked = options.nodata === undefined && bare && !neverEmpty;
  const standard = range === null ? Number.NaN : Number(type.startsWith("u") ? range[1] : range[0]);
  const nodata = options.nodata ?? inherited ?? (masked || neverEmpty ? 0 : standard);
  if (!fits(nodata, type)) throw wrong("nodata", String(nodata), `a value that ${type} can hold`);
  const declared = masked || (neverEmpty && options.nodata === undefined) ? null : nodata;
  const bands = stack.bands.map((band, b) => {
    const scaling = scalingOf(stack, b);
    if (scaling === null && !physical && method.kind !== "count") {
      throw new GeoError(
        "INVALID_INPUT",
        `the scenes store band ${stack.bandNames[b]!} with different scales`,
        { path: "physical", expected: "one scale and offset, or physical: true" },
        { hint: "Pass physical: true (--physical) to work on sample * scale + offset." },
      );
    }
    const [scale, offset] = keepsScale(method) && !physical ? (scaling ?? [1, 0]) : [1, 0];
    return makeBand({
      type,
      nodata: declared,
      scale,
      offset,
      unit: keepsScale(method) ? band.unit : "",
      description: stack.bandNames[b]!,
      colorTable: keeps && type === band.type ? band.colorTable : null,
      colorInterpretation: keeps && type === band.type && band.colorTable !== null ? "palette" : "gray",
    });
  });
  const told = (name: string): Band[] =>
    provenance.map((what) =>
      makeBand({
        type,
        nodata: declared,
        description: name === "" ? TOLD[what] : `${name} ${TOLD[what]}`,
        unit: what === "date" ? "days since 1970-01-01" : "",
      }),
    );
  const one = isPixelMethod(method) || stack.bandNames.length === 1;
  return {
    bands: [...bands, ...(one ? told("") : stack.bandNames.flatMap(told))],
    type,
    nodata,
    masked,
  };
}

const TOLD: Readonly<Record<Provenance, string>> = { count: "n_valid", date: "date", index: "index" };

/** Whether results are samples of the stack. */
function keepsValues(method: CompositeMethod): boolean {
  if (method.kind === "percentile") return method.rule !== "linear" && method.rule !== "earth-engine";
  return ["min", "max", "mode", "first", "last", "best", "medoid"].includes(method.kind);
}

/** Whether the scale and offset of samples are also those of results. */
function keepsScale(method: CompositeMethod): boolean {
  return keepsValues(method) || ["median", "mean", "percentile", "geomedian"].includes(method.kind);
}

function resultType(
  method: CompositeMethod,
  type: SampleType,
  physical: boolean,
  scenes: number,
): SampleType {
  const single = NARROW.has(type) || type === "float32" || type === "float16";
  if (method.kind === "count" || method.kind === "variety") return scenes < 65_535 ? "uint16" : "int32";
  if (method.kind === "anyNonZero") return "uint8";
  if (method.kind === "sum") return NARROW.has(type) && !physical && scenes < 32_768 ? "int32" : "float64";
  if (keepsValues(method) && !physical)
    return type === "float16" ? "float32" : type === "int64" || type === "uint64" ? "float64" : type;
  return single ? "float32" : "float64";
}

/** The narrowest type that holds all values of several. */
function commonType(types: readonly SampleType[]): SampleType {
  const all = [...new Set(types)];
  if (all.length === 1) return all[0]!;
  if (all.some(isFloat)) {
    const single = all.every((type) => (isFloat(type) ? type !== "float64" : NARROW.has(type)));
    return single ? "float32" : "float64";
  }
  const ranges = all.map((type) => integerRange(type)!);
  const candidates: SampleType[] = ["uint8", "int8", "uint16", "int16", "uint32", "int32"];
  const wide = candidates.find((type) => {
    const [low, high] = integerRange(type)!;
    return ranges.every((range) => range[0] >= low && range[1] <= high);
  });
  return wide ?? "float64";
}

function fits(value: number, type: SampleType): boolean {
  const range = integerRange(type);
  if (range === null) return true;
  return Number.isInteger(value) && value >= Number(range[0]) && value <= Number(range[1]);
}

/** Scale and offset that all scenes give a band; `null` when they differ. */
function scalingOf(stack: RasterStack, band: number): readonly [scale: number, offset: number] | null {
  const all = stack.scenes.map((scene) => scene.bands[band]!).map(({ source, band: k }) => source.bands[k]!);
  const { scale, offset } = all[0]!;
  return all.every((one) => one.scale === scale && one.offset === offset) ? [scale, offset] : null;
}

/** Lets work through while its bytes fit; a piece that is larger than all goes alone. First come, first served. */
class ByteGate {
  #free: number;
  readonly #all: number;
  readonly #waiting: { bytes: number; go: () => void }[] = [];

  constructor(bytes: number) {
    this.#all = bytes;
    this.#free = bytes;
  }

  async enter(bytes: number): Promise<() => void> {
    const taken = Math.min(bytes, this.#all);
    if (this.#waiting.length > 0 || taken > this.#free)
      await new Promise<void>((go) => this.#waiting.push({ bytes: taken, go }));
    else this.#free -= taken;
    return () => {
      this.#free += taken;
      while (this.#waiting.length > 0 && this.#waiting[0]!.bytes <= this.#free) {
        const next = this.#waiting.shift()!;
        this.#free -= next.bytes;
        next.go();
      }
    };
  }
}

function periodRaster(
  stack: RasterStack,
  plan: Plan,
  chosen: readonly Scene[],
  period: Period,
): RasterSource {
  const scenes = plan.order === "given" ? [...chosen].sort((a, b) => a.index - b.index) : chosen;
  const { bands, provenance } = plan;
  const values = stack.bandNames.length;
  const whole = isPixelMethod(plan.method);
  const pixelBytes = Math.max(
    1,
    scenes.reduce((sum, scene) => sum + sceneBytes(scene, plan), 0),
  );
  const most = Math.max(1024, Math.floor(plan.memory / pixelBytes));

  /** Bands of the stack that given bands of the result need. */
  function needed(numbers: readonly number[]): number[] {
    if (whole) return stack.bandNames.map((_, b) => b);
    const told = Math.max(1, provenance.length);
    return [...new Set(numbers.map((k) => (k < values ? k : Math.floor((k - values) / told))))].sort(
      (a, b) => a - b,
    );
  }

  async function compute(
    window: Window,
    numbers: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<CompositeBlock> {
    const use = needed(numbers);
    const block = await plan.compute(await readJob(stack, plan, scenes, use, window, signal));
    const place = (k: number): number => {
      if (whole) return k;
      if (k < values) return use.indexOf(k);
      const b = Math.floor((k - values) / provenance.length);
      return use.length + use.indexOf(b) * provenance.length + ((k - values) % provenance.length);
    };
    return { bands: numbers.map((k) => block.bands[place(k)]!), mask: block.mask };
  }

  return {
    url: stack.scenes[0]!.id,
    grid: stack.grid,
    bands,
    tile: stack.tile,
    hasMask: plan.masked,
    metadata: {
      PERIOD: period.name,
      PERIOD_START: formatInstant(period.start),
      PERIOD_END: formatInstant(period.end),
      SCENES: String(scenes.length),
    },
    async read(window, { bands: wanted, signal = plan.signal }: ReadOptions = {}): Promise<RasterBlock> {
      signal?.throwIfAborted();
      const numbers = wanted ?? bands.map((_, k) => k);
      const pixels = window.width * window.height;
      if (scenes.length === 0) {
        const empty = numbers.map((k) => {
          const about = k >= values;
          const count =
            plan.method.kind === "count" ||
            (about && provenance[(k - values) % provenance.length] === "count");
          return sampleArray(plan.type, pixels).fill((count ? 0 : plan.nodata) as never) as SampleArray;
        });
        return { window, bands: empty, mask: plan.masked ? new Uint8Array(pixels) : null };
      }
      // One window after the other when they do not fit together: a file keeps the tile it decoded last, which the parts
      // of a window share.
      const leave = await plan.gate.enter(pixels * pixelBytes);
      try {
        if (pixels <= most) return { ...(await compute(window, numbers, signal)), window };
        const out = numbers.map(() => sampleArray(plan.type, pixels));
        const mask = plan.masked ? new Uint8Array(pixels) : null;
        for (const part of parts(window, Math.ceil(most / 4), stack.tile.height)) {
          const block = await compute(part, numbers, signal);
          for (const [i, samples] of block.bands.entries()) copyInto(samples, part, out[i]!, window);
          if (mask !== null) copyInto(block.mask!, part, mask, window);
        }
        return { window, bands: out, mask };
      } finally {
        leave();
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Bytes that a pixel of a scene takes while a window of it is in memory. */
function sceneBytes(scene: Scene, plan: Plan): number {
  const samples = scene.bands.reduce(
    (sum, { source, band }) => sum + SAMPLE_BYTES[source.bands[band]!.type],
    0,
  );
  const { quality } = scene;
  const judged =
    quality === null || (plan.checker === null && plan.best >= 0)
      ? 0
      : SAMPLE_BYTES[quality.source.bands[quality.band]!.type] + 1;
  return samples + judged + (scene.bands.some(({ source }) => source.hasMask) ? 1 : 0);
}

/** A window in parts of at most `most` pixels: whole rows of tiles when they fit, else rows, else parts of rows. */
function* parts(window: Window, most: number, tileHeight: number): Generator<Window> {
  const width = Math.min(window.width, most);
  let height = Math.max(1, Math.floor(most / width));
  if (height > tileHeight) height -= height % tileHeight;
  for (let row = 0; row < window.height; row += height) {
    for (let col = 0; col < window.width; col += width) {
      yield {
        col: window.col + col,
        row: window.row + row,
        width: Math.min(width, window.width - col),
        height: Math.min(height, window.height - row),
      };
    }
  }
}

function copyInto(from: SampleArray, part: Window, to: SampleArray, whole: Window): void {
  for (let row = 0; row < part.height; row++) {
    const at = (row + part.row - whole.row) * whole.width + part.col - whole.col;
    to.set(from.subarray(row * part.width, (row + 1) * part.width) as never, at);
  }
}

/** Scenes that are read at once for a window. */
const SCENES_AT_ONCE = 8;

/** Read the samples of a window of all scenes. */
async function readJob(
  stack: RasterStack,
  plan: Plan,
  scenes: readonly Scene[],
  use: readonly number[],
  window: Window,
  signal: AbortSignal | undefined,
): Promise<CompositeJob> {
  const { method, best, checker } = plan;
  const byQuality = method.kind === "best" && best < 0;
  // A few scenes at a time: each one's compressed and decoded bytes are there beside its samples.
  const read: { samples: SampleArray; mask: Uint8Array | null }[][] = [];
  const scene = async (one: Scene): Promise<(typeof read)[number]> => {
    const wanted = use.map((b) => one.bands[b]!);
    if (byQuality) wanted.push(one.quality!);
    const [blocks, judged] = await Promise.all([
      readBands(wanted, window, signal),
      checker === null ? null : checker.read(one.quality!, stack.grid, window, signal),
    ]);
    return blocks.map(({ samples, mask }) => ({ samples, mask: both(mask, judged) }));
  };
  for await (const blocks of mapConcurrent(scenes, SCENES_AT_ONCE, scene)) read.push(blocks);
  const planes = (
    at: number,
    band: (scene: Scene) => { source: RasterSource; band: number },
    range: Plan["range"],
  ): StackPlanes => {
    const described = scenes.map((scene) => {
      const { source, band: k } = band(scene);
      return source.bands[k]!;
    });
    return {
      samples: read.map((one) => one[at]!.samples),
      masks: read.map((one) => one[at]!.mask),
      nodata: described.map(({ nodata }) => nodata),
      range,
      scaling: plan.physical ? described.map(({ scale, offset }) => [scale, offset] as const) : null,
    };
  };
  const bands = use.map((b, at) => planes(at, (scene) => scene.bands[b]!, plan.range));
  const quality =
    method.kind !== "best"
      ? null
      : byQuality
        ? planes(use.length, (scene) => scene.quality!, null)
        : bands[use.indexOf(best)]!;
  return {
    pixels: window.width * window.height,
    method,
    bands,
    quality,
    days: Int32Array.from(scenes, ({ date }) => dayNumber(date)),
    indexes: Int32Array.from(scenes, ({ index }) => index),
    provenance: plan.provenance,
    type: plan.type,
    nodata: plan.nodata,
    masked: plan.masked,
    vectors: plan.vectors,
  };
}

/** Bands of one window, those of one raster in one read. */
async function readBands(
  wanted: readonly { readonly source: RasterSource; readonly band: number }[],
  window: Window,
  signal: AbortSignal | undefined,
): Promise<{ samples: SampleArray; mask: Uint8Array | null }[]> {
  const bySource = new Map<RasterSource, number[]>();
  for (const { source, band } of wanted) {
    const bands = bySource.get(source);
    if (bands === undefined) bySource.set(source, [band]);
    else if (!bands.includes(band)) bands.push(band);
  }
  const blocks = new Map<RasterSource, RasterBlock>();
  await Promise.all(
    [...bySource].map(async ([source, bands]) => {
      blocks.set(source, await source.read(window, { bands, signal }));
    }),
  );
  return wanted.map(({ source, band }) => {
    const block = blocks.get(source)!;
    return { samples: block.bands[bySource.get(source)!.indexOf(band)]!, mask: block.mask };
  });
}

/** Valid in both; neither is changed. */
function both(left: Uint8Array | null, right: Uint8Array | null): Uint8Array | null {
  if (left === null || right === null) return left ?? right;
  const out = new Uint8Array(left.length);
  for (let i = 0; i < out.length; i++) out[i] = left[i] === 0 ? 0 : right[i]!;
  return out;
}
