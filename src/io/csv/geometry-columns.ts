/** Where the geometry of a table is. Numbers are positions of columns. */
export type GeometryColumns =
  | { readonly kind: "wkt"; readonly column: number }
  | { readonly kind: "xy"; readonly x: number; readonly y: number; readonly geographic: boolean }
  | { readonly kind: "none" };

const WKT_NAMES = [
  "wkt",
  "geom",
  "geometry",
  "the_geom",
  "wkt_geom",
  "geom_wkt",
  "geometry_wkt",
  "_wkt",
  "shape",
];

const LONGITUDES = [
  "lon",
  "longitude",
  "long",
  "lng",
  "lon_dd",
  "decimallongitude",
  "decimal_longitude",
  "longitud",
];
const LATITUDES = ["lat", "latitude", "lat_dd", "decimallatitude", "decimal_latitude", "latitud"];

const PLANAR = [
  ["x", "y"],
  ["xcoord", "ycoord"],
  ["x_coord", "y_coord"],
  ["coord_x", "coord_y"],
  ["point_x", "point_y"],
  ["easting", "northing"],
] as const;

/** Columns that may hold well-known text, the likeliest first. */
export function wktColumns(names: readonly string[]): number[] {
  const lower = names.map((name) => name.trim().toLowerCase());
  return WKT_NAMES.flatMap((wanted) => {
    const found = lower.indexOf(wanted);
    return found < 0 ? [] : [found];
  });
}

/** A pair of columns that hold coordinates, by their names in any case; `null` when there is none. */
export function coordinateColumns(
  names: readonly string[],
): { readonly x: number; readonly y: number; readonly geographic: boolean } | null {
  const lower = names.map((name) => name.trim().toLowerCase());
  const first = (wanted: readonly string[]): number => {
    for (const name of wanted) if (lower.includes(name)) return lower.indexOf(name);
    return -1;
  };
  const longitude = first(LONGITUDES);
  const latitude = first(LATITUDES);
  if (longitude >= 0 && latitude >= 0) return { x: longitude, y: latitude, geographic: true };
  for (const [xName, yName] of PLANAR) {
    const x = lower.indexOf(xName);
    const y = lower.indexOf(yName);
    if (x >= 0 && y >= 0) return { x, y, geographic: false };
  }
  return null;
}
