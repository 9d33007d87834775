import { type FileHandle, open, stat } from "node:fs/promises";
import { GeoError } from "../../model/errors.ts";
import { readError } from "../read-errors.ts";
import type { ByteSource } from "./source.ts";

/**
 * A local file as a source. Reads are positional, so any number may be under way at once.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE` (a folder, a pipe, no permission)
 */
export async function openFile(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    // Before opening: opening a pipe waits for its other end, perhaps for ever.
    const stats = await stat(path);
    if (stats.isDirectory()) {
      throw new GeoError(
        "UNREADABLE",
        `${path} cannot be read: it is a folder, expected a file`,
        { path, reason: "it is a folder, expected a file" },
        { hint: "Name the file inside it." },
      );
    }
    if (!stats.isFile()) {
      throw new GeoError(
        "UNREADABLE",
        `${path} cannot be read: it is a pipe or a device, expected a file`,
        { path, reason: "it is a pipe or a device, expected a file" },
        { hint: "Save what it gives to a file first: geodata is read in any order." },
      );
    }
    handle = await open(path, "r");
    return new FileSource(path, handle, stats.size);
  } catch (error) {
    await handle?.close();
    throw readError(path, error);
  }
}

class FileSource implements ByteSource {
  readonly url: string;
  readonly size: number;
  readonly #handle: FileHandle;
  #closed = false;

  constructor(url: string, handle: FileHandle, size: number) {
    this.url = url;
    this.#handle = handle;
    this.size = size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const wanted = Math.min(length, this.size - offset);
    if (!(wanted > 0)) return new Uint8Array(0);
    // Slow means "not from the shared pool": the view starts at byte 0 of its buffer, so it is aligned.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wanted).buffer);
    let done = 0;
    try {
      while (done < wanted) {
        const { bytesRead } = await this.#handle.read(bytes, done, wanted - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (error) {
      throw readError(this.url, error);
    }
    return done === wanted ? bytes : bytes.subarray(0, done);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}
