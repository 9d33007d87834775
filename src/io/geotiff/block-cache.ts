import type { SampleArray } from "../../model/raster.ts";

/**
 * Decoded blocks of one file, the least recently used going first, bounded in bytes. The newest block stays even
 * when it alone is larger, so that reading a file of one huge strip row by row decodes it once.
 */
export class BlockCache {
  readonly #limit: number;
  readonly #blocks = new Map<number, SampleArray>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: number): SampleArray | undefined {
    const block = this.#blocks.get(key);
    if (block !== undefined) {
      this.#blocks.delete(key);
      this.#blocks.set(key, block);
    }
    return block;
  }

  set(key: number, block: SampleArray): void {
    this.#drop(key);
    this.#blocks.set(key, block);
    this.#bytes += block.byteLength;
    while (this.#bytes > this.#limit && this.#blocks.size > 1) this.#drop(this.#blocks.keys().next().value!);
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #drop(key: number): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#bytes -= block.byteLength;
  }
}
