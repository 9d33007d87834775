import type { GeometryColumn } from "../../../model/geometry.ts";

// PLACEHOLDER until relate lands
export type Predicate =
  | "intersects"
  | "disjoint"
  | "contains"
  | "within"
  | "covers"
  | "coveredBy"
  | "touches"
  | "crosses"
  | "overlaps"
  | "equals"
  | "containsProperly";
export type PreparedRelate = object;
export function testRows(
  _p: Predicate,
  _a: GeometryColumn,
  _i: number,
  _b: GeometryColumn,
  _j: number,
): boolean {
  throw new Error("not there yet");
}
export function prepareRelate(_a: GeometryColumn, _i: number): PreparedRelate {
  throw new Error("not there yet");
}
export function testPrepared(_a: PreparedRelate, _p: Predicate, _b: GeometryColumn, _j: number): boolean {
  throw new Error("not there yet");
}
export function withinDistance(
  _a: GeometryColumn,
  _i: number,
  _b: GeometryColumn,
  _j: number,
  _d: number,
): boolean {
  throw new Error("not there yet");
}
export function withinGeodesicDistance(
  _a: GeometryColumn,
  _i: number,
  _b: GeometryColumn,
  _j: number,
  _d: number,
): boolean {
  throw new Error("not there yet");
}
