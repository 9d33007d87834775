import { type FileHandle, open, rm } from "node:fs/promises";
import { outputError, temporaryBeside } from "./atomic.ts";

/** Kept in memory until there is more; then everything goes to a file. */
const MEMORY_BYTES = 48 << 20;
/** Written to the file at once. */
const CHUNK_BYTES = 1 << 20;
/** Pieces are read together when not more than this many bytes lie between them. */
const GAP_BYTES = 16_384;

/**
 * Bytes put aside until it is known where they go, for writers that must see all features before they can write the
 * first. Kept in memory while they are few, then in a temporary file beside the output, which is removed at the end.
 */
export class Spill {
  /** Bytes put aside. */
  length: number = 0;
  readonly #beside: string;
  readonly #memoryBytes: number;
  #chunks: Uint8Array[] = [];
  /** Bytes of `#chunks`, which follow those in the file. */
  #kept = 0;
  #path: string | null = null;
  #handle: FileHandle | null = null;

  /** @param beside  The output; the temporary file goes to its folder. */
  constructor(beside: string, memoryBytes: number = MEMORY_BYTES) {
    this.#beside = beside;
    this.#memoryBytes = memoryBytes;
  }

  /**
   * Put bytes aside; they are copied.
   * @throws GeoError `OUTPUT_FAILED` (disk full)
   */
  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#chunks.push(new Uint8Array(bytes));
    this.#kept += bytes.length;
    this.length += bytes.length;
    if (this.#handle === null ? this.#kept > this.#memoryBytes : this.#kept > CHUNK_BYTES)
      await this.#flush();
  }

  /** Bytes `offset .. offset + length - 1` of what was put aside. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const out = Buffer.allocUnsafeSlow(length);
    const inFile = this.length - this.#kept;
    let done = 0;
    while (done < length && offset + done < inFile) {
      const wanted = Math.min(length, inFile - offset) - done;
      const { bytesRead } = await this.#handle!.read(out, done, wanted, offset + done);
      if (bytesRead === 0) throw new Error(`${this.#path} ended early`);
      done += bytesRead;
    }
    let start = inFile;
    for (const chunk of this.#chunks) {
      if (done === length) break;
      const at = offset + done - start;
      if (at < chunk.length) {
        const part = chunk.subarray(at, at + length - done);
        out.set(part, done);
        done += part.length;
      }
      start += chunk.length;
    }
    return out;
  }

  /**
   * Pieces in any order, joined. They are fetched in the order in which they lie, neighbours together.
   *
   * @param offsets  Where each piece begins.
   * @param sizes    Bytes of each piece.
   * @param order    Pieces `from .. to - 1` of this list, as positions in `offsets`, make the result.
   */
  async gather(
    offsets: Float64Array,
    sizes: Uint32Array,
    order: Uint32Array,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    const places = new Float64Array(to - from);
    let total = 0;
    for (let i = from; i < to; i++) {
      places[i - from] = total;
      total += sizes[order[i]!]!;
    }
    const out = Buffer.allocUnsafeSlow(total);
    const byOffset = new Uint32Array(to - from);
    for (let i = 0; i < byOffset.length; i++) byOffset[i] = i;
    byOffset.sort((a, b) => offsets[order[from + a]!]! - offsets[order[from + b]!]!);
    for (let i = 0; i < byOffset.length; ) {
      const first = offsets[order[from + byOffset[i]!]!]!;
      let end = first;
      let k = i;
      for (; k < byOffset.length; k++) {
        const piece = order[from + byOffset[k]!]!;
        if (offsets[piece]! > end + GAP_BYTES || (k > i && offsets[piece]! - first > CHUNK_BYTES)) break;
        end = offsets[piece]! + sizes[piece]!;
      }
      const bytes = await this.read(first, end - first);
      for (; i < k; i++) {
        const rank = byOffset[i]!;
        const piece = order[from + rank]!;
        const at = offsets[piece]! - first;
        out.set(bytes.subarray(at, at + sizes[piece]!), places[rank]!);
      }
    }
    return out;
  }

  /** Forget everything and remove the file. Never throws, may be called twice. */
  async close(): Promise<void> {
    this.#chunks = [];
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close().catch(() => {});
    if (this.#path !== null) await rm(this.#path, { force: true }).catch(() => {});
  }

  async #flush(): Promise<void> {
    try {
      if (this.#handle === null) {
        this.#path = temporaryBeside(this.#beside);
        this.#handle = await open(this.#path, "wx+");
      }
      for (const chunk of this.#chunks) await writeAll(this.#handle, chunk);
    } catch (error) {
      throw outputError(this.#beside, error);
    }
    this.#chunks = [];
    this.#kept = 0;
  }
}

/** Write all of some bytes at the current position, or at `position`. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
    done += bytesWritten;
  }
}
