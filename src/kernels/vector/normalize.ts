import { GEOMETRY_COLLECTION, type GeometryColumn, type GeometryType } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { type Member, rowMembers } from "./row-members.ts";

/**
 * Append a row in its normal form, so that geometries that differ only in how they are written become equal: rings start
 * at their leftmost (lowest) vertex, shells run counter-clockwise and holes clockwise (RFC 7946), open lines run from
 * their smaller end, and points, lines, polygons, holes and members of collections are sorted by their coordinates.
 * Coordinates are untouched, heights and measures go with their vertices. Null stays null.
 */
export function normalizeRow(column: GeometryColumn, row: number, builder: GeometryBuilder): void {
  const type = column.types[row]! as GeometryType;
  if (type === 0) {
    builder.null();
    return;
  }
  const members = rowMembers(column, row).map((member) => ({
    member,
    parts: partsOf(column, member),
  }));
  if (type === GEOMETRY_COLLECTION) {
    members.sort(
      (a, b) => a.member.type - b.member.type || compareLists(column, a.parts, b.parts, compareParts),
    );
  }
  builder.begin(type);
  for (const { member, parts } of members) {
    if (type === GEOMETRY_COLLECTION) builder.member(member.type);
    for (const part of parts) {
      builder.part();
      for (const ring of part) {
        builder.ring();
        for (const v of ring) pushVertex(column, v, builder);
      }
    }
  }
  builder.end();
}

/** Whether two rows have the same structure and the same coordinates (within `tolerance`) in the same order. */
export function equalsExactRows(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  tolerance: number = 0,
): boolean {
  if (a.types[rowA] !== b.types[rowB]) return false;
  const membersA = rowMembers(a, rowA);
  const membersB = rowMembers(b, rowB);
  if (membersA.length !== membersB.length) return false;
  for (const [k, memberA] of membersA.entries()) {
    const memberB = membersB[k]!;
    if (memberA.type !== memberB.type || memberA.end - memberA.first !== memberB.end - memberB.first)
      return false;
    const shiftPart = memberB.first - memberA.first;
    for (let p = memberA.first; p < memberA.end; p++) {
      const ringA = a.parts[p]!;
      const ringB = b.parts[p + shiftPart]!;
      if (a.parts[p + 1]! - ringA !== b.parts[p + shiftPart + 1]! - ringB) return false;
      for (let r = 0; r < a.parts[p + 1]! - ringA; r++)
        if (!sameRing(a, ringA + r, b, ringB + r, tolerance)) return false;
    }
  }
  return true;
}

function sameRing(
  a: GeometryColumn,
  ringA: number,
  b: GeometryColumn,
  ringB: number,
  tolerance: number,
): boolean {
  const startA = a.rings[ringA]!;
  const startB = b.rings[ringB]!;
  const count = a.rings[ringA + 1]! - startA;
  if (count !== b.rings[ringB + 1]! - startB) return false;
  for (let k = 0; k < count; k++) {
    const dx = a.xy[2 * (startA + k)]! - b.xy[2 * (startB + k)]!;
    const dy = a.xy[2 * (startA + k) + 1]! - b.xy[2 * (startB + k) + 1]!;
    if (tolerance === 0 ? dx !== 0 || dy !== 0 : !(Math.hypot(dx, dy) <= tolerance)) return false;
  }
  return true;
}

/** Rings of a part as vertex numbers in normal order. */
type Part = readonly Int32Array[];

function partsOf(column: GeometryColumn, { dimension, first, end }: Member): Part[] {
  const { parts, rings } = column;
  const made: Part[] = [];
  for (let p = first; p < end; p++) {
    const part: Int32Array[] = [];
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      part.push(
        dimension === 2
          ? normalRing(column, rings[r]!, rings[r + 1]!, r === parts[p])
          : normalLine(column, rings[r]!, rings[r + 1]!),
      );
    }
    if (dimension === 2 && part.length > 2) {
      const [shell, ...holes] = part;
      made.push([shell!, ...holes.sort((a, b) => compareRings(column, a, b))]);
    } else made.push(part);
  }
  return made.sort((a, b) => compareParts(column, a, b));
}

function normalLine(column: GeometryColumn, start: number, end: number): Int32Array {
  const forward = Int32Array.from({ length: end - start }, (_, k) => start + k);
  const backward = forward.slice().reverse();
  return compareRings(column, forward, backward) <= 0 ? forward : backward;
}

function normalRing(column: GeometryColumn, start: number, end: number, shell: boolean): Int32Array {
  const { xy } = column;
  const count = end - start - 1;
  if (count < 1) return Int32Array.from({ length: end - start }, (_, k) => start + k);
  let twice = 0;
  for (let v = start + 1; v + 1 < end; v++) {
    twice +=
      (xy[2 * v]! - xy[2 * start]!) * (xy[2 * v + 3]! - xy[2 * start + 1]!) -
      (xy[2 * v + 2]! - xy[2 * start]!) * (xy[2 * v + 1]! - xy[2 * start + 1]!);
  }
  const step = twice < 0 === shell ? count - 1 : 1;
  let least = 0;
  for (let k = 1; k < count; k++) if (compareVertices(column, start + k, start + least) < 0) least = k;
  return Int32Array.from({ length: count + 1 }, (_, k) => start + ((least + k * step) % count));
}

function compareVertices({ xy }: GeometryColumn, a: number, b: number): number {
  return xy[2 * a]! - xy[2 * b]! || xy[2 * a + 1]! - xy[2 * b + 1]!;
}

function compareRings(column: GeometryColumn, a: Int32Array, b: Int32Array): number {
  const count = Math.min(a.length, b.length);
  for (let k = 0; k < count; k++) {
    const order = compareVertices(column, a[k]!, b[k]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(column: GeometryColumn, a: Part, b: Part): number {
  return compareLists(column, a, b, compareRings);
}

function compareLists<T>(
  column: GeometryColumn,
  a: readonly T[],
  b: readonly T[],
  compare: (column: GeometryColumn, a: T, b: T) => number,
): number {
  const count = Math.min(a.length, b.length);
  for (let k = 0; k < count; k++) {
    const order = compare(column, a[k]!, b[k]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function pushVertex({ xy, z, m }: GeometryColumn, v: number, builder: GeometryBuilder): void {
  builder.vertex(
    xy[2 * v]!,
    xy[2 * v + 1]!,
    z === null ? Number.NaN : z[v]!,
    m === null ? Number.NaN : m[v]!,
  );
}
