import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  NULL_GEOMETRY,
  POINT,
  rowBounds,
  typeDimension,
} from "../../../model/geometry.ts";
import { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { lineMeets, polygonMeets, relatePolygon } from "../classify.ts";
import { clipLine, newLinePieces, pieceOf, writePieces } from "../clip-line.ts";
import { newCuts } from "../cut-segment.ts";
import { gridOf, INSIDE, locate, OUTSIDE, type PreparedRegion, prepareRegion } from "../region.ts";
import { BoxCutter, rectangleOf } from "./cut-box.ts";
import { PolygonCutter } from "./cut-polygon.ts";
import { type RegionGrid, stateOfBox } from "./grid.ts";
import { isAll, type OverlaidPart, overlayPart, partsArea, writeOverlaid } from "./overlay-part.ts";

/**
 * What becomes of a feature that crosses the region's boundary.
 *
 * - `"cut"`: the part inside is kept.
 * - `"whole"`: every feature that has a point in common with the region is kept as it is.
 * - `"inside"`: only features that the region covers are kept, as they are.
 */
export type Keep = "cut" | "whole" | "inside";

/**
 * Which polygons that cutting made are slivers: those below every limit that is given. Only parts that were cut count;
 * whole features are never slivers.
 */
export interface Slivers {
  /** Planar area, in units of the coordinates squared. */
  readonly minArea?: number | undefined;
  /** Mean width, in units of the coordinates: twice the area over the length of the outline. */
  readonly minWidth?: number | undefined;
  /** 0 to 1, of a circle (Polsby and Popper): 4 pi times the area over the square of the length of the outline. */
  readonly compactness?: number | undefined;
}

/** A part that was removed as a sliver. */
export type Sliver = {
  /** Row of its feature in the source as it was read. */
  readonly row: number;
  readonly area: number;
  readonly width: number;
  readonly compactness: number;
};

/** How rows are clipped. */
export interface ClipRules {
  readonly keep: Keep;
  /** Drop what is left of a feature in a lower dimension than its own. */
  readonly keepType: boolean;
  readonly slivers: Slivers | null;
}

/** What came of the rows of one column. Counts are as in the report of `clipFeatures`. */
export interface ClippedRows {
  /** Rows that are left, rising. */
  readonly rows: Int32Array;
  /** One geometry for each of them. */
  readonly geometry: GeometryColumn;
  readonly counts: ClipCounts;
  readonly slivers: readonly Sliver[];
  /** About single features. */
  readonly warnings: readonly string[];
}

export interface ClipCounts {
  cut: number;
  untouched: number;
  repaired: number;
  nullGeometries: number;
  droppedParts: number;
  overlays: { followed: number; floating: number; snapping: number; snapRounding: number };
  rung: number;
}

export function newClipCounts(): ClipCounts {
  return {
    cut: 0,
    untouched: 0,
    repaired: 0,
    nullGeometries: 0,
    droppedParts: 0,
    overlays: { followed: 0, floating: 0, snapping: 0, snapRounding: 0 },
    rung: 0,
  };
}

/** Warnings about single features that one column gives at the most. */
export const MOST_WARNINGS = 20;

/** What became of a part of a feature. The pieces of one that was cut are in the scratch of the clipper until the next. */
const GONE = 0;
const WHOLE = 1;
const LINE_CUT = 2;
const POLYGON_CUT = 3;
const POLYGON_OVERLAID = 4;
type Fate = typeof GONE | typeof WHOLE | typeof LINE_CUT | typeof POLYGON_CUT | typeof POLYGON_OVERLAID;

/** Cuts columns of geometries by one region; holds the scratch, so it serves one caller at a time. */
export class Clipper {
  readonly #region: PreparedRegion;
  readonly #keep: Keep;
  readonly #keepType: boolean;
  readonly #slivers: Slivers | null;
  #counts = newClipCounts();
  #found: Sliver[] = [];
  #warnings: string[] = [];
  readonly #grid: RegionGrid;
  readonly #rectangle: readonly [number, number, number, number] | null;
  readonly #cutter: PolygonCutter;
  readonly #boxCutter: BoxCutter | null;
  readonly #cuts = newCuts();
  readonly #pieces = newLinePieces();
  /** Result of the last overlay. */
  #overlaid: OverlaidPart | null = null;
  /** Whether a part of the row at hand was not valid. */
  #repaired = false;
  /** Row at hand, counted over all batches of the pass. */
  #row = 0;
  #fresh = new GeometryBuilder();

  constructor(geometry: GeometryColumn, { keep, keepType, slivers }: ClipRules) {
    const region = prepareRegion(geometry);
    this.#region = region;
    this.#keep = keep;
    this.#keepType = keepType;
    this.#slivers = slivers;
    this.#grid = gridOf(region);
    this.#rectangle = rectangleOf(region);
    this.#cutter = new PolygonCutter(region);
    this.#boxCutter = this.#rectangle === null ? null : new BoxCutter(this.#rectangle);
  }

  /** Polygons of the region. */
  get polygons(): number {
    return this.#region.polygons;
  }

  /** @param firstRow  Row of the layer that row 0 of the column is, for messages. */
  clip(column: GeometryColumn, firstRow: number): ClippedRows {
    const counts = newClipCounts();
    const rows = new Int32Array(column.types.length);
    let n = 0;
    this.#counts = counts;
    this.#found = [];
    this.#warnings = [];
    const builder = new GeometryBuilder();
    const boxes = rowBounds(column);
    for (let row = 0; row < rows.length; row++) {
      if (column.types[row] === NULL_GEOMETRY) {
        counts.nullGeometries++;
        continue;
      }
      const minX = boxes[4 * row]!;
      const maxX = boxes[4 * row + 2]!;
      // No vertex, or none that is a number.
      if (!(minX <= maxX)) continue;
      const state = this.#stateOfBox(minX, boxes[4 * row + 1]!, maxX, boxes[4 * row + 3]!);
      if (state === OUTSIDE) continue;
      this.#row = firstRow + row;
      this.#repaired = false;
      const kept = state === INSIDE || this.#clipRow(column, row, builder);
      if (kept === false) continue;
      rows[n++] = row;
      if (kept === true) {
        builder.copy(column, row);
        counts.untouched++;
      } else {
        counts.cut++;
        if (this.#repaired) counts.repaired++;
      }
    }
    return {
      rows: rows.slice(0, n),
      geometry: builder.finish(),
      counts,
      slivers: this.#found,
      warnings: this.#warnings,
    };
  }

  #stateOfBox(minX: number, minY: number, maxX: number, maxY: number): -1 | 0 | 1 {
    const box = this.#rectangle;
    if (box === null) return stateOfBox(this.#grid, minX, minY, maxX, maxY);
    if (minX > box[2] || minY > box[3] || maxX < box[0] || maxY < box[1]) return OUTSIDE;
    return minX >= box[0] && minY >= box[1] && maxX <= box[2] && maxY <= box[3] ? INSIDE : 0;
  }

  /** `true`: keep the row as it is; `false`: drop it; `"cut"`: written to `builder`. */
  #clipRow(column: GeometryColumn, row: number, builder: GeometryBuilder): boolean | "cut" {
    const { geometries } = column;
    if (this.#keep === "whole")
      return somePart(column, row, (part, dimension) => this.#meets(column, part, dimension));
    if (this.#keep === "inside")
      return !somePart(column, row, (part, dimension) => !this.#covers(column, part, dimension));
    const type = column.types[row] as GeometryType;
    if (type === GEOMETRY_COLLECTION || this.#slivers !== null || geometries[row + 1]! - geometries[row]! > 1)
      return this.#cutParts(column, row, builder);
    const part = geometries[row]!;
    const remains: Remains = { points: [], lines: [] };
    const fate = this.#cutPart(column, part, typeDimension(type), remains);
    if (fate === WHOLE) return true;
    if (fate === GONE) return this.#keepType ? false : writeRemains(remains, builder);
    const count = this.#countOf(fate);
    const simple = (type < MULTI_POINT ? type : type - 3) as GeometryType;
    builder.begin((type === simple && count === 1 ? simple : simple + 3) as GeometryType);
    this.#writeCut(fate, column, part, builder);
    builder.end();
    return "cut";
  }

  #meets(column: GeometryColumn, part: number, dimension: number): boolean {
    const { xy, rings, parts } = column;
    const start = rings[parts[part]!]!;
    const end = rings[parts[part + 1]!]!;
    if (start === end) return false;
    if (dimension === 0) return this.#locate(xy[2 * start]!, xy[2 * start + 1]!) !== OUTSIDE;
    const near = this.#finite(column, part, dimension);
    if (near === null) return false;
    const first = near.rings[near.parts[near === column ? part : 0]!]!;
    if (dimension === 1)
      return lineMeets(
        near.xy,
        first,
        near.rings[near.parts[near === column ? part + 1 : 1]!]!,
        this.#region,
      );
    return polygonMeets(near, near === column ? part : 0, this.#region);
  }

  #covers(column: GeometryColumn, part: number, dimension: number): boolean {
    const { xy, rings, parts } = column;
    const start = rings[parts[part]!]!;
    const end = rings[parts[part + 1]!]!;
    if (start === end) return false;
    if (dimension === 0) return this.#locate(xy[2 * start]!, xy[2 * start + 1]!) !== OUTSIDE;
    if (!allFinite(xy, start, end)) return false;
    if (dimension === 1) {
      clipLine(column, start, end, this.#region, this.#cuts, this.#pieces);
      return this.#pieces.whole;
    }
    const { relation, leaves } = relatePolygon(column, part, this.#region, this.#cuts);
    if (relation !== "crossing") return relation === "inside";
    if (leaves || this.#region.polygons === 1) return false;
    return isAll(column, part, overlayPart(column, part, this.#region));
  }

  #locate(x: number, y: number): number {
    return Number.isFinite(x) && Number.isFinite(y) ? locate(this.#region, x, y) : OUTSIDE;
  }

  /** The column, or when vertices of the part are not finite one of the part without them; `null` when nothing is left. */
  #finite(column: GeometryColumn, part: number, dimension: number): GeometryColumn | null {
    const { xy, rings, parts, z, m } = column;
    if (allFinite(xy, rings[parts[part]!]!, rings[parts[part + 1]!]!)) return column;
    this.#repaired = true;
    const builder = new GeometryBuilder();
    builder.begin((dimension + 1) as GeometryType);
    builder.part();
    let left = 0;
    for (let r = parts[part]!; r < parts[part + 1]!; r++) {
      builder.ring();
      for (let v = rings[r]!; v < rings[r + 1]!; v++) {
        if (!allFinite(xy, v, v + 1)) continue;
        builder.vertex(xy[2 * v]!, xy[2 * v + 1]!, z?.[v], m?.[v]);
        left++;
      }
    }
    builder.end();
    return left > dimension ? builder.finish() : null;
  }

  /** Cut one part. Its pieces are in the scratch that the fate says; lower dimensions go to `remains`. */
  #cutPart(column: GeometryColumn, part: number, dimension: number, remains: Remains): Fate {
    const { xy, rings, parts } = column;
    const start = rings[parts[part]!]!;
    const end = rings[parts[part + 1]!]!;
    if (start === end) return GONE;
    if (dimension === 0) return this.#locate(xy[2 * start]!, xy[2 * start + 1]!) === OUTSIDE ? GONE : WHOLE;
    if (dimension === 1) {
      const line = this.#finite(column, part, 1);
      if (line === null) return GONE;
      const pieces = this.#pieces;
      clipLine(
        line,
        line === column ? start : 0,
        line === column ? end : line.xy.length / 2,
        this.#region,
        this.#cuts,
        pieces,
      );
      if (pieces.pieces === 0) {
        // A line of one vertex has no pieces and may be inside all the same.
        if (pieces.whole && line === column) return WHOLE;
        if (pieces.touches.length > 0) this.#remainder(remains, pieces.touches, null);
        return GONE;
      }
      return pieces.whole && line === column ? WHOLE : LINE_CUT;
    }
    const cutter = this.#cutter;
    cutter.result.clear();
    const outcome = cutter.cut(column, part);
    if (outcome === "inside") return WHOLE;
    if (outcome === "outside") return GONE;
    if (outcome === "cut") {
      this.#counts.overlays.followed++;
      return POLYGON_CUT;
    }
    return this.#cutSpecial(column, part, remains);
  }

  /** Cut a polygon whose outline touches the region's, or which is not valid. */
  #cutSpecial(column: GeometryColumn, part: number, remains: Remains): Fate {
    const { xy, rings, parts } = column;
    const region = this.#region;
    const finite = allFinite(xy, rings[parts[part]!]!, rings[parts[part + 1]!]!);
    if (finite) {
      const { relation, leaves } = relatePolygon(column, part, region, this.#cuts);
      if (relation === "inside") return WHOLE;
      if (relation === "outside") return GONE;
      if (relation === "touching") {
        this.#counts.droppedParts++;
        if (!this.#keepType) this.#touchOf(column, part, remains);
        return GONE;
      }
      const { result } = this.#cutter;
      if (
        this.#boxCutter !== null &&
        this.#cutter.simple &&
        this.#boxCutter.cut(this.#cutter.polygon, result)
      ) {
        this.#counts.overlays.followed++;
        return result.polygons === 0 ? GONE : POLYGON_CUT;
      }
      const overlaid = this.#overlay(column, part);
      if (!leaves && region.polygons > 1 && isAll(column, part, overlaid)) return WHOLE;
    } else this.#overlay(column, part);
    const overlaid = this.#overlaid!;
    if (overlaid.more) {
      this.#counts.droppedParts++;
      if (!this.#keepType) takeRemains(overlaid, remains);
    }
    return overlaid.polygons === 0 ? GONE : POLYGON_OVERLAID;
  }

  #overlay(column: GeometryColumn, part: number): OverlaidPart {
    const overlaid = overlayPart(column, part, this.#region);
    this.#overlaid = overlaid;
    const { rung, method, repaired } = overlaid.report;
    const warnings = this.#warnings;
    const { overlays } = this.#counts;
    if (method === "floating") overlays.floating++;
    else if (method === "snapping") overlays.snapping++;
    else overlays.snapRounding++;
    this.#counts.rung = Math.max(this.#counts.rung, rung);
    if (!this.#cutter.loaded || (repaired && !this.#cutter.simple)) this.#repaired = true;
    if (rung > 0 && warnings.length < MOST_WARNINGS)
      warnings.push(
        `a polygon of row ${this.#row} was cut with its vertices moved to a grid (rung ${rung}, ${method})`,
      );
    return overlaid;
  }

  /** Pieces that a part was cut into. */
  #countOf(fate: Fate): number {
    if (fate === LINE_CUT) return this.#pieces.pieces;
    if (fate === POLYGON_CUT) return this.#cutter.result.polygons;
    return fate === POLYGON_OVERLAID ? this.#overlaid!.polygons : fate;
  }

  #writeCut(fate: Fate, column: GeometryColumn, part: number, builder: GeometryBuilder): void {
    if (fate === LINE_CUT) writePieces(this.#pieces, builder);
    else if (fate === POLYGON_CUT) this.#cutter.result.write(column, part, builder);
    else if (fate === POLYGON_OVERLAID) writeOverlaid(this.#overlaid!, column, part, builder);
    else copyPart(column, part, builder);
  }

  /** A row of several parts: what is left of them goes to a row of its own first, since its type depends on their number. */
  #cutParts(column: GeometryColumn, row: number, builder: GeometryBuilder): boolean | "cut" {
    const remains: Remains = { points: [], lines: [] };
    const fresh = this.#fresh;
    const left: { dimension: number; count: number; cut: boolean }[] = [];
    let whole = true;
    let parts = 0;
    fresh.begin(MULTI_POLYGON);
    for (const [part, dimension] of partsOf(column, row)) {
      parts++;
      const fate = this.#cutPart(column, part, dimension, remains);
      if (fate !== WHOLE) whole = false;
      if (fate === GONE) continue;
      left.push({ dimension, count: this.#countOf(fate), cut: fate !== WHOLE });
      this.#writeCut(fate, column, part, fresh);
    }
    fresh.end();
    const pieces = fresh.finish();
    if (whole && parts > 0) return true;
    const slivers = this.#slivers === null ? null : this.#findSlivers(this.#slivers, pieces, left);
    const type = column.types[row] as GeometryType;
    let count = 0;
    for (const piece of left) count += piece.count;
    if (count === 0) return this.#keepType || slivers !== null ? false : writeRemains(remains, builder);
    if (type === GEOMETRY_COLLECTION) builder.begin(type);
    else builder.begin((type < MULTI_POINT && count > 1 ? type + 3 : type) as GeometryType);
    let p = 0;
    for (const { dimension, count } of left) {
      if (count > 0 && type === GEOMETRY_COLLECTION)
        builder.member(((count > 1 ? MULTI_POINT : POINT) + dimension) as GeometryType);
      for (let k = 0; k < count; p++) {
        if (slivers !== null && slivers[p] === 1) continue;
        copyPart(pieces, p, builder);
        k++;
      }
      while (slivers !== null && slivers[p] === 1) p++;
    }
    builder.end();
    return "cut";
  }

  /** Mark the polygons that were cut off too small or thin, list them in the report, and take them off the counts. */
  #findSlivers(
    slivers: Slivers,
    pieces: GeometryColumn,
    left: { dimension: number; count: number; cut: boolean }[],
  ): Uint8Array | null {
    const marks = new Uint8Array(pieces.parts.length - 1);
    let found = false;
    let p = 0;
    for (const piece of left) {
      const { count } = piece;
      for (let k = 0; k < count; k++, p++) {
        if (piece.dimension !== 2 || !piece.cut) continue;
        const sliver = sliverOf(slivers, pieces, p, this.#row);
        if (sliver === null) continue;
        marks[p] = 1;
        found = true;
        piece.count--;
        this.#found.push(sliver);
      }
    }
    return found ? marks : null;
  }

  #remainder(remains: Remains, points: readonly number[], line: Float64Array | null): void {
    if (this.#keepType) this.#counts.droppedParts++;
    else {
      remains.points.push(...points);
      if (line !== null) remains.lines.push([...line]);
    }
  }

  /** Points and lines where a polygon part touches the region from outside. */
  #touchOf(column: GeometryColumn, part: number, remains: Remains): void {
    const { parts, rings } = column;
    const pieces = this.#pieces;
    for (let r = parts[part]!; r < parts[part + 1]!; r++) {
      clipLine(column, rings[r]!, rings[r + 1]!, this.#region, this.#cuts, pieces);
      for (let k = 0; k < pieces.pieces; k++) remains.lines.push([...pieceOf(pieces, k)]);
      remains.points.push(...pieces.touches);
    }
  }
}

/** Parts of a row with their dimension, members of collections by their own. */
function* partsOf(column: GeometryColumn, row: number): Generator<[part: number, dimension: number]> {
  const { types, geometries, collections } = column;
  let dimension = typeDimension(types[row]!);
  let member = collections === null ? 0 : collections.rows[row]!;
  const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    while (member < memberEnd && collections!.members[member]! <= p)
      dimension = typeDimension(collections!.types[member++]!);
    yield [p, dimension];
  }
}

function somePart(
  column: GeometryColumn,
  row: number,
  test: (part: number, dimension: number) => boolean,
): boolean {
  for (const [part, dimension] of partsOf(column, row)) if (test(part, dimension)) return true;
  return false;
}

function copyPart(column: GeometryColumn, part: number, builder: GeometryBuilder): void {
  const { parts, rings, xy, z, m } = column;
  builder.part();
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    builder.ring();
    if (z === null && m === null) builder.vertices2d(xy, rings[r]!, rings[r + 1]! - rings[r]!);
    else
      for (let v = rings[r]!; v < rings[r + 1]!; v++)
        builder.vertex(xy[2 * v]!, xy[2 * v + 1]!, z?.[v], m?.[v]);
  }
}

function allFinite(xy: Float64Array, start: number, end: number): boolean {
  // The difference of a number that is not finite with itself is NaN, and so is a sum with it.
  let sum = 0;
  for (let i = 2 * start; i < 2 * end; i++) sum += xy[i]! - xy[i]!;
  return sum === 0;
}

/** A sliver as the report lists it, or `null` when the part is none. */
function sliverOf(
  { minArea, minWidth, compactness }: Slivers,
  column: GeometryColumn,
  part: number,
  row: number,
): Sliver | null {
  const { parts, rings, xy } = column;
  const area = partsArea(column, part, part + 1);
  let around = 0;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++)
      around += Math.hypot(xy[2 * v + 2]! - xy[2 * v]!, xy[2 * v + 3]! - xy[2 * v + 1]!);
  }
  const sliver = { row, area, width: (2 * area) / around, compactness: (4 * Math.PI * area) / around ** 2 };
  if (minArea !== undefined && !(area < minArea)) return null;
  if (minWidth !== undefined && !(sliver.width < minWidth)) return null;
  if (compactness !== undefined && !(sliver.compactness < compactness)) return null;
  return sliver;
}

/** What an overlay gave besides polygons. */
function takeRemains({ result, polygons }: OverlaidPart, remains: Remains): void {
  const { parts, rings, xy } = result;
  for (let p = polygons; p + 1 < parts.length; p++) {
    const vertices: number[] = [];
    for (let v = rings[parts[p]!]!; v < rings[parts[p + 1]!]!; v++)
      vertices.push(xy[2 * v]!, xy[2 * v + 1]!, Number.NaN, Number.NaN);
    if (vertices.length > 4) remains.lines.push(vertices);
    else remains.points.push(...vertices);
  }
}

/** What is left of a feature in a lower dimension, `[x, y, z, m]` a vertex. */
interface Remains {
  readonly points: number[];
  readonly lines: number[][];
}

function writeRemains({ points, lines }: Remains, builder: GeometryBuilder): false | "cut" {
  const ends = new Set(lines.flatMap((line) => positions(line)));
  const loose = [
    ...new Map(positions(points).map((key, k) => [key, points.slice(4 * k, 4 * k + 4)])).entries(),
  ]
    .filter(([key]) => !ends.has(key))
    .map(([, point]) => point);
  if (loose.length + lines.length === 0) return false;
  const mixed = loose.length > 0 && lines.length > 0;
  const pointType = loose.length > 1 ? MULTI_POINT : POINT;
  const lineType = lines.length > 1 ? MULTI_LINE_STRING : LINE_STRING;
  builder.begin(mixed ? GEOMETRY_COLLECTION : lines.length > 0 ? lineType : pointType);
  if (mixed) builder.member(lineType);
  for (const line of lines) writeLine(line, builder);
  if (mixed) builder.member(pointType);
  for (const point of loose) writeLine(point, builder);
  builder.end();
  return "cut";
}

function writeLine(vertices: readonly number[], builder: GeometryBuilder): void {
  builder.part();
  for (let k = 0; k < vertices.length; k += 4)
    builder.vertex(vertices[k]!, vertices[k + 1]!, vertices[k + 2]!, vertices[k + 3]!);
}

function positions(vertices: readonly number[]): string[] {
  const keys: string[] = [];
  for (let k = 0; k < vertices.length; k += 4) keys.push(`${vertices[k]} ${vertices[k + 1]}`);
  return keys;
}
