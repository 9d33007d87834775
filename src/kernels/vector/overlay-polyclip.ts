import { difference, intersection, union, xor } from "polyclip-ts";
import type { Rings } from "./near-part.ts";

/** What came of an overlay. */
export interface Overlay {
  /** Disjoint polygons, shell first, rings closed; none when nothing is left. */
  readonly polygons: readonly Rings[];
  /** 0: coordinates as given; more: inputs were rounded to ever coarser grids first, see {@link GRIDS}. */
  readonly rung: number;
}

/**
 * Grids that inputs are rounded to when an overlay of the coordinates as given fails, as powers of two of the
 * extent: 2^-46 is a hundredth of a micrometre in a district.
 */
const GRIDS = [-46, -40, -34, -28] as const;

const OPERATIONS = { intersection, union, difference, xor };

/**
 * Boolean operation on polygons; several on one side count as their union. The work is done by polyclip-ts.
 * It fails on rare inputs, then grids of {@link GRIDS} are tried in turn. `null` when all fail.
 */
export function overlay(
  operation: "intersection" | "union" | "difference" | "xor",
  left: readonly Rings[],
  right: readonly Rings[],
): Overlay | null {
  if (left.length === 0)
    return { polygons: operation === "union" || operation === "xor" ? right : [], rung: 0 };
  if (right.length === 0) return { polygons: operation === "intersection" ? [] : left, rung: 0 };
  return climb([left, right], 0, ([a, b]) => OPERATIONS[operation](a!, b!));
}

/**
 * Polygons rebuilt so that they are valid. Each ring stands for the area that it winds around; the rings of a polygon
 * combine by the even-odd rule, so holes are taken out and what of a hole lies outside its shell becomes a part of
 * its own, as GEOS's linework method does; the polygons are then united. `null` on failure.
 *
 * @param from  Rung of the ladder to start at.
 */
export function rebuild(polygons: readonly Rings[], from: number = 0): Overlay | null {
  // Rings are combined one by one: symmetric difference is the even-odd rule.
  return climb([polygons], from, ([given]) => {
    let sum: Rings[] = [];
    for (const rings of given!) {
      let polygon: Rings[] = [];
      for (const ring of rings) {
        if (ring.length < 4) continue;
        const one = union([ring]) as Rings[];
        polygon = polygon.length === 0 ? one : (xor(polygon, one) as Rings[]);
      }
      sum = sum.length === 0 ? polygon : (union(sum, polygon) as Rings[]);
    }
    return sum;
  });
}

function climb(
  inputs: readonly (readonly Rings[])[],
  from: number,
  run: (inputs: Rings[][]) => unknown,
): Overlay | null {
  let size = 0;
  for (const polygons of inputs)
    for (const rings of polygons)
      for (const ring of rings) for (const [x, y] of ring) size = Math.max(size, Math.abs(x), Math.abs(y));
  for (let rung = from; rung <= GRIDS.length; rung++) {
    const grid = rung === 0 ? 0 : 2 ** (Math.ceil(Math.log2(size || 1)) + GRIDS[rung - 1]!);
    const given = inputs.map((polygons) =>
      grid === 0 ? polygons.slice() : polygons.map((p) => snapped(p, grid)),
    );
    try {
      return { polygons: run(given) as Rings[], rung };
    } catch {
      // The next grid.
    }
  }
  return null;
}

function snapped(rings: Rings, grid: number): Rings {
  return rings.map((ring) =>
    ring.map(([x, y]) => [Math.round(x / grid) * grid, Math.round(y / grid) * grid]),
  );
}
