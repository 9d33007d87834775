import { type EdgeGraph, LINE_OF_A, LINE_OF_B } from "./edge-graph.ts";

/** What to do with two geometries. */
export type OverlayOperation = "intersection" | "union" | "difference" | "symmetric-difference";

/** Which winding numbers are inside an area. */
export type FillRule = "positive" | "non-zero" | "even-odd" | "negative";

export function isInside(rule: FillRule, winding: number): boolean {
  switch (rule) {
    case "positive":
      return winding > 0;
    case "non-zero":
      return winding !== 0;
    case "even-odd":
      return (winding & 1) !== 0;
    case "negative":
      return winding < 0;
  }
}

/** Whether what is in A or not, in B or not, is in the result. */
export function isInResult(operation: OverlayOperation, inA: boolean, inB: boolean): boolean {
  switch (operation) {
    case "intersection":
      return inA && inB;
    case "union":
      return inA || inB;
    case "difference":
      return inA && !inB;
    case "symmetric-difference":
      return inA !== inB;
  }
}

/**
 * Of each half-edge, 1 in `inside` when the face on its left is in the result; bits 2 and 4 of `cover` when it is in A
 * and in B.
 */
export function selectFaces(
  graph: EdgeGraph,
  left: Int32Array,
  operation: OverlayOperation,
  rule: FillRule,
  inside: Uint8Array,
  cover: Uint8Array,
): void {
  const halves = 2 * graph.edges;
  for (let h = 0; h < halves; h++) {
    const inA = isInside(rule, left[2 * h]!);
    const inB = isInside(rule, left[2 * h + 1]!);
    inside[h] = isInResult(operation, inA, inB) ? 1 : 0;
    cover[h] = (inA ? 2 : 0) + (inB ? 4 : 0);
  }
}

/**
 * Of each edge, 1 in `chosen` when it is a line of the result; returns how many are.
 *
 * Areas are closed, so an edge is covered by an area that has it inside or as border; a line counts only where no area
 * of its own geometry covers it. Lines of an intersection are all edges in both geometries, also borders
 * that two areas share from opposite sides; other operations only take what came as a line. What an area of the result
 * covers is left out.
 */
export function selectLines(
  graph: EdgeGraph,
  operation: OverlayOperation,
  inside: Uint8Array,
  cover: Uint8Array,
  chosen: Uint8Array,
): number {
  const { edges, flags } = graph;
  let count = 0;
  for (let e = 0; e < edges; e++) {
    chosen[e] = 0;
    if (inside[2 * e] === 1 || inside[2 * e + 1] === 1) continue;
    const covered = cover[2 * e]! | cover[2 * e + 1]!;
    const areaA = (covered & 2) !== 0;
    const areaB = (covered & 4) !== 0;
    const lineA = !areaA && (flags[e]! & LINE_OF_A) !== 0;
    const lineB = !areaB && (flags[e]! & LINE_OF_B) !== 0;
    let taken = false;
    if (operation === "intersection") taken = (areaA || lineA) && (areaB || lineB);
    else if (operation === "union") taken = (lineA && !areaB) || (lineB && !areaA);
    else if (operation === "difference") taken = lineA && !areaB && !lineB;
    else taken = (lineA && !areaB && !lineB) || (lineB && !areaA && !lineA);
    if (taken) {
      chosen[e] = 1;
      count++;
    }
  }
  return count;
}

/**
 * Points of an intersection where linework of A and of B meet and nothing larger of the result is, into `points`.
 */
export function selectNodes(
  graph: EdgeGraph,
  inside: Uint8Array,
  cover: Uint8Array,
  chosen: Uint8Array,
  points: number[],
): void {
  const { nodes, fans, fan, flags, nodeVertex, xy } = graph;
  for (let n = 0; n < nodes; n++) {
    let inA = false;
    let inB = false;
    let larger = false;
    for (let i = fans[n]!; i < fans[n + 1]! && !larger; i++) {
      const h = fan[i]!;
      larger = inside[h] === 1 || inside[h ^ 1] === 1 || chosen[h >> 1] === 1;
      const covered = cover[h]! | cover[h ^ 1]!;
      inA ||= (covered & 2) !== 0 || (flags[h >> 1]! & LINE_OF_A) !== 0;
      inB ||= (covered & 4) !== 0 || (flags[h >> 1]! & LINE_OF_B) !== 0;
    }
    if (!larger && inA && inB) points.push(xy[2 * nodeVertex[n]!]!, xy[2 * nodeVertex[n]! + 1]!);
  }
}
