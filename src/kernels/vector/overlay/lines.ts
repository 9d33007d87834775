import type { EdgeGraph } from "./edge-graph.ts";
import type { OverlayResult } from "./result.ts";

/**
 * The lines of a result from its edges. Pieces of one input line are joined again where nothing but they meet in the
 * result; a line keeps its direction, and its ends stay ends. Stretches of border that two areas share are joined as
 * well; they run counter-clockwise around the first area.
 */
export class LineBuilder {
  #degree = new Int32Array(0);
  #done = new Uint8Array(0);
  #chain: number[] = [];

  /** @param chosen  Of each edge, 1 when it is in the result. */
  build(graph: EdgeGraph, chosen: Uint8Array, result: OverlayResult): void {
    const { edges, nodes, origin } = graph;
    if (this.#degree.length < nodes) this.#degree = new Int32Array(2 * nodes);
    if (this.#done.length < edges) this.#done = new Uint8Array(2 * edges);
    const degree = this.#degree;
    const done = this.#done;
    degree.fill(0, 0, nodes);
    done.fill(0, 0, edges);
    for (let e = 0; e < edges; e++) {
      if (chosen[e] === 0) continue;
      degree[origin[2 * e]!]!++;
      degree[origin[2 * e + 1]!]!++;
    }
    const chain = this.#chain;
    for (let e = 0; e < edges; e++) {
      if (chosen[e] === 0 || done[e] === 1) continue;
      const start = directed(graph, e);
      done[e] = 1;
      chain.length = 0;
      // Back to where the line begins, then forth; or once around.
      let h = start ^ 1;
      let closed = false;
      for (;;) {
        const next = this.#onward(graph, chosen, h);
        if (next === -1) break;
        if (next >> 1 === e) {
          closed = true;
          break;
        }
        done[next >> 1] = 1;
        chain.push(next ^ 1);
        h = next;
      }
      chain.reverse();
      chain.push(start);
      if (!closed) {
        h = start;
        for (;;) {
          const next = this.#onward(graph, chosen, h);
          if (next === -1) break;
          done[next >> 1] = 1;
          chain.push(next);
          h = next;
        }
      } else turnToSmallest(graph, chain);
      write(graph, chain, result);
    }
  }

  /** The half-edge that goes on after `h`, -1 when the line ends or meets others. */
  #onward(graph: EdgeGraph, chosen: Uint8Array, h: number): number {
    const { origin, fans, fan, lineTag, lineEnd } = graph;
    const node = origin[h ^ 1]!;
    if (this.#degree[node] !== 2 || lineEnd[node] === 1) return -1;
    for (let i = fans[node]!; i < fans[node + 1]!; i++) {
      const g = fan[i]!;
      if (g === (h ^ 1) || chosen[g >> 1] === 0) continue;
      return lineTag[g >> 1] === lineTag[h >> 1] ? g : -1;
    }
    return -1;
  }
}

/** The half-edge of an edge that runs as its line does, or around its area. */
function directed(graph: EdgeGraph, e: number): number {
  const way =
    graph.lineTag[e] !== -1
      ? graph.lineWay[e]!
      : graph.deltas[2 * e] !== 0
        ? graph.deltas[2 * e]!
        : graph.deltas[2 * e + 1]!;
  return way < 0 ? 2 * e + 1 : 2 * e;
}

/** Let a closed chain start at the smallest of its nodes. */
function turnToSmallest(graph: EdgeGraph, chain: number[]): void {
  const { xy, origin, nodeVertex } = graph;
  let low = 0;
  for (let k = 1; k < chain.length; k++) {
    const v = nodeVertex[origin[chain[k]!]!]!;
    const w = nodeVertex[origin[chain[low]!]!]!;
    if (xy[2 * v]! < xy[2 * w]! || (xy[2 * v] === xy[2 * w] && xy[2 * v + 1]! < xy[2 * w + 1]!)) low = k;
  }
  if (low > 0) chain.push(...chain.splice(0, low));
}

function write(graph: EdgeGraph, chain: readonly number[], result: OverlayResult): void {
  const { xy, first, last } = graph;
  let count = 1;
  for (const h of chain) count += last[h >> 1]! - first[h >> 1]!;
  result.room(count);
  const out = result.xy;
  const start = result.vertices;
  let n = 2 * start;
  for (let k = 0; k < chain.length; k++) {
    const h = chain[k]!;
    const a = first[h >> 1]!;
    const b = last[h >> 1]!;
    // The first vertex of each edge is the last of the one before.
    for (let i = k === 0 ? 0 : 1; i <= b - a; i++) {
      const v = (h & 1) === 0 ? a + i : b - i;
      out[n++] = xy[2 * v]!;
      out[n++] = xy[2 * v + 1]!;
    }
  }
  result.vertices = n / 2;
  result.addLine(start);
}
