import {
  GEOMETRY_COLLECTION,
  type GeometryType,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  type POLYGON,
} from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";

/** A point, line or polygon of a placemark: its rings as `[x, y, z, x, y, z, ...]`, z NaN where there is none. */
export interface KmlPart {
  readonly type: typeof POINT | typeof LINE_STRING | typeof POLYGON;
  readonly rings: number[][];
}

/** Add a row: null without geometry, one geometry as itself, several alike as multi-geometry, others as collection. */
export function pushPlacemark(builder: GeometryBuilder, parts: readonly KmlPart[], multi: boolean): void {
  if (parts.length === 0) {
    if (multi) builder.begin(GEOMETRY_COLLECTION);
    else builder.begin(0);
    builder.end();
    return;
  }
  const type = placemarkType(parts, multi);
  builder.begin(type);
  for (const part of parts) {
    if (type === GEOMETRY_COLLECTION) builder.member(part.type);
    pushPart(builder, part);
  }
  builder.end();
}

/** Type of the row that {@link pushPlacemark} makes; 0 for none. */
export function placemarkType(parts: readonly KmlPart[], multi: boolean): GeometryType {
  if (parts.length === 0) return multi ? GEOMETRY_COLLECTION : 0;
  const first = parts[0]!.type;
  if (parts.length === 1 && !multi) return first;
  if (parts.some(({ type }) => type !== first)) return GEOMETRY_COLLECTION;
  return first === POINT ? MULTI_POINT : first === LINE_STRING ? MULTI_LINE_STRING : MULTI_POLYGON;
}

function pushPart(builder: GeometryBuilder, { rings }: KmlPart): void {
  let open = false;
  for (const ring of rings) {
    if (ring.length === 0) continue;
    if (!open) builder.part();
    open = true;
    builder.ring();
    for (let k = 0; k < ring.length; k += 3) builder.vertex(ring[k]!, ring[k + 1]!, ring[k + 2]!);
  }
}

/**
 * Positions of a `coordinates` element, `lon,lat[,alt]` apart by white space, as `[x, y, z, ...]`; also the faulty
 * `lon, lat, alt` with white space behind commas. `null` when something else is in it.
 */
export function parseCoordinates(text: string): number[] | null {
  const out: number[] = [];
  const joined = /\s,|,\s/.test(text) ? text.replace(/\s*,\s*/g, ",") : text;
  for (const tuple of joined.split(/\s+/)) {
    if (tuple === "") continue;
    const numbers = tuple.split(",");
    if (numbers.length < 2 || numbers.length > 4) return null;
    const x = toNumber(numbers[0]!);
    const y = toNumber(numbers[1]!);
    const z = numbers[2] === undefined || numbers[2] === "" ? Number.NaN : toNumber(numbers[2]);
    if (x === null || y === null || z === null) return null;
    out.push(x, y, z);
  }
  return out;
}

/** Position of a `gx:coord` element, `lon lat alt` apart by spaces. */
export function parseTrackPosition(text: string): number[] | null {
  const numbers = text.trim().split(/\s+/);
  if (numbers.length < 2 || numbers.length > 3) return null;
  const values = numbers.map(toNumber);
  if (values.includes(null)) return null;
  return [values[0]!, values[1]!, values[2] ?? Number.NaN];
}

function toNumber(text: string): number | null {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
