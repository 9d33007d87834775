import { GeoError } from "../../model/errors.ts";
import {
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Bounds } from "../../model/grid.ts";
import { organizeRings } from "./rings.ts";

/** Codes of shape types without heights; 10 more with heights (and measures), 20 more with measures. */
export const NULL_SHAPE = 0;
export const POINT_SHAPE = 1;
export const LINE_SHAPE = 3;
export const POLYGON_SHAPE = 5;
export const MULTI_POINT_SHAPE = 8;
export const MULTI_PATCH = 31;

/** Measures below this mean "none" (ESRI Shapefile Technical Description, page 2). */
const NO_MEASURE = -1e38;

const NAMES: Readonly<Record<number, string>> = {
  0: "Null",
  1: "Point",
  3: "PolyLine",
  5: "Polygon",
  8: "MultiPoint",
  11: "PointZ",
  13: "PolyLineZ",
  15: "PolygonZ",
  18: "MultiPointZ",
  21: "PointM",
  23: "PolyLineM",
  25: "PolygonM",
  28: "MultiPointM",
  31: "MultiPatch",
};

/** Name of a shape type, for messages. */
export function shapeName(type: number): string {
  return NAMES[type] ?? `type ${type}`;
}

/** Thrown when a record breaks the rules; the reader says which record and file. */
export class DamagedShape extends Error {}

/** Geometry types that a layer of a shape type may have. */
export function typesOfShape(type: number): readonly GeometryType[] {
  switch (type % 10) {
    case POINT_SHAPE:
      return [POINT];
    case LINE_SHAPE:
      return [LINE_STRING, MULTI_LINE_STRING];
    case POLYGON_SHAPE:
      return [POLYGON, MULTI_POLYGON];
    case MULTI_POINT_SHAPE:
      return [MULTI_POINT];
    default:
      return [0];
  }
}

/** Turns records of a .shp into rows of a geometry column. */
export class ShapeDecoder {
  readonly #builder: GeometryBuilder;
  readonly #note: (warning: string) => void;
  #xy = new Float64Array(256);
  #starts = new Int32Array(64);
  #owner = new Int32Array(64);

  /** @param note  Called with findings, which may repeat. */
  constructor(builder: GeometryBuilder, note: (warning: string) => void) {
    this.#builder = builder;
    this.#note = note;
  }

  /**
   * Whether a record may meet some bounds, told by the box that it begins with.
   *
   * @param at      Position of the shape type.
   * @param length  Bytes of the record, the shape type included.
   */
  meets(view: DataView, at: number, length: number, bounds: Bounds): boolean {
    const type = length < 4 ? NULL_SHAPE : view.getInt32(at, true);
    if (type === NULL_SHAPE) return false;
    const point = type % 10 === POINT_SHAPE;
    // Too short: let the decoder say so.
    if (length < (point ? 20 : 36)) return true;
    const minX = view.getFloat64(at + 4, true);
    const minY = view.getFloat64(at + 12, true);
    const maxX = point ? minX : view.getFloat64(at + 20, true);
    const maxY = point ? minY : view.getFloat64(at + 28, true);
    // Written so that a box of NaN is looked at more closely.
    return !(minX > bounds[2] || maxX < bounds[0] || minY > bounds[3] || maxY < bounds[1]);
  }

  /** Whether a record has a measure that is a number. `false` for shapes without measures and for damaged ones. */
  hasMeasure(view: DataView, at: number, length: number): boolean {
    const type = view.getInt32(at, true);
    if (type < 10 || length < 28) return false;
    if (type % 10 === POINT_SHAPE) {
      const m = at + (type > 20 ? 20 : 28);
      return m + 8 <= at + length && view.getFloat64(m, true) >= NO_MEASURE;
    }
    if (length < 44) return false;
    const multi = type % 10 === MULTI_POINT_SHAPE;
    const parts = multi ? 0 : view.getUint32(at + 36, true);
    const points = view.getUint32(at + (multi ? 36 : 40), true);
    const m = measuresAt(type, at + (multi ? 40 : 44) + 4 * parts + 16 * points, points);
    if (m + 8 * points > at + length) return false;
    for (let i = 0; i < points; i++) if (view.getFloat64(m + 8 * i, true) >= NO_MEASURE) return true;
    return false;
  }

  /**
   * Add the record as a row.
   *
   * @param at      Position of the shape type.
   * @param length  Bytes of the record, the shape type included.
   * @throws DamagedShape; GeoError `UNSUPPORTED` for a MultiPatch
   */
  decode(view: DataView, at: number, length: number): void {
    if (length < 4) throw new DamagedShape(`it has ${length} bytes, a shape type has 4`);
    const type = view.getInt32(at, true);
    switch (type % 10) {
      case POINT_SHAPE:
        if (type === POINT_SHAPE || type === 11 || type === 21) {
          this.#point(view, at, length, type);
          return;
        }
        break;
      case LINE_SHAPE:
      case POLYGON_SHAPE:
        if (type > 0 && type < 30) {
          this.#parts(view, at, length, type);
          return;
        }
        break;
      case MULTI_POINT_SHAPE:
        if (type > 0 && type < 30) {
          this.#multiPoint(view, at, length, type);
          return;
        }
    }
    if (type === NULL_SHAPE) {
      this.#builder.null();
      return;
    }
    throw new DamagedShape(
      `it is of ${type === MULTI_PATCH ? "the type MultiPatch" : `the unknown type ${type}`}`,
    );
  }

  #point(view: DataView, at: number, length: number, type: number): void {
    // A PointZ may leave out its measure.
    const needed = type === 11 ? 28 : type === 21 ? 28 : 20;
    if (length < needed && !(type === 21 && length >= 20))
      throw new DamagedShape(`a ${shapeName(type)} has ${needed} bytes, it has ${length}`);
    const builder = this.#builder;
    builder.begin(POINT);
    builder.part();
    const third = length >= 28 ? view.getFloat64(at + 20, true) : Number.NaN;
    const fourth = length >= 36 ? view.getFloat64(at + 28, true) : Number.NaN;
    builder.vertex(
      view.getFloat64(at + 4, true),
      view.getFloat64(at + 12, true),
      type === 11 ? third : Number.NaN,
      type === 11 ? measure(fourth) : type === 21 ? measure(third) : Number.NaN,
    );
    builder.end();
  }

  #multiPoint(view: DataView, at: number, length: number, type: number): void {
    const points = length < 40 ? 0 : view.getUint32(at + 36, true);
    const xy = at + 40;
    if (length < 40 || 16 * points > length - 40)
      throw new DamagedShape(`it claims ${points} points in ${length} bytes`);
    if (points === 0) {
      this.#builder.null();
      return;
    }
    const z = this.#heights(type, xy + 16 * points, points, at + length);
    const m = this.#measures(type, xy + 16 * points, points, at + length);
    const builder = this.#builder;
    builder.begin(MULTI_POINT);
    for (let i = 0; i < points; i++) {
      builder.part();
      this.#vertices(view, xy, z, m, i, i + 1);
    }
    builder.end();
  }

  #parts(view: DataView, at: number, length: number, type: number): void {
    const parts = length < 44 ? 0 : view.getUint32(at + 36, true);
    const points = length < 44 ? 0 : view.getUint32(at + 40, true);
    if (length < 44 || 4 * parts + 16 * points > length - 44)
      throw new DamagedShape(`it claims ${parts} parts and ${points} points in ${length} bytes`);
    if (parts === 0 || points === 0) {
      this.#builder.null();
      return;
    }
    const xy = at + 44 + 4 * parts;
    const z = this.#heights(type, xy + 16 * points, points, at + length);
    const m = this.#measures(type, xy + 16 * points, points, at + length);
    if (parts === 1) {
      if (view.getInt32(at + 44, true) !== 0)
        throw new DamagedShape("its first part does not begin at its first point");
      if (type % 10 === LINE_SHAPE) {
        this.#builder.begin(LINE_STRING);
        this.#builder.part();
        this.#vertices(view, xy, z, m, 0, points);
      } else {
        this.#builder.begin(POLYGON);
        this.#builder.part();
        this.#ring(view, xy, z, m, 0, points);
      }
      this.#builder.end();
      return;
    }
    const count = this.#partStarts(view, at + 44, parts, points);
    if (type % 10 === LINE_SHAPE) this.#lines(view, xy, z, m, count);
    else this.#polygons(view, xy, z, m, count);
  }

  /** Starts of the parts that have points, and the number of points behind the last; returns how many parts. */
  #partStarts(view: DataView, at: number, parts: number, points: number): number {
    if (parts + 1 > this.#starts.length) {
      this.#starts = new Int32Array(2 * parts + 1);
      this.#owner = new Int32Array(2 * parts + 1);
    }
    const starts = this.#starts;
    let count = 0;
    for (let p = 0; p < parts; p++) {
      const start = view.getInt32(at + 4 * p, true);
      const end = p + 1 < parts ? view.getInt32(at + 4 * p + 4, true) : points;
      if (start < 0 || end < start || end > points || (p === 0 && start !== 0))
        throw new DamagedShape(`part ${p} has the points ${start} to ${end} of ${points}`);
      if (end > start) starts[count++] = start;
    }
    starts[count] = points;
    return count;
  }

  #lines(view: DataView, xy: number, z: number, m: number, count: number): void {
    const builder = this.#builder;
    const starts = this.#starts;
    builder.begin(count > 1 ? MULTI_LINE_STRING : LINE_STRING);
    for (let p = 0; p < count; p++) {
      builder.part();
      this.#vertices(view, xy, z, m, starts[p]!, starts[p + 1]!);
    }
    builder.end();
  }

  #polygons(view: DataView, xy: number, z: number, m: number, count: number): void {
    const builder = this.#builder;
    const starts = this.#starts;
    const owner = this.#owner;
    this.#copy(view, xy, 0, starts[count]!);
    organizeRings(this.#xy, starts, count, owner);
    let shells = 0;
    for (let r = 0; r < count; r++) if (owner[r] === r) shells++;
    builder.begin(shells > 1 ? MULTI_POLYGON : POLYGON);
    if (shells === 1) {
      let shell = 0;
      while (owner[shell] !== shell) shell++;
      builder.part();
      this.#ring(view, xy, z, m, starts[shell]!, starts[shell + 1]!);
      for (let r = 0; r < count; r++) if (r !== shell) this.#ring(view, xy, z, m, starts[r]!, starts[r + 1]!);
    } else {
      // Holes of each shell as a list through the rings, in the order of the file.
      const first = new Int32Array(count).fill(-1);
      const next = new Int32Array(count).fill(-1);
      for (let r = count - 1; r >= 0; r--) {
        if (owner[r] === r) continue;
        next[r] = first[owner[r]!]!;
        first[owner[r]!] = r;
      }
      for (let shell = 0; shell < count; shell++) {
        if (owner[shell] !== shell) continue;
        builder.part();
        this.#ring(view, xy, z, m, starts[shell]!, starts[shell + 1]!);
        for (let r = first[shell]!; r >= 0; r = next[r]!)
          this.#ring(view, xy, z, m, starts[r]!, starts[r + 1]!);
      }
    }
    builder.end();
  }

  /** A ring, closed if the file left it open. */
  #ring(view: DataView, xy: number, z: number, m: number, start: number, end: number): void {
    this.#builder.ring();
    this.#vertices(view, xy, z, m, start, end);
    const first = xy + 16 * start;
    const last = xy + 16 * (end - 1);
    if (
      view.getFloat64(first, true) !== view.getFloat64(last, true) ||
      view.getFloat64(first + 8, true) !== view.getFloat64(last + 8, true)
    ) {
      this.#vertices(view, xy, z, m, start, start + 1);
      this.#note("rings that were not closed have been closed");
    }
  }

  #vertices(view: DataView, xy: number, z: number, m: number, start: number, end: number): void {
    if (z === 0 && m === 0) {
      this.#copy(view, xy, start, end);
      this.#builder.vertices2d(this.#xy, start, end - start);
      return;
    }
    for (let i = start; i < end; i++) {
      this.#builder.vertex(
        view.getFloat64(xy + 16 * i, true),
        view.getFloat64(xy + 16 * i + 8, true),
        z === 0 ? Number.NaN : view.getFloat64(z + 8 * i, true),
        m === 0 ? Number.NaN : measure(view.getFloat64(m + 8 * i, true)),
      );
    }
  }

  /** Coordinates `start .. end - 1` into the scratch array, at their places. */
  #copy(view: DataView, xy: number, start: number, end: number): void {
    if (2 * end > this.#xy.length) this.#xy = new Float64Array(4 * end);
    const out = this.#xy;
    for (let i = 2 * start; i < 2 * end; i++) out[i] = view.getFloat64(xy + 8 * i, true);
  }

  /** Position of the heights; 0 when there are none. `after`: behind the coordinates. */
  #heights(type: number, after: number, points: number, end: number): number {
    if (type < 10 || type > 20) return 0;
    if (after + 16 + 8 * points > end) throw new DamagedShape("its heights are cut off");
    return after + 16;
  }

  /** Position of the measures, which may be left out; 0 when there are none. */
  #measures(type: number, after: number, points: number, end: number): number {
    if (type < 10) return 0;
    const m = measuresAt(type, after, points);
    return m + 8 * points > end ? 0 : m;
  }
}

function measuresAt(type: number, after: number, points: number): number {
  return type > 20 ? after + 16 : after + 16 + 8 * points + 16;
}

function measure(value: number): number {
  return value < NO_MEASURE ? Number.NaN : value;
}

/** The error for a .shp that breaks the rules of the format. */
export function damagedShp(url: string, offset: number, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${url} is not a whole Shapefile: ${what} (byte ${offset})`,
    { format: "ESRI Shapefile", path: url, offset },
    { hint: "Copy or download the file again, or write it again from its source." },
  );
}
