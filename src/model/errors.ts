/**
 * What a {@link GeoError} carries besides its message, by code. The exit status of the command line
 * follows from the code: see {@link exitStatus}.
 */
export interface GeoErrorDetails {
  /** A file or address does not exist. */
  NOT_FOUND: { path: string };
  /** A file exists but cannot be read or written (permissions, a folder, a full disk). */
  UNREADABLE: { path: string; reason: string };
  /** The bytes are not what the format promises. `offset` in bytes, when known. */
  INVALID_FORMAT: { format: string; path: string; offset?: number };
  /** The format allows it, this library does not. */
  UNSUPPORTED: { feature: string; path?: string };
  /** A file claims more than its size or the memory budget allows. `needed` and `allowed` in bytes. */
  LIMIT: { what: string; needed: number; allowed: number; path?: string };
  /** Two inputs are in different coordinate reference systems. */
  CRS_MISMATCH: { left: string; right: string };
  /** A coordinate reference system that cannot be found or understood. */
  CRS_UNKNOWN: { crs: string };
  /** The datum shift between two systems needs a grid file that is not there. */
  CRS_GRID_REQUIRED: { source: string; target: string; grids: readonly string[] };
  /** Two grids that must agree do not. */
  GRID_MISMATCH: { left: string; right: string };
  /** A geometry that an operation cannot work with. `row` counts from 0. */
  INVALID_GEOMETRY: { row?: number; x?: number; y?: number; reason: string };
  /** A value from outside cannot be used. `path` as in `"params.zones[0]"`. */
  INVALID_INPUT: { path: string; expected: string };
  /** The command line is wrong. */
  USAGE: { argument?: string };
  /** The output is already there and `overwrite` was not asked for. */
  OUTPUT_EXISTS: { path: string };
  /** Writing failed: disk full, permissions. */
  OUTPUT_FAILED: { path: string; reason: string };
  /** Nothing to do or nothing left: region and data do not meet. */
  NO_OVERLAP: { left: string; right: string };
  /** A check found problems; the report says which. */
  CHECK_FAILED: { problems: number };
  /** Another run holds the folder. */
  LOCKED: { path: string; owner: string };
  /** The caller's signal fired. */
  ABORTED: { reason: string };
  /** A remote service answered with an error. `status` is the HTTP status. */
  REMOTE: { service: string; status: number; url: string };
}

export type GeoErrorCode = keyof GeoErrorDetails;

/** Things an error may carry for the reader. */
export interface GeoErrorOptions {
  /** What to do about it, one sentence, imperative. Shown on a line of its own. */
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * The one error class of the library; narrow it with {@link isGeoError}. The message names the file,
 * what was found and what was expected; `hint` says what to do.
 */
export class GeoError<C extends GeoErrorCode = GeoErrorCode> extends Error {
  override readonly name = "GeoError";
  readonly code: C;
  readonly details: GeoErrorDetails[C];
  readonly hint: string | undefined;

  constructor(code: C, message: string, details: GeoErrorDetails[C], options: GeoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = details;
    this.hint = options.hint;
  }
}

/** True when `error` is ours and, if a code is given, has that code. */
export function isGeoError<C extends GeoErrorCode = GeoErrorCode>(
  error: unknown,
  code?: C,
): error is GeoError<C> {
  return error instanceof GeoError && (code === undefined || error.code === code);
}

/** Exit status of the command line for an error: 1 failed, 2 misused, 3 bad input, 130 interrupted. */
export function exitStatus(error: unknown): 1 | 2 | 3 | 130 {
  if (!(error instanceof GeoError)) return 1;
  switch (error.code) {
    case "USAGE":
    case "INVALID_INPUT":
      return 2;
    case "NOT_FOUND":
    case "UNREADABLE":
    case "INVALID_FORMAT":
    case "UNSUPPORTED":
    case "LIMIT":
    case "CRS_UNKNOWN":
    case "INVALID_GEOMETRY":
      return 3;
    case "ABORTED":
      return 130;
    default:
      return 1;
  }
}
