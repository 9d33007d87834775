import { cellArea, type Surface, splitNumbers } from "../../kernels/raster/cell-area.ts";
import type { RowAreas } from "../../kernels/zonal/class-counts.ts";
import { describeCrs, isGeographic } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import { type Grid, isAxisAligned } from "../../model/grid.ts";

/** Square metres of the pixels of a grid. */
export interface PixelAreas {
  /** When all pixels have one area; else 0. */
  readonly each: number;
  /** When it changes from row to row; else `null`. */
  readonly rows: RowAreas | null;
}

/**
 * Areas of the pixels of a grid, in the plane or on the earth. Says in `warnings` when they are not square metres.
 * @throws GeoError `UNSUPPORTED` for areas on the earth of a raster that is not in degrees, or is turned
 */
export function pixelAreas(grid: Grid, surface: Surface | undefined, warnings: Set<string>): PixelAreas {
  const { transform, height, crs } = grid;
  const [a, b, , d, e, f] = transform;
  const geographic = isGeographic(crs);
  const chosen = surface ?? (geographic ? "ellipsoid" : "plane");
  if (chosen === "plane") {
    if (crs === null) warnings.add("the raster has no CRS: its unit is taken to be the metre");
    if (geographic)
      warnings.add("areas in the plane of a raster in degrees are square degrees, not square metres");
    const metres = crs === null || geographic ? 1 : crs.unit.factor;
    return { each: Math.abs(a * e - b * d) * metres * metres, rows: null };
  }
  if (!geographic) {
    throw new GeoError(
      "UNSUPPORTED",
      `areas on the ${chosen} need a raster in degrees, this one is in ${describeCrs(crs)}`,
      { feature: `${chosen} areas of projected rasters` },
      { hint: "Use the plane, preferably of an equal-area projection." },
    );
  }
  if (!isAxisAligned(transform)) {
    throw new GeoError(
      "UNSUPPORTED",
      "areas of a rotated raster in degrees cannot be computed",
      { feature: "areas of rotated geographic rasters" },
      { hint: "Warp it to a grid along meridians and parallels first, or to an equal-area projection." },
    );
  }
  const degrees = crs!.unit.kind === "angle" ? crs!.unit.factor : 1;
  const values = new Float64Array(height);
  let largest = 0;
  for (let row = 0; row < height; row++) {
    const area = cellArea((f + row * e) * degrees, (f + (row + 1) * e) * degrees, a * degrees, chosen);
    values[row] = area;
    if (area > largest) largest = area;
  }
  return {
    each: 0,
    rows: { ...splitNumbers(values, largest), unit: 2 ** (Math.ceil(Math.log2(largest || 1)) - 26) },
  };
}
