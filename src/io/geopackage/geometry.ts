import { GeoError } from "../../model/errors.ts";
import type { GeometryColumn } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import { type WkbOptions, WkbWriter, wkbLength } from "../wkb.ts";

// Geometry blobs: GeoPackage 1.3, clause 2.1.3. "GP", version 0, flags, SRS id, envelope, then ISO WKB.

/** Bytes of the envelope by its code in the flags; codes 5 to 7 are invalid. */
const ENVELOPE_BYTES = [0, 32, 48, 48, 64] as const;

/**
 * Offset of the WKB in a geometry blob.
 * @throws GeoError `INVALID_FORMAT` when it is no GeoPackage geometry, `UNSUPPORTED` for extended types.
 */
export function wkbOffset(blob: Uint8Array): number {
  if (blob.length < 8 || blob[0] !== 0x47 || blob[1] !== 0x50) {
    throw invalid('a geometry does not begin with the letters "GP"');
  }
  if (blob[2] !== 0) throw invalid(`a geometry has version ${blob[2]}, expected 0`);
  const flags = blob[3]!;
  if ((flags & 0x20) !== 0) {
    throw new GeoError("UNSUPPORTED", "a geometry of an extended GeoPackage type is not read", {
      feature: "extended GeoPackage geometry",
    });
  }
  const envelope = ENVELOPE_BYTES[(flags >> 1) & 7];
  if (envelope === undefined)
    throw invalid(`a geometry has envelope code ${(flags >> 1) & 7}, expected 0 to 4`);
  return 8 + envelope;
}

/** Whether the envelope in the header of a blob, if there is one, shows that the geometry misses `bounds`. */
export function envelopeMisses(blob: Uint8Array, bounds: Bounds): boolean {
  if (blob.length < 40 || (blob[3]! & 0x0e) === 0) return false;
  const view = new DataView(blob.buffer, blob.byteOffset, 40);
  const little = (blob[3]! & 1) === 1;
  return (
    view.getFloat64(8, little) > bounds[2] ||
    view.getFloat64(16, little) < bounds[0] ||
    view.getFloat64(24, little) > bounds[3] ||
    view.getFloat64(32, little) < bounds[1]
  );
}

/**
 * A row as a GeoPackage geometry, little-endian. The envelope (x and y) is written but for points and empty
 * geometries, as other writers do. `box`: bounds of the row, `[minX, minY, maxX, maxY]` from `at`.
 */
export function writeGeometry(
  column: GeometryColumn,
  row: number,
  srsId: number,
  box: Float64Array,
  at: number,
  options: WkbOptions = {},
): Uint8Array {
  const empty = !(box[at]! <= box[at + 2]!);
  const envelope = !empty && column.types[row] !== 1;
  const start = envelope ? 40 : 8;
  const blob = new Uint8Array(start + wkbLength(column, row, options));
  const view = new DataView(blob.buffer);
  blob[0] = 0x47;
  blob[1] = 0x50;
  blob[3] = 1 | (envelope ? 2 : 0) | (empty ? 0x10 : 0);
  view.setInt32(4, srsId, true);
  if (envelope) {
    view.setFloat64(8, box[at]!, true);
    view.setFloat64(16, box[at + 2]!, true);
    view.setFloat64(24, box[at + 1]!, true);
    view.setFloat64(32, box[at + 3]!, true);
  }
  new WkbWriter(blob).put(column, row, start, options);
  return blob;
}

function invalid(finding: string): GeoError {
  return new GeoError("INVALID_FORMAT", finding, { format: "GeoPackage", path: "" });
}
