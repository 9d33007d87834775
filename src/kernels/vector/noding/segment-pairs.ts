import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import type { Lines } from "./strings.ts";

/** Up to so many segments a sweep over all of them beats building anything. */
const FEW = 256;

/** Segments to a chunk of the index. Neighbours along a line are neighbours on the map. */
const CHUNK = 8;

/** Pairs in a batch. */
const BATCH = 8192;

/**
 * A search for all pairs of segments whose boxes meet, given in batches. Pairs of segments that follow each
 * other in one string are left out: they share a vertex, and no more unless the line turns straight back.
 */
export interface PairSearch {
  /** Segment numbers `i < j` of the batch, two a pair. */
  pairs: Int32Array;
  /** Pairs in the batch. */
  count: number;
  /** Few segments: pairs in all, once they are known, else -1; and the segments from left to right. */
  all: number;
  order: Int32Array;
  keys: Float64Array;
  /** Where the search goes on: chunk, and which of its hits. */
  chunk: number;
  hit: number;
  chunks: number;
  /** Over the boxes of the chunks; null for few segments. */
  tree: BoxTree | null;
  boxes: Float64Array;
  /** First segment of each chunk. */
  chunkStarts: Int32Array;
  hits: Hits;
}

export function newPairSearch(): PairSearch {
  return {
    pairs: new Int32Array(2 * 512),
    count: 0,
    all: -1,
    order: new Int32Array(FEW),
    keys: new Float64Array(FEW),
    chunk: 0,
    hit: 0,
    chunks: 0,
    tree: null,
    boxes: new Float64Array(0),
    chunkStarts: new Int32Array(0),
    hits: newHits(),
  };
}

/** Begin a search among the segments of `lines`, which must not change before its end. O(n log n) at most. */
export function startPairs(search: PairSearch, lines: Lines): void {
  search.chunk = 0;
  search.hit = -1;
  search.count = 0;
  search.all = -1;
  search.tree = null;
  const { segments, from, boxes } = lines;
  if (segments <= FEW) {
    search.chunks = 1;
    return;
  }
  const starts = new Int32Array(segments + 1);
  let chunks = 0;
  for (let i = 0; i < segments; i++) {
    // A chunk ends with its string.
    if (i === 0 || i - starts[chunks - 1]! === CHUNK || from[i] !== from[i - 1]! + 1) starts[chunks++] = i;
  }
  starts[chunks] = segments;
  const chunkBoxes = new Float64Array(4 * chunks);
  for (let c = 0; c < chunks; c++) {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let b = 4 * starts[c]!; b < 4 * starts[c + 1]!; b += 4) {
      if (boxes[b]! < minX) minX = boxes[b]!;
      if (boxes[b + 1]! < minY) minY = boxes[b + 1]!;
      if (boxes[b + 2]! > maxX) maxX = boxes[b + 2]!;
      if (boxes[b + 3]! > maxY) maxY = boxes[b + 3]!;
    }
    chunkBoxes[4 * c] = minX;
    chunkBoxes[4 * c + 1] = minY;
    chunkBoxes[4 * c + 2] = maxX;
    chunkBoxes[4 * c + 3] = maxY;
  }
  search.chunks = chunks;
  search.chunkStarts = starts;
  search.tree = buildBoxTree(chunkBoxes);
  search.boxes = chunkBoxes;
  if (search.pairs.length < 2 * BATCH) search.pairs = new Int32Array(2 * BATCH);
}

/** Go back to the first pair. */
export function rewindPairs(search: PairSearch): void {
  search.chunk = 0;
  search.hit = -1;
}

/** Put the next batch into `search.pairs`; how many, 0 when there are no more. Every pair comes once. */
export function nextPairs(search: PairSearch, lines: Lines): number {
  search.count = 0;
  if (search.chunk >= search.chunks) return 0;
  return search.tree === null ? everyPair(search, lines) : indexedPairs(search, lines);
}

/** All pairs of few segments, one batch: a sweep over them from left to right. */
function everyPair(search: PairSearch, lines: Lines): number {
  search.chunk = 1;
  if (search.all >= 0) {
    search.count = search.all;
    return search.all;
  }
  const { segments, boxes, from } = lines;
  if (search.pairs.length < segments * (segments - 1))
    search.pairs = new Int32Array(Math.max(2 * search.pairs.length, segments * (segments - 1)));
  const { pairs, order, keys } = search;
  for (let i = 0; i < segments; i++) {
    order[i] = i;
    keys[i] = boxes[4 * i]!;
  }
  // Shell's sort: short, and quicker than any other on so few.
  for (
    let gap = segments > 90 ? 57 : segments > 30 ? 23 : segments > 12 ? 10 : 1;
    ;
    gap = gap > 23 ? 23 : gap > 10 ? 10 : gap > 4 ? 4 : 1
  ) {
    for (let n = gap; n < segments; n++) {
      const i = order[n]!;
      const key = keys[n]!;
      let k = n;
      while (k >= gap && keys[k - gap]! > key) {
        keys[k] = keys[k - gap]!;
        order[k] = order[k - gap]!;
        k -= gap;
      }
      keys[k] = key;
      order[k] = i;
    }
    if (gap === 1) break;
  }
  let n = 0;
  for (let k = 0; k < segments; k++) {
    const i = order[k]!;
    const minY = boxes[4 * i + 1]!;
    const maxX = boxes[4 * i + 2]!;
    const maxY = boxes[4 * i + 3]!;
    for (let l = k + 1; l < segments; l++) {
      const j = order[l]!;
      const b = 4 * j;
      if (boxes[b]! > maxX) break;
      if (boxes[b + 1]! > maxY || boxes[b + 3]! < minY) continue;
      const first = i < j ? i : j;
      const second = i < j ? j : i;
      if (second === first + 1 && from[second] === from[first]! + 1) continue;
      pairs[2 * n] = first;
      pairs[2 * n + 1] = second;
      n++;
    }
  }
  search.count = n;
  search.all = n;
  return n;
}

function indexedPairs(search: PairSearch, lines: Lines): number {
  const { pairs, chunkStarts, boxes: chunkBoxes, hits, chunks } = search;
  const { boxes, from } = lines;
  let n = 0;
  while (search.chunk < chunks) {
    const c = search.chunk;
    const start = chunkStarts[c]!;
    const end = chunkStarts[c + 1]!;
    if (search.hit === -1) {
      searchBoxes(
        search.tree!,
        chunkBoxes[4 * c]!,
        chunkBoxes[4 * c + 1]!,
        chunkBoxes[4 * c + 2]!,
        chunkBoxes[4 * c + 3]!,
        hits,
      );
      search.hit = 0;
    }
    for (; search.hit < hits.count; search.hit++) {
      const other = hits.values[search.hit]!;
      if (other < c) continue;
      if (n + CHUNK * CHUNK > BATCH) {
        search.count = n;
        return n;
      }
      const minX = chunkBoxes[4 * other]!;
      const minY = chunkBoxes[4 * other + 1]!;
      const maxX = chunkBoxes[4 * other + 2]!;
      const maxY = chunkBoxes[4 * other + 3]!;
      const otherStart = chunkStarts[other]!;
      const otherEnd = chunkStarts[other + 1]!;
      for (let i = start; i < end; i++) {
        const x0 = boxes[4 * i]!;
        const y0 = boxes[4 * i + 1]!;
        const x1 = boxes[4 * i + 2]!;
        const y1 = boxes[4 * i + 3]!;
        if (x0 > maxX || x1 < minX || y0 > maxY || y1 < minY) continue;
        for (let j = other === c ? i + 1 : otherStart; j < otherEnd; j++) {
          const b = 4 * j;
          if (boxes[b]! > x1 || boxes[b + 2]! < x0 || boxes[b + 1]! > y1 || boxes[b + 3]! < y0) continue;
          if (j === i + 1 && from[j] === from[i]! + 1) continue;
          pairs[2 * n] = i;
          pairs[2 * n + 1] = j;
          n++;
        }
      }
    }
    search.hit = -1;
    search.chunk++;
  }
  search.count = n;
  return n;
}
