import { side } from "../noding/exact.ts";
import { intersectionPoint } from "../noding/intersection-point.ts";
import type { PreparedRegion } from "../region.ts";
import type { RingSet } from "./ring-set.ts";
import { insideRings } from "./simple-rings.ts";

/** `[minX, minY, maxX, maxY]` of a region that is one rectangle along the axes, `null` of any other. */
export function rectangleOf(region: PreparedRegion): [number, number, number, number] | null {
  const { edges, polygons, bounds } = region;
  if (polygons !== 1 || edges.length !== 16) return null;
  const [minX, minY, maxX, maxY] = bounds;
  for (let e = 0; e < 16; e += 4) {
    const upright = edges[e] === edges[e + 2];
    const level = edges[e + 1] === edges[e + 3];
    if (upright === level) return null;
    if (upright ? edges[e] !== minX && edges[e] !== maxX : edges[e + 1] !== minY && edges[e + 1] !== maxY)
      return null;
  }
  return minX! < maxX! && minY! < maxY! ? [minX!, minY!, maxX!, maxY!] : null;
}

/** What an item of the rectangle's outline is. */
const VERTEX = 0;
const STARTS = 1;
const ENDS = 2;

/**
 * Cuts polygons to a rectangle, touching ones and ones with edges along it among them. Rings are cut into the stretches
 * that run through the inside of the rectangle; their ends are put in order around the rectangle, and each end is led on
 * along the rectangle to the next start. So an edge along the rectangle is only ever in the result where there is
 * something beside it. Decisions are exact; new vertices on a side have the coordinate of that side. Vertices
 * of the polygon on the rectangle stay, also where it runs straight on.
 */
export class BoxCutter {
  readonly #minX: number;
  readonly #minY: number;
  readonly #maxX: number;
  readonly #maxY: number;

  /** Vertices of all stretches, and which vertex of a column each is. */
  #xy: number[] = [];
  #from: number[] = [];
  /** First vertex of each stretch, and the one after its last. */
  #starts: number[] = [];
  #ends: number[] = [];
  /** Around the rectangle: kind, stretch and the vertex at hand of each item. */
  #kind: number[] = [];
  #stretch: number[] = [];
  #vertex: number[] = [];
  readonly #at = new Float64Array(2);

  constructor([minX, minY, maxX, maxY]: readonly [number, number, number, number]) {
    this.#minX = minX;
    this.#minY = minY;
    this.#maxX = maxX;
    this.#maxY = maxY;
  }

  /**
   * Cut a polygon into `result`. It is given as rings with the inside on their left, the shell first, that do not meet.
   *
   * @returns false when the result would touch itself, or rounding would move something over a corner; nothing has been
   * added then
   */
  cut(polygon: RingSet, result: RingSet): boolean {
    const { xy, starts, count } = polygon;
    this.#xy.length = 0;
    this.#from.length = 0;
    this.#starts.length = 0;
    this.#ends.length = 0;
    this.#kind.length = 0;
    this.#stretch.length = 0;
    this.#vertex.length = 0;
    const before = result.count;
    for (let ring = 0; ring < count; ring++) if (!this.#cutRing(polygon, ring, result)) return undo();
    const stretches = this.#starts.length;
    if (stretches === 0) {
      // Nothing but whole rings runs through the inside: it is all inside or all outside of the shell.
      const x = this.#minX + (this.#maxX - this.#minX) / 2;
      const y = this.#minY + (this.#maxY - this.#minY) / 2;
      const covered = result.count > before || insideRings(xy, starts, 0, count, x, y);
      if (!covered) return true;
    }
    this.#addCorners();
    const order = this.#sorted();
    if (order === null || !this.#connect(order, stretches, result)) return undo();
    return result.arrange(before) || undo();

    function undo(): false {
      result.truncate(before);
      return false;
    }
  }

  /** Cut a ring into stretches; rings wholly inside go to the result. */
  #cutRing({ xy, from, starts }: RingSet, ring: number, result: RingSet): boolean {
    const first = starts[ring]!;
    const end = starts[ring + 1]!;
    let begin = -1;
    for (let v = first; v < end && begin === -1; v++)
      if (!this.#within(xy[2 * v]!, xy[2 * v + 1]!)) begin = v;
    if (begin === -1) {
      result.reserve(end - first);
      for (let v = first; v < end; v++) result.add(xy[2 * v]!, xy[2 * v + 1]!, from[v]!);
      return result.close();
    }
    let open = false;
    let v = begin;
    for (let k = first; k < end; k++) {
      const w = v + 1 === end ? first : v + 1;
      const ax = xy[2 * v]!;
      const ay = xy[2 * v + 1]!;
      const bx = xy[2 * w]!;
      const by = xy[2 * w + 1]!;
      if (!open && this.#on(ax, ay)) this.#item(VERTEX, -1, this.#push(ax, ay, from[v]!));
      if (this.#runsThrough(ax, ay, bx, by)) {
        if (!open) {
          if (!this.#enter(ax, ay, bx, by)) return false;
          const kept = this.#at[0] === ax && this.#at[1] === ay;
          this.#starts.push(this.#from.length);
          this.#item(
            STARTS,
            this.#starts.length - 1,
            this.#push(this.#at[0]!, this.#at[1]!, kept ? from[v]! : -1),
          );
          open = true;
        }
        if (this.#within(bx, by)) this.#push(bx, by, from[w]!);
        else {
          if (!this.#enter(bx, by, ax, ay)) return false;
          const kept = this.#at[0] === bx && this.#at[1] === by;
          this.#item(
            ENDS,
            this.#starts.length - 1,
            this.#push(this.#at[0]!, this.#at[1]!, kept ? from[w]! : -1),
          );
          this.#ends.push(this.#from.length);
          open = false;
        }
      }
      v = w;
    }
    return true;
  }

  #push(x: number, y: number, from: number): number {
    this.#xy.push(x, y);
    return this.#from.push(from) - 1;
  }

  #item(kind: number, stretch: number, vertex: number): void {
    this.#kind.push(kind);
    this.#stretch.push(stretch);
    this.#vertex.push(vertex);
  }

  #within(x: number, y: number): boolean {
    return x > this.#minX && x < this.#maxX && y > this.#minY && y < this.#maxY;
  }

  #on(x: number, y: number): boolean {
    return x >= this.#minX && x <= this.#maxX && y >= this.#minY && y <= this.#maxY && !this.#within(x, y);
  }

  /** Whether a segment has points strictly inside: no side, and not the segment itself, parts the two. */
  #runsThrough(ax: number, ay: number, bx: number, by: number): boolean {
    const minX = this.#minX;
    const minY = this.#minY;
    const maxX = this.#maxX;
    const maxY = this.#maxY;
    if ((ax <= minX && bx <= minX) || (ax >= maxX && bx >= maxX)) return false;
    if ((ay <= minY && by <= minY) || (ay >= maxY && by >= maxY)) return false;
    if (this.#within(ax, ay) || this.#within(bx, by)) return true;
    // Of the corners, two opposite ones are the first and last that a line of this direction meets.
    const rising = bx > ax === by > ay;
    const one = side(ax, ay, bx, by, minX, rising ? maxY : minY);
    const other = side(ax, ay, bx, by, maxX, rising ? minY : maxY);
    return (one > 0 && other < 0) || (one < 0 && other > 0);
  }

  /**
   * Where the segment from `a`, which is not strictly inside, comes in on its way to `b`. The segment runs through the
   * inside. False when rounding would move the place off its side.
   */
  #enter(ax: number, ay: number, bx: number, by: number): boolean {
    const sideX = ax < this.#minX ? this.#minX : ax > this.#maxX ? this.#maxX : Number.NaN;
    const sideY = ay < this.#minY ? this.#minY : ay > this.#maxY ? this.#maxY : Number.NaN;
    const at = this.#at;
    let upright = !Number.isNaN(sideX);
    if (!upright && Number.isNaN(sideY)) {
      at[0] = ax;
      at[1] = ay;
      return true;
    }
    if (upright && !Number.isNaN(sideY)) {
      const corner = side(ax, ay, bx, by, sideX, sideY);
      if (corner === 0) {
        at[0] = sideX;
        at[1] = sideY;
        return true;
      }
      // Positive is to the right of the way. From below on the left, with the corner on the right: in through the left side;
      // and so on, turned around.
      upright = corner > 0 === (ax < sideX === ay < sideY);
    }
    if (upright) intersectionPoint(ax, ay, bx, by, sideX, this.#minY, sideX, this.#maxY, at);
    else intersectionPoint(ax, ay, bx, by, this.#minX, sideY, this.#maxX, sideY, at);
    return upright ? at[1]! > this.#minY && at[1]! < this.#maxY : at[0]! > this.#minX && at[0]! < this.#maxX;
  }

  #addCorners(): void {
    this.#item(VERTEX, -1, this.#push(this.#minX, this.#minY, -1));
    this.#item(VERTEX, -1, this.#push(this.#maxX, this.#minY, -1));
    this.#item(VERTEX, -1, this.#push(this.#maxX, this.#maxY, -1));
    this.#item(VERTEX, -1, this.#push(this.#minX, this.#maxY, -1));
  }
  /** Numbers of the items in their order counter-clockwise around the rectangle; `null` when two cannot be told apart. */
  #sorted(): number[] | null {
    const sides = this.#vertex.map((vertex) =>
      this.#sideOf(this.#xy[2 * vertex]!, this.#xy[2 * vertex + 1]!),
    );
    const order = Array.from(sides, (_, i) => i);
    let same = false;
    order.sort((i, j) => {
      const side = sides[i]! - sides[j]!;
      if (side !== 0) return side;
      const x = this.#xy[2 * this.#vertex[i]!]! - this.#xy[2 * this.#vertex[j]!]!;
      const y = this.#xy[2 * this.#vertex[i]! + 1]! - this.#xy[2 * this.#vertex[j]! + 1]!;
      const onward = sides[i] === 0 ? x : sides[i] === 1 ? y : sides[i] === 2 ? -x : -y;
      if (onward !== 0) return onward;
      if (this.#kind[i] === VERTEX || this.#kind[j] === VERTEX) return this.#kind[i]! - this.#kind[j]!;
      // At one place: around it, against the clock along the rectangle is with the clock through its inside.
      const turn = this.#turn(i, j);
      if (turn === 0 && i !== j) same = true;
      return -turn;
    });
    return same ? null : order;
  }

  /** 0 below, 1 right, 2 above, 3 left; each side without its end. */
  #sideOf(x: number, y: number): number {
    if (y === this.#minY && x < this.#maxX) return 0;
    if (x === this.#maxX && y < this.#maxY) return 1;
    return y === this.#maxY && x > this.#minX ? 2 : 3;
  }

  /** Of two stretches that begin or end at one place: positive when the second runs to the right of the first. */
  #turn(i: number, j: number): number {
    const p = 2 * this.#vertex[i]!;
    const a = p + (this.#kind[i] === STARTS ? 2 : -2);
    const b = 2 * this.#vertex[j]! + (this.#kind[j] === STARTS ? 2 : -2);
    const xy = this.#xy;
    return side(xy[p]!, xy[p + 1]!, xy[a]!, xy[a + 1]!, xy[b]!, xy[b + 1]!);
  }

  /** Lead every end on to the next start around the rectangle; false when another end comes first. */
  #connect(order: readonly number[], stretches: number, result: RingSet): boolean {
    const places = order.length;
    if (stretches === 0) {
      for (const item of order) this.#put(this.#vertex[item]!, result);
      return result.close();
    }
    const endAt = new Int32Array(stretches);
    for (const [place, item] of order.entries()) {
      if (this.#kind[item] === ENDS) endAt[this.#stretch[item]!] = place;
    }
    const done = new Uint8Array(stretches);
    for (let start = 0; start < stretches; start++) {
      let stretch = start;
      if (done[start] === 1) continue;
      do {
        if (done[stretch] === 1) return false;
        done[stretch] = 1;
        for (let v = this.#starts[stretch]!; v < this.#ends[stretch]!; v++) this.#put(v, result);
        let place = endAt[stretch]!;
        let item = 0;
        do {
          place = place + 1 === places ? 0 : place + 1;
          item = order[place]!;
          if (this.#kind[item] === VERTEX) this.#put(this.#vertex[item]!, result);
        } while (this.#kind[item] === VERTEX);
        if (this.#kind[item] === ENDS) return false;
        stretch = this.#stretch[item]!;
      } while (stretch !== start);
      if (!result.close()) return false;
    }
    return true;
  }

  #put(vertex: number, result: RingSet): void {
    result.addNew(this.#xy[2 * vertex]!, this.#xy[2 * vertex + 1]!, this.#from[vertex]!);
  }
}
