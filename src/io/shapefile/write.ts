import { type FileHandle, open, writeFile } from "node:fs/promises";
import { toWkt1 } from "../../crs/format.ts";
import type { Crs } from "../../model/crs.ts";
import { describeCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureTable, Field, LayerSchema } from "../../model/features.ts";
import { GEOMETRY_NAMES, type GeometryColumn, MULTI_POINT, typeDimension } from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import { columnsOf } from "../batch-columns.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { writeAll } from "../spill.ts";
import { DbfWriter, MAX_BYTES, tooLarge } from "./dbf-write.ts";
import { signedArea } from "./rings.ts";
import {
  LINE_SHAPE,
  MULTI_POINT_SHAPE,
  NULL_SHAPE,
  POINT_SHAPE,
  POLYGON_SHAPE,
  shapeName,
} from "./shapes.ts";

const HEADER_BYTES = 100;
/** Written to the files at once. */
const CHUNK_BYTES = 1 << 20;
/** Means that a vertex has no measure. */
const NO_MEASURE = -1e39;
/** The column of a table that has none: a .dbf must have one. */
const ROW_NUMBER: Field = { name: "FID", type: "int32", nullable: false };

/**
 * Write a Shapefile: `path` ends in `.shp`, and `.shx`, `.dbf`, `.prj` (where there is a CRS) and `.cpg` (UTF-8) go
 * beside it. Column names are cut to ten bytes by GDAL's rule; `renamed` of the summary says which.
 *
 * One file holds one kind of shape: points, multi-points, lines or polygons (single and multi alike), told by the
 * schema or by the first geometry. Shells run clockwise and holes counter-clockwise, turned where needed. Heights and
 * measures are written when the schema, or the first batch with geometry, has them. Empty geometries become null shapes.
 * Memory: a few megabytes; rows wait for their widths in memory (up to 48 MB) or in a temporary file.
 *
 * @throws GeoError `UNSUPPORTED` for a geometry of another kind, `LIMIT` above 2 GB, `OUTPUT_FAILED`
 */
export async function createShapefile(path: string, schema: LayerSchema): Promise<FeatureSink> {
  const handles: FileHandle[] = [];
  try {
    for (const ending of ["shp", "shx"]) {
      const handle = await open(sibling(path, ending), "w");
      handles.push(handle);
      await writeAll(handle, new Uint8Array(HEADER_BYTES));
    }
  } catch (error) {
    await Promise.all(handles.map((handle) => handle.close()));
    throw outputError(path, error);
  }
  return new ShapefileSink(path, schema, handles[0]!, handles[1]!);
}

function sibling(path: string, ending: string): string {
  return path.replace(/\.shp$/i, `.${ending}`);
}

class ShapefileSink implements FeatureSink {
  readonly #path: string;
  readonly #schema: LayerSchema;
  readonly #shp: FileHandle;
  readonly #shx: FileHandle;
  readonly #dbf: DbfWriter;
  readonly #shapes: ShapeEncoder;
  readonly #index = new RecordBuffer();
  #count = 0;
  /** Offset of the next record in the .shp, in bytes. */
  #offset = HEADER_BYTES;
  #closed = false;

  constructor(path: string, schema: LayerSchema, shp: FileHandle, shx: FileHandle) {
    this.#path = path;
    this.#schema = schema;
    this.#shp = shp;
    this.#shx = shx;
    this.#dbf = new DbfWriter(
      sibling(path, "dbf"),
      schema.fields.length === 0 ? [ROW_NUMBER] : schema.fields,
    );
    this.#shapes = new ShapeEncoder(path, schema);
  }

  async write(batch: FeatureTable): Promise<void> {
    const columns = columnsOf(batch, this.#schema.fields);
    const { geometry } = batch;
    const shapes = this.#shapes;
    if (geometry !== null) shapes.prepare(geometry);
    for (let row = 0; row < batch.count; row++) {
      const bytes = shapes.record(geometry, row, ++this.#count);
      this.#index.entry(this.#offset, bytes);
      this.#offset += bytes;
      if (this.#offset > MAX_BYTES) throw tooLarge(this.#path, this.#offset);
      if (columns.length === 0) this.#dbf.numberRow(this.#count - 1);
      else this.#dbf.row(columns, row);
      if ((row & 63) === 63) await this.#flush(false);
    }
    await this.#flush(false);
  }

  async close(): Promise<WriteSummary> {
    const warnings: string[] = [];
    if (this.#closed) return { count: this.#count, warnings };
    this.#closed = true;
    try {
      await this.#flush(true);
      await writeAll(this.#shp, this.#shapes.header(this.#offset), 0);
      await writeAll(this.#shx, this.#shapes.header(HEADER_BYTES + 8 * this.#count), 0);
      await this.#shp.close();
      await this.#shx.close();
      warnings.push(...this.#shapes.findings(), ...(await this.#dbf.close()));
      if (this.#schema.fields.length === 0)
        warnings.push(
          `the layer has no attributes; a column "${ROW_NUMBER.name}" was added, as a .dbf must have one`,
        );
      await writeFile(sibling(this.#path, "cpg"), "UTF-8");
      const prj = prjOf(this.#schema.crs, warnings);
      if (prj !== null) await writeFile(sibling(this.#path, "prj"), prj);
    } catch (error) {
      await this.abort();
      throw outputError(this.#path, error);
    }
    const renamed: Record<string, string> = {};
    for (const [k, { name }] of this.#schema.fields.entries())
      if (this.#dbf.names[k] !== name) renamed[name] = this.#dbf.names[k]!;
    return { count: this.#count, warnings, ...(Object.keys(renamed).length === 0 ? {} : { renamed }) };
  }

  async abort(): Promise<void> {
    this.#closed = true;
    await this.#shp.close().catch(() => {});
    await this.#shx.close().catch(() => {});
    await this.#dbf.abort();
  }

  async #flush(all: boolean): Promise<void> {
    try {
      await this.#dbf.flush();
      for (const [buffer, handle] of [
        [this.#shapes.out, this.#shp],
        [this.#index, this.#shx],
      ] as const) {
        if (buffer.length < CHUNK_BYTES && !all) continue;
        await writeAll(handle, buffer.bytes.subarray(0, buffer.length));
        buffer.length = 0;
      }
    } catch (error) {
      throw outputError(this.#path, error);
    }
  }
}

/** WKT in Esri's dialect, else in the common one; `null`, with a warning, when the system cannot be written so. */
function prjOf(crs: Crs | null, warnings: string[]): string | null {
  if (crs === null) {
    warnings.push("the layer has no coordinate reference system, so no .prj was written");
    return null;
  }
  for (const esri of [true, false]) {
    try {
      return toWkt1(crs, { esri });
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
    }
  }
  if (crs.definition !== null && /^(GEOGCS|PROJCS|LOCAL_CS)\[/i.test(crs.definition)) return crs.definition;
  warnings.push(`no .prj was written: ${describeCrs(crs)} cannot be said in its language`);
  return null;
}

/** Bytes under construction. */
class RecordBuffer {
  bytes: Uint8Array = new Uint8Array(1 << 16);
  view: DataView = new DataView(this.bytes.buffer);
  length: number = 0;

  /** Make room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, needed));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** An entry of the .shx for a record of `bytes` bytes at `offset`; both in 16-bit words in the file. */
  entry(offset: number, bytes: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, offset / 2);
    this.view.setUint32(this.length + 4, (bytes - 8) / 2);
    this.length += 8;
  }
}

/** Family of shapes by geometry type, in the order of the model's codes. */
const FAMILIES = [
  NULL_SHAPE,
  POINT_SHAPE,
  LINE_SHAPE,
  POLYGON_SHAPE,
  MULTI_POINT_SHAPE,
  LINE_SHAPE,
  POLYGON_SHAPE,
] as const;

/** Turns rows of geometry columns into records of a .shp. */
class ShapeEncoder {
  readonly out: RecordBuffer = new RecordBuffer();
  readonly #path: string;
  /** Shape type without heights and measures; `null` until a geometry, or the schema, decides. */
  #family: number | null;
  #hasZ: boolean;
  #hasM: boolean;
  #decided = false;
  #minX = Infinity;
  #minY = Infinity;
  #maxX = -Infinity;
  #maxY = -Infinity;
  #minZ = Infinity;
  #maxZ = -Infinity;
  #minM = Infinity;
  #maxM = -Infinity;
  #empty = 0;
  #flattened = false;
  #heightless = 0;

  constructor(path: string, schema: LayerSchema) {
    this.#path = path;
    this.#hasZ = schema.hasZ;
    this.#hasM = schema.hasM;
    this.#family = familyOf(schema.geometryTypes);
  }

  /** Look at a batch before its rows are written: the first one with geometry decides what the schema left open. */
  prepare(geometry: GeometryColumn): void {
    if (this.#decided) {
      if ((geometry.z !== null && !this.#hasZ) || (geometry.m !== null && !this.#hasM))
        this.#flattened = true;
      return;
    }
    const seen = new Set(geometry.types);
    seen.delete(0);
    if (seen.size === 0) return;
    this.#decided = true;
    this.#hasZ ||= geometry.z !== null;
    this.#hasM ||= geometry.m !== null;
    if (this.#family === null) {
      const [first] = seen;
      this.#family = familyOf([...seen]) ?? FAMILIES[first!] ?? null;
    }
  }

  /** Append the record of a row. Returns its bytes. */
  record(geometry: GeometryColumn | null, row: number, number: number): number {
    const out = this.out;
    const start = out.length;
    out.reserve(12);
    out.view.setUint32(start, number);
    out.length += 8;
    const type = geometry === null ? 0 : geometry.types[row]!;
    const first = geometry === null ? 0 : geometry.geometries[row]!;
    const end = geometry === null ? 0 : geometry.geometries[row + 1]!;
    const vertices =
      geometry === null ? 0 : geometry.rings[geometry.parts[end]!]! - geometry.rings[geometry.parts[first]!]!;
    if (type !== 0) this.#checkKind(type, end - first, number);
    if (type === 0 || vertices === 0) {
      if (type !== 0) this.#empty++;
      out.view.setInt32(out.length, NULL_SHAPE, true);
      out.length += 4;
    } else if (this.#family === POINT_SHAPE) this.#point(geometry!, first);
    else if (this.#family === MULTI_POINT_SHAPE) this.#multiPoint(geometry!, first, end);
    else this.#parts(geometry!, first, end);
    const bytes = out.length - start;
    out.view.setUint32(start + 4, (bytes - 8) / 2);
    return bytes;
  }

  /** The header of the .shp or .shx, whose whole length is `bytes`. */
  header(bytes: number): Uint8Array {
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setInt32(0, 9994);
    view.setUint32(24, bytes / 2);
    view.setInt32(28, 1000, true);
    view.setInt32(32, this.#type(), true);
    const ranges = [
      this.#minX,
      this.#minY,
      this.#maxX,
      this.#maxY,
      this.#minZ,
      this.#maxZ,
      this.#minM,
      this.#maxM,
    ];
    for (const [k, value] of ranges.entries())
      view.setFloat64(36 + 8 * k, Number.isFinite(value) ? value : 0, true);
    return header;
  }

  /** What could not be written as it was, one sentence each. */
  findings(): string[] {
    const warnings: string[] = [];
    if (this.#empty > 0) warnings.push(`${this.#empty} empty geometries were written as null shapes`);
    if (this.#flattened)
      warnings.push(
        "heights or measures that only later features have were left out, as the first ones have none",
      );
    if (this.#heightless > 0)
      warnings.push(`${this.#heightless} vertices without a height were given the height 0`);
    return warnings;
  }

  #type(): number {
    const family = this.#family ?? NULL_SHAPE;
    if (family === NULL_SHAPE) return NULL_SHAPE;
    return family + (this.#hasZ ? 10 : this.#hasM ? 20 : 0);
  }

  #checkKind(type: number, parts: number, number: number): void {
    const family = FAMILIES[type];
    if (family === this.#family) return;
    // A point fits among multi-points, and a multi-point of one among points.
    if (
      typeDimension(type) === 0 &&
      (this.#family === MULTI_POINT_SHAPE || (this.#family === POINT_SHAPE && parts < 2))
    )
      return;
    const found = GEOMETRY_NAMES[type as 1];
    const kind =
      this.#family === null
        ? "a Shapefile cannot hold one"
        : `the file holds shapes of the type ${shapeName(this.#type())}`;
    throw new GeoError(
      "UNSUPPORTED",
      `${this.#path}: feature ${number - 1} is a ${found}, but ${kind}`,
      { feature: `${found} in a Shapefile of ${shapeName(this.#type())}`, path: this.#path },
      { hint: "Write a GeoPackage or FlatGeobuf, or split the layer by type of geometry first." },
    );
  }

  #point({ parts, rings, xy, z, m }: GeometryColumn, part: number): void {
    const { out } = this;
    const v = rings[parts[part]!]!;
    out.reserve(36);
    out.view.setInt32(out.length, this.#type(), true);
    out.view.setFloat64(out.length + 4, xy[2 * v]!, true);
    out.view.setFloat64(out.length + 12, xy[2 * v + 1]!, true);
    this.#extend(xy[2 * v]!, xy[2 * v + 1]!);
    out.length += 20;
    if (this.#hasZ) this.#height(z, v);
    // A PointZ always has its measure: readers expect 36 bytes.
    if (this.#hasM || this.#hasZ) this.#measure(m, v);
  }

  #multiPoint(column: GeometryColumn, first: number, end: number): void {
    const from = column.rings[column.parts[first]!]!;
    const to = column.rings[column.parts[end]!]!;
    this.#start(column, from, to);
    const { out } = this;
    out.reserve(4);
    out.view.setInt32(out.length, to - from, true);
    out.length += 4;
    this.#runs(column, [from, to, 1]);
  }

  #parts(column: GeometryColumn, first: number, end: number): void {
    const { parts, rings, xy } = column;
    const polygons = this.#family === POLYGON_SHAPE;
    /** Of each ring or line that has vertices: first vertex, end, direction. */
    const runs: number[] = [];
    for (let p = first; p < end; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const from = rings[r]!;
        const to = rings[r + 1]!;
        if (from === to) continue;
        const clockwise = polygons && signedArea(xy, from, to) <= 0;
        runs.push(from, to, polygons && clockwise !== (r === parts[p]) ? -1 : 1);
      }
    }
    const from = rings[parts[first]!]!;
    const to = rings[parts[end]!]!;
    this.#start(column, from, to);
    const { out } = this;
    const count = runs.length / 3;
    out.reserve(8 + 4 * count);
    out.view.setInt32(out.length, count, true);
    out.view.setInt32(out.length + 4, to - from, true);
    out.length += 8;
    let before = 0;
    for (let k = 0; k < runs.length; k += 3) {
      out.view.setInt32(out.length, before, true);
      out.length += 4;
      before += runs[k + 1]! - runs[k]!;
    }
    this.#runs(column, runs);
  }

  /** Shape type and box of vertices `from .. to - 1`. */
  #start({ xy }: GeometryColumn, from: number, to: number): void {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = from; v < to; v++) {
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    this.#extend(minX, minY);
    this.#extend(maxX, maxY);
    const { out } = this;
    out.reserve(36);
    out.view.setInt32(out.length, this.#type(), true);
    for (const [k, value] of [minX, minY, maxX, maxY].entries())
      out.view.setFloat64(out.length + 4 + 8 * k, value, true);
    out.length += 36;
  }

  /** Coordinates, then heights, then measures of runs of vertices (first, end, direction). */
  #runs(column: GeometryColumn, runs: readonly number[]): void {
    const { out } = this;
    const { xy } = column;
    for (let k = 0; k < runs.length; k += 3) {
      const from = runs[k]!;
      const to = runs[k + 1]!;
      out.reserve(16 * (to - from));
      const { view } = out;
      let at = out.length;
      if (runs[k + 2]! > 0) {
        for (let i = 2 * from; i < 2 * to; i++, at += 8) view.setFloat64(at, xy[i]!, true);
      } else {
        for (let v = to - 1; v >= from; v--, at += 16) {
          view.setFloat64(at, xy[2 * v]!, true);
          view.setFloat64(at + 8, xy[2 * v + 1]!, true);
        }
      }
      out.length = at;
    }
    if (this.#hasZ) this.#values(column.z, runs, true);
    if (this.#hasM) this.#values(column.m, runs, false);
  }

  /** Range and values of heights or measures. */
  #values(values: Float64Array | null, runs: readonly number[], heights: boolean): void {
    const { out } = this;
    out.reserve(16);
    const range = out.length;
    out.length += 16;
    const first = out.length;
    for (let k = 0; k < runs.length; k += 3) {
      const from = runs[k]!;
      const to = runs[k + 1]!;
      for (let i = 0; i < to - from; i++) {
        const v = runs[k + 2]! > 0 ? from + i : to - 1 - i;
        if (heights) this.#height(values, v);
        else this.#measure(values, v);
      }
    }
    let min = Infinity;
    let max = -Infinity;
    for (let at = first; at < out.length; at += 8) {
      const value = out.view.getFloat64(at, true);
      if (value <= -1e38) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const none = heights ? 0 : NO_MEASURE;
    out.view.setFloat64(range, min === Infinity ? none : min, true);
    out.view.setFloat64(range + 8, min === Infinity ? none : max, true);
  }

  #height(z: Float64Array | null, v: number): void {
    const { out } = this;
    let value = z === null ? Number.NaN : z[v]!;
    if (Number.isNaN(value)) {
      value = 0;
      this.#heightless++;
    }
    if (value < this.#minZ) this.#minZ = value;
    if (value > this.#maxZ) this.#maxZ = value;
    out.reserve(8);
    out.view.setFloat64(out.length, value, true);
    out.length += 8;
  }

  #measure(m: Float64Array | null, v: number): void {
    const { out } = this;
    const value = m === null ? Number.NaN : m[v]!;
    if (value < this.#minM) this.#minM = value;
    if (value > this.#maxM) this.#maxM = value;
    out.reserve(8);
    out.view.setFloat64(out.length, Number.isNaN(value) ? NO_MEASURE : value, true);
    out.length += 8;
  }

  #extend(x: number, y: number): void {
    if (x < this.#minX) this.#minX = x;
    if (x > this.#maxX) this.#maxX = x;
    if (y < this.#minY) this.#minY = y;
    if (y > this.#maxY) this.#maxY = y;
  }
}

/** The one family that all types belong to; points among multi-points count as these. `null` when there are several. */
function familyOf(types: readonly number[]): number | null {
  const families = new Set(types.filter((type) => type !== 0).map((type) => FAMILIES[type] ?? -1));
  if (types.includes(MULTI_POINT) && families.has(POINT_SHAPE)) families.delete(POINT_SHAPE);
  const [family] = families;
  return families.size === 1 && family !== -1 ? family! : null;
}
