import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { threads } from "../../src/execution/threads.ts";
import { toWkt } from "../../src/io/wkt.ts";
import { concatTables, type FeatureTable, rowAt, tableSource, takeRows } from "../../src/model/features.ts";
import { type Feature, type Geometry, tableFromGeoJson } from "../../src/model/geojson.ts";
import type { GeometryColumn } from "../../src/model/geometry.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";
import type { Bounds } from "../../src/model/grid.ts";
import {
  type ClipFeaturesOptions,
  type ClipReport,
  clipFeatures,
} from "../../src/operators/clip-features.ts";
import { countInvalid } from "../../src/operators/validity.ts";
import { random } from "../../src/testing/random.ts";
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

  it("cuts each part of a multipolygon, and keeps its type", async () => {
    const { wkt, report } = await clip(
      tableOf(
        "MULTIPOLYGON (((1 1, 2 1, 2 2, 1 1)), ((8 4, 12 4, 12 6, 8 6, 8 4)), ((20 1, 21 1, 21 2, 20 1)))",
        "MULTIPOLYGON (((8 1, 12 1, 12 2, 8 2, 8 1)))",
        "POLYGON ((8 1, 12 1, 12 9, 8 9, 8 8, 11 8, 11 2, 8 2, 8 1))",
      ),
      SQUARE,
    );
    expect(wkt).toEqual([
      "MULTIPOLYGON (((1 1, 2 1, 2 2, 1 1)), ((8 4, 10 4, 10 6, 8 6, 8 4)))",
      "MULTIPOLYGON (((8 1, 10 1, 10 2, 8 2, 8 1)))",
      "MULTIPOLYGON (((8 1, 10 1, 10 2, 8 2, 8 1)), ((8 8, 10 8, 10 9, 8 9, 8 8)))",
    ]);
    expect(report).toMatchObject({ cut: 3, untouched: 0, overlays: { followed: 3, floating: 0 }, rung: 0 });
  });

  it("overlays polygons whose outlines run along the region's, and says so", async () => {
    const region = tableOf("POLYGON ((0 0, 10 0, 12 5, 10 10, 0 10, 0 0))");
    const { wkt, report } = await clip(
      tableOf("POLYGON ((-2 4, 4 4, 4 10, 2 10, 2 12, -2 12, -2 4))", "POLYGON ((0 0, 5 0, 5 5, 0 5, 0 0))"),
      region,
    );
    expect(wkt).toEqual([
      "POLYGON ((0 4, 4 4, 4 10, 2 10, 0 10, 0 4))",
      "POLYGON ((0 0, 5 0, 5 5, 0 5, 0 0))",
    ]);
    expect(report).toMatchObject({ cut: 1, untouched: 1, overlays: { followed: 0, floating: 1 } });
  });

  it("reads polygons that are not valid by the even-odd rule, and counts them as repaired", async () => {
    const { table, report } = await clip(
      tableOf(
        // A bowtie across the boundary, one inside, which stays as it is, and a hole outside its shell.
        "POLYGON ((8 2, 12 6, 12 2, 8 6, 8 2))",
        "POLYGON ((1 1, 3 3, 3 1, 1 3, 1 1))",
        "POLYGON ((8 8, 12 8, 12 9, 8 9, 8 8), (1 1, 1 2, 2 2, 2 1, 1 1))",
      ),
      SQUARE,
    );
    expect(report).toMatchObject({ cut: 2, untouched: 1, repaired: 2 });
    expect(countInvalid(table.geometry!)).toBe(1);
    const part = (row: number) => measure((takeRows(table, [row]).geometry as GeometryColumn)!, 2);
    expect(part(0)).toBe(4);
    expect(part(2)).toBe(2 + 1);
  });

  it("leaves out vertices that are not finite, and closes rings that are open", async () => {
    const builder = new GeometryBuilder();
    const add = (type: 2 | 3, ...xy: number[]) => {
      builder.begin(type);
      builder.part();
      for (let k = 0; k < xy.length; k += 2) builder.vertex(xy[k]!, xy[k + 1]!);
      builder.end();
    };
    add(2, 5, 5, Number.NaN, 5, 15, 5);
    add(3, 5, 5, 15, 5, 15, 8, Number.POSITIVE_INFINITY, 8, 5, 8, 5, 5);
    add(3, 5, 5, 15, 5, 15, 8, 5, 8);
    add(2, Number.NaN, Number.NaN, Number.NaN, Number.NaN);
    const table = {
      ...tableOf("POINT (0 0)", "POINT (0 0)", "POINT (0 0)", "POINT (0 0)"),
      geometry: builder.finish(),
    };
    for (const keep of ["whole", "inside"] as const) await clip(table, SQUARE, { keep });
    const { wkt, report } = await clip(table, SQUARE);
    expect(wkt).toEqual([
      "LINESTRING (5 5, 10 5)",
      "POLYGON ((5 5, 10 5, 10 8, 5 8, 5 5))",
      "POLYGON ((5 5, 10 5, 10 8, 5 8, 5 5))",
    ]);
    expect(report).toMatchObject({ featuresOut: 3, cut: 3, untouched: 0, repaired: 3 });
  });

  it("removes slivers only on request, and lists them", async () => {
    const features = tableOf(
      "POLYGON ((5 9.999, 5 12, 9 12, 9 9.999, 5 9.999))",
      "POLYGON ((-1 1, 2 1, 2 3, -1 3, -1 2, 1 2, 1 1.999, -1 1.999, -1 1))",
      "POLYGON ((1 5, 1.001 5, 1.001 5.001, 1 5))",
    );
    expect((await clip(features, SQUARE)).table.count).toBe(3);
    const { table, report } = await clip(features, SQUARE, { slivers: { minArea: 0.01, minWidth: 0.01 } });
    // What was not cut is no sliver, however small.
    expect([...(table.columns[0]!.values as Int32Array)]).toEqual([1, 2]);
    expect(report.slivers).toHaveLength(1);
    expect(report.slivers[0]!.row).toBe(0);
    expect(report.slivers[0]!.area).toBeCloseTo(0.004, 10);
    expect(report.slivers[0]!.width).toBeCloseTo(0.001, 6);
    expect(
      (await clip(features, SQUARE, { slivers: { minArea: 0.01, compactness: 0.0001 } })).report.slivers,
    ).toEqual([]);
    await expect(clipFeatures(features, SQUARE, { slivers: { minArea: -1 } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  it("counts what only touches", async () => {
    const touching = tableOf("POLYGON ((10 0, 12 0, 12 2, 10 0))", "LINESTRING (10 10, 20 20)");
    expect((await clip(touching, SQUARE)).report).toMatchObject({ featuresOut: 0, droppedParts: 2 });
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

  it("cuts to bounds as GEOS does", async () => {
    interface BoxCase {
      id: string;
      geometry: Geometry;
      bbox: Bounds;
      expected: Geometry;
    }
    const table = (geometry: Geometry) =>
      tableFromGeoJson([{ type: "Feature", geometry, properties: {} }], { crs: null });
    const wrong: string[] = [];
    for (const { id, geometry, bbox, expected } of vectors<BoxCase>("clipping-fixtures", "bbox-clip.jsonl")) {
      const { table: clipped } = await clip(table(geometry), bbox, { keepGeometryType: false });
      const wanted = table(expected).geometry!;
      const found = clipped.geometry!;
      if (found.types[0] !== wanted.types[0] || found.xy.length !== wanted.xy.length) wrong.push(id);
      for (const dimension of [1, 2] as const) {
        const size = measure(wanted, dimension);
        if (Math.abs(measure(found, dimension) - size) > 1e-12 * size) wrong.push(`${id}: ${dimension}`);
      }
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

test("threads cut as the caller's own thread does, to the bit and in the same order", async () => {
  const next = random(11);
  const features: Feature[] = Array.from({ length: 600 }, (_, id) => {
    const [x, y, r] = [next.next() * 10, next.next() * 10, 0.1 + next.next()];
    const corners = Array.from({ length: 9 }, (_, k) => {
      const angle = (2 * Math.PI * k) / 9;
      return [x + r * Math.cos(angle) * (0.5 + next.next()), y + r * Math.sin(angle)];
    });
    return {
      type: "Feature",
      id,
      properties: { id },
      geometry: { type: "Polygon", coordinates: [[...corners, corners[0]!]] },
    };
  });
  const layer = tableFromGeoJson(features);
  const region = tableFromGeoJson([
    {
      type: "Feature",
      properties: {},
      geometry: {
        type: "Polygon",
        coordinates: [
          [
            [1, 1],
            [9, 2],
            [7, 9],
            [4, 4],
            [2, 8],
            [1, 1],
          ],
        ],
      },
    },
  ]);
  const results = [];
  for (const workers of [1, 2, 3]) {
    const executor = threads(workers, { patience: 0 });
    const clipped = await clipFeatures(layer, region, { executor, slivers: { minArea: 0.01 } });
    const batches: FeatureTable[] = [];
    for await (const batch of clipped.batches({ batchSize: 50 })) batches.push(batch);
    await executor.close();
    results.push({ table: concatTables(batches, clipped.schema), report: { ...clipped.report } });
  }
  expect(results[0]!.report.cut).toBeGreaterThan(50);
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});
