import type { CogOptions } from "../../io/geotiff/write.ts";
import { DEFAULT_MEMORY, type FileOptions } from "./result.ts";

/** Options of the COG writer that file-to-file calls take. */
export type CogFileOptions = Pick<
  CogOptions,
  "blocksize" | "compress" | "level" | "predictor" | "overviews" | "overviewResampling" | "classes"
>;

/** The options of the COG writer among those of a file-to-file call: half of the memory goes to writing. */
export function cogOptionsOf(options: FileOptions & CogFileOptions): CogOptions {
  const { blocksize, compress, level, predictor, overviews, overviewResampling, classes, workers } = options;
  return {
    blocksize,
    compress,
    level,
    predictor,
    overviews,
    overviewResampling,
    classes,
    memory: Math.floor((options.memory ?? DEFAULT_MEMORY) / 2),
    ...(typeof workers === "number" ? { concurrency: 2 * workers } : {}),
  };
}

/** Bytes of decoded tiles that reading may keep: a quarter of the memory. */
export function readBudget(memory: number | undefined): number {
  return Math.floor((memory ?? DEFAULT_MEMORY) / 4);
}
