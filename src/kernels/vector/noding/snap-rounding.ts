import { type BoxTree, buildBoxTree } from "../box-tree.ts";
import { nearestWhole, side, wholeNumbers } from "./exact.ts";
import { nodeFloating } from "./floating.ts";
import { hashPoint } from "./hash-point.ts";
import { intersectionPoint } from "./intersection-point.ts";
import { newPairSearch, nextPairs, startPairs } from "./segment-pairs.ts";
import { gatherLines, type Lines, type NodedStrings, newLines, type SegmentStrings } from "./strings.ts";
import { findUnnoded } from "./validate.ts";

/** Largest number of a cell: halves between cells must be doubles too. */
const MOST_CELLS = 2 ** 51;

/**
 * The finest cell, a power of two, on which {@link nodeSnapRounding} can put coordinates up to `size` (the
 * largest of their absolute values).
 */
export function finestCell(size: number): number {
  let cell = 2 ** Math.max(-1022, Math.ceil(Math.log2(size > 0 ? size : 1)) - 51);
  while (size / cell > MOST_CELLS) cell *= 2;
  return cell;
}

/**
 * Node lines on a grid: snap rounding with hot pixels, after Hobby. Every vertex and every crossing of segments makes
 * the cell it lies in hot; every line that runs through a hot cell is led through its middle. No point moves by more
 * than half a cell in x or in y, lines may become one but never cross anew, and the result is fully noded, always.
 *
 * Middles of cells are at whole multiples of `cell`. A cell owns its left and its lower edge and that corner of them.
 * Tests are exact in units of the cell. With a power of two for `cell` these units are exact too, and
 * `clean` is always true. Other cells: coordinates divided by `cell` are rounded first, and the result is
 * given as `i / n` where `cell` is 1 / n for a whole n up to rounding (so that 0.001 gives the decimals one expects),
 * else as `i * cell`, rounded, and then checked, as rounding on very fine grids could bring lines together again.
 *
 * What an output string is: see `nodeFloating`. Throws RangeError when `cell` is not a positive number, or too
 * fine: a coordinate has to be less than 2 ** 51 cells ({@link finestCell}).
 * O((n + k) log n + h) for n segments, k pairs of them whose boxes meet, and h passages through hot cells.
 */
export function nodeSnapRounding(strings: SegmentStrings, cell: number): NodedStrings {
  if (!(cell > 0 && cell < Infinity)) throw new RangeError(`cell is ${cell}, expected a positive number`);
  const lines = newLines();
  gatherLines(toCells(strings, cell), lines);
  const pixels = hotPixels(lines);
  const snapped = leadThrough(lines, pixels, strings.tags);
  // On whole numbers, with every crossing a vertex, noding in floating point rounds nothing.
  const noded = nodeFloating(snapped);
  const { xy } = noded;
  const exact = isPowerOfTwo(cell);
  const inverse = Math.round(1 / cell);
  const decimal = !exact && cell < 1 && Math.abs(inverse * cell - 1) < 1e-15;
  for (let i = 0; i < xy.length; i++) xy[i] = decimal ? xy[i]! / inverse : xy[i]! * cell;
  return exact || !noded.clean ? noded : { ...noded, clean: findUnnoded(noded) === -1 };
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

/** Coordinates in cells. */
function toCells(strings: SegmentStrings, cell: number): SegmentStrings {
  const xy = new Float64Array(strings.xy.length);
  for (let i = 0; i < xy.length; i++) {
    const value = strings.xy[i]! / cell;
    if (Number.isFinite(strings.xy[i]!) && Math.abs(value) >= MOST_CELLS) {
      throw new RangeError(
        `cell ${cell} is too fine for the coordinate ${strings.xy[i]}, expected at least ${finestCell(Math.abs(strings.xy[i]!))}`,
      );
    }
    xy[i] = value;
  }
  return { xy, starts: strings.starts, tags: strings.tags };
}

/** The whole number nearest to a value, halves up: the cell it is in. Exact. */
function cellOf(value: number): number {
  const low = Math.floor(value);
  return value - low >= 0.5 ? low + 1 : low;
}

/** Hot pixels: their middles, `[x, y]` each, without repeats, and a tree over their boxes. */
interface HotPixels {
  count: number;
  xy: Float64Array;
  table: Int32Array;
  tree: BoxTree;
}

function hotPixels(lines: Lines): HotPixels {
  const { xy, vertices, from } = lines;
  const pixels = { count: 0, xy: new Float64Array(2 * vertices + 64), table: new Int32Array(64).fill(-1) };
  for (let v = 0; v < vertices; v++) addPixel(pixels, cellOf(xy[2 * v]!), cellOf(xy[2 * v + 1]!));
  const search = newPairSearch();
  const point = new Float64Array(2);
  startPairs(search, lines);
  for (let n = nextPairs(search, lines); n > 0; n = nextPairs(search, lines)) {
    const { pairs } = search;
    for (let k = 0; k < n; k++) {
      const p = 2 * from[pairs[2 * k]!]!;
      const q = 2 * from[pairs[2 * k + 1]!]!;
      if (crossingCell(xy, p, q, point)) addPixel(pixels, point[0]!, point[1]!);
    }
  }
  const boxes = new Float64Array(4 * pixels.count);
  for (let k = 0; k < pixels.count; k++) {
    boxes[4 * k] = pixels.xy[2 * k]! - 0.5;
    boxes[4 * k + 1] = pixels.xy[2 * k + 1]! - 0.5;
    boxes[4 * k + 2] = pixels.xy[2 * k]! + 0.5;
    boxes[4 * k + 3] = pixels.xy[2 * k + 1]! + 0.5;
  }
  return { ...pixels, tree: buildBoxTree(boxes) };
}

function addPixel(
  pixels: { count: number; xy: Float64Array; table: Int32Array },
  x: number,
  y: number,
): void {
  if (4 * pixels.count >= 2 * pixels.table.length) {
    const { xy, count } = pixels;
    const table = new Int32Array(2 * pixels.table.length).fill(-1);
    const mask = table.length - 1;
    for (let k = 0; k < count; k++) {
      let h = hashPoint(xy[2 * k]!, xy[2 * k + 1]!) & mask;
      while (table[h] !== -1) h = (h + 1) & mask;
      table[h] = k;
    }
    pixels.table = table;
  }
  const { table, xy } = pixels;
  const mask = table.length - 1;
  let h = hashPoint(x, y) & mask;
  while (table[h] !== -1) {
    const k = table[h]!;
    if (xy[2 * k] === x && xy[2 * k + 1] === y) return;
    h = (h + 1) & mask;
  }
  const k = pixels.count++;
  table[h] = k;
  if (2 * k === xy.length) {
    pixels.xy = new Float64Array(4 * k);
    pixels.xy.set(xy);
  }
  pixels.xy[2 * k] = x;
  pixels.xy[2 * k + 1] = y;
}

/**
 * The cell in which two segments cross properly, exactly, into `out`; false if they do not. `p` and `q` are
 * positions in `xy`. Other points in common are vertices, and hot as such.
 */
function crossingCell(xy: Float64Array, p: number, q: number, out: Float64Array): boolean {
  const ax = xy[p]!;
  const ay = xy[p + 1]!;
  const bx = xy[p + 2]!;
  const by = xy[p + 3]!;
  const cx = xy[q]!;
  const cy = xy[q + 1]!;
  const dx = xy[q + 2]!;
  const dy = xy[q + 3]!;
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if (c === 0 || d === 0 || c > 0 === d > 0) return false;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  if (a === 0 || b === 0 || a > 0 === b > 0) return false;
  intersectionPoint(ax, ay, bx, by, cx, cy, dx, dy, out);
  if (isNearEdge(out[0]!) || isNearEdge(out[1]!)) exactCell(ax, ay, bx, by, cx, cy, dx, dy, out);
  else {
    out[0] = cellOf(out[0]!);
    out[1] = cellOf(out[1]!);
  }
  return true;
}

/** Whether a rounded coordinate may be on the wrong side of an edge between cells. */
function isNearEdge(value: number): boolean {
  return Math.abs(value - Math.floor(value) - 0.5) <= 1e-15 * Math.abs(value);
}

function exactCell(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  out: Float64Array,
): void {
  const { values, exponent } = wholeNumbers([ax, ay, bx, by, cx, cy, dx, dy]);
  const x0 = values[0]!;
  const y0 = values[1]!;
  const rx = values[2]! - x0;
  const ry = values[3]! - y0;
  const sx = values[6]! - values[4]!;
  const sy = values[7]! - values[5]!;
  const denominator = rx * sy - ry * sx;
  const numerator = (values[4]! - x0) * sy - (values[5]! - y0) * sx;
  out[0] = Number(nearestWhole(x0 * denominator + numerator * rx, denominator, exponent));
  out[1] = Number(nearestWhole(y0 * denominator + numerator * ry, denominator, exponent));
}

/** Lead every line through the middles of the hot pixels it runs through. */
function leadThrough(lines: Lines, pixels: HotPixels, tags: Int32Array): SegmentStrings {
  const { xy, starts, strings } = lines;
  const outStarts = new Int32Array(strings + 1);
  let out = new Float64Array(2 * lines.vertices + 64);
  let count = 0;
  let met: Int32Array = new Int32Array(64);
  const stack: number[] = [];
  for (let s = 0; s < strings; s++) {
    outStarts[s] = count;
    for (let v = starts[s]!; v + 1 < starts[s + 1]!; v++) {
      const ax = xy[2 * v]!;
      const ay = xy[2 * v + 1]!;
      const bx = xy[2 * v + 2]!;
      const by = xy[2 * v + 3]!;
      let n = 0;
      // From the root down, into every node whose box the segment meets.
      const { tree } = pixels;
      stack.push(tree.levels.at(-1)! - 1, tree.levels.length - 1);
      while (stack.length > 0) {
        const level = stack.pop()!;
        const k = stack.pop()!;
        if (level === 0) {
          const pixel = tree.items[k]!;
          if (!runsThrough(ax, ay, bx, by, pixels.xy[2 * pixel]!, pixels.xy[2 * pixel + 1]!)) continue;
          if (n === met.length) {
            const longer = new Int32Array(2 * n);
            longer.set(met);
            met = longer;
          }
          met[n++] = pixel;
          continue;
        }
        if (!mayMeet(ax, ay, bx, by, tree.boxes, 4 * k)) continue;
        const first = tree.items[k]!;
        const end = k + 1 < tree.levels[level]! ? tree.items[k + 1]! : tree.levels[level - 1]!;
        for (let child = first; child < end; child++) stack.push(child, level - 1);
      }
      orderAlong(met, n, pixels.xy, bx - ax, by - ay);
      if (2 * (count + n) > out.length) {
        const longer = new Float64Array(Math.max(2 * out.length, 2 * (count + n)));
        longer.set(out);
        out = longer;
      }
      for (let k = 0; k < n; k++) {
        const x = pixels.xy[2 * met[k]!]!;
        const y = pixels.xy[2 * met[k]! + 1]!;
        if (count > outStarts[s]! && out[2 * count - 2] === x && out[2 * count - 1] === y) continue;
        out[2 * count] = x;
        out[2 * count + 1] = y;
        count++;
      }
    }
  }
  outStarts[strings] = count;
  return { xy: out.subarray(0, 2 * count), starts: outStarts, tags };
}

/** Whether a segment may meet a box: never false when it does. */
function mayMeet(ax: number, ay: number, bx: number, by: number, boxes: Float64Array, b: number): boolean {
  const left = boxes[b]!;
  const bottom = boxes[b + 1]!;
  const right = boxes[b + 2]!;
  const top = boxes[b + 3]!;
  if ((ax < left && bx < left) || (ax > right && bx > right)) return false;
  if ((ay < bottom && by < bottom) || (ay > top && by > top)) return false;
  const rising = bx > ax === by > ay;
  const one = rising ? side(ax, ay, bx, by, left, top) : side(ax, ay, bx, by, left, bottom);
  const other = rising ? side(ax, ay, bx, by, right, bottom) : side(ax, ay, bx, by, right, top);
  return !((one > 0 && other > 0) || (one < 0 && other < 0));
}

/**
 * Whether a segment has a point in the pixel around `x, y`, exactly. The pixel owns its left and lower edges and
 * the corner between them, no other edge or corner.
 */
function runsThrough(ax: number, ay: number, bx: number, by: number, x: number, y: number): boolean {
  const left = x - 0.5;
  const right = x + 0.5;
  const bottom = y - 0.5;
  const top = y + 0.5;
  if ((ax < left && bx < left) || (ax >= right && bx >= right)) return false;
  if ((ay < bottom && by < bottom) || (ay >= top && by >= top)) return false;
  if (ax === bx || ay === by) return true;
  if (bx > ax === by > ay) {
    // Rising: the line passes between the upper left and the lower right corner, neither of which is the pixel's.
    const upper = side(ax, ay, bx, by, left, top);
    const lower = side(ax, ay, bx, by, right, bottom);
    return (upper > 0 && lower < 0) || (upper < 0 && lower > 0);
  }
  // Falling: between the lower left corner, which is the pixel's, and the upper right one.
  const lower = side(ax, ay, bx, by, left, bottom);
  const upper = side(ax, ay, bx, by, right, top);
  if (lower === 0) return true;
  return (lower > 0 && upper < 0) || (lower < 0 && upper > 0);
}

/** Sort pixels in the order in which a line of direction `dx, dy` runs through them: both numbers of a cell go one way. */
function orderAlong(met: Int32Array, n: number, xy: Float64Array, dx: number, dy: number): void {
  if (n < 2) return;
  const sx = Math.sign(dx);
  const sy = Math.sign(dy);
  met.subarray(0, n).sort((k, l) => sx * (xy[2 * k]! - xy[2 * l]!) + sy * (xy[2 * k + 1]! - xy[2 * l + 1]!));
}
