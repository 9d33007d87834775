import { isGeographic } from "../../model/crs.ts";
import type { Bounds } from "../../model/grid.ts";
import type { MapView } from "./types.ts";

/** How a map lies on a rectangle of pixels: `px = (x - left) * scaleX`, `py = (top - y) * scaleY`. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** Pixels per unit of the map's system. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Metres on the ground per pixel in the middle; `null` when the system is unknown. */
  readonly metresPerPixel: number | null;
  readonly geographic: boolean;
  /** Short name of the unit of length, such as `m`; empty for degrees and unknown systems. */
  readonly unit: string;
}

const METRES_PER_DEGREE = 111_320;

/**
 * Fit a map view into `width` pixels. Degrees of longitude are drawn shorter by the cosine of the middle latitude,
 * so that shapes look as they do on the ground. `height` follows from the view, within half and 0.85 of the width,
 * unless it is given; the view is widened to fill the frame.
 */
export function fitFrame(view: MapView, width: number, height?: number): Frame {
  const [minX, minY, maxX, maxY] = padded(view.bounds);
  const geographic = isGeographic(view.crs);
  const middle = (minY + maxY) / 2;
  const squeeze = geographic ? Math.max(0.05, Math.cos((Math.min(89, Math.abs(middle)) * Math.PI) / 180)) : 1;
  const spanX = (maxX - minX) * squeeze;
  const spanY = maxY - minY;
  const tall = height ?? Math.round(width * Math.max(0.5, Math.min(0.85, spanY / spanX)));
  const scale = Math.min(width / spanX, tall / spanY);
  const scaleX = scale * squeeze;
  const unit = view.crs === null ? null : geographic ? METRES_PER_DEGREE : view.crs.unit.factor;
  return {
    width,
    height: tall,
    left: (minX + maxX) / 2 - width / (2 * scaleX),
    top: middle + tall / (2 * scale),
    scaleX,
    scaleY: scale,
    metresPerPixel: unit === null || !(unit > 0) ? null : unit / scale,
    geographic,
    unit: view.crs === null || geographic ? "" : unitName(view.crs.unit.factor),
  };
}

function unitName(factor: number): string {
  if (factor === 1) return "m";
  if (factor === 1000) return "km";
  return Math.abs(factor - 0.3048) < 1e-6 ? "ft" : "";
}

function padded([minX, minY, maxX, maxY]: Bounds): Bounds {
  if (![minX, minY, maxX, maxY].every(Number.isFinite) || minX > maxX || minY > maxY) return [0, 0, 1, 1];
  const span = Math.max(maxX - minX, maxY - minY, 1e-9 * Math.max(1, Math.abs(minX), Math.abs(minY)));
  const margin = 0.04 * span;
  const growX = maxX - minX < 0.02 * span ? 0.1 * span : margin;
  const growY = maxY - minY < 0.02 * span ? 0.1 * span : margin;
  return [minX - growX, minY - growY, maxX + growX, maxY + growY];
}

/** A line of the graticule: `at` in map units, and what is written beside it. */
export interface GridLine {
  readonly at: number;
  readonly label: string;
}

/** Steps in degrees that people can read: whole, then minutes, then seconds. */
const DEGREE_STEPS = [
  90,
  45,
  30,
  20,
  15,
  10,
  5,
  2,
  1,
  0.5,
  1 / 3,
  1 / 6,
  1 / 12,
  1 / 30,
  1 / 60,
  1 / 120,
  1 / 180,
  1 / 360,
  1 / 720,
  1 / 1800,
  1 / 3600,
] as const;

/** Lines of equal x and of equal y within a frame, about `every` pixels apart. */
export function graticule(frame: Frame, every: number): { x: GridLine[]; y: GridLine[] } {
  const { left, top, width, height, scaleX, scaleY, geographic, unit } = frame;
  const step = Math.max(niceStep(every / scaleX, geographic), niceStep(every / scaleY, geographic));
  const lines = (from: number, to: number, axis: "x" | "y"): GridLine[] => {
    const found: GridLine[] = [];
    for (let k = Math.ceil(from / step); k * step <= to && found.length < 60; k++) {
      const at = k * step;
      if (geographic && Math.abs(at) > (axis === "x" ? 360 : 90) + 1e-9) continue;
      found.push({
        at,
        label: geographic ? degreeLabel(at, axis) : `${plainLabel(at, step)} ${unit}`.trim(),
      });
    }
    return found;
  };
  return { x: lines(left, left + width / scaleX, "x"), y: lines(top - height / scaleY, top, "y") };
}

function niceStep(wanted: number, geographic: boolean): number {
  if (geographic && wanted > 1 / 3600) {
    for (let k = DEGREE_STEPS.length - 1; k >= 0; k--)
      if (DEGREE_STEPS[k]! >= wanted) return DEGREE_STEPS[k]!;
    return 90;
  }
  return niceNumber(wanted);
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `wanted`. */
export function niceNumber(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  for (const factor of [1, 2, 5]) if (factor * power >= wanted * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

function degreeLabel(value: number, axis: "x" | "y"): string {
  const wrapped = axis === "x" && Math.abs(value) > 180 ? value - 360 * Math.sign(value) : value;
  const seconds = Math.round(Math.abs(wrapped) * 3600);
  const parts = [`${Math.floor(seconds / 3600)}°`];
  if (seconds % 3600 !== 0) parts.push(`${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}′`);
  if (seconds % 60 !== 0) parts.push(`${String(seconds % 60).padStart(2, "0")}″`);
  const side = seconds === 0 ? "" : axis === "x" ? (wrapped < 0 ? "W" : "E") : wrapped < 0 ? "S" : "N";
  return parts.join("") + side;
}

function plainLabel(value: number, step: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return groupDigits(value.toFixed(Math.min(12, digits)));
}

/** Thin spaces between groups of three digits, from five digits on. */
export function groupDigits(text: string): string {
  const match = /^(-?)(\d{5,})(.*)$/.exec(text);
  if (match === null) return text;
  return `${match[1]}${match[2]!.replace(/\B(?=(\d{3})+$)/g, "\u2009")}${match[3]}`;
}

/** A round length and how many pixels it takes, at most `most` pixels. */
export function scaleBar(frame: Frame, most: number): { pixels: number; label: string } | null {
  if (frame.metresPerPixel === null) return null;
  const limit = most * frame.metresPerPixel;
  let metres = niceNumber(limit);
  while (metres > limit) metres = nextLower(metres);
  const label = metres >= 1000 ? `${metres / 1000} km` : `${Number(metres.toPrecision(3))} m`;
  return { pixels: metres / frame.metresPerPixel, label };
}

function nextLower(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const factor = Math.round(value / power);
  return factor === 1 ? power / 2 : factor === 2 ? power : factor === 5 ? 2 * power : power;
}
