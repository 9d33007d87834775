import { type GeometryColumn, POLYGON } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { makeValidRow } from "./make-valid.ts";
import { type FlatRings, fillRings } from "./overlay/fill.ts";
import type { FillRule } from "./overlay/select.ts";
import { ringArea } from "./region.ts";
import { side } from "./relate/side.ts";
import { type Member, rowMembers } from "./row-members.ts";
import { findInvalid } from "./validity.ts";

export interface BufferOptions {
  /** Segments of a quarter circle; default 8, at least 1. */
  readonly quadrantSegments?: number | undefined;
  /** How open lines end, and what points become: `"flat"` ends at the last point, and points become nothing. Default `"round"`. */
  readonly cap?: "round" | "flat" | "square" | undefined;
  /** Default `"round"`. */
  readonly join?: "round" | "mitre" | "bevel" | undefined;
  /** How far a mitre may reach from its corner, in distances; sharper corners are cut off there. Default 5. */
  readonly mitreLimit?: number | undefined;
}

/**
 * Append the buffer of a row: all that lies within `distance` (in units of the coordinates), as a valid polygon or
 * multipolygon. A negative distance takes off a border that wide from polygons. Null, empty and vanished rows give an empty
 * polygon. Invalid polygons are made valid first. Circles are drawn as polygons with vertices on the circle, so a
 * buffer is a little too small: by 0.64 % of the area of a circle with 8 segments to the quarter.
 *
 * Method: every ring is walked with its inside on the left, every line there and back, and drawn `distance` to the
 * right, round the corners and through the vertex where the curve turns inward. The winding number of that curve is at
 * least 1 in the buffer and 0 outside (it counts the pieces of the line within reach), so filling what it winds around
 * gives the buffer, however the curve crosses itself. Holes and shrinking shells are walked the other way round.
 *
 * Cost: that of uniting the curves; steep where the distance is much longer than the segments.
 */
export function bufferRow(
  column: GeometryColumn,
  row: number,
  distance: number,
  builder: GeometryBuilder,
  options: BufferOptions = {},
): void {
  const pen = new Pen(Math.abs(distance), options);
  const all = new Curves();
  if (Number.isFinite(distance)) {
    const valid = areasValid(column, row);
    for (const member of rowMembers(valid, valid === column ? row : 0)) {
      if (member.dimension === 2) bufferPolygons(valid, member, distance, pen, all);
      else if (distance <= 0) continue;
      else if (member.dimension === 1) bufferLines(valid, member, pen, all);
      else if (member.dimension === 0) bufferPoints(valid, member, pen, all);
    }
  }
  if (all.empty) {
    builder.begin(POLYGON);
    builder.end();
  } else fillRings(all.finish(), "positive", builder);
}

/** The column, or one row with its polygons made valid. */
function areasValid(column: GeometryColumn, row: number): GeometryColumn {
  const hasAreas = rowMembers(column, row).some(({ dimension }) => dimension === 2);
  if (!hasAreas || findInvalid(column, row) === null) return column;
  const builder = new GeometryBuilder();
  makeValidRow(column, row, builder, { keepCollapsed: true });
  return builder.finish();
}

function bufferPoints({ parts, rings, xy }: GeometryColumn, member: Member, pen: Pen, all: Curves): void {
  for (let v = rings[parts[member.first]!]!; v < rings[parts[member.end]!]!; v++)
    pen.dot(xy[2 * v]!, xy[2 * v + 1]!, all);
}

function bufferLines({ parts, rings, xy }: GeometryColumn, member: Member, pen: Pen, all: Curves): void {
  for (let r = parts[member.first]!; r < parts[member.end]!; r++) {
    const path = differentPoints(xy, rings[r]!, rings[r + 1]!);
    const count = path.length / 2;
    if (count === 0) continue;
    if (count === 1) {
      pen.dot(path[0]!, path[1]!, all);
      continue;
    }
    const closed = count > 3 && path[0] === path[2 * count - 2] && path[1] === path[2 * count - 1];
    if (closed && isSimpleRing(path)) {
      // A band along the ring: what lies around it less what lies deep inside.
      const ring = counterClockwise(path.subarray(0, 2 * count - 2));
      const outside = new Curves();
      pen.loop(ring, false, outside);
      const inside = erode(ring, pen);
      if (inside === null) all.append(outside.finish(), false);
      else {
        all.append(filled(outside, "positive"), false);
        all.append(inside, true);
      }
      continue;
    }
    const thereAndBack = new Float64Array(4 * count - 4);
    thereAndBack.set(path);
    for (let k = count - 2; k > 0; k--) {
      thereAndBack[2 * (2 * count - 2 - k)] = path[2 * k]!;
      thereAndBack[2 * (2 * count - 2 - k) + 1] = path[2 * k + 1]!;
    }
    if (pen.flat && !closed) {
      // A flat end cuts off what a short last segment would cover: it must not cut into others.
      const own = new Curves();
      pen.loop(thereAndBack, true, own);
      all.append(filled(own, "positive"), false);
    } else pen.loop(thereAndBack, !closed, all);
  }
}

function bufferPolygons(
  column: GeometryColumn,
  member: Member,
  distance: number,
  pen: Pen,
  all: Curves,
): void {
  const { parts, rings, xy } = column;
  for (let p = member.first; p < member.end; p++) {
    let shell: Float64Array | null = null;
    const holes: Float64Array[] = [];
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const path = differentPoints(xy, rings[r]!, rings[r + 1]!);
      if (path.length < 8) continue;
      const ring = counterClockwise(path.subarray(0, path.length - 2));
      if (shell === null) shell = ring;
      else holes.push(ring);
    }
    if (shell === null) continue;
    if (distance < 0) shrink(shell, holes, pen, all);
    else if (distance > 0) grow(shell, holes, pen, all);
    else {
      all.ring(shell, false);
      for (const hole of holes) all.ring(hole, true);
    }
  }
}

function grow(shell: Float64Array, holes: readonly Float64Array[], pen: Pen, all: Curves): void {
  const left: FlatRings[] = [];
  for (const hole of holes) {
    const rest = erode(hole, pen);
    if (rest !== null) left.push(rest);
  }
  if (left.length === 0) {
    pen.loop(shell, false, all);
    return;
  }
  const outside = new Curves();
  pen.loop(shell, false, outside);
  // Winding numbers of 0 and 1, so that a hole taken off leaves 0.
  all.append(filled(outside, "positive"), false);
  for (const hole of left) all.append(hole, true);
}

function shrink(shell: Float64Array, holes: readonly Float64Array[], pen: Pen, all: Curves): void {
  const rest = erode(shell, pen);
  if (rest === null) return;
  if (holes.length === 0) {
    all.append(rest, false);
    return;
  }
  const both = new Curves();
  both.append(rest, false);
  for (const hole of holes) {
    const grown = new Curves();
    pen.loop(hole, false, grown);
    both.append(grown.finish(), true);
  }
  all.append(filled(both, "positive"), false);
}

/** What of the inside of a counter-clockwise ring is farther from it than the distance; `null` for nothing. */
function erode(ring: Float64Array, pen: Pen): FlatRings | null {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let k = 0; k < ring.length; k += 2) {
    minX = Math.min(minX, ring[k]!);
    minY = Math.min(minY, ring[k + 1]!);
    maxX = Math.max(maxX, ring[k]!);
    maxY = Math.max(maxY, ring[k + 1]!);
  }
  // No circle of this radius fits into the ring. Rings that fit into the circle end here: the curve winds around their
  // middle as if a circle fitted.
  if (!(Math.min(maxX - minX, maxY - minY) > 2 * pen.distance)) return null;
  const backwards = new Float64Array(ring.length);
  for (let k = 0; k < ring.length; k += 2) {
    backwards[k] = ring[ring.length - 2 - k]!;
    backwards[k + 1] = ring[ring.length - 1 - k]!;
  }
  const curve = new Curves();
  pen.loop(backwards, false, curve);
  const rest = filled(curve, "negative");
  return rest.starts.length > 1 ? rest : null;
}

function filled(curves: Curves, rule: FillRule): FlatRings {
  const builder = new GeometryBuilder();
  fillRings(curves.finish(), rule, builder);
  const { xy, rings } = builder.finish();
  return { xy, starts: rings };
}

/** Vertices `start .. end - 1` without those equal to the one before. */
function differentPoints(xy: Float64Array, start: number, end: number): Float64Array {
  const path = new Float64Array(2 * (end - start));
  let n = 0;
  for (let v = start; v < end; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (n > 0 && path[n - 2] === x && path[n - 1] === y) continue;
    path[n++] = x;
    path[n++] = y;
  }
  return path.slice(0, n);
}

function isSimpleRing(path: Float64Array): boolean {
  const builder = new GeometryBuilder();
  builder.begin(POLYGON);
  builder.part();
  builder.ring();
  builder.vertices2d(path, 0, path.length / 2);
  builder.end();
  return findInvalid(builder.finish(), 0) === null;
}

/** An open ring, turned if it runs clockwise. */
function counterClockwise(ring: Float64Array): Float64Array {
  const closed = new Float64Array(ring.length + 2);
  closed.set(ring);
  closed[ring.length] = ring[0]!;
  closed[ring.length + 1] = ring[1]!;
  if (ringArea(closed, 0, closed.length / 2) >= 0) return ring;
  const turned = new Float64Array(ring.length);
  for (let k = 0; k < ring.length; k += 2) {
    turned[k] = ring[ring.length - 2 - k]!;
    turned[k + 1] = ring[ring.length - 1 - k]!;
  }
  return turned;
}

/** Closed curves, one after the other. */
class Curves {
  #xy = new Float64Array(256);
  #length = 0;
  readonly #starts: number[] = [0];

  get empty(): boolean {
    return this.#starts.length === 1;
  }

  point(x: number, y: number): void {
    if (this.#length === this.#xy.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#xy);
      this.#xy = grown;
    }
    this.#xy[this.#length++] = x;
    this.#xy[this.#length++] = y;
  }

  close(): void {
    this.#starts.push(this.#length / 2);
  }

  ring(ring: Float64Array, backwards: boolean): void {
    if (backwards) for (let k = ring.length - 2; k >= 0; k -= 2) this.point(ring[k]!, ring[k + 1]!);
    else for (let k = 0; k < ring.length; k += 2) this.point(ring[k]!, ring[k + 1]!);
    this.close();
  }

  append({ xy, starts }: FlatRings, backwards: boolean): void {
    for (let r = 0; r + 1 < starts.length; r++)
      this.ring(xy.subarray(2 * starts[r]!, 2 * starts[r + 1]!), backwards);
  }

  finish(): FlatRings {
    return { xy: this.#xy.subarray(0, this.#length), starts: this.#starts };
  }
}

/** Draws at a distance to the right of closed paths. */
class Pen {
  readonly distance: number;
  readonly flat: boolean;
  readonly #square: boolean;
  readonly #round: boolean;
  readonly #mitre: boolean;
  readonly #limit: number;
  readonly #quarter: number;

  constructor(distance: number, options: BufferOptions) {
    this.distance = distance;
    this.flat = options.cap === "flat";
    this.#square = options.cap === "square";
    this.#round = (options.join ?? "round") === "round";
    this.#mitre = options.join === "mitre";
    this.#limit = Math.max(1, options.mitreLimit ?? 5);
    this.#quarter = Math.max(1, Math.round(options.quadrantSegments ?? 8));
  }

  /** What a point becomes. */
  dot(x: number, y: number, out: Curves): void {
    const d = this.distance;
    if (this.flat) return;
    if (this.#square) {
      out.point(x + d, y + d);
      out.point(x - d, y + d);
      out.point(x - d, y - d);
      out.point(x + d, y - d);
    } else {
      const q = this.#quarter;
      for (let k = 0; k < 4 * q; k++) {
        // The same offsets in every quarter, so that circles are symmetric to the bit.
        const a = ((k % q) / q) * (Math.PI / 2);
        const c = d * Math.cos(a);
        const s = d * Math.sin(a);
        const quarter = Math.floor(k / q);
        out.point(
          x + (quarter === 0 ? c : quarter === 1 ? -s : quarter === 2 ? -c : s),
          y + (quarter === 0 ? s : quarter === 1 ? c : quarter === 2 ? -s : -c),
        );
      }
    }
    out.close();
  }

  /**
   * The curve to the right of a closed path `[x, y, ...]` (the last point joined to the first, no two neighbours equal).
   *
   * @param caps  Whether the path turns back at the ends of a line, which are drawn as the caps say.
   */
  loop(path: Float64Array, caps: boolean, out: Curves): void {
    const count = path.length / 2;
    const d = this.distance;
    for (let k = 0; k < count; k++) {
      const before = 2 * (k === 0 ? count - 1 : k - 1);
      const after = 2 * (k === count - 1 ? 0 : k + 1);
      const x = path[2 * k]!;
      const y = path[2 * k + 1]!;
      const ax = x - path[before]!;
      const ay = y - path[before + 1]!;
      const bx = path[after]! - x;
      const by = path[after + 1]! - y;
      const a = Math.hypot(ax, ay);
      const b = Math.hypot(bx, by);
      // Offsets to the right of the way in and the way out.
      const inX = (ay / a) * d;
      const inY = (-ax / a) * d;
      const outX = (by / b) * d;
      const outY = (-bx / b) * d;
      const turn = side(path[before]!, path[before + 1]!, x, y, path[after]!, path[after + 1]!);
      if (turn === 0) {
        if (ax * bx + ay * by > 0) out.point(x + inX, y + inY);
        else if (caps) this.#cap(x, y, inX, inY, out);
        else this.#arc(x, y, inX, inY, outX, outY, Math.PI, out);
      } else if (turn < 0) this.#inner(path, before, k, a, b, inX, inY, outX, outY, out);
      else if (this.#round) {
        const sine = inX * outY - inY * outX;
        this.#arc(x, y, inX, inY, outX, outY, Math.atan2(Math.abs(sine), inX * outX + inY * outY), out);
      } else if (this.#mitre) this.#corner(x, y, inX, inY, outX, outY, out);
      else {
        out.point(x + inX, y + inY);
        out.point(x + outX, y + outY);
      }
    }
    out.close();
  }

  /** Where the curve turns inward: the point where its two pieces cross, else through the vertex. */
  #inner(
    path: Float64Array,
    before: number,
    k: number,
    a: number,
    b: number,
    inX: number,
    inY: number,
    outX: number,
    outY: number,
    out: Curves,
  ): void {
    const x = path[2 * k]!;
    const y = path[2 * k + 1]!;
    const d2 = this.distance * this.distance;
    // The crossing lies this far back along both pieces: the tangent of half the turn times the distance.
    const cosine = (inX * outX + inY * outY) / d2;
    const back = this.distance * Math.sqrt(Math.max(0, (1 - cosine) / (1 + cosine)));
    // Within half of both, so that crossings at the two ends of a piece keep their order.
    if (2 * back < Math.min(a, b)) {
      out.point(x + inX - ((x - path[before]!) / a) * back, y + inY - ((y - path[before + 1]!) / a) * back);
      return;
    }
    out.point(x + inX, y + inY);
    out.point(x, y);
    out.point(x + outX, y + outY);
  }

  /** An arc counter-clockwise, of at most half a circle. */
  #arc(
    x: number,
    y: number,
    inX: number,
    inY: number,
    outX: number,
    outY: number,
    angle: number,
    out: Curves,
  ): void {
    const steps = Math.round((angle / (Math.PI / 2)) * this.#quarter);
    out.point(x + inX, y + inY);
    for (let k = 1; k < steps; k++) {
      const c = Math.cos((angle * k) / steps);
      const s = Math.sin((angle * k) / steps);
      out.point(x + inX * c - inY * s, y + inY * c + inX * s);
    }
    out.point(x + outX, y + outY);
  }

  #cap(x: number, y: number, inX: number, inY: number, out: Curves): void {
    if (this.flat) {
      out.point(x + inX, y + inY);
      out.point(x - inX, y - inY);
    } else if (this.#square) {
      // Onward is the offset turned a quarter to the left.
      out.point(x + inX - inY, y + inY + inX);
      out.point(x - inX - inY, y - inY + inX);
    } else this.#arc(x, y, inX, inY, -inX, -inY, Math.PI, out);
  }

  #corner(x: number, y: number, inX: number, inY: number, outX: number, outY: number, out: Curves): void {
    const d = this.distance;
    const cosine = (inX * outX + inY * outY) / (d * d);
    // From the vertex to the tip of the mitre, in distances: one over the cosine of half the turn.
    const reach = 1 / Math.sqrt(Math.max(0, (1 + cosine) / 2));
    if (reach <= this.#limit) {
      const scale = 1 / (1 + cosine);
      out.point(x + (inX + outX) * scale, y + (inY + outY) * scale);
      return;
    }
    // Cut off across the bisector at the limit: each piece goes on until there.
    const half = Math.sqrt(Math.max(0, (1 + cosine) / 2));
    const sine = Math.sqrt(Math.max(0, (1 - cosine) / 2));
    const onward = (this.#limit - half) / sine;
    out.point(x + inX - inY * onward, y + inY + inX * onward);
    out.point(x + outX + outY * onward, y + outY - outX * onward);
  }
}
