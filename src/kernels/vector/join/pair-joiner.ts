import type { GeometryColumn } from "../../../model/geometry.ts";
import { PairFinder, type PairOptions, type PairPredicate, type Pairs } from "./find-pairs.ts";
import { type JoinSurface, type PairSizes, SharedSizes, type ShareOf } from "./shared-sizes.ts";

/** The right side of a join in space, as plain data: what a thread must know of it. */
export interface RightSide {
  readonly geometry: GeometryColumn;
  readonly predicate: PairPredicate;
  readonly options: PairOptions;
  readonly surface: JoinSurface;
  /** Of which feature shares are asked for; `null`: of none. */
  readonly shareOf: ShareOf | null;
}

/** Pairs with what they share, where that was asked for. */
export interface MeasuredPairs extends Pairs {
  readonly measured: PairSizes | null;
}

/**
 * Finds and measures the pairs of left columns with one right column, whose indexes are built at their first use. What
 * it finds for a column does not depend on the columns before, to the bit.
 */
export class PairJoiner {
  readonly #side: RightSide;
  #finder: PairFinder | null = null;
  #sizes: SharedSizes | null = null;

  constructor(side: RightSide) {
    this.#side = side;
  }

  /** @param keys  Of the left rows, when the right rows have some. */
  find(left: GeometryColumn, keys: Int32Array | null, measure: boolean): MeasuredPairs {
    const { predicate, geometry, options } = this.#side;
    this.#finder ??= new PairFinder(predicate, geometry, options);
    const pairs = this.#finder.find(left, keys);
    return { ...pairs, measured: measure ? this.measure(left, pairs) : null };
  }

  measure(column: GeometryColumn, { left, right }: Pairs): PairSizes {
    return this.#shared().of(column, left, right, this.#side.shareOf);
  }

  /** The part of the right feature that each pair shares. */
  rightShares(column: GeometryColumn, { left, right }: Pairs, sizes: Float64Array): Float64Array {
    return this.#shared().shares(column, left, right, sizes, "right");
  }

  #shared(): SharedSizes {
    this.#sizes ??= new SharedSizes(this.#side.geometry, this.#side.surface);
    return this.#sizes;
  }
}
