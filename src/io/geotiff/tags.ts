/** Tags that the reader and the writer name (TIFF 6.0, its technical notes, GeoTIFF 1.1, GDAL). */
export const Tag = {
  NewSubfileType: 254,
  OldSubfileType: 255,
  ImageWidth: 256,
  ImageLength: 257,
  BitsPerSample: 258,
  Compression: 259,
  Photometric: 262,
  FillOrder: 266,
  DocumentName: 269,
  ImageDescription: 270,
  StripOffsets: 273,
  SamplesPerPixel: 277,
  RowsPerStrip: 278,
  StripByteCounts: 279,
  MinSampleValue: 280,
  MaxSampleValue: 281,
  XResolution: 282,
  YResolution: 283,
  PlanarConfiguration: 284,
  ResolutionUnit: 296,
  Software: 305,
  DateTime: 306,
  Artist: 315,
  HostComputer: 316,
  Predictor: 317,
  ColorMap: 320,
  TileWidth: 322,
  TileLength: 323,
  TileOffsets: 324,
  TileByteCounts: 325,
  SubIfds: 330,
  InkSet: 332,
  ExtraSamples: 338,
  SampleFormat: 339,
  JpegTables: 347,
  YCbCrCoefficients: 529,
  YCbCrSubSampling: 530,
  YCbCrPositioning: 531,
  ReferenceBlackWhite: 532,
  Copyright: 33432,
  ModelPixelScale: 33550,
  ModelTiepoint: 33922,
  ModelTransformation: 34264,
  GeoKeyDirectory: 34735,
  GeoDoubleParams: 34736,
  GeoAsciiParams: 34737,
  GdalMetadata: 42112,
  GdalNodata: 42113,
  LercParameters: 50674,
} as const;

/** Codes of tag 259. */
export const Compression = {
  None: 1,
  Lzw: 5,
  OldJpeg: 6,
  Jpeg: 7,
  AdobeDeflate: 8,
  PackBits: 32773,
  Deflate: 32946,
  Lerc: 34887,
  Zstd: 50000,
} as const;

/** What GDAL calls each compression, also those that are only named in a refusal. */
const COMPRESSION_NAMES: Readonly<Record<number, string>> = {
  1: "NONE",
  2: "CCITTRLE",
  3: "CCITTFAX3",
  4: "CCITTFAX4",
  5: "LZW",
  6: "OJPEG",
  7: "JPEG",
  8: "DEFLATE",
  9: "T.85 JBIG",
  10: "T.43 JBIG",
  32766: "NEXT",
  32771: "CCITTRLEW",
  32773: "PACKBITS",
  32809: "THUNDERSCAN",
  32908: "PIXARFILM",
  32909: "PIXARLOG",
  32946: "DEFLATE",
  32947: "DCS",
  34661: "JBIG",
  34676: "SGILOG",
  34677: "SGILOG24",
  34712: "JPEG2000",
  34887: "LERC",
  34925: "LZMA",
  50000: "ZSTD",
  50001: "WEBP",
  50002: "JXL",
  52546: "JXL",
};

/** Name of a compression code, as GDAL says it; `"code 12345"` when nobody knows it. */
export function compressionName(code: number): string {
  return COMPRESSION_NAMES[code] ?? `code ${code}`;
}

/** Codes of tag 262. */
export const Photometric = {
  MinIsWhite: 0,
  MinIsBlack: 1,
  Rgb: 2,
  Palette: 3,
  Mask: 4,
  Separated: 5,
  YCbCr: 6,
  CieLab: 8,
  IccLab: 9,
  ItuLab: 10,
  LogL: 32844,
  LogLuv: 32845,
} as const;

/** Codes of tag 339. */
export const SampleFormat = {
  Uint: 1,
  Int: 2,
  Float: 3,
  Void: 4,
  ComplexInt: 5,
  ComplexFloat: 6,
} as const;

/** Bits of tag 254. */
export const SUBFILE_REDUCED = 1;
export const SUBFILE_PAGE = 2;
export const SUBFILE_MASK = 4;

/** Text tags that GDAL shows as metadata of the raster, and the keys it gives them. */
export const TEXT_TAGS: readonly (readonly [tag: number, key: string])[] = [
  [Tag.DocumentName, "TIFFTAG_DOCUMENTNAME"],
  [Tag.ImageDescription, "TIFFTAG_IMAGEDESCRIPTION"],
  [Tag.Software, "TIFFTAG_SOFTWARE"],
  [Tag.DateTime, "TIFFTAG_DATETIME"],
  [Tag.Artist, "TIFFTAG_ARTIST"],
  [Tag.HostComputer, "TIFFTAG_HOSTCOMPUTER"],
  [Tag.Copyright, "TIFFTAG_COPYRIGHT"],
];
