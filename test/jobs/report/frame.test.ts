import { describe, expect, it } from "vitest";
import { fitFrame, graticule, groupDigits, niceNumber, scaleBar } from "../../../src/jobs/report/frame.ts";
import { simplify } from "../../../src/jobs/report/shapes.ts";
import { UTM_45N, WGS84 } from "../../../src/testing/places.ts";

describe("fitFrame", () => {
  it("keeps the view inside the picture, with a margin", () => {
    const frame = fitFrame({ crs: UTM_45N, bounds: [1000, 2000, 5000, 4000] }, 800);
    expect((1000 - frame.left) * frame.scaleX).toBeGreaterThan(0);
    expect((5000 - frame.left) * frame.scaleX).toBeLessThan(800);
    expect((frame.top - 4000) * frame.scaleY).toBeGreaterThan(0);
    expect((frame.top - 2000) * frame.scaleY).toBeLessThan(frame.height);
    expect(frame.scaleX).toBe(frame.scaleY);
  });

  it("draws a degree of longitude as long as it is at that latitude", () => {
    const frame = fitFrame({ crs: WGS84, bounds: [10, 59.5, 12, 60.5] }, 800);
    expect(frame.scaleX / frame.scaleY).toBeCloseTo(0.5, 10);
  });

  it("survives views without extent or without numbers", () => {
    for (const bounds of [
      [5, 5, 5, 5],
      [Number.NaN, 0, 1, 1],
      [3, 2, 1, 0],
    ] as const) {
      const frame = fitFrame({ crs: null, bounds }, 400);
      expect(Object.values(frame).every((value) => typeof value !== "number" || Number.isFinite(value))).toBe(
        true,
      );
      expect(graticule(frame, 100).x.length).toBeLessThan(60);
      expect(scaleBar(frame, 100)).toBeNull();
    }
  });
});

describe("graticule", () => {
  it("labels degrees and minutes with their side", () => {
    const frame = fitFrame({ crs: WGS84, bounds: [-0.3, -0.2, 0.3, 0.2] }, 800);
    const { x, y } = graticule(frame, 130);
    expect(x.map(({ label }) => label)).toEqual(["0°10′W", "0°", "0°10′E"]);
    expect(y.map(({ label }) => label)).toContain("0°10′S");
  });

  it("labels metres in groups of three", () => {
    const frame = fitFrame({ crs: UTM_45N, bounds: [412000, 2596000, 428000, 2612000] }, 800);
    expect(graticule(frame, 130).x.map(({ label }) => label)).toContain("415\u2009000 m");
    expect(groupDigits("-1234567.5")).toBe("-1\u2009234\u2009567.5");
    expect(groupDigits("9999")).toBe("9999");
  });
});

describe("scaleBar", () => {
  it.each([
    [1000, "20 m"],
    [16_000, "500 m"],
    [400_000, "10 km"],
  ])("of a view of %i m is %s", (size, label) => {
    const frame = fitFrame({ crs: UTM_45N, bounds: [0, 0, size, size * 0.6] }, 800);
    const bar = scaleBar(frame, 30)!;
    expect(bar.label).toBe(label);
    expect(bar.pixels).toBeLessThanOrEqual(30);
    expect(bar.pixels).toBeGreaterThan(30 / 2.6);
  });

  it("uses 1, 2 and 5", () => {
    expect([0.3, 1, 1.1, 3, 7, 4999].map(niceNumber)).toEqual([0.5, 1, 2, 5, 10, 5000]);
  });
});

describe("simplify", () => {
  it("drops what deviates less than the tolerance and nothing else", () => {
    const path = Float64Array.of(0, 0, 5, 0.1, 10, 0, 10, 5, 10, 10);
    expect([...simplify(path, 0.2)]).toEqual([0, 0, 10, 0, 10, 10]);
    expect([...simplify(path, 0.05)]).toEqual([0, 0, 5, 0.1, 10, 0, 10, 10]);
  });

  it("keeps rings closed and with three corners", () => {
    const tiny = Float64Array.of(0, 0, 0.1, 0, 0.1, 0.1, 0.05, 0.12, 0, 0.1, 0, 0);
    const ring = simplify(tiny, 1);
    expect(ring.length).toBeGreaterThanOrEqual(8);
    expect([ring[0], ring[1]]).toEqual([ring.at(-2), ring.at(-1)]);
  });
});
