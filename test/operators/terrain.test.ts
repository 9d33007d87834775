import { expect, test } from "vitest";
import { crsFromEpsg } from "../../src/crs/parse.ts";
import { fullWindow, type Grid } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { aspect, hillshade, slope } from "../../src/operators/terrain.ts";

const grid: Grid = { width: 7, height: 6, transform: [10, 0, 500000, 0, -10, 2000000], crs: null };

function surface(
  height: (x: number, y: number) => number,
  at: Grid = grid,
  nodata: number | null = null,
): RasterSource {
  const data = new Float32Array(at.width * at.height);
  for (let row = 0; row < at.height; row++)
    for (let col = 0; col < at.width; col++) {
      const [a, , c, , e, f] = at.transform;
      data[row * at.width + col] = height(a * (col + 0.5) + c, e * (row + 0.5) + f);
    }
  return memoryRaster(at, [{ type: "float32", nodata }], [data]);
}

async function values(source: RasterSource): Promise<number[]> {
  const block = await source.read(fullWindow(source.grid));
  return Array.from(block.bands[0]!, Number);
}

const middle = (row: number, col: number): number => row * 7 + col;

test("a plane that rises 1 in 2 to the north-east slopes and faces south-west", async () => {
  const rise = 0.5 / Math.SQRT2;
  const plane = surface((x, y) => rise * (x - 500000) + rise * (y - 1999940));
  const slopes = await values(slope(plane));
  const faces = await values(aspect(plane));
  expect(slopes[middle(2, 3)]).toBeCloseTo((Math.atan(0.5) * 180) / Math.PI, 4);
  expect(faces[middle(2, 3)]).toBeCloseTo(225, 4);
  expect((await values(slope(plane, { unit: "percent" })))[middle(2, 3)]).toBeCloseTo(50, 4);
  // Nothing is known beyond the edge.
  expect(slopes[0]).toBeNaN();
  expect((await values(slope(plane, { computeEdges: true })))[0]).toBeCloseTo(slopes[middle(2, 3)]!, 3);
});

test("aspect is clockwise from north on all sides, and nothing on level ground", async () => {
  const directions: [(x: number, y: number) => number, number][] = [
    [(_, y) => -y, 0],
    [(x) => -x, 90],
    [(_, y) => y, 180],
    [(x) => x, 270],
  ];
  for (const [height, expected] of directions)
    expect((await values(aspect(surface(height))))[middle(2, 3)]).toBeCloseTo(expected, 5);
  expect((await values(aspect(surface(() => 7))))[middle(2, 3)]).toBeNaN();
});

test("a south-up grid gives the same terrain", async () => {
  const flipped: Grid = { ...grid, transform: [10, 0, 500000, 0, 10, 1999940] };
  const height = (x: number, y: number): number => Math.sin(x / 20) * 5 + (y % 97);
  const north = await values(aspect(surface(height)));
  const south = await values(aspect(surface(height, flipped)));
  for (let row = 1; row < 5; row++)
    for (let col = 1; col < 6; col++)
      expect(south[middle(5 - row, col)]).toBeCloseTo(north[middle(row, col)]!, 4);
});

test("level ground is as bright as the light is high, a wall facing away is dark", async () => {
  const level = await values(hillshade(surface(() => 3)));
  expect(level[middle(2, 3)]).toBe(Math.floor(1 + 254 * Math.sin(Math.PI / 4) + 0.5));
  const wall = await values(
    hillshade(
      surface((x) => -10 * x),
      { azimuth: 270 },
    ),
  );
  expect(wall[middle(2, 3)]).toBe(1);
});

test("degrees are measured on WGS 84 at their latitude", async () => {
  const at = (latitude: number): Grid => ({
    width: 7,
    height: 6,
    transform: [0.001, 0, 80, 0, -0.001, latitude + 0.003],
    crs: crsFromEpsg(4326),
  });
  // One metre of height for each metre on the ground towards the east: 111,319.49 m a degree at the equator.
  for (const [latitude, metres] of [
    [0, 111319.49],
    [60, 55800.0],
  ] as const) {
    const rising = surface((x) => (x - 80) * metres, at(latitude));
    const slopes = await values(slope(rising));
    expect(slopes[middle(2, 3)]).toBeCloseTo(45, 1);
  }
});

test("what is missing blanks its neighbours only", async () => {
  const data = new Float32Array(42).fill(5);
  data[middle(2, 3)] = -9999;
  const holed = memoryRaster(grid, [{ type: "float32", nodata: -9999 }], [data]);
  const slopes = await values(slope(holed));
  expect(slopes[middle(2, 2)]).toBeNaN();
  expect(slopes[middle(4, 3)]).toBe(0);
});

test("windows join without seams", async () => {
  const source = slope(surface((x, y) => Math.sin(x / 13) * 9 + Math.cos(y / 7) * 4));
  const whole = await values(source);
  for (let row = 0; row < 6; row += 2)
    for (let col = 0; col < 7; col += 3) {
      const window = { col, row, width: Math.min(3, 7 - col), height: 2 };
      const block = await source.read(window);
      for (let i = 0; i < window.width * 2; i++) {
        const r = row + Math.floor(i / window.width);
        const c = col + (i % window.width);
        expect(block.bands[0]![i]).toEqual(whole[middle(r, c)]);
      }
    }
});

test("a rotated grid is refused with what to do", () => {
  const turned = surface(() => 1, { ...grid, transform: [10, 1, 0, 1, -10, 0] });
  expect(() => slope(turned)).toThrow(/rotated/);
});
