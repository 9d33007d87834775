import { describe, expect, it } from "vitest";
import { transformBounds } from "../../src/crs/bounds.ts";

const close = (found: readonly number[], expected: readonly number[]): void => {
  for (let k = 0; k < 4; k++)
    expect(Math.abs(found[k]! - expected[k]!), `${found} for ${expected}`).toBeLessThan(
      1e-6 * Math.max(1, Math.abs(expected[k]!)),
    );
};

// Expected values by transform_bounds of pyproj 3.4.1 (PROJ 9.1.1), 21 points a side.
describe("transformBounds", () => {
  it("follows the edges, which bend outwards", () => {
    const found = transformBounds([86, 20, 88, 22], "EPSG:4326", "EPSG:32645");
    expect(found[3]).toBeGreaterThan(2432826.96 + 300);
  });

  it("goes all around when a pole is inside", () => {
    close(
      transformBounds([-4e6, -4e6, 4e6, 4e6], "EPSG:3413", "EPSG:4326"),
      [-180, 40.90148154079665, 180, 90],
    );
  });

  it("crosses the antimeridian on either side", () => {
    close(
      transformBounds([170, -20, -170, -10], "EPSG:4326", "EPSG:3832"),
      [2226389.8158654715, -2258423.6490963795, 4452779.631730937, -1111475.1028522244],
    );
    close(
      transformBounds([-2e6, -3e6, 4e6, 2e6], "EPSG:3832", "EPSG:4326"),
      [132.0336943176096, -26.159363871877535, -174.06738863521912, 17.790560385794684],
    );
  });

  it("shows the whole web map as the whole world", () => {
    close(
      transformBounds([-20037508.34, -2e7, 20037508.34, 2e7], "EPSG:3857", "EPSG:4326"),
      [-179.9999999749438, -85.02197647623295, 179.9999999749438, 85.02197647623295],
    );
  });

  it("leaves out what cannot be shown", () => {
    const [, south, , north] = transformBounds([-180, -90, 180, 90], "EPSG:4326", "EPSG:3857");
    expect(Number.isFinite(south) && Number.isFinite(north)).toBe(true);
    expect(() => transformBounds([-10, 90, 10, 90], "EPSG:4326", "EPSG:3857")).toThrow(
      expect.objectContaining({ code: "NO_OVERLAP" }),
    );
  });

  it("changes nothing between the same systems", () => {
    const bounds = [1, 2, 3, 4] as const;
    expect(transformBounds(bounds, "EPSG:4326", "OGC:CRS84")).toBe(bounds);
  });
});
