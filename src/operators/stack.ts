import type { Executor } from "../execution/executor.ts";
import { describeCrs } from "../model/crs.ts";
import { GeoError, isGeoError } from "../model/errors.ts";
import { fullWindow, type Grid, intersectWindows } from "../model/grid.ts";
import { type Band, isComplex, type RasterSource } from "../model/raster.ts";
import { formatInstant, type Instant, parseInstant } from "../model/time.ts";
import type { InputBand } from "./computed-raster.ts";
import { placedRaster, sameCells, shiftOf } from "./temporal/place.ts";
import { type Resampling, warpRaster } from "./warp.ts";

/** What was observed at one time. */
export interface SceneInput {
  /** When: milliseconds since 1970, a `Date`, or an ISO 8601 text (UTC when it names no zone). */
  readonly date: Instant | Date | string;
  /** For messages and reports; default the address of its first raster. */
  readonly id?: string | undefined;
  /** A raster all of whose bands are the scene. */
  readonly source?: RasterSource | undefined;
  /** Or bands by name, of one raster or several. A raster alone stands for its first band. */
  readonly bands?: Readonly<Record<string, RasterSource | InputBand>> | undefined;
  /** Band that tells what is usable. */
  readonly quality?: RasterSource | InputBand | undefined;
}

export interface StackOptions {
  /** Grid of the stack; default that of the first scene given. */
  readonly grid?: Grid | undefined;
  /**
   * How scenes on other grids are brought to it; quality bands by `near`. Default: scenes must share the cells' edges (they
   * may cover other parts), others are an error.
   */
  readonly resampling?: Resampling | undefined;
  /** Bands to take, by name, in this order; default those of the first scene. */
  readonly bands?: readonly string[] | undefined;
  /** Scenes of the same instant: `"keep"` all (default), the `"first"` or `"last"` given, or an `"error"`. */
  readonly duplicates?: "keep" | "first" | "last" | "error" | undefined;
  /** Where warping runs. */
  readonly executor?: Executor | undefined;
  /** Budget of warping, bytes. */
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One scene of a stack: bands on the stack's grid. */
export interface Scene {
  readonly date: Instant;
  readonly id: string;
  /** Place in the list that the stack was made of. */
  readonly index: number;
  /** In the order of the stack's bands. */
  readonly bands: readonly InputBand[];
  readonly quality: InputBand | null;
}

/** Scenes on one grid in order of time. Nothing is read until somebody asks for pixels. */
export interface RasterStack {
  readonly grid: Grid;
  readonly bandNames: readonly string[];
  /** What the bands of the first scene hold. */
  readonly bands: readonly Band[];
  /** By date; scenes of one instant in the order given. */
  readonly scenes: readonly Scene[];
  /** Tiles of the first scene. */
  readonly tile: { readonly width: number; readonly height: number };
  readonly warnings: readonly string[];
  /** Close the rasters that were given. */
  close(): Promise<void>;
}

/**
 * Rasters with dates as one stack. Scenes that do not meet the grid are left out, with a warning.
 *
 * @throws GeoError `INVALID_INPUT` for no scenes, a date that is none, a band that a scene has not, duplicates that are not
 *   wanted; `GRID_MISMATCH` for a scene on another grid when `resampling` is not given; `NO_OVERLAP` when no scene meets
 *   the grid; those of {@link warpRaster}
 */
export async function openStack(
  inputs: Iterable<SceneInput>,
  options: StackOptions = {},
): Promise<RasterStack> {
  const given = [...inputs].map((input, index) => readScene(input, index, options.bands));
  const lead = given[0];
  if (lead === undefined) {
    throw new GeoError("INVALID_INPUT", "a stack needs a scene", {
      path: "scenes",
      expected: "one scene or more",
    });
  }
  const bandNames = options.bands ?? lead.names;
  for (const { names, id, band } of given) {
    const missing = bandNames.some((name, k) => band(name, k) === undefined);
    if (!missing) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `scene ${id} has ${names.join(", ") || "no bands"}, expected ${bandNames.join(", ")}`,
      { path: "bands", expected: bandNames.join(", ") },
      { hint: "Name the bands to take; every scene must have them." },
    );
  }
  const grid = options.grid ?? lead.band(bandNames[0]!, 0)!.source.grid;
  const warnings: string[] = [];
  const places = new Map<RasterSource, RasterSource | null>();
  const placed = async (band: InputBand, id: string, quality: boolean): Promise<InputBand | null> => {
    if (!places.has(band.source))
      places.set(band.source, await onGrid(band.source, grid, id, quality, options));
    const source = places.get(band.source)!;
    return source === null ? null : { source, band: band.band };
  };
  const scenes: Scene[] = [];
  for (const { date, id, index, band, quality } of given) {
    const bands: InputBand[] = [];
    for (const [k, name] of bandNames.entries()) {
      const chosen = band(name, k)!;
      checkBand(chosen, id);
      const one = await placed(chosen, id, false);
      if (one !== null) bands.push(one);
    }
    const judged = quality === null ? null : await placed(quality, id, true);
    if (bands.length < bandNames.length || (quality !== null && judged === null)) {
      warnings.push(`${id} does not meet the grid of the stack and was left out`);
      continue;
    }
    scenes.push({ date, id, index, bands, quality: judged });
  }
  if (scenes.length === 0) {
    throw new GeoError("NO_OVERLAP", "no scene meets the grid of the stack", {
      left: lead.id,
      right: "the grid of the stack",
    });
  }
  // Stable: scenes of one instant stay in the order given.
  scenes.sort((a, b) => a.date - b.date);
  const kept = withoutDuplicates(scenes, options.duplicates ?? "keep");
  const first = scenes.find(({ index }) => index === Math.min(...scenes.map((one) => one.index)))!;
  return {
    grid,
    bandNames,
    bands: first.bands.map(({ source, band }) => source.bands[band]!),
    scenes: kept,
    tile: first.bands[0]!.source.tile,
    warnings,
    async close() {
      await Promise.all([...places.keys()].map((source) => source.close()));
    },
  };
}

interface GivenScene {
  readonly date: Instant;
  readonly id: string;
  readonly index: number;
  readonly names: readonly string[];
  /** A band by its name, of whole rasters by its place. */
  readonly band: (name: string, place: number) => InputBand | undefined;
  readonly quality: InputBand | null;
}

function readScene(input: SceneInput, index: number, wanted: readonly string[] | undefined): GivenScene {
  const { source, bands, quality } = input;
  if ((source === undefined) === (bands === undefined)) {
    throw new GeoError(
      "INVALID_INPUT",
      `scene ${index} has ${source === undefined ? "no" : "both source and"} bands`,
      {
        path: `scenes[${index}]`,
        expected: "a source, or bands by name",
      },
    );
  }
  const named =
    source === undefined
      ? Object.fromEntries(Object.entries(bands!).map(([name, band]) => [name, toBand(band)]))
      : bandsOf(source);
  const names = Object.keys(named);
  const id = input.id ?? source?.url ?? Object.values(named)[0]?.source.url ?? `scene ${index}`;
  const all = Object.values(named);
  return {
    date: instantOf(input.date, id, index),
    id,
    index,
    names,
    band: (name, place) => {
      const found = Object.hasOwn(named, name) ? named[name] : undefined;
      if (found !== undefined || source === undefined) return found;
      // Bands of whole rasters also go by their number, and by their place when no names are asked for: their
      // descriptions may be anything, dates for example.
      const numbered = /^b([1-9]\d{0,4})$/.exec(name);
      return numbered === null
        ? wanted === undefined
          ? all[place]
          : undefined
        : all[Number(numbered[1]) - 1];
    },
    quality: quality === undefined ? null : toBand(quality),
  };
}

/** Bands of a raster by their descriptions, or `b1`, `b2` where they have none or share one. */
function bandsOf(source: RasterSource): Record<string, InputBand> {
  const named: Record<string, InputBand> = {};
  for (const [band, { description }] of source.bands.entries()) {
    const name = description === "" || Object.hasOwn(named, description) ? `b${band + 1}` : description;
    named[name] = { source, band };
  }
  return named;
}

function toBand(band: RasterSource | InputBand): InputBand {
  return "source" in band ? band : { source: band, band: 0 };
}

function instantOf(date: SceneInput["date"], id: string, index: number): Instant {
  const instant = typeof date === "string" ? parseInstant(date) : Number(date);
  if (Math.abs(instant) <= 8.64e15) return instant;
  throw new GeoError(
    "INVALID_INPUT",
    `the date of ${id} is ${typeof date === "string" ? JSON.stringify(date) : "not a moment"}`,
    {
      path: `scenes[${index}].date`,
      expected: "an ISO 8601 date such as 2019-07-01 or 2019-07-01T05:30:00Z",
    },
  );
}

function checkBand({ source, band }: InputBand, id: string): void {
  const found = source.bands[band];
  if (found === undefined) {
    throw new GeoError("INVALID_INPUT", `${source.url} (scene ${id}) has no band ${band + 1}`, {
      path: "bands",
      expected: `1 to ${source.bands.length}`,
    });
  }
  if (isComplex(found.type)) {
    throw new GeoError("UNSUPPORTED", `${source.url} holds ${found.type}, which has no order`, {
      feature: `stack of ${found.type}`,
      path: source.url,
    });
  }
}

/** A raster on the grid of the stack; `null` when they do not meet. */
async function onGrid(
  source: RasterSource,
  grid: Grid,
  id: string,
  quality: boolean,
  options: StackOptions,
): Promise<RasterSource | null> {
  if (sameCells(grid, source.grid)) return source;
  const shift = shiftOf(grid, source.grid);
  if (shift !== null) {
    const { width, height } = source.grid;
    return intersectWindows({ ...shift, width, height }, fullWindow(grid)) === null
      ? null
      : placedRaster(source, grid, shift);
  }
  if (options.resampling === undefined) {
    throw new GeoError(
      "GRID_MISMATCH",
      `${source.url} (scene ${id}) lies on another grid than the stack: ${gridText(source.grid)}, expected ${gridText(grid)}`,
      { left: gridText(grid), right: gridText(source.grid) },
      {
        hint: "Pass a resampling method to bring it over while reading, or warp it first (tilth warp IN OUT --like RASTER).",
      },
    );
  }
  try {
    return await warpRaster(source, {
      like: { grid },
      resampling: quality ? "near" : options.resampling,
      executor: options.executor,
      memory: options.memory,
      signal: options.signal,
    });
  } catch (error) {
    if (isGeoError(error, "NO_OVERLAP")) return null;
    throw error;
  }
}

function gridText({ width, height, transform: [a, , c, , e, f], crs }: Grid): string {
  return `${width} x ${height} cells of ${a} x ${e} from ${c}, ${f} in ${crs === null ? "no CRS" : describeCrs(crs)}`;
}

function withoutDuplicates(scenes: readonly Scene[], rule: "keep" | "first" | "last" | "error"): Scene[] {
  if (rule === "keep") return [...scenes];
  const kept: Scene[] = [];
  for (const scene of scenes) {
    const before = kept.at(-1);
    if (before?.date !== scene.date) kept.push(scene);
    else if (rule === "last") kept[kept.length - 1] = scene;
    else if (rule === "error") {
      throw new GeoError(
        "INVALID_INPUT",
        `${before.id} and ${scene.id} are both of ${formatInstant(scene.date)}`,
        { path: "scenes", expected: "one scene per date" },
        { hint: "Say which to take: duplicates first, last, or keep for both." },
      );
    }
  }
  return kept;
}
