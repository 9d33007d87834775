import { NO_GROUND, STEP_COL, STEP_ROW } from "../../kernels/hydrology/frame.ts";
import { streamStretches } from "../../kernels/hydrology/stream-lines.ts";
import { strahlerOrder } from "../../kernels/hydrology/stream-order.ts";
import type { Surface } from "../../kernels/raster/cell-area.ts";
import { GeoError } from "../../model/errors.ts";
import { ColumnBuilder, type FeatureTable } from "../../model/features.ts";
import { LINE_STRING } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import { gridsAlign } from "../../model/grid.ts";
import { makeBand, type RasterSource } from "../../model/raster.ts";
import { cellSizes } from "./cell-sizes.ts";
import {
  type AccumulationUnit,
  accumulated,
  bandOf,
  type DirectionOptions,
  noCircle,
  readDirections,
} from "./directions.ts";
import { framedSource, readFramed } from "./framed.ts";

/** Which cells are streams: those that enough drains through, or those of a raster. */
export interface StreamOptions extends DirectionOptions {
  /** A cell is a stream when at least this much drains through it, itself included. */
  readonly threshold?: number | undefined;
  /** Unit of `threshold`. Default `"cells"`. */
  readonly unit?: AccumulationUnit | undefined;
  /** Where areas are measured. Default: the plane for projected rasters, the ellipsoid (WGS 84) for degrees. */
  readonly surface?: Surface | undefined;
  /**
   * Accumulation to compare `threshold` with, on the grid of the directions and in a unit of its own; the sign does not
   * count. Default: computed from the directions.
   */
  readonly accumulation?: RasterSource | undefined;
  /** Instead of a threshold: a raster on the grid of the directions, stream cells are those observed and not 0. */
  readonly streams?: RasterSource | undefined;
}

/**
 * Strahler order of stream cells from a raster of flow directions: 1 at the heads; where streams meet, the highest of their
 * orders, one more when two have it. uint8, 0 and nodata where there is no stream. The cell of a confluence has the order of
 * what leaves it. Lazy, the whole raster at once.
 *
 * @throws GeoError `INVALID_INPUT`, `GRID_MISMATCH`; when read, `LIMIT`, and `INVALID_INPUT` for directions that are none or
 * that run in a circle
 */
export function streamOrder(directions: RasterSource, options: StreamOptions): RasterSource {
  checkStreams(directions, options);
  const band = makeBand({ type: "uint8", nodata: 0, description: "Strahler stream order" });
  return framedSource(directions, band, async (signal) => {
    const own = { ...options, signal: signal ?? options.signal };
    const flow = await readDirections(directions, own);
    const streams = await streamCells(directions, flow, own);
    return { values: noCircle(directions, () => strahlerOrder(flow, directions.grid, streams)) };
  });
}

/**
 * Streams as lines, from a raster of flow directions: one for each stretch between heads, confluences and ends, through the
 * middles of the cells, in the direction of the water. Lines meet exactly where streams do; the last stretch runs on to the
 * edge of its last cell. A lone stream cell in a pit is a line of no length.
 *
 * Columns: `id` (from 1, in row order of the first cells), `order` (Strahler), `length_m` (sum of the steps; in degrees on WGS
 * 84), `from_node` and `to_node` (numbers of heads, confluences and ends), `to` (id of the line that goes on, null at an end),
 * and with a threshold `upstream`, what drains through the last cell before the confluence, in its unit.
 *
 * @throws GeoError `INVALID_INPUT` for directions that are none or that run in a circle, `GRID_MISMATCH`, `LIMIT`
 */
export async function streamLines(directions: RasterSource, options: StreamOptions): Promise<FeatureTable> {
  checkStreams(directions, options);
  const { grid } = directions;
  const flow = await readDirections(directions, options);
  const amounts = options.streams === undefined ? await amountsOf(directions, flow, options) : null;
  const streams =
    amounts === null
      ? await streamCells(directions, flow, options)
      : above(amounts, flow, options.threshold!);
  const order = noCircle(directions, () => strahlerOrder(flow, grid, streams));
  const { count, starts, cells, next, exit } = noCircle(directions, () =>
    streamStretches(flow, grid, streams),
  );
  const sizes = cellSizes(grid);
  const stride = grid.width + 2;
  const [a, , c, , e, f] = grid.transform;
  const geometry = new GeometryBuilder();
  const column = (name: string, type: "int32" | "float64", nullable = false): ColumnBuilder =>
    new ColumnBuilder({ name, type, nullable });
  const id = column("id", "int32");
  const orders = column("order", "int32");
  const length = column("length_m", "float64");
  const from = column("from_node", "int32");
  const to = column("to_node", "int32");
  const goesTo = column("to", "int32", true);
  const upstream = column("upstream", "float64");
  let ends = count;
  for (let i = 0; i < count; i++) {
    geometry.begin(LINE_STRING);
    geometry.part();
    let metres = 0;
    const first = starts[i]!;
    const last = starts[i + 1]! - 1;
    for (let k = first; k <= last; k++) {
      const cell = cells[k]!;
      const row = Math.floor(cell / stride) - 1;
      const col = (cell % stride) - 1;
      geometry.vertex(a * (col + 0.5) + c, e * (row + 0.5) + f);
      if (k > first) metres += stepLength(cells[k - 1]!, cell);
    }
    if (next[i] === -1) {
      const cell = cells[last]!;
      const row = Math.floor(cell / stride) - 1;
      const col = (cell % stride) - 1;
      const towards = exit[i]!;
      const stepCol = towards < 0 ? 0 : STEP_COL[towards]! / 2;
      const stepRow = towards < 0 ? 0 : STEP_ROW[towards]! / 2;
      if (towards >= 0 || first === last)
        geometry.vertex(a * (col + 0.5 + stepCol) + c, e * (row + 0.5 + stepRow) + f);
      metres += Math.hypot(stepCol * sizes.x[row]!, stepRow * sizes.y[row]!);
    }
    geometry.end();
    id.pushNumber(i + 1);
    orders.pushNumber(order[cells[first]!]!);
    length.pushNumber(metres);
    from.pushNumber(i + 1);
    if (next[i] === -1) {
      to.pushNumber(++ends);
      goesTo.pushNull();
    } else {
      to.pushNumber(next[i]! + 1);
      goesTo.pushNumber(next[i]! + 1);
    }
    if (amounts !== null) upstream.pushNumber(Math.abs(amounts[cells[next[i] === -1 ? last : last - 1]!]!));
  }
  const columns = [id, orders, length, from, to, goesTo, ...(amounts === null ? [] : [upstream])];
  return {
    count,
    geometry: geometry.finish(),
    columns: columns.map((builder) => builder.finish()),
    ids: null,
    firstRow: 0,
    crs: grid.crs,
  };

  function stepLength(before: number, after: number): number {
    const rowBefore = Math.floor(before / stride) - 1;
    const rowAfter = Math.floor(after / stride) - 1;
    const across = (after % stride) - (before % stride);
    const x = across === 0 ? 0 : (sizes.x[rowBefore]! + sizes.x[rowAfter]!) / 2;
    const y = rowBefore === rowAfter ? 0 : (sizes.y[rowBefore]! + sizes.y[rowAfter]!) / 2;
    return Math.hypot(x, y);
  }
}

/** Framed, 1 at stream cells. */
async function streamCells(
  directions: RasterSource,
  flow: Uint8Array,
  options: StreamOptions,
): Promise<Uint8Array> {
  const { streams, maxCells, signal } = options;
  if (streams === undefined)
    return above(await amountsOf(directions, flow, options), flow, options.threshold!);
  const values = await readFramed(streams, { maxCells, signal }, (length) => new Float32Array(length));
  const out = new Uint8Array(values.length);
  for (let i = 0; i < out.length; i++)
    if (values[i] !== 0 && !Number.isNaN(values[i]!) && flow[i] !== NO_GROUND) out[i] = 1;
  return out;
}

async function amountsOf(
  directions: RasterSource,
  flow: Uint8Array,
  { accumulation, unit = "cells", surface, maxCells, signal }: StreamOptions,
): Promise<Float64Array> {
  if (accumulation === undefined) return accumulated(directions, flow, unit, surface);
  return readFramed(accumulation, { maxCells, signal }, (length) => new Float64Array(length));
}

function above(amounts: Float64Array, flow: Uint8Array, threshold: number): Uint8Array {
  const out = new Uint8Array(amounts.length);
  for (let i = 0; i < out.length; i++)
    if (Math.abs(amounts[i]!) >= threshold && flow[i] !== NO_GROUND) out[i] = 1;
  return out;
}

function checkStreams(
  directions: RasterSource,
  { band = 0, threshold, streams, accumulation }: StreamOptions,
): void {
  bandOf(directions, band);
  if ((threshold === undefined) === (streams === undefined)) {
    throw new GeoError("INVALID_INPUT", "streams need either a threshold or a raster of stream cells", {
      path: "threshold",
      expected: "a number above 0, or streams",
    });
  }
  if (threshold !== undefined && !(threshold > 0)) {
    throw new GeoError("INVALID_INPUT", `threshold is ${threshold}, expected a number above 0`, {
      path: "threshold",
      expected: "a number above 0",
    });
  }
  for (const other of [streams, accumulation]) {
    if (other === undefined) continue;
    const { grid } = directions;
    const same = other.grid.width === grid.width && other.grid.height === grid.height;
    const [left, right] = [directions, other].map(
      ({ url, grid: { width, height, transform } }) =>
        `${url} (${width} x ${height} from ${transform[2]}, ${transform[5]})`,
    );
    if (same && gridsAlign(grid, other.grid) && sameOrigin(grid.transform, other.grid.transform)) continue;
    throw new GeoError(
      "GRID_MISMATCH",
      `${right} is not on the grid of the directions, ${left}`,
      { left: left!, right: right! },
      { hint: "Warp one like the other first." },
    );
  }
}

function sameOrigin(
  [a, , c, , e, f]: readonly number[],
  [, , otherC, , , otherF]: readonly number[],
): boolean {
  return Math.abs(c! - otherC!) < Math.abs(a! / 2) && Math.abs(f! - otherF!) < Math.abs(e! / 2);
}
