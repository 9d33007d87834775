import { GeoError } from "../../model/errors.ts";
import { SAMPLE_BYTES, type SampleArray, type SampleType } from "../../model/raster.ts";
import { reverseBits, unpackBits, widenHalf, widenTriple } from "../codecs/bits.ts";
import { CodecError, tooShort } from "../codecs/codec-error.ts";
import { decodeDeflate } from "../codecs/deflate.ts";
import { decodeJpeg } from "../codecs/jpeg.ts";
import { decodeLerc, type LercShape } from "../codecs/lerc.ts";
import { decodeLzw } from "../codecs/lzw.ts";
import { decodePackBits } from "../codecs/packbits.ts";
import { undoFloating, undoHorizontal } from "../codecs/predictor.ts";
import { decodeZstd } from "../codecs/zstd.ts";
import { type ImageLayout, memoryBytesOf, storedBytes } from "./layout.ts";
import { Compression, compressionName, Photometric } from "./tags.ts";
import { convertYCbCr, type YCbCrRules } from "./ycbcr.ts";

/** What decoding the blocks of one image needs besides its layout. */
export interface DecodeContext {
  readonly url: string;
  readonly layout: ImageLayout;
  readonly littleEndian: boolean;
  readonly jpegTables: Uint8Array | null;
  /** Tag 50674, second value: 0 none, 1 Deflate, 2 ZSTD. */
  readonly lercWrapping: number;
  readonly ycbcr: YCbCrRules;
}

/** Largest block, decompressed, that is read at all. */
const MAX_BLOCK_BYTES = 2 ** 30;

/**
 * How much longer than its compressed form a block may claim to be: above what each codec can reach, with some
 * room. Blocks of up to `FREE_BYTES` are not questioned.
 */
const MAX_RATIO: Readonly<Record<number, number>> = {
  [Compression.None]: 1,
  [Compression.PackBits]: 65,
  [Compression.Lzw]: 1500,
  [Compression.AdobeDeflate]: 1100,
  [Compression.Deflate]: 1100,
  [Compression.Jpeg]: 2000,
  [Compression.Zstd]: 40_000,
  [Compression.Lerc]: 40_000,
};
const FREE_BYTES = 8_388_608;

/** Whether this machine puts the low byte first. */
const HOST_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Decode one block into samples, bands interleaved as stored, `rows * blockWidth * blockBands` of them (twice that
 * for complex types). The array may be a view of `bytes` when they are stored as they are needed.
 *
 * @param block Number of the block, for messages.
 * @param parallel Let the thread pool decompress; for blocks that are decoded several at a time.
 * @throws GeoError `INVALID_FORMAT`, `LIMIT`, `UNSUPPORTED`
 */
export async function decodeBlock(
  context: DecodeContext,
  bytes: Uint8Array,
  rows: number,
  block: number,
  parallel: boolean,
): Promise<SampleArray> {
  const { layout, url } = context;
  checkSize(context, bytes.length, rows, block);
  try {
    const coded = layout.reversed && layout.compression !== Compression.Jpeg ? reverseBits(bytes) : bytes;
    const pending = decompress(context, coded, rows, parallel);
    const raw = pending instanceof Promise ? await pending : pending;
    return toSamples(context, raw, rows, raw.buffer !== bytes.buffer);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const name = compressionName(layout.compression);
    const message = `${url}: block ${block} (${name}) cannot be decoded: ${error.message}`;
    if (error.unsupported) {
      throw new GeoError(
        "UNSUPPORTED",
        message,
        { feature: error.message, path: url },
        { cause: error, hint: "Convert it first: gdal_translate -co COMPRESS=DEFLATE IN.tif OUT.tif" },
      );
    }
    throw new GeoError(
      "INVALID_FORMAT",
      message,
      { format: "geotiff", path: url },
      { cause: error, hint: "The file is damaged there; copy or download it again." },
    );
  }
}

/** Refuse blocks whose claimed size cannot come from their bytes, before anything of that size is allocated. */
function checkSize({ layout, url }: DecodeContext, found: number, rows: number, block: number): void {
  const needed = Math.max(storedBytes(layout, rows), memoryBytesOf(layout, rows));
  const ratio = (MAX_RATIO[layout.compression] ?? 1) * Math.max(1, needed / storedBytes(layout, rows));
  const allowed = Math.min(MAX_BLOCK_BYTES, Math.max(FREE_BYTES, found * ratio + 4096));
  if (needed <= allowed) return;
  throw new GeoError(
    "LIMIT",
    `${url}: block ${block} claims ${needed} bytes of pixels from ${found} bytes of ${compressionName(layout.compression)} data`,
    { what: "block of a GeoTIFF", needed, allowed, path: url },
    {
      hint: "The file is damaged, or its strips are too large; rewrite it with gdal_translate -co TILED=YES.",
    },
  );
}

function decompress(
  context: DecodeContext,
  bytes: Uint8Array,
  rows: number,
  parallel: boolean,
): Uint8Array | Promise<Uint8Array> {
  const { layout } = context;
  const expected = storedBytes(layout, rows);
  switch (layout.compression) {
    case Compression.Lzw:
      return decodeLzw(bytes, expected);
    case Compression.PackBits:
      return decodePackBits(bytes, expected);
    case Compression.AdobeDeflate:
    case Compression.Deflate:
      return decodeDeflate(bytes, expected, parallel);
    case Compression.Zstd:
      return decodeZstd(bytes, storedBytes(layout, layout.blockHeight), parallel).then((out) =>
        exactly(out, expected, "ZSTD"),
      );
    case Compression.Jpeg:
      return decodeJpeg(bytes, context.jpegTables, {
        width: layout.blockWidth,
        height: rows,
        fullHeight: layout.blockHeight,
        bands: layout.blockBands,
        toRgb: layout.photometric === Photometric.YCbCr && layout.planes === 1,
      });
    case Compression.Lerc:
      return decodeLerc(
        bytes,
        {
          width: layout.blockWidth,
          height: rows,
          bands: layout.blockBands,
          type: layout.type as LercShape["type"],
          alpha: layout.planes === 1 && ALPHA.has(layout.extraSamples.at(-1) ?? 0),
        },
        context.lercWrapping === 1 ? "deflate" : context.lercWrapping === 2 ? "zstd" : "none",
      );
    default:
      return exactly(bytes, expected, "uncompressed");
  }
}

/** Values of tag 338 that mean transparency. */
const ALPHA: ReadonlySet<number> = new Set([1, 2]);

function exactly(out: Uint8Array, expected: number, what: string): Uint8Array {
  if (out.length < expected) throw tooShort(what, out.length, expected);
  return out.length === expected ? out : out.subarray(0, expected);
}

/** Undo the predictor, swap bytes, unpack bits, widen. `owned` says that `raw` may be written to. */
function toSamples(context: DecodeContext, raw: Uint8Array, rows: number, owned: boolean): SampleArray {
  const { layout, littleEndian } = context;
  const { bits, type, blockWidth, blockBands, predictor, compression } = layout;
  const rowSamples = blockWidth * blockBands;
  if (layout.photometric === Photometric.YCbCr && compression !== Compression.Jpeg)
    return convertYCbCr(raw, blockWidth, rows, layout.subsampling, context.ycbcr);

  // LERC too: libtiff swaps the bytes before it encodes, and has always read it so.
  let foreign = littleEndian !== HOST_LITTLE_ENDIAN;
  let bytes = raw;
  if (predictor === 3) {
    bytes = undoFloating(owned ? raw : new Uint8Array(raw), bits / 8, rowSamples, blockBands);
    foreign = !HOST_LITTLE_ENDIAN;
    if (bits === 24) return widen24(bytes, true);
  } else if (bits === 24 && type === "float32") return widen24(bytes, littleEndian);

  const size = bits / 8;
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8 && size !== 16)
    return unpacked(bytes, layout, rows);
  const part = type.startsWith("complex") ? size / 2 : size;
  const horizontal = predictor === 2;
  const swap = foreign && part > 1;
  if (bytes.byteOffset % part !== 0 || ((swap || horizontal) && !owned && bytes === raw))
    bytes = new Uint8Array(bytes);
  if (swap) swapBytes(bytes, horizontal ? size : part);
  if (horizontal) {
    const view = size === 1 ? bytes : size === 2 ? viewAs(Uint16Array, bytes) : viewAs(Uint32Array, bytes);
    undoHorizontal(view, bits as 8 | 16 | 32 | 64, rowSamples, blockBands);
  }
  if (type === "float16") {
    const out = new Float32Array(rows * rowSamples);
    widenHalf(viewAs(Uint16Array, bytes), new Uint32Array(out.buffer));
    return out;
  }
  return viewAs(ARRAYS[type], bytes);
}

function widen24(bytes: Uint8Array, littleEndian: boolean): Float32Array {
  const out = new Float32Array(Math.floor(bytes.length / 3));
  widenTriple(bytes, littleEndian, new Uint32Array(out.buffer));
  return out;
}

/** Samples of odd widths, 1 to 31 bits: a stream of bits, the highest first in files of either byte order. */
function unpacked(bytes: Uint8Array, layout: ImageLayout, rows: number): SampleArray {
  const { bits, type, blockWidth, blockBands } = layout;
  const rowSamples = blockWidth * blockBands;
  const out = new ARRAYS[type](new ArrayBuffer(rows * rowSamples * SAMPLE_BYTES[type])) as Uint32Array;
  unpackBits(bytes, bits, rowSamples, rows, type.startsWith("int"), out);
  return out;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % size));
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

interface ArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): T;
}

const ARRAYS: Readonly<Record<SampleType, ArrayConstructor<SampleArray>>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  complexint16: Int16Array,
  complexint32: Int32Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** The same bytes as elements of another type; `bytes` must be aligned for it. */
export function viewAs<T>(type: ArrayConstructor<T>, bytes: Uint8Array): T {
  return new type(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / type.BYTES_PER_ELEMENT));
}
