import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GeoError } from "../model/errors.ts";

export interface OutputOptions {
  /** Replace what is there. Default false: an existing output is `OUTPUT_EXISTS`. */
  readonly overwrite?: boolean | undefined;
}

/** Temporary files of this process that are still open; removed when it exits or is interrupted. */
const pending = new Set<string>();
let watching = false;

/**
 * Write a file beside its final name and rename it when complete, so that a killed run never leaves half a
 * file under the real name. `write` gets the temporary path, in the same folder.
 *
 * @throws GeoError `OUTPUT_EXISTS`, `OUTPUT_FAILED` (disk full, permissions); errors of `write` pass through.
 */
export async function writeAtomically<T>(
  path: string,
  options: OutputOptions,
  write: (temporary: string) => Promise<T>,
): Promise<T> {
  await checkOutput(path, options);
  const temporary = temporaryBeside(path);
  try {
    const result = await write(temporary);
    await rename(temporary, path);
    return result;
  } catch (error) {
    await rm(temporary, { force: true, recursive: true });
    throw outputError(path, underFinalName(error, temporary, path));
  } finally {
    pending.delete(temporary);
  }
}

/** @throws GeoError `OUTPUT_EXISTS` unless `overwrite`; makes the folder that the output goes to. */
export async function checkOutput(path: string, options: OutputOptions): Promise<void> {
  try {
    if ((await stat(path).catch(() => null)) !== null && options.overwrite !== true) {
      throw new GeoError(
        "OUTPUT_EXISTS",
        `${path} is already there`,
        { path },
        { hint: "Pass --overwrite (overwrite: true) to replace it, or choose another name." },
      );
    }
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw outputError(path, error);
  }
}

/** A fresh name in the folder of `path`, with the same ending, removed if the process ends before it is renamed. */
export function temporaryBeside(path: string): string {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.part.${basename(path)}`);
  pending.add(temporary);
  if (!watching) {
    watching = true;
    process.on("exit", () => {
      for (const left of pending) if (existsSync(left)) rmSync(left, { force: true, recursive: true });
    });
  }
  return temporary;
}

/** An error that names a temporary file or folder, with the name that the person gave; everything else unchanged. */
export function underFinalName(error: unknown, temporary: string, path: string): unknown {
  if (!(error instanceof GeoError)) return error;
  const { code, hint, cause, message } = error;
  const named = (error.details as { path?: string }).path;
  if (!message.includes(temporary) && named?.includes(temporary) !== true) return error;
  const details =
    named === undefined ? error.details : { ...error.details, path: named.replaceAll(temporary, path) };
  return new GeoError(code, message.replaceAll(temporary, path), details, { hint, cause: cause ?? error });
}

/** System errors of writing as `OUTPUT_FAILED`; everything else unchanged. */
export function outputError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const reason = code === undefined ? undefined : WRITE_FAILURES[code];
  if (reason === undefined || error instanceof GeoError) return error;
  return new GeoError(
    "OUTPUT_FAILED",
    `${path} cannot be written: ${reason}`,
    { path, reason },
    {
      cause: error,
      hint: "Nothing was left under that name; free the space or choose another folder and run again.",
    },
  );
}

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOENT: "its folder does not exist and cannot be made",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "a part of the path is a file",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  EIO: "input/output error",
};
