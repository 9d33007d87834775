import { isRasterFile, openFeatures, openRaster } from "../../io/open.ts";
import { type Crs, describeCrs } from "../../model/crs.ts";
import { gridBounds } from "../../model/grid.ts";
import type { Rgba, SampleValue } from "../../model/raster.ts";
import { type BandStats, readBandFacts } from "./raster-stats.ts";
import { crsText, describeVector, type VectorInfo, vectorLines } from "./vector-info.ts";

export interface DescribeOptions {
  /** Read the pixels or rows: statistics of bands, null and invalid geometries. */
  readonly stats?: boolean | undefined;
  /** SHA-256 of each band's samples. */
  readonly checksum?: boolean | undefined;
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A raster as `tilth info` tells it. */
export interface RasterInfo {
  readonly kind: "raster";
  readonly driver: string;
  readonly width: number;
  readonly height: number;
  /** `"EPSG:n"`, else the text that the system was defined by; `null` when the file has none. */
  readonly crs: string | null;
  /** `[a, b, c, d, e, f]`: x = a col + b row + c, y = d col + e row + f. */
  readonly transform: readonly number[];
  /** `[minX, minY, maxX, maxY]` in the CRS. */
  readonly bbox: readonly number[];
  readonly blockSize: readonly [width: number, height: number];
  readonly compression: string;
  readonly predictor: number;
  readonly interleave: "pixel" | "band";
  readonly overviews: readonly (readonly [width: number, height: number])[];
  /** A valid Cloud Optimized GeoTIFF, by the rules of `tilth validate`. */
  readonly cog: boolean;
  readonly areaOrPoint: "Area" | "Point" | null;
  readonly bigTiff: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bands: readonly BandInfo[];
}

export interface BandInfo {
  /** From 1, as in GDAL. */
  readonly index: number;
  readonly dtype: string;
  readonly nodata: SampleValue | null;
  readonly mask: string;
  readonly description: string;
  readonly unit: string;
  readonly scale: number;
  readonly offset: number;
  readonly colorInterpretation: string;
  readonly colorTable?: readonly Rgba[];
  readonly stats?: BandStats;
  readonly sha256?: string;
}

/** What a file holds, and the same in lines for a person. */
export interface FileDescription {
  readonly summary: RasterInfo | VectorInfo;
  readonly warnings: readonly string[];
  readonly lines: readonly string[];
}

/**
 * Describe any file that the library reads; `tilth info`. Headers only, unless `stats` or `checksum` ask for the pixels.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`, `UNSUPPORTED`
 */
export async function describeFile(path: string, options: DescribeOptions = {}): Promise<FileDescription> {
  if (await isRasterFile(path)) return await describeRaster(path, options);
  const { warnings, ...summary } = await describeVector(path, {
    stats: options.stats === true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const systems = new Map<string, Crs | null>();
  for (const { name } of summary.layers) {
    const source = await openFeatures(path, { layer: name });
    systems.set(name, source.schema.crs);
    await source.close();
  }
  return { summary, warnings, lines: vectorLines(path, summary, systems) };
}

async function describeRaster(path: string, options: DescribeOptions): Promise<FileDescription> {
  const source = await openRaster(path);
  try {
    const { grid, bands, info } = source;
    const read = options.stats === true || options.checksum === true;
    const facts = read
      ? await readBandFacts(source, {
          ...options,
          stats: options.stats === true,
          checksum: options.checksum === true,
        })
      : [];
    const summary: RasterInfo = {
      kind: "raster",
      driver: info.driver,
      width: grid.width,
      height: grid.height,
      crs: crsText(grid.crs),
      transform: [...grid.transform],
      bbox: [...gridBounds(grid)],
      blockSize: info.blockSize,
      compression: info.compression,
      predictor: info.predictor,
      interleave: info.interleave,
      overviews: info.overviews,
      cog: await isCog(path),
      areaOrPoint: info.areaOrPoint,
      bigTiff: info.bigTiff,
      metadata: source.metadata,
      bands: bands.map((band, k) => ({
        index: k + 1,
        dtype: band.type,
        nodata: band.nodata,
        mask: info.mask,
        description: band.description,
        unit: band.unit,
        scale: band.scale,
        offset: band.offset,
        colorInterpretation: band.colorInterpretation,
        ...(band.colorTable === null ? {} : { colorTable: band.colorTable }),
        ...facts[k],
      })),
    };
    return { summary, warnings: source.warnings, lines: rasterLines(path, summary, grid.crs) };
  } finally {
    await source.close();
  }
}

async function isCog(path: string): Promise<boolean> {
  const { openBytes } = await import("../../io/bytes/open.ts");
  const { validateCog } = await import("../../io/geotiff/validate-cog.ts");
  const bytes = await openBytes(path);
  try {
    return (await validateCog(bytes, { tiles: 16 })).valid;
  } catch {
    return false;
  } finally {
    await bytes.close();
  }
}

function rasterLines(path: string, info: RasterInfo, crs: Crs | null): string[] {
  const { transform, blockSize, overviews, predictor } = info;
  const [a, b, , d, e] = transform as [number, number, number, number, number, number];
  const cell =
    b === 0 && d === 0
      ? `${short(a)} x ${short(Math.abs(e))}${e > 0 ? ", south-up" : ""}`
      : `rotated (${[a, b, d, e].map(short).join(", ")})`;
  const kind = `${info.cog ? "Cloud Optimized GeoTIFF" : "GeoTIFF"}${info.bigTiff ? ", BigTIFF" : ""}`;
  const lines = [
    path,
    `  format    ${kind}, ${info.compression === "NONE" ? "not compressed" : info.compression}${predictor > 1 ? ` predictor ${predictor}` : ""}, blocks ${blockSize[0]} x ${blockSize[1]}`,
    `  size      ${info.width} x ${info.height}, ${info.bands.length} band${info.bands.length === 1 ? "" : "s"}`,
    `  crs       ${describeCrs(crs)}`,
    `  cell      ${cell}${info.areaOrPoint === "Point" ? ", pixel is point" : ""}`,
    `  bbox      ${info.bbox.map(short).join(", ")}`,
    `  overviews ${overviews.map(([width, height]) => `${width} x ${height}`).join(", ") || "none"}`,
  ];
  for (const band of info.bands) {
    const parts = [band.dtype, band.nodata === null ? "no nodata" : `nodata ${String(band.nodata)}`];
    if (band.mask === "per_dataset" || band.mask === "alpha") parts.push(`mask ${band.mask}`);
    if (band.description !== "") parts.push(`"${band.description}"`);
    if (band.scale !== 1 || band.offset !== 0) parts.push(`value = sample * ${band.scale} + ${band.offset}`);
    if (band.unit !== "") parts.push(band.unit);
    if (band.colorTable !== undefined) parts.push(`${band.colorTable.length} colours`);
    lines.push(`  band ${band.index}    ${parts.join(", ")}`);
    if (band.stats !== undefined) {
      const { min, max, mean, stdev, valid } = band.stats;
      const range =
        min === null
          ? ""
          : `, min ${short(min)}, max ${short(max!)}, mean ${short(mean!)}, stdev ${short(stdev!)}`;
      lines.push(`            ${valid} observed${range}`);
    }
    if (band.sha256 !== undefined) lines.push(`            sha256 ${band.sha256}`);
  }
  return lines;
}

function short(value: number): string {
  return String(Number(value.toPrecision(12)));
}
