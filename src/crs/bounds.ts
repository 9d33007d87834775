import type { Crs } from "../model/crs.ts";
import type { Bounds } from "../model/grid.ts";
import { transformer } from "./transformer.ts";

/** Bounds of the image of a box whose edges are followed with `densify` points between the corners. */
export function transformBounds(bounds: Bounds, from: Crs, to: Crs, densify: number = 21): Bounds {
  const [minX, minY, maxX, maxY] = bounds;
  const steps = densify + 1;
  const xy = new Float64Array(8 * steps);
  for (let k = 0; k < steps; k++) {
    const t = k / steps;
    xy.set(
      [
        minX + t * (maxX - minX),
        minY,
        maxX,
        minY + t * (maxY - minY),
        maxX - t * (maxX - minX),
        maxY,
        minX,
        maxY - t * (maxY - minY),
      ],
      8 * k,
    );
  }
  transformer(from, to)(xy);
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    west = Math.min(west, xy[i]!);
    east = Math.max(east, xy[i]!);
    south = Math.min(south, xy[i + 1]!);
    north = Math.max(north, xy[i + 1]!);
  }
  return [west, south, east, north];
}
