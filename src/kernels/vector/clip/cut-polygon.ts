import type { GeometryColumn } from "../../../model/geometry.ts";
import { searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";
import { intersectionPoint } from "../noding/intersection-point.ts";
import { BOUNDARY, gridOf, INSIDE, locate, type PreparedRegion } from "../region.ts";
import { stateOfBox } from "./grid.ts";
import { isOutline, type Outline, outlineOf } from "./outline.ts";
import { RingSet } from "./ring-set.ts";
import { insideRings, ringsMeet } from "./simple-rings.ts";

/**
 * What {@link PolygonCutter.cut} found.
 *
 * - `"outside"`: nothing of the polygon lies in the region.
 * - `"inside"`: all of it does.
 * - `"cut"`: the result has been added to {@link PolygonCutter.result}.
 * - `"special"`: outlines touch, run along each other, or are not those of valid polygons; a general overlay is needed.
 */
export type CutOutcome = "outside" | "inside" | "cut" | "special";

/** Crossings on one edge nearer to each other than this share of it are not put in order, but called special. */
const APART = 1e-9;

/**
 * Cuts polygons by a region in the usual case, where their outlines only cross each other, by following them: along
 * the polygon while it runs inside the region, along the region while it runs inside the polygon (Weiler and Atherton).
 * Which edges cross, and from which side, is decided exactly; the way is followed only when all fits, and
 * the rings found are checked exactly once they are rounded. Whatever does not fit is left to an overlay. Serves one region;
 * keeps its arrays from polygon to polygon.
 */
export class PolygonCutter {
  readonly region: PreparedRegion;
  /** Rings of what was cut, added to until the caller empties it. */
  readonly result: RingSet = new RingSet();
  readonly #outline: Outline;

  // The polygon: rings without the repeated last vertex and without repeated ones, the inside on the left.
  readonly polygon: RingSet = new RingSet();
  /** Whether {@link polygon} holds all rings of the last polygon: false when one is open, has no area or a vertex that is no number. */
  loaded = false;
  /** Whether the rings of the last polygon are known to be valid. */
  simple = false;
  /** Of each ring: number of its first crossing in the order of the ring, and after the last ring their count. */
  #ringCrossings = new Int32Array(8);
  #ringInside = new Uint8Array(8);
  #minX = 0;
  #minY = 0;
  #maxX = 0;
  #maxY = 0;

  // Crossings, ring by ring, along each.
  #count = 0;
  /** Vertex of the polygon that the crossed edge starts at. */
  #vertex = new Int32Array(32);
  #along = new Float64Array(32);
  /** Edge of the region, and how far along it. */
  #edge = new Int32Array(32);
  #across = new Float64Array(32);
  #x = new Float64Array(32);
  #y = new Float64Array(32);
  /** 1 where the polygon enters the region. */
  #enters = new Uint8Array(32);
  /** 1 where rounding may have moved a place along an edge by more than a tenth of {@link APART}. */
  #rough = new Uint8Array(32);
  /** Next crossing along the region's edge; -1 for none. */
  #further = new Int32Array(32);
  #done = new Uint8Array(32);
  /** First crossing along each edge of the region; -1 for none. */
  readonly #head: Int32Array;
  readonly #point = new Float64Array(2);

  constructor(region: PreparedRegion) {
    this.region = region;
    gridOf(region);
    this.#outline = outlineOf(region);
    this.#head = new Int32Array(region.owner.length).fill(-1);
  }

  cut(column: GeometryColumn, part: number): CutOutcome {
    const { region } = this;
    this.simple = false;
    this.loaded = this.#load(column, part);
    if (!this.loaded) return "special";
    if (region.tangled || !this.#findCrossings()) return this.#special();
    const polygon = this.polygon;
    const rings = polygon.count;
    for (let ring = 0; ring < rings; ring++) if (!this.#judgeRing(ring)) return this.#special();
    const loops = this.#loopsWithin();
    if (this.#count === 0 && loops === 0) {
      // A ring elsewhere than the shell is no hole of it.
      for (let ring = 1; ring < rings; ring++)
        if (this.#ringInside[ring] !== this.#ringInside[0]) return this.#special();
      return this.#ringInside[0] === 1 ? "inside" : "outside";
    }
    this.simple = this.#isSimple();
    if (!this.simple) return "special";
    const before = this.result.count;
    const fits = this.#follow(before) && this.#addWhole(loops) && this.result.arrange(before);
    if (this.#count > 0) for (let c = 0; c < this.#count; c++) this.#head[this.#edge[c]!] = -1;
    if (!fits) {
      this.result.truncate(before);
      return "special";
    }
    return this.result.count === before ? "outside" : "cut";
  }

  #special(): "special" {
    this.simple = this.#isSimple();
    return "special";
  }

  #isSimple(): boolean {
    const { xy, starts, count } = this.polygon;
    return !ringsMeet(xy, starts, 0, count) && this.#holesFit();
  }

  /** Take the rings of a part; false when they are not fit to be followed. */
  #load(column: GeometryColumn, part: number): boolean {
    const { parts, rings, xy } = column;
    const polygon = this.polygon;
    polygon.clear();
    const firstRing = parts[part]!;
    const lastRing = parts[part + 1]!;
    if (lastRing - firstRing >= this.#ringInside.length) {
      this.#ringCrossings = new Int32Array(2 * (lastRing - firstRing) + 1);
      this.#ringInside = new Uint8Array(2 * (lastRing - firstRing));
    }
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let ring = firstRing; ring < lastRing; ring++) {
      const start = rings[ring]!;
      const end = rings[ring + 1]! - 1;
      if (end - start < 3) return false;
      if (xy[2 * start] !== xy[2 * end] || xy[2 * start + 1] !== xy[2 * end + 1]) return false;
      let twice = 0;
      const ox = xy[2 * start]!;
      const oy = xy[2 * start + 1]!;
      let beforeX = ox;
      let beforeY = oy;
      for (let v = start + 1; v <= end; v++) {
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        twice += (beforeX - ox) * (y - oy) - (x - ox) * (beforeY - oy);
        beforeX = x;
        beforeY = y;
      }
      // NaN and infinity end here, too.
      if (!(twice > 0 || twice < 0) || !Number.isFinite(twice)) return false;
      const forward = twice > 0 === (ring === firstRing);
      polygon.reserve(end - start);
      let v = forward ? start : end;
      beforeX = Number.NaN;
      beforeY = Number.NaN;
      for (let k = start; k < end; k++, v += forward ? 1 : -1) {
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        if (x === beforeX && y === beforeY) continue;
        beforeX = x;
        beforeY = y;
        polygon.add(x, y, v);
        if (ring > firstRing) continue;
        if (x < minX) minX = x;
        if (x > maxX) maxX = x;
        if (y < minY) minY = y;
        if (y > maxY) maxY = y;
      }
      if (!polygon.close()) return false;
    }
    this.#minX = minX;
    this.#minY = minY;
    this.#maxX = maxX;
    this.#maxY = maxY;
    return polygon.count > 0;
  }

  /** Find where the outlines cross; false when they touch. */
  #findCrossings(): boolean {
    const { region } = this;
    const { edges, inner, tree, hits } = region;
    const grid = gridOf(region);
    const { xy, starts, count } = this.polygon;
    this.#count = 0;
    for (let ring = 0; ring < count; ring++) {
      this.#ringCrossings[ring] = this.#count;
      const end = starts[ring + 1]!;
      for (let i = starts[ring]!; i < end; i++) {
        const j = i + 1 === end ? starts[ring]! : i + 1;
        const ax = xy[2 * i]!;
        const ay = xy[2 * i + 1]!;
        const bx = xy[2 * j]!;
        const by = xy[2 * j + 1]!;
        const minX = ax < bx ? ax : bx;
        const maxX = ax < bx ? bx : ax;
        const minY = ay < by ? ay : by;
        const maxY = ay < by ? by : ay;
        if (stateOfBox(grid, minX, minY, maxX, maxY) !== 0) continue;
        const found = searchBoxes(tree, minX, minY, maxX, maxY, hits);
        const before = this.#count;
        for (let k = 0; k < found; k++) {
          const edge = hits.values[k]!;
          if (inner[edge] === 1) continue;
          const cx = edges[4 * edge]!;
          const cy = edges[4 * edge + 1]!;
          const dx = edges[4 * edge + 2]!;
          const dy = edges[4 * edge + 3]!;
          const c = side(ax, ay, bx, by, cx, cy);
          const d = side(ax, ay, bx, by, dx, dy);
          if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
          const a = side(cx, cy, dx, dy, ax, ay);
          const b = side(cx, cy, dx, dy, bx, by);
          if ((a > 0 && b > 0) || (a < 0 && b < 0)) continue;
          // Zero, or not a number for coordinates whose products are too large.
          if (!opposite(a, b) || !opposite(c, d)) return false;
          const at = this.#newCrossing();
          this.#vertex[at] = i;
          this.#edge[at] = edge;
          this.#along[at] = a / (a - b);
          this.#across[at] = c / (c - d);
          // The right of an edge of the region is outside, and positive.
          this.#enters[at] = a > 0 ? 1 : 0;
          const reach =
            (Math.abs(ax - cx) + Math.abs(ay - cy) + Math.abs(bx - cx) + Math.abs(by - cy)) *
            (Math.abs(dx - cx) + Math.abs(dy - cy) + Math.abs(bx - ax) + Math.abs(by - ay));
          const cross = Math.abs(a - b);
          this.#rough[at] = 1e-15 * reach > 0.1 * APART * cross ? 1 : 0;
          intersectionPoint(ax, ay, bx, by, cx, cy, dx, dy, this.#point);
          const x = this.#point[0]!;
          const y = this.#point[1]!;
          if (
            (x === ax && y === ay) ||
            (x === bx && y === by) ||
            (x === cx && y === cy) ||
            (x === dx && y === dy)
          )
            return false;
          this.#x[at] = x;
          this.#y[at] = y;
        }
        if (this.#count > before + 1 && !this.#sortAlong(before)) return false;
      }
    }
    this.#ringCrossings[count] = this.#count;
    return true;
  }

  #newCrossing(): number {
    const at = this.#count++;
    if (at === this.#vertex.length) {
      this.#vertex = grown(this.#vertex, new Int32Array(2 * at));
      this.#along = grown(this.#along, new Float64Array(2 * at));
      this.#edge = grown(this.#edge, new Int32Array(2 * at));
      this.#across = grown(this.#across, new Float64Array(2 * at));
      this.#x = grown(this.#x, new Float64Array(2 * at));
      this.#y = grown(this.#y, new Float64Array(2 * at));
      this.#enters = grown(this.#enters, new Uint8Array(2 * at));
      this.#rough = grown(this.#rough, new Uint8Array(2 * at));
      this.#further = grown(this.#further, new Int32Array(2 * at));
      this.#done = grown(this.#done, new Uint8Array(2 * at));
    }
    return at;
  }

  /** Put the crossings of one edge of the polygon in order; false when they are too near to each other for that. */
  #sortAlong(first: number): boolean {
    const along = this.#along;
    for (let i = first + 1; i < this.#count; i++) {
      for (let j = i; j > first && along[j - 1]! > along[j]!; j--) this.#swap(j - 1, j);
    }
    for (let i = first; i < this.#count; i++) {
      if (this.#rough[i] === 1) return false;
      if (i > first && !(along[i]! - along[i - 1]! > APART)) return false;
    }
    return true;
  }

  #swap(i: number, j: number): void {
    for (const values of [this.#vertex, this.#edge, this.#enters, this.#rough, this.#along, this.#across]) {
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
    for (const values of [this.#x, this.#y]) {
      const value = values[i]!;
      values[i] = values[j]!;
      values[j] = value;
    }
  }

  /**
   * See that the crossings of a ring are in and out by turns and fit where its first vertex lies, and note for a ring without
   * any whether it is inside.
   */
  #judgeRing(ring: number): boolean {
    const { region } = this;
    const { xy, starts } = this.polygon;
    const first = this.#ringCrossings[ring]!;
    const end = this.#ringCrossings[ring + 1]!;
    const state = locate(region, xy[2 * starts[ring]!]!, xy[2 * starts[ring]! + 1]!);
    if (state === BOUNDARY) return false;
    if ((end - first) % 2 !== 0) return false;
    let inside = state === INSIDE;
    this.#ringInside[ring] = inside ? 1 : 0;
    for (let c = first; c < end; c++) {
      if (inside === (this.#enters[c] === 1)) return false;
      if (!isOutline(region, this.#outline, this.#edge[c]!)) return false;
      inside = !inside;
    }
    return true;
  }

  /** Number of the region's loops, in `#outline.hits`, whose bounds lie within the polygon's and which it does not cross. */
  #loopsWithin(): number {
    const { count, bounds, tree, hits, loopOf } = this.#outline;
    if (tree === null) {
      hits.count = 0;
      for (let loop = 0; loop < count; loop++) hits.values[hits.count++] = loop;
    } else searchBoxes(tree, this.#minX, this.#minY, this.#maxX, this.#maxY, hits);
    let kept = 0;
    for (let k = 0; k < hits.count; k++) {
      const loop = hits.values[k]!;
      if (
        bounds[4 * loop]! < this.#minX ||
        bounds[4 * loop + 1]! < this.#minY ||
        bounds[4 * loop + 2]! > this.#maxX ||
        bounds[4 * loop + 3]! > this.#maxY
      )
        continue;
      let crossed = false;
      for (let c = 0; c < this.#count && !crossed; c++) crossed = loopOf[this.#edge[c]!] === loop;
      if (crossed) continue;
      const e = 4 * this.#outline.first[loop]!;
      const { edges } = this.region;
      const { xy, starts, count: rings } = this.polygon;
      if (insideRings(xy, starts, 0, rings, edges[e]!, edges[e + 1]!)) hits.values[kept++] = loop;
    }
    hits.count = kept;
    return kept;
  }

  /** Whether the holes, which meet no ring, lie in the shell and in no other hole. */
  #holesFit(): boolean {
    const { xy, starts, count } = this.polygon;
    for (let ring = 1; ring < count; ring++) {
      const x = xy[2 * starts[ring]!]!;
      const y = xy[2 * starts[ring]! + 1]!;
      if (!insideRings(xy, starts, 0, 1, x, y)) return false;
      // In an even number of other holes; in none, if each of those is in none.
      if (insideRings(xy, starts, 1, ring, x, y) || insideRings(xy, starts, ring + 1, count, x, y))
        return false;
    }
    return true;
  }

  /** Follow the rings that crossings lie on; false when the way does not come back. */
  #follow(before: number): boolean {
    const { result } = this;
    if (this.#count === 0) return true;
    if (!this.#linkAcross()) return false;
    this.#done.fill(0, 0, this.#count);
    const polygon = this.polygon;
    const { edges, next, owner } = this.region;
    let ring = 0;
    for (let start = 0; start < this.#count; start++) {
      if (this.#enters[start] === 0 || this.#done[start] === 1) continue;
      let c = start;
      do {
        if (this.#done[c] === 1 || this.#enters[c] === 0) return false;
        this.#done[c] = 1;
        result.add(this.#x[c]!, this.#y[c]!, -1);
        // Along the polygon to where it leaves.
        ring = polygon.ringOf(this.#vertex[c]!);
        const first = polygon.starts[ring]!;
        const end = polygon.starts[ring + 1]!;
        const to = c + 1 === this.#ringCrossings[ring + 1]! ? this.#ringCrossings[ring]! : c + 1;
        let v = this.#vertex[c]!;
        const last = this.#vertex[to]!;
        if (v !== last || to < c) {
          result.reserve(end - first);
          do {
            v = v + 1 === end ? first : v + 1;
            result.add(polygon.xy[2 * v]!, polygon.xy[2 * v + 1]!, polygon.from[v]!);
          } while (v !== last);
        }
        result.add(this.#x[to]!, this.#y[to]!, -1);
        // Along the region to where the polygon comes back in.
        let edge = this.#edge[to]!;
        c = this.#further[to]!;
        for (let steps = 0; c === -1; steps++) {
          if (steps > owner.length) return false;
          const x = edges[4 * edge + 2]!;
          const y = edges[4 * edge + 3]!;
          if (!(x >= this.#minX && x <= this.#maxX && y >= this.#minY && y <= this.#maxY)) return false;
          result.add(x, y, -1);
          edge = next[edge]!;
          if (!isOutline(this.region, this.#outline, edge)) return false;
          c = this.#head[edge]!;
        }
      } while (c !== start);
      if (!result.close()) return false;
    }
    return result.count > before;
  }

  /** Chain the crossings along each edge of the region; false when two are too near to each other. */
  #linkAcross(): boolean {
    const head = this.#head;
    for (let c = 0; c < this.#count; c++) {
      const edge = this.#edge[c]!;
      const across = this.#across[c]!;
      let before = -1;
      let after = head[edge]!;
      if (after !== -1 && (this.#rough[c] === 1 || this.#rough[after] === 1)) return false;
      while (after !== -1 && this.#across[after]! < across) {
        before = after;
        after = this.#further[after]!;
      }
      if (before !== -1 && !(across - this.#across[before]! > APART)) return false;
      if (after !== -1 && !(this.#across[after]! - across > APART)) return false;
      this.#further[c] = after;
      if (before === -1) head[edge] = c;
      else this.#further[before] = c;
    }
    return true;
  }

  /** Add the polygon's rings that lie inside and the region's loops that lie in the polygon. */
  #addWhole(loops: number): boolean {
    const { result } = this;
    const polygon = this.polygon;
    for (let ring = 0; ring < polygon.count; ring++) {
      if (this.#ringCrossings[ring] !== this.#ringCrossings[ring + 1] || this.#ringInside[ring] === 0)
        continue;
      const end = polygon.starts[ring + 1]!;
      for (let v = polygon.starts[ring]!; v < end; v++)
        result.add(polygon.xy[2 * v]!, polygon.xy[2 * v + 1]!, polygon.from[v]!);
      if (!result.close()) return false;
    }
    const { first, hits } = this.#outline;
    const { edges, next } = this.region;
    for (let k = 0; k < loops; k++) {
      const start = first[hits.values[k]!]!;
      let edge = start;
      do {
        if (!isOutline(this.region, this.#outline, edge)) return false;
        result.add(edges[4 * edge]!, edges[4 * edge + 1]!, -1);
        edge = next[edge]!;
      } while (edge !== start);
      if (!result.close()) return false;
    }
    return true;
  }
}

function opposite(a: number, b: number): boolean {
  return (a < 0 && b > 0) || (a > 0 && b < 0);
}

function grown<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
