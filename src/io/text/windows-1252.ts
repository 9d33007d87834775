/**
 * Bytes 0x80 to 0x9F of Windows-1252; the five that have no letter stay control characters, as browsers have it. Some releases
 * of Node 20 and 22 read these bytes as Latin-1 when asked for "windows-1252", hence a table of our own.
 */
const LETTERS = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f" + "\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Windows-1252 text as UTF-8. Bytes below 0x80 and from 0xA0 on are as in Latin-1. */
export function fromWindows1252(bytes: Uint8Array): Uint8Array {
  let extra = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 127) extra += bytes[i]! < 0xa0 ? 2 : 1;
  if (extra === 0) return bytes;
  const out = new Uint8Array(bytes.length + extra);
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte < 128) {
      out[at++] = byte;
      continue;
    }
    const code = byte < 0xa0 ? LETTERS.charCodeAt(byte - 0x80) : byte;
    if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 63);
    } else {
      out[at++] = 0xe0 | (code >> 12);
      out[at++] = 0x80 | ((code >> 6) & 63);
      out[at++] = 0x80 | (code & 63);
    }
  }
  return out.subarray(0, at);
}
