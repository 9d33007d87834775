import { type Frame, LEAVES, NO_GROUND, PIT, STEP_COL, STEP_ROW } from "./frame.ts";

/**
 * How flow directions are written as numbers.
 *
 * - `"esri"`: 1 east, 2 south-east, 4 south, 8 south-west, 16 west, 32 north-west, 64 north, 128 north-east; 0 a pit. Cells that
 *   drain out of the ground point to where there is none.
 * - `"grass"`: 1 north-east, 2 north, 3 north-west, 4 west, 5 south-west, 6 south, 7 south-east, 8 east; negative where water
 *   leaves the ground; 0 a pit.
 */
export type DirectionCodes = "esri" | "grass";

/** Rows of a raster that run from south to north, columns from east to west. */
export interface Mirrored {
  readonly south: boolean;
  readonly west: boolean;
}

/** Neighbour on a mirrored grid of each neighbour on a north-up one, and back. */
function compass(k: number, { south, west }: Mirrored): number {
  const turned = south ? (8 - k) & 7 : k;
  return west ? (12 - turned) & 7 : turned;
}

/** Code of each direction byte; `nodata` for bytes that stand for no ground. Length 256. */
export function codeTable(codes: DirectionCodes, mirrored: Mirrored, nodata: number): Int32Array {
  const table = new Int32Array(256).fill(nodata);
  for (let k = 0; k < 8; k++) {
    const facing = compass(k, mirrored);
    table[k] = codes === "esri" ? 1 << facing : 8 - facing;
    table[LEAVES + k] = codes === "esri" ? table[k]! : -table[k]!;
  }
  table[PIT] = 0;
  return table;
}

/**
 * Direction bytes from codes.
 *
 * @param values  Framed codes, NaN where there is no ground.
 * @throws RangeError for a number that is none of the codes, naming it and its place.
 */
export function decodeDirections(
  values: Float32Array | Float64Array,
  frame: Frame,
  codes: DirectionCodes,
  mirrored: Mirrored,
): Uint8Array {
  const { width, height } = frame;
  const stride = width + 2;
  const table = new Map<number, number>([[0, PIT]]);
  for (let k = 0; k < 8; k++) {
    const facing = compass(k, mirrored);
    if (codes === "esri") table.set(1 << facing, k);
    else {
      table.set(8 - facing, k);
      table.set(facing - 8, LEAVES + k);
    }
  }
  const directions = new Uint8Array(values.length).fill(NO_GROUND);
  for (let row = 1; row <= height; row++) {
    for (let cell = row * stride + 1, end = cell + width; cell < end; cell++) {
      const value = values[cell]!;
      if (Number.isNaN(value)) continue;
      let direction = table.get(value);
      if (direction === undefined) {
        throw new RangeError(
          `holds ${value} at column ${(cell % stride) - 1}, row ${row - 1}, which is no ${codes === "esri" ? "ESRI" : "GRASS"} code`,
        );
      }
      // To where there is no ground: out.
      if (
        direction < LEAVES &&
        Number.isNaN(values[cell + STEP_ROW[direction]! * stride + STEP_COL[direction]!]!)
      )
        direction += LEAVES;
      directions[cell] = direction;
    }
  }
  return directions;
}
