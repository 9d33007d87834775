import { scanRuns } from "../../kernels/raster/rasterize.ts";
import { type PreparedShapes, prepareShapes } from "../../kernels/raster/shapes.ts";
import type { ZonalPlan } from "../../kernels/zonal/accumulate.ts";
import { coverageRuns } from "../../kernels/zonal/coverage.ts";
import type { GeometryColumn } from "../../model/geometry.ts";
import type { Window } from "../../model/grid.ts";
import type { RasterSource } from "../../model/raster.ts";
import { pixelPlan, type ZonalRules } from "./presets.ts";
import type { AreaSurface } from "./row-areas.ts";
import { needsOf, type Statistic } from "./statistics.ts";

/** One way to look at the pixels: a plan, and whether pixels are weighed by their areas. */
export interface Pass {
  readonly plan: ZonalPlan;
  readonly areas: boolean;
  /** What it is for: everything, what Earth Engine counts by centres, areas, or zones without centres. */
  readonly role: "main" | "centers" | "area" | "fallback";
}

/** Statistics that Earth Engine reduces without weights, by pixel centres. */
export const UNWEIGHTED: ReadonlySet<string> = new Set([
  "count",
  "cells",
  "min",
  "max",
  "range",
  "variety",
  "min_x",
  "min_y",
  "max_x",
  "max_y",
]);

/** The ways to look at the pixels that statistics and rules ask for; the first is the main one. */
export function passesOf(
  statistics: readonly Statistic[],
  rules: ZonalRules,
  minCoverage: number,
  area: AreaSurface | undefined,
): Pass[] {
  const { rule, share } = pixelPlan(rules.pixels);
  const plan = (of: readonly Statistic[], changes: Partial<ZonalPlan>): ZonalPlan => {
    const merged = { rule, share, bytes: rules.bytes, ...changes };
    const uneven = (merged.rule === "coverage" && merged.share === 0) || area !== undefined;
    return {
      ...merged,
      minCoverage: merged.rule === "coverage" ? minCoverage : 0,
      ...needsOf(of, rules.tie, uneven && rules.quantiles === "weighted"),
    };
  };
  const weighed = area !== undefined;
  const passes: Pass[] = [{ plan: plan(statistics, {}), areas: weighed, role: "main" }];
  if (rules.bytes) {
    const unweighted = statistics.filter(({ name }) => UNWEIGHTED.has(name));
    passes[0] = {
      ...passes[0]!,
      plan: plan(
        statistics.filter(({ name }) => !UNWEIGHTED.has(name)),
        {},
      ),
    };
    passes.push({
      plan: plan(unweighted, { rule: "center", share: 0, bytes: false }),
      areas: false,
      role: "centers",
    });
  }
  if (rules.fallback)
    passes.push({
      plan: plan(statistics, { rule: "coverage", share: 0 }),
      areas: weighed,
      role: "fallback",
    });
  if (!weighed && statistics.some(({ name }) => name === "area"))
    passes.push({ plan: plan([], {}), areas: true, role: "area" });
  return passes;
}

/** The zones, prepared for every rule that is asked for. */
export class Shapes {
  readonly passes: readonly { readonly pass: Pass; readonly prepared: PreparedShapes }[];

  constructor(geometry: GeometryColumn, source: RasterSource, passes: readonly Pass[]) {
    const made = new Map<string, PreparedShapes>();
    this.passes = passes.map((pass) => {
      const rule = pass.plan.rule === "center" ? "center" : "all-touched";
      let prepared = made.get(rule);
      if (prepared === undefined) {
        prepared = prepareShapes(geometry, source.grid, rule);
        made.set(rule, prepared);
      }
      return { pass, prepared };
    });
  }

  /** Those of the first pass. */
  get first(): PreparedShapes {
    return this.passes[0]!.prepared;
  }

  /** Whether any pixel of `window` belongs to a feature. */
  meets(window: Window, features: Int32Array): boolean {
    return this.passes.some(({ pass, prepared }) =>
      pass.plan.rule === "coverage"
        ? coverageRuns(prepared, window, features).count > 0
        : scanRuns(prepared, window, features).count > 0,
    );
  }
}
