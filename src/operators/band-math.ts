import { ExpressionError, evaluate, parseExpression } from "../kernels/raster/expression.ts";
import { GeoError } from "../model/errors.ts";
import { gridsAlign } from "../model/grid.ts";
import type { RasterSource } from "../model/raster.ts";
import { type ComputedBand, computedRaster, type InputBand } from "./computed-raster.ts";

/**
 * A raster computed from bands by a formula, such as `(nir - red) / (nir + red)`; see `parseExpression` for its words.
 * Missing pixels, division by zero and what has no real value give no value.
 *
 * @param inputs  What each name in the formula stands for: a raster (its first band), or a raster and a band. All on one
 *                grid, which is that of the result.
 * @throws GeoError `INVALID_INPUT` for a formula that is none, a name that nothing stands for, or grids that differ
 */
export function bandMath(
  formula: string,
  inputs: Readonly<Record<string, RasterSource | InputBand>>,
  output: ComputedBand = {},
): RasterSource {
  const expression = parse(formula);
  const bands = expression.names.map((name) => inputNamed(name, inputs, formula));
  const lead = bands[0];
  if (lead === undefined) {
    throw new GeoError("INVALID_INPUT", `the formula ${JSON.stringify(formula)} names no band`, {
      path: "formula",
      expected: `a formula over ${Object.keys(inputs).join(", ")}`,
    });
  }
  for (const [k, { source }] of bands.entries()) {
    const { grid } = lead.source;
    const same =
      source.grid.width === grid.width &&
      source.grid.height === grid.height &&
      gridsAlign(grid, source.grid) &&
      Math.abs(source.grid.transform[2] - grid.transform[2]) <= Math.abs(grid.transform[0]) / 1000 &&
      Math.abs(source.grid.transform[5] - grid.transform[5]) <= Math.abs(grid.transform[4]) / 1000;
    if (same) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} (${expression.names[k]}) is not on the grid of ${lead.source.url} (${expression.names[0]})`,
      { path: expression.names[k]!, expected: "rasters on one grid" },
      { hint: "Warp one to the grid of the other first." },
    );
  }
  return computedRaster(bands, 0, { description: formula, ...output }, (samples, _, out) =>
    evaluate(expression, samples, out),
  );
}

function parse(formula: string): ReturnType<typeof parseExpression> {
  try {
    return parseExpression(formula);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new GeoError(
      "INVALID_INPUT",
      `${JSON.stringify(formula)}, character ${error.at + 1}: ${error.message}`,
      { path: "formula", expected: "a formula such as (nir - red) / (nir + red)" },
    );
  }
}

function inputNamed(
  name: string,
  inputs: Readonly<Record<string, RasterSource | InputBand>>,
  formula: string,
): InputBand {
  const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  if (input === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `nothing is called ${JSON.stringify(name)} in ${JSON.stringify(formula)}`,
      {
        path: "formula",
        expected: `one of ${Object.keys(inputs).join(", ")}`,
      },
    );
  }
  const chosen = "source" in input ? input : { source: input, band: 0 };
  if (chosen.source.bands[chosen.band] === undefined) {
    throw new GeoError("INVALID_INPUT", `${chosen.source.url} has no band ${chosen.band + 1} (${name})`, {
      path: name,
      expected: `0 to ${chosen.source.bands.length - 1}`,
    });
  }
  return chosen;
}
