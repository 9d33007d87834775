import { type GeometryColumn, POINT } from "../../../model/geometry.ts";
import { coordinateRange, safeScale, scaledColumn } from "../distance/range.ts";
import { hilbertOrder } from "./hilbert-order.ts";
import { NearestSet, type TiePolicy } from "./nearest-set.ts";
import { planarIndex } from "./planar-index.ts";
import { PlanarSearch } from "./planar-search.ts";

export interface NearestRowsOptions {
  /** Neighbours of each row. Default 1. */
  readonly k?: number | undefined;
  /** Farther rows are no neighbours; the distance itself is within. Default no limit. */
  readonly maxDistance?: number | undefined;
  /**
   * Rows tied with the last of the k (distances that differ by less than 1e-12 of themselves): all of them (default),
   * the first in the order of rows, or the lowest by `rank`.
   */
  readonly ties?: TiePolicy | undefined;
  /** For `"lowest-id"`: place of each row of the index among equals. Default: the order of rows. */
  readonly rank?: Float64Array | Int32Array | undefined;
  /** Rows of the index that the query row leaves out, such as itself. Called once a query. */
  readonly exclude?: ((row: number) => readonly number[]) | undefined;
}

/**
 * Neighbours of every row of a column: row `i` has `rows[starts[i]] .. rows[starts[i + 1] - 1]`, nearest first, equals
 * in the order of rows (or of `rank`), at `distances`. Null and empty rows have none.
 */
export interface NearestPairs {
  /** Length = rows + 1. */
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  readonly distances: Float64Array;
  /** Queries for which equally near rows were left out because of the policy for ties. */
  readonly tied: number;
}

/** Finds the nearest rows of one column for the rows of others. */
export interface NearestFinder {
  find(column: GeometryColumn, options?: NearestRowsOptions): NearestPairs;
}

/**
 * A finder of planar nearest rows: any type to any type, 0 where geometries meet (polygons with their inside), in units
 * of the coordinates. Exact: what is taken for equal is what {@link NearestRowsOptions.ties} says, nothing else is.
 *
 * The index is built once, O(n log n). A query reads O(log n) boxes for data without very long overlapping parts; many
 * points at once are asked along a Hilbert curve, each starting from its predecessor's answer.
 */
export function planarFinder(target: GeometryColumn): NearestFinder {
  const index = planarIndex(target);
  const targets = target.types.length;
  const range = coordinateRange(target.xy, 0, target.xy.length / 2);
  return {
    find(column, options = {}) {
      const scale = safeScale(range, coordinateRange(column.xy, 0, column.xy.length / 2));
      if (scale !== 1) return findScaled(target, column, options, scale);
      const { k = 1, maxDistance = Infinity, ties = "all", rank = null, exclude } = options;
      const set = new NearestSet(k, maxDistance, ties, rank, targets);
      const search = new PlanarSearch(index);
      const count = column.types.length;
      const collected = new Collected(count);
      const mask = exclude === undefined ? null : new Uint8Array(targets);
      set.excluded = mask;
      const points = onlyPoints(column);
      const order = points === null ? null : hilbertOrder(points, count, 2);
      let previousX = Number.NaN;
      let previousY = Number.NaN;
      let previousDistance = Infinity;
      for (let step = 0; step < count; step++) {
        const row = order === null ? step : order[step]!;
        set.reset();
        const left = mask === null ? null : exclude!(row);
        if (left !== null) for (const other of left) mask![other] = 1;
        if (points === null) {
          search.forget();
          search.row(column, row, set);
          set.finish();
        } else {
          const x = points[2 * row]!;
          const y = points[2 * row + 1]!;
          // No farther than the predecessor's answer: by the neighbour itself, or by the triangle.
          if (k === 1 && search.witnessRow >= 0 && (mask === null || mask[search.witnessRow] === 0)) {
            set.atMost(search.distanceToWitness(x, y));
          } else if (mask === null && previousDistance < Infinity) {
            set.atMost(previousDistance + Math.hypot(x - previousX, y - previousY));
          }
          search.forget();
          search.point(x, y, set);
          set.finish();
          previousX = x;
          previousY = y;
          previousDistance = set.count >= k ? set.distances[k - 1]! : Infinity;
        }
        if (left !== null) for (const other of left) mask![other] = 0;
        collected.add(row, set);
      }
      return collected.pairs();
    },
  };
}

/** Coordinates whose squares would overflow or vanish are brought to a safe size by a power of two, which is exact. */
function findScaled(
  target: GeometryColumn,
  column: GeometryColumn,
  options: NearestRowsOptions,
  scale: number,
): NearestPairs {
  const { maxDistance = Infinity } = options;
  const found = planarFinder(scaledColumn(target, scale)).find(scaledColumn(column, scale), {
    ...options,
    maxDistance: maxDistance * scale,
  });
  return { ...found, distances: found.distances.map((distance) => distance / scale) };
}

/** Coordinates of a column of points only, NaN for null and empty rows; `null` for other columns. */
export function onlyPoints({ types, geometries, parts, rings, xy }: GeometryColumn): Float64Array | null {
  for (let row = 0; row < types.length; row++) if (types[row]! > POINT) return null;
  // As a rule every row has its vertex, and nothing needs to be copied.
  if (xy.length === 2 * types.length && rings.length === types.length + 1) return xy;
  const out = new Float64Array(2 * types.length).fill(Number.NaN);
  for (let row = 0; row < types.length; row++) {
    const v = rings[parts[geometries[row]!]!]!;
    if (rings[parts[geometries[row + 1]!]!]! === v) continue;
    out[2 * row] = xy[2 * v]!;
    out[2 * row + 1] = xy[2 * v + 1]!;
  }
  return out;
}

/** Answers in the order in which they are found, given back in the order of rows. */
export class Collected {
  readonly #from: Int32Array;
  readonly #counts: Int32Array;
  #rows = new Int32Array(256);
  #distances = new Float64Array(256);
  #length = 0;
  #tied = 0;

  constructor(count: number) {
    this.#from = new Int32Array(count);
    this.#counts = new Int32Array(count);
  }

  add(row: number, { count, rows, distances, tied }: NearestSet): void {
    if (tied) this.#tied++;
    this.#from[row] = this.#length;
    this.#counts[row] = count;
    if (this.#length + count > this.#rows.length) {
      const capacity = Math.max(2 * this.#rows.length, this.#length + count);
      const grownRows = new Int32Array(capacity);
      const grownDistances = new Float64Array(capacity);
      grownRows.set(this.#rows);
      grownDistances.set(this.#distances);
      this.#rows = grownRows;
      this.#distances = grownDistances;
    }
    for (let i = 0; i < count; i++) {
      this.#rows[this.#length] = rows[i]!;
      this.#distances[this.#length++] = distances[i]!;
    }
  }

  pairs(): NearestPairs {
    const count = this.#from.length;
    const starts = new Int32Array(count + 1);
    for (let row = 0; row < count; row++) starts[row + 1] = starts[row]! + this.#counts[row]!;
    const rows = new Int32Array(this.#length);
    const distances = new Float64Array(this.#length);
    for (let row = 0; row < count; row++) {
      const from = this.#from[row]!;
      const to = starts[row]!;
      for (let i = 0; i < this.#counts[row]!; i++) {
        rows[to + i] = this.#rows[from + i]!;
        distances[to + i] = this.#distances[from + i]!;
      }
    }
    return { starts, rows, distances, tied: this.#tied };
  }
}
