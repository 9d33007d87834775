import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { withoutFaults } from "./clean.ts";
import { equalsExactRows, normalizeRow } from "./normalize.ts";
import type { Heights } from "./overlay/canonical.ts";
import { type FlatRings, fillRings } from "./overlay/fill.ts";
import { rowHeights } from "./overlay/heights.ts";
import { overlayRows } from "./overlay/overlay.ts";
import { type Member, rowMembers } from "./row-members.ts";
import { findInvalid } from "./validity.ts";

/** How polygons are rebuilt. */
export type RepairMethod = "linework" | "structure";

export interface MakeValidOptions {
  /**
   * `"linework"` (default): the rings are only lines, inside is what an odd number of them encloses. Lobes of a bowtie
   * stay, what of a hole lies outside its shell becomes a polygon, and where polygons of a multipolygon overlap a hole
   * opens.
   *
   * `"structure"`: shells and holes keep their meaning. Inside of a shell is what it winds around at all; holes are taken
   * out of their shell, holes that do not meet it become polygons, and polygons are united.
   */
  readonly method?: RepairMethod | undefined;
  /** Keep what has lost its area or length as lines and points. Default false: it is left out. */
  readonly keepCollapsed?: boolean | undefined;
}

/**
 * Append a row made valid. A valid row is copied bit for bit. Else: vertices that are not finite are left out, rings
 * closed, polygons rebuilt by {@link MakeValidOptions.method}, lines of fewer than two different points and rings without
 * area left out or kept as points and lines. The type stays, but a polygon may become a multipolygon, and with
 * `keepCollapsed` another type or a collection. What nothing is left of becomes empty, null stays null. Heights stay,
 * those of new vertices are interpolated; measures are lost.
 *
 * The result is valid, the same on every run, and stays as it is when made valid again.
 */
export function makeValidRow(
  column: GeometryColumn,
  row: number,
  builder: GeometryBuilder,
  options: MakeValidOptions = {},
): void {
  if (findInvalid(column, row) === null) {
    builder.copy(column, row);
    return;
  }
  const single = new GeometryBuilder();
  single.copy(column, row);
  const clean = withoutFaults(single.finish());
  const scale = scaleOf(clean.xy);
  const rebuilt = new GeometryBuilder();
  rebuild(scaled(clean, scale, NOTHING), rebuilt, options);
  builder.copy(scaled(rebuilt.finish(), 1 / scale, 0), 0);
}

/** A power of two by which coordinates get a size that leaves exact tests room on both sides; 1 for all usual ones. */
function scaleOf(xy: Float64Array): number {
  let largest = 0;
  for (let k = 0; k < xy.length; k++) largest = Math.max(largest, Math.abs(xy[k]!));
  if (largest === 0 || (largest > 2 ** -100 && largest < 2 ** 100)) return 1;
  return 2 ** Math.max(-1000, Math.min(1000, -Math.floor(Math.log2(largest))));
}

/** Smaller coordinates count as 0: beside the largest they are nothing, and their products would lose bits. */
const NOTHING = 2 ** -300;

function scaled(column: GeometryColumn, scale: number, nothing: number): GeometryColumn {
  let same = scale === 1;
  for (let k = 0; same && k < column.xy.length; k++) {
    const size = Math.abs(column.xy[k]!);
    same = size === 0 || size >= nothing;
  }
  if (same) return column;
  const xy = column.xy.map((value) => {
    const result = value * scale;
    return Math.abs(result) < nothing ? 0 : result;
  });
  return { ...column, xy };
}

function rebuild(one: GeometryColumn, builder: GeometryBuilder, options: MakeValidOptions): void {
  const type = one.types[0]! as GeometryType;
  const heights = rowHeights([{ column: one, row: 0 }]);
  const members = rowMembers(one, 0).map((member) => repairMember(one, member, heights, options));
  const made = members[0];
  if (type === GEOMETRY_COLLECTION || (made !== undefined && made.types.length > 1)) {
    builder.begin(GEOMETRY_COLLECTION);
    for (const rows of members) for (let k = 0; k < rows.types.length; k++) copyMembers(rows, k, builder);
    builder.end();
  } else if (made === undefined || made.types.length === 0) {
    builder.begin(type);
    builder.end();
  } else {
    const result = made.types[0]! as GeometryType;
    // One part of a multi type stays a multi type, so that a layer keeps its type.
    if (result === GEOMETRY_COLLECTION) builder.copy(made, 0);
    else writeParts(made, 0, result + 3 === type ? type : result, builder);
  }
}

/** The rows that a member becomes: none or one, or with collapsed parts up to three, one of each dimension. */
function repairMember(
  one: GeometryColumn,
  member: Member,
  heights: Heights | null,
  options: MakeValidOptions,
): GeometryColumn {
  const builder = new GeometryBuilder();
  const collapsed = options.keepCollapsed === true;
  if (member.dimension === 0) {
    const count = member.end - member.first;
    if (count > 0) {
      builder.begin(member.type);
      for (let p = member.first; p < member.end; p++) copyRing(one, one.parts[p]!, builder);
      builder.end();
    }
  } else if (member.dimension === 1) {
    const lines: number[] = [];
    for (let r = one.parts[member.first]!; r < one.parts[member.end]!; r++) lines.push(r);
    writeLines(one, lines, collapsed, member.type, builder);
  } else repairPolygons(one, member, heights, options, builder);
  return builder.finish();
}

/** Lines that have a length, as one row; with `collapsed` the first points of the others as another. */
function writeLines(
  column: GeometryColumn,
  lines: readonly number[],
  collapsed: boolean,
  type: GeometryType,
  builder: GeometryBuilder,
): void {
  const long = lines.filter((r) => hasLength(column, r));
  if (long.length > 0) {
    builder.begin(long.length > 1 || type === MULTI_LINE_STRING ? MULTI_LINE_STRING : LINE_STRING);
    for (const r of long) copyRing(column, r, builder);
    builder.end();
  }
  const short = collapsed ? lines.filter((r) => !hasLength(column, r)) : [];
  if (short.length === 0) return;
  builder.begin(short.length > 1 ? MULTI_POINT : POINT);
  for (const r of short) {
    builder.part();
    pushVertex(column, column.rings[r]!, builder);
  }
  builder.end();
}

function hasLength({ rings, xy }: GeometryColumn, r: number): boolean {
  const start = rings[r]!;
  for (let v = start + 1; v < rings[r + 1]!; v++)
    if (xy[2 * v] !== xy[2 * start] || xy[2 * v + 1] !== xy[2 * start + 1]) return true;
  return false;
}

function repairPolygons(
  column: GeometryColumn,
  member: Member,
  heights: Heights | null,
  options: MakeValidOptions,
  builder: GeometryBuilder,
): void {
  const filled = new GeometryBuilder();
  if (options.method === "structure") fillStructure(column, member, heights, filled);
  else fillRings(linework(column, member), "even-odd", filled, { heights });
  const area = filled.finish();
  if (area.geometries[1]! > 0) builder.copy(area, 0);
  if (options.keepCollapsed === true) writeCollapsed(column, member, area, builder);
}

/** The rings of polygons, of equal shells and of equal holes only one: they would cancel each other. */
function linework(column: GeometryColumn, { first, end }: Member): FlatRings {
  const { parts } = column;
  if (parts[end]! - parts[first]! === 1) return ringsOf(column, first, end);
  const builder = new GeometryBuilder();
  const roles: number[] = [];
  for (let p = first; p < end; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const one = new GeometryBuilder();
      one.begin(POLYGON);
      copyRing(column, r, one);
      one.end();
      normalizeRow(one.finish(), 0, builder);
      roles.push(r === parts[p]! ? 0 : 1);
    }
  }
  const rows = builder.finish();
  const order = Int32Array.from(roles, (_, k) => k);
  order.sort((a, b) => roles[a]! - roles[b]! || compareRows(rows, a, b) || a - b);
  const kept = new GeometryBuilder();
  kept.begin(MULTI_POLYGON);
  for (let k = 0; k < order.length; k++) {
    const before = order[k - 1]!;
    const same =
      k > 0 && roles[before] === roles[order[k]!] && equalsExactRows(rows, before, rows, order[k]!);
    if (!same) copyPart(rows, order[k]!, kept);
  }
  kept.end();
  const different = kept.finish();
  return ringsOf(different, 0, different.parts.length - 1);
}

/** By the number of vertices, then by coordinates: equal rows come side by side. */
function compareRows({ geometries, parts, rings, xy }: GeometryColumn, a: number, b: number): number {
  const startA = rings[parts[geometries[a]!]!]!;
  const startB = rings[parts[geometries[b]!]!]!;
  const count = rings[parts[geometries[a + 1]!]!]! - startA;
  const order = count - (rings[parts[geometries[b + 1]!]!]! - startB);
  if (order !== 0) return order;
  for (let k = 0; k < 2 * count; k++) {
    const difference = xy[2 * startA + k]! - xy[2 * startB + k]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function ringsOf({ parts, rings, xy }: GeometryColumn, first: number, end: number): FlatRings {
  return { xy, starts: rings.subarray(parts[first]!, parts[end]! + 1) };
}

function fillStructure(
  column: GeometryColumn,
  { first, end }: Member,
  heights: Heights | null,
  builder: GeometryBuilder,
): void {
  /** Valid polygons, shells counter-clockwise; where holes were taken out their rings run clockwise. */
  const all = new RingList();
  for (let p = first; p < end; p++) {
    const firstRing = column.parts[p]!;
    const shell = filledRing(column, firstRing);
    // A polygon without a shell is nothing, whatever its holes.
    if (shell.parts.length === 1) continue;
    const rings = new RingList();
    rings.add(shell, false);
    for (let r = firstRing + 1; r < column.parts[p + 1]!; r++) {
      const hole = filledRing(column, r);
      if (hole.parts.length === 1) continue;
      // A hole that does not meet its shell stands for a polygon of its own.
      if (meet(shell, hole)) rings.add(hole, true);
      else all.add(hole, false);
    }
    if (column.parts[p + 1]! - firstRing === 1) all.add(shell, false);
    else {
      const polygon = new GeometryBuilder();
      fillRings(rings.finish(), "positive", polygon);
      all.add(polygon.finish(), false);
    }
  }
  fillRings(all.finish(), "positive", builder, { heights });
}

/** What one ring winds around, as valid polygons. */
function filledRing({ rings, xy }: GeometryColumn, r: number): GeometryColumn {
  const builder = new GeometryBuilder();
  fillRings({ xy, starts: [rings[r]!, rings[r + 1]!] }, "non-zero", builder);
  return builder.finish();
}

function meet(a: GeometryColumn, b: GeometryColumn): boolean {
  const builder = new GeometryBuilder();
  overlayRows("intersection", a, 0, b, 0, builder);
  return builder.finish().geometries[1]! > 0;
}

/** Rings of several columns, one after the other. */
class RingList {
  readonly #xy: number[] = [];
  readonly #starts: number[] = [0];

  add({ rings, xy }: GeometryColumn, reversed: boolean): void {
    for (let r = 0; r + 1 < rings.length; r++) {
      if (reversed)
        for (let v = rings[r + 1]! - 1; v >= rings[r]!; v--) this.#xy.push(xy[2 * v]!, xy[2 * v + 1]!);
      else for (let v = rings[r]!; v < rings[r + 1]!; v++) this.#xy.push(xy[2 * v]!, xy[2 * v + 1]!);
      this.#starts.push(this.#xy.length / 2);
    }
  }

  finish(): FlatRings {
    return { xy: Float64Array.from(this.#xy), starts: this.#starts };
  }
}

/** Rows for what of the rings lies outside the area that became of them: lines, and points of rings that are one point. */
function writeCollapsed(
  column: GeometryColumn,
  { first, end }: Member,
  area: GeometryColumn,
  builder: GeometryBuilder,
): void {
  const { parts } = column;
  const lines = new GeometryBuilder();
  const points = new GeometryBuilder();
  lines.begin(MULTI_LINE_STRING);
  points.begin(MULTI_POINT);
  for (let r = parts[first]!; r < parts[end]!; r++) {
    if (hasLength(column, r)) copyRing(column, r, lines);
    else {
      points.part();
      pushVertex(column, column.rings[r]!, points);
    }
  }
  lines.end();
  points.end();
  const covered = new GeometryBuilder();
  for (const lower of [lines.finish(), points.finish()]) {
    if (lower.geometries[1] === 0) continue;
    const rest = new GeometryBuilder();
    overlayRows("difference", lower, 0, area, 0, rest);
    const left = rest.finish();
    if (left.geometries[1]! > 0) covered.copy(left, 0);
  }
  const found = covered.finish();
  for (let k = 0; k < found.types.length; k++) builder.copy(found, k);
}

function copyMembers(from: GeometryColumn, row: number, builder: GeometryBuilder): void {
  for (const { type, first, end } of rowMembers(from, row)) {
    builder.member(type);
    for (let p = first; p < end; p++) copyPart(from, p, builder);
  }
}

function writeParts(from: GeometryColumn, row: number, type: GeometryType, builder: GeometryBuilder): void {
  builder.begin(type);
  for (let p = from.geometries[row]!; p < from.geometries[row + 1]!; p++) copyPart(from, p, builder);
  builder.end();
}

function copyPart(from: GeometryColumn, part: number, builder: GeometryBuilder): void {
  builder.part();
  for (let r = from.parts[part]!; r < from.parts[part + 1]!; r++) {
    builder.ring();
    for (let v = from.rings[r]!; v < from.rings[r + 1]!; v++) pushVertex(from, v, builder);
  }
}

function copyRing(from: GeometryColumn, ring: number, builder: GeometryBuilder): void {
  builder.part();
  builder.ring();
  for (let v = from.rings[ring]!; v < from.rings[ring + 1]!; v++) pushVertex(from, v, builder);
}

function pushVertex({ xy, z }: GeometryColumn, v: number, builder: GeometryBuilder): void {
  builder.vertex(xy[2 * v]!, xy[2 * v + 1]!, z === null ? Number.NaN : z[v]!);
}
