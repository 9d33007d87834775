export type { DirectionCodes } from "../kernels/hydrology/direction-codes.ts";
export { type FlowAccumulationOptions, flowAccumulation } from "./hydrology/accumulation.ts";
export type { AccumulationUnit, DirectionOptions } from "./hydrology/directions.ts";
export { MAX_CELLS, type WholeRasterOptions } from "./hydrology/framed.ts";
export {
  type FilledRaster,
  type FillOptions,
  type FlowDirectionOptions,
  fillDepressions,
  flowDirection,
} from "./hydrology/heights.ts";
export { type StreamOptions, streamLines, streamOrder } from "./hydrology/streams.ts";
export { type WatershedOptions, type WatershedsRaster, watersheds } from "./hydrology/watersheds.ts";
