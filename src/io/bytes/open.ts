import { fileURLToPath } from "node:url";
import { openFile } from "./file.ts";
import type { ByteSource } from "./source.ts";

/**
 * Open a local path, a `file:` address or an `http(s)` address as bytes.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `REMOTE`, `UNSUPPORTED` (a server without ranges)
 */
export async function openBytes(urlOrPath: string): Promise<ByteSource> {
  if (/^https?:\/\//i.test(urlOrPath)) {
    const { openHttp } = await import("./http.ts");
    return await openHttp(urlOrPath);
  }
  return await openFile(/^file:\/\//i.test(urlOrPath) ? fileURLToPath(urlOrPath) : urlOrPath);
}
