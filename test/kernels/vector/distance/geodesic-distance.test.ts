import geographiclib from "geographiclib-geodesic";
import { describe, expect, it } from "vitest";
import {
  longestChord,
  longestGeodesic,
  toSpace,
} from "../../../../src/kernels/vector/distance/geodesic-bounds.ts";
import {
  geodesicDistanceRows,
  geodesicToPrepared,
  prepareGeodesic,
  withinGeodesicDistance,
} from "../../../../src/kernels/vector/distance/geodesic-distance.ts";
import { geodesicCovers, geodesicLocator } from "../../../../src/kernels/vector/distance/geodesic-locate.ts";
import { geodesicPointSegment } from "../../../../src/kernels/vector/distance/geodesic-segments.ts";
import { random } from "../../../../src/testing/random.ts";
import { columnOf } from "../../../helpers/vectors.ts";

const { Geodesic } = geographiclib;
const wgs84 = Geodesic.WGS84;

function metres(a: string, b: string): number {
  const column = columnOf(a, b);
  return geodesicDistanceRows(column, 0, column, 1);
}

function inverse(lon1: number, lat1: number, lon2: number, lat2: number): number {
  return wgs84.Inverse(lat1, lon1, lat2, lon2).s12!;
}

/** Least distance to points of the edge, close together, then closer around the best ones, down to a millimetre. */
function bySampling(
  lonP: number,
  latP: number,
  lonA: number,
  latA: number,
  lonB: number,
  latB: number,
): number {
  const edge = wgs84.Inverse(latA, lonA, latB, lonB);
  const line = wgs84.DirectLine(latA, lonA, edge.azi1!, edge.s12!);
  const at = (s: number): number => {
    const { lat2, lon2 } = line.Position(s);
    return inverse(lonP, latP, lon2!, lat2!);
  };
  const count = 400;
  const samples = Array.from({ length: count + 1 }, (_, k) => (edge.s12! * k) / count).map((s) => ({
    s,
    d: at(s),
  }));
  let least = Math.min(...samples.map(({ d }) => d));
  for (const { s } of samples.toSorted((a, b) => a.d - b.d).slice(0, 4)) {
    let step = edge.s12! / count;
    let best = s;
    while (step > 1e-4) {
      for (const next of [best - step, best + step]) {
        if (next >= 0 && next <= edge.s12! && at(next) < at(best)) best = next;
      }
      step *= 0.6;
    }
    least = Math.min(least, at(best));
  }
  return least;
}

describe("geodesicDistanceRows", () => {
  it("is the geodesic between points, across the antimeridian and over the pole", () => {
    expect(metres("POINT (179.9 -17)", "POINT (-179.9 -17)")).toBe(inverse(179.9, -17, -179.9, -17));
    expect(metres("POINT (179.9 -17)", "POINT (-179.9 -17)")).toBeLessThan(21_400);
    expect(metres("POINT (10 89.9)", "POINT (-170 89.9)")).toBeCloseTo(2 * inverse(10, 89.9, 10, 90), 6);
    expect(metres("POINT (33 90)", "POINT (-120 90)")).toBe(0);
    expect(metres("POINT (-180 5)", "POINT (180 5)")).toBe(0);
    expect(metres("POINT (0 0)", "POINT (180 0)")).toBeCloseTo(20003931.4586, 3);
  });

  it("is infinite to what has no place", () => {
    expect(metres("POINT (0 0)", "LINESTRING EMPTY")).toBe(Infinity);
    expect(metres("POINT (0 91)", "POINT (0 0)")).toBe(Infinity);
    expect(metres("POINT (0 91)", "LINESTRING (0 0, 1 1)")).toBe(Infinity);
  });

  it("takes edges for geodesics, which bend towards the pole", () => {
    // The edge passes 0.38 degrees north of its ends' parallel.
    expect(metres("POINT (10 60)", "LINESTRING (0 60, 20 60)")).toBeCloseTo(
      bySampling(10, 60, 0, 60, 20, 60),
      6,
    );
    expect(metres("POINT (10 60)", "LINESTRING (0 60, 20 60)")).toBeGreaterThan(40_000);
    // From 170 east to 170 west the short way.
    expect(metres("POINT (180 1)", "LINESTRING (170 0, -170 0)")).toBeCloseTo(inverse(180, 1, 180, 0), 6);
  });

  it("is zero where lines cross, polygons hold each other, and points lie in them", () => {
    expect(metres("LINESTRING (175 -5, -175 5)", "LINESTRING (175 5, -175 -5)")).toBe(0);
    expect(metres("LINESTRING (-100 85, 80 85)", "LINESTRING (-10 85, 170 85)")).toBe(0);
    const fiji = "POLYGON ((177 -19, -178 -19, -178 -15, 177 -15, 177 -19))";
    for (const place of ["179 -17", "-179 -17", "180 -17", "-180 -17", "181 -17"])
      expect(metres(`POINT (${place})`, fiji)).toBe(0);
    expect(metres("POINT (176 -17)", fiji)).toBeGreaterThan(100_000);
    expect(metres("LINESTRING (179 -17, -179 -16)", fiji)).toBe(0);
    expect(metres(fiji, "POLYGON ((179 -17, 179.5 -17, 179.5 -16, 179 -17))")).toBe(0);
  });

  it("stays the same through a prepared geometry, and answers the question of a limit", () => {
    const next = random(3);
    for (let round = 0; round < 60; round++) {
      const shape = (): string => {
        const lon = next.between(170, 190);
        const lat = next.between(80, 89.9);
        const at = (): string => `${lon + next.between(-3, 3)} ${Math.min(90, lat + next.between(-1, 1))}`;
        return next.pick([`POINT (${at()})`, `LINESTRING (${at()}, ${at()}, ${at()})`]);
      };
      const column = columnOf(shape(), shape());
      const found = geodesicDistanceRows(column, 0, column, 1);
      expect(geodesicDistanceRows(column, 1, column, 0)).toBeCloseTo(found, 6);
      expect(geodesicToPrepared(prepareGeodesic(column, 0), column, 1)).toBeCloseTo(found, 6);
      expect(withinGeodesicDistance(column, 0, column, 1, found + 1e-6)).toBe(true);
      expect(withinGeodesicDistance(column, 0, column, 1, found - 1e-6)).toBe(
        found === 0 ? false : found < 0,
      );
    }
  });
});

describe("geodesicPointSegment", () => {
  it("agrees with sampling to well below a millimetre, near and far, at the poles and across the antimeridian", () => {
    const next = random(8);
    for (let round = 0; round < 150; round++) {
      const lonA = next.between(-180, 180);
      const latA = next.pick([next.between(-90, 90), 90, 89.99, next.between(-1, 1)]);
      const reach = next.pick([0.01, 1, 30]);
      const lonB = lonA + next.between(-reach, reach);
      const latB = Math.max(-90, Math.min(90, latA + next.between(-reach, reach)));
      const far = next.pick([0.001, 1, 60, 90, 180]);
      const lonP = lonA + next.between(-far, far);
      const latP = Math.max(-90, Math.min(90, latA + next.between(-far, far)));
      const expected = bySampling(lonP, latP, lonA, latA, lonB, latB);
      const found = geodesicPointSegment(lonP, latP, lonA, latA, lonB, latB);
      const where = [lonP, latP, lonA, latA, lonB, latB].join(" ");
      expect(found - expected, where).toBeLessThan(1e-4);
      expect(expected - found, where).toBeLessThan(1e-4);
    }
  });

  it("finds the nearer end of an edge all of which is about a quarter around the earth away", () => {
    // From the pole the equator is equally far everywhere; from near the pole a little nearer on one side.
    expect(geodesicPointSegment(0, 90, -60, 0, 60, 0)).toBeCloseTo(10001965.729, 2);
    const found = geodesicPointSegment(100, 89.999, -60, 0, 60, 0);
    expect(Math.abs(found - bySampling(100, 89.999, -60, 0, 60, 0))).toBeLessThan(1e-3);
  });
});

describe("geodesicLocator", () => {
  const covers = (wkt: string, lon: number, lat: number): boolean =>
    geodesicCovers(geodesicLocator(columnOf(wkt), 0), lon, lat);

  it("knows the inside of rings around a pole, cut at the antimeridian or not", () => {
    const cut = "POLYGON ((-180 -70, -90 -70, 0 -70, 90 -70, 180 -70, 180 -90, -180 -90, -180 -70))";
    const round = "POLYGON ((0 -70, 90 -70, 180 -70, -90 -70, 0 -70))";
    for (const ring of [cut, round]) {
      expect(covers(ring, 30, -85)).toBe(true);
      expect(covers(ring, 12, -90)).toBe(true);
      expect(covers(ring, 30, -60)).toBe(false);
      expect(covers(ring, 30, 60)).toBe(false);
      expect(covers(ring, 12, 90)).toBe(false);
      // The geodesic between two vertices 90 degrees apart runs near 75.6 degrees south in its middle.
      expect(covers(ring, 45, -74)).toBe(false);
      expect(covers(ring, 45, -77)).toBe(true);
    }
    const north = "POLYGON ((0 70, 90 70, 180 70, -90 70, 0 70))";
    expect(covers(north, -100, 85)).toBe(true);
    expect(covers(north, -100, 10)).toBe(false);
  });

  it("knows a slice that ends at the pole, narrow or wide", () => {
    const slice = "POLYGON ((0 80, 90 80, 0 90, 0 80))";
    expect(covers(slice, 45, 87)).toBe(true);
    expect(covers(slice, -45, 87)).toBe(false);
    expect(covers(slice, 45, 70)).toBe(false);
    const wide = "POLYGON ((0 80, 90 80, 180 80, -90 80, 7 90, 0 80))";
    expect(covers(wide, 45, 87)).toBe(true);
    expect(covers(wide, -100, 87)).toBe(true);
    expect(covers(wide, -45, 87)).toBe(false);
  });

  it("leaves out holes and takes wide polygons the way they are drawn", () => {
    const holed =
      "POLYGON ((170 -10, -170 -10, -170 10, 170 10, 170 -10), (178 -2, -178 -2, -178 2, 178 2, 178 -2))";
    expect(covers(holed, 175, 0)).toBe(true);
    expect(covers(holed, 180, 0)).toBe(false);
    expect(covers(holed, -175, 5)).toBe(true);
    // 300 degrees wide with vertices between: more than half of the earth.
    const lons = Array.from({ length: 31 }, (_, k) => -150 + 10 * k);
    const wide = [
      ...lons.map((lon) => `${lon} -80`),
      ...lons.toReversed().map((lon) => `${lon} 80`),
      "-150 -80",
    ];
    expect(covers(`POLYGON ((${wide.join(", ")}))`, 0, 0)).toBe(true);
    expect(covers(`POLYGON ((${wide.join(", ")}))`, 180, 0)).toBe(false);
  });
});

describe("bounds between chords and geodesics", () => {
  it("hold for all kinds of pairs", () => {
    const next = random(2);
    const xyz = new Float64Array(6);
    for (let round = 0; round < 20_000; round++) {
      const [lon, lat] = [next.between(-180, 180), next.pick([next.between(-90, 90), 0, 90])];
      const size = 10 ** next.between(-7, 2.3);
      const lon2 = lon + next.between(-size, size);
      const lat2 = Math.max(-90, Math.min(90, next.pick([lat + next.between(-size, size), -lat])));
      toSpace(lon, lat, xyz, 0);
      toSpace(lon2, lat2, xyz, 3);
      const chord = Math.hypot(xyz[0]! - xyz[3]!, xyz[1]! - xyz[4]!, xyz[2]! - xyz[5]!);
      const distance = inverse(lon, lat, lon2, lat2);
      expect(chord).toBeLessThanOrEqual(longestChord(distance) + 1e-7);
      expect(distance).toBeLessThanOrEqual(longestGeodesic(chord + 1e-7));
    }
  });
});
