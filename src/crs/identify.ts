import type { Crs } from "../model/crs.ts";
import { findRecord, tableKey } from "./table.ts";

/** Table key of the geodetic system a CRS stands on, or `null` when it is not in the table. */
export function geodeticBaseOf(crs: Crs): string | null {
  if (crs.code === null) return null;
  const key = tableKey(/^OGC:CRS84H?$/.test(crs.code) ? "EPSG:4326" : crs.code);
  let record = key === null ? null : findRecord(key);
  if (record?.kind === "k") record = findRecord(record.base);
  if (record?.kind === "p") record = findRecord(record.base);
  return record === null || record.kind === "v" || record.kind === "k"
    ? null
    : (tableKey(record.code) ?? null);
}
