import { describe, expect, it } from "vitest";
import { runGeodesic } from "../../../scripts/conformance/geodesic.ts";
import * as geometry from "../../../src/geometry.ts";
import { geodesicDirect, geodesicInverse, rowAreas } from "../../../src/kernels/vector/geodesic.ts";
import { geometryFromGeoJson } from "../../../src/model/geojson.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

const { area, distance, length } = geometry;

const SQUARE: geometry.PolygonGeometry = {
  type: "Polygon",
  coordinates: [
    [
      [77, 20],
      [78, 20],
      [78, 21],
      [77, 21],
      [77, 20],
    ],
  ],
};
const HOLE: geometry.Position[] = [
  [77.25, 20.25],
  [77.75, 20.25],
  [77.75, 20.75],
  [77.25, 20.75],
  [77.25, 20.25],
];

describe("geodesicInverse and geodesicDirect", () => {
  it("solve the textbook pair (Karney 2013, table 2)", () => {
    const { lon, lat } = geodesicDirect(0, 40, 30, 10_000_000);
    expect(lat).toBeCloseTo(41.79331020506, 10);
    expect(lon).toBeCloseTo(137.84490004377, 10);
    const back = geodesicInverse(0, 40, lon, lat);
    expect(back.distance).toBeCloseTo(10_000_000, 7);
    expect(back.azimuth).toBeCloseTo(30, 10);
    // The way on is 149.09016931807 degrees.
    expect(back.backAzimuth).toBeCloseTo(149.09016931807 - 180, 10);
  });

  it("pass NaN on", () => {
    expect(geodesicInverse(Number.NaN, 0, 0, 0).distance).toBeNaN();
    expect(geodesicInverse(0, 91, 0, 0).distance).toBeNaN();
  });
});

describe("area", () => {
  it("does not care which way rings run", () => {
    const reversed = { ...SQUARE, coordinates: SQUARE.coordinates.map((ring) => [...ring].reverse()) };
    for (const options of [{}, { edges: "lonlat" }, { surface: "sphere" }, { surface: "plane" }] as const)
      expect(area(reversed, options)).toBeCloseTo(area(SQUARE, options), 3);
  });

  it("takes holes off, also those that run like their shell", () => {
    const hole = area({ type: "Polygon", coordinates: [HOLE] });
    const holed = { type: "Polygon", coordinates: [SQUARE.coordinates[0]!, HOLE] } as const;
    const other = { type: "Polygon", coordinates: [SQUARE.coordinates[0]!, [...HOLE].reverse()] } as const;
    expect(area(holed)).toBeCloseTo(area(SQUARE) - hole, 3);
    expect(area(other)).toBeCloseTo(area(SQUARE) - hole, 3);
  });

  it("adds the parts of multipolygons and collections, and only polygons", () => {
    const far = {
      type: "Polygon",
      coordinates: [SQUARE.coordinates[0]!.map(([x, y]) => [x! + 5, y!])],
    } as const;
    const line = { type: "LineString", coordinates: HOLE } as const;
    expect(area({ type: "MultiPolygon", coordinates: [SQUARE.coordinates, far.coordinates] })).toBeCloseTo(
      2 * area(SQUARE),
      3,
    );
    expect(
      area({
        type: "GeometryCollection",
        geometries: [line, SQUARE, { type: "Point", coordinates: [1, 2] }],
      }),
    ).toBeCloseTo(area(SQUARE), 6);
    expect(area(line)).toBe(0);
    expect(area({ type: "Polygon", coordinates: [] })).toBe(0);
    expect(area({ type: "Point", coordinates: [1, 2] })).toBe(0);
  });

  it("knows the surface of the whole Earth", () => {
    const world = {
      type: "Polygon",
      coordinates: [
        [
          [-180, -90],
          [180, -90],
          [180, 90],
          [-180, 90],
          [-180, -90],
        ],
      ],
    } as const;
    // 4 pi times the square of the authalic radius, 6371007.180918474 m.
    expect(area(world, { edges: "lonlat" }) / (4 * Math.PI * 6371007.180918474 ** 2)).toBeCloseTo(1, 12);
    expect(
      area(world, { surface: "sphere", edges: "lonlat" }) / (4 * Math.PI * 6371007.1809 ** 2),
    ).toBeCloseTo(1, 12);
  });

  it("keeps its digits on a plot of one square metre", () => {
    const d = 1 / 111319.49;
    const plot = {
      type: "Polygon",
      coordinates: [
        [
          [77, 0],
          [77 + d, 0],
          [77 + d, d],
          [77, d],
          [77, 0],
        ],
      ],
    } as const;
    expect(area(plot, { edges: "lonlat" })).toBeCloseTo(area(plot), 3);
    expect(area(plot, { edges: "lonlat" }) / (0.993305621 * 1)).toBeCloseTo(1, 6);
  });

  it("measures a triangle around the pole on both surfaces", () => {
    const cap = {
      type: "Polygon",
      coordinates: [
        [
          [0, 80],
          [120, 80],
          [-120, 80],
          [0, 80],
        ],
      ],
    } as const;
    expect(area(cap)).toBeCloseTo(1634782820860.6875, -1); // GeographicLib
    expect(area(cap, { surface: "sphere" }) / area(cap)).toBeCloseTo(1, 1);
  });

  it("says when edges make no sense", () => {
    expect(() => area(SQUARE, { edges: "equal-area" })).toThrow(RangeError);
  });

  it("works on whole columns", () => {
    const builder = new GeometryBuilder();
    for (const shape of [SQUARE, null, { type: "Point", coordinates: [1, 2] } as const, SQUARE])
      geometryFromGeoJson(shape, builder);
    const areas = rowAreas(builder.finish(), () => 2);
    expect([...areas]).toEqual([2, 0, 0, 2]);
  });
});

describe("length and distance", () => {
  it("measure lines, the rings of polygons, and nothing for points", () => {
    const line = {
      type: "LineString",
      coordinates: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    } as const;
    expect(length(line)).toBeCloseTo(111319.4907932 + 110574.3885578, 6);
    expect(length(line, { surface: "plane" })).toBe(2);
    expect(length(SQUARE, { surface: "plane" })).toBe(4);
    expect(length({ type: "Point", coordinates: [1, 2] })).toBe(0);
  });

  it("take positions and points", () => {
    expect(distance([0, 0], { type: "Point", coordinates: [1, 0] })).toBeCloseTo(111319.4907932, 6);
    expect(distance([3, 4], [0, 0], { surface: "plane" })).toBe(5);
    expect(distance([], [0, 0])).toBeNaN();
  });
});

describeShared("geodesic vectors", () => {
  it("all pass; what is not covered says why", async () => {
    const results = await runGeodesic(shared("conformance", "geodesic"), {
      ...geometry,
      geodesicInverse,
      geodesicDirect,
    });
    expect(results.map(({ file }) => file)).toEqual([
      "area.jsonl",
      "length.jsonl",
      "inverse-direct.jsonl",
      "watersheds.jsonl",
    ]);
    for (const { file, failures, passed, notCovered, cases } of results) {
      expect(failures, file).toEqual([]);
      expect(passed + notCovered).toBe(cases);
      expect(notCovered, file).toBeLessThan(6);
    }
  });
});
