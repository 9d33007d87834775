import type { Window } from "../../model/grid.ts";

/** Length of a cell along its rows and along its columns, in the unit of the heights, for each row of a window. */
export interface CellLengths {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** The nine heights around a pixel, `w[4]` itself; row by row from the upper left. */
type Nine = Float64Array;

/**
 * Collect the neighbourhood of pixel `at` of a block `stride` wide. Without `edges` false comes back when a height is
 * missing; with it missing ones are put on the line through known neighbours, as gdaldem does.
 */
function collect(heights: Float64Array, at: number, stride: number, edges: boolean, w: Nine): boolean {
  let missing = false;
  for (let k = 0; k < 9; k++) {
    const value = heights[at + (Math.floor(k / 3) - 1) * stride + (k % 3) - 1]!;
    w[k] = value;
    if (Number.isNaN(value)) missing = true;
  }
  if (!missing) return true;
  const middle = w[4]!;
  if (!edges || Number.isNaN(middle)) return false;
  // Lines through known heights: along the column, then along the row, then across the middle.
  for (let k = 0; k < 9; k++) {
    if (!Number.isNaN(w[k]!)) continue;
    const row = Math.floor(k / 3);
    const col = k % 3;
    let value = Number.NaN;
    if (row !== 1)
      value = 2 * heightAt(heights, at, stride, 1, col) - heightAt(heights, at, stride, 2 - row, col);
    if (Number.isNaN(value) && col !== 1)
      value = 2 * heightAt(heights, at, stride, row, 1) - heightAt(heights, at, stride, row, 2 - col);
    if (Number.isNaN(value)) value = 2 * middle - heightAt(heights, at, stride, 2 - row, 2 - col);
    w[k] = Number.isNaN(value) ? middle : value;
  }
  return true;
}

function heightAt(heights: Float64Array, at: number, stride: number, row: number, col: number): number {
  return heights[at + (row - 1) * stride + col - 1]!;
}

/** What {@link terrain} computes. */
export type TerrainMeasure = "slope-degrees" | "slope-percent" | "aspect" | "hillshade";

export interface Light {
  /** Direction the light comes from, degrees clockwise from north. */
  readonly azimuth: number;
  /** Above the horizon, degrees. */
  readonly altitude: number;
  /** Heights are multiplied by this. */
  readonly exaggeration: number;
}

/**
 * Slope, aspect or shading by the third-order finite differences of Horn (1981), as gdaldem computes them.
 *
 * - Slope: degrees, or 100 times rise over run.
 * - Aspect: the direction that the slope faces, degrees clockwise from north, 0..360; NaN where it is level.
 * - Hillshade: 1 (in shadow) .. 255.
 *
 * @param heights  The window enlarged by one pixel on all sides, row-major; NaN where there is none.
 * @param north    Whether rows run from north to south.
 * @param edges    Compute beside missing heights too.
 * @param out      One value per pixel; NaN where a height that is needed is missing.
 */
export function terrain(
  measure: TerrainMeasure,
  heights: Float64Array,
  window: Window,
  cells: CellLengths,
  north: boolean,
  light: Light,
  edges: boolean,
  out: Float64Array,
): void {
  const { width, height } = window;
  const stride = width + 2;
  const w = new Float64Array(9);
  const radians = Math.PI / 180;
  const sinAltitude = Math.sin(light.altitude * radians);
  const cosAltitude = Math.cos(light.altitude * radians);
  const z = measure === "aspect" ? 1 : light.exaggeration;
  for (let row = 0; row < height; row++) {
    const eastScale = z / (8 * cells.x[row]!);
    const northScale = ((north ? 1 : -1) * z) / (8 * cells.y[row]!);
    for (let col = 0; col < width; col++) {
      const i = row * width + col;
      if (!collect(heights, (row + 1) * stride + col + 1, stride, edges, w)) {
        out[i] = Number.NaN;
        continue;
      }
      // Rise towards the east and towards the north.
      const east = (w[2]! + 2 * w[5]! + w[8]! - (w[0]! + 2 * w[3]! + w[6]!)) * eastScale;
      const up = (w[0]! + 2 * w[1]! + w[2]! - (w[6]! + 2 * w[7]! + w[8]!)) * northScale;
      if (measure === "hillshade") {
        // The angle between the surface's normal (-east, -up, 1) and the light.
        const sunEast = cosAltitude * Math.sin(light.azimuth * radians);
        const sunNorth = cosAltitude * Math.cos(light.azimuth * radians);
        const shade = (sinAltitude - east * sunEast - up * sunNorth) / Math.sqrt(1 + east * east + up * up);
        out[i] = shade <= 0 ? 1 : 1 + 254 * shade;
      } else if (measure === "aspect") {
        if (east === 0 && up === 0) out[i] = Number.NaN;
        else {
          const facing = Math.atan2(-east, -up) / radians;
          out[i] = facing < 0 ? facing + 360 : facing;
        }
      } else {
        const slope = Math.sqrt(east * east + up * up);
        out[i] = measure === "slope-percent" ? 100 * slope : Math.atan(slope) / radians;
      }
    }
  }
}
