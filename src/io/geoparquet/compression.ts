import * as zlib from "node:zlib";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { plainBytes } from "../bytes/plain.ts";
import { DamagedPage, UnsupportedPage } from "./damaged.ts";

/** `(compressed bytes, length when decompressed)` to bytes of that length. */
export type Decompressor = (input: Uint8Array, length: number) => Uint8Array;

/**
 * What one byte can become at the most: a page that claims more is damaged. Snappy copies 64 bytes for 3, LZ4
 * 255 for 1, Deflate 1032 for 1. ZSTD and Brotli have no bound.
 */
const GREATEST_RATIO: Readonly<Record<string, number>> = { SNAPPY: 24, LZ4: 260, LZ4_RAW: 260, GZIP: 1040 };

/**
 * The decompressor of a codec of Parquet. Loads what it needs first.
 *
 * @param limit  Longest page that is accepted, in bytes.
 */
export async function decompressorOf(codec: string, limit: number): Promise<Decompressor> {
  const decompress = await loadDecompressor(codec);
  const ratio = GREATEST_RATIO[codec] ?? Infinity;
  return (input, length) => {
    // A page of nulls alone: nothing, or what a codec makes of nothing.
    if (length === 0) return new Uint8Array(0);
    if (!(length >= 0 && length <= limit && length <= ratio * input.length + 64)) {
      throw new DamagedPage(`a page of ${input.length} bytes claims to hold ${length}`);
    }
    const output = plainBytes(decompress(input, length));
    if (output.length !== length)
      throw new DamagedPage(`a page holds ${output.length} bytes, its header says ${length}`);
    return output;
  };
}

async function loadDecompressor(codec: string): Promise<Decompressor> {
  switch (codec) {
    case "UNCOMPRESSED":
      return (input) => input;
    case "SNAPPY":
      return (input, length) => {
        const output = new Uint8Array(length);
        snappyUncompress(input, output);
        return output;
      };
    case "GZIP":
      return (input, length) => zlib.gunzipSync(input, { maxOutputLength: length });
    case "BROTLI":
      return (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: length });
    case "ZSTD": {
      // Node has it from 22.15 on.
      const native = (
        zlib as {
          zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
        }
      ).zstdDecompressSync;
      if (native !== undefined) return (input, length) => native(input, { maxOutputLength: length });
      const { decompress } = await import("fzstd");
      return (input, length) => decompress(input, new Uint8Array(length));
    }
    case "LZ4":
    case "LZ4_RAW": {
      const { decompressLz4, decompressLz4Raw } = await import("hyparquet-compressors");
      return codec === "LZ4" ? decompressLz4 : decompressLz4Raw;
    }
    default:
      throw new UnsupportedPage(`compression ${codec}`);
  }
}
