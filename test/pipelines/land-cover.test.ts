import { describe, expect, it } from "vitest";
import { columnNamed, type FeatureTable, rowAt, tableSource } from "../../src/model/features.ts";
import { GEOJSON_CRS, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { Grid } from "../../src/model/grid.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { landCover } from "../../src/pipelines/land-cover.ts";
import { fromWkt } from "../helpers/vectors.ts";

const GRID: Grid = { width: 4, height: 2, transform: [0.001, 0, 0, 0, -0.001, 0.002], crs: GEOJSON_CRS };
const year = (label: string, ...samples: number[]) => ({
  label,
  source: memoryRaster(GRID, [{ type: "uint8", nodata: 0 }], [Uint8Array.from(samples)]),
});

/** Two and a half columns of pixels. */
const UNITS = tableFromGeoJson([
  {
    type: "Feature",
    geometry: fromWkt("POLYGON ((0 0, 0.0025 0, 0.0025 0.002, 0 0.002, 0 0))") as Geometry,
    properties: { uid: "a" },
  },
]);

async function run(parameters: object = {}): Promise<FeatureTable> {
  const result = await landCover.run(
    landCover.parameters.strict().parse({
      area: { state: "S", district: "Dist", block: "Block" },
      ...parameters,
    }),
    {
      inputs: {
        features: () => tableSource(UNITS, "units"),
        raster: () => {
          throw new Error("not asked for");
        },
        rasters: () => [year("2017", 1, 1, 2, 2, 1, 1, 2, 2), year("2018", 1, 2, 2, 2, 1, 2, 2, 2)],
        has: () => true,
      },
      memory: 2 ** 26,
      onCrsMismatch: "transform",
      signal: new AbortController().signal,
      progress: () => {},
      warn: () => {},
    },
  );
  return result.layers[0]!.source as FeatureTable;
}

describe("the land-cover pipeline", () => {
  it("keeps its columns", async () => {
    expect((await run()).columns.map(({ name }) => name)).toEqual([
      "uid",
      "class_1_area_2017",
      "class_1_area_2018",
      "class_2_area_2017",
      "class_2_area_2018",
      ...["2017", "2018"].flatMap((label) => [
        `dominant_${label}`,
        `dominant_name_${label}`,
        `dominant_share_${label}`,
        `runner_up_${label}`,
        `runner_up_name_${label}`,
        `runner_up_share_${label}`,
        `observed_share_${label}`,
      ]),
    ]);
  });

  it("counts whole pixels by their centres, or every pixel by the part inside", async () => {
    const centre = await run();
    // The centre of the third column lies on the border, which belongs to the unit on its left.
    expect(rowAt(centre, 0)["dominant_share_2017"]).toBeCloseTo(2 / 3, 6);
    const exact = await run({ pixels: "coverage" });
    expect(rowAt(exact, 0)["dominant_share_2017"]).toBeCloseTo(2 / 2.5, 6);
    expect(rowAt(exact, 0)["dominant_share_2018"]).toBeCloseTo(1.5 / 2.5, 6);
    expect(columnNamed(exact, "class_2_area_2017")).toBeDefined();
    // A pixel is 111.3 m by 110.6 m there.
    expect(rowAt(exact, 0)["class_2_area_2017"]).toBeCloseTo(1.231, 2);
  });
});
