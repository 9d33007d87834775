import type { GeometryColumn } from "../../../model/geometry.ts";

/**
 * Finds the rows of a column that have the same geometry as a row of another one: the same type, parts, rings and
 * vertices, in the same order. By a hash of the coordinates, then by comparison.
 */
export function sameRows(target: GeometryColumn): (column: GeometryColumn) => (row: number) => number[] {
  const byHash = new Map<number, number[]>();
  for (let row = 0; row < target.types.length; row++) {
    const key = hashOf(target, row);
    const rows = byHash.get(key);
    if (rows === undefined) byHash.set(key, [row]);
    else rows.push(row);
  }
  return (column) => (row) =>
    (byHash.get(hashOf(column, row)) ?? []).filter((other) => isSame(column, row, target, other));
}

function range({ geometries, parts, rings }: GeometryColumn, row: number): [start: number, end: number] {
  return [rings[parts[geometries[row]!]!]!, rings[parts[geometries[row + 1]!]!]!];
}

function hashOf(column: GeometryColumn, row: number): number {
  const [start, end] = range(column, row);
  let hash = column.types[row]!;
  for (let i = 2 * start; i < 2 * end; i++) {
    // Adding 0 makes one of both zeros.
    scratch[0] = column.xy[i]! + 0;
    hash = Math.imul(hash ^ words[0]!, 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15)) + words[1]!, 0x85ebca77);
  }
  return hash ^ (hash >>> 13);
}

const scratch = new Float64Array(1);
const words = new Uint32Array(scratch.buffer);

function isSame(a: GeometryColumn, rowA: number, b: GeometryColumn, rowB: number): boolean {
  if (a.types[rowA] !== b.types[rowB]) return false;
  const firstA = a.geometries[rowA]!;
  const firstB = b.geometries[rowB]!;
  const count = a.geometries[rowA + 1]! - firstA;
  if (b.geometries[rowB + 1]! - firstB !== count) return false;
  for (let p = 0; p < count; p++) {
    const ringA = a.parts[firstA + p]!;
    const ringB = b.parts[firstB + p]!;
    const rings = a.parts[firstA + p + 1]! - ringA;
    if (b.parts[firstB + p + 1]! - ringB !== rings) return false;
    for (let r = 0; r < rings; r++) {
      const startA = a.rings[ringA + r]!;
      const startB = b.rings[ringB + r]!;
      const vertices = a.rings[ringA + r + 1]! - startA;
      if (b.rings[ringB + r + 1]! - startB !== vertices) return false;
      for (let i = 0; i < 2 * vertices; i++) if (a.xy[2 * startA + i] !== b.xy[2 * startB + i]) return false;
    }
  }
  return true;
}
