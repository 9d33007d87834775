import { z } from "zod";
import type { Column, FeatureTable } from "../model/features.ts";
import type { Rgba } from "../model/raster.ts";
import { type ClassAreas, type DominantResult, dominantClass } from "../operators/dominant.ts";
import { readTable } from "../operators/read-table.ts";
import { type ClassStyle, definePipeline, type LabelledRaster, type Pipeline } from "./define.ts";
import { classColor, type LandCoverClass, LULC_V3, namedClasses } from "./land-cover-classes.ts";
import { layerName } from "./naming.ts";
import { area, format, idColumn } from "./parameters.ts";

const SQUARE_METRES_PER_HECTARE = 10_000;

const parameters = z.object({
  area,
  idColumn,
  format,
  legend: z
    .enum(["file", "lulc-v3"])
    .default("file")
    .describe(
      "lulc-v3: CoRE Stack's classes and column names; file: the values found, with the file's colours",
    ),
  classes: z
    .array(
      z.strictObject({
        value: z.number().int(),
        name: z.string().min(1),
        color: z
          .string()
          .regex(/^#[0-9a-fA-F]{6}$/)
          .optional(),
      }),
    )
    .optional()
    .describe("names and colours of the classes: [{value, name, color: '#rrggbb'}]; goes before the legend"),
  background: z
    .array(z.number().int())
    .default([])
    .describe(
      "values that are not reported and do not count as observed; lulc-v3 takes 0 as background by itself",
    ),
  pixels: z
    .enum(["center", "all-touched", "coverage"])
    .default("center")
    .describe(
      "which pixels belong to a unit; coverage: every pixel by the exact part inside, as Earth Engine's weights are meant",
    ),
  surface: z
    .enum(["auto", "plane", "ellipsoid", "sphere"])
    .default("auto")
    .describe(
      "how a pixel's area is measured; auto: plane for projected rasters, ellipsoid for degrees; sphere: as Earth Engine",
    ),
  tie: z
    .enum(["min", "max", "first"])
    .default("min")
    .describe("which class is dominant on a tie: smallest code, largest, first met"),
});

const pipeline = definePipeline({
  name: "land-cover",
  version: "1.0.0",
  title: "Land cover and dominant class",
  question:
    "How many hectares of each land-cover class does each unit have, year by year, and which class is dominant?",
  shape: "dominant class",
  parameters,
  inputs: {
    rasters: {
      kind: "rasters",
      title: "Class rasters",
      expects:
        "one raster a year, first band whole-number classes; the year is read from the name, or given as {year: path}",
    },
    units: { kind: "features", title: "Units", expects: "polygons with an id column" },
  },
  outputs: [
    {
      name: "lulc_vector_<district>_<block>",
      kind: "vector",
      title: "Units with the area of each class and the dominant class per year",
      columns: [
        { name: "<class>_area_<year>", unit: "ha", meaning: "area of the class in the unit" },
        {
          name: "dominant_<year>",
          unit: "class code",
          meaning: "class with the largest area; null where nothing was observed",
        },
        { name: "dominant_name_<year>", unit: "text", meaning: "its name" },
        { name: "dominant_share_<year>", unit: "0..1", meaning: "its share of the observed area" },
        { name: "runner_up_<year>", unit: "class code", meaning: "class with the second largest area" },
        { name: "runner_up_share_<year>", unit: "0..1", meaning: "its share of the observed area" },
        {
          name: "observed_share_<year>",
          unit: "0..1",
          meaning: "share of the unit that the raster observes",
        },
      ],
    },
    {
      name: "lulc_change_<district>_<block>",
      kind: "table",
      title: "What became what between years, over all units",
      columns: [
        { name: "from_year, to_year", unit: "year", meaning: "the two rasters" },
        { name: "from_class, to_class", unit: "text", meaning: "class before and after" },
        { name: "area_ha", unit: "ha", meaning: "area that went from one to the other" },
      ],
    },
  ],
  sources: [
    "CoRE Stack, lulc_vector: pixelArea where the code equals the class, summed per unit, in hectares",
    "Earth Engine, ImageCollection.mode: ties give the smallest value",
  ],
  async run(parameters, context) {
    const units = await readTable(context.inputs.features("units"), { signal: context.signal });
    const rasters = context.inputs.rasters("rasters");
    if (units.columns.every(({ name }) => name !== parameters.idColumn)) {
      context.warn(
        `the units have no column "${parameters.idColumn}": rows are known by their position only`,
      );
    }
    const classes = classesOf(parameters, rasters[0]?.source.bands[0]?.colorTable ?? null);
    const background = new Set(
      parameters.legend === "lulc-v3" && parameters.classes === undefined
        ? [0, ...parameters.background]
        : parameters.background,
    );
    const result = await dominantClass(units, ignoring(rasters, background), {
      pixels: parameters.pixels,
      tie: parameters.tie,
      ...(parameters.surface === "auto" ? {} : { surface: parameters.surface }),
      ...(classes === null ? {} : { classes: classes.map(({ value, name }) => ({ value, name })) }),
      onCrsMismatch: context.onCrsMismatch,
      memory: context.memory,
      signal: context.signal,
      onProgress: (done, total) => context.progress("counting classes", done, total, "pixels"),
    });
    for (const warning of result.warnings) context.warn(warning);
    const legend = completeLegend(result, classes, rasters[0]?.source.bands[0]?.colorTable ?? null);
    const name = layerName("lulc_vector", parameters.area);
    const table = withClassColumns(units, result, legend);
    const last = result.years.at(-1)!.label;
    const style = { by: `dominant_${last}`, classes: legend.map(toStyle), idColumn: parameters.idColumn };
    const changes = changeTable(result, legend);
    return {
      layers: [
        { kind: "vector", name, title: `Dominant class ${last}`, source: table, style },
        ...(changes.count === 0
          ? []
          : [
              {
                kind: "table" as const,
                name: layerName("lulc_change", parameters.area),
                title: "Change between years",
                source: changes,
              },
            ]),
      ],
      context: rasters.map(({ label, source }) => ({
        kind: "raster" as const,
        name: `classes_${label}`,
        title: `Land cover ${label}`,
        source,
        classes: true,
        style: { classes: legend.map(toStyle) },
      })),
      summarize: () => ({
        figures: [
          { label: "Units", value: units.count },
          { label: "Years", value: result.years.map(({ label }) => label).join(", ") },
          {
            label: "Observed area",
            value: round(observed(result.years.at(-1)!) / SQUARE_METRES_PER_HECTARE),
            unit: "ha",
          },
          { label: `Most common dominant class ${last}`, value: commonest(result.years.at(-1)!, legend) },
        ],
        charts: [chart(result, legend)],
        counts: {
          units: units.count,
          classes: legend.length,
          rasters: rasters.length,
          emptyUnits: result.emptyZones,
          pixels: round(
            result.years.reduce((sum, { zonePixels }) => sum + zonePixels.reduce((a, b) => a + b, 0), 0),
          ),
        },
      }),
    };
  },
});

/** Hectares of each class, the dominant class, its share and the runner-up, per unit and year; and the change matrix. */
export const landCover: Pipeline = pipeline;

type Parameters = z.output<typeof parameters>;

/** Classes that the parameters name, or `null`: those that the rasters hold. */
function classesOf(parameters: Parameters, colors: readonly Rgba[] | null): LandCoverClass[] | null {
  if (parameters.classes !== undefined) {
    const named = parameters.classes.map(({ value, name, color }, k) => ({
      value,
      name,
      color: color === undefined ? (colors?.[value] ?? classColor(k)) : parseHex(color),
    }));
    return namedClasses(named);
  }
  return parameters.legend === "lulc-v3" ? [...LULC_V3] : null;
}

/** The classes of the result, in its order, each with a name, a colour and a prefix. */
function completeLegend(
  { classes }: DominantResult,
  known: readonly LandCoverClass[] | null,
  colors: readonly Rgba[] | null,
): LandCoverClass[] {
  const byValue = new Map((known ?? []).map((one) => [one.value, one]));
  const named = namedClasses(
    classes.map(({ value, name }, k) => ({ value, name, color: visible(colors?.[value]) ?? classColor(k) })),
  );
  return named.map((one) => byValue.get(one.value) ?? one);
}

function visible(color: Rgba | undefined): Rgba | undefined {
  return color === undefined || color[3] === 0 ? undefined : color;
}

/** Rasters in which the background values count as nodata. */
function ignoring(
  rasters: readonly LabelledRaster[],
  background: ReadonlySet<number>,
): readonly LabelledRaster[] {
  if (background.size === 0) return rasters;
  return rasters.map((raster) => {
    const { source } = raster;
    return {
      ...raster,
      source: {
        url: source.url,
        grid: source.grid,
        bands: source.bands,
        tile: source.tile,
        hasMask: true,
        metadata: source.metadata,
        async read(window, options) {
          const block = await source.read(window, options);
          const samples = block.bands[0]!;
          const mask = block.mask === null ? new Uint8Array(samples.length).fill(255) : block.mask.slice();
          for (let i = 0; i < mask.length; i++) if (background.has(Number(samples[i]))) mask[i] = 0;
          return { ...block, mask };
        },
        close: () => source.close(),
      },
    };
  });
}

/** The units with their own columns, then class by class the years, then the dominant classes year by year. */
function withClassColumns(
  units: FeatureTable,
  result: DominantResult,
  legend: readonly LandCoverClass[],
): FeatureTable {
  const { years } = result;
  const n = legend.length;
  const columns: Column[] = [];
  for (const [c, { prefix }] of legend.entries()) {
    for (const { label, area } of years) {
      const hectares = Float64Array.from(
        { length: units.count },
        (_, zone) => area[zone * n + c]! / SQUARE_METRES_PER_HECTARE,
      );
      columns.push({
        name: `${prefix}${label}`,
        type: "float64",
        nullable: false,
        valid: null,
        values: hectares,
      });
    }
  }
  for (const year of years) {
    const { label } = year;
    columns.push(
      classColumn(`dominant_${label}`, year.dominant, legend),
      nameColumn(`dominant_name_${label}`, year.dominant, legend),
      shareColumn(`dominant_share_${label}`, year.dominantShare),
      classColumn(`runner_up_${label}`, year.runnerUp, legend),
      nameColumn(`runner_up_name_${label}`, year.runnerUp, legend),
      shareColumn(`runner_up_share_${label}`, year.runnerUpShare),
      shareColumn(`observed_share_${label}`, year.coveredShare),
    );
  }
  const added = new Set(columns.map(({ name }) => name));
  return { ...units, columns: [...units.columns.filter(({ name }) => !added.has(name)), ...columns] };
}

function classColumn(name: string, positions: Int32Array, legend: readonly LandCoverClass[]): Column {
  const valid = Uint8Array.from(positions, (k) => (k < 0 ? 0 : 1));
  const values = Int32Array.from(positions, (k) => legend[k]?.value ?? 0);
  return { name, type: "int32", nullable: true, valid, values };
}

function nameColumn(name: string, positions: Int32Array, legend: readonly LandCoverClass[]): Column {
  return textColumn(
    name,
    Array.from(positions, (k) => legend[k]?.name ?? null),
  );
}

function shareColumn(name: string, shares: Float64Array): Column {
  const valid = Uint8Array.from(shares, (share) => (Number.isNaN(share) ? 0 : 1));
  const values = Float64Array.from(shares, (share) => (Number.isNaN(share) ? 0 : share));
  return { name, type: "float64", nullable: true, valid, values };
}

function textColumn(name: string, texts: readonly (string | null)[]): Column {
  const encoded = texts.map((text) => new TextEncoder().encode(text ?? ""));
  const offsets = new Int32Array(texts.length + 1);
  for (const [i, bytes] of encoded.entries()) offsets[i + 1] = offsets[i]! + bytes.length;
  const bytes = new Uint8Array(offsets[texts.length]!);
  for (const [i, one] of encoded.entries()) bytes.set(one, offsets[i]!);
  const valid = texts.includes(null) ? Uint8Array.from(texts, (text) => (text === null ? 0 : 1)) : null;
  return { name, type: "string", nullable: valid !== null, valid, values: { offsets, bytes } };
}

/** Rows of the change matrices with an area, a matrix after the other. */
function changeTable({ changes }: DominantResult, legend: readonly LandCoverClass[]): FeatureTable {
  const n = legend.length;
  const rows = changes.flatMap(({ from, to, area }) =>
    Array.from(area, (squareMetres, k) => ({
      from,
      to,
      before: Math.floor(k / n),
      after: k % n,
      squareMetres,
    })).filter(({ squareMetres }) => squareMetres > 0),
  );
  return {
    count: rows.length,
    geometry: null,
    columns: [
      textColumn(
        "from_year",
        rows.map(({ from }) => from),
      ),
      textColumn(
        "to_year",
        rows.map(({ to }) => to),
      ),
      textColumn(
        "from_class",
        rows.map(({ before }) => legend[before]!.name),
      ),
      textColumn(
        "to_class",
        rows.map(({ after }) => legend[after]!.name),
      ),
      {
        name: "area_ha",
        type: "float64",
        nullable: false,
        valid: null,
        values: Float64Array.from(rows, ({ squareMetres }) => squareMetres / SQUARE_METRES_PER_HECTARE),
      },
    ],
    ids: null,
    firstRow: 0,
    crs: null,
  };
}

function chart(
  { years }: DominantResult,
  legend: readonly LandCoverClass[],
): {
  title: string;
  unit: string;
  categories: string[];
  series: { name: string; color: string; values: number[] }[];
} {
  const n = legend.length;
  const total = ({ area }: ClassAreas, c: number): number => {
    let sum = 0;
    for (let k = c; k < area.length; k += n) sum += area[k]!;
    return round(sum / SQUARE_METRES_PER_HECTARE);
  };
  const series = legend
    .map(({ name, color }, c) => ({ name, color: toHex(color), values: years.map((year) => total(year, c)) }))
    .filter(({ values }) => values.some((value) => value > 0));
  return {
    title: "Area of each class over all units",
    unit: "ha",
    categories: years.map(({ label }) => label),
    series,
  };
}

function observed({ area }: ClassAreas): number {
  return area.reduce((sum, squareMetres) => sum + squareMetres, 0);
}

function commonest({ dominant }: ClassAreas, legend: readonly LandCoverClass[]): string {
  const counts = legend.map((_, c) => dominant.reduce((sum, k) => sum + (k === c ? 1 : 0), 0));
  const most = counts.indexOf(Math.max(...counts));
  return counts[most] === 0 || most < 0 ? "none" : `${legend[most]!.name} (${counts[most]} units)`;
}

function toStyle({ value, name, color }: LandCoverClass): ClassStyle {
  return { value, name, color };
}

function parseHex(text: string): Rgba {
  const number = Number.parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255, 255];
}

function toHex([red, green, blue]: Rgba): string {
  return `#${((red << 16) | (green << 8) | blue).toString(16).padStart(6, "0")}`;
}

/** Three digits after the point, enough for hectares of a 10 m pixel. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
