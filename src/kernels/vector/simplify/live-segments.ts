import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../relate/side.ts";

/** Segments added since the tree was built are looked through one by one up to this number. */
const TAIL = 64;

/**
 * The segments of lines while they are being simplified: some vanish, chords come in their place. Answers whether a
 * chord is free to come.
 */
export class LiveSegments {
  #segments: Float64Array;
  #live: Uint8Array;
  #count: number;
  #tree: BoxTree;
  /** Segments from here on are not in the tree. */
  #treeEnd: number;
  /** A tree of the segments `#treeEnd .. #laterEnd - 1`, rebuilt as they double. */
  #later: BoxTree | null = null;
  #laterEnd: number;
  readonly #hits: Hits = newHits();

  /** @param segments `[x1, y1, x2, y2]` each; finite, of some length. Kept and grown. */
  constructor(segments: Float64Array) {
    this.#segments = segments;
    this.#count = segments.length / 4;
    this.#live = new Uint8Array(this.#count).fill(1);
    this.#tree = buildBoxTree(boxesOf(segments, 0, this.#count));
    this.#treeEnd = this.#count;
    this.#laterEnd = this.#count;
  }

  /** Add a segment; its number. */
  add(x1: number, y1: number, x2: number, y2: number): number {
    if (this.#count === this.#live.length) {
      const segments = new Float64Array(8 * this.#count + 16);
      segments.set(this.#segments);
      const live = new Uint8Array(2 * this.#count + 4);
      live.set(this.#live);
      this.#segments = segments;
      this.#live = live;
    }
    const id = this.#count++;
    const s = this.#segments;
    s[4 * id] = x1;
    s[4 * id + 1] = y1;
    s[4 * id + 2] = x2;
    s[4 * id + 3] = y2;
    this.#live[id] = 1;
    const known = this.#laterEnd - this.#treeEnd;
    if (this.#count - this.#laterEnd > Math.max(TAIL, known)) {
      this.#later = buildBoxTree(boxesOf(s, this.#treeEnd, this.#count));
      this.#laterEnd = this.#count;
    }
    return id;
  }

  /** Take a segment out, or put it back. */
  setLive(id: number, live: boolean): void {
    this.#live[id] = live ? 1 : 0;
  }

  /** Whether a live segment meets a chord other than end to end. Exact. */
  blocks(x1: number, y1: number, x2: number, y2: number): boolean {
    const minX = Math.min(x1, x2);
    const minY = Math.min(y1, y2);
    const maxX = Math.max(x1, x2);
    const maxY = Math.max(y1, y2);
    const s = this.#segments;
    const hits = this.#hits;
    let found = searchBoxes(this.#tree, minX, minY, maxX, maxY, hits);
    for (let k = 0; k < found; k++)
      if (this.#live[hits.values[k]!] === 1 && interfere(s, hits.values[k]!, x1, y1, x2, y2)) return true;
    if (this.#later !== null) {
      found = searchBoxes(this.#later, minX, minY, maxX, maxY, hits);
      for (let k = 0; k < found; k++) {
        const id = this.#treeEnd + hits.values[k]!;
        if (this.#live[id] === 1 && interfere(s, id, x1, y1, x2, y2)) return true;
      }
    }
    for (let id = this.#laterEnd; id < this.#count; id++)
      if (this.#live[id] === 1 && interfere(s, id, x1, y1, x2, y2)) return true;
    return false;
  }

  /**
   * Whether an end of a live segment lies strictly inside a ring: what would be on the other side of a line if its
   * stretch along the ring became a chord. `ring` is `[x, y, x, y, ...]`, the last point joined to the first.
   */
  inside(ring: Float64Array, points: number): boolean {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let k = 0; k < points; k++) {
      minX = Math.min(minX, ring[2 * k]!);
      minY = Math.min(minY, ring[2 * k + 1]!);
      maxX = Math.max(maxX, ring[2 * k]!);
      maxY = Math.max(maxY, ring[2 * k + 1]!);
    }
    const hits = this.#hits;
    let found = searchBoxes(this.#tree, minX, minY, maxX, maxY, hits);
    for (let k = 0; k < found; k++) if (this.#endInside(hits.values[k]!, ring, points)) return true;
    if (this.#later !== null) {
      found = searchBoxes(this.#later, minX, minY, maxX, maxY, hits);
      for (let k = 0; k < found; k++)
        if (this.#endInside(this.#treeEnd + hits.values[k]!, ring, points)) return true;
    }
    for (let id = this.#laterEnd; id < this.#count; id++) if (this.#endInside(id, ring, points)) return true;
    return false;
  }

  #endInside(id: number, ring: Float64Array, points: number): boolean {
    if (this.#live[id] === 0) return false;
    const s = this.#segments;
    return (
      inRing(ring, points, s[4 * id]!, s[4 * id + 1]!) || inRing(ring, points, s[4 * id + 2]!, s[4 * id + 3]!)
    );
  }
}

function boxesOf(s: Float64Array, start: number, end: number): Float64Array {
  const boxes = new Float64Array(4 * (end - start));
  for (let i = start; i < end; i++) {
    const b = 4 * (i - start);
    boxes[b] = Math.min(s[4 * i]!, s[4 * i + 2]!);
    boxes[b + 1] = Math.min(s[4 * i + 1]!, s[4 * i + 3]!);
    boxes[b + 2] = Math.max(s[4 * i]!, s[4 * i + 2]!);
    boxes[b + 3] = Math.max(s[4 * i + 1]!, s[4 * i + 3]!);
  }
  return boxes;
}

/** Whether a segment and a chord have a point in common that is not an end of both. */
function interfere(s: Float64Array, id: number, cx: number, cy: number, dx: number, dy: number): boolean {
  const ax = s[4 * id]!;
  const ay = s[4 * id + 1]!;
  const bx = s[4 * id + 2]!;
  const by = s[4 * id + 3]!;
  if (Math.max(ax, bx) < Math.min(cx, dx) || Math.min(ax, bx) > Math.max(cx, dx)) return false;
  if (Math.max(ay, by) < Math.min(cy, dy) || Math.min(ay, by) > Math.max(cy, dy)) return false;
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  if ((a > 0 && b > 0) || (a < 0 && b < 0)) return false;
  const startShared = (ax === cx && ay === cy) || (bx === cx && by === cy);
  const endShared = (ax === dx && ay === dy) || (bx === dx && by === dy);
  if (c === 0 && d === 0) {
    // On one line: they may only meet end to end.
    if (startShared === endShared) return true;
    const [sx, sy, ox, oy] = startShared ? [cx, cy, dx, dy] : [dx, dy, cx, cy];
    const [px, py] = ax === sx && ay === sy ? [bx, by] : [ax, ay];
    return Math.sign(ox - sx) === Math.sign(px - sx) && Math.sign(oy - sy) === Math.sign(py - sy);
  }
  return !startShared && !endShared;
}

/** Whether a point lies strictly inside a ring, by the even-odd rule. Exact. */
function inRing(ring: Float64Array, points: number, x: number, y: number): boolean {
  let inside = false;
  let x1 = ring[2 * points - 2]!;
  let y1 = ring[2 * points - 1]!;
  for (let k = 0; k < points; k++) {
    const x2 = ring[2 * k]!;
    const y2 = ring[2 * k + 1]!;
    if (!((y1 < y && y2 < y) || (y1 > y && y2 > y) || (x1 < x && x2 < x))) {
      const left = side(x1, y1, x2, y2, x, y);
      if (left === 0 && (x1 <= x || x2 <= x) && (x1 >= x || x2 >= x)) return false;
      if (y1 <= y !== y2 <= y && left > 0 === y2 > y1) inside = !inside;
    }
    x1 = x2;
    y1 = y2;
  }
  return inside;
}
