import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  memberPartsEnd,
  typeDimension,
} from "../../model/geometry.ts";

/** A stretch of parts of one type: a whole row, or one member of a collection. */
export interface Member {
  readonly type: GeometryType;
  /** 0 points, 1 lines, 2 polygons; -1 for a null geometry. */
  readonly dimension: number;
  /** Parts `first .. end - 1`. */
  readonly first: number;
  readonly end: number;
}

/** The members of a row: those of a collection, else the row itself as the only one. */
export function rowMembers(column: GeometryColumn, row: number): Member[] {
  const { types, geometries, collections } = column;
  const type = types[row]! as GeometryType;
  if (type !== GEOMETRY_COLLECTION)
    return [{ type, dimension: typeDimension(type), first: geometries[row]!, end: geometries[row + 1]! }];
  const members: Member[] = [];
  if (collections === null) return members;
  for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
    const memberType = collections.types[k]! as GeometryType;
    members.push({
      type: memberType,
      dimension: typeDimension(memberType),
      first: collections.members[k]!,
      end: memberPartsEnd(column, row, k),
    });
  }
  return members;
}

/** Highest dimension of the members that have a vertex; -1 when none has. */
export function rowDimension(column: GeometryColumn, members: readonly Member[]): number {
  const { parts, rings } = column;
  let dimension = -1;
  for (const member of members)
    if (member.dimension > dimension && rings[parts[member.first]!]! < rings[parts[member.end]!]!)
      dimension = member.dimension;
  return dimension;
}
