import type { GeometryColumn } from "../../../model/geometry.ts";
import { type BoxTree, buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import type { Heights } from "./canonical.ts";
import { hashPoint } from "./edge-graph.ts";

/** A row whose heights a result takes over. */
export interface RowOf {
  readonly column: GeometryColumn;
  readonly row: number;
}

/** How far from an edge a new vertex may lie at first, as a share of the largest coordinate. */
const NEAR = 2 ** -40;

/**
 * Heights for the vertices of a result: of the vertex of the input at the same place, the first that has one; of new
 * vertices interpolated along the edge that they are on, edges of earlier rows before those of later ones, or else the
 * nearest edge that has heights.
 * `null` when no row has heights.
 */
export function rowHeights(rows: readonly RowOf[]): Heights | null {
  return rows.some(hasHeights) ? new InputHeights(rows) : null;
}

function hasHeights({ column, row }: RowOf): boolean {
  const { z, geometries, parts, rings } = column;
  if (z === null) return false;
  const end = rings[parts[geometries[row + 1]!]!]!;
  for (let v = rings[parts[geometries[row]!]!]!; v < end; v++) if (!Number.isNaN(z[v]!)) return true;
  return false;
}

class InputHeights implements Heights {
  readonly #table: Int32Array;
  readonly #vertices: Float64Array;
  /** Edges of each row that has some: `[ax, ay, az, bx, by, bz]`. */
  readonly #edges: { segments: Float64Array; tree: BoxTree }[] = [];
  readonly #hits = newHits();
  readonly #size: number;

  constructor(rows: readonly RowOf[]) {
    let count = 0;
    for (const { column, row } of rows) {
      const { geometries, parts, rings } = column;
      count += rings[parts[geometries[row + 1]!]!]! - rings[parts[geometries[row]!]!]!;
    }
    let size = 16;
    while (size < 2 * count) size *= 2;
    this.#table = new Int32Array(size).fill(-1);
    this.#vertices = new Float64Array(3 * count);
    let largest = 0;
    let n = 0;
    for (const { column, row } of rows) {
      const { z, xy, geometries, parts, rings } = column;
      if (z === null) continue;
      const segments: number[] = [];
      for (let r = parts[geometries[row]!]!; r < parts[geometries[row + 1]!]!; r++) {
        for (let v = rings[r]!; v < rings[r + 1]!; v++) {
          const x = xy[2 * v]!;
          const y = xy[2 * v + 1]!;
          if (Number.isNaN(z[v]!) || !Number.isFinite(x) || !Number.isFinite(y)) continue;
          largest = Math.max(largest, Math.abs(x), Math.abs(y));
          const slot = this.#slot(x, y);
          if (this.#table[slot] === -1) {
            this.#vertices[3 * n] = x;
            this.#vertices[3 * n + 1] = y;
            this.#vertices[3 * n + 2] = z[v]!;
            this.#table[slot] = n++;
          }
          if (v + 1 === rings[r + 1]! || Number.isNaN(z[v + 1]!)) continue;
          if (!Number.isFinite(xy[2 * v + 2]!) || !Number.isFinite(xy[2 * v + 3]!)) continue;
          segments.push(x, y, z[v]!, xy[2 * v + 2]!, xy[2 * v + 3]!, z[v + 1]!);
        }
      }
      if (segments.length === 0) continue;
      const boxes = new Float64Array((4 * segments.length) / 6);
      for (let s = 0, b = 0; s < segments.length; s += 6, b += 4) {
        boxes[b] = Math.min(segments[s]!, segments[s + 3]!);
        boxes[b + 1] = Math.min(segments[s + 1]!, segments[s + 4]!);
        boxes[b + 2] = Math.max(segments[s]!, segments[s + 3]!);
        boxes[b + 3] = Math.max(segments[s + 1]!, segments[s + 4]!);
      }
      this.#edges.push({ segments: Float64Array.from(segments), tree: buildBoxTree(boxes) });
    }
    this.#size = largest;
  }

  at(x: number, y: number): number {
    const slot = this.#slot(x, y);
    const n = this.#table[slot]!;
    if (n !== -1) return this.#vertices[3 * n + 2]!;
    // Vertices that snapping has moved lie farther away; look around in larger and larger boxes.
    for (let near = this.#size * NEAR; ; near *= 1024) {
      for (const { segments, tree } of this.#edges) {
        const found = searchBoxes(tree, x - near, y - near, x + near, y + near, this.#hits);
        let best = Infinity;
        let height = Number.NaN;
        let number = -1;
        for (let k = 0; k < found; k++) {
          const i = this.#hits.values[k]!;
          const s = 6 * i;
          const dx = segments[s + 3]! - segments[s]!;
          const dy = segments[s + 4]! - segments[s + 1]!;
          const length = dx * dx + dy * dy;
          const along = ((x - segments[s]!) * dx + (y - segments[s + 1]!) * dy) / length;
          const t = length === 0 ? 0 : Math.min(1, Math.max(0, along));
          const off = Math.hypot(segments[s]! + t * dx - x, segments[s + 1]! + t * dy - y);
          // Of edges at the same distance the first, in whatever order the index gives them.
          if (off < best || (off === best && i < number)) {
            best = off;
            number = i;
            height = segments[s + 2]! + t * (segments[s + 5]! - segments[s + 2]!);
          }
        }
        if (number !== -1 && best <= 2 * near) return height;
      }
      if (!(near < this.#size)) return Number.NaN;
    }
  }

  /** Where in the table a vertex is, or goes. */
  #slot(x: number, y: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    // Adding 0 makes -0 the same as 0.
    let h = hashPoint(x + 0, y + 0) & mask;
    for (; table[h] !== -1; h = (h + 1) & mask) {
      const n = 3 * table[h]!;
      if (this.#vertices[n] === x && this.#vertices[n + 1] === y) break;
    }
    return h;
  }
}
