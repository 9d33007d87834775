import { type GeometryColumn, type GeometryType, LINE_STRING, POINT } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { rowMembers } from "./row-members.ts";

/**
 * The column with polygon rings closed that are open, vertices left out that are not finite, and parts and rings left out
 * that have no vertex then. The column itself, untouched, when it has none of these faults.
 *
 * @param dropShort  Leave out rings of polygons, too, that have fewer than four vertices, and a polygon with such a shell.
 */
export function withoutFaults(column: GeometryColumn, dropShort: boolean = false): GeometryColumn {
  if (!hasFaults(column, dropShort)) return column;
  const { types, parts, rings, xy, z, m } = column;
  const builder = new GeometryBuilder();
  for (let row = 0; row < types.length; row++) {
    builder.begin(types[row]! as GeometryType);
    for (const { type, dimension, first, end } of rowMembers(column, row)) {
      if (type !== types[row]) builder.member(type);
      for (let p = first; p < end; p++) {
        let open = false;
        for (let r = parts[p]!; r < parts[p + 1]!; r++) {
          if (dropShort && dimension === 2 && closedLength(column, r) < 4) {
            if (!open) break;
            continue;
          }
          let start = -1;
          let last = -1;
          for (let v = rings[r]!; v < rings[r + 1]!; v++) {
            if (!Number.isFinite(xy[2 * v]!) || !Number.isFinite(xy[2 * v + 1]!)) continue;
            if (!open) builder.part();
            open = true;
            if (start < 0) {
              builder.ring();
              start = v;
            }
            last = v;
            push(v);
          }
          if (
            dimension === 2 &&
            start >= 0 &&
            (xy[2 * start] !== xy[2 * last] || xy[2 * start + 1] !== xy[2 * last + 1])
          )
            push(start);
        }
      }
    }
    builder.end();
  }
  return builder.finish();

  function push(v: number): void {
    builder.vertex(
      xy[2 * v]!,
      xy[2 * v + 1]!,
      z === null ? Number.NaN : z[v]!,
      m === null ? Number.NaN : m[v]!,
    );
  }
}

/** Finite vertices of a ring, the first once more where it is not the last. */
function closedLength({ rings, xy }: GeometryColumn, r: number): number {
  let count = 0;
  let first = -1;
  let last = -1;
  for (let v = rings[r]!; v < rings[r + 1]!; v++) {
    if (!Number.isFinite(xy[2 * v]!) || !Number.isFinite(xy[2 * v + 1]!)) continue;
    if (first < 0) first = v;
    last = v;
    count++;
  }
  const open = first >= 0 && (xy[2 * first] !== xy[2 * last] || xy[2 * first + 1] !== xy[2 * last + 1]);
  return open ? count + 1 : count;
}

function hasFaults(column: GeometryColumn, dropShort: boolean): boolean {
  const { types, parts, rings, xy } = column;
  for (let k = 0; k < xy.length; k++) if (!Number.isFinite(xy[k]!)) return true;
  for (let row = 0; row < types.length; row++) {
    if (types[row] === POINT || types[row] === LINE_STRING || types[row] === 0) continue;
    for (const { dimension, first, end } of rowMembers(column, row)) {
      if (dimension !== 2) continue;
      for (let r = parts[first]!; r < parts[end]!; r++) {
        const a = 2 * rings[r]!;
        const b = 2 * rings[r + 1]! - 2;
        if (dropShort && b - a < 6) return true;
        if (a > b || xy[a] !== xy[b] || xy[a + 1] !== xy[b + 1]) return true;
      }
    }
  }
  return false;
}
