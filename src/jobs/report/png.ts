import { deflateSync, crc32 as nodeCrc32 } from "node:zlib";

/** A picture: red, green, blue, alpha, 0-255 each, row by row from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Length = 4 * width * height. */
  readonly rgba: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * A picture as a PNG file (PNG, third edition). Pictures of at most 256 colours are stored with a palette,
 * which makes class maps several times smaller; opaque ones without alpha. The same picture gives the same
 * bytes with one version of zlib.
 */
export function encodePng({ width, height, rgba }: Picture): Uint8Array {
  const indexed = toPalette(rgba);
  if (indexed !== null) {
    const { palette, indices } = indexed;
    const rgb = new Uint8Array(3 * palette.length);
    const alpha = new Uint8Array(palette.length);
    for (let k = 0; k < palette.length; k++) {
      rgb[3 * k] = palette[k]! & 255;
      rgb[3 * k + 1] = (palette[k]! >>> 8) & 255;
      rgb[3 * k + 2] = (palette[k]! >>> 16) & 255;
      alpha[k] = palette[k]! >>> 24;
    }
    const opaque = alpha.every((a) => a === 255);
    // Filter type 0 throughout: what the specification advises for palettes (section 12.7).
    const scanlines = new Uint8Array((width + 1) * height);
    for (let row = 0; row < height; row++) {
      scanlines.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
    }
    return assemble(width, height, 3, [
      ["PLTE", rgb],
      ...(opaque ? [] : ([["tRNS", alpha]] as const)),
      ["IDAT", deflateSync(scanlines, { level: 7 })],
    ]);
  }
  let opaque = true;
  for (let i = 3; i < rgba.length && opaque; i += 4) opaque = rgba[i] === 255;
  const scanlines = filterRows(rgba, width, height, opaque ? 3 : 4);
  return assemble(width, height, opaque ? 2 : 6, [["IDAT", deflateSync(scanlines, { level: 7 })]]);
}

/** The picture as a `data:` address. */
export function pngDataUri(picture: Picture): string {
  return `data:image/png;base64,${Buffer.from(encodePng(picture)).toString("base64")}`;
}

function toPalette(rgba: Uint8Array): { palette: number[]; indices: Uint8Array } | null {
  const pixels = rgba.length / 4;
  const known = new Map<number, number>();
  const palette: number[] = [];
  const indices = new Uint8Array(pixels);
  let last = -1;
  let lastIndex = -1;
  for (let i = 0; i < pixels; i++) {
    const at = 4 * i;
    const alpha = rgba[at + 3]!;
    // Colours that cannot be seen are one colour.
    const colour =
      alpha === 0 ? 0 : (rgba[at]! | (rgba[at + 1]! << 8) | (rgba[at + 2]! << 16) | (alpha << 24)) >>> 0;
    if (colour !== last || lastIndex < 0) {
      const found = known.get(colour);
      if (found === undefined) {
        if (palette.length === 256) return null;
        lastIndex = palette.length;
        known.set(colour, lastIndex);
        palette.push(colour);
      } else lastIndex = found;
      last = colour;
    }
    indices[i] = lastIndex;
  }
  return { palette, indices };
}

/** Rows with the filter (none, sub, up, average, Paeth) whose differences are smallest in sum. */
function filterRows(rgba: Uint8Array, width: number, height: number, channels: 3 | 4): Uint8Array {
  const stride = channels * width;
  const out = new Uint8Array((stride + 1) * height);
  let above = new Uint8Array(stride);
  let current = new Uint8Array(stride);
  const candidates = [0, 1, 2, 3, 4].map(() => new Uint8Array(stride));
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const from = 4 * (row * width + col);
      for (let k = 0; k < channels; k++) current[channels * col + k] = rgba[from + k]!;
    }
    const sums = [0, 0, 0, 0, 0];
    for (let i = 0; i < stride; i++) {
      const x = current[i]!;
      const a = i < channels ? 0 : current[i - channels]!;
      const b = above[i]!;
      const c = i < channels ? 0 : above[i - channels]!;
      const values = [x, x - a, x - b, x - ((a + b) >> 1), x - paeth(a, b, c)];
      for (let f = 0; f < 5; f++) {
        const byte = values[f]! & 255;
        candidates[f]![i] = byte;
        sums[f]! += byte < 128 ? byte : 256 - byte;
      }
    }
    const best = sums.indexOf(Math.min(...sums));
    out[row * (stride + 1)] = best;
    out.set(candidates[best]!, row * (stride + 1) + 1);
    [above, current] = [current, above];
  }
  return out;
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const pa = Math.abs(p - a);
  const pb = Math.abs(p - b);
  const pc = Math.abs(p - c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function assemble(
  width: number,
  height: number,
  colourType: number,
  body: readonly (readonly [type: string, data: Uint8Array])[],
): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  header[9] = colourType;
  const chunks = [["IHDR", header] as const, ...body, ["IEND", new Uint8Array(0)] as const];
  const out = new Uint8Array(8 + chunks.reduce((sum, [, data]) => sum + 12 + data.length, 0));
  out.set(SIGNATURE);
  const outView = new DataView(out.buffer);
  let at = 8;
  for (const [type, data] of chunks) {
    outView.setUint32(at, data.length);
    for (let k = 0; k < 4; k++) out[at + 4 + k] = type.charCodeAt(k);
    out.set(data, at + 8);
    outView.setUint32(at + 8 + data.length, crc32(out.subarray(at + 4, at + 8 + data.length)));
    at += 12 + data.length;
  }
  return out;
}

/** CRC of PNG, annex D. `node:zlib` has it from Node 20.15 and 22.2. */
function crc32(bytes: Uint8Array): number {
  return nodeCrc32(bytes);
}
