import { type Crs, describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import {
  applySteps,
  boxContains,
  boxesMeet,
  boxHolds,
  boxSize,
  type DatumOperation,
  type DegreeBox,
  inverseSteps,
  type ShiftStep,
} from "./datum.ts";
import { hasGrid } from "./grids.ts";
import { parseCrs } from "./parse.ts";
import { makeProjection, type Projection } from "./projection.ts";
import { type ResolvedCrs, resolveCrs } from "./resolve.ts";

/**
 * Moves coordinates in place: `xy[i]`, `xy[i + 1]` for every `stride`-th `i` (default 2); what lies between is
 * left alone. A point that cannot be moved (outside the domain of a projection, not a number) becomes a pair
 * of NaN; it never stops the others.
 */
export type CoordinateTransform = (xy: Float64Array, stride?: number) => void;

export interface TransformOptions {
  /**
   * What to do when the best datum shift needs a grid file that is not there: `"warn"` (default) uses the best
   * one without a grid and {@link describeTransform} says so; `"error"` throws; `"ignore"` says nothing.
   */
  readonly onMissingGrid?: "error" | "warn" | "ignore";
}

/** What a transformation does and how good it is. */
export interface TransformDescription {
  /** Names of the datum shifts in order, best candidates first; `"none"` when the datums are the same. */
  readonly operation: string;
  /** Accuracy of the shift in metres as its source states it, the worst of its parts; `null` when nobody knows. */
  readonly accuracyMetres: number | null;
  /** Grid files that a more accurate shift would need; empty when this is the best there is. */
  readonly needsGrid: readonly string[];
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/**
 * A transformation between two systems, in x/y order on both sides whatever their authorities say: longitude
 * or easting first. Systems may be given as {@link parseCrs} reads them.
 *
 * Between datums it takes, for each point, the operation of PROJ's database that covers the point with the best
 * accuracy and needs no grid; where none covers it, longitude and latitude stay as they are.
 *
 * @throws GeoError `CRS_UNKNOWN`, `UNSUPPORTED` (a projection that is not there, a geocentric system),
 * `CRS_GRID_REQUIRED` when `onMissingGrid` is `"error"`.
 */
export function transformer(
  from: string | Crs,
  to: string | Crs,
  options: TransformOptions = {},
): CoordinateTransform {
  const left = typeof from === "string" ? parseCrs(from) : from;
  const right = typeof to === "string" ? parseCrs(to) : to;
  if (sameCrs(left, right)) return () => undefined;
  const source = resolveCrs(left);
  const target = resolveCrs(right);
  const shift = planShift(source, target);
  if (options.onMissingGrid === "error" && shift.needsGrid.length > 0) {
    throw new GeoError(
      "CRS_GRID_REQUIRED",
      `${describeCrs(left)} to ${describeCrs(right)} needs the grid ${shift.needsGrid.join(" or ")}`,
      { source: describeCrs(left), target: describeCrs(right), grids: shift.needsGrid },
      {
        hint: 'allow the less accurate shift with onMissingGrid: "warn", or transform with a tool that has the grid',
      },
    );
  }
  const decode = decoder(source);
  const encode = encoder(target);
  const { stages } = shift;
  return (xy, stride = 2) => {
    if (!(stride >= 2)) throw new RangeError(`stride ${stride} is less than 2`);
    decode(xy, stride);
    for (const stage of stages) stage(xy, stride);
    encode(xy, stride);
  };
}

/** What {@link transformer} would do between two systems, without doing it. */
export function describeTransform(from: string | Crs, to: string | Crs): TransformDescription {
  const left = typeof from === "string" ? parseCrs(from) : from;
  const right = typeof to === "string" ? parseCrs(to) : to;
  if (sameCrs(left, right)) return { operation: "none", accuracyMetres: 0, needsGrid: [], warnings: [] };
  const { operation, accuracyMetres, needsGrid, warnings } = planShift(resolveCrs(left), resolveCrs(right));
  return { operation, accuracyMetres, needsGrid, warnings };
}

type Pass = (xy: Float64Array, stride: number) => void;

const DEGREE = Math.PI / 180;

/** From coordinates of a system to longitude (from Greenwich) and latitude in radians on its datum. */
function decoder(system: ResolvedCrs): Pass {
  const { axis, factor, primeMeridian, geographic } = system;
  const fix = axisPass(axis, true);
  const meridian = primeMeridian * DEGREE;
  if (geographic) {
    const scale = factor * DEGREE;
    return (xy, stride) => {
      fix?.(xy, stride);
      for (let i = 0; i + 1 < xy.length; i += stride) {
        xy[i] = xy[i]! * scale + meridian;
        xy[i + 1] = xy[i + 1]! * scale;
      }
    };
  }
  const projection = makeProjection(system.words);
  return (xy, stride) => {
    fix?.(xy, stride);
    if (factor !== 1) scalePairs(xy, stride, factor);
    projection.inverse(xy, stride);
    if (meridian !== 0) for (let i = 0; i + 1 < xy.length; i += stride) xy[i] = xy[i]! + meridian;
  };
}

function encoder(system: ResolvedCrs): Pass {
  const { axis, factor, primeMeridian, geographic } = system;
  const fix = axisPass(axis, false);
  const meridian = primeMeridian * DEGREE;
  if (geographic) {
    const scale = factor * DEGREE;
    const middle = system.words.get("lon_wrap");
    const wrapAround = middle === undefined ? Number.NaN : Number(middle) / factor;
    const turn = 360 / factor;
    return (xy, stride) => {
      for (let i = 0; i + 1 < xy.length; i += stride) {
        const lat = xy[i + 1]!;
        const good = Math.abs(lat) <= Math.PI / 2 + 1e-12;
        let lon = (xy[i]! - meridian) / scale;
        if (!Number.isNaN(wrapAround)) lon -= turn * Math.floor((lon - wrapAround + turn / 2) / turn);
        xy[i] = good ? lon : Number.NaN;
        xy[i + 1] = good ? lat / scale : Number.NaN;
      }
      fix?.(xy, stride);
    };
  }
  const projection: Projection = makeProjection(system.words);
  return (xy, stride) => {
    if (meridian !== 0) for (let i = 0; i + 1 < xy.length; i += stride) xy[i] = xy[i]! - meridian;
    projection.forward(xy, stride);
    if (factor !== 1) scalePairs(xy, stride, 1 / factor);
    fix?.(xy, stride);
  };
}

function scalePairs(xy: Float64Array, stride: number, factor: number): void {
  for (let i = 0; i + 1 < xy.length; i += stride) {
    xy[i] = xy[i]! * factor;
    xy[i + 1] = xy[i + 1]! * factor;
  }
}

/** Turns `+axis` other than east, north into a pass, `toEastNorth` or back. */
function axisPass(axis: string, toEastNorth: boolean): Pass | null {
  const first = axis[0] ?? "e";
  const second = axis[1] ?? "n";
  if (first === "e" && second === "n") return null;
  const swap = first === "n" || first === "s";
  const signFirst = first === "w" || first === "s" ? -1 : 1;
  const signSecond = second === "w" || second === "s" ? -1 : 1;
  return (xy, stride) => {
    for (let i = 0; i + 1 < xy.length; i += stride) {
      if (toEastNorth) {
        const a = xy[i]! * signFirst;
        const b = xy[i + 1]! * signSecond;
        xy[i] = swap ? b : a;
        xy[i + 1] = swap ? a : b;
      } else {
        const a = swap ? xy[i + 1]! : xy[i]!;
        const b = swap ? xy[i]! : xy[i + 1]!;
        xy[i] = a * signFirst;
        xy[i + 1] = b * signSecond;
      }
    }
  };
}

interface ShiftPlan extends TransformDescription {
  readonly stages: readonly Pass[];
}

/** Chooses the datum shifts between two systems. Every shift goes through WGS 84. */
function planShift(source: ResolvedCrs, target: ResolvedCrs): ShiftPlan {
  if (source.datum.identity === target.datum.identity)
    return { stages: [], operation: "none", accuracyMetres: 0, needsGrid: [], warnings: [] };
  const area = interest(source, target);
  const legs: Leg[] = [];
  if (!source.datum.isWgs84) legs.push(planLeg(source, area, false));
  if (!target.datum.isWgs84) legs.push(planLeg(target, area, true));
  const names = legs.map((leg) => leg.operation);
  const unknown = legs.some((leg) => leg.accuracy === null);
  return {
    stages: legs.flatMap((leg) => leg.stage ?? []),
    operation: names.join(" + "),
    accuracyMetres: unknown ? null : Math.max(...legs.map((leg) => leg.accuracy ?? 0)),
    needsGrid: legs.flatMap((leg) => leg.needsGrid),
    warnings: legs.flatMap((leg) => leg.warnings),
  };
}

/** The area a transformation is for: the smaller of the two areas of use, as PROJ has it. */
function interest(source: ResolvedCrs, target: ResolvedCrs): DegreeBox | null {
  const a = source.crs.area;
  const b = target.crs.area;
  if (a === null || b === null) return a ?? b;
  return boxSize(a) <= boxSize(b) ? a : b;
}

interface Leg {
  readonly stage: Pass | null;
  readonly operation: string;
  readonly accuracy: number | null;
  readonly needsGrid: readonly string[];
  readonly warnings: readonly string[];
}

/** The way between one datum and WGS 84. */
function planLeg(system: ResolvedCrs, area: DegreeBox | null, fromWgs84: boolean): Leg {
  const { datum } = system;
  const near = datum.operations.filter((op) => area === null || boxesMeet(op.area, area));
  const usable = near.filter((op) => op.computable && op.grids.every(hasGrid));
  // Where no operation covers all of the area, points outside all of them keep their longitude and latitude.
  const covered = usable.some((op) => area !== null && boxContains(op.area, area));
  const candidates: (DatumOperation | null)[] = covered ? usable : [...usable, null];
  const best = usable[0] ?? null;
  // The EPSG dataset writes 999 for an accuracy that nobody knows.
  const accuracy = best === null || (best.accuracy ?? 0) >= 999 ? null : best.accuracy;
  const better = near.filter(
    (op) =>
      op.grids.length > 0 &&
      !usable.includes(op) &&
      (best === null || (op.accuracy !== null && (best.accuracy === null || op.accuracy < best.accuracy))),
  );
  const needsGrid = [...new Set(better.flatMap((op) => op.grids))];
  const warnings: string[] = [];
  if (needsGrid.length > 0) {
    const shown =
      needsGrid.slice(0, 3).join(", ") + (needsGrid.length > 3 ? ` and ${needsGrid.length - 3} more` : "");
    const used =
      best === null ? "no datum shift is applied" : `"${best.name}" is used instead${metres(accuracy)}`;
    warnings.push(`the most accurate shift from ${datum.name} needs a grid (${shown}); ${used}`);
  } else if (best === null) {
    warnings.push(
      datum.unknown
        ? `the datum of ${describeCrs(system.crs)} is unknown; no datum shift is applied`
        : `no datum shift between ${datum.name} and WGS 84 is known here; none is applied`,
    );
  }
  if (!covered && usable.some((op) => op.steps.length > 0)) {
    warnings.push(
      `the datum shifts known for ${datum.name} do not cover all of the area; points outside of them keep their longitude and latitude`,
    );
  }
  return {
    stage: candidates.length === 0 ? null : stageOf(candidates, fromWgs84),
    operation:
      best === null ? `no shift for ${datum.name}` : fromWgs84 ? `inverse of ${best.name}` : best.name,
    accuracy,
    needsGrid,
    warnings,
  };
}

function metres(accuracy: number | null): string {
  return accuracy === null ? "" : ` (accuracy ${accuracy} m)`;
}

function stageOf(candidates: readonly (DatumOperation | null)[], fromWgs84: boolean): Pass | null {
  const steps: (readonly ShiftStep[])[] = candidates.map((op) =>
    op === null ? [] : fromWgs84 ? inverseSteps(op.steps) : op.steps,
  );
  if (steps.every((list) => list.length === 0)) return null;
  if (candidates.length === 1) return (xy, stride) => applySteps(steps[0]!, xy, stride, null, 0);
  const withoutGrids = candidates.map((op) => (op !== null && op.grids.length > 0 ? undefined : op));
  const anyGrid = withoutGrids.includes(undefined);
  return (xy, stride) => {
    const chosen = new Int16Array(Math.ceil(xy.length / stride));
    const before = anyGrid ? xy.slice() : xy;
    for (let i = 0, k = 0; i + 1 < xy.length; i += stride, k++) {
      chosen[k] = choose(candidates, xy[i]! / DEGREE, xy[i + 1]! / DEGREE);
    }
    for (let c = 0; c < candidates.length; c++) applySteps(steps[c]!, xy, stride, chosen, c);
    if (!anyGrid) return;
    // Inside the box of a grid but off its tables: the best way without a grid.
    const second = new Int16Array(chosen.length).fill(-1);
    for (let i = 0, k = 0; i + 1 < xy.length; i += stride, k++) {
      if (withoutGrids[chosen[k]!] !== undefined || !Number.isNaN(xy[i]!) || Number.isNaN(before[i]!))
        continue;
      xy[i] = before[i]!;
      xy[i + 1] = before[i + 1]!;
      second[k] = choose(withoutGrids, xy[i]! / DEGREE, xy[i + 1]! / DEGREE);
    }
    for (let c = 0; c < candidates.length; c++)
      if (withoutGrids[c] !== undefined) applySteps(steps[c]!, xy, stride, second, c);
  };
}

/** The candidate whose area holds the point and that is the most accurate; else the first one. */
function choose(
  candidates: readonly (DatumOperation | null | undefined)[],
  lon: number,
  lat: number,
): number {
  const wrapped = lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
  let best = -1;
  for (let c = 0; c < candidates.length; c++) {
    const op = candidates[c];
    if (op === undefined) continue;
    if (op === null) {
      if (best < 0) best = c;
      continue;
    }
    if (!boxHolds(op.area, wrapped, lat)) continue;
    const chosen = best < 0 ? null : candidates[best];
    if (best < 0) best = c;
    else if (op.accuracy !== null && !op.offshore && chosen !== null && chosen !== undefined) {
      if (chosen.accuracy !== null && op.accuracy < chosen.accuracy) best = c;
      else if (
        op.accuracy === chosen.accuracy &&
        boxSize(op.area) < boxSize(chosen.area) &&
        boxContains(chosen.area, op.area)
      )
        best = c;
    }
  }
  if (best >= 0) return best;
  return Math.max(
    0,
    candidates.findIndex((op) => op !== undefined),
  );
}
