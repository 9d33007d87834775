import type { Crs } from "../model/crs.ts";
import {
  type Column,
  ColumnBuilder,
  type ColumnType,
  type FeatureTable,
  type Value,
} from "../model/features.ts";
import { type GeometryColumn, LINE_STRING, MULTI_POLYGON, POINT, POLYGON } from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";
import { UTM_45N } from "./places.ts";
import { random } from "./random.ts";

export type Position = readonly [x: number, y: number];

export interface TableOptions {
  /** Default UTM zone 45N; `null`: unknown. */
  readonly crs?: Crs | null;
  /** Attributes: a list of cells each, as long as there are rows. Types are taken from the cells. */
  readonly columns?: Readonly<Record<string, readonly Value[]>>;
  readonly ids?: readonly (string | number | null)[] | null;
}

/** A table from geometry and lists of cells. Whole numbers become `int32`, other numbers `float64`. */
export function makeTable(
  geometry: GeometryColumn | null,
  count: number,
  options: TableOptions = {},
): FeatureTable {
  const { crs = UTM_45N, columns = {}, ids = null } = options;
  return {
    count,
    geometry,
    columns: Object.entries(columns).map(([name, cells]) => makeColumn(name, cells, count)),
    ids,
    firstRow: 0,
    crs: geometry === null ? null : crs,
  };
}

function makeColumn(name: string, cells: readonly Value[], count: number): Column {
  if (cells.length !== count)
    throw new RangeError(`column ${name} has ${cells.length} cells for ${count} rows`);
  const builder = new ColumnBuilder({ name, type: typeOf(cells), nullable: cells.includes(null) });
  for (const cell of cells) builder.push(cell);
  return builder.finish();
}

function typeOf(cells: readonly Value[]): ColumnType {
  const known = cells.filter((cell) => cell !== null);
  const first = known[0];
  if (known.every((cell) => typeof cell === "number")) {
    return known.every((cell) => cell === ((cell as number) | 0)) ? "int32" : "float64";
  }
  if (typeof first === "bigint") return "int64";
  if (typeof first === "boolean") return "boolean";
  if (typeof first === "string") return "string";
  if (first instanceof Date) return "datetime";
  return first instanceof Uint8Array ? "binary" : "json";
}

/** Points: pass positions, or a count for random ones within (0, 0, 1000, 1000). */
export function makePoints(
  points: readonly Position[] | number,
  options: TableOptions & { seed?: number } = {},
): FeatureTable {
  const positions = typeof points === "number" ? scattered(points, options.seed ?? 1) : points;
  const builder = new GeometryBuilder();
  for (const [x, y] of positions) {
    builder.begin(POINT);
    builder.part();
    builder.vertex(x, y);
    builder.end();
  }
  return makeTable(builder.finish(), positions.length, options);
}

/** Lines: pass a list of positions each, or a count for random walks. */
export function makeLines(
  lines: readonly (readonly Position[])[] | number,
  options: TableOptions & { seed?: number } = {},
): FeatureTable {
  const paths = typeof lines === "number" ? walks(lines, options.seed ?? 1) : lines;
  const builder = new GeometryBuilder();
  for (const path of paths) {
    builder.begin(LINE_STRING);
    builder.part();
    for (const [x, y] of path) builder.vertex(x, y);
    builder.end();
  }
  return makeTable(builder.finish(), paths.length, options);
}

/**
 * Polygons: pass rings (shell, then holes; closed for you when they are not) for each, or a count for squares
 * that tile (0, 0, 1000, 1000) row by row, the last row possibly short.
 */
export function makePolygons(
  polygons: readonly (readonly (readonly Position[])[])[] | number,
  options: TableOptions = {},
): FeatureTable {
  const shapes = typeof polygons === "number" ? squares(polygons) : polygons;
  const builder = new GeometryBuilder();
  for (const rings of shapes) {
    builder.begin(POLYGON);
    addPolygon(builder, rings);
    builder.end();
  }
  return makeTable(builder.finish(), shapes.length, options);
}

/** Polygons of several parts: parts, rings, positions for each row. One part makes a Polygon, more a MultiPolygon. */
export function makeMultiPolygons(
  rows: readonly (readonly (readonly (readonly Position[])[])[])[],
  options: TableOptions = {},
): FeatureTable {
  const builder = new GeometryBuilder();
  for (const parts of rows) {
    builder.begin(parts.length === 1 ? POLYGON : MULTI_POLYGON);
    for (const rings of parts) addPolygon(builder, rings);
    builder.end();
  }
  return makeTable(builder.finish(), rows.length, options);
}

function addPolygon(builder: GeometryBuilder, rings: readonly (readonly Position[])[]): void {
  builder.part();
  for (const ring of rings) {
    builder.ring();
    for (const [x, y] of ring) builder.vertex(x, y);
    const first = ring[0]!;
    const last = ring[ring.length - 1]!;
    if (first[0] !== last[0] || first[1] !== last[1]) builder.vertex(first[0], first[1]);
  }
}

function scattered(count: number, seed: number): Position[] {
  const numbers = random(seed);
  return Array.from({ length: count }, () => [numbers.next() * 1000, numbers.next() * 1000] as const);
}

function walks(count: number, seed: number): Position[][] {
  const numbers = random(seed);
  return Array.from({ length: count }, () => {
    let x = numbers.next() * 1000;
    let y = numbers.next() * 1000;
    return Array.from({ length: 2 + numbers.int(9) }, () => {
      x += numbers.between(-60, 60);
      y += numbers.between(-60, 60);
      return [x, y] as const;
    });
  });
}

function squares(count: number): Position[][][] {
  const across = Math.ceil(Math.sqrt(count));
  const side = 1000 / across;
  return Array.from({ length: count }, (_, k) => {
    const x = (k % across) * side;
    const y = Math.floor(k / across) * side;
    return [
      [
        [x, y],
        [x + side, y],
        [x + side, y + side],
        [x, y + side],
        [x, y],
      ],
    ];
  });
}
