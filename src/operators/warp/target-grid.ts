import { transformer } from "../../crs/transformer.ts";
import { type Crs, describeCrs, sameCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import { type Bounds, type Grid, gridBounds, pixelToWorld } from "../../model/grid.ts";
import { mappingToSource, turnOf } from "./mapping.ts";

/** What the result's grid is made from. */
export interface TargetGridOptions {
  /** Default: that of the source. */
  readonly crs: Crs | null;
  /** Cell size in units of `crs`. */
  readonly res?: number | readonly [x: number, y: number] | undefined;
  readonly extent?: Bounds | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly snap?: "source" | "tap" | undefined;
}

/** Most pixels on a side: what a GeoTIFF can hold. */
const MOST = 2 ** 31 - 1;

/**
 * The grid of a warped raster. Without options the one that gdalwarp suggests: the bounds of the source's edges in the new
 * CRS, square pixels such that the diagonal of the result has as many as that of the source, from the upper left corner
 * on. The bounds of a source across the antimeridian go on beyond 180 degrees instead of around the globe; a source with
 * a pole inside goes all around and up to the pole.
 *
 * @throws GeoError `NO_OVERLAP` when the source has no place in `crs`; `INVALID_INPUT`; `LIMIT`
 */
export function targetGrid(source: Grid, url: string, options: TargetGridOptions): Grid {
  const { crs, snap } = options;
  const same = crs === null || source.crs === null || sameCrs(crs, source.crs);
  const [a, b, , d, e] = source.transform;
  const northUp = b === 0 && d === 0 && a > 0 && e < 0;
  const asIs = options.res ?? options.extent ?? options.width ?? options.height ?? snap;
  if (same && northUp && asIs === undefined) return { ...source, crs };
  const target = { width: 1, height: 1, transform: [1, 0, 0, 0, -1, 0], crs } as const;
  const turn = turnOf(target);
  const extent = checkedExtent(options.extent, turn);
  const [width, height] = [wholeSide(options.width, "width"), wholeSide(options.height, "height")];
  const res = checkedRes(options.res);
  if (res !== null && (width !== null || height !== null)) {
    throw new GeoError("INVALID_INPUT", "res and a size cannot both be given", {
      path: "res",
      expected: "either res, or width and height",
    });
  }
  // The suggestion is needed for what is not said.
  const given = extent !== null && (res !== null || (width !== null && height !== null)) && snap !== "source";
  const suggested = given
    ? null
    : same && northUp
      ? { bounds: gridBounds(source), width: source.width, height: source.height, sizes: [a, -e] as const }
      : suggest(source, url, crs, turn);
  const bounds = extent ?? suggested!.bounds;
  const spanX = bounds[2] - bounds[0];
  const spanY = bounds[3] - bounds[1];
  if (width !== null || height !== null) {
    if (width !== null && height !== null)
      return gridOf(bounds[0], bounds[3], spanX / width, spanY / height, width, height, crs);
    // Square pixels from the upper left corner on.
    const size = width !== null ? spanX / width : spanY / height!;
    const w = width ?? sides(Math.floor(spanX / size + 0.5), url);
    const h = height ?? sides(Math.floor(spanY / size + 0.5), url);
    return gridOf(bounds[0], bounds[3], size, size, w, h, crs);
  }
  if (res === null && snap === undefined && extent === null) {
    const [sizeX, sizeY] = suggested!.sizes;
    return gridOf(bounds[0], bounds[3], sizeX, sizeY, suggested!.width, suggested!.height, crs);
  }
  const [sizeX, sizeY] = res ?? suggested!.sizes;
  if (snap !== undefined) {
    // Cell edges at multiples of the size, counted from 0 or from the corner where the source starts.
    const [originX, originY] = snap === "tap" ? [0, 0] : [suggested!.bounds[0], suggested!.bounds[3]];
    const left = Math.floor((bounds[0] - originX) / sizeX + HAIR);
    const right = Math.ceil((bounds[2] - originX) / sizeX - HAIR);
    const bottom = Math.floor((bounds[1] - originY) / sizeY + HAIR);
    const top = Math.ceil((bounds[3] - originY) / sizeY - HAIR);
    const w = sides(Math.max(1, right - left), url);
    const h = sides(Math.max(1, top - bottom), url);
    return gridOf(originX + left * sizeX, originY + top * sizeY, sizeX, sizeY, w, h, crs);
  }
  const w = sides(Math.floor((spanX + sizeX / 2) / sizeX), url);
  const h = sides(Math.floor((spanY + sizeY / 2) / sizeY), url);
  if (res !== null) return gridOf(bounds[0], bounds[3], sizeX, sizeY, w, h, crs);
  // The size is only a suggestion: the extent is met exactly.
  return gridOf(bounds[0], bounds[3], spanX / w, spanY / h, w, h, crs);
}

/** Part of a cell within which a bound that should lie on a cell edge is taken to lie on it. */
const HAIR = 1e-6;

function gridOf(
  minX: number,
  maxY: number,
  sizeX: number,
  sizeY: number,
  width: number,
  height: number,
  crs: Crs | null,
): Grid {
  return { width, height, transform: [sizeX, 0, minX, 0, -sizeY, maxY], crs };
}

function sides(count: number, url: string): number {
  if (count <= MOST) return Math.max(1, Math.round(count));
  throw new GeoError(
    "LIMIT",
    `${url} would be ${count} pixels on a side`,
    { what: "pixels on a side", needed: count, allowed: MOST },
    { hint: "Cell sizes and extents are in units of the new CRS: degrees may have been taken for metres." },
  );
}

function wholeSide(count: number | undefined, path: string): number | null {
  if (count === undefined) return null;
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return count;
  throw new GeoError("INVALID_INPUT", `${path} is ${count}, expected a whole number of pixels`, {
    path,
    expected: `a whole number from 1 to ${MOST}`,
  });
}

function checkedRes(res: TargetGridOptions["res"]): readonly [number, number] | null {
  if (res === undefined) return null;
  const [x, y] = typeof res === "number" ? [res, res] : res;
  if (x > 0 && y > 0 && Number.isFinite(x + y)) return [x, y];
  throw new GeoError("INVALID_INPUT", `res is ${x}, ${y}, expected sizes above 0`, {
    path: "res",
    expected: "a size above 0, or two",
  });
}

function checkedExtent(extent: Bounds | undefined, turn: number): Bounds | null {
  if (extent === undefined) return null;
  const [minX, minY, givenMaxX, maxY] = extent;
  // West of a longitude east of it: across the antimeridian.
  const maxX = turn > 0 && givenMaxX < minX ? givenMaxX + turn : givenMaxX;
  if (maxX > minX && maxY > minY && Number.isFinite(minX + minY + maxX + maxY))
    return [minX, minY, maxX, maxY];
  throw new GeoError("INVALID_INPUT", `the extent [${extent.join(", ")}] holds nothing`, {
    path: "extent",
    expected: "minX, minY, maxX, maxY with minX < maxX and minY < maxY",
  });
}

interface Suggestion {
  readonly bounds: Bounds;
  readonly width: number;
  readonly height: number;
  readonly sizes: readonly [x: number, y: number];
}

/** GDAL's rule for the number of points along an edge. */
function stepsOf({ width, height }: Grid): number {
  return Math.max(20, Math.min(100, Math.floor(Math.min(width, height) / 50 + 0.5)));
}

function suggest(source: Grid, url: string, crs: Crs | null, turn: number): Suggestion {
  const steps = stepsOf(source);
  const move =
    source.crs === null || crs === null || sameCrs(source.crs, crs) ? null : transformer(source.crs, crs);
  const place = (positions: readonly (readonly [number, number])[]): Float64Array => {
    const xy = new Float64Array(2 * positions.length);
    positions.forEach(([col, row], k) => {
      xy.set(pixelToWorld(source.transform, col * source.width, row * source.height), 2 * k);
    });
    move?.(xy);
    return xy;
  };
  const at = (k: number): number => (k === steps ? 1 : k / steps);
  const ring: [number, number][] = [];
  for (let k = 0; k < steps; k++) ring.push([at(k), 0]);
  for (let k = 0; k < steps; k++) ring.push([1, at(k)]);
  for (let k = steps; k > 0; k--) ring.push([at(k), 1]);
  for (let k = steps; k > 0; k--) ring.push([0, at(k)]);
  let xy = place(ring);
  let lowerRight = 2 * steps;
  let broken = false;
  for (let i = 0; i < xy.length; i++) if (!Number.isFinite(xy[i]!)) broken = true;
  let around = false;
  if (broken) {
    // Parts of the edge have no place: look inside as well.
    const dense: [number, number][] = [];
    for (let r = 0; r <= steps; r++) for (let c = 0; c <= steps; c++) dense.push([at(c), at(r)]);
    xy = place(dense);
    lowerRight = dense.length - 1;
    if (turn > 0) shortWayAround(xy, turn);
  } else if (turn > 0) around = unwrapRing(xy, turn);
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
    minX = Math.min(minX, x);
    maxX = Math.max(maxX, x);
    minY = Math.min(minY, y);
    maxY = Math.max(maxY, y);
  }
  if (!(maxX > minX && maxY > minY)) throw noPlace(source, url, crs);
  if (turn > 0) {
    const poles = polesInside(source, crs, turn);
    if (poles.length > 0 || around || maxX - minX > turn) [minX, maxX] = [-turn / 2, turn / 2];
    for (const pole of poles) {
      minY = Math.min(minY, pole);
      maxY = Math.max(maxY, pole);
    }
  }
  let acrossX = xy[2 * lowerRight]! - xy[0]!;
  let acrossY = xy[2 * lowerRight + 1]! - xy[1]!;
  // Corners on the seam of the map, or without a place, say nothing about the size of pixels.
  const seam = turn === 0 && goesAround(source);
  if (seam || !(Math.abs(acrossX) > 0 && Math.abs(acrossY) > 0))
    [acrossX, acrossY] = [maxX - minX, maxY - minY];
  const size = Math.hypot(acrossX, acrossY) / Math.hypot(source.width, source.height);
  const width = sides(Math.floor((maxX - minX) / size + 0.5), url);
  const height = sides(Math.floor((maxY - minY) / size + 0.5), url);
  let [sizeX, sizeY] = [size, size];
  if (source.crs !== null && crs !== null && move !== null) {
    const back = transformer(crs, source.crs);
    sizeX = shrunk(size, width, (trial) => {
      const x = minX + width * trial;
      return borderLost(x, maxY, x, maxY - height * size, size, turn, move, back);
    });
    sizeY = shrunk(size, height, (trial) => {
      const y = maxY - height * trial;
      return borderLost(minX, y, minX + width * size, y, size, turn, move, back);
    });
  }
  if (turn > 0) {
    // No pixel beyond the antimeridian or a pole for the sake of square ones.
    const endX = minX + width * sizeX;
    if ((maxX <= turn / 2 && endX > turn / 2) || maxX === turn / 2) sizeX = (turn / 2 - minX) / width;
    const endY = maxY - height * sizeY;
    if ((minY >= -turn / 4 && endY < -turn / 4) || minY === -turn / 4) sizeY = (maxY + turn / 4) / height;
  }
  const bounds: Bounds = [minX, maxY - height * sizeY, minX + width * sizeX, maxY];
  return { bounds, width, height, sizes: [sizeX, sizeY] };
}

/** Whether a source in longitudes reaches all around the globe. */
function goesAround(source: Grid): boolean {
  const turn = turnOf(source);
  const [minX, , maxX] = gridBounds(source);
  return turn > 0 && maxX - minX > 0.99 * turn;
}

/** GDAL's ladder: a hair, then parts, then all of a pixel less for the whole side, if that brings the border back. */
function shrunk(size: number, count: number, lost: (trial: number) => boolean): number {
  for (const part of [0, 0.001, 0.01, 0.1, 1]) {
    const trial = size - (size * part) / count;
    if (!lost(trial)) return trial;
  }
  return size;
}

/** Whether no point of a border comes back from the source where it went: the border lies beyond the edge of the map. */
function borderLost(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  size: number,
  turn: number,
  move: (xy: Float64Array) => void,
  back: (xy: Float64Array) => void,
): boolean {
  const steps = 20;
  const xy = new Float64Array(2 * (steps + 1));
  for (let k = 0; k <= steps; k++) {
    xy[2 * k] = x0 + ((x1 - x0) * k) / steps;
    xy[2 * k + 1] = y0 + ((y1 - y0) * k) / steps;
  }
  const before = xy.slice();
  back(xy);
  move(xy);
  for (let k = 0; k <= steps; k++) {
    let dx = xy[2 * k]! - before[2 * k]!;
    if (turn > 0) dx -= turn * Math.round(dx / turn);
    if (Math.abs(dx) <= size && Math.abs(xy[2 * k + 1]! - before[2 * k + 1]!) <= size) return false;
  }
  return true;
}

/** Make the longitudes of a ring continuous. True when it does not end where it began: it goes around a pole. */
function unwrapRing(xy: Float64Array, turn: number): boolean {
  let offset = 0;
  let previous = xy[0]!;
  const first = previous;
  for (let i = 2; i < xy.length; i += 2) {
    const x = xy[i]!;
    if (x - previous > turn / 2) offset -= turn;
    else if (previous - x > turn / 2) offset += turn;
    previous = x;
    xy[i] = x + offset;
  }
  if (first - previous > turn / 2) offset -= turn;
  else if (previous - first > turn / 2) offset += turn;
  return offset !== 0;
}

/** Count longitudes from 0 instead of from the antimeridian where that makes the bounds much narrower. */
function shortWayAround(xy: Float64Array, turn: number): void {
  let [min, max, shiftedMin, shiftedMax] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    if (!Number.isFinite(x)) continue;
    const shifted = x < 0 ? x + turn : x;
    min = Math.min(min, x);
    max = Math.max(max, x);
    shiftedMin = Math.min(shiftedMin, shifted);
    shiftedMax = Math.max(shiftedMax, shifted);
  }
  if (!(shiftedMax - shiftedMin < 0.8 * (max - min))) return;
  for (let i = 0; i < xy.length; i += 2) if (xy[i]! < 0) xy[i] = xy[i]! + turn;
}

/** Latitudes of the poles that lie inside a source. */
function polesInside(source: Grid, crs: Crs | null, turn: number): number[] {
  if (turnOf(source) > 0 || crs === null) return [];
  const { map } = mappingToSource({ width: 1, height: 1, transform: [1, 0, 0, 0, 1, 0], crs }, source);
  return [turn / 4, -turn / 4].filter((pole) => {
    // On some maps a pole is a line; only a point inside the raster, the same from all sides, is meant.
    const xy = Float64Array.of(0, pole, turn / 4, pole, -turn / 4, pole);
    map(xy);
    const [x, y] = [xy[0]!, xy[1]!];
    if (!(x > 0 && y > 0 && x < source.width && y < source.height)) return false;
    return Math.hypot(xy[2]! - x, xy[3]! - y) < 1 && Math.hypot(xy[4]! - x, xy[5]! - y) < 1;
  });
}

function noPlace(source: Grid, url: string, crs: Crs | null): GeoError<"NO_OVERLAP"> {
  return new GeoError(
    "NO_OVERLAP",
    `no part of ${url} [${gridBounds(source).join(", ")}] can be shown in ${describeCrs(crs)}`,
    { left: describeCrs(source.crs), right: describeCrs(crs) },
    { hint: "Check that the raster is in the CRS it says it is in." },
  );
}
