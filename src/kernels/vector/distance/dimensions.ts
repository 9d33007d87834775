import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  memberPartsEnd,
  typeDimension,
} from "../../../model/geometry.ts";

/**
 * Dimension of every part of a column, members of collections by their own: 0 point, 1 line, 2 polygon. Length =
 * parts. Parts that no row owns keep 0.
 */
export function partDimensions(column: GeometryColumn): Uint8Array {
  const { types, geometries, collections, parts } = column;
  const out = new Uint8Array(parts.length - 1);
  for (let row = 0; row < types.length; row++) {
    const type = types[row]!;
    if (type !== GEOMETRY_COLLECTION) {
      const dimension = typeDimension(type);
      if (dimension > 0) out.fill(dimension, geometries[row]!, geometries[row + 1]!);
    } else if (collections !== null) {
      for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
        const dimension = typeDimension(collections.types[k]!);
        if (dimension > 0) out.fill(dimension, collections.members[k]!, memberPartsEnd(column, row, k));
      }
    }
  }
  return out;
}

/** {@link partDimensions} of one row: dimension of part `geometries[row] + k` at `k`. */
export function rowDimensions(column: GeometryColumn, row: number): Uint8Array {
  const { types, geometries, collections } = column;
  const first = geometries[row]!;
  const out = new Uint8Array(geometries[row + 1]! - first);
  const type = types[row]!;
  if (type !== GEOMETRY_COLLECTION) return out.fill(Math.max(0, typeDimension(type)));
  if (collections !== null) {
    for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
      const dimension = typeDimension(collections.types[k]!);
      if (dimension > 0)
        out.fill(dimension, collections.members[k]! - first, memberPartsEnd(column, row, k) - first);
    }
  }
  return out;
}
