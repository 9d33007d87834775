import { type Executor, inline } from "../execution/executor.ts";
import type { Surface } from "../kernels/raster/cell-area.ts";
import { ZoneOverlaps, type ZoneSide } from "../kernels/vector/overlap/zone-overlaps.ts";
import { type Crs, describeCrs, isGeographic, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../model/features.ts";
import type { Bounds } from "../model/grid.ts";
import { mapOrdered } from "./map-concurrent.ts";
import type { OnCrsMismatch } from "./region.ts";
import { reprojectFeatures } from "./reproject-features.ts";

export interface PolygonOverlapOptions {
  /**
   * Where areas are measured. Default: `"plane"` for projected zones, `"ellipsoid"` (WGS 84) for zones in degrees; `"sphere"` is
   * that of Earth Engine. On both, edges are straight in longitude and latitude.
   */
  readonly surface?: Surface | undefined;
  /** Columns of the polygons that the visitor reads. */
  readonly fields: readonly string[];
  /** Report pairs too that only touch, with area 0. Default false. */
  readonly touching?: boolean | undefined;
  /** Default `"transform"`: polygons are brought to the CRS of the zones, vertex by vertex, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Where overlaps are measured. Default: here. The visitor is always called here, in the same order. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the polygons done and, when the layer says, how many there are. */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/** What a pass over the polygons came across. */
export interface PolygonOverlaps {
  /** Area of each zone; square metres, or square units of a CRS that has no unit of length. 0 without polygons. */
  readonly zoneAreas: Float64Array;
  /** Polygons near the zones, of whatever class. */
  readonly polygons: number;
  /** Polygons among them, and zones, that break the rules for polygons: counted by the even-odd rule. */
  readonly invalidPolygons: number;
  readonly invalidZones: number;
  readonly warnings: readonly string[];
}

/** Told a row of a batch of polygons, a zone and the area they share, in square metres. */
export type OverlapVisitor = (batch: FeatureTable, row: number, zone: number, area: number) => void;

/**
 * The area that every polygon of a layer shares with every zone that it meets, in the order of the polygons, for one polygon in the
 * order of the zones. Zones are in memory and indexed, polygons are streamed: only those near the zones are read. Areas are those
 * of the exact intersections, which are not built.
 *
 * @throws GeoError `CRS_MISMATCH`; `INVALID_INPUT` when the layer lacks a field; `UNSUPPORTED` for areas on the ellipsoid or
 * sphere of zones in a projected CRS
 */
export async function polygonOverlaps(
  zones: FeatureTable,
  polygons: FeatureSource,
  options: PolygonOverlapOptions,
  visit: OverlapVisitor,
): Promise<PolygonOverlaps> {
  const { fields, touching = false, executor = inline, signal, onProgress } = options;
  for (const name of fields) requireField(polygons, name);
  const warnings = new Set<string>();
  const source = inCrsOf(zones, polygons, options.onCrsMismatch, warnings);
  const zoneAreas = new Float64Array(zones.count);
  const { geometry } = zones;
  if (geometry === null) return { zoneAreas, polygons: 0, invalidPolygons: 0, invalidZones: 0, warnings: [] };
  const { surface, degrees, factor } = measure(zones.crs, options.surface, warnings);
  const side: ZoneSide = { geometry, surface, degrees, touching };
  const overlaps = new ZoneOverlaps(side);
  for (let zone = 0; zone < zones.count; zone++) zoneAreas[zone] = overlaps.area(zone) * factor;
  /** What threads prepare for themselves, once each. */
  const kept = executor === inline ? null : executor.keep(side);
  const bounds = boundsOf(overlaps.bounds);
  let invalidPolygons = 0;
  let seen = 0;
  if (bounds !== null) {
    const total = source.schema.count;
    const batches = source.batches({ bounds, fields: [...fields], signal });
    const measured = mapOrdered(batches, kept === null ? 1 : executor.concurrency, async (batch) => {
      signal?.throwIfAborted();
      const column = batch.geometry;
      if (column === null) return { batch, found: null };
      const found = kept === null ? overlaps.find(column) : await executor.call("overlapRows", kept, column);
      return { batch, found };
    });
    for await (const { batch, found } of measured) {
      signal?.throwIfAborted();
      seen += batch.count;
      if (found === null) continue;
      const { rows, zones, areas } = found;
      for (let k = 0; k < rows.length; k++) visit(batch, rows[k]!, zones[k]!, areas[k]! * factor);
      invalidPolygons += found.repaired;
      onProgress?.(seen, total);
    }
  }
  const invalidZones = overlaps.repaired;
  if (invalidPolygons > 0)
    warnings.add(`${invalidPolygons} class polygons are not valid: counted by the even-odd rule`);
  if (invalidZones > 0) warnings.add(`${invalidZones} zones are not valid: counted by the even-odd rule`);
  if ("report" in source) {
    const { lost, warnings: more } = (source as ReturnType<typeof reprojectFeatures>).report;
    for (const warning of more) warnings.add(warning);
    if (lost > 0) warnings.add(`${lost} class polygons have no place in ${describeCrs(zones.crs)}`);
  }
  return { zoneAreas, polygons: seen, invalidPolygons, invalidZones, warnings: [...warnings] };
}

/** @throws GeoError `INVALID_INPUT`, with the fields that there are. */
export function requireField(source: FeatureSource, name: string, option: string = "classField"): void {
  const { fields } = source.schema;
  if (fields.some((field) => field.name === name)) return;
  const names = fields.map((field) => field.name);
  throw new GeoError(
    "INVALID_INPUT",
    `${source.url} has no field "${name}"`,
    { path: option, expected: names.join(", ") },
    { hint: names.length === 0 ? "It has no fields at all." : `It has: ${names.join(", ")}.` },
  );
}

function inCrsOf(
  zones: FeatureTable,
  polygons: FeatureSource,
  onCrsMismatch: OnCrsMismatch = "transform",
  warnings: Set<string>,
): FeatureSource {
  const { crs } = polygons.schema;
  if (sameCrs(zones.crs, crs)) return polygons;
  if (zones.crs === null || crs === null) {
    warnings.add(
      `the zones have ${describeCrs(zones.crs)} and the class polygons ${describeCrs(crs)}: coordinates taken to be in the same system`,
    );
    return polygons;
  }
  if (onCrsMismatch === "error") {
    throw new GeoError(
      "CRS_MISMATCH",
      `the zones are in ${describeCrs(zones.crs)}, the class polygons in ${describeCrs(crs)}`,
      { left: describeCrs(zones.crs), right: describeCrs(crs) },
      { hint: "Reproject one of them, or allow it with --on-crs-mismatch transform." },
    );
  }
  warnings.add(
    `the class polygons were transformed from ${describeCrs(crs)} to ${describeCrs(zones.crs)}, vertex by vertex`,
  );
  return reprojectFeatures(polygons, zones.crs);
}

/** How areas are measured, and square metres to a unit of them. */
function measure(
  crs: Crs | null,
  surface: Surface | undefined,
  warnings: Set<string>,
): { surface: Surface; degrees: number; factor: number } {
  const geographic = isGeographic(crs);
  const chosen = surface ?? (geographic ? "ellipsoid" : "plane");
  if (chosen !== "plane") {
    if (!geographic) {
      throw new GeoError(
        "UNSUPPORTED",
        `areas on the ${chosen} need zones in degrees, these are in ${describeCrs(crs)}`,
        { feature: `${chosen} areas of projected zones` },
        {
          hint: "Use the plane, preferably of an equal-area projection, or convert the zones to EPSG:4326 first.",
        },
      );
    }
    const { kind, factor } = crs!.unit;
    return { surface: chosen, degrees: kind === "angle" ? factor : 1, factor: 1 };
  }
  if (crs === null) warnings.add("the zones have no CRS: their unit is taken to be the metre");
  if (geographic)
    warnings.add("areas in the plane of zones in degrees are square degrees, not square metres");
  const metres = crs === null || geographic ? 1 : crs.unit.factor;
  return { surface: "plane", degrees: 1, factor: metres * metres };
}

function boundsOf(boxes: Float64Array): Bounds | null {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < boxes.length; i += 4) {
    if (boxes[i]! < minX) minX = boxes[i]!;
    if (boxes[i + 1]! < minY) minY = boxes[i + 1]!;
    if (boxes[i + 2]! > maxX) maxX = boxes[i + 2]!;
    if (boxes[i + 3]! > maxY) maxY = boxes[i + 3]!;
  }
  return minX <= maxX && minY <= maxY ? [minX, minY, maxX, maxY] : null;
}
