import * as zlib from "node:zlib";
import { GeoError } from "../../model/errors.ts";

type ZstdCompress = (
  bytes: Uint8Array,
  options: { params: Record<number, number> },
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

// Node 22.15 and 23.8 brought Zstandard to node:zlib; the types of Node 20 do not know it.
const zstdCompress = (zlib as unknown as { zstdCompress?: ZstdCompress }).zstdCompress;
const LEVEL_PARAMETER = 100; // ZSTD_c_compressionLevel

/** Whether this Node can write Zstandard. */
export function canZstd(): boolean {
  return zstdCompress !== undefined;
}

/**
 * One Zstandard frame (TIFF compression 50000) of `bytes`, made in libuv's thread pool. `level` 1 to 22, default 9.
 * @throws GeoError `UNSUPPORTED` where Node has no Zstandard ({@link assertZstd} says so before any work).
 */
export function zstdBytes(bytes: Uint8Array, level: number = 9): Promise<Uint8Array> {
  const compress = assertZstd();
  return new Promise((resolve, reject) => {
    compress(bytes, { params: { [LEVEL_PARAMETER]: level } }, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** @throws GeoError `UNSUPPORTED` where Node has no Zstandard. */
export function assertZstd(): ZstdCompress {
  if (zstdCompress !== undefined) return zstdCompress;
  throw new GeoError(
    "UNSUPPORTED",
    `writing ZSTD needs Node 22.15 or newer, this is Node ${process.versions.node}`,
    { feature: "ZSTD compression" },
    { hint: "Use --compress deflate, or a newer Node." },
  );
}
