import { NO_GROUND } from "../../kernels/hydrology/frame.ts";
import { labelBasins, labelWatersheds } from "../../kernels/hydrology/watershed.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../../model/features.ts";
import { type GeometryColumn, POINT } from "../../model/geometry.ts";
import { invertAffine } from "../../model/grid.ts";
import { makeBand, type RasterSource } from "../../model/raster.ts";
import { readTable } from "../read-table.ts";
import { type OnCrsMismatch, regionIn } from "../region.ts";
import { cellSizes } from "./cell-sizes.ts";
import { accumulated, type DirectionOptions, noCircle, readDirections } from "./directions.ts";
import { framedSource } from "./framed.ts";

export interface WatershedOptions extends DirectionOptions {
  /**
   * Metres around a point within which it moves to the cell that most drains through (cells counted), of equals the nearest
   * to the point, then the first in row order. Default 0: the cell that it lies in.
   */
  readonly snap?: number | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
}

/** A raster of watersheds, in memory. */
export interface WatershedsRaster extends RasterSource {
  readonly report: {
    /** Watersheds in the raster. */
    readonly count: number;
    /** Where each pour point came to lie, middle of its cell `[x, y]` for each row, NaN where it has none. Empty for basins. */
    readonly pourPoints: Float64Array;
    /** Rows of points without a watershed: null, off the raster or off the ground. */
    readonly outside: readonly number[];
    /** Rows of points that share a cell with an earlier one, which has the watershed. */
    readonly shared: readonly number[];
    readonly warnings: readonly string[];
  };
}

/**
 * Watersheds from a raster of flow directions, int32, nodata 0.
 *
 * With pour points: each cell has the number of the first point that its water comes to, counted from 1 in the order of the
 * points; a point further down does not include the watersheds of those above it. Cells whose water comes to none are nodata.
 *
 * With `null`: whole basins, one for each cell where water leaves the ground or ends in a pit, counted from 1 in row order of
 * those cells.
 *
 * @throws GeoError `INVALID_INPUT` for geometries that are no points and for directions that are none or run in a circle,
 * `CRS_MISMATCH`, `LIMIT`
 */
export async function watersheds(
  directions: RasterSource,
  points: FeatureTable | FeatureSource | null,
  options: WatershedOptions = {},
): Promise<WatershedsRaster> {
  const { grid } = directions;
  const flow = await readDirections(directions, options);
  let labels: Int32Array;
  let report: WatershedsRaster["report"];
  if (points === null) {
    const basins = noCircle(directions, () => labelBasins(flow, grid));
    labels = basins.labels;
    report = { count: basins.count, pourPoints: new Float64Array(), outside: [], shared: [], warnings: [] };
  } else {
    const table = "batches" in points ? await readTable(points, { signal: options.signal }) : points;
    labels = new Int32Array(flow.length);
    report = placePoints(directions, flow, table, labels, options);
    noCircle(directions, () => labelWatersheds(flow, grid, labels));
  }
  const band = makeBand({ type: "int32", nodata: 0, description: "watershed" });
  const source = framedSource(directions, band, () => Promise.resolve({ values: labels }));
  return { ...source, report };
}

/** Put the number of each point at its cell. */
function placePoints(
  directions: RasterSource,
  flow: Uint8Array,
  table: FeatureTable,
  labels: Int32Array,
  { snap = 0, onCrsMismatch }: WatershedOptions,
): WatershedsRaster["report"] {
  const { grid } = directions;
  const pourPoints = new Float64Array(2 * table.count).fill(Number.NaN);
  const outside: number[] = [];
  const shared: number[] = [];
  const warnings: string[] = [];
  let geometry: GeometryColumn | null = null;
  if (table.geometry !== null && table.geometry.xy.length > 0) {
    const placed = regionIn(table, grid.crs, { onCrsMismatch });
    geometry = placed.geometry;
    warnings.push(...placed.warnings.map((warning) => warning.replace("the region", "the pour points")));
  }
  const amounts = snap > 0 ? accumulated(directions, flow, "cells", undefined) : null;
  const [ia, ib, ic, id, ie, jf] = invertAffine(grid.transform);
  const [a, b, c, d, e, f] = grid.transform;
  const sizes = cellSizes(grid);
  const stride = grid.width + 2;
  let count = 0;
  for (let row = 0; row < table.count; row++) {
    const vertex = geometry === null ? -1 : pointVertex(geometry, row);
    const x = vertex < 0 ? Number.NaN : geometry!.xy[2 * vertex]!;
    const y = vertex < 0 ? Number.NaN : geometry!.xy[2 * vertex + 1]!;
    const cell = settle(ia * x + ib * y + ic, id * x + ie * y + jf);
    if (cell < 0) {
      outside.push(row);
      continue;
    }
    const col = (cell % stride) - 1;
    const line = Math.floor(cell / stride) - 1;
    pourPoints[2 * row] = a * (col + 0.5) + b * (line + 0.5) + c;
    pourPoints[2 * row + 1] = d * (col + 0.5) + e * (line + 0.5) + f;
    if (labels[cell] !== 0) shared.push(row);
    else {
      labels[cell] = row + 1;
      count++;
    }
  }
  if (outside.length > 0)
    warnings.push(`${outside.length} pour points do not lie on the ground of the raster`);
  if (shared.length > 0)
    warnings.push(`${shared.length} pour points share a cell with an earlier one and have no watershed`);
  return { count, pourPoints, outside, shared, warnings };

  /** Framed cell of a place in columns and rows, -1 without one. */
  function settle(x: number, y: number): number {
    const col = Math.floor(x);
    const line = Math.floor(y);
    // Written so that NaN is outside.
    if (!(col >= 0 && line >= 0 && col < grid.width && line < grid.height)) return -1;
    const own = (line + 1) * stride + col + 1;
    if (amounts === null) return flow[own] === NO_GROUND ? -1 : own;
    let best = -1;
    let most = 0;
    let nearest = Infinity;
    const rows = Math.ceil(snap / sizes.y[line]!) + 1;
    for (let r = Math.max(0, line - rows); r <= Math.min(grid.height - 1, line + rows); r++) {
      const columns = Math.ceil(snap / sizes.x[r]!) + 1;
      for (let k = Math.max(0, col - columns); k <= Math.min(grid.width - 1, col + columns); k++) {
        const cell = (r + 1) * stride + k + 1;
        if (flow[cell] === NO_GROUND) continue;
        const away = Math.hypot((k + 0.5 - x) * sizes.x[r]!, (r + 0.5 - y) * sizes.y[r]!);
        if (away > snap && cell !== own) continue;
        const amount = amounts[cell]!;
        if (amount > most || (amount === most && away < nearest)) {
          best = cell;
          most = amount;
          nearest = away;
        }
      }
    }
    return best;
  }
}

/** The vertex of a point, -1 for null and empty. */
function pointVertex(geometry: GeometryColumn, row: number): number {
  const part = geometry.geometries[row]!;
  if (geometry.types[row] === 0 || part === geometry.geometries[row + 1]) return -1;
  if (geometry.types[row] !== POINT) {
    throw new GeoError("INVALID_INPUT", `pour point ${row} is no point`, {
      path: `points[${row}]`,
      expected: "a point",
    });
  }
  return geometry.rings[geometry.parts[part]!]!;
}
