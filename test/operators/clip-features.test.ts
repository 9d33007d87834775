import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWkt } from "../../src/io/wkt.ts";
import { concatTables, type FeatureTable, rowAt, tableSource } from "../../src/model/features.ts";
import { type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { Bounds } from "../../src/model/grid.ts";
import {
  type ClipFeaturesOptions,
  type ClipReport,
  clipFeatures,
} from "../../src/operators/clip-features.ts";
import { countInvalid } from "../../src/operators/validity.ts";
import { describeShared } from "../helpers/shared.ts";
import { measure, tableOf, vectors } from "../helpers/vectors.ts";

async function clip(
  features: FeatureTable,
  region: FeatureTable | Bounds,
  options: ClipFeaturesOptions = {},
): Promise<{ table: FeatureTable; report: ClipReport; wkt: string[] }> {
  const clipped = await clipFeatures(features, region, options);
  const batches: FeatureTable[] = [];
  for await (const batch of clipped.batches()) batches.push(batch);
  const table = concatTables(batches, clipped.schema);
  const wkt = Array.from({ length: table.count }, (_, row) =>
    toWkt(table.geometry!, row).replaceAll(/,(?=\S)/g, ", "),
  );
  return { table, report: clipped.report, wkt };
}

const SQUARE = tableOf("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))");

describe("clipFeatures", () => {
  it("cuts lines where they leave and keeps vertices inside to the bit", async () => {
    const { wkt, report } = await clip(
      tableOf("LINESTRING (-5 5, 0.1 0.2, 15 0.2)", "LINESTRING (20 0, 30 0)"),
      SQUARE,
    );
    expect(wkt[0]).toMatch(/^LINESTRING \(0 0\.29411764705\d*, 0\.1 0\.2, 10 0\.2\)$/);
    expect(report).toMatchObject({ featuresIn: 2, featuresOut: 1, dropped: 1, cut: 1, untouched: 0 });
  });

  it("makes several parts where a line leaves and comes back", async () => {
    const { wkt } = await clip(tableOf("LINESTRING (5 5, 15 5, 15 6, 5 6)"), SQUARE);
    expect(wkt).toEqual(["MULTILINESTRING ((5 5, 10 5), (10 6, 5 6))"]);
  });

  it("keeps lines along the boundary, and points on it", async () => {
    const { wkt, report } = await clip(
      tableOf("LINESTRING (0 0, 10 0)", "POINT (10 5)", "POINT (10.1 5)"),
      SQUARE,
    );
    expect(wkt).toEqual(["LINESTRING (0 0, 10 0)", "POINT (10 5)"]);
    expect(report.untouched).toBe(2);
  });

  it("leaves features inside untouched and in order, with ids and attributes", async () => {
    const table = {
      ...tableOf("POINT (50 50)", "POLYGON ((1 1, 2 1, 2 2, 1 1))", "POINT (3 3)"),
      ids: ["a", "b", "c"],
    };
    const { table: out, report } = await clip(table, SQUARE);
    expect(out.ids).toEqual(["b", "c"]);
    expect([rowAt(out, 0), rowAt(out, 1)]).toEqual([{ id: 1 }, { id: 2 }]);
    expect(report).toMatchObject({ untouched: 2, cut: 0 });
  });

  it("cuts polygons to the region and takes its holes out", async () => {
    const region = tableOf("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 4 6, 6 6, 6 4, 4 4))");
    const { table } = await clip(
      tableOf("POLYGON ((5 5, 15 5, 15 15, 5 15, 5 5))", "POLYGON ((3 3, 7 3, 7 7, 3 7, 3 3))"),
      region,
    );
    expect(measure(table.geometry!, 2)).toBe(24 + 12);
  });

  it("gives nothing twice where polygons of the region overlap, and no seam where they touch", async () => {
    const overlapping = tableOf(
      "POLYGON ((0 0, 6 0, 6 10, 0 10, 0 0))",
      "POLYGON ((4 0, 10 0, 10 10, 4 10, 4 0))",
    );
    const { table, wkt } = await clip(
      tableOf("POLYGON ((2 2, 12 2, 12 4, 2 4, 2 2))", "LINESTRING (1 1, 12 1)"),
      overlapping,
    );
    expect(wkt[1]).toBe("LINESTRING (1 1, 10 1)");
    expect(table.geometry!.geometries[1]).toBe(1);
    expect(wkt[0]!.startsWith("POLYGON")).toBe(true);
    const touching = tableOf(
      "POLYGON ((0 0, 5 0, 5 10, 0 10, 0 0))",
      "POLYGON ((5 0, 10 0, 10 10, 5 10, 5 0))",
    );
    const inside = await clip(tableOf("POLYGON ((2 2, 8 2, 8 4, 2 4, 2 2))"), touching);
    expect(inside.report.untouched).toBe(1);
  });

  it("keeps a polygon untouched that several polygons cover without matching corners", async () => {
    const region = tableOf(
      "POLYGON ((0 0, 5 0, 5 10, 0 10, 0 0))",
      "POLYGON ((5 0, 10 0, 10 5, 5 5, 5 0))",
      "POLYGON ((5 5, 10 5, 10 10, 5 10, 5 5))",
    );
    const feature = tableOf("POLYGON ((2 2, 8 2, 8 8, 2 8, 2 2))");
    expect((await clip(feature, region)).report).toMatchObject({ untouched: 1, cut: 0 });
    expect((await clip(feature, region, { keep: "inside" })).report.featuresOut).toBe(1);
  });

  it("keeps whole what meets the region, or only what it covers", async () => {
    const features = tableOf(
      "LINESTRING (9 9, 20 20)",
      "LINESTRING (10 10, 20 20)",
      "LINESTRING (1 1, 2 2)",
      "POLYGON ((-5 -5, 15 -5, 15 15, -5 15, -5 -5))",
      "POLYGON ((10.5 0, 11 0, 11 1, 10.5 0))",
    );
    const whole = await clip(features, SQUARE, { keep: "whole" });
    expect(whole.table.columns[0]!.values).toEqual(Int32Array.of(0, 1, 2, 3));
    const inside = await clip(features, SQUARE, { keep: "inside" });
    expect(inside.wkt).toEqual(["LINESTRING (1 1, 2 2)"]);
  });

  it("drops remains of a lower dimension unless asked to keep them", async () => {
    const features = tableOf("LINESTRING (10 10, 20 20)", "POLYGON ((10 0, 20 0, 20 10, 10 10, 10 0))");
    expect((await clip(features, SQUARE)).table.count).toBe(0);
    const { wkt } = await clip(features, SQUARE, { keepGeometryType: false });
    expect(wkt).toEqual(["POINT (10 10)", "LINESTRING (10 10, 10 0)"]);
  });

  it("interpolates heights on new vertices and keeps the others", async () => {
    const { table } = await clip(
      tableOf("LINESTRING Z (5 5 100, 15 5 200)", "POLYGON Z ((5 0 1, 15 0 3, 15 5 3, 5 5 1, 5 0 1))"),
      SQUARE,
    );
    expect([...table.geometry!.z!.slice(0, 2)]).toEqual([100, 150]);
    const { xy, z } = table.geometry!;
    for (let v = 2; v < z!.length; v++) expect(z![v]).toBe(xy[2 * v] === 5 ? 1 : 2);
  });

  it("cuts members of collections by their own kind", async () => {
    const { wkt } = await clip(
      tableOf("GEOMETRYCOLLECTION (POINT (1 1), POINT (20 20), LINESTRING (5 5, 15 5))"),
      SQUARE,
    );
    expect(wkt).toEqual(["GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (5 5, 10 5))"]);
  });

  it("counts null geometries and drops them", async () => {
    const { report } = await clip(tableOf("", "POINT (1 1)"), SQUARE);
    expect(report).toMatchObject({ featuresIn: 2, featuresOut: 1 });
  });

  it("takes bounds for a region, and refuses one without polygons", async () => {
    expect((await clip(tableOf("LINESTRING (0 0, 10 10)"), [2, 0, 4, 10])).wkt).toEqual([
      "LINESTRING (2 2, 4 4)",
    ]);
    await expect(clipFeatures(SQUARE, tableOf("POINT (1 1)"))).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  it("reads in batches and gives the same", async () => {
    const features = tableOf(...Array.from({ length: 25 }, (_, i) => `LINESTRING (${i - 5} 5, ${i - 4} 5)`));
    const clipped = await clipFeatures(tableSource(features), SQUARE);
    const rows: number[] = [];
    for await (const batch of clipped.batches({ batchSize: 4 })) {
      expect(batch.firstRow).toBe(rows.length);
      for (let row = 0; row < batch.count; row++) rows.push(rowAt(batch, row)["id"] as number);
    }
    // The line that ends on the boundary touches in a point and is dropped.
    expect(rows).toEqual(Array.from({ length: 10 }, (_, i) => i + 5));
    expect(clipped.report).toMatchObject({ featuresIn: 25, featuresOut: 10, dropped: 15 });
  });

  it("cuts a polygon into parts that add up, and gives again what it gave", async () => {
    const star = (points: readonly number[], x: number, y: number): Geometry => {
      const ring = points.map((radius, k) => {
        const angle = (2 * Math.PI * k) / points.length;
        return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      });
      return { type: "Polygon", coordinates: [[...ring, ring[0]!]] };
    };
    const radii = fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 3, maxLength: 12 });
    const at = fc.double({ min: -5, max: 15, noNaN: true });
    const tableFrom = (geometry: Geometry) =>
      tableFromGeoJson([{ type: "Feature", geometry, properties: {} }], { crs: null });
    await fc.assert(
      fc.asyncProperty(
        radii,
        at,
        at,
        fc.double({ min: 2, max: 8, noNaN: true }),
        async (points, x, y, split) => {
          const feature = tableFrom(star(points, x, y));
          const left = await clip(feature, [-20, -20, split, 30]);
          const right = await clip(feature, [split, -20, 30, 30]);
          const total = measure(feature.geometry!, 2);
          const sum = measure(left.table.geometry!, 2) + measure(right.table.geometry!, 2);
          expect(Math.abs(sum - total)).toBeLessThan(1e-10 * total);
          const again = await clip(left.table, [-20, -20, split, 30]);
          expect(Math.abs(measure(again.table.geometry!, 2) - measure(left.table.geometry!, 2))).toBeLessThan(
            1e-10 * total,
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

describeShared("clipping against GEOS", () => {
  interface Pair {
    id: string;
    kind: string;
    a: string;
    b: string;
    expected: { intersection: { area: number; length: number } };
    predicates: { intersects: boolean; coveredBy: boolean };
  }
  const pairs = () =>
    vectors<Pair>("overlay-generated", "pairs.jsonl").filter(({ b }) => /^(MULTI)?POLYGON/.test(b));

  it("gives the area or length of the intersection", async () => {
    const wrong: string[] = [];
    for (const { id, a, b, expected } of pairs()) {
      const dimension = /POINT/.test(a) ? 0 : /LINE/.test(a) ? 1 : 2;
      if (dimension === 0) continue;
      const { table } = await clip(tableOf(a), tableOf(b));
      const found = measure(table.geometry!, dimension as 1 | 2);
      const wanted = dimension === 2 ? expected.intersection.area : expected.intersection.length;
      const scale = Math.max(measure(tableOf(a).geometry!, dimension as 1 | 2), wanted);
      if (Math.abs(found - wanted) > 1e-7 * scale) wrong.push(`${id}: ${found}, expected ${wanted}`);
    }
    expect(wrong).toEqual([]);
  });

  it("keeps whole exactly the features that intersect", async () => {
    const wrong: string[] = [];
    for (const { id, a, b, predicates } of pairs()) {
      const { table } = await clip(tableOf(a), tableOf(b), { keep: "whole" });
      if ((table.count === 1) !== predicates.intersects) wrong.push(id);
    }
    expect(wrong).toEqual([]);
  });

  it("keeps inside exactly the features that are covered", async () => {
    const wrong: string[] = [];
    for (const { id, a, b, predicates } of pairs()) {
      const { table } = await clip(tableOf(a), tableOf(b), { keep: "inside" });
      if ((table.count === 1) !== predicates.coveredBy) wrong.push(id);
    }
    expect(wrong).toEqual([]);
  });

  it("cuts the pairs that broke other overlays, to the right area and validly", async () => {
    interface Robust {
      id: string;
      a: string;
      b: string;
      areas: { a: number; b: number; intersection: number };
    }
    const polygons = vectors<Robust>("overlay-jts", "robust-area.jsonl").filter(({ a, b }) =>
      [a, b].every((text) => /^(MULTI)?POLYGON/.test(text)),
    );
    const wrong: string[] = [];
    // Every fourth: the suite is long and its cases come in families.
    for (let k = 0; k < polygons.length; k += 4) {
      const { id, a, b, areas } = polygons[k]!;
      const { table } = await clip(tableOf(a), tableOf(b));
      const area = measure(table.geometry!, 2);
      if (!(Math.abs(area - areas.intersection) <= 1e-6 * (areas.a + areas.b)))
        wrong.push(`${id}: area ${area}`);
      if (countInvalid(table.geometry!) > 0) wrong.push(`${id}: invalid`);
    }
    expect(wrong).toEqual([]);
  });
});
