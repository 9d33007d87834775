import { GeoError } from "../../model/errors.ts";
import type { Window } from "../../model/grid.ts";
import {
  isComplex,
  type RasterBlock,
  type RasterSource,
  SAMPLE_BYTES,
  type SampleArray,
  sampleArray,
} from "../../model/raster.ts";
import { encodeFloat16 } from "../codecs/float16-encode.ts";
import { differenceRows, floatPlanes } from "../codecs/predictor-encode.ts";
import type { TilePixels } from "./overviews.ts";
import type { CogPlan } from "./write-options.ts";

/** A tile with room for all bands; with a mask when the plan has a mask or an alpha band. */
export function emptyTile(plan: CogPlan): TilePixels {
  const { side, type, bands } = plan;
  return {
    side,
    width: 0,
    height: 0,
    bands: bands.map(() => sampleArray(type, side * side)),
    mask: plan.hasMask || plan.alpha >= 0 ? new Uint8Array(side * side) : null,
  };
}

/** @throws GeoError `INVALID_INPUT` when a block is not what its source promised: a wrong file would be the result. */
export function checkBlock(source: RasterSource, plan: CogPlan, window: Window, block: RasterBlock): void {
  const pixels = window.width * window.height;
  const expected = sampleArray(plan.type, 0);
  const length = isComplex(plan.type) ? 2 * pixels : pixels;
  const sound =
    block.bands.length === plan.bands.length &&
    block.bands.every((band) => band.constructor === expected.constructor && band.length === length) &&
    (block.mask === null ? !source.hasMask : block.mask.length === pixels);
  if (sound) return;
  throw new GeoError(
    "INVALID_INPUT",
    `${source.url} gave a block that does not fit its window of ${window.width} x ${window.height} pixels`,
    {
      path: "source",
      expected:
        `${plan.bands.length} arrays ${expected.constructor.name} of ${length} samples` +
        (source.hasMask ? ` and a mask of ${pixels}` : " and no mask"),
    },
  );
}

/**
 * Copy the part `(col, row, width, height)` of a block into `tile`. Padding is not touched.
 * With an alpha band, the mask is where alpha is not 0, and alpha becomes 0 where the block's own mask is 0.
 */
export function cutTile(
  plan: CogPlan,
  block: RasterBlock,
  col: number,
  row: number,
  width: number,
  height: number,
  tile: TilePixels,
): void {
  tile.width = width;
  tile.height = height;
  const stride = block.window.width;
  const perPixel = isComplex(plan.type) ? 2 : 1;
  for (let b = 0; b < tile.bands.length; b++) {
    copyRows(block.bands[b]!, tile.bands[b]!, stride, tile.side, col, row, width, height, perPixel);
  }
  const mask = tile.mask;
  if (mask === null) return;
  if (block.mask !== null) copyRows(block.mask, mask, stride, tile.side, col, row, width, height, 1);
  if (plan.alpha < 0) return;
  const alpha = tile.bands[plan.alpha]!;
  const zero = typeof alpha[0] === "bigint" ? 0n : 0;
  for (let y = 0; y < height; y++) {
    for (let i = y * tile.side; i < y * tile.side + width; i++) {
      if (block.mask !== null && mask[i] === 0) alpha[i] = zero;
      mask[i] = alpha[i] === zero ? 0 : 255;
    }
  }
}

function copyRows(
  from: SampleArray,
  to: SampleArray,
  fromStride: number,
  toStride: number,
  col: number,
  row: number,
  width: number,
  height: number,
  perPixel: number,
): void {
  const source = bytesOf(from);
  const target = bytesOf(to);
  const sampleBytes = from.BYTES_PER_ELEMENT * perPixel;
  if (col === 0 && width === fromStride && width === toStride) {
    const start = row * width * sampleBytes;
    target.set(source.subarray(start, start + width * height * sampleBytes));
    return;
  }
  for (let y = 0; y < height; y++) {
    const start = ((row + y) * fromStride + col) * sampleBytes;
    target.set(source.subarray(start, start + width * sampleBytes), y * toStride * sampleBytes);
  }
}

/**
 * Fill the padding of a tile at the right and lower edge with the last column and row: it compresses to nearly
 * nothing, also behind a predictor, and an overview made from it stays the same.
 */
export function padTile(tile: TilePixels): void {
  const { side, width, height } = tile;
  if (width === side && height === side) return;
  for (const array of tile.mask === null ? tile.bands : [...tile.bands, tile.mask]) {
    const bytes = bytesOf(array);
    const pixelBytes = bytes.length / (side * side);
    const rowBytes = side * pixelBytes;
    for (let y = 0; y < height; y++) {
      const end = y * rowBytes + width * pixelBytes;
      const rowEnd = (y + 1) * rowBytes;
      if (pixelBytes === 1) bytes.fill(bytes[end - 1]!, end, rowEnd);
      else {
        for (let to = end; to < rowEnd; to += pixelBytes) bytes.copyWithin(to, end - pixelBytes, end);
      }
    }
    const last = (height - 1) * rowBytes;
    for (let y = height; y < side; y++) bytes.copyWithin(y * rowBytes, last, last + rowBytes);
  }
}

/**
 * Bytes of the sample that fills a padded tile, band after band in hexadecimal; `null` when some band varies.
 * Costs next to nothing on tiles that vary.
 */
export function constantOf(tile: TilePixels): string | null {
  let key = "";
  for (const array of tile.bands) {
    const pixelBytes = array.byteLength / (tile.side * tile.side);
    const words = new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4);
    const first = new Uint8Array(array.buffer, array.byteOffset, Math.max(4, pixelBytes));
    for (let i = pixelBytes; i < 4; i++) if (first[i] !== first[i - pixelBytes]) return null;
    const period = Math.max(1, pixelBytes / 4);
    if (!repeats(words, period)) return null;
    key += `${Buffer.from(first.subarray(0, pixelBytes)).toString("hex")} `;
  }
  return key;
}

/** Whether a mask is the same all over: its value, or -1. */
export function constantMask(mask: Uint8Array): number {
  const words = new Uint32Array(mask.buffer, mask.byteOffset, mask.length / 4);
  const value = mask[0] === 0 ? 0 : 255;
  const word = value === 0 ? 0 : 0xffffffff;
  for (let i = 0; i < words.length; i++) if (words[i] !== word) return -1;
  return value;
}

function repeats(words: Uint32Array, period: number): boolean {
  for (let i = period; i < words.length; i++) if (words[i] !== words[i - period]) return false;
  return true;
}

/**
 * Bytes of a padded tile as the file stores them before compression: samples of a pixel together, predictor
 * applied. `out` must have {@link tileBytes} bytes.
 */
export function packTile(plan: CogPlan, tile: TilePixels, out: Uint8Array): void {
  const { side, type, bands, predictor } = plan;
  const sampleBytes = SAMPLE_BYTES[type];
  const count = bands.length;
  for (let b = 0; b < count; b++) {
    const band = type === "float16" ? halves(tile.bands[b] as Float32Array) : tile.bands[b]!;
    if (count === 1) out.set(bytesOf(band));
    else spread(band, out, b, count, sampleBytes);
  }
  if (predictor === 2) differenceRows(out, side * count, count, sampleBytes);
  else if (predictor === 3) floatPlanes(out, side * count, count, sampleBytes);
}

export function tileBytes(plan: CogPlan): number {
  return plan.side * plan.side * plan.bands.length * SAMPLE_BYTES[plan.type];
}

function halves(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  encodeFloat16(values, out);
  return out;
}

/** Put the samples of one band at every `count`-th place; sizes above 4 bytes move as words. */
function spread(band: SampleArray, out: Uint8Array, b: number, count: number, sampleBytes: number): void {
  const { buffer, byteOffset, byteLength } = band;
  if (sampleBytes === 1) spread8(new Uint8Array(buffer, byteOffset, byteLength), out, b, count);
  else if (sampleBytes === 2) {
    const target = new Uint16Array(out.buffer, out.byteOffset, out.length / 2);
    spread16(new Uint16Array(buffer, byteOffset, byteLength / 2), target, b, count);
  } else {
    const target = new Uint32Array(out.buffer, out.byteOffset, out.length / 4);
    spread32(new Uint32Array(buffer, byteOffset, byteLength / 4), target, b, count, sampleBytes / 4);
  }
}

function spread8(samples: Uint8Array, out: Uint8Array, b: number, count: number): void {
  for (let i = 0, to = b; i < samples.length; i++, to += count) out[to] = samples[i]!;
}

function spread16(samples: Uint16Array, out: Uint16Array, b: number, count: number): void {
  for (let i = 0, to = b; i < samples.length; i++, to += count) out[to] = samples[i]!;
}

function spread32(samples: Uint32Array, out: Uint32Array, b: number, count: number, words: number): void {
  if (words === 1) {
    for (let i = 0, to = b; i < samples.length; i++, to += count) out[to] = samples[i]!;
    return;
  }
  for (let i = 0, to = b * words; i < samples.length; i += words, to += count * words) {
    for (let word = 0; word < words; word++) out[to + word] = samples[i + word]!;
  }
}

/** A mask as 1 bit per pixel, most significant bit first, 1 = observed. `side` is a multiple of 8. */
export function packMask(mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(mask.length / 8);
  for (let i = 0, at = 0; at < out.length; i += 8, at++) {
    out[at] =
      (mask[i] === 0 ? 0 : 128) |
      (mask[i + 1] === 0 ? 0 : 64) |
      (mask[i + 2] === 0 ? 0 : 32) |
      (mask[i + 3] === 0 ? 0 : 16) |
      (mask[i + 4] === 0 ? 0 : 8) |
      (mask[i + 5] === 0 ? 0 : 4) |
      (mask[i + 6] === 0 ? 0 : 2) |
      (mask[i + 7] === 0 ? 0 : 1);
  }
  return out;
}

function bytesOf(array: SampleArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
