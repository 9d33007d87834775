import { type Resampling, usesFootprint } from "../../kernels/raster/resample/methods.ts";
import { reach } from "../../kernels/raster/resample/point.ts";
import {
  makePositions,
  PATCH_INTS,
  type Patches,
  type PatchPoints,
  patchBounds,
  patchRow,
} from "../../kernels/raster/warp/patches.ts";
import { GeoError } from "../../model/errors.ts";
import { fullWindow, intersectWindows, type Window } from "../../model/grid.ts";
import { PATCH_SIDE } from "./plan-patches.ts";

/** A part of a window and the part of the source that it needs; `null` when it meets none of it. */
export interface Region {
  readonly window: Window;
  readonly source: Window | null;
}

/** What decides how much of the source a pixel needs. */
export interface Need {
  readonly method: Resampling;
  readonly scale: readonly [x: number, y: number];
  /** Size of the source. */
  readonly width: number;
  readonly height: number;
  /** Most source pixels at once. */
  readonly most: number;
  readonly url: string;
}

/** Source pixels below which it is not worth looking whether two parts need less than the whole. */
const SMALL = 2 ** 20;

/**
 * Cut a window into parts whose source pixels fit in memory, and where the source lies in pieces far apart (across the
 * antimeridian, around a pole) into parts that need less than their common box.
 *
 * @throws GeoError `LIMIT` when one pixel needs too much.
 */
export function regionsOf(window: Window, patches: Patches, need: Need): Region[] {
  const regions: Region[] = [];
  const visit = (part: Window, source: Window | null): void => {
    const area = source === null ? 0 : source.width * source.height;
    if (source === null || area <= Math.min(SMALL, need.most)) {
      regions.push({ window: part, source });
      return;
    }
    const halves = split(part);
    if (halves === null) {
      if (area > need.most) throw tooMuch(need, area);
      regions.push({ window: part, source });
      return;
    }
    const parts = halves.map((half) => ({ window: half, source: sourceWindow(half, patches, need) }));
    const together = parts.reduce((sum, { source: s }) => sum + (s === null ? 0 : s.width * s.height), 0);
    if (area > need.most || together < 0.7 * area)
      for (const { window: half, source: s } of parts) visit(half, s);
    else regions.push({ window: part, source });
  };
  visit(window, sourceWindow(window, patches, need));
  return regions;
}

/** Two halves along the longer side, between patches where that can be. */
function split({ col, row, width, height }: Window): [Window, Window] | null {
  if (width === 1 && height === 1) return null;
  if (width >= height) {
    const cut = middle(col, width);
    return [
      { col, row, width: cut, height },
      { col: col + cut, row, width: width - cut, height },
    ];
  }
  const cut = middle(row, height);
  return [
    { col, row, width, height: cut },
    { col, row: row + cut, width, height: height - cut },
  ];
}

function middle(start: number, length: number): number {
  const half = Math.max(1, length >> 1);
  const onLattice = Math.round((start + half) / PATCH_SIDE) * PATCH_SIDE - start;
  return onLattice > 0 && onLattice < length ? onLattice : half;
}

/** The source pixels that a part of a window needs, a few more at the most. */
export function sourceWindow(part: Window, patches: Patches, need: Need): Window | null {
  const { layout } = patches;
  const points: PatchPoints = usesFootprint(need.method) ? "corners" : "centers";
  const bounds = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
  const one = new Float64Array(4);
  for (let p = 0; p * PATCH_INTS < layout.length; p++) {
    const k = PATCH_INTS * p;
    const patch = { col: layout[k]!, row: layout[k + 1]!, width: layout[k + 2]!, height: layout[k + 3]! };
    const shared = intersectWindows(part, patch);
    if (shared === null) continue;
    if (shared.width === patch.width && shared.height === patch.height) patchBounds(patches, p, one);
    else partBounds(patches, p, points, patch, shared, one);
    bounds[0] = Math.min(bounds[0]!, one[0]!);
    bounds[1] = Math.min(bounds[1]!, one[1]!);
    bounds[2] = Math.max(bounds[2]!, one[2]!);
    bounds[3] = Math.max(bounds[3]!, one[3]!);
  }
  if (!(bounds[0]! <= bounds[2]!)) return null;
  const [marginX, marginY] = marginsOf(need);
  // Positions may be far outside; a window of them would be no whole numbers.
  const clamp = (value: number, most: number): number => Math.max(-1, Math.min(most + 1, value));
  const col = clamp(Math.floor(bounds[0]! - marginX), need.width);
  const row = clamp(Math.floor(bounds[1]! - marginY), need.height);
  const right = clamp(Math.floor(bounds[2]! + marginX) + 1, need.width);
  const bottom = clamp(Math.floor(bounds[3]! + marginY) + 1, need.height);
  if (right <= col || bottom <= row) return null;
  return intersectWindows({ col, row, width: right - col, height: bottom - row }, fullWindow(need));
}

function marginsOf({ method, scale }: Need): [number, number] {
  if (method === "near") return [1e-6, 1e-6];
  if (usesFootprint(method)) return [1 + 1 / scale[0], 1 + 1 / scale[1]];
  return [reach(method, scale[0]) + 0.5, reach(method, scale[1]) + 0.5];
}

/** Bounds of the positions of a part of a patch. */
function partBounds(
  patches: Patches,
  patch: number,
  points: PatchPoints,
  whole: Window,
  part: Window,
  out: Float64Array,
): void {
  const extra = points === "corners" ? 1 : 0;
  const count = part.width + extra;
  const positions = makePositions(count);
  out[0] = Infinity;
  out[1] = Infinity;
  out[2] = -Infinity;
  out[3] = -Infinity;
  for (let r = 0; r < part.height + extra; r++) {
    patchRow(patches, patch, points, part.col - whole.col, part.row - whole.row + r, count, positions);
    for (let i = 0; i < count; i++) {
      const x = positions.x[i]!;
      const y = positions.y[i]!;
      if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
      if (x < out[0]!) out[0] = x;
      if (x > out[2]!) out[2] = x;
      if (y < out[1]!) out[1] = y;
      if (y > out[3]!) out[3] = y;
    }
  }
}

function tooMuch({ url, most }: Need, needed: number): GeoError<"LIMIT"> {
  return new GeoError(
    "LIMIT",
    `one pixel of the result covers ${needed} pixels of ${url}, more than fit in memory (${most})`,
    { what: "source pixels for one pixel", needed, allowed: most, path: url },
    { hint: "Give more --memory, or warp to a finer resolution first." },
  );
}
