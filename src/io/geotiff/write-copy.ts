import type { Window } from "../../model/grid.ts";
import { type Origin, type RasterSource, SAMPLE_BYTES } from "../../model/raster.ts";
import { CodecError } from "../codecs/codec-error.ts";
import { decodeDeflate } from "../codecs/deflate.ts";
import { decodeLzw } from "../codecs/lzw.ts";
import { decodeZstd } from "../codecs/zstd.ts";
import { canZstd } from "../codecs/zstd-encode.ts";
import { GeoTiffSource } from "./read.ts";
import { Photometric, Tag } from "./tags.ts";
import { type CogOptions, type CogPlan, isBlocksize } from "./write-options.ts";

/** GDAL's words for the compressions that the writer has. */
const COMPRESSION_NAMES: Readonly<Record<string, CogPlan["compress"]>> = {
  NONE: "none",
  DEFLATE: "deflate",
  LZW: "lzw",
  ZSTD: "zstd",
};

/**
 * Options with which an output stores its tiles as a GeoTIFF does, so that they can be copied; those that the writer does
 * not have are left out, and its defaults hold.
 */
export function storedLike({
  info,
}: GeoTiffSource): Pick<CogOptions, "blocksize" | "compress" | "predictor"> {
  const [width, height] = info.blockSize;
  const compress = COMPRESSION_NAMES[info.compression];
  const side = info.tiled && width === height && isBlocksize(width) ? width : undefined;
  if (compress === undefined || (compress === "zstd" && !canZstd())) return { blocksize: side };
  const predictor = info.predictor === 2 || info.predictor === 3 ? info.predictor : "none";
  return { blocksize: side, compress, predictor };
}

/**
 * Compressed tiles of a GeoTIFF that a view shows, for an output that stores its tiles the same way: same side,
 * compression, predictor, sample type and order of bands, and tiles that start at the same pixels.
 */
export class TileCopier {
  readonly #origin: Origin;
  readonly #source: GeoTiffSource;
  readonly #plan: CogPlan;
  /** Level of the source that holds each level of the output; -1 for none. */
  readonly #levels: readonly number[];

  private constructor(origin: Origin, source: GeoTiffSource, plan: CogPlan) {
    this.#origin = origin;
    this.#source = source;
    this.#plan = plan;
    this.#levels = plan.levels.map((_, level) => this.#levelOf(level));
  }

  /** A copier, or in words why no tile of `view` can be copied; `null` when it does not say where it comes from. */
  static for(view: RasterSource, plan: CogPlan): TileCopier | string | null {
    const { origin } = view;
    if (origin === undefined) return null;
    const { source } = origin;
    if (!(source instanceof GeoTiffSource)) return `${source.url} is no GeoTIFF`;
    const stored = otherwiseStored(source, plan);
    if (stored !== null) return `${source.url} ${stored}`;
    if (source.bands.length !== plan.bands.length) return `${source.url} has other bands`;
    if (plan.alpha >= 0 && source.hasMask)
      return `${source.url} has a mask besides its alpha band, and the output puts both into alpha`;
    if (origin.col % plan.side !== 0 || origin.row % plan.side !== 0)
      return `the output does not start at a tile of ${source.url}`;
    return new TileCopier(origin, source, plan);
  }

  /** Whether a full-resolution tile of the output, at `window`, is a tile of the source, unchanged. */
  covers(window: Window): boolean {
    const { side } = this.#plan;
    const { col, row } = this.#origin;
    const { grid } = this.#source;
    return (
      window.width === Math.min(side, grid.width - col - window.col) &&
      window.height === Math.min(side, grid.height - row - window.row) &&
      this.#origin.unchanged(window)
    );
  }

  /** Whether tiles of a level of the output start where tiles of the source do. */
  has(level: number): boolean {
    return this.#levels[level]! >= 0;
  }

  /** Compressed bytes of the tile of the source where the output has one; `null` when it is not stored. */
  async stored(level: number, tileCol: number, tileRow: number): Promise<Uint8Array | null> {
    const { side } = this.#plan;
    const col = tileCol + (this.#origin.col >> level) / side;
    const row = tileRow + (this.#origin.row >> level) / side;
    return await this.#source.tileBytes(this.#levels[level]!, 0, col, row);
  }

  /**
   * The same, when it holds exactly `packed`: the bytes of the tile of the output before compression, predictor
   * applied and padded. An overview of the source may have been made in another way.
   */
  async equal(
    level: number,
    tileCol: number,
    tileRow: number,
    packed: Uint8Array,
  ): Promise<Uint8Array | null> {
    const bytes = await this.stored(level, tileCol, tileRow);
    if (bytes === null) return null;
    try {
      const found = await this.#unpack(bytes, packed.length);
      return found.length === packed.length && Buffer.compare(found, packed) === 0 ? bytes : null;
    } catch (error) {
      // A damaged overview is made anew.
      if (error instanceof CodecError) return null;
      throw error;
    }
  }

  #unpack(bytes: Uint8Array, length: number): Uint8Array | Promise<Uint8Array> {
    switch (this.#plan.compress) {
      case "deflate":
        return decodeDeflate(bytes, length, true);
      case "lzw":
        return decodeLzw(bytes, length);
      case "zstd":
        return decodeZstd(bytes, length, true);
      case "none":
        return bytes;
    }
  }

  #levelOf(level: number): number {
    if (level === 0) return 0;
    const { side } = this.#plan;
    const { col, row } = this.#origin;
    const scale = 2 ** level;
    if (col % (side * scale) !== 0 || row % (side * scale) !== 0) return -1;
    const { grid, info } = this.#source;
    const width = Math.ceil(grid.width / scale);
    const height = Math.ceil(grid.height / scale);
    const index = info.overviews.findIndex(([w, h]) => w === width && h === height);
    if (index === -1 || otherwiseStored(this.#source.overview(index), this.#plan) !== null) return -1;
    return index + 1;
  }
}

/** How `source` stores its tiles otherwise than the output does, as the end of a sentence; `null` when it does not. */
function otherwiseStored(source: GeoTiffSource, plan: CogPlan): string | null {
  const { info } = source;
  const [width, height] = info.blockSize;
  const type = source.bands[0]!.type;
  if (!info.tiled) return "is stored in strips";
  if (width !== plan.side || height !== plan.side)
    return `has tiles of ${width} x ${height} pixels, the output of ${plan.side} x ${plan.side}`;
  if (COMPRESSION_NAMES[info.compression] !== plan.compress)
    return `is compressed by ${info.compression}, the output by ${plan.compress.toUpperCase()}`;
  // Without compression a predictor means nothing.
  if (plan.compress !== "none" && info.predictor !== plan.predictor)
    return `has predictor ${info.predictor}, the output ${plan.predictor}`;
  if (type !== plan.type || info.bitsPerSample !== 8 * SAMPLE_BYTES[type])
    return `has samples of ${info.bitsPerSample} bits (${type}), the output ${plan.type}`;
  if (info.interleave === "band" && source.bands.length > 1) return "keeps its bands apart";
  if (!info.littleEndian && info.bitsPerSample > 8) return "has its high bytes first";
  if (info.tags.get(Tag.FillOrder)?.[0] === 2 || info.photometric === Photometric.YCbCr)
    return "stores its bits in another way";
  return null;
}
