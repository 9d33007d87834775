const LAYOUT =
  "LAYOUT=IFDS_BEFORE_DATA\n" +
  "BLOCK_ORDER=ROW_MAJOR\n" +
  "BLOCK_LEADER=SIZE_AS_UINT4\n" +
  "BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n" +
  "KNOWN_INCOMPATIBLE_EDITION=NO\n" +
  // The space leaves room for a tool that must turn NO into YES without moving bytes.
  " ";
const MASK = "MASK_INTERLEAVED_WITH_IMAGERY=YES\n";

/**
 * GDAL's structural metadata ("ghost area"), which lies between the header and the first directory and tells
 * readers that they may skip work: directories first, tiles in row-major order, each with its size in 4 bytes
 * before it and its last 4 bytes repeated after it, the mask tile right after the image tile.
 */
export function ghostArea(hasMask: boolean): Uint8Array {
  const text = hasMask ? LAYOUT + MASK : LAYOUT;
  const size = String(text.length).padStart(6, "0");
  return Buffer.from(`GDAL_STRUCTURAL_METADATA_SIZE=${size} bytes\n${text}`, "latin1");
}

/** Bytes of a tile's leader and of its trailer; neither counts in TileByteCounts. */
export const LEADER_BYTES = 4;
export const TRAILER_BYTES = 4;

/** The trailer of a tile: its last 4 bytes again (a shorter tile is filled up with zeros). */
export function trailerOf(payload: Uint8Array): Uint8Array {
  const trailer = new Uint8Array(TRAILER_BYTES);
  trailer.set(payload.subarray(Math.max(0, payload.length - TRAILER_BYTES)));
  return trailer;
}
