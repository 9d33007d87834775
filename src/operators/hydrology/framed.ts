import { type Frame, framedLength } from "../../kernels/hydrology/frame.ts";
import { GeoError } from "../../model/errors.ts";
import { isAxisAligned } from "../../model/grid.ts";
import {
  type Band,
  isComplex,
  type RasterSource,
  type SampleArray,
  sampleArray,
} from "../../model/raster.ts";
import { readObserved } from "../observed.ts";
import { readWindows } from "../read-windows.ts";
import { tileReader } from "../tile-reader.ts";

/** What every call on a whole raster takes. */
export interface WholeRasterOptions {
  /** 0-based. Default 0. */
  readonly band?: number | undefined;
  /**
   * Cells of the largest raster that is taken on: where water goes is known only with the whole raster in memory. Default
   * {@link MAX_CELLS}.
   */
  readonly maxCells?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A hundred million: 10,000 by 10,000 cells, for which directions from heights take about 2 GB. */
export const MAX_CELLS: number = 1e8;

/**
 * A band of a whole raster with a frame around it, NaN in the frame, where nothing is observed and where a number is not
 * finite.
 *
 * @throws GeoError `INVALID_INPUT` no such band, `LIMIT` more than `maxCells`, `UNSUPPORTED` rotated or complex
 */
export async function readFramed<A extends Float32Array | Float64Array>(
  source: RasterSource,
  { band = 0, maxCells = MAX_CELLS, signal }: WholeRasterOptions,
  make: (length: number) => A,
): Promise<A> {
  checkWhole(source, band, maxCells);
  const { grid } = source;
  const out = make(framedLength(grid));
  out.fill(Number.NaN);
  const reader = tileReader(source);
  const stride = grid.width + 2;
  for (const window of readWindows(source, 1)) {
    signal?.throwIfAborted();
    const samples = await readObserved(reader, source, band, window, signal);
    for (let row = 0, i = 0; row < window.height; row++) {
      let to = (window.row + row + 1) * stride + window.col + 1;
      for (let col = 0; col < window.width; col++, i++, to++) {
        const value = samples[i]!;
        if (value - value === 0) out[to] = value;
      }
    }
  }
  return out;
}

/** Heights of a band: single precision where that holds the samples exactly. */
export function readHeights(
  source: RasterSource,
  options: WholeRasterOptions,
): Promise<Float32Array | Float64Array> {
  const type = source.bands[options.band ?? 0]?.type;
  const single = type !== undefined && !["int32", "uint32", "int64", "uint64", "float64"].includes(type);
  return readFramed<Float32Array | Float64Array>(source, options, (length) =>
    single ? new Float32Array(length) : new Float64Array(length),
  );
}

export function checkWhole(source: RasterSource, band: number, maxCells: number): void {
  const { url, grid, bands } = source;
  const description = bands[band];
  if (description === undefined) {
    throw new GeoError("INVALID_INPUT", `${url} has no band ${band + 1}`, {
      path: "band",
      expected: `0 to ${bands.length - 1}`,
    });
  }
  if (isComplex(description.type)) {
    throw new GeoError("UNSUPPORTED", `${url}: band ${band + 1} holds complex numbers`, {
      feature: "hydrology of complex numbers",
      path: url,
    });
  }
  if (!isAxisAligned(grid.transform)) {
    throw new GeoError(
      "UNSUPPORTED",
      `${url}: the grid is rotated, hydrology needs rows and columns along the axes`,
      { feature: "hydrology of a rotated grid", path: url },
      { hint: "Warp the raster to a north-up grid first." },
    );
  }
  const cells = grid.width * grid.height;
  const allowed = Math.min(maxCells, 2 ** 31 - 1 - 2 * (grid.width + grid.height + 2));
  if (cells > allowed) {
    throw new GeoError(
      "LIMIT",
      `${url}: ${grid.width} x ${grid.height} cells are more than the ${allowed} that are held in memory at once`,
      { what: "cells of a raster whose water is followed", needed: cells, allowed, path: url },
      { hint: "Cut the raster to the basin first, warp it to larger cells, or raise maxCells." },
    );
  }
}

/** Framed arrays that a lazy raster is cut from. */
export interface FramedResult {
  readonly values: Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;
  /** 255 where the value counts; `null`: everywhere, or nodata says so. */
  readonly mask?: Uint8Array | null;
}

/**
 * A lazy raster of one band on the grid of `lead`, computed as a whole when somebody reads the first pixel and kept until it
 * is closed.
 */
export function framedSource(
  lead: RasterSource,
  band: Band,
  compute: (signal: AbortSignal | undefined) => Promise<FramedResult>,
  hasMask: boolean = false,
): RasterSource {
  const { grid } = lead;
  const frame: Frame = grid;
  let result: Promise<FramedResult> | null = null;
  return {
    url: lead.url,
    grid,
    bands: [band],
    tile: { width: 512, height: 512 },
    hasMask,
    metadata: {},
    async read(window, { bands = [0], signal } = {}) {
      signal?.throwIfAborted();
      result ??= compute(signal);
      let computed: FramedResult;
      try {
        computed = await result;
      } catch (error) {
        result = null;
        throw error;
      }
      const { width, height } = window;
      const out = sampleArray(band.type, width * height);
      const mask = hasMask ? new Uint8Array(width * height).fill(255) : null;
      const stride = frame.width + 2;
      for (let row = 0; row < height; row++) {
        const from = (window.row + row + 1) * stride + window.col + 1;
        copyRow(computed.values.subarray(from, from + width), out, row * width);
        if (mask !== null && computed.mask) mask.set(computed.mask.subarray(from, from + width), row * width);
      }
      return { window, bands: bands.map(() => out), mask };
    },
    async close() {
      result = null;
      await lead.close();
    },
  };
}

function copyRow(row: ArrayLike<number>, out: SampleArray, at: number): void {
  if (!(out instanceof BigInt64Array || out instanceof BigUint64Array)) {
    out.set(row, at);
    return;
  }
  for (let i = 0; i < row.length; i++) out[at + i] = BigInt(row[i]!);
}
