/** Spacing of doubles as a share of their size, at most. */
const SPACING = 2 ** -51;

/**
 * What an overlay found, before it is put in order: rings, lines and points in flat arrays. Reused from call to call;
 * arrays may be longer than what is in use.
 */
export class OverlayResult {
  /** Vertices of rings and lines. */
  xy: Float64Array = new Float64Array(512);
  vertices = 0;
  /** Ring `r` has vertices `ringStart[r] .. ringEnd[r] - 1`, the first not repeated, starting with the smallest. */
  ringStart: Int32Array = new Int32Array(16);
  ringEnd: Int32Array = new Int32Array(16);
  /** Of a shell -1, of a hole the ring that is its shell. */
  shell: Int32Array = new Int32Array(16);
  rings = 0;
  lineStart: Int32Array = new Int32Array(16);
  lineEnd: Int32Array = new Int32Array(16);
  lines = 0;
  /** `[x0, y0, ...]` */
  points: number[] = [];

  reset(): void {
    this.vertices = 0;
    this.rings = 0;
    this.lines = 0;
    this.points.length = 0;
  }

  /** Make room for `count` more vertices. */
  room(count: number): void {
    const need = 2 * (this.vertices + count);
    if (need <= this.xy.length) return;
    const grown = new Float64Array(2 * need);
    grown.set(this.xy.subarray(0, 2 * this.vertices));
    this.xy = grown;
  }

  /** Take the vertices from `start` to the end for a ring; returns its number. */
  addRing(start: number, shell: number): number {
    const r = this.rings++;
    if (r === this.ringStart.length) {
      this.ringStart = doubled(this.ringStart);
      this.ringEnd = doubled(this.ringEnd);
      this.shell = doubled(this.shell);
    }
    this.ringStart[r] = start;
    this.ringEnd[r] = this.vertices;
    this.shell[r] = shell;
    return r;
  }

  /**
   * Leave out polygons that are on average thinner than the spacing of doubles at their coordinates: what is left of two
   * borders that are the same but for rounding, such as a clipped polygon's and its mask's.
   */
  dropSlivers(): void {
    const { xy, ringStart, ringEnd, shell } = this;
    let dropped = 0;
    for (let r = 0; r < this.rings; r++) {
      if (shell[r] !== -1) continue;
      const start = ringStart[r]!;
      const end = ringEnd[r]!;
      const x0 = xy[2 * start]!;
      const y0 = xy[2 * start + 1]!;
      let size = 0;
      let area = 0;
      let length = 0;
      let ax = xy[2 * end - 2]! - x0;
      let ay = xy[2 * end - 1]! - y0;
      for (let v = start; v < end; v++) {
        const bx = xy[2 * v]! - x0;
        const by = xy[2 * v + 1]! - y0;
        area += ax * by - bx * ay;
        length += Math.abs(bx - ax) + Math.abs(by - ay);
        size = Math.max(size, Math.abs(xy[2 * v]!), Math.abs(xy[2 * v + 1]!));
        ax = bx;
        ay = by;
      }
      if (!(Math.abs(area) < size * SPACING * length)) continue;
      shell[r] = DROPPED;
      dropped++;
    }
    if (dropped === 0) return;
    const number = new Int32Array(this.rings);
    let kept = 0;
    for (let r = 0; r < this.rings; r++) {
      const owner = shell[r]!;
      const gone = owner === DROPPED || (owner >= 0 && shell[owner] === DROPPED);
      number[r] = gone ? -1 : kept++;
    }
    for (let r = 0; r < this.rings; r++) {
      const k = number[r]!;
      if (k === -1) continue;
      ringStart[k] = ringStart[r]!;
      ringEnd[k] = ringEnd[r]!;
      shell[k] = shell[r]! >= 0 ? number[shell[r]!]! : -1;
    }
    this.rings = kept;
  }

  /**
   * Leave out lines shorter than the spacing of doubles at their coordinates, which are the rounding of a point.
   *
   * @param toPoints  Whether a point takes the place of each.
   */
  shortenLines(toPoints: boolean): void {
    const { xy, lineStart, lineEnd } = this;
    let kept = 0;
    for (let l = 0; l < this.lines; l++) {
      const start = lineStart[l]!;
      const end = lineEnd[l]!;
      let length = 0;
      for (let v = start + 1; v < end; v++)
        length += Math.abs(xy[2 * v]! - xy[2 * v - 2]!) + Math.abs(xy[2 * v + 1]! - xy[2 * v - 1]!);
      const size = Math.max(Math.abs(xy[2 * start]!), Math.abs(xy[2 * start + 1]!));
      if (length <= size * SPACING) {
        if (toPoints) this.points.push(xy[2 * start]!, xy[2 * start + 1]!);
        continue;
      }
      lineStart[kept] = start;
      lineEnd[kept++] = end;
    }
    this.lines = kept;
  }

  /** Take the vertices from `start` to the end for a line. */
  addLine(start: number): void {
    const l = this.lines++;
    if (l === this.lineStart.length) {
      this.lineStart = doubled(this.lineStart);
      this.lineEnd = doubled(this.lineEnd);
    }
    this.lineStart[l] = start;
    this.lineEnd[l] = this.vertices;
  }
}

const DROPPED = -3;

function doubled(values: Int32Array): Int32Array {
  const grown = new Int32Array(2 * values.length);
  grown.set(values);
  return grown;
}
