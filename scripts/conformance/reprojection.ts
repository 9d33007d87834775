import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Family, type FileResult, Tally } from "./family.ts";

/** A transformation as the package exports it. */
export interface ReprojectionApi {
  transformer(from: string, to: string): (xy: Float64Array, stride?: number) => void;
  transformBounds(
    bounds: readonly [number, number, number, number],
    from: Crs,
    to: Crs,
    densify?: number,
  ): readonly number[];
  parseCrs(text: string): Crs;
  describeTransform(from: string, to: string): { readonly needsGrid: readonly string[] };
  toWkt1(crs: Crs): string;
  toWkt2(crs: Crs): string;
  toProjJson(crs: Crs): object;
}

type Crs = import("../../src/model/crs.ts").Crs;

/** Coordinate systems and reprojection. Tolerances are those of the family's README. */
export const family: Family = {
  name: "reprojection",
  async run(dir) {
    return runReprojection(dir, (await import("tilth")) as unknown as ReprojectionApi);
  },
};

/** Every file of the family against an implementation. */
export async function runReprojection(dir: string, api: ReprojectionApi): Promise<FileResult[]> {
  const operations = new Map<string, Operation>();
  for (const row of readLines<Operation>(join(dir, "operations.jsonl")))
    operations.set(`${row.src} ${row.dst} ${row.operation}`, row);
  const results: FileResult[] = [];
  const geographic = new Set<string>();
  for (const row of readLines<CrsRow>(join(dir, "crs.jsonl")))
    if (row.kind === "geographic") geographic.add(row.code);

  for (const file of ["wgs84.jsonl", "projection.jsonl", "datum.jsonl"]) {
    const rows = readLines<PointRow>(join(dir, file));
    if (rows.length === 0) continue;
    const tally = new Tally("reprojection", file);
    for (const row of rows) {
      const operation = row.op === null ? undefined : operations.get(`${row.src} ${row.dst} ${row.op}`);
      const grid = /\bgrids=(\S+)/.exec(operation?.pipeline ?? "")?.[1];
      if (grid !== undefined && api.describeTransform(row.src, row.dst).needsGrid.length > 0) {
        if (withinAccuracy(api, row, operation?.accuracy ?? 0)) await tally.check(row.id, () => null);
        else
          tally.skip(
            `the shift needs the grid ${grid}, which is not part of the package (describeTransform says so)`,
          );
        continue;
      }
      await tally.check(row.id, () => {
        const xy = Float64Array.of(row.x, row.y);
        api.transformer(row.src, row.dst)(xy);
        if (row.ex === null || row.ey === null)
          return Number.isNaN(xy[0]) ? null : `expected no result, found ${xy[0]}, ${xy[1]}`;
        const tolerance = isDegrees(api, row.dst, geographic) ? 1e-8 : 1e-3;
        const error = Math.max(Math.abs(xy[0]! - row.ex), Math.abs(xy[1]! - row.ey));
        if (tolerance === 1e-3) tally.error(error);
        return error <= tolerance
          ? null
          : `${row.src} to ${row.dst} (${row.x}, ${row.y}): expected ${row.ex}, ${row.ey}, found ${xy[0]}, ${xy[1]}`;
      });
    }
    results.push(tally.result);
  }
  results.push(
    ...(await runBounds(dir, api)),
    ...(await runCrs(dir, api)),
    ...(await runOperations(dir, api)),
  );
  results.push(...(await runGie(dir, api)));
  return results;
}

/** Another operation than the oracle's counts when it comes as close as the accuracy of the oracle's own. */
function withinAccuracy(api: ReprojectionApi, row: PointRow, accuracy: number): boolean {
  const xy = Float64Array.of(row.x, row.y);
  api.transformer(row.src, row.dst)(xy);
  const size = api.parseCrs(row.dst).unit.kind === "angle" ? 111319.49 : 1;
  return Math.hypot(xy[0]! - (row.ex ?? Number.NaN), xy[1]! - (row.ey ?? Number.NaN)) * size <= accuracy;
}

async function runBounds(dir: string, api: ReprojectionApi): Promise<FileResult[]> {
  const rows = readLines<BoundsRow>(join(dir, "bounds.jsonl"));
  if (rows.length === 0) return [];
  const tally = new Tally("reprojection", "bounds.jsonl");
  for (const row of rows) {
    await tally.check(row.id, () => {
      const found = api.transformBounds(
        row.bounds,
        api.parseCrs(row.src),
        api.parseCrs(row.dst),
        row.densify_pts,
      );
      let worst = 0;
      for (let k = 0; k < 4; k++)
        worst = Math.max(
          worst,
          Math.abs(found[k]! - row.expected[k]!) / Math.max(1, Math.abs(row.expected[k]!)),
        );
      tally.error(worst);
      return worst <= 1e-6 ? null : `expected ${row.expected.join(", ")}, found ${found.join(", ")}`;
    });
  }
  return [tally.result];
}

/** Each system must be found by its code, its WKT 1 and its PROJJSON, and must be written so that it is found again. */
async function runCrs(dir: string, api: ReprojectionApi): Promise<FileResult[]> {
  const rows = readLines<CrsRow>(join(dir, "crs.jsonl"));
  if (rows.length === 0) return [];
  const tally = new Tally("reprojection", "crs.jsonl");
  for (const row of rows) {
    await tally.check(row.code, () => {
      const crs = api.parseCrs(row.code);
      const wrong: string[] = [];
      const expect = (what: string, found: unknown, expected: unknown): void => {
        if (JSON.stringify(found) !== JSON.stringify(expected))
          wrong.push(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
      };
      expect("name", crs.name, row.name);
      expect("kind", crs.kind, row.kind);
      expect("proj4", plainProj(crs.proj4), plainProj(row.proj4));
      const [first] = row.axis;
      if (first !== undefined) {
        const north =
          /^(north|south)$/.test(first.direction) &&
          !/^[EW]/.test(first.abbrev) &&
          !/^(East|West)ing/.test(first.name);
        expect("axis order", crs.axisOrder, north ? "yx" : "xy");
        const factor = crs.unit.kind === "angle" ? (crs.unit.factor * Math.PI) / 180 : crs.unit.factor;
        if (Math.abs(factor / first.to_si - 1) > 1e-9)
          wrong.push(`unit: expected ${first.to_si} in SI, found ${factor}`);
      }
      if (row.area_of_use !== null) {
        const { west, south, east, north } = row.area_of_use;
        expect("area", crs.area, [west, south, east, north]);
      }
      expect("code of WKT 1", row.wkt1 === null ? row.code : api.parseCrs(row.wkt1).code, row.code);
      expect("code of PROJJSON", api.parseCrs(JSON.stringify(row.projjson)).code, row.code);
      expect("code of our WKT 1", api.parseCrs(api.toWkt1(crs)).code, row.code);
      expect("code of our WKT 2", api.parseCrs(api.toWkt2(crs)).code, row.code);
      expect("code of our PROJJSON", api.parseCrs(JSON.stringify(api.toProjJson(crs))).code, row.code);
      return wrong.length === 0 ? null : wrong.join("; ");
    });
  }
  return [tally.result];
}

/** Every pair of the list must have a transformation, whose description owns up to the grids PROJ used. */
async function runOperations(dir: string, api: ReprojectionApi): Promise<FileResult[]> {
  const rows = readLines<Operation>(join(dir, "operations.jsonl"));
  if (rows.length === 0) return [];
  const tally = new Tally("reprojection", "operations.jsonl");
  for (const row of rows) {
    await tally.check(`${row.src} ${row.dst} ${row.operation}`, () => {
      api.transformer(row.src, row.dst);
      const grids = /\bgrids=/.test(row.pipeline ?? "");
      const said = api.describeTransform(row.src, row.dst).needsGrid.length > 0;
      return grids && !said ? "the shift needs a grid and describeTransform does not say so" : null;
    });
  }
  return [tally.result];
}

async function runGie(dir: string, api: ReprojectionApi): Promise<FileResult[]> {
  const rows = readLines<GieRow>(join(dir, "gie.jsonl"));
  if (rows.length === 0) return [];
  const tally = new Tally("reprojection", "gie.jsonl");
  for (const row of rows) {
    const why = notCovered(row);
    if (why !== null) tally.skip(why);
    else await tally.check(row.id, () => checkGie(row, api, tally));
  }
  return [tally.result];
}

/** Operations of PROJ's tests that are not transformations of x and y between two systems. */
function notCovered({ operation, accept, expect }: GieRow): string | null {
  const name = /\bproj=(\S+)/.exec(operation)?.[1] ?? "";
  if (/\\\s*$/.test(operation))
    return `${name}: the vector ends in a line continuation, its parameters are lost`;
  if (/^(cart|geocent|helmert)$/.test(name)) return `${name}: three-dimensional coordinates`;
  // Heights and times that come back as they went in leave the horizontal part to be checked.
  const height = Number(accept[2] ?? 0);
  if (expect !== "failure" && accept.length > 2 && Number(expect[2] ?? height) !== height)
    return `${name}: three-dimensional coordinates`;
  return null;
}

/**
 * An operation is one projection: longitude and latitude on its own ellipsoid against x and y. Accepted text is
 * in degrees (`80d30'` too) or metres; a failure is expected where the text says so.
 */
function checkGie(row: GieRow, api: ReprojectionApi, tally: Tally): string | null {
  const { operation } = row;
  const failure = row.expect === "failure";
  const projected = operation.replaceAll("+inv", "");
  const isAngular = /\bproj=(longlat|latlong|lonlat|latlon)\b/.test(operation);
  let xy: Float64Array;
  const backwards = (row.direction === "inverse") !== /(^|\s)\+?inv(\s|$)/.test(operation);
  const geographic = geographicOf(projected);
  try {
    xy = Float64Array.of(number(row.accept[0]!), number(row.accept[1]!));
    const [from, to] = backwards ? [projected, geographic] : [geographic, projected];
    api.transformer(from, to)(xy);
  } catch (error) {
    if (failure) return null;
    throw error;
  }
  if (failure)
    return Number.isNaN(xy[0]) && Number.isNaN(xy[1]) ? null : `expected failure, found ${xy[0]}, ${xy[1]}`;
  const ex = number(row.expect[0]!);
  const ey = number(row.expect[1]!);
  let error: number;
  if (backwards || isAngular) {
    // Degrees: compare on the ground, as PROJ does.
    const shrink = Math.cos((ey * Math.PI) / 180);
    error = Math.hypot(wrapDegrees(xy[0]! - ex) * shrink, xy[1]! - ey) * 111319.49;
  } else error = Math.hypot(xy[0]! - ex, xy[1]! - ey);
  // The text has only so many digits; half of the last one is not an error.
  const digits = Math.min(
    ...(row.expect as string[]).slice(0, 2).map((text) => text.split(".")[1]?.length ?? 0),
  );
  const rounding = backwards || isAngular ? 0.5 * 10 ** -digits * 111319.49 : 0;
  tally.error(Math.max(0, error));
  return error <= row.tolerance_m + rounding
    ? null
    : `${operation} ${row.direction} ${row.accept.join(" ")}: expected ${ex}, ${ey}, found ${xy[0]}, ${xy[1]} (${error} m, tolerance ${row.tolerance_m} m)`;
}

function wrapDegrees(value: number): number {
  return value - 360 * Math.round(value / 360);
}

/** Longitude and latitude on the ellipsoid of a projected PROJ string. */
function geographicOf(operation: string): string {
  const kept = operation
    .split(/\s+/)
    .filter((word) =>
      /^\+?(ellps|datum|a|b|rf|f|es|e|R|R_A|R_V|R_a|R_g|R_h|R_lat_a|R_lat_g|towgs84|nadgrids)(=|$)/.test(
        word,
      ),
    );
  return `+proj=longlat ${kept.join(" ")}`;
}

function number(written: string): number {
  // Digits may be grouped: 1_116_885.2.
  const text = written.replaceAll("_", "");
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  const match = /^(-?)(\d+)d(?:(\d+(?:\.\d+)?)')?(?:(\d+(?:\.\d+)?)"?)?([NSEW]?)$/.exec(text);
  if (match === null) throw new Error(`not a number: ${text}`);
  const size = Number(match[2]) + Number(match[3] ?? 0) / 60 + Number(match[4] ?? 0) / 3600;
  return match[1] === "-" || match[5] === "S" || match[5] === "W" ? -size : size;
}

/** Whether results in a system are degrees. */
function isDegrees(api: ReprojectionApi, code: string, known: ReadonlySet<string>): boolean {
  return known.has(code) || api.parseCrs(code).unit.kind === "angle";
}

function plainProj(text: string | null): string[] | null {
  return text === null
    ? null
    : text
        .split(/\s+/)
        .filter((word) => !/^\+(no_defs|type=crs|wktext)$/.test(word))
        .sort();
}

function readLines<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as T);
}

interface PointRow {
  id: string;
  src: string;
  dst: string;
  x: number;
  y: number;
  ex: number | null;
  ey: number | null;
  op: string | null;
}
interface Operation {
  src: string;
  dst: string;
  operation: string;
  accuracy: number;
  pipeline: string | null;
}
interface BoundsRow {
  id: string;
  src: string;
  dst: string;
  bounds: [number, number, number, number];
  expected: number[];
  densify_pts: number;
}
interface CrsRow {
  code: string;
  name: string;
  kind: string;
  proj4: string;
  axis: { name: string; abbrev: string; direction: string; to_si: number }[];
  area_of_use: { west: number; south: number; east: number; north: number } | null;
  wkt1: string | null;
  projjson: object;
}
interface GieRow {
  id: string;
  suite: string;
  operation: string;
  direction: string;
  accept: string[];
  expect: "failure" | string[];
  tolerance_m: number;
}
