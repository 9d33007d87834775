import { type FileHandle, open } from "node:fs/promises";
import type { FeatureTable, LayerSchema } from "../../model/features.ts";
import { rowBounds } from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import { columnsOf } from "../batch-columns.ts";
import { memoryBytes } from "../bytes/memory.ts";
import { ByteWindow } from "../bytes/window.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { hilbertOrder } from "../hilbert.ts";
import { Spill, writeAll } from "../spill.ts";
import { FeatureDecoder } from "./decode.ts";
import { FeatureEncoder } from "./encode.ts";
import { encodeHeader, storedType } from "./encode-header.ts";
import type { FgbHeader } from "./header.ts";
import { encodeIndex, envelopeOf, NODE_SIZE } from "./packed-rtree.ts";

/** Encoded features handed on at once. */
const CHUNK_BYTES = 1 << 20;
/** Features copied to the file at once when they are put in order. */
const GATHER_BYTES = 32 << 20;

/**
 * Write a FlatGeobuf file (version 3) with a packed Hilbert R-tree, so that readers fetch by bounds. Features come out
 * in descending Hilbert order of their centres, ties and null geometries in the order given, so equal input gives
 * equal bytes. Coordinates are kept bit for bit.
 *
 * The order is known only at the end: encoded features wait in memory (up to 48 MB) or in a temporary file beside the
 * output, and about 50 bytes a feature stay in memory. A layer without any vertex gets no index.
 *
 * The header's geometry type is the one that all features have, else "Unknown". Dates are stored as ISO text in a
 * date-time column, times of day as text; both come back as such through our reader.
 *
 * @throws GeoError `OUTPUT_FAILED`; `INVALID_INPUT` from `write` when a batch has a column of another type.
 */
export async function createFlatGeobuf(path: string, schema: LayerSchema): Promise<FeatureSink> {
  try {
    return new FlatGeobufSink(path, schema, await open(path, "w"));
  } catch (error) {
    throw outputError(path, error);
  }
}

class FlatGeobufSink implements FeatureSink {
  readonly #path: string;
  readonly #schema: LayerSchema;
  readonly #handle: FileHandle;
  #spill: Spill;
  #encoder: FeatureEncoder;
  #hasZ: boolean;
  #hasM: boolean;
  #count = 0;
  #offsets = new Float64Array(1024);
  #sizes = new Uint32Array(1024);
  #boxes = new Float64Array(4096);
  /** Bit `t` is set when a geometry of type `t` was written. */
  #types = 0;
  #closed = false;

  constructor(path: string, schema: LayerSchema, handle: FileHandle) {
    this.#path = path;
    this.#schema = schema;
    this.#handle = handle;
    this.#hasZ = schema.hasZ;
    this.#hasM = schema.hasM;
    this.#spill = new Spill(path);
    this.#encoder = new FeatureEncoder(this.#hasZ, this.#hasM);
  }

  async write(batch: FeatureTable): Promise<void> {
    const { count, geometry } = batch;
    const columns = columnsOf(batch, this.#schema.fields);
    const hasZ = this.#hasZ || (geometry !== null && geometry.z !== null);
    const hasM = this.#hasM || (geometry !== null && geometry.m !== null);
    if (hasZ !== this.#hasZ || hasM !== this.#hasM) await this.#encodeAnew(hasZ, hasM);
    this.#grow(this.#count + count);
    const boxes = geometry === null ? null : rowBounds(geometry);
    const encoder = this.#encoder;
    let offset = this.#spill.length + encoder.length;
    for (let row = 0; row < count; row++) {
      const i = this.#count++;
      const size = encoder.feature(batch, columns, row);
      this.#offsets[i] = offset;
      this.#sizes[i] = size;
      offset += size;
      if (boxes === null) this.#boxes.set(EMPTY_BOX, 4 * i);
      else this.#types |= 1 << geometry!.types[row]!;
      if (encoder.length >= CHUNK_BYTES) await this.#flush();
    }
    if (boxes !== null) this.#boxes.set(boxes, 4 * (this.#count - count));
  }

  async close(): Promise<WriteSummary> {
    if (this.#closed) return { count: this.#count, warnings: [] };
    this.#closed = true;
    const { name, crs, fields, geometryTypes } = this.#schema;
    const count = this.#count;
    try {
      await this.#flush();
      const bounds = envelopeOf(this.#boxes, count);
      const order = bounds === null ? identity(count) : hilbertOrder(this.#boxes, count);
      const seen = TYPES.filter((type) => (this.#types >> type) & 1);
      const declared = seen.length > 0 ? seen : geometryTypes;
      const header = encodeHeader({
        name,
        bounds,
        geometryType: declared.length === 1 ? declared[0]! : 0,
        hasZ: this.#hasZ,
        hasM: this.#hasM,
        fields,
        featuresCount: count,
        nodeSize: bounds === null ? 0 : NODE_SIZE,
        crs,
      });
      await writeAll(this.#handle, header);
      if (bounds !== null) {
        for (const piece of encodeIndex(this.#boxes, order, this.#sizes)) await writeAll(this.#handle, piece);
      }
      for (let from = 0; from < count; ) {
        let to = from;
        for (let bytes = 0; to < count && (to === from || bytes < GATHER_BYTES); to++)
          bytes += this.#sizes[order[to]!]!;
        await writeAll(this.#handle, await this.#spill.gather(this.#offsets, this.#sizes, order, from, to));
        from = to;
      }
      await this.#handle.close();
    } catch (error) {
      throw outputError(this.#path, error);
    } finally {
      await this.#spill.close();
    }
    const { heightless } = this.#encoder;
    return {
      count,
      warnings:
        heightless === 0
          ? []
          : [`${heightless} features without heights were given the height 0, as others have some`],
    };
  }

  async abort(): Promise<void> {
    this.#closed = true;
    await this.#handle.close().catch(() => {});
    await this.#spill.close();
  }

  async #flush(): Promise<void> {
    await this.#spill.append(this.#encoder.taken());
    this.#encoder.clear();
  }

  /**
   * Encode what was written so far once more, with heights or measures (NaN): a source that did not announce them had
   * some after all, and readers expect them of every feature or of none.
   */
  async #encodeAnew(hasZ: boolean, hasM: boolean): Promise<void> {
    await this.#flush();
    const before = this.#spill;
    const header: FgbHeader = {
      name: "",
      bounds: null,
      geometryType: 0,
      hasZ: this.#hasZ,
      hasM: this.#hasM,
      hasT: false,
      columns: this.#schema.fields.map((field) => ({ type: storedType(field.type), field })),
      featuresCount: this.#count,
      nodeSize: 0,
      crs: null,
      end: 0,
      warnings: [],
    };
    this.#hasZ = hasZ;
    this.#hasM = hasM;
    this.#encoder = new FeatureEncoder(hasZ, hasM);
    this.#spill = new Spill(this.#path);
    const decoder = new FeatureDecoder(this.#path, header, header.columns, undefined, () => {});
    for (let from = 0; from < this.#count; ) {
      const start = this.#offsets[from]!;
      let to = from;
      let end = start;
      while (to < this.#count && (to === from || end - start < CHUNK_BYTES)) end += this.#sizes[to++]!;
      const bytes = await before.read(start, end - start);
      const window = new ByteWindow(memoryBytes(bytes, this.#path));
      await window.move(0, bytes.length, "features written so far");
      for (let i = from, at = 0; i < to; at += this.#sizes[i++]!) {
        decoder.decode(window, at + 4, this.#sizes[i]! - 4, undefined);
      }
      const table = decoder.finish(0);
      let offset = this.#spill.length;
      for (let i = from; i < to; i++) {
        this.#offsets[i] = offset;
        this.#sizes[i] = this.#encoder.feature(table, table.columns, i - from);
        offset += this.#sizes[i]!;
      }
      await this.#flush();
      from = to;
    }
    await before.close();
  }

  #grow(count: number): void {
    if (count <= this.#sizes.length) return;
    const length = Math.max(count, 2 * this.#sizes.length);
    this.#offsets = grown(this.#offsets, new Float64Array(length));
    this.#sizes = grown(this.#sizes, new Uint32Array(length));
    this.#boxes = grown(this.#boxes, new Float64Array(4 * length));
  }
}

const EMPTY_BOX = [Infinity, Infinity, -Infinity, -Infinity];
const TYPES = [1, 2, 3, 4, 5, 6, 7] as const;

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function identity(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order;
}
