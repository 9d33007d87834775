import {
  columnDistances,
  type EnvelopeRoom,
  envelopeRoom,
  NO_TARGET,
  rowDistances,
} from "../kernels/raster/distance-transform.ts";
import { GeoError } from "../model/errors.ts";
import { intersectWindows, type Window } from "../model/grid.ts";
import {
  isNodata,
  makeBand,
  type RasterBlock,
  type RasterSource,
  SAMPLE_BYTES,
  type SampleValue,
} from "../model/raster.ts";
import { DEFAULT_MEMORY } from "./read-windows.ts";

export interface ProximityOptions {
  /** Band, from 0. Default 0. */
  readonly band?: number | undefined;
  /** Values of the pixels to measure to. Default: all that are observed and not 0. */
  readonly targets?: readonly SampleValue[] | undefined;
  /** Unit of distances: that of the CRS (default; degrees for longitude and latitude), or cells, counted alike both ways. */
  readonly unit?: "crs" | "cells" | undefined;
  /** Pixels farther away have no value. In the unit of the result. Default: none are. */
  readonly maxDistance?: number | undefined;
  /** Default `"float32"`. */
  readonly dtype?: "float32" | "float64" | undefined;
  /** Budget for pixels in memory, bytes. Default 256 MiB. */
  readonly memory?: number | undefined;
}

/** Rows of a band at the most; more read no faster. */
const MOST_ROWS = 512;
/** Bands of distances kept: the windows of a row of tiles, and those of the next while it begins. */
const KEPT = 2;

/**
 * Distance from the centre of every pixel to the centre of the nearest target pixel, 0 at targets, NaN (nodata) beyond
 * `maxDistance` and where there is no target at all. The exact Euclidean distance transform, also for cells that are not square;
 * `gdal_proximity` approximates it, and is never nearer. To measure to features, burn them first:
 * `proximity(await rasterize(features, { like, allTouched: true }))`.
 *
 * Lazy. The first read goes through the source once to learn, for every band of rows, how far the nearest targets above and
 * below it are in each column; then a band is made from its own pixels. Memory: these (8 bytes a column and band) and
 * a few bands of whole rows; the result is the same for any budget.
 *
 * @throws GeoError `INVALID_INPUT`; `UNSUPPORTED` for distances in the CRS on a grid whose rows and columns are not at right
 *   angles
 */
export function proximity(source: RasterSource, options: ProximityOptions = {}): RasterSource {
  const { band = 0, unit = "crs", maxDistance = Infinity, dtype = "float32" } = options;
  const { grid } = source;
  const described = source.bands[band];
  if (described === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} has no band ${band + 1}`,
      { path: "band", expected: `1 to ${source.bands.length}` },
      { hint: `Its bands count from 1 to ${source.bands.length}.` },
    );
  }
  if (!(maxDistance >= 0)) {
    throw new GeoError("INVALID_INPUT", `maxDistance is ${maxDistance}`, {
      path: "maxDistance",
      expected: "a distance of 0 or more",
    });
  }
  const [cellWidth, cellHeight] = unit === "cells" ? [1, 1] : cellSizes(source);
  const isTarget = targetTest(options.targets, described.nodata);
  const height = bandHeight(source, SAMPLE_BYTES[described.type], options.memory);
  const bands = Math.ceil(grid.height / height);
  const room = envelopeRoom(grid.width);
  let reach: Promise<Reach> | null = null;
  const kept = new Map<number, Promise<Float32Array | Float64Array>>();

  async function targetsOf(k: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const window = bandWindow(k);
    return targetPixels(await source.read(window, { bands: [band], signal }), isTarget);
  }

  function bandWindow(k: number): Window {
    return { col: 0, row: k * height, width: grid.width, height: Math.min(height, grid.height - k * height) };
  }

  function findReach(signal: AbortSignal | undefined): Promise<Reach> {
    if (reach === null) {
      reach = learnReach(grid.width, bands, bandWindow, (k) => targetsOf(k, signal));
      // What was stopped half way is done again when asked for again.
      reach.catch(() => {
        reach = null;
      });
    }
    return reach;
  }

  function distancesOf(k: number, signal: AbortSignal | undefined): Promise<Float32Array | Float64Array> {
    let made = kept.get(k);
    if (made === undefined) {
      made = make(k, signal);
      made.catch(() => kept.delete(k));
      kept.set(k, made);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    }
    return made;
  }

  async function make(k: number, signal: AbortSignal | undefined): Promise<Float32Array | Float64Array> {
    const { above, below } = await findReach(signal);
    const window = bandWindow(k);
    const pixels = window.width * window.height;
    const columns = new Int32Array(pixels);
    const part = (all: Int32Array): Int32Array => all.subarray(k * grid.width, (k + 1) * grid.width);
    columnDistances(
      await targetsOf(k, signal),
      window.width,
      window.height,
      part(above),
      part(below),
      columns,
    );
    const out = dtype === "float64" ? new Float64Array(pixels) : new Float32Array(pixels);
    measureRows(columns, window, cellWidth, cellHeight, maxDistance, room, out);
    return out;
  }

  return {
    url: source.url,
    grid,
    bands: [makeBand({ type: dtype, nodata: Number.NaN, description: "distance" })],
    tile: { width: grid.width, height },
    hasMask: false,
    metadata: {},
    async read(window, { bands: wanted = [0], signal } = {}) {
      signal?.throwIfAborted();
      const pixels = window.width * window.height;
      const out = dtype === "float64" ? new Float64Array(pixels) : new Float32Array(pixels);
      const last = Math.floor((window.row + window.height - 1) / height);
      for (let k = Math.floor(window.row / height); k <= last; k++) {
        const distances = await distancesOf(k, signal);
        const shared = intersectWindows(window, bandWindow(k))!;
        for (let row = shared.row; row < shared.row + shared.height; row++) {
          const from = (row - k * height) * grid.width + window.col;
          out.set(distances.subarray(from, from + window.width), (row - window.row) * window.width);
        }
      }
      return { window, bands: wanted.map(() => out), mask: null };
    },
    close: () => source.close(),
  };
}

/** For every band and column: rows to the nearest target above the band's first row, and below its last. */
interface Reach {
  readonly above: Int32Array;
  readonly below: Int32Array;
}

async function learnReach(
  width: number,
  bands: number,
  windowOf: (k: number) => Window,
  targetsOf: (k: number) => Promise<Uint8Array>,
): Promise<Reach> {
  const above = new Int32Array(width * bands).fill(NO_TARGET);
  const below = new Int32Array(width * bands).fill(NO_TARGET);
  // First and last row with a target in the bands so far, per column.
  const last = new Int32Array(width).fill(-1);
  const first = new Int32Array(width * bands).fill(-1);
  for (let k = 0; k < bands; k++) {
    const { row, height } = windowOf(k);
    for (let col = 0; col < width; col++) if (last[col]! >= 0) above[k * width + col] = row - last[col]!;
    const targets = await targetsOf(k);
    for (let r = 0; r < height; r++) {
      for (let col = 0; col < width; col++) {
        if (targets[r * width + col] === 0) continue;
        last[col] = row + r;
        if (first[k * width + col] === -1) first[k * width + col] = row + r;
      }
    }
  }
  const next = new Int32Array(width).fill(-1);
  for (let k = bands - 1; k >= 0; k--) {
    const { row, height } = windowOf(k);
    for (let col = 0; col < width; col++) {
      if (next[col]! >= 0) below[k * width + col] = next[col]! - (row + height - 1);
      if (first[k * width + col]! >= 0) next[col] = first[k * width + col]!;
    }
  }
  return { above, below };
}

function measureRows(
  columns: Int32Array,
  { width, height }: Window,
  cellWidth: number,
  cellHeight: number,
  most: number,
  room: EnvelopeRoom,
  out: Float32Array | Float64Array,
): void {
  for (let row = 0; row < height; row++) {
    rowDistances(columns, row * width, width, cellWidth, cellHeight, most, Number.NaN, room, out);
  }
}

function targetTest(
  targets: readonly SampleValue[] | undefined,
  nodata: SampleValue | null,
): (sample: SampleValue) => boolean {
  if (targets === undefined) {
    // biome-ignore lint/suspicious/noDoubleEquals: 0n is 0 as well
    return (sample) => sample != 0 && !Number.isNaN(sample) && !isNodata(sample, nodata);
  }
  // 3n is 3.
  const wanted = new Set(targets.map((value) => Number(value)));
  return (sample) => wanted.has(Number(sample)) && !isNodata(sample, nodata);
}

function targetPixels({ bands, mask }: RasterBlock, isTarget: (sample: SampleValue) => boolean): Uint8Array {
  const samples = bands[0]!;
  const out = new Uint8Array(samples.length);
  let known: SampleValue = samples[0]!;
  let target = isTarget(known);
  for (let i = 0; i < out.length; i++) {
    const sample = samples[i]!;
    if (sample !== known) {
      known = sample;
      target = isTarget(sample);
    }
    if (target && (mask === null || mask[i] !== 0)) out[i] = 1;
  }
  return out;
}

/** Width and height of a cell in units of the CRS. */
function cellSizes({ grid, url }: RasterSource): [number, number] {
  const [a, b, , d, e] = grid.transform;
  const width = Math.hypot(a, d);
  const height = Math.hypot(b, e);
  if (Math.abs(a * b + d * e) > 1e-9 * width * height) {
    throw new GeoError(
      "UNSUPPORTED",
      `rows and columns of ${url} are not at right angles`,
      { feature: "distances on sheared grids", path: url },
      { hint: "Warp the raster to a grid along the axes first, or measure in cells." },
    );
  }
  return [width, height];
}

/** Rows of a band: of the source's tiles, within memory for the samples, columns and distances of a few bands. */
function bandHeight(
  { grid, tile }: RasterSource,
  sampleBytes: number,
  memory: number = DEFAULT_MEMORY,
): number {
  const rowBytes = grid.width * (2 * sampleBytes + 1 + 4 + 8 * (KEPT + 1));
  const allowed = Math.min(MOST_ROWS, Math.max(1, Math.floor(memory / rowBytes)));
  const rows = Math.min(grid.height, allowed);
  return rows > tile.height ? rows - (rows % tile.height) : rows;
}
