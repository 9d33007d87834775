import { readFeatures } from "../../src/io/open.ts";
import { columnNamed, type FeatureTable, type Value, valueAt } from "../../src/model/features.ts";
import { type Geometry, geometryToGeoJson, type Position } from "../../src/model/geojson.ts";

export interface Rows {
  readonly count: number;
  /** A text for each row: attributes that were asked for and the geometry with every bit; sorted. */
  readonly texts: readonly string[];
}

/**
 * The rows of a file in an order of their own, so that formats that sort (along a Hilbert curve) can be compared with
 * formats that do not. A part alone counts the same as a collection of one, a ring the same in both directions.
 *
 * @param attributes  Name in the file of each attribute to compare.
 */
export async function rowsOf(path: string, attributes: readonly string[]): Promise<Rows> {
  const table = await readFeatures(path);
  return { count: table.count, texts: rowTexts(table, attributes) };
}

export function rowTexts(table: FeatureTable, attributes: readonly string[]): string[] {
  const columns = attributes.map((name) => {
    const column = columnNamed(table, name);
    if (column === null || column === undefined) {
      throw new Error(`no column ${name}, only ${table.columns.map((one) => one.name).join(", ")}`);
    }
    return column;
  });
  return Array.from({ length: table.count }, (_, row) => {
    const values = columns.map((column) => plain(valueAt(column, row)));
    const geometry = table.geometry === null ? null : geometryToGeoJson(table.geometry, row);
    return JSON.stringify([values, geometry === null ? null : canonical(geometry)]);
  }).sort();
}

/** A value as text formats keep it: no difference between 5 and 5.0, nor between nothing and an empty text. */
function plain(value: Value): string | null {
  if (value === null || value === "") return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function canonical(geometry: Geometry): unknown {
  switch (geometry.type) {
    case "Point":
      return [geometry.coordinates];
    case "MultiPoint":
      return geometry.coordinates;
    case "LineString":
      return [geometry.coordinates];
    case "MultiLineString":
      return geometry.coordinates;
    case "Polygon":
      return [geometry.coordinates.map(clockwise)];
    case "MultiPolygon":
      return geometry.coordinates.map((rings) => rings.map(clockwise));
    default:
      throw new Error(`cannot compare a ${geometry.type}`);
  }
}

function clockwise(ring: readonly Position[]): readonly Position[] {
  const [ox, oy] = ring[0]!;
  let twice = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax, ay] = ring[i]!;
    const [bx, by] = ring[i + 1]!;
    twice += (ax! - ox!) * (by! - oy!) - (bx! - ox!) * (ay! - oy!);
  }
  return twice > 0 ? [...ring].reverse() : ring;
}
