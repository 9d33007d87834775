import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { temporaryBeside } from "../atomic.ts";

/**
 * Room on disk beside an output. The file is opened at the first write and loses its name at once, so that
 * nothing is left however the process ends; where the system does not allow that, {@link close} removes it.
 */
export class TemporaryFile {
  readonly #beside: string;
  #handle: FileHandle | null = null;
  #name: string | null = null;

  constructor(beside: string) {
    this.#beside = beside;
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    const handle = this.#handle ?? (await this.#open());
    for (let done = 0; done < bytes.length; ) {
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  }

  /** Fill `into` with what was written at `position`. */
  async readAt(position: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length; ) {
      const { bytesRead } = await this.#handle!.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) throw new Error(`a temporary file beside ${this.#beside} was cut short`);
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    if (this.#name !== null) rmSync(this.#name, { force: true });
    this.#name = null;
  }

  async #open(): Promise<FileHandle> {
    const name = temporaryBeside(this.#beside);
    const handle = await open(name, "wx+");
    this.#handle = handle;
    try {
      rmSync(name);
    } catch {
      this.#name = name;
    }
    return handle;
  }
}
