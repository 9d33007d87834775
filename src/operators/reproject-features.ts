import { transformBounds } from "../crs/bounds.ts";
import { describeTransform, transformer } from "../crs/transformer.ts";
import { type Crs, describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  type BatchOptions,
  type FeatureSource,
  type FeatureTable,
  rowsMeeting,
  takeRows,
} from "../model/features.ts";
import type { GeometryColumn } from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";

/** A lazy view of a layer in another CRS. */
export interface ReprojectedFeatures extends FeatureSource {
  /** Complete when the batches have been read to the end. */
  readonly report: {
    /** Features with a vertex that has no place in the target system; their geometry became null. */
    lost: number;
    /** What the transformation cannot do as well as it should: a datum shift whose grid is not there, for example. */
    readonly warnings: readonly string[];
  };
}

/**
 * A layer in another coordinate reference system, batch by batch, vertex by vertex: no vertices are added on
 * edges, so that lines keep their number of vertices. Heights and measures stay as they are.
 *
 * @throws GeoError `CRS_UNKNOWN` when the layer has no CRS; those of {@link transformer}
 */
export function reprojectFeatures(source: FeatureSource, to: Crs): ReprojectedFeatures {
  const { crs } = source.schema;
  if (crs === null) {
    throw new GeoError(
      "CRS_UNKNOWN",
      `${source.url} does not say in which CRS it is, so it cannot be brought to ${describeCrs(to)}`,
      { crs: "" },
      { hint: "Give the layer a CRS first, for a Shapefile with a .prj." },
    );
  }
  const report = { lost: 0, warnings: sameCrs(crs, to) ? [] : describeTransform(crs, to).warnings };
  if (sameCrs(crs, to)) {
    const { schema } = source;
    return {
      url: source.url,
      driver: source.driver,
      layers: source.layers,
      warnings: source.warnings,
      schema: { ...schema, crs: to },
      report,
      async *batches(options) {
        for await (const batch of source.batches(options)) yield { ...batch, crs: to };
      },
      close: () => source.close(),
    };
  }
  const from = crs;
  const move = transformer(from, to);

  async function* batches(options: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    report.lost = 0;
    const { bounds, ...rest } = options;
    // Only a hint to the source, a little too large: what it gives too much is taken out below.
    const near = bounds === undefined ? undefined : padded(finiteBounds(transformBounds(bounds, to, from)));
    for await (const batch of source.batches({ ...rest, ...(near === undefined ? {} : { bounds: near }) })) {
      let table: FeatureTable = { ...batch, crs: to };
      if (batch.geometry !== null) {
        const xy = batch.geometry.xy.slice();
        move(xy);
        const { geometry, lost } = withoutLost({ ...batch.geometry, xy }, batch.geometry.xy);
        report.lost += lost;
        table = { ...table, geometry };
      }
      if (bounds !== undefined) table = takeRows(table, rowsMeeting(table, bounds));
      if (table.count > 0) yield table;
    }
  }

  const { schema } = source;
  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: source.warnings,
    schema: {
      ...schema,
      crs: to,
      bounds:
        schema.bounds === null ? null : (finiteBounds(transformBounds(schema.bounds, from, to)) ?? null),
    },
    report,
    batches,
    close: () => source.close(),
  };
}

function finiteBounds(bounds: readonly number[]): [number, number, number, number] | undefined {
  return bounds.every(Number.isFinite) && bounds[0]! <= bounds[2]! && bounds[1]! <= bounds[3]!
    ? [bounds[0]!, bounds[1]!, bounds[2]!, bounds[3]!]
    : undefined;
}

function padded(bounds: [number, number, number, number] | undefined): typeof bounds {
  if (bounds === undefined) return undefined;
  const [minX, minY, maxX, maxY] = bounds;
  const x = (maxX - minX) / 50;
  const y = (maxY - minY) / 50;
  return [minX - x, minY - y, maxX + x, maxY + y];
}

/** Rows with a vertex that became not finite (and was) turn into null geometries. */
function withoutLost(
  column: GeometryColumn,
  before: Float64Array,
): { geometry: GeometryColumn; lost: number } {
  const { types, geometries, parts, rings, xy } = column;
  const gone = new Uint8Array(types.length);
  let lost = 0;
  for (let row = 0; row < types.length; row++) {
    const end = rings[parts[geometries[row + 1]!]!]!;
    for (let v = rings[parts[geometries[row]!]!]!; v < end; v++) {
      if (
        Number.isFinite(xy[2 * v]! + xy[2 * v + 1]!) ||
        !Number.isFinite(before[2 * v]! + before[2 * v + 1]!)
      )
        continue;
      gone[row] = 1;
      lost++;
      break;
    }
  }
  if (lost === 0) return { geometry: column, lost };
  const builder = new GeometryBuilder();
  for (let row = 0; row < types.length; row++) {
    if (gone[row] === 1) builder.null();
    else builder.copy(column, row);
  }
  return { geometry: builder.finish(), lost };
}
