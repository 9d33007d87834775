import { type Column, ColumnBuilder, type ColumnType, type FeatureTable } from "../../model/features.ts";
import type { AreaUnit, ClassAreas, ClassInfo } from "../dominant.ts";

/** Square metres in a unit. */
export const SQUARE_METRES: Readonly<Record<Exclude<AreaUnit, "share">, number>> = {
  m2: 1,
  ha: 1e4,
  km2: 1e6,
};

/** The zones with the columns that `dominantClass` lists. */
export function withColumns(
  table: FeatureTable,
  years: readonly ClassAreas[],
  classes: readonly ClassInfo[],
  unit: AreaUnit,
  named: boolean,
  notes: readonly (readonly (string | null)[])[],
  warnings: Set<string>,
): FeatureTable {
  const taken = new Set(table.columns.map(({ name }) => name));
  const columns: Column[] = [...table.columns];
  const n = classes.length;
  const whole = classes.every(({ value }) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  const rows = table.count;

  function add<T extends number | string>(
    name: string,
    type: ColumnType,
    value: (zone: number) => T | null,
  ): void {
    let free = name;
    for (let k = 2; taken.has(free); k++) free = `${name}_${k}`;
    if (free !== name) warnings.add(`there is a column ${name} already: the new one is ${free}`);
    taken.add(free);
    const builder = new ColumnBuilder({ name: free, type, nullable: true });
    for (let zone = 0; zone < rows; zone++) builder.push(value(zone));
    columns.push(builder.finish());
  }

  for (const [k, year] of years.entries()) {
    const suffix = year.label === "" ? "" : `_${year.label}`;
    const observed = new Float64Array(rows);
    for (let i = 0; i < year.area.length; i++) observed[Math.floor(i / n)]! += year.area[i]!;
    const numberOrNull = (value: number) => (Number.isNaN(value) ? null : value);
    for (const [c, info] of classes.entries()) {
      add(`${columnName(info.name)}_${unit}${suffix}`, "float64", (zone) => {
        const area = year.area[zone * n + c]!;
        if (unit !== "share") return area / SQUARE_METRES[unit];
        return observed[zone] === 0 ? null : area / observed[zone]!;
      });
    }
    const value = (numbers: Int32Array) => (zone: number) => classes[numbers[zone]!]?.value ?? null;
    const name = (numbers: Int32Array) => (zone: number) => classes[numbers[zone]!]?.name ?? null;
    add(`dominant${suffix}`, whole ? "int32" : "float64", value(year.dominant));
    if (named) add(`dominant_name${suffix}`, "string", name(year.dominant));
    add(`dominant_share${suffix}`, "float64", (zone) => numberOrNull(year.dominantShare[zone]!));
    add(`second${suffix}`, whole ? "int32" : "float64", value(year.runnerUp));
    if (named) add(`second_name${suffix}`, "string", name(year.runnerUp));
    add(`second_share${suffix}`, "float64", (zone) => numberOrNull(year.runnerUpShare[zone]!));
    add(`margin${suffix}`, "float64", (zone) => {
      const share = year.dominantShare[zone]!;
      if (Number.isNaN(share)) return null;
      return year.runnerUp[zone] === -1 ? share : share - year.runnerUpShare[zone]!;
    });
    add(`covered_share${suffix}`, "float64", (zone) => year.coveredShare[zone]!);
    add(`nodata_share${suffix}`, "float64", (zone) => numberOrNull(year.nodataShare[zone]!));
    add(`pixels${suffix}`, "float64", (zone) => year.zonePixels[zone]!);
    add(`note${suffix}`, "string", (zone) => notes[k]![zone]!);
  }
  return { ...table, columns };
}

/** A class name as part of a column name: small letters and digits, `_` for everything else. */
export function columnName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  return plain === "" ? "class" : plain;
}
