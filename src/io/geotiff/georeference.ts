import type { Affine } from "../../model/grid.ts";
import { type Ifd, tagNumbers, tagText } from "./ifd.ts";
import { Tag } from "./tags.ts";

/** GeoTIFF keys: SHORT values as numbers, ASCII as text without its trailing bar, DOUBLEs as an array. */
export type GeoKeys = ReadonlyMap<number, number | string | readonly number[]>;

/** A ground control point: a place in the image, pixel corners as whole numbers, and its coordinates. */
export interface GroundControlPoint {
  readonly col: number;
  readonly row: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface Georeference {
  /** Pixel-is-area, also for files that say pixel-is-point; `null` when the file has none. */
  readonly transform: Affine | null;
  readonly areaOrPoint: "Area" | "Point" | null;
  /** Only when there is no transform. */
  readonly gcps: readonly GroundControlPoint[];
  readonly keys: GeoKeys;
  /** Minor revision of the keys: 1 for GeoTIFF 1.1. */
  readonly revision: number;
}

const RASTER_TYPE_KEY = 1025;
const PIXEL_IS_AREA = 1;
const PIXEL_IS_POINT = 2;

/** Keys in one directory, however many it claims: GeoTIFF defines about a hundred. */
const MAX_KEYS = 4096;

/**
 * Where the pixels lie, from the GeoTIFF tags (OGC GeoTIFF 1.1), by the rules of GDAL: a scale with a tie point
 * comes before a matrix; the vertical scale counts downward whatever its sign; tie points without either are
 * control points; pixel-is-point moves everything by half a pixel, so that the transform is about pixel corners.
 */
export function georeference(ifd: Ifd, warnings: string[]): Georeference {
  const keys = readGeoKeys(ifd);
  const rasterType = keys.get(RASTER_TYPE_KEY);
  const areaOrPoint =
    rasterType === PIXEL_IS_POINT ? "Point" : rasterType === PIXEL_IS_AREA || keys.size > 0 ? "Area" : null;
  const point = areaOrPoint === "Point";
  const tiepoints = tagNumbers(ifd, Tag.ModelTiepoint) ?? [];
  const scale = tagNumbers(ifd, Tag.ModelPixelScale) ?? [];
  const matrix = tagNumbers(ifd, Tag.ModelTransformation) ?? [];

  let transform: Affine | null = null;
  const [sx = 0, sy = 0] = scale;
  if (sx !== 0 && sy !== 0) {
    if (sy < 0) warnings.push("the vertical pixel scale is negative; it was read as positive, as GDAL does");
    if (tiepoints.length >= 6) {
      const [i, j, , x, y] = tiepoints as readonly [number, number, number, number, number];
      transform = [sx, 0, x - i * sx, 0, -Math.abs(sy), y + j * Math.abs(sy)];
    }
  } else if (matrix.length === 16) {
    transform = [matrix[0]!, matrix[1]!, matrix[3]!, matrix[4]!, matrix[5]!, matrix[7]!];
  }
  if (transform !== null && !transform.every(Number.isFinite)) {
    warnings.push("the georeference holds numbers that are not finite and was left out");
    transform = null;
  }
  if (transform !== null && point) {
    const [a, b, c, d, e, f] = transform;
    transform = [a, b, c - 0.5 * (a + b), d, e, f - 0.5 * (d + e)];
  }
  const gcps: GroundControlPoint[] = [];
  if (transform === null) {
    const shift = point ? 0.5 : 0;
    for (let k = 0; k + 6 <= tiepoints.length; k += 6) {
      const [i, j, , x, y, z] = tiepoints.slice(k, k + 6) as [number, number, number, number, number, number];
      gcps.push({ col: i + shift, row: j + shift, x, y, z });
    }
  }
  const revision = tagNumbers(ifd, Tag.GeoKeyDirectory)?.[2] ?? 0;
  return { transform, areaOrPoint, gcps, keys, revision };
}

function readGeoKeys(ifd: Ifd): GeoKeys {
  const keys = new Map<number, number | string | readonly number[]>();
  const directory = tagNumbers(ifd, Tag.GeoKeyDirectory) ?? [];
  const doubles = tagNumbers(ifd, Tag.GeoDoubleParams) ?? [];
  const ascii = tagText(ifd, Tag.GeoAsciiParams) ?? "";
  const count = Math.min(directory[3] ?? 0, Math.floor((directory.length - 4) / 4), MAX_KEYS);
  for (let k = 1; k <= count; k++) {
    const [id, place, length, value] = directory.slice(4 * k, 4 * k + 4) as [number, number, number, number];
    if (keys.has(id)) continue;
    if (place === 0) keys.set(id, value);
    else if (place === Tag.GeoDoubleParams) {
      const numbers = doubles.slice(value, value + length);
      if (numbers.length > 0) keys.set(id, numbers);
    } else if (place === Tag.GeoAsciiParams)
      keys.set(id, ascii.slice(value, value + length).replace(/[|\0]+$/, ""));
    else if (place === Tag.GeoKeyDirectory) {
      const numbers = directory.slice(value, value + length);
      if (numbers.length > 0) keys.set(id, numbers.length === 1 ? numbers[0]! : numbers);
    }
  }
  return keys;
}
