import { lineMeets, polygonMeets, relatePolygon } from "../kernels/vector/classify.ts";
import { clipLine, newLinePieces, writePieces } from "../kernels/vector/clip-line.ts";
import type { clipPolygonPart, writePolygons } from "../kernels/vector/clip-polygon.ts";
import { newCuts } from "../kernels/vector/cut-segment.ts";
import { locate, OUTSIDE, type PreparedRegion, prepareRegion } from "../kernels/vector/region.ts";
import { GeoError } from "../model/errors.ts";
import {
  asSource,
  type BatchOptions,
  type FeatureSource,
  type FeatureTable,
  type LayerSchema,
  rowsMeeting,
  takeRows,
} from "../model/features.ts";
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
  POLYGON,
  rowBounds,
  typeDimension,
} from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";
import type { Bounds } from "../model/grid.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";

/**
 * What becomes of a feature that crosses the region's boundary.
 *
 * - `"cut"`: the part inside is kept.
 * - `"whole"`: every feature that has a point in common with the region is kept as it is.
 * - `"inside"`: only features that the region covers are kept, as they are.
 */
export type Keep = "cut" | "whole" | "inside";

export interface ClipFeaturesOptions {
  /** Default `"cut"`. */
  readonly keep?: Keep | undefined;
  /**
   * With `"cut"`: drop what is left of a feature when it is only a point or line on the boundary (polygons), or
   * only points (lines). Default true. When false such features are kept with that remainder.
   */
  readonly keepGeometryType?: boolean | undefined;
  /** Default `"transform"`: the region is brought to the features' CRS, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Counts of one pass over the features; complete when the batches have been read to the end. */
export interface ClipReport {
  /** Features of the source. */
  featuresIn: number;
  featuresOut: number;
  /** In, not out. */
  dropped: number;
  /** Kept with a part cut away. */
  cut: number;
  /** Kept as they are, to the bit. */
  untouched: number;
  /** Features whose overlay needed rounded coordinates; see `warnings`. */
  repaired: number;
  /** Features without geometry that were seen; always dropped. */
  nullGeometries: number;
  warnings: string[];
}

/** A lazy view of a layer cut to a region. */
export interface ClippedFeatures extends FeatureSource {
  /** Starts anew whenever {@link FeatureSource.batches} does. */
  readonly report: ClipReport;
}

/**
 * Cut a layer to a region. Lazy: batches are read, clipped and handed on one by one, in the order of the source,
 * with their ids and attributes. A source with an index gives only the features near the region.
 *
 * The region's edges are indexed once. A feature whose box meets none of them is inside or outside by one
 * point; only features that really cross the boundary are overlaid, with the part of the region near them. Features
 * wholly inside come out untouched, to the bit. Boundaries belong to the region: points on it are inside, lines
 * along it are kept. Several polygons in the region count as their union; overlaps give nothing twice.
 *
 * Heights and measures stay with their vertices and are interpolated along the edge for new ones.
 *
 * @param region  Polygons, or bounds in the CRS of the features.
 * @throws GeoError `CRS_MISMATCH`, `INVALID_INPUT` when the region has no polygon
 */
export async function clipFeatures(
  features: FeatureSource | FeatureTable,
  region: FeatureTable | Bounds,
  options: ClipFeaturesOptions = {},
): Promise<ClippedFeatures> {
  const { keep = "cut", keepGeometryType = true, onCrsMismatch } = options;
  const source = asSource(features);
  const { geometry, bounds, warnings } = regionIn(region, source.schema.crs, { onCrsMismatch });
  const prepared = prepareRegion(geometry);
  if (prepared.polygons === 0) {
    throw new GeoError("INVALID_INPUT", "the region has no polygon, only points or lines", {
      path: "region",
      expected: "at least one polygon",
    });
  }
  const report = newReport();
  const clipper = new Clipper(prepared, keep, keepGeometryType, report);

  async function* batches(read: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    Object.assign(report, newReport(), { warnings: [...warnings] });
    const { count } = source.schema;
    let seen = 0;
    const near = read.bounds === undefined ? bounds : commonBounds(bounds, read.bounds);
    const signal = read.signal ?? options.signal;
    // Without a count in the header every feature must be seen to be counted.
    const pushed = count !== null || read.bounds !== undefined;
    const { bounds: _, ...rest } = read;
    for await (const batch of source.batches({ ...rest, signal, ...(pushed ? { bounds: near } : {}) })) {
      signal?.throwIfAborted();
      seen += batch.count;
      let table = await clipper.clip(batch);
      if (read.bounds !== undefined) table = takeRows(table, rowsMeeting(table, read.bounds));
      if (table.count > 0) yield { ...table, firstRow: report.featuresOut };
      report.featuresOut += table.count;
    }
    report.featuresIn = count ?? seen;
    report.dropped = report.featuresIn - report.featuresOut;
  }

  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: [...source.warnings, ...warnings],
    schema: clippedSchema(source.schema, keep, keepGeometryType),
    report,
    batches,
    close: () => source.close(),
  };
}

function newReport(): ClipReport {
  return {
    featuresIn: 0,
    featuresOut: 0,
    dropped: 0,
    cut: 0,
    untouched: 0,
    repaired: 0,
    nullGeometries: 0,
    warnings: [],
  };
}

function commonBounds(a: Bounds, b: Bounds): Bounds {
  return [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
}

/** Types that can come out: lines and polygons may fall into several parts. */
function clippedSchema(schema: LayerSchema, keep: Keep, keepGeometryType: boolean): LayerSchema {
  const types = new Set(schema.geometryTypes);
  if (keep === "cut") {
    if (types.has(LINE_STRING)) types.add(MULTI_LINE_STRING);
    if (types.has(POLYGON)) types.add(MULTI_POLYGON);
    if (!keepGeometryType && types.size > 0) for (const type of [1, 2, 4, 5, 7] as const) types.add(type);
  }
  return { ...schema, geometryTypes: [...types], count: null, bounds: null };
}

/** What only polygons across the boundary need, and the overlay library with it. */
interface PolygonKernels {
  clipPolygonPart: typeof clipPolygonPart;
  writePolygons: typeof writePolygons;
}

/** Cuts batches; holds the scratch and the counts. */
class Clipper {
  readonly #region: PreparedRegion;
  readonly #keep: Keep;
  readonly #keepType: boolean;
  readonly #report: ClipReport;
  readonly #cuts = newCuts();
  readonly #pieces = newLinePieces();
  /** Loaded when the first polygon crosses. */
  #polygons: PolygonKernels | null = null;

  constructor(region: PreparedRegion, keep: Keep, keepType: boolean, report: ClipReport) {
    this.#region = region;
    this.#keep = keep;
    this.#keepType = keepType;
    this.#report = report;
  }

  async clip(batch: FeatureTable): Promise<FeatureTable> {
    const { geometry } = batch;
    const rows: number[] = [];
    if (geometry === null) {
      this.#report.nullGeometries += batch.count;
      return takeRows(batch, rows);
    }
    const builder = new GeometryBuilder();
    let changed = false;
    const boxes = rowBounds(geometry);
    const { tree } = this.#region;
    const root = 4 * (tree.levels.at(-1)! - 1);
    for (let row = 0; row < batch.count; row++) {
      if (geometry.types[row] === NULL_GEOMETRY) {
        this.#report.nullGeometries++;
        continue;
      }
      if (
        !(
          boxes[4 * row]! <= tree.boxes[root + 2]! &&
          boxes[4 * row + 1]! <= tree.boxes[root + 3]! &&
          boxes[4 * row + 2]! >= tree.boxes[root]! &&
          boxes[4 * row + 3]! >= tree.boxes[root + 1]!
        )
      )
        continue;
      const kept =
        this.#keep === "whole"
          ? this.#meets(geometry, row)
          : this.#keep === "inside"
            ? await this.#covers(geometry, row)
            : await this.#cutRow(geometry, row, builder);
      if (kept === false) continue;
      rows.push(row);
      if (kept === true) {
        builder.copy(geometry, row);
        this.#report.untouched++;
      } else {
        changed = true;
        this.#report.cut++;
      }
    }
    if (!changed && rows.length === batch.count) return batch;
    return takeRows(batch, rows, builder.finish());
  }

  #meets(column: GeometryColumn, row: number): boolean {
    const { xy, rings, parts } = column;
    return somePart(column, row, (part, dimension) => {
      const start = rings[parts[part]!]!;
      if (start === rings[parts[part + 1]!]!) return false;
      if (dimension === 0) return locate(this.#region, xy[2 * start]!, xy[2 * start + 1]!) !== OUTSIDE;
      if (dimension === 1) return lineMeets(xy, start, rings[parts[part + 1]!]!, this.#region);
      return polygonMeets(column, part, this.#region);
    });
  }

  async #covers(column: GeometryColumn, row: number): Promise<boolean> {
    const { geometries } = column;
    if (geometries[row] === geometries[row + 1]) return false;
    for (const [part, dimension] of partsOf(column, row)) {
      if (!(await this.#coversPart(column, part, dimension))) return false;
    }
    return true;
  }

  async #coversPart(column: GeometryColumn, part: number, dimension: number): Promise<boolean> {
    const { xy, rings, parts } = column;
    const start = rings[parts[part]!]!;
    if (dimension === 0) return locate(this.#region, xy[2 * start]!, xy[2 * start + 1]!) !== OUTSIDE;
    if (dimension === 1) {
      clipLine(column, start, rings[parts[part + 1]!]!, this.#region, this.#cuts, this.#pieces);
      return this.#pieces.whole;
    }
    const { relation, leaves } = relatePolygon(column, part, this.#region, this.#cuts);
    if (relation !== "crossing") return relation === "inside";
    if (leaves || this.#region.polygons === 1) return false;
    return (await this.#overlay()).clipPolygonPart(column, part, this.#region, false).whole;
  }

  /** `true`: keep the row as it is; `false`: drop it; `"cut"`: written to `builder`. */
  async #cutRow(column: GeometryColumn, row: number, builder: GeometryBuilder): Promise<boolean | "cut"> {
    const all = [...partsOf(column, row)];
    const { xy, rings, parts } = column;
    // What becomes of each part: kept whole, gone, or a function that writes what is left.
    const left: {
      dimension: number;
      write: ((to: GeometryBuilder) => number) | null;
      part: number;
      count: number;
    }[] = [];
    const remains: Remains = { points: [], lines: [] };
    let whole = true;
    for (const [part, dimension] of all) {
      const start = rings[parts[part]!]!;
      const end = rings[parts[part + 1]!]!;
      if (start === end) {
        whole = false;
        continue;
      }
      if (dimension === 0) {
        if (locate(this.#region, xy[2 * start]!, xy[2 * start + 1]!) === OUTSIDE) whole = false;
        else left.push({ dimension, write: null, part, count: 1 });
      } else if (dimension === 1) {
        clipLine(column, start, end, this.#region, this.#cuts, this.#pieces);
        if (this.#pieces.whole) left.push({ dimension, write: null, part, count: 1 });
        else {
          whole = false;
          const { starts, vertices, touches } = this.#pieces;
          if (starts.length > 0) {
            const pieces = { ...this.#pieces, starts: starts.slice(), vertices: vertices.slice() };
            left.push({ dimension, write: (to) => writePieces(pieces, to), part, count: starts.length });
          } else remains.points.push(...touches);
        }
      } else {
        const { relation, leaves } = relatePolygon(column, part, this.#region, this.#cuts);
        if (relation === "inside") left.push({ dimension, write: null, part, count: 1 });
        else if (relation !== "crossing") {
          whole = false;
          if (relation === "touching" && !this.#keepType) this.#touchOf(column, part, remains);
        } else {
          const { clipPolygonPart, writePolygons } = await this.#overlay();
          const clipped = clipPolygonPart(column, part, this.#region, leaves);
          this.#noteRung(clipped.rung, row);
          if (clipped.whole) left.push({ dimension, write: null, part, count: 1 });
          else {
            whole = false;
            const { polygons } = clipped;
            if (polygons.length > 0) {
              left.push({
                dimension,
                write: (to) => writePolygons(polygons, column, part, to),
                part,
                count: polygons.length,
              });
            }
          }
        }
      }
    }
    if (whole && all.length > 0) return true;
    if (left.length === 0) return this.#keepType ? false : writeRemains(remains, builder);
    const type = column.types[row]! as GeometryType;
    if (type === GEOMETRY_COLLECTION) {
      builder.begin(GEOMETRY_COLLECTION);
      for (const piece of left) {
        builder.member(((piece.count > 1 ? 4 : 1) + piece.dimension) as GeometryType);
        writePart(column, piece, builder);
      }
    } else {
      const count = left.reduce((sum, piece) => sum + piece.count, 0);
      builder.begin((type < MULTI_POINT && count > 1 ? type + 3 : type) as GeometryType);
      for (const piece of left) writePart(column, piece, builder);
    }
    builder.end();
    return "cut";
  }

  /** Points and lines where a polygon part touches the region from outside. */
  #touchOf(column: GeometryColumn, part: number, remains: Remains): void {
    const { parts, rings } = column;
    for (let r = parts[part]!; r < parts[part + 1]!; r++) {
      clipLine(column, rings[r]!, rings[r + 1]!, this.#region, this.#cuts, this.#pieces);
      const { starts, vertices, touches } = this.#pieces;
      for (const [k, from] of starts.entries()) {
        remains.lines.push(vertices.slice(4 * from, k + 1 < starts.length ? 4 * starts[k + 1]! : undefined));
      }
      remains.points.push(...touches);
    }
  }

  #noteRung(rung: number, row: number): void {
    if (rung === 0) return;
    const { warnings } = this.#report;
    if (rung > 0) this.#report.repaired++;
    if (warnings.length < 20) {
      warnings.push(
        rung === -1
          ? `a polygon could not be cut (row ${row} of its batch) and was kept whole`
          : `a polygon was cut after rounding its coordinates (row ${row} of its batch, rung ${rung})`,
      );
    }
  }

  async #overlay(): Promise<PolygonKernels> {
    this.#polygons ??= await import("../kernels/vector/clip-polygon.ts");
    return this.#polygons;
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

function writePart(
  column: GeometryColumn,
  piece: { part: number; write: ((to: GeometryBuilder) => number) | null },
  builder: GeometryBuilder,
): void {
  if (piece.write !== null) {
    piece.write(builder);
    return;
  }
  const { parts, rings, xy, z, m } = column;
  builder.part();
  for (let r = parts[piece.part]!; r < parts[piece.part + 1]!; r++) {
    builder.ring();
    for (let v = rings[r]!; v < rings[r + 1]!; v++)
      builder.vertex(xy[2 * v]!, xy[2 * v + 1]!, z?.[v], m?.[v]);
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
