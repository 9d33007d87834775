import { expect, it } from "vitest";
import { type JoinApi, runJoin } from "../../../scripts/conformance/join.ts";
import { tableFromGeoJson } from "../../../src/model/geojson.ts";
import { nearestJoin } from "../../../src/operators/nearest-join.ts";
import { spatialJoin } from "../../../src/operators/spatial-join.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

describeShared("the vectors of spatial joins", () => {
  it("agree: the pairs of every predicate, left features without a partner, nearest pairs and distances", async () => {
    const api = { tableFromGeoJson, spatialJoin, nearestJoin } as unknown as JoinApi;
    const results = await runJoin(shared("conformance/join"), api);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    expect(results.reduce((sum, { passed }) => sum + passed, 0)).toBe(38);
  });
});
