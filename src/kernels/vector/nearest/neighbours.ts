import type { GeometryColumn } from "../../../model/geometry.ts";
import { geodesicFinder } from "./geodesic-finder.ts";
import { type NearestFinder, type NearestPairs, planarFinder } from "./nearest-rows.ts";
import type { TiePolicy } from "./nearest-set.ts";
import { sameRows } from "./same-rows.ts";

/** The rows among which neighbours are looked for, and by which rules, as plain data: what a thread must know of them. */
export interface NearestSide {
  /** In coordinates of the metric: longitude and latitude on WGS 84 for `"geodesic"`. */
  readonly geometry: GeometryColumn;
  readonly metric: "planar" | "geodesic";
  readonly k: number;
  readonly maxDistance: number;
  readonly ties: TiePolicy;
  /** Place of each row among equally near ones, for `"lowest-id"`; `null`: the order of rows. */
  readonly rank: Int32Array | null;
  /** The rows that ask are these same rows, and none is its own neighbour. */
  readonly itself: boolean;
  /** Rows with the same geometry in this column are no neighbours; its rows are those of `geometry`. */
  readonly same: GeometryColumn | null;
}

/** The neighbours of the rows of many columns. What is found for one does not depend on those before, to the bit. */
export class Neighbours {
  readonly #side: NearestSide;
  readonly #finder: NearestFinder;
  readonly #same: ReturnType<typeof sameRows> | null;

  constructor(side: NearestSide) {
    this.#side = side;
    this.#finder = side.metric === "planar" ? planarFinder(side.geometry) : geodesicFinder(side.geometry);
    this.#same = side.same === null ? null : sameRows(side.same);
  }

  /**
   * @param column  In coordinates of the metric.
   * @param own  The same rows as they were before they were brought to the metric; `null` when they are unchanged.
   * @param position  Of the first row in its layer.
   */
  find(column: GeometryColumn, own: GeometryColumn | null, position: number): NearestPairs {
    const { k, maxDistance, ties, rank, itself } = this.#side;
    const exclude = itself ? (row: number) => [position + row] : this.#same?.(own ?? column);
    return this.#finder.find(column, { k, maxDistance, ties, rank: rank ?? undefined, exclude });
  }
}
