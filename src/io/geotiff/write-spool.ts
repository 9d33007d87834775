import { LEADER_BYTES, trailerOf } from "./ghost.ts";
import { TemporaryFile } from "./write-temporary.ts";

const CHUNK = 2 ** 20;
const IN_MEMORY = 4 * CHUNK;

/**
 * Bytes that are made before it is known where in the output they belong. Kept in memory up to 4 MiB, then in a
 * temporary file.
 */
export class Spool {
  readonly #file: TemporaryFile;
  #spilled = false;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #used = 0;
  #written = 0;
  #size = 0;

  constructor(beside: string) {
    this.#file = new TemporaryFile(beside);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Calls must not overlap; `bytes` may be used again when the call is done. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    if (this.#used + bytes.length > this.#chunk.length) {
      await this.#put(this.#chunk.subarray(0, this.#used));
      this.#used = 0;
      if (this.#chunk.length === 0 || !this.#spilled) this.#chunk = new Uint8Array(CHUNK);
      if (bytes.length > CHUNK) {
        await this.#put(this.#spilled ? bytes : bytes.slice());
        return;
      }
    }
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (!this.#spilled) {
      this.#kept.push(bytes);
      this.#keptBytes += bytes.length;
      if (this.#keptBytes <= IN_MEMORY) return;
      this.#spilled = true;
      for (const kept of this.#kept) await this.#write(kept);
      this.#kept = [];
    } else await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeAt(this.#written, bytes);
    this.#written += bytes.length;
  }

  /** All bytes from the start, in pieces that are good until the next one is asked for. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    yield* this.#kept;
    const piece = new Uint8Array(Math.min(4 * CHUNK, this.#written));
    for (let at = 0; at < this.#written; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, this.#written - at));
      await this.#file.readAt(at, part);
      yield part;
    }
    yield this.#chunk.subarray(0, this.#used);
  }

  async close(): Promise<void> {
    this.#kept = [];
    await this.#file.close();
  }
}

/** A compressed tile on its way, or `null` for a tile that is left out. */
export type PendingTile = Promise<Uint8Array> | null;

/**
 * The tiles of one resolution, written to a spool in the order in which they were pushed, whatever order their
 * compression ends in. Image tiles and their mask tiles lie side by side. Each has its size before it and its last
 * 4 bytes after it, as the ghost area says.
 */
export class TileLane {
  readonly spool: Spool;
  /** Byte of the spool at which the payload starts, -1 for a tile left out; length = tile count. */
  readonly imageAt: Float64Array;
  readonly imageBytes: Uint32Array;
  readonly maskAt: Float64Array;
  readonly maskBytes: Uint32Array;
  #pushed = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(spool: Spool, tileCount: number, hasMask: boolean) {
    this.spool = spool;
    this.imageAt = new Float64Array(tileCount).fill(-1);
    this.imageBytes = new Uint32Array(tileCount);
    this.maskAt = new Float64Array(hasMask ? tileCount : 0).fill(-1);
    this.maskBytes = new Uint32Array(hasMask ? tileCount : 0);
  }

  /** Next tile in row-major order. `done` is called when both parts are written, or could not be. */
  push(image: PendingTile, mask: PendingTile, done: (error?: unknown) => void): void {
    const index = this.#pushed++;
    // Looked at one after the other below; without this a failure that comes early would end the process.
    image?.catch(() => {});
    mask?.catch(() => {});
    this.#tail = this.#tail
      .then(async () => {
        await this.#append(image, index, this.imageAt, this.imageBytes);
        await this.#append(mask, index, this.maskAt, this.maskBytes);
      })
      .then(() => done());
    this.#tail.catch(done);
  }

  async #append(tile: PendingTile, index: number, at: Float64Array, sizes: Uint32Array): Promise<void> {
    if (tile === null) return;
    const payload = await tile;
    const leader = new Uint8Array(LEADER_BYTES);
    new DataView(leader.buffer).setUint32(0, payload.length, true);
    await this.spool.append(leader);
    at[index] = this.spool.size;
    sizes[index] = payload.length;
    await this.spool.append(payload);
    await this.spool.append(trailerOf(payload));
  }

  /** Until every tile pushed so far is written. Rejects with the first failure. */
  async drained(): Promise<void> {
    await this.#tail;
  }

  /** The same, whether it fails or not. */
  async settled(): Promise<void> {
    await this.#tail.catch(() => {});
  }
}

/** Bounds what is in flight, in tiles and in bytes; one tile is always let through. */
export class Gate {
  readonly #mostTiles: number;
  readonly #mostBytes: number;
  #tiles = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | null = null;
  #waiting: (() => void) | null = null;

  constructor(mostTiles: number, mostBytes: number) {
    this.#mostTiles = mostTiles;
    this.#mostBytes = mostBytes;
  }

  /** Waits for room. One caller at a time. Rejects once something in flight failed. */
  async enter(bytes: number): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#tiles === 0 || (this.#tiles < this.#mostTiles && this.#bytes + bytes <= this.#mostBytes))
        break;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#tiles++;
    this.#bytes += bytes;
  }

  leave(bytes: number, error?: unknown): void {
    this.#tiles--;
    this.#bytes -= bytes;
    if (error !== undefined) this.#failure ??= { error };
    this.#waiting?.();
    this.#waiting = null;
  }
}
