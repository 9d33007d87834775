import { distanceRows } from "../kernels/vector/distance/distance-rows.ts";
import { geodesicDistanceRows } from "../kernels/vector/distance/geodesic-distance.ts";
import { PairFinder, type Pairs } from "../kernels/vector/join/find-pairs.ts";
import { type Predicate, testRows } from "../kernels/vector/relate/predicates.ts";
import { isGeographic } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  asSource,
  type BatchOptions,
  type Column,
  ColumnBuilder,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  type Field,
  isNull,
  type JsonValue,
  selectBatch,
  takeRows,
  textAt,
  valueAt,
} from "../model/features.ts";
import { geometryToGeoJson } from "../model/geojson.ts";
import { jsonOf } from "./join/aggregate.ts";
import { requireField, requireFree } from "./join/columns.ts";
import { type JoinedFeatures, newJoinReport } from "./join/joined.ts";
import { checkOn, type KeyIndex, keyIndex } from "./join/keys.ts";
import { readInCrs } from "./join/read-right.ts";
import type { OnCrsMismatch } from "./region.ts";

/**
 * A condition between a primary (left) and a secondary (right) feature, by the names of Earth Engine's filters.
 *
 * - `intersects`, `disjoint`; `contains`: the primary contains the secondary; `isContained`: it is within it.
 * - `withinDistance`: `distance` in metres in longitude and latitude, else in units of the CRS. Measures the distance.
 * - `maxDifference`: two numbers, or two times in milliseconds, differ by `difference` at the most. Measures the difference.
 * - Comparisons of two properties of one kind; null compares with nothing, `notEquals` included.
 */
export type EeFilter =
  | { readonly type: "intersects" | "disjoint" | "contains" | "isContained" }
  | { readonly type: "withinDistance"; readonly distance: number }
  | {
      readonly type: "maxDifference";
      readonly difference: number;
      readonly leftField: string;
      readonly rightField: string;
    }
  | {
      readonly type:
        | "equals"
        | "notEquals"
        | "lessThan"
        | "lessThanOrEquals"
        | "greaterThan"
        | "greaterThanOrEquals";
      readonly leftField: string;
      readonly rightField: string;
    };

/** One filter, or several that must all hold (`ee.Filter.and`). */
export type EeCondition = EeFilter | readonly EeFilter[];

export interface EeJoinOptions {
  /** Keep primary features without a match, with null in its place. Default false. */
  readonly outer?: boolean | undefined;
  /** Property of each match that holds the measure of the condition's distance or difference. */
  readonly measureKey?: string | undefined;
  /** Give matches their geometry; without it the geometry of a match is null. Default false. */
  readonly geometry?: boolean | undefined;
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SaveOptions extends EeJoinOptions {
  /** Property of the secondary features that orders the matches. Default: the order of the secondary layer. */
  readonly ordering?: string | undefined;
  /** Default true. Nulls come last either way, equal values in the order of the secondary layer. */
  readonly ascending?: boolean | undefined;
}

type Layer = FeatureSource | FeatureTable;

/**
 * Each primary feature with a list of all its matches, as `ee.Join.saveAll`. Primary features come in their order;
 * those without a match are left out unless `outer`. The list is a JSON column `matchesKey` of GeoJSON features.
 */
export async function saveAll(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: SaveOptions & { readonly matchesKey: string },
): Promise<JoinedFeatures> {
  return await run(primary, secondary, condition, {
    ...options,
    keys: [options.matchesKey],
    choose: "all",
  });
}

/**
 * Each primary feature with its first match, as `ee.Join.saveFirst`: the first by `ordering`, else the first in the order of
 * the secondary layer (Earth Engine promises no order then). The match is a JSON column `matchKey`, one GeoJSON feature.
 */
export async function saveFirst(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: SaveOptions & { readonly matchKey: string },
): Promise<JoinedFeatures> {
  return await run(primary, secondary, condition, { ...options, keys: [options.matchKey], choose: "first" });
}

/**
 * Each primary feature with its best match, as `ee.Join.saveBest`: the one with the smallest measure of the condition, which
 * must hold exactly one distance or difference; of equal measures the first in the order of the secondary layer.
 *
 * @throws GeoError `INVALID_INPUT` when the condition measures nothing, or two things
 */
export async function saveBest(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: EeJoinOptions & { readonly matchKey: string; readonly measureKey: string },
): Promise<JoinedFeatures> {
  return await run(primary, secondary, condition, { ...options, keys: [options.matchKey], choose: "best" });
}

/**
 * Every pair of primary and secondary feature, as `ee.Join.inner`: in the order of the primary layer and, for one primary
 * feature, of the secondary one. JSON columns `primaryKey` and `secondaryKey` hold the two features. Unlike Earth Engine,
 * the geometry of a pair is that of its primary feature, not null.
 */
export async function inner(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: Omit<EeJoinOptions, "outer"> & {
    /** Default `"primary"`. */
    readonly primaryKey?: string | undefined;
    /** Default `"secondary"`. */
    readonly secondaryKey?: string | undefined;
  } = {},
): Promise<JoinedFeatures> {
  const { primaryKey = "primary", secondaryKey = "secondary" } = options;
  return await run(primary, secondary, condition, {
    ...options,
    keys: [primaryKey, secondaryKey],
    choose: "pairs",
  });
}

/** Primary features that have a match, as they are and in their order; `ee.Join.simple`. */
export async function simple(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: Pick<EeJoinOptions, "onCrsMismatch" | "signal"> = {},
): Promise<JoinedFeatures> {
  return await run(primary, secondary, condition, { ...options, keys: [], choose: "matched" });
}

/** Primary features that have no match, as they are and in their order; `ee.Join.inverted`. */
export async function inverted(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: Pick<EeJoinOptions, "onCrsMismatch" | "signal"> = {},
): Promise<JoinedFeatures> {
  return await run(primary, secondary, condition, { ...options, keys: [], choose: "unmatched" });
}

/** What becomes of the matches of a primary feature. */
type Choice = "all" | "first" | "best" | "pairs" | "matched" | "unmatched";

interface RunOptions extends SaveOptions {
  /** Columns that the result has besides those of the primary layer; for pairs, instead of them. */
  readonly keys: readonly string[];
  readonly choose: Choice;
}

async function run(
  primary: Layer,
  secondary: Layer,
  condition: EeCondition,
  options: RunOptions,
): Promise<JoinedFeatures> {
  const { keys, choose, outer = false, measureKey, ordering } = options;
  const left = asSource(primary, "the primary layer");
  const right = asSource(secondary, "the secondary layer");
  const filters = Array.isArray(condition) ? (condition as readonly EeFilter[]) : [condition as EeFilter];
  checkFilters(filters, left, right);
  const measures = filters.filter(isMeasure);
  if (choose === "best" && measures.length !== 1) {
    throw new GeoError(
      "INVALID_INPUT",
      `saveBest needs exactly one distance or difference in its condition, found ${measures.length}`,
      { path: "condition", expected: "one withinDistance or maxDifference" },
    );
  }
  if (measureKey !== undefined && measures.length === 0) {
    throw new GeoError("INVALID_INPUT", `nothing is measured that "${measureKey}" could hold`, {
      path: "measureKey",
      expected: "a condition with withinDistance or maxDifference",
    });
  }
  if (ordering !== undefined) requireField(right.schema.fields, ordering, "ordering", right.url);
  requireFree(keys, choose === "pairs" ? [] : left.schema.fields.map(({ name }) => name));
  const warnings: string[] = [];
  const table = await readInCrs(
    right,
    left.schema.crs,
    right.schema.fields.map(({ name }) => name),
    {
      spatial: filters.some((filter) => SPATIAL.has(filter.type)),
      onCrsMismatch: options.onCrsMismatch,
      signal: options.signal,
      warnings,
    },
  );
  const conditions = new Conditions(filters, table, isGeographic(left.schema.crs));
  const ranks = ordering === undefined ? null : ranksBy(table, ordering, options.ascending ?? true);
  const report = newJoinReport();
  const added: Field[] = keys.map((name) => ({ name, type: "json", nullable: outer }));
  const fields = choose === "pairs" ? added : [...left.schema.fields, ...added];

  async function* batches(read: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    Object.assign(report, newJoinReport(), { rightIn: table.count, warnings: [...warnings] });
    const { fields: wanted, ...rest } = read;
    const matchedRight = new Uint8Array(table.count);
    for await (const batch of left.batches({ ...rest, signal: read.signal ?? options.signal })) {
      report.leftIn += batch.count;
      const groups = matchesOf(conditions, batch, choose, ranks);
      for (const group of groups) {
        if (group.length > 0) report.matched++;
        report.pairs += group.length;
        for (const { row } of group) matchedRight[row] = 1;
      }
      const out = shape(batch, table, groups, options);
      const selected = wanted === undefined ? out : selectBatch(out, { fields: wanted });
      if (selected.count > 0) yield { ...selected, firstRow: report.featuresOut };
      report.featuresOut += out.count;
    }
    report.unmatched = report.leftIn - report.matched;
    for (const one of matchedRight) report.rightMatched += one;
  }

  return {
    url: left.url,
    driver: left.driver,
    layers: left.layers,
    warnings: [...left.warnings, ...right.warnings, ...warnings],
    schema: { ...left.schema, fields, count: null, bounds: null },
    report,
    batches,
    close: () => left.close(),
  };
}

/** A secondary row, and the measure of the condition; NaN when nothing is measured. */
interface Match {
  readonly row: number;
  readonly measure: number;
}

/** The matches of each primary row that are kept, in the order that they come out. */
function matchesOf(
  conditions: Conditions,
  batch: FeatureTable,
  choose: Choice,
  ranks: Int32Array | null,
): Match[][] {
  const groups: Match[][] = Array.from({ length: batch.count }, () => []);
  const { left, right, measures } = conditions.pairs(batch);
  for (let k = 0; k < left.length; k++) groups[left[k]!]!.push({ row: right[k]!, measure: measures[k]! });
  return groups.map((group) => {
    if (choose === "all") return ranks === null ? group : group.sort((a, b) => ranks[a.row]! - ranks[b.row]!);
    if (choose === "pairs" || group.length < 2) return group;
    let best = group[0]!;
    for (const match of group) {
      const better =
        choose === "best"
          ? match.measure < best.measure
          : choose === "first" && ranks !== null && ranks[match.row]! < ranks[best.row]!;
      if (better) best = match;
    }
    return [best];
  });
}

function shape(
  batch: FeatureTable,
  right: FeatureTable,
  groups: readonly Match[][],
  options: RunOptions,
): FeatureTable {
  const { choose, keys, outer = false, measureKey, geometry = false } = options;
  const rows: number[] = [];
  for (const [row, group] of groups.entries()) {
    if (choose === "pairs") for (let k = 0; k < group.length; k++) rows.push(row);
    else if (choose === "unmatched" ? group.length === 0 : outer || group.length > 0) rows.push(row);
  }
  const table = takeRows(batch, rows);
  if (keys.length === 0) return table;
  const columns: Column[] = [];
  if (choose === "pairs") {
    const builder = new ColumnBuilder({ name: keys[0]!, type: "json", nullable: false });
    for (const row of rows) builder.push(featureOf(batch, row, geometry));
    columns.push(builder.finish());
  }
  const builder = new ColumnBuilder({ name: keys.at(-1)!, type: "json", nullable: outer });
  const feature = ({ row, measure }: Match): JsonValue =>
    featureOf(right, row, geometry, measureKey === undefined ? undefined : [measureKey, measure]);
  if (choose === "pairs") for (const group of groups) for (const match of group) builder.push(feature(match));
  else {
    for (const row of rows) {
      const group = groups[row]!;
      if (group.length === 0) builder.pushNull();
      else builder.push(choose === "all" ? group.map(feature) : feature(group[0]!));
    }
  }
  columns.push(builder.finish());
  return { ...table, columns: choose === "pairs" ? columns : [...table.columns, ...columns] };
}

/** A row as a GeoJSON feature. */
function featureOf(
  table: FeatureTable,
  row: number,
  geometry: boolean,
  measure?: readonly [name: string, value: number],
): { readonly [key: string]: JsonValue } {
  const properties: Record<string, JsonValue> = {};
  for (const column of table.columns) properties[column.name] = jsonOf(valueAt(column, row));
  if (measure !== undefined) properties[measure[0]] = measure[1];
  const id = table.ids === null ? table.firstRow + row : table.ids[row]!;
  const shape = geometry && table.geometry !== null ? geometryToGeoJson(table.geometry, row) : null;
  return {
    type: "Feature",
    ...(id === null ? {} : { id }),
    geometry: shape as unknown as JsonValue,
    properties,
  };
}

const SPATIAL: ReadonlySet<EeFilter["type"]> = new Set<EeFilter["type"]>([
  "intersects",
  "disjoint",
  "contains",
  "isContained",
  "withinDistance",
]);

function isMeasure(filter: EeFilter): boolean {
  return filter.type === "withinDistance" || filter.type === "maxDifference";
}

function checkFilters(filters: readonly EeFilter[], left: FeatureSource, right: FeatureSource): void {
  if (filters.length === 0) {
    throw new GeoError("INVALID_INPUT", "the condition of the join is empty", {
      path: "condition",
      expected: "at least one filter",
    });
  }
  for (const filter of filters) {
    if (filter.type === "withinDistance" && !(filter.distance >= 0)) {
      throw new GeoError("INVALID_INPUT", `a distance of ${filter.distance} is not usable`, {
        path: "condition",
        expected: "a distance, 0 or more",
      });
    }
    if (!("leftField" in filter)) continue;
    checkOn([{ left: filter.leftField, right: filter.rightField }], left.schema.fields, right.schema.fields, [
      left.url,
      right.url,
    ]);
    if (filter.type !== "maxDifference") continue;
    const { type } = requireField(left.schema.fields, filter.leftField, "condition", left.url);
    if (type === "string" || type === "boolean") {
      throw new GeoError(
        "INVALID_INPUT",
        `"${filter.leftField}" of ${left.url} is ${type}, expected numbers or times`,
        {
          path: "condition",
          expected: "numbers, dates or instants",
        },
      );
    }
  }
}

/** Every filter of a join against one secondary table, indexed once. */
class Conditions {
  readonly #right: FeatureTable;
  readonly #keys: KeyIndex | null;
  readonly #spatial: boolean;
  readonly #finder: PairFinder | null;
  /** Filters that the index does not settle. */
  readonly #rest: readonly EeFilter[];
  readonly #geodesic: boolean;

  constructor(filters: readonly EeFilter[], right: FeatureTable, geodesic: boolean) {
    this.#right = right;
    this.#geodesic = geodesic;
    const equal = filters.flatMap((filter) =>
      filter.type === "equals" ? [{ left: filter.leftField, right: filter.rightField }] : [],
    );
    this.#keys = equal.length === 0 ? null : keyIndex(right, equal);
    const spatial = filters.filter((filter) => SPATIAL.has(filter.type));
    // The one that leaves the least is searched for; the others are tested pair by pair.
    const first = spatial.find(({ type }) => type !== "disjoint") ?? spatial[0];
    this.#spatial = first !== undefined;
    this.#finder =
      first === undefined || right.geometry === null
        ? null
        : new PairFinder(
            first.type === "withinDistance" ? "dwithin" : PREDICATES[first.type as Relation],
            right.geometry,
            {
              geodesic,
              ...(first.type === "withinDistance" ? { distance: first.distance } : {}),
              ...(this.#keys === null ? {} : { keys: this.#keys.right }),
            },
          );
    this.#rest = filters.filter(
      (filter) => filter.type !== "equals" && (filter !== first || filter.type === "withinDistance"),
    );
  }

  /** Pairs of a primary batch with the measure of the condition. */
  pairs(batch: FeatureTable): Pairs & { readonly measures: Float64Array } {
    const candidates = this.#candidates(batch);
    const tests = this.#rest.map((filter) => this.#test(filter, batch));
    const left: number[] = [];
    const right: number[] = [];
    const measures: number[] = [];
    for (let k = 0; k < candidates.left.length; k++) {
      const i = candidates.left[k]!;
      const j = candidates.right[k]!;
      let measure = Number.NaN;
      // NaN from a test: the filter does not hold; Infinity: it holds and measures nothing.
      const holds = tests.every((test) => {
        const value = test(i, j);
        if (Number.isFinite(value)) measure = value;
        return !Number.isNaN(value);
      });
      if (!holds) continue;
      left.push(i);
      right.push(j);
      measures.push(measure);
    }
    return {
      left: Int32Array.from(left),
      right: Int32Array.from(right),
      measures: Float64Array.from(measures),
    };
  }

  #candidates(batch: FeatureTable): Pairs {
    const keys = this.#keys === null ? null : this.#keys.of(batch);
    if (this.#spatial) {
      if (this.#finder !== null && batch.geometry !== null) return this.#finder.find(batch.geometry, keys);
      return { left: new Int32Array(), right: new Int32Array() };
    }
    const left: number[] = [];
    const right: number[] = [];
    for (let i = 0; i < batch.count; i++) {
      for (let j = 0; j < this.#right.count; j++) {
        if (keys !== null && (keys[i]! < 0 || keys[i] !== this.#keys!.right[j])) continue;
        left.push(i);
        right.push(j);
      }
    }
    return { left: Int32Array.from(left), right: Int32Array.from(right) };
  }

  #test(filter: EeFilter, batch: FeatureTable): (i: number, j: number) => number {
    const a = batch.geometry;
    const b = this.#right.geometry;
    if (filter.type === "withinDistance") {
      const distance = this.#geodesic ? geodesicDistanceRows : distanceRows;
      return (i, j) => {
        const metres = a === null || b === null ? Number.NaN : distance(a, i, b, j);
        return metres <= filter.distance ? metres : Number.NaN;
      };
    }
    if (!("leftField" in filter)) {
      const predicate = PREDICATES[filter.type];
      return (i, j) => (a !== null && b !== null && testRows(predicate, a, i, b, j) ? Infinity : Number.NaN);
    }
    const left = columnNamed(batch, filter.leftField)!;
    const right = columnNamed(this.#right, filter.rightField)!;
    if (filter.type === "maxDifference") {
      return (i, j) => {
        if (isNull(left, i) || isNull(right, j)) return Number.NaN;
        const difference = Math.abs(Number(comparable(left, i)) - Number(comparable(right, j)));
        return difference <= filter.difference ? difference : Number.NaN;
      };
    }
    const compare = COMPARISONS[filter.type];
    return (i, j) =>
      !isNull(left, i) && !isNull(right, j) && compare(comparable(left, i), comparable(right, j))
        ? Infinity
        : Number.NaN;
  }
}

type Relation = "intersects" | "disjoint" | "contains" | "isContained";

const PREDICATES: Readonly<Record<Relation, Predicate>> = {
  intersects: "intersects",
  disjoint: "disjoint",
  contains: "contains",
  isContained: "within",
};

type Comparable = number | bigint | string;

const COMPARISONS = {
  equals: (a: Comparable, b: Comparable): boolean => a >= b && a <= b,
  // Numbers of different columns are equal by value, whatever their type.
  notEquals: (a: Comparable, b: Comparable): boolean => a < b || a > b,
  lessThan: (a: Comparable, b: Comparable): boolean => a < b,
  lessThanOrEquals: (a: Comparable, b: Comparable): boolean => a <= b,
  greaterThan: (a: Comparable, b: Comparable): boolean => a > b,
  greaterThanOrEquals: (a: Comparable, b: Comparable): boolean => a >= b,
};

function comparable(column: Column, row: number): Comparable {
  return "offsets" in column.values ? textAt(column.values, row) : column.values[row]!;
}

/** Place of every row when ordered by a column; nulls last, equal values in the order of the rows. */
function ranksBy(table: FeatureTable, name: string, ascending: boolean): Int32Array {
  const column = columnNamed(table, name)!;
  const turn = ascending ? 1 : -1;
  const order = Array.from({ length: table.count }, (_, row) => row).sort((a, b) => {
    const nulls = Number(isNull(column, a)) - Number(isNull(column, b));
    if (nulls !== 0 || isNull(column, a)) return nulls || a - b;
    const [x, y] = [comparable(column, a), comparable(column, b)];
    return x < y ? -turn : x > y ? turn : a - b;
  });
  const ranks = new Int32Array(table.count);
  for (const [rank, row] of order.entries()) ranks[row] = rank;
  return ranks;
}
