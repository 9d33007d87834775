import { type Executor, inline } from "../../execution/executor.ts";
import { prepareShapes } from "../../kernels/raster/shapes.ts";
import { buildBoxTree, newHits, searchBoxes } from "../../kernels/vector/box-tree.ts";
import { type ClassSamples, MAX_CLASSES } from "../../kernels/zonal/class-slots.ts";
import { shareOnGrid } from "../../kernels/zonal/on-grid.ts";
import { mayMeet, type ZoneRule } from "../../kernels/zonal/zone-runs.ts";
import { GeoError } from "../../model/errors.ts";
import type { GeometryColumn } from "../../model/geometry.ts";
import type { Window } from "../../model/grid.ts";
import type { RasterBlock, RasterSource } from "../../model/raster.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { readWindows, toWorking } from "../read-windows.ts";
import { type TileReader, tileReader } from "../tile-reader.ts";
import type { PixelAreas } from "./areas.ts";
import { ChangeTally, Tally } from "./tally.ts";

/** What to count in rasters of one grid. */
export interface CountJob {
  readonly rasters: readonly { readonly label: string; readonly source: RasterSource }[];
  readonly band: number;
  /** Zones in the coordinates of the rasters. */
  readonly geometry: GeometryColumn;
  readonly rule: ZoneRule;
  /** What shapes are prepared for. */
  readonly prepare: "center" | "all-touched";
  readonly areas: PixelAreas;
  /** Whether the first pixel of each class matters. */
  readonly order: boolean;
  /** Pairs of rasters of which changes are counted, by number; and where. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly union: boolean;
  readonly each: boolean;
  readonly memory: number | undefined;
  readonly executor: Executor | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

export interface Counted {
  /** Of each raster. */
  readonly tallies: readonly Tally[];
  /** Share of each zone that lies on the grid. */
  readonly onGrid: Float64Array;
  /** Of each pair. */
  readonly union: readonly ChangeTally[];
  readonly each: readonly ChangeTally[];
}

/** One pass over the windows that zones meet, all rasters together. */
export async function countClassesOf(job: CountJob): Promise<Counted> {
  const { rasters, band, geometry, rule, areas, pairs, executor = inline, signal } = job;
  const sources = rasters.map(({ source }) => source);
  const lead = sources[0]!;
  const { grid } = lead;
  const shapes = prepareShapes(geometry, grid, job.prepare);
  const tallies = sources.map(() => new Tally(shapes.count, areas, job.order));
  const tallyPair = ([a, b]: readonly [number, number]): ChangeTally =>
    new ChangeTally(rasters[a]!.label, rasters[b]!.label, areas);
  const union = job.union ? pairs.map(tallyPair) : [];
  const each = job.each ? pairs.map(tallyPair) : [];

  const tree = buildBoxTree(shapes.bounds);
  const hits = newHits();
  const windows: { window: Window; features: Int32Array }[] = [];
  let total = 0;
  for (const window of readWindows(lead, sources.length, job.memory, executor.concurrency)) {
    const { col, row, width, height } = window;
    const found = searchBoxes(tree, col, row, col + width, row + height, hits);
    const features = hits.values.slice(0, found).sort();
    if (!features.some((f) => mayMeet(shapes, f, window))) continue;
    windows.push({ window, features });
    total += width * height;
  }

  const shared = executor.keep(shapes).value;
  const rows = executor.keep(areas.rows).value;
  const readers = sources.map((source) => new PartReader(source));
  let done = 0;
  const parts = mapConcurrent(windows, executor.concurrency, async ({ window, features }) => {
    signal?.throwIfAborted();
    const needed = (tile: Window): boolean => features.some((f) => mayMeet(shapes, f, tile));
    const blocks = await Promise.all(readers.map((reader) => reader.read(window, band, needed, signal)));
    const counted = await executor.call(
      "countZones",
      shared,
      {
        rule,
        features,
        window,
        width: grid.width,
        areas: rows,
        pairs: pairs.flat(),
        union: job.union,
        each: job.each,
      },
      blocks.map((block, k) => samplesOf(block, sources[k]!, band)),
    );
    return { counted, size: window.width * window.height };
  });
  for await (const { counted, size } of parts) {
    if (counted.tooMany >= 0) throw notClasses(sources[counted.tooMany]!);
    for (const [k, part] of counted.counts.entries()) {
      tallies[k]!.add(part);
      if (tallies[k]!.classes.size > MAX_CLASSES + 1) throw notClasses(sources[k]!);
    }
    for (const [k, part] of counted.union.entries()) union[k]!.add(part);
    for (const [k, part] of counted.each.entries()) each[k]!.add(part);
    done += size;
    job.onProgress?.(done, total);
  }
  return { tallies, onGrid: shareOnGrid(shapes, geometry, grid.transform), union, each };
}

/** Reads the tiles of a window that are needed. */
class PartReader {
  readonly #source: RasterSource;
  #tiles: TileReader | null = null;

  constructor(source: RasterSource) {
    this.#source = source;
  }

  read(
    window: Window,
    band: number,
    needed: (tile: Window) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<RasterBlock> {
    const source = this.#source;
    if (allNeeded(source, window, needed)) return source.read(window, { bands: [band], signal });
    this.#tiles ??= tileReader(source);
    return this.#tiles.read(window, { bands: [band], signal }, needed);
  }
}

function allNeeded({ tile }: RasterSource, window: Window, needed: (tile: Window) => boolean): boolean {
  const right = window.col + window.width;
  const bottom = window.row + window.height;
  for (let row = window.row; row < bottom; row += tile.height) {
    for (let col = window.col; col < right; col += tile.width) {
      const part = {
        col,
        row,
        width: Math.min(tile.width, right - col),
        height: Math.min(tile.height, bottom - row),
      };
      if ((part.width < window.width || part.height < window.height) && !needed(part)) return false;
    }
  }
  return true;
}

function samplesOf(block: RasterBlock, source: RasterSource, band: number): ClassSamples {
  const samples = block.bands[0]!;
  const plain =
    samples instanceof BigInt64Array || samples instanceof BigUint64Array ? toWorking(samples) : samples;
  const { nodata } = source.bands[band]!;
  const number = nodata === null ? Number.NaN : Number(nodata);
  // A nodata value that single precision cannot hold is kept as the file holds it.
  const value = plain instanceof Float32Array ? Math.fround(number) : number;
  return { samples: plain as ClassSamples["samples"], nodata: value, mask: block.mask };
}

function notClasses({ url }: RasterSource): GeoError<"INVALID_INPUT"> {
  return new GeoError(
    "INVALID_INPUT",
    `${url} holds more than ${MAX_CLASSES} different values: it is a measurement, not classes`,
    { path: "source", expected: "a raster of classes" },
    { hint: "Reclassify it first, or ask for zonal statistics." },
  );
}
