/**
 * Lines to be noded, or noded. String `s` owns vertices `starts[s] .. starts[s + 1] - 1` of `xy`
 * (`[x0, y0, x1, y1, ...]`), and carries `tags[s]`, whatever the caller wants back with every piece of it:
 * which ring of which geometry it came from, and the like. A ring is a string whose last vertex repeats
 * its first; nothing else tells it from a line.
 */
export interface SegmentStrings {
  readonly xy: Float64Array;
  /** In vertices; length = strings + 1. */
  readonly starts: Int32Array;
  /** Length = strings. */
  readonly tags: Int32Array;
}

/** Strings that a noder gave. */
export interface NodedStrings extends SegmentStrings {
  /**
   * Whether it is proved that no two strings meet but at their ends (see `findUnnoded`), so that nobody
   * needs to check. A noder that rounds nothing always says true.
   */
  readonly clean: boolean;
}

/** Number of strings. */
export function stringCount(strings: SegmentStrings): number {
  return strings.tags.length;
}

/**
 * The vertices of strings as noders want them: without repeats, with a dense list of segments and their
 * boxes. Reused from call to call; arrays may be longer than what is in use.
 */
export interface Lines {
  strings: number;
  vertices: number;
  segments: number;
  /** Vertices of all strings: no vertex equals the one before it in its string, none is NaN or infinite, no zero is negative. */
  xy: Float64Array;
  /** In vertices; string `s` owns `starts[s] .. starts[s + 1] - 1`; none if it has less than two distinct ones. */
  starts: Int32Array;
  /** First vertex of each segment, in order; it ends in the next vertex. */
  from: Int32Array;
  /** `[minX, minY, maxX, maxY]` of each segment. */
  boxes: Float64Array;
}

export function newLines(): Lines {
  return {
    strings: 0,
    vertices: 0,
    segments: 0,
    xy: new Float64Array(256),
    starts: new Int32Array(33),
    from: new Int32Array(128),
    boxes: new Float64Array(512),
  };
}

/**
 * Put `strings` into `lines`. A vertex that repeats the one before it, or has a coordinate that is not
 * finite, is passed over as if it were not there; what is left of a string must have two vertices. O(n).
 */
export function gatherLines(strings: SegmentStrings, lines: Lines): void {
  const { xy, starts } = strings;
  const count = strings.tags.length;
  const most = count === 0 ? 0 : starts[count]! - starts[0]!;
  if (lines.xy.length < 2 * most) {
    const size = Math.ceil(1.25 * most);
    lines.xy = new Float64Array(2 * size);
    lines.from = new Int32Array(size);
    lines.boxes = new Float64Array(4 * size);
  }
  if (lines.starts.length < count + 1) lines.starts = new Int32Array(Math.ceil(1.25 * count) + 1);
  const out = lines.xy;
  const { from, boxes } = lines;
  let vertices = 0;
  let segments = 0;
  for (let s = 0; s < count; s++) {
    const first = vertices;
    lines.starts[s] = first;
    let px = 0;
    let py = 0;
    for (let v = starts[s]!; v < starts[s + 1]!; v++) {
      // + 0 turns a negative zero into zero, so that equal coordinates have equal bits.
      const x = xy[2 * v]! + 0;
      const y = xy[2 * v + 1]! + 0;
      if (vertices > first) {
        if ((x === px && y === py) || !(Number.isFinite(x) && Number.isFinite(y))) continue;
        from[segments] = vertices - 1;
        const b = 4 * segments++;
        if (px < x) {
          boxes[b] = px;
          boxes[b + 2] = x;
        } else {
          boxes[b] = x;
          boxes[b + 2] = px;
        }
        if (py < y) {
          boxes[b + 1] = py;
          boxes[b + 3] = y;
        } else {
          boxes[b + 1] = y;
          boxes[b + 3] = py;
        }
      } else if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
      out[2 * vertices] = x;
      out[2 * vertices + 1] = y;
      vertices++;
      px = x;
      py = y;
    }
    if (vertices === first + 1) vertices = first;
  }
  lines.starts[count] = vertices;
  lines.strings = count;
  lines.vertices = vertices;
  lines.segments = segments;
}

/** Most vertices whose scratch is kept for the next call; more is left to the garbage collector. */
export const KEPT_VERTICES: number = 1 << 16;
