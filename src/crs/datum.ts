import { gridShift } from "./grids.ts";
import type { EllipsoidShape } from "./proj-string.ts";
import { PROJ_ELLIPSOIDS } from "./proj-string.ts";
import { findLine } from "./table.ts";

/** A box of longitude and latitude in degrees; west > east crosses the antimeridian. */
export type DegreeBox = readonly [west: number, south: number, east: number, north: number];

/** One step of a datum shift. Rotations in arc seconds (position vector), scale in parts per million. */
export type ShiftStep =
  | { readonly kind: "to-geocentric" | "from-geocentric"; readonly a: number; readonly es: number }
  | { readonly kind: "helmert"; readonly inverse: boolean; readonly values: readonly number[] }
  | { readonly kind: "offset"; readonly inverse: boolean; readonly lon: number; readonly lat: number }
  | { readonly kind: "grid"; readonly inverse: boolean; readonly grid: string }
  | { readonly kind: "drop-height" };

/** A way from one datum to WGS 84, as PROJ's database has it. */
export interface DatumOperation {
  readonly name: string;
  /** In metres; `null` when the source of the operation does not say. */
  readonly accuracy: number | null;
  readonly area: DegreeBox;
  /** Small offshore areas never replace an operation that is as good. */
  readonly offshore: boolean;
  /** Grid files the operation needs. */
  readonly grids: readonly string[];
  /** False when the table cannot say what to do with the grids. */
  readonly computable: boolean;
  readonly steps: readonly ShiftStep[];
}

/** The operations from a geodetic system to WGS 84, best first, by the key in its record. */
export function datumOperations(key: string): readonly DatumOperation[] {
  const line = key === "" ? null : findLine(`O${key}`);
  if (line === null) return [];
  return line[1]!.split("|").map((text) => {
    const [accuracy = "", area = "", flags = "", steps = "", name = ""] = text.split("~");
    const [west, south, east, north] = area.split(",").map(Number);
    const tokens = steps === "" ? [] : steps.split(";");
    const computable = !tokens.some((token) => token.startsWith("?"));
    return {
      name,
      accuracy: accuracy === "" ? null : Number(accuracy),
      area: [west!, south!, east!, north!],
      offshore: flags.includes("o"),
      grids: tokens.filter((token) => /^[gG?]/.test(token)).map((token) => token.slice(1)),
      computable,
      steps: computable ? tokens.map(parseStep) : [],
    };
  });
}

function parseStep(token: string): ShiftStep {
  const rest = token.slice(1);
  switch (token[0]) {
    case "c":
    case "u": {
      const { a, rf } = ellipsoid(rest);
      return { kind: token[0] === "c" ? "to-geocentric" : "from-geocentric", a, es: squaredEccentricity(rf) };
    }
    case "h":
    case "H":
    case "m":
    case "M":
      return {
        kind: "helmert",
        inverse: token[0] === "H" || token[0] === "M",
        values: rest.split(",").map(Number),
      };
    case "g":
    case "G":
      return { kind: "grid", inverse: token[0] === "G", grid: rest };
    case "o":
    case "O": {
      const [lat, lon] = rest.split(",").map(Number);
      return { kind: "offset", inverse: token[0] === "O", lon: lon!, lat: lat! };
    }
    default:
      return { kind: "drop-height" };
  }
}

function ellipsoid(text: string): EllipsoidShape {
  const named = PROJ_ELLIPSOIDS[text];
  if (named !== undefined) return named;
  const [a, second] = text.split(",");
  if (second?.startsWith("b")) {
    const b = Number(second.slice(1));
    return { a: Number(a), rf: b === Number(a) ? 0 : Number(a) / (Number(a) - b) };
  }
  return { a: Number(a), rf: Number(second) };
}

/** Square of the first eccentricity from the inverse flattening. */
export function squaredEccentricity(rf: number): number {
  if (rf === 0) return 0;
  const f = 1 / rf;
  return f * (2 - f);
}

/** Steps of a shift by 3 or 7 parameters (`+towgs84`, position vector) from an ellipsoid to WGS 84. */
export function helmertSteps(from: EllipsoidShape, values: readonly number[]): ShiftStep[] {
  const wgs84 = PROJ_ELLIPSOIDS["WGS84"]!;
  if (values.every((value) => value === 0) && from.a === wgs84.a && Math.abs(from.rf - wgs84.rf) < 1e-4)
    return [];
  return [
    { kind: "to-geocentric", a: from.a, es: squaredEccentricity(from.rf) },
    { kind: "helmert", inverse: false, values },
    { kind: "from-geocentric", a: wgs84.a, es: squaredEccentricity(wgs84.rf) },
    { kind: "drop-height" },
  ];
}

/** The steps that undo `steps`. */
export function inverseSteps(steps: readonly ShiftStep[]): ShiftStep[] {
  const forward = steps.filter((step) => step.kind !== "drop-height");
  const undone: ShiftStep[] = [];
  for (const step of forward.reverse()) {
    switch (step.kind) {
      case "to-geocentric":
        undone.push({ ...step, kind: "from-geocentric" }, { kind: "drop-height" });
        break;
      case "from-geocentric":
        undone.push({ ...step, kind: "to-geocentric" });
        break;
      default:
        undone.push({ ...step, inverse: !step.inverse });
    }
  }
  return undone;
}

/**
 * Moves points through steps, in place. Longitudes and latitudes in radians on the way in and out, heights 0.
 * `chosen[i]` says which points move: those where it equals `choice`; all of them when it is `null`.
 */
export function applySteps(
  steps: readonly ShiftStep[],
  lonLat: Float64Array,
  stride: number,
  chosen: Int16Array | null,
  choice: number,
): void {
  if (steps.length === 0) return;
  const compiled = steps.map(compile);
  const point = { x: 0, y: 0, z: 0 };
  for (let i = 0, k = 0; i + 1 < lonLat.length; i += stride, k++) {
    if (chosen !== null && chosen[k] !== choice) continue;
    point.x = lonLat[i]!;
    point.y = lonLat[i + 1]!;
    point.z = 0;
    for (let s = 0; s < compiled.length; s++) compiled[s]!(point);
    lonLat[i] = point.x;
    lonLat[i + 1] = point.y;
  }
}

interface Point3 {
  x: number;
  y: number;
  z: number;
}

function compile(step: ShiftStep): (p: Point3) => void {
  switch (step.kind) {
    case "to-geocentric":
      return toGeocentric(step.a, step.es);
    case "from-geocentric":
      return fromGeocentric(step.a, step.es);
    case "helmert":
      return helmert(step.values, step.inverse);
    case "grid":
      return gridShift(step.grid, step.inverse);
    case "offset": {
      const sign = step.inverse ? -1 : 1;
      const lon = sign * step.lon * ARC_SECOND;
      const lat = sign * step.lat * ARC_SECOND;
      return (p) => {
        p.x += lon;
        p.y += lat;
      };
    }
    case "drop-height":
      return (p) => {
        p.z = 0;
      };
  }
}

const ARC_SECOND = Math.PI / 648000;

/** Longitude, latitude (radians) and height to geocentric X, Y, Z in metres. */
function toGeocentric(a: number, es: number): (p: Point3) => void {
  return (p) => {
    const sinLat = Math.sin(p.y);
    const cosLat = Math.cos(p.y);
    const normal = a / Math.sqrt(1 - es * sinLat * sinLat);
    const lon = p.x;
    const h = p.z;
    p.x = (normal + h) * cosLat * Math.cos(lon);
    p.y = (normal + h) * cosLat * Math.sin(lon);
    p.z = (normal * (1 - es) + h) * sinLat;
  };
}

/** The other way, by Bowring's formula (1976), which is good to a micrometre near the surface. */
function fromGeocentric(a: number, es: number): (p: Point3) => void {
  const b = a * Math.sqrt(1 - es);
  const e2s = es / (1 - es);
  return (p) => {
    const axial = Math.hypot(p.x, p.y);
    const yTheta = p.z * a;
    const xTheta = axial * b;
    const norm = Math.hypot(yTheta, xTheta);
    const c = norm === 0 ? 1 : xTheta / norm;
    const s = norm === 0 ? 0 : yTheta / norm;
    const yPhi = p.z + e2s * b * s * s * s;
    const xPhi = axial - es * a * c * c * c;
    const lon = Math.atan2(p.y, p.x);
    const pole = xPhi <= 0;
    const lat = pole ? (p.z >= 0 ? Math.PI / 2 : -Math.PI / 2) : Math.atan(yPhi / xPhi);
    const sinLat = Math.sin(lat);
    const cosLat = pole ? 0 : Math.cos(lat);
    if (cosLat < 1e-6) p.z = Math.abs(p.z) - b;
    else p.z = axial / cosLat - a / Math.sqrt(1 - es * sinLat * sinLat);
    p.x = lon;
    p.y = lat;
  };
}

/**
 * Helmert transformation with 3, 7 or (Molodensky-Badekas) 10 parameters, small-angle rotation matrix; the
 * inverse uses the transpose, as PROJ does.
 */
function helmert(values: readonly number[], inverse: boolean): (p: Point3) => void {
  const [tx = 0, ty = 0, tz = 0, ax = 0, ay = 0, az = 0, ppm = 0, px = 0, py = 0, pz = 0] = values;
  const rx = ax * ARC_SECOND;
  const ry = ay * ARC_SECOND;
  const rz = az * ARC_SECOND;
  const scale = 1 + ppm * 1e-6;
  if (!inverse) {
    return (p) => {
      const x = p.x - px;
      const y = p.y - py;
      const z = p.z - pz;
      p.x = scale * (x - rz * y + ry * z) + tx + px;
      p.y = scale * (rz * x + y - rx * z) + ty + py;
      p.z = scale * (-ry * x + rx * y + z) + tz + pz;
    };
  }
  return (p) => {
    const x = (p.x - tx - px) / scale;
    const y = (p.y - ty - py) / scale;
    const z = (p.z - tz - pz) / scale;
    p.x = x + rz * y - ry * z + px;
    p.y = -rz * x + y + rx * z + py;
    p.z = ry * x - rx * y + z + pz;
  };
}

/** Whether a box holds a point, degrees. */
export function boxHolds(box: DegreeBox, lon: number, lat: number): boolean {
  const [west, south, east, north] = box;
  if (lat < south || lat > north) return false;
  return west <= east ? lon >= west && lon <= east : lon >= west || lon <= east;
}

/** Whether `outer` holds all of `inner`. */
export function boxContains(outer: DegreeBox, inner: DegreeBox): boolean {
  if (inner[1] < outer[1] || inner[3] > outer[3]) return false;
  if (outer[0] === -180 && outer[2] === 180) return true;
  return spans(inner).every(([w, e]) => spans(outer).some(([W, E]) => w >= W && e <= E));
}

/** Whether two boxes share more than an edge. */
export function boxesMeet(a: DegreeBox, b: DegreeBox): boolean {
  if (a[3] < b[1] || b[3] < a[1]) return false;
  return spans(a).some(([w, e]) => spans(b).some(([W, E]) => w <= E && W <= e));
}

/** Size of a box for comparing, square degrees weighted by the sine of the latitude. */
export function boxSize(box: DegreeBox): number {
  const width = box[0] <= box[2] ? box[2] - box[0] : box[2] - box[0] + 360;
  return width * (Math.sin((box[3] * Math.PI) / 180) - Math.sin((box[1] * Math.PI) / 180));
}

function spans([west, , east]: DegreeBox): [number, number][] {
  return west <= east
    ? [[west, east]]
    : [
        [west, 180],
        [-180, east],
      ];
}
