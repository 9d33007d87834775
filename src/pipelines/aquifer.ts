import { z } from "zod";
import {
  type Column,
  ColumnBuilder,
  type ColumnType,
  columnNamed,
  type FeatureSource,
  type FeatureTable,
  type Value,
  valueAt,
} from "../model/features.ts";
import { polygonOverlaps } from "../operators/polygon-overlaps.ts";
import { readTable } from "../operators/read-table.ts";
import { PRINCIPAL_AQUIFERS, yieldFraction } from "./aquifer-yields.ts";
import { definePipeline, type Pipeline } from "./define.ts";
import { classColor } from "./land-cover-classes.ts";
import { layerName } from "./naming.ts";
import { area, format, idColumn } from "./parameters.ts";

/** Columns of the polygon under most of a unit that are handed on, where the layer has them. */
const ATTRIBUTES = [
  "Age",
  "Lithology_",
  "Major_Aq_1",
  "Major_Aqui",
  "Principal_",
  "Recommende",
  "yeild__",
  "zone_m",
];
const NONE = "None";

const parameters = z.object({
  area,
  idColumn,
  format,
  classField: z
    .string()
    .default("Principal_")
    .describe("column of the aquifer polygons with their name: the class"),
  yieldField: z
    .string()
    .default("yeild__")
    .describe(
      "column with the specific yield: text as the national map writes it, or a fraction; polygons without a known one count as not there, as in the original. Where the layer has no such column all polygons count, without yields",
    ),
  classes: z
    .enum(["principal", "found"])
    .default("principal")
    .describe(
      "principal: a column for each of the 14 aquifers of the original, whatever the layer holds; found: one for each name in the layer",
    ),
  surface: z
    .enum(["auto", "plane", "ellipsoid", "sphere"])
    .default("auto")
    .describe(
      "where areas are measured; auto: plane for projected units, ellipsoid for degrees; sphere: as Earth Engine",
    ),
});

const pipeline = definePipeline({
  name: "aquifer",
  version: "1.0.0",
  title: "Aquifers under the units",
  question: "Which aquifers lie under each unit, in what share, and with what specific yield?",
  shape: "dominant class from polygons",
  parameters,
  inputs: {
    aquifers: {
      kind: "features",
      title: "Aquifers",
      expects: "polygons with the aquifer's name (Principal_) and its specific yield (yeild__)",
    },
    units: { kind: "features", title: "Units", expects: "polygons with an id column" },
  },
  outputs: [
    {
      name: "aquifer_vector_<district>_<block>",
      kind: "vector",
      title: "Units with the share of each aquifer, the dominant one and the weighted yield",
      columns: [
        {
          name: "total_weighted_yield",
          unit: "fraction",
          meaning:
            "sum of yield times share of the unit; ground without a polygon counts as yield 0, as in the original",
        },
        {
          name: "mean_yield",
          unit: "fraction",
          meaning: "yield weighted by area, over the ground that has polygons",
        },
        {
          name: "%_area_aquifer",
          unit: "%",
          meaning: "share of the unit under the polygon that covers most of it",
        },
        {
          name: "aquifer_count",
          unit: "polygons",
          meaning: "polygons that meet the unit, touching ones among them, as in the original",
        },
        {
          name: "aquifer_class",
          unit: "text",
          meaning: "Alluvium or Hard-Rock, by that polygon; None without one",
        },
        {
          name: "principle_aq_<Name>_percent",
          unit: "%",
          meaning: "share of the unit under aquifers of that name",
        },
        {
          name: "principle_aq_None_percent",
          unit: "%",
          meaning:
            "what the others leave of 100: no polygon, no name, a name without a column, no known yield",
        },
        {
          name: "dominant_aquifer, dominant_percent",
          unit: "text, %",
          meaning:
            "aquifer with the largest share of all its polygons together, which may differ from the polygon with the largest",
        },
        { name: "runner_up_aquifer, runner_up_percent", unit: "text, %", meaning: "the second largest" },
        { name: "uncovered_percent", unit: "%", meaning: "ground without any counted polygon" },
        {
          name: "Age ... zone_m, y_value",
          unit: "as in the source",
          meaning:
            "columns of the polygon under most of the unit and its yield; null without one (the original writes -1, NA and 0)",
        },
      ],
    },
  ],
  sources: [
    "CoRE Stack, aquifer_vector: polygons without a known yield removed, share by area of the intersection, None as the rest of 100, class and attributes of the polygon with the largest intersection (the first on a tie)",
    "Central Ground Water Board, principal aquifers of India: names and specific yields",
  ],
  async run(parameters, context) {
    const aquifers = context.inputs.features("aquifers");
    const units = await readTable(context.inputs.features("units"), { signal: context.signal });
    if (columnNamed(units, parameters.idColumn) === undefined) {
      context.warn(
        `the units have no column "${parameters.idColumn}": rows are known by their position only`,
      );
    }
    const tally = await measure(aquifers, units, parameters, context);
    const names = parameters.classes === "principal" ? PRINCIPAL_AQUIFERS : tally.found();
    if (names.length === 0) context.warn("no aquifer lies under the units: every share is 0");
    const name = layerName("aquifer_vector", parameters.area);
    const legend = [...tally.found(), NONE].map((value, k) => ({
      value,
      name: value,
      color: value === NONE ? ([200, 200, 200, 255] as const) : classColor(k),
    }));
    return {
      layers: [
        {
          kind: "vector",
          name,
          title: "Dominant aquifer",
          source: tally.table(units, names, parameters.classes === "principal"),
          style: { by: "dominant_aquifer", classes: legend, idColumn: parameters.idColumn },
        },
      ],
      context: [
        {
          kind: "vector",
          name: "aquifers",
          title: "Aquifers",
          source: aquifers,
          style: { by: parameters.classField, classes: legend, width: 0.5 },
        },
      ],
      summarize: () => ({
        figures: [
          { label: "Units", value: units.count },
          { label: "Aquifer polygons under them", value: tally.polygons },
          { label: "Area of the units", value: round(tally.total / 1e4), unit: "ha" },
          {
            label: "Under known aquifers",
            value: round((100 * tally.covered) / (tally.total || 1)),
            unit: "%",
          },
        ],
        charts: [
          {
            title: "Area of each aquifer under all units",
            unit: "ha",
            categories: [...tally.found()],
            series: [
              {
                name: "area",
                values: tally.found().map((one) => round(tally.areaOf(one) / 1e4)),
              },
            ],
          },
        ],
        counts: {
          units: units.count,
          polygons: tally.polygons,
          withoutYield: tally.withoutYield,
          unitsWithout: tally.unitsWithout(),
          aquifers: tally.found().length,
        },
      }),
    };
  },
});

/** Share of each aquifer, the dominant one and the area-weighted yield, per unit. */
export const aquifer: Pipeline = pipeline;

type Parameters = z.output<typeof parameters>;

async function measure(
  aquifers: FeatureSource,
  units: FeatureTable,
  { classField, yieldField, surface }: Parameters,
  context: {
    readonly onCrsMismatch: "error" | "transform";
    readonly signal: AbortSignal;
    warn(message: string): void;
    progress(step: string, done: number, total: number | null, unit: string): void;
  },
): Promise<Tally> {
  const present = new Set(aquifers.schema.fields.map(({ name }) => name));
  const hasYield = present.has(yieldField);
  if (!hasYield)
    context.warn(`the aquifers have no column "${yieldField}": no yields, and every polygon counts`);
  const attributes = aquifers.schema.fields.filter(
    ({ name }) => ATTRIBUTES.includes(name) || name === classField || (hasYield && name === yieldField),
  );
  const tally = new Tally(
    units.count,
    attributes.map(({ name, type }) => ({ name, type })),
    hasYield,
  );
  let batch: FeatureTable | null = null;
  let row = -1;
  let fraction: number | null = null;
  let aquifer = NONE;
  const { zoneAreas, warnings } = await polygonOverlaps(
    units,
    aquifers,
    {
      ...(surface === "auto" ? {} : { surface }),
      fields: [...new Set([classField, ...attributes.map(({ name }) => name)])],
      touching: true,
      onCrsMismatch: context.onCrsMismatch,
      signal: context.signal,
      onProgress: (done, total) => context.progress("measuring overlaps", done, total, "polygons"),
    },
    (current, k, unit, shared) => {
      if (current !== batch || k !== row) {
        batch = current;
        row = k;
        fraction = hasYield ? yieldFraction(valueAt(columnNamed(current, yieldField)!, k)) : 0;
        const value = valueAt(columnNamed(current, classField)!, k);
        aquifer = value === null || value === "" ? NONE : String(value);
        if (fraction === null) tally.withoutYield++;
        else tally.polygons++;
      }
      if (fraction !== null) tally.add(unit, aquifer, shared, fraction, current, k);
    },
  );
  tally.finish(zoneAreas);
  for (const warning of warnings) context.warn(warning);
  if (tally.withoutYield > 0)
    context.warn(`${tally.withoutYield} aquifer polygons have no known yield: they count as not there`);
  return tally;
}

/** Sums of all units. */
class Tally {
  polygons = 0;
  withoutYield = 0;
  /** Square metres of all units, and of what aquifers cover of them. */
  total = 0;
  covered = 0;
  readonly #areas = new Map<string, Float64Array>();
  readonly #yields: Float64Array;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  readonly #largest: Float64Array;
  readonly #largestYield: Float64Array;
  readonly #largestName: (string | null)[];
  readonly #attributes: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly #values: (readonly Value[] | null)[];
  readonly #hasYield: boolean;
  #zoneAreas: Float64Array = new Float64Array(0);

  constructor(
    units: number,
    attributes: readonly { readonly name: string; readonly type: ColumnType }[],
    hasYield: boolean,
  ) {
    this.#yields = new Float64Array(units);
    this.#sums = new Float64Array(units);
    this.#counts = new Float64Array(units);
    this.#largest = new Float64Array(units);
    this.#largestYield = new Float64Array(units).fill(Number.NaN);
    this.#largestName = new Array<string | null>(units).fill(null);
    this.#values = new Array<readonly Value[] | null>(units).fill(null);
    this.#attributes = attributes;
    this.#hasYield = hasYield;
  }

  add(
    unit: number,
    aquifer: string,
    shared: number,
    fraction: number,
    batch: FeatureTable,
    row: number,
  ): void {
    this.#counts[unit]!++;
    if (shared > 0) {
      let areas = this.#areas.get(aquifer);
      if (areas === undefined) {
        areas = new Float64Array(this.#sums.length);
        this.#areas.set(aquifer, areas);
      }
      areas[unit]! += shared;
      this.#sums[unit]! += shared;
      this.#yields[unit]! += shared * fraction;
    }
    // The first of equally large ones stays.
    if (shared <= this.#largest[unit]!) return;
    this.#largest[unit] = shared;
    this.#largestYield[unit] = fraction;
    this.#largestName[unit] = aquifer;
    this.#values[unit] = this.#attributes.map(({ name }) => valueAt(columnNamed(batch, name)!, row));
  }

  finish(zoneAreas: Float64Array): void {
    this.#zoneAreas = zoneAreas;
    for (const size of zoneAreas) this.total += size;
    for (const sum of this.#sums) this.covered += sum;
  }

  /** Names that cover some ground, those of the national map in its order, then others by name; without None. */
  found(): string[] {
    const others = [...this.#areas.keys()].filter(
      (name) => name !== NONE && !PRINCIPAL_AQUIFERS.includes(name),
    );
    return [...PRINCIPAL_AQUIFERS.filter((name) => this.#areas.has(name)), ...others.sort(byCodeUnits)];
  }

  areaOf(name: string): number {
    return this.#areas.get(name)?.reduce((sum, one) => sum + one, 0) ?? 0;
  }

  unitsWithout(): number {
    return this.#sums.reduce((sum, one) => sum + (one === 0 ? 1 : 0), 0);
  }

  table(units: FeatureTable, names: readonly string[], principal: boolean): FeatureTable {
    const columns: Column[] = [];
    const add = (name: string, type: ColumnType, value: (unit: number) => Value): void => {
      const builder = new ColumnBuilder({ name, type, nullable: true });
      for (let unit = 0; unit < units.count; unit++) builder.push(value(unit));
      columns.push(builder.finish());
    };
    const percent = (unit: number, part: number): number | null =>
      this.#zoneAreas[unit]! > 0 ? (100 * part) / this.#zoneAreas[unit]! : null;
    const area = (name: string, unit: number): number => this.#areas.get(name)?.[unit] ?? 0;
    const ranks = this.#rank(units.count);

    if (this.#hasYield) {
      add("total_weighted_yield", "float64", (unit) => {
        const share = percent(unit, this.#yields[unit]!);
        return share === null ? null : share / 100;
      });
      add("mean_yield", "float64", (unit) =>
        this.#sums[unit]! > 0 ? this.#yields[unit]! / this.#sums[unit]! : null,
      );
    }
    add("%_area_aquifer", "float64", (unit) => percent(unit, this.#largest[unit]!));
    add("aquifer_count", "int32", (unit) => this.#counts[unit]!);
    if (principal)
      add("aquifer_class", "string", (unit) => {
        const name = this.#largestName[unit]!;
        return name === null ? NONE : name === "Alluvium" ? "Alluvium" : "Hard-Rock";
      });
    for (const name of names)
      add(`principle_aq_${name}_percent`, "float64", (unit) => percent(unit, area(name, unit)));
    add("principle_aq_None_percent", "float64", (unit) => {
      const named = percent(
        unit,
        names.reduce((sum, name) => sum + area(name, unit), 0),
      );
      return named === null ? null : Math.max(0, 100 - named);
    });
    add("dominant_aquifer", "string", (unit) => ranks[unit]![0] ?? NONE);
    add("dominant_percent", "float64", (unit) => rankPercent(unit, 0));
    add("runner_up_aquifer", "string", (unit) => ranks[unit]![1] ?? null);
    add("runner_up_percent", "float64", (unit) => rankPercent(unit, 1));
    add("uncovered_percent", "float64", (unit) => {
      const covered = percent(unit, this.#sums[unit]!);
      return covered === null ? null : Math.max(0, 100 - covered);
    });
    for (const [k, { name, type }] of this.#attributes.entries())
      add(name, type, (unit) => this.#values[unit]?.[k] ?? null);
    if (this.#hasYield)
      add("y_value", "float64", (unit) =>
        Number.isNaN(this.#largestYield[unit]!) ? null : this.#largestYield[unit]!,
      );
    const added = new Set(columns.map(({ name }) => name));
    return { ...units, columns: [...units.columns.filter(({ name }) => !added.has(name)), ...columns] };

    function rankPercent(unit: number, rank: number): number | null {
      const name = ranks[unit]![rank];
      return name === undefined ? null : percent(unit, area(name, unit));
    }
  }

  /** The two aquifers with the largest areas in each unit; on a tie the name that comes first. */
  #rank(units: number): string[][] {
    const names = [...this.#areas.keys()].sort(byCodeUnits);
    return Array.from({ length: units }, (_, unit) =>
      names
        .filter((name) => this.#areas.get(name)![unit]! > 0)
        .sort((a, b) => this.#areas.get(b)![unit]! - this.#areas.get(a)![unit]!)
        .slice(0, 2),
    );
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
