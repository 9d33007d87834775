import { GeoError } from "../../model/errors.ts";
import type { ByteRange } from "../bytes/ranges.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { TiffHeader } from "./header.ts";
import { type Ifd, type IfdEntry, numbersOf, readValues } from "./ifd.ts";
import { blockCount, type ImageLayout, storedBytes } from "./layout.ts";
import { Compression, Tag } from "./tags.ts";

/** Where a block's bytes lie; `null` for one that is not stored (sparse). */
export type BlockPlace = ByteRange | null;

/** Entries read at once. */
const PAGE = 4096;
/** Pages kept per table: a million blocks. */
const PAGES = 256;

/**
 * The tables of block offsets and byte counts of one image, read in pages when blocks are asked for. Wrong or
 * missing counts are handled as libtiff does.
 */
export class BlockIndex {
  readonly #bytes: ByteSource;
  readonly #header: TiffHeader;
  readonly #layout: ImageLayout;
  readonly #offsets: IfdEntry;
  readonly #counts: IfdEntry | undefined;
  readonly #pages = new Map<string, Promise<readonly number[]>>();
  #estimate: Promise<boolean> | undefined;

  constructor(bytes: ByteSource, header: TiffHeader, ifd: Ifd, layout: ImageLayout) {
    this.#bytes = bytes;
    this.#header = header;
    this.#layout = layout;
    const { entries } = ifd;
    // Some old writers put tiles under the strip tags.
    const offsets =
      (layout.tiled ? entries.get(Tag.TileOffsets) : undefined) ?? entries.get(Tag.StripOffsets);
    this.#offsets = offsets!;
    this.#counts =
      (layout.tiled ? entries.get(Tag.TileByteCounts) : undefined) ?? entries.get(Tag.StripByteCounts);
  }

  /**
   * Place of each block, in the order asked.
   *
   * @throws GeoError `INVALID_FORMAT` when a block lies outside the file.
   */
  async locate(blocks: readonly number[]): Promise<BlockPlace[]> {
    this.#estimate ??= this.#mustEstimate();
    const estimate = await this.#estimate;
    const places: BlockPlace[] = [];
    for (const block of blocks) places.push(await this.#place(block, estimate));
    return places;
  }

  async #place(block: number, estimate: boolean): Promise<BlockPlace> {
    const { size, url } = this.#bytes;
    if (block >= this.#offsets.count) {
      throw new GeoError(
        "INVALID_FORMAT",
        `${url} is damaged: its size makes ${blockCount(this.#layout)} blocks, but it lists ${this.#offsets.count}`,
        { format: "geotiff", path: url, offset: this.#offsets.offset },
        { hint: "Copy or download the file again." },
      );
    }
    const offset = await this.#entry(this.#offsets, block);
    let length = this.#counts === undefined ? 0 : await this.#entry(this.#counts, block);
    if (offset === 0 || (length === 0 && !estimate)) return null;
    if (offset >= size) {
      throw new GeoError(
        "INVALID_FORMAT",
        `${url} is truncated or damaged: block ${block} should start at byte ${offset}, but the file has ${size} bytes`,
        { format: "geotiff", path: url, offset },
        { hint: "Copy or download the file again and compare its size with the original." },
      );
    }
    if (estimate) length = await this.#estimated(block, offset, length);
    // What is missing at the end is noticed when the block is decoded.
    return { offset, length: Math.min(length, size - offset) };
  }

  /**
   * Bytes of a block whose count cannot be trusted: its decompressed size, twice that when it is compressed, which no
   * codec exceeds; at most all up to the end of the file.
   */
  async #estimated(block: number, offset: number, length: number): Promise<number> {
    const layout = this.#layout;
    const rest = this.#bytes.size - offset;
    const compressed = layout.compression !== Compression.None;
    if (compressed && length > 0 && length <= rest) return length;
    const row = Math.floor((block % (layout.across * layout.down)) / layout.across);
    const rows = layout.tiled
      ? layout.blockHeight
      : Math.min(layout.blockHeight, layout.height - row * layout.blockHeight);
    const stored = storedBytes(layout, rows);
    return Math.min(rest, compressed ? 2 * stored + 65_536 : stored);
  }

  /** Whether the byte counts are missing or plainly wrong (the cases of libtiff's TIFFReadDirectory). */
  async #mustEstimate(): Promise<boolean> {
    const counts = this.#counts;
    const layout = this.#layout;
    if (counts === undefined) return true;
    const blocks = blockCount(layout);
    const none = layout.compression === Compression.None;
    if (layout.tiled) return false;
    const first = await this.#entry(counts, 0);
    if (blocks === 1) {
      const offset = await this.#entry(this.#offsets, 0);
      if (offset === 0) return false;
      return (
        first === 0 ||
        (none && (first > this.#bytes.size - offset || first < storedBytes(layout, layout.height)))
      );
    }
    if (blocks > 2 && none && layout.planes === 1) {
      const second = await this.#entry(counts, 1);
      return first !== second && first !== 0 && second !== 0;
    }
    return false;
  }

  /** Entry `i` of a table; 0 beyond its end. */
  async #entry(table: IfdEntry, i: number): Promise<number> {
    if (i >= table.count) return 0;
    const page = Math.floor(i / PAGE);
    const key = `${table.tag}/${page}`;
    let numbers = this.#pages.get(key);
    if (numbers === undefined) {
      if (this.#pages.size >= 2 * PAGES) this.#pages.delete(this.#pages.keys().next().value!);
      numbers = this.#readPage(table, page);
      numbers.catch(() => this.#pages.delete(key));
      this.#pages.set(key, numbers);
    }
    const value = (await numbers)[i - page * PAGE]!;
    // Damaged tables may be of rationals or floats.
    return value >= 1 ? Math.floor(value) : 0;
  }

  async #readPage(table: IfdEntry, page: number): Promise<readonly number[]> {
    const count = Math.min(PAGE, table.count - page * PAGE);
    const raw = await readValues(this.#bytes, table, page * PAGE, count);
    return numbersOf(table.type, raw, this.#header.littleEndian);
  }
}
