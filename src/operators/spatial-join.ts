import { type Executor, inline } from "../execution/executor.ts";
import type { PairPredicate } from "../kernels/vector/join/find-pairs.ts";
import { isGeographic } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type BatchOptions,
  type Column,
  ColumnBuilder,
  type FeatureSource,
  type FeatureTable,
  type Field,
  selectBatch,
  tableSource,
} from "../model/features.ts";
import { type GeometryColumn, geometryCount, rowBounds } from "../model/geometry.ts";
import type { Bounds } from "../model/grid.ts";
import { aggregateColumns, aggregateFields, type JoinAggregate, needsOverlap } from "./join/aggregate.ts";
import { type AsOfCondition, checkAsOf } from "./join/as-of.ts";
import {
  type RightNames,
  requireFree,
  rightFields,
  rightNames,
  takeLeft,
  takeRight,
} from "./join/columns.ts";
import {
  type JoinedFeatures,
  type JoinHow,
  type JoinReport,
  type JoinTies,
  newJoinReport,
} from "./join/joined.ts";
import { checkOn, type OnCondition } from "./join/keys.ts";
import { type MatchConditions, Matcher, type Matches } from "./join/match.ts";
import { readInCrs } from "./join/read-right.ts";
import { mapOrdered } from "./map-concurrent.ts";
import type { OnCrsMismatch } from "./region.ts";

export type { AggregateOperation, JoinAggregate } from "./join/aggregate.ts";
export { parseAggregates } from "./join/aggregate.ts";
export type { AsOfCondition } from "./join/as-of.ts";
export type { JoinedFeatures, JoinHow, JoinReport, JoinTies } from "./join/joined.ts";
export type { OnCondition } from "./join/keys.ts";

/** Condition in space, read from left to right: left `within` right. `"none"`: attributes alone decide. */
export type JoinPredicate = PairPredicate | "none";

export interface SpatialJoinOptions {
  /** Default `"intersects"`; for `dwithin` pass `distance` too. */
  readonly predicate?: JoinPredicate | undefined;
  /** For `dwithin`: metres when the left layer is in longitude and latitude, else units of its CRS. */
  readonly distance?: number | undefined;
  /** Default `"inner"`; with aggregates `"left"`. */
  readonly how?: JoinHow | undefined;
  /** Attributes that must be equal besides; all of them. Types are compared as {@link OnCondition} says. */
  readonly on?: readonly OnCondition[] | undefined;
  /** A condition in time besides. */
  readonly asOf?: AsOfCondition | undefined;
  /** Attributes of the right layer in the result; default all but those of `on` that are called the same on both sides. */
  readonly fields?: readonly string[] | undefined;
  /** Put before the names of everything that comes from the right layer. Default none: names that clash are an error. */
  readonly prefix?: string | undefined;
  /** One row for each left feature with these columns, instead of one for each pair with those of the right layer. */
  readonly aggregate?: readonly JoinAggregate[] | undefined;
  /**
   * Of the partners of a left feature, only the one that shares most with it: area between polygons, length where a
   * line is involved. Default false.
   */
  readonly largestOverlap?: boolean | undefined;
  /** Only partners that share at least this part of the left feature's area or length, 0 to 1. */
  readonly minOverlapShare?: number | undefined;
  /** Of which feature `minOverlapShare` is a share. Default `"left"`. */
  readonly shareOf?: "left" | "right" | "smaller" | undefined;
  /** Only partners that share at least this: square metres in longitude and latitude, else square units of the CRS. */
  readonly minOverlapArea?: number | undefined;
  /**
   * `"half-open"`: each left point goes to one polygon of a partition, also when it is on a border or corner: to the one
   * that lies just right of it (above the border when that runs level); on the outer edge, where there is none, to the
   * first that it touches. Takes the place of the predicate.
   */
  readonly assign?: "half-open" | undefined;
  /**
   * Which of several right features that qualify equally: default `"all"`. They qualify equally when they share the same
   * (to 1e-12 of it) with `largestOverlap`, lie equally near in time with `asOf`, and without either in any case: then
   * `"first"` and `"lowest-id"` give each left feature one partner.
   */
  readonly ties?: JoinTies | undefined;
  /**
   * How distances, areas and lengths are measured. Default: on the WGS 84 ellipsoid, in metres, when the left layer is in
   * longitude and latitude, else in the plane of its CRS.
   */
  readonly measure?: "ellipsoid" | "plane" | undefined;
  /** Name of a column with what each pair shares. */
  readonly overlapColumn?: string | undefined;
  /** Name of a column with the days between the two times of `asOf`. */
  readonly differenceColumn?: string | undefined;
  /** Name of a column with the id of the right feature; its position in the layer where it has none. */
  readonly rightIdColumn?: string | undefined;
  /** Default `"transform"`: the right layer is brought to the left one's CRS, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /**
   * Where pairs are found and measured. Default: here. Attributes and times are always compared here, and points located,
   * which is quick. Threads gain most where overlaps are measured; a join by a predicate alone spends most of its time on
   * reading and writing.
   */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Join two layers by where their features lie, by equal attributes, by times, or all of these.
 *
 * The right layer is read into memory and indexed once; the left one streams batch by batch, in its order, as many
 * times as the result is read. Rows come in the order of the left layer and, for one left feature, of the right one.
 * Geometry and ids are those of the left feature; a left feature with several partners comes out several times.
 * Features without geometry have no partner. Types and nulls of all columns stay.
 *
 * @throws GeoError `INVALID_INPUT` for columns that are not there, cannot be compared or would have the same name, and for
 * options that exclude each other; `CRS_MISMATCH`; later, from the batches, `INVALID_GEOMETRY` for a half-open
 * assignment of anything but points
 */
export async function spatialJoin(
  left: FeatureSource | FeatureTable,
  right: FeatureSource | FeatureTable,
  options: SpatialJoinOptions = {},
): Promise<JoinedFeatures> {
  const leftSource = "batches" in left ? left : tableSource(left, "the left layer");
  const rightSource = "batches" in right ? right : tableSource(right, "the right layer");
  const plan = planJoin(leftSource, rightSource, options);
  const warnings: string[] = [];
  const read = await readInCrs(rightSource, leftSource.schema.crs, plan.rightColumns, {
    spatial: plan.conditions.predicate !== "none",
    onCrsMismatch: options.onCrsMismatch,
    signal: options.signal,
    warnings,
  });
  const matcher = new Matcher(read, plan.conditions, options.executor ?? inline);
  const rightNulls = read.geometry === null ? read.count : emptyRows(read.geometry);
  const near = plan.onlyNear ? boundsOf(read.geometry) : null;
  /** Geometries of the right layer never come out: the matcher has them, in shared memory when there are threads. */
  const table: FeatureTable = { ...read, geometry: null };
  const report = newJoinReport();

  async function* batches(batchOptions: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    Object.assign(report, newJoinReport(), { rightIn: table.count, rightNulls, warnings: [...warnings] });
    const { fields, ...rest } = batchOptions;
    const signal = rest.signal ?? options.signal;
    const { count } = leftSource.schema;
    // Without a count in the header every feature must be seen to be counted.
    const skips = INDEXED.has(leftSource.driver) && count !== null && rest.bounds === undefined;
    const pushed = near !== null && skips ? { bounds: near } : {};
    const matchedRight = new Uint8Array(table.count);
    let seen = 0;
    const leftBatches = leftSource.batches({ ...rest, signal, ...pushed });
    const matched = mapOrdered(leftBatches, matcher.concurrency, async (batch) => {
      signal?.throwIfAborted();
      return { batch, matches: await matcher.match(batch) };
    });
    for await (const { batch, matches } of matched) {
      signal?.throwIfAborted();
      seen += batch.count;
      report.leftNulls += batch.geometry === null ? batch.count : emptyRows(batch.geometry);
      countMatches(matches, matchedRight, report);
      for (const part of rowsOut(plan, batch, table, matches, matcher)) {
        const chosen = fields === undefined ? part : selectBatch(part, { fields });
        yield { ...chosen, firstRow: report.featuresOut };
        report.featuresOut += part.count;
      }
    }
    report.leftIn = "bounds" in pushed ? count! : seen;
    report.unmatched = report.leftIn - report.matched;
    for (let row = 0; row < matchedRight.length; row++) report.rightMatched += matchedRight[row]!;
  }

  const { schema } = leftSource;
  return {
    url: leftSource.url,
    driver: leftSource.driver,
    layers: leftSource.layers,
    warnings: [...leftSource.warnings, ...rightSource.warnings, ...warnings],
    schema: { ...schema, fields: [...schema.fields, ...plan.added(table)], count: null, bounds: null },
    report,
    batches,
    close: () => leftSource.close(),
  };
}

/** Formats that find the features in a box without reading the others. */
const INDEXED: ReadonlySet<string> = new Set(["FlatGeobuf", "GeoPackage", "GeoParquet"]);

function countMatches({ left, right, tied }: Matches, matchedRight: Uint8Array, report: JoinReport): void {
  report.pairs += left.length;
  report.tied += tied;
  for (let k = 0; k < left.length; k++) {
    if (k === 0 || left[k] !== left[k - 1]) report.matched++;
    matchedRight[right[k]!] = 1;
  }
}

function emptyRows({ geometries }: GeometryColumn): number {
  let count = 0;
  for (let row = 0; row + 1 < geometries.length; row++) if (geometries[row] === geometries[row + 1]) count++;
  return count;
}

/** Bounds of all rows; `null` when none has any. */
function boundsOf(geometry: GeometryColumn | null): Bounds | null {
  if (geometry === null) return null;
  const boxes = rowBounds(geometry);
  const all: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let row = 0; row < geometryCount(geometry); row++) {
    all[0] = Math.min(all[0], boxes[4 * row]!);
    all[1] = Math.min(all[1], boxes[4 * row + 1]!);
    all[2] = Math.max(all[2], boxes[4 * row + 2]!);
    all[3] = Math.max(all[3], boxes[4 * row + 3]!);
  }
  return all[0] <= all[2] ? all : null;
}

/** A join as it will be run: checked, with every default settled. */
interface JoinPlan {
  readonly conditions: MatchConditions;
  readonly how: JoinHow;
  /** Columns to read of the right layer. */
  readonly rightColumns: readonly string[];
  /** Columns of the right layer in the result; none in semi and anti joins and with aggregates. */
  readonly names: RightNames;
  readonly aggregates: readonly JoinAggregate[];
  readonly aggregateFields: readonly Field[];
  readonly overlapColumn: string | null;
  readonly differenceColumn: string | null;
  readonly rightIdColumn: string | null;
  /** Left features away from all right ones do not come out and need not be read. */
  readonly onlyNear: boolean;
  /** What the result has besides the columns of the left layer. */
  added(right: FeatureTable): Field[];
}

function planJoin(left: FeatureSource, right: FeatureSource, options: SpatialJoinOptions): JoinPlan {
  const { prefix = "", on = [], aggregate = [], asOf, assign, measure } = options;
  const predicate = options.predicate ?? "intersects";
  const how = options.how ?? (aggregate.length > 0 ? "left" : "inner");
  const leftFields = left.schema.fields;
  const rightFieldList = right.schema.fields;
  const labels = [left.url, right.url] as const;
  checkOptions(options, predicate, how);
  checkOn(on, leftFields, rightFieldList, labels);
  if (asOf !== undefined) checkAsOf(asOf, leftFields, rightFieldList, labels);
  const geographic = isGeographic(left.schema.crs);
  if (measure === "ellipsoid" && !geographic) {
    throw wrong(
      "measure",
      "the left layer is not in longitude and latitude, so nothing is measured on the ellipsoid",
      "plane",
    );
  }
  const onEllipsoid = measure === undefined ? geographic : measure === "ellipsoid";
  const leftNames = leftFields.map(({ name }) => name);
  const plain = how === "semi" || how === "anti";
  const none: RightNames = { from: [], to: [] };
  const names =
    plain || aggregate.length > 0
      ? none
      : rightNames(
          rightFieldList,
          options.fields ?? withoutKeys(rightFieldList, on),
          prefix,
          leftNames,
          right.url,
        );
  const aggregated = aggregateFields(aggregate, rightFieldList, prefix, right.url);
  const extras = [options.overlapColumn, options.differenceColumn, options.rightIdColumn].filter(
    (name) => name !== undefined,
  );
  requireFree([...names.to, ...aggregated.map(({ name }) => name), ...extras], leftNames);
  const needed = [
    ...names.from,
    ...on.map((condition) => condition.right),
    ...(asOf === undefined ? [] : [asOf.right]),
    ...aggregate.flatMap(({ field, weight }) => [field, weight]),
  ].filter((name) => name !== undefined);
  const conditions: MatchConditions = {
    predicate,
    distance: options.distance ?? 0,
    geodesic: onEllipsoid,
    halfOpen: assign === "half-open",
    on,
    asOf: asOf ?? null,
    surface: onEllipsoid ? "ellipsoid" : "plane",
    measured:
      options.largestOverlap === true ||
      (options.minOverlapShare ?? 0) > 0 ||
      (options.minOverlapArea ?? 0) > 0 ||
      options.overlapColumn !== undefined ||
      aggregate.some(needsOverlap),
    largestOverlap: options.largestOverlap === true,
    minOverlapShare: options.minOverlapShare ?? 0,
    minOverlapArea: options.minOverlapArea ?? 0,
    shareOf: options.shareOf ?? "left",
    ties: options.ties ?? "all",
  };
  const nullable = how === "left";
  return {
    conditions,
    how,
    rightColumns: [...new Set(needed)],
    names,
    aggregates: aggregate,
    aggregateFields: aggregated,
    overlapColumn: options.overlapColumn ?? null,
    differenceColumn: options.differenceColumn ?? null,
    rightIdColumn: options.rightIdColumn ?? null,
    onlyNear:
      (how === "inner" || how === "semi") &&
      predicate !== "none" &&
      predicate !== "disjoint" &&
      predicate !== "dwithin",
    added: (table) => [
      ...rightFields(rightFieldList, names, nullable),
      ...aggregated,
      ...(options.overlapColumn === undefined ? [] : [numberField(options.overlapColumn, nullable)]),
      ...(options.differenceColumn === undefined ? [] : [numberField(options.differenceColumn, nullable)]),
      ...(options.rightIdColumn === undefined ? [] : [idField(options.rightIdColumn, table, nullable)]),
    ],
  };
}

/** All columns but those that are equal to one of the left layer with the same name. */
function withoutKeys(fields: readonly Field[], on: readonly OnCondition[]): string[] {
  const keys = new Set(on.filter((one) => one.left === one.right).map((one) => one.right));
  return fields.map(({ name }) => name).filter((name) => !keys.has(name));
}

function numberField(name: string, nullable: boolean): Field {
  return { name, type: "float64", nullable };
}

/** Ids that are all whole numbers, or none at all: numbers; else text. */
function idField(name: string, { ids }: FeatureTable, nullable: boolean): Field {
  const numbers = ids === null || ids.every((id) => id === null || Number.isSafeInteger(id));
  const missing = ids?.includes(null) === true;
  return { name, type: numbers ? "int64" : "string", nullable: nullable || missing };
}

function checkOptions(options: SpatialJoinOptions, predicate: JoinPredicate, how: JoinHow): void {
  const { aggregate = [], on = [], distance, minOverlapShare, minOverlapArea } = options;
  if (predicate === "none" && on.length === 0) {
    throw wrong(
      "on",
      "a join without a predicate needs attributes that must be equal",
      "on: [{left, right}]",
    );
  }
  if (predicate === "dwithin" && !(distance !== undefined && distance >= 0 && Number.isFinite(distance)))
    throw wrong("distance", `dwithin needs a distance, found ${distance ?? "none"}`, "a distance, 0 or more");
  if (predicate !== "dwithin" && distance !== undefined)
    throw wrong(
      "distance",
      `a distance is only used by dwithin, the predicate is ${predicate}`,
      "predicate dwithin",
    );
  if (minOverlapShare !== undefined && !(minOverlapShare >= 0 && minOverlapShare <= 1))
    throw wrong("min-overlap-share", `a share of ${minOverlapShare} is not usable`, "a share from 0 to 1");
  if (minOverlapArea !== undefined && !(minOverlapArea >= 0))
    throw wrong("min-overlap-area", `an area of ${minOverlapArea} is not usable`, "an area, 0 or more");
  if (options.assign === "half-open" && !ASSIGNABLE.has(predicate))
    throw wrong(
      "assign",
      `points cannot be assigned half-open with ${predicate}`,
      "intersects, within or coveredBy",
    );
  const overlapping =
    options.largestOverlap === true ||
    (minOverlapShare ?? 0) > 0 ||
    (minOverlapArea ?? 0) > 0 ||
    options.overlapColumn !== undefined ||
    aggregate.some(needsOverlap);
  if (overlapping && (predicate === "none" || predicate === "disjoint"))
    throw wrong(
      "predicate",
      `what features share needs a condition in space, the predicate is ${predicate}`,
      "intersects",
    );
  if (options.differenceColumn !== undefined && options.asOf === undefined)
    throw wrong("difference-column", "there is no difference without a condition in time", "asOf");
  const extras = [options.overlapColumn, options.differenceColumn, options.rightIdColumn];
  const paired = options.fields !== undefined || extras.some((name) => name !== undefined);
  if (aggregate.length > 0 && (how === "semi" || how === "anti"))
    throw wrong("how", `a ${how} join has no columns of the right layer to aggregate`, "inner or left");
  if (aggregate.length > 0 && paired)
    throw wrong(
      "aggregate",
      "with aggregates there is one row for several pairs, and no columns of one",
      "only aggregates",
    );
  if ((how === "semi" || how === "anti") && paired)
    throw wrong("how", `a ${how} join gives only columns of the left layer`, "inner or left");
}

const ASSIGNABLE: ReadonlySet<JoinPredicate> = new Set<JoinPredicate>(["intersects", "within", "coveredBy"]);

function wrong(path: string, message: string, expected: string): GeoError {
  return new GeoError("INVALID_INPUT", `${message}; expected ${expected}`, { path, expected });
}

/** Rows of one table of the result at the most; each copies a geometry. */
const ROWS_OUT = 65536;

/** What comes out for one left batch, in tables of bounded size. */
function* rowsOut(
  plan: JoinPlan,
  batch: FeatureTable,
  right: FeatureTable,
  matches: Matches,
  matcher: Matcher,
): Generator<FeatureTable> {
  const { how, aggregates } = plan;
  if (aggregates.length > 0) {
    const table = aggregated(plan, batch, right, matches, matcher);
    if (table.count > 0) yield table;
    return;
  }
  if (how === "semi" || how === "anti") {
    const table = takeLeft(batch, leftRows(batch.count, matches.left, how === "semi"));
    if (table.count > 0) yield table;
    return;
  }
  const pairs = how === "left" ? withUnmatched(batch.count, matches) : everyPair(matches);
  for (let first = 0; first < pairs.left.length; first += ROWS_OUT) {
    const end = Math.min(first + ROWS_OUT, pairs.left.length);
    const table = takeLeft(batch, pairs.left.subarray(first, end));
    const rows = pairs.right.subarray(first, end);
    const at = pairs.at.subarray(first, end);
    const columns = [...table.columns, ...takeRight(right, plan.names, rows)];
    if (plan.overlapColumn !== null) columns.push(numbers(plan.overlapColumn, matches.overlaps!, at));
    if (plan.differenceColumn !== null) columns.push(numbers(plan.differenceColumn, matches.days!, at));
    if (plan.rightIdColumn !== null) columns.push(idColumn(plan.rightIdColumn, right, rows));
    yield { ...table, columns };
  }
}

/** Left and right row of each row of the result, and its place among the matches; -1 without a partner. */
interface PairRows {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly at: Int32Array;
}

function everyPair({ left, right }: Matches): PairRows {
  return { left, right, at: Int32Array.from({ length: left.length }, (_, k) => k) };
}

/** The pairs, with left rows that have none in their place. */
function withUnmatched(count: number, { left, right }: Matches): PairRows {
  let unmatched = count;
  for (let k = 0; k < left.length; k++) if (k === 0 || left[k] !== left[k - 1]) unmatched--;
  const out = {
    left: new Int32Array(left.length + unmatched),
    right: new Int32Array(left.length + unmatched),
    at: new Int32Array(left.length + unmatched),
  };
  let k = 0;
  let n = 0;
  for (let row = 0; row < count; row++) {
    const first = k;
    for (; k < left.length && left[k] === row; k++) {
      out.left[n] = row;
      out.right[n] = right[k]!;
      out.at[n++] = k;
    }
    if (k > first) continue;
    out.left[n] = row;
    out.right[n] = -1;
    out.at[n++] = -1;
  }
  return out;
}

/** Left rows with a partner, or without one. */
function leftRows(count: number, left: Int32Array, matched: boolean): Int32Array {
  const has = new Uint8Array(count);
  for (let k = 0; k < left.length; k++) has[left[k]!] = 1;
  const rows: number[] = [];
  for (let row = 0; row < count; row++) if ((has[row] === 1) === matched) rows.push(row);
  return Int32Array.from(rows);
}

function aggregated(
  plan: JoinPlan,
  batch: FeatureTable,
  right: FeatureTable,
  matches: Matches,
  matcher: Matcher,
): FeatureTable {
  const { left, right: rows, overlaps } = matches;
  const taken = plan.how === "left" ? null : leftRows(batch.count, left, true);
  const count = taken === null ? batch.count : taken.length;
  const starts = new Int32Array(count + 1);
  let k = 0;
  for (let i = 0; i < count; i++) {
    const row = taken === null ? i : taken[i]!;
    while (k < left.length && left[k]! <= row) k++;
    starts[i + 1] = k;
  }
  const extensive = plan.aggregates.some(({ operation }) => operation === "extensive");
  const columns = aggregateColumns(plan.aggregates, plan.aggregateFields, right, {
    starts,
    rows,
    overlaps,
    shares: extensive ? matcher.rightShares(batch, matches) : null,
  });
  const table = taken === null ? batch : takeLeft(batch, taken);
  return { ...table, columns: [...table.columns, ...columns] };
}

function numbers(name: string, values: Float64Array, at: Int32Array): Column {
  const builder = new ColumnBuilder({ name, type: "float64", nullable: false });
  for (let i = 0; i < at.length; i++) {
    if (at[i]! < 0) builder.pushNull();
    else builder.pushNumber(values[at[i]!]!);
  }
  return builder.finish();
}

function idColumn(name: string, right: FeatureTable, rows: Int32Array): Column {
  const builder = new ColumnBuilder(idField(name, right, false));
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    builder.push(row < 0 ? null : right.ids === null ? row + right.firstRow : right.ids[row]!);
  }
  return builder.finish();
}
