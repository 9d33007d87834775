/**
 * tilth: local-first geoprocessing. Everything for local work; nothing here loads an adapter, a server, a database or
 * a queue client.
 */

export { transformBounds } from "./crs/bounds.ts";
export { toProjJson, toWkt1, toWkt2 } from "./crs/format.ts";
export { registerGrid } from "./crs/grids.ts";
export { crsFromEpsg, parseCrs } from "./crs/parse.ts";
export {
  type CoordinateTransform,
  describeTransform,
  type TransformDescription,
  type TransformOptions,
  transformer,
} from "./crs/transformer.ts";
export type { Executor } from "./execution/executor.ts";
export { type ThreadOptions, threads } from "./execution/threads.ts";
export type { OutputOptions } from "./io/atomic.ts";
export type { ByteSource } from "./io/bytes/source.ts";
export type { WriteSummary } from "./io/feature-sink.ts";
export type { GeoTiffInfo, GeoTiffOptions, GeoTiffSource } from "./io/geotiff/read.ts";
export type { CogProblem, CogReport } from "./io/geotiff/validate-cog.ts";
export type { CogOptions, WriteResult } from "./io/geotiff/write.ts";
export {
  type OpenFeaturesOptions,
  type OutputFile,
  openFeatures,
  openRaster,
  readFeatures,
  type WriteFeaturesOptions,
  type WriteFeaturesResult,
  type WriteRasterResult,
  writeFeatures,
  writeRaster,
} from "./io/open.ts";
export type { ClipFileOptions } from "./jobs/files/clip.ts";
export type { CompositeFileOptions } from "./jobs/files/composite.ts";
export type { ConvertOptions } from "./jobs/files/convert.ts";
export type { DominantFileOptions } from "./jobs/files/dominant.ts";
export type { DescribeOptions, FileDescription } from "./jobs/files/info.ts";
export type { JoinFileOptions } from "./jobs/files/join.ts";
export type { PolygonizeFileOptions } from "./jobs/files/polygonize.ts";
export type { RasterizeFileOptions } from "./jobs/files/rasterize.ts";
export type { FileOptions, FileResult } from "./jobs/files/result.ts";
export type { FileProblem, ValidateOptions, ValidateResult } from "./jobs/files/validate.ts";
export type { WarpFileOptions } from "./jobs/files/warp.ts";
export type { ZonalFileOptions } from "./jobs/files/zonal.ts";
export {
  clipFile,
  compositeFile,
  convertFile,
  describeFile,
  describePipeline,
  dominantFile,
  joinFile,
  loadPipeline,
  planPipeline,
  polygonizeFile,
  rasterizeFile,
  runPipeline,
  validateFile,
  warpFile,
  zonalFile,
} from "./jobs/lazy.ts";
export type { PipelineInfo } from "./jobs/pipelines.ts";
export type { RunOptions, RunPlan, RunRecord, RunResult } from "./jobs/run.ts";
export { geodesicDirect, geodesicInverse } from "./kernels/vector/geodesic.ts";
export { EARTH_ENGINE_RADIUS } from "./kernels/vector/spherical.ts";
export { type Crs, describeCrs, isGeographic, sameCrs } from "./model/crs.ts";
export { GeoError, type GeoErrorCode, type GeoErrorDetails, isGeoError } from "./model/errors.ts";
export {
  type BatchOptions,
  type Column,
  type ColumnType,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  type Field,
  type JsonValue,
  type LayerSchema,
  type Row,
  rowAt,
  tableSource,
  takeRows,
  type Value,
  valueAt,
} from "./model/features.ts";
export {
  type Feature,
  type FeatureCollection,
  type Geometry,
  tableFromGeoJson,
  tableToGeoJson,
} from "./model/geojson.ts";
export type { CollectionMembers, GeometryColumn, GeometryType } from "./model/geometry.ts";
export {
  type Affine,
  type Bounds,
  boundsWindow,
  type Grid,
  gridBounds,
  gridsAlign,
  invertAffine,
  pixelToWorld,
  tileWindows,
  type Window,
  windowGrid,
} from "./model/grid.ts";
export {
  type Band,
  makeBand,
  type Origin,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  type Rgba,
  type SampleArray,
  type SampleType,
  type SampleValue,
} from "./model/raster.ts";
export {
  formatInstant,
  type Instant,
  type Period,
  type PeriodRule,
  parseInstant,
  periodsBetween,
} from "./model/time.ts";
export { bandMath } from "./operators/band-math.ts";
export { centroids } from "./operators/centroids.ts";
export type {
  ClipFeaturesOptions,
  ClippedFeatures,
  ClipReport,
  Keep,
  Sliver,
  Slivers,
} from "./operators/clip-features.ts";
export type { ClippedRaster, ClipRasterOptions, ClipRasterReport } from "./operators/clip-raster.ts";
export type {
  CompositeMethodName,
  CompositeOptions,
  ModeTies,
  PercentileRule,
  PeriodComposite,
  Provenance,
} from "./operators/composite.ts";
export type { DissolveOptions, DissolveResult } from "./operators/dissolve.ts";
export type { ClassLook } from "./operators/dominant/legend.ts";
export type {
  ChangeMatrix,
  ClassAreas,
  ClassInfo,
  DominantOptions,
  DominantResult,
  ZoneChanges,
  ZonePixels,
} from "./operators/dominant.ts";
export type {
  DominantPolygonsOptions,
  DominantPolygonsResult,
  PolygonClass,
  PolygonClassAreas,
} from "./operators/dominant-polygons.ts";
export type { EeCondition, EeFilter, EeJoinOptions, SaveOptions } from "./operators/ee-joins.ts";
export { type FocalOptions, focalStatistic } from "./operators/focal.ts";
export {
  type AccumulationUnit,
  type DirectionCodes,
  type DirectionOptions,
  type FilledRaster,
  type FillOptions,
  type FlowAccumulationOptions,
  type FlowDirectionOptions,
  fillDepressions,
  flowAccumulation,
  flowDirection,
  type StreamOptions,
  streamLines,
  streamOrder,
  type WatershedOptions,
  type WatershedsRaster,
  type WholeRasterOptions,
  watersheds,
} from "./operators/hydrology.ts";
export { type AggregateOperation, parseAggregates } from "./operators/join/aggregate.ts";
export {
  checkFeatures,
  clipFeatures,
  clipRaster,
  composite,
  dissolve,
  dominantClass,
  dominantClassPolygons,
  inner,
  inverted,
  nearestJoin,
  openStack,
  polygonOverlaps,
  rasterize,
  saveAll,
  saveBest,
  saveFirst,
  simple,
  spatialJoin,
  warpRaster,
  zonalStats,
} from "./operators/lazy.ts";
export { type MemoryRasterOptions, memoryRaster } from "./operators/memory-raster.ts";
export type {
  DistanceMetric,
  NearestFeatures,
  NearestJoinOptions,
  NearestReport,
} from "./operators/nearest-join.ts";
export { periodBands } from "./operators/period-bands.ts";
export type { PolygonOverlaps } from "./operators/polygon-overlaps.ts";
export {
  type Connectivity,
  type PolygonizeOptions,
  polygonize,
  type RegionOrder,
} from "./operators/polygonize.ts";
export { type ProximityOptions, proximity } from "./operators/proximity.ts";
export type { RasterizeOptions, RasterizeReport } from "./operators/rasterize.ts";
export { readTable } from "./operators/read-table.ts";
export { type ClassRule, type ReclassifyOptions, reclassify } from "./operators/reclassify.ts";
export { type ReprojectedFeatures, reprojectFeatures } from "./operators/reproject-features.ts";
export type {
  AsOfCondition,
  JoinAggregate,
  JoinedFeatures,
  JoinHow,
  JoinPredicate,
  JoinReport,
  JoinTies,
  OnCondition,
  SpatialJoinOptions,
} from "./operators/spatial-join.ts";
export type { RasterStack, Scene, SceneInput, StackOptions } from "./operators/stack.ts";
export { parseQualityRule, QUALITY_PRESETS, type QualityRule } from "./operators/temporal/quality.ts";
export {
  aspect,
  type HillshadeOptions,
  hillshade,
  type SlopeOptions,
  slope,
  type TerrainOptions,
} from "./operators/terrain.ts";
export { type GeometryProblem, repairFeatures, type ValidityReport } from "./operators/validity.ts";
export type { Resampling, WarpedRaster, WarpOptions, WarpReport } from "./operators/warp.ts";
export { filterFeatures } from "./operators/where.ts";
export type {
  AreaSurface,
  ZonalOptions,
  ZonalPixels,
  ZonalPreset,
  ZonalReport,
  ZonalResult,
} from "./operators/zonal-stats.ts";
export {
  definePipeline,
  type Pipeline,
  type PipelineContext,
  type PipelineResult,
} from "./pipelines/define.ts";
export { type Area, assetPath, layerName, validName } from "./pipelines/naming.ts";
