import { readExactly } from "./read.ts";
import type { ByteSource } from "./source.ts";

/** Bytes fetched at once when a file is read from front to back; larger gains nothing, smaller costs calls. */
const CHUNK_BYTES = 1 << 20;

/**
 * A stretch of a source in memory that moves forward as a reader walks through a file: few large reads, and the
 * records in it are parsed without waiting. Its memory is one chunk, or one record when that is longer.
 *
 * A byte at file offset `o` is `bytes[o - start]`. The stretch always begins on a multiple of 8 in its buffer, so
 * that typed arrays can lie over it.
 */
export class ByteWindow {
  readonly source: ByteSource;
  /** Offset of the first byte in the file. */
  start: number = 0;
  /** Offset behind the last byte in the file. */
  end: number = 0;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  readonly #chunk: number;

  constructor(source: ByteSource, chunk: number = CHUNK_BYTES) {
    this.source = source;
    this.#chunk = chunk;
  }

  /** Whether bytes `offset .. offset + length - 1` are in memory. */
  has(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.end;
  }

  /**
   * Move so that the window begins at `offset` and holds at least `length` bytes.
   *
   * @param what   Names the bytes in a message, as in `"feature 3"`.
   * @param ahead  Bytes from `offset` on that will be wanted soon; default a whole chunk.
   * @throws GeoError `INVALID_FORMAT` when the source ends before.
   */
  async move(
    offset: number,
    length: number,
    what: string,
    signal?: AbortSignal,
    ahead: number = this.#chunk,
  ): Promise<void> {
    const wanted = Math.max(length, Math.min(ahead, this.source.size - offset));
    let bytes = await readExactly(this.source, offset, wanted, what, signal);
    if ((bytes.byteOffset & 7) !== 0) bytes = new Uint8Array(bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.start = offset;
    this.end = offset + bytes.length;
  }
}
