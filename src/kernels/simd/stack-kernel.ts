import { assemble, Body, F32, I32, V128, type VectorOp } from "./assembler.ts";
import { type Comparator, selectionNetwork, sortingNetwork } from "./network.ts";

/** What a kernel does with the samples of each pixel. */
export type StackOp =
  /** `first` and `second` become the two middle samples; of an odd number, both the middle one. */
  | "median"
  /** The planes are sorted in place: the samples of each pixel in rising order, missing ones last. */
  | "sort"
  /** `first` becomes the most frequent sample, of equally frequent ones the smallest or the largest. */
  | "mode-smallest"
  | "mode-largest"
  /** `first` becomes the smallest or largest sample. */
  | "min"
  | "max"
  /** `sums` becomes the sum; not of `f32`. */
  | "sum";

/** Sample types that there are kernels for. */
export type Lane = "u8" | "u16" | "i16" | "f32";

export type LaneArray = Uint8Array | Uint16Array | Int16Array | Float32Array;

/** How missing samples are told: none is, by one value (for `f32`, by NaN too), or by planes of their own. */
export type Validity = "all" | "nodata" | "planes";

/** Planes of samples in the memory of an emitted module, and what it makes of them. One call works on one piece. */
export interface StackKernel {
  /** Samples of each scene: fill the first `count` of each before {@link run}. Changed by it. */
  readonly planes: readonly LaneArray[];
  /** With `"planes"`: not 0 (all bits set) where a sample is missing. */
  readonly missing: readonly (Int8Array | Int16Array | Int32Array)[];
  /** Results; see {@link StackOp}. Nothing to be relied on where `counts` is 0. */
  readonly first: LaneArray;
  readonly second: LaneArray;
  readonly sums: Int32Array | Uint16Array;
  /** Samples that are not missing. */
  readonly counts: Uint8Array | Uint16Array | Int32Array;
  /** Work on the first `count` pixels. */
  run(count: number, nodata: number): void;
}

/** Pixels of a piece. */
export const PIECE = 2048;

/** Scenes beyond which counts would not fit into the lanes of bytes, and the code would be too long to be compiled in passing. */
export const MOST_SCENES = 255;

/** What differs between the sample types. */
interface LaneInfo {
  readonly bytes: number;
  readonly array: new (buffer: ArrayBuffer, offset: number, length: number) => LaneArray;
  readonly splat: VectorOp;
  readonly equal: VectorOp;
  readonly min: VectorOp;
  readonly max: VectorOp;
  readonly lowest: number;
  readonly highest: number;
  /** On whole numbers of the same width, for counting. */
  readonly add: VectorOp;
  readonly sub: VectorOp;
  readonly above: VectorOp;
  readonly intSplat: VectorOp;
}

const I8 = { add: "i8x16_add", sub: "i8x16_sub", above: "i8x16_gt_s", intSplat: "i8x16_splat" } as const;
const I16 = { add: "i16x8_add", sub: "i16x8_sub", above: "i16x8_gt_s", intSplat: "i16x8_splat" } as const;
const I32_LANES = {
  add: "i32x4_add",
  sub: "i32x4_sub",
  above: "i32x4_gt_s",
  intSplat: "i32x4_splat",
} as const;

const LANES: Readonly<Record<Lane, LaneInfo>> = {
  u8: {
    ...I8,
    bytes: 1,
    array: Uint8Array,
    splat: "i8x16_splat",
    equal: "i8x16_eq",
    min: "i8x16_min_u",
    max: "i8x16_max_u",
    lowest: 0,
    highest: 255,
  },
  u16: {
    ...I16,
    bytes: 2,
    array: Uint16Array,
    splat: "i16x8_splat",
    equal: "i16x8_eq",
    min: "i16x8_min_u",
    max: "i16x8_max_u",
    lowest: 0,
    highest: 65_535,
  },
  i16: {
    ...I16,
    bytes: 2,
    array: Int16Array,
    splat: "i16x8_splat",
    equal: "i16x8_eq",
    min: "i16x8_min_s",
    max: "i16x8_max_s",
    lowest: -32_768,
    highest: 32_767,
  },
  f32: {
    ...I32_LANES,
    bytes: 4,
    array: Float32Array,
    splat: "f32x4_splat",
    equal: "f32x4_eq",
    min: "f32x4_pmin",
    max: "f32x4_pmax",
    lowest: -Infinity,
    highest: Infinity,
  },
};

/** Kernels made so far, the one longest unused first; each has a memory of a few hundred kilobytes. */
const made = new Map<string, StackKernel | null>();
const MOST_KEPT = 16;

/**
 * A kernel for so many scenes, from 1 to {@link MOST_SCENES}; `null` where the host has no vector instructions or there is no such
 * kernel. Made once; whoever asks for the same gets the same, so what it holds is good until the next call only.
 */
export function stackKernel(op: StackOp, lane: Lane, scenes: number, validity: Validity): StackKernel | null {
  if (scenes < 1 || scenes > MOST_SCENES || (op === "sum" && lane === "f32")) return null;
  // The mode compares counts as signed bytes.
  if (lane === "u8" && op.startsWith("mode") && scenes > 127) return null;
  const key = `${op} ${lane} ${scenes} ${validity}`;
  let kernel = made.get(key);
  made.delete(key);
  kernel ??= emit(op, LANES[lane], lane, scenes, validity);
  made.set(key, kernel);
  if (made.size > MOST_KEPT) made.delete(made.keys().next().value!);
  return kernel;
}

function emit(
  op: StackOp,
  info: LaneInfo,
  lane: Lane,
  scenes: number,
  validity: Validity,
): StackKernel | null {
  const { bytes } = info;
  const plane = PIECE * bytes;
  const missingAt = scenes * plane;
  const firstAt = missingAt + (validity === "planes" ? scenes * plane : 0);
  const secondAt = firstAt + plane;
  const countsAt = secondAt + plane;
  const sumsAt = countsAt + plane;
  const size = sumsAt + 2 * plane;

  const END = 0;
  const body = new Body(2);
  const at = body.local(I32);
  const vector = (): number => body.local(V128);
  const nodata = vector();
  const high = vector();
  const low = vector();
  const one = vector();
  const count = vector();
  const turn = vector();
  const gone = vector();
  const spare = vector();
  const samples = Array.from({ length: scenes }, vector);
  const constant = (value: number, variable: number): void => {
    body.bits(bitsOf(info, value)).set(variable);
  };
  constant(info.highest, high);
  constant(info.lowest, low);
  body.i32(1).op(info.intSplat).set(one);
  body.get(1).op(info.splat).set(nodata);

  /** Leave in `gone` which samples of scene `k`, at hand in its variable, are missing. */
  const findMissing = (k: number): void => {
    const v = samples[k]!;
    if (validity === "planes")
      body
        .get(at)
        .load(missingAt + k * plane)
        .set(gone);
    else {
      body.get(v).get(nodata).op(info.equal);
      if (lane === "f32") body.get(v).get(v).op("f32x4_ne").op("or");
      body.set(gone);
    }
  };
  const load = (k: number): void => {
    body
      .get(at)
      .load(k * plane)
      .set(samples[k]!);
  };
  /** Count down by the missing ones: a set lane is -1. */
  const countMissing = (): void => {
    body.get(count).get(gone).op(info.add).set(count);
  };
  const padWith = (k: number, pad: number): void => {
    body.get(pad).get(samples[k]!).get(gone).op("bitselect").set(samples[k]!);
  };
  const sums: number[] = [];
  const best = vector();
  const run = vector();
  const most = vector();
  const index = vector();
  const same = vector();
  if (op === "sum") sums.push(vector(), vector());

  body.repeat(at, 16, END, () => {
    body.i32(scenes).op(info.intSplat).set(count);
    constant(0, turn);
    for (const sum of sums) body.bits(new Uint8Array(16)).set(sum);
    for (let k = 0; k < scenes; k++) {
      load(k);
      if (validity !== "all") {
        findMissing(k);
        countMissing();
        if (op === "median") {
          body.get(low).get(high).get(turn).op("bitselect").set(spare);
          padWith(k, spare);
          body.get(turn).get(gone).op("xor").set(turn);
        } else if (op === "max") padWith(k, low);
        else if (op === "sum") body.get(samples[k]!).get(gone).op("andnot").set(samples[k]!);
        else padWith(k, high);
      }
      if (op === "sum") addWide(body, lane, samples[k]!, sums);
      if ((op === "min" || op === "max") && k > 0)
        body.get(samples[0]!).get(samples[k]!).op(info[op]).set(samples[0]!);
    }
    switch (op) {
      case "min":
      case "max":
        body.get(at).get(samples[0]!).store(firstAt);
        break;
      case "sum":
        storeWide(body, at, sums, bytes, sumsAt);
        break;
      case "median":
        emitMedian(body, info, samples, { turn, spare, at, firstAt, secondAt });
        break;
      case "sort":
        compare(body, info, samples, sortingNetwork(scenes), spare);
        for (let k = 0; k < scenes; k++)
          body
            .get(at)
            .get(samples[k]!)
            .store(k * plane);
        break;
      case "mode-smallest":
      case "mode-largest":
        compare(body, info, samples, sortingNetwork(scenes), spare);
        emitMode(op, { best, run, most, index, same });
        break;
    }
    body.get(at).get(count).store(countsAt);
  });

  /** Runs of equal samples, one scene after the other; those past the count are missing ones. */
  function emitMode(
    kind: "mode-smallest" | "mode-largest",
    v: { best: number; run: number; most: number; index: number; same: number },
  ): void {
    body.get(samples[0]!).set(v.best);
    body.get(one).set(v.run);
    body.get(one).set(v.most);
    body.get(one).set(v.index);
    for (let k = 1; k < scenes; k++) {
      body
        .get(samples[k]!)
        .get(samples[k - 1]!)
        .op(info.equal)
        .set(v.same);
      body.get(v.run).get(v.same).op("and").get(one).op(info.add).set(v.run);
      // Better than before, and not missing: the count is above the index.
      if (kind === "mode-smallest") body.get(v.run).get(v.most).op(info.above);
      else body.get(v.most).get(v.run).op(info.above).op("not");
      body.get(count).get(v.index).op(info.above).op("and").set(v.same);
      body.get(samples[k]!).get(v.best).get(v.same).op("bitselect").set(v.best);
      body.get(v.run).get(v.most).get(v.same).op("bitselect").set(v.most);
      body.get(v.index).get(one).op(info.add).set(v.index);
    }
    body.get(at).get(v.best).store(firstAt);
  }

  const emitted = assemble([I32, lane === "f32" ? F32 : I32], body, size);
  if (emitted === null) return null;
  const { memory } = emitted;
  const view = (offset: number): LaneArray => new info.array(memory, offset, PIECE);
  const signed = bytes === 1 ? Int8Array : bytes === 2 ? Int16Array : Int32Array;
  const countArray = bytes === 1 ? Uint8Array : bytes === 2 ? Uint16Array : Int32Array;
  return {
    planes: samples.map((_, k) => view(k * plane)),
    missing:
      validity === "planes" ? samples.map((_, k) => new signed(memory, missingAt + k * plane, PIECE)) : [],
    first: view(firstAt),
    second: view(secondAt),
    counts: new countArray(memory, countsAt, PIECE),
    sums: bytes === 1 ? new Uint16Array(memory, sumsAt, PIECE) : new Int32Array(memory, sumsAt, PIECE),
    run: (pixels, value) => emitted.run(pixels * bytes, value),
  };
}

/** 16 bytes of one value in every lane. */
function bitsOf(info: LaneInfo, value: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new info.array(bytes.buffer, 0, 16 / info.bytes).fill(value);
  return bytes;
}

function compare(
  body: Body,
  info: LaneInfo,
  samples: readonly number[],
  comparators: readonly Comparator[],
  spare: number,
): void {
  for (const { low, high, keepLow, keepHigh } of comparators) {
    const a = samples[low]!;
    const b = samples[high]!;
    if (keepLow && keepHigh) {
      body.get(a).get(b).op(info.min).set(spare);
      body.get(a).get(b).op(info.max).set(b);
      body.get(spare).set(a);
    } else if (keepLow) body.get(a).get(b).op(info.min).set(a);
    else body.get(a).get(b).op(info.max).set(b);
  }
}

/**
 * With `n` scenes of which `m` are missing, smallest and largest by turns beginning with the largest, `floor(m / 2)` of them
 * lie below the `n - m` others. Their middle is then at `n / 2 - 1` and `n / 2` for even `n`, when `m` is odd both
 * times the first; for odd `n` at `(n - 1) / 2`, when `m` is odd with the place before it.
 */
function emitMedian(
  body: Body,
  info: LaneInfo,
  samples: readonly number[],
  v: { turn: number; spare: number; at: number; firstAt: number; secondAt: number },
): void {
  const n = samples.length;
  if (n === 1) {
    body.get(v.at).get(samples[0]!).store(v.firstAt);
    body.get(v.at).get(samples[0]!).store(v.secondAt);
    return;
  }
  const place = n % 2 === 0 ? n / 2 - 1 : (n - 3) / 2;
  compare(body, info, samples, selectionNetwork(n, [place, place + 1]), v.spare);
  const a = samples[place]!;
  const b = samples[place + 1]!;
  if (n % 2 === 0) {
    body.get(v.at).get(a).store(v.firstAt);
    body.get(v.at).get(a).get(b).get(v.turn).op("bitselect").store(v.secondAt);
  } else {
    body.get(v.at).get(a).get(b).get(v.turn).op("bitselect").store(v.firstAt);
    body.get(v.at).get(b).store(v.secondAt);
  }
}

/** Add samples to sums of twice their width, which 255 of them cannot overflow. */
function addWide(body: Body, lane: Lane, sample: number, [low, high]: readonly number[]): void {
  const wide: readonly [VectorOp, VectorOp, VectorOp] =
    lane === "u8"
      ? ["i16x8_extend_low_i8x16_u", "i16x8_extend_high_i8x16_u", "i16x8_add"]
      : lane === "u16"
        ? ["i32x4_extend_low_i16x8_u", "i32x4_extend_high_i16x8_u", "i32x4_add"]
        : ["i32x4_extend_low_i16x8_s", "i32x4_extend_high_i16x8_s", "i32x4_add"];
  body.get(low!).get(sample).op(wide[0]).op(wide[2]).set(low!);
  body.get(high!).get(sample).op(wide[1]).op(wide[2]).set(high!);
}

function storeWide(
  body: Body,
  at: number,
  [low, high]: readonly number[],
  bytes: number,
  offset: number,
): void {
  // Sums take twice the room: their address is twice that of the samples.
  const twice = (): Body => {
    body.get(at).i32(1).bytes.push(0x74);
    return body;
  };
  if (bytes > 2) return;
  twice().get(low!).store(offset);
  twice()
    .get(high!)
    .store(offset + 16);
}
