/**
 * The same bytes as a `Uint8Array` that is no `Buffer`. `Buffer.slice` is a view where `Uint8Array.slice` copies, so
 * what codecs and streams of Node give must not reach code that copies by slicing. Nothing is copied here.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
