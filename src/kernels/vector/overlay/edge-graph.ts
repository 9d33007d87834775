import { side } from "../noding/exact.ts";
import type { SegmentStrings } from "../noding/strings.ts";
import { AREA, SOURCE_B } from "./input.ts";

/** Bits of {@link EdgeGraph.flags}: the edge is part of a line of A or B, of the outline of an area of A or B. */
export const LINE_OF_A = 1;
export const LINE_OF_B = 2;
export const AREA_OF_A = 4;
export const AREA_OF_B = 8;

/**
 * The arrangement of noded strings: unique edges, each two half-edges, in order around their nodes.
 *
 * Edge `e` has vertices `first[e] .. last[e]` of `xy`. Half-edge `2e` runs from first to last, `2e + 1`
 * back. Strings with the same vertices, in either direction, are one edge, whose deltas are the sums of theirs:
 * `deltas[2e]` and `deltas[2e + 1]` say by how much the winding number of A and of B is larger on its left than on its
 * right. Outlines that cancel out within each geometry are gone.
 *
 * Arrays may be longer than what is in use; they are kept from one build to the next.
 */
export class EdgeGraph {
  xy: Float64Array = new Float64Array(0);
  edges = 0;
  nodes = 0;
  first: Int32Array = new Int32Array(0);
  last: Int32Array = new Int32Array(0);
  deltas: Int32Array = new Int32Array(0);
  flags: Uint8Array = new Uint8Array(0);
  /** Tag of the first line string of the edge, -1 where there is none; which way it runs along the edge: 1 or -1. */
  lineTag: Int32Array = new Int32Array(0);
  lineWay: Int8Array = new Int8Array(0);
  /** Node that half-edge `h` leaves. */
  origin: Int32Array = new Int32Array(0);
  /** Half-edges that leave node `n` are `fan[fans[n]] .. fan[fans[n + 1] - 1]`, counter-clockwise from straight down. */
  fans: Int32Array = new Int32Array(0);
  fan: Int32Array = new Int32Array(0);
  /** Where in `fan` half-edge `h` is. */
  place: Int32Array = new Int32Array(0);
  /** 1 at nodes where a line of the input ends. */
  lineEnd: Uint8Array = new Uint8Array(0);
  /** A vertex of each node. */
  nodeVertex: Int32Array = new Int32Array(0);
  #nodeTable = new Int32Array(0);
  #edgeTable = new Int32Array(0);

  /** Edges there is room for. */
  get capacity(): number {
    return this.first.length;
  }

  /**
   * Build from noded strings; their arrays are kept while the graph is in use. False when two edges leave a node in the
   * same direction: the strings were not noded.
   *
   * @param collapsed  Whether outlines that cancelled out stay, as lines of their geometry: what a grid makes of parts
   * narrower than its cells.
   */
  build(strings: SegmentStrings, collapsed: boolean): boolean {
    const { xy, starts, tags } = strings;
    const count = tags.length;
    this.#reserve(count);
    this.xy = xy;
    this.edges = 0;
    this.nodes = 0;
    this.#addEdges(xy, starts, tags, count);
    this.#dropCancelled(collapsed);
    return this.#sortFans();
  }

  #reserve(count: number): void {
    let table = 64;
    while (table < 4 * count) table *= 2;
    if (this.#nodeTable.length < table) {
      this.#nodeTable = new Int32Array(table);
      this.#edgeTable = new Int32Array(table);
    }
    if (this.first.length >= count) return;
    const size = table / 2;
    this.first = new Int32Array(size);
    this.last = new Int32Array(size);
    this.deltas = new Int32Array(2 * size);
    this.flags = new Uint8Array(size);
    this.lineTag = new Int32Array(size);
    this.lineWay = new Int8Array(size);
    this.origin = new Int32Array(2 * size);
    this.fans = new Int32Array(2 * size + 1);
    this.fan = new Int32Array(2 * size);
    this.place = new Int32Array(2 * size);
    this.lineEnd = new Uint8Array(2 * size);
    this.nodeVertex = new Int32Array(2 * size);
  }

  #addEdges(xy: Float64Array, starts: Int32Array, tags: Int32Array, count: number): void {
    let table = 64;
    while (table < 4 * count) table *= 2;
    const mask = table - 1;
    const nodeTable = this.#nodeTable;
    const edgeTable = this.#edgeTable;
    nodeTable.fill(-1, 0, table);
    edgeTable.fill(-1, 0, table);
    const { first, last, deltas, flags, lineTag, lineWay, origin, lineEnd } = this;
    let edges = 0;
    for (let s = 0; s < count; s++) {
      const from = starts[s]!;
      const to = starts[s + 1]! - 1;
      if (to <= from) continue;
      const tag = tags[s]!;
      const a = this.#nodeAt(xy, from, mask);
      const b = this.#nodeAt(xy, to, mask);
      if ((tag & AREA) === 0) {
        // Pieces of a string follow each other: the first and the last have its ends.
        if (s === 0 || tags[s - 1] !== tag) lineEnd[a] = 1;
        if (s + 1 === count || tags[s + 1] !== tag) lineEnd[b] = 1;
      }
      let low = a < b ? a : b;
      let high = a < b ? b : a;
      // The neighbour of the end with the lower number; of a loop the smaller of both, so that it has one way to start.
      let neighbour = a < b ? from + 1 : to - 1;
      if (a === b) {
        neighbour = smaller(xy, from + 1, to - 1) ? from + 1 : to - 1;
        low = a;
        high = b;
      }
      let h =
        (Math.imul(low, 0x9e3779b1) ^
          Math.imul(high, 0x85ebca6b) ^
          hashPoint(xy[2 * neighbour]!, xy[2 * neighbour + 1]!)) &
        mask;
      let edge = -1;
      let way = 0;
      for (; edgeTable[h] !== -1; h = (h + 1) & mask) {
        const e = edgeTable[h]!;
        if (origin[2 * e] === a && origin[2 * e + 1] === b && alike(xy, first[e]!, last[e]!, from, to))
          way = 1;
        else if (
          origin[2 * e] === b &&
          origin[2 * e + 1] === a &&
          opposite(xy, first[e]!, last[e]!, from, to)
        )
          way = -1;
        else continue;
        edge = e;
        break;
      }
      if (edge === -1) {
        edge = edges++;
        edgeTable[h] = edge;
        way = 1;
        first[edge] = from;
        last[edge] = to;
        deltas[2 * edge] = 0;
        deltas[2 * edge + 1] = 0;
        flags[edge] = 0;
        lineTag[edge] = -1;
        lineWay[edge] = 1;
        origin[2 * edge] = a;
        origin[2 * edge + 1] = b;
      }
      const source = tag & SOURCE_B;
      if ((tag & AREA) === 0) {
        flags[edge]! |= LINE_OF_A << source;
        if (lineTag[edge] === -1) {
          lineTag[edge] = tag;
          lineWay[edge] = way;
        }
      } else {
        flags[edge]! |= AREA_OF_A << source;
        deltas[2 * edge + source]! += way;
      }
    }
    this.edges = edges;
  }

  /** Leave out edges that cancelled out. */
  #dropCancelled(collapsed: boolean): void {
    const { edges, first, last, deltas, flags, lineTag, lineWay, origin } = this;
    let kept = 0;
    for (let e = 0; e < edges; e++) {
      let f = flags[e]!;
      if (deltas[2 * e] === 0 && (f & AREA_OF_A) !== 0) f = (f & ~AREA_OF_A) | (collapsed ? LINE_OF_A : 0);
      if (deltas[2 * e + 1] === 0 && (f & AREA_OF_B) !== 0)
        f = (f & ~AREA_OF_B) | (collapsed ? LINE_OF_B : 0);
      if (f === 0) continue;
      first[kept] = first[e]!;
      last[kept] = last[e]!;
      deltas[2 * kept] = deltas[2 * e]!;
      deltas[2 * kept + 1] = deltas[2 * e + 1]!;
      flags[kept] = f;
      lineTag[kept] = lineTag[e]!;
      lineWay[kept] = lineWay[e]!;
      origin[2 * kept] = origin[2 * e]!;
      origin[2 * kept + 1] = origin[2 * e + 1]!;
      kept++;
    }
    this.edges = kept;
  }

  /** The node at a vertex, a new one when there is none yet. */
  #nodeAt(xy: Float64Array, vertex: number, mask: number): number {
    const table = this.#nodeTable;
    const { nodeVertex } = this;
    const x = xy[2 * vertex]!;
    const y = xy[2 * vertex + 1]!;
    let h = hashPoint(x, y) & mask;
    for (; table[h] !== -1; h = (h + 1) & mask) {
      const node = table[h]!;
      const v = nodeVertex[node]!;
      if (xy[2 * v] === x && xy[2 * v + 1] === y) return node;
    }
    const node = this.nodes++;
    table[h] = node;
    nodeVertex[node] = vertex;
    this.lineEnd[node] = 0;
    return node;
  }

  #sortFans(): boolean {
    const { nodes, origin, fans, fan, place } = this;
    const halves = 2 * this.edges;
    fans.fill(0, 0, nodes + 1);
    for (let h = 0; h < halves; h++) fans[origin[h]! + 1]!++;
    for (let n = 0; n < nodes; n++) fans[n + 1]! += fans[n]!;
    for (let h = halves - 1; h >= 0; h--) fan[--fans[origin[h]! + 1]!] = h;
    // fans[n + 1] is now the start of n; shift down.
    for (let n = 0; n < nodes; n++) fans[n] = fans[n + 1]!;
    fans[nodes] = halves;
    for (let n = 0; n < nodes; n++) {
      const start = fans[n]!;
      const end = fans[n + 1]!;
      if (end - start > 24) {
        fan.subarray(start, end).sort((g, h) => this.#compare(g, h));
        for (let i = start + 1; i < end; i++) if (this.#compare(fan[i - 1]!, fan[i]!) >= 0) return false;
      } else {
        for (let i = start + 1; i < end; i++) {
          const h = fan[i]!;
          let k = i;
          while (k > start) {
            const c = this.#compare(fan[k - 1]!, h);
            if (c === 0) return false;
            if (c < 0) break;
            fan[k] = fan[k - 1]!;
            k--;
          }
          fan[k] = h;
        }
      }
      for (let i = start; i < end; i++) place[fan[i]!] = i;
    }
    return true;
  }

  /** Order of two half-edges that leave the same node: negative when `g` comes first. Exact. */
  #compare(g: number, h: number): number {
    const { xy } = this;
    const o = 2 * (g & 1 ? this.last[g >> 1]! : this.first[g >> 1]!);
    const a = 2 * (g & 1 ? this.last[g >> 1]! - 1 : this.first[g >> 1]! + 1);
    const b = 2 * (h & 1 ? this.last[h >> 1]! - 1 : this.first[h >> 1]! + 1);
    const ox = xy[o]!;
    const oy = xy[o + 1]!;
    const ax = xy[a]!;
    const ay = xy[a + 1]!;
    const bx = xy[b]!;
    const by = xy[b + 1]!;
    const right = ax > ox || (ax === ox && ay > oy);
    if (right !== (bx > ox || (bx === ox && by > oy))) return right ? -1 : 1;
    return side(ox, oy, ax, ay, bx, by);
  }
}

function smaller(xy: Float64Array, v: number, w: number): boolean {
  return xy[2 * v]! < xy[2 * w]! || (xy[2 * v] === xy[2 * w] && xy[2 * v + 1]! <= xy[2 * w + 1]!);
}

function alike(xy: Float64Array, first: number, last: number, from: number, to: number): boolean {
  if (last - first !== to - from) return false;
  for (let i = 0; i <= 2 * (to - from) + 1; i++) if (xy[2 * first + i] !== xy[2 * from + i]) return false;
  return true;
}

function opposite(xy: Float64Array, first: number, last: number, from: number, to: number): boolean {
  if (last - first !== to - from) return false;
  for (let v = first, w = to; v <= last; v++, w--)
    if (xy[2 * v] !== xy[2 * w] || xy[2 * v + 1] !== xy[2 * w + 1]) return false;
  return true;
}

const bits = new Float64Array(2);
const words = new Int32Array(bits.buffer);

/** A hash of the bits of a point. */
export function hashPoint(x: number, y: number): number {
  bits[0] = x;
  bits[1] = y;
  let h = Math.imul(words[0]! ^ Math.imul(words[1]!, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ words[2]! ^ Math.imul(words[3]!, 0xc2b2ae35), 0x27d4eb2f);
  return h ^ (h >>> 13);
}
