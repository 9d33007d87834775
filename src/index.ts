/**
 * tilth: local-first geoprocessing. Everything for local work; nothing here loads an adapter, a server, a database or
 * a queue client.
 */
export type { OutputOptions } from "./io/atomic.ts";
export type { ByteSource } from "./io/bytes/source.ts";
export type { WriteSummary } from "./io/feature-sink.ts";
export type { GeoTiffInfo, GeoTiffSource } from "./io/geotiff/read.ts";
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
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  type Rgba,
  type SampleArray,
  type SampleType,
  type SampleValue,
} from "./model/raster.ts";
