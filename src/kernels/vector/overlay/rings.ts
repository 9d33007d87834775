import { buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";
import type { EdgeGraph } from "./edge-graph.ts";
import type { OverlayResult } from "./result.ts";

/** Above this many pairs of free holes and shells an index is built to find the shell of a hole. */
const BRUTE = 4096;

const FREE = -2;

/**
 * Outline of the result area as valid rings.
 *
 * A half-edge is part of the outline when the face on its left is in the result and the one on its right is not. At
 * each node the walk goes on along the border of the same patch of interior, so one walk is one piece of the border of
 * one connected interior: shells that touch in a point come apart. Where a walk comes to a node for the second time, the
 * loop closed there is cut off, so that holes that touch their shell or each other in a point become rings of
 * their own, as OGC asks. What is left is simple: counter-clockwise loops are shells, clockwise ones holes; those of
 * a walk with a shell are its holes, others lie in the smallest shell around them.
 */
export class RingBuilder {
  #path = new Int32Array(0);
  /** Where on the path a node is left, -1 when it is not on it. */
  #at = new Int32Array(0);
  #done = new Uint8Array(0);
  #turned = new Float64Array(64);
  readonly #box = new Float64Array(4);

  /**
   * @param inside  Of each half-edge, 1 when the face on its left is in the result.
   * @returns false when loops are not simple, which is when the strings were not noded.
   */
  build(graph: EdgeGraph, inside: Uint8Array, result: OverlayResult): boolean {
    const { edges, nodes, origin, fans, fan, place } = graph;
    if (this.#done.length < 2 * edges) {
      this.#done = new Uint8Array(4 * edges);
      this.#path = new Int32Array(4 * edges);
    }
    if (this.#at.length < nodes) this.#at = new Int32Array(2 * nodes);
    const done = this.#done;
    const path = this.#path;
    const at = this.#at;
    done.fill(0, 0, 2 * edges);
    at.fill(-1, 0, nodes);
    let free = 0;
    for (let start = 0; start < 2 * edges; start++) {
      if (done[start] === 1 || inside[start] === 0 || inside[start ^ 1] === 1) continue;
      const firstRing = result.rings;
      let shell = -1;
      let depth = 0;
      let h = start;
      for (;;) {
        if (done[h] === 1) return false;
        done[h] = 1;
        at[origin[h]!] = depth;
        path[depth++] = h;
        const node = origin[h ^ 1]!;
        const from = at[node]!;
        if (from >= 0) {
          const ring = this.#emit(graph, path, from, depth, result);
          if (ring === null) return false;
          if (ring === 1) {
            if (shell !== -1) return false;
            shell = result.rings - 1;
          }
          for (let k = from; k < depth; k++) at[origin[path[k]!]!] = -1;
          depth = from;
        }
        // The next edge clockwise from where the walk came from that has the result on one side only.
        const first = fans[node]!;
        const last = fans[node + 1]! - 1;
        let i = place[h ^ 1]!;
        let g = h;
        do {
          i = i === first ? last : i - 1;
          g = fan[i]!;
        } while (inside[g] === inside[g ^ 1]);
        if (inside[g] === 0) return false;
        h = g;
        if (depth === 0 && h === start) break;
        if (depth === 0 && done[h] === 1) return false;
      }
      for (let r = firstRing; r < result.rings; r++) {
        if (r === shell) continue;
        result.shell[r] = shell === -1 ? FREE : shell;
        if (shell === -1) free++;
      }
    }
    return free === 0 || this.#placeHoles(result, free);
  }

  /** Write a loop, smallest vertex first. 1 for a shell, -1 for a hole, `null` when it has no area. */
  #emit(graph: EdgeGraph, path: Int32Array, from: number, to: number, result: OverlayResult): 1 | -1 | null {
    const { xy, first, last } = graph;
    let count = 0;
    for (let k = from; k < to; k++) count += last[path[k]! >> 1]! - first[path[k]! >> 1]!;
    if (count < 3) return null;
    result.room(count);
    if (this.#turned.length < 2 * count) this.#turned = new Float64Array(4 * count);
    const turned = this.#turned;
    let n = 0;
    let low = 0;
    for (let k = from; k < to; k++) {
      const h = path[k]!;
      const e = h >> 1;
      const a = first[e]!;
      const b = last[e]!;
      for (let i = b - a; i > 0; i--) {
        const v = (h & 1) === 0 ? b - i : a + i;
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        turned[n] = x;
        turned[n + 1] = y;
        if (x < turned[low]! || (x === turned[low] && y < turned[low + 1]!)) low = n;
        n += 2;
      }
    }
    const before = low === 0 ? n - 2 : low - 2;
    const after = low === n - 2 ? 0 : low + 2;
    const turn = side(
      turned[before]!,
      turned[before + 1]!,
      turned[low]!,
      turned[low + 1]!,
      turned[after]!,
      turned[after + 1]!,
    );
    if (turn === 0) return null;
    const start = result.vertices;
    const out = result.xy;
    let to2 = 2 * start;
    for (let i = low; i < n; i++) out[to2++] = turned[i]!;
    for (let i = 0; i < low; i++) out[to2++] = turned[i]!;
    result.vertices += count;
    result.addRing(start, -1);
    return turn < 0 ? 1 : -1;
  }

  /** Find the shell of every hole that does not touch it: the smallest that has its first vertex inside. */
  #placeHoles(result: OverlayResult, free: number): boolean {
    const { rings, shell, xy, ringStart } = result;
    const shells: number[] = [];
    for (let r = 0; r < rings; r++) if (shell[r] === -1) shells.push(r);
    if (shells.length === 1) {
      for (let r = 0; r < rings; r++) if (shell[r] === FREE) shell[r] = shells[0]!;
      return true;
    }
    const boxes = new Float64Array(4 * shells.length);
    for (let k = 0; k < shells.length; k++) {
      ringBox(result, shells[k]!, this.#box);
      boxes.set(this.#box, 4 * k);
    }
    const tree = free * shells.length > BRUTE ? buildBoxTree(boxes) : null;
    const hits = newHits();
    for (let r = 0; r < rings; r++) {
      if (shell[r] !== FREE) continue;
      const x = xy[2 * ringStart[r]!]!;
      const y = xy[2 * ringStart[r]! + 1]!;
      let best = -1;
      const candidates = tree === null ? shells.length : searchBoxes(tree, x, y, x, y, hits);
      for (let c = 0; c < candidates; c++) {
        const k = tree === null ? c : hits.values[c]!;
        if (boxes[4 * k]! > x || boxes[4 * k + 1]! > y || boxes[4 * k + 2]! < x || boxes[4 * k + 3]! < y)
          continue;
        if (best !== -1 && !boxWithin(boxes, k, best)) continue;
        if (inRing(result, shells[k]!, x, y)) best = k;
      }
      if (best === -1) return false;
      shell[r] = shells[best]!;
    }
    return true;
  }
}

function ringBox({ xy, ringStart, ringEnd }: OverlayResult, ring: number, out: Float64Array): void {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = ringStart[ring]!; v < ringEnd[ring]!; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  out[0] = minX;
  out[1] = minY;
  out[2] = maxX;
  out[3] = maxY;
}

/** Whether box `k` lies in box `l`. Shells around one point lie in each other. */
function boxWithin(boxes: Float64Array, k: number, l: number): boolean {
  return (
    boxes[4 * k]! >= boxes[4 * l]! &&
    boxes[4 * k + 1]! >= boxes[4 * l + 1]! &&
    boxes[4 * k + 2]! <= boxes[4 * l + 2]! &&
    boxes[4 * k + 3]! <= boxes[4 * l + 3]!
  );
}

/** Whether a point lies inside a ring; false on it. Exact. */
function inRing({ xy, ringStart, ringEnd }: OverlayResult, ring: number, x: number, y: number): boolean {
  const start = ringStart[ring]!;
  const end = ringEnd[ring]!;
  let inside = false;
  let ax = xy[2 * end - 2]!;
  let ay = xy[2 * end - 1]!;
  for (let v = start; v < end; v++) {
    const bx = xy[2 * v]!;
    const by = xy[2 * v + 1]!;
    if (ax >= x || bx >= x) {
      if (bx === x && by === y) return false;
      if (ay <= y !== by <= y) {
        const s = side(ax, ay, bx, by, x, y);
        if (s === 0) return false;
        if (s < 0 === by > ay) inside = !inside;
      } else if (ay === y && by === y && ax <= x !== bx <= x) return false;
    }
    ax = bx;
    ay = by;
  }
  return inside;
}
