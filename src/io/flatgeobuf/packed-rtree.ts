import type { Bounds } from "../../model/grid.ts";
import { readExactly } from "../bytes/read.ts";
import type { ByteSource } from "../bytes/source.ts";
import { boxesExtent } from "../hilbert.ts";
import { damaged } from "./header.ts";

/** A node is four doubles (its box) and a 64-bit offset. */
export const NODE_BYTES = 40;
/** Children of a node, as every writer of the format uses. */
export const NODE_SIZE = 16;

/** Nodes are read together when not more than this many bytes of others lie between them. */
const GAP_BYTES = 16_384;
/** Leaves read at once at the most. */
const GROUP_NODES = 26_000;

/**
 * First node of every level, from the root (0) down to the leaves; the last entry is the number of nodes.
 *
 * @param items  At least 1.
 */
export function levelStarts(items: number, nodeSize: number): number[] {
  const sizes = [items];
  do sizes.unshift(Math.ceil(sizes[0]! / nodeSize));
  while (sizes[0]! > 1);
  const starts = [0];
  for (const size of sizes) starts.push(starts.at(-1)! + size);
  return starts;
}

/** Bytes of the index over `items` features. */
export function indexBytes(items: number, nodeSize: number): number {
  return NODE_BYTES * levelStarts(items, nodeSize).at(-1)!;
}

/** Features whose boxes meet some bounds, in file order. Offsets count from the first feature. */
export interface IndexHits {
  /** Length = hits. */
  readonly offsets: number[];
  /** Offset behind each feature where the index tells, else -1; length = hits. */
  readonly ends: number[];
  /** Position of each feature in the file; length = hits. */
  readonly rows: number[];
}

/**
 * Search a packed R-tree, level by level, reading only nodes that may matter. Yields the hits in groups, so that
 * memory stays bounded whatever the bounds.
 *
 * @param start  Offset of the index in the file.
 * @throws GeoError `INVALID_FORMAT` when a node points outside its level, or leaves are out of order.
 */
export async function* searchIndex(
  source: ByteSource,
  start: number,
  items: number,
  nodeSize: number,
  bounds: Bounds,
  signal?: AbortSignal,
): AsyncGenerator<IndexHits> {
  const levels = levelStarts(items, nodeSize);
  const leafLevel = levels.length - 2;
  const gap = GAP_BYTES / NODE_BYTES;
  /** First nodes of the families to look at on this level, ascending. */
  let families = [0];
  let last = -1;
  for (let level = 0; level <= leafLevel; level++) {
    const levelEnd = levels[level + 1]!;
    const children: number[] = [];
    for (let i = 0; i < families.length; ) {
      const first = families[i]!;
      let end = Math.min(levelEnd, first + (level === 0 ? 1 : nodeSize));
      for (i++; i < families.length && families[i]! <= end + gap && families[i]! - first < GROUP_NODES; i++) {
        end = Math.min(levelEnd, families[i]! + nodeSize);
      }
      // One leaf more tells where the last hit ends.
      const readEnd = level === leafLevel ? Math.min(levelEnd, end + 1) : end;
      const bytes = await readExactly(
        source,
        start + NODE_BYTES * first,
        NODE_BYTES * (readEnd - first),
        "the index",
        signal,
      );
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const hits: IndexHits = { offsets: [], ends: [], rows: [] };
      for (let node = first; node < end; node++) {
        const at = NODE_BYTES * (node - first);
        if (
          !(
            view.getFloat64(at, true) <= bounds[2] &&
            view.getFloat64(at + 8, true) <= bounds[3] &&
            view.getFloat64(at + 16, true) >= bounds[0] &&
            view.getFloat64(at + 24, true) >= bounds[1]
          )
        ) {
          continue;
        }
        const offset = uint64(view, at + 32);
        if (level < leafLevel) {
          if (
            !(offset >= levels[level + 1]! && offset < levels[level + 2]!) ||
            offset <= (children.at(-1) ?? -1)
          )
            throw damaged(source.url, start + NODE_BYTES * node, "a node of its index points astray");
          children.push(offset);
          continue;
        }
        if (offset <= last)
          throw damaged(source.url, start + NODE_BYTES * node, "its index lists features out of order");
        last = offset;
        hits.offsets.push(offset);
        hits.ends.push(node + 1 < readEnd ? uint64(view, at + NODE_BYTES + 32) : -1);
        hits.rows.push(node - levels[leafLevel]!);
      }
      if (hits.offsets.length > 0) yield hits;
    }
    families = children;
  }
}

function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);
}

/**
 * The whole index as bytes, in pieces that can be written one after the other.
 *
 * @param boxes    Boxes of the features, `[minX, minY, maxX, maxY]` each, in the order of `order`.
 * @param order    Feature of each leaf: position in `boxes` and `sizes`.
 * @param sizes    Bytes of each feature.
 */
export function* encodeIndex(
  boxes: Float64Array,
  order: Uint32Array,
  sizes: Uint32Array,
): Generator<Uint8Array> {
  const items = order.length;
  const levels = levelStarts(items, NODE_SIZE);
  const leafLevel = levels.length - 2;
  // Boxes of the nodes above the leaves, a sixteenth of the leaves together.
  const upper = new Float64Array(4 * levels[leafLevel]!);
  for (let level = leafLevel - 1; level >= 0; level--) {
    for (let node = levels[level]!; node < levels[level + 1]!; node++) {
      const first = NODE_SIZE * (node - levels[level]!);
      const below = levels[level + 2]! - levels[level + 1]!;
      let minX = Infinity;
      let minY = Infinity;
      let maxX = -Infinity;
      let maxY = -Infinity;
      for (let k = first; k < Math.min(below, first + NODE_SIZE); k++) {
        const from = level + 1 === leafLevel ? boxes : upper;
        const at = 4 * (level + 1 === leafLevel ? order[k]! : levels[level + 1]! + k);
        if (from[at]! < minX) minX = from[at]!;
        if (from[at + 1]! < minY) minY = from[at + 1]!;
        if (from[at + 2]! > maxX) maxX = from[at + 2]!;
        if (from[at + 3]! > maxY) maxY = from[at + 3]!;
      }
      upper.set([minX, minY, maxX, maxY], 4 * node);
    }
  }
  const piece = new Uint8Array(NODE_BYTES * Math.min(GROUP_NODES, levels.at(-1)!));
  const view = new DataView(piece.buffer);
  let at = 0;
  let offset = 0;
  for (let level = 0; level <= leafLevel; level++) {
    for (let node = levels[level]!; node < levels[level + 1]!; node++) {
      const leaf = level === leafLevel;
      const rank = node - levels[level]!;
      const from = leaf ? boxes : upper;
      const box = 4 * (leaf ? order[rank]! : node);
      view.setFloat64(at, from[box]!, true);
      view.setFloat64(at + 8, from[box + 1]!, true);
      view.setFloat64(at + 16, from[box + 2]!, true);
      view.setFloat64(at + 24, from[box + 3]!, true);
      const target = leaf ? offset : levels[level + 1]! + NODE_SIZE * rank;
      if (leaf) offset += sizes[order[rank]!]!;
      view.setUint32(at + 32, target >>> 0, true);
      view.setUint32(at + 36, Math.floor(target / 2 ** 32), true);
      at += NODE_BYTES;
      if (at === piece.length) {
        yield piece.slice();
        at = 0;
      }
    }
  }
  if (at > 0) yield piece.slice(0, at);
}

/** Bounds of all features, or `null` when none has a vertex. */
export function envelopeOf(boxes: Float64Array, count: number): Bounds | null {
  const extent = boxesExtent(boxes, count);
  return extent[0] <= extent[2] ? extent : null;
}
