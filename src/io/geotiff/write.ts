import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { GeoError } from "../../model/errors.ts";
import type { Affine, Window } from "../../model/grid.ts";
import { type RasterBlock, type RasterSource, SAMPLE_BYTES, type SampleType } from "../../model/raster.ts";
import { writeAtomically } from "../atomic.ts";
import { deflateBytes } from "../codecs/deflate-encode.ts";
import { lzwBytes } from "../codecs/lzw-encode.ts";
import { zstdBytes } from "../codecs/zstd-encode.ts";
import { ghostArea } from "./ghost.ts";
import { gdalMetadata, numberText } from "./metadata-write.ts";
import { Halver, type TilePixels } from "./overviews.ts";
import { Pyramid } from "./overviews-pyramid.ts";
import { type BandStatistics, type StatisticsCollector, statisticsCollector } from "./statistics.ts";
import {
  Compression,
  Photometric,
  SampleFormat,
  SUBFILE_MASK,
  SUBFILE_REDUCED,
  Tag,
  TEXT_TAGS,
} from "./tags.ts";
import { TileCopier } from "./write-copy.ts";
import { packGeoKeys } from "./write-geokeys.ts";
import { type CogOptions, type CogPlan, type LevelSize, planCog } from "./write-options.ts";
import { Gate, type PendingTile, Spool, TileLane } from "./write-spool.ts";
import {
  doubles,
  headBytes,
  headSize,
  type IfdToWrite,
  longs,
  shorts,
  type TagToWrite,
  type TilePositions,
  text,
} from "./write-tags.ts";
import {
  checkBlock,
  constantMask,
  constantOf,
  cutTile,
  emptyTile,
  packMask,
  packTile,
  padTile,
  tileBytes,
} from "./write-tiles.ts";

export type { CogOptions } from "./write-options.ts";

/** What {@link writeGeoTiff} wrote. */
export interface WriteResult {
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  /** Largest first. */
  readonly overviews: readonly (readonly [width: number, height: number])[];
  /** Image tiles of all resolutions. */
  readonly tiles: number;
  /** How many of them were left out ({@link CogOptions.sparse}). */
  readonly sparseTiles: number;
  /** How many were copied as they lie compressed in the file that the source shows ({@link Origin}). */
  readonly copiedTiles: number;
  /** Why none could be, in words; `null` when some could, or when the source does not say where it comes from. */
  readonly copyObstacle: string | null;
  readonly bigTiff: boolean;
  /** Per band, what the file says as STATISTICS_*; `null` when not asked for or not defined for the type. */
  readonly statistics: readonly (BandStatistics | null)[];
}

/**
 * Write a raster as a Cloud Optimized GeoTIFF, as GDAL's COG driver lays it out: header, structural metadata, all
 * directories, then the tiles of the smallest overview first and of the full resolution last.
 *
 * Pixels are pulled from the source once, in row-major order of output tiles, so a lazy view of any size streams
 * through; overviews and statistics are made on the way. Memory is bounded by {@link CogOptions.memory}; compressed
 * tiles wait in temporary files beside the output, so the disk needs room for the result twice. Deflate and
 * Zstandard run in libuv's thread pool (`UV_THREADPOOL_SIZE`, 4 by default), LZW on the caller's thread. The same
 * pixels and options give the same bytes, whatever the concurrency.
 *
 * A source that shows tiles of a GeoTIFF unchanged ({@link Origin}) has these copied, when the output stores its tiles
 * the same way; overviews of that file are copied where they are what would be made here, byte for byte.
 *
 * The file is pixel-is-area. A raster with an alpha band gets no mask: alpha is made 0 where the mask was. The CRS
 * is written as GeoKeys, the transform as scale and tie point when it is north-up, else as a matrix.
 *
 * @throws GeoError `OUTPUT_EXISTS`, `OUTPUT_FAILED`, `INVALID_INPUT`, `UNSUPPORTED`, `LIMIT`, `ABORTED`; errors of
 *   the source pass through. Nothing is left behind after any of them.
 */
export async function writeGeoTiff(
  path: string,
  source: RasterSource,
  options: CogOptions = {},
): Promise<WriteResult> {
  const plan = planCog(source, options);
  throwIfAborted(options.signal);
  return await writeAtomically(path, options, async (temporary) => {
    const writer = new CogWriter(plan, path, TileCopier.for(source, plan));
    try {
      await writer.pull(source, options);
      return { path, ...(await writer.assemble(temporary, source, options.signal)) };
    } finally {
      await writer.close();
    }
  });
}

/** Tiles of one value that are kept compressed. */
const MOST_CONSTANTS = 256;
/** Windows read ahead of the one being cut. */
const READ_AHEAD = 4;

class CogWriter {
  readonly #plan: CogPlan;
  readonly #lanes: readonly TileLane[];
  readonly #pyramid: Pyramid;
  readonly #gate: Gate;
  readonly #tileBytes: number;
  readonly #collectors: readonly (StatisticsCollector | null)[];
  /** Buffers of packed tiles that may be used again. */
  readonly #buffers: Uint8Array[] = [];
  /** Payload of tiles that hold one value, by that value. */
  readonly #constants = new Map<string, Promise<Uint8Array>>();
  readonly #emptyKey: string;
  readonly #copier: TileCopier | null;
  readonly #copyObstacle: string | null;
  /** Per level, 1 for each tile that the copier covers; empty without one. */
  readonly #covered: readonly Uint8Array[];
  /** Tiles taken, per level. */
  readonly #taken: number[];
  #copied = 0;
  /** Compressed bytes of the full-resolution tile at hand, when it is to be copied. */
  #stored: Uint8Array | null = null;

  constructor(plan: CogPlan, path: string, copier: TileCopier | string | null) {
    const { side, type, bands, sampleNodata: nodata, alpha, hasMask, memory, concurrency } = plan;
    const halver = new Halver(side, hasMask || alpha >= 0, {
      type,
      method: plan.overviewMethod,
      nodata,
      alpha,
    });
    this.#plan = plan;
    this.#lanes = plan.levels.map(
      (level) => new TileLane(new Spool(path), level.tilesAcross * level.tilesDown, hasMask),
    );
    this.#pyramid = new Pyramid(plan, halver, path, memory / 4, (level, tile) => this.#take(level, tile));
    this.#gate = new Gate(concurrency, memory / 4);
    this.#tileBytes = tileBytes(plan);
    this.#collectors = bands.map((_, b) =>
      plan.statistics ? statisticsCollector(type, b === alpha ? null : nodata) : null,
    );
    this.#emptyKey = emptyKey(plan);
    this.#copier = typeof copier === "string" ? null : copier;
    this.#copyObstacle = typeof copier === "string" ? copier : null;
    this.#covered =
      this.#copier === null
        ? []
        : plan.levels.map(({ tilesAcross, tilesDown }) => new Uint8Array(tilesAcross * tilesDown));
    this.#taken = plan.levels.map(() => 0);
  }

  /** Read everything and compress it. */
  async pull(source: RasterSource, options: CogOptions): Promise<void> {
    const plan = this.#plan;
    const { side } = plan;
    const { width, height } = plan.levels[0]!;
    const { signal, onProgress } = options;
    const tile = emptyTile(plan);
    let done = 0;
    for await (const { block, stored } of blocksAhead(source, plan, this.#copier, signal)) {
      const { window } = block;
      this.#stored = stored;
      for (let col = 0; col < window.width; col += side) {
        const tileWidth = Math.min(side, window.width - col);
        cutTile(plan, block, col, 0, tileWidth, window.height, tile);
        await this.#pyramid.add(0, tile, (window.col + col) / side, window.row / side);
        throwIfAborted(signal);
        done += tileWidth * window.height;
        onProgress?.(done, width * height);
      }
    }
    await Promise.all(this.#lanes.map((lane) => lane.drained()));
  }

  /** Take a finished tile of a level: count it, compress it, put it in its lane. */
  async #take(level: number, tile: TilePixels): Promise<void> {
    const { hasMask, sparse, compress } = this.#plan;
    const index = this.#taken[level]!++;
    const stored = level === 0 ? this.#stored : null;
    const covered = level === 0 ? stored !== null : this.#childrenCovered(level, index);
    if (covered) this.#covered[level]![index] = 1;
    if (level === 0) {
      this.#collectors.forEach((collector, b) => {
        const mask = b === this.#plan.alpha ? null : tile.mask;
        collector?.add(tile.bands[b]!, tile.side, tile.width, tile.height, mask);
      });
    }
    padTile(tile);
    const constant = constantOf(tile);
    const maskValue = hasMask ? constantMask(tile.mask!) : 255;
    const empty = sparse && (constant === this.#emptyKey || maskValue === 0);

    await this.#gate.enter(this.#tileBytes);
    let buffer: Uint8Array | null = null;
    const pack = (): Uint8Array => {
      buffer = this.#buffers.pop() ?? new Uint8Array(this.#tileBytes);
      packTile(this.#plan, tile, buffer);
      return buffer;
    };
    let image: PendingTile = null;
    let mask: PendingTile = null;
    try {
      if (!empty) {
        if (stored !== null) {
          this.#copied++;
          image = Promise.resolve(stored);
        } else if (covered && this.#copier!.has(level)) image = this.#equalOr(level, index, pack());
        else if (constant === null || compress === "none") image = this.#compress(pack());
        else image = this.#constant(constant, () => this.#compress(pack()));
      }
      if (hasMask && !(sparse && maskValue === 0)) {
        const packed = (): Promise<Uint8Array> => deflateBytes(packMask(tile.mask!));
        mask = maskValue === -1 ? packed() : this.#constant(`mask ${maskValue}`, packed);
      }
    } catch (error) {
      this.#gate.leave(this.#tileBytes, error);
      throw error;
    }
    this.#lanes[level]!.push(image, mask, (error) => {
      if (buffer !== null && error === undefined) this.#buffers.push(buffer);
      this.#gate.leave(this.#tileBytes, error);
    });
  }

  /** Whether all tiles from which one of an overview is made are covered. */
  #childrenCovered(level: number, index: number): boolean {
    const below = this.#covered[level - 1];
    if (below === undefined) return false;
    const { tilesAcross } = this.#plan.levels[level]!;
    const { tilesAcross: across, tilesDown: down } = this.#plan.levels[level - 1]!;
    const left = 2 * (index % tilesAcross);
    const top = 2 * Math.floor(index / tilesAcross);
    for (let row = top; row < Math.min(top + 2, down); row++) {
      for (let col = left; col < Math.min(left + 2, across); col++)
        if (below[row * across + col] === 0) return false;
    }
    return true;
  }

  /** The stored overview tile when it says the same as `packed`, else `packed` compressed. */
  async #equalOr(level: number, index: number, packed: Uint8Array): Promise<Uint8Array> {
    const { tilesAcross } = this.#plan.levels[level]!;
    const row = Math.floor(index / tilesAcross);
    const stored = await this.#copier!.equal(level, index % tilesAcross, row, packed);
    if (stored === null) return await this.#compress(packed);
    this.#copied++;
    return stored;
  }

  #constant(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    let payload = this.#constants.get(key);
    if (payload === undefined) {
      // The payload is a view of a larger buffer; what is kept for long is cut to size.
      payload = make().then((bytes) => bytes.slice());
      if (this.#constants.size < MOST_CONSTANTS) this.#constants.set(key, payload);
    }
    return payload;
  }

  #compress(packed: Uint8Array): Promise<Uint8Array> {
    const { compress, level, type } = this.#plan;
    switch (compress) {
      case "deflate":
        return deflateBytes(packed, { level, sampleBytes: SAMPLE_BYTES[type] });
      case "zstd":
        return zstdBytes(packed, level);
      case "lzw":
        return Promise.resolve(lzwBytes(packed));
      case "none":
        return Promise.resolve(packed);
    }
  }

  /** Put header, directories and tiles together. */
  async assemble(
    temporary: string,
    source: RasterSource,
    signal: AbortSignal | undefined,
  ): Promise<Omit<WriteResult, "path">> {
    const plan = this.#plan;
    const statistics = this.#collectors.map((collector) => collector?.result() ?? null);
    const ghost = ghostArea(plan.hasMask);
    const images = plan.levels.map((level, l) => imageIfd(plan, source, level, l, statistics));
    const masks = plan.hasMask ? plan.levels.map((level, l) => maskIfd(plan, level, l)) : [];
    // GDAL's order: image, its mask, overviews from large to small, their masks.
    const ifds = [...images.slice(0, 1), ...masks.slice(0, 1), ...images.slice(1), ...masks.slice(1)];
    const dataBytes = this.#lanes.reduce((total, lane) => total + lane.spool.size, 0);
    const big = this.#decideBig(ghost, ifds, dataBytes);
    const size = headSize(ghost, ifds, big);

    let at = size;
    const imageTiles: TilePositions[] = [];
    const maskTiles: TilePositions[] = [];
    for (let l = this.#lanes.length - 1; l >= 0; l--) {
      const lane = this.#lanes[l]!;
      imageTiles[l] = positions(lane.imageAt, lane.imageBytes, at);
      if (plan.hasMask) maskTiles[l] = positions(lane.maskAt, lane.maskBytes, at);
      at += lane.spool.size;
    }
    const tiles = [
      ...imageTiles.slice(0, 1),
      ...maskTiles.slice(0, 1),
      ...imageTiles.slice(1),
      ...maskTiles.slice(1),
    ];

    const hash = createHash("sha256");
    const file = await open(temporary, "w");
    try {
      const head = headBytes(ghost, ifds, tiles, big);
      hash.update(head);
      await file.writeFile(head);
      for (let l = this.#lanes.length - 1; l >= 0; l--) {
        for await (const piece of this.#lanes[l]!.spool.pieces()) {
          throwIfAborted(signal);
          hash.update(piece);
          await file.writeFile(piece);
        }
      }
    } finally {
      await file.close();
    }
    const [full, ...overviews] = plan.levels;
    return {
      bytes: at,
      sha256: hash.digest("hex"),
      width: full!.width,
      height: full!.height,
      bands: plan.bands.length,
      overviews: overviews.map(({ width, height }) => [width, height] as const),
      tiles: imageTiles.reduce((total, { counts }) => total + counts.length, 0),
      sparseTiles: imageTiles.reduce((total, { counts }) => total + countZeros(counts), 0),
      copiedTiles: this.#copied,
      copyObstacle: this.#copyObstacle,
      bigTiff: big,
      statistics,
    };
  }

  #decideBig(ghost: Uint8Array, ifds: readonly IfdToWrite[], dataBytes: number): boolean {
    if (this.#plan.bigtiff === "yes") return true;
    const bytes = headSize(ghost, ifds, false) + dataBytes;
    if (bytes < 2 ** 32) return false;
    if (this.#plan.bigtiff === "auto") return true;
    throw new GeoError(
      "LIMIT",
      `the file would be ${bytes} bytes, more than a TIFF without 64-bit offsets can address`,
      { what: "bytes of a classic TIFF", needed: bytes, allowed: 2 ** 32 - 1 },
      { hint: "Leave bigtiff at auto." },
    );
  }

  /** Wait for what is in flight and give the temporary files back. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.settled()));
    await Promise.all(this.#lanes.map((lane) => lane.spool.close()));
    await this.#pyramid.close();
  }
}

/** Pixels of a window, and the compressed bytes of its tile when it is one that is copied. */
interface ReadAhead {
  readonly block: RasterBlock;
  readonly stored: Uint8Array | null;
}

/** The windows of {@link readWindows} in their order, a few of them read ahead. Leaves no read running behind. */
async function* blocksAhead(
  source: RasterSource,
  plan: CogPlan,
  copier: TileCopier | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadAhead> {
  const windowBytes = readWidth(source, plan) * plan.side * bytesPerPixel(plan);
  const depth = Math.max(1, Math.min(READ_AHEAD, Math.floor(plan.memory / 4 / windowBytes)));
  const windows = readWindows(source, plan);
  const reading: { window: Window; ahead: Promise<ReadAhead> }[] = [];
  const readOne = async (window: Window): Promise<ReadAhead> => {
    // A window is one tile then: the tiles of the file that is shown are those of the output.
    const copied =
      copier?.covers(window) === true
        ? copier.stored(0, window.col / plan.side, window.row / plan.side)
        : Promise.resolve(null);
    const [block, stored] = await Promise.allSettled([source.read(window, { signal }), copied]);
    if (block.status === "rejected") throw block.reason;
    if (stored.status === "rejected") throw stored.reason;
    return { block: block.value, stored: stored.value };
  };
  const startOne = (): void => {
    const next = windows.next();
    if (next.done === true) return;
    const ahead = readOne(next.value);
    ahead.catch(() => {}); // looked at when its turn comes
    reading.push({ window: next.value, ahead });
  };
  try {
    for (let i = 0; i < depth; i++) startOne();
    for (let first = reading.shift(); first !== undefined; first = reading.shift()) {
      const { block, stored } = await aborting(first.ahead, signal);
      throwIfAborted(signal);
      checkBlock(source, plan, first.window, block);
      startOne();
      yield { block: { ...block, window: first.window }, stored };
    }
  } finally {
    await Promise.allSettled(reading.map(({ ahead }) => ahead));
  }
}

/**
 * Columns of one read: one tile where the source's own tiles divide it, else as many as it takes to meet each of the
 * source's tiles once in a row of tiles (a file in strips: whole rows), within a quarter of the memory.
 */
function readWidth(source: RasterSource, plan: CogPlan): number {
  const { side } = plan;
  const { width } = plan.levels[0]!;
  const theirs = source.tile.width;
  const wanted = side % theirs === 0 ? 1 : theirs % side === 0 ? theirs / side : Math.ceil(width / side);
  const most = Math.floor(plan.memory / 4 / (side * side * bytesPerPixel(plan)));
  return Math.max(1, Math.min(wanted, most)) * side;
}

function* readWindows(source: RasterSource, plan: CogPlan): Generator<Window> {
  const { width, height } = plan.levels[0]!;
  const step = readWidth(source, plan);
  for (let row = 0; row < height; row += plan.side) {
    for (let col = 0; col < width; col += step) {
      yield {
        col,
        row,
        width: Math.min(step, width - col),
        height: Math.min(plan.side, height - row),
      };
    }
  }
}

function bytesPerPixel(plan: CogPlan): number {
  const sample = plan.type === "float16" ? 4 : SAMPLE_BYTES[plan.type];
  return plan.bands.length * sample + 1;
}

/** What {@link constantOf} says of a tile that holds nothing: nodata everywhere, or 0 without nodata. */
function emptyKey(plan: CogPlan): string {
  const tile = emptyTile({ ...plan, side: 16 });
  if (plan.sampleNodata !== null) {
    for (const band of tile.bands) (band as Float64Array).fill(plan.sampleNodata as number);
  }
  return constantOf(tile) ?? "";
}

function imageIfd(
  plan: CogPlan,
  source: RasterSource,
  size: LevelSize,
  level: number,
  statistics: readonly (BandStatistics | null)[],
): IfdToWrite {
  const { bands, type, color, alpha } = plan;
  const count = bands.length;
  const [bits, format] = SAMPLE_LAYOUT[type];
  const tags: TagToWrite[] = [
    shorts(Tag.BitsPerSample, new Array<number>(count).fill(bits)),
    shorts(Tag.Compression, [COMPRESSION_CODE[plan.compress]]),
    shorts(Tag.Photometric, [
      color === "rgb" ? Photometric.Rgb : color === "palette" ? Photometric.Palette : Photometric.MinIsBlack,
    ]),
    shorts(Tag.SamplesPerPixel, [count]),
    shorts(Tag.SampleFormat, new Array<number>(count).fill(format)),
    ...sizeTags(plan, size),
  ];
  if (level > 0) tags.push(longs(Tag.NewSubfileType, [SUBFILE_REDUCED]));
  if (plan.compress !== "none") tags.push(shorts(Tag.Predictor, [plan.predictor]));
  if (color === "palette") tags.push(shorts(Tag.ColorMap, colorMap(plan)));
  const first = color === "rgb" ? 3 : 1;
  if (count > first) {
    const UNSPECIFIED = 0;
    const UNASSOCIATED_ALPHA = 2;
    const extra = bands.slice(first).map((_, i) => (first + i === alpha ? UNASSOCIATED_ALPHA : UNSPECIFIED));
    tags.push(shorts(Tag.ExtraSamples, extra));
  }
  if (plan.nodata !== null) tags.push(text(Tag.GdalNodata, numberText(plan.nodata)));
  if (level === 0) {
    tags.push(...georeference(source));
    for (const [tag, key] of TEXT_TAGS) {
      const value = plan.metadata[key];
      if (value !== undefined) tags.push(text(tag, value));
    }
    const xml = gdalMetadata(plan.metadata, bands, statistics, colorNames(plan));
    if (xml !== null) tags.push(text(Tag.GdalMetadata, xml));
  }
  return { tags, tileCount: size.tilesAcross * size.tilesDown };
}

function maskIfd(plan: CogPlan, size: LevelSize, level: number): IfdToWrite {
  const tags = [
    longs(Tag.NewSubfileType, [SUBFILE_MASK | (level > 0 ? SUBFILE_REDUCED : 0)]),
    shorts(Tag.BitsPerSample, [1]),
    shorts(Tag.Compression, [Compression.AdobeDeflate]),
    shorts(Tag.Photometric, [Photometric.Mask]),
    shorts(Tag.SamplesPerPixel, [1]),
    shorts(Tag.SampleFormat, [SampleFormat.Uint]),
    ...sizeTags(plan, size),
  ];
  return { tags, tileCount: size.tilesAcross * size.tilesDown };
}

function sizeTags(plan: CogPlan, { width, height }: LevelSize): TagToWrite[] {
  const pixels = (tag: number, value: number): TagToWrite =>
    value < 65536 ? shorts(tag, [value]) : longs(tag, [value]);
  return [
    pixels(Tag.ImageWidth, width),
    pixels(Tag.ImageLength, height),
    shorts(Tag.PlanarConfiguration, [1]),
    shorts(Tag.TileWidth, [plan.side]),
    shorts(Tag.TileLength, [plan.side]),
  ];
}

/** Bits of a sample and its sample format. */
const SAMPLE_LAYOUT: Readonly<Record<SampleType, readonly [bits: number, format: number]>> = {
  uint8: [8, SampleFormat.Uint],
  int8: [8, SampleFormat.Int],
  uint16: [16, SampleFormat.Uint],
  int16: [16, SampleFormat.Int],
  uint32: [32, SampleFormat.Uint],
  int32: [32, SampleFormat.Int],
  uint64: [64, SampleFormat.Uint],
  int64: [64, SampleFormat.Int],
  float16: [16, SampleFormat.Float],
  float32: [32, SampleFormat.Float],
  float64: [64, SampleFormat.Float],
  complexint16: [32, SampleFormat.ComplexInt],
  complexint32: [64, SampleFormat.ComplexInt],
  complex64: [64, SampleFormat.ComplexFloat],
  complex128: [128, SampleFormat.ComplexFloat],
};

const COMPRESSION_CODE = {
  none: Compression.None,
  lzw: Compression.Lzw,
  deflate: Compression.AdobeDeflate,
  zstd: Compression.Zstd,
} as const;

/** All reds, all greens, all blues, 16 bits each; alpha has no place in a TIFF. */
function colorMap(plan: CogPlan): Uint16Array {
  const table = plan.bands[0]!.colorTable ?? [];
  const entries = plan.type === "uint8" ? 256 : 65536;
  const map = new Uint16Array(3 * entries);
  table.forEach((color, i) => {
    for (let channel = 0; channel < 3; channel++) {
      map[channel * entries + i] = Math.max(0, Math.min(255, Math.round(color[channel]!))) * 257;
    }
  });
  return map;
}

/** GDAL's words for colour interpretations that the tags above do not say. */
function colorNames(plan: CogPlan): (string | null)[] {
  const implied = (b: number): string => {
    if (plan.color === "palette") return "palette";
    if (plan.color === "rgb" && b < 3) return ["red", "green", "blue"][b]!;
    if (plan.color === "gray" && b === 0) return "gray";
    return b === plan.alpha ? "alpha" : "undefined";
  };
  return plan.bands.map(({ colorInterpretation: name }, b) =>
    name === implied(b) || name === "undefined" || name === "palette" || name === ""
      ? null
      : `${name[0]!.toUpperCase()}${name.slice(1)}`,
  );
}

function georeference(source: RasterSource): TagToWrite[] {
  const { transform, crs } = source.grid;
  const tags: TagToWrite[] = [];
  if (!isUnset(transform)) {
    const [a, b, c, d, e, f] = transform;
    if (b === 0 && d === 0 && a > 0 && e < 0) {
      tags.push(doubles(Tag.ModelPixelScale, [a, -e, 0]), doubles(Tag.ModelTiepoint, [0, 0, 0, c, f, 0]));
    } else {
      tags.push(doubles(Tag.ModelTransformation, [a, b, 0, c, d, e, 0, f, 0, 0, 0, 0, 0, 0, 0, 1]));
    }
  }
  // No keys without a system: the raster type alone reads as a local system of no name.
  if (crs === null) return tags;
  const keys = packGeoKeys(crs);
  tags.push(shorts(Tag.GeoKeyDirectory, keys.directory));
  if (keys.doubles.length > 0) tags.push(doubles(Tag.GeoDoubleParams, keys.doubles));
  if (keys.ascii !== "") tags.push(text(Tag.GeoAsciiParams, keys.ascii));
  return tags;
}

/** The transform of a raster that lies nowhere: pixel coordinates. */
function isUnset([a, b, c, d, e, f]: Affine): boolean {
  return a === 1 && b === 0 && c === 0 && d === 0 && (e === 1 || e === -1) && f === 0;
}

/** Positions in the file of tiles whose spool starts at `base`. */
function positions(at: Float64Array, counts: Uint32Array, base: number): TilePositions {
  const offsets = new Float64Array(at.length);
  for (let t = 0; t < at.length; t++) offsets[t] = at[t]! < 0 ? 0 : base + at[t]!;
  return { offsets, counts };
}

function countZeros(counts: Uint32Array): number {
  let zeros = 0;
  for (let t = 0; t < counts.length; t++) if (counts[t] === 0) zeros++;
  return zeros;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

/** A block, with the signal's own rejection told in our words. */
async function aborting<T>(ahead: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await ahead;
  } catch (error) {
    throw signal?.aborted === true && !(error instanceof GeoError) ? abortedError(signal) : error;
  }
}

function abortedError(signal: AbortSignal): GeoError {
  const reason = signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
  return new GeoError("ABORTED", `writing was stopped: ${reason}`, { reason }, { cause: signal.reason });
}
