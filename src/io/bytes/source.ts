/**
 * Random access to the bytes of a file, an address or a buffer. Everything that reads a format stands on this,
 * so that a reader works on a local file, a range-capable server and memory alike.
 */
export interface ByteSource {
  /** Path or address, for messages. */
  readonly url: string;
  /** Total bytes. Readers check every length that a file claims against this before they allocate. */
  readonly size: number;
  /**
   * Bytes `offset .. offset + length - 1`. Shorter only when the source ends there; callers that need all of
   * them use {@link readExactly}. Not a `Buffer`, whose `slice` does not copy.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}
