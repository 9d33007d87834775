import { createRequire } from "node:module";
import { GeoError } from "../model/errors.ts";
import { ellipsoidOf, type ProjWords, parseAngle } from "./proj-string.ts";

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
  const name = words.get("proj") ?? "";
  const definition = proj4Definition(words);
  const { Proj } = loadProj4();
  let proj: Proj4Projection;
  try {
    proj = new Proj(definition);
  } catch (error) {
    throw unsupportedProjection(name, error);
  }
  return new Proj4Wrapper(proj);
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
