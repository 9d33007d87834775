import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCrs } from "../../src/crs/parse.ts";
import { describeTransform, transformer } from "../../src/crs/transformer.ts";

const move = (from: string, to: string, ...xy: number[]): number[] => {
  const array = Float64Array.from(xy);
  transformer(from, to)(array);
  return [...array];
};

describe("transformer", () => {
  it("works in place, x before y whatever the authority says", () => {
    const xy = Float64Array.of(87, 22, 88.5, 23);
    expect(transformer("EPSG:4326", "EPSG:32645")(xy)).toBeUndefined();
    // PROJ 9.1.1
    expect(xy[0]).toBeCloseTo(500000, 6);
    expect(xy[1]).toBeCloseTo(2432826.957594587, 6);
    expect(xy[2]).toBeCloseTo(653734.5741369565, 6);
    expect(move("EPSG:4326", "OGC:CRS84", 87, 22)).toEqual([87, 22]);
  });

  it("leaves what lies between the points alone", () => {
    const xyz = Float64Array.of(87, 22, 100, 88, 23, Number.NaN);
    transformer("EPSG:4326", "EPSG:3857")(xyz, 3);
    expect(xyz[0]).toBeCloseTo(9684795.6990148, 6);
    expect(xyz[2]).toBe(100);
    expect(xyz[4]).toBeCloseTo(2632018.6375864246, 6);
    expect(xyz[5]).toBeNaN();
    expect(() => transformer("EPSG:4326", "EPSG:3857")(xyz, 1)).toThrow(RangeError);
  });

  it("makes points that cannot be moved NaN, and only those", () => {
    const xy = move("EPSG:4326", "EPSG:3857", 10, 90, 10, 10, Number.NaN, 5, 7, Infinity, 400, 10);
    expect(xy.slice(0, 2)).toEqual([Number.NaN, Number.NaN]);
    expect(xy[2]).toBeCloseTo(1113194.9, 1);
    expect(xy.slice(4, 8).every(Number.isNaN)).toBe(true);
    expect(xy[8]).toBeCloseTo(4452779.6, 1);
    expect(move("EPSG:3857", "EPSG:4326")).toEqual([]);
  });

  it("knows feet, grads, other meridians and axes that point south and west", () => {
    // All by PROJ 9.1.1.
    expect(move("EPSG:4269", "EPSG:2263", -74, 40.7)[0]).toBeCloseTo(984250.0, 3);
    const [x, y] = move("EPSG:4807", "EPSG:27572", 0, 52);
    expect(x).toBeCloseTo(600000, 4);
    expect(y).toBeCloseTo(2200000, 4);
    const [westing, southing] = move("EPSG:4148", "EPSG:2048", 19.5, -33);
    expect(westing).toBeCloseTo(-46726.85057205685, 6);
    expect(southing).toBeCloseTo(3652859.088264002, 6);
  });

  it("shifts datums by the operation that covers the point best", () => {
    // NAD83 to WGS 84 (1) changes nothing on the mainland, (3) moves Hawaii.
    expect(move("EPSG:4269", "EPSG:4326", -100, 40)).toEqual([-100, 40]);
    const [lon, lat] = move("EPSG:4269", "EPSG:4326", -157, 21);
    expect(lon).toBeCloseTo(-157.00000509542943, 11); // PROJ 9.1.1
    expect(lat).toBeCloseTo(20.9999958114341, 11);
  });

  it("takes the shift of the definition before that of the table", () => {
    const own = move(
      "+proj=longlat +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7",
      "EPSG:4326",
      10,
      51,
    );
    const table = move("EPSG:4314", "EPSG:4326", 7, 49);
    const same = move(
      "+proj=longlat +ellps=bessel +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7",
      "EPSG:4326",
      7,
      49,
    );
    expect(same[0]).toBeCloseTo(table[0]!, 12);
    expect(own[0]).not.toBe(10);
  });

  it.each([
    ["EPSG:32643", 75, 20],
    ["EPSG:3857", 75, 20],
    ["EPSG:7755", 80, 24],
    ["EPSG:24378", 75, 32],
    ["EPSG:27700", -2, 54],
    ["EPSG:2056", 8, 47],
    ["EPSG:5514", 15, 49.7],
    ["EPSG:2193", 172, -41],
    ["EPSG:3031", 45, -75],
    ["EPSG:6933", 20, 20],
    ["EPSG:3035", 10, 52],
    ["ESRI:54009", 30, 30],
    ["ESRI:54030", 30, 30],
  ])("comes back from %s", (code, lon0, lat0) => {
    const there = transformer("EPSG:4326", code);
    const back = transformer(code, "EPSG:4326");
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (dLon, dLat) => {
          const xy = Float64Array.of(lon0 + dLon, lat0 + dLat);
          there(xy);
          back(xy);
          // 3 mm: shifts without a height, and the authalic series, come back no closer.
          expect(Math.hypot(xy[0]! - lon0 - dLon, xy[1]! - lat0 - dLat)).toBeLessThan(3e-8);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("refuses what has no x and y", () => {
    for (const code of ["EPSG:4978", "EPSG:5773"])
      expect(() => transformer(code, "EPSG:4326")).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  });
});

describe("describeTransform", () => {
  it("names the shift and its accuracy", () => {
    expect(describeTransform("EPSG:24378", "EPSG:32643")).toEqual({
      operation: "Kalianpur 1975 to WGS 84 (1)",
      accuracyMetres: 22,
      needsGrid: [],
      warnings: [],
    });
    expect(describeTransform("EPSG:32643", "EPSG:4326").operation).toBe("none");
  });

  it("says when a grid would do better, and an error can be had instead", () => {
    const { needsGrid, warnings, accuracyMetres } = describeTransform("EPSG:4314", "EPSG:4326");
    expect(needsGrid).toEqual(["de_adv_BETA2007.tif"]);
    expect(accuracyMetres).toBe(3);
    expect(warnings).toHaveLength(1);
    expect(() => transformer("EPSG:4314", "EPSG:4326", { onMissingGrid: "error" })).toThrow(
      expect.objectContaining({ code: "CRS_GRID_REQUIRED" }),
    );
    expect(() => transformer("EPSG:24378", "EPSG:4326", { onMissingGrid: "error" })).not.toThrow();
  });

  it("says when nothing is known about a datum", () => {
    const description = describeTransform("+proj=utm +zone=43 +ellps=evrst30", "EPSG:4326");
    expect(description.accuracyMetres).toBeNull();
    expect(description.warnings[0]).toMatch(/unknown/);
    expect(describeTransform("EPSG:24382", parseCrs("EPSG:4326")).warnings[0]).toMatch(/no datum shift/);
    expect(describeTransform("EPSG:4144", "EPSG:4326").warnings[0]).toMatch(/do not cover all of the area/);
  });
});
