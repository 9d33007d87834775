import { GeoError } from "../../../model/errors.ts";

/**
 * Whether a DE-9IM matrix such as `"212101212"` fits a pattern: `T` any dimension, `F` nothing in common, `0` `1` `2`
 * exactly that dimension, `*` anything. Letters in any case.
 * @throws GeoError `INVALID_INPUT` for a pattern that is not nine of these characters.
 */
export function matchesPattern(matrix: string, pattern: string): boolean {
  if (!/^[TF012*]{9}$/i.test(pattern)) {
    throw new GeoError(
      "INVALID_INPUT",
      `the DE-9IM pattern is "${pattern}", expected nine characters out of T F 0 1 2 *`,
      { path: "pattern", expected: "nine characters out of T F 0 1 2 *" },
      { hint: 'Write a pattern such as "T*F**F***", which is within.' },
    );
  }
  for (let k = 0; k < 9; k++) {
    const wanted = pattern[k]!.toUpperCase();
    const found = matrix[k]!.toUpperCase();
    if (wanted === "*" || wanted === found) continue;
    if (wanted !== "T" || found === "F") return false;
  }
  return true;
}
