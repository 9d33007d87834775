import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type FileResult, Tally } from "./family.ts";

/** Run every line of `file` in `dir` that is there; `run` counts each vector once. */
export async function eachVector<T>(
  family: string,
  dir: string,
  file: string,
  run: (vector: T, tally: Tally) => Promise<void> | void,
): Promise<FileResult[]> {
  const path = join(dir, file);
  if (!existsSync(path)) return [];
  const tally = new Tally(family, file);
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line.trim() !== "") await run(JSON.parse(line) as T, tally);
  }
  return [tally.result];
}
