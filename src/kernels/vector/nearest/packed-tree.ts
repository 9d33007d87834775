/** Children of a node; measured, 8 needs the fewest box tests for one nearest neighbour. */
export const FANOUT = 8;

/**
 * Boxes over boxes that are already in a good order: eight neighbours make a parent, and so on to one root. No
 * pointers: children of node `k` of a level start at `8 k` of the level below.
 */
export interface PackedTree {
  /** Leaves. */
  readonly count: number;
  /** `[minX, minY, maxX, maxY]` each, leaves first, the root last. */
  readonly boxes: Float64Array;
  /** First node of each level, leaves first, then the number of all nodes. */
  readonly levels: Int32Array;
}

/** A tree over `count` leaves; `fill(boxes)` writes their boxes into the front of the array. */
export function packTree(count: number, fill: (boxes: Float64Array) => void): PackedTree {
  const starts: number[] = [];
  let nodes = 0;
  for (let n = count; ; n = Math.ceil(n / FANOUT)) {
    starts.push(nodes);
    nodes += n;
    if (n <= 1) break;
  }
  starts.push(nodes);
  const boxes = new Float64Array(4 * nodes);
  fill(boxes);
  for (let level = 1; level + 1 < starts.length; level++) {
    let to = starts[level]!;
    const end = starts[level]!;
    for (let first = starts[level - 1]!; first < end; first += FANOUT) {
      let minX = Infinity;
      let minY = Infinity;
      let maxX = -Infinity;
      let maxY = -Infinity;
      const last = Math.min(first + FANOUT, end);
      for (let k = first; k < last; k++) {
        if (boxes[4 * k]! < minX) minX = boxes[4 * k]!;
        if (boxes[4 * k + 1]! < minY) minY = boxes[4 * k + 1]!;
        if (boxes[4 * k + 2]! > maxX) maxX = boxes[4 * k + 2]!;
        if (boxes[4 * k + 3]! > maxY) maxY = boxes[4 * k + 3]!;
      }
      boxes[4 * to] = minX;
      boxes[4 * to + 1] = minY;
      boxes[4 * to + 2] = maxX;
      boxes[4 * to + 3] = maxY;
      to++;
    }
  }
  return { count, boxes, levels: Int32Array.from(starts) };
}

/** Leaves whose box meets the given one (touching counts), in `out` in ascending order of leaves. Returns how many. */
export function searchTree(
  tree: PackedTree,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  out: number[],
): number {
  out.length = 0;
  const { boxes, levels, count } = tree;
  if (count === 0) return 0;
  const top = levels.length - 2;
  const stack: number[] = [levels[top]!, top];
  while (stack.length > 0) {
    const level = stack.pop()!;
    const node = stack.pop()!;
    if (
      !(boxes[4 * node]! <= maxX) ||
      !(boxes[4 * node + 1]! <= maxY) ||
      !(boxes[4 * node + 2]! >= minX) ||
      !(boxes[4 * node + 3]! >= minY)
    )
      continue;
    if (level === 0) {
      out.push(node);
      continue;
    }
    const first = levels[level - 1]! + (node - levels[level]!) * FANOUT;
    for (let child = Math.min(first + FANOUT, levels[level]!) - 1; child >= first; child--)
      stack.push(child, level - 1);
  }
  return out.length;
}
