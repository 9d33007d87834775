import type { Pipeline } from "./define.ts";

/** The built-in pipelines; each is loaded only when used. */
export const PIPELINES: Readonly<Record<string, () => Promise<Pipeline>>> = {
  "drainage-lines": async () => (await import("./drainage-lines.ts")).drainageLines,
  "land-cover": async () => (await import("./land-cover.ts")).landCover,
  aquifer: async () => (await import("./aquifer.ts")).aquifer,
  "facilities-proximity": async () => (await import("./facilities-proximity.ts")).facilitiesProximity,
  "catchment-area": async () => (await import("./catchment-area.ts")).catchmentArea,
  "stream-order": async () => (await import("./stream-order.ts")).streamOrderPipeline,
};
