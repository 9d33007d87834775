import { GeoError } from "../../model/errors.ts";
import { SAMPLE_BYTES, type SampleType } from "../../model/raster.ts";
import { type Ifd, tagNumber, tagNumbers } from "./ifd.ts";
import { Compression, compressionName, Photometric, SampleFormat, Tag } from "./tags.ts";

/** How one image of a TIFF is cut into blocks (strips or tiles) and what a sample of it is. */
export interface ImageLayout {
  readonly width: number;
  readonly height: number;
  readonly samplesPerPixel: number;
  /** Bits of a stored sample; complex samples count both parts. */
  readonly bits: number;
  /** Type of a sample in memory. */
  readonly type: SampleType;
  readonly tiled: boolean;
  /** Size of a block in pixels. A strip is as wide as the image; the last strip may be lower. */
  readonly blockWidth: number;
  readonly blockHeight: number;
  /** Blocks across and down one plane. */
  readonly across: number;
  readonly down: number;
  /** 1 when bands are interleaved by pixel, else one plane per band. */
  readonly planes: number;
  /** Samples per pixel inside a block: all bands, or 1. */
  readonly blockBands: number;
  readonly compression: number;
  readonly predictor: number;
  readonly photometric: number;
  /** Tag 338; one entry per band beyond those of the photometric interpretation. */
  readonly extraSamples: readonly number[];
  /** Bits of a byte in reverse order. */
  readonly reversed: boolean;
  /** Chroma subsampling of YCbCr images, `[1, 1]` otherwise. */
  readonly subsampling: readonly [horizontal: number, vertical: number];
}

/** Larger images than this have no meaning in GDAL either. */
const MAX_SIDE = 2 ** 31 - 1;

/**
 * Work out the layout from a directory.
 *
 * @throws GeoError `INVALID_FORMAT` when it contradicts itself, `UNSUPPORTED` for sample types that are not read.
 */
export function imageLayout(ifd: Ifd, url: string): ImageLayout {
  const bad = (what: string): GeoError =>
    new GeoError(
      "INVALID_FORMAT",
      `${url} is damaged: ${what}`,
      { format: "geotiff", path: url, offset: ifd.offset },
      { hint: "Copy or download the file again." },
    );
  const positive = (tag: number, name: string, fallback: number): number => {
    const value = tagNumber(ifd, tag, fallback);
    if (!Number.isInteger(value) || value < 1 || value > MAX_SIDE)
      throw bad(`its ${name} is ${Number.isNaN(value) ? "missing" : value}, expected 1 to ${MAX_SIDE}`);
    return value;
  };
  const width = positive(Tag.ImageWidth, "width", Number.NaN);
  const height = positive(Tag.ImageLength, "height", Number.NaN);
  const samplesPerPixel = tagNumber(ifd, Tag.SamplesPerPixel, 1);
  if (!Number.isInteger(samplesPerPixel) || samplesPerPixel < 1 || samplesPerPixel > 65_535)
    throw bad(`it claims ${samplesPerPixel} bands`);

  const tiled = ifd.entries.has(Tag.TileWidth) || ifd.entries.has(Tag.TileOffsets);
  const offsetsTag = tiled ? Tag.TileOffsets : Tag.StripOffsets;
  if (!ifd.entries.has(offsetsTag) && !ifd.entries.has(Tag.StripOffsets))
    throw bad(`it has no ${tiled ? "tile" : "strip"} offsets`);
  const blockWidth = tiled ? positive(Tag.TileWidth, "tile width", Number.NaN) : width;
  const rows = tagNumber(ifd, Tag.RowsPerStrip, height);
  const blockHeight = tiled
    ? positive(Tag.TileLength, "tile height", Number.NaN)
    : Number.isInteger(rows) && rows > 0
      ? Math.min(rows, height)
      : height;

  const planar = tagNumber(ifd, Tag.PlanarConfiguration, 1);
  const planes = planar === 2 ? samplesPerPixel : 1;
  const compression = tagNumber(ifd, Tag.Compression, Compression.None);
  const photometric = tagNumber(ifd, Tag.Photometric, Photometric.MinIsBlack);
  for (const [tag, name] of PER_BAND) {
    const count = tagNumbers(ifd, tag)?.length ?? 1;
    if (count !== 1 && count < samplesPerPixel)
      throw bad(`it claims ${samplesPerPixel} bands, but gives the ${name} of ${count}`);
  }
  const { bits, type } = sampleType(ifd, url);
  const [h = 2, v = 2] = tagNumbers(ifd, Tag.YCbCrSubSampling) ?? [];
  return {
    width,
    height,
    samplesPerPixel,
    bits,
    type,
    tiled,
    blockWidth,
    blockHeight,
    across: Math.ceil(width / blockWidth),
    down: Math.ceil(height / blockHeight),
    planes,
    blockBands: planes === 1 ? samplesPerPixel : 1,
    compression,
    predictor: predictorOf(ifd, compression),
    photometric,
    extraSamples: tagNumbers(ifd, Tag.ExtraSamples) ?? [],
    reversed: tagNumber(ifd, Tag.FillOrder, 1) === 2,
    subsampling: photometric === Photometric.YCbCr && compression !== Compression.Jpeg ? [h, v] : [1, 1],
  };
}

/** Tags with a value for each band, or one for all. */
const PER_BAND = [
  [Tag.BitsPerSample, "bits"],
  [Tag.SampleFormat, "format"],
] as const;

const PREDICTED: ReadonlySet<number> = new Set([
  Compression.Lzw,
  Compression.AdobeDeflate,
  Compression.Deflate,
  Compression.Zstd,
]);

/** Other codecs have no predictor: a tag that says so is ignored, as libtiff does. */
function predictorOf(ifd: Ifd, compression: number): number {
  return PREDICTED.has(compression) ? tagNumber(ifd, Tag.Predictor, 1) : 1;
}

function sampleType(ifd: Ifd, url: string): { bits: number; type: SampleType } {
  const all = tagNumbers(ifd, Tag.BitsPerSample) ?? [1];
  const bits = all[0] ?? 1;
  const format = tagNumber(ifd, Tag.SampleFormat, SampleFormat.Uint);
  const formats = tagNumbers(ifd, Tag.SampleFormat) ?? [format];
  const mixed = all.some((other) => other !== bits) || formats.some((other) => other !== format);
  const type = mixed ? null : typeOf(bits, format);
  if (type === null) {
    const found = mixed ? "bands of different sample types" : `${bits}-bit samples of format ${format}`;
    throw new GeoError(
      "UNSUPPORTED",
      `${url} has ${found}, which are not read here`,
      { feature: found, path: url },
      { hint: "Convert it with gdal_translate -ot first." },
    );
  }
  return { bits, type };
}

function typeOf(bits: number, format: number): SampleType | null {
  switch (format) {
    case SampleFormat.Int:
      if (bits >= 1 && bits <= 8) return "int8";
      if (bits <= 16) return "int16";
      if (bits <= 32) return "int32";
      return bits === 64 ? "int64" : null;
    case SampleFormat.Float:
      if (bits === 16) return "float16";
      if (bits === 24 || bits === 32) return "float32";
      return bits === 64 ? "float64" : null;
    case SampleFormat.ComplexInt:
      if (bits === 32) return "complexint16";
      return bits === 64 ? "complexint32" : null;
    case SampleFormat.ComplexFloat:
      if (bits === 64) return "complex64";
      return bits === 128 ? "complex128" : null;
    default:
      // 0 and 4 ("untyped") are read as unsigned, as GDAL does.
      if (format > SampleFormat.ComplexFloat || bits < 1) return null;
      if (bits <= 8) return "uint8";
      if (bits <= 16) return "uint16";
      if (bits <= 32) return "uint32";
      return bits === 64 ? "uint64" : null;
  }
}

/** Blocks of the whole image, all planes. */
export function blockCount(layout: ImageLayout): number {
  return layout.across * layout.down * layout.planes;
}

/** Rows of pixels that block row `blockRow` holds: fewer in a last strip. */
export function rowsInBlock(layout: ImageLayout, blockRow: number): number {
  return layout.tiled
    ? layout.blockHeight
    : Math.min(layout.blockHeight, layout.height - blockRow * layout.blockHeight);
}

/** Bytes that `rows` rows of a block have once decompressed. Rows start at whole bytes. */
export function storedBytes(layout: ImageLayout, rows: number): number {
  const [h, v] = layout.subsampling;
  if (h === 1 && v === 1) return rows * Math.ceil((layout.blockWidth * layout.blockBands * layout.bits) / 8);
  // Subsampled YCbCr: units of h x v luma samples and one pair of chroma samples.
  return Math.ceil(rows / v) * Math.ceil(layout.blockWidth / h) * (h * v + 2);
}

/** Bytes that `rows` rows of a block have in memory. */
export function memoryBytesOf(layout: ImageLayout, rows: number): number {
  const size = layout.type === "float16" ? 4 : SAMPLE_BYTES[layout.type];
  return rows * layout.blockWidth * layout.blockBands * size;
}

const READABLE: ReadonlySet<number> = new Set([
  Compression.None,
  Compression.Lzw,
  Compression.Jpeg,
  Compression.AdobeDeflate,
  Compression.PackBits,
  Compression.Deflate,
  Compression.Lerc,
  Compression.Zstd,
]);

/**
 * Refuse what cannot be decoded, by name.
 *
 * @throws GeoError `UNSUPPORTED`
 */
export function assertReadable(layout: ImageLayout, url: string): void {
  const { compression, photometric, predictor, bits, type } = layout;
  let feature: string | null = null;
  if (!READABLE.has(compression)) feature = `${compressionName(compression)} compression`;
  else if (compression === Compression.Jpeg && (bits !== 8 || type !== "uint8"))
    feature = `${bits}-bit JPEG compression`;
  else if (compression === Compression.Lerc && LERC_TYPES.has(type) === false)
    feature = `LERC compression of ${type}`;
  else if (
    photometric === Photometric.YCbCr &&
    compression !== Compression.Jpeg &&
    (bits !== 8 || layout.planes !== 1 || layout.samplesPerPixel !== 3)
  )
    feature = "this kind of YCbCr image";
  else if (photometric === Photometric.CieLab && bits === 8) feature = "CIE L*a*b* images";
  else if (photometric === Photometric.Separated && bits === 8 && layout.samplesPerPixel >= 4)
    feature = "CMYK images";
  else if (photometric === Photometric.LogL || photometric === Photometric.LogLuv) feature = "LogLuv images";
  else if (predictor === 2 && ![8, 16, 32, 64].includes(bits)) feature = `predictor 2 with ${bits} bits`;
  else if (predictor === 3 && !(type.startsWith("float") && [16, 24, 32, 64].includes(bits)))
    feature = `predictor 3 with ${type} samples`;
  else if (predictor > 3 || predictor < 1) feature = `predictor ${predictor}`;
  if (feature === null) return;
  throw new GeoError(
    "UNSUPPORTED",
    `${url} uses ${feature}, which is not read here`,
    { feature, path: url },
    { hint: "Convert it first: gdal_translate -co COMPRESS=DEFLATE -co TILED=YES IN.tif OUT.tif" },
  );
}

const LERC_TYPES: ReadonlySet<SampleType> = new Set<SampleType>([
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "float32",
  "float64",
]);
