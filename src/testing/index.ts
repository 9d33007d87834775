export {
  makeLines,
  makeMultiPolygons,
  makePoints,
  makePolygons,
  makeTable,
  type Position,
  type TableOptions,
} from "./features.ts";
export {
  type Landscape,
  type LandscapeOptions,
  makeLandscape,
  SAMPLE_AREA,
  type SampleFile,
  sampleFiles,
} from "./landscape/landscape.ts";
export { toLonLat, toUtm, UTM_45N, WGS84 } from "./places.ts";
export { type Random, random } from "./random.ts";
export {
  type MemoryRaster,
  makeRaster,
  makeScene,
  makeStack,
  type RasterOptions,
  rasterOf,
  type SceneOptions,
  type StackMember,
  type StackOptions,
} from "./rasters.ts";
