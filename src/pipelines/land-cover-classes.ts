import type { Rgba } from "../model/raster.ts";
import { validName } from "./naming.ts";

/** A class of a land-cover raster: its code, its name and the beginning of its column names. */
export interface LandCoverClass {
  readonly value: number;
  readonly name: string;
  readonly color: Rgba;
  /** Columns are `<prefix><year>`, in hectares. */
  readonly prefix: string;
}

/**
 * The legend of CoRE Stack's LULC v3, with the column prefixes of its `lulc_vector` layers. Code 0 is background and is
 * not reported; code 5 (cropland, undivided) is in no v3 map and keeps its column, always 0.
 */
export const LULC_V3: readonly LandCoverClass[] = [
  { value: 1, name: "Built-up", prefix: "built-up_area_", color: [196, 55, 55, 255] },
  { value: 2, name: "Water in kharif", prefix: "k_water_area_", color: [158, 202, 225, 255] },
  { value: 3, name: "Water in kharif and rabi", prefix: "kr_water_area_", color: [82, 148, 214, 255] },
  { value: 4, name: "Water all year", prefix: "krz_water_area_", color: [24, 79, 158, 255] },
  { value: 5, name: "Cropland, undivided", prefix: "cropland_area_", color: [229, 204, 122, 255] },
  { value: 6, name: "Tree or forest", prefix: "tree_forest_area_", color: [27, 94, 50, 255] },
  { value: 7, name: "Barren land", prefix: "barrenlands_area_", color: [166, 148, 124, 255] },
  {
    value: 8,
    name: "Single crop, kharif",
    prefix: "single_kharif_cropped_area_",
    color: [247, 226, 107, 255],
  },
  {
    value: 9,
    name: "Single crop, other season",
    prefix: "single_non_kharif_cropped_area_",
    color: [232, 176, 60, 255],
  },
  { value: 10, name: "Double crop", prefix: "doubly_cropped_area_", color: [170, 196, 68, 255] },
  { value: 11, name: "Triple crop", prefix: "triply_cropped_area_", color: [99, 163, 57, 255] },
  { value: 12, name: "Shrub or scrub", prefix: "shrub_scrub_area_", color: [176, 164, 204, 255] },
];

/** Classes of another legend: prefixes are made from the names. */
export function namedClasses(
  classes: readonly { readonly value: number; readonly name: string; readonly color: Rgba }[],
): LandCoverClass[] {
  const taken = new Set<string>();
  return classes.map(({ value, name, color }) => {
    let stem = validName(name);
    if (taken.has(stem)) stem = `${stem}_${value}`;
    taken.add(stem);
    return { value, name, color, prefix: `${stem}_area_` };
  });
}

/** Colours for classes that have none: distinct hues at two lightnesses, by position. */
export function classColor(position: number): Rgba {
  return PALETTE[position % PALETTE.length]!;
}

// Okabe and Ito (2008), the eight colours that most colour-blind people tell apart, and four darker ones
const PALETTE: readonly Rgba[] = [
  [230, 159, 0, 255],
  [86, 180, 233, 255],
  [0, 158, 115, 255],
  [240, 228, 66, 255],
  [0, 114, 178, 255],
  [213, 94, 0, 255],
  [204, 121, 167, 255],
  [120, 120, 120, 255],
  [140, 86, 20, 255],
  [40, 96, 40, 255],
  [96, 60, 130, 255],
  [60, 60, 60, 255],
];
