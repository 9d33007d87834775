import { definitionFor } from "../../crs/format.ts";
import { crsFromGeoKeys } from "../../crs/geokeys.ts";
import type { Crs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { Affine, Grid, Window } from "../../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  type SampleArray,
  type SampleType,
  type SampleValue,
} from "../../model/raster.ts";
import { pagedBytes } from "../bytes/cached.ts";
import type { ByteSource } from "../bytes/source.ts";
import { BlockCache } from "./block-cache.ts";
import { type Georeference, georeference } from "./georeference.ts";
import { readGhostHeader, readTiffHeader } from "./header.ts";
import {
  type Ifd,
  type ReadBudget,
  readBudget,
  readIfd,
  readIfdChain,
  tagNumber,
  tagNumbers,
  tagText,
} from "./ifd.ts";
import { type FileContext, TiffImage } from "./image.ts";
import { type ImageLayout, imageLayout, memoryBytesOf } from "./layout.ts";
import {
  colorInterpretation,
  colorTable,
  type MetadataItem,
  parseGdalMetadata,
  parseNodata,
  textTags,
} from "./metadata.ts";
import {
  Compression,
  compressionName,
  Photometric,
  SUBFILE_MASK,
  SUBFILE_REDUCED,
  Tag,
  TEXT_TAGS,
} from "./tags.ts";
import type { GeoTiffInfo, GeoTiffOptions, MaskKind } from "./types.ts";

export type { GeoKeys, GroundControlPoint } from "./georeference.ts";
export type { GeoTiffInfo, GeoTiffOptions, MaskKind } from "./types.ts";

/**
 * Open a GeoTIFF, BigTIFF or COG. Reads the directories of all its images and nothing else; for a COG of GDAL that
 * is the first few kilobytes.
 *
 * @throws GeoError `INVALID_FORMAT`, `UNSUPPORTED` (sample types). Compressions that are not read are refused by
 * `read`, so that the header of such a file can still be shown.
 */
export async function openGeoTiff(bytes: ByteSource, options: GeoTiffOptions = {}): Promise<GeoTiffSource> {
  const paged = pagedBytes(bytes, /^https?:/i.test(bytes.url) ? 65_536 : 16_384);
  const header = await readTiffHeader(paged);
  const warnings: string[] = [];
  const budget = readBudget(bytes);
  const ifds = await readIfdChain(paged, header, budget, warnings);
  const structure = await readGhostHeader(paged, header);
  const subIfds = await readSubIfds(paged, header, ifds[0]!, budget, warnings);

  const layout = imageLayout(ifds[0]!, bytes.url);
  const rowOfBlocks = memoryBytesOf(layout, layout.blockHeight) * layout.across * layout.planes;
  const limit = options.cacheBytes ?? Math.min(268_435_456, Math.max(67_108_864, 1.25 * rowOfBlocks));
  const file: FileContext = { bytes, paged, header, cache: new BlockCache(limit) };
  return new GeoTiffSource(arrange(file, ifds, subIfds, warnings), structure, warnings);
}

async function readSubIfds(
  bytes: ByteSource,
  header: FileContext["header"],
  main: Ifd,
  budget: ReadBudget,
  warnings: string[],
): Promise<Ifd[]> {
  const ifds: Ifd[] = [];
  for (const offset of new Set((tagNumbers(main, Tag.SubIfds) ?? []).slice(0, 64))) {
    try {
      ifds.push(await readIfd(bytes, header, offset, budget, warnings));
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      warnings.push(`the sub-directory at byte ${offset} is damaged and was left out`);
    }
  }
  return ifds;
}

/** The images of a file by their part: the first, its overviews and masks, and the rest ("pages"). */
interface Family {
  readonly file: FileContext;
  readonly main: TiffImage;
  readonly mask: TiffImage | null;
  readonly overviews: readonly { readonly image: TiffImage; readonly mask: TiffImage | null }[];
  readonly pages: readonly TiffImage[];
}

function arrange(
  file: FileContext,
  ifds: readonly Ifd[],
  subIfds: readonly Ifd[],
  warnings: string[],
): Family {
  const main = new TiffImage(file, ifds[0]!, 0);
  const { width, height, samplesPerPixel } = main.layout;
  const overviews: TiffImage[] = [];
  const masks: TiffImage[] = [];
  const pages: TiffImage[] = [];
  let number = 0;
  for (const ifd of [...ifds.slice(1), ...subIfds]) {
    number++;
    let image: TiffImage;
    try {
      image = new TiffImage(file, ifd, number);
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      warnings.push(`the image in the directory at byte ${ifd.offset} was left out: ${error.message}`);
      continue;
    }
    const kind = subfileType(ifd);
    if ((kind & SUBFILE_MASK) !== 0) masks.push(image);
    else if ((kind & SUBFILE_REDUCED) === 0) pages.push(image);
    else if (
      image.layout.samplesPerPixel !== samplesPerPixel ||
      image.layout.width > width ||
      image.layout.height > height
    )
      warnings.push(
        `the overview in the directory at byte ${ifd.offset} does not fit the image and was left out`,
      );
    else overviews.push(image);
  }
  const maskOf = (image: TiffImage): TiffImage | null =>
    masks.find(
      ({ layout }) => layout.width === image.layout.width && layout.height === image.layout.height,
    ) ?? null;
  for (const mask of masks) {
    const { width: w, height: h } = mask.layout;
    if (
      (w !== width || h !== height) &&
      !overviews.some(({ layout }) => layout.width === w && layout.height === h)
    )
      warnings.push(`the mask of ${w} x ${h} pixels fits no image and was left out`);
  }
  return {
    file,
    main,
    mask: maskOf(main),
    overviews: overviews.map((image) => ({ image, mask: maskOf(image) })),
    pages,
  };
}

/** Tag 254, or what the older tag 255 says in its words. */
function subfileType(ifd: Ifd): number {
  const type = tagNumber(ifd, Tag.NewSubfileType, 0);
  return type !== 0 || tagNumber(ifd, Tag.OldSubfileType, 1) !== 2 ? type : SUBFILE_REDUCED;
}

/**
 * An open GeoTIFF. Blocks are read and decompressed when a window asks for them, several at a time, and kept only
 * when a window met them in part. Any number of reads may be under way at once.
 */
export class GeoTiffSource implements RasterSource {
  readonly url: string;
  readonly grid: Grid;
  readonly bands: readonly Band[];
  readonly tile: { readonly width: number; readonly height: number };
  readonly hasMask: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the header says beyond the model of a raster. */
  readonly info: GeoTiffInfo;
  /** Findings of the reader that did not stop it. */
  readonly warnings: readonly string[];
  readonly #family: Family;
  readonly #image: TiffImage;
  readonly #mask: TiffImage | null;
  readonly #structure: Readonly<Record<string, string>> | null;
  /** The source that owns the bytes; an overview leaves them open. */
  readonly #owner: boolean;

  /** @internal Use {@link openGeoTiff}. */
  constructor(
    family: Family,
    structure: Readonly<Record<string, string>> | null,
    warnings: string[],
    parent?: { readonly source: GeoTiffSource; readonly image: TiffImage; readonly mask: TiffImage | null },
  ) {
    this.#family = family;
    this.#structure = structure;
    this.#owner = parent === undefined;
    this.#image = parent?.image ?? family.main;
    this.#mask = parent === undefined ? family.mask : parent.mask;
    const { layout, ifd } = this.#image;
    const { bytes, header } = family.file;
    this.url = bytes.url;
    const reference = georeference(ifd, warnings);
    if (parent === undefined && reference.gcps.length > 0) {
      const count = `${reference.gcps.length} control point${reference.gcps.length === 1 ? "" : "s"}`;
      warnings.push(
        `${this.url} is placed by ${count}, which make no grid: its pixels have no coordinates here; ` +
          "warp it first, for example with gdalwarp",
      );
    }
    this.warnings = warnings;
    const { crs, heights } = crsOf(reference, warnings);
    const { width, height } = layout;
    this.grid =
      parent === undefined
        ? { width, height, transform: reference.transform ?? IDENTITY, crs }
        : coarser(parent.source.grid, layout);
    const items = parseGdalMetadata(tagText(ifd, Tag.GdalMetadata) ?? "");
    this.bands =
      parent === undefined
        ? bandsOf(ifd, layout, items, heights)
        : parent.source.bands.map((band) => ({ ...band, type: layout.type }));
    this.tile = this.#image.step;
    this.hasMask = this.#mask !== null;
    this.metadata =
      parent?.source.metadata ?? pairs(items, (item) => item.band === null && item.domain === "");
    this.info = {
      driver: "GTiff",
      compression: compressionWords(ifd, layout),
      predictor: layout.predictor,
      interleave: layout.planes === 1 && layout.samplesPerPixel > 1 ? "pixel" : "band",
      tiled: layout.tiled,
      blockSize: [layout.blockWidth, layout.blockHeight],
      bitsPerSample: layout.bits,
      bigTiff: header.big,
      littleEndian: header.littleEndian,
      overviews:
        parent === undefined
          ? family.overviews.map(({ image }) => [image.layout.width, image.layout.height] as const)
          : [],
      mask: maskKind(this.#mask, this.bands),
      areaOrPoint: parent?.source.info.areaOrPoint ?? reference.areaOrPoint,
      gcps: parent?.source.info.gcps ?? reference.gcps,
      photometric: layout.photometric,
      structure,
      layout:
        structure?.["LAYOUT"] === "IFDS_BEFORE_DATA" &&
        structure["KNOWN_INCOMPATIBLE_EDITION"]?.trim() !== "YES"
          ? "COG"
          : null,
      geoKeys: parent?.source.info.geoKeys ?? reference.keys,
      imageCount: 1 + family.pages.length,
      tags: ifd.values,
      textTags: textTags(ifd, TEXT_TAGS),
      domains: domainsOf(items),
    };
  }

  /**
   * Pixels of a window in the type they are stored in. Blocks that the file leaves out read as nodata, or 0 without
   * one. A window that is exactly one block costs no copy.
   *
   * @throws GeoError `UNSUPPORTED` (compression), `INVALID_FORMAT` (damaged blocks), `LIMIT` (blocks that claim more
   * than their bytes can hold)
   */
  async read(window: Window, options: ReadOptions = {}): Promise<RasterBlock> {
    const { bands = this.bands.map((_, k) => k), signal } = options;
    assertInside(window, this.grid, this.url);
    for (const band of bands) {
      if (this.bands[band] === undefined)
        throw new RangeError(
          `${this.url} has bands 0 to ${this.bands.length - 1}, band ${band} was asked for`,
        );
    }
    signal?.throwIfAborted();
    const image = this.#image.read(
      window,
      bands,
      (band, samples, from, to) => this.#fill(band, samples, from, to),
      signal,
    );
    if (this.#mask === null) return { window, bands: await image, mask: null };
    const mask = this.#mask.read(window, [0], () => {}, signal);
    // Both are awaited before either failure is told, so that nothing runs on behind the caller's back.
    const [pixels, validity] = await Promise.allSettled([image, mask]);
    if (pixels.status === "rejected") throw pixels.reason;
    if (validity.status === "rejected") throw validity.reason;
    return { window, bands: pixels.value, mask: maskOf(validity.value[0]!) };
  }

  /**
   * Overview `index` (0 is the first of `info.overviews`) as a source of its own, on a coarser grid with the same
   * bounds. It shares the file: closing it does nothing, closing this source ends it.
   */
  overview(index: number): GeoTiffSource {
    const overview = this.info.overviews.length > 0 ? this.#family.overviews[index] : undefined;
    if (overview === undefined)
      throw new RangeError(
        `${this.url} has ${this.info.overviews.length} overviews, number ${index} was asked for`,
      );
    return new GeoTiffSource(this.#family, this.#structure, [], { source: this, ...overview });
  }

  /**
   * Image `index` of a file that holds several that are not overviews; 0 is this one. Shares the file as
   * {@link overview} does.
   */
  page(index: number): GeoTiffSource {
    if (index === 0) return this;
    const main = this.#family.pages[index - 1];
    if (main === undefined)
      throw new RangeError(`${this.url} has ${this.info.imageCount} images, number ${index} was asked for`);
    const family: Family = { file: this.#family.file, main, mask: null, overviews: [], pages: [] };
    const page = new GeoTiffSource(family, this.#structure, []);
    return Object.assign(page, { close: async () => {} });
  }

  /**
   * Compressed bytes of a block as they lie in the file, for copying without decoding; `null` when it is not
   * stored.
   *
   * @param level 0 is the image itself, `k` its overview `k - 1`.
   * @param band Which plane, for files that keep bands apart; ignored otherwise.
   */
  async tileBytes(level: number, band: number, tileCol: number, tileRow: number): Promise<Uint8Array | null> {
    const image = level === 0 ? this.#image : this.#family.overviews[level - 1]?.image;
    if (image === undefined) throw new RangeError(`${this.url} has no level ${level}`);
    return await image.storedBlock(band, tileCol, tileRow);
  }

  async close(): Promise<void> {
    if (!this.#owner) return;
    this.#family.file.cache.clear();
    await this.#family.file.bytes.close();
  }

  /** Samples of a block that is not stored: nodata as near as the type can say it, else the 0 that is there. */
  #fill(band: number, samples: SampleArray, from: number, to: number): void {
    const { nodata, type } = this.bands[band]!;
    if (nodata === null) return;
    if (isComplex(type)) {
      // "complexint16" is two of "int16"; the imaginary part stays 0.
      const real = isFloat(type) ? nodata : clampInteger(nodata, type.slice("complex".length) as SampleType);
      for (let i = 2 * from; i < 2 * to; i += 2) (samples as Float64Array)[i] = Number(real);
      return;
    }
    if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) {
      samples.fill(clampInteger(nodata, type) as bigint, from, to);
    } else if (samples instanceof Float32Array || samples instanceof Float64Array)
      samples.fill(Number(nodata), from, to);
    else samples.fill(Number(clampInteger(nodata, type)), from, to);
  }
}

function clampInteger(value: SampleValue, type: SampleType): bigint {
  const [min, max] = integerRange(type)!;
  if (typeof value === "number") {
    if (Number.isNaN(value)) return 0n;
    if (value <= Number(min)) return min;
    if (value >= Number(max)) return max;
  }
  const whole = typeof value === "bigint" ? value : BigInt(Math.round(value));
  return whole < min ? min : whole > max ? max : whole;
}

/** 255 where the mask image is not 0. */
function maskOf(samples: SampleArray): Uint8Array {
  const mask = new Uint8Array(samples.length);
  const values = samples as Uint8Array;
  for (let i = 0; i < mask.length; i++) mask[i] = values[i] === 0 ? 0 : 255;
  return mask;
}

function assertInside({ col, row, width, height }: Window, grid: Grid, url: string): void {
  const whole = [col, row, width, height].every(Number.isInteger);
  if (
    whole &&
    col >= 0 &&
    row >= 0 &&
    width > 0 &&
    height > 0 &&
    col + width <= grid.width &&
    row + height <= grid.height
  )
    return;
  throw new RangeError(
    `${url} has ${grid.width} x ${grid.height} pixels; a window of ${width} x ${height} at column ${col}, row ${row} is not inside`,
  );
}

const IDENTITY: Affine = [1, 0, 0, 0, 1, 0];

/** Keys of the vertical system (GeoTIFF 1.1, annex B). */
const VERTICAL_KEYS: ReadonlySet<number> = new Set([4096, 4097, 4098, 4099]);

/**
 * The system of the file, and the unit of heights when it has one. Before GeoTIFF 1.1 vertical keys were seldom
 * meant as a part of the system: as GDAL does, they are not made one, but the unit is believed.
 */
function crsOf({ keys, revision }: Georeference, warnings: string[]): { crs: Crs | null; heights: string } {
  if (keys.size === 0) return { crs: null, heights: "" };
  try {
    const crs = crsFromGeoKeys(keys);
    if (crs?.kind !== "compound") return { crs, heights: "" };
    const heights = definitionFor(crs).vertical?.unit.name ?? "";
    if (revision >= 1) return { crs, heights };
    return { crs: crsFromGeoKeys(new Map([...keys].filter(([key]) => !VERTICAL_KEYS.has(key)))), heights };
  } catch (error) {
    if (!(error instanceof GeoError)) throw error;
    warnings.push(`its coordinate reference system was not understood: ${error.message}`);
    return { crs: null, heights: "" };
  }
}

function coarser(grid: Grid, { width, height }: ImageLayout): Grid {
  const [a, b, c, d, e, f] = grid.transform;
  const x = grid.width / width;
  const y = grid.height / height;
  return { width, height, transform: [a * x, b * y, c, d * x, e * y, f], crs: grid.crs };
}

function bandsOf(ifd: Ifd, layout: ImageLayout, items: readonly MetadataItem[], heights: string): Band[] {
  const nodata = parseNodata(tagText(ifd, Tag.GdalNodata), layout.type);
  const table = colorTable(ifd, layout, nodata);
  const bitmap = layout.bits === 1 && layout.samplesPerPixel === 1;
  const own = new Map<number, MetadataItem[]>();
  for (const item of items) {
    if (item.band === null) continue;
    const list = own.get(item.band);
    if (list === undefined) own.set(item.band, [item]);
    else list.push(item);
  }
  return Array.from({ length: layout.samplesPerPixel }, (_, k) => {
    const mine = own.get(k) ?? [];
    const role = (name: string): string | undefined => mine.find((item) => item.role === name)?.value;
    const number = (name: string, fallback: number): number => {
      const value = Number.parseFloat(role(name) ?? "");
      return Number.isFinite(value) ? value : fallback;
    };
    return makeBand({
      type: layout.type,
      nodata,
      scale: number("scale", 1),
      offset: number("offset", 0),
      unit: role("unittype") || heights,
      description: role("description") ?? "",
      colorTable: k === 0 ? table : null,
      colorInterpretation: bitmap
        ? "palette"
        : (role("colorinterp")?.toLowerCase() ?? colorInterpretation(layout, k, table)),
      metadata: pairs(mine, (item) => item.domain === "" && item.role === ""),
    });
  });
}

function pairs(
  items: readonly MetadataItem[],
  wanted: (item: MetadataItem) => boolean,
): Record<string, string> {
  return Object.fromEntries(items.filter(wanted).map(({ name, value }) => [name, value]));
}

function domainsOf(items: readonly MetadataItem[]): Record<string, Record<string, string>> {
  const domains: Record<string, Record<string, string>> = {};
  for (const { domain, name, value, band } of items) {
    if (domain === "" || band !== null) continue;
    domains[domain] = { ...domains[domain], [name]: value };
  }
  return domains;
}

function compressionWords(ifd: Ifd, layout: ImageLayout): string {
  const name = compressionName(layout.compression);
  if (layout.compression === Compression.Jpeg && layout.photometric === Photometric.YCbCr)
    return "YCbCr JPEG";
  if (layout.compression !== Compression.Lerc) return name;
  return ["LERC", "LERC_DEFLATE", "LERC_ZSTD"][tagNumbers(ifd, Tag.LercParameters)?.[1] ?? 0] ?? name;
}

/** By the rules of GDAL 3.6, which also say when an alpha band is no mask. */
function maskKind(mask: TiffImage | null, bands: readonly Band[]): MaskKind {
  if (mask !== null) return "per_dataset";
  if (bands.some(({ nodata, type }) => nodata !== null && inReach(nodata, type))) return "nodata";
  const last = bands[bands.length - 1]!;
  const alpha =
    (bands.length === 2 || bands.length === 4) &&
    last.colorInterpretation === "alpha" &&
    (last.type === "uint8" || last.type === "uint16");
  return alpha ? "alpha" : "all_valid";
}

/** Whether samples as GDAL compares them, small integers widened to 32 bits, can be the nodata value. */
function inReach(nodata: SampleValue, type: SampleType): boolean {
  const range = REACH[type];
  if (range === undefined) return true;
  const value = Number(nodata);
  if (range[1] === FLOAT32_MAX && !Number.isFinite(value)) return true;
  return value >= range[0] && value <= range[1];
}

const FLOAT32_MAX = 3.4028234663852886e38;
const SIGNED = [-(2 ** 31), 2 ** 31 - 1] as const;
const UNSIGNED = [0, 2 ** 32 - 1] as const;
const FLOAT = [-FLOAT32_MAX, FLOAT32_MAX] as const;
const REACH: { readonly [type in SampleType]?: readonly [min: number, max: number] } = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: UNSIGNED,
  uint32: UNSIGNED,
  int16: SIGNED,
  int32: SIGNED,
  complexint16: SIGNED,
  complexint32: SIGNED,
  float16: FLOAT,
  float32: FLOAT,
  complex64: FLOAT,
};
