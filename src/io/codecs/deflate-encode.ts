import { deflate } from "node:zlib";

/** Options of {@link deflateBytes}. */
export interface DeflateOptions {
  /** 1 (fast) to 9 (small); default 6. */
  readonly level?: number | undefined;
  /** Bytes of one sample, which decide how far back a match is worth looking for; default 1. */
  readonly sampleBytes?: number | undefined;
}

/**
 * One zlib stream (TIFF compression 8) of `bytes`, made in libuv's thread pool: several calls run at once
 * while the caller's thread goes on. The same bytes give the same stream on the same zlib.
 *
 * Up to level 6 the window is 4 KiB for 8-bit samples and 16 KiB for wider ones instead of zlib's 32 KiB,
 * and memory is one step more generous. Rows of a tile repeat the row above, not a row 60 rows up, so a long
 * window only makes long hash chains and long distance codes: on class rasters, elevation, NDVI and colour
 * imagery the stream is 1.8 % smaller to 0.3 % larger than with zlib's defaults and takes 0.46 to 0.97 of the
 * time (`docs/decisions/0003-cog-writer.md` has the table). Levels 7 to 9 ask for size and keep 32 KiB.
 */
export function deflateBytes(bytes: Uint8Array, options: DeflateOptions = {}): Promise<Uint8Array> {
  const { level = 6, sampleBytes = 1 } = options;
  const windowBits = level > 6 ? 15 : sampleBytes === 1 ? 12 : 14;
  // One output chunk that surely holds the result: one trip to the thread pool instead of one per 16 KiB.
  const chunkSize = Math.max(1024, bytes.length + (bytes.length >>> 10) + 64);
  return new Promise((resolve, reject) => {
    deflate(bytes, { level, windowBits, memLevel: 9, chunkSize }, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
