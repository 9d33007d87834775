import { z } from "zod";
import { GeoError } from "../model/errors.ts";
import type { Column, FeatureTable } from "../model/features.ts";
import { columnNamed } from "../model/features.ts";
import { makeBand, type RasterSource, type Rgba } from "../model/raster.ts";
import { clipRaster } from "../operators/clip-raster.ts";
import { type ClassAreas, dominantClass } from "../operators/dominant.ts";
import { streamLines, streamOrder } from "../operators/hydrology.ts";
import { readObserved } from "../operators/observed.ts";
import { readTable } from "../operators/read-table.ts";
import { tileReader } from "../operators/tile-reader.ts";
import { type ClassStyle, definePipeline, type Pipeline } from "./define.ts";
import { DEM, depressions, directionsFromDem, maxCells, pixels } from "./flow-inputs.ts";
import { layerName } from "./naming.ts";
import { area, format, idColumn } from "./parameters.ts";

/** Orders that always have a column: those of the original's raster of India. */
const ORDERS = 11;
/** No river of the world comes near; a value beyond is no stream order. */
const LARGEST = 30;
const SQUARE_METRES_PER_HECTARE = 10_000;

const parameters = z.object({
  area,
  idColumn,
  format,
  pixels,
  surface: z
    .enum(["auto", "plane", "ellipsoid", "sphere"])
    .default("auto")
    .describe(
      "how a pixel's area is measured; auto: plane for projected rasters, ellipsoid for degrees; sphere: as Earth Engine",
    ),
  threshold: z
    .number()
    .positive()
    .default(0.5)
    .describe("from a DEM, what must drain through a cell to make it a stream"),
  thresholdUnit: z.enum(["cells", "m2", "ha", "km2"]).default("km2").describe("unit of the threshold"),
  depressions,
  maxCells,
});

const pipeline = definePipeline({
  name: "stream-order",
  version: "1.0.0",
  title: "Stream order",
  question:
    "Which order does each stream pixel have, and what share of each unit lies on streams of each order?",
  shape: "raster clip and class shares",
  parameters,
  inputs: {
    raster: {
      kind: "raster",
      title: "Stream order",
      expects: "first band: the order of stream pixels as whole numbers, 0 or nodata elsewhere",
      optional: true,
    },
    dem: DEM,
    units: { kind: "features", title: "Units", expects: "polygons with an id column" },
  },
  outputs: [
    {
      name: "stream_order_<district>_<block>_raster",
      kind: "raster",
      title: "Order of the stream pixels of the units, on the grid of the input: not resampled",
    },
    {
      name: "stream_order_<district>_<block>_vector",
      kind: "vector",
      title: "Units with the share of each order",
      columns: [
        {
          name: "1, 2 ... 11",
          unit: "%",
          meaning:
            "share of the unit's area on pixels of that order; 0 also where the raster says nothing. They add up to the share on any stream, not to 100. Higher orders get columns where there are any",
        },
        { name: "stream_percent", unit: "%", meaning: "their sum" },
        {
          name: "highest_order",
          unit: "order",
          meaning: "the highest order in the unit; null without streams",
        },
        { name: "raster_percent", unit: "%", meaning: "share of the unit that lies on the raster" },
      ],
    },
  ],
  sources: [
    "CoRE Stack, stream_order: pixelArea where the order equals 1 to 11, over the area of the unit. There both are weighted by the part of a pixel inside, the streams at 30 m and the unit at 10 m",
    "From a DEM: priority flood (Barnes, Lehman and Mulla 2014), steepest of eight directions (O'Callaghan and Mark 1984), level ground after Garbrecht and Martz (1997), order after Strahler (1957)",
  ],
  async run(parameters, context) {
    const units = await readTable(context.inputs.features("units"), { signal: context.signal });
    if (columnNamed(units, parameters.idColumn) === undefined) {
      context.warn(
        `the units have no column "${parameters.idColumn}": rows are known by their position only`,
      );
    }
    const directions = directionsFromDem(context, parameters);
    const streams = {
      threshold: parameters.threshold,
      unit: parameters.thresholdUnit,
      maxCells: parameters.maxCells,
      signal: context.signal,
    };
    const source = directions === null ? context.inputs.raster("raster") : streamOrder(directions, streams);
    const clipped = await clipRaster(source, units, {
      pixels: parameters.pixels,
      onCrsMismatch: context.onCrsMismatch,
      signal: context.signal,
    });
    for (const warning of clipped.report.warnings) context.warn(warning);
    const result = await dominantClass(units, withoutGaps(source), {
      pixels: parameters.pixels,
      ...(parameters.surface === "auto" ? {} : { surface: parameters.surface }),
      onCrsMismatch: context.onCrsMismatch,
      memory: context.memory,
      signal: context.signal,
      onProgress: (done, total) => context.progress("counting orders", done, total, "pixels"),
    });
    // What was done to the units was said when the raster was cut.
    const known = /^the zones /;
    for (const warning of result.warnings)
      if (!known.test(warning)) context.warn(warning.replace(": see the column note", ""));
    const shares = sharesOf(
      result.years[0]!,
      result.classes.map(({ value }) => value),
      units.count,
    );
    const lines = directions === null ? null : await streamLines(directions, streams);
    const legend = legendOf(shares.orders);
    return {
      layers: [
        {
          kind: "vector",
          name: layerName("stream_order", parameters.area, "vector"),
          title: "Units with the share of each order",
          source: withShares(units, shares),
          style: { color: "#6b6b6b", fill: "none", width: 1, idColumn: parameters.idColumn },
        },
        {
          kind: "raster",
          name: layerName("stream_order", parameters.area, "raster"),
          title: "Stream order",
          source: clipped,
          classes: true,
          style: { classes: legend },
        },
      ],
      context:
        lines === null
          ? []
          : [
              {
                kind: "vector",
                name: "stream_lines",
                title: "Stream lines of the whole DEM",
                source: lines,
                style: { by: "order", classes: legend.slice(1), width: 1.2 },
              },
            ],
      summarize: () => ({
        figures: [
          { label: "Units", value: units.count },
          { label: "Units with a stream", value: shares.highest.filter((order) => order > 0).length },
          { label: "Highest order", value: shares.highest.reduce((a, b) => Math.max(a, b), 0) },
          {
            label: "Area of stream pixels",
            value: round(shares.total.reduce((a, b) => a + b, 0) / SQUARE_METRES_PER_HECTARE),
            unit: "ha",
          },
          ...(lines === null ? [] : [{ label: "Stream lines in the DEM", value: lines.count }]),
        ],
        charts: [
          {
            title: "Area of the pixels of each order, over all units",
            unit: "ha",
            categories: shares.orders.filter((_, k) => shares.total[k]! > 0).map(String),
            series: [
              {
                name: "Stream pixels",
                color: "#1f6fb4",
                values: Array.from(shares.total)
                  .filter((squareMetres) => squareMetres > 0)
                  .map((squareMetres) => round(squareMetres / SQUARE_METRES_PER_HECTARE)),
              },
            ],
          },
        ],
        counts: {
          units: units.count,
          emptyUnits: result.emptyZones,
          pixels: clipped.report.pixels,
          pixelsInside: clipped.report.pixelsInside,
          ...(lines === null ? {} : { lines: lines.count }),
        },
      }),
    };
  },
});

/** The order of stream pixels of an area, and the share of each order in its units. */
export const streamOrderPipeline: Pipeline = pipeline;

/**
 * The orders of a raster with 0 wherever there is none, so that all ground counts.
 *
 * @throws GeoError `INVALID_INPUT` when read, for values that are no orders
 */
function withoutGaps(source: RasterSource): RasterSource {
  const reader = tileReader(source);
  return {
    url: source.url,
    grid: source.grid,
    bands: [makeBand({ type: "uint8" })],
    tile: source.tile,
    hasMask: false,
    metadata: {},
    async read(window, { signal } = {}) {
      const values = await readObserved(reader, source, 0, window, signal);
      const orders = new Uint8Array(values.length);
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (Number.isNaN(value) || value === 0) continue;
        if (!(Number.isInteger(value) && value > 0 && value <= LARGEST)) {
          throw new GeoError(
            "INVALID_INPUT",
            `${source.url} holds ${value}, which is no stream order`,
            { path: "raster", expected: `whole numbers from 0 to ${LARGEST}` },
            { hint: "Give the raster of orders, not the one of accumulation." },
          );
        }
        orders[i] = value;
      }
      return { window, bands: [orders], mask: null };
    },
    close: () => source.close(),
  };
}

interface Shares {
  /** 1 to 11, and on when there are higher ones. */
  readonly orders: readonly number[];
  /** Percent of the unit, `units * orders`. */
  readonly percent: Float64Array;
  /** Per unit; 0 without streams. */
  readonly highest: number[];
  /** Percent of the unit on the raster. */
  readonly onRaster: Float64Array;
  /** Square metres of each order over all units. */
  readonly total: Float64Array;
}

function sharesOf({ area, coveredShare }: ClassAreas, values: readonly number[], units: number): Shares {
  const orders = Array.from({ length: Math.max(ORDERS, ...values) }, (_, k) => k + 1);
  const percent = new Float64Array(units * orders.length);
  const total = new Float64Array(orders.length);
  const highest: number[] = [];
  for (let unit = 0; unit < units; unit++) {
    let observed = 0;
    for (let c = 0; c < values.length; c++) observed += area[unit * values.length + c]!;
    // Of the whole unit: what lies off the raster counts as ground without streams.
    const whole = observed / coveredShare[unit]!;
    let most = 0;
    for (const [c, order] of values.entries()) {
      const own = area[unit * values.length + c]!;
      if (order === 0 || own === 0) continue;
      percent[unit * orders.length + order - 1] = (100 * own) / whole;
      total[order - 1]! += own;
      most = Math.max(most, order);
    }
    highest.push(most);
  }
  return { orders, percent, highest, onRaster: coveredShare.map((share) => 100 * share), total };
}

function withShares(units: FeatureTable, { orders, percent, highest, onRaster }: Shares): FeatureTable {
  const n = orders.length;
  const column = (name: string, value: (unit: number) => number): Column => ({
    name,
    type: "float64",
    nullable: false,
    valid: null,
    values: Float64Array.from({ length: units.count }, (_, unit) => value(unit)),
  });
  const sum = (unit: number): number => {
    let of = 0;
    for (let k = 0; k < n; k++) of += percent[unit * n + k]!;
    return of;
  };
  const columns: Column[] = [
    ...orders.map((order, k) => column(String(order), (unit) => percent[unit * n + k]!)),
    column("stream_percent", sum),
    {
      name: "highest_order",
      type: "int32",
      nullable: true,
      valid: Uint8Array.from(highest, (order) => (order > 0 ? 1 : 0)),
      values: Int32Array.from(highest),
    },
    column("raster_percent", (unit) => onRaster[unit]!),
  ];
  const added = new Set(columns.map(({ name }) => name));
  return { ...units, columns: [...units.columns.filter(({ name }) => !added.has(name)), ...columns] };
}

/** Pale to dark blue upward; ground without streams is clear. */
function legendOf(orders: readonly number[]): (ClassStyle & { readonly value: number })[] {
  const colors: Rgba[] = [
    [158, 202, 225, 255],
    [107, 174, 214, 255],
    [49, 130, 189, 255],
    [8, 81, 156, 255],
    [8, 48, 107, 255],
    [63, 0, 125, 255],
  ];
  return [
    { value: 0, name: "No stream", color: [0, 0, 0, 0] },
    ...orders.map((order) => ({
      value: order,
      name: `Order ${order}`,
      color: colors[Math.min(order, colors.length) - 1]!,
    })),
  ];
}

/** Three digits after the point, enough for hectares. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
