import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "./box-tree.ts";

/** Up to so many segments are compared one by one: a tree costs more than it saves. */
const SMALL = 160;

/**
 * Segments, `[x1, y1, x2, y2]` each, found by their boxes. For few segments a plain loop, for many a packed tree.
 * Results are in {@link values} and hold until the next search.
 */
export class SegmentIndex {
  readonly #boxes: Float64Array;
  readonly #count: number;
  readonly #tree: BoxTree | null;
  readonly #hits: Hits = newHits();

  /** @param segments Coordinates, of which the first `count` segments are used. They must be finite. */
  constructor(segments: Float64Array, count: number) {
    const boxes = new Float64Array(4 * count);
    for (let e = 0; e < 4 * count; e += 4) {
      const x1 = segments[e]!;
      const y1 = segments[e + 1]!;
      const x2 = segments[e + 2]!;
      const y2 = segments[e + 3]!;
      boxes[e] = x1 < x2 ? x1 : x2;
      boxes[e + 1] = y1 < y2 ? y1 : y2;
      boxes[e + 2] = x1 < x2 ? x2 : x1;
      boxes[e + 3] = y1 < y2 ? y2 : y1;
    }
    this.#boxes = boxes;
    this.#count = count;
    this.#tree = count > SMALL ? buildBoxTree(boxes) : null;
    if (this.#tree === null && this.#hits.values.length < count) this.#hits.values = new Int32Array(SMALL);
  }

  /** Numbers of the segments found. */
  get values(): Int32Array {
    return this.#hits.values;
  }

  /** Segments whose boxes meet that of segment `i`, `i` itself and perhaps those before it included. How many. */
  meeting(i: number): number {
    const boxes = this.#boxes;
    const minX = boxes[4 * i]!;
    const minY = boxes[4 * i + 1]!;
    const maxX = boxes[4 * i + 2]!;
    const maxY = boxes[4 * i + 3]!;
    return this.#tree === null
      ? this.#scan(i + 1, minX, minY, maxX, maxY)
      : searchBoxes(this.#tree, minX, minY, maxX, maxY, this.#hits);
  }

  /** Segments whose boxes meet a box, touching included. How many. */
  inBox(minX: number, minY: number, maxX: number, maxY: number): number {
    return this.#tree === null
      ? this.#scan(0, minX, minY, maxX, maxY)
      : searchBoxes(this.#tree, minX, minY, maxX, maxY, this.#hits);
  }

  #scan(from: number, minX: number, minY: number, maxX: number, maxY: number): number {
    const boxes = this.#boxes;
    const { values } = this.#hits;
    let n = 0;
    for (let k = from; k < this.#count; k++) {
      const e = 4 * k;
      if (boxes[e]! <= maxX && boxes[e + 1]! <= maxY && boxes[e + 2]! >= minX && boxes[e + 3]! >= minY)
        values[n++] = k;
    }
    return n;
  }
}
