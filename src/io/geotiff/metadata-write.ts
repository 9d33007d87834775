import type { Band, SampleValue } from "../../model/raster.ts";
import type { BandStatistics } from "./statistics.ts";

/**
 * Text of the GDAL_METADATA tag (42112): key-values of the raster, and per band key-values, statistics, scale,
 * offset, unit, description and colour interpretation. `null` when there is nothing to say.
 *
 * Keys that GDAL derives from other tags (`AREA_OR_POINT`, `TIFFTAG_*`) are left out, and so are statistics
 * that the source carried: pixels may have changed on the way. `colorInterpretations` names only what the
 * photometric tags cannot say; `null` for the others.
 */
export function gdalMetadata(
  metadata: Readonly<Record<string, string>>,
  bands: readonly Band[],
  statistics: readonly (BandStatistics | null)[],
  colorInterpretations: readonly (string | null)[],
): string | null {
  const items: string[] = [];
  for (const [key, value] of Object.entries(metadata)) {
    if (key !== "AREA_OR_POINT" && !key.startsWith("TIFFTAG_")) items.push(item(key, value, ""));
  }
  bands.forEach((band, i) => {
    const sample = ` sample="${i}"`;
    for (const [key, value] of Object.entries(band.metadata)) {
      if (!key.startsWith("STATISTICS_")) items.push(item(key, value, sample));
    }
    for (const [key, value] of statisticsItems(statistics[i] ?? null)) items.push(item(key, value, sample));
    if (band.scale !== 1 || band.offset !== 0) {
      items.push(item("OFFSET", String(band.offset), `${sample} role="offset"`));
      items.push(item("SCALE", String(band.scale), `${sample} role="scale"`));
    }
    if (band.unit !== "") items.push(item("UNITTYPE", band.unit, `${sample} role="unittype"`));
    if (band.description !== "") {
      items.push(item("DESCRIPTION", band.description, `${sample} role="description"`));
    }
    const interpretation = colorInterpretations[i] ?? null;
    if (interpretation !== null) {
      items.push(item("COLORINTERP", interpretation, `${sample} role="colorinterp"`));
    }
  });
  return items.length === 0 ? null : `<GDALMetadata>\n${items.join("")}</GDALMetadata>\n`;
}

function statisticsItems(statistics: BandStatistics | null): [string, string][] {
  if (statistics === null) return [];
  const { valid, total, min, max, mean, stdev } = statistics;
  const percent = `${Number(((valid / total) * 100).toPrecision(4))}`;
  if (min === null || max === null || mean === null || stdev === null) {
    return [["STATISTICS_VALID_PERCENT", percent]];
  }
  return [
    ["STATISTICS_MAXIMUM", numberText(max)],
    ["STATISTICS_MEAN", numberText(mean)],
    ["STATISTICS_MINIMUM", numberText(min)],
    ["STATISTICS_STDDEV", numberText(stdev)],
    ["STATISTICS_VALID_PERCENT", percent],
  ];
}

/** A number as GDAL reads it: `nan`, `inf`, `-inf`, else the shortest text that gives the same double. */
export function numberText(value: SampleValue): string {
  if (typeof value === "bigint" || Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function item(name: string, value: string, attributes: string): string {
  return `  <Item name="${escapeXml(name)}"${attributes}>${escapeValue(value)}</Item>\n`;
}

/**
 * GDAL resolves entities twice when it reads, and drops the rest of a value behind an `&` that it cannot resolve the
 * second time. So values with an `&` are escaped twice, as GDAL does; the others once, which every reader understands.
 */
function escapeValue(text: string): string {
  return escapeXml(text.includes("&") ? escapeXml(text) : text);
}

function escapeXml(text: string): string {
  return text
    .replaceAll("\0", "") // would end the tag
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
