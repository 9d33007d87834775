import { integerRange, isFloat, type SampleArray, type SampleType, sampleArray } from "../../model/raster.ts";
import {
  type Lane,
  type LaneArray,
  MOST_SCENES,
  PIECE,
  type StackKernel,
  type StackOp,
  stackKernel,
  type Validity,
} from "../simd/stack-kernel.ts";
import { chooseBest, chooseMedoid, geometricMedian } from "./choose.ts";
import {
  between,
  type CompositeMethod,
  isPixelMethod,
  type RankTable,
  type ReduceMethod,
  rankTable,
} from "./methods.ts";
import { loadPlanes, pieceSize, type StackPlanes } from "./planes.ts";
import { type Reduced, reducer } from "./reduce.ts";

/** What is told about a composite besides its values. */
export type Provenance =
  /** Observations that the value is made of. */
  | "count"
  /** Day of the scene, counted from 1970-01-01. */
  | "date"
  /** Number of the scene. */
  | "index";

/** One window of a stack, and what to make of it. */
export interface CompositeJob {
  readonly pixels: number;
  readonly method: CompositeMethod;
  /** The bands of the composite. */
  readonly bands: readonly StackPlanes[];
  /** The band that `best` chooses by, else `null`. */
  readonly quality: StackPlanes | null;
  /** Per scene, in order of time. */
  readonly days: Int32Array;
  /** Number that each scene has in the stack. */
  readonly indexes: Int32Array;
  readonly provenance: readonly Provenance[];
  /** Type of the result; not complex, not of 64-bit integers. */
  readonly type: SampleType;
  /** Stands where there is no value. */
  readonly nodata: number;
  /** Also give a mask: 255 where all bands have values, else 0. */
  readonly masked: boolean;
  /** Whether vector instructions may be used; the result is the same. Default true. */
  readonly vectors?: boolean | undefined;
}

export interface CompositeBlock {
  /** Values of each band; then the provenance, of each band in turn or, where scenes are chosen whole, once. */
  readonly bands: readonly SampleArray[];
  readonly mask: Uint8Array | null;
}

type NumberArray = Exclude<SampleArray, BigInt64Array | BigUint64Array>;

/**
 * One window of a composite: for every pixel, the value of its observations over time. Cost grows with pixels times scenes,
 * for the medoid with the square of the scenes.
 */
export function compositeBlock(job: CompositeJob): CompositeBlock {
  const { pixels, type, method, provenance } = job;
  const make = (): NumberArray => sampleArray(type, pixels) as NumberArray;
  const values = job.bands.map(make);
  const mask = job.masked ? new Uint8Array(pixels).fill(255) : null;
  const told: NumberArray[] = [];
  if (isPixelMethod(method)) {
    const about = provenance.map(make);
    compositePixels(job, values, about, mask);
    told.push(...about);
  } else {
    for (const [b, planes] of job.bands.entries()) {
      const about = provenance.map(make);
      if (!reduceByVectors(job, method, planes, values[b]!, about, mask))
        reduceBand(job, method, planes, values[b]!, about, mask);
      told.push(...about);
    }
  }
  return { bands: [...values, ...told], mask };
}

function emptyReduced(size: number): Reduced {
  return { value: new Float64Array(size), count: new Int32Array(size), scene: new Int32Array(size).fill(-1) };
}

function reduceBand(
  job: CompositeJob,
  method: ReduceMethod,
  planes: StackPlanes,
  out: NumberArray,
  about: readonly NumberArray[],
  mask: Uint8Array | null,
): void {
  const scenes = planes.samples.length;
  const size = pieceSize(scenes);
  const values = new Float64Array(scenes * size);
  const reduced = emptyReduced(size);
  const reduce = reducer(method, scenes);
  for (let from = 0; from < job.pixels; from += size) {
    const count = Math.min(size, job.pixels - from);
    loadPlanes(planes, from, count, values);
    reduce(values, count, reduced);
    store(job, reduced.value, from, count, out, mask);
    tell(job, reduced, from, count, about);
  }
}

function compositePixels(
  job: CompositeJob,
  out: readonly NumberArray[],
  about: readonly NumberArray[],
  mask: Uint8Array | null,
): void {
  const { bands, quality, pixels } = job;
  const method = job.method as Extract<CompositeMethod, { kind: "best" | "medoid" | "geomedian" }>;
  const scenes = bands[0]!.samples.length;
  const size = pieceSize(scenes * (bands.length + 1));
  const values = bands.map(() => new Float64Array(scenes * size));
  const ranked = new Float64Array(scenes * size);
  const made = bands.map(() => new Float64Array(size));
  const reduced = emptyReduced(size);
  for (let from = 0; from < pixels; from += size) {
    const count = Math.min(size, pixels - from);
    for (const [b, planes] of bands.entries()) loadPlanes(planes, from, count, values[b]!);
    if (method.kind === "geomedian") geometricMedian(values, scenes, count, method, made, reduced);
    else {
      if (method.kind === "medoid") chooseMedoid(values, scenes, count, reduced);
      else {
        loadPlanes(quality!, from, count, ranked);
        chooseBest(values, ranked, scenes, count, method, reduced);
      }
      for (const [b, all] of values.entries()) {
        for (let i = 0; i < count; i++) {
          const scene = reduced.scene[i]!;
          made[b]![i] = scene < 0 ? Number.NaN : all[scene * count + i]!;
        }
      }
    }
    for (const [b, one] of made.entries()) store(job, one, from, count, out[b]!, mask);
    tell(job, reduced, from, count, about);
  }
}

/**
 * Doubles into the type of the result. Whole numbers are rounded to the nearest, halves up, and cut to the range of the
 * type; infinite values and NaN are no values.
 */
function store(
  { type, nodata }: CompositeJob,
  values: Float64Array,
  from: number,
  count: number,
  out: NumberArray,
  mask: Uint8Array | null,
): void {
  const range = integerRange(type);
  const low = range === null ? -Infinity : Number(range[0]);
  const high = range === null ? Infinity : Number(range[1]);
  const whole = !isFloat(type);
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (!(Math.abs(value) < Infinity)) {
      out[from + i] = nodata;
      if (mask !== null) mask[from + i] = 0;
    } else if (whole) out[from + i] = Math.min(high, Math.max(low, Math.floor(value + 0.5)));
    // Adding 0 makes the negative zero positive, so that nobody can tell which of two equal values was taken.
    else out[from + i] = value + 0;
  }
}

function tell(
  { provenance, nodata, days, indexes }: CompositeJob,
  { count: counts, scene }: Reduced,
  from: number,
  count: number,
  about: readonly NumberArray[],
): void {
  for (const [k, what] of provenance.entries()) {
    const out = about[k]!;
    if (what === "count") for (let i = 0; i < count; i++) out[from + i] = counts[i]!;
    else {
      const of = what === "date" ? days : indexes;
      for (let i = 0; i < count; i++) out[from + i] = scene[i]! < 0 ? nodata : of[scene[i]!]!;
    }
  }
}

/** What of a method an emitted kernel does, and what is left to do here. */
function vectorOp(method: ReduceMethod, provenance: readonly Provenance[]): StackOp | null {
  if (provenance.some((what) => what !== "count")) return null;
  switch (method.kind) {
    case "min":
    case "max":
    case "median":
      return method.kind;
    case "sum":
    case "mean":
      return "sum";
    case "count":
      return "min";
    case "percentile":
      return "sort";
    case "mode":
      return method.ties === "first" ? null : `mode-${method.ties}`;
    default:
      return null;
  }
}

/** The same as {@link reduceBand} with emitted kernels; false, and nothing done, where there is none for the case. */
function reduceByVectors(
  job: CompositeJob,
  method: ReduceMethod,
  planes: StackPlanes,
  out: NumberArray,
  about: readonly NumberArray[],
  mask: Uint8Array | null,
): boolean {
  const op = vectorOp(method, job.provenance);
  const scenes = planes.samples.length;
  if (op === null || job.vectors === false || scenes < 1 || scenes > MOST_SCENES || planes.scaling !== null)
    return false;
  const lane = laneOf(planes.samples);
  if (lane === null) return false;
  const nodata = oneNodata(planes, lane);
  const validity: Validity =
    nodata === undefined || planes.range !== null || planes.masks.some((one) => one !== null)
      ? "planes"
      : nodata === null && lane !== "f32"
        ? "all"
        : "nodata";
  const kernel = stackKernel(op, lane, scenes, validity);
  if (kernel === null) return false;
  const ranks = method.kind === "percentile" ? rankTable(method.q, method.rule, scenes) : null;
  const values = new Float64Array(PIECE);
  const counts = job.provenance.indexOf("count");
  for (let from = 0; from < job.pixels; from += PIECE) {
    const count = Math.min(PIECE, job.pixels - from);
    for (let k = 0; k < scenes; k++) {
      kernel.planes[k]!.set(planes.samples[k]!.subarray(from, from + count) as never);
      if (validity === "planes") markMissing(planes, k, from, count, kernel.missing[k]!);
    }
    kernel.run(count, nodata ?? Number.NaN);
    if (method.kind === "median" && job.type === "int16" && lane === "i16" && mask === null)
      storeMiddle(kernel, count, out as Int16Array, from, job.nodata);
    else {
      finish(method, kernel, count, ranks, values);
      store(job, values, from, count, out, mask);
    }
    if (counts >= 0) about[counts]!.set(kernel.counts.subarray(0, count) as never, from);
  }
  return true;
}

/** Half the sum of the two middle samples, halves up, without a step over doubles. */
function storeMiddle(
  { first, second, counts }: StackKernel,
  count: number,
  out: Int16Array,
  from: number,
  nodata: number,
): void {
  for (let i = 0; i < count; i++)
    out[from + i] = counts[i] === 0 ? nodata : (first[i]! + second[i]! + 1) >> 1;
}

/** Values of a piece from what the kernel left, NaN where nothing is observed. */
function finish(
  method: ReduceMethod,
  kernel: StackKernel,
  count: number,
  ranks: RankTable | null,
  out: Float64Array,
): void {
  const { counts, first } = kernel;
  switch (method.kind) {
    case "count":
      for (let i = 0; i < count; i++) out[i] = counts[i]!;
      return;
    case "sum":
      for (let i = 0; i < count; i++) out[i] = counts[i] === 0 ? Number.NaN : kernel.sums[i]!;
      return;
    case "mean":
      // 0 / 0 is NaN.
      for (let i = 0; i < count; i++) out[i] = kernel.sums[i]! / counts[i]!;
      return;
    case "median":
      for (let i = 0; i < count; i++)
        out[i] = counts[i] === 0 ? Number.NaN : (first[i]! + kernel.second[i]!) / 2;
      return;
    case "percentile":
      pickRanks(kernel.planes, counts, count, ranks!, out);
      return;
    default:
      for (let i = 0; i < count; i++) out[i] = counts[i] === 0 ? Number.NaN : first[i]!;
  }
}

function pickRanks(
  planes: readonly LaneArray[],
  counts: StackKernel["counts"],
  count: number,
  { lower, upper, part }: RankTable,
  out: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const n = counts[i]!;
    if (n === 0) {
      out[i] = Number.NaN;
      continue;
    }
    const low = planes[lower[n]!]![i]!;
    const high = planes[upper[n]!]![i]!;
    out[i] = low === high ? low : part[n] === 0.5 ? (low + high) / 2 : between(low, high, part[n]!);
  }
}

/** The lanes that hold all planes as they are; `null` when they are of several types or of one without kernels. */
function laneOf(samples: readonly SampleArray[]): Lane | null {
  const type = samples[0]!.constructor;
  if (samples.some((one) => one.constructor !== type)) return null;
  switch (type) {
    case Uint8Array:
      return "u8";
    case Uint16Array:
      return "u16";
    case Int8Array:
    case Int16Array:
      return "i16";
    case Float32Array:
      return "f32";
    default:
      return null;
  }
}

/** The nodata value that all scenes share as the lanes hold it; `null`: none has one; `undefined`: they differ. */
function oneNodata({ nodata, samples }: StackPlanes, lane: Lane): number | null | undefined {
  const value = nodata[0] === null ? null : Number(nodata[0]);
  if (nodata.some((one) => !Object.is(one === null ? null : Number(one), value))) return undefined;
  if (value === null || Number.isNaN(value)) return null;
  if (lane === "f32") return Math.fround(value);
  // What no sample can be is not there; an int8 file has room in the lanes for values that it cannot hold.
  const narrow = samples[0] instanceof Int8Array;
  const [low, high] = narrow
    ? [-128, 127]
    : lane === "u8"
      ? [0, 255]
      : lane === "u16"
        ? [0, 65_535]
        : [-32_768, 32_767];
  return Number.isInteger(value) && value >= low && value <= high ? value : null;
}

/** Planes of what is missing, for cases that one value cannot tell. */
function markMissing(
  planes: StackPlanes,
  k: number,
  from: number,
  count: number,
  missing: Int8Array | Int16Array | Int32Array,
): void {
  const samples = planes.samples[k] as Uint8Array;
  const nodata = planes.nodata[k]! === null ? Number.NaN : Number(planes.nodata[k]!);
  const single = (samples as SampleArray) instanceof Float32Array ? Math.fround(nodata) : nodata;
  const [min, max] = planes.range ?? [-Infinity, Infinity];
  for (let i = 0; i < count; i++) {
    const v = samples[from + i]!;
    missing[i] = v === single || !(v >= min && v <= max) ? -1 : 0;
  }
  const mask = planes.masks[k]!;
  if (mask !== null) for (let i = 0; i < count; i++) if (mask[from + i] === 0) missing[i] = -1;
}
