import type { OutputFile } from "../../io/open.ts";
import type { JsonValue } from "../../model/features.ts";

/** Options that every file-to-file call takes. */
export interface FileOptions {
  /** Replace an output that is already there. Default false. */
  readonly overwrite?: boolean | undefined;
  /** Budget for pixels in flight, bytes; default 512 MiB. */
  readonly memory?: number | undefined;
  /** Tiles compressed at a time; the output is the same for every number. */
  readonly workers?: number | "auto" | undefined;
  readonly onCrsMismatch?: "error" | "transform" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((step: string, done: number, total: number | null, unit: string) => void)
    | undefined;
}

/** What a file-to-file call did. */
export interface FileResult {
  readonly outputs: readonly OutputFile[];
  readonly summary: { readonly [key: string]: JsonValue };
  readonly warnings: readonly string[];
}

/** Budget for pixels in flight when none is given. */
export const DEFAULT_MEMORY: number = 512 * 2 ** 20;
