import { plainBytes } from "./plain.ts";
import type { ByteSource } from "./source.ts";

/**
 * A source that keeps what it has read in pages, for headers and tables that are read in small pieces: a piece
 * costs a read only when its page is not there. Holds at most `pages` pages (the oldest go first); reads longer
 * than four pages pass through.
 */
export function pagedBytes(source: ByteSource, pageBytes: number = 16_384, pages: number = 64): ByteSource {
  const kept = new Map<number, Promise<Uint8Array>>();

  function page(index: number): Promise<Uint8Array> {
    let bytes = kept.get(index);
    if (bytes === undefined) {
      if (kept.size >= pages) kept.delete(kept.keys().next().value!);
      bytes = source.read(index * pageBytes, pageBytes);
      bytes.catch(() => kept.delete(index));
      kept.set(index, bytes);
    }
    return bytes;
  }

  return {
    url: source.url,
    size: source.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      const end = Math.min(source.size, offset + length);
      if (!(end > offset)) return new Uint8Array(0);
      const first = Math.floor(offset / pageBytes);
      const last = Math.floor((end - 1) / pageBytes);
      if (last - first >= 4) return source.read(offset, length, signal);
      const parts = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => page(first + i)));
      const start = offset - first * pageBytes;
      if (parts.length === 1) return parts[0]!.subarray(start, start + end - offset);
      return plainBytes(Buffer.concat(parts)).subarray(start, start + end - offset);
    },
    close: () => source.close(),
  };
}
