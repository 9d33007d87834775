import type { GeometryColumn } from "../../../model/geometry.ts";

export function withinGeodesicDistance(
  _a: GeometryColumn,
  _i: number,
  _b: GeometryColumn,
  _j: number,
  _d: number,
): boolean {
  throw new Error("distances on the ellipsoid are not there yet");
}
