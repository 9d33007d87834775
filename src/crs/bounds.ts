import { type Crs, describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import type { Bounds } from "../model/grid.ts";
import { parseCrs } from "./parse.ts";
import { transformer } from "./transformer.ts";

/**
 * Bounds, in `to`, of a box in `from`: the smallest box around its edges, which are followed with `densify` points
 * between the corners of each side, since straight edges become curves.
 *
 * Longitudes may cross the antimeridian on both sides, then west > east. A pole inside a projected box stretches the
 * result to that pole and all around. Points that `to` cannot show are left out.
 *
 * @throws GeoError `NO_OVERLAP` when `to` can show no point of the edges; as {@link transformer} otherwise.
 */
export function transformBounds(
  bounds: Bounds,
  from: string | Crs,
  to: string | Crs,
  densify: number = 21,
): Bounds {
  const source = typeof from === "string" ? parseCrs(from) : from;
  const target = typeof to === "string" ? parseCrs(to) : to;
  if (sameCrs(source, target)) return bounds;
  const [minX, minY, givenMaxX, maxY] = bounds;
  const fromDegrees = source.unit.kind === "angle";
  const toDegrees = target.unit.kind === "angle";
  const turn = 360 / source.unit.factor;
  const maxX = fromDegrees && givenMaxX < minX ? givenMaxX + turn : givenMaxX;
  const ring = edges([minX, minY, maxX, maxY], Math.max(0, Math.floor(densify)));
  transformer(source, target)(ring);
  let count = 0;
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const full = toDegrees ? 360 / target.unit.factor : 0;
  let offset = 0;
  let previous = Number.NaN;
  let first = Number.NaN;
  for (let i = 0; i < ring.length; i += 2) {
    const x = ring[i]!;
    const y = ring[i + 1]!;
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    count++;
    if (toDegrees) {
      // Follow the ring around the globe: a jump of more than half a turn is a step over the antimeridian.
      if (x - previous > full / 2) offset -= full;
      else if (x - previous < -full / 2) offset += full;
      previous = x;
      if (count === 1) first = x;
    }
    west = Math.min(west, x + offset);
    east = Math.max(east, x + offset);
    south = Math.min(south, y);
    north = Math.max(north, y);
  }
  if (count === 0) {
    throw new GeoError(
      "NO_OVERLAP",
      `no part of ${bounds.join(", ")} in ${describeCrs(source)} can be shown in ${describeCrs(target)}`,
      { left: describeCrs(source), right: describeCrs(target) },
    );
  }
  if (!toDegrees) return [west, south, east, north];
  // Not back where it started: the ring goes around a pole.
  const closing =
    first - previous > full / 2 ? offset - full : first - previous < -full / 2 ? offset + full : offset;
  const around = closing !== 0 || east - west >= full;
  if (!fromDegrees) {
    const quarter = full / 4;
    const toSource = transformer(target, source);
    for (const pole of [quarter, -quarter]) {
      const point = Float64Array.of(0, pole);
      toSource(point);
      const [x, y] = point as unknown as readonly [number, number];
      if (!(x > minX && x < maxX && y > minY && y < maxY)) continue;
      if (pole > 0) north = quarter;
      else south = -quarter;
      return [-full / 2, south, full / 2, north];
    }
  }
  if (around) return [-full / 2, south, full / 2, north];
  return [wrap(west, full), south, wrap(east, full), north];
}

/** Brings a longitude into half a turn on either side; what is there already stays exactly as it is. */
function wrap(x: number, full: number): number {
  if (Math.abs(x) <= full / 2) return x;
  return x - full * Math.round(x / full);
}

/** The edges of a box as one ring, `densify` points between two corners. */
function edges([minX, minY, maxX, maxY]: Bounds, densify: number): Float64Array {
  const steps = densify + 1;
  const ring = new Float64Array(8 * steps);
  for (let k = 0; k < steps; k++) {
    const x = minX + (k * (maxX - minX)) / steps;
    const backX = maxX - (k * (maxX - minX)) / steps;
    const y = minY + (k * (maxY - minY)) / steps;
    const backY = maxY - (k * (maxY - minY)) / steps;
    ring.set([x, minY], 2 * k);
    ring.set([maxX, y], 2 * (steps + k));
    ring.set([backX, maxY], 2 * (2 * steps + k));
    ring.set([minX, backY], 2 * (3 * steps + k));
  }
  return ring;
}
