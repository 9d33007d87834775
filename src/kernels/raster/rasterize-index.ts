import Flatbush from "flatbush";
import type { Window } from "../../model/grid.ts";
import type { PreparedShapes } from "./shapes.ts";

/** Features below this number are looked at one after the other, which is as fast. */
const FEW = 64;

/**
 * Finds the features whose bounds meet a window, in their order, for `scanRuns`: a layer of a hundred thousand features
 * must not be walked for every tile. `undefined`: look at all of them.
 */
export function shapeIndex(shapes: PreparedShapes): (window: Window) => ArrayLike<number> | undefined {
  const { bounds, count, width, height } = shapes;
  if (count < FEW) return () => undefined;
  const meeting: number[] = [];
  for (let f = 0; f < count; f++) {
    if (
      bounds[4 * f]! <= width &&
      bounds[4 * f + 1]! <= height &&
      bounds[4 * f + 2]! >= 0 &&
      bounds[4 * f + 3]! >= 0
    )
      meeting.push(f);
  }
  if (meeting.length === 0) return () => meeting;
  const index = new Flatbush(meeting.length);
  for (const f of meeting) {
    // Cut to the grid and a little more: the order of the index suffers from boxes that reach to infinity.
    index.add(
      Math.max(bounds[4 * f]!, -1),
      Math.max(bounds[4 * f + 1]!, -1),
      Math.min(bounds[4 * f + 2]!, width + 1),
      Math.min(bounds[4 * f + 3]!, height + 1),
    );
  }
  index.finish();
  return ({ col, row, width: across, height: down }) => {
    const found = Int32Array.from(index.search(col, row, col + across, row + down)).sort();
    for (let k = 0; k < found.length; k++) found[k] = meeting[found[k]!]!;
    return found;
  };
}
