import { inflateSync } from "node:zlib";
import type { Picture } from "../../../src/jobs/report/png.ts";

/** A PNG of 8 bits a channel, read by the book and not by our writer: palette, grey-free, no interlace. */
export function decodePng(file: Uint8Array): Picture & { readonly colourType: number } {
  const bytes = Buffer.from(file);
  if (bytes.subarray(0, 8).toString("latin1") !== "\u0089PNG\r\n\u001a\n")
    throw new Error("no PNG signature");
  let at = 8;
  let header: Buffer | undefined;
  let palette: Buffer | undefined;
  let alpha: Buffer | undefined;
  const data: Buffer[] = [];
  let ended = false;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.subarray(at + 4, at + 8).toString("latin1");
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (bytes.readUInt32BE(at + 8 + length) !== crc(bytes.subarray(at + 4, at + 8 + length)))
      throw new Error(`CRC of ${type}`);
    if (type === "IHDR") header = body;
    else if (type === "PLTE") palette = body;
    else if (type === "tRNS") alpha = body;
    else if (type === "IDAT") data.push(body);
    else if (type === "IEND") ended = true;
    at += 12 + length;
  }
  if (header === undefined || !ended) throw new Error("no header or no end");
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const colourType = header[9]!;
  const channels = { 2: 3, 3: 1, 6: 4 }[colourType]!;
  const raw = inflateSync(Buffer.concat(data));
  const stride = channels * width;
  if (raw.length !== (stride + 1) * height) throw new Error(`${raw.length} bytes of scanlines`);
  const lines = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)]!;
    for (let i = 0; i < stride; i++) {
      const a = i < channels ? 0 : lines[row * stride + i - channels]!;
      const b = row === 0 ? 0 : lines[(row - 1) * stride + i]!;
      const c = i < channels || row === 0 ? 0 : lines[(row - 1) * stride + i - channels]!;
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const guess = [0, a, b, (a + b) >> 1, paeth][filter]!;
      lines[row * stride + i] = (raw[row * (stride + 1) + 1 + i]! + guess) & 255;
    }
  }
  const rgba = new Uint8Array(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    if (colourType === 3) {
      const index = lines[i]!;
      rgba.set(
        [palette![3 * index]!, palette![3 * index + 1]!, palette![3 * index + 2]!, alpha?.[index] ?? 255],
        4 * i,
      );
    } else {
      rgba.set(lines.subarray(channels * i, channels * i + 3), 4 * i);
      rgba[4 * i + 3] = channels === 4 ? lines[4 * i + 3]! : 255;
    }
  }
  return { width, height, rgba, colourType };
}

/** CRC-32 bit by bit. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let k = 0; k < 8; k++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
