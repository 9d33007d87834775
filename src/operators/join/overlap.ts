import {
  geodesicLength,
  lonLatRingArea,
  type RingArea,
  rowAreas,
  rowLengths,
} from "../../kernels/vector/geodesic.ts";
import { overlayRows } from "../../kernels/vector/overlay/overlay.ts";
import { planarLength, planarRingArea } from "../../kernels/vector/spherical.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  geometryCount,
  memberPartsEnd,
  typeDimension,
} from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";

/** How areas and lengths are measured. */
export interface Surface {
  /**
   * `"ellipsoid"`: square metres and metres on WGS 84, edges straight in longitude and latitude. `"plane"`: in units of
   * the coordinates.
   */
  readonly kind: "ellipsoid" | "plane";
  readonly area: RingArea;
  readonly length: (xy: Float64Array, start: number, end: number) => number;
}

export const ELLIPSOID: Surface = { kind: "ellipsoid", area: lonLatRingArea, length: geodesicLength };
export const PLANE: Surface = { kind: "plane", area: planarRingArea, length: planarLength };

/** Rows overlaid before they are measured and forgotten. */
const BLOCK = 4096;

/**
 * What pairs of rows share: the area of what polygons have in common, the length where a line is involved, and 1 for a
 * point that lies in the other. By exact overlay. Length = pairs.
 */
export function overlaps(
  left: GeometryColumn,
  leftRows: Int32Array,
  right: GeometryColumn,
  rightRows: Int32Array,
  surface: Surface,
): Float64Array {
  const out = new Float64Array(leftRows.length);
  for (let first = 0; first < out.length; first += BLOCK) {
    const end = Math.min(first + BLOCK, out.length);
    const builder = new GeometryBuilder();
    for (let k = first; k < end; k++)
      overlayRows("intersection", left, leftRows[k]!, right, rightRows[k]!, builder);
    const shared = builder.finish();
    const sizes = sizesOf(shared, surface);
    for (let k = first; k < end; k++) {
      const dimension = Math.min(rowDimension(left, leftRows[k]!), rowDimension(right, rightRows[k]!));
      // Less than what the two could share is nothing: polygons that touch in a line share no area.
      out[k] = sizes.dimensions[k - first] === dimension ? sizes.values[k - first]! : 0;
    }
  }
  return out;
}

/** Sizes of rows, each in its own dimension. */
export interface Sizes {
  /** Area of polygons, length of lines, 1 for points, 0 for null and empty rows. */
  readonly values: Float64Array;
  /** 2, 1 or 0; -1 for null and empty rows. The highest among the members of a collection. */
  readonly dimensions: Int8Array;
}

/** Size of every row. */
export function sizesOf(column: GeometryColumn, surface: Surface): Sizes {
  const count = geometryCount(column);
  const areas = rowAreas(column, surface.area);
  const lengths = rowLengths(column, surface.length);
  const dimensions = new Int8Array(count);
  const values = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const dimension = rowDimension(column, row);
    dimensions[row] = dimension;
    if (dimension === 2) values[row] = areas[row]!;
    else if (dimension === 1) values[row] = lengths[row]!;
    else if (dimension === 0) values[row] = 1;
  }
  return { values, dimensions };
}

/** Highest dimension of the parts of a row; -1 for null and empty rows. */
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
