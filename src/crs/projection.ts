import { createRequire } from "node:module";
import { GeoError } from "../model/errors.ts";
import { squaredEccentricity } from "./datum.ts";
import { ellipsoidOf, type ProjWords, parseAngle } from "./proj-string.ts";
import { PROJECTIONS } from "./projections/index.ts";
import {
  adjustLon,
  angleOf,
  HALF_PI,
  numberOf,
  type ProjectionFactory,
  type UnitProjection,
} from "./projections/unit.ts";

/**
 * A map projection on its own ellipsoid. Longitudes and latitudes in radians, longitudes counted from the
 * prime meridian of the system; x and y in metres, false origin included. Arrays are changed in place, a point
 * every `stride` numbers; a point outside the domain becomes a pair of NaN.
 */
export interface Projection {
  forward(xy: Float64Array, stride: number): void;
  inverse(xy: Float64Array, stride: number): void;
}

/** A point that is reused for every vertex. */
export interface ProjectionPoint {
  x: number;
  y: number;
}

/** The projection that a PROJ string names. @throws GeoError `UNSUPPORTED` naming the projection. */
export function makeProjection(words: ProjWords): Projection {
  const expanded = expand(words);
  const name = expanded.get("proj") ?? "";
  const factory = PROJECTIONS[name];
  if (factory !== undefined && Object.hasOwn(PROJECTIONS, name))
    return ownProjection(name, factory, expanded);
  const definition = proj4Definition(expanded);
  const { Proj } = loadProj4();
  let proj: Proj4Projection;
  try {
    proj = new Proj(definition);
  } catch (error) {
    throw unsupportedProjection(name, error);
  }
  return new Proj4Wrapper(proj);
}

/** UTM and UPS are other projections with their parameters filled in. */
function expand(words: ProjWords): ProjWords {
  const name = words.get("proj");
  if (name === "utm") {
    const zone = Number(words.get("zone") ?? Number.NaN);
    const lon = words.get("lon_0");
    const number =
      Number.isNaN(zone) && lon !== undefined ? Math.floor((parseAngle(lon) + 180) / 6) + 1 : zone;
    if (!(Number.isInteger(number) && number >= 1 && number <= 60))
      throw new GeoError("CRS_UNKNOWN", `+zone=${words.get("zone")} is not a UTM zone (1 to 60)`, {
        crs: `+proj=utm +zone=${words.get("zone")}`,
      });
    if (ellipsoidOf(words).rf === 0)
      throw new GeoError("CRS_UNKNOWN", "UTM needs an ellipsoid, not a sphere", { crs: "+proj=utm" });
    return new Map([
      ...words,
      ["lat_0", "0"],
      ["lon_0", String(6 * number - 183)],
      ["k_0", "0.9996"],
      ["x_0", "500000"],
      ["y_0", words.has("south") ? "10000000" : "0"],
    ]);
  }
  // New Zealand's map grid has no parameters of its own.
  if (name === "nzmg") {
    return new Map([
      ["proj", "nzmg"],
      ["lat_0", "-41"],
      ["lon_0", "173"],
      ["x_0", "2510000"],
      ["y_0", "6023150"],
      ["ellps", "intl"],
    ]);
  }
  // As systems of their own these two stand on the sphere with the surface of the ellipsoid.
  if ((name === "mill" || name === "vandg") && !words.has("R_A")) return new Map([...words, ["R_A", ""]]);
  if (name === "ups") {
    if (ellipsoidOf(words).rf === 0)
      throw new GeoError("CRS_UNKNOWN", "UPS needs an ellipsoid, not a sphere", { crs: "+proj=ups" });
    return new Map([
      ...words,
      ["proj", "stere"],
      ["lat_0", words.has("south") ? "-90" : "90"],
      ["lon_0", "0"],
      ["k_0", "0.994"],
      ["x_0", "2000000"],
      ["y_0", "2000000"],
    ]);
  }
  return words;
}

function ownProjection(name: string, factory: ProjectionFactory, words: ProjWords): Projection {
  const { a, rf } = ellipsoidOf(words);
  const es = squaredEccentricity(rf);
  const scale = words.get("k_0") ?? words.get("k");
  const k0 = scale === undefined ? 1 : Number(scale);
  const fail = (reason: string, cause?: unknown): GeoError =>
    new GeoError("CRS_UNKNOWN", `+proj=${name}: ${reason}`, { crs: `+proj=${name}` }, { cause });
  if (!(k0 > 0) || !Number.isFinite(k0)) throw fail(`+k_0=${scale} is not a scale above 0`);
  const lat0 = angleOf(words, "lat_0");
  if (Number.isNaN(lat0) || Math.abs(lat0) > HALF_PI + 1e-10)
    throw fail(`+lat_0=${words.get("lat_0")} is not an angle`);
  let unit: UnitProjection;
  try {
    unit = factory({ words, a, es, e: Math.sqrt(es), lat0, k0 });
  } catch (error) {
    throw error instanceof GeoError
      ? error
      : fail(error instanceof Error ? error.message : String(error), error);
  }
  const lon0 = unit.centralMeridian ?? angleOf(words, "lon_0");
  const x0 = numberOf(words, "x_0", 0);
  const y0 = numberOf(words, "y_0", 0);
  if (Number.isNaN(lon0 + x0 + y0)) throw fail("a parameter is not a number");
  return new UnitWrapper(unit, unit.semiMajor ?? a, a, lon0, x0, y0, words.has("over"));
}

/** Puts central meridian, size and false origin around a projection of the unit ellipsoid. */
class UnitWrapper implements Projection {
  readonly #unit: UnitProjection;
  /** Metres per unit on the way to the map, and back. */
  readonly #a: number;
  readonly #back: number;
  readonly #lon0: number;
  readonly #x0: number;
  readonly #y0: number;
  /** Longitudes beyond 180 degrees stay there. */
  readonly #over: boolean;
  readonly #point: ProjectionPoint = { x: 0, y: 0 };

  constructor(
    unit: UnitProjection,
    a: number,
    back: number,
    lon0: number,
    x0: number,
    y0: number,
    over: boolean,
  ) {
    this.#unit = unit;
    this.#a = a;
    this.#back = back;
    this.#lon0 = lon0;
    this.#x0 = x0;
    this.#y0 = y0;
    this.#over = over;
  }

  forward(xy: Float64Array, stride: number): void {
    const unit = this.#unit;
    const a = this.#a;
    const lon0 = this.#lon0;
    const x0 = this.#x0;
    const y0 = this.#y0;
    const over = this.#over;
    const point = this.#point;
    const end = xy.length - 1;
    for (let i = 0; i < end; i += stride) {
      const lon = xy[i]! - lon0;
      const lat = xy[i + 1]!;
      if (!(Math.abs(lat) <= HALF_PI_AND_A_BIT)) {
        xy[i] = Number.NaN;
        xy[i + 1] = Number.NaN;
        continue;
      }
      point.x = over ? lon : adjustLon(lon);
      point.y = Math.max(-HALF_PI, Math.min(HALF_PI, lat));
      unit.forward(point);
      const x = a * point.x + x0;
      const y = a * point.y + y0;
      const good = Number.isFinite(x) && Number.isFinite(y);
      xy[i] = good ? x : Number.NaN;
      xy[i + 1] = good ? y : Number.NaN;
    }
  }

  inverse(xy: Float64Array, stride: number): void {
    const unit = this.#unit;
    const a = this.#back;
    const lon0 = this.#lon0;
    const x0 = this.#x0;
    const y0 = this.#y0;
    const over = this.#over;
    const point = this.#point;
    const end = xy.length - 1;
    for (let i = 0; i < end; i += stride) {
      point.x = (xy[i]! - x0) / a;
      point.y = (xy[i + 1]! - y0) / a;
      unit.inverse(point);
      const good = Number.isFinite(point.x) && Number.isFinite(point.y);
      const lon = point.x + lon0;
      xy[i] = good ? (over ? lon : adjustLon(lon)) : Number.NaN;
      xy[i + 1] = good ? point.y : Number.NaN;
    }
  }
}

/** The error for a projection that neither proj4 nor this library has. */
export function unsupportedProjection(name: string, cause?: unknown): GeoError<"UNSUPPORTED"> {
  return new GeoError(
    "UNSUPPORTED",
    `the map projection "${name}" is not supported`,
    { feature: `projection ${name}` },
    { cause, hint: "docs/crs.md lists the projections; reproject with another tool first" },
  );
}

class Proj4Wrapper implements Projection {
  readonly #proj: Proj4Projection;
  readonly #point: ProjectionPoint = { x: 0, y: 0 };

  constructor(proj: Proj4Projection) {
    this.#proj = proj;
  }

  forward(xy: Float64Array, stride: number): void {
    const proj = this.#proj;
    const point = this.#point;
    for (let i = 0; i + 1 < xy.length; i += stride) {
      const lat = xy[i + 1]!;
      point.x = xy[i]!;
      point.y = lat;
      store(xy, i, Math.abs(lat) <= HALF_PI_AND_A_BIT ? attempt(() => proj.forward(point)) : null);
    }
  }

  inverse(xy: Float64Array, stride: number): void {
    const proj = this.#proj;
    const point = this.#point;
    for (let i = 0; i + 1 < xy.length; i += stride) {
      point.x = xy[i]!;
      point.y = xy[i + 1]!;
      store(
        xy,
        i,
        attempt(() => proj.inverse(point)),
      );
    }
  }
}

const HALF_PI_AND_A_BIT = Math.PI / 2 + 1e-10;

function attempt(call: () => ProjectionPoint): ProjectionPoint | null {
  try {
    return call() ?? null;
  } catch {
    return null;
  }
}

function store(xy: Float64Array, i: number, point: ProjectionPoint | null): void {
  const good = point !== null && Number.isFinite(point.x) && Number.isFinite(point.y);
  xy[i] = good ? point.x : Number.NaN;
  xy[i + 1] = good ? point.y : Number.NaN;
}

const NOT_FOR_PROJ4: ReadonlySet<string> = new Set(
  "a b rf f es e R ellps datum towgs84 nadgrids units to_meter pm axis no_defs type wktext R_A R_V R_a R_g R_h R_lat_a R_lat_g vunits vto_meter geoidgrids lon_wrap init".split(
    " ",
  ),
);
const ANGLES: ReadonlySet<string> = new Set(
  "lat_0 lat_1 lat_2 lat_3 lat_ts lon_0 lon_1 lon_2 lon_3 lonc alpha gamma azi tilt lat_b o_lat_p o_lon_p o_alpha".split(
    " ",
  ),
);

/** The words that proj4 understands, on an explicit ellipsoid, in metres, from Greenwich, axes east and north. */
function proj4Definition(words: ProjWords): string {
  const { a, rf } = ellipsoidOf(words);
  const parts: string[] = [];
  for (const [key, value] of words) {
    if (NOT_FOR_PROJ4.has(key)) continue;
    if (value === "") parts.push(`+${key}`);
    else parts.push(`+${key}=${ANGLES.has(key) ? parseAngle(value) : value}`);
  }
  // Some of its projections take what is not said for NaN.
  for (const key of ["lat_0", "lon_0", "x_0", "y_0"]) if (!words.has(key)) parts.push(`+${key}=0`);
  parts.push(`+a=${a}`, rf === 0 ? `+b=${a}` : `+rf=${rf}`);
  return parts.join(" ");
}

interface Proj4Projection {
  forward(point: ProjectionPoint): ProjectionPoint;
  inverse(point: ProjectionPoint): ProjectionPoint;
}

interface Proj4Module {
  Proj: new (definition: string) => Proj4Projection;
}

// proj4 takes longer to load than most commands take to run, so it is loaded at the first projection.
let proj4: Proj4Module | null = null;

function loadProj4(): Proj4Module {
  proj4 ??= createRequire(import.meta.url)("proj4") as Proj4Module;
  return proj4;
}
