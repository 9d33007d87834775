import { fractal } from "../random.ts";
import { accumulate, erode, type Flow, fill, refine, steepest, strahler } from "./hydrology.ts";

/** Elevation is stored in whole parts of a metre, so that every step of the flow is exact. */
const PARTS_PER_METRE = 64;

/** Share of the carved relief that is kept: gentle hills with room for fields. */
const RELIEF = 0.5;

/** Terrain and the water on it. Arrays are row-major, length = side * side. */
export interface Terrain {
  /** Metres, every cell above the one it drains to. */
  readonly elevation: Float32Array;
  readonly flow: Flow;
  /** Cells that drain through each cell, itself included. */
  readonly area: Float64Array;
  /** Strahler order of stream cells, 0 elsewhere. */
  readonly streamOrder: Uint8Array;
  /** 1 in the basin of the largest river, 0 elsewhere. */
  readonly basin: Uint8Array;
}

/**
 * A basin of hills, a rim around it and a plain where its river leaves in the south-east, carved by running
 * water from fractal noise at three sizes of cell.
 *
 * @param side       Cells each way, a multiple of 4.
 * @param threshold  Cells that must drain through a cell to make it a stream.
 */
export function makeTerrain(seed: number, side: number, threshold: number): Terrain {
  let size = side / 4;
  let z = new Float64Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    for (let col = 0; col < size; col++, i++) {
      const x = (col + 0.5) / size;
      const y = (row + 0.5) / size;
      const edge = Math.min(x, y, 1 - x, 1 - y) * size < 1;
      z[i] = edge ? edgeHeight(seed, x, y) : baseHeight(seed, x, y);
    }
  }
  for (const [power, creep, steps] of [
    [0.05, 0.04, 60],
    [0.04, 0.06, 16],
    [0.035, 0.1, 7],
  ] as const) {
    if (z.length !== size * size) z = refine(z, size / 2, size / 2) as Float64Array<ArrayBuffer>;
    erode(z, size, size, upliftOf(seed, size), hardnessOf(seed, size), {
      seed: seed + 1000 * size,
      power,
      creep,
      steps,
    });
    size *= 2;
  }
  for (let row = 0, i = 0; row < side; row++) {
    for (let col = 0; col < side; col++, i++) {
      const rough = fractal(seed + 7, col / 6, row / 6, 3) - 0.5;
      z[i] = Math.round((80 + RELIEF * z[i]! + 2 * rough) * PARTS_PER_METRE);
    }
  }
  const order = fill(z, side, side, 1);
  const receiver = steepest(z, side, side);
  const flow = { receiver, order };
  const area = accumulate(flow);
  return {
    elevation: Float32Array.from(z, (parts) => parts / PARTS_PER_METRE),
    flow,
    area,
    streamOrder: strahler(flow, area, threshold),
    basin: largestBasin(flow, area),
  };
}

function largestBasin({ receiver, order }: Flow, area: Float64Array): Uint8Array {
  let outlet = 0;
  for (let cell = 0; cell < area.length; cell++) if (area[cell]! > area[outlet]!) outlet = cell;
  const basin = new Uint8Array(area.length);
  basin[outlet] = 1;
  for (const cell of order) if (receiver[cell]! >= 0) basin[cell] = basin[receiver[cell]!]!;
  return basin;
}

/** Distance from the middle in a wobbly measure: about 1 at the rim. */
function rimDistance(seed: number, x: number, y: number): number {
  const dx = (x - 0.5) / 0.43;
  const dy = (y - 0.5) / 0.43;
  const wobble = 0.75 * (fractal(seed + 1, x * 3.5, y * 3.5, 4) - 0.5);
  const p = dx * dx;
  const q = dy * dy;
  // Between a circle and a square.
  return Math.sqrt(Math.sqrt(p * p + q * q + 1.2 * p * q)) + wobble;
}

/** 1 at the gap in the rim where the river leaves, 0 away from it. */
function gap(x: number, y: number): number {
  const dx = (x - 1) / 0.3;
  const dy = (y - 0.78) / 0.16;
  const d = dx * dx + dy * dy;
  return d >= 1 ? 0 : (1 - d) * (1 - d);
}

function baseHeight(seed: number, x: number, y: number): number {
  const d = rimDistance(seed, x, y);
  const rim = Math.max(0, 1 - Math.abs(d - 1) / 0.45);
  return (
    140 + 90 * (1 - gap(x, y)) * rim + 60 * fractal(seed + 2, x * 5, y * 5, 4) - 40 * x * y - 120 * gap(x, y)
  );
}

function edgeHeight(seed: number, x: number, y: number): number {
  return 150 + 40 * fractal(seed + 3, x * 6, y * 6, 2) - 30 * x - 110 * Math.min(1, 3 * gap(x, y));
}

function hardnessOf(seed: number, size: number): Float64Array {
  const hardness = new Float64Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    for (let col = 0; col < size; col++, i++) {
      hardness[i] = 0.35 + 2.2 * fractal(seed + 5, (col * 24) / size, (row * 24) / size, 4);
    }
  }
  return hardness;
}

/** Metres per step at a cell, for a raster of `size` cells each way. */
function upliftOf(seed: number, size: number): Float64Array {
  const uplift = new Float64Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    for (let col = 0; col < size; col++, i++) {
      const x = (col + 0.5) / size;
      const y = (row + 0.5) / size;
      const rim = Math.max(0, 1 - Math.abs(rimDistance(seed, x, y) - 1) / 0.38);
      const hills = Math.max(0, fractal(seed + 4, x * 4, y * 4, 3) - 0.46);
      uplift[i] = (1 - 0.97 * Math.min(1, 2 * gap(x, y))) * (0.25 + 3.2 * rim * rim + 9 * hills);
    }
  }
  return uplift;
}
