import type { GeometryColumn } from "../../../model/geometry.ts";
import { rowDimensions } from "../distance/dimensions.ts";
import { polygonCovers, polygonLocator } from "../distance/locate.ts";
import { pointSegmentSquared, segmentSegmentSquared, squareOf } from "../distance/segments.ts";
import type { NearestSet } from "./nearest-set.ts";
import { FANOUT, type PackedTree, searchTree } from "./packed-tree.ts";
import { areaLocator, LEAF, type PlanarIndex, type PointLeaves } from "./planar-index.ts";

/** How far, as a share of the lengths at work, a quickly computed distance may be off. */
const ROUNDING = 2 ** -46;

/**
 * Searches of an index, one query at a time. Branch and bound: the nearest box is opened first, and boxes beyond the
 * bound of the set are not opened at all. Distances are computed quickly and, for what comes within reach, once more
 * exactly to rounding ({@link pointSegmentSquared}); only those are offered. Holds the scratch, nothing is allocated
 * for a query of a point.
 */
export class PlanarSearch {
  /**
   * The two segments (points: twice the same) that gave the least distance since {@link forget}: `[ax, ay, bx, by]` of
   * the query and `[cx, cy, dx, dy]` of the index.
   */
  readonly witness: Float64Array = new Float64Array(8);
  /** Row of the index in {@link witness}; -1 for none. */
  witnessRow: number = -1;
  #least = Infinity;
  readonly #index: PlanarIndex;
  readonly #nodes = new Int32Array(512);
  readonly #levels = new Uint8Array(512);
  readonly #squares = new Float64Array(512);
  readonly #hits: number[] = [];

  constructor(index: PlanarIndex) {
    this.#index = index;
  }

  /** No witness any more. */
  forget(): void {
    this.witnessRow = -1;
    this.#least = Infinity;
  }

  /** Least distance offered since {@link forget}; `Infinity` for none. */
  get leastDistance(): number {
    return Math.sqrt(this.#least);
  }

  /** Distance of a point to what was nearest to the query before it. */
  distanceToWitness(x: number, y: number): number {
    const { witness } = this;
    const ax = witness[4]!;
    const ay = witness[5]!;
    const bx = witness[6]!;
    const by = witness[7]!;
    const isPoint = ax === bx && ay === by;
    return Math.sqrt(isPoint ? squareOf(x - ax, y - ay) : pointSegmentSquared(x, y, ax, ay, bx, by));
  }

  /** Offer everything of the index that may be nearest to a point. */
  point(x: number, y: number, set: NearestSet): void {
    if (!Number.isFinite(x + y)) return;
    this.#covering(x, y, set);
    this.#pointToPoints(x, y, set);
    this.#pointToLines(x, y, set);
  }

  /** Offer everything of the index that may be nearest to a row of another column. */
  row(column: GeometryColumn, row: number, set: NearestSet): void {
    const { geometries, parts, rings, xy } = column;
    const dimensions = rowDimensions(column, row);
    const first = geometries[row]!;
    for (let p = first; p < geometries[row + 1]!; p++) {
      const start = rings[parts[p]!]!;
      const end = rings[parts[p + 1]!]!;
      let anchor = start;
      while (anchor < end && !Number.isFinite(xy[2 * anchor]! + xy[2 * anchor + 1]!)) anchor++;
      if (anchor === end) continue;
      this.#covering(xy[2 * anchor]!, xy[2 * anchor + 1]!, set);
      if (dimensions[p - first] === 2) this.#covered(column, p, set);
    }
    for (let p = first; p < geometries[row + 1]!; p++) {
      const isPoint = dimensions[p - first] === 0;
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const end = rings[r + 1]!;
        for (let v = rings[r]!; v < end; ) {
          let last = v;
          while (last < end && Number.isFinite(xy[2 * last]! + xy[2 * last + 1]!) && !(isPoint && last > v))
            last++;
          if (last === v) v++;
          else if (last === v + 1) {
            this.#pointToPoints(xy[2 * v]!, xy[2 * v + 1]!, set);
            this.#pointToLines(xy[2 * v]!, xy[2 * v + 1]!, set);
            v = last;
          } else {
            for (; v + 1 < last; v += LEAF) this.#run(xy, v, Math.min(v + LEAF + 1, last), set);
            v = last;
          }
        }
      }
    }
  }

  /** Polygons of the index that cover a point are at distance 0. */
  #covering(x: number, y: number, set: NearestSet): void {
    const { areas } = this.#index;
    if (areas.parts.length === 0) return;
    const found = searchTree(areas.tree, x, y, x, y, this.#hits);
    for (let h = 0; h < found; h++) {
      const leaf = this.#hits[h]!;
      if (polygonCovers(areaLocator(this.#index, leaf), x, y))
        this.#take(set, areas.rows[leaf]!, 0, x, y, x, y, x, y, x, y);
    }
  }

  /** Rows of the index with a part that polygon part `part` of another column covers. */
  #covered(column: GeometryColumn, part: number, set: NearestSet): void {
    const { rings, parts, xy } = column;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = rings[parts[part]!]!; v < rings[parts[part + 1]!]!; v++) {
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    const locator = polygonLocator(column, part);
    const inside = (leaves: PointLeaves): void => {
      const found = searchTree(leaves.tree, minX, minY, maxX, maxY, this.#hits);
      for (let h = 0; h < found; h++) {
        const from = this.#hits[h]! * LEAF;
        const end = Math.min(from + LEAF, leaves.rows.length);
        for (let k = from; k < end; k++) {
          const x = leaves.xy[2 * k]!;
          const y = leaves.xy[2 * k + 1]!;
          if (x < minX || x > maxX || y < minY || y > maxY || !polygonCovers(locator, x, y)) continue;
          this.#take(set, leaves.rows[k]!, 0, x, y, x, y, x, y, x, y);
        }
      }
    };
    inside(this.#index.points);
    inside(this.#index.anchors);
  }

  #take(
    set: NearestSet,
    row: number,
    square: number,
    ax: number,
    ay: number,
    bx: number,
    by: number,
    cx: number,
    cy: number,
    dx: number,
    dy: number,
  ): void {
    set.offer(row, square);
    if (!(square < this.#least) || (set.excluded !== null && set.excluded[row] === 1)) return;
    this.#least = square;
    this.witnessRow = row;
    const { witness } = this;
    witness[0] = ax;
    witness[1] = ay;
    witness[2] = bx;
    witness[3] = by;
    witness[4] = cx;
    witness[5] = cy;
    witness[6] = dx;
    witness[7] = dy;
  }

  /** Children of a node that are within `reach`, nearest on top of the stack. Returns the new depth. */
  #open(
    tree: PackedTree,
    node: number,
    level: number,
    depth: number,
    minX: number,
    minY: number,
    maxX: number,
    maxY: number,
    reach: number,
  ): number {
    const { boxes, levels } = tree;
    const nodes = this.#nodes;
    const squares = this.#squares;
    const first = levels[level - 1]! + (node - levels[level]!) * FANOUT;
    const end = Math.min(first + FANOUT, levels[level]!);
    let top = depth;
    for (let child = first; child < end; child++) {
      const at = 4 * child;
      let dx = boxes[at]! - maxX;
      if (dx < 0) {
        dx = minX - boxes[at + 2]!;
        if (dx < 0) dx = 0;
      }
      let dy = boxes[at + 1]! - maxY;
      if (dy < 0) {
        dy = minY - boxes[at + 3]!;
        if (dy < 0) dy = 0;
      }
      const square = dx * dx + dy * dy;
      if (square > reach) continue;
      let slot = top++;
      while (slot > depth && squares[slot - 1]! < square) {
        squares[slot] = squares[slot - 1]!;
        nodes[slot] = nodes[slot - 1]!;
        slot--;
      }
      squares[slot] = square;
      nodes[slot] = child;
    }
    const below = level - 1;
    for (let slot = depth; slot < top; slot++) this.#levels[slot] = below;
    return top;
  }

  #pointToPoints(x: number, y: number, set: NearestSet): void {
    const { xy, rows, tree } = this.#index.points;
    if (rows.length === 0) return;
    const nodes = this.#nodes;
    const squares = this.#squares;
    const levels = this.#levels;
    nodes[0] = tree.levels[tree.levels.length - 2]!;
    levels[0] = tree.levels.length - 2;
    squares[0] = 0;
    let depth = 1;
    let bound = set.bound;
    while (depth > 0) {
      depth--;
      if (squares[depth]! > bound) continue;
      const node = nodes[depth]!;
      const level = levels[depth]!;
      if (level > 0) {
        depth = this.#open(tree, node, level, depth, x, y, x, y, bound);
        continue;
      }
      const end = Math.min((node + 1) * LEAF, rows.length);
      for (let k = node * LEAF; k < end; k++) {
        const px = xy[2 * k]!;
        const py = xy[2 * k + 1]!;
        const dx = px - x;
        const dy = py - y;
        const square = dx * dx + dy * dy;
        if (square > bound) continue;
        this.#take(set, rows[k]!, square === 0 ? squareOf(dx, dy) : square, x, y, x, y, px, py, px, py);
        bound = set.bound;
      }
    }
  }

  #pointToLines(x: number, y: number, set: NearestSet): void {
    const { xy, starts, rows, tree, longest } = this.#index.lines;
    if (rows.length === 0) return;
    const nodes = this.#nodes;
    const squares = this.#squares;
    const levels = this.#levels;
    nodes[0] = tree.levels[tree.levels.length - 2]!;
    levels[0] = tree.levels.length - 2;
    squares[0] = 0;
    let depth = 1;
    let bound = set.bound;
    let reach = reachOf(bound, longest);
    while (depth > 0) {
      depth--;
      if (squares[depth]! > reach) continue;
      const node = nodes[depth]!;
      const level = levels[depth]!;
      if (level > 0) {
        depth = this.#open(tree, node, level, depth, x, y, x, y, reach);
        continue;
      }
      const end = 2 * starts[node + 1]!;
      let at = 2 * starts[node]!;
      let ax = xy[at]!;
      let ay = xy[at + 1]!;
      for (at += 2; at < end; at += 2) {
        const bx = xy[at]!;
        const by = xy[at + 1]!;
        const ux = bx - ax;
        const uy = by - ay;
        const ex = x - ax;
        const ey = y - ay;
        const along = ex * ux + ey * uy;
        let square = ex * ex + ey * ey;
        if (along > 0) {
          const length = ux * ux + uy * uy;
          if (along >= length) square = (x - bx) * (x - bx) + (y - by) * (y - by);
          else {
            const cross = ex * uy - ey * ux;
            square = (cross * cross) / length;
          }
        }
        if (square <= reach) {
          const exact = pointSegmentSquared(x, y, ax, ay, bx, by);
          if (exact <= bound) {
            this.#take(set, rows[node]!, exact, x, y, x, y, ax, ay, bx, by);
            if (set.bound < bound) {
              bound = set.bound;
              reach = reachOf(bound, longest);
            }
          }
        }
        ax = bx;
        ay = by;
      }
    }
  }

  /** One run of connected vertices against points and lines. */
  #run(xy: Float64Array, start: number, end: number, set: NearestSet): void {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = start; v < end; v++) {
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    this.#runToLeaves(xy, start, end, minX, minY, maxX, maxY, set, false);
    this.#runToLeaves(xy, start, end, minX, minY, maxX, maxY, set, true);
  }

  #runToLeaves(
    from: Float64Array,
    start: number,
    end: number,
    minX: number,
    minY: number,
    maxX: number,
    maxY: number,
    set: NearestSet,
    toLines: boolean,
  ): void {
    const { points, lines } = this.#index;
    const { xy, rows, tree } = toLines ? lines : points;
    if (rows.length === 0) return;
    const nodes = this.#nodes;
    const squares = this.#squares;
    const levels = this.#levels;
    nodes[0] = tree.levels[tree.levels.length - 2]!;
    levels[0] = tree.levels.length - 2;
    squares[0] = 0;
    let depth = 1;
    // Segments of the query may be longer than those of the index; their boxes say how long.
    const longest = Math.max(lines.longest, maxX - minX + (maxY - minY));
    let bound = set.bound;
    let reach = reachOf(bound, longest);
    while (depth > 0) {
      depth--;
      if (squares[depth]! > reach) continue;
      const node = nodes[depth]!;
      const level = levels[depth]!;
      if (level > 0) {
        depth = this.#open(tree, node, level, depth, minX, minY, maxX, maxY, reach);
        continue;
      }
      const first = toLines ? lines.starts[node]! : node * LEAF;
      const last = toLines ? lines.starts[node + 1]! - 1 : Math.min(first + LEAF, rows.length);
      for (let v = start; v + 1 < end; v++) {
        const ax = from[2 * v]!;
        const ay = from[2 * v + 1]!;
        const bx = from[2 * v + 2]!;
        const by = from[2 * v + 3]!;
        for (let k = first; k < last; k++) {
          const cx = xy[2 * k]!;
          const cy = xy[2 * k + 1]!;
          const dx = toLines ? xy[2 * k + 2]! : cx;
          const dy = toLines ? xy[2 * k + 3]! : cy;
          let gapX = Math.min(cx, dx) - Math.max(ax, bx);
          if (gapX < 0) gapX = Math.max(0, Math.min(ax, bx) - Math.max(cx, dx));
          let gapY = Math.min(cy, dy) - Math.max(ay, by);
          if (gapY < 0) gapY = Math.max(0, Math.min(ay, by) - Math.max(cy, dy));
          if (gapX * gapX + gapY * gapY > reach) continue;
          const square = toLines
            ? segmentSegmentSquared(ax, ay, bx, by, cx, cy, dx, dy)
            : pointSegmentSquared(cx, cy, ax, ay, bx, by);
          if (!(square <= bound)) continue;
          this.#take(set, toLines ? rows[node]! : rows[k]!, square, ax, ay, bx, by, cx, cy, dx, dy);
          if (set.bound < bound) {
            bound = set.bound;
            reach = reachOf(bound, longest);
          }
        }
      }
    }
  }
}

/** Square within which a quickly computed one must lie when the exact one is within `bound`. */
function reachOf(bound: number, longest: number): number {
  const reach = Math.sqrt(bound) * (1 + ROUNDING) + ROUNDING * longest;
  return reach * reach;
}
