import type { Pipeline } from "./define.ts";

/** The built-in pipelines; each is loaded only when used. */
export const PIPELINES: Readonly<Record<string, () => Promise<Pipeline>>> = {
  aquifer: async () => (await import("./aquifer.ts")).aquifer,
  "drainage-lines": async () => (await import("./drainage-lines.ts")).drainageLines,
  "facilities-proximity": async () => (await import("./facilities-proximity.ts")).facilitiesProximity,
  "land-cover": async () => (await import("./land-cover.ts")).landCover,
};
