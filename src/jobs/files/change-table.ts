import { type Column, ColumnBuilder, type FeatureTable, valueAt } from "../../model/features.ts";
import type { AreaUnit, DominantResult } from "../../operators/dominant.ts";

const SQUARE_METRES = { m2: 1, ha: 1e4, km2: 1e6 } as const;

/**
 * What became what as a table: a row for each pair of rasters and of classes with an area; with `zones` a row for each zone
 * too. Columns `zone` (row of the zone, from 0, or its value of `id`), `from`, `to` (labels), `from_class`, `to_class`,
 * `from_name`, `to_name`, `pixels`, `area_<unit>`; shares of areas are not given, hectares are.
 */
export function changeTable(
  { changes, zoneChanges, classes, table }: DominantResult,
  zones: boolean,
  areaUnit: AreaUnit,
  id: Column | null,
): FeatureTable {
  const unit = areaUnit === "share" ? "ha" : areaUnit;
  const whole = classes.every(({ value }) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  const zone = new ColumnBuilder({
    name: id?.name ?? "zone",
    type: id?.type ?? "int32",
    nullable: id?.nullable ?? false,
  });
  const text = (name: string) => new ColumnBuilder({ name, type: "string", nullable: false });
  const number = (name: string) => new ColumnBuilder({ name, type: "float64", nullable: false });
  const value = (name: string) =>
    new ColumnBuilder({ name, type: whole ? "int32" : "float64", nullable: false });
  const columns = {
    from: text("from"),
    to: text("to"),
    before: value("from_class"),
    after: value("to_class"),
    beforeName: text("from_name"),
    afterName: text("to_name"),
    pixels: number("pixels"),
    area: number(`area_${unit}`),
  };
  let count = 0;
  const push = (
    of: { readonly from: string; readonly to: string },
    before: number,
    after: number,
    pixels: number,
    area: number,
  ): void => {
    columns.from.push(of.from);
    columns.to.push(of.to);
    columns.before.push(classes[before]!.value);
    columns.after.push(classes[after]!.value);
    columns.beforeName.push(classes[before]!.name);
    columns.afterName.push(classes[after]!.name);
    columns.pixels.push(pixels);
    columns.area.push(area / SQUARE_METRES[unit]);
    count++;
  };
  const n = classes.length;
  if (zones) {
    for (const change of zoneChanges) {
      for (let k = 0; k < change.zone.length; k++) {
        const row = change.zone[k]!;
        zone.push(id === null ? row : valueAt(id, row));
        push(change, change.before[k]!, change.after[k]!, change.pixels[k]!, change.area[k]!);
      }
    }
  } else {
    for (const change of changes) {
      for (let k = 0; k < n * n; k++) {
        if (change.pixels[k]! > 0) push(change, Math.floor(k / n), k % n, change.pixels[k]!, change.area[k]!);
      }
    }
  }
  return {
    count,
    geometry: null,
    columns: [...(zones ? [zone.finish()] : []), ...Object.values(columns).map((column) => column.finish())],
    ids: null,
    firstRow: table.firstRow,
    crs: null,
  };
}
