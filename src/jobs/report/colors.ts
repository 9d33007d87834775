import type { Rgba } from "../../model/raster.ts";

/** Colours that people with the common kinds of colour blindness can tell apart (after Okabe and Ito, 2008). */
export const SERIES: readonly Rgba[] = [
  [0, 114, 178, 255],
  [230, 159, 0, 255],
  [0, 158, 115, 255],
  [204, 121, 167, 255],
  [86, 180, 233, 255],
  [213, 94, 0, 255],
  [150, 135, 20, 255],
  [110, 110, 110, 255],
];

/** From low to high: dark blue over green to yellow, each step lighter than the one before, so that it also works in grey. */
export const RAMP: readonly Rgba[] = [
  [68, 1, 84, 255],
  [70, 50, 127, 255],
  [54, 92, 141, 255],
  [39, 127, 142, 255],
  [31, 161, 135, 255],
  [74, 194, 109, 255],
  [159, 218, 58, 255],
  [253, 231, 37, 255],
];

/** Light to dark blue, for stream orders. */
export const WATER: readonly Rgba[] = [
  [116, 173, 219, 255],
  [76, 143, 201, 255],
  [44, 112, 179, 255],
  [20, 82, 152, 255],
  [8, 54, 116, 255],
];

/** Colour at `share` (0 to 1) of evenly spaced stops. */
export function rampColor(stops: readonly Rgba[], share: number): Rgba {
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  const low = stops[k]!;
  const high = stops[k + 1]!;
  const mix = (i: 0 | 1 | 2 | 3): number => Math.round(low[i] + (high[i] - low[i]) * (at - k));
  return [mix(0), mix(1), mix(2), mix(3)];
}

/**
 * A colour as CSS writes it: `#rgb`, `#rrggbb`, `#rrggbbaa`, `none`. Anything else, which may come from a file, is
 * `fallback`. `none` is `null`.
 */
export function parseColor(text: string | undefined, fallback: Rgba | null): Rgba | null {
  if (text === undefined) return fallback;
  if (text === "none" || text === "transparent") return null;
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  if (short !== null) {
    const [r, g, b] = short.slice(1).map((digit) => Number.parseInt(digit + digit, 16));
    return [r!, g!, b!, 255];
  }
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})?$/i.exec(text);
  if (long === null) return fallback;
  const [r, g, b, a] = long.slice(1).map((digits) => Number.parseInt(digits ?? "ff", 16));
  return [r!, g!, b!, a!];
}

/** A colour as CSS reads it; numbers only, whatever the parts hold. */
export function cssColor([r, g, b, a]: Rgba): string {
  const part = (value: number): number => Math.max(0, Math.min(255, Math.round(Number(value)) || 0));
  return a >= 255
    ? `#${[r, g, b].map((value) => part(value).toString(16).padStart(2, "0")).join("")}`
    : `rgba(${part(r)},${part(g)},${part(b)},${(part(a) / 255).toFixed(3)})`;
}
