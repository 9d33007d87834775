/**
 * The principal aquifers that have a column of their own, as CoRE Stack names them. What has another name, no name or no yield, and
 * ground without any polygon, comes under `None`.
 */
export const PRINCIPAL_AQUIFERS: readonly string[] = [
  "Laterite",
  "Basalt",
  "Sandstone",
  "Shale",
  "Limestone",
  "Granite",
  "Schist",
  "Quartzite",
  "Charnockite",
  "Khondalite",
  "Banded Gneissic Complex",
  "Gneiss",
  "Intrusive",
  "Alluvium",
];

/** Specific yields of the national aquifer map as fractions: the upper end of what its text says. */
const FRACTIONS: ReadonlyMap<string, number> = new Map(
  (
    [
      [0.01, ["Upto 1%"]],
      [0.012, ["Upto 1.2%"]],
      [0.015, ["Upto 1.5%", "Up to 1.5%", "1-1.5%"]],
      [0.02, ["Upto 2%", "1-2%", "1.5-2%"]],
      [0.025, ["Upto 2.5%", "1-2.5"]],
      [0.03, ["Upto 3%", "Upto 3 %", "2-3%"]],
      [0.035, ["Upto 3.5%", "Upto -3.5%"]],
      [0.04, ["Upto 4%"]],
      [0.05, ["Upto 5%", "Upto 5-2%"]],
      [0.06, ["Upto 6%"]],
      [0.08, ["Upto 8%", "6 - 8%", "0.08"]],
      [0.09, ["Upto 9%"]],
      [0.1, ["6 - 10%", "8 - 10%"]],
      [0.12, ["6 - 12%", "8 - 12%"]],
      [0.15, ["6 - 15%", "8 - 15%", "Upto 15%"]],
      [0.16, ["6 - 16%", "8 - 16%"]],
      [0.18, ["8 - 18%"]],
      [0.2, ["8 - 20%"]],
    ] as const
  ).flatMap(([fraction, texts]) => texts.map((text) => [text, fraction] as const)),
);

/**
 * The fraction that a yield stands for: a number as it is, a text as the table of the national map has it, to the letter. `null` for
 * everything else: `""`, `"-"`, `"Not Explored"`, null.
 */
export function yieldFraction(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" ? (FRACTIONS.get(value) ?? null) : null;
}
