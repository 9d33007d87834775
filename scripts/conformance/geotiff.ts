import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gdalChecksum } from "../../test/helpers/gdal-checksum.ts";
import { type Family, type FileResult, Tally } from "./family.ts";

type GeoTiffSource = import("../../src/io/geotiff/read.ts").GeoTiffSource;
type SampleArray = import("../../src/model/raster.ts").SampleArray;

/** What the family needs of the package. */
export interface GeoTiffApi {
  openRaster(path: string): Promise<GeoTiffSource>;
}

/** A band of `expected.json`. Numbers that JSON cannot say are text: "nan", "-inf", "inf". */
interface BandRow {
  readonly dtype: string;
  readonly block: readonly [number, number];
  readonly color: string;
  readonly nodata: Num | null;
  readonly mask: string;
  readonly checksum_gdal?: number;
  readonly sha256_pixels?: string;
  readonly valid?: number;
  readonly min?: Num;
  readonly max?: Num;
  readonly mean?: Num;
  readonly std?: Num;
  readonly samples?: readonly (readonly [column: number, row: number, value: Num])[];
  readonly overviews?: readonly (readonly [width: number, height: number, checksum: number])[];
  readonly scale?: number;
  readonly offset?: number;
  readonly unit?: string;
  readonly description?: string;
  /** The first colours only. */
  readonly color_table?: readonly (readonly number[])[];
  readonly color_count?: number;
  /** Complex samples: the vectors stop at their hash. */
  readonly complex?: boolean;
  readonly read_error?: string;
}

type Num = number | string;

interface FileRow {
  readonly damaged?: boolean;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly geotransform: readonly number[] | null;
  readonly crs: {
    readonly epsg: number | null;
    readonly name: string | null;
    readonly proj4: string | null;
    readonly is_geographic: boolean;
  } | null;
  readonly gcp_count: number;
  readonly gcps?: readonly (readonly [number, number, number, number])[];
  readonly compression: string;
  readonly interleave: string;
  readonly layout: string | null;
  readonly area_or_point: string | null;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tifftags: Readonly<Record<string, string>> | null;
  readonly lossy: boolean;
  readonly n_images?: number;
  readonly band: readonly BandRow[];
}

/** Tag of the planar configuration; 2 is bands apart. */
const PLANAR = 284;
/** Lossy files: grey levels per sample. */
const LOSSY = 2;
/** Statistics, relative. */
const STATISTICS = 1e-9;
/** Geotransform, absolute or relative, whichever is wider. */
const TRANSFORM = 1e-9;
/** Damaged files: milliseconds, and bytes of the whole process. */
const DAMAGED_MS = 2000;
const DAMAGED_BYTES = 256 * 2 ** 20;

/** GeoTIFF reading. A case is a file: its header, and every band's pixels, statistics and overviews. */
export const family: Family = {
  name: "geotiff",
  async run(dir) {
    return runGeoTiff(dir, (await import("tilth")) as unknown as GeoTiffApi);
  },
};

/**
 * Every file of the family against an implementation.
 *
 * @param entry Module that a child process imports `openRaster` from, for the damaged files.
 */
export async function runGeoTiff(
  dir: string,
  api: GeoTiffApi,
  entry: string = "tilth",
): Promise<FileResult[]> {
  const rows = JSON.parse(readFileSync(join(dir, "expected.json"), "utf8")) as Record<string, FileRow>;
  const tally = new Tally("geotiff", "expected.json");
  for (const [name, row] of Object.entries(rows)) {
    const path = join(dir, "files", name);
    if (row.damaged === true) {
      await tally.check(name, () => checkDamaged(path, entry));
      continue;
    }
    let problems: readonly string[] | Refusal;
    try {
      problems = await checkFile(path, row, api, (error) => tally.error(error));
    } catch (error) {
      problems = [`threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`];
    }
    if ("refused" in problems) {
      const { refused } = problems;
      tally.skip(`${refused}, refused by name`);
    } else await tally.check(name, () => (problems.length === 0 ? null : problems.join("; ")));
  }
  return [tally.result];
}

/** A compression that the library says it does not read. */
interface Refusal {
  readonly refused: string;
}

async function checkFile(
  path: string,
  row: FileRow,
  api: GeoTiffApi,
  note: (error: number) => void,
): Promise<readonly string[] | Refusal> {
  const source = await api.openRaster(path);
  try {
    const problems = checkHeader(source, row);
    if (problems.length > 0) return problems;
    const window = { col: 0, row: 0, width: row.width, height: row.height };
    try {
      const block = await source.read(window);
      const alpha = source.bands.findIndex((band) => band.colorInterpretation === "alpha");
      for (let k = 0; k < row.band.length; k++) {
        const mask = row.band[k]!.mask === "alpha" ? (alpha < 0 ? null : block.bands[alpha]!) : block.mask;
        for (const problem of checkPixels(source, k, block.bands[k]!, mask, row, note))
          problems.push(`band ${k + 1}: ${problem}`);
      }
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) return refusal;
      // GDAL cannot read these either; an error is as good as data.
      if (!row.band.some((band) => band.read_error !== undefined)) throw error;
      if (!isOurs(error)) throw error;
      return problems;
    }
    problems.push(...(await checkOverviews(source, row)));
    return problems;
  } finally {
    await source.close();
  }
}

function refusalOf(error: unknown): Refusal | null {
  const { code, details } = error as { code?: string; details?: { feature?: string } };
  const feature = details?.feature;
  return code === "UNSUPPORTED" && feature !== undefined && / compression$/.test(feature)
    ? { refused: feature }
    : null;
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && error.name === "GeoError";
}

function checkHeader(source: GeoTiffSource, row: FileRow): string[] {
  const problems: string[] = [];
  const same = (what: string, found: unknown, expected: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(expected))
      problems.push(`${what} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  };
  const { grid, info, bands, metadata } = source;
  same("size", [grid.width, grid.height, bands.length], [row.width, row.height, row.bands]);
  const [a, b, c, d, e, f] = grid.transform;
  const found = [c, a, b, f, d, e];
  const expected = row.geotransform ?? [0, 1, 0, 0, 0, 1];
  if (found.some((value, k) => !near(value, expected[k]!, TRANSFORM)))
    problems.push(`geotransform is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  // With control points the system is theirs, and the file's own is empty.
  if (row.gcp_count === 0) {
    // GDAL's name for a file that says no more than whether pixels are areas or points.
    const nameless = row.crs?.epsg === null && row.crs.name === "unnamed" && !row.crs.proj4;
    if (row.crs === null || (nameless && grid.crs === null))
      same("crs", grid.crs === null ? null : grid.crs.name, null);
    else if (row.crs.epsg !== null) same("crs", grid.crs?.code ?? null, `EPSG:${row.crs.epsg}`);
    else {
      same("a crs of its own", grid.crs !== null, true);
      if (grid.crs !== null)
        same("unit of the crs", grid.crs.unit.kind, row.crs.is_geographic ? "angle" : "length");
    }
  }
  same("control points", info.gcps.length, row.gcp_count);
  if (row.gcps !== undefined)
    same(
      "control points",
      info.gcps.map(({ col, row: r, x, y }) => [col, r, x, y]),
      row.gcps,
    );
  same("compression", info.compression, row.compression);
  same("interleave", info.interleave.toUpperCase(), row.interleave);
  same("layout", info.layout, row.layout);
  same("area or point", info.areaOrPoint, row.area_or_point);
  if (row.n_images !== undefined) same("images", info.imageCount, row.n_images);
  for (const [key, value] of Object.entries(row.metadata ?? {}))
    same(`metadata ${key}`, metadata[key], value);
  for (const [key, value] of Object.entries(row.tifftags ?? {})) {
    const text = info.textTags[key];
    if (text !== undefined || /DATETIME|IMAGEDESCRIPTION|COPYRIGHT|SOFTWARE|ARTIST/.test(key))
      same(key, text, value);
  }
  for (let k = 0; k < row.band.length; k++) {
    const want = row.band[k]!;
    const band = bands[k];
    if (band === undefined) continue;
    const name = `band ${k + 1}`;
    if (!sameType(band.type, want.dtype))
      problems.push(`${name} has type ${band.type}, expected ${want.dtype}`);
    same(`${name} block`, blockOf(source), want.block);
    same(`${name} colour`, band.colorInterpretation, want.color.toLowerCase());
    if (!sameNumber(band.nodata === null ? null : Number(band.nodata), want.nodata))
      problems.push(`${name} nodata is ${band.nodata}, expected ${want.nodata}`);
    same(`${name} scale`, band.scale, want.scale ?? 1);
    same(`${name} offset`, band.offset, want.offset ?? 0);
    same(`${name} unit`, band.unit, want.unit ?? "");
    same(`${name} description`, band.description, want.description ?? "");
    same(`${name} colours`, band.colorTable?.length ?? 0, want.color_count ?? 0);
    if (want.color_table !== undefined)
      same(`${name} colours`, band.colorTable?.slice(0, want.color_table.length) ?? null, want.color_table);
    // The alpha band itself has no mask; GDAL says so band by band, the library for the file.
    if (band.colorInterpretation !== "alpha") same("mask", info.mask, want.mask);
    // Where GDAL failed on the pixels, the vectors do not go on to the overviews.
    if (want.read_error !== undefined || want.complex === true) continue;
    const sizes = want.overviews?.map(([width, height]) => [width, height]) ?? [];
    same(`${name} overviews`, info.overviews, sizes);
  }
  return problems;
}

/**
 * Block size as GDAL reports it: libtiff presents a single uncompressed strip of more than 8 KiB as strips of as many
 * rows as fit in that.
 */
function blockOf({ grid, info, bands }: GeoTiffSource): readonly [number, number] {
  const [width, height] = info.blockSize;
  const apart = info.tags.get(PLANAR)?.[0] === 2;
  if (info.tiled || info.compression !== "NONE" || height < grid.height || apart) return info.blockSize;
  const perPixel = info.interleave === "pixel" ? bands.length : 1;
  const rowBytes = Math.ceil((width * perPixel * info.bitsPerSample) / 8);
  return [width, Math.min(height, Math.max(1, Math.floor(8192 / rowBytes)))];
}

/** GDAL 3.6 has no type for signed bytes and calls them Byte; half floats are Float32. */
function sameType(type: string, gdal: string): boolean {
  const names: Readonly<Record<string, readonly string[]>> = {
    uint8: ["Byte"],
    int8: ["Byte", "Int8"],
    float16: ["Float32", "Float16"],
    complexint16: ["CInt16"],
    complexint32: ["CInt32"],
    complex64: ["CFloat32"],
    complex128: ["CFloat64"],
    uint16: ["UInt16"],
    uint32: ["UInt32"],
    uint64: ["UInt64"],
  };
  return (names[type] ?? [type.replace(/^int/, "Int").replace(/^float/, "Float")]).includes(gdal);
}

function checkPixels(
  source: GeoTiffSource,
  k: number,
  samples: SampleArray,
  mask: SampleArray | null,
  row: FileRow,
  note: (error: number) => void,
): string[] {
  const want = row.band[k]!;
  const problems: string[] = [];
  if (want.sha256_pixels !== undefined) {
    // The vectors' complex integers went through numpy, which has only complex floats: pairs of float32.
    const complexInteger = want.dtype === "CInt16" || want.dtype === "CInt32";
    const stored = complexInteger ? Float32Array.from(samples as Int32Array) : samples;
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (hash !== want.sha256_pixels) problems.push(`pixels hash to ${hash}, expected ${want.sha256_pixels}`);
  }
  const tolerance = row.lossy ? LOSSY : 0;
  for (const [col, line, value] of want.samples ?? []) {
    const found = Number(samples[line * row.width + col]);
    const expected = toNumber(value);
    if (Number.isNaN(found) && Number.isNaN(expected)) continue;
    const error = found === expected ? 0 : Math.abs(found - expected);
    if (row.lossy) note(error);
    if (!(error <= tolerance)) problems.push(`sample (${col}, ${line}) is ${found}, expected ${value}`);
  }
  if (want.valid !== undefined && want.min === undefined && want.valid > 0) return problems;
  if (want.valid !== undefined) {
    const found = statistics(
      samples,
      want.mask === "nodata" ? source.bands[k]!.nodata : null,
      want.mask === "all_valid" || want.mask === "nodata" ? null : mask,
    );
    if (found.valid !== want.valid) problems.push(`${found.valid} valid pixels, expected ${want.valid}`);
    for (const key of ["min", "max", "mean", "std"] as const) {
      const value = want[key];
      if (value === undefined) continue;
      const expected = toNumber(value);
      const fine = row.lossy
        ? Math.abs(found[key] - expected) <= LOSSY
        : near(found[key], expected, STATISTICS);
      if (!fine) problems.push(`${key} is ${found[key]}, expected ${value}`);
    }
  }
  return problems;
}

/** Overviews: sizes were compared with the header; here the checksums, for what is not lossy. */
async function checkOverviews(source: GeoTiffSource, row: FileRow): Promise<string[]> {
  const problems: string[] = [];
  if (row.lossy) return problems;
  for (let level = 0; level < source.info.overviews.length; level++) {
    const [width, height] = source.info.overviews[level]!;
    const { bands } = await source.overview(level).read({ col: 0, row: 0, width, height });
    for (let k = 0; k < row.band.length; k++) {
      const expected = row.band[k]!.overviews?.[level]?.[2];
      const found = gdalChecksum(bands[k]!);
      if (expected !== undefined && found !== expected)
        problems.push(`band ${k + 1} overview ${level + 1} has checksum ${found}, expected ${expected}`);
    }
  }
  return problems;
}

interface Statistics {
  valid: number;
  min: number;
  max: number;
  mean: number;
  std: number;
}

/** Over pixels that the mask allows and that are not nodata; two passes, population standard deviation. */
function statistics(
  samples: SampleArray,
  nodata: number | bigint | null,
  mask: SampleArray | null,
): Statistics {
  const skip = nodata === null ? null : Number(nodata);
  const skipNaN = skip !== null && Number.isNaN(skip);
  const result: Statistics = { valid: 0, min: Infinity, max: -Infinity, mean: 0, std: 0 };
  const values: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    const value = Number(samples[i]);
    if ((mask !== null && Number(mask[i]) === 0) || value === skip || (skipNaN && Number.isNaN(value)))
      continue;
    result.valid++;
    // Values that are not finite count as valid pixels but would swamp the numbers.
    if (!Number.isFinite(value)) continue;
    values.push(value);
    result.min = Math.min(result.min, value);
    result.max = Math.max(result.max, value);
  }
  result.mean = sum(values, (value) => value) / values.length;
  result.std = Math.sqrt(sum(values, (value) => (value - result.mean) ** 2) / values.length);
  return result;
}

/** Neumaier's compensated sum. */
function sum(values: readonly number[], of: (value: number) => number): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const term = of(value);
    const next = total + term;
    lost += Math.abs(total) >= Math.abs(term) ? total - next + term : term - next + total;
    total = next;
  }
  return total + lost;
}

function toNumber(value: Num): number {
  if (typeof value === "number") return value;
  if (value === "nan") return Number.NaN;
  return value.startsWith("-") ? -Infinity : Infinity;
}

function sameNumber(found: number | null, expected: Num | null): boolean {
  return expected === null ? found === null : found !== null && Object.is(found + 0, toNumber(expected) + 0);
}

function near(found: number, expected: number, tolerance: number): boolean {
  return (
    found === expected ||
    Math.abs(found - expected) <= tolerance * Math.max(Math.abs(expected), 1e-300) ||
    Math.abs(found - expected) <= tolerance * Math.min(1, Math.abs(expected))
  );
}

/**
 * A damaged file, opened and read in a process of its own: a `GeoError` or pixels, within the time and memory. The
 * clock runs from opening to the end of reading; memory is the peak of the process, Node included.
 */
function checkDamaged(path: string, entry: string): string | null {
  const loader = entry.endsWith(".ts") ? ["--import", "tsx"] : [];
  const child = spawnSync(
    process.execPath,
    [...loader, "--input-type=module", "--eval", CHILD, path, entry],
    {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8",
      timeout: 30_000,
    },
  );
  if (child.status !== 0)
    return `the process ended with ${child.status ?? child.signal}: ${child.stderr.slice(0, 300)}`;
  const { outcome, ms, bytes } = JSON.parse(child.stdout) as { outcome: string; ms: number; bytes: number };
  if (outcome !== "GeoError" && outcome !== "pixels") return `threw ${outcome}`;
  if (ms > DAMAGED_MS) return `took ${ms.toFixed(0)} ms, allowed ${DAMAGED_MS}`;
  return bytes <= DAMAGED_BYTES
    ? null
    : `took ${(bytes / 2 ** 20).toFixed(0)} MB, allowed ${DAMAGED_BYTES / 2 ** 20}`;
}

const CHILD = `
const { openRaster } = await import(process.argv[2]);
const start = performance.now();
let outcome = "pixels";
try {
  const source = await openRaster(process.argv[1]);
  const { width, height } = source.grid;
  const w = Math.min(width, 1024), h = Math.min(height, 1024);
  for (let row = 0; row < height; row += h)
    for (let col = 0; col < width; col += w)
      await source.read({ col, row, width: Math.min(w, width - col), height: Math.min(h, height - row) });
  await source.close();
} catch (error) {
  outcome = error.name === "GeoError" ? "GeoError" : String(error.stack);
}
console.log(JSON.stringify({ outcome, ms: performance.now() - start, bytes: process.resourceUsage().maxRSS * 1024 }));
`;
