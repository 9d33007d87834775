import { fractal, hash, noise, random } from "../random.ts";
import type { Terrain } from "./terrain.ts";

/** Side of a cell of the terrain, metres. */
export const CELL = 30;

/** A class of the land-cover maps, as the third version of the legend numbers them. */
export interface LandCoverClass {
  readonly value: number;
  readonly name: string;
  readonly color: readonly [red: number, green: number, blue: number, alpha: number];
}

/** Legend of the maps. 5 (cropland, undivided) never occurs. 0 is outside. */
export const LAND_COVER: readonly LandCoverClass[] = [
  { value: 1, name: "Built-up", color: [196, 60, 57, 255] },
  { value: 2, name: "Water, kharif only", color: [166, 206, 238, 255] },
  { value: 3, name: "Water, kharif and rabi", color: [84, 156, 214, 255] },
  { value: 4, name: "Water, perennial", color: [20, 84, 160, 255] },
  { value: 5, name: "Cropland, undivided", color: [240, 226, 150, 255] },
  { value: 6, name: "Tree, forest", color: [23, 92, 56, 255] },
  { value: 7, name: "Barren land", color: [176, 164, 152, 255] },
  { value: 8, name: "Single crop, kharif", color: [250, 224, 122, 255] },
  { value: 9, name: "Single crop, non-kharif", color: [226, 168, 66, 255] },
  { value: 10, name: "Double crop", color: [190, 202, 76, 255] },
  { value: 11, name: "Triple crop", color: [120, 166, 48, 255] },
  { value: 12, name: "Shrub, scrub", color: [138, 148, 98, 255] },
];

/** How much better or worse than usual the rain of an agricultural year was: it decides second crops and ponds. */
export const RAIN: Readonly<Record<number, number>> = { 2021: 0.06, 2022: -0.13, 2023: 0.01 };

/** A village: where people live. */
export interface Hub {
  /** In cells from the top-left corner. */
  readonly col: number;
  readonly row: number;
  readonly people: number;
}

/** What decides the land cover, per cell of the terrain, row-major. */
export interface Site {
  readonly side: number;
  /** Rise per length. */
  readonly slope: Float32Array;
  /** Metres above the stream that the cell drains to. */
  readonly height: Float32Array;
  /** Metres to the nearest stream of order 3, 4 and 5 or more. */
  readonly toStream: readonly [Float32Array, Float32Array, Float32Array];
  /** Depth of reservoirs when full, as a share of the deepest; 0 elsewhere. */
  readonly pond: Float32Array;
  readonly hubs: readonly Hub[];
  /** The hub whose houses may reach each cell, or -1. */
  readonly hubOf: Int16Array;
  /** Where the middle of each field lies: x and y in cells, row by row of `across` fields, from field -1 on. */
  readonly fields: { readonly across: number; readonly xy: Float32Array };
  /** What each field carries in a year, as far as it is known; 0 is not known. */
  readonly uses: Map<number, Uint8Array>;
  readonly seed: number;
  readonly elevation: Float32Array;
  readonly elevationRange: readonly [low: number, high: number];
}

export function makeSite(terrain: Terrain, side: number, hubs: readonly Hub[], seed: number): Site {
  const { elevation, streamOrder } = terrain;
  let low = Infinity;
  let high = -Infinity;
  for (const z of elevation) {
    if (z < low) low = z;
    if (z > high) high = z;
  }
  return {
    side,
    slope: slopes(elevation, side),
    height: heights(terrain),
    toStream: [3, 4, 5].map((least) => distances(streamOrder, side, least)) as unknown as Site["toStream"],
    pond: ponds(terrain, side, seed),
    hubs,
    hubOf: nearestHubs(hubs, side),
    fields: placeFields(seed, side),
    uses: new Map(),
    seed,
    elevation,
    elevationRange: [low, high],
  };
}

/** Cells between the middles of fields, on average. */
const FIELD = 2.4;

function placeFields(seed: number, side: number): Site["fields"] {
  const across = Math.ceil(side / FIELD) + 4;
  const xy = new Float32Array(2 * across * across);
  for (let j = 0; j < across; j++) {
    for (let i = 0; i < across; i++) {
      xy[2 * (j * across + i)] = (i - 2 + hash(seed + 11, i, j)) * FIELD;
      xy[2 * (j * across + i) + 1] = (j - 2 + hash(seed + 12, i, j)) * FIELD;
    }
  }
  return { across, xy };
}

/** Hubs stand so far apart that at most one reaches a cell. */
function nearestHubs(hubs: readonly Hub[], side: number): Int16Array {
  const hubOf = new Int16Array(side * side).fill(-1);
  for (const [k, { col, row }] of hubs.entries()) {
    for (let r = Math.max(0, Math.floor(row) - 20); r < Math.min(side, row + 21); r++) {
      for (let c = Math.max(0, Math.floor(col) - 20); c < Math.min(side, col + 21); c++)
        hubOf[r * side + c] = k;
    }
  }
  return hubOf;
}

/** Rise per length by central differences. */
export function slopes(elevation: Float32Array, side: number): Float32Array {
  const slope = new Float32Array(elevation.length);
  for (let row = 0, cell = 0; row < side; row++) {
    const up = row === 0 ? 0 : side;
    const down = row === side - 1 ? 0 : side;
    for (let col = 0; col < side; col++, cell++) {
      const left = col === 0 ? 0 : 1;
      const right = col === side - 1 ? 0 : 1;
      const dx = (elevation[cell + right]! - elevation[cell - left]!) / (CELL * (left + right));
      const dy = (elevation[cell + down]! - elevation[cell - up]!) / ((CELL * (up + down)) / side);
      slope[cell] = Math.sqrt(dx * dx + dy * dy);
    }
  }
  return slope;
}

/** Height above the nearest drainage downstream (streams of order 2 and more). */
export function heights({ elevation, flow, streamOrder }: Terrain): Float32Array {
  const height = new Float32Array(elevation.length);
  for (const cell of flow.order) {
    const to = flow.receiver[cell]!;
    if (streamOrder[cell]! >= 2 || to < 0) continue;
    height[cell] = height[to]! + elevation[cell]! - elevation[to]!;
  }
  return height;
}

/** Metres from every cell to the nearest stream of at least an order: two sweeps with steps of 3 and 4 thirds. */
function distances(streamOrder: Uint8Array, side: number, least: number): Float32Array {
  const far = 1e9;
  const thirds = new Float64Array(streamOrder.length);
  for (let cell = 0; cell < thirds.length; cell++) thirds[cell] = streamOrder[cell]! >= least ? 0 : far;
  const relax = (cell: number, col: number, row: number, way: 1 | -1): void => {
    let best = thirds[cell]!;
    const insideRow = row - way >= 0 && row - way < side;
    if (col - way >= 0 && col - way < side) best = Math.min(best, thirds[cell - way]! + 3);
    if (insideRow) {
      const beyond = cell - way * side;
      best = Math.min(best, thirds[beyond]! + 3);
      if (col > 0) best = Math.min(best, thirds[beyond - 1]! + 4);
      if (col < side - 1) best = Math.min(best, thirds[beyond + 1]! + 4);
    }
    thirds[cell] = best;
  };
  for (let row = 0, cell = 0; row < side; row++)
    for (let col = 0; col < side; col++, cell++) relax(cell, col, row, 1);
  for (let row = side - 1, cell = thirds.length - 1; row >= 0; row--)
    for (let col = side - 1; col >= 0; col--, cell--) relax(cell, col, row, -1);
  return Float32Array.from(thirds, (value) => Math.min(far, (value * CELL) / 3));
}

/** Reservoirs behind dams on small streams: what would be flooded upstream of a dam of a few metres. */
function ponds({ elevation, flow, streamOrder, area }: Terrain, side: number, seed: number): Float32Array {
  const pond = new Float32Array(elevation.length);
  const numbers = random(seed + 77);
  const { receiver, order } = flow;
  let built = 0;
  for (let tries = 0; tries < 40_000 && built < 34; tries++) {
    const dam = numbers.int(elevation.length);
    const streams = streamOrder[dam]!;
    if (streams < 2 || streams > 4 || area[dam]! < 500 || pond[dam]! > 0) continue;
    const depth = 4 + 7 * numbers.next();
    const level = elevation[dam]! + depth;
    const flooded = [dam];
    const wet = new Set(flooded);
    for (let k = 0; k < flooded.length && flooded.length < 700; k++) {
      const cell = flooded[k]!;
      const col = cell % side;
      for (const step of [1, -1, side, -side, side + 1, side - 1, -side + 1, -side - 1]) {
        const next = cell + step;
        const c = next % side;
        if (next < 0 || next >= elevation.length || Math.abs(c - col) > 1 || wet.has(next)) continue;
        if (receiver[next] === cell && elevation[next]! < level) {
          wet.add(next);
          flooded.push(next);
        }
      }
    }
    if (flooded.length < 25 || flooded.length >= 700 || flooded.some((cell) => pond[cell]! > 0)) continue;
    for (const cell of flooded) pond[cell] = (level - elevation[cell]!) / depth;
    built++;
  }
  void order;
  return pond;
}

/**
 * Land cover at a place in an agricultural year. Fields are patches of about 70 m that are used as one; water,
 * houses and their growth do not keep to fields.
 *
 * @param x  Columns from the left edge, in cells of the terrain, fractions allowed; likewise `y` rows from the top.
 */
export function landCoverAt(site: Site, x: number, y: number, year: number): number {
  const { side } = site;
  const rain = RAIN[year] ?? 0;
  const here = cellAt(side, x, y);

  const depth = bilinear(site.pond, side, x, y);
  if (depth > 0.62 - rain) return 4;
  if (depth > 0.38 - rain) return 3;
  if (depth > 0.16 - rain / 2) return 2;
  if (site.toStream[2][here]! < 200 && bilinear(site.toStream[2], side, x, y) < 26) return 4;
  if (site.toStream[1][here]! < 200 && bilinear(site.toStream[1], side, x, y) < 15 + 40 * rain) return 3;
  if (site.toStream[0][here]! < 200 && bilinear(site.toStream[0], side, x, y) < 10 + 40 * rain) return 2;
  if (isBuilt(site, x, y, year)) return 1;

  // The field that the place belongs to: the nearest of jittered points.
  const { across, xy } = site.fields;
  const firstI = Math.floor(x / FIELD) + 1;
  const firstJ = Math.floor(y / FIELD) + 1;
  let best = Infinity;
  let at = 0;
  for (let j = firstJ; j < firstJ + 3; j++) {
    for (let k = 2 * (j * across + firstI); k < 2 * (j * across + firstI + 3); k += 2) {
      const dx = x - xy[k]!;
      const dy = y - xy[k + 1]!;
      const d = dx * dx + dy * dy;
      if (d >= best) continue;
      best = d;
      at = k;
    }
  }
  let use = site.uses.get(year);
  if (use === undefined) {
    use = new Uint8Array(across * across);
    site.uses.set(year, use);
  }
  const known = use[at / 2]!;
  if (known > 0) return known;
  const found = fieldUse(site, at, year, rain);
  use[at / 2] = found;
  return found;
}

/** What a field carries in a year. */
function fieldUse(site: Site, at: number, year: number, rain: number): number {
  const { side, seed } = site;
  const { across, xy } = site.fields;
  const centreX = xy[at]!;
  const centreY = xy[at + 1]!;
  const fieldI = (at / 2) % across;
  const fieldJ = Math.floor(at / 2 / across);
  const field = cellAt(side, centreX, centreY);
  const chance = hash(seed + 13, fieldI, fieldJ);
  const patch = fractal(seed + 14, centreX / 30, centreY / 30, 3) - 0.5;
  const slope = site.slope[field]!;
  const height = site.height[field]!;
  const [low, high] = site.elevationRange;
  const relative = (site.elevation[field]! - low) / (high - low);

  const wild = 2 * slope + height / 110 + 0.5 * relative + 1.9 * patch - 0.1 * chance;
  if (slope > 0.3 && chance < 0.3 && patch > 0) return 7;
  if (wild > 1.1) {
    // Some forest is lost to scrub every year, near the edge of the woods.
    const lost = wild < 1.26 && hash(seed + 15, fieldI, fieldJ) < 0.05 * (year - 2020);
    return lost || chance < 0.06 ? 12 : 6;
  }
  if (wild > 0.82) return chance < 0.12 ? 7 : chance < 0.3 && patch > 0 ? 6 : 12;

  const water =
    0.62 - height / 45 - 1.6 * slope - Math.min(0.25, site.toStream[0][field]! / 8000) + 0.5 * patch;
  const luck = 0.16 * (hash(seed + 16 + year, fieldI, fieldJ) - 0.5);
  const wet = water + rain + luck + 0.18 * (chance - 0.5);
  if (wet > 0.46) return 11;
  if (wet > 0.2) return 10;
  if (wet > 0.1 && chance < 0.5) return 9;
  if (wet < -0.12 && chance > 0.9) return 12;
  // A few fields lie fallow in a dry year.
  return rain < -0.1 && hash(seed + 17, fieldI, fieldJ) < 0.04 ? 7 : 8;
}

function isBuilt(site: Site, x: number, y: number, year: number): boolean {
  const hub = site.hubs[site.hubOf[cellAt(site.side, x, y)]!];
  if (hub === undefined) return false;
  const dx = x - hub.col;
  const dy = y - hub.row;
  const near = dx * dx + dy * dy;
  const radius = (2.2 + hub.people / 900) * (1 + 0.05 * (year - 2021));
  const ragged = radius * (0.45 + 1.1 * noise(site.seed + 21, x / 2.2, y / 2.2));
  return near < ragged * ragged;
}

function cellAt(side: number, x: number, y: number): number {
  const col = Math.max(0, Math.min(side - 1, Math.floor(x)));
  const row = Math.max(0, Math.min(side - 1, Math.floor(y)));
  return row * side + col;
}

function bilinear(values: Float32Array, side: number, x: number, y: number): number {
  const px = Math.max(0, Math.min(side - 1.001, x - 0.5));
  const py = Math.max(0, Math.min(side - 1.001, y - 0.5));
  const col = Math.floor(px);
  const row = Math.floor(py);
  const i = row * side + col;
  const u = px - col;
  const v = py - row;
  const top = values[i]! * (1 - u) + values[i + 1]! * u;
  const bottom = values[i + side]! * (1 - u) + values[i + side + 1]! * u;
  return top * (1 - v) + bottom * v;
}
