import { Tag } from "./tags.ts";

/** One entry of a directory to be written. */
export interface TagToWrite {
  readonly tag: number;
  /** Field type: 2 ASCII, 3 SHORT, 4 LONG, 12 DOUBLE, 16 LONG8. */
  readonly type: number;
  readonly count: number;
  /** Values, little-endian. */
  readonly bytes: Uint8Array;
}

/** One directory to be written: its tags without tile positions, and how many tiles it has. */
export interface IfdToWrite {
  readonly tags: readonly TagToWrite[];
  readonly tileCount: number;
}

/** Where the tiles of one directory lie; 0 and 0 for a tile that was left out. */
export interface TilePositions {
  /** Byte of the file, length = tile count. */
  readonly offsets: Float64Array;
  /** In bytes, without leader and trailer, length = tile count. */
  readonly counts: Uint32Array;
}

export function shorts(tag: number, values: ArrayLike<number>): TagToWrite {
  return { tag, type: 3, count: values.length, bytes: bytesOf(Uint16Array.from(values)) };
}

export function longs(tag: number, values: ArrayLike<number>): TagToWrite {
  return { tag, type: 4, count: values.length, bytes: bytesOf(Uint32Array.from(values)) };
}

export function doubles(tag: number, values: ArrayLike<number>): TagToWrite {
  return { tag, type: 12, count: values.length, bytes: bytesOf(Float64Array.from(values)) };
}

/** UTF-8 text closed by a NUL. */
export function text(tag: number, value: string): TagToWrite {
  const bytes = Buffer.from(`${value}\0`, "utf8");
  return { tag, type: 2, count: bytes.length, bytes };
}

/**
 * Bytes that the header, the ghost area, all directories, their values and the tables of tile positions take.
 * Tile data may start right behind.
 */
export function headSize(ghost: Uint8Array, ifds: readonly IfdToWrite[], big: boolean): number {
  return layOut(ghost, ifds, big).size;
}

/**
 * Header, ghost area and all directories: each directory with its values behind it, then the tables of tile
 * offsets and tile byte counts of all of them, so that a reader that wants one resolution gets every directory in
 * its first request and reads only the tables it needs. Little-endian.
 *
 * @param tiles - Tile positions per directory; offsets must fit in 32 bits unless `big`.
 */
export function headBytes(
  ghost: Uint8Array,
  ifds: readonly IfdToWrite[],
  tiles: readonly TilePositions[],
  big: boolean,
): Uint8Array {
  const layout = layOut(ghost, ifds, big);
  const out = new Uint8Array(layout.size);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, big ? 43 : 42, 0]);
  const first = layout.ifds[0]!.at;
  if (big) {
    view.setUint16(4, 8, true);
    view.setBigUint64(8, BigInt(first), true);
  } else view.setUint32(4, first, true);
  out.set(ghost, big ? 16 : 8);

  ifds.forEach((ifd, i) => {
    const { at, values, offsetsAt, countsAt } = layout.ifds[i]!;
    const entries = [
      ...ifd.tags.map((tag, t) => ({ ...tag, valueAt: values[t]! })),
      { tag: Tag.TileOffsets as number, type: big ? 16 : 4, count: ifd.tileCount, valueAt: offsetsAt },
      { tag: Tag.TileByteCounts as number, type: 4, count: ifd.tileCount, valueAt: countsAt },
    ].sort((left, right) => left.tag - right.tag);
    let entryAt = at + (big ? 8 : 2);
    if (big) view.setBigUint64(at, BigInt(entries.length), true);
    else view.setUint16(at, entries.length, true);
    for (const entry of entries) {
      const inlineAt = entryAt + (big ? 12 : 8);
      view.setUint16(entryAt, entry.tag, true);
      view.setUint16(entryAt + 2, entry.type, true);
      if (big) view.setBigUint64(entryAt + 4, BigInt(entry.count), true);
      else view.setUint32(entryAt + 4, entry.count, true);
      const valueAt = entry.valueAt === INLINE ? inlineAt : entry.valueAt;
      if (valueAt !== inlineAt) {
        if (big) view.setBigUint64(inlineAt, BigInt(valueAt), true);
        else view.setUint32(inlineAt, valueAt, true);
      }
      if ("bytes" in entry) out.set(entry.bytes, valueAt);
      else if (entry.tag === Tag.TileByteCounts) {
        const { counts } = tiles[i]!;
        for (let t = 0; t < counts.length; t++) view.setUint32(valueAt + 4 * t, counts[t]!, true);
      } else {
        const { offsets } = tiles[i]!;
        for (let t = 0; t < offsets.length; t++) {
          const offset = offsets[t]!;
          if (big) {
            view.setUint32(valueAt + 8 * t, offset % 2 ** 32, true);
            view.setUint32(valueAt + 8 * t + 4, Math.floor(offset / 2 ** 32), true);
          } else view.setUint32(valueAt + 4 * t, offset, true);
        }
      }
      entryAt += big ? 20 : 12;
    }
    const next = layout.ifds[i + 1]?.at ?? 0;
    if (big) view.setBigUint64(entryAt, BigInt(next), true);
    else view.setUint32(entryAt, next, true);
  });
  return out;
}

/** In place of a position: the value fits in its entry. */
const INLINE = -1;

interface Layout {
  readonly size: number;
  readonly ifds: readonly {
    readonly at: number;
    readonly values: readonly number[];
    readonly offsetsAt: number;
    readonly countsAt: number;
  }[];
}

function layOut(ghost: Uint8Array, ifds: readonly IfdToWrite[], big: boolean): Layout {
  const inlineBytes = big ? 8 : 4;
  let at = even((big ? 16 : 8) + ghost.length);
  const place = (bytes: number): number => {
    if (bytes <= inlineBytes) return INLINE;
    const placed = at;
    at = even(at + bytes);
    return placed;
  };
  const bodies = ifds.map(({ tags }) => {
    const start = at;
    const entries = tags.length + 2;
    at += big ? 8 + 20 * entries + 8 : 2 + 12 * entries + 4;
    return { at: start, values: tags.map((tag) => place(tag.bytes.length)) };
  });
  const placed = ifds.map(({ tileCount }, i) => ({
    ...bodies[i]!,
    offsetsAt: place(tileCount * (big ? 8 : 4)),
    countsAt: place(tileCount * 4),
  }));
  return { size: at, ifds: placed };
}

function even(at: number): number {
  return at + (at % 2);
}

function bytesOf(values: Uint16Array | Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
