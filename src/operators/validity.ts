import { findInvalid, type InvalidReason } from "../kernels/vector/validity.ts";
import { type FeatureSource, type FeatureTable, takeRows } from "../model/features.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  MULTI_POLYGON,
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

/** A lazy view of a layer whose invalid polygons are rebuilt. */
export interface RepairedFeatures extends FeatureSource {
  /** Complete when the batches have been read to the end. */
  readonly report: {
    /** Features whose geometry was rebuilt. */
    repaired: number;
    /** Features that nothing was left of: their geometry became null. */
    emptied: number;
    /** Features that could not be repaired and stayed as they were: broken lines and points, failures. */
    unrepaired: number;
  };
}

/**
 * The features of a source with invalid polygons rebuilt, in their order. Valid ones come out untouched. Heights and
 * measures of rebuilt polygons are lost, since crossings have none. A polygon may become a multipolygon.
 */
export function repairFeatures(source: FeatureSource): RepairedFeatures {
  const report = { repaired: 0, emptied: 0, unrepaired: 0 };
  const { schema } = source;
  const types = new Set(schema.geometryTypes);
  if (types.has(POLYGON)) types.add(MULTI_POLYGON);
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: source.warnings,
    schema: { ...schema, geometryTypes: [...types] },
    report,
    async *batches(options) {
      Object.assign(report, { repaired: 0, emptied: 0, unrepaired: 0 });
      for await (const batch of source.batches(options)) yield await repairTable(batch, report);
    },
    close: () => source.close(),
  };
}

async function repairTable(table: FeatureTable, report: RepairedFeatures["report"]): Promise<FeatureTable> {
  const { geometry } = table;
  if (geometry === null) return table;
  const broken: number[] = [];
  for (let row = 0; row < table.count; row++) if (findInvalid(geometry, row) !== null) broken.push(row);
  if (broken.length === 0) return table;
  const { repairPolygons } = await import("../kernels/vector/repair.ts");
  const builder = new GeometryBuilder();
  let next = 0;
  for (let row = 0; row < table.count; row++) {
    if (broken[next] !== row) {
      builder.copy(geometry, row);
      continue;
    }
    next++;
    const type = geometry.types[row]! as GeometryType;
    const fixed =
      type !== GEOMETRY_COLLECTION && typeDimension(type) === 2
        ? repairPolygons(geometry, geometry.geometries[row]!, geometry.geometries[row + 1]!)
        : null;
    if (fixed === null) {
      report.unrepaired++;
      builder.copy(geometry, row);
    } else if (fixed.polygons.length === 0) {
      report.emptied++;
      builder.null();
    } else {
      report.repaired++;
      builder.begin(fixed.polygons.length > 1 ? MULTI_POLYGON : type);
      for (const rings of fixed.polygons) {
        builder.part();
        for (const ring of rings) {
          builder.ring();
          for (const [x, y] of ring) builder.vertex(x, y);
        }
      }
      builder.end();
    }
  }
  return takeRows(
    table,
    Int32Array.from({ length: table.count }, (_, row) => row),
    builder.finish(),
  );
}
