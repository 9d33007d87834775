import type { Crs } from "../model/crs.ts";
import { crsFromEpsg } from "./parse.ts";
import { tableKey } from "./table.ts";

/** GeoKey id to SHORT value, ASCII text (without the closing `|`) or doubles. */
export type GeoKeys = ReadonlyMap<number, number | string | readonly number[]>;

/** The system that GeoTIFF keys describe, or `null` when they describe none. */
export function crsFromGeoKeys(keys: GeoKeys): Crs | null {
  const model = keys.get(1024);
  const code = keys.get(model === 2 ? 2048 : model === 4 ? 2048 : 3072) ?? keys.get(3072) ?? keys.get(2048);
  return typeof code === "number" && code !== 32767 ? crsFromEpsg(code) : null;
}

/** Keys for a system, without `GTRasterTypeGeoKey`. */
export function crsToGeoKeys(crs: Crs): GeoKeys {
  const keys = new Map<number, number | string | readonly number[]>();
  const key = tableKey(crs.code === null ? "" : crs.code.replace(/^OGC:CRS84H?$/, "EPSG:4326"));
  const angle = crs.unit.kind === "angle";
  keys.set(1024, angle ? 2 : 1);
  if (key !== null && /^\d+$/.test(key)) keys.set(angle ? 2048 : 3072, Number(key));
  keys.set(1026, crs.name);
  return keys;
}
