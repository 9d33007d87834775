/** Boxes to a node; measured, 16 is best for both building and searching. */
const NODE = 16;

/**
 * Packed R-tree over boxes in Hilbert order: all boxes of all levels in one array, leaves first, no pointers.
 * Built once, never changed. Layout as in FlatGeobuf's index turned upside down.
 */
export interface BoxTree {
  /** Leaves. */
  readonly count: number;
  /** `[minX, minY, maxX, maxY]` each, leaves then parents level by level, the root last. */
  readonly boxes: Float64Array;
  /** For a leaf its number in the input, for a parent the position of its first child. */
  readonly items: Int32Array;
  /** Position after the last node of each level. */
  readonly levels: readonly number[];
}

/** Results of a search, reused from search to search. */
export interface Hits {
  count: number;
  /** Numbers of boxes; the first `count` are of the last search. */
  values: Int32Array;
  /** Scratch of the search. */
  stack: Int32Array;
}

export function newHits(): Hits {
  return { count: 0, values: new Int32Array(64), stack: new Int32Array(64) };
}

/**
 * A tree over `boxes`, `[minX, minY, maxX, maxY]` each. Empty boxes (`min > max`) are never found.
 * O(n), by a radix sort of 32-bit Hilbert numbers of the centres.
 *
 * @param sorted  Boxes that follow each other lie near each other already, as the edges of a ring do: no sort.
 */
export function buildBoxTree(boxes: Float64Array, sorted: boolean = false): BoxTree {
  const count = boxes.length / 4;
  const levels: number[] = [];
  let nodes = 0;
  for (let n = count; ; n = Math.ceil(n / NODE)) {
    nodes += n;
    levels.push(nodes);
    if (n <= 1) break;
  }
  const order = sorted || count <= NODE ? null : hilbertOrder(boxes);
  const out = new Float64Array(4 * nodes);
  const items = new Int32Array(nodes);
  for (let k = 0; k < count; k++) {
    const i = order === null ? k : order[k]!;
    items[k] = i;
    out[4 * k] = boxes[4 * i]!;
    out[4 * k + 1] = boxes[4 * i + 1]!;
    out[4 * k + 2] = boxes[4 * i + 2]!;
    out[4 * k + 3] = boxes[4 * i + 3]!;
  }
  let start = 0;
  let to = count;
  for (let level = 0; level + 1 < levels.length; level++) {
    const end = levels[level]!;
    for (let first = start; first < end; first += NODE) {
      let minX = Infinity;
      let minY = Infinity;
      let maxX = -Infinity;
      let maxY = -Infinity;
      const last = Math.min(first + NODE, end);
      for (let k = first; k < last; k++) {
        if (out[4 * k]! < minX) minX = out[4 * k]!;
        if (out[4 * k + 1]! < minY) minY = out[4 * k + 1]!;
        if (out[4 * k + 2]! > maxX) maxX = out[4 * k + 2]!;
        if (out[4 * k + 3]! > maxY) maxY = out[4 * k + 3]!;
      }
      items[to] = first;
      out[4 * to] = minX;
      out[4 * to + 1] = minY;
      out[4 * to + 2] = maxX;
      out[4 * to + 3] = maxY;
      to++;
    }
    start = end;
  }
  return { count, boxes: out, items, levels };
}

/** Find every box that meets the given one (touching counts) and put their numbers into `hits`, in no order. */
export function searchBoxes(
  tree: BoxTree,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  hits: Hits,
): number {
  const { boxes, items, levels, count } = tree;
  hits.count = 0;
  if (count === 0) return 0;
  let { stack, values } = hits;
  const root = levels.at(-1)! - 1;
  let depth = 0;
  stack[depth++] = root;
  stack[depth++] = levels.length - 1;
  while (depth > 0) {
    const level = stack[--depth]!;
    const first = stack[--depth]!;
    const end = Math.min(first + NODE, levels[level]!);
    for (let k = first; k < end; k++) {
      if (
        boxes[4 * k]! > maxX ||
        boxes[4 * k + 1]! > maxY ||
        boxes[4 * k + 2]! < minX ||
        boxes[4 * k + 3]! < minY
      )
        continue;
      if (level === 0) {
        if (hits.count === values.length) values = hits.values = doubled(values);
        values[hits.count++] = items[k]!;
      } else {
        if (depth + 2 > stack.length) stack = hits.stack = doubled(stack);
        stack[depth++] = items[k]!;
        stack[depth++] = level - 1;
      }
    }
  }
  return hits.count;
}

function doubled(values: Int32Array): Int32Array {
  const grown = new Int32Array(2 * values.length);
  grown.set(values);
  return grown;
}

function identity(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i);
}

/** Numbers of the boxes in the order of the Hilbert curve through their centres. */
export function hilbertOrder(boxes: Float64Array): Int32Array {
  const count = boxes.length / 4;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let i = 0; i < boxes.length; i += 4) {
    if (boxes[i]! < minX) minX = boxes[i]!;
    if (boxes[i + 1]! < minY) minY = boxes[i + 1]!;
    if (boxes[i + 2]! > maxX) maxX = boxes[i + 2]!;
    if (boxes[i + 3]! > maxY) maxY = boxes[i + 3]!;
  }
  const scaleX = 65535 / (maxX - minX || 1);
  const scaleY = 65535 / (maxY - minY || 1);
  const keys = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const x = ((boxes[4 * i]! + boxes[4 * i + 2]!) / 2 - minX) * scaleX;
    const y = ((boxes[4 * i + 1]! + boxes[4 * i + 3]!) / 2 - minY) * scaleY;
    keys[i] = hilbert(x | 0, y | 0);
  }
  return radixOrder(keys);
}

/** Stable order of 32-bit keys, three passes of 11 bits. */
function radixOrder(keys: Uint32Array): Int32Array {
  const count = keys.length;
  let from = identity(count);
  let to = new Int32Array(count);
  const starts = new Int32Array(2048);
  for (let shift = 0; shift < 33; shift += 11) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(keys[i]! >>> shift) & 2047]!++;
    let sum = 0;
    for (let d = 0; d < 2048; d++) {
      const n = starts[d]!;
      starts[d] = sum;
      sum += n;
    }
    for (let k = 0; k < count; k++) {
      const i = from[k]!;
      to[starts[(keys[i]! >>> shift) & 2047]!++] = i;
    }
    [from, to] = [to, from as Int32Array<ArrayBuffer>];
  }
  return from;
}

/** Number along the Hilbert curve of order 16 of a cell, `0 <= x, y < 65536`; one quadrant a bit. */
function hilbert(x: number, y: number): number {
  let d = 0;
  for (let s = 32768; s > 0; s >>= 1) {
    const rx = (x & s) !== 0 ? 1 : 0;
    const ry = (y & s) !== 0 ? 1 : 0;
    d = (d << 2) | ((3 * rx) ^ ry);
    if (ry === 0) {
      if (rx === 1) {
        x = 65535 - x;
        y = 65535 - y;
      }
      const t = x;
      x = y;
      y = t;
    }
  }
  return d >>> 0;
}
