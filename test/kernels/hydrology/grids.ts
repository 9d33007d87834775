import { type Frame, NO_GROUND } from "../../../src/kernels/hydrology/frame.ts";

/** A framed raster from rows of numbers, NaN around it. */
export function framed(rows: readonly (readonly number[])[]): { frame: Frame; heights: Float64Array } {
  const frame = { width: rows[0]!.length, height: rows.length };
  const heights = new Float64Array((frame.width + 2) * (frame.height + 2)).fill(Number.NaN);
  for (const [row, values] of rows.entries()) heights.set(values, (row + 1) * (frame.width + 2) + 1);
  return { frame, heights };
}

/** Rows of numbers from a framed array. */
export function rowsOf({ width, height }: Frame, values: ArrayLike<number>): number[][] {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, col) => values[(row + 1) * (width + 2) + col + 1]!),
  );
}

/** Square cells of length 1. */
export function unitSizes({ height }: Frame): { x: Float64Array; y: Float64Array } {
  return { x: new Float64Array(height).fill(1), y: new Float64Array(height).fill(1) };
}

/** Arrows for direction bytes: `>`, `\`, `v`, `/` and so on; `o` where water leaves, `.` a pit, a blank for no ground. */
export function arrows(frame: Frame, directions: Uint8Array): string[] {
  const letters = [">", "┘", "v", "└", "<", "┌", "^", "┐"];
  return rowsOf(frame, directions).map((row) =>
    row
      .map((byte) => (byte === NO_GROUND ? " " : byte < 8 ? letters[byte]! : byte < 16 ? "o" : "."))
      .join(""),
  );
}

/** Direction bytes from compass letters, row by row: `e`, `s` ...; `E`, `S` ... out of the ground; `-` no ground; `.` a pit. */
export function directionsOf(rows: readonly string[]): { frame: Frame; directions: Uint8Array } {
  const names = ["e", "se", "s", "sw", "w", "nw", "n", "ne"];
  const split = rows.map((row) => row.split(" "));
  const frame = { width: split[0]!.length, height: rows.length };
  const directions = new Uint8Array((frame.width + 2) * (frame.height + 2)).fill(NO_GROUND);
  for (const [row, words] of split.entries())
    for (const [col, word] of words.entries()) {
      const k = names.indexOf(word.toLowerCase());
      const byte = word === "-" ? NO_GROUND : word === "." ? 16 : word === word.toLowerCase() ? k : 8 + k;
      directions[(row + 1) * (frame.width + 2) + col + 1] = byte;
    }
  return { frame, directions };
}
