/**
 * How samples of a source become samples of a result. `near` takes the sample that holds the position; `bilinear`, `cubic`,
 * `cubicspline` and `lanczos` weight the samples around it; the others take all samples that a pixel of the result covers:
 * `average` and `sum` in proportion to how much of each, the rest whole.
 */
export type Resampling =
  | "near"
  | "bilinear"
  | "cubic"
  | "cubicspline"
  | "lanczos"
  | "average"
  | "mode"
  | "min"
  | "max"
  | "med"
  | "q1"
  | "q3"
  | "sum";

/** All of {@link Resampling}. */
export const RESAMPLINGS: readonly Resampling[] = [
  "near",
  "bilinear",
  "cubic",
  "cubicspline",
  "lanczos",
  "average",
  "mode",
  "min",
  "max",
  "med",
  "q1",
  "q3",
  "sum",
];

/** Half the width, in samples, of the methods that weight samples around a position; 0 for the others. */
export function filterRadius(method: Resampling): number {
  switch (method) {
    case "bilinear":
      return 1;
    case "cubic":
    case "cubicspline":
      return 2;
    case "lanczos":
      return 3;
    default:
      return 0;
  }
}

/** Whether a method looks at all samples that a pixel covers, instead of at those around its centre. */
export function usesFootprint(method: Resampling): boolean {
  return method !== "near" && filterRadius(method) === 0;
}

/** Weight of a sample at a distance of `d` samples. Not normalised. */
export function filterWeight(method: Resampling, d: number): number {
  const x = Math.abs(d);
  switch (method) {
    case "bilinear":
      return x < 1 ? 1 - x : 0;
    case "cubic":
      // Keys 1981 with a = -0.5.
      if (x <= 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case "cubicspline":
      if (x <= 1) return (0.5 * x - 1) * x * x + 2 / 3;
      return x < 2 ? (2 - x) ** 3 / 6 : 0;
    case "lanczos": {
      if (x === 0) return 1;
      if (x >= 3) return 0;
      const angle = Math.PI * x;
      return (3 * Math.sin(angle) * Math.sin(angle / 3)) / (angle * angle);
    }
    default:
      return 0;
  }
}
