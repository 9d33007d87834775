import type { ByteBuffer } from "./byte-buffer.ts";

/** Text as a JSON string with its quotes. */
export function writeJsonText(out: ByteBuffer, text: string): void {
  out.text(JSON.stringify(text));
}
