import { createRequire } from "node:module";
import type { Crs } from "../model/crs.ts";
import { describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import { parseCrs } from "./parse.ts";

/** Moves coordinates in place: `xy[i]`, `xy[i + 1]` for every `stride`-th `i`. Points that cannot be moved become NaN. */
export type CoordinateTransform = (xy: Float64Array, stride?: number) => void;

/** Transformation between two systems, x/y order on both sides whatever their authority says. */
export function transformer(from: string | Crs, to: string | Crs): CoordinateTransform {
  const source = typeof from === "string" ? parseCrs(from) : from;
  const target = typeof to === "string" ? parseCrs(to) : to;
  if (sameCrs(source, target)) return () => undefined;
  const converter = loadProj4()(formula(source), formula(target));
  const point = { x: 0, y: 0 };
  return (xy, stride = 2) => {
    for (let i = 0; i + 1 < xy.length; i += stride) {
      point.x = xy[i]!;
      point.y = xy[i + 1]!;
      const moved = converter.forward(point);
      xy[i] = moved.x;
      xy[i + 1] = moved.y;
    }
  };
}

function formula(crs: Crs): string {
  if (crs.proj4 !== null) return crs.proj4;
  throw new GeoError("UNSUPPORTED", `${describeCrs(crs)} has no formula that can be computed`, {
    feature: `coordinate transformation of ${describeCrs(crs)}`,
  });
}

type Proj4 = (
  from: string,
  to: string,
) => { forward(point: { x: number; y: number }): { x: number; y: number } };

function loadProj4(): Proj4 {
  return createRequire(import.meta.url)("proj4") as Proj4;
}
