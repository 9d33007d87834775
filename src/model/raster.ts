import type { Grid, Window } from "./grid.ts";

/**
 * How samples are stored. `complex*` samples are pairs (real, imaginary), so their arrays are twice as
 * long as the block has pixels.
 */
export type SampleType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "uint64"
  | "int64"
  | "float16"
  | "float32"
  | "float64"
  | "complexint16"
  | "complexint32"
  | "complex64"
  | "complex128";

/** The array that holds samples of each type in memory. `float16` widens to `Float32Array`, which is exact. */
export interface SampleArrays {
  uint8: Uint8Array;
  int8: Int8Array;
  uint16: Uint16Array;
  int16: Int16Array;
  uint32: Uint32Array;
  int32: Int32Array;
  uint64: BigUint64Array;
  int64: BigInt64Array;
  float16: Float32Array;
  float32: Float32Array;
  float64: Float64Array;
  complexint16: Int16Array;
  complexint32: Int32Array;
  complex64: Float32Array;
  complex128: Float64Array;
}

export type SampleArray = SampleArrays[SampleType];

/**
 * The four sample types that kernels work on; V8 keeps up to four array shapes per access fast.
 * 8- and 16-bit samples widen to `Int32Array`, 32-bit unsigned and 64-bit to `Float64Array`.
 */
export type WorkingArray = Uint8Array | Int32Array | Float32Array | Float64Array;

/** Bytes of one sample as stored. */
export const SAMPLE_BYTES: Readonly<Record<SampleType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  complexint16: 4,
  complexint32: 8,
  complex64: 8,
  complex128: 16,
};

/** Array of `length` pixels of one type, zero-filled. */
export function sampleArray<T extends SampleType>(type: T, length: number): SampleArrays[T] {
  return new CONSTRUCTORS[type](isComplex(type) ? 2 * length : length) as SampleArrays[T];
}

const CONSTRUCTORS: Readonly<Record<SampleType, new (length: number) => SampleArray>> = {
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

/** True for types whose samples are pairs. */
export function isComplex(type: SampleType): boolean {
  return type.startsWith("complex");
}

/** True for types that hold fractions, so that NaN may mean "no observation". */
export function isFloat(type: SampleType): boolean {
  return type.startsWith("float") || type === "complex64" || type === "complex128";
}

/** Smallest and largest number of an integer type; `null` for the others. */
export function integerRange(type: SampleType): readonly [bigint, bigint] | null {
  const match = /^(u?)int(\d+)$/.exec(type);
  if (match === null) return null;
  const bits = BigInt(match[2]!);
  return match[1] === "u" ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

/** A sample value: `bigint` only for the 64-bit integer types. */
export type SampleValue = number | bigint;

/** One colour of a colour table, 0-255 each. */
export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

/** What one band holds. */
export interface Band {
  readonly type: SampleType;
  /** Sample that means "no observation", or `null`. May be NaN. */
  readonly nodata: SampleValue | null;
  /** Physical value = sample * scale + offset. Default 1 and 0. Never applied by readers. */
  readonly scale: number;
  readonly offset: number;
  readonly unit: string;
  readonly description: string;
  /** Colour of each class value; index is the sample. */
  readonly colorTable: readonly Rgba[] | null;
  /** GDAL's words: `"gray"`, `"palette"`, `"red"`, `"green"`, `"blue"`, `"alpha"`, `"undefined"`. */
  readonly colorInterpretation: string;
  /** Free key-values of the band (GDAL metadata, default domain), statistics among them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A band with the usual defaults. */
export function makeBand(band: Partial<Band> & { readonly type: SampleType }): Band {
  return {
    nodata: null,
    scale: 1,
    offset: 0,
    unit: "",
    description: "",
    colorTable: null,
    colorInterpretation: "undefined",
    metadata: {},
    ...band,
  };
}

/** Pixels of one window in memory, in the type they are stored in. */
export interface RasterBlock {
  /** Where the block lies in the raster it was read from. */
  readonly window: Window;
  /**
   * One array per requested band, row-major from the top-left pixel, length `width * height`
   * (twice that for complex types).
   */
  readonly bands: readonly SampleArray[];
  /**
   * Validity kept apart from nodata: 255 valid, 0 not, length `width * height`; shared by the bands
   * (internal mask or alpha band). `null` when the raster has none. A pixel counts as observed when its
   * mask is not 0 **and** its sample is not nodata **and** is not NaN.
   */
  readonly mask: Uint8Array | null;
}

export interface ReadOptions {
  /** Bands to read, 0-based; default all. */
  readonly bands?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A raster that can be read window by window: a file, or an operator's lazy view of one. Operators take
 * sources and return sources; nothing is computed until somebody reads.
 */
export interface RasterSource {
  /** Path or address, for messages. */
  readonly url: string;
  readonly grid: Grid;
  readonly bands: readonly Band[];
  /** How the source stores its pixels: reading in these steps reads each tile once. */
  readonly tile: { readonly width: number; readonly height: number };
  /** True when blocks carry a mask. */
  readonly hasMask: boolean;
  /** Free key-values of the whole raster (GDAL metadata, default domain). */
  readonly metadata: Readonly<Record<string, string>>;
  /** For a view that shows parts of another source as they are; writers may copy what is stored there. */
  readonly origin?: Origin | undefined;
  /** `window` must lie inside the grid and must not be empty. */
  read(window: Window, options?: ReadOptions): Promise<RasterBlock>;
  close(): Promise<void>;
}

/** Where the pixels of a view come from. */
export interface Origin {
  readonly source: RasterSource;
  /** Pixel of `source` that is pixel (0, 0) of the view. Bands are the same, in the same order. */
  readonly col: number;
  readonly row: number;
  /** Whether every sample and every mask value of a window of the view is that of `source`. */
  unchanged(window: Window): boolean;
}

/** Whether a sample is the nodata value: NaN equals NaN, `3n` equals `3`. */
export function isNodata(sample: SampleValue, nodata: SampleValue | null): boolean {
  if (nodata === null) return false;
  // biome-ignore lint/suspicious/noDoubleEquals: 3n == 3 is what is meant
  return sample == nodata || (Number.isNaN(sample) && Number.isNaN(nodata));
}
