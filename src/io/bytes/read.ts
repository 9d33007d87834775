import { GeoError } from "../../model/errors.ts";
import type { ByteSource } from "./source.ts";

/**
 * Bytes `offset .. offset + length - 1`, all of them. `what` names them in the message, as in `"the header"`.
 * The claim is checked against the size of the source before anything is allocated.
 *
 * @throws GeoError `INVALID_FORMAT` when the source ends before.
 */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size))
    throw truncated(source, offset, length, what);
  if (length === 0) return new Uint8Array(0);
  const bytes = await source.read(offset, length, signal);
  if (bytes.length < length) throw truncated(source, offset, length, what);
  return bytes.length === length ? bytes : bytes.subarray(0, length);
}

function truncated(source: ByteSource, offset: number, length: number, what: string): GeoError {
  const ending = /\.([A-Za-z0-9]+)$/.exec(source.url)?.[1]?.toLowerCase() ?? "unknown";
  return new GeoError(
    "INVALID_FORMAT",
    `${source.url} is truncated or damaged: ${what} should be ${length} bytes at byte ${offset}, ` +
      `but the file has ${source.size} bytes`,
    { format: ending, path: source.url, offset },
    { hint: "Copy or download the file again and compare its size with the original." },
  );
}
