/** Edges sorted into horizontal bands of equal height, so that a point meets only those at its own height. */
export interface Slabs {
  readonly minY: number;
  /** Bands per unit of y. */
  readonly scale: number;
  readonly count: number;
  /** First item of each band, and the end of the last. */
  readonly starts: Int32Array;
  /** Edges of each band; an edge is in every band that it reaches into. */
  readonly items: Int32Array;
}

/** As many bands as edges, or fewer so that at most about four items an edge are kept. */
export function slabsOf(shape: {
  readonly edges: Float64Array;
  readonly edgeCount: number;
  readonly minY: number;
  readonly maxY: number;
}): Slabs {
  const { edges, edgeCount, minY } = shape;
  const height = shape.maxY - minY;
  let extents = 0;
  for (let e = 0; e < edgeCount; e++) extents += Math.abs(edges[4 * e + 3]! - edges[4 * e + 1]!) / height;
  let count = Math.floor(Math.min(2 * edgeCount, (3 * edgeCount) / extents));
  let scale = count / height;
  if (!(count >= 1) || !Number.isFinite(scale)) {
    count = 1;
    scale = 0;
  }
  const slabs = { minY, scale, count };
  const starts = new Int32Array(count + 1);
  for (let e = 0; e < edgeCount; e++) {
    const low = slabOf(slabs, Math.min(edges[4 * e + 1]!, edges[4 * e + 3]!));
    const high = slabOf(slabs, Math.max(edges[4 * e + 1]!, edges[4 * e + 3]!));
    for (let k = low; k <= high; k++) starts[k + 1]!++;
  }
  for (let k = 0; k < count; k++) starts[k + 1]! += starts[k]!;
  const items = new Int32Array(starts[count]!);
  const next = starts.slice();
  for (let e = 0; e < edgeCount; e++) {
    const low = slabOf(slabs, Math.min(edges[4 * e + 1]!, edges[4 * e + 3]!));
    const high = slabOf(slabs, Math.max(edges[4 * e + 1]!, edges[4 * e + 3]!));
    for (let k = low; k <= high; k++) items[next[k]!++] = e;
  }
  return { minY, scale, count, starts, items };
}

/** The band of a height. Rounding does not matter: it is the same, and never falling, for edges and points. */
export function slabOf(
  slabs: { readonly minY: number; readonly scale: number; readonly count: number },
  y: number,
): number {
  const k = Math.floor((y - slabs.minY) * slabs.scale);
  return k > 0 ? Math.min(k, slabs.count - 1) : 0;
}
