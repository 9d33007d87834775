import { circleAt } from "./flow-accumulation.ts";
import { type Frame, flowSteps, NO_GROUND } from "./frame.ts";

/**
 * Label every cell with the number of the first labelled cell that its water comes to, itself included. In place.
 *
 * @param labels  Framed; above 0 at pour points, 0 elsewhere. Cells whose water comes to none stay 0.
 * @throws RangeError when water runs in a circle that no pour point is on.
 */
export function labelWatersheds(directions: Uint8Array, frame: Frame, labels: Int32Array): void {
  const steps = flowSteps(frame);
  const open = -1;
  const none = -2;
  for (let start = 0; start < directions.length; start++) {
    if (labels[start] !== 0 || directions[start] === NO_GROUND) continue;
    let cell = start;
    let label = none;
    for (;;) {
      labels[cell] = open;
      const step = steps[directions[cell]!]!;
      if (step === 0) break;
      cell += step;
      if (labels[cell] === open) throw circleAt(cell, frame);
      if (labels[cell] !== 0) {
        label = labels[cell]!;
        break;
      }
    }
    cell = start;
    while (labels[cell] === open) {
      labels[cell] = label;
      cell += steps[directions[cell]!]!;
    }
  }
  for (let cell = 0; cell < labels.length; cell++) if (labels[cell] === none) labels[cell] = 0;
}

/**
 * Number the basins: every cell gets the number of the cell where its water leaves the ground or ends in a pit, counted from
 * 1 in row order of those cells. Framed, 0 where there is no ground.
 *
 * @throws RangeError when water runs in a circle.
 */
export function labelBasins(directions: Uint8Array, frame: Frame): { labels: Int32Array; count: number } {
  const steps = flowSteps(frame);
  const labels = new Int32Array(directions.length);
  let count = 0;
  for (let cell = 0; cell < directions.length; cell++)
    if (directions[cell] !== NO_GROUND && steps[directions[cell]!] === 0) labels[cell] = ++count;
  labelWatersheds(directions, frame, labels);
  return { labels, count };
}
