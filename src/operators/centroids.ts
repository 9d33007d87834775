import { rowCentroid } from "../kernels/vector/centroid.ts";
import type { FeatureTable } from "../model/features.ts";
import { POINT } from "../model/geometry.ts";
import { GeometryBuilder } from "../model/geometry-builder.ts";

/**
 * The middle of each feature as a point, in the plane of its coordinates: of its area, else of its lines, else of its points.
 * Attributes, ids and order stay. Null and empty geometries become null.
 */
export function centroids(table: FeatureTable): FeatureTable {
  const { geometry } = table;
  if (geometry === null) return table;
  const builder = new GeometryBuilder();
  for (let row = 0; row < table.count; row++) {
    const middle = rowCentroid(geometry, row);
    if (middle === null) {
      builder.null();
      continue;
    }
    builder.begin(POINT);
    builder.part();
    builder.vertex(middle[0], middle[1]);
    builder.end();
  }
  return { ...table, geometry: builder.finish() };
}
