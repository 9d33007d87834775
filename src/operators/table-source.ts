import { type BatchOptions, type FeatureSource, type FeatureTable, takeRows } from "../model/features.ts";
import { type GeometryType, rowBounds } from "../model/geometry.ts";

/** A table as a source, so that operators have one kind of input. Sources are given back as they are. */
export function asSource(features: FeatureTable | FeatureSource, name: string = "features"): FeatureSource {
  return "batches" in features ? features : tableSource(features, name);
}

/** A source over a table in memory. Batches are the table itself when nothing is left out. */
export function tableSource(table: FeatureTable, name: string = "features"): FeatureSource {
  const { geometry } = table;
  const types: GeometryType[] =
    geometry === null ? [0] : ([...new Set(geometry.types)].filter((type) => type !== 0) as GeometryType[]);
  return {
    url: name,
    driver: "memory",
    layers: [name],
    warnings: [],
    schema: {
      name,
      crs: table.crs,
      geometryTypes: types,
      hasZ: geometry?.z != null,
      hasM: geometry?.m != null,
      fields: table.columns.map(({ name, type, nullable, zone, width, precision }) => ({
        name,
        type,
        nullable,
        ...(zone === undefined ? {} : { zone }),
        ...(width === undefined ? {} : { width }),
        ...(precision === undefined ? {} : { precision }),
      })),
      count: table.count,
      bounds: null,
    },
    batches: (options = {}) => slices(table, options),
    close: () => Promise.resolve(),
  };
}

async function* slices(table: FeatureTable, options: BatchOptions): AsyncGenerator<FeatureTable> {
  const { bounds, fields, batchSize = 8192, signal } = options;
  const narrowed =
    fields === undefined
      ? table
      : {
          ...table,
          columns: fields.flatMap((name) => table.columns.find((column) => column.name === name) ?? []),
        };
  if (bounds === undefined && table.count <= batchSize) {
    signal?.throwIfAborted();
    if (table.count > 0) yield narrowed;
    return;
  }
  const rows = bounds === undefined ? null : rowsMeeting(table, bounds);
  const count = rows === null ? table.count : rows.length;
  for (let first = 0; first < count; first += batchSize) {
    signal?.throwIfAborted();
    const length = Math.min(batchSize, count - first);
    const wanted =
      rows === null
        ? Int32Array.from({ length }, (_, k) => first + k)
        : Int32Array.from(rows.slice(first, first + length));
    yield { ...takeRows(narrowed, wanted), firstRow: table.firstRow + wanted[0]! };
  }
}

/** Rows whose bounds meet a box, touching included. Null and empty geometries never do. */
export function rowsMeeting(
  table: FeatureTable,
  [minX, minY, maxX, maxY]: readonly [number, number, number, number],
): number[] {
  if (table.geometry === null) return [];
  const boxes = rowBounds(table.geometry);
  const rows: number[] = [];
  for (let i = 0; i < table.count; i++) {
    if (
      boxes[4 * i]! <= maxX &&
      boxes[4 * i + 1]! <= maxY &&
      boxes[4 * i + 2]! >= minX &&
      boxes[4 * i + 3]! >= minY
    )
      rows.push(i);
  }
  return rows;
}
