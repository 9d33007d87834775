import { MULTI_POLYGON, POLYGON } from "../../../model/geometry.ts";
import { type EdgeChunks, holdsHalfOpen, INSIDE, locateInRow } from "./edge-chunks.ts";
import { locateInSlabs, type RowSlabs, rowSlabs, slabsHoldHalfOpen } from "./row-slabs.ts";

/**
 * Polygons of a column on a grid of cells, to find those that hold a point. A cell that no edge touches knows the
 * polygons that cover it, so that most points are answered without a look at an edge; in other cells the polygons
 * there are tested exactly.
 */
export interface PolygonGrid {
  readonly chunks: EdgeChunks;
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
  /** Cells per unit. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly columns: number;
  readonly rows: number;
  /**
   * Row by row: -1 nothing there; a row number when that polygon alone covers the cell; else `-2 - k`, and the cell
   * owns entries `starts[k] .. starts[k + 1] - 1`.
   */
  readonly cells: Int32Array;
  readonly starts: Int32Array;
  /** `2 row + 1` when the row covers the cell whole, `2 row` when its edges run through it; rows rising. */
  readonly entries: Int32Array;
  /** Strips of a row once a point needed them; `undefined` not yet, `null` not worth it. */
  readonly slabs: (RowSlabs | null | undefined)[];
}

/** Cells to an edge: measured on a partition of 2,000 polygons with 95 vertices. */
const CELLS_PER_EDGE = 2;
const MAX_CELLS = 1 << 22;
/** Entries of all cells at the most, 8 bytes each while they are collected. */
const MAX_ENTRIES = 1 << 24;
/** A row with fewer vertices needs no strips: the boxes of its chunks do. */
const SLAB_VERTICES = 24;
/** An edge is drawn this much wider where its course between two columns of cells has to be computed, in cells. */
const MARGIN = 1e-6;
/** Rounding of a column's place, of which there are 4096 at the most, moves a steep edge far: this much for a slope of 1. */
const MARGIN_PER_SLOPE = 1e-11;
/** A grid narrower than this, for coordinates of size 1, has cells too small for their numbers to tell. */
const NARROW = 2 ** -28;

/**
 * A grid over Polygon and MultiPolygon rows of a column. O(edges + cells); at the most four million cells.
 *
 * @param wanted  1 for each row that the grid shall hold; their vertices are finite.
 */
export function polygonGrid(chunks: EdgeChunks, boxes: Float64Array, wanted: Uint8Array): PolygonGrid {
  const { types, geometries, parts, rings } = chunks.column;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  let edges = 0;
  for (let row = 0; row < types.length; row++) {
    if (wanted[row] === 0) continue;
    if (boxes[4 * row]! < minX) minX = boxes[4 * row]!;
    if (boxes[4 * row + 1]! < minY) minY = boxes[4 * row + 1]!;
    if (boxes[4 * row + 2]! > maxX) maxX = boxes[4 * row + 2]!;
    if (boxes[4 * row + 3]! > maxY) maxY = boxes[4 * row + 3]!;
    edges += rings[parts[geometries[row + 1]!]!]! - rings[parts[geometries[row]!]!]!;
  }
  const width = maxX - minX;
  const height = maxY - minY;
  const size = Math.min(MAX_CELLS, CELLS_PER_EDGE * edges);
  let columns = 1;
  let rows = 1;
  const wide = width > NARROW * Math.max(Math.abs(minX), Math.abs(maxX));
  const high = height > NARROW * Math.max(Math.abs(minY), Math.abs(maxY));
  if (wide && high && Number.isFinite(width * height) && size > 1) {
    columns = Math.max(1, Math.min(4096, Math.round(Math.sqrt((size * width) / height))));
    rows = Math.max(1, Math.min(4096, Math.floor(size / columns)));
  }
  // Polygons over each other would stand in every cell many times: coarser, then, until they do not.
  while (
    columns * rows > 1 &&
    incidences(wanted, boxes, usable(columns / width), usable(rows / height)) > MAX_ENTRIES
  ) {
    columns = Math.ceil(columns / 2);
    rows = Math.ceil(rows / 2);
  }
  const scaleX = usable(columns / width);
  const scaleY = usable(rows / height);
  const painter = new Painter(chunks, minX, minY, scaleX, scaleY, columns, rows);
  for (let row = 0; row < types.length; row++) {
    if (wanted[row] === 1) painter.paint(row, boxes);
  }
  return {
    chunks,
    minX,
    minY,
    maxX,
    maxY,
    scaleX,
    scaleY,
    columns,
    rows,
    ...painter.finish(),
    slabs: new Array<RowSlabs | null | undefined>(types.length).fill(undefined),
  };
}

/** Cells that the boxes of all polygons have together. */
function incidences(wanted: Uint8Array, boxes: Float64Array, scaleX: number, scaleY: number): number {
  let sum = 0;
  for (let row = 0; row < wanted.length; row++) {
    if (wanted[row] === 0) continue;
    sum +=
      (1 + (boxes[4 * row + 2]! - boxes[4 * row]!) * scaleX) *
      (1 + (boxes[4 * row + 3]! - boxes[4 * row + 1]!) * scaleY);
  }
  return sum;
}

/** Whether rows of a type can be in a grid. */
export function isPolygonal(type: number): boolean {
  return type === POLYGON || type === MULTI_POLYGON;
}

/** Without extent, or with one beyond numbers, all is in the first column or row. */
function usable(scale: number): number {
  return Number.isFinite(scale) ? scale : 0;
}

/** Grows with the coordinate: what lies between two coordinates lies between their cells. */
function cellOf(value: number, min: number, scale: number, count: number): number {
  const cell = ((value - min) * scale) | 0;
  return cell >= count ? count - 1 : cell < 0 ? 0 : cell;
}

/** Collects which rows are in which cells. */
class Painter {
  readonly #chunks: EdgeChunks;
  readonly #minX: number;
  readonly #minY: number;
  readonly #scaleX: number;
  readonly #scaleY: number;
  readonly #columns: number;
  readonly #rows: number;
  /** Last row whose edge touched each cell, plus 1. */
  readonly #touched: Int32Array;
  #cellList = new Int32Array(1024);
  #entryList = new Int32Array(1024);
  #count = 0;

  constructor(
    chunks: EdgeChunks,
    minX: number,
    minY: number,
    scaleX: number,
    scaleY: number,
    columns: number,
    rows: number,
  ) {
    this.#chunks = chunks;
    this.#minX = minX;
    this.#minY = minY;
    this.#scaleX = scaleX;
    this.#scaleY = scaleY;
    this.#columns = columns;
    this.#rows = rows;
    this.#touched = new Int32Array(columns * rows);
  }

  paint(row: number, boxes: Float64Array): void {
    const columns = this.#columns;
    const minX = this.#minX;
    const minY = this.#minY;
    const scaleX = this.#scaleX;
    const scaleY = this.#scaleY;
    const firstColumn = cellOf(boxes[4 * row]!, minX, scaleX, columns);
    const lastColumn = cellOf(boxes[4 * row + 2]!, minX, scaleX, columns);
    const firstRow = cellOf(boxes[4 * row + 1]!, minY, scaleY, this.#rows);
    const lastRow = cellOf(boxes[4 * row + 3]!, minY, scaleY, this.#rows);
    const touched = this.#touched;
    const mark = row + 1;
    if (firstColumn === lastColumn && firstRow === lastRow) {
      touched[firstRow * columns + firstColumn] = mark;
      this.#add(firstRow * columns + firstColumn, 2 * row);
      return;
    }
    this.#paintEdges(row);
    for (let r = firstRow; r <= lastRow; r++) {
      // Cells in a row between touched ones are all inside or all outside: one point tells.
      let known = false;
      let inside = false;
      for (let c = firstColumn; c <= lastColumn; c++) {
        const cell = r * columns + c;
        if (touched[cell] === mark) {
          known = false;
          this.#add(cell, 2 * row);
          continue;
        }
        if (!known) {
          known = true;
          inside =
            locateInRow(this.#chunks, row, minX + (c + 0.5) / scaleX, minY + (r + 0.5) / scaleY) === INSIDE;
        }
        if (inside) this.#add(cell, 2 * row + 1);
      }
    }
  }

  /** Mark every cell that a closed edge of the row has a point in, and maybe a few more. */
  #paintEdges(row: number): void {
    const { geometries, parts, rings, xy } = this.#chunks.column;
    const columns = this.#columns;
    const rows = this.#rows;
    const minX = this.#minX;
    const minY = this.#minY;
    const scaleX = this.#scaleX;
    const scaleY = this.#scaleY;
    const touched = this.#touched;
    const mark = row + 1;
    for (let ring = parts[geometries[row]!]!; ring < parts[geometries[row + 1]!]!; ring++) {
      const last = rings[ring + 1]! - 1;
      for (let v = rings[ring]!; v < last; v++) {
        const x1 = xy[2 * v]!;
        const y1 = xy[2 * v + 1]!;
        const x2 = xy[2 * v + 2]!;
        const y2 = xy[2 * v + 3]!;
        const c1 = cellOf(x1 < x2 ? x1 : x2, minX, scaleX, columns);
        const c2 = cellOf(x1 < x2 ? x2 : x1, minX, scaleX, columns);
        const r1 = cellOf(y1 < y2 ? y1 : y2, minY, scaleY, rows);
        const r2 = cellOf(y1 < y2 ? y2 : y1, minY, scaleY, rows);
        if (c1 === c2 || r1 === r2 || (c2 - c1 === 1 && r2 - r1 === 1)) {
          for (let r = r1; r <= r2; r++) for (let c = c1; c <= c2; c++) touched[r * columns + c] = mark;
          continue;
        }
        // In cells, from the left end.
        const fromX = ((x1 < x2 ? x1 : x2) - minX) * scaleX;
        const fromY = ((x1 < x2 ? y1 : y2) - minY) * scaleY;
        const slope = (((x1 < x2 ? y2 : y1) - (x1 < x2 ? y1 : y2)) * scaleY) / (Math.abs(x2 - x1) * scaleX);
        const margin = MARGIN + Math.abs(slope) * MARGIN_PER_SLOPE;
        for (let c = c1; c <= c2; c++) {
          const a = fromY + (c - fromX) * slope;
          const low = Math.max(r1, Math.floor(Math.min(a, a + slope) - margin));
          const high = Math.min(r2, Math.floor(Math.max(a, a + slope) + margin));
          for (let r = low; r <= high; r++) touched[r * columns + c] = mark;
        }
      }
    }
  }

  #add(cell: number, entry: number): void {
    if (this.#count === this.#cellList.length) {
      const cells = new Int32Array(2 * this.#count);
      cells.set(this.#cellList);
      this.#cellList = cells;
      const entries = new Int32Array(2 * this.#count);
      entries.set(this.#entryList);
      this.#entryList = entries;
    }
    this.#cellList[this.#count] = cell;
    this.#entryList[this.#count++] = entry;
  }

  finish(): Pick<PolygonGrid, "cells" | "starts" | "entries"> {
    const cells = new Int32Array(this.#columns * this.#rows);
    const count = this.#count;
    const cellList = this.#cellList;
    const entryList = this.#entryList;
    for (let k = 0; k < count; k++) cells[cellList[k]!]!++;
    // Cells with one entry that covers them hold the row itself, all others a place in the list.
    let lists = 0;
    for (let cell = 0; cell < cells.length; cell++) if (cells[cell]! > 0) lists++;
    const starts = new Int32Array(lists + 1);
    let list = 0;
    let total = 0;
    for (let cell = 0; cell < cells.length; cell++) {
      const here = cells[cell]!;
      if (here === 0) {
        cells[cell] = NOTHING;
        continue;
      }
      cells[cell] = -2 - list;
      starts[list++] = total;
      total += here;
    }
    starts[lists] = total;
    const entries = new Int32Array(total);
    const next = starts.slice();
    for (let k = 0; k < count; k++) entries[next[-2 - cells[cellList[k]!]!]!++] = entryList[k]!;
    for (let cell = 0; cell < cells.length; cell++) {
      const k = -2 - cells[cell]!;
      if (k >= 0 && starts[k + 1]! - starts[k]! === 1 && (entries[starts[k]!]! & 1) === 1)
        cells[cell] = entries[starts[k]!]! >> 1;
    }
    return { cells, starts, entries };
  }
}

/** A cell without polygons. */
const NOTHING = -1;

/** The value of the cell that a point is in: see {@link PolygonGrid.cells}; -1 outside the grid. */
export function cellAt(grid: PolygonGrid, x: number, y: number): number {
  if (!(x >= grid.minX && x <= grid.maxX && y >= grid.minY && y <= grid.maxY)) return NOTHING;
  const column = cellOf(x, grid.minX, grid.scaleX, grid.columns);
  return grid.cells[cellOf(y, grid.minY, grid.scaleY, grid.rows) * grid.columns + column]!;
}

/** Where a point lies in the polygons of a row. Strips are made for rows that are worth it. Exact. */
export function locateInGridRow(grid: PolygonGrid, row: number, x: number, y: number): -1 | 0 | 1 {
  const slabs = grid.slabs[row] === undefined ? makeSlabs(grid, row) : grid.slabs[row];
  return slabs === null ? locateInRow(grid.chunks, row, x, y) : locateInSlabs(slabs!, x, y);
}

/** Whether a row holds the point moved by a symbolic hair to the right and up; see {@link holdsHalfOpen}. Exact. */
export function rowHoldsHalfOpen(grid: PolygonGrid, row: number, x: number, y: number): boolean {
  const slabs = grid.slabs[row] === undefined ? makeSlabs(grid, row) : grid.slabs[row];
  return slabs === null ? holdsHalfOpen(grid.chunks, row, x, y) : slabsHoldHalfOpen(slabs!, x, y);
}

function makeSlabs(grid: PolygonGrid, row: number): RowSlabs | null {
  const { geometries, parts, rings } = grid.chunks.column;
  const vertices = rings[parts[geometries[row + 1]!]!]! - rings[parts[geometries[row]!]!]!;
  const slabs = vertices < SLAB_VERTICES ? null : rowSlabs(grid.chunks, row);
  grid.slabs[row] = slabs;
  return slabs;
}
