import type { GeometryColumn, GeometryType } from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { rowMembers } from "../row-members.ts";
import { findInvalid } from "../validity.ts";
import { LiveSegments } from "./live-segments.ts";

export interface SimplifyOptions {
  /** In the unit of the coordinates. */
  readonly tolerance: number;
  /** Lines and rings stay on their side of each other, none vanishes. Default true. */
  readonly preserveTopology?: boolean | undefined;
  /**
   * `"douglas-peucker"` (default): no vertex left out is farther than the tolerance from the segment in its place.
   * `"visvalingam"`: vertices go, least first, whose triangle with their neighbours is smaller than the square of the
   * tolerance.
   */
  readonly method?: "douglas-peucker" | "visvalingam" | undefined;
}

/** A line or ring of the row: its vertices without repeated ones. */
interface Line {
  readonly vertices: Int32Array;
  /** First and last vertex are equal. */
  readonly closed: boolean;
  /** A ring of a polygon. */
  readonly ring: boolean;
  /** Number of the first segment. */
  readonly base: number;
  /** 1 for vertices that stay. The last of a ring is its first. */
  readonly kept: Uint8Array;
}

/**
 * Append a row with fewer vertices. Points stay. Vertices that stay keep their coordinates, heights and measures.
 *
 * With `preserveTopology` a stretch is only straightened if the chord meets no other segment of the row and nothing lies
 * between the two, so valid rows stay valid, no part vanishes and rings keep four positions. Without, each line is
 * simplified alone; rings that lose their area are dropped, and polygons may come out invalid: the caller repairs them.
 *
 * Cost: `n log n` for most inputs, quadratic where every split takes off one vertex.
 */
export function simplifyRow(
  column: GeometryColumn,
  row: number,
  builder: GeometryBuilder,
  options: SimplifyOptions,
): void {
  const { tolerance, preserveTopology = true, method = "douglas-peucker" } = options;
  const type = column.types[row]! as GeometryType;
  if (type === 0 || !(tolerance >= 0)) {
    builder.copy(column, row);
    return;
  }
  const lines = linesOf(column, row);
  if (!preserveTopology) {
    for (const line of lines) {
      if (method === "visvalingam") thin(column, line, tolerance, null);
      else split(column, line, tolerance);
    }
    write(column, row, lines, false, builder);
    return;
  }
  const live = new LiveSegments(segmentsOf(column, lines));
  for (const line of lines) {
    if (method === "visvalingam") thin(column, line, tolerance, live);
    else straighten(column, line, tolerance, live);
  }
  const one = new GeometryBuilder();
  write(column, row, lines, true, one);
  const result = one.finish();
  // Not expected; a valid geometry must not come out broken, whatever happens.
  const broken = findInvalid(result, 0) !== null && findInvalid(column, row) === null;
  builder.copy(broken ? column : result, broken ? row : 0);
}

function linesOf(column: GeometryColumn, row: number): Line[] {
  const { parts, rings, xy } = column;
  const lines: Line[] = [];
  let base = 0;
  for (const { dimension, first, end } of rowMembers(column, row)) {
    if (dimension < 1) continue;
    for (let r = parts[first]!; r < parts[end]!; r++) {
      const vertices = new Int32Array(rings[r + 1]! - rings[r]!);
      let n = 0;
      for (let v = rings[r]!; v < rings[r + 1]!; v++) {
        const last = n === 0 ? -1 : vertices[n - 1]!;
        if (last >= 0 && xy[2 * v] === xy[2 * last] && xy[2 * v + 1] === xy[2 * last + 1]) continue;
        vertices[n++] = v;
      }
      const own = vertices.slice(0, n);
      const closed =
        n > 2 && xy[2 * own[0]!] === xy[2 * own[n - 1]!] && xy[2 * own[0]! + 1] === xy[2 * own[n - 1]! + 1];
      lines.push({ vertices: own, closed, ring: dimension === 2, base, kept: new Uint8Array(n) });
      base += Math.max(0, n - 1);
    }
  }
  return lines;
}

function segmentsOf({ xy }: GeometryColumn, lines: readonly Line[]): Float64Array {
  const count = lines.reduce((sum, { vertices }) => sum + Math.max(0, vertices.length - 1), 0);
  const segments = new Float64Array(4 * count);
  let n = 0;
  for (const { vertices } of lines) {
    for (let k = 1; k < vertices.length; k++) {
      segments[n++] = xy[2 * vertices[k - 1]!]!;
      segments[n++] = xy[2 * vertices[k - 1]! + 1]!;
      segments[n++] = xy[2 * vertices[k]!]!;
      segments[n++] = xy[2 * vertices[k]! + 1]!;
    }
  }
  return segments;
}

/** Douglas and Peucker (1973), with a stack in place of recursion. */
function split(column: GeometryColumn, { vertices, closed, ring, kept }: Line, tolerance: number): void {
  const last = vertices.length - 1;
  if (last < 0) return;
  kept[0] = 1;
  kept[last] = 1;
  const stack = [0, last];
  while (stack.length > 0) {
    const j = stack.pop()!;
    const i = stack.pop()!;
    if (j - i < 2) continue;
    const far = farthest(column, vertices, i, j);
    // A closed line keeps a second point: it must not become a line without length.
    const mustKeep = closed && !ring && i === 0 && j === last;
    if (far.distance <= tolerance && !mustKeep) continue;
    kept[far.at] = 1;
    stack.push(far.at, j, i, far.at);
  }
  if (ring) dropStart(column, vertices, kept, tolerance);
}

/** The start of a ring is a vertex like others: it goes when it is near the segment between its neighbours. */
function dropStart({ xy }: GeometryColumn, vertices: Int32Array, kept: Uint8Array, tolerance: number): void {
  const last = vertices.length - 1;
  const next = nextKept(kept, 0);
  let before = last - 1;
  while (before > 0 && kept[before] === 0) before--;
  if (next >= before) return;
  const distance = segmentDistance(xy, vertices[0]!, vertices[before]!, vertices[next]!);
  if (distance > tolerance) return;
  kept[0] = 0;
  kept[last] = 0;
}

function nextKept(kept: Uint8Array, from: number): number {
  let k = from + 1;
  while (k < kept.length && kept[k] === 0) k++;
  return k;
}

/** Split with the rules of topology: see {@link simplifyRow}. */
function straighten(column: GeometryColumn, line: Line, tolerance: number, live: LiveSegments): void {
  const { vertices, closed, ring, base, kept } = line;
  const { xy } = column;
  const last = vertices.length - 1;
  if (last < 0) return;
  kept[0] = 1;
  kept[last] = 1;
  const least = ring ? 4 : closed ? 3 : 2;
  /** Number of the segment that starts at a kept vertex. */
  const segment = new Int32Array(last + 1);
  let done = 0;
  const stack = [0, last, 1];
  while (stack.length > 0) {
    const depth = stack.pop()!;
    const j = stack.pop()!;
    const i = stack.pop()!;
    if (j - i < 2) {
      segment[i] = base + i;
      done++;
      continue;
    }
    const far = farthest(column, vertices, i, j);
    const size = done === 0 ? 0 : done + 1;
    // The fewest positions that the line may end with if this stretch and all after it become one segment each.
    const enough = size >= least || depth + 1 >= least;
    if (enough && far.distance <= tolerance) {
      for (let k = i; k < j; k++) live.setLive(base + k, false);
      const free =
        !live.blocks(
          xy[2 * vertices[i]!]!,
          xy[2 * vertices[i]! + 1]!,
          xy[2 * vertices[j]!]!,
          xy[2 * vertices[j]! + 1]!,
        ) && !live.inside(stretch(column, vertices, i, j), j - i + 1);
      if (free) {
        segment[i] = addChord(column, live, vertices[i]!, vertices[j]!);
        done++;
        continue;
      }
      for (let k = i; k < j; k++) live.setLive(base + k, true);
    }
    kept[far.at] = 1;
    stack.push(far.at, j, depth + 1, i, far.at, depth + 1);
  }
  if (!ring || !closed || done + 1 <= least) return;
  const next = nextKept(kept, 0);
  let before = last - 1;
  while (kept[before] === 0) before--;
  if (segmentDistance(xy, vertices[0]!, vertices[before]!, vertices[next]!) > tolerance) return;
  live.setLive(segment[0]!, false);
  live.setLive(segment[before]!, false);
  if (cornerFree(column, live, vertices[before]!, vertices[0]!, vertices[next]!)) {
    addChord(column, live, vertices[before]!, vertices[next]!);
    kept[0] = 0;
    kept[last] = 0;
  } else {
    live.setLive(segment[0]!, true);
    live.setLive(segment[before]!, true);
  }
}

function addChord({ xy }: GeometryColumn, live: LiveSegments, a: number, b: number): number {
  return live.add(xy[2 * a]!, xy[2 * a + 1]!, xy[2 * b]!, xy[2 * b + 1]!);
}

/** Whether vertex `v` between `a` and `b`, whose two segments have been taken out, can go. */
function cornerFree({ xy }: GeometryColumn, live: LiveSegments, a: number, v: number, b: number): boolean {
  if (live.blocks(xy[2 * a]!, xy[2 * a + 1]!, xy[2 * b]!, xy[2 * b + 1]!)) return false;
  const corner = Float64Array.of(
    xy[2 * a]!,
    xy[2 * a + 1]!,
    xy[2 * v]!,
    xy[2 * v + 1]!,
    xy[2 * b]!,
    xy[2 * b + 1]!,
  );
  return !live.inside(corner, 3);
}

function stretch({ xy }: GeometryColumn, vertices: Int32Array, i: number, j: number): Float64Array {
  const points = new Float64Array(2 * (j - i + 1));
  for (let k = i; k <= j; k++) {
    points[2 * (k - i)] = xy[2 * vertices[k]!]!;
    points[2 * (k - i) + 1] = xy[2 * vertices[k]! + 1]!;
  }
  return points;
}

/** The vertex between `i` and `j` that is farthest from their segment. */
function farthest(
  { xy }: GeometryColumn,
  vertices: Int32Array,
  i: number,
  j: number,
): { at: number; distance: number } {
  let at = i + 1;
  let distance = -1;
  for (let k = i + 1; k < j; k++) {
    const d = segmentDistance(xy, vertices[k]!, vertices[i]!, vertices[j]!);
    if (d > distance) {
      distance = d;
      at = k;
    }
  }
  return { at, distance };
}

/** Distance from vertex `v` to the segment from `a` to `b`. */
function segmentDistance(xy: Float64Array, v: number, a: number, b: number): number {
  const px = xy[2 * v]! - xy[2 * a]!;
  const py = xy[2 * v + 1]! - xy[2 * a + 1]!;
  const dx = xy[2 * b]! - xy[2 * a]!;
  const dy = xy[2 * b + 1]! - xy[2 * a + 1]!;
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : (px * dx + py * dy) / square;
  if (t <= 0) return Math.hypot(px, py);
  if (t >= 1) return Math.hypot(px - dx, py - dy);
  return Math.abs(px * dy - py * dx) / Math.sqrt(square);
}

/** Visvalingam and Whyatt (1993): the vertex with the smallest triangle goes first, its neighbours are judged anew. */
function thin(column: GeometryColumn, line: Line, tolerance: number, live: LiveSegments | null): void {
  const { vertices, closed, ring, base, kept } = line;
  const last = vertices.length - 1;
  kept.fill(1);
  const loop = ring && closed;
  const least = ring ? 4 : closed ? 3 : 2;
  let size = last + 1;
  if (size <= least) return;
  const limit = tolerance * tolerance;
  const before = Int32Array.from({ length: last + 1 }, (_, k) => k - 1);
  const after = Int32Array.from({ length: last + 1 }, (_, k) => k + 1);
  if (loop) {
    // The last vertex is the first once more.
    before[0] = last - 1;
    after[last - 1] = 0;
  }
  const segment = Int32Array.from({ length: last + 1 }, (_, k) => base + k);
  const area = new Float64Array(last + 1).fill(Infinity);
  const heap = new Heap(area);
  const from = loop ? 0 : 1;
  for (let k = from; k < last; k++) {
    area[k] = triangle(column, vertices[before[k]!]!, vertices[k]!, vertices[after[k]!]!);
    heap.push(k);
  }
  while (size > least) {
    const k = heap.pop();
    if (k < 0 || area[k]! > limit) return;
    const a = before[k]!;
    const b = after[k]!;
    if (live !== null) {
      live.setLive(segment[a]!, false);
      live.setLive(segment[k]!, false);
      if (!cornerFree(column, live, vertices[a]!, vertices[k]!, vertices[b]!)) {
        live.setLive(segment[a]!, true);
        live.setLive(segment[k]!, true);
        area[k] = Infinity;
        continue;
      }
      segment[a] = addChord(column, live, vertices[a]!, vertices[b]!);
    }
    kept[k] = 0;
    if (k === 0) kept[last] = 0;
    size--;
    after[a] = b;
    before[b] = a;
    for (const n of [a, b]) {
      if (!loop && (n === 0 || n === last)) continue;
      // Never smaller than what has gone, so that the order of going is that of the areas.
      const fresh = triangle(column, vertices[before[n]!]!, vertices[n]!, vertices[after[n]!]!);
      area[n] = Math.max(fresh, area[k]!);
      heap.push(n);
    }
  }
}

function triangle({ xy }: GeometryColumn, a: number, b: number, c: number): number {
  const ux = xy[2 * b]! - xy[2 * a]!;
  const uy = xy[2 * b + 1]! - xy[2 * a + 1]!;
  const vx = xy[2 * c]! - xy[2 * a]!;
  const vy = xy[2 * c + 1]! - xy[2 * a + 1]!;
  return Math.abs(ux * vy - uy * vx) / 2;
}

/** Items by their key, smallest first, then by number. An item pushed again with another key counts with the new one. */
class Heap {
  readonly #keys: Float64Array;
  readonly #pushed: number[] = [];
  readonly #items: number[] = [];
  readonly #gone: Uint8Array;

  constructor(keys: Float64Array) {
    this.#keys = keys;
    this.#gone = new Uint8Array(keys.length);
  }

  push(item: number): void {
    const items = this.#items;
    const pushed = this.#pushed;
    const key = this.#keys[item]!;
    let at = items.length;
    items.push(item);
    pushed.push(key);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.#less(key, item, up)) break;
      items[at] = items[up]!;
      pushed[at] = pushed[up]!;
      at = up;
    }
    items[at] = item;
    pushed[at] = key;
  }

  /** The smallest item, which is then gone for good; -1 when there is none. */
  pop(): number {
    while (this.#items.length > 0) {
      const item = this.#items[0]!;
      const key = this.#pushed[0]!;
      this.#removeTop();
      if (this.#gone[item] === 1 || key !== this.#keys[item]) continue;
      this.#gone[item] = 1;
      return item;
    }
    return -1;
  }

  #removeTop(): void {
    const items = this.#items;
    const pushed = this.#pushed;
    const item = items.pop()!;
    const key = pushed.pop()!;
    const count = items.length;
    if (count === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#less(pushed[child + 1]!, items[child + 1]!, child)) child++;
      if (this.#less(key, item, child)) break;
      items[at] = items[child]!;
      pushed[at] = pushed[child]!;
      at = child;
    }
    items[at] = item;
    pushed[at] = key;
  }

  #less(key: number, item: number, than: number): boolean {
    const other = this.#pushed[than]!;
    return key < other || (key === other && item < this.#items[than]!);
  }
}

function write(
  column: GeometryColumn,
  row: number,
  lines: readonly Line[],
  whole: boolean,
  builder: GeometryBuilder,
): void {
  const { types, parts } = column;
  const type = types[row]! as GeometryType;
  builder.begin(type);
  let next = 0;
  for (const member of rowMembers(column, row)) {
    if (member.type !== type) builder.member(member.type);
    for (let p = member.first; p < member.end; p++) {
      if (member.dimension < 1) {
        builder.part();
        for (let v = column.rings[parts[p]!]!; v < column.rings[parts[p + 1]!]!; v++) push(v);
        continue;
      }
      let shell = true;
      let dropped = false;
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const line = lines[next++]!;
        if (dropped) continue;
        const stays = line.kept.reduce((sum, k) => sum + k, 0) + (line.kept[0] === 0 ? 1 : 0);
        if (!whole && line.ring && stays < 4) {
          // Without its shell a polygon is nothing.
          if (shell) dropped = true;
          continue;
        }
        if (shell) builder.part();
        shell = false;
        builder.ring();
        let first = -1;
        for (const [k, v] of line.vertices.entries()) {
          if (line.kept[k] === 0) continue;
          if (first < 0) first = v;
          push(v);
        }
        // A ring whose start went, and a line of one point written twice.
        if (first >= 0 && (line.kept[0] === 0 || line.vertices.length === 1)) push(first);
      }
    }
  }
  builder.end();

  function push(v: number): void {
    builder.vertex(
      column.xy[2 * v]!,
      column.xy[2 * v + 1]!,
      column.z === null ? Number.NaN : column.z[v]!,
      column.m === null ? Number.NaN : column.m[v]!,
    );
  }
}
