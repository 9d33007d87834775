import { clipContest } from "./clip-contest.ts";
import { blobLayer, regionLayer, storedLayer } from "./layers.ts";

/**
 * Clip 20,000 small polygons by one large region with a fractal border, of 5,000 vertices and of 50,000 with three
 * holes, against GEOS. Most polygons lie wholly inside or outside; some hundreds cross.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const stored = smoke ? null : storedLayer("polys20k");
  if (stored === null) console.log("without TILTH_BENCH_DATA: an input made here, like the published one");
  const layer = stored ?? blobLayer(smoke ? 1_000 : 20_000);
  for (const [name, corners, goal] of [
    ["roi5k", 5_000, "0.5 of GEOS in C++"],
    ["roi50k", 50_000, "0.12 of GEOS in C++"],
  ] as const) {
    const region =
      (stored === null ? null : storedLayer(name)) ?? regionLayer(smoke ? corners / 10 : corners);
    await clipContest(`by ${region.xy.length / 2} vertices`, layer, region, {
      dimension: 2,
      runs: smoke ? 1 : 9,
      goal,
    });
  }
}
