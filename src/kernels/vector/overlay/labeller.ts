import { buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";
import type { EdgeGraph } from "./edge-graph.ts";

/** Above this many segments times questions an index is built to find what is left of a point. */
const BRUTE = 20_000;

/**
 * Winding numbers of both geometries on both sides of every edge.
 *
 * Around a node the number changes from one half-edge to the next by the delta of the edge between; along an edge it
 * stays. So one number known in each connected piece of the graph gives all; it is the number of the face
 * outside of the piece, at its smallest vertex, counted exactly from the outlines that lie left of it. Every input gets
 * consistent labels, valid or not, as outlines are closed.
 *
 * Lines, whose deltas are 0, get the numbers of the face they lie in.
 */
export class Labeller {
  /** Winding numbers left of half-edge `h`: `left[2h]` of A, `left[2h + 1]` of B. */
  left: Int32Array = new Int32Array(0);
  /** Lowest and highest winding number of A and of B. */
  readonly range: [number, number, number, number] = [0, 0, 0, 0];
  #piece = new Int32Array(0);
  #stack = new Int32Array(0);
  #lowEdge = new Int32Array(0);
  #lowVertex = new Int32Array(0);

  /** False when numbers contradict each other: the edges cross somewhere, the strings were not noded. */
  label(graph: EdgeGraph): boolean {
    const { nodes, edges, fans, fan } = graph;
    if (this.left.length < 4 * edges) {
      this.left = new Int32Array(8 * edges);
      this.#lowEdge = new Int32Array(2 * edges);
      this.#lowVertex = new Int32Array(2 * edges);
    }
    if (this.#piece.length < nodes) {
      this.#piece = new Int32Array(2 * nodes);
      this.#stack = new Int32Array(2 * nodes);
    }
    const piece = this.#piece;
    const stack = this.#stack;
    piece.fill(-1, 0, nodes);
    let pieces = 0;
    for (let n = 0; n < nodes; n++) {
      if (piece[n] !== -1 || fans[n] === fans[n + 1]) continue;
      this.#lowEdge[pieces] = -1;
      let depth = 0;
      stack[depth++] = n;
      piece[n] = pieces;
      while (depth > 0) {
        const node = stack[--depth]!;
        for (let i = fans[node]!; i < fans[node + 1]!; i++) {
          const h = fan[i]!;
          if ((h & 1) === 0) this.#noteLow(graph, pieces, h >> 1);
          const other = graph.origin[h ^ 1]!;
          if (piece[other] !== -1) continue;
          piece[other] = pieces;
          stack[depth++] = other;
        }
      }
      pieces++;
    }
    const outside = pieces > 1 ? this.#outside(graph, pieces) : null;
    if (pieces > 1 && outside === null) return false;
    for (let p = 0; p < pieces; p++) {
      const start = this.#startOf(graph, p);
      if (start < 0) return false;
      this.#spread(
        graph,
        start,
        outside === null ? 0 : outside[2 * p]!,
        outside === null ? 0 : outside[2 * p + 1]!,
      );
    }
    return this.#check(graph);
  }

  /** Remember the smallest vertex of a piece. */
  #noteLow(graph: EdgeGraph, piece: number, edge: number): void {
    const { xy } = graph;
    const end = graph.last[edge]!;
    let low = this.#lowEdge[piece] === -1 ? -1 : this.#lowVertex[piece]!;
    for (let v = graph.first[edge]!; v <= end; v++) {
      if (
        low === -1 ||
        xy[2 * v]! < xy[2 * low]! ||
        (xy[2 * v] === xy[2 * low] && xy[2 * v + 1]! < xy[2 * low + 1]!)
      ) {
        low = v;
        this.#lowEdge[piece] = edge;
        this.#lowVertex[piece] = v;
      }
    }
  }

  /** A half-edge with the face outside of a piece on its left; -1 when its edges fold back. */
  #startOf(graph: EdgeGraph, piece: number): number {
    const { xy, first, last } = graph;
    const edge = this.#lowEdge[piece]!;
    const v = this.#lowVertex[piece]!;
    if (v > first[edge]! && v < last[edge]!) {
      const turn = side(
        xy[2 * v - 2]!,
        xy[2 * v - 1]!,
        xy[2 * v]!,
        xy[2 * v + 1]!,
        xy[2 * v + 2]!,
        xy[2 * v + 3]!,
      );
      // A turn to the left at the smallest vertex: the outside is on the right.
      return turn === 0 ? -1 : turn < 0 ? 2 * edge + 1 : 2 * edge;
    }
    const node = graph.origin[v === first[edge] ? 2 * edge : 2 * edge + 1]!;
    return graph.fan[graph.fans[node + 1]! - 1]!;
  }

  /** Give the numbers of the piece of a half-edge, from those on its left. */
  #spread(graph: EdgeGraph, start: number, a: number, b: number): void {
    const { left } = this;
    const { origin, fans, fan, place, deltas } = graph;
    const stack = this.#stack;
    const piece = this.#piece;
    left[2 * start] = a;
    left[2 * start + 1] = b;
    // Nodes that are done have a negative piece. The stack holds a half-edge of each node whose left is known.
    let depth = 0;
    stack[depth++] = start;
    piece[origin[start]!] = -2;
    while (depth > 0) {
      const h = stack[--depth]!;
      const node = origin[h]!;
      const from = fans[node]!;
      const to = fans[node + 1]!;
      let wa = left[2 * h]!;
      let wb = left[2 * h + 1]!;
      let i = place[h]!;
      for (let k = from; k < to; k++) {
        const g = fan[i]!;
        if (k > from) {
          const e = g >> 1;
          if ((g & 1) === 0) {
            wa += deltas[2 * e]!;
            wb += deltas[2 * e + 1]!;
          } else {
            wa -= deltas[2 * e]!;
            wb -= deltas[2 * e + 1]!;
          }
          left[2 * g] = wa;
          left[2 * g + 1] = wb;
        }
        i++;
        if (i === to) i = from;
      }
      for (let k = from; k < to; k++) {
        const g = fan[k]!;
        const twin = g ^ 1;
        const other = origin[twin]!;
        if (piece[other] === -2) continue;
        piece[other] = -2;
        const e = g >> 1;
        const sign = (g & 1) === 0 ? 1 : -1;
        left[2 * twin] = left[2 * g]! - sign * deltas[2 * e]!;
        left[2 * twin + 1] = left[2 * g + 1]! - sign * deltas[2 * e + 1]!;
        stack[depth++] = twin;
      }
    }
  }

  #check(graph: EdgeGraph): boolean {
    const { left, range } = this;
    const { deltas, edges } = graph;
    let minA = 0;
    let maxA = 0;
    let minB = 0;
    let maxB = 0;
    for (let e = 0; e < edges; e++) {
      const a = left[4 * e]!;
      const b = left[4 * e + 1]!;
      const rightA = left[4 * e + 2]!;
      const rightB = left[4 * e + 3]!;
      if (a - rightA !== deltas[2 * e]! || b - rightB !== deltas[2 * e + 1]!) return false;
      if (a < minA) minA = a;
      else if (a > maxA) maxA = a;
      if (rightA < minA) minA = rightA;
      else if (rightA > maxA) maxA = rightA;
      if (b < minB) minB = b;
      else if (b > maxB) maxB = b;
      if (rightB < minB) minB = rightB;
      else if (rightB > maxB) maxB = rightB;
    }
    range[0] = minA;
    range[1] = maxA;
    range[2] = minB;
    range[3] = maxB;
    return true;
  }

  /**
   * Winding numbers just left of the smallest vertex of every piece: the sum over the outlines that a ray to the left
   * meets. The piece itself has nothing there. `null` when a vertex lies on an edge of another piece.
   */
  #outside(graph: EdgeGraph, pieces: number): Int32Array | null {
    const { xy, edges, first, last, deltas } = graph;
    const out = new Int32Array(2 * pieces);
    let segments = 0;
    for (let e = 0; e < edges; e++)
      if (deltas[2 * e] !== 0 || deltas[2 * e + 1] !== 0) segments += last[e]! - first[e]!;
    if (segments === 0) return out;
    if (segments * pieces <= BRUTE) {
      for (let p = 0; p < pieces; p++) {
        const v = this.#lowVertex[p]!;
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        for (let e = 0; e < edges; e++) {
          if (deltas[2 * e] === 0 && deltas[2 * e + 1] === 0) continue;
          for (let w = first[e]!; w < last[e]!; w++) {
            const c = crossing(xy, w, x, y);
            if (c === 0) continue;
            if (c === 2) return null;
            out[2 * p]! += c * deltas[2 * e]!;
            out[2 * p + 1]! += c * deltas[2 * e + 1]!;
          }
        }
      }
      return out;
    }
    const boxes = new Float64Array(4 * segments);
    const vertexOf = new Int32Array(segments);
    const edgeOf = new Int32Array(segments);
    let n = 0;
    for (let e = 0; e < edges; e++) {
      if (deltas[2 * e] === 0 && deltas[2 * e + 1] === 0) continue;
      for (let w = first[e]!; w < last[e]!; w++) {
        boxes[4 * n] = Math.min(xy[2 * w]!, xy[2 * w + 2]!);
        boxes[4 * n + 1] = Math.min(xy[2 * w + 1]!, xy[2 * w + 3]!);
        boxes[4 * n + 2] = Math.max(xy[2 * w]!, xy[2 * w + 2]!);
        boxes[4 * n + 3] = Math.max(xy[2 * w + 1]!, xy[2 * w + 3]!);
        vertexOf[n] = w;
        edgeOf[n++] = e;
      }
    }
    const tree = buildBoxTree(boxes);
    const hits = newHits();
    for (let p = 0; p < pieces; p++) {
      const v = this.#lowVertex[p]!;
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      const found = searchBoxes(tree, -Infinity, y, x, y, hits);
      for (let k = 0; k < found; k++) {
        const s = hits.values[k]!;
        const c = crossing(xy, vertexOf[s]!, x, y);
        if (c === 0) continue;
        if (c === 2) return null;
        const e = edgeOf[s]!;
        out[2 * p]! += c * deltas[2 * e]!;
        out[2 * p + 1]! += c * deltas[2 * e + 1]!;
      }
    }
    return out;
  }
}

/**
 * How a ray from a point to the left meets the segment of vertices `w` and `w + 1`: -1 when the segment runs upward, 1
 * downward, 0 not at all, 2 when the point is on the segment, but not an end of it. The lower end belongs to a segment,
 * the upper one does not.
 */
function crossing(xy: Float64Array, w: number, x: number, y: number): -1 | 0 | 1 | 2 {
  const ax = xy[2 * w]!;
  const ay = xy[2 * w + 1]!;
  const bx = xy[2 * w + 2]!;
  const by = xy[2 * w + 3]!;
  if (ax > x && bx > x) return 0;
  const up = ay <= y && y < by;
  if (!up && !(by <= y && y < ay)) return 0;
  if (ax < x && bx < x) return up ? -1 : 1;
  const s = side(ax, ay, bx, by, x, y);
  if (s === 0) return (ax === x && ay === y) || (bx === x && by === y) ? 0 : 2;
  // Left of the segment, which the ray then does not meet: negative when it runs upward.
  if (s < 0 === up) return 0;
  return up ? -1 : 1;
}
