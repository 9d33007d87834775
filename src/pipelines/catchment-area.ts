import { z } from "zod";
import { isNodata, makeBand, type RasterBlock, type RasterSource, type Rgba } from "../model/raster.ts";
import { clipRaster } from "../operators/clip-raster.ts";
import { flowAccumulation } from "../operators/hydrology.ts";
import { readTable } from "../operators/read-table.ts";
import { readWindows } from "../operators/read-windows.ts";
import { reclassify } from "../operators/reclassify.ts";
import { definePipeline, type Pipeline, type PipelineContext } from "./define.ts";
import { DEM, depressions, directionsFromDem, maxCells, pixels } from "./flow-inputs.ts";
import { layerName } from "./naming.ts";
import { area, idColumn } from "./parameters.ts";

const parameters = z.object({
  area,
  idColumn,
  pixels,
  unit: z
    .enum(["cells", "m2", "ha", "km2"])
    .default("ha")
    .describe(
      "from a DEM, what the catchment of a cell is measured in; areas are those of the projection, on the ellipsoid for degrees. A ready raster keeps its unit",
    ),
  depressions,
  maxCells,
});

const pipeline = definePipeline({
  name: "catchment-area",
  version: "1.0.0",
  title: "Catchment area",
  question: "What area drains through each pixel, along a single direction of flow?",
  shape: "raster clip",
  parameters,
  inputs: {
    raster: {
      kind: "raster",
      title: "Catchment area",
      expects: "flow accumulation along a single direction, any unit, any bands",
      optional: true,
    },
    dem: DEM,
    units: { kind: "features", title: "Units", expects: "polygons with an id column" },
  },
  outputs: [
    {
      name: "catchment_area_<district>_<block>_raster",
      kind: "raster",
      title:
        "Catchment of each pixel of the units, itself included, on the grid of the input: not resampled (the original exports 30 m in EPSG:4326)",
    },
  ],
  sources: [
    "CoRE Stack, generate_catchment_area_singleflow: a raster made beforehand, masked to the merged units",
    "From a DEM: priority flood (Barnes, Lehman and Mulla 2014), steepest of eight directions (O'Callaghan and Mark 1984), level ground after Garbrecht and Martz (1997); the original's raster was made by others from other heights, so values differ",
  ],
  async run(parameters, context) {
    const units = await readTable(context.inputs.features("units"), { signal: context.signal });
    const directions = directionsFromDem(context, parameters);
    const source =
      directions === null
        ? context.inputs.raster("raster")
        : flowAccumulation(directions, {
            unit: parameters.unit,
            incomplete: "negative",
            maxCells: parameters.maxCells,
            signal: context.signal,
          });
    const clipped = await clipRaster(source, units, {
      pixels: parameters.pixels,
      onCrsMismatch: context.onCrsMismatch,
      signal: context.signal,
    });
    for (const warning of clipped.report.warnings) context.warn(warning);
    const incomplete = directions === null ? null : await countNegative(clipped, context);
    if (incomplete !== null && incomplete > 0) {
      context.warn(
        `the catchments of ${incomplete} of ${clipped.report.pixelsInside} pixels may reach beyond the DEM: their areas are lower bounds`,
      );
    }
    const { source: result, seen } = watched(directions === null ? clipped : positive(clipped));
    const name = layerName("catchment_area", parameters.area, "raster");
    const { unit } = result.bands[0]!;
    return {
      layers: [{ kind: "raster", name, title: "Catchment area", source: result }],
      context: [
        {
          kind: "raster",
          name: "powers_of_ten",
          title: unit === "" ? "Catchment area by powers of ten" : `Catchment area by powers of ten, ${unit}`,
          source: reclassify(positive(result), POWERS),
          classes: true,
          style: { classes: legend(unit) },
        },
        {
          kind: "vector",
          name: "units",
          title: "Units",
          source: units,
          style: { color: "#6b6b6b", fill: "none", width: 1, idColumn: parameters.idColumn },
        },
      ],
      summarize: () => {
        if (seen.negative) {
          context.warn(
            "the raster holds negative values, kept as they are: GRASS marks so what may have catchments beyond it",
          );
        }
        return {
          figures: [
            { label: "Units", value: units.count },
            { label: "Pixels in the units", value: clipped.report.pixelsInside },
            {
              label: "Largest catchment",
              value: Number(seen.largest.toPrecision(6)),
              ...(unit === "" ? {} : { unit }),
            },
          ],
          charts: [],
          counts: {
            units: units.count,
            pixels: clipped.report.pixels,
            pixelsInside: clipped.report.pixelsInside,
            ...(incomplete === null ? {} : { incomplete }),
          },
        };
      },
    };
  },
});

/** The catchment of each pixel of an area: a ready raster cut to it, or derived from heights. */
export const catchmentArea: Pipeline = pipeline;

/** From 10^-2 to 10^9, the unit being anything from cells to square kilometres. */
const EXPONENTS: readonly number[] = Array.from({ length: 12 }, (_, k) => k - 2);
const POWERS = [
  { from: -Infinity, to: 10 ** EXPONENTS[0]!, value: 0 },
  ...EXPONENTS.map((exponent, k) => ({
    from: 10 ** exponent,
    to: k + 1 < EXPONENTS.length ? 10 ** (exponent + 1) : Infinity,
    value: k + 1,
  })),
];

/** Pale to dark blue over the classes that occur in practice: hillsides fade, rivers stand out. */
function legend(unit: string): { value: number; name: string; color: Rgba }[] {
  const of = unit === "" ? "" : ` ${unit}`;
  return POWERS.map(({ value }) => {
    const t = Math.min(1, Math.max(0, (value - 1) / 7));
    return {
      value,
      name:
        value === 0
          ? `below ${10 ** EXPONENTS[0]!}${of}`
          : `${10 ** EXPONENTS[value - 1]!} to ${10 ** (EXPONENTS[value - 1]! + 1)}${of}`,
      color: [Math.round(236 - 228 * t), Math.round(243 - 195 * t), Math.round(250 - 143 * t), 255],
    };
  });
}

/** The same raster that remembers the largest value that was read from it, without its sign, and whether one was negative. */
function watched(source: RasterSource): {
  source: RasterSource;
  seen: { largest: number; negative: boolean };
} {
  const seen = { largest: 0, negative: false };
  return {
    seen,
    source: {
      ...source,
      async read(window, options) {
        const block = await source.read(window, options);
        if (options?.bands === undefined || options.bands[0] === 0)
          eachObserved(block, source, (value) => {
            if (value < 0) seen.negative = true;
            if (Math.abs(value) > seen.largest) seen.largest = Math.abs(value);
          });
        return block;
      },
    },
  };
}

function eachObserved(
  { bands, mask }: RasterBlock,
  source: RasterSource,
  visit: (value: number) => void,
): void {
  const samples = bands[0]!;
  const { nodata } = source.bands[0]!;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    if ((mask === null || mask[i] !== 0) && !isNodata(sample, nodata)) visit(Number(sample));
  }
}

/** Pixels whose catchment is not known to be whole; see `incomplete` of flowAccumulation. */
async function countNegative(source: RasterSource, { memory, signal }: PipelineContext): Promise<number> {
  let count = 0;
  for (const window of readWindows(source, 1, memory)) {
    const block = await source.read(window, { signal });
    eachObserved(block, source, (value) => {
      if (value < 0) count++;
    });
  }
  return count;
}

/** Values without their sign. */
function positive(source: RasterSource): RasterSource {
  return {
    ...source,
    bands: source.bands.map((band) => makeBand({ ...band, description: "catchment area" })),
    async read(window, options) {
      const block = await source.read(window, options);
      for (const samples of block.bands) {
        if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) continue;
        for (let i = 0; i < samples.length; i++) if (samples[i]! < 0) samples[i] = -samples[i]!;
      }
      return block;
    },
  };
}
