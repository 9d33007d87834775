import { side } from "./exact.ts";
import { hashPoint } from "./hash-point.ts";
import { intersectionPoint } from "./intersection-point.ts";
import { newPairSearch, nextPairs, type PairSearch, rewindPairs, startPairs } from "./segment-pairs.ts";
import { isBetween, segmentsMeet, turnsBack } from "./segments-meet.ts";
import { type SnapPoints, snapPoint } from "./snap-points.ts";
import {
  gatherLines,
  KEPT_VERTICES,
  type Lines,
  type NodedStrings,
  newLines,
  type SegmentStrings,
} from "./strings.ts";
import { findUnnoded } from "./validate.ts";

/** Arrays of a run, kept for the next while they are small. */
interface Scratch {
  lines: Lines;
  search: PairSearch;
  /** Of each vertex: 1 where strings are split. */
  nodes: Uint8Array;
  /** Of each segment: 1 where a rounded point was put into it, so that its pieces no longer lie on it. */
  bent: Uint8Array;
  /** Points inside segments: which segment, and where. */
  splits: number;
  splitSegment: Int32Array;
  splitXY: Float64Array;
  /** Splits by segment: positions in `order` of the splits of segment `i` are `first[i] .. first[i + 1] - 1`. */
  first: Int32Array;
  order: Int32Array;
  /** Splits 0 .. splits - 1 that are rounded crossings, to find vertices that they fell on. */
  crossings: number;
  crossing: Int32Array;
  table: Int32Array;
  /** Of each vertex: where it came out as the end of what is before it, and as the start of what follows. */
  outEnd: Int32Array;
  outStart: Int32Array;
  point: Float64Array;
  /** Points to snap to, in a run with snapping. */
  snap: SnapPoints | null;
  outXY: Float64Array;
  outStarts: Int32Array;
  outTags: Int32Array;
}

let scratch: Scratch = newScratch();

function newScratch(): Scratch {
  return {
    lines: newLines(),
    search: newPairSearch(),
    nodes: new Uint8Array(128),
    bent: new Uint8Array(128),
    splits: 0,
    splitSegment: new Int32Array(64),
    splitXY: new Float64Array(128),
    first: new Int32Array(129),
    order: new Int32Array(64),
    crossings: 0,
    crossing: new Int32Array(64),
    table: new Int32Array(128),
    outEnd: new Int32Array(128),
    outStart: new Int32Array(128),
    point: new Float64Array(2),
    snap: null,
    outXY: new Float64Array(512),
    outStarts: new Int32Array(129),
    outTags: new Int32Array(128),
  };
}

/**
 * Node lines in floating point. Wherever two segments of any strings, or of one, have a point in common, both get a
 * vertex there, the same bits, and every string is split there. Decisions are exact; the points of proper crossings are
 * rounded to doubles ({@link intersectionPoint}), all other nodes are vertices of the input.
 *
 * An output string is a run of a string between two nodes. It has two vertices or more, none repeated one after the
 * other, and the tag of the string it is of; pieces come in the order of the strings and along them. Nodes are the ends
 * of every string, crossings, ends inside segments, vertices that two strings share or one visits twice, and the tips of
 * spikes. So a ring that meets nothing stays one closed string, and pieces of lines that run together are
 * complete duplicates of each other, in the same or the opposite direction. Strings without two distinct vertices
 * vanish. Vertices that are not finite are passed over.
 *
 * One pass: a rounded crossing moves the pieces on both sides of it a little, and where lines are very close
 * these may now meet others. This is checked, exactly, for the pieces that moved: `clean` says whether the
 * result is fully noded. When it is not, go on to `nodeSnapping` or `nodeSnapRounding`.
 *
 * O((n + k) log n) for n segments and k pairs of segments whose boxes meet.
 */
export function nodeFloating(strings: SegmentStrings): NodedStrings {
  return nodeOnce(strings, null);
}

/**
 * One pass, with snapping or without: when `snap` is given, crossings become the points that stand for them, and segments
 * get a node at every vertex nearer than the tolerance; all vertices must be such points already. `clean` is
 * then false unless nothing was moved: this needs a check of its own.
 */
export function nodeOnce(strings: SegmentStrings, snap: SnapPoints | null): NodedStrings {
  const s = scratch;
  const { lines, search } = s;
  s.snap = snap;
  gatherLines(strings, lines);
  const { vertices, segments } = lines;
  if (snap !== null) widenBoxes(lines, snap.tolerance);
  if (s.nodes.length < vertices) {
    const size = Math.ceil(1.25 * vertices);
    s.nodes = new Uint8Array(size);
    s.bent = new Uint8Array(size);
    s.first = new Int32Array(size + 1);
    s.outEnd = new Int32Array(size);
    s.outStart = new Int32Array(size);
  } else {
    s.nodes.fill(0, 0, vertices);
    s.bent.fill(0, 0, segments);
  }
  s.splits = 0;
  s.crossings = 0;
  startPairs(search, lines);
  for (let n = nextPairs(search, lines); n > 0; n = nextPairs(search, lines)) {
    const { pairs } = search;
    for (let k = 0; k < n; k++) meet(s, pairs[2 * k]!, pairs[2 * k + 1]!);
  }
  markTurns(s);
  if (s.crossings > 0) markVerticesAtCrossings(s);
  orderSplits(s);
  if (s.crossings > 0) markNewSpikes(s);
  const { xy, starts, tags } = emit(s, strings.tags);
  const clean = s.crossings === 0 || (snap === null && isClean(s, { xy, starts, tags }));
  s.snap = null;
  if (vertices > KEPT_VERTICES || s.splits > KEPT_VERTICES) scratch = newScratch();
  else search.tree = null;
  return { xy, starts, tags, clean };
}

function widenBoxes(lines: Lines, by: number): void {
  const { boxes, segments } = lines;
  for (let b = 0; b < 4 * segments; b += 4) {
    boxes[b]! -= by;
    boxes[b + 1]! -= by;
    boxes[b + 2]! += by;
    boxes[b + 3]! += by;
  }
}

/** Find what segments `i` and `j` have in common, and note it. */
function meet(s: Scratch, i: number, j: number): void {
  const { xy, from } = s.lines;
  const p = from[i]!;
  const q = from[j]!;
  // Vertices that both segments will have, once they are led through those near them.
  let common = 0;
  if (s.snap !== null) {
    if (approach(s, p, j)) common++;
    if (approach(s, p + 1, j)) common++;
    if (approach(s, q, i)) common++;
    if (approach(s, q + 1, i)) common++;
  }
  const ax = xy[2 * p]!;
  const ay = xy[2 * p + 1]!;
  const bx = xy[2 * p + 2]!;
  const by = xy[2 * p + 3]!;
  const cx = xy[2 * q]!;
  const cy = xy[2 * q + 1]!;
  const dx = xy[2 * q + 2]!;
  const dy = xy[2 * q + 3]!;
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return;
  if (c !== 0 && d !== 0) {
    const a = side(cx, cy, dx, dy, ax, ay);
    const b = side(cx, cy, dx, dy, bx, by);
    if ((a > 0 && b > 0) || (a < 0 && b < 0)) return;
    if (a === 0) {
      addSplit(s, j, ax, ay);
      s.nodes[p] = 1;
    } else if (b === 0) {
      addSplit(s, j, bx, by);
      s.nodes[p + 1] = 1;
    } else {
      // With two vertices in common, they run together where they cross.
      if (common > 1) return;
      intersectionPoint(ax, ay, bx, by, cx, cy, dx, dy, s.point);
      if (s.snap !== null) {
        const k = snapPoint(s.snap, s.point[0]!, s.point[1]!);
        s.point[0] = s.snap.xy[2 * k]!;
        s.point[1] = s.snap.xy[2 * k + 1]!;
      }
      cross(s, i, s.point[0]!, s.point[1]!);
      cross(s, j, s.point[0]!, s.point[1]!);
    }
    return;
  }
  if (c === 0) touch(s, q, i);
  if (d === 0) touch(s, q + 1, i);
  if (c === 0 && d === 0) {
    touch(s, p, j);
    touch(s, p + 1, j);
  }
}

/** Vertex `v` is exactly on the line through segment `i`: note it if it is on the segment. */
function touch(s: Scratch, v: number, i: number): void {
  const { xy, from } = s.lines;
  const x = xy[2 * v]!;
  const y = xy[2 * v + 1]!;
  const p = from[i]!;
  const ax = xy[2 * p]!;
  const ay = xy[2 * p + 1]!;
  const bx = xy[2 * p + 2]!;
  const by = xy[2 * p + 3]!;
  if (x === ax && y === ay) {
    s.nodes[v] = 1;
    s.nodes[p] = 1;
  } else if (x === bx && y === by) {
    s.nodes[v] = 1;
    s.nodes[p + 1] = 1;
  } else if (isBetween(ax, ay, bx, by, x, y)) {
    s.nodes[v] = 1;
    addSplit(s, i, x, y);
  }
}

/** Snapping: if vertex `v` is nearer to the inside of segment `i` than the tolerance, lead the segment through it. Whether it is. */
function approach(s: Scratch, v: number, i: number): boolean {
  const { xy, from } = s.lines;
  const p = from[i]!;
  const x = xy[2 * v]! - xy[2 * p]!;
  const y = xy[2 * v + 1]! - xy[2 * p + 1]!;
  const dx = xy[2 * p + 2]! - xy[2 * p]!;
  const dy = xy[2 * p + 3]! - xy[2 * p + 1]!;
  const along = x * dx + y * dy;
  const length = Math.hypot(dx, dy);
  // Beyond the ends, or one of them: vertices themselves are never that near to each other.
  if (!(along > 0 && along < length * length) || (x === dx && y === dy)) return false;
  if (Math.abs(x * dy - y * dx) > s.snap!.tolerance * length) return false;
  s.nodes[v] = 1;
  addCrossing(s, i, xy[2 * v]!, xy[2 * v + 1]!);
  return true;
}

/** Segment `i` is properly crossed, at a point that was rounded and may have become one of its ends. */
function cross(s: Scratch, i: number, x: number, y: number): void {
  const { xy, from } = s.lines;
  const p = from[i]!;
  if (x === xy[2 * p]! && y === xy[2 * p + 1]!) s.nodes[p] = 1;
  else if (x === xy[2 * p + 2]! && y === xy[2 * p + 3]!) s.nodes[p + 1] = 1;
  else addCrossing(s, i, x, y);
}

/** Put a point into segment `i` that need not be on it. */
function addCrossing(s: Scratch, i: number, x: number, y: number): void {
  if (s.crossings === s.crossing.length) s.crossing = longer(s.crossing);
  s.crossing[s.crossings++] = s.splits;
  s.bent[i] = 1;
  addSplit(s, i, x, y);
}

function addSplit(s: Scratch, segment: number, x: number, y: number): void {
  const k = s.splits++;
  if (k === s.splitSegment.length) {
    s.splitSegment = longer(s.splitSegment);
    const xy = new Float64Array(4 * k);
    xy.set(s.splitXY);
    s.splitXY = xy;
  }
  s.splitSegment[k] = segment;
  s.splitXY[2 * k] = x;
  s.splitXY[2 * k + 1] = y;
}

function longer(array: Int32Array): Int32Array {
  const copy = new Int32Array(2 * array.length);
  copy.set(array);
  return copy;
}

/** Where a line turns straight back, its tip is a node, and the end of the shorter side is one on the longer. */
function markTurns(s: Scratch): void {
  const { xy, starts, strings } = s.lines;
  // Segments of a string are numbered in a row, so i counts along.
  let i = 0;
  for (let t = 0; t < strings; t++) {
    const end = starts[t + 1]!;
    for (let v = starts[t]! + 1; v < end; v++, i++) {
      if (v + 1 === end) continue;
      if (s.snap !== null) {
        approach(s, v - 1, i + 1);
        approach(s, v + 1, i);
      }
      if (!turnsBack(xy, v)) continue;
      s.nodes[v] = 1;
      touch(s, v + 1, i);
      touch(s, v - 1, i + 1);
    }
  }
}

/** A crossing may have been rounded onto a vertex of a third line: a node there too. */
function markVerticesAtCrossings(s: Scratch): void {
  const { splitXY, crossing, crossings, lines, nodes } = s;
  let size = 64;
  while (size < 2 * crossings) size *= 2;
  if (s.table.length < size) s.table = new Int32Array(size);
  const { table } = s;
  table.fill(-1, 0, size);
  const mask = size - 1;
  for (let n = 0; n < crossings; n++) {
    const k = crossing[n]!;
    const x = splitXY[2 * k]!;
    const y = splitXY[2 * k + 1]!;
    let h = hashPoint(x, y) & mask;
    while (table[h] !== -1 && !(splitXY[2 * table[h]!] === x && splitXY[2 * table[h]! + 1] === y))
      h = (h + 1) & mask;
    table[h] = k;
  }
  const { xy, vertices } = lines;
  for (let v = 0; v < vertices; v++) {
    if (nodes[v] === 1) continue;
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    for (let h = hashPoint(x, y) & mask; table[h] !== -1; h = (h + 1) & mask) {
      const k = table[h]!;
      if (splitXY[2 * k] === x && splitXY[2 * k + 1] === y) {
        nodes[v] = 1;
        break;
      }
    }
  }
}

/** Sort the splits of every segment along it. */
function orderSplits(s: Scratch): void {
  const { splits, splitSegment, first, lines } = s;
  const { segments } = lines;
  first.fill(0, 0, segments + 1);
  for (let k = 0; k < splits; k++) first[splitSegment[k]! + 1]!++;
  for (let i = 0; i < segments; i++) first[i + 1]! += first[i]!;
  if (s.order.length < splits) s.order = new Int32Array(s.splitSegment.length);
  const { order } = s;
  // Filled from the back, so that first[i + 1] comes down to the start of the splits of i ...
  for (let k = splits - 1; k >= 0; k--) order[--first[splitSegment[k]! + 1]!] = k;
  // ... which is where first[i] belongs.
  for (let i = 0; i < segments; i++) first[i] = first[i + 1]!;
  first[segments] = splits;
  for (let i = 0; i < segments; i++) {
    const start = first[i]!;
    const end = first[i + 1]!;
    if (end - start < 2) continue;
    if (end - start > 24) {
      order.subarray(start, end).sort((k, l) => (isBefore(s, i, k, l) ? -1 : isBefore(s, i, l, k) ? 1 : 0));
      continue;
    }
    for (let n = start + 1; n < end; n++) {
      const k = order[n]!;
      let m = n;
      while (m > start && isBefore(s, i, k, order[m - 1]!)) {
        order[m] = order[m - 1]!;
        m--;
      }
      order[m] = k;
    }
  }
}

/**
 * Whether split `k` comes before split `l` on segment `i`: by the coordinate in which the segment is longer, then by the
 * other. Rounded points are not on the segment; ordered so, their line never crosses itself.
 */
function isBefore(s: Scratch, i: number, k: number, l: number): boolean {
  const { lines, splitXY } = s;
  const { xy, from } = lines;
  const p = from[i]!;
  const dx = xy[2 * p + 2]! - xy[2 * p]!;
  const dy = xy[2 * p + 3]! - xy[2 * p + 1]!;
  const x = dx > 0 ? splitXY[2 * k]! - splitXY[2 * l]! : splitXY[2 * l]! - splitXY[2 * k]!;
  const y = dy > 0 ? splitXY[2 * k + 1]! - splitXY[2 * l + 1]! : splitXY[2 * l + 1]! - splitXY[2 * k + 1]!;
  if (Math.abs(dx) >= Math.abs(dy)) return x !== 0 ? x < 0 : y < 0;
  return y !== 0 ? y < 0 : x < 0;
}

/** A rounded crossing may lie on the other side of a vertex as well: the line now turns straight back there. */
function markNewSpikes(s: Scratch): void {
  const { lines, splitXY, first, order, bent, nodes } = s;
  const { xy, from, segments } = lines;
  for (let i = 0; i + 1 < segments; i++) {
    const v = from[i + 1]!;
    if ((bent[i] === 0 && bent[i + 1] === 0) || v !== from[i]! + 1) continue;
    const middle = first[i + 1]!;
    const k = middle > first[i]! ? 2 * order[middle - 1]! : -1;
    const l = first[i + 2]! > middle ? 2 * order[middle]! : -1;
    const beforeX = k >= 0 ? splitXY[k]! : xy[2 * v - 2]!;
    const beforeY = k >= 0 ? splitXY[k + 1]! : xy[2 * v - 1]!;
    const afterX = l >= 0 ? splitXY[l]! : xy[2 * v + 2]!;
    const afterY = l >= 0 ? splitXY[l + 1]! : xy[2 * v + 3]!;
    if (beforeX === afterX && beforeY === afterY) nodes[v] = 1;
  }
}

/** Write the strings out, split at nodes. */
function emit(s: Scratch, tags: Int32Array): SegmentStrings {
  const { lines, nodes, splits, splitXY, first, order, outEnd, outStart } = s;
  const { xy, starts, strings, vertices } = lines;
  // Every node inside a string comes out twice.
  const most = 2 * (vertices + splits);
  if (s.outXY.length < 2 * most) {
    s.outXY = new Float64Array(2 * Math.ceil(1.25 * most));
    s.outStarts = new Int32Array(Math.ceil(1.25 * most) + 1);
    s.outTags = new Int32Array(Math.ceil(1.25 * most));
  }
  const { outXY, outStarts, outTags } = s;
  let out = 0;
  let pieces = 0;
  let i = 0;
  for (let t = 0; t < strings; t++) {
    const begin = starts[t]!;
    const end = starts[t + 1]!;
    if (begin === end) continue;
    const tag = tags[t]!;
    outStarts[pieces] = out;
    let x = 0;
    let y = 0;
    for (let v = begin; v < end; v++) {
      const vx = xy[2 * v]!;
      const vy = xy[2 * v + 1]!;
      if (v > begin) {
        for (let n = first[i]!; n < first[i + 1]!; n++) {
          const k = order[n]!;
          const sx = splitXY[2 * k]!;
          const sy = splitXY[2 * k + 1]!;
          if (sx === x && sy === y) continue;
          outXY[2 * out] = x = sx;
          outXY[2 * out + 1] = y = sy;
          out++;
          outTags[pieces++] = tag;
          outStarts[pieces] = out;
          outXY[2 * out] = x;
          outXY[2 * out + 1] = y;
          out++;
        }
        i++;
      }
      outEnd[v] = out;
      outXY[2 * out] = x = vx;
      outXY[2 * out + 1] = y = vy;
      out++;
      if (nodes[v] === 1 && v > begin && v < end - 1) {
        outTags[pieces++] = tag;
        outStarts[pieces] = out;
        outXY[2 * out] = x;
        outXY[2 * out + 1] = y;
        out++;
      }
      outStart[v] = out - 1;
    }
    outTags[pieces++] = tag;
    outStarts[pieces] = out;
  }
  outStarts[pieces] = out;
  return {
    xy: outXY.slice(0, 2 * out),
    starts: outStarts.slice(0, pieces + 1),
    tags: outTags.slice(0, pieces),
  };
}

/** Whether the pieces of bent segments meet nothing but at nodes. All others are as exact as they were. */
function isClean(s: Scratch, noded: SegmentStrings): boolean {
  const { lines, search, bent, outStart, outEnd } = s;
  const { from, segments } = lines;
  const { xy } = noded;
  for (let i = 0; i + 1 < segments; i++) {
    if ((bent[i] === 1 || bent[i + 1] === 1) && from[i + 1] === from[i]! + 1 && piecesMeet(s, xy, i, i + 1))
      return false;
  }
  // Long chains of pieces that cross long chains are better seen to by an index of the pieces.
  let work = 4 * xy.length;
  rewindPairs(search);
  for (let n = nextPairs(search, lines); n > 0; n = nextPairs(search, lines)) {
    const { pairs } = search;
    for (let k = 0; k < n; k++) {
      const i = pairs[2 * k]!;
      const j = pairs[2 * k + 1]!;
      if (bent[i] === 0 && bent[j] === 0) continue;
      const p = from[i]!;
      const q = from[j]!;
      work -= Math.min(outEnd[p + 1]! - outStart[p]!, outEnd[q + 1]! - outStart[q]!);
      if (work < 0) return findUnnoded(noded) === -1;
      if (piecesMeet(s, xy, i, j)) return false;
    }
  }
  return true;
}

/** Chains of pieces longer than this are searched by halves. */
const LONG = 8;

/** Whether any piece of segment `i` meets any of segment `j` but at its ends. */
function piecesMeet(s: Scratch, xy: Float64Array, i: number, j: number): boolean {
  const { lines, outEnd, outStart } = s;
  const { from } = lines;
  const iStart = outStart[from[i]!]!;
  const iEnd = outEnd[from[i]! + 1]!;
  const jStart = outStart[from[j]!]!;
  const jEnd = outEnd[from[j]! + 1]!;
  if (iEnd - iStart > jEnd - jStart) return piecesMeet(s, xy, j, i);
  const isLong = jEnd - jStart > LONG;
  // The pieces of j go one way in the coordinate in which it is longer.
  const width = xy[2 * jEnd]! - xy[2 * jStart]!;
  const height = xy[2 * jEnd + 1]! - xy[2 * jStart + 1]!;
  const axis = Math.abs(width) >= Math.abs(height) ? 0 : 1;
  const sign = (axis === 0 ? width : height) < 0 ? -1 : 1;
  for (let k = iStart; k < iEnd; k++) {
    const ax = xy[2 * k]!;
    const ay = xy[2 * k + 1]!;
    const bx = xy[2 * k + 2]!;
    const by = xy[2 * k + 3]!;
    if (ax === bx && ay === by) continue;
    let l = jStart;
    let last = Infinity;
    if (isLong) {
      const a = sign * (axis === 0 ? ax : ay);
      const b = sign * (axis === 0 ? bx : by);
      const least = Math.min(a, b);
      last = Math.max(a, b);
      let high = jEnd;
      while (l < high) {
        const middle = (l + high) >> 1;
        if (sign * xy[2 * middle + 2 + axis]! < least) l = middle + 1;
        else high = middle;
      }
    }
    for (; l < jEnd && sign * xy[2 * l + axis]! <= last; l++) {
      if (segmentsMeet(ax, ay, bx, by, xy[2 * l]!, xy[2 * l + 1]!, xy[2 * l + 2]!, xy[2 * l + 3]!))
        return true;
    }
  }
  return false;
}
