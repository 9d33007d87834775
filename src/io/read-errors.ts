import { GeoError } from "../model/errors.ts";

/** System errors of opening or reading `path` as `NOT_FOUND` or `UNREADABLE`; everything else unchanged. */
export function readError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof GeoError || code === undefined) return error;
  if (code === "ENOENT") {
    return new GeoError(
      "NOT_FOUND",
      `${path} does not exist`,
      { path },
      { cause: error, hint: "Check the spelling and the folder you are in." },
    );
  }
  const reason = READ_FAILURES[code];
  if (reason === undefined) return error;
  return new GeoError("UNREADABLE", `${path} cannot be read: ${reason}`, { path, reason }, { cause: error });
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "it is a folder, expected a file",
  ENOTDIR: "a part of the path is not a folder",
  EMFILE: "too many open files",
  EIO: "input/output error",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};
