import { transformer } from "../../crs/transformer.ts";
import { isGeographic, sameCrs } from "../../model/crs.ts";
import { type Affine, type Grid, gridBounds, invertAffine } from "../../model/grid.ts";

/** Where pixels of one grid lie in another. */
export interface GridMapping {
  /** When that is affine: both grids are in one CRS. */
  readonly affine: Affine | null;
  /** Positions in pixels, `x, y` pairs, changed in place; NaN where there is none. */
  readonly map: (xy: Float64Array) => void;
  /** Columns of a source around the globe, when it is in longitudes; else 0. */
  readonly period: number;
}

/**
 * From pixels of `target` to pixels of `source`. Longitudes of the source are counted from its middle, so that it may
 * lie across the antimeridian or count from 0 to 360.
 */
export function mappingToSource(target: Grid, source: Grid): GridMapping {
  const back = invertAffine(source.transform);
  const turn = turnOf(source);
  const period = turn === 0 ? 0 : turn / Math.hypot(source.transform[0], source.transform[3]);
  const same = target.crs === null || source.crs === null || sameCrs(target.crs, source.crs);
  const [minX, , maxX] = gridBounds(source);
  const middle = (minX + maxX) / 2;
  const [targetMinX, , targetMaxX] = gridBounds(target);
  // The other grid may count its longitudes from another meridian.
  const sameTurn =
    turn === 0 || (Math.abs(targetMinX - middle) <= turn / 2 && Math.abs(targetMaxX - middle) <= turn / 2);
  if (same && sameTurn) {
    const affine = compose(back, target.transform);
    return { affine, map: (xy) => applyAffine(affine, xy), period };
  }
  const move = same ? (): void => undefined : transformer(target.crs!, source.crs!);
  return {
    affine: null,
    period,
    map(xy) {
      applyAffine(target.transform, xy);
      move(xy);
      if (turn > 0) {
        for (let i = 0; i < xy.length; i += 2) xy[i] = xy[i]! - turn * Math.round((xy[i]! - middle) / turn);
      }
      applyAffine(back, xy);
    },
  };
}

/** 360 degrees in the unit of a grid in longitudes; 0 for others. */
export function turnOf({ crs }: Grid): number {
  return crs !== null && isGeographic(crs) && crs.unit.kind === "angle" ? 360 / crs.unit.factor : 0;
}

function applyAffine([a, b, c, d, e, f]: Affine, xy: Float64Array): void {
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    xy[i] = a * x + b * y + c;
    xy[i + 1] = d * x + e * y + f;
  }
}

/** The affine that does `second` first and then `first`. */
function compose(first: Affine, second: Affine): Affine {
  const [a, b, c, d, e, f] = first;
  const [A, B, C, D, E, F] = second;
  return [a * A + b * D, a * B + b * E, a * C + b * F + c, d * A + e * D, d * B + e * E, d * C + e * F + f];
}
