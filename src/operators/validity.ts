import { type Executor, inline } from "../execution/executor.ts";
import type { MakeValidOptions } from "../kernels/vector/make-valid.ts";
import type { RepairedRows } from "../kernels/vector/repair-rows.ts";
import { invalidRows } from "../kernels/vector/valid-rows.ts";
import type { InvalidReason } from "../kernels/vector/validity.ts";
import { type FeatureSource, type FeatureTable, takeRows } from "../model/features.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  NULL_GEOMETRY,
  POINT,
  POLYGON,
  typeDimension,
} from "../model/geometry.ts";
import { mapOrdered } from "./map-concurrent.ts";

/** A geometry that breaks the OGC rules. */
export interface GeometryProblem {
  /** Position of the feature in the layer, from 0. */
  readonly row: number;
  readonly id: string | number | null;
  readonly reason: InvalidReason;
  /** Where, in the CRS of the layer. */
  readonly x: number;
  readonly y: number;
}

/** What a check of a layer found. */
export interface ValidityReport {
  readonly features: number;
  readonly invalid: number;
  readonly nulls: number;
  readonly empty: number;
  /** The first ones, at most `limit`. */
  readonly problems: readonly GeometryProblem[];
}

/** Rows of a column that are not valid; see {@link invalidRows}. */
export function countInvalid(column: GeometryColumn): number {
  return invalidRows(column).length;
}

export interface CheckOptions {
  /** Bounds the problems listed, not those counted. Default 1000. */
  readonly limit?: number | undefined;
  /** Where geometries are checked. Default: here. Reading stays here; checking is about two thirds of the whole. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Check every geometry of a layer, batch by batch. */
export async function checkFeatures(
  source: FeatureSource,
  options: CheckOptions = {},
): Promise<ValidityReport> {
  const { limit = 1000, executor = inline, signal } = options;
  const problems: GeometryProblem[] = [];
  let features = 0;
  let invalid = 0;
  let nulls = 0;
  let empty = 0;
  const batches = source.batches({ fields: [], signal });
  const checked = mapOrdered(batches, concurrencyOf(executor), async (batch) => {
    signal?.throwIfAborted();
    const { geometry } = batch;
    if (geometry === null) return { batch, found: [] };
    return {
      batch,
      found: executor === inline ? invalidRows(geometry) : await executor.call("invalidRows", geometry),
    };
  });
  for await (const { batch, found } of checked) {
    const { geometry } = batch;
    for (let row = 0; row < batch.count; row++) {
      if (geometry === null || geometry.types[row] === 0) nulls++;
      else if (geometry.geometries[row] === geometry.geometries[row + 1]) empty++;
    }
    invalid += found.length;
    for (const { row, ...problem } of found) {
      if (problems.length === limit) break;
      problems.push({ row: features + row, id: batch.ids?.[row] ?? null, ...problem });
    }
    features += batch.count;
  }
  return { features, invalid, nulls, empty, problems };
}

/** Batches worth having under way. */
function concurrencyOf(executor: Executor): number {
  return executor === inline ? 1 : executor.concurrency;
}

/** A lazy view of a layer whose invalid geometries are made valid. */
export interface RepairedFeatures extends FeatureSource {
  /** Complete when the batches have been read to the end. */
  readonly report: {
    /** Features whose geometry was rebuilt. */
    repaired: number;
    /** Features that nothing was left of: their geometry became null. */
    emptied: number;
  };
}

export interface RepairOptions extends MakeValidOptions {
  /** Where geometries are checked and rebuilt. Default: here. */
  readonly executor?: Executor | undefined;
}

/**
 * The features of a source with invalid geometries made valid, in their order. Valid ones come out untouched, bit for
 * bit. A polygon may become a multipolygon, and with `keepCollapsed` a line, a point or a collection. Heights of new
 * vertices are interpolated, measures of rebuilt geometries are lost.
 */
export function repairFeatures(source: FeatureSource, options: RepairOptions = {}): RepairedFeatures {
  const report = { repaired: 0, emptied: 0 };
  const { schema } = source;
  const { executor = inline, method, keepCollapsed } = options;
  const rules: MakeValidOptions = { method, keepCollapsed };
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: source.warnings,
    schema: { ...schema, geometryTypes: repairedTypes(schema.geometryTypes, options) },
    report,
    async *batches(batchOptions) {
      Object.assign(report, { repaired: 0, emptied: 0 });
      const batches = source.batches(batchOptions);
      const repaired = mapOrdered(batches, concurrencyOf(executor), async (batch) => ({
        batch,
        made: batch.geometry === null ? null : await repair(batch.geometry, rules, executor),
      }));
      for await (const { batch, made } of repaired) {
        if (made !== null) {
          report.repaired += made.repaired;
          report.emptied += made.emptied;
        }
        yield made === null || made.geometry === null ? batch : withGeometry(batch, made.geometry);
      }
    },
    close: () => source.close(),
  };
}

/** The types that a layer may have when made valid: polygons fall apart, and collapse where that is asked for. */
function repairedTypes(types: readonly GeometryType[], { keepCollapsed }: RepairOptions): GeometryType[] {
  const made = new Set(types);
  for (const type of types) {
    if (type === POLYGON) made.add(MULTI_POLYGON);
    if (keepCollapsed !== true || type === NULL_GEOMETRY || typeDimension(type) < 1) continue;
    for (const lower of [POINT, MULTI_POINT, GEOMETRY_COLLECTION] as const) made.add(lower);
    if (typeDimension(type) === 2)
      for (const line of [LINE_STRING, MULTI_LINE_STRING] as const) made.add(line);
  }
  return [...made];
}

async function repair(
  geometry: GeometryColumn,
  rules: MakeValidOptions,
  executor: Executor,
): Promise<RepairedRows> {
  if (executor !== inline) return await executor.call("repairRows", geometry, rules);
  const { repairRows } = await import("../kernels/vector/repair-rows.ts");
  return repairRows(geometry, rules);
}

function withGeometry(table: FeatureTable, geometry: GeometryColumn): FeatureTable {
  const rows = Int32Array.from({ length: table.count }, (_, row) => row);
  return takeRows(table, rows, geometry);
}
