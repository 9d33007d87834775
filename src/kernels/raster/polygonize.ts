import { MULTI_POLYGON, POLYGON } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Affine } from "../../model/grid.ts";
import { growInts } from "./polygonize-pool.ts";
import { RingSplitter } from "./polygonize-rings.ts";
import { RowRuns } from "./polygonize-runs.ts";

/** Which neighbours of equal value make one region: those that share an edge, or a corner too. */
export type Connectivity = 4 | 8;

/** In which order regions come out. */
export type RegionOrder = "first-pixel" | "finished";

/**
 * Traces the regions of equal value of a raster that comes row by row, top to bottom, and writes them as polygons along the
 * cell edges.
 *
 * Between two rows, only the corners where a run of equal pixels starts or ends above or below are looked at. At each of them the
 * pieces of boundary that meet there are extended, joined or closed, once for the region on each side, with the region on
 * the right hand of its boundary. Runs of equal value that overlap are one region (union-find); a region without a run in the
 * newest row is finished. Vertices are made where the boundary turns, nowhere else.
 *
 * What shares edges makes one polygon, its interior connected, with one shell; where its boundary comes back to a vertex,
 * the ring is split there into shell and hole or two holes, so that no ring touches itself and polygons are valid as OGC
 * has it. With 8-connectivity such polygons of one value that touch at corners make one multipolygon.
 *
 * Memory: two rows of runs, and the vertices of regions not yet taken. Time: rows are scanned once; the rest grows with
 * runs and vertices. The result is the same however the rows were read.
 */
export class Polygonizer {
  readonly #eight: boolean;
  readonly #inOrder: boolean;
  #above: RowRuns;
  #below: RowRuns;
  #row = 0;

  /** Vertices: column * 2 + 1 where the boundary may come back, row, next of the chain, other end (of open ends only). */
  #x = new Int32Array(1024);
  #y = new Int32Array(1024);
  #next = new Int32Array(1024);
  #mate = new Int32Array(1024);
  #freeNode = -1;
  #nodes = 0;

  /**
   * One number for a set of pixels joined by edges ("part") and for the region it belongs to: roots of two forests. The root
   * is the one that started first, so that its first pixel is that of the whole.
   */
  #partOf = new Int32Array(256);
  #regionOf = new Int32Array(256);
  #firstRow = new Int32Array(256);
  #firstCol = new Int32Array(256);
  #value = new Float64Array(256);
  #pixels = new Float64Array(256);
  /** Per root part: runs in the two rows. Per root region: parts that are not finished. */
  #runs = new Int32Array(256);
  #liveParts = new Int32Array(256);
  /** Per root part: its closed rings, as a list through the `mate` of their first vertices. */
  #ringFirst = new Int32Array(256);
  #ringLast = new Int32Array(256);
  /** Per root region: all numbers it is made of, as a list. Free numbers are a list too. */
  #listNext = new Int32Array(256);
  #listLast = new Int32Array(256);
  /** Regions in the order in which they come out. */
  #orderNext = new Int32Array(256);
  #orderPrevious = new Int32Array(256);
  #freeId = -1;
  #ids = 0;
  #firstRegion = -1;
  #lastRegion = -1;

  /** Corners where pixels of equal value meet diagonally: pairs of runs, above and below. */
  #diagonals = new Int32Array(64);
  #diagonalCount = 0;
  readonly #splitter: RingSplitter;

  constructor(width: number, connectivity: Connectivity, order: RegionOrder) {
    this.#eight = connectivity === 8;
    this.#inOrder = order === "first-pixel";
    this.#above = new RowRuns(width);
    this.#below = new RowRuns(width);
    this.#splitter = new RingSplitter(width + 2);
  }

  /** Vertices that are held, a measure of the memory in use (16 bytes each). */
  get vertices(): number {
    return this.#nodes;
  }

  /** Where the next row is to be put: fill it, then call {@link addRow}. */
  get nextRow(): RowRuns {
    return this.#below;
  }

  /** Join the row in {@link nextRow} to those before. */
  addRow(): void {
    this.#walk();
    this.#joinDiagonals();
    this.#closeRow();
    const above = this.#above;
    this.#above = this.#below;
    this.#below = above;
    this.#row++;
  }

  /** There are no more rows. All regions can be taken afterwards. */
  finish(): void {
    this.#below.clear();
    this.addRow();
  }

  /**
   * Write finished regions, in order, until none is left or `builder` has more than `rows` rows or `vertices` vertices. For
   * each, `value` and the number of its pixels go to `attributes`. Returns whether more are waiting.
   */
  take(
    builder: GeometryBuilder,
    attributes: (value: number, pixels: number) => void,
    transform: Affine,
    rows: number,
    vertices: number,
  ): boolean {
    while (this.#firstRegion !== -1 && this.#liveParts[this.#firstRegion] === 0) {
      if (builder.rows >= rows || builder.vertices >= vertices) return true;
      const region = this.#firstRegion;
      this.#unlist(region);
      this.#write(region, builder, attributes, transform);
    }
    return false;
  }

  /** Go along the line between the rows, from corner to corner. */
  #walk(): void {
    const above = this.#above;
    const below = this.#below;
    const { starts: startsA, values: valuesA, parts: partsA, west: westA, east: eastA } = above;
    const { starts: startsB, values: valuesB, parts: partsB, west: westB, east: eastB } = below;
    const endA = above.count;
    const endB = below.count;
    const y = this.#row;
    let i = 0;
    let k = 0;
    // Open ends of the horizontal edge on the left of the corner: of the region above, of the region below.
    let hA = -1;
    let hB = -1;
    let left = false;
    for (;;) {
      const nextA = i + 1 < endA ? startsA[i + 1]! : 0x7fffffff;
      const nextB = k + 1 < endB ? startsB[k + 1]! : 0x7fffffff;
      const x = nextA < nextB ? nextA : nextB;
      if (x === 0x7fffffff) break;
      const up = nextA === x;
      const down = nextB === x;
      // The four pixels around the corner; NaN is what belongs to no region.
      const nw = valuesA[i]!;
      const sw = valuesB[k]!;
      const nwPart = partsA[i]!;
      if (up) i++;
      if (down) {
        if (partsB[k] === -1 && !Number.isNaN(sw)) partsB[k] = this.#newPart(startsB[k]!, sw);
        k++;
      }
      const ne = valuesA[i]!;
      const se = valuesB[k]!;
      const nwIn = !Number.isNaN(nw);
      const neIn = !Number.isNaN(ne);
      const swIn = !Number.isNaN(sw);
      const seIn = !Number.isNaN(se);
      const right = ne !== se && (neIn || seIn);
      if (up) {
        if (down) {
          if (left) {
            if (right) {
              const falling = nw === se;
              const rising = ne === sw;
              const xFalling = 2 * x + (falling ? 1 : 0);
              const xRising = 2 * x + (rising ? 1 : 0);
              if (nwIn) this.#join(westA[i]!, hA, xFalling, y, nwPart);
              if (neIn) hA = this.#prepend(eastA[i]!, xRising, y);
              if (swIn) westB[k] = this.#append(hB, xRising, y);
              if (seIn) hB = eastB[k] = this.#begin(xFalling, y);
              if (this.#eight) {
                if (falling) this.#diagonal(i - 1, k);
                if (rising) this.#diagonal(i, k - 1);
              }
            } else {
              if (nwIn) this.#join(westA[i]!, hA, 2 * x, y, nwPart);
              if (swIn) westB[k] = this.#append(hB, 2 * x, y);
              eastB[k] = eastA[i]!;
            }
          } else if (right) {
            if (neIn) hA = this.#prepend(eastA[i]!, 2 * x, y);
            if (seIn) hB = eastB[k] = this.#begin(2 * x, y);
            westB[k] = westA[i]!;
          } else {
            westB[k] = westA[i]!;
            eastB[k] = eastA[i]!;
          }
        } else if (left) {
          if (nwIn) this.#join(westA[i]!, hA, 2 * x, y, nwPart);
          if (right) {
            if (neIn) hA = this.#prepend(eastA[i]!, 2 * x, y);
          } else if (neIn) this.#join(hB, eastA[i]!, 2 * x, y, partsA[i]!);
        } else {
          if (neIn) hA = this.#prepend(eastA[i]!, 2 * x, y);
          if (nwIn) hB = this.#append(westA[i]!, 2 * x, y);
        }
      } else if (left) {
        if (swIn) westB[k] = this.#append(hB, 2 * x, y);
        if (right) {
          if (seIn) hB = eastB[k] = this.#begin(2 * x, y);
        } else if (seIn) eastB[k] = this.#prepend(hA, 2 * x, y);
      } else {
        if (seIn) hB = eastB[k] = this.#begin(2 * x, y);
        if (swIn) hA = westB[k] = this.#begin(2 * x, y);
      }
      left = right;
      if (!right && seIn) this.#link(partsB, k, partsA[i]!);
    }
  }

  /** Run `k` below lies against a run of its value that belongs to `part`. */
  #link(parts: Int32Array, k: number, part: number): void {
    const known = parts[k]!;
    if (known === part) return;
    const root = this.#part(part);
    if (known === -1) {
      parts[k] = root;
      this.#runs[root]!++;
    } else parts[k] = this.#unite(this.#part(known), root);
  }

  #diagonal(above: number, below: number): void {
    if (2 * this.#diagonalCount === this.#diagonals.length) this.#diagonals = growInts(this.#diagonals);
    const at = 2 * this.#diagonalCount++;
    this.#diagonals[at] = above;
    this.#diagonals[at + 1] = below;
  }

  #joinDiagonals(): void {
    for (let d = 0; d < this.#diagonalCount; d++) {
      const a = this.#region(this.#part(this.#above.parts[this.#diagonals[2 * d]!]!));
      const b = this.#region(this.#part(this.#below.parts[this.#diagonals[2 * d + 1]!]!));
      if (a !== b) this.#uniteRegions(a, b);
    }
    this.#diagonalCount = 0;
  }

  /** The row above is left behind: what has no run below is finished. */
  #closeRow(): void {
    const { starts, parts, count } = this.#below;
    for (let k = 1; k < count; k++) {
      const part = parts[k]!;
      if (part === -1) continue;
      const root = this.#part(part);
      parts[k] = root;
      this.#pixels[root]! += starts[k + 1]! - starts[k]!;
    }
    const above = this.#above;
    for (let i = 1; i < above.count; i++) {
      if (above.parts[i] === -1) continue;
      const part = this.#part(above.parts[i]!);
      if (--this.#runs[part]! > 0) continue;
      const region = this.#region(part);
      if (--this.#liveParts[region]! === 0 && !this.#inOrder) this.#list(region);
    }
  }

  // Chains of vertices. An open chain is known by the vertices at its ends, which know each other.

  #node(x: number, y: number): number {
    let n = this.#freeNode;
    if (n !== -1) this.#freeNode = this.#next[n]!;
    else {
      n = this.#nodes++;
      if (n === this.#x.length) {
        this.#x = growInts(this.#x);
        this.#y = growInts(this.#y);
        this.#next = growInts(this.#next);
        this.#mate = growInts(this.#mate);
      }
    }
    this.#x[n] = x;
    this.#y[n] = y;
    return n;
  }

  #begin(x: number, y: number): number {
    const n = this.#node(x, y);
    this.#mate[n] = n;
    return n;
  }

  #append(tail: number, x: number, y: number): number {
    const n = this.#node(x, y);
    const head = this.#mate[tail]!;
    this.#next[tail] = n;
    this.#mate[n] = head;
    this.#mate[head] = n;
    return n;
  }

  #prepend(head: number, x: number, y: number): number {
    const n = this.#node(x, y);
    const tail = this.#mate[head]!;
    this.#next[n] = head;
    this.#mate[n] = tail;
    this.#mate[tail] = n;
    return n;
  }

  /** A vertex between the end of one chain and the start of another, or of the same: then a ring is closed. */
  #join(tail: number, head: number, x: number, y: number, part: number): void {
    const closes = this.#mate[tail] === head;
    const n = this.#append(tail, x, y);
    this.#next[n] = head;
    if (!closes) {
      const first = this.#mate[n]!;
      const last = this.#mate[head]!;
      this.#mate[first] = last;
      this.#mate[last] = first;
      return;
    }
    const root = this.#part(part);
    this.#mate[n] = -1;
    if (this.#ringFirst[root] === -1) this.#ringFirst[root] = n;
    else this.#mate[this.#ringLast[root]!] = n;
    this.#ringLast[root] = n;
  }

  // Parts and regions.

  #newPart(col: number, value: number): number {
    let id = this.#freeId;
    if (id !== -1) this.#freeId = this.#listNext[id]!;
    else {
      id = this.#ids++;
      if (id === this.#partOf.length) this.#growIds();
    }
    this.#partOf[id] = id;
    this.#regionOf[id] = id;
    this.#firstRow[id] = this.#row;
    this.#firstCol[id] = col;
    this.#value[id] = value;
    this.#pixels[id] = 0;
    this.#runs[id] = 1;
    this.#liveParts[id] = 1;
    this.#ringFirst[id] = -1;
    this.#ringLast[id] = -1;
    this.#listNext[id] = -1;
    this.#listLast[id] = id;
    if (this.#inOrder) this.#list(id);
    return id;
  }

  #growIds(): void {
    this.#partOf = growInts(this.#partOf);
    this.#regionOf = growInts(this.#regionOf);
    this.#firstRow = growInts(this.#firstRow);
    this.#firstCol = growInts(this.#firstCol);
    this.#runs = growInts(this.#runs);
    this.#liveParts = growInts(this.#liveParts);
    this.#ringFirst = growInts(this.#ringFirst);
    this.#ringLast = growInts(this.#ringLast);
    this.#listNext = growInts(this.#listNext);
    this.#listLast = growInts(this.#listLast);
    this.#orderNext = growInts(this.#orderNext);
    this.#orderPrevious = growInts(this.#orderPrevious);
    const value = new Float64Array(2 * this.#value.length);
    value.set(this.#value);
    this.#value = value;
    const pixels = new Float64Array(value.length);
    pixels.set(this.#pixels);
    this.#pixels = pixels;
  }

  #part(id: number): number {
    return rootOf(this.#partOf, id);
  }

  #region(id: number): number {
    return rootOf(this.#regionOf, id);
  }

  #startsBefore(a: number, b: number): boolean {
    const row = this.#firstRow[a]! - this.#firstRow[b]!;
    return row < 0 || (row === 0 && this.#firstCol[a]! < this.#firstCol[b]!);
  }

  /** Two root parts become one. Returns its root. */
  #unite(a: number, b: number): number {
    if (a === b) return a;
    if (!this.#startsBefore(a, b)) return this.#unite(b, a);
    const regionA = this.#region(a);
    const regionB = this.#region(b);
    this.#partOf[b] = a;
    this.#runs[a]! += this.#runs[b]!;
    if (this.#ringFirst[b] !== -1) {
      if (this.#ringFirst[a] === -1) this.#ringFirst[a] = this.#ringFirst[b]!;
      else this.#mate[this.#ringLast[a]!] = this.#ringFirst[b]!;
      this.#ringLast[a] = this.#ringLast[b]!;
    }
    const region = regionA === regionB ? regionA : this.#uniteRegions(regionA, regionB);
    this.#liveParts[region]!--;
    return a;
  }

  #uniteRegions(a: number, b: number): number {
    if (!this.#startsBefore(a, b)) return this.#uniteRegions(b, a);
    this.#regionOf[b] = a;
    this.#liveParts[a]! += this.#liveParts[b]!;
    this.#listNext[this.#listLast[a]!] = b;
    this.#listLast[a] = this.#listLast[b]!;
    if (this.#inOrder) this.#unlist(b);
    return a;
  }

  #list(region: number): void {
    this.#orderNext[region] = -1;
    this.#orderPrevious[region] = this.#lastRegion;
    if (this.#lastRegion === -1) this.#firstRegion = region;
    else this.#orderNext[this.#lastRegion] = region;
    this.#lastRegion = region;
  }

  #unlist(region: number): void {
    const previous = this.#orderPrevious[region]!;
    const next = this.#orderNext[region]!;
    if (previous === -1) this.#firstRegion = next;
    else this.#orderNext[previous] = next;
    if (next === -1) this.#lastRegion = previous;
    else this.#orderPrevious[next] = previous;
  }

  // Out.

  #write(
    region: number,
    builder: GeometryBuilder,
    attributes: (value: number, pixels: number) => void,
    transform: Affine,
  ): void {
    let pixels = 0;
    const roots: number[] = [];
    for (let id = region; id !== -1; id = this.#listNext[id]!) {
      pixels += this.#pixels[id]!;
      if (this.#partOf[id] === id) roots.push(id);
    }
    if (roots.length > 1) roots.sort((a, b) => (this.#startsBefore(a, b) ? -1 : 1));
    builder.begin(this.#eight ? MULTI_POLYGON : POLYGON);
    for (const root of roots) {
      builder.part();
      this.#splitter.start();
      for (let ring = this.#ringFirst[root]!; ring !== -1; ) {
        const after = this.#mate[ring]!;
        let last = ring;
        for (let n = ring; ; n = this.#next[n]!) {
          this.#splitter.vertex(this.#x[n]!, this.#y[n]!);
          last = n;
          if (this.#next[n] === ring) break;
        }
        this.#splitter.closeRing();
        this.#next[last] = this.#freeNode;
        this.#freeNode = ring;
        ring = after;
      }
      this.#splitter.write(builder, transform);
    }
    builder.end();
    attributes(this.#value[region]!, pixels);
    const last = this.#listLast[region]!;
    this.#listNext[last] = this.#freeId;
    this.#freeId = region;
  }
}

/** Root of a tree, with the way to it shortened. */
function rootOf(parents: Int32Array, id: number): number {
  let root = id;
  for (let parent = parents[root]!; parent !== root; parent = parents[root]!) {
    const above = parents[parent]!;
    parents[root] = above;
    root = above;
  }
  return root;
}
