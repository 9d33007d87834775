import type { Bounds } from "../../model/grid.ts";
import { floatAbove, floatBelow } from "../float32.ts";
import { quoteName, quoteText, type Sqlite } from "../sqlite.ts";

// The R-tree of SQLite, through its own tables (the module itself is not in every build). A node is a blob,
// big-endian: depth of the tree (root only, 2 bytes), number of cells (2), cells of 24 bytes each: row id or
// child node (8), then minX, maxX, minY, maxY as 32-bit floats, rounded outward. Node 1 is the root.
// Source: https://www.sqlite.org/rtree.html, section 5.1.

const CELL_BYTES = 24;
/** Cells of a node as SQLite makes them for pages of 4096 bytes: its own limit of 51. */
const NODE_CELLS = 51;
const NODE_BYTES = 4 + NODE_CELLS * CELL_BYTES;
/** SQLite refuses deeper trees. */
const MAX_DEPTH = 40;

/**
 * Ids of the rows whose boxes in the index meet `bounds` (touching counts; boxes are rounded outward), in
 * ascending order. `null` when the index is damaged, so that the caller scans instead.
 *
 * @param maxNodes  more nodes than this cannot be in the file.
 */
export function searchRtree(
  database: Sqlite,
  index: string,
  bounds: Bounds,
  maxNodes: number,
): Float64Array | null {
  const sql = `SELECT data AS d FROM ${quoteName(`${index}_node`)} WHERE nodeno = ?`;
  const [minX, minY, maxX, maxY] = bounds;
  const ids: number[] = [];
  const stack: { node: number; depth: number }[] = [{ node: 1, depth: -1 }];
  let visited = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (++visited > maxNodes) return null;
    const data = database.all(sql, [next.node])[0]?.["d"];
    if (!(data instanceof Uint8Array) || data.length < 4) return null;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const depth = next.depth < 0 ? view.getUint16(0) : next.depth;
    const cells = view.getUint16(2);
    if (depth > MAX_DEPTH || 4 + cells * CELL_BYTES > data.length) return null;
    for (let c = 0; c < cells; c++) {
      const at = 4 + c * CELL_BYTES;
      if (
        view.getFloat32(at + 8) <= maxX &&
        view.getFloat32(at + 12) >= minX &&
        view.getFloat32(at + 16) <= maxY &&
        view.getFloat32(at + 20) >= minY
      ) {
        const id = Number(view.getBigInt64(at));
        if (depth === 0) ids.push(id);
        else stack.push({ node: id, depth: depth - 1 });
      }
    }
  }
  return Float64Array.from(ids).sort();
}

/** Boxes of rows, gathered while a layer is written. 28 bytes a row. */
export class RtreeBuilder {
  #ids = new Float64Array(256);
  /** minX, maxX, minY, maxY, rounded outward. */
  #boxes = new Float32Array(1024);
  count = 0;

  /** Add a row; `box` holds `[minX, minY, maxX, maxY]` from `at` and is not empty. */
  add(id: number, box: Float64Array, at: number): void {
    if (this.count === this.#ids.length) {
      const ids = new Float64Array(2 * this.count);
      ids.set(this.#ids);
      this.#ids = ids;
      const boxes = new Float32Array(8 * this.count);
      boxes.set(this.#boxes);
      this.#boxes = boxes;
    }
    const k = 4 * this.count;
    this.#ids[this.count++] = id;
    this.#boxes[k] = floatBelow(box[at]!);
    this.#boxes[k + 1] = floatAbove(box[at + 2]!);
    this.#boxes[k + 2] = floatBelow(box[at + 1]!);
    this.#boxes[k + 3] = floatAbove(box[at + 3]!);
  }

  /**
   * Write the index as table `name`: nodes packed full in the order of `hilbertOrder`, level by level. Faster
   * and tighter than inserting row by row, and the same bytes every time.
   *
   * @param hilbertOrder  positions of boxes `[minX, minY, maxX, maxY]` (flat) along a Hilbert curve.
   */
  write(database: Sqlite, name: string, hilbertOrder: (boxes: Float64Array) => Uint32Array): void {
    const table = (suffix: string): string => quoteName(`${name}_${suffix}`);
    database.exec(
      `CREATE TABLE ${table("rowid")}(rowid INTEGER PRIMARY KEY,nodeno);` +
        `CREATE TABLE ${table("node")}(nodeno INTEGER PRIMARY KEY,data);` +
        `CREATE TABLE ${table("parent")}(nodeno INTEGER PRIMARY KEY,parentnode);`,
    );
    const { levels, order, rowNode } = this.#pack(hilbertOrder);
    const node = database.prepare(`INSERT INTO ${table("node")} VALUES (?, ?)`);
    const parent = database.prepare(`INSERT INTO ${table("parent")} VALUES (?, ?)`);
    const rowid = database.prepare(`INSERT INTO ${table("rowid")} VALUES (?, ?)`);
    try {
      for (let l = levels.length - 1; l >= 0; l--) {
        const level = levels[l]!;
        const below = l === 0 ? null : levels[l - 1]!;
        for (let n = 0; n < level.count; n++) {
          const data = new Uint8Array(NODE_BYTES);
          const view = new DataView(data.buffer);
          if (l === levels.length - 1) view.setUint16(0, l);
          const first = n * NODE_CELLS;
          const end = Math.min(first + NODE_CELLS, below === null ? this.count : below.count);
          view.setUint16(2, end - first);
          for (let c = first; c < end; c++) {
            const at = 4 + (c - first) * CELL_BYTES;
            const boxes = below === null ? this.#boxes : below.boxes;
            const from = 4 * (below === null ? order[c]! : c);
            view.setBigInt64(at, BigInt(below === null ? this.#ids[order[c]!]! : below.firstNode + c));
            for (let k = 0; k < 4; k++) view.setFloat32(at + 8 + 4 * k, boxes[from + k]!);
          }
          node.run([level.firstNode + n, data]);
          if (l < levels.length - 1) {
            parent.run([level.firstNode + n, levels[l + 1]!.firstNode + Math.floor(n / NODE_CELLS)]);
          }
        }
      }
      // In the order of ids, so that the table is written from front to back.
      for (let i = 0; i < this.count; i++) rowid.run([this.#ids[i]!, rowNode[i]!]);
    } finally {
      node.finalize();
      parent.finalize();
      rowid.finalize();
    }
    const sql = `CREATE VIRTUAL TABLE ${quoteName(name)} USING rtree(id, minx, maxx, miny, maxy)`;
    database.exec(
      "PRAGMA writable_schema = ON;" +
        `INSERT INTO sqlite_master VALUES ('table', ${quoteText(name)}, ${quoteText(name)}, 0, ${quoteText(sql)});` +
        "PRAGMA writable_schema = OFF",
    );
  }

  #pack(hilbertOrder: (boxes: Float64Array) => Uint32Array): {
    levels: { count: number; firstNode: number; boxes: Float32Array }[];
    order: Uint32Array;
    rowNode: Float64Array;
  } {
    const count = this.count;
    const boxes = new Float64Array(4 * count);
    for (let i = 0; i < count; i++) {
      boxes[4 * i] = this.#boxes[4 * i]!;
      boxes[4 * i + 1] = this.#boxes[4 * i + 2]!;
      boxes[4 * i + 2] = this.#boxes[4 * i + 1]!;
      boxes[4 * i + 3] = this.#boxes[4 * i + 3]!;
    }
    const order = hilbertOrder(boxes);
    // Leaves first; numbers are given from the root down, which is node 1.
    const levels: { count: number; firstNode: number; boxes: Float32Array }[] = [];
    let items = count;
    let from = this.#boxes;
    let picked: Uint32Array | null = order;
    do {
      const nodes = Math.max(1, Math.ceil(items / NODE_CELLS));
      const merged = new Float32Array(4 * nodes);
      for (let n = 0; n < nodes; n++) merged.set([Infinity, -Infinity, Infinity, -Infinity], 4 * n);
      for (let i = 0; i < items; i++) {
        const at = 4 * Math.floor(i / NODE_CELLS);
        const box = 4 * (picked === null ? i : picked[i]!);
        merged[at] = Math.min(merged[at]!, from[box]!);
        merged[at + 1] = Math.max(merged[at + 1]!, from[box + 1]!);
        merged[at + 2] = Math.min(merged[at + 2]!, from[box + 2]!);
        merged[at + 3] = Math.max(merged[at + 3]!, from[box + 3]!);
      }
      levels.push({ count: nodes, firstNode: 0, boxes: merged });
      items = nodes;
      from = merged;
      picked = null;
    } while (items > 1);
    let number = 1;
    for (const level of [...levels].reverse()) {
      level.firstNode = number;
      number += level.count;
    }
    const rowNode = new Float64Array(count);
    for (let i = 0; i < count; i++) rowNode[order[i]!] = levels[0]!.firstNode + Math.floor(i / NODE_CELLS);
    return { levels, order, rowNode };
  }
}
