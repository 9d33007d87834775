import { readFileSync } from "node:fs";
import { parseWkt } from "../../../src/io/wkt.ts";
import {
  concatTables,
  type FeatureSource,
  type FeatureTable,
  type Value,
  valueAt,
} from "../../../src/model/features.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { shared } from "../../helpers/shared.ts";

/** What GDAL 3.6.2 says of one file of the shared vectors. */
export interface ExpectedFile {
  readonly layer?: string;
  readonly feature_count?: number;
  readonly crs?: { readonly name: string; readonly epsg: number } | null;
  readonly extent?: readonly number[];
  readonly features?: readonly {
    readonly properties: Readonly<Record<string, string | number | null>>;
    readonly wkt: string | null;
  }[];
  readonly fields?: readonly { readonly name: string; readonly type: string }[];
  readonly bbox_queries?: readonly {
    readonly bbox: readonly [number, number, number, number];
    readonly n32: readonly number[];
  }[];
  readonly gdal_error?: string;
}

/** Expectations of all files of one format, by path inside the folder. */
export function expectedFiles(prefix: string): [path: string, expected: ExpectedFile][] {
  const all = JSON.parse(readFileSync(shared("conformance/formats/expected.json"), "utf8")) as Record<
    string,
    ExpectedFile
  >;
  return Object.entries(all).filter(([path]) => path.startsWith(prefix));
}

/** A whole layer as one table. */
export async function readAll(
  source: FeatureSource,
  options: Parameters<FeatureSource["batches"]>[0] = {},
): Promise<FeatureTable> {
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches(options)) batches.push(batch);
  return concatTables(batches, source.schema);
}

/** Geometry of a row as text, to 15 digits as GDAL prints it. `null` for a null geometry. */
export function geometryText(column: GeometryColumn | null, row: number): string | null {
  if (column === null || column.types[row] === 0) return null;
  const { types, geometries, parts, rings, xy, z, m, collections } = column;
  // GDAL prints 15 significant digits, and not more than 15 after the point.
  const number = (value: number): number =>
    Number(Math.abs(value) < 1 ? value.toFixed(15) : value.toPrecision(15));
  const vertices = (ring: number): unknown[] => {
    const out: unknown[] = [];
    for (let v = rings[ring]!; v < rings[ring + 1]!; v++) {
      out.push([
        number(xy[2 * v]!),
        number(xy[2 * v + 1]!),
        ...(z === null ? [] : [`z${number(z[v]!)}`]),
        ...(m === null ? [] : [`m${number(m[v]!)}`]),
      ]);
    }
    return out;
  };
  const part = (p: number): unknown[] => {
    const out: unknown[] = [];
    for (let r = parts[p]!; r < parts[p + 1]!; r++) out.push(vertices(r));
    return out;
  };
  const from = geometries[row]!;
  const to = geometries[row + 1]!;
  const members =
    collections === null || types[row] !== 7
      ? []
      : Array.from(
          { length: collections.rows[row + 1]! - collections.rows[row]! },
          (_, k) => collections.types[collections.rows[row]! + k],
        );
  return JSON.stringify([types[row], members, Array.from({ length: to - from }, (_, k) => part(from + k))]);
}

/** {@link geometryText} of WKT. A triangle counts as the polygon that it is. */
export function wktText(wkt: string | null): string | null {
  if (wkt === null) return null;
  const builder = new GeometryBuilder();
  parseWkt(wkt.replace(/^TRIANGLE/, "POLYGON"), builder);
  return geometryText(builder.finish(), 0);
}

/** A value as GDAL prints it in the expectations. `date` asks for a date without time. */
export function gdalValue(table: FeatureTable, name: string, row: number): string | number | null {
  const column = table.columns.find((one) => one.name === name)!;
  const value: Value = valueAt(column, row);
  if (value === null) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Date) {
    const text = value.toISOString().replaceAll("-", "/");
    if (column.type === "date") return text.slice(0, 10);
    return `${text.slice(0, 19).replace("T", " ")}${column.zone === "local" ? "" : "+00"}`;
  }
  return value as string | number;
}
