import { type Crs, describeCrs, sameCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../../model/features.ts";
import { readTable } from "../read-table.ts";
import type { OnCrsMismatch } from "../region.ts";
import { reprojectFeatures } from "../reproject-features.ts";

/**
 * The right layer of a join in memory, in the CRS of the left one: its vertices are transformed, none are added.
 * What was done is said in `warnings`.
 *
 * @param spatial  False when only attributes are compared: then the CRS does not matter.
 * @throws GeoError `CRS_MISMATCH` when that is asked for
 */
export async function readInCrs(
  source: FeatureSource,
  crs: Crs | null,
  fields: readonly string[],
  options: {
    readonly spatial: boolean;
    readonly onCrsMismatch: OnCrsMismatch | undefined;
    readonly signal: AbortSignal | undefined;
    readonly warnings: string[];
  },
): Promise<FeatureTable> {
  const { spatial, onCrsMismatch, signal, warnings } = options;
  const own = source.schema.crs;
  const read = { fields, signal };
  if (!spatial || sameCrs(own, crs)) return await readTable(source, read);
  if (own === null || crs === null) {
    warnings.push(
      `the left layer has ${describeCrs(crs)} and the right one ${describeCrs(own)}: coordinates taken to be in the same system`,
    );
    return await readTable(source, read);
  }
  if (onCrsMismatch === "error") {
    throw new GeoError(
      "CRS_MISMATCH",
      `the left layer is in ${describeCrs(crs)}, the right one in ${describeCrs(own)}`,
      { left: describeCrs(crs), right: describeCrs(own) },
      { hint: "Reproject one of them, or allow it with --on-crs-mismatch transform." },
    );
  }
  const moved = reprojectFeatures(source, crs);
  const table = await readTable(moved, read);
  warnings.push(
    `the right layer was transformed from ${describeCrs(own)} to ${describeCrs(crs)}`,
    ...moved.report.warnings,
  );
  if (moved.report.lost > 0)
    warnings.push(
      `${moved.report.lost} features of the right layer have no place in ${describeCrs(crs)}: they match nothing`,
    );
  return table;
}
