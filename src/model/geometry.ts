/**
 * Geometry types, with the codes of WKB. 0 is a null geometry. An empty geometry has its type and no parts.
 */
export const NULL_GEOMETRY = 0;
export const POINT = 1;
export const LINE_STRING = 2;
export const POLYGON = 3;
export const MULTI_POINT = 4;
export const MULTI_LINE_STRING = 5;
export const MULTI_POLYGON = 6;
export const GEOMETRY_COLLECTION = 7;

export type GeometryType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** GeoJSON name of each code. */
export const GEOMETRY_NAMES = [
  "Null",
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
] as const;

/** 0 point, 1 line, 2 polygon, of a type that is not a collection; -1 for null and collections. */
export function typeDimension(type: number): number {
  return type === 0 || type === GEOMETRY_COLLECTION ? -1 : (type - 1) % 3;
}

/**
 * Geometries of any types, GeoArrow order: every vertex in flat arrays, then three levels of offsets that
 * are the same for all types, so that kernels have one loop.
 *
 * - Row `i` has `types[i]` and owns parts `geometries[i] .. geometries[i + 1] - 1`.
 * - Part `p` (one point, one line or one polygon) owns rings `parts[p] .. parts[p + 1] - 1`.
 * - Ring `r` owns vertices `rings[r] .. rings[r + 1] - 1`. A point is a ring of one vertex, a line a ring
 *   of its vertices, a polygon its shell and then its holes; polygon rings are closed (first vertex = last).
 *
 * Null geometries: type 0, no parts. Empty ones: their type, no parts. Ring direction is kept as read;
 * writers turn rings as their format asks.
 */
export interface GeometryColumn {
  /** Length = rows. */
  readonly types: Uint8Array;
  /** In parts; length = rows + 1. */
  readonly geometries: Int32Array;
  /** In rings; length = parts + 1. */
  readonly parts: Int32Array;
  /** In vertices; length = rings + 1. */
  readonly rings: Int32Array;
  /** `[x0, y0, x1, y1, ...]`, CRS units, x (easting, longitude) first. */
  readonly xy: Float64Array;
  /** Height of each vertex, NaN where a row has none; `null` when no row has. */
  readonly z: Float64Array | null;
  /** Measure of each vertex, NaN where a row has none; `null` when no row has. */
  readonly m: Float64Array | null;
  /** Structure of the GeometryCollection rows; `null` when there is none. */
  readonly collections: CollectionMembers | null;
}

/**
 * Members of collections, flattened to one level. Row `i` owns members `rows[i] .. rows[i + 1] - 1` (none
 * unless it is a collection); member `k` has `types[k]` (1..6) and owns parts `members[k] .. members[k + 1] - 1`
 * as far as they are among the parts of its row (`geometries[i + 1]` ends the last member: parts of rows that
 * are not collections lie between the members of two rows).
 */
export interface CollectionMembers {
  /** In members; length = rows + 1. */
  readonly rows: Int32Array;
  /** Length = members. */
  readonly types: Uint8Array;
  /** In parts; length = members + 1. */
  readonly members: Int32Array;
}

/** End of the parts of member `member` of the collection in `row`: what {@link CollectionMembers} says, as one number. */
export function memberPartsEnd(column: GeometryColumn, row: number, member: number): number {
  return Math.min(column.collections!.members[member + 1]!, column.geometries[row + 1]!);
}

/** Rows of a column. */
export function geometryCount(column: GeometryColumn): number {
  return column.types.length;
}

/**
 * Bounds of every row: `[minX, minY, maxX, maxY]` each, `Infinity, Infinity, -Infinity, -Infinity` for null
 * and empty rows. Length = 4 * rows.
 */
export function rowBounds(column: GeometryColumn): Float64Array {
  const { types, geometries, parts, rings, xy } = column;
  const out = new Float64Array(4 * types.length);
  for (let i = 0; i < types.length; i++) {
    const end = rings[parts[geometries[i + 1]!]!]!;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = rings[parts[geometries[i]!]!]!; v < end; v++) {
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    out[4 * i] = minX;
    out[4 * i + 1] = minY;
    out[4 * i + 2] = maxX;
    out[4 * i + 3] = maxY;
  }
  return out;
}
