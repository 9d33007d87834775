import { basename } from "node:path";

/** Name of a file without folder, query and ending: what a layer is called when the file does not say. */
export function fileName(url: string): string {
  const file = basename(url.replace(/[?#].*$/, ""));
  return file.replace(/\.[^.]+$/, "") || file;
}
