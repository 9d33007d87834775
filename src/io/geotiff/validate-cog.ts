import { existsSync } from "node:fs";
import { isGeoError } from "../../model/errors.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { LEADER_BYTES, TRAILER_BYTES } from "./ghost.ts";
import { readGhostHeader, readTiffHeader, type TiffHeader } from "./header.ts";
import { type Ifd, numbersOf, readBudget, readIfdChain, readValues, tagNumber } from "./ifd.ts";
import { SUBFILE_MASK, SUBFILE_PAGE, SUBFILE_REDUCED, Tag } from "./tags.ts";

/** One rule that a file breaks. */
export interface CogProblem {
  /** `warning`: works, but not as well as it could. Strict validators refuse both. */
  readonly level: "error" | "warning";
  readonly code: CogProblemCode;
  readonly message: string;
  /** Byte at which it shows, when it shows at one. */
  readonly offset?: number;
}

export type CogProblemCode =
  | "external-overviews"
  | "not-tiled"
  | "no-overviews"
  | "ifd-offset"
  | "ghost-size"
  | "known-incompatible-edition"
  | "ifd-order"
  | "overview-size"
  | "overview-not-tiled"
  | "damaged-directory"
  | "tile-table"
  | "tile-outside-file"
  | "data-order"
  | "data-before-ifd"
  | "block-order"
  | "leader"
  | "trailer"
  | "mask-interleave";

/** What {@link validateCog} found. */
export interface CogReport {
  /** No errors. */
  readonly valid: boolean;
  /** No errors and no warnings. */
  readonly strict: boolean;
  /** In the order of the file. At most 100 of each code; the last of them says how many more there were. */
  readonly problems: readonly CogProblem[];
  readonly width: number;
  readonly height: number;
  readonly bigTiff: boolean;
  readonly blockSize: readonly [width: number, height: number];
  readonly overviews: readonly (readonly [width: number, height: number])[];
  readonly hasMask: boolean;
  /** GDAL's structural metadata; `null` when the file has none, which is allowed. */
  readonly ghost: Readonly<Record<string, string>> | null;
  /** Tiles of images and masks, those left out among them. */
  readonly tiles: number;
  readonly sparseTiles: number;
  /** Tiles whose leader and trailer were read. */
  readonly checkedTiles: number;
}

export interface ValidateCogOptions {
  /**
   * Tiles whose leader and trailer are read: `"all"`, or a number spread evenly over each resolution. Default all of a
   * local file, 16 per resolution of a remote one.
   */
  readonly tiles?: "all" | number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sides up to which GDAL and rio-cogeo want neither tiles nor overviews. */
const SMALL = 512;
/** Longest strip that GDAL lets pass in an image with one small side. */
const LONG_STRIP = 1024;
/** rio-cogeo's limit for the first directory: room for the header and the ghost area. */
const MOST_IFD_OFFSET = 300;
const MOST_PER_CODE = 100;
const TABLE_CHUNK = 8192;
/** "All" stops here per resolution; more are spread evenly. A file of 180,000 x 180,000 pixels has as many. */
const MOST_CHECKED = 2 ** 17;

/**
 * Whether a TIFF is laid out as a Cloud Optimized GeoTIFF: the rules of GDAL's `validate_cloud_optimized_geotiff`
 * with full check and of rio-cogeo's `cogeo validate --strict` together.
 *
 * Cost: the directories, the tables of tile positions, and 16 bytes per tile checked.
 *
 * @throws GeoError `INVALID_FORMAT` when it is no TIFF or its first directory cannot be read
 */
export async function validateCog(bytes: ByteSource, options: ValidateCogOptions = {}): Promise<CogReport> {
  const remote = /^https?:/i.test(bytes.url);
  const found = new Problems();
  const header = await readTiffHeader(bytes);
  const damage: string[] = [];
  const ifds = await readIfdChain(bytes, header, readBudget(bytes), damage);
  for (const message of damage) found.add("error", "damaged-directory", message);
  const ghost = trimmedKeys(await readGhostHeader(bytes, header));

  const images = ifds.filter((ifd) => kindOf(ifd) === "image");
  const main = images[0] ?? ifds[0]!;
  const overviews = images.filter((ifd) => ifd !== main && (subfile(ifd) & SUBFILE_REDUCED) !== 0);
  const masks = ifds.filter((ifd) => kindOf(ifd) === "mask");

  if (!remote && existsSync(`${bytes.url}.ovr`)) {
    found.add(
      "error",
      "external-overviews",
      `overviews lie in ${bytes.url}.ovr; they should be inside the file`,
    );
  }
  await checkStart(bytes, header, ghost, main, found);
  checkSizes(main, overviews, found);

  const limit = options.tiles ?? (remote ? 16 : "all");
  const check = { bytes, header, ghost, found, limit, signal: options.signal };
  const levels: Level[] = [];
  for (const image of [main, ...overviews]) {
    const mask = masks.find((ifd) => sameSize(ifd, image) && isReduced(ifd) === isReduced(image)) ?? null;
    levels.push(await checkTiles(check, image, mask, levelName(levels.length)));
  }
  checkDataOrder(levels, found);

  const problems = found.list();
  return {
    valid: !problems.some(({ level }) => level === "error"),
    strict: problems.length === 0,
    problems,
    width: widthOf(main),
    height: heightOf(main),
    bigTiff: header.big,
    blockSize: blockSizeOf(main),
    overviews: overviews.map((ifd) => [widthOf(ifd), heightOf(ifd)] as const),
    hasMask: masks.length > 0,
    ghost,
    tiles: levels.reduce((total, level) => total + level.tiles, 0),
    sparseTiles: levels.reduce((total, level) => total + level.sparse, 0),
    checkedTiles: levels.reduce((total, level) => total + level.checked, 0),
  };
}

/** GDAL leaves a space at the start of the line behind `KNOWN_INCOMPATIBLE_EDITION`, room for its "YES". */
function trimmedKeys(
  pairs: Readonly<Record<string, string>> | null,
): Readonly<Record<string, string>> | null {
  return pairs && Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key.trim(), value]));
}

async function checkStart(
  bytes: ByteSource,
  header: TiffHeader,
  ghost: Readonly<Record<string, string>> | null,
  main: Ifd,
  found: Problems,
): Promise<void> {
  if (main.offset > MOST_IFD_OFFSET) {
    found.add(
      "error",
      "ifd-offset",
      `the first directory starts at byte ${main.offset}, expected ${MOST_IFD_OFFSET} at the most`,
      main.offset,
    );
  }
  if (ghost === null) {
    // Without the ghost area GDAL wants the directory right behind the header; a damaged one is reported here too.
    const start = header.big ? 16 : 8;
    if (main.offset !== start) {
      found.add(
        "error",
        "ghost-size",
        `the first directory starts at byte ${main.offset}, but no readable structural metadata lies before it`,
        start,
      );
    }
    return;
  }
  const start = header.big ? 16 : 8;
  const digitsAt = start + "GDAL_STRUCTURAL_METADATA_SIZE=".length;
  const digits = await readExactly(bytes, digitsAt, 6, "the size of the structural metadata");
  const end = start + 43 + Number(Buffer.from(digits).toString("latin1"));
  const expected = end + (end % 2);
  if (expected !== main.offset) {
    found.add(
      "error",
      "ghost-size",
      `the structural metadata ends at byte ${end}, so the first directory should start at ${expected}; it starts at ${main.offset}`,
      digitsAt,
    );
  }
  if (ghost["KNOWN_INCOMPATIBLE_EDITION"] === "YES") {
    found.add(
      "error",
      "known-incompatible-edition",
      "the file was changed after it was written, and says so (KNOWN_INCOMPATIBLE_EDITION=YES)",
      start,
    );
  }
}

function checkSizes(main: Ifd, overviews: readonly Ifd[], found: Problems): void {
  for (const [i, ifd] of [main, ...overviews].entries()) {
    const [width, height] = blockSizeOf(ifd);
    if (widthOf(ifd) > 0 && heightOf(ifd) > 0 && width > 0 && height > 0) continue;
    const message = `${levelName(i)} is ${widthOf(ifd)} x ${heightOf(ifd)} pixels in blocks of ${width} x ${height}`;
    found.add("error", "damaged-directory", message, ifd.offset);
  }
  const large = widthOf(main) > SMALL || heightOf(main) > SMALL;
  if (needsTiles(main) && !isTiled(main)) {
    found.add(
      "error",
      "not-tiled",
      `the image is ${widthOf(main)} x ${heightOf(main)} pixels in strips; expected tiles`,
      main.offset,
    );
  }
  if (large && overviews.length === 0) {
    found.add(
      "warning",
      "no-overviews",
      `the image is ${widthOf(main)} x ${heightOf(main)} pixels without overviews`,
      main.offset,
    );
  }
  let before = main;
  overviews.forEach((ifd, i) => {
    const name = levelName(i + 1);
    if (ifd.offset < before.offset) {
      found.add(
        "error",
        "ifd-order",
        `the directory of ${name} lies before the one of ${levelName(i)}`,
        ifd.offset,
      );
    }
    const larger = widthOf(ifd) > widthOf(before) || heightOf(ifd) > heightOf(before);
    const same = widthOf(ifd) === widthOf(before) && heightOf(ifd) === heightOf(before);
    if (larger || same) {
      found.add(
        "error",
        "overview-size",
        `${name} is ${widthOf(ifd)} x ${heightOf(ifd)} pixels, not smaller than ${levelName(i)}`,
        ifd.offset,
      );
    }
    if (needsTiles(ifd) && !isTiled(ifd)) {
      found.add("error", "overview-not-tiled", `${name} is stored in strips; expected tiles`, ifd.offset);
    }
    before = ifd;
  });
}

interface Level {
  readonly name: string;
  readonly ifdOffset: number;
  /** Of the first tile that is there; 0 when all are left out. */
  readonly firstTile: number;
  readonly tiles: number;
  readonly sparse: number;
  readonly checked: number;
}

interface TileCheck {
  readonly bytes: ByteSource;
  readonly header: TiffHeader;
  readonly ghost: Readonly<Record<string, string>> | null;
  readonly found: Problems;
  readonly limit: "all" | number;
  readonly signal: AbortSignal | undefined;
}

/** Walk the tile tables of an image and its mask together, a piece at a time. */
async function checkTiles(check: TileCheck, image: Ifd, mask: Ifd | null, name: string): Promise<Level> {
  const { bytes, found, ghost, limit, signal } = check;
  const rowMajor = ghost?.["BLOCK_ORDER"] === "ROW_MAJOR";
  const leader = ghost?.["BLOCK_LEADER"] === "SIZE_AS_UINT4";
  const trailer = ghost?.["BLOCK_TRAILER"] === "LAST_4_BYTES_REPEATED";
  const interleaved = ghost?.["MASK_INTERLEAVED_WITH_IMAGERY"] === "YES";
  const images = tileTable(check, image, name);
  const masks = mask === null ? null : tileTable(check, mask, `the mask of ${name}`);
  let tiles = 0;
  let sparse = 0;
  let checked = 0;
  let firstTile = 0;
  if (images === null) return { name, ifdOffset: image.offset, firstTile, tiles, sparse, checked };
  if (interleaved && masks !== null && masks.count !== images.count) {
    found.add("error", "mask-interleave", `the mask of ${name} has other tiles than the image`, mask!.offset);
  }
  const most = Math.max(1, limit === "all" ? MOST_CHECKED : Math.min(limit, MOST_CHECKED));
  const every = Math.max(1, Math.ceil(images.count / most));
  const last = [0, 0];
  const tables = masks === null ? [images] : [images, masks];
  const longest = Math.max(...tables.map((table) => table.count));
  for (let start = 0; start < longest; start += TABLE_CHUNK) {
    signal?.throwIfAborted();
    const pieces = await Promise.all(tables.map((table) => table.read(start)));
    const length = Math.max(...pieces.map((piece) => piece.offsets.length));
    for (let i = 0; i < length; i++) {
      let imageEnd = 0;
      for (let k = 0; k < pieces.length; k++) {
        const offset = pieces[k]!.offsets[i];
        const size = pieces[k]!.counts[i];
        if (offset === undefined || size === undefined) continue;
        const what = `tile ${start + i} of ${tables[k]!.name}`;
        tiles++;
        if (offset === 0 || size === 0) {
          sparse++;
          continue;
        }
        if (k === 0 && firstTile === 0) firstTile = offset;
        const tail = trailer ? TRAILER_BYTES : 0;
        if (offset < 8 || offset + size + tail > bytes.size) {
          found.add("error", "tile-outside-file", `${what} claims ${size} bytes at byte ${offset}`, offset);
          continue;
        }
        const inRow = k === 1 && interleaved && imageEnd > 0;
        if (rowMajor && !inRow) {
          // Interleaved, image and mask tiles are one sequence; otherwise each has its own.
          const sequence = interleaved ? 0 : k;
          if (offset < last[sequence]!) {
            found.add("error", "block-order", `${what} lies before the one before it`, offset);
          }
          last[sequence] = offset;
        }
        if (inRow && offset !== imageEnd + (leader ? LEADER_BYTES : 0)) {
          const expected = imageEnd + (leader ? LEADER_BYTES : 0);
          found.add(
            "error",
            "mask-interleave",
            `${what} should start at byte ${expected}, right behind its image tile`,
            offset,
          );
        }
        if (k === 0) imageEnd = offset + size + tail;
        if ((start + i) % every === 0 && (leader || trailer)) {
          checked++;
          await checkFrame(check, what, offset, size, leader, trailer);
        }
      }
    }
  }
  return { name, ifdOffset: image.offset, firstTile, tiles, sparse, checked };
}

async function checkFrame(
  { bytes, found, signal }: TileCheck,
  what: string,
  offset: number,
  size: number,
  leader: boolean,
  trailer: boolean,
): Promise<void> {
  if (leader) {
    const read = await readExactly(
      bytes,
      offset - LEADER_BYTES,
      LEADER_BYTES,
      `the leader of ${what}`,
      signal,
    );
    // Little-endian whatever the byte order of the file.
    const said = new DataView(read.buffer, read.byteOffset).getUint32(0, true);
    if (said !== size) {
      const message = `the 4 bytes before ${what} say ${said} bytes, the directory says ${size}`;
      found.add("error", "leader", message, offset - LEADER_BYTES);
    }
  }
  if (trailer && size >= TRAILER_BYTES) {
    const at = offset + size - TRAILER_BYTES;
    const read = await readExactly(bytes, at, 2 * TRAILER_BYTES, `the trailer of ${what}`, signal);
    for (let i = 0; i < TRAILER_BYTES; i++) {
      if (read[i] === read[i + TRAILER_BYTES]) continue;
      found.add(
        "error",
        "trailer",
        `the 4 bytes after ${what} do not repeat its last 4 bytes`,
        at + TRAILER_BYTES,
      );
      break;
    }
  }
}

interface TileTable {
  readonly name: string;
  readonly count: number;
  /** Positions of up to {@link TABLE_CHUNK} tiles from `start` on. */
  read(start: number): Promise<{ offsets: readonly number[]; counts: readonly number[] }>;
}

function tileTable({ bytes, header, found }: TileCheck, ifd: Ifd, name: string): TileTable | null {
  const offsets = ifd.entries.get(Tag.TileOffsets) ?? ifd.entries.get(Tag.StripOffsets);
  const counts = ifd.entries.get(Tag.TileByteCounts) ?? ifd.entries.get(Tag.StripByteCounts);
  const count = blockCount(ifd);
  if (offsets === undefined || counts === undefined || offsets.count < count || counts.count < count) {
    found.add(
      "error",
      "tile-table",
      `${name} should list ${count} tiles, but lists ${Math.min(offsets?.count ?? 0, counts?.count ?? 0)}`,
      ifd.offset,
    );
    return null;
  }
  for (const entry of [offsets, counts]) {
    // Cheapest claim to check before anything is read: a table cannot be larger than the file.
    if (entry.offset + entry.count > bytes.size) {
      found.add("error", "tile-table", `the tile table of ${name} lies outside the file`, ifd.offset);
      return null;
    }
  }
  return {
    name,
    count,
    async read(start) {
      const length = Math.max(0, Math.min(TABLE_CHUNK, count - start));
      try {
        const [at, sizes] = await Promise.all(
          [offsets, counts].map(async (entry) =>
            numbersOf(entry.type, await readValues(bytes, entry, start, length), header.littleEndian),
          ),
        );
        return { offsets: at!, counts: sizes! };
      } catch (error) {
        if (!isGeoError(error, "INVALID_FORMAT")) throw error;
        found.add("error", "tile-table", `the tile table of ${name} lies outside the file`, ifd.offset);
        return { offsets: [], counts: [] };
      }
    },
  };
}

/** Smallest overview first, full resolution last, all of it behind the directories. */
function checkDataOrder(levels: readonly Level[], found: Problems): void {
  const smallest = levels[levels.length - 1]!;
  if (smallest.firstTile !== 0 && smallest.firstTile < smallest.ifdOffset) {
    const message = `the pixels of ${smallest.name} lie before its directory`;
    found.add("error", "data-before-ifd", message, smallest.firstTile);
  }
  for (let i = levels.length - 2; i >= 0; i--) {
    const level = levels[i]!;
    const smaller = levels[i + 1]!;
    if (level.firstTile !== 0 && level.firstTile < smaller.firstTile) {
      const message = `the pixels of ${level.name} lie before those of ${smaller.name}`;
      found.add("error", "data-order", message, level.firstTile);
    }
  }
}

function kindOf(ifd: Ifd): "image" | "mask" {
  return (subfile(ifd) & SUBFILE_MASK) !== 0 ? "mask" : "image";
}

function subfile(ifd: Ifd): number {
  return tagNumber(ifd, Tag.NewSubfileType, 0) & (SUBFILE_REDUCED | SUBFILE_PAGE | SUBFILE_MASK);
}

function isReduced(ifd: Ifd): boolean {
  return (subfile(ifd) & SUBFILE_REDUCED) !== 0;
}

/** rio-cogeo: both sides large; GDAL: one side large and strips that long. */
function needsTiles(ifd: Ifd): boolean {
  return (widthOf(ifd) > SMALL && heightOf(ifd) > SMALL) || widthOf(ifd) > LONG_STRIP;
}

function isTiled(ifd: Ifd): boolean {
  return ifd.entries.has(Tag.TileWidth);
}

function widthOf(ifd: Ifd): number {
  return tagNumber(ifd, Tag.ImageWidth, 0);
}

function heightOf(ifd: Ifd): number {
  return tagNumber(ifd, Tag.ImageLength, 0);
}

function sameSize(left: Ifd, right: Ifd): boolean {
  return widthOf(left) === widthOf(right) && heightOf(left) === heightOf(right);
}

function blockSizeOf(ifd: Ifd): [number, number] {
  if (isTiled(ifd)) return [tagNumber(ifd, Tag.TileWidth, 0), tagNumber(ifd, Tag.TileLength, 0)];
  return [widthOf(ifd), Math.min(heightOf(ifd), tagNumber(ifd, Tag.RowsPerStrip, heightOf(ifd)))];
}

/** Tiles or strips that an image must have. */
function blockCount(ifd: Ifd): number {
  const [width, height] = blockSizeOf(ifd);
  if (width === 0 || height === 0) return 0;
  const planes =
    tagNumber(ifd, Tag.PlanarConfiguration, 1) === 2 ? tagNumber(ifd, Tag.SamplesPerPixel, 1) : 1;
  return Math.ceil(widthOf(ifd) / width) * Math.ceil(heightOf(ifd) / height) * planes;
}

function levelName(level: number): string {
  return level === 0 ? "the full resolution" : `overview ${level}`;
}

/** Keeps a report short: a file with a shifted table would otherwise list every tile. */
class Problems {
  readonly #problems: CogProblem[] = [];
  readonly #counts = new Map<CogProblemCode, number>();

  add(level: "error" | "warning", code: CogProblemCode, message: string, offset?: number): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= MOST_PER_CODE) {
      this.#problems.push(offset === undefined ? { level, code, message } : { level, code, message, offset });
    }
  }

  list(): CogProblem[] {
    const more = [...this.#counts].filter(([, count]) => count > MOST_PER_CODE);
    return [
      ...this.#problems,
      ...more.map(([code, count]) => ({
        level: "error" as const,
        code,
        message: `... and ${count - MOST_PER_CODE} more like these`,
      })),
    ];
  }
}
