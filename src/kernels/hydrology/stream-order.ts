import { walkDownstream } from "./flow-accumulation.ts";
import type { Frame } from "./frame.ts";

/**
 * Strahler order of every stream cell (Strahler 1957): 1 where no stream comes in; where streams come together the highest
 * of their orders, and one more when two or more have it. The cell of a confluence has the order of what leaves it.
 *
 * @param streams  Framed, 1 at stream cells, 0 elsewhere. A gap in a stream starts it anew at 1.
 * @returns framed, 0 where there is no stream.
 * @throws RangeError when water runs in a circle.
 */
export function strahlerOrder(directions: Uint8Array, frame: Frame, streams: Uint8Array): Uint8Array {
  // Until a cell has its turn: the highest order that came in. A cell has all its donors before it donates.
  const order = new Uint8Array(directions.length);
  const twice = new Uint8Array(directions.length);
  walkDownstream(
    directions,
    frame,
    (cell, to) => {
      const own = finish(cell);
      if (own > order[to]!) {
        order[to] = own;
        twice[to] = 0;
      } else if (own === order[to]) twice[to] = 1;
    },
    streams,
  );
  for (let cell = 0; cell < streams.length; cell++) if (streams[cell] !== 0) finish(cell);
  return order;

  function finish(cell: number): number {
    order[cell] = order[cell] === 0 ? 1 : order[cell]! + twice[cell]!;
    twice[cell] = 0;
    return order[cell]!;
  }
}
