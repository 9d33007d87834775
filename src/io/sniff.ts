import { GeoError } from "../model/errors.ts";
import type { ByteSource } from "./bytes/source.ts";

/** Formats that the library reads, as told by the bytes. */
export type Format =
  | "geotiff"
  | "flatgeobuf"
  | "geopackage"
  | "geoparquet"
  | "shapefile"
  | "dbf"
  | "zip"
  | "geojson"
  | "geojsonseq"
  | "kml"
  | "csv";

const HEAD = 65_536;

/** What the first bytes of other formats look like, so that a refusal can say what was found. */
const OTHERS: readonly (readonly [name: string, offset: number, bytes: readonly number[]])[] = [
  ["a JPEG 2000 image", 4, [0x6a, 0x50, 0x20, 0x20]],
  ["a JPEG 2000 codestream", 0, [0xff, 0x4f, 0xff, 0x51]],
  ["a PNG image", 0, [0x89, 0x50, 0x4e, 0x47]],
  ["a JPEG image", 0, [0xff, 0xd8, 0xff]],
  ["a GIF image", 0, [0x47, 0x49, 0x46, 0x38]],
  ["an HDF5 or NetCDF-4 file", 0, [0x89, 0x48, 0x44, 0x46]],
  ["a NetCDF file", 0, [0x43, 0x44, 0x46]],
  ["an HDF4 file", 0, [0x0e, 0x03, 0x13, 0x01]],
  ["a gzip archive", 0, [0x1f, 0x8b]],
  ["a bzip2 archive", 0, [0x42, 0x5a, 0x68]],
  ["a 7-Zip archive", 0, [0x37, 0x7a, 0xbc, 0xaf]],
  ["a PDF document", 0, [0x25, 0x50, 0x44, 0x46]],
  ["an executable", 0, [0x7f, 0x45, 0x4c, 0x46]],
  ["an Arrow file", 0, [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31]],
  ["a GRIB file", 0, [0x47, 0x52, 0x49, 0x42]],
];

/**
 * Tell the format from the bytes; the name only decides between text formats that look alike.
 *
 * @throws GeoError `INVALID_FORMAT` when the file is empty or of no known format; says what it looks like.
 */
export async function sniffFormat(source: ByteSource): Promise<Format> {
  if (source.size === 0) {
    throw new GeoError(
      "INVALID_FORMAT",
      `${source.url} is empty (0 bytes)`,
      { format: "unknown", path: source.url, offset: 0 },
      { hint: "Check that the download or the program that wrote it has finished." },
    );
  }
  const head = await source.read(0, Math.min(HEAD, source.size));
  if (startsWith(head, [0x49, 0x49, 42, 0]) || startsWith(head, [0x4d, 0x4d, 0, 42])) return "geotiff";
  if (startsWith(head, [0x49, 0x49, 43, 0]) || startsWith(head, [0x4d, 0x4d, 0, 43])) return "geotiff";
  if (startsWith(head, [0x66, 0x67, 0x62])) return "flatgeobuf";
  if (
    startsWith(
      head,
      Array.from("SQLite format 3\0", (c) => c.charCodeAt(0)),
    )
  )
    return "geopackage";
  if (startsWith(head, [0x50, 0x41, 0x52, 0x31])) return "geoparquet";
  if (startsWith(head, [0x50, 0x4b, 3, 4]) || startsWith(head, [0x50, 0x4b, 5, 6])) return "zip";
  if (startsWith(head, [0, 0, 0x27, 0x0a])) {
    if (endingOf(source.url) !== "shx") return "shapefile";
    throw new GeoError(
      "INVALID_FORMAT",
      `${source.url} is the index of a Shapefile, expected its .shp`,
      { format: "shx", path: source.url, offset: 0 },
      { hint: "Name the .shp file; what lies beside it is found by itself." },
    );
  }
  for (const [name, offset, bytes] of OTHERS) {
    if (bytes.every((byte, i) => head[offset + i] === byte)) throw notGeodata(source, name);
  }
  const ending = endingOf(source.url);
  if (ending === "dbf") return "dbf";
  if (
    ending === "shp" ||
    ending === "fgb" ||
    ending === "gpkg" ||
    ending === "parquet" ||
    ending === "tif" ||
    ending === "tiff"
  ) {
    throw notGeodata(
      source,
      `not the .${ending} file that its name says (first bytes ${hex(head.subarray(0, 8))})`,
    );
  }
  return textFormat(source, head, ending);
}

function textFormat(source: ByteSource, head: Uint8Array, ending: string): Format {
  const text = decodeHead(head);
  const start = text.replace(/^[\uFEFF\s]+/, "");
  const first = start[0];
  if (first === "\u001e") return "geojsonseq";
  if (first === "{" || first === "[") {
    if (ending === "geojsonl" || ending === "ndjson" || ending === "geojsons" || ending === "jsonl")
      return "geojsonseq";
    return looksLikeSequence(start) ? "geojsonseq" : "geojson";
  }
  if (first === "<") {
    if (/<(\w+:)?kml[\s>]/.test(start)) return "kml";
    throw notGeodata(
      source,
      /<!doctype html|<html/i.test(start) ? "an HTML page" : "an XML document that is not KML",
    );
  }
  if (first === undefined) throw notGeodata(source, "only blanks");
  if (ending === "csv" || ending === "tsv" || ending === "txt" || ending === "psv") return "csv";
  if (ending === "geojson" || ending === "json") return "geojson";
  if (!text.includes("\0") && /^[^\n]*[,;\t|][^\n]*\r?\n/.test(start)) return "csv";
  throw notGeodata(source, `of no format that is known here (first bytes ${hex(head.subarray(0, 8))})`);
}

/** A first line that is a whole JSON object, followed by another object. */
function looksLikeSequence(text: string): boolean {
  const end = text.indexOf("\n");
  if (end < 0 || !/^\s*\{/.test(text.slice(end))) return false;
  try {
    JSON.parse(text.slice(0, end));
    return true;
  } catch {
    return false;
  }
}

function decodeHead(head: Uint8Array): string {
  const utf16 =
    head[0] === 0xff && head[1] === 0xfe
      ? "utf-16le"
      : head[0] === 0xfe && head[1] === 0xff
        ? "utf-16be"
        : null;
  return new TextDecoder(utf16 ?? "utf-8", { ignoreBOM: true }).decode(head);
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => head[i] === byte);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Lower-case ending of a path or address, without the dot. */
export function endingOf(url: string): string {
  const name = /^https?:/.test(url) ? new URL(url).pathname : url;
  return /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}

function notGeodata(source: ByteSource, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${source.url} is ${what}`,
    { format: "unknown", path: source.url, offset: 0 },
    {
      hint: "Expected GeoTIFF, GeoJSON, FlatGeobuf, Shapefile, GeoPackage, GeoParquet, KML or CSV; convert it with gdal_translate or ogr2ogr first.",
    },
  );
}
