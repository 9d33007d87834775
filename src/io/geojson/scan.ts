import { isUtf8 } from "node:buffer";
import { GeoError } from "../../model/errors.ts";
import {
  geometryTypeCode,
  SEEN_BOOLEAN,
  SEEN_FLOAT,
  SEEN_INT32,
  SEEN_INT64,
  SEEN_NESTED,
  SEEN_NULL,
  SEEN_TEXT,
  textKind,
} from "../../model/geojson.ts";
import type { ByteSource } from "../bytes/source.ts";
import { checkCells } from "../text/cells.ts";
import { FALSE, JsonCursor, MAX_DEPTH, MORE, NULL, NUMBER, STRING, TRUE } from "./json-cursor.ts";
import { KeyTable } from "./keys.ts";

/** Files up to this size are read once and kept; larger ones are read twice in pieces. */
const KEEP_BYTES = 1 << 23;
/** Bytes read at a time. */
const BLOCK_BYTES = 1 << 20;
/** A run of features ends when it has this many bytes. */
const RUN_BYTES = 1 << 19;
/** Largest single value that is held in memory. */
const MAX_VALUE_BYTES = 2 ** 31 - 2 ** 24;

/** What the first pass over a file learns: where the features lie and what they are made of. */
export interface GeoJsonScan {
  readonly layout: "collection" | "sequence" | "single";
  /** `name` member of the collection, or `null`. */
  readonly name: string | null;
  /** The `crs` member of older files as it stands; `undefined` when there is none. */
  readonly crs: unknown;
  /** Attribute names in order of appearance, and the bits seen in each. */
  readonly keys: readonly string[];
  readonly seen: readonly number[];
  readonly count: number;
  /** Bit `t` is set when a geometry of type `t` was met. */
  readonly types: number;
  readonly hasZ: boolean;
  readonly hasIds: boolean;
  /** Whole features in runs of about half a megabyte: offset, bytes and rows, three numbers a run. */
  readonly runs: readonly number[];
  /** Features without `geometry` or `properties`, when those are let through. */
  readonly incomplete: number;
  /** Attributes written as NaN or Infinity, which JSON does not have. */
  readonly notJson: number;
  /** The whole file when it is small. */
  readonly whole: Uint8Array | null;
}

export interface ScanOptions {
  /** Recognise dates among texts. */
  readonly dates: boolean;
  /** Let features without `geometry` or `properties` through. */
  readonly lenient: boolean;
  /** Bytes read at a time, for tests. */
  readonly blockBytes?: number | undefined;
  readonly keepBytes?: number | undefined;
}

/**
 * Read a file once, without building geometry or numbers, so that the schema is known before the first batch and every
 * later read can begin at any run. Memory: one block, or the largest single feature.
 */
export async function scanGeoJson(bytes: ByteSource, options: ScanOptions): Promise<GeoJsonScan> {
  const { blockBytes = BLOCK_BYTES, keepBytes = KEEP_BYTES } = options;
  const keep = bytes.size <= keepBytes;
  const first = await bytes.read(0, keep ? bytes.size : blockBytes);
  const scan = new Scan(new JsonCursor(bytes.url, first, 0, keep), options);
  scan.begin();
  for (;;) {
    try {
      scan.run();
      break;
    } catch (error) {
      if (error !== MORE) throw error;
    }
    await refill(bytes, scan, blockBytes);
  }
  const result = scan.result(keep ? first : null);
  checkCells(bytes.url, result.count, result.keys.length, bytes.size);
  return result;
}

/** Drop what is done with, append the next block. */
async function refill(bytes: ByteSource, scan: Scan, blockBytes: number): Promise<void> {
  const { cursor } = scan;
  const rest = cursor.end - scan.mark;
  // Doubling what is appended keeps the cost of reading one huge feature again and again linear.
  const offset = cursor.base + cursor.end;
  const wanted = Math.min(Math.max(blockBytes, rest), bytes.size - offset);
  if (rest + wanted > MAX_VALUE_BYTES) {
    throw new GeoError(
      "LIMIT",
      `${bytes.url}: the value at byte ${cursor.base + scan.mark} is larger than ${MAX_VALUE_BYTES} bytes`,
      { what: "one GeoJSON feature", needed: rest + wanted, allowed: MAX_VALUE_BYTES, path: bytes.url },
      { hint: "Split the feature, or check that the file is not missing a closing bracket." },
    );
  }
  const next = wanted > 0 ? await bytes.read(offset, wanted) : new Uint8Array(0);
  const joined = new Uint8Array(rest + next.length);
  joined.set(cursor.bytes.subarray(scan.mark, cursor.end));
  joined.set(next, rest);
  cursor.bytes = joined;
  cursor.base += scan.mark;
  cursor.at = 0;
  cursor.end = joined.length;
  cursor.final = offset + next.length >= bytes.size || next.length === 0;
  scan.mark = 0;
  scan.checkText();
}

/** Where the scan stands between two whole values. */
type Phase = "start" | "members" | "features" | "records" | "end";

class Scan {
  readonly cursor: JsonCursor;
  /** Everything before this offset of the buffer is done with. */
  mark = 0;
  readonly #options: ScanOptions;
  #phase: Phase = "start";
  #first = true;
  #layout: GeoJsonScan["layout"] = "collection";
  #type: string | null = null;
  #sawFeatures = false;
  #name: string | null = null;
  #crs: unknown;
  readonly #keys = new KeyTable();
  readonly #seen: number[] = [];
  #count = 0;
  #types = 0;
  #hasZ = false;
  #hasIds = false;
  #incomplete = 0;
  #notJson = 0;
  /** Those of the feature that is being read, which may have to be read again. */
  #notJsonPending = 0;
  readonly #runs: number[] = [];
  #runStart = -1;
  #runEnd = 0;
  #runRows = 0;
  /** Bytes of the file known to be UTF-8. */
  #checked = 0;

  constructor(cursor: JsonCursor, options: ScanOptions) {
    this.cursor = cursor;
    this.#options = options;
  }

  /** Byte order mark and encoding, on the first block. */
  begin(): void {
    const { bytes, end } = this.cursor;
    if (end >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)))
      this.cursor.fail("UTF-8", "The file is UTF-16; save it as UTF-8.");
    if (end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      this.cursor.at = 3;
      this.mark = 3;
    }
    this.checkText();
  }

  /** Check that the bytes read so far are UTF-8; a letter cut by the end of the block waits for the next one. */
  checkText(): void {
    const { cursor } = this;
    const { bytes, base, end } = cursor;
    let stop = end;
    if (!cursor.final) {
      for (let back = 1; back <= 3 && back <= end; back++) {
        const byte = bytes[end - back]!;
        if (byte < 0x80) break;
        if (byte >= 0xc0) {
          stop = end - back;
          break;
        }
      }
    }
    const from = Math.max(0, this.#checked - base);
    if (stop <= from) return;
    if (!isUtf8(bytes.subarray(from, stop))) {
      let low = from;
      // The shortest prefix that is wrong ends in the wrong byte; step by whole letters.
      while (low < stop) {
        const byte = bytes[low]!;
        const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        if (!isUtf8(bytes.subarray(low, Math.min(low + length, stop)))) break;
        low += length;
      }
      throw cursor.failure(
        `found byte 0x${bytes[Math.min(low, end - 1)]!.toString(16)}, expected UTF-8 text`,
        low,
        "Save the file as UTF-8, for example with: iconv -f WINDOWS-1252 -t UTF-8 in.geojson > out.geojson",
      );
    }
    this.#checked = base + stop;
  }

  /** Go on to the end of the file; throws {@link MORE} when the buffer is used up. */
  run(): void {
    const { cursor } = this;
    cursor.at = this.mark;
    for (;;) {
      switch (this.#phase) {
        case "start":
          this.#start();
          break;
        case "members":
          this.#member();
          break;
        case "features":
          this.#feature();
          break;
        case "records":
          this.#record();
          break;
        case "end":
          if (cursor.peek() !== -1) {
            cursor.fail(
              "the end of the file",
              "There is something behind the end of the collection; a file holds one.",
            );
          }
          return;
      }
      this.mark = cursor.at;
    }
  }

  result(whole: Uint8Array | null): GeoJsonScan {
    return {
      layout: this.#layout,
      name: this.#name,
      crs: this.#crs,
      keys: this.#keys.names,
      seen: this.#seen,
      count: this.#count,
      types: this.#types,
      hasZ: this.#hasZ,
      hasIds: this.#hasIds,
      runs: this.#runs,
      incomplete: this.#incomplete,
      notJson: this.#notJson,
      whole,
    };
  }

  /** Find out what the file is from its first object, and begin with it. */
  #start(): void {
    const { cursor } = this;
    this.#recordSeparator();
    if (cursor.peek() === 91)
      cursor.fail("a GeoJSON object", "A list of features is not GeoJSON; wrap it in a FeatureCollection.");
    if (cursor.peek() !== 123) cursor.fail("a GeoJSON object");
    const start = cursor.at;
    cursor.at++;
    let type: string | null = null;
    let collection = false;
    let topology = 0;
    for (let first = true; type === null && !collection && cursor.key(first); first = false) {
      if (cursor.is("features")) {
        collection = cursor.peek() === 91;
        if (!collection) cursor.value();
      } else if (cursor.is("type")) {
        if (cursor.value() !== STRING) break;
        type = cursor.text();
      } else {
        if (cursor.is("arcs") || cursor.is("objects")) topology++;
        if (topology === 2) type = "Topology";
        else cursor.value();
      }
    }
    if (type === "Topology") throw topoJson(cursor.url);
    if (collection || type === "FeatureCollection") {
      this.#phase = "members";
      cursor.at = start + 1;
      return;
    }
    cursor.at = start;
    if (type === null)
      throw cursor.failure(`found an object without "type", expected a GeoJSON object`, start);
    if (type !== "Feature" && geometryTypeCode(type) === 0) {
      throw cursor.failure(
        `found type ${JSON.stringify(type.slice(0, 40))}, expected FeatureCollection, Feature or a geometry type`,
        start,
      );
    }
    this.#layout = "single";
    this.#phase = "records";
  }

  /** One member of the collection. */
  #member(): void {
    const { cursor } = this;
    if (!cursor.key(this.#first)) {
      if (this.#type !== "FeatureCollection") {
        const found = this.#type === null ? `no "type"` : `type ${JSON.stringify(this.#type.slice(0, 40))}`;
        throw cursor.failure(`found ${found}, expected type "FeatureCollection"`, cursor.at - 1);
      }
      if (!this.#sawFeatures) {
        throw cursor.failure(
          `found a FeatureCollection without "features", expected an array of features`,
          cursor.at - 1,
          `Add "features": [] if the collection is meant to be empty.`,
        );
      }
      this.#phase = "end";
      return;
    }
    if (cursor.is("features")) {
      if (this.#sawFeatures) throw cursor.failure(`found "features" a second time`, cursor.start);
      if (cursor.peek() !== 91) cursor.fail("an array of features");
      cursor.at++;
      this.#sawFeatures = true;
      this.#first = true;
      this.#phase = "features";
      return;
    }
    if (cursor.is("type")) {
      if (cursor.value() !== STRING) this.#type = "";
      else this.#type = cursor.text();
    } else if (cursor.is("name")) {
      if (cursor.value() === STRING) this.#name = cursor.text();
    } else if (cursor.is("crs")) {
      this.#crs = this.#crsMember();
    } else cursor.value();
    this.#first = false;
  }

  #crsMember(): unknown {
    const { cursor } = this;
    cursor.peek();
    const start = cursor.at;
    cursor.value();
    if (cursor.at - start > 1 << 20) return null;
    return JSON.parse(new TextDecoder().decode(cursor.bytes.subarray(start, cursor.at)));
  }

  /** One feature of the collection, or its end. */
  #feature(): void {
    const { cursor } = this;
    if (!cursor.item(this.#first)) {
      this.#endRun();
      this.#first = false;
      this.#phase = "members";
      return;
    }
    const start = cursor.at;
    if (cursor.bytes[start] !== 123) cursor.fail("a feature");
    this.#featureObject();
    this.#first = false;
    this.#addRow(start);
  }

  /** One record of a text sequence, or the only feature or geometry of the file, or its end. */
  #record(): void {
    const { cursor } = this;
    this.#recordSeparator();
    if (cursor.peek() === -1) {
      this.#endRun();
      this.#phase = "end";
      return;
    }
    if (this.#count > 0) this.#layout = "sequence";
    if (cursor.peek() !== 123) cursor.fail("a GeoJSON object");
    const start = cursor.at;
    this.#featureObject(true);
    this.#addRow(start);
  }

  /** Record separators of RFC 8142 count as white space between records. */
  #recordSeparator(): void {
    const { cursor } = this;
    while (cursor.peek() === 0x1e) {
      cursor.at++;
      this.mark = cursor.at;
    }
  }

  #addRow(start: number): void {
    this.#notJson += this.#notJsonPending;
    const { base, at } = this.cursor;
    if (this.#runStart < 0) this.#runStart = base + start;
    this.#runEnd = base + at;
    this.#runRows++;
    this.#count++;
    if (this.#runEnd - this.#runStart >= RUN_BYTES) this.#endRun();
  }

  #endRun(): void {
    if (this.#runRows > 0) this.#runs.push(this.#runStart, this.#runEnd - this.#runStart, this.#runRows);
    this.#runStart = -1;
    this.#runRows = 0;
  }

  /** A feature, or in a record also a bare geometry. */
  #featureObject(record: boolean = false): void {
    const { cursor } = this;
    const start = cursor.at;
    cursor.at++;
    this.#notJsonPending = 0;
    let type: string | null = null;
    let geometry = false;
    let properties = false;
    let attributes = false;
    for (let first = true; cursor.key(first); first = false) {
      if (cursor.is("geometry")) {
        geometry = true;
        this.#geometry(0, true);
      } else if (cursor.is("properties")) {
        properties = true;
        this.#properties();
      } else if (cursor.is("type")) {
        type = cursor.value() === STRING ? (cursor.is("Feature") ? "Feature" : cursor.text()) : null;
        if (type !== "Feature" && record) {
          const code = geometryTypeCode(type);
          if (code !== 0) {
            cursor.at = start;
            this.#geometry(0, false);
            return;
          }
        }
      } else if (cursor.is("id")) {
        if (cursor.value() !== NULL) this.#hasIds = true;
      } else if (cursor.is("crs") && record && this.#count === 0) this.#crs = this.#crsMember();
      else {
        if (cursor.is("attributes")) attributes = true;
        cursor.value();
      }
    }
    if (type !== "Feature") {
      throw cursor.failure(
        `found ${type === null ? `an object without "type"` : `type ${JSON.stringify(type.slice(0, 40))}`}, expected type "Feature"`,
        start,
        attributes
          ? "This looks like Esri JSON; export it as GeoJSON (f=geojson), or convert it with ogr2ogr."
          : undefined,
      );
    }
    if (!geometry || !properties) {
      this.#incomplete++;
      if (!this.#options.lenient) {
        const missing = geometry ? "properties" : "geometry";
        throw cursor.failure(
          `found a feature without "${missing}"`,
          start,
          `RFC 7946 wants "${missing}": null where there is none; add it, or read with lenient: true.`,
        );
      }
    }
  }

  #geometry(depth: number, nullable: boolean): void {
    const { cursor } = this;
    const byte = cursor.peek();
    if (byte === 110 && nullable) {
      cursor.value();
      return;
    }
    if (byte !== 123) cursor.fail(nullable ? "a geometry or null" : "a geometry");
    if (depth >= MAX_DEPTH) cursor.fail(`at most ${MAX_DEPTH} levels of nesting`);
    const start = cursor.at;
    cursor.at++;
    let type = 0;
    for (let first = true; cursor.key(first); first = false) {
      if (cursor.is("coordinates")) {
        if (cursor.coordinates()) this.#hasZ = true;
      } else if (cursor.is("type")) {
        const kind = cursor.value();
        type = kind === STRING ? geometryTypeCode(cursor.text()) : 0;
        if (type === 0) {
          throw cursor.failure(
            `found geometry type ${kind === STRING ? JSON.stringify(cursor.text().slice(0, 40)) : "that is not a text"}, expected Point, LineString, Polygon, MultiPoint, MultiLineString, MultiPolygon or GeometryCollection`,
            kind === STRING ? cursor.start : start,
            "Names of geometry types are written exactly so, capitals included.",
          );
        }
      } else if (cursor.is("geometries")) {
        if (cursor.peek() !== 91) cursor.fail("an array of geometries");
        cursor.at++;
        for (let head = true; cursor.item(head); head = false) this.#geometry(depth + 1, false);
      } else if (cursor.is("crs") && !nullable && depth === 0 && this.#count === 0)
        this.#crs = this.#crsMember();
      else cursor.value();
    }
    if (type === 0) throw cursor.failure(`found a geometry without "type"`, start);
    if (depth === 0) this.#types |= 1 << type;
  }

  #properties(): void {
    const { cursor } = this;
    const keys = this.#keys;
    const seen = this.#seen;
    const byte = cursor.peek();
    if (byte === 110) {
      cursor.value();
      return;
    }
    if (byte !== 123) cursor.fail(`an object of "properties" or null`);
    cursor.at++;
    keys.rewind();
    for (let first = true; cursor.key(first); first = false) {
      const k = keys.findOrAdd(cursor);
      if (k === seen.length) seen.push(0);
      seen[k]! |= this.#kind(cursor.attribute());
      if (cursor.notJson) this.#notJsonPending++;
    }
  }

  #kind(value: number): number {
    const { cursor } = this;
    switch (value) {
      case NULL:
        return SEEN_NULL;
      case TRUE:
      case FALSE:
        return SEEN_BOOLEAN;
      case STRING:
        return this.#options.dates ? textKind(cursor.text()) : SEEN_TEXT;
      case NUMBER: {
        const { number } = cursor;
        if (!cursor.numbers.integer || Object.is(number, -0)) return SEEN_FLOAT;
        if (number === (number | 0)) return SEEN_INT32;
        if (Number.isSafeInteger(number)) return SEEN_INT64;
        return fitsInt64(cursor) ? SEEN_INT64 : SEEN_FLOAT;
      }
      default:
        return SEEN_NESTED;
    }
  }
}

function fitsInt64(cursor: JsonCursor): boolean {
  if (cursor.stop - cursor.start > 20) return false;
  const value = BigInt(cursor.text());
  return value === BigInt.asIntN(64, value);
}

/** The refusal of TopoJSON, which looks like GeoJSON from afar. */
function topoJson(url: string): GeoError<"UNSUPPORTED"> {
  return new GeoError(
    "UNSUPPORTED",
    `${url} is TopoJSON, expected GeoJSON`,
    { feature: "TopoJSON", path: url },
    { hint: "Convert it first, for example: mapshaper in.topojson -o out.geojson" },
  );
}
