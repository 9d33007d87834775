import { readFileSync } from "node:fs";
import { parseWkt } from "../../src/io/wkt.ts";
import type { FeatureTable } from "../../src/model/features.ts";
import { type Geometry, geometryToGeoJson, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { GeometryColumn } from "../../src/model/geometry.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";
import type { Affine, Grid } from "../../src/model/grid.ts";
import { shared } from "./shared.ts";

/** Cases of a file of vectors, one JSON object a line. */
export function vectors<T>(...path: string[]): T[] {
  return readFileSync(shared("conformance", ...path), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as T);
}

export interface GridFact {
  width: number;
  height: number;
  x0: number;
  ytop: number;
  dx: number;
  dy: number;
}

export function gridOf({ width, height, x0, ytop, dx, dy }: GridFact): Grid {
  return { width, height, transform: [dx, 0, x0, 0, -dy, ytop], crs: null };
}

/** A grid of cells of size 1 whose top-left corner is at (0, height): row 0 is the northernmost. */
export function unitGrid(width: number, height: number): Grid {
  return { width, height, transform: [1, 0, 0, 0, -1, height] as Affine, crs: null };
}

/** A table without CRS from geometries in WKT, with an `id` column counting from 0. */
export function tableOf(...texts: string[]): FeatureTable {
  return tableFromGeoJson(
    texts.map((text, id) => ({ type: "Feature" as const, geometry: fromWkt(text), properties: { id } })),
    { crs: null },
  );
}

export function columnOf(...texts: string[]): GeometryColumn {
  const builder = new GeometryBuilder();
  for (const text of texts) parseWkt(text, builder);
  return builder.finish();
}

export function fromWkt(text: string): Geometry | null {
  return text === "" ? null : geometryToGeoJson(columnOf(text), 0);
}

/** Planar area of all polygons of a column, or length of its lines. */
export function measure(column: GeometryColumn, dimension: 1 | 2): number {
  const { parts, rings, xy } = column;
  let sum = 0;
  for (let p = 0; p + 1 < parts.length; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      let twice = 0;
      for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
        const dx = xy[2 * v + 2]! - xy[2 * v]!;
        const dy = xy[2 * v + 3]! - xy[2 * v + 1]!;
        if (dimension === 1) sum += Math.hypot(dx, dy);
        else twice += (xy[2 * v]! - xy[0]!) * dy - (xy[2 * v + 1]! - xy[1]!) * dx;
      }
      if (dimension === 2) sum += r === parts[p]! ? Math.abs(twice) / 2 : -Math.abs(twice) / 2;
    }
  }
  return sum;
}
