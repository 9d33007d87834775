import { CellHeap } from "./cell-heap.ts";
import { closeAndSeed } from "./fill-depressions.ts";
import { CellList, type Frame, framedLength, type Heights, neighbourOffsets } from "./frame.ts";

/**
 * Cut channels out of depressions, in place: from the bottom of each a level channel is dug through what holds the water
 * back, along the way by which a flood from the outlets came in over the lowest pass (Soille 2004; Lindsay 2016). Nothing
 * is raised. Dams, bridges and roads across valleys are cut through where filling would make lakes behind them.
 *
 * @param maxLength  Cells of a channel at the most; depressions that need a longer one stay as they are, to be filled.
 * @returns number of cells lowered, and of depressions that were left.
 */
export function breachDepressions(
  heights: Heights,
  frame: Frame,
  maxLength: number,
): { lowered: number; left: number } {
  const offsets = neighbourOffsets(frame);
  const length = framedLength(frame);
  const closed = new Uint8Array(length);
  const heap = new CellHeap();
  closeAndSeed(heights, frame, offsets, closed, heap);
  /** Neighbour by which the flood came to each cell; 8 at outlets. */
  const from = new Uint8Array(length).fill(8);
  const drained = new Uint8Array(length);
  const level = new CellList();
  let lowered = 0;
  let left = 0;
  while (heap.count > 0) {
    const cell = heap.pop();
    const height = heights[cell]!;
    let bottom = true;
    for (let k = 0; k < 8; k++) {
      const next = cell + offsets[k]!;
      if (heights[next]! < height) bottom = false;
      if (closed[next] === 1) continue;
      closed[next] = 1;
      from[next] = (k + 4) & 7;
      heap.push(heights[next]!, next);
    }
    if (!bottom || drained[cell] === 1 || from[cell] === 8) continue;
    markLevel(cell);
    let steps = 0;
    let at = cell;
    while (from[at] !== 8 && steps <= maxLength) {
      at += offsets[from[at]!]!;
      if (heights[at]! <= height) break;
      steps++;
    }
    if (steps > maxLength) {
      left++;
      continue;
    }
    at = cell;
    while (from[at] !== 8) {
      at += offsets[from[at]!]!;
      if (heights[at]! <= height) break;
      heights[at] = height;
      lowered++;
    }
  }
  return { lowered, left };

  /** All level ground around a bottom drains by one channel. */
  function markLevel(cell: number): void {
    const height = heights[cell]!;
    drained[cell] = 1;
    level.push(cell);
    while (level.count > 0) {
      const one = level.cells[--level.count]!;
      for (let k = 0; k < 8; k++) {
        const next = one + offsets[k]!;
        if (drained[next] === 1 || heights[next] !== height) continue;
        drained[next] = 1;
        level.push(next);
      }
    }
  }
}
