import { contest } from "./join-contest.ts";
import { blobLayer, storedLayer } from "./layers.ts";

/** 50,000 by 50,000 polygons of some forty vertices: the pairs that intersect. */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const count = smoke ? 500 : 50_000;
  let left = smoke ? null : storedLayer("polysA50k");
  let right = smoke ? null : storedLayer("polysB50k");
  if (left === null || right === null) {
    if (!smoke)
      console.log("TILTH_BENCH_DATA has no polysA50k.wkbs and polysB50k.wkbs: generated polygons instead");
    left = blobLayer(count, 81);
    right = blobLayer(count, 82);
  }
  const what = `${left.types.length} by ${right.types.length} polygons`;
  await contest(what, left, right, { prepared: "left", runs: smoke ? 1 : 5, goal: 0.6 });
}
