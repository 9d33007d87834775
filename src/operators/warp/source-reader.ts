import { fullWindow, intersectWindows, type Window } from "../../model/grid.ts";
import {
  isComplex,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  SAMPLE_BYTES,
  type SampleArray,
  sampleArray,
} from "../../model/raster.ts";

/** Samples of a window, in memory that all threads see; to be given back after use. */
export interface LentBlock {
  readonly bands: readonly SampleArray[];
  readonly mask: Uint8Array | null;
  release(): void;
}

/** Reads windows that lie askew on the tiles of a source. */
export interface SourceReader {
  read(window: Window, options?: ReadOptions): Promise<LentBlock>;
}

/** Columns and rows of tiles read at once, at least where memory allows: several tiles are decoded side by side. */
const UNIT_COLUMNS = 1024;
const UNIT_ROWS = 256;

/** Blocks kept for the next window. */
const SPARES = 8;

/**
 * A reader that keeps every tile it met, up to `bytes`, oldest out first: windows of a warp overlap those beside, above
 * and below them, so that even a tile wholly inside one is met again. What it hands out lies in shared memory that is
 * used again, so that a window costs neither a copy on its way to a thread nor fresh memory.
 */
export function sourceReader(source: RasterSource, bytes: number): SourceReader {
  const { grid } = source;
  const pixelBytes = source.bands.reduce((sum, { type }) => sum + memoryBytes(type), 1);
  const unit = unitOf(source, pixelBytes, bytes);
  const across = Math.ceil(grid.width / unit.width);
  const room = Math.max(2, Math.floor(bytes / (unit.width * unit.height * pixelBytes)));
  /** Oldest first. */
  const kept = new Map<string, Promise<RasterBlock>>();
  const spares: SharedArrayBuffer[] = [];

  function load(col: number, row: number, options: ReadOptions): Promise<RasterBlock> {
    const key = `${row * across + col}:${options.bands?.join() ?? ""}`;
    let block = kept.get(key);
    if (block !== undefined) kept.delete(key);
    else {
      const whole = { col: col * unit.width, row: row * unit.height, width: unit.width, height: unit.height };
      block = source.read(intersectWindows(whole, fullWindow(grid))!, options);
      block.catch(() => kept.delete(key));
    }
    kept.set(key, block);
    if (kept.size > room) kept.delete(kept.keys().next().value!);
    return block;
  }

  /** Room for a window: the smallest spare buffer that is large enough. */
  function borrow(length: number): SharedArrayBuffer {
    let best = -1;
    for (let i = 0; i < spares.length; i++) {
      const size = spares[i]!.byteLength;
      if (size >= length && size <= 4 * length + 65536 && (best < 0 || size < spares[best]!.byteLength))
        best = i;
    }
    if (best >= 0) return spares.splice(best, 1)[0]!;
    // A little more than asked for: the next window is hardly ever of the same size.
    return new SharedArrayBuffer(length + (length >> 3));
  }

  return {
    async read(window, options = {}) {
      const types = (options.bands ?? source.bands.map((_, k) => k)).map((k) => source.bands[k]!.type);
      const wanted: Promise<RasterBlock>[] = [];
      const lastCol = Math.floor((window.col + window.width - 1) / unit.width);
      const lastRow = Math.floor((window.row + window.height - 1) / unit.height);
      for (let row = Math.floor(window.row / unit.height); row <= lastRow; row++) {
        for (let col = Math.floor(window.col / unit.width); col <= lastCol; col++) {
          const block = load(col, row, options);
          block.catch(() => undefined); // reported when its turn comes
          wanted.push(block);
        }
      }
      const pixels = window.width * window.height;
      const starts: number[] = [];
      let length = 0;
      for (const type of types) {
        starts.push(length);
        length += 16 * Math.ceil((memoryBytes(type) * pixels) / 16);
      }
      // Every pixel is written below: what the buffer held does not matter.
      const first = await Promise.all(wanted);
      const buffer = borrow(length + pixels);
      const bands = types.map((type, k) => viewOf(type, buffer, starts[k]!, pixels));
      const mask = source.hasMask ? new Uint8Array(buffer, length, pixels) : null;
      for (const block of first) {
        for (let k = 0; k < bands.length; k++)
          copyPart(block.bands[k]!, block.window, bands[k]!, window, isComplex(types[k]!) ? 2 : 1);
        if (mask === null) continue;
        if (block.mask !== null) copyPart(block.mask, block.window, mask, window, 1);
        else fillPart(mask, block.window, window);
      }
      return {
        bands,
        mask,
        release: () => {
          spares.push(buffer);
          if (spares.length > SPARES) spares.shift();
        },
      };
    },
  };
}

/** Bytes of a sample in memory: half floats are widened. */
function memoryBytes(type: keyof typeof SAMPLE_BYTES): number {
  return type === "float16" ? 4 : SAMPLE_BYTES[type];
}

function viewOf(
  type: keyof typeof SAMPLE_BYTES,
  buffer: SharedArrayBuffer,
  start: number,
  pixels: number,
): SampleArray {
  const make = sampleArray(type, 0).constructor as new (
    buffer: SharedArrayBuffer,
    start: number,
    length: number,
  ) => SampleArray;
  return new make(buffer, start, isComplex(type) ? 2 * pixels : pixels);
}

/** Whole tiles, several of small ones; parts of a tile when one alone would not fit. */
function unitOf(
  { tile, grid }: RasterSource,
  pixelBytes: number,
  bytes: number,
): { width: number; height: number } {
  const wide = tile.width * Math.max(1, Math.floor(UNIT_COLUMNS / tile.width));
  const high = tile.height * Math.max(1, Math.floor(UNIT_ROWS / tile.height));
  const most = bytes / 4 / pixelBytes;
  const width = Math.min(grid.width, wide * high <= most ? wide : tile.width);
  let height = Math.min(grid.height, high);
  const fits = Math.max(1, Math.floor(most / width));
  if (height > fits) height = fits >= tile.height ? fits - (fits % tile.height) : fits;
  return { width, height };
}

/** Copy the pixels that two windows share. `pair` numbers a pixel. */
function copyPart(from: SampleArray, at: Window, to: SampleArray, window: Window, pair: number): void {
  const part = intersectWindows(at, window);
  if (part === null) return;
  for (let row = part.row; row < part.row + part.height; row++) {
    const start = pair * ((row - at.row) * at.width + part.col - at.col);
    const target = pair * ((row - window.row) * window.width + part.col - window.col);
    to.set(from.subarray(start, start + pair * part.width) as never, target);
  }
}

function fillPart(mask: Uint8Array, at: Window, window: Window): void {
  const part = intersectWindows(at, window);
  if (part === null) return;
  for (let row = part.row; row < part.row + part.height; row++) {
    const start = (row - window.row) * window.width + part.col - window.col;
    mask.fill(255, start, start + part.width);
  }
}
