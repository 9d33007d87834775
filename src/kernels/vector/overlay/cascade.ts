import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  memberPartsEnd,
  POLYGON,
  typeDimension,
} from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { buildBoxTree } from "../box-tree.ts";
import { nodeFloating } from "../noding/floating.ts";
import { type Heights, writePolygonRows } from "./canonical.ts";
import { fillRings } from "./fill.ts";
import type { OverlayGrid } from "./grid.ts";
import { rowHeights } from "./heights.ts";
import { AREAS, rowBox } from "./input.ts";
import { acquire, FLOATING, type OverlayReport, release, repairedReport, worseReport } from "./ladder.ts";
import type { OverlayOperation } from "./select.ts";

/** One valid polygon and its box. */
export interface Piece {
  readonly column: GeometryColumn;
  readonly row: number;
  readonly box: Float64Array;
}

/** Polygons that do not overlap, and the worst rung that was needed for them. */
export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly report: OverlayReport;
}

/** The polygons of a column, one a row. */
export function piecesOf(column: GeometryColumn): Piece[] {
  const out: Piece[] = [];
  for (let row = 0; row < column.types.length; row++) {
    const box = new Float64Array(4);
    rowBox(column, row, box);
    if (box[0]! <= box[2]!) out.push({ column, row, box });
  }
  return out;
}

/**
 * Areas of some rows, each a set of polygons that do not overlap, united two by two, neighbours first, in a tree; of every
 * two only the polygons that are near the other take part.
 */
export function unitePieces(sets: readonly Pieces[], grid: OverlayGrid): Pieces {
  let report = FLOATING;
  let level: (readonly Piece[])[] = nearbyOrder(sets.map((set) => set.pieces));
  for (const set of sets) report = worseReport(report, set.report);
  while (level.length > 1) {
    const next: (readonly Piece[])[] = [];
    for (let k = 0; k < level.length; k += 2) {
      const a = level[k]!;
      const b = level[k + 1];
      if (b === undefined) next.push(a);
      else {
        const united = unitePair(a, b, grid);
        report = worseReport(report, united.report);
        next.push(united.pieces);
      }
    }
    level = next;
  }
  return { pieces: level[0] ?? [], report };
}

function unitePair(a: readonly Piece[], b: readonly Piece[], grid: OverlayGrid): Pieces {
  const boxA = boxOf(a);
  const boxB = boxOf(b);
  const out: Piece[] = [];
  const near: Piece[] = [];
  const engine = acquire();
  engine.input.scale = grid.scale;
  let fromA = 0;
  for (const piece of a) {
    if (!boxesMeet(piece.box, boxB)) out.push(piece);
    else {
      near.push(piece);
      fromA++;
    }
  }
  let fromB = 0;
  for (const piece of b) {
    if (fromA === 0 || !boxesMeet(piece.box, boxA)) out.push(piece);
    else {
      near.push(piece);
      fromB++;
    }
  }
  if (fromA === 0 || fromB === 0) {
    release(engine);
    return { pieces: [...out, ...near], report: FLOATING };
  }
  for (let k = 0; k < near.length; k++)
    engine.input.add(near[k]!.column, near[k]!.row, k < fromA ? 0 : 1, AREAS, null);
  const report = engine.run("union", "positive", true, grid.cell);
  const builder = new GeometryBuilder();
  writePolygonRows(engine.result, builder, grid.unit, rowHeights(near));
  release(engine);
  out.push(...piecesOf(builder.finish()));
  return { pieces: out, report };
}

/**
 * The areas of a row that are not valid, or members of a collection that overlap: each ring taken as all that it winds
 * around (the non-zero rule); of rings that meet the shell less the holes; rings that do not meet the others are holes where they
 * lie inside and islands where they lie outside or in a hole; polygons are united.
 */
export function resolveAreas(column: GeometryColumn, row: number, grid: OverlayGrid): Pieces {
  const sets: Pieces[] = [];
  const { collections, geometries, types } = column;
  if (types[row] !== GEOMETRY_COLLECTION) {
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++)
      sets.push(resolvePolygon(column, row, p, grid));
  } else {
    for (let k = collections!.rows[row]!; k < collections!.rows[row + 1]!; k++) {
      if (typeDimension(collections!.types[k]!) !== 2) continue;
      for (let p = collections!.members[k]!; p < memberPartsEnd(column, row, k); p++)
        sets.push(resolvePolygon(column, row, p, grid));
    }
  }
  return unitePieces(sets, grid);
}

function resolvePolygon(column: GeometryColumn, row: number, part: number, grid: OverlayGrid): Pieces {
  const { parts, xy } = column;
  const heights = column.z === null ? null : rowHeights([{ column, row }]);
  // All rings at once, which is right for valid polygons; else ring by ring.
  const engine = acquire();
  engine.input.scale = grid.scale;
  for (let r = parts[part]!; r < parts[part + 1]!; r++)
    engine.input.addRing(xy, column.rings[r]!, column.rings[r + 1]!, 0, r === parts[part] ? 1 : -1, null);
  const report = engine.run("union", "positive", true, grid.cell);
  const valid = !engine.odd[0];
  const builder = new GeometryBuilder();
  if (valid) writePolygonRows(engine.result, builder, grid.unit, heights);
  release(engine);
  if (valid) return { pieces: piecesOf(builder.finish()), report };
  // Groups of rings that meet; each its shell, if it has it, less its holes, or its holes together.
  const first = parts[part]!;
  let out: Pieces | null = null;
  for (const group of ringGroups(column, part)) {
    const filled: Pieces[] = [];
    for (const r of group) {
      const rings = { xy, starts: column.rings.subarray(r, r + 2) };
      const filling = fillRings(rings, "non-zero", builder, { grid: grid.asked, heights });
      filled.push({ pieces: polygonsOf(builder.finish()), report: filling });
    }
    // Holes of nothing are nothing.
    if (group[0] === first && filled[0]!.pieces.length === 0)
      return { pieces: [], report: repairedReport(filled[0]!.report) };
    const area =
      group[0] === first
        ? combinePieces("difference", filled[0]!, unitePieces(filled.slice(1), grid), grid, heights)
        : unitePieces(filled, grid);
    // One in the other: a hole, or an island.
    out = out === null ? area : combinePieces("symmetric-difference", out, area, grid, heights);
  }
  return { pieces: out!.pieces, report: repairedReport(out!.report) };
}

function combinePieces(
  operation: OverlayOperation,
  a: Pieces,
  b: Pieces,
  grid: OverlayGrid,
  heights: Heights | null,
): Pieces {
  if (b.pieces.length === 0) return a;
  const engine = acquire();
  engine.input.scale = grid.scale;
  for (const piece of a.pieces) engine.input.add(piece.column, piece.row, 0, AREAS, null);
  for (const piece of b.pieces) engine.input.add(piece.column, piece.row, 1, AREAS, null);
  const report = engine.run(operation, "positive", true, grid.cell);
  const builder = new GeometryBuilder();
  writePolygonRows(engine.result, builder, grid.unit, heights);
  release(engine);
  return { pieces: piecesOf(builder.finish()), report: worseReport(report, worseReport(a.report, b.report)) };
}

/** Rings of a polygon in groups of those that meet each other, the shell's group first. */
function ringGroups(column: GeometryColumn, part: number): number[][] {
  const { parts, rings, xy } = column;
  const first = parts[part]!;
  const count = parts[part + 1]! - first;
  const starts = rings.subarray(first, first + count + 1);
  const noded = nodeFloating({ xy, starts, tags: Int32Array.from({ length: count }, (_, r) => r) });
  const group = Int32Array.from({ length: count }, (_, r) => r);
  const top = (r: number): number => {
    let at = r;
    while (group[at] !== at) at = group[at]!;
    group[r] = at;
    return at;
  };
  // Rings with an end of a piece in common meet.
  const seen = new Map<string, number>();
  for (let s = 0; s < noded.tags.length; s++) {
    for (const v of [noded.starts[s]!, noded.starts[s + 1]! - 1]) {
      const key = `${noded.xy[2 * v]} ${noded.xy[2 * v + 1]}`;
      const other = seen.get(key);
      if (other === undefined) seen.set(key, noded.tags[s]!);
      else {
        const a = top(other);
        const b = top(noded.tags[s]!);
        group[Math.max(a, b)] = Math.min(a, b);
      }
    }
  }
  const groups = new Map<number, number[]>();
  for (let r = 0; r < count; r++) {
    const own = groups.get(top(r));
    if (own === undefined) groups.set(top(r), [first + r]);
    else own.push(first + r);
  }
  return [...groups.values()];
}

/**
 * The areas of a row as valid polygons that do not overlap: all at once, or, of a collection and when they do
 * overlap or are not valid, polygon by polygon.
 */
export function validAreas(column: GeometryColumn, row: number, grid: OverlayGrid): Pieces {
  if (column.types[row] === GEOMETRY_COLLECTION) return resolveAreas(column, row, grid);
  const engine = acquire();
  engine.input.scale = grid.scale;
  engine.input.add(column, row, 0, AREAS, null);
  if (engine.input.strings === 0) {
    release(engine);
    return { pieces: [], report: FLOATING };
  }
  const report = engine.run("union", "positive", true, grid.cell);
  const valid = !engine.odd[0];
  const builder = new GeometryBuilder();
  if (valid) {
    const heights = column.z === null ? null : rowHeights([{ column, row }]);
    writePolygonRows(engine.result, builder, grid.unit, heights);
  }
  release(engine);
  return valid ? { pieces: piecesOf(builder.finish()), report } : resolveAreas(column, row, grid);
}

/** A row of valid polygons as pieces of one polygon each. */
export function polygonsOf(column: GeometryColumn): Piece[] {
  const builder = new GeometryBuilder();
  const { parts, rings, xy, z } = column;
  for (let p = 0; p + 1 < parts.length; p++) {
    builder.begin(POLYGON);
    builder.part();
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      builder.ring();
      if (z === null) builder.vertices2d(xy, rings[r]!, rings[r + 1]! - rings[r]!);
      else for (let v = rings[r]!; v < rings[r + 1]!; v++) builder.vertex(xy[2 * v]!, xy[2 * v + 1]!, z[v]!);
    }
    builder.end();
  }
  return piecesOf(builder.finish());
}

/** Sets along a Hilbert curve through the centres of their boxes, so that neighbours come together. */
function nearbyOrder(sets: readonly (readonly Piece[])[]): (readonly Piece[])[] {
  const filled = sets.filter((set) => set.length > 0);
  if (filled.length < 3) return filled;
  const boxes = new Float64Array(4 * filled.length);
  for (let k = 0; k < filled.length; k++) boxes.set(boxOf(filled[k]!), 4 * k);
  const { items } = buildBoxTree(boxes);
  const out: (readonly Piece[])[] = [];
  for (let k = 0; k < filled.length; k++) out.push(filled[items[k]!]!);
  return out;
}

function boxOf(pieces: readonly Piece[]): Float64Array {
  const out = new Float64Array([Infinity, Infinity, -Infinity, -Infinity]);
  for (const { box } of pieces) {
    if (box[0]! < out[0]!) out[0] = box[0]!;
    if (box[1]! < out[1]!) out[1] = box[1]!;
    if (box[2]! > out[2]!) out[2] = box[2]!;
    if (box[3]! > out[3]!) out[3] = box[3]!;
  }
  return out;
}

function boxesMeet(a: Float64Array, b: Float64Array): boolean {
  return a[0]! <= b[2]! && b[0]! <= a[2]! && a[1]! <= b[3]! && b[1]! <= a[3]!;
}
