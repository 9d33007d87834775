import { GeoError } from "../../model/errors.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { TiffHeader } from "./header.ts";
import { Tag } from "./tags.ts";

/** One entry of a directory: where its values lie. */
export interface IfdEntry {
  readonly tag: number;
  /** Field type: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, ... 16 LONG8. */
  readonly type: number;
  /** Values, not bytes. */
  readonly count: number;
  /** Byte at which the values start; inside the entry itself when they fit there. */
  readonly offset: number;
}

/** Values of a tag: text for ASCII, bytes for UNDEFINED and long BYTE fields, numbers for the rest. */
export type TagValue = readonly number[] | string | Uint8Array;

/** One image file directory with its values read, except the tables of tile positions, which may be long. */
export interface Ifd {
  readonly offset: number;
  /** Byte at which the next directory starts; 0 when this is the last. */
  readonly next: number;
  readonly entries: ReadonlyMap<number, IfdEntry>;
  readonly values: ReadonlyMap<number, TagValue>;
}

/** Bytes of one value by field type; 0 for types nobody defined. */
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Tables that are read piece by piece, when pixels are. */
const LAZY: ReadonlySet<number> = new Set([
  Tag.StripOffsets,
  Tag.StripByteCounts,
  Tag.TileOffsets,
  Tag.TileByteCounts,
]);

/** Longest value, in bytes, that opening reads of a tag we do not know by name. */
const UNKNOWN_TAG_BYTES = 4096;
const KNOWN: ReadonlySet<number> = new Set(Object.values(Tag));

/** Directories followed in one chain; libtiff's own limit is 65,535, a sane file has a dozen. */
const MAX_IFDS = 4096;

/**
 * What directories and values may still add up to, in bytes. A sound file stores each once, so their sum stays
 * below its size; a hostile one may point a thousand entries at the same megabyte.
 */
export interface ReadBudget {
  left: number;
}

/** The budget of one file. */
export function readBudget(bytes: ByteSource): ReadBudget {
  return { left: 2 * bytes.size + 65_536 };
}

/**
 * Read the chain of directories. The first must be readable; damage further on ends the chain with a warning, as
 * does a chain that runs in a circle.
 *
 * @throws GeoError `INVALID_FORMAT`
 */
export async function readIfdChain(
  bytes: ByteSource,
  header: TiffHeader,
  budget: ReadBudget,
  warnings: string[],
): Promise<Ifd[]> {
  const ifds: Ifd[] = [];
  const seen = new Set<number>();
  for (let offset = header.firstIfd; offset !== 0; ) {
    if (seen.has(offset)) {
      warnings.push(`the directory at byte ${offset} is linked twice; the chain was cut there`);
      break;
    }
    if (ifds.length === MAX_IFDS) {
      warnings.push(`only the first ${MAX_IFDS} directories were read`);
      break;
    }
    seen.add(offset);
    try {
      const ifd = await readIfd(bytes, header, offset, budget, warnings);
      ifds.push(ifd);
      offset = ifd.next;
    } catch (error) {
      if (ifds.length === 0 || !(error instanceof GeoError)) throw error;
      warnings.push(`the directory at byte ${offset} is damaged and was left out`);
      break;
    }
  }
  if (ifds.length === 0) throw damaged(bytes, header.firstIfd, "it has no image directory");
  return ifds;
}

/**
 * Read one directory and its values. A value that lies outside the file is left out with a warning: what needs it
 * will say that it is missing.
 *
 * @throws GeoError `INVALID_FORMAT`
 */
export async function readIfd(
  bytes: ByteSource,
  header: TiffHeader,
  offset: number,
  budget: ReadBudget,
  warnings: string[],
): Promise<Ifd> {
  const { littleEndian, big } = header;
  const countBytes = big ? 8 : 2;
  const entryBytes = big ? 20 : 12;
  const nextBytes = big ? 8 : 4;
  if (!(offset >= 8 && offset + countBytes <= bytes.size))
    throw damaged(
      bytes,
      offset,
      `its image directory should be at byte ${offset}, but it has ${bytes.size} bytes`,
    );
  const countView = viewOf(await readExactly(bytes, offset, countBytes, "an image directory"));
  const count = big ? Number(countView.getBigUint64(0, littleEndian)) : countView.getUint16(0, littleEndian);
  const tableAt = offset + countBytes;
  const tableBytes = count * entryBytes;
  budget.left -= tableBytes;
  if (count === 0 || tableAt + tableBytes > bytes.size || budget.left < 0)
    throw damaged(bytes, offset, `its image directory claims ${count} entries`);
  // The link to the next directory may be missing at the very end of a file; then there is none.
  const hasNext = tableAt + tableBytes + nextBytes <= bytes.size;
  const table = viewOf(
    await readExactly(bytes, tableAt, tableBytes + (hasNext ? nextBytes : 0), "an image directory"),
  );

  const entries = new Map<number, IfdEntry>();
  for (let i = 0; i < count; i++) {
    const at = i * entryBytes;
    const tag = table.getUint16(at, littleEndian);
    const type = table.getUint16(at + 2, littleEndian);
    const valueCount = big
      ? Number(table.getBigUint64(at + 4, littleEndian))
      : table.getUint32(at + 4, littleEndian);
    const valueAt = at + (big ? 12 : 8);
    const size = (TYPE_BYTES[type] ?? 0) * valueCount;
    if (size === 0 || entries.has(tag)) continue; // an empty value says nothing; of doubles the first counts
    const inline = size <= (big ? 8 : 4);
    entries.set(tag, {
      tag,
      type,
      count: valueCount,
      offset: inline
        ? tableAt + valueAt
        : big
          ? Number(table.getBigUint64(valueAt, littleEndian))
          : table.getUint32(valueAt, littleEndian),
    });
  }
  const next = hasNext
    ? big
      ? Number(table.getBigUint64(tableBytes, littleEndian))
      : table.getUint32(tableBytes, littleEndian)
    : 0;

  const values = new Map<number, TagValue>();
  for (const entry of entries.values()) {
    const size = TYPE_BYTES[entry.type]! * entry.count;
    if (LAZY.has(entry.tag) || (size > UNKNOWN_TAG_BYTES && !KNOWN.has(entry.tag))) continue;
    if (entry.offset + size > bytes.size || size > budget.left) {
      warnings.push(`the value of tag ${entry.tag} lies outside the file and was left out`);
      continue;
    }
    budget.left -= size;
    values.set(entry.tag, decodeValue(entry, await readValues(bytes, entry, 0, entry.count), littleEndian));
  }
  return { offset, next, entries, values };
}

/**
 * Raw bytes of values `first .. first + count - 1` of an entry.
 *
 * @throws GeoError `INVALID_FORMAT` when they lie outside the file.
 */
export async function readValues(
  bytes: ByteSource,
  entry: IfdEntry,
  first: number,
  count: number,
): Promise<Uint8Array> {
  const size = TYPE_BYTES[entry.type]!;
  return await readExactly(
    bytes,
    entry.offset + first * size,
    count * size,
    `the values of tag ${entry.tag}`,
  );
}

/** Values of an entry as numbers, whatever their field type; rationals as quotients. */
export function numbersOf(type: number, raw: Uint8Array, littleEndian: boolean): number[] {
  const size = TYPE_BYTES[type]!;
  const view = viewOf(raw);
  const numbers = new Array<number>(Math.floor(raw.length / size));
  for (let i = 0; i < numbers.length; i++) numbers[i] = numberAt(view, type, i * size, littleEndian);
  return numbers;
}

function numberAt(view: DataView, type: number, at: number, littleEndian: boolean): number {
  switch (type) {
    case 3:
      return view.getUint16(at, littleEndian);
    case 4:
    case 13:
      return view.getUint32(at, littleEndian);
    case 5:
      return view.getUint32(at, littleEndian) / view.getUint32(at + 4, littleEndian);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, littleEndian);
    case 9:
      return view.getInt32(at, littleEndian);
    case 10:
      return view.getInt32(at, littleEndian) / view.getInt32(at + 4, littleEndian);
    case 11:
      return view.getFloat32(at, littleEndian);
    case 12:
      return view.getFloat64(at, littleEndian);
    case 16:
    case 18:
      return Number(view.getBigUint64(at, littleEndian));
    case 17:
      return Number(view.getBigInt64(at, littleEndian));
    default:
      return view.getUint8(at);
  }
}

function decodeValue(entry: IfdEntry, raw: Uint8Array, littleEndian: boolean): TagValue {
  if (entry.type === 2) return decodeText(raw);
  if (entry.type === 7 || (entry.type === 1 && raw.length > 256)) return new Uint8Array(raw);
  return numbersOf(entry.type, raw, littleEndian);
}

/** ASCII fields end at their first NUL; bytes above 127 are UTF-8 when they can be, else Latin-1. */
function decodeText(raw: Uint8Array): string {
  const end = raw.indexOf(0);
  const text = end < 0 ? raw : raw.subarray(0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return Buffer.from(text).toString("latin1");
  }
}

/** Numbers of a tag, or `undefined` when it is absent or not numeric. */
export function tagNumbers(ifd: Ifd, tag: number): readonly number[] | undefined {
  const value = ifd.values.get(tag);
  if (value instanceof Uint8Array) return Array.from(value);
  return typeof value === "string" ? undefined : value;
}

/** First number of a tag, or `fallback`. */
export function tagNumber(ifd: Ifd, tag: number, fallback: number): number {
  return tagNumbers(ifd, tag)?.[0] ?? fallback;
}

/** Text of a tag, or `undefined`. Some writers store text as bytes. */
export function tagText(ifd: Ifd, tag: number): string | undefined {
  const value = ifd.values.get(tag);
  if (typeof value === "string" || value === undefined) return value;
  return decodeText(Uint8Array.from(value));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(bytes: ByteSource, offset: number, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${bytes.url} is damaged: ${what}`,
    { format: "geotiff", path: bytes.url, offset },
    { hint: "Copy or download the file again." },
  );
}
