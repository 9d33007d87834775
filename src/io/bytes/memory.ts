import { plainBytes } from "./plain.ts";
import type { ByteSource } from "./source.ts";

/** Bytes in memory as a source. They are not copied: what `read` gives is a view, not to be written to. */
export function memoryBytes(bytes: Uint8Array, url: string = "memory"): ByteSource {
  const plain = plainBytes(bytes);
  return {
    url,
    size: plain.length,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      const start = Math.min(Math.max(0, offset), plain.length);
      return plain.subarray(start, Math.min(plain.length, start + Math.max(0, length)));
    },
    async close() {},
  };
}
