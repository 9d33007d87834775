import { parseCrs } from "../../crs/parse.ts";
import { type Crs, describeCrs } from "../../model/crs.ts";
import { isGeoError } from "../../model/errors.ts";
import { GEOMETRY_NAMES, type GeometryType } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import { DamagedPage, UnsupportedPage } from "./damaged.ts";
import type { ParquetColumn, ParquetFile } from "./footer.ts";

// GeoParquet 1.1: https://geoparquet.org/releases/v1.1.0/, and the GEOMETRY and GEOGRAPHY types of Parquet itself.

/** Encodings of GeoParquet 1.1 that are not WKB, and the type of their rows. */
export const NATIVE_ENCODINGS: Readonly<Record<string, GeometryType>> = {
  point: 1,
  linestring: 2,
  polygon: 3,
  multipoint: 4,
  multilinestring: 5,
  multipolygon: 6,
};

/** What a file says of its geometry. */
export interface GeoColumn {
  readonly column: ParquetColumn;
  /** `"WKB"` or a key of {@link NATIVE_ENCODINGS}. */
  readonly encoding: string;
  readonly crs: Crs | null;
  readonly geometryTypes: readonly GeometryType[];
  readonly hasZ: boolean;
  readonly hasM: boolean;
  readonly bounds: Bounds | null;
  /** Columns that hold the bounds of each row, as leaves: minX, minY, maxX, maxY; `null` when there are none. */
  readonly covering: readonly [string, string, string, string] | null;
  readonly warnings: readonly string[];
}

/**
 * The geometry column of a file: the primary one of the `geo` metadata, else the first of Parquet's own geometry
 * types. `null` for a plain table.
 */
export function geoColumn(file: ParquetFile, url: string): GeoColumn | null {
  const text = file.keyValues.get("geo");
  if (text !== undefined) return fromMetadata(file, text, url);
  for (const column of file.columns) {
    const { element, children } = column.tree;
    const logical = element.logical_type;
    if (children.length > 0 || (logical?.type !== "GEOMETRY" && logical?.type !== "GEOGRAPHY")) continue;
    const warnings: string[] = [];
    if (logical.type === "GEOGRAPHY") warnings.push(SPHERICAL);
    const seen = new Set<number>();
    let bounds: Bounds | null = [Infinity, Infinity, -Infinity, -Infinity];
    for (const group of file.metadata.row_groups) {
      const stats = group.columns[column.leaves[0]!.index]!.meta_data?.geospatial_statistics;
      for (const code of stats?.geospatial_types ?? []) seen.add(code);
      const box = stats?.bbox;
      bounds =
        bounds === null || box === undefined
          ? null
          : [
              Math.min(bounds[0], box.xmin),
              Math.min(bounds[1], box.ymin),
              Math.max(bounds[2], box.xmax),
              Math.max(bounds[3], box.ymax),
            ];
    }
    const codes = [...seen].sort((a, b) => a - b);
    return {
      column,
      encoding: "WKB",
      crs: nativeCrs(logical.crs, file, url, warnings),
      geometryTypes: [...new Set(codes.map((code) => code % 1000))].filter(isGeometryType),
      hasZ: codes.some((code) => Math.floor(code / 1000) % 2 === 1),
      hasM: codes.some((code) => code >= 2000),
      bounds: bounds !== null && bounds[0] <= bounds[2] && bounds[1] <= bounds[3] ? bounds : null,
      covering: null,
      warnings,
    };
  }
  return null;
}

const SPHERICAL = "edges follow the sphere in this file; here they are straight in longitude and latitude";

function isGeometryType(code: number): code is GeometryType {
  return code >= 1 && code <= 7;
}

function fromMetadata(file: ParquetFile, text: string, url: string): GeoColumn {
  let geo: unknown;
  try {
    geo = JSON.parse(text);
  } catch {
    throw new DamagedPage('its "geo" metadata is not JSON');
  }
  const primary = member(geo, "primary_column");
  const info = typeof primary === "string" ? member(member(geo, "columns"), primary) : undefined;
  if (typeof primary !== "string" || typeof info !== "object" || info === null) {
    throw new DamagedPage('its "geo" metadata does not describe a primary column');
  }
  const column = file.columns.find(({ name }) => name === primary);
  if (column === undefined)
    throw new DamagedPage(`its "geo" metadata names a column "${primary}" that is not there`);
  const encoding = member(info, "encoding");
  if (encoding !== "WKB" && (typeof encoding !== "string" || NATIVE_ENCODINGS[encoding] === undefined)) {
    throw new UnsupportedPage(`geometry in the encoding ${JSON.stringify(encoding)}`);
  }
  if (
    encoding === "WKB" &&
    (column.tree.children.length > 0 || column.leaves[0]!.leaf.type !== "BYTE_ARRAY")
  ) {
    throw new DamagedPage(`its geometry column "${primary}" does not hold bytes`);
  }
  const warnings: string[] = [];
  if (member(info, "edges") === "spherical") warnings.push(SPHERICAL);
  // The member was called geometry_type, and could be one name, before 1.0.
  const declared = [member(info, "geometry_types") ?? member(info, "geometry_type") ?? []].flat();
  const types = new Set<GeometryType>();
  let hasZ = false;
  for (const name of declared) {
    if (typeof name !== "string") continue;
    if (/ Z$/.test(name)) hasZ = true;
    const code = (GEOMETRY_NAMES as readonly string[]).indexOf(name.replace(/ Z$/, ""));
    if (isGeometryType(code)) types.add(code);
  }
  return {
    column,
    encoding,
    crs: metadataCrs(info, url, warnings),
    geometryTypes: encoding === "WKB" ? [...types] : [NATIVE_ENCODINGS[encoding]!],
    hasZ,
    hasM: false,
    bounds: boundsOf(member(info, "bbox")),
    covering: coveringOf(member(member(info, "covering"), "bbox"), file),
    warnings,
  };
}

/** Member of an object that may be anything. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function boundsOf(bbox: unknown): Bounds | null {
  if (!Array.isArray(bbox) || bbox.length < 4 || bbox.length % 2 !== 0) return null;
  if (!bbox.every((value) => Number.isFinite(value))) return null;
  const numbers = bbox as number[];
  const half = numbers.length / 2;
  const bounds: Bounds = [numbers[0]!, numbers[1]!, numbers[half]!, numbers[half + 1]!];
  return bounds[0] <= bounds[2] && bounds[1] <= bounds[3] ? bounds : null;
}

function coveringOf(bbox: unknown, file: ParquetFile): GeoColumn["covering"] {
  const paths = ["xmin", "ymin", "xmax", "ymax"].map((name) => {
    const path = member(bbox, name);
    return Array.isArray(path) && path.every((part) => typeof part === "string") ? path.join(".") : null;
  });
  const known = (path: string | null): path is string =>
    path !== null &&
    file.columns.some(({ leaves }) =>
      leaves.some(
        ({ leaf }) =>
          leaf.path.join(".") === path &&
          leaf.maxRepetition === 0 &&
          (leaf.type === "FLOAT" || leaf.type === "DOUBLE"),
      ),
    );
  const [xmin, ymin, xmax, ymax] = paths as [string | null, string | null, string | null, string | null];
  return known(xmin) && known(ymin) && known(xmax) && known(ymax) ? [xmin, ymin, xmax, ymax] : null;
}

/** `crs` of the metadata: missing means longitude and latitude on WGS 84, `null` that it is not known. */
function metadataCrs(info: object, url: string, warnings: string[]): Crs | null {
  if (!("crs" in info)) return parseCrs("OGC:CRS84");
  const { crs } = info;
  if (crs === null) return null;
  return crsOr(typeof crs === "string" ? crs : JSON.stringify(crs), url, warnings);
}

/** `crs` of Parquet's own types: nothing, `srid:0`, a code, PROJJSON, or the name of a key that holds PROJJSON. */
function nativeCrs(crs: string | undefined, file: ParquetFile, url: string, warnings: string[]): Crs | null {
  if (crs === undefined || crs === "") return parseCrs("OGC:CRS84");
  const srid = /^srid:(\d+)$/i.exec(crs);
  if (srid !== null) return srid[1] === "0" ? null : crsOr(`EPSG:${srid[1]}`, url, warnings);
  const named = /^projjson:(.+)$/i.exec(crs);
  if (named !== null) return crsOr(file.keyValues.get(named[1]!) ?? named[1]!, url, warnings);
  return crsOr(crs, url, warnings);
}

function crsOr(text: string, url: string, warnings: string[]): Crs {
  try {
    return parseCrs(text);
  } catch (error) {
    if (!isGeoError(error)) throw error;
    const crs: Crs = {
      code: null,
      name: "",
      kind: "unknown",
      proj4: null,
      definition: text,
      unit: { name: "unknown", kind: "length", factor: 1 },
      axisOrder: "xy",
      area: null,
    };
    warnings.push(`${url} is in ${describeCrs(crs)} that is not understood`);
    return crs;
  }
}
