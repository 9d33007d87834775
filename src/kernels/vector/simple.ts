import type { GeometryColumn } from "../../model/geometry.ts";
import { side } from "./relate/side.ts";
import { type Member, rowMembers } from "./row-members.ts";
import { SegmentIndex } from "./segment-index.ts";
import { collinearOverlap, share } from "./validity.ts";

/** Where a geometry meets itself. */
export interface SelfContact {
  readonly x: number;
  readonly y: number;
}

/**
 * A point where the geometry of a row is not simple by the OGC rules, or `null` when it is simple. Exact.
 *
 * Points: no two of a multipoint are equal. Lines: they meet themselves and each other only where both end, and a
 * closed line has no end (the mod-2 rule). Polygons: every ring, taken alone, is a simple closed line. Members of a
 * collection are judged one by one. Null and empty geometries are simple; repeated points of a line do not count, and
 * segments whose ends are not finite are left out. Cost: `n log n` for `n` vertices unless most of them meet.
 */
export function findNotSimple(column: GeometryColumn, row: number): SelfContact | null {
  for (const member of rowMembers(column, row)) {
    const found =
      member.dimension === 0
        ? findEqualPoints(column, member)
        : member.dimension === 1
          ? findContact(column, column.parts[member.first]!, column.parts[member.end]!)
          : findRingContact(column, member);
    if (found !== null) return found;
  }
  return null;
}

function findRingContact(column: GeometryColumn, { dimension, first, end }: Member): SelfContact | null {
  if (dimension !== 2) return null;
  const { parts } = column;
  for (let r = parts[first]!; r < parts[end]!; r++) {
    const found = findContact(column, r, r + 1);
    if (found !== null) return found;
  }
  return null;
}

function findEqualPoints({ parts, rings, xy }: GeometryColumn, { first, end }: Member): SelfContact | null {
  const start = rings[parts[first]!]!;
  const count = rings[parts[end]!]! - start;
  if (count < 2) return null;
  const order = Int32Array.from({ length: count }, (_, k) => start + k);
  order.sort((a, b) => xy[2 * a]! - xy[2 * b]! || xy[2 * a + 1]! - xy[2 * b + 1]!);
  for (let k = 1; k < count; k++) {
    const a = 2 * order[k - 1]!;
    const b = 2 * order[k]!;
    if (xy[a] === xy[b] && xy[a + 1] === xy[b + 1]) return { x: xy[a]!, y: xy[a + 1]! };
  }
  return null;
}

/** Where the lines that are rings `firstRing .. endRing - 1` meet themselves or each other other than end to end. */
function findContact({ rings, xy }: GeometryColumn, firstRing: number, endRing: number): SelfContact | null {
  const capacity = rings[endRing]! - rings[firstRing]!;
  if (capacity < 3) return null;
  const segments = new Float64Array(4 * capacity);
  const line = new Int32Array(capacity);
  const lines = endRing - firstRing;
  const starts = new Int32Array(lines + 1);
  const closed = new Uint8Array(lines);
  let n = 0;
  for (let k = 0; k < lines; k++) {
    const start = rings[firstRing + k]!;
    const end = rings[firstRing + k + 1]!;
    for (let v = start + 1; v < end; v++) {
      const x1 = xy[2 * v - 2]!;
      const y1 = xy[2 * v - 1]!;
      const x2 = xy[2 * v]!;
      const y2 = xy[2 * v + 1]!;
      // Differences that are not finite: an end is not, either.
      if ((x1 === x2 && y1 === y2) || !Number.isFinite(x1 + y1 + x2 + y2)) continue;
      segments[4 * n] = x1;
      segments[4 * n + 1] = y1;
      segments[4 * n + 2] = x2;
      segments[4 * n + 3] = y2;
      line[n++] = k;
    }
    closed[k] =
      end - start > 1 && xy[2 * start] === xy[2 * end - 2] && xy[2 * start + 1] === xy[2 * end - 1] ? 1 : 0;
    starts[k + 1] = n;
  }
  const index = new SegmentIndex(segments, n);
  for (let i = 0; i < n; i++) {
    const found = index.meeting(i);
    const { values } = index;
    for (let k = 0; k < found; k++) {
      const j = values[k]!;
      if (j <= i) continue;
      const contact = meet(segments, i, j);
      if (contact === null) continue;
      if (contact.point) {
        const sameLine = line[i] === line[j];
        const start = starts[line[i]!]!;
        const last = starts[line[i]! + 1]! - 1;
        if (sameLine && (j === i + 1 || (i === start && j === last && closed[line[i]!] === 1))) continue;
        if (isEnd(segments, starts, line[i]!, i, contact) && isEnd(segments, starts, line[j]!, j, contact)) {
          if (sameLine || closed[line[i]!]! + closed[line[j]!]! === 0) continue;
        }
      }
      return { x: contact.x, y: contact.y };
    }
  }
  return null;
}

/** Whether a point on segment `i` is the first or last point of its line. */
function isEnd(
  segments: Float64Array,
  starts: Int32Array,
  line: number,
  i: number,
  { x, y }: SelfContact,
): boolean {
  const e = 4 * i;
  return (
    (i === starts[line] && segments[e] === x && segments[e + 1] === y) ||
    (i === starts[line + 1]! - 1 && segments[e + 2] === x && segments[e + 3] === y)
  );
}

/** What two segments share: nothing, a point, or a stretch of which the point is one. */
function meet(s: Float64Array, i: number, j: number): { x: number; y: number; point: boolean } | null {
  const ax = s[4 * i]!;
  const ay = s[4 * i + 1]!;
  const bx = s[4 * i + 2]!;
  const by = s[4 * i + 3]!;
  const cx = s[4 * j]!;
  const cy = s[4 * j + 1]!;
  const dx = s[4 * j + 2]!;
  const dy = s[4 * j + 3]!;
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return null;
  const p = side(cx, cy, dx, dy, ax, ay);
  const q = side(cx, cy, dx, dy, bx, by);
  if ((p > 0 && q > 0) || (p < 0 && q < 0)) return null;
  if (c === 0 && d === 0) return collinearOverlap(ax, ay, bx, by, cx, cy, dx, dy);
  if (c === 0) return { x: cx, y: cy, point: true };
  if (d === 0) return { x: dx, y: dy, point: true };
  if (p === 0) return { x: ax, y: ay, point: true };
  if (q === 0) return { x: bx, y: by, point: true };
  const t = share(ax, ay, bx, by, cx, cy, dx, dy);
  return { x: ax + t * (bx - ax), y: ay + t * (by - ay), point: true };
}
