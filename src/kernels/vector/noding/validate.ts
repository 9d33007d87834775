import { newPairSearch, nextPairs, type PairSearch, startPairs } from "./segment-pairs.ts";
import { segmentsMeet, turnsBack } from "./segments-meet.ts";
import { gatherLines, KEPT_VERTICES, type Lines, newLines, type SegmentStrings } from "./strings.ts";

/** Arrays of a run, kept for the next while they are small. */
interface Scratch {
  lines: Lines;
  search: PairSearch;
  /** Of each vertex: 1 at the ends of strings. */
  ends: Uint8Array;
}

let scratch: Scratch = newScratch();

function newScratch(): Scratch {
  return { lines: newLines(), search: newPairSearch(), ends: new Uint8Array(128) };
}

/**
 * The number of a string that is not fully noded, or -1 when all are. Exact.
 *
 * Noded means: no two strings, and no two places of one, have a point in common but ends of strings; no
 * line turns straight back inside a string. Complete duplicates are allowed: strings with the same vertices in the
 * same or the opposite order. Vertices repeated one after the other, and strings without two distinct
 * vertices, do no harm. O((n + k) log n) for n segments and k pairs of segments whose boxes meet.
 */
export function findUnnoded(strings: SegmentStrings): number {
  const s = scratch;
  const { lines, search } = s;
  gatherLines(strings, lines);
  const { vertices, starts, xy } = lines;
  if (s.ends.length < vertices) s.ends = new Uint8Array(Math.ceil(1.25 * vertices));
  else s.ends.fill(0, 0, vertices);
  const { ends } = s;
  for (let t = 0; t < lines.strings; t++) {
    if (starts[t] === starts[t + 1]) continue;
    ends[starts[t]!] = 1;
    ends[starts[t + 1]! - 1] = 1;
  }
  const found = findSpike(xy, starts, lines.strings);
  const result = found >= 0 ? found : findMeeting(s);
  if (vertices > KEPT_VERTICES) scratch = newScratch();
  else search.tree = null;
  return result;
}

/** A string that turns straight back. */
function findSpike(xy: Float64Array, starts: Int32Array, strings: number): number {
  for (let t = 0; t < strings; t++) {
    for (let v = starts[t]! + 1; v < starts[t + 1]! - 1; v++) {
      if (turnsBack(xy, v)) return t;
    }
  }
  return -1;
}

function findMeeting(s: Scratch): number {
  const { lines, search, ends } = s;
  const { xy, from } = lines;
  const duplicates = new Set<number>();
  startPairs(search, lines);
  for (let n = nextPairs(search, lines); n > 0; n = nextPairs(search, lines)) {
    const { pairs } = search;
    for (let k = 0; k < n; k++) {
      const p = from[pairs[2 * k]!]!;
      const q = from[pairs[2 * k + 1]!]!;
      const ax = xy[2 * p]!;
      const ay = xy[2 * p + 1]!;
      const bx = xy[2 * p + 2]!;
      const by = xy[2 * p + 3]!;
      const cx = xy[2 * q]!;
      const cy = xy[2 * q + 1]!;
      const dx = xy[2 * q + 2]!;
      const dy = xy[2 * q + 3]!;
      if (segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy)) return stringOf(lines, p);
      // A vertex in common must be an end on both sides.
      if (
        (ax === cx && ay === cy && (ends[p] === 0 || ends[q] === 0)) ||
        (ax === dx && ay === dy && (ends[p] === 0 || ends[q + 1] === 0)) ||
        (bx === cx && by === cy && (ends[p + 1] === 0 || ends[q] === 0)) ||
        (bx === dx && by === dy && (ends[p + 1] === 0 || ends[q + 1] === 0))
      ) {
        const t = stringOf(lines, p);
        const u = stringOf(lines, q);
        const key = t * lines.strings + u;
        if (duplicates.has(key)) continue;
        if (!isDuplicate(lines, t, u)) return t;
        duplicates.add(key);
      }
    }
  }
  return -1;
}

/** The string that vertex `v` is of. */
function stringOf(lines: Lines, v: number): number {
  const { starts } = lines;
  let low = 0;
  let high = lines.strings - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= v) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Whether two different strings have the same vertices in the same or the opposite order. */
function isDuplicate(lines: Lines, t: number, u: number): boolean {
  if (t === u) return false;
  const { xy, starts } = lines;
  const p = starts[t]!;
  const q = starts[u]!;
  const count = starts[t + 1]! - p;
  if (starts[u + 1]! - q !== count) return false;
  let same = true;
  for (let i = 0; same && i < 2 * count; i++) same = xy[2 * p + i] === xy[2 * q + i];
  if (same) return true;
  const last = q + count - 1;
  for (let i = 0; i < count; i++) {
    if (xy[2 * (p + i)] !== xy[2 * (last - i)] || xy[2 * (p + i) + 1] !== xy[2 * (last - i) + 1])
      return false;
  }
  return true;
}
