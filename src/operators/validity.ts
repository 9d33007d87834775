import type { MakeValidOptions } from "../kernels/vector/make-valid.ts";
import { findInvalid, type InvalidReason } from "../kernels/vector/validity.ts";
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
import { GeometryBuilder } from "../model/geometry-builder.ts";

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

/** Rows of a column that are not valid; see {@link findInvalid}. */
export function countInvalid(column: GeometryColumn): number {
  let count = 0;
  for (let row = 0; row < column.types.length; row++) if (findInvalid(column, row) !== null) count++;
  return count;
}

/** Check every geometry of a layer, batch by batch. `limit` bounds the problems listed, not those counted; default 1000. */
export async function checkFeatures(
  source: FeatureSource,
  options: { readonly limit?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ValidityReport> {
  const { limit = 1000, signal } = options;
  const problems: GeometryProblem[] = [];
  let features = 0;
  let invalid = 0;
  let nulls = 0;
  let empty = 0;
  for await (const batch of source.batches({ fields: [], signal })) {
    const { geometry } = batch;
    for (let row = 0; row < batch.count; row++) {
      if (geometry === null || geometry.types[row] === 0) {
        nulls++;
        continue;
      }
      if (geometry.geometries[row] === geometry.geometries[row + 1]) empty++;
      const found = findInvalid(geometry, row);
      if (found === null) continue;
      invalid++;
      if (problems.length < limit)
        problems.push({ row: features + row, id: batch.ids?.[row] ?? null, ...found });
    }
    features += batch.count;
  }
  return { features, invalid, nulls, empty, problems };
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

export interface RepairOptions extends MakeValidOptions {}

/**
 * The features of a source with invalid geometries made valid, in their order. Valid ones come out untouched, bit for
 * bit. A polygon may become a multipolygon, and with `keepCollapsed` a line, a point or a collection. Heights of new
 * vertices are interpolated, measures of rebuilt geometries are lost.
 */
export function repairFeatures(source: FeatureSource, options: RepairOptions = {}): RepairedFeatures {
  const report = { repaired: 0, emptied: 0 };
  const { schema } = source;
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: source.warnings,
    schema: { ...schema, geometryTypes: repairedTypes(schema.geometryTypes, options) },
    report,
    async *batches(batchOptions) {
      Object.assign(report, { repaired: 0, emptied: 0 });
      for await (const batch of source.batches(batchOptions)) yield await repairTable(batch, report, options);
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

async function repairTable(
  table: FeatureTable,
  report: RepairedFeatures["report"],
  options: RepairOptions,
): Promise<FeatureTable> {
  const { geometry } = table;
  if (geometry === null) return table;
  const broken: number[] = [];
  for (let row = 0; row < table.count; row++) if (findInvalid(geometry, row) !== null) broken.push(row);
  if (broken.length === 0) return table;
  const { makeValidRow } = await import("../kernels/vector/make-valid.ts");
  const builder = new GeometryBuilder();
  const one = new GeometryBuilder();
  let next = 0;
  for (let row = 0; row < table.count; row++) {
    if (broken[next] !== row) {
      builder.copy(geometry, row);
      continue;
    }
    next++;
    makeValidRow(geometry, row, one, options);
    const made = one.finish();
    if (made.geometries[1] === 0) {
      report.emptied++;
      builder.null();
    } else {
      report.repaired++;
      builder.copy(made, 0);
    }
  }
  return takeRows(
    table,
    Int32Array.from({ length: table.count }, (_, row) => row),
    builder.finish(),
  );
}
