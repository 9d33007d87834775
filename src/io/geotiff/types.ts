import type { GeoKeys, GroundControlPoint } from "./georeference.ts";
import type { TagValue } from "./ifd.ts";

/**
 * Where the validity of a pixel comes from: an internal mask, an alpha band, the nodata value, or nowhere. Only an
 * internal mask is in `RasterBlock.mask`; an alpha band is a band.
 */
export type MaskKind = "per_dataset" | "alpha" | "nodata" | "all_valid";

/** What the header of a GeoTIFF says beyond the model of a raster. */
export interface GeoTiffInfo {
  readonly driver: "GTiff";
  /** GDAL's words: `"NONE"`, `"DEFLATE"`, `"LZW"`, `"ZSTD"`, `"PACKBITS"`, `"LERC_DEFLATE"`, `"YCbCr JPEG"`, ... */
  readonly compression: string;
  /** 1 none, 2 horizontal differencing, 3 floating point. */
  readonly predictor: number;
  readonly interleave: "pixel" | "band";
  readonly tiled: boolean;
  /** Width and height of a tile; a strip is as wide as the image. */
  readonly blockSize: readonly [width: number, height: number];
  readonly bitsPerSample: number;
  readonly bigTiff: boolean;
  readonly littleEndian: boolean;
  /** Width and height of each overview, in the order of the file. */
  readonly overviews: readonly (readonly [width: number, height: number])[];
  readonly mask: MaskKind;
  readonly areaOrPoint: "Area" | "Point" | null;
  /** Control points, when the file has these instead of a transform. */
  readonly gcps: readonly GroundControlPoint[];
  /** Code of tag 262: 0 min-is-white, 1 min-is-black, 2 RGB, 3 palette, 6 YCbCr, ... */
  readonly photometric: number;
  /** GDAL's structural metadata before the first directory; `null` when there is none. */
  readonly structure: Readonly<Record<string, string>> | null;
  /** `"COG"` when that metadata says directories come before data, as GDAL reports it. */
  readonly layout: "COG" | null;
  readonly geoKeys: GeoKeys;
  /** Images that are neither overviews nor masks; this one included. */
  readonly imageCount: number;
  /** Values of the tags of this image, but for the tables of block positions. */
  readonly tags: ReadonlyMap<number, TagValue>;
  /** Text tags with GDAL's names, as in `TIFFTAG_DATETIME`. */
  readonly textTags: Readonly<Record<string, string>>;
  /** GDAL metadata of other domains than the default one. */
  readonly domains: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface GeoTiffOptions {
  /**
   * Bytes of decoded blocks kept for windows that meet a block only in part. Default: a row of blocks, at least
   * 64 MiB, at most 256 MiB.
   */
  readonly cacheBytes?: number | undefined;
}
