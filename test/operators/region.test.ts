import { describe, expect, it } from "vitest";
import { parseCrs } from "../../src/crs/parse.ts";
import { transformer } from "../../src/crs/transformer.ts";
import type { FeatureTable } from "../../src/model/features.ts";
import { tableSource } from "../../src/model/features.ts";
import { tableFromGeoJson } from "../../src/model/geojson.ts";
import { clipFeatures } from "../../src/operators/clip-features.ts";
import { regionIn } from "../../src/operators/region.ts";
import { reprojectFeatures } from "../../src/operators/reproject-features.ts";
import { fromWkt, tableOf } from "../helpers/vectors.ts";

const WGS84 = parseCrs("EPSG:4326");
const UTM = parseCrs("EPSG:32643");

function inCrs(crs: typeof WGS84, ...texts: string[]): FeatureTable {
  return tableFromGeoJson(
    texts.map((text) => ({ type: "Feature" as const, geometry: fromWkt(text), properties: {} })),
    { crs },
  );
}

const DEGREE = "POLYGON ((75 20, 76 20, 76 21, 75 21, 75 20))";

describe("regionIn", () => {
  it("follows the edges of a region in another CRS", () => {
    const { geometry, warnings } = regionIn(inCrs(WGS84, DEGREE), UTM, { tolerance: 1 });
    expect(warnings[0]).toContain("EPSG:4326");
    // The middle of the southern edge: a parallel bends away from the chord by some hundred metres.
    const middle = Float64Array.of(75.5, 20);
    transformer(WGS84, UTM)(middle);
    const { xy } = geometry;
    let nearest = Infinity;
    for (let i = 0; i + 3 < xy.length; i += 2) {
      const dx = xy[i + 2]! - xy[i]!;
      const dy = xy[i + 3]! - xy[i + 1]!;
      const t = ((middle[0]! - xy[i]!) * dx + (middle[1]! - xy[i + 1]!) * dy) / (dx * dx + dy * dy);
      if (t >= 0 && t <= 1)
        nearest = Math.min(
          nearest,
          Math.hypot(xy[i]! + t * dx - middle[0]!, xy[i + 1]! + t * dy - middle[1]!),
        );
    }
    expect(nearest).toBeLessThan(1);
    expect(geometry.xy.length).toBeGreaterThan(20);
  });

  it("gives neighbours the same vertices along a shared edge, so that no seam opens", async () => {
    const region = inCrs(WGS84, DEGREE, "POLYGON ((76 20, 77 20, 77 21, 76 21, 76 20))");
    const across = inCrs(UTM, "LINESTRING (550000 2250000, 680000 2260000)");
    const clipped = await clipFeatures(across, region);
    let parts = 0;
    for await (const batch of clipped.batches()) parts += batch.geometry!.parts.length - 1;
    expect(parts).toBe(1);
    expect(clipped.report.warnings).toHaveLength(1);
  });

  it("refuses to transform when told so, and warns when a CRS is missing", () => {
    expect(() => regionIn(inCrs(WGS84, DEGREE), UTM, { onCrsMismatch: "error" })).toThrow(
      expect.objectContaining({ code: "CRS_MISMATCH" }),
    );
    expect(regionIn(tableOf(DEGREE), UTM).warnings[0]).toContain("no CRS");
  });

  it("refuses bounds that are not bounds and a region without geometry", () => {
    expect(() => regionIn([2, 0, 1, 1], null)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => regionIn(tableOf(""), null)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});

describe("reprojectFeatures", () => {
  it("moves every vertex and keeps the rest", async () => {
    const source = reprojectFeatures(tableSource(inCrs(WGS84, "POINT Z (75 20 7)", "")), UTM);
    expect(source.schema.crs).toBe(UTM);
    for await (const batch of source.batches()) {
      // The central meridian of zone 43 is 75 degrees east.
      expect(batch.geometry!.xy[0]).toBeCloseTo(500000, 6);
      expect([...batch.geometry!.z!]).toEqual([7]);
      expect([...batch.geometry!.types]).toEqual([1, 0]);
    }
  });

  it("gives the rows whose new bounds meet those asked for", async () => {
    const source = reprojectFeatures(
      tableSource(inCrs(WGS84, "POINT (75 20)", "POINT (76 20)", "POINT (80 20)")),
      UTM,
    );
    let count = 0;
    for await (const batch of source.batches({ bounds: [490000, 2.2e6, 610000, 2.3e6] }))
      count += batch.count;
    expect(count).toBe(2);
  });

  it("needs to know where the coordinates come from", () => {
    expect(() => reprojectFeatures(tableSource(tableOf("POINT (1 1)")), UTM)).toThrow(
      expect.objectContaining({ code: "CRS_UNKNOWN" }),
    );
  });
});

describe("datum shifts that need a grid", () => {
  it("are named, in the report of a reprojected layer and in the warnings of a region", () => {
    const nad27 = parseCrs("EPSG:4267");
    const { report } = reprojectFeatures(tableSource(inCrs(nad27, "POINT (-79 35)")), WGS84);
    expect(report.warnings.join(" ")).toMatch(/needs a grid .*us_noaa_conus\.tif.*accuracy 20 m/);
    const { warnings } = regionIn(inCrs(nad27, "POLYGON ((-80 35, -79 35, -79 36, -80 35))"), WGS84);
    expect(warnings.join(" ")).toContain("needs a grid");
  });

  it("are not spoken of where the shift is exact", () => {
    expect(reprojectFeatures(tableSource(inCrs(WGS84, "POINT (87 23)")), UTM).report.warnings).toEqual([]);
  });
});
