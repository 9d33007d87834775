import type { SampleArray } from "../../model/raster.ts";

/** A rectangle of pixels to copy from a block into a window. */
export interface BlitArea {
  readonly fromCol: number;
  readonly fromRow: number;
  readonly toCol: number;
  readonly toRow: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Copy one band of a rectangle from a block whose bands are interleaved by pixel into a band of its own.
 *
 * @param from Block, `fromWidth` pixels wide, `bands` samples per pixel.
 * @param to Band of the window, `toWidth` pixels wide.
 * @param parts 2 for complex samples, else 1.
 */
export function blit(
  from: SampleArray,
  fromWidth: number,
  bands: number,
  band: number,
  to: SampleArray,
  toWidth: number,
  parts: number,
  area: BlitArea,
): void {
  if (bands === 1) {
    copyRows(from as Uint8Array, fromWidth * parts, to as Uint8Array, toWidth * parts, parts, area);
    return;
  }
  // Bits are moved, not numbers: one loop for each element size, and NaN payloads survive.
  const size = from.BYTES_PER_ELEMENT * parts;
  if (size === 1) pickBytes(bytesOf(from), fromWidth, bands, band, bytesOf(to), toWidth, area);
  else if (size === 2) pickShorts(shortsOf(from), fromWidth, bands, band, shortsOf(to), toWidth, area);
  else pickWords(wordsOf(from), fromWidth, bands, band, wordsOf(to), toWidth, size >> 2, area);
}

function copyRows(
  from: Uint8Array,
  fromStride: number,
  to: Uint8Array,
  toStride: number,
  parts: number,
  { fromCol, fromRow, toCol, toRow, width, height }: BlitArea,
): void {
  const run = width * parts;
  let source = fromRow * fromStride + fromCol * parts;
  let target = toRow * toStride + toCol * parts;
  if (run === fromStride && run === toStride) {
    to.set(from.subarray(source, source + run * height), target);
    return;
  }
  for (let row = 0; row < height; row++) {
    to.set(from.subarray(source, source + run), target);
    source += fromStride;
    target += toStride;
  }
}

function pickBytes(
  from: Uint8Array,
  fromWidth: number,
  bands: number,
  band: number,
  to: Uint8Array,
  toWidth: number,
  { fromCol, fromRow, toCol, toRow, width, height }: BlitArea,
): void {
  for (let row = 0; row < height; row++) {
    let source = ((fromRow + row) * fromWidth + fromCol) * bands + band;
    const start = (toRow + row) * toWidth + toCol;
    const end = start + width;
    for (let i = start; i < end; i++, source += bands) to[i] = from[source]!;
  }
}

function pickShorts(
  from: Uint16Array,
  fromWidth: number,
  bands: number,
  band: number,
  to: Uint16Array,
  toWidth: number,
  { fromCol, fromRow, toCol, toRow, width, height }: BlitArea,
): void {
  for (let row = 0; row < height; row++) {
    let source = ((fromRow + row) * fromWidth + fromCol) * bands + band;
    const start = (toRow + row) * toWidth + toCol;
    const end = start + width;
    for (let i = start; i < end; i++, source += bands) to[i] = from[source]!;
  }
}

function pickWords(
  from: Uint32Array,
  fromWidth: number,
  bands: number,
  band: number,
  to: Uint32Array,
  toWidth: number,
  words: number,
  { fromCol, fromRow, toCol, toRow, width, height }: BlitArea,
): void {
  const step = bands * words;
  for (let row = 0; row < height; row++) {
    const source = ((fromRow + row) * fromWidth + fromCol) * step + band * words;
    const target = ((toRow + row) * toWidth + toCol) * words;
    for (let word = 0; word < words; word++) {
      let at = source + word;
      const end = target + width * words;
      for (let i = target + word; i < end; i += words, at += step) to[i] = from[at]!;
    }
  }
}

function bytesOf(array: SampleArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function shortsOf(array: SampleArray): Uint16Array {
  return new Uint16Array(array.buffer, array.byteOffset, array.byteLength >> 1);
}

function wordsOf(array: SampleArray): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.byteLength >> 2);
}
