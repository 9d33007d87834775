/** Bytes of each TIFF field type used here. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 12: 8, 16: 8 };

/** A tag by hand: number, field type, values (text for ASCII). */
export type RawTag = readonly [tag: number, type: number, values: readonly number[] | string];

export interface RawImage {
  readonly tags: readonly RawTag[];
  /** Stored blocks in order; an empty one is left out of the file (offset and count 0). */
  readonly blocks: readonly Uint8Array[];
  /** Leave out the table of byte counts. */
  readonly noCounts?: boolean;
}

/** A TIFF put together byte by byte, so that tests can say anything, also what no writer would. */
export function buildTiff(
  images: readonly RawImage[],
  { littleEndian = true, big = false }: { littleEndian?: boolean; big?: boolean } = {},
): Uint8Array {
  const out = new Uint8Array(1_000_000);
  const view = new DataView(out.buffer);
  const word = (at: number, value: number): void => {
    if (big) view.setBigUint64(at, BigInt(value), littleEndian);
    else view.setUint32(at, value, littleEndian);
  };
  const order = littleEndian ? 0x4949 : 0x4d4d;
  view.setUint16(0, order);
  view.setUint16(2, big ? 43 : 42, littleEndian);
  if (big) view.setUint16(4, 8, littleEndian);
  let link = big ? 8 : 4;
  let end = big ? 16 : 8;
  for (const { tags, blocks, noCounts } of images) {
    const offsets = blocks.map((block) => {
      if (block.length === 0) return 0;
      const at = end;
      out.set(block, at);
      end += block.length + (block.length & 1);
      return at;
    });
    const tiled = tags.some(([tag]) => tag === 322);
    const all: RawTag[] = [...tags, [tiled ? 324 : 273, big ? 16 : 4, offsets]];
    if (noCounts !== true) all.push([tiled ? 325 : 279, big ? 16 : 4, blocks.map((block) => block.length)]);
    all.sort(([a], [b]) => a - b);
    const values = all.map(([, type, value]) => {
      const list = typeof value === "string" ? [...Buffer.from(`${value}\0`)] : value;
      const bytes = new Uint8Array(list.length * SIZES[type]!);
      const inner = new DataView(bytes.buffer);
      list.forEach((number, i) => {
        if (SIZES[type] === 1) bytes[i] = number;
        else if (type === 3) inner.setUint16(2 * i, number, littleEndian);
        else if (type === 4) inner.setUint32(4 * i, number, littleEndian);
        else if (type === 12) inner.setFloat64(8 * i, number, littleEndian);
        else inner.setBigUint64(8 * i, BigInt(number), littleEndian);
      });
      return { bytes, count: list.length };
    });
    const places = values.map(({ bytes }) => {
      if (bytes.length <= (big ? 8 : 4)) return null;
      const at = end;
      out.set(bytes, at);
      end += bytes.length + (bytes.length & 1);
      return at;
    });
    word(link, end);
    let at = end;
    if (big) view.setBigUint64(at, BigInt(all.length), littleEndian);
    else view.setUint16(at, all.length, littleEndian);
    at += big ? 8 : 2;
    all.forEach(([tag, type], i) => {
      view.setUint16(at, tag, littleEndian);
      view.setUint16(at + 2, type, littleEndian);
      word(at + 4, values[i]!.count);
      const inner = at + (big ? 12 : 8);
      if (places[i] === null) out.set(values[i]!.bytes, inner);
      else word(inner, places[i]!);
      at = inner + (big ? 8 : 4);
    });
    link = at;
    end = at + (big ? 8 : 4);
  }
  return out.slice(0, end);
}

/** The tags that every image needs: one unsigned band unless said otherwise. */
export function basicTags(
  width: number,
  height: number,
  {
    bits = [8],
    compression = 1,
    photometric = 1,
    planar = 1,
  }: {
    bits?: readonly number[];
    compression?: number;
    photometric?: number;
    planar?: number;
  } = {},
): RawTag[] {
  return [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, bits],
    [259, 3, [compression]],
    [262, 3, [photometric]],
    [277, 3, [bits.length]],
    [284, 3, [planar]],
  ];
}
