import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { GeoError, isGeoError } from "../model/errors.ts";
import { outputError } from "./atomic.ts";
import type { ByteSource } from "./bytes/source.ts";

/** One file of an archive. Folders are not listed. */
export interface ZipEntry {
  /** Path inside the archive with `/` between folders; never absolute, never with `..`. */
  readonly name: string;
  /** Bytes once unpacked, as the archive claims; {@link ZipArchive.read} checks it. */
  readonly size: number;
  readonly compressedSize: number;
}

export interface ZipArchive {
  /** In the order of the archive's directory. */
  readonly entries: readonly ZipEntry[];
  /**
   * Unpack one file into memory, its length and CRC checked.
   * @throws GeoError `NOT_FOUND`, `INVALID_FORMAT` when the data is damaged, `LIMIT` when it is larger than
   * {@link ZipOptions} allows, `UNSUPPORTED` for encrypted files and methods other than stored and Deflate.
   */
  read(name: string): Promise<Uint8Array>;
}

export interface ZipOptions {
  /** Largest file that is unpacked, in bytes; default 2 GiB - 1. */
  readonly maxSize?: number | undefined;
  /** Most times a file beyond 64 MiB may be larger than its packed bytes; default 250 (a bomb has about 1000). */
  readonly maxRatio?: number | undefined;
  /** Most files that are listed; default 100,000. */
  readonly maxEntries?: number | undefined;
}

/** Deflate cannot shrink better than this (258 bytes from 2 bits, zlib's technical note); more is a false claim. */
const MAX_DEFLATE_RATIO = 1032;

/**
 * Read the directory of a zip archive (also zip64) and unpack single files. Nothing is ever written to disk, and names
 * that would leave the folder they are unpacked into are refused all the same, as are sizes that the compressed
 * bytes cannot yield. Memory: the directory, then one file at a time.
 *
 * @throws GeoError `INVALID_FORMAT` for a damaged or hostile archive, `LIMIT` for too many files.
 */
export async function openZip(bytes: ByteSource, options: ZipOptions = {}): Promise<ZipArchive> {
  const { maxSize = 2 ** 31 - 1, maxRatio = 250, maxEntries = 100_000 } = options;
  const yauzl = await import("yauzl");
  const path = bytes.url;
  const reader = new SourceReader(bytes, yauzl.RandomAccessReader);
  const found = new Map<string, import("yauzl").Entry>();
  const entries: ZipEntry[] = [];
  const file = await new Promise<import("yauzl").ZipFile>((resolve, reject) => {
    yauzl.fromRandomAccessReader(
      reader.adapter,
      bytes.size,
      { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true },
      (error, opened) => (error === null ? resolve(opened) : reject(damaged(path, error))),
    );
  });
  if (file.entryCount > maxEntries || file.entryCount * 46 > bytes.size) {
    throw new GeoError(
      "LIMIT",
      `${path} claims ${file.entryCount} files, expected at most ${Math.min(maxEntries, Math.floor(bytes.size / 46))}`,
      { what: "files in a zip archive", needed: file.entryCount, allowed: maxEntries, path },
      { hint: "The archive is damaged or not what it says; make it again with an ordinary zip program." },
    );
  }
  await new Promise<void>((resolve, reject) => {
    file.on("error", (error) => reject(damaged(path, error)));
    file.on("end", resolve);
    file.on("entry", (entry) => {
      const { fileName: name, uncompressedSize: size, compressedSize } = entry;
      if (compressedSize > bytes.size || size > compressedSize * MAX_DEFLATE_RATIO + 64) {
        reject(
          damaged(
            path,
            new Error(
              `"${name}" claims ${size} bytes packed into ${compressedSize} of a ${bytes.size}-byte archive`,
            ),
          ),
        );
        return;
      }
      if (!name.endsWith("/")) {
        if (found.has(name)) {
          reject(damaged(path, new Error(`"${name}" is in it twice`)));
          return;
        }
        found.set(name, entry);
        entries.push({ name, size, compressedSize });
      }
      file.readEntry();
    });
    file.readEntry();
  });
  return {
    entries,
    async read(name) {
      const entry = found.get(name);
      if (entry === undefined) {
        throw new GeoError("NOT_FOUND", `${path} holds no file "${name}"`, { path: `${path}/${name}` });
      }
      const size = entry.uncompressedSize;
      const allowed = Math.min(maxSize, Math.max(2 ** 26, maxRatio * entry.compressedSize));
      if (size > allowed) {
        throw new GeoError(
          "LIMIT",
          `"${name}" in ${path} unpacks from ${entry.compressedSize} to ${size} bytes, expected at most ${allowed}`,
          { what: "size of a packed file", needed: size, allowed, path },
          { hint: "Unpack the archive first and open the file itself." },
        );
      }
      if (entry.isEncrypted())
        throw unsupported(path, name, "encryption", "Unpack it with the password first.");
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
        const method = `compression method ${entry.compressionMethod}`;
        throw unsupported(path, name, method, "Pack it again with Deflate, which every zip program has.");
      }
      return unpack(path, file, entry);
    },
  };
}

async function unpack(
  path: string,
  file: import("yauzl").ZipFile,
  entry: import("yauzl").Entry,
): Promise<Uint8Array> {
  const { fileName: name, uncompressedSize: size } = entry;
  // Grown as data arrives: the claimed size alone must not make us allocate.
  let out = new Uint8Array(Math.min(size, 1 << 20));
  let length = 0;
  try {
    const stream = await new Promise<Readable>((resolve, reject) => {
      file.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(error)));
    });
    for await (const chunk of stream) {
      const piece = chunk as Uint8Array;
      if (length + piece.length > size) throw new Error(`"${name}" is longer than it claims`);
      if (length + piece.length > out.length) {
        const grown = new Uint8Array(Math.min(size, Math.max(2 * out.length, length + piece.length)));
        grown.set(out.subarray(0, length));
        out = grown;
      }
      out.set(piece, length);
      length += piece.length;
    }
    if (length !== size) throw new Error(`"${name}" unpacks to ${length} bytes instead of ${size}`);
    if (crc32(out) !== entry.crc32) throw new Error(`"${name}" fails its checksum`);
  } catch (error) {
    throw damaged(path, error);
  }
  return out;
}

/** A source as the random-access reader that yauzl asks for. */
class SourceReader {
  readonly adapter: import("yauzl").RandomAccessReader;

  constructor(bytes: ByteSource, Base: typeof import("yauzl").RandomAccessReader) {
    class Adapter extends Base {
      override _readStreamForRange(start: number, end: number): Readable {
        return Readable.from(pieces(bytes, start, end));
      }
      override read(
        buffer: Buffer,
        offset: number,
        length: number,
        position: number,
        callback: (error: Error | null) => void,
      ): void {
        bytes.read(position, length).then((got) => {
          if (got.length < length) callback(new Error("the archive ends too early"));
          else {
            buffer.set(got.subarray(0, length), offset);
            callback(null);
          }
        }, callback);
      }
      override close(callback: (error: Error | null) => void): void {
        callback(null);
      }
    }
    this.adapter = new Adapter();
  }
}

async function* pieces(bytes: ByteSource, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += 1 << 18) {
    const piece = await bytes.read(at, Math.min(1 << 18, end - at));
    if (piece.length === 0) throw new Error("the archive ends too early");
    yield piece;
  }
}

function damaged(path: string, error: unknown): unknown {
  if (isGeoError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const leaves = /absolute path|invalid relative path|invalid characters in fileName/.test(reason);
  return new GeoError(
    "INVALID_FORMAT",
    leaves
      ? `${path} holds a file that leaves its folder when unpacked: ${reason}`
      : `${path} is not a usable zip archive: ${reason}`,
    { format: "zip", path },
    {
      cause: error,
      hint: leaves
        ? "Do not trust this archive; ask where it comes from."
        : "Download or pack it again; an interrupted transfer often looks like this.",
    },
  );
}

function unsupported(path: string, name: string, feature: string, hint: string): GeoError<"UNSUPPORTED"> {
  const message = `"${name}" in ${path} uses ${feature}, expected a stored or deflated file`;
  return new GeoError("UNSUPPORTED", message, { feature: `zip ${feature}`, path }, { hint });
}

/** A file to pack: its name in the archive and either its bytes or the path of a file on disk. */
export interface ZipInput {
  readonly name: string;
  readonly data?: Uint8Array | undefined;
  readonly path?: string | undefined;
}

/** Every packed file carries this date, so that the same files give the same archive. */
const PACKED_AT = new Date(1980, 0, 1, 0, 0, 0);

/**
 * Pack files into a new archive at `path` (overwritten), in the given order, deflated; zip64 where it is needed. The same
 * input gives the same bytes. Files on disk are streamed.
 * @throws GeoError `OUTPUT_FAILED`.
 */
export async function zipFiles(path: string, files: readonly ZipInput[]): Promise<void> {
  const { ZipFile } = await import("yazl");
  const zip = new ZipFile();
  const options = { mtime: PACKED_AT, mode: 0o100644, compress: true, forceDosTimestamp: true };
  try {
    const written = pipeline(zip.outputStream, createWriteStream(path));
    const failed = new Promise<never>((_, reject) => zip.on("error", reject));
    for (const { name, data, path: from } of files) {
      if (data !== undefined)
        zip.addBuffer(Buffer.from(data.buffer, data.byteOffset, data.length), name, options);
      else if (from !== undefined) zip.addFile(from, name, options);
    }
    zip.end();
    await Promise.race([written, failed]);
  } catch (error) {
    throw outputError(path, error);
  }
}
