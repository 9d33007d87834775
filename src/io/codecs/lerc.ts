import { CodecError } from "./codec-error.ts";
import { decodeDeflateUpTo } from "./deflate.ts";
import { decodeZstd } from "./zstd.ts";

/** What a LERC block must hold. */
export interface LercShape {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel in the block. */
  readonly bands: number;
  readonly type: "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32" | "float32" | "float64";
  /** True when the last band is an alpha band, which some writers turn into LERC's own mask. */
  readonly alpha: boolean;
}

const PIXEL_TYPES = {
  int8: "S8",
  uint8: "U8",
  int16: "S16",
  uint16: "U16",
  int32: "S32",
  uint32: "U32",
  float32: "F32",
  float64: "F64",
} as const;

const SAMPLE_BYTES = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  float64: 8,
} as const;

/**
 * One LERC blob (Esri's Limited Error Raster Compression), bands interleaved by pixel, in the byte order of this
 * machine. Uses the `lerc` package (WebAssembly), loaded on first use. Masked pixels come out as NaN where the type
 * has it, as alpha 0 where the block has an alpha band, else as 0.
 *
 * @param wrapped How the blob is compressed once more: tag 50674, second value.
 * @throws CodecError
 */
export async function decodeLerc(
  bytes: Uint8Array,
  shape: LercShape,
  wrapped: "none" | "deflate" | "zstd",
): Promise<Uint8Array> {
  const { width, height, bands, type } = shape;
  const pixels = width * height;
  // A blob is never much longer than the pixels: it falls back to storing them, plus a mask and a header.
  const most = pixels * bands * SAMPLE_BYTES[type] + Math.ceil(pixels / 8) + 65_536;
  let blob = bytes;
  if (wrapped === "deflate") blob = decodeDeflateUpTo(bytes, most);
  else if (wrapped === "zstd") blob = await decodeZstd(bytes, most, false);
  const lerc = await import("lerc");
  await lerc.load();
  try {
    const info = lerc.getBlobInfo(blob);
    const depth = info.depthCount * info.bandCount;
    const masked = shape.alpha && bands > 1 && depth === bands - 1;
    if (info.width !== width || info.height !== height || (depth !== bands && !masked)) {
      throw new CodecError(
        `LERC block is ${info.width} x ${info.height} x ${depth}, expected ${width} x ${height} x ${bands}`,
      );
    }
    const decoded = lerc.decode(blob, { returnInterleaved: true });
    if (decoded.pixelType !== PIXEL_TYPES[type])
      throw new CodecError(`LERC block holds ${decoded.pixelType}, expected ${PIXEL_TYPES[type]}`);
    return arrange(decoded, shape, depth);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(`LERC data is damaged (${(error as Error).message ?? String(error)})`, {
      cause: error,
    });
  }
}

interface Decoded {
  readonly pixels: readonly { readonly buffer: ArrayBufferLike; readonly length: number }[];
  readonly mask: Uint8Array | null;
  readonly bandMasks: readonly Uint8Array[] | null;
}

/** The library's arrays (one per LERC band, each interleaved by depth) as one, with the mask worked in. */
function arrange(decoded: Decoded, shape: LercShape, depth: number): Uint8Array {
  const { width, height, bands, type, alpha } = shape;
  const pixels = width * height;
  const size = SAMPLE_BYTES[type];
  const parts = decoded.pixels as unknown as readonly Uint8Array[];
  const out = new Uint8Array(pixels * bands * size);
  const perPart = depth / parts.length;
  if (parts.length === 1 && depth === bands) {
    const only = parts[0]!;
    out.set(new Uint8Array(only.buffer, only.byteOffset, out.length));
  } else {
    for (let k = 0; k < parts.length; k++) {
      const part = parts[k]!;
      const from = new Uint8Array(part.buffer, part.byteOffset, pixels * perPart * size);
      const run = perPart * size;
      for (let p = 0; p < pixels; p++) {
        const to = (p * bands + k * perPart) * size;
        for (let b = 0; b < run; b++) out[to + b] = from[p * run + b]!;
      }
    }
  }
  const { mask } = decoded;
  if (depth < bands) {
    const full = type === "uint16" ? [255, 255] : [255];
    for (let p = 0; p < pixels; p++) {
      const valid = mask === null || mask[p] !== 0;
      for (let b = 0; b < size; b++) out[((p + 1) * bands - 1) * size + b] = valid ? (full[b] ?? 0) : 0;
    }
  } else if (mask !== null && !alpha) {
    if (type === "float32") blank(new Float32Array(out.buffer), mask, decoded.bandMasks, bands);
    else if (type === "float64") blank(new Float64Array(out.buffer), mask, decoded.bandMasks, bands);
  }
  return out;
}

function blank(
  samples: Float32Array | Float64Array,
  mask: Uint8Array,
  bandMasks: readonly Uint8Array[] | null,
  bands: number,
): void {
  for (let p = 0; p < mask.length; p++) {
    for (let k = 0; k < bands; k++) {
      if ((bandMasks?.[k] ?? mask)[p] === 0) samples[p * bands + k] = Number.NaN;
    }
  }
}
