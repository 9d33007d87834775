import { crsToGeoKeys } from "../../crs/geokeys.ts";
import type { Crs } from "../../model/crs.ts";

/** The three GeoTIFF tags that hold a coordinate reference system. */
export interface GeoKeyTags {
  /** 34735: header and four SHORTs per key. */
  readonly directory: Uint16Array;
  /** 34736; empty when no key needs it. */
  readonly doubles: Float64Array;
  /** 34737 without its closing NUL; empty when no key needs it. */
  readonly ascii: string;
}

const RASTER_TYPE = 1025;
const PIXEL_IS_AREA = 1;
const DOUBLE_PARAMS = 34736;
const ASCII_PARAMS = 34737;

/** First and last of the vertical keys. */
const VERTICAL = [4096, 4099] as const;

/**
 * GeoKeys (GeoTIFF, section 2.4) of a system, always with pixel-is-area. The version is 1.0, which every reader takes;
 * 1.1 for systems with heights, which readers leave out of older files.
 */
export function packGeoKeys(crs: Crs): GeoKeyTags {
  const keys = new Map(crsToGeoKeys(crs));
  keys.set(RASTER_TYPE, PIXEL_IS_AREA);
  const heights = [...keys.keys()].some((id) => id >= VERTICAL[0] && id <= VERTICAL[1]);
  const directory = [1, 1, heights ? 1 : 0, keys.size];
  const doubles: number[] = [];
  let ascii = "";
  for (const [id, value] of [...keys].sort(([left], [right]) => left - right)) {
    if (typeof value === "number") directory.push(id, 0, 1, value);
    else if (typeof value === "string") {
      // Counts and positions are bytes: text beyond ASCII is written as UTF-8.
      const text = `${value}|`;
      directory.push(id, ASCII_PARAMS, Buffer.byteLength(text), Buffer.byteLength(ascii));
      ascii += text;
    } else {
      directory.push(id, DOUBLE_PARAMS, value.length, doubles.length);
      doubles.push(...value);
    }
  }
  return { directory: Uint16Array.from(directory), doubles: Float64Array.from(doubles), ascii };
}
