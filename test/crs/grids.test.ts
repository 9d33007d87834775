import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasGrid, registerGrid } from "../../src/crs/grids.ts";
import { describeTransform, transformer } from "../../src/crs/transformer.ts";

/** An NTv2 file of one table around 10 E, 50 N, nodes half a degree apart, shifts in arc seconds. */
function ntv2(shift: (lon: number, lat: number) => readonly [dLat: number, dLonWest: number]): Uint8Array {
  const [columns, rows] = [5, 5];
  const bytes = new Uint8Array(352 + 16 * columns * rows);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, value: string): void => {
    bytes.set(new TextEncoder().encode(value.padEnd(8)), offset);
  };
  view.setInt32(8, 11, true);
  view.setInt32(24, 11, true);
  view.setInt32(40, 1, true);
  text(56, "SECONDS");
  const head = [49 * 3600, 51 * 3600, -11 * 3600, -9 * 3600, 1800, 1800];
  for (const [k, value] of head.entries()) view.setFloat64(176 + 16 * (4 + k) + 8, value, true);
  view.setInt32(176 + 168, columns * rows, true);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < columns; col++) {
      const [dLat, dLonWest] = shift(11 - col / 2, 49 + row / 2);
      const at = 352 + 16 * (row * columns + col);
      view.setFloat32(at, dLat, true);
      view.setFloat32(at + 4, dLonWest, true);
    }
  }
  return bytes;
}

describe("registerGrid", () => {
  it("shifts by the grid and back, positive west as NTv2 has it", () => {
    registerGrid(
      "plane.gsb",
      ntv2((lon, lat) => [lat - 50, 2 * (lon - 10)]),
    );
    expect(hasGrid("plane.tif")).toBe(true);
    const xy = Float64Array.of(10.25, 50.3);
    transformer("+proj=longlat +ellps=bessel +nadgrids=plane.gsb", "EPSG:4326")(xy);
    expect(xy[0]).toBeCloseTo(10.25 - 0.5 / 3600, 10);
    expect(xy[1]).toBeCloseTo(50.3 + 0.3 / 3600, 10);

    transformer("EPSG:4326", "+proj=longlat +ellps=bessel +nadgrids=plane.gsb")(xy);
    expect(xy[0]).toBeCloseTo(10.25, 12);
    expect(xy[1]).toBeCloseTo(50.3, 12);
  });

  it("makes the better shift of the table usable, and the next best where the grid ends", () => {
    const before = Float64Array.of(13, 54);
    transformer("EPSG:4314", "EPSG:4326")(before);
    registerGrid(
      "BETA2007.gsb",
      ntv2(() => [1, 1]),
    );
    expect(describeTransform("EPSG:4314", "EPSG:4326")).toEqual({
      operation: "DHDN to WGS 84 (4)",
      accuracyMetres: 1,
      needsGrid: [],
      warnings: [],
    });
    const xy = Float64Array.of(10, 50, 13, 54);
    transformer("EPSG:4314", "EPSG:4326")(xy);
    expect(xy[0]).toBeCloseTo(10 - 1 / 3600, 9);
    expect(xy[1]).toBeCloseTo(50 + 1 / 3600, 9);
    expect([xy[2], xy[3]]).toEqual([...before]);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["text", new TextEncoder().encode("not a grid ".repeat(60))],
    ["a cut file", ntv2(() => [0, 0]).slice(0, 600)],
  ])("refuses %s", (_, bytes) => {
    expect(() => registerGrid("bad.gsb", bytes)).toThrow(expect.objectContaining({ code: "INVALID_FORMAT" }));
  });

  it("refuses counts that the file cannot hold", () => {
    const bytes = ntv2(() => [0, 0]);
    new DataView(bytes.buffer).setInt32(40, 1_000_000, true);
    expect(() => registerGrid("bad.gsb", bytes)).toThrow(/claims 1000000 tables/);
    const wide = ntv2(() => [0, 0]);
    new DataView(wide.buffer).setInt32(176 + 168, 2 ** 30, true);
    expect(() => registerGrid("bad.gsb", wide)).toThrow(/no regular mesh/);
  });

  const beta = "/usr/share/proj/BETA2007.gsb";
  it.runIf(existsSync(beta))(`agrees with PROJ on a real grid [skipped without ${beta}]`, () => {
    registerGrid("de_adv_BETA2007.gsb", readFileSync(beta));
    const xy = Float64Array.of(8.61078581394148, 52.11673157137217);
    transformer("EPSG:4326", "EPSG:31467")(xy);
    // PROJ 9.1.1: cs2cs EPSG:4326 EPSG:31467
    expect(xy[0]).toBeCloseTo(3473412.11, 1);
  });
});
