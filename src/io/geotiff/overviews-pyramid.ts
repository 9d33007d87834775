import type { Halver, TilePixels } from "./overviews.ts";
import type { CogPlan } from "./write-options.ts";
import { TemporaryFile } from "./write-temporary.ts";
import { emptyTile } from "./write-tiles.ts";

/** Takes a finished tile of one level; it must copy what it keeps, the tile is used again. */
export type TileTaker = (level: number, tile: TilePixels) => Promise<void>;

/**
 * Builds all overviews while full-resolution tiles pass by in row-major order, each pixel read once. Every level
 * holds one tile being filled and the upper halves of one row of tiles, so all levels together hold about
 * `width * side / 2` pixels. When that is more than the memory given, halves wait in files.
 */
export class Pyramid {
  readonly #plan: CogPlan;
  readonly #halver: Halver;
  readonly #take: TileTaker;
  /** Per level above full resolution. */
  readonly #waiting: HalfRow[] = [];
  readonly #filling: TilePixels[] = [];

  /** `beside` is the path next to which files may wait. `memory` in bytes. */
  constructor(plan: CogPlan, halver: Halver, beside: string, memory: number, take: TileTaker) {
    this.#plan = plan;
    this.#halver = halver;
    this.#take = take;
    let left = memory;
    for (const level of plan.levels.slice(1)) {
      const tile = emptyTile(plan);
      const needed = level.tilesAcross * halfBytes(tile);
      const fits = needed <= left;
      this.#filling.push(tile);
      this.#waiting.push(new HalfRow(tile, fits ? null : new TemporaryFile(beside)));
      if (fits) left -= needed;
    }
  }

  /** Next tile of `level` (0 = full resolution) in row-major order, at `(tileCol, tileRow)`. */
  async add(level: number, tile: TilePixels, tileCol: number, tileRow: number): Promise<void> {
    await this.#take(level, tile);
    const above = this.#plan.levels[level + 1];
    if (above === undefined) return;
    const { tilesAcross, tilesDown } = this.#plan.levels[level]!;
    const parent = this.#filling[level]!;
    const waiting = this.#waiting[level]!;
    const half = this.#plan.side / 2;
    const lowerHalf = tileRow % 2 === 1;
    const parentCol = tileCol >> 1;
    if (lowerHalf && tileCol % 2 === 0) await waiting.restore(parentCol);
    this.#halver.halve(tile, parent, tileCol % 2 === 0 ? 0 : half, lowerHalf ? half : 0);
    if (tileCol % 2 === 0 && tileCol + 1 < tilesAcross) return;
    if (!lowerHalf && tileRow + 1 < tilesDown) {
      await waiting.keep(parentCol);
      return;
    }
    const parentRow = tileRow >> 1;
    parent.width = Math.min(this.#plan.side, above.width - parentCol * this.#plan.side);
    parent.height = Math.min(this.#plan.side, above.height - parentRow * this.#plan.side);
    await this.add(level + 1, parent, parentCol, parentRow);
  }

  async close(): Promise<void> {
    for (const waiting of this.#waiting) await waiting.close();
  }
}

function halfBytes(tile: TilePixels): number {
  const bands = tile.bands.reduce((total, band) => total + band.byteLength, 0);
  return (bands + (tile.mask?.length ?? 0)) / 2;
}

/** Upper halves of a row of tiles, in memory or in a file. In a tile they are the first half of each array. */
class HalfRow {
  readonly #arrays: readonly Uint8Array[];
  readonly #size: number;
  readonly #halves: Uint8Array[] = [];
  readonly #file: TemporaryFile | null;

  constructor(tile: TilePixels, file: TemporaryFile | null) {
    const arrays = tile.mask === null ? tile.bands : [...tile.bands, tile.mask];
    this.#arrays = arrays.map((array) => new Uint8Array(array.buffer, 0, array.byteLength / 2));
    this.#size = halfBytes(tile);
    this.#file = file;
  }

  async keep(col: number): Promise<void> {
    const half = this.#room(col);
    let at = 0;
    for (const array of this.#arrays) {
      half.set(array, at);
      at += array.length;
    }
    await this.#file?.writeAt(col * this.#size, half);
  }

  async restore(col: number): Promise<void> {
    const half = this.#room(col);
    await this.#file?.readAt(col * this.#size, half);
    let at = 0;
    for (const array of this.#arrays) {
      array.set(half.subarray(at, at + array.length));
      at += array.length;
    }
  }

  /** With a file, one half is enough for all columns. */
  #room(col: number): Uint8Array {
    const slot = this.#file === null ? col : 0;
    this.#halves[slot] ??= new Uint8Array(this.#size);
    return this.#halves[slot];
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}
