import { transformer } from "../crs/transformer.ts";
import { type Executor, inline } from "../execution/executor.ts";
import type { NearestPairs } from "../kernels/vector/nearest/nearest-rows.ts";
import { type NearestSide, Neighbours } from "../kernels/vector/nearest/neighbours.ts";
import { type Crs, isGeographic, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  asSource,
  type BatchOptions,
  type Column,
  type FeatureSource,
  type FeatureTable,
  type Field,
  rowsMeeting,
  selectBatch,
  takeRows,
} from "../model/features.ts";
import { GEOJSON_CRS } from "../model/geojson.ts";
import type { GeometryColumn } from "../model/geometry.ts";
import { requireFree, rightFields, rightNames, takeLeft, takeRight } from "./join/columns.ts";
import {
  type JoinedFeatures,
  type JoinHow,
  type JoinReport,
  type JoinTies,
  newJoinReport,
} from "./join/joined.ts";
import { readInCrs } from "./join/read-right.ts";
import { mapOrdered } from "./map-concurrent.ts";
import type { OnCrsMismatch } from "./region.ts";

/**
 * How distances are measured.
 *
 * - `"planar"`: in the plane of the left layer's CRS, in its units.
 * - `"geodesic"`: in metres on the WGS 84 ellipsoid; edges are the shortest lines between their ends.
 * - `"auto"`: `"geodesic"` when the left layer's CRS is geographic, else `"planar"`.
 */
export type DistanceMetric = "planar" | "geodesic" | "auto";

export interface NearestJoinOptions {
  /** Neighbours for each left feature. Default 1. */
  readonly k?: number | undefined;
  /** Farther ones are no neighbours; metres for `"geodesic"`, else units of the CRS. The distance itself counts. */
  readonly maxDistance?: number | undefined;
  /**
   * Default `"inner"`; `"left"` keeps features without a neighbour, with nulls. `"semi"` gives each left feature that has
   * a neighbour once, `"anti"` those that have none; both without columns of the right layer.
   */
  readonly how?: JoinHow | undefined;
  /**
   * Right features that are as near as the k-th (distances that differ by less than 1e-12 of themselves): all of them
   * (default), the first in the order of the right layer, or the one with the lowest id.
   */
  readonly ties?: JoinTies | undefined;
  /**
   * Leave out the feature itself. When both layers are the same (the same object, or one file and layer), the feature is
   * no neighbour of its own, but others at the same place are. Otherwise right features with the same geometry, vertex
   * for vertex, are left out. Default false.
   */
  readonly exclusive?: boolean | undefined;
  /** Name of a column for the distance. Default none. */
  readonly distanceColumn?: string | undefined;
  /** Default `"auto"`. */
  readonly metric?: DistanceMetric | undefined;
  /** Columns of the right layer; default all. */
  readonly fields?: readonly string[] | undefined;
  /** Put before the names of the right layer's columns. Default nothing; equal names are then an error. */
  readonly prefix?: string | undefined;
  /** Default `"transform"`: the right layer is brought to the CRS of the left, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Where neighbours are found. Default: here. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Counts of a nearest join, and how it measured. */
export interface NearestReport extends JoinReport {
  metric: "planar" | "geodesic";
  /** Of the distances and of `maxDistance`: `"metre"`, or what the CRS says; `null` without a CRS. */
  unit: string | null;
}

/** A lazy view of a nearest join. */
export interface NearestFeatures extends JoinedFeatures {
  readonly report: NearestReport;
}

/**
 * The left layer with what is nearest to each feature in the right layer: points, lines and polygons to any. One row for
 * every pair, in the order of the left layer; for one left feature nearest first, equally near ones in the order of the
 * right layer. Geometry, id and columns of the left, then the columns of the right, then the distance.
 *
 * Distances are 0 where geometries meet, polygons with their inside. Exact, not approximate: boxes only rule out what
 * cannot be nearest. Null and empty geometries have no neighbour and are nobody's.
 *
 * The right layer is read into memory and indexed once; the left one is streamed, as many times as the result is read.
 *
 * @throws GeoError `CRS_MISMATCH`; `CRS_UNKNOWN` for geodesic distances of a layer without CRS; `INVALID_INPUT` for wrong
 * options and for columns that would have one name
 */
export async function nearestJoin(
  left: FeatureSource | FeatureTable,
  right: FeatureSource | FeatureTable,
  options: NearestJoinOptions = {},
): Promise<NearestFeatures> {
  const { how = "inner", distanceColumn, prefix = "", ties = "all", k = 1, maxDistance = Infinity } = options;
  const { executor = inline } = options;
  checkOptions(options);
  const source = asSource(left, "the left layer");
  const other = asSource(right, "the right layer");
  const { crs, fields: leftFields } = source.schema;
  const metric = chooseMetric(options.metric ?? "auto", crs, source.url);
  const leftNames = leftFields.map(({ name }) => name);
  const pairs = how === "inner" || how === "left";
  const names = pairs
    ? rightNames(other.schema.fields, options.fields, prefix, leftNames, other.url)
    : { from: [], to: [] };
  if (distanceColumn !== undefined) requireFree([distanceColumn], [...leftNames, ...names.to]);
  const warnings: string[] = [];
  const read = await readInCrs(other, crs, names.from, {
    spatial: true,
    onCrsMismatch: options.onCrsMismatch,
    signal: options.signal,
    warnings,
  });
  const toMetric = metricCoordinates(metric, crs);
  const targets = read.geometry === null ? null : toMetric(read.geometry);
  // A feature knows itself by its position, which only an unfiltered layer tells.
  const itself = options.exclusive === true && sameLayer(left, right, source, other);
  const side: NearestSide | null =
    targets === null
      ? null
      : {
          geometry: targets,
          metric,
          k,
          maxDistance,
          ties,
          rank: ties === "lowest-id" ? idRanks(read) : null,
          itself,
          same: options.exclusive === true && !itself ? read.geometry : null,
        };
  /** What threads prepare for themselves, once each. */
  const kept = side === null || executor === inline ? null : executor.keep(side);
  const neighbours = side === null || kept !== null ? null : new Neighbours(side);
  /** Geometries of the right layer never come out. */
  const table: FeatureTable = { ...read, geometry: null };
  const start: Omit<NearestReport, "warnings"> = {
    ...newJoinReport(),
    metric,
    unit: metric === "geodesic" ? "metre" : (crs?.unit.name ?? null),
    rightIn: table.count,
    rightNulls: read.geometry === null ? read.count : emptyRows(read.geometry),
  };
  warnPlaceless(targets === null ? 0 : placelessRows(targets, metric), "right", warnings);
  const report: NearestReport = { ...start, warnings: [...warnings] };

  function find(
    batch: FeatureTable,
    from: GeometryColumn,
    position: number,
  ): NearestPairs | Promise<NearestPairs> {
    const { geometry } = batch;
    const own = from === geometry ? null : geometry;
    if (kept !== null) return executor.call("nearestRows", kept, from, own, position);
    return neighbours === null ? noNeighbours(batch.count) : neighbours.find(from, own, position);
  }

  async function* batches(batchOptions: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    const signal = batchOptions.signal ?? options.signal;
    const { fields, bounds, batchSize } = batchOptions;
    Object.assign(report, start, { warnings: [...warnings] });
    const matchedRight = new Uint8Array(table.count);
    const wanted = fields === undefined ? undefined : leftNames.filter((name) => fields.includes(name));
    const pushed = itself ? undefined : bounds;
    let placeless = 0;
    let position = 0;
    const leftBatches = source.batches({ fields: wanted, bounds: pushed, batchSize, signal });
    const answered = mapOrdered(leftBatches, kept === null ? 1 : executor.concurrency, async (batch) => {
      signal?.throwIfAborted();
      const first = position;
      position += batch.count;
      const from = batch.geometry === null ? null : toMetric(batch.geometry);
      return {
        batch,
        placeless: from === null ? 0 : placelessRows(from, metric),
        found: from === null ? noNeighbours(batch.count) : await find(batch, from, first),
      };
    });
    for await (const { batch, placeless: lost, found } of answered) {
      signal?.throwIfAborted();
      report.leftIn += batch.count;
      report.leftNulls += batch.geometry === null ? batch.count : emptyRows(batch.geometry);
      placeless += lost;
      countPairs(found, matchedRight, report);
      const rows = joinedRows(found, how);
      for (let first = 0; first < rows.left.length; first += LONGEST_BATCH) {
        const end = first + LONGEST_BATCH;
        const kept = takeLeft(batch, rows.left.subarray(first, end));
        const columns: Column[] = [
          ...kept.columns,
          ...takeRight(table, names, rows.right.subarray(first, end)),
        ];
        if (distanceColumn !== undefined)
          columns.push(distanceCells(distanceColumn, rows.distances.subarray(first, end)));
        let joined: FeatureTable = { ...kept, columns, firstRow: report.featuresOut };
        if (itself && bounds !== undefined) joined = takeRows(joined, rowsMeeting(joined, bounds));
        if (joined.count === 0) continue;
        report.featuresOut += joined.count;
        yield fields === undefined ? joined : selectBatch(joined, { fields });
      }
    }
    warnPlaceless(placeless, "left", report.warnings);
    for (let row = 0; row < matchedRight.length; row++) report.rightMatched += matchedRight[row]!;
  }

  const added: Field[] = rightFields(other.schema.fields, names, how === "left");
  if (distanceColumn !== undefined)
    added.push({ name: distanceColumn, type: "float64", nullable: how === "left" || how === "anti" });
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: [...source.warnings, ...other.warnings, ...warnings],
    schema: { ...source.schema, fields: [...leftFields, ...added], count: null, bounds: null },
    report,
    batches,
    close: () => source.close(),
  };
}

function countPairs(
  { starts, rows, tied }: NearestPairs,
  matchedRight: Uint8Array,
  report: NearestReport,
): void {
  report.pairs += rows.length;
  report.tied += tied;
  for (const row of rows) matchedRight[row] = 1;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (starts[i + 1]! > starts[i]!) report.matched++;
    else report.unmatched++;
  }
}

function noNeighbours(count: number): NearestPairs {
  return {
    starts: new Int32Array(count + 1),
    rows: new Int32Array(0),
    distances: new Float64Array(0),
    tied: 0,
  };
}

function checkOptions({ k = 1, maxDistance, metric, how, ties }: NearestJoinOptions): void {
  const wrong = (path: string, value: unknown, expected: string): GeoError =>
    new GeoError("INVALID_INPUT", `${path} ${JSON.stringify(value)} cannot be used, expected ${expected}`, {
      path,
      expected,
    });
  if (!Number.isInteger(k) || k < 1) throw wrong("k", k, "a whole number from 1 up");
  if (maxDistance !== undefined && !(maxDistance >= 0))
    throw wrong("maxDistance", maxDistance, "a distance from 0 up");
  const oneOf = (path: string, value: string | undefined, all: readonly string[]): void => {
    if (value !== undefined && !all.includes(value)) throw wrong(path, value, `one of ${all.join(", ")}`);
  };
  oneOf("metric", metric, ["planar", "geodesic", "auto"]);
  oneOf("how", how, ["inner", "left", "semi", "anti"]);
  oneOf("ties", ties, ["all", "first", "lowest-id"]);
}

function chooseMetric(metric: DistanceMetric, crs: Crs | null, name: string): "planar" | "geodesic" {
  if (metric === "auto") return isGeographic(crs) ? "geodesic" : "planar";
  if (metric === "geodesic" && crs === null) {
    throw new GeoError(
      "CRS_UNKNOWN",
      `${name} does not say in which CRS it is, so metres on the ellipsoid cannot be measured`,
      { crs: "" },
      { hint: "Give the layer a CRS first, or measure in its own units with the planar metric." },
    );
  }
  return metric;
}

/** Coordinates in which the metric is measured: as they are, or longitude and latitude on WGS 84. */
function metricCoordinates(
  metric: "planar" | "geodesic",
  crs: Crs | null,
): (column: GeometryColumn) => GeometryColumn {
  if (metric === "planar" || crs === null || sameCrs(crs, GEOJSON_CRS)) return (column) => column;
  const move = transformer(crs, GEOJSON_CRS);
  return (column) => {
    const xy = column.xy.slice();
    move(xy);
    return { ...column, xy };
  };
}

function sameLayer(
  left: FeatureSource | FeatureTable,
  right: FeatureSource | FeatureTable,
  source: FeatureSource,
  other: FeatureSource,
): boolean {
  if (left === right) return true;
  return (
    source.driver !== "Memory" &&
    source.driver === other.driver &&
    source.url === other.url &&
    source.schema.name === other.schema.name
  );
}

/** Rows of a batch of the result at the most: k neighbours may make many of one batch. */
const LONGEST_BATCH = 65_536;

/** Rows of both layers for each row of the result, -1 and NaN for a left row without a neighbour. */
interface JoinedRows {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly distances: Float64Array;
}

function joinedRows({ starts, rows, distances }: NearestPairs, how: JoinHow): JoinedRows {
  const count = starts.length - 1;
  const capacity = rows.length + count;
  const left = new Int32Array(capacity);
  const right = new Int32Array(capacity);
  const apart = new Float64Array(capacity);
  let to = 0;
  for (let i = 0; i < count; i++) {
    const first = starts[i]!;
    const end = how === "semi" ? Math.min(first + 1, starts[i + 1]!) : starts[i + 1]!;
    if (first === end) {
      if (how !== "left" && how !== "anti") continue;
      left[to] = i;
      right[to] = -1;
      apart[to++] = Number.NaN;
    } else if (how !== "anti") {
      for (let at = first; at < end; at++) {
        left[to] = i;
        right[to] = rows[at]!;
        apart[to++] = distances[at]!;
      }
    }
  }
  return { left: left.subarray(0, to), right: right.subarray(0, to), distances: apart.subarray(0, to) };
}

function distanceCells(name: string, distances: Float64Array): Column {
  const values = distances.slice();
  let valid: Uint8Array | null = null;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]!)) continue;
    valid ??= new Uint8Array(values.length).fill(1);
    valid[i] = 0;
    values[i] = 0;
  }
  return { name, type: "float64", nullable: valid !== null, valid, values };
}

/** Place of each row when rows are put in the order of their ids: numbers first, then text, then rows without. */
function idRanks({ ids, count }: FeatureTable): Int32Array | null {
  if (ids === null) return null;
  const order = Array.from({ length: count }, (_, row) => row);
  order.sort((a, b) => compareIds(ids[a] ?? null, ids[b] ?? null) || a - b);
  const ranks = new Int32Array(count);
  for (const [rank, row] of order.entries()) ranks[row] = rank;
  return ranks;
}

function compareIds(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Rows that have vertices, but none that is a place: not finite, or for the ellipsoid beyond 90 degrees of latitude. */
function placelessRows(
  { types, geometries, parts, rings, xy }: GeometryColumn,
  metric: "planar" | "geodesic",
): number {
  const north = metric === "geodesic" ? 90 : Infinity;
  let count = 0;
  for (let row = 0; row < types.length; row++) {
    const start = rings[parts[geometries[row]!]!]!;
    const end = rings[parts[geometries[row + 1]!]!]!;
    let v = start;
    while (v < end && !(Number.isFinite(xy[2 * v]! + xy[2 * v + 1]!) && Math.abs(xy[2 * v + 1]!) <= north))
      v++;
    if (v === end && start < end) count++;
  }
  return count;
}

function warnPlaceless(count: number, side: "left" | "right", warnings: string[]): void {
  if (count === 0) return;
  warnings.push(
    `${count} features of the ${side} layer have no place (coordinates that are not finite, or latitudes beyond 90 degrees): they have no neighbour`,
  );
}

function emptyRows({ types, geometries, parts, rings }: GeometryColumn): number {
  let empty = 0;
  for (let row = 0; row < types.length; row++) {
    if (rings[parts[geometries[row]!]!]! === rings[parts[geometries[row + 1]!]!]!) empty++;
  }
  return empty;
}
