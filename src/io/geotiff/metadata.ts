import { integerRange, type Rgba, type SampleType, type SampleValue } from "../../model/raster.ts";
import { type Ifd, tagNumbers, tagText } from "./ifd.ts";
import type { ImageLayout } from "./layout.ts";
import { Photometric, Tag } from "./tags.ts";

/** One entry of GDAL's metadata tag. */
export interface MetadataItem {
  readonly name: string;
  readonly value: string;
  /** Band, 0-based; `null` for the whole raster. */
  readonly band: number | null;
  /** `"description"`, `"scale"`, `"offset"`, `"unittype"`, `"colorinterp"`, or "". */
  readonly role: string;
  /** Domain, "" for the default one. */
  readonly domain: string;
}

/**
 * Items of GDAL's metadata tag (42112): `<GDALMetadata><Item name=".." sample=".." role=".." domain="..">value</Item>`.
 * The grammar is so small that it is scanned here; what does not fit is passed over.
 */
export function parseGdalMetadata(xml: string): MetadataItem[] {
  const items: MetadataItem[] = [];
  let at = 0;
  for (;;) {
    at = xml.indexOf("<Item", at);
    if (at < 0) return items;
    const open = xml.indexOf(">", at);
    if (open < 0) return items;
    const attributes = attributesOf(xml.slice(at + 5, open));
    let value = "";
    let next = open + 1;
    if (xml[open - 1] !== "/") {
      const close = xml.indexOf("</Item", open);
      if (close < 0) return items;
      // Twice: GDAL escapes values before it writes them as XML, and undoes both when it reads. White space at the
      // start is lost there.
      value = unescapeXml(unescapeXml(xml.slice(open + 1, close).replace(/^\s+/, "")));
      next = close + 6;
    }
    at = next;
    const name = attributes.get("name");
    if (name === undefined) continue;
    const sample = attributes.get("sample");
    items.push({
      name,
      value,
      band: sample === undefined ? null : Number.parseInt(sample, 10),
      role: (attributes.get("role") ?? "").toLowerCase(),
      domain: attributes.get("domain") ?? "",
    });
  }
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, double, single] of text.matchAll(/([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
    attributes.set(name!, unescapeXml(double ?? single ?? ""));
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name as string] ?? whole;
    const code =
      hex === undefined ? Number.parseInt(decimal as string, 10) : Number.parseInt(hex as string, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/**
 * The nodata value from GDAL's tag (42113), by GDAL's rules: the longest number at the start of the text; `nan` and
 * `inf` in all their spellings; 64-bit integers in full; a float32 value that is only just beyond the range of
 * float32 is its largest value. A number outside the type's range stays: no pixel equals it. `null` when the text
 * holds no number.
 */
export function parseNodata(text: string | undefined, type: SampleType): SampleValue | null {
  if (text === undefined) return null;
  // A comma is the decimal point of writers in other countries.
  const trimmed = text.trim().replace(",", ".");
  if (/^[+-]?(nan|1\.#(qnan|snan|ind))/i.test(trimmed)) return Number.NaN;
  const infinite = /^([+-]?)(inf|1\.#inf)/i.exec(trimmed);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  if (type === "int64" || type === "uint64") {
    const whole = /^[+-]?\d+(?![\d.eE])/.exec(trimmed)?.[0];
    if (whole !== undefined) {
      const [min, max] = integerRange(type)!;
      const value = BigInt(whole);
      return value < min || value > max ? Number(value) : value;
    }
  }
  const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(trimmed)?.[0];
  if (number === undefined) return null;
  const value = Number(number);
  if (type !== "float32") return value;
  // Texts such as 3.40282347e+38 round to just above the largest float32.
  if (Math.abs(value) > FLOAT32_MAX && Math.abs(value) - FLOAT32_MAX < 1e-6 * FLOAT32_MAX)
    return Math.sign(value) * FLOAT32_MAX;
  return Math.fround(value);
}

const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * Colours of the samples, or `null`: the colour map of palette images, with the nodata entry transparent; black and
 * white for 1-bit images; a grey ramp where 0 is white, which GDAL shows as a table too.
 */
export function colorTable(
  ifd: Ifd,
  layout: ImageLayout,
  nodata: SampleValue | null,
): readonly Rgba[] | null {
  const { bits, photometric, samplesPerPixel, type } = layout;
  if (bits > 16) return null;
  const map = tagNumbers(ifd, Tag.ColorMap);
  const count = 2 ** bits;
  if (photometric === Photometric.Palette && type.startsWith("uint") && map !== undefined) {
    if (map.length < 3 * count) return null;
    const hidden = nodata === null ? -1 : Math.trunc(Number(nodata));
    // Some writers filled the 16-bit map with 8-bit colours; then no entry exceeds 255.
    const shift = map.every((value) => value < 256) ? 0 : 8;
    return Array.from({ length: count }, (_, i): Rgba => {
      const [red, green, blue] = [map[i]!, map[count + i]!, map[2 * count + i]!];
      return [red >> shift, green >> shift, blue >> shift, i === hidden ? 0 : 255];
    });
  }
  const black: Rgba = [0, 0, 0, 255];
  const white: Rgba = [255, 255, 255, 255];
  if (photometric !== Photometric.MinIsWhite)
    return bits === 1 && samplesPerPixel === 1 ? [black, white] : null;
  if (bits === 1) return [white, black];
  return Array.from({ length: count }, (_, i): Rgba => {
    const grey = Math.floor(((count - 1 - i) * 255) / (count - 1));
    return [grey, grey, grey, 255];
  });
}

/** What a band shows, in GDAL's words in lower case. */
export function colorInterpretation(
  layout: ImageLayout,
  band: number,
  table: readonly Rgba[] | null,
): string {
  const { photometric, samplesPerPixel, extraSamples } = layout;
  const colours = COLOURS[photometric] ?? ["gray"];
  // A list that is too long begins after the colours, one that is too short ends with the last band.
  const extra = band - Math.max(samplesPerPixel - extraSamples.length, COLOURS[photometric]?.length ?? 1);
  if (extra >= 0 && ALPHA.has(extraSamples[extra]!)) return "alpha";
  if (photometric === Photometric.Palette || table !== null) return band === 0 ? "palette" : "undefined";
  return colours[band] ?? "undefined";
}

const RGB = ["red", "green", "blue"] as const;
const COLOURS: Readonly<Record<number, readonly string[]>> = {
  [Photometric.MinIsWhite]: [],
  [Photometric.Rgb]: RGB,
  [Photometric.YCbCr]: RGB,
  [Photometric.Separated]: ["cyan", "magenta", "yellow", "black"],
  [Photometric.CieLab]: [],
  [Photometric.IccLab]: [],
  [Photometric.ItuLab]: [],
};
const ALPHA: ReadonlySet<number> = new Set([1, 2]);

/** Text tags of the image, with the keys that GDAL gives them. */
export function textTags(ifd: Ifd, names: readonly (readonly [number, string])[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [tag, key] of names) {
    const text = tagText(ifd, tag);
    if (text !== undefined) texts[key] = text;
  }
  return texts;
}
