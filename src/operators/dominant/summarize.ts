import { ringArea } from "../../kernels/vector/region.ts";
import { type GeometryColumn, NULL_GEOMETRY, typeDimension } from "../../model/geometry.ts";
import type { ClassAreas, ClassInfo, Tie } from "../dominant.ts";
import type { Tally } from "./tally.ts";

/** Class areas, dominant class and runner-up of every zone from the counts of one raster. */
export function summarize(
  label: string,
  tally: Tally,
  onGrid: Float64Array,
  classes: readonly ClassInfo[],
  tie: Tie,
  minShare: number,
): ClassAreas {
  const { zones, total } = tally;
  const n = classes.length;
  const pixels = new Float64Array(zones * n);
  const area = new Float64Array(zones * n);
  const zonePixels = new Float64Array(zones);
  const zoneArea = new Float64Array(zones);
  const nodataArea = new Float64Array(zones);
  const dominant = new Int32Array(zones).fill(-1);
  const runnerUp = new Int32Array(zones).fill(-1);
  const dominantShare = new Float64Array(zones).fill(Number.NaN);
  const runnerUpShare = new Float64Array(zones).fill(Number.NaN);
  const coveredShare = new Float64Array(zones);
  const nodataShare = new Float64Array(zones).fill(Number.NaN);
  const slots = classes.map(({ value }) => tally.classes.get(value));
  const listed = new Set(classes.map(({ value }) => value));
  // Classes that are left out count as not observed. In one order, so that sums have the same bits every time.
  const missing = [...tally.classes.entries()]
    .filter(([value]) => !listed.has(value))
    .sort(([a], [b]) => a - b || (Number.isNaN(a) ? -1 : 1))
    .map(([, slot]) => slot);
  for (let zone = 0; zone < zones; zone++) {
    let observed = 0;
    let observedPixels = 0;
    let best = -1;
    let second = -1;
    zonePixels[zone] = total.pixels(zone);
    zoneArea[zone] = total.area(zone);
    for (const slot of missing) nodataArea[zone]! += slot.sums.area(zone);
    for (let c = 0; c < n; c++) {
      const slot = slots[c];
      const counted = slot === undefined ? 0 : slot.sums.pixels(zone);
      if (slot === undefined || counted === 0) continue;
      pixels[zone * n + c] = counted;
      area[zone * n + c] = slot.sums.area(zone);
      observed += area[zone * n + c]!;
      observedPixels += counted;
      if (best === -1 || before(c, best)) {
        second = best;
        best = c;
      } else if (second === -1 || before(c, second)) second = c;
    }
    const share = best === -1 ? 0 : area[zone * n + best]! / observed;
    if (best !== -1 && share >= minShare) {
      dominant[zone] = best;
      dominantShare[zone] = share;
      if (second !== -1) {
        runnerUp[zone] = second;
        runnerUpShare[zone] = area[zone * n + second]! / observed;
      }
    }
    if (zonePixels[zone]! > 0) {
      // Sums of shares may differ from the sum of all in the last digit.
      const share = nodataArea[zone] === 0 ? 1 : Math.min(1, observedPixels / zonePixels[zone]!);
      nodataShare[zone] = 1 - share;
      coveredShare[zone] = onGrid[zone]! * share;
    }

    function before(a: number, b: number): boolean {
      const left = area[zone * n + a]!;
      const right = area[zone * n + b]!;
      if (left !== right) return left > right;
      if (tie === "first") return slots[a]!.first![zone]! < slots[b]!.first![zone]!;
      return tie === "min" ? classes[a]!.value < classes[b]!.value : classes[a]!.value > classes[b]!.value;
    }
  }
  return {
    label,
    pixels,
    area,
    zonePixels,
    zoneArea,
    nodataArea,
    dominant,
    runnerUp,
    dominantShare,
    runnerUpShare,
    coveredShare,
    nodataShare,
  };
}

/** What is to be said of each zone; `null`: nothing. */
export function notesOf(
  { zonePixels, nodataShare }: ClassAreas,
  geometry: GeometryColumn | null,
  onGrid: Float64Array,
  small: Uint8Array,
  noPixel: string,
): (string | null)[] {
  return Array.from(zonePixels, (count, zone) => {
    if (geometry === null || geometry.types[zone] === NULL_GEOMETRY) return "no geometry";
    if (onGrid[zone] === 0) return "outside the raster";
    if (count === 0) return noPixel;
    if (nodataShare[zone] === 1) return "no data";
    return small[zone] === 1 ? "smaller than a pixel" : null;
  });
}

/** 1 for polygons whose area is less than `pixel`, in the units of the coordinates. */
export function smallerThan(column: GeometryColumn, pixel: number): Uint8Array {
  const { types, geometries, parts, rings, xy } = column;
  return Uint8Array.from(types, (type, row) => {
    if (type === NULL_GEOMETRY || typeDimension(type) !== 2) return 0;
    let area = 0;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const ring = Math.abs(ringArea(xy, rings[r]!, rings[r + 1]!)) / 2;
        area += r === parts[p]! ? ring : -ring;
      }
    }
    return area < pixel ? 1 : 0;
  });
}
