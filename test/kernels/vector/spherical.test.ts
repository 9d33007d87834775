import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EARTH_ENGINE_RADIUS,
  planarRingArea,
  sphericalDistance,
  sphericalEqualAreaRingArea,
  sphericalLonLatRingArea,
  sphericalRingArea,
} from "../../../src/kernels/vector/spherical.ts";

/** A ring as vertices, closed. */
const ring = (...points: [number, number][]): Float64Array =>
  Float64Array.from([...points, points[0]!].flat());
const area = (measure: typeof sphericalRingArea, xy: Float64Array): number =>
  measure(xy, 0, xy.length / 2, 1);

describe("areas on the sphere", () => {
  it("of an octant are an eighth of it", () => {
    const octant = ring([0, 0], [90, 0], [0, 90]);
    expect(area(sphericalRingArea, octant)).toBeCloseTo(Math.PI / 2, 12);
    const box = ring([0, 0], [90, 0], [90, 90], [0, 90]);
    expect(area(sphericalLonLatRingArea, box)).toBeCloseTo(Math.PI / 2, 12);
    expect(area(sphericalEqualAreaRingArea, box)).toBeCloseTo(Math.PI / 2, 12);
  });

  it("change sign with the direction", () => {
    const there = ring([10, 10], [20, 10], [15, 20]);
    const back = ring([15, 20], [20, 10], [10, 10]);
    for (const measure of [sphericalRingArea, sphericalLonLatRingArea, sphericalEqualAreaRingArea])
      expect(area(measure, there)).toBeCloseTo(-area(measure, back), 14);
  });

  it("cross the antimeridian and go around poles along great circles", () => {
    const across = area(sphericalRingArea, ring([175, 0], [-175, 0], [-175, 10], [175, 10]));
    expect(across).toBeCloseTo(area(sphericalRingArea, ring([-5, 0], [5, 0], [5, 10], [-5, 10])), 12);
    const cap = area(sphericalRingArea, ring([0, 60], [90, 60], [180, 60], [-90, 60]));
    expect(cap).toBeGreaterThan(0);
    expect(cap).toBeLessThan(2 * Math.PI * (1 - Math.sin(Math.PI / 3)));
  });

  it("agree with each other, and with the plane, as rings get small", () => {
    const coordinate = fc.double({ min: -1e-3, max: 1e-3, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 12 }), (points) => {
        const xy = ring(...points.map(([x, y]): [number, number] => [77 + x, 20 + y]));
        const scale = (Math.PI / 180) ** 2 * Math.cos((20 * Math.PI) / 180);
        const flat = planarRingArea(xy, 0, xy.length / 2) * scale;
        for (const measure of [sphericalRingArea, sphericalLonLatRingArea, sphericalEqualAreaRingArea])
          expect(Math.abs(area(measure, xy) - flat)).toBeLessThan(3e-5 * 4e-6 * scale);
      }),
    );
  });
});

describe("sphericalDistance", () => {
  it("is good at a millimetre and at half the globe", () => {
    expect(sphericalDistance(0, 0, 180, 0, 1)).toBeCloseTo(Math.PI, 14);
    expect(sphericalDistance(77, 13, 77, 13 + 1e-8, EARTH_ENGINE_RADIUS)).toBeCloseTo(0.00111195, 8);
    expect(sphericalDistance(5, 90, 100, -90, 1)).toBeCloseTo(Math.PI, 14);
  });
});
