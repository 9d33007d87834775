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

function doubled(values: Int32Array): Int32Array {
  const grown = new Int32Array(2 * values.length);
  grown.set(values);
  return grown;
}
