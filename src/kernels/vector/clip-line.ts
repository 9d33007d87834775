import type { GeometryColumn } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { stateOfBox } from "./clip/grid.ts";
import { between } from "./clip/ring-set.ts";
import { type Cuts, cutSegment } from "./cut-segment.ts";
import { locate, OUTSIDE, type PreparedRegion } from "./region.ts";

/** Parts of one line inside a region, before they are written. Flat; reused from line to line. */
export interface LinePieces {
  /** Vertices `[x, y, z, m]` each of all pieces; the first `count` are of the last line. */
  vertices: Float64Array;
  count: number;
  /** First vertex of each piece; the first `pieces` are of the last line. */
  starts: Int32Array;
  pieces: number;
  /** Points `[x, y, z, m]` where the line only touches the region. */
  readonly touches: number[];
  /** True when all of the line is inside or on the boundary. */
  whole: boolean;
  /** True when some of it is met at all. */
  met: boolean;
}

export function newLinePieces(): LinePieces {
  return {
    vertices: new Float64Array(1024),
    count: 0,
    starts: new Int32Array(16),
    pieces: 0,
    touches: [],
    whole: false,
    met: false,
  };
}

/**
 * The parts of line `start .. end - 1` that lie inside a region or on its boundary. Vertices of the line keep
 * their bits; new ones are made only where the line leaves or enters, with height and measure interpolated
 * along the segment. Pieces that meet at a vertex are one piece. Segments away from the outline are settled by
 * the region's grid, when it has been drawn.
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
  const { grid } = region;
  out.count = 0;
  out.pieces = 0;
  out.touches.length = 0;
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
    const ax = xy[2 * v]!;
    const ay = xy[2 * v + 1]!;
    const bx = xy[2 * v + 2]!;
    const by = xy[2 * v + 3]!;
    if (grid !== null) {
      const settled = stateOfBox(
        grid,
        ax < bx ? ax : bx,
        ay < by ? ay : by,
        ax < bx ? bx : ax,
        ay < by ? by : ay,
      );
      if (settled !== 0) {
        state = settled;
        if (settled === OUTSIDE) {
          out.whole = false;
          open = false;
          continue;
        }
        out.met = true;
        if (!open) begin(out);
        if (!open) put(out, ax, ay, z === null ? Number.NaN : z[v]!, m === null ? Number.NaN : m[v]!);
        open = true;
        put(out, bx, by, z === null ? Number.NaN : z[v + 1]!, m === null ? Number.NaN : m[v + 1]!);
        continue;
      }
    }
    cutSegment(region, ax, ay, bx, by, state, cuts);
    for (let k = 0; k + 1 < cuts.count; k++) {
      if (cuts.state[k]! === OUTSIDE) {
        out.whole = false;
        // The end of an outer piece, met by the boundary and not followed by an inner one, is a touch.
        if (!open && k > 0) touch(out, cuts, k, z, m, v);
        open = false;
        continue;
      }
      out.met = true;
      if (!open) {
        begin(out);
        putCut(out, cuts, k, z, m, v);
        open = true;
      }
      // A cut between two inner pieces is no vertex of the result.
      if (k + 2 === cuts.count || cuts.state[k + 1]! === OUTSIDE) putCut(out, cuts, k + 1, z, m, v);
    }
    // Past a vertex that no boundary meets the next segment starts where this one ended.
    state = cuts.state[cuts.count - 2]!;
    if (state === OUTSIDE && cuts.met && !out.met && locate(region, bx, by) !== OUTSIDE)
      touch(out, cuts, cuts.count - 1, z, m, v);
    if (v === start && cuts.state[0] === OUTSIDE && cuts.met && locate(region, ax, ay) !== OUTSIDE)
      touch(out, cuts, 0, z, m, v);
  }
  if (out.touches.length > 0) out.met = true;
}

function begin(out: LinePieces): void {
  if (out.pieces === out.starts.length) {
    const starts = new Int32Array(2 * out.pieces);
    starts.set(out.starts);
    out.starts = starts;
  }
  out.starts[out.pieces++] = out.count;
}

function put(out: LinePieces, x: number, y: number, z: number, m: number): void {
  const at = 4 * out.count++;
  if (at === out.vertices.length) {
    const vertices = new Float64Array(2 * at);
    vertices.set(out.vertices);
    out.vertices = vertices;
  }
  const { vertices } = out;
  vertices[at] = x;
  vertices[at + 1] = y;
  vertices[at + 2] = z;
  vertices[at + 3] = m;
}

function putCut(
  out: LinePieces,
  { x, y, t }: Cuts,
  k: number,
  z: Float64Array | null,
  m: Float64Array | null,
  v: number,
): void {
  put(out, x[k]!, y[k]!, between(z, v, t[k]!), between(m, v, t[k]!));
}

function touch(
  { touches }: LinePieces,
  { x, y, t }: Cuts,
  k: number,
  z: Float64Array | null,
  m: Float64Array | null,
  v: number,
): void {
  const last = touches.length - 4;
  if (last >= 0 && touches[last] === x[k] && touches[last + 1] === y[k]) return;
  touches.push(x[k]!, y[k]!, between(z, v, t[k]!), between(m, v, t[k]!));
}

/** Vertices `[x, y, z, m]` each of one piece. */
export function pieceOf({ vertices, starts, pieces, count }: LinePieces, piece: number): Float64Array {
  return vertices.subarray(4 * starts[piece]!, 4 * (piece + 1 < pieces ? starts[piece + 1]! : count));
}

/** Write the pieces as parts of the row that is open. Returns how many there are. */
export function writePieces(line: LinePieces, builder: GeometryBuilder): number {
  const { vertices, starts, pieces, count } = line;
  for (let piece = 0; piece < pieces; piece++) {
    const end = piece + 1 < pieces ? starts[piece + 1]! : count;
    builder.part();
    for (let v = starts[piece]!; v < end; v++) {
      const at = 4 * v;
      builder.vertex(vertices[at]!, vertices[at + 1]!, vertices[at + 2]!, vertices[at + 3]!);
    }
  }
  return pieces;
}
