import { fractal, hash } from "../random.ts";
import { RAIN } from "./land-cover.ts";

/** Sample of the NDVI stack that means "nothing was seen". */
export const NDVI_NODATA = -3000;
export const QUALITY_NODATA = 255;

/**
 * NDVI of each class through the agricultural year, at days 0, 45, 90 ... 360 from 1 July. Kharif crops peak in
 * September, rabi crops in February, and forest thins in spring.
 */
const PROFILES: Readonly<Record<number, readonly number[]>> = {
  1: [0.2, 0.26, 0.26, 0.22, 0.2, 0.18, 0.17, 0.16, 0.18],
  2: [0.05, -0.1, -0.12, -0.02, 0.16, 0.18, 0.15, 0.12, 0.1],
  3: [-0.02, -0.14, -0.16, -0.14, -0.1, -0.02, 0.1, 0.12, 0.04],
  4: [-0.14, -0.18, -0.2, -0.2, -0.18, -0.16, -0.15, -0.14, -0.14],
  6: [0.62, 0.78, 0.84, 0.82, 0.76, 0.68, 0.56, 0.52, 0.58],
  7: [0.14, 0.22, 0.22, 0.17, 0.14, 0.12, 0.11, 0.1, 0.12],
  8: [0.24, 0.56, 0.76, 0.5, 0.26, 0.22, 0.2, 0.18, 0.2],
  9: [0.22, 0.3, 0.3, 0.3, 0.5, 0.7, 0.44, 0.2, 0.18],
  10: [0.26, 0.6, 0.78, 0.46, 0.52, 0.72, 0.42, 0.2, 0.2],
  11: [0.34, 0.66, 0.78, 0.5, 0.6, 0.74, 0.48, 0.6, 0.42],
  12: [0.36, 0.52, 0.58, 0.5, 0.42, 0.36, 0.3, 0.28, 0.3],
};

/** Share of the sky under cloud, by month from January. */
const CLOUDS = [0.12, 0.1, 0.12, 0.16, 0.28, 0.6, 0.85, 0.82, 0.62, 0.3, 0.14, 0.1] as const;

/** One date: NDVI in ten-thousandths, and quality (0 good, 1 marginal, 2 snow or ice, 3 cloudy, 255 nothing). */
export interface NdviImage {
  readonly date: string;
  readonly ndvi: Int16Array;
  readonly quality: Uint8Array;
}

/**
 * NDVI as a satellite would see it on a date: what grows, veiled by clouds, with a corner that the swath missed
 * on some dates.
 *
 * @param shares  For each pixel, 13 shares of the classes 0 to 12.
 * @param day     Days since 1 July of the agricultural year `year`.
 */
export function ndviImage(
  seed: number,
  date: string,
  year: number,
  day: number,
  shares: Float32Array,
  side: number,
): NdviImage {
  const ndvi = new Int16Array(side * side);
  const quality = new Uint8Array(side * side);
  const at = Math.min(7.999, day / 45);
  const step = Math.floor(at);
  const greenness = Float64Array.from({ length: 13 }, (_, value) => {
    const profile = PROFILES[value];
    return profile === undefined ? 0 : profile[step]! * (1 - at + step) + profile[step + 1]! * (at - step);
  });
  const month = Number(date.slice(5, 7)) - 1;
  const key = seed + Number(date.replaceAll("-", ""));
  const sky = CLOUDS[month]! * (0.5 + 1.1 * hash(key, 1, 1));
  const missesCorner = hash(key, 2, 2) < 0.2;
  const rain = RAIN[year] ?? 0;
  for (let row = 0, i = 0; row < side; row++) {
    for (let col = 0; col < side; col++, i++) {
      if (missesCorner && col + 0.4 * row > 0.92 * side + 0.2 * side * hash(key, 3, 3)) {
        ndvi[i] = NDVI_NODATA;
        quality[i] = QUALITY_NODATA;
        continue;
      }
      let sum = 0;
      let total = 0;
      for (let value = 1; value < 13; value++) {
        sum += shares[13 * i + value]! * greenness[value]!;
        total += shares[13 * i + value]!;
      }
      const vigour = 1 + 0.5 * rain + 0.14 * (fractal(seed + 61, col / 9, row / 9, 3) - 0.5);
      let value = total === 0 ? 0.2 : (sum / total) * vigour + 0.03 * (hash(key, col, row + 7) - 0.5);
      // Thickness of cloud: most skies are clear in some places and closed in others.
      const cloud = fractal(key + 9, col / 26, row / 26, 4) - (1 - Math.min(0.97, sky)) * 0.86;
      if (cloud > 0.07) {
        value = 0.04 + 0.1 * hash(key + 1, col, row);
        quality[i] = 3;
      } else if (cloud > 0) {
        value = value * (1 - 5 * cloud) + 0.2 * cloud;
        quality[i] = 1;
      }
      ndvi[i] = Math.round(10_000 * Math.max(-0.2, Math.min(1, value)));
    }
  }
  return { date, ndvi, quality };
}
