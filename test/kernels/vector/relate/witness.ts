import { type GeometryColumn, memberPartsEnd, typeDimension } from "../../../../src/model/geometry.ts";

/**
 * DE-9IM by definition, for small geometries: cut all edges at all meetings in fractions of big integers, and ask for a point of
 * every piece, of both sides of it and of every meeting where it lies. Slow, and unlike the kernel in every step: no
 * orientation tests, no turning around nodes, no state along a path. Polygons that are each valid.
 */
export function relateByDefinition(a: GeometryColumn, rowA: number, b: GeometryColumn, rowB: number): string {
  const left = membersOf(a, rowA);
  const right = membersOf(b, rowB);
  const points = [...left.points, ...right.points];
  const pieces = cut([...left.segments, ...right.segments], points);
  const matrix = new Array<number>(9).fill(-1);
  matrix[8] = 2;
  const state = (dimension: number, inA: number, inB: number): void => {
    matrix[3 * inA + inB] = Math.max(matrix[3 * inA + inB]!, dimension);
  };
  const nodes = new Map<string, { at: Point; beside: Point[] }>();
  for (const { from, to, middle, beside } of pieces) {
    for (const side of beside) state(2, place(left, side, [], true), place(right, side, [], true));
    state(1, place(left, middle, beside, true), place(right, middle, beside, true));
    for (const at of [from, to]) {
      const node = nodes.get(name(at)) ?? { at, beside: [] };
      node.beside.push(...beside);
      nodes.set(name(at), node);
    }
  }
  for (const at of points) if (!nodes.has(name(at))) nodes.set(name(at), { at, beside: [] });
  for (const { at, beside } of nodes.values()) state(0, place(left, at, beside), place(right, at, beside));
  return matrix.map((dimension) => (dimension < 0 ? "F" : String(dimension))).join("");
}

/** x = px / d, y = py / d, d > 0. */
interface Point {
  readonly px: bigint;
  readonly py: bigint;
  readonly d: bigint;
}
type Segment = readonly [Point, Point];

interface Members {
  readonly points: Point[];
  /** Edges of lines. */
  readonly lines: Segment[];
  /** Edges of each polygonal member. */
  readonly areas: Segment[][];
  readonly segments: Segment[];
  /** How many lines end at a point, by its name. */
  readonly ends: Map<string, number>;
}

function point(px: bigint, py: bigint, d: bigint): Point {
  const common = gcd(gcd(px, py), d);
  const by = d < 0n ? -common : common;
  return { px: px / by, py: py / by, d: d / by };
}

function gcd(p: bigint, q: bigint): bigint {
  let a = p < 0n ? -p : p;
  for (let b = q < 0n ? -q : q; b !== 0n; ) [a, b] = [b, a % b];
  return a;
}

function name({ px, py, d }: Point): string {
  return `${px}/${d} ${py}/${d}`;
}

/** Coordinates must be integers. */
function membersOf(column: GeometryColumn, row: number): Members {
  const { types, geometries, parts, rings, xy, collections } = column;
  const members: Members = { points: [], lines: [], areas: [], segments: [], ends: new Map() };
  const add = (type: number, first: number, end: number): void => {
    const area: Segment[] = [];
    for (let p = first; p < end; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const ring: Point[] = [];
        for (let v = rings[r]!; v < rings[r + 1]!; v++)
          ring.push({ px: BigInt(xy[2 * v]!), py: BigInt(xy[2 * v + 1]!), d: 1n });
        const edges: Segment[] = [];
        for (let k = 1; k < ring.length; k++)
          if (name(ring[k - 1]!) !== name(ring[k]!)) edges.push([ring[k - 1]!, ring[k]!]);
        if (edges.length === 0) members.points.push(...ring);
        else if (typeDimension(type) === 2) area.push(...edges);
        else {
          members.lines.push(...edges);
          for (const at of [ring[0]!, ring.at(-1)!])
            members.ends.set(name(at), (members.ends.get(name(at)) ?? 0) + 1);
        }
      }
    }
    if (area.length > 0) members.areas.push(area);
  };
  if (collections === null || collections.rows[row] === collections.rows[row + 1])
    add(types[row]!, geometries[row]!, geometries[row + 1]!);
  else {
    for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++)
      add(collections.types[k]!, collections.members[k]!, memberPartsEnd(column, row, k));
  }
  members.segments.push(...members.lines, ...members.areas.flat());
  return members;
}

interface Piece {
  readonly from: Point;
  readonly to: Point;
  readonly middle: Point;
  /** A point on each side, with nothing in between. */
  readonly beside: Point[];
}

function cut(segments: readonly Segment[], points: readonly Point[]): Piece[] {
  const pieces: Piece[] = [];
  for (const segment of segments) {
    const on = new Map<string, Point>();
    for (const at of points) if (holds(segment, at)) on.set(name(at), at);
    for (const other of segments) {
      for (const at of meetings(segment, other)) on.set(name(at), at);
    }
    const order = [...on.values()].sort((p, q) => {
      const t = along(segment, p) * q.d - along(segment, q) * p.d;
      return t < 0n ? -1 : t > 0n ? 1 : 0;
    });
    for (let k = 1; k < order.length; k++) {
      const from = order[k - 1]!;
      const to = order[k]!;
      const middle = between(from, to);
      pieces.push({
        from,
        to,
        middle,
        beside: [1n, -1n].map((turn) => aside(segments, segment, middle, turn)),
      });
    }
  }
  return pieces;
}

function between(p: Point, q: Point): Point {
  return point(p.px * q.d + q.px * p.d, p.py * q.d + q.py * p.d, 2n * p.d * q.d);
}

/** How far along a segment, times the denominator of the point. */
function along([a, b]: Segment, p: Point): bigint {
  const x = b.px * a.d - a.px * b.d;
  const y = b.py * a.d - a.py * b.d;
  return x * (p.px * a.d - a.px * p.d) + y * (p.py * a.d - a.py * p.d);
}

/** Twice the area of three points, times their denominators. */
function twice(a: Point, b: Point, c: Point): bigint {
  return (
    (b.px * a.d - a.px * b.d) * (c.py * a.d - a.py * c.d) -
    (b.py * a.d - a.py * b.d) * (c.px * a.d - a.px * c.d)
  );
}

function holds(segment: Segment, p: Point): boolean {
  const [a, b] = segment;
  if (twice(a, b, p) !== 0n) return false;
  const end = along(segment, b) * p.d;
  const t = along(segment, p) * b.d;
  return t >= 0n && t <= end;
}

/** Ends of either on the other, or where their lines cross if both hold that. */
function meetings(s: Segment, t: Segment): Point[] {
  const found = [...s, ...t].filter((p) => holds(s, p) && holds(t, p));
  const crossing = found.length > 0 ? null : crossingOf(s[0], s[1], t);
  if (crossing !== null && holds(s, crossing)) found.push(crossing);
  return found;
}

/** Where the line through a and b meets a segment that it is not parallel to. */
function crossingOf(a: Point, b: Point, t: Segment): Point | null {
  const m = twice(a, b, t[0]) * t[1].d;
  const n = twice(a, b, t[1]) * t[0].d;
  if (m === n || (m > 0n && n > 0n) || (m < 0n && n < 0n)) return null;
  // t0 + (t1 - t0) m / (m - n)
  const d = t[0].d * t[1].d * (m - n);
  const px = t[0].px * t[1].d * -n + t[1].px * t[0].d * m;
  const py = t[0].py * t[1].d * -n + t[1].py * t[0].d * m;
  return point(px, py, d);
}

/** From a point of a segment straight to one side, half the way to the next segment. */
function aside(segments: readonly Segment[], [a, b]: Segment, from: Point, turn: bigint): Point {
  const x = -(b.py * a.d - a.py * b.d) * turn;
  const y = (b.px * a.d - a.px * b.d) * turn;
  let to = point(from.px + x * from.d, from.py + y * from.d, from.d);
  for (const segment of segments) {
    const ray: Segment = [from, to];
    const hits = segment.filter((p) => holds(ray, p));
    const crossing = crossingOf(from, to, segment);
    if (crossing !== null && holds(ray, crossing)) hits.push(crossing);
    for (const hit of hits) if (name(hit) !== name(from) && holds([from, to], hit)) to = hit;
  }
  return between(from, to);
}

/** 0 interior, 1 boundary, 2 exterior, of a point and points of all faces around it. */
function place(members: Members, at: Point, around: readonly Point[], piece = false): number {
  const { areas, lines, points, ends } = members;
  if (areas.some((area) => inside(area, at))) return 0;
  if (areas.some((area) => area.some((edge) => holds(edge, at))))
    return around.every((p) => areas.some((area) => inside(area, p))) ? 0 : 1;
  if (lines.some((edge) => holds(edge, at))) return !piece && (ends.get(name(at)) ?? 0) % 2 === 1 ? 1 : 0;
  // Single points do not change what a piece or a side of it is.
  return !piece && points.some((p) => name(p) === name(at)) ? 0 : 2;
}

/** Strictly, by the even-odd rule. */
function inside(area: readonly Segment[], p: Point): boolean {
  let odd = false;
  for (const edge of area) {
    if (holds(edge, p)) return false;
    const [a, b] = edge;
    const upA = a.py * p.d > p.py * a.d;
    const upB = b.py * p.d > p.py * b.d;
    if (upA !== upB && twice(a, b, p) > 0n === upB) odd = !odd;
  }
  return odd;
}
