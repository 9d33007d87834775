import type { Window } from "../model/grid.ts";
import {
  isComplex,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  SAMPLE_BYTES,
  type SampleArray,
  sampleArray,
} from "../model/raster.ts";

/** Pixels of tiles kept by default, in bytes: two rows of 512-pixel tiles of a 30,000 pixel wide byte raster. */
const DEFAULT_BYTES = 32 * 1024 * 1024;

/** Reads windows that do not follow the tiles of a source without decoding a tile twice. */
export interface TileReader {
  /**
   * Pixels of `window`. Tiles for which `needed` says no are not read; their pixels are 0 in the block, and
   * not valid in its mask. The arrays are the caller's to change.
   */
  read(window: Window, options?: ReadOptions, needed?: (tile: Window) => boolean): Promise<RasterBlock>;
  /** The same for a window of which all is needed; a window that is one tile is handed on as the source gave it. */
  view(window: Window, options?: ReadOptions): Promise<RasterBlock>;
}

/**
 * A reader over whole tiles of `source` that keeps the last ones, up to `bytes`. A crop whose corner lies inside
 * a tile asks for each tile up to four times; without this each would be decoded four times.
 */
export function tileReader(source: RasterSource, bytes: number = DEFAULT_BYTES): TileReader {
  const { grid } = source;
  const pixelBytes = source.bands.reduce((sum, { type }) => sum + SAMPLE_BYTES[type], 1);
  const tile = cacheTile(source, pixelBytes, bytes);
  const across = Math.ceil(grid.width / tile.width);
  const room = Math.max(2, Math.floor(bytes / (tile.width * tile.height * pixelBytes)));
  /** Oldest first. */
  const kept = new Map<string, Promise<RasterBlock>>();

  function load(col: number, row: number, options: ReadOptions): Promise<RasterBlock> {
    const key = `${row * across + col}:${options.bands?.join() ?? ""}`;
    let block = kept.get(key);
    if (block !== undefined) kept.delete(key);
    else {
      block = source.read(tileWindow(col, row), options);
      block.catch(() => kept.delete(key));
    }
    kept.set(key, block);
    if (kept.size > room) kept.delete(kept.keys().next().value!);
    return block;
  }

  function tileWindow(col: number, row: number): Window {
    return {
      col: col * tile.width,
      row: row * tile.height,
      width: Math.min(tile.width, grid.width - col * tile.width),
      height: Math.min(tile.height, grid.height - row * tile.height),
    };
  }

  const reader: TileReader = {
    async view(window, options = {}) {
      const { col, row, width, height } = tileWindow(
        Math.floor(window.col / tile.width),
        Math.floor(window.row / tile.height),
      );
      return col === window.col && row === window.row && width === window.width && height === window.height
        ? await source.read(window, options)
        : await reader.read(window, options);
    },
    async read(window, options = {}, needed = () => true) {
      const numbers = options.bands ?? source.bands.map((_, k) => k);
      const types = numbers.map((k) => source.bands[k]!.type);
      const firstCol = Math.floor(window.col / tile.width);
      const lastCol = Math.floor((window.col + window.width - 1) / tile.width);
      const firstRow = Math.floor(window.row / tile.height);
      const lastRow = Math.floor((window.row + window.height - 1) / tile.height);
      const pixels = window.width * window.height;
      const out = types.map((type) => sampleArray(type, pixels));
      const mask = source.hasMask ? new Uint8Array(pixels) : null;
      const wanted: Promise<RasterBlock>[] = [];
      const start = (block: Promise<RasterBlock>): void => {
        block.catch(() => {}); // reported when its turn comes
        wanted.push(block);
      };
      const pieces = new Pieces((piece) => start(source.read(piece, options)));
      for (let row = firstRow; row <= lastRow; row++) {
        for (let col = firstCol; col <= lastCol; col++) {
          const whole = tileWindow(col, row);
          if (!needed(whole)) continue;
          if (inside(whole, window)) pieces.add(whole);
          else start(load(col, row, options));
        }
        pieces.endRow();
      }
      pieces.end();
      for (const promise of wanted) {
        const block = await promise;
        for (let k = 0; k < out.length; k++)
          copyPart(block.bands[k]!, block.window, out[k]!, window, isComplex(types[k]!) ? 2 : 1);
        if (mask !== null) {
          if (block.mask !== null) copyPart(block.mask, block.window, mask, window, 1);
          else fillPart(mask, block.window, window);
        }
      }
      return { window, bands: out, mask };
    },
  };
  return reader;
}

/**
 * Puts tiles side by side, and equal rows of them below each other, into one read: a file of thin strips or small tiles
 * would otherwise cost a call for each.
 */
class Pieces {
  readonly #read: (piece: Window) => void;
  /** Runs of tiles of the row at hand, and those of the rows above that still grow. */
  #row: Window[] = [];
  #open: Window[] = [];

  constructor(read: (piece: Window) => void) {
    this.#read = read;
  }

  /** Next tile, from left to right. */
  add(tile: Window): void {
    const last = this.#row.at(-1);
    if (last !== undefined && last.col + last.width === tile.col)
      this.#row[this.#row.length - 1] = { ...last, width: last.width + tile.width };
    else this.#row.push(tile);
  }

  endRow(): void {
    const grown = this.#row.map((run) => {
      const k = this.#open.findIndex(
        (open) => open.col === run.col && open.width === run.width && open.row + open.height === run.row,
      );
      if (k === -1) return run;
      const [open] = this.#open.splice(k, 1);
      return { ...open!, height: open!.height + run.height };
    });
    this.end();
    this.#open = grown;
    this.#row = [];
  }

  end(): void {
    for (const piece of this.#open) this.#read(piece);
    this.#open = [];
  }
}

/** A tile of the source, cut when it alone would not fit. */
function cacheTile(
  { tile, grid }: RasterSource,
  pixelBytes: number,
  bytes: number,
): { width: number; height: number } {
  const width = Math.min(grid.width, tile.width);
  const height = Math.min(grid.height, tile.height);
  return { width, height: Math.min(height, Math.max(1, Math.floor(bytes / 2 / (width * pixelBytes)))) };
}

function inside(part: Window, whole: Window): boolean {
  return (
    part.col >= whole.col &&
    part.row >= whole.row &&
    part.col + part.width <= whole.col + whole.width &&
    part.row + part.height <= whole.row + whole.height
  );
}

/** Copy the pixels that two windows share. `pair` numbers a pixel. */
function copyPart(from: SampleArray, at: Window, to: SampleArray, window: Window, pair: number): void {
  const col = Math.max(at.col, window.col);
  const end = Math.min(at.col + at.width, window.col + window.width);
  const row1 = Math.min(at.row + at.height, window.row + window.height);
  for (let row = Math.max(at.row, window.row); row < row1; row++) {
    const source = pair * ((row - at.row) * at.width + col - at.col);
    const target = pair * ((row - window.row) * window.width + col - window.col);
    to.set(from.subarray(source, source + pair * (end - col)) as never, target);
  }
}

function fillPart(mask: Uint8Array, at: Window, window: Window): void {
  const col = Math.max(at.col, window.col);
  const end = Math.min(at.col + at.width, window.col + window.width);
  const row1 = Math.min(at.row + at.height, window.row + window.height);
  for (let row = Math.max(at.row, window.row); row < row1; row++) {
    const start = (row - window.row) * window.width - window.col;
    mask.fill(255, start + col, start + end);
  }
}
