import { GeoError } from "../../model/errors.ts";
import type { Window } from "../../model/grid.ts";
import { isComplex, SAMPLE_BYTES, type SampleArray, sampleArray } from "../../model/raster.ts";
import { mergeRanges } from "../bytes/ranges.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { blit } from "./blit.ts";
import type { BlockCache } from "./block-cache.ts";
import { type DecodeContext, decodeBlock } from "./block-decode.ts";
import { BlockIndex, type BlockPlace } from "./block-index.ts";
import type { TiffHeader } from "./header.ts";
import { type Ifd, tagNumbers } from "./ifd.ts";
import {
  assertReadable,
  type ImageLayout,
  imageLayout,
  memoryBytesOf,
  rowsInBlock,
  storedBytes,
} from "./layout.ts";
import { Compression, Tag } from "./tags.ts";
import { DEFAULT_YCBCR, type YCbCrRules } from "./ycbcr.ts";

/** What the images of one file share. */
export interface FileContext {
  readonly bytes: ByteSource;
  /** The same bytes, paged: for tables that are read in small pieces. */
  readonly paged: ByteSource;
  readonly header: TiffHeader;
  readonly cache: BlockCache;
}

/** A block that a window needs. */
interface Wanted {
  readonly block: number;
  readonly blockCol: number;
  readonly blockRow: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Takes the samples of a block; `null` for one that is not stored. `owned` says that nobody else holds them.
 */
type UseBlock = (block: number, samples: SampleArray | null, owned: boolean) => void;

/** Largest window of one band; what an array can hold on every machine that Node runs on. */
const MAX_BAND_BYTES = 2 ** 32;
/** Blocks looked up together. */
const BATCH = 1024;
/**
 * Blocks being decoded at once. The thread pool has four threads; a longer queue costs fewer changes of thread
 * (rows of tiles of bench/decode.bench.ts, five passes in one process: 4 in flight 0.70 s of CPU, 16 0.66 s).
 */
const IN_FLIGHT = 16;
/** Decoded bytes of blocks in flight beyond which no further one is started. */
const IN_FLIGHT_BYTES = 67_108_864;
/** Gap between blocks that is read over rather than read apart, and the longest single read. */
const GAP = { file: 16_384, http: 131_072 } as const;
const READ_BYTES = 4_194_304;
/** A single uncompressed strip taller than this is read in pieces, not as one block. */
const PIECE_BYTES = 131_072;

/** The pixels of one directory: finds, reads, decodes and cuts blocks. Knows nothing of georeference. */
export class TiffImage {
  readonly ifd: Ifd;
  /** As stored. */
  readonly layout: ImageLayout;
  /** As read: a single large uncompressed strip is cut into pieces of whole rows. */
  readonly #pieces: ImageLayout;
  readonly #file: FileContext;
  readonly #index: BlockIndex;
  readonly #context: DecodeContext;
  /** Keys of this image's blocks in the cache that all images share. */
  readonly #keyBase: number;
  readonly #decoding = new Map<number, Promise<SampleArray>>();
  #reads = 0;

  /** @param number Position of the image among those of the file. */
  constructor(file: FileContext, ifd: Ifd, number: number) {
    this.ifd = ifd;
    this.#file = file;
    const { url } = file.bytes;
    this.layout = imageLayout(ifd, url);
    this.#pieces = pieces(this.layout);
    this.#index = new BlockIndex(file.paged, file.header, ifd, this.layout);
    this.#keyBase = number * 2 ** 40;
    const jpegTables = ifd.values.get(Tag.JpegTables);
    this.#context = {
      url,
      layout: this.#pieces,
      littleEndian: file.header.littleEndian,
      jpegTables:
        jpegTables instanceof Uint8Array
          ? jpegTables
          : Array.isArray(jpegTables)
            ? Uint8Array.from(jpegTables as number[])
            : null,
      lercWrapping: tagNumbers(ifd, Tag.LercParameters)?.[1] ?? 0,
      ycbcr: ycbcrRules(ifd),
    };
  }

  /** Steps in which reading touches each stored block once. */
  get step(): { readonly width: number; readonly height: number } {
    return { width: this.#pieces.blockWidth, height: this.#pieces.blockHeight };
  }

  /**
   * Samples of the wanted bands of a window, one array each. `fill` is the sample of blocks that are not stored.
   *
   * @throws GeoError `UNSUPPORTED`, `INVALID_FORMAT`, `LIMIT`
   */
  async read(
    window: Window,
    bands: readonly number[],
    fill: (band: number, samples: SampleArray, from: number, to: number) => void,
    signal?: AbortSignal,
  ): Promise<SampleArray[]> {
    const layout = this.#pieces;
    const { url } = this.#context;
    assertReadable(layout, url);
    const needed = window.width * window.height * SAMPLE_BYTES[layout.type];
    if (needed > MAX_BAND_BYTES) {
      throw new GeoError(
        "LIMIT",
        `${url}: a window of ${window.width} x ${window.height} pixels is too large to read at once`,
        { what: "window of a raster", needed, allowed: MAX_BAND_BYTES, path: url },
        { hint: "Read it in smaller windows." },
      );
    }
    this.#reads++;
    try {
      const { planes, across, down, blockWidth, blockHeight } = layout;
      const firstCol = Math.floor(window.col / blockWidth);
      const lastCol = Math.floor((window.col + window.width - 1) / blockWidth);
      const firstRow = Math.floor(window.row / blockHeight);
      const lastRow = Math.floor((window.row + window.height - 1) / blockHeight);
      const wantedPlanes = planes === 1 ? [0] : [...new Set(bands)];
      // The last block first: a size that the tables do not bear out is found before the window is allocated.
      const last = (Math.max(0, ...wantedPlanes) * down + lastRow) * across + lastCol;
      await this.#locate([last]);
      const parts = isComplex(layout.type) ? 2 : 1;
      const out: (SampleArray | undefined)[] = bands.map(() => undefined);
      const bandArray = (k: number): SampleArray =>
        (out[k] ??= sampleArray(layout.type, window.width * window.height));

      const use = (block: number, samples: SampleArray | null, owned: boolean): void => {
        const plane = Math.floor(block / (across * down));
        const area = overlap(layout, block % across, Math.floor(block / across) % down, window);
        const whole = area.width === window.width && area.height === window.height;
        const exact = whole && area.width === blockWidth && area.fromRow === 0;
        for (let k = 0; k < bands.length; k++) {
          if (planes !== 1 && bands[k] !== plane) continue;
          if (samples === null) {
            const target = bandArray(k);
            for (let row = 0; row < area.height; row++) {
              const from = (area.toRow + row) * window.width + area.toCol;
              fill(bands[k]!, target, from, from + area.width);
            }
          } else if (owned && exact && layout.blockBands === 1 && bands.length === 1) {
            // The block is the window: hand it out instead of copying it.
            out[k] = samples.subarray(0, window.width * window.height * parts) as SampleArray;
          } else {
            const from = planes === 1 ? bands[k]! : 0;
            blit(samples, blockWidth, layout.blockBands, from, bandArray(k), window.width, parts, area);
          }
        }
      };
      const keep = this.#worthKeeping(window, bands);
      let blocks: number[] = [];
      for (const plane of wantedPlanes) {
        for (let blockRow = firstRow; blockRow <= lastRow; blockRow++) {
          for (let blockCol = firstCol; blockCol <= lastCol; blockCol++) {
            blocks.push((plane * down + blockRow) * across + blockCol);
            if (blocks.length < BATCH) continue;
            await this.#readBlocks(blocks, use, keep, signal);
            blocks = [];
          }
        }
      }
      if (blocks.length > 0) await this.#readBlocks(blocks, use, keep, signal);
      return out.map((_, k) => bandArray(k));
    } finally {
      this.#reads--;
    }
  }

  /**
   * Compressed bytes of a block as they lie in the file; `null` when it is not stored.
   *
   * @param band Which plane, when bands are stored apart; ignored otherwise.
   */
  async storedBlock(
    band: number,
    blockCol: number,
    blockRow: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array | null> {
    const { planes, across, down } = this.layout;
    const plane = planes === 1 ? 0 : band;
    const inside =
      Number.isInteger(plane) &&
      plane >= 0 &&
      plane < planes &&
      Number.isInteger(blockCol) &&
      blockCol >= 0 &&
      blockCol < across &&
      Number.isInteger(blockRow) &&
      blockRow >= 0 &&
      blockRow < down;
    if (!inside) throw new RangeError(`no block at column ${blockCol}, row ${blockRow}, band ${band}`);
    const [place] = await this.#index.locate([(plane * down + blockRow) * across + blockCol]);
    if (place === null || place === undefined) return null;
    return await readExactly(this.#file.bytes, place.offset, place.length, "a block", signal);
  }

  /** Whether a block is likely to be asked for again: the window takes only a part of it. */
  #worthKeeping(window: Window, bands: readonly number[]): (part: Wanted) => boolean {
    const { blockWidth, blockHeight, width, height, blockBands } = this.#pieces;
    if (bands.length < blockBands) return () => true;
    return ({ blockCol, blockRow }) => {
      const left = blockCol * blockWidth;
      const top = blockRow * blockHeight;
      return (
        window.col > left ||
        window.row > top ||
        window.col + window.width < Math.min(width, left + blockWidth) ||
        window.row + window.height < Math.min(height, top + blockHeight)
      );
    };
  }

  /** Hand each block to `use`, in any order: from the cache, from a decoding under way, or from the file. */
  async #readBlocks(
    blocks: readonly number[],
    use: UseBlock,
    keep: (part: Wanted) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { cache } = this.#file;
    const missing: number[] = [];
    const shared: Promise<void>[] = [];
    for (const block of blocks) {
      const cached = cache.get(this.#keyBase + block);
      const decoding = this.#decoding.get(block);
      if (cached !== undefined) use(block, cached, false);
      else if (decoding === undefined) missing.push(block);
      else {
        const pending = decoding.then((samples) => use(block, samples, false));
        pending.catch(() => {}); // awaited below
        shared.push(pending);
      }
    }
    const wanted: Wanted[] = [];
    const places = await this.#locate(missing);
    for (let k = 0; k < missing.length; k++) {
      const place = places[k]!;
      if (place === null) use(missing[k]!, null, false);
      else wanted.push(this.#wanted(missing[k]!, place));
    }
    if (wanted.length > 0) await this.#fetchAndDecode(wanted, use, keep, signal);
    await Promise.all(shared);
  }

  #wanted(block: number, place: { offset: number; length: number }): Wanted {
    const { across, down } = this.#pieces;
    return {
      block,
      blockCol: block % across,
      blockRow: Math.floor(block / across) % down,
      offset: place.offset,
      length: place.length,
    };
  }

  async #fetchAndDecode(
    wanted: readonly Wanted[],
    use: UseBlock,
    keep: (part: Wanted) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { bytes } = this.#file;
    const layout = this.#pieces;
    // One block alone is inflated faster here than by asking another thread for it.
    const parallel = wanted.length > 1 || this.#reads > 1;
    const gap = /^https?:/i.test(bytes.url) ? GAP.http : GAP.file;
    const ranges = mergeRanges(wanted, gap, READ_BYTES);
    const blockMemory = memoryBytesOf(layout, layout.blockHeight);
    const most = Math.max(1, Math.min(IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / blockMemory)));
    const running = new Set<Promise<void>>();
    let failure: unknown;
    // The next range is read while the blocks of this one are decoded.
    let ahead: Promise<Uint8Array> | undefined;
    const fetch = (k: number): Promise<Uint8Array> | undefined => {
      const range = ranges[k];
      if (range === undefined) return undefined;
      const pending = readExactly(bytes, range.offset, range.length, "image data", signal);
      pending.catch(() => {}); // reported when its turn comes
      return pending;
    };
    try {
      ahead = fetch(0);
      for (let k = 0; k < ranges.length; k++) {
        const range = ranges[k]!;
        const data = await ahead!;
        ahead = fetch(k + 1);
        for (const part of range.parts) {
          signal?.throwIfAborted();
          if (failure !== undefined) throw failure;
          const stored = data.subarray(part.offset - range.offset, part.offset - range.offset + part.length);
          const task = this.#decode(part, stored, parallel, keep(part)).then(
            ({ samples, owned }) => use(part.block, samples, owned),
            (error: unknown) => {
              failure ??= error;
            },
          );
          const tracked: Promise<void> = task.finally(() => running.delete(tracked));
          running.add(tracked);
          if (running.size >= most) await Promise.race(running);
        }
      }
    } finally {
      await Promise.allSettled(running);
    }
    if (failure !== undefined) throw failure;
  }

  async #decode(
    part: Wanted,
    stored: Uint8Array,
    parallel: boolean,
    keep: boolean,
  ): Promise<{ samples: SampleArray; owned: boolean }> {
    const key = this.#keyBase + part.block;
    const rows = rowsInBlock(this.#pieces, part.blockRow);
    const decoding = decodeBlock(this.#context, stored, rows, part.block, parallel);
    if (!keep) {
      const samples = await decoding;
      return { samples, owned: samples.buffer !== stored.buffer };
    }
    // A view of what was read would keep all of that alive, and may be the caller's own memory.
    const kept = decoding.then((samples) =>
      samples.buffer === stored.buffer ? (samples.slice() as SampleArray) : samples,
    );
    this.#decoding.set(part.block, kept);
    try {
      const samples = await kept;
      this.#file.cache.set(key, samples);
      return { samples, owned: false };
    } finally {
      this.#decoding.delete(part.block);
    }
  }

  /** Places of pieces: those of the stored blocks, or rows inside a stored strip. */
  async #locate(blocks: readonly number[]): Promise<BlockPlace[]> {
    const layout = this.#pieces;
    if (layout === this.layout) return await this.#index.locate(blocks);
    const strips = await this.#index.locate(blocks.map((block) => Math.floor(block / layout.down)));
    return blocks.map((block, k) => {
      const strip = strips[k]!;
      if (strip === null) return null;
      const row = block % layout.down;
      const start = row * storedBytes(layout, layout.blockHeight);
      const length = storedBytes(layout, rowsInBlock(layout, row));
      if (start + length > strip.length) {
        throw new GeoError(
          "INVALID_FORMAT",
          `${this.#context.url} is truncated or damaged: its strip of ${storedBytes(this.layout, this.layout.height)} bytes has only ${strip.length}`,
          { format: "geotiff", path: this.#context.url, offset: strip.offset },
          { hint: "Copy or download the file again and compare its size with the original." },
        );
      }
      return { offset: strip.offset + start, length };
    });
  }
}

/** Cut a single large uncompressed strip into strips of whole rows, so that a window does not read all of it. */
function pieces(layout: ImageLayout): ImageLayout {
  const rowBytes = storedBytes(layout, 1);
  const single = !layout.tiled && layout.down === 1 && layout.compression === Compression.None;
  if (!single || layout.subsampling[0] !== 1 || layout.subsampling[1] !== 1) return layout;
  if (rowBytes * layout.height <= 2 * PIECE_BYTES) return layout;
  const blockHeight = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  return { ...layout, blockHeight, down: Math.ceil(layout.height / blockHeight) };
}

function overlap(
  { blockWidth, blockHeight }: ImageLayout,
  blockCol: number,
  blockRow: number,
  window: Window,
): { fromCol: number; fromRow: number; toCol: number; toRow: number; width: number; height: number } {
  const left = Math.max(window.col, blockCol * blockWidth);
  const top = Math.max(window.row, blockRow * blockHeight);
  return {
    fromCol: left - blockCol * blockWidth,
    fromRow: top - blockRow * blockHeight,
    toCol: left - window.col,
    toRow: top - window.row,
    width: Math.min(window.col + window.width, (blockCol + 1) * blockWidth) - left,
    height: Math.min(window.row + window.height, (blockRow + 1) * blockHeight) - top,
  };
}

function ycbcrRules(ifd: Ifd): YCbCrRules {
  const luma = tagNumbers(ifd, Tag.YCbCrCoefficients);
  const reference = tagNumbers(ifd, Tag.ReferenceBlackWhite);
  return {
    luma:
      luma !== undefined && luma.length >= 3 && luma[1] !== 0
        ? [luma[0]!, luma[1]!, luma[2]!]
        : DEFAULT_YCBCR.luma,
    reference: reference !== undefined && reference.length >= 6 ? reference : DEFAULT_YCBCR.reference,
  };
}
