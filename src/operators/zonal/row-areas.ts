import { cellArea } from "../../kernels/raster/cell-area.ts";
import { describeCrs, isGeographic } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import { type Grid, isAxisAligned } from "../../model/grid.ts";

/** Where the areas of pixels are measured: in the plane of the projection, on WGS 84, or on Earth Engine's sphere. */
export type AreaSurface = "plane" | "geodesic" | "sphere";

/** Area in square metres of a pixel of each row, and the largest of them. */
export interface RowAreas {
  readonly rows: Float64Array;
  readonly largest: number;
  /** The same for every row. */
  readonly equal: boolean;
}

/**
 * @param warnings  Takes what the caller must know about the unit.
 * @throws GeoError `UNSUPPORTED` for areas on the globe of projected or rotated rasters.
 */
export function rowAreas(grid: Grid, surface: AreaSurface | undefined, warnings: Set<string>): RowAreas {
  const { transform, height, crs } = grid;
  const [a, b, , d, e, f] = transform;
  const geographic = isGeographic(crs);
  const chosen = surface ?? (geographic ? "geodesic" : "plane");
  const rows = new Float64Array(height);
  if (chosen === "plane") {
    if (crs === null) warnings.add("the raster has no CRS: its unit is taken to be the metre");
    if (geographic)
      warnings.add("areas in the plane of a raster in degrees are square degrees, not square metres");
    const metres = crs === null || geographic ? 1 : crs.unit.factor;
    rows.fill(Math.abs(a * e - b * d) * metres * metres);
    return { rows, largest: rows[0]!, equal: true };
  }
  if (!geographic) {
    throw new GeoError(
      "UNSUPPORTED",
      `${chosen} areas need a raster in degrees, this one is in ${describeCrs(crs)}`,
      { feature: `${chosen} areas of projected rasters` },
      { hint: "Use the plane, preferably of an equal-area projection." },
    );
  }
  if (!isAxisAligned(transform)) {
    throw new GeoError("UNSUPPORTED", "areas of a rotated raster in degrees cannot be computed", {
      feature: "areas of rotated geographic rasters",
    });
  }
  const degrees = crs!.unit.kind === "angle" ? crs!.unit.factor : 1;
  const globe = chosen === "geodesic" ? "ellipsoid" : "sphere";
  let largest = 0;
  for (let row = 0; row < height; row++) {
    const area = cellArea((f + row * e) * degrees, (f + (row + 1) * e) * degrees, a * degrees, globe);
    rows[row] = area;
    if (area > largest) largest = area;
  }
  return { rows, largest, equal: false };
}
