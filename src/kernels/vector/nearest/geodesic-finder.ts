import type { GeometryColumn } from "../../../model/geometry.ts";
import { normalLon, SPACE_ROUNDING } from "../distance/geodesic-bounds.ts";
import { geodesicIndex } from "./geodesic-index.ts";
import { GeodesicSearch } from "./geodesic-search.ts";
import { hilbertOrder } from "./hilbert-order.ts";
import { Collected, type NearestFinder, onlyPoints } from "./nearest-rows.ts";
import { NearestSet } from "./nearest-set.ts";

/**
 * A finder of nearest rows on the earth: longitudes and latitudes in degrees on WGS 84, distances in metres along
 * geodesics. Any type to any type; edges of lines and polygons are the shortest lines between their ends, polygons count
 * with their inside (see `geodesicLocator`). Right across the antimeridian and at the poles. Exact to a few nanometres,
 * 0.1 mm about a quarter around the earth from an edge.
 *
 * Vertices that are not finite, or with a latitude beyond 90 degrees, do not count.
 */
export function geodesicFinder(target: GeometryColumn): NearestFinder {
  const index = geodesicIndex(target);
  const targets = target.types.length;
  return {
    find(column, options = {}) {
      const { k = 1, maxDistance = Infinity, ties = "all", rank = null, exclude } = options;
      const set = new NearestSet(k, maxDistance, ties, rank, targets);
      const search = new GeodesicSearch(index);
      const count = column.types.length;
      const collected = new Collected(count);
      const mask = exclude === undefined ? null : new Uint8Array(targets);
      set.excluded = mask;
      const points = onlyPoints(column);
      const order =
        points === null
          ? null
          : hilbertOrder(
              points.map((value, i) => (i % 2 === 0 ? normalLon(value) : value)),
              count,
              2,
            );
      for (let step = 0; step < count; step++) {
        const row = order === null ? step : order[step]!;
        set.reset();
        const left = mask === null ? null : exclude!(row);
        if (left !== null) for (const other of left) mask![other] = 1;
        if (points !== null && k === 1 && search.witnessRow >= 0 && mask?.[search.witnessRow] !== 1) {
          const near = search.distanceToWitness(points[2 * row]!, points[2 * row + 1]!);
          // NaN for a row without a place, which finds nothing anyway.
          if (near >= 0) set.atMost(near + SPACE_ROUNDING);
        }
        search.forget();
        search.row(column, row, set, k === 1);
        set.finish();
        if (left !== null) for (const other of left) mask![other] = 0;
        collected.add(row, set);
      }
      return collected.pairs();
    },
  };
}
