import { clipContest } from "./clip-contest.ts";
import { regionLayer, riverLayer, storedLayer } from "./layers.ts";

/**
 * Clip 50,000 winding lines by one large region with a fractal border, of 5,000 vertices and of 50,000 with three holes,
 * against GEOS. About 2,000 lines cross the border.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const stored = smoke ? null : storedLayer("lines50k");
  if (stored === null) console.log("without TILTH_BENCH_DATA: an input made here, like the published one");
  const layer = stored ?? riverLayer(smoke ? 2_000 : 50_000);
  for (const [name, corners, goal] of [
    ["roi5k", 5_000, "0.5 of GEOS in C++"],
    ["roi50k", 50_000, "0.1 of GEOS in C++"],
  ] as const) {
    const region =
      (stored === null ? null : storedLayer(name)) ?? regionLayer(smoke ? corners / 10 : corners);
    await clipContest(`by ${region.xy.length / 2} vertices`, layer, region, {
      dimension: 1,
      runs: smoke ? 1 : 9,
      goal,
    });
  }
}
