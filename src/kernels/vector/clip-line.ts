import type { GeometryColumn } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { type Cuts, cutSegment } from "./cut-segment.ts";
import { locate, OUTSIDE, type PreparedRegion } from "./region.ts";

/** Parts of one line inside a region, before they are written. Flat; reused from line to line. */
export interface LinePieces {
  /** Vertices `[x, y, z, m]` each of all pieces. */
  readonly vertices: number[];
  /** First vertex of each piece. */
  readonly starts: number[];
  /** Points `[x, y, z, m]` where the line only touches the region. */
  readonly touches: number[];
  /** True when all of the line is inside or on the boundary. */
  whole: boolean;
  /** True when some of it is met at all. */
  met: boolean;
}

export function newLinePieces(): LinePieces {
  return { vertices: [], starts: [], touches: [], whole: false, met: false };
}

/**
 * The parts of line `start .. end - 1` that lie inside a region or on its boundary. Vertices of the line keep
 * their bits; new ones are made only where the line leaves or enters, with height and measure interpolated
 * along the segment. Pieces that meet at a vertex are one piece.
 */
export function clipLine(
  column: GeometryColumn,
  start: number,
  end: number,
  region: PreparedRegion,
  cuts: Cuts,
  out: LinePieces,
): void {
  const { xy, z, m } = column;
  const { vertices, starts, touches } = out;
  vertices.length = 0;
  starts.length = 0;
  touches.length = 0;
  out.whole = true;
  out.met = false;
  let state: number | null = null;
  let open = false;
  if (end - start === 1) {
    if (locate(region, xy[2 * start]!, xy[2 * start + 1]!) === OUTSIDE) out.whole = false;
    else out.met = true;
    return;
  }
  for (let v = start; v + 1 < end; v++) {
    cutSegment(region, xy[2 * v]!, xy[2 * v + 1]!, xy[2 * v + 2]!, xy[2 * v + 3]!, state, cuts);
    for (let k = 0; k + 1 < cuts.count; k++) {
      if (cuts.state[k]! === OUTSIDE) {
        out.whole = false;
        // The end of an outer piece, met by the boundary and not followed by an inner one, is a touch.
        if (!open && k > 0) touch(v, k);
        open = false;
        continue;
      }
      out.met = true;
      if (!open) {
        starts.push(vertices.length / 4);
        add(v, k);
        open = true;
      }
      // A cut between two inner pieces is no vertex of the result.
      if (k + 2 === cuts.count || cuts.state[k + 1]! === OUTSIDE) add(v, k + 1);
    }
    // Past a vertex that no boundary meets the next segment starts where this one ended.
    state = cuts.state[cuts.count - 2]!;
    if (
      state === OUTSIDE &&
      cuts.met &&
      !out.met &&
      locate(region, xy[2 * v + 2]!, xy[2 * v + 3]!) !== OUTSIDE
    )
      touch(v, cuts.count - 1);
    if (
      v === start &&
      cuts.state[0] === OUTSIDE &&
      cuts.met &&
      locate(region, xy[2 * v]!, xy[2 * v + 1]!) !== OUTSIDE
    )
      touch(v, 0);
  }
  if (touches.length > 0) out.met = true;

  function add(v: number, k: number): void {
    put(vertices, v, k);
  }

  function touch(v: number, k: number): void {
    const last = touches.length - 4;
    if (last >= 0 && touches[last] === cuts.x[k] && touches[last + 1] === cuts.y[k]) return;
    put(touches, v, k);
  }

  function put(to: number[], v: number, k: number): void {
    const t = cuts.t[k]!;
    to.push(cuts.x[k]!, cuts.y[k]!, between(z, v, t), between(m, v, t));
  }
}

/** Value at `t` between vertex `v` and the next. */
function between(values: Float64Array | null, v: number, t: number): number {
  if (values === null) return Number.NaN;
  if (t === 0) return values[v]!;
  if (t === 1) return values[v + 1]!;
  return values[v]! + t * (values[v + 1]! - values[v]!);
}

/** Write the pieces as parts of the row that is open. */
export function writePieces({ vertices, starts }: LinePieces, builder: GeometryBuilder): number {
  let written = 0;
  for (let piece = 0; piece < starts.length; piece++) {
    const end = piece + 1 < starts.length ? starts[piece + 1]! : vertices.length / 4;
    builder.part();
    for (let v = starts[piece]!; v < end; v++) {
      const at = 4 * v;
      builder.vertex(vertices[at]!, vertices[at + 1]!, vertices[at + 2]!, vertices[at + 3]!);
    }
    written++;
  }
  return written;
}
