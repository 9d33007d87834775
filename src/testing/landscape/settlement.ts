import { fractal, type Random, random } from "../random.ts";
import { type Hub, heights, slopes } from "./land-cover.ts";
import { OUTSIDE, sieve } from "./outlines.ts";
import type { Terrain } from "./terrain.ts";

/** A village of the block. */
export interface Village extends Hub {
  /** Census code. */
  readonly code: number;
  readonly name: string;
  readonly households: number;
}

export interface Settlement {
  readonly villages: readonly Village[];
  /** Row of the village layer that each cell belongs to, or OUTSIDE; several rows may be of one village. */
  readonly rows: Int32Array;
  /** Village of each row. */
  readonly villageOfRow: readonly number[];
}

const FIRST = [
  "Am",
  "Ban",
  "Chand",
  "Dev",
  "Gor",
  "Har",
  "Jam",
  "Kal",
  "Kus",
  "Lak",
  "Mad",
  "Nim",
  "Pal",
  "Ratan",
  "Sal",
  "Sur",
  "Tal",
  "Uma",
] as const;
const SECOND = ["a", "i", "wa", "ka", "ra", "la"] as const;
const LAST = ["pur", "tola", "dih", "gram", "bera", "khera", "nagar", "tand"] as const;

/** Villages on gentle ground, the land that belongs to each, and how the village layer cuts it into rows. */
export function makeSettlement(terrain: Terrain, side: number, seed: number): Settlement {
  const numbers = random(seed + 500);
  const villages = placeVillages(terrain, side, numbers);
  const owner = new Int32Array(side * side).fill(OUTSIDE);
  for (let row = 0, cell = 0; row < side; row++) {
    for (let col = 0; col < side; col++, cell++) {
      const x = col + 34 * (fractal(seed + 31, col / 34, row / 34, 3) - 0.5);
      const y = row + 34 * (fractal(seed + 32, col / 34, row / 34, 3) - 0.5);
      if (blockDistance(seed, col / side, row / side) > 1) continue;
      let best = Infinity;
      for (let k = 0; k < villages.length; k++) {
        const dx = x - villages[k]!.col;
        const dy = y - villages[k]!.row;
        const d = dx * dx + dy * dy - 0.12 * villages[k]!.people;
        if (d < best) {
          best = d;
          owner[cell] = k;
        }
      }
    }
  }
  sieve(owner, side, side, 60);
  return splitRows(villages, owner, side, seed);
}

/** Below 1 inside the block. */
function blockDistance(seed: number, x: number, y: number): number {
  const dx = (x - 0.47) / 0.4;
  const dy = (y - 0.52) / 0.41;
  return dx * dx + dy * dy + 0.9 * (fractal(seed + 33, x * 5, y * 5, 3) - 0.5);
}

function placeVillages(terrain: Terrain, side: number, numbers: Random): Village[] {
  const slope = slopes(terrain.elevation, side);
  const height = heights(terrain);
  const villages: Village[] = [];
  const names = new Set<string>();
  let code = 361_200;
  for (let tries = 0; tries < 60_000 && villages.length < 38; tries++) {
    const col = Math.floor(side * numbers.between(0.1, 0.86));
    const row = Math.floor(side * numbers.between(0.13, 0.92));
    const cell = row * side + col;
    if (blockDistance(0, col / side, row / side) > 0.92) continue;
    if (slope[cell]! > 0.12 || height[cell]! < 2 || height[cell]! > 45) continue;
    if (villages.some((other) => (other.col - col) ** 2 + (other.row - row) ** 2 < 42 ** 2)) continue;
    let name: string;
    do name = numbers.pick(FIRST) + numbers.pick(SECOND) + numbers.pick(LAST);
    while (names.has(name));
    names.add(name);
    const size = numbers.next();
    const people = Math.round(260 + 3400 * size * size);
    code += 1 + numbers.int(4);
    villages.push({
      col: col + 0.5,
      row: row + 0.5,
      people,
      code,
      name,
      households: Math.round(people / numbers.between(4.4, 5.4)),
    });
  }
  return villages;
}

/**
 * Every fifth village is cut in two along a wavy line, and two have a patch of land inside a neighbour: as
 * overlays of old and new boundaries leave them.
 */
function splitRows(villages: readonly Village[], owner: Int32Array, side: number, seed: number): Settlement {
  const count = villages.length;
  const villageOfRow = villages.map((_, k) => k);
  const rows = owner.slice();
  for (let k = 2; k < count; k += 5) {
    const row = villageOfRow.length;
    const { col: x, row: y } = villages[k]!;
    let cells = 0;
    for (let cell = 0; cell < owner.length; cell++) {
      if (owner[cell] !== k) continue;
      const bend = 26 * (fractal(seed + 41, (cell % side) / 20, 0.5, 2) - 0.5);
      if (Math.floor(cell / side) - y > 6 + bend + 0.35 * ((cell % side) - x)) {
        rows[cell] = row;
        cells++;
      }
    }
    if (cells > 0) villageOfRow.push(k);
  }
  for (const k of [4, 11]) {
    if (k >= count) break;
    const other = villages
      .map((_, at) => at)
      .filter((at) => at !== k && at % 5 !== 2)
      .sort((a, b) => between(villages[a]!, villages[k]!) - between(villages[b]!, villages[k]!))[1];
    if (other === undefined) continue;
    const row = villageOfRow.length;
    const { col: x, row: y } = villages[other]!;
    let cells = 0;
    for (let cell = 0; cell < owner.length; cell++) {
      const dx = (cell % side) - x - 9;
      const dy = Math.floor(cell / side) - y + 8;
      if (owner[cell] !== other || dx * dx + 1.6 * dy * dy > 30) continue;
      rows[cell] = row;
      cells++;
    }
    if (cells > 0) villageOfRow.push(k);
  }
  return { villages, rows, villageOfRow };
}

function between(a: Village, b: Village): number {
  return (a.col - b.col) ** 2 + (a.row - b.row) ** 2;
}

/** Kinds of facility and how likely a village has one, by the number of its people. */
export const FACILITIES: readonly {
  readonly kind: string;
  readonly share: number;
  readonly people: number;
}[] = [
  { kind: "school_primary", share: 0.9, people: 0 },
  { kind: "school_upper_primary", share: 0.6, people: 600 },
  { kind: "school_secondary", share: 0.5, people: 1500 },
  { kind: "college", share: 0.35, people: 2600 },
  { kind: "health_sub_cen", share: 0.4, people: 500 },
  { kind: "health_phc", share: 0.4, people: 1800 },
  { kind: "pds", share: 0.6, people: 0 },
  { kind: "bank_branch", share: 0.5, people: 2000 },
  { kind: "apmc", share: 0.4, people: 2800 },
];

export interface Facility {
  readonly kind: string;
  readonly name: string;
  /** In cells from the top-left corner. */
  readonly col: number;
  readonly row: number;
}

/** Facilities near the middle of villages; at least one of each kind. */
export function makeFacilities(villages: readonly Village[], seed: number): Facility[] {
  const numbers = random(seed + 600);
  const bySize = [...villages].sort((a, b) => b.people - a.people);
  const facilities: Facility[] = [];
  for (const { kind, share, people } of FACILITIES) {
    const chosen = villages.filter((village) => numbers.next() < share && village.people >= people);
    if (chosen.length === 0) chosen.push(bySize[0]!);
    for (const { name, col, row } of chosen) {
      facilities.push({
        kind,
        name: `${name} ${kind.replaceAll("_", " ")}`,
        col: col + numbers.between(-3, 3),
        row: row + numbers.between(-3, 3),
      });
    }
  }
  return facilities;
}

/** Principal aquifers of the sample, with the columns of the national map. */
export const AQUIFERS: readonly {
  readonly Principal_: string;
  readonly Major_Aqui: string;
  readonly Major_Aq_1: string;
  readonly Age: string;
  readonly yeild__: string;
  readonly zone_m: string;
}[] = [
  {
    Principal_: "Alluvium",
    Major_Aqui: "AL01",
    Major_Aq_1: "Younger alluvium",
    Age: "Quaternary",
    yeild__: "8 - 12%",
    zone_m: "20 - 40",
  },
  {
    Principal_: "Granite",
    Major_Aqui: "GR01",
    Major_Aq_1: "Acidic rocks",
    Age: "Proterozoic",
    yeild__: "Upto 3%",
    zone_m: "30 - 80",
  },
  {
    Principal_: "Banded Gneissic Complex",
    Major_Aqui: "BG01",
    Major_Aq_1: "Banded gneiss",
    Age: "Archaean",
    yeild__: "Upto 2%",
    zone_m: "30 - 100",
  },
  {
    Principal_: "Quartzite",
    Major_Aqui: "QZ01",
    Major_Aq_1: "Quartzite",
    Age: "Proterozoic",
    yeild__: "1-1.5%",
    zone_m: "40 - 120",
  },
  {
    Principal_: "Basalt",
    Major_Aqui: "BS01",
    Major_Aq_1: "Basic rocks",
    Age: "Mesozoic",
    yeild__: "Not Explored",
    zone_m: "20 - 60",
  },
];

/** Aquifer of every cell: rocks in broad bands, alluvium along the large streams. */
export function makeAquifers(
  terrain: Terrain,
  side: number,
  seed: number,
  toRiver: Float32Array,
): Int32Array {
  const height = heights(terrain);
  const labels = new Int32Array(side * side);
  for (let row = 0, cell = 0; row < side; row++) {
    for (let col = 0; col < side; col++, cell++) {
      const wobble = fractal(seed + 51, col / 90, row / 90, 3);
      const bands = fractal(seed + 52, col / 210 + wobble, row / 150 - wobble, 3);
      const reach = 420 + 900 * (fractal(seed + 53, col / 40, row / 40, 2) - 0.3);
      if (toRiver[cell]! < reach && height[cell]! < 28) labels[cell] = 0;
      else labels[cell] = bands < 0.42 ? 1 : bands < 0.53 ? 2 : bands < 0.58 ? 3 : 4;
    }
  }
  for (let pass = 0; pass < 3; pass++) sieve(labels, side, side, 400);
  return labels;
}
