import type { FeatureSource } from "../../model/features.ts";

/**
 * Which left features come out, and how often.
 *
 * - `"inner"`: one row for every pair.
 * - `"left"`: the same, and left features without a partner once, with nulls.
 * - `"semi"`: left features with a partner, once, without columns of the right.
 * - `"anti"`: left features without a partner.
 */
export type JoinHow = "inner" | "left" | "semi" | "anti";

/**
 * Which of several right features that qualify equally are taken for one left feature: all of them, the first in the
 * order of the right layer, or the one with the lowest id (feature ids; the position in the layer where there are
 * none).
 */
export type JoinTies = "all" | "first" | "lowest-id";

/** Counts of one pass over the left features; complete when the batches have been read to the end. */
export interface JoinReport {
  /** Features of the left layer. */
  leftIn: number;
  /** Features of the right layer. */
  rightIn: number;
  /** Pairs that fulfil every condition, after ties are settled. */
  pairs: number;
  /** Left features in at least one pair. */
  matched: number;
  /** Left features in none. */
  unmatched: number;
  /** Right features in at least one pair. */
  rightMatched: number;
  /** Left features for which several right features qualified equally and one was taken. */
  tied: number;
  /** Rows that came out. */
  featuresOut: number;
  /**
   * Left and right features without geometry, or with an empty one: never in a pair of a spatial condition. Left ones as
   * far as they were read: an inner or semi join passes by what an indexed file has away from the right layer.
   */
  leftNulls: number;
  rightNulls: number;
  warnings: string[];
}

/** A lazy view of a join: the left layer, streamed in its order, with what belongs to it of the right. */
export interface JoinedFeatures extends FeatureSource {
  /** Starts anew whenever {@link FeatureSource.batches} does. */
  readonly report: JoinReport;
}

/** A report before the first batch. */
export function newJoinReport(): JoinReport {
  return {
    leftIn: 0,
    rightIn: 0,
    pairs: 0,
    matched: 0,
    unmatched: 0,
    rightMatched: 0,
    tied: 0,
    featuresOut: 0,
    leftNulls: 0,
    rightNulls: 0,
    warnings: [],
  };
}
