import { type Executor, inline } from "../../execution/executor.ts";
import type { Kept } from "../../execution/kept.ts";
import type { PairPredicate, Pairs } from "../../kernels/vector/join/find-pairs.ts";
import { type MeasuredPairs, PairJoiner, type RightSide } from "../../kernels/vector/join/pair-joiner.ts";
import { allPoints } from "../../kernels/vector/join/points-in-grid.ts";
import type { JoinSurface, PairSizes, ShareOf } from "../../kernels/vector/join/shared-sizes.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureTable } from "../../model/features.ts";
import { type GeometryColumn, POINT } from "../../model/geometry.ts";
import { type AsOfCondition, daysApart, timesOf } from "./as-of.ts";
import type { JoinTies } from "./joined.ts";
import { type KeyIndex, keyIndex, type OnCondition } from "./keys.ts";

/** Every condition of a join. */
export interface MatchConditions {
  /** `"none"`: no condition in space. */
  readonly predicate: PairPredicate | "none";
  readonly distance: number;
  readonly geodesic: boolean;
  readonly halfOpen: boolean;
  readonly on: readonly OnCondition[];
  readonly asOf: AsOfCondition | null;
  readonly surface: JoinSurface;
  /** Whether what pairs share is asked for by anyone. */
  readonly measured: boolean;
  readonly largestOverlap: boolean;
  /** 0 for no limit. */
  readonly minOverlapShare: number;
  readonly minOverlapArea: number;
  readonly shareOf: ShareOf;
  readonly ties: JoinTies;
}

/** Pairs of one batch, left rows rising and, for one left row, right rows rising. */
export interface Matches {
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What each pair shares; `null` when nobody asks. */
  readonly overlaps: Float64Array | null;
  /** Days between the two; `null` without a condition in time. */
  readonly days: Float64Array | null;
  /** Left rows for which several right rows qualified equally and one was taken. */
  readonly tied: number;
}

/** Overlaps are rounded numbers: two that differ by less than this share are equal. */
const EQUAL = 1e-12;

/**
 * The right side of a join with every condition; left batches are matched one by one, or several at a time. What lies where
 * is found, and measured, by the executor; attributes and times are compared here, and points located.
 */
export class Matcher {
  readonly #conditions: MatchConditions;
  readonly #right: FeatureTable;
  readonly #keys: KeyIndex | null;
  readonly #joiner: PairJoiner | null;
  readonly #executor: Executor;
  /** What threads prepare for themselves, once each; `null` when nothing leaves the caller's thread. */
  readonly #kept: Kept<RightSide> | null;
  readonly #buckets: Map<number, number[]> | null;
  readonly #times: Float64Array | null;
  #ranks: Int32Array | null = null;

  constructor(right: FeatureTable, conditions: MatchConditions, executor: Executor = inline) {
    const { predicate, on, asOf } = conditions;
    this.#conditions = conditions;
    // The geometries are only needed by the joiner, which may hold them in shared memory.
    this.#right = { ...right, geometry: null };
    this.#keys = on.length === 0 ? null : keyIndex(right, on);
    this.#times = asOf === null ? null : timesOf(right, asOf.right);
    const side: RightSide | null =
      predicate === "none" || right.geometry === null
        ? null
        : {
            geometry: right.geometry,
            predicate,
            options: {
              distance: conditions.distance,
              geodesic: conditions.geodesic,
              halfOpen: conditions.halfOpen,
              ...(this.#keys === null ? {} : { keys: this.#keys.right }),
            },
            surface: conditions.surface,
            shareOf: conditions.minOverlapShare > 0 ? conditions.shareOf : null,
          };
    this.#executor = executor;
    this.#kept = side === null || executor === inline ? null : executor.keep(side);
    this.#joiner = side === null ? null : new PairJoiner(this.#kept?.value ?? side);
    this.#buckets = predicate === "none" && this.#keys !== null ? bucketsOf(this.#keys.right) : null;
  }

  /** Batches worth matching at a time. */
  get concurrency(): number {
    return this.#kept === null ? 1 : this.#executor.concurrency;
  }

  /** The part of the right feature that each pair shares; `null` when nothing is measured. */
  rightShares({ geometry }: FeatureTable, { left, right, overlaps }: Matches): Float64Array | null {
    if (this.#joiner === null || overlaps === null || geometry === null) return null;
    return this.#joiner.rightShares(geometry, { left, right }, overlaps);
  }

  /** @throws GeoError `INVALID_GEOMETRY` for a half-open assignment of anything but points */
  async match(batch: FeatureTable): Promise<Matches> {
    const { asOf, measured, largestOverlap, ties, halfOpen } = this.#conditions;
    if (halfOpen) requirePoints(batch);
    const { geometry } = batch;
    const found = await this.#pairs(batch, measured && asOf === null);
    let { left, right } = found;
    let sizes = found.measured;
    let days: Float64Array | null = null;
    if (asOf !== null) {
      days = this.#days(batch, left, right, asOf);
      let kept = indexesWhere(days, (value) => !Number.isNaN(value));
      if (asOf.keep !== "all") kept = bestOf(left, kept, days, false, 0);
      [left, right, days] = [pick(left, kept), pick(right, kept), pickNumbers(days, kept)];
      if (measured && geometry !== null && left.length > 0)
        sizes = await this.#measure(geometry, { left, right });
    }
    let shared: Float64Array | null = null;
    if (sizes !== null) {
      shared = sizes.sizes;
      const values = shared;
      const enough = this.#enoughOverlap(sizes);
      let kept = enough === null ? null : indexesWhere(values, (_, k) => enough[k] === 1);
      if (largestOverlap) kept = bestOf(left, kept ?? everyIndex(left.length), values, true, EQUAL);
      if (kept !== null) {
        [left, right, shared] = [pick(left, kept), pick(right, kept), pickNumbers(shared, kept)];
        if (days !== null) days = pickNumbers(days, kept);
      }
    } else if (measured) shared = new Float64Array(left.length);
    let tied = 0;
    if (ties !== "all") {
      const kept = this.#oneOf(left, right);
      tied = kept.tied;
      if (kept.indexes.length < left.length) {
        const { indexes } = kept;
        [left, right] = [pick(left, indexes), pick(right, indexes)];
        if (shared !== null) shared = pickNumbers(shared, indexes);
        if (days !== null) days = pickNumbers(days, indexes);
      }
    }
    return { left, right, overlaps: shared, days, tied };
  }

  /** Points are found in a grid, a million in 0.2 s: too little beside reading them to be handed to threads. */
  #quick(geometry: GeometryColumn, measure: boolean): boolean {
    return !measure && this.#conditions.predicate !== "dwithin" && allPoints(geometry);
  }

  #measure(geometry: GeometryColumn, pairs: Pairs): PairSizes | Promise<PairSizes> {
    return this.#kept === null
      ? this.#joiner!.measure(geometry, pairs)
      : this.#executor.call("measurePairs", this.#kept, geometry, pairs);
  }

  #pairs(batch: FeatureTable, measure: boolean): MeasuredPairs | Promise<MeasuredPairs> {
    const { geometry } = batch;
    const keys = this.#keys === null ? null : this.#keys.of(batch);
    if (this.#joiner !== null) {
      if (geometry === null) return NO_PAIRS;
      return this.#kept === null || this.#quick(geometry, measure)
        ? this.#joiner.find(geometry, keys, measure)
        : this.#executor.call("joinPairs", this.#kept, geometry, keys, measure);
    }
    if (this.#buckets === null || keys === null) return NO_PAIRS;
    let count = 0;
    for (let row = 0; row < batch.count; row++) count += this.#buckets.get(keys[row]!)?.length ?? 0;
    const left = new Int32Array(count);
    const right = new Int32Array(count);
    let n = 0;
    for (let row = 0; row < batch.count; row++) {
      const bucket = this.#buckets.get(keys[row]!);
      if (bucket === undefined) continue;
      for (const other of bucket) {
        left[n] = row;
        right[n++] = other;
      }
    }
    return { left, right, measured: null };
  }

  #days(batch: FeatureTable, left: Int32Array, right: Int32Array, asOf: AsOfCondition): Float64Array {
    const times = timesOf(batch, asOf.left);
    const days = new Float64Array(left.length);
    for (let k = 0; k < days.length; k++)
      days[k] = daysApart(times[left[k]!]!, this.#times![right[k]!]!, asOf);
    return days;
  }

  /** 1 for every pair that shares enough; `null` without a limit. */
  #enoughOverlap({ sizes, shares }: PairSizes): Uint8Array | null {
    const { minOverlapShare, minOverlapArea } = this.#conditions;
    if (minOverlapShare === 0 && minOverlapArea === 0) return null;
    const enough = new Uint8Array(sizes.length);
    for (let k = 0; k < sizes.length; k++) {
      const share = shares === null || shares[k]! >= minOverlapShare * (1 - EQUAL);
      enough[k] = share && sizes[k]! >= minOverlapArea ? 1 : 0;
    }
    return enough;
  }

  /** One pair for each left row: the first, or the one with the lowest id. */
  #oneOf(left: Int32Array, right: Int32Array): { indexes: Int32Array; tied: number } {
    const ranks = this.#conditions.ties === "lowest-id" ? this.#idRanks() : null;
    const indexes = new Int32Array(left.length);
    let n = 0;
    let tied = 0;
    for (let k = 0; k < left.length; ) {
      let best = k;
      let end = k + 1;
      for (; end < left.length && left[end] === left[k]; end++)
        if (ranks !== null && ranks[right[end]!]! < ranks[right[best]!]!) best = end;
      if (end - k > 1) tied++;
      indexes[n++] = best;
      k = end;
    }
    return { indexes: indexes.slice(0, n), tied };
  }

  /** Rank of every right row by its id: numbers before text, rows without an id last, then by position. */
  #idRanks(): Int32Array {
    if (this.#ranks !== null) return this.#ranks;
    const { ids, count } = this.#right;
    const ranks = everyIndex(count);
    if (ids !== null) {
      const order = Array.from(ranks).sort((a, b) => compareIds(ids[a]!, ids[b]!) || a - b);
      for (const [rank, row] of order.entries()) ranks[row] = rank;
    }
    this.#ranks = ranks;
    return ranks;
  }
}

const NO_PAIRS: MeasuredPairs = { left: new Int32Array(), right: new Int32Array(), measured: null };

function compareIds(a: string | number | null, b: string | number | null): number {
  const kind = idKind(a) - idKind(b);
  if (kind !== 0) return kind;
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function idKind(id: string | number | null): number {
  return id === null ? 2 : typeof id === "number" ? 0 : 1;
}

function bucketsOf(keys: Int32Array): Map<number, number[]> {
  const buckets = new Map<number, number[]>();
  for (let row = 0; row < keys.length; row++) {
    if (keys[row]! < 0) continue;
    const bucket = buckets.get(keys[row]!);
    if (bucket === undefined) buckets.set(keys[row]!, [row]);
    else bucket.push(row);
  }
  return buckets;
}

function requirePoints({ geometry, firstRow }: FeatureTable): void {
  if (geometry === null) return;
  const row = geometry.types.findIndex((type) => type !== 0 && type !== POINT);
  if (row === -1) return;
  throw new GeoError(
    "INVALID_GEOMETRY",
    `row ${firstRow + row} of the left layer is no point: only points can be assigned half-open`,
    { row: firstRow + row, reason: "not a point" },
    { hint: "Join with a predicate, or with points made by pointOnSurface." },
  );
}

function everyIndex(count: number): Int32Array {
  const indexes = new Int32Array(count);
  for (let k = 0; k < count; k++) indexes[k] = k;
  return indexes;
}

function indexesWhere(values: Float64Array, test: (value: number, k: number) => boolean): Int32Array {
  const indexes = new Int32Array(values.length);
  let n = 0;
  for (let k = 0; k < values.length; k++) if (test(values[k]!, k)) indexes[n++] = k;
  return indexes.slice(0, n);
}

/** Of the pairs in `among`, those of each left row with the best value, ties within the share `equal` included. */
function bestOf(
  left: Int32Array,
  among: Int32Array,
  values: Float64Array,
  largest: boolean,
  equal: number,
): Int32Array {
  const kept = new Int32Array(among.length);
  let n = 0;
  for (let k = 0; k < among.length; ) {
    let best = values[among[k]!]!;
    let end = k + 1;
    for (; end < among.length && left[among[end]!] === left[among[k]!]; end++) {
      const value = values[among[end]!]!;
      if (largest ? value > best : value < best) best = value;
    }
    for (; k < end; k++) {
      const value = values[among[k]!]!;
      if (largest ? value >= best * (1 - equal) : value <= best) kept[n++] = among[k]!;
    }
  }
  return kept.slice(0, n);
}

function pick(values: Int32Array, indexes: Int32Array): Int32Array {
  const out = new Int32Array(indexes.length);
  for (let k = 0; k < indexes.length; k++) out[k] = values[indexes[k]!]!;
  return out;
}

function pickNumbers(values: Float64Array, indexes: Int32Array): Float64Array {
  const out = new Float64Array(indexes.length);
  for (let k = 0; k < indexes.length; k++) out[k] = values[indexes[k]!]!;
  return out;
}
