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
import { NumberReader } from "../text/number.ts";

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

const encoder = new TextEncoder();
const reader = new NumberReader();

/**
 * Positions of a `coordinates` element, `lon,lat[,alt]` apart by white space, as `[x, y, z, ...]`; also the faulty
 * `lon, lat, alt` with white space around commas. `null` when something else is in it.
 */
export function parseCoordinates(text: string): number[] | null {
  const bytes = encoder.encode(text);
  const end = bytes.length;
  const out: number[] = [];
  let at = skipSpace(bytes, 0);
  while (at < end) {
    let size = 0;
    let z = Number.NaN;
    for (;;) {
      const value = reader.read(bytes, at, end);
      if (reader.end === at || !Number.isFinite(value)) {
        // A comma with nothing behind it ends the position, if it has its two numbers.
        if (reader.end === at && size >= 2) break;
        return null;
      }
      at = reader.end;
      if (size < 2) out.push(value);
      else if (size === 2) z = value;
      size++;
      const next = skipSpace(bytes, at);
      if (next >= end || bytes[next] !== 44) break;
      at = skipSpace(bytes, next + 1);
    }
    if (size < 2 || size > 4) return null;
    out.push(z);
    const next = skipSpace(bytes, at);
    if (next === at && next < end && bytes[at - 1] !== 44) return null;
    at = next;
  }
  return out;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (next < bytes.length && (bytes[next] === 32 || (bytes[next]! >= 9 && bytes[next]! <= 13))) next++;
  return next;
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
