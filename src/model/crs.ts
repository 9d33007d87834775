/**
 * A coordinate reference system as every layer above sees it. Made by `crs/parse.ts` from a code, a
 * name, WKT, PROJJSON, a PROJ string or GeoTIFF keys.
 *
 * Inside the library coordinates are always x/y: easting or longitude first, whatever order the
 * authority gives its axes. `axisOrder` only tells edges that must speak the authority's order.
 */
export interface Crs {
  /** Authority code such as `"EPSG:32643"`, `"OGC:CRS84"`, `"ESRI:54009"`; `null` for a custom system. */
  readonly code: string | null;
  readonly name: string;
  readonly kind:
    | "geographic"
    | "projected"
    | "geocentric"
    | "vertical"
    | "compound"
    | "engineering"
    | "unknown";
  /** PROJ string for the maths, x/y order; `null` when the system has no formula we know. */
  readonly proj4: string | null;
  /** Text the system was defined by, when it was not a code: WKT 1, WKT 2, PROJJSON or PROJ string. */
  readonly definition: string | null;
  /** Horizontal unit. `factor` is metres per unit for lengths, degrees per unit for angles. */
  readonly unit: { readonly name: string; readonly kind: "length" | "angle"; readonly factor: number };
  /** Order in which the authority lists the axes. */
  readonly axisOrder: "xy" | "yx";
  /** `[west, south, east, north]` in degrees; `west > east` crosses the antimeridian; `null` unknown. */
  readonly area: readonly [west: number, south: number, east: number, north: number] | null;
}

/** Words for a message: code and name, or what there is. */
export function describeCrs(crs: Crs | null): string {
  if (crs === null) return "no CRS";
  if (crs.code === null) return crs.name === "" ? "a custom CRS" : `"${crs.name}"`;
  return crs.name === "" || crs.name === crs.code ? crs.code : `${crs.code} (${crs.name})`;
}

/**
 * Whether two systems are the same for x/y work: same code, or the same PROJ string. OGC:CRS84 and
 * EPSG:4326 are the same here, because axes are always x/y inside. Two unknown systems (`null`) are the same.
 */
export function sameCrs(left: Crs | null, right: Crs | null): boolean {
  if (left === null || right === null) return left === right;
  if (left === right) return true;
  if (left.code !== null && right.code !== null && xyCode(left.code) === xyCode(right.code)) return true;
  return left.proj4 !== null && right.proj4 !== null && normalProj4(left.proj4) === normalProj4(right.proj4);
}

/** Whether coordinates are angles (longitude and latitude). */
export function isGeographic(crs: Crs | null): boolean {
  return (
    crs !== null && (crs.kind === "geographic" || (crs.kind === "compound" && crs.unit.kind === "angle"))
  );
}

function xyCode(code: string): string {
  return code === "OGC:CRS84" || code === "OGC:CRS84H" ? "EPSG:4326" : code;
}

function normalProj4(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "+no_defs" && word !== "+type=crs" && word !== "+wktext")
    .sort()
    .join(" ");
}
