import { type Executor, inline } from "../execution/executor.ts";
import {
  type ClippedRows,
  Clipper,
  type Keep,
  MOST_WARNINGS,
  newClipCounts,
  type Sliver,
  type Slivers,
} from "../kernels/vector/clip/clipper.ts";
import { GeoError } from "../model/errors.ts";
import {
  asSource,
  type BatchOptions,
  type FeatureSource,
  type FeatureTable,
  type LayerSchema,
  rowsMeeting,
  takeRows,
} from "../model/features.ts";
import {
  type GeometryColumn,
  LINE_STRING,
  MULTI_LINE_STRING,
  MULTI_POLYGON,
  POLYGON,
} from "../model/geometry.ts";
import type { Bounds } from "../model/grid.ts";
import { mapOrdered } from "./map-concurrent.ts";
import { type OnCrsMismatch, regionIn } from "./region.ts";

export type { Keep, Sliver, Slivers } from "../kernels/vector/clip/clipper.ts";

export interface ClipFeaturesOptions {
  /** Default `"cut"`. */
  readonly keep?: Keep | undefined;
  /**
   * With `"cut"`: drop what is left of a feature when it is only a point or line on the boundary (polygons), or
   * only points (lines). Default true. When false such features are kept with that remainder.
   */
  readonly keepGeometryType?: boolean | undefined;
  /** With `"cut"`: remove slivers, and list them in the report. Default: nothing is removed. */
  readonly slivers?: Slivers | undefined;
  /** Default `"transform"`: the region is brought to the features' CRS, with a warning. */
  readonly onCrsMismatch?: OnCrsMismatch | undefined;
  /** Where the cutting is done. Default: here. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Counts of one pass over the features; complete when the batches have been read to the end. */
export interface ClipReport {
  /** Features of the source. */
  featuresIn: number;
  featuresOut: number;
  /** In, not out. */
  dropped: number;
  /** Kept with a part cut away. */
  cut: number;
  /** Kept as they are, to the bit. */
  untouched: number;
  /** Of those cut, the ones that were not valid: read by the even-odd rule, without vertices that are not finite. */
  repaired: number;
  /** Features without geometry that were seen; always dropped. */
  nullGeometries: number;
  /** Points and lines on the boundary that were left where a polygon or line touched it, and dropped. */
  droppedParts: number;
  /**
   * How polygons across the boundary were cut: by following the outlines, which is exact but for the rounding of new
   * vertices, or by an overlay, on which rung of its ladder.
   */
  overlays: { followed: number; floating: number; snapping: number; snapRounding: number };
  /** Highest rung of the ladder that an overlay needed; 0: every vertex of the input kept its place. */
  rung: number;
  /** Parts removed on request. */
  slivers: Sliver[];
  warnings: string[];
}

/** A lazy view of a layer cut to a region. */
export interface ClippedFeatures extends FeatureSource {
  /** Starts anew whenever {@link FeatureSource.batches} does. */
  readonly report: ClipReport;
}

/**
 * Cut a layer to a region. Lazy: batches are read, clipped and handed on one by one, in the order of the source,
 * with their ids and attributes. A source with an index gives only the features near the region.
 *
 * The region's edges are indexed once. A feature whose box meets none of them is inside or outside by one
 * point; only features that really cross the boundary are overlaid, with the part of the region near them. Features
 * wholly inside come out untouched, to the bit. Boundaries belong to the region: points on it are inside, lines
 * along it are kept. Several polygons in the region count as their union; overlaps give nothing twice.
 *
 * Heights and measures stay with their vertices and are interpolated along the edge for new ones.
 *
 * @param region  Polygons, or bounds in the CRS of the features.
 * @throws GeoError `CRS_MISMATCH`, `INVALID_INPUT` when the region has no polygon
 */
export async function clipFeatures(
  features: FeatureSource | FeatureTable,
  region: FeatureTable | Bounds,
  clipOptions: ClipFeaturesOptions = {},
): Promise<ClippedFeatures> {
  const { keep = "cut", keepGeometryType = true, slivers = null, onCrsMismatch } = clipOptions;
  const { executor = inline } = clipOptions;
  const source = asSource(features);
  const table = "batches" in features ? null : features;
  const { geometry, bounds, warnings } = regionIn(region, source.schema.crs, { onCrsMismatch });
  const rules = { keep, keepType: keepGeometryType, slivers: given(slivers) };
  const clipper = new Clipper(geometry, rules);
  if (clipper.polygons === 0) {
    throw new GeoError("INVALID_INPUT", "the region has no polygon, only points or lines", {
      path: "region",
      expected: "at least one polygon",
    });
  }
  const report = newReport();
  /** What threads prepare for themselves, once each. */
  const kept = executor === inline ? null : executor.keep({ region: geometry, rules });

  function clip(geometry: GeometryColumn, firstRow: number): ClippedRows | Promise<ClippedRows> {
    return kept === null
      ? clipper.clip(geometry, firstRow)
      : executor.call("clipRows", kept, geometry, firstRow);
  }

  async function* batches(read: BatchOptions = {}): AsyncGenerator<FeatureTable> {
    Object.assign(report, newReport(), { warnings: [...warnings] });
    const { count } = source.schema;
    let seen = 0;
    const near = read.bounds === undefined ? bounds : commonBounds(bounds, read.bounds);
    const signal = read.signal ?? clipOptions.signal;
    // Without a count in the header every feature must be seen to be counted. A table is clipped as it is: to pick the
    // rows near the region first, and to hand them on in batches, would only copy them.
    const pushed = (count !== null && table === null) || read.bounds !== undefined;
    const { bounds: _, ...rest } = read;
    // Threads get batches of the usual size.
    const batchSize = read.batchSize ?? (kept === null ? table?.count : undefined);
    const options = {
      ...rest,
      signal,
      ...(batchSize === undefined ? {} : { batchSize: Math.max(1, batchSize) }),
    };
    const batchesIn = source.batches({ ...options, ...(pushed ? { bounds: near } : {}) });
    const limit = kept === null ? 1 : executor.concurrency;
    const clippedBatches = mapOrdered(batchesIn, limit, async (batch) => {
      signal?.throwIfAborted();
      return { batch, left: batch.geometry === null ? null : await clip(batch.geometry, batch.firstRow) };
    });
    for await (const { batch, left } of clippedBatches) {
      signal?.throwIfAborted();
      seen += batch.count;
      if (left === null) {
        report.nullGeometries += batch.count;
        continue;
      }
      addUp(report, left);
      let clipped = takeRows(batch, left.rows, left.geometry);
      if (read.bounds !== undefined) clipped = takeRows(clipped, rowsMeeting(clipped, read.bounds));
      if (clipped.count > 0) yield { ...clipped, firstRow: report.featuresOut };
      report.featuresOut += clipped.count;
    }
    report.featuresIn = count ?? seen;
    report.dropped = report.featuresIn - report.featuresOut;
  }

  return {
    url: source.url,
    driver: source.driver,
    layers: source.layers,
    warnings: [...source.warnings, ...warnings],
    schema: clippedSchema(source.schema, keep, keepGeometryType),
    report,
    batches,
    close: () => source.close(),
  };
}

function newReport(): ClipReport {
  return { featuresIn: 0, featuresOut: 0, dropped: 0, ...newClipCounts(), slivers: [], warnings: [] };
}

function addUp(report: ClipReport, { counts, slivers, warnings }: ClippedRows): void {
  for (const key of ["cut", "untouched", "repaired", "nullGeometries", "droppedParts"] as const)
    report[key] += counts[key];
  for (const key of ["followed", "floating", "snapping", "snapRounding"] as const)
    report.overlays[key] += counts.overlays[key];
  report.rung = Math.max(report.rung, counts.rung);
  report.slivers.push(...slivers);
  for (const warning of warnings) if (report.warnings.length < MOST_WARNINGS) report.warnings.push(warning);
}

/** The limits, unless there are none. */
function given(slivers: Slivers | null): Slivers | null {
  if (slivers === null) return null;
  for (const limit of ["minArea", "minWidth", "compactness"] as const) {
    const value = slivers[limit];
    if (value === undefined || value >= 0) continue;
    throw new GeoError("INVALID_INPUT", `the sliver limit ${limit} is ${value}, expected 0 or more`, {
      path: `slivers.${limit}`,
      expected: "a number of 0 or more",
    });
  }
  const { minArea, minWidth, compactness } = slivers;
  return minArea === undefined && minWidth === undefined && compactness === undefined ? null : slivers;
}

function commonBounds(a: Bounds, b: Bounds): Bounds {
  return [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
}

/** Types that can come out: lines and polygons may fall into several parts. */
function clippedSchema(schema: LayerSchema, keep: Keep, keepGeometryType: boolean): LayerSchema {
  const types = new Set(schema.geometryTypes);
  if (keep === "cut") {
    if (types.has(LINE_STRING)) types.add(MULTI_LINE_STRING);
    if (types.has(POLYGON)) types.add(MULTI_POLYGON);
    if (!keepGeometryType && types.size > 0) for (const type of [1, 2, 4, 5, 7] as const) types.add(type);
  }
  return { ...schema, geometryTypes: [...types], count: null, bounds: null };
}
