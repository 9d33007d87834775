/** A run of bytes that is wanted. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Neighbouring wanted runs that are fetched by one read. */
export interface MergedRange<T extends ByteRange> extends ByteRange {
  /** In order of offset; all inside the range. */
  readonly parts: readonly T[];
}

/**
 * Merge wanted runs into fewer, longer reads: runs no further than `gap` bytes apart share one, up to `limit`
 * bytes (a single longer run stays whole). The order of the result is that of the file.
 */
export function mergeRanges<T extends ByteRange>(
  wanted: readonly T[],
  gap: number,
  limit: number,
): MergedRange<T>[] {
  const sorted = [...wanted].sort((a, b) => a.offset - b.offset);
  const merged: MergedRange<T>[] = [];
  let parts: T[] = [];
  let start = 0;
  let end = 0;
  for (const part of sorted) {
    const partEnd = part.offset + part.length;
    const together = Math.max(end, partEnd) - start;
    if (parts.length > 0 && part.offset - end <= gap && together <= limit) {
      parts.push(part);
      end = Math.max(end, partEnd);
      continue;
    }
    if (parts.length > 0) merged.push({ offset: start, length: end - start, parts });
    parts = [part];
    start = part.offset;
    end = partEnd;
  }
  if (parts.length > 0) merged.push({ offset: start, length: end - start, parts });
  return merged;
}
