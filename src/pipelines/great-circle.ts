import type { GeometryColumn } from "../model/geometry.ts";

const RADIANS = Math.PI / 180;

/**
 * Distance along the great circle from each point of one column to the nearest point of another, on a sphere of `radius`, in its
 * unit; degrees in. NaN for rows without a point, and for all when there is nothing to go to. Compares every pair, by the
 * cosine between unit vectors.
 */
export function greatCircleNearest(from: GeometryColumn, to: GeometryColumn, radius: number): Float64Array {
  const targets = unitVectors(to);
  const starts = unitVectors(from);
  const out = new Float64Array(from.types.length).fill(Number.NaN);
  for (let i = 0; i < out.length; i++) {
    const x = starts[3 * i]!;
    const y = starts[3 * i + 1]!;
    const z = starts[3 * i + 2]!;
    if (Number.isNaN(x)) continue;
    let nearest = Infinity;
    for (let k = 0; k < targets.length; k += 3) {
      const dx = targets[k]! - x;
      const dy = targets[k + 1]! - y;
      const dz = targets[k + 2]! - z;
      const square = dx * dx + dy * dy + dz * dz;
      if (square < nearest) nearest = square;
    }
    // The chord of the unit sphere gives the angle; it keeps its digits where the cosine does not.
    if (nearest < Infinity) out[i] = 2 * radius * Math.asin(Math.min(1, Math.sqrt(nearest) / 2));
  }
  return out;
}

/** One vector a row, of its first vertex; NaN for rows without. */
function unitVectors({ types, geometries, parts, rings, xy }: GeometryColumn): Float64Array {
  const out = new Float64Array(3 * types.length).fill(Number.NaN);
  for (let row = 0; row < types.length; row++) {
    if (geometries[row] === geometries[row + 1]) continue;
    const v = rings[parts[geometries[row]!]!]!;
    const lon = xy[2 * v]! * RADIANS;
    const lat = xy[2 * v + 1]! * RADIANS;
    out[3 * row] = Math.cos(lat) * Math.cos(lon);
    out[3 * row + 1] = Math.cos(lat) * Math.sin(lon);
    out[3 * row + 2] = Math.sin(lat);
  }
  return out;
}
