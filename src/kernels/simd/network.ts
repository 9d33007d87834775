/** Put the smaller of two places into the first and the larger into the second; one of them may not be needed. */
export interface Comparator {
  readonly low: number;
  readonly high: number;
  readonly keepLow: boolean;
  readonly keepHigh: boolean;
}

/**
 * Comparators that sort any `size` values: odd-even mergesort (K. E. Batcher 1968), cut for sizes that are no power of two.
 * About `size log2(size)^2 / 4` of them.
 */
export function sortingNetwork(size: number): Comparator[] {
  const comparators: Comparator[] = [];
  for (let p = 1; p < size; p *= 2) {
    for (let k = p; k >= 1; k /= 2) {
      for (let j = k % p; j + k < size; j += 2 * k) {
        for (let i = 0; i < Math.min(k, size - j - k); i++) {
          if (Math.floor((i + j) / (2 * p)) === Math.floor((i + j + k) / (2 * p)))
            comparators.push({ low: i + j, high: i + j + k, keepLow: true, keepHigh: true });
        }
      }
    }
  }
  return comparators;
}

/** Only what is needed so that the given places hold what they would when all is sorted. */
export function selectionNetwork(size: number, places: readonly number[]): Comparator[] {
  const needed = new Uint8Array(size);
  for (const place of places) needed[place] = 1;
  const kept: Comparator[] = [];
  for (const { low, high } of sortingNetwork(size).reverse()) {
    const keepLow = needed[low] === 1;
    const keepHigh = needed[high] === 1;
    if (!keepLow && !keepHigh) continue;
    kept.push({ low, high, keepLow, keepHigh });
    needed[low] = 1;
    needed[high] = 1;
  }
  return kept.reverse();
}
