import * as zlib from "node:zlib";
import { CodecError } from "./codec-error.ts";

interface ZstdOptions {
  readonly chunkSize: number;
  readonly maxOutputLength: number;
}

/** Zstandard of `node:zlib`, there since Node 22.15; `undefined` before. */
const native = zlib as unknown as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: ZstdOptions) => Uint8Array;
  readonly zstdDecompress?: (
    bytes: Uint8Array,
    options: ZstdOptions,
    done: (error: Error | null, out: Uint8Array) => void,
  ) => void;
};

const MAGIC = 0xfd2fb528;
const POOL_BYTES = 32_768;

/**
 * One Zstandard frame (RFC 8878): all that it holds, at most `most` bytes. Uses `node:zlib` where it has Zstandard,
 * else the `fzstd` package, loaded on first use.
 *
 * @param parallel Decode in libuv's thread pool where `node:zlib` does the work.
 * @throws CodecError when the frame is damaged or holds more than `most` bytes.
 */
export async function decodeZstd(bytes: Uint8Array, most: number, parallel: boolean): Promise<Uint8Array> {
  checkFrame(bytes, most);
  return await decompress(bytes, most, parallel && most >= POOL_BYTES);
}

async function decompress(bytes: Uint8Array, most: number, parallel: boolean): Promise<Uint8Array> {
  const frame = smallWindow(bytes, most);
  const options = { chunkSize: Math.min(most + 64, 4_194_304), maxOutputLength: most + 64 };
  const { zstdDecompress, zstdDecompressSync } = native;
  try {
    if (parallel && zstdDecompress !== undefined) {
      return await new Promise((resolve, reject) => {
        zstdDecompress(frame, options, (error, out) => (error === null ? resolve(out) : reject(error)));
      });
    }
    if (zstdDecompressSync !== undefined) return zstdDecompressSync(frame, options);
    const { decompress: decode } = await import("fzstd");
    return decode(frame);
  } catch (error) {
    throw new CodecError(`ZSTD data is damaged (${(error as Error).message})`, { cause: error });
  }
}

/** What the frame says of itself, checked before a decoder allocates it (RFC 8878, section 3.1.1.1). */
function checkFrame(bytes: Uint8Array, most: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC)
    throw new CodecError("ZSTD data does not start with a frame");
  const flags = bytes[4]!;
  const single = (flags & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const at = 5 + (single ? 0 : 1) + dictionaryBytes;
  if (at + sizeBytes > bytes.length) throw new CodecError("ZSTD data ends inside its header");
  let content: number | null = null;
  if (sizeBytes === 1) content = bytes[at]!;
  else if (sizeBytes === 2) content = view.getUint16(at, true) + 256;
  else if (sizeBytes === 4) content = view.getUint32(at, true);
  else if (sizeBytes === 8) content = Number(view.getBigUint64(at, true));
  if (content !== null && content > most)
    throw new CodecError(`ZSTD data claims ${content} bytes, expected at most ${most}`);
}

/**
 * The frame with a window no larger than what it can hold. Encoders that do not know the length beforehand declare
 * up to 128 MiB, which decoders allocate for every block; nothing can reach back further than the start.
 */
function smallWindow(bytes: Uint8Array, most: number): Uint8Array {
  const single = (bytes[4]! & 0x20) !== 0;
  const exponent = Math.max(0, Math.ceil(Math.log2(most)) - 10);
  if (single || exponent >= bytes[5]! >> 3) return bytes;
  const copy = new Uint8Array(bytes);
  copy[5] = exponent << 3;
  return copy;
}
