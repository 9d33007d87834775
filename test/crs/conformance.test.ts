import { expect, it } from "vitest";
import { runReprojection } from "../../scripts/conformance/reprojection.ts";
import { transformBounds } from "../../src/crs/bounds.ts";
import { toProjJson, toWkt1, toWkt2 } from "../../src/crs/format.ts";
import { parseCrs } from "../../src/crs/parse.ts";
import { describeTransform, transformer } from "../../src/crs/transformer.ts";
import { describeShared, shared } from "../helpers/shared.ts";

describeShared("reprojection vectors", () => {
  it("all pass; what is not covered says why", async () => {
    const results = await runReprojection(shared("conformance", "reprojection"), {
      transformer,
      transformBounds,
      parseCrs,
      describeTransform,
      toWkt1,
      toWkt2,
      toProjJson,
    });

    expect(results.map(({ file }) => file)).toEqual([
      "wgs84.jsonl",
      "projection.jsonl",
      "datum.jsonl",
      "bounds.jsonl",
      "crs.jsonl",
      "operations.jsonl",
      "gie.jsonl",
    ]);
    for (const result of results) {
      expect(result.failures, result.file).toEqual([]);
      expect(result.passed + result.notCovered, result.file).toBe(result.cases);
    }
    const reasons = results.flatMap(({ notCoveredWhy }) => Object.keys(notCoveredWhy));
    for (const why of reasons) expect(why).toMatch(/needs the grid|three-dimensional|line continuation/);
  });
});
