import { GeoError } from "../../model/errors.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";

/** The first 8 or 16 bytes of a TIFF. */
export interface TiffHeader {
  readonly littleEndian: boolean;
  /** BigTIFF: offsets and counts are 8 bytes wide instead of 4. */
  readonly big: boolean;
  /** Byte at which the first directory starts. */
  readonly firstIfd: number;
}

const LITTLE_ENDIAN = 0x4949; // "II"
const BIG_ENDIAN = 0x4d4d; // "MM"
const TIFF = 42;
const BIG_TIFF = 43;

/**
 * Read a TIFF header (TIFF 6.0, section 2; BigTIFF).
 *
 * @throws GeoError `INVALID_FORMAT`
 */
export async function readTiffHeader(bytes: ByteSource): Promise<TiffHeader> {
  if (bytes.size < 8) throw notTiff(bytes, 0, `it has ${bytes.size} bytes, a header alone needs 8`);
  const head = await bytes.read(0, Math.min(16, bytes.size));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const order = view.getUint16(0);
  if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN)
    throw notTiff(bytes, 0, 'it does not start with "II" or "MM"');
  const littleEndian = order === LITTLE_ENDIAN;
  const version = view.getUint16(2, littleEndian);
  if (version === TIFF) return { littleEndian, big: false, firstIfd: view.getUint32(4, littleEndian) };
  if (version !== BIG_TIFF) throw notTiff(bytes, 2, `its version is ${version}, expected 42 or 43 (BigTIFF)`);
  if (view.byteLength < 16) throw notTiff(bytes, 4, "it ends inside the BigTIFF header");
  const width = view.getUint16(4, littleEndian);
  if (width !== 8) throw notTiff(bytes, 4, `its offsets are ${width} bytes wide, expected 8`);
  return { littleEndian, big: true, firstIfd: Number(view.getBigUint64(8, littleEndian)) };
}

const GHOST_START = "GDAL_STRUCTURAL_METADATA_SIZE=";
const GHOST_HEAD = GHOST_START.length + "000000 bytes\n".length;

/**
 * The structural metadata that GDAL puts between header and first directory ("ghost area"): how the file is laid
 * out, so that a reader may skip work. Keys such as `LAYOUT`, `BLOCK_ORDER`, `BLOCK_LEADER`, `BLOCK_TRAILER`,
 * `MASK_INTERLEAVED_WITH_IMAGERY`, `KNOWN_INCOMPATIBLE_EDITION`. `null` when there is none.
 */
export async function readGhostHeader(
  bytes: ByteSource,
  header: TiffHeader,
): Promise<Readonly<Record<string, string>> | null> {
  const start = header.big ? 16 : 8;
  if (start + GHOST_HEAD > bytes.size) return null;
  const head = Buffer.from(await readExactly(bytes, start, GHOST_HEAD, "the header")).toString("latin1");
  const size = /^GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n$/.exec(head)?.[1];
  if (size === undefined || start + GHOST_HEAD + Number(size) > bytes.size) return null;
  const body = await readExactly(bytes, start + GHOST_HEAD, Number(size), "GDAL's structural metadata");
  const pairs: Record<string, string> = {};
  for (const line of Buffer.from(body).toString("latin1").split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) pairs[line.slice(0, at)] = line.slice(at + 1).trimEnd();
  }
  return pairs;
}

function notTiff(bytes: ByteSource, offset: number, what: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${bytes.url} is not a TIFF: ${what}`,
    { format: "geotiff", path: bytes.url, offset },
    { hint: "Check that the file is complete and really a GeoTIFF." },
  );
}
