import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  memberPartsEnd,
  typeDimension,
} from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { geodesicLength } from "../geodesic.ts";
import { overlapOf, PreparedPolygons, UnderEdge } from "../overlap-area.ts";
import { overlayRows } from "../overlay/overlay.ts";
import { testRows } from "../relate/predicates.ts";
import { planarLength } from "../spherical.ts";

/**
 * How areas and lengths are measured: `"ellipsoid"` in metres on WGS 84, edges of polygons straight in longitude and
 * latitude, `"plane"` in units of the coordinates.
 */
export type JoinSurface = "plane" | "ellipsoid";

/** Of which of the two features of a pair something is a share. */
export type ShareOf = "left" | "right" | "smaller";

/** What pairs share, and which part of a feature that is where shares are asked for. Length = pairs. */
export interface PairSizes {
  readonly sizes: Float64Array;
  readonly shares: Float64Array | null;
}

/**
 * What features of two layers share: the area between polygons, the length where a line is involved, and 1 for a point
 * in the other feature. The right layer is prepared once; left batches come one by one.
 */
export class SharedSizes {
  readonly #right: GeometryColumn;
  readonly #under: UnderEdge;
  readonly #length: (xy: Float64Array, start: number, end: number) => number;
  readonly #prepared: PreparedPolygons;
  #rightSizes: Float64Array | null = null;

  constructor(right: GeometryColumn, surface: JoinSurface) {
    this.#right = right;
    this.#under = new UnderEdge(surface);
    this.#length = surface === "plane" ? planarLength : geodesicLength;
    this.#prepared = new PreparedPolygons(right, this.#under);
  }

  /** What each pair shares. Does not depend on the pairs measured before, to the bit. */
  of(
    left: GeometryColumn,
    leftRows: Int32Array,
    rightRows: Int32Array,
    shareOf: ShareOf | null = null,
  ): PairSizes {
    const prepared = new PreparedPolygons(left, this.#under);
    const sizes = new Float64Array(leftRows.length);
    for (let k = 0; k < sizes.length; k++) {
      const i = leftRows[k]!;
      const j = rightRows[k]!;
      const dimension = Math.min(rowDimension(left, i), rowDimension(this.#right, j));
      if (dimension === 2) sizes[k] = overlapOf(prepared, i, this.#prepared, j);
      else if (dimension === 1) sizes[k] = this.#sharedLength(left, i, j);
      else if (dimension === 0) sizes[k] = testRows("intersects", left, i, this.#right, j) ? 1 : 0;
    }
    const shares = shareOf === null ? null : this.#shares(prepared, leftRows, rightRows, sizes, shareOf);
    return { sizes, shares };
  }

  /**
   * The part of one of the two features that each pair shares, 0 to 1: of the left one, the right one or the smaller. 0 when
   * the other has a lower dimension: a line covers nothing of a polygon. NaN for features without extent.
   */
  shares(
    left: GeometryColumn,
    leftRows: Int32Array,
    rightRows: Int32Array,
    sizes: Float64Array,
    of: ShareOf,
  ): Float64Array {
    return this.#shares(new PreparedPolygons(left, this.#under), leftRows, rightRows, sizes, of);
  }

  #shares(
    prepared: PreparedPolygons,
    leftRows: Int32Array,
    rightRows: Int32Array,
    sizes: Float64Array,
    of: ShareOf,
  ): Float64Array {
    const left = prepared.column;
    const leftSizes = of === "right" ? null : this.#sizes(left, prepared);
    if (of !== "left") this.#rightSizes ??= this.#sizes(this.#right, this.#prepared);
    const rightSizes = of === "left" ? null : this.#rightSizes;
    const out = new Float64Array(sizes.length);
    for (let k = 0; k < out.length; k++) {
      const i = leftRows[k]!;
      const j = rightRows[k]!;
      const lower = rowDimension(left, i) - rowDimension(this.#right, j);
      // Of features of different dimension the smaller is the one of the lower.
      const ofLeft =
        of === "left" ||
        (of === "smaller" && (lower < 0 || (lower === 0 && leftSizes![i]! <= rightSizes![j]!)));
      const whole = ofLeft ? leftSizes![i]! : rightSizes![j]!;
      out[k] = (ofLeft ? lower > 0 : lower < 0) ? 0 : Math.min(1, sizes[k]! / whole);
    }
    return out;
  }

  #sizes(column: GeometryColumn, prepared: PreparedPolygons): Float64Array {
    const out = new Float64Array(column.types.length);
    for (let row = 0; row < out.length; row++) {
      const dimension = rowDimension(column, row);
      if (dimension === 2) out[row] = prepared.area(row);
      else if (dimension === 1) out[row] = linesLength(column, row, this.#length);
      else if (dimension === 0) out[row] = 1;
    }
    return out;
  }

  #sharedLength(left: GeometryColumn, i: number, j: number): number {
    const builder = new GeometryBuilder();
    overlayRows("intersection", left, i, this.#right, j, builder);
    const shared = builder.finish();
    // Less than a line is nothing: lines that only cross share no length.
    return rowDimension(shared, 0) === 1 ? linesLength(shared, 0, this.#length) : 0;
  }
}

/** Length of the lines of a row; points in a collection have none. */
function linesLength(
  { geometries, parts, rings, xy }: GeometryColumn,
  row: number,
  length: (xy: Float64Array, start: number, end: number) => number,
): number {
  let sum = 0;
  for (let r = parts[geometries[row]!]!; r < parts[geometries[row + 1]!]!; r++)
    sum += length(xy, rings[r]!, rings[r + 1]!);
  return sum;
}

/** Highest dimension of the parts of a row, 0 to 2; -1 for null and empty rows. */
function rowDimension(column: GeometryColumn, row: number): number {
  const { types, geometries, collections } = column;
  if (geometries[row] === geometries[row + 1]) return -1;
  if (types[row] !== GEOMETRY_COLLECTION) return typeDimension(types[row]!);
  let dimension = -1;
  if (collections === null) return dimension;
  for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
    if (collections.members[k]! < memberPartsEnd(column, row, k))
      dimension = Math.max(dimension, typeDimension(collections.types[k]!));
  }
  return dimension;
}
