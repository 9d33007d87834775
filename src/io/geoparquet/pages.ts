import type { PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import type { ByteSource } from "../bytes/source.ts";
import type { Decompressor } from "./compression.ts";
import { DamagedPage, UnsupportedPage } from "./damaged.ts";
import {
  lookUp,
  type PhysicalType,
  readByteStreamSplit,
  readDelta,
  readDeltaBytes,
  readDeltaLengths,
  readHybrid,
  readPlain,
  type Values,
} from "./encodings.ts";
import { skipStruct } from "./thrift.ts";

/** A leaf of the schema: a column as it is stored. */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: PhysicalType;
  /** Bytes of a value, for fixed-length bytes; else 0. */
  readonly typeLength: number;
  /** Level at which a value is there; less means null, or an empty or missing parent. */
  readonly maxDefinition: number;
  /** 0 unless inside a list. */
  readonly maxRepetition: number;
}

/** Decoded page: levels as stored, then the values that are there. */
export interface Page {
  /** Values and nulls; of a flat column: rows. */
  readonly count: number;
  /** Length = count; `null` when every value is there. */
  readonly definitions: Uint8Array | null;
  /** Length = count; `null` outside lists. */
  readonly repetitions: Uint8Array | null;
  readonly values: Values;
}

/** Where a column of a row group lies. */
export interface Chunk {
  readonly start: number;
  readonly length: number;
  /** Values and nulls in it. */
  readonly values: number;
}

/** Read at once at least, and while looking for a header. */
const WINDOW_BYTES = 1 << 20;
/** Headers carry statistics, which may hold whole values; none is longer than this. */
const MAX_HEADER_BYTES = 1 << 24;

/**
 * The pages of one column of one row group, one after the other, decoded as they are asked for. Memory: a
 * window of the file and one page.
 */
export class PageReader {
  readonly #source: ByteSource;
  readonly #leaf: Leaf;
  readonly #decompress: Decompressor;
  /** Longest page and longest expansion of shared beginnings, in bytes. */
  readonly #limit: number;
  readonly #end: number;
  #at: number;
  #left: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #dictionary: Values | null = null;

  constructor(source: ByteSource, leaf: Leaf, chunk: Chunk, decompress: Decompressor, limit: number) {
    this.#source = source;
    this.#leaf = leaf;
    this.#decompress = decompress;
    this.#limit = limit;
    this.#at = chunk.start;
    this.#end = chunk.start + chunk.length;
    this.#left = chunk.values;
  }

  /** The next page of values, or `null` after the last. */
  async next(signal?: AbortSignal): Promise<Page | null> {
    while (this.#left > 0) {
      const header = await this.#header(signal);
      const size = header.compressed_page_size;
      if (!(size >= 0 && size <= this.#end - this.#at))
        throw new DamagedPage(`a page of ${size} bytes does not fit`);
      const bytes = await this.#bytes(size, signal);
      this.#at += size;
      if (header.type === "DICTIONARY_PAGE") this.#dictionary = this.#readDictionary(header, bytes);
      else if (header.type === "DATA_PAGE" || header.type === "DATA_PAGE_V2") {
        const page = header.type === "DATA_PAGE" ? this.#readV1(header, bytes) : this.#readV2(header, bytes);
        this.#left -= page.count;
        return page;
      } else if (header.type !== "INDEX_PAGE") throw new DamagedPage(`a page of type ${String(header.type)}`);
    }
    return null;
  }

  async #header(signal: AbortSignal | undefined): Promise<PageHeader> {
    for (let length = 8192; ; length *= 4) {
      const available = Math.min(length, this.#end - this.#at);
      const bytes = await this.#bytes(available, signal);
      const { end } = skipStruct(bytes, 0);
      if (end > 0) {
        this.#at += end;
        return parquetHeader({ view: new DataView(bytes.buffer, bytes.byteOffset, end), offset: 0 });
      }
      if (end === -1 || available === this.#end - this.#at || length > MAX_HEADER_BYTES) {
        throw new DamagedPage("a page header is damaged or missing");
      }
    }
  }

  /** `length` bytes at the current place, which lie within the chunk. */
  async #bytes(length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const from = this.#at - this.#windowStart;
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length);
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#end - this.#at);
    this.#window = await this.#source.read(this.#at, wanted, signal);
    this.#windowStart = this.#at;
    if (this.#window.length < length) throw new DamagedPage("the file ends inside a column");
    return this.#window.subarray(0, length);
  }

  #readDictionary(header: PageHeader, compressed: Uint8Array): Values {
    const count = header.dictionary_page_header?.num_values ?? -1;
    if (count < 0) throw new DamagedPage("a dictionary without a size");
    const bytes = this.#decompress(compressed, header.uncompressed_page_size);
    return readPlain(bytes, 0, this.#leaf.type, this.#leaf.typeLength, count);
  }

  #readV1(header: PageHeader, compressed: Uint8Array): Page {
    const info = header.data_page_header;
    if (info === undefined) throw new DamagedPage("a page without a header of its own");
    const count = this.#checkCount(info.num_values);
    const bytes = this.#decompress(compressed, header.uncompressed_page_size);
    const { maxDefinition, maxRepetition } = this.#leaf;
    let at = 0;
    const levels = (max: number, encoding: string): Uint8Array | null => {
      if (max === 0) return null;
      if (encoding !== "RLE") throw new UnsupportedPage(`levels in ${encoding}`);
      if (at + 4 > bytes.length) throw new DamagedPage("levels are cut off");
      const length = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
      if (length > bytes.length - at - 4) throw new DamagedPage("levels are cut off");
      const out = new Uint8Array(count);
      readHybrid(bytes, at + 4, at + 4 + length, bitsOf(max), out);
      at += 4 + length;
      return out;
    };
    const repetitions = levels(maxRepetition, info.repetition_level_encoding);
    const definitions = levels(maxDefinition, info.definition_level_encoding);
    return this.#page(count, repetitions, definitions, bytes, at, info.encoding);
  }

  #readV2(header: PageHeader, stored: Uint8Array): Page {
    const info = header.data_page_header_v2;
    if (info === undefined) throw new DamagedPage("a page without a header of its own");
    const count = this.#checkCount(info.num_values);
    const repetitionBytes = info.repetition_levels_byte_length;
    const definitionBytes = info.definition_levels_byte_length;
    const levelBytes = repetitionBytes + definitionBytes;
    if (!(repetitionBytes >= 0 && definitionBytes >= 0 && levelBytes <= stored.length)) {
      throw new DamagedPage("levels do not fit");
    }
    const levels = (max: number, from: number, to: number): Uint8Array | null => {
      if (max === 0) return null;
      const out = new Uint8Array(count);
      readHybrid(stored, from, to, bitsOf(max), out);
      return out;
    };
    const repetitions = levels(this.#leaf.maxRepetition, 0, repetitionBytes);
    const definitions = levels(this.#leaf.maxDefinition, repetitionBytes, levelBytes);
    const packed = stored.subarray(levelBytes);
    const bytes =
      info.is_compressed === false
        ? packed
        : this.#decompress(packed, header.uncompressed_page_size - levelBytes);
    return this.#page(count, repetitions, definitions, bytes, 0, info.encoding);
  }

  #checkCount(count: number): number {
    if (!(count >= 0 && count <= this.#left)) {
      throw new DamagedPage(`a page claims ${count} values, ${this.#left} are left in its column`);
    }
    return count;
  }

  #page(
    count: number,
    repetitions: Uint8Array | null,
    definitions: Uint8Array | null,
    bytes: Uint8Array,
    at: number,
    encoding: string,
  ): Page {
    const { maxDefinition, maxRepetition } = this.#leaf;
    let present = count;
    if (definitions !== null) {
      present = 0;
      for (let i = 0; i < count; i++) {
        if (definitions[i] === maxDefinition) present++;
        else if (definitions[i]! > maxDefinition) throw new DamagedPage("a level is too high");
      }
    }
    if (repetitions !== null) {
      for (let i = 0; i < count; i++)
        if (repetitions[i]! > maxRepetition) throw new DamagedPage("a level is too high");
    }
    return {
      count,
      definitions: present === count && maxRepetition === 0 ? null : definitions,
      repetitions,
      values: this.#values(bytes, at, encoding, present),
    };
  }

  #values(bytes: Uint8Array, at: number, encoding: string, count: number): Values {
    const { type, typeLength } = this.#leaf;
    switch (encoding) {
      case "PLAIN":
        return readPlain(bytes, at, type, typeLength, count);
      case "PLAIN_DICTIONARY":
      case "RLE_DICTIONARY": {
        if (this.#dictionary === null) throw new DamagedPage("a page needs a dictionary that is not there");
        const places = new Int32Array(count);
        if (count > 0) {
          if (at >= bytes.length) throw new DamagedPage("values are cut off");
          readHybrid(bytes, at + 1, bytes.length, bytes[at]!, places);
        }
        return lookUp(this.#dictionary, places);
      }
      case "RLE": {
        if (type !== "BOOLEAN") throw new DamagedPage(`values of type ${type} in RLE`);
        const array = new Uint8Array(count);
        // The length in front is there in both versions of pages.
        if (count > 0) readHybrid(bytes, at + 4, bytes.length, 1, array);
        return { kind: "boolean", array };
      }
      case "DELTA_BINARY_PACKED":
        if (type === "INT32")
          return { kind: "int32", array: readDelta(bytes, at, new Int32Array(count)).array };
        if (type === "INT64")
          return { kind: "int64", array: readDelta(bytes, at, new BigInt64Array(count)).array };
        throw new DamagedPage(`values of type ${type} in ${encoding}`);
      case "DELTA_LENGTH_BYTE_ARRAY":
        return readDeltaLengths(bytes, at, count);
      case "DELTA_BYTE_ARRAY":
        return readDeltaBytes(bytes, at, count, this.#limit);
      case "BYTE_STREAM_SPLIT":
        return readByteStreamSplit(bytes, at, type, typeLength, count);
      default:
        throw new UnsupportedPage(`encoding ${encoding}`);
    }
  }
}

/** Bits that hold 0 to `max`. */
function bitsOf(max: number): number {
  return 32 - Math.clz32(max);
}
