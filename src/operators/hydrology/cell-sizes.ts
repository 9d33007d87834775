import type { CellSizes } from "../../kernels/hydrology/flow-direction.ts";
import { cellArea, type Surface } from "../../kernels/raster/cell-area.ts";
import { describeCrs, isGeographic } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { Grid } from "../../model/grid.ts";

const SEMI_MAJOR = 6378137;
const FLATTENING = 1 / 298.257223563;

/**
 * Lengths in metres of the cells of each row, along the row and across it: those of the plane for projected systems (units
 * are taken to be metres without a CRS), on WGS 84 along the parallel and the meridian of the row's middle for degrees.
 */
export function cellSizes({ transform, crs, height }: Grid): CellSizes {
  const [a, , , , e, f] = transform;
  const x = new Float64Array(height);
  const y = new Float64Array(height);
  if (crs === null || !isGeographic(crs)) {
    const metres = crs === null || crs.unit.kind !== "length" ? 1 : crs.unit.factor;
    x.fill(Math.abs(a) * metres);
    y.fill(Math.abs(e) * metres);
    return { x, y };
  }
  const degrees = crs.unit.kind === "angle" ? crs.unit.factor : 1;
  const e2 = FLATTENING * (2 - FLATTENING);
  for (let row = 0; row < height; row++) {
    const latitude = ((f + (row + 0.5) * e) * degrees * Math.PI) / 180;
    const w = Math.sqrt(1 - e2 * Math.sin(latitude) ** 2);
    // Radii of curvature in the prime vertical and in the meridian.
    x[row] = Math.abs((a * degrees * Math.PI * SEMI_MAJOR * Math.cos(latitude)) / (180 * w));
    y[row] = Math.abs((e * degrees * Math.PI * SEMI_MAJOR * (1 - e2)) / (180 * w ** 3));
  }
  return { x, y };
}

/**
 * Square metres of a cell of each row.
 *
 * @param surface  Default: the plane for projected systems, the ellipsoid (WGS 84) for degrees.
 */
export function cellAreas({ transform, crs, height }: Grid, surface: Surface | undefined): Float64Array {
  const [a, , , , e, f] = transform;
  const areas = new Float64Array(height);
  const geographic = crs !== null && isGeographic(crs);
  const chosen = surface ?? (geographic ? "ellipsoid" : "plane");
  if (chosen === "plane") {
    const metres = crs === null || crs.unit.kind !== "length" ? 1 : crs.unit.factor;
    return areas.fill(Math.abs(a * e) * metres * metres);
  }
  if (!geographic) {
    throw new GeoError(
      "UNSUPPORTED",
      `areas on the ${chosen} need a raster in degrees, this one is in ${describeCrs(crs)}`,
      { feature: `${chosen} areas of projected rasters` },
      { hint: "Use the plane, preferably of an equal-area projection." },
    );
  }
  const degrees = crs.unit.kind === "angle" ? crs.unit.factor : 1;
  for (let row = 0; row < height; row++)
    areas[row] = cellArea((f + row * e) * degrees, (f + (row + 1) * e) * degrees, a * degrees, chosen);
  return areas;
}
