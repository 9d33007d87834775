import type { clipFeatures as ClipFeatures } from "./clip-features.ts";
import type { clipRaster as ClipRaster } from "./clip-raster.ts";
import type { composite as Composite } from "./composite.ts";
import type { dissolve as Dissolve } from "./dissolve.ts";
import type { dominantClass as DominantClass } from "./dominant.ts";
import type { dominantClassPolygons as DominantClassPolygons } from "./dominant-polygons.ts";
import type {
  inner as Inner,
  inverted as Inverted,
  saveAll as SaveAll,
  saveBest as SaveBest,
  saveFirst as SaveFirst,
  simple as Simple,
} from "./ee-joins.ts";
import type { nearestJoin as NearestJoin } from "./nearest-join.ts";
import type { polygonOverlaps as PolygonOverlaps } from "./polygon-overlaps.ts";
import type { rasterize as Rasterize } from "./rasterize.ts";
import type { spatialJoin as SpatialJoin } from "./spatial-join.ts";
import type { openStack as OpenStack } from "./stack.ts";
import type { checkFeatures as CheckFeatures } from "./validity.ts";
import type { warpRaster as WarpRaster } from "./warp.ts";
import type { zonalStats as ZonalStats } from "./zonal-stats.ts";

// Operators that answer with a promise, each loaded at its first use with the kernels it needs: importing the library for
// one of them does not load them all. The doc comments stand with the functions themselves.

/** See `clipFeatures` in `operators/clip-features.ts`: features cut to a region. */
export const clipFeatures: typeof ClipFeatures = async (...args) =>
  (await import("./clip-features.ts")).clipFeatures(...args);

/** See `clipRaster` in `operators/clip-raster.ts`: a raster cut to a region. */
export const clipRaster: typeof ClipRaster = async (...args) =>
  (await import("./clip-raster.ts")).clipRaster(...args);

/** See `dissolve` in `operators/dissolve.ts`: rows grouped by attributes, their geometries united. */
export const dissolve: typeof Dissolve = async (...args) => (await import("./dissolve.ts")).dissolve(...args);

/** See `dominantClass` in `operators/dominant.ts`: class areas and the dominant class per zone, from rasters or polygons. */
export const dominantClass: typeof DominantClass = (async (...args: Parameters<typeof DominantClass>) =>
  (await import("./dominant.ts")).dominantClass(...args)) as typeof DominantClass;

/** See `dominantClassPolygons` in `operators/dominant-polygons.ts`: the same from polygons with a class. */
export const dominantClassPolygons: typeof DominantClassPolygons = async (...args) =>
  (await import("./dominant-polygons.ts")).dominantClassPolygons(...args);

/** See `inner` in `operators/ee-joins.ts`: Earth Engine's `Join.inner`. */
export const inner: typeof Inner = async (...args) => (await import("./ee-joins.ts")).inner(...args);

/** See `inverted` in `operators/ee-joins.ts`: Earth Engine's `Join.inverted`. */
export const inverted: typeof Inverted = async (...args) => (await import("./ee-joins.ts")).inverted(...args);

/** See `saveAll` in `operators/ee-joins.ts`: Earth Engine's `Join.saveAll`. */
export const saveAll: typeof SaveAll = async (...args) => (await import("./ee-joins.ts")).saveAll(...args);

/** See `saveBest` in `operators/ee-joins.ts`: Earth Engine's `Join.saveBest`. */
export const saveBest: typeof SaveBest = async (...args) => (await import("./ee-joins.ts")).saveBest(...args);

/** See `saveFirst` in `operators/ee-joins.ts`: Earth Engine's `Join.saveFirst`. */
export const saveFirst: typeof SaveFirst = async (...args) =>
  (await import("./ee-joins.ts")).saveFirst(...args);

/** See `simple` in `operators/ee-joins.ts`: Earth Engine's `Join.simple`. */
export const simple: typeof Simple = async (...args) => (await import("./ee-joins.ts")).simple(...args);

/** See `nearestJoin` in `operators/nearest-join.ts`: the nearest features of another layer. */
export const nearestJoin: typeof NearestJoin = async (...args) =>
  (await import("./nearest-join.ts")).nearestJoin(...args);

/** See `polygonOverlaps` in `operators/polygon-overlaps.ts`: what polygons share with zones. */
export const polygonOverlaps: typeof PolygonOverlaps = async (...args) =>
  (await import("./polygon-overlaps.ts")).polygonOverlaps(...args);

/** See `rasterize` in `operators/rasterize.ts`: features as a raster. */
export const rasterize: typeof Rasterize = async (...args) =>
  (await import("./rasterize.ts")).rasterize(...args);

/** See `spatialJoin` in `operators/spatial-join.ts`: two layers joined in space, by attributes and in time. */
export const spatialJoin: typeof SpatialJoin = async (...args) =>
  (await import("./spatial-join.ts")).spatialJoin(...args);

/** See `checkFeatures` in `operators/validity.ts`: invalid geometries, with reason and place. */
export const checkFeatures: typeof CheckFeatures = async (...args) =>
  (await import("./validity.ts")).checkFeatures(...args);

/** See `warpRaster` in `operators/warp.ts`: a raster on another grid or in another CRS. */
export const warpRaster: typeof WarpRaster = async (...args) =>
  (await import("./warp.ts")).warpRaster(...args);

/** See `zonalStats` in `operators/zonal-stats.ts`: statistics of a raster per zone. */
export const zonalStats: typeof ZonalStats = async (...args) =>
  (await import("./zonal-stats.ts")).zonalStats(...args);

/** See `composite` in `operators/composite.ts`: a stack of dated rasters as one raster per period. */
export const composite: typeof Composite = async (...args) =>
  (await import("./composite.ts")).composite(...args);

/** See `openStack` in `operators/stack.ts`: dated rasters on one grid. */
export const openStack: typeof OpenStack = async (...args) => (await import("./stack.ts")).openStack(...args);
