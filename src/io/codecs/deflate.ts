import { promisify } from "node:util";
import { constants, createInflate, inflate, inflateSync } from "node:zlib";
import { CodecError, tooShort } from "./codec-error.ts";

const inflateInPool = promisify(inflate);

/** Output is produced in pieces no longer than this, so that memory follows what the data really holds. */
const PIECE = 4_194_304;

/**
 * Output below which starting a job in the thread pool costs more than inflating here (bench/decode.bench.ts:
 * about 60 microseconds a job, 1 millisecond for 256 KiB).
 */
const POOL_BYTES = 32_768;

/**
 * zlib stream (RFC 1950): `expected` bytes; what it holds beyond them is dropped, and a missing end is forgiven
 * when all bytes are there. One piece of output, no copy, for anything up to 4 MiB.
 *
 * @param parallel Inflate in libuv's thread pool. Pays only when several are under way at once.
 * @throws CodecError when the stream is damaged or ends before.
 */
export function decodeDeflate(
  bytes: Uint8Array,
  expected: number,
  parallel: boolean,
): Uint8Array | Promise<Uint8Array> {
  const options = {
    // 64 to spare: with none, zlib would be called once more to learn that it has finished.
    chunkSize: Math.min(expected + 64, PIECE),
    maxOutputLength: expected + 64,
    finishFlush: constants.Z_SYNC_FLUSH,
  };
  if (parallel && expected >= POOL_BYTES) {
    return inflateInPool(bytes, options).then(
      (out) => exactly(out, expected),
      (error: unknown) => orFirst(error, bytes, expected),
    );
  }
  try {
    return exactly(inflateSync(bytes, options), expected);
  } catch (error) {
    return orFirst(error, bytes, expected);
  }
}

/**
 * zlib stream whose length nobody knows: all of it, at most `most` bytes.
 *
 * @throws CodecError when the stream is damaged or longer.
 */
export function decodeDeflateUpTo(bytes: Uint8Array, most: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: most });
  } catch (error) {
    throw new CodecError(`Deflate data is damaged (${(error as Error).message})`, { cause: error });
  }
}

function exactly(out: Uint8Array, expected: number): Uint8Array {
  if (out.length < expected) throw tooShort("Deflate", out.length, expected);
  return out.length === expected ? out : out.subarray(0, expected);
}

/** More output than expected is not damage: take the first part of it. Everything else is. */
function orFirst(error: unknown, bytes: Uint8Array, expected: number): Promise<Uint8Array> {
  if (error instanceof CodecError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ERR_BUFFER_TOO_LARGE")
    throw new CodecError(`Deflate data is damaged (${message})`, { cause: error });
  return firstOf(bytes, expected);
}

async function firstOf(bytes: Uint8Array, expected: number): Promise<Uint8Array> {
  const stream = createInflate({ chunkSize: 65_536, finishFlush: constants.Z_SYNC_FLUSH });
  stream.end(bytes);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      length += piece.length;
      if (length >= expected) break; // leaving the loop destroys the stream
    }
  } catch (error) {
    throw new CodecError(`Deflate data is damaged (${(error as Error).message})`, { cause: error });
  }
  return exactly(Buffer.concat(pieces, length), expected);
}
