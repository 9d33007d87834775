import { transformBounds } from "../../crs/bounds.ts";
import { transformer } from "../../crs/transformer.ts";
import { sameCrs } from "../../model/crs.ts";
import {
  type Bounds,
  gridBounds,
  intersectWindows,
  invertAffine,
  tileWindows,
  type Window,
  windowGrid,
} from "../../model/grid.ts";
import { isComplex, isNodata, type RasterBlock, type RasterSource, type Rgba } from "../../model/raster.ts";
import type { ClassStyle } from "../../pipelines/define.ts";
import { RAMP, rampColor, SERIES } from "./colors.ts";
import type { Picture } from "./png.ts";
import type { Legend, MapView, RasterLayer } from "./types.ts";

export interface RasterLayerOptions {
  readonly id: string;
  readonly title: string;
  readonly map: MapView;
  /** Names and colours of classes. Without them and without a colour table, values are a ramp. */
  readonly classes?: readonly ClassStyle[] | undefined;
  /** Values are classes; default: true with `classes` or a colour table. */
  readonly categorical?: boolean | undefined;
  /** 0-based; default 0. */
  readonly band?: number | undefined;
  /** Longer side of the picture at the most; default 1000 pixels. */
  readonly maxPixels?: number | undefined;
  readonly visible?: boolean | undefined;
  readonly opacity?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Pixels of the source held at once. */
const WINDOW_PIXELS = 4_000_000;
/** Exact positions are computed at every so many pixels of the picture, linear between. */
const LATTICE = 16;

/**
 * A raster as a picture in the map's system: classes by the nearest pixel, other values by the average of up to
 * nine places in each pixel. Nodata, masked and NaN pixels are clear. One pass over the tiles that the map shows,
 * a few megapixels in memory. `null` when the raster and the map do not meet.
 */
export async function rasterLayer(
  source: RasterSource,
  options: RasterLayerOptions,
): Promise<RasterLayer | null> {
  const { map, maxPixels = 1000, band = 0 } = options;
  const description = source.bands[band]!;
  const categorical =
    options.categorical ?? (options.classes !== undefined || description.colorTable !== null);
  const sampled = await sample(source, band, map, maxPixels, categorical, options.signal);
  if (sampled === null) return null;
  const { values, width, height, bounds } = sampled;
  const { scale, offset, unit, colorTable } = description;
  let painted: { picture: Picture; legend: Legend };
  if (categorical) painted = paintClasses(values, width, height, options.classes, colorTable);
  else painted = paintRamp(values, width, height, scale, offset, unit);
  return {
    kind: "raster",
    id: options.id,
    title: options.title,
    visible: options.visible ?? true,
    opacity: options.opacity ?? 1,
    smooth: !categorical,
    bounds,
    ...painted,
  };
}

interface Sampled {
  /** NaN where nothing was observed; length = width * height. */
  readonly values: Float64Array;
  readonly width: number;
  readonly height: number;
  readonly bounds: Bounds;
}

async function sample(
  source: RasterSource,
  band: number,
  map: MapView,
  maxPixels: number,
  categorical: boolean,
  signal: AbortSignal | undefined,
): Promise<Sampled | null> {
  const { grid } = source;
  const move = grid.crs !== null && map.crs !== null && !sameCrs(grid.crs, map.crs);
  const own = gridBounds(grid);
  const there = move ? transformBounds(own, grid.crs!, map.crs!) : own;
  const bounds = meet(there, widened(map.bounds));
  if (bounds === null) return null;
  const nativeX = (there[2] - there[0]) / Math.max(1, grid.width);
  const nativeY = (there[3] - there[1]) / Math.max(1, grid.height);
  const across = (bounds[2] - bounds[0]) / nativeX;
  const down = (bounds[3] - bounds[1]) / nativeY;
  const shrink = Math.max(1, across / maxPixels, down / maxPixels);
  const width = Math.max(1, Math.round(across / shrink));
  const height = Math.max(1, Math.round(down / shrink));
  const sub = categorical ? 1 : Math.max(1, Math.min(3, Math.round(shrink)));
  const places = latticeOf(bounds, width, height, (xy) => {
    if (move) transformer(map.crs!, grid.crs!)(xy);
    const [a, b, c, d, e, f] = invertAffine(grid.transform);
    for (let i = 0; i < xy.length; i += 2) {
      const x = xy[i]!;
      const y = xy[i + 1]!;
      xy[i] = a * x + b * y + c;
      xy[i + 1] = d * x + e * y + f;
    }
  });
  const values = new Float64Array(width * height);
  const counts = new Uint8Array(width * height);
  for (const window of readSteps(source, places.window)) {
    signal?.throwIfAborted();
    const box = boxOf(source, window, move, map, bounds, width, height);
    if (box === null) continue;
    const block = await source.read(window, { bands: [band], signal });
    gather(block, source, band, places, box, sub, width, values, counts);
  }
  for (let i = 0; i < values.length; i++) values[i] = counts[i] === 0 ? Number.NaN : values[i]! / counts[i]!;
  return { values, width, height, bounds };
}

/** Some room around the map, so that it can be moved. */
function widened([minX, minY, maxX, maxY]: Bounds): Bounds {
  const span = 0.25 * Math.max(maxX - minX, maxY - minY);
  return [minX - span, minY - span, maxX + span, maxY + span];
}

function meet(a: Bounds, b: Bounds): Bounds | null {
  const both: Bounds = [
    Math.max(a[0], b[0]),
    Math.max(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.min(a[3], b[3]),
  ];
  return both[2] > both[0] && both[3] > both[1] ? both : null;
}

/** Column and row in the source of every sample of the picture, on a lattice. */
interface Places {
  readonly nodes: Float64Array;
  readonly across: number;
  /** Pixels of the source that the picture needs, at the most. */
  readonly window: Window;
}

function latticeOf(
  bounds: Bounds,
  width: number,
  height: number,
  toSource: (xy: Float64Array) => void,
): Places {
  const [minX, minY, maxX, maxY] = bounds;
  const across = Math.ceil(width / LATTICE) + 1;
  const down = Math.ceil(height / LATTICE) + 1;
  const nodes = new Float64Array(2 * across * down);
  for (let j = 0, at = 0; j < down; j++) {
    for (let i = 0; i < across; i++) {
      nodes[at++] = minX + ((maxX - minX) * i * LATTICE) / width;
      nodes[at++] = maxY - ((maxY - minY) * j * LATTICE) / height;
    }
  }
  toSource(nodes);
  let minCol = Infinity;
  let minRow = Infinity;
  let maxCol = -Infinity;
  let maxRow = -Infinity;
  for (let i = 0; i < nodes.length; i += 2) {
    if (Number.isNaN(nodes[i]!) || Number.isNaN(nodes[i + 1]!)) continue;
    minCol = Math.min(minCol, nodes[i]!);
    maxCol = Math.max(maxCol, nodes[i]!);
    minRow = Math.min(minRow, nodes[i + 1]!);
    maxRow = Math.max(maxRow, nodes[i + 1]!);
  }
  const col = Math.floor(minCol) - 1;
  const row = Math.floor(minRow) - 1;
  return {
    nodes,
    across,
    window: { col, row, width: Math.ceil(maxCol) + 1 - col, height: Math.ceil(maxRow) + 1 - row },
  };
}

/** Windows of whole tiles, several together while they are small. */
function* readSteps(source: RasterSource, needed: Window): Generator<Window> {
  const { tile, grid } = source;
  let width = Math.max(1, Math.min(tile.width, grid.width));
  let height = Math.max(1, Math.min(tile.height, grid.height));
  while (width < grid.width && 2 * width * height <= WINDOW_PIXELS && width < 2048) width *= 2;
  while (height < grid.height && 2 * width * height <= WINDOW_PIXELS && height < 1024) height *= 2;
  for (const window of tileWindows(grid, width, height)) {
    if (intersectWindows(window, needed) !== null) yield window;
  }
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Pixels of the picture that a window of the source may fall on. */
function boxOf(
  source: RasterSource,
  window: Window,
  move: boolean,
  map: MapView,
  [minX, minY, maxX, maxY]: Bounds,
  width: number,
  height: number,
): Box | null {
  const part = windowGrid(source.grid, window);
  const own = gridBounds(part);
  const [west, south, east, north] = move ? transformBounds(own, source.grid.crs!, map.crs!) : own;
  const left = Math.max(0, Math.floor(((west - minX) / (maxX - minX)) * width) - 2);
  const right = Math.min(width, Math.ceil(((east - minX) / (maxX - minX)) * width) + 2);
  const top = Math.max(0, Math.floor(((maxY - north) / (maxY - minY)) * height) - 2);
  const bottom = Math.min(height, Math.ceil(((maxY - south) / (maxY - minY)) * height) + 2);
  return left < right && top < bottom ? { left, top, right, bottom } : null;
}

function gather(
  block: RasterBlock,
  source: RasterSource,
  band: number,
  { nodes, across }: Places,
  box: Box,
  sub: number,
  width: number,
  values: Float64Array,
  counts: Uint8Array,
): void {
  const samples = block.bands[0]!;
  const { nodata, type } = source.bands[band]!;
  const stride = isComplex(type) ? 2 : 1;
  const { col: windowCol, row: windowRow, width: windowWidth, height: windowHeight } = block.window;
  for (let row = box.top; row < box.bottom; row++) {
    for (let col = box.left; col < box.right; col++) {
      for (let k = 0; k < sub * sub; k++) {
        const x = (col + ((k % sub) + 0.5) / sub) / LATTICE;
        const y = (row + (Math.floor(k / sub) + 0.5) / sub) / LATTICE;
        const i = Math.floor(x);
        const j = Math.floor(y);
        const u = x - i;
        const v = y - j;
        const n = 2 * (j * across + i);
        const below = n + 2 * across;
        const sourceCol =
          (nodes[n]! * (1 - u) + nodes[n + 2]! * u) * (1 - v) +
          (nodes[below]! * (1 - u) + nodes[below + 2]! * u) * v;
        const sourceRow =
          (nodes[n + 1]! * (1 - u) + nodes[n + 3]! * u) * (1 - v) +
          (nodes[below + 1]! * (1 - u) + nodes[below + 3]! * u) * v;
        const c = Math.floor(sourceCol) - windowCol;
        const r = Math.floor(sourceRow) - windowRow;
        if (!(c >= 0 && r >= 0 && c < windowWidth && r < windowHeight)) continue;
        const at = r * windowWidth + c;
        if (block.mask !== null && block.mask[at] === 0) continue;
        const sample = samples[stride * at]!;
        const value = Number(sample);
        if (!Number.isFinite(value) || isNodata(sample, nodata)) continue;
        values[row * width + col]! += value;
        counts[row * width + col]!++;
      }
    }
  }
}

function paintClasses(
  values: Float64Array,
  width: number,
  height: number,
  classes: readonly ClassStyle[] | undefined,
  colorTable: readonly Rgba[] | null,
): { picture: Picture; legend: Legend } {
  const present = new Map<number, number>();
  for (const value of values) if (!Number.isNaN(value)) present.set(value, (present.get(value) ?? 0) + 1);
  const known = new Map((classes ?? []).map((one) => [Number(one.value), one]));
  const colors = new Map<number, Rgba>();
  const items: { name: string; color: Rgba }[] = [];
  // More values than a legend can hold: the commonest get a line.
  const shown = [...present]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 30)
    .map(([value]) => value);
  const order = [...present.keys()].sort((a, b) => a - b);
  const ordered = [
    ...[...known.keys()].filter((value) => present.has(value)),
    ...order.filter((value) => !known.has(value)),
  ];
  for (const [k, value] of ordered.entries()) {
    const style = known.get(value);
    const color = style?.color ?? colorTable?.[value] ?? SERIES[k % SERIES.length]!;
    colors.set(value, color);
    if (color[3] > 0 && shown.includes(value)) items.push({ name: style?.name ?? String(value), color });
  }
  const rgba = new Uint8Array(4 * width * height);
  for (let i = 0; i < values.length; i++) {
    const color = Number.isNaN(values[i]!) ? undefined : colors.get(values[i]!);
    if (color !== undefined) rgba.set(color, 4 * i);
  }
  return { picture: { width, height, rgba }, legend: { kind: "classes", items } };
}

function paintRamp(
  values: Float64Array,
  width: number,
  height: number,
  scale: number,
  offset: number,
  unit: string,
): { picture: Picture; legend: Legend } {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  // The lowest and highest fiftieth share the ends of the ramp, so that a few extremes do not flatten the rest.
  const low = sorted.length === 0 ? 0 : sorted[Math.floor(0.02 * (sorted.length - 1))]!;
  const high = sorted.length === 0 ? 1 : sorted[Math.ceil(0.98 * (sorted.length - 1))]!;
  const palette = Array.from({ length: 250 }, (_, k) => rampColor(RAMP, k / 249));
  const rgba = new Uint8Array(4 * width * height);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    rgba.set(palette[Math.max(0, Math.min(249, Math.round(249 * share)))]!, 4 * i);
  }
  return {
    picture: { width, height, rgba },
    legend: { kind: "ramp", colors: RAMP, min: low * scale + offset, max: high * scale + offset, unit },
  };
}
