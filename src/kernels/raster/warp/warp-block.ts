import { intersectWindows, type Window } from "../../../model/grid.ts";
import {
  integerRange,
  isComplex,
  type SampleArray,
  type SampleType,
  type SampleValue,
  sampleArray,
} from "../../../model/raster.ts";
import { type NumberArray, observedOf, type SourceBlock, storeValues } from "../resample/block.ts";
import { footprintRow, footprintScratch, footprintsOf } from "../resample/footprint.ts";
import { type Resampling, usesFootprint } from "../resample/methods.ts";
import { EDGE, filterRow, filterScratch, nearestIndices, plainFilter, reach } from "../resample/point.ts";
import { makePositions, PATCH_INTS, type Patches, patchBounds, patchIndices, patchRow } from "./patches.ts";

/** One band of a {@link WarpJob}. */
export interface WarpBand {
  readonly type: SampleType;
  /** Samples of the source's window. */
  readonly samples: SampleArray;
  /** Sample of the source that means "not observed". */
  readonly nodata: SampleValue | null;
  /** Sample of the result where nothing is observed; also kept free of chance hits when `declared`. */
  readonly fill: SampleValue;
  readonly declared: boolean;
  /** The mask of the source says nothing about this band (it is the alpha band). */
  readonly unmasked: boolean;
}

/** A window of a warped raster, and all that its pixels need. */
export interface WarpJob {
  readonly method: Resampling;
  /** Of the result. */
  readonly window: Window;
  /** Patches that cover it; positions are of centres, or of corners for methods that use footprints. */
  readonly patches: Patches;
  /** Pixels of the source that are there. */
  readonly source: Window;
  readonly bands: readonly WarpBand[];
  readonly mask: Uint8Array | null;
  /** Result pixels per source pixel, across and down. */
  readonly scale: readonly [x: number, y: number];
  /** Columns of a source around the globe, when it is in longitudes; else 0. */
  readonly period: number;
  /** Columns and rows that no footprint can have: its corners lie on both sides of a break in the projection. */
  readonly limit: readonly [x: number, y: number];
  /** Whether a mask is wanted. */
  readonly masked: boolean;
}

/** What {@link warpBlock} makes. */
export interface WarpBlock {
  readonly bands: readonly SampleArray[];
  readonly mask: Uint8Array | null;
}

/** Columns of the widest patch, and one more corner. */
const WIDEST = 257;

/** Pixels of one window of a warped raster. */
export function warpBlock(job: WarpJob): WarpBlock {
  const { window, masked, bands } = job;
  const pixels = window.width * window.height;
  const mask = masked ? new Uint8Array(pixels) : null;
  const out = bands.map(({ type }) => sampleArray(type, pixels));
  if (job.method === "near") near(job, out, mask);
  else weighted(job, out, mask);
  return { bands: out, mask };
}

/** A run of pixels of one patch in one row of the window. */
interface Run {
  patch: number;
  /** First pixel in the patch. */
  col: number;
  row: number;
  count: number;
  /** First pixel in the window's arrays. */
  at: number;
}

/** Call `use` for each row of each patch inside the window; `start` once for each patch before. */
function eachRun(
  { window, patches }: WarpJob,
  start: (patch: number) => void,
  use: (run: Run) => void,
): void {
  const { layout } = patches;
  const run: Run = { patch: 0, col: 0, row: 0, count: 0, at: 0 };
  for (let p = 0; p * PATCH_INTS < layout.length; p++) {
    const k = PATCH_INTS * p;
    const [col, row, width, height] = [layout[k]!, layout[k + 1]!, layout[k + 2]!, layout[k + 3]!];
    const part = intersectWindows(window, { col, row, width, height });
    if (part === null) continue;
    start(p);
    run.patch = p;
    run.col = part.col - col;
    run.count = part.width;
    for (let r = part.row; r < part.row + part.height; r++) {
      run.row = r - row;
      run.at = (r - window.row) * window.width + part.col - window.col;
      use(run);
    }
  }
}

function near(job: WarpJob, out: readonly SampleArray[], mask: Uint8Array | null): void {
  const { patches, source, bands } = job;
  const valid = bands.map((band) => validOf(job, band));
  const seen = mask === null ? null : maskOf(job);
  const positions = makePositions(WIDEST);
  const indices = new Int32Array(WIDEST);
  const bounds = new Float64Array(4);
  let inside = false;
  eachRun(
    job,
    (patch) => {
      inside = patchBounds(patches, patch, bounds) && contains(source, bounds, 1e-6);
    },
    ({ patch, col, row, count, at }) => {
      if (inside && patches.layout[PATCH_INTS * patch + 4] === 3)
        patchIndices(patches, patch, col, row, count, source, EDGE, indices);
      else {
        patchRow(patches, patch, "centers", col, row, count, positions);
        nearestIndices(positions.x, positions.y, count, source, inside, indices);
      }
      for (let b = 0; b < bands.length; b++) {
        const { samples, fill, type } = bands[b]!;
        if (isComplex(type)) takePairs(samples, valid[b]!, indices, count, fill, out[b]!, at);
        else if (inside && valid[b] === null) takeAll(samples, indices, count, out[b]!, at);
        else take(samples, valid[b]!, indices, count, fill, out[b]!, at);
      }
      if (mask !== null) cover(seen, indices, count, mask, at);
    },
  );
}

function takeAll(from: SampleArray, indices: Int32Array, count: number, to: SampleArray, at: number): void {
  const source = from as Float64Array;
  const target = to as Float64Array;
  for (let i = 0; i < count; i++) target[at + i] = source[indices[i]!]!;
}

function take(
  from: SampleArray,
  valid: Uint8Array | null,
  indices: Int32Array,
  count: number,
  fill: SampleValue,
  to: SampleArray,
  at: number,
): void {
  const source = from as Float64Array;
  const target = to as Float64Array;
  const outside = fill as number;
  for (let i = 0; i < count; i++) {
    const k = indices[i]!;
    target[at + i] = k < 0 || (valid !== null && valid[k] === 0) ? outside : source[k]!;
  }
}

function takePairs(
  from: SampleArray,
  valid: Uint8Array | null,
  indices: Int32Array,
  count: number,
  fill: SampleValue,
  to: SampleArray,
  at: number,
): void {
  const source = from as Float64Array;
  const target = to as Float64Array;
  for (let i = 0; i < count; i++) {
    const k = indices[i]!;
    const good = k >= 0 && (valid === null || valid[k] !== 0);
    target[2 * (at + i)] = good ? source[2 * k]! : Number(fill);
    target[2 * (at + i) + 1] = good ? source[2 * k + 1]! : Number(fill);
  }
}

function cover(
  seen: Uint8Array | null,
  indices: Int32Array,
  count: number,
  mask: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) {
    const k = indices[i]!;
    mask[at + i] = k < 0 || (seen !== null && seen[k] === 0) ? 0 : 255;
  }
}

/** One plane of numbers: a band, or one part of a complex band. */
interface Plane {
  readonly block: SourceBlock;
  readonly out: NumberArray;
  readonly range: readonly [number, number] | null;
  readonly fill: number;
  readonly nodata: number | null;
  readonly whole: boolean;
}

function weighted(job: WarpJob, out: readonly SampleArray[], mask: Uint8Array | null): void {
  const { method, patches, source, scale, period, limit } = job;
  const [scaleX, scaleY] = scale;
  const planes = job.bands.flatMap((band, b) => planesOf(job, band, out[b]!));
  const pixels = source.width * source.height;
  const seen: SourceBlock | null =
    mask === null ? null : { window: source, samples: new Uint8Array(pixels), valid: maskOf(job) };
  const values = new Float64Array(WIDEST);
  const upper = makePositions(WIDEST);
  if (usesFootprint(method)) {
    let lower = makePositions(WIDEST);
    let above = upper;
    let patchAbove = -1;
    let rowAbove = -1;
    const boxes = new Float64Array(4 * WIDEST);
    const scratch = footprintScratch();
    eachRun(
      job,
      () => undefined,
      ({ patch, col, row, count, at }) => {
        if (patchAbove === patch && rowAbove === row) {
          // The corners below the last row are those above this one.
          const spare = above;
          above = lower;
          lower = spare;
        } else patchRow(patches, patch, "corners", col, row, count + 1, above);
        patchRow(patches, patch, "corners", col, row + 1, count + 1, lower);
        patchAbove = patch;
        rowAbove = row + 1;
        footprintsOf(above.x, above.y, lower.x, lower.y, count, { period, limit, scale }, boxes);
        for (const plane of planes) {
          footprintRow(method, plane.block, boxes, count, plane.whole, scratch, values);
          storeValues(values, count, plane.out, at, plane);
        }
        if (mask === null) return;
        footprintRow("max", seen!, boxes, count, true, scratch, values);
        for (let i = 0; i < count; i++) mask[at + i] = values[i] === 0 ? 255 : 0;
      },
    );
  } else {
    const indices = new Int32Array(WIDEST);
    const bounds = new Float64Array(4);
    const scratch = filterScratch(method, scaleX, scaleY);
    const margin = Math.max(reach(method, scaleX), reach(method, scaleY)) - 0.5 + 1e-6;
    // Nobody asks for the nearest sample.
    const simple =
      mask === null &&
      plainFilter(method, scaleX, scaleY) &&
      planes.every(({ block }) => block.valid === null);
    let inside = false;
    eachRun(
      job,
      (patch) => {
        inside = patchBounds(patches, patch, bounds) && contains(source, bounds, margin);
      },
      ({ patch, col, row, count, at }) => {
        patchRow(patches, patch, "centers", col, row, count, upper);
        const { x, y } = upper;
        if (!(inside && simple)) nearestIndices(x, y, count, source, inside, indices);
        for (const plane of planes) {
          filterRow(method, scaleX, scaleY, plane.block, x, y, indices, count, inside, scratch, values);
          storeValues(values, count, plane.out, at, plane);
        }
        if (mask !== null) cover(seen!.valid, indices, count, mask, at);
      },
    );
  }
  job.bands.forEach((band, b) => {
    joinParts(band, planes, out, b);
  });
}

/** Whether a window holds all positions within bounds, with so many pixels to spare. */
function contains({ col, row, width, height }: Window, bounds: Float64Array, margin: number): boolean {
  return (
    bounds[0]! - margin >= col &&
    bounds[1]! - margin >= row &&
    bounds[2]! + margin <= col + width &&
    bounds[3]! + margin <= row + height
  );
}

function validOf(job: WarpJob, band: WarpBand): Uint8Array | null {
  return observedOf(band.samples, band.type, band.nodata, band.unmasked ? null : job.mask);
}

/** 1 where the mask is not 0; `null` without a mask or when it is nowhere 0. */
function maskOf({ mask }: WarpJob): Uint8Array | null {
  return mask?.includes(0) ? mask : null;
}

const WHOLE: ReadonlySet<SampleType> = new Set(["uint8", "int8", "uint16", "int16"]);

function planesOf(job: WarpJob, band: WarpBand, out: SampleArray): Plane[] {
  const { type, samples, fill, declared } = band;
  const { source } = job;
  const valid = validOf(job, band);
  const limits = integerRange(type);
  const range = limits === null ? null : ([Number(limits[0]), Number(limits[1])] as const);
  const rest = {
    range,
    fill: Number(fill),
    nodata: declared && !Number.isNaN(Number(fill)) ? Number(fill) : null,
    whole: WHOLE.has(type),
  };
  if (isComplex(type)) {
    const from = samples as NumberArray;
    const complexRange = type === "complexint16" ? 2 ** 15 : type === "complexint32" ? 2 ** 31 : 0;
    return [0, 1].map((part) => {
      const plane = new Float64Array(from.length / 2);
      for (let i = 0; i < plane.length; i++) plane[i] = from[2 * i + part]!;
      return {
        ...rest,
        range: complexRange === 0 ? null : ([-complexRange, complexRange - 1] as const),
        nodata: null,
        block: { window: source, samples: plane, valid },
        out: new Float64Array(out.length / 2),
      };
    });
  }
  if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) {
    const plane = new Float64Array(samples.length);
    for (let i = 0; i < plane.length; i++) plane[i] = Number(samples[i]!);
    const block = { window: source, samples: plane, valid };
    return [{ ...rest, block, out: new Float64Array(out.length) }];
  }
  return [{ ...rest, block: { window: source, samples, valid }, out: out as NumberArray }];
}

/** Put planes that are not the band's own array into it. */
function joinParts(band: WarpBand, planes: readonly Plane[], out: readonly SampleArray[], b: number): void {
  const target = out[b]!;
  // Planes stand in the order of the bands, two for complex ones.
  let first = 0;
  for (let k = 0; k < b; k++) first += isPairs(out[k]!, planes[first]!) ? 2 : 1;
  const plane = planes[first]!;
  if (isComplex(band.type)) {
    const second = planes[first + 1]!;
    const pairs = target as NumberArray;
    for (let i = 0; i < plane.out.length; i++) {
      pairs[2 * i] = plane.out[i]!;
      pairs[2 * i + 1] = second.out[i]!;
    }
  } else if (target instanceof BigInt64Array || target instanceof BigUint64Array) {
    const [low, high] = integerRange(band.type)!;
    for (let i = 0; i < target.length; i++) {
      const value = BigInt(plane.out[i]!);
      target[i] = value < low ? low : value > high ? high : value;
    }
  }
}

function isPairs(target: SampleArray, plane: Plane): boolean {
  return target.length === 2 * plane.out.length;
}
