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
  const headerBytes = checkFrame(bytes, most);
  const frame = smallWindow(bytes.subarray(0, frameBytes(bytes, headerBytes)), most);
  const { buffer, byteOffset, length } = await decompress(frame, most, parallel && most >= POOL_BYTES);
  // The same kind of array on every Node.
  return new Uint8Array(buffer, byteOffset, length);
}

async function decompress(frame: Uint8Array, most: number, parallel: boolean): Promise<Uint8Array> {
  const options = { chunkSize: Math.min(most + 64, 4_194_304), maxOutputLength: most + 64 };
  const { zstdDecompress, zstdDecompressSync } = native;
  try {
    if (parallel && zstdDecompress !== undefined) {
      return await new Promise((resolve, reject) => {
        zstdDecompress(frame, options, (error, out) => (error === null ? resolve(out) : reject(error)));
      });
    }
    if (zstdDecompressSync !== undefined) return zstdDecompressSync(frame, options);
    const { Decompress } = await import("fzstd");
    const out = new Uint8Array(most);
    let length = 0;
    // Block by block, so that a bomb is stopped after one block too many.
    new Decompress((block) => {
      if (length + block.length > most) throw new Error(`it holds more than ${most} bytes`);
      out.set(block, length);
      length += block.length;
    }).push(frame, true);
    return out.subarray(0, length);
  } catch (error) {
    throw new CodecError(`ZSTD data is damaged (${(error as Error).message})`, { cause: error });
  }
}

/**
 * What the frame says of itself, checked before a decoder allocates it (RFC 8878, section 3.1.1.1). Returns the bytes
 * of its header.
 */
function checkFrame(bytes: Uint8Array, most: number): number {
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
  return at + sizeBytes;
}

/** Bytes of the first frame: decoders would go on to a next one, which belongs to another block of the file. */
function frameBytes(bytes: Uint8Array, headerBytes: number): number {
  let at = headerBytes;
  for (let last = false; !last && at + 3 <= bytes.length; ) {
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    last = (header & 1) === 1;
    // A block of type 1 is one byte, repeated.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
  }
  return Math.min(bytes.length, at + ((bytes[4]! & 4) === 0 ? 0 : 4));
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
