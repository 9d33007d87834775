import { CellHeap } from "./cell-heap.ts";
import { CellList, type Frame, framedLength, type Heights, neighbourOffsets } from "./frame.ts";

/**
 * Raise every cell that cannot drain to the level at which it overflows, in place: afterwards a way that never climbs leads
 * from every cell to an outlet. Outlets are the cells at the edge and beside cells without a height (corners count). Filled
 * depressions are level. The result is the lowest surface that drains, so it does not depend on any order.
 *
 * Priority flood from the outlets inward (Barnes, Lehman and Mulla 2014), in which cells that rise from a flooded one are
 * visited without the heap (Zhou, Sun and Fu 2016): only cells from which something lower is still to be reached go there.
 *
 * Cost: a few visits a cell, plus the heap for those; five bytes a cell besides the heights.
 *
 * @returns number of cells raised.
 */
export function fillDepressions(heights: Heights, frame: Frame): number {
  const offsets = neighbourOffsets(frame);
  const closed = new Uint8Array(framedLength(frame));
  const heap = new CellHeap();
  closeAndSeed(heights, frame, offsets, closed, heap);
  const flooded = new CellList();
  const rising = new CellList();
  let raised = 0;
  while (heap.count > 0) {
    const lowest = heap.pop();
    const level = heights[lowest]!;
    flooded.push(lowest);
    while (flooded.count > 0) {
      const cell = flooded.cells[--flooded.count]!;
      for (let k = 0; k < 8; k++) {
        const next = cell + offsets[k]!;
        if (closed[next] === 1) continue;
        closed[next] = 1;
        const height = heights[next]!;
        if (height > level) {
          rising.push(next);
          continue;
        }
        if (height < level) {
          heights[next] = level;
          raised++;
        }
        flooded.push(next);
      }
    }
    for (let i = 0; i < rising.count; i++) {
      const cell = rising.cells[i]!;
      const height = heights[cell]!;
      let kept = false;
      for (let k = 0; k < 8; k++) {
        const next = cell + offsets[k]!;
        if (closed[next] === 1) continue;
        const there = heights[next]!;
        if (there >= height) {
          closed[next] = 1;
          rising.push(next);
        } else if (!kept && !reachedFromBelow(heights, closed, offsets, next, there)) {
          // What lies lower may be reached from lower still: its turn comes when this level is reached.
          heap.push(height, cell);
          kept = true;
        }
      }
    }
    rising.count = 0;
  }
  return raised;
}

/** Whether a visited neighbour is lower: the way comes or came by there. */
function reachedFromBelow(
  heights: Heights,
  closed: Uint8Array,
  offsets: Int32Array,
  cell: number,
  height: number,
): boolean {
  for (let k = 0; k < 8; k++) {
    const next = cell + offsets[k]!;
    if (closed[next] === 1 && heights[next]! < height) return true;
  }
  return false;
}

/**
 * The same, but every raised cell ends above the one that it drains to, so that no level ground is left in depressions
 * (nor anywhere else) and the steepest way down leads to an outlet.
 *
 * @param rise  Least height of a cell above the one it drains to. Where the number type cannot hold so small a step the
 *              next number above is taken: `Number.MIN_VALUE` asks for the smallest steps there are.
 * @returns number of cells raised.
 */
export function fillWithGradient(heights: Heights, frame: Frame, rise: number): number {
  const offsets = neighbourOffsets(frame);
  const closed = new Uint8Array(framedLength(frame));
  const heap = new CellHeap();
  closeAndSeed(heights, frame, offsets, closed, heap);
  const above = heights instanceof Float32Array ? aboveSingle(rise) : aboveDouble(rise);
  let raised = 0;
  while (heap.count > 0) {
    const cell = heap.pop();
    const least = above(heights[cell]!);
    for (let k = 0; k < 8; k++) {
      const next = cell + offsets[k]!;
      if (closed[next] === 1) continue;
      closed[next] = 1;
      if (heights[next]! < least) {
        heights[next] = least;
        raised++;
      }
      heap.push(heights[next]!, next);
    }
  }
  return raised;
}

/** Mark cells without ground as closed, and put the outlets on the heap. */
export function closeAndSeed(
  heights: Heights,
  { width, height }: Frame,
  offsets: Int32Array,
  closed: Uint8Array,
  heap: CellHeap,
): void {
  const stride = width + 2;
  for (let cell = 0; cell < closed.length; cell++) if (Number.isNaN(heights[cell]!)) closed[cell] = 2;
  for (let row = 1; row <= height; row++) {
    for (let cell = row * stride + 1, end = cell + width; cell < end; cell++) {
      if (closed[cell] === 2) continue;
      for (let k = 0; k < 8; k++) {
        if (closed[cell + offsets[k]!] !== 2) continue;
        closed[cell] = 1;
        heap.push(heights[cell]!, cell);
        break;
      }
    }
  }
  for (let cell = 0; cell < closed.length; cell++) if (closed[cell] === 2) closed[cell] = 1;
}

function aboveDouble(rise: number): (level: number) => number {
  // |x| * 2^-53 (1 + 2^-52) + the least number takes every number to the next (Rump, Zimmermann, Boldo, Melquiond 2009).
  const half = 2 ** -53 * (1 + 2 ** -52);
  return (level) => {
    const next = level + (Math.abs(level) * half + Number.MIN_VALUE);
    return Math.max(next, level + rise);
  };
}

function aboveSingle(rise: number): (level: number) => number {
  const value = new Float32Array(1);
  const bits = new Int32Array(value.buffer);
  return (level) => {
    value[0] = level;
    if (level === 0) bits[0] = 1;
    else bits[0]! += level > 0 ? 1 : -1;
    return Math.max(value[0]!, Math.fround(level + rise));
  };
}
