/**
 * Distances that differ by less than this share are equal: the same distance, computed along two edges that share a
 * vertex or from two sides, may differ in its last digits.
 */
export const TIE = 1e-12;

/** Squares of distances that may still be tied with, or rounded to, a given one; wider than {@link TIE} by rounding. */
const TIE_SQUARED = 1 + 4 * TIE;

/** Candidates that are kept before those out of reach are thrown away. */
const MANY = 256;

/** Which of several candidates at the same distance are kept. */
export type TiePolicy = "all" | "first" | "lowest-id";

/**
 * The `k` nearest rows of one query, and those tied with the last of them, while a search offers candidates. Reused from
 * query to query. Works on squares of distances; a row may be offered many times, its least distance counts.
 */
export class NearestSet {
  /** Candidates beyond this square need not be offered. */
  bound: number = Infinity;
  /** A square that settles the query: once something as near is offered, nothing more is searched. */
  enough: number = -1;
  /** 1 for rows that this query leaves out; `null` when there are none. */
  excluded: Uint8Array | null = null;
  /** Neighbours of the answer after {@link finish}: so many of {@link rows}, nearest first, and of {@link distances}. */
  count: number = 0;
  rows: Int32Array = new Int32Array(64);
  distances: Float64Array = new Float64Array(64);
  /** Whether {@link finish} left out rows as near as the last one because of the policy. */
  tied: boolean = false;
  readonly #k: number;
  readonly #ties: TiePolicy;
  /** Place of each row among equals; `null` for the order of rows. */
  readonly #rank: Float64Array | Int32Array | null;
  readonly #maxDistance: number;
  /** Everything offered within reach, rows may repeat. */
  #candidates = new Int32Array(MANY);
  #squares = new Float64Array(MANY);
  #offered = 0;
  #compactAt = MANY;
  /** The k least squares of different rows, largest on top (a heap); only for k > 1. */
  readonly #heap: Float64Array;
  readonly #heapRows: Int32Array;
  /** Place of a row in the heap, -1 outside. */
  readonly #slots: Int32Array | null;
  #size = 0;

  constructor(
    k: number,
    maxDistance: number,
    ties: TiePolicy,
    rank: Float64Array | Int32Array | null,
    rows: number,
  ) {
    this.#k = Math.min(k, Math.max(1, rows));
    this.#maxDistance = maxDistance;
    this.#ties = ties;
    this.#rank = rank;
    this.#heap = new Float64Array(this.#k > 1 ? this.#k : 0);
    this.#heapRows = new Int32Array(this.#heap.length);
    this.#slots = this.#k > 1 ? new Int32Array(rows).fill(-1) : null;
    this.reset();
  }

  /** Begin a query. */
  reset(): void {
    this.#offered = 0;
    this.#compactAt = MANY;
    if (this.#slots !== null) {
      for (let i = 0; i < this.#size; i++) this.#slots[this.#heapRows[i]!] = -1;
    }
    this.#size = 0;
    this.bound = this.#maxDistance * this.#maxDistance * TIE_SQUARED;
  }

  /** It is known that the k-th neighbour is no farther than `distance`; something that near will be offered. */
  atMost(distance: number): void {
    const square = distance * distance * TIE_SQUARED;
    if (square < this.bound) this.bound = square;
  }

  /** A row at a distance, given as its square. Rows that are left out, NaN and infinity are not taken. */
  offer(row: number, square: number): void {
    if (!(square <= this.bound) || square === Infinity) return;
    if (this.excluded !== null && this.excluded[row] === 1) return;
    const last = this.#offered - 1;
    if (last >= 0 && this.#candidates[last] === row) {
      if (square >= this.#squares[last]!) return;
      this.#squares[last] = square;
    } else {
      this.#candidates[this.#offered] = row;
      this.#squares[this.#offered++] = square;
    }
    if (this.#slots === null) {
      if (square * TIE_SQUARED < this.bound) this.bound = square * TIE_SQUARED;
    } else this.#offerHeap(row, square, this.#slots);
    if (this.#offered === this.#compactAt) this.#compact();
    if (square <= this.enough) this.bound = -1;
  }

  #offerHeap(row: number, square: number, slots: Int32Array): void {
    const slot = slots[row]!;
    if (slot >= 0) {
      if (square >= this.#heap[slot]!) return;
      this.#sink(slot, row, square, slots);
    } else if (this.#size < this.#k) this.#rise(this.#size++, row, square, slots);
    else if (square < this.#heap[0]!) {
      slots[this.#heapRows[0]!] = -1;
      this.#sink(0, row, square, slots);
    } else return;
    if (this.#size === this.#k) this.bound = Math.min(this.bound, this.#heap[0]! * TIE_SQUARED);
  }

  #rise(from: number, row: number, square: number, slots: Int32Array): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (this.#heap[parent]! >= square) break;
      this.#put(slot, this.#heapRows[parent]!, this.#heap[parent]!, slots);
      slot = parent;
    }
    this.#put(slot, row, square, slots);
  }

  #sink(from: number, row: number, square: number, slots: Int32Array): void {
    let slot = from;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#heap[child + 1]! > this.#heap[child]!) child++;
      if (this.#heap[child]! <= square) break;
      this.#put(slot, this.#heapRows[child]!, this.#heap[child]!, slots);
      slot = child;
    }
    this.#put(slot, row, square, slots);
  }

  #put(slot: number, row: number, square: number, slots: Int32Array): void {
    this.#heap[slot] = square;
    this.#heapRows[slot] = row;
    slots[row] = slot;
  }

  /** Throw away what is out of reach by now, and make room for as much again as is left. */
  #compact(): void {
    let kept = 0;
    for (let i = 0; i < this.#offered; i++) {
      if (this.#squares[i]! > this.bound) continue;
      this.#candidates[kept] = this.#candidates[i]!;
      this.#squares[kept++] = this.#squares[i]!;
    }
    this.#offered = kept;
    this.#compactAt = Math.max(MANY, 2 * kept);
    if (this.#compactAt <= this.#candidates.length) return;
    const candidates = new Int32Array(this.#compactAt);
    const squares = new Float64Array(this.#compactAt);
    candidates.set(this.#candidates);
    squares.set(this.#squares);
    this.#candidates = candidates;
    this.#squares = squares;
  }

  /** End a query: the answer is in {@link rows} and {@link distances}, ordered by distance, equals as the policy says. */
  finish(): void {
    this.tied = false;
    this.count = 0;
    let kept = 0;
    const { bound } = this;
    for (let i = 0; i < this.#offered; i++) {
      if (this.#squares[i]! > bound) continue;
      this.#candidates[kept] = this.#candidates[i]!;
      this.#squares[kept++] = this.#squares[i]!;
    }
    this.#offered = kept;
    if (kept === 1) {
      const distance = Math.sqrt(this.#squares[0]!);
      if (distance <= this.#maxDistance) this.#answer(this.#candidates[0]!, distance);
    } else if (kept > 1) this.#choose();
  }

  #answer(row: number, distance: number): void {
    if (this.count === this.rows.length) {
      const rows = new Int32Array(2 * this.count);
      const distances = new Float64Array(2 * this.count);
      rows.set(this.rows);
      distances.set(this.distances);
      this.rows = rows;
      this.distances = distances;
    }
    this.rows[this.count] = row;
    this.distances[this.count++] = distance;
  }

  /** The answer from several candidates. */
  #choose(): void {
    const count = this.#offered;
    // Least distance of each row.
    const order = Array.from({ length: count }, (_, i) => i);
    const squares = this.#squares;
    const candidates = this.#candidates;
    order.sort((a, b) => candidates[a]! - candidates[b]! || squares[a]! - squares[b]!);
    const found: { row: number; distance: number }[] = [];
    let previous = -1;
    for (const i of order) {
      const row = candidates[i]!;
      if (row === previous) continue;
      previous = row;
      const distance = Math.sqrt(squares[i]!);
      if (distance <= this.#maxDistance) found.push({ row, distance });
    }
    const rank = this.#ties === "lowest-id" ? this.#rank : null;
    found.sort((a, b) => a.distance - b.distance || a.row - b.row);
    // Runs of equal distances, each in the order of its rows or ids.
    for (let first = 0; first < found.length && this.count < this.#k; ) {
      let end = first + 1;
      const limit = found[first]!.distance * (1 + TIE);
      while (end < found.length && found[end]!.distance <= limit) end++;
      const equal = found.slice(first, end);
      equal.sort((a, b) => (rank === null ? 0 : rank[a.row]! - rank[b.row]!) || a.row - b.row);
      for (const { row, distance } of equal) {
        if (this.#ties !== "all" && this.count === this.#k) {
          this.tied = true;
          break;
        }
        this.#answer(row, distance);
      }
      first = end;
    }
  }
}
