import type { Grid } from "../../model/grid.ts";
import type { GridMapping } from "./mapping.ts";

/** Steps along each side at which the mapping is looked at. */
const STEPS = 20;

/** What a look at the mapping shows. */
export interface MappingSample {
  /** Pixels of the result per pixel of the source, across and down, as GDAL counts them. */
  readonly scale: readonly [x: number, y: number];
  /** Whether a position of the grid's 21 x 21 falls inside the source. */
  readonly meets: boolean;
}

/**
 * How much coarser or finer the result is than the source. GDAL divides the size of the result by the size of the part of
 * the source that it shows, takes a ratio within 0.05 of a whole number for that number, and a source hardly larger
 * than the result for one of the same size; so does this, for the whole result at once, so that no pixel depends on how
 * the work is cut up. Where most of the result lies outside the source, that ratio means nothing: then it is the middle
 * one of the local scales.
 *
 * @param extra  Pixels that the kernel reaches beyond the source window on both sides together.
 */
export function sampleMapping(
  mapping: GridMapping,
  target: Grid,
  source: Grid,
  extra: number,
): MappingSample {
  const side = STEPS + 1;
  const xy = new Float64Array(2 * side * side);
  for (let r = 0, k = 0; r < side; r++) {
    for (let c = 0; c < side; c++) {
      xy[k++] = (c * target.width) / STEPS;
      xy[k++] = (r * target.height) / STEPS;
    }
  }
  mapping.map(xy);
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  let good = 0;
  let inside = 0;
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    if (!Number.isFinite(x + y)) continue;
    good++;
    minX = Math.min(minX, x);
    maxX = Math.max(maxX, x);
    minY = Math.min(minY, y);
    maxY = Math.max(maxY, y);
    // The edges of the two often coincide.
    if (x > -1 && y > -1 && x < source.width + 1 && y < source.height + 1) inside++;
  }
  const meets = inside > 0;
  const fits =
    2 * good > side * side &&
    minX > -0.1 * source.width &&
    minY > -0.1 * source.height &&
    maxX < 1.1 * source.width &&
    maxY < 1.1 * source.height;
  if (fits) {
    return {
      meets,
      scale: [
        gdalScale(target.width, source.width, minX, maxX, extra),
        gdalScale(target.height, source.height, minY, maxY, extra),
      ],
    };
  }
  return { meets, scale: localScale(xy, side, target, source) };
}

function gdalScale(targetSize: number, sourceSize: number, min: number, max: number, extra: number): number {
  const from = Math.max(0, Math.floor(min));
  const raw = Math.max(1e-9, Math.min(sourceSize - from, max - min));
  const to = Math.min(Math.ceil(max), sourceSize);
  const padded = Math.min(sourceSize, to + extra / 2) - Math.max(0, from - extra / 2);
  if (padded >= targetSize && padded <= targetSize + (padded - raw)) return 1;
  return roundScale(targetSize / raw);
}

function roundScale(scale: number): number {
  if (!(scale < 1)) return scale;
  const whole = Math.floor(1 / scale + 0.5);
  return Math.abs(1 / scale - whole) < 0.05 ? 1 / whole : scale;
}

/** The middle one of the local scales at positions inside the source, or of all when none is. */
function localScale(xy: Float64Array, side: number, target: Grid, source: Grid): readonly [number, number] {
  const across: number[][] = [[], []];
  const down: number[][] = [[], []];
  for (let r = 0; r + 1 < side; r++) {
    for (let c = 0; c + 1 < side; c++) {
      const i = 2 * (r * side + c);
      const x = xy[i]!;
      const y = xy[i + 1]!;
      const inside = x >= 0 && y >= 0 && x <= source.width && y <= source.height ? 0 : 1;
      const right = i + 2;
      const below = i + 2 * side;
      // Source columns per column of the result, along whichever way the source lies.
      const dx = Math.hypot(xy[right]! - x, xy[below]! - x);
      const dy = Math.hypot(xy[right + 1]! - y, xy[below + 1]! - y);
      const stepX = target.width / STEPS;
      const stepY = target.height / STEPS;
      if (Number.isFinite(dx) && dx > 0) across[inside]!.push(stepX / dx);
      if (Number.isFinite(dy) && dy > 0) down[inside]!.push(stepY / dy);
    }
  }
  return [middleOf(across), middleOf(down)];
}

function middleOf([inside, outside]: number[][]): number {
  const list = inside!.length > 0 ? inside! : outside!;
  if (list.length === 0) return 1;
  list.sort((a, b) => a - b);
  return roundScale(list[list.length >> 1]!);
}
